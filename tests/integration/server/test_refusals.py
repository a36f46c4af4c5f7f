"""What the server refuses: strangers, foreign sites, bad requests, paths that lead outside."""

import json

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_datalake.environment import user_name
from jupyter_datalake.server.openapi import load_contract


def concrete(operation):
    """Return an operation's path with something in place of every parameter."""
    path = operation.path
    for one in operation.parameters:
        path = path.replace(f"{{{one.name}}}", "0" if one.name == "datum" else "xxxx")
    return path


OPERATIONS = [
    (one.id, one.method.upper(), concrete(one))
    for one in load_contract().operations.values()
    if one.id != "followEvents"
]


async def test_a_stranger_gets_403_everywhere_and_learns_nothing(served_lake, fetch):
    served_lake.repos.create("xxxx")
    for name, method, path in OPERATIONS:
        answer = await fetch(method, path)
        other = await fetch(method, path.replace("xxxx", "yyyy"))
        assert (name, answer.status, other.status) == (name, 403, 403)
        assert b"xxxx" not in answer.body
        assert len(answer.body) == len(other.body)


async def test_a_stranger_gets_no_events(served_lake, fetch, jp_base_url, jp_http_port):
    url = f"ws://localhost:{jp_http_port}{jp_base_url}datalake/events/stream"
    with pytest.raises(HTTPClientError) as caught:
        await websocket_connect(HTTPRequest(url))
    assert caught.value.code == 403


@pytest.fixture
def cookies(jp_serverapp, jp_base_url, http_server_client):
    """Log in as a browser does and return the cookies."""

    async def login():
        token = jp_serverapp.identity_provider.token
        answer = await http_server_client.fetch(
            f"{jp_base_url}login?token={token}", follow_redirects=False, raise_error=False
        )
        return "; ".join(part.split(";")[0] for part in answer.headers.get_list("Set-Cookie"))

    return login


async def test_a_foreign_site_gets_no_events(
    served_lake, fetch, cookies, jp_base_url, jp_http_port
):
    url = f"ws://127.0.0.1:{jp_http_port}{jp_base_url}datalake/events/stream"
    own = {"Cookie": await cookies(), "Origin": f"http://127.0.0.1:{jp_http_port}"}
    stream = await websocket_connect(HTTPRequest(url, headers=own))
    stream.close()
    with pytest.raises(HTTPClientError) as caught:
        await websocket_connect(HTTPRequest(url, headers={**own, "Origin": "http://evil.example"}))
    assert caught.value.code == 403


async def test_a_cookie_without_the_xsrf_token_changes_nothing(served_lake, fetch, cookies):
    own = {"Cookie": await cookies()}
    assert (await fetch("GET", "/repos", own)).status == 200
    answer = await fetch("POST", "/repos", own, json.dumps({"name": "evil"}))
    assert answer.status == 403
    assert served_lake.repos.list() == []


class ReadOnly(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource == "datalake" and action == "read"


class DenyAll(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return False


class TestReadOnly:
    @pytest.fixture
    def jp_server_config(self, jp_server_config):
        jp_server_config["ServerApp"]["authorizer_class"] = ReadOnly
        return jp_server_config

    async def test_writing_is_refused_and_reading_is_not(self, served_lake, fetch, jp_auth_header):
        for name, method, path in OPERATIONS:
            answer = await fetch(method, path, jp_auth_header)
            assert (name, answer.status == 403) == (name, method != "GET")


class TestDenyAll:
    @pytest.fixture
    def jp_server_config(self, jp_server_config):
        jp_server_config["ServerApp"]["authorizer_class"] = DenyAll
        return jp_server_config

    async def test_everything_is_refused(self, served_lake, fetch, jp_auth_header):
        for name, method, path in OPERATIONS:
            answer = await fetch(method, path, jp_auth_header)
            assert (name, answer.status) == (name, 403)

    async def test_events_are_refused(
        self, served_lake, fetch, jp_base_url, jp_http_port, jp_auth_header
    ):
        url = f"ws://localhost:{jp_http_port}{jp_base_url}datalake/events/stream"
        with pytest.raises(HTTPClientError) as caught:
            await websocket_connect(HTTPRequest(url, headers=jp_auth_header))
        assert caught.value.code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"x"',
        b"{",
        b"\xff",
        b"[" * 20_000,
        b'{"name": NaN}',
        b'{"name": 3}',
        b'{"name": null}',
        b'{"name": ""}',
        b'{"name": "raw", "more": 1}',
        b'{"name": "../x"}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "' + b"x" * 100_000 + b'"}',
        b'{"description": "x"}',
    ],
)
async def test_a_bad_body_is_a_400_with_one_line(served_lake, fetch, jp_auth_header, body):
    answer = await fetch("POST", "/repos", jp_auth_header, body)
    assert answer.status == 400, answer.body
    error = json.loads(answer.body)
    assert set(error) == {"kind", "message", "retryable", "details"}
    assert "\n" not in error["message"]
    assert "Traceback" not in error["message"]
    assert served_lake.repos.list() == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=99999999999999999999",
        "limit=ten",
        "limit=1&limit=2",
        "include_code=maybe",
        "unknown=1",
    ],
)
async def test_a_bad_query_is_a_400_that_names_the_parameter(
    served_lake, fetch, jp_auth_header, query
):
    answer = await fetch("GET", f"/repos?{query}", jp_auth_header)
    assert answer.status == 400
    assert query.split("=")[0] in json.loads(answer.body)["message"]


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "..",
        "a/../../x",
        "%2e%2e/x",
        "..%2f..%2fetc%2fpasswd",
        "a\\..\\b/..",
        "x\0y",
        "/" * 50 + "../x",
        "%c0%ae%c0%ae/x",
        "z" * 300,
    ],
)
async def test_no_path_leads_outside(call, served_lake, lake_folder, root, path):
    (root.parent / "canary").write_text("canary")
    served_lake.repos.create("raw")
    refused = ".." in path.split("/") or "\0" in path or len(path) > 255
    for operation in ("readFile", "getFile", "deleteFile"):
        expected = 400 if refused else 404
        answer = await call(operation, repo="raw", ref="main", path=path, expect=expected)
        assert b"canary" not in answer.body
        assert b"root:" not in answer.body


@pytest.mark.parametrize("folder", ["..", "../secret", "a/../..", "work/../../secret"])
async def test_code_is_published_from_below_the_server_s_root_only(call, served_lake, root, folder):
    secret = root.parent / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "x.py").write_text("secret")
    spec = {"pipeline": "p", "command": ["true"], "files": ["x.py"]}
    await call("createPipeline", json_body={"spec": spec, "folder": folder}, expect=400)
    assert served_lake.pipelines.list() == []


async def test_a_symlink_out_of_the_root_is_not_followed(call, served_lake, root):
    secret = root.parent / "secret"
    secret.mkdir()
    (secret / "x.py").write_text("secret")
    (root / "link").symlink_to(secret)
    spec = {"pipeline": "p", "command": ["true"], "files": ["x.py"]}
    await call("createPipeline", json_body={"spec": spec, "folder": "link"}, expect=400)


async def test_a_symlink_in_the_lake_is_not_followed(call, served_lake, tmp_path):
    served_lake.repos.create("raw")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to("/etc/passwd")
    served_lake.files.put_tree("raw@main", tree)
    assert (await call("getFile", repo="raw", ref="main", path="link")).json["target"] == (
        "/etc/passwd"
    )
    answer = await call("readFile", repo="raw", ref="main", path="link", expect=400)
    assert b"root:" not in answer.body


async def test_an_unknown_path_and_method_are_refused_without_a_trace(
    served_lake, fetch, jp_auth_header
):
    for method, path, code in (("GET", "/nowhere", 404), ("DELETE", "/repos", 405)):
        answer = await fetch(method, path, jp_auth_header)
        assert answer.status == code
        assert b"Traceback" not in answer.body


async def test_a_lake_that_cannot_be_opened_is_told_on_every_request(
    fetch, jp_auth_header, lake_folder
):
    lake_folder.parent.mkdir(exist_ok=True)
    (lake_folder / "objects").mkdir(parents=True, exist_ok=True)
    (lake_folder / "objects" / "lake.json").write_text(
        '{"format": 99, "chunking": {}, "lake_id": "x"}'
    )
    answer = await fetch("GET", "/status", jp_auth_header)
    assert (answer.status, answer.json["kind"]) == (500, "format-too-new")


async def test_a_commit_is_made_in_the_name_of_the_jupyter_user(call, served_lake):
    await call("createRepo", json_body={"name": "raw"}, expect=201)
    assert served_lake.commits.get("raw").author.name == user_name()
