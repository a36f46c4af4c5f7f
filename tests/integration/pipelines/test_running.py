"""Pipelines from commit to commit, with real workers."""

import subprocess
import sys
import threading
import time

import pytest

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import ConflictError, ErrorKind, JobFailedError

UPPER = "for f in $(cd pfs/raw; ls); do tr a-z A-Z < pfs/raw/$f > pfs/out/$f; done"


@pytest.mark.everywhere
def test_d9_a_commit_runs_everything_downstream_and_shares_its_global_id(runner):
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.command("count", "cat pfs/upper/* | wc -c > pfs/out/n", ("upper", "/"))
    commit = runner.put(a="one", b="two")
    runner.run()
    assert runner.states() == {
        "upper": ("success", "committed"),
        "count": ("success", "committed"),
    }
    assert runner.files("upper@main") == {"a": "ONE", "b": "TWO"}
    assert runner.files("count@main")["n"].strip() == "6"
    for repo in ("upper", "count"):
        made = runner.lake.commits.get(repo)
        assert made.global_id == commit.global_id
        assert made.provenance.pipeline == repo
    upstream = [step.repo for step in runner.lake.lineage.get("count@main").upstream]
    assert set(upstream) == {"upper", "raw", "count.code", "upper.code"}


def test_only_the_datum_whose_input_changed_runs_again(runner):
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.put(a="one", b="two", c="three")
    runner.run()
    runner.put(b="deux")
    runner.run()
    assert runner.datums("upper") == {
        "raw:/a": ("skipped", "unchanged"),
        "raw:/b": ("success", "input changed"),
        "raw:/c": ("skipped", "unchanged"),
    }
    assert runner.files("upper@main") == {"a": "ONE", "b": "DEUX", "c": "THREE"}


def test_a_removed_input_takes_its_output_away_without_running_anything(runner):
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.put(a="one", b="two")
    runner.run()
    runner.lake.files.delete("raw@main/a")
    runner.run()
    assert runner.datums("upper") == {"raw:/b": ("skipped", "unchanged")}
    assert runner.files("upper@main") == {"b": "TWO"}


def test_an_equal_output_stops_what_is_downstream(runner):
    runner.command(
        "length", "for f in pfs/raw/*; do wc -c < $f > pfs/out/$(basename $f); done", ("raw", "/*")
    )
    runner.command("double", "cp pfs/length/* pfs/out/", ("length", "/*"))
    runner.put(a="one")
    runner.run()
    before = runner.lake.commits.get("length").id
    commit = runner.put(a="two")
    runner.run()
    assert runner.states(commit.global_id) == {
        "length": ("success", "unchanged"),
        "double": ("success", "cut-off"),
    }
    assert runner.lake.commits.get("length").id == before
    assert runner.job("double").datum_total == 0


def test_the_foot_of_a_diamond_runs_once_over_one_version(runner):
    runner.command("left", UPPER, ("raw", "/"))
    runner.command("right", UPPER, ("raw", "/"))
    runner.command(
        "foot", "cat pfs/left/a pfs/right/a > pfs/out/both", ("left", "/"), ("right", "/")
    )
    runner.put(a="one")
    runner.run()
    runner.put(a="two")
    runner.run()
    assert len(runner.lake.jobs.list(pipeline="foot")) == 2
    assert runner.files("foot@main") == {"both": "TWOTWO"}
    inputs = runner.lake.commits.get("foot").provenance.inputs
    assert {runner.lake.commits.get(one.repo, one.commit_id).global_id for one in inputs} == {
        runner.lake.commits.get("raw").global_id
    }


def test_a_cross_runs_every_combination(runner):
    runner.lake.repos.create("other")
    runner.lake.files.put("other@main/x", "1")
    runner.lake.files.put("other@main/y", "2")
    runner.put(a="one", b="two")
    runner.command(
        "pairs",
        'echo $raw $other > "pfs/out/$(ls pfs/raw)-$(ls pfs/other)"',
        ("raw", "/*"),
        ("other", "/*"),
    )
    runner.run()
    assert sorted(runner.files("pairs@main")) == ["a-x", "a-y", "b-x", "b-y"]


@pytest.mark.everywhere
def test_a_failed_datum_fails_the_job_keeps_the_good_ones_and_stops_downstream(runner):
    runner.command(
        "check", "! grep -q bad pfs/raw/* || exit 3; cp pfs/raw/* pfs/out/", ("raw", "/*")
    )
    runner.command("after", "true", ("check", "/"))
    before = runner.lake.commits.get("check").id
    commit = runner.put(a="good", b="bad")
    runner.run()
    assert runner.states(commit.global_id) == {
        "check": ("failed", None),
        "after": ("cancelled", None),
    }
    job = runner.job("check")
    assert "raw:/b" in job.message
    assert "ended with code 3" in job.message
    assert runner.job("after").message == "upstream: check failed"
    assert runner.lake.commits.get("check").id == before
    runner.put(b="mended")
    runner.run()
    assert runner.datums("check") == {
        "raw:/a": ("skipped", "unchanged"),
        "raw:/b": ("success", "input changed"),
    }


def test_a_datum_is_tried_again_as_often_as_the_spec_says(runner, tmp_path):
    marker = tmp_path / "tried"
    script = f"if [ ! -e {marker} ]; then touch {marker}; exit 1; fi; echo ok > pfs/out/x"
    runner.command("flaky", script, ("raw", "/"), datums={"tries": 2})
    runner.put(a="one")
    runner.run()
    (datum,) = runner.lake.jobs.list_datums(runner.job("flaky").id)
    assert (str(datum.state), datum.tries, datum.message) == ("success", 2, "")


@pytest.mark.everywhere
def test_n7_a_datum_that_takes_too_long_is_killed_with_its_children(runner, tmp_path):
    pid = tmp_path / "pid"
    script = f"sleep 1000 & echo $! > {pid}; wait"
    runner.command("slow", script, ("raw", "/"), datums={"tries": 1, "timeout": "1s"})
    runner.put(a="one")
    runner.run()
    assert "stopped after its 1 s" in runner.job("slow").message
    assert _is_gone(int(pid.read_text()))


def _is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_n12_two_datums_that_write_one_path_fail_the_job_and_are_named(runner):
    runner.command("clash", "echo 1 > pfs/out/same", ("raw", "/*"))
    runner.put(a="one", b="two")
    runner.run()
    job = runner.job("clash")
    assert str(job.state) == "failed"
    assert "The datums raw:/a and raw:/b both wrote 'same'" in job.message
    assert runner.files("clash@main") == {}


def test_n2_a_glob_that_matches_nothing_is_a_job_without_datums(runner):
    runner.command("none", "true", ("raw", "/*.csv"))
    runner.put(a="one")
    runner.run()
    job = runner.job("none")
    assert (str(job.state), str(job.outcome), job.datum_total) == ("success", "unchanged", 0)


def test_a_pipeline_over_an_empty_repo_waits_for_data(runner):
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.run()
    assert runner.lake.jobs.list() == []


def test_a_new_pipeline_runs_over_what_is_there_once(runner):
    runner.put(a="one")
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.run()
    assert len(runner.lake.jobs.list()) == 1
    assert runner.files("upper@main") == {"a": "ONE"}


def test_n10_what_a_program_does_to_its_input_reaches_nobody(runner):
    runner.command("rude", "echo x >> pfs/raw/a; rm -f pfs/raw/b; true", ("raw", "/"))
    runner.command("polite", "cp pfs/raw/* pfs/out/", ("raw", "/"))
    runner.put(a="one", b="two")
    runner.run()
    assert runner.files("polite@main") == {"a": "one", "b": "two"}
    assert runner.files("raw@main") == {"a": "one", "b": "two"}


@pytest.mark.everywhere
def test_a_program_sees_an_allow_list_of_variables_and_what_it_needs_to_know(runner, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("DATALAKE_URL", "/elsewhere")
    runner.command("env", "env > pfs/out/env", ("raw", "/"), parameters={"n": 3, "who": "x y"})
    runner.put(a="one")
    runner.run()
    seen = dict(line.partition("=")[::2] for line in runner.files("env@main")["env"].splitlines())
    assert "hunter2" not in str(seen)
    assert "DATALAKE_URL" not in seen
    assert seen["raw"] == "pfs/raw"
    assert seen["raw_COMMIT"] == runner.lake.commits.get("raw").id
    assert seen["PACH_JOB_ID"] == seen["DATALAKE_JOB_ID"] == runner.job("env").id
    assert (seen["PARAM_n"], seen["PARAM_who"]) == ("3", "x y")


def test_a_command_sees_the_variables_that_the_controller_gives_to_datums(runner, monkeypatch):
    monkeypatch.setenv("SECRET_OF_SERVER", "s")
    runner.command("p", 'echo "$MODE$SECRET_OF_SERVER" > pfs/out/x', ("raw", "/"))
    runner.put(a="one")
    config = ControllerConfig(workers=1, environment={"MODE": "fast", "SECRET_OF_SERVER": ""})
    runner.lake.run_controller(config, until_idle=True)
    assert runner.files("p@main") == {"x": "fast\n"}


def test_n4_an_input_cannot_take_the_name_of_a_variable_that_matters(runner):
    runner.put(a="one")
    leaf = {"repo": {"name": "raw", "glob": "/", "as": "LD_PRELOAD"}}
    runner.publish({"pipeline": "p", "input": leaf, "command": ["sh", "-c", "ls pfs > pfs/out/x"]})
    runner.run()
    assert runner.files("p@main")["x"].split() == ["LD_PRELOAD", "out"]


def test_a_parameter_is_part_of_what_a_result_depends_on(runner):
    runner.put(a="one")
    runner.command("p", "echo $PARAM_n > pfs/out/x", ("raw", "/"), parameters={"n": 1})
    runner.run()
    runner.command("p", "echo $PARAM_n > pfs/out/x", ("raw", "/"), parameters={"n": 2})
    runner.run()
    assert runner.datums("p") == {"raw:/": ("success", "parameters changed")}
    assert runner.files("p@main") == {"x": "2\n"}


def test_publishing_the_same_again_is_no_new_version_and_runs_nothing(runner):
    runner.put(a="one")
    first = runner.command("upper", UPPER, ("raw", "/*"))
    runner.run()
    again = runner.command("upper", UPPER, ("raw", "/*"))
    runner.run()
    assert (first.version, again.version) == (1, 1)
    assert len(runner.lake.jobs.list()) == 1


def test_a_paused_pipeline_takes_up_nothing_and_makes_up_for_it_with_one_job(runner):
    runner.put(a="one")
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.run()
    runner.lake.pipelines.pause("upper")
    runner.put(a="two")
    runner.put(a="three")
    runner.run()
    assert runner.files("upper@main") == {"a": "ONE"}
    runner.lake.pipelines.resume("upper")
    runner.run()
    assert runner.files("upper@main") == {"a": "THREE"}
    assert len(runner.lake.jobs.list(pipeline="upper")) == 2


def test_reprocess_runs_what_is_known(runner):
    runner.put(a="one")
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.run()
    runner.lake.pipelines.run("upper", reprocess=True)
    runner.run()
    assert runner.datums("upper") == {"raw:/a": ("success", "forced")}
    assert runner.states() == {"upper": ("success", "unchanged")}


@pytest.mark.everywhere
def test_cancelling_a_running_job_kills_it_and_commits_nothing(runner, tmp_path):
    pid = tmp_path / "pid"
    runner.command("slow", f"echo $$ > {pid}; sleep 1000", ("raw", "/"))
    runner.command("after", "true", ("slow", "/"))
    before = runner.lake.commits.get("slow").id
    runner.put(a="one")

    def cancel_when_it_runs():
        while not pid.exists():
            time.sleep(0.05)
        runner.lake.jobs.cancel(runner.job("slow").id)

    thread = threading.Thread(target=cancel_when_it_runs)
    thread.start()
    runner.run()
    thread.join()
    assert runner.states() == {"slow": ("cancelled", None), "after": ("cancelled", None)}
    assert runner.lake.commits.get("slow").id == before
    assert _is_gone(int(pid.read_text()))


def test_a_waiting_job_is_cancelled_at_once(runner):
    runner.command("upper", UPPER, ("raw", "/*"))
    runner.put(a="one")
    runner.lake.pipelines.run("upper")
    job = runner.lake.jobs.cancel(runner.job("upper").id)
    assert (str(job.state), job.message) == ("cancelled", "cancelled before it ran")


def test_waiting_for_a_failed_job_says_what_failed(runner):
    runner.put(a="one")
    runner.command("bad", "echo why >&2; exit 1", ("raw", "/"))
    global_id = runner.job("bad").global_id
    runner.run()
    with pytest.raises(JobFailedError, match="'bad' failed"):
        runner.lake.jobs.wait(global_id, timeout_s=1)
    (log,) = runner.lake.jobs.logs(runner.job("bad").id)
    assert "why\n" in log.text


def test_a_clock_ticks_once_when_its_time_has_come(runner, lake_clock):
    spec = {
        "pipeline": "clock",
        "input": {"cron": {"name": "tick", "schedule": "@every 1h"}},
        "command": ["sh", "-c", "cat pfs/tick/* > pfs/out/at"],
    }
    runner.publish(spec)
    runner.run()
    assert runner.lake.jobs.list() == []
    lake_clock.advance(3 * 3600)  # three ticks were missed: one makes up for them
    runner.run()
    runner.run()
    (job,) = runner.lake.jobs.list()
    assert str(job.trigger.kind) == "tick"
    assert runner.files("clock@main")["at"].startswith(f"{job.created_at:%Y-%m-%dT%H:%M}")


def test_a_second_controller_is_refused_while_one_leads(runner):
    stop = threading.Event()
    thread = threading.Thread(target=lambda: runner.lake.run_controller(stop=stop))
    thread.start()
    try:
        while runner.lake.maintenance.get_status().controller is None:
            time.sleep(0.05)
        with pytest.raises(ConflictError) as caught:
            runner.run()
        assert caught.value.kind is ErrorKind.LEASE_HELD
    finally:
        stop.set()
        thread.join()
    assert runner.lake.maintenance.get_status().controller is None


@pytest.mark.logs("was lost by")
def test_n13_a_killed_controller_s_job_is_finished_by_the_next_with_one_commit(
    runner, tmp_path, lake_clock
):
    started = tmp_path / "started"
    go = tmp_path / "go"
    script = (
        f"cp pfs/raw/* pfs/out/; touch {started}.$(ls pfs/raw);"
        f" if [ $(ls pfs/raw) = b ]; then while [ ! -e {go} ]; do sleep 0.1; done; fi"
    )
    runner.command("slow", script, ("raw", "/*"))
    runner.put(a="one", b="two")
    code = (
        "import sys; from jupyter_datalake.lake.controller_process import main;"
        f" main({runner.lake.url!r}, 2)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as first:
        while not all((tmp_path / f"started.{name}").exists() for name in "ab"):
            time.sleep(0.05)
        job = runner.job("slow")
        while runner.lake.jobs.get(job.id).datum_counts.get("success") != 1:
            time.sleep(0.05)
        first.kill()
        first.wait()
    go.touch()
    lake_clock.advance(3 * 365 * 86400)  # past the real time, so the leases of the dead run out
    runner.run()
    job = runner.lake.jobs.get(job.id)
    assert (str(job.state), job.attempt) == ("success", 2)
    assert runner.files("slow@main") == {"a": "one", "b": "two"}
    assert len(runner.lake.commits.list("slow")) == 2  # the empty first one, and the job's
    assert runner.datums("slow")["raw:/a"][0] == "skipped"
