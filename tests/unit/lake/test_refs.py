"""`lake.refs`: where refs point, how they are moved by hand, and how each move is undone."""

import pytest
from sqlalchemy import event

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StateError,
)
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    for number in range(3):
        memory_lake.files.put("raw@main/a", f"{number}")
    yield memory_lake
    check_lake(memory_lake)


def refs(lake):
    """Everything about every ref except when it moved."""
    return {
        ref.name: (ref.kind, ref.commit_id, ref.message, ref.created_by)
        for ref in lake.refs.list("raw")
    }


def last_event(lake):
    return lake.events.list(limit=1000)[-1]


def test_a_reset_points_a_branch_elsewhere_and_is_undone(lake):
    first, *_, last = [lake.commits.get("raw", one).id for one in ("main~2", "main^", "main")]
    ref = lake.as_user(Author("Bea")).refs.reset("raw", "main", "main~2")
    assert ref.commit_id == first == lake.commits.get("raw").id
    assert contents_of(lake, "raw") == {"a": b"0"}
    move = lake.refs.list_moves("raw")[0]
    assert (move.by, move.reason) == ("Bea", "reset to main~2")
    moved = last_event(lake)
    assert (moved.kind, moved.details["commit"]) == (EventKind.REF_MOVED, first)
    assert lake.lineage.get_global(moved.details["global_id"]).record.created_by == "Bea"
    lake.refs.undo("raw", "main")
    assert lake.commits.get("raw").id == last
    assert last_event(lake).details["commit"] == last


def test_a_branch_can_be_reset_to_what_no_branch_leads_to_any_more(lake):
    lost = lake.commits.get("raw").id
    lake.refs.reset("raw", "main", "main~1")
    lake.refs.reset("raw", "main", lost[:12])
    assert lake.commits.get("raw").id == lost


def test_a_reset_to_where_the_branch_is_makes_no_move(lake):
    moves = lake.refs.list_moves("raw")
    lake.refs.reset("raw", "main", "main")
    assert lake.refs.list_moves("raw") == moves


def test_a_reset_is_refused_when_the_branch_is_not_where_it_was_expected(lake):
    before = refs(lake)
    with pytest.raises(ConflictError) as caught:
        lake.refs.reset("raw", "main", "main~2", expected="main~1")
    assert caught.value.kind is ErrorKind.BRANCH_MOVED
    assert refs(lake) == before
    lake.refs.reset("raw", "main", "main~2", expected=before["main"][1])
    assert contents_of(lake, "raw") == {"a": b"0"}


@pytest.mark.parametrize("to", ["nowhere", "main~9", "0" * 64])
def test_a_reset_to_nothing_changes_nothing(lake, to):
    before = refs(lake)
    with pytest.raises(NotFoundError):
        lake.refs.reset("raw", "main", to)
    assert refs(lake) == before


def test_a_reset_does_not_pull_a_branch_from_under_a_session_unless_forced(lake):
    before = refs(lake)
    with lake.sessions.create("raw") as session:
        session.put("b", "staged")
        for move in (
            lambda: lake.refs.reset("raw", "main", "main~1"),
            lambda: lake.refs.undo("raw", "main"),
        ):
            with pytest.raises(StateError) as caught:
                move()
            assert caught.value.kind is ErrorKind.IN_USE
            assert session.id in caught.value.context["users"][0]
            assert refs(lake) == before
        lake.refs.reset("raw", "main", "main~1", force=True)
        # The session goes on: what it staged is applied to where the branch is now.
        session.commit("after the reset")
    assert contents_of(lake, "raw") == {"a": b"1", "b": b"staged"}


def test_refs_that_people_do_not_write_to_are_not_reset(lake):
    lake.refs.create_tag("raw", "v1")
    with pytest.raises(PermissionDeniedError):
        lake.refs.reset("raw", "v1", "main~1")
    with lake.core.metadata.write() as tx:
        tx.repos.set_kind(tx.repos.get("raw").id, RepoKind.OUTPUT)
    before = refs(lake)
    for move in (
        lambda: lake.refs.reset("raw", "main", "main~1"),
        lambda: lake.refs.undo("raw", "main"),
    ):
        with pytest.raises(PermissionDeniedError):
            move()
    assert refs(lake) == before


def test_undo_of_every_kind_of_move_restores_what_was_there_and_twice_what_came_of_it(lake):
    lake.refs.create_branch("raw", "dev", at="main~1")
    lake.refs.create_tag("raw", "v1", message="the first\nthat counts")
    lake.files.put("raw@dev/b", "1")
    bea = lake.as_user(Author("Bea"))
    acts = [
        ("main", lambda: lake.files.put("raw@main/a", "9")),
        ("main", lambda: lake.commits.merge("raw", "dev")),
        ("main", lambda: lake.refs.reset("raw", "main", "main~2")),
        ("new", lambda: lake.refs.create_branch("raw", "new")),
        ("v2", lambda: lake.refs.create_tag("raw", "v2", message="again")),
        ("v1", lambda: lake.refs.rename("raw", "v1", "v1.0")),
        ("dev", lambda: lake.refs.rename("raw", "dev", "develop")),
        ("develop", lambda: lake.refs.delete_branch("raw", "develop")),
        ("v1.0", lambda: lake.refs.delete_tag("raw", "v1.0")),
    ]
    for name, act in acts:
        before = refs(lake)
        act()
        after = refs(lake)
        assert after != before
        number = lake.refs.list_moves("raw", name=name)[0].number
        for expected in (before, after, before, after):
            made = bea.refs.undo("raw", name, move=number)
            assert refs(lake) == expected
            assert (made.by, made.number) > ("Bea", number)
            assert made.reason.startswith(f"undo move {number}: ")
            number = made.number
        check_lake(lake)


def test_a_rename_is_undone_from_either_name(lake):
    lake.refs.create_tag("raw", "v1")
    before = refs(lake)
    for name in ("v1", "v1.0"):
        lake.refs.rename("raw", "v1", "v1.0")
        assert refs(lake).keys() == {"main", "v1.0"}
        lake.refs.undo("raw", name)
        assert refs(lake) == before


def test_an_undo_is_refused_when_somebody_moved_the_ref_since(lake):
    number = lake.refs.list_moves("raw", name="main")[0].number
    lake.files.put("raw@main/b", "since")
    before = refs(lake)
    with pytest.raises(ConflictError) as caught:
        lake.refs.undo("raw", "main", move=number)
    assert caught.value.kind is ErrorKind.BRANCH_MOVED
    assert caught.value.context["actual"] > number
    assert "Undo that one first" in caught.value.hint
    assert refs(lake) == before


def test_a_rename_is_not_undone_when_the_old_name_is_somebody_else_s_now(lake):
    lake.refs.create_tag("raw", "v1")
    lake.refs.rename("raw", "v1", "v1.0")
    lake.refs.create_tag("raw", "v1", at="main~1")
    before = refs(lake)
    with pytest.raises(ConflictError) as caught:
        lake.refs.undo("raw", "v1.0")
    assert caught.value.context["ref"] == "v1"
    assert refs(lake) == before


def test_what_never_was_cannot_be_undone(lake):
    with pytest.raises(NotFoundError):
        lake.refs.undo("raw", "nowhere")
    lake.refs.reset("raw", "main", "main~3")
    for _ in range(3):
        lake.refs.undo("raw", "main")
    fresh = lake.repos.create("fresh")
    with pytest.raises(StateError) as caught:
        lake.refs.undo(fresh.name, "main")
    assert caught.value.kind is ErrorKind.IN_USE
    assert lake.refs.get("fresh", "main").kind is RefKind.BRANCH


def test_renaming_keeps_everything_but_the_name(lake):
    lake.refs.create_tag("raw", "v1", at="main~1", message="said")
    was = refs(lake)["v1"]
    assert lake.refs.rename("raw", "v1", "v2").name == "v2"
    assert refs(lake) == {"main": refs(lake)["main"], "v2": was}
    there, back = lake.refs.list_moves("raw")[:2]
    assert (there.name, there.renamed_from, back.name, back.renamed_to) == ("v2", "v1", "v1", "v2")
    for name, error in (("main", AlreadyExistsError), ("HEAD", InvalidInputError)):
        with pytest.raises(error):
            lake.refs.rename("raw", "v2", name)
    assert refs(lake)["v2"] == was


def test_a_branch_that_is_known_by_its_name_is_not_renamed(lake):
    with pytest.raises(StateError):
        lake.refs.rename("raw", "main", "other")
    lake.refs.create_branch("raw", "dev")
    with lake.sessions.create("raw", "dev") as session:
        session.put("x", "1")
        with pytest.raises(StateError) as caught:
            lake.refs.rename("raw", "dev", "develop")
        assert caught.value.context["users"] == [f"session {session.id}"]
    assert refs(lake).keys() == {"dev", "main"}
    lake.sessions.delete(session.id)


@pytest.mark.parametrize("message", ["", " \n", "\ud800", "x" * 70_000])
def test_a_tag_that_says_nothing_sensible_is_not_made(lake, message):
    with pytest.raises(InvalidInputError):
        lake.refs.create_tag("raw", "v1", message=message)
    assert refs(lake).keys() == {"main"}


def test_refs_cost_the_same_whatever_the_repo_holds(lake):
    counted = []
    engine = lake.core.metadata._engine
    event.listen(engine, "before_cursor_execute", lambda *args: counted.append(args[2]))

    def cost():
        acts = [
            lambda: lake.refs.create_branch("raw", "dev", at="main"),
            lambda: lake.refs.rename("raw", "dev", "develop"),
            lambda: lake.refs.reset("raw", "develop", "main"),
            lambda: lake.refs.delete_branch("raw", "develop"),
            lambda: lake.refs.create_tag("raw", "v1"),
            lambda: lake.refs.delete_tag("raw", "v1"),
            lambda: lake.refs.undo("raw", "v1"),
            lambda: lake.refs.undo("raw", "v1"),
        ]
        numbers = []
        for act in acts:
            counted.clear()
            act()
            numbers.append(len(counted))
        return numbers

    small = cost()
    with lake.sessions.create("raw") as session:
        for number in range(200):
            session.put(f"d/{number}", f"{number}")
        session.commit("many")
    for number in range(20):
        lake.files.put("raw@main/a", f"more {number}")
        lake.refs.create_tag("raw", f"t{number}")
    assert cost() == small
    assert len(history_of(lake, "raw")) == 25


def test_the_reflog_comes_in_pages(lake):
    whole = lake.refs.list_moves("raw")
    assert [move.number for move in whole] == sorted((move.number for move in whole), reverse=True)
    first = lake.refs.list_moves("raw", limit=2)
    rest = lake.refs.list_moves("raw", before=first[-1].number)
    assert [*first, *rest] == whole
