"""What a forked kernel publishes, without a change of thread for each message.

ipykernel has a thread that owns the socket of outputs, since sockets of ZeroMQ belong to one
thread; every message and every flush wakes it, and waits. The connection of a forked kernel can be
written to by any thread, so short messages go out where they are made, and the thread is left with
long ones and what has to happen later. Nothing of ZeroMQ is opened until it is needed.

What goes out, and in which order, is ipykernel's: a stream is flushed before anything else is sent.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ipykernel.iostream import IOPubThread, OutStream

_READ_BYTES = 1 << 16
_OPEN_S = 10.0
_AT_ONCE_BYTES = 16 * 1024
"""The kernel of the system takes so much as a whole or not at all."""


class Sender:
    """Writes records to a connection, each as a whole, from any thread.

    In the main thread a signal can end any call with an exception, also one that has written half
    of a record. So a record that is not taken at once is left to a thread that signals never reach.

    Parameters
    ----------
    later
        Has a function called in that thread.
    """

    def __init__(
        self, connection: socket.socket, later: Callable[[Callable[[], object]], None]
    ) -> None:
        self._connection = connection
        self._later = later
        self._lock = threading.RLock()  # what handles a signal may print
        self._waiting: deque[bytes] = deque()
        """What goes next; the first of them may be on its way."""
        self._held = b""
        """What goes with the next record."""
        self._is_holding = False

    def hold(self, record: bytes) -> None:
        """Write a record together with the one that comes next, and soon: one wake-up for both."""
        with self._lock:
            self._held += record

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold what is sent meanwhile."""
        self._is_holding = True
        try:
            yield
        finally:
            self._is_holding = False

    def send(self, record: bytes) -> None:
        """Write a record behind those that were given before, now or later."""
        if self._is_holding:
            self.hold(record)
            return
        with self._lock:
            record, self._held = self._held + record, b""
            if not self._waiting and len(record) <= _AT_ONCE_BYTES:
                with suppress(BlockingIOError):
                    self._connection.send(record, socket.MSG_DONTWAIT)
                    return
            self._waiting.append(record)
        self._later(self._send_waiting)

    def _send_waiting(self) -> None:
        while self._waiting:
            self._connection.sendall(self._waiting[0])  # not under the lock: it may take long
            with self._lock:
                self._waiting.popleft()


class Publisher(IOPubThread):
    """ipykernel's thread of outputs, for a connection that every thread can write to.

    Parameters
    ----------
    socket
        Has the attribute `is_shared` if any thread may send. A socket of ZeroMQ may take its place
        later; that is written to in the thread.
    """

    def __init__(self, socket: Any, session: Any) -> None:
        self._opening = threading.Lock()
        super().__init__(socket, pipe=True, session=session)

    def schedule(self, f: Callable[[], object]) -> None:
        """Have a function called in the thread; at once if that has ended."""
        if self.thread.is_alive():
            self.io_loop.add_callback(f)
        else:
            f()

    def send_multipart(self, *arguments: Any, **options: Any) -> None:
        """Send a message, in this thread if that may be."""
        if getattr(self.socket, "is_shared", False) or not self._is_master_process():
            self._really_send(*arguments, **options)
        else:
            super().send_multipart(*arguments, **options)

    def _setup_event_pipe(self) -> None:
        """Nothing: the thread's event loop is woken instead."""

    def _setup_pipe_in(self) -> None:
        """Take in what forked processes publish, from the first one on."""
        self._pipe_port: int | None = None
        os.register_at_fork(before=self._open_pipe)

    def _open_pipe(self) -> None:
        with self._opening:
            if self._pipe_port is not None or not self._is_master_process():
                return
            if not self.thread.is_alive() or self.thread is threading.current_thread():
                super()._setup_pipe_in()
                return
            opened = threading.Event()
            self.schedule(super()._setup_pipe_in)
            self.schedule(opened.set)
            opened.wait(_OPEN_S)


class Stream(OutStream):
    """ipykernel's standard output or error, which is flushed by whoever asks for it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._flushing = threading.RLock()
        self._taking = threading.RLock()
        super().__init__(*arguments, **options)

    def flush(self) -> None:
        """Send what was written, in this process or by what it started."""
        if self._is_master_process():
            self._take_in()
        self._flush()

    def _flush(self) -> None:
        if self._is_master_process():
            with self._flushing:  # what is on its way goes before what comes next
                super()._flush()
        else:  # nobody is here to release what another thread held when this process was forked
            super()._flush()

    def _watch_pipe_fd(self) -> None:
        while self._should_watch and self._has_come(None):
            if self._should_watch:
                self._take_in()

    def _take_in(self) -> None:
        """Take what libraries and other processes wrote to the descriptor up to now."""
        with self._taking:
            while self._fid is not None and self._has_come(0.0):
                data = os.read(self._fid, _READ_BYTES)
                self.write(data.decode(errors="replace"))
                with suppress(OSError):  # the log is full; the notebook has it all the same
                    os.write(self._original_stdstream_copy, data)

    def _has_come(self, wait_s: float | None) -> bool:
        """Wait for something to read, for ever if `wait_s` is None."""
        return self._fid is not None and bool(select.select([self._fid], [], [], wait_s)[0])
