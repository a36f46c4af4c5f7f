"""How a forked kernel writes to its connection."""

import os
import queue
import signal
import socket
import threading
from contextlib import contextmanager

import pytest

from jupyter_datalake.jobs import forked_streams
from jupyter_datalake.jobs.forked_streams import Sender
from jupyter_datalake.jobs.kernel_records import RecordReader, encode_record

SHORT, LONG = 100, 300_000


class Line:
    """A connection with a sender at one end, and a thread for what it does later."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self._acts = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._act, daemon=True)
        self._thread.start()
        self.sender = Sender(self.ours, self._acts.put)
        self._received = []
        self._reader = threading.Thread(target=self._read)

    def _act(self):
        while (act := self._acts.get()) is not None:
            act()

    def send(self, number, size):
        self.sender.send(encode_record("iopub", [b"%03d" % (number % 1000) * size]))

    def read(self):
        """Begin to read at the other end."""
        self._reader.start()

    def end(self):
        """Return the numbers of all records, once there are no more to come."""
        self._acts.put(None)
        self._thread.join()
        self.ours.close()
        self._reader.join()
        return self._received

    def _read(self):
        reader = RecordReader()
        with self.theirs:
            while data := self.theirs.recv(5000):
                for _, (frame,) in reader.feed(data):
                    assert frame == frame[:3] * (len(frame) // 3)
                    self._received.append(int(frame[:3]))


@pytest.fixture
def line():
    return Line()


def test_a_record_that_is_short_is_there_at_once(line):
    line.send(1, SHORT)
    reader = RecordReader()
    ((channel, _),) = reader.feed(line.theirs.recv(5000))
    assert channel == "iopub"
    line.read()
    assert line.end() == []


def test_what_is_held_comes_with_the_next_record_and_before_it(line):
    for number in (1, 2):
        line.sender.hold(encode_record("iopub", [b"%03d" % number]))
    with pytest.raises(BlockingIOError):
        line.theirs.recv(5000, socket.MSG_DONTWAIT)
    line.send(3, SHORT)
    records = RecordReader().feed(line.theirs.recv(5000))
    assert [int(frame[:3]) for _, (frame,) in records] == [1, 2, 3]
    line.sender.hold(encode_record("iopub", [b"004"]))
    line.send(5, LONG)
    line.read()
    assert line.end() == [4, 5]


@pytest.mark.parametrize("sizes", [(SHORT,), (LONG,), (LONG, SHORT), (SHORT, LONG, SHORT)])
def test_records_come_in_their_order_also_when_nobody_reads_for_a_while(line, sizes):
    numbers = [*range(60 if LONG in sizes else 900)]
    for number in numbers:
        line.send(number, sizes[number % len(sizes)])
    line.read()
    assert line.end() == numbers


class InterruptedBySignalError(Exception):
    """What a signal raises."""


@contextmanager
def signals(handle):
    """Have signals arrive all the time."""

    def pester():
        while not ended.wait(0.0002):
            os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    ended = threading.Event()
    thread = threading.Thread(target=pester)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        signal.signal(signal.SIGUSR1, before)


def test_records_stay_whole_when_signals_end_what_sends_them(line):
    def handle(_, frame):
        if frame.f_code.co_filename == forked_streams.__file__:
            raise InterruptedBySignalError

    lost = 0
    line.read()
    with signals(handle):
        for number in range(600):
            try:
                line.send(number, LONG if number % 7 == 0 else SHORT * 40)
            except InterruptedBySignalError:
                lost += 1
    received = line.end()
    assert received == sorted(set(received))
    assert 600 - lost <= len(received) <= 600


def test_what_handles_a_signal_may_send_while_a_record_is_sent(line):
    def handle(_, frame):
        if frame.f_code.co_filename == forked_streams.__file__:
            line.send(999, SHORT)

    line.read()
    with signals(handle):
        for number in range(300):
            line.send(number, SHORT)
    assert [number for number in line.end() if number != 999] == [*range(300)]
