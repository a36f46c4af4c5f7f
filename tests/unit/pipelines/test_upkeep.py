"""Upkeep: gc runs by itself when it is due and nobody works, and makes way."""

import os
import threading
from dataclasses import replace

import pytest

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.gc import DAY_S, Due, Garbage, GcPolicy, when_due
from jupyter_datalake.pipelines import controller as controllers
from jupyter_datalake.pipelines.upkeep import Upkeep, look
from jupyter_datalake.testing.invariants import check_lake, contents_of

POLICY = GcPolicy()
NOW_NS = 10**18


def garbage(age_s=2 * DAY_S, **changes):
    nothing = Garbage(
        every_s=DAY_S,
        since_ns=NOW_NS - int(age_s * 1e9),
        is_waiting=False,
        removed_commits=0,
        ended_undos=0,
        small_packs=0,
        has_new=False,
        last_event_ns=0,
    )
    return replace(nothing, **changes)


@pytest.mark.parametrize(
    ("found", "due"),
    [
        (garbage(), Due.NO),
        (garbage(is_waiting=True), Due.IF_IDLE),
        (garbage(removed_commits=1), Due.IF_IDLE),
        (garbage(ended_undos=1), Due.IF_IDLE),
        (garbage(small_packs=63), Due.NO),
        (garbage(small_packs=64), Due.IF_IDLE),
        (garbage(has_new=True), Due.NO),
        (garbage(is_waiting=True, last_event_ns=NOW_NS - 10**9), Due.NO),
        (garbage(is_waiting=True, every_s=0), Due.NO),
        (garbage(is_waiting=True, since_ns=None), Due.NO),
        (garbage(age_s=DAY_S / 2, is_waiting=True), Due.NO),
        (garbage(age_s=8 * DAY_S), Due.NO),
        (garbage(age_s=8 * DAY_S, has_new=True, last_event_ns=NOW_NS), Due.OVERDUE),
        (garbage(age_s=8 * DAY_S, is_waiting=True, last_event_ns=NOW_NS), Due.OVERDUE),
    ],
)
def test_gc_is_due_when_it_is_worth_it_and_nobody_works(found, due):
    assert when_due(found, POLICY, NOW_NS) is due


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    yield local_lake
    check_lake(local_lake)


@pytest.fixture
def upkeep(lake):
    made = Upkeep(lake.core, "a test", look_s=0)
    yield made
    made.close()


def tended(upkeep, *, is_busy=False):
    """Tend once, and wait for the run that this begins; tell whether one did."""
    upkeep.tend(is_busy=is_busy)
    if upkeep._thread is None:
        return False
    upkeep._thread.join()
    return True


def test_garbage_goes_by_itself_stage_by_stage_and_then_gc_rests(lake, lake_clock, upkeep):
    lake.files.put("raw@main/kept", "1")
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/gone", os.urandom(100_000))
    full = lake.maintenance.get_status().stored_bytes
    lake.refs.delete_branch("raw", "dev")
    assert not tended(upkeep)
    lake_clock.advance(3 * DAY_S)
    assert not tended(upkeep), "the branch can still be brought back"
    lake_clock.advance(12 * DAY_S)
    runs = 0
    while tended(upkeep) and runs < 9:
        runs += 1
        lake_clock.advance(DAY_S + 61)
    assert runs == len(lake.maintenance.list_runs()) == 3
    assert lake.maintenance.list_runs()[0].owner == "a test by itself"
    assert lake.maintenance.get_status().stored_bytes < full - 100_000
    assert set(contents_of(lake, "raw")) == {"kept"}
    lake_clock.advance(3 * DAY_S)
    assert not tended(upkeep)


def test_a_run_makes_way_for_work_and_is_made_anew(lake, lake_clock, upkeep, monkeypatch):
    lake.files.put("raw@main/kept", "1")
    lake.repos.create("other")
    lake.repos.delete("other")
    lake_clock.advance(15 * DAY_S)
    lake.maintenance.gc()
    lake_clock.advance(2 * DAY_S)
    assert look(lake.core, POLICY) is Due.IF_IDLE
    upkeep.tend(is_busy=True)
    assert upkeep._thread is None, "somebody works"
    begun, goes_on = threading.Event(), threading.Event()
    real = upkeep._check

    def check(report):
        if report.phase == "mark":
            begun.set()
            goes_on.wait(60)
        real(report)

    monkeypatch.setattr(upkeep, "_check", check)
    upkeep.tend(is_busy=False)
    assert begun.wait(60)
    upkeep.tend(is_busy=True)
    goes_on.set()
    upkeep._thread.join()
    newest = lake.maintenance.list_runs()[0]
    assert (newest.finished_at, newest.report["phase"]) == (None, "mark")
    assert lake.maintenance.get_status().collector is None
    monkeypatch.setattr(upkeep, "_check", real)
    lake_clock.advance(61)
    assert tended(upkeep)
    assert lake.maintenance.list_runs()[0].report["phase"] == "done"


def test_what_is_overdue_does_not_wait_for_a_quiet_moment(lake, lake_clock, upkeep):
    lake_clock.advance(8 * DAY_S)
    lake.files.put("raw@main/a", "1")
    assert tended(upkeep, is_busy=True)
    assert lake.maintenance.list_runs()[0].report["phase"] == "done"


def test_it_can_be_said_how_often_and_never(lake, lake_clock, upkeep):
    assert lake.maintenance.get_status().auto_gc_s == DAY_S
    lake.maintenance.set_auto_gc(None)
    assert lake.maintenance.get_status().auto_gc_s is None
    lake_clock.advance(30 * DAY_S)
    lake.files.put("raw@main/a", "1")
    assert not tended(upkeep)
    assert lake.maintenance.gc(only_if_due=True).phase == "not due"
    assert lake.maintenance.list_runs() == []
    lake.maintenance.set_auto_gc(3600)
    assert lake.maintenance.get_status().auto_gc_s == 3600
    assert lake.maintenance.gc(only_if_due=True).phase == "done"
    assert len(lake.maintenance.list_runs()) == 1
    for wrong in (-1, 0, 59, 10**12):
        with pytest.raises(InvalidInputError, match="every"):
            lake.maintenance.set_auto_gc(wrong)


def test_a_controller_that_leads_keeps_the_lake_in_order(lake, lake_clock, monkeypatch):
    lake_clock.advance(8 * DAY_S)
    lake.files.put("raw@main/a", "1")
    tends = []

    class Watched(Upkeep):
        def __init__(self, core, owner):
            super().__init__(core, owner, look_s=0)

        def tend(self, *, is_busy):
            super().tend(is_busy=is_busy)
            tends.append(is_busy)
            if self._thread is not None:
                self._thread.join()
                stop.set()

    stop = threading.Event()
    monkeypatch.setattr(controllers, "Upkeep", Watched)
    lake.run_controller(ControllerConfig(workers=1), stop=stop)
    (run,) = lake.maintenance.list_runs()
    assert run.report["phase"] == "done"
    assert "by itself" in run.owner
    assert tends
    stop.clear()
    tends.clear()
    lake.run_controller(ControllerConfig(workers=1), stop=stop, until_idle=True)
    assert tends == []
