"""Remotes: other lakes by name, and what a push or pull between two lakes did."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import CommitId, check_ref_name, check_repo_name
from jupyter_datalake.model.refs import RefKind

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Remote:
    """Another lake that this one is pushed to, pulled from and healed from."""

    name: str
    url: str
    """As `Lake.open` takes it; holds no secret."""
    key: str | None
    """Where its key is, when it is encrypted and the key is not the environment's:
    ``file:<path>``, ``env:<variable>`` or ``keyring``."""
    created_at: datetime
    created_by: str


def check_remote_name(name: str) -> str:
    """Return `name` if it can name a remote, else raise `InvalidInputError`."""
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is not a name for a remote",
            kind=ErrorKind.INVALID_NAME,
            hint="Use letters, digits and . _ -, beginning with a letter or digit",
            name=name,
        )
    return name


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be replicated: a repo with all its refs, or one of them."""

    repo: str
    ref: str | None


def parse_selection(text: str) -> Selection:
    """Return what ``repo`` or ``repo@ref`` selects, or raise `InvalidInputError`.

    >>> parse_selection("raw@main")
    Selection(repo='raw', ref='main')
    """
    repo, sign, ref = text.partition("@")
    check_repo_name(repo)
    if sign:
        check_ref_name(ref)
    return Selection(repo, ref if sign else None)


class RefOutcome(StrEnum):
    """What became of one ref."""

    CREATED = "created"
    MOVED = "moved"
    FORCED = "forced"
    """Moved although the other side had commits that are not on this one's line."""
    CURRENT = "current"
    """There was nothing to do."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RefChange:
    """One ref of the lake that was written to."""

    repo: str
    name: str
    kind: RefKind
    outcome: RefOutcome
    old_commit_id: CommitId | None
    """None: there was no such ref."""
    new_commit_id: CommitId
    """Where it was to go; it is there unless it was refused."""
    message: str = ""
    """Why it was refused."""


@dataclass(slots=True)
class ReplicationReport:
    """What a push or pull did."""

    refs: list[RefChange] = field(default_factory=list)
    repos: list[str] = field(default_factory=list)
    """Repos that were made."""
    commits: int = 0
    """Commits that the other side did not have."""
    blobs: int = 0
    """Blobs that were copied."""
    bytes_copied: int = 0
    """Their bytes, as stored."""
    blobs_shared: int = 0
    """Blobs that were met on the way and not copied: the other side had them."""
