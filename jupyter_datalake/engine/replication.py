"""Copying history between lakes: what one lake has and the other has not, and then the refs.

Commits first, each behind its parents, in batches: blobs are copied as they are stored, each
verified against its digest on the way, and registered in the transaction that adds the commits
that need them. Refs move last, by compare-and-swap. So a replication that is cut short has left
commits that no ref names, and the next one begins behind them; done twice, it changes nothing.

A commit that the target has is held to be complete, as everywhere (docs/concurrency.md); trees are
compared with those of their parents, so what is read is what differs. The source may be a
stranger's: trees are checked on the way, and nothing of them is believed unverified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.engine.blobs import BlobWriter, register_packs
from jupyter_datalake.engine.commits import announce_move
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.repos import Repositories
from jupyter_datalake.engine.transfer import read_stored
from jupyter_datalake.errors import ConflictError, CorruptDataError, ErrorKind, InvalidInputError
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.chunklists import decode_chunk_list
from jupyter_datalake.model.commits import Author, Commit, InputCommit, reseal
from jupyter_datalake.model.entries import EntryKind, Layout, decode_entry
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, Digest, short_id
from jupyter_datalake.model.manifests import Item
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import RepoPath, parse_path, path_from_key
from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.model.remotes import (
    RefChange,
    RefOutcome,
    ReplicationReport,
    Selection,
)
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.model.tree_delta import iter_new_nodes, measure_of

_CHAIN = 500
_COMMITS_PER_BATCH = 500
_BYTES_PER_BATCH = 256 * 1024 * 1024
_DIGESTS_PER_READ = 2000
_SEEN_LIMIT = 500_000
_ALL = 1_000_000
_ATTEMPTS = 4

_DONE = frozenset({RefOutcome.CURRENT, RefOutcome.REFUSED})


@dataclass(frozen=True, slots=True)
class _Goal:
    """Where a ref of the target is to go."""

    repo: str
    name: str
    kind: RefKind
    commit_id: CommitId
    message: str | None = None
    created_by: str | None = None


class Replicator:
    """Brings commits and refs of one lake into another.

    Parameters
    ----------
    source, target
        Two open lakes; of the source only its database and objects are read.
    author
        In whose name refs of the target move.
    reason
        What their reflog says: ``push from …``.
    on_progress
        Told after each batch of commits.
    """

    def __init__(
        self,
        source: LakeCore,
        target: LakeCore,
        *,
        author: Author,
        reason: str,
        on_progress: Callable[[ReplicationReport], None] | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._author = author
        self._reason = reason
        self._on_progress = on_progress
        self._report = ReplicationReport()
        self._inputs: dict[CommitId, InputCommit] = {}

    def run(
        self,
        selections: Sequence[Selection] = (),
        *,
        force: bool = False,
        with_inputs: bool = False,
    ) -> ReplicationReport:
        """Replicate.

        Parameters
        ----------
        selections
            What to bring; everything but the repos of pipelines' code when empty.
        force
            Move branches also where that loses commits of the target (its reflog keeps them), and
            replace tags.
        with_inputs
            Also bring the commits and the code that the commits were made from.

        Raises
        ------
        NotFoundError
            The source has no such repo or ref.
        ConflictError
            Some refs of the target have commits that the source's have not (``branch-moved``);
            everything else was done. `context["refs"]` names them.
        CorruptDataError
            The source holds something that is damaged, or is no tree; the target holds none of it
            under any name.
        """
        goals = self._goals(selections)
        changes = [self._judge(goal, force=force) for goal in goals]
        for repo in sorted({one.repo for one in changes}):
            tips = [
                one.new_commit_id
                for one in changes
                if one.repo == repo and one.outcome not in _DONE
            ]
            self._copy(repo, tips)
        self._report.refs += [
            self._move(goal, change) for goal, change in zip(goals, changes, strict=True)
        ]
        if with_inputs:
            self._bring_inputs(one.new_commit_id for one in changes)
        refused = [one for one in self._report.refs if one.outcome is RefOutcome.REFUSED]
        if refused:
            raise _refusal(refused)
        return self._report

    # --- refs ------------------------------------------------------------------------------------

    def _goals(self, selections: Sequence[Selection]) -> list[_Goal]:
        with self._source.metadata.read() as tx:
            if not selections:
                kinds = frozenset({RepoKind.USER, RepoKind.OUTPUT})
                rows = tx.repos.list(limit=_ALL, kinds=kinds)
                selections = [Selection(row.repo.name, None) for row in rows]
            goals: dict[tuple[str, str], _Goal] = {}
            for one in selections:
                row = tx.repos.get(one.repo)
                refs = (
                    tx.refs.list(row, limit=_ALL)
                    if one.ref is None
                    else [tx.refs.get(row, one.ref)]
                )
                for ref in refs:
                    goals[one.repo, ref.name] = _Goal(
                        one.repo, ref.name, ref.kind, ref.commit_id, ref.message, ref.created_by
                    )
        return list(goals.values())

    def _judge(self, goal: _Goal, *, force: bool) -> RefChange:
        """Return what is to become of a ref, as far as it can be told before anything is copied."""
        with self._target.metadata.read() as tx:
            row = tx.repos.find(goal.repo)
            ref = None if row is None else tx.refs.find(row, goal.name)
            owner = _pipeline_of(tx, row)
            is_there = bool(tx.commits.known([goal.commit_id]))
            is_behind = (
                is_there
                and ref is not None
                and ref.kind is RefKind.BRANCH
                and Ancestry(tx).is_ancestor(goal.commit_id, ref.commit_id)
            )

        def change(outcome: RefOutcome, message: str = "") -> RefChange:
            old = None if ref is None else ref.commit_id
            return RefChange(goal.repo, goal.name, goal.kind, outcome, old, goal.commit_id, message)

        if ref is None:
            return change(RefOutcome.CREATED)
        if ref.kind is not goal.kind:
            return change(RefOutcome.REFUSED, f"it is a {ref.kind} there")
        if is_behind or ref.commit_id == goal.commit_id:
            return change(RefOutcome.CURRENT)
        if owner is not None and not force:
            return change(RefOutcome.REFUSED, f"the pipeline {owner} writes to it there")
        if goal.kind is RefKind.BRANCH and self._leads_to(ref.commit_id, goal.commit_id):
            return change(RefOutcome.MOVED)
        if force:
            return change(RefOutcome.FORCED)
        if goal.kind is RefKind.TAG:
            return change(RefOutcome.REFUSED, f"the tag is at {short_id(ref.commit_id)} there")
        return change(
            RefOutcome.REFUSED, f"it has commits up to {short_id(ref.commit_id)} that are not here"
        )

    def _leads_to(self, older: CommitId, newer: CommitId) -> bool:
        with self._source.metadata.read() as tx:
            return bool(tx.commits.known([older])) and Ancestry(tx).is_ancestor(older, newer)

    def _move(self, goal: _Goal, change: RefChange) -> RefChange:
        """Move one ref of the target, unless it is elsewhere by now."""
        if change.outcome in _DONE:
            return change
        forced = " (forced)" if change.outcome is RefOutcome.FORCED else ""
        try:
            with self._target.metadata.write() as tx:
                self._move_in(tx, goal, change, f"{self._reason}{forced}")
        except ConflictError as error:
            return replace(change, outcome=RefOutcome.REFUSED, message=error.message)
        return change

    def _move_in(self, tx: Transaction, goal: _Goal, change: RefChange, reason: str) -> None:
        row, by, new = tx.repos.get(change.repo), str(self._author), change.new_commit_id
        ref = tx.refs.find(row, change.name)
        if ref is not None and ref.commit_id == new and ref.kind is change.kind:
            return  # the repo was made with it
        if ref is None:
            self._create(tx, row, goal, reason)
        elif change.kind is RefKind.BRANCH:
            # A repo that was just made has its first commit on main.
            expected = ref.commit_id if change.old_commit_id is None else change.old_commit_id
            if change.old_commit_id is None and not Ancestry(tx).is_ancestor(ref.commit_id, new):
                raise _appeared(change)
            tx.refs.move(row, change.name, expected=expected, new=new, by=by, reason=reason)
        elif change.outcome is RefOutcome.FORCED:
            tx.refs.delete(row, ref, by=by, reason=reason)
            self._create(tx, row, goal, reason)
        else:
            raise _appeared(change)
        if change.kind is RefKind.BRANCH:
            announce_move(tx, row, change.name, tx.commits.get(new))
        else:
            tx.events.append(EventKind.REF_MOVED, change.repo, ref=change.name, commit=new)

    def _create(self, tx: Transaction, row: RepoRow, goal: _Goal, reason: str) -> None:
        tx.refs.create(
            row,
            goal.name,
            goal.kind,
            goal.commit_id,
            by=str(self._author),
            reason=reason,
            message=goal.message,
            created_by=goal.created_by,
        )

    # --- commits ---------------------------------------------------------------------------------

    def _copy(self, repo: str, tips: Sequence[CommitId]) -> None:
        """Bring the history of commits, oldest first, in batches that each are complete."""
        waiting = self._missing(repo, tips)
        while waiting:
            waiting = waiting[self._copy_some(repo, waiting[:_COMMITS_PER_BATCH]) :]
            if self._on_progress is not None:
                self._on_progress(self._report)

    def _missing(self, repo: str, tips: Iterable[CommitId]) -> list[CommitId]:
        """Return the commits that the target does not have, each behind its parents.

        Memory: about 300 bytes per commit that is missing.
        """
        parents: dict[CommitId, tuple[CommitId, ...]] = {}
        waiting = list(tips)
        while waiting:
            start = waiting.pop()
            if start in parents:
                continue
            with self._source.metadata.read() as tx:
                chain = tx.commits.first_parents(start, limit=_CHAIN)
                commits = tx.commits.get_many(chain)
            with self._target.metadata.read() as tx:
                there = tx.commits.known(chain)
                if tx.commits.of_other_repos(chain, tx.repos.find(repo)):
                    raise _deleted(repo)
            for commit_id in chain:
                # One that the source does not have was removed by its retention: history ends.
                if commit_id in there or commit_id in parents or commit_id not in commits:
                    break
                parents[commit_id] = commits[commit_id].parents
                waiting += commits[commit_id].parents
        return list(_parents_first(parents))

    def _copy_some(self, repo: str, ids: Sequence[CommitId]) -> int:
        """Bring some of the commits, again where gc of the target took away what they share."""
        for _ in range(_ATTEMPTS):
            try:
                return self._copy_batch(repo, ids)
            except ConflictError as error:
                if error.kind is not ErrorKind.CONTENT_COLLECTED:
                    raise
        return self._copy_batch(repo, ids)

    def _copy_batch(self, repo: str, ids: Sequence[CommitId]) -> int:
        """Bring as many of the commits as fit into one batch, and return how many those were."""
        with self._source.metadata.read() as tx:
            commits = tx.commits.get_many(ids)
            wanted = {parent for one in commits.values() for parent in one.parents}
            roots = {one.id: one.root for one in tx.commits.get_many(wanted).values()}
            global_ids = tx.lineage.get_many({one.global_id for one in commits.values()})
        done: list[Commit] = []
        with self._target.metadata.read() as tx:
            there = tx.commits.known(wanted)
        with self._target.writer() as writer:
            for parent in there:  # what their trees hold is not copied
                writer.count_on(parent)
            copying = _Copying(self._source, writer, self._report)
            for commit_id in ids:
                commit = commits[commit_id]
                copying.add(commit, repo, [roots[one] for one in commit.parents if one in roots])
                done.append(commit)
                if writer.stored_bytes >= _BYTES_PER_BATCH:
                    break
            copying.flush()
            packs = writer.seal()
            with self._target.metadata.write() as tx:
                register_packs(tx, packs)
                row = tx.repos.find(repo) or self._adopt(tx, repo, done[0])
                for commit in done:
                    tx.commits.add(row.id, commit)
                for record in global_ids:
                    tx.lineage.restore(record)
        self._report.commits += len(done)
        for commit in done:
            self._note_inputs(commit)
        return len(done)

    def _adopt(self, tx: Transaction, repo: str, first: Commit) -> RepoRow:
        with self._source.metadata.read() as source:
            known = source.repos.get(repo).repo
        self._report.repos.append(repo)
        made = replace(known, created_by=str(self._author), head=None)
        return Repositories(self._target).adopt(tx, made, first)

    # --- what commits were made from -------------------------------------------------------------

    def _note_inputs(self, commit: Commit) -> None:
        made_from = commit.provenance
        for one in (*made_from.inputs, *([made_from.code] if made_from.code else [])):
            self._inputs[one.commit_id] = one

    def _bring_inputs(self, tips: Iterable[CommitId]) -> None:
        """Bring what commits were made from, and what that was made from, and so on."""
        with self._source.metadata.read() as tx:
            for commit in tx.commits.get_many(tips).values():
                self._note_inputs(commit)
        done: set[CommitId] = set()
        while self._inputs.keys() - done:
            for commit_id in sorted(self._inputs.keys() - done):
                done.add(commit_id)
                self._bring_input(self._inputs[commit_id])

    def _bring_input(self, one: InputCommit) -> None:
        with self._source.metadata.read() as tx:
            commit = tx.commits.get_many([one.commit_id]).get(one.commit_id)
            is_here = commit is not None and tx.repos.find(one.repo) is not None
        if commit is None or not is_here:
            return  # removed by the source's retention; the edges stay, as they did there
        goal = _Goal(one.repo, one.branch, RefKind.BRANCH, commit.id)
        change = self._judge(goal, force=False)
        self._copy(one.repo, [commit.id])
        self._note_inputs(commit)
        if change.outcome is RefOutcome.REFUSED:
            # The branch went elsewhere meanwhile; a tag keeps the commit.
            goal = replace(goal, name=f"input-{short_id(commit.id)}", kind=RefKind.TAG)
            change = self._judge(goal, force=False)
        moved = self._move(goal, change)
        if moved.outcome is not RefOutcome.CURRENT:
            self._report.refs.append(moved)


class _Copying:
    """The blobs of one batch of commits, on their way into one writer."""

    def __init__(self, source: LakeCore, writer: BlobWriter, report: ReplicationReport) -> None:
        self._source = source
        self._writer = writer
        self._report = report
        self._waiting: list[Digest] = []
        self._seen: set[Digest] = set()

    def add(self, commit: Commit, repo: str, parents: Sequence[Digest]) -> None:
        """Take everything that a commit needs and trees of its parents do not hold."""
        sealed, data = reseal(commit)
        if sealed.id != commit.id or commit.repo != repo:
            raise CorruptDataError(
                f"Commit {commit.id} of {repo!r} is not what its id says",
                kind=ErrorKind.CORRUPT_OBJECT,
                hint="Run 'datalake maintenance verify' on the lake that it comes from",
                commit=commit.id,
            )
        root = self._source.nodes.load(commit.root)
        if measure_of(root) != (commit.file_count, commit.size_bytes):
            raise _no_tree(commit, "its sums do not add up")
        for digest, _, items in iter_new_nodes(self._source.nodes, commit.root, parents):
            self._want(digest)
            for item in items:
                self._add_item(commit, item)
        self._writer.add(BlobKind.COMMIT, data)

    def flush(self) -> None:
        """Copy what is wanted and was not copied yet."""
        wanted, self._waiting = self._waiting, []
        missing = self._writer.missing(wanted)
        self._report.blobs_shared += len(wanted) - len(missing)
        with self._source.metadata.read() as tx:
            places = tx.blobs.locate(missing)
        absent = next((one for one in missing if one not in places), None)
        if absent is not None:
            self._source.blobs.place(absent)  # raises, and says what to do
        for blob in read_stored(self._source.objects, places.values()):
            if blob.error is not None:
                raise blob.error
            self._writer.add_stored(blob.place.record, blob.payload)
            self._report.blobs += 1
            self._report.bytes_copied += len(blob.payload)

    def _add_item(self, commit: Commit, item: Item) -> None:
        entry = decode_entry(item.value, item.size_bytes)
        path = _path_of(commit, item.key)
        if entry.kind is not EntryKind.FILE or entry.layout is Layout.INLINE:
            return
        digest = Digest(entry.content)
        if entry.layout is Layout.CHUNK:
            self._want(digest)
        elif self._add_list(digest, None) != entry.size_bytes:
            raise _no_tree(commit, f"the chunks of {path!r} are not as long as it is")

    def _add_list(self, digest: Digest, level: int | None) -> int:
        """Take a chunk list and what it names, and return the bytes it covers."""
        listed = decode_chunk_list(self._source.blobs.get(digest))
        if level not in {None, listed.level}:
            raise CorruptDataError(f"Chunk list {digest.hex()} is on the wrong level")
        if self._want(digest):
            for piece, size in zip(listed.digests, listed.sizes, strict=True):
                if listed.level == 0:
                    self._want(piece)
                elif self._add_list(piece, listed.level - 1) != size:
                    raise CorruptDataError(f"Chunk list {piece.hex()} is of another size")
        return listed.size_bytes

    def _want(self, digest: Digest) -> bool:
        """Take one blob; tell whether it is the first time."""
        if digest in self._seen:
            return False
        if len(self._seen) >= _SEEN_LIMIT:
            self._seen.clear()  # costs a look-up, never a wrong copy
        self._seen.add(digest)
        self._waiting.append(digest)
        if len(self._waiting) >= _DIGESTS_PER_READ:
            self.flush()
        return True


def _parents_first(
    parents: dict[CommitId, tuple[CommitId, ...]],
) -> Iterator[CommitId]:
    """Yield commits, each behind those of its parents that are among them."""
    done: set[CommitId] = set()
    for start in parents:
        waiting = [start]
        while waiting:
            one = waiting[-1]
            before = [parent for parent in parents[one] if parent in parents and parent not in done]
            if one not in done and not before:
                done.add(one)
                yield one
            if one in done:
                waiting.pop()
            else:
                waiting += before


def _pipeline_of(tx: Transaction, row: RepoRow | None) -> str | None:
    """Return the pipeline that writes to a repo, or None."""
    if row is None or row.repo.kind is not RepoKind.OUTPUT:
        return None
    return row.repo.name if tx.pipelines.find(row.repo.name) else None


def _deleted(repo: str) -> ConflictError:
    """Return the error of a deleted repo, whose commits go when gc removes it."""
    return ConflictError(
        f"The other lake has deleted repo {repo!r} and still keeps its commits",
        kind=ErrorKind.IN_USE,
        hint="Restore it there and try again, or wait until gc has removed it",
        repo=repo,
    )


def _appeared(change: RefChange) -> ConflictError:
    return ConflictError(
        f"{change.repo}@{change.name} was made meanwhile by somebody else",
        kind=ErrorKind.BRANCH_MOVED,
        repo=change.repo,
        ref=change.name,
    )


def _refusal(refused: Sequence[RefChange]) -> ConflictError:
    first = refused[0]
    others = f", and {len(refused) - 1} others" if len(refused) > 1 else ""
    return ConflictError(
        f"{first.repo}@{first.name} was not moved: {first.message}{others}",
        kind=ErrorKind.BRANCH_MOVED,
        hint="Pull and merge first, or force it: the reflog keeps what was there",
        refs=[f"{one.repo}@{one.name}" for one in refused],
        reasons=[one.message for one in refused],
    )


def _path_of(commit: Commit, key: bytes) -> RepoPath:
    """Return the path of a key, or raise: a stranger's may lead out of the repo."""
    path = path_from_key(key)
    try:
        is_right = bool(path) and parse_path(path) == path
    except InvalidInputError:
        is_right = False
    if not is_right:
        raise _no_tree(commit, f"{path!r:.100} is no path in it")
    return path


def _no_tree(commit: Commit, why: str) -> CorruptDataError:
    return CorruptDataError(
        f"The tree of commit {commit.repo}@{short_id(commit.id)} is no tree: {why}",
        kind=ErrorKind.CORRUPT_OBJECT,
        hint="Run 'datalake maintenance verify' on the lake that it comes from",
        commit=commit.id,
    )
