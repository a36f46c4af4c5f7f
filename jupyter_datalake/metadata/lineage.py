"""Provenance edges in both directions, and global ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, bindparam, delete, select, update

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, begins_with, time_of
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.lineage import (
    AccessKind,
    GlobalOrigin,
    GlobalRecord,
    LineageStep,
    Observation,
    Observer,
    SeenBy,
)
from jupyter_datalake.model.paths import RepoPath, path_bytes, path_from_bytes

OBSERVED_NS = 90 * 86_400 * 10**9
"""How long it is kept who opened what."""


_SEEN = tables.accesses.join(
    tables.observers, tables.observers.c.id == tables.accesses.c.observer_id
)
"""Accesses with who made them."""


class Lineage(TableGroup):
    """Statements about `commit_inputs`, `global_ids`, `observers` and `accesses`."""

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
            select(ids).where(begins_with(ids.c.id, prefix)).limit(2)
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

    # --- observed --------------------------------------------------------------------------------

    def observe(self, observations: Sequence[Observation]) -> None:
        """Add what was opened to what is recorded, and drop what is older than `OBSERVED_NS`."""
        observers = {one.observer.id: one.observer for one in observations}
        self._insert_missing(tables.observers, [asdict(one) for one in observers.values()])
        accesses = tables.accesses
        rows = [_access(one) for one in observations]
        self._insert_missing(accesses, [{**row, "opens": 0} for row in rows])
        if rows:
            self._connection.execute(
                update(accesses)
                .where(accesses.c.key == bindparam("this"))
                .values(opens=accesses.c.opens + bindparam("more"), last_ns=bindparam("last")),
                [
                    {"this": row["key"], "more": row["opens"], "last": row["last_ns"]}
                    for row in rows
                ],
            )
        old = delete(accesses).where(accesses.c.last_ns < self._now_ns - OBSERVED_NS)
        if self._connection.execute(old).rowcount:
            table, known = tables.observers, select(accesses.c.observer_id)
            self._connection.execute(delete(table).where(table.c.id.not_in(known)))

    def list_observed(
        self,
        *,
        repo: str | None = None,
        session_id: str | None = None,
        notebooks: Sequence[str] | None = None,
        job_id: str | None = None,
        datum: int | None = None,
        limit: int,
    ) -> Sequence[Observation]:
        """Return what was opened, newest first, at most `limit`.

        Parameters
        ----------
        notebooks
            Names that one notebook may go by.
        """
        accesses, observers = tables.accesses, tables.observers
        statement = (
            select(accesses, *(one for one in observers.c if one.name != "id"))
            .join(observers, observers.c.id == accesses.c.observer_id)
            .order_by(accesses.c.last_ns.desc(), accesses.c.key)
            .limit(limit)
        )
        wanted = (
            (accesses.c.repo, repo),
            (accesses.c.session_id, session_id),
            (observers.c.job_id, job_id),
            (observers.c.datum, datum),
        )
        for column, value in wanted:
            if value is not None:
                statement = statement.where(column == value)
        if notebooks is not None:
            statement = statement.where(observers.c.notebook.in_(notebooks))
        return [_observation(row) for row in self._connection.execute(statement)]

    def observed_flows(
        self, *, until_ns: int | None = None, limit: int
    ) -> Sequence[tuple[str, str, AccessKind]]:
        """Return which notebooks opened files of which repos, and for what, by name.

        Parameters
        ----------
        until_ns
            Only what they had opened by then.
        """
        return self._flows(tables.observers.c.notebook, _SEEN, until_ns, limit)

    def observed_flows_of_jobs(
        self, *, until_ns: int | None = None, limit: int
    ) -> Sequence[tuple[str, str, AccessKind]]:
        """Return which pipelines' jobs opened files of which repos, and for what, by name.

        Parameters
        ----------
        until_ns
            Only what they had opened by then.
        """
        jobs, pipelines = tables.jobs, tables.pipelines
        of_jobs = _SEEN.join(jobs, jobs.c.id == tables.observers.c.job_id)
        named = of_jobs.join(pipelines, pipelines.c.id == jobs.c.pipeline_id)
        return self._flows(pipelines.c.name, named, until_ns, limit)

    def _flows(
        self, name: ColumnElement[Any], seen: FromClause, until_ns: int | None, limit: int
    ) -> Sequence[tuple[str, str, AccessKind]]:
        accesses = tables.accesses
        statement = (
            select(name, accesses.c.repo, accesses.c.kind)
            .select_from(seen)
            .where(name.is_not(None))
            .distinct()
            .order_by(name, accesses.c.repo, accesses.c.kind)
            .limit(limit)
        )
        if until_ns is not None:
            statement = statement.where(accesses.c.first_ns <= until_ns)
        rows = self._connection.execute(statement)
        return [(who, repo, AccessKind(kind)) for who, repo, kind in rows]


def _access(one: Observation) -> dict[str, Any]:
    parts = (one.observer.id, one.repo, one.commit_id, one.path, one.kind)
    # Rows from before it was recorded by what means an access was seen were all those of mounts.
    more = () if one.seen_by is SeenBy.MOUNT else (one.seen_by,)
    identity = "\0".join((*parts, *more))
    return {
        "key": blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=16).digest(),
        "observer_id": one.observer.id,
        "repo": one.repo,
        "commit_id": one.commit_id,
        "path": path_bytes(one.path),
        "kind": str(one.kind),
        "session_id": one.session_id,
        "opens": one.opens,
        "first_ns": one.first_ns,
        "last_ns": one.last_ns,
        "seen_by": str(one.seen_by),
    }


def _observation(row: Row[Any]) -> Observation:
    return Observation(
        Observer(
            row.observer_id,
            row.host,
            row.pid,
            row.command,
            row.kernel_id,
            row.notebook,
            row.cell,
            row.job_id,
            row.datum,
        ),
        row.repo,
        CommitId(row.commit_id),
        RepoPath(path_from_bytes(row.path)),
        AccessKind(row.kind),
        row.session_id,
        row.opens,
        row.first_ns,
        row.last_ns,
        SeenBy(row.seen_by),
    )


def _record(row: Row[Any]) -> GlobalRecord:
    return GlobalRecord(
        GlobalId(row.id),
        time_of(row.created_ns),
        row.created_by,
        GlobalOrigin(row.origin),
        row.subject,
    )
