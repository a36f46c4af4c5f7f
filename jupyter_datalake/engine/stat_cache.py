"""What files and objects were when they were last imported, so that they are not read again.

One file per imported folder or prefix, below the lake's working files: records in the order of
the walk, read and written as streams beside it. It only ever saves work: where it is missing,
damaged or of another version, everything is read.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Generic, NamedTuple, Self, TypeVar

import msgpack

from jupyter_datalake.model.ids import digest_of

_VERSION = 1
_SETTLED_NS = 2_500_000_000
"""A file that changed less than this before the import began may change again without its times
telling: clocks of file systems tick every 10 ms, on some every 2 s."""


class FileStamp(NamedTuple):
    """What a changed file cannot keep; its time of change cannot be set by programs."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def unsettled_ns(self) -> int:
        """When it changed last."""
        return max(self.mtime_ns, self.ctime_ns)

    @classmethod
    def of(cls, status: os.stat_result) -> FileStamp:
        """Return the stamp of a file's status."""
        return cls(
            status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
        )


class ObjectStamp(NamedTuple):
    """What a changed object of another store cannot keep: its ETag follows from its content."""

    size_bytes: int
    modified_ns: int
    etag: str

    @property
    def unsettled_ns(self) -> int:
        """When it changed last, as far as that matters: it does not."""
        return 0


S = TypeVar("S", FileStamp, ObjectStamp)


class StatCache(Generic[S]):
    """The stamps of one source: those of the last import, and those of this one.

    `find` and `add` are to be called in the order of keys. A context manager: what was added is
    forgotten unless `keep` was called.

    Parameters
    ----------
    place
        Where the caches are.
    source
        Names the local folder, or the place in another store.
    stamp
        The kind of stamps.
    lake_id
        Entries name blobs of this lake.
    """

    def __init__(
        self, place: Path, source: bytes, stamp: type[S], lake_id: str, *, enabled: bool = True
    ) -> None:
        self._header = [_VERSION, lake_id, source]
        self._stamp: type[S] = stamp
        self._path = place / digest_of(msgpack.packb(self._header)).hex()
        self._enabled = enabled
        self._packer = msgpack.Packer(use_bin_type=True)
        self._fresh: IO[bytes] | None = None
        self._old: IO[bytes] | None = None
        self._rows: Iterator[Any] = iter(())
        self._next: list[Any] | None = None
        self._key_type: type = int
        self._settled_ns = time.time_ns() - _SETTLED_NS

    def __enter__(self) -> Self:
        if self._enabled:
            self._read_old()
            # A folder that takes no file now costs the next import some time, and no more.
            with suppress(OSError):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._fresh = tempfile.NamedTemporaryFile(  # closed on exit
                    dir=self._path.parent, prefix=".new-", delete=False
                )
                self._write(self._header)
        return self

    def __exit__(self, *_: object) -> None:
        if self._old is not None:
            self._old.close()
        self._drop()

    @property
    def has_records(self) -> bool:
        """Whether `find` can find anything from here on."""
        return self._next is not None

    def find(self, key: bytes) -> tuple[S, bytes] | None:
        """Return stamp and entry of a file at the last import; of keys in order only."""
        while self._next is not None and self._next[0] < key:
            self._advance()
        if self._next is None or self._next[0] != key:
            return None
        _, stamp, value = self._next
        return self._stamp(*stamp), value

    def add(self, key: bytes, stamp: S, value: bytes) -> None:
        """Remember what a file is now."""
        if stamp.unsettled_ns < self._settled_ns:
            self._write([key, list(stamp), value])

    def keep(self) -> None:
        """Let the next import find what was added."""
        fresh, self._fresh = self._fresh, None
        if fresh is not None:
            with suppress(OSError):
                fresh.close()
                os.replace(fresh.name, self._path)
                return
            self._fresh = fresh
            self._drop()

    def _write(self, row: list[Any]) -> None:
        if self._fresh is not None:
            try:
                self._fresh.write(self._packer.pack(row))
            except OSError:
                self._drop()  # a full disk, say: the import itself may still succeed

    def _drop(self) -> None:
        fresh, self._fresh = self._fresh, None
        if fresh is not None:
            with suppress(OSError):
                fresh.close()
            with suppress(OSError):
                os.unlink(fresh.name)

    def _read_old(self) -> None:
        with suppress(OSError):
            self._old = open(self._path, "rb")  # noqa: SIM115  # closed on exit
            self._rows = iter(msgpack.Unpacker(self._old, raw=False, use_list=True))
            self._advance()
            self._key_type = bytes
            if self._next == self._header:
                self._advance()
            else:
                self._next = None

    def _advance(self) -> None:
        try:
            row = next(self._rows, None)
            is_sound = (
                isinstance(row, list)
                and len(row) == len(self._header)
                and type(row[0]) is self._key_type
            )
            self._next = row if is_sound else None
        except (ValueError, msgpack.UnpackException, OSError):
            self._next = None  # damaged from here on
