"""All benchmarks, or those that are named: JSON for machines, tables for ``docs/benchmarks.md``.

::

    make bench                                 # everything, about half an hour
    make bench ONLY="commits trees" SCALE=0.1  # some, on a tenth of the data

Results are added to ``.benchmarks/`` in the repository; ``--write-docs`` writes the tables of
the last two runs of each benchmark, those that the page shows already among them, and the newest
one of mounts into ``docs/mount.md``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import report
from measuring import machine

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".benchmarks"
PEERS = RESULTS / "peers"
ALL = (
    "raw",
    "commits",
    "many_files",
    "trees",
    "dedup",
    "memory",
    "parallel",
    "mount",
    "writers",
    "s3",
    "encryption",
    "notebooks",
    "datums",
    "scale_out",
    "workbench",
)
SELF_CONTAINED = frozenset(
    {"writers", "s3", "encryption", "notebooks", "datums", "scale_out", "workbench"}
)
"""These find a place for their files themselves."""


def main() -> None:
    """Run what is asked for and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help=f"of {', '.join(ALL)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the data; 1.0 is all")
    parser.add_argument("--place", type=Path, help="a folder on the disk to be measured")
    parser.add_argument("--cases", nargs="*", default=[], help="cases of the benchmark 'commits'")
    parser.add_argument("--without", nargs="*", default=[], help="of 'commits', as case:tool")
    parser.add_argument("--no-peers", action="store_true", help="install no tools to compare with")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.md anew")
    options = parser.parse_args()
    unknown = set(options.only) - set(ALL)
    if unknown:
        parser.error(f"unknown benchmark {sorted(unknown)[0]!r}; there are {', '.join(ALL)}")
    RESULTS.mkdir(exist_ok=True)
    if not options.no_peers:
        _install_peers()
    os.environ["BENCH_PEERS"] = str(PEERS)
    place = options.place or Path(tempfile.gettempdir()) / "datalake-bench"
    place.mkdir(parents=True, exist_ok=True)
    for name in options.only or ALL:
        _run(name, place, options)
    if options.write_docs:
        docs = ROOT / "docs" / "benchmarks.md"
        page = report.page(RESULTS, docs.read_text())
        docs.write_text(page)
        mounts = ROOT / "docs" / "mount.md"
        mounts.write_text(report.with_newest(mounts.read_text(), page, "Mount"))


def _run(name: str, place: Path, options: argparse.Namespace) -> None:
    print(f"== {name}", file=sys.stderr, flush=True)
    facts = machine()
    started = time.monotonic()
    # Linux counts into the peak memory of a program what the process had that started it.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        results = alone.submit(_measure, name, place, options).result()
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    record = {"name": name, "at": at, "machine": facts, "results": results}
    record["took_s"] = round(time.monotonic() - started, 1)
    (RESULTS / f"{name}-{at}.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))


def _measure(name: str, place: Path, options: argparse.Namespace) -> dict[str, Any]:
    module = importlib.import_module(name)
    results: dict[str, Any]
    if name in SELF_CONTAINED:
        results = module.run()
    elif name == "commits":
        cases, without = frozenset(options.cases), frozenset(options.without)
        results = module.run(place, scale=options.scale, only=cases, without=without)
    else:
        results = module.run(place, scale=options.scale)
    return results


def _install_peers() -> None:
    """Install the tools to compare with, as far as this machine lets us."""
    if os.geteuid() == 0:
        packages = ("restic", "borgbackup", "git-annex", "rclone", "python3-pyfuse3")
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        _try(command)
    if not (PEERS / "bin" / "dvc").exists():
        _try([sys.executable, "-m", "venv", str(PEERS)])
        _try([str(PEERS / "bin" / "pip"), "install", "-q", "dvc", "oxenai"])


def _try(command: list[str]) -> None:
    """Run a command; what it cannot install is left out of the tables."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        print(f"{' '.join(command[:3])} …: {' '.join(last)}", file=sys.stderr)


if __name__ == "__main__":
    main()
