"""Commands by noun: what they print for people and for programs."""

import io
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from jupyter_datalake.cli.output import age_text, size_text
from jupyter_datalake.model.lineage import AccessKind, Observation, Observer
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.text import printable
from jupyter_datalake.mount.doctor import Verdict


def test_a_first_lake_says_what_to_do_next(run, url):
    result = run("repos", "list", code=10)
    assert result.err == f"error: There is no lake in {url}. Make one: datalake init {url}.\n"
    assert f"export DATALAKE_URL={url}" in run("init").out
    assert "datalake repos create NAME" in run("repos", "list").out
    assert run("init", code=14).err.startswith("error: There is a lake in")


def test_repos(run, lake):
    assert run("repos", "get", "raw", "--json").json["description"] == "as delivered"
    assert "as delivered" in run("repos", "list").out
    assert run("repos", "update", "raw", "--description", "new", "--json").json["name"] == "raw"
    assert "new" in run("repos", "get", "raw").out
    assert run("repos", "delete", "raw", "--yes", "--json").json == {"deleted": "raw"}
    assert run("repos", "list", "--json").json == []


def test_sessions_are_committed_together(run, lake):
    lake.repos.create("reports")
    for name in ("raw", "reports"):
        with lake.sessions.create(name) as session:
            session.put("a", name)
    out = run("sessions", "commit-together", "raw", "reports", "-m", "both").out
    assert "to raw@main" in out
    assert "to reports@main" in out
    heads = [lake.commits.get(name) for name in ("raw", "reports")]
    assert [head.message for head in heads] == ["both", "both"]
    assert f"Global id {heads[0].global_id}" in out
    assert heads[0].global_id == heads[1].global_id
    assert (
        "Nothing is staged"
        in run(
            "sessions", "commit-together", "raw", "reports", "-m", "again", "--json", code=15
        ).err
    )


def test_a_command_that_names_no_verb_shows_what_there_is(run):
    for words in ((), ("repos",)):
        shown = run(*words, code=2).err
        assert shown.startswith(f"Usage: {' '.join(('datalake', *words))} [OPTIONS] COMMAND")
        assert "\nCommands:\n" in shown


def test_deleting_asks_first(run, lake):
    run("repos", "delete", "raw", code=130, stdin=io.StringIO("n\n"))
    assert [repo.name for repo in lake.repos.list()] == ["raw"]


def test_files_go_in_and_out(run, lake, tmp_path):
    local = tmp_path / "a.txt"
    local.write_text("hello")
    made = run("files", "put", "raw@main/d/a.txt", local, "-m", "first", "--json").json
    assert (made["message"], made["author"]["name"]) == ("first", "ada")
    stdin = SimpleNamespace(buffer=io.BytesIO(b"from a pipe"))
    assert "Committed" in run("files", "put", "raw@main/b.txt", "-", stdin=stdin).out
    listed = run("files", "list", "raw@main", "--json").json
    assert [(one["path"], one["kind"]) for one in listed] == [("b.txt", "file"), ("d", "folder")]
    assert "d/" in run("files", "list", "raw@main").out
    assert run("files", "read", "raw@main/b.txt").out == "from a pipe"
    assert run("files", "get", "raw@main/d/a.txt", "--json").json["size_bytes"] == 5
    assert run("files", "glob", "raw@main", "/**/*.txt", "--json").json[1]["path"] == "d/a.txt"
    run("files", "copy", "raw@main/d", "raw@main/e/")
    run("files", "delete", "raw@main/d")
    run("files", "export", "raw@main", tmp_path / "out")
    assert (tmp_path / "out" / "e" / "d" / "a.txt").read_text() == "hello"
    assert run("files", "export", "raw@main", tmp_path / "out", code=14).err.startswith("error")


def test_a_folder_is_put_and_what_is_left_out_is_named(run, lake, tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "x").write_text("1")
    (tree / "link").symlink_to("sub/x")
    subprocess.run(["mkfifo", tree / "pipe"], check=True)
    result = run("files", "put", "raw@main", tree)
    assert "pipe: neither a file" in result.err
    assert sorted(one.path for one in lake.files.glob("raw@main", "/**")) == ["link", "sub/x"]


def test_what_is_ignored_is_left_out_unless_it_is_asked_for(run, lake, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("a.csv", "a.tmp"):
        (tree / name).write_text("x")
    (tree / ".datalakeignore").write_text("*.tmp")
    assert run("files", "put", "raw@main", tree).err == ""
    assert [one.path for one in lake.files.list("raw@main")] == [".datalakeignore", "a.csv"]
    run("files", "put", "raw@main", tree, "--no-ignore")
    assert lake.files.read("raw@main/a.tmp") == b"x"


def test_nothing_is_exported_into_the_lake_itself(run, lake, url):
    run("files", "export", "raw@main", f"{url}/objects/x", code=14)


def test_commits_and_refs(run, lake):
    for text in ("one", "two"):
        lake.files.put("raw@main/a.txt", text)
    listed = run("commits", "list", "raw", "--json").json
    assert [one["message"] for one in listed] == ["Put a.txt", "Put a.txt", "Create the repo"]
    assert "Put a.txt" in run("commits", "list", "raw", "--limit", "1").out
    shown = run("commits", "get", "raw", "main~1").out
    assert listed[1]["id"] in shown
    assert run("commits", "diff", "raw", "main~2", "--json").json[0]["kind"] == "added"
    assert run("commits", "diff", "raw", "main~1").out.splitlines()[1].startswith("~  a.txt")
    assert run("commits", "diff", "raw", "main").out == "No differences\n"
    with lake.sessions.create("raw") as session:
        session.rename("a.txt", "d/b.txt")
        session.commit("move")
    moved = run("commits", "diff", "raw", "main^", "--renames").out.splitlines()
    assert moved[1].split() == [">", "a.txt", ">", "d/b.txt", "3", "B", "3", "B"]
    (change,) = run("commits", "diff", "raw", "main^", "--renames", "--json").json
    assert (change["kind"], change["old"]["path"], change["similarity"]) == ("renamed", "a.txt", 1)
    assert run("commits", "diff", "raw", "main^", "--after", "a.txt").out.split()[3:5] == [
        "+",
        "d/b.txt",
    ]
    run("refs", "create-branch", "raw", "dev", "--at", listed[1]["id"])
    assert run("refs", "create-tag", "raw", "v1", "--json").json["kind"] == "tag"
    assert run("refs", "get", "raw", "dev", "--json").json["commit_id"] == listed[1]["id"]
    names = [one["name"] for one in run("refs", "list", "raw", "--json").json]
    assert names == ["dev", "main", "v1"]
    assert len(run("refs", "list", "raw", "--kind", "tag").out.splitlines()) == 2
    run("refs", "delete-branch", "raw", "dev")
    run("refs", "delete-tag", "raw", "v1", "--json")
    assert "delete branch" in run("refs", "list-moves", "raw").out


def test_the_log_and_the_search(run, lake):
    lake.files.put("raw@main/d/a", "one")
    lake.files.put("raw@main/b", "two")
    shown = run("commits", "list", "raw", "--path", "d", "--json").json
    assert [one["message"] for one in shown] == ["Put d/a"]
    assert run("commits", "list", "raw@main/d", "--json").json == shown
    assert len(run("commits", "list", "raw", "--text", "put", "--all-parents", "--json").json) == 2
    assert run("commits", "list", "raw", "--until", "1970-01-02").out == "No commits\n"
    run("commits", "list", "raw", "--since", "soon", code=2)
    lake.commits.revert("raw", "main")
    found = run("commits", "search", "--metadata", "reverts", "--json").json
    assert [one["metadata"]["reverts"] for one in found] == [lake.commits.get("raw", "main^").id]
    assert run("commits", "search", "--metadata", "reverts=x").out == "No commit fits\n"
    assert "raw@main" in run("commits", "search", "put b", "--repos", "r*").out


def test_files_are_renamed_and_restored(run, lake):
    lake.files.put("raw@main/d/a", "one")
    assert "Committed" in run("files", "rename", "raw@main/d/a", "e/b").out
    made = run("files", "restore", "raw@main~1/d", "-m", "back", "--json").json
    assert made["message"] == "back"
    assert lake.files.read("raw@main/d/a") == lake.files.read("raw@main/e/b") == b"one"
    run("files", "restore", "raw@main/nowhere", code=10)
    lake.files.put("raw@main/d/a", "two")
    with lake.sessions.create("raw") as session:
        session.put("x", "1")
    assert "Staged raw@main~1/d" in run("sessions", "restore", "raw", "raw@main~1/d").out
    with lake.sessions.open(session.id) as session:
        assert session.open("d/a").read() == b"one"


def test_moving_refs_and_taking_it_back(run, lake):
    for text in ("one", "two"):
        lake.files.put("raw@main/a.txt", text)
    ids = [one["id"] for one in run("commits", "list", "raw", "--json").json]
    assert run("refs", "reset", "raw", "main", "main^").out.startswith("raw@main is at ")
    assert lake.files.read("raw@main/a.txt") == b"one"
    run("refs", "reset", "raw", "main", ids[0], "--expected", ids[0], code=11)
    number = run("refs", "list-moves", "raw", "--name", "main", "--json").json[0]["number"]
    assert run("refs", "undo", "raw", "main", "--move", number - 1, code=11).err.startswith("error")
    assert "again: undo move" in run("refs", "undo", "raw", "main", "--move", number).out
    assert lake.commits.get("raw").id == ids[0]
    run("refs", "create-tag", "raw", "v1", "-m", "as sold")
    assert "as sold" in run("refs", "get", "raw", "v1").out
    assert run("refs", "rename", "raw", "v1", "v2").out == "Renamed tag raw@v1 to v2\n"
    assert run("refs", "undo", "raw", "v2", "--json").json["renamed_to"] == "v1"
    assert lake.refs.get("raw", "v1").message == "as sold"
    run("refs", "delete-tag", "raw", "v1")
    assert "raw@v1 is at" in run("refs", "undo", "raw", "v1").out
    assert "raw@v1 is gone again" in run("refs", "undo", "raw", "v1").out
    assert "MOVE" in run("refs", "list-moves", "raw", "--before", number, "--limit", "1").out
    with lake.sessions.create("raw") as session:
        session.put("b", "staged")
    refused = run("refs", "reset", "raw", "main", "main^", code=15)
    assert session.id in refused.err
    run("refs", "reset", "raw", "main", "main^", "--force", "--json")
    assert lake.commits.get("raw").id == ids[1]


def test_merging(run, lake):
    lake.files.put("raw@main/a.txt", "base")
    run("refs", "create-branch", "raw", "dev")
    lake.files.put("raw@main/a.txt", "main")
    lake.files.put("raw@dev/a.txt", "dev")
    lake.files.put("raw@dev/b.txt", "new")
    refused = run("commits", "merge", "raw", "dev", code=11)
    assert "a.txt (both-modified)" in refused.err
    shown = run("commits", "merge", "raw", "dev", "--dry-run").out
    assert "+  b.txt" in shown
    assert "conflict: a.txt (both-modified)" in shown
    take = ("--take", "/*.txt", "theirs")
    planned = run("commits", "merge", "raw", "dev", *take, "--dry-run", "--json").json
    assert [planned["outcome"], len(planned["changes"])] == ["merged", 2]
    assert run("commits", "merge", "raw", "dev", *take).out.endswith(" on raw@main\n")
    assert lake.files.read("raw@main/a.txt") == b"dev"
    assert "Nothing to do" in run("commits", "merge", "raw", "dev").out
    run("commits", "revert", "raw", "main", code=2)
    run("commits", "revert", "raw", "main", "--parent", "1", "-m", "not yet")
    assert lake.files.read("raw@main/a.txt") == b"main"
    assert "Moved on to" in run("commits", "merge", "raw", "main", "--into", "dev").out
    picked = run("commits", "cherry-pick", "raw", "main~1^2", "--json").json
    assert picked["commit"]["message"] == "Put b.txt"
    assert lake.files.read("raw@main/b.txt") == b"new"


def test_differences_of_files(run, lake, monkeypatch):
    lake.files.put("raw@main/t.csv", "id,n\n1,a\n2,b\n")
    lake.files.put("raw@main/t.csv", "id,n\n1,a\n2,c\n3,\n")
    lake.files.put("raw@main/x.txt", b"one\n\x1b[31mred\n\xff\n")
    lake.files.put("raw@main/x.txt", b"one\ntwo\n\xff\n")
    old, new = "raw@main~3/t.csv", "raw@main/t.csv"
    shown = run("diff", old, new).out
    assert "2 before, 3 now" in shown
    assert "id (guessed)" in shown
    assert "~  id=2  n: b > c" in shown
    assert "+  id=3  n=NULL" in shown
    found = run("files", "diff-table", old, new, "--key", "n", "--json").json
    assert (found["added"], found["removed"], found["key"]) == (2, 1, ["n"])
    whole = run("files", "diff-table", old, new, "--no-key", "--limit", "1", "--json").json
    assert (whole["key"], whole["has_more"], len(whole["rows"])) == ([], True, 1)
    missing = run("files", "diff-table", old, new, "--key", "no", code=2)
    assert missing.err == (f"error: {old} has no column 'no'. Its columns are id, n.\n")
    assert run("diff", new, new).out == "No differences\n"
    texts = ["raw@main^/x.txt", "raw@main/x.txt"]
    # The byte that is no text goes out as it is; whoever captures it here shows a substitute.
    assert run("files", "diff-text", *texts).out == (
        f"--- {texts[0]}\n+++ {texts[1]}\n@@ -1,3 +1,3 @@\n one\n-\x1b[31mred\n+two\n \ufffd\n"
    )
    assert run("diff", *texts, "--json").json["hunks"][0]["lines"][-1] == " \udcff"
    run("diff", *texts, "--key", "id", code=2)
    assert run("diff", "raw@main~4", "raw@main~3").out.splitlines()[1].startswith("+  t.csv")
    run("diff", "raw@main", new, code=2)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "\\x1b[31mred" in run("diff", *texts).out


def test_what_is_staged_is_compared_with_any_commit(run, lake):
    lake.files.put("raw@main/t.csv", "id,n\n1,a\n")
    lake.files.put("raw@main/t.csv", "id,n\n1,b\n")
    with lake.sessions.create("raw") as session:
        session.put("t.csv", "id,n\n1,a\n")
        session.put("new", "1")
    paths = [one["path"] for one in run("sessions", "diff", "raw", "--json").json]
    assert paths == ["new", "t.csv"]
    assert "t.csv" not in run("sessions", "diff", "raw", "--old", "main^").out
    assert "-1,b\n+1,a" in run("sessions", "diff-text", "raw", "t.csv").out
    assert run("sessions", "diff-text", "raw", "t.csv", "--old", "main^").out == ""
    shown = run("sessions", "diff-table", "raw", "t.csv", "--old", "main^").out
    assert shown == "No differences\n"


def test_files_are_staged_from_a_shell_whole_or_in_part(run, lake, tmp_path):
    session = lake.sessions.create("raw")
    session.close()
    local = tmp_path / "local"
    local.write_bytes(b"0123")
    assert run("sessions", "write", "raw", "d/a", local).out == "Staged d/a, 4 B\n"
    local.write_bytes(b"xy")
    run("sessions", "write", "raw", "d/a", local, "--offset", 3)
    told = run("sessions", "write", "raw", "d/a", local, "--offset", "-1", "--json").json
    assert told["size_bytes"] == 7
    assert lake.sessions.read(session.id, "d/a") == b"012xyxy"
    assert "folder" in run("sessions", "write", "raw", "d", local, code=14).err


def test_files_are_looked_at_without_reading_them_out(run, lake):
    rows = "".join(f"{n},\x1b[31m{'ab'[n % 2]}\n" for n in range(100))
    lake.files.put("raw@main/t.csv", f"id,name\n{rows}")
    found = run("files", "preview", "raw@main/t.csv", "--offset", 98, "--limit", 1)
    assert found.out == "id  name\n98  \\x1b[31ma\n"
    assert found.err == "rows 99 to 99 of 100\n"
    shown = run("files", "preview", "raw@main/t.csv", "--json").json
    assert (shown["kind"], len(shown["page"]["rows"])) == ("table", 20)
    lake.files.put("raw@main/x.txt", "one\n\x1b[2Jtwo\n")
    assert run("files", "preview", "raw@main/x.txt").out == "one\n\\x1b[2Jtwo\n"
    lake.files.put("raw@main/m.bin", b"\0\1")
    lines = run("files", "preview", "raw@main/m.bin").out.splitlines()
    assert lines == [
        "type         application/octet-stream",
        "size         2 B",
        "first bytes  00 01",
    ]
    described = run("files", "describe", "raw@main/t.csv")
    assert described.err == "100 rows\n"
    assert "█" in described.out.splitlines()[1]
    assert "(50)" in described.out.splitlines()[2]
    only = run("files", "describe", "raw@main/t.csv", "--column", "id", "--json").json
    assert [(one["name"], one["mean"]) for one in only["columns"]] == [("id", 49.5)]
    assert (
        "no column 'no'" in run("files", "describe", "raw@main/t.csv", "--column", "no", code=2).err
    )


def test_a_staged_file_is_shown_beside_its_base(run, lake):
    lake.files.put("raw@main/x", "one\n")
    with lake.sessions.create("raw") as session:
        session.put("x", "two\n")
        identity = session.id
    assert run("sessions", "diff-text", identity, "x").out.splitlines()[-2:] == ["-one", "+two"]
    assert run("sessions", "diff-text", identity, "x", "--json").json["added"] == 1
    run("sessions", "diff-text", identity, "no", code=10)


def test_sessions(run, lake):
    made = run("sessions", "create", "raw", "--json").json
    with lake.sessions.open(made["id"]) as session:
        session.put("a", "1")
        session.put("b", "2")
    assert run("sessions", "list").out.splitlines()[1].split()[1] == "raw"
    assert run("sessions", "get", made["id"][:8], "--json").json["id"] == made["id"]
    changes = run("sessions", "diff", "raw", "--json").json
    assert [one["path"] for one in changes] == ["a", "b"]
    run("sessions", "discard", "raw", "b", "--yes")
    assert run("commit", "raw", "-m", "m", "--metadata", "k=v", "--json").json["metadata"] == {
        "k": "v"
    }
    assert run("sessions", "commit", "raw", "-m", "m", code=15).err == (
        "error: Nothing is staged for raw@main. Write some files first.\n"
    )
    run("sessions", "commit", "raw", "-m", "m", "--metadata", "nonsense", code=2)
    run("sessions", "delete", "raw", "--yes")
    assert run("sessions", "get", "raw", code=10).err.startswith("error: There is no session")


def test_a_folder_of_specs_is_shown_asked_about_and_applied(run, lake, tmp_path):
    folder = tmp_path / "specs"
    folder.mkdir()
    for name, reads in (("a", "b"), ("b", "raw")):
        leaf = {"repo": {"name": reads, "glob": "/"}}
        spec = {"pipeline": name, "input": leaf, "command": ["true"]}
        (folder / f"{name}.yaml").write_text(json.dumps(spec))
    out = run("pipelines", "diff", "-f", folder).out
    assert [line.split() for line in out.splitlines()[1:3]] == [["create", "b"], ["create", "a"]]
    assert out.endswith("2 create, 0 update, 0 unchanged, 0 delete\n")
    run("pipelines", "apply", "-f", folder, code=130, stdin=io.StringIO("n\n"))
    assert lake.pipelines.list() == []
    run("pipelines", "apply", "-f", folder, stdin=io.StringIO("y\n"))
    assert [one.name for one in lake.pipelines.list()] == ["a", "b"]
    assert run("pipelines", "apply", "-f", folder).out.startswith("0 create, 0 update, 2 unch")
    for job in lake.jobs.list():
        run("jobs", "cancel", job.id)
    (folder / "a.yaml").unlink()
    assert (
        "needs a folder"
        in run("pipelines", "apply", "-f", folder / "b.yaml", "--prune", code=2).err
    )
    done = run("pipelines", "apply", "-f", folder, "--prune", "--yes", "--json").json
    assert [(one["pipeline"], one["action"]) for one in done] == [
        ("b", "unchanged"),
        ("a", "delete"),
    ]
    assert [one.name for one in lake.pipelines.list()] == ["b"]
    dag = folder / "dag.yaml"
    dag.write_text("pipeline: c\ncommand: ['true']\n---\npipeline: d\ncommand: ['true']\n")
    done = run("pipelines", "apply", "-f", dag, "--yes").out
    assert done.endswith("2 create, 0 update, 0 unchanged, 0 delete\n")
    again = tmp_path / "again.yaml"
    assert run("pipelines", "write", "c", "d", "-f", again).out == f"Wrote {again}\n"
    assert run("pipelines", "write", "c", "d", "-f", again).out == "All of it is there already\n"
    assert "2 unchanged" in run("pipelines", "diff", "-f", again).out


def test_the_past_is_gone_over_and_everything_is_stopped(run, lake):
    for text in ("one", "two"):
        lake.files.put("raw@main/a", text)
    leaf = {"repo": {"name": "raw", "glob": "/"}}
    run("pipelines", "set-slots", "gpu", "2")
    assert run("pipelines", "list-slots", "--json").json == [
        {"name": "gpu", "count": 2},
        {"name": "jobs", "count": 16},
    ]
    lake.pipelines.create({"pipeline": "p", "input": leaf, "command": ["true"]})
    past = ("pipelines", "backfill", "p", "--from", "main~1", "--to", "main")
    assert "Started" not in run(*past, "--dry-run").out
    assert len(lake.jobs.list()) == 1
    assert "Started 3 jobs" in run(*past, "--priority", "5").out
    first = lake.jobs.list()[2]
    assert run("jobs", "rerun", first.id, "--same-inputs").out.startswith("Started ")
    assert lake.jobs.list()[0].heads == first.heads
    assert "one of JOB, --all" in run("jobs", "cancel", code=2).err
    assert len(run("jobs", "cancel", "--pipeline", "p", "--json").json) == 5
    assert run("jobs", "cancel", "--all").out == "Every job has ended\n"
    assert run("pipelines", "delete-slots", "gpu").out == "Forgot the limit of gpu\n"
    assert "dag_id='datalake.p'" in run("pipelines", "export", "p", "--to", "airflow").out
    refused = run("pipelines", "export", "p", "--to", "kubernetes", "--image", "i", code=2)
    assert "No pod sees the lake" in refused.err


def test_pipelines_and_jobs(run, lake, tmp_path):
    spec = tmp_path / "p.yaml"
    spec.write_text(
        "pipeline: up\ninput: {repo: {name: raw, glob: '/*'}}\n"
        "command: [sh, -c, 'tr a-z A-Z < pfs/raw/a > pfs/out/a; echo done']\n"
    )
    lake.files.put("raw@main/a", "one")
    assert "raw:/a" in run("pipelines", "preview", "-f", spec).out
    assert "No more datums" in run("pipelines", "preview", "-f", spec, "--after", "9").out
    assert run("pipelines", "create", "-f", spec).out == "Published up v1\n"
    assert "raw:/a" in run("pipelines", "plan", "up").out
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert "up " in run("controller", "run", "--until-idle").out
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers
    assert run("files", "read", "up@main/a").out == "ONE"
    job = run("jobs", "list", "--json").json[0]
    assert (job["state"], job["outcome"]) == ("success", "committed")
    assert "1 run" in run("jobs", "list", "--pipeline", "up").out
    assert "done" in run("jobs", "logs", job["id"][:12]).out
    assert "new" in run("jobs", "list-datums", job["id"]).out
    assert job["output_commit_id"] in run("jobs", "get", job["id"]).out
    assert "lazy" not in run("jobs", "get", job["id"]).out
    datum = Observer("2" * 32, "host", 0, "datum 0", job_id=job["id"], datum=0)
    head = lake.commits.get("raw").id
    now = time.time_ns()
    seen = Observation(datum, "raw", head, RepoPath("a"), AccessKind.READ, None, 3, now, now)
    with lake.core.metadata.write() as tx:
        tx.lineage.observe([seen])
    opened = f"seen to open:\n  datum 0  raw@{head[:12]}/a  3 times\n"
    assert opened in run("jobs", "get", job["id"]).out
    assert opened in run("lineage", "get", "up@main/a").out
    assert "made from:" in run("lineage", "get", "up@main/a").out
    assert "commit" in run("lineage", "list").out
    assert "up" in run("lineage", "get-global", job["global_id"][:8]).out
    assert "pipeline:up" in run("lineage", "graph").out
    run("jobs", "wait", job["global_id"])
    run("jobs", "get-notebook", job["id"], code=10)
    started = run("jobs", "rerun", job["id"], "--json").json["global_id"]
    waiting = run("jobs", "list", "--global-id", started, "--json").json[0]
    assert run("jobs", "cancel", waiting["id"]).out.startswith("Cancelled")
    assert "cancelled" in run("jobs", "wait", started, code=30).err
    run("pipelines", "pause", "up")
    assert "paused" in run("pipelines", "run", "up", code=15).err
    lake.files.put("raw@main/a", "two")
    run("pipelines", "resume", "up")
    run("jobs", "cancel", job["id"], code=15)
    run("jobs", "cancel", lake.jobs.list(limit=1)[0].id)  # what resuming made up for
    assert "pipeline: up" in run("pipelines", "get", "up").out
    assert "up " in run("pipelines", "list").out
    assert run("pipelines", "update", "-f", spec).out == "Published up v1\n"
    run("pipelines", "delete", "up", "--yes")
    assert run("pipelines", "list", "--json").json == []


def test_what_a_pipeline_waits_for_is_said(run, lake, tmp_path):
    spec = tmp_path / "p.yaml"
    spec.write_text(
        "pipeline: up\ncommand: ['true']\n"
        "input: {repo: {name: fresh, glob: '/*',"
        " trigger: {commits: 2, size: 1MiB, cron: '@daily'}}}\n"
    )
    lake.repos.create("fresh")
    run("pipelines", "create", "-f", spec)
    assert "nothing came in yet" in run("pipelines", "get", "up").out
    lake.files.put("fresh@main/a", "one")
    for verb in ("get", "plan"):
        said = run("pipelines", verb, "up").out
        assert "fresh@main: 1 of 2 commits or 3 B of 1.0 MiB or a tick of @daily, next " in said


def test_warehouse(run, lake, tmp_path):
    run("warehouse", "create", "w", f"duckdb://{tmp_path}/w.duckdb")
    assert "no tables" in run("warehouse", "list-tables", "w").out
    assert "does not exist" in run("warehouse", "query", "w", "SELECT 1", code=20).err
    assert run("warehouse", "create", "x", "mysql://h/d", code=2).err.startswith("error")
    assert run("warehouse", "get", "w", "--json").json["engine"] == "duckdb"
    assert "w.duckdb" in run("warehouse", "list").out
    run("warehouse", "delete", "w")
    assert run("warehouse", "list", "--json").json == []


def test_logs_of_a_step(run, lake, tmp_path):
    lake.files.put("raw@main/a", "x")
    spec = {
        "pipeline": "p",
        "command": ["true"],
        "input": {"repo": {"name": "raw", "glob": "/"}},
        "on_start": {"command": ["sh", "-c", "echo ready"]},
    }
    lake.pipelines.create(spec, folder=tmp_path)
    lake.run_controller(until_idle=True)
    job = lake.jobs.list(pipeline="p")[0].id
    assert "ready" in run("jobs", "logs", job, "--step", "on_start").out
    out = run("jobs", "logs", job).out
    assert out.index("==> on_start (success) <==") < out.index("==> raw:/ (success) <==")
    assert (
        "==> on_start <==\n[datalake] on_start\nready" in run("jobs", "logs", job, "--follow").out
    )
    assert "Give one of" in run("jobs", "logs", job, "--step", "finally", "--datum", 0, code=2).err
    run("jobs", "logs", job, "--step", "finally", code=10)
    run("jobs", "get-notebook", job, "--step", "on_start", code=10)


def test_groups(run, lake, tmp_path):
    assert "group: etl/daily" in run("pipelines", "list-groups").out
    for name, within in (("a", "etl/daily"), ("b", "etl")):
        spec = {"pipeline": name, "command": ["true"], "group": within}
        lake.pipelines.create(
            {**spec, "input": {"repo": {"name": "raw", "glob": "/"}}}, folder=tmp_path
        )
    run("pipelines", "set-slots", "group/etl", 1)
    found = run("pipelines", "list-groups", "--json").json
    assert [(one["name"], one["pipelines"], one["limit"]) for one in found] == [
        ("etl", ["a", "b"], 1),
        ("etl/daily", ["a"], None),
    ]
    listed = run("pipelines", "list", "--group", "etl/daily", "--json").json
    assert [one["name"] for one in listed] == ["a"]
    assert run("pipelines", "pause-group", "etl").out == "Paused a, b\n"
    assert "paused" in run("pipelines", "run-group", "etl", code=15).err
    assert run("pipelines", "resume-group", "etl").out == "Resumed a, b\n"
    assert "Started" in run("pipelines", "run-group", "etl").out
    jobs = run("jobs", "list", "--group", "etl/daily", "--json").json
    assert {one["pipeline"] for one in jobs} == {"a"}
    out = run("jobs", "cancel", "--group", "etl").out
    assert len(out.splitlines()) >= 2
    assert run("jobs", "list", "--group", "etl", "--state", "waiting", "--json").json == []
    run("pipelines", "pause-group", "none", code=10)
    run("pipelines", "pause-group", "No Group", code=2)


def test_notifications(run, lake, tmp_path):
    assert "under 'notify'" in run("notifications", "list").out
    (tmp_path / "rules.yaml").write_text("- on: [failure]\n  jupyter: true\n")
    assert run("notifications", "set-rules", "-f", "rules.yaml").out == "The lake has 1 rule\n"
    assert run("notifications", "get-rules").out == "- 'on':\n  - failure\n  jupyter: true\n"
    (made,) = run("notifications", "test", "--json").json
    assert (made["state"], made["target"]) == ("sent", "JupyterLab")
    assert "jupyter JupyterLab" in run("notifications", "list", "--state", "sent").out
    assert run("notifications", "list", "--pipeline", "p", "--json").json == []
    assert "A test of the notifications of the lake" in run("notifications", "get", made["id"]).out
    assert "is sent anew" in run("notifications", "retry", made["id"][:8]).out
    assert run("notifications", "get", made["id"], "--json").json["state"] == "pending"
    assert "is sent by itself" in run("notifications", "retry", made["id"], code=15).err
    run("notifications", "get", "ffff", code=10)
    (tmp_path / "rules.yaml").write_text("- on: [late]\n  jupyter: true\n")
    assert "'after'" in run("notifications", "set-rules", "-f", "rules.yaml", code=2).err


def test_mounts(run, lake, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "jupyter_datalake.lake.mountpoints.choose_mode",
        lambda: (MountMode.CHECKOUT, "a test wants it"),
    )
    monkeypatch.setenv("DATALAKE_MOUNTPOINT", str(tmp_path / "shown"))
    lake.files.put("raw@main/a.txt", "old")
    lake.refs.create_tag("raw", "v1")
    lake.files.put("raw@main/a.txt", "new")
    run("mounts", "create", "raw")
    assert (tmp_path / "shown" / "raw" / "a.txt").read_text() == "new"
    assert "shows raw@v1 now, read-only" in run("mounts", "switch", "raw", "v1").out
    assert (tmp_path / "shown" / "raw" / "a.txt").read_text() == "old"
    assert "main by 1" in run("mounts", "list").out
    assert "main by 1" in run("mounts", "get", "raw").out
    (shown,) = run("mounts", "list", "--json").json
    assert shown["standing"]["behind"] == 1
    run("mounts", "delete", "raw")
    assert "Nothing is mounted" in run("mounts", "list").out


def test_a_drive(run, lake, tmp_path, monkeypatch):
    monkeypatch.setenv("DATALAKE_MOUNTPOINT", str(tmp_path / "shown"))
    assert "it is lake:raw in JupyterLab" in run("mounts", "create", "raw", "--mode", "drive").out
    (tmp_path / "new").write_text("new")
    assert run("drive", "put", str(tmp_path / "new"), "raw/new").out == "Staged raw/new\n"
    run("drive", "put", str(tmp_path / "new"), "raw/new", "--offset", "-1")
    assert run("drive", "read", "raw/new").out == "newnew"
    assert run("drive", "make-folder", "raw/made").out == "Made raw/made\n"
    assert run("drive", "copy", "raw/new", "raw/made/copy").out == "Copied to raw/made/copy\n"
    assert run("drive", "rename", "raw/new", "raw/made/b").out == "Moved to raw/made/b\n"
    assert [one["name"] for one in run("drive", "list", "raw/made", "--json").json] == ["b", "copy"]
    assert "made/" in run("drive", "list", "raw").out
    assert "raw@main" in run("drive", "get", "raw/made/b").out
    assert run("drive", "delete", "raw/made/b").out == "Deleted raw/made/b\n"
    assert "is shown read-only" in run("drive", "delete", "raw@main/x", code=12).err
    (session,) = run("sessions", "list", "--json").json
    assert [one["path"] for one in run("sessions", "diff", session["id"], "--json").json] == [
        "made/copy"
    ]
    assert "shown by drive" in run("mounts", "create", "raw", "main", "--mode", "fuse", code=2).err


def test_drafts(run, lake):
    with lake.sessions.create("raw") as session:
        session.put("a.txt", "draft")
    assert "There are no drafts" in run("sessions", "drafts").out
    assert "Saved 1 changes of raw@main" in run("sessions", "save", "raw").out
    (draft,) = run("sessions", "drafts", "--repo", "raw", "--json").json
    assert (draft["changes"], draft["has_session"]) == (1, True)
    recovered = run("sessions", "recover", draft["session_id"][:8], "--json").json
    assert [one.path for one in lake.sessions.diff(recovered["id"])] == ["a.txt"]
    assert "Dropped" in run("sessions", "drop-draft", draft["session_id"][:8], "--yes").out
    assert run("sessions", "drafts", "--json").json == []
    run("sessions", "save", draft["session_id"])
    run("sessions", "delete", draft["session_id"], "--keep-draft", "--yes")
    (kept,) = run("sessions", "drafts", "--json").json
    assert not kept["has_session"]
    begun = run("sessions", "create", "raw@main", "--json").json
    assert (begun["repo"], begun["branch"]) == ("raw", "main")
    assert "no draft" in run("sessions", "recover", "ffff", code=10).err


def test_a_session_of_its_own(run, lake, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "jupyter_datalake.lake.mountpoints.choose_mode",
        lambda: (MountMode.CHECKOUT, "a test wants it"),
    )
    lake.files.put("raw@main/a.txt", "a")
    point = str(tmp_path / "shown")
    made = run(
        *("mounts", "create", "raw", "--at", point, "--session", "mine", "--notebook", "a.ipynb"),
        "--json",
    ).json
    assert made["name"] == "raw@main+mine"
    run("mounts", "create", "raw", "--at", point)
    (tmp_path / "shown" / "raw@main+mine" / "b.txt").write_text("b")
    assert "a.ipynb" in run("sessions", "list").out
    for name in ("mine", "raw@main+mine", made["session_id"][:8]):
        assert "b.txt" in run("sessions", "diff", name).out
    assert "Nothing is staged" in run("sessions", "diff", "raw").out
    assert run("sessions", "get", "mine", "--json").json["notebook"] == "a.ipynb"
    run("sessions", "commit", "mine", "-m", "Add b")
    assert lake.files.read("raw@main/b.txt") == b"b"


def test_observed_lineage(run, lake):
    lake.files.put("raw@main/a.txt", "1")
    head = lake.commits.get("raw", "main").id
    who = Observer("0" * 32, "host", 7, "python -m ipykernel", "abc", "work/a.ipynb", "cell-1")
    moment = time.time_ns()
    with lake.core.metadata.write() as tx:
        tx.lineage.observe(
            [Observation(who, "raw", head, "a.txt", AccessKind.READ, None, 2, moment, moment)]
        )
    assert f"raw@{head[:12]}/a.txt" in run("lineage", "observed", "raw").out
    assert "mount    work/a.ipynb cell-1" in run("lineage", "observed").out
    (found,) = run("lineage", "observed", "--notebook", "work/a.ipynb", "--json").json
    assert (found["opens"], found["observer"]["cell"]) == (2, "cell-1")
    assert "No program" in run("lineage", "observed", "--notebook", "other.ipynb").out
    assert run("lineage", "observed", "--session", "none", "--json").json == []


def test_maintenance_events_and_doctor(run, lake):
    lake.files.put("raw@main/a.txt", "x" * 1000)
    assert "everything is as it should be" in run("maintenance", "verify").out
    assert run("maintenance", "get-status", "--json").json["packs"] == 2
    assert "at most 1.0 GiB" in run("maintenance", "set-quota", str(2**30)).out
    assert run("maintenance", "get-status", "--json").json["quota_bytes"] == 2**30
    assert "anything" in run("maintenance", "set-quota").out
    assert "at most every 12h" in run("maintenance", "set-auto-gc", "12h").out
    assert "gc is not due" in run("maintenance", "gc", "--auto").out
    assert "never" in run("maintenance", "set-auto-gc").out
    assert "No gc is at work" in run("maintenance", "cancel-gc").out
    assert run("events", "list", "--json").json[0]["kind"] == "repo.created"
    is_lacking = any(one.verdict is Verdict.FAIL for one in lake.mounts.doctor())
    found = run("doctor", "--json", code=int(is_lacking)).json
    assert {one["name"] for one in found} > {"lake", "device"}


def test_damage_has_an_exit_code_of_its_own_and_names_the_file(run, lake, url, tmp_path):
    lake.files.put("raw@main/a.txt", "x" * 1000)
    packs = sorted((tmp_path / "lake" / "objects" / "packs").rglob("*.pack"))
    for pack in packs:
        data = bytearray(pack.read_bytes())
        pack.chmod(0o600)
        data[70] ^= 1
        pack.write_bytes(data)
    result = run("maintenance", "verify", code=21)
    assert "DAMAGED" in result.out
    assert "raw@" in result.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["repos", "get", "nowhere"], 10),
        (["repos", "create", "Bad Name"], 2),
        (["repos", "create", "raw"], 14),
        (["repos", "create"], 2),
        (["bogus"], 2),
        (["files", "read", "raw@main/nope"], 10),
        (["files", "read", "raw@nope/x"], 10),
        (["files", "read", "raw@main/../x"], 2),
        (["files", "read", "no address"], 2),
        (["files", "put", "raw@main/x", "/no/such/file"], 10),
        (["commits", "get", "raw", "main~99"], 10),
        (["commits", "get", "raw", "main^^^^~x"], 2),
        (["jobs", "get", "ffff"], 10),
        (["pipelines", "create", "-f", "missing.yaml"], 10),
        (["--lake", "/proc/nowhere", "init"], 20),
    ],
)
def test_errors_are_one_line_with_a_documented_code(run, lake, arguments, code):
    result = run(*arguments, code=code)
    assert result.out == ""
    last = result.err.strip().splitlines()[-1]
    assert last.lower().startswith("error: ")
    assert "Traceback" not in result.err


def test_errors_are_json_where_json_was_asked_for(run, lake):
    result = run("repos", "get", "nowhere", "--json", code=10)
    assert json.loads(result.err)["kind"] == "repo-not-found"


def test_a_name_that_looks_like_an_option_follows_two_dashes(run, lake):
    assert "is not a repo name" in run("repos", "create", "--", "-rf", code=2).err


def test_c2_a_reader_that_has_seen_enough_ends_the_command_quietly(lake, url):
    for number in range(40):
        lake.repos.create(f"repo-{number}")
    code = "from jupyter_datalake.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "events", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"DATALAKE_URL": url, "LANG": "C"},
    ) as pipe:
        pipe.stdout.close()
        assert pipe.stderr.read() == b""
        assert pipe.wait() == 1


def test_help_says_nothing_else():
    program = [sys.executable, "-m", "jupyter_datalake.cli.main", "--help"]
    done = subprocess.run(program, capture_output=True, text=True, env={"LANG": "C"}, check=True)
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == ""  # nor at its end, where every command was imported


def test_what_could_steer_a_terminal_is_shown_escaped(run, lake):
    lake.files.put("raw@main/\x1b[31mred\u202e", "x")
    out = run("files", "list", "raw@main").out
    assert "\x1b" not in out
    assert r"\x1b[31mred\u202e" in out
    assert printable("a\udcffb") == r"a\udcffb"


def test_sizes_and_ages_read_well():
    assert [size_text(n) for n in (0, 1023, 1024, 5 * 1024**3)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "5.0 GiB",
    ]
    assert age_text(datetime.now(UTC)) == "0 s ago"


def test_schedules_are_previewed(run, lake):
    asked = ("pipelines", "preview-schedule", "30 2 * * *", "--zone", "Europe/Berlin")
    lines = run(*asked, "--after", "2026-03-28").out.splitlines()
    assert lines[0].split() == ["Europe/Berlin", "UTC"]
    assert lines[1].split() == ["2026-03-28T02:30:00+01:00", "2026-03-28T01:30:00Z"]
    assert "the clock leaves its time out" in lines[2]
    found = run(*asked, "--after", "2026-03-28", "--limit", 1, "--json").json
    assert found == [
        {"at": "2026-03-28T01:30:00Z", "local": "2026-03-28T02:30:00+01:00", "is_moved": False}
    ]
    assert "no hour" in run("pipelines", "preview-schedule", "0 25 * * *", code=2).err
    assert len(run("pipelines", "preview-schedule", "@hourly").out.splitlines()) == 4


def test_the_schedule_of_a_pipeline_is_changed_where_its_files_are_not(run, lake, tmp_path):
    (tmp_path / "a.py").write_text("print()")
    spec = tmp_path / "p.yaml"
    spec.write_text("pipeline: p\ncommand: [python, a.py]\nfiles: [a.py]\n")
    run("pipelines", "create", "-f", spec)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = elsewhere / "p.yaml"
    moved.write_text(f"{spec.read_text()}input: {{cron: {{schedule: '@daily'}}}}\n")
    run("pipelines", "update", "-f", moved, code=10)
    assert run("pipelines", "update", "-f", moved, "--keep-files").out == "Published p v2\n"
