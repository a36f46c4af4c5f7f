"""The watch over the loop pokes the mount when the loop has stopped, and only then."""

import os
import threading
import time

import trio

from jupyter_datalake.mount import heartbeat
from jupyter_datalake.mount.heartbeat import Heartbeat


def test_a_loop_that_waits_for_nothing_is_woken(monkeypatch):
    read, write = os.pipe()
    poked = threading.Event()

    def poke(path):
        assert path == "/shown"
        poked.set()
        os.write(write, b"a request at last")
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(heartbeat.os, "statvfs", poke)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Heartbeat("/shown", beat_s=0.02, patience_s=0.1).run)
            await trio.sleep(0.05)
            os.read(read, 100)  # what the loop must not do, and may come to do
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert poked.is_set()
    os.close(read)
    os.close(write)


def test_a_loop_that_runs_is_left_alone(monkeypatch):
    poked = []
    monkeypatch.setattr(heartbeat.os, "statvfs", poked.append)

    async def main():
        with trio.move_on_after(0.3):
            await Heartbeat("/shown", beat_s=0.02, patience_s=0.15).run()

    trio.run(main)
    assert poked == []
