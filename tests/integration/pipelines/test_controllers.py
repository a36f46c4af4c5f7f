"""Controllers that die, stop, come back and stand by: every job ends once."""

import os
import signal
import subprocess
import sys
import threading
from itertools import pairwise
from random import Random

import pytest

from jupyter_datalake.model.jobs import LIVE_STATES, JobState
from tests.integration.pipelines.conftest import is_gone, wait_until

SLOW = """
echo $$ > {signs}/pid.$(ls pfs/raw).$(basename $DATALAKE_TRY_ID)
cp pfs/raw/* pfs/out/
if [ $(ls pfs/raw) = b ]; then while [ ! -e {signs}/go ]; do sleep 0.05; done; fi
"""

ROUNDS = int(os.environ.get("DATALAKE_FLEET_ROUNDS", "2"))


@pytest.fixture
def signs(tmp_path):
    """A folder in which datums tell that they run, and are told to go on."""
    folder = tmp_path / "signs"
    folder.mkdir()
    return folder


@pytest.fixture
def slow(shared, signs):
    """A pipeline over raw, where the datum of file b waits for a sign; and files a and b."""
    shared.command("slow", SLOW.format(signs=signs), ("raw", "/*"))
    with shared.lake.sessions.create("raw") as session:
        session.put("a", "one")
        session.put("b", "two")
        session.commit("both")
    return shared


def half_done(slow, signs):
    """Wait until datum a has succeeded and b runs; return the job, and the pid of b."""
    wait_until(slow.lake.jobs.list, "the job")
    job = slow.job("slow")
    wait_until(lambda: slow.lake.jobs.get(job.id).datum_counts.get("success") == 1, "datum a")
    pid = wait_until(lambda: list(signs.glob("pid.b.*")), "datum b")[0]
    return job, int(wait_until(pid.read_text, "its pid"))


def ended(slow, job, *, attempt):
    """Wait until the job has succeeded, and check that it committed once."""
    wait_until(lambda: slow.lake.jobs.get(job.id).state.is_terminal, "the job's end")
    job = slow.lake.jobs.get(job.id)
    assert (str(job.state), str(job.outcome), job.attempt) == ("success", "committed", attempt)
    assert slow.files("slow@main") == {"a": "one", "b": "two"}
    assert len(slow.lake.commits.list("slow")) == 2  # the empty first one, and the job's
    assert slow.lake.commits.get("slow").provenance.job_id == job.id
    assert len(slow.lake.jobs.list()) == 1
    return job


def test_of_two_controllers_one_leads_and_the_other_takes_over_when_it_is_killed(
    slow, signs, leader, start
):
    job, pid = half_done(slow, signs)
    standby = start()
    holder = slow.lake.maintenance.get_status().controller
    leader.kill()
    assert slow.lake.maintenance.get_status().controller == holder  # till its lease runs out
    wait_until(standby.leads, "the standby to lead")
    (signs / "go").touch()
    ended(slow, job, attempt=2)
    assert slow.datums("slow")["raw:/a"] == ("skipped", "unchanged")
    assert slow.datums("slow")["raw:/b"][0] == "success"
    wait_until(lambda: is_gone(pid), "the first try's program to be killed")


def test_a_leader_that_stood_still_comes_back_and_changes_nothing(slow, signs, leader, start):
    job, _ = half_done(slow, signs)
    standby = start()
    leader.send(signal.SIGSTOP)
    wait_until(standby.leads, "the standby to lead")
    (signs / "go").touch()
    ended(slow, job, attempt=2)
    leader.send(signal.SIGCONT)
    assert standby.end() == 0
    wait_until(leader.leads, "the first one to lead again")
    ended(slow, job, attempt=2)
    slow.lake.files.put("raw@main/a", "three")
    wait_until(lambda: len(slow.lake.commits.list("slow")) == 3, "the next job")
    assert slow.files("slow@main") == {"a": "three", "b": "two"}


def test_a_leader_that_is_told_to_end_hands_its_job_over_at_once(slow, signs, leader, start):
    job, pid = half_done(slow, signs)
    leader.send(signal.SIGTERM)
    assert leader.process.wait(60) == 0
    assert is_gone(pid)
    assert slow.lake.maintenance.get_status().controller is None
    waiting = slow.lake.jobs.get(job.id)
    assert (str(waiting.state), waiting.attempt) == ("waiting", 2)
    start()
    (signs / "go").touch()
    ended(slow, job, attempt=2)


def test_what_was_committed_while_no_controller_ran_is_taken_up_once(slow, signs, start):
    (signs / "go").touch()
    slow.lake.files.put("raw@main/a", "newer")
    slow.lake.files.put("raw@main/a", "one")
    for _ in range(2):
        start()
    wait_until(lambda: len(slow.lake.commits.list("slow")) == 4, "three jobs")
    jobs = slow.lake.jobs.list()
    assert [str(job.state) for job in jobs] == ["success"] * 3
    commits = slow.lake.commits.list("slow", limit=3)
    assert [commit.provenance.job_id for commit in commits] == [job.id for job in jobs]
    assert slow.files("slow@main") == {"a": "one", "b": "two"}
    assert slow.datums("slow")["raw:/a"] == ("skipped", "unchanged")


def test_the_log_of_a_running_datum_is_read_while_it_is_written(shared, signs, leader):
    script = (
        "echo this is try $DATALAKE_ATTEMPT; [ $DATALAKE_ATTEMPT = 2 ] || exit 1;"
        " while [ ! -e {0}/go ]; do sleep 0.05; done; echo went on"
    )
    shared.command("slow", script.format(signs), ("raw", "/"), datums={"tries": 2})
    shared.lake.files.put("raw@main/a", "one")
    job_id = wait_until(shared.lake.jobs.list, "the job")[0].id

    def log():
        return "".join(one.text for one in shared.lake.jobs.logs(job_id))

    wait_until(lambda: "this is try 2" in log(), "the second try")
    assert "went on" not in log()
    assert str(shared.lake.jobs.get(job_id).state) == "running"
    (signs / "go").touch()
    wait_until(lambda: shared.lake.jobs.get(job_id).state.is_terminal, "the job's end")
    assert "went on" in log()


def test_a_job_cancelled_midway_by_another_process_leaves_no_commit_and_no_process(
    shared, signs, start
):
    start(workers=2)
    script = (
        "(setsid sh -c 'sleep 1000' & echo $! > {0}/child.$(ls pfs/raw)) > /dev/null 2>&1;"
        " echo $$ > {0}/pid.$(ls pfs/raw); echo half > pfs/out/half; sleep 1000"
    )
    shared.command("endless", script.format(signs), ("raw", "/*"))
    shared.command("after", "true", ("endless", "/"))
    before = shared.lake.commits.get("endless").id
    with shared.lake.sessions.create("raw") as session:
        for name in "abc":
            session.put(name, name)
        session.commit("three")
    wait_until(lambda: len(list(signs.glob("pid.*"))) == 2, "two datums to run")
    pids = [int(wait_until(one.read_text, "a pid")) for one in signs.iterdir()]
    assert len(pids) == 4
    assert not any(is_gone(pid) for pid in pids)
    job = shared.job("endless")
    datalake = [sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", shared.lake.url]
    subprocess.run([*datalake, "jobs", "cancel", job.id], check=True, capture_output=True)
    waited = subprocess.run(
        [*datalake, "jobs", "wait", job.global_id], capture_output=True, text=True, check=False
    )
    assert (waited.returncode, waited.stdout) == (30, "")
    (line,) = waited.stderr.splitlines()
    assert "pipeline 'endless' cancelled: cancelled by request" in line
    assert shared.states() == {"endless": ("cancelled", None), "after": ("cancelled", None)}
    assert shared.lake.commits.get("endless").id == before
    wait_until(lambda: all(is_gone(pid) for pid in pids), "the programs to be killed")
    folder = shared.lake.core.work_folder / "jobs" / job.id
    wait_until(lambda: not folder.exists(), "the job's folder to be removed")


def killed_once(runner, tries, **options):
    """Run a datum that leaves a child behind; kill its worker the first time; return the pids."""
    signs = runner.folder.parent
    script = (
        f"echo $PPID > {signs}/worker; echo $$ > {signs}/program;"
        f" if [ ! -e {signs}/killed ]; then sleep 1000; fi; echo done > pfs/out/x"
    )
    runner.command("datum", script, ("raw", "/"), datums={"tries": tries, "timeout": "60s"})
    runner.lake.files.put("raw@main/a", "one")
    pids = []

    def kill():
        wait_until((signs / "program").exists, "the datum to run")
        pids.extend(int(wait_until((signs / n).read_text)) for n in ("worker", "program"))
        (signs / "killed").touch()
        os.kill(pids[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    runner.run(workers=1)
    thread.join()
    return pids


@pytest.mark.logs("worker died")
def test_a_worker_killed_in_the_middle_of_a_datum_is_replaced_and_the_datum_tried_again(runner):
    worker, program = killed_once(runner, tries=2)
    assert runner.states() == {"datum": ("success", "committed")}
    (datum,) = runner.lake.jobs.list_datums(runner.job("datum").id)
    assert (str(datum.state), datum.tries) == ("success", 2)
    assert is_gone(worker)
    assert is_gone(program)


@pytest.mark.logs("worker died")
def test_a_worker_killed_in_the_last_try_fails_the_job_and_says_what_happened(runner):
    worker, program = killed_once(runner, tries=1)
    job = runner.job("datum")
    assert str(job.state) == "failed"
    assert "The process that ran the datum died: killed by signal 9" in job.message
    assert "\n" not in job.message
    assert len(runner.lake.commits.list("datum")) == 1
    assert is_gone(worker)
    assert is_gone(program)


@pytest.mark.parametrize("end", [signal.SIGTERM, "end of input"])
def test_the_process_that_the_server_starts_ends_when_it_is_told_or_left(slow, signs, end):
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_datalake.lake.controller_process", slow.lake.url, "1"],
        stdin=subprocess.PIPE,
    )
    try:
        _, pid = half_done(slow, signs)
        if end is signal.SIGTERM:
            process.send_signal(end)
        else:
            process.stdin.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdin.close()
        process.wait()
    assert is_gone(pid)
    assert slow.lake.maintenance.get_status().controller is None
    assert str(slow.job("slow").state) == "waiting"


@pytest.mark.kernel
@pytest.mark.logs("worker died")
def test_a_worker_killed_under_a_notebook_takes_the_kernel_with_it_and_keeps_the_log(runner):
    signs = runner.folder.parent
    runner.lake.files.put("raw@main/a", "one")
    cells = [
        "out = ''",
        "import os, pathlib, psutil, time\n"
        "print('as far as this', flush=True)\n"
        "zygote, worker = psutil.Process().parents()[:2]\n"
        "pids = f'{worker.pid} {zygote.pid} {os.getpid()}'\n"
        f"pathlib.Path('{signs}/partial').write_text(pids)\n"
        f"os.rename('{signs}/partial', '{signs}/pids')\n"
        "while True: time.sleep(0.1)",
    ]
    runner.notebook("book", cells, ("raw", "/"))
    pids = []

    def kill():
        wait_until((signs / "pids").exists, "the notebook to run")
        pids.extend(map(int, wait_until((signs / "pids").read_text).split()))
        os.kill(pids[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    runner.run(workers=1)
    thread.join()
    job = runner.job("book")
    assert str(job.state) == "failed"
    assert "killed by signal 9" in job.message
    assert "as far as this" in runner.lake.jobs.logs(job.id)[0].text
    assert all(is_gone(pid) for pid in pids)


class Fleet:
    """Two servers' controllers and one of the command line, over one lake."""

    def __init__(self, lake, start):
        self.lake = lake
        self._start = start
        self.datalake = [sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", lake.url]
        self.servers = [start(), start()]
        self.command = self._run()

    def _run(self):
        return subprocess.Popen([*self.datalake, "controller", "run", "--workers", "1"])

    def lose_the_leader(self):
        """Kill whoever leads, or tell the command line's to end; start another in its place."""
        leader = wait_until(lambda: self.lake.maintenance.get_status().controller, "a leader")
        if leader.split(":")[-2] == str(self.command.pid):
            # Its lease would last for 15 s, as those of servers do outside of tests.
            self.command.terminate()
            assert self.command.wait(60) == 0
            self.command = self._run()
            return
        for number, one in enumerate(self.servers):
            if leader.split(":")[-2] == str(one.process.pid):
                one.kill()
                self.servers[number] = self._start()

    def close(self):
        self.command.terminate()
        self.command.wait(60)


@pytest.mark.parametrize("shared", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("seed", range(1, 1 + int(os.environ.get("DATALAKE_FLEET_SEEDS", "1"))))
def test_whoever_dies_of_several_controllers_each_tick_and_commit_has_one_output(
    shared, start, signs, seed
):
    chance = Random(seed)
    noted = f"echo $$ > {signs}/$(basename $DATALAKE_TRY_ID)"
    shared.publish(
        {
            "pipeline": "clock",
            "input": {"cron": {"schedule": "@every 2s", "catch_up": "all"}},
            "command": ["sh", "-eu", "-c", f"{noted}; ls pfs/tick > pfs/out/at"],
        }
    )
    shared.command("copy", f"{noted}; cp pfs/raw/* pfs/out/", ("raw", "/"))
    fleet = Fleet(shared.lake, start)
    try:
        written = []
        for number in range(ROUNDS):
            for _ in range(chance.randrange(1, 4)):
                written.append(f"{len(written)}")
                put = [*fleet.datalake, "files", "put", f"raw@main/{written[-1]}", __file__]
                subprocess.run(put, check=True, capture_output=True)
            ended = len(shared.lake.jobs.list(states=[JobState.SUCCESS]))
            wait_until(
                lambda ended=ended: len(shared.lake.jobs.list(states=[JobState.SUCCESS])) > ended,
                f"a job of round {number} to end",
            )
            fleet.lose_the_leader()
        shared.lake.pipelines.pause("clock")
        wait_until(lambda: not shared.lake.jobs.list(states=LIVE_STATES), "all jobs to end")
    finally:
        fleet.close()
    jobs = shared.lake.jobs.list()[::-1]
    assert {str(job.state) for job in jobs} == {"success"}
    ticks = [job for job in jobs if job.pipeline == "clock"]
    times = [job.trigger.at_ns for job in ticks]
    assert {late - early for early, late in pairwise(times)} == {2_000_000_000}
    copies = [job for job in jobs if job.pipeline == "copy"]
    assert len(copies) == len(written)
    assert [job.inputs["raw"] for job in copies] == [
        commit.id for commit in shared.lake.commits.list("raw")[-2::-1]
    ]
    for name, made in (("clock", ticks), ("copy", copies)):
        commits = shared.lake.commits.list(name)[-2::-1]
        assert [commit.provenance.job_id for commit in commits] == [job.id for job in made]
    assert sorted(shared.files("copy@main")) == sorted(written)
    pids = [int(one.read_text()) for one in signs.iterdir()]
    wait_until(lambda: all(is_gone(pid) for pid in pids), "every program to have ended")
