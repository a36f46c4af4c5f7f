"""Upkeep: the controller collects garbage when that is due and nobody works.

Whether it is due is asked once a minute, by a few counts. A run is a thread of its own, of low
priority; it ends as soon as somebody works, unless it has been put off for a week, and the next
quiet moment begins it anew. Being ended costs nothing but what was marked: garbage collection
goes on where it was.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.gc import GarbageCollector
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.model.gc import Due, GcPolicy, GcReport, when_due
from jupyter_datalake.pipelines.trial_records import sweep_trials

logger = logging.getLogger(__name__)

_LOOK_S = 60.0
_NICENESS = 10
_END_S = 30.0


def look(core: LakeCore, policy: GcPolicy) -> Due:
    """Tell whether gc is to run by itself now; a few counts."""
    with core.metadata.read() as tx:
        return when_due(tx.gc.garbage(policy), policy, tx.now_ns)


class Upkeep:
    """Runs gc for a controller. For one thread, which calls `tend` now and then.

    Parameters
    ----------
    look_s
        How often it is asked whether gc is due.
    """

    def __init__(
        self, core: LakeCore, owner: str, policy: GcPolicy | None = None, *, look_s: float = _LOOK_S
    ) -> None:
        self._core = core
        self._owner = f"{owner} by itself"
        self._policy = policy or GcPolicy()
        self._look_s = look_s
        self._next = time.monotonic() + look_s
        self._due = Due.NO
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def tend(self, *, is_busy: bool) -> None:
        """Begin a run if one is due, or end the one that is in the way."""
        if self._thread is not None and self._thread.is_alive():
            if is_busy and self._due is not Due.OVERDUE:
                self._ends.set()
            return
        self._thread = None
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._look_s
        sweep_trials(self._core)
        self._due = look(self._core, self._policy)
        if self._due is Due.OVERDUE or (self._due is Due.IF_IDLE and not is_busy):
            self._ends.clear()
            self._thread = threading.Thread(target=self._collect, name="upkeep", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End a run that is at work, and wait until it has."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(timeout=_END_S)

    def _collect(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        collector = GarbageCollector(self._core, self._policy, self._owner, self._check)
        try:
            report = collector.run()
            logger.info(
                "gc by itself: %d bytes of new garbage, %d bytes deleted",
                report.condemned_bytes,
                report.deleted_bytes,
            )
        except _EndedError:
            logger.info("gc by itself made way and goes on later")
        except DatalakeError as error:
            logger.warning("gc by itself ended: %s", error)

    def _check(self, report: GcReport) -> None:
        if self._ends.is_set():
            raise _EndedError


class _EndedError(Exception):
    """Ends a run between two of its transactions."""
