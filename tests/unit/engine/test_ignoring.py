"""`.datalakeignore` means what `.gitignore` means; Git itself is the oracle."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_datalake.engine.ignoring import IGNORE_FILE, IgnoreRules
from jupyter_datalake.errors import InvalidInputError, PermissionDeniedError
from jupyter_datalake.lake.lake import Lake


def make(folder, files):
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return folder


def taken(folder):
    """Walk as the import does: what is left out is not entered."""

    def walk(place, path, rules):
        children = sorted(os.scandir(place), key=lambda one: one.name)
        files = [os.fsencode(one.name) for one in children if one.is_file(follow_symlinks=False)]
        rules = rules.inside(os.fsencode(place), path, files)
        for child in children:
            below = f"{path}/{child.name}" if path else child.name
            if rules.takes(below, is_folder=child.is_dir()):
                if child.is_dir():
                    yield from walk(child.path, below, rules)
                else:
                    yield below

    return set(walk(folder, "", IgnoreRules())) - {IGNORE_FILE}


def put(folder, **options):
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        lake.files.put_tree("raw@main/", folder, **options)
        whole = {one.path for one in lake.files.glob("raw@main", "/**") if one.kind == "file"}
        with lake.sessions.create("raw", "main") as session:
            session.put_tree(folder, "again", **options)
            staged = {one.path for one in session.diff()}
            session.discard()
        assert staged == {f"again/{path}" for path in whole}
        return whole


TREE = {
    "a.csv": "",
    "a.tmp": "",
    "keep.tmp": "",
    "logs/x.log": "",
    "logs/deep/y.log": "",
    "data/logs/z.csv": "",
    "data/raw/a.tmp": "",
    "data/raw/b.csv": "",
}


@pytest.mark.parametrize(
    ("patterns", "left_out"),
    [
        ("*.tmp", {"a.tmp", "keep.tmp", "data/raw/a.tmp"}),
        ("*.tmp\n!keep.tmp", {"a.tmp", "data/raw/a.tmp"}),
        ("logs/", {"logs/x.log", "logs/deep/y.log", "data/logs/z.csv"}),
        ("/logs", {"logs/x.log", "logs/deep/y.log"}),
        ("logs/\n!logs/x.log", {"logs/x.log", "logs/deep/y.log", "data/logs/z.csv"}),
        ("logs/*\n!logs/x.log", {"logs/deep/y.log"}),
        ("data/**/a.tmp", {"data/raw/a.tmp"}),
        ("# nothing\n\n\\#", set()),
        ("a.csv/", set()),
        ("a.tmp  ", {"a.tmp", "data/raw/a.tmp"}),
        ("[ab].csv", {"a.csv", "data/raw/b.csv"}),
    ],
)
def test_patterns_leave_out_what_they_name(tmp_path, patterns, left_out):
    make(tmp_path, {**TREE, IGNORE_FILE: patterns})
    assert put(tmp_path) == {*TREE, IGNORE_FILE} - left_out
    assert taken(tmp_path) == set(TREE) - left_out
    assert put(tmp_path, ignore=False) == {*TREE, IGNORE_FILE}


def test_a_deeper_file_overrules_the_ones_above_it(tmp_path):
    make(tmp_path, {**TREE, IGNORE_FILE: "*.tmp", f"data/{IGNORE_FILE}": "!a.tmp\n/raw/b.csv"})
    assert taken(tmp_path) - {f"data/{IGNORE_FILE}"} == {*TREE} - {
        "a.tmp",
        "keep.tmp",
        "data/raw/b.csv",
    }


def test_a_folder_of_which_nothing_is_taken_is_not_taken(tmp_path):
    make(tmp_path, {IGNORE_FILE: "*.tmp", "only/a.tmp": "", "x": ""})
    (tmp_path / "empty").mkdir()
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        lake.files.put_tree("raw@main/", tmp_path)
        assert [one.path for one in lake.files.list("raw@main")] == [IGNORE_FILE, "empty", "x"]


def test_what_the_lake_has_stays_when_it_is_ignored(tmp_path):
    make(tmp_path, {"a.tmp": "old", "b": "1"})
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        lake.files.put_tree("raw@main/", tmp_path)
        make(tmp_path, {"a.tmp": "new", IGNORE_FILE: "*.tmp"})
        lake.files.put_tree("raw@main/", tmp_path)
        assert lake.files.read("raw@main/a.tmp") == b"old"


def test_names_that_are_no_text_and_other_endings_of_lines(tmp_path):
    (tmp_path / IGNORE_FILE).write_bytes(b"\xef\xbb\xbf*.tmp\r\n\xff*\r\n")
    for name in (b"a.tmp", b"\xff1", b"\xfe"):
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_text("")
    assert taken(tmp_path) == {"\udcfe"}


def test_a_pattern_that_is_none_stops_everything(tmp_path):
    make(tmp_path, {IGNORE_FILE: "*.tmp\n!\n", "a": ""})
    with pytest.raises(InvalidInputError, match=r"\.datalakeignore has no pattern in line 2: '!'"):
        put(tmp_path)
    make(tmp_path, {IGNORE_FILE: "x" * 2_000_000})
    with pytest.raises(InvalidInputError, match="larger than 1048576 bytes"):
        put(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_rules_that_cannot_be_read_stop_everything(tmp_path):
    make(tmp_path, {IGNORE_FILE: "*.tmp", "a": ""})
    (tmp_path / IGNORE_FILE).chmod(0)
    with pytest.raises(PermissionDeniedError, match="cannot be read"):
        put(tmp_path)


def test_a_link_to_rules_and_a_folder_of_their_name_are_none(tmp_path):
    make(tmp_path, {"rules": "*", f"sub/{IGNORE_FILE}/x": ""})
    (tmp_path / IGNORE_FILE).symlink_to("rules")
    assert taken(tmp_path) == {"rules", f"sub/{IGNORE_FILE}/x"}


patterns = st.lists(
    st.sampled_from(
        [
            "a",
            "b/",
            "/a",
            "!a",
            "!b",
            "*.c",
            "!x.c",
            "a/*",
            "!a/b",
            "**/b",
            "b/**",
            "a/**/b",
            "?",
            "#a",
        ]
    ),
    max_size=5,
).map("\n".join)


@pytest.mark.skipif(shutil.which("git") is None, reason="Git is the oracle")
@settings(
    max_examples=int(os.environ.get("IGNORE_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(patterns, patterns)
def test_git_leaves_out_the_same(tmp_path_factory, top, deeper):
    folder = tmp_path_factory.mktemp("tree")
    paths = ["a/a", "a/b/x.c", "a/b/y", "b/a/b", "b/x.c", "x.c", "c", "d/b", "d/a/b"]
    make(folder, dict.fromkeys(paths, ""))
    for name in (IGNORE_FILE, ".gitignore"):
        make(folder, {name: top, f"a/{name}": deeper})
    git = ["git", "-C", folder, "-c", "core.excludesFile=/dev/null"]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-standard"], check=True, capture_output=True
    )
    shutil.rmtree(folder / ".git")
    ours = {path for path in taken(folder) if path in paths}
    assert ours == set(listed.stdout.decode().split("\0")) & set(paths)
