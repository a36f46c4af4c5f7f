"""Where a worker is in its bundle, in memory that it shares with whoever tends it.

A line for each datum that begins and ends would wake up who reads it, which took a fifth of the
time of short datums. So the worker writes a number, and it is looked at by whom it concerns:
several times a second, for the time that a datum may take, and when the worker is gone.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Self


class Progress:
    """The place in its bundle that a worker is at.

    Parameters
    ----------
    file
        Descriptor of the file that both sides map; closed by `close`.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._memory = mmap.mmap(file, mmap.PAGESIZE)
        # One number, which is written and read at once: twice the place, 1 more while that runs.
        self._number = memoryview(self._memory).cast("I")

    @classmethod
    def shared(cls) -> Self:
        """Return one whose `file` a worker is started with."""
        page = bytes(mmap.PAGESIZE)  # written: to touch a hole of a full disk ends the process
        in_memory = getattr(os, "memfd_create", None)  # which only Linux has
        if in_memory is not None:
            file = in_memory("datalake-progress")
            os.write(file, page)
            return cls(file)
        with tempfile.TemporaryFile(buffering=0) as temporary:
            temporary.write(page)
            return cls(os.dup(temporary.fileno()))

    @classmethod
    def inherited(cls, file: int) -> Self:
        """Return that of this process, which was started with `file`; no child of it has that."""
        progress = cls(file)
        progress._close_file()
        return progress

    @property
    def file(self) -> int:
        """Descriptor that the worker inherits."""
        return self._file

    def close(self) -> None:
        """Leave the memory."""
        self._number.release()
        self._memory.close()
        self._close_file()

    def reset(self) -> None:
        """Say that a bundle was not begun."""
        self._number[0] = 0

    def begin(self, place: int) -> None:
        """Say that the try at a place, counted from 0, has begun."""
        self._number[0] = 2 * place + 1

    def end(self, place: int) -> None:
        """Say that it has ended."""
        self._number[0] = 2 * place + 2

    @property
    def at(self) -> int | None:
        """The place of the try that has begun and not ended, if there is one."""
        place, runs = divmod(self._number[0], 2)
        return place if runs else None

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
