"""Sharing: whose datums run next, where several jobs want the same workers and resources.

Workers go to the pipeline that had least of them so far, in seconds, a priority of 10 counting
each second as a tenth and one of -10 as ten. So a job of 100,000 datums leaves a small one its
turn as soon as one of its datums ends, and a pipeline of short datums is not paid less for it. One
that had nothing to run begins where the others are: rest is not saved up.

A job hands its datums to a `Lane`, which is an executor to it. What runs is not interrupted.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.limits import weight_of
from jupyter_datalake.model.pipelines import PipelineSpec


@dataclass(slots=True)
class _Share:
    """What a pipeline had of the workers."""

    spent: float = 0.0
    """Weighted seconds of bundles that ended."""
    running: dict[int, tuple[float, float]] = field(default_factory=dict)
    """When each bundle at work began, by its number, and the weight of its lane."""
    waiting: int = 0

    @property
    def is_idle(self) -> bool:
        return not self.running and not self.waiting

    def had(self, now: float) -> float:
        at_work = sum((now - begun) / weight for begun, weight in self.running.values())
        return self.spent + at_work


@dataclass(slots=True)
class _Bundle:
    """Tries that one worker runs one after another."""

    number: int
    lane: Lane
    tasks: list[DatumTask]
    futures: list[Future[DatumOutcome]]
    left: int = 0
    cancelled: set[str] = field(default_factory=set)
    """Tries that were cancelled when they were at work, or about to be."""


class FairScheduler:
    """Shares an executor among jobs. All methods may be called from any thread.

    Parameters
    ----------
    executor
        Where datums run. It is handed no more than it runs at once, so what waits waits here.
    clock
        Seconds, for tests.
    """

    def __init__(self, executor: Executor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = executor
        self._clock = clock
        self._lock = threading.Lock()
        self._limits: dict[str, int] = {}
        self._held: Counter[str] = Counter()
        self._waiting: dict[Lane, deque[_Bundle]] = {}
        self._shares: dict[str, _Share] = {}
        self._bundle_of: dict[str, _Bundle] = {}
        """By the id of each try that has not ended."""
        self._at_work: set[int] = set()
        self._floor = 0.0
        self._number = 0

    @property
    def slots(self) -> int:
        """How many datums run at once."""
        return self._executor.slots

    def lane(
        self, pipeline: str, priority: int = 0, needs: Mapping[str, int] | None = None
    ) -> Lane:
        """Return what a job of a pipeline hands its datums to.

        Parameters
        ----------
        needs
            How much of which resource one datum holds while it runs.
        """
        return Lane(self, pipeline, weight_of(priority), dict(needs or {}))

    def set_limits(self, limits: Mapping[str, int]) -> None:
        """Say how much there is of each resource; one that is not named has no limit.

        To be called now and then also where nothing has changed: what waits is handed over where
        the executor has grown.
        """
        with self._lock:
            self._limits = dict(limits)
        self._dispatch()

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell whether a pipeline's datums could run now; see `Executor.has_room`."""
        return self._executor.has_room(spec)

    def submit(self, lane: Lane, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue a bundle of tries in a lane; see `Executor.submit`."""
        with self._lock:
            self._number += 1
            futures: list[Future[DatumOutcome]] = [Future() for _ in tasks]
            bundle = _Bundle(self._number, lane, list(tasks), futures)
            share = self._shares.setdefault(lane.pipeline, _Share())
            if share.is_idle:
                share.spent = max(share.spent, self._floor)
            share.waiting += 1
            self._waiting.setdefault(lane, deque()).append(bundle)
            self._bundle_of.update((task.id, bundle) for task in tasks)
        self._dispatch()
        return futures

    def cancel(self, task: DatumTask) -> None:
        """Stop a try, or take it out of the queue; its future ends with state `QUEUED`."""
        with self._lock:
            bundle = self._bundle_of.get(task.id)
            if bundle is None:
                return
            if bundle.number in self._at_work:
                bundle.cancelled.add(task.id)
                future = None
            else:
                place = [one.id for one in bundle.tasks].index(task.id)
                bundle.tasks.pop(place)
                future = bundle.futures.pop(place)
                del self._bundle_of[task.id]
                if not bundle.tasks:
                    self._drop(bundle)
        if future is None:
            self._executor.cancel(task)
        else:
            future.set_result(DatumOutcome(DatumState.QUEUED, "cancelled before it ran"))

    # --- inside ----------------------------------------------------------------------------------

    def _drop(self, bundle: _Bundle) -> None:
        """Take a bundle out of its queue."""
        queue = self._waiting[bundle.lane]
        queue.remove(bundle)
        self._shares[bundle.lane.pipeline].waiting -= 1
        if not queue:
            del self._waiting[bundle.lane]

    def _dispatch(self) -> None:
        """Hand over what may run now."""
        while (bundle := self._next()) is not None:
            inner = self._executor.submit(bundle.tasks)
            for task, future, outer in zip(bundle.tasks, inner, bundle.futures, strict=True):
                future.add_done_callback(self._passer(bundle, task, outer))
            for task in bundle.tasks:
                if task.id in bundle.cancelled:  # before the executor knew of it
                    self._executor.cancel(task)

    def _passer(
        self, bundle: _Bundle, task: DatumTask, outer: Future[DatumOutcome]
    ) -> Callable[[Future[DatumOutcome]], None]:
        def hand_on(inner: Future[DatumOutcome]) -> None:
            self._ended(bundle, task)
            outer.set_result(inner.result())

        return hand_on

    def _next(self) -> _Bundle | None:
        """Take the bundle whose turn it is, and give it a worker and what it needs; or None."""
        with self._lock:
            if len(self._at_work) >= self._executor.slots:
                return None
            now = self._clock()
            fitting = [lane for lane in self._waiting if self._fits(lane)]
            if not fitting:
                return None
            lane = min(fitting, key=lambda one: self._turn(one, now))
            bundle = self._waiting[lane][0]
            self._drop(bundle)
            share = self._shares[lane.pipeline]
            self._floor = max(self._floor, share.had(now))
            share.running[bundle.number] = (now, lane.weight)
            bundle.left = len(bundle.tasks)
            self._at_work.add(bundle.number)
            self._held.update(lane.needs)
            return bundle

    def _fits(self, lane: Lane) -> bool:
        has_resources = all(
            name not in self._limits or self._held[name] + count <= self._limits[name]
            for name, count in lane.needs.items()
        )
        return has_resources and self._executor.has_room(self._waiting[lane][0].tasks[0].spec)

    def _turn(self, lane: Lane, now: float) -> tuple[float, float, int]:
        share = self._shares[lane.pipeline]
        return (
            share.had(now),
            len(share.running) / lane.weight,  # where nobody had anything yet
            self._waiting[lane][0].number,
        )

    def _ended(self, bundle: _Bundle, task: DatumTask) -> None:
        with self._lock:
            del self._bundle_of[task.id]
            bundle.left -= 1
            if bundle.left:
                return
            share = self._shares[bundle.lane.pipeline]
            begun, weight = share.running.pop(bundle.number)
            share.spent += (self._clock() - begun) / weight
            self._at_work.remove(bundle.number)
            self._held.subtract(bundle.lane.needs)
            if share.is_idle and share.spent <= self._floor:
                del self._shares[bundle.lane.pipeline]
        self._dispatch()


class Lane:
    """The executor of one job: what it is given waits for the job's turn."""

    def __init__(
        self, scheduler: FairScheduler, pipeline: str, weight: float, needs: dict[str, int]
    ) -> None:
        self._scheduler = scheduler
        self.pipeline = pipeline
        self.weight = weight
        self.needs = needs

    @property
    def slots(self) -> int:
        """How many datums run at once, over all jobs."""
        return self._scheduler.slots

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell whether a pipeline's datums could run now; see `Executor.has_room`."""
        return self._scheduler.has_room(spec)

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue tries that one worker runs one after another; see `Executor.submit`."""
        return self._scheduler.submit(self, tasks)

    def cancel(self, task: DatumTask) -> None:
        """Stop a try, or take it out of the queue; its future ends with state `QUEUED`."""
        self._scheduler.cancel(task)

    def close(self) -> None:
        """Do nothing: the executor is closed by whoever made it."""
