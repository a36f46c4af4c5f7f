"""Committing a session whose paths others changed too: whose version of each is taken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_datalake.errors import ConflictError, ErrorKind, InvalidInputError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.lake_machine import contents_of


def tree(lake):
    return {
        path: found and found.decode() for path, found in contents_of(lake, "raw", "main").items()
    }


@pytest.fixture
def lake():
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        with lake.sessions.create("raw") as work:
            for path in ("both", "gone", "d/one", "d/two", "other"):
                work.put(path, "base")
            work.commit("Begin")
            work.delete_session()
        yield lake


@pytest.fixture
def met(lake):
    """A session that meets what others committed on `both`, `gone`, `d/one` and `d/two`."""
    with lake.sessions.create("raw") as work:
        work.put("both", "mine")
        work.delete("gone")
        work.put("d/one", "mine")
        work.put("d/two", "mine")
        work.put("new", "mine")
    with lake.sessions.create("raw") as others:
        for path in ("both", "gone", "d/one", "d/two"):
            others.put(path, "theirs")
        others.put("other", "theirs")
        others.commit("Others")
    return work.id


def test_each_path_becomes_what_was_chosen_and_the_session_goes_on(lake, met):
    choices = {"both": "mine", "gone": "theirs", "d": "theirs", "d/two": "mine"}
    commit = lake.sessions.commit(met, "Both", choices=choices)
    assert tree(lake) == {
        "both": "mine",
        "gone": "theirs",
        "d/one": "theirs",
        "d/two": "mine",
        "new": "mine",
        "other": "theirs",
    }
    assert lake.sessions.get(met).base_commit_id == commit.id
    assert lake.sessions.diff(met) == []


def test_paths_that_nothing_was_chosen_for_are_told_and_nothing_changes(lake, met):
    before, head = lake.sessions.diff(met), lake.commits.get("raw").id
    with pytest.raises(ConflictError) as caught:
        lake.sessions.commit(met, "Half", choices={"d": "mine", "both": "theirs"})
    assert caught.value.kind is ErrorKind.PATHS_CONFLICT
    assert (caught.value.context["paths"], caught.value.context["count"]) == (["gone"], 1)
    assert (lake.sessions.diff(met), lake.commits.get("raw").id) == (before, head)


def test_where_all_of_it_gives_way_the_session_is_at_the_head(lake):
    with lake.sessions.create("raw") as work:
        work.put("both", "mine")
    head = lake.files.put("raw@main/both", "theirs")
    assert lake.sessions.commit(work.id, "Mine", choices={"/": "theirs"}).id == head.id
    assert lake.sessions.diff(work.id) == []
    assert lake.sessions.get(work.id).base_commit_id == head.id


def test_a_choice_that_is_none_is_refused(lake, met):
    with pytest.raises(InvalidInputError, match="'ours' is no choice"):
        lake.sessions.commit(met, "Both", choices={"both": "ours"})


@pytest.mark.parametrize("whose", ["mine", "theirs"])
@pytest.mark.parametrize("is_file_mine", [True, False])
def test_a_file_against_a_folder_is_decided_by_the_path_that_is_told(lake, whose, is_file_mine):
    file, inside = ("mine", "theirs") if is_file_mine else ("theirs", "mine")
    with lake.sessions.create("raw") as work:
        work.put("x" if is_file_mine else "x/y", "mine")
    lake.files.put("raw@main/x/y" if is_file_mine else "raw@main/x", "theirs")
    for choices in ({}, {"/": inside}):
        with pytest.raises(ConflictError) as caught:
            lake.sessions.commit(work.id, "Both", choices=choices)
        assert caught.value.context["paths"] == ["x/y"]
    lake.sessions.commit(work.id, "Both", choices={"x/y": whose})
    found = {path: content for path, content in tree(lake).items() if path.startswith("x")}
    assert found == ({"x": file} if whose == file else {"x/y": inside})


PATHS = ["a", "a/b", "a/b/c", "d", "d/e", "f"]
acts = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["put", "delete"]), max_size=4)


def stage(work, wanted, content):
    for path, act in wanted.items():
        above = path.rpartition("/")[0]
        while above:
            if (found := work.find(above)) is not None and found.kind != "folder":
                work.delete(above)
            above = above.rpartition("/")[0]
        there = work.find(path)
        if there is not None and (act == "delete" or there.kind == "folder"):
            work.delete(path)
        if act == "put":
            work.put(path, content)


@given(st.sets(st.sampled_from(["a", "d/e", "f"])), acts, acts, st.sampled_from(["mine", "theirs"]))
@settings(max_examples=60, deadline=None)
def test_whatever_both_did_the_chosen_side_has_every_path_that_is_told(base, mine, theirs, whose):
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        with lake.sessions.create("raw") as work:
            work.put("stays", "base")
            stage(work, dict.fromkeys(base, "put"), "base")
            work.commit("Begin")
        with lake.sessions.create("raw") as ours, lake.sessions.create("raw") as others:
            stage(ours, mine, "mine")
            stage(others, theirs, "theirs")
            if not (ours.has_changes and others.has_changes):
                return
            others.commit("Others")
            told = {}
            for _ in range(len(PATHS) + 1):
                try:
                    ours.commit("Mine", choices=told)
                    break
                except ConflictError as error:
                    fresh = dict.fromkeys(error.context["paths"], whose)
                    assert not fresh.keys() <= told.keys(), "what was decided is told again"
                    told |= fresh
            assert ours.diff() == []
        found = tree(lake)
        for path in found:
            assert not any(other.startswith(f"{path}/") for other in found), found
        for path in told:
            assert found.get(path) in ({whose, None} if path not in base else {whose, None, "base"})
