"""Turns: who commits to a branch next, so that many writers do not undo each other's work.

Only courtesy: a branch moves by compare-and-swap, with a turn or without. A commit that finds the
branch moved has built its nodes and its pack for nothing; of thirty writers at once, most would.
So those on one machine queue for a lock on a file. It ends with its holder, however that ends,
and who has waited long enough goes ahead: a large commit does not hold up small ones for ever.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.model.ids import digest_of

_FOLDER = "turns"
_FILES = 256
"""Locks there are; branches share them, which costs at most a wait."""
_PATIENCE_S = 10.0
_POLL_S = 0.01


@contextmanager
def turns(
    core: LakeCore, branches: Iterable[tuple[str, str]], *, patience_s: float = _PATIENCE_S
) -> Iterator[None]:
    """Wait for one's turn on some branches, at most so long, and keep it while the block runs.

    Parameters
    ----------
    branches
        Repo and branch of each.
    """
    numbers = {digest_of(f"{repo}@{branch}".encode())[0] % _FILES for repo, branch in branches}
    deadline = time.monotonic() + patience_s
    with ExitStack() as stack:
        for number in sorted(numbers):  # in one order, or two would wait for each other
            stack.enter_context(_turn(core, number, deadline))
        yield


@contextmanager
def _turn(core: LakeCore, number: int, deadline: float) -> Iterator[None]:
    try:
        folder = core.work_folder / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / f"{number:02x}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # no place for locks, a full disk for instance: then without
        return
    try:
        _wait(descriptor, deadline)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(random.uniform(0.5, 1.5) * _POLL_S)  # noqa: S311  # jitter
