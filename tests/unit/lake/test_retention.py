"""Retention: what policies keep and remove, and what history says of it afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.model.gc import DAY_S, GcPolicy
from jupyter_datalake.model.retention import GraphCommit, RetentionPolicy, expired
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of
from jupyter_datalake.testing.strategies import content_of

AT_ONCE = GcPolicy(undo_s=0, grace_s=0, reader_s=0, results_s=0)


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    return memory_lake


def commit(lake, count, branch="main", start=0):
    """Commit so many times, each time another content of one file."""
    for number in range(start, start + count):
        lake.files.put(f"raw@{branch}/a", content_of(100_000, number, "noise"))
    return history_of(lake, "raw", branch)


def test_the_last_ones_stay_and_history_says_what_was_before(lake):
    ids = commit(lake, 6)
    lake.retention.set("raw", keep_last=3)
    assert history_of(lake, "raw") == ids, "nothing goes before it is applied"
    assert lake.retention.apply("raw", dry_run=True)[0].removed == 4
    assert history_of(lake, "raw") == ids
    (report,) = lake.retention.apply()
    assert (report.repo, report.removed, report.needed) == ("raw", 4, {})
    assert history_of(lake, "raw") == ids[:3]
    assert lake.commits.get("raw", ids[2]).parents == (ids[3],)
    with pytest.raises(NotFoundError, match=r"removed on 2026-01-31 by .*: outside of the ret"):
        lake.commits.get("raw", "main~3")
    report = lake.maintenance.gc(AT_ONCE)
    assert report.swept_bytes > 300_000
    check_lake(lake)
    assert lake.retention.apply("raw")[0].removed == 0


def test_young_ones_stay_however_many_there_are(lake, lake_clock):
    ids = commit(lake, 3)
    lake_clock.advance(10 * DAY_S)
    commit(lake, 4, start=10)
    lake.retention.set("raw", keep_for_s=5 * DAY_S)
    lake.retention.apply("raw")
    kept = history_of(lake, "raw")
    assert len(kept) == 4
    assert not set(kept) & set(ids)
    lake_clock.advance(100 * DAY_S)
    lake.retention.apply("raw")
    assert history_of(lake, "raw") == kept[:1], "the head stays, however old"
    check_lake(lake)


def test_what_a_tag_names_stays_without_what_was_before_it(lake):
    ids = commit(lake, 6)
    lake.refs.create_tag("raw", "v1", at=ids[4])
    lake.retention.set("raw", keep_last=1)
    (report,) = lake.retention.apply("raw")
    assert list(report.needed.values()) == [["tag raw@v1"]]
    lake.maintenance.gc(AT_ONCE)
    assert history_of(lake, "raw", "v1") == [ids[4]]
    assert contents_of(lake, "raw", "v1") == {"a": content_of(100_000, 1, "noise")}
    check_lake(lake)


def test_a_tag_goes_with_its_commit_where_the_policy_says_so(lake):
    ids = commit(lake, 4)
    lake.refs.create_tag("raw", "v1", at=ids[3])
    lake.retention.set("raw", keep_last=2, keep_tagged=False)
    assert lake.retention.apply("raw")[0].removed == 3
    with pytest.raises(NotFoundError):
        lake.refs.get("raw", "v1")
    check_lake(lake)


def test_what_another_branch_keeps_stays(lake):
    ids = commit(lake, 5)
    lake.refs.create_branch("raw", "dev", at=ids[2])
    lake.retention.set("raw", "main", keep_last=1)
    assert lake.retention.apply("raw")[0].removed == 1
    assert history_of(lake, "raw") == ids[:1]
    assert history_of(lake, "raw", "dev") == ids[2:], "it has no policy"
    lake.retention.set("raw", keep_last=2)
    lake.retention.apply("raw")
    assert history_of(lake, "raw", "dev") == ids[2:4]
    check_lake(lake)


def test_a_session_keeps_what_it_was_begun_on(lake):
    ids = commit(lake, 2)
    with lake.sessions.create("raw") as session:
        session.put("b", b"staged")
        commit(lake, 3, start=10)
        lake.retention.set("raw", keep_last=1)
        (report,) = lake.retention.apply("raw")
        assert [f"session {session._session.id}"] in report.needed.values()
        lake.maintenance.gc(AT_ONCE)
        assert lake.commits.get("raw", ids[0]).id == ids[0]
        session.commit("based on what is kept")
    assert contents_of(lake, "raw")["b"] == b"staged"
    check_lake(lake)


def test_policies_are_kept_replaced_listed_and_forgotten(lake):
    lake.retention.set("raw", keep_last=3)
    lake.retention.set("raw", "main", keep_for_s=60.0, keep_inputs=False)
    lake.retention.set("raw", keep_last=5)
    assert lake.retention.list() == [
        RetentionPolicy("raw", "", 5),
        RetentionPolicy("raw", "main", None, 60.0, keep_inputs=False),
    ]
    lake.retention.delete("raw")
    assert [one.branch for one in lake.retention.list("raw")] == ["main"]
    with pytest.raises(NotFoundError) as caught:
        lake.retention.delete("raw")
    assert caught.value.kind is ErrorKind.POLICY_NOT_FOUND


@pytest.mark.parametrize(
    "wrong",
    [{}, {"keep_last": 0}, {"keep_last": -1}, {"keep_for_s": -1.0}, {"keep_for_s": float("nan")}],
)
def test_policies_that_mean_nothing_are_refused(lake, wrong):
    with pytest.raises(InvalidInputError):
        lake.retention.set("raw", **wrong)
    assert lake.retention.list() == []
    with pytest.raises(NotFoundError):
        lake.retention.set("raw", "nobranch", keep_last=1)
    with pytest.raises(NotFoundError):
        lake.retention.apply("norepo")


# --- squashing -----------------------------------------------------------------------------------


def test_squashed_commits_become_one_of_the_same_tree_and_can_be_had_back(lake):
    ids = commit(lake, 5)
    before = contents_of(lake, "raw")
    one = lake.commits.squash("raw", "main~3")
    assert history_of(lake, "raw") == [one.id, *ids[3:]]
    assert contents_of(lake, "raw") == before
    assert one.message.startswith("Squash 3 commits")
    lake.refs.undo("raw", "main")
    assert history_of(lake, "raw") == ids
    lake.refs.undo("raw", "main")
    lake.maintenance.gc(AT_ONCE)
    assert history_of(lake, "raw") == [one.id, *ids[3:]]
    with pytest.raises(NotFoundError):
        lake.commits.get("raw", ids[1])
    check_lake(lake)


def test_a_session_goes_on_over_a_squash(lake):
    commit(lake, 4)
    with lake.sessions.create("raw") as session:
        session.put("b", b"mine")
        lake.commits.squash("raw", "main~3", message="one")
        session.commit("on top")
    assert set(contents_of(lake, "raw")) == {"a", "b"}
    assert lake.commits.get("raw", "main^").message == "one"
    check_lake(lake)


def test_what_cannot_be_squashed_is_refused(lake):
    ids = commit(lake, 3)
    lake.refs.create_branch("raw", "dev", at=ids[2])
    commit(lake, 1, "dev", start=20)
    for since in ("main", "main^", "dev"):
        with pytest.raises(InvalidInputError):
            lake.commits.squash("raw", since)
    assert history_of(lake, "raw") == ids


# --- the graph -----------------------------------------------------------------------------------


@given(st.data())
def test_what_is_left_is_closed_but_for_the_cut_and_every_head_stays(data):
    count = data.draw(st.integers(1, 25))
    graph = {}
    for number in range(count):
        parents = data.draw(
            st.lists(st.integers(0, number - 1), max_size=2, unique=True) if number else st.just([])
        )
        graph[f"c{number:02}"] = GraphCommit(tuple(f"c{one:02}" for one in parents), number)
    names = sorted(graph)
    heads = {
        branch: data.draw(st.sampled_from(names))
        for branch in data.draw(st.sets(st.sampled_from("abc"), min_size=1))
    }
    policies = {
        branch: RetentionPolicy("r", branch, data.draw(st.integers(1, 6)))
        for branch in data.draw(st.sets(st.sampled_from(["", "a", "b"])))
    }
    gone = expired(graph, heads, policies, count)
    assert len(gone) == len(set(gone))
    assert not set(gone) & set(heads.values())
    position = {one: number for number, one in enumerate(gone)}
    for one in gone:
        assert all(position.get(parent, -1) < position[one] for parent in graph[one].parents)
    for branch, head in heads.items():
        policy = policies.get(branch) or policies.get("")
        line = [head]
        while graph[line[-1]].parents:
            line.append(graph[line[-1]].parents[0])
        must_stay = line if policy is None else line[: policy.keep_last]
        assert not set(gone) & set(must_stay)


# --- repos ---------------------------------------------------------------------------------------


def test_a_deleted_repo_comes_back_until_gc_removes_it(lake, lake_clock):
    ids = commit(lake, 2)
    lake.refs.create_tag("raw", "v1")
    lake.repos.delete("raw")
    assert lake.repos.list() == []
    with pytest.raises(NotFoundError):
        lake.commits.get("raw")
    lake.maintenance.gc(GcPolicy(grace_s=0, reader_s=0))
    lake.repos.restore("raw")
    assert history_of(lake, "raw", "v1") == ids
    check_lake(lake)
    lake.repos.delete("raw")
    lake.repos.create("raw")
    with pytest.raises(DatalakeError) as caught:
        lake.repos.restore("raw")
    assert caught.value.kind is ErrorKind.REPO_EXISTS
    lake_clock.advance(15 * DAY_S)
    report = lake.maintenance.gc(GcPolicy(grace_s=0, reader_s=0))
    assert report.deleted_repos == 1
    assert report.swept_bytes > 150_000
    lake.repos.delete("raw")
    lake.repos.restore("raw")
    assert len(history_of(lake, "raw")) == 1, "the newer one of the two"
    check_lake(lake)


def test_a_repo_with_an_open_session_goes_only_by_force(lake):
    with lake.sessions.create("raw") as session:
        session.put("a", b"x" * 100)
        with pytest.raises(StateError) as caught:
            lake.repos.delete("raw")
        assert caught.value.context["users"] == [f"session {session._session.id}"]
        assert lake.repos.get("raw").name == "raw"
        lake.repos.delete("raw", force=True)
        assert lake.sessions.list() == []
        session._session.close()
    with lake.core.metadata.read() as tx:
        assert tx.pins.owners() == []


def test_a_commit_above_the_limit_is_refused_and_what_is_staged_is_still_there(lake):
    lake.repos.set_limit("raw", 1000)
    with lake.sessions.create("raw") as session:
        session.put("a", b"x" * 700)
        session.commit("fits")
        session.put("b", b"y" * 400)
        with pytest.raises(StateError, match=r"may hold 1,000 bytes.*1,100") as caught:
            session.commit("does not")
        assert caught.value.kind is ErrorKind.OVER_LIMIT
        assert [change.path for change in session.diff()] == ["b"]
        assert set(contents_of(lake, "raw")) == {"a"}
        lake.repos.set_limit("raw", 500)
        session.discard()
        session.put("a", b"x" * 600)
        session.commit("smaller, if not small enough")
        lake.repos.set_limit("raw", None)
        session.put("b", b"y" * 40_000)
        session.commit("no limit")
    with pytest.raises(InvalidInputError):
        lake.repos.set_limit("raw", -1)
    assert set(contents_of(lake, "raw")) == {"a", "b"}
