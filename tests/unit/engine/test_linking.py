"""Linked exports: folders that show the same content share its bytes, and spoil none of it."""

import errno
import fcntl
import os
import random
import stat
import time

import pytest

from jupyter_datalake.engine import linking
from jupyter_datalake.errors import StorageError

LARGE = random.Random(1).randbytes(400_000)


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    with local_lake.sessions.create("raw", "main") as session:
        session.put("small", b"s" * 500)
        session.put("deep/large", LARGE)
        session.put("tiny", b"t")
        session.commit("files")
    return local_lake


def check(folder):
    assert (folder / "small").read_bytes() == b"s" * 500
    assert (folder / "deep/large").read_bytes() == LARGE
    assert (folder / "tiny").read_bytes() == b"t"


def kept_files(lake):
    return list((lake.core.work_folder / "files").glob("??/*"))


def test_two_exports_by_links_share_their_files(lake, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert lake.files.export("raw@main", first, link="hardlink") == 400_501
    assert lake.files.export("raw@main", second, link="hardlink") == 400_501
    check(first)
    check(second)
    assert os.path.samefile(first / "deep/large", second / "deep/large")
    assert os.path.samefile(first / "small", second / "small")
    assert (first / "small").stat().st_mtime_ns == (second / "small").stat().st_mtime_ns


def test_linked_files_are_read_only_and_copied_ones_are_not(lake, tmp_path):
    lake.files.export("raw@main", tmp_path / "linked", link="hardlink")
    lake.files.export("raw@main", tmp_path / "own")
    assert stat.S_IMODE((tmp_path / "linked/small").stat().st_mode) == 0o444
    assert stat.S_IMODE((tmp_path / "own/small").stat().st_mode) == 0o644
    assert (tmp_path / "own/small").stat().st_nlink == 1


@pytest.mark.parametrize("change", ["content", "size", "mode"])
def test_a_kept_file_that_somebody_changed_is_not_used_again(lake, tmp_path, change):
    first, second = tmp_path / "first", tmp_path / "second"
    lake.files.export("raw@main", first, link="hardlink")
    victim = first / "small"
    victim.chmod(0o644)
    if change == "content":
        victim.write_bytes(b"X" * 500)
        victim.chmod(0o444)
    elif change == "size":
        victim.write_bytes(b"")
        victim.chmod(0o444)
    lake.files.export("raw@main", second, link="hardlink")
    check(second)
    assert not os.path.samefile(victim, second / "small")
    assert os.path.samefile(first / "deep/large", second / "deep/large")


@pytest.mark.parametrize("code", [errno.EMLINK, errno.EXDEV, errno.EPERM])
def test_where_no_link_can_be_made_files_get_their_own_bytes(lake, tmp_path, monkeypatch, code):
    def refuses(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuses)
    lake.files.export("raw@main", tmp_path / "out", link="hardlink")
    check(tmp_path / "out")


def test_equal_content_with_other_permissions_is_kept_apart(lake, tmp_path):
    script = tmp_path / "script"
    script.write_bytes(b"s" * 500)
    script.chmod(0o755)
    os.utime(script, ns=(0, lake.files.get("raw@main/small").mtime_ns))
    lake.files.put("raw@main/script", script)
    lake.files.export("raw@main", tmp_path / "out", link="hardlink")
    assert stat.S_IMODE((tmp_path / "out/script").stat().st_mode) == 0o555
    assert stat.S_IMODE((tmp_path / "out/small").stat().st_mode) == 0o444


def test_a_file_system_that_cannot_share_blocks_says_so_and_writes_nothing(
    lake, tmp_path, monkeypatch
):
    def refuses(*_):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "ioctl", refuses)
    with pytest.raises(StorageError, match="cannot share blocks") as caught:
        lake.files.export("raw@main", tmp_path / "out", link="reflink")
    assert "--link" in caught.value.hint
    assert list(tmp_path.glob("*out*")) == []
    assert kept_files(lake) == []


def test_files_that_share_blocks_are_writable_and_independent(lake, tmp_path, monkeypatch):
    def clone(target, command, source):
        assert command == 0x40049409
        os.pwrite(target, os.pread(source, 1 << 20, 0), 0)

    monkeypatch.setattr(fcntl, "ioctl", clone)
    first, second = tmp_path / "first", tmp_path / "second"
    lake.files.export("raw@main", first, link="reflink")
    (first / "small").write_bytes(b"mine")
    lake.files.export("raw@main", second, link="reflink")
    check(second)
    assert stat.S_IMODE((second / "small").stat().st_mode) == 0o644
    assert len(kept_files(lake)) == 2


def test_what_no_folder_shows_any_more_is_removed_after_a_week(lake, tmp_path, monkeypatch):
    lake.files.export("raw@main", tmp_path / "first", link="hardlink")
    (tmp_path / "first/small").unlink()
    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr(linking.time, "time", lambda: later)
    lake.files.export("raw@main/deep", tmp_path / "second", link="hardlink")
    assert [path.stat().st_size for path in kept_files(lake)] == [len(LARGE)]
    assert (tmp_path / "first/deep/large").read_bytes() == LARGE
