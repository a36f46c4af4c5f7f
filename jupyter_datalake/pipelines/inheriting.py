"""Going on from an earlier job: only the datums are looked at whose input has changed.

The others are inherited. They have no rows; the job's datum set (`model.datum_sets`) names them
with their results. What this costs grows with the changes of the input, not with its size, and not
with how often the pipeline has run.

It is done for pipelines that read one repo, whose datums are told apart by their paths. Where code,
parameters, environment or the input itself differ from those of the earlier job, and for all other
kinds of inputs, every datum is looked at.
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
from jupyter_datalake.model.datum_sets import SetMember, parse_member
from jupyter_datalake.model.datums import Datum, DatumInput, DatumState, place_of
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.manifests import (
    NodeSource,
    diff_manifests,
    get_item,
    iter_items,
    key_at,
    measure_range,
)
from jupyter_datalake.model.paths import RepoPath, path_from_key, path_key
from jupyter_datalake.model.pipelines import PipelineSpec, QueryCode, RepoInput
from jupyter_datalake.pipelines.cutting import input_at
from jupyter_datalake.pipelines.planning import (
    CodeVersion,
    PlannedDatum,
    code_version,
    planned_datum,
)

_PAGE = 200


def path_input(spec: PipelineSpec) -> RepoInput | None:
    """Return the input whose paths tell a pipeline's datums apart, or None if they do not."""
    is_batched = spec.datums.batch is not None
    if (
        isinstance(spec.input, RepoInput)
        and not is_batched
        and not isinstance(spec.code, QueryCode)
    ):
        return spec.input
    return None


def member_at(source: NodeSource, root: Digest, path: RepoPath) -> SetMember | None:
    """Return the datum of a set that was cut from a path, or None."""
    item = get_item(source, root, path_key(path))
    return None if item is None else parse_member(item)


@dataclass(frozen=True, slots=True)
class ChangedMatch:
    """A path that the glob matches, below which something differs from the earlier job's input."""

    path: RepoPath
    old: SetMember | None
    """The datum it was; None if it was none."""
    is_there: bool
    """Whether it is a datum now."""


@dataclass(frozen=True, slots=True)
class Basis:
    """An earlier job that a new one goes on from."""

    given: RepoInput
    before: DatumSet
    old_root: Digest
    """Of the tree that the earlier job read."""
    new_commit_id: CommitId

    def changes(self, core: LakeCore) -> Iterator[ChangedMatch]:
        """Yield what of the input differs, by path; costs what the differences cost."""
        new = core.snapshot(commit_by_id(core, self.new_commit_id))
        glob = parse_glob(self.given.glob)
        excluded = [parse_glob(one) for one in self.given.exclude]
        last: RepoPath | None = None
        for difference in diff_manifests(core.nodes, self.old_root, new.root):
            path = glob.match_above(path_from_key(difference.key))
            if path is None or path == last:  # what is below one match comes in a row
                continue
            last = path
            if any(one.matches_or_holds(path) for one in excluded):
                continue
            found = new.find(path)
            old = member_at(core.nodes, self.before.root, path)
            yield ChangedMatch(path, old, found is not None and glob.takes(found))

    def planned(
        self, core: LakeCore, spec: PipelineSpec, version: CodeVersion
    ) -> Iterator[PlannedDatum]:
        """Yield the datums that must be looked at."""
        tree = core.snapshot(commit_by_id(core, self.new_commit_id))
        for one in self.changes(core):
            if one.is_there:
                given = input_at(self.given, self.new_commit_id, tree, one.path)
                yield planned_datum(spec, version, (given,))

    def count_inherited(self, core: LakeCore) -> int:
        """Return how many datums need not be looked at."""
        held = measure_range(core.nodes, self.before.root).item_count
        return held - sum(one.old is not None for one in self.changes(core))


def find_basis(
    core: LakeCore, row: PipelineRow, spec: PipelineSpec, version: CodeVersion, job: Job
) -> Basis | None:
    """Return what a job can go on from, or None if all its datums must be looked at."""
    given = path_input(spec)
    if given is None or job.trigger.reprocess:
        return None
    with core.metadata.read() as tx:
        before = tx.jobs.last_set(row.id, before=job.number)
        if before is None:
            return None
        old_spec, old_code = tx.pipelines.version(row.id, before.pipeline_version)
    if (_as_copied(old_spec), old_spec.parameters) != (_as_copied(spec), spec.parameters):
        return None
    is_same = before.pipeline_version == job.pipeline_version
    try:
        if not is_same and code_version(core, old_spec, old_code) != version:
            return None
        old = commit_by_id(core, before.inputs[given.name])
    except NotFoundError:
        return None  # gc has removed it
    return Basis(given, before, old.root, job.inputs[given.name])


def _as_copied(spec: PipelineSpec) -> RepoInput | None:
    """Return what datums are cut from; how the program gets at it is no part of that."""
    given = path_input(spec)
    return None if given is None else replace(given, is_lazy=False)


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
    given = path_input(spec)
    start = None if held is None else key_at(core.nodes, held.root, after + 1 - row_count)
    if held is None or given is None or start is None:
        return
    items = enumerate(iter_items(core.nodes, held.root, start), after + 1)
    for page in batched(items, _PAGE):
        datums = [_inherited(parse_member(item), job, given, number) for number, item in page]
        with core.metadata.read() as tx:
            rows = tx.datums.at_places(job.id, [place_of(datum.inputs) for datum in datums])
            known = tx.datums.known(datum.key for datum in datums)
        looked_at = {place_of(row.inputs) for row in rows}
        for datum in datums:
            if place_of(datum.inputs) not in looked_at:
                is_kept = datum.key in known
                yield datum if is_kept else replace(datum, output_root=None, artifacts_root=None)


def _inherited(member: SetMember, job: Job, given: RepoInput, position: int) -> Datum:
    commit_id = job.inputs[given.name]
    result = member.result
    return Datum(
        job_id=job.id,
        position=position,
        key=result.key,
        state=DatumState.SKIPPED,
        inputs=(
            DatumInput(
                given.name, given.repo, commit_id, member.path, member.digest, member.size_bytes
            ),
        ),
        reason="unchanged",
        tries=0,
        started_at=None,
        finished_at=None,
        output_root=result.output_root,
        artifacts_root=result.artifacts_root,
        message="",
    )
