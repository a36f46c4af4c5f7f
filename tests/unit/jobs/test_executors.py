"""Several executors as one: where datums go, and what is said where there is nothing for them."""

from concurrent.futures import Future

import pytest

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.executors import Executors
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.pipelines import CommandCode, ExecutorKind, PipelineSpec

DONE = DatumOutcome(DatumState.SUCCESS)
LOCAL, DASK = ExecutorKind.LOCAL, ExecutorKind.DASK


class Slow:
    """Runs nothing to its end before it is told to."""

    def __init__(self, slots):
        self.slots = slots
        self.bundles = []
        self.cancelled = []
        self.is_closed = False
        self.full = set()

    def has_room(self, spec):
        return spec.name not in self.full

    def submit(self, tasks):
        self.bundles.append([Future() for _ in tasks])
        return self.bundles[-1]

    def cancel(self, task):
        self.cancelled.append(task.id)

    def close(self):
        self.is_closed = True


def spec_of(name, executor=None):
    return PipelineSpec(name, None, CommandCode(("true",)), executor=executor)


def task_of(spec, position=0):
    return DatumTask("job", position, 1, 1, GlobalId("g"), spec, CommitId("c"), ())


@pytest.fixture
def parts():
    return {LOCAL: Slow(1), DASK: Slow(3)}


def test_a_pipeline_runs_where_it_says_and_else_where_the_controller_says(parts):
    both = Executors(parts, DASK)
    both.submit([task_of(spec_of("anywhere"))])
    both.submit([task_of(spec_of("here", LOCAL))])
    both.submit([task_of(spec_of("there", DASK))])
    assert (len(parts[LOCAL].bundles), len(parts[DASK].bundles)) == (1, 2)
    assert both.slots == 4


def test_there_is_room_until_as_many_bundles_run_as_an_executor_has_slots(parts):
    both, here = Executors(parts, DASK), spec_of("here", LOCAL)
    assert both.has_room(here)
    first, second = both.submit([task_of(here, 0), task_of(here, 1)])
    assert not both.has_room(here)
    assert both.has_room(spec_of("there"))
    first.set_result(DONE)
    assert not both.has_room(here)
    second.set_result(DONE)
    assert both.has_room(here)


def test_an_executor_that_says_it_has_no_room_for_a_pipeline_is_believed(parts):
    parts[DASK].full.add("picky")
    both = Executors(parts, DASK)
    assert not both.has_room(spec_of("picky"))
    assert both.has_room(spec_of("other"))


def test_what_is_to_run_where_there_is_nothing_fails_and_says_what_to_do(parts):
    only = Executors({LOCAL: parts[LOCAL]}, LOCAL)
    there = spec_of("there", DASK)
    assert only.has_room(there)
    (future,) = only.submit([task_of(there)])
    outcome = future.result(0)
    assert (outcome.state, outcome.kind) == (DatumState.FAILED, ErrorKind.EXECUTOR_UNAVAILABLE)
    assert "Pipeline 'there' is to run on 'dask'" in outcome.message
    assert "--scheduler" in outcome.message
    only.cancel(task_of(there))
    assert parts[LOCAL].bundles == []


def test_cancelling_and_closing_reach_those_who_run(parts):
    both, task = Executors(parts, LOCAL), task_of(spec_of("p"))
    both.submit([task])
    both.cancel(task)
    assert (parts[LOCAL].cancelled, parts[DASK].cancelled) == ([task.id], [])
    both.close()
    assert parts[LOCAL].is_closed
    assert parts[DASK].is_closed
