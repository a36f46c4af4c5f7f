"""The main job: `make demo LAB=0`, without FUSE, and once more over what it left."""

import sys
from pathlib import Path

import pytest

from jupyter_datalake.cli.jobs import datums_text, state_text
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.mounts import MountMode

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """The demo's script, at home in a temporary folder."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import demo

    home = tmp_path / "demo"
    monkeypatch.setattr(demo, "HERE", tmp_path)
    monkeypatch.setattr(demo, "DEMO", home)
    monkeypatch.setattr(demo, "LAKE", home / "lake-store")
    monkeypatch.setattr(demo, "WAREHOUSE", home / "warehouse.duckdb")
    monkeypatch.setattr(demo, "ROOT", home / "work")
    monkeypatch.setattr(demo, "MOUNTPOINT", home / "work" / "lake")
    monkeypatch.setattr(sys, "argv", ["demo.py", "--no-lab"])
    monkeypatch.setattr(
        "jupyter_datalake.lake.mountpoints.choose_mode",
        lambda: (MountMode.CHECKOUT, "FUSE cannot be used here: a test wants it"),
    )
    yield demo
    sys.modules.pop("demo")


def states(lake, global_id):
    return {job.pipeline: state_text(job) for job in lake.jobs.list(global_id=global_id)}


def test_the_demo_runs_what_is_affected_and_only_that(demo, capsys):
    assert demo.main() == 0
    said = capsys.readouterr().out
    assert "checkout: FUSE cannot be used here" in said
    with Lake.open(str(demo.LAKE)) as lake:
        first, second = (record.id for record in demo.ticks(lake))
        assert set(states(lake, first).values()) == {"success"}
        assert states(lake, second) == {
            "training_data": "unchanged",
            "clean": "cut-off",
            "features": "cut-off",
            "model": "cut-off",
            "prediction_data": "success",
            "clean_prediction": "success",
            "features_prediction": "success",
            "predict": "success",
        }
        for pipeline in ("clean_prediction", "features_prediction", "predict"):
            (job,) = lake.jobs.list(global_id=second, pipeline=pipeline)
            assert datums_text(job) == "1 run, 2 skipped", pipeline
        rows = lake.warehouse.query("warehouse", 'SELECT count(*) AS n FROM "PREDICTIONS"').rows
        assert rows[0]["n"] == 1409
        made_of = {step.repo for step in lake.lineage.get("predict@main").upstream}
        assert {"training_data", "prediction_data", "model"} <= made_of
        jobs = len(lake.jobs.list(limit=1000))
        assert (demo.MOUNTPOINT / "reports" / "notes.md").read_text() == demo.NOTES
        assert first in said
        assert second in said

    assert demo.main() == 0
    assert "Publishing" not in capsys.readouterr().out
    with Lake.open(str(demo.LAKE)) as lake:
        assert len(lake.jobs.list(limit=1000)) == jobs
        assert lake.maintenance.verify().is_clean
