"""Ending processes together with everything they started."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Collection, ItemsView, Mapping
from contextlib import suppress

import psutil

_PR_SET_CHILD_SUBREAPER = 36

_WAIT_S = 5
_LOOK_S = 0.01
_ROUNDS = 3
"""How often is looked again for what was started while the others were being counted."""


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
    if _children():  # to find what those have started takes a look through all processes
        _kill(psutil.Process().children(recursive=True))


def kill_marked(marks: Mapping[str, str]) -> None:
    """Kill every process whose environment holds all of `marks`, whoever its parent is by now.

    So ends what outlived the process that started it: a program whose worker was killed, or one
    that went into the background by itself.
    """
    for _ in range(_ROUNDS):
        family = [one for one in psutil.process_iter() if marks.items() <= _environment(one)]
        if not family:
            return
        _kill(family)


def adopt_orphans(*, does: bool = True) -> None:
    """Become the parent of what outlives its own parent among our descendants, on Linux.

    Parameters
    ----------
    does
        False to be it no longer.
    """
    if sys.platform == "linux":
        process_control(_PR_SET_CHILD_SUBREAPER, int(does))


def process_control(option: int, value: int) -> None:
    """Call ``prctl``, which only Linux has."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end_children(spared: Collection[int]) -> None:
    """Kill our children, with all that they started, except for those that are spared."""
    for pid in _children() - set(spared):
        kill_tree(pid)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _children() -> set[int]:
    """Return our children. Looking through all processes, as psutil does, takes milliseconds."""
    found: set[int] = set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                found.update(map(int, file.read().split()))
    except FileNotFoundError:  # a thread that ended, or a kernel without this
        return {child.pid for child in psutil.Process().children()}
    return found


def _environment(process: psutil.Process) -> ItemsView[str, str]:
    try:
        return process.environ().items()
    except (psutil.Error, OSError):
        return {}.items()  # gone, or somebody else's


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    deadline = time.monotonic() + _WAIT_S
    while any(map(_runs, family)) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)


def _runs(process: psutil.Process) -> bool:
    """Tell whether a process has not ended; one that only waits to be asked how it ended has."""
    # What is orphaned in a container may wait for ever: its first process need not be an init.
    try:
        return process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
