"""Trials with real workers: notebooks, commands, limits, environments, and being stopped."""

import json
import subprocess
import sys
import threading

import pytest
import yaml

from jupyter_datalake.cli.main import main
from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.trials import OutputCounts, TrialState
from jupyter_datalake.pipelines.trial_records import sweep_trials
from tests.integration.pipelines.conftest import wait_until
from tests.wheels import HAS_UV, offline_uv, write_tiny

CELLS = [
    "raw = out = None\nscale = 2",
    "from pathlib import Path\n"
    "for place in Path(raw).rglob('*'):\n"
    "    if place.is_file():\n"
    "        print('reads', place.name)\n"
    "        (Path(out) / place.name).write_text(str(int(place.read_text()) * scale) + '\\n')",
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


def spec_of(glob="/*", **more):
    return {"pipeline": "double", "input": {"repo": {"name": "raw", "glob": glob}}, **more}


def left_over(lake, trial):
    """Return what lies in the work folder of a trial that has ended, but for its record."""
    found = lake.core.work_folder.rglob(f"*{trial.id}*")
    return [one for one in found if one.suffix != ".json"]


def test_a_notebook_is_tried_before_it_is_published_and_after_it_was_edited(runner):
    lake = runner.lake
    for name, text in {"a": "1", "b": "20", "c": "three", "d": "4"}.items():
        lake.files.put(f"raw@main/{name}", text)
    runner.write_notebook("n.ipynb", CELLS)
    spec = spec_of(notebook="n.ipynb", datums={"tries": 1, "timeout": "60s"})
    trial = lake.trials.run(spec, folder=runner.folder)

    assert (trial.state, trial.is_whole) == (TrialState.FAILED, False)
    assert [one.state for one in trial.datums] == [
        DatumState.SUCCESS,
        DatumState.SUCCESS,
        DatumState.FAILED,
    ]
    assert "ValueError" in trial.datums[2].message
    failed = [one for one in lake.trials.list_cells(trial.id, 2) if one.error]
    # The author's second cell: the one that sets the parameters is not theirs, and not counted.
    assert [(one.index, str(one.state)) for one in failed] == [(1, "failed")]
    assert "invalid literal for int()" in failed[0].error
    assert "int(place.read_text())" in failed[0].traceback
    assert "reads a" in lake.trials.get_log(trial.id, 0).text
    notebook = json.loads(lake.trials.get_notebook(trial.id, 0))
    assert any("reads a" in str(cell.get("outputs")) for cell in notebook["cells"])
    assert lake.trials.read(trial.id, "b") == b"40\n"
    with pytest.raises(NotFoundError):
        lake.pipelines.get("double")
    assert left_over(lake, trial) == []

    lake.files.put("raw@main/c", "3")
    runner.notebook("double", CELLS, ("raw", "/*"))
    runner.run()
    runner.write_notebook("n.ipynb", [CELLS[0].replace("scale = 2", "scale = 3"), CELLS[1]])
    edited = lake.trials.run(spec, folder=runner.folder, positions=[1, 3])
    assert edited.output.counts == OutputCounts(added=0, modified=2, removed=0, same=0)
    (hunk,) = lake.trials.diff_text(edited.id, "b").hunks
    assert list(hunk.lines) == ["-40", "+60"]
    assert lake.pipelines.get("double").version == 1
    assert len(lake.jobs.list()) == 1


def test_the_command_line_tries_a_file_and_tells_what_differs(runner, monkeypatch, capfd):
    lake, url = runner.lake, runner.lake.url
    lake.files.put("raw@main/a.csv", "id,n\n1,1\n2,2\n")
    runner.command("double", "cp pfs/raw/* pfs/out/", ("raw", "/*"))
    runner.run()
    script = "sed s/2,2/2,5/ pfs/raw/a.csv > pfs/out/a.csv; echo fresh > pfs/out/new"
    path = runner.folder / "double.yaml"
    path.write_text(yaml.safe_dump(spec_of(command=["sh", "-eu", "-c", script])))
    code, out = datalake(monkeypatch, capfd, url, "trials", "run", "-f", str(path))
    assert code == 0
    assert "+1 ~1 -0 =0" in out
    assert "new" in out.splitlines()[-1]
    trial = lake.trials.list()[0]
    code, out = datalake(monkeypatch, capfd, url, "trials", "diff-table", trial.id[:8], "a.csv")
    assert code == 0
    assert "5" in out
    code, out = datalake(monkeypatch, capfd, url, "trials", "read", trial.id[:8], "new")
    assert (code, out) == (0, "fresh\n")
    code, out = datalake(monkeypatch, capfd, url, "trials", "list", "--json")
    assert [one["state"] for one in json.loads(out)] == ["success"]

    path.write_text(yaml.safe_dump(spec_of(command=["sh", "-c", "echo oh no; exit 3"])))
    code, out = datalake(monkeypatch, capfd, url, "trials", "run", "-f", str(path))
    assert code == 1
    assert "datalake trials get-log" in out
    code, out = datalake(monkeypatch, capfd, url, "trials", "get-log", lake.trials.list()[0].id[:8])
    assert "oh no" in out
    path.write_text(yaml.safe_dump(spec_of("/none*", command=["true"])))
    code, out = datalake(monkeypatch, capfd, url, "trials", "run", "-f", str(path))
    assert code == 10


def test_the_time_of_a_datum_and_that_of_the_job_are_kept(runner):
    lake = runner.lake
    lake.files.put("raw@main/a", "1")
    trial = lake.trials.run(spec_of(command=["sleep", "60"], datums={"tries": 1, "timeout": "1s"}))
    assert trial.datums[0].message == "The datum was stopped after its 1 s"
    trial = lake.trials.run(spec_of(command=["sleep", "60"], timeout="1s"))
    assert (trial.state, trial.message) == (
        TrialState.FAILED,
        "The trial was stopped after its 1 s",
    )
    assert left_over(lake, trial) == []


def test_a_clock_is_tried_as_if_it_had_ticked_now(runner):
    spec = {
        "pipeline": "clocked",
        "command": ["sh", "-c", "cat pfs/tick/* > pfs/out/time"],
        "input": {"cron": {"name": "tick", "schedule": "@yearly"}},
    }
    trial = runner.lake.trials.run(spec)
    assert (trial.state, trial.is_whole) == (TrialState.SUCCESS, True)
    assert trial.notes == ("It ran as if the clock had ticked now",)
    assert runner.lake.trials.read(trial.id, "time").startswith(b"20")


def test_a_trial_is_followed_and_cancelled_from_another_process(shared, monkeypatch, capfd):
    lake = shared.lake
    lake.files.put("raw@main/a", "1")
    torn_down = shared.folder / "torn-down"
    spec = spec_of(
        command=["sh", "-c", "echo begun; sleep 60"],
        **{"finally": {"command": ["sh", "-c", f"echo $DATALAKE_JOB_STATE > {torn_down}"]}},
    )
    begun = lake.trials.begin(spec, folder=shared.folder)
    thread = threading.Thread(target=begun.run)
    thread.start()
    trial_id = begun.trial.id[:12]
    wait_until(lambda: "begun" in lake.trials.get_log(trial_id).text, "the first line")
    assert lake.trials.get(trial_id).datums[0].state is DatumState.RUNNING
    code, _ = datalake(monkeypatch, capfd, lake.url, "trials", "cancel", trial_id)
    assert code == 0
    thread.join(60)
    trial = lake.trials.get(trial_id)
    assert (trial.state, trial.message) == (TrialState.CANCELLED, "cancelled by request")
    assert trial.datums[0].state is DatumState.QUEUED
    assert torn_down.read_text() == "cancelled\n"
    assert left_over(lake, trial) == []


PROGRAM = """
import sys
from jupyter_datalake.lake.lake import Lake
with Lake.open(sys.argv[1]) as lake:
    lake.trials.run({"pipeline": "p", "command": ["sleep", "600"],
                     "input": {"repo": {"name": "raw", "glob": "/*"}}})
"""


def test_what_a_killed_process_left_is_swept(shared):
    lake = shared.lake
    lake.files.put("raw@main/a", "1")
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, lake.url])
    wait_until(
        lambda: [
            one for trial in lake.trials.list() for one in trial.datums if one.state == "running"
        ],
        "a datum to run",
    )
    trial = lake.trials.list()[0]
    wait_until(lambda: left_over(lake, trial), "its folder")
    program.kill()
    program.wait()
    sweep_trials(lake.core)
    assert lake.trials.get(trial.id).state is TrialState.RUNNING  # its lease has not run out
    with lake.core.metadata.write() as tx:
        tx.leases.acquire(f"trial:{trial.id}", trial.id, -1)
    assert lake.trials.get(trial.id).state is TrialState.LOST
    sweep_trials(lake.core)
    assert lake.trials.list() == []
    assert left_over(lake, trial) == []


@pytest.mark.skipif(not HAS_UV, reason="uv is not installed")
def test_packages_of_its_own_are_locked_and_built_for_a_trial_alone(runner, tmp_path, monkeypatch):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_tiny(wheels, "1.0")
    for name, value in offline_uv(tmp_path, wheels).items():
        monkeypatch.setenv(name, value)
    lake = runner.lake
    lake.files.put("raw@main/a", "1")
    code = "import tiny; open('pfs/out/v', 'w').write(tiny.VALUE)"
    spec = spec_of(command=["python", "-c", code], environment={"requirements": ["tiny"]})
    seen = []
    trial = lake.trials.run(
        spec, folder=runner.folder, on_change=lambda one: seen.append(one.message)
    )
    assert trial.state is TrialState.SUCCESS, trial.message
    assert "Its environment is being made" in seen
    assert lake.trials.read(trial.id, "v") == b"1.0"
