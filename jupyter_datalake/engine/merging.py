"""Joining lines of history: merge, revert and cherry-pick, which are one three-way merge of trees.

============  ======================  ==============  ======================
verb          base                    ours            theirs
============  ======================  ==============  ======================
merge         best common ancestor    branch's head   what is merged
revert        the commit              branch's head   a parent of the commit
cherry-pick   a parent of the commit  branch's head   the commit
============  ======================  ==============  ======================

Each is made on the branch's head and moves it by compare-and-swap; a branch that moved meanwhile
is merged anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.engine.commits import CommitRequest, commit_by_id, commit_tree
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.history import History
from jupyter_datalake.engine.nodes import NodeCache, NodeWriter
from jupyter_datalake.engine.renames import change_at, iter_differences
from jupyter_datalake.engine.writing import announce_by_hand, on_head, writable_head
from jupyter_datalake.errors import ConflictError, ErrorKind, InvalidInputError
from jupyter_datalake.model.addresses import parse_address
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.ids import Digest, digest_of, short_id
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.manifests import (
    EMPTY_NODE,
    Cursor,
    Difference,
    Edit,
    Item,
    Node,
    NodeSource,
    build_manifest,
    edit_manifest,
)
from jupyter_datalake.model.merging import (
    Clash,
    Conflict,
    Decide,
    FastForward,
    MergeOutcome,
    MergeReport,
    Side,
    Taken,
    TreeMerge,
    merge_manifests,
)
from jupyter_datalake.model.paths import RepoPath, is_within, parse_path

MAX_SHOWN = 100
"""Conflicts that an error lists; a dry run lists all."""

_GLOB_SIGNS = frozenset("*?[{")


@dataclass(frozen=True, slots=True)
class DryRun:
    """That a merge is only to be described."""

    limit: int
    """How many changes are wanted at most."""


@dataclass(frozen=True, slots=True)
class _Join:
    """Three trees to be joined, and what the commit is to be called."""

    base: Commit | None
    """None for the empty tree: nothing is common."""
    ours: Commit
    theirs: Commit
    """The commit that the report calls theirs."""
    theirs_root: Digest
    request: CommitRequest


class Merging:
    """One merge in a lake; `decide` says what clashing paths become."""

    def __init__(self, core: LakeCore, decide: Decide, dry_run: DryRun | None) -> None:
        self._core = core
        self._decide = decide
        self._dry_run = dry_run
        self._fresh_id = new_global_id()

    def merge(self, request: CommitRequest, theirs: Commit, how: FastForward) -> MergeReport:
        """Merge a commit into the branch of `request`.

        Raises
        ------
        ConflictError
            Paths clash that nothing was decided about (``paths-conflict``), or the branch has
            commits of its own and was only to move on (``branches-diverged``); nothing changed.
        PermissionDeniedError
            People may not write to the branch.
        """

        def attempt(ours: Commit) -> MergeReport:
            with self._core.metadata.read() as tx:
                bases = Ancestry(tx).merge_bases(ours.id, theirs.id)
                base = tx.commits.get(bases[0]) if bases else None
            if base is not None and base.id == theirs.id:
                return self._report(MergeOutcome.UP_TO_DATE, base, ours, theirs)
            if base is not None and base.id == ours.id and how is not FastForward.NEVER:
                return self._move_on(request, ours, theirs)
            if how is FastForward.ONLY:
                raise ConflictError(
                    f"{request.repo}@{request.branch} has commits that {short_id(theirs.id)} has"
                    " not; it cannot simply move on",
                    kind=ErrorKind.BRANCHES_DIVERGED,
                    hint="Merge with a commit: leave out the wish to fast-forward only",
                    repo=request.repo,
                    ref=request.branch,
                )
            joined = replace(request, other_parents=(theirs.id,))
            return self._join(_Join(base, ours, theirs, theirs.root, joined))

        return self._on_head(request, attempt)

    def revert(self, request: CommitRequest, commit: Commit, parent: int | None) -> MergeReport:
        """Take back on a branch what a commit changed relative to a parent."""
        undone = self._parent(commit, parent)

        def attempt(ours: Commit) -> MergeReport:
            return self._join(_Join(commit, ours, undone, undone.root, request))

        return self._on_head(request, attempt)

    def cherry_pick(
        self, request: CommitRequest, commit: Commit, parent: int | None
    ) -> MergeReport:
        """Do on a branch what a commit changed relative to a parent."""
        base = self._parent(commit, parent)

        def attempt(ours: Commit) -> MergeReport:
            return self._join(_Join(base, ours, commit, commit.root, request))

        return self._on_head(request, attempt)

    # --- inside ----------------------------------------------------------------------------------

    def _on_head(
        self, request: CommitRequest, attempt: Callable[[Commit], MergeReport]
    ) -> MergeReport:
        head = writable_head(self._core, request.repo, request.branch)
        if self._dry_run is not None:
            return attempt(head)
        return on_head(self._core, request.repo, request.branch, attempt)

    def _parent(self, commit: Commit, number: int | None) -> Commit:
        """Return the parent whose difference to a commit is meant; merges must be told which."""
        if not commit.parents:
            raise InvalidInputError(
                f"{short_id(commit.id)} is the first commit of {commit.repo}: it changed nothing",
                kind=ErrorKind.INVALID_REF,
                hint="Choose a later commit",
                commit=commit.id,
            )
        if number is None and len(commit.parents) > 1:
            raise InvalidInputError(
                f"{short_id(commit.id)} is a merge of {len(commit.parents)} commits",
                kind=ErrorKind.INVALID_REF,
                hint="Say which parent to compare it with: 1 is the branch it was merged into",
                commit=commit.id,
                parents=list(commit.parents),
            )
        position = (number or 1) - 1
        if not 0 <= position < len(commit.parents):
            raise InvalidInputError(
                f"{short_id(commit.id)} has no parent {number}; it has {len(commit.parents)}",
                kind=ErrorKind.INVALID_REF,
                hint="Parents count from 1",
                commit=commit.id,
            )
        return commit_by_id(self._core, commit.parents[position])

    def _join(self, join: _Join) -> MergeReport:
        """Merge three trees and commit the result, or only describe it."""
        core, ours = self._core, join.ours
        if self._dry_run is not None:
            return self._described(join, self._dry_run.limit)
        with core.writer() as writer:
            for origin in (join.base, join.theirs):
                if origin is not None:
                    writer.count_on(origin.id)
            nodes = NodeWriter(core.nodes, writer)
            merged = self._merged(join, nodes)
            root = edit_manifest(nodes, merged.start, _until_one_is_open(merged))
            if merged.open_count:
                raise self._conflict(join, merged)
            result = commit_tree(
                core, writer, nodes, ours, root, join.request, fresh_id=self._fresh_id
            )
        outcome = MergeOutcome.MERGED if result.is_new else MergeOutcome.UP_TO_DATE
        return replace(self._report_of(join, outcome), commit=result.commit)

    def _described(self, join: _Join, limit: int) -> MergeReport:
        nodes = _EmptyTree(self._core.nodes)
        changes = list(
            islice(_changes_by(nodes, self._merged(join, nodes, from_ours=True)), limit + 1)
        )
        # Conflicts are known when a side is gone through: that which changed less, as in a merge.
        merged = self._merged(join, nodes)
        deque(merged.edits(), maxlen=0)
        outcome = MergeOutcome.UP_TO_DATE
        if merged.open_count:
            outcome = MergeOutcome.CONFLICTS
        elif changes or join.request.other_parents:
            outcome = MergeOutcome.MERGED
        return replace(
            self._report_of(join, outcome),
            changes=tuple(changes[:limit]),
            has_more=len(changes) > limit,
            conflicts=tuple(self._conflicts(join, merged.open)),
            conflict_count=merged.open_count,
        )

    def _merged(
        self, join: _Join, nodes: NodeWriter | _EmptyTree, *, from_ours: bool = False
    ) -> TreeMerge:
        base = build_manifest(nodes, []) if join.base is None else join.base.root
        ours, theirs = join.ours.root, join.theirs_root
        return merge_manifests(nodes, base, ours, theirs, self._decide, from_ours=from_ours)

    def _move_on(self, request: CommitRequest, ours: Commit, theirs: Commit) -> MergeReport:
        """Let the branch point to a commit that was made on its head."""
        if self._dry_run is None:
            with self._core.metadata.write() as tx:
                row = tx.repos.get(request.repo)
                tx.refs.move(
                    row,
                    request.branch,
                    expected=ours.id,
                    new=theirs.id,
                    by=str(request.author),
                    reason=f"fast-forward: {request.message}"[:200],
                )
                announce_by_hand(tx, row, request.branch, theirs.id, request.author)
        return self._report(MergeOutcome.FAST_FORWARD, ours, ours, theirs)

    def _report(
        self, outcome: MergeOutcome, base: Commit, ours: Commit, theirs: Commit
    ) -> MergeReport:
        """Return the report of a merge that makes no commit."""
        if self._dry_run is None:
            commit = theirs if outcome is MergeOutcome.FAST_FORWARD else ours
            return MergeReport(outcome, commit, base.id, ours.id, theirs.id)
        changes: list[Change] = []
        if outcome is MergeOutcome.FAST_FORWARD:
            wanted = self._dry_run.limit + 1
            changes = _changes(self._core.nodes, ours.root, theirs.root, wanted)
        return MergeReport(
            outcome,
            None,
            base.id,
            ours.id,
            theirs.id,
            tuple(changes[: self._dry_run.limit]),
            len(changes) > self._dry_run.limit,
        )

    def _report_of(self, join: _Join, outcome: MergeOutcome) -> MergeReport:
        base = None if join.base is None else join.base.id
        return MergeReport(outcome, None, base, join.ours.id, join.theirs.id)

    def _conflict(self, join: _Join, merged: TreeMerge) -> ConflictError:
        found = list(self._conflicts(join, merged.open[:MAX_SHOWN]))
        named = ", ".join(f"{one.path} ({one.kind})" for one in found[:5])
        many = merged.open_count
        count = "1 path" if many == 1 else f"{many:,} paths"
        return ConflictError(
            f"{count} changed both on {join.request.repo}@{join.request.branch} and in what is"
            f" taken over: {named}{' …' if many > 5 else ''}",
            kind=ErrorKind.PATHS_CONFLICT,
            hint="Choose 'ours', 'theirs' or an address for each; a dry run lists them all",
            repo=join.request.repo,
            ref=join.request.branch,
            paths=[one.path for one in found],
            conflicts=as_json(found),
            count=many,
            base=join.base and join.base.id,
            head=join.ours.id,
        )

    def _conflicts(self, join: _Join, clashes: Sequence[Clash]) -> Iterator[Conflict]:
        core = self._core
        base = None if join.base is None else core.snapshot(join.base)
        ours, theirs = core.snapshot(join.ours), core.tree(join.theirs_root, "theirs")
        for clash in clashes:
            path = clash.path
            yield Conflict(
                path,
                clash.kind,
                None if base is None else base.find(path),
                ours.find(path),
                theirs.find(path),
            )


def decide_by(history: History, choices: Mapping[str, str]) -> Decide:
    """Return what people chose as a function; the first pattern that fits a path counts.

    Parameters
    ----------
    choices
        From a path (which stands for everything below it too) or a glob, to ``ours``,
        ``theirs``, or an address whose content is wanted.

    Raises
    ------
    InvalidInputError
        A pattern or choice does not parse.
    NotFoundError
        An address leads to nothing.
    """
    rules = [(_matcher(pattern), _choice(history, wish)) for pattern, wish in choices.items()]

    def decide(clash: Clash) -> Side | Taken | None:
        return next((choice for fits, choice in rules if fits(clash.path)), None)

    return decide


def _matcher(pattern: str) -> Callable[[RepoPath], bool]:
    if _GLOB_SIGNS & set(pattern):
        return parse_glob(pattern if pattern.startswith("/") else f"/{pattern}").matches
    folder = parse_path(pattern)
    return lambda path: is_within(path, folder)


def _choice(history: History, wish: str) -> Side | Taken:
    if wish in set(Side):
        return Side(wish)
    if "@" not in wish:
        raise InvalidInputError(
            f"{wish!r} is neither 'ours', 'theirs' nor an address",
            kind=ErrorKind.INVALID_ADDRESS,
            hint="Write an address as repo@ref/path",
            choice=wish,
        )
    place = parse_address(wish)
    tree = history.snapshot(place.repo, place.ref)
    tree.get(place.path, measure=False)
    return Taken(tree.root, place.path)


class _EmptyTree:
    """A `NodeSink` that knows the empty tree besides what is stored, and writes nothing."""

    def __init__(self, stored: NodeCache) -> None:
        self._stored = stored

    def load(self, digest: Digest) -> Node:
        """Return the empty node or a stored one."""
        return EMPTY_NODE if digest == _EMPTY else self._stored.load(digest)

    def save(self, node: Node) -> Digest:
        """Return the digest of the empty node."""
        assert node == EMPTY_NODE
        return _EMPTY


_EMPTY = digest_of(EMPTY_NODE.encode())


def _until_one_is_open(merged: TreeMerge) -> Iterator[Edit]:
    """Yield the edits of a merge until a clash is open: then no tree is wanted, only how many."""
    return (edit for edit in merged.edits() if not merged.open_count)


def _changes_by(nodes: NodeSource, merged: TreeMerge) -> Iterator[Change]:
    """Yield what a merge changes in the tree that it starts from."""
    cursor = Cursor(nodes, merged.start)
    for edit in merged.edits():
        cursor.seek(edit.key)
        old = cursor.peek()
        if old is not None and old.key != edit.key:
            old = None
        new = None if edit.value is None else Item(edit.key, edit.value, edit.size_bytes)
        if old != new:
            yield change_at(Difference(edit.key, old, new))


def _changes(nodes: NodeSource, old: Digest, new: Digest, limit: int) -> list[Change]:
    return [change_at(one) for one in islice(iter_differences(nodes, old, new), limit)]
