"""An executor that runs what would be programs as functions of this process."""

from concurrent.futures import Future

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.outputs import store_folder
from jupyter_datalake.jobs.tasks import DatumOutcome
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.entries import EntryKind
from jupyter_datalake.pipelines.controller import Controller


class FunctionExecutor:
    """Calls ``program(inputs, out)`` for each try: texts by path, and a folder to write to.

    What the program raises as `ValueError` fails the datum.
    """

    slots = 2

    def __init__(self, core, program, folder):
        self._core = core
        self._program = program
        self._folder = folder
        self._count = 0
        self.ran = []
        """The paths of each try's inputs."""
        self.bundles = []
        """How many tries came together."""

    def submit(self, tasks):
        self.bundles.append(len(tasks))
        futures = []
        for task in tasks:
            futures.append(Future())
            futures[-1].set_result(self._run(task))
        return futures

    def cancel(self, task):
        """Nothing runs any more when somebody could ask for this."""

    def _run(self, task):
        inputs = {}
        for given in task.inputs:
            with self._core.metadata.read() as tx:
                tree = self._core.snapshot(tx.commits.get(given.commit_id))
            for path, entry in tree.iter_entries(given.path):
                if entry.kind is EntryKind.FILE:
                    inputs[path] = tree.read(path).decode()
        self.ran.append(sorted(inputs))
        self._count += 1
        out = self._folder / f"out-{self._count}"
        log = self._folder / f"log-{self._count}"
        out.mkdir()
        log.mkdir()
        (log / "log.txt").write_text(f"ran {sorted(inputs)}")
        try:
            self._program(inputs, out)
        except ValueError as error:
            return DatumOutcome(DatumState.FAILED, str(error), ErrorKind.DATUM_FAILED)
        return DatumOutcome(
            DatumState.SUCCESS,
            output_root=store_folder(self._core, out, job_id=task.job_id),
            artifacts_root=store_folder(self._core, log, job_id=task.job_id),
        )


def run_all(lake, executor, stop):
    """Run the lake's jobs until none is left."""
    controller = Controller(lake.core, executor, ControllerConfig(poll_s=0.001), Author("ada"))
    controller.run(stop, until_idle=True)
