"""Triggering: a change becomes jobs, one for each pipeline it can reach, in one transaction.

All of them share the change's global id and exist from the start, waiting for each other in the
order of the graph. So everybody sees what one change sets off, each pipeline runs once however
many paths lead to it, and its inputs are of one version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jupyter_datalake.engine.core import new_global_id, new_id
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.metadata.jobs import JobDraft
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Origin
from jupyter_datalake.model.events import Event, EventKind
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.jobs import Trigger, TriggerKind
from jupyter_datalake.model.lineage import GlobalOrigin, topological_order
from jupyter_datalake.model.pipelines import PipelineSpec, PipelineState, keyed_inputs
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.schedules import parse_schedule
from jupyter_datalake.pipelines.deferring import Arrivals, deferred_inputs, waits_of
from jupyter_datalake.pipelines.notifying import arm

_ALL = 1_000_000
_NO_PINS: Mapping[tuple[str, str], CommitId] = {}


@dataclass(frozen=True, slots=True)
class Started:
    """A pipeline that a change reaches directly, and how."""

    row: PipelineRow
    trigger: Trigger


Pins = Mapping[tuple[str, str], CommitId]
"""Repo and branch to the commit that jobs read there, in place of the branch's head."""


def plan_jobs(
    tx: Transaction, started: Iterable[Started], global_id: GlobalId, pins: Pins = _NO_PINS
) -> list[str]:
    """Create the jobs of a change: of the pipelines started, and of all downstream of them.

    A paused pipeline takes up nothing, and what is reached only through it is not reached. A
    pipeline that has a job under this global id already gets no second one.

    Parameters
    ----------
    pins
        What the jobs read where no job of the same global id commits.

    Returns
    -------
    list of str
        Ids of the new jobs, upstream first.
    """
    direct = {one.row.pipeline.name: one.trigger for one in started}
    priority = max(
        (one.priority for one in direct.values() if one.priority is not None), default=None
    )
    states = tx.pipelines.states()
    active = {name for name, state in states.items() if state is PipelineState.ACTIVE}
    edges = [
        edge
        for edge in tx.pipelines.edges()
        if edge.branch == DEFAULT_BRANCH and edge.repo in states
    ]
    start = set(direct) & active
    # The specs of those that the change cannot reach are not read: there may be thousands.
    rows = tx.pipelines.get_many(
        _reach(start, [(edge.repo, edge.pipeline) for edge in edges], active)
    )
    # What a trigger holds back is not reached by the change, but by what comes of it in time.
    held_back = {name: deferred_inputs(row) for name, row in rows.items()}
    feeds = [
        (edge.repo, edge.pipeline)
        for edge in edges
        if edge.pipeline in rows and edge.name not in held_back[edge.pipeline]
    ]
    reached = _reach(start, feeds, active)
    job_of = {job.pipeline: job.id for job in tx.jobs.list(global_id=global_id, limit=_ALL)}
    upstream: dict[str, list[str]] = defaultdict(list)
    for source, target in feeds:
        upstream[target].append(source)
    created: dict[str, PipelineSpec] = {}
    for name in topological_order(reached, feeds):
        row = rows[name]
        draft = JobDraft(
            id=new_id(),
            pipeline_id=row.id,
            pipeline_version=row.pipeline.version,
            global_id=global_id,
            trigger=direct.get(name)
            or Trigger(TriggerKind.UPSTREAM, "", tx.now_ns, priority=priority),
            heads=_heads(tx, row, pins),
        )
        if tx.jobs.add(draft, {job_of[one] for one in upstream[name] if one in job_of}):
            created[draft.id] = row.pipeline.spec
            job_of[name] = draft.id
            tx.events.append(EventKind.JOB_CHANGED, draft.id, pipeline=name, state="waiting")
    arm(tx, created)
    return list(created)


def _reach(start: set[str], feeds: list[tuple[str, str]], active: set[str]) -> set[str]:
    followers: dict[str, list[str]] = defaultdict(list)
    for source, target in feeds:
        if target in active:
            followers[source].append(target)
    reached = set(start)
    waiting = list(start)
    while waiting:
        for follower in followers[waiting.pop()]:
            if follower not in reached:
                reached.add(follower)
                waiting.append(follower)
    return reached


def _heads(tx: Transaction, row: PipelineRow, pins: Pins = _NO_PINS) -> dict[str, CommitId]:
    return {
        key: pins.get((given.repo, given.branch))
        or tx.refs.get(tx.repos.get(given.repo), given.branch).commit_id
        for key, given in keyed_inputs(row.pipeline.spec).items()
    }


def is_behind(tx: Transaction, row: PipelineRow) -> bool:
    """Tell whether an input of a pipeline is not what its newest job reads.

    One with a trigger does not count: see `deferring.waits_of`.
    """
    latest = tx.jobs.list(pipeline=row.pipeline.name, limit=1)
    held_back = deferred_inputs(row)
    if not latest and not held_back:
        return True
    read = (latest[0].inputs or latest[0].heads) if latest else {}
    return any(
        head != read.get(key) for key, head in _heads(tx, row).items() if key not in held_back
    )


def plan_event(tx: Transaction, event: Event, arrivals: Arrivals) -> list[str]:
    """Create the jobs that a moved branch sets off, if pipelines read it.

    Called by way of `Arrivals.settled`.
    """
    details = event.details
    if event.kind is not EventKind.REF_MOVED or details.get("origin") is None:
        return []
    if details["origin"] in {str(Origin.REPO), str(Origin.CODE)}:
        return []
    moved = _moved_together(tx, event)
    started: dict[str, Started] = {}
    late: dict[str, Started] = {}
    is_output = details["origin"] == str(Origin.JOB)
    for edge in tx.pipelines.edges():
        if (edge.repo, edge.branch) not in moved:
            continue
        row = tx.pipelines.get(edge.pipeline)
        if row.pipeline.created_at > event.at:
            continue  # what was committed before it existed was read by its creation's job
        head = moved[edge.repo, edge.branch]
        one = Started(row, Trigger(TriggerKind.COMMIT, f"{edge.repo}@{head}", tx.now_ns))
        if edge.name in deferred_inputs(row):
            (wait,) = waits_of(tx, arrivals, row, {edge.name: head})
            if wait.is_met:
                (late if is_output else started)[edge.pipeline] = one
            elif wait.next_tick is not None:
                tx.pipelines.set_alarm(row.id, edge.name, wait.next_tick)
        elif not (is_output and _has_job(tx, one, details["global_id"])):
            # The readers of an output were planned with its job; one that came since is new here.
            started[edge.pipeline] = one
    created = plan_jobs(tx, started.values(), GlobalId(details["global_id"])) if started else []
    for name, one in late.items():
        if name not in started:
            created += plan_deferred(tx, one, GlobalOrigin.COMMIT)
    return created


def plan_deferred(tx: Transaction, one: Started, origin: GlobalOrigin) -> list[str]:
    """Create the jobs of a pipeline whose trigger is met, under a global id of their own.

    What it waited for is of several changes, and one of them may have run it already.
    """
    global_id = new_global_id()
    tx.lineage.begin(global_id, origin, one.row.pipeline.name, "trigger")
    return plan_jobs(tx, [one], global_id)


def wake_deferred(tx: Transaction, arrivals: Arrivals) -> list[str]:
    """Create the jobs of triggers whose schedule has ticked, and set when they are looked at next.

    Called by way of `Arrivals.settled`. The time that is set says only when to look: what holds is
    looked up, so an alarm too many does nothing.
    """
    created: list[str] = []
    for alarm in tx.pipelines.due_alarms(tx.now_ns):
        row = tx.pipelines.by_id(alarm.pipeline_id)
        wait = next(one for one in waits_of(tx, arrivals, row) if one.input == alarm.name)
        if wait.is_met:
            trigger = Trigger(TriggerKind.COMMIT, f"{wait.repo}@{wait.branch}", tx.now_ns)
            created += plan_deferred(tx, Started(row, trigger), GlobalOrigin.TICK)
        schedule = parse_schedule(wait.trigger.schedule, wait.trigger.zone)
        following = wait.next_tick or schedule.next_after(time_of(tx.now_ns))
        tx.pipelines.set_alarm(row.id, wait.input, following)
    return created


def _moved_together(tx: Transaction, event: Event) -> dict[tuple[str, str], CommitId]:
    """Return the branches that moved in the event's transaction, and where to.

    The first event of several plans for all of them: jobs downstream wait for what any of them
    sets off, and a pipeline that reads two of them runs once.
    """
    details = event.details
    moved = {(event.subject, details["ref"]): CommitId(details["commit"])}
    if details["origin"] == str(Origin.SESSION):
        for commit in tx.commits.by_global_id(GlobalId(details["global_id"])):
            if commit.provenance.origin is Origin.SESSION:
                moved.setdefault((commit.repo, commit.branch), commit.id)
    return moved


def _has_job(tx: Transaction, one: Started, global_id: str) -> bool:
    jobs = tx.jobs.list(pipeline=one.row.pipeline.name, global_id=GlobalId(global_id), limit=1)
    return bool(jobs)
