"""Which files of a checkout are known to hold what the commit says: a record beside the lake.

It lies in the order in which the folder is walked, and is read in step with that; what is found
out on the way is noted, in the same order, and merged into a new record at the end. So neither is
ever in memory. Where the record is missing or ends early, files are read that need not be, and no
change is lost.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import msgpack

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.side_by_side import side_by_side

_VERSION = 2
_FIRST_VERSION = 0x82
"""First byte of records that were one map, of the commit and of all files in no order."""

_SETTLED_NS = 50_000_000
"""Clocks of file systems tick every few milliseconds: a file changed again within one tick looks
the same to stat(2). One whose change is not older than this is read rather than believed."""

_IN_MEMORY_BYTES = 1 << 20

Fingerprint = tuple[int, ...]
"""What changes with a file; nothing, of one that is not known to be clean any more."""

Row = tuple[bytes, Fingerprint]
"""Manifest key and fingerprint."""


def fingerprint_of(status: os.stat_result) -> Fingerprint:
    """Return what changes with a file: size, times, inode."""
    return (status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)


class Known:
    """Rows that are asked for in their order, each a moment."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    def has(self, key: bytes, status: os.stat_result) -> bool:
        """Tell whether a file is what it was; keys are to come in order."""
        while self._next is not None and self._next[0] < key:
            self._next = next(self._rows, None)
        return self._next is not None and self._next == (key, fingerprint_of(status))


class Notes:
    """What is found out about files, in the order of keys; in a file when that is much.

    Parameters
    ----------
    folder
        Where that file is; it has no name, so a kill leaves nothing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # closed on exit
            max_size=_IN_MEMORY_BYTES, dir=str(folder)
        )
        self._pack = msgpack.Packer().pack
        self.has_clean = False
        """Whether some of them are clean."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, key: bytes, status: os.stat_result, read_ns: int) -> bool:
        """Note a file that holds what the commit says; tell whether its times can be relied on.

        Parameters
        ----------
        read_ns
            When somebody began to look at it to find that out.
        """
        if read_ns - status.st_ctime_ns <= _SETTLED_NS or not stat.S_ISREG(status.st_mode):
            return False
        self._file.write(self._pack([key, *fingerprint_of(status)]))
        self.has_clean = True
        return True

    def drop(self, key: bytes) -> None:
        """Note that a file is not known to be clean any more."""
        self._file.write(self._pack([key]))

    def __iter__(self) -> Iterator[Row]:
        self._file.flush()
        self._file.seek(0)
        for key, *fingerprint in msgpack.Unpacker(self._file):
            yield key, tuple(fingerprint)


class CleanFiles:
    """The record of one folder, while it is walked once; a context manager.

    Attributes
    ----------
    commit_id
        The commit that the folder stands at; None where that is not known.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._old: IO[bytes] | None = None
        with suppress(OSError):
            self._old = open(path, "rb")  # noqa: SIM115  # closed on exit
        self.commit_id: CommitId | None = None
        rows: Iterator[Row] = iter(())
        if self._old is not None:
            self.commit_id, rows = _read(self._old)
        self.known = Known(rows)
        self.notes = Notes(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.notes.__exit__()
        if self._old is not None:
            self._old.close()

    def save(self, commit_id: CommitId) -> None:
        """Write down what was noted, beside what was known before.

        A kill leaves the old record or the new one.
        """
        rows: Iterator[Row] = iter(())
        if self._old is not None:
            self._old.seek(0)
            _, rows = _read(self._old)
        fresh = self._path.with_name(f"{self._path.name}.new")
        pack = msgpack.Packer().pack
        with open(fresh, "wb") as file:
            file.write(pack([_VERSION, commit_id]))
            for key, old, new in side_by_side(rows, self.notes):
                row = new or old
                if row is not None and row[1]:
                    file.write(pack([key, *row[1]]))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)


def remove_record(path: Path) -> None:
    """Remove the record of a folder that is gone, and what a kill left of the next one."""
    for one in (path, path.with_name(f"{path.name}.new")):
        one.unlink(missing_ok=True)


def _read(file: IO[bytes]) -> tuple[CommitId | None, Iterator[Row]]:
    """Return the commit of a record and its rows; of one of the first version the commit alone."""
    begin = file.read(1)
    file.seek(0)
    unpacker = msgpack.Unpacker(file, raw=False)
    try:
        if begin == bytes([_FIRST_VERSION]):
            unpacker.read_map_header()
            commit_id = unpacker.unpack() == "commit" and unpacker.unpack()
            return (CommitId(commit_id) if isinstance(commit_id, str) else None), iter(())
        version, commit_id = next(unpacker)
    except _DAMAGES:
        return None, iter(())
    if version != _VERSION or not isinstance(commit_id, str):
        return None, iter(())
    return CommitId(commit_id), _rows(unpacker)


def _rows(unpacker: Iterator[Any]) -> Iterator[Row]:
    last = b""
    with suppress(*_DAMAGES):
        for key, *fingerprint in unpacker:
            if not isinstance(key, bytes) or key < last:
                return  # damaged from here on
            last = key
            yield key, tuple(fingerprint)


_DAMAGES = (OSError, ValueError, TypeError, StopIteration, msgpack.UnpackException)
