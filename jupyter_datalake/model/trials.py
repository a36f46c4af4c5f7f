"""Trials: what came of running a spec on some of its datums, without publishing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from jupyter_datalake.model.datums import DatumInput, DatumState, parse_datum_input
from jupyter_datalake.model.ids import CommitId, Digest

TRIAL_LEASE = "trial:"
"""Leases of trials that run or are kept are named so, with the id behind it."""

TRIED_DATUMS = 3
MAX_TRIED = 100
"""So many datums one trial runs at most."""


class TrialState(StrEnum):
    """Where a trial is."""

    RUNNING = "running"
    SUCCESS = "success"
    """The job would succeed, as far as these datums tell."""
    FAILED = "failed"
    """The job would fail: a datum failed, two wrote one path, or the output is not as expected."""
    CANCELLED = "cancelled"
    LOST = "lost"
    """The process that ran it was ended."""


@dataclass(frozen=True, slots=True)
class OutputCounts:
    """How many of the paths that were written differ from what the output branch holds."""

    added: int
    modified: int
    removed: int
    """Those that these datums wrote when the pipeline ran last, and do not write now."""
    same: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What was written, beside what the output branch holds in its place."""

    base_root: Digest
    """Tree of what the branch holds on these paths."""
    made_root: Digest
    """Tree of what was written."""
    counts: OutputCounts


@dataclass(frozen=True, slots=True)
class TriedDatum:
    """One datum of a trial, or a step of the job around them."""

    position: int
    """Among all datums of the spec, from 0; below 0 for the steps, as those of jobs."""
    label: str
    state: DatumState
    inputs: tuple[DatumInput, ...] = ()
    tries: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    message: str = ""
    artifacts_root: Digest | None = None
    """Manifest of the executed notebook and the log; None until it ended."""
    output: Compared | None = None
    """None until it succeeded."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A spec that is run, or was run, on some of its datums."""

    id: str
    pipeline: str
    state: TrialState
    message: str
    """What it is at, or why it failed."""
    notes: tuple[str, ...]
    """What is to be said of how it was run, a line each."""
    created_at: datetime
    created_by: str
    finished_at: datetime | None
    base_commit_id: CommitId | None
    """Head of the output branch that is compared with; None where there is no output yet."""
    is_whole: bool
    """Whether the datums are all that the inputs make."""
    steps: tuple[TriedDatum, ...]
    datums: tuple[TriedDatum, ...]
    output: Compared | None
    """Of all datums that succeeded together; None until they have ended."""
    unexpected: tuple[str, ...]
    """How that is not what the pipeline expects, a line each."""

    def at(self, position: int) -> TriedDatum | None:
        """Return the datum or step at a position, or None."""
        return next((one for one in (*self.steps, *self.datums) if one.position == position), None)


def parse_trial(raw: Mapping[str, Any]) -> Trial:
    """Return a trial of its JSON form."""
    finished, base = raw["finished_at"], raw["base_commit_id"]
    return Trial(
        id=raw["id"],
        pipeline=raw["pipeline"],
        state=TrialState(raw["state"]),
        message=raw["message"],
        notes=tuple(raw["notes"]),
        created_at=datetime.fromisoformat(raw["created_at"]),
        created_by=raw["created_by"],
        finished_at=_time(finished),
        base_commit_id=None if base is None else CommitId(base),
        is_whole=raw["is_whole"],
        steps=tuple(_parse_tried(one) for one in raw["steps"]),
        datums=tuple(_parse_tried(one) for one in raw["datums"]),
        output=_parse_compared(raw["output"]),
        unexpected=tuple(raw["unexpected"]),
    )


def _parse_tried(raw: Mapping[str, Any]) -> TriedDatum:
    artifacts = raw["artifacts_root"]
    return TriedDatum(
        position=raw["position"],
        label=raw["label"],
        state=DatumState(raw["state"]),
        inputs=tuple(parse_datum_input(one) for one in raw["inputs"]),
        tries=raw["tries"],
        started_at=_time(raw["started_at"]),
        finished_at=_time(raw["finished_at"]),
        message=raw["message"],
        artifacts_root=None if artifacts is None else _digest(artifacts),
        output=_parse_compared(raw["output"]),
    )


def _parse_compared(raw: Mapping[str, Any] | None) -> Compared | None:
    if raw is None:
        return None
    counts = OutputCounts(**raw["counts"])
    return Compared(_digest(raw["base_root"]), _digest(raw["made_root"]), counts)


def _digest(text: str) -> Digest:
    return Digest(bytes.fromhex(text))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
