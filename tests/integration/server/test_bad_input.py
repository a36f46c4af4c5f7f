"""Bad input over REST: the documented status, and one error shape that names what is wrong."""

import os
import signal
import subprocess
import sys
import tempfile

import nbformat
import psutil
import pytest

from jupyter_datalake.config import ControllerConfig

LEAF = {"repo": {"name": "raw", "glob": "/*"}}


@pytest.fixture
def filled(served_lake):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/there", "x")
    served_lake.refs.create_tag("raw", "v1")
    return served_lake


def state_of(lake):
    """Return everything that a refused request must leave as it was."""
    repos = lake.repos.list(include_code=True)
    return (
        repos,
        {repo.name: lake.refs.list(repo.name) for repo in repos},
        lake.sessions.list(),
        lake.pipelines.list(),
        lake.jobs.list(),
        lake.warehouse.list(),
    )


def assert_shape(error, kind, names):
    assert set(error) == {"kind", "message", "retryable", "details"}
    assert error["kind"] == kind
    assert names in error["message"]
    assert "\n" not in error["message"]


MAIN = {"repo": "raw", "ref": "main"}

# operation, what is given, status, kind, what the message names
ASKED = [
    ("getRepo", {"repo": "nowhere"}, 404, "repo-not-found", "'nowhere'"),
    ("listFiles", {"repo": "nowhere", "ref": "main"}, 404, "repo-not-found", "'nowhere'"),
    (
        "putFile",
        {"repo": "nowhere", "ref": "main", "path": "x", "data": b""},
        404,
        "repo-not-found",
        "'nowhere'",
    ),
    ("createSession", {"json_body": {"repo": "nowhere"}}, 404, "repo-not-found", "'nowhere'"),
    ("createMount", {"json_body": {"repo": "nowhere"}}, 404, "repo-not-found", "'nowhere'"),
    ("getRef", {"repo": "raw", "ref": "nope"}, 404, "ref-not-found", "'nope'"),
    (
        "readFile",
        {"repo": "raw", "ref": "nope", "path": "there"},
        404,
        "ref-not-found",
        "raw@nope",
    ),
    ("getCommit", {"repo": "raw", "ref": "0123abcd"}, 404, "ref-not-found", "raw@0123abcd"),
    ("getCommit", {"repo": "raw", "ref": "main^x"}, 400, "invalid-ref", "main^x"),
    ("readFile", {**MAIN, "path": "nope"}, 404, "path-not-found", "'nope'"),
    ("deleteFile", {**MAIN, "path": "nope"}, 404, "path-not-found", "'nope'"),
    ("readFile", {**MAIN, "path": "/"}, 400, "invalid-path", "a folder"),
    ("getLineage", {**MAIN, "path": "nope"}, 404, "path-not-found", "'nope'"),
    ("putFile", {**MAIN, "path": "a/../b", "data": b""}, 400, "invalid-path", "'a/../b'"),
    ("putFile", {**MAIN, "path": "a\0b", "data": b""}, 400, "invalid-path", "NUL"),
    ("putFile", {**MAIN, "path": "there/x", "data": b""}, 400, "invalid-path", "'there'"),
    ("listFiles", {**MAIN, "path": ".."}, 400, "invalid-path", "'..'"),
    (
        "copyFile",
        {"json_body": {"source": "raw@main/../x", "target": "raw@main/y"}},
        400,
        "invalid-path",
        "'..'",
    ),
    (
        "putFile",
        {"repo": "raw", "ref": "v1", "path": "x", "data": b""},
        403,
        "read-only",
        "raw@v1 is a tag",
    ),
    ("createRepo", {"json_body": {"name": "raw"}}, 409, "repo-exists", "'raw'"),
    ("getPipeline", {"pipeline": "nowhere"}, 404, "pipeline-not-found", "'nowhere'"),
    ("getJob", {"job": "ffff"}, 404, "job-not-found", "'ffff'"),
    ("getSession", {"session": "ffff"}, 404, "session-not-found", "'ffff'"),
    ("getMount", {"mount": "nowhere"}, 404, "mount-not-found", "/nowhere"),
    ("getConnection", {"connection": "nowhere"}, 404, "connection-not-found", "'nowhere'"),
]


@pytest.mark.parametrize(("operation", "given", "status", "kind", "names"), ASKED)
async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    call, filled, operation, given, status, kind, names
):
    before = state_of(filled)
    answer = await call(operation, expect=status, **given)
    assert_shape(answer.json, kind, names)
    assert state_of(filled) == before


@pytest.mark.parametrize(
    ("operation", "given", "body"),
    [
        ("createRepo", {}, {"name": "Bad Name"}),
        ("createRepo", {}, {"name": "a/b/c"}),
        ("createTag", {"repo": "raw"}, {"name": "v^1", "at": "main"}),
        ("createBranch", {"repo": "raw"}, {"name": "a b", "at": "main"}),
        ("createConnection", {}, {"name": "0x", "url": "duckdb:///x"}),
    ],
)
async def test_a_name_that_breaks_the_grammar_is_refused(call, filled, operation, given, body):
    before = state_of(filled)
    error = (await call(operation, json_body=body, expect=400, **given)).json
    assert error["kind"] in {"invalid-name", "invalid-request"}
    assert body["name"] in error["message"]
    assert state_of(filled) == before


SPECS = [
    ({"input": {"repo": {"name": "no", "glob": "/"}}}, 404, "repo-not-found", "'no'"),
    ({"inputs": LEAF}, 400, "invalid-spec", "'inputs'"),
    ({"input": {"cron": {"schedule": "61 * * * *"}}}, 400, "invalid-cron", "'61 * * * *'"),
    ({"input": {"repo": {"name": "raw", "glob": "*"}}}, 400, "invalid-spec", "'*'"),
    ({"input": {"repo": {"name": "raw", "glob": "/["}}}, 400, "invalid-glob", "'/['"),
    ({"input": {"repo": {"name": "p", "glob": "/"}}}, 400, "pipeline-cycle", "its own output"),
    ({"input": {"repo": {"name": "raw", "glob": "/(*"}}}, 400, "invalid-glob", "column 2"),
    ({"input": {"join": [LEAF, LEAF]}}, 400, "invalid-spec", "input.join"),
    ({"command": ["a\0b"]}, 400, "invalid-spec", "NUL"),
    ({"files": ["no.py"]}, 404, "path-not-found", "no.py"),
    ({"egress": {"connection": "no", "table": "t"}}, 404, "connection-not-found", "'no'"),
]


@pytest.mark.parametrize(("change", "status", "kind", "names"), SPECS)
async def test_a_bad_spec_is_refused_by_its_place_and_publishes_nothing(
    call, filled, change, status, kind, names
):
    before = state_of(filled)
    spec = {"pipeline": "p", "command": ["true"], "input": LEAF, **change}
    answer = await call("createPipeline", json_body={"spec": spec}, expect=status)
    assert_shape(answer.json, kind, names)
    assert state_of(filled) == before


async def test_a_cycle_is_drawn_and_the_pipelines_stay_as_they_were(call, filled):
    def source(name, repo):
        leaf = {"repo": {"name": repo, "glob": "/"}}
        return {"spec": {"pipeline": name, "command": ["true"], "input": leaf}}

    await call("createPipeline", json_body=source("a", "raw"), expect=201)
    await call("createPipeline", json_body=source("b", "a"), expect=201)
    before = state_of(filled)
    answer = await call("updatePipeline", pipeline="a", json_body=source("a", "b"), expect=400)
    assert_shape(answer.json, "pipeline-cycle", "a → b → a")
    assert state_of(filled) == before


async def test_a_session_that_another_process_has_open_is_a_conflict_to_try_again(call, filled):
    with filled.sessions.create("raw") as session:
        session.put("mine", "staged")
        (info,) = filled.sessions.list()
        for operation, given in (
            ("diffSession", {}),
            ("commitSession", {"json_body": {"message": "not yours"}}),
            ("deleteSession", {}),
        ):
            answer = await call(operation, session=info.id, expect=409, **given)
            assert_shape(answer.json, "session-busy", info.id)
            assert answer.json["retryable"]
            assert int(answer.headers["Retry-After"]) > 0
        session.commit("mine")
    assert filled.files.read("raw@main/mine") == b"staged"


@pytest.mark.disk_mib(8)
class TestFullDisk:
    @pytest.fixture
    def lake_folder(self, small_disk):
        return small_disk.folder / "lake"

    async def test_a_file_that_does_not_fit_is_a_507_and_a_smaller_one_is_taken(
        self, call, served_lake
    ):
        served_lake.repos.create("raw")
        answer = await call("putFile", **MAIN, path="x", data=os.urandom(10_000_000), expect=507)
        assert_shape(answer.json, "storage-full", "Free some space")
        assert not answer.json["retryable"]
        assert served_lake.files.list("raw@main") == []
        assert served_lake.sessions.list() == []
        await call("putFile", **MAIN, path="x", data=b"fits", expect=201)


@pytest.mark.disk_mib(8)
async def test_an_upload_that_the_temporary_folder_cannot_take_is_a_507_too(
    call, filled, small_disk, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk.folder))
    answer = await call("putFile", **MAIN, path="x", data=bytes(10_000_000), expect=507)
    assert_shape(answer.json, "storage-full", str(small_disk.folder))
    assert [one.path for one in filled.files.list("raw@main")] == ["there"]
    await call("putFile", **MAIN, path="x", data=b"fits", expect=201)


NOTEBOOKS = {
    "error": (["out = ''", "1 / 0"], "ZeroDivisionError: division by zero"),
    "dies": (["out = ''", "import os; os.kill(os.getpid(), 9)"], "the kernel died in cell"),
    "bare": (["open(f'{out}/x', 'w').write('x')"], ""),
}


def datalake(lake, *arguments):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", lake.url, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.kernel
async def test_what_becomes_of_a_bad_notebook_is_told_over_rest_and_on_the_command_line(
    call, filled, root
):
    for name, (cells, _) in NOTEBOOKS.items():
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        )
        if name != "bare":
            made.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(made, root / f"{name}.ipynb")
        spec = {"pipeline": name, "notebook": f"{name}.ipynb", "input": LEAF}
        spec["datums"] = {"tries": 1}
        await call("createPipeline", json_body={"spec": spec, "folder": ""}, expect=201)
    filled.run_controller(ControllerConfig(workers=2), until_idle=True)
    for name, (_, message) in NOTEBOOKS.items():
        (job,) = (await call("listJobs", pipeline=name)).json["results"]
        (log,) = (await call("getLogs", job=job["id"])).json["results"]
        waited = datalake(filled, "jobs", "wait", job["global_id"])
        if name == "bare":
            assert (job["state"], waited.returncode) == ("success", 0), (job, log["text"])
            assert "has no cell tagged 'parameters'" in log["text"]
            continue
        assert job["state"] == "failed"
        assert message in job["message"], job["message"]
        assert "\n" not in job["message"]
        (line,) = waited.stderr.splitlines()
        assert waited.returncode == 30
        assert message in line
        assert f"datalake jobs logs {job['id'][:12]}" in line
        assert (await call("getNotebook", job=job["id"], datum=0)).json["nbformat"] == 4
        assert filled.commits.get(name).file_count == 0
        answer = await call("cancelJob", job=job["id"], expect=409)
        assert_shape(answer.json, "wrong-state", "failed")


@pytest.mark.fuse
async def test_a_killed_mount_is_back_at_the_next_request_with_what_was_staged(call, filled, root):
    made = (await call("createMount", json_body={"repo": "raw"}, expect=201)).json
    point = root / "lake"
    try:
        (point / "raw" / "staged").write_text("not committed")
        (info,) = (await call("listMountpoints")).json["results"]
        boss = psutil.Process(info["pid"])
        for one in [boss, *boss.children(recursive=True)]:
            os.kill(one.pid, signal.SIGKILL)
        psutil.wait_procs([boss], timeout=30)
        (mount,) = (await call("listMounts")).json["results"]
        assert mount["name"] == "raw"
        assert mount["path"] == str(point / "raw")
        assert (point / "raw" / "staged").read_text() == "not committed"
        changes = (await call("diffSession", session=made["session_id"])).json["results"]
        assert [one["path"] for one in changes] == ["staged"]
        (info,) = (await call("listMountpoints")).json["results"]
        assert info["state"] == "ready"
        await call("deleteMount", mount="raw", expect=204)
    finally:
        filled.mounts.stop(str(point))
