"""Real processes over a lake on a local disk, and ways to end them badly."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author

PROGRAMS = Path(__file__).with_name("programs.py")
PATIENCE_S = 60


class Program:
    """A running program of `programs.py`."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAMS), name, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self):
        """Return the words of its next line; a program that ended says nothing."""
        return self.process.stdout.readline().split()

    def tell(self, line=""):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.tell(line)
        return self.says()

    def kill(self):
        """Kill it as ``kill -9`` does, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                continue


@pytest.fixture
def start():
    """Start a program and wait for nothing: ``start("writers", lake.url)``."""
    running = []

    def do(name, *arguments):
        running.append(Program(name, *arguments))
        return running[-1]

    yield do
    for one in running:
        one.close()


@pytest.fixture
def lake(tmp_path):
    """A lake with a repo `raw`, by the real clock, which other processes go by too."""
    with Lake.create(str(tmp_path / "lake"), author=Author("ada")) as opened:
        opened.repos.create("raw")
        yield opened


def wait_until(condition, what="it to happen"):
    """Poll until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found
