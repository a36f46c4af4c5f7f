"""Trees of many entries: one change, a diff, a look-up, a page of a folder, from 10k to 10M.

``run`` returns the figures.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import timed

from jupyter_datalake.engine.commits import CommitRequest, commit_tree, head_of
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.entries import inline_file
from jupyter_datalake.model.manifests import Item, build_manifest
from jupyter_datalake.model.paths import RepoPath

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
PER_FOLDER = 100
AUTHOR = Author("benchmark")


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return milliseconds of each operation for each size of tree."""
    sizes = [size for size in SIZES if size <= max(10_000_000 * scale, 10_000)]
    return {
        "benchmark": "trees",
        "entries_per_folder": PER_FOLDER,
        "milliseconds": {str(size): _measure(place / "trees", size) for size in sizes},
    }


def fill(lake: Lake, repo: str, count: int, *, branch: str = "main", changed: int = 0) -> None:
    """Commit a tree of `count` small files, without files to read.

    Parameters
    ----------
    changed
        Of two files that follow each other, the one that is filled otherwise: 1 or 2, or neither.
    """
    core = lake.core
    head = head_of(core, repo, branch)
    with core.writer() as writer:
        nodes = NodeWriter(core.nodes, writer)
        root = build_manifest(nodes, _items(count, changed))
        commit_tree(core, writer, nodes, head, root, CommitRequest(repo, branch, "fill", AUTHOR))


def _items(count: int, changed: int) -> Iterator[Item]:
    for number in range(count):
        text = b"changed %d" if number % 2 + 1 == changed else b"%d"
        entry = inline_file(text % number, mode=0o644, mtime_ns=number)
        key = b"%06d\0%02d.txt" % divmod(number, PER_FOLDER)
        yield Item(key, entry.encode(), entry.size_bytes)


def _measure(place: Path, count: int) -> dict[str, float]:
    shutil.rmtree(place, ignore_errors=True)
    with Lake.create(str(place)) as lake:
        lake.repos.create("data")
        fill(lake, "data", count)
        before = lake.commits.get("data", "main").id
        middle = f"{count // PER_FOLDER // 2:06d}"
        changes = iter(range(1000))

        def change() -> None:
            lake.files.put(f"data@main/{middle}/50.txt", b"change %d" % next(changes))

        change()
        after = lake.commits.get("data", "main").id
        core = lake.core
        old, new = (core.snapshot(lake.commits.get("data", one)) for one in (before, after))
        wide = f"data@main/{middle}"
        figures = {
            "commit of one change": timed(change, rounds=15),
            "diff of one change": timed(lambda: list(old.changed_paths(new)), rounds=15),
            "look-up of a path": timed(lambda: new.get(RepoPath(f"{middle}/07.txt")), rounds=15),
            "folder of 100": timed(lambda: lake.files.list(wide), rounds=15),
            "page of 100 of the root": timed(
                lambda: lake.files.list("data@main", limit=100), rounds=15
            ),
        }
    shutil.rmtree(place)
    return {name: round(seconds * 1000, 2) for name, seconds in figures.items()}
