"""Schedules: when a cron input ticks, and what happens to ticks that nobody was there for.

``@every 24h`` (units d, h, m, s, in this order; at most a hundred years), ``@hourly``,
``@daily``, ``@weekly``, ``@monthly``, ``@yearly``, or the five fields of cron, read by the wall
clock of a time zone, which is UTC unless another is named.

Where the wall clock jumps, a schedule that names its hours ticks once all the same: a time that
is left out ticks at the instant of the jump, one that comes twice ticks the first time. A schedule
of every hour (``*`` or ``*/n`` in its second field) goes by what the wall clock shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from jupyter_datalake.errors import ErrorKind, InvalidInputError

_EVERY = re.compile(
    r"@every\s+(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"
)
_RANDOM = re.compile(r"(?i)\br\b")
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
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_INSTANT = timedelta(microseconds=1)

DEFAULT_ZONE = "UTC"
MAX_CAUGHT_UP = 1000
"""So many missed ticks of one clock become jobs; older ones are given up."""
MISSED_AFTER = timedelta(minutes=1)
"""A tick that is later than this counts as missed where missed ticks are given up."""


class CatchUp(StrEnum):
    """What becomes of ticks that no controller was there for."""

    ONE = "one"
    """The latest of them makes up for all: one look at the source is enough."""
    ALL = "all"
    """Each becomes a job, oldest first; of more than `MAX_CAUGHT_UP` the newest."""
    NONE = "none"
    """They are given up; the clock goes on with the next one."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: a fixed interval, or a cron expression read in a time zone."""

    text: str
    every: timedelta | None
    cron: str | None
    zone: str = DEFAULT_ZONE

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick strictly behind `moment`, in UTC.

        An interval counts from `moment`.
        """
        if self.every is not None:
            return moment + self.every
        instant = moment.astimezone(UTC)
        zone = find_zone(self.zone)
        names_hours = not self._hour_field.startswith("*")
        return self._by_name(instant, zone) if names_hours else self._by_hand(instant, zone)

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """Return the first `count` ticks strictly behind `moment`, in UTC."""
        found: list[datetime] = []
        for _ in range(count):
            moment = self.next_after(moment)
            found.append(moment)
        return found

    def latest(self, first: datetime, until: datetime, limit: int) -> list[datetime]:
        """Return the ticks from `first`, which is one, up to `until`: the newest `limit`, in order.

        Takes time proportional to `limit`, however long ago `first` was.
        """
        if self.every is not None:
            count = (until - first) // self.every + 1
            start = max(count - limit, 0)
            return [first + number * self.every for number in range(start, count)]
        span = timedelta(minutes=1)
        while True:  # look back twice as far until there are enough
            start_at = max(first - _INSTANT, until - span)
            found = self._between(start_at, until)
            if len(found) >= limit or start_at < first:
                return found[-limit:]
            span *= 2

    def _between(self, after: datetime, until: datetime) -> list[datetime]:
        found: list[datetime] = []
        tick = self.next_after(after)
        while tick <= until:
            found.append(tick)
            tick = self.next_after(tick)
        return found

    @property
    def _hour_field(self) -> str:
        return (self.cron or "").split()[1]

    def _by_name(self, moment: datetime, zone: tzinfo) -> datetime:
        """Each time on the wall stands for one instant, and later ones for no earlier instants."""
        wall = moment.astimezone(zone).replace(tzinfo=None)
        while True:
            wall = self._next_wall(wall)
            instant = _instant_of(wall, zone)
            if instant > moment:
                return instant

    def _by_hand(self, moment: datetime, zone: tzinfo) -> datetime:
        """Follow the hands of the clock: up to a jump by one offset, behind it by the next."""
        start, behind = moment, moment
        while True:
            offset = _offset(start, zone)
            wall = (behind + offset).replace(tzinfo=None)
            instant = (self._next_wall(wall) - offset).replace(tzinfo=UTC)
            if _offset(instant, zone) == offset:
                return instant
            start = _jump_between(start, instant, zone)
            behind = start - _INSTANT  # a tick may be due at the very instant of the jump

    def _next_wall(self, wall: datetime) -> datetime:
        from croniter import croniter  # noqa: PLC0415  # see `parse_schedule`

        following: datetime = croniter(self.cron or "", wall).get_next(datetime)
        return following


@dataclass(frozen=True, slots=True)
class ComingTick:
    """When a schedule ticks, as an instant and as people at the place read it."""

    at: datetime
    local: str
    """The time in the schedule's zone, ISO 8601 with its offset from UTC."""
    is_moved: bool
    """Whether the wall clock leaves out the time that the fields name, so it ticks at the jump."""


def coming_ticks(schedule: Schedule, moment: datetime, count: int) -> list[ComingTick]:
    """Return the first `count` ticks strictly behind `moment`."""
    zone = find_zone(schedule.zone)
    return [
        ComingTick(
            tick, tick.astimezone(zone).isoformat(timespec="seconds"), _is_moved(schedule, tick)
        )
        for tick in schedule.upcoming(moment, count)
    ]


def _is_moved(schedule: Schedule, tick: datetime) -> bool:
    """Tell whether a tick of cron fields is at a time that they do not name."""
    if schedule.cron is None:
        return False
    from croniter import croniter  # noqa: PLC0415  # see `parse_schedule`

    wall = tick.astimezone(find_zone(schedule.zone)).replace(tzinfo=None)
    return not croniter.match(schedule.cron, wall)


@dataclass(frozen=True, slots=True)
class DueTicks:
    """What a clock does whose time has come."""

    ticks: tuple[datetime, ...]
    """The ticks that become jobs, in order."""
    following: datetime
    """When the clock ticks next."""


def take_up(schedule: Schedule, due: datetime, now: datetime, policy: CatchUp) -> DueTicks:
    """Return what becomes of a clock's ticks from the one that is `due` up to `now`."""
    ticks = schedule.latest(due, now, MAX_CAUGHT_UP if policy is CatchUp.ALL else 1)
    following = schedule.next_after(ticks[-1])
    if policy is CatchUp.NONE:
        ticks = [tick for tick in ticks if now - tick <= MISSED_AFTER]
    return DueTicks(tuple(ticks), following)


def find_zone(name: str) -> tzinfo:
    """Return a time zone of the IANA database, or raise `InvalidInputError`."""
    if name == DEFAULT_ZONE:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, not a name, or a folder of names
        raise InvalidInputError(
            f"{name!r} is not a time zone",
            kind=ErrorKind.INVALID_CRON,
            hint="Write a name of the IANA database, such as Europe/Berlin or UTC",
            zone=name,
        ) from error


def parse_schedule(text: str, zone: str = DEFAULT_ZONE) -> Schedule:
    """Parse a schedule.

    Raises
    ------
    InvalidInputError
        It is none of the forms above, its fields are out of range, it never ticks, or there is
        no such time zone.
    """
    find_zone(zone)
    stripped = text.strip()
    if not stripped:
        raise _invalid(text, "is empty")
    if stripped.startswith("@every"):
        return Schedule(text, _parse_every(text, stripped), None, zone)
    cron = _NAMED.get(stripped, stripped)
    if cron.startswith("@"):
        raise _invalid(text, f"is not a known name; known are @every, {', '.join(_NAMED)}")
    fields = list(re.finditer(r"\S+", cron))
    if len(fields) != len(_FIELDS):
        raise _invalid(text, _wrong_count(fields))
    for number, field in enumerate(fields):
        if _RANDOM.search(field[0]):
            raise _invalid(text, f"has {field[0]!r}, which is another time whenever one looks")
        alone = ["*"] * len(_FIELDS)
        alone[number] = field[0]
        if _why_not(" ".join(alone)) is not None:
            column = text.index(stripped) + field.start() + 1
            raise _invalid(
                text,
                f"has {field[0]!r} in column {column}, where no {_FIELDS[number]} is read from it",
            )
    why = _why_not(cron)
    if why is not None:
        raise _invalid(text, f"never ticks: {why}")
    return Schedule(text, None, cron, zone)


def _parse_every(text: str, stripped: str) -> timedelta:
    match = _EVERY.fullmatch(stripped)
    parts = match.groups() if match else (None, None, None, None)
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    every = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if every < timedelta(seconds=1):
        raise _invalid(text, "names no interval")
    if every > _LONGEST:
        raise _invalid(text, "names more than a hundred years")
    return every


def _wrong_count(fields: list[re.Match[str]]) -> str:
    shown = f"has {len(fields)} field{'' if len(fields) == 1 else 's'} instead of {len(_FIELDS)}"
    if len(fields) < len(_FIELDS):
        return f"{shown}: no {_FIELDS[len(fields)]}"
    return f"{shown}: {fields[len(_FIELDS)][0]!r} is too many; cron here knows no seconds or years"


def _why_not(cron: str) -> str | None:
    """Return why cron fields do not parse or never tick, or None."""
    from croniter import CroniterError, croniter  # noqa: PLC0415  # most commands need no calendar

    try:
        croniter(cron, datetime(2000, 1, 1, tzinfo=UTC)).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        return " ".join(str(error).split())
    return None


# --- the wall clock ------------------------------------------------------------------------------


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _instant_of(wall: datetime, zone: tzinfo) -> datetime:
    """Return when the wall clock first shows a time, or jumps over it."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # Left out: with the offset before the jump it comes out behind it, and the other way round.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _jump_between(before, instant, zone)


def _jump_between(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    """Return the first instant behind `early` at which the offset is another, before `late`."""
    offset = _offset(early, zone)
    while late - early > _INSTANT:
        middle = early + (late - early) // 2
        if _offset(middle, zone) == offset:
            early = middle
        else:
            late = middle
    return late


def _invalid(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Schedule {text!r} {why}",
        kind=ErrorKind.INVALID_CRON,
        hint="Write '@every 24h', '@daily', or five cron fields such as '0 6 * * MON-FRI'",
        schedule=text,
    )
