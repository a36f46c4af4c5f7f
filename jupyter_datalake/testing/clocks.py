"""Clocks that are set by hand, for what depends on time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

EPOCH = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
"""Where a `ManualClock` begins: a time that is nobody's birthday and no border of anything."""


class ManualClock:
    """A clock for `Lake.create(clock=…)`; steps by a microsecond with each look, so order shows.

    Usage::

        clock = ManualClock()
        lake = Lake.create("memory:", clock=clock)
        clock.advance(3600)
    """

    def __init__(self, start: datetime = EPOCH, *, step_ns: int = 1000) -> None:
        self._lock = threading.Lock()
        self._now_ns = int(start.timestamp()) * 1_000_000_000
        self._step_ns = step_ns

    def __call__(self) -> int:
        """Return nanoseconds since 1970, each time one step later."""
        with self._lock:
            self._now_ns += self._step_ns
            return self._now_ns

    @property
    def now(self) -> datetime:
        """The time of the last look, in UTC."""
        return datetime.fromtimestamp(self._now_ns // 1000 / 1e6, UTC)

    def advance(self, seconds: float) -> None:
        """Set the clock forward, or back by a negative number."""
        with self._lock:
            self._now_ns += int(seconds * 1_000_000_000)
