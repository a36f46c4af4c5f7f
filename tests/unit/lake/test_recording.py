"""What kernels and jobs read and write by the library is counted, and nothing fails by it."""

import multiprocessing
import os
import threading
from collections import Counter

import fsspec
import pytest

from jupyter_datalake.environment import NOTEBOOK_VARIABLE, OBSERVE_VARIABLE, observes
from jupyter_datalake.errors import ErrorKind, InvalidInputError, PathNotFoundError, StorageError
from jupyter_datalake.lake import recording
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.lineage import AccessKind, Observer, SeenBy
from jupyter_datalake.mount import observers
from jupyter_datalake.mount.observers import SeenProcess

NOTEBOOK = "work/a.ipynb"


@pytest.fixture
def kernel(monkeypatch):
    """This process, taken for a kernel."""
    observer = Observer("0" * 32, "host", os.getpid(), "ipykernel", "k", NOTEBOOK)
    monkeypatch.setattr(recording, "_this_process", lambda pid: SeenProcess(observer, pid))
    return observer


@pytest.fixture
def lake(tmp_path, kernel):
    with Lake.create(str(tmp_path / "lake")) as lake:
        lake.repos.create("raw")
        yield lake


def seen(lake):
    lake.recorder.write_down()
    return {(one.path, str(one.kind)): one for one in lake.lineage.observed()}


def opens(lake):
    """How often each path was read and written, whatever the commit."""
    lake.recorder.write_down()
    counts = Counter()
    for one in lake.lineage.observed():
        counts[one.path, str(one.kind)] += one.opens
    return counts


def test_reading_and_writing_is_recorded_with_its_commit(lake, kernel):
    commit = lake.files.put("raw@main/a.csv", "x,y\n1,2\n")
    lake.files.read("raw@main/a.csv")
    lake.files.open("raw@main/a.csv").close()
    lake.files.read_frame("raw@main/a.csv")
    found = seen(lake)
    assert {key: one.opens for key, one in found.items()} == {
        ("a.csv", "write"): 1,
        ("a.csv", "read"): 3,
    }
    for one in found.values():
        assert (one.seen_by, one.commit_id, one.session_id) == (SeenBy.READER, commit.id, None)
        assert one.observer == kernel


def test_a_folder_that_is_taken_whole_is_one_access(lake, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number in range(20):
        (source / f"{number}.txt").write_text(str(number))
    lake.files.put_tree("raw@main/data", source)
    lake.files.export("raw@main/data", tmp_path / "out")
    lake.files.export("raw@main/data", tmp_path / "links", link="hardlink")
    lake.files.copy("raw@main/data", "raw@main/more")
    lake.files.restore("raw@main~1/data")
    assert opens(lake) == {
        ("data", "write"): 2,
        ("data", "read"): 3,
        ("more", "write"): 1,
    }


def test_a_session_s_files_are_recorded_with_the_session(lake, tmp_path):
    first = lake.files.put("raw@main/a.txt", "a")
    with lake.sessions.create("raw") as session:
        session.put("b.txt", "b")
        session.open("a.txt").close()
        session.copy("raw@main/a.txt", "c.txt")
        session.put_tree(tmp_path / "lake" / "objects", "d")
        found = seen(lake)
        assert {key for key, one in found.items() if one.session_id == session.id} == {
            ("b.txt", "write"),
            ("c.txt", "write"),
            ("d", "write"),
            ("a.txt", "read"),
        }
        assert found["b.txt", "write"].commit_id == first.id
        session.discard()


def test_fsspec_is_recorded_too(lake):
    files = fsspec.filesystem("lake", lake_url=lake.url, skip_instance_cache=True)
    with files.open("raw@main/a.txt", "wb") as file:
        file.write(b"a")
    assert files.cat("raw@main/a.txt") == b"a"
    files.lake.close()
    assert set(opens(lake)) == {("a.txt", "write"), ("a.txt", "read")}


def test_what_fails_is_not_recorded(lake):
    with pytest.raises(PathNotFoundError):
        lake.files.read("raw@main/nothing")
    with pytest.raises(PathNotFoundError):
        lake.files.open("raw@main/nothing")
    assert opens(lake) == {}


def test_many_reads_are_few_transactions(lake, monkeypatch):
    monkeypatch.setattr(recording, "RECORD_S", 3600.0)  # also for the thread that the put starts
    lake.files.put("raw@main/a.txt", "a")
    lake.recorder.write_down()
    begun = []
    real = lake.core.metadata.write
    monkeypatch.setattr(lake.core.metadata, "write", lambda: begun.append(1) or real())
    for _ in range(500):
        lake.files.read("raw@main/a.txt")
    assert begun == []
    assert opens(lake)["a.txt", "read"] == 500
    assert len(begun) == 1


def test_memory_is_bounded(lake, monkeypatch):
    monkeypatch.setattr(observers, "MAX_WAITING", 2)
    monkeypatch.setattr(recording, "RECORD_S", 3600.0)
    with lake.sessions.create("raw") as session:
        for name in "abcd":
            session.put(name, name)
        session.discard()
    assert set(opens(lake)) == {("a", "write"), ("b", "write")}


def test_what_the_database_refuses_is_recorded_later(lake, monkeypatch):
    lake.files.put("raw@main/a.txt", "a")

    def refuse():
        raise StorageError("the database is gone", kind=ErrorKind.STORAGE_UNAVAILABLE)

    with monkeypatch.context() as patch:
        patch.setattr(lake.core.metadata, "write", refuse)
        assert lake.files.read("raw@main/a.txt") == b"a"
        lake.recorder.write_down()
    assert opens(lake) == {("a.txt", "write"): 1, ("a.txt", "read"): 1}


def test_a_thread_writes_it_down_by_itself_and_ends(lake, monkeypatch):
    monkeypatch.setattr(recording, "RECORD_S", 0.01)
    with lake.as_user(lake.author).sessions.create("raw") as session:
        session.put("a", "a")
        session.discard()
    for thread in threading.enumerate():
        if thread.name == "datalake-recorder":
            thread.join(timeout=60)
    assert {one.path for one in lake.lineage.observed()} == {"a"}


def test_closing_the_lake_writes_it_down(lake):
    with Lake.open(lake.url) as other:
        other.files.put("raw@main/a.txt", "a")
    assert {one.path for one in lake.lineage.observed()} == {"a.txt"}


def test_forked_children_record_for_themselves(lake):
    lake.files.put("raw@main/a.txt", "a")
    child = multiprocessing.get_context("fork").Process(
        target=lake.files.read, args=("raw@main/a.txt",)
    )
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    assert opens(lake) == {("a.txt", "write"): 1, ("a.txt", "read"): 1}


def test_only_kernels_and_jobs_are_recorded_unless_it_is_asked_for(lake, monkeypatch, kernel):
    here = SeenProcess(kernel, None)
    monkeypatch.setattr(recording, "_this_process", lambda pid: here)
    lake.files.put("raw@main/a.txt", "a")
    assert opens(lake) == {}
    monkeypatch.setenv("DATALAKE_JOB_ID", "1")
    lake.files.read("raw@main/a.txt")
    assert set(opens(lake)) == {("a.txt", "read")}
    monkeypatch.delenv("DATALAKE_JOB_ID")
    monkeypatch.setenv(OBSERVE_VARIABLE, "1")
    with Lake.open(lake.url) as other:
        other.files.put("raw@main/b.txt", "b")
    assert set(opens(lake)) == {("a.txt", "read"), ("b.txt", "write")}


def test_it_can_be_turned_off(lake, monkeypatch):
    monkeypatch.setenv(OBSERVE_VARIABLE, "0")
    with Lake.open(lake.url) as other:
        other.files.put("raw@main/a.txt", "a")
    assert opens(lake) == {}
    monkeypatch.setenv(OBSERVE_VARIABLE, "perhaps")
    with pytest.raises(InvalidInputError, match="'perhaps'"):
        observes()


def test_what_a_mount_saw_stays_apart_from_what_a_reader_saw(lake, kernel):
    commit = lake.files.put("raw@main/a.txt", "a")
    lake.files.read("raw@main/a.txt")
    lake.recorder.write_down()
    with lake.core.metadata.write() as tx:
        (mine,) = [one for one in tx.lineage.list_observed(limit=9) if one.kind is AccessKind.READ]
        tx.lineage.observe([observers.replace(mine, seen_by=SeenBy.MOUNT)])
    found = [one for one in lake.lineage.observed() if one.kind is AccessKind.READ]
    assert {one.seen_by for one in found} == {SeenBy.MOUNT, SeenBy.READER}
    assert {one.commit_id for one in found} == {commit.id}


def test_a_system_without_proc_knows_its_own_kernel(monkeypatch):
    monkeypatch.setattr(observers, "_read", lambda path: b"")
    monkeypatch.setattr(observers.sys, "orig_argv", ["python", "-f", "/run/kernel-42.json"])
    monkeypatch.setenv(NOTEBOOK_VARIABLE, NOTEBOOK)
    seen = observers.look_at_this()
    assert (seen.kernel_pid, seen.observer.kernel_id) == (os.getpid(), "42")
    assert seen.observer.notebook == NOTEBOOK
    monkeypatch.setattr(observers.sys, "orig_argv", ["python", "script.py"])
    assert observers.look_at_this().kernel_pid is None
