"""Schedules: when a cron input ticks.

``@every 24h`` (units d, h, m, s, in this order; at most a hundred years), ``@hourly``,
``@daily``, ``@weekly``, ``@monthly``, ``@yearly``, or the five fields of cron. All times are UTC.
After a pause one tick makes up for all that were missed: a tick means "look at the source now",
and one look is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jupyter_datalake.errors import ErrorKind, InvalidInputError

_EVERY = re.compile(
    r"@every\s+(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"
)
_LONGEST = timedelta(days=36525)
_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_CRON_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: a fixed interval, or a cron expression."""

    text: str
    every: timedelta | None
    cron: str | None

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick strictly behind `moment`; an interval counts from `moment`."""
        if self.every is not None:
            return moment + self.every
        from croniter import croniter  # noqa: PLC0415  # see `parse_schedule`

        following: datetime = croniter(self.cron or "", moment.astimezone(UTC)).get_next(datetime)
        return following


def parse_schedule(text: str) -> Schedule:
    """Parse a schedule.

    Raises
    ------
    InvalidInputError
        It is none of the forms above, its fields are out of range, or it never ticks.
    """
    stripped = text.strip()
    if stripped.startswith("@every"):
        match = _EVERY.fullmatch(stripped)
        parts = match.groups() if match else (None, None, None, None)
        days, hours, minutes, seconds = (int(part or 0) for part in parts)
        every = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if every < timedelta(seconds=1):
            raise _invalid(text, "names no interval")
        if every > _LONGEST:
            raise _invalid(text, "names more than a hundred years")
        return Schedule(text, every, None)
    cron = _NAMED.get(stripped, stripped)
    if cron.startswith("@"):
        raise _invalid(text, "is not a known name")
    if len(cron.split()) != _CRON_FIELDS:
        raise _invalid(text, f"does not have {_CRON_FIELDS} fields")
    from croniter import CroniterError, croniter  # noqa: PLC0415  # most commands need no calendar

    try:
        croniter(cron, datetime(2000, 1, 1, tzinfo=UTC)).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        raise _invalid(text, f"does not parse: {error}") from error
    return Schedule(text, None, cron)


def _invalid(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Schedule {text!r} {why}",
        kind=ErrorKind.INVALID_CRON,
        hint="Write '@every 24h', '@daily', or five cron fields such as '0 6 * * MON-FRI'",
        schedule=text,
    )
