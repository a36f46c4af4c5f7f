"""Sessions: writable views of a branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jupyter_datalake.model.ids import CommitId


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
