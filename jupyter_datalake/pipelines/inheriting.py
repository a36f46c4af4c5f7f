"""Going on from an earlier job: only the datums are looked at whose input has changed.

The others are inherited. They have no rows; the job's datum set (`model.datum_sets`) names them
with their results. What this costs grows with the changes of the input, not with its size, and not
with how often the pipeline has run.

Which datums those are, `pipelines.touching` says. Where code, parameters, environment or the input
itself differ from those of the earlier job, and for the kinds of inputs that
`model.datum_sets.set_layout` names none for, every datum is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.metadata.base import batched
from jupyter_datalake.metadata.jobs import DatumSet
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.model.datum_sets import SetLayout, SetMember, parse_member, set_layout
from jupyter_datalake.model.datums import Datum, DatumState, place_of
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.manifests import Edit, iter_items, key_at, measure_range
from jupyter_datalake.model.pipelines import Combination, Input, PipelineSpec, RepoInput
from jupyter_datalake.pipelines.planning import (
    CodeVersion,
    PlannedDatum,
    code_version,
    planned_datum,
)
from jupyter_datalake.pipelines.rebatching import TouchedBatches
from jupyter_datalake.pipelines.touching import (
    Between,
    Touched,
    TouchedCombinations,
    TouchedPaths,
)

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Basis:
    """An earlier job that a new one goes on from."""

    layout: SetLayout
    before: DatumSet
    old_roots: frozenset[Digest]
    """Of the trees that the earlier job read."""
    touched: Touched

    def planned(self, spec: PipelineSpec, version: CodeVersion) -> Iterator[PlannedDatum]:
        """Yield the datums that must be looked at."""
        for inputs in self.touched.now():
            yield planned_datum(spec, version, inputs)

    def count_inherited(self, core: LakeCore) -> int:
        """Return how many datums need not be looked at."""
        held = measure_range(core.nodes, self.before.root, b"", self.layout.end).item_count
        return held - sum(1 for _ in self.touched.before())

    def gone(self, core: LakeCore, job: Job) -> Iterator[SetMember]:
        """Yield the datums of the earlier job that are none of this one, whose datums are known."""
        for page in batched(self.touched.before(), _PAGE):
            places = [place_of(self.layout.inputs(old.inputs, job.inputs)) for old in page]
            with core.metadata.read() as tx:
                there = {place_of(one.inputs) for one in tx.datums.at_places(job.id, places)}
            yield from (old for old, place in zip(page, places, strict=True) if place not in there)

    def index(self) -> Iterator[Edit]:
        """Yield what changes in the index of the set."""
        return self.touched.index()


def find_basis(
    core: LakeCore, row: PipelineRow, spec: PipelineSpec, version: CodeVersion, job: Job
) -> Basis | None:
    """Return what a job can go on from, or None if all its datums must be looked at."""
    layout = set_layout(spec)
    if layout is None or job.trigger.reprocess:
        return None
    with core.metadata.read() as tx:
        before = tx.jobs.last_set(row.id, before=job.number)
        if before is None:
            return None
        old_spec, old_code = tx.pipelines.version(row.id, before.pipeline_version)
    if _as_cut(old_spec) != _as_cut(spec):
        return None
    is_same = before.pipeline_version == job.pipeline_version
    try:
        if not is_same and code_version(core, old_spec, old_code) != version:
            return None
        roots = {commit_by_id(core, before.inputs[key]).root for key in layout.keys}
    except NotFoundError:
        return None  # gc has removed it
    between = Between(core, spec, layout, before.root, before.inputs, job.inputs)
    touched = _touched(between)
    return None if touched is None else Basis(layout, before, frozenset(roots), touched)


def _touched(between: Between) -> Touched | None:
    given, size = between.spec.input, between.spec.datums.batch
    if not isinstance(given, RepoInput):
        combined = TouchedCombinations(between)
        return None if combined.is_too_large() else combined
    if size is None:
        return TouchedPaths(between, given)
    batched = TouchedBatches(between, given, size)
    return None if batched.is_too_large() else batched


def _as_cut(spec: PipelineSpec) -> tuple[object, ...]:
    """Return what datums are cut from; how the program gets at it is no part of that."""
    given = None if spec.input is None else _as_copied(spec.input)
    return given, spec.datums.batch, spec.parameters


def _as_copied(given: Input) -> Input:
    if isinstance(given, Combination):
        return replace(given, inputs=tuple(map(_as_copied, given.inputs)))
    return replace(given, is_lazy=False) if isinstance(given, RepoInput) else given


def list_datums(
    core: LakeCore,
    job: Job,
    *,
    states: Collection[DatumState] | None = None,
    after: int = -1,
    limit: int,
) -> list[Datum]:
    """Return datums of a job by position: those with rows, and behind them the inherited ones."""
    with core.metadata.read() as tx:
        found = [*tx.datums.list(job.id, states=states, after=after, limit=limit)]
        row_count = tx.datums.count(job.id)
    if len(found) < limit and (states is None or DatumState.SKIPPED in states):
        inherited = _iter_inherited(core, job, row_count, max(after, row_count - 1))
        found += islice(inherited, limit - len(found))
    return found


def iter_datums(core: LakeCore, job: Job) -> Iterator[Datum]:
    """Yield all datums of a job by position, in memory that does not grow with them."""
    after = -1
    while page := list_datums(core, job, after=after, limit=_PAGE):
        yield from page
        after = page[-1].position


def get_datum(core: LakeCore, job: Job, position: int) -> Datum:
    """Return one datum of a job, or raise `NotFoundError`."""
    with core.metadata.read() as tx:
        row_count = tx.datums.count(job.id)
    if position >= row_count:
        found = next(_iter_inherited(core, job, row_count, position - 1), None)
        if found is not None and found.position == position:
            return found
    with core.metadata.read() as tx:
        return tx.datums.get(job.id, position)


def _iter_inherited(core: LakeCore, job: Job, row_count: int, after: int) -> Iterator[Datum]:
    """Yield the inherited datums behind a position, which is that of the last row or behind it.

    What gc has forgotten of them since then is None.
    """
    with core.metadata.read() as tx:
        held = tx.jobs.get_set(job.id)
        spec, _ = tx.pipelines.version(tx.pipelines.get(job.pipeline).id, job.pipeline_version)
    layout = set_layout(spec)
    start = None if held is None else key_at(core.nodes, held.root, after + 1 - row_count)
    if held is None or layout is None or start is None:
        return
    items = enumerate(iter_items(core.nodes, held.root, start, layout.end), after + 1)
    for page in batched(items, _PAGE):
        datums = [_inherited(parse_member(item), job, layout, number) for number, item in page]
        with core.metadata.read() as tx:
            rows = tx.datums.at_places(job.id, [place_of(datum.inputs) for datum in datums])
            known = tx.datums.known(datum.key for datum in datums)
        looked_at = {place_of(row.inputs) for row in rows}
        for datum in datums:
            if place_of(datum.inputs) not in looked_at:
                is_kept = datum.key in known
                yield datum if is_kept else replace(datum, output_root=None, artifacts_root=None)


def _inherited(member: SetMember, job: Job, layout: SetLayout, position: int) -> Datum:
    result = member.result
    return Datum(
        job_id=job.id,
        position=position,
        key=result.key,
        state=DatumState.SKIPPED,
        inputs=layout.inputs(member.inputs, job.inputs),
        reason="unchanged",
        tries=0,
        started_at=None,
        finished_at=None,
        output_root=result.output_root,
        artifacts_root=result.artifacts_root,
        message="",
    )
