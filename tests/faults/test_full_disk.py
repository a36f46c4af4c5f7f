"""A disk that is full: one clear message, nothing half-written, and the next try works."""

import json
import os
import subprocess
import sys
import threading

import pytest

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.faults import FaultyObjectStore, disk_full, with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of
from tests.faults.conftest import wait_until

DATALAKE = [sys.executable, "-m", "jupyter_datalake.cli.main"]


def assert_says_full(error):
    assert error.kind is ErrorKind.STORAGE_FULL
    assert "full" in str(error)
    assert "\n" not in str(error)


def test_whichever_write_of_a_commit_finds_the_disk_full_the_next_try_commits(lake):
    lake.files.put("raw@main/old", "old")
    before = history_of(lake, "raw")
    for number in range(1, 50):
        objects = FaultyObjectStore(lake.core.objects)
        objects.faults.fail_writes_from = number
        objects.faults.error = disk_full
        full = Lake(with_objects(lake.core, objects), lake.author)
        session = full.sessions.create("raw")
        try:
            session.put("new", os.urandom(3_000_000))
            session.commit("new")
            break
        except StorageError as error:
            assert_says_full(error)
        assert history_of(lake, "raw") == before
        assert contents_of(lake, "raw") == {"old": b"old"}
        objects.faults.fail_writes_from = None
        session.put("new", f"after {number}")
        session.commit("again")
        session.delete_session()
        assert contents_of(lake, "raw")["new"] == f"after {number}".encode()
        lake.files.delete("raw@main/new")
        before = history_of(lake, "raw")
    session.delete_session()
    assert number > 4
    check_lake(lake)


@pytest.fixture
def small_lake(small_disk):
    with Lake.create(str(small_disk.folder / "lake")) as opened:
        opened.repos.create("raw")
        yield opened


def test_a_put_that_does_not_fit_says_so_and_a_smaller_one_fits(small_lake, small_disk):
    small_lake.files.put("raw@main/first", os.urandom(1_000_000))
    before = contents_of(small_lake, "raw")
    with pytest.raises(StorageError) as caught:
        small_lake.files.put("raw@main/huge", os.urandom(40_000_000))
    assert_says_full(caught.value)
    assert contents_of(small_lake, "raw") == before
    assert small_lake.sessions.list() == []
    small_lake.files.put("raw@main/small", b"fits")
    check_lake(small_lake)


def is_empty(lake, info):
    with lake.sessions.open(info.id) as session:
        return not session.has_changes


LEFT = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400, 600, 900, 1300]


def test_however_little_is_left_a_commit_is_whole_or_says_full(small_lake, small_disk):
    small_lake.files.put("raw@main/x", "first")
    outcomes = set()
    for left in LEFT:
        before = contents_of(small_lake, "raw")
        content = os.urandom(400_000)
        small_disk.fill(left * 1024)
        try:
            small_lake.files.put("raw@main/x", content)
            outcomes.add("committed")
        except StorageError as error:
            assert_says_full(error)
            assert contents_of(small_lake, "raw") == before
            outcomes.add("full")
        assert [one for one in small_lake.sessions.list() if not is_empty(small_lake, one)] == []
        small_disk.free()
        small_lake.files.put("raw@main/x", content)
        assert contents_of(small_lake, "raw") == {"x": content}
    assert outcomes == {"committed", "full"}
    check_lake(small_lake)


def test_however_little_is_left_nothing_staged_is_lost(small_lake, small_disk):
    with small_lake.sessions.create("raw") as session:
        session.put("kept", b"kept" * 1000)
        for left in LEFT:
            small_disk.fill(left * 1024)
            staged = {change.path for change in session.diff()}
            try:
                session.put(f"new-{left}", os.urandom(100_000))
                staged.add(f"new-{left}")
            except StorageError as error:
                assert_says_full(error)
            assert {change.path for change in session.diff()} == staged
            small_disk.free()
    (info,) = small_lake.sessions.list()
    with small_lake.sessions.open(info.id) as session:
        assert {change.path for change in session.diff()} == staged
        session.commit("all of it")
    check_lake(small_lake)


def test_the_command_line_and_a_second_process_say_it_on_one_line(small_lake, small_disk):
    big = small_disk.folder.parent / "big"
    big.write_bytes(os.urandom(2_000_000))
    arguments = [*DATALAKE, "--lake", small_lake.url, "files", "put", "raw@main/big", str(big)]
    small_disk.fill(300 * 1024)
    for more in ([], ["--json"]):
        done = subprocess.run([*arguments, *more], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (20, "")
        (line,) = done.stderr.splitlines()
        assert "disk is full" in line
        assert "Free some space" in line
        if more:
            assert json.loads(line)["kind"] == "storage-full"
    small_disk.free()
    subprocess.run(arguments, check=True, capture_output=True)
    assert small_lake.files.get("raw@main/big").size_bytes == 2_000_000


@pytest.fixture
def publish(small_lake, tmp_path):
    def do(name, script, **options):
        leaf = {"repo": {"name": "raw", "glob": "/*"}}
        spec = {"pipeline": name, "command": ["sh", "-euc", script], "input": leaf}
        spec["datums"] = {"tries": 1, "timeout": "60s"}
        return small_lake.pipelines.apply({**spec, **options}, folder=tmp_path)

    return do


def run_all(lake):
    lake.run_controller(ControllerConfig(workers=1, lease_s=2, job_lease_s=2), until_idle=True)


@pytest.mark.parametrize(
    ("script", "input_bytes", "left_kib"),
    [
        ("true", 3_000_000, 1500),
        ("dd if=/dev/urandom of=pfs/out/x bs=100k count=50", 1_000, 2500),
        # What is stored is written beside the output, as soon as it is more than a few MiB.
        ("dd if=/dev/urandom of=pfs/out/x bs=100k count=100 2>/dev/null", 1_000, 13_000),
        ("dd if=/dev/zero of=pfs/out/x bs=4k count=700 2>/dev/null || seq 99999", 1_000, 2500),
    ],
    ids=["input", "output", "storing", "log"],
)
def test_a_job_without_space_fails_and_says_so_and_the_next_one_succeeds(
    small_lake, small_disk, publish, script, input_bytes, left_kib
):
    small_lake.files.put("raw@main/x", os.urandom(input_bytes))
    publish("job", script)
    before = history_of(small_lake, "job")
    small_disk.fill(left_kib * 1024)
    run_all(small_lake)
    (job,) = small_lake.jobs.list()
    log = "".join(one.text for one in small_lake.jobs.logs(job.id))
    assert str(job.state) == "failed", job
    assert "\n" not in job.message
    assert "Internal" not in job.message
    assert "disk is full" in job.message or "No space left" in job.message + log
    assert history_of(small_lake, "job") == before
    assert contents_of(small_lake, "job") == {}
    small_disk.free()
    small_lake.jobs.rerun(job.id)
    run_all(small_lake)
    assert str(small_lake.jobs.list(limit=1)[0].state) == "success"
    check_lake(small_lake)


@pytest.mark.logs("full")
def test_a_controller_waits_out_a_full_disk_and_then_does_its_work(
    small_lake, small_disk, publish, caplog
):
    publish("job", "cp pfs/raw/x pfs/out/x")
    small_lake.files.put("raw@main/x", "x")
    small_disk.fill()
    stop = threading.Event()
    thread = threading.Thread(
        target=lambda: small_lake.run_controller(
            ControllerConfig(workers=1, lease_s=1, job_lease_s=1), stop=stop
        )
    )
    thread.start()
    try:
        wait_until(lambda: "full" in caplog.text, "the controller to notice")
        assert thread.is_alive()
        small_disk.free()
        wait_until(lambda: small_lake.commits.get("job").file_count == 1, "the job")
    finally:
        stop.set()
        thread.join()
    assert contents_of(small_lake, "job") == {"x": b"x"}
    check_lake(small_lake)
