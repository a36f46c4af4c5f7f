"""Discarding some of what a session holds: putting back what its base has at and below a path."""

from __future__ import annotations

from itertools import islice
from typing import Protocol

from jupyter_datalake.engine.tree_nodes import Node, Shift
from jupyter_datalake.engine.worktree import Worktree
from jupyter_datalake.model.entries import EntryKind, FileEntry
from jupyter_datalake.model.paths import RepoPath, is_within


class Stage(Protocol):
    """What is needed of a session here."""

    tree: Worktree

    def delete(self, path: RepoPath) -> None:
        """Stage the removal of a file, or of a folder with everything below it."""
        ...

    def put_entry(self, path: RepoPath, entry: FileEntry) -> None:
        """Stage content that the lake has already."""
        ...

    def set_attributes(
        self, node: Node, *, mode: int | None = None, mtime_ns: int | None = None
    ) -> None:
        """Change permissions or time."""
        ...


def revert(session: Stage, path: RepoPath, shift: Shift) -> None:
    """Put back what the commit has at and below `path`, and add to `shift` what that changed.

    It is staged like any other change, so it survives a kill in the middle. What is staged is gone
    through as it was at first, so it may be folded meanwhile, and is never in memory.
    """
    shown = session.tree.still()
    for place, old, _ in shown.iter_changes(path):
        if old is None:
            _remove_added(session, place, path, shift)
    for place, old, _ in shown.iter_changes(path):
        if old is not None:
            _put_back(session, place, old, shift)


def _remove_added(session: Stage, place: RepoPath, path: RepoPath, shift: Shift) -> None:
    """Remove what the commit has not, from the topmost such folder below `path` on.

    A new folder above `path` that would be empty then was made for what was in it, and goes too.
    """
    node = session.tree.resolve(place)
    if node is None:
        return
    while (above := node.parent) is not None and above.parent is not None:
        is_below = is_within(session.tree.path_of(above), path)
        is_alone = len(list(islice(session.tree.iter_children(above), 2))) == 1
        if not (is_below or is_alone) or _is_committed(session.tree, above):
            break
        node = above
    assert node.parent is not None
    _note(shift, node.parent, node.name)
    session.delete(session.tree.path_of(node))


def _note(shift: Shift, folder: Node, name: str) -> None:
    """Note that a name leads elsewhere; only nodes in use can be remembered by anybody."""
    if folder.pins:
        shift.names.append((folder, name))
        shift.nodes.append(folder)


def _is_committed(tree: Worktree, node: Node) -> bool:
    found = tree.committed.look(tree.path_of(node))
    return found is not None and found[0] is node.kind


def _put_back(session: Stage, place: RepoPath, old: FileEntry, shift: Shift) -> None:
    before = session.tree.resolve(place)
    if before is not None and before.is_folder and old.kind is EntryKind.FOLDER:
        session.set_attributes(before, mode=old.mode)
        if before.pins:
            shift.nodes.append(before)
        return
    if before is not None and old.kind is EntryKind.FOLDER:
        session.delete(place)  # a file, which a folder does not take the place of by itself
    session.put_entry(place, old)
    after = session.tree.get(place)
    assert after.parent is not None
    shift.nodes += [one for one in (after, after.parent) if one.pins]
    if before is not after:
        _note(shift, after.parent, after.name)
