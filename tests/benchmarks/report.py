"""The page with the tables of the last two runs of each benchmark."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_HEAD = """# Benchmarks

Written by `make bench BENCH=--write-docs`; do not edit. Each table comes from one run on one
machine, beside the tools that people use today. Wall times on a shared machine vary; processor
seconds and ratios are sounder. Ratios are our figure over the best peer's: below 1 we are better.
The two last runs of each benchmark are shown.

A tool compresses if its table says so, and is synced if what it committed is on the disk when its
command ends; this lake does both. "Again" is a second commit of the same folder, unchanged.
"""


_RUN = "Run of "
_SHOWN = 2


def page(results: Path, before: str = "") -> str:
    """Return the Markdown of all results below a folder, and of the runs that a page had before.

    Results stay with the machine that they were measured on; the page is kept with the code.
    """
    runs = _runs_of(before)
    for path in sorted(results.glob("*.json")):
        record = json.loads(path.read_text())
        machine = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
        tables = _TABLES.get(record["name"], _plain)(record["results"])
        title = record["name"].replace("_", " ").capitalize()
        runs[title][record["at"]] = (
            f"{_RUN}{record['at']} ({machine}; {record['took_s']} s)\n\n{tables}"
        )
    parts = [_HEAD]
    for title, texts in sorted(runs.items()):
        parts.append(f"## {title}\n")
        parts += [texts[at] for at in sorted(texts)[-_SHOWN:]]
    return "\n".join(parts)


def with_newest(text: str, page: str, title: str) -> str:
    """Return a text with the newest run of a benchmark that the page shows, between its marks."""
    begin, end = (
        f"<!-- benchmark {title}: {what} -->" for what in ("written by make bench", "end")
    )
    runs = _runs_of(page)[title]
    head, found, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    if not (runs and found and tail):
        raise ValueError(f"There is no run of {title!r}, or no place for it: {begin} … {end}")
    return f"{head}{begin}\n\n{runs[max(runs)]}\n{end}{tail}"


def _runs_of(text: str) -> dict[str, dict[str, str]]:
    """Return the runs of each benchmark that a page shows, by their times."""
    runs: dict[str, dict[str, str]] = defaultdict(dict)
    for section in text.split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        for run in rest.split(f"\n{_RUN}")[1:]:
            runs[title][run.partition(" ")[0]] = f"{_RUN}{run.rstrip()}\n"
    return runs


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _commits(results: dict[str, Any]) -> str:
    left_out = ", ".join(results.get("without", [])) or "nothing"
    parts = [
        f"Scale {results['scale']}. Versions: {_versions(results['versions'])}."
        f" Left out for want of time: {left_out}.\n"
    ]
    for case, figures in results["cases"].items():
        steps = list(dict.fromkeys(
            step for tool in figures.values() for step, cost in tool.items()
            if isinstance(cost, dict)
        ))  # fmt: skip
        head = [
            "tool",
            "compresses",
            "synced",
            *(f"{step}: s / cpu s / MiB / MB" for step in steps),
        ]
        rows = [
            [
                name,
                _yes(tool["compresses"]),
                _yes(tool["syncs"]),
                *(_cost(tool.get(step)) for step in steps),
            ]
            for name, tool in figures.items()
        ]
        parts += [f"### {case.capitalize()}\n", _table(head, rows)]
        ratios = [
            [step, *(_ratio(row.get(column)) for column in _RATIO_COLUMNS)]
            for step, row in results["ratios"][case].items()
        ]
        parts.append(_table(["ratio", *_RATIO_COLUMNS], ratios))
    return "\n".join(parts)


_RATIO_COLUMNS = (
    "wall_s, best of all",
    "cpu_s, best of all",
    "wall_s, best of compressing",
    "cpu_s, best of compressing",
    "added_mb, best of all",
)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _cost(cost: dict[str, float] | None) -> str:
    if cost is None:
        return "–"
    times = f"{cost['wall_s']:.1f} / {cost['cpu_s']:.1f}"
    return f"{times} / {cost['peak_mib']:.0f} / {cost['added_mb']:.0f}"


def _ratio(found: dict[str, Any] | None) -> str:
    return "–" if found is None else f"{found['ratio']} ({found['peer']})"


def _versions(versions: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {version or 'absent'}" for name, version in versions.items())


def _trees(results: dict[str, Any]) -> str:
    sizes = results["milliseconds"]
    acts = list(next(iter(sizes.values())))
    rows = [[act, *(sizes[size][act] for size in sizes)] for act in acts]
    return _table(["milliseconds", *(f"{int(size):,} entries" for size in sizes)], rows)


def _many_files(results: dict[str, Any]) -> str:
    rows = [
        [step, cost["wall_s"], cost["cpu_s"], cost["peak_mib"]]
        for step, cost in results["steps"].items()
    ]
    head = (
        f"{results['files']:,} files, {results['megabytes']} MB, stored {results['stored_mb']} MB"
    )
    return f"{head}.\n\n" + _table(["step", "wall s", "cpu s", "peak MiB"], rows)


def _memory(results: dict[str, Any]) -> str:
    rows = [[verb, cost["peak_mib"], cost["wall_s"]] for verb, cost in results["verbs"].items()]
    head = f"Budget {results['budget_mib']} MiB, scale {results['scale']}."
    return f"{head}\n\n" + _table(["verb", "peak MiB", "wall s"], rows)


def _dedup(results: dict[str, Any]) -> str:
    figures = results["stored_per_changed_byte"]
    tools = list(next(iter(figures.values())))
    rows = [[change, *(row.get(tool, "–") for tool in tools)] for change, row in figures.items()]
    return _table(["stored ÷ changed bytes", *tools], rows)


def _mount(results: dict[str, Any]) -> str:
    figures = results["figures"]
    acts = list(dict.fromkeys(act for one in figures.values() for act in one))
    rows = [[act, *(one.get(act, "–") for one in figures.values())] for act in acts]
    return f"Scale {results['scale']}.\n\n" + _table(["", *figures], rows)


def _scale_out(results: dict[str, Any]) -> str:
    head = (
        f"{results['processors']} processors, S3 by {results['server']}, distributed"
        f" {results['distributed']}; sleeping datums take {results['datum s']} s."
    )
    parts = [head]
    for name in ("sleeping", "computing"):
        columns = list(next(iter(results[name].values())))
        rows = [[count, *one.values()] for count, one in results[name].items()]
        parts.append(_table([f"{name}: workers", *columns], rows))
    return "\n\n".join(parts)


def _parts(results: dict[str, Any]) -> str:
    facts = ", ".join(f"{key}: {one}" for key, one in results.items() if not isinstance(one, dict))
    rows = [
        [name, "<br>".join(f"{key} **{one:,}**" for key, one in part.items())]
        for name, part in results.items()
        if isinstance(part, dict)
    ]
    return f"{facts}\n\n{_table(['part', 'figures'], rows)}"


def _workbench(results: dict[str, Any]) -> str:
    facts = ", ".join(f"{key}: {one}" for key, one in results.items() if not isinstance(one, dict))
    views, panels = results["views"], results["panels"]
    columns = list(next(iter(views.values())))
    rows = [[name, *one.values()] for name, one in views.items()]
    acts = list(next(iter(panels.values())))
    busy = [[act, *(one[act] for one in panels.values())] for act in acts]
    parts = [facts, _table(["view", *columns], rows)]
    return "\n\n".join([*parts, _table(["", *(f"{count} panels" for count in panels)], busy)])


def _plain(results: dict[str, Any]) -> str:
    return f"```json\n{json.dumps(results, indent=2)}\n```\n"


_TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "commits": _commits,
    "trees": _trees,
    "many_files": _many_files,
    "memory": _memory,
    "dedup": _dedup,
    "mount": _mount,
    "notebooks": _parts,
    "datums": _parts,
    "scale_out": _scale_out,
    "workbench": _workbench,
}
