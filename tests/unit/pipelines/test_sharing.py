"""Whose turn it is: with an executor and a clock that tests move by hand."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.pipelines import CommandCode, PipelineSpec
from jupyter_datalake.pipelines.sharing import FairScheduler

DONE = DatumOutcome(DatumState.SUCCESS)


class HandExecutor:
    """Runs what it is given until it is told that it has ended."""

    def __init__(self, slots):
        self.slots = slots
        self.running = []
        self.started = []
        self.cancelled = []
        self.full = set()
        """Pipelines for which there is no room."""

    def has_room(self, spec):
        return spec.name not in self.full

    def submit(self, tasks):
        bundle = [(task, Future()) for task in tasks]
        self.running.append(bundle)
        assert len(self.running) <= self.slots
        self.started.extend(task.job_id for task in tasks)
        return [future for _, future in bundle]

    def cancel(self, task):
        self.cancelled.append(task.id)

    def end(self, job):
        """End the oldest running bundle of a job."""
        bundle = next(one for one in self.running if one[0][0].job_id == job)
        self.running.remove(bundle)
        for _, future in bundle:
            future.set_result(DONE)

    def running_jobs(self):
        return sorted(bundle[0][0].job_id for bundle in self.running)


class Ground:
    def __init__(self, slots):
        self.executor = HandExecutor(slots)
        self.now = 0.0
        self.scheduler = FairScheduler(self.executor, clock=lambda: self.now)
        self.position = 0

    def tasks(self, job, count=1):
        found = []
        for _ in range(count):
            self.position += 1
            spec = PipelineSpec(job, None, CommandCode(("true",)))
            found.append(
                DatumTask(job, self.position, 1, 1, GlobalId("g"), spec, CommitId("c"), ())
            )
        return found

    def submit(self, lane, count, bundle=1):
        """Submit bundles of tries to a lane; return their futures."""
        return [
            future
            for _ in range(count)
            for future in lane.submit(self.tasks(lane.pipeline, bundle))
        ]

    def take_turns(self, lanes, seconds, turns):
        """Let each running bundle take its job's seconds; keep queues filled; count seconds."""
        had = dict.fromkeys(seconds, 0.0)
        for lane in lanes:
            self.submit(lane, self.executor.slots)
        left = {}
        for _ in range(turns):
            for bundle in self.executor.running:
                left.setdefault(bundle[0][0].id, seconds[bundle[0][0].job_id])
            bundle = min(self.executor.running, key=lambda one: left[one[0][0].id])
            step = left[bundle[0][0].id]
            for one in self.executor.running:
                left[one[0][0].id] -= step
                had[one[0][0].job_id] += step
            self.now += step
            job = bundle[0][0].job_id
            self.submit(next(lane for lane in lanes if lane.pipeline == job), 1)
            self.executor.running.remove(bundle)
            bundle[0][1].set_result(DONE)
        return had


@pytest.fixture
def ground():
    return Ground(slots=2)


def test_the_executor_is_handed_no_more_than_it_runs_at_once(ground):
    futures = ground.submit(ground.scheduler.lane("p"), 5)
    assert ground.executor.running_jobs() == ["p", "p"]
    ground.executor.end("p")
    assert ground.executor.running_jobs() == ["p", "p"]
    assert [future.done() for future in futures] == [True, False, False, False, False]
    for _ in range(4):
        ground.executor.end("p")
    assert [future.result() for future in futures] == [DONE] * 5


def test_a_small_job_has_its_turn_as_soon_as_a_datum_of_a_large_one_ends(ground):
    ground.submit(ground.scheduler.lane("large"), 1000)
    ground.now += 60
    small = ground.submit(ground.scheduler.lane("small"), 1)
    ground.executor.end("large")
    assert ground.executor.running_jobs() == ["large", "small"]
    ground.executor.end("small")
    assert small[0].result() is DONE
    assert ground.executor.running_jobs() == ["large", "large"]


def test_workers_are_shared_by_seconds_and_not_by_datums(ground):
    lanes = [ground.scheduler.lane(name) for name in ("long", "short")]
    had = ground.take_turns(lanes, {"long": 10.0, "short": 1.0}, 400)
    assert had["long"] / had["short"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("priority", "ratio"), [(10, 10.0), (3, 2.0), (-10, 0.1), (0, 1.0)])
def test_ten_steps_of_priority_are_worth_ten_times_the_seconds(priority, ratio):
    ground = Ground(slots=11)
    lanes = [ground.scheduler.lane("first", priority), ground.scheduler.lane("other")]
    had = ground.take_turns(lanes, {"first": 1.0, "other": 1.0}, 3000)
    assert had["first"] / had["other"] == pytest.approx(ratio, rel=0.15)


def test_the_lowest_priority_runs_alone_where_nobody_else_wants_to(ground):
    ground.submit(ground.scheduler.lane("low", -10), 3)
    assert ground.executor.running_jobs() == ["low", "low"]


def test_rest_is_not_saved_up(ground):
    lanes = {name: ground.scheduler.lane(name) for name in ("busy", "rested")}
    ground.submit(lanes["rested"], 1)
    ground.executor.end("rested")
    ground.take_turns([lanes["busy"]], {"busy": 1.0}, 1000)
    ground.executor.started.clear()
    had = ground.take_turns(list(lanes.values()), {"busy": 1.0, "rested": 1.0}, 40)
    assert had["rested"] / had["busy"] == pytest.approx(1, abs=0.25)


def test_what_datums_hold_is_never_more_than_there_is(ground):
    ground.scheduler.set_limits({"gpu": 1})
    with_gpu = ground.scheduler.lane("gpu", needs={"gpu": 1})
    ground.submit(with_gpu, 3)
    assert ground.executor.running_jobs() == ["gpu"]
    ground.submit(ground.scheduler.lane("plain"), 1)
    assert ground.executor.running_jobs() == ["gpu", "plain"]
    ground.executor.end("plain")
    assert ground.executor.running_jobs() == ["gpu"]
    ground.executor.end("gpu")
    assert ground.executor.running_jobs() == ["gpu"]


def test_a_limit_that_is_raised_lets_run_what_waited(ground):
    ground.scheduler.set_limits({"gpu": 2})
    lane = ground.scheduler.lane("p", needs={"gpu": 2, "unlimited": 100})
    ground.submit(lane, 2)
    assert ground.executor.running_jobs() == ["p"]
    ground.scheduler.set_limits({"gpu": 4})
    assert ground.executor.running_jobs() == ["p", "p"]


def test_a_bundle_holds_one_worker_until_its_last_try_has_ended(ground):
    lane = ground.scheduler.lane("p")
    futures = ground.submit(lane, 3, bundle=2)
    (first, _), (_, _) = ground.executor.running
    first[1].set_result(DONE)
    assert len(ground.executor.running) == 2
    assert [future.done() for future in futures] == [True, False, False, False, False, False]
    (_, second) = ground.executor.running.pop(0)
    second[1].set_result(DONE)
    assert len(ground.executor.running) == 2
    assert all(future.done() for future in futures[:2])


def test_cancelling_takes_out_of_the_queue_or_reaches_the_worker(ground):
    lane = ground.scheduler.lane("p")
    running, waiting = ground.tasks("p", 1), ground.tasks("p", 2)
    other = ground.tasks("p", 1)
    futures = lane.submit(running) + lane.submit(other) + lane.submit(waiting)
    lane.cancel(waiting[0])
    assert futures[2].result().state is DatumState.QUEUED
    lane.cancel(running[0])
    assert ground.executor.cancelled == [running[0].id]
    lane.cancel(waiting[1])
    assert futures[3].result().state is DatumState.QUEUED
    ground.executor.end("p")
    ground.executor.end("p")
    assert ground.executor.running == []
    lane.cancel(running[0])
    assert ground.executor.cancelled == [running[0].id]


def test_a_pipeline_that_the_executor_has_no_room_for_keeps_none_from_the_others(ground):
    ground.executor.full.add("picky")
    ground.submit(ground.scheduler.lane("picky"), 2)
    ground.submit(ground.scheduler.lane("other"), 1)
    assert ground.executor.running_jobs() == ["other"]
    ground.executor.full.clear()
    ground.scheduler.set_limits({})
    assert ground.executor.running_jobs() == ["other", "picky"]


def test_an_executor_that_has_grown_is_given_more_at_the_next_look(ground):
    ground.submit(ground.scheduler.lane("p"), 5)
    assert len(ground.executor.running) == 2
    ground.executor.slots = 4
    ground.scheduler.set_limits({})
    assert len(ground.executor.running) == 4


class ThreadExecutor:
    """Runs tries in threads, counting how many run at once, of which job."""

    def __init__(self, slots):
        self.slots = slots
        self.pool = ThreadPoolExecutor(slots)
        self.lock = threading.Lock()
        self.at_once = {}
        self.most = {}

    def has_room(self, spec):
        return True

    def submit(self, tasks):
        return [self.pool.submit(self._run, task) for task in tasks]

    def cancel(self, task):
        raise AssertionError(task)

    def _run(self, task):
        for step in (1, -1):
            with self.lock:
                now = self.at_once[task.job_id] = self.at_once.get(task.job_id, 0) + step
                self.most[task.job_id] = max(self.most.get(task.job_id, 0), now)
        return DONE


def test_many_threads_may_submit_at_once_and_everything_runs_once():
    executor = ThreadExecutor(4)
    scheduler = FairScheduler(executor)
    scheduler.set_limits({"gpu": 2})
    maker = Ground(1)
    jobs = {f"job{n}": scheduler.lane(f"job{n}", n, {"gpu": 1} if n % 2 else {}) for n in range(6)}
    bundles = {name: [maker.tasks(name, 3) for _ in range(50)] for name in jobs}

    def submit(name):
        return [future for bundle in bundles[name] for future in jobs[name].submit(bundle)]

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [future for found in pool.map(submit, jobs) for future in found]
    assert [future.result(60) for future in futures] == [DONE] * 900
    executor.pool.shutdown()
    assert all(count == 0 for count in executor.at_once.values())
