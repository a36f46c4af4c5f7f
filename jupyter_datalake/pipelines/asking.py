"""Asking: jobs that people ask for. They tick clocks, run again, or go over the past.

Each is one transaction: who is killed while asking has asked for all of it or for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.engine.core import new_global_id
from jupyter_datalake.engine.history import resolve_in
from jupyter_datalake.errors import ErrorKind, InvalidInputError, StateError
from jupyter_datalake.metadata.base import ns_of, time_of
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Origin
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.jobs import (
    BackfillStep,
    Job,
    JobState,
    Trigger,
    TriggerKind,
    cancellation_of,
)
from jupyter_datalake.model.lineage import GlobalOrigin
from jupyter_datalake.model.pipelines import (
    CronInput,
    PipelineState,
    RepoInput,
    cron_inputs,
    keyed_inputs,
)
from jupyter_datalake.model.refs import parse_ref_expression
from jupyter_datalake.model.schedules import find_zone, parse_schedule
from jupyter_datalake.model.times import nanoseconds_of
from jupyter_datalake.pipelines.notifying import announce_end
from jupyter_datalake.pipelines.steps import owes_finally
from jupyter_datalake.pipelines.triggering import Pins, Started, plan_jobs

MAX_BACKFILL = 1000
"""So many jobs one backfill makes at most."""
_LOOK_BACK = 100_000
"""So many commits before its end the beginning of a range is looked for."""
_DATE_LENGTH = len("2026-01-31")
_INSTANT = timedelta(microseconds=1)


def check_active(row: PipelineRow) -> None:
    """Raise `StateError` if a pipeline is paused."""
    name = row.pipeline.name
    if row.pipeline.state is PipelineState.PAUSED:
        raise StateError(
            f"Pipeline {name!r} is paused",
            kind=ErrorKind.WRONG_STATE,
            hint=f"Resume it first: datalake pipelines resume {name}",
            pipeline=name,
        )


def tick_pipelines(
    tx: Transaction, names: Sequence[str], by: str, *, priority: int | None = None
) -> GlobalId:
    """Tick the clocks of pipelines now, all under one global id, which is returned."""
    rows = [tx.pipelines.get(name) for name in names]
    global_id = new_global_id()
    tx.lineage.begin(global_id, GlobalOrigin.TICK, ", ".join(names), by)
    started = [
        Started(row, Trigger(TriggerKind.TICK, row.pipeline.name, tx.now_ns, priority=priority))
        for row in rows
    ]
    plan_jobs(tx, started, global_id)
    for row in rows:
        tx.pipelines.tick(row.id)
    return global_id


def rerun_pipelines(
    tx: Transaction,
    names: Sequence[str],
    by: str,
    *,
    reprocess: bool,
    priority: int | None = None,
) -> GlobalId:
    """Create jobs of pipelines over their inputs as they are now, all under one global id."""
    rows = [tx.pipelines.get(name) for name in names]
    global_id = new_global_id()
    tx.lineage.begin(global_id, GlobalOrigin.RERUN, ", ".join(names), by)
    started = [
        Started(row, _rerun(tx, row, reprocess=reprocess, priority=priority)) for row in rows
    ]
    plan_jobs(tx, started, global_id)
    return global_id


def repeat_job(tx: Transaction, job: Job, by: str, *, reprocess: bool) -> GlobalId:
    """Create a job of a pipeline, as it is now, over the commits and the tick of an earlier job.

    What is downstream of it reads these commits too.
    """
    row = tx.pipelines.get(job.pipeline)
    check_active(row)
    spec, _ = tx.pipelines.version(row.id, job.pipeline_version)
    read = job.inputs or job.heads
    pins = {(given.repo, given.branch): read[key] for key, given in keyed_inputs(spec).items()}
    trigger = _rerun(tx, row, reprocess=reprocess, priority=job.trigger.priority)
    if job.trigger.kind is TriggerKind.TICK:
        trigger = Trigger(
            TriggerKind.TICK,
            row.pipeline.name,
            job.trigger.at_ns,
            reprocess,
            job.trigger.priority,
        )
    global_id = new_global_id()
    tx.lineage.begin(global_id, GlobalOrigin.RERUN, row.pipeline.name, by)
    plan_jobs(tx, [Started(row, trigger)], global_id, pins)
    return global_id


def cancel_job(tx: Transaction, job: Job) -> Job:
    """Ask a job that has not ended to stop; one that waits has ended then."""
    tx.jobs.update(job.id, cancel_requested=True)
    if job.state is JobState.WAITING and not owes_finally(tx, job):
        tx.jobs.move(job, JobState.CANCELLED, message=cancellation_of(job))
        announce_end(tx, job.id)
    job = tx.jobs.get(job.id)
    tx.events.append(EventKind.JOB_CHANGED, job.id, pipeline=job.pipeline, state=str(job.state))
    return job


def _rerun(
    tx: Transaction, row: PipelineRow, *, reprocess: bool = False, priority: int | None
) -> Trigger:
    return Trigger(TriggerKind.RERUN, row.pipeline.name, tx.now_ns, reprocess, priority)


# --- backfill ------------------------------------------------------------------------------------


def list_backfill(
    tx: Transaction, name: str, start: str, end: str, input_name: str | None
) -> list[BackfillStep]:
    """Return what a backfill of a pipeline goes over, oldest first: commits of an input, or ticks.

    Parameters
    ----------
    start, end
        Days or times, or, for commits, ref expressions. Both belong to the range; a day means
        all of it, where the clock of the input is, or else in UTC.
    input_name
        The input that is gone over; None where there is only one.

    Raises
    ------
    InvalidInputError
        The range is empty the wrong way round or too long, or it is not said which input it is of.
    NotFoundError
        There is no such pipeline, or no such commit.
    """
    row = tx.pipelines.get(name)
    given = _input_of(row, input_name)
    if isinstance(given, CronInput):
        steps = _ticks(given, start, end)
    else:
        steps = _commits(tx, given, start, end)
    if len(steps) > MAX_BACKFILL:
        raise InvalidInputError(
            f"From {start} to {end} there are more than {MAX_BACKFILL:,} jobs to make",
            hint="Go over a shorter range, one after the other",
            pipeline=name,
        )
    return steps


def backfill(
    tx: Transaction,
    name: str,
    steps: Sequence[BackfillStep],
    input_name: str | None,
    by: str,
    *,
    reprocess: bool,
    priority: int | None,
) -> list[GlobalId]:
    """Create a job for each step, and one over what is there now; return their global ids.

    They run one after the other. The last one leaves the output as it would be without the
    backfill.
    """
    row = tx.pipelines.get(name)
    check_active(row)
    given = _input_of(row, input_name)
    triggers: list[tuple[Trigger, Pins]] = []
    for step in steps:
        if step.commit_id is None:
            at_ns = ns_of(step.at)
            triggers.append((Trigger(TriggerKind.TICK, name, at_ns, reprocess, priority), {}))
        elif isinstance(given, RepoInput):
            subject = f"{given.repo}@{step.commit_id}"
            trigger = Trigger(TriggerKind.BACKFILL, subject, tx.now_ns, reprocess, priority)
            triggers.append((trigger, {(given.repo, given.branch): step.commit_id}))
    if triggers and _has_present(tx, row, steps[-1]):
        triggers.append((_rerun(tx, row, priority=priority), {}))
    made = []
    for trigger, pins in triggers:
        global_id = new_global_id()
        tx.lineage.begin(global_id, GlobalOrigin.BACKFILL, name, by)
        plan_jobs(tx, [Started(row, trigger)], global_id, pins)
        made.append(global_id)
    return made


def _has_present(tx: Transaction, row: PipelineRow, last: BackfillStep) -> bool:
    """Tell whether the output should end otherwise than with the last step of a backfill."""
    if last.commit_id is not None or not cron_inputs(row.pipeline.spec):
        return True
    ticked_ns = tx.pipelines.last_tick_ns(row.id)
    return ticked_ns is not None and ticked_ns > ns_of(last.at)


def _input_of(row: PipelineRow, input_name: str | None) -> RepoInput | CronInput:
    spec = row.pipeline.spec
    leaves: dict[str, RepoInput | CronInput] = {
        **keyed_inputs(spec),
        **{one.name: one for one in cron_inputs(spec)},
    }
    found = [one for key, one in leaves.items() if input_name in {None, key}]
    if len(found) == 1:
        return found[0]
    names = ", ".join(leaves) or "none"
    what = "has several inputs" if found else f"has no input {input_name!r}"
    raise InvalidInputError(
        f"Pipeline {spec.name!r} {what if leaves else 'has no input'}",
        hint=f"Name the input to go over with --input; there are: {names}",
        pipeline=spec.name,
    )


def _ticks(given: CronInput, start: str, end: str) -> list[BackfillStep]:
    zone = find_zone(given.zone)
    schedule = parse_schedule(given.schedule, given.zone)
    first, last = _moment(start, zone), _moment(end, zone, is_end=True)
    _check_order(first, last, start, end)
    # An interval has no times of its own: it is counted from the beginning.
    moment = first if schedule.every is not None else schedule.next_after(first - _INSTANT)
    steps: list[BackfillStep] = []
    while moment <= last and len(steps) <= MAX_BACKFILL:
        steps.append(BackfillStep(moment.astimezone(UTC), None, "tick"))
        moment = schedule.next_after(moment)
    return steps


def _commits(tx: Transaction, given: RepoInput, start: str, end: str) -> list[BackfillStep]:
    repo = tx.repos.get(given.repo)
    is_by_time = _is_time(start) and _is_time(end)
    if is_by_time:
        first, last = _moment(start, UTC), _moment(end, UTC, is_end=True)
        _check_order(first, last, start, end)
        newest, oldest = tx.refs.get(repo, given.branch).commit_id, None
    else:
        newest = resolve_in(tx, repo, parse_ref_expression(end))
        oldest = resolve_in(tx, repo, parse_ref_expression(start))
    steps: list[BackfillStep] = []
    reached = oldest is None
    for commit_id in islice(Ancestry(tx).walk(newest, first_parent=True), _LOOK_BACK):
        commit = tx.commits.get(commit_id)
        if is_by_time and commit.created_at < first:
            break
        if not is_by_time or commit.created_at <= last:
            steps.append(BackfillStep(commit.created_at, commit_id, commit.message))
        if commit_id == oldest:
            reached = True
            break
        if len(steps) > MAX_BACKFILL:
            return steps
    if not reached:
        raise InvalidInputError(
            f"{start!r} is not before {end!r} on the first line of {given.repo!r}",
            kind=ErrorKind.INVALID_REF,
            hint=f"'datalake commits list {given.repo}' shows that line",
            repo=given.repo,
        )
    return [one for one in reversed(steps) if _is_written(tx, one.commit_id)]


def _is_written(tx: Transaction, commit_id: CommitId | None) -> bool:
    """Tell whether a commit is one that pipelines run on: not the empty one of a new repo."""
    assert commit_id is not None
    return tx.commits.get(commit_id).provenance.origin is not Origin.REPO


def _is_time(text: str) -> bool:
    return len(text) >= _DATE_LENGTH and text[4:5] == text[7:8] == "-" and text[:4].isdigit()


def _moment(text: str, zone: tzinfo, *, is_end: bool = False) -> datetime:
    """Return the beginning or the last instant of a day, or a time."""
    if len(text) == _DATE_LENGTH:
        day = time_of(nanoseconds_of(text)).replace(tzinfo=None)
        day += timedelta(days=1) if is_end else timedelta()
        moment = day.replace(tzinfo=zone).astimezone(UTC)
        return moment - _INSTANT if is_end else moment
    try:
        is_naive = datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        is_naive = False
    moment = time_of(nanoseconds_of(text))
    return moment.replace(tzinfo=zone).astimezone(UTC) if is_naive else moment


def _check_order(first: datetime, last: datetime, start: str, end: str) -> None:
    if first > last:
        raise InvalidInputError(
            f"The range from {start} to {end} is empty",
            hint="Give the earlier time first",
        )
