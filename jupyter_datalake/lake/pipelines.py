"""Pipelines: publishing, previewing, running and explaining them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.errors import ErrorKind, PathNotFoundError, StateError
from jupyter_datalake.jobs.notebooks import parse_notebook
from jupyter_datalake.jobs.promote import Draft, draft_pipeline, keep_published
from jupyter_datalake.jobs.proposals import ObservedFile
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.repos import VISIBLE_KINDS
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.pipeline_specs import PIPELINE_SCHEMA, parse_spec
from jupyter_datalake.model.pipelines import (
    Pipeline,
    PipelineSpec,
    PipelineState,
    QueryCode,
    cron_inputs,
    keyed_inputs,
)
from jupyter_datalake.pipelines.controller import rerun_pipelines, tick_pipelines
from jupyter_datalake.pipelines.cutting import preview
from jupyter_datalake.pipelines.explaining import ExplainedDatum, Explainer, explain
from jupyter_datalake.pipelines.planning import code_version, plan_datums
from jupyter_datalake.pipelines.publishing import Publisher, load_spec, read_code_files

SpecSource = PipelineSpec | dict[str, Any] | str | Path
"""A spec as a value, as a document, or as the path of a YAML file."""

_MAX_OBSERVED = 10_000
"""So many accesses of a notebook are looked at, the newest."""


class Pipelines:
    """`lake.pipelines`: notebooks, commands and queries that run when their inputs change."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(self, *, after: str = "", limit: int | None = None) -> list[Pipeline]:
        """Return pipelines by name."""
        with self._context.core.metadata.read() as tx:
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
        spec, files = self._load(source, folder)
        return self._publisher.create(spec, files)

    def update(self, source: SpecSource, *, folder: str | Path | None = None) -> Pipeline:
        """Publish the next version of a pipeline; unchanged ones stay at theirs."""
        spec, files = self._load(source, folder)
        return self._publisher.update(spec, files)

    def apply(self, source: SpecSource, *, folder: str | Path | None = None) -> Pipeline:
        """Create a pipeline, or update it if it exists."""
        spec, files = self._load(source, folder)
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
        return self._set_state(name, PipelineState.PAUSED)

    def resume(self, name: str) -> Pipeline:
        """Let a pipeline take up work again; what it missed it makes up for with one job."""
        pipeline = self._set_state(name, PipelineState.ACTIVE)
        if not cron_inputs(pipeline.spec) and self._is_behind(pipeline):
            self.run(name)
        return pipeline

    def run(self, name: str, *others: str, reprocess: bool = False) -> GlobalId:
        """Run pipelines now: tick their clocks, or take their inputs as they are.

        Parameters
        ----------
        others
            More pipelines, under the same global id: what is downstream of several runs once.
        reprocess
            Run every datum, also those whose results are known.

        Returns
        -------
        GlobalId
            Shared by the jobs and all that they set off; `lake.jobs.wait` takes it.

        Raises
        ------
        StateError
            One of the pipelines is paused.
        """
        names = [name, *others]
        by = str(self._context.author)
        with self._context.core.metadata.write() as tx:
            pipelines = [tx.pipelines.get(one).pipeline for one in names]
            for pipeline in pipelines:
                if pipeline.state is PipelineState.PAUSED:
                    raise StateError(
                        f"Pipeline {pipeline.name!r} is paused",
                        kind=ErrorKind.WRONG_STATE,
                        hint=f"Resume it first: datalake pipelines resume {pipeline.name}",
                        pipeline=pipeline.name,
                    )
            if not reprocess and all(cron_inputs(pipeline.spec) for pipeline in pipelines):
                return tick_pipelines(tx, names, by)
            return rerun_pipelines(tx, names, by, reprocess=reprocess)

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

    def plan(self, name: str) -> Sequence[ExplainedDatum]:
        """Return what would run, and why, if the pipeline ran now; changes nothing."""
        row = self._row(name)
        core, spec = self._context.core, row.pipeline.spec
        with core.metadata.read() as tx:
            tick_ns = tx.pipelines.last_tick_ns(row.id)
        code = row.pipeline.code_commit_id
        version = code_version(core, spec, code)
        planned = plan_datums(core, spec, version, self._heads(spec), tick_ns)
        explainer = Explainer(core, row, spec, code)
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
        place = Path(root or ".", notebook).absolute()
        if not place.is_file():
            raise PathNotFoundError(f"There is no notebook {str(notebook)!r}", path=str(notebook))
        mount = None
        if mountpoint is not None:
            mount = posixpath.normpath(str(Path(root or ".", mountpoint).absolute()))
        with self._context.core.metadata.read() as tx:
            repos = {
                row.repo.name for row in tx.repos.list(limit=limit_of(None), kinds=VISIBLE_KINDS)
            }
        draft = draft_pipeline(
            parse_notebook(place.read_bytes(), place.name),
            str(place),
            mountpoint=mount,
            repos=repos,
            beside={child.name for child in place.parent.iterdir()},
            observed=self._observed(str(notebook), str(place)),
        )
        with self._context.core.metadata.read() as tx:
            published = tx.pipelines.find(draft.spec["pipeline"])
        return draft if published is None else keep_published(draft, published.pipeline.spec)

    def get_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the written form of a pipeline."""
        return PIPELINE_SCHEMA

    # --- inside ----------------------------------------------------------------------------------

    def _observed(self, *names: str) -> Sequence[ObservedFile]:
        """Return what the last kernel of a notebook opened, by any of its names."""
        with self._context.core.metadata.read() as tx:
            found = tx.lineage.list_observed(notebooks=names, limit=_MAX_OBSERVED)
            last = [one for one in found if one.observer.kernel_id == found[0].observer.kernel_id]
            commits = tx.commits.get_many({one.commit_id for one in last})
        return [
            ObservedFile(one.kind, one.repo, commits[one.commit_id].branch, one.path)
            for one in last
            if one.commit_id in commits
        ]

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self._context.core, self._context.author)

    def _row(self, name: str) -> PipelineRow:
        with self._context.core.metadata.read() as tx:
            return tx.pipelines.get(name)

    def _load(
        self, source: SpecSource, folder: str | Path | None
    ) -> tuple[PipelineSpec, dict[str, bytes]]:
        if isinstance(source, str | Path) and folder is None:
            folder = Path(source).parent
        spec = source if isinstance(source, PipelineSpec) else parse_spec(_document(source))
        return spec, read_code_files(spec, Path(folder or "."))

    def _heads(self, spec: PipelineSpec) -> dict[str, CommitId]:
        core = self._context.core
        return {
            key: head_of(core, given.repo, given.branch).id
            for key, given in keyed_inputs(spec).items()
        }

    def _set_state(self, name: str, state: PipelineState) -> Pipeline:
        with self._context.core.metadata.write() as tx:
            row = tx.pipelines.get(name)
            tx.pipelines.set_state(row.id, state)
            tx.events.append(EventKind.PIPELINE_CHANGED, name, state=str(state))
            return tx.pipelines.get(name).pipeline

    def _is_behind(self, pipeline: Pipeline) -> bool:
        """Tell whether an input has moved since the pipeline's last job began."""
        with self._context.core.metadata.read() as tx:
            latest = tx.jobs.list(pipeline=pipeline.name, limit=1)
        return not latest or latest[0].inputs != self._heads(pipeline.spec)


def _document(source: dict[str, Any] | str | Path) -> Any:
    return source if isinstance(source, dict) else load_spec(Path(source))
