"""What a Dask worker does with a bundle of tries: it has them run in processes of its own.

A thread of a Dask worker cannot be stopped, a process can. So the thread that Dask gives to a task
only waits, and an executor of that machine does the work, with all that it knows about limits,
time that is up and programs that hide. Nothing here knows Dask itself.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ALL_COMPLETED, Future, wait
from dataclasses import replace

from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, parse_bundle
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.pipelines import without_keeping

IDLE_S = 300.0
"""After so long without work, the worker processes end: others may need the memory."""

_TELL_S = 1.0

Tell = Callable[[str], None]
"""Takes outcomes before the others of their bundle have theirs, as `Host.run` returns them."""

_STOPPED = DatumOutcome(DatumState.QUEUED, "stopped on its worker")


class Host:
    """Runs bundles in the process of a Dask worker. All methods may be called from any thread.

    Parameters
    ----------
    make
        Returns the executor that does the work; called when there is work.
    """

    def __init__(self, make: Callable[[], Executor], *, idle_s: float = IDLE_S) -> None:
        self._make = make
        self._idle_s = idle_s
        self._executor: Executor | None = None
        self._lock = threading.Lock()
        self._running: dict[str, list[DatumTask]] = {}
        self._stopped: set[str] = set()
        """Bundles that were stopped, as long as they may still begin or end."""
        self._rest: threading.Timer | None = None
        self._is_closed = False

    def run(self, key: str, bundle: str, tell: Tell) -> str:
        """Run a bundle; return the outcomes of its tries, by their places in it, as JSON.

        Parameters
        ----------
        key
            The bundle's name, for `stop`.
        bundle
            The tries as JSON of `tasks.bundle_as_dict`.
        tell
            Told early where one try takes much longer than others before it.
        """
        run = time.time_ns() // 1_000_000
        tasks = [
            replace(task, run=run, spec=without_keeping(task.spec))
            for task in parse_bundle(json.loads(bundle))
        ]
        futures = self._begin(key, tasks)
        if futures is None:
            return _as_json(dict.fromkeys(range(len(tasks)), _STOPPED))
        try:
            places = {future: place for place, future in enumerate(futures)}
            told = 0
            while wait(futures, _TELL_S, ALL_COMPLETED).not_done:
                done = {places[one]: one.result() for one in futures if one.done()}
                if len(done) > told:
                    tell(_as_json(done))
                    told = len(done)
            return _as_json({place: future.result() for future, place in places.items()})
        finally:
            self._end(key)

    def stop(self, key: str) -> None:
        """Stop a bundle, killing its processes; one that has not begun does not begin."""
        with self._lock:
            self._stopped.add(key)
            tasks, executor = self._running.get(key, ()), self._executor
        for task in tasks:
            assert executor is not None
            executor.cancel(task)

    def forget(self, key: str) -> None:
        """Take note that a bundle will not be begun any more."""
        with self._lock:
            self._stopped.discard(key)

    def is_running(self, key: str) -> bool:
        """Tell whether anything of a bundle may still run."""
        return key in self._running

    def close(self) -> None:
        """Kill everything; nothing begins any more."""
        with self._lock:
            self._is_closed = True
        self._let_go()

    def _begin(self, key: str, tasks: Sequence[DatumTask]) -> Sequence[Future[DatumOutcome]] | None:
        with self._lock:
            if self._is_closed or key in self._stopped:
                return None
            if self._rest is not None:
                self._rest.cancel()
            if self._executor is None:
                self._executor = self._make()
            self._running[key] = list(tasks)
            return self._executor.submit(tasks)

    def _end(self, key: str) -> None:
        with self._lock:
            del self._running[key]
            self._stopped.discard(key)
            if not self._running and not self._is_closed:
                self._rest = threading.Timer(self._idle_s, self._let_go_if_idle)
                self._rest.daemon = True
                self._rest.start()

    def _let_go_if_idle(self) -> None:
        with self._lock:
            if self._running:
                return
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()

    def _let_go(self) -> None:
        with self._lock:
            executor, self._executor = self._executor, None
            if self._rest is not None:
                self._rest.cancel()
        if executor is not None:
            executor.close()


def _as_json(outcomes: dict[int, DatumOutcome]) -> str:
    return json.dumps([[place, outcome.as_dict()] for place, outcome in outcomes.items()])
