"""Cutting: the datums that a pipeline's inputs are cut into, given the commits they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot, content_digest_of
from jupyter_datalake.model.batching import batches
from jupyter_datalake.model.combining import Cut, combine
from jupyter_datalake.model.datums import DatumInput, Placed
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.globs import Glob, expand_references, parse_glob
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.paths import ROOT, RepoPath, path_bytes
from jupyter_datalake.model.pipelines import (
    Leaf,
    PipelineSpec,
    RepoInput,
    key_of,
    keyed_inputs,
)


class TreeForGlobs:
    """A snapshot as globs see it: the root knows whether it holds anything."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def list(self, path: RepoPath) -> Iterator[FileInfo]:
        """Yield the children of a folder, by name."""
        return self._snapshot.list(path)

    def find(self, path: RepoPath) -> FileInfo | None:
        """Return what is at a path, or None."""
        return self._snapshot.find(path, measure=path == ROOT)


def input_at(
    leaf: RepoInput,
    commit_id: CommitId,
    tree: Snapshot,
    path: RepoPath,
    listed: FileInfo | None = None,
) -> DatumInput:
    """Return what a match of a repo input contributes to a datum.

    Cost: the entries below it; none for a file of which is given what a listing says.
    """
    digest, size_bytes = _measure(leaf, tree, path, listed)
    return DatumInput(
        name=leaf.name,
        repo=leaf.repo,
        commit_id=commit_id,
        path=path,
        digest=digest,
        size_bytes=size_bytes,
    )


def _measure(
    leaf: RepoInput, tree: Snapshot, path: RepoPath, listed: FileInfo | None
) -> tuple[Digest, int]:
    """Return digest and size of what the program sees."""
    if leaf.is_empty:
        return tree.names_digest(path), 0
    digest = None if listed is None else content_digest_of(listed)
    if listed is None or digest is None:
        return tree.content_digest(path), tree.get(path).size_bytes
    return digest, listed.size_bytes


class _Piece:
    """A match of a repo input. What it holds is looked up when somebody asks."""

    __slots__ = ("_found", "_info", "_key", "_leaf", "_trees", "path")

    def __init__(
        self, trees: _Trees, leaf: RepoInput, key: str, path: RepoPath, info: FileInfo | None
    ) -> None:
        self._trees = trees
        self._leaf = leaf
        self._key = key
        self._found: DatumInput | None = None
        self._info = None if leaf.is_empty else info
        self.path = path

    @property
    def name(self) -> str:
        """The name of the input."""
        return self._leaf.name

    @property
    def repo(self) -> str | None:
        """The repo that it is of."""
        return self._leaf.repo

    def resolve(self) -> DatumInput:
        """Return the piece as part of a datum; of a folder, all that is below is looked at."""
        if self._found is None:
            commit_id, tree = self._trees.of(self._key)
            found = input_at(self._leaf, commit_id, tree, self.path, self._info)
            is_alternative = self._key != self._leaf.name
            self._found = replace(found, key=self._key) if is_alternative else found
            self._info = None
        return self._found


class _Tick:
    """A tick of a clock."""

    def __init__(self, given: DatumInput) -> None:
        self._given = given
        self.name = given.name
        self.repo = None
        self.path = given.path

    def resolve(self) -> DatumInput:
        """Return the tick as part of a datum."""
        return self._given


Piece = _Piece | _Tick


class _Trees:
    """The trees that a pipeline reads, each opened once."""

    def __init__(self, core: LakeCore, commits: dict[str, CommitId]) -> None:
        self._core = core
        self._commits = commits
        self._opened: dict[str, Snapshot] = {}

    def of(self, key: str) -> tuple[CommitId, Snapshot]:
        """Return the commit that an input reads, and its tree."""
        commit_id = self._commits[key]
        if key not in self._opened:
            self._opened[key] = self._core.snapshot(commit_by_id(self._core, commit_id))
        return commit_id, self._opened[key]


class Cutter:
    """Cuts the leaves of one spec.

    Parameters
    ----------
    commits
        Key of each repo input, as `keyed_inputs` gives it, to the commit to read.
    tick_ns
        The time that cron inputs stand for; None before the first tick, which cuts nothing.
    """

    def __init__(
        self,
        core: LakeCore,
        spec: PipelineSpec,
        commits: dict[str, CommitId],
        tick_ns: int | None = None,
    ) -> None:
        self._trees = _Trees(core, commits)
        self._keyed = keyed_inputs(spec)
        self._tick_ns = tick_ns
        self._known: dict[RepoInput, tuple[str, Glob]] = {}

    def cut(self, leaf: Leaf) -> Iterator[Cut[Piece]]:
        """Yield what a leaf is cut into, by path."""
        if isinstance(leaf, RepoInput):
            _, glob = self._look_up(leaf)
            excluded = [parse_glob(one) for one in leaf.exclude]
            for match in glob.matches_in(TreeForGlobs(self.tree(leaf))):
                if not any(one.matches_or_holds(match.path) for one in excluded):
                    yield self.cut_at(leaf, match.path, match)
        elif self._tick_ns is not None:
            yield Cut((_Tick(_tick_input(leaf.name, self._tick_ns)),))

    def cut_at(self, leaf: RepoInput, path: RepoPath, info: FileInfo | None = None) -> Cut[Piece]:
        """Return what a leaf is cut into at one match; `info` is what a listing says of it."""
        key, glob = self._look_up(leaf)
        captures = glob.captures(path) if leaf.on or leaf.by else ()
        return Cut(
            (_Piece(self._trees, leaf, key, path, info),),
            (expand_references(leaf.on, captures),) if leaf.on else (),
            (expand_references(leaf.by, captures),) if leaf.by else (),
            leaf.is_outer,
        )

    def tree(self, leaf: RepoInput) -> Snapshot:
        """Return the tree that a leaf reads."""
        return self._trees.of(self._look_up(leaf)[0])[1]

    def _look_up(self, leaf: RepoInput) -> tuple[str, Glob]:
        """Return what the branch of a leaf is known by, and its glob."""
        if leaf not in self._known:
            self._known[leaf] = key_of(self._keyed, leaf), parse_glob(leaf.glob)
        return self._known[leaf]


def cut_inputs(
    core: LakeCore, spec: PipelineSpec, commits: dict[str, CommitId], tick_ns: int | None
) -> Iterator[tuple[DatumInput, ...]]:
    """Yield the datums of a pipeline over given commits, in the order of `model.combining`.

    Memory: what joins, groups and crosses hold; see `model.combining.combine`. A datum that is
    not taken from the iterator costs no look at its content.

    Parameters
    ----------
    commits
        Key of each repo input, as `keyed_inputs` gives it, to the commit to read.
    tick_ns
        The time that cron inputs stand for; None before the first tick, which cuts nothing.
    """
    for one in _cut(core, spec, commits, tick_ns):
        yield one.resolve()


@dataclass(frozen=True, slots=True)
class _Datum:
    """A datum that has not been looked into: its pieces, or those of the datums of a batch."""

    parts: tuple[tuple[Piece, ...], ...]
    is_batch: bool

    def resolve(self) -> tuple[DatumInput, ...]:
        """Return the inputs of the datum."""
        return tuple(
            replace(piece.resolve(), part=number) if self.is_batch else piece.resolve()
            for number, pieces in enumerate(self.parts)
            for piece in pieces
        )


def _cut(
    core: LakeCore, spec: PipelineSpec, commits: dict[str, CommitId], tick_ns: int | None
) -> Iterator[_Datum]:
    cuts = combine(spec.input, Cutter(core, spec, commits, tick_ns).cut)
    datums = (one.pieces for one in cuts)
    if spec.datums.batch is None or spec.input is None:
        for pieces in datums:
            yield _Datum((pieces,), is_batch=False)
    else:
        for batch in batches(datums, spec.datums.batch, name_digest):
            yield _Datum(batch, is_batch=True)


def name_digest(pieces: Iterable[Placed]) -> Digest:
    """Return the digest of what names a datum, whatever it holds; batches end by it."""
    # The time of a tick is no part of that.
    marks = [[one.name] if one.repo is None else [one.name, path_bytes(one.path)] for one in pieces]
    return digest_of(pack_canonical(marks))


def _tick_input(name: str, tick_ns: int) -> DatumInput:
    moment = str(tick_ns)
    return DatumInput(name, None, None, RepoPath(moment), digest_of(moment.encode()))


def pick(
    core: LakeCore,
    spec: PipelineSpec,
    commits: dict[str, CommitId],
    tick_ns: int | None,
    positions: Iterable[int],
) -> Iterator[tuple[int, tuple[DatumInput, ...]]]:
    """Yield the datums of a spec at some positions, as far as it has them, in order.

    Only the content of these is looked at. None where the inputs make no such datum.
    """
    wanted = sorted(set(positions))
    cut = _cut(core, spec, commits, tick_ns)
    at = 0
    for position in wanted:
        for one in islice(cut, position - at, position - at + 1):
            yield position, one.resolve()
        at = position + 1


def preview(
    core: LakeCore,
    spec: PipelineSpec,
    commits: dict[str, CommitId],
    *,
    after: int = -1,
    limit: int,
) -> tuple[list[tuple[DatumInput, ...]], bool]:
    """Return datums of a spec behind the position `after`, and whether there are more.

    Only the content of those returned is looked at.
    """
    cut = _cut(core, spec, commits, core.clock())
    page = list(islice(cut, after + 1, after + 2 + limit))
    return [one.resolve() for one in page[:limit]], len(page) > limit
