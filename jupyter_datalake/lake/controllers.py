"""Running the controller: in this process until nothing is left, or as a process of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.environment import datum_environment, handed_environment
from jupyter_datalake.jobs.local_executor import LocalExecutor
from jupyter_datalake.jobs.outputs import store_folder
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.workspace import Workspace
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.pipelines.controller import Controller

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
    executor = local_executor(core, config)
    try:
        controller = Controller(core, executor, config, author, on_change=on_change)
        controller.run(stop, until_idle=until_idle)
    finally:
        executor.close()


def local_executor(core: LakeCore, config: ControllerConfig) -> LocalExecutor:
    """Return an executor over worker processes of this machine; the caller closes it."""
    return LocalExecutor(
        [sys.executable, "-m", "jupyter_datalake.lake.worker_process", core.url],
        {**datum_environment(), **handed_environment(), **config.environment},
        slots=config.workers,
        log=core.work_folder / LOG_FOLDER / "workers.log",
        keep_artifacts=lambda task: keep_artifacts(core, task),
    )


def keep_artifacts(core: LakeCore, task: DatumTask) -> DatumOutcome:
    """Store what a killed try left of its notebook and log, and remove its folder."""
    workspace = Workspace.of(core, task)
    try:
        root = None
        if workspace.artifacts.is_dir():
            root = store_folder(core, workspace.artifacts, job_id=task.job_id)
    finally:
        workspace.remove()
    return DatumOutcome(DatumState.FAILED, artifacts_root=root)
