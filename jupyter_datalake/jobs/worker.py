"""A worker: one process that runs one datum at a time, told by JSON lines on its input.

Each line in is a task; each line out is its outcome. The worker's own output goes to its log, so
a program that prints cannot break the protocol. When the input closes, the worker ends with
everything it started: whoever told it what to do is gone.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from typing import BinaryIO, NoReturn

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.processes import kill_descendants
from jupyter_datalake.jobs.runner import DatumRunner
from jupyter_datalake.jobs.tasks import DatumOutcome, parse_task
from jupyter_datalake.model.datums import DatumState

READY = b"ready\n"


def serve(runner: DatumRunner) -> NoReturn:
    """Answer tasks until the input closes. Takes over this process's standard streams."""
    tasks, answers = _take_over_streams()
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_take_in, args=(tasks, waiting), daemon=True).start()
    answers.write(READY)
    while True:
        answers.write(json.dumps(_run(runner, waiting.get()).as_dict()).encode() + b"\n")


def _take_in(tasks: BinaryIO, waiting: queue.SimpleQueue[bytes]) -> NoReturn:
    """Pass tasks on as they come, and end the process when there are no more to come."""
    for line in tasks:
        waiting.put(line)
    kill_descendants()
    os._exit(0)


def _run(runner: DatumRunner, line: bytes) -> DatumOutcome:
    try:
        return runner.run(parse_task(json.loads(line)))
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
