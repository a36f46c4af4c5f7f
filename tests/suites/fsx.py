"""One file, thousands of random operations on it, and what it must hold after each.

In the manner of fsx: reads and writes by calls, by memory maps and past the page cache, appends,
cuts and extensions, holes, renames, copies, fsync, and opens that stay open, on a file of many
chunks. What it holds is known byte by byte. Between operations `between` may do whatever it likes
to the file system below, such as commit what is staged, or kill the process that serves it.
"""

from __future__ import annotations

import errno
import mmap
import os
import random
from collections.abc import Callable
from pathlib import Path

LARGEST = 24 * 1024 * 1024
_LONGEST = 300_000
_PAGE = mmap.PAGESIZE
_COMPARED_EVERY = 100


class DifferenceError(AssertionError):
    """The file does not hold what it must; the message tells where, and what was done last."""


class Exerciser:
    """Does random operations to one file of a folder.

    Parameters
    ----------
    folder
        On the file system that is tested.
    seed
        Equal seeds do the same.
    between
        Called after each operation with its number.
    """

    def __init__(
        self, folder: Path, seed: int, between: Callable[[int], None] = lambda number: None
    ) -> None:
        self._folder = folder
        self._path = folder / "file-0"
        self._between = between
        self._random = random.Random(seed)
        self._expected = bytearray()
        self._done: list[str] = []
        self._path.write_bytes(b"")
        self._acts = [
            (self._write, 8),
            (self._write_mapped, 3),
            (self._append, 4),
            (self._read, 6),
            (self._read_mapped, 3),
            (self._write_direct, 2),
            (self._read_direct, 2),
            (self._truncate, 3),
            (self._punch, 1),
            (self._sync, 1),
            (self._rename, 1),
            (self._copy, 1),
            (self._save_like_an_editor, 1),
        ]

    def run(self, count: int) -> None:
        """Do so many operations, and compare the whole file now and then, and at the end."""
        acts, weights = zip(*self._acts, strict=True)
        for number in range(count):
            (act,) = self._random.choices(acts, weights)
            act()
            self._between(number)
            if number % _COMPARED_EVERY == _COMPARED_EVERY - 1:
                self.compare()
        self.compare()

    def compare(self) -> None:
        """Raise `DifferenceError` unless the file holds what it must."""
        self._check(0, self._path.read_bytes(), len(self._expected))

    # --- operations ------------------------------------------------------------------------------

    def _write(self) -> None:
        offset, data = self._place(LARGEST), self._bytes()
        self._note(f"write {len(data)} at {offset}")
        with self._opened(os.O_WRONLY) as descriptor:
            assert os.pwrite(descriptor, data, offset) == len(data)
        self._put(offset, data)

    def _append(self) -> None:
        data = self._bytes()
        if len(self._expected) + len(data) > LARGEST:
            return
        self._note(f"append {len(data)}")
        with self._opened(os.O_WRONLY | os.O_APPEND) as descriptor:
            assert os.write(descriptor, data) == len(data)
        self._put(len(self._expected), data)

    def _write_mapped(self) -> None:
        if not self._expected:
            return
        offset = self._place(len(self._expected))
        data = self._bytes()[: len(self._expected) - offset]
        self._note(f"write {len(data)} at {offset} by a map")
        begin = offset - offset % _PAGE
        with self._opened(os.O_RDWR) as descriptor:
            length = offset - begin + len(data)
            with mmap.mmap(descriptor, length, offset=begin) as view:
                view[offset - begin :] = data
                if self._random.random() < 0.5:
                    view.flush()
        self._put(offset, data)

    def _read(self) -> None:
        offset, length = self._place(len(self._expected) + 1), self._random.randrange(_LONGEST)
        self._note(f"read {length} at {offset}")
        with self._opened(os.O_RDONLY) as descriptor:
            self._check(offset, os.pread(descriptor, length, offset), length)

    def _read_mapped(self) -> None:
        if not self._expected:
            return
        offset = self._place(len(self._expected))
        length = min(self._random.randrange(1, _LONGEST), len(self._expected) - offset)
        self._note(f"read {length} at {offset} by a map")
        begin = offset - offset % _PAGE
        with (
            self._opened(os.O_RDONLY) as descriptor,
            mmap.mmap(
                descriptor, offset - begin + length, prot=mmap.PROT_READ, offset=begin
            ) as view,
        ):
            self._check(offset, view[offset - begin :], length)

    def _write_direct(self) -> None:
        """Write pages past the page cache, which may know some of them."""
        offset = self._place(LARGEST) // _PAGE * _PAGE
        with mmap.mmap(-1, self._random.randrange(1, 50) * _PAGE) as aligned:
            aligned[:] = self._random.randbytes(len(aligned))
            self._note(f"write {len(aligned)} at {offset} directly")
            with self._opened(os.O_WRONLY | os.O_DIRECT) as descriptor:
                assert os.pwrite(descriptor, aligned, offset) == len(aligned)
            self._put(offset, aligned[:])

    def _read_direct(self) -> None:
        offset = self._place(len(self._expected) + 1) // _PAGE * _PAGE
        with mmap.mmap(-1, self._random.randrange(1, 50) * _PAGE) as aligned:
            self._note(f"read {len(aligned)} at {offset} directly")
            with self._opened(os.O_RDONLY | os.O_DIRECT) as descriptor:
                count = os.preadv(descriptor, [aligned], offset)
            self._check(offset, aligned[:count], len(aligned))

    def _truncate(self) -> None:
        size = self._place(LARGEST)
        self._note(f"truncate to {size}")
        if self._random.random() < 0.5:
            os.truncate(self._path, size)
        else:
            with self._opened(os.O_WRONLY) as descriptor:
                os.ftruncate(descriptor, size)
        self._expected = self._expected[:size] + bytes(max(size - len(self._expected), 0))

    def _punch(self) -> None:
        """Leave a hole behind the end, and ask for zeros where the file system can make them."""
        offset, data = len(self._expected) + self._random.randrange(1_000_000), self._bytes()
        if offset + len(data) > LARGEST:
            return
        self._note(f"write {len(data)} at {offset}, behind a hole")
        with self._opened(os.O_WRONLY) as descriptor:
            try:
                os.posix_fallocate(descriptor, offset, len(data))
            except OSError as error:
                if error.errno not in {errno.EOPNOTSUPP, errno.ENOSYS}:
                    raise
            os.pwrite(descriptor, data, offset)
        self._put(offset, data)

    def _sync(self) -> None:
        self._note("fsync")
        with self._opened(os.O_RDWR) as descriptor:
            os.fsync(descriptor)

    def _rename(self) -> None:
        target = self._folder / f"file-{self._random.randrange(4)}"
        self._note(f"rename to {target.name}")
        os.rename(self._path, target)
        self._path = target

    def _copy(self) -> None:
        if not self._expected:
            return
        offset, length = self._place(len(self._expected)), self._random.randrange(1, _LONGEST)
        self._note(f"copy {length} at {offset} to the end")
        with self._opened(os.O_RDWR) as descriptor, self._opened(os.O_RDWR) as again:
            count = os.copy_file_range(
                descriptor, again, min(length, self._gap(offset)), offset, len(self._expected)
            )
        self._put(len(self._expected), bytes(self._expected[offset : offset + count]))

    def _save_like_an_editor(self) -> None:
        """Write a new file beside this one and rename it over, while the old one is open."""
        self._note("rename a new file over it")
        data = self._bytes()
        with self._opened(os.O_RDONLY) as descriptor:
            fresh = self._folder / "fresh"
            fresh.write_bytes(data)
            os.replace(fresh, self._path)
            self._check(0, os.pread(descriptor, _LONGEST, 0), _LONGEST)
        self._expected = bytearray(data)

    # --- what is expected ------------------------------------------------------------------------

    def _opened(self, flags: int) -> _Opened:
        return _Opened(self._path, flags)

    def _place(self, end: int) -> int:
        """Return an offset below `end`; often one near a multiple of what chunks and pages have."""
        offset = self._random.randrange(max(end, 1))
        if self._random.random() < 0.3:
            offset = max(offset - offset % _PAGE + self._random.randrange(-1, 2), 0)
        return min(offset, max(end - 1, 0))

    def _gap(self, offset: int) -> int:
        """Return how much may be copied from there to the end without meeting itself."""
        return max(len(self._expected) - offset, 0)

    def _bytes(self) -> bytes:
        length = self._random.randrange(1, self._random.choice((100, _PAGE, _LONGEST)))
        return self._random.randbytes(length)

    def _put(self, offset: int, data: bytes) -> None:
        if len(self._expected) < offset:
            self._expected += bytes(offset - len(self._expected))
        self._expected[offset : offset + len(data)] = data

    def _note(self, what: str) -> None:
        self._done = [*self._done[-9:], what]

    def _check(self, offset: int, found: bytes, length: int) -> None:
        expected = bytes(self._expected[offset : offset + length])
        if found == expected:
            return
        if len(found) != len(expected):
            where = f"there are {len(found)} bytes at {offset}, and {len(expected)} are expected"
        else:
            first = next(i for i in range(len(found)) if found[i] != expected[i])
            where = f"it differs at byte {offset + first}"
        raise DifferenceError(f"{self._path}: {where}, after {'; '.join(self._done)}")


class _Opened:
    """A descriptor for the time of a block."""

    def __init__(self, path: Path, flags: int) -> None:
        self._descriptor = os.open(path, flags)

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
