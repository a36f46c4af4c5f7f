"""Groups: pipelines that are looked at and acted on together, named like folders."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.jobs import JobState

_COMPONENT = r"[a-z0-9][a-z0-9._-]{0,62}"
GROUP_PATTERN = re.compile(f"{_COMPONENT}(?:/{_COMPONENT}){{0,3}}")
GROUP_LIMIT = "group/"
"""What the name of a limit begins with that says how many jobs of a group are at work at once."""


@dataclass(frozen=True, slots=True)
class PipelineGroup:
    """A group as lists show it, with what is in the groups inside it."""

    name: str
    pipelines: tuple[str, ...]
    paused_count: int
    latest: dict[JobState, int]
    """How many of them have a newest job in which state; states that none is in are left out."""
    limit: int | None
    """How many of their jobs are at work at once; None for as many as there are."""


def check_group(name: str) -> str:
    """Return the name of a group, or raise `InvalidInputError`."""
    if not GROUP_PATTERN.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no name of a group",
            kind=ErrorKind.INVALID_NAME,
            hint="Use up to four parts of a-z 0-9 . _ - with slashes between, such as etl/daily",
            group=name,
        )
    return name


def groups_around(name: str) -> list[str]:
    """Return a group and all that it is inside of, the outermost first; none for no group.

    >>> groups_around("etl/daily")
    ['etl', 'etl/daily']
    """
    parts = name.split("/") if name else []
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
