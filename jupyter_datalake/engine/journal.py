"""The journal of a session: an append-only file of small records that survives a kill.

Each record is framed by its length and checksum. After each sync a record says how far the journal
is durable, so that damage can be told from what a power cut leaves: it may keep any of the pages
that were not synced, also later ones without earlier ones. What was not synced is dropped from the
first gap on; damage in what was synced is an error, because the records behind it would be
replayed onto the wrong state.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack

from jupyter_datalake.disk_trust import DiskTrust
from jupyter_datalake.errors import CorruptDataError, ErrorKind, StorageError

JOURNAL_MAGIC = b"JDLJRNL\x01"
_SYNCED = "synced"
"""Kind of the records ``["synced", end]`` that this module adds and keeps to itself."""
_FRAME = struct.Struct("<II")
_MAX_RECORD = 16 * 1024 * 1024


class Journal:
    """One journal file, open for appending. For one thread at a time.

    Parameters
    ----------
    disk
        Shared with whatever else writes to the same disk: where one write failed, none is tried
        any more (`ErrorKind.STORAGE_FAILED`).
    """

    def __init__(self, path: Path, disk: DiskTrust | None = None) -> None:
        self._path = path
        self._disk = disk or DiskTrust()
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  # closed by `close`
        self._end = self._file.tell()
        self._is_torn = False
        """Whether half a record may stand behind the end."""
        self._durable_end = -1
        """Where the last sync ended; -1 when it is not known."""
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
        self._disk.check()
        try:
            if self._is_torn:
                self._cut_off()
            with self._disk.writing(str(self._path)):
                written = self._file.write(data)
            if written != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            # Half a record in front of the next ones would cut those off when it is replayed. Where
            # not even that can be undone, it is tried again before anything else is written.
            self._is_torn = True
            with suppress(OSError):
                self._cut_off()
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

    def _cut_off(self) -> None:
        os.ftruncate(self._file.fileno(), self._end)
        self._is_torn = False

    def sync(self) -> None:
        """Make everything appended survive the loss of power.

        Raises
        ------
        StorageError
            It may not. Trying again would be believed by the system, and need not be so: nothing
            is written any more until the lake is opened again (``storage-failed``).
        """
        if self._durable_end == self._end:
            return
        with self._disk.writing(str(self._path)):
            os.fsync(self._file.fileno())
        # Without this record, on a full disk, damage would pass for what a power cut left.
        with suppress(StorageError):
            self.append([_SYNCED, self._end])
        self._durable_end = self._end

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()


def read_journal(path: Path) -> Iterator[list[Any]]:
    """Yield the records of a journal and cut off what a kill or a power cut spoilt of its end.

    Raises
    ------
    CorruptDataError
        A part that had been synced is damaged, or it is no journal of this version.
    """
    if not path.exists():
        return
    data = path.read_bytes()
    begin = len(JOURNAL_MAGIC)
    if data[:begin] != JOURNAL_MAGIC:
        if not _is_torn_magic(data):
            raise _corrupt(path, 0)
        _cut(path, 0)
        return
    records, position = _records(data, begin)
    if records and records[-1][0] != _SYNCED:
        durable_end = max((record[1] for record in records if record[0] == _SYNCED), default=begin)
        _write_again(path, data, durable_end, position)
    for record in records:
        if record[0] != _SYNCED:
            yield record
    if position < len(data):
        if any(record[0] == _SYNCED and record[1] > position for record in _behind(data, position)):
            raise _corrupt(path, position)
        _cut(path, position)


def _write_again(path: Path, data: bytes, begin: int, end: int) -> None:
    """Give the system once more what nobody has seen synced.

    A sync that failed leaves pages in memory that are taken for written: the next sync, by whoever
    opened the journal anew, would not write them.
    """
    with open(path, "r+b") as file:
        file.seek(begin)
        file.write(data[begin:end])


def _cut(path: Path, end: int) -> None:
    with open(path, "r+b") as file:
        file.truncate(end)
        os.fsync(file.fileno())


def _is_torn_magic(data: bytes) -> bool:
    """Tell whether the first bytes were still being written: right ones, then zeros, no record."""
    begin = len(JOURNAL_MAGIC)
    right = data[:begin].rstrip(b"\0")
    return JOURNAL_MAGIC.startswith(right) and _record_end(data, begin) is None


def _records(data: bytes, position: int) -> tuple[list[list[Any]], int]:
    """Return the intact records from a position on, and where they end."""
    records = []
    while position < len(data):
        end = _record_end(data, position)
        if end is None:
            break
        body = data[position + _FRAME.size : end]
        records.append(msgpack.unpackb(body, raw=False, unicode_errors="surrogateescape"))
        position = end
    return records, position


def _record_end(data: bytes, position: int) -> int | None:
    """Return where the record at `position` ends, or None if it is cut short or damaged."""
    if position + _FRAME.size > len(data):
        return None
    length, checksum = _FRAME.unpack_from(data, position)
    end = position + _FRAME.size + length
    if not 0 < length <= _MAX_RECORD or end > len(data):
        return None  # a power cut may leave zeros, which would pass for an empty record
    return end if zlib.crc32(data[position + _FRAME.size : end]) == checksum else None


def _behind(data: bytes, position: int) -> Iterator[list[Any]]:
    """Yield the intact records behind a damaged one, wherever they begin.

    The length of the damaged one cannot be trusted, so every position is tried. Almost all of
    them are refused by the length that would stand there.
    """
    position += 1
    while position + _FRAME.size < len(data):
        records, end = _records(data, position)
        yield from records
        position = max(end, position + 1)


def _corrupt(path: Path, position: int) -> CorruptDataError:
    return CorruptDataError(
        f"The session journal {path} is damaged at byte {position}",
        kind=ErrorKind.CORRUPT_JOURNAL,
        hint="The staged files are in the 'data' folder beside it; copy what you need, then"
        " discard the session",
        journal=str(path),
        position=position,
    )
