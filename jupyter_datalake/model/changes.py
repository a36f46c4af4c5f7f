"""Changes between two trees: what a diff, a status and a conflict are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.paths import RepoPath


class ChangeKind(StrEnum):
    """What happened to a path."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"
    RENAMED = "renamed"
    """A file or a whole folder is at another path; only where renames are looked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between an older and a newer tree.

    What was renamed is at `path` now, and was at ``old.path``.
    """

    path: RepoPath
    kind: ChangeKind
    old: FileInfo | None
    new: FileInfo | None
    """Its digest is None while the content is staged and has not been read yet."""
    similarity: float | None = None
    """Of what was renamed, the share of bytes that both have: 1.0 for equal contents."""

    @property
    def size_change_bytes(self) -> int:
        """By how many bytes the path grew; negative when it shrank or went away."""
        return (self.new.size_bytes if self.new else 0) - (self.old.size_bytes if self.old else 0)


def change_of(path: RepoPath, old: FileInfo | None, new: FileInfo | None) -> Change:
    """Return the change from `old` to `new`, of which one at least is there."""
    if old is None:
        return Change(path, ChangeKind.ADDED, old, new)
    if new is None:
        return Change(path, ChangeKind.REMOVED, old, new)
    return Change(path, ChangeKind.MODIFIED, old, new)


def renamed(old: FileInfo, new: FileInfo, similarity: float) -> Change:
    """Return the change of something that is at another path now."""
    return Change(new.path, ChangeKind.RENAMED, old, new, similarity)


@dataclass(frozen=True, slots=True)
class ChangedChild:
    """A child of a folder, at or below which something is staged."""

    name: str
    kind: ChangeKind
    """What became of the child itself: a folder in which something changed is modified."""
    count: int
    """How many paths at and below it changed."""
    is_conflict: bool
    """Whether others changed one of these paths since, so that a commit is refused."""
