"""Trials: a spec is run on some of its datums before it is published, and nothing is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.renames import change_at, difference_range
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.text_diff import Nothing, diff_texts
from jupyter_datalake.errors import (
    ErrorKind,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.workspace import NOTEBOOK
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.controllers import local_executor
from jupyter_datalake.lake.executed_cells import cells_of
from jupyter_datalake.lake.logs import read_artifact, read_log
from jupyter_datalake.lake.pipelines import SpecSource, load_published
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.executed_cells import ExecutedCell
from jupyter_datalake.model.logs import DatumLog
from jupyter_datalake.model.manifests import diff_manifests
from jupyter_datalake.model.paths import ROOT, parse_path
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS, TableDiff
from jupyter_datalake.model.text_diffs import TextDiff
from jupyter_datalake.model.trials import (
    TRIED_DATUMS,
    Compared,
    Trial,
    TrialState,
    TriedDatum,
)
from jupyter_datalake.pipelines.trial_records import (
    get_record,
    list_records,
    remove_record,
    request_end,
)
from jupyter_datalake.pipelines.trying import PlannedTrial, TrialRun, TrialWish, plan_trial

Told = Callable[[Trial], None]
"""Told of a trial whenever something of it has changed."""


@dataclass(frozen=True, slots=True)
class BegunTrial:
    """A trial that others can see, and that waits to be run."""

    core: LakeCore
    planned: PlannedTrial
    begun: TrialRun
    executor: Executor | None
    workers: int | None

    @property
    def trial(self) -> Trial:
        """The trial as it is."""
        return self.begun.trial

    def run(self) -> Trial:
        """Run it to its end, which its state tells."""
        own = None
        executor = self.executor
        if executor is None:
            count = ControllerConfig().workers if self.workers is None else self.workers
            own = executor = local_executor(self.core, ControllerConfig(workers=count))
        try:
            return self.begun.run(executor)
        finally:
            if own is not None:
                own.close()


class Trials:
    """`lake.trials`: specs that are run on some of their datums before they are published."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def run(
        self,
        source: SpecSource,
        *,
        folder: str | Path | None = None,
        datums: int = TRIED_DATUMS,
        positions: Sequence[int] | None = None,
        steps: bool = True,
        workers: int | None = None,
        executor: Executor | None = None,
        on_change: Told = lambda _: None,
    ) -> Trial:
        """Run a spec on some of its datums, and compare with what its pipeline's output holds.

        Each datum runs as in a job: in the environment, with the tries, limits and timeouts of the
        spec. Nothing is published or committed, no job is made, and no result is remembered, so
        the pipeline need not exist. The code is what the folder holds now, and inputs are read at
        the heads of their branches; a clock ticks now. What the datums leave is kept for a day.

        How it went is in the trial: a datum that fails raises nothing. Expectations are judged on
        the output of these datums alone.

        Parameters
        ----------
        source
            The spec, or the path of a YAML file that holds it.
        folder
            Where the notebook and the helper files are; beside the YAML file by default.
        datums
            So many datums are run, the first ones.
        positions
            Those to run instead, as `lake.pipelines.preview` counts them, from 0.
        steps
            Whether ``on_start`` and ``finally`` are run around the datums, as in a job. They are
            told ``trial`` as ``DATALAKE_JOB_TRIGGER``.
        workers
            Datums that run at once; 2 by default.
        executor
            Where datums run; worker processes of this machine when None.
        on_change
            Told of the trial whenever something of it has changed.

        Raises
        ------
        InvalidInputError
            The spec is wrong; the message names the place and the value.
        NotFoundError
            Something that it needs is missing, or its inputs make no such datum.
        AlreadyExistsError
            There is a repo, with files of its own, of the pipeline's name.
        StateError
            Too many trials are running.
        """
        begun = self.begin(
            source,
            folder=folder,
            datums=datums,
            positions=positions,
            steps=steps,
            workers=workers,
            executor=executor,
            on_change=on_change,
        )
        return begun.run()

    def begin(
        self,
        source: SpecSource,
        *,
        folder: str | Path | None = None,
        datums: int = TRIED_DATUMS,
        positions: Sequence[int] | None = None,
        steps: bool = True,
        workers: int | None = None,
        executor: Executor | None = None,
        on_change: Told = lambda _: None,
    ) -> BegunTrial:
        """Check what `run` runs and make it seen; the caller runs it.

        Parameters and errors are those of `run`.
        """
        core = self._context.core
        spec, files = load_published(source, folder)
        wish = TrialWish(datums, None if positions is None else tuple(positions), steps)
        planned = plan_trial(core, self._context.author, spec, files, wish)
        begun = TrialRun(core, planned, on_change)
        begun.begin()
        return BegunTrial(core, planned, begun, executor, workers)

    def list(self, *, pipeline: str | None = None, limit: int | None = None) -> Sequence[Trial]:
        """Return the trials that are kept on this machine, newest first; of a pipeline, or all."""
        found = list_records(self._context.core)
        wanted = (one for one in found if pipeline in {None, one.pipeline})
        return [*islice(wanted, limit_of(limit))]

    def get(self, trial_id: str) -> Trial:
        """Return the trial whose id begins so, or raise `NotFoundError`."""
        return get_record(self._context.core, trial_id)

    def cancel(self, trial_id: str) -> Trial:
        """Have a trial stop: what runs is killed, and its step ``finally`` runs.

        It has ended when its state says so.

        Raises
        ------
        StateError
            It has ended already.
        """
        core = self._context.core
        trial = self.get(trial_id)
        if trial.state is not TrialState.RUNNING:
            raise StateError(
                f"Trial {trial.id[:12]} has ended: {trial.state}",
                kind=ErrorKind.WRONG_STATE,
                trial=trial.id,
            )
        request_end(core, trial.id)
        return trial

    def delete(self, trial_id: str) -> None:
        """Forget a trial that has ended, with all it made.

        Raises
        ------
        StateError
            It is running.
        """
        trial = self.get(trial_id)
        if trial.state is TrialState.RUNNING:
            raise StateError(
                f"Trial {trial.id[:12]} is running",
                kind=ErrorKind.IN_USE,
                hint=f"Cancel it first: datalake trials cancel {trial.id[:12]}",
                trial=trial.id,
            )
        remove_record(self._context.core, trial.id)

    # --- what its datums left --------------------------------------------------------------------

    def get_log(self, trial_id: str, datum: int = 0, *, offset: int = 0) -> DatumLog:
        """Return what a datum printed, from a byte on; while it runs, whole lines so far.

        The steps are at the positions that those of jobs have: ``checks`` at -3, ``on_start`` at
        -2, ``finally`` at -1.
        """
        trial, found = self._datum(trial_id, datum)
        return read_log(self._context.core, trial.id, found, offset)

    def list_cells(self, trial_id: str, datum: int = 0) -> Sequence[ExecutedCell]:
        """Return the code cells of a datum's notebook with their states, also while it runs.

        None where there is no executed notebook (yet).
        """
        trial, found = self._datum(trial_id, datum)
        return [*cells_of(read_artifact(self._context.core, trial.id, found, NOTEBOOK) or b"")]

    def get_notebook(self, trial_id: str, datum: int = 0) -> bytes:
        """Return a datum's executed notebook; of a failed one as far as it came.

        Raises
        ------
        PathNotFoundError
            The spec runs no notebook, or the datum has not ended.
        """
        trial, found = self._datum(trial_id, datum)
        data = read_artifact(self._context.core, trial.id, found, NOTEBOOK)
        if data is None:
            raise PathNotFoundError(
                f"Datum {datum} of trial {trial.id[:12]} has no executed notebook",
                hint="It has not run yet, or its spec runs a command or a query",
                trial=trial.id,
                datum=datum,
            )
        return data

    # --- how it differs --------------------------------------------------------------------------

    def list_differences(
        self,
        trial_id: str,
        *,
        datum: int | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[Change]:
        """Return the paths on which what was written differs from what the output branch holds.

        What these datums wrote when the pipeline ran last, and do not write now, is removed;
        where the trial ran all datums, that is all that they do not write.

        Parameters
        ----------
        datum
            Of what this datum wrote; of all of them together by default.
        after, limit
            At most `limit` changes behind the path `after`.

        Raises
        ------
        StateError
            There is nothing to compare: it runs yet, or has failed.
        """
        compared = self._compared(trial_id, datum)
        start, end = difference_range(ROOT, parse_path(after or "/"))
        nodes = self._context.core.nodes
        found = diff_manifests(nodes, compared.base_root, compared.made_root, start, end)
        return [change_at(difference) for difference in islice(found, limit_of(limit))]

    def diff_text(
        self,
        trial_id: str,
        path: str,
        *,
        datum: int | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> TextDiff:
        """Return how a file that was written differs, as a text, from that of the output branch.

        A file that is new differs from an empty one, and one that is gone is an empty one now.

        Parameters
        ----------
        datum
            As in `list_differences`.
        offset, limit
            Which hunks are wanted; all of them by default.

        Raises
        ------
        PathNotFoundError
            Neither has a file there.
        """
        place = parse_path(path)
        base, made = self._trees(trial_id, datum)
        if base.find(place) is None:
            made.get(place)
        before, after = (
            tree.content(place) if tree.find(place) is not None else Nothing()
            for tree in (base, made)
        )
        return diff_texts(before, after, offset=offset, limit=limit)

    def diff_table(
        self,
        trial_id: str,
        path: str,
        *,
        datum: int | None = None,
        key: Sequence[str] | None = None,
        offset: int = 0,
        limit: int = DEFAULT_ROWS,
    ) -> TableDiff:
        """Return how a table that was written differs from that of the output branch.

        Both are read, as `lake.files.diff_table` does.

        Parameters
        ----------
        datum
            As in `list_differences`.
        key, offset, limit
            As in `lake.files.diff_table`.

        Raises
        ------
        PathNotFoundError
            One of the two has no file there.
        InvalidInputError
            One of them cannot be read as a table, or lacks a column of the key.
        """
        from jupyter_datalake.warehouse.table_diff import diff_tables  # noqa: PLC0415  # DuckDB
        from jupyter_datalake.warehouse.table_files import TableSource  # noqa: PLC0415  # Arrow

        place = parse_path(path)
        trees = self._trees(trial_id, datum)
        for tree in trees:
            tree.get(place)
        return diff_tables(
            *(TableSource(f"{tree.label}/{place}", partial(tree.open, place)) for tree in trees),
            key=key,
            offset=offset,
            limit=limit,
            work_folder=self._context.core.work_folder / "diffs",
        )

    def open(
        self, trial_id: str, path: str, *, datum: int | None = None, base: bool = False
    ) -> BinaryIO:
        """Return a file that was written as a binary file to read.

        Parameters
        ----------
        datum
            As in `list_differences`.
        base
            Whether that of the output branch is wanted instead.
        """
        trees = self._trees(trial_id, datum)
        return trees[0 if base else 1].open(parse_path(path))

    def read(
        self, trial_id: str, path: str, *, datum: int | None = None, base: bool = False
    ) -> bytes:
        """Return all bytes of a file that was written; parameters are those of `open`."""
        with self.open(trial_id, path, datum=datum, base=base) as file:
            return file.read()

    def _datum(self, trial_id: str, position: int) -> tuple[Trial, TriedDatum]:
        trial = self.get(trial_id)
        found = trial.at(position)
        if found is None:
            raise NotFoundError(
                f"Trial {trial.id[:12]} has no datum {position}",
                kind=ErrorKind.DATUM_NOT_FOUND,
                hint=f"It ran {', '.join(str(one.position) for one in trial.datums)}",
                trial=trial.id,
            )
        return trial, found

    def _compared(self, trial_id: str, position: int | None) -> Compared:
        if position is None:
            trial = self.get(trial_id)
            found, what = trial.output, f"Trial {trial.id[:12]}"
            state = str(trial.state)
        else:
            trial, datum = self._datum(trial_id, position)
            found, what = datum.output, f"Datum {position} of trial {trial.id[:12]}"
            state = str(datum.state)
        if found is None:
            raise StateError(
                f"{what} has no output to compare: it is {state}",
                kind=ErrorKind.WRONG_STATE,
                trial=trial.id,
            )
        return found

    def _trees(self, trial_id: str, position: int | None) -> tuple[Snapshot, Snapshot]:
        """Return the tree of the output branch, and that of what was written."""
        compared, core = self._compared(trial_id, position), self._context.core
        return (
            core.tree(compared.base_root, "the output"),
            core.tree(compared.made_root, "the trial"),
        )
