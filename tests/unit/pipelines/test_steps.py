"""What jobs run before their datums and at their end."""

import threading

import pytest

from jupyter_datalake.errors import InvalidInputError, PathNotFoundError
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.pipelines import CommandCode, JobStep, NotebookCode
from jupyter_datalake.pipelines.running import JobRun
from tests.unit.pipelines.inline import Bench

STEPS = {
    "on_start": {"command": ["set", "up"]},
    "finally": {"command": ["tear", "down"], "timeout": "90s"},
}


@pytest.fixture
def bench(local_lake, tmp_path):
    return Bench(local_lake, tmp_path / "bench")


def names(bench):
    return [name for name, _ in bench.executor.steps]


def fail_at(step, why="it is not there"):
    def run(task):
        if task.step == step:
            raise ValueError(why)

    return run


def logs(bench):
    return {log.label: (log.state, log.text) for log in bench.lake.jobs.logs(bench.job.id)}


def test_steps_run_around_the_datums_and_are_no_datums(bench):
    bench.publish(**STEPS)
    bench.commit(a="one", b="two")
    assert bench.run() == [["a"], ["b"]]
    assert names(bench) == ["on_start", "finally"]
    job = bench.job
    assert (job.state, str(job.outcome), job.message) == (JobState.SUCCESS, "committed", "")
    assert (job.datum_total, job.datum_counts) == (2, {DatumState.SUCCESS: 2})
    assert [one.position for one in bench.lake.jobs.list_datums(job.id)] == [0, 1]
    assert bench.output() == {"a": "ONE", "b": "TWO"}
    (_, begun), (_, ended) = bench.executor.steps
    assert begun["DATALAKE_STEP"] == "on_start"
    assert begun["DATALAKE_JOB_STATE"] == "running"
    assert begun["raw_COMMIT"] == bench.lake.commits.get("raw").id
    assert "DATALAKE_JOB_OUTPUT" not in begun
    assert ended["DATALAKE_JOB_STATE"] == "success"
    assert (ended["DATALAKE_JOB_OUTCOME"], ended["DATALAKE_JOB_MESSAGE"]) == ("committed", "")
    assert ended["DATALAKE_JOB_OUTPUT"] == job.output_commit_id


def test_their_logs_are_those_of_the_job(bench):
    bench.publish(**STEPS)
    bench.commit(a="one")
    bench.run()
    job_id = bench.job.id
    found = [(one.position, one.label) for one in bench.lake.jobs.logs(job_id)]
    assert found == [(-2, "on_start"), (-1, "finally"), (0, "raw:/a")]
    (log,) = bench.lake.jobs.logs(job_id, datum=-1)
    assert (log.state, log.text) == (DatumState.SUCCESS, "ran ('tear', 'down')")
    lines = [(one.label, one.text) for one in bench.lake.jobs.follow_logs(job_id)]
    assert lines[:2] == [("on_start", "ran ('set', 'up')"), ("finally", "ran ('tear', 'down')")]
    hits = [*bench.lake.jobs.search_logs("ran (", job_id=job_id)]
    assert [one.position for one in hits] == [-2, -1]
    place = f"{bench.job.number}/-2/1"
    rest = bench.lake.jobs.search_logs("ran (", job_id=job_id, after=place)
    assert [one.position for one in rest] == [-1]


def test_where_on_start_fails_no_datum_runs_and_finally_does(bench):
    bench.publish(**STEPS)
    bench.executor.on_step = fail_at("on_start")
    bench.commit(a="one")
    assert bench.run() == []
    assert names(bench) == ["on_start", "finally"]
    job = bench.job
    assert job.state is JobState.FAILED
    assert job.message == "on_start failed, and no datum ran: it is not there"
    assert bench.executor.steps[-1][1]["DATALAKE_JOB_STATE"] == "failed"
    assert bench.executor.steps[-1][1]["DATALAKE_JOB_MESSAGE"] == job.message
    assert logs(bench)["on_start"][0] is DatumState.FAILED
    bench.executor.on_step = None
    bench.lake.pipelines.run("p")
    bench.run()
    assert bench.job.state is JobState.SUCCESS


def test_finally_is_told_that_datums_failed(bench):
    bench.publish(**STEPS)
    bench.commit(a="bad")
    bench.run()
    assert names(bench) == ["on_start", "finally"]
    told = bench.executor.steps[-1][1]
    assert (told["DATALAKE_JOB_STATE"], told["DATALAKE_JOB_MESSAGE"]) == ("failed", "a bad input")
    assert told["DATALAKE_JOB_OUTPUT"] == ""
    assert (bench.job.state, bench.job.message) == (JobState.FAILED, "a bad input")


@pytest.mark.logs("finally of job")
def test_a_bug_in_finally_does_not_keep_a_job_from_ending(bench):
    bench.publish(**STEPS)

    def run(task):
        if task.step == "finally":
            raise RuntimeError("a bug")

    bench.executor.on_step = run
    bench.commit(a="one")
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    assert bench.job.message == "finally failed: Internal error: RuntimeError: a bug"


@pytest.mark.parametrize(("text", "state"), [("one", "success"), ("bad", "failed")])
def test_a_failing_finally_is_told_of_and_changes_nothing_else(bench, text, state):
    bench.publish(**STEPS, notify=[{"on": ["unclean"], "jupyter": True}])
    bench.executor.on_step = fail_at("finally")
    bench.commit(a=text)
    bench.run()
    assert str(bench.job.state) == state
    assert bench.job.message.endswith("finally failed: it is not there")
    assert bench.output() == ({"a": "ONE"} if state == "success" else {})
    (told,) = bench.lake.notifications.list()
    assert told.occasions == (("success" if state == "success" else "failure"), "unclean")
    assert logs(bench)["finally"][0] is DatumState.FAILED


def test_what_is_unchanged_runs_its_steps_too(bench):
    bench.publish(**STEPS)
    bench.commit(a="one")
    bench.run()
    bench.lake.pipelines.run("p")
    bench.run()
    assert str(bench.job.outcome) == "unchanged"
    assert names(bench) == ["on_start", "finally"] * 2


def test_a_job_that_never_began_has_nothing_to_end(bench):
    bench.publish(**STEPS)
    bench.commit(a="one")
    bench.lake.pipelines.run("p")
    job_id = bench.job.id
    assert bench.lake.jobs.cancel(job_id).state is JobState.CANCELLED
    bench.run()
    assert bench.lake.jobs.logs(job_id) == []


def test_a_job_that_is_cancelled_runs_its_finally(bench, monkeypatch):
    told = threading.Event()

    def cancel(run, reason, real=JobRun.cancel):
        real(run, reason)
        told.set()

    def ask(task):
        if task.step == "on_start":
            bench.lake.jobs.cancel(task.job_id)
            assert told.wait(60)  # until the controller has passed it on

    monkeypatch.setattr(JobRun, "cancel", cancel)
    bench.publish(**STEPS)
    bench.commit(a="one")
    bench.executor.on_step = ask
    assert bench.run() == []
    assert (bench.job.state, bench.job.message) == (JobState.CANCELLED, "cancelled by request")
    assert names(bench) == ["on_start", "finally"]
    assert bench.executor.steps[-1][1]["DATALAKE_JOB_STATE"] == "cancelled"
    assert bench.output() == {}


def lose(bench, *, after):
    """Leave the job as a controller leaves it that is killed when a step has begun, or ended."""

    class Killed(BaseException):
        """Nothing else of the run happens."""

    def run(task):
        if task.step == after:
            raise Killed

    bench.executor.on_step = run
    with bench.lake.core.metadata.read() as tx:
        (job,) = tx.jobs.ready(9)
    killed = JobRun(
        bench.lake.core, bench.executor, job, owner="died", lease_s=0, author=bench.lake.author
    )
    with pytest.raises(Killed):
        killed.run()
    bench.executor.on_step = None


@pytest.mark.logs("was lost by died")
@pytest.mark.parametrize("after", ["on_start", "finally"])
def test_a_job_whose_controller_was_killed_in_a_step_runs_it_again(bench, after):
    bench.publish(**STEPS)
    bench.run()
    bench.executor.steps.clear()
    bench.commit(a="one")
    bench.lake.pipelines.run("p")
    lose(bench, after=after)
    ran = names(bench)
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    assert bench.output() == {"a": "ONE"}
    rest = ["finally"] if after == "finally" else ["on_start", "finally"]
    assert names(bench)[len(ran) :][: len(rest)] == rest
    assert logs(bench)["finally"][0] is DatumState.SUCCESS


@pytest.mark.logs("was lost by died")
def test_a_lost_job_that_is_cancelled_while_it_waits_still_runs_its_finally(bench):
    bench.publish(**STEPS)
    bench.run()
    bench.commit(a="one")
    bench.lake.pipelines.run("p")
    lose(bench, after="on_start")
    job_id = bench.job.id
    with bench.lake.core.metadata.write() as tx:
        tx.jobs.move(tx.jobs.get(job_id), JobState.LOST)
        tx.jobs.move(tx.jobs.get(job_id), JobState.WAITING)
    bench.executor.steps.clear()
    asked = bench.lake.jobs.cancel(job_id)
    assert (asked.state, asked.cancel_requested) == (JobState.WAITING, True)
    bench.run()
    job = bench.lake.jobs.get(job_id)
    assert (job.state, job.message) == (JobState.CANCELLED, "cancelled by request")
    assert names(bench)[0] == "finally"
    assert bench.executor.steps[0][1]["DATALAKE_JOB_STATE"] == "cancelled"


def test_steps_are_kept_as_they_were_written_and_their_notebooks_are_published(bench):
    spec = bench.publish(**STEPS).spec
    assert spec.on_start == JobStep(CommandCode(("set", "up")), 600.0)
    assert spec.finally_ == JobStep(CommandCode(("tear", "down")), 90.0)
    assert bench.lake.pipelines.get("p").spec == spec
    with pytest.raises(PathNotFoundError, match=r"needs the file '.*end.ipynb'"):
        bench.publish(**{"finally": {"notebook": "end.ipynb"}})
    (bench.folder / "end.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    spec = bench.publish(**{"finally": {"notebook": "end.ipynb"}}).spec
    assert spec.finally_.code == NotebookCode("end.ipynb")
    assert bench.lake.files.read("p.code@main/end.ipynb").startswith(b'{"cells"')


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({}, "on_start needs exactly one of command and notebook"),
        ({"command": ["x"], "notebook": "y"}, "on_start needs exactly one of command and notebook"),
        ({"command": ["x"], "timeout": "0s"}, r"on_start.timeout '0s' is not a duration"),
        ({"script": "x"}, "on_start has the unknown key 'script'"),
    ],
)
def test_a_step_that_cannot_be_is_refused_by_its_place(bench, step, why):
    with pytest.raises(InvalidInputError, match=why):
        bench.publish(on_start=step)
