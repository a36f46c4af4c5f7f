"""Remotes by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select

from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.model.remotes import Remote


class Remotes(TableGroup):
    """Statements about `remotes`."""

    def list(self) -> list[Remote]:
        """Return all remotes, by name."""
        remotes = tables.remotes
        return [
            _remote(row)
            for row in self._connection.execute(select(remotes).order_by(remotes.c.name))
        ]

    def find(self, name: str) -> Remote | None:
        """Return a remote, or None."""
        remotes = tables.remotes
        row = self._connection.execute(select(remotes).where(remotes.c.name == name)).one_or_none()
        return None if row is None else _remote(row)

    def get(self, name: str) -> Remote:
        """Return a remote, or raise `NotFoundError`."""
        found = self.find(name)
        if found is None:
            raise NotFoundError(
                f"There is no remote {name!r}",
                kind=ErrorKind.REMOTE_NOT_FOUND,
                hint="'datalake remotes list' shows what there is",
                remote=name,
            )
        return found

    def create(self, name: str, url: str, key: str | None, by: str) -> Remote:
        """Insert a remote, or raise `AlreadyExistsError`."""
        if self.find(name) is not None:
            raise AlreadyExistsError(
                f"There is a remote {name!r} already",
                kind=ErrorKind.REMOTE_EXISTS,
                hint="Choose another name, or delete it first",
                remote=name,
            )
        self._connection.execute(
            insert(tables.remotes).values(
                name=name, url=url, key=key, created_ns=self._now_ns, created_by=by
            )
        )
        return Remote(name, url, key, time_of(self._now_ns), by)

    def delete(self, name: str) -> None:
        """Forget a remote; the lake there is left alone."""
        self._connection.execute(delete(tables.remotes).where(tables.remotes.c.name == name))


def _remote(row: Row[Any]) -> Remote:
    return Remote(row.name, row.url, row.key, time_of(row.created_ns), row.created_by)
