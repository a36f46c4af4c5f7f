"""A worker: one process that runs one datum at a time, told by JSON lines on its input.

Each line in is a bundle of tries. A line out says how some of them have ended, which is said only
when what they left is kept; which one runs is in memory that both sides share. The worker's own
output goes to its log, so a program that prints cannot break the protocol. When the input closes,
the worker ends with everything it started: whoever told it what to do is gone.

A worker whose kernel is kept says so with how the try ended, runs nothing any more, and ends with
the kernel.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from dataclasses import replace
from typing import Any, BinaryIO, NoReturn, Protocol

from jupyter_datalake.errors import DatalakeError, ErrorKind
from jupyter_datalake.jobs.processes import adopt_orphans, end_children, kill_descendants
from jupyter_datalake.jobs.progress import Progress
from jupyter_datalake.jobs.runner import DatumRunner
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, parse_bundle
from jupyter_datalake.model.datums import DatumState

READY = b"ready\n"

_PATIENCE_S = 1.0
"""Longer than a bundle of short datums takes, so that these are stored at once, at its end."""


def serve(runner: DatumRunner, progress: Progress) -> NoReturn:
    """Answer bundles until the input closes. Takes over this process's standard streams."""
    tasks, answers = _take_over_streams()
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    taking_in = threading.Thread(target=_take_in, args=(runner, tasks, waiting), daemon=True)
    taking_in.start()
    answers.write(READY)
    reporter = Reporter(runner, answers)
    adopt_orphans()
    while True:
        for place, task in enumerate(parse_bundle(json.loads(waiting.get()))):
            progress.begin(place)
            outcome = replace(_run(runner, task), keeps_kernel=runner.keeps_kernel)
            # What a program left running must not meet the next one.
            end_children(runner.spared())
            progress.end(place)  # its time is over, though its result is not kept yet
            reporter.end(task, outcome)
            if runner.keeps_kernel:
                reporter.settle()
                runner.watch_kept()
                os._exit(0)
        reporter.settle()


class KeepsResults(Protocol):
    """What has results that are kept later than they are made."""

    def settle(self) -> None:
        """Keep what was made so far."""
        ...


class Reporter:
    """Tells how tries ended once that is kept, which is done for many at once.

    To store a result takes longer than to run a short datum. It is done at the end of a bundle,
    and for what waits longer than `patience_s` behind a datum that takes its time.
    """

    def __init__(
        self, runner: KeepsResults, answers: BinaryIO, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._runner = runner
        self._patience_s = patience_s
        self._answers = answers
        self._lock = threading.Lock()
        self._ended: list[tuple[str, DatumOutcome]] = []
        self._settling = threading.Lock()
        self._has_ended = threading.Event()
        threading.Thread(target=self._settle_in_time, daemon=True).start()

    def end(self, task: DatumTask, outcome: DatumOutcome) -> None:
        """Take how a try ended, to be told later."""
        with self._lock:
            self._ended.append((task.name, outcome))
        self._has_ended.set()

    def settle(self) -> None:
        """Keep what has ended, and tell."""
        with self._settling:
            with self._lock:
                ended, self._ended = self._ended, []
            self._has_ended.clear()
            if ended:
                error = self._keep()
                if error is not None:
                    ended = [(name, one.but_failed(*error)) for name, one in ended]
                self._say({"ended": [[name, one.as_dict()] for name, one in ended]})

    def _keep(self) -> tuple[str, ErrorKind] | None:
        """Store what has ended; return why that failed, if it did."""
        try:
            self._runner.settle()
        except DatalakeError as error:
            return str(error), error.kind
        except Exception as error:  # noqa: BLE001  # a bug must fail the datums, not the worker
            traceback.print_exc()
            why = f"Internal error while keeping results: {type(error).__name__}: {error}"
            return why, ErrorKind.INTERNAL
        return None

    def _settle_in_time(self) -> NoReturn:
        while True:
            self._has_ended.wait()
            time.sleep(self._patience_s)
            self.settle()

    def _say(self, answer: dict[str, Any]) -> None:
        line = json.dumps(answer).encode() + b"\n"
        with self._lock:
            self._answers.write(line)


def _take_in(runner: DatumRunner, tasks: BinaryIO, waiting: queue.SimpleQueue[bytes]) -> NoReturn:
    """Pass tasks on as they come, and end the process when there are no more to come."""
    for line in tasks:
        waiting.put(line)
    kill_descendants()
    runner.leave()
    os._exit(0)


def _run(runner: DatumRunner, task: DatumTask) -> DatumOutcome:
    try:
        return runner.run(task)
    except Exception as error:  # noqa: BLE001  # a bug must fail the datum, not the worker
        traceback.print_exc()
        return DatumOutcome(
            DatumState.FAILED,
            f"Internal error while running the datum: {type(error).__name__}: {error}",
            ErrorKind.INTERNAL,
        )


def _take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return private copies of input and output, and point the public ones elsewhere.

    Programs inherit the public ones: they read nothing, and what they print goes to the log.
    """
    tasks = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, answers
