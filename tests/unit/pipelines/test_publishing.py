"""Publishing: what is refused, in one line, with nothing left behind."""

import nbformat
import pytest

from jupyter_datalake.errors import (
    AlreadyExistsError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.model.repos import RepoKind


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    return memory_lake


def command(name, *inputs, **options):
    leaves = [{"repo": {"name": repo, "glob": "/*"}} for repo in inputs]
    spec = {"pipeline": name, "command": ["true"], **options}
    if leaves:
        spec["input"] = leaves[0] if len(leaves) == 1 else {"cross": leaves}
    return spec


def refused(lake, spec, error, match, **options):
    """Assert that publishing is refused in one line and leaves no pipeline."""
    before = {repo.name for repo in lake.repos.list(include_code=True)}
    with pytest.raises(error, match=match) as caught:
        lake.pipelines.create(spec, **options)
    assert "\n" not in str(caught.value)
    assert [one.name for one in lake.pipelines.list()] == []
    assert {repo.name for repo in lake.repos.list(include_code=True)} == before
    return caught.value


def test_a_missing_repo_is_named_with_its_input(lake):
    error = refused(lake, command("p", "nowhere"), NotFoundError, "'nowhere', which does not exist")
    assert "datalake repos create nowhere" in str(error)


def test_a_missing_branch_is_named(lake):
    spec = {
        "pipeline": "p",
        "input": {"repo": {"name": "raw", "branch": "dev", "glob": "/"}},
        "command": ["true"],
    }
    refused(lake, spec, NotFoundError, "branch 'dev' in repo 'raw'")


def test_a_pipeline_that_reads_its_own_output_is_refused(lake):
    error = refused(lake, command("raw", "raw"), InvalidInputError, "reads its own output")
    assert error.kind is ErrorKind.PIPELINE_CYCLE


def test_n1_a_cycle_over_several_pipelines_is_refused_and_drawn(lake):
    lake.pipelines.create(command("a", "raw"))
    lake.pipelines.create(command("b", "a"))
    with pytest.raises(InvalidInputError, match="a → b → a") as caught:
        lake.pipelines.update(command("a", "b"))
    assert caught.value.kind is ErrorKind.PIPELINE_CYCLE
    assert lake.pipelines.get("a").version == 1


def test_a_missing_notebook_is_named(lake, tmp_path):
    spec = {"pipeline": "p", "notebook": "n.ipynb"}
    refused(lake, spec, PathNotFoundError, r"n\.ipynb", folder=tmp_path)


def test_a_missing_helper_is_named(lake, tmp_path):
    spec = command("p", "raw", files=["helper.py"])
    refused(lake, spec, PathNotFoundError, r"helper\.py", folder=tmp_path)


@pytest.mark.parametrize("path", ["../secret.py", "a/../../secret.py", "/etc/../../x"])
def test_a_path_that_leads_outside_is_refused(lake, tmp_path, path):
    (tmp_path / "secret.py").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    refused(lake, command("p", "raw", files=[path]), InvalidInputError, "Path", folder=inside)


def test_a_symlink_that_leads_outside_is_refused(lake, tmp_path):
    (tmp_path / "secret.py").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.py").symlink_to("../secret.py")
    spec = command("p", "raw", files=["link.py"])
    refused(lake, spec, InvalidInputError, "leads outside", folder=inside)


@pytest.mark.parametrize("name", ["pfs/x.py", "pipeline.yaml", "environment.lock.json"])
def test_a_file_name_that_the_job_needs_is_refused(lake, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    spec = command("p", "raw", files=[name])
    refused(lake, spec, InvalidInputError, "taken by the job", folder=tmp_path)


def test_a_notebook_that_is_none_is_refused(lake, tmp_path):
    (tmp_path / "n.ipynb").write_text("not json")
    spec = {"pipeline": "p", "notebook": "n.ipynb"}
    error = refused(lake, spec, InvalidInputError, "is not a notebook", folder=tmp_path)
    assert error.kind is ErrorKind.INVALID_NOTEBOOK


def test_a_parameter_of_the_wrong_type_is_refused(lake, tmp_path):
    cell = nbformat.v4.new_code_cell("n = 3", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "n.ipynb")
    spec = {"pipeline": "p", "notebook": "n.ipynb", "parameters": {"n": "three"}}
    refused(lake, spec, InvalidInputError, "must be int, not 'three'", folder=tmp_path)


def test_an_unknown_connection_is_refused(lake):
    spec = {"pipeline": "p", "ingest": {"connection": "nowhere", "query": "SELECT 1"}}
    refused(lake, spec, NotFoundError, "no warehouse connection 'nowhere'")
    spec = command("p", "raw", egress={"connection": "nowhere", "table": "t"})
    refused(lake, spec, NotFoundError, "no warehouse connection 'nowhere'")


@pytest.mark.parametrize(
    "spec",
    [
        None,
        [],
        "text",
        {},
        {"pipeline": "p"},
        {"pipeline": "p", "command": []},
        {"pipeline": "p", "command": ["x"], "notebook": "n.ipynb"},
        {"pipeline": "Upper", "command": ["x"]},
        {"pipeline": "p", "command": ["x"], "inputs": {}},
        {"pipeline": "p", "command": ["x"], "input": {"repo": {"name": "raw", "glob": "*"}}},
        {"pipeline": "p", "command": ["x"], "input": {"repo": {"name": "raw", "glob": "/["}}},
        {"pipeline": "p", "command": ["x"], "input": {"cron": {"schedule": "61 * * * *"}}},
        {"pipeline": "p", "command": ["x"], "input": {"cron": {"schedule": "@reboot"}}},
        {"pipeline": "p", "command": ["x"], "datums": {"timeout": "soon"}},
        {"pipeline": "p", "command": ["x"], "parameters": {"out": 1}},
        {"pipeline": "p.code", "command": ["x"]},
    ],
)
def test_a_bad_spec_is_refused(lake, spec):
    with pytest.raises(DatalakeError) as caught:
        lake.pipelines.create(spec if isinstance(spec, dict) else {"x": spec})
    assert "\n" not in str(caught.value)
    assert lake.pipelines.list() == []


def test_a_spec_file_that_is_no_yaml_is_named(lake, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("a: [1")
    refused(lake, path, InvalidInputError, r"p\.yaml' is not YAML")
    refused(lake, tmp_path / "missing.yaml", PathNotFoundError, "no spec")


def test_a_query_may_stand_in_a_file_of_its_own(lake, tmp_path):
    lake.warehouse.create("w", f"duckdb://{tmp_path}/w.duckdb")
    (tmp_path / "q.sql").write_text("SELECT 1 AS a")
    (tmp_path / "p.yaml").write_text("pipeline: p\ningest: {connection: w, query_file: q.sql}\n")
    pipeline = lake.pipelines.create(tmp_path / "p.yaml")
    assert pipeline.spec.code.ingest.query == "SELECT 1 AS a"
    assert lake.files.read("p.code@main/query.sql") == b"SELECT 1 AS a"


def test_a_repo_with_files_of_its_own_is_not_taken_over(lake):
    lake.files.put("raw@main/a", "mine")
    lake.repos.create("other")
    with pytest.raises(AlreadyExistsError, match="files of its own"):
        lake.pipelines.create(command("raw", "other"))
    assert lake.files.read("raw@main/a") == b"mine"
    assert lake.repos.get("raw").kind is RepoKind.USER


def test_a_taken_name_is_refused_and_update_of_an_unknown_one_too(lake):
    lake.pipelines.create(command("p", "raw"))
    with pytest.raises(AlreadyExistsError, match="pipeline 'p' already"):
        lake.pipelines.create(command("p", "raw"))
    with pytest.raises(NotFoundError, match="no pipeline 'q'"):
        lake.pipelines.update(command("q", "raw"))


def test_the_output_repo_is_not_for_people_until_the_pipeline_is_gone(lake):
    lake.pipelines.create(command("p", "raw"))
    with pytest.raises(DatalakeError, match="written by pipeline 'p' only"):
        lake.files.put("p@main/x", "mine")
    with pytest.raises(StateError, match="in use by pipeline p"):
        lake.repos.delete("p")
    lake.pipelines.delete("p")
    lake.files.put("p@main/x", "mine")
    assert lake.repos.get("p").kind is RepoKind.USER


def test_n14_a_pipeline_with_a_live_job_is_not_deleted(lake):
    lake.files.put("raw@main/a", "x")
    lake.pipelines.create(command("p", "raw"))
    with pytest.raises(StateError, match="is waiting"):
        lake.pipelines.delete("p")
    lake.jobs.cancel(lake.jobs.list()[0].id)
    lake.pipelines.delete("p")
    assert lake.jobs.list() == []


def test_an_input_repo_is_not_deleted_while_a_pipeline_reads_it(lake):
    lake.pipelines.create(command("p", "raw"))
    with pytest.raises(StateError, match="in use by pipeline p") as caught:
        lake.repos.delete("raw")
    assert caught.value.context["users"] == ["pipeline p"]


def test_published_code_is_exactly_what_the_spec_names(lake, tmp_path):
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("2")
    lake.pipelines.create(command("p", "raw", files=["a.py", "b.py"]), folder=tmp_path)
    lake.pipelines.update(command("p", "raw", files=["b.py"]), folder=tmp_path)
    held = {info.path for info in lake.files.list("p.code@main")}
    assert held == {"b.py", "pipeline.yaml", "environment.lock.json"}
    assert lake.pipelines.get("p").version == 2


def test_running_a_paused_pipeline_says_how_to_resume_it(lake):
    lake.pipelines.create(command("p", "raw"))
    lake.pipelines.pause("p")
    with pytest.raises(StateError, match="datalake pipelines resume p"):
        lake.pipelines.run("p")


def test_preview_lists_datums_of_a_spec_that_does_not_exist_yet(lake):
    lake.files.put("raw@main/a", "x")
    lake.files.put("raw@main/b", "y")
    datums, has_more = lake.pipelines.preview(command("p", "raw"), limit=1)
    assert [[one.path for one in datum] for datum in datums] == [["a"]]
    assert has_more
    with pytest.raises(NotFoundError):
        lake.pipelines.preview(command("p", "nowhere"))


def test_plan_says_what_would_run_and_why(lake):
    lake.files.put("raw@main/a", "x")
    lake.pipelines.create(command("p", "raw"))
    assert [(one.label, one.runs, str(one.reason)) for one in lake.pipelines.plan("p")] == [
        ("raw:/a", True, "new")
    ]


def test_a_new_schedule_keeps_the_files_that_were_published(lake, tmp_path):
    (tmp_path / "a.py").write_text("first")
    spec = command("p", files=["a.py"])
    made = lake.pipelines.create(spec, folder=tmp_path)
    (tmp_path / "a.py").unlink()
    clocked = {**spec, "input": {"cron": {"schedule": "@daily"}}}
    with pytest.raises(PathNotFoundError, match=r"a\.py"):
        lake.pipelines.update(clocked, folder=tmp_path)
    updated = lake.pipelines.update(clocked, keep_files=True)
    assert (made.version, updated.version) == (1, 2)
    assert lake.files.read(f"{spec_repo(updated)}@{updated.code_commit_id}/a.py") == b"first"
    with pytest.raises(PathNotFoundError, match=r"without the file 'b\.py'"):
        lake.pipelines.update({**spec, "files": ["b.py"]}, keep_files=True)
    with pytest.raises(NotFoundError):
        lake.pipelines.update({**spec, "pipeline": "q"}, keep_files=True)


def spec_repo(pipeline):
    return pipeline.spec.code_repo
