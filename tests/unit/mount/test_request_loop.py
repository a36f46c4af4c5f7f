"""Requests are taken without a turn of the event loop, and never where there is none."""

import os

import pyfuse3
import pytest
import trio

from jupyter_datalake.mount import request_loop
from jupyter_datalake.mount.request_loop import RequestWait


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


class Loop:
    """What waits in the event loop: says each time what it was told to, and does something."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        answer, act = self.answers.pop(0)
        act()
        return answer


def test_the_next_request_is_taken_at_once_within_a_turn(pipe, monkeypatch):
    monkeypatch.setattr(request_loop, "_TURN_S", 60.0)
    loop = Loop((True, lambda: os.write(pipe[1], b"12")))
    wait = RequestWait(pipe[0], loop)
    assert trio.run(wait)
    os.read(pipe[0], 1)
    assert trio.run(wait)
    assert loop.calls == 1


def test_the_loop_has_its_turn_when_no_request_comes_and_when_the_time_is_over(pipe, monkeypatch):
    monkeypatch.setattr(request_loop, "_TURN_S", 60.0)
    loop = Loop(
        (True, lambda: os.write(pipe[1], b"1")),
        (True, lambda: os.write(pipe[1], b"2")),
        (True, lambda: None),
    )
    wait = RequestWait(pipe[0], loop)
    assert trio.run(wait)
    os.read(pipe[0], 1)
    assert trio.run(wait)
    assert loop.calls == 2
    wait._turn_ends_s = 0.0
    assert trio.run(wait)
    assert loop.calls == 3


def test_a_request_that_somebody_else_took_is_waited_for_again(pipe):
    loop = Loop((True, lambda: None), (True, lambda: os.write(pipe[1], b"1")))
    assert trio.run(RequestWait(pipe[0], loop))
    assert loop.calls == 2


def test_an_end_is_an_end(pipe):
    loop = Loop((False, lambda: None))
    assert not trio.run(RequestWait(pipe[0], loop))


def test_without_a_device_or_the_function_of_pyfuse3_nothing_is_replaced(monkeypatch):
    before = getattr(pyfuse3, request_loop._WAIT)
    monkeypatch.setattr(request_loop, "_DEVICE", "/dev/nothing of the kind")
    request_loop.hurry()
    assert getattr(pyfuse3, request_loop._WAIT) is before
    monkeypatch.setattr(request_loop, "_DEVICE", os.devnull)
    monkeypatch.setattr(request_loop, "_WAIT", "_nothing_of_the_kind")
    with open(os.devnull):
        request_loop.hurry()
    assert not hasattr(pyfuse3, "_nothing_of_the_kind")


def test_the_function_of_pyfuse3_is_there_to_be_replaced(monkeypatch):
    before = getattr(pyfuse3, request_loop._WAIT)
    monkeypatch.setattr(pyfuse3, request_loop._WAIT, before)  # to be put back
    monkeypatch.setattr(request_loop, "_DEVICE", os.devnull)
    with open(os.devnull):
        request_loop.hurry()
    assert isinstance(getattr(pyfuse3, request_loop._WAIT), RequestWait)
