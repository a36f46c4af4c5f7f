"""Events: the numbered log of what happened in a lake."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.events import Event, EventKind


class Events:
    """`lake.events`: what happened, in order, from every process that uses the lake."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self, *, after: int = 0, kinds: Iterable[EventKind] | None = None, limit: int | None = None
    ) -> Sequence[Event]:
        """Return the events behind a number, oldest first."""
        wanted = None if kinds is None else frozenset(kinds)
        with self._context.core.metadata.read() as tx:
            return tx.events.list(after, kinds=wanted, limit=limit_of(limit))

    def last_number(self) -> int:
        """Return the number of the newest event; 0 when there is none."""
        with self._context.core.metadata.read() as tx:
            return tx.events.last_number()
