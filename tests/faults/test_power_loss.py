"""The power is cut at any moment of a series of verbs: what was acknowledged is there."""

from dataclasses import replace

import pytest

from jupyter_datalake.testing.power_loss import Loss, examine, record

SEED = 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """What a series of verbs did to a disk."""
    try:
        return record(tmp_path_factory.mktemp("power"), 20, SEED)
    except OSError as error:
        pytest.skip(f"needs a FUSE file system of its own: {error}")


def test_e9_what_was_acknowledged_survives_every_way_of_losing_what_was_not_synced(
    recording, tmp_path
):
    report = examine(recording, tmp_path, 48, SEED)
    assert report.losses == []
    assert set(report.states) == {*Loss}
    assert 0 < report.undone < 48


@pytest.mark.parametrize("unsynced", ["files", "folders"])
def test_a_disk_on_which_nobody_syncs_is_noticed(recording, tmp_path, unsynced):
    """The same acts without their syncs: the examination would see a sync that is missing."""
    folders = {1} | {act[1] for act in recording.log if act[0] == "make" and act[2] & 0o040000}
    is_folder = unsynced == "folders"
    log = [act for act in recording.log if act[0] != "sync" or (act[1] in folders) is not is_folder]
    assert len(log) < len(recording.log)
    report = examine(replace(recording, log=log), tmp_path, 12, SEED)
    assert len(report.losses) > 3
