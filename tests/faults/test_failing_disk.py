"""E6: a disk that fails. Nothing is believed of it any more, until the lake is opened again."""

import errno
import os
import sqlite3

import pytest
from sqlalchemy.engine.default import DefaultDialect

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

pytestmark = pytest.mark.logs("is read-only from now on: .*(Input/output error|disk I/O error)")


def failing(call, place):
    """Return a system call that fails once, for a file below a folder, and then works again."""
    real, failed = getattr(os, call), []

    def fail(descriptor, *rest):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if not failed and place in path:
            failed.append(path)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, *rest)

    return fail, failed


@pytest.fixture
def stored(lake):
    lake.files.put("raw@main/old", b"old" * 100)
    return lake


def assert_reads_and_does_not_write(lake):
    """Check that a lake is as it was, shows it, and refuses every door to a change."""
    before = history_of(lake, "raw"), lake.repos.list(), lake.refs.list("raw")
    assert contents_of(lake, "raw") == {"old": b"old" * 100}
    for change in (
        lambda: lake.files.put("raw@main/new", b"new" * 100),
        lambda: lake.files.delete("raw@main/old"),
        lambda: lake.repos.create("more"),
        lambda: lake.refs.create_branch("raw", "dev"),
        lambda: lake.sessions.create("raw"),
        lake.maintenance.gc,
    ):
        with pytest.raises(StorageError, match="was marked read-only after an I/O error") as found:
            change()
        assert found.value.kind is ErrorKind.STORAGE_FAILED
        assert found.value.errno == errno.EROFS
        assert "open the lake again" in found.value.hint
    assert (history_of(lake, "raw"), lake.repos.list(), lake.refs.list("raw")) == before
    assert contents_of(lake, "raw") == {"old": b"old" * 100}


def assert_works_when_opened_again(lake):
    with Lake.open(lake.url, author=lake.author) as again:
        again.files.put("raw@main/new", b"new" * 100)
        assert contents_of(again, "raw") == {"old": b"old" * 100, "new": b"new" * 100}
        check_lake(again)


@pytest.mark.parametrize("call", ["fsync", "pwrite"])
def test_e6_an_object_that_could_not_be_written_makes_the_lake_read_only(stored, monkeypatch, call):
    """The second fsync of the same file would succeed: the kernel has dropped the pages."""
    fail, failed = failing(call, "/objects/.tmp/")
    objects = {one.name for one in stored.core.objects.list("")}
    with monkeypatch.context() as disk:
        disk.setattr(os, call, fail)
        with pytest.raises(StorageError, match="Input/output error") as found:
            stored.files.put("raw@main/new", b"new" * 100)
    assert found.value.kind is ErrorKind.STORAGE_UNAVAILABLE
    assert not found.value.retryable
    assert not os.path.exists(failed[0])  # the file that was not synced is gone, and not named
    assert {one.name for one in stored.core.objects.list("")} == objects
    assert_reads_and_does_not_write(stored)
    assert_works_when_opened_again(stored)


def test_e6_a_folder_whose_names_could_not_be_synced_makes_the_lake_read_only(stored, monkeypatch):
    fail, failed = failing("fsync", "/objects/packs")
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", fail)
        with pytest.raises(StorageError, match="Input/output error"):
            stored.files.put("raw@main/new", b"new" * 100)
    assert failed
    assert_reads_and_does_not_write(stored)
    assert_works_when_opened_again(stored)


def test_e6_a_commit_that_the_database_could_not_sync_makes_the_lake_read_only(stored, monkeypatch):
    def fail(dialect, connection):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with monkeypatch.context() as disk:
        disk.setattr(DefaultDialect, "do_commit", fail)
        with pytest.raises(StorageError, match="disk I/O error"):
            stored.files.put("raw@main/new", b"new" * 100)
    assert_reads_and_does_not_write(stored)
    assert_works_when_opened_again(stored)


def test_e6_a_session_whose_journal_could_not_be_synced_takes_no_more(stored, monkeypatch):
    session = stored.sessions.create("raw")
    session.put("a", b"1")
    session._session.sync()
    session.put("b", b"2")
    fail, failed = failing("fsync", "/journal")
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", fail)
        with pytest.raises(StorageError, match="Input/output error"):
            session._session.sync()
    assert failed
    for act in (
        session._session.sync,
        lambda: session.put("c", b"3"),
        lambda: session.delete("a"),
        lambda: session.commit("in vain"),
    ):
        with pytest.raises(StorageError, match="was marked read-only"):
            act()
    with pytest.raises(StorageError, match="was marked read-only"):
        session.close()
    assert_reads_and_does_not_write(stored)
    with Lake.open(stored.url, author=stored.author) as again:
        (info,) = again.sessions.list()
        with again.sessions.open(info.id) as session:
            assert sorted(change.path for change in session.diff()) == ["a", "b"]
            session.commit("both")
        assert contents_of(again, "raw") == {"old": b"old" * 100, "a": b"1", "b": b"2"}
        check_lake(again)


@pytest.mark.logs("nothing is expected in the log")
def test_e6_what_cannot_be_read_is_named_and_the_lake_stays_writable(stored, monkeypatch):
    """A bad sector: healing it needs to write."""
    fail, failed = failing("pread", "/objects/packs/")
    with Lake.open(stored.url, author=stored.author) as other:
        with monkeypatch.context() as disk:
            disk.setattr(os, "pread", fail)
            with pytest.raises(StorageError, match=r"packs/.*Input/output error"):
                other.files.read("raw@main/old")
        assert failed
        assert other.files.read("raw@main/old") == b"old" * 100
        other.files.put("raw@main/new", b"new" * 100)
        assert contents_of(other, "raw") == {"old": b"old" * 100, "new": b"new" * 100}
        check_lake(other)
