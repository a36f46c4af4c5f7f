"""Many writers at once: commits per second on one branch and on many, in SQLite and in Postgres.

``python tests/benchmarks/writers.py`` prints the figures as JSON; `run` returns them. Every commit
is one small file. After each round all of them are looked for: a lost one ends the program.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.postgres_server import PostgresServer, why_no_postgres

_AUTHOR = Author("writer")


def run(*, writers: int = 32, processes: int = 4, commits: int = 8) -> dict[str, object]:
    """Return commits per second, and the slowest commit of all, for each database and layout.

    Parameters
    ----------
    writers
        At work at the same moment: threads, evenly spread over `processes`.
    commits
        Of each writer.
    """
    figures: dict[str, object] = {
        "writers": writers,
        "processes": processes,
        "commits": writers * commits,
    }
    with tempfile.TemporaryDirectory(prefix="datalake-bench-") as folder:
        for name, database in _databases():
            with database as url:
                for layout in ("one branch", "many branches"):
                    place = Path(folder) / f"{name} {layout}"
                    schema = None if url is None else f"{url}_{layout.split(maxsplit=1)[0]}"
                    figures[f"{name}, {layout}"] = measure(
                        LakeConfig(str(place), database_url=schema),
                        layout,
                        writers // processes,
                        processes,
                        commits,
                    )
    return figures


def _databases() -> Iterator[tuple[str, AbstractContextManager[str | None]]]:
    yield "sqlite", _no_server()
    reason = why_no_postgres()
    if reason:
        sys.stderr.write(f"without Postgres: {reason}\n")
    else:
        yield "postgres", _server()


@contextmanager
def _no_server() -> Iterator[None]:
    yield None


@contextmanager
def _server() -> Iterator[str]:
    with PostgresServer(is_durable=True) as server:  # as SQLite's commits wait for the disk too
        yield server.url("bench")


def measure(
    config: LakeConfig, layout: str, threads: int, processes: int, commits: int
) -> dict[str, float]:
    """Make a lake, let processes of several threads commit to it at once, and look for it all."""
    with Lake.create(config, author=_AUTHOR) as lake:
        lake.repos.create("raw")
        branches = ["main"]
        if layout == "many branches":
            branches = [f"b{number}" for number in range(threads * processes)]
            for branch in branches:
                lake.refs.create_branch("raw", branch)
        started = [
            subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    config.url,
                    str(one),
                    str(threads),
                    str(commits),
                    layout,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for one in range(processes)
        ]
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        began = time.perf_counter()
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        slowest = max(float(one.communicate()[0]) for one in started)
        seconds = time.perf_counter() - began
        made = {
            commit.message
            for branch in branches
            for commit in lake.commits.list("raw", branch, limit=None)
        }
        wanted = {
            f"{process} {thread} {number}"
            for process in range(processes)
            for thread in range(threads)
            for number in range(commits)
        }
        assert wanted <= made, f"lost: {sorted(wanted - made)[:5]}"
        return {
            "commits_per_s": round(len(wanted) / seconds, 1),
            "slowest_commit_s": round(slowest, 2),
        }


def _write(url: str, process: int, threads: int, commits: int, layout: str) -> None:
    """Be one of the processes: say ready, wait for a line, write, say how long the slowest took."""
    slowest = [0.0] * threads
    failures: list[DatalakeError] = []
    with Lake.open(url, author=_AUTHOR) as lake:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()

        def work(thread: int) -> None:
            branch = "main" if layout == "one branch" else f"b{process * threads + thread}"
            for number in range(commits):
                began = time.perf_counter()
                name = f"{process} {thread} {number}"
                try:
                    lake.files.put(f"raw@{branch}/{process}/{thread}", name, message=name)
                except DatalakeError as error:
                    failures.append(error)
                slowest[thread] = max(slowest[thread], time.perf_counter() - began)

        running = [threading.Thread(target=work, args=(one,)) for one in range(threads)]
        for one in running:
            one.start()
        for one in running:
            one.join()
    if failures:
        raise failures[0]
    sys.stdout.write(f"{max(slowest)}\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        sys.stdout.write(json.dumps(run(), indent=2) + "\n")
