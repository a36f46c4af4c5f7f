"""Whole local folders: committed in one walk, and not read again while they stay as they are."""

import os
import random
import threading

import pytest

from jupyter_datalake.engine import importing, nodes, stat_cache
from jupyter_datalake.engine.commits import CommitRequest
from jupyter_datalake.engine.importing import import_folder
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.testing.faults import FaultyObjectStore, with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    yield memory_lake
    check_lake(memory_lake)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "local"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "empty").mkdir()
    (place / "a").write_text("hello")
    (place / "deep" / "er" / "large").write_bytes(random.Random(1).randbytes(400_000))
    (place / "deep!").write_bytes(b"x" * 100)
    (place / "link").symlink_to("a")
    return place


@pytest.fixture
def trusting(monkeypatch):
    """Trust times at once: the files of a test are always younger than the cache waits for."""
    monkeypatch.setattr(stat_cache, "_SETTLED_NS", -(10**12))


def take(lake, folder, path="", **options):
    request = CommitRequest("raw", "main", "import", Author("ada"))
    return import_folder(lake.core, folder, RepoPath(path), request, **options)


def test_everything_below_a_folder_is_committed_at_once(lake, folder):
    done = take(lake, folder, "in/here")
    assert contents_of(lake, "raw") == {
        "in/here/a": b"hello",
        "in/here/deep!": b"x" * 100,
        "in/here/deep/er/large": (folder / "deep/er/large").read_bytes(),
        "in/here/empty": None,
        "in/here/link": b"a",
    }
    assert done.read_count == 3
    assert done.skipped == []
    assert len(history_of(lake, "raw")) == 2


def test_a_folder_that_did_not_change_is_not_read_again(lake, folder, trusting):
    first = take(lake, folder)
    again = take(lake, folder)
    assert again.read_count == 0
    assert again.result.commit == first.result.commit


def test_only_files_that_changed_are_read(lake, folder, trusting):
    take(lake, folder)
    status = (folder / "a").stat()
    (folder / "a").write_text("HELLO")
    os.utime(folder / "a", ns=(status.st_atime_ns, status.st_mtime_ns))  # times that lie
    (folder / "new").write_text("new")
    done = take(lake, folder)
    assert done.read_count == 2
    assert contents_of(lake, "raw")["a"] == b"HELLO"
    assert contents_of(lake, "raw")["new"] == b"new"


def test_a_file_written_a_moment_ago_is_read_again_because_its_times_may_not_tell(lake, folder):
    take(lake, folder)
    assert take(lake, folder).read_count == 3


def test_what_the_branch_lost_meanwhile_is_read_and_committed_again(lake, folder, trusting):
    take(lake, folder)
    lake.files.delete("raw@main/deep")
    done = take(lake, folder)
    assert done.read_count == 1
    assert "deep/er/large" in contents_of(lake, "raw")


def test_the_cache_of_one_place_says_nothing_of_another(lake, folder, trusting):
    take(lake, folder)
    assert take(lake, folder, "elsewhere").read_count == 3
    assert contents_of(lake, "raw")["elsewhere/a"] == b"hello"


def test_without_the_cache_everything_is_read(lake, folder, trusting):
    take(lake, folder)
    assert take(lake, folder, use_cache=False).read_count == 3


@pytest.mark.parametrize("position", [0, 1, 40, 200, -3])
def test_a_damaged_cache_costs_time_and_nothing_else(lake, folder, trusting, position):
    take(lake, folder)
    (cache,) = (lake.core.work_folder / "imports").iterdir()
    damaged = bytearray(cache.read_bytes())
    damaged[position] ^= 0xFF
    cache.write_bytes(damaged)
    (folder / "a").write_text("other")
    take(lake, folder)
    assert contents_of(lake, "raw")["a"] == b"other"
    assert contents_of(lake, "raw")["deep!"] == b"x" * 100


def test_an_import_that_fails_leaves_the_old_cache_and_no_commit(
    lake, folder, trusting, monkeypatch
):
    take(lake, folder)
    before = sorted((lake.core.work_folder / "imports").iterdir())

    def fails(*_, **__):
        raise StorageError("the disk is gone")

    monkeypatch.setattr(importing, "commit_tree", fails)
    (folder / "a").write_text("other")
    with pytest.raises(StorageError):
        take(lake, folder)
    assert sorted((lake.core.work_folder / "imports").iterdir()) == before
    assert contents_of(lake, "raw")["a"] == b"hello"
    monkeypatch.undo()
    take(lake, folder)
    assert contents_of(lake, "raw")["a"] == b"other"


def test_files_that_grow_beyond_one_chunk_while_they_are_read_are_taken_whole(
    lake, folder, monkeypatch
):
    grown = random.Random(2).randbytes(300_000)
    real = os.fstat

    def grows(descriptor):
        status = real(descriptor)
        if os.readlink(f"/proc/self/fd/{descriptor}") == str(folder / "a") and status.st_size == 5:
            (folder / "a").write_bytes(grown)
        return status

    monkeypatch.setattr(os, "fstat", grows)
    take(lake, folder)
    assert contents_of(lake, "raw")["a"] == grown


def test_what_cannot_be_taken_is_named_and_the_rest_is_committed(lake, folder, monkeypatch):
    os.mkfifo(folder / "pipe")
    real = os.open

    def refuses(path, flags, *rest, **options):
        if path == os.fsencode(folder / "a"):
            raise PermissionError(13, "Permission denied", path)
        if path == os.fsencode(folder / "deep!"):
            raise FileNotFoundError(2, "No such file", path)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refuses)
    done = take(lake, folder)
    assert sorted(line.rpartition("/")[2] for line in done.skipped) == [
        "a: no permission to read it",
        "deep!: it went away while the folder was read",
        "pipe: neither a file, a folder nor a symlink",
    ]
    assert set(contents_of(lake, "raw")) == {"deep/er/large", "empty", "link"}


def test_a_folder_that_is_not_there_is_named(lake, tmp_path):
    with pytest.raises(PathNotFoundError, match="nowhere"):
        take(lake, tmp_path / "nowhere")
    assert len(history_of(lake, "raw")) == 1


def test_a_file_where_a_folder_is_needed_refuses_all_of_it(lake, folder):
    lake.files.put("raw@main/deep", b"a file")
    with pytest.raises(InvalidInputError, match="'deep' is a file"):
        take(lake, folder)
    assert contents_of(lake, "raw") == {"deep": b"a file"}


def test_a_file_where_an_empty_folder_comes_refuses_all_of_it(lake, folder):
    lake.files.put("raw@main/empty", b"a file")
    with pytest.raises(InvalidInputError, match="'empty' is a file"):
        take(lake, folder)
    assert contents_of(lake, "raw") == {"empty": b"a file"}


def test_a_folder_where_a_file_comes_refuses_all_of_it(lake, folder):
    lake.files.put("raw@main/a/below", b"x")
    with pytest.raises(AlreadyExistsError, match="folder is at 'a'"):
        take(lake, folder)
    assert contents_of(lake, "raw") == {"a/below": b"x"}


def test_empty_folders_give_way_to_files_in_them_and_full_ones_stay(lake, folder, tmp_path):
    first = tmp_path / "first"
    (first / "deep" / "er").mkdir(parents=True)
    (first / "empty").mkdir()
    (first / "empty" / "full").write_text("x")
    take(lake, first)
    assert set(contents_of(lake, "raw")) == {"deep/er", "empty/full"}
    take(lake, folder)
    assert set(contents_of(lake, "raw")) == {
        "a", "deep!", "deep/er/large", "empty/full", "link",
    }  # fmt: skip


class Interloper:
    """Commits something else between the reading and the commit of an import."""

    def __init__(self, lake, monkeypatch, act):
        self._act = act
        real = importing.commit_tree

        def commit_tree(*arguments, **named):
            if self._act is not None:
                act, self._act = self._act, None
                act()
            return real(*arguments, **named)

        monkeypatch.setattr(importing, "commit_tree", commit_tree)


def test_others_who_commit_other_paths_meanwhile_are_no_obstacle(lake, folder, monkeypatch):
    Interloper(lake, monkeypatch, lambda: lake.files.put("raw@main/theirs", b"theirs"))
    take(lake, folder)
    assert contents_of(lake, "raw")["theirs"] == b"theirs"
    assert contents_of(lake, "raw")["a"] == b"hello"
    assert len(history_of(lake, "raw")) == 3


def test_others_who_commit_the_same_content_meanwhile_are_no_obstacle(lake, folder, monkeypatch):
    Interloper(lake, monkeypatch, lambda: lake.files.put("raw@main/a", b"hello"))
    take(lake, folder)
    assert contents_of(lake, "raw")["a"] == b"hello"


@pytest.mark.parametrize("path", ["a", "deep", "deep/er/large/below"])
def test_others_who_commit_to_the_same_paths_meanwhile_are_a_conflict(
    lake, folder, monkeypatch, path
):
    Interloper(lake, monkeypatch, lambda: lake.files.put(f"raw@main/{path}", b"theirs"))
    with pytest.raises(ConflictError) as caught:
        take(lake, folder)
    assert caught.value.context["paths"]
    assert contents_of(lake, "raw") == {path: b"theirs"}


@pytest.mark.parametrize("leaves_kept", [1, 1024])
def test_a_tree_of_many_nodes_is_the_one_that_commits_one_by_one_make(
    lake, tmp_path, monkeypatch, leaves_kept
):
    monkeypatch.setattr(nodes, "_LEAVES_KEPT", leaves_kept)
    folder = tmp_path / "many"
    for number in range(1500):
        place = folder / f"{number % 37}" / f"{number % 5}!"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}").write_bytes(b"%d" % number * (number % 50))
    take(lake, folder)
    with lake.sessions.create("raw", "main") as session:
        session.delete("")
        session.commit("empty")
    lake.refs.create_branch("raw", "other")
    with lake.sessions.create("raw", "other") as session:
        session.put_tree(folder, "")
        by_session = session.commit("by session")
    done = take(lake, folder)
    assert done.result.commit.root == by_session.root
    assert len(contents_of(lake, "raw")) == 1500


def test_two_imports_at_once_both_arrive(lake, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b").write_text("b")
    threads = [threading.Thread(target=take, args=(lake, place)) for place in (folder, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"a", "b", "link"} <= set(contents_of(lake, "raw"))


@pytest.mark.parametrize("kind", [ErrorKind.STORAGE_FULL, ErrorKind.STORAGE_DENIED])
def test_a_store_that_cannot_be_written_is_not_taken_for_files_that_cannot_be_read(
    lake, folder, kind
):
    objects = FaultyObjectStore(lake.core.objects)
    objects.faults.fail_writes_from = 1
    objects.faults.error = lambda name: StorageError(f"no {name}", kind=kind)
    broken = Lake(with_objects(lake.core, objects), lake.author)
    before = history_of(lake, "raw")
    with pytest.raises(StorageError) as refused:
        take(broken, folder)
    assert refused.value.kind is kind
    assert history_of(lake, "raw") == before
