"""The working files of a session: where the bytes of a file are while they can still change.

They lie in one folder under numbers. Each belongs to one node; a file that no node has is
garbage, which is swept when the session is opened and when it starts over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from jupyter_datalake.engine.tree_nodes import DataFile, Node


class WorkingFiles:
    """The files in a session's ``data`` folder and the nodes they belong to.

    `new`, `prepare` and `remove` may be called from any thread; the rest by whoever may change the
    tree.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        taken = (int(name) for name in os.listdir(folder) if name.isdecimal())
        self._last = max(taken, default=0)
        """The highest number ever used: one that comes back would be another file's."""
        self._owners: dict[int, Node] = {}
        self._preparing = threading.Lock()
        """Held while a file is made in advance; never by who wants one now."""
        self._is_closed = False
        self._spare: list[DataFile] = []
        """Made in advance; they belong to nobody."""

    def __bool__(self) -> bool:
        return bool(self._owners)

    @property
    def spare_count(self) -> int:
        """How many files were made in advance and are left."""
        return len(self._spare)

    def new(self) -> DataFile:
        """Return an empty file that belongs to nobody yet; its time is now."""
        with self._lock:
            spare = self._spare.pop() if self._spare else None
        if spare is None:
            return self._make()
        os.utime(spare.path)
        return spare

    def prepare(self, count: int) -> None:
        """Make files in advance until there are `count`; while others go on.

        Raises
        ------
        OSError
            The disk is full, or fails; those made before are there.
        """
        while len(self._spare) < count:
            with self._preparing:
                if self._is_closed:
                    return
                made = self._make()
                with self._lock:
                    self._spare.append(made)

    def remove_spare(self) -> None:
        """Remove what was made in advance and is left."""
        with self._lock:
            spare, self._spare = self._spare, []
        for data in spare:
            data.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Make nothing in advance any more, and remove what was; safe to call twice."""
        with self._preparing:
            self._is_closed = True
        self.remove_spare()

    def _make(self) -> DataFile:
        with self._lock:
            self._last += 1
            number = self._last
        data = DataFile(number, self._folder / str(number))
        os.close(os.open(data.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        return data

    def numbered(self, number: int) -> DataFile:
        """Return the file that the journal names; empty if it was killed before its first byte."""
        self._last = max(self._last, number)
        data = DataFile(number, self._folder / str(number))
        data.path.touch(mode=0o600)
        return data

    def give(self, data: DataFile, node: Node) -> None:
        """Make a file the content of a node."""
        node.data = data
        self._owners[data.number] = node

    def remove(self, data: DataFile) -> None:
        """Remove a file; who has it open can go on using it."""
        self._owners.pop(data.number, None)
        data.path.unlink(missing_ok=True)

    def keep_only(self, is_needed: Callable[[Node], bool]) -> None:
        """Remove the files whose node has another content by now, or is of no more use."""
        for number, node in list(self._owners.items()):
            data = node.data
            if data is None or data.number != number:
                self.remove(DataFile(number, self._folder / str(number)))
            elif not is_needed(node):
                node.data = None
                self.remove(data)

    def remove_strangers(self) -> None:
        """Remove files that no node has: what a kill left behind."""
        for name in os.listdir(self._folder):
            if not name.isdecimal() or int(name) not in self._owners:
                (self._folder / name).unlink(missing_ok=True)

    def sync(self) -> None:
        """Make the names of the files survive the loss of power; their bytes have their own."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
