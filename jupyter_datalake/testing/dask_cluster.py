"""A Dask cluster for tests: a scheduler and workers in processes of their own, on loopback.

Each worker has a state folder of its own, as if it were another machine, and finds the lake by its
URL and by what its environment holds.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_PATIENCE_S = 60.0
_READY = {"scheduler": "Scheduler at:", "worker": "Starting established connection to"}


@dataclass
class DaskProcess:
    """A scheduler or worker that runs."""

    name: str
    process: subprocess.Popen[str]
    is_ready: threading.Event
    log: list[str]

    def wait_until_ready(self) -> Self:
        """Wait until it says so."""
        assert self.is_ready.wait(_PATIENCE_S), f"{self.name} did not start: {self.log}"
        assert self.process.poll() is None, f"{self.name} ended: {self.log}"
        return self

    def kill(self) -> None:
        """End it as ``kill -9`` does; what it started is left to itself."""
        self.process.kill()
        self.process.wait(_PATIENCE_S)

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        try:
            self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()


class DaskCluster:
    """A scheduler on a port that stays the same, and workers that come and go.

    Parameters
    ----------
    environment
        Variables for all of them besides those of this process.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="datalake-dask-", dir="/tmp"))
        self._environment = {
            **os.environ,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        self._port = _free_port()
        self._count = 0
        self.workers: list[DaskProcess] = []
        self.scheduler = self._start_scheduler()

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return f"tcp://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The scheduler's port."""
        return self._port

    def add_worker(
        self, *options: str, threads: int = 1, scheduler: str | None = None
    ) -> DaskProcess:
        """Start a worker with options of ``dask worker``; it is not waited for.

        Parameters
        ----------
        scheduler
            By which address it reaches the scheduler, if not by its own.
        """
        self._count += 1
        name = f"w{self._count}"
        folder = self._folder / name
        worker = self._start(
            "worker",
            [
                *(scheduler or self.address, "--no-nanny", "--no-dashboard", "--name", name),
                *("--death-timeout", "120"),  # where the tests were killed before they ended it
                *("--nthreads", str(threads), "--local-directory", str(folder), *options),
            ],
            {"DATALAKE_STATE_FOLDER": str(folder / "state")},
        )
        self.workers.append(worker)
        return worker

    def add_workers(self, count: int, *options: str, threads: int = 1) -> Sequence[DaskProcess]:
        """Start several workers and wait until all of them are there."""
        added = [self.add_worker(*options, threads=threads) for _ in range(count)]
        return [one.wait_until_ready() for one in added]

    def remove_worker(self, worker: DaskProcess) -> None:
        """End a worker, if it has not ended."""
        self.workers.remove(worker)
        worker.end()

    def restart_scheduler(self) -> None:
        """Kill the scheduler and start another one, which knows nothing, at the same address."""
        self.scheduler.kill()
        self.scheduler = self._start_scheduler()

    def close(self) -> None:
        """End everything."""
        for one in [*self.workers, self.scheduler]:
            one.process.terminate()
        for one in [*self.workers, self.scheduler]:
            one.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start_scheduler(self) -> DaskProcess:
        place = ["--host", "127.0.0.1", "--port", str(self._port)]
        options = [*place, "--no-dashboard", "--dashboard-address", ":0", "--no-show"]
        return self._start("scheduler", options, {}).wait_until_ready()

    def _start(
        self, kind: str, options: Sequence[str], environment: Mapping[str, str]
    ) -> DaskProcess:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        one = DaskProcess(kind, process, threading.Event(), [])
        threading.Thread(target=_follow, args=(process.stdout, one, _READY[kind])).start()
        return one

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _follow(output: IO[str], one: DaskProcess, ready: str) -> None:
    """Keep what a process says, and note that it is ready; its end ends the waiting too."""
    with output:
        for line in output:
            one.log.append(line)
            if ready in line:
                one.is_ready.set()
    one.is_ready.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
