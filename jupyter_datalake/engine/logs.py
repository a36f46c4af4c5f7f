"""The log of a ref: the commits that led to it, those of one path, those that fit a filter.

Whether a commit changed a path is seen by comparing the manifests of the commit and its parent in
that range of keys alone: a few nodes each, and none where the trees are equal. Most commits changed
something else: of them the ways from the roots to the path meet, and no node is decoded whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, islice

from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.renames import diff_with_renames
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.changes import ChangeKind
from jupyter_datalake.model.commit_filters import CommitFilter
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.manifests import diff_manifests, iter_items
from jupyter_datalake.model.paths import ROOT, RepoPath, is_within, path_range
from jupyter_datalake.model.ways import Step, step_from

_FIRST_BATCH = 8
_BATCH = 256
"""Commits that are read in one transaction, at first and at most: often the newest are enough."""
_READ_TOGETHER = 64
"""Nodes that are in memory at once, undecoded."""
_STEPS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which of the commits behind a ref are wanted."""

    path: RepoPath | None = None
    """Only those that changed what is at or below it."""
    fits: CommitFilter = field(default_factory=CommitFilter)
    first_parent: bool = True
    """Whether what was merged in is left out; a merge counts as one change then."""
    follow: bool = False
    """Whether `path` is followed to the names it had before."""

    @property
    def is_line(self) -> bool:
        """Whether a walk from any commit of it goes on as one that came there."""
        return self.first_parent and not self.follow


@dataclass(frozen=True, slots=True)
class _Made:
    """A commit and the parents it is compared with."""

    commit: Commit
    parents: tuple[Commit, ...]


def iter_log(
    core: LakeCore, start: CommitId, wish: LogWish, after: CommitId | None = None
) -> Iterator[Commit]:
    """Yield the commits from one on that are wished for, newest first.

    Without `first_parent` a commit counts as changing the path only if it is different there from
    each of its parents.

    Parameters
    ----------
    after
        Only those behind this one. Of all parents the walk there is made again, but nothing is
        compared on it; only where names are followed, that is too.
    """
    return (commit for commit, is_wished in iter_looked(core, start, wish, after) if is_wished)


def iter_looked(
    core: LakeCore, start: CommitId, wish: LogWish, after: CommitId | None = None
) -> Iterator[tuple[Commit, bool]]:
    """Yield every commit from one on, and whether it is wished for; see `iter_log`."""
    path = wish.path
    ways = None if path is None else _Ways(core, path)
    is_behind = after is None or not wish.follow
    for made in _walk(core, start, wish, None if wish.follow else after, ways):
        has_changed = ways is None or _has_changed(core, made, ways)
        if is_behind:
            yield made.commit, has_changed and wish.fits.fits(made.commit)
        is_behind = is_behind or made.commit.id == after
        if has_changed and wish.follow and path and made.parents:
            path = _name_before(core, made, path)
            if ways is not None and path != ways.path:
                ways.turn_to(path)


def _walk(
    core: LakeCore, start: CommitId, wish: LogWish, after: CommitId | None, ways: _Ways | None
) -> Iterator[_Made]:
    """Yield commits with their parents, in transactions that end before anything is compared."""
    with core.metadata.read() as tx:
        ancestry = Ancestry(tx)
        walker = ancestry.walk(
            after if after and wish.is_line else start, first_parent=wish.first_parent
        )
        if after is not None:
            walker = islice(dropwhile(lambda one: one != after, walker), 1, None)
        size = min(_FIRST_BATCH, _BATCH)
        batch = _read(ancestry, walker, wish, size)
    while batch:
        if ways is not None:
            ways.fetch(one.root for made in batch for one in (made.commit, *made.parents))
        yield from batch
        with core.metadata.read() as tx:
            ancestry.tx = tx
            size = min(2 * size, _BATCH)
            batch = _read(ancestry, walker, wish, size)


def _read(ancestry: Ancestry, walker: Iterator[CommitId], wish: LogWish, size: int) -> list[_Made]:
    ids = list(islice(walker, size))
    last = 1 if wish.first_parent else None
    parents_of = {one: ancestry.parents(one)[:last] if wish.path is not None else () for one in ids}
    wanted = {*ids, *(parent for parents in parents_of.values() for parent in parents)}
    found = ancestry.tx.commits.get_many(wanted)
    return [
        _Made(found[one], tuple(found[parent] for parent in parents_of[one] if parent in found))
        for one in ids
        if one in found
    ]


class _Ways:
    """The ways from the roots of many trees to one path, as steps from node to node."""

    def __init__(self, core: LakeCore, path: RepoPath) -> None:
        self._core = core
        self.turn_to(path)

    def turn_to(self, path: RepoPath) -> None:
        """Go on with another path."""
        self.path = path
        self._start, self._end = path_range(path)
        self._steps: dict[Digest, Step] = {}

    def fetch(self, roots: Iterable[Digest]) -> None:
        """Read the nodes on the ways, level by level: a query for some nodes of each level."""
        if len(self._steps) > _STEPS_KEPT:
            self._steps.clear()
        wave = set(roots)
        while wave:
            missing = [digest for digest in wave if digest not in self._steps]
            for begin in range(0, len(missing), _READ_TOGETHER):
                some = missing[begin : begin + _READ_TOGETHER]
                for digest, data in zip(some, self._core.blobs.get_many(some), strict=True):
                    self._steps[digest] = step_from(data, self._start, self._end)
            steps = (self._steps[digest] for digest in wave)
            wave = {step.child for step in steps if step.child is not None}

    def differ(self, old: Digest, new: Digest) -> bool | None:
        """Tell whether two trees differ at the path; None where the ways alone do not tell."""
        if old == new:
            return False
        old_steps, new_steps = list(self._iter_steps(old)), list(self._iter_steps(new))
        if not {step.mark for step in old_steps}.isdisjoint(step.mark for step in new_steps):
            return False  # they meet, and it is all behind the place where they do
        return True if old_steps[-1].is_exact and new_steps[-1].is_exact else None

    def _iter_steps(self, root: Digest) -> Iterator[Step]:
        node: Digest | None = root
        while node is not None:
            if node not in self._steps:
                self.fetch([node])
            step = self._steps[node]
            yield step
            node = step.child


def _has_changed(core: LakeCore, made: _Made, ways: _Ways) -> bool:
    if made.parents:
        return all(_differ(core, parent.root, made.commit.root, ways) for parent in made.parents)
    items = iter_items(core.nodes, made.commit.root, *path_range(ways.path))
    return next(items, None) is not None


def _differ(core: LakeCore, old: Digest, new: Digest, ways: _Ways) -> bool:
    is_other = ways.differ(old, new)
    if is_other is not None:
        return is_other
    differences = diff_manifests(core.nodes, old, new, *path_range(ways.path))
    return next(differences, None) is not None


def _name_before(core: LakeCore, made: _Made, path: RepoPath) -> RepoPath:
    """Return the name that a path had before a commit, if the commit is where its name began."""
    parent = made.parents[0]
    if (
        core.snapshot(parent).find(path) is not None
        or core.snapshot(made.commit).find(path) is None
    ):
        return path
    try:
        changes = list(diff_with_renames(core, parent.root, made.commit.root, ROOT, ROOT))
    except InvalidInputError:  # more is new here than is compared; the trail ends
        return path
    for change in changes:
        if change.kind is ChangeKind.RENAMED and is_within(path, change.path):
            assert change.old is not None
            return RepoPath(change.old.path + path[len(change.path) :])
    return path
