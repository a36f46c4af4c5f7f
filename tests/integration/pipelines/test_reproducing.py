"""Reproducing with real workers: notebooks and commands, beside a controller or without one."""

import json

from jupyter_datalake.cli.main import main
from jupyter_datalake.model.reproductions import Verdict
from tests.integration.pipelines.conftest import wait_until

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
