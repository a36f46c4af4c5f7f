"""Discarding paths: what the base has is put back, what it has not goes, and nothing else."""

import random

import pytest

from jupyter_datalake.engine.session import open_session
from jupyter_datalake.model.paths import is_within
from jupyter_datalake.testing.invariants import check_lake
from tests.unit.engine.test_restoring import ME, NAMES, folding, scramble, tree_of
from tests.unit.engine.test_staged_tree import killed


@pytest.fixture
def session(memory_lake):
    """An open session on a branch with some files."""
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as first:
        for path in ("a/x", "a/y", "b/z"):
            first.put(path, path)
        first.make_folder("empty")
        first.commit("Begin")
    with memory_lake.sessions.begin("raw", "main") as session:
        yield session


def changes(session):
    return {change.path: str(change.kind) for change in session.diff()}


def test_a_changed_file_is_put_back(session):
    session.put("a/x", b"changed")
    session.put("a/y", b"changed")
    session.tree.get("a/x").pins += 1  # somebody looks at it
    shift = session.discard(["a/x"])
    assert changes(session) == {"a/y": "modified"}
    assert session.tree.get("a/x") in shift.nodes


def test_a_removed_folder_is_put_back_whole(session):
    session.delete("a")
    session.delete("b")
    session.discard(["a"])
    assert changes(session) == {"b/z": "removed"}


def test_an_added_file_goes_with_the_folders_made_for_it(session):
    session.put("new/deep/one", b"1")
    session.put("new/other", b"2")
    session.discard(["new/deep/one"])
    assert changes(session) == {"new/other": "added"}
    session.discard(["new/other"])
    assert changes(session) == {}


def test_a_folder_with_what_was_added_to_it(session):
    session.put("a/added", b"1")
    session.put("a/sub/added", b"2")
    session.delete("a/x")
    session.tree.get("a").pins += 1  # somebody looks at it
    shift = session.discard(["a"])
    assert changes(session) == {}
    assert {(folder.name, name) for folder, name in shift.names} >= {("a", "added"), ("a", "sub")}


def test_a_file_where_a_folder_was(session):
    session.delete("a")
    session.put("a", b"now a file")
    session.discard(["a"])
    assert changes(session) == {}


def test_a_folder_where_a_file_was(session):
    session.delete("a/x")
    session.put("a/x/inside", b"now a folder")
    session.discard(["a/x"])
    assert changes(session) == {}


def test_both_ends_of_a_rename_are_paths_of_their_own(session):
    session.rename("a", "moved")
    session.discard(["moved"])
    assert changes(session) == {"a/x": "removed", "a/y": "removed"}
    session.discard(["a"])
    assert changes(session) == {}


def test_an_empty_folder_that_was_filled_or_removed(session):
    session.put("empty/x", b"1")
    session.discard(["empty/x"])
    assert changes(session) == {}
    session.delete("empty")
    session.discard(["empty"])
    assert changes(session) == {}


def test_what_is_not_staged_stays_as_it_is(session):
    session.put("new", b"1")
    session.discard(["a", "nothing"])
    assert changes(session) == {"new": "added"}


def test_it_is_journalled_like_any_change(memory_lake, session):
    session.put("a/x", b"changed")
    session.put("new/one", b"1")
    session.discard(["a/x", "new"])
    session.close()
    with open_session(memory_lake.core, session.info) as again:
        assert changes(again) == {}


def test_nobody_is_told_of_what_nobody_looks_at(session):
    for number in range(20):
        session.put(f"a/{number}", b"1")
    shift = session.discard(["a"])
    assert (shift.nodes, shift.names) == ([], [])


@pytest.mark.parametrize("folds_after", [1, 5, 10**6])
@pytest.mark.parametrize("seed", range(5))
def test_any_path_is_discarded_however_often_is_folded_meanwhile(memory_lake, seed, folds_after):
    chance = random.Random(seed)  # repeatable, not secret
    memory_lake.repos.create("raw")
    session = folding(memory_lake.sessions.begin("raw", "main"), folds_after)
    for _ in range(6):
        scramble(session, chance, 6)
        session.put("always/something", str(chance.random()).encode())
        session.commit("then", ME)
        then = tree_of(session)
        scramble(session, chance, 12)
        now, path = tree_of(session), chance.choice(NAMES)
        above = {one for one in {*then, *now} if is_within(path, one) and one != path}
        if any(str(tree[one][0]) != "folder" for tree in (then, now) for one in above & {*tree}):
            continue  # a file is in the way
        session.discard([path])
        found = tree_of(session)
        expected = {one: what for one, what in now.items() if not is_within(one, path)}
        expected |= {one: what for one, what in then.items() if is_within(one, path)}
        # Folders above stay as long as something is in them, or was when they were committed.
        assert without(found, above) == without(expected, above)
        session = folding(killed(memory_lake, session), folds_after)
        assert tree_of(session) == found
    session.close()
    check_lake(memory_lake)


def without(tree, paths):
    return {path: what for path, what in tree.items() if path not in paths}
