"""What a Dask worker does with bundles: with an executor that does nothing by itself."""

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from jupyter_datalake.jobs.dask_host import Host
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, bundle_as_dict, parse_outcome
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.pipelines import CommandCode, PipelineSpec

PATIENCE_S = 30


class Hand:
    """Takes tries, and ends them when it is told to."""

    def __init__(self):
        self.futures = []
        self.tasks = []
        self.cancelled = []
        self.is_begun = threading.Event()
        self.is_closed = threading.Event()

    def submit(self, tasks):
        self.tasks += tasks
        futures = [Future() for _ in tasks]
        self.futures += futures
        self.is_begun.set()
        return futures

    def cancel(self, task):
        self.cancelled.append(task.name)
        self.futures[self.tasks.index(task)].set_result(DatumOutcome(DatumState.QUEUED))

    def close(self):
        self.is_closed.set()


class Ground:
    def __init__(self, **options):
        self.made = []
        self.is_told = threading.Event()
        self.told = []
        self.host = Host(self.make, **options)
        self.pool = ThreadPoolExecutor(4)

    def make(self):
        self.made.append(Hand())
        return self.made[-1]

    def begin(self, key, count=1):
        """Run a bundle in a thread; return the future of its outcomes, once it has begun."""
        spec = PipelineSpec("p", None, CommandCode(("true",)))
        tasks = [
            DatumTask("job", at, 1, 1, GlobalId("g"), spec, CommitId("c"), ())
            for at in range(count)
        ]
        bundle = json.dumps(bundle_as_dict(tasks))
        return self.pool.submit(lambda: parsed(self.host.run(key, bundle, self.tell)))

    def tell(self, outcomes):
        self.told.append(parsed(outcomes))
        self.is_told.set()

    def hand(self):
        """Return the executor, once it has tries."""
        while not self.made:
            threading.Event().wait(0.001)
        assert self.made[-1].is_begun.wait(PATIENCE_S)
        return self.made[-1]


def parsed(outcomes):
    return {place: str(parse_outcome(raw).state) for place, raw in json.loads(outcomes)}


def end(future):
    future.set_result(DatumOutcome(DatumState.SUCCESS))


@pytest.fixture
def ground():
    made = Ground()
    yield made
    made.host.close()
    made.pool.shutdown()


def test_outcomes_come_by_place_and_runs_of_one_try_are_told_apart(ground):
    future = ground.begin("k", 2)
    hand = ground.hand()
    assert ground.host.is_running("k")
    end(hand.futures[1])
    end(hand.futures[0])
    assert future.result(PATIENCE_S) == {0: "success", 1: "success"}
    assert not ground.host.is_running("k")
    assert [task.name.rpartition(".")[0] for task in hand.tasks] == ["0-1.1", "1-1.1"]
    assert all(task.run for task in hand.tasks)


def test_an_outcome_is_told_while_another_one_takes_its_time(ground):
    future = ground.begin("k", 2)
    end(ground.hand().futures[0])
    assert ground.is_told.wait(PATIENCE_S)
    assert ground.told == [{0: "success"}]
    end(ground.hand().futures[1])
    assert future.result(PATIENCE_S) == {0: "success", 1: "success"}


def test_what_is_stopped_is_cancelled_and_says_nothing(ground):
    future = ground.begin("k", 2)
    hand = ground.hand()
    ground.host.stop("k")
    assert future.result(PATIENCE_S) == {0: "queued", 1: "queued"}
    assert hand.cancelled == [task.name for task in hand.tasks]


def test_what_is_stopped_before_it_begins_does_not_begin(ground):
    ground.host.stop("k")
    assert ground.begin("k").result(PATIENCE_S) == {0: "queued"}
    assert ground.made == []


def test_what_was_stopped_and_forgotten_may_begin(ground):
    ground.host.stop("k")
    ground.host.forget("k")
    future = ground.begin("k")
    end(ground.hand().futures[0])
    assert future.result(PATIENCE_S) == {0: "success"}


def test_without_work_the_executor_is_closed_and_made_again_for_more():
    ground = Ground(idle_s=0.01)
    first = ground.begin("k")
    hand = ground.hand()
    assert not hand.is_closed.is_set()
    end(hand.futures[0])
    assert first.result(PATIENCE_S) == {0: "success"}
    assert hand.is_closed.wait(PATIENCE_S)
    second = ground.begin("l")
    while len(ground.made) < 2:
        threading.Event().wait(0.001)
    end(ground.hand().futures[0])
    assert second.result(PATIENCE_S) == {0: "success"}
    ground.host.close()
    ground.pool.shutdown()


def test_nothing_begins_on_a_host_that_was_closed(ground):
    ground.host.close()
    assert ground.begin("k").result(PATIENCE_S) == {0: "queued"}
    assert ground.made == []
