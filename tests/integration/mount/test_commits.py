"""Commands on mounted sessions, and branches that others move."""

import mmap
import os
import threading
import time
from pathlib import Path

import pytest

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    PermissionDeniedError,
    StateError,
)
from tests.integration.mount.conftest import commit, diff, session_of, wait_until

pytestmark = pytest.mark.fuse


def test_a_commit_moves_the_branch_once_and_the_mount_goes_on_from_it(lake, raw):
    (raw / "x").write_text("1")
    made = commit(lake, "First words")
    assert [one.message for one in lake.commits.list("raw", "main")][:1] == ["First words"]
    assert lake.sessions.get(session_of(lake)).base_commit_id == made.id
    moves = [move for move in lake.refs.list_moves("raw") if move.new_commit_id == made.id]
    assert len(moves) == 1
    assert os.getxattr(raw / "x", "user.datalake.commit").decode() == made.id
    with pytest.raises(StateError) as refused:
        commit(lake)
    assert refused.value.kind is ErrorKind.NOTHING_TO_COMMIT


def test_a_bad_request_changes_nothing(lake, raw):
    (raw / "x").write_text("1")
    with pytest.raises(InvalidInputError):
        lake.sessions.commit(session_of(lake), "  ")
    assert diff(lake) == {"x": "added"}
    with pytest.raises(ConflictError) as refused:
        lake.sessions.open(session_of(lake))
    assert refused.value.kind is ErrorKind.SESSION_BUSY


def test_f11_files_open_for_writing_go_on_after_a_commit(lake, raw):
    with open(raw / "log", "w") as file:
        file.write("one\n")
        file.flush()
        commit(lake)
        file.write("two\n")
        file.flush()
        assert diff(lake) == {"log": "modified"}
        commit(lake)
        assert diff(lake) == {}
        file.write("three\n")
    assert diff(lake) == {"log": "modified"}
    assert lake.files.read("raw@main/log") == b"one\ntwo\n"
    assert (raw / "log").read_text() == "one\ntwo\nthree\n"


def test_reading_goes_on_while_a_large_commit_is_hashed(lake, raw):
    (raw / "small").write_text("hello")
    with open(raw / "large", "wb") as file:
        for _ in range(64):
            file.write(os.urandom(4 << 20))
    waits, done = [], threading.Event()

    def look():
        while not done.is_set():
            began = time.monotonic()
            assert (raw / "small").read_text() == "hello"
            assert not (raw / f"missing-{began}").exists()
            waits.append(time.monotonic() - began)

    reader = threading.Thread(target=look)
    reader.start()
    began = time.monotonic()
    commit(lake)
    took = time.monotonic() - began
    done.set()
    reader.join()
    assert len(waits) > 5
    assert max(waits) < max(0.5, took / 2)


def test_discard_shows_what_the_commit_says(lake, raw):
    (raw / "kept").write_text("committed")
    (raw / "gone").write_text("committed")
    commit(lake)
    (raw / "kept").write_text("staged")
    (raw / "gone").unlink()
    (raw / "new" / "deep").mkdir(parents=True)
    (raw / "new" / "deep" / "x").write_text("1")
    assert (raw / "kept").read_text() == "staged"

    lake.sessions.discard(session_of(lake))
    assert sorted(os.listdir(raw)) == ["gone", "kept"]
    assert (raw / "kept").read_text() == "committed"
    assert (raw / "gone").read_text() == "committed"
    assert diff(lake) == {}


def test_discard_of_some_paths_leaves_the_others(lake, raw):
    (raw / "a").write_text("committed")
    (raw / "b").write_text("committed")
    commit(lake)
    (raw / "a").write_text("staged a")
    (raw / "b").write_text("staged b")
    (raw / "new").mkdir()
    (raw / "new" / "x").write_text("1")

    lake.sessions.discard(session_of(lake), ["a", "new/x"])
    assert (raw / "a").read_text() == "committed"
    assert (raw / "b").read_text() == "staged b"
    assert not (raw / "new").exists()
    assert diff(lake) == {"b": "modified"}


def test_a_file_open_while_it_is_discarded_shows_the_commit_and_can_be_written_on(lake, raw):
    (raw / "x").write_text("committed")
    commit(lake)
    with open(raw / "x", "r+") as file:
        file.write("STAGED")
        file.flush()
        lake.sessions.discard(session_of(lake))
        file.seek(0)
        assert file.read() == "committed"
        file.seek(0)
        file.write("again")
    assert (raw / "x").read_text() == "againtted"
    assert diff(lake) == {"x": "modified"}


def test_a_clean_mount_takes_in_what_others_commit(lake, raw):
    lake.files.put("raw@main/x", "theirs")
    began = time.monotonic()
    wait_until(lambda: (raw / "x").read_text() == "theirs")
    assert time.monotonic() - began < 2
    (raw / "y").write_text("ours")
    commit(lake)
    assert {info.path for info in lake.files.list("raw@main")} == {"x", "y"}


def test_a_commit_is_rebased_over_other_paths(lake, raw):
    (raw / "ours").write_text("1")
    lake.files.put("raw@main/theirs", "2")
    made = commit(lake)
    assert {info.path for info in lake.files.list(f"raw@{made.id}")} == {"ours", "theirs"}
    assert sorted(os.listdir(raw)) == ["ours", "theirs"]
    assert (raw / "theirs").read_text() == "2"


def test_f14_a_conflict_is_told_and_everything_staged_is_kept(lake, raw):
    (raw / "x").write_text("base")
    commit(lake)
    (raw / "x").write_text("ours")
    lake.files.put("raw@main/x", "theirs")
    with pytest.raises(ConflictError) as refused:
        commit(lake)
    assert refused.value.context["paths"] == ["x"]
    assert (raw / "x").read_text() == "ours"
    assert diff(lake) == {"x": "modified"}
    lake.sessions.discard(session_of(lake), ["x"])
    wait_until(lambda: (raw / "x").read_text() == "theirs")


def test_f14_what_is_staged_stands_on_the_old_head_until_it_is_committed(lake, raw):
    (raw / "x").write_text("base")
    commit(lake)
    (raw / "y").write_text("staged")
    lake.files.put("raw@main/x", "theirs")
    time.sleep(1.5)
    assert (raw / "x").read_text() == "base"
    commit(lake)
    assert (raw / "x").read_text() == "theirs"


def test_a_read_only_branch_follows_its_head(lake, point):
    for name in ("changed", "removed", "same"):
        lake.files.put(f"raw@main/d/{name}", f"old {name}")
    folder = Path(lake.mounts.create("raw", writable=False, at=point).path) / "d"
    assert (folder / "changed").read_text() == "old changed"
    same = (folder / "same").stat()
    assert (folder / "removed").exists()
    assert not (folder / "added").exists()

    with (
        open(folder / "changed") as reader,
        mmap.mmap(reader.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        lake.sessions.create("raw") as session,
    ):
        session.put("d/changed", "new")
        session.put("d/added", "added")
        session.delete("d/removed")
        session.commit("Change")
        began = time.monotonic()
        wait_until(lambda: (folder / "changed").read_text() == "new")
        assert time.monotonic() - began < 2
        assert mapped[:] == b"old changed"
        assert reader.read() == "old changed"
    assert sorted(os.listdir(folder)) == ["added", "changed", "same"]
    assert not (folder / "removed").exists()
    assert (folder / "added").read_text() == "added"
    assert (folder / "same").stat() == same


def test_a_followed_branch_may_be_replaced_by_quite_another_tree(lake, point):
    lake.files.put("raw@main/a/b/c", "1")
    lake.files.put("raw@main/f", "2")
    folder = Path(lake.mounts.create("raw", writable=False, at=point).path)
    assert (folder / "a" / "b" / "c").read_text() == "1"
    assert (folder / "f").read_text() == "2"
    with lake.sessions.create("raw") as session:
        session.delete("a")
        session.delete("f")
        session.put("a", "now a file")
        session.put("f/x", "now a folder")
        session.commit("Turn it over")
    wait_until((folder / "a").is_file)
    assert (folder / "a").read_text() == "now a file"
    assert (folder / "f" / "x").read_text() == "now a folder"


def test_what_is_no_branch_is_read_only(lake, point):
    lake.refs.create_tag("raw", "v1")
    tagged = lake.mounts.create("raw", "v1", at=point)
    assert (tagged.name, tagged.is_writable) == ("raw@v1", False)
    earlier = lake.mounts.create("raw", "main~0", at=point)
    assert (earlier.name, earlier.is_writable) == ("raw@main~0", False)
    with pytest.raises(PermissionDeniedError):
        lake.mounts.create("raw", "v1", writable=True, at=point)
    with pytest.raises(AlreadyExistsError):
        lake.mounts.create("raw", "v1", at=point)
    assert len(lake.mounts.list()) == 2


def test_two_branches_of_a_repo_are_shown_side_by_side(lake, raw, point):
    lake.refs.create_branch("raw", "dev")
    dev = lake.mounts.create("raw", "dev", at=point)
    assert dev.name == "raw@dev"
    (Path(dev.path) / "x").write_text("dev")
    (raw / "x").write_text("main")
    lake.sessions.commit(dev.session_id, "On dev")
    assert lake.files.read("raw@dev/x") == b"dev"
    assert diff(lake) == {"x": "added"}


def test_staged_changes_are_announced_to_followers(lake, raw):
    session = session_of(lake)

    def announcements():
        with lake.core.metadata.read() as tx:
            return sum(event.subject == session for event in tx.events.list(0, limit=1_000))

    before = announcements()
    (raw / "x").write_text("1")
    wait_until(lambda: announcements() == before + 1)


def test_a_mount_follows_merges_resets_and_undo_and_shows_what_was(lake, raw):
    (raw / "a").write_text("1")
    first = commit(lake)
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/theirs", "2")
    lake.files.put("raw@main/ours", "3")
    wait_until((raw / "ours").exists)
    lake.commits.merge("raw", "dev")
    wait_until((raw / "theirs").exists)
    assert sorted(os.listdir(raw)) == ["a", "ours", "theirs"]
    with pytest.raises(StateError) as refused:
        lake.refs.reset("raw", "main", first.id)
    assert refused.value.kind is ErrorKind.IN_USE
    lake.refs.reset("raw", "main", first.id, force=True)
    wait_until(lambda: os.listdir(raw) == ["a"])
    shown = raw.parent
    assert sorted(os.listdir(shown / "raw@main@{1}")) == ["a", "ours", "theirs"]
    assert sorted(os.listdir(shown / "raw@main@{1}^2")) == ["a", "theirs"]
    assert not (shown / "raw@main@{99}").exists()
    lake.refs.undo("raw", "main", force=True)
    wait_until((raw / "theirs").exists)
    (raw / "b").write_text("4")
    commit(lake)
    assert lake.files.read("raw@main/b") == b"4"
    assert {info.path for info in lake.files.list("raw@main")} == {"a", "b", "ours", "theirs"}
