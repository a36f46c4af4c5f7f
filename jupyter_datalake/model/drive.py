"""Files as the drive shows them: under the paths of a mount point, without its folder."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.paths import RepoPath, name_of

DRIVE_NAME = "lake"
"""What JupyterLab calls the drive: ``lake:raw/x.csv``."""


@dataclass(frozen=True, slots=True)
class DriveFile:
    """One file, folder or symlink of the drive."""

    path: RepoPath
    """With the name of the mount in front: ``raw/x.csv``, ``raw@v1/x.csv``; the root is empty."""
    kind: FileKind
    size_bytes: int
    """0 for a folder."""
    mode: int
    mtime_ns: int
    """That of the commit for a folder which has none; 0 above the repos."""
    is_writable: bool
    """Whether it, or what is in it, can be changed."""
    digest: Digest | None = None
    """Name of the content, where it is not a working file."""
    target: str | None = None
    """Where a symlink points; never followed."""
    repo: str | None = None
    """None for the folders above the repos, as are the following."""
    ref: str | None = None
    commit_id: CommitId | None = None
    """The commit that is shown, or that what is staged is relative to."""
    session_id: str | None = None
    """The session that takes the writes."""

    @property
    def name(self) -> str:
        """The last component of the path; empty for the root."""
        return name_of(self.path)
