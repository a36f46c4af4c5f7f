"""Canonical bytes: one value, one spelling, so that equal values have equal digests.

Stored objects are msgpack with the format's fixed arrays (docs/format.md). Maps appear only for
user metadata and are written with sorted keys.
"""

from __future__ import annotations

from typing import Any

import msgpack

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError

FORMAT_VERSION = 1
"""Version of everything below `objects/`; a lake records the one it was made with."""


def pack_canonical(value: Any) -> bytes:
    """Return the canonical msgpack bytes of arrays, bytes, str, ints, floats, bools, None, maps.

    Raises
    ------
    InvalidInputError
        Something in the value has no such bytes: a number beyond 64 bits, text that is not
        Unicode, a date, a map whose keys are not all text.
    """
    try:
        packed: bytes = msgpack.packb(_sorted(value), use_bin_type=True, strict_types=True)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInputError(
            f"A value cannot be stored: {error}",
            hint="Use text, numbers of at most 64 bits, booleans, lists, and maps by text",
        ) from error
    return packed


def pack_flat(value: list[Any]) -> bytes:
    """Return the canonical bytes of arrays, bytes and ints: without maps nothing is to be sorted.

    What holds anything else goes through `pack_canonical`, which is several times slower.
    """
    packed: bytes = msgpack.packb(value, use_bin_type=True, strict_types=True)
    return packed


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"the keys of {value!r:.60} are not all text")
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def unpack_canonical(data: bytes | memoryview, what: str) -> Any:
    """Return the value of canonical bytes; `what` names the object in the error.

    Raises
    ------
    CorruptDataError
        The bytes are not one msgpack value.
    """
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=False, use_list=True)
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise CorruptDataError(
            f"{what} cannot be decoded",
            kind=ErrorKind.CORRUPT_OBJECT,
            hint="Run 'datalake maintenance verify' to see what else is damaged",
            object=what,
        ) from error
