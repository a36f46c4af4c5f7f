"""Datums on this machine, in worker processes that are kept between datums.

One thread tends each worker: it hands over a task, waits for the answer, and kills the worker
with everything it started when the time is up, when the try is cancelled, or when the executor
closes. A killed worker is replaced when the next task comes.
"""

from __future__ import annotations

import json
import logging
import queue
import select
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.processes import kill_marked, kill_tree
from jupyter_datalake.jobs.runner import datum_marks
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, parse_outcome
from jupyter_datalake.jobs.worker import READY
from jupyter_datalake.model.datums import DatumState

logger = logging.getLogger(__name__)

_TICK_S = 0.1
_START_S = 60.0
_MAX_LOG_BYTES = 16 * 1024 * 1024

KeepArtifacts = Callable[[DatumTask], DatumOutcome]
"""Stores what a killed try left of notebook and log; returns an outcome that holds its root."""


@dataclass(slots=True)
class _Ticket:
    """One submitted try."""

    task: DatumTask
    future: Future[DatumOutcome] = field(default_factory=Future)
    cancelled: threading.Event = field(default_factory=threading.Event)


class LocalExecutor:
    """An `Executor` over worker processes.

    Parameters
    ----------
    command
        The program and arguments that start a worker.
    environment
        Everything a worker's environment holds.
    slots
        How many datums run at once; one worker each, started when first needed.
    log
        File that takes what workers print outside of datums.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        *,
        slots: int,
        log: Path,
        keep_artifacts: KeepArtifacts,
    ) -> None:
        self._slots = slots
        self._keep_artifacts = keep_artifacts
        self._queue: queue.Queue[_Ticket | None] = queue.Queue()
        self._tickets: dict[str, _Ticket] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        log.parent.mkdir(parents=True, exist_ok=True)
        self._threads = [
            threading.Thread(
                target=self._tend,
                args=(_Worker(command, environment, log),),
                name=f"datum-worker-{number}",
                daemon=True,
            )
            for number in range(slots)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def slots(self) -> int:
        """How many datums run at once."""
        return self._slots

    def submit(self, task: DatumTask) -> Future[DatumOutcome]:
        """Queue a try; see `Executor.submit`."""
        ticket = _Ticket(task)
        if self._closing.is_set():
            ticket.future.set_result(DatumOutcome(DatumState.QUEUED, "the executor closed"))
            return ticket.future
        with self._lock:
            self._tickets[task.id] = ticket
        self._queue.put(ticket)
        return ticket.future

    def cancel(self, task: DatumTask) -> None:
        """Stop a try; see `Executor.cancel`."""
        with self._lock:
            ticket = self._tickets.get(task.id)
        if ticket is not None:
            ticket.cancelled.set()

    def close(self) -> None:
        """Stop everything; see `Executor.close`."""
        self._closing.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        # Only now: a thread that drained while others waited would take what wakes them.
        self._drain()

    def _tend(self, worker: _Worker) -> None:
        try:
            while not self._closing.is_set():
                ticket = self._queue.get()
                if ticket is None:
                    break
                outcome = self._run_safely(worker, ticket)
                with self._lock:
                    self._tickets.pop(ticket.task.id, None)
                ticket.future.set_result(outcome)
        finally:
            worker.kill()

    def _drain(self) -> None:
        """Answer what is still queued when the executor has closed."""
        while True:
            try:
                ticket = self._queue.get_nowait()
            except queue.Empty:
                return
            if ticket is not None:
                ticket.future.set_result(DatumOutcome(DatumState.QUEUED, "the executor closed"))

    def _run_safely(self, worker: _Worker, ticket: _Ticket) -> DatumOutcome:
        """Run a try; whatever goes wrong on our side fails the try, not the thread."""
        try:
            return self._run(worker, ticket)
        except Exception as error:
            logger.exception("datum %s", ticket.task.id)
            worker.kill()
            return DatumOutcome(
                DatumState.FAILED, f"{type(error).__name__}: {error}", ErrorKind.INTERNAL
            )

    def _run(self, worker: _Worker, ticket: _Ticket) -> DatumOutcome:
        if ticket.cancelled.is_set():
            return DatumOutcome(DatumState.QUEUED, "cancelled")
        timeout_s = ticket.task.spec.datums.timeout_s
        try:
            worker.start()
            worker.send(ticket.task)
            deadline = time.monotonic() + timeout_s
            while True:
                line = worker.receive(_TICK_S)
                if line is not None:
                    return parse_outcome(json.loads(line))
                if ticket.cancelled.is_set() or self._closing.is_set():
                    _end(worker, ticket.task)
                    return DatumOutcome(DatumState.QUEUED, "cancelled")
                if time.monotonic() > deadline:
                    _end(worker, ticket.task)
                    return self._killed(
                        ticket.task,
                        f"The datum was stopped after its {timeout_s:g} s",
                        ErrorKind.DATUM_TIMEOUT,
                    )
        except _WorkerDiedError as error:
            _end(worker, ticket.task)
            logger.warning("worker died with datum %s: %s", ticket.task.id, error)
            return self._killed(
                ticket.task,
                f"The process that ran the datum died: {error}",
                ErrorKind.DATUM_FAILED,
            )

    def _killed(self, task: DatumTask, message: str, kind: ErrorKind) -> DatumOutcome:
        kept = self._keep_artifacts(task)
        return DatumOutcome(DatumState.FAILED, message, kind, artifacts_root=kept.artifacts_root)


def _end(worker: _Worker, task: DatumTask) -> None:
    """Kill a worker with everything that a try started, also what left the worker's family."""
    worker.kill()
    kill_marked(datum_marks(task))


class _WorkerDiedError(Exception):
    """The worker process ended while it was needed."""


class _Worker:
    """One worker process, started when needed."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._command = list(command)
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        too_long = self._log.exists() and self._log.stat().st_size > _MAX_LOG_BYTES
        with open(self._log, "wb" if too_long else "ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,  # Ctrl-C at a terminal is for the controller to handle
            )
        deadline = time.monotonic() + _START_S
        while (line := self.receive(_TICK_S)) is None:
            if time.monotonic() > deadline:
                raise _WorkerDiedError("it did not start in time")
        if line != READY:
            raise _WorkerDiedError(f"it said {line!r} instead of being ready")

    def send(self, task: DatumTask) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(task.as_dict()).encode() + b"\n")
        except BrokenPipeError as error:
            raise _WorkerDiedError(self._fate()) from error

    def receive(self, wait_s: float) -> bytes | None:
        """Return the next line, or None when none came in time."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], wait_s)
        if not ready:
            return None
        line: bytes = self._process.stdout.readline()
        if not line:
            raise _WorkerDiedError(self._fate())
        return line

    def kill(self) -> None:
        """Kill the worker and everything it started."""
        process, self._process = self._process, None
        if process is None:
            return
        kill_tree(process.pid)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def _fate(self) -> str:
        assert self._process is not None
        code = self._process.wait()
        if code < 0:
            return f"killed by signal {-code}, for lack of memory perhaps"
        return f"it ended with code {code}; see {self._log.name}"
