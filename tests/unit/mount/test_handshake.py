"""The first message of the kernel is answered by libfuse, with a promise added, or as it is."""

import os
import socket
import struct

import pytest
import trio

from jupyter_datalake.mount.handshake import Handshake

KILLPRIV_V2 = 1 << 28
OTHERS = 0b1010_0001
ASKED = struct.Struct("=IIQQIIIHH IIII 48x")
"""Head of a request (length, operation, …), then version, minor version, read-ahead, flags."""
GIVEN = struct.Struct("=IiQ IIII 48x")
"""Head of an answer (length, error, number), then the same four."""
INIT, GETATTR = 26, 3


class Kernel:
    """Both ends of what stands for the device: a socket that keeps messages apart."""

    def __init__(self):
        self.end, self.device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.end.setblocking(False)

    def ask(self, *, operation=INIT, flags=OTHERS | KILLPRIV_V2):
        head = (ASKED.size, operation, 1, 0, 0, 0, 7, 0, 0)
        self.end.send(ASKED.pack(*head, 7, 45, 131072, flags))

    def answered(self):
        return self.end.recv(4096)


@pytest.fixture
def kernel():
    kernel = Kernel()
    with kernel.end, kernel.device:
        yield kernel


def answer(*, error=0, flags=OTHERS):
    return GIVEN.pack(GIVEN.size, error, 1, 7, 36, 131072, flags)


def shake_hands(kernel, reply):
    """Return what libfuse reads, when it gives `reply` to it, and what the kernel is answered."""
    descriptor = kernel.device.fileno()
    handshake = Handshake(descriptor)
    assert not handshake.has_begun
    assert trio.run(handshake.begin)
    assert handshake.has_begun
    message = os.read(descriptor, 4096)
    if reply is not None:
        os.write(descriptor, reply)
    handshake.end()
    return message


def flags_of(message):
    return GIVEN.unpack(message)[-1]


def test_the_promise_is_added_to_what_libfuse_agrees_to(kernel):
    kernel.ask()
    message = shake_hands(kernel, answer())
    assert ASKED.unpack(message)[-1] == OTHERS | KILLPRIV_V2
    assert kernel.answered() == answer(flags=OTHERS | KILLPRIV_V2)


def test_a_kernel_that_does_not_know_the_promise_is_given_none(kernel):
    kernel.ask(flags=OTHERS)
    shake_hands(kernel, answer())
    assert kernel.answered() == answer()


def test_nothing_is_added_where_the_first_message_is_another(kernel):
    kernel.ask(operation=GETATTR)
    shake_hands(kernel, answer())
    assert kernel.answered() == answer()


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(error=-71), id="a refusal"),
        pytest.param(answer()[:16], id="no content"),
        pytest.param(answer()[:24], id="version only"),
    ],
)
def test_an_answer_without_flags_is_passed_on_as_it_is(kernel, reply):
    kernel.ask()
    shake_hands(kernel, reply)
    assert kernel.answered() == reply


def test_afterwards_the_device_is_where_it_was(kernel):
    kernel.ask()
    before = os.fstat(kernel.device.fileno())
    shake_hands(kernel, answer())
    kernel.answered()
    after = os.fstat(kernel.device.fileno())
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)
    kernel.end.send(b"the next request")
    assert os.read(kernel.device.fileno(), 4096) == b"the next request"


@pytest.mark.logs("gave the kernel no answer")
def test_no_answer_is_logged_and_the_device_is_back(kernel):
    kernel.ask()
    shake_hands(kernel, None)
    kernel.end.send(b"the next request")
    assert os.read(kernel.device.fileno(), 4096) == b"the next request"


def test_a_device_that_gives_nothing_is_left_to_libfuse():
    reading, writing = os.pipe()  # the end that is written to cannot be read
    try:
        handshake = Handshake(writing)
        os.close(reading)
        assert not trio.run(handshake.begin)
        handshake.end()
        assert not handshake.has_begun
    finally:
        os.close(writing)


def test_no_descriptor_is_left_open(kernel):
    before = len(os.listdir("/proc/self/fd"))
    kernel.ask()
    shake_hands(kernel, answer())
    assert len(os.listdir("/proc/self/fd")) == before
    handshake = Handshake(kernel.device.fileno())
    with pytest.raises(trio.TooSlowError):  # it is unmounted before the kernel says anything
        trio.run(_given_up, handshake)
    assert len(os.listdir("/proc/self/fd")) == before


async def _given_up(handshake):
    with trio.fail_after(0.01):
        await handshake.begin()
