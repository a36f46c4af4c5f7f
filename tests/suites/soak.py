"""A day of mixed work on a mount in ten minutes, and what the serving process holds meanwhile.

::

    python tests/suites/soak.py [--seconds 600] [--seed 1]

Files are made, changed, listed, read, mapped, renamed and removed, by calls that leave some of
them open; folders of hundreds come and go; sessions are committed and discarded; tags are mounted
and unmounted, and old commits are read by name. Memory, descriptors and inodes of the process are
printed as it goes. It fails if the last third holds more than the middle one by more than a little:
what a day adds, a month would add thirty times.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.mount.control import MountClient

_SAMPLE_S = 5.0
_OPEN_FILES = 200
_MORE_MIB = 24
_MORE_DESCRIPTORS = 20
_MORE_INODES = 4000


@dataclass(frozen=True)
class Sample:
    """What the serving process held at a moment."""

    at_s: float
    acts: int
    commits: int
    memory_mib: float
    descriptors: int
    """Without those of the files that programs have open."""
    inodes: int


class Worker:
    """Somebody who works in a mount, at random."""

    def __init__(self, lake: Lake, point: str, seed: int) -> None:
        self._lake = lake
        self._point = point
        self._random = random.Random(seed)
        mount = lake.mounts.create("raw", at=point)
        assert mount.session_id is not None
        self._session = mount.session_id
        self._root = Path(mount.path)
        self._open: list[int] = []
        self.commits = 0
        self._acts = [
            (self._make, 30),
            (self._change, 30),
            (self._read, 30),
            (self._hold, 10),
            (self._rename, 10),
            (self._remove, 10),
            (self._list, 10),
            (self._make_many, 1),
            (self._remove_many, 1),
            (self._commit, 2),
            (self._discard, 1),
            (self._look_back, 3),
            (self._mount_a_tag, 1),
        ]

    def act(self) -> None:
        """Do one thing; what is not there any more is no failure."""
        acts, weights = zip(*self._acts, strict=True)
        (act,) = self._random.choices(acts, weights)
        with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError, FileExistsError):
            act()

    @property
    def open_count(self) -> int:
        """How many files are open."""
        return len(self._open)

    def stop(self) -> None:
        """Close what is open."""
        while self._open:
            os.close(self._open.pop())

    def _place(self) -> Path:
        folder = self._root / f"folder-{self._random.randrange(20)}"
        folder.mkdir(exist_ok=True)
        return folder / f"{self._random.randrange(60):03d}"

    def _data(self) -> bytes:
        return self._random.randbytes(self._random.choice((10, 5_000, 100_000, 900_000)))

    def _make(self) -> None:
        self._place().write_bytes(self._data())

    def _change(self) -> None:
        with open(self._place(), "r+b") as file:
            file.seek(self._random.randrange(200_000))
            file.write(self._data())

    def _read(self) -> None:
        self._place().read_bytes()

    def _hold(self) -> None:
        """Open a file and keep it, or let one go that was kept."""
        if len(self._open) >= _OPEN_FILES or (self._open and self._random.random() < 0.4):
            os.close(self._open.pop(self._random.randrange(len(self._open))))
        else:
            self._open.append(os.open(self._place(), os.O_RDWR | os.O_CREAT, 0o644))
            os.pwrite(self._open[-1], b"held", self._random.randrange(10_000))

    def _rename(self) -> None:
        os.replace(self._place(), self._place())

    def _remove(self) -> None:
        self._place().unlink()

    def _list(self) -> None:
        for folder in sorted(self._root.iterdir()):
            for path in folder.iterdir() if folder.is_dir() else ():
                with suppress(FileNotFoundError):
                    path.stat()

    def _make_many(self) -> None:
        folder = self._root / f"many-{self._random.randrange(4)}"
        folder.mkdir(exist_ok=True)
        for number in range(400):
            (folder / f"{number}").write_bytes(b"%d" % number)

    def _remove_many(self) -> None:
        shutil.rmtree(self._root / f"many-{self._random.randrange(4)}", ignore_errors=True)

    def _commit(self) -> None:
        if next(iter(self._lake.sessions.diff(self._session)), None):
            self._lake.sessions.commit(self._session, f"Commit {self.commits}")
            self.commits += 1

    def _discard(self) -> None:
        self._lake.sessions.discard(self._session)

    def _look_back(self) -> None:
        past = Path(self._point) / f"raw@main~{self._random.randrange(1, self.commits + 2)}"
        for folder in sorted(past.iterdir())[:3]:
            for path in sorted(folder.iterdir())[:20]:
                path.read_bytes()

    def _mount_a_tag(self) -> None:
        tag = f"t{self.commits}-{self._random.randrange(10**6)}"
        self._lake.refs.create_tag("raw", tag)
        mount = self._lake.mounts.create("raw", tag, at=self._point)
        list(Path(mount.path).rglob("*"))
        self._lake.mounts.delete(mount.name, at=self._point)
        self._lake.refs.delete_tag("raw", tag)


def main() -> int:
    """Work for a while; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    samples: list[Sample] = []
    with (
        tempfile.TemporaryDirectory(prefix="datalake-soak-") as place,
        Lake.create(f"{place}/lake") as lake,
    ):
        lake.repos.create("raw")
        point = f"{place}/shown"
        worker = Worker(lake, point, options.seed)
        client = MountClient(lake.core, point)
        first_pid = client.ping()["pid"]
        started = time.monotonic()
        acts = 0
        try:
            while (passed := time.monotonic() - started) < options.seconds:
                worker.act()
                acts += 1
                if passed > (len(samples) + 1) * _SAMPLE_S:
                    samples.append(_sample(client, worker, passed, acts))
                    if len(samples) % 6 == 1:
                        print(samples[-1], flush=True)
            has_died = client.ping()["pid"] != first_pid
        finally:
            worker.stop()
            lake.mounts.stop(point)
        findings = [] if not has_died else ["the serving process died"]
        findings += [str(one) for one in lake.maintenance.verify().findings]
    findings += _growth(samples)
    print(f"{acts:,} acts and {samples[-1].commits} commits in {options.seconds:.0f} s")
    for finding in findings or ["nothing grew, nothing died, the lake is sound"]:
        print(finding)
    return int(bool(findings))


def _sample(client: MountClient, worker: Worker, passed: float, acts: int) -> Sample:
    found = client.ping()
    status = Path(f"/proc/{found['pid']}/status").read_text()
    memory_kib = int(status.partition("VmRSS:")[2].split()[0])
    descriptors = len(os.listdir(f"/proc/{found['pid']}/fd")) - worker.open_count
    memory_mib = round(memory_kib / 1024, 1)
    return Sample(round(passed), acts, worker.commits, memory_mib, descriptors, found["inodes"])


def _growth(samples: list[Sample]) -> list[str]:
    """Return what the last third holds more than the middle one."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    found: list[str] = []
    for name, more in (
        ("memory_mib", _MORE_MIB),
        ("descriptors", _MORE_DESCRIPTORS),
        ("inodes", _MORE_INODES),
    ):
        before = statistics.median(getattr(one, name) for one in middle)
        after = statistics.median(getattr(one, name) for one in last)
        if after > before + more:
            found.append(f"{name} grew from {before} to {after}")
    return found


if __name__ == "__main__":
    sys.exit(main())
