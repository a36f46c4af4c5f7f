"""Clocks become jobs: each tick once, with its own time, whatever the machine's clock does."""

from datetime import UTC, datetime, timedelta

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata.base import ns_of
from jupyter_datalake.model.jobs import TriggerKind
from jupyter_datalake.pipelines import ticking
from jupyter_datalake.testing.clocks import EPOCH, ManualClock

HOUR = 3600


@pytest.fixture
def lake_clock():
    return ManualClock()  # it is noon


@pytest.fixture
def lake(lake_clock):
    with Lake.create("memory:", clock=lake_clock) as lake:
        yield lake


def clocked(lake, name, schedule, **cron):
    spec = {
        "pipeline": name,
        "input": {"cron": {"schedule": schedule, **cron}},
        "command": ["true"],
    }
    return lake.pipelines.apply(spec)


def tick(lake):
    """Do what a controller's step does about clocks; tell whether there was anything to do."""
    with lake.core.metadata.write() as tx:
        needed = ticking.clocks_need_care(tx)
        ticking.mend_clocks(tx)
        ticking.tick_clocks(tx)
    return needed


def ticks_of(lake, name):
    """Return the times of a pipeline's ticks as hours behind noon, oldest first."""
    jobs = reversed(lake.jobs.list(pipeline=name))
    start = ns_of(EPOCH)
    return [(job.trigger.at_ns - start) / 1e9 / HOUR for job in jobs]


def next_tick(lake, name):
    with lake.core.metadata.read() as tx:
        found = tx.pipelines.next_tick_ns(tx.pipelines.get(name).id)
    return datetime.fromtimestamp(found / 1e9, UTC)


def test_a_tick_becomes_one_job_of_its_own_time_however_late_it_is_looked_at(lake, lake_clock):
    clocked(lake, "p", "0 * * * *")
    assert tick(lake) is False
    lake_clock.advance(HOUR + 7)
    assert tick(lake) is True
    assert tick(lake) is False
    (job,) = lake.jobs.list()
    assert job.trigger.kind is TriggerKind.TICK
    assert ticks_of(lake, "p") == [1.0]
    assert [str(one.origin) for one in lake.lineage.list(limit=1)] == ["tick"]


def test_the_intervals_of_a_clock_do_not_drift_with_those_who_look(lake, lake_clock):
    clocked(lake, "p", "@every 1h")
    due = next_tick(lake, "p")
    for _ in range(3):
        lake_clock.advance(HOUR + 5)
        tick(lake)
    ticks = [datetime.fromtimestamp(job.trigger.at_ns / 1e9, UTC) for job in lake.jobs.list()]
    assert ticks[::-1] == [due + number * timedelta(hours=1) for number in range(3)]


@pytest.mark.parametrize(
    ("policy", "ticks"), [("one", [5.0]), ("all", [1.0, 2.0, 3.0, 4.0, 5.0]), ("none", [])]
)
def test_n3_what_was_missed_is_caught_up_with_by_policy(lake, lake_clock, policy, ticks):
    clocked(lake, "p", "@hourly", catch_up=policy)
    lake_clock.advance(5.5 * HOUR)
    assert tick(lake) is True
    assert ticks_of(lake, "p") == ticks
    assert next_tick(lake, "p") == EPOCH + timedelta(hours=6)
    lake_clock.advance(0.5 * HOUR)
    tick(lake)
    assert ticks_of(lake, "p") == [*ticks, 6.0]


def test_many_missed_ticks_are_caught_up_with_in_several_short_transactions(lake, lake_clock):
    clocked(lake, "p", "@hourly", catch_up="all")
    lake_clock.advance(120.5 * HOUR)
    counts = []
    while tick(lake):
        counts.append(len(lake.jobs.list()))
    assert counts == [50, 100, 120]
    assert ticks_of(lake, "p") == [float(hour) for hour in range(1, 121)]


def test_clocks_that_tick_at_one_time_tick_under_one_global_id(lake, lake_clock):
    clocked(lake, "p", "@hourly", catch_up="all")
    clocked(lake, "q", "0 */2 * * *", catch_up="all")
    lake_clock.advance(2.5 * HOUR)
    tick(lake)
    (first, second), (other,) = (lake.jobs.list(pipeline=name) for name in "pq")
    assert other.global_id == first.global_id != second.global_id
    assert first.trigger.at_ns == other.trigger.at_ns


def test_a_pause_is_caught_up_with_as_other_absence_is(lake, lake_clock):
    for name, policy in (("p", "one"), ("q", "all"), ("r", "none")):
        clocked(lake, name, "@hourly", catch_up=policy)
        lake.pipelines.pause(name)
    lake_clock.advance(3.5 * HOUR)
    assert tick(lake) is False
    for name in "pqr":
        lake.pipelines.resume(name)
    tick(lake)
    assert [ticks_of(lake, name) for name in "pqr"] == [[3.0], [1.0, 2.0, 3.0], []]


def test_a_clock_set_back_by_an_hour_brings_no_tick_twice(lake, lake_clock):
    clocked(lake, "p", "@hourly")
    lake_clock.advance(2.1 * HOUR)
    tick(lake)
    lake_clock.advance(-1.5 * HOUR)
    assert tick(lake) is False
    lake_clock.advance(1.5 * HOUR)
    assert tick(lake) is False
    assert ticks_of(lake, "p") == [2.0]
    lake_clock.advance(HOUR)
    tick(lake)
    assert ticks_of(lake, "p") == [2.0, 3.0]


@pytest.mark.logs("the clock was set back")
@pytest.mark.parametrize("has_ticked", [False, True])
def test_a_clock_that_ran_a_year_ahead_does_not_stand_for_a_year(lake, lake_clock, has_ticked):
    year = 365 * 24 * HOUR
    lake_clock.advance(year)
    clocked(lake, "p", "@daily")
    if has_ticked:
        lake_clock.advance(24 * HOUR)
        tick(lake)
    lake_clock.advance(-year)
    assert tick(lake) is True
    assert next_tick(lake, "p") - lake_clock.now < timedelta(days=1)
    assert tick(lake) is False
    assert len(lake.jobs.list()) == has_ticked
    lake_clock.advance(24 * HOUR)
    tick(lake)
    assert len(lake.jobs.list()) == has_ticked + 1


def test_a_clock_set_forward_misses_ticks_and_no_more(lake, lake_clock):
    clocked(lake, "p", "@hourly")
    lake_clock.advance(365 * 24 * HOUR)
    tick(lake)
    assert tick(lake) is False
    assert len(lake.jobs.list()) == 1


def test_the_clock_of_a_pipeline_is_read_where_it_says_and_edited_in_place(lake, lake_clock):
    clocked(lake, "p", "0 6 * * *", zone="Asia/Tokyo")
    assert next_tick(lake, "p") == EPOCH + timedelta(hours=9)
    lake_clock.advance(10 * HOUR)
    tick(lake)
    assert ticks_of(lake, "p") == [9.0]
    before = next_tick(lake, "p")
    edited = {
        "pipeline": "p",
        "input": {"cron": {"schedule": "0 6 * * *", "zone": "Asia/Tokyo", "catch_up": "all"}},
        "command": ["false"],
    }
    assert lake.pipelines.update(edited).version == 2
    assert next_tick(lake, "p") == before
    assert clocked(lake, "p", "0 6 * * *", zone="America/New_York").version == 3
    assert next_tick(lake, "p") == EPOCH + timedelta(hours=23)
    assert len(lake.jobs.list()) == 1


def test_a_tick_and_the_setting_on_of_its_clock_are_one_transaction(lake, lake_clock, monkeypatch):
    clocked(lake, "p", "@hourly")
    before = next_tick(lake, "p")
    lake_clock.advance(HOUR)

    def dies(*arguments):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(ticking, "plan_jobs", dies)
        with pytest.raises(RuntimeError, match="killed"):
            tick(lake)
    assert next_tick(lake, "p") == before
    assert lake.jobs.list() == []
    tick(lake)
    assert ticks_of(lake, "p") == [1.0]
