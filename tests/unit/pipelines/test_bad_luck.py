"""Pipelines that are changed while they run, programs that never answer alike, and many datums."""

import itertools
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import StateError
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.pipelines.controller import Controller
from jupyter_datalake.pipelines.running import JobRun
from tests.unit.pipelines.inline import Bench, upper


def test_n14_a_job_that_runs_finishes_on_its_version_and_the_new_one_runs_after_it(
    memory_lake, tmp_path
):
    def publishes(inputs, out):
        upper(inputs, out)
        if len(bench.executor.ran) == 1:
            bench.publish(command=["false"], parameters={"x": 1})

    bench = Bench(memory_lake, tmp_path / "bench", publishes)
    bench.commit(a="one", b="two")
    bench.publish()
    assert bench.run() == [["a"], ["a"], ["b"], ["b"]]
    new, old = bench.lake.jobs.list(pipeline="p")
    assert (old.pipeline_version, str(old.state)) == (1, "success")
    assert (new.pipeline_version, str(new.state)) == (2, "success")
    commit = bench.lake.commits.get("p", old.output_commit_id)
    assert commit.provenance.parameters == {}
    assert bench.output() == {"a": "ONE", "b": "TWO"}


def test_n14_the_commit_that_a_job_reads_stays_though_its_branch_was_reset(memory_lake, tmp_path):
    def resets(inputs, out):
        upper(inputs, out)
        if len(bench.executor.ran) == 1:
            with pytest.raises(StateError, match="from under job"):
                bench.lake.refs.reset("raw", "main", "main~1")
            bench.lake.refs.reset("raw", "main", "main~1", force=True)
            bench.lake.maintenance.gc()

    bench = Bench(memory_lake, tmp_path / "bench", resets)
    bench.commit(a="one")
    bench.commit(b="two")
    bench.publish()
    bench.run()
    first = bench.lake.jobs.list(pipeline="p")[-1]
    assert (str(first.state), first.datum_total) == ("success", 2)


def test_n17_what_one_try_made_stays_though_another_would_make_something_else(
    memory_lake, tmp_path
):
    count = itertools.count()

    def random(inputs, out):
        for path, text in inputs.items():
            if text == "bad":
                raise ValueError("a bad input")
            (out / path).write_text(f"{text} {next(count)}")

    bench = Bench(memory_lake, tmp_path / "bench", random)
    bench.commit(a="one", b="bad", c="three")
    bench.publish()
    bench.run()
    assert str(bench.job.state) == "failed"
    bench.commit(b="two")
    assert bench.run() == [["b"]]
    assert bench.output() == {"a": "one 0", "b": "two 2", "c": "three 1"}
    assert bench.job.datum_counts == {DatumState.SUCCESS: 1, DatumState.SKIPPED: 2}
    bench.lake.pipelines.run("p")
    assert bench.run() == []
    assert bench.output()["a"] == "one 0"


INLINE = Path(__file__).with_name("inline.py")

_MANY = """
import runpy, sys
from pathlib import Path
from jupyter_datalake.lake.lake import Lake

Bench = runpy.run_path(sys.argv[3])["Bench"]
place, count = Path(sys.argv[1]), int(sys.argv[2])

def copy(inputs, out):
    (out / "-".join(inputs).replace("/", "-")).write_text("x")

bench = Bench(Lake.create(str(place / "lake")), place / "bench", copy, "/*/*")
bench.executor.keeps = False
source = place / "source"
for number in range(count):
    folder = source / str(number // 500)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(number)).write_text("x")
bench.lake.files.put_tree("raw@main/", source)
bench.publish()
bench.run()
assert bench.job.datum_counts == {"success": count}, bench.job
"""


def test_n18_memory_does_not_grow_with_datums(tmp_path):
    peaks = [peak_mib(tmp_path / str(count), count) for count in (300, 2000)]
    # What caches take until they are full: about 7 MiB.
    assert peaks[1] - peaks[0] < 24


def peak_mib(place: Path, count: int) -> int:
    """Return the peak memory of a process that runs so many datums, in MiB."""
    place.mkdir()
    code = f"{_MANY}\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(place), str(count), str(INLINE)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1]) >> 10


def test_a_job_that_is_about_to_begin_when_leases_are_renewed_is_not_given_up(
    memory_lake, tmp_path, monkeypatch
):
    bench = Bench(memory_lake, tmp_path / "bench")
    bench.commit(a="one")
    bench.publish()
    config = ControllerConfig(poll_s=0.001, lease_s=0.03, job_lease_s=0)
    controller = Controller(memory_lake.core, bench.executor, config, Author("ada"))
    renewed = threading.Semaphore(0)
    waits = [2]  # the first renewal may have begun before the run was there
    lead, take = Controller._lead, JobRun._take

    def leads(one):
        before = one._renewed
        is_leading = lead(one)
        if one._renewed != before:
            renewed.release()
        return is_leading

    def takes_late(run):
        for _ in range(waits.pop() if waits else 0):
            assert renewed.acquire(timeout=30)
        return take(run)

    monkeypatch.setattr(Controller, "_lead", leads)
    monkeypatch.setattr(JobRun, "_take", takes_late)
    controller.run(threading.Event(), until_idle=True)
    assert (str(bench.job.state), bench.executor.ran) == ("success", [["a"]])
