"""The REST contract: loading `openapi.yaml`, and checking requests and responses against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from jupyter_datalake.errors import ErrorKind, InvalidInputError

_DOCUMENT = "openapi.yaml"
_METHODS = ("get", "put", "post", "patch", "delete")
_BASE = "urn:datalake-openapi"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    place: str
    """``path``, ``query`` or ``header``."""
    required: bool
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract."""

    id: str
    path: str
    method: str
    parameters: tuple[Parameter, ...]
    body: dict[str, Any] | None
    """Schema of a JSON body; None without one."""
    body_is_required: bool
    responses: dict[str, Any]


class Contract:
    """The operations of `openapi.yaml`, with validators for what they take and give."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._registry: Registry[Any] = Registry().with_resource(
            _BASE, Resource.from_contents(document, default_specification=DRAFT202012)
        )
        self.operations = {
            operation.id: operation
            for path, item in document["paths"].items()
            for operation in self._operations(path, item)
        }

    def _operations(self, path: str, item: dict[str, Any]) -> list[Operation]:
        shared = [self._resolved(one) for one in item.get("parameters", [])]
        found = []
        for method in _METHODS:
            if method not in item:
                continue
            raw = item[method]
            own = [self._resolved(one) for one in raw.get("parameters", [])]
            body = self._resolved(raw.get("requestBody", {}))
            content = body.get("content", {}).get("application/json")
            found.append(
                Operation(
                    id=raw["operationId"],
                    path=path,
                    method=method,
                    parameters=tuple(
                        Parameter(one["name"], one["in"], one.get("required", False), one["schema"])
                        for one in [*shared, *own]
                    ),
                    body=None if content is None else content["schema"],
                    body_is_required=body.get("required", False),
                    responses=raw["responses"],
                )
            )
        return found

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference points to, or the value itself."""
        while "$ref" in value:
            target: Any = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """Return a validator for a schema of the document, references included."""
        return Draft202012Validator(_anchored(schema), registry=self._registry)

    def operation(self, path: str, method: str) -> Operation | None:
        """Return the operation of a path template and method, or None."""
        for operation in self.operations.values():
            if (operation.path, operation.method) == (path, method.lower()):
                return operation
        return None

    def parameters(
        self, operation: Operation, path: dict[str, str], query: dict[str, list[bytes]]
    ) -> dict[str, Any]:
        """Return an operation's path and query parameters by name, converted and checked.

        Raises
        ------
        InvalidInputError
            One is unknown, missing, repeated or breaks its schema; the message names it.
        """
        known = {one.name for one in operation.parameters if one.place == "query"}
        unknown = sorted(set(query) - known - {"token"})
        if unknown:
            raise _invalid(f"The query parameter {unknown[0]!r} is unknown", unknown[0])
        values: dict[str, Any] = {}
        for one in operation.parameters:
            if one.place == "header":
                continue
            raw = path.get(one.name) if one.place == "path" else _single(one.name, query)
            schema = self._resolved(one.schema)
            if raw is None:
                if one.required:
                    raise _invalid(f"The parameter {one.name!r} is missing", one.name)
                values[one.name] = schema.get("default")
                continue
            values[one.name] = self._converted(one.name, raw, schema)
        return values

    def _converted(self, name: str, raw: str, schema: dict[str, Any]) -> Any:
        value: Any = raw
        if schema.get("type") == "integer":
            value = int(raw) if re.fullmatch(r"-?[0-9]{1,18}", raw) else raw
        elif schema.get("type") == "boolean":
            value = {"true": True, "false": False, "1": True, "0": False}.get(raw, raw)
        error = best_match(self.validator(schema).iter_errors(value))
        if error is not None:
            raise _invalid(f"The parameter {name!r} is wrong: {_short(error.message)}", name)
        return value

    def check_body(self, operation: Operation, body: Any) -> dict[str, Any]:
        """Return a JSON body with the defaults of its schema filled in.

        Raises
        ------
        InvalidInputError
            It breaks the schema; the message names the field.
        """
        assert operation.body is not None
        error = best_match(self.validator(operation.body).iter_errors(body))
        if error is not None:
            place = ".".join(str(part) for part in error.absolute_path) or "the body"
            raise _invalid(f"The request is wrong at {place}: {_short(error.message)}", place)
        defaults = {
            name: schema["default"]
            for name, schema in operation.body.get("properties", {}).items()
            if "default" in schema
        }
        return {**defaults, **body}

    def response_schema(self, operation: Operation, status: int) -> dict[str, Any] | None:
        """Return the schema of an operation's JSON answer; None where it has no JSON."""
        raw = operation.responses.get(str(status)) or operation.responses["default"]
        content = self._resolved(raw).get("content", {}).get("application/json")
        return None if content is None else content["schema"]


@cache
def load_contract() -> Contract:
    """Return the contract of this version, parsed once."""
    text = resources.files("jupyter_datalake.server").joinpath(_DOCUMENT).read_text("utf-8")
    return Contract(yaml.safe_load(text))


def route_of(path: str) -> str:
    """Return the regular expression of a path template; Tornado decodes what they match."""
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


def _single(name: str, query: dict[str, list[bytes]]) -> str | None:
    values = query.get(name, [])
    if len(values) > 1:
        raise _invalid(f"The parameter {name!r} is given {len(values)} times", name)
    return values[0].decode("utf-8", "surrogateescape") if values else None


def _anchored(value: Any) -> Any:
    """Return a schema whose references name the document they are in."""
    if isinstance(value, dict):
        return {
            key: f"{_BASE}{one}" if key == "$ref" and isinstance(one, str) else _anchored(one)
            for key, one in value.items()
        }
    return [_anchored(one) for one in value] if isinstance(value, list) else value


def _short(message: str) -> str:
    return message if len(message) <= 300 else message[:297] + "…"


def _invalid(message: str, field: str) -> InvalidInputError:
    return InvalidInputError(
        message,
        kind=ErrorKind.INVALID_REQUEST,
        hint="See docs/reference/rest.md",
        field=field,
    )
