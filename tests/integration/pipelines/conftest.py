"""Controllers as processes of their own, over a lake by the real clock."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from tests.integration.conftest import Runner

PROGRAM = Path(__file__).with_name("controller.py")
PATIENCE_S = 60


def wait_until(condition, what="it to happen"):
    """Poll until a condition holds and return its value; fail when it does not in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def is_gone(pid):
    """Tell whether a process has ended, waited for or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def shared(request, tmp_path):
    """A runner over a lake that other processes use too, by the same clock.

    Its parameter is ``sqlite``, or ``postgres`` for metadata there.
    """
    database = None
    if getattr(request, "param", "sqlite") == "postgres":
        database = request.getfixturevalue("postgres_server").url()
    folder = tmp_path / "work"
    folder.mkdir()
    config = LakeConfig(str(tmp_path / "lake"), database_url=database)
    with Lake.create(config, author=Author("ada")) as lake:
        lake.repos.create("raw")
        yield Runner(lake, folder)


class Controller:
    """A running controller with leases of a few seconds."""

    def __init__(self, lake, **options):
        self.lake = lake
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), lake.url, json.dumps(options)], stdin=subprocess.PIPE
        )

    def leads(self):
        holder = self.lake.maintenance.get_status().controller
        return holder is not None and holder.split(":")[-2] == str(self.process.pid)

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Kill it as ``kill -9`` does, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def end(self):
        """End it as its starter's end does; return its exit code."""
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S)

    def close(self):
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(PATIENCE_S)
        self.process.stdin.close()


@pytest.fixture
def start(shared):
    """Start a controller; ``start(die="after egress")`` one that will die there."""
    running = []

    def do(**options):
        running.append(Controller(shared.lake, **options))
        return running[-1]

    yield do
    for one in reversed(running):
        one.close()


@pytest.fixture
def leader(start):
    """A controller that leads."""
    one = start()
    wait_until(one.leads, "the controller to lead")
    return one
