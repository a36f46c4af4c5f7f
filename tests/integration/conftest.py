"""What integration tests share: S3 servers, a Dask cluster, and pipelines that really run."""

import itertools
import os
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest

from jupyter_datalake.config import ControllerConfig, LakeConfig
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.dask_cluster import DaskCluster
from jupyter_datalake.testing.s3_servers import S3Server, ceph_server, missing_ceph, moto_server

_numbers = itertools.count()


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "everywhere: the test's runner runs datums on this machine, and on Dask too"
    )
    config.addinivalue_line("markers", "here: on this machine alone, for it changes this process")


EVERYWHERE = "DATALAKE_TEST_EVERYWHERE"
"""If set, all tests with a runner that are not `here` are run on Dask too; ``make test-dask``."""


def pytest_generate_tests(metafunc):
    is_marked = metafunc.definition.get_closest_marker("everywhere")
    is_meant = is_marked or os.environ.get(EVERYWHERE)
    is_here = metafunc.definition.get_closest_marker("here")
    if "runner" in metafunc.fixturenames and is_meant and not is_here:
        metafunc.parametrize("runner", ["local", "dask"], indirect=True)


class Runner:
    """A lake and short ways to publish pipelines and run them to their end.

    Parameters
    ----------
    scheduler
        Address of the Dask scheduler on whose workers datums run; here when None.
    """

    def __init__(self, lake, folder, scheduler=None):
        self.lake = lake
        self.folder = folder
        self.scheduler = scheduler

    def command(self, name, script, *inputs, **options):
        """Publish a pipeline that runs a shell script; inputs are (repo, glob) pairs."""
        spec = {"pipeline": name, "command": ["sh", "-eu", "-c", script], **options}
        return self.publish(spec, inputs)

    def notebook(self, name, cells, *inputs, file="n.ipynb", tags=("parameters",), **options):
        """Publish a pipeline that runs a notebook; its first cell gets the tags."""
        self.write_notebook(file, cells, tags)
        return self.publish({"pipeline": name, "notebook": file, **options}, inputs)

    def write_notebook(self, file, cells, tags=("parameters",)):
        """Write a notebook into the folder that is published."""
        node = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        )
        node.cells[0].metadata["tags"] = list(tags)
        nbformat.write(node, self.folder / file)

    def publish(self, spec, inputs=()):
        """Publish a spec, with (repo, glob) pairs crossed as its inputs."""
        leaves = [{"repo": {"name": repo, "glob": glob}} for repo, glob in inputs]
        if leaves:
            spec["input"] = leaves[0] if len(leaves) == 1 else {"cross": leaves}
        spec.setdefault("datums", {"tries": 1, "timeout": "60s"})
        return self.lake.pipelines.apply(spec, folder=self.folder)

    def run(self, workers=2):
        """Run everything there is to run."""
        config = ControllerConfig(workers=workers, scheduler=self.scheduler)
        self.lake.run_controller(config, until_idle=True)

    def job(self, pipeline):
        """Return the newest job of a pipeline."""
        return self.lake.jobs.list(pipeline=pipeline, limit=1)[0]

    def states(self, global_id=None):
        """Return pipeline to (state, outcome) of the newest jobs, or of those of one change."""
        if global_id is None:
            jobs = self.lake.jobs.latest_of_each().values()
        else:
            jobs = self.lake.jobs.list(global_id=global_id)
        return {
            job.pipeline: (str(job.state), None if job.outcome is None else str(job.outcome))
            for job in jobs
        }

    def datums(self, pipeline):
        """Return label to (state, reason) of the newest job's datums."""
        datums = self.lake.jobs.list_datums(self.job(pipeline).id)
        return {one.label: (str(one.state), one.reason) for one in datums}

    def put(self, **files):
        """Write files of `raw` in one commit, by name."""
        with self.lake.sessions.create("raw") as session:
            for name, text in files.items():
                session.put(name, text)
            return session.commit("put")

    def files(self, address):
        """Return path to text of every file at an address's commit."""
        return {
            info.path: self.lake.files.read(f"{address}/{info.path}").decode()
            for info in self.lake.files.glob(address, "/**")
        }


@pytest.fixture
def runner(request, tmp_path):
    """A lake with a repo `raw`, and a folder for notebooks.

    In a test that is marked `everywhere`, also a lake in S3 and Postgres whose datums run on Dask.
    """
    folder = tmp_path / "work"
    folder.mkdir()
    if getattr(request, "param", "local") == "local":
        made = Runner(request.getfixturevalue("local_lake"), folder)
    else:
        lake = request.getfixturevalue("distant_lake")
        made = Runner(lake, folder, request.getfixturevalue("cluster").address)
    made.lake.repos.create("raw")
    return made


@pytest.fixture
def distant_lake(s3, s3_environment, postgres_server, lake_clock, lake_author):
    """A lake in S3 and Postgres, which other machines can open too."""
    bucket = f"distant-{next(_numbers)}"
    s3.client.create_bucket(Bucket=bucket)
    place = LakeConfig(s3.url(bucket), database_url=postgres_server.url())
    with Lake.create(place, author=lake_author, clock=lake_clock) as lake:
        yield lake


@pytest.fixture(scope="session")
def dask_cluster():
    with DaskCluster(S3Server("").environment()) as cluster:
        yield cluster


@pytest.fixture
def cluster(dask_cluster):
    """A Dask cluster of three workers with one thread each; a test may kill them."""
    for worker in list(dask_cluster.workers):
        if worker.process.poll() is not None:
            dask_cluster.remove_worker(worker)
    dask_cluster.add_workers(3 - len(dask_cluster.workers))
    return dask_cluster


@pytest.fixture(scope="session")
def moto():
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def ceph():
    reason = missing_ceph()
    if reason:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="ceph-"))  # sockets need a short path
    try:
        with ceph_server(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3(request):
    """The most real server there is: Ceph where it is installed, else moto."""
    return request.getfixturevalue("moto" if missing_ceph() else "ceph")


@pytest.fixture
def s3_environment(monkeypatch, tmp_path):
    """Credentials of the tests' servers, as boto3 finds them; and a place for the lakes' state."""
    for name, value in S3Server("").environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATALAKE_STATE_FOLDER", str(tmp_path / "state"))
