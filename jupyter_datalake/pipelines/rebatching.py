"""Rebatching: which batches of one repo input are touched by what has changed.

A batch is cut from a window of so many names, of which it takes at least half. So a name that comes
or goes can move the end of the batch that it is in, and of the one before, whose window may reach
into it, and of no earlier one. From there on batches are cut anew, until one ends where one ended
before and nothing further has changed nearby.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jupyter_datalake.model.batching import batches
from jupyter_datalake.model.datum_sets import SetInput, SetMember, parse_member
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import Edit, iter_items, key_at, measure_range
from jupyter_datalake.model.paths import RepoPath, path_key
from jupyter_datalake.model.pipelines import RepoInput
from jupyter_datalake.pipelines.cutting import Cutter, name_digest
from jupyter_datalake.pipelines.touching import MOST_CHANGES, Between, ChangedMatch, changed_matches

_BEFORE = 1
"""So many batches before that of a changed name may end elsewhere."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Batches in a row that were cut anew."""

    old: list[SetMember]
    new: list[tuple[SetInput, ...]]


class TouchedBatches:
    """The datums of one repo input that is cut into batches."""

    def __init__(self, between: Between, leaf: RepoInput, size: int) -> None:
        self._between = between
        self._leaf = leaf
        self._size = size
        self._new: Cutter
        old, self._new = between.cutters()
        self._changes: list[ChangedMatch] = []
        for one in changed_matches(between.core, leaf, old.tree(leaf), self._new.tree(leaf)):
            self._changes.append(one)
            if self.is_too_large():
                break
        self._keys = [path_key(one.path) for one in self._changes]

    def is_too_large(self) -> bool:
        """Tell whether so much has changed that all must be looked at."""
        return len(self._changes) > MOST_CHANGES

    def now(self) -> Iterator[tuple[DatumInput, ...]]:
        """Yield the batches that there are now and were not, or hold something else."""
        for stretch in self._stretches():
            same = {one.inputs for one in stretch.old}
            for batch in stretch.new:
                if batch not in same:
                    yield self._between.layout.inputs(batch, self._between.new)

    def before(self) -> Iterator[SetMember]:
        """Yield the batches that are not there any more, or hold something else."""
        for stretch in self._stretches():
            same = set(stretch.new)
            yield from (one for one in stretch.old if one.inputs not in same)

    def index(self) -> Iterator[Edit]:
        """Yield nothing: nothing is compared."""
        yield from ()

    def new_input(self, path: RepoPath) -> SetInput:
        """Return what a changed match is now."""
        one = self._new.cut_at(self._leaf, path).pieces[0].resolve()
        return SetInput(0, path, one.digest, one.size_bytes)

    def _stretches(self) -> Iterator[_Stretch]:
        at = 0
        while at < len(self._changes):
            stretch, at = self._cut_anew(at)
            yield stretch

    def _first_touched(self, at: int) -> int:
        """Return from which batch on a change may have an effect."""
        between = self._between
        behind = between.layout.start_of(0, self._changes[at].path) + b"\0\1"
        # The last of those that begin with this name or one before it is that of the name.
        begun = measure_range(between.core.nodes, between.root, b"", behind).item_count
        return max(begun - 1 - _BEFORE, 0)

    def _cut_anew(self, at: int) -> tuple[_Stretch, int]:
        """Cut anew for the change number `at`; return what came of it, and the next change."""
        start = self._first_touched(at)
        names = _Names(self, self._between, start, self._changes[at:])
        new: list[tuple[SetInput, ...]] = []
        for batch in batches(names, self._size, self._digest):
            new.append(tuple(replace(one, part=part) for part, one in enumerate(batch)))
            following = names.following(len(batch))
            number = None if following is None else names.begins.get(following.path)
            if following is None or number is None:
                continue
            ahead = bisect_left(self._keys, path_key(following.path))
            if ahead == len(self._keys) or self._first_touched(ahead) > number:
                return _Stretch(names.old[: number - start], new), ahead
        return _Stretch(names.old, new), len(self._changes)

    def _digest(self, one: SetInput) -> Digest:
        return name_digest(self._between.layout.inputs((one,), self._between.new))


class _Names:
    """The matches from a batch on, as they are now: the old ones, and what has changed of them."""

    def __init__(
        self,
        touched: TouchedBatches,
        between: Between,
        start: int,
        changes: Sequence[ChangedMatch],
    ) -> None:
        self.old: list[SetMember] = []
        """The batches that were read."""
        self.begins: dict[RepoPath, int] = {}
        """What these began with, with their numbers."""
        self._touched = touched
        self._between = between
        self._start = start
        self._merged = self._merge(changes)
        self._handed: deque[SetInput] = deque()
        """What was handed out and is in no batch yet."""
        self._peeked: SetInput | None = None

    def __iter__(self) -> Iterator[SetInput]:
        return self

    def __next__(self) -> SetInput:
        one = self._peeked if self._peeked is not None else next(self._merged)
        self._peeked = None
        self._handed.append(one)
        return one

    def following(self, count: int) -> SetInput | None:
        """Return what is behind a batch of so many, which was just made; None at the end."""
        for _ in range(count):
            self._handed.popleft()
        if self._handed:
            return self._handed[0]
        self._peeked = next(self._merged, None)
        return self._peeked

    def _merge(self, changes: Sequence[ChangedMatch]) -> Iterator[SetInput]:
        waiting = deque(changes)
        for one in self._old_names():
            key = path_key(one.path)
            while waiting and path_key(waiting[0].path) < key:
                yield from self._changed(waiting.popleft())
            if waiting and waiting[0].path == one.path:
                yield from self._changed(waiting.popleft())
            else:
                yield one
        for change in waiting:
            yield from self._changed(change)

    def _changed(self, change: ChangedMatch) -> Iterator[SetInput]:
        if change.is_there:
            yield self._touched.new_input(change.path)

    def _old_names(self) -> Iterator[SetInput]:
        nodes, root = self._between.core.nodes, self._between.root
        first = key_at(nodes, root, self._start)
        if first is None:
            return
        for number, item in enumerate(iter_items(nodes, root, first), self._start):
            member = parse_member(item)
            self.old.append(member)
            self.begins[member.inputs[0].path] = number
            yield from (replace(one, part=None) for one in member.inputs)
