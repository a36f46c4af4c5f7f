"""Triggering: a change becomes jobs, one for each pipeline it can reach, in one transaction.

All of them share the change's global id and exist from the start, waiting for each other in the
order of the graph. So everybody sees what one change sets off, each pipeline runs once however
many paths lead to it, and its inputs are of one version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jupyter_datalake.engine.core import new_id
from jupyter_datalake.metadata.jobs import JobDraft
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Origin
from jupyter_datalake.model.events import Event, EventKind
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.jobs import Job, Trigger, TriggerKind
from jupyter_datalake.model.lineage import topological_order
from jupyter_datalake.model.pipelines import PipelineState, keyed_inputs
from jupyter_datalake.model.refs import DEFAULT_BRANCH

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
    rows = {row.pipeline.name: row for row in tx.pipelines.list(limit=_ALL)}
    priority = max(
        (one.priority for one in direct.values() if one.priority is not None), default=None
    )
    active = {name for name, row in rows.items() if row.pipeline.state is PipelineState.ACTIVE}
    feeds = [
        (edge.repo, edge.pipeline)
        for edge in tx.pipelines.edges()
        if edge.branch == DEFAULT_BRANCH and edge.repo in rows
    ]
    reached = _reach(set(direct) & active, feeds, active)
    job_of = {job.pipeline: job.id for job in tx.jobs.list(global_id=global_id, limit=_ALL)}
    upstream: dict[str, list[str]] = defaultdict(list)
    for source, target in feeds:
        upstream[target].append(source)
    created: list[str] = []
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
            created.append(draft.id)
            job_of[name] = draft.id
            tx.events.append(EventKind.JOB_CHANGED, draft.id, pipeline=name, state="waiting")
    return created


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
    """Tell whether an input of a pipeline is not what its newest job reads."""
    latest = tx.jobs.list(pipeline=row.pipeline.name, limit=1)
    return not latest or (latest[0].inputs or latest[0].heads) != _heads(tx, row)


def plan_event(tx: Transaction, event: Event) -> list[str]:
    """Create the jobs that a moved branch sets off, if pipelines read it."""
    details = event.details
    if event.kind is not EventKind.REF_MOVED or details.get("origin") is None:
        return []
    if details["origin"] in {str(Origin.REPO), str(Origin.CODE)}:
        return []
    moved = _moved_together(tx, event)
    started = [
        Started(
            tx.pipelines.get(edge.pipeline),
            Trigger(TriggerKind.COMMIT, f"{edge.repo}@{moved[edge.repo, edge.branch]}", tx.now_ns),
        )
        for edge in tx.pipelines.edges()
        if (edge.repo, edge.branch) in moved
    ]
    # What was committed before a pipeline existed was read by the job that its creation began.
    started = [one for one in started if one.row.pipeline.created_at <= event.at]
    if details["origin"] == str(Origin.JOB):
        # Its readers were planned with the job itself; only one that came since is new here.
        started = [one for one in started if not _has_job(tx, one, details["global_id"])]
    return plan_jobs(tx, started, GlobalId(details["global_id"])) if started else []


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


def resolve_inputs(tx: Transaction, job: Job, row: PipelineRow) -> dict[str, CommitId]:
    """Return the commit that each repo input of a job reads.

    What was committed under the job's global id comes first; a branch that the change did not
    reach is read as it was when the change happened.
    """
    spec, _ = tx.pipelines.version(row.id, job.pipeline_version)
    mine = tx.commits.by_global_id(job.global_id)
    inputs = dict(job.heads)
    for key, given in keyed_inputs(spec).items():
        for commit in mine:
            if (commit.repo, commit.branch) == (given.repo, given.branch):
                inputs[key] = commit.id
    return inputs
