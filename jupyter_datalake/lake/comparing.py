"""Two runs beside each other: parameters, code, inputs, metrics, outputs and times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.history import History
from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.job_comparisons import Aspect, JobComparison, compared
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.metrics import is_metrics_file, metrics_in

MAX_CHANGES = 100
_MAX_METRICS = 200
_MAX_LOOKED_AT = 10_000
"""Among so many files of an output those of metrics are looked for."""


def compare_jobs(core: LakeCore, old: Job, new: Job) -> JobComparison:
    """Return what was given to two jobs, and what came of them; see `lake.jobs.compare`."""
    runs = _Run(core, old), _Run(core, new)
    code = _changes(core, *(run.code_place for run in runs))
    output = _changes(core, *(run.output_place for run in runs))
    return JobComparison(
        old,
        new,
        tuple(
            value
            for aspect in Aspect
            for value in compared(aspect, runs[0].values(aspect), runs[1].values(aspect))
        ),
        tuple(code[:MAX_CHANGES]),
        tuple(output[:MAX_CHANGES]),
        max(len(code), len(output)) > MAX_CHANGES,
    )


class _Run:
    """One of the two."""

    def __init__(self, core: LakeCore, job: Job) -> None:
        self._core, self._job = core, job
        with core.metadata.read() as tx:
            pipeline = tx.pipelines.get(job.pipeline)
            self._spec, self._code_id = tx.pipelines.version(pipeline.id, job.pipeline_version)
            self._code = _find(tx, self._code_id)
            self._output = _find(tx, job.output_commit_id)

    @property
    def code_place(self) -> tuple[str, Commit | None]:
        return self._spec.code_repo, self._code

    @property
    def output_place(self) -> tuple[str, Commit | None]:
        return self._job.pipeline, self._output

    def _metrics(self, output: Commit) -> Iterator[tuple[str, float]]:
        """Yield the metrics of an output by the path of their file and their name in it."""
        tree = self._core.snapshot(output)
        for file in islice(tree.iter_files(), _MAX_LOOKED_AT):
            if file.kind is FileKind.FILE and is_metrics_file(file.path, file.size_bytes):
                for name, value in metrics_in(tree.read(file.path)):
                    yield f"{file.path}: {name}" if name else file.path, value

    def values(self, aspect: Aspect) -> dict[str, Any]:
        """Return the values of one aspect by name."""
        job, output = self._job, self._output
        match aspect:
            case Aspect.CODE:
                return {
                    "pipeline": job.pipeline,
                    "version": job.pipeline_version,
                    "commit": self._code_id,
                }
            case Aspect.PARAMETERS:
                return dict(self._spec.parameters)
            case Aspect.INPUTS:
                return dict(job.inputs or job.heads)
            case Aspect.METRICS:
                return {} if output is None else dict(islice(self._metrics(output), _MAX_METRICS))
            case Aspect.OUTPUT:
                return {
                    "state": str(job.state),
                    "outcome": None if job.outcome is None else str(job.outcome),
                    "commit": job.output_commit_id,
                    "files": None if output is None else output.file_count,
                    "bytes": None if output is None else output.size_bytes,
                    "rows written": job.rows_written,
                    **{f"datums {state}": n for state, n in job.datum_counts.items()},
                    **({} if output is None else output.metadata),
                }
            case Aspect.TIME:
                return {"seconds": job.duration_s, "attempts": job.attempt}


def _find(tx: Transaction, commit_id: CommitId | None) -> Commit | None:
    """Return a commit; None where there is none, or retention has removed it."""
    if commit_id is None:
        return None
    try:
        return tx.commits.get(commit_id)
    except NotFoundError:
        return None


def _changes(
    core: LakeCore, old: tuple[str, Commit | None], new: tuple[str, Commit | None]
) -> list[Change]:
    """Return the first paths that differ between two commits of one repo; else none."""
    if old[0] != new[0] or old[1] is None or new[1] is None or old[1].id == new[1].id:
        return []
    return [*islice(History(core).diff(old[1], new[1]), MAX_CHANGES + 1)]
