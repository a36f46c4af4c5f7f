"""Jobs: one pipeline over one set of input commits, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.html import fields_html
from jupyter_datalake.model.ids import CommitId, GlobalId

CONTROLLER_LEASE = "controller"
"""Name of the lease that says which controller runs a lake's jobs."""


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    """For jobs upstream, for earlier jobs of the pipeline, or for a controller."""
    RUNNING = "running"
    EGRESSING = "egressing"
    """The output commit exists; its rows are being written to a warehouse, or `finally` runs."""
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Its controller vanished; it is taken up again as a new attempt."""

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended for good."""
        return not JOB_TRANSITIONS[self]


JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.WAITING: frozenset(
        # straight to success: nothing upstream changed, so there is nothing to run
        {JobState.RUNNING, JobState.SUCCESS, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.RUNNING: frozenset(
        {
            JobState.EGRESSING,
            JobState.SUCCESS,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.LOST,
        }
    ),
    JobState.EGRESSING: frozenset(
        {JobState.SUCCESS, JobState.FAILED, JobState.CANCELLED, JobState.LOST}
    ),
    JobState.LOST: frozenset({JobState.WAITING, JobState.CANCELLED}),
    JobState.SUCCESS: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

LIVE_STATES = frozenset({JobState.WAITING, JobState.RUNNING, JobState.EGRESSING, JobState.LOST})


class Outcome(StrEnum):
    """What a successful job left behind."""

    COMMITTED = "committed"
    """A new output commit."""
    UNCHANGED = "unchanged"
    """It ran, and its output tree equals the last one: no commit, and nothing downstream runs."""
    CUT_OFF = "cut-off"
    """It did not run, because nothing upstream changed."""


class TriggerKind(StrEnum):
    """What sets a job off."""

    COMMIT = "commit"
    TICK = "tick"
    PIPELINE = "pipeline"
    """The pipeline was created or updated."""
    RERUN = "rerun"
    BACKFILL = "backfill"
    """A commit of the past that was asked for."""
    UPSTREAM = "upstream"
    """A job upstream, under the same global id."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What set a job off, for people and for `explain`."""

    kind: TriggerKind
    subject: str
    """The address that moved, the cron input, the pipeline, or the job that was repeated."""
    at_ns: int
    reprocess: bool = False
    """Whether datums run even if their results are known."""
    priority: int | None = None
    """Of this run and what it sets off; the pipeline's own when None."""

    def as_dict(self) -> dict[str, Any]:
        """Return the stored form."""
        return {
            "kind": str(self.kind),
            "subject": self.subject,
            "at_ns": self.at_ns,
            "reprocess": self.reprocess,
            **({} if self.priority is None else {"priority": self.priority}),
        }


def parse_trigger(raw: dict[str, Any]) -> Trigger:
    """Return the trigger of its stored form."""
    return Trigger(
        TriggerKind(raw["kind"]),
        raw["subject"],
        raw["at_ns"],
        raw["reprocess"],
        raw.get("priority"),
    )


@dataclass(frozen=True, slots=True)
class BackfillStep:
    """One of the commits or ticks that a backfill goes over; each becomes a job."""

    at: datetime
    """When the commit was made, or the tick."""
    commit_id: CommitId | None
    """None for a tick."""
    message: str
    """The commit's, or ``tick``."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as lists and pages show it."""

    id: str
    number: int
    pipeline: str
    pipeline_version: int
    state: JobState
    outcome: Outcome | None
    global_id: GlobalId
    trigger: Trigger
    heads: dict[str, CommitId]
    """Input name to the head of its branch when the job was created."""
    inputs: dict[str, CommitId]
    """Input name to the commit it ran on; empty until it runs."""
    output_commit_id: CommitId | None
    rows_written: int | None
    message: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    owner: str | None
    cancel_requested: bool
    datum_total: int
    datum_counts: dict[DatumState, int] = field(default_factory=dict)
    """How many datums are in which state; states without datums are left out."""

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end, or None if it has not both."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def _repr_html_(self) -> str:
        return fields_html(
            f"Job {self.pipeline} #{self.number}",
            [
                ("state", self.outcome or self.state),
                ("message", self.message),
                ("datums", ", ".join(f"{n:,} {state}" for state, n in self.datum_counts.items())),
                ("set off by", f"{self.trigger.kind} {self.trigger.subject}"),
                ("started", self.started_at),
                ("seconds", None if self.duration_s is None else f"{self.duration_s:.1f}"),
                *((f"input {name}", one) for name, one in (self.inputs or self.heads).items()),
                ("output", self.output_commit_id),
                ("rows written", self.rows_written),
                ("global id", self.global_id),
                ("id", self.id),
            ],
        )


def cancellation_of(job: Job) -> str:
    """Return what is said of a waiting job that is cancelled."""
    # One that has committed waits to write its rows: its controller was lost before it did.
    undone = "it ran" if job.output_commit_id is None else "its rows were written"
    return f"cancelled before {undone}"


def check_job_transition(job_id: str, old: JobState, new: JobState) -> None:
    """Raise `StateError` unless a job may go from `old` to `new`."""
    if new not in JOB_TRANSITIONS[old]:
        raise StateError(
            f"Job {job_id} is {old} and cannot become {new}",
            kind=ErrorKind.WRONG_STATE,
            job=job_id,
            state=str(old),
        )
