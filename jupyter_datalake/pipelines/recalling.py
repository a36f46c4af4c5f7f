"""Recalling: everything that an output was made from, as its provenance records it.

Spec, code and environment lock are read from the code commit, so that it can be recalled after the
pipeline was changed or deleted, and in another lake that the history was brought to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import yaml

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import (
    CorruptDataError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.model.commits import Commit, Origin
from jupyter_datalake.model.datums import DONE_STATES, Datum, DatumInput
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId, short_id
from jupyter_datalake.model.jobs import Job, JobState, Outcome
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipeline_specs import parse_stored_spec
from jupyter_datalake.model.pipelines import PipelineSpec, cron_inputs
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.pipelines.code_files import SPEC_FILE
from jupyter_datalake.pipelines.cutting import cut_inputs
from jupyter_datalake.pipelines.inheriting import get_datum, iter_datums


@dataclass(frozen=True, slots=True)
class Recorded:
    """An output, and what it was made from."""

    repo: str
    spec: PipelineSpec
    code_commit_id: CommitId
    inputs: dict[str, CommitId]
    """Key of each repo input to the commit that was read."""
    tick_ns: int | None
    """The time that cron inputs stood for."""
    root: Digest
    """Of the output's tree."""
    commit_id: CommitId
    global_id: GlobalId
    job: Job | None
    """None where the job is not known any more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A datum that is to be run again."""

    position: int
    inputs: tuple[DatumInput, ...]


def recall_commit(core: LakeCore, commit: Commit) -> Recorded:
    """Return what a commit was made from.

    Raises
    ------
    InvalidInputError
        No job made it.
    NotFoundError
        The commit of its code is gone.
    """
    made = commit.provenance
    if made.origin is not Origin.JOB or made.code is None:
        raise InvalidInputError(
            f"{commit.repo}@{short_id(commit.id)} was made by {commit.author}, not by a job",
            hint="Name a commit that a pipeline made: 'datalake lineage get' tells which did",
            repo=commit.repo,
            commit=commit.id,
        )
    with core.metadata.read() as tx:
        job = None if made.job_id is None else tx.jobs.find(made.job_id)
    spec = replace(read_spec(core, made.code.commit_id), parameters=made.parameters)
    return Recorded(
        repo=commit.repo,
        spec=spec,
        code_commit_id=made.code.commit_id,
        inputs={one.name: one.commit_id for one in made.inputs},
        tick_ns=_tick_of(core, spec, made.tick_ns, job),
        root=commit.root,
        commit_id=commit.id,
        global_id=commit.global_id,
        job=job,
    )


def recall_job(core: LakeCore, job: Job) -> Recorded:
    """Return what a job made, and from what. One that changed nothing made what was there.

    Raises
    ------
    StateError
        It made nothing: it has not ended, failed, or was not needed.
    NotFoundError
        The commit of its code is gone.
    """
    if job.state is not JobState.SUCCESS or job.outcome is Outcome.CUT_OFF:
        what = "was not needed" if job.outcome is Outcome.CUT_OFF else f"is {job.state}"
        raise StateError(
            f"Job {short_id(job.id)} of pipeline {job.pipeline!r} {what}: it has no output",
            hint=f"'datalake jobs rerun --same-inputs {short_id(job.id)}' runs it once more",
            job=job.id,
        )
    if job.output_commit_id is not None:
        return replace(recall_commit(core, commit_by_id(core, job.output_commit_id)), job=job)
    with core.metadata.read() as tx:
        row = tx.pipelines.get(job.pipeline)
        spec, code = tx.pipelines.version(row.id, job.pipeline_version)
        assert job.finished_at is not None
        at_ns = round(job.finished_at.timestamp() * 1e6) * 1000
        head = tx.refs.head_at(tx.repos.get(job.pipeline), DEFAULT_BRANCH, at_ns)
    if head is None:
        raise NotFoundError(
            f"What {job.pipeline}@{DEFAULT_BRANCH} was when job {short_id(job.id)} ended is not"
            " known any more",
            kind=ErrorKind.COMMIT_NOT_FOUND,
            hint="Name a commit instead",
            job=job.id,
        )
    return Recorded(
        repo=job.pipeline,
        spec=spec,
        code_commit_id=code,
        inputs=job.inputs,
        tick_ns=_tick_of(core, spec, None, job),
        root=commit_by_id(core, head).root,
        commit_id=head,
        global_id=job.global_id,
        job=job,
    )


def read_spec(core: LakeCore, code: CommitId) -> PipelineSpec:
    """Return the spec as it was published with a commit of code."""
    tree = core.snapshot(commit_by_id(core, code))
    try:
        return parse_stored_spec(yaml.safe_load(tree.read(RepoPath(SPEC_FILE))))
    except yaml.YAMLError as error:
        raise CorruptDataError(
            f"The spec in code commit {short_id(code)} is not YAML", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


def _tick_of(
    core: LakeCore, spec: PipelineSpec, recorded_ns: int | None, job: Job | None
) -> int | None:
    """Return the time that cron inputs stood for, from the commit or the datums of its job."""
    if recorded_ns is not None or job is None or not cron_inputs(spec):
        return recorded_ns
    given = chain.from_iterable(datum.inputs for datum in iter_datums(core, job))
    return next((int(one.path) for one in given if one.repo is None), None)


# --- its datums ----------------------------------------------------------------------------------


def all_pieces(core: LakeCore, recorded: Recorded) -> Iterator[Piece]:
    """Yield all datums of an output, as its inputs are cut.

    Raises
    ------
    NotFoundError
        A commit that was read is gone, or nobody knows which tick it was.
    """
    if recorded.tick_ns is None and cron_inputs(recorded.spec):
        raise NotFoundError(
            f"The tick that {recorded.repo}@{short_id(recorded.commit_id)} was made for is not"
            " known any more",
            kind=ErrorKind.JOB_NOT_FOUND,
            hint="Its job was deleted with its pipeline",
        )
    cut = cut_inputs(core, recorded.spec, recorded.inputs, recorded.tick_ns)
    for position, inputs in enumerate(cut):
        yield Piece(position, inputs)


def pieces_of_path(core: LakeCore, recorded: Recorded, path: RepoPath) -> Iterator[Piece]:
    """Yield the datums that wrote a path; all of them if that is not known any more."""
    makers = None
    if recorded.job is not None and _knows_outputs(core, recorded.job):
        makers = makers_of(core, recorded.job, path)
    if not makers:
        yield from all_pieces(core, recorded)
        return
    for datum in makers:
        yield Piece(datum.position, datum.inputs)


def datum_at(core: LakeCore, recorded: Recorded, position: int) -> Datum:
    """Return one datum of an output's job, with what it wrote.

    Raises
    ------
    NotFoundError
        There is no such datum, or what it wrote is not kept any more.
    """
    job = recorded.job
    datum = None if job is None else get_datum(core, job, position)
    if datum is None or datum.output_root is None:
        raise NotFoundError(
            f"What datum {position} of {recorded.repo}@{short_id(recorded.commit_id)} wrote is not"
            " kept any more",
            kind=ErrorKind.DATUM_NOT_FOUND,
            hint="Reproduce the whole commit",
        )
    return datum


def makers_of(core: LakeCore, job: Job, path: RepoPath) -> list[Datum]:
    """Return the datums of a job that wrote a path, as far as their outputs are kept."""
    return [
        datum
        for datum in iter_datums(core, job)
        if datum.output_root is not None
        and core.tree(datum.output_root, "a datum's output").find(path) is not None
    ]


def _knows_outputs(core: LakeCore, job: Job) -> bool:
    done = (datum for datum in iter_datums(core, job) if datum.state in DONE_STATES)
    return all(datum.output_root is not None or datum.message for datum in done)
