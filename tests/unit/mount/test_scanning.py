"""Comparing a folder with a commit: every kind of difference, and nothing else."""

import os

import pytest

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.mount import scanning
from jupyter_datalake.mount.scanning import CleanFiles, iter_differences, load_clean_files, walk


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


def differences(folder, tree, clean=None, skipped=None):
    found = iter_differences(
        folder, tree, clean or CleanFiles(CommitId("")), [] if skipped is None else skipped
    )
    return {one.path: str(one.as_change().kind) for one in found}


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
    monkeypatch.setattr(scanning, "_SETTLED_NS", -1)
    clean = CleanFiles(CommitId("c"))
    assert differences(folder, tree, clean) == {}
    monkeypatch.setattr(scanning, "_holds", lambda *_: 1 / 0)
    assert differences(folder, tree, clean) == {}
    os.utime(folder / "a")
    with pytest.raises(ZeroDivisionError):
        differences(folder, tree, clean)


def test_files_changed_just_now_are_not_believed(folder, tree, monkeypatch):
    monkeypatch.setattr(scanning, "_SETTLED_NS", 10**12)
    clean = CleanFiles(CommitId("c"))
    assert differences(folder, tree, clean) == {}
    assert clean.known == {}


def test_what_is_known_is_written_down_and_read_again(tmp_path, folder):
    clean = CleanFiles(CommitId("c"), {b"a\0\xff": (1, 2, 3, 4)})
    clean.save(tmp_path / "deep" / "record")
    assert load_clean_files(tmp_path / "deep" / "record") == clean
    assert os.listdir(tmp_path / "deep") == ["record"]
    for damage in (b"", b"\xc1", b"\x81\xa1x\x01", b"\x01"):
        (tmp_path / "deep" / "record").write_bytes(damage)
        assert load_clean_files(tmp_path / "deep" / "record") is None
    assert load_clean_files(tmp_path / "nothing") is None


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
    everything = iter_differences(folder, tree, CleanFiles(CommitId("")), [], ignore=False)
    assert len(list(everything)) == 8


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
