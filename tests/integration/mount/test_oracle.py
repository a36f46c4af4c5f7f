"""Random file operations on a mount and on an ordinary folder: both must answer the same."""

import os
import random
import stat
from pathlib import Path

import pytest

from .conftest import commit, daemon_pid, diff, kill, session_of, wait_until

pytestmark = pytest.mark.fuse

NAMES = ["a", "b", "c", "dé", "e e"]
STEPS = 400


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
                self.write,
                self.write,
                self.patch,
                self.append,
                self.truncate,
                self.mkdir,
                self.remove,
            ]
            + [
                self.rmdir,
                self.rename,
                self.rename,
                self.symlink,
                self.chmod,
                self.utime,
                self.list,
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


@pytest.mark.parametrize("seed", range(6))
def test_random_operations_agree_with_an_ordinary_folder(lake, raw, point, tmp_path, seed):
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    player = Player(seed, raw, ordinary)
    for number in range(STEPS):
        player.step()
        if number % 100 == 50 and diff(lake):
            commit(lake, f"After {number} steps")
            assert diff(lake) == {}
    kill(daemon_pid(lake, point))
    wait_until(lambda: os.listdir(raw) is not None)
    expected = without_folder_modes(tree_of(ordinary))
    assert without_folder_modes(tree_of(raw)) == expected
    if diff(lake):
        commit(lake, "At the end")
    assert without_folder_modes(tree_of(raw)) == expected

    lake.core.snapshot(lake.commits.get("raw", "main")).export("", tmp_path / "exported")
    assert without_folder_modes(tree_of(tmp_path / "exported")) == expected
    assert lake.maintenance.verify().is_clean


@pytest.mark.parametrize("seed", range(3))
def test_random_operations_are_all_undone_by_a_discard(lake, raw, tmp_path, seed):
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    player = Player(100 + seed, raw, ordinary)
    for _ in range(STEPS // 2):
        player.step()
    commit(lake)
    before = without_folder_modes(tree_of(raw))
    for _ in range(STEPS // 2):
        player.step()
    lake.sessions.discard(session_of(lake))
    assert without_folder_modes(tree_of(raw)) == before
    assert diff(lake) == {}
