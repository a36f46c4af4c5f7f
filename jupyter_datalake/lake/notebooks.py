"""A writable folder for one notebook: ``jupyter_datalake.session("raw")``.

Two notebooks that work on one branch see each other's files in the usual folder, and whoever
commits commits both. In a folder of its own each stages and commits for itself; what the other
committed meanwhile comes in, or is a conflict that names the paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path, PurePath

from jupyter_datalake import environment
from jupyter_datalake.errors import ErrorKind, InvalidInputError, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.sessions import SessionInfo

_MAX_NAME = 60


def session(
    repo: str, branch: str = DEFAULT_BRANCH, *, notebook: str | None = None, at: str | None = None
) -> Path:
    """Return a writable folder that shows a branch to one notebook; asked again, the same one.

    Usage::

        import jupyter_datalake as dl

        raw = dl.session("raw")
        (raw / "notes.txt").write_text("mine until I commit it")

    Parameters
    ----------
    notebook
        Path of the notebook; that which this kernel was started for, by default.
    at
        The mount point; as of `lake.mounts.create`.

    Raises
    ------
    InvalidInputError
        This is no kernel of a notebook, and none was named.
    StateError
        What is mounted there has no folders (the drive).
    """
    found = notebook or environment.notebook()
    if found is None:
        raise InvalidInputError(
            "It is not known which notebook this is",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Name it: session(repo, notebook='work/a.ipynb')",
        )
    with Lake.open() as lake:
        sessions = [one for one in lake.sessions.list(repo) if one.branch == branch]
        own = next((one for one in sessions if one.notebook == found), None)
        for mount in lake.mounts.list():
            if own is not None and mount.session_id == own.id and at in {None, mount.mountpoint}:
                return Path(mount.path)
        name = _name_for(found, sessions) if own is None or own.name is None else own.name
        made = lake.mounts.create(repo, branch, session=name, notebook=found, at=at)
        points = {point.path: point for point in lake.mounts.list_mountpoints()}
        if points[made.mountpoint].mode is MountMode.DRIVE:
            raise StateError(
                f"{made.name} is in the drive, which has no folders on this machine's disk",
                hint="Use the paths of the drive, or mount in another mode: --mode checkout",
                mount=made.name,
            )
        return Path(made.path)


def _name_for(notebook: str, sessions: Iterable[SessionInfo]) -> str:
    """Return a session's name after a notebook's; two notebooks may have one file name."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePath(notebook).stem).strip("-.")[:_MAX_NAME]
    name = stem or "notebook"
    if all(one.name != name for one in sessions):
        return name
    return f"{name}-{blake2b(notebook.encode(), digest_size=4).hexdigest()}"
