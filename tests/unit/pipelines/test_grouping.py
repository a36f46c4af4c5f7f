"""Pipelines that are looked at and acted on together."""

import pytest

from jupyter_datalake.errors import InvalidInputError, NotFoundError, StateError
from jupyter_datalake.model.groups import PipelineGroup
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.pipelines import PipelineState
from jupyter_datalake.pipelines.grouping import GroupLimits
from tests.unit.pipelines.inline import Bench


@pytest.fixture
def bench(local_lake, tmp_path):
    """Pipelines a and b in groups, c in none; all of them read raw."""
    bench = Bench(local_lake, tmp_path / "bench")
    for name, group in (("a", {"group": "etl/daily"}), ("b", {"group": "etl"}), ("c", {})):
        bench.lake.pipelines.create({**bench.spec, "pipeline": name, **group}, folder=bench.folder)
    return bench


def names(pipelines):
    return [one.name for one in pipelines]


def test_a_group_holds_what_is_in_the_groups_inside_it(bench):
    pipelines = bench.lake.pipelines
    assert names(pipelines.list(group="etl")) == ["a", "b"]
    assert names(pipelines.list(group="etl/daily")) == ["a"]
    assert names(pipelines.list(group="etl", after="a", limit=1)) == ["b"]
    assert names(pipelines.list()) == ["a", "b", "c"]
    bench.commit(x="one")
    bench.run()
    assert pipelines.list_groups() == [
        PipelineGroup("etl", ("a", "b"), 0, {JobState.SUCCESS: 2}, None),
        PipelineGroup("etl/daily", ("a",), 0, {JobState.SUCCESS: 1}, None),
    ]
    assert {one.pipeline for one in bench.lake.jobs.list(group="etl")} == {"a", "b"}
    for verb in (pipelines.pause_group, pipelines.resume_group, pipelines.run_group):
        with pytest.raises(NotFoundError, match="There is no pipeline in group 'et'"):
            verb("et")


def test_a_group_that_was_paused_makes_up_for_what_it_missed_in_one_run(bench):
    lake = bench.lake
    paused = lake.pipelines.pause_group("etl")
    assert [(one.name, one.state) for one in paused] == [
        ("a", PipelineState.PAUSED),
        ("b", PipelineState.PAUSED),
    ]
    assert lake.pipelines.list_groups()[0].paused_count == 2
    bench.commit(x="one")
    bench.run()
    assert [one.pipeline for one in lake.jobs.list()] == ["c"]
    with pytest.raises(StateError, match="is paused"):
        lake.pipelines.run_group("etl")
    resumed = lake.pipelines.resume_group("etl")
    assert {one.state for one in resumed} == {PipelineState.ACTIVE}
    jobs = lake.jobs.list(group="etl")
    assert [one.pipeline for one in jobs] == ["b", "a"]
    assert len({one.global_id for one in jobs}) == 1
    bench.run()
    assert {one.state for one in lake.jobs.list()} == {JobState.SUCCESS}
    assert lake.pipelines.resume_group("etl") == lake.pipelines.list(group="etl")
    assert len(lake.jobs.list(group="etl")) == 2  # nothing was missed


def test_a_group_runs_and_is_cancelled_as_one(bench):
    lake = bench.lake
    bench.commit(x="one")
    bench.run()
    global_id = lake.pipelines.run_group("etl", reprocess=True)
    jobs = lake.jobs.list(global_id=global_id)
    assert {one.pipeline for one in jobs} == {"a", "b"}
    lake.pipelines.run("c")
    cancelled = lake.jobs.cancel_all(group="etl")
    assert {one.pipeline for one in cancelled} == {"a", "b"}
    (other,) = lake.jobs.list(states=[JobState.WAITING])
    assert other.pipeline == "c"


def test_jobs_begin_as_far_as_all_groups_around_them_have_room():
    limits = GroupLimits({"group/etl": 2, "group/etl/daily": 1}, ["etl/daily", "other"])
    assert not limits.admit("etl/daily")
    assert limits.admit("etl")
    assert not limits.admit("etl/weekly")
    assert limits.admit("")
    assert limits.admit("other")


def test_no_more_jobs_of_a_group_are_at_work_than_its_limit_says(bench):
    lake = bench.lake
    lake.pipelines.set_slots("group/etl", 1)
    assert [one.name for one in lake.pipelines.list_slots()] == ["group/etl", "jobs"]
    assert lake.pipelines.list_groups()[0].limit == 1
    at_once = []

    def program(inputs, out):
        running = lake.jobs.list(states=[JobState.RUNNING])
        at_once.append({one.pipeline for one in running} & {"a", "b"})

    bench.executor._program = program
    bench.commit(x="one")
    bench.run()
    assert {one.state for one in lake.jobs.list()} == {JobState.SUCCESS}
    assert {"a"} in at_once
    assert {"b"} in at_once
    assert {"a", "b"} not in at_once
    lake.pipelines.delete_slots("group/etl")
    assert lake.pipelines.list_groups()[0].limit is None
    with pytest.raises(InvalidInputError, match="'Etl' is no name of a group"):
        lake.pipelines.set_slots("group/Etl", 1)


@pytest.mark.parametrize("name", ["", "Etl", "etl/", "/etl", "a/b/c/d/e", "etl//x", "../x"])
def test_what_is_no_group_is_refused(bench, name):
    with pytest.raises(InvalidInputError, match="where a group's name belongs"):
        bench.publish(group=name)
