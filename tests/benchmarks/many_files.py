"""600,000 files of 1.7 GB in one commit: what took DVC's users six hours."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from datasets import small_files
from measuring import measure, size_of

FILES = 600_000
FILE_BYTES = 2_900


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return what committing, listing, comparing and restoring took."""
    count = max(int(FILES * scale), 1000)
    folder = small_files(place / f"many-{count}", count, FILE_BYTES)
    store, out = place / "many-lake", place / "many-out"
    for one in (store, out):
        shutil.rmtree(one, ignore_errors=True)
    command = str(Path(sys.executable).parent / "datalake")
    measure([command, "init", store], folder=place)
    environment = {"DATALAKE_URL": str(store)}
    measure([command, "repos", "create", "data"], folder=place, environment=environment)
    steps = {
        "commit": ["files", "put", "data@main/", folder],
        "commit again, unchanged": ["files", "put", "data@main/", folder],
        "list a folder": ["files", "list", "data@main/00000"],
        "delete one file": ["files", "delete", "data@main/00000/00.txt"],
        "diff": ["commits", "diff", "data", "main~1", "main"],
        "restore": ["files", "export", "data@main", out],
    }
    figures: dict[str, dict[str, float]] = {}
    for name, step in steps.items():
        os.sync()
        cost = measure([command, *step], folder=place, environment=environment)
        figures[name] = cost.as_dict()
        print(f"{name:24} {cost.wall_s:7.1f} s wall {cost.cpu_s:7.1f} s cpu"
              f" {cost.peak_mib:5.0f} MiB", file=sys.stderr)  # fmt: skip
    stored = size_of(store)
    for one in (store, out):
        shutil.rmtree(one, ignore_errors=True)
    return {
        "benchmark": "many_files",
        "files": count,
        "megabytes": round(count * FILE_BYTES / 1e6),
        "stored_mb": round(stored / 1e6, 1),
        "steps": figures,
    }
