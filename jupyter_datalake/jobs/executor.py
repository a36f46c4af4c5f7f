"""`Executor`: where datums run. The engine decides what and when, an executor only where."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask


class Executor(Protocol):
    """Runs tries of datums, several at once. All methods may be called from any thread."""

    @property
    def slots(self) -> int:
        """How many datums it runs at once."""
        ...

    def submit(self, task: DatumTask) -> Future[DatumOutcome]:
        """Queue a try. The future never raises; a worker that vanishes is a failed outcome.

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
