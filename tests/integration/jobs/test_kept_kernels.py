"""Kernels in which a cell failed, kept with what they hold, and ended in their time."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.jobs.environment_kernels import KERNELS_FOLDER
from jupyter_datalake.jobs.forked_notebooks import can_be_forked
from jupyter_datalake.jobs.kept_kernels import KEPT_FOLDER, PER_JOB, KeptPlace

pytestmark = pytest.mark.skipif(
    not can_be_forked(KernelSpecManager().get_kernel_spec("python3")), reason="kernels are forked"
)

CELLS = [
    'raw = "raw"\nout = "out"',
    "import os, pathlib\nmade = [os.getpid(), pathlib.Path(raw).is_dir()]",
    'number = 41\nraise ValueError("wrong")',
    'pathlib.Path(out, "result").write_text(str(number))',
]
DATUMS = {"tries": 1, "timeout": "60s", "keep_failed": "10m"}


def until(condition, wait_s=60):
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about")


@contextmanager
def at_work(runner):
    """Have a controller at work, as in a server: it does not end when it has nothing to do."""
    stop = threading.Event()
    config = ControllerConfig(workers=1, poll_s=0.05)
    thread = threading.Thread(
        target=runner.lake.run_controller, args=(config,), kwargs={"stop": stop}
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def fail(runner, cells=CELLS, glob="/", **datums):
    """Run a notebook until it has failed; return its job."""
    runner.notebook("p", cells, ("raw", glob), datums={**DATUMS, **datums})
    until(lambda: runner.job("p").state.is_terminal)
    job = runner.job("p")
    assert str(job.state) == "failed"
    return job


@contextmanager
def opened(runner, folder, notebook="n.ipynb"):
    """Have the kernel that a reopened notebook names, as a Jupyter server has it."""
    name = nbformat.read(folder / notebook, as_version=4).metadata.kernelspec.name
    specs = KernelSpecManager(kernel_dirs=[str(runner.lake.core.work_folder / KERNELS_FOLDER)])
    manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
    manager.start_kernel(cwd=str(folder))
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)


@contextmanager
def talking(manager):
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()


def asked(manager, code):
    """Return the value of an expression in a kernel."""
    with talking(manager) as client:
        reply = client.execute_interactive(
            "", user_expressions={"asked": code}, timeout=60, silent=True
        )
        told = reply["content"]["user_expressions"]["asked"]
        return told.get("data", told).get("text/plain", told)


@pytest.fixture
def kept(runner):
    """A datum that has failed, and its kernel, while its controller is at work."""
    runner.put(a="1")
    with at_work(runner):
        job = fail(runner)
        (kernel,) = runner.lake.jobs.list_kernels(job.id)
        yield runner, job, kernel


def pid_of(runner, kernel):
    return KeptPlace(runner.lake.core.work_folder, kernel.id).read()["pid"]


def is_gone(runner, kernel, pid):
    """Tell whether nothing of a kept kernel is left: process, files, place."""
    work = runner.lake.core.work_folder
    folders = [Path(kernel.folder), work / KEPT_FOLDER / kernel.id]
    return not runs(pid) and not any(map(Path.exists, folders))


def runs(pid):
    """Tell whether a process has not ended; in a container nobody may ask how it did."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_notebook_goes_on_in_the_very_kernel_that_failed(kept, tmp_path):
    runner, job, kernel = kept
    assert (kernel.job_id, kernel.position, kernel.pipeline) == (job.id, 0, "p")
    found = runner.lake.jobs.reopen(job.id, folder=tmp_path / "fix")
    assert found.kernel == kernel
    with opened(runner, tmp_path / "fix") as manager:
        pid = pid_of(runner, kernel)
        assert asked(manager, "made") == f"[{pid}, True]"
        assert asked(manager, "number") == "41"
        assert asked(manager, "os.getcwd()") == repr(kernel.folder)
        (seen,) = runner.lake.jobs.list_kernels()
        assert seen.is_attached
    until(lambda: is_gone(runner, kernel, pid))
    assert runner.lake.jobs.list_kernels() == []


@pytest.mark.logs("is gone; a fresh one starts")
def test_a_fresh_kernel_takes_its_place_when_it_is_restarted_or_gone(kept, tmp_path):
    runner, job, kernel = kept
    runner.lake.jobs.reopen(job.id, folder=tmp_path / "fix")
    pid = pid_of(runner, kernel)
    with opened(runner, tmp_path / "fix") as manager:
        manager.restart_kernel()
        assert "NameError" in str(asked(manager, "number"))
        assert asked(manager, "__import__('os').getcwd()") == repr(str(tmp_path / "fix"))
        assert is_gone(runner, kernel, pid)
    with opened(runner, tmp_path / "fix") as manager:
        assert "NameError" in str(asked(manager, "number"))
    assert runner.lake.jobs.reopen(job.id, folder=tmp_path / "again").kernel is None


def test_a_kernel_can_be_interrupted_and_asks_for_input(kept, tmp_path):
    runner, job, _ = kept
    runner.lake.jobs.reopen(job.id, folder=tmp_path / "fix")
    with opened(runner, tmp_path / "fix") as manager:
        with talking(manager) as client:
            # Else what is sent a moment after the error may be aborted with what waited for it.
            client.execute(
                "import time\nprint('begun')\nwhile True: time.sleep(0.01)", stop_on_error=False
            )
            until(lambda: client.get_iopub_msg(timeout=60)["msg_type"] == "stream")
            manager.interrupt_kernel()
            assert client.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
            client.execute("said = input()", allow_stdin=True)
            client.get_stdin_msg(timeout=60)
            client.input("hello")
            assert client.get_shell_msg(timeout=60)["content"]["status"] == "ok"
        assert asked(manager, "said") == "'hello'"


def test_it_ends_by_itself_when_its_time_is_over(runner):
    runner.put(a="1")
    with at_work(runner):
        job = fail(runner, keep_failed="1s")
        log = runner.lake.jobs.logs(job.id)[0].text
        assert "its kernel is kept until" in log
        until(lambda: runner.lake.jobs.list_kernels() == [])
        until(lambda: [*(runner.lake.core.work_folder / KEPT_FOLDER).glob("[!.]*")] == [])
        assert not (runner.lake.core.work_folder / "jobs" / job.id).exists()


def test_one_that_is_open_outlives_its_time_until_it_is_let_go(kept, tmp_path):
    runner, job, kernel = kept
    runner.lake.jobs.reopen(job.id, folder=tmp_path / "fix")
    place = KeptPlace(runner.lake.core.work_folder, kernel.id)
    pid = pid_of(runner, kernel)
    with opened(runner, tmp_path / "fix") as manager:
        place.write({**place.read(), "until_ns": time.time_ns()})
        looks = _times_looked_at(place)
        until(lambda: _times_looked_at(place) > looks + 4)
        assert asked(manager, "number") == "41"
        manager.provisioner._let_go()  # as when the server is killed
        until(lambda: is_gone(runner, kernel, pid))


def _times_looked_at(place):
    """Return what grows while the worker looks after its kernel: the time that it takes for it."""
    worker = psutil.Process(place.read()["pid"]).parent().parent()
    return worker.num_ctx_switches().voluntary


def test_it_is_ended_by_hand(kept):
    runner, _, kernel = kept
    pid = pid_of(runner, kernel)
    assert runner.lake.jobs.end_kernel(kernel.id) == kernel
    until(lambda: is_gone(runner, kernel, pid))
    with pytest.raises(NotFoundError, match="No kernel"):
        runner.lake.jobs.end_kernel(kernel.id)


def test_n19_nothing_is_left_when_its_worker_is_killed(kept):
    runner, _, kernel = kept
    pid = pid_of(runner, kernel)
    zygote = psutil.Process(pid).parent()
    os.kill(zygote.ppid(), signal.SIGKILL)
    until(lambda: is_gone(runner, kernel, pid))


def test_n19_nothing_is_left_when_its_controller_is_killed(runner):
    runner.put(a="1")
    runner.notebook("p", CELLS, ("raw", "/"), datums=DATUMS)
    program = "jupyter_datalake.lake.controller_process"
    with subprocess.Popen(
        [sys.executable, "-m", program, runner.lake.url, "1"], stdin=subprocess.PIPE
    ) as controller:
        until(lambda: runner.job("p").state.is_terminal)
        (kernel,) = runner.lake.jobs.list_kernels()
        pid = pid_of(runner, kernel)
        controller.kill()
    until(lambda: is_gone(runner, kernel, pid))


def test_n19_nothing_is_left_when_its_controller_ends(runner):
    runner.put(a="1")
    with at_work(runner):
        fail(runner)
        (kernel,) = runner.lake.jobs.list_kernels()
        pid = pid_of(runner, kernel)
    assert is_gone(runner, kernel, pid)


def test_it_ends_with_the_folder_that_is_taken_away(kept):
    runner, _, kernel = kept
    pid = pid_of(runner, kernel)
    (runner.lake.core.work_folder / KEPT_FOLDER / kernel.id / "record.json").unlink()
    until(lambda: not runs(pid))


def test_the_other_datums_of_a_bundle_run_and_only_the_first_failures_are_kept(runner):
    runner.put(**{name: name for name in "abcdef"})
    cells = [*CELLS[:2], "number = os.listdir(raw)[0]", "assert number in 'ef', number"]
    with at_work(runner):
        job = fail(runner, cells, "/*")
        states = [str(one.state) for one in runner.lake.jobs.list_datums(job.id)]
        assert sorted(states) == ["failed"] * 4 + ["success"] * 2
        kernels = runner.lake.jobs.list_kernels(job.id)
        assert len(kernels) == PER_JOB
        logs = "".join(one.text for one in runner.lake.jobs.logs(job.id))
        assert logs.count(f"its kernel is not kept: {PER_JOB} of this job") == 4 - PER_JOB
        # The next job of the pipeline makes them go.
        runner.put(g="g")
        until(lambda: runner.job("p").id != job.id and runner.job("p").state.is_terminal)
        until(lambda: runner.lake.jobs.list_kernels(job.id) == [])


def test_only_the_last_try_is_kept(runner):
    runner.put(a="1")
    with at_work(runner):
        job = fail(runner, tries=2, backoff="1ms")
        (kernel,) = runner.lake.jobs.list_kernels(job.id)
        assert kernel.attempt == "0-1.2"


def test_a_kernel_that_takes_more_than_its_datum_may_is_ended(runner, tmp_path):
    runner.put(a="1")
    options = {"resources": {"memory": "300MiB"}}
    runner.notebook("p", CELLS, ("raw", "/"), datums=DATUMS, **options)
    with at_work(runner):
        until(lambda: runner.job("p").state.is_terminal)
        (kernel,) = runner.lake.jobs.list_kernels()
        pid = pid_of(runner, kernel)
        runner.lake.jobs.reopen(kernel.job_id, folder=tmp_path / "fix")
        with opened(runner, tmp_path / "fix") as manager, talking(manager) as client:
            client.execute("taken = bytes(bytearray(b'x') * (600 << 20))")
            until(lambda: not runs(pid))
