"""Pipelines, their versions, who reads what, and the clocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select, update

from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, ns_of, time_of
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.pipeline_specs import parse_stored_spec
from jupyter_datalake.model.pipelines import (
    BranchTrigger,
    CronInput,
    Pipeline,
    PipelineSpec,
    PipelineState,
    cron_inputs,
    keyed_inputs,
)
from jupyter_datalake.model.schedules import DEFAULT_ZONE, Schedule, parse_schedule
from jupyter_datalake.model.text import hint_of_similar
from jupyter_datalake.model.written_specs import spec_as_dict


class PipelineRow(NamedTuple):
    """A pipeline and the key that other tables know it by."""

    id: int
    pipeline: Pipeline


class Clock(NamedTuple):
    """A cron input whose time has come."""

    pipeline_id: int
    name: str
    schedule: Schedule
    due: datetime
    """The first of its ticks that became no job yet."""


class Alarm(NamedTuple):
    """When to look at what an input's trigger waits for."""

    pipeline_id: int
    name: str


class InputEdge(NamedTuple):
    """One repo that a pipeline reads."""

    pipeline: str
    name: str
    repo: str
    branch: str


class Pipelines(TableGroup):
    """Statements about `pipelines`, `pipeline_versions`, `pipeline_inputs` and `cron_inputs`."""

    def find(self, name: str) -> PipelineRow | None:
        """Return a pipeline, or None."""
        found = self._select(tables.pipelines.c.name == name)
        return found[0] if found else None

    def get(self, name: str) -> PipelineRow:
        """Return a pipeline, or raise `NotFoundError`."""
        found = self.find(name)
        if found is None:
            raise NotFoundError(
                f"There is no pipeline {name!r}",
                kind=ErrorKind.PIPELINE_NOT_FOUND,
                hint=hint_of_similar(
                    name,
                    self._some(tables.pipelines.c.name),
                    "'datalake pipelines list' shows what there is",
                ),
                pipeline=name,
            )
        return found

    def by_id(self, pipeline_id: int) -> PipelineRow:
        """Return the pipeline with this key; it exists, because other rows name it."""
        return self._select(tables.pipelines.c.id == pipeline_id)[0]

    def list(self, *, after: str = "", limit: int) -> Sequence[PipelineRow]:
        """Return pipelines by name, at most `limit`, behind the name `after`."""
        return self._select(tables.pipelines.c.name > after, limit=limit)

    def list_at(self, at_ns: int) -> Sequence[PipelineRow]:
        """Return the pipelines there were at a time, with their versions of then, by name.

        Those that were deleted since are not known any more.
        """
        pipelines = tables.pipelines
        own, theirs = tables.pipeline_versions, tables.pipeline_versions.alias("theirs")
        newest = (
            select(func.max(theirs.c.version))
            .where(theirs.c.pipeline_id == pipelines.c.id, theirs.c.created_ns <= at_ns)
            .correlate(pipelines)
            .scalar_subquery()
        )
        kept = [one for one in pipelines.c if one.name != "version"]
        shown = [*kept, own.c.version, own.c.spec, own.c.code_commit_id]
        rows: Sequence[Row[Any]] = self._connection.execute(
            select(*shown)
            .select_from(pipelines)
            .join(own, (own.c.pipeline_id == pipelines.c.id) & (own.c.version == newest))
            .order_by(pipelines.c.name)
        ).all()
        return [_pipeline_row(row) for row in rows]

    def get_many(self, names: Iterable[str]) -> dict[str, PipelineRow]:
        """Return pipelines by name; those that do not exist are left out."""
        return {
            row.pipeline.name: row
            for batch in batched(sorted(names))
            for row in self._select(tables.pipelines.c.name.in_(batch))
        }

    def states(self) -> dict[str, PipelineState]:
        """Return the state of every pipeline, by name, without reading a spec."""
        pipelines = tables.pipelines
        rows = self._connection.execute(select(pipelines.c.name, pipelines.c.state))
        return {row.name: PipelineState(row.state) for row in rows}

    def create(self, spec: PipelineSpec, code: CommitId, by: str) -> PipelineRow:
        """Insert a pipeline at version 1, or raise `AlreadyExistsError`."""
        if self.find(spec.name) is not None:
            raise AlreadyExistsError(
                f"There is a pipeline {spec.name!r} already",
                kind=ErrorKind.PIPELINE_EXISTS,
                hint="Update it instead, or choose another name",
                pipeline=spec.name,
            )
        pipeline_id = self._connection.execute(
            insert(tables.pipelines)
            .values(
                name=spec.name,
                state=str(PipelineState.ACTIVE),
                version=1,
                created_ns=self._now_ns,
                updated_ns=self._now_ns,
                created_by=by,
            )
            .returning(tables.pipelines.c.id)
        ).scalar_one()
        self._add_version(pipeline_id, 1, spec, code, by)
        return self.get(spec.name)

    def update(self, row: PipelineRow, spec: PipelineSpec, code: CommitId, by: str) -> PipelineRow:
        """Insert the next version and make it current."""
        version = row.pipeline.version + 1
        self._connection.execute(
            update(tables.pipelines)
            .where(tables.pipelines.c.id == row.id)
            .values(version=version, updated_ns=self._now_ns)
        )
        self._add_version(row.id, version, spec, code, by)
        return self.get(spec.name)

    def set_state(self, pipeline_id: int, state: PipelineState) -> None:
        """Pause or resume a pipeline."""
        self._connection.execute(
            update(tables.pipelines)
            .where(tables.pipelines.c.id == pipeline_id)
            .values(state=str(state), updated_ns=self._now_ns)
        )

    def delete(self, pipeline_id: int) -> None:
        """Remove a pipeline with its versions, jobs and remembered results."""
        ours = select(tables.jobs.c.id).where(tables.jobs.c.pipeline_id == pipeline_id)
        for table, column in (
            (tables.job_waits, tables.job_waits.c.job_id),
            (tables.job_waits, tables.job_waits.c.on_job_id),
            (tables.datums, tables.datums.c.job_id),
        ):
            self._connection.execute(delete(table).where(column.in_(ours)))
        for owned in (
            tables.jobs,
            tables.datum_results,
            tables.cron_inputs,
            tables.trigger_alarms,
            tables.pipeline_inputs,
            tables.pipeline_versions,
        ):
            self._connection.execute(delete(owned).where(owned.c.pipeline_id == pipeline_id))
        self._connection.execute(
            delete(tables.pipelines).where(tables.pipelines.c.id == pipeline_id)
        )

    def version(self, pipeline_id: int, version: int) -> tuple[PipelineSpec, CommitId]:
        """Return spec and code commit of one version, which exists."""
        versions = tables.pipeline_versions
        row = self._connection.execute(
            select(versions).where(
                versions.c.pipeline_id == pipeline_id, versions.c.version == version
            )
        ).one()
        return parse_stored_spec(row.spec), CommitId(row.code_commit_id)

    def edges(self) -> Sequence[InputEdge]:
        """Return who reads what, by pipeline and input."""
        inputs, pipelines = tables.pipeline_inputs, tables.pipelines
        rows = self._connection.execute(
            select(
                pipelines.c.name.label("pipeline"), inputs.c.name, inputs.c.repo, inputs.c.branch
            )
            .join(pipelines, pipelines.c.id == inputs.c.pipeline_id)
            .order_by(pipelines.c.name, inputs.c.name)
        )
        return [InputEdge(*row) for row in rows]

    def due_clocks(self, until_ns: int) -> Sequence[Clock]:
        """Return the clocks of active pipelines whose next tick is not behind `until_ns`."""
        return self._clocks(
            tables.cron_inputs.c.next_ns <= until_ns,
            tables.pipelines.c.state == str(PipelineState.ACTIVE),
        )

    def stranded_clocks(self, until_ns: int) -> Sequence[Clock]:
        """Return the clocks that were set later than `until_ns`: by a clock that ran ahead."""
        crons, pipelines = tables.cron_inputs, tables.pipelines
        set_ns = func.coalesce(crons.c.last_ns, pipelines.c.updated_ns)
        return self._clocks(set_ns > until_ns, crons.c.next_ns > until_ns)

    def _clocks(self, *conditions: Any) -> Sequence[Clock]:
        crons, pipelines = tables.cron_inputs, tables.pipelines
        rows = self._connection.execute(
            select(crons.c.pipeline_id, crons.c.name, crons.c.spec, crons.c.next_ns)
            .join(pipelines, pipelines.c.id == crons.c.pipeline_id)
            .where(*conditions)
            .order_by(crons.c.next_ns, crons.c.pipeline_id, crons.c.name)
        )
        return [
            Clock(row.pipeline_id, row.name, _schedule_of(row.spec), time_of(row.next_ns))
            for row in rows
        ]

    def next_tick_ns(self, pipeline_id: int) -> int | None:
        """Return when a pipeline's clock ticks next, or None if it has none."""
        crons = tables.cron_inputs
        found: int | None = self._connection.execute(
            select(crons.c.next_ns)
            .where(crons.c.pipeline_id == pipeline_id)
            .order_by(crons.c.next_ns)
            .limit(1)
        ).scalar_one_or_none()
        return found

    def last_tick_ns(self, pipeline_id: int) -> int | None:
        """Return when a pipeline's clock ticked last, or None if it has not, or has none."""
        crons = tables.cron_inputs
        found: int | None = self._connection.execute(
            select(func.max(crons.c.last_ns)).where(crons.c.pipeline_id == pipeline_id)
        ).scalar_one()
        return found

    def tick(self, pipeline_id: int) -> None:
        """Record that a pipeline's clocks ticked now, by hand, and when they tick next.

        Ticks that are due already are left to the controller.
        """
        crons = tables.cron_inputs
        rows = self._connection.execute(select(crons).where(crons.c.pipeline_id == pipeline_id))
        for row in rows.all():
            next_ns = row.next_ns if row.next_ns <= self._now_ns else self._next_ns(row.spec)
            self._connection.execute(
                update(crons)
                .where(crons.c.pipeline_id == pipeline_id, crons.c.name == row.name)
                .values(next_ns=next_ns, last_ns=self._now_ns)
            )

    def set_clock(self, clock: Clock, following: datetime, last: datetime | None) -> None:
        """Record when a clock ticks next, and when it ticked last, which None leaves as it is."""
        crons = tables.cron_inputs
        self._connection.execute(
            update(crons)
            .where(crons.c.pipeline_id == clock.pipeline_id, crons.c.name == clock.name)
            .values(next_ns=ns_of(following), **({} if last is None else {"last_ns": ns_of(last)}))
        )

    def due_alarms(self, until_ns: int) -> Sequence[Alarm]:
        """Return the alarms of active pipelines whose time is not behind `until_ns`."""
        alarms, pipelines = tables.trigger_alarms, tables.pipelines
        rows = self._connection.execute(
            select(alarms.c.pipeline_id, alarms.c.name)
            .join(pipelines, pipelines.c.id == alarms.c.pipeline_id)
            .where(alarms.c.next_ns <= until_ns, pipelines.c.state == str(PipelineState.ACTIVE))
            .order_by(alarms.c.next_ns, alarms.c.pipeline_id, alarms.c.name)
        )
        return [Alarm(row.pipeline_id, row.name) for row in rows]

    def set_alarm(self, pipeline_id: int, key: str, at: datetime) -> None:
        """Set when an input is looked at, where its trigger has a schedule."""
        alarms = tables.trigger_alarms
        self._connection.execute(
            update(alarms)
            .where(alarms.c.pipeline_id == pipeline_id, alarms.c.name == key)
            .values(next_ns=ns_of(at))
        )

    def _replace_alarms(self, pipeline_id: int, spec: PipelineSpec) -> None:
        alarms = tables.trigger_alarms
        self._connection.execute(delete(alarms).where(alarms.c.pipeline_id == pipeline_id))
        rows = []
        for key, leaf in keyed_inputs(spec).items():
            if leaf.trigger is not None and leaf.trigger.schedule:
                next_ns = self._next_ns(_clock_text(leaf.trigger))
                rows.append({"pipeline_id": pipeline_id, "name": key, "next_ns": next_ns})
        self._insert_missing(alarms, rows)

    def _next_ns(self, clock: str) -> int:
        return ns_of(_schedule_of(clock).next_after(time_of(self._now_ns)))

    def _add_version(
        self, pipeline_id: int, version: int, spec: PipelineSpec, code: CommitId, by: str
    ) -> None:
        self._connection.execute(
            insert(tables.pipeline_versions).values(
                pipeline_id=pipeline_id,
                version=version,
                spec=spec_as_dict(spec),
                code_commit_id=code,
                created_ns=self._now_ns,
                created_by=by,
            )
        )
        self._replace_inputs(pipeline_id, spec)
        self._replace_alarms(pipeline_id, spec)

    def _replace_inputs(self, pipeline_id: int, spec: PipelineSpec) -> None:
        inputs, crons = tables.pipeline_inputs, tables.cron_inputs
        self._connection.execute(delete(inputs).where(inputs.c.pipeline_id == pipeline_id))
        self._insert_missing(
            inputs,
            [
                {
                    "pipeline_id": pipeline_id,
                    "name": key,
                    "repo": one.repo,
                    "branch": one.branch,
                }
                for key, one in keyed_inputs(spec).items()
            ],
        )
        wanted = {one.name: _clock_text(one) for one in cron_inputs(spec)}
        for row in self._connection.execute(
            select(crons).where(crons.c.pipeline_id == pipeline_id)
        ).all():
            # A clock that was not changed keeps its time: editing a query must not postpone it.
            if wanted.get(row.name) == row.spec:
                del wanted[row.name]
            else:
                self._connection.execute(
                    delete(crons).where(
                        crons.c.pipeline_id == pipeline_id, crons.c.name == row.name
                    )
                )
        self._insert_missing(
            crons,
            [
                {
                    "pipeline_id": pipeline_id,
                    "name": name,
                    "spec": clock,
                    "next_ns": self._next_ns(clock),
                    "last_ns": None,
                }
                for name, clock in wanted.items()
            ],
        )

    def _select(self, *conditions: Any, limit: int | None = None) -> Sequence[PipelineRow]:
        pipelines, versions = tables.pipelines, tables.pipeline_versions
        statement = (
            select(pipelines, versions.c.spec, versions.c.code_commit_id)
            .join(
                versions,
                (versions.c.pipeline_id == pipelines.c.id)
                & (versions.c.version == pipelines.c.version),
            )
            .where(*conditions)
            .order_by(pipelines.c.name)
            .limit(limit)
        )
        rows: Sequence[Row[Any]] = self._connection.execute(statement).all()
        return [_pipeline_row(row) for row in rows]


def _pipeline_row(row: Row[Any]) -> PipelineRow:
    return PipelineRow(
        row.id,
        Pipeline(
            row.name,
            PipelineState(row.state),
            row.version,
            parse_stored_spec(row.spec),
            CommitId(row.code_commit_id),
            time_of(row.created_ns),
            time_of(row.updated_ns),
            row.created_by,
        ),
    )


_ZONE = "CRON_TZ="


def _clock_text(given: CronInput | BranchTrigger) -> str:
    """Return what a clock goes by as its row keeps it: `_schedule_of` reads it."""
    zone = "" if given.zone == DEFAULT_ZONE else f"{_ZONE}{given.zone} "
    return zone + given.schedule


def _schedule_of(text: str) -> Schedule:
    if not text.startswith(_ZONE):
        return parse_schedule(text)
    zone, _, schedule = text.removeprefix(_ZONE).partition(" ")
    return parse_schedule(schedule, zone)
