"""An executor that runs what would be programs as functions of this process, and a lake with it."""

import itertools
import json
import threading
from concurrent.futures import Future
from contextlib import suppress

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.jobs.checks import RESULTS
from jupyter_datalake.jobs.outputs import OutputBatch
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
        self._outputs = OutputBatch(core)
        self._program = program
        self._folder = folder
        self._numbers = itertools.count(1)  # of two threads that hand tries over
        self.ran = []
        """The paths of each try's inputs."""
        self.bundles = []
        """How many tries came together."""
        self.keeps = True
        """Whether `ran` is kept."""
        self.steps = []
        """The steps of jobs that were run, each with what it was told."""
        self.on_step = None
        """Called with each; what it raises as `ValueError` fails it."""
        self.said = None
        """What the functions say that look at outputs."""

    def has_room(self, spec):
        return True

    def submit(self, tasks):
        self.bundles.append(len(tasks))
        outcomes = [self._run(task) for task in tasks]
        self._outputs.settle()
        futures = [Future() for _ in tasks]
        for future, outcome in zip(futures, outcomes, strict=True):
            future.set_result(outcome)
        return futures

    def cancel(self, task):
        """Nothing runs any more when somebody could ask for this."""

    def _run_step(self, task):
        self.steps.append((task.step, task.variables))
        log = self._folder / f"step-{id(self)}-{next(self._numbers)}"
        log.mkdir()
        (log / "log.txt").write_text(f"ran {task.spec.code.argv}")
        state, message = DatumState.SUCCESS, ""
        try:
            if self.on_step is not None:
                self.on_step(task)
            if self.said is not None:
                (log / RESULTS).write_text(json.dumps(self.said))
        except ValueError as error:
            state, message = DatumState.FAILED, str(error)
        root = self._outputs.store(log, job_id=task.job_id)
        return DatumOutcome(state, message, artifacts_root=root)

    def _run(self, task):
        if task.step:
            return self._run_step(task)
        inputs = {}
        for given in task.inputs:
            with self._core.metadata.read() as tx:
                tree = self._core.snapshot(tx.commits.get(given.commit_id))
            for path, entry in tree.iter_entries(given.path):
                if entry.kind is EntryKind.FILE:
                    inputs[path] = tree.read(path).decode()
        if self.keeps:
            self.ran.append(sorted(inputs))
        number = next(self._numbers)
        out = self._folder / f"out-{id(self)}-{number}"
        log = self._folder / f"log-{id(self)}-{number}"
        out.mkdir()
        log.mkdir()
        (log / "log.txt").write_text(f"ran {sorted(inputs)}")
        try:
            self._program(inputs, out)
        except ValueError as error:
            return DatumOutcome(DatumState.FAILED, str(error), ErrorKind.DATUM_FAILED)
        return DatumOutcome(
            DatumState.SUCCESS,
            output_root=self._outputs.store(out, job_id=task.job_id),
            artifacts_root=self._outputs.store(log, job_id=task.job_id),
        )


def run_all(lake, executor, stop):
    """Run the lake's jobs until none is left."""
    controller = Controller(lake.core, executor, ControllerConfig(poll_s=0.001), Author("ada"))
    controller.run(stop, until_idle=True)


def upper(inputs, out):
    """Write each input in capitals under its own name."""
    for path, text in inputs.items():
        if text == "bad":
            raise ValueError("a bad input")
        place = out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.upper())


class Bench:
    """A lake with one repo and one pipeline over it, whose jobs run in this process."""

    def __init__(self, lake, folder, program=upper, glob="/*", **more):
        self.folder = folder
        self.folder.mkdir()
        self.program = program
        self.use(lake)
        lake.repos.create("raw")
        self.spec = {
            "pipeline": "p",
            "command": ["true"],
            "input": {"repo": {"name": "raw", "glob": glob, **more}},
            "datums": {"tries": 1},
        }

    def use(self, lake):
        """Go on with a lake, which may be the same opened once more."""
        self.lake = lake
        self.executor = FunctionExecutor(lake.core, self.program, self.folder)

    def publish(self, **changes):
        self.spec |= changes
        return self.lake.pipelines.apply(self.spec, folder=self.folder)

    def commit(self, **files):
        """Write files by name with __ for a slash; None removes one."""
        with self.lake.sessions.create("raw") as session:
            for name, text in files.items():
                path = name.replace("__", "/")
                if text is None:
                    session.delete(path)
                else:
                    session.put(path, text)
            with suppress(StateError):  # the random changes may be none
                session.commit("change")
            session.delete_session()

    def run(self):
        """Run all jobs; return what was run, as sorted lists of paths."""
        self.executor.ran.clear()
        run_all(self.lake, self.executor, threading.Event())
        return sorted(self.executor.ran)

    @property
    def job(self):
        return self.lake.jobs.list(pipeline="p", limit=1)[0]

    def rows(self):
        """Return how many datums of the newest job were looked at."""
        job_id = self.job.id
        with self.lake.core.metadata.read() as tx:
            return tx.datums.count(job_id)

    def output(self):
        return {
            info.path: self.lake.files.read(f"p@main/{info.path}").decode()
            for info in self.lake.files.glob("p@main", "/**")
        }

    def root(self):
        return self.lake.commits.get("p", "main").root
