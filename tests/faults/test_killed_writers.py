"""Processes killed in the middle of writing: everything of it is there, or nothing."""

import itertools
import os
import random
import signal

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

DIED, DONE = "-9", "0"


def each_step(start, *arguments):
    """Yield the number of each step at which the act died, and None when it got to its end."""
    crasher = start("crash", *arguments)
    assert crasher.says() == ["ready"]
    for step in itertools.count(1):
        (code,) = crasher.ask(step)
        assert code in {DIED, DONE}, f"step {step} ended with {code}"
        if code == DONE:
            assert step > 5, "hardly a step was watched"
            yield None
            return
        yield step


def test_a_commit_killed_at_any_step_is_whole_or_not_there_and_its_session_intact(lake, start):
    lake.files.put("raw@main/kept", "committed")
    with lake.sessions.create("raw") as session:
        session.put("kept", "staged 0" * 20_000)
    (info,) = lake.sessions.list()
    outcomes = set()
    for step in each_step(start, lake.url, "commit_session"):
        number = len(history_of(lake, "raw"))
        content = contents_of(lake, "raw")["kept"]
        is_committed = lake.commits.get("raw").message == "killed or not"
        with lake.sessions.open(info.id) as session:
            assert session.has_changes is not is_committed
            if not is_committed:
                assert content == b"committed"
                assert [change.path for change in session.diff()] == ["kept"]
                with session.open("kept") as file:
                    assert file.read() == b"staged 0" * 20_000
            else:
                assert content == b"staged 0" * 20_000
                # Staged anew for the next step, over a commit that says what was there before.
                session.put("kept", "committed")
                session.commit("back")
                session.put("kept", "staged 0" * 20_000)
        outcomes.add(is_committed)
        check_lake(lake)
        assert len(history_of(lake, "raw")) == number + is_committed, f"after step {step}"
    assert outcomes == {True, False}


def test_a_transaction_over_repos_killed_at_any_step_is_in_all_of_them_or_in_none(lake, start):
    lake.repos.create("other")
    names = ("raw", "other")
    sessions = {name: lake.sessions.create(name) for name in names}
    for name, session in sessions.items():
        session.put("x", f"{name} 0" * 500)
        session.close()
    ids = {name: session.id for name, session in sessions.items()}
    outcomes = set()
    for step in each_step(start, lake.url, "commit_together"):
        heads = {name: lake.commits.get(name) for name in names}
        committed = {heads[name].message == "killed or not" for name in names}
        assert len(committed) == 1, f"half of it is there after step {step}"
        (is_committed,) = committed
        for name in names:
            with lake.sessions.open(ids[name]) as session:
                assert session.has_changes is not is_committed
                with session.open("x") as file:
                    assert file.read() == f"{name} 0".encode() * 500
                if is_committed:
                    session.put("x", "between")
                    session.commit("between")
                    session.put("x", f"{name} 0" * 500)
        if is_committed:
            assert len({head.global_id for head in heads.values()}) == 1
        outcomes.add(is_committed)
    assert outcomes == {True, False}
    check_lake(lake)


def test_staging_killed_at_any_step_keeps_what_was_staged_before_it(lake, start):
    lake.files.put("raw@main/kept", "kept")
    lake.files.put("raw@main/gone", "gone")
    with lake.sessions.create("raw") as session:
        session.put("first", "staged before")
    (info,) = lake.sessions.list()
    before = history_of(lake, "raw")
    reached = set()
    for _ in each_step(start, lake.url, "stage"):
        with lake.sessions.open(info.id) as session:
            assert session.open("first").read() == b"staged before"
            staged = {change.path for change in session.diff()} - {"first"}
            # In the order in which the program staged them, none without those before it.
            acts = [
                "new/inline" in staged,
                "new/large" in staged,
                "moved" in staged,
                "gone" in staged,
                "empty" in staged,
            ]
            assert acts == sorted(acts, reverse=True), staged
            if "new/large" in staged:
                assert session.open("new/large").read() == b"many bytes" * 50_000
            if "moved" in staged:
                assert session.open("moved").read() == b"kept"
            reached.add(sum(acts))
            session.discard()
            session.put("first", "staged before")
        assert history_of(lake, "raw") == before
    check_lake(lake)
    assert {0, 5} < reached


def test_a_put_killed_at_any_step_leaves_a_lake_in_which_it_can_be_done_again(lake, start):
    for number, step in enumerate(each_step(start, lake.url, "put_file", "text")):
        found = contents_of(lake, "raw").get("put")
        assert found in {None, b"text" * 30_000}, f"step {step}"
        lake.files.put("raw@main/put", f"between {number}")
        lake.files.delete("raw@main/put")
    check_lake(lake)
    for info in lake.sessions.list():  # what died left its session behind, free to be taken
        lake.sessions.delete(info.id)
    assert lake.sessions.list() == []


def test_a_repo_whose_making_was_killed_is_whole_or_not_there(lake, start):
    made = 0
    for _ in each_step(start, lake.url, "make_repo", "new"):
        if "new" in {repo.name for repo in lake.repos.list()}:
            assert contents_of(lake, "new") == {}
            lake.repos.delete("new")
            made += 1
        lake.repos.create("new")
        lake.repos.delete("new")
    assert made
    check_lake(lake)


def test_a_lake_whose_making_was_killed_can_be_made_again(tmp_path, start):
    folder = tmp_path / "lake"
    crasher = start("crash", str(folder), "make_lake")
    assert crasher.says() == ["ready"]
    for step in itertools.count(1):
        (code,) = crasher.ask(step)
        is_lake = (folder / "objects" / "lake.json").exists()
        with Lake.open(str(folder)) if is_lake else Lake.create(str(folder)) as lake:
            lake.repos.create("raw")
            check_lake(lake)
        if code == DONE:
            break
        folder.rename(tmp_path / f"after-{step}")
    assert step > 3


@pytest.mark.parametrize("seed", range(3))
def test_no_acknowledged_commit_is_lost_when_its_writer_is_killed_at_any_moment(lake, start, seed):
    chance = random.Random(seed)
    writers = start("writers", lake.url)
    assert writers.says() == ["ready"]
    acknowledged = 0
    for _ in range(12):
        first = acknowledged + 1
        word, pid = writers.ask(first)
        assert word == "pid"
        for _ in range(chance.randrange(4)):
            word, number = writers.says()
            acknowledged = int(number)
        # Burns a part of a commit's time, so that the kill meets it anywhere.
        for _ in range(chance.randrange(200_000)):
            pass
        os.kill(int(pid), signal.SIGKILL)
        while (line := writers.says()) != ["dead"]:
            acknowledged = int(line[1])
        number = len(history_of(lake, "raw")) - 1
        assert number in {acknowledged, acknowledged + 1}
        acknowledged = number
    check_lake(lake)
    found = contents_of(lake, "raw")
    for number in range(max(acknowledged - 6, 1), acknowledged + 1):
        text = f"{number} " * (1 + number * 997 % 20_000)
        assert found[str(number % 7)] == text.encode()
