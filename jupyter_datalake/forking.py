"""What a forked child must have anew: locks that no thread will ever release there.

A fork copies one thread and every lock. A lock that another thread held at that moment stays
held in the child for ever, so whoever keeps one registers it here.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")

_RENEWED: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()


def renew_after_fork(owner: Any, renew: Callable[[Any], None]) -> None:
    """Call ``renew(owner)`` in every forked child, for as long as `owner` lives.

    `renew` must not refer to `owner` otherwise, or it lives for ever.
    """
    _RENEWED[owner] = renew


def renew_lock_after_fork(owner: Any, name: str = "_lock") -> None:
    """Give `owner` a new, free lock as attribute `name` in every forked child."""
    renew_after_fork(owner, lambda found: setattr(found, name, threading.Lock()))


class ThreadPool:
    """Threads for short tasks, started when first needed; a forked child starts its own."""

    def __init__(self, workers: int, name: str) -> None:
        self._workers = workers
        self._name = name
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        renew_after_fork(self, ThreadPool._forget)

    @property
    def workers(self) -> int:
        """How many tasks can run at once."""
        return self._workers

    def submit(self, task: Callable[[], _Result]) -> Future[_Result]:
        """Run a task in a thread."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._workers, thread_name_prefix=self._name)
            return self._executor.submit(task)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._executor = None


def _after_fork() -> None:
    for owner, renew in list(_RENEWED.items()):
        renew(owner)


os.register_at_fork(after_in_child=_after_fork)
