"""The controller: follows events, ticks clocks, plans jobs and runs them. One works at a time.

A lease in the database says which; a standby takes over when it runs out. Everything the
controller decides is written in the transaction in which it decides it, so one that is killed
leaves nothing half-decided: its jobs count as lost when their leases run out, and are taken up
again with the datums that succeeded kept.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.errors import ConflictError, ErrorKind, StorageError
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.kept_kernels import remove_but_kept, sweep_kept
from jupyter_datalake.jobs.workspace import job_folder
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.events import Event, EventKind
from jupyter_datalake.model.jobs import (
    CONTROLLER_LEASE,
    Job,
    JobState,
    Outcome,
    TriggerKind,
    cancellation_of,
)
from jupyter_datalake.model.limits import DEFAULT_JOBS, JOBS_LIMIT
from jupyter_datalake.pipelines.deferring import Arrivals
from jupyter_datalake.pipelines.delivering import Sender
from jupyter_datalake.pipelines.grouping import GroupLimits
from jupyter_datalake.pipelines.notifying import announce_end
from jupyter_datalake.pipelines.running import JobRun
from jupyter_datalake.pipelines.sharing import FairScheduler
from jupyter_datalake.pipelines.steps import owes_finally
from jupyter_datalake.pipelines.ticking import clocks_need_care, mend_clocks, tick_clocks
from jupyter_datalake.pipelines.triggering import plan_event, wake_deferred
from jupyter_datalake.pipelines.upkeep import Upkeep

logger = logging.getLogger(__name__)

CURSOR = "controller"
_EVENT_BATCH = 500
_READY_BATCH = 1000
_MAX_CLAIMS = 10_000


class Controller:
    """Runs the pipelines of one lake.

    Parameters
    ----------
    executor
        Where datums run; closed by whoever made it.
    on_change
        Told after every step in which something happened, for progress displays.
    """

    def __init__(
        self,
        core: LakeCore,
        executor: Executor,
        config: ControllerConfig,
        author: Author,
        *,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._core = core
        self._executor = executor
        self._config = config
        self._author = author
        self._on_change = on_change
        self._scheduler = FairScheduler(executor)
        self._claims: dict[str, _Claim] = {}
        self._runs: dict[str, tuple[JobRun, threading.Thread]] = {}
        self._groups: dict[str, str] = {}
        """The group of each job of `_runs`."""
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        """Jobs of `_runs` whose threads have nothing left to do."""
        self._has_ended = threading.Event()
        self._renewed = 0.0
        self._leads = False
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()[:8]}"
        self._arrivals = Arrivals(core)
        self._upkeep = Upkeep(core, self.owner)
        self._sender = Sender(core, self.owner)

    def run(self, stop: threading.Event, *, until_idle: bool = False) -> None:
        """Work until told to stop, or until no job is left.

        Parameters
        ----------
        until_idle
            End when every job has ended and no event waits. Another controller that leads is
            an error then, not something to wait for.

        Raises
        ------
        ConflictError
            `until_idle`, and another controller leads (``lease-held``).
        """
        sweep_kept(self._core.work_folder)
        try:
            while not stop.is_set():
                is_busy = self._step_safely(until_idle=until_idle)
                if not until_idle:
                    self._keep_up(is_busy=is_busy)
                if until_idle and not is_busy and not self._runs and not self._has_work():
                    return
                if not is_busy:
                    self._pause(stop)
        finally:
            self._shut_down()

    def _pause(self, stop: threading.Event) -> None:
        """Wait for the next look; the end of a job is looked at at once, for what waits for it."""
        if self._runs:
            self._has_ended.wait(self._config.poll_s)
            self._has_ended.clear()
        else:
            stop.wait(self._config.poll_s)

    def _step_safely(self, *, until_idle: bool) -> bool:
        """Do one step; a database that is busy or away for a while must not end the controller."""
        try:
            if not self._lead():
                if until_idle:
                    raise ConflictError(
                        "Another controller runs this lake's pipelines",
                        kind=ErrorKind.LEASE_HELD,
                        hint="Leave the work to it; 'datalake jobs list' shows how far it is",
                    )
                return False
            return self.step()
        except StorageError as error:
            # Somebody frees a full disk some day, and nobody starts a controller again for that;
            # but whoever waits for the end should be told now.
            is_full = error.kind is ErrorKind.STORAGE_FULL and not until_idle
            if not (error.retryable or is_full):
                raise
            logger.warning("the controller waits: %s", error)
            return False

    def _keep_up(self, *, is_busy: bool) -> None:
        """Let gc run when it is due, where this controller leads."""
        if not self._leads:
            return
        try:
            self._upkeep.tend(is_busy=is_busy or bool(self._runs))
        except StorageError as error:
            logger.warning("it is not known whether gc is due: %s", error)

    def step(self) -> bool:
        """Do what there is to do now; tell whether there was anything."""
        happened = self._follow_events()
        happened |= self._tick()
        happened |= self._wake()
        happened |= self._take_up_lost()
        happened |= self._start_ready()
        happened |= self._tend_runs()
        happened |= self._sender.tend()
        if happened and self._on_change is not None:
            self._on_change()
        return happened

    # --- leading ---------------------------------------------------------------------------------

    def _lead(self) -> bool:
        """Hold the lease; renew it and those of running jobs in time."""
        now = time.monotonic()
        if self._leads and now - self._renewed < self._config.lease_s / 3:
            return True
        led = self._leads
        with self._core.metadata.write() as tx:
            self._leads = (
                tx.leases.acquire(CONTROLLER_LEASE, self.owner, self._config.lease_s) is not None
            )
            lost = [
                job_id
                for job_id, (run, _) in self._runs.items()
                if not self._leads
                # One that is about to begin is waiting still: there is nothing to renew.
                or (
                    run.has_begun
                    and not tx.jobs.renew(job_id, self.owner, self._config.job_lease_s)
                )
            ]
        for job_id in lost:
            self._runs[job_id][0].abandon("another controller took it up")
        self._renewed = now
        if self._leads and not led:
            self._sender.take_over()
        return self._leads

    def _shut_down(self) -> None:
        """End what runs and give up the lease at once, so that a standby need not wait.

        Running jobs go back to waiting: the next controller takes them up with what they have.
        """
        self._upkeep.close()
        self._sender.close()
        for run, _ in self._runs.values():
            run.abandon("its controller ends, and the next one goes on with it")
        for _, thread in self._runs.values():
            thread.join(timeout=30)
        try:
            with self._core.metadata.write() as tx:
                for job_id in self._runs:
                    job = tx.jobs.get(job_id)
                    if job.owner == self.owner and not job.state.is_terminal:
                        self._requeue(tx, job)
                tx.leases.release(CONTROLLER_LEASE, self.owner)
        except StorageError as error:
            logger.warning("the lease was not given up: %s", error)

    # --- what happens ----------------------------------------------------------------------------

    def _follow_events(self) -> bool:
        """Plan the jobs of branches that moved. The cursor moves in the same transaction."""
        with self._core.metadata.read() as tx:
            cursor = tx.events.cursor(CURSOR)
            waiting = tx.events.list(
                cursor, kinds=frozenset({EventKind.REF_MOVED}), limit=_EVENT_BATCH
            )
        if not waiting:
            return False
        return self._arrivals.settled(lambda: self._plan_events(waiting))

    def _plan_events(self, waiting: Sequence[Event]) -> bool:
        planned = 0
        with self._core.metadata.write() as tx:
            for event in waiting:
                planned += len(plan_event(tx, event, self._arrivals))
            tx.events.set_cursor(CURSOR, waiting[-1].number)
        return planned > 0

    def _wake(self) -> bool:
        """Plan the jobs of triggers whose schedule has ticked over what waits for them."""
        with self._core.metadata.read() as tx:
            if not tx.pipelines.due_alarms(tx.now_ns):
                return False
        return self._arrivals.settled(self._wake_deferred)

    def _wake_deferred(self) -> bool:
        with self._core.metadata.write() as tx:
            return bool(wake_deferred(tx, self._arrivals))

    def _tick(self) -> bool:
        """Plan the jobs of clocks whose time has come, and set when they tick next."""
        with self._core.metadata.read() as tx:
            if not clocks_need_care(tx):
                return False
        with self._core.metadata.write() as tx:
            mend_clocks(tx)
            tick_clocks(tx)
        return True

    def _take_up_lost(self) -> bool:
        """Queue the jobs whose controller vanished."""
        with self._core.metadata.read() as tx:
            lost = tx.jobs.lost()
        lost = [job for job in lost if job.id not in self._runs]
        if not lost:
            return False
        with self._core.metadata.write() as tx:
            for job in tx.jobs.lost():
                if job.id not in self._runs:
                    logger.warning("job %s was lost by %s; it is taken up again", job.id, job.owner)
                    self._requeue(tx, job)
        return True

    def _requeue(self, tx: Transaction, job: Job) -> None:
        if job.state is JobState.EGRESSING:
            # The commit exists; only its rows may be missing, and writing them twice is harmless.
            tx.jobs.update(job.id, message="taken up again during egress")
        tx.jobs.move(job, JobState.LOST)
        tx.jobs.move(tx.jobs.get(job.id), JobState.WAITING)
        tx.datums.requeue_running(job.id)
        tx.events.append(EventKind.JOB_CHANGED, job.id, pipeline=job.pipeline, state="waiting")

    def _start_ready(self) -> bool:
        """Settle or start the waiting jobs that nothing holds back."""
        with self._core.metadata.read() as tx:
            limits = {one.name: one.count for one in tx.settings.limits()}
            ready = [job for job in tx.jobs.ready(_READY_BATCH) if job.id not in self._runs]
            ended = [job for job in ready if _end_of(tx, job) is not None]
            ended_ids = {job.id for job in ended}
            claims = {job.id: self._claim_of(tx, job) for job in ready if job.id not in ended_ids}
        self._scheduler.set_limits(limits)
        for job in ended:
            self._settle(job)
        free = max(limits.get(JOBS_LIMIT, DEFAULT_JOBS) - len(self._runs), 0)
        starting = [job for job in ready if job.id in claims]
        starting.sort(key=lambda job: (-claims[job.id].priority, job.number))
        groups = GroupLimits(limits, [self._groups[job_id] for job_id in self._runs])
        admitted = [job for job in starting if free and groups.admit(claims[job.id].group)][:free]
        for job in admitted:
            self._start(job, claims[job.id])
        return bool(ended or admitted)

    def _claim_of(self, tx: Transaction, job: Job) -> _Claim:
        """Return what a job asks; its spec is read once, not at each step that it waits."""
        if job.id not in self._claims:
            row = tx.pipelines.get(job.pipeline)
            spec, _ = tx.pipelines.version(row.id, job.pipeline_version)
            if len(self._claims) >= _MAX_CLAIMS:
                self._claims.clear()
            own = job.trigger.priority
            priority = spec.priority if own is None else own
            self._claims[job.id] = _Claim(priority, spec.slots, spec.group)
        return self._claims[job.id]

    def _settle(self, job: Job) -> None:
        """End a job that need not run: cancelled, cut off, or behind one that failed."""
        with self._core.metadata.write() as tx:
            job = tx.jobs.get(job.id)
            end = _end_of(tx, job)
            if job.state is not JobState.WAITING or end is None:
                return
            state, changes = end
            tx.jobs.move(job, state, **changes)
            announce_end(tx, job.id)
            tx.events.append(EventKind.JOB_CHANGED, job.id, pipeline=job.pipeline, state=str(state))

    def _start(self, job: Job, claim: _Claim) -> None:
        run = JobRun(
            self._core,
            self._scheduler.lane(job.pipeline, claim.priority, claim.slots),
            job,
            owner=self.owner,
            lease_s=self._config.job_lease_s,
            author=self._author,
        )

        def work() -> None:
            try:
                run.run()
            finally:
                self._ended.put(job.id)
                self._has_ended.set()

        thread = threading.Thread(target=work, name=f"job-{job.id[:8]}", daemon=True)
        self._runs[job.id] = (run, thread)
        self._groups[job.id] = claim.group
        thread.start()

    def _tend_runs(self) -> bool:
        """Drop runs that ended, and pass on requests to cancel."""
        ended: list[str] = []
        while not self._ended.empty():
            ended.append(self._ended.get())
        for job_id in ended:
            _, thread = self._runs.pop(job_id)
            del self._groups[job_id]
            thread.join()
            remove_but_kept(self._core.work_folder, job_folder(self._core, job_id))
        if self._runs:
            with self._core.metadata.read() as tx:
                wanted = tx.jobs.to_be_cancelled(list(self._runs))
            for job_id in wanted:
                self._runs[job_id][0].cancel("cancelled by request")
        return bool(ended)

    def _has_work(self) -> bool:
        with self._core.metadata.read() as tx:
            behind = tx.events.list(
                tx.events.cursor(CURSOR), kinds=frozenset({EventKind.REF_MOVED}), limit=1
            )
            if behind or tx.jobs.count_live() > 0:
                return True
        return self._sender.is_busy


class _Claim(NamedTuple):
    """What a job asks of the others."""

    priority: int
    slots: dict[str, int]
    group: str


_BROKEN = frozenset({JobState.FAILED, JobState.CANCELLED})


def _end_of(tx: Transaction, job: Job) -> tuple[JobState, dict[str, str]] | None:
    """Return how a waiting job ends that need not run, with what is said of it; or None."""
    if job.cancel_requested:
        if owes_finally(tx, job):
            return None  # it is taken up, and cancelled by its run
        return JobState.CANCELLED, {"message": cancellation_of(job)}
    upstream = tx.jobs.upstream_of(job.id)
    broken = [f"{one.pipeline} {one.state}" for one in upstream if one.state in _BROKEN]
    if broken:
        return JobState.CANCELLED, {"message": f"upstream: {', '.join(broken)}"}
    is_downstream = job.trigger.kind is TriggerKind.UPSTREAM
    if is_downstream and all(one.outcome is not Outcome.COMMITTED for one in upstream):
        names = ", ".join(sorted(one.pipeline for one in upstream))
        message = f"nothing new from {names}"
        return JobState.SUCCESS, {"outcome": str(Outcome.CUT_OFF), "message": message}
    return None
