"""A folder shows another ref, also to those who stand in it, look into it, or have files open."""

import errno
import mmap
import os
import stat
import subprocess
from pathlib import Path

import pytest

from jupyter_datalake.errors import AlreadyExistsError, ConflictError, InvalidInputError
from tests.integration.mount.conftest import commit

pytestmark = pytest.mark.fuse


@pytest.fixture(params=["fuse", "checkout"])
def any_mode(request):
    """Whatever a mount is, switching shows the same."""
    if request.param == "checkout":
        request.getfixturevalue("checkouts")
    return request.param


@pytest.fixture
def refs(lake):
    """`raw` with a branch `dev` and a tag `v1` that differ from main in every way there is."""
    with lake.sessions.create("raw") as session:
        session.put("same.txt", "same")
        session.put("other.txt", "one" * 1000)
        session.put("gone/file", "1")
        session.put("kind", "a file")
        session.commit("First")
    lake.refs.create_tag("raw", "v1")
    lake.refs.create_branch("raw", "dev")
    with lake.sessions.create("raw", "dev") as session:
        session.put("other.txt", "two" * 500)
        session.put("new/file", "2")
        session.delete("gone")
        session.delete("kind")
        session.put("kind/inside", "a folder")
        session.commit("Second")
    return lake


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


FIRST = {"same.txt": "same", "other.txt": "one" * 1000, "gone/file": "1", "kind": "a file"}
SECOND = {
    "same.txt": "same",
    "other.txt": "two" * 500,
    "new/file": "2",
    "kind/inside": "a folder",
}


def test_a_folder_shows_what_it_is_switched_to(any_mode, refs, point):
    raw = Path(refs.mounts.create("raw", at=point).path)
    assert contents(raw) == FIRST
    switched = refs.mounts.switch("raw", "dev")
    assert contents(raw) == SECOND
    assert (switched.ref, switched.is_writable, switched.path) == ("dev", True, str(raw))
    pinned = refs.mounts.switch("raw", "v1")
    assert contents(raw) == FIRST
    assert not pinned.is_writable
    assert pinned.commit_id == refs.commits.get("raw", "v1").id
    if any_mode == "fuse":
        with pytest.raises(OSError) as refused:
            (raw / "x").write_text("refused")
        assert refused.value.errno == errno.EROFS
    else:
        assert stat.S_IMODE(os.stat(raw).st_mode) == 0o555  # which root need not heed
    assert refs.mounts.get("raw").ref == "v1"


def test_staged_changes_stay_with_their_branch(any_mode, refs, point):
    raw = Path(refs.mounts.create("raw", at=point).path)
    (raw / "draft").write_text("of main")
    (raw / "other.txt").unlink()
    refs.mounts.switch("raw", "dev")
    assert contents(raw) == SECOND
    (raw / "draft").write_text("of dev")
    refs.mounts.switch("raw", "main")
    staged = {**FIRST, "draft": "of main"}
    del staged["other.txt"]
    assert contents(raw) == staged
    commit(refs)
    assert refs.files.read("raw@main/draft") == b"of main"
    refs.mounts.switch("raw", "dev")
    assert contents(raw) == {**SECOND, "draft": "of dev"}
    assert [one.branch for one in refs.sessions.list()] == ["dev"]


def test_who_stands_in_a_folder_sees_the_other_ref_at_once(refs, point):
    raw = Path(refs.mounts.create("raw", at=point).path)
    shell = subprocess.Popen(
        ["sh", "-c", 'while read -r line; do eval "$line"; echo; done'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=raw,
    )

    def ask(line):
        shell.stdin.write(f"echo $({line})\n")
        shell.stdin.flush()
        answer = shell.stdout.readline().strip()
        shell.stdout.readline()
        return answer

    with shell:
        assert ask("echo *") == "gone kind other.txt same.txt"
        assert ask("cat kind") == "a file"
        refs.mounts.switch("raw", "dev")
        assert ask("echo *") == "kind new other.txt same.txt"
        assert ask("cat kind/inside") == "a folder"
        assert ask("wc -c < other.txt") == "1500"
        shell.stdin.close()


def test_files_that_are_open_or_mapped_keep_their_content(refs, point):
    raw = Path(refs.mounts.create("raw", at=point).path)
    with open(raw / "other.txt", "rb") as file, open(raw / "same.txt", "rb") as unread:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with os.scandir(raw) as listing:
            seen = {next(listing).name}
            refs.mounts.switch("raw", "dev")
            seen |= {entry.name for entry in listing}
        assert mapped[:] == b"one" * 1000
        assert file.read() == b"one" * 1000
        assert unread.read() == b"same"
        assert (raw / "other.txt").read_text() == "two" * 500
        assert os.stat(raw / "other.txt").st_size == 1500
        assert seen >= {"kind", "other.txt", "same.txt"}
        mapped.close()


def test_what_both_refs_have_keeps_its_inode_number(refs, point):
    raw = Path(refs.mounts.create("raw", at=point).path)
    before = {name: os.stat(raw / name).st_ino for name in (".", "same.txt", "other.txt")}
    refs.mounts.switch("raw", "dev")
    assert {name: os.stat(raw / name).st_ino for name in before} == before


def test_a_folder_is_not_switched_under_a_writer(refs, point):
    raw = Path(refs.mounts.create("raw", at=point).path)
    with open(raw / "open", "w") as file:
        with pytest.raises(ConflictError):
            refs.mounts.switch("raw", "dev")
        file.write("still here")
    assert contents(raw) == {**FIRST, "open": "still here"}
    assert refs.mounts.get("raw").ref == "main"


def test_what_cannot_be_switched_is_left_as_it_was(any_mode, refs, point):
    refs.mounts.create("raw", at=point)
    refs.mounts.create("raw", "v1", at=point)
    with pytest.raises(InvalidInputError):
        refs.mounts.switch("raw@v1", "dev")
    with pytest.raises(AlreadyExistsError):
        refs.mounts.switch("raw", "v1")
    with pytest.raises(LookupError):
        refs.mounts.switch("raw", "nothing")
    with pytest.raises(LookupError):
        refs.mounts.switch("raw", "v1~0", writable=True)
    assert contents(Path(point, "raw")) == FIRST
    shown = [(one.name, one.ref) for one in refs.mounts.list()]
    assert shown == [("raw", "main"), ("raw@v1", "v1")]


def test_a_mount_says_how_far_behind_it_is(any_mode, refs, point):
    refs.mounts.create("raw", at=point)
    refs.mounts.create("raw", "main~0", at=point)
    raw = Path(point, "raw")

    def behind():
        return {one.name: one.standing.behind for one in refs.mounts.list()}

    assert behind() == {"raw": 0, "raw@main~0": 0}
    (raw / "draft").write_text("keeps the session at its base")
    for number in range(3):
        refs.files.put("raw@main/n", str(number))
    assert behind() == {"raw": 3, "raw@main~0": 3}
    assert contents(Path(point, "raw@main~0")) == FIRST
    commit(refs)
    assert behind() == {"raw": 0, "raw@main~0": 4}


def test_a_mounted_expression_stays_at_its_commit_when_the_mount_is_started_again(refs, point):
    refs.mounts.create("raw", "main~0", at=point)
    refs.files.put("raw@main/n", "1")
    refs.mounts.stop(point)
    refs.mounts.start(point)
    assert contents(Path(point, "raw@main~0")) == FIRST
    assert refs.mounts.get("raw@main~0").standing.behind == 1
