"""`Warehouse`: the contract between the lake and a database with tables.

An engine gives the rows of a query as a stream of Arrow batches with one schema fixed up front,
and takes rows into a table in one transaction that also records which commit they came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import pyarrow as pa

from jupyter_datalake.model.warehouse import EgressReport, EgressSpec

BATCH_ROWS = 64 * 1024
"""Rows in a batch, and in a Parquet row group: memory is a few of these, whatever the result."""

MANIFEST_TABLE = "_datalake_egress"
"""Table in the warehouse with one row per commit and table that egress has written."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table of a warehouse."""

    name: str
    """As it is written in SQL, with its schema where that is not the default one."""
    columns: dict[str, str]
    """Column name to type, in order."""
    row_count: int


@dataclass(frozen=True, slots=True)
class EgressSource:
    """Where the rows of an egress come from; kept in the warehouse beside them."""

    commit_id: str
    global_id: str
    repo: str


class Warehouse(Protocol):
    """One open connection. For one thread."""

    @contextmanager
    def query(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """Run a query and give its rows as a stream, valid inside the block.

        Raises
        ------
        InvalidInputError
            The warehouse refuses the query (``invalid-query``); the message is its own.
        StorageError
            The warehouse cannot be reached.
        """
        ...

    def egress(
        self, rows: pa.RecordBatchReader, spec: EgressSpec, source: EgressSource
    ) -> EgressReport:
        """Write rows into a table and the source into the manifest, all or nothing.

        A commit that the manifest knows for this table is not written again, so a repetition
        after a lost answer does no harm.

        Raises
        ------
        InvalidInputError
            The rows do not fit the table, or a merge key is not unique.
        StorageError
            The warehouse cannot be reached; nothing was written.
        """
        ...

    def list_tables(self) -> list[TableInfo]:
        """Return the tables that a user would query, by name."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
