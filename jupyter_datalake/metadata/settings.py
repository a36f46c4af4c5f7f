"""Facts about the lake itself, by key."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup
from jupyter_datalake.model.limits import Limit

_LIMIT = "limit:"


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

    def set(self, key: str, value: str) -> None:
        """Record a fact, in place of what is recorded."""
        self.set_once(key, value)
        self._connection.execute(
            update(tables.lake).where(tables.lake.c.key == key).values(value=value)
        )

    # --- limits ----------------------------------------------------------------------------------

    def limits(self) -> Sequence[Limit]:
        """Return the limits that are set, by name."""
        lake = tables.lake
        rows = self._connection.execute(
            select(lake.c.key, lake.c.value)
            .where(lake.c.key.startswith(_LIMIT, autoescape=True))
            .order_by(lake.c.key)
        )
        return [Limit(row.key.removeprefix(_LIMIT), int(row.value)) for row in rows]

    def set_limit(self, limit: Limit) -> None:
        """Set how much there is of a resource."""
        self.set(_LIMIT + limit.name, str(limit.count))

    def delete_limit(self, name: str) -> bool:
        """Forget a limit; tell whether there was one."""
        result = self._connection.execute(
            delete(tables.lake).where(tables.lake.c.key == _LIMIT + name)
        )
        return result.rowcount == 1
