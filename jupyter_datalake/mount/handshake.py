"""What is agreed with the kernel beyond what libfuse knows to agree on.

Before each write the kernel asks for the attribute ``security.capability``, to see whether the file
has privileges to lose: a question for each write of a program, as costly as the write. It asks
nothing of a file system that promises to see to that itself (``FUSE_HANDLE_KILLPRIV_V2``, since
Linux 5.12), as this one does (`mount.operations`). libfuse 3.14 has no word for the promise, so it
is added to its answer to the kernel's first message: libfuse is given that one by a socket in the
device's place.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
from contextlib import ExitStack

import trio

logger = logging.getLogger(__name__)

_MESSAGE_BYTES = 1 << 17
"""Room for any message; the kernel gives nothing to who has less than 8 KiB."""
_FUSE_INIT = 26
_OPERATION_AT = 4
_ASKED_FLAGS_AT = 40 + 12
"""Behind the head of a request, two numbers of the version and the read-ahead."""
_ERROR_AT = 4
_GIVEN_FLAGS_AT = 16 + 12
"""Behind the head of an answer and the same three."""
_HANDLE_KILLPRIV_V2 = 1 << 28
_WORD = struct.Struct("=I")


class Handshake:
    """The kernel's first message and its answer, to which a promise is added.

    Parameters
    ----------
    descriptor
        Of the device; where libfuse reads and writes. For the time between `begin` and `end` it
        leads to a socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ours: socket.socket | None = None
        self._device = -1
        self._cleanup = ExitStack()
        self._is_offered = False

    @property
    def has_begun(self) -> bool:
        """Whether libfuse has the first message, or had it."""
        return self._ours is not None

    async def begin(self) -> bool:
        """Wait for the first message and lay it where libfuse reads.

        Returns
        -------
        bool
            Whether it is there. It is not if the device gives nothing any more, which libfuse will
            find too.
        """
        with ExitStack() as cleanup:
            device = os.dup(self._descriptor)
            cleanup.callback(os.close, device)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            cleanup.enter_context(ours)
            with theirs:
                await trio.lowlevel.wait_readable(device)
                try:
                    message = os.read(device, _MESSAGE_BYTES)
                except OSError as error:
                    logger.info("The kernel says nothing: %s", error)
                    return False
                ours.send(message)
                os.dup2(theirs.fileno(), self._descriptor, inheritable=False)
            self._cleanup = cleanup.pop_all()
        self._ours, self._device = ours, device
        self._is_offered = _offers_promise(message)
        return True

    def end(self) -> None:
        """Give the device back, and pass on what libfuse answered; nothing if nothing has begun."""
        if self._ours is None:
            return
        with self._cleanup:
            os.dup2(self._device, self._descriptor, inheritable=False)
            self._ours.setblocking(False)
            try:
                answer = self._ours.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                logger.warning("libfuse gave the kernel no answer to its first message")
                return
            if self._is_offered and _agrees(answer):
                answer = _with_promise(answer)
                logger.info("The kernel need not ask for capabilities before each write")
            os.write(self._device, answer)


def _offers_promise(message: bytes) -> bool:
    """Tell whether the kernel, in its first message, knows the promise."""
    if len(message) < _ASKED_FLAGS_AT + _WORD.size:
        return False
    (operation,) = _WORD.unpack_from(message, _OPERATION_AT)
    (flags,) = _WORD.unpack_from(message, _ASKED_FLAGS_AT)
    return operation == _FUSE_INIT and bool(flags & _HANDLE_KILLPRIV_V2)


def _agrees(answer: bytes) -> bool:
    """Tell whether an answer is no refusal, and has flags: the oldest versions have none."""
    if len(answer) < _GIVEN_FLAGS_AT + _WORD.size:
        return False
    (error,) = _WORD.unpack_from(answer, _ERROR_AT)
    return not error


def _with_promise(answer: bytes) -> bytes:
    changed = bytearray(answer)
    (flags,) = _WORD.unpack_from(changed, _GIVEN_FLAGS_AT)
    _WORD.pack_into(changed, _GIVEN_FLAGS_AT, flags | _HANDLE_KILLPRIV_V2)
    return bytes(changed)
