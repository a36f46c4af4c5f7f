"""What writing costs by itself: the same bytes into files of a pack's size, two ways."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets import MEGABYTE, random_file

from jupyter_datalake.storage.sequential import SequentialFile

FILE_BYTES = 64 * MEGABYTE
PIECE = 256 * 1024


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return wall and processor seconds per GB of both ways, each the better of two."""
    megabytes = max(int(2048 * scale), 64)
    source = random_file(place / f"large-{scale}", megabytes) / "big.bin"
    ways: dict[str, Callable[[Path, Path], None]] = {
        "through the page cache": _buffered,
        "past it, as packs are": _direct,
    }
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(2):
        for name, way in ways.items():
            folder = place / "raw"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            os.sync()
            before, started = _cpu_s(), time.monotonic()
            way(source, folder)
            figures[name].append((time.monotonic() - started, _cpu_s() - before))
            shutil.rmtree(folder)
    gigabytes = megabytes / 1024
    return {
        "benchmark": "raw",
        "megabytes": megabytes,
        "seconds_per_gb": {
            name: {
                "wall": round(min(wall for wall, _ in taken) / gigabytes, 3),
                "cpu": round(min(cpu for _, cpu in taken) / gigabytes, 3),
            }
            for name, taken in figures.items()
        },
    }


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _buffered(source: Path, folder: Path) -> None:
    with open(source, "rb", buffering=0) as file:
        number = 0
        data = file.read(PIECE)
        while data:
            with open(folder / str(number), "wb", buffering=MEGABYTE) as target:
                while data and target.tell() < FILE_BYTES:
                    target.write(data)
                    data = file.read(PIECE)
                target.flush()
                os.fsync(target.fileno())
            number += 1


def _direct(source: Path, folder: Path) -> None:
    with open(source, "rb", buffering=0) as file:
        number = 0
        data = file.read(PIECE)
        while data:
            target = SequentialFile(folder / str(number))
            written = 0
            while data and written < FILE_BYTES:
                target.write(data)
                written += len(data)
                data = file.read(PIECE)
            target.sync()
            target.close()
            number += 1
