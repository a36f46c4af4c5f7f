"""Running the datums of one job: handing them to the executor, and noting how they end.

Both go by bundles. Short datums are handed over many at a time, since to hand one over takes
longer than to run it, and what has ended in the meantime is written in one transaction.
"""

from __future__ import annotations

import heapq
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from enum import Enum, auto

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.metadata.datums import DatumEnd
from jupyter_datalake.model.datums import DONE_STATES, Datum, DatumResult, DatumState
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.pipelines import OnError, PipelineSpec

MAX_MESSAGE = 2000

_WAIT_S = 0.2
_GATHER_S = 0.003
"""Results of a bundle come together: to write each alone costs more than to wait for the others."""
_PAGE = 1000
_BUNDLE_S = 0.5
"""How long a bundle should take: a cancelled job waits no longer for the datums before its own."""
_BUNDLE_MAX = 64
_MAX_BACKOFF_S = 60.0
_JITTER = 0.25

# Trying again changes nothing about these.
_HOPELESS = frozenset(
    {
        ErrorKind.INVALID_NOTEBOOK,
        ErrorKind.INVALID_QUERY,
        ErrorKind.INVALID_SPEC,
        ErrorKind.CONNECTION_NOT_FOUND,
        ErrorKind.ENVIRONMENT_FAILED,
    }
)


class AfterFailure(Enum):
    """What follows on a try that failed."""

    TRY_AGAIN = auto()
    RECOVER = auto()
    """The pipeline's recovery runs."""
    LEAVE_OUT = auto()
    """The job goes on without the datum."""
    FAIL = auto()


def after_failure(task: DatumTask, outcome: DatumOutcome) -> AfterFailure:
    """Return what a pipeline's policy says of a try that failed."""
    policy = task.spec.datums
    if not task.failure and task.attempt < policy.tries and outcome.kind not in _HOPELESS:
        return AfterFailure.TRY_AGAIN
    if not task.failure and policy.on_error is OnError.RECOVER:
        return AfterFailure.RECOVER
    return AfterFailure.LEAVE_OUT if policy.on_error is OnError.SKIP else AfterFailure.FAIL


def places(core: LakeCore, executor: Executor, spec: PipelineSpec) -> int:
    """Return how many datums may run at once that are no job's.

    That is no more than there is of what they hold, whatever jobs hold of it.
    """
    with core.metadata.read() as tx:
        limits = {limit.name: limit.count for limit in tx.settings.limits()}
    held = (limits[name] // count for name, count in spec.slots.items() if name in limits)
    most = executor.slots
    return max(1, min(spec.parallelism or most, most, *held))


@dataclass(slots=True)
class Failures:
    """The datums that failed for good: how many, and the first of them."""

    count: int = 0
    label: str = ""
    message: str = ""

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, datum: Datum, message: str) -> None:
        """Count one more."""
        if not self.count:
            self.label, self.message = datum.label, message
        self.count += 1

    def summary(self, total: int) -> str:
        """Return what is said of the job, which has `total` datums."""
        head = f"{self.count} of {total} datums failed; {self.label}: " if total > 1 else ""
        return f"{head}{self.message}"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A datum that is to be tried."""

    datum: Datum
    failure: str = ""
    """Why it failed, if its recovery is to run."""
    artifacts: Digest | None = None
    """What it left then."""


@dataclass(slots=True)
class _Try:
    """One try that an executor works on."""

    datum: Datum
    task: DatumTask
    bundle: _Bundle


@dataclass(slots=True)
class _Bundle:
    """Tries that were handed over together."""

    size: int
    left: int
    spent_s: float = 0.0
    """What those took that have ended, without waiting for their turn."""


class DatumLoop:
    """Runs the queued datums of a job until none is left.

    They are read from the database in pages, so a job of any number of datums takes little memory.

    Parameters
    ----------
    pipeline_id
        Whose results those of the datums are.
    """

    def __init__(
        self,
        core: LakeCore,
        executor: Executor,
        job: Job,
        pipeline_id: int,
        spec: PipelineSpec,
        code: CommitId,
    ) -> None:
        self._core = core
        self._executor = executor
        self._job = job
        self._pipeline_id = pipeline_id
        self._spec = spec
        self._policy = spec.datums
        self._code = code
        self._waiting: deque[_Waiting] = deque()
        """Queued datums that were read."""
        self._later: list[tuple[float, int, _Waiting]] = []
        """A heap of those that wait for another try, with the time that they wait for."""
        self._read_up_to = -1
        self._has_read_all = False
        self._tries: dict[int, int] = {}
        """How often those datums were tried that have not ended."""
        self._running: dict[Future[DatumOutcome], _Try] = {}
        self._bundles = 0
        self._bundle_size = 1
        self._failures = Failures()
        self.left_out = Failures()
        """Datums that failed, and that the job goes on without, or with what was recovered."""

    def run(self, check: Callable[[], None]) -> Failures:
        """Run datums until none is left; return those that fail the job.

        Parameters
        ----------
        check
            Called several times a second; what it raises ends the loop, and running tries are
            cancelled.
        """
        ended: list[tuple[_Try, DatumOutcome]] = []
        try:
            while True:
                # A cluster grows and shrinks while a job runs.
                bundles = self._next_bundles(self._spec.parallelism or self._executor.slots)
                self._write(ended, [one.datum for bundle in bundles for one in bundle])
                for bundle in bundles:
                    self._submit(bundle)
                if not self._running and not self._waiting and not self._later:
                    return self._failures
                done = self._wait()
                check()
                ended = [(self._running.pop(future), future.result()) for future in done]
                for one, outcome in ended:
                    self._take(one, outcome)
        except BaseException:
            for future, one in self._running.items():
                self._executor.cancel(one.task)
                future.add_done_callback(_ignored)
            wait(self._running, timeout=10)
            raise

    def _wait(self) -> list[Future[DatumOutcome]]:
        """Return tries that have ended, or nothing if for a while none has."""
        patience = _WAIT_S
        if self._later:
            patience = min(max(self._later[0][0] - time.monotonic(), 0.0), _WAIT_S)
        if self._running:
            wait(self._running, timeout=patience, return_when=FIRST_COMPLETED)
            time.sleep(_GATHER_S)
        else:
            time.sleep(patience)
        return [future for future in self._running if future.done()]

    # --- handing over ----------------------------------------------------------------------------

    def _next_bundles(self, at_once: int) -> list[list[_Waiting]]:
        """Take the datums that are to be handed over now, for no more than `at_once` workers."""
        free = at_once - self._bundles
        if free <= 0:
            return []
        while self._later and self._later[0][0] <= time.monotonic():
            self._waiting.append(heapq.heappop(self._later)[2])
        if len(self._waiting) < at_once * _BUNDLE_MAX:
            self._read_page()
        # What is left is shared out: the last worker should not have all of it.
        size = min(self._bundle_size, -(-len(self._waiting) // at_once))
        bundles: list[list[_Waiting]] = []
        while self._waiting and len(bundles) < free:
            count = min(size, len(self._waiting))
            bundles.append([self._waiting.popleft() for _ in range(count)])
        return bundles

    def _read_page(self) -> None:
        """Read more queued datums, if there are any."""
        if self._has_read_all:
            return
        with self._core.metadata.read() as tx:
            page = tx.datums.list(
                self._job.id,
                states=[DatumState.QUEUED],
                after=self._read_up_to,
                limit=_PAGE,
            )
        self._has_read_all = len(page) < _PAGE
        if page:
            self._read_up_to = page[-1].position
            self._waiting.extend(map(_Waiting, page))

    def _submit(self, waiting: Sequence[_Waiting]) -> None:
        tasks = [self._task(one) for one in waiting]
        bundle = _Bundle(len(tasks), len(tasks))
        futures = self._executor.submit(tasks)
        self._bundles += 1
        for one, task, future in zip(waiting, tasks, futures, strict=True):
            self._running[future] = _Try(one.datum, task, bundle)

    def _task(self, waiting: _Waiting) -> DatumTask:
        datum = waiting.datum
        attempt = self._tries[datum.position] = self._tries.get(datum.position, 0) + 1
        return DatumTask(
            job_id=self._job.id,
            position=datum.position,
            job_attempt=self._job.attempt,
            attempt=attempt,
            global_id=self._job.global_id,
            spec=self._spec,
            code_commit_id=self._code,
            inputs=datum.inputs,
            failure=waiting.failure,
            failed_artifacts=waiting.artifacts,
        )

    # --- taking back -----------------------------------------------------------------------------

    def _take(self, one: _Try, outcome: DatumOutcome) -> None:
        """Note what a try has taught."""
        bundle, position = one.bundle, one.datum.position
        bundle.left -= 1
        bundle.spent_s += outcome.spent_s
        if not bundle.left:
            self._bundles -= 1
            self._adapt(bundle)
        if outcome.state in DONE_STATES:
            del self._tries[position]
            if outcome.state is DatumState.RECOVERED:
                self.left_out.add(one.datum, outcome.message)
            return
        match after_failure(one.task, outcome):
            case AfterFailure.TRY_AGAIN:
                self._try_later(_Waiting(one.datum), self._tries[position])
            case AfterFailure.RECOVER:
                why = outcome.message or "it failed"
                self._waiting.append(_Waiting(one.datum, why, outcome.artifacts_root))
            case AfterFailure.LEAVE_OUT:
                del self._tries[position]
                self.left_out.add(one.datum, outcome.message)
            case AfterFailure.FAIL:
                del self._tries[position]
                self._failures.add(one.datum, outcome.message)

    def _try_later(self, waiting: _Waiting, tries: int) -> None:
        """Have a datum wait for its next try: what failed for a reason outside needs time."""
        delay = min(self._policy.backoff_s * 2 ** min(tries - 1, 20), _MAX_BACKOFF_S)
        delay *= random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # nobody guesses it
        when = time.monotonic() + delay
        heapq.heappush(self._later, (when, waiting.datum.position, waiting))

    def _adapt(self, bundle: _Bundle) -> None:
        """Choose the size of bundles by how long one took; it grows slowly and shrinks at once."""
        fitting = int(_BUNDLE_S * bundle.size / max(bundle.spent_s, 1e-3))
        self._bundle_size = max(1, min(fitting, 2 * self._bundle_size, _BUNDLE_MAX))

    def _write(self, ended: Sequence[tuple[_Try, DatumOutcome]], started: Sequence[Datum]) -> None:
        """Write how tries ended and which datums are at work now, in one transaction."""
        if not ended and not started:
            return
        ends = [self._end(one, outcome) for one, outcome in ended]
        results = [
            DatumResult(
                one.datum.key,
                self._job.id,
                one.datum.position,
                outcome.output_root,
                outcome.artifacts_root,
            )
            for one, outcome in ended
            if outcome.state is DatumState.SUCCESS
            and outcome.output_root is not None
            and outcome.artifacts_root is not None
        ]
        with self._core.metadata.write() as tx:
            tx.datums.end(self._job.id, ends)
            tx.datums.remember(self._pipeline_id, results)
            tx.datums.start(self._job.id, [datum.position for datum in started])
            tx.events.append(
                EventKind.DATUM_CHANGED,
                self._job.id,
                pipeline=self._job.pipeline,
                started=len(started),
                ended=len(ended),
            )

    def _end(self, one: _Try, outcome: DatumOutcome) -> DatumEnd:
        state = outcome.state
        if one.datum.position in self._tries:
            state = DatumState.QUEUED
        elif state not in DONE_STATES:
            is_left_out = self._policy.on_error is OnError.SKIP
            state = DatumState.RECOVERED if is_left_out else DatumState.FAILED
        return DatumEnd(
            one.datum.position,
            state,
            outcome.started_ns,
            outcome.finished_ns,
            outcome.output_root,
            outcome.artifacts_root,
            outcome.message[:MAX_MESSAGE],
        )


def _ignored(future: Future[DatumOutcome]) -> None:
    """Take the outcome of a try that nobody waits for any more."""
    future.exception()
