"""Comparing a folder with a commit: every kind of difference, and nothing else."""

import os

import pytest

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.mount import clean_files, listing, scanning
from jupyter_datalake.mount.clean_files import CleanFiles
from jupyter_datalake.mount.scanning import iter_differences, walk


@pytest.fixture
def tree(memory_lake):
    """The tree of a commit with files whose names sort differently as paths and as keys."""
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as session:
        for path in ("a", "a.txt", "a-b/x", "b/c/d", "b.c", "é/ü"):
            session.put(path, f"content of {path}")
        session.make_folder("empty")
        session.commit("Begin")
    return memory_lake.core.snapshot(memory_lake.commits.get("raw", "main"))


@pytest.fixture
def folder(tree, tmp_path):
    tree.export("", tmp_path / "folder")
    return tmp_path / "folder"


def differences(folder, tree, skipped=None, *, ignore=True):
    """Return what differs, and remember in a record beside the folder what does not."""
    with CleanFiles(folder.with_name("record")) as clean:
        found = iter_differences(
            folder, tree, clean, [] if skipped is None else skipped, ignore=ignore
        )
        kinds = {one.path: str(one.as_change().kind) for one in found}
        clean.save(CommitId("c"))
        return kinds


def test_a_folder_is_walked_in_the_order_of_the_manifest(folder, tree):
    assert [file.path for file in walk(folder, [])] == [path for path, _ in tree.iter_entries()]


def test_a_fresh_copy_does_not_differ(folder, tree):
    assert differences(folder, tree) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: (f / "a").write_text("other"), {"a": "modified"}),
        (lambda f: (f / "a").write_text("CONTENT of a"), {"a": "modified"}),
        (lambda f: (f / "a").chmod(0o600), {"a": "modified"}),
        (lambda f: os.utime(f / "a"), {}),
        (lambda f: (f / "a").unlink(), {"a": "removed"}),
        (lambda f: (f / "b" / "c" / "d").unlink(), {"b/c": "added", "b/c/d": "removed"}),
        (lambda f: (f / "new").symlink_to("a"), {"new": "added"}),
        (lambda f: (f / "empty").rmdir(), {"empty": "removed"}),
        (lambda f: (f / "empty" / "x").touch(), {"empty": "removed", "empty/x": "added"}),
        (lambda f: (f / "hollow").mkdir(), {"hollow": "added"}),
        (lambda f: (f / "b").rename(f / "z"), {"b/c/d": "removed", "z/c/d": "added"}),
        (lambda f: os.replace(f / "a.txt", f / "a"), {"a": "modified", "a.txt": "removed"}),
    ],
)
def test_each_change_is_a_difference(folder, tree, change, expected):
    change(folder)
    assert differences(folder, tree) == expected


def test_pipes_and_sockets_are_named_and_left_out(folder, tree):
    os.mkfifo(folder / "pipe")
    skipped = []
    assert differences(folder, tree, skipped=skipped) == {}
    assert [line.rpartition("/")[2] for line in skipped] == [
        "pipe: neither a file, a folder nor a symlink"
    ]


def test_names_that_are_no_text_are_compared(folder, tree):
    with open(os.path.join(os.fsencode(folder), b"not \xff utf-8"), "wb") as file:
        file.write(b"1")
    assert differences(folder, tree) == {"not \udcff utf-8": "added"}


def test_files_known_to_be_clean_are_not_read(folder, tree, monkeypatch):
    monkeypatch.setattr(clean_files, "_SETTLED_NS", -1)
    assert differences(folder, tree) == {}
    monkeypatch.setattr(scanning, "_holds", lambda *_: 1 / 0)
    assert differences(folder, tree) == {}
    (folder / "b.c").unlink()
    (folder / "a0").touch()
    assert differences(folder, tree) == {"a0": "added", "b.c": "removed"}
    os.utime(folder / "a")
    with pytest.raises(ZeroDivisionError):
        differences(folder, tree)


def test_files_changed_just_now_are_not_believed(folder, tree, monkeypatch):
    monkeypatch.setattr(clean_files, "_SETTLED_NS", 10**12)
    assert differences(folder, tree) == {}
    monkeypatch.setattr(scanning, "_holds", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        differences(folder, tree)


def test_a_folder_of_more_names_than_the_memory_is_to_hold_is_walked_in_order(
    folder, tree, monkeypatch
):
    monkeypatch.setattr(listing, "NAMES_IN_MEMORY", 2)
    assert [file.path for file in walk(folder, [])] == [path for path, _ in tree.iter_entries()]
    write(folder, {".datalakeignore": "*.tmp\n", "x.tmp": "", "y": ""})
    assert differences(folder, tree) == {".datalakeignore": "added", "y": "added"}


def test_of_many_things_that_no_commit_can_hold_some_are_named(folder, tree, monkeypatch):
    monkeypatch.setattr(scanning, "MOST_SKIPPED", 3)
    for number in range(5):
        os.mkfifo(folder / f"pipe {number}")
    skipped = []
    assert differences(folder, tree, skipped) == {}
    assert len(skipped) == 3


def write(folder, files):
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)


def test_what_an_ignore_file_leaves_out_is_no_difference(folder, tree):
    write(
        folder,
        {
            ".datalakeignore": "*.tmp\n__pycache__/\n!keep.tmp\n",
            "a.tmp": "",
            "b/c/keep.tmp": "",
            "b/c/x.tmp": "",
            "b/__pycache__/d/e": "",
            "b/.datalakeignore": "/local\n",
            "b/local": "",
            "local": "",
        },
    )
    expected = [".datalakeignore", "b/.datalakeignore", "b/c/keep.tmp", "local"]
    assert sorted(differences(folder, tree)) == expected
    assert len(differences(folder, tree, ignore=False)) == 8


def test_what_the_commit_has_counts_whatever_an_ignore_file_says(folder, tree):
    write(folder, {".datalakeignore": "b\na\na.txt\n", "a": "changed", "b/new": ""})
    (folder / "a.txt").unlink()
    expected = {".datalakeignore": "added", "a": "modified", "a.txt": "removed"}
    assert differences(folder, tree) == expected
    (folder / "b" / "c" / "d").write_text("changed")
    assert differences(folder, tree) == {**expected, "b/c/d": "modified"}


@pytest.mark.parametrize("inner", ["x.tmp", "deep/er/x.tmp", "deep/x.tmp"])
def test_a_folder_with_nothing_but_what_is_left_out_is_an_empty_one_or_none(folder, tree, inner):
    write(folder, {".datalakeignore": "*.tmp\n", f"empty/{inner}": "", f"hollow/{inner}": ""})
    assert differences(folder, tree) == {".datalakeignore": "added"}
    write(folder, {"empty/y": ""})
    assert differences(folder, tree) == {
        ".datalakeignore": "added",
        "empty": "removed",
        "empty/y": "added",
    }


def test_a_folder_that_was_emptied_but_for_what_is_left_out_is_one_whose_files_are_removed(
    folder, tree
):
    write(folder, {".datalakeignore": "*.tmp\n", "b/c/x.tmp": ""})
    (folder / "b" / "c" / "d").unlink()
    assert differences(folder, tree) == {".datalakeignore": "added", "b/c/d": "removed"}


def test_an_ignore_file_that_is_a_symlink_or_a_folder_says_nothing(folder, tree):
    write(folder, {"rules": "*\n", "b/.datalakeignore/x": "", "y": ""})
    (folder / ".datalakeignore").symlink_to("rules")
    expected = [".datalakeignore", "b/.datalakeignore/x", "rules", "y"]
    assert sorted(differences(folder, tree)) == expected
