"""An answer to COMMIT that does not arrive: what was done is recognised as our own doing."""

import sqlite3

import pytest

from jupyter_datalake.errors import StorageError
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lossy(lake, monkeypatch):
    """Make the next COMMITs' answers go missing: done, or not, and nobody can tell."""
    dialect = lake.core.metadata._engine.dialect
    commit = dialect.do_commit

    def lose(count, *, done=True):
        left = [count]

        def do_commit(connection):
            if left[0] == 0:
                commit(connection)
                return
            left[0] -= 1
            (commit if done else dialect.do_rollback)(connection)
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(dialect, "do_commit", do_commit)

    return lose


def test_a_commit_whose_answer_is_lost_is_found_to_have_been_made(lake, lossy):
    with lake.sessions.create("raw") as session:
        session.put("x", "one")
        lossy(1)
        commit = session.commit("once")
        assert commit.id == lake.commits.get("raw").id
        assert not session.has_changes
        assert len(history_of(lake, "raw")) == 2
        session.put("y", "two")
        session.commit("and on")
    assert contents_of(lake, "raw") == {"x": b"one", "y": b"two"}
    assert len(history_of(lake, "raw")) == 3
    moved = [event for event in lake.events.list(after=0, limit=99) if event.kind == "ref.moved"]
    assert len({event.details["commit"] for event in moved}) == len(moved)
    check_lake(lake)


def test_a_commit_that_was_not_made_fails_and_keeps_what_is_staged(lake, lossy):
    with lake.sessions.create("raw") as session:
        session.put("x", "one")
        lossy(1, done=False)
        with pytest.raises(StorageError, match="disk I/O error"):
            session.commit("not made")
        assert len(history_of(lake, "raw")) == 1
        assert [change.path for change in session.diff()] == ["x"]
        session.commit("made")
    assert contents_of(lake, "raw") == {"x": b"one"}
    assert len(history_of(lake, "raw")) == 2
    check_lake(lake)


def test_whichever_answer_of_a_put_is_lost_it_is_committed_at_most_once(lake, lossy):
    for lost in range(1, 7):
        before = len(history_of(lake, "raw"))
        lossy(lost)
        try:
            lake.files.put("raw@main/x", f"content {lost}")
        except StorageError:
            lossy(0)
            lake.files.put("raw@main/x", f"content {lost}")
        lossy(0)
        assert contents_of(lake, "raw") == {"x": f"content {lost}".encode()}
        assert len(history_of(lake, "raw")) == before + 1
    check_lake(lake)


def test_a_repo_whose_answer_is_lost_is_there_once(lake, lossy):
    lossy(1)
    try:
        lake.repos.create("new")
    except StorageError:
        lossy(0)
    assert [repo.name for repo in lake.repos.list()] == ["new", "raw"]
    lake.files.put("new@main/x", "1")
    check_lake(lake)
