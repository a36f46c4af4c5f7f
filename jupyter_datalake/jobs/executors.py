"""Several executors as one: each pipeline's datums go where its spec says."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.pipelines import ExecutorKind, PipelineSpec


class Executors:
    """An `Executor` that passes on to others.

    Parameters
    ----------
    executors
        Those there are; closed with this one.
    default
        Where datums run whose pipeline does not say.
    """

    def __init__(self, executors: Mapping[ExecutorKind, Executor], default: ExecutorKind) -> None:
        self._executors = dict(executors)
        self._default = default
        self._lock = threading.Lock()
        self._at_work: Counter[ExecutorKind] = Counter()
        """Bundles that were handed over to each and have not ended."""

    @property
    def slots(self) -> int:
        """How many datums they run at once, together."""
        return sum(one.slots for one in self._executors.values())

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell whether the executor of a pipeline has room; see `Executor.has_room`."""
        kind = self._kind_of(spec)
        executor = self._executors.get(kind)
        if executor is None:
            return True  # to be told at once that there is none
        return self._at_work[kind] < executor.slots and executor.has_room(spec)

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue tries of one job where its spec says; see `Executor.submit`.

        Tries that are to run where this controller has nothing fail (``executor-unavailable``).
        """
        kind = self._kind_of(tasks[0].spec)
        executor = self._executors.get(kind)
        if executor is None:
            return [_missing(task.spec, kind) for task in tasks]
        with self._lock:
            self._at_work[kind] += 1
        futures = executor.submit(tasks)
        ended = self._counter(kind, len(futures))
        for future in futures:
            future.add_done_callback(ended)
        return futures

    def cancel(self, task: DatumTask) -> None:
        """Stop a try; see `Executor.cancel`."""
        executor = self._executors.get(self._kind_of(task.spec))
        if executor is not None:
            executor.cancel(task)

    def close(self) -> None:
        """Stop everything; see `Executor.close`."""
        for executor in self._executors.values():
            executor.close()

    def _kind_of(self, spec: PipelineSpec) -> ExecutorKind:
        return spec.executor or self._default

    def _counter(self, kind: ExecutorKind, left: int) -> Callable[[Future[DatumOutcome]], None]:
        """Return what counts the ends of a bundle's tries, and so the end of the bundle."""

        def ended(_: Future[DatumOutcome]) -> None:
            nonlocal left
            with self._lock:
                left -= 1
                if not left:
                    self._at_work[kind] -= 1

        return ended


def _missing(spec: PipelineSpec, kind: ExecutorKind) -> Future[DatumOutcome]:
    future: Future[DatumOutcome] = Future()
    future.set_result(
        DatumOutcome(
            DatumState.FAILED,
            f"Pipeline {spec.name!r} is to run on {str(kind)!r}, which this controller does not"
            " have. Start the controller with --scheduler, or take 'executor' out of the spec.",
            ErrorKind.EXECUTOR_UNAVAILABLE,
        )
    )
    return future
