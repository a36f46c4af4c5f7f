"""Sessions: writable views of a branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import REF_PATTERN, CommitId


@dataclass(frozen=True, slots=True)
class Draft:
    """What a session held when it was saved last, kept in the lake."""

    session_id: str
    repo: str
    branch: str
    base_commit_id: CommitId
    """The commit that the changes are relative to."""
    changes: int
    """How many paths differ from it."""
    owner: str
    saved_at: datetime
    has_session: bool
    """Whether the session is still there; its own folder may know more than the draft."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as lists show it; its staged changes are asked for by `diff`."""

    id: str
    repo: str
    branch: str
    base_commit_id: CommitId
    """The commit that the staged changes are relative to."""
    owner: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    """What tells it from others of its branch; None for the usual one."""
    notebook: str | None = None
    """The notebook that it is for."""


def session_folder(repo: str, branch: str, name: str) -> str:
    """Return the name of the folder that shows a named session.

    Neither branches nor repos have a plus sign in their names, so it means nothing else.

    >>> session_folder("raw", "main", "analysis")
    'raw@main+analysis'
    """
    return f"{repo}@{branch}+{name}"


def check_session_name(name: str) -> str:
    """Return a name that a session may have, or raise `InvalidInputError`."""
    if not REF_PATTERN.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} cannot be the name of a session",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Use up to 100 letters, digits, dots, dashes and underscores, a letter, digit or"
            " underscore first",
        )
    return name
