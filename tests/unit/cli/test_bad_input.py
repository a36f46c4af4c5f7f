"""Bad input on the command line: one line that names the thing, the value and the next step."""

import json
import subprocess
import sys

import pytest

from jupyter_datalake.testing.invariants import check_lake

# what is typed, exit code, what the line names, what it advises
TYPED = [
    ("repos get nowhere", 10, "no repo 'nowhere'", "datalake repos list"),
    ("files list nowhere@main", 10, "no repo 'nowhere'", "datalake repos list"),
    ("files put nowhere@main/x local", 10, "no repo 'nowhere'", "datalake repos list"),
    ("mounts create nowhere", 10, "no repo 'nowhere'", "datalake repos list"),
    ("refs get raw nope", 10, "'nope'", "datalake refs list raw"),
    ("files read raw@nope/x", 10, "raw@nope", "datalake refs list raw"),
    ("files read raw@0123abcd/x", 10, "raw@0123abcd", "datalake commits list raw"),
    ("commits get raw main~99", 10, "main~99", "datalake commits list raw"),
    ("sessions create raw nope", 10, "no branch 'nope'", "datalake refs list raw"),
    ("refs create-branch raw dev --at nope", 10, "raw@nope", "datalake refs list raw"),
    ("files read raw@main/nope", 10, "no path 'nope'", "datalake files list"),
    ("files delete raw@main/nope", 10, "no path 'nope'", "datalake files list"),
    ("files copy raw@main/nope raw@main/x", 10, "no path 'nope'", "datalake files list"),
    ("files export raw@main/nope out", 10, "no path 'nope'", "datalake files list"),
    ("lineage get raw@main/nope", 10, "no path 'nope'", "datalake files list"),
    ("files read raw@main", 2, "a folder, not a file", "datalake files list"),
    ("files put raw@main/there/below local", 2, "'there' is a file", "another path"),
    ("files put raw@v1/x local", 12, "raw@v1 is a tag", "refs create-branch"),
    ("pipelines get nowhere", 10, "no pipeline 'nowhere'", "datalake pipelines list"),
    ("jobs get ffff", 10, "no job 'ffff'", "datalake jobs list"),
    ("sessions get ffff", 10, "no session 'ffff'", "datalake sessions list"),
    ("warehouse query nowhere x", 10, "connection 'nowhere'", "datalake warehouse list"),
    ("mounts delete raw", 10, "'raw' is not mounted", "datalake mounts list"),
    ("repos create Upper", 2, "'Upper' is not a repo name", "a-z 0-9"),
    ("repos create a/b/c", 2, "'a/b/c' is not a repo name", "project/name"),
    ("refs create-tag raw v^1", 2, "'v^1' is not a tag name", "A-Z a-z 0-9"),
    ("warehouse create 0x duckdb:///x", 2, "'0x' is not a connection name", "a letter"),
    ("files read raw@main/../x", 2, "Path '../x' holds '..'", "relative to the repo"),
    ("files put raw@main/a/../../b local", 2, "'a/../../b'", "without '.', '..' or NUL"),
    ("files glob raw@main *.csv", 2, "'*.csv' must begin with /", "/** for every file"),
    ("files glob raw@main /[", 2, "'/[' opens [", "/* for each"),
    ("repos create raw", 14, "repo 'raw'", ""),
    ("pipelines create -f missing.yaml", 10, "no spec 'missing.yaml'", "docs/pipelines.md"),
    ("repo list", 2, "No such command 'repo'", "Did you mean 'repos'?"),
    ("repos lst", 2, "No such command 'lst'", "Did you mean 'list'?"),
    ("repos get rwa", 10, "no repo 'rwa'", "Did you mean 'raw'?"),
    ("files list rwa@main", 10, "no repo 'rwa'", "Did you mean 'raw'?"),
    ("files list raw@mian", 10, "raw@mian is no branch", "Did you mean 'main'?"),
    ("commits list raw@mian", 10, "raw@mian is no branch", "Did you mean 'main'?"),
    ("files put local raw@main/x", 2, "comes first: datalake files put raw@main/x local", "--help"),
    ("maintenance rebuild", 14, "has its database", "Move metadata.sqlite"),
]


@pytest.fixture
def filled(lake, tmp_path):
    (tmp_path / "local").write_text("x")
    lake.files.put("raw@main/there", "x")
    lake.refs.create_tag("raw", "v1")
    return lake


def state_of(lake):
    """Return everything that a refused command must leave as it was."""
    return (
        lake.repos.list(include_code=True),
        {repo.name: lake.refs.list(repo.name) for repo in lake.repos.list(include_code=True)},
        lake.sessions.list(),
        lake.pipelines.list(),
        lake.jobs.list(),
        lake.warehouse.list(),
    )


def assert_one_line(result, names, advises):
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith("error: ")
    assert names in line
    assert advises in line


@pytest.mark.parametrize(("typed", "code", "names", "advises"), TYPED)
def test_c3_what_is_typed_wrong_is_told_on_one_line_and_changes_nothing(
    run, filled, typed, code, names, advises
):
    before = state_of(filled)
    assert_one_line(run(*typed.split(), code=code), names, advises)
    assert state_of(filled) == before


LEAF = {"repo": {"name": "raw", "glob": "/*"}}

SPECS = [
    ({"input": {"repo": {"name": "no", "glob": "/"}}}, 10, "repo 'no'", "repos create no"),
    (
        {"input": {"repo": {"name": "raw", "branch": "dev", "glob": "/"}}},
        10,
        "branch 'dev' in repo 'raw'",
        "refs create-branch raw dev",
    ),
    ({"inputs": LEAF}, 2, "unknown key 'inputs'; known are pipeline", "docs/pipelines.md"),
    ({"datums": {"retries": 3}}, 2, "datums has the unknown key 'retries'", "docs/pipelines.md"),
    ({"input": {"cron": {"schedule": "61 * * * *"}}}, 2, "'61 * * * *'", "'@every 24h'"),
    ({"input": {"cron": {"schedule": "@reboot"}}}, 2, "'@reboot'", "'@daily'"),
    ({"input": {"repo": {"name": "raw", "glob": "*.csv"}}}, 2, "'*.csv'", "/ for the whole repo"),
    ({"input": {"repo": {"name": "raw", "glob": "/["}}}, 2, "'/['", "/ for the whole repo"),
    ({"input": {"repo": {"name": "raw", "glob": "/x(y"}}}, 2, "(column 3)", "/ for the whole repo"),
    ({"input": {"cross": []}}, 2, "input.cross has the value []", "docs/pipelines.md"),
    ({"input": {"join": [LEAF, LEAF]}}, 2, "input.join has two inputs named 'raw'", "'as'"),
    (
        {"input": {"group": [{"repo": {"name": "raw", "glob": "/(*)", "by": "$2"}}]}},
        2,
        "'$2' names $2; the glob '/(*)' has one capture, $1",
        "name it $1",
    ),
    ({"input": {"repo": {**LEAF["repo"], "on": "$1"}}}, 2, "input.repo.on", "parentheses"),
    ({"pipeline": "Bad Name"}, 2, "'Bad Name'", "a-z 0-9"),
    ({"datums": {"timeout": "soon"}}, 2, "'soon'", "10m"),
    ({"command": ["a\0b"]}, 2, "command[0]", "NUL"),
    ({"parameters": {"x": "a\0b"}}, 2, "parameters.x", "NUL"),
    ({"files": ["../../etc/passwd"]}, 2, "'../../etc/passwd'", "'..'"),
    ({"files": ["no.py"]}, 10, "/no.py'", "relative to the spec"),
    ({"egress": {"connection": "no", "table": "t"}}, 10, "'no'", "datalake warehouse list"),
    ({"input": {"repo": {"name": "p", "glob": "/"}}}, 2, "its own output", "another name"),
]


@pytest.mark.parametrize(("change", "code", "names", "advises"), SPECS)
def test_a_bad_spec_is_told_on_one_line_and_publishes_nothing(
    run, filled, tmp_path, change, code, names, advises
):
    spec = tmp_path / "spec.yaml"
    spec.write_text(json.dumps({"pipeline": "p", "command": ["true"], "input": LEAF, **change}))
    before = state_of(filled)
    assert_one_line(run("pipelines", "create", "-f", spec, code=code), names, advises)
    assert state_of(filled) == before


def test_a_cycle_is_drawn_and_the_pipelines_stay_as_they_were(run, filled, tmp_path):
    def publish(verb, name, source, code=0):
        spec = tmp_path / f"{name}.yaml"
        leaf = {"repo": {"name": source, "glob": "/"}}
        spec.write_text(json.dumps({"pipeline": name, "command": ["true"], "input": leaf}))
        return run("pipelines", verb, "-f", spec, code=code)

    publish("create", "a", "raw")
    publish("create", "b", "a")
    before = state_of(filled)
    assert_one_line(publish("update", "a", "b", code=2), "a → b → a", "")
    assert state_of(filled) == before


def test_a_glob_that_matches_nothing_is_told_before_and_after_the_job(run, filled, tmp_path):
    spec = tmp_path / "spec.yaml"
    leaf = {"repo": {"name": "raw", "glob": "/*.csv"}}
    spec.write_text(json.dumps({"pipeline": "p", "command": ["true"], "input": leaf}))
    assert "No datums" in run("pipelines", "preview", "-f", spec).out
    run("pipelines", "create", "-f", spec)
    assert "No datums" in run("pipelines", "plan", "p").out
    assert "the globs match nothing" in run("controller", "run", "--until-idle").out
    (job,) = run("jobs", "list", "--json").json
    assert (job["state"], job["outcome"], job["datum_total"]) == ("success", "unchanged", 0)
    assert job["message"] == "No datums: the globs match nothing in the inputs"


def test_a_lake_that_is_not_there_or_not_a_lake_is_named_with_what_to_do(run, tmp_path):
    nothing = tmp_path / "nothing"
    line = run("--lake", nothing, "repos", "list", code=10)
    assert_one_line(line, f"no lake in {nothing}", f"datalake init {nothing}")
    assert not nothing.exists()
    other = tmp_path / "other"
    (other / "objects").mkdir(parents=True)
    (other / "objects" / "lake.json").write_text("not json")
    result = run("--lake", other, "repos", "list", code=21)
    assert_one_line(result, "lake.json", "")


def test_a_lake_opened_twice_is_served_to_both(run, filled, tmp_path):
    """Another process has it open, with something staged, and commits in between."""
    with filled.sessions.create("raw") as session:
        session.put("mine", "staged")
        (info,) = filled.sessions.list()
        held = run("sessions", "diff", info.id, code=11)
        assert_one_line(held, f"Session {info.id}", "work in the mounted folder")
        code = "from jupyter_datalake.cli.main import main; main()"
        put = [sys.executable, "-c", code, "--lake", filled.url, "files", "put", "raw@main/theirs"]
        subprocess.run([*put, tmp_path / "local"], check=True, capture_output=True)
        session.commit("both")
    assert [one.path for one in filled.files.list("raw@main")] == ["mine", "theirs", "there"]
    check_lake(filled)
