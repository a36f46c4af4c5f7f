"""Files as people and programs see them in a listing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.paths import RepoPath, name_of


class FileKind(StrEnum):
    """Kinds of things in a folder."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file, folder or symlink at one commit."""

    path: RepoPath
    kind: FileKind
    size_bytes: int
    """A folder's size is that of everything below it."""
    mode: int
    mtime_ns: int
    """0 for a folder: folders carry no time of their own."""
    digest: Digest | None
    """Name of the content; None for a folder."""
    file_count: int = 1
    """Entries below a folder; 1 for anything else."""
    target: str | None = None
    """Where a symlink points; never followed by the lake."""

    @property
    def name(self) -> str:
        """The last component of the path."""
        return name_of(self.path)


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A link by which whoever has it may download one file for some time."""

    path: RepoPath
    url: str
    expires_at: datetime
    """Earlier where the credentials that signed it end earlier."""
    size_bytes: int
