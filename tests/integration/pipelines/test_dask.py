"""Datums on a Dask cluster of several processes: what can befall it, and where datums go."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.lake.lake import Lake
from tests.integration.conftest import Runner
from tests.integration.pipelines.conftest import Controller, is_gone, wait_until


@pytest.fixture
def far(distant_lake, cluster, tmp_path):
    """A lake in S3 and Postgres, by the real clock, whose datums run on Dask."""
    folder = tmp_path / "work"
    folder.mkdir()
    with Lake.open(distant_lake.url) as lake:
        lake.repos.create("raw")
        yield Runner(lake, folder, cluster.address)


def put(runner, **files):
    with runner.lake.sessions.create("raw") as session:
        for name, text in files.items():
            session.put(name, text)
        return session.commit("put")


class Running:
    """A controller that works in a thread until nothing is left."""

    def __init__(self, runner, **config):
        self._stop = threading.Event()
        config = ControllerConfig(scheduler=runner.scheduler, **config)
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(
            runner.lake.run_controller, config, stop=self._stop, until_idle=True
        )

    def __enter__(self):
        return self

    def __exit__(self, exc_type, *_):
        if exc_type is not None:
            self._stop.set()
        with self._pool:
            self._future.result(120)


def worker_of(cluster, pid):
    """Return the worker among whose processes one is."""
    above = {one.pid for one in psutil.Process(pid).parents()}
    return next(one for one in cluster.workers if one.process.pid in above)


def read_pid(path):
    """Wait until a program has written its process id, and return it."""
    return int(wait_until(lambda: path.exists() and path.read_text().strip(), "a datum to begin"))


def test_a_datum_whose_worker_is_killed_is_run_by_another_one_in_the_same_try(
    far, cluster, tmp_path
):
    pid = tmp_path / "pid"
    far.command(
        "p",
        f"if [ ! -e {pid} ]; then echo $$ > {pid}; sleep 1000; fi; cp pfs/raw/* pfs/out/",
        ("raw", "/"),
    )
    put(far, a="one")
    with Running(far):
        first = read_pid(pid)
        worker_of(cluster, first).kill()
    assert far.states() == {"p": ("success", "committed")}
    assert far.files("p@main") == {"a": "one"}
    (datum,) = far.lake.jobs.list_datums(far.job("p").id)
    assert (str(datum.state), datum.tries) == ("success", 1)
    wait_until(lambda: is_gone(first), "the program to end with its worker")


def test_a_pipeline_that_says_where_it_runs_is_run_there(far, tmp_path):
    far.command("here", "pwd > pfs/out/place", ("raw", "/"), executor="local")
    far.command("there", "pwd > pfs/out/place", ("raw", "/"))
    put(far, a="one")
    far.run()
    here, there = (far.files(f"{name}@main")["place"] for name in ("here", "there"))
    assert str(far.lake.core.work_folder) in here
    assert "/datalake-dask-" in there


@pytest.mark.here
def test_without_a_cluster_a_pipeline_that_wants_one_fails_and_says_so(runner):
    runner.command("p", "true", ("raw", "/"), executor="dask", datums={"tries": 1})
    runner.lake.files.put("raw@main/a", "one")
    runner.run()
    job = runner.job("p")
    assert str(job.state) == "failed"
    assert "Pipeline 'p' is to run on 'dask', which this controller does not have" in job.message


@pytest.mark.logs("was lost by")
def test_what_a_killed_controller_ran_on_dask_is_killed_and_run_again_by_the_next(far, tmp_path):
    pid = tmp_path / "pid"
    far.command(
        "p",
        f"if [ ! -e {pid} ]; then echo $$ > {pid}; sleep 1000; fi; cp pfs/raw/* pfs/out/",
        ("raw", "/"),
    )
    put(far, a="one")
    first = Controller(far.lake, scheduler=far.scheduler)
    orphan = read_pid(pid)
    first.kill()
    wait_until(lambda: is_gone(orphan), "the program to end with its controller")
    first.process.stdin.close()
    wait_until(lambda: far.lake.maintenance.get_status().controller is None, "the lease to run out")
    far.run()
    assert far.files("p@main") == {"a": "one"}
    assert far.job("p").attempt == 2
