"""Facts about the lake itself, by key."""

from __future__ import annotations

from sqlalchemy import select

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup


class Settings(TableGroup):
    """Statements about `lake`."""

    def get(self, key: str) -> str | None:
        """Return a fact, or None."""
        lake = tables.lake
        return self._connection.execute(
            select(lake.c.value).where(lake.c.key == key)
        ).scalar_one_or_none()

    def set_once(self, key: str, value: str) -> None:
        """Record a fact unless it is recorded already."""
        self._insert_missing(tables.lake, [{"key": key, "value": value}])
