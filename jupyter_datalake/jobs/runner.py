"""Running one try of one datum, anywhere: prepare, run the code, keep what it left."""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from psutil import Process

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.kept_trees import KeptTree
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.environment import (
    DATUM_VARIABLE,
    JOB_VARIABLE,
    SHOWN_VARIABLE,
    datum_environment,
    is_for_datums,
    uv_environment,
)
from jupyter_datalake.errors import DatalakeError, ErrorKind, JobFailedError
from jupyter_datalake.jobs.checks import run_checks
from jupyter_datalake.jobs.commands import run_command
from jupyter_datalake.jobs.environment_cache import (
    FOLDER,
    KERNEL,
    EnvironmentCache,
    activation,
    wanted_in,
)
from jupyter_datalake.jobs.environments import LOCK_FILE, differences, lock_environment
from jupyter_datalake.jobs.forked_notebooks import ForkedKernelManager, Zygote
from jupyter_datalake.jobs.kept_kernels import Keeping, begin_keeping
from jupyter_datalake.jobs.lazy import LazyInputs
from jupyter_datalake.jobs.notebooks import check_parameters, parse_notebook
from jupyter_datalake.jobs.outputs import OutputBatch
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.watching import watched
from jupyter_datalake.jobs.workspace import (
    BATCH,
    INPUTS,
    LOG,
    NOTEBOOK,
    OUT,
    CappedLog,
    Workspace,
    places_of,
    places_of_batch,
)
from jupyter_datalake.model.datums import DatumState, label_of
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.paths import ROOT
from jupyter_datalake.model.pipelines import CommandCode, NotebookCode, QueryCode, repo_inputs
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.shown_branches import ShownBranch, shown_as_text
from jupyter_datalake.model.warehouse import IngestReport, IngestSpec

logger = logging.getLogger(__name__)

RunQuery = Callable[[IngestSpec, Path], IngestReport]
"""Runs a query and writes its rows below a folder; given by who knows the warehouses."""

ERROR_VARIABLE = "DATALAKE_ERROR"
"""Tells a recovery why the datum failed."""

_SHOWN_DIFFERENCES = 10
_SNAPSHOTS_KEPT = 32
_CODES_KEPT = 4

# A variable of this name would change how programs run instead of telling them where files are.
_PROTECTED_PREFIXES = ("LD_", "PYTHON", "DATALAKE_", "PACH_", "PARAM_", "JUPYTER_")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try that is under way."""

    task: DatumTask
    workspace: Workspace
    log: CappedLog
    own: Mapping[str, str]
    """Variables of the environment that its pipeline has for itself; none without one."""


class DatumRunner:
    """Runs datums one after another, in this process.

    Kernels of notebooks are forked off a zygote that lives as long as this; see `jobs.zygote`.
    What datums leave is stored in batches: an outcome is true once `settle` has returned, and
    has failed if that raises.

    Parameters
    ----------
    run_query
        How `ingest` pipelines get their rows.
    environment
        The variables that every command sees; of this process's those on the allow-list, if None.
    for_uv
        Those by which uv gets packages, where a pipeline has an environment of its own.
    lazy
        How inputs are shown that are not to be copied; without it they are copied.
    """

    def __init__(
        self,
        core: LakeCore,
        run_query: RunQuery,
        environment: Mapping[str, str] | None = None,
        for_uv: Mapping[str, str] | None = None,
        lazy: LazyInputs | None = None,
    ) -> None:
        self._core = core
        self._lazy = lazy
        self._run_query = run_query
        self._environment = datum_environment() if environment is None else dict(environment)
        self._environments = EnvironmentCache(
            core.work_folder / FOLDER, uv_environment() if for_uv is None else for_uv
        )
        self._zygote = Zygote()
        self._kept: Keeping | None = None
        self._leaving = threading.Lock()
        self._outputs = OutputBatch(core)
        # Datums that follow each other read the same few commits.
        self._snapshot = lru_cache(_SNAPSHOTS_KEPT)(self._read_snapshot)
        self._code = lru_cache(_CODES_KEPT)(self._read_code)

    def close(self) -> None:
        """End the zygote; the next notebook starts another one."""
        self._zygote.close()

    def run(self, task: DatumTask) -> DatumOutcome:
        """Run one try and return how it ended; what it left is stored with the next `settle`.

        Errors of the program are an outcome, not an exception; so are a full disk and a damaged
        input. Only a bug leaves here as an exception.
        """
        workspace = Workspace.of(self._core, task)
        started_ns = self._core.clock()
        outcome = self._run(task, workspace)
        return replace(outcome, started_ns=started_ns, finished_ns=self._core.clock())

    def settle(self) -> None:
        """Store what the datums left that were run since the last call.

        May be called by another thread while a datum runs. An outcome that `run` returned before
        this was called can be relied on when it has returned.

        Raises
        ------
        StorageError
            The disk is full, or the store or the database is away.
        StateError
            The lake may not store so much.
        """
        self._outputs.settle()

    def _run(self, task: DatumTask, workspace: Workspace) -> DatumOutcome:
        started = time.monotonic()
        try:
            code = self._code(task.code_commit_id, task.code_root, task.spec.name)
            notes = workspace.prepare(self._snapshot, task, self._lazy, code)
            if task.failed_artifacts is not None:
                left = self._core.tree(task.failed_artifacts, "what the failed try left")
                left.export_into(ROOT, workspace.artifacts)
            with CappedLog(workspace.artifacts / LOG) as log:
                what = f"datum {task.position}, try {task.attempt}: {label_of(task.inputs)}"
                log.line(task.step or what)
                for note in notes:
                    log.line(note)
                outcome = self._attempt(task, workspace, log)
                log.line(f"{outcome.state} after {time.monotonic() - started:.1f} s")
            return self._with_artifacts(task, outcome, workspace)
        except DatalakeError as error:
            return DatumOutcome(DatumState.FAILED, str(error), error.kind)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            return DatumOutcome(
                DatumState.FAILED,
                "The disk is full: the datum's folder could not be written. Free some space and"
                " run the job again.",
                ErrorKind.STORAGE_FULL,
            )
        finally:
            if self._kept is None:
                workspace.remove()

    def _attempt(self, task: DatumTask, workspace: Workspace, log: CappedLog) -> DatumOutcome:
        try:
            with (
                self._own_environment(task, workspace, log) as own,
                watched(task.spec.limits, workspace.out, self.spared),
            ):
                attempt = _Attempt(task, workspace, log, own)
                if task.failure:
                    self._recover(attempt)
                elif task.checked is not None:
                    self._check(attempt, task.checked)
                else:
                    self._run_code(attempt)
            if task.step:
                return DatumOutcome(DatumState.SUCCESS)
            root = self._outputs.store(workspace.out, job_id=task.job_id, inside=workspace.readable)
            if task.failure:
                return DatumOutcome(DatumState.RECOVERED, task.failure, output_root=root)
            return DatumOutcome(DatumState.SUCCESS, output_root=root)
        except DatalakeError as error:
            log.line(str(error))
            return DatumOutcome(DatumState.FAILED, str(error), error.kind)

    @contextmanager
    def _own_environment(
        self, task: DatumTask, workspace: Workspace, log: CappedLog
    ) -> Iterator[dict[str, str]]:
        """Have the environment that a pipeline has for itself; yield the variables that tell it."""
        wanted = task.environment
        if wanted is None and task.spec.packages is not None:
            wanted = wanted_in(workspace.run)
        if wanted is None:
            yield {}
            return
        with self._environments.use(wanted) as place:
            log.line(f"environment {wanted.name[:12]}, with Python {wanted.python}")
            yield activation(place, self._environment.get("PATH", os.defpath))

    def _run_code(self, one: _Attempt) -> None:
        spec = one.task.spec
        match spec.code:
            case NotebookCode(path):
                self._run_notebook(one, path)
            case CommandCode(argv):
                self._run_command(one, argv)
            case QueryCode(ingest):
                report = self._run_query(ingest, one.workspace.out)
                one.log.line(f"{report.row_count:,} rows, {report.size_bytes:,} bytes")
                for name, kind in report.columns.items():
                    one.log.line(f"column {name}: {kind}")

    def _run_notebook(self, one: _Attempt, path: str) -> None:
        # Papermill takes half a second to import, which no command should wait for.
        from jupyter_datalake.jobs.papermill_engine import run_notebook  # noqa: PLC0415

        task, spec, workspace = one.task, one.task.spec, one.workspace
        if not one.own and not task.step:
            self._tell_differences(workspace, spec.kernel, one.log)
        parameters = dict(spec.parameters) if task.step else notebook_parameters(task)
        notebook = workspace.run / path
        parsed = parse_notebook(notebook.read_bytes(), path)
        for warning in check_parameters(parsed, spec.parameters, path):
            one.log.line(warning)
        run_notebook(
            notebook,
            workspace.artifacts / NOTEBOOK,
            parameters=parameters,
            kernel=KERNEL if one.own else spec.kernel,
            language=parsed.language,
            folder=workspace.run,
            environment={
                **datum_variables(task),
                **address_variables(task, workspace.inputs),
                **one.own,
            },
            log=one.log,
            zygote=self._zygote if spec.fork and not one.own else None,
            keep=partial(self._keep, one) if _is_to_be_kept(task) else None,
        )

    def _keep(self, one: _Attempt, kernel: ForkedKernelManager | None) -> bool:
        """Keep a kernel in which a cell has raised, if that can be; tell whether it is kept."""
        why = "it was not forked: it is of another language, or needs a process of its own"
        if kernel is not None:
            begun = begin_keeping(self._core.work_folder, one.task, one.workspace)
            why = begun if isinstance(begun, str) else begun.open(kernel)
            if isinstance(begun, Keeping) and not why:
                self._kept = begun
                one.log.line(f"its kernel is kept until {begun.until}: datalake jobs reopen")
                return True
        one.log.line(f"its kernel is not kept: {why}")
        return False

    def _recover(self, one: _Attempt) -> None:
        """Run the command that makes the output of a datum whose code failed."""
        one.log.line(f"the code failed, and its recovery runs: {one.task.failure}")
        self._run_command(one, one.task.spec.datums.recover, {ERROR_VARIABLE: one.task.failure})

    def _check(self, one: _Attempt, checked: Digest) -> None:
        """Have the pipeline's own functions look at an output."""
        spec = one.task.spec
        output = self._core.tree(checked, f"the output of {spec.name}")
        run = partial(self._run_command, one)
        run_checks(spec.expectations, output, one.workspace, run, is_own=bool(one.own))

    def _run_command(
        self, one: _Attempt, argv: tuple[str, ...], more: Mapping[str, str] | None = None
    ) -> None:
        variables = {
            **self._environment,
            **datum_variables(one.task),
            **address_variables(one.task, one.workspace.inputs),
            **one.own,
            **(more or {}),
        }
        run_command(argv, folder=one.workspace.run, environment=variables, log=one.log)

    def _tell_differences(self, workspace: Workspace, kernel: str, log: CappedLog) -> None:
        """Log what has changed in the environment since the code was published."""
        stored = (workspace.run / LOCK_FILE).read_bytes()
        changed = differences(json.loads(stored), lock_environment(kernel))
        for line in changed[:_SHOWN_DIFFERENCES]:
            log.line(f"environment differs from the lock: {line}")
        if len(changed) > _SHOWN_DIFFERENCES:
            log.line(f"… and {len(changed) - _SHOWN_DIFFERENCES} more differences")

    def _with_artifacts(
        self, task: DatumTask, outcome: DatumOutcome, workspace: Workspace
    ) -> DatumOutcome:
        root = self._outputs.store(workspace.artifacts, job_id=task.job_id)
        return replace(outcome, artifacts_root=root)

    @property
    def keeps_kernel(self) -> bool:
        """Whether the kernel of the last datum is kept, so that no other one can be run here."""
        return self._kept is not None

    def watch_kept(self) -> None:
        """Wait until the kernel that is kept has to end, and end it."""
        assert self._kept is not None
        spared = self.spared()
        why = self._kept.wait(
            lambda: [one for one in Process().children(recursive=True) if one.pid not in spared]
        )
        logger.info("the kernel of a datum that failed is kept no longer: %s", why)
        self.close()
        self.leave()

    def leave(self) -> None:
        """Remove what was kept; all processes of it have ended."""
        with self._leaving:  # another thread ends the process when this has returned
            kept, self._kept = self._kept, None
            if kept is not None:
                kept.release()

    def spared(self) -> set[int]:
        """Return processes that are ours and no datum's."""
        zygote = self._zygote.process_id
        return set() if zygote is None else {zygote}

    def _read_code(
        self, commit_id: CommitId | None, root: Digest | None, pipeline: str
    ) -> Snapshot:
        if root is not None:
            return KeptTree(self._core, self._core.tree(root, f"the code of {pipeline}"))
        assert commit_id is not None
        return KeptTree(self._core, self._read_snapshot(commit_id))

    def _read_snapshot(self, commit_id: CommitId) -> Snapshot:
        return self._core.snapshot(commit_by_id(self._core, commit_id))


def _is_to_be_kept(task: DatumTask) -> bool:
    """Tell whether the kernel of a try is to be kept when it fails: that of the last one."""
    policy = task.spec.datums
    return policy.keep_failed_s is not None and not task.step and task.attempt >= policy.tries


def notebook_parameters(task: DatumTask) -> dict[str, Any]:
    """Return what a notebook is given: the places of its inputs and output, and the parameters.

    Raises
    ------
    JobFailedError
        A path in a batch is no text, so no notebook can hold it.
    """
    return {**_notebook_places(task), **task.spec.parameters, OUT: f"{INPUTS}/{OUT}"}


def _notebook_places(task: DatumTask) -> Mapping[str, Any]:
    """Return what a notebook receives for each input: its folder, or in a batch a list of paths.

    Raises
    ------
    JobFailedError
        A path in the list is no text, so no notebook can hold it.
    """
    if not _is_batch(task):
        return places_of(task)
    for one in task.inputs:
        if one.path != one.path.encode("utf-8", "replace").decode():
            raise JobFailedError(
                f"A notebook cannot be given {label_of([one])!r}: the name is not UTF-8",
                kind=ErrorKind.DATUM_FAILED,
                hint="Rename the file, or leave out datums.batch: the notebook gets folders then",
            )
    return places_of_batch(task)


def _is_batch(task: DatumTask) -> bool:
    return any(one.part is not None for one in task.inputs)


def address_variables(task: DatumTask, inputs: Path) -> dict[str, str]:
    """Return the variable that says what ``lake://`` addresses mean to a program.

    Parameters
    ----------
    inputs
        The folder of inputs and output.
    """
    return {SHOWN_VARIABLE: shown_as_text(shown_to(task, inputs))}


def shown_to(task: DatumTask, inputs: Path) -> list[ShownBranch]:
    """Return the branches that a datum is given, below the folder of inputs; the output is last."""
    commits = {one.name: one.commit_id or "" for one in task.inputs}
    leaves = [] if task.step else repo_inputs(task.spec)
    shown = [
        ShownBranch(one.repo, one.branch, commits.get(one.name, ""), f"{inputs}/{one.name}")
        for one in leaves
    ]
    return [*shown, ShownBranch(task.spec.name, DEFAULT_BRANCH, "", f"{inputs}/{OUT}")]


def datum_marks(task: DatumTask) -> dict[str, str]:
    """Return the environment variables by which every process of one try can be told."""
    return {"DATALAKE_TRY_ID": task.id}


def datum_variables(task: DatumTask) -> dict[str, str]:
    """Return the environment variables that tell a program about its datum.

    Pachyderm's names are set beside ours, so that its programs run unchanged. Parameters of a
    command come as ``PARAM_<name>``, strings as they are and everything else as JSON.
    """
    inputs = "".join(f"{one.name}{one.digest.hex()}" for one in task.inputs)
    datum_id = digest_of(inputs.encode()).hex()
    variables = {
        **datum_marks(task),
        JOB_VARIABLE: task.job_id,
        DATUM_VARIABLE: str(task.position),
        "DATALAKE_ATTEMPT": str(task.attempt),
        "DATALAKE_GLOBAL_ID": task.global_id,
        "DATALAKE_PIPELINE": task.spec.name,
        "PACH_JOB_ID": task.job_id,
        "PACH_DATUM_ID": datum_id,
        "PACH_PIPELINE_NAME": task.spec.name,
    }
    places = places_of(task)
    for one in task.inputs:
        variables[f"{one.name}_COMMIT"] = one.commit_id or ""
        if not one.name.startswith(_PROTECTED_PREFIXES) and not is_for_datums(one.name):
            variables[one.name] = str(places[one.name])
    variables[OUT] = f"{INPUTS}/{OUT}"
    if _is_batch(task):
        variables["DATALAKE_BATCH"] = f"{INPUTS}/{BATCH}"
    variables.update(task.variables)
    for name, value in task.spec.parameters.items():
        variables[f"PARAM_{name}"] = value if isinstance(value, str) else json.dumps(value)
    return variables
