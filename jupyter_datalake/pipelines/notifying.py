"""Notifying: what people are to be told is written down where it happens.

That is the transaction in which a job ends, or is planned: who is killed has done both or neither.
`pipelines.delivering` sends it. What is for JupyterLab is an event, and so is sent by being
written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from jupyter_datalake.engine.core import new_id
from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.metadata.notifications import NotificationDraft
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.jobs import Job, JobState, Outcome
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.notifications import (
    InJupyter,
    NotificationState,
    NotifyRule,
    Occasion,
)
from jupyter_datalake.model.pipeline_specs import parse_stored_rules
from jupyter_datalake.model.pipelines import PipelineSpec
from jupyter_datalake.model.written_specs import rules_as_list

RULES_KEY = "notify"
"""The fact about the lake that holds the rules for pipelines without rules of their own."""

_CAUSES = {
    ErrorKind.JOB_TIMEOUT: Occasion.TIMEOUT,
    ErrorKind.EXPECTATION_FAILED: Occasion.UNEXPECTED,
}
_WORDS = {
    Occasion.FAILURE: "failed",
    Occasion.TIMEOUT: "was stopped after its time",
    Occasion.UNEXPECTED: "made an output that is not as expected",
    Occasion.CANCELLED: "was cancelled",
    Occasion.BLOCKED: "did not run",
    Occasion.LATE: "has not ended in time",
    Occasion.RECOVERED: "went on without the results of datums",
    Occasion.UNCLEAN: "ended, and its finally failed",
    Occasion.SUCCESS: "succeeded",
}
"""What a message says of a job, by the most telling of its occasions, as `_ORDER` has them."""
_ORDER = (
    Occasion.TIMEOUT,
    Occasion.UNEXPECTED,
    Occasion.FAILURE,
    Occasion.CANCELLED,
    Occasion.BLOCKED,
    Occasion.LATE,
    Occasion.RECOVERED,
    Occasion.UNCLEAN,
    Occasion.SUCCESS,
)
_ERRORS = frozenset({Occasion.FAILURE, Occasion.TIMEOUT})
_MAX_TITLE = 150


# --- rules ---------------------------------------------------------------------------------------


def get_rules(tx: Transaction) -> tuple[NotifyRule, ...]:
    """Return the rules of the lake."""
    stored = tx.settings.get(RULES_KEY)
    return () if stored is None else parse_stored_rules(json.loads(stored))


def set_rules(tx: Transaction, rules: Iterable[NotifyRule]) -> None:
    """Put other rules in the place of those of the lake."""
    tx.settings.set(RULES_KEY, json.dumps(rules_as_list(rules)))


def rules_of(tx: Transaction, spec: PipelineSpec) -> tuple[NotifyRule, ...]:
    """Return the rules that hold for a pipeline: its own, or else those of the lake."""
    return get_rules(tx) if spec.notify is None else spec.notify


# --- occasions -----------------------------------------------------------------------------------


def announce_end(
    tx: Transaction, job_id: str, cause: ErrorKind | None = None, *, is_unclean: bool = False
) -> None:
    """Write down who is to be told that a job has ended, in the transaction that ends it.

    Parameters
    ----------
    cause
        What it failed for, or what it succeeded in spite of.
    is_unclean
        Whether its step ``finally`` failed.
    """
    tx.notifications.disarm(job_id)
    job = tx.jobs.get(job_id)
    occasions = _occasions_of(job, cause)
    if is_unclean:
        occasions.add(Occasion.UNCLEAN)
    if not occasions:
        return
    row = tx.pipelines.get(job.pipeline)
    spec, _ = tx.pipelines.version(row.id, job.pipeline_version)
    rules = [rule for rule in rules_of(tx, spec) if occasions.intersection(rule.on)]
    if rules:
        _add(tx, rules, job.pipeline, occasions, facts_of(job, occasions), job_id=job.id)


def arm(tx: Transaction, jobs: Mapping[str, PipelineSpec]) -> None:
    """Write down who is to be told if new jobs do not end in time.

    Parameters
    ----------
    jobs
        Job id to spec.
    """
    general = get_rules(tx) if any(spec.notify is None for spec in jobs.values()) else ()
    tx.notifications.add(
        NotificationDraft(
            id=new_id(),
            pipeline=spec.name,
            job_id=job_id,
            occasions=(Occasion.LATE,),
            channel=rule.channel,
            facts={},
            state=NotificationState.ARMED,
            delay_ns=int(rule.after_s * 1e9),
        )
        for job_id, spec in jobs.items()
        for rule in (general if spec.notify is None else spec.notify)
        if rule.after_s is not None
    )


def announce_missed(
    tx: Transaction, spec: PipelineSpec, clock: str, due: datetime, ticks: Sequence[datetime]
) -> None:
    """Write down who is to be told that ticks of a clock become no jobs of their own."""
    rules = [rule for rule in rules_of(tx, spec) if Occasion.MISSED in rule.on]
    if not rules:
        return
    title = f"{spec.name} missed its time: {clock} was due at {as_json(due)}"
    made_up = f"The tick of {as_json(ticks[-1])} makes up for it." if ticks else "It is given up."
    facts = {
        "title": title[:_MAX_TITLE],
        "text": f"No controller was at work then, or the pipeline was paused. {made_up}",
        "severity": "warning",
        "pipeline": spec.name,
        "clock": {"name": clock, "due": as_json(due), "ticks": as_json([*ticks])},
    }
    _add(tx, rules, spec.name, {Occasion.MISSED}, facts)


def announce_test(tx: Transaction, pipeline: str, rules: Iterable[NotifyRule]) -> Sequence[str]:
    """Write down a message to everybody whom rules name; return the ids."""
    facts = {
        "title": f"A test of the notifications of {pipeline or 'the lake'}",
        "text": "Somebody asked for this message, to see whether it arrives.",
        "severity": "info",
        "pipeline": pipeline,
    }
    return _add(tx, rules, pipeline, {Occasion.TEST}, facts)


def facts_of(job: Job, occasions: Iterable[Occasion]) -> dict[str, Any]:
    """Return what is told of a job."""
    told = set(occasions)
    main = next(one for one in _ORDER if one in told)
    title = f"{job.pipeline} {_WORDS[main]}"
    what = "" if not job.message else f": {' '.join(job.message.split())}"
    counts = {str(state): count for state, count in job.datum_counts.items()}
    lines = [
        job.message or f"{title}.",
        "",
        f"job {job.id[:12]} of {job.pipeline}, version {job.pipeline_version}",
        f"global id {job.global_id}",
        f"datums {_counted(job.datum_total, counts)}",
    ]
    return {
        "title": (title + what)[:_MAX_TITLE],
        "text": "\n".join(lines),
        "severity": _severity(told),
        "pipeline": job.pipeline,
        "job": {
            "id": job.id,
            "number": job.number,
            "pipeline_version": job.pipeline_version,
            "state": str(job.state),
            "outcome": None if job.outcome is None else str(job.outcome),
            "message": job.message,
            "global_id": job.global_id,
            "trigger": str(job.trigger.kind),
            "inputs": job.inputs,
            "output_commit_id": job.output_commit_id,
            "created_at": as_json(job.created_at),
            "started_at": as_json(job.started_at),
            "finished_at": as_json(job.finished_at),
            "datum_total": job.datum_total,
            "datum_counts": counts,
        },
    }


# --- inside --------------------------------------------------------------------------------------


def _occasions_of(job: Job, cause: ErrorKind | None) -> set[Occasion]:
    occasions = {_CAUSES[cause]} if cause in _CAUSES else set()
    match job.state:
        case JobState.SUCCESS if job.outcome is not Outcome.CUT_OFF:
            occasions.add(Occasion.SUCCESS)
            if job.datum_counts.get(DatumState.RECOVERED):
                occasions.add(Occasion.RECOVERED)
        case JobState.FAILED:
            occasions.add(Occasion.FAILURE)
        case JobState.CANCELLED:
            occasions.add(Occasion.CANCELLED if job.cancel_requested else Occasion.BLOCKED)
    return occasions


def _severity(occasions: set[Occasion]) -> str:
    if occasions & _ERRORS:
        return "error"
    return "success" if occasions == {Occasion.SUCCESS} else "warning"


def _counted(total: int, counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return f"{total} ({parts})" if parts else str(total)


def _add(
    tx: Transaction,
    rules: Iterable[NotifyRule],
    pipeline: str,
    occasions: set[Occasion],
    facts: dict[str, Any],
    *,
    job_id: str | None = None,
) -> Sequence[str]:
    ordered = tuple(one for one in Occasion if one in occasions)
    drafts = []
    for rule in rules:
        is_event = isinstance(rule.channel, InJupyter)
        state = NotificationState.SENT if is_event else NotificationState.PENDING
        drafts.append(
            NotificationDraft(new_id(), pipeline, job_id, ordered, rule.channel, facts, state)
        )
        if is_event:
            show(tx, drafts[-1].id, ordered, facts)
    tx.notifications.add(drafts)
    return [one.id for one in drafts]


def show(
    tx: Transaction, notification_id: str, occasions: Iterable[Occasion], facts: dict[str, Any]
) -> None:
    """Show a message to those who have JupyterLab open."""
    job = facts.get("job", {})
    tx.events.append(
        EventKind.NOTIFICATION_CREATED,
        notification_id,
        title=facts["title"],
        text=facts["text"],
        severity=facts["severity"],
        occasions=[str(one) for one in occasions],
        pipeline=facts["pipeline"],
        job=job.get("id"),
        global_id=job.get("global_id"),
    )


def look_whether_late(tx: Transaction, job_id: str | None) -> dict[str, Any] | None:
    """Return what is told of a job whose time is over, or None if there is nothing to tell."""
    job = tx.jobs.find(job_id or "")
    if job is None or job.state.is_terminal:
        return None
    return facts_of(job, {Occasion.LATE})
