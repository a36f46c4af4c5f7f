"""The graph of commits: what came before what, and where two lines of history met last.

Commits are read in batches that run ahead of the walk, so a question costs a few statements and
memory in proportion to the stretch of history it has to look at, not to all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.ids import CommitId

_BATCH = 256
"""Commits that are read ahead at a time."""

# What a walk from two commits knows of a third.
_FIRST, _SECOND, _BEHIND = 1, 2, 4
_BOTH = _FIRST | _SECOND


@dataclass(slots=True)
class Ancestry:
    """Questions about the graph, within one transaction."""

    tx: Transaction
    _parents: dict[CommitId, tuple[CommitId, ...]] = field(default_factory=dict)
    _times: dict[CommitId, int] = field(default_factory=dict)

    def parents(self, commit_id: CommitId) -> tuple[CommitId, ...]:
        """Return the parents of a commit that are still there."""
        self._load(commit_id)
        return tuple(one for one in self._parents.get(commit_id, ()) if self._is_there(one))

    def is_ancestor(self, older: CommitId, newer: CommitId) -> bool:
        """Tell whether `newer` is `older` or was made on it, on any way."""
        return any(found == older for found in self.walk(newer))

    def walk(self, start: CommitId, *, first_parent: bool = False) -> Iterator[CommitId]:
        """Yield a commit and what led to it, newest first; of equal times, the greater id first.

        A commit comes before its parents wherever clocks went forward; each comes once.
        """
        waiting: list[tuple[int, str, CommitId]] = []
        seen = {start}
        self._push(waiting, start)
        while waiting:
            commit_id = heappop(waiting)[2]
            yield commit_id
            for parent in self.parents(commit_id)[: 1 if first_parent else None]:
                if parent not in seen:
                    seen.add(parent)
                    self._push(waiting, parent)

    def merge_bases(self, one: CommitId, other: CommitId) -> list[CommitId]:
        """Return the best common ancestors: those that are no ancestor of another one.

        The newest comes first, by time and then by id; lines that crossed have several, and
        unrelated ones none. The cost is that of the history since then.
        """
        candidates = self._common(one, other)
        best = [
            found
            for found in candidates
            if not any(found != than and self.is_ancestor(found, than) for than in candidates)
        ]
        return sorted(best, key=lambda found: (self._times[found], found), reverse=True)

    def count_beyond(self, one: CommitId, other: CommitId, *, limit: int) -> int:
        """Return how many commits led to `other` and not to `one`, at most `limit`.

        It is exact wherever clocks went forward. The cost is that of the history since they parted.
        """
        marks = {other: _FIRST}
        marks[one] = marks.get(one, 0) | _SECOND
        waiting: list[tuple[int, str, CommitId]] = []
        for start in marks:
            self._push(waiting, start)
        passed: set[CommitId] = set()
        while len(passed) <= limit and any(not marks[entry[2]] & _SECOND for entry in waiting):
            commit_id = heappop(waiting)[2]
            mark = marks[commit_id]
            if mark & _SECOND:
                passed.discard(commit_id)
            else:
                passed.add(commit_id)
            for parent in self.parents(commit_id):
                if marks.get(parent, 0) | mark != marks.get(parent, 0):
                    marks[parent] = marks.get(parent, 0) | mark
                    self._push(waiting, parent)
        return min(len(passed), limit)

    def _common(self, one: CommitId, other: CommitId) -> list[CommitId]:
        """Return common ancestors, the best among them.

        Both sides are followed back, newest first, until all that waits lies behind a common
        ancestor. A commit that turns out to be reached otherwise than thought is walked again.
        """
        marks = {one: _FIRST}
        marks[other] = marks.get(other, 0) | _SECOND
        waiting: list[tuple[int, str, CommitId]] = []
        for start in marks:
            self._push(waiting, start)
        common: set[CommitId] = set()
        while any(not marks[entry[2]] & _BEHIND for entry in waiting):
            commit_id = heappop(waiting)[2]
            mark = marks[commit_id]
            if mark & _BOTH == _BOTH:
                if not mark & _BEHIND:
                    common.add(commit_id)
                mark |= _BEHIND
            for parent in self.parents(commit_id):
                if marks.get(parent, 0) | mark != marks.get(parent, 0):
                    marks[parent] = marks.get(parent, 0) | mark
                    self._push(waiting, parent)
        return [found for found in common if not marks[found] & _BEHIND]

    def _push(self, waiting: list[tuple[int, str, CommitId]], commit_id: CommitId) -> None:
        self._load(commit_id)
        turned = "".join(chr(0x7F - ord(digit)) for digit in commit_id)
        heappush(waiting, (-self._times.get(commit_id, 0), turned, commit_id))

    def _is_there(self, commit_id: CommitId) -> bool:
        self._load(commit_id)
        return commit_id in self._times

    def _load(self, commit_id: CommitId) -> None:
        if commit_id in self._parents:
            return
        self._parents[commit_id] = ()
        for found, time_ns, parents in self.tx.commits.ancestors(commit_id, limit=_BATCH):
            self._parents[found] = parents
            self._times[found] = time_ns
