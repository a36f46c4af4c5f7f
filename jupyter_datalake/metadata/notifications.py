"""The outbox of what people are to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, begins_with, optional_time, time_of
from jupyter_datalake.model.notification_rules import channel_as_dict, parse_channel
from jupyter_datalake.model.notifications import (
    Channel,
    Notification,
    NotificationState,
    Occasion,
    target_of,
)

_UNSENT = (str(NotificationState.ARMED), str(NotificationState.PENDING))


class NotificationDraft(NamedTuple):
    """A message to be written down."""

    id: str
    pipeline: str
    job_id: str | None
    occasions: tuple[Occasion, ...]
    channel: Channel
    facts: dict[str, Any]
    """With ``title`` and ``text`` among them."""
    state: NotificationState = NotificationState.PENDING
    delay_ns: int = 0


class Claimed(NamedTuple):
    """A message that somebody is about to send."""

    notification: Notification
    channel: Channel
    facts: dict[str, Any]
    is_armed: bool
    """Whether it still has to be looked at whether it is true."""


class Notifications(TableGroup):
    """Statements about `notifications`."""

    def add(self, drafts: Iterable[NotificationDraft]) -> None:
        """Write messages down; those that are `SENT` already have been by this transaction."""
        rows = [
            {
                "id": one.id,
                "pipeline": one.pipeline,
                "job_id": one.job_id,
                "occasions": [str(occasion) for occasion in one.occasions],
                "channel": channel_as_dict(one.channel),
                "facts": one.facts,
                "state": str(one.state),
                "tries": int(one.state is NotificationState.SENT),
                "message": "",
                "created_ns": self._now_ns,
                "next_ns": None
                if one.state is NotificationState.SENT
                else self._now_ns + one.delay_ns,
                "finished_ns": self._now_ns if one.state is NotificationState.SENT else None,
            }
            for one in drafts
        ]
        if rows:
            self._connection.execute(insert(tables.notifications), rows)

    def get(self, prefix: str) -> Notification:
        """Return the one notification whose id begins with `prefix`, or raise `NotFoundError`."""
        table = tables.notifications
        rows = self._connection.execute(
            select(table).where(begins_with(table.c.id, prefix)).limit(2)
        ).all()
        if not prefix or len(rows) != 1:
            raise NotFoundError(
                f"There is no notification {prefix!r}, or several begin so",
                kind=ErrorKind.NOTIFICATION_NOT_FOUND,
                hint="'datalake notifications list' shows what there is",
                notification=prefix,
            )
        return _notification(rows[0])

    def list(
        self,
        *,
        pipeline: str | None = None,
        job_id: str | None = None,
        states: Iterable[NotificationState] | None = None,
        before: int | None = None,
        limit: int,
    ) -> Sequence[Notification]:
        """Return notifications, newest first; without those that are only armed, by default."""
        table = tables.notifications
        wanted = [one for one in NotificationState if one is not NotificationState.ARMED]
        conditions: list[ColumnElement[bool]] = [
            table.c.state.in_([str(one) for one in (states or wanted)])
        ]
        if pipeline is not None:
            conditions.append(table.c.pipeline == pipeline)
        if job_id is not None:
            conditions.append(table.c.job_id == job_id)
        if before is not None:
            conditions.append(table.c.number < before)
        rows = self._connection.execute(
            select(table).where(*conditions).order_by(table.c.number.desc()).limit(limit)
        )
        return [_notification(row) for row in rows]

    def due(self, limit: int) -> Sequence[str]:
        """Return the ids of what is to be sent now, the longest due first; one look-up if none."""
        table = tables.notifications
        return (
            self._connection.execute(
                select(table.c.id)
                .where(table.c.state.in_(_UNSENT), table.c.next_ns <= self._now_ns)
                .order_by(table.c.next_ns, table.c.number)
                .limit(limit)
            )
            .scalars()
            .all()
        )

    def release(self, owner: str) -> int:
        """Have sent again what others than `owner` were sending; return how many that are."""
        table = tables.notifications
        return self._connection.execute(
            update(table)
            .where(table.c.owner.is_not(None), table.c.owner != owner)
            .values(owner=None, next_ns=self._now_ns)
        ).rowcount

    def claim(self, ids: Iterable[str], owner: str, duration_ns: int) -> Sequence[Claimed]:
        """Take messages that are due, each of which counts as not sent after so long."""
        table = tables.notifications
        claimed = []
        for one in ids:
            row = self._connection.execute(
                select(table).where(
                    table.c.id == one,
                    table.c.state.in_(_UNSENT),
                    table.c.next_ns <= self._now_ns,
                )
            ).one_or_none()
            if row is None:
                continue
            self._connection.execute(
                update(table)
                .where(table.c.id == one)
                .values(
                    state=str(NotificationState.PENDING),
                    tries=row.tries + 1,
                    next_ns=self._now_ns + duration_ns,
                    owner=owner,
                )
            )
            claimed.append(
                Claimed(
                    _notification(row, tries=row.tries + 1),
                    parse_channel(row.channel),
                    row.facts,
                    row.state == str(NotificationState.ARMED),
                )
            )
        return claimed

    def tell(self, notification_id: str, facts: dict[str, Any]) -> None:
        """Say what is told by a message that was written down before that was known."""
        table = tables.notifications
        self._connection.execute(
            update(table).where(table.c.id == notification_id).values(facts=facts)
        )

    def drop(self, notification_id: str) -> None:
        """Remove a message that is not true any more."""
        table = tables.notifications
        self._connection.execute(delete(table).where(table.c.id == notification_id))

    def end(
        self,
        claimed: Notification,
        state: NotificationState,
        message: str = "",
        *,
        delay_ns: int = 0,
    ) -> bool:
        """Note how a try ended; tell whether it was still the one that counts."""
        table = tables.notifications
        ends = state is not NotificationState.PENDING
        result = self._connection.execute(
            update(table)
            .where(
                table.c.id == claimed.id,
                table.c.tries == claimed.tries,
                table.c.state == str(NotificationState.PENDING),
            )
            .values(
                state=str(state),
                message=message,
                next_ns=None if ends else self._now_ns + delay_ns,
                owner=None,
                finished_ns=self._now_ns if ends else None,
            )
        )
        return result.rowcount == 1

    def retry(self, notification_id: str) -> None:
        """Have a message sent anew, whatever became of it."""
        table = tables.notifications
        self._connection.execute(
            update(table)
            .where(table.c.id == notification_id)
            .values(
                state=str(NotificationState.PENDING),
                tries=0,
                next_ns=self._now_ns,
                finished_ns=None,
            )
        )

    def disarm(self, job_id: str) -> None:
        """Forget what was to be sent if a job had not ended in time."""
        table = tables.notifications
        self._connection.execute(
            delete(table).where(
                table.c.job_id == job_id, table.c.state == str(NotificationState.ARMED)
            )
        )

    def prune(self, before_ns: int) -> int:
        """Remove what ended before a time; return how many there were."""
        table = tables.notifications
        return self._connection.execute(
            delete(table).where(table.c.finished_ns < before_ns)
        ).rowcount


def _notification(row: Row[Any], *, tries: int | None = None) -> Notification:
    channel = parse_channel(row.channel)
    return Notification(
        id=row.id,
        number=row.number,
        pipeline=row.pipeline,
        job_id=row.job_id,
        occasions=tuple(Occasion(one) for one in row.occasions),
        channel=next(iter(row.channel)),
        target=target_of(channel),
        state=NotificationState(row.state),
        tries=row.tries if tries is None else tries,
        title=row.facts.get("title", ""),
        text=row.facts.get("text", ""),
        message=row.message,
        created_at=time_of(row.created_ns),
        next_at=optional_time(row.next_ns),
        finished_at=optional_time(row.finished_ns),
    )
