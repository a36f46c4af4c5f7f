"""SIGKILL of the daemon behind each kind of act: the next one shows what an ordinary folder has."""

import os
from pathlib import Path

import pytest

from jupyter_datalake.engine.journal import read_journal
from jupyter_datalake.engine.session import sessions_folder
from tests.integration.mount.conftest import (
    commit,
    daemon_pid,
    kill,
    session_of,
    tree_of,
    wait_until,
    without_folder_modes,
)

pytestmark = pytest.mark.fuse

LARGE = bytes(range(256)) * 2_000


def write_new(root):
    (root / "new").write_bytes(LARGE)


def change_committed(root):
    with open(root / "old", "r+b") as file:
        file.seek(100_000)
        file.write(b"changed")


def truncate(root):
    os.truncate(root / "cut", 10)


def replace(root):
    (root / "temporary").write_text("written beside")
    os.replace(root / "temporary", root / "saved")


def move_folder(root):
    os.rename(root / "folder", root / "moved")


def make_and_remove(root):
    (root / "made").mkdir(mode=0o700)
    (root / "made" / "inside").mkdir()
    (root / "gone").unlink()
    (root / "empty").mkdir()
    (root / "empty").rmdir()


def link(root):
    (root / "link").symlink_to("new")


def change_attributes(root):
    (root / "new").chmod(0o755)
    os.utime(root / "new", ns=(1, 5))
    (root / "moved" / "x").chmod(0o600)
    (root / "made" / "inside").chmod(0o711)


def append(root):
    with open(root / "new", "ab") as file:
        file.write(b"more")


# Fewer kills than make the supervisor give up; each act by itself is killed in
# tests/unit/engine/test_staged_tree.py.
ROUNDS = [
    [write_new, change_committed, truncate],
    [replace, move_folder],
    [make_and_remove, link],
    [change_attributes, append],
]
KINDS = {"attributes", "data", "entry", "folder", "move", "remove"}


def begin(root):
    (root / "folder").mkdir()
    for name in ("old", "cut", "saved", "gone", "folder/x"):
        (root / name).write_bytes(LARGE)


def test_every_kind_of_act_is_there_after_a_kill(lake, raw, point, tmp_path):
    oracle = tmp_path / "oracle"
    oracle.mkdir()
    for root in (raw, oracle):
        begin(root)
    commit(lake)
    kinds = set()
    for acts in ROUNDS:
        for act in acts:
            for root in (raw, oracle):
                act(root)
        journal = sessions_folder(lake.core) / session_of(lake) / "journal"
        kinds |= {record[0] for record in read_journal(Path(journal))}
        pid = daemon_pid(lake, point)
        kill(pid)
        wait_until(lambda: os.listdir(raw), within_s=30)
        assert tree_of(raw) == tree_of(oracle), acts
        assert daemon_pid(lake, point) != pid
    assert os.stat(raw / "new").st_mtime_ns > 5
    assert kinds >= KINDS, kinds
    commit(lake)
    assert without_folder_modes(tree_of(raw)) == without_folder_modes(tree_of(oracle))
    exported = tmp_path / "exported"
    lake.files.export("raw@main", exported)
    committed = without_folder_modes(tree_of(exported))
    assert committed == without_folder_modes(tree_of(oracle))
