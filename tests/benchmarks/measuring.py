"""Running a command and taking its measure: wall, processor and peak memory of all it started."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_SAMPLE_S = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took."""

    wall_s: float
    cpu_s: float
    """Of the process and all its children, in user and kernel."""
    peak_mib: float
    """Largest resident memory of the process and its children, in total."""

    def as_dict(self) -> dict[str, float]:
        """Return rounded figures for JSON."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Run a command to its end; raise if it fails."""
    started = time.monotonic()
    with open(folder / "output.log", "ab") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=log,
            stderr=log,
        )
        watcher = _Watcher(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - started
    peak_kib = max(watcher.stop(), usage.ru_maxrss)
    if process.returncode:
        shown = " ".join(map(str, command))
        tail = (folder / "output.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{shown} failed with {process.returncode}:\n{tail}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, peak_kib / 1024)


class _Watcher:
    """Adds up the memory of a process and of those it started, several times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_kib = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self._peak_kib

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            total = sum(map(_resident_kib, _family(self._pid)))
            self._peak_kib = max(self._peak_kib, total)


def _family(pid: int) -> list[int]:
    """Return a process and everything below it."""
    found = [pid]
    for one in found:
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue  # it ended
        found += map(int, children.split())
    return found


def _resident_kib(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs, each figure by itself."""
    return Cost(
        statistics.median(cost.wall_s for cost in costs),
        statistics.median(cost.cpu_s for cost in costs),
        statistics.median(cost.peak_mib for cost in costs),
    )


def timed(act: Callable[[], object], *, rounds: int = 5) -> float:
    """Return the median wall time of `act` in seconds, after one round that does not count."""
    act()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def size_of(folder: Path) -> int:
    """Return the bytes that the files below a folder take on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def machine() -> dict[str, object]:
    """Return what the figures were taken on."""
    return {
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "load_before": round(os.getloadavg()[0], 2),
    }
