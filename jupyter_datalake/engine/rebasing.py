"""Changes to one tree, applied to another that grew from it: a commit whose branch moved.

Both sides are streams in the order of keys, in which whatever is below a path follows that path. So
they are walked in step, and what is kept in mind is what lies above the present key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

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
from jupyter_datalake.model.sessions import NO_CHOICES, Choices, Whose
from jupyter_datalake.model.side_by_side import side_by_side

KeyChange = tuple[bytes, FileEntry | None]
"""Manifest key, and the entry to be there; None where it goes away."""

_SHOWN = 100


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


class Met(NamedTuple):
    """Where changes of two sides meet."""

    is_same: bool
    """Whether both changed the path itself."""
    below_ours: bytes | None
    """The key above a change of theirs at which we put something that nothing can be below."""
    below_theirs: bytes | None
    """The same of a change of ours, and theirs."""


class Meetings:
    """Tells of changes that come in the order of keys where two sides meet.

    They do on a path that both changed, or when one changed it and the other put something above it
    that nothing can be below. What is kept in mind is what lies above the present key.
    """

    def __init__(self) -> None:
        self._above: list[tuple[bytes, bool, bool]] = []

    def add(self, key: bytes, ours: bool | None, theirs: bool | None) -> Met | None:
        """Take the next key that a side changed; return where they meet, if they do.

        Parameters
        ----------
        ours, theirs
            Whether that side put something there that nothing can be below; None where it
            changed nothing.
        """
        while self._above and not key.startswith(self._above[-1][0] + b"\0"):
            self._above.pop()
        above_ours = next((one for one, is_ours, _ in self._above if is_ours), None)
        above_theirs = next((one for one, _, is_theirs in self._above if is_theirs), None)
        met = Met(
            ours is not None and theirs is not None,
            None if theirs is None else above_ours,
            None if ours is None else above_theirs,
        )
        self._above.append((key, bool(ours), bool(theirs)))
        return met if met != (False, None, None) else None

    def settle(self, ours: bool, theirs: bool) -> None:
        """Say what became of the last key, where something was decided about it."""
        self._above[-1] = (self._above[-1][0], ours, theirs)


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
    source: NodeSource,
    base: Digest,
    head: Digest,
    ours: Iterable[KeyChange],
    meeting: Meeting,
    choices: Choices = NO_CHOICES,
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
        Gets the paths on which the sides meet and nothing was chosen: where there are any, the
        edits are of no use.
    choices
        Whose change is made where they meet.
    """
    meetings = Meetings()
    last = b""
    for key, first, second in side_by_side(ours, changes_between(source, base, head)):
        if first is not None and second is not None and _same(first[1], second[1]):
            continue
        met = meetings.add(key, _closes(first), _closes(second))
        whose = _whose(key, first, second, met, choices)
        mine, their_change = first, second
        if whose is Whose.THEIRS:
            mine = None
        elif whose is Whose.MINE:
            mine, their_change = first or (key, None), None
        elif met is not None:
            meeting.add(key)
        meetings.settle(bool(_closes(mine)), bool(_closes(their_change)))
        if mine is not None and not _stays(source, base, head, key, mine[1]):
            if mine[1] is not None:
                yield from _markers_above(source, head, key, last)
            yield _edit(key, mine[1])
            last = key


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


def _closes(change: KeyChange | None) -> bool | None:
    """Tell whether a side put something at a key that nothing can be below; None: no change."""
    return None if change is None else is_closed(change[1])


def is_closed(entry: FileEntry | None) -> bool:
    """Tell whether nothing can be below what an entry says: a file or symlink, no folder."""
    return entry is not None and entry.kind is not EntryKind.FOLDER


def _whose(
    key: bytes,
    mine: KeyChange | None,
    theirs: KeyChange | None,
    met: Met | None,
    choices: Choices,
) -> Whose | None:
    """Return whose change of a key is made, where that was chosen and is possible."""
    if met is not None:
        whose = choices.at(path_from_key(key))
        # Below a file nothing can be: that file gives way only where this very path was chosen.
        is_in_vain = (whose is Whose.MINE and met.below_theirs is not None) or (
            whose is Whose.THEIRS and met.below_ours is not None
        )
        return None if is_in_vain else whose
    for change, other in ((mine, Whose.THEIRS), (theirs, Whose.MINE)):
        if _closes(change) and choices.is_below(path_from_key(key), other):
            return other  # a file that is not wanted, because what is below it is
    return None


def _edit(key: bytes, entry: FileEntry | None) -> Edit:
    return Edit(key, None) if entry is None else Edit(key, entry.encode(), entry.size_bytes)


def _same(ours: FileEntry | None, theirs: FileEntry | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return ours.same_content(theirs)


def _entry_of(item: Item | None) -> FileEntry | None:
    return None if item is None else decode_entry(item.value, item.size_bytes)
