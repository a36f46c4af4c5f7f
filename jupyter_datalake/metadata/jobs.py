"""Jobs and what they wait for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, func, insert, or_, select, update

from jupyter_datalake.errors import ErrorKind, NotFoundError, StateError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, begins_with, optional_time, time_of
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId
from jupyter_datalake.model.jobs import (
    LIVE_STATES,
    Job,
    JobState,
    Outcome,
    Trigger,
    check_job_transition,
    parse_trigger,
)


class JobDraft(NamedTuple):
    """A job to be created."""

    id: str
    pipeline_id: int
    pipeline_version: int
    global_id: GlobalId
    trigger: Trigger
    heads: dict[str, CommitId]


class DatumSet(NamedTuple):
    """The manifest of all datums of a job that succeeded; see `model.datum_sets`."""

    job_id: str
    pipeline_version: int
    inputs: dict[str, CommitId]
    root: Digest
    joined_root: Digest | None
    """The tree that their outputs gave; None if no other can be made from it by edits."""


class Jobs(TableGroup):
    """Statements about `jobs` and `job_waits`; transitions follow the model's table."""

    def add(self, draft: JobDraft, waits_for: Iterable[str]) -> bool:
        """Insert a waiting job; tell whether it is new (one per pipeline and global id)."""
        jobs = tables.jobs
        exists = self._connection.execute(
            select(jobs.c.id).where(
                jobs.c.pipeline_id == draft.pipeline_id, jobs.c.global_id == draft.global_id
            )
        ).scalar_one_or_none()
        if exists is not None:
            return False
        number = self._connection.execute(
            select(func.coalesce(func.max(jobs.c.number), 0) + 1)
        ).scalar_one()
        self._connection.execute(
            insert(jobs).values(
                id=draft.id,
                number=number,
                pipeline_id=draft.pipeline_id,
                pipeline_version=draft.pipeline_version,
                state=str(JobState.WAITING),
                global_id=draft.global_id,
                trigger=draft.trigger.as_dict(),
                heads=draft.heads,
                inputs={},
                message="",
                created_ns=self._now_ns,
                attempt=1,
                cancel_requested=False,
                datum_total=0,
            )
        )
        self._insert_missing(
            tables.job_waits,
            [{"job_id": draft.id, "on_job_id": other} for other in waits_for],
        )
        return True

    def find(self, prefix: str) -> Job | None:
        """Return the job whose id begins with `prefix`, or None if none or several do."""
        if not prefix:
            return None  # the beginning of every id names none, also where there is only one
        jobs = tables.jobs
        found = self._select(begins_with(jobs.c.id, prefix), limit=2)
        return found[0] if len(found) == 1 else None

    def get(self, prefix: str) -> Job:
        """Return the one job whose id begins with `prefix`, or raise `NotFoundError`."""
        found = self.find(prefix)
        if found is None:
            raise NotFoundError(
                f"There is no job {prefix!r}, or several begin so",
                kind=ErrorKind.JOB_NOT_FOUND,
                hint="'datalake jobs list' shows what there is",
                job=prefix,
            )
        return found

    def list(
        self,
        *,
        pipeline: str | None = None,
        pipeline_ids: Collection[int] | None = None,
        global_id: GlobalId | None = None,
        states: Iterable[JobState] | None = None,
        before: int | None = None,
        limit: int,
    ) -> Sequence[Job]:
        """Return jobs, newest first, at most `limit`, below the number `before`."""
        jobs, conditions = tables.jobs, []
        if pipeline is not None:
            conditions.append(tables.pipelines.c.name == pipeline)
        if pipeline_ids is not None:
            conditions.append(jobs.c.pipeline_id.in_(pipeline_ids))
        if global_id is not None:
            conditions.append(jobs.c.global_id == global_id)
        if states is not None:
            conditions.append(jobs.c.state.in_([str(state) for state in states]))
        if before is not None:
            conditions.append(jobs.c.number < before)
        return self._select(*conditions, limit=limit)

    def latest_of_each(self, *, at_ns: int | None = None) -> dict[str, Job]:
        """Return the newest job of every pipeline, by pipeline; as of a time if one is given."""
        jobs = tables.jobs
        # Other names, or the outer query would lend its rows: then all jobs were looked at.
        each, theirs = tables.pipelines.alias("each"), jobs.alias("theirs")
        # One look into the index for each pipeline; to group would be to read all of it.
        made = () if at_ns is None else (theirs.c.created_ns <= at_ns,)
        newest = select(
            select(func.max(theirs.c.number))
            .where(theirs.c.pipeline_id == each.c.id, *made)
            .correlate(each)
            .scalar_subquery()
        ).select_from(each)
        return {job.pipeline: job for job in self._select(jobs.c.number.in_(newest), limit=None)}

    def last_set(self, pipeline_id: int, *, before: int | None = None) -> DatumSet | None:
        """Return the datum set of a pipeline's newest successful job that one can go on from.

        That is none where datums were left out or recovered: they are tried again.
        """
        jobs, datums = tables.jobs, tables.datums
        left_out = select(datums.c.position).where(
            datums.c.job_id == jobs.c.id, datums.c.state == str(DatumState.RECOVERED)
        )
        conditions = [
            jobs.c.pipeline_id == pipeline_id,
            jobs.c.state == str(JobState.SUCCESS),
            jobs.c.datums_root.is_not(None),
            ~left_out.exists(),
        ]
        if before is not None:
            conditions.append(jobs.c.number < before)
        row = self._connection.execute(
            select(jobs).where(*conditions).order_by(jobs.c.number.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _datum_set(row)

    def get_set(self, job_id: str) -> DatumSet | None:
        """Return the datum set of a job, or None if all its datums have rows."""
        jobs = tables.jobs
        row = self._connection.execute(
            select(jobs).where(jobs.c.id == job_id, jobs.c.datums_root.is_not(None))
        ).one_or_none()
        return None if row is None else _datum_set(row)

    def ready(self, limit: int) -> Sequence[Job]:
        """Return waiting jobs that nothing holds back, oldest first.

        A job is held back by a job it waits for, and by an earlier job of its own pipeline.
        """
        jobs, waits = tables.jobs, tables.job_waits
        other = jobs.alias("other")
        live = [str(state) for state in LIVE_STATES]
        blocked = (
            select(waits.c.job_id)
            .join(other, other.c.id == waits.c.on_job_id)
            .where(other.c.state.in_(live))
        )
        earlier = jobs.alias("earlier")
        queued_behind = (
            select(earlier.c.id)
            .where(
                earlier.c.pipeline_id == jobs.c.pipeline_id,
                earlier.c.number < jobs.c.number,
                earlier.c.state.in_(live),
            )
            .exists()
        )
        return self._select(
            jobs.c.state == str(JobState.WAITING),
            jobs.c.id.not_in(blocked),
            ~queued_behind,
            oldest_first=True,
            limit=limit,
        )

    def upstream_of(self, job_id: str) -> Sequence[Job]:
        """Return the jobs that a job waits or waited for."""
        waits = tables.job_waits
        ids = select(waits.c.on_job_id).where(waits.c.job_id == job_id)
        return self._select(tables.jobs.c.id.in_(ids), limit=None)

    def lost(self) -> Sequence[Job]:
        """Return jobs at work whose lease has run out."""
        jobs = tables.jobs
        return self._select(
            jobs.c.state.in_([str(JobState.RUNNING), str(JobState.EGRESSING)]),
            or_(jobs.c.lease_until_ns.is_(None), jobs.c.lease_until_ns < self._now_ns),
            limit=None,
        )

    def count_live(self) -> int:
        """Return how many jobs have not ended."""
        jobs = tables.jobs
        return int(
            self._connection.execute(
                select(func.count())
                .select_from(jobs)
                .where(jobs.c.state.in_([str(state) for state in LIVE_STATES]))
            ).scalar_one()
        )

    def move(self, job: Job, new: JobState, *, owner: str | None = None, **changes: Any) -> None:
        """Move a job from the state it is known in to `new`, with other columns.

        Parameters
        ----------
        owner
            The controller that must still hold the job: what it does after losing the job to
            another controller is refused.

        Raises
        ------
        StateError
            The state machine has no such transition, somebody else moved the job first, or it
            is not the owner's any more.
        """
        check_job_transition(job.id, job.state, new)
        jobs = tables.jobs
        values: dict[str, Any] = {"state": str(new), **changes}
        if new is JobState.RUNNING:
            values["started_ns"] = self._now_ns
        if new.is_terminal:
            values["finished_ns"] = self._now_ns
            values["owner"] = None
            values["lease_until_ns"] = None
        if new is JobState.WAITING:
            values.update(attempt=job.attempt + 1, owner=None, lease_until_ns=None)
        conditions = [jobs.c.id == job.id, jobs.c.state == str(job.state)]
        if owner is not None:
            conditions.append(jobs.c.owner == owner)
        result = self._connection.execute(update(jobs).where(*conditions).values(**values))
        if result.rowcount != 1:
            actual = self.get(job.id)
            raise StateError(
                f"Job {job.id} is {actual.state}"
                + (f" and belongs to {actual.owner}" if actual.owner else ""),
                kind=ErrorKind.WRONG_STATE,
                job=job.id,
                state=str(actual.state),
            )

    def update(self, job_id: str, **changes: Any) -> None:
        """Change columns that are not the state."""
        self._connection.execute(
            update(tables.jobs).where(tables.jobs.c.id == job_id).values(**changes)
        )

    def to_be_cancelled(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those among `ids` whose end was asked for; their datums are not counted."""
        jobs = tables.jobs
        return [
            job_id
            for batch in batched(ids)
            for job_id in self._connection.execute(
                select(jobs.c.id).where(jobs.c.id.in_(batch), jobs.c.cancel_requested)
            ).scalars()
        ]

    def renew(self, job_id: str, owner: str, duration_s: float) -> bool:
        """Prolong the owner's lease on a job; tell whether the job is still the owner's.

        One that was declared lost is not, even before somebody takes it up again.
        """
        jobs = tables.jobs
        result = self._connection.execute(
            update(jobs)
            .where(
                jobs.c.id == job_id,
                jobs.c.owner == owner,
                jobs.c.state.in_([str(JobState.RUNNING), str(JobState.EGRESSING)]),
            )
            .values(lease_until_ns=self._now_ns + int(duration_s * 1e9))
        )
        return result.rowcount == 1

    def _select(
        self, *conditions: Any, limit: int | None, oldest_first: bool = False
    ) -> Sequence[Job]:
        jobs, pipelines = tables.jobs, tables.pipelines
        order = jobs.c.number if oldest_first else jobs.c.number.desc()
        rows = self._connection.execute(
            select(jobs, pipelines.c.name.label("pipeline"))
            .join(pipelines, pipelines.c.id == jobs.c.pipeline_id)
            .where(*conditions)
            .order_by(order)
            .limit(limit)
        ).all()
        counts = self._counts([row.id for row in rows])
        return [_job(row, counts.get(row.id, {})) for row in rows]

    def _counts(self, ids: Sequence[str]) -> dict[str, dict[DatumState, int]]:
        datums = tables.datums
        counts: dict[str, dict[DatumState, int]] = {}
        for batch in batched(ids):
            rows = self._connection.execute(
                select(datums.c.job_id, datums.c.state, func.count())
                .where(datums.c.job_id.in_(batch), datums.c.position >= 0)
                .group_by(datums.c.job_id, datums.c.state)
            )
            for job_id, state, count in rows:
                counts.setdefault(job_id, {})[DatumState(state)] = count
        return counts


def _datum_set(row: Row[Any]) -> DatumSet:
    return DatumSet(
        row.id,
        row.pipeline_version,
        row.inputs,
        Digest(row.datums_root),
        None if row.joined_root is None else Digest(row.joined_root),
    )


def _job(row: Row[Any], counts: dict[DatumState, int]) -> Job:
    return Job(
        id=row.id,
        number=row.number,
        pipeline=row.pipeline,
        pipeline_version=row.pipeline_version,
        state=JobState(row.state),
        outcome=None if row.outcome is None else Outcome(row.outcome),
        global_id=GlobalId(row.global_id),
        trigger=parse_trigger(row.trigger),
        heads=row.heads,
        inputs=row.inputs,
        output_commit_id=row.output_commit_id,
        rows_written=row.rows_written,
        message=row.message,
        created_at=time_of(row.created_ns),
        started_at=optional_time(row.started_ns),
        finished_at=optional_time(row.finished_ns),
        attempt=row.attempt,
        owner=row.owner,
        cancel_requested=row.cancel_requested,
        datum_total=row.datum_total,
        datum_counts=_with_inherited(counts, row.inherited),
    )


def _with_inherited(counts: dict[DatumState, int], inherited: int) -> dict[DatumState, int]:
    """Return counts of datums with those that have no row, because nothing of them changed."""
    if not inherited:
        return counts
    return {**counts, DatumState.SKIPPED: counts.get(DatumState.SKIPPED, 0) + inherited}
