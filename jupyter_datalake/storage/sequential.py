"""`SequentialFile`: a new file written once, from front to end, and made durable.

What is larger than one buffer goes to the disk past the page cache (``O_DIRECT``) while the
caller fills the next buffer: copying a large pack into the cache and out again costs more than
all that is done to its bytes (`tests/benchmarks/raw.py` measures both). Where the file system
refuses that, the same writes go through the cache.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from jupyter_datalake.forking import ThreadPool

BUFFER_BYTES = 4 * 1024 * 1024
"""Twice this is held per file that is larger than it. A multiple of every disk's block size."""

_RESERVED_AHEAD = 64 * 1024 * 1024
_KEEP_SIZE = 0x01

_writers = ThreadPool(2, "datalake-write")
# Linux has both; where they are missing, writes go through the cache, to blocks as they come.
_fallocate = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
_DIRECT: int = getattr(os, "O_DIRECT", 0)


class SequentialFile:
    """A file that grows at its end. For one thread; nothing is certain before `sync` returned.

    Raises `OSError` from all its methods, in the call in which the system told of it or in a
    later one, but never after `sync` returned. Close it in any case.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._filling = mmap.mmap(-1, BUFFER_BYTES)  # page-aligned, as direct writes must be
        self._filled = 0
        self._spare: mmap.mmap | None = None
        self._offset = 0
        """Where the buffer that is being filled will lie in the file."""
        self._pending: Future[None] | None = None
        self._is_direct = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes; they may be changed as soon as this returns."""
        view = memoryview(data).cast("B")
        start = 0
        while start < len(view):
            count = min(len(view) - start, BUFFER_BYTES - self._filled)
            self._filling[self._filled : self._filled + count] = view[start : start + count]
            self._filled += count
            start += count
            if self._filled == BUFFER_BYTES:
                self._hand_over()

    def sync(self) -> None:
        """Make all that was written durable; nothing can be written afterwards."""
        self._settle()
        if self._is_direct:
            self._set_direct(False)  # the rest is no multiple of a block
        if self._filled:
            with memoryview(self._filling)[: self._filled] as rest:
                _write_all(self.descriptor, rest, self._offset)
        if self._offset:
            os.ftruncate(self.descriptor, self._offset + self._filled)  # gives back what was ahead
        # An fsync that failed once may succeed later without the bytes being safe.
        os.fsync(self.descriptor)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.exception()  # the descriptor must not be closed, and reused, under the writer
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _hand_over(self) -> None:
        """Let the full buffer be written while the other one is filled."""
        self._settle()
        if not self._offset:
            self._is_direct = self._set_direct(True)
        if self._offset % _RESERVED_AHEAD == 0:
            self._reserve()
        full, offset = self._filling, self._offset
        self._pending = _writers.submit(lambda: self._write_buffer(full, offset))
        self._filling = mmap.mmap(-1, BUFFER_BYTES) if self._spare is None else self._spare
        self._spare = full
        self._offset += BUFFER_BYTES
        self._filled = 0

    def _settle(self) -> None:
        """Wait until the buffer that was handed over is written."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _write_buffer(self, buffer: mmap.mmap, offset: int) -> None:
        with memoryview(buffer) as view:
            try:
                _write_all(self.descriptor, view, offset)
            except OSError as error:
                if error.errno != errno.EINVAL or not self._is_direct:
                    raise
                # Some file systems take the flag and refuse the writes.
                self._is_direct = self._set_direct(False)
                _write_all(self.descriptor, view, offset)

    def _set_direct(self, wanted: bool) -> bool:
        """Ask for writes past the page cache, or not; tell whether that is so now."""
        if not _DIRECT:
            return False
        flags = fcntl.fcntl(self.descriptor, fcntl.F_GETFL) & ~_DIRECT
        with suppress(OSError):
            fcntl.fcntl(self.descriptor, fcntl.F_SETFL, flags | (_DIRECT if wanted else 0))
            return wanted
        return False

    def _reserve(self) -> None:
        """Ask for the blocks of what is to come in one piece, which makes direct writes cheap.

        Not a promise: where it is refused, also for want of space, writing shows what fits.
        """
        if _fallocate is not None:
            offset = ctypes.c_int64(self._offset)
            _fallocate(self.descriptor, _KEEP_SIZE, offset, ctypes.c_int64(_RESERVED_AHEAD))


def _write_all(descriptor: int, view: memoryview, offset: int) -> None:
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count
