"""Datums of jobs, and what is remembered of those that succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from jupyter_datalake.errors import ErrorKind, NotFoundError, StateError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, optional_time
from jupyter_datalake.model.datums import (
    DATUM_TRANSITIONS,
    Datum,
    DatumInput,
    DatumResult,
    DatumState,
    label_of,
    parse_datum_input,
)
from jupyter_datalake.model.ids import Digest


class Datums(TableGroup):
    """Statements about `datums` and `datum_results`."""

    def replace(
        self, job_id: str, planned: Sequence[tuple[Digest, tuple[DatumInput, ...], str]]
    ) -> None:
        """Write the datums of a job, all queued; those of an earlier attempt are dropped.

        Parameters
        ----------
        planned
            Key, inputs and reason of each, by position.
        """
        self._connection.execute(delete(tables.datums).where(tables.datums.c.job_id == job_id))
        self._insert_missing(
            tables.datums,
            [
                {
                    "job_id": job_id,
                    "position": position,
                    "key": key,
                    "state": str(DatumState.QUEUED),
                    "label": label_of(inputs),
                    "reason": reason,
                    "inputs": [one.as_dict() for one in inputs],
                    "tries": 0,
                    "message": "",
                }
                for position, (key, inputs, reason) in enumerate(planned)
            ],
        )

    def list(
        self,
        job_id: str,
        *,
        states: Iterable[DatumState] | None = None,
        after: int = -1,
        limit: int,
    ) -> list[Datum]:
        """Return datums by position, at most `limit`, behind the position `after`."""
        datums = tables.datums
        statement = (
            select(datums)
            .where(datums.c.job_id == job_id, datums.c.position > after)
            .order_by(datums.c.position)
            .limit(limit)
        )
        if states is not None:
            statement = statement.where(datums.c.state.in_([str(state) for state in states]))
        return [_datum(row) for row in self._connection.execute(statement)]

    def get(self, job_id: str, position: int) -> Datum:
        """Return one datum, or raise `NotFoundError`."""
        found = self.list(job_id, after=position - 1, limit=1)
        if not found or found[0].position != position:
            raise NotFoundError(
                f"Job {job_id} has no datum {position}",
                kind=ErrorKind.DATUM_NOT_FOUND,
                hint="'datalake jobs list-datums' shows them",
                job=job_id,
                position=position,
            )
        return found[0]

    def roots(self, job_id: str) -> Sequence[tuple[int, Digest]]:
        """Return position and output root of every datum that has one, by position."""
        datums = tables.datums
        rows = self._connection.execute(
            select(datums.c.position, datums.c.output_root)
            .where(datums.c.job_id == job_id, datums.c.output_root.is_not(None))
            .order_by(datums.c.position)
        )
        return [(row.position, Digest(row.output_root)) for row in rows]

    def known(self, keys: Iterable[Digest]) -> dict[Digest, DatumResult]:
        """Return the remembered results among `keys`."""
        results = tables.datum_results
        found: dict[Digest, DatumResult] = {}
        for batch in batched(keys):
            rows = self._connection.execute(select(results).where(results.c.key.in_(batch)))
            for row in rows:
                found[Digest(row.key)] = DatumResult(
                    Digest(row.key),
                    row.job_id,
                    row.position,
                    Digest(row.output_root),
                    Digest(row.artifacts_root),
                )
        return found

    def skip(self, job_id: str, positions: Iterable[tuple[int, DatumResult]]) -> None:
        """Mark queued datums as skipped, with the result that stands in for them."""
        for position, result in positions:
            self.move(
                job_id,
                position,
                DatumState.QUEUED,
                DatumState.SKIPPED,
                output_root=result.output_root,
                artifacts_root=result.artifacts_root,
                finished_ns=self._now_ns,
            )

    def move(
        self, job_id: str, position: int, old: DatumState, new: DatumState, **changes: Any
    ) -> None:
        """Move a datum from `old` to `new`, with other columns.

        Raises
        ------
        StateError
            The state machine has no such transition, or the datum is not in `old`.
        """
        datums = tables.datums
        values: dict[str, Any] = {"state": str(new), **changes}
        if new is DatumState.RUNNING:
            values["tries"] = datums.c.tries + 1
            values["started_ns"] = self._now_ns
            values["finished_ns"] = None
        elif new in {DatumState.SUCCESS, DatumState.FAILED, DatumState.RECOVERED}:
            values["finished_ns"] = self._now_ns
        legal = new in DATUM_TRANSITIONS[old]
        result = legal and self._connection.execute(
            update(datums)
            .where(
                datums.c.job_id == job_id,
                datums.c.position == position,
                datums.c.state == str(old),
            )
            .values(**values)
        )
        if not result or result.rowcount != 1:
            raise StateError(
                f"Datum {position} of job {job_id} cannot go from {old} to {new}",
                kind=ErrorKind.WRONG_STATE,
                job=job_id,
                position=position,
            )

    def requeue_running(self, job_id: str) -> None:
        """Queue the datums of a job that were running when its controller vanished."""
        datums = tables.datums
        self._connection.execute(
            update(datums)
            .where(datums.c.job_id == job_id, datums.c.state == str(DatumState.RUNNING))
            .values(state=str(DatumState.QUEUED))
        )

    def remember(self, pipeline_id: int, result: DatumResult) -> None:
        """Keep a result under its key; a newer one takes the place of an older."""
        results = tables.datum_results
        self._connection.execute(delete(results).where(results.c.key == result.key))
        self._insert_missing(
            results,
            [
                {
                    "key": result.key,
                    "pipeline_id": pipeline_id,
                    "job_id": result.job_id,
                    "position": result.position,
                    "output_root": result.output_root,
                    "artifacts_root": result.artifacts_root,
                    "finished_ns": self._now_ns,
                }
            ],
        )

    def count(self, job_id: str) -> int:
        """Return how many datums a job has."""
        return int(
            self._connection.execute(
                select(func.count())
                .select_from(tables.datums)
                .where(tables.datums.c.job_id == job_id)
            ).scalar_one()
        )


def _datum(row: Row[Any]) -> Datum:
    return Datum(
        job_id=row.job_id,
        position=row.position,
        key=Digest(row.key),
        state=DatumState(row.state),
        inputs=tuple(parse_datum_input(one) for one in row.inputs),
        reason=row.reason,
        tries=row.tries,
        started_at=optional_time(row.started_ns),
        finished_at=optional_time(row.finished_ns),
        output_root=None if row.output_root is None else Digest(row.output_root),
        artifacts_root=None if row.artifacts_root is None else Digest(row.artifacts_root),
        message=row.message,
    )
