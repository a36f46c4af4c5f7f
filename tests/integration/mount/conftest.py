"""Lakes that are really mounted, and gone again whatever a test does to them."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.mount import mountpoints
from jupyter_datalake.mount.control import MountClient, state_path


@pytest.fixture
def lake(tmp_path):
    """A lake with a repo `raw`, and everything unmounted at the end."""
    with Lake.create(str(tmp_path / "lake"), author=Author("Ada Lovelace")) as lake:
        lake.repos.create("raw")
        yield lake
        for point in lake.mounts.list_mountpoints():
            lake.mounts.stop(point.path)
            assert not mountpoints.is_mounted(point.path)


@pytest.fixture
def point(tmp_path):
    """A place for a mount point."""
    return str(tmp_path / "shown")


@pytest.fixture
def raw(lake, point):
    """The folder of `raw`, mounted writable."""
    return Path(lake.mounts.create("raw", at=point).path)


@pytest.fixture
def checkouts(monkeypatch):
    """Make every new mount point one of checkouts."""
    monkeypatch.setattr(
        "jupyter_datalake.lake.mounts.choose_mode", lambda: (MountMode.CHECKOUT, "a test wants it")
    )


def session_of(lake, name="raw"):
    """Return the id of the session behind a mount."""
    return lake.mounts.get(name).session_id


def commit(lake, message="Test", name="raw"):
    """Commit what is staged in a mount."""
    return lake.sessions.commit(session_of(lake, name), message)


def diff(lake, name="raw"):
    """Return what is staged in a mount: path to kind."""
    return {change.path: str(change.kind) for change in lake.sessions.diff(session_of(lake, name))}


def daemon_pid(lake, point):
    """Return the process that answers for a mount point."""
    return MountClient(lake.core, point).ping()["pid"]


def log_of(lake, point):
    """Return what the daemon of a mount point has logged."""
    path = state_path(lake.core, point, ".log")
    return path.read_text() if path.exists() else ""


def kill(pid):
    """Kill a process and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


def _is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(holds, within_s=10.0):
    """Wait until something holds; what it raises means that it does not yet."""
    patience = time.monotonic() + within_s
    while True:
        try:
            if holds():
                return
        except OSError:
            pass
        assert time.monotonic() < patience, "it did not come to hold in time"
        time.sleep(0.02)


HOST = socket.gethostname()
