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
from typing import NamedTuple

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
from jupyter_datalake.model.side_by_side import side_by_side


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
    """What no choice was made for, `MAX_OPEN` at most; only a dry run reports it, others raise
    `ConflictError`."""
    conflict_count: int = 0
    """How many there are."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A place in some tree whose content is wanted instead of either side's."""

    root: Digest
    path: RepoPath


Decide = Callable[[Clash], Side | Taken | None]
"""Says what a clash becomes; None leaves it open."""

MAX_OPEN = 10_000
"""Open clashes that are told one by one; of more there is the number."""


class TreeMerge:
    """Two trees that grew from one, as changes to one of them that are made as they are asked for.

    Nothing of the trees is held: memory is that of a few nodes, however much has changed.
    """

    def __init__(self, start: Digest, merger: _Merger | None = None) -> None:
        self.start = start
        """The tree that `edits` apply to."""
        self._merger = merger

    def edits(self) -> Iterator[Edit]:
        """Yield the changes by key, without repeats; an open clash is left as ours has it.

        To be gone through once.
        """
        return iter(()) if self._merger is None else self._merger.edits()

    @property
    def open(self) -> Sequence[Clash]:
        """Clashes that nothing was decided about, by key, as far as `edits` was gone through.

        The first `MAX_OPEN` of them.
        """
        return () if self._merger is None else self._merger.open

    @property
    def open_count(self) -> int:
        """How many there are."""
        return 0 if self._merger is None else self._merger.open_count


def merge_manifests(
    source: NodeSource,
    base: Digest,
    ours: Digest,
    theirs: Digest,
    decide: Decide,
    *,
    from_ours: bool = False,
) -> TreeMerge:
    """Merge two trees that grew from `base`.

    The result does not depend on which side is called ours, but for what `decide` says of it,
    for open clashes, and for times of files that are otherwise equal, which are ours.

    Parameters
    ----------
    decide
        May be asked twice about a clash, and is to say the same.
    from_ours
        Make the edits those to ours, even if it is theirs that changed more: what is taken over
        is seen then without a merged tree, at the cost of as much of the difference of theirs
        as is gone through.
    """
    if base == theirs or ours == theirs:
        return TreeMerge(ours)
    if from_ours:
        return TreeMerge(ours, _Merger(source, base, ours, theirs, decide, is_swapped=False))
    if base == ours:
        return TreeMerge(theirs)
    is_swapped = not _has_fewer_changes(source, base, theirs, ours)
    into, other = (theirs, ours) if is_swapped else (ours, theirs)
    return TreeMerge(into, _Merger(source, base, into, other, decide, is_swapped=is_swapped))


def _has_fewer_changes(source: NodeSource, base: Digest, side: Digest, other: Digest) -> bool:
    """Tell whether a side has no more changes than the other.

    Both are walked in step, so the larger one is not read further than the smaller one is long.
    """
    of_other = diff_manifests(source, base, other)
    return all(next(of_other, None) is not None for _ in diff_manifests(source, base, side))


class _Note(NamedTuple):
    """What is to become of one key of `into`."""

    key: bytes
    item: Item | None
    """What it is to hold; None for nothing."""
    clash: ClashKind | None = None
    """Why that is not known."""


@dataclass(slots=True)
class _Merger:
    """Takes the changes that led from base to `other` over into the tree `into`.

    They pass through three steps, each of which looks at little more than one key: `_notes` finds
    what to do, `_settled` puts in place of clashes what was decided, `edits` keeps markers of
    empty folders away from contents.
    """

    source: NodeSource
    base: Digest
    into: Digest
    other: Digest
    decide: Decide
    is_swapped: bool
    """Whether `into` is theirs."""
    open: list[Clash] = field(default_factory=list)
    open_count: int = 0
    _above: dict[bytes, Item | None] = field(default_factory=dict)
    """What `into` has at the folders above the keys of late."""

    def edits(self) -> Iterator[Edit]:
        last = b""
        for key, item, is_chosen in self._settled():
            if item is not None:
                if _is_marker(item) and not is_chosen and self._keeps_below(key):
                    continue
                emptied = self._marker_above(key)
                # It is behind everything before: a marker has nothing below it.
                if emptied > last:
                    yield Edit(emptied, None)
            last = key
            yield Edit(key, None) if item is None else Edit(key, item.value, item.size_bytes)

    # --- finding what to do ----------------------------------------------------------------------

    def _notes(self) -> Iterator[_Note]:
        """Yield what becomes of each key that differs; a clash stands for all below its key."""
        cursor = Cursor(self.source, self.into)
        held: _Note | None = None
        cut = b""
        for change in diff_manifests(self.source, self.base, self.other):
            if cut and _is_at(change.key, cut):
                continue
            note = self._note(cursor, change)
            if note is None:
                continue
            if note.clash is ClashKind.FILE_AND_FOLDER:
                cut = note.key
            # What is said of a file gives way when something turns up below it.
            if held is not None and not _is_at(held.key, note.key):
                yield held
            held = note
        if held is not None:
            yield held

    def _note(self, cursor: Cursor, change: Difference) -> _Note | None:
        """Return what becomes of one key, if anything does, or how it clashes."""
        key, old, new = change
        cursor.seek(key)
        found = cursor.peek()
        has_below = found is not None and found.key.startswith(key + b"\0")
        if found is not None and found.key != key:
            found = None
        if same_but_for_time(old, new):  # only the time, and times are ours
            return _Note(key, new) if self.is_swapped and same_but_for_time(found, new) else None
        if new is not None:
            above = self._changed_file_above(key)
            if above:
                return _Note(above, None, ClashKind.FILE_AND_FOLDER)
            if has_below and not _is_marker(new) and self._is_changed_below(key):
                return _Note(key, None, ClashKind.FILE_AND_FOLDER)
        if same_but_for_time(found, new):
            return _Note(key, new) if self.is_swapped and found != new else None
        if same_but_for_time(found, old):
            return _Note(key, new)
        if _is_marker_or_none(found) and _is_marker_or_none(new):
            is_wanted = found is None or (self.is_swapped and new is not None)
            return _Note(key, new) if is_wanted else None
        return _Note(key, None, self._kind_of(old, found, new))

    def _changed_file_above(self, key: bytes) -> bytes:
        """Return the key of a file in `into` that is new there and that `key` lies below."""
        for above in _folders_above(key):
            item = self._item_above(above)
            if item is not None and not _is_marker(item):
                was = get_item(self.source, self.base, above)
                return b"" if same_but_for_time(was, item) else above
        return b""

    def _marker_above(self, key: bytes) -> bytes:
        """Return the key of an empty folder of `into` that `key` lies below."""
        for above in _folders_above(key):
            item = self._item_above(above)
            if item is not None:
                return above if _is_marker(item) else b""
        return b""

    def _item_above(self, key: bytes) -> Item | None:
        if key not in self._above:
            if len(self._above) > 1000:
                self._above.clear()
            self._above[key] = get_item(self.source, self.into, key)
        return self._above[key]

    def _is_changed_below(self, key: bytes) -> bool:
        return any(one.new is not None for one in self._changes_below(key))

    def _changes_below(self, key: bytes) -> Iterator[Difference]:
        """Yield what `into` changed below a folder, but for times."""
        changes = diff_manifests(self.source, self.base, self.into, key + b"\0", key + b"\x01")
        return (one for one in changes if not same_but_for_time(one.old, one.new))

    def _kind_of(self, old: Item | None, found: Item | None, new: Item | None) -> ClashKind:
        if found is not None and new is not None:
            return ClashKind.BOTH_ADDED if old is None else ClashKind.BOTH_MODIFIED
        is_ours_gone = (new if self.is_swapped else found) is None
        return ClashKind.OURS_REMOVED if is_ours_gone else ClashKind.THEIRS_REMOVED

    # --- settling --------------------------------------------------------------------------------

    def _settled(self) -> Iterator[tuple[bytes, Item | None, bool]]:
        """Yield keys with what they are to hold, and whether that stands in place of a clash."""
        for key, item, kind in self._notes():
            if kind is None:
                yield key, item, False
                continue
            clash = Clash(path_from_key(key), kind)
            choice = self.decide(clash)
            if choice is None:
                self.open_count += 1
                if self.open_count <= MAX_OPEN:
                    self.open.append(clash)
            origin = self._origin(key, choice)
            if origin is not None:
                yield from ((one, other, True) for one, other in self._replaced(key, *origin))

    def _origin(self, key: bytes, choice: Side | Taken | None) -> tuple[Digest, bytes] | None:
        """Return the tree and key of what a clash becomes; None for what `into` has there."""
        if isinstance(choice, Taken):
            return choice.root, path_key(choice.path)
        mine = Side.THEIRS if self.is_swapped else Side.OURS
        return None if (choice or Side.OURS) is mine else (self.other, key)

    def _replaced(
        self, key: bytes, root: Digest, origin: bytes
    ) -> Iterator[tuple[bytes, Item | None]]:
        """Yield what makes everything at and below `key` what `root` has around `origin`."""
        there = ((item.key, item) for item in _items_at(self.source, self.into, key))
        for place, _, wanted in side_by_side(there, self._moved(key, root, origin)):
            yield place, None if wanted is None else wanted[1]

    def _moved(self, key: bytes, root: Digest, origin: bytes) -> Iterator[tuple[bytes, Item]]:
        for item in _items_at(self.source, root, origin):
            below = item.key[len(origin) :].lstrip(b"\0")
            place = b"\0".join(part for part in (key, below) if part)
            yield place, item._replace(key=place)

    def _keeps_below(self, key: bytes) -> bool:
        """Tell whether something stays below a folder that `other` has emptied.

        That is what `into` has put there, and what it has changed if that is decided.
        """
        for one, old, found in self._changes_below(key):
            if found is None:
                continue
            if old is None or _is_marker(found):
                return True
            clash = Clash(path_from_key(one), self._kind_of(old, found, None))
            origin = self._origin(one, self.decide(clash))
            if origin is None or next(_items_at(self.source, *origin), None) is not None:
                return True
        return False


def _items_at(source: NodeSource, root: Digest, key: bytes) -> Iterator[Item]:
    """Return what a tree has at and below a key; everything for the empty key."""
    return iter_items(source, root, key, key + b"\x01" if key else None)


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


def same_but_for_time(one: Item | None, other: Item | None) -> bool:
    """Tell whether two trees have the same at a key, but for its time."""
    if one is None or other is None:
        return one is other
    if one == other:
        return True
    first, second = (decode_entry(item.value, item.size_bytes) for item in (one, other))
    return first.same_content(second)
