"""Provenance edges in both directions, and global ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, time_of
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.lineage import GlobalOrigin, GlobalRecord, LineageStep


class Lineage(TableGroup):
    """Statements about `commit_inputs` and `global_ids`."""

    def begin(
        self,
        global_id: GlobalId,
        origin: GlobalOrigin,
        subject: str,
        by: str,
        *,
        at_ns: int | None = None,
    ) -> None:
        """Record a new global id, begun now or at a time; one recorded already stays as it is."""
        self._insert_missing(
            tables.global_ids,
            [
                {
                    "id": global_id,
                    "created_ns": self._now_ns if at_ns is None else at_ns,
                    "created_by": by,
                    "origin": str(origin),
                    "subject": subject,
                }
            ],
        )

    def get(self, prefix: str) -> GlobalRecord:
        """Return the one global id that begins with `prefix`, or raise `NotFoundError`."""
        ids = tables.global_ids
        rows = self._connection.execute(
            select(ids).where(ids.c.id >= prefix, ids.c.id < prefix + "g").limit(2)
        ).all()
        if len(rows) != 1 or not prefix:
            raise NotFoundError(
                f"There is no global id {prefix!r}"
                if not rows or not prefix
                else f"{prefix!r} is the beginning of several global ids",
                kind=ErrorKind.GLOBAL_ID_NOT_FOUND,
                hint="'datalake lineage list' shows the newest",
                global_id=prefix,
            )
        return _record(rows[0])

    def get_many(self, ids: Iterable[GlobalId]) -> Sequence[GlobalRecord]:
        """Return those of the global ids that are recorded."""
        table = tables.global_ids
        found: Sequence[GlobalRecord] = ()
        for batch in batched(ids):
            rows = self._connection.execute(select(table).where(table.c.id.in_(batch)))
            found = [*found, *map(_record, rows)]
        return found

    def restore(self, record: GlobalRecord) -> None:
        """Record a global id as another lake has it; one recorded already stays as it is."""
        begun_ns = round(record.created_at.timestamp() * 1e6) * 1000
        self.begin(record.id, record.origin, record.subject, record.created_by, at_ns=begun_ns)

    def list(self, *, before_ns: int | None = None, limit: int) -> list[GlobalRecord]:
        """Return global ids, newest first, at most `limit`, begun before a time."""
        ids = tables.global_ids
        statement = select(ids).order_by(ids.c.created_ns.desc(), ids.c.id).limit(limit)
        if before_ns is not None:
            statement = statement.where(ids.c.created_ns < before_ns)
        return [_record(row) for row in self._connection.execute(statement)]

    def walk(self, start: CommitId, *, upstream: bool, limit: int) -> Sequence[LineageStep]:
        """Return the closure of a commit over provenance edges, nearest first.

        Parameters
        ----------
        upstream
            True: what it was made from. False: what was made from it.
        limit
            At most this many commits; the walk stops there.
        """
        inputs = tables.commit_inputs
        origin, neighbour = (
            (inputs.c.commit_id, inputs.c.input_commit_id)
            if upstream
            else (inputs.c.input_commit_id, inputs.c.commit_id)
        )
        seen = {start}
        frontier = [start]
        steps: list[LineageStep] = []
        depth = 0
        while frontier and len(steps) < limit:
            depth += 1
            following: list[CommitId] = []
            for batch in batched(frontier):
                rows = self._connection.execute(
                    select(
                        origin.label("via"),
                        neighbour.label("found"),
                        inputs.c.name,
                        tables.commits.c.repo,
                    )
                    .join(tables.commits, tables.commits.c.id == neighbour)
                    .where(origin.in_(batch))
                    .order_by(tables.commits.c.repo, neighbour)
                )
                for row in rows:
                    if row.found in seen:
                        continue
                    seen.add(row.found)
                    following.append(CommitId(row.found))
                    steps.append(
                        LineageStep(CommitId(row.found), row.repo, depth, row.via, row.name)
                    )
            frontier = following
        return steps[:limit]


def _record(row: Row[Any]) -> GlobalRecord:
    return GlobalRecord(
        GlobalId(row.id),
        time_of(row.created_ns),
        row.created_by,
        GlobalOrigin(row.origin),
        row.subject,
    )
