"""Explaining: why a datum runs, or does not, compared with the last time its pipeline ran."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.metadata.base import batched
from jupyter_datalake.metadata.jobs import DatumSet
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datum_sets import SetLayout, SetMember, set_layout
from jupyter_datalake.model.datums import DONE_STATES, Datum, DatumState, label_of, place_of
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.pipelines import PipelineSpec, QueryCode
from jupyter_datalake.pipelines.planning import CodeVersion, PlannedDatum, code_version
from jupyter_datalake.pipelines.touching import member_of

_BATCH = 1000


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

    job_id: str
    spec: PipelineSpec
    code: CommitId


class Explainer:
    """Tells why datums of a pipeline run or not, compared with the last job that had any.

    It is asked for some datums at a time, and costs what these cost.

    Parameters
    ----------
    reprocess
        Whether all run, known or not.
    job
        The job that the datums are of; it is not compared with itself.
    """

    def __init__(
        self,
        core: LakeCore,
        row: PipelineRow,
        spec: PipelineSpec,
        version: CodeVersion,
        *,
        reprocess: bool = False,
        job: Job | None = None,
    ) -> None:
        self._core = core
        self._spec = spec
        self._version = version
        self._before: _Before | None = None
        self._set: DatumSet | None = None
        self._layout: SetLayout | None = None
        self._always: Reason | None = None
        if isinstance(spec.code, QueryCode):
            self._always = Reason.TICK
        elif reprocess:
            self._always = Reason.FORCED
        else:
            with core.metadata.read() as tx:
                self._before = _last_run(tx, row, job)
                self._set = tx.jobs.last_set(row.id, before=None if job is None else job.number)
                if self._set is not None:
                    old, _ = tx.pipelines.version(row.id, self._set.pipeline_version)
                    self._layout = set_layout(old)

    def reasons(self, planned: Sequence[PlannedDatum], known: Container[Digest]) -> list[Reason]:
        """Return for each planned datum why it runs, or `Reason.UNCHANGED`.

        Parameters
        ----------
        known
            Keys whose results are remembered.
        """
        if self._always is not None:
            return [self._always] * len(planned)
        places = [None if one.key in known else place_of(one.inputs) for one in planned]
        before: dict[bytes, Datum] = {}
        if self._before is not None:
            with self._core.metadata.read() as tx:
                found = tx.datums.at_places(
                    self._before.job_id, [place for place in places if place is not None]
                )
            before = {place_of(datum.inputs): datum for datum in found}
        return [
            Reason.UNCHANGED if place is None else self._reason(one, before.get(place))
            for one, place in zip(planned, places, strict=True)
        ]

    def _reason(self, one: PlannedDatum, old: Datum | None) -> Reason:
        is_done = True
        if old is not None:
            digests = [given.digest for given in old.inputs]
            is_done = old.state in DONE_STATES and old.state is not DatumState.RECOVERED
        else:
            # It may be one that the last job did not look at.
            member = self._member(one)
            if member is None:
                return Reason.NEW
            digests = [given.digest for given in member.inputs]
        if digests != [given.digest for given in one.inputs]:
            return Reason.INPUT
        if self._change is not None:
            return self._change
        return Reason.NEW if is_done else Reason.FAILED

    @cached_property
    def _change(self) -> Reason | None:
        """What of the pipeline itself changed since the last run, if anything did."""
        before, version = self._before, self._version
        if before is None:
            return None
        if before.spec.parameters != self._spec.parameters:
            return Reason.PARAMETERS
        old = code_version(self._core, before.spec, before.code)
        if old.code != version.code:
            return Reason.CODE
        return Reason.ENVIRONMENT if old.environment != version.environment else None

    def _member(self, one: PlannedDatum) -> SetMember | None:
        if self._set is None or self._layout is None or not one.inputs:
            return None
        return member_of(self._core.nodes, self._layout, self._set.root, one.inputs)


def explain(
    core: LakeCore, explainer: Explainer, planned: Iterable[PlannedDatum], *, knows: bool
) -> Iterator[ExplainedDatum]:
    """Yield for each planned datum whether it runs, and why.

    Parameters
    ----------
    knows
        Whether earlier results stand in for datums.
    """
    for batch in batched(planned, _BATCH):
        with core.metadata.read() as tx:
            known = tx.datums.known(one.key for one in batch) if knows else {}
        reasons = explainer.reasons(batch, known)
        for one, reason in zip(batch, reasons, strict=True):
            runs = reason is not Reason.UNCHANGED
            yield ExplainedDatum(label_of(one.inputs), one.key, runs, reason)


def _last_run(tx: Transaction, row: PipelineRow, job: Job | None) -> _Before | None:
    before = None if job is None else job.number
    for earlier in tx.jobs.list(pipeline=row.pipeline.name, before=before, limit=20):
        if earlier.datum_total:
            spec, code = tx.pipelines.version(row.id, earlier.pipeline_version)
            return _Before(earlier.id, spec, code)
    return None
