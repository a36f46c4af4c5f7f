"""Warehouse connections, and what goes in and out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError

_CONNECTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


class Engine(StrEnum):
    """Warehouses that a connection can lead to."""

    DUCKDB = "duckdb"


class EgressMode(StrEnum):
    """What egress does with the rows that are in the table already."""

    APPEND = "append"
    """Keeps them and adds the new ones."""
    REPLACE = "replace"
    """Swaps the whole table, at once for every reader."""
    MERGE = "merge"
    """Replaces those with equal keys and adds the others."""


class TableFormat(StrEnum):
    """File formats of ingested rows."""

    PARQUET = "parquet"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Connection:
    """A named way into a warehouse; its options hold no secret."""

    name: str
    engine: Engine
    options: dict[str, Any]
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class IngestSpec:
    """A query whose rows become files of the output repo."""

    connection: str
    query: str
    output: str = "/data.parquet"
    """File to write; with `partition_by`, a folder per value is put in front of its name."""
    format: TableFormat = TableFormat.PARQUET
    partition_by: str | None = None


@dataclass(frozen=True, slots=True)
class EgressSpec:
    """Files of an output commit whose rows go into a table."""

    connection: str
    table: str
    mode: EgressMode = EgressMode.APPEND
    key: tuple[str, ...] = ()
    """Columns that name a row; needed by `merge`."""
    files: str = "/**"
    """Glob of the Parquet and CSV files to read; all must have the same columns."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one run of a query brought."""

    row_count: int
    size_bytes: int
    files: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)
    """Column name to type, in order."""


@dataclass(frozen=True, slots=True)
class EgressReport:
    """What one commit's egress did."""

    row_count: int
    was_done_before: bool
    """Whether the commit's manifest row was found: then nothing was written again."""


def check_connection_name(name: str) -> str:
    """Return `name` if it may name a connection, else raise `InvalidInputError`."""
    if not _CONNECTION_NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is not a connection name",
            kind=ErrorKind.INVALID_NAME,
            hint="Use 1 to 63 of A-Z a-z 0-9 _ - beginning with a letter",
            name=name,
        )
    return name
