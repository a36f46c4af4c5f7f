"""Threads for verbs, which the end of a server does not wait for.

Before the interpreter ends it joins the threads of its own pools, however long what they do takes.
A verb may take hours, and each may be killed at any moment: it is done whole, or not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class VerbThreads(Executor):
    """A pool of at most so many daemon threads, begun as they are needed."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do something when a thread is free.

        Raises
        ------
        RuntimeError
            The pool is shut down.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._is_closed:
                raise RuntimeError(f"The threads {self._name!r} have ended")
            self._tasks.put((future, partial(fn, *args, **kwargs)))
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._count:
                name = f"{self._name}_{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more; what waits for a thread is done, or cancelled."""
        with self._lock:
            self._is_closed = True
            while cancel_futures and not self._tasks.empty():
                if (task := self._tasks.get()) is not None:
                    task[0].cancel()
            for _ in self._threads:
                self._tasks.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            _do(*task)
            del task  # a thread that waits keeps nothing of what it did
            self._idle.release()


def _do(future: Future[Any], what: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = what()
    except BaseException as error:  # noqa: BLE001  # whoever waits for the future gets it
        future.set_exception(error)
    else:
        future.set_result(result)
