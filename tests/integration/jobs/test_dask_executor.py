"""The Dask executor on a real cluster, with datums that do as they are told and need no lake."""

import itertools
import json
import os
import pickle
import sys
import time
from concurrent.futures import wait
from functools import partial

import pytest
from click.testing import CliRunner
from distributed import Client, LocalCluster

from jupyter_datalake.cli.main import cli
from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.jobs import dask_executor
from jupyter_datalake.jobs.dask_executor import DaskExecutor, HostPlugin
from jupyter_datalake.jobs.tasks import DatumTask, bundle_as_dict
from jupyter_datalake.lake.controllers import host_executor
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.pipelines import CommandCode, DatumLimits, PipelineSpec, Placement
from jupyter_datalake.testing.dask_cluster import DaskCluster
from jupyter_datalake.testing.network import TcpProxy, black_hole, passing
from jupyter_datalake.testing.s3_servers import SECRET_KEY
from jupyter_datalake.testing.told_executor import ToldExecutor

PATIENCE_S = 30
_numbers = itertools.count()


def wait_until(condition, what="it to happen"):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def tasks_of(count, folder, does=None, name="p", **spec):
    """Return tries of one job; `does` says what those at some positions do."""
    parameters = {**{f"at{at}": what for at, what in (does or {}).items()}, "folder": str(folder)}
    made = PipelineSpec(name, None, CommandCode(("true",)), parameters=parameters, **spec)
    job = f"{next(_numbers):08}job"
    return [DatumTask(job, at, 1, 1, GlobalId("g"), made, CommitId("c"), ()) for at in range(count)]


def states(futures):
    assert not wait(futures, PATIENCE_S).not_done
    return [str(one.result().state) for one in futures]


def begun(folder, count):
    """Wait until so many tries wait; return the process ids of their workers."""
    found = wait_until(
        lambda: len(names := [one.name for one in folder.glob("*.begun")]) >= count and names,
        f"{count} tries to begin",
    )
    return [int(name.split(".")[1]) for name in found]


@pytest.fixture
def opened(cluster):
    """Open an executor on the cluster; ``opened(at_most=9)``."""
    made = []

    def do(address=cluster.address, **options):
        made.append(DaskExecutor(address, ToldExecutor, name=f"test{next(_numbers)}", **options))
        return made[-1]

    yield do
    for one in made:
        one.close()


def test_bundles_come_back_in_order_and_as_many_run_as_there_are_threads(opened, tmp_path):
    executor = opened()
    assert executor.slots == 3
    bundles = [executor.submit(tasks_of(5, tmp_path)) for _ in range(6)]
    assert [states(one) for one in bundles] == [["success"] * 5] * 6


def test_a_try_that_kills_its_workers_fails_alone_and_the_last_worker_is_named(
    opened, cluster, tmp_path
):
    cluster.add_workers(2)  # two end with the bundle, two with what is left alone of it
    futures = opened().submit(tasks_of(3, tmp_path, {1: "die"}))
    assert states(futures) == ["success", "failed", "success"]
    outcome = futures[1].result()
    assert outcome.kind is ErrorKind.DATUM_FAILED
    assert outcome.message.startswith("2 Dask workers ended while they ran the datum")
    assert "tcp://127.0.0.1:" in outcome.message


def test_a_cancelled_try_is_stopped_before_it_is_answered_and_the_others_go_on(opened, tmp_path):
    executor = opened()
    tasks = tasks_of(3, tmp_path, {1: "wait"})
    futures = executor.submit(tasks)
    begun(tmp_path, 1)
    executor.cancel(tasks[1])
    assert states(futures) == ["success", "queued", "success"]
    assert futures[1].result().message == "cancelled"
    assert len(list(tmp_path.glob("*.stopped"))) == 1


def test_an_outcome_is_told_while_a_later_one_of_its_bundle_takes_its_time(opened, tmp_path):
    futures = opened().submit(tasks_of(2, tmp_path, {1: "wait"}))
    assert str(futures[0].result(PATIENCE_S).state) == "success"
    assert not futures[1].done()
    (tmp_path / "go").touch()
    assert states(futures) == ["success", "success"]


def test_what_waits_is_answered_when_the_executor_closes_and_nothing_runs_on(opened, tmp_path):
    executor = opened()
    futures = [one for _ in range(4) for one in executor.submit(tasks_of(1, tmp_path, {0: "wait"}))]
    begun(tmp_path, 3)
    executor.close()
    assert states(futures) == ["queued"] * 4
    assert len(list(tmp_path.glob("*.stopped"))) == 3
    (late,) = executor.submit(tasks_of(1, tmp_path))
    assert late.result(0).state is DatumState.QUEUED


@pytest.mark.logs(
    "the Dask scheduler .* is (away|back)|^$"
)  # Dask's client says nothing, as an error
def test_what_a_lost_scheduler_had_is_handed_to_the_next_one_at_its_address(
    opened, cluster, tmp_path
):
    executor = opened()
    futures = executor.submit(tasks_of(1, tmp_path, {0: "wait"}))
    futures += executor.submit(tasks_of(2, tmp_path))
    (first,) = begun(tmp_path, 1)
    cluster.restart_scheduler()
    later = executor.submit(tasks_of(1, tmp_path))
    cluster.add_workers(1)
    wait_until(lambda: set(begun(tmp_path, 1)) != {first}, "another worker to begin")
    (tmp_path / "go").touch()
    assert states(futures + later) == ["success"] * 4


def test_a_worker_that_is_cut_off_is_missed_and_what_it_had_runs_elsewhere(opened, tmp_path):
    soon = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "1s"}  # Dask makes at least 5 s of it
    with DaskCluster(soon) as cluster, TcpProxy("127.0.0.1", cluster.port) as network:
        far = cluster.add_worker(scheduler=f"tcp://127.0.0.1:{network.port}").wait_until_ready()
        executor = opened(cluster.address)
        futures = executor.submit(tasks_of(3, tmp_path, {1: "wait"}))
        assert states(futures[:1]) == ["success"]
        assert begun(tmp_path, 1) == [far.process.pid]
        network.rule = black_hole
        (near,) = cluster.add_workers(1)
        wait_until(lambda: near.process.pid in begun(tmp_path, 1), "the other worker to begin")
        assert far.process.poll() is None
        (tmp_path / "go").touch()
        assert states(futures) == ["success"] * 3
        network.drop_all()
        network.rule = passing
        wait_until(lambda: executor.slots == 1, "the worker that was cut off to be counted no more")
        assert states(executor.submit(tasks_of(2, tmp_path))) == ["success"] * 2
        far.kill()  # it may try for long to find its scheduler
        executor.close()  # before the cluster, whose loss it would tell


def test_a_worker_that_comes_is_counted_and_only_one_that_is_fit_is_used(opened, cluster, tmp_path):
    executor = opened()
    fit = cluster.add_workers(1, "--resources", "GPU=1 eu=1", threads=2)[0]
    wait_until(lambda: executor.slots == 5, "the worker to be counted")
    gpu = Placement(gpus=1, labels=("eu",))
    tasks = tasks_of(1, tmp_path, {0: "wait"}, placement=gpu)
    spec = tasks[0].spec
    assert executor.has_room(spec)
    futures = executor.submit(tasks)
    assert not executor.has_room(spec)
    assert begun(tmp_path, 1) == [fit.process.pid]
    (tmp_path / "go").touch()
    assert states(futures) == ["success"]
    assert executor.has_room(spec)
    cluster.remove_worker(fit)
    wait_until(lambda: executor.slots == 3, "the worker to be missed")


@pytest.mark.logs("pipeline picky waits: no Dask worker has ssd 0.001, GPU 2")
def test_what_no_worker_is_fit_for_waits_for_one_and_takes_no_slot(opened, cluster, tmp_path):
    executor = opened()
    wanted = Placement(gpus=2, labels=("ssd",))
    futures = executor.submit(tasks_of(1, tmp_path, name="picky", placement=wanted))
    wait_until(lambda: executor.slots == 4, "the slot to be given back")
    assert states(executor.submit(tasks_of(1, tmp_path))) == ["success"]
    assert not futures[0].done()
    (fit,) = cluster.add_workers(1, "--resources", "GPU=2 ssd=1")
    assert states(futures) == ["success"]
    cluster.remove_worker(fit)


def test_processors_and_memory_count_where_a_worker_declares_them(opened, cluster, tmp_path):
    executor = opened()
    small, large = Placement(), Placement(cpus=3)
    limits = DatumLimits(memory_bytes=2 << 30)
    specs = [tasks_of(1, tmp_path, placement=one, limits=limits)[0].spec for one in (small, large)]
    assert [executor._cluster.needs_of(one) for one in specs] == [{}, {}]
    (counted,) = cluster.add_workers(1, "--resources", "CPU=4 MEMORY=8e9", threads=4)
    wait_until(lambda: executor.slots == 7, "the worker to be counted")
    held = {"MEMORY": float(2 << 30)}
    assert [executor._cluster.needs_of(one) for one in specs] == [
        {"CPU": 1.0, **held},
        {"CPU": 3.0, **held},
    ]
    futures = executor.submit(tasks_of(1, tmp_path, {0: "wait"}, placement=large, limits=limits))
    assert begun(tmp_path, 1) == [counted.process.pid]
    assert (executor.has_room(specs[0]), executor.has_room(specs[1])) == (True, False)
    (tmp_path / "go").touch()
    assert states(futures) == ["success"]
    cluster.remove_worker(counted)


def test_people_see_pipeline_job_and_datum_in_dask_and_no_secret(
    opened, cluster, tmp_path, monkeypatch
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    tasks = tasks_of(2, tmp_path, {0: "wait"}, name="team/clean-2")
    futures = opened().submit(tasks)
    begun(tmp_path, 1)
    with Client(cluster.address, set_as_default=False) as client:
        keys = [key for held in client.processing().values() for key in held]
    assert [key.rpartition("-")[0] for key in keys] == [
        f"team/clean-2-{tasks[0].job_id[:8]}-0-1.1+1"
    ]
    (tmp_path / "go").touch()
    states(futures)
    plugin = HostPlugin(partial(host_executor, "s3://bucket/lake", {}), "name")
    sent = pickle.dumps(plugin) + json.dumps(bundle_as_dict(tasks)).encode()
    assert SECRET_KEY.encode() not in sent
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET_KEY


def test_a_scheduler_that_is_not_there_is_one_line():
    with pytest.raises(StorageError, match="No Dask scheduler answers at tcp:") as info:
        DaskExecutor("tcp://127.0.0.1:1", ToldExecutor, name="x", connect_s=0.5)
    assert info.value.kind is ErrorKind.EXECUTOR_UNAVAILABLE
    assert "dask scheduler" in info.value.hint
    with pytest.raises(InvalidInputError, match="'ftp://x:1' is no address of a Dask scheduler"):
        DaskExecutor("ftp://x:1", ToldExecutor, name="x", connect_s=0.5)


def test_workers_of_another_version_are_refused_by_name(opened, monkeypatch):
    monkeypatch.setattr(dask_executor, "__version__", "99.9")
    with pytest.raises(
        StorageError, match=r"cannot run datums: .*the worker tcp://.* and the"
    ) as info:
        opened()
    assert "need jupyter_datalake[dask] 99.9" in info.value.hint


def test_without_dask_the_extra_is_named(local_lake, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_datalake.jobs.dask_executor", None)
    words = ["--lake", local_lake.url, "controller", "run", "--until-idle"]
    missing = CliRunner().invoke(cli, [*words, "--scheduler", "tcp://127.0.0.1:1"])
    assert "pip install 'jupyter_datalake[dask]'" in str(missing.exception)
    unsaid = CliRunner().invoke(cli, [*words, "--executor", "dask"])
    assert "needs the address of a scheduler" in str(unsaid.exception)


@pytest.mark.logs("")  # this cluster is in our process, and tells of its own workers
def test_an_adaptive_cluster_grows_for_what_waits_and_shrinks_when_nothing_does(tmp_path):
    cluster = partial(LocalCluster, processes=False, protocol="tcp://", dashboard_address=":0")
    with cluster(n_workers=0, threads_per_worker=1) as adaptive:
        adaptive.adapt(minimum=0, maximum=2, interval="200ms", wait_count=2, target_duration="1s")
        executor = DaskExecutor(
            adaptive.scheduler_address, ToldExecutor, name="adaptive", at_most=4
        )
        try:
            assert executor.slots == 4
            tasks = tasks_of(4, tmp_path, dict.fromkeys(range(4), "wait"))
            futures = [one for task in tasks for one in executor.submit([task])]
            assert len(begun(tmp_path, 2)) == len(adaptive.workers) == 2
            (tmp_path / "go").touch()
            assert states(futures) == ["success"] * 4
            wait_until(lambda: not adaptive.workers, "the cluster to shrink")
        finally:
            executor.close()
