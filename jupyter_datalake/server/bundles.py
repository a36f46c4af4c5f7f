"""Many small files in one request: an index as a line of JSON, then their bytes, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from jupyter_datalake.errors import ErrorKind, InvalidInputError

MAX_INDEX_BYTES = 4 * 1024 * 1024
MAX_FILE_BYTES = 16 * 1024 * 1024
"""What is larger is sent by itself, in parts: here each file is held in memory for a moment."""


def read_bundle(bundle: BinaryIO) -> Iterator[tuple[str, bytes | None]]:
    """Return paths with their contents, None for a folder; nothing of a bundle that is not whole.

    Raises
    ------
    InvalidInputError
        The index is none, or there are not as many bytes as it says.
    """
    index = bundle.readline(MAX_INDEX_BYTES)
    try:
        entries = [_entry(one) for one in json.loads(index)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _invalid(
            "does not begin with a line of JSON that lists path and size of each file"
        ) from error
    begin = bundle.tell()
    there = bundle.seek(0, 2) - begin
    bundle.seek(begin)
    said = sum(size or 0 for _, size in entries)
    if said != there:
        raise _invalid(f"has {there} bytes of files, and its index says {said}")
    return ((path, None if size is None else bundle.read(size)) for path, size in entries)


def _entry(raw: Any) -> tuple[str, int | None]:
    path, size = raw["path"], raw["size"]
    is_size = size is None or (type(size) is int and 0 <= size <= MAX_FILE_BYTES)
    if not isinstance(path, str) or not is_size:
        raise ValueError(raw)
    return path, size


def _invalid(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"The bundle of files {why}",
        kind=ErrorKind.INVALID_REQUEST,
        hint="docs/reference/rest.md says what it holds",
    )
