"""Three-way merging of trees, path by path.

Of three manifests (a common base and the two sides that grew from it) the side that changed less
is walked, and each of its changes is looked up in the other side. So the cost is that of the
smaller difference, however large the trees are and however much the other side changed.

A change is taken when the other side left the path as it was, or did the same. It *clashes* when

- both sides changed one path to different things, or one changed what the other removed: the
  clash is that path;
- one side has a file where the other has a folder with something new in it: the clash is the
  path of the file, and stands for everything below.

Permissions count, times do not. Empty folders never clash with each other or with a folder that
is gone, and give way to what the other side put into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.entries import EntryKind, decode_entry
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.manifests import (
    Cursor,
    Difference,
    Edit,
    Item,
    NodeSource,
    diff_manifests,
    get_item,
    iter_items,
)
from jupyter_datalake.model.paths import RepoPath, path_from_key, path_key


class Side(StrEnum):
    """Whose version of a path is wanted."""

    OURS = "ours"
    """That of the branch that is merged into."""
    THEIRS = "theirs"
    """That of what is merged."""


class ClashKind(StrEnum):
    """What two sides did to one path."""

    BOTH_ADDED = "both-added"
    BOTH_MODIFIED = "both-modified"
    OURS_REMOVED = "ours-removed"
    """Ours removed what theirs modified."""
    THEIRS_REMOVED = "theirs-removed"
    FILE_AND_FOLDER = "file-and-folder"
    """A file on one side, a folder with contents on the other."""


class MergeOutcome(StrEnum):
    """What became, or would become, of a merge."""

    MERGED = "merged"
    """A new commit."""
    FAST_FORWARD = "fast-forward"
    """The branch moved to a commit that had its head among its ancestors."""
    UP_TO_DATE = "up-to-date"
    """There was nothing to take over."""
    CONFLICTS = "conflicts"
    """Only of a dry run: paths clash that nothing was said about."""


class FastForward(StrEnum):
    """Whether a branch that has nothing of its own may simply move on."""

    ALLOW = "allow"
    ONLY = "only"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Clash:
    """A path that two sides changed otherwise."""

    path: RepoPath
    kind: ClashKind


@dataclass(frozen=True, slots=True)
class Conflict:
    """A clash as people see it: what each of the three trees has at the path."""

    path: RepoPath
    kind: ClashKind
    base: FileInfo | None
    ours: FileInfo | None
    theirs: FileInfo | None


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What a merge, revert or cherry-pick did, or would do."""

    outcome: MergeOutcome
    commit: Commit | None
    """Where the branch is now; None for a dry run."""
    base_commit_id: CommitId | None
    """The common ancestor that both sides were compared with; None if there is none."""
    ours_commit_id: CommitId
    theirs_commit_id: CommitId
    changes: tuple[Change, ...] = ()
    """Of a dry run: what would change on the branch, by path, as many as were asked for."""
    has_more: bool = False
    """Whether there are more changes than that."""
    conflicts: tuple[Conflict, ...] = ()
    """What no choice was made for; only a dry run reports it, others raise `ConflictError`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A place in some tree whose content is wanted instead of either side's."""

    root: Digest
    path: RepoPath


Decide = Callable[[Clash], Side | Taken | None]
"""Says what a clash becomes; None leaves it open."""


@dataclass(frozen=True, slots=True)
class TreeMerge:
    """A merged tree, as changes to one of its sides."""

    start: Digest
    """The tree that `edits` apply to: the side that changed more."""
    edits: Sequence[Edit]
    """By key, without repeats; an open clash is left as ours has it."""
    open: Sequence[Clash]
    """Clashes that nothing was decided about, by key."""


def merge_manifests(
    source: NodeSource, base: Digest, ours: Digest, theirs: Digest, decide: Decide
) -> TreeMerge:
    """Merge two trees that grew from `base`.

    The result does not depend on which side is called ours, but for what `decide` says of it,
    for open clashes, and for times of files that are otherwise equal, which are ours.
    """
    if base == theirs or ours == theirs:
        return TreeMerge(ours, (), ())
    if base == ours:
        return TreeMerge(theirs, (), ())
    changes, is_theirs = _smaller_difference(source, base, ours, theirs)
    into, other = (ours, theirs) if is_theirs else (theirs, ours)
    return _Merger(source, base, into, other, is_swapped=not is_theirs).run(changes, decide)


def _smaller_difference(
    source: NodeSource, base: Digest, ours: Digest, theirs: Digest
) -> tuple[list[Difference], bool]:
    """Return the changes of the side that has fewer, and whether that is theirs.

    Both are walked in step, so the larger one is not read further than the smaller one is long.
    """
    of_theirs, of_ours = (diff_manifests(source, base, side) for side in (theirs, ours))
    their_changes: list[Difference] = []
    our_changes: list[Difference] = []
    while True:
        if (change := next(of_theirs, None)) is None:
            return their_changes, True
        their_changes.append(change)
        if (change := next(of_ours, None)) is None:
            return our_changes, False
        our_changes.append(change)


@dataclass(slots=True)
class _Merger:
    """Takes the changes that led from base to `other` over into the tree `into`."""

    source: NodeSource
    base: Digest
    into: Digest
    other: Digest
    is_swapped: bool
    """Whether `into` is theirs."""
    edits: dict[bytes, Item | None] = field(default_factory=dict)
    clashes: dict[bytes, ClashKind] = field(default_factory=dict)
    _above: dict[bytes, Item | None] = field(default_factory=dict)
    """What `into` has at the folders above the keys of late."""

    def run(self, changes: Sequence[Difference], decide: Decide) -> TreeMerge:
        cursor = Cursor(self.source, self.into)
        cut = b""
        for change in changes:
            if not (cut and _is_at(change.key, cut)):
                cut = self._take(cursor, change)
        opened = [
            clash
            for key, kind in sorted(self.clashes.items())
            if not self._settle(clash := Clash(path_from_key(key), kind), decide(clash))
        ]
        self._settle_folders()
        edits = [
            Edit(key, None) if item is None else Edit(key, item.value, item.size_bytes)
            for key, item in sorted(self.edits.items(), key=lambda pair: pair[0])
        ]
        return TreeMerge(self.into, edits, opened)

    # --- taking changes over ---------------------------------------------------------------------

    def _take(self, cursor: Cursor, change: Difference) -> bytes:
        """Take one change over, or note the clash; return the key to cut off below, if any."""
        key, old, new = change
        cursor.seek(key)
        found = cursor.peek()
        has_below = found is not None and found.key.startswith(key + b"\0")
        if found is not None and found.key != key:
            found = None
        if new is not None:
            above = self._changed_file_above(key)
            if above:
                return self._cut(above)
            if has_below and not _is_marker(new) and self._is_changed_below(key):
                return self._cut(key)
        if _same(found, new):
            if self.is_swapped and found != new:
                self.edits[key] = new  # times are ours
        elif _same(found, old):
            self.edits[key] = new
        elif _is_marker_or_none(found) and _is_marker_or_none(new):
            if found is None or (self.is_swapped and new is not None):
                self.edits[key] = new
        else:
            self.clashes[key] = self._kind_of(old, found, new)
        return b""

    def _cut(self, key: bytes) -> bytes:
        """Note that a file stands against a folder at `key`, which settles everything below."""
        _drop_last(self.edits, key)
        _drop_last(self.clashes, key)
        self.clashes[key] = ClashKind.FILE_AND_FOLDER
        return key

    def _changed_file_above(self, key: bytes) -> bytes:
        """Return the key of a file in `into` that is new there and that `key` lies below."""
        for above in _folders_above(key):
            item = self._item_above(above)
            if item is not None and not _is_marker(item):
                was = get_item(self.source, self.base, above)
                return b"" if _same(was, item) else above
        return b""

    def _item_above(self, key: bytes) -> Item | None:
        if key not in self._above:
            if len(self._above) > 1000:
                self._above.clear()
            self._above[key] = get_item(self.source, self.into, key)
        return self._above[key]

    def _is_changed_below(self, key: bytes) -> bool:
        changes = diff_manifests(self.source, self.base, self.into, key + b"\0", key + b"\x01")
        return any(one.new is not None and not _same(one.old, one.new) for one in changes)

    def _kind_of(self, old: Item | None, found: Item | None, new: Item | None) -> ClashKind:
        if found is not None and new is not None:
            return ClashKind.BOTH_ADDED if old is None else ClashKind.BOTH_MODIFIED
        is_ours_gone = (new if self.is_swapped else found) is None
        return ClashKind.OURS_REMOVED if is_ours_gone else ClashKind.THEIRS_REMOVED

    # --- settling --------------------------------------------------------------------------------

    def _settle(self, clash: Clash, choice: Side | Taken | None) -> bool:
        """Make a clash what was chosen, or ours; tell whether anything was chosen."""
        mine = Side.THEIRS if self.is_swapped else Side.OURS
        key = path_key(clash.path)
        if isinstance(choice, Taken):
            self._replace(key, choice.root, path_key(choice.path))
        elif (choice or Side.OURS) is not mine:
            self._replace(key, self.other, key)
        return choice is not None

    def _replace(self, key: bytes, root: Digest, origin: bytes) -> None:
        """Make everything at and below `key` what `root` has at and below `origin`."""
        self.edits |= {item.key: None for item in _items_at(self.source, self.into, key)}
        for item in _items_at(self.source, root, origin):
            below = item.key[len(origin) :].lstrip(b"\0")
            place = b"\0".join(part for part in (key, below) if part)
            self.edits[place] = item._replace(key=place)

    def _settle_folders(self) -> None:
        """Leave no marker of an empty folder beside contents of that folder."""
        added = [key for key, item in self.edits.items() if item is not None]
        for key in added:
            for above in _folders_above(key):
                item = self.edits.get(above) or self._item_above(above)
                if item is not None and _is_marker(item):
                    self.edits[above] = None
        for key in added:
            item = self.edits[key]
            if item is not None and _is_marker(item) and self._has_survivors(key):
                self.edits[key] = None

    def _has_survivors(self, key: bytes) -> bool:
        """Tell whether something that `into` has below `key` stays."""
        there = iter_items(self.source, self.into, key + b"\0", key + b"\x01")
        return any(self.edits.get(item.key, item) is not None for item in there)


def _items_at(source: NodeSource, root: Digest, key: bytes) -> Iterator[Item]:
    """Return what a tree has at and below a key; everything for the empty key."""
    return iter_items(source, root, key, key + b"\x01" if key else None)


def _drop_last(known: dict[bytes, Any], key: bytes) -> None:
    """Drop what was noted last, in order of keys, at and below a key."""
    while known and _is_at(last := next(reversed(known)), key):
        del known[last]


def _is_at(key: bytes, place: bytes) -> bool:
    return key == place or key.startswith(place + b"\0")


def _folders_above(key: bytes) -> Iterator[bytes]:
    end = key.find(b"\0")
    while end >= 0:
        yield key[:end]
        end = key.find(b"\0", end + 1)


def _is_marker(item: Item) -> bool:
    return decode_entry(item.value, item.size_bytes).kind is EntryKind.FOLDER


def _is_marker_or_none(item: Item | None) -> bool:
    return item is None or _is_marker(item)


def _same(one: Item | None, other: Item | None) -> bool:
    """Tell whether two trees have the same at a key, but for its time."""
    if one is None or other is None:
        return one is other
    if one == other:
        return True
    first, second = (decode_entry(item.value, item.size_bytes) for item in (one, other))
    return first.same_content(second)
