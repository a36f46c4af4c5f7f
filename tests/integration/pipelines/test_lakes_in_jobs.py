"""`Lake.open()`, commands and ``%%sql`` in a job: its inputs, or a lake that its code names."""

import sys
from textwrap import dedent

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.lineage import AccessKind, EdgeBasis, NodeKind, SeenBy, node_id


@pytest.fixture(autouse=True)
def own_lake(tmp_path, monkeypatch):
    """A lake in the user's data folder, which nobody gave to a job."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("DATALAKE_URL", raising=False)
    place = tmp_path / "home/.local/share/jupyter_datalake/lake"
    with Lake.create(str(place)) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a.csv", "n\n-1\n")
        yield lake


def only_datum(runner, pipeline):
    runner.run()
    (datum,) = runner.lake.jobs.list_datums(runner.job(pipeline).id)
    return datum


def program(runner, name, code, *arguments):
    """Publish and run a pipeline that runs a program in Python; return its only datum."""
    spec = {"pipeline": name, "command": [sys.executable, "-c", dedent(code), *arguments]}
    runner.publish(spec, [("raw", "/")])
    return only_datum(runner, name)


def log_of(runner, pipeline):
    return "\n".join(line.text for line in runner.lake.jobs.logs(runner.job(pipeline).id))


def test_the_users_own_lake_is_refused_to_a_program_and_its_inputs_are_named(runner, own_lake):
    runner.put(**{"a.csv": "n\n1\n"})
    code = """
        from jupyter_datalake import Lake
        with Lake.open() as lake:
            lake.files.put("raw@main/new", lake.files.read("raw@main/a.csv"))
        """
    assert program(runner, "p", code).state is DatumState.FAILED
    said = log_of(runner, "p")
    assert "A job of 'p' has no lake but its inputs: lake://raw@main/…" in said
    assert "write to lake://p@main/…" in said
    assert [one.path for one in own_lake.files.list("raw@main")] == ["a.csv"]


def test_commands_in_a_job_are_refused_on_one_line(runner):
    runner.put(**{"a.csv": "n\n1\n"})
    runner.command("p", f"{sys.executable} -m jupyter_datalake.cli.main repos list", ("raw", "/"))
    assert only_datum(runner, "p").state is DatumState.FAILED
    assert "A job of 'p' has no lake but its inputs: lake://raw@main/…" in log_of(runner, "p")
    assert "Traceback" not in log_of(runner, "p")


def test_a_query_in_a_notebook_reads_what_the_datum_was_given(runner):
    runner.put(**{"a.csv": "n\n1\n", "d.csv": "n\n2\n"})
    cells = [
        "%load_ext jupyter_datalake",
        "%%sql total\nSELECT sum(n)::INT AS n FROM 'raw@main/*.csv'",
        "%%sql one\nSELECT n FROM 'lake://raw@main/a.csv'",
        "import pandas as pd\n"
        "pd.concat([total, one]).to_csv('lake://n@main/found.csv', index=False)",
    ]
    runner.notebook("n", cells, ("raw", "/"), tags=())
    assert (only_datum(runner, "n").state, runner.job("n").message) == (DatumState.SUCCESS, "")
    assert runner.files("n@main") == {"found.csv": "n\n3\n1\n"}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%sql\nSELECT * FROM 'other@main/x.csv'", "other@main/x.csv is no input of"),
        ("%%sql\nSELECT * FROM 'other@main/*.csv'", "other@main is no input of"),
        ("%%sql\nSELECT * FROM 'raw@main/x.csv'", "This datum was given no raw@main/x.csv"),
        ("%%sql --connection dwh\nSELECT 1", "A job of 'n' has no lake but its inputs"),
        ("%datalake files list raw@main", "A job of 'n' has no lake but its inputs"),
        (
            "import jupyter_datalake as dl, pandas as pd\n"
            "with dl.as_of('main~1'):\n    pd.read_csv('lake://raw@main/a.csv')",
            "raw@main~1/a.csv is no input of the pipeline 'n'",
        ),
    ],
)
def test_what_a_datum_was_not_given_is_refused_to_a_notebook(runner, cell, says):
    runner.put(**{"a.csv": "n\n1\n"})
    runner.notebook("n", ["%load_ext jupyter_datalake", cell], ("raw", "/"), tags=())
    datum = only_datum(runner, "n")
    assert datum.state is DatumState.FAILED
    assert says in datum.message


def test_a_lake_that_a_program_names_is_opened_and_what_it_does_there_is_recorded(runner):
    runner.put(**{"a.csv": "n\n1\n"})
    for name in ("other", "notes"):
        runner.lake.repos.create(name)
    runner.lake.files.put("other@main/x.csv", "n\n5\n")
    code = """
        import sys
        from jupyter_datalake import Lake
        with Lake.open(sys.argv[1]) as lake, open("pfs/out/x", "wb") as out:
            out.write(lake.files.read("other@main/x.csv"))
            lake.files.put("notes@main/seen", "yes")
        """
    assert program(runner, "p", code, runner.lake.url).state is DatumState.SUCCESS
    seen = runner.lake.lineage.observed(job=runner.job("p").id, datum=0)
    found = {(one.repo, one.path, one.kind, one.seen_by) for one in seen}
    assert found == {
        ("other", "x.csv", AccessKind.READ, SeenBy.READER),
        ("notes", "seen", AccessKind.WRITE, SeenBy.READER),
    }
    edges = {(one.source, one.target): one.basis for one in runner.lake.lineage.graph().edges}
    pipeline = node_id(NodeKind.PIPELINE, "p")
    assert edges[node_id(NodeKind.REPO, "other"), pipeline] is EdgeBasis.OBSERVED
    assert edges[pipeline, node_id(NodeKind.REPO, "notes")] is EdgeBasis.OBSERVED
    assert edges[node_id(NodeKind.REPO, "raw"), pipeline] is EdgeBasis.DECLARED
    opened = runner.lake.lineage.get("p@main/x").opened
    assert ("other", "x.csv") in {(one.repo, one.path) for one in opened}
