"""The mode without FUSE: the same paths and commands over ordinary folders. Needs no FUSE."""

import os
import random
import shutil
import stat
import time
from pathlib import Path

import pytest

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    StateError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.mount import checkout, scanning
from tests.integration.mount.conftest import (
    Player,
    commit,
    diff,
    session_of,
    tree_of,
    without_folder_modes,
)

pytestmark = pytest.mark.usefixtures("checkouts")


@pytest.fixture
def given(lake):
    """A repo with files of all kinds."""
    with lake.sessions.create("raw") as session:
        session.put("a.txt", "one")
        session.put("folder/b.bin", random.Random(1).randbytes(500_000))
        session.put("folder/c.txt", "three")
        session.make_folder("empty")
        session.commit("Begin")
        session.delete_session()


@pytest.fixture
def folder(lake, given, point):
    """That repo, checked out writable."""
    return Path(lake.mounts.create("raw", at=point).path)


def test_a_checkout_holds_what_the_commit_says(lake, folder, point):
    assert lake.mounts.list_mountpoints()[0].mode is MountMode.CHECKOUT
    assert lake.mounts.list_mountpoints()[0].message == "a test wants it"
    assert folder == Path(point) / "raw"
    assert (folder / "a.txt").read_text() == "one"
    assert (folder / "folder" / "b.bin").read_bytes() == lake.files.read("raw@main/folder/b.bin")
    assert os.listdir(folder / "empty") == []
    assert os.listdir(point) == ["raw"]
    assert (folder / "a.txt").stat().st_mtime_ns == lake.files.get("raw@main/a.txt").mtime_ns
    assert diff(lake) == {}


def test_changes_are_found_and_committed(lake, folder):
    (folder / "a.txt").write_text("changed")
    (folder / "folder" / "c.txt").unlink()
    (folder / "new").mkdir()
    (folder / "new" / "d.txt").write_text("new")
    (folder / "link").symlink_to("a.txt")
    (folder / "folder" / "b.bin").chmod(0o755)
    (folder / "hollow").mkdir()
    expected = {
        "a.txt": "modified",
        "folder/b.bin": "modified",
        "folder/c.txt": "removed",
        "hollow": "added",
        "link": "added",
        "new/d.txt": "added",
    }
    assert diff(lake) == expected
    assert lake.files.read("raw@main/a.txt") == b"one"
    made = commit(lake)
    assert diff(lake) == {}
    changes = lake.commits.diff("raw", "main^", "main")
    assert {change.path: str(change.kind) for change in changes} == expected
    assert lake.files.get("raw@main/link").target == "a.txt"
    assert lake.files.get("raw@main/folder/b.bin").mode == 0o755
    assert lake.sessions.get(session_of(lake)).base_commit_id == made.id
    with pytest.raises(StateError) as refused:
        commit(lake)
    assert refused.value.kind is ErrorKind.NOTHING_TO_COMMIT


def test_files_and_folders_change_places(lake, folder):
    (folder / "a.txt").unlink()
    (folder / "a.txt").mkdir()
    (folder / "a.txt" / "x").write_text("now a folder")
    for name in ("b.bin", "c.txt"):
        (folder / "folder" / name).unlink()
    (folder / "folder").rmdir()
    (folder / "folder").write_text("now a file")
    (folder / "empty").rmdir()
    commit(lake)
    assert {info.path for info in lake.files.glob("raw@main", "/**")} >= {"a.txt/x", "folder"}
    assert lake.files.read("raw@main/folder") == b"now a file"
    assert diff(lake) == {}


def test_unchanged_files_are_not_read_again(lake, folder, monkeypatch):
    time.sleep(0.1)  # younger than that, the time of a file says nothing
    diff(lake)
    os.utime(folder / "a.txt")
    read = []
    real = scanning._holds
    monkeypatch.setattr(
        scanning, "_holds", lambda place, c: read.append(place.name) or real(place, c)
    )
    assert diff(lake) == {}
    assert read == ["a.txt"]


def test_files_are_not_read_again_when_they_were_committed(lake, folder, monkeypatch):
    (folder / "a.txt").write_text("changed")
    (folder / "new.txt").write_text("new")
    time.sleep(0.1)  # younger than that, the time of a file says nothing
    diff(lake)
    read = []
    holds = scanning._holds
    monkeypatch.setattr(
        scanning, "_holds", lambda place, content: read.append(place.name) or holds(place, content)
    )
    lake.files.put("raw@main/theirs.txt", b"theirs")
    commit(lake)
    assert read == []
    assert (folder / "theirs.txt").read_text() == "theirs"
    assert diff(lake) == {}
    (folder / "new.txt").write_text("old")
    assert diff(lake) == {"new.txt": "modified"}


def test_a_file_changed_within_one_tick_of_the_clock_is_found(lake, folder):
    for number in range(20):
        (folder / "a.txt").write_text(f"{number:03}")
        assert diff(lake) == {"a.txt": "modified"}
        os.utime(folder / "a.txt", ns=(0, lake.files.get("raw@main/a.txt").mtime_ns))
        assert diff(lake) == {"a.txt": "modified"}
        lake.sessions.discard(session_of(lake))
        assert (folder / "a.txt").read_text() == "one"


def test_discard_puts_back_what_the_commit_says(lake, folder):
    before = without_folder_modes(tree_of(folder))
    (folder / "a.txt").write_text("changed")
    (folder / "folder" / "c.txt").unlink()
    (folder / "new" / "deep").mkdir(parents=True)
    (folder / "new" / "deep" / "x").write_text("1")
    (folder / "empty" / "y").write_text("2")
    lake.sessions.discard(session_of(lake), ["a.txt"])
    assert (folder / "a.txt").read_text() == "one"
    assert (folder / "new" / "deep" / "x").exists()
    lake.sessions.discard(session_of(lake))
    assert without_folder_modes(tree_of(folder)) == before


def test_a_commit_brings_in_what_others_committed(lake, folder):
    with lake.sessions.create("raw") as session:
        session.put("theirs.txt", "theirs")
        session.delete("folder/c.txt")
        session.put("folder/b.bin", "shorter")
        session.commit("Theirs")
    (folder / "a.txt").write_text("ours")
    commit(lake)
    assert (folder / "theirs.txt").read_text() == "theirs"
    assert (folder / "folder" / "b.bin").read_text() == "shorter"
    assert not (folder / "folder" / "c.txt").exists()
    assert lake.files.read("raw@main/a.txt") == b"ours"
    assert diff(lake) == {}


def change_places(session):
    """Stage a file for a folder, a folder for a file, and all that goes with it."""
    session.delete("folder")
    session.put("folder", "now a file")
    session.delete("a.txt")
    session.put("a.txt/deep/x", "now a folder")
    session.delete("empty")
    session.put("empty", "was an empty folder")
    session.delete("gone/deep/er")
    session.put("changed", "after")
    session.delete("filled")
    session.make_folder("filled")


@pytest.fixture
def places(lake):
    """What `change_places` changes, beside what is given."""
    with lake.sessions.create("raw") as session:
        session.put("gone/deep/er", "1")
        session.put("changed", "before")
        session.put("filled", "2")
        session.put("mine", "3")
        session.commit("Begin")
        session.delete_session()


def exported(lake, tmp_path):
    place = tmp_path / f"exported {time.time_ns()}"
    lake.core.snapshot(lake.commits.get("raw", "main")).export("", place)
    return without_folder_modes(tree_of(place))


def test_files_and_folders_that_others_let_change_places_do_so(
    lake, given, places, point, tmp_path
):
    folder = Path(lake.mounts.create("raw", at=point).path)
    (folder / "folder" / "mine").write_text("ours")
    with lake.sessions.create("raw") as session:
        change_places(session)
        session.commit("Theirs")
    lake.mounts.start(point)
    assert diff(lake) == {"folder/mine": "added"}
    (folder / "folder" / "mine").unlink()
    lake.mounts.start(point)
    assert diff(lake) == {}
    assert without_folder_modes(tree_of(folder)) == exported(lake, tmp_path)
    assert os.listdir(point) == ["raw"]


def test_what_changed_places_is_put_back_by_a_discard_and_by_the_next_mount(
    lake, given, places, point
):
    folder = Path(lake.mounts.create("raw", at=point).path)
    before = without_folder_modes(tree_of(folder))
    shutil.rmtree(folder / "folder")
    (folder / "folder").write_text("now a file")
    (folder / "a.txt").unlink()
    (folder / "a.txt" / "deep").mkdir(parents=True)
    (folder / "a.txt" / "deep" / "x").write_text("now a folder")
    (folder / "empty").rmdir()
    (folder / "empty").write_text("was an empty folder")
    (folder / "filled").unlink()
    (folder / "filled").mkdir()
    (folder / "gone" / "deep" / "er").unlink()
    after, changes = without_folder_modes(tree_of(folder)), diff(lake)
    lake.mounts.delete("raw")
    lake.mounts.create("raw", at=point)
    assert without_folder_modes(tree_of(folder)) == after
    assert diff(lake) == changes
    lake.sessions.discard(session_of(lake), ["a.txt", "folder"])
    assert (folder / "a.txt").read_text() == "one"
    assert (folder / "folder" / "c.txt").read_text() == "three"
    lake.sessions.discard(session_of(lake))
    assert without_folder_modes(tree_of(folder)) == before
    assert diff(lake) == {}
    assert os.listdir(point) == ["raw"]


STEPS = ("fsync", "mkdir", "rename", "replace", "rmdir", "unlink")


def killed_at(step, act):
    """Do something in a process that dies before its `step`th step; tell whether it did."""
    pid = os.fork()
    if not pid:
        left = [step]

        def counted(real):
            def stepped(*arguments, **options):
                if any(mark in str(arguments[0]) for mark in ("shown", "checkouts")):
                    left[0] -= 1
                    if not left[0]:
                        os._exit(9)
                return real(*arguments, **options)

            return stepped

        try:
            for name in STEPS:
                setattr(os, name, counted(getattr(os, name)))
            act()
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in {0, 9}
    return code == 9


@pytest.mark.slow
def test_a_commit_that_brings_in_others_can_be_killed_at_any_step(lake, tmp_path, given, places):
    """Nothing is lost, and nothing that others did is undone."""
    with lake.sessions.create("raw") as session:
        session.put("folder/b.bin", "small")  # what is written is then quickly written
        session.commit("Begin")
        session.delete_session()
    url, before, step, is_killed = lake.url, lake.commits.get("raw", "main").id, 0, True
    while is_killed:
        step += 1
        lake.refs.create_branch("raw", f"b{step}", at=before)
        point = str(tmp_path / f"shown {step}")
        mount = lake.mounts.create("raw", f"b{step}", at=point)
        folder = Path(mount.path)
        (folder / "mine").write_text(f"ours {step}")
        with lake.sessions.create("raw", f"b{step}") as session:
            change_places(session)
            theirs = session.commit("Theirs").id
            session.delete_session()

        def act(mount=mount):
            with Lake.open(url) as other:
                other.sessions.commit(mount.session_id, "Ours")

        is_killed = killed_at(step, act)
        if lake.commits.get("raw", f"b{step}").id == theirs:
            assert diff(lake, mount.name) == {"mine": "modified"}
            commit(lake, name=mount.name)
        assert diff(lake, mount.name) == {}
        head = lake.core.snapshot(lake.commits.get("raw", f"b{step}"))
        head.export("", tmp_path / f"out {step}")
        wanted = without_folder_modes(tree_of(tmp_path / f"out {step}"))
        assert without_folder_modes(tree_of(folder)) == wanted
        assert (folder / "mine").read_text() == f"ours {step}"
        assert (folder / "changed").read_text() == "after"
        lake.mounts.delete(mount.name, at=point)
    assert step > 15


def test_a_conflict_leaves_the_folder_as_it_was(lake, folder):
    lake.files.put("raw@main/a.txt", "theirs")
    (folder / "a.txt").write_text("ours")
    (folder / "other.txt").write_text("other")
    with pytest.raises(ConflictError):
        commit(lake)
    assert (folder / "a.txt").read_text() == "ours"
    assert diff(lake) == {"a.txt": "modified", "other.txt": "added"}
    lake.sessions.discard(session_of(lake), ["a.txt"])
    commit(lake)
    assert (folder / "a.txt").read_text() == "theirs"
    assert lake.files.read("raw@main/other.txt") == b"other"


def test_a_commit_cut_off_after_the_branch_moved_is_caught_up_with(lake, folder, monkeypatch):
    lake.files.put("raw@main/theirs.txt", "theirs")
    (folder / "a.txt").write_text("ours")

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(checkout.Checkout, "_advance", killed)
        with pytest.raises(Killed):
            commit(lake)
    assert lake.files.read("raw@main/a.txt") == b"ours"
    assert not (folder / "theirs.txt").exists()
    assert diff(lake) == {}
    assert (folder / "theirs.txt").read_text() == "theirs"


def test_a_folder_that_is_gone_is_not_committed_as_a_removal_of_all(lake, folder):
    shutil.rmtree(folder)
    with pytest.raises(StateError):
        commit(lake)
    with pytest.raises(StateError):
        diff(lake)
    lake.mounts.delete("raw", discard=True)
    assert lake.files.read("raw@main/a.txt") == b"one"


def test_unmounting_keeps_changes_unless_told_otherwise(lake, folder, point):
    lake.mounts.delete("raw")
    assert not folder.exists()
    assert lake.sessions.list() == []
    lake.mounts.create("raw", at=point)
    (folder / "a.txt").write_text("unsaved")
    lake.mounts.delete("raw")
    assert not folder.exists()
    assert [one.branch for one in lake.sessions.list("raw")] == ["main"]
    lake.mounts.create("raw", at=point)
    assert (folder / "a.txt").read_text() == "unsaved"
    lake.mounts.delete("raw", discard=True)
    assert lake.sessions.list() == []


def test_what_no_commit_can_hold_is_not_lost_by_unmounting(lake, folder, point):
    os.mkfifo(folder / "pipe")
    (folder / "a.txt").write_text("unsaved")
    with pytest.raises(StateError, match="pipe"):
        lake.mounts.delete("raw")
    assert (folder / "a.txt").read_text() == "unsaved"
    assert diff(lake) == {"a.txt": "modified"}
    (folder / "pipe").unlink()
    lake.mounts.delete("raw")
    lake.mounts.create("raw", at=point)
    assert diff(lake) == {"a.txt": "modified"}


def test_what_is_discarded_after_a_refusal_does_not_come_back(lake, folder, point):
    os.mkfifo(folder / "pipe")
    (folder / "a.txt").write_text("unsaved")
    with pytest.raises(StateError, match="pipe"):
        lake.mounts.delete("raw")
    lake.mounts.delete("raw", discard=True)
    assert lake.sessions.list() == []
    lake.mounts.create("raw", at=point)
    assert (folder / "a.txt").read_text() == "one"


def test_kept_changes_are_back_at_the_next_mount(lake, folder, point):
    (folder / "a.txt").write_text("unsaved")
    (folder / "folder" / "c.txt").unlink()
    (folder / "empty").rmdir()
    (folder / "new").mkdir()
    (folder / "new" / "x").symlink_to("../a.txt")
    (folder / "new" / "y").write_text("y")
    (folder / "new" / "y").chmod(0o700)
    before = without_folder_modes(tree_of(folder))
    changes = diff(lake)
    lake.mounts.delete("raw")
    assert not folder.exists()
    lake.mounts.create("raw", at=point)
    assert without_folder_modes(tree_of(folder)) == before
    assert diff(lake) == changes
    commit(lake)
    assert diff(lake) == {}


def test_what_an_ignore_file_leaves_out_is_not_committed_and_stays(lake, folder, point):
    (folder / ".datalakeignore").write_text("*.tmp\n__pycache__/\n")
    (folder / "x.tmp").write_text("scratch")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "y").write_text("scratch")
    (folder / "a.txt").write_text("changed")
    assert diff(lake) == {".datalakeignore": "added", "a.txt": "modified"}
    commit(lake)
    assert diff(lake) == {}
    assert not {info.path for info in lake.files.glob("raw@main", "/**")} & {"x.tmp", "__pycache__"}
    (folder / "a.txt").write_text("again")
    lake.sessions.discard(session_of(lake))
    assert (folder / "a.txt").read_text() == "changed"
    assert (folder / "x.tmp").read_text() == "scratch"
    lake.mounts.delete("raw", at=point)
    assert not folder.exists()
    lake.mounts.create("raw", at=point)
    assert (folder / "x.tmp").read_text() == "scratch"
    assert (folder / "__pycache__" / "y").read_text() == "scratch"
    assert diff(lake) == {}


def test_what_is_left_out_does_not_keep_a_checkout_from_following(lake, folder, point):
    (folder / ".datalakeignore").write_text("*.tmp\n")
    commit(lake)
    (folder / "x.tmp").write_text("ours")
    lake.files.put("raw@main/new", b"theirs")
    lake.mounts.start(at=point)
    assert (folder / "new").read_text() == "theirs"
    lake.files.put("raw@main/x.tmp", b"theirs")
    lake.mounts.start(at=point)
    assert (folder / "x.tmp").read_text() == "ours"
    assert diff(lake) == {"x.tmp": "modified"}


def test_an_ignore_file_that_cannot_be_understood_is_named_before_anything_is_committed(
    lake, folder
):
    (folder / ".datalakeignore").write_text("good\n!\n")
    (folder / "a.txt").write_text("changed")
    for ask in (diff, commit):
        with pytest.raises(InvalidInputError, match=r"datalakeignore has no pattern in line 2"):
            ask(lake)
    (folder / ".datalakeignore").unlink()
    assert diff(lake) == {"a.txt": "modified"}


def test_a_session_is_not_taken_from_under_its_checkout(lake, folder, point):
    (folder / "a.txt").write_text("changed")
    with pytest.raises(ConflictError, match="is mounted as raw") as refused:
        lake.sessions.delete(session_of(lake))
    assert refused.value.kind is ErrorKind.SESSION_BUSY
    assert diff(lake) == {"a.txt": "modified"}
    lake.mounts.delete("raw", at=point, discard=True)
    assert lake.sessions.list() == []


def test_a_read_only_checkout_cannot_be_written_to(lake, given, point):
    lake.refs.create_tag("raw", "v1")
    mount = lake.mounts.create("raw", "v1", at=point)
    folder = Path(mount.path)
    assert folder.name == "raw@v1"
    assert stat.S_IMODE((folder / "a.txt").stat().st_mode) == 0o444
    assert stat.S_IMODE((folder / "folder").stat().st_mode) == 0o555
    lake.mounts.delete("raw@v1")
    assert not folder.exists()


def test_repos_of_projects_get_their_folder_and_leave_none(lake, point):
    lake.repos.create("demo/sales")
    lake.files.put("demo/sales@main/x", "1")
    folder = Path(lake.mounts.create("demo/sales", at=point).path)
    assert (folder / "x").read_text() == "1"
    lake.mounts.delete("demo/sales")
    assert os.listdir(point) == []


def test_start_and_stop_leave_the_files_and_start_brings_them_up_to_date(lake, folder, point):
    lake.mounts.stop(point)
    assert lake.mounts.list_mountpoints()[0].state is MountState.STOPPED
    assert (folder / "a.txt").read_text() == "one"
    lake.files.put("raw@main/a.txt", "two")
    lake.mounts.start(point)
    assert (folder / "a.txt").read_text() == "two"
    (folder / "b.txt").write_text("unsaved")
    lake.files.put("raw@main/a.txt", "three")
    lake.mounts.start(point)
    assert (folder / "a.txt").read_text() == "two"


def test_nothing_that_is_there_is_overwritten(lake, given, point):
    lake.mounts.create("raw", "main~0", at=point)
    (Path(point) / "raw").mkdir()
    with pytest.raises(AlreadyExistsError):
        lake.mounts.create("raw", at=point)
    assert [mount.name for mount in lake.mounts.list()] == ["raw@main~0"]
    assert lake.sessions.list() == []


def test_what_is_neither_file_nor_folder_is_left_out(lake, folder):
    os.mkfifo(folder / "pipe")
    (folder / "x").write_text("1")
    assert diff(lake) == {"x": "added"}
    commit(lake)
    assert diff(lake) == {}


def test_a_lake_in_memory_is_mounted_as_a_checkout(tmp_path, monkeypatch):
    monkeypatch.undo()
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        mount = lake.mounts.create("raw", at=str(tmp_path / "shown"))
        (Path(mount.path) / "x").write_text("1")
        lake.sessions.commit(mount.session_id, "One")
        assert lake.files.read("raw@main/x") == b"1"


@pytest.mark.parametrize("seed", range(6))
def test_random_operations_are_committed_as_they_are(lake, folder, tmp_path, seed):
    player = Player(seed, folder, folder)
    player.roots = (folder, folder)
    player.both = lambda what, act: player.done.append((what, _quietly(act, folder)))
    for number in range(300):
        player.step()
        if number % 100 == 50 and diff(lake):
            commit(lake)
            assert diff(lake) == {}
    if diff(lake):
        commit(lake)
    lake.core.snapshot(lake.commits.get("raw", "main")).export("", tmp_path / "exported")
    assert without_folder_modes(tree_of(tmp_path / "exported")) == without_folder_modes(
        tree_of(folder)
    )


def _quietly(act, root):
    try:
        return act(root)
    except OSError as error:
        return error.errno
