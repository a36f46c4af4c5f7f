"""What integration tests share: lakes with pipelines that really run."""

import nbformat
import pytest

from jupyter_datalake.config import ControllerConfig


class Runner:
    """A lake and short ways to publish pipelines and run them to their end."""

    def __init__(self, lake, folder):
        self.lake = lake
        self.folder = folder

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
        self.lake.run_controller(ControllerConfig(workers=workers), until_idle=True)

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
def runner(local_lake, tmp_path):
    """A lake in a folder, with a repo `raw`, and a folder for notebooks."""
    folder = tmp_path / "work"
    folder.mkdir()
    local_lake.repos.create("raw")
    return Runner(local_lake, folder)
