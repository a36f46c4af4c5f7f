"""Names in folders in byte order, however many, and the removal of folders from below.

Up to a bound names are sorted in memory. More are sorted by portions, which wait in a file without
a name and are merged from there.
"""

from __future__ import annotations

import heapq
import os
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

NAMES_IN_MEMORY = 100_000
"""Of about a hundred bytes each."""
_BLOCK_BYTES = 32 * 1024
_AT_ONCE = 1000


class SortedRuns:
    """Names that are too many for the memory; sorted in portions, and merged while read."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._descriptor = os.dup(file.fileno())
        # A walk that is given up drops its names, and has nobody who would close them.
        weakref.finalize(self, os.close, self._descriptor)
        self._ends = [0]

    def add(self, names: list[bytes]) -> None:
        """Add a sorted portion."""
        with open(self._descriptor, "ab", closefd=False) as file:
            file.writelines(name + b"\0" for name in names)
        self._ends.append(os.fstat(self._descriptor).st_size)

    def __iter__(self) -> Iterator[bytes]:
        runs = zip(self._ends, self._ends[1:], strict=False)
        return heapq.merge(*(self._read(begin, end) for begin, end in runs))

    def _read(self, begin: int, end: int) -> Iterator[bytes]:
        rest = b""
        while begin < end:
            block = os.pread(self._descriptor, min(_BLOCK_BYTES, end - begin), begin)
            begin += len(block)
            *names, rest = (rest + block).split(b"\0")
            yield from names


def names_in(folder: bytes) -> list[bytes] | SortedRuns:
    """Return the names in a folder, in byte order; none, where it is gone."""
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries)
            some = sorted(islice(names, NAMES_IN_MEMORY))
            if len(some) < NAMES_IN_MEMORY:
                return some
            runs = SortedRuns()
            while some:
                runs.add(some)
                some = sorted(islice(names, NAMES_IN_MEMORY))
            return runs
    except FileNotFoundError:
        return []


def walk_up(folder: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield all that is below a folder with whether it is a folder, and each behind what it holds.

    A folder may be removed when it was yielded.
    """
    waiting = [(folder, iter(names_in(folder)))]
    while waiting:
        above, names = waiting[-1]
        name = next(names, None)
        if name is None:
            waiting.pop()
            if waiting:
                yield above, True
            continue
        place = os.path.join(above, name)
        if stat.S_ISDIR(os.lstat(place).st_mode):
            waiting.append((place, iter(names_in(place))))
        else:
            yield place, False


def remove_tree(folder: str | os.PathLike[str]) -> None:
    """Remove a folder with everything in it, read-only or not; nothing, where nothing is.

    What is behind a symlink stays, also of one that takes a folder's place meanwhile.
    """
    if not os.path.lexists(folder):
        return
    with suppress(PermissionError):
        os.chmod(folder, 0o700)
    descriptor = os.open(folder, _OPENING)
    try:
        _empty(descriptor)
    finally:
        os.close(descriptor)
    os.rmdir(folder)


_OPENING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _empty(descriptor: int) -> None:
    """Remove what is in a folder that is open, some names at a time."""
    while some := _some(descriptor):
        for name, is_folder in some:
            if not is_folder:
                os.unlink(name, dir_fd=descriptor)
                continue
            os.chmod(name, 0o700, dir_fd=descriptor)
            inner = os.open(name, _OPENING, dir_fd=descriptor)
            try:
                _empty(inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=descriptor)


def _some(descriptor: int) -> list[tuple[str, bool]]:
    with os.scandir(descriptor) as entries:
        return [
            (entry.name, entry.is_dir(follow_symlinks=False)) for entry in islice(entries, _AT_ONCE)
        ]
