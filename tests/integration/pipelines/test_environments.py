"""Pipelines with environments of their own, on real workers: notebooks, commands, other kernels."""

import importlib.util
import json
import shutil
import sys

import pytest
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.reproductions import Verdict
from jupyter_datalake.testing.dask_cluster import DaskCluster
from jupyter_datalake.testing.s3_servers import S3Server
from tests.wheels import HAS_UV, offline_uv, write_ipykernel, write_tiny

needs_uv = pytest.mark.skipif(not HAS_UV, reason="needs uv, which scripts/setup.sh installs")

CELLS = [
    "raw = out = None",
    "import sys, os, tiny\n"
    "with open(f'{out}/told', 'w') as file:\n"
    "    file.write(f'{tiny.VALUE} {sys.prefix == os.environ[\"VIRTUAL_ENV\"]}')",
]


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Have uv find its packages in a folder, with one version of `tiny` and a kernel."""
    folder = tmp_path / "wheels"
    write_tiny(folder, "1.0")
    write_ipykernel(folder)
    for name, value in offline_uv(tmp_path, folder).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def cluster(wheels, bash):
    """A Dask worker that finds the packages and kernels of the test, as this process does."""
    with DaskCluster(S3Server("").environment()) as cluster:
        cluster.add_workers(1)
        yield cluster


@needs_uv
def test_a_notebook_runs_in_an_environment_of_its_own_until_its_lock_changes(runner, wheels):
    lake = runner.lake
    (runner.folder / "requirements.txt").write_text("tiny  # small\n")
    environment = {"requirements": "requirements.txt"}
    lake.files.put("raw@main/x", "one")
    runner.notebook("told", CELLS, ("raw", "/"), environment=environment)
    runner.run(workers=1)
    assert runner.states() == {"told": ("success", "committed")}, runner.job("told").message
    assert runner.files("told@main") == {"told": "1.0 True"}
    (log,) = lake.jobs.logs(runner.job("told").id)
    assert "environment " in log.text
    lock = json.loads(lake.files.read("told.code@main/environment.lock.json"))
    assert lock["packages"] == {"tiny": "1.0", "ipykernel": "99.0"}

    # A newer package on the index, and a file that asks for the same: nothing changes.
    write_tiny(wheels, "2.0")
    (runner.folder / "requirements.txt").write_text("# as before\ntiny\n")
    version = lake.pipelines.get("told").version
    runner.notebook(
        "told", [CELLS[0], CELLS[1] + "\n# a comment"], ("raw", "/"), environment=environment
    )
    assert lake.pipelines.get("told").version == version + 1
    (datum,) = lake.pipelines.plan("told")
    assert (datum.runs, str(datum.reason)) == (False, "unchanged")

    # Asked for a newer one, the lock is another, and the datum runs for this reason.
    spec = lake.pipelines.get("told").spec
    lake.pipelines.update(spec, folder=runner.folder, upgrade=True)
    (datum,) = lake.pipelines.plan("told")
    assert (datum.runs, str(datum.reason)) == (True, "environment changed")
    runner.run(workers=1)
    assert runner.files("told@main") == {"told": "2.0 True"}

    # The first commit is made again with the first package.
    (wheels / "tiny-2.0-py3-none-any.whl").unlink()
    done = lake.lineage.reproduce("told@main^", workers=1, environment="locked")
    assert [(one.verdict, one.environment) for one in done.steps] == [(Verdict.IDENTICAL, ())]


@pytest.mark.everywhere
@needs_uv
def test_a_command_finds_the_programs_of_its_environment(runner, wheels):
    runner.lake.files.put("raw@main/x", "one")
    script = 'say-tiny > "$out/said"; python -c "import tiny; print(tiny.VALUE)" > "$out/value"'
    runner.command("told", script, ("raw", "/"), environment={"requirements": ["tiny==1.0"]})
    runner.run(workers=1)
    assert runner.files("told@main") == {"said": "tiny 1.0\n", "value": "1.0\n"}
    changes = runner.lake.pipelines.diff(_as_folder(runner))
    assert [str(change.action) for change in changes] == ["unchanged"]
    changes = runner.lake.pipelines.diff(_as_folder(runner, requirements=["tiny"]))
    assert changes[0].differs == ("environment", "requirements")


def _as_folder(runner, **environment):
    """Write the published spec into a folder, with another environment."""
    import yaml

    from jupyter_datalake.model.written_specs import spec_as_dict

    spec = spec_as_dict(runner.lake.pipelines.get("told").spec)
    spec["environment"] |= environment
    folder = runner.folder / "declared"
    folder.mkdir(exist_ok=True)
    (folder / "told.yaml").write_text(yaml.safe_dump(spec))
    return folder


@needs_uv
def test_what_cannot_be_locked_is_not_published(runner, wheels):
    with pytest.raises(InvalidInputError, match="nothere was not found"):
        runner.command("told", "true", ("raw", "/"), environment={"requirements": ["nothere"]})
    assert runner.lake.pipelines.list() == []
    assert [repo.name for repo in runner.lake.repos.list()] == ["raw"]


@needs_uv
def test_an_environment_that_cannot_be_built_fails_the_job_in_one_line(runner, wheels):
    runner.lake.files.put("raw@main/x", "one")
    runner.command("told", "true", ("raw", "/"), environment={"requirements": ["tiny==1.0"]})
    shutil.rmtree(wheels)
    wheels.mkdir()
    shutil.rmtree(wheels.parent / "uv-cache")
    runner.run(workers=1)
    job = runner.job("told")
    assert str(job.state) == "failed"
    assert job.message.startswith("The environment cannot be made: ")
    assert "tiny" in job.message
    assert "\n" not in job.message
    write_tiny(wheels, "1.0")
    runner.lake.pipelines.run("told")
    runner.run(workers=1)
    assert str(runner.job("told").state) == "success"


@pytest.fixture
def bash(tmp_path, monkeypatch):
    """Have the kernel of `bash_kernel` among the installed ones."""
    folder = tmp_path / "jupyter" / "kernels" / "bash"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Bash", "language": "bash", "env": {"PS1": "$"}}
    (folder / "kernel.json").write_text(json.dumps(spec))
    if importlib.util.find_spec("bash_kernel") is not None:
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))


def _kernel(language, *names):
    """Return the installed kernel of a language, or skip."""
    for name in names:
        try:
            if KernelSpecManager().get_kernel_spec(name).language.lower() == language:
                return name
        except NoSuchKernel:
            continue
    pytest.skip(f"no Jupyter kernel for {language} is installed here")


@pytest.mark.parametrize(
    ("language", "names", "cells"),
    [
        (
            "bash",
            ("bash",),
            ["word=none", 'tr a-z A-Z < "$raw/x" > "$out/x"; echo "$word" >> "$out/x"'],
        ),
        (
            "r",
            ("ir",),
            [
                'word <- "none"',
                'writeLines(c(toupper(readLines(file.path(raw, "x"))), word), file.path(out, "x"))',
            ],
        ),
        (
            "julia",
            ("julia", "julia-1.10", "julia-1.11", "julia-1.12"),
            [
                'word = "none"',
                'write(joinpath(out, "x"),'
                ' uppercase(read(joinpath(raw, "x"), String)) * "\\n" * word * "\\n")',
            ],
        ),
    ],
)
def test_notebooks_of_other_languages_get_their_parameters_alike(
    runner, bash, language, names, cells
):
    import nbformat

    kernel = _kernel(language, *names)
    node = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": "k", "language": language}},
    )
    node.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(node, runner.folder / "n.ipynb")
    runner.lake.files.put("raw@main/x", "one\n")
    runner.publish(
        {
            "pipeline": "told",
            "notebook": "n.ipynb",
            "parameters": {"word": "it's $HOME; `date`"},
            "environment": {"kernel": kernel},
        },
        [("raw", "/")],
    )
    runner.run(workers=1)
    assert str(runner.job("told").state) == "success", runner.job("told").message
    assert runner.files("told@main") == {"x": "ONE\nit's $HOME; `date`\n"}
