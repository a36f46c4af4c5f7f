"""Ending processes together with everything they started."""

from __future__ import annotations

import os

import psutil

_WAIT_S = 5


def kill_tree(pid: int) -> None:
    """Kill a process and all its descendants, wherever their sessions and groups are."""
    try:
        top = psutil.Process(pid)
        top.suspend()  # so that it starts nothing more while its children are counted
        family = [*top.children(recursive=True), top]
    except psutil.NoSuchProcess:
        return
    _kill(family)


def kill_descendants() -> None:
    """Kill everything that this process started."""
    _kill(psutil.Process().children(recursive=True))


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    # Our own children are waited for by whoever started them.
    psutil.wait_procs([one for one in family if one.pid != os.getpid()], timeout=_WAIT_S)
