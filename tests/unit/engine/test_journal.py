"""The journal of a session: what was synced is there, the rest may be cut off, nothing mixed."""

import errno
import os

import pytest

from jupyter_datalake.engine.journal import JOURNAL_MAGIC, Journal, read_journal
from jupyter_datalake.errors import CorruptDataError, ErrorKind, StorageError

FIRST, SECOND, THIRD = ["act", 1, "x" * 40], ["act", 2, "y" * 9000], ["act", 3, "z" * 40]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


def written(path, *acts, sync_after=None):
    """Write acts, sync behind one of them, and return where each ends."""
    journal = Journal(path)
    ends = []
    for act in acts:
        journal.append(act)
        ends.append(path.stat().st_size)
        if act is sync_after:
            journal.sync()
    journal.close()
    return ends


def replaced(path, begin, data):
    whole = bytearray(path.read_bytes())
    whole[begin : begin + len(data)] = data
    path.write_bytes(whole)


def test_what_was_appended_is_read_back_without_the_journal_s_own_records(path):
    written(path, FIRST, SECOND, THIRD, sync_after=SECOND)
    assert list(read_journal(path)) == [FIRST, SECOND, THIRD]
    journal = Journal(path)
    journal.append(FIRST)
    journal.close()
    assert list(read_journal(path)) == [FIRST, SECOND, THIRD, FIRST]


def test_a_page_that_a_power_cut_lost_cuts_off_itself_and_what_is_behind_it(path):
    ends = written(path, FIRST, SECOND, THIRD, sync_after=FIRST)
    replaced(path, 4096, bytes(4096))
    assert list(read_journal(path)) == [FIRST]
    assert ends[0] < path.stat().st_size < 4096
    assert list(read_journal(path)) == [FIRST]


def test_a_lost_length_cuts_off_what_is_behind_it_too(path):
    ends = written(path, FIRST, SECOND, THIRD)
    replaced(path, ends[0], bytes(8))
    assert list(read_journal(path)) == [FIRST]
    assert path.stat().st_size == ends[0]


@pytest.mark.parametrize("place", [0, 4, 8, 100, 5000])
def test_damage_in_what_was_synced_is_an_error_and_changes_nothing(path, place):
    ends = written(path, FIRST, SECOND, THIRD, sync_after=THIRD)
    replaced(path, ends[0] + place, b"\xff")
    before = path.read_bytes()
    with pytest.raises(CorruptDataError) as damaged:
        list(read_journal(path))
    assert damaged.value.kind is ErrorKind.CORRUPT_JOURNAL
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", range(len(JOURNAL_MAGIC)))
@pytest.mark.parametrize("zeros", [0, 3, 8, 4096])
def test_a_journal_killed_in_its_first_bytes_can_be_begun_again(path, kept, zeros):
    path.write_bytes(JOURNAL_MAGIC[:kept] + bytes(zeros))
    assert list(read_journal(path)) == []
    written(path, FIRST)
    assert list(read_journal(path)) == [FIRST]


def test_a_journal_of_another_version_is_refused_and_kept(path):
    written(path, FIRST)
    replaced(path, len(JOURNAL_MAGIC) - 1, b"\x02")
    before = path.read_bytes()
    with pytest.raises(CorruptDataError):
        list(read_journal(path))
    assert path.read_bytes() == before


def test_a_sync_of_what_is_durable_writes_nothing(path):
    journal = Journal(path)
    journal.append(FIRST)
    journal.sync()
    size = path.stat().st_size
    journal.sync()
    assert path.stat().st_size == size
    journal.close()


def test_half_a_record_that_could_not_be_undone_at_once_is_undone_before_the_next(
    path, monkeypatch
):
    journal = Journal(path)
    journal.append(FIRST)

    class Broken:
        def __init__(self, file):
            self._file = file

        def write(self, data):
            self._file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

        def fileno(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(journal, "_file", Broken(journal._file))
        for act in (SECOND, THIRD):
            with pytest.raises(StorageError, match="cannot be written"):
                journal.append(act)
    journal.append(THIRD)
    journal.close()
    assert list(read_journal(path)) == [FIRST, THIRD]


def test_what_nobody_synced_is_given_to_the_system_again_when_it_is_read(path):
    """Of a sync that failed, pages may be left that pass for written."""
    journal = Journal(path)
    journal.append(FIRST)
    journal.sync()
    journal.close()
    os.utime(path, ns=(0, 0))
    assert list(read_journal(path)) == [FIRST]
    assert path.stat().st_mtime_ns == 0
    journal = Journal(path)
    journal.append(SECOND)
    journal.close()
    data = path.read_bytes()
    os.utime(path, ns=(0, 0))
    assert list(read_journal(path)) == [FIRST, SECOND]
    assert path.stat().st_mtime_ns > 0
    assert path.read_bytes() == data
