"""What encryption costs: the same bytes through a store and through a lake, with and without.

``python tests/benchmarks/encryption.py`` prints the figures; `run` returns them.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.storage.encrypted import EncryptedObjectStore
from jupyter_datalake.storage.keys import MainKey, create_keys
from jupyter_datalake.storage.local import LocalObjectStore

MEGABYTE = 1_000_000
PIECE = 256 * 1024
Seconds = tuple[float, float]
"""Of the wall, and of this process's processors."""


def run(*, size_bytes: int = 256 * MEGABYTE, rounds: int = 3) -> dict[str, object]:
    """Return medians of `rounds` rounds, and what encryption costs beside the plain way.

    Plain and encrypted rounds alternate, so that what else the machine does meets both; processor
    time is told beside the wall's, which on a shared machine says little.
    """
    content = os.urandom(size_bytes)
    figures: dict[str, dict[str, float]] = {}
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="datalake-bench-") as folder:
        for name, measure in (("store", _measure_store), ("lake", _measure_lake)):
            taken: dict[bool, list[tuple[Seconds, Seconds]]] = {False: [], True: []}
            for is_encrypted in (False, True):
                measure(Path(folder), content[: 8 * MEGABYTE], is_encrypted)  # warm-up
            for _ in range(rounds):
                for is_encrypted, results in taken.items():
                    results.append(measure(Path(folder), content, is_encrypted))
            for way, act in enumerate(("write", "read")):
                cpu = {}
                for is_encrypted, results in taken.items():
                    wall = statistics.median(one[way][0] for one in results)
                    cpu[is_encrypted] = statistics.median(one[way][1] for one in results)
                    figures[f"{name} {act}, {'encrypted' if is_encrypted else 'plain'}"] = {
                        "mb_per_s": round(size_bytes / MEGABYTE / wall, 1),
                        "cpu_s_per_gb": round(cpu[is_encrypted] * 1000 * MEGABYTE / size_bytes, 3),
                    }
                ratios[f"{name} {act}: extra cpu_s_per_gb"] = round(
                    (cpu[True] - cpu[False]) * 1000 * MEGABYTE / size_bytes, 3
                )
    return {
        "benchmark": "encryption",
        "size_bytes": size_bytes,
        "rounds": rounds,
        "cryptography": version("cryptography"),
        "figures": figures,
        "cost": ratios,
    }


class Watch:
    """Wall and processor seconds since the last look."""

    def __init__(self) -> None:
        self._last = self._now()

    def lap(self) -> Seconds:
        now = self._now()
        passed = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        return passed

    def _now(self) -> Seconds:
        return time.perf_counter(), time.process_time()


def _measure_store(folder: Path, content: bytes, is_encrypted: bool) -> tuple[Seconds, Seconds]:
    place = folder / "objects"
    try:
        return _through(LocalObjectStore(place), content, is_encrypted)
    finally:
        shutil.rmtree(place)


def _through(inner, content: bytes, is_encrypted: bool) -> tuple[Seconds, Seconds]:
    keys = create_keys(inner, "0" * 32, MainKey(b"k" * 32, "benchmark"), clock=time.time_ns)
    store = EncryptedObjectStore(inner, keys) if is_encrypted else inner
    view = memoryview(content)
    watch = Watch()
    with store.upload() as upload:
        for at in range(0, len(content), PIECE):
            upload.write(view[at : at + PIECE])
        upload.finish("packs/x")
    written = watch.lap()
    for at in range(0, len(content), PIECE):
        store.read("packs/x", at, PIECE)
    read = watch.lap()
    store.close()
    return written, read


def _measure_lake(folder: Path, content: bytes, is_encrypted: bool) -> tuple[Seconds, Seconds]:
    place = folder / "lake"
    key = f"file:{folder}/key" if is_encrypted else None
    try:
        with Lake.create(LakeConfig(str(place), key=key)) as lake:
            lake.repos.create("raw")
            watch = Watch()
            lake.files.put("raw@main/x", content)
            written = watch.lap()
        with Lake.open(LakeConfig(str(place), key=key)) as lake:
            watch.lap()
            assert len(lake.files.read("raw@main/x")) == len(content)
            return written, watch.lap()
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
