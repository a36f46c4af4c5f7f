"""Mount points and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jupyter_datalake.model.ids import CommitId


class MountMode(StrEnum):
    """By what means a folder shows the lake; the paths are the same in all of them."""

    FUSE = "fuse"
    """A file system in user space: lazy, writable, any ref by name."""
    CHECKOUT = "checkout"
    """Files materialised in an ordinary folder; written folders are scanned for changes."""
    DRIVE = "drive"
    """No folder: `lake.drive`, and what JupyterLab shows as the drive ``lake:``."""


class MountState(StrEnum):
    """How the process behind a mount point is doing."""

    STARTING = "starting"
    READY = "ready"
    STALE = "stale"
    """The process died; its supervisor or the next command brings it back."""
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Mountpoint:
    """One folder that shows repos, and the process that serves it."""

    path: str
    mode: MountMode
    state: MountState
    message: str
    """Why it failed, or what could be better; for people."""
    pid: int | None
    host: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a mount stands in the history of its branch."""

    commit_id: CommitId
    """The commit that is shown, or that what is staged is relative to."""
    branch: str
    """The branch it is compared with: its own, or the one that the commit was made on."""
    behind: int | None
    """How many commits the branch has that it does not show, at most `MAX_BEHIND`; None where the
    branch is gone."""


MAX_BEHIND = 1_000
"""Beyond it nobody counts."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One repo shown below a mount point."""

    mountpoint: str
    name: str
    """Name of the folder: the repo, or ``repo@ref``."""
    repo: str
    ref: str
    session_id: str | None
    """The session that takes the writes; None for a read-only view."""
    created_at: datetime
    created_by: str
    commit_id: CommitId | None = None
    """The commit it stays at; None for what follows a branch, and for a session."""
    standing: Standing | None = None
    """How far behind it is, where `lake.mounts` said so; None where what it shows is gone."""

    @property
    def is_writable(self) -> bool:
        """Whether files below it can be changed."""
        return self.session_id is not None

    @property
    def path(self) -> str:
        """The folder, absolute; in a drive, where it would be."""
        return f"{self.mountpoint}/{self.name}"
