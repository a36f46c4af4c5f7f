"""Folding: what is staged leaves memory and journal for a tree of the lake, and nobody can tell."""

import os
import random
from dataclasses import replace

import pytest

from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.engine.drafts import Drafter
from jupyter_datalake.engine.journal import read_journal
from jupyter_datalake.engine.session import Session, open_session
from jupyter_datalake.errors import (
    ConflictError,
    DatalakeError,
    ErrorKind,
    FormatError,
    StateError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.testing.faults import abandon
from jupyter_datalake.testing.invariants import check_lake, contents_of
from tests.unit.engine.test_staged_tree import ACTS, changes, killed, opened, read, shown

ME = Author("folder")
AT_ONCE = GcPolicy(undo_s=0, grace_s=0, reader_s=0, unknown_s=0, small_pack_count=2)


def folding(session, after):
    """Return a session that goes on from another, and folds after so many acts."""
    session.close()
    return open_session(replace(session._core, staged_count=after), session.info)


def commit_beside(lake, **changes):
    """Commit to the session's branch as somebody else."""
    with lake.sessions.create("raw") as other:
        for path, content in changes.items():
            place = path.replace("__", "/")
            if content is None:
                other.delete(place)
            else:
                other.put(place, content)
        other.commit("beside")
        other.delete_session()


def node_count(session):
    count, waiting = 0, [session.tree.root]
    while waiting:
        count += 1
        waiting += waiting.pop().children.values()
    return count


def pinned(lake):
    with lake.core.metadata.read() as tx:
        return list(tx.pins.iter_roots())


# --- nobody can tell -----------------------------------------------------------------------------


def test_every_kind_of_act_is_as_it_was_folded_and_folded_after_a_kill(memory_lake, session):
    kinds = set()
    for name, act in ACTS.items():
        act(session)
        after, staged = shown(session), changes(session)
        session.fold()
        assert shown(session) == after, name
        assert changes(session) == staged, name
        kinds |= {record[0] for record in read_journal(session._folder / "journal")}
        session = killed(memory_lake, session)
        assert shown(session) == after, name
        assert changes(session) == staged, name
    session.close()
    assert kinds == {"base", "folded", "attributes"}


def test_every_kind_of_act_on_top_of_what_was_folded_is_replayed(memory_lake, session):
    for name, act in ACTS.items():
        session.fold()
        act(session)
        after, staged = shown(session), changes(session)
        session = killed(memory_lake, session)
        assert shown(session) == after, name
        assert changes(session) == staged, name
    session.close()


def test_working_files_are_stored_and_gone(session):
    session.create_file(session.tree.root, "new", 0o640).data.path.write_bytes(b"written")
    session.fold()
    assert os.listdir(session._folder / "data") == []
    assert read(session, "new") == b"written"
    assert session.find("new").mode == 0o640
    session.writable(session.tree.get("new")).path.write_bytes(b"written again")
    assert changes(session) == {"new": "added"}
    assert read(session, "new") == b"written again"


def test_a_file_that_is_open_for_writing_goes_on_being_written(memory_lake, session):
    node = opened(session.create_file(session.tree.root, "new", 0o644))
    with open(node.data.path, "ab", buffering=0) as file:
        file.write(b"before, ")
        session.fold()
        assert session.tree.get("new") is node
        file.write(b"after")
        session.restage(node)
    again = killed(memory_lake, session)
    assert read(again, "new") == b"before, after"
    again.close()


def test_folders_keep_time_and_permissions_until_there_are_too_many(session):
    for number in range(4):
        folder = session.create_folder(session.tree.root, f"d{number}", 0o755)
        session.create_symlink(folder, "x", b"target")
        session.set_attributes(folder, mtime_ns=number + 1)
    session.set_attributes(session.tree.get("d3"), mode=0o700)
    session.fold()
    assert [session.find(f"d{number}").mtime_ns for number in range(4)] == [1, 2, 3, 4]
    session._core = replace(session._core, staged_count=3)
    session.fold()
    assert [session.find(f"d{number}").mtime_ns for number in range(4)] == [0, 0, 0, 0]
    assert session.find("d3").mode == 0o700, "nobody may look into it who might not before"


def test_what_is_written_as_it_was_is_no_change_worth_a_commit(session):
    session.put("a/b.txt", b"other")
    session.fold()
    session.put("a/b.txt", b"hello")
    session.fold()
    assert list(session.diff()) == []
    with pytest.raises(StateError) as refused:
        session.commit("nothing", ME)
    assert refused.value.kind is ErrorKind.NOTHING_TO_COMMIT
    session.put("new", b"1")
    before = session.tree.committed.entry("a/b.txt")
    session.commit("one file", ME)
    assert session.tree.committed.entry("a/b.txt") == before, "its time is the old one"


def test_nothing_is_staged_once_all_of_it_is_undone(session):
    session.put("new", b"1")
    session.fold()
    session.delete("new")
    assert not session.has_changes
    session.fold()
    assert not session.has_changes
    assert not session.tree.is_folded


@pytest.mark.parametrize("seed", range(6))
def test_a_session_that_folds_all_the_time_is_like_one_that_never_does(memory_lake, seed):
    chance = random.Random(seed)  # repeatable, not secret
    names = ["a", "b", "a/a", "a/b", "b/a", "a/b/a", "c.x", "c"]
    lake = memory_lake
    for repo in ("folds", "never"):
        lake.repos.create(repo)
        with lake.sessions.create(repo) as first:
            first.put("a/b/a", "1")
            first.put("c/deep", "2")
            first.make_folder("b")
            first.commit("Begin")
            first.delete_session()
    pair = [
        folding(lake.sessions.begin(repo, "main"), count)
        for repo, count in (("folds", 1), ("never", 10**6))
    ]

    def both(act):
        outcomes = []
        for one in pair:
            try:
                act(one)
                outcomes.append(None)
            except DatalakeError as error:
                outcomes.append((error.kind, error.context.get("paths")))
        assert outcomes[0] == outcomes[1]
        return outcomes[0]

    for step in range(60):
        path, other = chance.choice(names), chance.choice(names)
        content = str(chance.randrange(3)).encode()
        match chance.randrange(9):
            case 0 | 1 | 2:
                both(lambda one, path=path, content=content: one.put(path, content))
            case 3:
                both(lambda one, path=path: one.delete(path))
            case 4:
                both(lambda one, path=path, other=other: one.rename(path, other))
            case 5:
                both(lambda one, path=path: one.make_folder(path))
            case 6:
                both(lambda one, path=path: one.discard([path]))
            case 7:
                for repo in ("folds", "never"):
                    with lake.sessions.create(repo) as beside:
                        try:
                            beside.put(path, f"beside {content}")
                            beside.commit("beside")
                        except DatalakeError:
                            beside.discard()
                        beside.delete_session()
            case 8 if step % 2:
                kind = both(lambda one: one.commit("together", ME))
                if kind and kind[0] is ErrorKind.PATHS_CONFLICT:
                    both(lambda one: one.discard())
        folded, plain = pair
        assert changes(folded) == changes(plain)
        assert {path: (one[0], one[3]) for path, one in shown(folded).items()} == {
            path: (one[0], one[3]) for path, one in shown(plain).items()
        }
        assert contents_of(lake, "folds") == contents_of(lake, "never")
    for one in pair:
        one.close()
    check_lake(lake)


# --- memory --------------------------------------------------------------------------------------


def test_neither_nodes_nor_journal_nor_pins_grow_with_what_is_staged(memory_lake, session):
    session = folding(session, 20)
    for number in range(300):
        session.put(f"new/{number % 7}/{number}", b"x" * 100 + str(number).encode())
    assert node_count(session) < 60
    assert sum(1 for _ in read_journal(session._folder / "journal")) < 60
    assert len(pinned(memory_lake)) <= 21
    assert sum(1 for _ in session.diff()) == 300
    session.commit("all of it", ME)
    assert len(contents_of(memory_lake, "raw")) == 302
    assert pinned(memory_lake) == []
    session.close()


def test_many_files_at_once_are_staged_in_portions(tmp_path, session):
    for number in range(50):
        (tmp_path / f"{number:02}").write_text(str(number))
    session = folding(session, 8)
    most = []
    session.fold = lambda: most.append(session.acts) or Session.fold(session)
    session.put_tree(tmp_path, "tree")
    session.put_files((f"files/{path.name}", path) for path in sorted(tmp_path.iterdir()))
    session.copy(session.tree.base, "tree", "copied")
    assert max(most) <= 16
    assert len(session.list("files")) == len(session.list("tree")) == 50
    assert {read(session, f"copied/{number:02}") for number in range(50)} == {
        str(number).encode() for number in range(50)
    }
    session.close()


def test_a_verb_that_makes_many_acts_is_folded_when_it_has_ended(session):
    session = folding(session, 2)
    for number in range(6):
        session.put(f"new/{number}", str(number).encode())
    session.discard(["new"])
    assert changes(session) == {}
    session.delete("")
    assert changes(session) == {"a/b.txt": "removed", "c.bin": "removed"}
    session.restore(session.tree.committed, "a")
    assert changes(session) == {"c.bin": "removed"}
    session.close()


@pytest.mark.logs("could not be folded")
def test_a_fold_that_fails_leaves_all_in_memory_and_is_tried_again_later(session, monkeypatch):
    session = folding(session, 2)

    def refuse(*_):
        raise StateError("no room")

    monkeypatch.setattr(session, "store_fold", refuse)
    for number in range(3):
        session.put(f"{number}", b"x")
    assert not session.tree.is_folded
    monkeypatch.undo()
    for number in range(3, 6):
        session.put(f"{number}", b"x")
    assert session.tree.is_folded
    assert len(changes(session)) == 6
    session.close()


# --- what others see of it -----------------------------------------------------------------------


def test_gc_keeps_what_is_folded_and_takes_what_was_staged_in_between(memory_lake, session):
    kept, passing = os.urandom(50_000), os.urandom(50_000)
    session.put("x", passing)
    (gone,) = (digest for _, digest in pinned(memory_lake))
    session.fold()
    session.put("x", kept)
    session.fold()
    memory_lake.maintenance.gc(AT_ONCE)
    memory_lake.maintenance.gc(AT_ONCE)
    assert read(session, "x") == kept
    with memory_lake.core.metadata.read() as tx:
        assert not tx.blobs.known([gone])
    session = killed(memory_lake, session)
    session.commit("after collections", ME)
    session.close()
    assert contents_of(memory_lake, "raw")["x"] == kept
    check_lake(memory_lake)


def test_a_draft_of_a_folded_session_holds_all_of_it(memory_lake, session):
    session.put("one", b"1")
    session.delete("c.bin")
    session.fold()
    session.put("two", b"2")
    drafter = Drafter(memory_lake.core, session)
    draft = drafter.save(drafter.collect())
    assert draft.changes == 3
    session.fold()
    assert drafter.save(drafter.collect()).changes == 3
    session.destroy()
    info = memory_lake.sessions.recover(draft.session_id)
    with open_session(memory_lake.core, info) as again:
        assert changes(again) == {"c.bin": "removed", "one": "added", "two": "added"}


def test_a_folded_commit_onto_a_branch_that_moved_takes_in_what_others_did(memory_lake, session):
    session.put("ours", b"1")
    session.put("same", b"both")
    session.make_folder("empty")
    session.fold()
    commit_beside(memory_lake, theirs=b"2", same=b"both", empty__not=b"3")
    session.commit("ours too", ME)
    found = contents_of(memory_lake, "raw")
    assert {path: found[path] for path in ("ours", "same", "theirs", "empty/not")} == {
        "ours": b"1",
        "same": b"both",
        "theirs": b"2",
        "empty/not": b"3",
    }
    assert "empty" not in found
    check_lake(memory_lake)


def test_a_folded_commit_meets_others_on_a_path_as_any_other(memory_lake, session):
    session.put("x", b"ours")
    session.put("file", b"ours")
    session.fold()
    commit_beside(memory_lake, x=b"theirs", file__below=b"theirs", other=b"theirs")
    with pytest.raises(ConflictError) as refused:
        session.commit("ours", ME)
    assert refused.value.kind is ErrorKind.PATHS_CONFLICT
    assert refused.value.context["paths"] == ["file/below", "x"]
    assert changes(session) == {"file": "added", "x": "added"}
    head = head_of(memory_lake.core, "raw", "main")
    assert contents_of(memory_lake, "raw")["x"] == b"theirs"
    session.discard(["x", "file"])
    session.rebase()
    assert session.base.id == head.id


def test_markers_of_empty_folders_give_way_to_what_is_put_into_them(memory_lake, session):
    with memory_lake.sessions.create("raw") as first:
        first.put("d/old", "1")
        first.commit("a folder")
        first.delete_session()
    session.rebase()
    session.put("d/one", b"1")
    session.put("d/sub/two", b"2")
    with memory_lake.sessions.create("raw") as other:
        other.delete("d/old")
        other.make_folder("d")
        other.commit("empty it")
        other.delete_session()
    session.commit("into the emptied folder", ME)
    paths = set(contents_of(memory_lake, "raw"))
    assert paths == {"a/b.txt", "c.bin", "d/one", "d/sub/two"}
    check_lake(memory_lake)


def test_discarding_a_file_leaves_what_was_folded_or_moved_beside_it(session):
    session.put("new/one", b"1")
    session.put("new/two", b"2")
    session.fold()
    session.discard(["new/one"])
    assert changes(session) == {"new/two": "added"}
    session.discard()
    session.put("a/c.txt", b"3")
    session.rename("a", "moved")
    session.discard(["moved/c.txt"])
    assert changes(session) == {"a/b.txt": "removed", "moved/b.txt": "added"}


def test_a_lake_that_lost_its_database_finds_a_folded_session_again(local_lake):
    lake = local_lake
    lake.repos.create("raw")
    content = os.urandom(50_000)
    session = lake.sessions.begin("raw", "main")
    session.create_symlink(session.tree.root, "link", b"there")
    session.put("x", content)
    session.fold()
    session.create_symlink(session.tree.root, "after", b"too")
    session.close()
    folder = lake.core.work_folder.parent
    lake.close()
    for file in folder.glob("metadata.sqlite*"):
        file.unlink()
    rebuild_lake(str(folder))
    with Lake.open(str(folder)) as found:
        found.maintenance.gc(AT_ONCE)
        with open_session(found.core, found.sessions.get(session.id)) as again:
            assert changes(again) == {"after": "added", "link": "added", "x": "added"}
            assert read(again, "x") == content


# --- kills ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["store_fold", "go_on_over", "_drop_unneeded_files"])
def test_killed_in_the_middle_of_a_fold_the_session_is_the_same(
    memory_lake, session, monkeypatch, method
):
    session.create_file(session.tree.root, "new", 0o640).data.path.write_bytes(b"written")
    session.put("put", b"x" * 100_000)
    session.delete("c.bin")
    before, staged = shown(session), changes(session)
    real = getattr(session, method)

    class KilledError(BaseException):
        pass

    def die(*arguments, **named):
        if method == "store_fold":
            real(*arguments, **named)
        raise KilledError

    monkeypatch.setattr(session, method, die)
    with pytest.raises(KilledError):
        session.fold()
    abandon(session)
    with open_session(memory_lake.core, session.info) as again:
        assert shown(again) == before
        assert changes(again) == staged
        again.fold()
        assert shown(again) == before


def test_what_is_being_written_is_not_folded_and_is_back_after_a_kill(memory_lake, session):
    """Where a folder was, in folders that are new or were empty, and over what is committed."""
    session.make_folder("empty")
    session.commit("an empty folder", ME)
    session.delete("a")
    places = {
        "a": session.tree.root,
        "new": session.create_folder(session.tree.root, "d", 0o755),
        "it": session.tree.get("empty"),
    }
    for name, folder in places.items():
        node = opened(session.create_file(folder, name, 0o600))
        node.data.path.write_bytes(name.encode())
    opened(session.tree.get("c.bin"))
    session.writable(session.tree.get("c.bin")).path.write_bytes(b"changed")
    before, staged = shown(session), changes(session)
    for _ in range(2):
        session.fold()
        assert shown(session) == before
        assert changes(session) == staged
        assert len(os.listdir(session._folder / "data")) == 4
    session = killed(memory_lake, session)
    assert shown(session) == before
    assert changes(session) == staged
    session.remove(session.tree.get("empty/it"))
    session.remove(session.tree.get("d/new"))
    session = killed(memory_lake, session)
    session.fold()
    assert changes(session) == {
        "a": "added",
        "a/b.txt": "removed",
        "c.bin": "modified",
        "d": "added",
    }
    session.commit("written", ME)
    session.close()
    found = contents_of(memory_lake, "raw")
    assert (found["a"], found["c.bin"]) == (b"a", b"changed")
    check_lake(memory_lake)


def test_a_journal_with_an_act_that_nobody_knows_is_not_replayed_without_it(memory_lake, session):
    session.put("new", b"1")
    session._append(["sprinkle", "new"])
    abandon(session)
    with pytest.raises(FormatError, match="'sprinkle', which a newer program wrote"):
        open_session(memory_lake.core, session.info)
    with pytest.raises(FormatError):  # the lock was let go of
        open_session(memory_lake.core, session.info)


def test_changes_come_in_the_order_of_manifests_folded_or_not(session):
    session.make_folder("e")
    session.put("f/only", b"1")
    session.commit("folders", ME)
    session.put("e/filled", b"1")
    session.delete("f/only")
    session.put("a/z", b"1")
    session.put("a.b", b"1")
    session.rename("a", "m")
    session.put("m.n", b"1")
    expected = ["a/b.txt", "a.b", "e", "e/filled", "f", "f/only", "m/b.txt", "m/z", "m.n"]
    assert [change.path for change in session.diff()] == expected
    session.fold()
    assert [change.path for change in session.diff()] == expected
    session.put("m/a", b"1")
    session.put("a.b", b"2")
    session.delete("m.n")
    assert [change.path for change in session.diff()] == [
        *expected[:6],
        "m/a",
        "m/b.txt",
        "m/z",
    ]


def test_a_moved_folder_of_more_files_than_fit_is_committed_without_listing_them(
    memory_lake, session
):
    for number in range(40):
        session.put(f"many/{number % 4}/{number}", b"%d" % number)
    session.commit("many", ME)
    session = folding(session, 10)
    session.rename("many", "moved")
    session.put("moved/2/2", b"other")
    session.delete("moved/3")
    opened(session.create_file(session.tree.get("moved"), "open", 0o600)).data.path.write_bytes(
        b"o"
    )
    assert len(changes(session)) == 40 + 30 + 1
    result, _ = session.commit("move", ME)
    assert result.commit.file_count == 2 + 30 + 1
    found = contents_of(memory_lake, "raw")
    assert found["moved/2/2"] == b"other"
    assert found["moved/1/5"] == b"5"
    assert found["moved/open"] == b"o"
    assert not any(path.startswith(("many", "moved/3")) for path in found)
    assert changes(session) == {}
    session.close()


def test_what_was_collected_stays_what_it_was(session):
    session.put("new", b"1")
    session.rename("a", "moved")
    staged = session.collect()
    before = [(path, old, kind_of(new)) for path, old, new in staged.changes]
    session.put("later", b"2")
    session.delete("moved")
    session.delete("new")
    assert [(path, old, kind_of(new)) for path, old, new in staged.changes] == before
    assert [path for path, _, _ in before] == ["a/b.txt", "moved/b.txt", "new"]


def kind_of(content):
    return getattr(content, "data", content)
