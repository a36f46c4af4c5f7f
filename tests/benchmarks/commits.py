"""Committing and restoring folders, beside the tools that people use today.

``python tests/benchmarks/commits.py [--scale 0.1]`` prints the figures; `run` returns them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from datasets import csv_file, random_file, small_files
from measuring import Cost, median
from tools import PEERS, RAW, Datalake, LinkedDatalake, Tool

ROUNDS = 2
"""Of each command, in turn with those of the others; the medians count."""
PATIENCE_S = 150.0
"""A tool whose commands of one case took longer together is not asked again."""

_MANY = 20_000

Figures = dict[str, dict[str, Any]]


def run(
    place: Path,
    *,
    scale: float = 1.0,
    only: frozenset[str] = frozenset(),
    without: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return what each tool took for each of the cases, and our ratios to the best of them.

    Parameters
    ----------
    place
        A folder on the disk that is to be measured; data sets stay there for the next run.
    scale
        1.0 is 2 GB, 50,000 files and a CSV of 1 GB.
    only
        Names of cases; all when empty.
    without
        Tools that are left out of a case, as ``case:tool``, since they take too long for instance.
    """
    tools = [Datalake, LinkedDatalake, *PEERS, *RAW]
    versions = {tool.name: tool.version() for tool in tools}
    available = [tool for tool in tools if versions[tool.name] is not None]
    cases: dict[str, Callable[[Path, list[type[Tool]], float], Figures]] = {
        "large file": _large_file,
        "small files": _small_files,
        "table": _table,
    }
    results = {
        name: case(place, [one for one in available if f"{name}:{one.name}" not in without], scale)
        for name, case in cases.items()
        if not only or name in only
    }
    return {
        "benchmark": "commits",
        "scale": scale,
        "versions": versions,
        "without": sorted(without),
        "cases": results,
        "ratios": {name: _ratios(figures) for name, figures in results.items()},
    }


def _large_file(place: Path, tools: list[type[Tool]], scale: float) -> Figures:
    """One file that nothing compresses: 2 GB."""
    folder = random_file(place / f"large-{scale}", max(int(2048 * scale), 1))
    _warm_up(folder)
    return _rounds(place, tools, lambda tool: _commit_once(tool, folder))


def _small_files(place: Path, tools: list[type[Tool]], scale: float) -> Figures:
    """50,000 files of 4 KB: committed, committed again unchanged, and restored."""
    folder = small_files(place / f"small-{scale}", max(int(50_000 * scale), 100), 4096)
    _warm_up(folder)
    return _rounds(place, tools, lambda tool: _commit_again_and_restore(tool, folder))


def _table(place: Path, tools: list[type[Tool]], scale: float) -> Figures:
    """A CSV of 1 GB, and again with 1 % of its rows changed, together or scattered."""
    megabytes = max(int(1024 * scale), 1)
    folders = {
        kind: csv_file(place / f"csv-{kind}-{scale}", megabytes, kind)
        for kind in ("none", "clustered", "scattered")
    }
    _warm_up(*folders.values())
    return _rounds(place, tools, lambda tool: _commit_changes(tool, folders))


def _warm_up(*folders: Path) -> None:
    """Let the system have the data in memory: who comes first would read it from the disk."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                with open(path, "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass


Step = tuple[str, Cost, int]
"""What was done, what it took, and the bytes that it added to the store."""


def _commit_once(tool: Tool, folder: Path) -> Iterator[Step]:
    yield "commit", tool.commit(folder, "first"), tool.stored_bytes()


def _commit_again_and_restore(tool: Tool, folder: Path) -> Iterator[Step]:
    yield "commit", tool.commit(folder, "first"), tool.stored_bytes()
    before = tool.stored_bytes()
    yield "again", tool.commit(folder, "second"), tool.stored_bytes() - before
    target = tool.place / "restored"
    try:
        cost = tool.restore("first", target)
    except NotImplementedError:
        return
    _check_restored(target, folder)
    yield "restore", cost, 0


def _commit_changes(tool: Tool, folders: dict[str, Path]) -> Iterator[Step]:
    yield "commit", tool.commit(folders["none"], "first"), tool.stored_bytes()
    for kind in ("clustered", "scattered"):
        before = tool.stored_bytes()
        yield kind, tool.commit(folders[kind], kind), tool.stored_bytes() - before
        tool.commit(folders["none"], f"back-from-{kind}")


def _check_restored(target: Path, folder: Path) -> None:
    """Raise unless as many files came back as went in: a fast failure is no fast restore."""
    wanted = sum(1 for path in folder.rglob("*") if path.is_file())
    found = sum(1 for path in target.rglob("*") if path.is_file() and ".git" not in path.parts)
    if found != wanted:
        raise RuntimeError(f"{target} holds {found} files of {wanted}")


def _rounds(
    place: Path, tools: list[type[Tool]], case: Callable[[Tool], Iterator[Step]]
) -> Figures:
    """Let every tool do the case in turn, several times, and return the medians."""
    trash = place / "trash"
    shutil.rmtree(trash, ignore_errors=True)
    trash.mkdir(parents=True)
    taken: dict[str, dict[str, list[tuple[Cost, int]]]] = {tool.name: {} for tool in tools}
    for number in range(ROUNDS):
        # Forth and back: who comes later finds the disk as the others left it.
        for kind in tools if number % 2 == 0 else reversed(tools):
            if (
                sum(cost.wall_s for one in taken[kind.name].values() for cost, _ in one)
                > PATIENCE_S
            ):
                continue
            tool = kind(place / "stores" / kind.name.replace(" ", "-"))
            os.sync()  # what the last one left unwritten is not this one's work
            try:
                tool.begin()
                for step, cost, added in case(tool):
                    print(
                        f"{kind.name:24} {step:10} {cost.wall_s:7.2f} s wall {cost.cpu_s:7.2f} s"
                        f" cpu {cost.peak_mib:6.0f} MiB, {added / 1e6:8.1f} MB",
                        file=sys.stderr,
                        flush=True,
                    )
                    taken[kind.name].setdefault(step, []).append((cost, added))
            except NotImplementedError:
                print(f"{kind.name:24} cannot do that", file=sys.stderr)
            finally:
                _clear_away(tool.place, trash)
    shutil.rmtree(trash)
    return {
        tool.name: {
            "compresses": tool.compresses,
            "syncs": tool.syncs,
            **{
                step: {
                    **median([cost for cost, _ in costs]).as_dict(),
                    "added_mb": round(costs[-1][1] / 1e6, 1),
                }
                for step, costs in taken[tool.name].items()
            },
        }
        for tool in tools
        if taken[tool.name]
    }


def _clear_away(store: Path, trash: Path) -> None:
    """Remove a tool's files, many small ones only when all is done.

    ext4 is slow to make files where many were removed a moment ago, which would be held against
    the next tool; large ones would fill the disk.
    """
    if sum(1 for _ in islice(store.rglob("*"), _MANY)) < _MANY:
        shutil.rmtree(store)
    else:
        store.rename(trash / f"{len(list(trash.iterdir()))}")


def _ratios(figures: Figures) -> dict[str, dict[str, Any]]:
    """Return our figures over those of the best peer, and of the best that compresses too."""
    ratios: dict[str, dict[str, Any]] = {}
    peers = {tool.name for tool in PEERS}
    for ours in ("datalake", "datalake, linked"):
        for step, mine in figures.get(ours, {}).items():
            if not isinstance(mine, dict) or (ours != "datalake" and step != "restore"):
                continue
            row: dict[str, Any] = {}
            for figure in ("wall_s", "cpu_s", "added_mb"):
                for group in ("all", "compressing"):
                    others = {
                        name: one[step][figure]
                        for name, one in figures.items()
                        if name in peers and step in one and (group == "all" or one["compresses"])
                    }
                    if others and min(others.values()) > 0:
                        best = min(others, key=others.__getitem__)
                        row[f"{figure}, best of {group}"] = {
                            "ratio": round(mine[figure] / others[best], 2),
                            "peer": best,
                        }
            ratios[step if ours == "datalake" else f"{step}, linked"] = row
    return ratios
