"""Sessions: writable views of a branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import REF_PATTERN, CommitId
from jupyter_datalake.model.paths import ROOT, RepoPath, is_within, parent_of, parse_path


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of several that is not staged, and why."""

    path: str
    """As it was asked for."""
    kind: str
    message: str


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


class Whose(StrEnum):
    """Whose version of a path is committed that others changed too."""

    MINE = "mine"
    """That of the session."""
    THEIRS = "theirs"
    """That of the branch."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What becomes of the paths on which a session and its branch meet."""

    by_path: Mapping[RepoPath, Whose] = field(default_factory=dict)
    """A path stands for everything below it too; the longest that fits counts."""

    @classmethod
    def of_texts(cls, texts: Mapping[str, str]) -> Choices:
        """Return choices as people write them, or raise `InvalidInputError`."""
        wrong = next((text for text in texts.values() if text not in set(Whose)), None)
        if wrong is not None:
            raise InvalidInputError(
                f"{wrong!r} is no choice for a path that others changed too",
                hint="Choose 'mine' or 'theirs'",
            )
        return cls({parse_path(path): Whose(text) for path, text in texts.items()})

    def at(self, path: RepoPath) -> Whose | None:
        """Return whose version of a path is wanted; None where nothing was said about it."""
        place = path
        while place not in self.by_path:
            if place == ROOT:
                return None
            place = parent_of(place)
        return self.by_path[place]

    def is_below(self, path: RepoPath, whose: Whose) -> bool:
        """Tell whether that is wanted of something below a path."""
        return any(
            one is whose and place != path and is_within(place, path)
            for place, one in self.by_path.items()
        )


NO_CHOICES = Choices()


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
