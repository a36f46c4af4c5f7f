"""Warehouse: named connections, and looking at what they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.warehouse import Connection, check_connection_name
from jupyter_datalake.warehouse.base import TableInfo
from jupyter_datalake.warehouse.connections import open_warehouse, parse_warehouse_url

DEFAULT_ROWS = 100


@dataclass(frozen=True, slots=True)
class QueryRows:
    """The first rows of a query's answer."""

    columns: dict[str, str]
    """Column name to type, in order."""
    rows: Sequence[dict[str, Any]]
    has_more: bool


class WarehouseVerbs:
    """`lake.warehouse`: databases with tables, in and out."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(self) -> Sequence[Connection]:
        """Return the connections by name."""
        with self._context.core.metadata.read() as tx:
            return tx.connections.list()

    def get(self, name: str) -> Connection:
        """Return one connection, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.connections.get(name)

    def create(self, name: str, url: str) -> Connection:
        """Name a way into a warehouse.

        Parameters
        ----------
        url
            ``duckdb:///folder/file.duckdb``; the file need not exist yet.

        Raises
        ------
        InvalidInputError
            The name breaks the grammar, or the URL names no engine that this version knows.
        AlreadyExistsError
            The name is taken.
        """
        check_connection_name(name)
        engine, options = parse_warehouse_url(url)
        with self._context.core.metadata.write() as tx:
            connection = tx.connections.create(name, engine, options, str(self._context.author))
            tx.events.append(EventKind.CONNECTION_CHANGED, name)
            return connection

    def delete(self, name: str) -> None:
        """Forget a connection; the warehouse is left alone."""
        with self._context.core.metadata.write() as tx:
            tx.connections.get(name)
            tx.connections.delete(name)
            tx.events.append(EventKind.CONNECTION_CHANGED, name)

    def list_tables(self, name: str) -> Sequence[TableInfo]:
        """Return the tables that a connection leads to."""
        with open_warehouse(self.get(name)) as warehouse:
            return warehouse.list_tables()

    def query(self, name: str, sql: str, *, limit: int = DEFAULT_ROWS) -> QueryRows:
        """Return the first rows of a query; the rest of the answer is not fetched."""
        with open_warehouse(self.get(name)) as warehouse, warehouse.query(sql) as reader:
            columns = {field.name: str(field.type) for field in reader.schema}
            rows = [*islice((row for batch in reader for row in batch.to_pylist()), limit + 1)]
        return QueryRows(columns, rows[:limit], len(rows) > limit)
