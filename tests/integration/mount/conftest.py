"""Lakes that are really mounted, and gone again whatever a test does to them."""

import os
import random
import signal
import stat
import time
import uuid
from pathlib import Path

import pytest
from jupyter_client import KernelManager

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.mount import mountpoints
from jupyter_datalake.mount.control import MountClient, state_path

NOTEBOOK = "work/analysis.ipynb"
"""For which the fixture `notebook` has a kernel."""


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
        "jupyter_datalake.lake.mountpoints.choose_mode",
        lambda: (MountMode.CHECKOUT, "a test wants it"),
    )


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A kernel that was started for a notebook; call it with a cell's id and its code."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # As the Jupyter server names it.
    manager = KernelManager(connection_file=str(tmp_path / f"kernel-{uuid.uuid4()}.json"))
    manager.transport = "ipc"
    manager.ip = str(tmp_path / "k")
    manager.start_kernel(env={**os.environ, "JPY_SESSION_NAME": NOTEBOOK})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(cell, code):
        message = client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {}},
            metadata={"cellId": cell},
        )
        client.shell_channel.send(message)
        reply = client.shell_channel.get_msg(timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


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


NAMES = ["a", "b", "c", "dé", "e e"]


class Player:
    """Does the same to two folders, chosen by a seed, and compares the answers."""

    def __init__(self, seed, mounted, ordinary):
        self.random = random.Random(seed)
        self.roots = (Path(mounted), Path(ordinary))
        self.done = []

    def path(self):
        depth = self.random.choice([1, 1, 2, 2, 3])
        return "/".join(self.random.choice(NAMES) for _ in range(depth))

    def data(self):
        size = self.random.choice([0, 1, 63, 64, 65, 5_000, 200_000, 700_000])
        return self.random.randbytes(size)

    def step(self):
        act = self.random.choice(
            [
                *(self.write, self.write, self.patch, self.append, self.truncate),
                *(self.mkdir, self.rmdir, self.rename, self.rename, self.remove),
                *(self.symlink, self.chmod, self.utime, self.list),
            ]
        )
        act()

    def both(self, what, act):
        """Do `act` in both folders; the answers, or the errors, must be the same."""
        answers = []
        for root in self.roots:
            try:
                answers.append(act(root))
            except OSError as error:
                answers.append(error.errno)
        self.done.append((what, answers[0]))
        assert answers[0] == answers[1], self.done[-20:]

    def write(self):
        path, data = self.path(), self.data()
        self.both(("write", path, len(data)), lambda root: (root / path).write_bytes(data))

    def patch(self):
        path, data = self.path(), self.data()
        offset = self.random.choice([0, 10, 100_000, 1_000_000])

        def act(root):
            with open(root / path, "r+b") as file:
                file.seek(offset)
                return file.write(data)

        self.both(("patch", path, offset, len(data)), act)

    def append(self):
        path, data = self.path(), self.data()

        def act(root):
            with open(root / path, "ab") as file:
                return file.write(data)

        self.both(("append", path, len(data)), act)

    def truncate(self):
        path, size = self.path(), self.random.choice([0, 10, 100_000, 600_000])
        self.both(("truncate", path, size), lambda root: os.truncate(root / path, size))

    def mkdir(self):
        path = self.path()
        self.both(("mkdir", path), lambda root: os.mkdir(root / path))

    def remove(self):
        path = self.path()
        self.both(("remove", path), lambda root: os.unlink(root / path))

    def rmdir(self):
        path = self.path()
        self.both(("rmdir", path), lambda root: os.rmdir(root / path))

    def rename(self):
        old, new = self.path(), self.path()
        self.both(("rename", old, new), lambda root: os.rename(root / old, root / new))

    def symlink(self):
        path, target = self.path(), self.path()
        self.both(("symlink", path, target), lambda root: os.symlink(target, root / path))

    def chmod(self):
        path, mode = self.path(), self.random.choice([0o600, 0o644, 0o755])
        self.both(("chmod", path, mode), lambda root: os.chmod(root / path, mode))

    def utime(self):
        path, moment = self.path(), self.random.randrange(10**18)
        self.both(("utime", path), lambda root: os.utime(root / path, ns=(moment, moment)))

    def list(self):
        path = self.path()
        self.both(("list", path), lambda root: sorted(os.listdir(root / path)))


def tree_of(root):
    """Return everything below a folder: path to kind, permissions and content."""
    found = {}
    for place, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(place, name)
            status = path.lstat()
            kind = stat.S_IFMT(status.st_mode)
            content = None
            if kind == stat.S_IFLNK:
                content = os.readlink(path)
            elif kind == stat.S_IFREG:
                content = path.read_bytes()
            mode = None if kind == stat.S_IFLNK else stat.S_IMODE(status.st_mode)
            found[str(path.relative_to(root))] = (kind, mode, content)
    return found


def without_folder_modes(tree):
    """A commit keeps no permissions of folders with something in them."""
    return {
        path: (kind, None if kind == stat.S_IFDIR else mode, content)
        for path, (kind, mode, content) in tree.items()
    }
