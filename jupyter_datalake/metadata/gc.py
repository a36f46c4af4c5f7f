"""Garbage collection: what nobody needs, in steps that other transactions can come between.

docs/gc.md says what the steps are and why they are safe. In short: a *condemned* blob is one that
writers do not count on any more; whatever makes writers' knowledge old moves the *epoch*; and a
pack without blobs is *retired* before its object is deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, delete, func, insert, or_, select, update

from jupyter_datalake.errors import ConflictError, ErrorKind
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, optional_time, time_of
from jupyter_datalake.metadata.blobs import Blobs
from jupyter_datalake.metadata.leases import Leases
from jupyter_datalake.metadata.repos import shown_name
from jupyter_datalake.model.gc import AUTO_EVERY_S, CollectionRun, Garbage, GcPolicy
from jupyter_datalake.model.ids import CommitId, Digest, short_id
from jupyter_datalake.model.jobs import LIVE_STATES, JobState
from jupyter_datalake.model.packs import BlobKind, BlobRecord, Codec
from jupyter_datalake.model.reproductions import REPRODUCTION_LEASE
from jupyter_datalake.model.trials import TRIAL_LEASE

COLLECTION_LEASE = "gc"
_EPOCH = "collection"
_AUTO = "auto_gc"
_WAITING = ("condemned_blobs", "waiting_blobs", "swept_blobs", "retired_packs")
"""Numbers of a report that say that another run has something to do."""
_KEPT_RUNS = 500
_LIVE = [str(state) for state in sorted(LIVE_STATES)]


def collected_by(owner: str) -> ConflictError:
    """Return the error of who wants to collect garbage while somebody else does."""
    return ConflictError(
        f"Another process collects garbage: {owner}",
        kind=ErrorKind.LEASE_HELD,
        hint="Wait for it to end, or end it: datalake maintenance cancel-gc",
        retryable=True,
    )


class BlobState(NamedTuple):
    """What gc looks at of one blob."""

    digest: Digest
    pack_id: int
    pack_created_ns: int
    stored_size: int
    condemned: int | None


class PackUse(NamedTuple):
    """A pack and what of it is still in use."""

    id: int
    name: str
    size_bytes: int
    created_ns: int
    live_blobs: int
    live_bytes: int
    """Stored bytes of the blobs that have their place here, also of the condemned ones."""
    must_rewrite: bool


class GarbageCollection(TableGroup):
    """Statements of gc, over many tables."""

    # --- epochs and runs -------------------------------------------------------------------------

    def epoch(self) -> int:
        """Return the number that moves whenever writers may count on less than before.

        In a write transaction it stays as it is until that ends.
        """
        epochs = tables.epochs
        return int(
            self._connection.execute(
                select(epochs.c.number).where(epochs.c.name == _EPOCH)
            ).scalar_one()
        )

    def advance_epoch(self) -> None:
        """Tell writers that began before that they must look again."""
        epochs = tables.epochs
        self._connection.execute(
            update(epochs).where(epochs.c.name == _EPOCH).values(number=epochs.c.number + 1)
        )

    def claim(self, owner: str, duration_s: float, fence: int | None = None) -> int:
        """Take or renew the one claim on collecting; every write of a run begins with it.

        Raises
        ------
        ConflictError
            Somebody else collects (``lease-held``), or has since `fence` was given out.
        """
        leases = Leases(self._connection, self._now_ns)
        found = leases.acquire(COLLECTION_LEASE, owner, duration_s)
        if found is not None and fence not in {None, found}:
            raise ConflictError(
                "This run of gc was cancelled, or paused for so long that another one began",
                kind=ErrorKind.LEASE_HELD,
                hint="What it did stays; the next run goes on",
            )
        if found is None:
            raise collected_by(leases.holder(COLLECTION_LEASE) or "unknown")
        return found

    def begin_run(self, owner: str) -> int:
        """Note the beginning of a run and return its number; very old ones are forgotten."""
        runs = tables.collections
        number = self._connection.execute(
            insert(runs).values(owner=owner, started_ns=self._now_ns).returning(runs.c.id)
        ).scalar_one()
        self._connection.execute(delete(runs).where(runs.c.id <= number - _KEPT_RUNS))
        return int(number)

    def note_progress(self, run: int, report: dict[str, Any]) -> None:
        """Note how far a run is."""
        runs = tables.collections
        self._connection.execute(update(runs).where(runs.c.id == run).values(report=report))

    def finish_run(self, run: int, report: dict[str, Any]) -> None:
        """Note what a run did."""
        runs = tables.collections
        self._connection.execute(
            update(runs).where(runs.c.id == run).values(finished_ns=self._now_ns, report=report)
        )

    def runs(self, limit: int) -> list[CollectionRun]:
        """Return the newest runs, newest first."""
        runs = tables.collections
        rows = self._connection.execute(select(runs).order_by(runs.c.id.desc()).limit(limit))
        return [
            CollectionRun(
                row.id,
                row.owner,
                time_of(row.started_ns),
                optional_time(row.finished_ns),
                row.report or {},
            )
            for row in rows
        ]

    def recent_runs(self, since_ns: int) -> set[int]:
        """Return the runs whose condemnations are younger than a time."""
        runs = tables.collections
        return set(
            self._connection.execute(
                select(runs.c.id).where(runs.c.condemned_ns > since_ns)
            ).scalars()
        )

    # --- runs by themselves ----------------------------------------------------------------------

    def auto_every_s(self) -> float:
        """Return how often gc may run by itself; 0: never."""
        epochs = tables.epochs
        found = self._connection.execute(
            select(epochs.c.number).where(epochs.c.name == _AUTO)
        ).scalar_one_or_none()
        return AUTO_EVERY_S if found is None else float(found)

    def set_auto(self, every_s: int) -> None:
        """Say how often gc may run by itself; 0: never."""
        epochs = tables.epochs
        self._connection.execute(delete(epochs).where(epochs.c.name == _AUTO))
        self._connection.execute(insert(epochs).values(name=_AUTO, number=every_s))

    def garbage(self, policy: GcPolicy) -> Garbage:
        """Return what tells whether gc would find something: a few counts, no look at blobs."""
        runs, packs, events = tables.collections, tables.packs, tables.events
        last = self._connection.execute(
            select(runs.c.started_ns, runs.c.report)
            .where(runs.c.finished_ns.is_not(None))
            .order_by(runs.c.id.desc())
            .limit(1)
        ).one_or_none()
        ends = [
            self._connection.execute(
                select(packs.c.created_ns).order_by(order).limit(1)
            ).scalar_one_or_none()
            for order in (packs.c.id, packs.c.id.desc())
        ]
        since_ns = ends[0] if last is None else last.started_ns
        report = {} if last is None else last.report or {}
        event_ns = self._connection.execute(
            select(events.c.at_ns).order_by(events.c.number.desc()).limit(1)
        ).scalar_one_or_none()
        small = self._count(
            packs, packs.c.retired_ns.is_(None), packs.c.size_bytes < policy.small_pack_bytes
        )
        return Garbage(
            every_s=self.auto_every_s(),
            since_ns=since_ns,
            is_waiting=any(report.get(name) for name in _WAITING),
            removed_commits=self._count(
                tables.removed_commits, tables.removed_commits.c.at_ns > (since_ns or 0)
            ),
            ended_undos=self._ended_undos(since_ns or 0, int(policy.undo_s * 1e9)),
            small_packs=small,
            has_new=ends[1] is not None and ends[1] > (since_ns or 0),
            last_event_ns=event_ns or 0,
        )

    def _ended_undos(self, since_ns: int, undo_ns: int) -> int:
        moves, repos = tables.ref_moves, tables.repos
        count = self._count(
            moves,
            moves.c.new_commit_id.is_(None),
            moves.c.at_ns.between(since_ns - undo_ns, self._now_ns - undo_ns),
        )
        return count + self._count(
            repos, repos.c.deleted_ns.between(since_ns - undo_ns, self._now_ns - undo_ns)
        )

    def _count(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        return int(
            self._connection.execute(
                select(func.count()).select_from(table).where(*conditions)
            ).scalar_one()
        )

    # --- blobs -----------------------------------------------------------------------------------

    def blob_page(self, after: Digest, limit: int) -> list[BlobState]:
        """Return blobs by digest behind `after`, at most `limit`."""
        blobs, packs = tables.blobs, tables.packs
        rows = self._connection.execute(
            select(
                blobs.c.digest,
                blobs.c.pack_id,
                packs.c.created_ns,
                blobs.c.stored_size,
                blobs.c.condemned,
            )
            .join(packs, packs.c.id == blobs.c.pack_id)
            .where(blobs.c.digest > after)
            .order_by(blobs.c.digest)
            .limit(limit)
        )
        return [
            BlobState(Digest(digest), pack_id, created_ns, size, condemned)
            for digest, pack_id, created_ns, size, condemned in rows
        ]

    def condemn(self, run: int, digests: Iterable[Digest]) -> int:
        """Mark blobs as not to be counted on; tell how many that were not marked yet."""
        count = 0
        blobs, runs = tables.blobs, tables.collections
        for batch in batched(digests):
            count += self._connection.execute(
                update(blobs)
                .where(blobs.c.digest.in_(batch), blobs.c.condemned.is_(None))
                .values(condemned=run)
            ).rowcount
        if count:
            self.advance_epoch()
            self._connection.execute(
                update(runs).where(runs.c.id == run).values(condemned_ns=self._now_ns)
            )
        return count

    def pardon(self, digests: Iterable[Digest]) -> int:
        """Take condemnations back; tell how many there were."""
        blobs = tables.blobs
        return sum(
            self._connection.execute(
                update(blobs)
                .where(blobs.c.digest.in_(batch), blobs.c.condemned.is_not(None))
                .values(condemned=None)
            ).rowcount
            for batch in batched(digests)
        )

    def sweep(self, run: int, digests: Iterable[Digest]) -> int:
        """Remove blobs that an earlier run condemned, and nobody pardoned; tell how many."""
        blobs, packs = tables.blobs, tables.packs
        count = 0
        for batch in batched(digests):
            chosen = (blobs.c.digest.in_(batch), blobs.c.condemned < run)
            commits = select(blobs.c.pack_id).where(*chosen, blobs.c.kind == int(BlobKind.COMMIT))
            self._connection.execute(
                update(packs).where(packs.c.id.in_(commits)).values(rewrite=True)
            )
            count += self._connection.execute(delete(blobs).where(*chosen)).rowcount
        return count

    # --- packs -----------------------------------------------------------------------------------

    def retire_packs(self, created_before_ns: int) -> tuple[int, int]:
        """Retire the packs in which no blob lies any more; return how many, and their bytes."""
        blobs, packs = tables.blobs, tables.packs
        rows = self._connection.execute(
            select(packs.c.id, packs.c.size_bytes).where(
                packs.c.retired_ns.is_(None),
                packs.c.created_ns <= created_before_ns,
                ~select(blobs.c.digest).where(blobs.c.pack_id == packs.c.id).exists(),
            )
        ).all()
        for batch in batched(row.id for row in rows):
            self._connection.execute(
                update(packs).where(packs.c.id.in_(batch)).values(retired_ns=self._now_ns)
            )
        if rows:
            self.advance_epoch()
        return len(rows), sum(row.size_bytes for row in rows)

    def retired_packs(self, before_ns: int, limit: int) -> list[PackUse]:
        """Return packs that were retired before a time."""
        packs = tables.packs
        rows = self._connection.execute(
            select(packs).where(packs.c.retired_ns <= before_ns).order_by(packs.c.id).limit(limit)
        )
        return [
            PackUse(row.id, row.name, row.size_bytes, row.created_ns, 0, 0, False) for row in rows
        ]

    def forget_pack(self, pack_id: int) -> None:
        """Remove a retired pack whose object is deleted."""
        Blobs(self._connection, self._now_ns).forget_pack(pack_id)
        self.advance_epoch()

    def pack_names(self, after: str, limit: int) -> list[str]:
        """Return the names of packs behind `after`, in order, also of retired ones."""
        packs = tables.packs
        return list(
            self._connection.execute(
                select(packs.c.name).where(packs.c.name > after).order_by(packs.c.name).limit(limit)
            ).scalars()
        )

    def note_strangers(self, found: Sequence[tuple[str, int]]) -> None:
        """Note since when packs are in the store that no row knows; forget all others."""
        strangers = tables.strangers
        self._insert_missing(
            strangers,
            [{"name": name, "size_bytes": size, "seen_ns": self._now_ns} for name, size in found],
        )
        names = {name for name, _ in found}
        old = self._connection.execute(select(strangers.c.name)).scalars().all()
        for batch in batched(name for name in old if name not in names):
            self._connection.execute(delete(strangers).where(strangers.c.name.in_(batch)))

    def strangers(self, seen_before_ns: int) -> list[tuple[str, int]]:
        """Return name and size of the packs that were strange before a time already."""
        strangers = tables.strangers
        rows = self._connection.execute(
            select(strangers.c.name, strangers.c.size_bytes)
            .where(strangers.c.seen_ns <= seen_before_ns)
            .order_by(strangers.c.name)
        )
        return [(row.name, row.size_bytes) for row in rows]

    def retire_stranger(self, name: str, size_bytes: int) -> bool:
        """Retire an object that no row knows; tell False if one does by now."""
        packs, strangers = tables.packs, tables.strangers
        self._connection.execute(delete(strangers).where(strangers.c.name == name))
        known = self._connection.execute(
            select(packs.c.id).where(packs.c.name == name)
        ).scalar_one_or_none()
        if known is not None:
            return False
        Blobs(self._connection, self._now_ns).add_pack_row(name, size_bytes, 0, is_retired=True)
        self.advance_epoch()
        return True

    def pack_uses(self, *, after: int, limit: int) -> list[PackUse]:
        """Return packs by id behind `after`, with how much lies in each."""
        blobs, packs = tables.blobs, tables.packs
        page = (
            select(packs)
            .where(packs.c.id > after, packs.c.retired_ns.is_(None))
            .order_by(packs.c.id)
            .limit(limit)
            .subquery()
        )
        rows = self._connection.execute(
            select(
                page.c.id,
                page.c.name,
                page.c.size_bytes,
                page.c.created_ns,
                page.c.rewrite,
                func.count(blobs.c.digest).label("live_blobs"),
                func.coalesce(func.sum(blobs.c.stored_size), 0).label("live_bytes"),
            )
            .select_from(page.outerjoin(blobs, blobs.c.pack_id == page.c.id))
            .group_by(page.c.id, page.c.name, page.c.size_bytes, page.c.created_ns, page.c.rewrite)
            .order_by(page.c.id)
        )
        return [
            PackUse(
                row.id,
                row.name,
                row.size_bytes,
                row.created_ns,
                row.live_blobs,
                int(row.live_bytes),
                row.rewrite,
            )
            for row in rows
        ]

    def blobs_in(self, pack_id: int) -> list[BlobRecord]:
        """Return the blobs that have their place in a pack, in order."""
        blobs = tables.blobs
        rows = self._connection.execute(
            select(blobs).where(blobs.c.pack_id == pack_id).order_by(blobs.c.offset)
        )
        return [
            BlobRecord(
                Digest(row.digest),
                BlobKind(row.kind),
                Codec(row.codec),
                row.offset,
                row.stored_size,
                row.raw_size,
            )
            for row in rows
        ]

    # --- roots -----------------------------------------------------------------------------------

    def iter_roots(self) -> Iterator[tuple[BlobKind, Digest]]:
        """Yield manifests and commits that rows name; for the others see `Pins.iter_roots`."""
        commits, datums, results = tables.commits, tables.datums, tables.datum_results
        for commit_id, root in self._stream(select(commits.c.id, commits.c.root)):
            yield BlobKind.COMMIT, Digest(bytes.fromhex(commit_id))
            yield BlobKind.NODE, Digest(root)
        sets = self._stream(
            select(tables.jobs.c.datums_root).where(tables.jobs.c.datums_root.is_not(None))
        )
        for row in sets:
            yield BlobKind.NODE, Digest(row.datums_root)
        for table in (datums, results):
            rows = self._stream(select(table.c.output_root, table.c.artifacts_root))
            for row in rows:
                for root in row:
                    if root is not None:
                        yield BlobKind.NODE, Digest(root)

    def _stream(self, statement: Select[Any]) -> Iterator[Any]:
        return iter(self._connection.execute(statement, execution_options={"yield_per": 1000}))

    # --- commits ---------------------------------------------------------------------------------

    def loose_commits(self, after: str, limit: int) -> tuple[list[CommitId], str | None]:
        """Return commits behind `after` that no ref and no later commit names, and where to go on.

        At most `limit`; None: these are the last.
        """
        commits, parents, refs = tables.commits, tables.commit_parents, tables.refs
        rows = (
            self._connection.execute(
                select(commits.c.id)
                .where(
                    commits.c.id > after,
                    ~select(parents.c.commit_id)
                    .where(parents.c.parent_id == commits.c.id)
                    .exists(),
                    ~select(refs.c.name).where(refs.c.commit_id == commits.c.id).exists(),
                )
                .order_by(commits.c.id)
                .limit(limit)
            )
            .scalars()
            .all()
        )
        return [CommitId(one) for one in rows], (rows[-1] if len(rows) == limit else None)

    def commits_stored_since(self, ids: Collection[CommitId], since_ns: int) -> set[CommitId]:
        """Return those of the commits whose pack was written after a time."""
        blobs, packs = tables.blobs, tables.packs
        found: set[CommitId] = set()
        for batch in batched(bytes.fromhex(one) for one in ids):
            digests = self._connection.execute(
                select(blobs.c.digest)
                .join(packs, packs.c.id == blobs.c.pack_id)
                .where(blobs.c.digest.in_(batch), packs.c.created_ns > since_ns)
            ).scalars()
            found.update(CommitId(bytes(digest).hex()) for digest in digests)
        return found

    def users_of(
        self,
        ids: Collection[CommitId],
        *,
        undo_since_ns: int | None,
        with_children: bool = True,
        with_inputs: bool = True,
    ) -> dict[CommitId, list[str]]:
        """Return, for each commit that rows need, what needs it, as people say it.

        Parameters
        ----------
        undo_since_ns
            Moves of refs since then can be undone, so they need both ends; None: they do not.
        with_children
            Whether a later commit that names it as its parent needs it.
        with_inputs
            Whether a commit that was made from it needs it.
        """
        found: dict[CommitId, list[str]] = {}
        for batch in batched(ids):
            for commit_id, what in self._users(batch, undo_since_ns, with_children, with_inputs):
                found.setdefault(CommitId(commit_id), []).append(what)
        return found

    def _users(
        self,
        ids: Sequence[CommitId],
        undo_since_ns: int | None,
        with_children: bool,
        with_inputs: bool,
    ) -> Iterator[tuple[str, str]]:
        refs, repos, sessions = tables.refs, tables.repos, tables.sessions
        for row in self._rows(
            select(refs.c.commit_id, refs.c.kind, refs.c.name, repos.c.name.label("repo"))
            .join(repos, repos.c.id == refs.c.repo_id)
            .where(refs.c.commit_id.in_(ids))
        ):
            yield row.commit_id, f"{row.kind} {shown_name(row.repo)}@{row.name}"
        for row in self._rows(
            select(sessions.c.base_commit_id, sessions.c.id).where(
                sessions.c.base_commit_id.in_(ids)
            )
        ):
            yield row.base_commit_id, f"session {row.id}"
        versions, pipelines = tables.pipeline_versions, tables.pipelines
        for row in self._rows(
            select(versions.c.code_commit_id, versions.c.version, pipelines.c.name)
            .join(pipelines, pipelines.c.id == versions.c.pipeline_id)
            .where(versions.c.code_commit_id.in_(ids))
        ):
            yield row.code_commit_id, f"pipeline {row.name} version {row.version}"
        parents, inputs, commits = tables.commit_parents, tables.commit_inputs, tables.commits
        if with_children:
            for row in self._rows(
                select(parents.c.parent_id, parents.c.commit_id).where(parents.c.parent_id.in_(ids))
            ):
                yield row.parent_id, f"commit {short_id(row.commit_id)} follows it"
        if with_inputs:
            for row in self._rows(
                select(inputs.c.input_commit_id, commits.c.id, commits.c.repo)
                .join(commits, commits.c.id == inputs.c.commit_id)
                .where(inputs.c.input_commit_id.in_(ids))
            ):
                yield (
                    row.input_commit_id,
                    f"commit {row.repo}@{short_id(row.id)} was made from it",
                )
        if undo_since_ns is not None:
            yield from self._undoable(ids, undo_since_ns)

    def _undoable(self, ids: Sequence[CommitId], since_ns: int) -> Iterator[tuple[str, str]]:
        moves, repos = tables.ref_moves, tables.repos
        for column in (moves.c.old_commit_id, moves.c.new_commit_id):
            for row in self._connection.execute(
                select(column.label("commit_id"), moves.c.name, repos.c.name.label("repo"))
                .join(repos, repos.c.id == moves.c.repo_id)
                .where(column.in_(ids), moves.c.at_ns > since_ns)
            ):
                repo = shown_name(row.repo)
                yield row.commit_id, f"{repo}@{row.name} was there a short while ago"

    def _rows(self, statement: Select[Any]) -> Sequence[Any]:
        return self._connection.execute(statement).all()

    def delete_commits(self, ids: Collection[CommitId]) -> list[CommitId]:
        """Remove commits and return those they named; who follows them goes on naming them."""
        above: set[CommitId] = set()
        parents, inputs = tables.commit_parents, tables.commit_inputs
        for batch in batched(ids):
            for named, owner in (
                (parents.c.parent_id, parents.c.commit_id),
                (inputs.c.input_commit_id, inputs.c.commit_id),
            ):
                found = self._connection.execute(select(named).where(owner.in_(batch)))
                above.update(CommitId(one) for one in found.scalars())
            for table in (tables.commit_parents, tables.commit_inputs):
                self._connection.execute(delete(table).where(table.c.commit_id.in_(batch)))
            commits = tables.commits
            self._connection.execute(delete(commits).where(commits.c.id.in_(batch)))
        if ids:
            self.advance_epoch()
        return sorted(above - set(ids))

    def forget_strays(self) -> None:
        """Drop pins of sessions and jobs that are over, and marks of removed commits unnamed."""
        pins, sessions, jobs = tables.pins, tables.sessions, tables.jobs
        leases = Leases(self._connection, self._now_ns)
        live = {
            *(name.partition(":")[2] for name in leases.held(REPRODUCTION_LEASE)),
            *(name.partition(":")[2] for name in leases.held(TRIAL_LEASE)),
            *self._connection.execute(select(sessions.c.id)).scalars(),
            *self._connection.execute(select(jobs.c.id).where(jobs.c.state.in_(_LIVE))).scalars(),
        }
        owners = self._connection.execute(select(pins.c.owner).distinct()).scalars().all()
        strays = [one for one in owners if one.partition(":")[2] not in live]
        for batch in batched(strays):
            self._connection.execute(delete(pins).where(pins.c.owner.in_(batch)))
        removed, parents = tables.removed_commits, tables.commit_parents
        named = select(parents.c.commit_id).where(parents.c.parent_id == removed.c.id).exists()
        self._connection.execute(delete(removed).where(~named))

    def forget_results(self, finished_before_ns: int) -> int:
        """Forget outputs of datums that ended before a time; tell how many.

        What live jobs work on stays, and for each pipeline what its newest successful job used:
        the next one skips by it.

        A job whose datums are forgotten has no datum set any more either.
        """
        jobs, datums, results = tables.jobs, tables.datums, tables.datum_results
        newest = (
            select(func.max(jobs.c.number))
            .where(jobs.c.state == str(JobState.SUCCESS))
            .group_by(jobs.c.pipeline_id)
        )
        kept = select(jobs.c.id).where(or_(jobs.c.state.in_(_LIVE), jobs.c.number.in_(newest)))
        kept_keys = select(datums.c.key).where(datums.c.job_id.in_(kept))
        count = self._connection.execute(
            delete(results).where(
                results.c.finished_ns <= finished_before_ns,
                results.c.key.not_in(kept_keys),
                results.c.current.is_(False),
            )
        ).rowcount
        count += self._connection.execute(
            update(datums)
            .where(
                datums.c.finished_ns <= finished_before_ns,
                datums.c.job_id.not_in(kept),
                or_(datums.c.output_root.is_not(None), datums.c.artifacts_root.is_not(None)),
            )
            .values(output_root=None, artifacts_root=None)
        ).rowcount
        count += self._forget_sets(finished_before_ns)
        if count:
            self.advance_epoch()
        return count

    def _forget_sets(self, finished_before_ns: int) -> int:
        """Let old jobs have no datum sets, except for the newest that each pipeline has."""
        jobs = tables.jobs
        newest = (
            select(func.max(jobs.c.number))
            .where(jobs.c.state == str(JobState.SUCCESS), jobs.c.datums_root.is_not(None))
            .group_by(jobs.c.pipeline_id)
        )
        return self._connection.execute(
            update(jobs)
            .where(
                jobs.c.datums_root.is_not(None),
                jobs.c.finished_ns <= finished_before_ns,
                jobs.c.number.not_in(newest),
            )
            .values(datums_root=None, joined_root=None)
        ).rowcount
