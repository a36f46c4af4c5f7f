"""Memory that was freed, given back to the system.

Chunks of some hundred KiB come and go in several threads, and the C library keeps what is freed:
an arena for each thread, each with holes that fit what that thread needed last. A process that
runs for weeks would end with several times what it holds.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import trio

_M_ARENA_MAX = -8
_ARENAS = 2
_GIVE_BACK_S = 5.0
_WORTHWHILE_BYTES = 8 * 1024 * 1024
"""Growth since the last time that is worth a look at the whole heap, some milliseconds."""


def resident_bytes() -> int:
    """Return how much memory this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def share_arenas() -> None:
    """Let the threads of this process allocate from few heaps; nothing, where libc has no such."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give whole free pages back to the system; nothing, where the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


async def give_back_now_and_then() -> None:
    """Give back what is free whenever this process has grown; until cancelled."""
    kept = resident_bytes()
    while True:
        await trio.sleep(_GIVE_BACK_S)
        if resident_bytes() > kept + _WORTHWHILE_BYTES:
            await trio.to_thread.run_sync(give_back)
            kept = resident_bytes()
        kept = min(kept, resident_bytes())
