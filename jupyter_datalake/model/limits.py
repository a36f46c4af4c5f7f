"""Limits: what jobs share and how much of it there is, and whose turn comes how often."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.groups import GROUP_LIMIT, check_group

JOBS_LIMIT = "jobs"
"""Name of the limit on jobs at work at once; it is there without being set."""
DEFAULT_JOBS = 16
MAX_LIMIT = 1_000_000

LOWEST_PRIORITY, HIGHEST_PRIORITY = -10, 10
RESOURCE_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Limit:
    """How much there is of something that datums hold while they run."""

    name: str
    count: int


def check_limit(name: str, count: int) -> Limit:
    """Return a limit, or raise `InvalidInputError` naming what is wrong with it."""
    if name.startswith(GROUP_LIMIT):
        check_group(name.removeprefix(GROUP_LIMIT))
    elif not RESOURCE_PATTERN.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no name of a resource",
            kind=ErrorKind.INVALID_NAME,
            hint="Use 1 to 63 of a-z 0-9 . _ -, beginning with a letter or a digit",
            resource=name,
        )
    if not 1 <= count <= MAX_LIMIT:
        raise InvalidInputError(
            f"The limit of {name!r} cannot be {count}",
            hint=f"Give a number from 1 to {MAX_LIMIT:,}; to let nothing run, pause pipelines",
            resource=name,
        )
    return Limit(name, count)


def check_priority(priority: int | None) -> None:
    """Raise `InvalidInputError` unless a priority is from -10 to 10, or None."""
    if priority is not None and not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise InvalidInputError(
            f"There is no priority {priority}",
            hint=f"Give a number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}",
            priority=priority,
        )


def weight_of(priority: int) -> float:
    """Return how much more often one of this priority has its turn than one of priority 0.

    Ten steps are worth ten times.

    >>> weight_of(10), weight_of(0), weight_of(-10)
    (10.0, 1.0, 0.1)
    """
    return float(10 ** (priority / 10))
