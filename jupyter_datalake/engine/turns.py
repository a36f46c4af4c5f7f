"""Turns: who commits to a branch next, so that many writers do not undo each other's work.

Only courtesy: a branch moves by compare-and-swap, with a turn or without. A commit that finds the
branch moved has built its nodes and its pack for nothing; of thirty writers at once, most would.
So those on one machine queue for a lock on a file. It ends with its holder, however that ends,
and who has waited long enough goes ahead: a large commit does not hold up small ones for ever. A
thread that has a turn and asks for it once more has it: nobody waits for themselves.
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import ConflictError, ErrorKind
from jupyter_datalake.model.ids import digest_of

T = TypeVar("T")

MAX_ATTEMPTS = 60
"""How often a commit is rebased onto a branch that moves under it before it gives up."""

_FOLDER = "turns"
_FILES = 256
"""Locks there are; branches share them, which costs at most a wait."""
_PATIENCE_S = 10.0
_POLL_S = 0.01

_held = threading.local()
"""Of each thread: the places of the locks that it has, or has waited for long enough."""


def in_turn(core: LakeCore, branches: Sequence[tuple[str, str]], act: Callable[[], T]) -> T:
    """Return what `act` makes of branches in one's turn, done anew each time that one moved.

    Parameters
    ----------
    branches
        Repo and branch of each.
    act
        Raises `ConflictError` (``branch-moved``), with nothing changed, to be called again.

    Raises
    ------
    ConflictError
        The branches kept moving (``branch-moved``, retryable), or what else `act` raises.
    """
    for attempt in range(MAX_ATTEMPTS):
        try:
            with turns(core, branches):
                return act()
        except ConflictError as error:
            if error.kind is not ErrorKind.BRANCH_MOVED:
                raise
            # Another moment in each process: those of other machines do not queue here.
            time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 20)))  # noqa: S311
    repo, branch = branches[0]
    what = f"Branch {repo}@{branch}" if len(branches) == 1 else "The branches"
    raise ConflictError(
        f"{what} kept moving; nothing was committed",
        kind=ErrorKind.BRANCH_MOVED,
        hint="Try again",
        retryable=True,
        repo=repo,
        ref=branch,
    )


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
    held: set[str] = _held.__dict__.setdefault("places", set())
    place = core.work_folder / _FOLDER / f"{number:02x}"
    if str(place) in held:
        yield
        return
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # no place for locks, a full disk for instance: then without
        return
    try:
        _wait(descriptor, deadline)
        held.add(str(place))
        yield
    finally:
        held.discard(str(place))
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
