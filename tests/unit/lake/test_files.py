"""`lake.files`: reading at any commit, and writing in one go."""

import io
import os
import stat

import pytest

from jupyter_datalake.engine import importing, transplanting
from jupyter_datalake.engine.session import Session
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    PermissionDeniedError,
)
from jupyter_datalake.lake.sessions import Sessions
from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    yield memory_lake
    check_lake(memory_lake)


@pytest.fixture
def folder(tmp_path):
    """A local folder with one of everything."""
    place = tmp_path / "local"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "empty").mkdir()
    (place / "a.txt").write_text("hello")
    (place / "deep" / "er" / "b").write_bytes(os.urandom(300_000))
    (place / "script").write_text("#!/bin/sh")
    (place / "script").chmod(0o755)
    (place / "link").symlink_to("a.txt")
    (place / "loop").symlink_to(".")
    (place / os.fsdecode(b"\xff\xfe")).write_text("odd")
    os.mkfifo(place / "pipe")
    return place


def test_bytes_text_files_and_streams_can_be_put(lake, tmp_path):
    local = tmp_path / "local"
    local.write_bytes(b"from a file")
    lake.files.put("raw@main/bytes", b"bytes")
    lake.files.put("raw@main/text", "tëxt")
    lake.files.put("raw@main/file", local)
    lake.files.put("raw@main/stream", io.BytesIO(b"stream" * 50_000))
    lake.files.put(Address("raw", "main", RepoPath("address")), b"address")
    assert contents_of(lake, "raw") == {
        "address": b"address",
        "bytes": b"bytes",
        "file": b"from a file",
        "stream": b"stream" * 50_000,
        "text": "tëxt".encode(),
    }


def test_put_returns_the_commit_it_made_even_if_another_follows(lake, monkeypatch):
    real = importing.commit_tree

    def overtaken(*arguments, **named):
        result = real(*arguments, **named)
        monkeypatch.setattr(importing, "commit_tree", real)
        lake.files.put("raw@main/other", "other")
        return result

    monkeypatch.setattr(importing, "commit_tree", overtaken)
    commit = lake.files.put("raw@main/mine", "mine", message="mine")
    assert commit.message == "mine"
    assert lake.commits.get("raw").message == "Put other"


def test_putting_what_is_there_makes_no_commit_and_is_no_error(lake, folder):
    first = lake.files.put("raw@main/a", "same")
    assert lake.files.put("raw@main/a", "same").id == first.id
    tree, _ = lake.files.put_tree("raw@main/t", folder)
    again, _ = lake.files.put_tree("raw@main/t", folder)
    assert again.id == tree.id
    assert lake.files.copy("raw@main/a", "raw@main/a").id == tree.id
    assert len(history_of(lake, "raw")) == 3
    assert lake.sessions.list() == []


def test_a_time_alone_is_no_change(lake, folder, lake_clock):
    first = lake.files.put("raw@main/a", "same")
    lake_clock.advance(seconds=60)
    assert lake.files.put("raw@main/a", "same").id == first.id
    tree, _ = lake.files.put_tree("raw@main/t", folder)
    os.utime(folder / "a.txt")
    again, _ = lake.files.put_tree("raw@main/t", folder)
    assert again.id == tree.id


def test_a_failed_write_leaves_neither_commit_nor_session(lake):
    lake.files.put("raw@main/a", "file")
    before = history_of(lake, "raw")
    for address in ("raw@main/a/b", "raw@main", "raw@main/"):
        with pytest.raises(InvalidInputError):
            lake.files.put(address, "x")
    with pytest.raises(PathNotFoundError):
        lake.files.delete("raw@main/missing")
    assert history_of(lake, "raw") == before
    assert lake.sessions.list() == []


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("nothing@main/x", NotFoundError),
        ("raw@nothing/x", NotFoundError),
        ("raw@main~1/x", NotFoundError),
        ("raw@v1/x", PermissionDeniedError),
    ],
)
def test_only_branches_can_be_written_to(lake, address, error):
    lake.refs.create_tag("raw", "v1")
    with pytest.raises(error):
        lake.files.put(address, "x")
    assert len(history_of(lake, "raw")) == 1


def test_a_local_folder_is_taken_whole_and_what_is_no_file_is_named(lake, folder):
    seen = []
    _, skipped = lake.files.put_tree(
        "raw@main/in", folder, on_file=lambda place, size: seen.append((place.name, size))
    )
    assert len(skipped) == 1
    assert skipped[0].startswith(str(folder / "pipe"))
    found = contents_of(lake, "raw")
    assert found == {
        "in/a.txt": b"hello",
        "in/deep/er/b": (folder / "deep/er/b").read_bytes(),
        "in/empty": None,
        "in/link": b"a.txt",
        "in/loop": b".",
        "in/script": b"#!/bin/sh",
        "in/\udcff\udcfe": b"odd",
    }
    assert stat.S_IMODE(lake.files.get("raw@main/in/script").mode) == 0o755
    assert lake.files.get("raw@main/in/a.txt").mtime_ns == (folder / "a.txt").stat().st_mtime_ns
    assert ("a.txt", 5) in seen


def test_an_empty_local_folder_does_not_empty_the_one_that_is_there(lake, tmp_path):
    lake.files.put("raw@main/f/kept", "kept")
    (tmp_path / "f").mkdir()
    lake.files.put_tree("raw@main", tmp_path)
    assert contents_of(lake, "raw") == {"f/kept": b"kept"}


def test_an_empty_folder_does_not_take_the_place_of_a_file(lake, tmp_path):
    lake.files.put("raw@main/f", "a file")
    (tmp_path / "f").mkdir()
    with pytest.raises(InvalidInputError):
        lake.files.put_tree("raw@main", tmp_path)
    assert contents_of(lake, "raw") == {"f": b"a file"}


def test_what_was_put_is_exported_equal(lake, folder, tmp_path):
    lake.files.put_tree("raw@main", folder)
    out = tmp_path / "out"
    written = lake.files.export("raw@main", out)
    (folder / "pipe").unlink()

    def look(place):
        return {
            path.relative_to(place).as_posix(): (
                stat.S_IMODE(path.lstat().st_mode) if path.is_file() else 0,
                os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes(),
                path.lstat().st_mtime_ns if path.is_file() and not path.is_symlink() else 0,
            )
            for path in sorted(place.rglob("*"))
        }

    assert look(out) == look(folder)
    assert written == sum(
        path.stat().st_size for path in out.rglob("*") if path.is_file() and not path.is_symlink()
    )


def test_one_file_or_symlink_is_exported_to_its_new_name(lake, folder, tmp_path):
    lake.files.put_tree("raw@main", folder)
    assert lake.files.export("raw@main/a.txt", tmp_path / "new" / "name") == 5
    assert (tmp_path / "new" / "name").read_text() == "hello"
    lake.files.export("raw@main/link", tmp_path / "link")
    assert os.readlink(tmp_path / "link") == "a.txt"


def test_export_writes_over_nothing(lake, tmp_path):
    lake.files.put("raw@main/a", "new")
    target = tmp_path / "taken"
    target.write_text("old")
    dangling = tmp_path / "dangling"
    dangling.symlink_to("nowhere")
    for place in (target, dangling, tmp_path):
        with pytest.raises(AlreadyExistsError) as caught:
            lake.files.export("raw@main/a", place)
        assert caught.value.kind is ErrorKind.PATH_EXISTS
    assert target.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == [dangling, target]


def test_files_are_copied_without_their_bytes(lake):
    lake.repos.create("other")
    lake.files.put("raw@main/d/x", os.urandom(500_000))
    lake.files.put("raw@main/d/y", "small")
    stored = lake.maintenance.get_status().stored_bytes
    lake.files.copy("raw@main/d", "other@main/copied")
    lake.files.copy("raw@main/d/x", "other@main/one")
    lake.files.copy("raw@main/d/x", "other@main/into/")
    lake.files.copy("raw@main", "other@main/everything")
    assert lake.maintenance.get_status().stored_bytes - stored < 10_000
    found = contents_of(lake, "other")
    assert sorted(found) == [
        "copied/x",
        "copied/y",
        "everything/d/x",
        "everything/d/y",
        "into/x",
        "one",
    ]
    assert found["one"] == found["into/x"] == lake.files.read("raw@main/d/x")


def test_copying_what_is_not_there_changes_nothing(lake):
    before = history_of(lake, "raw")
    with pytest.raises(PathNotFoundError):
        lake.files.copy("raw@main/missing", "raw@main/x")
    assert history_of(lake, "raw") == before


def test_any_commit_can_be_read(lake):
    for number in range(3):
        lake.files.put("raw@main/n", f"{number}")
    lake.refs.create_tag("raw", "v1", at="main~1")
    newest = lake.commits.get("raw")
    for ref, content in (
        ("main", b"2"),
        ("main^", b"1"),
        ("main~2", b"0"),
        ("v1", b"1"),
        (newest.id, b"2"),
        (newest.id[:12], b"2"),
    ):
        assert lake.files.read(f"raw@{ref}/n") == content


def test_a_time_shown_in_a_listing_finds_the_commit_it_was_shown_with(lake, lake_clock):
    for number in range(3):
        lake.files.put("raw@main/n", f"{number}")
        lake_clock.advance(60)
    moves = [move for move in lake.refs.list_moves("raw") if move.old_commit_id]
    for move, content in zip(moves, (b"2", b"1", b"0"), strict=True):
        assert lake.files.read(f"raw@main@{move.at.isoformat()}/n") == content
    with pytest.raises(NotFoundError):
        lake.files.read("raw@main@2001-01-01/n")


def test_folders_are_listed_in_pages_with_sizes_when_asked(lake):
    with lake.sessions.create("raw") as session:
        for name in ("b/1", "b/2", "a", "c", "b.txt", "b-x"):
            session.put(name, name)
        session.commit("Fill")
    names = [info.name for info in lake.files.list("raw@main")]
    assert names == ["a", "b", "b-x", "b.txt", "c"]
    assert [info.name for info in lake.files.list("raw@main", after="b", limit=2)] == [
        "b-x",
        "b.txt",
    ]
    folder = lake.files.list("raw@main", measure=True)[1]
    assert (folder.kind, folder.size_bytes, folder.file_count) == (FileKind.FOLDER, 6, 2)
    with pytest.raises(InvalidInputError):
        lake.files.list("raw@main/a")
    with pytest.raises(PathNotFoundError):
        lake.files.list("raw@main/missing")


def test_globs_see_what_the_commit_holds(lake):
    assert lake.files.glob("raw@main", "/") == []
    with lake.sessions.create("raw") as session:
        for name in ("a.csv", "d/b.csv", "d/[x].csv"):
            session.put(name, name)
        session.commit("Fill")
    assert [info.path for info in lake.files.glob("raw@main", "/")] == [""]
    assert [info.path for info in lake.files.glob("raw@main", "/*")] == ["a.csv", "d"]
    assert [info.path for info in lake.files.glob("raw@main", "/**/*.csv")] == [
        "a.csv",
        "d/[x].csv",
        "d/b.csv",
    ]
    assert [info.path for info in lake.files.glob("raw@main", "/d/\\[x\\].csv")] == ["d/[x].csv"]


def test_a_folder_cannot_be_read_as_a_file(lake):
    lake.files.put("raw@main/d/x", "x")
    for read in (lake.files.read, lake.files.open):
        with pytest.raises(InvalidInputError):
            read("raw@main/d")
        with pytest.raises(PathNotFoundError):
            read("raw@main/missing")


def test_names_that_are_no_text_are_escaped_in_the_message_that_tells_of_them(lake, tmp_path):
    odd = os.fsdecode(b"a\xff\nb")
    (tmp_path / odd).mkdir()
    (tmp_path / odd / "f").write_bytes(b"x")
    lake.files.put(Address("raw", "main", RepoPath(odd)), b"hello")
    lake.files.copy(Address("raw", "main", RepoPath(odd)), "raw@main/copy")
    lake.files.delete(Address("raw", "main", RepoPath(odd)))
    lake.files.put_tree("raw@main/", tmp_path / odd)
    escaped = r"a\udcff\nb"
    assert [commit.message for commit in lake.commits.list("raw", "main", limit=4)] == [
        f"Put {escaped}",
        f"Delete {escaped}",
        f"Copy raw@main/{escaped}",
        f"Put {escaped}",
    ]
    assert contents_of(lake, "raw") == {"copy": b"hello", "f": b"x"}


@pytest.fixture
def grown(lake):
    """A repo with a folder of a few files, and one file changed since `main~1`."""
    with lake.sessions.create("raw") as session:
        for path in ("d/a", "d/b", "d/e/c", "other"):
            session.put(path, f"at {path}")
        session.commit("grow")
    lake.files.put("raw@main/d/a", "changed")
    return lake


def test_a_file_or_folder_is_renamed_in_one_commit_and_no_bytes_are_stored(grown):
    before = grown.commits.get("raw")
    commit = grown.files.rename("raw@main/d", "x/y")
    assert (commit.message, commit.parents) == ("Rename d to x/y", (before.id,))
    assert contents_of(grown, "raw") == {
        "other": b"at other",
        "x/y/a": b"changed",
        "x/y/b": b"at d/b",
        "x/y/e/c": b"at d/e/c",
    }
    grown.files.rename("raw@main/x/y/b", "other", message="over a file")
    assert contents_of(grown, "raw")["other"] == b"at d/b"
    # The folder that is emptied stays.
    grown.files.rename("raw@main/x/y/e/c", "c")
    assert contents_of(grown, "raw")["x/y/e"] is None
    assert len(history_of(grown, "raw")) == 6


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("nowhere", "x", PathNotFoundError),
        ("d", "d/e/f", InvalidInputError),
        ("d", "d", InvalidInputError),
        ("/", "x", InvalidInputError),
        ("d", "other/x", InvalidInputError),
        ("other", "d", AlreadyExistsError),
        ("other", "/", AlreadyExistsError),
        ("d", "x/../y", InvalidInputError),
        ("d", "n" * 250 + "/" + "/".join(["m" * 250] * 15) + "/" + "z" * 78, InvalidInputError),
    ],
)
def test_a_rename_that_cannot_be_changes_nothing(grown, old, new, error):
    before = contents_of(grown, "raw")
    with pytest.raises(error):
        grown.files.rename(f"raw@main/{old}", new)
    assert contents_of(grown, "raw") == before
    assert len(history_of(grown, "raw")) == 3


def test_a_path_is_restored_as_another_commit_has_it(grown):
    grown.files.put("raw@main/d/new", "since")
    grown.files.delete("raw@main/d/b")
    commit = grown.files.restore("raw@main~3/d")
    assert commit.message == "Restore d from main~3"
    restored = contents_of(grown, "raw")
    assert restored == contents_of(grown, "raw", "main~4")
    again = grown.files.restore("raw@main~1^^^/d/a")
    assert again.id == commit.id
    grown.refs.create_branch("raw", "dev", at="main~3")
    grown.files.restore("raw@main/", branch="dev", message="all of it")
    assert contents_of(grown, "raw", "dev") == restored
    assert grown.commits.get("raw", "dev").root == commit.root


@pytest.mark.parametrize(
    ("source", "branch", "error"),
    [
        ("raw@main/nowhere", "main", PathNotFoundError),
        ("raw@nowhere/d", "main", NotFoundError),
        ("raw@main/d", "nowhere", NotFoundError),
        ("raw@main/d", "v1", PermissionDeniedError),
        ("raw@main/d/a", "flat", InvalidInputError),
    ],
)
def test_a_restore_that_cannot_be_changes_nothing(grown, source, branch, error):
    grown.refs.create_tag("raw", "v1")
    grown.refs.create_branch("raw", "flat", at="main~2")
    grown.files.put("raw@flat/d", "a file where a folder was")
    before = {name: contents_of(grown, "raw", name) for name in ("main", "v1", "flat")}
    with pytest.raises(error):
        grown.files.restore(source, branch=branch)
    assert {name: contents_of(grown, "raw", name) for name in before} == before


def test_a_session_takes_a_path_back_from_a_commit_and_keeps_the_rest(grown):
    with grown.sessions.create("raw") as session:
        session.put("kept", "staged")
        session.put("d/extra", "staged")
        session.delete("d/b")
        session.restore("raw@main~1/d")
        assert [(change.kind, change.path) for change in session.diff()] == [
            ("modified", "d/a"),
            ("added", "kept"),
        ]
        session.delete("d/e")
        session.put("d/e", "a file where a folder was")
        session.delete("d/b")
        session.put("d/b/x", "a folder where a file was")
        session.restore("raw@main/d")
        assert [change.path for change in session.diff()] == ["kept"]
        with pytest.raises(PathNotFoundError):
            session.restore("raw@main/nowhere")
        session.commit("kept")
    assert contents_of(grown, "raw")["d/a"] == b"changed"
    with grown.sessions.create("raw") as session:
        session.make_folder("empty")
    grown.sessions.restore(session.id, "raw@main~2/")
    grown.sessions.commit(session.id, "all of it")
    assert contents_of(grown, "raw") == contents_of(grown, "raw", "main~3")


def test_a_folder_is_copied_to_a_free_place_without_looking_at_files(grown, monkeypatch):
    grown.repos.create("copy")
    monkeypatch.setattr(Session, "copy", None)
    grown.files.copy("raw@main/d", "copy@main/d")
    assert contents_of(grown, "copy") == {"d/a": b"changed", "d/b": b"at d/b", "d/e/c": b"at d/e/c"}
    grown.files.copy("raw@main/", "copy@main/all")
    assert contents_of(grown, "copy")["all/other"] == b"at other"
    grown.files.copy("copy@main/all", "copy@main/d/")
    assert contents_of(grown, "copy")["d/all/d/e/c"] == b"at d/e/c"


def test_a_copy_onto_a_taken_place_replaces_what_it_has_and_keeps_the_rest(grown, monkeypatch):
    """By one commit, without a session: a kill in between leaves none."""
    monkeypatch.setattr(Sessions, "begin", None)
    before = contents_of(grown, "raw")
    grown.repos.create("copy")
    grown.files.put("copy@main/d/a", "replaced")
    grown.files.put("copy@main/d/mine", "kept")
    last = grown.files.copy("raw@main/d/", "copy@main/")
    assert contents_of(grown, "copy") == {
        "d/mine": b"kept",
        **{path: data for path, data in before.items() if path.startswith("d/")},
    }
    assert grown.files.copy("raw@main/d/", "copy@main/").id == last.id, "nothing is new"
    grown.files.copy("raw@main/d/a", "copy@main/d/mine")
    assert contents_of(grown, "copy")["d/mine"] == before["d/a"]
    grown.files.copy("raw@main/", "copy@main/")
    assert contents_of(grown, "copy") == {"d/mine": before["d/a"], **before}
    grown.files.copy("copy@main/d", "copy@main/d/")
    assert contents_of(grown, "copy")["d/d/mine"] == before["d/a"]
    with pytest.raises(InvalidInputError, match="is a file, not a folder"):
        grown.files.copy("raw@main/d", "copy@main/other/inside")
    grown.files.put("copy@main/e/other/x", "1")
    with pytest.raises(AlreadyExistsError, match="A folder is at"):
        grown.files.copy("raw@main/other", "copy@main/e/")
    check_lake(grown)


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_copy_of_what_gc_removes_meanwhile_is_refused(lake, monkeypatch, is_taken):
    lake.repos.create("gone")
    lake.files.put("gone@main/d/x", os.urandom(100_000))
    if is_taken:
        lake.files.put("raw@main/d/x", "mine")
    before = contents_of(lake, "raw")
    module = importing if is_taken else transplanting
    real = module.commit_tree

    def overtaken(*arguments, **named):
        monkeypatch.setattr(module, "commit_tree", real)
        lake.repos.delete("gone")
        lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=0, reader_s=0))
        return real(*arguments, **named)

    monkeypatch.setattr(module, "commit_tree", overtaken)
    with pytest.raises(ConflictError) as caught:
        lake.files.copy("gone@main/d", "raw@main/" if is_taken else "raw@main/new")
    assert caught.value.kind is ErrorKind.CONTENT_COLLECTED
    assert contents_of(lake, "raw") == before
    check_lake(lake)


def test_a_whole_repo_is_copied_and_taken_back_by_few_reads(grown):
    """What keeps its path shares its nodes: the cost does not grow with what lies below."""
    with grown.sessions.create("raw") as session:
        for number in range(2000):
            session.put(f"many/{number:04}", f"{number}")
        many = session.commit("many")
    grown.files.delete("raw@main/many")
    counted = []
    write = grown.core.nodes.load
    grown.core.nodes.load = lambda digest: counted.append(digest) or write(digest)
    restored = grown.files.restore(f"raw@{many.id}/many")
    assert restored.root == many.root
    assert len(counted) < 60
