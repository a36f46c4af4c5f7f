"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jupyter_datalake.errors import ErrorKind, InvalidInputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds_of(moment: datetime | str) -> int:
    """Return nanoseconds since 1970 of a time, or of ISO 8601 text; UTC where it names no zone.

    Raises
    ------
    InvalidInputError
        The text is no such time.

    >>> nanoseconds_of("1970-01-01T01:00+01:00")
    0
    """
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError as error:
            raise InvalidInputError(
                f"{moment!r} is not a time",
                kind=ErrorKind.INVALID_REQUEST,
                hint="Write it as 2026-01-31 or 2026-01-31T12:00Z",
                time=moment,
            ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # In whole numbers: a float has no room for the microseconds of today.
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000
