"""Staging by node: what is journalled is back after a kill, at every point."""

import os

import pytest

from jupyter_datalake.engine import journal as journal_module
from jupyter_datalake.engine.journal import read_journal
from jupyter_datalake.engine.session import open_session
from jupyter_datalake.errors import ErrorKind, StateError, StorageError
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.testing.faults import abandon


def killed(memory_lake, session):
    """Return the session as the next process finds it after a kill."""
    abandon(session)
    return open_session(memory_lake.core, session.info)


def changes(session):
    return {change.path: str(change.kind) for change in session.diff()}


def read(session, path):
    with session.open(path) as file:
        return file.read()


def opened(node, *, writes=True):
    node.pins = node.opens = 1
    node.writers = int(writes)
    return node


def working_files(session):
    return sorted(os.listdir(session._folder / "data"))


def test_every_act_is_back_after_a_kill(memory_lake, session):
    root = session.tree.root
    file = session.create_file(root, "new", 0o640)
    file.data.path.write_bytes(b"written")
    folder = session.create_folder(root, "d", 0o700)
    session.set_attributes(folder, mtime_ns=5)
    session.create_symlink(folder, "link", b"../new")
    session.move(session.tree.get("a"), folder, "moved")
    session.remove(session.tree.get("c.bin"))
    session.set_attributes(session.tree.get("d/moved/b.txt"), mode=0o755, mtime_ns=7)
    before = changes(session)

    with killed(memory_lake, session) as again:
        assert changes(again) == before
        assert read(again, "new") == b"written"
        assert again.tree.get("new").mode == 0o640
        assert again.tree.get("d").mode == 0o700
        assert again.tree.get("d/link").entry.content == b"../new"
        moved = again.tree.get("d/moved/b.txt").entry
        assert (moved.mode, moved.mtime_ns) == (0o755, 7)


def shown(session):
    """Return what a session shows: path to kind, mode, content, and of folders the time."""
    found, waiting = {}, [""]
    while waiting:
        for info in session.list(waiting.pop()):
            content, mtime_ns = info.target, None
            if info.kind is FileKind.FILE:
                content = read(session, info.path)
            elif info.kind is FileKind.FOLDER:
                waiting.append(info.path)
                mtime_ns = info.mtime_ns
            found[info.path] = info.kind, info.mode, mtime_ns, content
    return found


def make_file(session):
    node = session.create_file(session.tree.root, "new", 0o640)
    node.data.path.write_bytes(b"written")


def change_committed(session):
    session.writable(session.tree.get("c.bin")).path.write_bytes(b"changed")


def empty_committed(session):
    session.writable(session.tree.get("c.bin"), truncate=True)


ACTS = {
    "create": make_file,
    "write to what is committed": change_committed,
    "truncate": empty_committed,
    "mkdir": lambda session: session.create_folder(session.tree.root, "d", 0o700),
    "symlink": lambda session: session.create_symlink(session.tree.get("d"), "link", b"../new"),
    "rename a file": lambda session: session.move(
        session.tree.get("new"), session.tree.get("d"), "moved"
    ),
    "rename a folder": lambda session: session.move(
        session.tree.get("a"), session.tree.get("d"), "a"
    ),
    "rename over a file": lambda session: session.move(
        session.tree.get("d/moved"), session.tree.root, "c.bin"
    ),
    "chmod a file": lambda session: session.set_attributes(
        session.tree.get("d/a/b.txt"), mode=0o755
    ),
    "utime of a folder": lambda session: session.set_attributes(session.tree.get("d"), mtime_ns=-5),
    "chmod a folder": lambda session: session.set_attributes(session.tree.get("d"), mode=0o711),
    "unlink a link": lambda session: session.remove(session.tree.get("d/link")),
    "put": lambda session: session.put("put/it", b"x" * 100),
    "make a folder by path": lambda session: session.make_folder("by/path"),
    "rename by path": lambda session: session.rename("put/it", "by/path/it"),
    "delete a folder with all in it": lambda session: session.delete("by"),
    "discard a path": lambda session: session.discard(["c.bin"]),
    "unlink what is committed": lambda session: session.remove(session.tree.get("c.bin")),
    "discard everything": lambda session: session.discard(),
}


def test_every_kind_of_act_is_replayed_after_a_kill_behind_it(memory_lake, session):
    """One session lives through all of them, killed and opened again behind each."""
    kinds = set()
    for name, act in ACTS.items():
        before = shown(session)
        act(session)
        after, staged = shown(session), changes(session)
        assert after != before, f"{name} does nothing"
        kinds |= {record[0] for record in read_journal(session._folder / "journal")}
        session = killed(memory_lake, session)
        assert shown(session) == after, name
        assert changes(session) == staged, name
    session.close()
    assert kinds == {"attributes", "data", "entry", "folder", "move", "remove", "base"}


def test_folders_are_as_old_as_what_last_happened_in_them(memory_lake, session, lake_clock):
    lake_clock.advance(100)
    before = lake_clock()
    session.create_file(session.tree.root, "x", 0o644)
    made = session.tree.root.mtime_ns
    assert before < made < lake_clock()
    lake_clock.advance(100)
    with killed(memory_lake, session) as again:
        assert again.tree.root.mtime_ns == made


def test_a_copy_is_cut_to_what_is_kept(session):
    node = session.tree.get("c.bin")
    whole = read(session, "c.bin")
    data = session.copy_out(node.entry, keep_bytes=1_000)
    assert data.path.read_bytes() == whole[:1_000]
    session.drop(data)
    data = session.copy_out(node.entry)
    assert data.path.read_bytes() == whole
    assert data.path.stat().st_mtime_ns == node.entry.mtime_ns
    session.drop(data)
    assert working_files(session) == []


def test_a_copy_that_fails_leaves_nothing(session, monkeypatch):
    monkeypatch.setattr(os, "utime", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        session.copy_out(session.tree.get("c.bin").entry)
    assert working_files(session) == []


def test_truncating_makes_a_file_new(session):
    node = session.tree.get("c.bin")
    old = node.entry.mtime_ns
    data = session.writable(node, truncate=True)
    assert data.path.stat().st_size == 0
    assert data.path.stat().st_mtime_ns != old
    assert changes(session) == {"c.bin": "modified"}


def test_what_was_removed_gives_its_space_back_when_it_is_closed(session):
    node = opened(session.create_file(session.tree.root, "x", 0o644))
    session.remove(node)
    assert len(working_files(session)) == 1
    node.opens = node.writers = 0
    session.release(node)
    assert working_files(session) == []


def test_working_files_that_no_node_has_are_swept_after_a_kill(memory_lake, session):
    node = session.create_file(session.tree.root, "x", 0o644)
    session.copy_out(session.tree.get("c.bin").entry)
    (session._folder / "data" / "stray").write_text("left by an editor")
    with killed(memory_lake, session) as again:
        assert working_files(again) == [str(node.data.number)]
        assert again.create_file(again.tree.root, "y", 0o644).data.number > node.data.number


def test_numbers_of_working_files_do_not_come_back(memory_lake, session):
    for _ in range(3):
        session.remove(session.create_file(session.tree.root, "x", 0o644))
    with killed(memory_lake, session) as again:
        assert working_files(again) == []
        assert again.create_file(again.tree.root, "x", 0o644).data.number == 4


def test_a_written_file_goes_on_after_the_commit(session):
    node = opened(session.create_file(session.tree.root, "x", 0o644))
    node.data.path.write_bytes(b"one")
    _, shift = session.commit("One", Author("Ada"))
    assert shift.names == []
    assert node not in shift.nodes
    assert changes(session) == {}
    node.data.path.write_bytes(b"two")
    session.restage(node)
    assert changes(session) == {"x": "modified"}


def test_a_file_that_nobody_writes_gives_up_its_working_file_at_the_commit(session):
    node = opened(session.create_file(session.tree.root, "x", 0o644), writes=False)
    node.data.path.write_bytes(b"one")
    session.commit("One", Author("Ada"))
    assert node.data is None
    assert node.entry.size_bytes == 3
    assert working_files(session) == []


def test_a_discard_changes_what_was_staged_and_nothing_else(session):
    staged, clean = opened(session.tree.get("c.bin")), opened(session.tree.get("a/b.txt"))
    session.writable(staged)
    added = opened(session.create_file(session.tree.root, "x", 0o644))
    shift = session.discard()
    assert staged in shift.nodes
    assert clean not in shift.nodes
    assert shift.names == [(session.tree.root, "x")]
    assert staged.data is None
    assert staged.entry.size_bytes == 300_000
    assert added.data is not None, "who has it open can still read it"
    assert changes(session) == {}


@pytest.mark.parametrize("step", ["publish", "settle"])
def test_a_kill_during_a_commit_leaves_it_undone_or_done(memory_lake, session, step, monkeypatch):
    node = session.create_file(session.tree.root, "x", 0o644)
    node.data.path.write_bytes(b"one")

    class Killed(BaseException):
        pass

    def killing(*_, **__):
        raise Killed

    monkeypatch.setattr(session, step, killing)
    with pytest.raises(Killed):
        session.commit("One", Author("Ada"))
    with killed(memory_lake, session) as again:
        if step == "publish":
            assert changes(again) == {"x": "added"}
        else:
            assert changes(again) == {}
            assert read(again, "x") == b"one"
            assert memory_lake.files.read("raw@main/x") == b"one"


def test_a_session_whose_journal_cannot_be_renewed_closes_itself(memory_lake, session, monkeypatch):
    node = session.create_file(session.tree.root, "x", 0o644)
    node.data.path.write_bytes(b"one")
    with monkeypatch.context() as full:
        full.setattr(journal_module.Journal, "sync", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            session.commit("One", Author("Ada"))
    assert not session.is_open
    with pytest.raises(StateError) as refused:
        session.create_file(session.tree.root, "y", 0o644)
    assert refused.value.kind is ErrorKind.SESSION_CLOSED
    with open_session(memory_lake.core, session.info) as again:
        assert changes(again) == {}
        assert read(again, "x") == b"one"


def test_an_act_that_cannot_be_journalled_is_not_done(memory_lake, session, monkeypatch):
    session.create_file(session.tree.root, "kept", 0o644)
    full = OSError(28, "No space left on device")

    class FullDisk:
        def __init__(self, file):
            self._file = file

        def write(self, data):
            self._file.write(data[: len(data) // 2])
            raise full

        def __getattr__(self, name):
            return getattr(self._file, name)

    with monkeypatch.context() as patched:
        patched.setattr(session._journal, "_file", FullDisk(session._journal._file))
        for act in (
            lambda: session.create_file(session.tree.root, "x", 0o644),
            lambda: session.create_folder(session.tree.root, "x", 0o755),
            lambda: session.remove(session.tree.get("kept")),
            lambda: session.move(session.tree.get("kept"), session.tree.root, "x"),
        ):
            with pytest.raises(StorageError) as refused:
                act()
            assert refused.value.kind is ErrorKind.STORAGE_FULL
    assert changes(session) == {"kept": "added"}
    session.create_file(session.tree.root, "after", 0o644)
    with killed(memory_lake, session) as again:
        assert changes(again) == {"after": "added", "kept": "added"}


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_journal_loses_only_its_last_record(memory_lake, session, cut):
    session.create_folder(session.tree.root, "first", 0o755)
    session.create_folder(session.tree.root, "last", 0o755)
    abandon(session)
    path = session._folder / "journal"
    os.truncate(path, path.stat().st_size - cut)
    with open_session(memory_lake.core, session.info) as again:
        assert changes(again) == {"first": "added"}
        again.create_folder(again.tree.root, "later", 0o755)
    with open_session(memory_lake.core, session.info) as again:
        assert changes(again) == {"first": "added", "later": "added"}


def test_zeros_behind_a_journal_are_dropped(memory_lake, session):
    session.create_folder(session.tree.root, "first", 0o755)
    session.close()
    with open(session._folder / "journal", "ab") as file:
        file.write(bytes(4_096))
    with open_session(memory_lake.core, session.info) as again:
        assert changes(again) == {"first": "added"}


def test_renaming_into_a_folder_that_is_not_there_makes_it_for_good(memory_lake, session):
    session.rename("a/b.txt", "x/y/z.txt")
    with killed(memory_lake, session) as again:
        assert changes(again) == {"a": "added", "a/b.txt": "removed", "x/y/z.txt": "added"}


def test_changes_below_a_path_are_those_of_all_that_lie_there(session):
    root = session.tree.root
    folder = session.create_folder(root, "d", 0o755)
    session.create_file(folder, "x", 0o644)
    session.create_file(root, "dx", 0o644)
    session.move(session.tree.get("a"), folder, "a")
    session.remove(session.tree.get("c.bin"))
    everything = changes(session)
    assert everything == {
        "a/b.txt": "removed",
        "c.bin": "removed",
        "d/a/b.txt": "added",
        "d/x": "added",
        "dx": "added",
    }
    for below in ("", "a", "a/b.txt", "d", "d/a", "d/a/b.txt", "dx", "c.bin", "none"):
        found = {one.path: str(one.kind) for one in session.diff(below)}
        expected = {
            path: kind
            for path, kind in everything.items()
            if not below or path == below or path.startswith(below + "/")
        }
        assert found == expected, below
