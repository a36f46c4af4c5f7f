"""A watch over the event loop, for the one way in which it can come to wait for nothing.

The loop learns that a request is there and then reads it. If whoever made the request is killed
between the two, there is none any more, and the read waits for the next one, and with it all
else that the loop does: commands, timers. Any request ends it, so one is made.
"""

from __future__ import annotations

import os
import threading
import time

import trio

BEAT_S = 1.0
PATIENCE_S = 3.0


class Heartbeat:
    """Beats in the loop, and looks from a thread whether it still does.

    Parameters
    ----------
    mountpoint
        What is asked for its free space when it does not; the kernel never answers that itself.
    """

    def __init__(
        self, mountpoint: str, *, beat_s: float = BEAT_S, patience_s: float = PATIENCE_S
    ) -> None:
        self._mountpoint = mountpoint
        self._beat_s = beat_s
        self._patience_s = patience_s
        self._last = time.monotonic()
        self._ended = threading.Event()

    async def run(self) -> None:
        """Beat until cancelled."""
        # A daemon thread: the end of the process must not wait for a mount that hangs.
        threading.Thread(target=self._watch, name="heartbeat", daemon=True).start()
        try:
            while True:
                self._last = time.monotonic()
                await trio.sleep(self._beat_s)
        finally:
            self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._beat_s):
            if time.monotonic() - self._last > self._patience_s:
                self._poke()

    def _poke(self) -> None:
        try:
            os.statvfs(self._mountpoint)
        except OSError:
            self._last = time.monotonic()  # it is being unmounted: nothing to wake
