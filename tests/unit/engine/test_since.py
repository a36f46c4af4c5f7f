"""What is staged, compared with any commit: as if it were committed and compared then."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_datalake.engine.since import changes_since
from jupyter_datalake.errors import ConflictError, NotFoundError
from jupyter_datalake.lake import sessions
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.changes import change_of
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import RepoPath

TREES = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d/x", "d/y", "d/z", "e/f/g", "h"]), st.binary(max_size=2)
)


@pytest.fixture
def lake():
    with Lake.create("memory:") as lake:
        yield lake


def become(work, old, new):
    """Stage what makes one tree of another."""
    for path in old.keys() - new.keys():
        work.delete(path)
    for path, data in new.items():
        if old.get(path) != data:
            work.put(path, data)


def commit(lake, repo, old, new):
    with lake.sessions.create(repo) as work:
        become(work, old, new)
        return work.commit("Next") if work.has_changes else lake.commits.get(repo)


def told(changes):
    """What differs, by path; a time alone is no difference."""
    sides = [(one.path, one.old and one.old.digest, one.new and one.new.digest) for one in changes]
    return [(path, old, new) for path, old, new in sides if old != new]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=TREES, base=TREES, staged=TREES)
def test_what_is_staged_differs_from_a_commit_as_it_does_once_it_is_committed(
    lake, first, base, staged
):
    if base == staged:
        return
    repo = f"raw{len(lake.repos.list())}"
    lake.repos.create(repo)
    origin = commit(lake, repo, {}, first)
    commit(lake, repo, first, base)
    with lake.sessions.create(repo) as work:
        become(work, base, staged)
    found = told(lake.sessions.diff(work.id, old=origin.id))
    lake.sessions.commit(work.id, "Staged")
    assert found == told(lake.commits.diff(repo, origin.id))
    assert [path for path, _, _ in found] == sorted(
        path for path in first.keys() | staged.keys() if first.get(path) != staged.get(path)
    )


def numbered(count, step, old, new):
    """Yield changes of so many paths, and count those that were asked for."""
    for number in range(0, count, step):
        path = RepoPath(f"{number:09}")
        infos = [
            None if size is None else FileInfo(path, FileKind.FILE, size, 0o644, 0, None)
            for size in (old, new)
        ]
        yield change_of(path, *infos)


def test_neither_stream_is_read_further_than_is_asked_for():
    asked = []

    def counted(stream):
        for one in stream:
            asked.append(one.path)
            yield one

    before = counted(numbered(10**9, 2, None, 1))
    staged = counted(numbered(10**9, 3, 1, 2))
    with closing(changes_since(before, staged, None, None)) as changes:
        paths = [next(changes).path for _ in range(10)]
    assert paths == sorted(paths)
    assert len(asked) < 20


def test_a_commit_that_is_not_there_is_said(lake):
    lake.repos.create("raw")
    with lake.sessions.create("raw") as work:
        work.put("a", "1")
    with pytest.raises(NotFoundError, match="nowhere"):
        lake.sessions.diff(work.id, old="nowhere")


def test_a_session_that_goes_on_meanwhile_is_compared_again(lake, monkeypatch):
    lake.repos.create("raw")
    first = lake.files.put("raw@main/a", "1")
    with lake.sessions.create("raw") as work:
        work.put("b", "1")
    real, rounds = sessions.changes_since, []

    def going_on(before, staged, *openers):
        yield from real(before, staged, *openers)
        rounds.append(1)
        if len(rounds) <= going_on.times:
            going_on.pending = True

    def after(session_id):
        info = real_get(session_id)
        if getattr(going_on, "pending", False):
            going_on.pending = False
            lake.sessions.commit(session_id, "On it goes")
            with lake.sessions.open(session_id) as again:
                again.put("b", f"{going_on.times} {len(rounds)}")
            return real_get(session_id)
        return info

    real_get = lake.sessions.get
    monkeypatch.setattr(sessions, "changes_since", going_on)
    monkeypatch.setattr(lake.sessions, "get", after)
    going_on.times = 1
    assert [one.path for one in lake.sessions.diff(work.id, old=first.id)] == ["b"]
    assert len(rounds) == 2
    rounds.clear()
    going_on.times = 9
    with pytest.raises(ConflictError, match="too often"):
        lake.sessions.diff(work.id, old=first.id)
