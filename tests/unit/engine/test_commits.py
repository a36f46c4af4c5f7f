"""Commits: rebasing onto a branch that moved, or refusing to, and losing nothing either way."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from jupyter_datalake.engine import commits, turns
from jupyter_datalake.engine.commits import (
    CommitRequest,
    commit_changes,
    commit_tree,
    head_of,
)
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.errors import ConflictError, ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.metadata.refs import Refs
from jupyter_datalake.model.commits import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, Author
from jupyter_datalake.model.entries import empty_folder, inline_file
from jupyter_datalake.model.manifests import build_manifest
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    yield memory_lake
    check_lake(memory_lake)


def changes_of(entries):
    """A file for bytes, a folder for None, a removal for ..."""
    made = {}
    for path, content in entries.items():
        if content is ...:
            made[RepoPath(path)] = None
        elif content is None:
            made[RepoPath(path)] = empty_folder(mtime_ns=0)
        else:
            made[RepoPath(path)] = inline_file(content, mode=0o644, mtime_ns=0)
    return made


def commit(lake, base, entries, **request):
    with lake.core.writer() as writer:
        return commit_changes(
            lake.core,
            writer,
            base,
            changes_of(entries),
            CommitRequest("raw", "main", "test", lake.author, **request),
        )


def start(lake, entries):
    """The branch with these entries, as the base of two sides."""
    return commit(lake, head_of(lake.core, "raw", "main"), entries).commit


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "result"),
    [
        # paths that do not meet
        ({}, {"a": b"1"}, {"b": b"2"}, {"a": b"1", "b": b"2"}),
        ({"a": b"0"}, {"a": b"1"}, {"b": b"2"}, {"a": b"1", "b": b"2"}),
        ({"a": b"0"}, {"a": ...}, {"b": b"2"}, {"b": b"2"}),
        ({"d/a": b"0"}, {"d/a": ..., "d": None}, {"d/b": b"2"}, {"d/b": b"2"}),
        ({"ab": b"0"}, {"ab": ...}, {"a/b": b"1"}, {"a/b": b"1"}),
        # both did the same
        ({}, {"a": b"1"}, {"a": b"1", "b": b"2"}, {"a": b"1", "b": b"2"}),
        ({"a": b"0"}, {"a": ...}, {"a": ..., "b": b"2"}, {"b": b"2"}),
        ({}, {"d": None}, {"d": None, "x": b"1"}, {"d": None, "x": b"1"}),
        # empty folders give way to what is in them
        ({}, {"d": None}, {"d/x": b"1"}, {"d/x": b"1"}),
        ({}, {"d/x": b"1"}, {"d": None, "y": b"2"}, {"d/x": b"1", "y": b"2"}),
        ({"d": None}, {"d": ..., "d/x": b"1"}, {"d": ..., "d/y": b"2"}, {"d/x": b"1", "d/y": b"2"}),
        # a folder that we emptied stays, unless they put something into it
        ({"d/x": b"0"}, {"e": b"1"}, {"d/x": ..., "d": None}, {"d": None, "e": b"1"}),
        ({"d/x": b"0"}, {"d/y": b"1"}, {"d/x": ..., "d": None}, {"d/y": b"1"}),
    ],
)
def test_changes_that_do_not_meet_are_joined(lake, base, theirs, ours, result):
    common = start(lake, base) if base else head_of(lake.core, "raw", "main")
    other = commit(lake, common, theirs).commit
    joined = commit(lake, common, ours)
    assert joined.is_new
    assert joined.commit.parents == (other.id,)
    assert contents_of(lake, "raw") == result


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "meeting"),
    [
        ({}, {"a": b"1"}, {"a": b"2", "b": b"3"}, ["a"]),
        ({"a": b"0"}, {"a": b"1"}, {"a": ...}, ["a"]),
        ({"a": b"0"}, {"a": ...}, {"a": b"1"}, ["a"]),
        ({}, {"a": b"1"}, {"a/b": b"2"}, ["a/b"]),
        ({}, {"a/b": b"1"}, {"a": b"2"}, ["a/b"]),
        ({}, {"a/b/c": b"1"}, {"a": b"2"}, ["a/b/c"]),
        ({"d": None}, {"d": b"1"}, {"d": ..., "d/x": b"2"}, ["d", "d/x"]),
    ],
)
def test_changes_that_meet_are_refused_and_nothing_is_changed(lake, base, theirs, ours, meeting):
    common = start(lake, base) if base else head_of(lake.core, "raw", "main")
    other = commit(lake, common, theirs).commit
    before = contents_of(lake, "raw")
    with pytest.raises(ConflictError) as caught:
        commit(lake, common, ours)
    assert caught.value.kind is ErrorKind.PATHS_CONFLICT
    assert caught.value.context["paths"] == meeting
    assert caught.value.context["head"] == other.id
    assert head_of(lake.core, "raw", "main").id == other.id
    assert contents_of(lake, "raw") == before


def test_many_meeting_paths_are_counted_and_the_first_named(lake):
    base = head_of(lake.core, "raw", "main")
    commit(lake, base, {f"f{number:03}": b"1" for number in range(150)})
    with pytest.raises(ConflictError) as caught:
        commit(lake, base, {f"f{number:03}": b"2" for number in range(150)})
    assert caught.value.message.startswith("150 paths")
    assert len(caught.value.context["paths"]) == 100
    assert len(caught.value.message) < 300


def test_a_change_that_was_made_already_is_no_new_commit(lake):
    base = head_of(lake.core, "raw", "main")
    other = commit(lake, base, {"a": b"1"}).commit
    again = commit(lake, base, {"a": b"1"})
    assert not again.is_new
    assert again.commit.id == other.id
    assert len(history_of(lake, "raw")) == 2


def move_branch_once(lake, monkeypatch):
    """Let another commit come in between our look at the head and our move of it."""
    real = Refs.move
    done = threading.Event()

    def racing(self, repo, name, *, expected, new, by, reason):
        if not done.is_set():
            done.set()
            raise ConflictError("moved", kind=ErrorKind.BRANCH_MOVED)
        real(self, repo, name, expected=expected, new=new, by=by, reason=reason)

    monkeypatch.setattr(Refs, "move", racing)


def test_chunks_of_an_attempt_that_lost_the_race_are_in_the_commit_that_wins(lake, monkeypatch):
    # The first attempt's packs are sealed, and registered in a transaction that is rolled back.
    move_branch_once(lake, monkeypatch)
    lake.files.put("raw@main/large", b"x" * 5000)
    assert lake.files.read("raw@main/large") == b"x" * 5000
    assert len(history_of(lake, "raw")) == 2


@pytest.mark.parametrize(
    "verb",
    [
        lambda lake: lake.files.put("raw@main/a", b"1"),
        lambda lake: lake.files.rename("raw@main/base", "moved"),
        lambda lake: lake.files.copy("raw@main/base", "raw@main/copied"),
        lambda lake: lake.files.delete("raw@main/base"),
        lambda lake: lake.files.restore("raw@dev/base"),
        lambda lake: lake.commits.merge("raw", "dev", choices={"/": "theirs"}),
        lambda lake: lake.commits.revert("raw", "main"),
        lambda lake: lake.commits.cherry_pick("raw", "dev"),
        lambda lake: lake.commits.squash("raw", "main~2"),
    ],
    ids=["put", "rename", "copy", "delete", "restore", "merge", "revert", "cherry-pick", "squash"],
)
def test_one_change_has_one_global_id_however_often_it_is_tried(lake, monkeypatch, verb):
    lake.files.put("raw@main/base", b"1")
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/base", b"2")
    lake.files.put("raw@main/other", b"3")
    seen = []
    real = commits.CommitDraft

    def watched(**values):
        seen.append(values["global_id"])
        return real(**values)

    move_branch_once(lake, monkeypatch)
    monkeypatch.setattr(commits, "CommitDraft", watched)
    verb(lake)
    assert len(seen) == 2
    assert len(set(seen)) == 1
    head = head_of(lake.core, "raw", "main")
    assert head.global_id == seen[0]
    with lake.core.metadata.read() as tx:
        assert tx.lineage.get(head.global_id).id == head.global_id


def test_writers_of_one_branch_take_turns_and_none_builds_a_commit_for_nothing(lake, monkeypatch):
    patient = partial(turns.turns, patience_s=600)
    monkeypatch.setattr(turns, "turns", patient)
    built = []
    real = commits.CommitDraft
    monkeypatch.setattr(commits, "CommitDraft", lambda **one: built.append(one) or real(**one))
    lake.files.put("raw@main/0", b"0")
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/theirs", b"1")
    acts = [
        partial(lake.files.put, "raw@main/1", b"1"),
        partial(lake.files.rename, "raw@main/0", "moved"),
        partial(lake.commits.cherry_pick, "raw", "dev"),
        partial(_put_by_session, lake, "2"),
        partial(_put_by_session, lake, "3"),
        partial(lake.files.put, "raw@main/4", b"4"),
    ]
    built.clear()
    with ThreadPoolExecutor(len(acts)) as threads:
        for one in [threads.submit(act) for act in acts]:
            one.result()
    assert set(contents_of(lake, "raw")) == {"1", "2", "3", "4", "moved", "theirs"}
    assert len(built) == len(acts)


def _put_by_session(lake, path):
    with lake.sessions.create("raw") as session:
        session.put(path, path.encode())
        session.commit("by a session")


def test_who_has_a_turn_does_not_wait_for_it_once_more(lake, monkeypatch):
    waits = []
    real = turns._wait
    monkeypatch.setattr(turns, "_wait", lambda *one: waits.append(one) or real(*one))
    with turns.turns(lake.core, [("raw", "main")]):
        assert len(waits) == 1
        lake.files.put("raw@main/a", b"1")
        with turns.turns(lake.core, [("raw", "main")]):
            assert len(waits) == 1
    lake.files.put("raw@main/a", b"2")
    assert len(waits) == 2
    assert contents_of(lake, "raw") == {"a": b"2"}


def test_a_branch_that_never_stands_still_is_given_up(lake, monkeypatch):
    def always(self, repo, name, **moves):
        raise ConflictError("moved", kind=ErrorKind.BRANCH_MOVED)

    monkeypatch.setattr(turns, "MAX_ATTEMPTS", 3)
    base = head_of(lake.core, "raw", "main")
    with monkeypatch.context() as patch:
        patch.setattr(Refs, "move", always)
        with pytest.raises(ConflictError) as caught:
            commit(lake, base, {"a": b"1"})
    assert caught.value.kind is ErrorKind.BRANCH_MOVED
    assert caught.value.retryable
    assert head_of(lake.core, "raw", "main").id == base.id


def test_what_else_is_written_is_in_the_transaction_that_moves_the_branch(lake):
    base = head_of(lake.core, "raw", "main")
    request = CommitRequest("raw", "main", "test", lake.author)

    def also(tx, made):
        tx.settings.set_once("also", made.id)

    def fails(tx, made):
        tx.settings.set_once("never", made.id)
        raise ZeroDivisionError

    with lake.core.writer() as writer, pytest.raises(ZeroDivisionError):
        commit_changes(lake.core, writer, base, changes_of({"a": b"1"}), request, fails)
    assert head_of(lake.core, "raw", "main").id == base.id
    with lake.core.writer() as writer:
        made = commit_changes(lake.core, writer, base, changes_of({"a": b"1"}), request, also)
    with lake.core.metadata.read() as tx:
        assert tx.settings.get("also") == made.commit.id
        assert tx.settings.get("never") is None


def test_a_whole_tree_is_committed_only_where_it_was_expected(lake):
    base = head_of(lake.core, "raw", "main")
    request = CommitRequest("raw", "main", "test", lake.author)
    with lake.core.writer() as writer:
        nodes = NodeWriter(lake.core.nodes, writer)
        same = commit_tree(lake.core, writer, nodes, base, build_manifest(nodes, []), request)
    assert not same.is_new
    commit(lake, base, {"a": b"1"})
    with lake.core.writer() as writer:
        nodes = NodeWriter(lake.core.nodes, writer)
        root = lake.core.snapshot(lake.commits.get("raw")).root
        with pytest.raises(ConflictError) as caught:
            commit_tree(lake.core, writer, nodes, base, root, request)
    assert caught.value.kind is ErrorKind.BRANCH_MOVED


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"message": ""}, "message"),
        ({"message": " \n\t "}, "message"),
        ({"message": "x" * (MAX_MESSAGE_BYTES + 1)}, "message"),
        ({"message": "\ud800"}, "Unicode"),
        ({"author": Author("\udcff")}, "Unicode"),
        ({"author": Author("Ada", "\udcff")}, "Unicode"),
        ({"metadata": {"a": "\udcff"}}, "Unicode"),
        ({"metadata": {"a": 1}}, "Unicode"),
        ({"metadata": {1: "a"}}, "Unicode"),
        ({"metadata": {"a": "x" * (MAX_METADATA_BYTES + 1)}}, "metadata"),
    ],
)
def test_what_people_type_is_checked_before_anything_is_written(lake, change, word):
    request = {"repo": "raw", "branch": "main", "message": "m", "author": lake.author, **change}
    with pytest.raises(InvalidInputError) as caught:
        CommitRequest(**request)
    assert word in str(caught.value)


@pytest.mark.parametrize("message", ["\n\n  subject\n\nbody", "x" * 5000, "\x1b[31m", "\u2028a"])
def test_odd_messages_are_kept_as_they_are(lake, message):
    base = head_of(lake.core, "raw", "main")
    with lake.core.writer() as writer:
        request = CommitRequest("raw", "main", message, lake.author)
        commit_changes(lake.core, writer, base, changes_of({"a": b"1"}), request)
    assert lake.commits.get("raw").message == message
    reason = lake.refs.list_moves("raw")[0].reason
    assert reason.strip()
    assert "\n" not in reason
    assert len(reason) <= 200


def test_committing_to_what_is_not_there_is_not_found(lake):
    base = head_of(lake.core, "raw", "main")
    for repo, branch in (("nothing", "main"), ("raw", "nothing")):
        request = CommitRequest(repo, branch, "test", lake.author)
        with lake.core.writer() as writer, pytest.raises(NotFoundError):
            commit_changes(lake.core, writer, base, changes_of({"a": b"1"}), request)
