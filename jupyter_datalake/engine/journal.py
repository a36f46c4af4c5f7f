"""The journal of a session: an append-only file of small records that survives a kill.

Each record is framed by its length and checksum. What a kill or a power cut left half-written at
the end is dropped when the journal is opened; damage in the middle is an error, because the
records behind it would be replayed onto the wrong state.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack

from jupyter_datalake.errors import CorruptDataError, ErrorKind, StorageError

JOURNAL_MAGIC = b"JDLJRNL\x01"
_FRAME = struct.Struct("<II")
_MAX_RECORD = 16 * 1024 * 1024


class Journal:
    """One journal file, open for appending. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  # closed by `close`
        self._end = self._file.tell()
        if self._end == 0:
            try:
                self._write(JOURNAL_MAGIC)
            except BaseException:
                self.close()
                raise

    def append(self, record: list[Any]) -> None:
        """Add a record. It survives the death of the process at once, a power cut after `sync`.

        Raises
        ------
        StorageError
            The disk is full, or fails; the journal is as it was before.
        """
        body = msgpack.packb(record, use_bin_type=True, unicode_errors="surrogateescape")
        # One write call, so a kill cannot come between frame and body of records that follow.
        self._write(_FRAME.pack(len(body), zlib.crc32(body)) + body)

    def _write(self, data: bytes) -> None:
        try:
            written = self._file.write(data)
            if written != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            # Half a record in front of the next ones would cut those off when it is replayed.
            os.ftruncate(self._file.fileno(), self._end)
            is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise StorageError(
                f"The session journal {self._path} cannot be written: {error.strerror}",
                kind=ErrorKind.STORAGE_FULL if is_full else ErrorKind.STORAGE_UNAVAILABLE,
                hint="Free some space and try again; what was staged is still there"
                if is_full
                else None,
                journal=str(self._path),
            ) from error
        self._end += len(data)

    def sync(self) -> None:
        """Make everything appended survive the loss of power."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()


def read_journal(path: Path) -> Iterator[list[Any]]:
    """Yield the records of a journal and cut off what was half-written at its end.

    Raises
    ------
    CorruptDataError
        A record that has others behind it is damaged.
    """
    if not path.exists():
        return
    data = path.read_bytes()
    if data[: len(JOURNAL_MAGIC)] != JOURNAL_MAGIC[: len(data)]:
        raise _corrupt(path, 0)
    position = min(len(JOURNAL_MAGIC), len(data))
    while position < len(data):
        end = _record_end(data, position)
        if end is None:
            break
        yield msgpack.unpackb(
            data[position + _FRAME.size : end], raw=False, unicode_errors="surrogateescape"
        )
        position = end
    if position < len(data):
        if _is_followed(data, position):
            raise _corrupt(path, position)
        with open(path, "r+b") as file:
            file.truncate(position)
            os.fsync(file.fileno())


def _record_end(data: bytes, position: int) -> int | None:
    """Return where the record at `position` ends, or None if it is cut short or damaged."""
    if position + _FRAME.size > len(data):
        return None
    length, checksum = _FRAME.unpack_from(data, position)
    end = position + _FRAME.size + length
    if not 0 < length <= _MAX_RECORD or end > len(data):
        return None  # a power cut may leave zeros, which would pass for an empty record
    return end if zlib.crc32(data[position + _FRAME.size : end]) == checksum else None


def _is_followed(data: bytes, position: int) -> bool:
    """Tell whether an intact record stands behind the damaged one at `position`.

    A torn tail is short, so only a damaged length or body in the middle has intact records
    behind it; its own length leads to the next one unless the length is what was damaged.
    """
    if position + _FRAME.size > len(data):
        return False
    length, _ = _FRAME.unpack_from(data, position)
    following = position + _FRAME.size + length
    return following < len(data) and _record_end(data, following) is not None


def _corrupt(path: Path, position: int) -> CorruptDataError:
    return CorruptDataError(
        f"The session journal {path} is damaged at byte {position}",
        kind=ErrorKind.CORRUPT_JOURNAL,
        hint="The staged files are in the 'data' folder beside it; copy what you need, then"
        " discard the session",
        journal=str(path),
        position=position,
    )
