"""Locks between processes: one at a time, or several that share, until the descriptor is closed."""

import os
import subprocess
import sys

import pytest

from jupyter_datalake.file_locks import SHARED, held, try_lock

HOLD = """
import sys
from jupyter_datalake.file_locks import try_lock
print(try_lock(sys.argv[1]) is not None, flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_until_it_lets_go(tmp_path):
    path = tmp_path / "lock"
    lock = try_lock(path)
    assert try_lock(path) is None
    os.close(lock)
    with held(path) as is_ours:
        assert is_ours
        with held(path) as is_ours_too:
            assert not is_ours_too
    with held(path) as is_ours:
        assert is_ours


def test_several_may_share_what_nobody_has_alone(tmp_path):
    path = tmp_path / "lock"
    with held(path, SHARED) as first, held(path, SHARED) as second, held(path) as alone:
        assert (first, second, alone) == (True, True, False)


def test_a_folder_is_locked_as_it_is_and_nothing_is_made_unasked(tmp_path):
    with held(tmp_path) as is_ours:
        assert is_ours
        assert try_lock(tmp_path) is None
    with pytest.raises(FileNotFoundError):
        try_lock(tmp_path / "none", creates=False)
    assert [*tmp_path.iterdir()] == []


def test_a_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"True\n"
        assert try_lock(path) is None
        process.kill()
        process.wait()
        with held(path) as is_ours:
            assert is_ours


def test_no_descriptor_is_left_open(tmp_path):
    path = tmp_path / "lock"
    with held(path):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            assert try_lock(path) is None
        assert len(os.listdir("/proc/self/fd")) == before
