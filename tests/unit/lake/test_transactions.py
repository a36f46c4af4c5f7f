"""`lake.transaction`: several branches at once, or nothing."""

import threading

import pytest

from jupyter_datalake.errors import (
    ConflictError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StateError,
)
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.lineage import GlobalOrigin
from jupyter_datalake.pipelines.deferring import Arrivals
from jupyter_datalake.pipelines.triggering import plan_event
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lake(memory_lake):
    for name in ("raw", "reports"):
        memory_lake.repos.create(name)
        memory_lake.files.put(f"{name}@main/kept", name)
    yield memory_lake
    assert memory_lake.sessions.list() == []
    check_lake(memory_lake)


def state_of(lake):
    return {name: (history_of(lake, name), contents_of(lake, name)) for name in ("raw", "reports")}


def test_changes_to_several_repos_appear_at_once_under_one_global_id(lake, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "c").write_text("from the disk")
    before, seen = state_of(lake), lake.events.last_number()
    with lake.transaction("publish", metadata={"why": "january"}) as tx:
        tx.put("raw@main/a", "1")
        tx.delete("raw@main/kept")
        tx.put_tree("reports@main/tree", tmp_path / "folder")
        tx.copy("raw@main/kept", "reports@main/copied")
        tx.branch("reports").rename("kept", "moved")
        assert state_of(lake) == before
        assert (tx.commits, tx.global_id) == ((), None)
    assert contents_of(lake, "raw") == {"a": b"1"}
    assert contents_of(lake, "reports") == {
        "tree/c": b"from the disk",
        "copied": b"raw",
        "moved": b"reports",
    }
    assert [one.repo for one in tx.commits] == ["raw", "reports"]
    assert {one.global_id for one in tx.commits} == {tx.global_id}
    assert {tuple(one.metadata.items()) for one in tx.commits} == {(("why", "january"),)}
    with lake.core.metadata.read() as meta:
        record = meta.lineage.get(str(tx.global_id))
    assert (record.origin, record.subject) == (GlobalOrigin.COMMIT, "raw, reports")
    moves = [
        (one.subject, one.details["commit"])
        for one in lake.events.list(after=seen, limit=99)
        if one.kind is EventKind.REF_MOVED
    ]
    assert moves == [(one.repo, one.id) for one in tx.commits]


def test_a_block_that_raises_leaves_nothing(lake):
    before = state_of(lake)
    begun = []

    def fail():
        with lake.transaction("never") as tx:
            begun.append(tx)
            tx.put("raw@main/a", "1")
            tx.put("reports@main/a", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert state_of(lake) == before
    assert begun[0].commits == ()


def test_one_conflict_refuses_all_of_it(lake):
    states = []

    def collide():
        with lake.transaction("mine") as tx:
            tx.put("raw@main/new", "1")
            tx.put("reports@main/kept", "mine")
            lake.files.put("reports@main/kept", "theirs")
            states.append(state_of(lake))

    with pytest.raises(ConflictError, match="kept") as caught:
        collide()
    assert caught.value.kind is ErrorKind.PATHS_CONFLICT
    assert [state_of(lake)] == states


def test_others_who_moved_the_branches_on_other_paths_are_no_obstacle(lake):
    with lake.transaction("mine") as tx:
        tx.put("raw@main/mine", "1")
        tx.put("reports@main/mine", "1")
        lake.files.put("raw@main/theirs", "2")
        lake.files.put("reports@main/theirs", "2")
    for name in ("raw", "reports"):
        assert set(contents_of(lake, name)) == {"kept", "mine", "theirs"}


def test_what_changes_nothing_makes_no_commit_and_the_rest_does(lake):
    before = history_of(lake, "raw")
    with lake.transaction("half") as tx:
        tx.put("raw@main/kept", "raw")
        tx.put("reports@main/new", "1")
    assert history_of(lake, "raw") == before
    assert [one.repo for one in tx.commits] == ["reports"]
    with lake.transaction("nothing") as tx:
        assert tx.branch("raw").find("kept") is not None
    assert tx.commits == ()


def test_several_branches_of_one_repo_are_several_branches(lake):
    lake.refs.create_branch("raw", "dev")
    with lake.transaction("both") as tx:
        tx.put("raw@main/a", "main")
        tx.put("raw@dev/a", "dev")
    assert [one.branch for one in tx.commits] == ["main", "dev"]
    assert contents_of(lake, "raw")["a"] == b"main"
    assert contents_of(lake, "raw", "dev")["a"] == b"dev"


def test_what_cannot_be_written_to_is_refused_when_it_is_named(lake):
    lake.refs.create_tag("raw", "v1")
    before = state_of(lake)

    def put_to(address):
        with lake.transaction("refused") as tx:
            tx.put("reports@main/x", "1")
            tx.put(address, "1")

    for address, error in (("raw@v1/x", PermissionDeniedError), ("none@main/x", NotFoundError)):
        with pytest.raises(error):
            put_to(address)
    assert state_of(lake) == before


def test_nothing_can_be_changed_when_the_block_has_ended(lake):
    with lake.transaction("ended") as tx:
        tx.put("raw@main/x", "1")
    before = state_of(lake)
    with pytest.raises(StateError, match="has ended"):
        tx.put("raw@main/y", "1")
    assert state_of(lake) == before


def test_sessions_are_committed_together_and_go_on(lake):
    sessions = [lake.sessions.create(name) for name in ("raw", "reports")]
    for session in sessions:
        session.put("a", "1")
    ids = [session.id for session in sessions]
    for session in sessions:
        session.close()
    commits = lake.sessions.commit_together([*ids, ids[0]], "together")
    assert [one.repo for one in commits] == ["raw", "reports"]
    assert len({one.global_id for one in commits}) == 1
    for one, commit in zip(ids, commits, strict=True):
        assert lake.sessions.get(one).base_commit_id == commit.id
        assert lake.sessions.diff(one) == []
    with pytest.raises(StateError) as caught:
        lake.sessions.commit_together(ids, "again")
    assert caught.value.kind is ErrorKind.NOTHING_TO_COMMIT
    for one in ids:
        lake.sessions.delete(one)


def test_sessions_that_cannot_be_committed_together_keep_what_they_hold(lake):
    first, second = lake.sessions.create("raw"), lake.sessions.create("raw")
    first.put("a", "1")
    second.put("b", "2")
    before = state_of(lake)
    with pytest.raises(ConflictError) as caught:
        lake.sessions.commit_together([first.id, second.id], "both open here")
    assert caught.value.kind is ErrorKind.SESSION_BUSY
    for one in (first, second):
        one.close()
    with pytest.raises(InvalidInputError, match="write to raw@main"):
        lake.sessions.commit_together([first.id, second.id], "same branch")
    with pytest.raises(InvalidInputError, match="No session"):
        lake.sessions.commit_together([], "none")
    assert state_of(lake) == before
    assert [change.path for change in lake.sessions.diff(second.id)] == ["b"]
    for one in (first, second):
        lake.sessions.delete(one.id)


def test_readers_never_see_one_branch_without_the_other(lake):
    stop, torn = threading.Event(), []

    def look():
        while not stop.is_set():
            with lake.core.metadata.read() as tx:
                heads = [
                    tx.commits.get(tx.refs.get(tx.repos.get(name), "main").commit_id)
                    for name in ("raw", "reports")
                ]
            if len({head.message for head in heads}) != 1:
                torn.append([head.message for head in heads])

    with lake.transaction("0") as tx:
        tx.put("raw@main/n", "0")
        tx.put("reports@main/n", "0")
    reader = threading.Thread(target=look)
    reader.start()
    for number in range(1, 15):
        with lake.transaction(f"{number}") as tx:
            tx.put("raw@main/n", f"{number}")
            tx.put("reports@main/n", f"{number}")
    stop.set()
    reader.join(timeout=60)
    assert torn == []


def test_many_transactions_over_the_same_repos_are_all_there_in_pairs(lake):
    """Whichever order they name the repos in: nobody waits for ever."""

    def commit(worker):
        names = ("raw", "reports") if worker % 2 else ("reports", "raw")
        for number in range(4):
            with lake.transaction(f"{worker} {number}") as tx:
                for name in names:
                    tx.put(f"{name}@main/{worker}", f"{number}")

    threads = [threading.Thread(target=commit, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    lines = [
        [one.global_id for one in lake.commits.list(name) if one.message != "Put kept"][:24]
        for name in ("raw", "reports")
    ]
    assert lines[0] == lines[1]
    assert len(set(lines[0])) == 24


def leaf(name):
    return {"repo": {"name": name, "glob": "/"}}


def test_a_pipeline_that_reads_several_of_the_branches_runs_once_on_all_of_them(lake, tmp_path):
    def publish(name, *repos):
        given = leaf(repos[0]) if len(repos) == 1 else {"cross": [leaf(one) for one in repos]}
        spec = {"pipeline": name, "command": ["true"], "input": given}
        lake.pipelines.apply(spec, folder=tmp_path)

    publish("both", "raw", "reports")
    publish("one", "reports")
    publish("below", "both", "one")
    number = lake.events.last_number()
    with lake.transaction("change") as tx:
        tx.put("raw@main/a", "1")
        tx.put("reports@main/a", "1")
    heads = {one.repo: one.id for one in tx.commits}
    arrivals = Arrivals(lake.core)
    with lake.core.metadata.write() as meta:
        for event in meta.events.list(number, limit=99):
            plan_event(meta, event, arrivals)
    with lake.core.metadata.read() as meta:
        jobs = {job.pipeline: job for job in meta.jobs.list(global_id=tx.global_id, limit=9)}
        assert set(jobs) == {"both", "one", "below"}
        assert {"raw": heads["raw"], "reports": heads["reports"]} == jobs["both"].heads
        waits = {job.id for job in meta.jobs.upstream_of(jobs["below"].id)}
    assert waits == {jobs["both"].id, jobs["one"].id}
