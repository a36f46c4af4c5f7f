"""Hostile names, row by row of the list of attacks: the same by Python and by the command line."""

import pytest

from jupyter_datalake.errors import DatalakeError, InvalidInputError
from jupyter_datalake.testing.invariants import check_lake


def state_of(lake):
    repos = lake.repos.list()
    return [
        (repo.name, lake.refs.list(repo.name), lake.files.glob(f"{repo.name}@main", "/**"))
        for repo in repos
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "a\0b", "/", "/a", "a/", "Ä", "a b", "-rf"])
def test_b1_names_that_are_none_are_refused_at_creation(run, lake, name):
    before = state_of(lake)
    for create in (
        lambda: lake.repos.create(name),
        lambda: lake.refs.create_branch("raw", name),
        lambda: lake.refs.create_tag("raw", name),
    ):
        with pytest.raises(InvalidInputError):
            create()
    if "\0" not in name:
        assert run("repos", "create", "--", name, code=2).out == ""
        assert run("refs", "create-branch", "--", "raw", name, code=2).out == ""
    assert state_of(lake) == before


@pytest.mark.parametrize("path", ["", "/", ".", "a/../b", "a\0b", "./x"])
def test_b1_paths_that_are_none_are_refused(run, lake, path, tmp_path):
    (tmp_path / "local").write_text("x")
    with pytest.raises(DatalakeError):
        lake.files.put(f"raw@main/{path}", b"x")
    if "\0" not in path:
        assert run("files", "put", f"raw@main/{path}", tmp_path / "local", code=2).out == ""
    assert lake.files.list("raw@main") == []


def test_b2_twins_of_unicode_and_of_case_are_both_kept(run, lake):
    names = ["caf\u00e9", "cafe\u0301", "File", "file"]
    for name in names:
        lake.files.put(f"raw@main/{name}", name)
    for name in names:
        assert run("files", "read", f"raw@main/{name}").out == name
    assert {one.path for one in lake.files.list("raw@main")} == set(names)
    check_lake(lake)


@pytest.mark.parametrize(
    "twin", ["Raw", "RAW", "ra\u0301w", "\uff52aw", "raw.", "raw ", "raw\u200b"]
)
def test_b2_repos_have_no_twins_because_their_names_have_one_spelling(run, lake, twin):
    before = state_of(lake)
    with pytest.raises(InvalidInputError, match="is not a repo name"):
        lake.repos.create(twin)
    assert run("repos", "create", twin, code=2).out == ""
    run("repos", "create", "raw", code=14)
    assert state_of(lake) == before


def test_b2_refs_that_differ_in_case_are_two_refs(run, lake):
    first = lake.files.put("raw@main/x", "1").id
    run("refs", "create-branch", "raw", "Dev")
    second = lake.files.put("raw@main/x", "2").id
    run("refs", "create-branch", "raw", "dev")
    lake.files.put("raw@Dev/x", "3")
    found = {ref.name: ref.commit_id for ref in lake.refs.list("raw")}
    assert found["dev"] == second
    assert found["Dev"] not in {first, second}
    assert lake.files.read("raw@dev/x") == b"2"
    assert run("files", "read", "raw@Dev/x").out == "3"
    check_lake(lake)


def test_b3_names_to_255_bytes_and_paths_to_4095(run, lake):
    lake.files.put(f"raw@main/{'n' * 255}", "x")
    deep = "/".join(["d" * 100] * 40)
    lake.files.put(f"raw@main/{deep}", "y")
    assert run("files", "read", f"raw@main/{deep}").out == "y"
    for path in ("n" * 256, "é" * 128, "/".join(["d" * 100] * 41)):
        with pytest.raises(InvalidInputError, match="longer than"):
            lake.files.put(f"raw@main/{path}", "x")
        run("files", "read", f"raw@main/{path}", code=2)
    assert [one.path for one in lake.files.glob("raw@main", "/**/d*")] == [deep]
    check_lake(lake)


@pytest.mark.parametrize(
    "name",
    ["a@{1}", "a^1", "main~2", "a:b", "a\\b", "HEAD", "head", "ORIG_HEAD", "-rf", "--help"]
    + ["0" * count for count in (8, 32, 40, 64)],
)
def test_b5_refs_that_look_like_ids_or_ancestry_are_refused(run, lake, name):
    before = state_of(lake)
    with pytest.raises(InvalidInputError):
        lake.refs.create_branch("raw", name)
    with pytest.raises(InvalidInputError):
        lake.refs.rename("raw", "main", name)
    run("refs", "create-tag", "--", "raw", name, code=2)
    assert state_of(lake) == before


@pytest.mark.parametrize("name", ["out", "con", "nul", "main.lock", "deadbee"])
def test_b5_what_is_reserved_elsewhere_is_a_name(run, lake, name):
    """And a branch is meant before a commit whose id begins like it."""
    run("repos", "create", name)
    lake.refs.create_branch("raw", name)
    lake.files.put(f"raw@{name}/{name}", "x")
    assert run("files", "read", f"raw@{name}/{name}").out == "x"
    lake.refs.create_tag(name, "v1")
    assert [ref.name for ref in lake.refs.list(name)] == ["main", "v1"]
    check_lake(lake)


@pytest.mark.parametrize("name", ["-rf", "--help", "--json", "HEAD", "0" * 40])
def test_b5_files_that_look_like_options_or_ids_are_files(run, lake, name, tmp_path):
    (tmp_path / name).write_text("odd")
    run("files", "put", "--", f"raw@main/{name}", name)
    run("files", "put", "--", f"raw@main/folder/{name}", name)
    assert run("files", "read", f"raw@main/{name}").out == "odd"
    run("files", "export", "--", f"raw@main/folder/{name}", f"out/{name}")
    assert (tmp_path / "out" / name).read_text() == "odd"
    run("files", "delete", f"raw@main/{name}")
    assert [one.path for one in lake.files.glob("raw@main", "/**")] == [f"folder/{name}"]
    check_lake(lake)


@pytest.mark.parametrize("name", ["out", "class", "pfs"])
def test_b5_a_repo_whose_name_is_no_variable_needs_another_one_as_an_input(run, lake, name):
    lake.repos.create(name)
    lake.files.put(f"{name}@main/x", "1")
    spec = {"pipeline": "p", "command": ["true"], "input": {"repo": {"name": name, "glob": "/"}}}
    with pytest.raises(InvalidInputError, match=name):
        lake.pipelines.create(spec)
    assert lake.pipelines.list() == []
    spec["input"]["repo"]["as"] = "given"
    assert lake.pipelines.create(spec).name == "p"


@pytest.mark.parametrize("name", ["\u202egnp.exe", "zero\u200bwidth", "a\nb", "\x1b[31mred"])
def test_b6_names_that_steer_a_terminal_are_kept_and_shown_escaped(run, lake, name):
    lake.files.put(f"raw@main/{name}", "x")
    for shown in (run("files", "list", "raw@main").out, run("commits", "list", "raw").out):
        assert name not in shown
        assert name.encode("unicode_escape").decode() in shown
    assert run("files", "list", "raw@main", "--json").json[0]["path"] == name
    assert run("files", "read", f"raw@main/{name}").out == "x"


def test_b4_names_that_are_no_text_are_kept_byte_for_byte(run, lake):
    name = "latin1-\udce9"
    lake.files.put(f"raw@main/{name}", "x")
    assert run("files", "list", "raw@main", "--json").json[0]["path"] == name
    assert run("files", "read", f"raw@main/{name}").out == "x"
    assert "\\udce9" in run("files", "list", "raw@main").out


def test_b7_a_file_and_a_folder_of_one_name_are_not_both_there(run, lake, tmp_path):
    (tmp_path / "local").write_text("x")
    lake.files.put("raw@main/foo", "file")
    before = state_of(lake)
    with pytest.raises(InvalidInputError, match="'foo' is a file"):
        lake.files.put("raw@main/foo/bar", "x")
    assert "'foo'" in run("files", "put", "raw@main/foo/bar", tmp_path / "local", code=2).err
    assert state_of(lake) == before


@pytest.mark.parametrize("name", ["[a]", "*", "?", "{a,b}"])
def test_b9_a_glob_takes_the_special_characters_of_names_for_themselves(run, lake, name):
    lake.files.put(f"raw@main/{name}", "x")
    lake.files.put("raw@main/a", "y")
    quoted = "".join(f"[{char}]" if char in "*?[{" else char for char in name)
    found = run("files", "glob", "raw@main", f"/{quoted}", "--json").json
    assert [one["path"] for one in found] == [name]
    assert len(lake.files.glob("raw@main", "/*")) == 2


def test_b10_sql_in_names_is_a_name(run, lake):
    name = "'; drop table repos; --"
    lake.files.put(f"raw@main/{name}", "x", message=name)
    with pytest.raises(InvalidInputError):
        lake.repos.create(name)
    run("repos", "get", name, code=10)
    assert run("files", "read", f"raw@main/{name}").out == "x"
    assert run("commits", "list", "raw", "--json").json[0]["message"] == name
    assert [repo.name for repo in lake.repos.list()] == ["raw"]
    check_lake(lake)
