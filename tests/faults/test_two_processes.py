"""Several processes on one lake: everything that was acknowledged is there, nothing twice."""

import json
import os
import signal
import subprocess
import sys

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.errors import ConflictError, ErrorKind, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of
from tests.faults.conftest import wait_until

DATALAKE = [sys.executable, "-m", "jupyter_datalake.cli.main"]


def at_once(programs):
    """Let programs that are ready go at the same moment; return the last line of each."""
    for one in programs:
        assert one.says() == ["ready"]
    for one in programs:
        one.tell()
    return [one.says() for one in programs]


def test_commits_to_different_paths_of_one_branch_are_all_kept_in_one_line(lake, start):
    assert at_once([start("put_many", lake.url, name, 15) for name in "abc"]) == [["done"]] * 3
    assert contents_of(lake, "raw") == {
        f"{name}/{number}": f"{name} {number}".encode() for name in "abc" for number in range(15)
    }
    assert len(history_of(lake, "raw")) == 1 + 3 * 15
    check_lake(lake)


def test_commits_to_the_same_path_conflict_and_none_is_lost(lake, start):
    lake.files.put("raw@main/guests", "")
    ended = at_once([start("sign", lake.url, name, 10) for name in "abc"])
    assert [words[0] for words in ended] == ["conflicts"] * 3
    guests = lake.files.read("raw@main/guests").decode().split()
    assert sorted(guests) == sorted(f"{name}{number}" for name in "abc" for number in range(10))
    assert len(history_of(lake, "raw")) == 2 + 30
    assert sum(int(words[1]) for words in ended) > 0, "they never met"
    check_lake(lake)


def test_a_conflict_lists_the_paths_and_keeps_what_is_staged(lake):
    """With the other side in a process of its own, through the command line."""
    with lake.sessions.create("raw") as session:
        for name in ("b", "a", "mine"):
            session.put(name, "staged")
        put = [*DATALAKE, "--lake", lake.url, "files", "put"]
        for name in ("a", "b", "theirs"):
            text = f"{name} by another process"
            subprocess.run([*put, f"raw@main/{name}", "-"], input=text.encode(), check=True)
        before = history_of(lake, "raw")
        with pytest.raises(ConflictError, match="a, b") as caught:
            session.commit("mine")
        assert caught.value.kind is ErrorKind.PATHS_CONFLICT
        assert caught.value.context["paths"] == ["a", "b"]
        assert [change.path for change in session.diff()] == ["a", "b", "mine"]
        assert history_of(lake, "raw") == before
        (info,) = lake.sessions.list()
    done = subprocess.run(
        [*DATALAKE, "--lake", lake.url, "commit", info.id, "-m", "again", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (11, "")
    error = json.loads(done.stderr)
    assert (error["kind"], error["details"]["paths"]) == ("paths-conflict", ["a", "b"])
    lake.sessions.discard(info.id, ["a", "b"])
    lake.sessions.commit(info.id, "the rest")
    assert contents_of(lake, "raw") == {
        "a": b"a by another process",
        "b": b"b by another process",
        "mine": b"staged",
        "theirs": b"theirs by another process",
    }


def test_d4_a_session_that_another_process_has_open_is_busy_until_that_process_is_killed(
    lake, start
):
    holder = start("hold_session", lake.url)
    word, session_id = holder.says()
    assert word == "session"
    for verb in (
        lake.sessions.open,
        lake.sessions.diff,
        lake.sessions.delete,
        lambda one: lake.sessions.commit(one, "not yours"),
    ):
        with pytest.raises(ConflictError, match="open in another process") as caught:
            verb(session_id)
        assert caught.value.kind is ErrorKind.SESSION_BUSY
        assert caught.value.retryable
    done = subprocess.run(
        [*DATALAKE, "--lake", lake.url, "sessions", "diff", session_id],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 11
    (line,) = done.stderr.splitlines()
    assert session_id in line
    assert "work in the mounted folder" in line
    holder.kill()
    assert [change.path for change in lake.sessions.diff(session_id)] == ["staged"]
    lake.sessions.commit(session_id, "taken over")
    assert contents_of(lake, "raw") == {"staged": b"by the holder"}


@pytest.mark.parametrize("what", ["repo", "lake"])
def test_of_two_that_make_the_same_thing_at_once_one_does_and_the_other_is_told(
    lake, start, tmp_path, what
):
    url = lake.url if what == "repo" else str(tmp_path / "new")
    ended = at_once([start("make_same", url, what) for _ in range(3)])
    assert sorted(words[0] for words in ended) == sorted(["made", *[f"{what}-exists"] * 2])
    with Lake.open(url) as opened:
        if what == "repo":
            assert [repo.name for repo in opened.repos.list()] == ["raw", "same"]
        opened.repos.create("after")
        check_lake(opened)


def test_a_lake_opened_twice_shows_both_what_the_other_commits(lake):
    with Lake.open(lake.url) as other:
        lake.files.put("raw@main/a", "one")
        assert other.files.read("raw@main/a") == b"one"
        other.files.put("raw@main/a", "two")
        assert lake.files.read("raw@main/a") == b"two"
        assert [event.number for event in lake.events.list(after=0, limit=100)] == [
            event.number for event in other.events.list(after=0, limit=100)
        ]


def test_p1_a_process_that_keeps_the_database_is_waited_for_and_then_named_with_its_number(
    lake, start
):
    config = LakeConfig(lake.url, database_wait_s=0.2)
    with Lake.open(config) as impatient:
        holder = start("hold_database", lake.url)
        assert holder.says() == ["holding"]
        with pytest.raises(StorageError, match="holds a long transaction") as caught:
            impatient.files.put("raw@main/x", "x")
        if os.path.exists("/proc/locks"):  # p1: busy, held by whom
            assert caught.value.context["pid"] == holder.process.pid
            assert f"{holder.process.pid} (" in str(caught.value)
            assert "programs.py" in str(caught.value)
        assert "locked" not in str(caught.value)
        assert caught.value.kind is ErrorKind.DATABASE_BUSY
        assert caught.value.retryable
        assert impatient.files.list("raw@main") == []  # reading goes on
        os.kill(holder.process.pid, signal.SIGKILL)
        wait_until(lambda: holder.process.poll() is not None)
        impatient.files.put("raw@main/x", "x")
    check_lake(lake)
