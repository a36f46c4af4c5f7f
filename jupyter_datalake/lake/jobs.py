"""Jobs: what ran, what is running, what it left, and stopping it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    JobCancelledError,
    JobFailedError,
    PathNotFoundError,
    StateError,
    StorageError,
)
from jupyter_datalake.jobs.workspace import LOG, NOTEBOOK, Workspace
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.datums import Datum, DatumState
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.jobs import LIVE_STATES, Job, JobState
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.pipelines.asking import (
    cancel_job,
    check_active,
    repeat_job,
    rerun_pipelines,
)
from jupyter_datalake.pipelines.inheriting import get_datum, list_datums

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class DatumLog:
    """What one datum's last try printed."""

    position: int
    label: str
    state: DatumState
    text: str


class Jobs:
    """`lake.jobs`: runs of pipelines."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        *,
        pipeline: str | None = None,
        global_id: str | None = None,
        states: Iterable[JobState] | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Job]:
        """Return jobs, newest first.

        Parameters
        ----------
        pipeline, global_id, states
            Narrow the list.
        before, limit
            At most `limit` jobs with numbers below `before`.
        """
        with self._context.core.metadata.read() as tx:
            if pipeline is not None:
                tx.pipelines.get(pipeline)
            return tx.jobs.list(
                pipeline=pipeline,
                global_id=None if global_id is None else tx.lineage.get(global_id).id,
                states=states,
                before=before,
                limit=limit_of(limit),
            )

    def get(self, job_id: str) -> Job:
        """Return the job whose id begins so, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.jobs.get(job_id)

    def latest_of_each(self) -> dict[str, Job]:
        """Return the newest job of every pipeline that has one, by pipeline."""
        with self._context.core.metadata.read() as tx:
            return tx.jobs.latest_of_each()

    def cancel(self, job_id: str) -> Job:
        """Stop a job: what runs is killed, nothing is committed, datums that succeeded are kept.

        Jobs that wait for it are cancelled by the controller.

        Raises
        ------
        StateError
            The job has ended already.
        """
        with self._context.core.metadata.write() as tx:
            job = tx.jobs.get(job_id)
            if job.state.is_terminal:
                raise StateError(
                    f"Job {job.id} has ended: {job.state}",
                    kind=ErrorKind.WRONG_STATE,
                    job=job.id,
                    state=str(job.state),
                )
            return cancel_job(tx, job)

    def cancel_all(self, *, pipeline: str | None = None) -> Sequence[Job]:
        """Stop every job that has not ended, or every one of a pipeline; return them.

        Raises
        ------
        NotFoundError
            There is no such pipeline.
        """
        with self._context.core.metadata.write() as tx:
            if pipeline is not None:
                tx.pipelines.get(pipeline)
            live = tx.jobs.list(pipeline=pipeline, states=LIVE_STATES, limit=limit_of(None))
            return [cancel_job(tx, job) for job in live]

    def rerun(self, job_id: str, *, reprocess: bool = False, same_inputs: bool = False) -> GlobalId:
        """Run a job's pipeline, as it is now, again over its inputs as they are now.

        Parameters
        ----------
        reprocess
            Run every datum, also those whose results are known.
        same_inputs
            Read the commits, and the tick, that the job read; so does what is downstream.

        Raises
        ------
        StateError
            The pipeline is paused.
        """
        by = str(self._context.author)
        with self._context.core.metadata.write() as tx:
            job = tx.jobs.get(job_id)
            if same_inputs:
                return repeat_job(tx, job, by, reprocess=reprocess)
            check_active(tx.pipelines.get(job.pipeline))
            return rerun_pipelines(tx, [job.pipeline], by, reprocess=reprocess)

    def wait(self, global_id: str, *, timeout_s: float | None = None) -> Sequence[Job]:
        """Wait until every job under a global id has ended, and return them, oldest first.

        A controller must be at work: the Jupyter server's, or ``datalake controller run``.

        Raises
        ------
        JobFailedError, JobCancelledError
            One of them did not succeed.
        StorageError
            They did not end in time.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            jobs = self.list(global_id=global_id)
            if all(job.state.is_terminal for job in jobs):
                break
            if deadline is not None and time.monotonic() > deadline:
                raise StorageError(
                    f"The jobs under {global_id} did not end within {timeout_s:g} s",
                    hint="Is a controller at work? 'datalake doctor' tells",
                    retryable=True,
                    global_id=global_id,
                )
            time.sleep(_POLL_S)
        raise_if_broken(jobs)
        return [*reversed(jobs)]

    def list_datums(
        self,
        job_id: str,
        *,
        states: Iterable[DatumState] | None = None,
        after: int = -1,
        limit: int | None = None,
    ) -> Sequence[Datum]:
        """Return a job's datums by position.

        Those that were inherited from an earlier job, because nothing of them has changed, come
        behind those that the job looked at.
        """
        with self._context.core.metadata.read() as tx:
            job = tx.jobs.get(job_id)
        wanted = None if states is None else set(states)
        return list_datums(
            self._context.core, job, states=wanted, after=after, limit=limit_of(limit)
        )

    def logs(self, job_id: str, *, datum: int | None = None) -> Sequence[DatumLog]:
        """Return what a job's datums printed, or one of them; running ones as far as they are."""
        with self._context.core.metadata.read() as tx:
            job = tx.jobs.get(job_id)
        core = self._context.core
        if datum is None:
            datums = list_datums(core, job, limit=limit_of(None))
        else:
            datums = [get_datum(core, job, datum)]
        return [
            DatumLog(one.position, one.label, one.state, self._log_of(job, one)) for one in datums
        ]

    def get_notebook(self, job_id: str, datum: int = 0) -> bytes:
        """Return a datum's executed notebook; of a failed one as far as it came.

        Raises
        ------
        PathNotFoundError
            The pipeline runs no notebook, or the datum has not ended.
        """
        with self._context.core.metadata.read() as tx:
            job = tx.jobs.get(job_id)
        found = get_datum(self._context.core, job, datum)
        data = self._artifact(job, found, NOTEBOOK)
        if data is None:
            raise PathNotFoundError(
                f"Datum {datum} of job {job.id[:12]} has no executed notebook",
                hint="It has not run yet, or its pipeline runs a command or a query",
                job=job.id,
                datum=datum,
            )
        return data

    def _log_of(self, job: Job, datum: Datum) -> str:
        data = self._artifact(job, datum, LOG)
        return "" if data is None else data.decode("utf-8", "replace")

    def _artifact(self, job: Job, datum: Datum, name: str) -> bytes | None:
        """Return a file that a datum left: live from its folder, or from the lake."""
        core = self._context.core
        if datum.state is DatumState.RUNNING:
            for workspace in Workspace.list_of(core, job.id, datum.position):
                try:
                    return (workspace.artifacts / name).read_bytes()
                except FileNotFoundError:
                    continue
        if datum.artifacts_root is None:
            return None
        tree = core.tree(datum.artifacts_root, f"datum {datum.position} of job {job.id[:12]}")
        return tree.read(RepoPath(name)) if tree.find(RepoPath(name)) is not None else None


def raise_if_broken(jobs: Iterable[Job]) -> None:
    """Raise the error of the first job that failed, else of one that was cancelled."""
    ended: dict[JobState, type[DatalakeError]] = {
        JobState.FAILED: JobFailedError,
        JobState.CANCELLED: JobCancelledError,
    }
    ordered = sorted(jobs, key=lambda job: job.number)
    for state, error in ended.items():
        for job in ordered:
            if job.state is state:
                raise error(
                    f"Job {job.id[:12]} of pipeline {job.pipeline!r} {state}: {job.message}",
                    hint=f"'datalake jobs logs {job.id[:12]}' shows what it printed",
                    job=job.id,
                    pipeline=job.pipeline,
                )
