"""Values as JSON: one form for the command line, REST and the log."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any


def as_json(value: Any) -> Any:
    """Return the JSON form of a value of this package.

    Dataclasses become objects with their fields and public properties; times become ISO 8601 in
    UTC (one without a zone is taken as UTC); digests become hex; enums their values; tuples and
    sets lists.
    """
    match value:
        case None | bool() | int() | float():
            return value.value if isinstance(value, Enum) else value
        case Enum():
            return value.value
        case str():
            return value
        case bytes():
            return value.hex()
        case datetime():
            aware = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            return aware.isoformat().replace("+00:00", "Z")
        case dict():
            return {str(as_json(key)): as_json(one) for key, one in value.items()}
        case list() | tuple():
            return [as_json(one) for one in value]
        case set() | frozenset():
            return sorted(as_json(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        raw = {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
        for name, member in vars(type(value)).items():
            if isinstance(member, property) and not name.startswith("_"):
                raw[name] = as_json(getattr(value, name))
        return raw
    raise TypeError(f"{type(value).__name__} has no JSON form")
