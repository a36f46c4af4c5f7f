"""Reading and writing through mounts: this lake's, those of other tools, and no mount at all.

The same data lies on the disk, in a lake, in a restic and a borg repository, and behind rclone.
Caches of the system are dropped before what is called cold, where that is allowed.
"""

from __future__ import annotations

import mmap
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import psutil

from jupyter_datalake.lake.lake import Lake

MEGABYTE = 1 << 20
ROUNDS = 3
_RANDOM_READS = 4000
_PATIENCE_S = 20
_PASSWORD = {"RESTIC_PASSWORD": "benchmark", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}

Shown = Callable[[Path, Path], Iterator[Path]]
"""Given the data and a place to work in, yields the folder that shows the data."""


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return figures of each way to read, and of the ways to write.

    Parameters
    ----------
    scale
        1.0 is a file of 1 GiB, 100,000 names in a folder, and a table of 5 million rows.
    """
    data = _data(place / f"mount-{scale}", scale)
    work = place / "mounts"
    shutil.rmtree(work, ignore_errors=True)
    figures: dict[str, dict[str, float]] = {}
    for name, shown in _WAYS.items():
        folder = work / name
        folder.mkdir(parents=True)
        try:
            with contextmanager(shown)(data, folder) as place_shown:
                figures[name] = _reading(place_shown)
                if name == "datalake":
                    figures[name]["daemon, peak MiB"] = _daemon_mib(folder)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
    for name, shown in _WRITABLE.items():
        folder = work / f"{name}-writing"
        folder.mkdir()
        try:
            with contextmanager(shown)(data, folder) as place_shown:
                figures.setdefault(name, {}).update(_writing(place_shown, scale))
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
    shutil.rmtree(work, ignore_errors=True)
    return {"scale": scale, "figures": figures}


def _data(place: Path, scale: float) -> Path:
    if not place.exists():
        partial = place.with_name(f".{place.name}")
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "names").mkdir(parents=True)
        source = random.Random(7)
        with open(partial / "big.bin", "wb") as file:
            for _ in range(max(int(1024 * scale), 16)):
                file.write(source.randbytes(MEGABYTE))
        for number in range(max(int(100_000 * scale), 100)):
            (partial / "names" / f"{number:07d}.txt").write_bytes(b"%d" % number)
        rows = max(int(5_000_000 * scale), 10_000)
        numbers = np.random.default_rng(7)
        frame = pd.DataFrame(
            {
                "n": np.arange(rows),
                "x": numbers.normal(size=rows),
                "kind": numbers.integers(0, 50, rows).astype("str"),
            }
        )
        frame.to_parquet(partial / "table.parquet", row_group_size=250_000)
        partial.rename(place)
    return place


# --- what is measured ----------------------------------------------------------------------------


def _reading(folder: Path) -> dict[str, float]:
    big, names, table = folder / "big.bin", folder / "names", folder / "table.parquet"
    size = big.stat().st_size / MEGABYTE
    # Each once, in this order: what comes later finds what the kernel kept of it.
    found = {
        "list, cold, names/s": len(os.listdir(names)) / _seconds(lambda: os.listdir(names)),
        "find with stat, cold, names/s": _names(names) / _seconds(lambda: _names(names)),
        "read 1 MiB, cold, MiB/s": size / _seconds(lambda: _read(big, MEGABYTE)),
        "read 1 MiB, warm, MiB/s": size / _median(lambda: _read(big, MEGABYTE)),
        "map, warm, MiB/s": size / _median(lambda: _read_mapped(big)),
        "pandas, s": _seconds(lambda: pd.read_parquet(table)),
        "DuckDB, s": _seconds(lambda: _query(table)),
    }
    _forget()
    found["random 4 KiB, cold, 1/s"] = _RANDOM_READS / _seconds(lambda: _read_randomly(big))
    _forget()
    first = names / sorted(os.listdir(names))[-1]
    _forget()
    found["first byte of a file, ms"] = 1000 * _seconds(lambda: _read(first, 1))
    return {name: round(value, 3 if value < 100 else 0) for name, value in found.items()}


def _writing(folder: Path, scale: float) -> dict[str, float]:
    megabytes = max(int(512 * scale), 16)
    count = max(int(20_000 * scale), 500)
    data = os.urandom(128 * 1024)
    small = os.urandom(4096)

    def write() -> None:
        with open(folder / "written", "wb", buffering=0) as file:
            for _ in range(megabytes * 8):
                file.write(data)

    def create() -> None:
        (folder / "made").mkdir()
        for number in range(count):
            with open(folder / "made" / f"{number}", "xb", buffering=0) as file:
                file.write(small)

    return {
        "write 128 KiB, MiB/s": round(megabytes / _seconds(write)),
        "create files of 4 KiB, 1/s": round(count / _seconds(create)),
    }


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return max(time.perf_counter() - started, 1e-6)


def _median(act: Callable[[], object]) -> float:
    return statistics.median(_seconds(act) for _ in range(ROUNDS))


def _read(path: Path, size: int) -> None:
    with open(path, "rb", buffering=0) as file:
        while file.read(size) and size > 1:
            pass


def _read_mapped(path: Path) -> None:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        np.frombuffer(view, dtype=np.uint8)[:: mmap.PAGESIZE].sum()


def _read_randomly(path: Path) -> None:
    source = random.Random(3)
    size = path.stat().st_size
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        for _ in range(_RANDOM_READS):
            os.pread(descriptor, 4096, source.randrange(size - 4096) & ~4095)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(1 for entry in entries if entry.stat().st_size >= 0)


def _query(table: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "SELECT kind, avg(x), max(n) FROM read_parquet(?) GROUP BY kind", [str(table)]
        ).fetchall()


def _forget() -> None:
    """Drop what the system keeps of files, if it lets us."""
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")


def _daemon_mib(folder: Path) -> float:
    """Return the most memory that the process which serves the lake's mount had."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        is_daemon = command[1:3] == ["-m", "jupyter_datalake.lake.mount_process"]
        if is_daemon and str(folder / "lake") in command:
            status = Path(f"/proc/{process.pid}/status").read_text()
            return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
    return 0


# --- ways to show the data -----------------------------------------------------------------------


def _disk(data: Path, work: Path) -> Iterator[Path]:
    _forget()
    yield data


def _datalake(data: Path, work: Path) -> Iterator[Path]:
    with Lake.create(f"{work}/lake") as lake:
        lake.repos.create("raw")
        lake.files.put_tree("raw@main", data)
        lake.refs.create_tag("raw", "v1")
        mount = lake.mounts.create("raw", "v1", at=f"{work}/shown")
        try:
            _forget()
            yield Path(mount.path)
        finally:
            lake.mounts.stop(f"{work}/shown")


def _datalake_session(data: Path, work: Path) -> Iterator[Path]:
    with Lake.create(f"{work}/lake") as lake:
        lake.repos.create("raw")
        mount = lake.mounts.create("raw", at=f"{work}/shown")
        try:
            yield Path(mount.path)
        finally:
            lake.mounts.stop(f"{work}/shown")


def _restic(data: Path, work: Path) -> Iterator[Path]:
    base = ["restic", "-q", "-r", f"{work}/repo", "--no-cache"]
    _call([*base, "init"])
    _call([*base, "backup", str(data)])
    yield from _served([*base, "mount", f"{work}/shown"], work, f"snapshots/latest{data}")


def _borg(data: Path, work: Path) -> Iterator[Path]:
    repo = f"{work}/repo"
    _call(["borg", "init", "-e", "none", repo])
    _call(["borg", "create", f"{repo}::a", str(data)])
    command = ["borg", "mount", "--foreground", f"{repo}::a", f"{work}/shown"]
    yield from _served(command, work, str(data).lstrip("/"))


def _rclone(data: Path, work: Path) -> Iterator[Path]:
    yield from _served(["rclone", "mount", str(data), f"{work}/shown"], work, "")


def _rclone_writable(data: Path, work: Path) -> Iterator[Path]:
    behind = work / "behind"
    behind.mkdir()
    command = ["rclone", "mount", "--vfs-cache-mode", "writes", "--cache-dir", f"{work}/cache"]
    yield from _served([*command, str(behind), f"{work}/shown"], work, "")


def _plain(data: Path, work: Path) -> Iterator[Path]:
    yield work


def _served(command: list[str], work: Path, below: str) -> Iterator[Path]:
    """Yield what a process shows in the foreground, and end it."""
    shown = work / "shown"
    shown.mkdir()
    with ExitStack() as stack:
        log = stack.enter_context(open(work / "log", "wb"))
        process = subprocess.Popen(command, env=_environment(), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not os.path.ismount(shown):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((work / "log").read_text(errors="replace")[-300:])
                time.sleep(0.05)
            _forget()
            yield shown / below
        finally:
            subprocess.run(["fusermount3", "-uz", str(shown)], capture_output=True, check=False)
            process.terminate()
            try:
                process.wait(timeout=_PATIENCE_S)
            except subprocess.TimeoutExpired:  # borg may wait for a request that never comes
                process.kill()
                process.wait()


def _environment() -> dict[str, str]:
    return {**os.environ, **_PASSWORD}


def _call(command: list[str]) -> None:
    subprocess.run(command, env=_environment(), check=True, capture_output=True)


_WAYS: dict[str, Shown] = {
    "disk": _disk,
    "datalake": _datalake,
    "restic": _restic,
    "borg": _borg,
    "rclone": _rclone,
}
_WRITABLE: dict[str, Shown] = {
    "disk": _plain,
    "datalake": _datalake_session,
    "rclone": _rclone_writable,
}
