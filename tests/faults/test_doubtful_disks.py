"""D5: file systems that may say to two users of a lake that each of them holds a lock."""

import logging

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.storage import file_systems
from jupyter_datalake.testing.invariants import check_lake, contents_of

LINE = "36 24 0:31 / {place} rw,relatime shared:1 - {kind} somewhere:/export rw,vers=4.2\n"


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    """Make this process see a file system of a kind at a place: ``mounted("nfs4", folder)``."""
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)
    monkeypatch.setattr(file_systems, "_warned", set())
    mounts.write_text(LINE.format(place="/", kind="ext4"))

    def do(kind, place):
        escaped = str(place).replace("\\", "\\134").replace(" ", "\\040")
        with open(mounts, "a") as file:
            file.write(LINE.format(place=escaped, kind=kind))

    return do


def messages(caplog):
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def locks_of(lake):
    (found,) = [one for one in lake.maintenance.get_doctor() if one.name == "locks"]
    return str(found.verdict), found.found, found.advice


@pytest.mark.logs("where locks may not hold")
@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "fuse"])
def test_d5_a_lake_where_locks_may_lie_is_warned_of_once_when_it_is_made_or_opened(
    tmp_path, mounted, caplog, kind
):
    place = tmp_path / "my home"
    place.mkdir()
    mounted(kind, place)
    url = str(place / "lake")
    with Lake.create(url) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/x", "1")
        (message,) = messages(caplog)
        assert f"{url} is on {kind}, mounted at {place}" in message
        assert "from one machine at a time" in message
        verdict, found, advice = locks_of(lake)
        assert (verdict, f"is on {kind}" in found) == ("warn", True)
        assert "Postgres" in advice
    with Lake.open(url) as lake:
        assert len(messages(caplog)) == 1  # once in a process
    file_systems._warned.clear()
    with Lake.open(url) as lake:
        assert len(messages(caplog)) == 2
        assert contents_of(lake, "raw") == {"x": b"1"}
        check_lake(lake)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuseblk"])
def test_d5_disks_of_this_machine_and_overlays_of_containers_are_not_warned_of(
    tmp_path, mounted, caplog, kind
):
    mounted("nfs4", "/")
    mounted(kind, tmp_path)
    with Lake.create(str(tmp_path / "lake")) as lake:
        assert locks_of(lake) == ("ok", f"{lake.url} is on {kind}", "")
    assert messages(caplog) == []


def test_d5_the_nearest_and_last_of_what_is_mounted_counts(tmp_path, mounted):
    folder = tmp_path / "a" / "b"
    mounted("nfs4", tmp_path / "a")
    assert file_systems.file_system_of(folder) == ("nfs4", str(tmp_path / "a"))
    mounted("xfs", folder)
    assert file_systems.file_system_of(folder / "lake").kind == "xfs"
    mounted("tmpfs", folder)
    assert file_systems.file_system_of(folder / "lake").kind == "tmpfs"
    assert file_systems.file_system_of(tmp_path / "ab").kind == "ext4"
    (tmp_path / "link").symlink_to(folder)
    assert file_systems.file_system_of(tmp_path / "link").kind == "tmpfs"


def test_d5_where_nobody_can_tell_nothing_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "none")
    with Lake.create(str(tmp_path / "lake")) as lake:
        assert locks_of(lake)[0] == "ok"
    (tmp_path / "none").write_text("no line\n - x\n\n1 2 3 - ext4\n")
    assert file_systems.file_system_of(tmp_path) is None
    assert messages(caplog) == []


def test_d5_this_machine_s_own_list_is_understood(tmp_path):
    found = file_systems.file_system_of(tmp_path)
    assert found is not None
    assert str(tmp_path).startswith(found.mountpoint)
