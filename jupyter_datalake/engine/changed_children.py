"""What is staged, folded into the children of one folder: what a file browser marks.

Staged paths and what others committed since are streams in the order of keys, in which everything
at and below a child is one stretch. So they are walked in step, once, and nothing is kept of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from jupyter_datalake.engine.rebasing import Meetings, is_closed
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.model.changes import ChangedChild, ChangeKind
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.model.paths import RepoPath, name_of, path_from_key, path_key
from jupyter_datalake.model.side_by_side import side_by_side


@dataclass(frozen=True, slots=True)
class Ours:
    """A path that is staged."""

    path: RepoPath
    is_closed: bool
    """Whether something is there now that nothing can be below: a file, a symlink."""
    entry: FileEntry | None = None
    """What is there, as far as that is known without reading it."""


def changed_children(
    ours: Iterable[Ours],
    below: RepoPath,
    base: Snapshot,
    head: Snapshot,
    is_there: Callable[[RepoPath], bool],
) -> Iterator[ChangedChild]:
    """Yield the children of a folder in which something is staged, in the order of keys.

    Parameters
    ----------
    ours
        What is staged below the folder, by key.
    base, head
        The commit that this is relative to, and the one that the branch has now.
    is_there
        Tells whether something is at a path now.
    """
    inside = (one for one in ours if one.path != below)
    marked = _marked(inside, below, base, head)
    for child, paths in groupby(marked, lambda one: _child(one[0], below)):
        count = 0
        is_conflict = False
        for _, staged, meets in paths:
            count += staged
            is_conflict |= meets
        kind = _kind(base.find(child) is not None, is_there(child))
        yield ChangedChild(name_of(child), kind, count, is_conflict)


def _marked(
    ours: Iterable[Ours], below: RepoPath, base: Snapshot, head: Snapshot
) -> Iterator[tuple[RepoPath, int, bool]]:
    """Yield a path, how many staged paths it stands for, and whether others changed it too."""
    if base.root == head.root:
        for one in ours:
            yield one.path, 1, False
        return
    theirs = ((path_key(path), new) for path, _, new in base.differences(head, below))
    meetings = Meetings()
    for key, mine, their in side_by_side(((path_key(one.path), one) for one in ours), theirs):
        if mine is not None and their is not None and _same(mine[1], their[1]):
            yield mine[1].path, 1, False
            continue
        met = meetings.add(key, mine and mine[1].is_closed, their and is_closed(their[1]))
        if mine is not None:
            yield mine[1].path, 1, met is not None
        elif met is not None and met.below_ours is not None:
            yield path_from_key(met.below_ours), 0, True


def _same(ours: Ours, theirs: FileEntry | None) -> bool:
    if ours.entry is None or theirs is None:
        return False
    return ours.entry.same_content(theirs)


def _child(path: RepoPath, below: RepoPath) -> RepoPath:
    begin = len(below) + 1 if below else 0
    end = path.find("/", begin)
    return path if end < 0 else RepoPath(path[:end])


def _kind(was_there: bool, is_there: bool) -> ChangeKind:
    if not was_there:
        return ChangeKind.ADDED
    return ChangeKind.MODIFIED if is_there else ChangeKind.REMOVED
