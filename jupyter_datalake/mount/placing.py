"""Writing what commits say into a checkout, path by path as the differences come."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.model.entries import EntryKind, FileEntry
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import RepoPath, is_within, parent_of, path_bytes
from jupyter_datalake.mount.listing import remove_tree
from jupyter_datalake.mount.scanning import LocalFile, is_empty


class Placing:
    """Makes changes in a folder that come in the order of keys; a context manager.

    A file is written beside the folder and moved to its place, so that a kill leaves the one that
    was there or the new one. A path comes before what is below it: a file that takes the place of
    a folder waits until the folder was emptied.

    Parameters
    ----------
    beside
        A folder on the same file system, made when it is needed and removed at the end.
    spares
        Whether a folder that is not empty even then is left alone; else that is refused.
    """

    def __init__(self, folder: Path, beside: Path, *, spares: bool = False) -> None:
        self._folder = folder
        self._beside = beside
        self._spares = spares
        self._waiting: tuple[Snapshot, RepoPath, FileEntry] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._write_waiting()
        finally:
            remove_tree(self._beside)

    def come_to(self, path: RepoPath) -> None:
        """Say which path is next: what waited for those before is done."""
        if self._waiting is not None and not is_within(path, self._waiting[1]):
            self._write_waiting()

    def write(self, tree: Snapshot, path: RepoPath, entry: FileEntry) -> None:
        """Write what a tree has at a path in place of what is there."""
        place = self._place(path)
        if entry.kind is EntryKind.FOLDER:
            place.mkdir(parents=True, exist_ok=True)
        elif place.is_dir() and not place.is_symlink():
            self._waiting = tree, path, entry
        else:
            self._move_in(tree, path, place)

    def remove(self, file: LocalFile, tree: Snapshot) -> None:
        """Remove a file or empty folder, and the folders above it that a tree has not."""
        if file.kind is FileKind.FOLDER:
            os.rmdir(file.raw_place)
        else:
            file.place.unlink(missing_ok=True)
        self.prune(file.path, tree)

    def prune(self, path: RepoPath, tree: Snapshot) -> None:
        """Remove the folders above a path that are empty and that a tree has not."""
        folder = parent_of(path)
        while folder and tree.look(folder) is None and is_empty(self._place(folder)):
            self._place(folder).rmdir()
            folder = parent_of(folder)

    def _write_waiting(self) -> None:
        if self._waiting is None:
            return
        (tree, path, _), self._waiting = self._waiting, None
        place = self._place(path)
        if place.is_dir() and not place.is_symlink():
            if self._spares and not is_empty(place):
                return
            place.rmdir()  # refused by the system, if there is something in it
        self._move_in(tree, path, place)

    def _move_in(self, tree: Snapshot, path: RepoPath, place: Path) -> None:
        fresh = self._beside / "fresh"
        fresh.unlink(missing_ok=True)
        tree.export(path, fresh)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh, place)

    def _place(self, path: RepoPath) -> Path:
        return self._folder / os.fsdecode(path_bytes(path))
