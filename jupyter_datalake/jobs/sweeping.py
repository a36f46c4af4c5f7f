"""Sweeping: folders of datums that have ended are removed while the next ones run.

To remove a folder waits for the disk several times as long as to make it, and needs hardly any
processor; a short datum would take half as long again.
"""

from __future__ import annotations

import queue
import shutil
import threading
from pathlib import Path

_WAITING = 64
"""So many folders may wait; then whoever brings another one waits."""


class Sweeper:
    """Removes folders in a thread of its own, in the order in which they come."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Path | threading.Event | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def remove(self, folder: Path) -> None:
        """Have a folder removed; what a program made unremovable stays."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._sweep, name="sweep", daemon=True)
            self._thread.start()
        self._waiting.put(folder)

    def wait(self) -> None:
        """Wait until everything is gone that was handed over so far; for any thread."""
        if self._thread is None:
            return
        done = threading.Event()
        self._waiting.put(done)
        done.wait()

    def close(self) -> None:
        """Remove what is left, and end the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _sweep(self) -> None:
        while (one := self._waiting.get()) is not None:
            if isinstance(one, threading.Event):
                one.set()
            else:
                shutil.rmtree(one, ignore_errors=True)
