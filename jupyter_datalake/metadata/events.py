"""The numbered log of what happened, and how far its durable followers have read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, select, update

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.model.events import Event, EventKind


class Events(TableGroup):
    """Statements about `events` and `cursors`."""

    def append(self, kind: EventKind, subject: str, /, **details: Any) -> None:
        """Add an event; it becomes visible when the transaction commits."""
        self._connection.execute(
            insert(tables.events).values(
                at_ns=self._now_ns, kind=str(kind), subject=subject, details=details
            )
        )

    def last_number(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        return int(
            self._connection.execute(
                select(func.coalesce(func.max(tables.events.c.number), 0))
            ).scalar_one()
        )

    def list(
        self, after: int, *, kinds: frozenset[EventKind] | None = None, limit: int
    ) -> list[Event]:
        """Return the events behind number `after`, oldest first, at most `limit`.

        Kinds that a newer program wrote are left out before the limit counts: an empty answer
        means that there is nothing more.
        """
        events = tables.events
        wanted = [str(kind) for kind in (EventKind if kinds is None else kinds)]
        statement = (
            select(events)
            .where(events.c.number > after, events.c.kind.in_(wanted))
            .order_by(events.c.number)
            .limit(limit)
        )
        return [_event(row) for row in self._connection.execute(statement)]

    def find(self, kind: EventKind, subject: str) -> Event | None:
        """Return the newest event of a kind about a subject; it may have to look at all events."""
        events = tables.events
        row = self._connection.execute(
            select(events)
            .where(events.c.kind == str(kind), events.c.subject == subject)
            .order_by(events.c.number.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else _event(row)

    def cursor(self, name: str) -> int:
        """Return how far a follower has read; 0 for a new one."""
        number = self._connection.execute(
            select(tables.cursors.c.number).where(tables.cursors.c.name == name)
        ).scalar_one_or_none()
        return 0 if number is None else int(number)

    def set_cursor(self, name: str, number: int) -> None:
        """Record how far a follower has read, in the transaction that acted on the events."""
        self._insert_missing(tables.cursors, [{"name": name, "number": 0}])
        self._connection.execute(
            update(tables.cursors).where(tables.cursors.c.name == name).values(number=number)
        )


def _event(row: Row[Any]) -> Event:
    return Event(row.number, time_of(row.at_ns), EventKind(row.kind), row.subject, row.details)
