"""Reproducing with real workers: notebooks and commands, beside a controller or without one."""

import json
import shutil

import pytest

from jupyter_datalake.cli.main import main
from jupyter_datalake.jobs.environment_cache import FOLDER, EnvironmentCache
from jupyter_datalake.jobs.environments import lock_environment
from jupyter_datalake.model.reproductions import Verdict
from tests.integration.pipelines.conftest import wait_until
from tests.wheels import HAS_UV, offline_uv, write_tiny

CELLS = [
    "raw = out = None\nscale = 2",
    "from pathlib import Path\n"
    "for place in Path(raw).rglob('*'):\n"
    "    if place.is_file():\n"
    "        (Path(out) / place.name).write_text(str(int(place.read_text()) * scale) + '\\n')",
]
STAMPED = [
    *CELLS,
    "import time\n"
    "(Path(out) / 'made.txt').write_text(f'made at\\n{time.time_ns()}\\nby a clock\\n')",
]


def datalake(monkeypatch, capfd, url, *arguments):
    """Run a command; return its exit code and what it printed."""
    monkeypatch.setenv("DATALAKE_URL", url)
    monkeypatch.setattr("sys.argv", ["datalake", *arguments])
    capfd.readouterr()
    try:
        main()
    except SystemExit as leaving:
        return leaving.code, capfd.readouterr().out
    raise AssertionError("a command ends by itself")


def test_notebooks_give_the_same_again_and_those_with_a_clock_are_told_apart(
    runner, monkeypatch, capfd
):
    lake = runner.lake
    lake.files.put("raw@main/a", "1")
    lake.files.put("raw@main/b", "20")
    runner.notebook("double", CELLS, ("raw", "/*"))
    runner.notebook(
        "stamped",
        [cell.replace("raw", "double") for cell in STAMPED],
        ("double", "/"),
        file="s.ipynb",
        parameters={"scale": 3},
    )
    runner.run()
    assert runner.files("double@main") == {"a": "2\n", "b": "40\n"}
    heads = {repo: lake.commits.get(repo).id for repo in ("double", "stamped")}
    jobs = lake.jobs.list()

    runner.write_notebook("n.ipynb", ["raw = out = None", "raise SystemExit"])
    code, printed = datalake(
        monkeypatch, capfd, lake.url, "lineage", "reproduce", "double@main", "--workers", "1"
    )
    assert code == 0, printed
    assert printed.startswith(f"double@{heads['double'][:12]}: identical")
    assert "environment  as it was locked" in printed

    code, printed = datalake(
        monkeypatch,
        capfd,
        lake.url,
        *("lineage", "reproduce", "stamped@main", "--upstream", "all", "--twice", "--workers", "1"),
    )
    assert code == 1
    assert f"double@{heads['double'][:12]}: identical" in printed
    assert f"stamped@{heads['stamped'][:12]}: 1 path differs" in printed
    assert "run once more it gave something else again" in printed
    assert "+++ now/made.txt" in printed
    assert " by a clock" in printed
    assert "2 steps: different" in printed

    code, printed = datalake(
        monkeypatch,
        capfd,
        lake.url,
        *("lineage", "reproduce", "stamped@main/a", "--workers", "1", "--json"),
    )
    found = json.loads(printed)
    assert (code, found["verdict"], found["steps"][0]["datum_count"]) == (0, "identical", 1)

    assert {repo: lake.commits.get(repo).id for repo in heads} == heads
    assert lake.jobs.list() == jobs
    assert not [*(lake.core.work_folder / "jobs").glob("*/*")]


def test_a_command_is_run_again_beside_a_controller(shared, leader):
    lake = shared.lake
    script = 'cp "$raw"/* "$out"/; echo "$PARAM_word" > "$out"/word'
    shared.command("copy", script, ("raw", "/"), parameters={"word": "hi; exit 1"})
    lake.files.put("raw@main/x", "one")
    wait_until(lambda: shared.files("copy@main"), "the output")
    assert shared.files("copy@main") == {"x": "one", "word": "hi; exit 1\n"}
    wait_until(lambda: not [one for one in lake.jobs.list() if not one.state.is_terminal])
    before = lake.jobs.list()
    done = lake.lineage.reproduce("copy@main")
    assert done.verdict is Verdict.IDENTICAL
    assert lake.jobs.list() == before


def test_the_environment_of_the_lock_is_built_where_this_one_is_another(
    runner, monkeypatch, tmp_path
):
    """The code was published where `tiny` was installed, which it is not here."""
    if not HAS_UV:
        pytest.skip("needs uv, which scripts/setup.sh installs")
    write_tiny(tmp_path / "wheels", "1.0")
    for name, value in offline_uv(tmp_path, tmp_path / "wheels").items():
        monkeypatch.setenv(name, value)
    there = {**lock_environment(None), "packages": {"tiny": "1.0"}}
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_datalake.pipelines.code_files.lock_environment", lambda _: there)
        runner.command("told", '(say-tiny || echo none) > "$out/told" 2>&1', ("raw", "/"))
    runner.lake.files.put("raw@main/x", "one")
    runner.run(workers=1)
    told = runner.files("told@main")["told"]
    assert told.endswith("none\n")
    (step,) = runner.lake.lineage.reproduce("told@main", workers=1).steps
    assert step.verdict is Verdict.IDENTICAL
    assert "tiny was 1.0, is absent" in step.environment
    (step,) = runner.lake.lineage.reproduce("told@main", workers=1, environment="locked").steps
    assert (step.verdict, step.environment) == (Verdict.DIFFERENT, ())
    assert "built of its lock" in step.message
    assert "+tiny 1.0" in step.texts[0].diff.hunks[0].lines
    (tmp_path / "wheels" / "tiny-1.0-py3-none-any.whl").unlink()
    shutil.rmtree(tmp_path / "uv-cache")
    EnvironmentCache(runner.lake.core.work_folder / FOLDER, {}, limit_bytes=0).clean()
    (step,) = runner.lake.lineage.reproduce("told@main", workers=1, environment="locked").steps
    assert step.verdict is Verdict.IMPOSSIBLE
    assert "tiny" in step.message
