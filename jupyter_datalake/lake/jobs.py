"""Jobs: what ran, what is running, what it left, and stopping it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    PathNotFoundError,
    StateError,
    StorageError,
)
from jupyter_datalake.jobs.kept_kernels import KeptKernel, end_kept, list_kept
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.jobs.workspace import NOTEBOOK
from jupyter_datalake.lake.comparing import compare_jobs
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.executed_cells import cells_of
from jupyter_datalake.lake.logs import Follower, finder, read_artifact, read_log, search_job
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datums import BEFORE_ALL, Datum, DatumState
from jupyter_datalake.model.executed_cells import ExecutedCell
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.job_comparisons import JobComparison
from jupyter_datalake.model.jobs import LIVE_STATES, Job, JobState
from jupyter_datalake.model.logs import DatumLog, LogLine, parse_log_place
from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.model.pipelines import Pipeline
from jupyter_datalake.pipelines.asking import (
    cancel_job,
    check_active,
    repeat_job,
    rerun_pipelines,
)
from jupyter_datalake.pipelines.code_files import read_code_files
from jupyter_datalake.pipelines.grouping import members
from jupyter_datalake.pipelines.inheriting import get_datum, list_datums
from jupyter_datalake.pipelines.planning import code_digest, code_version
from jupyter_datalake.pipelines.publishing import Publisher

if TYPE_CHECKING:
    from jupyter_datalake.jobs.reopening import Reopened

_POLL_S = 0.2
REOPENED_FOLDER = "datalake-jobs"
"""Where datums are reopened."""


class Jobs:
    """`lake.jobs`: runs of pipelines."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        *,
        pipeline: str | None = None,
        group: str | None = None,
        global_id: str | None = None,
        states: Iterable[JobState] | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Job]:
        """Return jobs, newest first.

        Parameters
        ----------
        pipeline, group, global_id, states
            Narrow the list; to a group with those inside it.
        before, limit
            At most `limit` jobs with numbers below `before`.
        """
        with self._context.core.metadata.read() as tx:
            if pipeline is not None:
                tx.pipelines.get(pipeline)
            return tx.jobs.list(
                pipeline=pipeline,
                pipeline_ids=_ids_of(tx, group),
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

    def cancel_all(self, *, pipeline: str | None = None, group: str | None = None) -> Sequence[Job]:
        """Stop every job that has not ended, or every one of a pipeline or group; return them.

        Raises
        ------
        NotFoundError
            There is no such pipeline, or no pipeline in the group.
        """
        with self._context.core.metadata.write() as tx:
            if pipeline is not None:
                tx.pipelines.get(pipeline)
            live = tx.jobs.list(
                pipeline=pipeline,
                pipeline_ids=_ids_of(tx, group),
                states=LIVE_STATES,
                limit=limit_of(None),
            )
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

    def resume(self, job_id: str) -> GlobalId:
        """Go on with a job that failed or was cancelled: run again what of it did not succeed.

        The new job reads the commits, and the tick, that the job read; the results of datums that
        succeeded are taken over. The pipeline is as it is now: where its code or parameters have
        changed since, all datums run.

        Raises
        ------
        StateError
            The job has not ended, or succeeded; or the pipeline is paused.
        """
        by = str(self._context.author)
        with self._context.core.metadata.write() as tx:
            job = tx.jobs.get(job_id)
            if job.state not in {JobState.FAILED, JobState.CANCELLED}:
                is_over = job.state.is_terminal
                raise StateError(
                    f"Job {job.id[:12]} of {job.pipeline} is {job.state}:"
                    f" nothing of it is {'left' if is_over else 'given up'}",
                    kind=ErrorKind.WRONG_STATE,
                    hint="Run it again: datalake jobs rerun" if is_over else "Wait for its end",
                    job=job.id,
                )
            return repeat_job(tx, job, by, reprocess=False)

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

    def logs(
        self,
        job_id: str,
        *,
        datum: int | None = None,
        offset: int = 0,
        after: int = BEFORE_ALL,
        limit: int | None = None,
    ) -> Sequence[DatumLog]:
        """Return what a job's datums printed, by position; of running ones whole lines so far.

        Before them, the logs of its steps: ``checks`` (of expectations) at position -3,
        ``on_start`` at -2, ``finally`` at -1.

        Parameters
        ----------
        datum
            Return the log of this one only, from the byte `offset` on: what an earlier answer
            called `end`. A log of another try begins anew, at 0.
        after, limit
            At most `limit` datums behind the position `after`.
        """
        job = self.get(job_id)
        core = self._context.core
        if datum is None:
            datums = list_datums(core, job, after=after, limit=limit_of(limit))
        else:
            datums = [get_datum(core, job, datum)]
        return [read_log(core, job.id, one, offset if datum is not None else 0) for one in datums]

    def follow_logs(
        self, job_id: str, *, datum: int | None = None, poll_s: float = _POLL_S
    ) -> Iterator[LogLine]:
        """Yield the lines that a job's datums print, as they come, until the job has ended.

        Of datums that have ended already, what they printed. Of what runs on other machines the
        lines come when the datum has ended.
        """
        follower = Follower(self._context.core, self.get(job_id).id, datum)
        while True:
            lines, is_over = follower.look()
            yield from lines
            if is_over:
                return
            if not lines:
                time.sleep(poll_s)

    def search_logs(
        self,
        text: str,
        *,
        job_id: str | None = None,
        pipeline: str | None = None,
        datum: int | None = None,
        label: str | None = None,
        is_regex: bool = False,
        ignores_case: bool = False,
        jobs: int = 100,
        after: str | None = None,
    ) -> Iterator[LogLine]:
        """Yield the lines of logs that hold a text: of the newest job first, by datum and line.

        Skipped datums count with the job that ran them. Cost: reading every log that is looked
        into; lines come as they are found.

        Parameters
        ----------
        job_id, pipeline
            Look into this job, or the jobs of this pipeline only.
        datum, label
            Look into this datum of the job, or into datums with this in what they were cut from.
        is_regex, ignores_case
            What `text` is, and how it is compared.
        jobs
            How many jobs are looked into, the newest.
        after
            Begin behind this place, as `str` of `place_of_line` gives it.

        Raises
        ------
        InvalidInputError
            `text` is empty, or no regular expression; `after` is no place; or `datum` is given
            without a job.
        """
        find = finder(text, is_regex=is_regex, ignores_case=ignores_case)
        place = None if after is None else parse_log_place(after)
        if datum is not None and job_id is None:
            raise InvalidInputError(
                f"Datum {datum} is a place in one job, and no job is given",
                hint="Give the job too, or look for what the datum was cut from by its label",
            )
        if job_id is not None:
            found: Sequence[Job] = [self.get(job_id)]
        else:
            before = None if place is None else 1 - place.before
            found = self.list(pipeline=pipeline, before=before, limit=jobs)
        core = self._context.core

        def lines() -> Iterator[LogLine]:
            for job in found:
                is_begun = place is not None and -place.before == job.number
                yield from search_job(
                    core,
                    job,
                    find,
                    position=datum,
                    label=label or "",
                    after=place if is_begun else None,
                )

        return lines()

    def reopen(self, job_id: str, datum: int = 0, *, folder: str | Path | None = None) -> Reopened:
        """Make the folder of a datum once more, to look into it, or to mend what failed, by hand.

        It holds the code as the job ran it, copies of the inputs at the commits that the job read,
        and an empty place for output. Inputs that are lazy are links into a mount of this machine,
        where there is one. The notebook is the executed one with its parameters, so in a kernel
        that has run the cells above `failed_cell` the work goes on there; where the pipeline has an
        environment of its own, that kernel is one of it. Where the very kernel in which the cell
        failed is kept, the notebook names that: in a Jupyter server with the extension, its
        variables are there, and its working directory is still that of the datum.
        A command is run by ``datum.sh``. Nothing done in it reaches the lake; see `publish_fix`.

        Parameters
        ----------
        folder
            Where to make it; ``datalake-jobs/<pipeline>-<job's number>-<datum>`` by default.

        Raises
        ------
        NotFoundError
            There is no such job or datum, or gc has removed a commit that it read.
        AlreadyExistsError
            There is something at `folder`; nothing of it is touched.
        StateError
            The pipeline runs a query.
        """
        from jupyter_datalake.jobs.reopening import reopen  # noqa: PLC0415  # papermill is heavy

        core = self._context.core
        job = self.get(job_id)
        found = get_datum(core, job, datum)
        with core.metadata.read() as tx:
            spec, code = tx.pipelines.version(
                tx.pipelines.get(job.pipeline).id, job.pipeline_version
            )
        task = DatumTask(
            job_id=job.id,
            position=found.position,
            job_attempt=job.attempt,
            attempt=max(found.tries, 1),
            global_id=job.global_id,
            spec=spec,
            code_commit_id=code,
            inputs=found.inputs,
        )
        default = Path(REOPENED_FOLDER, reopened_name(job, datum))
        place = default if folder is None else Path(folder)
        executed = read_artifact(core, job.id, found, NOTEBOOK)
        return reopen(
            core,
            task,
            job.pipeline_version,
            executed,
            place.absolute(),
            mountpoint=self._mountpoint(),
            kept=self._kept_of(job.id, found.position),
        )

    def list_kernels(self, job_id: str | None = None) -> Sequence[KeptKernel]:
        """Return the kernels that are kept on this machine, of one job if given.

        In each a cell failed, with ``keep_failed`` in the pipeline's `datums`. It ends when its
        time is over and no Jupyter server has it open, and with the controller that ran the datum.
        """
        wanted = None if job_id is None else self.get(job_id).id
        return list_kept(self._context.core.work_folder, wanted)

    def end_kernel(self, kernel_id: str) -> KeptKernel:
        """End a kernel that is kept, also one that is open; return what it was.

        Raises
        ------
        NotFoundError
            None of that name is kept on this machine.
        """
        for kernel in self.list_kernels():
            if kernel.id == kernel_id:
                end_kept(self._context.core.work_folder, kernel.id)
                return kernel
        raise NotFoundError(
            f"No kernel {kernel_id!r} is kept on this machine",
            kind=ErrorKind.KERNEL_NOT_FOUND,
            hint="'datalake jobs list-kernels' shows those that are",
            kernel=kernel_id,
        )

    def _kept_of(self, job_id: str, position: int) -> KeptKernel | None:
        """Return the kernel in which a datum failed, if it is kept."""
        kept = list_kept(self._context.core.work_folder, job_id)
        return next((one for one in reversed(kept) if one.position == position), None)

    def _mountpoint(self) -> Path | None:
        """Return where this machine shows the lake's commits by FUSE, or None."""
        with self._context.core.metadata.read() as tx:
            points = tx.mounts.list_points()
        for point in points:
            is_shown = point.mode is MountMode.FUSE and point.state is MountState.READY
            if is_shown and point.host == socket.gethostname():
                return Path(point.path)
        return None

    def publish_fix(self, folder: str | Path) -> Pipeline:
        """Publish what was mended in a reopened datum's folder as the pipeline's next version.

        It runs at once, over all datums: other code may give other results. A notebook is
        published without the datum's parameters and outputs.

        Raises
        ------
        PathNotFoundError
            It is no folder of a reopened datum, or a file of the code is missing.
        StateError
            Nothing was changed, or the pipeline has another version by now.
        """
        from jupyter_datalake.jobs.reopening import (  # noqa: PLC0415  # papermill is heavy
            read_record,
            without_traces,
        )

        core = self._context.core
        record = read_record(Path(folder).absolute())
        with core.metadata.read() as tx:
            pipeline = tx.pipelines.get(record.pipeline).pipeline
        if pipeline.version != record.pipeline_version:
            raise StateError(
                f"Pipeline {pipeline.name!r} is at version {pipeline.version} by now, and"
                f" {str(folder)!r} was made from version {record.pipeline_version}",
                hint="Take the change over into the newer code, and publish that:"
                " datalake pipelines update",
                pipeline=pipeline.name,
            )
        files = read_code_files(pipeline.spec, Path(folder))
        if record.notebook is not None:
            files[record.notebook] = without_traces(files[record.notebook])
        version = code_version(core, pipeline.spec, pipeline.code_commit_id)
        if code_digest(pipeline.spec, files.__getitem__) == version.code:
            raise StateError(
                f"The code in {str(folder)!r} does what version {pipeline.version} of"
                f" {pipeline.name!r} does",
                hint="Save what was mended; or run it as it is: datalake jobs rerun"
                f" {record.job_id[:12]}",
                pipeline=pipeline.name,
            )
        return Publisher(core, self._context.author).update(pipeline.spec, files)

    def compare(self, job_id: str, other_id: str) -> JobComparison:
        """Return two jobs beside each other: code, parameters, inputs, metrics, output and times.

        Metrics are the numbers in JSON files of the output whose names end in ``metrics.json``, the
        first two hundred, looked for in the first 10,000 files. Of code and outputs of one pipeline
        it also tells which files differ, the first hundred.
        """
        return compare_jobs(self._context.core, self.get(job_id), self.get(other_id))

    def list_cells(self, job_id: str, datum: int = 0) -> Sequence[ExecutedCell]:
        """Return the code cells of a datum's notebook with their states, also while it runs.

        None where there is no executed notebook (yet); of what runs on other machines, until it
        has ended.
        """
        job = self.get(job_id)
        found = get_datum(self._context.core, job, datum)
        return [*cells_of(read_artifact(self._context.core, job.id, found, NOTEBOOK) or b"")]

    def get_notebook(self, job_id: str, datum: int = 0) -> bytes:
        """Return a datum's executed notebook; of a failed one as far as it came.

        Raises
        ------
        PathNotFoundError
            The pipeline runs no notebook, or the datum has not ended.
        """
        job = self.get(job_id)
        found = get_datum(self._context.core, job, datum)
        data = read_artifact(self._context.core, job.id, found, NOTEBOOK)
        if data is None:
            raise PathNotFoundError(
                f"Datum {datum} of job {job.id[:12]} has no executed notebook",
                hint="It has not run yet, or its pipeline runs a command or a query",
                job=job.id,
                datum=datum,
            )
        return data


def reopened_name(job: Job, datum: int) -> str:
    """Return what the folder of a reopened datum is called."""
    return f"{job.pipeline.replace('/', '-')}-{job.number}-{datum}"


def _ids_of(tx: Transaction, group: str | None) -> list[int] | None:
    return None if group is None else [row.id for row in members(tx, group)]


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
