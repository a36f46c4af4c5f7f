"""Random file operations on a mount and on an ordinary folder: both must answer the same."""

import os

import pytest

from tests.integration.mount.conftest import (
    Player,
    commit,
    daemon_pid,
    diff,
    kill,
    session_of,
    tree_of,
    wait_until,
    without_folder_modes,
)

pytestmark = pytest.mark.fuse

STEPS = 400


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
        if number % 150 == 120:
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
