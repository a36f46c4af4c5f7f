"""Several threads and processes at once: reading one lake, and committing to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from jupyter_datalake.lake.lake import Lake

MEGABYTE = 1 << 20
COUNTS = (1, 2, 4)


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return MB/s of reading, and commits per second, for several numbers of workers."""
    size = max(int(512 * scale), 8)
    folder = place / "parallel"
    shutil.rmtree(folder, ignore_errors=True)
    with Lake.create(str(folder)) as lake:
        lake.repos.create("data")
        for number in range(max(COUNTS)):
            lake.files.put(f"data@main/{number}", os.urandom(size * MEGABYTE // max(COUNTS)))
            lake.refs.create_branch("data", f"branch-{number}")
        figures = {
            "read_mb_per_s, threads": {str(count): _read(lake, count, size) for count in COUNTS}
        }
    for act, unit in (("read", "read_mb_per_s"), ("commit", "commits_per_s")):
        figures[f"{unit}, processes"] = {
            str(count): _processes(folder, act, count, size) for count in COUNTS
        }
    shutil.rmtree(folder)
    return {"benchmark": "parallel", "megabytes": size, "figures": figures}


def _read_one(lake: Lake, number: int) -> None:
    with lake.files.open(f"data@main/{number % max(COUNTS)}") as file:
        while file.read(MEGABYTE):
            pass


def _read(lake: Lake, count: int, size: int) -> float:
    started = time.monotonic()
    threads = [threading.Thread(target=_read_one, args=(lake, one)) for one in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(count * size / max(COUNTS) / (time.monotonic() - started), 1)


COMMITS = 50


def _processes(folder: Path, act: str, count: int, size: int) -> float:
    """Return the rate of several processes, without the time that they take to start."""
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, act, str(folder), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()  # it is ready
    started = time.monotonic()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        if worker.wait():
            raise RuntimeError(f"a worker that should {act} failed")
    elapsed = time.monotonic() - started
    done = count * COMMITS if act == "commit" else count * size / max(COUNTS)
    return round(done / elapsed, 1)


def _work(act: str, folder: str, number: int) -> None:
    with Lake.open(folder) as lake:
        print("ready", flush=True)
        sys.stdin.readline()
        if act == "read":
            _read_one(lake, number)
        for count in range(COMMITS if act == "commit" else 0):
            lake.files.put(f"data@branch-{number}/file", b"%d %f" % (count, time.time()))


if __name__ == "__main__":
    _work(sys.argv[1], sys.argv[2], int(sys.argv[3]))
