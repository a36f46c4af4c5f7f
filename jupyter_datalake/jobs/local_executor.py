"""Datums on this machine, in worker processes that are kept between datums.

One thread tends each worker: it hands over a bundle of tries, waits for the answers, and kills the
worker with everything it started when a try's time is up, when one is cancelled, or when the
executor closes. A killed worker is replaced when it is needed next, and gets what was left of the
bundle.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import select
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.processes import kill_marked, kill_tree
from jupyter_datalake.jobs.progress import Progress
from jupyter_datalake.jobs.runner import datum_marks
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, bundle_as_dict, parse_outcome
from jupyter_datalake.jobs.worker import READY
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.pipelines import PipelineSpec

logger = logging.getLogger(__name__)

_TICK_S = 0.1
_END_S = 10.0
_START_S = 60.0
_READ_BYTES = 1 << 20
_MAX_LOG_BYTES = 16 * 1024 * 1024
_SHOWN_BYTES = 1024

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
        The program and arguments that start a worker, but for the last: the descriptor of the
        file of its `Progress`.
    environment
        Everything a worker's environment holds.
    slots
        How many datums run at once; one worker each, started when first needed.
    log
        File that takes what workers print outside of datums.
    clear
        Removes what a worker that kept a kernel has left when it was killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        *,
        slots: int,
        log: Path,
        keep_artifacts: KeepArtifacts,
        clear: Callable[[], None] = lambda: None,
    ) -> None:
        self._clear = clear
        self._retired: list[subprocess.Popen[bytes]] = []
        self._slots = slots
        self._keep_artifacts = keep_artifacts
        self._queue: queue.Queue[list[_Ticket] | None] = queue.Queue()
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

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell that any worker will do; see `Executor.has_room`."""
        return True

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue tries; see `Executor.submit`."""
        bundle = [_Ticket(task) for task in tasks]
        if self._closing.is_set():
            _answer_all(bundle, _CLOSED)
        else:
            with self._lock:
                self._tickets.update((ticket.task.id, ticket) for ticket in bundle)
            self._queue.put(bundle)
        return [ticket.future for ticket in bundle]

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
        for process in self._retired:
            _let_go(process)

    def _tend(self, worker: _Worker) -> None:
        try:
            while not self._closing.is_set():
                bundle = self._queue.get()
                if bundle is None:
                    break
                self._run_safely(worker, bundle)
        finally:
            worker.close()

    def _drain(self) -> None:
        """Answer what is still queued when the executor has closed."""
        while True:
            try:
                bundle = self._queue.get_nowait()
            except queue.Empty:
                return
            if bundle is not None:
                _answer_all(bundle, _CLOSED)

    def _run_safely(self, worker: _Worker, bundle: list[_Ticket]) -> None:
        """Run a bundle; whatever goes wrong on our side fails its tries, not the thread."""
        left = {ticket.task.name: ticket for ticket in bundle}
        try:
            while left and not self._closing.is_set():
                self._run(worker, left)
        except Exception as error:
            logger.exception("datum %s", next(iter(left.values())).task.id)
            worker.kill()
            outcome = DatumOutcome(
                DatumState.FAILED, f"{type(error).__name__}: {error}", ErrorKind.INTERNAL
            )
            self._answer(left, dict.fromkeys(left, outcome))
        self._answer(left, dict.fromkeys(left, _CLOSED))

    def _run(self, worker: _Worker, left: dict[str, _Ticket]) -> None:
        """Have a worker run what is left of a bundle, until it is done or the worker is killed."""
        names = list(left)
        try:
            worker.start()
            worker.send([ticket.task for ticket in left.values()])
            at: str | None = None
            deadline = float("inf")
            while left:
                cancelled = [name for name, one in left.items() if one.cancelled.is_set()]
                if cancelled or self._closing.is_set():
                    _end(worker, left, names)
                    self._answer(left, dict.fromkeys(cancelled, _CANCELLED))
                    return
                answer = worker.receive(_TICK_S)
                if answer is not None:
                    ended = {name: parse_outcome(raw) for name, raw in answer["ended"]}
                    keeper = next(
                        (left[one].task for one in ended if ended[one].keeps_kernel), None
                    )
                    if keeper is not None:
                        self._retire(worker, keeper)
                    self._answer(left, ended)
                    if keeper is not None:
                        return
                elif (now_at := worker.at(names)) != at:
                    at, deadline = now_at, float("inf")
                    if at is not None:
                        deadline = time.monotonic() + left[at].task.spec.datums.timeout_s
                elif at is not None and time.monotonic() > deadline:
                    if _end(worker, left, names) == at:  # else it ended at this very moment
                        self._answer(left, {at: self._out_of_time(left[at].task)})
                    return
        except _WorkerDiedError as error:
            name = _end(worker, left, names) or next(iter(left))
            task = left[name].task
            logger.warning("worker died with datum %s: %s", task.id, error)
            died = self._killed(
                task, f"The process that ran the {task.kind} died: {error}", ErrorKind.DATUM_FAILED
            )
            self._answer(left, {name: died})

    def _retire(self, worker: _Worker, task: DatumTask) -> None:
        """Let a worker keep the kernel of a try; another one takes its place when it is needed."""
        process = worker.retire()
        self._retired = [*(one for one in self._retired if one.poll() is None), process]

        def see_off() -> None:
            process.wait()
            assert process.stdin is not None
            process.stdin.close()
            kill_marked(datum_marks(task))
            self._clear()

        threading.Thread(target=see_off, name="kept-kernel", daemon=True).start()

    def _answer(self, left: dict[str, _Ticket], outcomes: dict[str, DatumOutcome]) -> None:
        """Tell how tries of a bundle ended; they are left no more."""
        for name, outcome in outcomes.items():
            ticket = left.pop(name)
            with self._lock:
                self._tickets.pop(ticket.task.id, None)
            ticket.future.set_result(outcome)

    def _out_of_time(self, task: DatumTask) -> DatumOutcome:
        message = f"The {task.kind} was stopped after its {task.spec.datums.timeout_s:g} s"
        return self._killed(task, message, ErrorKind.DATUM_TIMEOUT)

    def _killed(self, task: DatumTask, message: str, kind: ErrorKind) -> DatumOutcome:
        kept = self._keep_artifacts(task)
        return DatumOutcome(DatumState.FAILED, message, kind, artifacts_root=kept.artifacts_root)


_CANCELLED = DatumOutcome(DatumState.QUEUED, "cancelled")
_CLOSED = DatumOutcome(DatumState.QUEUED, "the executor closed")


def _answer_all(bundle: list[_Ticket], outcome: DatumOutcome) -> None:
    for ticket in bundle:
        ticket.future.set_result(outcome)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """End a worker that keeps a kernel: told by its input, for then it cleans up behind itself."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        kill_tree(process.pid)


def _end(worker: _Worker, left: Mapping[str, _Ticket], names: Sequence[str]) -> str | None:
    """Kill a worker with everything it started, also what left its family.

    Parameters
    ----------
    names
        The tries of its bundle.

    Returns
    -------
    str or None
        Name of the try that it was at, if it was at one.
    """
    worker.kill()
    at = worker.at(names)
    if at is not None:
        kill_marked(datum_marks(left[at].task))
    return at


class _WorkerDiedError(Exception):
    """The worker process ended while it was needed."""


class _Worker:
    """One worker process, started when needed."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._command = list(command)
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._progress = Progress.shared()
        self._lines = bytearray()
        """What it has said and nobody has looked at."""

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        try:
            self._start()
        except _WorkerDiedError as error:
            raise _WorkerDiedError(f"{error}: {_last_line(self._log)}") from error

    def _start(self) -> None:
        too_long = self._log.exists() and self._log.stat().st_size > _MAX_LOG_BYTES
        with open(self._log, "wb" if too_long else "ab") as log:
            self._process = subprocess.Popen(
                [*self._command, str(self._progress.file)],
                env=self._environment,
                pass_fds=[self._progress.file],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,  # Ctrl-C at a terminal is for the controller to handle
            )
        self._progress.reset()
        self._lines.clear()
        deadline = time.monotonic() + _START_S
        while (line := self._read_line(_TICK_S)) is None:
            if time.monotonic() > deadline:
                raise _WorkerDiedError("it did not start in time")
        if line != READY:
            raise _WorkerDiedError(f"it said {line!r} instead of being ready")

    def send(self, tasks: Sequence[DatumTask]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._progress.reset()
        try:
            self._process.stdin.write(json.dumps(bundle_as_dict(tasks)).encode() + b"\n")
        except BrokenPipeError as error:
            raise _WorkerDiedError(self._fate()) from error

    def at(self, names: Sequence[str]) -> str | None:
        """Return which try of the bundle it is at, or was at when it was killed, if at any.

        Parameters
        ----------
        names
            The tries that it was sent.
        """
        place = self._progress.at
        return None if place is None else names[place]

    def receive(self, wait_s: float) -> dict[str, Any] | None:
        """Return the next answer, or None when none came in time."""
        line = self._read_line(wait_s)
        if line is None:
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read_line(self, wait_s: float) -> bytes | None:
        assert self._process is not None
        assert self._process.stdout is not None
        while (end := self._lines.find(b"\n")) < 0:
            ready, _, _ = select.select([self._process.stdout], [], [], wait_s)
            if not ready:
                return None
            data = self._process.stdout.read(_READ_BYTES)
            if not data:
                raise _WorkerDiedError(self._fate())
            self._lines += data
        line = bytes(self._lines[: end + 1])
        del self._lines[: end + 1]
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

    def close(self) -> None:
        """Kill the worker; it is not started again."""
        self.kill()
        self._progress.close()

    def retire(self) -> subprocess.Popen[bytes]:
        """Give its process away, which takes no more tries; the next one gets another."""
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        process.stdout.close()
        return process

    def _fate(self) -> str:
        assert self._process is not None
        code = self._process.wait()
        if code < 0:
            return f"killed by signal {-code}, for lack of memory perhaps"
        return f"it ended with code {code}; see {self._log.name}"


def _last_line(log: Path) -> str:
    """Return the end of what workers have said, which tells why one did not start."""
    with open(log, "rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _SHOWN_BYTES, 0))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
