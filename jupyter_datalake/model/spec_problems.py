"""What is wrong with a spec that somebody wrote, in words of the spec, with its place."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.groups import GROUP_PATTERN
from jupyter_datalake.model.limits import RESOURCE_PATTERN
from jupyter_datalake.model.notification_rules import GRAMMAR
from jupyter_datalake.model.pipeline_schema import CHECK, DURATION, KINDS, NAME, SIZE, VARIABLE

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

T = TypeVar("T")


def first_error(raw: Any, schema: dict[str, Any]) -> ValidationError | None:
    """Return what is wrong by the schema, the most telling if there is more, or None."""
    # Costs a second to import, which everybody who opens a lake would pay.
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    found: ValidationError | None = best_match(Draft202012Validator(schema).iter_errors(raw))
    return found


def at_place(place: str, parse: Callable[[Any], T], value: Any) -> T:
    """Return ``parse(value)``; what it refuses is told with its place in the spec."""
    try:
        return parse(value)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"Pipeline spec: {place}: {error.message}",
            kind=error.kind,
            hint=error.hint,
            **{**error.context, "place": place},
        ) from error


def check_json(value: Any, place: str) -> None:
    """Refuse what a spec cannot be stored with: YAML knows dates, sets and keys of any type."""
    match value:
        case None | bool():
            pass
        case str():
            if value != value.encode("utf-8", "replace").decode():
                raise invalid(place.lstrip("."), f"has the value {shown(value)}: no Unicode text")
            if "\0" in value:
                # No argument, variable or file name of a program can.
                raise invalid(place.lstrip("."), f"has the value {shown(value)}, which holds NUL")
        case int() if abs(value) < 1 << 63:
            pass
        case float() if isfinite(value):
            pass
        case list():
            for index, one in enumerate(value):
                check_json(one, f"{place}[{index}]")
        case dict():
            for key, one in value.items():
                if not isinstance(key, str):
                    raise invalid(
                        place.lstrip(".") or "the spec",
                        f"has the key {shown(key)}, which is not text; put it into quotes",
                    )
                check_json(one, f"{place}.{key}")
        case _:
            raise invalid(
                place.lstrip("."),
                f"has the value {shown(value)}, which is neither text, a finite number of at most"
                " 64 bits, true, false, a list nor a map; put it into quotes",
            )


def place_of(error: ValidationError, top: str = "") -> str:
    """Return where something is wrong, as ``input.cross[0].repo.name``; `top` begins it."""
    place = top + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    )
    return place.lstrip(".") or "the spec"


def explain(error: ValidationError) -> str:
    """Return what is wrong in words of the spec rather than of JSON Schema."""
    match error.validator:
        case "additionalProperties":
            schema: Any = error.schema
            instance: Any = error.instance
            known = schema["properties"]
            unknown = sorted(set(instance) - set(known), key=repr)[0]
            return f"has the unknown key {shown(unknown)}; known are {', '.join(known)}"
        case "required":
            return f"lacks {error.message.split(' is a required')[0]}"
        case "oneOf":
            return "needs exactly one of notebook, command and ingest"
        case "minProperties" if error.absolute_path[-1] == "trigger":
            return "needs one of commits, size and cron"
        case "anyOf":
            known = _FORMS[str(error.absolute_path[-1])]
            return f"has the value {shown(error.instance)}, where {known} belongs"
        case "maxProperties" | "minProperties":
            return f"needs exactly one of {KINDS}"
        case "pattern":
            rule = _GRAMMAR.get(str(error.validator_value), "which breaks the grammar")
            return f"has the value {shown(error.instance)}, {rule}"
        case "type":
            wanted = _A.get(str(error.validator_value), "a number or text belongs")
            return f"has the value {shown(error.instance)}, where {wanted}"
        case "const" if error.absolute_path[-1] == "jupyter":
            return f"has the value {shown(error.instance)}; only true belongs there"
        case "const":
            return f"has the value {shown(error.instance)}; a map belongs, or none"
        case "enum":
            known = ", ".join(map(str, cast("list[str]", error.validator_value)))
            return f"has the value {shown(error.instance)}; known are {known}"
        case "minLength" | "minItems":
            return f"has the value {shown(error.instance)}, which is too short"
        case "minimum":
            return f"has the value {shown(error.instance)}; at least {error.validator_value}"
        case "exclusiveMinimum":
            return f"has the value {shown(error.instance)}; more than {error.validator_value}"
        case "maximum":
            return f"has the value {shown(error.instance)}; at most {error.validator_value}"
        case _:
            return f"has the value {shown(error.instance)}, which breaks {error.validator!r}"


_GRAMMAR = {
    "^!/": "where a glob that takes something away belongs, such as !/tmp/**",
    "^/": "where a glob belongs: / for the whole repo, /* for each file and folder at its top",
    NAME["pattern"]: "where a repo's name belongs: 1 to 63 of a-z 0-9 . _ -, or project/name",
    VARIABLE["pattern"]: "where a variable's name belongs",
    f"^{RESOURCE_PATTERN.pattern}$": "where a resource's name belongs: 1 to 63 of a-z 0-9 . _ -",
    SIZE: "where a size belongs, such as 500MB or 1GiB",
    DURATION["pattern"]: "where a duration belongs, such as 90s, 10m or 2h",
    CHECK: "where a function belongs, such as checks.py::is_sorted",
    f"^{GROUP_PATTERN.pattern}$": "where a group's name belongs, such as etl/daily",
    **GRAMMAR,
}
"""Pattern to what it asks for, in words."""

_FORMS = {
    "on_error": "fail, skip or {recover: [program, argument, …]}",
    "columns": "a list of names, or a map of names to types,",
}
"""Key to what it may hold, where that is of several kinds."""

_A = {
    "string": "text belongs",
    "integer": "a whole number belongs",
    "array": "a list belongs",
    "object": "a map belongs",
}


def shown(value: Any) -> str:
    """Return a value on one line that is short enough to read."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def invalid(place: str, why: str) -> InvalidInputError:
    """Return the error for a place in a spec, with the page that has every key."""
    return InvalidInputError(
        f"Pipeline spec: {place} {why}",
        kind=ErrorKind.INVALID_SPEC,
        hint="See docs/pipelines.md for every key",
        place=place,
    )
