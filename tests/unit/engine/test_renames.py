"""Renames: what went and what came are one, by content, by folder and by what they share."""

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_datalake.engine import renames
from jupyter_datalake.errors import InvalidInputError, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.changes import ChangeKind
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import path_key


@pytest.fixture(scope="module")
def lake():
    with Lake.create("memory:") as made:
        made.repos.create("raw")
        yield made


def commit(lake, files, folders=()):
    """Commit exactly these files and empty folders and return the commit's id."""
    with lake.sessions.create("raw") as session:
        session.delete("/")
        for path, content in files.items():
            session.put(path, content)
        for path in folders:
            session.make_folder(path)
        with suppress(StateError):  # the last tree was the same, but for its times
            session.commit("tree")
        session.discard()
    return lake.commits.get("raw").id


def diff(lake, old, new, **options):
    """Return the changes between two trees as (kind, old path, new path)."""
    first, second = commit(lake, *old), commit(lake, *new)
    return [seen(one) for one in lake.commits.diff("raw", first, second, renames=True, **options)]


def seen(change):
    kind = {"added": "A", "modified": "M", "removed": "D", "renamed": "R"}[change.kind]
    if kind != "R":
        return kind, change.path
    folder = "/" if change.new.kind is FileKind.FOLDER else ""
    return kind, change.old.path + folder, change.path + folder


def test_equal_contents_are_one_file(lake):
    assert diff(lake, [{"a": b"1" * 99, "k": b"k"}], [{"d/b": b"1" * 99, "k": b"k"}]) == [
        ("R", "a", "d/b")
    ]
    (change,) = lake.commits.diff("raw", "main^", renames=True)
    assert (change.similarity, change.size_change_bytes) == (1.0, 0)
    assert [seen(one) for one in lake.commits.diff("raw", "main^")] == [("D", "a"), ("A", "d/b")]


def test_a_copy_is_no_rename(lake):
    assert diff(lake, [{"a": b"1"}], [{"a": b"1", "b": b"1"}]) == [("A", "b")]


def test_a_folder_is_one_rename(lake):
    inside = {"x": b"x", "sub/y": b"y", "sub/deep/z": b"z", "empty file": b""}
    old = {f"a/{path}": content for path, content in inside.items()}
    new = {f"b/c/{path}": content for path, content in inside.items()}
    assert diff(lake, [old, ["a/empty"]], [new, ["b/c/empty"]]) == [("R", "a/", "b/c/")]
    (change,) = lake.commits.diff("raw", "main^", renames=True)
    assert (change.old.file_count, change.new.size_bytes) == (5, 3)


def test_a_folder_with_anything_else_in_it_is_not_one_rename(lake):
    assert diff(lake, [{"a/x": b"x", "a/y": b"y"}], [{"b/x": b"x", "b/y": b"y", "b/z": b"z"}]) == [
        ("R", "a/x", "b/x"),
        ("R", "a/y", "b/y"),
        ("A", "b/z"),
    ]
    assert diff(lake, [{"a/x": b"x", "a/y": b"y"}], [{"b/x": b"x", "a/y": b"y"}]) == [
        ("R", "a/x", "b/x")
    ]
    # What lies in it and stayed whole is still one change.
    assert diff(
        lake,
        [{"a/s/x": b"x", "a/s/y": b"y", "a/t": b"t"}],
        [{"b/s/x": b"x", "b/s/y": b"y", "b/u": b"u" * 30}],
    ) == [("D", "a/t"), ("R", "a/s/", "b/s/"), ("A", "b/u")]


def test_files_of_one_content_go_where_their_folders_went(lake):
    old = {f"{one}/{name}": b"" for one in "abc" for name in ("__init__", "other")}
    new = {f"{other}/{name}": b"" for other in "xyz" for name in ("__init__", "other")}
    for one, other in zip("abc", "zxy", strict=True):
        old[f"{one}/own"] = new[f"{other}/own"] = one.encode()
    assert diff(lake, [old], [new]) == [("R", "b/", "x/"), ("R", "c/", "y/"), ("R", "a/", "z/")]


def test_nothing_is_no_evidence(lake):
    assert diff(lake, [{"a": b""}, ["e"]], [{"b": b""}, ["f"]]) == [
        ("D", "a"),
        ("A", "b"),
        ("D", "e"),
        ("A", "f"),
    ]
    assert diff(lake, [{"a": b""}], [{"d/a": b""}]) == [("R", "a", "d/a")]


def test_permissions_are_told_and_keep_a_folder_from_being_one(lake, tmp_path):
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "x").chmod(0o755)
    commit(lake, {"a/x": b"x"})
    commit(lake, {"b/x": tmp_path / "x"})
    (change,) = lake.commits.diff("raw", "main^", renames=True)
    assert seen(change) == ("R", "a/x", "b/x")
    assert (change.old.mode, change.new.mode) == (0o644, 0o755)


def test_similar_files_are_one(lake):
    lines = [f"{number},value\n".encode() for number in range(200)]
    changed = [*lines[:50], b"new\n", *lines[80:]]
    large = random.Random(1).randbytes(3_000_000)
    assert diff(
        lake,
        [{"small": b"".join(lines), "large": large, "other": b"nothing alike"}],
        [{"few": b"".join(changed), "huge": large[:2_500_000], "unlike": b"something else"}],
    ) == [("R", "small", "few"), ("R", "large", "huge"), ("D", "other"), ("A", "unlike")]
    few, huge, *_ = lake.commits.diff("raw", "main^", renames=True)
    assert 0.8 < few.similarity < 0.9
    assert 0.7 < huge.similarity < 0.84


def test_the_most_alike_are_paired(lake):
    def text(*parts):
        return "".join(f"{part} {n}\n" for part in parts for n in range(100)).encode()

    assert diff(
        lake,
        [{"a": text("1", "2", "3", "4")}],
        [{"half": text("1", "2", "5", "6"), "most": text("1", "2", "3", "7")}],
    ) == [("A", "half"), ("R", "a", "most")]


def test_the_search_for_similar_files_is_bounded(lake, monkeypatch):
    old = [{f"a{n}": f"{n}\n".encode() * 50 for n in range(20)}]
    new = [{f"b{n}": f"{n}\n".encode() * 51 for n in range(20)}]
    assert len(diff(lake, old, new)) == 20
    monkeypatch.setattr(renames, "SIMILAR_READ_BYTES", 1000)
    found = diff(lake, old, new)
    assert 0 < sum(one[0] == "R" for one in found) < 20
    monkeypatch.setattr(renames, "RENAME_LIMIT", 30)
    with pytest.raises(InvalidInputError, match="More than 30 paths"):
        diff(lake, old, new)


def test_pages_join_to_the_whole_and_a_path_narrows_it(lake):
    old = {f"a/{n}": b"%d" % n for n in range(5)} | {"p": b"p", "q/r": b"r"}
    new = {f"m/{n}": b"%d" % n for n in range(5)} | {"o": b"p", "q/s": b"r", "z": b"z"}
    whole = diff(lake, [old], [new])
    assert whole == [("R", "a/", "m/"), ("R", "p", "o"), ("R", "q/r", "q/s"), ("A", "z")]
    for options in ({"renames": True}, {}):
        everything = lake.commits.diff("raw", "main^", **options)
        pages, after = [], None
        while page := lake.commits.diff("raw", "main^", after=after, limit=1, **options):
            pages += page
            after = page[-1].path
        assert pages == everything
    assert [seen(one) for one in lake.commits.diff("raw", "main^", path="q", renames=True)] == [
        ("R", "q/r", "q/s")
    ]
    assert [seen(one) for one in lake.commits.diff("raw", "main^", path="m", renames=True)] == [
        ("A", f"m/{n}") for n in range(5)
    ]


contents = st.sampled_from([b"", b"1", b"2", b"3" * 100, b"4\n" * 40])
trees = st.dictionaries(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join), contents, max_size=8
)


def without_clashes(files):
    return {
        path: content
        for path, content in files.items()
        if not any(other.startswith(f"{path}/") for other in files)
    }


@settings(max_examples=30)
@given(trees, trees)
def test_a_diff_with_renames_says_the_same_as_one_without(lake, old, new):
    """Undone by a dictionary: each rename is what it takes away and what it brings."""
    old, new = without_clashes(old), without_clashes(new)
    first, second = commit(lake, old), commit(lake, new)
    changes = lake.commits.diff("raw", first, second, renames=True)
    model = dict(old)
    for change in changes:
        if change.kind in {ChangeKind.REMOVED, ChangeKind.MODIFIED}:
            del model[change.path]
    moved = {}
    for change in changes:
        if change.kind is ChangeKind.RENAMED:
            was, now = change.old.path, change.path
            parts = [one for one in model if one == was or one.startswith(f"{was}/")]
            assert parts
            for path in parts:
                at = now + path[len(was) :]
                content = model.pop(path)
                moved[at] = content if change.similarity == 1 else new[at]
    for change in changes:
        if change.kind in {ChangeKind.ADDED, ChangeKind.MODIFIED}:
            moved[change.path] = new[change.path]
    assert model | moved == new
    keys = [path_key(change.path) for change in changes]
    assert keys == sorted(set(keys))
    # Nothing that could be paired by content is left over.
    left = {c.old.digest for c in changes if c.kind is ChangeKind.REMOVED and c.old.size_bytes}
    came = {c.new.digest for c in changes if c.kind is ChangeKind.ADDED and c.new.size_bytes}
    assert not left & came
