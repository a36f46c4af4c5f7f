"""Branches and tags, and the grammar of ref expressions.

::

    expression = base [ "@" ( time | "{" n "}" ) ] step*
    base       = branch | tag | commit id prefix (4 to 64 hex digits)
    time       = ISO 8601 date or date-time; UTC unless it carries an offset; up to the end of
                 the microsecond it names, so that a time copied from a listing finds its commit
    {n}        = where the ref was n moves ago, by the reflog
    step       = "^" [n]  (n-th parent, first by default)  |  "~" n  (n first parents back)

    main    v1    3f2a9c    main^    main~3    main@2026-01-31T12:00Z    main@2026-01-31~1
    main@{1}    main^2~3

A branch or tag is meant before a commit whose id begins so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import CommitId

DEFAULT_BRANCH = "main"
MAX_STEPS = 1_000_000

_EXPRESSION = re.compile(
    r"(?P<base>[^@^~/\s{}]+)"
    r"(?:@(?:\{(?P<back>[0-9]+)\}|(?P<time>[^~^/\s{}]+)))?"
    r"(?P<steps>[\^~0-9]*)"
)
_STEP = re.compile(r"\^(?P<parent>[0-9]*)|~(?P<count>[0-9]+)")
_MAX_DIGITS = 9
"""Enough for `MAX_STEPS`; Python refuses to convert numbers of thousands of digits."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RefKind(StrEnum):
    """What a name points with: a movable branch or a fixed tag."""

    BRANCH = "branch"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Ref:
    """A name in a repo and the commit it points to."""

    repo: str
    name: str
    kind: RefKind
    commit_id: CommitId
    updated_at: datetime
    message: str | None = None
    """What a tag says about what it marks."""
    created_by: str | None = None
    """Who made it; None for refs of before this was kept."""


@dataclass(frozen=True, slots=True)
class RefMove:
    """One line of the reflog: a ref was created, moved or deleted."""

    repo: str
    name: str
    kind: RefKind
    old_commit_id: CommitId | None
    """None when the ref was created."""
    new_commit_id: CommitId | None
    """None when the ref was deleted."""
    at: datetime
    by: str
    reason: str
    number: int = 0
    """Grows with every move in the lake; names the move, to undo it."""
    renamed_from: str | None = None
    """Of a rename, which is two moves: the name the ref had before."""
    renamed_to: str | None = None
    """Of a rename: the name the ref has since."""


@dataclass(frozen=True, slots=True)
class Step:
    """One move along parents: `count` times to the parent at `position` (0 = first)."""

    position: int
    count: int


@dataclass(frozen=True, slots=True)
class RefExpression:
    """A parsed ref expression; `engine.history` turns it into a commit."""

    text: str
    base: str
    as_of_ns: int | None
    """The end of the time at which the ref is meant; None for now."""
    steps: tuple[Step, ...]
    moves_back: int | None = None
    """How many moves ago the ref is meant; None where that was not asked for."""


def parse_ref_expression(text: str) -> RefExpression:
    """Parse a ref expression.

    Raises
    ------
    InvalidInputError
        The text breaks the grammar in the module's docstring.

    >>> parse_ref_expression("main~3").steps
    (Step(position=0, count=3),)
    """
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise _invalid(text, "does not parse")
    as_of, back = match["time"], match["back"]
    if back is not None and len(back) > _MAX_DIGITS:
        raise _invalid(text, f"goes back more than {MAX_STEPS:,} moves")
    steps: list[Step] = []
    position = 0
    raw = match["steps"]
    while position < len(raw):
        step = _STEP.match(raw, position)
        if step is None:
            raise _invalid(text, f"has a bad step at {raw[position:]!r}")
        digits = step["count"] or step["parent"] or ""
        if len(digits) > _MAX_DIGITS:
            raise _invalid(text, f"goes back more than {MAX_STEPS:,} steps")
        count = int(step["count"] or 1)
        parent = int(step["parent"] or 1) if step["count"] is None else 1
        if count > MAX_STEPS or parent > MAX_STEPS:
            raise _invalid(text, f"goes back more than {MAX_STEPS:,} steps")
        if parent == 0:
            raise _invalid(text, "asks for parent 0; parents count from 1")
        steps.append(Step(parent - 1, count))
        position = step.end()
    return RefExpression(
        text,
        match["base"],
        None if as_of is None else _parse_time(text, as_of),
        tuple(steps),
        None if back is None else int(back),
    )


def _parse_time(text: str, raw: str) -> int:
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        raise _invalid(text, f"has a bad time {raw!r}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # In whole numbers: a float has no room for the microseconds of today.
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000 + 999


def _invalid(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Ref expression {text!r} {why}",
        kind=ErrorKind.INVALID_REF,
        hint="Use a branch, tag or commit id, with ^, ~3, @{1} or @2026-01-31T12:00Z behind it",
        ref=text,
    )
