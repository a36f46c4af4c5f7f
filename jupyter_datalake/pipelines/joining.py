"""Joining: what the datums of a job wrote becomes one tree, and the datums one set.

A job that goes on from an earlier one edits that one's tree and set, so that both cost what has
changed. It gives the same tree as joining the outputs of all datums would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.jobs.outputs import OutputJoiner, writer_of
from jupyter_datalake.metadata.base import batched
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datum_sets import (
    MOST_INPUTS,
    SetLayout,
    SetMember,
    parse_member,
    set_layout,
)
from jupyter_datalake.model.datums import DONE_STATES, Datum, label_of
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.manifests import Edit, build_manifest, edit_manifest, iter_items
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipelines import PipelineSpec
from jupyter_datalake.pipelines.inheriting import Basis
from jupyter_datalake.pipelines.touching import match_edits, member_of

_PAGE = 5000
_READ_AT_ONCE = 200


@dataclass(slots=True)
class Joined:
    """What a job's datums gave."""

    root: Digest
    """Of the output tree."""
    datums_root: Digest | None = None
    """Of the datum set; None if paths do not tell the datums apart."""
    joined_root: Digest | None = None
    """The output tree again, if the next job can go on from it."""
    goes_on: bool = False
    """Whether datums are in the set that have no rows."""
    used: list[Digest] = field(default_factory=list)
    """Keys of results that the set has and the one before had not."""
    retired: list[Digest] = field(default_factory=list)
    """Keys of results that the set before had, and this one has not."""

    def record(self, tx: Transaction, pipeline_id: int, job_id: str, *, has_left_out: bool) -> None:
        """Write it into the rows of the job and of the results.

        Parameters
        ----------
        has_left_out
            Whether datums failed: then the next job goes on from the set before this one, whose
            results have to be kept as well.
        """
        if self.datums_root is None:
            tx.datums.use_rows(pipeline_id, job_id)
            return
        tx.jobs.update(job_id, datums_root=self.datums_root, joined_root=self.joined_root)
        if self.goes_on:
            if not has_left_out:
                tx.datums.use(self.retired, current=False)
            tx.datums.use(self.used, current=True)
        else:
            tx.datums.use_rows(pipeline_id, job_id)


def join(
    core: LakeCore,
    nodes: NodeWriter,
    job: Job,
    spec: PipelineSpec,
    basis: Basis | None,
    head: Digest,
) -> Joined:
    """Join what the datums of a job wrote.

    Parameters
    ----------
    basis
        What the job goes on from; None if all its datums have rows.
    head
        Root of the pipeline's last output.

    Raises
    ------
    ConflictError
        Two datums wrote the same path, or one a file where another has a folder.
    """
    layout = set_layout(spec)
    if layout is None or _has_large(core, job, layout):
        joiner = OutputJoiner(nodes)
        outputs = (
            (datum.label, datum.output_root)
            for datum in _iter_done(core, job)
            if datum.output_root is not None
        )
        for label, output in _read_together(nodes, outputs):
            joiner.add(label, output)
        return Joined(joiner.finish(head))
    return _SetJoiner(core, nodes, job, spec, layout, basis).join(head)


def _has_large(core: LakeCore, job: Job, layout: SetLayout) -> bool:
    """Tell whether a datum that was looked at has too many inputs for a set."""
    return layout.has_index and any(len(one.inputs) > MOST_INPUTS for one in _iter_done(core, job))


class _SetJoiner:
    """Joins the outputs of datums that are told apart by where they were cut from."""

    def __init__(
        self,
        core: LakeCore,
        nodes: NodeWriter,
        job: Job,
        spec: PipelineSpec,
        layout: SetLayout,
        basis: Basis | None,
    ) -> None:
        self._core = core
        self._nodes = nodes
        self._job = job
        self._spec = spec
        self._layout = layout
        self._basis = basis

    def join(self, head: Digest) -> Joined:
        before = self._basis.before if self._basis is not None else None
        edited: OutputJoiner | None = None
        if before is not None and before.joined_root == head:
            edited = OutputJoiner(self._nodes, head, lambda path: self._writer_of(members, path))
        members, used, retired = self._edit_set(edited)
        outputs: Iterator[tuple[str, Digest]]
        if edited is not None:
            joiner = edited
            outputs = (self._output(new) for _, new in self._changed() if new is not None)
        else:
            joiner = OutputJoiner(self._nodes)
            outputs = self._outputs(members)
        for label, output in _read_together(self._nodes, outputs):
            joiner.add(label, output)
        root = joiner.finish(head)
        return Joined(
            root,
            datums_root=members,
            # A folder's marker that was dropped for a file in it must come back when the file
            # goes, and one that two datums made stay for the other: only a join of everything
            # knows that.
            joined_root=None if joiner.dropped_folders else root,
            goes_on=before is not None,
            used=used,
            retired=retired,
        )

    def _edit_set(self, joiner: OutputJoiner | None) -> tuple[Digest, list[Digest], list[Digest]]:
        """Return the root of the set of all datums, and the keys that came into it and left it.

        Takes what is replaced or gone out of `joiner`: only then can anything be added to it.
        """
        basis = self._basis
        root = build_manifest(self._nodes, []) if basis is None else basis.before.root
        used: list[Digest] = []
        retired: list[Digest] = []
        for page in batched(self._changed(), _PAGE):
            if joiner is not None:
                gone = [self._output(old) for old, _ in page if old is not None]
                for _, output in _read_together(self._nodes, gone):
                    joiner.remove(output)
            edits: list[Edit] = []
            for old, new in page:
                if old is not None:
                    retired.append(old.result.key)
                if new is not None:
                    edits.append(new.as_edit())
                    if basis is not None:
                        used.append(new.result.key)
                elif old is not None:
                    edits.append(Edit(old.key, None))
            root = self._edit(root, edits)
        for index_edits in batched(self._index(), _PAGE):
            root = self._edit(root, index_edits)
        return root, used, retired

    def _edit(self, root: Digest, edits: Iterable[Edit]) -> Digest:
        return edit_manifest(self._nodes, root, sorted(edits, key=lambda edit: edit.key))

    def _index(self) -> Iterator[Edit]:
        if self._basis is not None:
            return self._basis.index()
        return match_edits(self._core, self._spec, self._layout, self._job.inputs)

    def _changed(self) -> Iterator[tuple[SetMember | None, SetMember | None]]:
        """Yield what each datum that was looked at was in the set before, and what it is now."""
        for datum in _iter_done(self._core, self._job):
            old = None
            if self._basis is not None:
                root = self._basis.before.root
                old = member_of(self._nodes, self._layout, root, datum.inputs)
            # One that failed and was left out has no output.
            yield old, None if datum.output_root is None else self._layout.member(datum)
        if self._basis is not None:
            for old in self._basis.gone(self._core, self._job):
                yield old, None

    def _outputs(self, members: Digest) -> Iterator[tuple[str, Digest]]:
        for item in iter_items(self._nodes, members, end=self._layout.end):
            yield self._output(parse_member(item))

    def _writer_of(self, members: Digest, path: RepoPath) -> str:
        return writer_of(self._nodes, self._outputs(members), path)

    def _output(self, member: SetMember) -> tuple[str, Digest]:
        """Return what a datum is called, and the root of what it wrote."""
        inputs = self._layout.inputs(member.inputs, self._job.inputs)
        return label_of(inputs), member.result.output_root


def _read_together(
    nodes: NodeWriter, outputs: Iterable[tuple[str, Digest]]
) -> Iterator[tuple[str, Digest]]:
    """Pass outputs on, having read the roots of many at once: each alone costs a query."""
    for page in batched(outputs, _READ_AT_ONCE):
        nodes.fetch(output for _, output in page)
        yield from page


def _iter_done(core: LakeCore, job: Job) -> Iterator[Datum]:
    """Yield the datums of a job that have rows and results, by position."""
    after = -1
    while True:
        with core.metadata.read() as tx:
            page = tx.datums.list(job.id, states=DONE_STATES, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].position
