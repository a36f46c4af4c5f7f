"""Templates of pipelines: a spec with places for typed arguments.

Values are put into the parsed document, never into its text, so no value can change its structure:
``${{ arguments.x }}`` that stands alone becomes the value with its type, within a text it becomes
text, and what a value holds is not looked at again. Where the document is code (a command, a
query) only values stand whose letters are known to be harmless; all else goes by parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import REF_PATTERN, REPO_PATTERN, check_ref_name, check_repo_name
from jupyter_datalake.model.paths import parse_path

_MAX_SHOWN = 80
_NAME = r"[a-z][a-z0-9_]{0,62}"
_TOKEN = re.compile(r"\$\$\{\{|\$\{\{(.*?)\}\}|\$\{\{", re.DOTALL)
_REFERENCE = re.compile(rf"\s*arguments\.({_NAME})\s*")
_ESCAPED = "$${{"


class ArgumentType(StrEnum):
    """What an argument may be."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STR = "str"
    LIST = "list"
    """Of values of one of the types above, or of paths."""
    PATH = "path"
    """Relative, below a repo or folder."""
    CHOICE = "choice"
    REPO = "repo"
    BRANCH = "branch"


_FREE = frozenset({ArgumentType.STR, ArgumentType.PATH, ArgumentType.LIST})
"""Types whose values may hold any letters."""

# Free text stands only below these keys of a spec, and below none of the others, whatever they are
# below: a new key of a spec is none of them until somebody has thought about it.
_FREE_BELOW = frozenset(
    {
        "description",
        "egress",
        "environment",
        "expectations",
        "files",
        "ingest",
        "input",
        "notebook",
        "parameters",
        "pipeline",
    }
)
_CODE = frozenset({"command", "query", "query_file", "recover", "script", "sql"})
_ARGV = frozenset({"command", "recover"})
"""What programs are started with is text, numbers too."""
_ITEMS = ("int", "float", "bool", "str", "path")

_ARGUMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type"],
    "properties": {
        "type": {"enum": [str(one) for one in ArgumentType]},
        "description": {"type": "string"},
        "required": {
            "type": "boolean",
            "description": "Whether it must be given; that is so where it has no default.",
        },
        "default": {"description": "The value where none is given."},
        "choices": {
            "type": "array",
            "minItems": 1,
            "items": {"type": ["string", "integer", "number", "boolean"]},
            "description": "Of a choice: what it may be.",
        },
        "items": {"enum": list(_ITEMS), "description": "Of a list: the type of its values."},
        "minimum": {"type": "number", "description": "Of an int or float."},
        "maximum": {"type": "number", "description": "Of an int or float."},
        "pattern": {
            "type": "string",
            "format": "regex",
            "description": "Of a str: a regular expression that all of it fits.",
        },
        "repo": {
            "type": "string",
            "description": "Of a branch: the repo, or ${{ arguments.x }} for the one x names.",
        },
    },
}

TEMPLATE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://jupyter-datalake.readthedocs.io/schemas/template/v1.json",
    "title": "jupyter_datalake pipeline template",
    "type": "object",
    "description": "A pipeline spec with places for typed arguments.",
    "additionalProperties": False,
    "required": ["template", "spec"],
    "properties": {
        "template": {"type": "string", "minLength": 1, "description": "Its name, for people."},
        "description": {"type": "string"},
        "arguments": {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": f"^{_NAME}$"},
            "additionalProperties": _ARGUMENT_SCHEMA,
        },
        "spec": {
            "type": "object",
            "description": "A pipeline spec; ${{ arguments.name }} stands for a value.",
        },
    },
}


TEMPLATE_USE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://jupyter-datalake.readthedocs.io/schemas/template-use/v1.json",
    "title": "jupyter_datalake use of a template",
    "type": "object",
    "description": "A pipeline that a template makes of arguments, in a folder of specs.",
    "additionalProperties": False,
    "required": ["template"],
    "properties": {
        "template": {
            "type": "string",
            "pattern": r"\.ya?ml$",
            "description": "The template's file, relative to this one.",
        },
        "arguments": {
            "type": "object",
            "description": "Values by argument; those left out have their defaults.",
            "propertyNames": {"type": "string", "pattern": f"^{_NAME}$"},
        },
    },
}
"""What names a template in place of being one: it has no spec."""


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A document that names a template and gives it arguments."""

    template: str
    """Its file, relative to that of the document."""
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument, as a template declares it."""

    name: str
    type: ArgumentType
    description: str = ""
    is_required: bool = True
    default: Any = None
    choices: tuple[Any, ...] = ()
    items: ArgumentType = ArgumentType.STR
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    repo: str = ""
    """Of a branch: the repo's name, or a reference to the argument that has it."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its value, from which a form can be made."""
        found = dict(_value_schema(self))
        if self.description:
            found["description"] = self.description
        if not self.is_required:
            found["default"] = self.default
        return found

    def allowed(self) -> str:
        """Return what it may be, in words."""
        if self.type is ArgumentType.CHOICE:
            return f"one of {', '.join(json.dumps(one) for one in self.choices)}"
        if self.type is ArgumentType.LIST:
            return f"a list of values of type {self.items}"
        words = _WORDS[self.type]
        if self.minimum is not None and self.maximum is not None:
            return f"{words} from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{words} of at least {self.minimum:g}"
        if self.maximum is not None:
            return f"{words} of at most {self.maximum:g}"
        return f"{words} that fits {self.pattern!r}" if self.pattern else words

    def parse(self, text: str) -> Any:
        """Return the value of a text, as it is typed at a prompt; not checked any further.

        A list is JSON, or values with commas between them. What is no value stays a text, which
        `check` refuses.
        """
        return _parse(self.type, self.items, self.choices, text)

    def check(self, value: Any) -> Any:
        """Return a value as it is put into a spec.

        Raises
        ------
        InvalidInputError
            With the argument, the value, and what is allowed.
        """
        from jsonschema import Draft202012Validator  # noqa: PLC0415  # a second to import

        if not Draft202012Validator(_value_schema(self)).is_valid(value) or not _is_finite(value):
            raise self._refused(value)
        checks: dict[ArgumentType, Callable[[str], object]] = {
            ArgumentType.PATH: _check_path,
            ArgumentType.REPO: check_repo_name,
            ArgumentType.BRANCH: check_ref_name,
        }
        of = self.items if self.type is ArgumentType.LIST else self.type
        if of in checks:
            for one in value if self.type is ArgumentType.LIST else [value]:
                try:
                    checks[of](one)
                except InvalidInputError as error:
                    raise self._refused(value, error.message) from error
        # JSON Schema lets a pattern's end be before a last line break.
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise self._refused(value)
        if self.type is ArgumentType.INT:
            return int(value)
        return float(value) if self.type is ArgumentType.FLOAT else value

    def _refused(self, value: Any, why: str = "") -> InvalidInputError:
        more = f" ({why})" if why else ""
        return InvalidInputError(
            f"Argument {self.name!r} has the value {_shown(value)}, where {self.allowed()}"
            f" belongs{more}",
            kind=ErrorKind.INVALID_SPEC,
            argument=self.name,
            allowed=self.allowed(),
        )


@dataclass(frozen=True, slots=True)
class Use:
    """A place of the spec where an argument stands."""

    argument: str
    place: tuple[str | int, ...]
    is_whole: bool
    """Whether nothing else stands there, so that the value keeps its type."""


@dataclass(frozen=True, slots=True)
class TemplateText:
    """A template, parsed and checked."""

    name: str
    arguments: tuple[Argument, ...]
    spec: dict[str, Any]
    description: str = ""
    uses: tuple[Use, ...] = field(default=(), repr=False)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of all arguments together."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            **({"description": self.description} if self.description else {}),
            "type": "object",
            "additionalProperties": False,
            "required": [one.name for one in self.arguments if one.is_required],
            "properties": {one.name: one.schema() for one in self.arguments},
        }

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of every argument: what is given, or its default.

        Raises
        ------
        InvalidInputError
            One is unknown, missing, or not what it may be.
        """
        known = {one.name: one for one in self.arguments}
        for name in given:
            if name not in known:
                raise InvalidInputError(
                    f"Template {self.name!r} has no argument {name!r}",
                    kind=ErrorKind.INVALID_SPEC,
                    hint=f"It has {', '.join(known) or 'none'}",
                    argument=name,
                )
        values = {}
        for name, argument in known.items():
            if name not in given and argument.is_required:
                raise InvalidInputError(
                    f"Argument {name!r} of template {self.name!r} is missing",
                    kind=ErrorKind.INVALID_SPEC,
                    hint=f"Give {argument.allowed()}: {name}=…",
                    argument=name,
                    allowed=argument.allowed(),
                )
            values[name] = argument.check(given[name]) if name in given else argument.default
        return values

    def render(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the spec with values in place of the arguments; not checked as a spec.

        Errors are those of `values`.
        """
        return self.filled(self.values(given))

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the spec with what `values` returned; not checked as a spec."""
        rendered: dict[str, Any] = _filled(self.spec, values)
        return rendered


def parse_template(raw: Any) -> TemplateText:
    """Return the template that a document describes.

    Raises
    ------
    InvalidInputError
        With the place: a key or type that is unknown, a default that is not what the argument
        may be, a place that names no argument, an argument that stands nowhere, or free text
        where the spec is code.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    error = best_match(Draft202012Validator(TEMPLATE_SCHEMA).iter_errors(raw))
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "the template"
        raise _invalid(place, error.message)
    arguments = {
        name: _argument(name, declared) for name, declared in raw.get("arguments", {}).items()
    }
    try:
        uses = tuple(_uses(raw["spec"], ()))
    except RecursionError as deep:
        raise _invalid("spec", "is nested too deeply, or contains itself") from deep
    for use in uses:
        _check_use(use, arguments)
    for argument in arguments.values():
        _check_repo(argument, arguments)
    named = {use.argument for use in uses}
    named |= {_referred(one.repo) for one in arguments.values()}
    for name in arguments:
        if name not in named:
            raise _invalid(f"arguments.{name}", "stands nowhere in the spec")
    return TemplateText(
        raw["template"], tuple(arguments.values()), raw["spec"], raw.get("description", ""), uses
    )


def parse_template_use(raw: Any) -> TemplateUse | None:
    """Return which template a document names; None where it is no such document.

    One that only has a key ``template`` may be anybody's; it is ours if a YAML file stands there,
    or arguments beside it.

    Raises
    ------
    InvalidInputError
        It has keys that such a document does not have, or lacks one.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    if not isinstance(raw, dict) or "spec" in raw or not isinstance(raw.get("template"), str):
        return None
    if "arguments" not in raw and not raw["template"].endswith((".yaml", ".yml")):
        return None
    error = best_match(Draft202012Validator(TEMPLATE_USE_SCHEMA).iter_errors(raw))
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "what names a template"
        raise _invalid(place, error.message)
    return TemplateUse(raw["template"], raw.get("arguments", {}))


# --- arguments -----------------------------------------------------------------------------------

_SCHEMAS: dict[ArgumentType, dict[str, Any]] = {
    ArgumentType.INT: {"type": "integer"},
    ArgumentType.FLOAT: {"type": "number"},
    ArgumentType.BOOL: {"type": "boolean"},
    ArgumentType.STR: {"type": "string"},
    ArgumentType.PATH: {"type": "string", "minLength": 1, "format": "datalake-path"},
    ArgumentType.REPO: {
        "type": "string",
        "pattern": f"^(?:{REPO_PATTERN.pattern})$",
        "format": "datalake-repo",
    },
    ArgumentType.BRANCH: {
        "type": "string",
        "pattern": f"^(?:{REF_PATTERN.pattern})$",
        "format": "datalake-branch",
    },
}
_WORDS = {
    ArgumentType.INT: "a whole number",
    ArgumentType.FLOAT: "a number",
    ArgumentType.BOOL: "true or false",
    ArgumentType.STR: "a text",
    ArgumentType.PATH: "a relative path without '..'",
    ArgumentType.REPO: "the name of a repo",
    ArgumentType.BRANCH: "the name of a branch",
}
_FITTING = {
    "choices": {ArgumentType.CHOICE},
    "items": {ArgumentType.LIST},
    "minimum": {ArgumentType.INT, ArgumentType.FLOAT},
    "maximum": {ArgumentType.INT, ArgumentType.FLOAT},
    "pattern": {ArgumentType.STR},
    "repo": {ArgumentType.BRANCH},
}
"""Which keys say something of which types."""


def _value_schema(argument: Argument) -> dict[str, Any]:
    match argument.type:
        case ArgumentType.CHOICE:
            return {"enum": list(argument.choices)}
        case ArgumentType.LIST:
            return {"type": "array", "items": _SCHEMAS[argument.items]}
    found = dict(_SCHEMAS[argument.type])
    if argument.minimum is not None:
        found["minimum"] = argument.minimum
    if argument.maximum is not None:
        found["maximum"] = argument.maximum
    if argument.pattern:
        found["pattern"] = f"^(?:{argument.pattern})$"
    return found


def _argument(name: str, raw: dict[str, Any]) -> Argument:
    kind, place = ArgumentType(raw["type"]), f"arguments.{name}"
    for key, types in _FITTING.items():
        if key in raw and kind not in types:
            raise _invalid(f"{place}.{key}", f"says nothing of an argument of type {kind}")
    if kind is ArgumentType.CHOICE and "choices" not in raw:
        raise _invalid(place, "is a choice, and lacks 'choices'")
    if "pattern" in raw:
        try:
            re.compile(raw["pattern"])
        except re.error as error:
            raise _invalid(f"{place}.pattern", f"is no regular expression: {error}") from error
    is_required = raw.get("required", "default" not in raw)
    if is_required == ("default" in raw):
        why = "has a default, and is required" if is_required else "is not required: give a default"
        raise _invalid(place, why)
    argument = Argument(
        name=name,
        type=kind,
        description=raw.get("description", ""),
        is_required=is_required,
        choices=tuple(raw.get("choices", ())),
        items=ArgumentType(raw.get("items", "str")),
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        pattern=raw.get("pattern", ""),
        repo=raw.get("repo", ""),
    )
    return argument if is_required else replace(argument, default=argument.check(raw["default"]))


def _parse(kind: ArgumentType, items: ArgumentType, choices: tuple[Any, ...], text: str) -> Any:
    match kind:
        case ArgumentType.INT:
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else text
        case ArgumentType.FLOAT:
            return _number(text)
        case ArgumentType.BOOL:
            return {"true": True, "false": False}.get(text.lower(), text)
        case ArgumentType.CHOICE:
            return next((one for one in choices if _as_text(one) == text), text)
        case ArgumentType.LIST:
            if text.startswith("["):
                return _json(text)
            parts = text.split(",") if text else []
            return [_parse(items, items, (), one.strip()) for one in parts]
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> Any:
    try:
        return float(text) if text.isascii() and "_" not in text else text
    except ValueError:
        return text


def _is_finite(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(not isinstance(one, float) or isfinite(one) for one in values)


def _check_path(value: str) -> None:
    if value.startswith("/"):
        raise InvalidInputError("it begins with a slash", kind=ErrorKind.INVALID_PATH)
    if "\n" in value:
        raise InvalidInputError("it holds a line break", kind=ErrorKind.INVALID_PATH)
    parse_path(value)


# --- places --------------------------------------------------------------------------------------


def _uses(value: Any, place: tuple[str | int, ...]) -> Iterator[Use]:
    """Yield where arguments stand; keys hold none."""
    match value:
        case str():
            tokens = [one for one in _TOKEN.finditer(value) if one[0] != _ESCAPED]
            for token in tokens:
                name = None if token[1] is None else _REFERENCE.fullmatch(token[1])
                if name is None:
                    raise _invalid(
                        _shown_place(place),
                        f"holds {_shown(token[0])}; write ${{{{ arguments.name }}}}, or $${{{{ for"
                        " the letters themselves",
                    )
                yield Use(name[1], place, token[0] == value)
        case dict():
            for key, one in value.items():
                if "${{" in str(key):
                    raise _invalid(_shown_place(place), f"has the key {_shown(key)}; only values")
                yield from _uses(one, (*place, key))
        case list():
            for index, one in enumerate(value):
                yield from _uses(one, (*place, index))


def _check_use(use: Use, arguments: Mapping[str, Argument]) -> None:
    place = _shown_place(use.place)
    argument = arguments.get(use.argument)
    if argument is None:
        known = ", ".join(arguments) or "none"
        raise _invalid(place, f"names the argument {use.argument!r}; declared are {known}")
    if argument.type is ArgumentType.LIST and not use.is_whole:
        raise _invalid(place, f"has the list {use.argument!r} within a text")
    if _is_code(use.place) and argument.type in _FREE:
        raise _invalid(
            place,
            f"is code, in which the text of argument {use.argument!r} could say anything: hand it"
            f" over in parameters, where a program finds it as $PARAM_{use.argument}",
        )
    if "query" in use.place and argument.type in {ArgumentType.REPO, ArgumentType.BRANCH}:
        raise _invalid(place, f"is a query, in which {use.argument!r} would be no value but a name")


def _is_code(place: tuple[str | int, ...]) -> bool:
    """Tell whether what stands at a place of a spec is run by something."""
    top = place[0]
    if top == "parameters":
        return False  # whatever its parameters are called
    is_function = top == "expectations" and "python" in place
    return is_function or top not in _FREE_BELOW or not _CODE.isdisjoint(place)


def _check_repo(argument: Argument, arguments: Mapping[str, Argument]) -> None:
    name = _referred(argument.repo)
    if name and (name not in arguments or arguments[name].type is not ArgumentType.REPO):
        raise _invalid(f"arguments.{argument.name}.repo", f"names {name!r}, which is no repo")


def _referred(repo: str) -> str:
    """Return the argument that a branch's repo is taken from, or nothing."""
    token = _TOKEN.match(repo)
    if token is None or token[0] != repo or token[1] is None:
        return ""
    name = _REFERENCE.fullmatch(token[1])
    return "" if name is None else name[1]


def repo_of(argument: Argument, values: Mapping[str, Any]) -> str:
    """Return the repo whose branch an argument names, or nothing if the template does not say."""
    name = _referred(argument.repo)
    return str(values[name]) if name else argument.repo


def _filled(value: Any, values: Mapping[str, Any], place: tuple[str | int, ...] = ()) -> Any:
    match value:
        case str():
            is_argv = not _ARGV.isdisjoint(place) and place[0] != "parameters"
            return _filled_text(value, values, as_text=is_argv)
        case dict():
            return {key: _filled(one, values, (*place, key)) for key, one in value.items()}
        case list():
            return [_filled(one, values, (*place, index)) for index, one in enumerate(value)]
    return value


def _filled_text(text: str, values: Mapping[str, Any], *, as_text: bool) -> Any:
    whole = _TOKEN.match(text)
    if whole is not None and whole[0] == text and whole[1] is not None and not as_text:
        return values[_name_in(whole)]
    return _TOKEN.sub(
        lambda token: "${{" if token[0] == _ESCAPED else _as_text(values[_name_in(token)]), text
    )


def _name_in(token: re.Match[str]) -> str:
    found = _REFERENCE.fullmatch(token[1])
    assert found is not None, "a template is checked before it is filled"
    return found[1]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown_place(place: tuple[str | int, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "spec" + "".join(parts)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _invalid(place: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Pipeline template: {place} {why}",
        kind=ErrorKind.INVALID_SPEC,
        hint="See docs/templates.md",
        place=place,
    )
