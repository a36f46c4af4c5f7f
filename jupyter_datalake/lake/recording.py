"""What kernels and jobs read and write by this library, as a mount sees what goes through it.

An access costs the reader some microseconds: it is counted in memory, and a thread writes down what
was counted, every two seconds for as long as there is something, and when the lake is closed or the
process ends. Nothing here fails a read. Elsewhere, in servers and commands, nothing is recorded.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing.util
import os
import threading
import time
import weakref
from contextlib import suppress
from functools import lru_cache

from jupyter_datalake import environment
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.lake import cells
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.lineage import AccessKind, Observation, Observer, SeenBy
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.mount.observers import (
    AccessCounts,
    SeenProcess,
    look_at_this,
    running_cell,
)

logger = logging.getLogger(__name__)

RECORD_S = 2.0
"""How often it is written down what was read and written."""


class Recorder:
    """Counts what this process reads and writes in one lake. Safe from any thread."""

    def __init__(self, core: LakeCore) -> None:
        self._core = core
        self._wanted = environment.observes()
        self._is_closed = False
        self._begin_anew()
        renew_after_fork(self, Recorder._begin_anew)
        _open_recorders.add(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._counts = AccessCounts()
        self._writer: threading.Thread | None = None
        self._closing = threading.Event()

    def read(
        self, repo: str, commit_id: CommitId | None, path: RepoPath, session: str | None = None
    ) -> None:
        """Count that a file was opened to be read, or everything below a folder."""
        self.note(repo, commit_id, path, AccessKind.READ, session)

    def wrote(
        self, repo: str, commit_id: CommitId | None, path: RepoPath, session: str | None = None
    ) -> None:
        """Count that a file was written, or everything below a folder.

        Parameters
        ----------
        commit_id
            The commit that has it; for a session, the one it is based on.
        """
        self.note(repo, commit_id, path, AccessKind.WRITE, session)

    def note(
        self,
        repo: str,
        commit_id: CommitId | None,
        path: RepoPath,
        kind: AccessKind,
        session: str | None = None,
    ) -> None:
        """Count an access, if this process is one whose accesses are recorded."""
        observer = self._observer()
        if observer is None or commit_id is None:
            return
        now = time.time_ns()
        self.add(
            Observation(observer, repo, commit_id, path, kind, session, 1, now, now, SeenBy.READER)
        )

    def add(self, observation: Observation) -> None:
        """Count an access that somebody else has seen."""
        with self._lock:
            if self._is_closed:
                return
            self._counts.add(observation)
            if self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_now_and_then, name="datalake-recorder", daemon=True
                )
                with suppress(RuntimeError):  # the process ends: it is written down by that
                    self._writer.start()
                if multiprocessing.parent_process() is not None:
                    # Its end is none that `atexit` is told of.
                    multiprocessing.util.Finalize(None, self.write_down, exitpriority=1)

    def write_down(self) -> None:
        """Write down what was counted; what the database does not take now waits for next time."""
        with self._lock:
            taken, missed = self._counts.take(), self._counts.missed
            self._counts.missed = 0
        if not taken:
            return
        try:
            with self._core.metadata.write() as tx:
                tx.lineage.observe(taken)
        except DatalakeError as error:
            logger.info("What was read and written could not be recorded yet: %s", error)
            with self._lock:
                self._counts.put_back(taken)
        if missed:
            logger.info("%d reads and writes were not recorded: too many at once", missed)

    def close(self) -> None:
        """Write down what is left, and count no more; safe to call twice."""
        with self._lock:
            self._is_closed = True
            writer = self._writer
        self._closing.set()
        if writer is not None and writer.is_alive():
            writer.join()
        self.write_down()

    def _observer(self) -> Observer | None:
        if self._wanted is False:
            return None
        seen = _this_process(os.getpid())
        if seen.kernel_pid is None:
            return seen.observer if self._wanted or environment.is_job() else None
        is_kernel = seen.kernel_pid == os.getpid()
        return seen.at(cells.running() if is_kernel else running_cell(seen.kernel_pid))

    def _write_now_and_then(self) -> None:
        while True:
            is_ending = self._closing.wait(RECORD_S)
            self.write_down()
            with self._lock:
                if is_ending or not len(self._counts):
                    self._writer = None
                    return


_open_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


@lru_cache(maxsize=4)
def _this_process(pid: int) -> SeenProcess:
    """Return what this process is; by its number, for a forked one is another."""
    del pid
    return look_at_this()


@atexit.register
def _write_down_the_rest() -> None:
    for recorder in list(_open_recorders):
        recorder.write_down()
