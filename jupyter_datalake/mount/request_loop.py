"""Taking the kernel's next request without a turn of the event loop in between, and the first.

`pyfuse3` waits for each request in the event loop: two turns of it, three system calls and a lock
that goes from task to task, more than most requests cost themselves. Who makes requests one after
the other has the next one ready within microseconds of an answer, so the task that gave the answer
looks for it first. The loop gets its turn every few milliseconds, and whenever no request comes.
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pyfuse3

from jupyter_datalake.mount.handshake import Handshake

logger = logging.getLogger(__name__)

_DEVICE = "/dev/fuse"
_WAIT = "_wait_fuse_readable"
"""What pyfuse3 calls before it reads a request: a coroutine that says whether to go on."""
_PATIENCE_S = 50e-6
"""How long the next request is waited for; about what a turn of the loop takes."""
_TURN_S = 2e-3
"""How long everything else in the loop may have to wait."""
_MAX_DESCRIPTOR = 1023
"""What select(2) can look at, the quickest way to look at one descriptor."""

Wait = Callable[[], Awaitable[bool]]


def hurry() -> None:
    """Have pyfuse3 take requests in this way, once it is mounted.

    It has no setting for that: a function of its own is replaced, and where there is none of that
    name, or no descriptor that can be waited for, everything stays as it is.
    """
    wait: Wait | None = getattr(pyfuse3, _WAIT, None)
    descriptor = _device_descriptor()
    if wait is None or descriptor is None:
        logger.info("Requests are taken as pyfuse3 does it")
        return
    setattr(pyfuse3, _WAIT, RequestWait(descriptor, wait, Handshake(descriptor)))


def _device_descriptor() -> int | None:
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that lists the folder is closed by now
            if os.readlink(f"/proc/self/fd/{name}") == _DEVICE and int(name) <= _MAX_DESCRIPTOR:
                return int(name)
    return None


class RequestWait:
    """Waits until a request can be read.

    Parameters
    ----------
    descriptor
        What requests are read from.
    wait
        Waits in the event loop; tells whether to go on.
    handshake
        What the first request is for.
    """

    def __init__(self, descriptor: int, wait: Wait, handshake: Handshake | None = None) -> None:
        self._descriptors = [descriptor]
        self._wait = wait
        self._turn_ends_s = 0.0
        self._handshake: Handshake | None = handshake

    async def __call__(self) -> bool:
        """Return True when there is a request, False when there will be none any more."""
        if self._handshake is not None:
            if not self._handshake.has_begun and await self._handshake.begin():
                return True  # pyfuse3 asks again when libfuse has answered
            self._handshake.end()
            self._handshake = None
        if time.monotonic() < self._turn_ends_s and self._is_there(_PATIENCE_S):
            return True
        while await self._wait():
            # Somebody else may have taken it since the loop was told.
            if self._is_there(0):
                self._turn_ends_s = time.monotonic() + _TURN_S
                return True
        return False

    def _is_there(self, patience_s: float) -> bool:
        # Looked for again and again, not slept for: to be woken by another processor costs as much
        # as to answer.
        ends_s = time.monotonic() + patience_s
        while not select.select(self._descriptors, [], [], 0)[0]:
            if time.monotonic() >= ends_s:
                return False
        return True
