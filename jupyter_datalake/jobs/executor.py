"""`Executor`: where datums run. The engine decides what and when, an executor only where."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.pipelines import PipelineSpec


class Executor(Protocol):
    """Runs tries of datums, several at once. All methods may be called from any thread."""

    @property
    def slots(self) -> int:
        """How many datums it runs at once; may change from one moment to the next."""
        ...

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell whether a place that a pipeline's datums may run in is free, as far as is known.

        A datum that is submitted without it waits, and takes a slot from others meanwhile.
        """
        ...

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue tries of one job, which one worker runs one after another.

        Handing over a try costs milliseconds; short ones should come in bundles. The futures are
        in the order of `tasks`, and each has its outcome as soon as that is kept. They never
        raise; a worker that vanishes is a failed outcome of the try it was at, and the others of
        its bundle go to another one.

        The same datum may run twice at once when a worker was cut off; the tries differ in
        `attempt`, and the caller takes the first outcome.
        """
        ...

    def cancel(self, task: DatumTask) -> None:
        """Stop a try, killing its processes; its future ends with state `QUEUED`."""
        ...

    def close(self) -> None:
        """Stop everything and let go of the workers; safe to call twice."""
        ...
