"""An output beside the output branch: what was made, and what the branch holds on these paths.

Both are trees of their own, so that whatever compares trees can compare them, page by page. What
the branch holds is cut down to the paths that were written now, and to those that the same datums
wrote when the pipeline ran last: what is missing of these would be removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.jobs.outputs import OutputJoiner
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.datum_sets import set_layout
from jupyter_datalake.model.datums import DatumInput, place_of
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.manifests import (
    Item,
    build_manifest,
    diff_manifests,
    get_item,
    iter_items,
    measure_range,
)
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.trials import Compared, OutputCounts
from jupyter_datalake.pipelines.touching import member_of


class OutputBeside:
    """Compares what datums wrote with an output branch.

    Parameters
    ----------
    head
        Root of the branch's tree; None where there is no branch yet.
    owner
        Id of whom the trees are kept for.
    """

    def __init__(self, core: LakeCore, pipeline: str, head: Digest | None, owner: str) -> None:
        self._core = core
        self._pipeline = pipeline
        self._head = head
        self._owner = owner

    def of_datum(self, label: str, inputs: Sequence[DatumInput], output: Digest) -> Compared:
        """Compare what one datum wrote. Cost: what it wrote, now and the last time."""
        before = None if self._head is None else last_output(self._core, self._pipeline, inputs)
        keys_of = [output] if before is None else [output, before]
        return self._compare([(label, output)], keys_of, is_whole=False)

    def of_all(
        self, outputs: Sequence[tuple[str, Digest]], bases: Sequence[Digest], *, is_whole: bool
    ) -> Compared:
        """Compare what several datums wrote together.

        Parameters
        ----------
        bases
            Trees of what the branch holds for each of them.
        is_whole
            Whether they are all there are: then all else that the branch holds would be removed.

        Raises
        ------
        ConflictError
            Two wrote one path (``outputs-collide``).
        """
        keys_of = [*(output for _, output in outputs), *bases]
        return self._compare(outputs, keys_of, is_whole=is_whole)

    def _compare(
        self,
        outputs: Iterable[tuple[str, Digest]],
        keys_of: Iterable[Digest],
        *,
        is_whole: bool,
    ) -> Compared:
        core = self._core
        with core.writer() as writer:
            nodes = NodeWriter(core.nodes, writer)
            if is_whole and self._head is not None:
                base = self._head
            else:
                base = build_manifest(nodes, self._held(nodes, keys_of))
            joiner = OutputJoiner(nodes)
            for label, output in outputs:
                joiner.add(label, output)
            made = joiner.finish(base)
            writer.publish()
            nodes.publish()
        with core.metadata.write() as tx:
            roots = [(BlobKind.NODE, root) for root in (base, made)]
            tx.pins.add(job_owner(self._owner), roots)
        return Compared(base, made, self._count(base, made))

    def _held(self, nodes: NodeWriter, keys_of: Iterable[Digest]) -> Iterator[Item]:
        """Yield what the branch holds on the paths of some trees."""
        if self._head is None:
            return
        keys = merge(*((item.key for item in iter_items(nodes, root)) for root in keys_of))
        for key, _ in groupby(keys):
            item = get_item(nodes, self._head, key)
            if item is not None:
                yield item

    def _count(self, base: Digest, made: Digest) -> OutputCounts:
        added = modified = removed = 0
        for one in diff_manifests(self._core.nodes, base, made):
            if one.old is None:
                added += 1
            elif one.new is None:
                removed += 1
            else:
                modified += 1
        total = measure_range(self._core.nodes, made).item_count
        return OutputCounts(added, modified, removed, total - added - modified)


def last_output(core: LakeCore, pipeline: str, inputs: Sequence[DatumInput]) -> Digest | None:
    """Return what the datum of this place wrote when its pipeline succeeded last, if it is known.

    A look at the job's rows, or where it did not look at the datum itself, at its datum set.
    """
    with core.metadata.read() as tx:
        row = tx.pipelines.find(pipeline)
        if row is None:
            return None
        jobs = tx.jobs.list(pipeline=pipeline, states=[JobState.SUCCESS], limit=1)
        for datum in tx.datums.at_places(jobs[0].id, [place_of(inputs)]) if jobs else ():
            return datum.output_root
        last = tx.jobs.last_set(row.id)
        if last is None:
            return None
        spec, _ = tx.pipelines.version(row.id, last.pipeline_version)
    layout = set_layout(spec)
    if layout is None or not inputs:
        return None
    member = member_of(core.nodes, layout, last.root, inputs)
    return None if member is None else member.result.output_root
