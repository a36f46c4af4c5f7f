"""Restoring a path: exactly what the commit has there, and nothing beside it."""

import random
from dataclasses import replace

import pytest

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.session import open_session
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.paths import is_within
from jupyter_datalake.testing.invariants import check_lake
from tests.unit.engine.test_staged_tree import changes, killed, shown

ME = Author("restorer")
NAMES = ["a", "a/a", "a/b", "a/b/a", "a.b", "b", "b/a", "c", "c/a/a/a", "d"]


def folding(session, after):
    """Return a session that goes on from another, and folds after so many acts."""
    session.close()
    return open_session(replace(session._core, staged_count=after), session.info)


def tree_of(session):
    """Return path to kind, mode, and content."""
    return {
        path: (kind, mode, content) for path, (kind, mode, _, content) in shown(session).items()
    }


def scramble(session, chance, acts):
    for _ in range(acts):
        path, other = chance.choice(NAMES), chance.choice(NAMES)
        content = str(chance.randrange(3)).encode()
        act = chance.choice(
            [
                lambda path=path, content=content: session.put(path, content),
                lambda path=path: session.delete(path),
                lambda path=path, other=other: session.rename(path, other),
                lambda path=path: session.make_folder(path),
            ]
        )
        try:
            act()
        except DatalakeError:
            continue


def test_a_folder_is_what_it_was_and_what_lies_beside_it_is_not_touched(session):
    origin = session._core.snapshot(session.base)
    session.put("a/b.txt", b"other")
    session.put("a/new/deep/file", b"added")
    session.delete("c.bin")
    session.restore(origin, "a")
    assert changes(session) == {"c.bin": "removed"}


def test_what_is_equal_is_not_staged_again(session):
    for number in range(50):
        session.put(f"a/{number}", b"same")
    commit = session.commit("many", ME)[0].commit
    session.put("a/7", b"other")
    before = session.acts
    session.restore(session._core.snapshot(commit), "a")
    assert session.acts == before + 1
    assert changes(session) == {}


def test_a_path_that_the_commit_has_not_goes_whole(session):
    origin = session._core.snapshot(session.base)
    for number in range(20):
        session.put(f"new/{number % 3}/{number}", b"x")
    before = session.acts
    session.restore(origin, "new")
    assert session.find("new") is None
    assert session.acts == before + 1


def test_an_empty_folder_gets_its_permissions_back_once_it_is_empty(memory_lake, session):
    session.make_folder("empty")
    session.set_attributes(session.tree.get("empty"), mode=0o700)
    commit = session.commit("empty", ME)[0].commit
    session.set_attributes(session.tree.get("empty"), mode=0o755)
    session.put("empty/no/more", b"1")
    session.restore(session._core.snapshot(commit), "empty")
    assert session.find("empty").mode == 0o700
    assert changes(session) == {}


@pytest.mark.parametrize("folds_after", [1, 5, 10**6])
@pytest.mark.parametrize("seed", range(5))
def test_any_tree_is_restored_below_any_path_and_after_a_kill(memory_lake, seed, folds_after):
    chance = random.Random(seed)  # repeatable, not secret
    memory_lake.repos.create("raw")
    session = folding(memory_lake.sessions.begin("raw", "main"), folds_after)
    for _ in range(6):
        scramble(session, chance, 6)
        session.put("always/something", str(chance.random()).encode())
        commit = session.commit("then", ME)[0].commit
        then = tree_of(session)
        scramble(session, chance, 12)
        now, path = tree_of(session), chance.choice(["", *NAMES])
        above = [one for one in now if is_within(path, one) and one != path]
        if any(str(now[one][0]) != "folder" for one in above):
            continue  # a file is in the way
        session.restore(session._core.snapshot(commit_by_id(session._core, commit.id)), path)
        expected = {one: what for one, what in now.items() if not is_within(one, path)}
        expected |= {one: what for one, what in then.items() if is_within(one, path)}
        found = tree_of(session)
        # Folders above exist where there is something in them; what becomes of others is not told.
        folders = {one for one in {*found, *expected} if one != path and is_within(path, one)}
        for one in folders:
            found.pop(one, None)
            expected.pop(one, None)
        assert found == expected
        session = killed(memory_lake, session)
        session = folding(session, folds_after)
        assert {one: what for one, what in tree_of(session).items() if one not in folders} == found
    session.close()
    check_lake(memory_lake)
