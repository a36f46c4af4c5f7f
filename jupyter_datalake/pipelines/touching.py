"""Touching: which datums of a job are touched by what differs from an earlier job's inputs.

For the matches of one repo these are the matches that differ. For combined inputs, `model.touching`
says it; what a join or a group compares is found in the index of the earlier job's set. For batches
see `pipelines.rebatching`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.model.combining import Cut
from jupyter_datalake.model.datum_sets import (
    MOST_INPUTS,
    SetLayout,
    SetMember,
    parse_member,
    text_of,
)
from jupyter_datalake.model.datums import DatumInput, Placed
from jupyter_datalake.model.globs import expand_references, parse_glob
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.manifests import Edit, NodeSource, diff_manifests, get_item, iter_items
from jupyter_datalake.model.paths import RepoPath, path_from_key, path_key
from jupyter_datalake.model.pipelines import (
    Input,
    Leaf,
    PipelineSpec,
    RepoInput,
    iter_leaves,
)
from jupyter_datalake.model.touching import touched
from jupyter_datalake.pipelines.cutting import Cutter, Piece, TreeForGlobs

MOST_CHANGES = 100_000
"""Where more matches of combined inputs have changed, all is looked at: they are in memory."""


@dataclass(frozen=True, slots=True)
class Between:
    """An earlier job's set and what it read, and what is read now."""

    core: LakeCore
    spec: PipelineSpec
    layout: SetLayout
    root: Digest
    """Of the set."""
    old: dict[str, CommitId]
    new: dict[str, CommitId]

    def cutters(self) -> tuple[Cutter, Cutter]:
        """Return what cuts the inputs as they were, and as they are."""
        return Cutter(self.core, self.spec, self.old), Cutter(self.core, self.spec, self.new)

    def member(self, inputs: Sequence[Placed]) -> SetMember | None:
        """Return what a datum was in the set, or None."""
        return member_of(self.core.nodes, self.layout, self.root, inputs)


class Touched(Protocol):
    """What of a job's datums must be looked at."""

    def now(self) -> Iterator[tuple[DatumInput, ...]]:
        """Yield the datums that there are now, in a stable order."""

    def before(self) -> Iterator[SetMember]:
        """Yield the datums of the earlier set that they take the place of, or that are gone."""

    def index(self) -> Iterator[Edit]:
        """Yield what changes in the set's index."""


@dataclass(frozen=True, slots=True)
class ChangedMatch:
    """A path that a glob matches, below which something differs."""

    path: RepoPath
    was: bool
    """Whether it was a match."""
    is_there: bool
    """Whether it is one."""


def member_of(
    source: NodeSource, layout: SetLayout, root: Digest, inputs: Sequence[Placed]
) -> SetMember | None:
    """Return the datum of a set that was cut from these places, or None."""
    key = layout.key(inputs)
    item = None if key is None else get_item(source, root, key)
    return None if item is None else parse_member(item)


def changed_matches(
    core: LakeCore, leaf: RepoInput, old: Snapshot, new: Snapshot
) -> Iterator[ChangedMatch]:
    """Yield what of an input differs, by path; costs what the differences cost."""
    glob = parse_glob(leaf.glob)
    excluded = [parse_glob(one) for one in leaf.exclude]

    def is_match(tree: Snapshot, path: RepoPath) -> bool:
        found = TreeForGlobs(tree).find(path)
        return found is not None and glob.takes(found)

    last: RepoPath | None = None
    for difference in diff_manifests(core.nodes, old.root, new.root):
        path = glob.match_above(path_from_key(difference.key))
        if path is None or path == last:  # what is below one match comes in a row
            continue
        last = path
        if not any(one.matches_or_holds(path) for one in excluded):
            yield ChangedMatch(path, is_match(old, path), is_match(new, path))


def match_edits(
    core: LakeCore, spec: PipelineSpec, layout: SetLayout, commits: dict[str, CommitId]
) -> Iterator[Edit]:
    """Yield what puts all matches that joins and groups compare into the index of a new set."""
    cutter = Cutter(core, spec, commits)
    for number, leaf in enumerate(layout.leaves):
        for cut in cutter.cut(leaf) if text_of(leaf) else ():
            (text,) = cut.on or cut.by
            yield layout.index_edit(number, text, cut.pieces[0].path, is_there=True)


class TouchedPaths:
    """The datums of one repo input, each of which is one match."""

    def __init__(self, between: Between, leaf: RepoInput) -> None:
        self._between = between
        self._leaf = leaf
        self._old, self._new = between.cutters()

    def now(self) -> Iterator[tuple[DatumInput, ...]]:
        """Yield the matches that differ."""
        for one in self._changes():
            if one.is_there:
                yield (self._new.cut_at(self._leaf, one.path).pieces[0].resolve(),)

    def before(self) -> Iterator[SetMember]:
        """Yield what was cut from them."""
        for one in self._changes():
            old = self._between.member(self._old.cut_at(self._leaf, one.path).pieces)
            if old is not None:
                yield old

    def index(self) -> Iterator[Edit]:
        """Yield nothing: nothing is compared."""
        yield from ()

    def _changes(self) -> Iterator[ChangedMatch]:
        old, new = self._old.tree(self._leaf), self._new.tree(self._leaf)
        return changed_matches(self._between.core, self._leaf, old, new)


@dataclass(frozen=True, slots=True)
class _Change:
    """A match of a leaf that differs, and what it is compared by."""

    match: ChangedMatch
    text: str


class _Changes:
    """All matches that differ, by leaf; in memory."""

    def __init__(self, between: Between, old: Cutter, new: Cutter) -> None:
        self.between = between
        self.of_leaf: list[list[_Change]] = []
        self.too_many = False
        left = MOST_CHANGES
        for leaf in between.layout.leaves:
            glob, template = parse_glob(leaf.glob), text_of(leaf)
            matches = changed_matches(between.core, leaf, old.tree(leaf), new.tree(leaf))
            self.of_leaf.append(
                [
                    _Change(
                        one,
                        expand_references(template, glob.captures(one.path)) if template else "",
                    )
                    for one in islice(matches, left + 1)
                ]
            )
            left -= len(self.of_leaf[-1])
            if left < 0:
                self.too_many = True
                return

    def number(self, leaf: Leaf) -> int:
        """Return which leaf it is."""
        assert isinstance(leaf, RepoInput)
        number = self.between.layout.number_of(leaf.name, leaf.repo)
        assert number is not None
        return number

    def of(self, leaf: Leaf) -> list[_Change]:
        """Return what of a leaf differs, by path."""
        return self.of_leaf[self.number(leaf)]

    @cached_property
    def by_text(self) -> dict[tuple[int, str], list[ChangedMatch]]:
        """What differs, by leaf and text."""
        found: dict[tuple[int, str], list[ChangedMatch]] = defaultdict(list)
        for number, changes in enumerate(self.of_leaf):
            for one in changes:
                found[number, one.text].append(one.match)
        return found


class _Side:
    """The inputs as they were, or as they are."""

    def __init__(self, changes: _Changes, cutter: Cutter, *, is_now: bool) -> None:
        self._changes = changes
        self._cutter = cutter
        self._is_now = is_now

    def cut(self, leaf: Leaf) -> Iterator[Cut[Piece]]:
        """Yield all that a leaf is cut into."""
        return self._cutter.cut(leaf)

    def changed(self, leaf: Leaf) -> Iterator[Cut[Piece]]:
        """Yield what of it differs from the other side."""
        assert isinstance(leaf, RepoInput)
        for one in self._changes.of(leaf):
            if one.match.is_there if self._is_now else one.match.was:
                yield self._cutter.cut_at(leaf, one.match.path)

    def compared(self, leaf: Leaf, texts: Sequence[str]) -> Iterator[Cut[Piece]]:
        """Yield what of it has one of these texts."""
        assert isinstance(leaf, RepoInput)
        number = self._changes.number(leaf)
        for text in texts:
            for path in self._paths(number, text):
                yield self._cutter.cut_at(leaf, path)

    def touched_texts(self, given: Input) -> list[str]:
        """Return the texts of what has changed below an input."""
        return sorted(
            {change.text for leaf in iter_leaves(given) for change in self._changes.of(leaf)}
        )

    def _paths(self, number: int, text: str) -> list[RepoPath]:
        between = self._changes.between
        layout = between.layout
        items = iter_items(between.core.nodes, between.root, *layout.index_range(number, text))
        paths = [layout.indexed_path(item.key) for item in items]
        changes = self._changes.by_text.get((number, text), ())
        if not self._is_now or not changes:
            return paths
        changed = {one.path for one in changes}
        paths = [path for path in paths if path not in changed]
        paths += [one.path for one in changes if one.is_there]
        return sorted(paths, key=path_key)


class TouchedCombinations:
    """The datums of combined inputs."""

    def __init__(self, between: Between) -> None:
        self._between = between
        old, new = between.cutters()
        self._changes = _Changes(between, old, new)
        self._old = _Side(self._changes, old, is_now=False)
        self._new = _Side(self._changes, new, is_now=True)

    def is_too_large(self) -> bool:
        """Tell whether so much has changed, or is in one datum, that all must be looked at."""
        if self._changes.too_many:
            return True
        has_index = self._between.layout.has_index
        return has_index and any(len(one.pieces) > MOST_INPUTS for one in self._touched(self._new))

    def now(self) -> Iterator[tuple[DatumInput, ...]]:
        """Yield what is touched of the datums that there are."""
        for one in self._touched(self._new):
            yield tuple(piece.resolve() for piece in one.pieces)

    def before(self) -> Iterator[SetMember]:
        """Yield what is touched of the datums that there were."""
        for one in self._touched(self._old):
            old = self._between.member(one.pieces)
            if old is not None:
                yield old

    def index(self) -> Iterator[Edit]:
        """Yield which matches come into the index, and leave it."""
        layout = self._between.layout
        for number, changes in enumerate(self._changes.of_leaf):
            for one in changes if text_of(layout.leaves[number]) else ():
                if one.match.was != one.match.is_there:
                    yield layout.index_edit(
                        number, one.text, one.match.path, is_there=one.match.is_there
                    )

    def _touched(self, side: _Side) -> Iterator[Cut[Piece]]:
        given = self._between.spec.input
        assert given is not None
        return touched(given, side, _mark)


def _mark(cut: Cut[Piece]) -> tuple[tuple[str, str | None, RepoPath], ...]:
    return tuple((piece.name, piece.repo, piece.path) for piece in cut.pieces)
