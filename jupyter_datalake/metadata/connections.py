"""Warehouse connections by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select

from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.model.warehouse import Connection, Engine


class Connections(TableGroup):
    """Statements about `connections`."""

    def get(self, name: str) -> Connection:
        """Return a connection, or raise `NotFoundError`."""
        row = self._connection.execute(
            select(tables.connections).where(tables.connections.c.name == name)
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                f"There is no warehouse connection {name!r}",
                kind=ErrorKind.CONNECTION_NOT_FOUND,
                hint="'datalake warehouse list' shows what there is",
                connection=name,
            )
        return _connection(row)

    def list(self) -> list[Connection]:
        """Return all connections, by name."""
        return [
            _connection(row)
            for row in self._connection.execute(
                select(tables.connections).order_by(tables.connections.c.name)
            )
        ]

    def create(self, name: str, engine: Engine, options: dict[str, Any], by: str) -> Connection:
        """Insert a connection, or raise `AlreadyExistsError`."""
        if any(one.name == name for one in self.list()):
            raise AlreadyExistsError(
                f"There is a warehouse connection {name!r} already",
                kind=ErrorKind.CONNECTION_EXISTS,
                hint="Choose another name, or delete it first",
                connection=name,
            )
        self._connection.execute(
            insert(tables.connections).values(
                name=name,
                engine=str(engine),
                options=options,
                created_ns=self._now_ns,
                created_by=by,
            )
        )
        return Connection(name, engine, options, time_of(self._now_ns), by)

    def delete(self, name: str) -> None:
        """Forget a connection; the warehouse is left alone."""
        self._connection.execute(
            delete(tables.connections).where(tables.connections.c.name == name)
        )


def _connection(row: Row[Any]) -> Connection:
    return Connection(
        row.name, Engine(row.engine), row.options, time_of(row.created_ns), row.created_by
    )
