"""Every operation of the contract, over a real server and a real lake."""

import asyncio
import json
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest

from jupyter_datalake.lake import files
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.files import SharedFile
from jupyter_datalake.model.lineage import AccessKind, Observation, Observer
from jupyter_datalake.server.openapi import load_contract
from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse


async def test_repos(call):
    assert (await call("listRepos")).json == {"results": [], "next": None}
    made = (await call("createRepo", json_body={"name": "raw"}, expect=201)).json
    assert made["name"] == "raw"
    assert made["head"]["message"] == "Create the repo"
    await call("createRepo", json_body={"name": "team/sales", "description": "d"}, expect=201)
    assert (await call("getRepo", repo="team/sales")).json["description"] == "d"
    changed = await call("updateRepo", repo="raw", json_body={"description": "new"})
    assert changed.json["description"] == "new"
    page = (await call("listRepos", limit=1)).json
    assert [one["name"] for one in page["results"]] == ["raw"]
    rest = (await call("listRepos", limit=1, after=page["next"])).json
    assert [one["name"] for one in rest["results"]] == ["team/sales"]
    assert rest["next"] is None
    await call("deleteRepo", repo="raw", expect=204)
    assert (await call("getRepo", repo="raw", expect=404)).json["kind"] == "repo-not-found"


async def test_refs_and_commits(call, served_lake):
    served_lake.repos.create("raw")
    for text in ("one", "two"):
        served_lake.files.put("raw@main/a.txt", text)
    await call("createBranch", repo="raw", json_body={"name": "dev", "at": "main^"}, expect=201)
    await call("createTag", repo="raw", json_body={"name": "v1"}, expect=201)
    refs = (await call("listRefs", repo="raw")).json["results"]
    assert [one["name"] for one in refs] == ["dev", "main", "v1"]
    tags = (await call("listRefs", repo="raw", kind="tag")).json["results"]
    assert [one["name"] for one in tags] == ["v1"]
    assert (await call("getRef", repo="raw", ref="dev")).json["kind"] == "branch"
    page = (await call("listCommits", repo="raw", ref="main", limit=2)).json
    assert len(page["results"]) == 2
    rest = (await call("listCommits", repo="raw", ref="main", after=page["next"])).json
    assert [one["message"] for one in rest["results"]] == ["Create the repo"]
    commit = (await call("getCommit", repo="raw", ref="main~1")).json
    assert commit["id"] == page["results"][1]["id"]
    changes = (await call("diffCommits", repo="raw", old="main^")).json
    assert [(one["kind"], one["path"]) for one in changes["results"]] == [("modified", "a.txt")]
    served_lake.files.copy("raw@main/a.txt", "raw@main/b.txt")
    served_lake.files.delete("raw@main/a.txt")
    query = {"repo": "raw", "old": "main~2"}
    (moved,) = (await call("diffCommits", renames=True, **query)).json["results"]
    assert (moved["kind"], moved["old"]["path"], moved["path"]) == ("renamed", "a.txt", "b.txt")
    first = (await call("diffCommits", limit=1, **query)).json
    assert (first["has_more"], first["next"]) == (True, "a.txt")
    rest = (await call("diffCommits", after=first["next"], **query)).json
    assert ([one["path"] for one in rest["results"]], rest["next"]) == (["b.txt"], None)
    await call("deleteBranch", repo="raw", branch="dev", expect=204)
    await call("deleteTag", repo="raw", tag="v1", expect=204)
    moves = (await call("listMoves", repo="raw", limit=2)).json["results"]
    assert [one["name"] for one in moves] == ["v1", "dev"]


async def test_the_log_and_the_search(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/d/a", "one")
    served_lake.files.put("raw@main/b", "two")
    log = (await call("listCommits", repo="raw", ref="main", path="d", follow=True)).json
    assert [one["message"] for one in log["results"]] == ["Put d/a"]
    log = (await call("listCommits", repo="raw", ref="main", text="put", limit=1)).json
    assert [one["message"] for one in log["results"]] == ["Put b"]
    rest = (await call("listCommits", repo="raw", ref="main", text="put", after=log["next"])).json
    assert [one["message"] for one in rest["results"]] == ["Put d/a"]
    assert rest["next"] is None
    log = (await call("listCommits", repo="raw", ref="main", first_parent=False, limit=2)).json
    assert log["next"] == log["results"][1]["id"]
    assert log["looked"] == 2
    first = served_lake.commits.list("raw")[-1].id
    for limit, expected in (
        (2, {"count": 2, "has_more": False}),
        (1, {"count": 1, "has_more": True}),
    ):
        counted = await call("countCommits", repo="raw", ref="main", beyond=first, limit=limit)
        assert counted.json == expected
    reverted = served_lake.commits.revert("raw", "main").commit
    found = (await call("searchCommits", metadata=f"reverts={reverted.parents[0]}")).json
    assert [one["id"] for one in found["results"]] == [reverted.id]
    page = (await call("searchCommits", text="put", repos="r*", limit=1)).json
    rest = (await call("searchCommits", text="put", repos="r*", after=page["next"])).json
    assert [one["message"] for one in rest["results"]] == ["Put b", "Put d/a"]
    await call("searchCommits", since="soon", expect=400)


async def test_files_as_they_were_and_elsewhere(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/d/a", "one")
    wish = {"address": "raw@main/d/a", "path": "e/b"}
    moved = (await call("renameFile", json_body=wish, expect=201)).json
    assert moved["message"] == "Rename d/a to e/b"
    wish = {"source": "raw@main~1/d"}
    await call("restoreFile", json_body=wish, expect=201)
    assert served_lake.files.read("raw@main/d/a") == b"one"
    served_lake.files.put("raw@main/d/a", "two")
    made = (await call("createSession", json_body={"repo": "raw"}, expect=201)).json
    wish = {"source": "raw@main~1/d/a"}
    await call("restoreSession", session=made["id"], json_body=wish, expect=204)
    with served_lake.sessions.open(made["id"]) as session:
        assert session.open("d/a").read() == b"one"


async def test_moves_of_refs(call, served_lake):
    served_lake.repos.create("raw")
    for text in ("one", "two"):
        served_lake.files.put("raw@main/a.txt", text)
    head = served_lake.commits.get("raw").id
    main = {"repo": "raw", "branch": "main"}
    wish = {"to": "main^", "expected": head}
    assert (await call("resetRef", **main, json_body=wish)).json["commit_id"] != head
    again = await call("resetRef", **main, json_body=wish, expect=409)
    assert again.json["kind"] == "branch-moved"
    page = (await call("listMoves", repo="raw", name="main", limit=1)).json
    number = page["results"][0]["number"]
    assert page["next"] == number
    older = (await call("listMoves", repo="raw", name="main", before=number)).json
    assert (len(older["results"]), older["next"]) == (3, None)
    at = {"repo": "raw", "ref": "main"}
    await call("undoRef", **at, json_body={"move": number - 1}, expect=409)
    undone = (await call("undoRef", **at, json_body={"move": number})).json
    assert undone["new_commit_id"] == head == served_lake.commits.get("raw").id
    wish = {"name": "v1", "message": "as sold"}
    assert (await call("createTag", repo="raw", json_body=wish, expect=201)).json["message"]
    renamed = await call("renameRef", repo="raw", ref="v1", json_body={"name": "v2"})
    assert (renamed.json["name"], renamed.json["message"]) == ("v2", "as sold")
    assert (await call("undoRef", repo="raw", ref="v2")).json["renamed_to"] == "v1"
    assert [ref.name for ref in served_lake.refs.list("raw")] == ["main", "v1"]


async def test_retention_and_collections(call, served_lake):
    served_lake.repos.create("raw")
    for number in range(4):
        served_lake.files.put("raw@main/a", f"{number}".encode())
    assert (await call("listRetentions")).json == {"results": [], "next": None}
    policy = (await call("setRetention", repo="raw", json_body={"keep_last": 2})).json
    assert policy["keep_last"] == 2
    assert (await call("listRetentions")).json["results"] == [policy]
    (planned,) = (await call("applyRetention", repo="raw", dry_run=True)).json["results"]
    assert (planned["removed"], planned["is_dry_run"]) == (3, True)
    (done,) = (await call("applyRetention", repo="raw")).json["results"]
    assert (done["removed"], done["is_dry_run"]) == (3, False)
    assert len(served_lake.commits.list("raw")) == 2
    await call("deleteRetention", repo="raw", expect=204)
    served_lake.files.put("raw@main/a", b"more")
    squashed = await call(
        "squashCommit", repo="raw", branch="main", json_body={"since": "main~2"}, expect=201
    )
    assert served_lake.commits.get("raw").id == squashed.json["id"]
    served_lake.maintenance.gc()
    (run,) = (await call("listRuns")).json["results"]
    assert run["report"]["phase"] == "done"
    await call("setLimit", repo="raw", json_body={"limit_bytes": 1}, expect=204)
    refused = await call("putFile", repo="raw", ref="main", path="b", data=b"more", expect=409)
    assert refused.json["kind"] == "over-limit"
    await call("setLimit", repo="raw", json_body={"limit_bytes": None}, expect=204)
    await call("setQuota", json_body={"quota_bytes": 10}, expect=204)
    assert (await call("getStatus")).json["quota_bytes"] == 10
    refused = await call(
        "putFile", repo="raw", ref="main", path="b", data=b"more" * 5000, expect=409
    )
    assert refused.json["kind"] == "over-limit"
    await call("setQuota", json_body={"quota_bytes": None}, expect=204)
    await call("setAutoGc", json_body={"every_s": 3600}, expect=204)
    assert (await call("getStatus")).json["auto_gc_s"] == 3600
    await call("setAutoGc", json_body={"every_s": None}, expect=204)
    assert (await call("getStatus")).json["auto_gc_s"] is None
    await call("setAutoGc", json_body={"every_s": 1}, expect=400)
    await call("deleteRepo", repo="raw", expect=204)
    assert (await call("restoreRepo", repo="raw")).json["name"] == "raw"
    assert len(served_lake.commits.list("raw")) == 2


async def test_remotes(call, served_lake, tmp_path):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a.txt", "one")
    with Lake.create(str(tmp_path / "other")) as other:
        body = {"name": "origin", "url": other.url}
        made = (await call("createRemote", json_body=body, expect=201)).json
        assert (made["name"], made["url"], made["key"]) == ("origin", other.url, None)
        assert (await call("getRemote", remote="origin")).json == made
        assert (await call("listRemotes")).json["results"] == [made]
        await call("pushRemote", remote="origin", json_body={"selections": ["raw"]}, expect=202)
        await ended(served_lake, "push", 1)
        assert other.files.read("raw@main/a.txt") == b"one"
        other.files.put("raw@main/a.txt", "two")
        await call("pullRemote", remote="origin", json_body={}, expect=202)
        assert (await ended(served_lake, "pull", 1))["outcome"] == "success"
        assert served_lake.files.read("raw@main/a.txt") == b"two"
        other.files.put("raw@main/b.txt", "theirs")
        served_lake.files.put("raw@main/c.txt", "ours")
        await call("pushRemote", remote="origin", expect=202)
        refused = await ended(served_lake, "push", 2)
        assert refused["outcome"] == "failed"
        assert "raw@main was not moved" in refused["message"]
    await call("deleteRemote", remote="origin", expect=204)
    missing = await call("pushRemote", remote="origin", json_body={}, expect=404)
    assert missing.json["kind"] == "remote-not-found"


async def ended(lake, act, count):
    """Wait until a push or pull has ended for the so many-th time, as followers learn it."""
    while True:
        found = [one.details for one in lake.events.list(after=0) if one.details.get("act") == act]
        if len(found) >= count:
            return found[-1]
        await asyncio.sleep(0.02)


async def test_collections_that_are_begun_followed_and_cancelled(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a", "a" * 5000)
    served_lake.refs.create_branch("raw", "dev")
    served_lake.files.put("raw@dev/gone", os.urandom(50_000))
    usage = (await call("getUsage")).json
    assert [(one["repo"], one["commits"]) for one in usage["repos"]] == [("raw", 3)]
    assert usage["repos"][0]["stored_bytes"] > 50_000
    served_lake.refs.delete_branch("raw", "dev")
    wish = {"undo_s": 0, "now": True}
    planned = (await call("gcLake", json_body={"dry_run": True, **wish})).json["report"]
    assert planned["condemned_bytes"] > 50_000
    begun = (await call("gcLake", json_body=wish, expect=202)).json
    await collected(served_lake, 50_000)
    events = served_lake.events.list(after=begun["after_event"])
    kinds = {event.kind for event in events}
    assert kinds == {"collection.changed"}
    runs = (await call("listRuns")).json["results"]
    assert {event.subject for event in events} == {str(run["number"]) for run in runs}
    assert (await call("getUsage")).json["repos"][0]["commits"] == 2
    assert (await call("cancelGc")).json["owner"] is None
    with served_lake.core.metadata.write() as tx:
        tx.gc.claim("somebody", 60)
    assert (await call("getStatus")).json["collector"] == "somebody"
    held = await call("gcLake", json_body={}, expect=409)
    assert (held.json["kind"], "somebody" in held.json["message"]) == ("lease-held", True)
    assert (await call("cancelGc")).json["owner"] == "somebody"
    assert (await call("getStatus")).json["collector"] is None
    await call("gcLake", json_body={"grace_s": -1}, expect=400)


async def collected(lake, limit_bytes):
    """Wait until gc has left no more than so much, and nobody collects."""
    while True:
        status = lake.maintenance.get_status()
        if status.collector is None and status.stored_bytes < limit_bytes:
            return
        await asyncio.sleep(0.02)


async def test_a_session_s_conflicts_are_decided_path_by_path(call, served_lake):
    served_lake.repos.create("raw")
    with served_lake.sessions.create("raw") as work:
        work.put("a", "mine")
        work.put("d/b", "mine")
    for path in ("a", "d/b"):
        served_lake.files.put(f"raw@main/{path}", "theirs")
    commit = {"session": work.id, "json_body": {"message": "Mine"}}
    refused = (await call("commitSession", **commit, expect=409)).json
    details = refused["details"]
    assert (refused["kind"], details["paths"], details["count"]) == (
        "paths-conflict",
        ["a", "d/b"],
        2,
    )
    assert details["head"] == served_lake.commits.get("raw").id
    commit["json_body"]["choices"] = {"a": "ours"}
    await call("commitSession", **commit, expect=400)
    commit["json_body"]["choices"] = {"a": "mine", "d": "theirs"}
    made = (await call("commitSession", **commit, expect=201)).json
    assert served_lake.files.read(f"raw@{made['id']}/a") == b"mine"
    assert served_lake.files.read(f"raw@{made['id']}/d/b") == b"theirs"


async def test_merges(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a.txt", "base")
    served_lake.refs.create_branch("raw", "dev")
    served_lake.files.put("raw@main/a.txt", "main")
    served_lake.files.put("raw@dev/a.txt", "dev")
    merge = {"repo": "raw", "branch": "main"}
    refused = await call("mergeCommit", **merge, json_body={"ref": "dev"}, expect=409)
    assert refused.json["kind"] == "paths-conflict"
    assert refused.json["details"]["paths"] == ["a.txt"]
    assert refused.json["details"]["conflicts"][0]["theirs"]["size_bytes"] == 3
    wish = {"ref": "dev", "dry_run": True}
    planned = (await call("mergeCommit", **merge, json_body=wish)).json
    assert [one["kind"] for one in planned["conflicts"]] == ["both-modified"]
    wish = {"ref": "dev", "choices": {"a.txt": "theirs"}}
    made = (await call("mergeCommit", **merge, json_body=wish)).json
    assert (made["outcome"], len(made["commit"]["parents"])) == ("merged", 2)
    wish = {"ref": "main", "parent": 1}
    undone = (await call("revertCommit", **merge, json_body=wish)).json
    assert undone["commit"]["metadata"] == {"reverts": made["commit"]["id"]}
    assert served_lake.files.read("raw@main/a.txt") == b"main"
    wish = {"ref": "dev", "choices": {"/**": "theirs"}}
    picked = (await call("cherryPick", **merge, json_body=wish)).json
    assert picked["commit"]["message"] == "Put a.txt"
    wish = {"ref": "dev", "choices": {"a": 1}}
    await call("mergeCommit", **merge, json_body=wish, expect=400)


async def test_files_are_looked_at_page_by_page(call, served_lake):
    served_lake.repos.create("raw")
    rows = "".join(f"{n},<b>x</b>\n" for n in range(5000))
    served_lake.files.put("raw@main/deep/t.csv", f"id,html\n{rows}")
    place = {"repo": "raw", "ref": "main", "path": "deep/t.csv"}
    found = (await call("previewFile", **place, offset=4000, limit=2)).json
    assert found["page"]["rows"] == [["4000", "<b>x</b>"], ["4001", "<b>x</b>"]]
    assert (found["kind"], found["page"]["total"]) == ("table", 5000)
    served_lake.files.put("raw@main/deep/t.csv", "gone\n")
    pinned = {**place, "ref": found["commit_id"]}
    assert (await call("previewFile", **pinned, limit=1)).json["page"]["rows"][0][0] == "0"
    described = (await call("describeFile", **pinned, columns="id")).json
    assert (described["rows"], described["columns"][0]["max"]) == (5000, "4999")
    assert len((await call("describeFile", **pinned)).json["columns"]) == 2
    wrong = (await call("describeFile", **pinned, columns="no", expect=400)).json
    assert "no column 'no'" in wrong["message"]
    await call("previewFile", **{**place, "path": "none"}, expect=404)
    await call("previewFile", **{**place, "path": "deep"}, expect=400)
    await call("previewFile", **place, limit=1001, expect=400)


async def test_differences_of_files(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/t.csv", "id,n\n1,nan\n2,b\n3,c\n")
    served_lake.files.put("raw@main/t.csv", "id,n\n1,x\n2,c\n")
    places = {"old": "raw@main^/t.csv", "new": "raw@main/t.csv"}
    found = (await call("diffTable", **places, limit=1)).json
    assert (found["key"], found["changed"], found["removed"]) == (["id"], 2, 1)
    assert (found["has_more"], found["rows"][0]["new"]) == (True, {"n": "x"})
    rest = (await call("diffTable", **places, key="id", offset=1)).json
    assert [row["key"] for row in rest["rows"]] == [{"id": "2"}, {"id": "3"}]
    assert (await call("diffTable", **places, key="")).json["key"] == []
    wrong = (await call("diffTable", **places, key="no", expect=400)).json
    assert "no column 'no'" in wrong["message"]
    text = (await call("diffText", **places)).json
    assert text["hunks"][0]["lines"][:3] == [" id,n", "-1,nan", "-2,b"]
    await call("diffText", old="raw@main/t.csv", new="raw@main/none", expect=404)
    with served_lake.sessions.create("raw") as session:
        session.put("t.csv", "id,n\n")
        identity = session.id
    staged = (await call("diffSessionText", session=identity, path="t.csv")).json
    assert (staged["removed"], staged["added"]) == (2, 0)
    part = {"session": identity, "path": "in/parts.bin"}
    assert (await call("writeSession", **part, data="abc", expect=201)).json["size_bytes"] == 3
    more = (await call("writeSession", **part, data="defg", offset=2, expect=201)).json
    assert (more["path"], more["size_bytes"]) == ("in/parts.bin", 6)
    assert served_lake.sessions.read(identity, "in/parts.bin") == b"abdefg"
    await call("writeSession", session=identity, path="in", data="x", expect=409)
    index = [("in/a", 1), ("in/empty", None), ("in/bad/../x", 2), ("in/parts.bin/below", 0)]
    line = json.dumps([{"path": path, "size": size} for path, size in index])
    sent = await call("writeAll", session=identity, data=f"{line}\nabb", expect=201)
    left_out = [(one["path"], one["kind"]) for one in sent.json["results"]]
    assert left_out == [("in/bad/../x", "invalid-path"), ("in/parts.bin/below", "invalid-path")]
    assert served_lake.sessions.read(identity, "in/a") == b"a"
    with served_lake.sessions.open(identity) as session:
        assert [one.path for one in session.list("in")] == ["in/a", "in/empty", "in/parts.bin"]
    for wrong in (f"{line}\nab", '[{"path": "in/b", "size": -1}]\n', "no index"):
        told = (await call("writeAll", session=identity, data=wrong, expect=400)).json
        assert told["message"].startswith("The bundle of files ")
    await call("discardSession", session=identity, json_body={"paths": ["in"]}, expect=204)
    since = {"session": identity, "old": "main^"}
    (change,) = (await call("diffSession", **since)).json["results"]
    assert (change["path"], change["old"]["size_bytes"]) == ("t.csv", 19)
    text = (await call("diffSessionText", **since, path="t.csv")).json
    assert (text["removed"], text["added"]) == (3, 0)
    rows = (await call("diffSessionTable", **since, path="t.csv")).json
    assert (rows["removed"], rows["key"]) == (3, ["id"])
    await call("diffSession", session=identity, old="nowhere", expect=404)


async def test_files(call, served_lake):
    served_lake.repos.create("raw")
    await call("putFile", repo="raw", ref="main", path="d/ä b.txt", data="hällo", expect=201)
    listed = (await call("listFiles", repo="raw", ref="main", measure=True)).json["results"]
    assert [(one["name"], one["kind"], one["file_count"]) for one in listed] == [("d", "folder", 1)]
    below = (await call("listFiles", repo="raw", ref="main", path="d")).json["results"]
    assert [one["name"] for one in below] == ["ä b.txt"]
    info = (await call("getFile", repo="raw", ref="main", path="/d/ä b.txt")).json
    assert info["size_bytes"] == 6
    content = await call("readFile", repo="raw", ref="main", path="d/ä b.txt")
    assert content.body.decode() == "hällo"
    await call("copyFile", json_body={"source": "raw@main/d", "target": "raw@main/e"}, expect=201)
    await call("deleteFile", repo="raw", ref="main", path="d")
    assert served_lake.files.read("raw@main/e/ä b.txt") == "hällo".encode()
    assert [one.name for one in served_lake.files.list("raw@main")] == ["e"]


async def test_links_to_files(call, served_lake, monkeypatch):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a.txt", "x" * 100)
    wish = {"repo": "raw", "ref": "main", "path": "a.txt", "json_body": {"expires_s": 60}}
    refused = await call("shareFile", **wish, expect=409)
    assert refused.json["kind"] == "storage-unsuitable"
    asked = []

    def share(core, tree, path, *, expires_s):  # what a lake in S3 does; its own tests have one
        asked.append((path, expires_s))
        return SharedFile(path, "https://s3/link", datetime(2026, 1, 1, tzinfo=UTC), 100)

    monkeypatch.setattr(files, "share_file", share)
    made = (await call("shareFile", **wish, expect=201)).json
    assert made["url"] == "https://s3/link"
    assert asked == [("a.txt", 60)]
    too_long = {**wish, "json_body": {"expires_s": 10_000_000}}
    await call("shareFile", **too_long, expect=400)
    assert len(asked) == 1


async def test_content_is_only_ever_a_download(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/x\r\nSet-Cookie: a=b.html", "<script>alert(1)</script>")
    answer = await call("readFile", repo="raw", ref="main", path="x\r\nSet-Cookie: a=b.html")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db.html"
    )
    assert not [one for one in answer.headers.get_list("Set-Cookie") if one.startswith(" a=b")]


@pytest.mark.parametrize(
    ("header", "status", "body", "shown"),
    [
        ("bytes=0-2", 206, b"012", "bytes 0-2/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=5-999", 206, b"56789", "bytes 5-9/10"),
        ("bytes=0-9", 200, b"0123456789", None),
        ("bytes=5-2", 416, None, "bytes */10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=0-,1-", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
    ],
)
async def test_ranges(call, served_lake, header, status, body, shown):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/x", "0123456789")
    answer = await call(
        "readFile", repo="raw", ref="main", path="x", headers={"Range": header}, expect=status
    )
    assert body is None or answer.body == body
    assert answer.headers.get("Content-Range") == shown


async def test_a_large_file_goes_both_ways(call, served_lake):
    served_lake.repos.create("raw")
    data = bytes(range(256)) * 40_000
    await call("putFile", repo="raw", ref="main", path="big", data=data, expect=201)
    assert (await call("readFile", repo="raw", ref="main", path="big")).body == data


async def test_sessions(call, served_lake):
    served_lake.repos.create("raw")
    made = (await call("createSession", json_body={"repo": "raw"}, expect=201)).json
    with served_lake.sessions.open(made["id"]) as session:
        session.put("a", "1")
        session.put("b", "2")
    listed = (await call("listSessions", repo="raw")).json["results"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert (await call("getSession", session=made["id"])).json["branch"] == "main"
    changes = (await call("diffSession", session=made["id"])).json["results"]
    assert [one["path"] for one in changes] == ["a", "b"]
    children = (await call("listChanged", session=made["id"])).json["results"]
    assert [(one["name"], one["kind"]) for one in children] == [("a", "added"), ("b", "added")]
    assert (await call("readSession", session=made["id"], path="b")).body == b"2"
    await call("readSession", session=made["id"], path="c", expect=404)
    await call("diffSessionTable", session=made["id"], path="a", expect=404)
    await call("discardSession", session=made["id"], json_body={"paths": ["b"]}, expect=204)
    stale = await call(
        "commitSession",
        session=made["id"],
        json_body={"message": "m"},
        headers={"If-Match": '"0123"'},
        expect=409,
    )
    assert stale.json["kind"] == "branch-moved"
    commit = await call(
        "commitSession",
        session=made["id"],
        json_body={"message": "m", "metadata": {"k": "v"}},
        headers={"If-Match": made["base_commit_id"]},
        expect=201,
    )
    assert commit.json["metadata"] == {"k": "v"}
    empty = await call("commitSession", session=made["id"], json_body={"message": "m"}, expect=409)
    assert empty.json["kind"] == "nothing-to-commit"
    await call("deleteSession", session=made["id"], expect=204)
    assert [one.name for one in served_lake.files.list("raw@main")] == ["a"]


async def test_sessions_are_committed_together(call, served_lake):
    ids = []
    for name in ("raw", "reports"):
        served_lake.repos.create(name)
        made = (await call("createSession", json_body={"repo": name}, expect=201)).json
        with served_lake.sessions.open(made["id"]) as session:
            session.put("a", name)
        ids.append(made["id"])
    body = {"sessions": ids, "message": "both", "metadata": {"k": "v"}}
    commits = (await call("commitTogether", json_body=body, expect=201)).json["results"]
    assert [one["repo"] for one in commits] == ["raw", "reports"]
    assert len({one["global_id"] for one in commits}) == 1
    again = await call("commitTogether", json_body=body, expect=409)
    assert again.json["kind"] == "nothing-to-commit"
    missing = {"sessions": [ids[0], "none"], "message": "m"}
    assert (await call("commitTogether", json_body=missing, expect=404)).json["kind"] == (
        "session-not-found"
    )
    assert [served_lake.commits.get(name).message for name in ("raw", "reports")] == ["both"] * 2


async def test_a_backup_is_a_download_of_the_whole_database(call, served_lake, tmp_path):
    served_lake.repos.create("raw")
    answer = await call("backupLake")
    assert answer.headers["Content-Disposition"].endswith(
        f'{served_lake.core.lake_id}-{served_lake.events.last_number()}.sqlite"'
    )
    (tmp_path / "copy").write_bytes(answer.body)
    connection = sqlite3.connect(tmp_path / "copy")
    assert connection.execute("SELECT name FROM repos").fetchall() == [("raw",)]
    connection.close()
    assert list(served_lake.core.work_folder.glob("tmp*")) == []


async def test_mounts(call, served_lake, root):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a.txt", "hello")
    made = (await call("createMount", json_body={"repo": "raw"}, expect=201)).json
    assert (made["contents_path"], made["is_writable"]) == ("lake/raw", True)
    assert (root / "lake" / "raw" / "a.txt").read_text() == "hello"
    (root / "lake" / "raw" / "b.txt").write_text("new")
    changes = (await call("diffSession", session=made["session_id"])).json["results"]
    assert [one["path"] for one in changes] == ["b.txt"]
    await call("commitSession", session=made["session_id"], json_body={"message": "m"}, expect=201)
    assert served_lake.files.read("raw@main/b.txt") == b"new"
    body = {"repo": "raw", "session": "mine", "notebook": "a.ipynb"}
    own = (await call("createMount", json_body=body, expect=201)).json
    assert own["contents_path"] == "lake/raw@main+mine"
    info = (await call("getSession", session=own["session_id"])).json
    assert (info["name"], info["notebook"]) == ("mine", "a.ipynb")
    await call("deleteMount", mount="raw@main+mine", expect=204)
    pinned = await call("createMount", json_body={"repo": "raw", "ref": "main^"}, expect=201)
    assert not pinned.json["is_writable"]
    assert not (root / pinned.json["contents_path"] / "b.txt").exists()
    assert (await call("getMount", mount="raw")).json["name"] == "raw"
    assert len((await call("listMounts")).json["results"]) == 2
    (point,) = (await call("listMountpoints")).json["results"]
    assert point["state"] == "ready"
    assert pinned.json["standing"]["behind"] == 1
    served_lake.refs.create_tag("raw", "v1", at="main^")
    switched = (await call("switchMount", mount="raw", json_body={"ref": "v1"})).json
    assert (switched["ref"], switched["standing"]["behind"]) == ("v1", 1)
    assert not (root / "lake" / "raw" / "b.txt").exists()
    await call("deleteMount", mount="raw", expect=204)
    await call("deleteMount", mount=pinned.json["name"], expect=204)
    assert (await call("listMounts")).json["results"] == []
    served_lake.mounts.stop(str(root / "lake"))


async def test_a_drive(call, served_lake, root):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a.txt", "0123456789")
    made = await call("createMount", json_body={"repo": "raw", "mode": "drive"}, expect=201)
    assert made.json["contents_path"] == "lake:raw"
    assert not (root / "lake").exists()
    assert (await call("getMount", mount="raw")).json["contents_path"] == "lake:raw"
    (top,) = (await call("listDriveFiles", path="")).json["results"]
    assert (top["name"], top["kind"], top["is_writable"]) == ("raw", "folder", True)
    (file,) = (await call("listDriveFiles", path="raw")).json["results"]
    assert (file["path"], file["size_bytes"]) == ("raw/a.txt", 10)

    await call("makeFolder", json_body={"path": "raw/d"}, expect=201)
    put = await call("putDriveFile", path="raw/d/b", data=b"more", expect=201)
    assert put.json["session_id"] == made.json["session_id"]
    await call("putDriveFile", path="raw/d/b", offset=-1, data=b" and more", expect=201)
    part = await call("readDriveFile", path="raw/d/b", headers={"Range": "bytes=5-7"}, expect=206)
    assert part.body == b"and"
    body = {"path": "raw/d/b", "new_path": "raw/a.txt"}
    assert (await call("renameDriveFile", json_body=body, expect=409)).json["kind"] == "path-exists"
    await call("renameDriveFile", json_body={**body, "replace": True}, expect=201)
    body = {"path": "raw@main/a.txt", "new_path": "raw/d/old"}
    await call("copyDriveFile", json_body=body, expect=201)
    assert (await call("getDriveFile", path="raw/d/old")).json["size_bytes"] == 10
    first = (await call("listDriveFiles", path="raw", limit=1)).json
    assert [one["name"] for one in first["results"]] == ["a.txt"]
    rest = (await call("listDriveFiles", path="raw", after=first["next"])).json
    assert [one["name"] for one in rest["results"]] == ["d"]
    session = made.json["session_id"]
    await call("commitSession", session=session, json_body={"message": "m"}, expect=201)
    assert served_lake.files.read("raw@main/a.txt") == b"more and more"

    await call("deleteDriveFile", path="raw/d", expect=204)
    await call("getDriveFile", path="raw/d/old", expect=404)
    for path, status in (("raw@main/a.txt", 403), ("raw", 403), ("nothing/a", 404)):
        await call("deleteDriveFile", path=path, expect=status)
    await call("deleteMount", mount="raw", discard=True, expect=204)
    assert (await call("listDriveFiles", path="")).json["results"] == []
    assert served_lake.files.read("raw@main/d/old") == b"0123456789"


async def test_drafts(call, served_lake):
    served_lake.repos.create("raw")
    with served_lake.sessions.create("raw") as session:
        session.put("a.txt", "draft")
    saved = (await call("saveSession", session=session.id, expect=201)).json
    assert (saved["changes"], saved["has_session"]) == (1, True)
    assert (await call("listDrafts", repo="raw")).json["results"] == [saved]
    recovered = (await call("recoverSession", session=session.id, expect=201)).json
    changes = (await call("diffSession", session=recovered["id"])).json["results"]
    assert [one["path"] for one in changes] == ["a.txt"]
    await call("recoverSession", session="0" * 32, expect=404)
    await call("deleteSession", session=session.id, keep_draft=True, expect=204)
    (kept,) = (await call("listDrafts", repo="raw")).json["results"]
    assert not kept["has_session"]
    await call("dropDraft", session=session.id, expect=204)
    await call("dropDraft", session=session.id, expect=404)
    assert (await call("listDrafts")).json["results"] == []


async def test_observed_lineage(call, served_lake):
    served_lake.repos.create("raw")
    who = Observer("0" * 32, "host", 7, "cat", None, "a.ipynb")
    moment = time.time_ns()
    seen = Observation(who, "raw", "0" * 64, "a.txt", AccessKind.WRITE, None, 1, moment, moment)
    with served_lake.core.metadata.write() as tx:
        tx.lineage.observe([seen])
    (found,) = (await call("listObserved", repo="raw", notebook="a.ipynb")).json["results"]
    assert (found["path"], found["kind"], found["observer"]["cell"]) == ("a.txt", "write", None)
    assert (await call("listObserved", session="none")).json["results"] == []
    await call("listObserved", repo="nowhere", expect=404)


async def test_what_a_pipeline_waits_for(call, served_lake):
    served_lake.repos.create("raw")
    leaf = {"name": "raw", "glob": "/*", "trigger": {"commits": 2, "cron": "@daily"}}
    spec = {"pipeline": "p", "command": ["true"], "input": {"repo": leaf}}
    made = (await call("createPipeline", json_body={"spec": spec}, expect=201)).json
    assert [(one["commits"], one["since"]) for one in made["waits"]] == [(0, None)]
    served_lake.files.put("raw@main/a", "one")
    (wait,) = (await call("getPipeline", pipeline="p")).json["waits"]
    assert (wait["input"], wait["commits"], wait["is_met"]) == ("raw", 1, False)
    (listed,) = (await call("listPipelines")).json["results"]
    assert listed["waits"] == [wait]
    assert listed["spec"]["input"]["repo"]["trigger"] == leaf["trigger"]


async def test_pipelines_and_jobs(call, served_lake, root):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a", "one")
    (root / "work").mkdir()
    cells = [
        nbformat.v4.new_code_cell(
            'raw = "../lake/raw"\nout = "out"', metadata={"tags": ["parameters"]}
        ),
        nbformat.v4.new_code_cell("open(f'{out}/x', 'w').write(open(f'{raw}/a').read())"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "work" / "copy.ipynb")
    draft = (await call("promotePipeline", json_body={"notebook": "work/copy.ipynb"})).json
    assert draft["spec"]["input"] == {"repo": {"name": "raw", "branch": "main", "glob": "/"}}
    assert (draft["folder"], draft["exists"], draft["notes"]) == ("work", False, [])
    chain = (await call("promoteAll", json_body={"notebooks": ["work/copy.ipynb"]})).json
    assert chain["results"] == [draft]
    assert [(one["cells"], one["shown_at"]) for one in draft["places"]] == [([1], None)]
    second = {**draft["spec"], "pipeline": "second"}
    second["input"] = {"repo": {"name": "copy", "glob": "/", "as": "raw"}}
    declared = {"specs": [{"spec": one, "folder": "work"} for one in (second, draft["spec"])]}
    planned = (await call("diffPipeline", json_body=declared)).json["results"]
    assert [(one["pipeline"], one["action"]) for one in planned] == [
        ("copy", "create"),
        ("second", "create"),
    ]
    second["input"]["repo"]["name"] = "gone"
    refused = await call("applyAll", json_body=declared, expect=404)
    assert refused.json["details"]["pipeline"] == "second"
    assert (await call("listPipelines")).json["results"] == []
    await call("diffPipeline", json_body={"specs": [], "folder": "work"}, expect=400)
    outside = {"specs": [{"spec": draft["spec"], "folder": "../.."}]}
    await call("applyAll", json_body=outside, expect=400)
    preview = (await call("previewPipeline", json_body={"spec": draft["spec"]})).json
    assert [one["label"] for one in preview["datums"][0]] == ["raw:/"]
    behind = (await call("previewPipeline", json_body={"spec": draft["spec"], "after": 0})).json
    assert behind == {"datums": [], "has_more": False, "message": ""}
    nothing = {**draft["spec"], "input": {"repo": {"name": "raw", "glob": "/*.csv"}}}
    empty = (await call("previewPipeline", json_body={"spec": nothing})).json
    assert (empty["datums"], empty["message"]) == ([], "Nothing matches /*.csv in raw@main")
    source = {"spec": draft["spec"], "folder": draft["folder"]}
    made = (await call("createPipeline", json_body=source, expect=201)).json
    assert made["latest_job"]["state"] == "waiting"
    served_lake.run_controller(until_idle=True)
    (listed,) = (await call("listPipelines")).json["results"]
    assert listed["latest_job"]["state"] == "success"
    assert (await call("getPipeline", pipeline="copy")).json["version"] == 1
    taken = {"pipelines": ["copy"], "path": "taken/copy.pipelines.yaml"}
    written = (await call("writePipeline", json_body=taken)).json["results"]
    assert written == ["taken/copy.ipynb", "taken/copy.pipelines.yaml"]
    assert (await call("writePipeline", json_body=taken)).json["results"] == []
    plan = (await call("planPipeline", pipeline="copy")).json["results"]
    assert [(one["runs"], one["reason"]) for one in plan] == [(False, "unchanged")]
    job = (await call("listJobs", pipeline="copy")).json["results"][0]
    assert (await call("getJob", job=job["id"][:10])).json["outcome"] == "committed"
    (datum,) = (await call("listDatums", job=job["id"])).json["results"]
    assert (datum["state"], datum["reason"]) == ("success", "new")
    (log,) = (await call("getLogs", job=job["id"])).json["results"]
    assert "success after" in log["text"]
    rest = await call("getLogs", job=job["id"], datum=0, offset=log["end"] - 4)
    assert (rest.json["results"][0]["text"], rest.json["next"]) == (log["text"][-4:], None)
    lines = (await call("searchLogs", text="SUCCESS", ignore_case=True, job=job["id"])).json
    assert [(one["position"], one["label"]) for one in lines["results"]] == [(0, "raw:/")]
    first = (await call("searchLogs", text="[datalake]", limit=1)).json
    second = (await call("searchLogs", text="[datalake]", after=first["next"])).json
    assert second["results"][0]["line"] > first["results"][0]["line"]
    notebook = (await call("getNotebook", job=job["id"], datum=0)).json
    assert notebook["nbformat"] == 4
    cells = (await call("listCells", job=job["id"], datum=0)).json["results"]
    assert {one["state"] for one in cells} == {"done"}
    compared = (await call("compareJob", job=job["id"], other=job["id"])).json
    assert compared["new"]["id"] == job["id"]
    assert all(one["is_equal"] for one in compared["values"])
    again = (await call("reopenJob", job=job["id"], datum=0, expect=201)).json
    folder = f"datalake-jobs/copy-{job['number']}-0"
    assert (again["folder"], again["notebook"]) == (folder, f"{folder}/copy.ipynb")
    assert again["failed_cell"] is None
    assert (root / folder / "pfs/raw/a").is_file()
    outside = {"folder": "../elsewhere"}
    await call("reopenJob", job=job["id"], datum=0, json_body=outside, expect=400)
    same = await call("publishFix", json_body={"folder": folder}, expect=409)
    assert "does what version 1 of 'copy' does" in same.json["message"]
    mended = root / folder / "copy.ipynb"
    mended.write_text(mended.read_text().replace(".read()", ".read() + ''"))
    fixed = (await call("publishFix", json_body={"folder": folder}, expect=201)).json
    assert (fixed["version"], fixed["latest_job"]["state"]) == (2, "waiting")
    served_lake.run_controller(until_idle=True)
    await call("pausePipeline", pipeline="copy")
    refused = await call("runPipeline", pipeline="copy", expect=409)
    assert refused.json["kind"] == "wrong-state"
    await call("resumePipeline", pipeline="copy")
    started = (await call("runPipeline", pipeline="copy", expect=202)).json
    waiting = (await call("listJobs", global_id=started["global_id"])).json["results"]
    cancelled = await call("cancelJob", job=waiting[0]["id"], expect=202)
    assert cancelled.json["state"] == "cancelled"
    again = await call("rerunJob", job=job["id"], json_body={"reprocess": True}, expect=202)
    served_lake.run_controller(until_idle=True)
    found = (await call("getGlobal", global_id=again.json["global_id"][:8])).json
    assert [one["outcome"] for one in found["jobs"]] == ["unchanged"]
    await call("updatePipeline", pipeline="copy", json_body=source)
    served_lake.run_controller(until_idle=True)
    lineage = (await call("getLineage", repo="copy", ref="main", path="x")).json
    assert {one["repo"] for one in lineage["upstream"]} == {"raw", "copy.code"}
    assert lineage["makers"][0]["inputs"][0]["repo"] == "raw"
    read = (await call("getLineage", repo="raw", ref="main", path="a")).json
    assert {one["repo"] for one in read["uses"]} == {"copy"}
    graph = (await call("getGraph")).json
    edge = {"source": "repo:raw", "target": "pipeline:copy", "basis": "declared"}
    assert edge in graph["edges"]
    head = served_lake.commits.get("copy").id
    wish = {"address": f"copy@{head}/x", "twice": True}
    planned = await call("reproduceLineage", json_body={**wish, "dry_run": True})
    assert planned.json["after_event"] is None
    assert [one["verdict"] for one in planned.json["reproduction"]["steps"]] == ["planned"]
    person = await call("reproduceLineage", json_body={"address": "raw@main"}, expect=400)
    assert "not by a job" in person.json["message"]
    begun = (await call("reproduceLineage", json_body=wish, expect=202)).json
    ended = await _event(served_lake, begun["after_event"], "reproduction.ended")
    assert (ended.details["subject"], ended.details["verdict"]) == (f"copy@{head}/x", "identical")
    pages = await call("listDifferences", reproduction=ended.subject)
    assert pages.json == {"results": [], "next": None, "has_more": False}
    await call("listDifferences", reproduction="nothing", expect=404)
    assert served_lake.commits.get("copy").id == head
    narrowed = (await call("getGraph", global_id=again.json["global_id"])).json
    assert [one["state"] for one in narrowed["nodes"] if one["kind"] == "pipeline"] == ["unchanged"]
    assert len((await call("listLineage", limit=2)).json["results"]) == 2
    assert "properties" in (await call("getSchema")).json
    template = {
        "template": "copy",
        "arguments": {"source": {"type": "repo"}, "days": {"type": "int", "default": 3}},
        "spec": {
            **source["spec"],
            "pipeline": "copy-${{ arguments.source }}-${{ arguments.days }}",
        },
    }
    arguments = (await call("getTemplateSchema", json_body={"template": template})).json["schema"]
    assert arguments["properties"]["source"]["examples"] == ["copy", "raw"]
    wish = {"template": template, "arguments": {"source": "raw"}}
    rendered = (await call("renderPipeline", json_body=wish)).json["spec"]
    assert rendered["pipeline"] == "copy-raw-3"
    wish = {"template": template, "arguments": {"source": "raw", "days": "'; DROP TABLE x"}}
    refused = (await call("renderPipeline", json_body=wish, expect=400)).json
    assert "a whole number belongs" in refused["message"]
    await call("deletePipeline", pipeline="copy", expect=204)
    assert (await call("listJobs")).json["results"] == []


async def test_trials(call, served_lake, root):
    served_lake.repos.create("raw")
    for name in ("a", "b"):
        served_lake.files.put(f"raw@main/{name}.csv", b"id,n\n1,1\n")
    spec = {
        "pipeline": "tried",
        "command": ["sh", "-c", "echo hello; cp pfs/raw/* pfs/out/"],
        "input": {"repo": {"name": "raw", "glob": "/*"}},
    }
    after = served_lake.events.last_number()
    wish = {"spec": spec, "positions": [1]}
    begun = (await call("runTrial", json_body=wish, expect=202)).json
    assert (begun["state"], begun["is_whole"]) == ("running", False)
    assert [one["label"] for one in begun["datums"]] == ["raw:/b.csv"]
    await _ended(call, begun["id"])
    assert (await _event(served_lake, after, "trial.changed")).subject == begun["id"]
    trial = (await call("getTrial", trial=begun["id"][:8])).json
    assert (trial["state"], trial["message"]) == ("success", "")
    assert trial["output"]["counts"] == {"added": 1, "modified": 0, "removed": 0, "same": 0}
    assert (await call("listTrials", pipeline="tried")).json["results"] == [trial]
    log = (await call("getTrialLog", trial=trial["id"], datum=1)).json
    assert "hello" in log["text"]
    rest = (await call("getTrialLog", trial=trial["id"], datum=1, offset=log["end"])).json
    assert rest["text"] == ""
    assert (await call("listTrialCells", trial=trial["id"], datum=1)).json["results"] == []
    refused = (await call("getTrialNotebook", trial=trial["id"], datum=1, expect=404)).json
    assert "no executed notebook" in refused["message"]
    changes = (await call("listTrialDifferences", trial=trial["id"])).json["results"]
    assert [(one["kind"], one["path"]) for one in changes] == [("added", "b.csv")]
    place = {"trial": trial["id"], "path": "b.csv", "datum": 1}
    assert (await call("diffTrialText", **place)).json["added"] == 2
    await call("diffTrialTable", **place, expect=404)  # there is no older one
    assert (await call("readTrial", **place)).body == b"id,n\n1,1\n"
    await call("readTrial", **place, base=True, expect=404)
    wrong = {"spec": spec | {"input": {"repo": {"name": "raw", "glob": "/z"}}}}
    refused = (await call("runTrial", json_body=wrong, expect=404)).json
    assert refused["message"].startswith("There is nothing to try")
    outside = {"spec": spec, "folder": "../elsewhere"}
    await call("runTrial", json_body=outside, expect=400)
    slow = {"spec": spec | {"command": ["sleep", "60"]}}
    begun = (await call("runTrial", json_body=slow, expect=202)).json
    await call("deleteTrial", trial=begun["id"], expect=409)
    await call("cancelTrial", trial=begun["id"], expect=202)
    assert (await _ended(call, begun["id"]))["state"] == "cancelled"
    await call("deleteTrial", trial=begun["id"], expect=204)
    assert (await call("listTrials")).json["results"] == [trial]
    assert served_lake.pipelines.list() == []


async def _ended(call, trial):
    """Wait until a trial has ended, and return it."""
    for _ in range(2000):
        found = (await call("getTrial", trial=trial)).json
        if found["state"] != "running":
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"trial {trial} does not end")


async def _event(lake, after, kind):
    """Wait for an event behind a number."""
    for _ in range(2000):
        found = [one for one in lake.events.list(after=after) if one.kind == kind]
        if found:
            return found[0]
        await asyncio.sleep(0.1)
    raise AssertionError(f"no {kind}")


async def test_warehouse(call, tmp_path):
    url = f"duckdb://{tmp_path}/w.duckdb"
    await call("createConnection", json_body={"name": "w", "url": url}, expect=201)
    DuckdbWarehouse(tmp_path / "w.duckdb").execute(
        "CREATE TABLE t AS SELECT i, DATE '2024-01-01' + i::int AS d FROM range(5) r(i)"
    )
    assert (await call("getConnection", connection="w")).json["engine"] == "duckdb"
    assert len((await call("listConnections")).json["results"]) == 1
    (table,) = (await call("listTables", connection="w")).json["results"]
    assert (table["name"], table["row_count"]) == ("t", 5)
    rows = await call(
        "queryConnection", connection="w", json_body={"sql": "FROM t ORDER BY i", "limit": 2}
    )
    assert rows.json["rows"][0] == {"i": 0, "d": "2024-01-01"}
    assert rows.json["has_more"]
    bad = await call(
        "queryConnection", connection="w", json_body={"sql": "DROP TABLE t"}, expect=400
    )
    assert bad.json["kind"] == "invalid-query"
    await call("deleteConnection", connection="w", expect=204)


async def test_status_doctor_and_events(call, served_lake):
    served_lake.repos.create("raw")
    served_lake.refs.create_branch("raw", "dev")
    status = (await call("getStatus")).json
    assert status["lake_id"] == served_lake.core.lake_id
    assert (status["mountpoint"], status["last_event"] > 0) == ("lake", True)
    assert "lake" in {one["name"] for one in (await call("getDoctor")).json["results"]}
    page = (await call("listEvents", limit=1)).json
    assert page["results"][0]["kind"] == "repo.created"
    rest = (await call("listEvents", after=page["next"])).json
    assert rest["results"][-1]["kind"] == "ref.moved"


async def test_events_are_pushed_and_resumed(call, served_lake, jp_ws_fetch):
    served_lake.repos.create("before")
    stream = await jp_ws_fetch("datalake", "events", "stream", params={"after": "0"})
    first = json.loads(await stream.read_message())
    assert (first["kind"], first["subject"]) == ("repo.created", "before")
    served_lake.repos.create("after")
    later = json.loads(await stream.read_message())
    assert (later["kind"], later["subject"]) == ("repo.created", "after")
    stream.close()
    fresh = await jp_ws_fetch("datalake", "events", "stream")
    served_lake.repos.create("newest")
    assert json.loads(await fresh.read_message())["subject"] == "newest"
    fresh.close()


async def test_the_scheduler_s_verbs(call, served_lake, root):
    served_lake.repos.create("raw")
    commits = [served_lake.files.put("raw@main/a", text) for text in ("one", "two")]
    folder = root / "specs"
    folder.mkdir()
    spec = {
        "pipeline": "copy",
        "input": {"repo": {"name": "raw", "glob": "/"}},
        "command": ["true"],
        "resources": {"slots": {"gpu": 1}},
    }
    (folder / "copy.yaml").write_text(json.dumps(spec))
    declared = {"folder": "specs", "prune": True}
    found = (await call("diffPipeline", json_body=declared)).json["results"]
    assert found == [{"pipeline": "copy", "action": "create", "differs": [], "template": ""}]
    refused = await call("applyAll", json_body=declared, expect=400)
    assert "'gpu'" in refused.json["message"]
    await call("diffPipeline", json_body={"folder": "../"}, expect=400)
    assert (await call("setSlots", resource="gpu", json_body={"count": 2})).json["count"] == 2
    await call("setSlots", resource="gpu", json_body={"count": 0}, expect=400)
    limits = (await call("listSlots")).json["results"]
    assert limits == [{"name": "gpu", "count": 2}, {"name": "jobs", "count": 16}]
    done = (await call("applyAll", json_body=declared)).json["results"]
    assert [one["action"] for one in done] == ["create"]
    assert (await call("deleteSlots", resource="gpu", expect=409)).json["kind"] == "in-use"
    await call("deleteSlots", resource="jobs", expect=404)

    cancelled = (await call("cancelAll", json_body={"pipeline": "copy"}, expect=202)).json
    assert [one["state"] for one in cancelled["results"]] == ["cancelled"]
    body = {"start": "main^", "end": "main", "dry_run": True}
    made = (await call("backfillPipeline", pipeline="copy", json_body=body, expect=202)).json
    assert [one["commit_id"] for one in made["steps"]] == [one.id for one in commits]
    assert made["global_ids"] == []
    body = {**body, "dry_run": False, "priority": 5}
    made = (await call("backfillPipeline", pipeline="copy", json_body=body, expect=202)).json
    jobs = (await call("listJobs", global_id=made["global_ids"][0])).json["results"]
    assert [one["heads"] for one in jobs] == [{"raw": commits[0].id}]
    assert jobs[0]["trigger"]["kind"] == "backfill"
    again = {"same_inputs": True}
    started = (await call("rerunJob", job=jobs[0]["id"], json_body=again, expect=202)).json
    repeated = (await call("listJobs", global_id=started["global_id"])).json["results"]
    await call("resumeJob", job=repeated[0]["id"], expect=409)
    await call("cancelJob", job=repeated[0]["id"], expect=202)
    resumed = (await call("resumeJob", job=repeated[0]["id"], expect=202)).json["global_id"]
    assert (await call("listJobs", global_id=resumed)).json["results"][0]["heads"] == jobs[0][
        "heads"
    ]
    assert repeated[0]["heads"] == {"raw": commits[0].id}
    await call("runPipeline", pipeline="copy", json_body={"priority": 11}, expect=400)
    dag = (await call("exportPipeline", pipeline="copy", json_body={"to": "airflow"})).json
    assert "datalake.copy" in dag["text"]
    await call("exportPipeline", pipeline="copy", json_body={"to": "cron"}, expect=400)


async def test_groups(call, served_lake, root):
    served_lake.repos.create("raw")
    leaf = {"repo": {"name": "raw", "glob": "/"}}
    spec = {"pipeline": "p", "command": ["true"], "group": "etl/daily", "input": leaf}
    served_lake.pipelines.create(spec, folder=root)
    groups = (await call("listGroups")).json["results"]
    assert [(one["name"], one["pipelines"]) for one in groups] == [
        ("etl", ["p"]),
        ("etl/daily", ["p"]),
    ]
    assert (await call("pauseGroup", group="etl")).json["results"] == ["p"]
    assert (await call("getPipeline", pipeline="p")).json["state"] == "paused"
    assert (await call("resumeGroup", group="etl/daily")).json["results"] == ["p"]
    assert (await call("listPipelines", group="etl")).json["results"][0]["state"] == "active"
    started = (await call("runGroup", group="etl", json_body={}, expect=202)).json
    jobs = (await call("listJobs", group="etl")).json["results"]
    assert jobs[0]["global_id"] == started["global_id"]
    cancelled = (await call("cancelAll", json_body={"group": "etl"}, expect=202)).json["results"]
    assert {one["state"] for one in cancelled} == {"cancelled"}
    answer = (await call("listPipelines", group="none", expect=404)).json
    assert answer["kind"] == "group-not-found"


async def test_notifications(call, served_lake):
    rules = [{"on": ["success"], "jupyter": True}]
    made = (await call("setNotificationRules", json_body={"rules": rules})).json
    assert made["results"] == rules
    assert (await call("getNotificationRules")).json["results"] == rules
    wrong = {"rules": [{"on": ["late"], "jupyter": True}]}
    answer = (await call("setNotificationRules", json_body=wrong, expect=400)).json
    assert "notify[0] needs 'after'" in answer["message"]
    (sent,) = (await call("testNotification", json_body={}, expect=202)).json["results"]
    assert (sent["channel"], sent["state"]) == ("jupyter", "sent")
    (event,) = [
        one
        for one in (await call("listEvents")).json["results"]
        if one["kind"] == "notification.created"
    ]
    assert event["subject"] == sent["id"]
    assert event["details"]["title"] == "A test of the notifications of the lake"
    assert (await call("getNotification", notification=sent["id"][:8])).json == sent
    again = (await call("retryNotification", notification=sent["id"], expect=202)).json
    assert (again["id"], again["state"]) == (sent["id"], "pending")
    page = (await call("listNotifications", state="pending", limit=1)).json
    assert [one["id"] for one in page["results"]] == [sent["id"]]
    assert (await call("listNotifications", state="armed")).json["results"] == []
    await call("testNotification", json_body={"pipeline": "none"}, expect=404)


async def test_kernels_that_are_kept(call):
    # What is kept takes a failed datum: tests/integration/jobs/test_kept_kernels.py
    assert (await call("listKernels")).json == {"results": [], "next": None}
    await call("listKernels", job="none", expect=404)
    error = (await call("endKernel", kernel="none", expect=404)).json
    assert error["kind"] == "kernel-not-found"


def test_every_operation_is_called_by_a_test_above():
    source = Path(__file__).read_text(encoding="utf-8")
    missing = [
        name
        for name in load_contract().operations
        if f'"{name}"' not in source and name != "followEvents"
    ]
    assert missing == []


async def test_n9_what_a_notebook_shows_is_data_to_a_browser_and_trusted_by_nobody(
    call, served_lake, root
):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a", "one")
    cells = [
        nbformat.v4.new_code_cell("raw = out = ''", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "from IPython.display import HTML\nHTML('<script>steal()</script>')",
            metadata={"trusted": True},
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "n.ipynb")
    spec = {"pipeline": "p", "notebook": "n.ipynb"}
    spec["input"] = {"repo": {"name": "raw", "glob": "/"}}
    served_lake.pipelines.create(spec, folder=root)
    served_lake.run_controller(until_idle=True)
    (job,) = served_lake.jobs.list(pipeline="p")
    assert str(job.state) == "success", job.message
    answer = await call("getNotebook", job=job.id, datum=0)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    shown = nbformat.from_dict(answer.json)
    assert "<script>" in "".join(shown.cells[-1].outputs[0].data["text/html"])
    assert "signature" not in shown.metadata


async def test_schedules_are_previewed_and_changed_without_the_files(call, served_lake, root):
    asked = {"schedule": "30 2 * * *", "zone": "Europe/Berlin", "after": "2026-03-28T00:00:00Z"}
    ticks = (await call("previewSchedule", json_body=asked)).json["results"]
    assert [(one["local"], one["is_moved"]) for one in ticks] == [
        ("2026-03-28T02:30:00+01:00", False),
        ("2026-03-29T03:00:00+02:00", True),
        ("2026-03-30T02:30:00+02:00", False),
    ]
    assert (
        len((await call("previewSchedule", json_body={"schedule": "@hourly"})).json["results"]) == 3
    )
    for wrong in ({"schedule": "0 25 * * *"}, {"schedule": "@daily", "zone": "Mars/Olympus"}):
        error = (await call("previewSchedule", json_body=wrong, expect=400)).json
        assert error["kind"] == "invalid-cron"
    (root / "a.py").write_text("print()")
    spec = {"pipeline": "timed", "command": ["python", "a.py"], "files": ["a.py"]}
    await call("createPipeline", json_body={"spec": spec}, expect=201)
    (root / "a.py").unlink()
    spec["input"] = {"cron": {"schedule": "@daily"}}
    await call("updatePipeline", pipeline="timed", json_body={"spec": spec}, expect=404)
    kept = {"spec": spec, "keep_files": True}
    assert (await call("updatePipeline", pipeline="timed", json_body=kept)).json["version"] == 2
