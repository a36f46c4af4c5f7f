"""Changes to one tree, applied to another that grew from it: a commit whose branch moved.

Both sides are streams in the order of keys, in which whatever is below a path follows that path. So
they are walked in step, and what is kept in mind is what lies above the present key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from jupyter_datalake.model.entries import EntryKind, FileEntry, decode_entry
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import (
    Edit,
    Item,
    NodeSource,
    diff_manifests,
    get_item,
    iter_items,
)
from jupyter_datalake.model.paths import RepoPath, path_from_key

KeyChange = tuple[bytes, FileEntry | None]
"""Manifest key, and the entry to be there; None where it goes away."""

_SHOWN = 100

Ours = TypeVar("Ours")


@dataclass(slots=True)
class Meeting:
    """Paths on which two sides meet."""

    first: list[RepoPath] = field(default_factory=list)
    count: int = 0

    def add(self, key: bytes) -> None:
        """Take note of one."""
        self.count += 1
        if self.count <= _SHOWN:
            self.first.append(path_from_key(key))


@dataclass(frozen=True, slots=True)
class _Changed:
    """A key that one side changed, or both."""

    key: bytes
    is_ours: bool
    is_theirs: bool
    """Whether that side put something there that nothing can be below."""


def changes_between(source: NodeSource, old: Digest, new: Digest) -> Iterator[KeyChange]:
    """Yield what leads from one tree to another, by key."""
    for one in diff_manifests(source, old, new):
        yield one.key, _entry_of(one.new)


def old_times(source: NodeSource, base: Digest, root: Digest) -> Iterator[Edit]:
    """Yield the edits that give entries of `root` the time back which differ in that alone.

    A file written with what it held before is no change worth a commit.
    """
    for one in diff_manifests(source, base, root):
        old, new = _entry_of(one.old), _entry_of(one.new)
        if one.old is not None and old is not None and new is not None and new.same_content(old):
            yield Edit(one.key, one.old.value, one.old.size_bytes)


def rebased_edits(
    source: NodeSource, base: Digest, head: Digest, ours: Iterable[KeyChange], meeting: Meeting
) -> Iterator[Edit]:
    """Yield the edits to `head` that make our changes to `base` there as well.

    Two sides meet on a path when both changed it, or when one changed it and the other something
    above or below it. Equal changes are no conflict: both wanted the same. No marker of an empty
    folder is left beside contents of that folder.

    Parameters
    ----------
    ours
        By key; a tree with them has nothing below a marker of an empty folder.
    meeting
        Gets the paths on which the sides meet: where there are any, the edits are of no use.
    """
    above: list[_Changed] = []
    last = b""
    for key, mine, their_change in side_by_side(ours, changes_between(source, base, head)):
        while above and not key.startswith(above[-1].key + b"\0"):
            above.pop()
        if mine is not None and their_change is not None and _same(mine[1], their_change[1]):
            continue
        is_below_theirs = mine is not None and any(one.is_theirs for one in above)
        is_below_ours = their_change is not None and any(one.is_ours for one in above)
        if (mine and their_change) or is_below_theirs or is_below_ours:
            meeting.add(key)
        if mine is not None and not _stays(source, base, head, key, mine[1]):
            if mine[1] is not None:
                yield from _markers_above(source, head, key, last)
            yield _edit(key, mine[1])
            last = key
        above.append(_Changed(key, _closes(mine), _closes(their_change)))


def side_by_side(
    ours: Iterable[tuple[bytes, Ours]], theirs: Iterable[KeyChange]
) -> Iterator[tuple[bytes, tuple[bytes, Ours] | None, KeyChange | None]]:
    """Yield each key that a side changed, with what each side made of it."""
    left, right = iter(ours), iter(theirs)
    mine, their_change = next(left, None), next(right, None)
    while mine is not None or their_change is not None:
        if their_change is None or (mine is not None and mine[0] < their_change[0]):
            assert mine is not None
            yield mine[0], mine, None
            mine = next(left, None)
        elif mine is None or their_change[0] < mine[0]:
            yield their_change[0], None, their_change
            their_change = next(right, None)
        else:
            yield mine[0], mine, their_change
            mine, their_change = next(left, None), next(right, None)


def _stays(
    source: NodeSource, base: Digest, head: Digest, key: bytes, entry: FileEntry | None
) -> bool:
    """Tell whether a folder that is empty with us has contents that others put there."""
    if entry is None or entry.kind is not EntryKind.FOLDER:
        return False
    there = iter_items(source, head, key + b"\0", key + b"\x01")
    return any(get_item(source, base, item.key) is None for item in there)


def _markers_above(source: NodeSource, head: Digest, key: bytes, last: bytes) -> Iterator[Edit]:
    """Yield the removal of the markers of folders that get contents with `key`.

    A folder before `last`, the last edit, was looked at before: that one is below it, and nothing
    is below a marker.
    """
    end = key.find(b"\0")
    while end >= 0:
        folder = key[:end]
        if folder > last:
            marker = _entry_of(get_item(source, head, folder))
            if marker is not None and marker.kind is EntryKind.FOLDER:
                yield Edit(folder, None)
        end = key.find(b"\0", end + 1)


def _closes(change: KeyChange | None) -> bool:
    """Tell whether a side put something at a key that nothing can be below."""
    return change is not None and change[1] is not None and change[1].kind is not EntryKind.FOLDER


def _edit(key: bytes, entry: FileEntry | None) -> Edit:
    return Edit(key, None) if entry is None else Edit(key, entry.encode(), entry.size_bytes)


def _same(ours: FileEntry | None, theirs: FileEntry | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return ours.same_content(theirs)


def _entry_of(item: Item | None) -> FileEntry | None:
    return None if item is None else decode_entry(item.value, item.size_bytes)
