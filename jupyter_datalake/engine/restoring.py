"""Making a path of a session what a commit has there, one step at a time.

What is to be there is staged before what is to go away goes, so that whoever is killed in the
middle finds each path as it was or as it should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.engine.worktree import Worktree
from jupyter_datalake.model.entries import EntryKind, FileEntry
from jupyter_datalake.model.paths import RepoPath, is_within, parent_of


class Stage(Protocol):
    """What is needed of a session here."""

    tree: Worktree

    def remove(self, node: Node) -> None:
        """Take a node out of the tree."""
        ...

    def put_entries(self, entries: Iterable[tuple[RepoPath, FileEntry]]) -> None:
        """Stage content that the lake has already."""
        ...


def restore(session: Stage, source: Snapshot, path: RepoPath) -> None:
    """Stage that a session has at and below `path` exactly what `source` has there."""
    wanted = dict(source.iter_entries(path))
    folders = _folders_of(wanted, path)
    _make_room(session, wanted, folders)
    session.put_entries(wanted.items())
    _drop_others(session, wanted, folders, path)


def _folders_of(wanted: Mapping[RepoPath, FileEntry], path: RepoPath) -> set[RepoPath]:
    """Return the folders at and below `path` that what is wanted lies in."""
    found: set[RepoPath] = set()
    for one in wanted:
        above = parent_of(one)
        while one != path and above not in found and is_within(above, path):
            found.add(above)
            if not above:
                break
            above = parent_of(above)
    return found


def _make_room(
    session: Stage, wanted: Mapping[RepoPath, FileEntry], folders: set[RepoPath]
) -> None:
    """Remove files where folders are wanted, and folders where files are."""
    for folder in folders:
        node = session.tree.resolve(folder)
        if node is not None and not node.is_folder:
            session.remove(node)
    for path, entry in wanted.items():
        node = session.tree.resolve(path)
        if node is not None and node.is_folder is not (entry.kind is EntryKind.FOLDER):
            session.remove(node)


def _drop_others(
    session: Stage,
    wanted: Mapping[RepoPath, FileEntry],
    folders: set[RepoPath],
    path: RepoPath,
) -> None:
    """Remove what is at and below `path` and not wanted there."""
    top = session.tree.resolve(path)
    waiting = [] if top is None else [top]
    while waiting:
        node = waiting.pop()
        place = session.tree.path_of(node)
        if place not in wanted and place not in folders and place:
            session.remove(node)
        elif node.is_folder:
            waiting += list(session.tree.iter_children(node))
