"""Commands that are interrupted: nothing half-done, nothing held, the code that shells expect."""

import signal
import subprocess
import sys

import pytest

from jupyter_datalake.testing.invariants import check_lake
from tests.faults.conftest import wait_until

DATALAKE = [sys.executable, "-m", "jupyter_datalake.cli.main"]


INTERRUPTED = {130, -signal.SIGINT}
"""What shells show as 130. Python ends by the signal itself when it arrived while a string was
being executed, as it is where a dataclass is made."""


def end(process, number):
    """Send a signal, and once more if it went under, as people do; return the exit code.

    Python drops an exception in a destructor, also the one that Ctrl-C is.
    """
    process.send_signal(number)
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        return process.wait(60)


@pytest.mark.parametrize(
    ("number", "codes"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, {-signal.SIGTERM})]
)
def test_an_interrupted_put_commits_nothing_and_leaves_the_lake_free(lake, number, codes):
    put = subprocess.Popen(
        [*DATALAKE, "--lake", lake.url, "files", "put", "raw@main/x", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with put:
        put.stdin.write(b"x" * 3_000_000)  # more than a pipe holds: most of it was read
        put.stdin.flush()
        assert end(put, number) in codes
        assert b"Traceback" not in put.stderr.read()
    assert lake.files.list("raw@main") == []
    assert lake.sessions.list() == []
    lake.files.put("raw@main/x", "the next one")
    check_lake(lake)


def test_a_waiting_command_can_be_interrupted(lake, tmp_path):
    spec = {"pipeline": "p", "command": ["true"], "input": {"repo": {"name": "raw", "glob": "/"}}}
    lake.files.put("raw@main/x", "1")
    lake.pipelines.create(spec, folder=tmp_path)
    (job,) = lake.jobs.list()
    wait = subprocess.Popen(
        [*DATALAKE, "--lake", lake.url, "jobs", "wait", job.global_id],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with wait:
        wait_until(lambda: "metadata.sqlite" in open_files(wait.pid), "the command to wait")
        assert end(wait, signal.SIGINT) in INTERRUPTED
        assert b"Traceback" not in wait.stderr.read()
    assert str(lake.jobs.get(job.id).state) == "waiting"


def open_files(pid):
    import psutil

    return " ".join(one.path for one in psutil.Process(pid).open_files())
