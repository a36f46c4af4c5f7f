"""Datums of jobs, and what is remembered of those that succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from jupyter_datalake.errors import ErrorKind, NotFoundError, StateError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, optional_time
from jupyter_datalake.model.datums import (
    BEFORE_ALL,
    STEP_POSITIONS,
    Datum,
    DatumInput,
    DatumResult,
    DatumState,
    check_datum_transition,
    label_of,
    parse_datum_input,
    place_of,
)
from jupyter_datalake.model.ids import Digest, digest_of


class DatumDraft(NamedTuple):
    """A datum to be written."""

    position: int
    key: Digest
    inputs: tuple[DatumInput, ...]
    reason: str
    result: DatumResult | None
    """What stands in for it; None if it must run."""


class DatumEnd(NamedTuple):
    """How a try of a datum ended."""

    position: int
    state: DatumState
    """`QUEUED` where another try is to come."""
    started_ns: int
    finished_ns: int
    output_root: Digest | None
    artifacts_root: Digest | None
    message: str


class Datums(TableGroup):
    """Statements about `datums` and `datum_results`."""

    def clear(self, job_id: str) -> None:
        """Drop the datums of a job, which is about to be planned again."""
        datums = tables.datums
        self._connection.execute(
            delete(datums).where(datums.c.job_id == job_id, datums.c.position >= 0)
        )

    def add(self, job_id: str, drafts: Sequence[DatumDraft]) -> None:
        """Write datums of a job: skipped ones where there is a result, else queued ones."""
        self._insert_missing(
            tables.datums,
            [
                {
                    "job_id": job_id,
                    "position": draft.position,
                    "key": draft.key,
                    "place": place_of(draft.inputs),
                    "state": str(DatumState.QUEUED if draft.result is None else DatumState.SKIPPED),
                    "label": label_of(draft.inputs),
                    "reason": draft.reason,
                    "inputs": [one.as_dict() for one in draft.inputs],
                    "tries": 0,
                    "finished_ns": None if draft.result is None else self._now_ns,
                    "output_root": None if draft.result is None else draft.result.output_root,
                    "artifacts_root": (
                        None if draft.result is None else draft.result.artifacts_root
                    ),
                    "message": "",
                }
                for draft in drafts
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

    def begin_step(self, job_id: str, step: str) -> None:
        """Note that a step of a job runs, in place of what an earlier attempt has left of it."""
        datums, position = tables.datums, STEP_POSITIONS[step]
        self._connection.execute(
            delete(datums).where(datums.c.job_id == job_id, datums.c.position == position)
        )
        self._connection.execute(
            insert(datums).values(
                job_id=job_id,
                position=position,
                key=digest_of(f"{job_id}/{step}".encode()),
                state=str(DatumState.RUNNING),
                label=step,
                reason="",
                inputs=[],
                tries=1,
                started_ns=self._now_ns,
                message="",
            )
        )

    def steps(self, job_id: str) -> Sequence[Datum]:
        """Return the steps of a job that have begun."""
        return [
            one
            for one in self.list(job_id, after=BEFORE_ALL, limit=len(STEP_POSITIONS))
            if one.position < 0
        ]

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

    def start(self, job_id: str, positions: Sequence[int]) -> None:
        """Move queued datums to `running`, which is a try more for each.

        Raises
        ------
        StateError
            One of them is not queued.
        """
        datums = tables.datums
        self._check_state(job_id, positions, DatumState.QUEUED, DatumState.RUNNING)
        for batch in batched(positions):
            self._connection.execute(
                update(datums)
                .where(datums.c.job_id == job_id, datums.c.position.in_(batch))
                .values(
                    state=str(DatumState.RUNNING),
                    tries=datums.c.tries + 1,
                    started_ns=self._now_ns,
                    finished_ns=None,
                )
            )

    def end(self, job_id: str, ends: Sequence[DatumEnd]) -> None:
        """Move running datums to what their tries ended in, or back to `queued`.

        Raises
        ------
        StateError
            One of them is not running, or no running datum ends so.
        """
        if not ends:
            return
        for end in ends:
            check_datum_transition(job_id, end.position, DatumState.RUNNING, end.state)
        self._check_state(job_id, [end.position for end in ends], DatumState.RUNNING)
        datums = tables.datums
        self._connection.execute(
            update(datums)
            .where(datums.c.job_id == job_id, datums.c.position == bindparam("of"))
            .values(
                state=bindparam("new"),
                started_ns=bindparam("begun"),
                finished_ns=bindparam("done"),
                output_root=bindparam("output"),
                artifacts_root=bindparam("artifacts"),
                message=bindparam("said"),
            ),
            [
                {
                    "of": end.position,
                    "new": str(end.state),
                    "begun": end.started_ns or self._now_ns,
                    "done": (
                        None if end.state is DatumState.QUEUED else end.finished_ns or self._now_ns
                    ),
                    "output": end.output_root,
                    "artifacts": end.artifacts_root,
                    "said": end.message,
                }
                for end in ends
            ],
        )

    def _check_state(
        self,
        job_id: str,
        positions: Sequence[int],
        state: DatumState,
        new: DatumState | None = None,
    ) -> None:
        """Raise `StateError` unless all of these datums are in `state`."""
        datums = tables.datums
        found: dict[int, str] = {}
        for batch in batched(positions):
            # Asked for by its state as well, SQLite would look through all that are in it.
            rows = self._connection.execute(
                select(datums.c.position, datums.c.state).where(
                    datums.c.job_id == job_id, datums.c.position.in_(batch)
                )
            )
            found.update((row.position, row.state) for row in rows)
        for position in positions:
            if found.get(position) != str(state):
                raise StateError(
                    f"Datum {position} of job {job_id} is not {state}"
                    + (f" and cannot become {new}" if new else ""),
                    kind=ErrorKind.WRONG_STATE,
                    job=job_id,
                    position=position,
                )

    def requeue_running(self, job_id: str) -> None:
        """Queue the datums of a job that were running when its controller vanished."""
        datums = tables.datums
        self._connection.execute(
            update(datums)
            .where(
                datums.c.job_id == job_id,
                datums.c.position >= 0,
                datums.c.state == str(DatumState.RUNNING),
            )
            .values(state=str(DatumState.QUEUED))
        )

    def remember(self, pipeline_id: int, results: Sequence[DatumResult]) -> None:
        """Keep results under their keys; newer ones take the place of older."""
        table = tables.datum_results
        for batch in batched(results):
            keys = [result.key for result in batch]
            self._connection.execute(delete(table).where(table.c.key.in_(keys)))
            self._insert_missing(
                table,
                [
                    {
                        "key": result.key,
                        "pipeline_id": pipeline_id,
                        "job_id": result.job_id,
                        "position": result.position,
                        "output_root": result.output_root,
                        "artifacts_root": result.artifacts_root,
                        "finished_ns": self._now_ns,
                        "current": False,
                    }
                    for result in batch
                ],
            )

    def use_rows(self, pipeline_id: int, job_id: str) -> None:
        """Make the results that a job's datums have, and no others of its pipeline, current."""
        # Cost: the results of the pipeline, as of a job that looks at all of its datums.
        results, datums = tables.datum_results, tables.datums
        used = select(datums.c.key).where(
            datums.c.job_id == job_id, datums.c.output_root.is_not(None)
        )
        self._connection.execute(
            update(results)
            .where(results.c.pipeline_id == pipeline_id)
            .values(current=results.c.key.in_(used))
        )

    def use(self, keys: Iterable[Digest], *, current: bool) -> None:
        """Say of results whether the newest datum set names them; gc keeps those it does."""
        results = tables.datum_results
        for batch in batched(keys):
            self._connection.execute(
                update(results).where(results.c.key.in_(batch)).values(current=current)
            )

    def at_places(self, job_id: str, places: Iterable[bytes]) -> Sequence[Datum]:
        """Return the datums of a job that were cut from these places."""
        datums = tables.datums
        found: list[Datum] = []
        for batch in batched(places):
            rows = self._connection.execute(
                select(datums).where(datums.c.job_id == job_id, datums.c.place.in_(batch))
            )
            found += [_datum(row) for row in rows]
        return found

    def count(self, job_id: str) -> int:
        """Return how many datums a job has."""
        return int(
            self._connection.execute(
                select(func.count())
                .select_from(tables.datums)
                .where(tables.datums.c.job_id == job_id, tables.datums.c.position >= 0)
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
