"""Steps of jobs in worker processes."""

import json

import pytest

from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.notifications import NotificationState
from tests.integration.pipelines.conftest import wait_until
from tests.receivers import WebReceiver


def logs(runner, pipeline):
    return {log.label: log for log in runner.lake.jobs.logs(runner.job(pipeline).id)}


def test_steps_are_commands_with_the_code_and_facts_of_their_job_and_a_time_of_their_own(runner):
    head = runner.put(a="one")
    (runner.folder / "helper.txt").write_text("a helper")
    runner.command(
        "p",
        "cat pfs/raw/a > pfs/out/a",
        ("raw", "/"),
        files=["helper.txt"],
        parameters={"days": 3},
        on_start={"command": ["sh", "-c", "cat helper.txt; ls pfs; env; echo x > pfs/out/lost"]},
        **{"finally": {"command": ["sh", "-c", "echo begun; sleep 600"], "timeout": "1s"}},
    )
    runner.run(workers=1)
    job = runner.job("p")
    assert (str(job.state), str(job.outcome)) == ("success", "committed")
    assert job.message == "finally failed: The step was stopped after its 1 s"
    assert runner.files("p@main") == {"a": "one"}
    found = logs(runner, "p")
    lines = found["on_start"].text.splitlines()
    assert lines[:2] == ["[datalake] on_start", "a helperout"]
    for wanted in (
        f"DATALAKE_JOB_ID={job.id}",
        f"DATALAKE_GLOBAL_ID={job.global_id}",
        "DATALAKE_PIPELINE=p",
        "DATALAKE_STEP=on_start",
        "DATALAKE_JOB_STATE=running",
        f"raw_COMMIT={head.id}",
        "PARAM_days=3",
    ):
        assert wanted in lines
    assert "begun" in found["finally"].text
    assert found["finally"].state is DatumState.FAILED


@pytest.mark.kernel
def test_a_step_may_be_a_notebook_whose_executed_form_is_kept(runner):
    runner.put(a="one")
    runner.write_notebook("end.ipynb", ["days = 1", "import os; print(days, os.environ['S'])"])
    runner.command(
        "p",
        "exit 3",
        ("raw", "/"),
        parameters={"days": 3},
        **{"finally": {"notebook": "end.ipynb"}},
    )
    runner.run(workers=1)
    job = runner.job("p")
    assert str(job.state) == "failed"
    assert "sh ended with code 3" in job.message
    assert "finally failed: " in job.message
    assert "KeyError" in job.message
    executed = json.loads(runner.lake.jobs.get_notebook(job.id, -1))
    assert any("days = 3" in "".join(cell["source"]) for cell in executed["cells"])


CHECKS = """
import os, signal
from helper import LIMIT


def is_short(folder):
    with open("written", "w") as file:  # beside the code, in a folder of its own
        file.write("x")
    files = [one for one in sorted(folder.rglob("*")) if one.is_file()]
    return [one.name for one in files if one.stat().st_size > LIMIT]


def dies(folder):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_functions_look_at_the_files_that_match_and_one_that_dies_keeps_them_apart(runner):
    (runner.folder / "checks.py").write_text(CHECKS)
    (runner.folder / "helper.py").write_text("LIMIT = 3")
    runner.put(a="long one", b="long too")

    def publish(*expectations):
        runner.command(
            "p",
            "mkdir pfs/out/d; cat pfs/raw/a > pfs/out/d/a; cat pfs/raw/b > pfs/out/b",
            ("raw", "/"),
            files=["helper.py"],
            expectations=list(expectations),
        )
        runner.run(workers=1)
        return runner.job("p")

    job = publish(
        {"files": "/d/*", "python": "checks.py::is_short"},
        {"python": "checks.py::dies", "on_violation": "warn"},
    )
    assert str(job.state) == "failed"
    assert "not as expected: checks.py::is_short: a." in job.message
    assert "checks.py::is_short: a" in logs(runner, "p")["checks"].text
    assert runner.files("p@quarantine") == {"d/a": "long one", "b": "long too"}
    job = publish({"files": "/d/*", "python": "checks.py::dies", "on_violation": "warn"})
    assert str(job.state) == "success"
    assert "checks.py::dies: could not be asked: " in job.message
    assert "SIGKILL" in job.message
    assert runner.files("p@main") == {"d/a": "long one", "b": "long too"}


def test_controllers_killed_in_finally_and_while_they_tell_leave_both_to_the_next(shared, start):
    signs = shared.folder.parent
    end = f"echo x >> {signs}/ended; if [ ! -e {signs}/killed ]; then sleep 1000; fi"
    web = WebReceiver()
    try:
        shared.command(
            "p",
            "cat pfs/raw/a > pfs/out/a",
            ("raw", "/"),
            on_start={"command": ["sh", "-c", f"echo x >> {signs}/begun"]},
            notify=[{"on": ["success"], "webhook": {"url": web.url}}],
            **{"finally": {"command": ["sh", "-c", end]}},
        )
        first = start()
        shared.put(a="one")
        wait_until((signs / "ended").exists, "finally to run")
        assert shared.files("p@main") == {"a": "one"}
        assert str(shared.job("p").state) == "egressing"
        (signs / "killed").touch()
        first.kill()
        second = start()
        web.on_post = lambda: web.requests[1:] or second.kill()
        wait_until(lambda: web.requests, "somebody to be told")
        wait_until(lambda: second.process.poll() is not None, "the controller to be killed")
        start()
        (told,) = shared.lake.notifications.list()
        sent = [NotificationState.SENT]
        wait_until(lambda: shared.lake.notifications.list(states=sent), "it to be sent again")
        found = shared.lake.notifications.get(told.id)
        assert found.tries == 2
        assert [one["id"] for one in web.told] == [told.id, told.id]
        job = shared.job("p")
        assert (str(job.state), str(job.outcome), job.message) == (
            "success",
            "committed",
            "taken up again during egress",
        )
        assert (signs / "ended").read_text() == "x\nx\n"
        assert (signs / "begun").read_text() == "x\n"
        assert len(shared.lake.commits.list("p")) == 2
    finally:
        web.close()
