"""Explaining: why a datum runs, or does not, compared with the last time its pipeline ran."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datums import DONE_STATES, Datum, label_of
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.pipelines import PipelineSpec, QueryCode
from jupyter_datalake.pipelines.planning import PlannedDatum, code_version

_ALL = 1_000_000


class Reason(StrEnum):
    """Why a datum runs, or does not."""

    UNCHANGED = "unchanged"
    """Its result is known: it is skipped."""
    NEW = "new"
    """No datum was cut from these paths before."""
    INPUT = "input changed"
    CODE = "code changed"
    PARAMETERS = "parameters changed"
    ENVIRONMENT = "environment changed"
    TICK = "tick"
    """A query's answer is not known before it is asked."""
    FAILED = "failed before"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class ExplainedDatum:
    """One datum that a pipeline has now, and what would become of it."""

    label: str
    key: Digest
    runs: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Before:
    """The last job of a pipeline that had datums."""

    spec: PipelineSpec
    code: CommitId
    datums: dict[str, Datum]
    """By label, ticks left out of it."""


def explain_datums(
    core: LakeCore,
    row: PipelineRow,
    spec: PipelineSpec,
    code: CommitId,
    planned: Iterable[PlannedDatum],
    known: Iterable[Digest],
    *,
    reprocess: bool = False,
    job: Job | None = None,
) -> list[ExplainedDatum]:
    """Return for each planned datum whether it runs, and why.

    Parameters
    ----------
    known
        Keys whose results are remembered.
    job
        The job that the datums are of; it is not compared with itself.
    """
    remembered = set(known)
    with core.metadata.read() as tx:
        before = _last_run(tx, row, job)
    change = None if before is None else _version_change(core, before, spec, code)
    explained: list[ExplainedDatum] = []
    for one in planned:
        if isinstance(spec.code, QueryCode):
            reason = Reason.TICK
        elif reprocess:
            reason = Reason.FORCED
        elif one.key in remembered:
            reason = Reason.UNCHANGED
        else:
            reason = _reason(one, before, change)
        runs = reason is not Reason.UNCHANGED
        explained.append(ExplainedDatum(label_of(one.inputs), one.key, runs, reason))
    return explained


def _last_run(tx: Transaction, row: PipelineRow, job: Job | None) -> _Before | None:
    before = None if job is None else job.number
    for earlier in tx.jobs.list(pipeline=row.pipeline.name, before=before, limit=20):
        datums = tx.datums.list(earlier.id, limit=_ALL)
        if datums:
            spec, code = tx.pipelines.version(row.id, earlier.pipeline_version)
            return _Before(spec, code, {datum.label: datum for datum in datums})
    return None


def _version_change(
    core: LakeCore, before: _Before, spec: PipelineSpec, code: CommitId
) -> Reason | None:
    """Return what of the pipeline itself changed since the last run, if anything did."""
    if before.spec.parameters != spec.parameters:
        return Reason.PARAMETERS
    if before.code == code:
        return None
    old = code_version(core, before.spec, before.code)
    new = code_version(core, spec, code)
    if old.code != new.code:
        return Reason.CODE
    return Reason.ENVIRONMENT if old.environment != new.environment else None


def _reason(one: PlannedDatum, before: _Before | None, change: Reason | None) -> Reason:
    old = None if before is None else before.datums.get(label_of(one.inputs))
    if old is None:
        return Reason.NEW
    if [given.digest for given in old.inputs] != [given.digest for given in one.inputs]:
        return Reason.INPUT
    if change is not None:
        return change
    return Reason.NEW if old.state in DONE_STATES else Reason.FAILED
