"""How much more a Dask cluster does with more workers; the lake is in S3 and Postgres.

``python tests/benchmarks/scale_out.py`` prints the figures as JSON; `run` returns them.

Every worker count runs a job with so many datums for each worker. The seconds are those of the job,
from its start to its commit, with worker processes that have begun before.

- *sleeping*: each datum sleeps, so workers wait for nobody and what is left is what handing over,
  storing and committing costs. Efficiency is how long the sleeping takes, over how long the job.
- *computing*: each datum counts. No more than there are processors can count at once, so efficiency
  is the speed-up over one worker, over the smaller of workers and processors.

Scheduler, workers, S3 server, Postgres and controller share this machine.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

import psutil

from jupyter_datalake.config import ControllerConfig, LakeConfig
from jupyter_datalake.jobs.dask_executor import DaskExecutor
from jupyter_datalake.lake.controllers import host_executor
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.pipelines.controller import Controller
from jupyter_datalake.testing.dask_cluster import DaskCluster
from jupyter_datalake.testing.postgres_server import PostgresServer
from jupyter_datalake.testing.s3_servers import S3Server, ceph_server, missing_ceph, moto_server

SLEEPING = (1, 2, 4, 8, 16, 32, 64)
COMPUTING = (1, 2, 4, 8)
SLEEP_S = 4
DATUMS_EACH = 4
COUNT_TO = 10_000_000
COMPUTED = 16
"""Datums of each job that counts."""

_BUCKET = "bench"
_THREADS = 8
_SINGLE = 8
"""So many workers have one thread; what more is wanted comes by workers of several."""


def run(
    *, sleeping: Sequence[int] = SLEEPING, computing: Sequence[int] = COMPUTING
) -> dict[str, object]:
    """Return seconds, processor seconds and efficiencies by the number of workers."""
    figures: dict[str, object] = {
        "benchmark": "scale_out",
        "server": "moto" if missing_ceph() else "ceph radosgw",
        "distributed": version("distributed"),
        "processors": os.cpu_count(),
        "datum s": SLEEP_S,
    }
    with _ground() as ground:
        slept, computed = {}, {}
        for count in sorted({*sleeping, *computing}):
            ground.grow(count)
            if count in sleeping:
                slept[count] = ground.sleep(count)
            if count in computing:
                computed[count] = ground.compute(count, computed.get(min(computing)))
    figures["sleeping"] = {str(count): one for count, one in slept.items()}
    figures["computing"] = {str(count): one for count, one in computed.items()}
    return figures


class _Ground:
    """A lake, and a cluster that grows."""

    def __init__(self, lake: Lake, cluster: DaskCluster, folder: Path) -> None:
        self._lake = lake
        self._cluster = cluster
        self._executor: DaskExecutor | None = None
        self._threads = 0
        lake.repos.create("raw")
        self._files = 0
        self._publish("sleep", f"sleep {SLEEP_S}; cp pfs/raw/* pfs/out/", folder)
        count = f"BEGIN {{ for (i = 0; i < {COUNT_TO}; i++) x += i; print x }}"
        self._publish("compute", f"awk '{count}' > pfs/out/$(ls pfs/raw)", folder)

    def _publish(self, name: str, script: str, folder: Path) -> None:
        spec = {
            "pipeline": name,
            "command": ["sh", "-euc", script],
            "input": {"repo": {"name": "raw", "branch": name, "glob": "/*"}},
            "datums": {"tries": 1},
        }
        self._lake.refs.create_branch("raw", name)
        self._lake.pipelines.apply(spec, folder=folder)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.close()

    def grow(self, count: int) -> None:
        """Have so many slots, all of whose worker processes have begun."""
        self.close()
        while self._threads < count:
            threads = 1 if self._threads < _SINGLE else _THREADS
            self._cluster.add_workers(1, threads=threads)
            self._threads += threads
        make = partial(host_executor, self._lake.url, {})
        self._executor = DaskExecutor(self._cluster.address, make, name=f"bench{count}")
        assert self._executor.slots == count
        self._job("sleep", count)

    def sleep(self, count: int) -> dict[str, float]:
        seconds, cpu = self._job("sleep", DATUMS_EACH * count)
        ideal = SLEEP_S * DATUMS_EACH
        return {
            "datums": DATUMS_EACH * count,
            "job s": round(seconds, 2),
            "efficiency": round(ideal / seconds, 3),
            "cpu ms each": round(1000 * cpu / (DATUMS_EACH * count), 1),
        }

    def compute(self, count: int, one: dict[str, float] | None) -> dict[str, float]:
        seconds, _ = self._job("compute", COMPUTED)
        speed_up = (one["job s"] if one else seconds) / seconds
        at_once = min(count, os.cpu_count() or 1)
        return {
            "datums": COMPUTED,
            "job s": round(seconds, 2),
            "speed-up": round(speed_up, 2),
            "efficiency": round(speed_up / at_once, 3),
        }

    def _job(self, pipeline: str, datums: int) -> tuple[float, float]:
        """Run a job of so many datums; return its seconds, and the processor seconds."""
        with self._lake.sessions.create("raw", pipeline) as session:
            for path in [one.path for one in self._lake.files.glob(f"raw@{pipeline}/", "/*")]:
                session.delete(path)
            for _ in range(datums):
                self._files += 1
                session.put(f"{self._files:06}", str(self._files))
            session.commit("next")
        assert self._executor is not None
        config = ControllerConfig(poll_s=0.02)
        controller = Controller(self._lake.core, self._executor, config, Author("bench"))
        before = _busy()
        controller.run(threading.Event(), until_idle=True)
        spent = _busy() - before
        (job,) = self._lake.jobs.list(pipeline=pipeline, limit=1)
        assert job.datum_counts == {DatumState.SUCCESS: datums}, (job.message, job.datum_counts)
        assert job.duration_s is not None
        return job.duration_s, spent


def _busy() -> float:
    """Return the processor seconds of all that this process has started, and of itself."""
    spent = 0.0
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            spent += sum(process.cpu_times()[:4])  # with those of its children that have ended
    return spent


@contextmanager
def _ground() -> Iterator[_Ground]:
    before = dict(os.environ)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            (folder / "c").mkdir()
            server: S3Server = stack.enter_context(
                moto_server() if missing_ceph() else ceph_server(folder / "c")
            )
            os.environ.update(server.environment())
            os.environ["DATALAKE_STATE_FOLDER"] = str(folder / "state")
            server.client.create_bucket(Bucket=_BUCKET)
            postgres = stack.enter_context(PostgresServer(max_connections="400"))
            config = LakeConfig(server.url(_BUCKET), database_url=postgres.url())
            lake = stack.enter_context(Lake.create(config, author=Author("bench")))
            ground = _Ground(lake, stack.enter_context(DaskCluster()), folder)
            stack.callback(ground.close)
            yield ground
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
