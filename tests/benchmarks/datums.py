"""What datums cost: commands beside the same commands by themselves, and what a small change costs.

``python tests/benchmarks/datums.py`` prints the figures as JSON; `run` returns them.

- *commands*: one worker runs a program over each of many small files. Beside it the raw operation:
  the same program started by `subprocess` in a fresh folder with a copy of the file, the output
  read.
- *a small change*: ten of so many files change, which are datums, are joined with as many, or are
  grouped. How long the job took that follows, beside the first job, and beside one after the same
  change that looks at all. What would be programs are functions here, so that the figures are
  those of planning and joining.
- *first datum*: how long after a commit its first datum begins, under a controller that waits.
- *a chain*: so many pipelines, each of which reads the one before; one file goes through all.
- *a large input*: a datum reads one MiB in the middle of a large file, which is copied before, or
  lazy. What was read for that, and when the first byte was there.

``--large`` takes a million datums and 100,000 commands for the first two; that takes half an hour.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from unittest.mock import patch

import psutil

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.jobs.outputs import OutputBatch
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.workspace import Workspace
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.lazy_inputs import LazyMount, MountedInputs
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.pipeline_specs import parse_spec
from jupyter_datalake.model.pipelines import PipelineSpec
from jupyter_datalake.pipelines import running
from jupyter_datalake.pipelines.controller import Controller

COMMAND = ["cp", "pfs/raw/.", "pfs/out", "-r"]
COMMANDS = 2000
CHANGED = 10
SIZES = (10_000, 100_000)
INPUTS: dict[str, dict[str, object]] = {
    "datums": {"repo": {"name": "raw", "glob": "/*/*"}},
    "joined files": {
        "join": [{"repo": {"name": one, "glob": "/*/(*)", "on": "$1"}} for one in ("raw", "other")]
    },
    "files in groups of ten": {
        "group": [{"repo": {"name": "raw", "glob": "/*/(??????)?", "by": "$1"}}]
    },
}
STEPS = 1000
FIRSTS = 20
LARGE_BYTES = 1 << 30
PART_BYTES = 1 << 20

LARGE_COMMANDS = 100_000
LARGE_SIZES = (1_000_000,)


def run(
    *,
    commands: int = COMMANDS,
    sizes: Sequence[int] = SIZES,
    steps: int = STEPS,
    large_bytes: int = LARGE_BYTES,
) -> dict[str, object]:
    """Return seconds and processor seconds of each part, and their ratios."""
    figures: dict[str, object] = {
        "benchmark": "datums",
        "target": "200 commands per second and core; ten of a million in a second;"
        " the first datum within 0.3 s",
    }
    figures["commands"] = _alone(_commands, commands)
    for size in sizes:
        for kind, given in INPUTS.items():
            part = partial(_small_change, given=given)
            figures[f"{CHANGED} of {size:,} {kind}"] = _alone(part, size)
    figures["first datum"] = _alone(_first_datum, FIRSTS)
    figures[f"a chain of {steps:,}"] = _alone(_chain, steps)
    figures["a large input"] = _alone(_large_input, large_bytes)
    return figures


def _alone(part: Callable[[Path, int], dict[str, object]], size: int) -> dict[str, object]:
    """Run a part in a process of its own, so that its memory is its own, in a folder of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="datalake-bench-") as folder,
        multiprocessing.get_context("spawn").Pool(1) as pool,
    ):
        return pool.apply(part, (Path(folder), size))


def _peaks() -> dict[str, object]:
    """Return the peak memory of this process, and of the largest that it has started and ended."""
    return {
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "peak MiB of a worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10,
    }


# --- commands ------------------------------------------------------------------------------------


def _commands(place: Path, count: int) -> dict[str, object]:
    source = _files(place / "source", count)
    with Lake.create(str(place / "lake"), author=Author("bench")) as lake:
        lake.repos.create("raw")
        lake.files.put_tree("raw@main/", source)
        spec = {
            "pipeline": "p",
            "command": COMMAND,
            "input": {"repo": {"name": "raw", "glob": "/*/*"}},
        }
        lake.pipelines.create(spec, folder=place)
        taken, spent = _cost(
            lambda: lake.run_controller(ControllerConfig(workers=1), until_idle=True)
        )
        job = _last(lake)
    peaks = _peaks()
    raw_taken, raw_spent = _cost(lambda: _by_themselves(place / "raw", source))
    assert job.duration_s is not None
    return {
        "datums": count,
        "job s": round(job.duration_s, 2),
        "with start of the controller s": round(taken, 2),
        "cpu s": round(spent, 2),
        "datums per s": round(count / job.duration_s),
        "datums per cpu s": round(count / spent),
        "raw: s": round(raw_taken, 2),
        "raw: cpu s": round(raw_spent, 2),
        "cpu over raw": round(spent / raw_spent, 2),
        **peaks,
    }


def _by_themselves(place: Path, source: Path) -> None:
    """Do for each file what a worker cannot do without: a folder, a copy, a process."""
    for file in sorted(source.glob("*/*")):
        (place / "pfs" / "raw").mkdir(parents=True)
        (place / "pfs" / "out").mkdir()
        shutil.copyfile(file, place / "pfs" / "raw" / file.name)
        subprocess.run(COMMAND, cwd=place, check=True, capture_output=True)
        (place / "pfs" / "out" / file.name).read_bytes()
        shutil.rmtree(place)


# --- a small change ------------------------------------------------------------------------------


class _Functions:
    """An executor that copies inputs to outputs in this process."""

    slots = 2

    def __init__(self, core: LakeCore, place: Path) -> None:
        self._outputs = OutputBatch(core)
        self._out = place
        self._out.mkdir()
        self._one_at_a_time = threading.Lock()
        """Both the job's thread and the controller's hand bundles over."""

    def has_room(self, spec: PipelineSpec) -> bool:
        return True

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        with self._one_at_a_time:
            outcomes = [self._run(task) for task in tasks]
            self._outputs.settle()
        futures: list[Future[DatumOutcome]] = []
        for outcome in outcomes:
            futures.append(Future())
            futures[-1].set_result(outcome)
        return futures

    def cancel(self, task: DatumTask) -> None:
        """Nothing runs any more when somebody could ask for this."""

    def close(self) -> None:
        """There is nothing to let go of."""

    def _run(self, task: DatumTask) -> DatumOutcome:
        given = task.inputs[0]
        file = self._out / given.path.replace("/", "-")
        file.write_text(given.digest.hex())
        root = self._outputs.store(self._out, job_id=task.job_id)
        file.unlink()
        return DatumOutcome(DatumState.SUCCESS, output_root=root, artifacts_root=root)


def _small_change(place: Path, count: int, given: dict[str, object]) -> dict[str, object]:
    source = _files(place / "source", count)
    with Lake.create(str(place / "lake"), author=Author("bench")) as lake:
        for repo in ("raw", "other"):
            lake.repos.create(repo)
            lake.files.put_tree(f"{repo}@main/", source)
        spec = {"pipeline": "p", "command": ["true"], "input": given}
        lake.pipelines.create(spec, folder=place)
        executor = _Functions(lake.core, place / "out")

        def work() -> None:
            config = ControllerConfig(poll_s=0.01)
            controller = Controller(lake.core, executor, config, Author("bench"))
            controller.run(threading.Event(), until_idle=True)

        first, first_cpu = _cost(work)
        jobs, jobs_cpu = [], []

        def change(number: int) -> float:
            with lake.sessions.create("raw") as session:
                for file in range(CHANGED):
                    name = file * count // CHANGED
                    session.put(f"{name // 1000:04}/{name:07}", f"changed {number}")
                session.commit("change")
                session.delete_session()
            _, spent = _cost(work)
            assert _last(lake).datum_counts[DatumState.SUCCESS] == CHANGED
            return spent

        for number in range(5):
            jobs_cpu.append(change(number))
            jobs.append(_last(lake).duration_s or 0.0)
        with patch.object(running, "find_basis", return_value=None):
            all_cpu = change(5)
    changed_cpu = sorted(jobs_cpu)[2]
    return {
        "first job s": round(first, 1),
        "first job cpu s": round(first_cpu, 1),
        "job after the change s": round(sorted(jobs)[2], 3),
        "cpu s": round(changed_cpu, 3),
        "cpu s where all is looked at": round(all_cpu, 3),
        "all over changed, cpu": round(all_cpu / changed_cpu),
        "peak MiB": _peaks()["peak MiB"],
    }


# --- latency and chains --------------------------------------------------------------------------


def _first_datum(place: Path, count: int) -> dict[str, object]:
    """Commit again and again to a lake whose controller waits, as that of a Jupyter server does."""
    waits: list[float] = []
    with Lake.create(str(place / "lake"), author=Author("bench")) as lake:
        lake.repos.create("raw")
        spec = {
            "pipeline": "p",
            "command": ["true"],
            "input": {"repo": {"name": "raw", "glob": "/*"}},
        }
        lake.pipelines.create(spec, folder=place)
        stop = threading.Event()
        thread = threading.Thread(
            target=lambda: lake.run_controller(ControllerConfig(workers=1), stop=stop)
        )
        thread.start()
        try:
            for number in range(count + 1):
                commit = lake.files.put(f"raw@main/{number}", str(number))
                while not (jobs := lake.jobs.list(global_id=commit.global_id)):
                    time.sleep(0.05)
                lake.jobs.wait(commit.global_id, timeout_s=60)
                (datum,) = lake.jobs.list_datums(jobs[0].id, states=[DatumState.SUCCESS])
                assert datum.started_at is not None
                waits.append((datum.started_at - commit.created_at).total_seconds())
        finally:
            stop.set()
            thread.join()
    first, *rest = waits
    return {
        "commits": count,
        "median s": round(sorted(rest)[count // 2], 3),
        "longest s": round(max(rest), 3),
        "with the start of the worker s": round(first, 3),
    }


def _chain(place: Path, steps: int) -> dict[str, object]:
    with Lake.create(str(place / "lake"), author=Author("bench")) as lake:
        lake.repos.create("raw")

        def publish() -> None:
            before = "raw"
            for number in range(steps):
                name = f"step-{number:04}"
                given = {"repo": {"name": before, "glob": "/*"}}
                lake.pipelines.create(
                    {"pipeline": name, "command": ["true"], "input": given}, folder=place
                )
                before = name

        published, published_cpu = _cost(publish)
        executor = _Functions(lake.core, place / "out")

        def work() -> None:
            config = ControllerConfig(poll_s=0.01)
            controller = Controller(lake.core, executor, config, Author("bench"))
            controller.run(threading.Event(), until_idle=True)

        commit = lake.files.put("raw@main/a", "one")
        taken, spent = _cost(work)
        jobs = lake.jobs.list(global_id=commit.global_id)
    assert [str(job.state) for job in jobs] == ["success"] * steps
    return {
        "publish s": round(published, 1),
        "publish cpu s": round(published_cpu, 1),
        "run s": round(taken, 1),
        "run cpu s": round(spent, 1),
        "s for a step": round(taken / steps, 3),
        "peak MiB": _peaks()["peak MiB"],
    }


# --- a large input -------------------------------------------------------------------------------


def _large_input(place: Path, size: int) -> dict[str, object]:
    with open(place / "large", "wb") as file:
        for _ in range(size >> 24):
            file.write(os.urandom(1 << 24))
    with Lake.create(str(place / "lake"), author=Author("bench")) as lake:
        for repo in ("raw", "code"):
            lake.repos.create(repo)
        lake.files.put("raw@main/large", place / "large")
        mount = LazyMount(lake.url, place / "mounts")
        began = time.perf_counter()
        mount.start()
        started = time.perf_counter() - began
        try:
            copied = _read_part(lake, mount, size, is_lazy=False)
            lazy = _read_part(lake, mount, size, is_lazy=True)
        finally:
            mount.close()
    return {
        "size MiB": size >> 20,
        "read of it MiB": PART_BYTES >> 20,
        "copied: first byte ms": round(1000 * copied[0], 1),
        "copied: fetched MiB": round(copied[1] / (1 << 20), 1),
        "start of the mount s": round(started, 2),
        "lazy: first byte ms": round(1000 * lazy[0], 1),
        "lazy: fetched MiB": round(lazy[1] / (1 << 20), 1),
        "copied over lazy, first byte": round(copied[0] / lazy[0]),
        "copied over lazy, fetched": round(copied[1] / lazy[1]),
    }


def _read_part(lake: Lake, mount: LazyMount, size: int, *, is_lazy: bool) -> tuple[float, int]:
    """Return seconds to the first byte, and bytes that were read in the end."""
    given = {"repo": {"name": "raw", "glob": "/", "lazy": is_lazy}}
    spec = parse_spec({"pipeline": "p", "command": ["true"], "input": given})
    (inputs,), _ = lake.pipelines.preview(spec)
    code = lake.commits.get("code").id
    task = DatumTask("job", int(is_lazy), 1, 1, GlobalId("0" * 32), spec, code, inputs)
    workspace = Workspace.of(lake.core, task)
    reader = psutil.Process(mount.pid if is_lazy else None)

    def snapshot_of(commit_id: CommitId) -> Snapshot:
        return lake.core.snapshot(commit_by_id(lake.core, commit_id))

    before = reader.io_counters().read_chars
    began = time.perf_counter()
    notes = workspace.prepare(snapshot_of, task, MountedInputs(mount.folder))
    assert not notes, notes
    with open(workspace.inputs / "raw" / "large", "rb", buffering=0) as file:
        file.seek(size // 2)
        file.read(1)
        first = time.perf_counter() - began
        file.read(PART_BYTES - 1)
    read = reader.io_counters().read_chars - before
    workspace.remove()
    return first, read


# --- all -----------------------------------------------------------------------------------------


def _files(place: Path, count: int) -> Path:
    for number in range(count):
        folder = place / f"{number // 1000:04}"
        if number % 1000 == 0:
            folder.mkdir(parents=True)
        (folder / f"{number:07}").write_text(str(number))
    return place


def _last(lake: Lake) -> Job:
    return lake.jobs.list(pipeline="p", limit=1)[0]


def _cost(act: Callable[[], None]) -> tuple[float, float]:
    """Return seconds, and processor seconds of this process and its children that have ended."""
    began, before = time.perf_counter(), _processor_s()
    act()
    return time.perf_counter() - began, _processor_s() - before


def _processor_s() -> float:
    return sum(psutil.Process().cpu_times()[:4])


if __name__ == "__main__":
    is_large = "--large" in sys.argv[1:]
    sizes = {"commands": LARGE_COMMANDS, "sizes": LARGE_SIZES} if is_large else {}
    json.dump(run(**sizes), sys.stdout, indent=2)
    print()
