"""Printing pages of files, and what their columns hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from jupyter_datalake.cli.output import print_fields, print_table, size_text
from jupyter_datalake.model.previews import (
    ColumnStatistics,
    FilePreview,
    Page,
    PreviewKind,
    TableStatistics,
)
from jupyter_datalake.model.text import printable

_MAX_CELL = 40
_BARS = " ▁▂▃▄▅▆▇█"


def print_preview(found: FilePreview) -> None:
    """Print one page of a file."""
    page = found.page
    if found.kind is PreviewKind.TABLE:
        columns = [(column.name, _cell_at(n)) for n, column in enumerate(page.columns)]
        print_table(page.rows, columns, empty="No rows")
    elif found.kind in {PreviewKind.TEXT, PreviewKind.JSON}:
        for line in page.lines:
            click.echo("\t".join(printable(part) for part in line.split("\t")))
    else:
        facts = [(fact.name.lower(), fact.value) for fact in found.facts]
        print_fields([("type", found.media_type), ("size", size_text(found.size_bytes)), *facts])
        return
    click.echo(_place(page, found.kind), err=True)


def print_statistics(found: TableStatistics) -> None:
    """Print one line per column."""
    print_table(found.columns, _STATISTICS, empty="No columns")
    more = " from the beginning of it" if found.is_partial else ""
    click.echo(f"{found.rows:,} rows{more}", err=True)


def _values(column: ColumnStatistics) -> str:
    """Return a histogram, or the values that are there most often."""
    if column.bins:
        most = max(1, *(one.count for one in column.bins))
        return "".join(_BARS[-(-one.count * 8 // most)] for one in column.bins)
    return ", ".join(f"{_cell(one.value)} ({one.count})" for one in column.top[:3])


def _place(page: Page, kind: PreviewKind) -> str:
    """Return which part of the whole was shown."""
    noun = "rows" if kind is PreviewKind.TABLE else "lines"
    count = len(page.rows) + len(page.lines)
    about = f"about {page.estimated_total:,}" if page.estimated_total else "more"
    total = f"{page.total:,}" if page.total is not None else about
    where = f"{noun} {page.offset + 1:,} to {page.offset + count:,} of {total}"
    if not count:
        where = f"no {noun} here, of {total}"
    hidden = page.column_count - len(page.columns)
    return where + (f", and {hidden:,} more columns" if hidden > 0 else "")


def _cell(text: str | None) -> str:
    """Return a cell that fits on a line and cannot steer the terminal."""
    if text is None:
        return ""
    shown = printable(text)
    return shown if len(shown) <= _MAX_CELL else shown[: _MAX_CELL - 1] + "…"


def _cell_at(place: int) -> Callable[[Sequence[str | None]], str]:
    return lambda row: _cell(row[place])


_STATISTICS: list[tuple[str, Callable[[ColumnStatistics], str]]] = [
    ("COLUMN", lambda one: _cell(one.name)),
    ("TYPE", lambda one: _cell(one.type)),
    ("COUNT", lambda one: str(one.count)),
    ("NULL", lambda one: str(one.nulls)),
    ("DISTINCT", lambda one: f"~{one.distinct}"),
    ("MIN", lambda one: _cell(one.min)),
    ("MEDIAN", lambda one: f"~{_cell(one.quantiles['0.5'])}" if "0.5" in one.quantiles else ""),
    ("MAX", lambda one: _cell(one.max)),
    ("MEAN", lambda one: "" if one.mean is None else f"{one.mean:.6g}"),
    ("VALUES", _values),
]
