"""The record of clean files: in order, merged, and never a reason to miss a change."""

import os

import msgpack
import pytest

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.mount.clean_files import CleanFiles, Notes, remove_record

LONG_AGO = 10**20
"""When it is looked at files whose times can be relied on."""


@pytest.fixture
def record(tmp_path):
    return tmp_path / "deep" / "record"


@pytest.fixture
def status(tmp_path):
    (tmp_path / "file").write_text("1")
    return os.lstat(tmp_path / "file")


def save(record, status, *keys, dropped=(), commit="c"):
    with CleanFiles(record) as clean:
        for key in sorted([*keys, *dropped]):
            if key in dropped:
                clean.notes.drop(key)
            else:
                assert clean.notes.add(key, status, LONG_AGO)
        clean.save(CommitId(commit))


def known(record, status, keys=(b"a", b"a\0x", b"a.txt", b"b", b"c")):
    with CleanFiles(record) as clean:
        return clean.commit_id, [key for key in keys if clean.known.has(key, status)]


def test_what_is_noted_is_read_again_in_order_beside_what_was_known(record, status):
    assert known(record, status) == (None, [])
    save(record, status, b"a", b"b")
    assert known(record, status) == ("c", [b"a", b"b"])
    save(record, status, b"a\0x", b"b", b"c", dropped=[b"a", b"a.txt"], commit="d")
    assert known(record, status) == ("d", [b"a\0x", b"b", b"c"])
    assert os.listdir(record.parent) == ["record"]


def test_another_fingerprint_is_not_known_and_neither_is_what_is_asked_for_out_of_order(
    record, status, tmp_path
):
    save(record, status, b"a", b"b")
    (tmp_path / "file").write_text("another")
    assert known(record, os.lstat(tmp_path / "file")) == ("c", [])
    assert known(record, status, (b"b", b"a")) == ("c", [b"b"])


def test_folders_symlinks_and_files_written_just_now_are_not_noted(record, status, tmp_path):
    (tmp_path / "link").symlink_to("file")
    with Notes(record.parent) as notes:
        assert not notes.add(b"a", os.lstat(tmp_path), LONG_AGO)
        assert not notes.add(b"b", os.lstat(tmp_path / "link"), LONG_AGO)
        assert not notes.add(b"c", status, status.st_ctime_ns + 1_000_000)
        assert list(notes) == []
        assert not notes.has_clean


def test_a_record_that_is_cut_off_anywhere_says_of_no_changed_file_that_it_is_clean(record, status):
    save(record, status, b"a", b"b", b"c")
    whole = record.read_bytes()
    for length in range(len(whole)):
        record.write_bytes(whole[:length])
        commit, keys = known(record, status)
        assert commit in {None, "c"}
        assert keys == [b"a", b"b", b"c"][: len(keys)]
        assert commit == "c" or not keys


@pytest.mark.parametrize(
    "damage",
    [b"\xc1", b"\x81\xa1x\x01", b"\x01", b"\x92\x01\xa1c", b"\x92\x02\x07", b"\x93\x02\xa1c\x01"],
)
def test_what_is_no_record_says_nothing(record, status, damage):
    save(record, status, b"a")
    record.write_bytes(damage)
    assert known(record, status) == (None, [])
    save(record, status, b"b")
    assert known(record, status) == ("c", [b"b"])


@pytest.mark.parametrize("behind", [b"\xc1", b"\x07", b"\xa1a", b"\x91\xc4\x01a", b"\xc6\xff\xff"])
def test_damage_behind_some_rows_ends_the_record_there(record, status, behind):
    save(record, status, b"b")
    record.write_bytes(record.read_bytes() + behind)
    assert known(record, status) == ("c", [b"b"])
    save(record, status, b"c")
    assert known(record, status) == ("c", [b"b", b"c"])


def test_of_a_record_of_the_first_version_the_commit_is_read(record, status):
    record.parent.mkdir()
    old = {"commit": "c", "known": {b"a": [1, 2, 3, 4], b"\0": [1, 2, 3, 4]}}
    record.write_bytes(msgpack.packb(old))
    assert known(record, status) == ("c", [])
    save(record, status, b"a")
    assert known(record, status) == ("c", [b"a"])


def test_a_record_is_removed_with_what_a_kill_left_of_the_next(record, status):
    save(record, status, b"a")
    record.with_name("record.new").write_bytes(b"half")
    save(record, status, b"b")
    assert known(record, status) == ("c", [b"a", b"b"])
    record.with_name("record.new").write_bytes(b"half")
    remove_record(record)
    assert os.listdir(record.parent) == []
