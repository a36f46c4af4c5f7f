"""Trying again: how often, how long, and with which pauses. Knows nothing of what is tried."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something that fails for the moment is tried again."""

    attempts: int
    """How often it is tried at most, the first time included."""
    seconds: float
    """After how long no further attempt begins."""
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    """A number in [0, 1) that each pause is multiplied by: clients that failed together must not
    come back together."""


class Backoff:
    """The attempts at one thing.

    Usage::

        backoff = Backoff(patience)
        while True:
            try:
                return act()
            except Transient:
                if not backoff.wait():
                    raise
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began = patience.clock()
        self._failures = 0
        self.attempts = 1
        """How often it was tried, the present time included."""

    @property
    def seconds(self) -> float:
        """How long it has been tried."""
        return self._patience.clock() - self._began

    def wait(self) -> bool:
        """Pause after a failure, longer each time; False when it has been tried enough."""
        self._failures += 1
        patience = self._patience
        pause = min(patience.longest_pause_s, patience.first_pause_s * 2 ** (self._failures - 1))
        pause *= patience.jitter()
        if self._failures >= patience.attempts or self.seconds + pause >= patience.seconds:
            return False
        patience.sleep(pause)
        self.attempts += 1
        return True

    def progressed(self) -> None:
        """Begin to count anew: the last attempt failed in the end, but not without a result."""
        self._failures = 0
        self._began = self._patience.clock()
