"""Datums on a Dask cluster of several processes: what can befall it, and where datums go."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from jupyter_datalake.config import ControllerConfig
from tests.integration.conftest import Runner
from tests.integration.pipelines.conftest import is_gone, wait_until


@pytest.fixture
def far(distant_lake, cluster, tmp_path):
    """A lake in S3 and Postgres whose datums run on Dask."""
    folder = tmp_path / "work"
    folder.mkdir()
    distant_lake.repos.create("raw")
    return Runner(distant_lake, folder, cluster.address)


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
