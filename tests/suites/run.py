"""Programs that test file systems, let loose on a mount of a lake.

::

    make test-mount                       # everything, about ten minutes
    python tests/suites/run.py fsx fio    # some

A walk of what POSIX says, call by call beside an ordinary folder (`posix`), CPython's own tests of
files (Debian's testsuite package), fio with its checks, stress-ng's file system stressors, and
thousands of random operations on one file (`fsx`) while others commit and the process that serves
the mount is killed. Everything lies on a writable session of a new lake; at the end what is staged
is committed, and the lake verified. ``--write-docs`` puts the tables into
``docs/mount.md``. The exit status is 1 if anything failed that is not on the list of what a mount
of a lake refuses.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fsx import DifferenceError, Exerciser

from jupyter_datalake.lake.lake import Lake

ROOT = Path(__file__).resolve().parents[2]
POSIX = ROOT / "tests" / "suites" / "posix.py"
SUITES_MARKS = "<!-- suites: written by make test-mount -->", "<!-- suites end -->"
POSIX_MARKS = "<!-- posix: written by make test-mount -->", "<!-- posix end -->"

PYTHON_TESTS = (
    "test_bufio",
    "test_bz2",
    "test_dbm",
    "test_dbm_dumb",
    "test_fcntl",
    "test_file",
    "test_filecmp",
    "test_fileinput",
    "test_fileio",
    "test_genericpath",
    "test_glob",
    "test_gzip",
    "test_import",
    "test_io",
    "test_largefile",
    "test_linecache",
    "test_lzma",
    "test_mailbox",
    "test_mmap",
    "test_os",
    "test_pathlib",
    "test_posix",
    "test_posixpath",
    "test_py_compile",
    "test_shelve",
    "test_shutil",
    "test_stat",
    "test_tarfile",
    "test_tempfile",
    "test_unicode_file",
    "test_unicode_file_functions",
    "test_zipapp",
    "test_zipfile",
    "test_zipimport",
)
PYTHON_REFUSED = {"test_hardlink_to": "hard links: EPERM"}

STRESSORS: dict[str, tuple[str, ...]] = {
    "access": (),
    "aio": (),
    "chdir": (),
    "chmod": (),
    "chown": (),
    "copy-file": ("--copy-file-bytes", "128m"),
    "dentry": (),
    "dir": (),
    "dirdeep": (),
    "dirmany": (),
    "dnotify": (),
    "fallocate": ("--fallocate-bytes", "16m"),
    "fcntl": (),
    "filename": (),
    "flock": (),
    "fpunch": (),
    "fstat": (),
    "getdent": (),
    "hdd": ("--hdd-bytes", "16m"),
    "inode-flags": (),
    "inotify": (),
    "io": (),
    "iomix": ("--iomix-bytes", "16m"),
    "lease": (),
    "link": (),
    "locka": (),
    "lockf": (),
    "lockofd": (),
    "mknod": (),
    "open": (),
    "readahead": ("--readahead-bytes", "16m"),
    "rename": (),
    "revio": ("--revio-bytes", "16m"),
    "seek": (),
    "symlink": (),
    "sync-file": ("--sync-file-bytes", "16m"),
    "touch": (),
    "utime": (),
    "xattr": (),
}
STRESS_REFUSED = {"link": "hard links: EPERM", "xattr": "setting attributes: ENOTSUP"}
_STRESS_NOT_HERE = 3
"""Exit status of stress-ng where the file system refuses what the stressor is about."""

FIO_JOBS: dict[str, tuple[str, ...]] = {
    "sequential writes of 128 KiB": ("--rw=write", "--bs=128k", "--ioengine=psync"),
    "random writes of 4 KiB": ("--rw=randwrite", "--bs=4k", "--ioengine=psync"),
    "random reads and writes of any size": ("--rw=randrw", "--bsrange=512-96k", "--ioengine=psync"),
    "through memory maps": ("--rw=randwrite", "--bs=4k", "--ioengine=mmap"),
    "asynchronous, many at once": (
        *("--rw=randwrite", "--bs=16k", "--ioengine=libaio", "--iodepth=16"),
    ),
    "with fsync after every 16": ("--rw=randwrite", "--bs=4k", "--ioengine=psync", "--fsync=16"),
}
FSX_STEPS = 3000


@dataclass(frozen=True)
class Outcome:
    """What came of one suite."""

    name: str
    passed: int
    refused: dict[str, str]
    """What the mount does not do, and how it says so."""
    failed: tuple[str, ...]
    took_s: float
    details: str = ""
    """A table of its own."""


def posix_suite(folder: Path, lake: Lake) -> Outcome:
    """Compare every call with an ordinary folder: on what was just made, then on commits."""
    (mount,) = lake.mounts.list()
    started = time.monotonic()
    refused: Counter[str] = Counter()
    failed: list[str] = []
    passed, details = 0, ""
    for way in ((), ("--committed",)):
        ours = folder / (way[0] if way else "staged")
        with tempfile.TemporaryDirectory(prefix="datalake-posix-") as place:
            ordinary, summary = Path(place, "ordinary"), Path(place, "summary")
            ours.mkdir()
            ordinary.mkdir()
            command = [sys.executable, str(POSIX), str(ours), str(ordinary), *way]
            with subprocess.Popen(
                [*command, "--summary", str(summary)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as walking:
                if way and walking.stdout is not None:
                    walking.stdout.readline()
                    lake.sessions.commit(str(mount.session_id), "What the walk needs")
                walking.communicate("\n")
            found = json.loads(summary.read_text())
        details = details or found["table"]
        passed += found["same"]
        for why, count in found["refused"].items():
            refused[why.partition(":")[0]] += count
        failed += found["different"]
        shutil.rmtree(ours)
        _tell(f"walk {' '.join(way)}", not found["different"])
    counts = {why: f"{count:,}" for why, count in refused.items()}
    return Outcome("POSIX, call by call", passed, counts, tuple(failed), _since(started), details)


def python_suite(folder: Path, lake: Lake) -> Outcome:
    """Run CPython's tests of files, each module in a process of its own."""
    python = _python_with_tests()
    refused: dict[str, str] = {}
    failed: list[str] = []
    passed = 0
    started = time.monotonic()
    for module in PYTHON_TESTS:
        done = _run([python, "-m", "test", "-v", module], folder, TMPDIR=str(folder))
        found = set(re.findall(r"^(?:FAIL|ERROR): (\w+) ", done.stdout, re.MULTILINE))
        refused |= {name: PYTHON_REFUSED[name] for name in found & set(PYTHON_REFUSED)}
        failed += [f"{module}.{name}" for name in sorted(found - set(PYTHON_REFUSED))]
        if done.returncode and not found:
            failed.append(module)
        ran = re.findall(r"^Ran (\d+) tests?", done.stdout, re.MULTILINE)
        skipped = re.findall(r"^(?:OK|FAILED) \(.*skipped=(\d+)", done.stdout, re.MULTILINE)
        passed += sum(map(int, ran)) - sum(map(int, skipped)) - len(found)
        _tell(module, not found - set(PYTHON_REFUSED))
    return Outcome("CPython's tests of files", passed, refused, tuple(failed), _since(started))


def fio_suite(folder: Path, lake: Lake) -> Outcome:
    """Write with fio and let it check every block."""
    failed: list[str] = []
    started = time.monotonic()
    for name, options in FIO_JOBS.items():
        checks = ("--verify=crc32c", "--do_verify=1", "--verify_fatal=1", "--verify_state_save=0")
        command = ["fio", "--name=job", "--size=32m", *checks, *options]
        done = _run([*command, f"--directory={folder}"], folder)
        if done.returncode:
            failed.append(name)
        _tell(name, not done.returncode)
    passed = len(FIO_JOBS) - len(failed)
    return Outcome("fio --verify", passed, {}, tuple(failed), _since(started))


def stress_suite(folder: Path, lake: Lake) -> Outcome:
    """Let every stressor work for a while, two of each at once."""
    failed: list[str] = []
    refused: dict[str, str] = {}
    started = time.monotonic()
    for name, options in STRESSORS.items():
        base = ["stress-ng", "--temp-path", str(folder), "--timeout", "3", "--verify"]
        done = _run([*base, f"--{name}", "2", *options], folder)
        if done.returncode == _STRESS_NOT_HERE and name in STRESS_REFUSED:
            refused[name] = STRESS_REFUSED[name]
        elif done.returncode:
            failed.append(name)
        _tell(name, name not in failed)
    passed = len(STRESSORS) - len(failed) - len(refused)
    return Outcome("stress-ng --verify", passed, refused, tuple(failed), _since(started))


def fsx_suite(folder: Path, lake: Lake, seeds: range = range(5)) -> Outcome:
    """Change one file at random, while all of it is committed and its mount is killed."""
    failed: list[str] = []
    started = time.monotonic()
    (mount,) = lake.mounts.list()
    assert mount.session_id is not None
    session_id = mount.session_id

    def between(number: int) -> None:
        if number % 250 == 249 and next(iter(lake.sessions.diff(session_id)), None):
            lake.sessions.commit(session_id, f"After {number} operations")
        if number == FSX_STEPS // 2:  # not more often: what dies every few seconds is given up
            _kill_daemon(lake, folder)

    for seed in seeds:
        place = folder / f"fsx-{seed}"
        place.mkdir()
        try:
            Exerciser(place, seed, between).run(FSX_STEPS)
        except (DifferenceError, OSError) as error:
            failed.append(f"seed {seed}: {error}")
            print(failed[-1], file=sys.stderr)
        _tell(f"seed {seed}", not failed)
    passed = len(seeds) * FSX_STEPS if not failed else 0
    return Outcome(
        "fsx, with commits and killed mounts", passed, {}, tuple(failed), _since(started)
    )


SUITES: dict[str, Callable[[Path, Lake], Outcome]] = {
    "posix": posix_suite,
    "python": python_suite,
    "fio": fio_suite,
    "stress": stress_suite,
    "fsx": fsx_suite,
}


def main() -> int:
    """Run what is asked for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SUITES)}; all by default")
    parser.add_argument("--write-docs", action="store_true", help="put the table into the docs")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs=2,
        default=(0, 5),
        help="first of fsx, and the one after the last",
    )
    options = parser.parse_args()
    unknown = set(options.only) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite {sorted(unknown)[0]!r}; there are {', '.join(SUITES)}")
    _install()
    suites = {**SUITES, "fsx": partial(fsx_suite, seeds=range(*options.seeds))}
    if os.geteuid() == 0:
        os.environ["DATALAKE_ALLOW_OTHER"] = "1"
    outcomes = []
    with (
        tempfile.TemporaryDirectory(prefix="datalake-suites-") as place,
        Lake.create(f"{place}/lake") as lake,
    ):
        lake.repos.create("raw")
        mount = lake.mounts.create("raw", at=f"{place}/shown")
        try:
            for name in options.only or SUITES:
                folder = Path(mount.path) / name
                folder.mkdir()
                outcomes.append(suites[name](folder, lake))
                shutil.rmtree(folder)
            outcomes.append(_afterwards(lake, str(mount.session_id)))
        finally:
            lake.mounts.stop(f"{place}/shown")
    table = _table(outcomes)
    print(table)
    for outcome in outcomes:
        print(outcome.details)
        if options.write_docs and outcome.details:
            _write_docs(outcome.details, POSIX_MARKS)
    if options.write_docs:
        _write_docs(table, SUITES_MARKS)
    return int(any(outcome.failed for outcome in outcomes))


def _afterwards(lake: Lake, session_id: str) -> Outcome:
    """Commit what was left, and verify the lake."""
    started = time.monotonic()
    if next(iter(lake.sessions.diff(session_id)), None):
        lake.sessions.commit(session_id, "What the suites left")
    report = lake.maintenance.verify()
    failed = tuple(f"{one.thing}: {one.message}" for one in report.findings)
    name = "the lake afterwards, verified: commits"
    return Outcome(name, report.commits, {}, failed, _since(started))


def _kill_daemon(lake: Lake, folder: Path) -> None:
    """Kill the process that serves the mount, and wait until another one does."""
    (info,) = lake.mounts.list_mountpoints()
    children = Path(f"/proc/{info.pid}/task/{info.pid}/children").read_text().split()
    for one in children:
        os.kill(int(one), 9)
    deadline = time.monotonic() + 60
    while True:
        try:
            os.listdir(folder)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _python_with_tests() -> str:
    for python in ("/usr/bin/python3", sys.executable):
        probe = [python, "-c", "import test.test_pathlib"]
        if not subprocess.run(probe, capture_output=True, check=False).returncode:
            return python
    sys.exit("No Python has its tests installed: apt-get install libpython3.11-testsuite")


def _install() -> None:
    """Install the suites, where this machine lets us."""
    if shutil.which("fio") and shutil.which("stress-ng"):
        return
    if os.geteuid() == 0:
        packages = ("fio", "stress-ng", f"libpython{_debian_python()}-testsuite")
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=False
        )


def _debian_python() -> str:
    """Return the version of the Python whose tests Debian has, such as 3.11."""
    probe = ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(probe, capture_output=True, text=True, check=True).stdout.strip()


def _run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=900,
        check=False,
    )


def _tell(name: str, is_good: bool) -> None:
    print(f"{'ok' if is_good else 'FAILED':8}{name}", file=sys.stderr, flush=True)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)


def _table(outcomes: list[Outcome]) -> str:
    rows = [
        "| suite | passed | refused | failed | seconds |",
        "|---|---|---|---|---|",
        *(
            f"| {one.name} | {one.passed:,} | {_listed(one.refused)} |"
            f" {'; '.join(one.failed) or '–'} | {one.took_s:.0f} |"
            for one in outcomes
        ),
    ]
    return "\n".join(rows) + "\n"


def _listed(refused: dict[str, str]) -> str:
    return "; ".join(f"{name} ({why})" for name, why in sorted(refused.items())) or "–"


def _write_docs(table: str, marks: tuple[str, str]) -> None:
    page = ROOT / "docs" / "mount.md"
    begin, end = marks
    head, _, rest = page.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n\n{table}\n{end}{tail}")


if __name__ == "__main__":
    sys.exit(main())
