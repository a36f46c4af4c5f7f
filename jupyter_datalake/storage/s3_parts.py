"""What grows until it can be sent: parts in memory, and on the disk what finds no room there.

S3 wants to know the name of an object first, and the name of a pack is known last, so a whole pack
has to wait somewhere. The disk costs twice: a copy into its cache and one out of it, and while it
is busy the writer waits. So memory is used up to a limit that all uploads of a store share; what
is beyond it goes to a file without a name, so that many writers cost disk and never block another.
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.forking import renew_after_fork

PART_BYTES = (8 << 20) + (256 << 10)
"""Of an upload in parts, and of a long read; a part that is sent is in memory as a whole.

A pack ends with the chunk that reaches 64 MiB, and its index: with this it is eight parts.
"""

_MAX_PARTS = 10_000
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_KEPT_IDLE = 1
"""Buffers that stay when nothing is uploaded: fresh memory costs as much as a copy."""


class PartMemory:
    """Buffers of one part each, shared by the uploads of a store. Safe to share between threads.

    Parameters
    ----------
    limit_bytes
        Memory they may take together; less than a part is none.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._most = limit_bytes // PART_BYTES
        self._lock = threading.Lock()
        self._taken = 0
        self._spare: list[bytearray] = []
        renew_after_fork(self, PartMemory._forget)

    @property
    def held_bytes(self) -> int:
        """Memory that is taken at this moment, and kept for the next upload."""
        with self._lock:
            return (self._taken + len(self._spare)) * PART_BYTES

    def take(self) -> bytearray | None:
        """Return a buffer of `PART_BYTES` with anything in it, or None if there is no room."""
        with self._lock:
            if self._taken >= self._most:
                return None
            self._taken += 1
            if self._spare:
                return self._spare.pop()
        return bytearray(PART_BYTES)

    def give_back(self, buffers: list[bytearray], *, may_be_in_use: bool) -> None:
        """Take buffers back.

        Parameters
        ----------
        may_be_in_use
            Whether a request that was given up may still be sending them: they are not used again.
        """
        with self._lock:
            self._taken -= len(buffers)
            if not may_be_in_use:
                self._spare += buffers
            if not self._taken:
                del self._spare[_KEPT_IDLE:]

    def _forget(self) -> None:
        """Begin anew in a forked child: the uploads are its parent's."""
        self._lock = threading.Lock()
        self._taken = 0
        self._spare = []


class Parts:
    """Bytes that are appended, and then sent as the parts of an upload. For one writer.

    Parameters
    ----------
    memory
        Where the first parts are.
    folder
        Where the others are, in a file without a name; the system's temporary folder when None.
    """

    def __init__(self, memory: PartMemory, folder: Path | None) -> None:
        self._memory = memory
        self._folder = folder
        self._buffers: list[bytearray] = []
        self._file: IO[bytes] | None = None
        self.size_bytes = 0

    @property
    def spooled_bytes(self) -> int:
        """How much is on the disk."""
        return self.size_bytes - self._in_memory()

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes; they may be changed as soon as this returns.

        Raises
        ------
        StorageError
            The disk is full or cannot be written.
        """
        view = memoryview(data).cast("B")
        while view:
            count = self._keep(view) if self._file is None else self._spool(view)
            self.size_bytes += count
            view = view[count:]

    def all(self) -> bytes:
        """Return everything."""
        return self._range(0, self.size_bytes)

    @property
    def count(self) -> int:
        """How many parts there are to be sent."""
        return math.ceil(self.size_bytes / self._part_bytes())

    def read(self, number: int) -> bytes | bytearray:
        """Return a part; numbers begin at 1. It is only to be read, and not after `close`."""
        size = self._part_bytes()
        start = (number - 1) * size
        length = min(size, self.size_bytes - start)
        if length == PART_BYTES and number <= len(self._buffers):
            return self._buffers[number - 1]
        return self._range(start, length)

    def pieces(self) -> Iterator[bytes | bytearray]:
        """Yield all parts in order."""
        return (self.read(number) for number in range(1, self.count + 1))

    def close(self, *, may_be_in_use: bool) -> None:
        """Give memory and disk back; see `PartMemory.give_back`. Safe to call twice."""
        buffers, self._buffers = self._buffers, []
        self._memory.give_back(buffers, may_be_in_use=may_be_in_use)
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # on a full disk it cannot write what nobody wants any more
                file.close()

    def _part_bytes(self) -> int:
        return max(PART_BYTES, math.ceil(self.size_bytes / _MAX_PARTS))

    def _in_memory(self) -> int:
        return min(self.size_bytes, len(self._buffers) * PART_BYTES)

    def _keep(self, view: memoryview) -> int:
        """Copy what fits into the buffer that is being filled, and return how much that was."""
        filled = self.size_bytes % PART_BYTES
        if self.size_bytes == len(self._buffers) * PART_BYTES:
            buffer = self._memory.take()
            if buffer is None:
                return self._spool(view)
            self._buffers.append(buffer)
        count = min(len(view), PART_BYTES - filled)
        # Through a view it is one copy; an assignment to the bytearray itself makes two.
        memoryview(self._buffers[-1])[filled : filled + count] = view[:count]
        return count

    def _spool(self, view: memoryview) -> int:
        try:
            if self._file is None:
                if self._folder is not None:
                    self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(  # noqa: SIM115  # closed by `close`
                    dir=self._folder, prefix="upload-", buffering=0
                )
            return self._file.write(view) or 0
        except OSError as error:
            raise _spool_error(error) from error

    def _range(self, start: int, length: int) -> bytes:
        end = start + length
        border = self._in_memory()
        pieces: list[bytes | memoryview] = []
        while start < min(end, border):
            number, offset = divmod(start, PART_BYTES)
            piece = memoryview(self._buffers[number])[offset : offset + min(end, border) - start]
            pieces.append(piece)
            start += len(piece)
        if start < end:
            assert self._file is not None
            try:
                pieces.append(os.pread(self._file.fileno(), end - start, start - border))
            except OSError as error:
                raise _spool_error(error) from error
        return b"".join(pieces)


def _spool_error(error: OSError) -> StorageError:
    full = error.errno in _NO_SPACE
    return StorageError(
        "The disk is full: an upload could not be kept"
        if full
        else f"An upload could not be kept on this machine: {error.strerror}",
        kind=ErrorKind.STORAGE_FULL if full else ErrorKind.STORAGE_UNAVAILABLE,
        hint="Free some space and try again; nothing that was there is lost" if full else None,
    )
