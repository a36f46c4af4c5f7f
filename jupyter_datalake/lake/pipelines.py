"""Pipelines: publishing, previewing, running and explaining them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_datalake.engine.commits import commit_by_id, head_of
from jupyter_datalake.errors import (
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.jobs.chaining import NotebookFile, draft_chain
from jupyter_datalake.jobs.helpers import FolderBeside
from jupyter_datalake.jobs.notebooks import parse_notebook
from jupyter_datalake.jobs.promote import Draft, keep_published
from jupyter_datalake.jobs.proposals import ObservedFile
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.repos import VISIBLE_KINDS
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.groups import PipelineGroup
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.jobs import BackfillStep
from jupyter_datalake.model.limits import (
    DEFAULT_JOBS,
    JOBS_LIMIT,
    Limit,
    check_limit,
    check_priority,
)
from jupyter_datalake.model.pipeline_schema import PIPELINE_SCHEMA
from jupyter_datalake.model.pipeline_specs import parse_spec
from jupyter_datalake.model.pipelines import (
    ChangeAction,
    InputWait,
    Pipeline,
    PipelineChange,
    PipelineSpec,
    PipelineState,
    QueryCode,
    cron_inputs,
    keyed_inputs,
)
from jupyter_datalake.model.schedules import (
    DEFAULT_ZONE,
    ComingTick,
    coming_ticks,
    parse_schedule,
)
from jupyter_datalake.model.templates import Argument, ArgumentType, repo_of
from jupyter_datalake.model.times import nanoseconds_of
from jupyter_datalake.pipelines.asking import (
    backfill,
    check_active,
    list_backfill,
    rerun_pipelines,
    tick_pipelines,
)
from jupyter_datalake.pipelines.code_files import read_code_files, read_published_files
from jupyter_datalake.pipelines.cutting import preview
from jupyter_datalake.pipelines.declaring import list_changes, read_declared
from jupyter_datalake.pipelines.deferring import Arrivals, waits_of
from jupyter_datalake.pipelines.explaining import ExplainedDatum, Explainer, explain
from jupyter_datalake.pipelines.exporting import (
    ExportFormat,
    export_airflow,
    export_kubernetes,
)
from jupyter_datalake.pipelines.grouping import list_groups, members
from jupyter_datalake.pipelines.planning import code_version, plan_datums
from jupyter_datalake.pipelines.publishing import Publication, Publisher, has_data, holds_own_files
from jupyter_datalake.pipelines.taking_out import connected_to, take_out
from jupyter_datalake.pipelines.templating import Source, Template, load_source
from jupyter_datalake.pipelines.triggering import is_behind

TemplateSource = Template | dict[str, Any] | str | Path
"""A template, its document, or the path of a YAML file."""

SpecSource = PipelineSpec | dict[str, Any] | str | Path
"""A spec as a value, as a document, or as the path of a YAML file."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a backfill goes over, and what it has begun."""

    steps: tuple[BackfillStep, ...]
    global_ids: tuple[GlobalId, ...]
    """Of the jobs, in this order; none of a dry run. There may be one more: over the present."""


_NAMED = 20
"""So many names are told where one is wrong."""

_MAX_TICKS = 100
"""So many ticks of a schedule are told at most."""

_MAX_OBSERVED = 10_000
"""So many accesses of a notebook are looked at, the newest."""


class Pipelines:
    """`lake.pipelines`: notebooks, commands and queries that run when their inputs change."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self, *, group: str | None = None, after: str = "", limit: int | None = None
    ) -> list[Pipeline]:
        """Return pipelines by name, or those of a group with the groups inside it."""
        with self._context.core.metadata.read() as tx:
            if group is not None:
                rows = [row for row in members(tx, group) if row.pipeline.name > after]
                return [row.pipeline for row in rows[: limit_of(limit)]]
            return [row.pipeline for row in tx.pipelines.list(after=after, limit=limit_of(limit))]

    def get(self, name: str) -> Pipeline:
        """Return one pipeline, or raise `NotFoundError`."""
        return self._row(name).pipeline

    def create(self, source: SpecSource, *, folder: str | Path | None = None) -> Pipeline:
        """Publish a new pipeline; it runs at once where its inputs hold data.

        Parameters
        ----------
        source
            The spec, or the path of a YAML file that holds it.
        folder
            Where the notebook and the helper files are; beside the YAML file by default.

        Raises
        ------
        InvalidInputError
            The spec is wrong; the message names the place and the value.
        AlreadyExistsError
            There is a pipeline, or a repo with files of its own, of this name.
        NotFoundError
            A repo, branch, connection, kernel or file that it needs is missing.
        """
        spec, files = load_published(source, folder)
        return self._publisher.create(spec, files)

    def update(
        self,
        source: SpecSource,
        *,
        folder: str | Path | None = None,
        keep_files: bool = False,
        upgrade: bool = False,
    ) -> Pipeline:
        """Publish the next version of a pipeline; unchanged ones stay at theirs.

        Parameters
        ----------
        keep_files
            Take the notebook and the helper files as they were published last, wherever they are
            now: another schedule or parameter needs none of them.
        upgrade
            Take newer packages into an environment of its own; else those that it is locked to
            stay, as far as they fit what is asked for.
        """
        if keep_files:
            spec = source if isinstance(source, PipelineSpec) else parse_spec(_document(source))
            core, code = self._context.core, self.get(spec.name).code_commit_id
            files = read_published_files(spec, core.snapshot(commit_by_id(core, code)))
        else:
            spec, files = load_published(source, folder)
        return self._publisher.update(spec, files, upgrade=upgrade)

    def apply(self, source: SpecSource, *, folder: str | Path | None = None) -> Pipeline:
        """Create a pipeline, or update it if it exists."""
        spec, files = load_published(source, folder)
        with self._context.core.metadata.read() as tx:
            exists = tx.pipelines.find(spec.name) is not None
        publisher = self._publisher
        return publisher.update(spec, files) if exists else publisher.create(spec, files)

    def delete(self, name: str) -> None:
        """Remove a pipeline with its jobs; its output stays in the repo of its name.

        Raises
        ------
        StateError
            A job of it has not ended.
        """
        self._publisher.delete(name)

    def pause(self, name: str) -> Pipeline:
        """Let a pipeline take up no new work; what runs goes on."""
        with self._context.core.metadata.write() as tx:
            return _set_state(tx, name, PipelineState.PAUSED).pipeline

    def resume(self, name: str) -> Pipeline:
        """Let a pipeline take up work again, and make up for what it missed.

        Commits are made up for with one job over the inputs as they are, those to an input with a
        trigger if they are enough, ticks as the clock's ``catch_up`` says.
        """
        with self._context.core.metadata.write() as tx:
            self._resume(tx, [name])
        self._run_what_waits([name])
        return self.get(name)

    # --- groups ----------------------------------------------------------------------------------

    def list_groups(self) -> Sequence[PipelineGroup]:
        """Return the groups of pipelines by name, each with what is in the groups inside it."""
        with self._context.core.metadata.read() as tx:
            return list_groups(tx)

    def pause_group(self, group: str) -> Sequence[Pipeline]:
        """Let all pipelines of a group take up no new work; what runs goes on.

        Raises
        ------
        NotFoundError
            There is no pipeline in it.
        """
        with self._context.core.metadata.write() as tx:
            names = [row.pipeline.name for row in members(tx, group)]
            return [_set_state(tx, name, PipelineState.PAUSED).pipeline for name in names]

    def resume_group(self, group: str) -> Sequence[Pipeline]:
        """Let all pipelines of a group take up work again, and make up for what they missed.

        What they make up for is of one global id, so what is downstream of several runs once.

        Raises
        ------
        NotFoundError
            There is no pipeline in it.
        """
        with self._context.core.metadata.write() as tx:
            names = [row.pipeline.name for row in members(tx, group)]
            self._resume(tx, names)
        self._run_what_waits(names)
        return self.list(group=group)

    def run_group(
        self, group: str, *, reprocess: bool = False, priority: int | None = None
    ) -> GlobalId:
        """Run all pipelines of a group now, under one global id; see `run`.

        Raises
        ------
        NotFoundError
            There is no pipeline in it.
        StateError
            One of them is paused.
        """
        names = [one.name for one in self.list(group=group)]
        return self.run(*names, reprocess=reprocess, priority=priority)

    # --- running ---------------------------------------------------------------------------------

    def run(
        self, name: str, *others: str, reprocess: bool = False, priority: int | None = None
    ) -> GlobalId:
        """Run pipelines now: tick their clocks, or take their inputs as they are.

        Parameters
        ----------
        others
            More pipelines, under the same global id: what is downstream of several runs once.
        reprocess
            Run every datum, also those whose results are known.
        priority
            From -10 to 10, for these jobs and what they set off; each pipeline's own by default.

        Returns
        -------
        GlobalId
            Shared by the jobs and all that they set off; `lake.jobs.wait` takes it.

        Raises
        ------
        StateError
            One of the pipelines is paused.
        InvalidInputError
            There is no such priority.
        """
        names = [name, *others]
        by = str(self._context.author)
        check_priority(priority)
        with self._context.core.metadata.write() as tx:
            rows = [tx.pipelines.get(one) for one in names]
            for row in rows:
                check_active(row)
            if not reprocess and all(cron_inputs(row.pipeline.spec) for row in rows):
                return tick_pipelines(tx, names, by, priority=priority)
            return rerun_pipelines(tx, names, by, reprocess=reprocess, priority=priority)

    def backfill(
        self,
        name: str,
        start: str,
        end: str,
        *,
        input_name: str | None = None,
        reprocess: bool = False,
        priority: int | None = None,
        dry_run: bool = False,
    ) -> Backfill:
        """Run a pipeline over the past: a job for each commit of an input, or for each tick.

        The jobs run oldest first, one after the other, each reading its commit or tick, and commit
        in this order; datums whose results are known are skipped. Other inputs are read as they
        are. A last job over what is there now leaves the output as it was.

        Parameters
        ----------
        start, end
            Days or times such as ``2026-01-31``, or, for commits, ref expressions. Both belong to
            the range. Without a zone they are of the clock's zone, or of UTC for commits.
        input_name
            The input that is gone over; needed where there are several.
        reprocess
            Run every datum, also those whose results are known.
        priority
            Of these jobs; the pipeline's own by default.
        dry_run
            Only tell what would be gone over.

        Raises
        ------
        NotFoundError
            There is no such pipeline, or no such commit.
        InvalidInputError
            The range is no range of the input, or one of more than 1,000 jobs.
        StateError
            The pipeline is paused.
        """
        by = str(self._context.author)
        check_priority(priority)
        with self._context.core.metadata.read() as tx:
            steps = list_backfill(tx, name, start, end, input_name)
        if dry_run:
            return Backfill(tuple(steps), ())
        with self._context.core.metadata.write() as tx:
            made = backfill(tx, name, steps, input_name, by, reprocess=reprocess, priority=priority)
        return Backfill(tuple(steps), tuple(made))

    def diff(
        self, place: str | Path | Sequence[Source], *, prune: bool = False
    ) -> Sequence[PipelineChange]:
        """Return what `apply_all` would do; changes nothing.

        Parameters
        ----------
        place
            A folder of specs, a file that holds one or more, or specs.
        prune
            Whether pipelines go that are not declared there.
        """
        return list_changes(self._context.core, read_declared(_declared_at(place)), prune=prune)

    def apply_all(
        self, place: str | Path | Sequence[Source], *, prune: bool = False
    ) -> Sequence[PipelineChange]:
        """Make the lake's pipelines those that a folder declares; return what was done.

        All of it is done or, after an error, nothing. What runs then does so under one global id,
        what is downstream of several once.

        Parameters
        ----------
        place
            A folder, whose YAML files with a key ``pipeline`` are specs, and those with
            ``template`` and ``arguments`` make one of a template; or one such file. A file may
            hold several, as YAML documents. Or specs, each with the folder of its files.
        prune
            Delete pipelines that are not declared there, with their jobs; their outputs stay.

        Raises
        ------
        InvalidInputError
            A spec is wrong, two declare one pipeline, or they read each other in a circle.
        StateError
            A job runs of one that is to be deleted; then nothing was done.
        """
        declared = read_declared(_declared_at(place))
        changes = list_changes(self._context.core, declared, prune=prune)
        actions = {change.pipeline: change.action for change in changes}
        self._publisher.publish_all(
            [
                Publication(
                    one.spec, one.files, is_new=actions[one.spec.name] is ChangeAction.CREATE
                )
                for one in declared
                if actions[one.spec.name] is not ChangeAction.UNCHANGED
            ],
            deleted=[change.pipeline for change in changes if change.action is ChangeAction.DELETE],
        )
        return changes

    def write(
        self, names: Sequence[str], file: str | Path, *, connected: bool = False
    ) -> Sequence[Path]:
        """Write pipelines to a file of specs, and their code beside it: what `apply_all` reads.

        To be looked at, edited or kept with other code. Of what a template made, the spec is
        written that it made.

        Parameters
        ----------
        file
            A YAML file; ``.pipelines.yaml`` at its end lets JupyterLab open it as a graph.
        connected
            Whether those are written too that these read, or that read these, and so on.

        Returns
        -------
        sequence of Path
            What was written; files that are there with the same content are not.

        Raises
        ------
        NotFoundError
            There is no such pipeline.
        AlreadyExistsError
            Something else is at one of the places; nothing was written.
        """
        chosen = {name: self.get(name) for name in names}
        if connected:
            known = {one.name: one for one in self.list()}
            chosen = {name: known[name] for name in connected_to(names, known.values())}
        return take_out(self._context.core, chosen.values(), Path(file))

    def export(
        self,
        name: str,
        to: ExportFormat | str,
        *,
        image: str | None = None,
        secret: str | None = None,
    ) -> str:
        """Return a pipeline as a file for another scheduler, which then wakes a controller.

        Parameters
        ----------
        to
            ``airflow`` for a Python file with a DAG, ``kubernetes`` for the manifest of a Job, or
            of a CronJob where the pipeline has a clock.
        image
            For Kubernetes: an image in which ``datalake`` and what the pipeline needs are
            installed.
        secret
            For Kubernetes: a Secret whose entries become environment variables.

        Raises
        ------
        InvalidInputError
            The other side does not see the lake, or does not know such a clock.
        NotFoundError
            There is no such pipeline.
        """
        spec, url = self.get(name).spec, self._context.core.url
        if ExportFormat(to) is ExportFormat.AIRFLOW:
            return export_airflow(spec, url)
        return export_kubernetes(spec, url, image=image or "", secret=secret)

    # --- limits ----------------------------------------------------------------------------------

    def list_slots(self) -> Sequence[Limit]:
        """Return how much there is of each resource; ``jobs`` is how many are at work at once."""
        with self._context.core.metadata.read() as tx:
            limits = {limit.name: limit for limit in tx.settings.limits()}
        limits.setdefault(JOBS_LIMIT, Limit(JOBS_LIMIT, DEFAULT_JOBS))
        return [limits[name] for name in sorted(limits)]

    def set_slots(self, name: str, count: int) -> Limit:
        """Say how much there is of a resource that datums hold while they run.

        Parameters
        ----------
        name
            What specs name under ``resources: {slots: …}``, or ``jobs``: how many jobs are at work
            at once, of all pipelines, or of those of a group, as ``group/etl``.

        Raises
        ------
        InvalidInputError
            The name or the number cannot be, or a datum of a pipeline needs more.
        """
        limit = check_limit(name, count)
        with self._context.core.metadata.write() as tx:
            for pipeline, needed in self._needs(tx, name).items():
                if needed > count:
                    raise InvalidInputError(
                        f"A datum of pipeline {pipeline!r} needs {needed} of {name!r}",
                        hint="Publish the pipeline with less first",
                        pipeline=pipeline,
                    )
            tx.settings.set_limit(limit)
        return limit

    def delete_slots(self, name: str) -> None:
        """Forget a resource; ``jobs`` gets its default back.

        Raises
        ------
        NotFoundError
            No such limit is set.
        StateError
            Datums of a pipeline hold some of it.
        """
        with self._context.core.metadata.write() as tx:
            for pipeline in self._needs(tx, name):
                raise StateError(
                    f"Datums of pipeline {pipeline!r} hold some of {name!r}",
                    kind=ErrorKind.IN_USE,
                    hint="Publish the pipeline without it first",
                    pipeline=pipeline,
                )
            if not tx.settings.delete_limit(name):
                raise NotFoundError(
                    f"No limit of {name!r} is set",
                    kind=ErrorKind.LIMIT_NOT_FOUND,
                    hint="'datalake pipelines list-slots' shows what there is",
                    resource=name,
                )

    def preview(
        self, source: SpecSource, *, after: int = -1, limit: int = 100
    ) -> tuple[Sequence[tuple[DatumInput, ...]], bool]:
        """Return datums that a spec makes of the heads of its inputs, in the order they have.

        The pipeline need not exist, nor its notebook.

        Parameters
        ----------
        after
            The position, from 0, of the last datum that was seen already.

        Returns
        -------
        datums
            Each as one piece per input.
        has_more
            Whether there are more behind these.
        """
        spec = source if isinstance(source, PipelineSpec) else parse_spec(_document(source))
        return preview(
            self._context.core, spec, self._heads(spec), after=after, limit=limit_of(limit)
        )

    def preview_schedule(
        self,
        schedule: str,
        *,
        zone: str = DEFAULT_ZONE,
        after: datetime | str | None = None,
        limit: int = 3,
    ) -> Sequence[ComingTick]:
        """Return when a schedule ticks next, by the code that clocks run by.

        Parameters
        ----------
        schedule
            ``@every 24h``, ``@daily`` and the like, or the five fields of cron.
        zone
            Time zone whose wall clock the fields are read by, such as ``Europe/Berlin``.
        after
            Ticks behind this time, of UTC where it names no zone; from now on by default.

        Raises
        ------
        InvalidInputError
            It is no schedule, or there is no such time zone; the message says what is wrong where.
        """
        parsed = parse_schedule(schedule, zone)
        with self._context.core.metadata.read() as tx:
            moment = time_of(tx.now_ns if after is None else nanoseconds_of(after))
        return coming_ticks(parsed, moment, min(limit_of(limit), _MAX_TICKS))

    def waits(self, name: str) -> Sequence[InputWait]:
        """Return what came in through each input that has a trigger, and whether it is enough.

        What came in is what was committed since the commit that the newest job reads. Empty for
        a pipeline that each commit runs.
        """
        core = self._context.core
        arrivals = Arrivals(core)

        def look() -> Sequence[InputWait]:
            with core.metadata.read() as tx:
                return waits_of(tx, arrivals, tx.pipelines.get(name))

        return arrivals.settled(look)

    def plan(self, name: str) -> Sequence[ExplainedDatum]:
        """Return what would run, and why, if the pipeline ran now; changes nothing."""
        row = self._row(name)
        core, spec = self._context.core, row.pipeline.spec
        with core.metadata.read() as tx:
            tick_ns = tx.pipelines.last_tick_ns(row.id)
        version = code_version(core, spec, row.pipeline.code_commit_id)
        planned = plan_datums(core, spec, version, self._heads(spec), tick_ns)
        explainer = Explainer(core, row, spec, version)
        return [*explain(core, explainer, planned, knows=not isinstance(spec.code, QueryCode))]

    def promote(
        self,
        notebook: str | Path,
        *,
        mountpoint: str | None = None,
        root: str | Path | None = None,
    ) -> Draft:
        """Return the draft of a pipeline that runs a notebook.

        Where a pipeline of that name runs it already, what only its spec says is kept. What the
        notebook's kernel was seen to read and write when it ran last (`lake.lineage.observed`)
        is among the draft's `places`, with the mentioned ones, and read places are inputs.

        Parameters
        ----------
        mountpoint
            Where the lake is mounted, absolute or relative to `root`.
        root
            Folder that a relative notebook path starts from; the working directory by default.

        Raises
        ------
        PathNotFoundError
            There is no such notebook.
        InvalidInputError
            The file is no notebook.
        """
        return self.promote_all([notebook], mountpoint=mountpoint, root=root)[0]

    def promote_all(
        self,
        notebooks: Sequence[str | Path],
        *,
        mountpoint: str | None = None,
        root: str | Path | None = None,
    ) -> Sequence[Draft]:
        """Return the drafts of pipelines that run notebooks and feed each other.

        What one writes and another reads ties the two: a repo, named or observed, or a folder of
        the disk. Those that feed others come first, so they can be created in this order. What
        `promote` says of one holds for each.

        Parameters
        ----------
        mountpoint, root
            As for `promote`.

        Raises
        ------
        PathNotFoundError
            There is no such notebook.
        InvalidInputError
            A file is no notebook, two would become the same pipeline, or they read each other's
            output in a circle.
        """
        mount = None
        if mountpoint is not None:
            mount = posixpath.normpath(str(Path(root or ".", mountpoint).absolute()))
        files = [self._read_notebook(one, root, mount) for one in notebooks]
        with self._context.core.metadata.read() as tx:
            repos = {
                row.repo.name for row in tx.repos.list(limit=limit_of(None), kinds=VISIBLE_KINDS)
            }
        drafts = draft_chain(files, mountpoint=mount, repos=repos, is_kept=self._is_kept)
        with self._context.core.metadata.read() as tx:
            published = [tx.pipelines.find(draft.spec["pipeline"]) for draft in drafts]
        return [
            draft if row is None else keep_published(draft, row.pipeline.spec)
            for draft, row in zip(drafts, published, strict=True)
        ]

    def render(
        self, template: TemplateSource, arguments: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the spec that a template makes of these arguments; nothing is published.

        Parameters
        ----------
        template
            A `Template`, its document, or the path of a YAML file that holds it.
        arguments
            By name; those left out have their defaults.

        Raises
        ------
        InvalidInputError
            An argument is unknown or missing, its value is not what it may be, or the spec that
            comes of them is wrong.
        NotFoundError
            There is no such repo or branch.
        """
        found = _template(template)
        values = found.values(arguments or {})
        with self._context.core.metadata.read() as tx:
            for argument in found.arguments:
                _check_exists(tx, argument, values)
        return found.filled(values)

    def get_template_schema(self, template: TemplateSource) -> dict[str, Any]:
        """Return the JSON Schema of a template's arguments, from which a form can be made.

        What names a repo lists the repos that there are.

        Raises
        ------
        InvalidInputError
            It is no template; the message names the place.
        """
        found = _template(template)
        schema = found.schema()
        with self._context.core.metadata.read() as tx:
            rows = tx.repos.list(limit=limit_of(None), kinds=VISIBLE_KINDS)
        for argument in found.arguments:
            if argument.type is ArgumentType.REPO:
                schema["properties"][argument.name]["examples"] = [row.repo.name for row in rows]
        return schema

    def get_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the written form of a pipeline."""
        return PIPELINE_SCHEMA

    # --- inside ----------------------------------------------------------------------------------

    def _is_kept(self, repo: str) -> bool:
        """Tell whether there is a repo with files of people, which no pipeline may replace."""
        with self._context.core.metadata.read() as tx:
            row = tx.repos.find(repo)
            return row is not None and holds_own_files(tx, row)

    def _read_notebook(
        self, notebook: str | Path, root: str | Path | None, mountpoint: str | None
    ) -> NotebookFile:
        place = Path(root or ".", notebook).absolute()
        if not place.is_file():
            raise PathNotFoundError(f"There is no notebook {str(notebook)!r}", path=str(notebook))
        return NotebookFile(
            str(place),
            parse_notebook(place.read_bytes(), place.name),
            beside=FolderBeside(place.parent, None if mountpoint is None else Path(mountpoint)),
            observed=self._observed(str(notebook), str(place)),
        )

    def _observed(self, *names: str) -> Sequence[ObservedFile]:
        """Return what the last kernel of a notebook opened, by any of its names."""
        with self._context.core.metadata.read() as tx:
            found = tx.lineage.list_observed(notebooks=names, limit=_MAX_OBSERVED)
            last = [one for one in found if one.observer.kernel_id == found[0].observer.kernel_id]
            commits = tx.commits.get_many({one.commit_id for one in last})
        return [
            ObservedFile(
                one.kind, one.repo, commits[one.commit_id].branch, one.path, one.observer.cell
            )
            for one in last
            if one.commit_id in commits
        ]

    def _resume(self, tx: Transaction, names: Sequence[str]) -> None:
        """Let pipelines take up work again; those that are behind make up for it in one run."""
        behind = []
        for name in names:
            row = _set_state(tx, name, PipelineState.ACTIVE)
            spec = row.pipeline.spec
            if not cron_inputs(spec) and has_data(tx, spec) and is_behind(tx, row):
                behind.append(name)
        if behind:
            rerun_pipelines(tx, behind, str(self._context.author), reprocess=False)

    def _run_what_waits(self, names: Sequence[str]) -> None:
        """Run the pipelines for which enough has come in by now."""
        for name in names:
            if cron_inputs(self.get(name).spec):
                continue
            if any(wait.is_met for wait in self.waits(name)):
                self.run(name)

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self._context.core, self._context.author)

    def _needs(self, tx: Transaction, resource: str) -> dict[str, int]:
        """Return pipeline to how much of a resource one of its datums holds."""
        specs = [row.pipeline.spec for row in tx.pipelines.list(limit=limit_of(None))]
        return {spec.name: spec.slots[resource] for spec in specs if resource in spec.slots}

    def _row(self, name: str) -> PipelineRow:
        with self._context.core.metadata.read() as tx:
            return tx.pipelines.get(name)

    def _heads(self, spec: PipelineSpec) -> dict[str, CommitId]:
        core = self._context.core
        return {
            key: head_of(core, given.repo, given.branch).id
            for key, given in keyed_inputs(spec).items()
        }


def load_published(
    source: SpecSource, folder: str | Path | None
) -> tuple[PipelineSpec, dict[str, bytes]]:
    """Return a spec, and the files that it names by path, which are read below a folder."""
    if isinstance(source, str | Path):
        found = load_source(Path(source))
        source, folder = found.document, folder or found.folder
    spec = source if isinstance(source, PipelineSpec) else parse_spec(source)
    return spec, read_code_files(spec, Path(folder or "."))


def _set_state(tx: Transaction, name: str, state: PipelineState) -> PipelineRow:
    tx.pipelines.set_state(tx.pipelines.get(name).id, state)
    tx.events.append(EventKind.PIPELINE_CHANGED, name, state=str(state))
    return tx.pipelines.get(name)


def _document(source: dict[str, Any] | str | Path) -> Any:
    return source if isinstance(source, dict) else load_source(Path(source)).document


def _declared_at(place: str | Path | Sequence[Source]) -> Path | Sequence[Source]:
    return Path(place) if isinstance(place, str) else place


def _template(source: TemplateSource) -> Template:
    if isinstance(source, Template):
        return source
    return Template(source) if isinstance(source, dict) else Template.load(source)


def _check_exists(tx: Transaction, argument: Argument, values: Mapping[str, Any]) -> None:
    """Raise unless the repo or branch is there that an argument names."""
    value = values[argument.name]
    if argument.type is ArgumentType.REPO and tx.repos.find(value) is None:
        there = [row.repo.name for row in tx.repos.list(limit=_NAMED + 1, kinds=VISIBLE_KINDS)]
        raise _absent(argument, value, "repo", ErrorKind.REPO_NOT_FOUND, there)
    name = repo_of(argument, values) if argument.type is ArgumentType.BRANCH else ""
    if name:
        repo = tx.repos.get(name)
        if tx.refs.find(repo, value) is None:
            there = [ref.name for ref in tx.refs.list(repo, limit=_NAMED + 1)]
            raise _absent(argument, value, f"branch of {name!r}", ErrorKind.REF_NOT_FOUND, there)


def _absent(
    argument: Argument, value: str, what: str, kind: ErrorKind, there: Sequence[str]
) -> NotFoundError:
    more = ", …" if len(there) > _NAMED else ""
    return NotFoundError(
        f"Argument {argument.name!r} names {value!r}, which is no {what}",
        kind=kind,
        hint=f"There are {', '.join(there[:_NAMED])}{more}" if there else "There is none yet",
        argument=argument.name,
    )
