"""Hostile names over REST, row by row of docs/reliability.md: as by Python and the command line."""

import asyncio

import pytest

from jupyter_datalake.testing.invariants import check_lake

MAIN = {"repo": "raw", "ref": "main"}


def state_of(lake):
    return [
        (repo.name, lake.refs.list(repo.name), lake.files.glob(f"{repo.name}@main", "/**"))
        for repo in lake.repos.list()
    ]


@pytest.fixture
def lake(served_lake):
    served_lake.repos.create("raw")
    yield served_lake
    check_lake(served_lake)


@pytest.fixture
def put(call):
    async def do(path, data=b"x", **named):
        return await call("putFile", **MAIN, path=path, data=data, **named)

    return do


@pytest.fixture
def paths(call):
    """List what is at the top, as REST tells it."""

    async def do():
        return [one["path"] for one in (await call("listFiles", **MAIN)).json["results"]]

    return do


async def refused(call, kind, operation, **given):
    answer = await call(operation, expect=400, **given)
    assert answer.json["kind"] in kind
    assert "\n" not in answer.json["message"]
    return answer.json["message"]


BAD_NAME = {"invalid-name", "invalid-request"}


async def test_b1_names_that_are_none_are_refused_at_creation(call, lake):
    before = state_of(lake)
    for name in ("", ".", "..", "a\0b", "/", "/a", "a/", "Ä", "a b", "-rf"):
        await refused(call, BAD_NAME, "createRepo", json_body={"name": name})
        await refused(call, BAD_NAME, "createBranch", repo="raw", json_body={"name": name})
        await refused(call, BAD_NAME, "createTag", repo="raw", json_body={"name": name})
    assert state_of(lake) == before


async def test_b1_paths_that_are_none_are_refused(call, lake, put):
    for path in ("/", ".", "a/../b", "a\0b", "./x", "../x"):
        await refused(call, {"invalid-path"}, "putFile", **MAIN, path=path, data=b"x")
    assert lake.files.list("raw@main") == []


async def test_b2_twins_are_kept_of_files_and_refused_of_repos(call, lake, put, paths):
    names = ["caf\u00e9", "cafe\u0301", "File", "file"]
    for name in names:
        await put(name, name.encode())
    for name in names:
        assert (await call("readFile", **MAIN, path=name)).body == name.encode()
    assert set(await paths()) == set(names)
    for twin in ("Raw", "RAW", "ra\u0175", "\uff52aw", "raw.", "raw "):
        await refused(call, BAD_NAME, "createRepo", json_body={"name": twin})
    assert [repo.name for repo in lake.repos.list()] == ["raw"]


async def test_b3_names_to_255_bytes_and_paths_to_4095(call, lake, put):
    deep = "/".join(["d" * 100] * 40)
    for path in ("n" * 255, deep):
        await put(path)
        assert (await call("readFile", **MAIN, path=path)).body == b"x"
    for path in ("n" * 256, "é" * 128, "/".join(["d" * 100] * 41)):
        message = await refused(call, {"invalid-path"}, "putFile", **MAIN, path=path, data=b"x")
        assert "longer than" in message
    assert len(lake.files.glob("raw@main", "/**")) == 2


async def test_b4_names_that_are_no_text_are_kept_byte_for_byte(call, lake, put, paths):
    name = "latin1-\udce9"
    await put(name)
    assert await paths() == [name]
    assert (await call("readFile", **MAIN, path=name)).body == b"x"
    assert [one.path for one in lake.files.list("raw@main")] == [name]


async def test_b5_refs_that_look_like_ids_or_ancestry_are_refused(call, lake):
    before = state_of(lake)
    for name in ("HEAD", "ORIG_HEAD", "a@{1}", "a^1", "main~2", "0" * 32, "ab" * 20, "f" * 64):
        await refused(call, BAD_NAME, "createBranch", repo="raw", json_body={"name": name})
        await refused(call, BAD_NAME, "createTag", repo="raw", json_body={"name": name})
    assert state_of(lake) == before
    for name in ("out", "con", "nul", "main.lock"):  # reserved elsewhere, and not here
        await call("createBranch", repo="raw", json_body={"name": name})
        assert (await call("getRef", repo="raw", ref=name)).json["name"] == name


async def test_b6_names_that_steer_a_terminal_are_kept(call, lake, put, paths):
    names = {"\u202egnp.exe", "zero\u200bwidth", "a\nb", "\x1b[31mred", 'q"uo;te\r\nX: y'}
    for name in names:
        await put(name)
        answer = await call("readFile", **MAIN, path=name)
        assert answer.body == b"x"
        assert "X" not in answer.headers
        assert "\n" not in answer.headers["Content-Disposition"]
    assert set(await paths()) == names


async def test_b7_a_file_and_a_folder_of_one_name_are_not_both_there(call, lake, put):
    await put("foo", b"file")
    await put("bar/below", b"file")
    before = state_of(lake)
    message = await refused(call, {"invalid-path"}, "putFile", **MAIN, path="foo/bar", data=b"x")
    assert "'foo'" in message
    answer = await call("putFile", **MAIN, path="bar", data=b"x", expect=409)
    assert (answer.json["kind"], answer.json["details"]) == ("path-exists", {"path": "bar"})
    assert state_of(lake) == before


async def test_b9_a_glob_takes_the_special_characters_of_names_for_themselves(call, lake, put):
    for name in ("[a]", "*", "?", "{a,b}", "a"):
        await put(name)
        quoted = "".join(f"[{char}]" if char in "*?[{" else char for char in name)
        spec = {
            "pipeline": "p",
            "command": ["true"],
            "input": {"repo": {"name": "raw", "glob": f"/{quoted}"}},
        }
        found = (await call("previewPipeline", json_body={"spec": spec})).json
        assert [one[0]["path"].lstrip("/") for one in found["datums"]] == [name], found


async def test_b10_sql_in_names_is_a_name(call, lake, put, paths):
    name = "'; drop table repos; --"
    await put(name, message=name)
    await refused(call, BAD_NAME, "createRepo", json_body={"name": name})
    await call("getRepo", repo=name, expect=404)
    assert (await call("readFile", **MAIN, path=name)).body == b"x"
    assert (await call("listCommits", **MAIN)).json["results"][0]["message"] == name
    found = (await call("searchCommits", text=name)).json["results"]
    assert [one["message"] for one in found] == [name]
    assert [repo.name for repo in await asyncio.to_thread(lake.repos.list)] == ["raw"]
