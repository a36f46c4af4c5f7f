"""Retention: how much history a branch keeps, and which commits that leaves out.

Pure: the graph is given, the answer is a set of ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.ids import CommitId

EVERY_BRANCH = ""
"""Stands for the branches that have no policy of their own."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What a branch keeps. A commit stays while one of the reasons holds; its head always does."""

    repo: str
    branch: str = EVERY_BRANCH
    """Empty: every branch of the repo without a policy of its own."""
    keep_last: int | None = None
    """So many commits, counted along first parents from the head."""
    keep_for_s: float | None = None
    """Those that are younger, in seconds."""
    keep_tagged: bool = True
    """Those that a tag names; the history before them goes all the same."""
    keep_inputs: bool = True
    """Those that commits of any repo were made from."""

    def __post_init__(self) -> None:
        """Refuse a policy that says nothing, or keeps nothing."""
        if self.keep_last is None and self.keep_for_s is None:
            raise InvalidInputError(
                "A retention policy needs keep_last, keep_for, or both",
                hint="To keep everything, delete the policy",
            )
        if self.keep_last is not None and not 1 <= self.keep_last <= 2**31 - 1:
            raise InvalidInputError(f"keep_last is {self.keep_last}; it is at least 1")
        if self.keep_for_s is not None and not 0 <= self.keep_for_s <= 1e10:
            raise InvalidInputError(f"keep_for is {self.keep_for_s} s; it is at least 0")

    def keeps(self, position: int, age_s: float) -> bool:
        """Tell whether the commit at a position of the branch stays; its head is number 0."""
        if position == 0 or (self.keep_last is not None and position < self.keep_last):
            return True
        return self.keep_for_s is not None and age_s < self.keep_for_s


@dataclass(slots=True)
class RetentionReport:
    """What applying the policies of a repo removed, or would remove."""

    repo: str
    is_dry_run: bool
    removed: int = 0
    needed: dict[str, list[str]] = field(default_factory=dict)
    """Commits that are outside of the policies and stay all the same, with what needs them;
    at most 100."""


@dataclass(frozen=True, slots=True)
class GraphCommit:
    """What retention looks at of a commit."""

    parents: tuple[CommitId, ...]
    time_ns: int


Graph = Mapping[CommitId, GraphCommit]


def expired(
    graph: Graph,
    heads: Mapping[str, CommitId],
    policies: Mapping[str, RetentionPolicy],
    now_ns: int,
) -> list[CommitId]:
    """Return the commits outside of the policies, those without kept ancestors first.

    A branch without a policy keeps all that leads to it. For the others, the first commit along
    first parents that its policy does not keep is cut off, with everything that leads to it; what
    another branch keeps stays.

    Parameters
    ----------
    graph
        Every commit of the repo. A parent that is not in it is gone already.
    heads
        Branch to head.
    policies
        By branch; see `EVERY_BRANCH`.
    """
    cut: set[CommitId] = set()
    kept: set[CommitId] = set()
    for branch, head in heads.items():
        policy = policies.get(branch) or policies.get(EVERY_BRANCH)
        end = None if policy is None else _first_outside(graph, head, policy, now_ns)
        behind = set(_ancestors(graph, [end])) if end is not None else set()
        cut |= behind
        kept.update(_ancestors(graph, [head], without=behind))
    gone = cut - kept
    return [one for one in _oldest_first(graph, gone) if one in gone]


def _first_outside(
    graph: Graph, head: CommitId, policy: RetentionPolicy, now_ns: int
) -> CommitId | None:
    position = 0
    current: CommitId | None = head
    while current is not None and (commit := graph.get(current)) is not None:
        if not policy.keeps(position, (now_ns - commit.time_ns) / 1e9):
            return current
        position += 1
        current = commit.parents[0] if commit.parents else None
    return None


def _ancestors(
    graph: Graph, starts: Iterable[CommitId], without: set[CommitId] | None = None
) -> list[CommitId]:
    """Return commits and what led to them, except what is in or behind `without`."""
    seen = set(without or ())
    found: list[CommitId] = []
    waiting = list(starts)
    while waiting:
        current = waiting.pop()
        if current in seen or current not in graph:
            continue
        seen.add(current)
        found.append(current)
        waiting.extend(graph[current].parents)
    return found


def _oldest_first(graph: Graph, chosen: set[CommitId]) -> Sequence[CommitId]:
    """Return commits in an order in which parents come before what follows them."""
    done: set[CommitId] = set()
    order: list[CommitId] = []
    for start in sorted(chosen, key=lambda one: (graph[one].time_ns, one)):
        waiting = [start]
        while waiting:
            current = waiting[-1]
            ahead = [one for one in graph[current].parents if one in chosen and one not in done]
            if current in done:
                waiting.pop()
            elif ahead:
                waiting.extend(ahead)
            else:
                waiting.pop()
                done.add(current)
                order.append(current)
    return order
