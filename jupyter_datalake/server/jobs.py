"""REST of jobs, their datums, logs and executed notebooks."""

from __future__ import annotations

import json
import posixpath
from itertools import islice
from pathlib import Path
from typing import Any

from jupyter_datalake.lake.jobs import REOPENED_FOLDER, reopened_name
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.logs import LogLine, place_of_line
from jupyter_datalake.server.base import DatalakeHandler, operation, page, whole
from jupyter_datalake.server.pipelines import PipelineHandlerBase


class JobsHandler(DatalakeHandler):
    """Jobs, newest first."""

    path = "/jobs"

    @operation("listJobs")
    async def get(
        self,
        pipeline: str | None,
        group: str | None,
        global_id: str | None,
        state: str | None,
        before: int | None,
        limit: int,
    ) -> None:
        lake = await self.lake()
        jobs = await self.call(
            lake.jobs.list,
            pipeline=pipeline,
            group=group,
            global_id=global_id,
            states=None if state is None else [JobState(state)],
            before=before,
            limit=limit + 1,
        )
        self.answer(page(list(jobs), limit, lambda job: job.number))


class JobHandler(DatalakeHandler):
    """One job."""

    path = "/jobs/{job}"

    @operation("getJob")
    async def get(self, job: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.jobs.get, job))


class AllCancellationsHandler(DatalakeHandler):
    """Stopping all jobs, or all of a pipeline."""

    path = "/cancellations"

    @operation("cancelAll")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        jobs = await self.call(lake.jobs.cancel_all, pipeline=body["pipeline"], group=body["group"])
        self.answer(whole(jobs), 202)


class CancellationsHandler(DatalakeHandler):
    """Stopping a job."""

    path = "/jobs/{job}/cancellations"

    @operation("cancelJob")
    async def post(self, job: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.jobs.cancel, job), 202)


class RerunsHandler(DatalakeHandler):
    """Running a job's pipeline again."""

    path = "/jobs/{job}/reruns"

    @operation("rerunJob")
    async def post(self, job: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        global_id = await self.call(
            lake.jobs.rerun,
            job,
            reprocess=body["reprocess"],
            same_inputs=body["same_inputs"],
        )
        self.answer({"global_id": global_id}, 202)


class ResumptionsHandler(DatalakeHandler):
    """Running what of a job did not succeed."""

    path = "/jobs/{job}/resumptions"

    @operation("resumeJob")
    async def post(self, job: str) -> None:
        lake = await self.lake()
        self.answer({"global_id": await self.call(lake.jobs.resume, job)}, 202)


class DatumsHandler(DatalakeHandler):
    """The datums of a job."""

    path = "/jobs/{job}/datums"

    @operation("listDatums")
    async def get(self, job: str, state: str | None, after: int, limit: int) -> None:
        lake = await self.lake()
        states = None if state is None else [DatumState(state)]
        datums = await self.call(
            lake.jobs.list_datums, job, states=states, after=after, limit=limit + 1
        )
        self.answer(page(list(datums), limit, lambda datum: datum.position))


class LogsHandler(DatalakeHandler):
    """What datums printed."""

    path = "/jobs/{job}/logs"

    @operation("getLogs")
    async def get(self, job: str, datum: int | None, offset: int, after: int, limit: int) -> None:
        lake = await self.lake()
        logs = await self.call(
            lake.jobs.logs, job, datum=datum, offset=offset, after=after, limit=limit + 1
        )
        self.answer(page(list(logs), limit, lambda log: log.position))


class LogSearchHandler(DatalakeHandler):
    """Lines of logs that hold a text."""

    path = "/logs"

    @operation("searchLogs")
    async def get(
        self,
        text: str,
        job: str | None,
        pipeline: str | None,
        datum: int | None,
        label: str | None,
        ignore_case: bool,
        jobs: int,
        after: str,
        limit: int,
    ) -> None:
        lake = await self.lake()

        def search() -> list[LogLine]:
            found = lake.jobs.search_logs(
                text,
                job_id=job,
                pipeline=pipeline,
                datum=datum,
                label=label,
                ignores_case=ignore_case,
                jobs=jobs,
                after=after or None,
            )
            return list(islice(found, limit + 1))

        lines = await self.call(search)
        self.answer(page(lines, limit, lambda line: str(place_of_line(line))))


class NotebookHandler(DatalakeHandler):
    """A datum's executed notebook."""

    path = "/jobs/{job}/datums/{datum}/notebook"

    @operation("getNotebook")
    async def get(self, job: str, datum: int) -> None:
        lake = await self.lake()
        data = await self.call(lake.jobs.get_notebook, job, datum)
        self.answer(await self.call(json.loads, data))


class CellsHandler(DatalakeHandler):
    """The cells of a datum's notebook."""

    path = "/jobs/{job}/datums/{datum}/cells"

    @operation("listCells")
    async def get(self, job: str, datum: int) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.jobs.list_cells, job, datum)))


class ComparisonHandler(DatalakeHandler):
    """Two jobs beside each other."""

    path = "/jobs/{job}/comparisons/{other}"

    @operation("compareJob")
    async def get(self, job: str, other: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.jobs.compare, job, other))


class ReopeningsHandler(DatalakeHandler):
    """Folders of datums, to work in by hand."""

    path = "/jobs/{job}/datums/{datum}/reopenings"

    @operation("reopenJob")
    async def post(self, job: str, datum: int, body: dict[str, Any]) -> None:
        lake = await self.lake()
        folder = body["folder"]
        if folder is None:
            found = await self.call(lake.jobs.get, job)
            folder = f"{REOPENED_FOLDER}/{reopened_name(found, datum)}"
        place = self.folder(folder)
        reopened = await self.call(lake.jobs.reopen, job, datum, folder=place)
        below = Path(reopened.folder).relative_to(place.absolute())
        relative = posixpath.normpath(posixpath.join(folder, below.as_posix()))
        notebook = reopened.notebook
        self.answer(
            {
                "folder": relative,
                "notebook": None if notebook is None else f"{relative}/{notebook}",
                "failed_cell": reopened.failed_cell,
                "job_id": reopened.job_id,
                "position": reopened.position,
                "pipeline": reopened.pipeline,
                "pipeline_version": reopened.pipeline_version,
                "kernel": reopened.kernel,
            },
            201,
        )


class KernelsHandler(DatalakeHandler):
    """Kernels in which cells failed, as long as they are kept."""

    path = "/kernels"

    @operation("listKernels")
    async def get(self, job: str | None) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.jobs.list_kernels, job)))


class KernelHandler(DatalakeHandler):
    """One kernel that is kept."""

    path = "/kernels/{kernel}"

    @operation("endKernel")
    async def delete(self, kernel: str) -> None:
        lake = await self.lake()
        await self.call(lake.jobs.end_kernel, kernel)
        self.answer_nothing()


class FixesHandler(PipelineHandlerBase):
    """What was mended in a reopened datum."""

    path = "/fixes"

    @operation("publishFix")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        pipeline = await self.call(lake.jobs.publish_fix, self.folder(body["folder"]))
        await self.answer_pipeline(lake, pipeline, 201)


HANDLERS = [
    JobsHandler,
    JobHandler,
    AllCancellationsHandler,
    CancellationsHandler,
    RerunsHandler,
    ResumptionsHandler,
    DatumsHandler,
    LogsHandler,
    LogSearchHandler,
    NotebookHandler,
    CellsHandler,
    ComparisonHandler,
    ReopeningsHandler,
    KernelsHandler,
    KernelHandler,
    FixesHandler,
]
