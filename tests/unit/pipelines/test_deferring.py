"""Triggers of inputs: a pipeline runs when enough has come in, and not before."""

from datetime import timedelta

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.pipelines import deferring
from jupyter_datalake.pipelines.deferring import Arrivals
from jupyter_datalake.pipelines.triggering import plan_event, wake_deferred
from jupyter_datalake.testing.clocks import EPOCH, ManualClock

HOUR = 3600


@pytest.fixture
def lake_clock():
    return ManualClock()  # it is noon


@pytest.fixture
def lake(lake_clock):
    with Lake.create("memory:", clock=lake_clock) as lake:
        lake.repos.create("raw")
        lake.repos.create("other")
        yield lake


def reads(repo, **trigger):
    leaf = {"name": repo, "glob": "/*"}
    return {"repo": {**leaf, "trigger": trigger} if trigger else leaf}


def create(lake, name, *inputs):
    given = inputs[0] if len(inputs) == 1 else {"cross": list(inputs)}
    lake.pipelines.create({"pipeline": name, "command": ["true"], "input": given})


class Follower:
    """What a controller does about events and alarms, without running what it plans."""

    def __init__(self, lake):
        self.lake = lake
        self.arrivals = Arrivals(lake.core)
        self.seen = lake.events.last_number()

    def step(self):
        def plan():
            with self.lake.core.metadata.write() as tx:
                for event in tx.events.list(self.seen, limit=1000):
                    plan_event(tx, event, self.arrivals)
                wake_deferred(tx, self.arrivals)

        last = self.lake.events.last_number()
        self.arrivals.settled(plan)
        self.seen = last


@pytest.fixture
def follower(lake):
    return Follower(lake)


def put(lake, repo, path, text="x"):
    lake.files.put(f"{repo}@main/{path}", text)


def end_jobs(lake):
    """End all jobs, having read what they were to read."""
    from jupyter_datalake.pipelines.resolving import resolve_inputs

    with lake.core.metadata.write() as tx:
        for job in tx.jobs.list(states=[JobState.WAITING], limit=100):
            row = tx.pipelines.get(job.pipeline)
            tx.jobs.move(job, JobState.RUNNING, inputs=resolve_inputs(tx, job, row))
            tx.jobs.move(tx.jobs.get(job.id), JobState.SUCCESS, outcome="unchanged")


def runs(lake, name):
    return len(lake.jobs.list(pipeline=name))


def wait(lake, name):
    (found,) = lake.pipelines.waits(name)
    return found


def test_n_commits_run_a_pipeline_once(lake, follower):
    create(lake, "p", reads("raw", commits=3))
    counts = []
    for number in range(7):
        put(lake, "raw", f"f{number}")
        counts.append(wait(lake, "p").commits)
        follower.step()
    assert runs(lake, "p") == 2
    assert counts == [1, 2, 3, 1, 2, 3, 1]
    assert not wait(lake, "p").is_met


def test_commits_that_are_followed_late_run_it_as_often_as_in_time(lake, follower):
    create(lake, "p", reads("raw", commits=3))
    for number in range(7):
        put(lake, "raw", f"f{number}")
    follower.step()
    assert runs(lake, "p") == 2
    assert wait(lake, "p").commits == 1


def test_what_a_job_reads_for_another_reason_is_not_waited_for_again(lake, follower):
    create(lake, "p", reads("raw", commits=3))
    put(lake, "raw", "a")
    put(lake, "raw", "b")
    follower.step()
    lake.pipelines.run("p")
    end_jobs(lake)
    assert wait(lake, "p").commits == 0
    put(lake, "raw", "c")
    follower.step()
    assert runs(lake, "p") == 1
    assert (wait(lake, "p").commits, wait(lake, "p").is_met) == (1, False)


def test_an_input_without_a_trigger_runs_it_at_once_and_reads_all(lake, follower):
    create(lake, "p", reads("raw", commits=9), reads("other"))
    put(lake, "raw", "a")
    follower.step()
    assert runs(lake, "p") == 0
    put(lake, "other", "b")
    follower.step()
    assert runs(lake, "p") == 1
    assert wait(lake, "p").commits == 0


def test_size_counts_what_commits_add_and_change_and_nothing_they_remove(lake, follower):
    create(lake, "p", reads("raw", size="1kB"))
    put(lake, "raw", "a", "x" * 400)
    put(lake, "raw", "a", "y" * 400)
    lake.files.delete("raw@main/a")
    follower.step()
    assert runs(lake, "p") == 0
    assert wait(lake, "p").size_bytes == 800
    put(lake, "raw", "b", "z" * 200)
    follower.step()
    assert runs(lake, "p") == 1
    assert wait(lake, "p").size_bytes == 0


def test_a_schedule_runs_it_at_the_first_tick_behind_what_came_in(lake, follower, lake_clock):
    create(lake, "p", reads("raw", cron="@daily"))
    lake_clock.advance(26 * HOUR)  # 14:00; a midnight went by, with nothing to run for
    follower.step()
    put(lake, "raw", "a")
    follower.step()
    assert runs(lake, "p") == 0
    assert wait(lake, "p").next_tick == EPOCH + timedelta(hours=36)
    lake_clock.advance(11 * HOUR)
    assert wait(lake, "p").is_met
    follower.step()
    follower.step()
    assert runs(lake, "p") == 1
    lake_clock.advance(48 * HOUR)
    follower.step()
    assert runs(lake, "p") == 1


def test_an_interval_counts_from_the_first_commit(lake, follower, lake_clock):
    create(lake, "p", reads("raw", cron="@every 2h"))
    lake_clock.advance(1.5 * HOUR)
    follower.step()
    put(lake, "raw", "a")
    follower.step()
    lake_clock.advance(1.9 * HOUR)
    follower.step()
    assert runs(lake, "p") == 0
    lake_clock.advance(0.2 * HOUR)
    follower.step()
    assert runs(lake, "p") == 1


@pytest.mark.parametrize(("needs_all", "expected"), [(False, [1, 1]), (True, [0, 1])])
def test_all_conditions_or_any_of_them(lake, follower, lake_clock, needs_all, expected):
    create(lake, "p", reads("raw", commits=2, cron="@hourly", all=needs_all))
    put(lake, "raw", "a")
    put(lake, "raw", "b")
    follower.step()
    found = [runs(lake, "p")]
    lake_clock.advance(1.1 * HOUR)
    follower.step()
    found.append(runs(lake, "p"))
    assert found == expected


def test_a_paused_pipeline_is_woken_by_nothing_and_makes_up_when_resumed(lake, follower):
    create(lake, "p", reads("raw", commits=2))
    lake.pipelines.pause("p")
    put(lake, "raw", "a")
    follower.step()
    lake.pipelines.resume("p")
    assert runs(lake, "p") == 0
    lake.pipelines.pause("p")
    put(lake, "raw", "b")
    follower.step()
    assert runs(lake, "p") == 0
    lake.pipelines.resume("p")
    assert runs(lake, "p") == 1


def test_a_trigger_holds_back_what_is_downstream_until_it_is_met(lake, follower):
    create(lake, "up", reads("raw"))
    create(lake, "p", reads("up", commits=2))
    create(lake, "down", reads("p"))
    put(lake, "raw", "a")
    follower.step()
    assert (runs(lake, "up"), runs(lake, "p"), runs(lake, "down")) == (1, 0, 0)


def test_a_branch_that_was_reset_counts_what_is_on_it(lake, follower):
    create(lake, "p", reads("raw", commits=2))
    first = lake.commits.get("raw").id
    put(lake, "raw", "a")
    put(lake, "raw", "b")
    follower.step()
    end_jobs(lake)
    assert wait(lake, "p").commits == 0
    lake.refs.reset("raw", "main", to=first)
    put(lake, "raw", "c")
    assert wait(lake, "p").commits == 1


def test_a_long_way_back_is_walked_in_steps(lake, follower, monkeypatch):
    monkeypatch.setattr(deferring, "_STEP", 3)
    create(lake, "p", reads("raw", commits=100, size="1TB"))
    for number in range(11):
        put(lake, "raw", f"f{number}", "xy")
        assert (wait(lake, "p").commits, wait(lake, "p").size_bytes) == (
            number + 1,
            2 * (number + 1),
        )


def test_a_pipeline_that_each_commit_runs_waits_for_nothing(lake):
    create(lake, "p", reads("raw"))
    assert lake.pipelines.waits("p") == []
