"""Making a path of a session what a commit has there, one step at a time.

What is to be there is staged before what is to go away goes, so that whoever is killed in the
middle finds each path as it was or as it should be. Both sides are streams in the order of keys,
walked in step: neither is in memory, and what is equal is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.worktree import StagedChange, Worktree, iter_differences
from jupyter_datalake.model.entries import EntryKind, FileEntry
from jupyter_datalake.model.paths import RepoPath, is_within, parent_of


class Stage(Protocol):
    """What is needed of a session here."""

    tree: Worktree

    def delete(self, path: RepoPath) -> None:
        """Stage the removal of a file, or of a folder with everything below it."""
        ...

    def put_entries(self, entries: Iterable[tuple[RepoPath, FileEntry]]) -> None:
        """Stage content that the lake has already."""
        ...


def restore(session: Stage, source: Snapshot, path: RepoPath) -> None:
    """Stage that a session has at and below `path` exactly what `source` has there."""
    shown = session.tree.still()

    def differences() -> Iterator[StagedChange]:
        top = shown.resolve(path)
        there = iter(()) if top is None else shown.effective(top, path)
        return iter_differences(source.iter_entries(path), there)

    session.put_entries(_with_room(session, differences(), path))
    _drop_others(session, source, differences(), path)
    # A folder takes permissions only while it is empty.
    session.put_entries(
        (place, wanted)
        for place, wanted, _ in differences()
        if wanted is not None and wanted.kind is EntryKind.FOLDER
    )


def _with_room(
    session: Stage, differences: Iterable[StagedChange], path: RepoPath
) -> Iterator[tuple[RepoPath, FileEntry]]:
    """Yield what is wanted, having removed files in place of folders, and folders of files."""
    for place, wanted, _ in differences:
        if wanted is None:
            continue
        node = session.tree.resolve(place)
        if node is None:
            _remove_file_above(session, place, path)
        elif node.is_folder is not (wanted.kind is EntryKind.FOLDER):
            session.delete(place)
        yield place, wanted


def _remove_file_above(session: Stage, place: RepoPath, path: RepoPath) -> None:
    """Remove a file, at or below `path`, where a folder above `place` is wanted."""
    while place != path:
        place = parent_of(place)
        if not is_within(place, path):
            return
        node = session.tree.resolve(place)
        if node is not None:
            if not node.is_folder:
                session.delete(place)
            return


def _drop_others(
    session: Stage, source: Snapshot, differences: Iterable[StagedChange], path: RepoPath
) -> None:
    """Remove what is at and below `path` and not wanted there: whole folders where it can be."""
    dropped: RepoPath | None = None
    for place, wanted, _ in differences:
        if wanted is not None or (dropped is not None and is_within(place, dropped)):
            continue
        dropped = _topmost_missing(source, place, path)
        if dropped is not None and session.tree.resolve(dropped) is not None:
            session.delete(dropped)


def _topmost_missing(source: Snapshot, place: RepoPath, path: RepoPath) -> RepoPath | None:
    """Return the first name on the way from `path` to `place` that a tree has not."""
    found = None
    while place and is_within(place, path) and source.look(place) is None:
        found, place = place, parent_of(place)
    return found
