"""One set of tests over all three modes: fuse and checkout through the kernel, the drive over REST.

Where a mode differs on purpose, `DIFFERENCES` says so, as docs/mount.md does.
"""

import itertools
import os
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from jupyter_datalake.engine.blobs import pack_object
from jupyter_datalake.errors import ConflictError, CorruptDataError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.mount import mountpoints
from tests.integration.mount.conftest import wait_until
from tests.integration.mount.modes import (
    DriveFiles,
    FolderFiles,
    LocalDriveFiles,
    RefusedError,
    jupyter_server,
)

DIFFERENCES = {
    "a ref that is not mounted, by its name": {
        "fuse": "shown",
        "checkout": "missing",
        "drive": "shown",
    },
    "others commit, and nothing is staged": {
        "fuse": "followed within a second",
        "checkout": "followed by `mounts start`",
        "drive": "followed at once",
    },
    "a write to what is read-only": {
        "fuse": "refused",
        "checkout": "refused by permissions, which do not hold root back",
        "drive": "refused",
    },
    "a rename over a file": {
        "fuse": "replaces it",
        "checkout": "replaces it",
        "drive": "replaces it when told to",
    },
    "a block of a file is damaged": {
        "fuse": "that file cannot be read",
        "checkout": "the repo cannot be mounted",
        "drive": "that file cannot be read",
    },
}
"""What is different in which mode; everything else is the same."""

ADA = Author("Ada Lovelace")
KEEPER = "keeper"
NUMBERS = itertools.count()


class Ground:
    """A lake with one repo, mounted in one mode."""

    def __init__(self, lake, mode, point, files, repo):
        self.lake = lake
        self.mode = mode
        self.point = point
        self.files = files
        self.repo = repo

    def differs(self, what):
        return DIFFERENCES[what][self.mode]

    def commit_file(self, path, data, branch="main"):
        """Commit a file past the mount, as somebody else would."""
        return self.lake.files.put(f"{self.repo}@{branch}/{path}", data)

    def mount(self, ref="main", at=None):
        return self.lake.mounts.create(self.repo, ref, at=at or self.point, mode=self.mode)

    def unmount(self, **options):
        self.lake.mounts.delete(self.repo, at=self.point, **options)

    def at(self, path):
        """Return a path of the repo as one of the mount point."""
        return f"{self.repo}/{path}" if path else self.repo

    @property
    def session(self):
        return self.lake.mounts.get(self.repo, at=self.point).session_id

    @property
    def staged(self):
        """What is staged: path to kind."""
        return {one.path: str(one.kind) for one in self.lake.sessions.diff(self.session)}

    def commit(self):
        return self.lake.sessions.commit(self.session, "Test")

    def committed(self, path):
        return self.lake.files.read(f"{self.repo}@main/{path}")


@pytest.fixture(
    scope="module", params=[pytest.param("fuse", marks=pytest.mark.fuse), "checkout", "drive"]
)
def home(request, tmp_path_factory):
    """A lake whose mounts have one mode: mode, lake, mount point and how to reach its files.

    One mount stays: with the last of them the process behind FUSE would end, and begin again for
    the next test.
    """
    folder = tmp_path_factory.mktemp(request.param)
    point = str(folder / "shown")
    with ExitStack() as stack:
        lake = stack.enter_context(Lake.create(str(folder / "lake"), author=ADA))
        lake.repos.create(KEEPER)
        lake.mounts.create(KEEPER, at=point, mode=request.param)
        if request.param == "drive":
            url = stack.enter_context(jupyter_server(lake.url, point, folder))
            wait_until(lambda: KEEPER in DriveFiles(url).names())
            yield request.param, lake, point, DriveFiles(url)
            assert not os.path.lexists(point)
        else:
            yield request.param, lake, point, FolderFiles(point)
        lake.mounts.stop(point)
        assert not mountpoints.is_mounted(point)


@pytest.fixture
def ground(home):
    """A repo that is not mounted yet."""
    mode, lake, point, files = home
    repo = f"raw{next(NUMBERS)}"
    lake.repos.create(repo)
    yield Ground(lake, mode, point, files, repo)
    for mount in lake.mounts.list():
        if mount.repo == repo:
            lake.mounts.delete(mount.name, at=mount.mountpoint, discard=True)


def refused(why, act, *arguments, **options):
    with pytest.raises(RefusedError) as told:
        act(*arguments, **options)
    assert str(told.value) == why


def test_the_table_of_differences_is_that_of_the_documentation():
    text = (Path(__file__).parents[3] / "docs" / "mount.md").read_text(encoding="utf-8")
    missing = [
        what
        for what, modes in DIFFERENCES.items()
        if f"| {what} | {modes['fuse']} | {modes['checkout']} | {modes['drive']} |" not in text
    ]
    assert missing == []


def test_root_repo_and_folders_are_listed(ground):
    ground.commit_file("data/a.csv", "a")
    ground.commit_file("b.csv", "b")
    ground.mount()
    assert ground.files.names() == [KEEPER, ground.repo]
    assert ground.files.names(ground.repo) == ["b.csv", "data"]
    assert ground.files.names(ground.at("data")) == ["a.csv"]
    assert ground.files.kind(ground.at("data")) == "folder"
    assert ground.files.kind(ground.at("data/a.csv")) == "file"
    refused("missing", ground.files.names, ground.at("nothing"))
    refused("missing", ground.files.read, ground.at("data/nothing"))


def test_a_file_is_read_as_a_whole_and_in_ranges(ground):
    data = os.urandom(3_000_000)
    ground.commit_file("big", data)
    ground.commit_file("empty", b"")
    ground.mount()
    assert ground.files.read(ground.at("big")) == data
    for start, end in ((0, 10), (999_990, 1_000_010), (2_999_999, 3_000_000), (5, 2_500_000)):
        assert ground.files.read(ground.at("big"), start, end) == data[start:end]
    assert ground.files.read(ground.at("empty")) == b""


def test_children_of_a_folder_are_known_to_be_changed(ground):
    for path in ("data/a.csv", "data/b.csv", "gone/c.csv"):
        ground.commit_file(path, b"1")
    ground.mount()
    ground.files.write(ground.at("data/a.csv"), b"2")
    ground.files.write(ground.at("data/new.csv"), b"2")
    ground.files.delete(ground.at("gone/c.csv"))
    ground.commit_file("data/a.csv", b"theirs")

    def changed(path):
        found = ground.lake.sessions.list_changed(ground.session, path)
        return {one.name: (str(one.kind), one.count, one.is_conflict) for one in found}

    assert changed("/")["data"] == ("modified", 2, True)
    assert "gone" in changed("/")
    assert changed("data") == {
        "a.csv": ("modified", 1, True),
        "new.csv": ("added", 1, False),
    }


def test_what_is_written_is_read_staged_and_committed(ground):
    ground.commit_file("old", b"old")
    ground.mount()
    big = os.urandom(1_500_000)
    ground.files.write(ground.at("new"), b"new")
    ground.files.write(ground.at("big"), big)
    ground.files.write(ground.at("old"), b"overwritten")
    assert ground.files.read(ground.at("old")) == b"overwritten"
    assert ground.staged == {"new": "added", "big": "added", "old": "modified"}
    assert ground.committed("old") == b"old"
    ground.commit()
    assert ground.staged == {}
    assert [ground.committed(path) for path in ("new", "big", "old")] == [
        b"new",
        big,
        b"overwritten",
    ]
    assert ground.files.read(ground.at("big")) == big


def test_a_file_is_appended_to_and_written_in_the_middle(ground):
    data = bytes(range(256)) * 3_000
    ground.commit_file("x", data)
    ground.mount()
    ground.files.append(ground.at("x"), b"appended")
    ground.files.patch(ground.at("x"), 300_000, b"middle")
    ground.files.append(ground.at("fresh"), b"one")
    ground.files.append(ground.at("fresh"), b" two")
    wanted = data[:300_000] + b"middle" + data[300_006:] + b"appended"
    assert ground.files.read(ground.at("x")) == wanted
    assert ground.files.read(ground.at("fresh")) == b"one two"
    ground.commit()
    assert ground.committed("x") == wanted


def test_folders_are_made_and_an_empty_one_is_committed(ground):
    ground.mount()
    ground.files.make_folder(ground.at("d"))
    ground.files.make_folder(ground.at("d/empty"))
    ground.files.write(ground.at("d/x"), b"x")
    refused("exists", ground.files.make_folder, ground.at("d"))
    refused("missing", ground.files.make_folder, ground.at("nothing/d"))
    refused("missing", ground.files.write, ground.at("nothing/x"), b"x")
    refused("invalid", ground.files.write, ground.at("d"), b"x")
    ground.commit()
    files = ground.lake.files.list(f"{ground.repo}@main/d")
    assert {one.name: str(one.kind) for one in files} == {"empty": "folder", "x": "file"}


def test_files_and_folders_are_renamed(ground):
    ground.commit_file("d/a", b"a")
    ground.commit_file("d/b", b"b")
    ground.commit_file("c", b"c")
    ground.mount()
    ground.files.rename(ground.at("d"), ground.at("moved"))
    ground.files.rename(ground.at("c"), ground.at("moved/c"))
    assert ground.files.names(ground.repo) == ["moved"]
    if ground.differs("a rename over a file") == "replaces it when told to":
        refused("exists", ground.files.rename, ground.at("moved/a"), ground.at("moved/b"))
        assert ground.files.read(ground.at("moved/b")) == b"b"
    ground.files.rename(ground.at("moved/a"), ground.at("moved/b"), replace=True)
    assert ground.files.read(ground.at("moved/b")) == b"a"
    refused("missing", ground.files.rename, ground.at("moved/a"), ground.at("x"))
    ground.commit()
    files = ground.lake.files.list(f"{ground.repo}@main/moved")
    assert [one.name for one in files] == ["b", "c"]


def test_files_and_folders_are_deleted(ground):
    for path in ("d/a", "d/e/b", "c"):
        ground.commit_file(path, path)
    ground.mount()
    ground.files.delete(ground.at("d"))
    ground.files.delete(ground.at("c"))
    assert ground.files.names(ground.repo) == []
    refused("missing", ground.files.read, ground.at("d/a"))
    assert ground.staged == {"c": "removed", "d/a": "removed", "d/e/b": "removed"}
    ground.commit()
    assert ground.lake.files.list(f"{ground.repo}@main") == []


def test_names_of_every_language_and_of_255_bytes(ground):
    names = ["dé", "数据.csv", "a b&c=d#?%2F", "é" * 127 + "x", os.fsdecode(b"not-\xff-utf8")]
    ground.commit_file("ünten/Ωmega", b"committed")
    ground.mount()
    for name in names:
        ground.files.write(ground.at(name), name.encode("utf-8", "surrogateescape"))
    assert ground.files.names(ground.repo) == sorted([*names, "ünten"])
    assert ground.files.read(ground.at("ünten/Ωmega")) == b"committed"
    ground.commit()
    for name in names:
        content = name.encode("utf-8", "surrogateescape")
        assert ground.files.read(ground.at(name)) == ground.committed(name) == content


def test_names_that_the_grammar_refuses(ground):
    ground.mount()
    for name in ("x" * 256, "é" * 128):
        refused("invalid", ground.files.write, ground.at(name), b"x")
        refused("invalid", ground.files.make_folder, ground.at(name))
    assert ground.staged == {}


def test_a_commit_is_read_only(ground):
    ground.commit_file("a", b"a")
    ground.lake.refs.create_tag(ground.repo, "v1")
    ground.mount("v1")
    folder = f"{ground.repo}@v1"
    assert ground.files.read(f"{folder}/a") == b"a"
    if ground.differs("a write to what is read-only") == "refused":
        refused("read-only", ground.files.write, f"{folder}/a", b"x")
        refused("read-only", ground.files.write, f"{folder}/new", b"x")
        refused("read-only", ground.files.append, f"{folder}/a", b"x")
        refused("read-only", ground.files.make_folder, f"{folder}/d")
        refused("read-only", ground.files.rename, f"{folder}/a", f"{folder}/b")
        refused("read-only", ground.files.delete, f"{folder}/a")
    else:
        for place in (Path(ground.point, folder), Path(ground.point, folder, "a")):
            assert not stat.S_IMODE(place.stat().st_mode) & 0o222
    assert ground.files.read(f"{folder}/a") == b"a"
    assert ground.lake.sessions.list(ground.repo) == []


def test_tags_and_expressions_are_addresses(ground):
    ground.commit_file("a", b"one")
    ground.lake.refs.create_tag(ground.repo, "v1")
    ground.commit_file("a", b"two")
    ground.mount()
    for ref in ("v1", "main~1"):
        path = f"{ground.repo}@{ref}/a"
        if ground.differs("a ref that is not mounted, by its name") == "missing":
            refused("missing", ground.files.read, path)
            ground.mount(ref)
        assert ground.files.read(path) == b"one"
    assert ground.files.read(ground.at("a")) == b"two"
    refused("missing", ground.files.read, f"{ground.repo}@nothing/a")
    refused("missing", ground.files.read, "nothing@main/a")


def test_a_mount_without_changes_follows_its_branch(ground):
    ground.commit_file("a", b"one")
    ground.mount()
    ground.commit_file("a", b"two")
    ground.commit_file("b", b"b")
    how = ground.differs("others commit, and nothing is staged")
    if how == "followed within a second":
        wait_until(lambda: "b" in ground.files.names(ground.repo))
    elif how == "followed by `mounts start`":
        assert ground.files.names(ground.repo) == ["a"]
        ground.lake.mounts.start(ground.point)
    assert ground.files.read(ground.at("a")) == b"two"
    assert ground.files.names(ground.repo) == ["a", "b"]


def test_status_and_diff_say_what_is_staged(ground):
    ground.commit_file("d/a", b"a")
    ground.commit_file("text", b"one\ntwo\n")
    ground.mount()
    ground.files.write(ground.at("text"), b"one\nthree\n")
    ground.files.delete(ground.at("d/a"))
    ground.files.write(ground.at("d/new"), b"new")
    (info,) = ground.lake.sessions.list(ground.repo)
    assert info.id == ground.session
    below = ground.lake.sessions.diff(ground.session, path="d")
    assert [(one.path, str(one.kind)) for one in below] == [("d/a", "removed"), ("d/new", "added")]
    pages, after = [], None
    while page := ground.lake.sessions.diff(ground.session, after=after, limit=1):
        pages += [one.path for one in page]
        after = pages[-1]
    assert pages == ["d/a", "d/new", "text"]
    difference = ground.lake.sessions.diff_text(ground.session, "text")
    lines = [line.rstrip("\n") for hunk in difference.hunks for line in hunk.lines]
    assert lines == [" one", "-two", "+three"]


def test_what_is_staged_is_compared_with_any_commit_as_if_it_were_committed(ground):
    first = ground.commit_file("same", b"as it was\n")
    for path, data in [("same", b"otherwise\n"), ("b", b"of the base"), ("kept", b"k")]:
        ground.commit_file(path, data)
    ground.mount()
    ground.files.write(
        ground.at("same"), b"as it was\n"
    )  # another file, and what the first one had
    ground.files.delete(ground.at("b"))
    ground.files.write(ground.at("new"), b"new")
    assert ground.staged == {"b": "removed", "new": "added", "same": "modified"}
    pages, after = [], None
    while page := ground.lake.sessions.diff(ground.session, old=first.id, after=after, limit=1):
        pages += [(one.path, str(one.kind)) for one in page]
        after = page[-1].path
    assert pages == [("kept", "added"), ("new", "added")]
    difference = ground.lake.sessions.diff_text(ground.session, "same", old="main~2")
    assert [line.rstrip("\n") for hunk in difference.hunks for line in hunk.lines] == [
        "-otherwise",
        "+as it was",
    ]
    ground.commit()
    for one in ground.lake.commits.diff(ground.repo, first.id):
        is_other = one.path != "same"  # which differs by its time alone
        assert ((one.path, str(one.kind)) in pages) is is_other


def test_what_is_discarded_is_as_it_was(ground):
    ground.commit_file("a", b"a")
    ground.commit_file("d/b", b"b")
    ground.mount()
    ground.files.write(ground.at("a"), b"changed")
    ground.files.delete(ground.at("d"))
    ground.files.write(ground.at("new"), b"new")
    ground.lake.sessions.discard(ground.session, ["d"])
    assert ground.files.read(ground.at("d/b")) == b"b"
    assert ground.staged == {"a": "modified", "new": "added"}
    ground.lake.sessions.discard(ground.session)
    assert ground.files.names(ground.repo) == ["a", "d"]
    assert ground.files.read(ground.at("a")) == b"a"
    assert ground.staged == {}


def test_a_conflict_names_the_paths_and_keeps_both_sides(ground):
    ground.commit_file("a", b"base")
    ground.mount()
    ground.files.write(ground.at("a"), b"mine")
    ground.files.write(ground.at("b"), b"also mine")
    ground.commit_file("a", b"theirs")
    with pytest.raises(ConflictError) as conflict:
        ground.commit()
    assert "a" in conflict.value.context["paths"]
    assert "b" not in conflict.value.context["paths"]
    assert ground.files.read(ground.at("a")) == b"mine"
    assert ground.committed("a") == b"theirs"
    assert ground.staged == {"a": "modified", "b": "added"}
    ground.lake.sessions.discard(ground.session, ["a"])
    ground.commit()
    assert ground.committed("a") == b"theirs"
    assert ground.committed("b") == b"also mine"
    assert ground.files.read(ground.at("a")) == b"theirs"


def test_a_conflict_is_decided_path_by_path(ground):
    for path in ("a", "b", "d/c"):
        ground.commit_file(path, b"base")
    ground.mount()
    for path in ("a", "b", "d/c", "new"):
        ground.files.write(ground.at(path), b"mine")
    for path in ("a", "b", "d/c"):
        ground.commit_file(path, b"theirs")
    choices = {"a": "mine", "b": "theirs", "d": "theirs"}
    ground.lake.sessions.commit(ground.session, "Both", choices=choices)
    wanted = {"a": b"mine", "b": b"theirs", "d/c": b"theirs", "new": b"mine"}
    for path, content in wanted.items():
        assert ground.committed(path) == content
        assert ground.files.read(ground.at(path)) == content
    assert ground.staged == {}


def test_two_sessions_on_one_branch_are_merged_or_conflict(ground, tmp_path):
    ground.commit_file("a", b"a")
    ground.mount()
    elsewhere = str(tmp_path / "elsewhere")
    other = ground.mount(at=elsewhere)
    is_drive = ground.mode == "drive"
    theirs = LocalDriveFiles(ground.lake, elsewhere) if is_drive else FolderFiles(elsewhere)
    assert other.session_id != ground.session
    ground.files.write(ground.at("mine"), b"mine")
    theirs.write(ground.at("theirs"), b"theirs")
    assert ground.staged == {"mine": "added"}
    ground.commit()
    ground.lake.sessions.commit(other.session_id, "Theirs")
    assert theirs.read(ground.at("mine")) == b"mine"
    assert ground.committed("theirs") == b"theirs"
    ground.lake.mounts.start(ground.point)
    wait_until(lambda: "theirs" in ground.files.names(ground.repo))

    ground.files.write(ground.at("a"), b"mine")
    theirs.write(ground.at("a"), b"theirs")
    ground.commit()
    with pytest.raises(ConflictError):
        ground.lake.sessions.commit(other.session_id, "Theirs")
    assert theirs.read(ground.at("a")) == b"theirs"
    assert ground.committed("a") == b"mine"


def test_a_mount_is_switched_and_keeps_what_is_staged(ground):
    ground.commit_file("a", b"main")
    ground.lake.refs.create_branch(ground.repo, "dev")
    ground.commit_file("a", b"dev", branch="dev")
    ground.mount()
    ground.files.write(ground.at("staged"), b"staged")
    ground.lake.mounts.switch(ground.repo, "dev", at=ground.point)
    assert ground.files.names(ground.repo) == ["a"]
    assert ground.files.read(ground.at("a")) == b"dev"
    ground.lake.mounts.switch(ground.repo, "main", at=ground.point)
    assert ground.files.read(ground.at("a")) == b"main"
    assert ground.files.read(ground.at("staged")) == b"staged"
    assert ground.staged == {"staged": "added"}


def test_what_is_staged_is_there_again_after_unmounting(ground):
    ground.commit_file("a", b"a")
    ground.commit_file("gone", b"gone")
    ground.mount()
    ground.files.write(ground.at("a"), b"changed")
    ground.files.append(ground.at("new"), b"new")
    ground.files.delete(ground.at("gone"))
    ground.unmount()
    refused("missing", ground.files.read, ground.at("a"))
    ground.mount()
    assert ground.files.read(ground.at("a")) == b"changed"
    assert ground.files.read(ground.at("new")) == b"new"
    assert ground.staged == {"a": "modified", "gone": "removed", "new": "added"}
    ground.unmount(discard=True)
    ground.mount()
    assert ground.files.names(ground.repo) == ["a", "gone"]
    assert ground.staged == {}


def test_a_mount_that_was_stopped_is_started_with_what_is_staged(ground):
    ground.commit_file("a", b"a")
    ground.mount()
    ground.files.write(ground.at("new"), b"new")
    ground.lake.mounts.stop(ground.point)
    ground.lake.mounts.start(ground.point)
    assert ground.files.read(ground.at("new")) == b"new"
    assert ground.staged == {"new": "added"}


def test_a_damaged_block_is_told_for_its_file_and_leaves_the_others(ground):
    ground.commit_file("bad", os.urandom(500_000))
    ground.commit_file("good", os.urandom(500_000))
    good = ground.committed("good")
    _damage(ground.lake, f"{ground.repo}@main/bad")
    if ground.differs("a block of a file is damaged") == "the repo cannot be mounted":
        with pytest.raises(CorruptDataError):
            ground.mount()
        assert not os.path.lexists(Path(ground.point, ground.repo))
        assert [mount.name for mount in ground.lake.mounts.list()] == [KEEPER]
        return
    ground.mount()
    assert ground.files.names(ground.repo) == ["bad", "good"]
    refused("damaged", ground.files.read, ground.at("bad"))
    assert ground.files.read(ground.at("good")) == good
    ground.files.write(ground.at("new"), b"new")
    ground.commit()
    assert ground.committed("new") == b"new"


def _damage(lake, address):
    """Overwrite bytes in the middle of the first block of a file, which nobody has read yet."""
    place, tree = lake.files._tree(address)
    pack, record = lake.core.blobs.place(tree.content(place.path)._span_at(0).digest)
    path = Path(lake.url) / "objects" / pack_object(pack)
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(record.offset + 100)
        file.write(b"damaged!")
