"""An executor whose datums do as the pipeline's parameters say, in threads and without a lake."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.pipelines import PipelineSpec

_LOOK_S = 0.01
_SUCCESS, _STOPPED = DatumOutcome(DatumState.SUCCESS), DatumOutcome(DatumState.QUEUED)


class ToldExecutor:
    """An `Executor` for tests of what is around executors.

    The parameter ``at<position>`` says what the try at a position does: ``die`` ends the process as
    ``kill -9`` does, ``wait`` waits until there is a file ``go`` in the folder that the parameter
    ``folder`` names. What waits says so by a file ``<position>.<process id>.begun`` there, and when
    it is stopped by ``….stopped``. All others are done at once.

    Parameters
    ----------
    log_folder
        Not used; as where Dask workers make executors.
    slots
        Bundles at once.
    """

    def __init__(self, log_folder: Path, slots: int) -> None:
        self.slots = slots
        self._pool = ThreadPoolExecutor(slots)
        self._stops: dict[str, threading.Event] = {}

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell that there is; see `Executor.has_room`."""
        return True

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Begin tries; see `Executor.submit`."""
        self._stops.update((task.id, threading.Event()) for task in tasks)
        futures: list[Future[DatumOutcome]] = [Future() for _ in tasks]
        self._pool.submit(self._run, tasks, futures)
        return futures

    def cancel(self, task: DatumTask) -> None:
        """Stop a try that waits; see `Executor.cancel`."""
        self._stops[task.id].set()

    def close(self) -> None:
        """Stop what waits; see `Executor.close`."""
        for stop in self._stops.values():
            stop.set()
        self._pool.shutdown()

    def _run(self, tasks: Sequence[DatumTask], futures: Sequence[Future[DatumOutcome]]) -> None:
        for task, future in zip(tasks, futures, strict=True):
            does = task.spec.parameters.get(f"at{task.position}")
            if does == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            future.set_result(self._wait(task) if does == "wait" else _SUCCESS)

    def _wait(self, task: DatumTask) -> DatumOutcome:
        folder = Path(task.spec.parameters["folder"])
        name = f"{task.position}.{os.getpid()}"
        (folder / f"{name}.begun").touch()
        while not (folder / "go").exists():
            if self._stops[task.id].is_set():
                (folder / f"{name}.stopped").touch()
                return _STOPPED
            time.sleep(_LOOK_S)
        return _SUCCESS
