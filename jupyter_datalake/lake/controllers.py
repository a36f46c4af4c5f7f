"""Running the controller: in this process until nothing is left, or as a process of its own."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from jupyter_datalake.config import ControllerConfig, LakeConfig
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.environment import datum_environment, handed_environment
from jupyter_datalake.errors import DatalakeError, InvalidInputError, MissingDependencyError
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.executors import Executors
from jupyter_datalake.jobs.kept_kernels import sweep_kept
from jupyter_datalake.jobs.local_executor import KeepArtifacts, LocalExecutor
from jupyter_datalake.jobs.outputs import store_folder
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.workspace import NOTEBOOK, PART, Workspace
from jupyter_datalake.lake.lazy_inputs import LAZY_FOLDER, LazyExecutor, LazyMount
from jupyter_datalake.lake.opening import close_core, open_core
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.pipelines import ExecutorKind
from jupyter_datalake.pipelines.controller import Controller

logger = logging.getLogger(__name__)

LOG_FOLDER = "logs"


def run_controller(
    core: LakeCore,
    author: Author,
    config: ControllerConfig,
    *,
    stop: threading.Event,
    until_idle: bool = False,
    on_change: Callable[[], None] | None = None,
) -> None:
    """Run pipelines until told to stop, or until no job is left.

    Parameters
    ----------
    until_idle
        End when every job has ended.
    on_change
        Told after every step in which something happened.

    Raises
    ------
    ConflictError
        `until_idle`, and another controller leads.
    """
    executor = open_executors(core, config)
    try:
        controller = Controller(core, executor, config, author, on_change=on_change)
        controller.run(stop, until_idle=until_idle)
    finally:
        executor.close()


def local_executor(core: LakeCore, config: ControllerConfig) -> Executor:
    """Return an executor over worker processes of this machine; the caller closes it."""
    return _executor_over_workers(
        core.url,
        config.environment,
        core.work_folder,
        slots=config.workers,
        log=core.work_folder / LOG_FOLDER / "workers.log",
        keep=lambda task: keep_artifacts(core, task),
        clear=partial(sweep_kept, core.work_folder),
    )


def open_executors(core: LakeCore, config: ControllerConfig) -> Executor:
    """Return what runs the datums of a controller: here, and on a Dask cluster if it has one.

    Raises
    ------
    InvalidInputError
        Datums are to run on a cluster, and it is not said on which.
    StorageError
        The Dask cluster cannot be used.
    MissingDependencyError
        There is to be one, and Dask is not installed.
    """
    if config.default_executor == ExecutorKind.DASK and config.scheduler is None:
        raise InvalidInputError(
            "To run datums on Dask, a controller needs the address of a scheduler",
            hint="Give --scheduler tcp://host:8786",
        )
    executors: dict[ExecutorKind, Executor] = {}
    if config.scheduler is not None:
        executors[ExecutorKind.DASK] = _dask_executor(core, config, config.scheduler)
    executors[ExecutorKind.LOCAL] = local_executor(core, config)
    return Executors(executors, ExecutorKind(config.default_executor))


def _dask_executor(core: LakeCore, config: ControllerConfig, scheduler: str) -> Executor:
    try:
        from jupyter_datalake.jobs.dask_executor import DaskExecutor  # noqa: PLC0415  # optional
    except ImportError as error:
        raise MissingDependencyError(
            "The Dask executor needs the package distributed",
            hint="Install it: pip install 'jupyter_datalake[dask]'",
        ) from error
    return DaskExecutor(
        scheduler,
        partial(host_executor, core.url, config.environment),
        name=f"datalake{new_id()[:6]}",
        at_most=config.scheduler_datums,
    )


def host_executor(url: str, environment: Mapping[str, str], folder: Path, slots: int) -> Executor:
    """Return what runs datums of a lake in a process that does not have it open: a Dask worker.

    The lake's stores are reached by that process's own variables and files.

    Parameters
    ----------
    environment
        Variables for datums besides those of the allow-list.
    folder
        Takes the log of what the worker processes print, and the mount of lazy inputs.
    """

    def keep(task: DatumTask) -> DatumOutcome:
        try:
            core = open_core(LakeConfig(url))
        except DatalakeError as error:
            # The worker process has not started for the same reason, and its message says it.
            logger.warning("what try %s left is not kept: %s", task.id, error)
            return DatumOutcome(DatumState.FAILED)
        try:
            return keep_artifacts(core, task)
        finally:
            close_core(core)

    log = folder / "jupyter_datalake.log"
    return _executor_over_workers(url, environment, folder, slots=slots, log=log, keep=keep)


def _executor_over_workers(
    url: str,
    environment: Mapping[str, str],
    folder: Path,
    *,
    slots: int,
    log: Path,
    keep: KeepArtifacts,
    clear: Callable[[], None] = lambda: None,
) -> Executor:
    """Return an executor over worker processes that open a lake, and its mount of lazy inputs."""
    mount = LazyMount(url, folder / LAZY_FOLDER)
    worker = "jupyter_datalake.lake.worker_process"
    local = LocalExecutor(
        [sys.executable, "-m", worker, url, str(mount.folder)],
        {**datum_environment(), **handed_environment(), **environment},
        slots=slots,
        log=log,
        keep_artifacts=keep,
        clear=clear,
    )
    return LazyExecutor(local, mount)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Return an event that is set by Ctrl-C and by being told to end, instead of ending at once."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def keep_artifacts(core: LakeCore, task: DatumTask) -> DatumOutcome:
    """Store what a killed try left of its notebook and log, and remove its folder."""
    workspace = Workspace.of(core, task)
    try:
        root = None
        if workspace.artifacts.is_dir():
            (workspace.artifacts / f"{NOTEBOOK}{PART}").unlink(missing_ok=True)
            root = store_folder(core, workspace.artifacts, job_id=task.job_id)
    finally:
        workspace.remove()
    return DatumOutcome(DatumState.FAILED, artifacts_root=root)
