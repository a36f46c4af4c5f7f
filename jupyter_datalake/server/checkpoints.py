"""Keeps the file browser's checkpoints of mounted files out of the repos."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.filecheckpoints import FileCheckpoints


def divert(checkpoints: Any, below: str, folder: Path) -> None:
    """Let checkpoints of files below a path be kept in a folder, not beside the files.

    JupyterLab makes one whenever a file is opened, which in a mounted repo would be a change
    that nobody made. Checkpoints that are not files are left as they are.

    Parameters
    ----------
    checkpoints
        Those of the server's contents manager.
    below
        A path in terms of the contents manager: with slashes, relative to its root.
    folder
        Is made when the first checkpoint is.
    """
    if not isinstance(checkpoints, FileCheckpoints):
        return
    beside: Callable[[str, str], str] = checkpoints.checkpoint_path

    def checkpoint_path(checkpoint_id: str, path: str) -> str:
        place = posixpath.normpath(path.strip("/"))
        if not place.startswith(f"{below}/"):
            return beside(checkpoint_id, path)
        stem, suffix = posixpath.splitext(place)
        target = folder / f"{stem}-{checkpoint_id}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        return str(target)

    # An attribute of the one object: whichever class the server is configured with stays.
    checkpoints.checkpoint_path = checkpoint_path  # type: ignore[method-assign]
