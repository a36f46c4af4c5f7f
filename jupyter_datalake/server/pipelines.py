"""REST of pipelines: publishing, previewing, promoting, running."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.jobs.promote import Draft
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.pipeline_specs import parse_spec
from jupyter_datalake.model.pipelines import Pipeline, repo_inputs
from jupyter_datalake.model.written_specs import spec_as_dict
from jupyter_datalake.pipelines.templating import Source
from jupyter_datalake.server.base import DatalakeHandler, operation, page, whole


class PipelineHandlerBase(DatalakeHandler):
    """What the pipeline handlers share."""

    async def shown(self, lake: Lake, pipeline: Pipeline, latest: Job | None) -> dict[str, Any]:
        """Return a pipeline with its spec as a document, its newest job and what it waits for."""
        has_triggers = any(one.trigger is not None for one in repo_inputs(pipeline.spec))
        waits = await self.call(lake.pipelines.waits, pipeline.name) if has_triggers else []
        return {
            "name": pipeline.name,
            "state": str(pipeline.state),
            "version": pipeline.version,
            "spec": spec_as_dict(pipeline.spec),
            "code_commit_id": pipeline.code_commit_id,
            "created_at": as_json(pipeline.created_at),
            "updated_at": as_json(pipeline.updated_at),
            "created_by": pipeline.created_by,
            "latest_job": as_json(latest),
            "waits": as_json(waits),
        }

    async def answer_pipeline(self, lake: Lake, pipeline: Pipeline, status: int = 200) -> None:
        """End the request with one pipeline."""
        jobs = await self.call(lake.jobs.list, pipeline=pipeline.name, limit=1)
        self.answer(await self.shown(lake, pipeline, jobs[0] if jobs else None), status)

    def declared(self, body: dict[str, Any]) -> Path | list[Source]:
        """Return the place of a declaration, or the specs that it holds itself."""
        if "specs" in body:
            return [Source(one["spec"], self.folder(one["folder"])) for one in body["specs"]]
        return self.folder(body["folder"])


class PipelinesHandler(PipelineHandlerBase):
    """The pipelines of the lake."""

    path = "/pipelines"

    @operation("listPipelines")
    async def get(self, group: str | None, after: str, limit: int) -> None:
        lake = await self.lake()
        pipelines = await self.call(lake.pipelines.list, group=group, after=after, limit=limit + 1)
        latest = await self.call(lake.jobs.latest_of_each)
        shown = page(list(pipelines), limit, lambda pipeline: pipeline.name)
        shown["results"] = [
            await self.shown(lake, pipeline, latest.get(pipeline.name))
            for pipeline in shown["results"]
        ]
        self.answer(shown)

    @operation("createPipeline")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        folder = self.folder(body["folder"])
        pipeline = await self.call(lake.pipelines.create, body["spec"], folder=folder)
        await self.answer_pipeline(lake, pipeline, 201)


class PipelineHandler(PipelineHandlerBase):
    """One pipeline."""

    path = "/pipelines/{pipeline}"

    @operation("getPipeline")
    async def get(self, pipeline: str) -> None:
        lake = await self.lake()
        await self.answer_pipeline(lake, await self.call(lake.pipelines.get, pipeline))

    @operation("updatePipeline")
    async def put(self, pipeline: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        if body["spec"].get("pipeline") != pipeline:
            raise InvalidInputError(
                f"The spec is of pipeline {body['spec'].get('pipeline')!r}, not of {pipeline!r}",
                kind=ErrorKind.INVALID_SPEC,
            )
        folder = self.folder(body["folder"])
        updated = await self.call(
            lake.pipelines.update,
            body["spec"],
            folder=folder,
            keep_files=body["keep_files"],
            upgrade=body["upgrade"],
        )
        await self.answer_pipeline(lake, updated)

    @operation("deletePipeline")
    async def delete(self, pipeline: str) -> None:
        lake = await self.lake()
        await self.call(lake.pipelines.delete, pipeline)
        self.answer_nothing()


class PauseHandler(PipelineHandlerBase):
    """Pausing."""

    path = "/pipelines/{pipeline}/pause"

    @operation("pausePipeline")
    async def post(self, pipeline: str) -> None:
        lake = await self.lake()
        await self.answer_pipeline(lake, await self.call(lake.pipelines.pause, pipeline))


class ResumeHandler(PipelineHandlerBase):
    """Resuming."""

    path = "/pipelines/{pipeline}/resume"

    @operation("resumePipeline")
    async def post(self, pipeline: str) -> None:
        lake = await self.lake()
        await self.answer_pipeline(lake, await self.call(lake.pipelines.resume, pipeline))


class GroupsHandler(DatalakeHandler):
    """The groups of pipelines."""

    path = "/pipeline-groups"

    @operation("listGroups")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.pipelines.list_groups)))


class PauseGroupHandler(DatalakeHandler):
    """Pausing a group."""

    path = "/pipeline-groups/{group}/pause"

    @operation("pauseGroup")
    async def post(self, group: str) -> None:
        lake = await self.lake()
        paused = await self.call(lake.pipelines.pause_group, group)
        self.answer(whole(one.name for one in paused))


class ResumeGroupHandler(DatalakeHandler):
    """Resuming a group."""

    path = "/pipeline-groups/{group}/resume"

    @operation("resumeGroup")
    async def post(self, group: str) -> None:
        lake = await self.lake()
        resumed = await self.call(lake.pipelines.resume_group, group)
        self.answer(whole(one.name for one in resumed))


class GroupRunsHandler(DatalakeHandler):
    """Running a group now."""

    path = "/pipeline-groups/{group}/runs"

    @operation("runGroup")
    async def post(self, group: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        global_id = await self.call(
            lake.pipelines.run_group,
            group,
            reprocess=body["reprocess"],
            priority=body["priority"],
        )
        self.answer({"global_id": global_id}, 202)


class RunsHandler(DatalakeHandler):
    """Running now."""

    path = "/pipelines/{pipeline}/runs"

    @operation("runPipeline")
    async def post(self, pipeline: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        global_id = await self.call(
            lake.pipelines.run,
            pipeline,
            reprocess=body["reprocess"],
            priority=body["priority"],
        )
        self.answer({"global_id": global_id}, 202)


class BackfillsHandler(DatalakeHandler):
    """Running over the past."""

    path = "/pipelines/{pipeline}/backfills"

    @operation("backfillPipeline")
    async def post(self, pipeline: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        made = await self.call(
            lake.pipelines.backfill,
            pipeline,
            body["start"],
            body["end"],
            input_name=body["input"],
            reprocess=body["reprocess"],
            priority=body["priority"],
            dry_run=body["dry_run"],
        )
        self.answer(made, 202)


class DiffsHandler(PipelineHandlerBase):
    """What a folder of specs would change."""

    path = "/pipeline-diffs"

    @operation("diffPipeline")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        changes = await self.call(lake.pipelines.diff, self.declared(body), prune=body["prune"])
        self.answer(whole(changes))


class DeclarationsHandler(PipelineHandlerBase):
    """Making pipelines what a folder of specs says."""

    path = "/pipeline-declarations"

    @operation("applyAll")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        place = self.declared(body)
        changes = await self.call(lake.pipelines.apply_all, place, prune=body["prune"])
        self.answer(whole(changes))


class PipelineFilesHandler(PipelineHandlerBase):
    """Pipelines as a file of specs, with their code beside it."""

    path = "/pipeline-files"

    @operation("writePipeline")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        place = self.folder(body["path"])
        written = await self.call(
            lake.pipelines.write, body["pipelines"], place, connected=body["connected"]
        )
        root = self.folder("")
        self.answer(whole([path.relative_to(root).as_posix() for path in written]))


class ExportsHandler(DatalakeHandler):
    """Pipelines for other schedulers."""

    path = "/pipelines/{pipeline}/exports"

    @operation("exportPipeline")
    async def post(self, pipeline: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        text = await self.call(
            lake.pipelines.export,
            pipeline,
            body["to"],
            image=body["image"],
            secret=body["secret"],
        )
        self.answer({"text": text})


class LimitsHandler(DatalakeHandler):
    """How much there is of what datums share."""

    path = "/slots"

    @operation("listSlots")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.pipelines.list_slots)))


class LimitHandler(DatalakeHandler):
    """One limit."""

    path = "/slots/{resource}"

    @operation("setSlots")
    async def put(self, resource: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.pipelines.set_slots, resource, body["count"]))

    @operation("deleteSlots")
    async def delete(self, resource: str) -> None:
        lake = await self.lake()
        await self.call(lake.pipelines.delete_slots, resource)
        self.answer_nothing()


class PlanHandler(DatalakeHandler):
    """What would run."""

    path = "/pipelines/{pipeline}/plan"

    @operation("planPipeline")
    async def get(self, pipeline: str) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.pipelines.plan, pipeline)))


class PreviewsHandler(DatalakeHandler):
    """Datums before there is a pipeline."""

    path = "/previews"

    @operation("previewPipeline")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(_preview, lake, body["spec"], body["after"], body["limit"]))


def _preview(lake: Lake, raw: dict[str, Any], after: int, limit: int) -> dict[str, Any]:
    spec = parse_spec(raw)
    datums, has_more = lake.pipelines.preview(spec, after=after, limit=limit)
    message = ""
    if not datums and after < 0:
        globs = ", ".join(f"{one.glob} in {one.repo}@{one.branch}" for one in repo_inputs(spec))
        message = f"Nothing matches {globs}" if globs else "The clock has not ticked yet"
    return {"datums": [list(datum) for datum in datums], "has_more": has_more, "message": message}


class SchedulePreviewsHandler(DatalakeHandler):
    """When schedules tick."""

    path = "/schedule-previews"

    @operation("previewSchedule")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        ticks = await self.call(
            lake.pipelines.preview_schedule,
            body["schedule"],
            zone=body["zone"],
            after=body["after"],
            limit=body["limit"],
        )
        self.answer(whole(ticks))


class PromotionsHandler(PipelineHandlerBase):
    """Drafts of pipelines from notebooks."""

    path = "/promotions"

    @operation("promotePipeline")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        notebook = parse_path(body["notebook"])
        self.folder(posixpath.dirname(notebook))
        draft = await self.call(
            lake.pipelines.promote,
            notebook,
            root=self.server_root,
            mountpoint=self.service.mountpoint,
        )
        self.answer(await self.call(_shown_draft, lake, draft, self.server_root))


class ChainsHandler(PipelineHandlerBase):
    """Drafts of pipelines that feed each other."""

    path = "/chains"

    @operation("promoteAll")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        notebooks = [parse_path(one) for one in body["notebooks"]]
        for one in notebooks:
            self.folder(posixpath.dirname(one))
        drafts = await self.call(
            lake.pipelines.promote_all,
            notebooks,
            root=self.server_root,
            mountpoint=self.service.mountpoint,
        )
        shown = [await self.call(_shown_draft, lake, one, self.server_root) for one in drafts]
        self.answer(whole(shown))


def _shown_draft(lake: Lake, draft: Draft, root: str) -> dict[str, Any]:
    place = Path(draft.notebook).relative_to(Path(root).absolute())
    folder = place.parent.as_posix()
    return {
        "spec": draft.spec,
        "parameters": draft.parameters,
        "notes": draft.notes,
        "places": draft.places,
        "folder": "" if folder == "." else folder,
        "exists": _exists(lake, draft.spec["pipeline"]),
    }


def _exists(lake: Lake, name: str) -> bool:
    try:
        lake.pipelines.get(name)
    except NotFoundError:
        return False
    return True


class RenderingsHandler(DatalakeHandler):
    """Specs that templates make."""

    path = "/renderings"

    @operation("renderPipeline")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        spec = await self.call(lake.pipelines.render, body["template"], body["arguments"])
        self.answer({"spec": spec})


class TemplateSchemaHandler(DatalakeHandler):
    """The arguments of a template, as a form needs to know them."""

    path = "/schemas/template-arguments"

    @operation("getTemplateSchema")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        found = await self.call(lake.pipelines.get_template_schema, body["template"])
        self.answer({"schema": found})


class SchemaHandler(DatalakeHandler):
    """The JSON Schema of specs."""

    path = "/schemas/pipeline"

    @operation("getSchema")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(lake.pipelines.get_schema())


HANDLERS = [
    PipelinesHandler,
    PipelineHandler,
    PauseHandler,
    ResumeHandler,
    GroupsHandler,
    PauseGroupHandler,
    ResumeGroupHandler,
    GroupRunsHandler,
    RunsHandler,
    BackfillsHandler,
    DiffsHandler,
    DeclarationsHandler,
    PipelineFilesHandler,
    ExportsHandler,
    LimitsHandler,
    LimitHandler,
    PlanHandler,
    PreviewsHandler,
    SchedulePreviewsHandler,
    PromotionsHandler,
    ChainsHandler,
    RenderingsHandler,
    SchemaHandler,
    TemplateSchemaHandler,
]
