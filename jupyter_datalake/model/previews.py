"""What people see of a file before they open it: a page of rows or lines, facts, statistics."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.table_diffs import Column


class PreviewKind(StrEnum):
    """How a file is shown."""

    TABLE = "table"
    TEXT = "text"
    JSON = "json"
    NOTEBOOK = "notebook"
    IMAGE = "image"
    AUDIO = "audio"
    BINARY = "binary"
    """Anything else, models among them: shown by facts alone, and never unpickled."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a file without opening it as what it is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a table or text."""

    columns: tuple[Column, ...] = ()
    """Of a table; at most as many as are shown."""
    column_count: int = 0
    """How many the table has, shown or not."""
    rows: tuple[tuple[str | None, ...], ...] = ()
    """Cells as text; None where there is no value."""
    lines: tuple[str, ...] = ()
    """Of a text, without their line ends."""
    offset: int = 0
    """How many rows or lines come before."""
    total: int | None = None
    """How many there are; None where that would cost reading a large file."""
    estimated_total: int | None = None
    """About how many, by the length of those that were seen; None where `total` is known."""
    has_more: bool = False
    is_cut: bool = False
    """Whether a cell or line is longer than what is shown of it."""


@dataclass(frozen=True, slots=True)
class FilePreview:
    """One page of a file, or what is known of it."""

    path: str
    commit_id: CommitId
    """The commit that it was read at: further pages are asked for there."""
    size_bytes: int
    kind: PreviewKind
    media_type: str
    """As far as name and first bytes tell."""
    facts: tuple[Fact, ...]
    page: Page


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: from `low` to below `high`; the last one holds its end, too."""

    low: str
    high: str
    count: int


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value that is often there."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What a column holds."""

    name: str
    type: str
    """As Arrow calls it; guessed from the beginning of a file of texts."""
    count: int
    """Values that are there."""
    nulls: int
    strange: int
    """Values that are not of the guessed type; left out of all below."""
    distinct: int
    """About how many different values there are."""
    min: str | None
    max: str | None
    mean: float | None
    deviation: float | None
    """Of the sample; None below two numbers."""
    quantiles: dict[str, str]
    """About the values at 5, 25, 50, 75 and 95 percent, by ``0.05`` and so on."""
    top: tuple[TopValue, ...]
    bins: tuple[Bin, ...]
    """Of numbers and times that are finite; empty for all else."""


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """What the columns of a table hold."""

    path: str
    commit_id: CommitId
    rows: int
    """How many were looked at."""
    is_partial: bool
    """Whether the table has more rows: those from its beginning were looked at."""
    column_count: int
    columns: tuple[ColumnStatistics, ...]
