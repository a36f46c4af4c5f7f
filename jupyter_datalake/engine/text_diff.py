"""Text diffs of stored files: only what can differ is read, and never more than a limit.

Chunks that two files begin or end with together are not compared. The lines before the first
difference are counted, which reads them once; the end is not read at all.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Protocol

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.chunklists import ChunkSpan
from jupyter_datalake.model.text_diffs import (
    CONTEXT_LINES,
    Hunk,
    Newline,
    TextDiff,
    diff_lines,
    hunks_of,
    newline_of,
    split_lines,
)

DEFAULT_LIMIT_BYTES = 8 * 1024 * 1024
"""Most bytes between the first and the last difference, of each file."""

_HEAD_BYTES = 8192
_BLOCK_BYTES = 1 << 18
_BINARY = "binary"
_UNKNOWN = "unknown-8bit"


class Readable(Protocol):
    """A file's bytes, by range."""

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from `start`, at most `length`, fewer only at the end."""
        ...

    def iter_spans(self) -> Iterator[ChunkSpan]:
        """Yield which chunks the file is made of, if that is known."""
        ...


class OpenFile:
    """A seekable file as a `Readable` whose chunks are not known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = file.seek(0, os.SEEK_END)

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from `start`, at most `length`."""
        self._file.seek(start)
        return self._file.read(length)

    def iter_spans(self) -> Iterator[ChunkSpan]:
        """Yield nothing."""
        return iter(())


class Nothing:
    """A file that is not there, as an empty one."""

    size_bytes = 0

    def read(self, start: int, length: int) -> bytes:  # of a protocol
        """Return nothing."""
        return b""

    def iter_spans(self) -> Iterator[ChunkSpan]:
        """Yield nothing."""
        return iter(())


def diff_texts(
    old: Readable,
    new: Readable,
    *,
    offset: int = 0,
    limit: int | None = None,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
) -> TextDiff:
    """Return how two files differ as texts.

    Parameters
    ----------
    offset, limit
        Which hunks are wanted.
    limit_bytes
        Most bytes of each file that are compared by line.

    Raises
    ------
    InvalidInputError
        More bytes than that lie between the first and the last difference.
    """
    encodings = _encoding_of(old), _encoding_of(new)
    begin, end = _equal_ends(old, new)
    if (begin, begin) == (old.size_bytes, new.size_bytes):
        return _answer(encodings, ([], []), [], offset, limit, is_equal=True)
    if _BINARY in encodings:
        return _answer(encodings, ([], []), [], offset, limit)
    if encodings[0] != encodings[1] or encodings[0] == "utf-16":
        # Their bytes say nothing about equal lines: both are compared from end to end.
        parts = _whole(old, encodings[0], limit_bytes), _whole(new, encodings[1], limit_bytes)
        skipped = 0
        decoded = ("utf-8", "utf-8")
    else:
        begin, end = _with_context(old, new, begin, end)
        parts = _middle(old, begin, end, limit_bytes), _middle(new, begin, end, limit_bytes)
        skipped = _count_lines(old, begin)
        encodings, decoded = _seen_again(encodings, parts), ("utf-8", "utf-8")
        if _BINARY in encodings:
            return _answer(encodings, ([], []), [], offset, limit)
        if begin == 0 and encodings[0] == "utf-8-sig":
            bom = len(codecs.BOM_UTF8)
            parts = parts[0][bom:], parts[1][bom:]
    lines = split_lines(parts[0]), split_lines(parts[1])
    blocks = diff_lines(*lines)
    hunks = list(hunks_of(*lines, blocks, encoding=decoded, skipped=skipped))
    added = sum(j2 - j1 for _, _, j1, j2 in blocks)
    removed = sum(i2 - i1 for i1, i2, _, _ in blocks)
    return _answer(encodings, lines, hunks, offset, limit, added=added, removed=removed)


def _answer(
    encodings: tuple[str, str],
    lines: tuple[Sequence[bytes], Sequence[bytes]],
    hunks: Sequence[Hunk],
    offset: int,
    limit: int | None,
    *,
    is_equal: bool = False,
    added: int = 0,
    removed: int = 0,
) -> TextDiff:
    end = None if limit is None else offset + limit
    return TextDiff(
        is_equal=is_equal,
        is_binary=_BINARY in encodings,
        old_encoding=encodings[0],
        new_encoding=encodings[1],
        old_newline=newline_of(lines[0]) if lines[0] else Newline.NONE,
        new_newline=newline_of(lines[1]) if lines[1] else Newline.NONE,
        added=added,
        removed=removed,
        hunks=tuple(islice(hunks, offset, end)),
        has_more=end is not None and len(hunks) > end,
    )


# --- what can differ -----------------------------------------------------------------------------


def _equal_ends(old: Readable, new: Readable) -> tuple[int, int]:
    """Return how many bytes two files surely begin and end with together."""
    spans = list(old.iter_spans()), list(new.iter_spans())
    if not all(spans):
        return _equal_blocks(old, new)
    begin = 0
    for one, other in zip(*spans, strict=False):
        if (one.digest, one.size_bytes) != (other.digest, other.size_bytes):
            break
        begin += one.size_bytes
    room = min(old.size_bytes, new.size_bytes) - begin
    end = 0
    for one, other in zip(reversed(spans[0]), reversed(spans[1]), strict=False):
        if one.digest != other.digest or end + one.size_bytes > room:
            break
        end += one.size_bytes
    return begin, end


def _equal_blocks(old: Readable, new: Readable) -> tuple[int, int]:
    least = min(old.size_bytes, new.size_bytes)
    begin = 0
    while begin < least:
        size = min(_BLOCK_BYTES, least - begin)
        if old.read(begin, size) != new.read(begin, size):
            break
        begin += size
    end = 0
    while end < least - begin:
        size = min(_BLOCK_BYTES, least - begin - end)
        place = end + size
        if old.read(old.size_bytes - place, size) != new.read(new.size_bytes - place, size):
            break
        end += size
    return begin, end


def _with_context(old: Readable, new: Readable, begin: int, end: int) -> tuple[int, int]:
    """Return equal ends made smaller by some whole lines, which are shown around the change."""
    wanted = CONTEXT_LINES + 1
    while begin and wanted:
        size = min(_BLOCK_BYTES, begin)
        block = old.read(begin - size, size)
        place = size
        while wanted and (place := block.rfind(b"\n", 0, place)) >= 0:
            wanted -= 1
        begin += place + 1 - size if not wanted else -size
    wanted = CONTEXT_LINES + 1
    while end and wanted:
        size = min(_BLOCK_BYTES, end)
        block = new.read(new.size_bytes - end, size)
        place = 0
        while wanted and (place := block.find(b"\n", place) + 1):
            wanted -= 1
        end -= place if not wanted else size
    return begin, end


def _middle(file: Readable, begin: int, end: int, limit_bytes: int) -> bytes:
    size = file.size_bytes - begin - end
    _check_size(size, limit_bytes)
    return file.read(begin, size)


def _whole(file: Readable, encoding: str, limit_bytes: int) -> bytes:
    _check_size(file.size_bytes, limit_bytes)
    data = file.read(0, file.size_bytes)
    if encoding == _UNKNOWN:
        return data
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    return data.decode(encoding, errors).encode("utf-8", "surrogateescape")


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise InvalidInputError(
            f"The files differ over {size_bytes} bytes; {limit_bytes} are compared by line",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Compare tables by row, or read both files and compare them your way",
        )


def _count_lines(file: Readable, end: int) -> int:
    return sum(
        file.read(start, min(_BLOCK_BYTES, end - start)).count(b"\n")
        for start in range(0, end, _BLOCK_BYTES)
    )


# --- encodings -----------------------------------------------------------------------------------


def _encoding_of(file: Readable) -> str:
    """Return the encoding of a file, by how it begins."""
    head = file.read(0, _HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        return _BINARY
    is_cut = file.size_bytes > len(head)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=not is_cut)
    except UnicodeDecodeError:
        return _UNKNOWN
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


def _seen_again(encodings: tuple[str, str], parts: tuple[bytes, bytes]) -> tuple[str, str]:
    """Return what the encodings are when all that is compared was looked at."""
    old, new = (_corrected(*one) for one in zip(encodings, parts, strict=True))
    return old, new


def _corrected(encoding: str, part: bytes) -> str:
    if b"\0" in part:
        return _BINARY
    try:
        part.decode("utf-8")
    except UnicodeDecodeError:
        return _UNKNOWN
    return encoding
