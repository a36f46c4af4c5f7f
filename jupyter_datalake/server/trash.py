"""Lets the file browser delete mounted files, for which no system has a trash."""

from __future__ import annotations

import asyncio
import os
import posixpath
import shutil
import stat
from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
from tornado.web import HTTPError


def bypass(manager: Any, below: str, mountpoint: str) -> None:
    """Let files below a mount point be deleted at once; others go where they went.

    The trash of a mounted file would be a folder beside the repos, which a lake has not. The
    last commit still holds the file. Managers of other things than files are left as they are.

    Parameters
    ----------
    manager
        The server's contents manager.
    below
        The mount point in terms of the contents manager.
    mountpoint
        The same as a path of the system.
    """
    if not isinstance(manager, AsyncFileContentsManager):
        return
    usual: Callable[[str], Awaitable[None]] = manager.delete_file

    async def delete_file(path: str) -> None:
        place = posixpath.normpath(path.strip("/"))
        if place.startswith(f"{below}/") and await asyncio.to_thread(os.path.ismount, mountpoint):
            await asyncio.to_thread(_delete, os.path.join(mountpoint, place[len(below) + 1 :]))
        else:
            await usual(path)

    # An attribute of the one object: whichever class the server is configured with stays.
    manager.delete_file = delete_file  # type: ignore[method-assign]


def _delete(path: str) -> None:
    name = os.path.basename(path)
    try:
        # Root is held back by no permission, so they are looked at.
        if not stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) & stat.S_IWUSR:
            raise HTTPError(403, f"{name} cannot be deleted here: it is mounted, or read-only")
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError as error:
        raise HTTPError(404, f"File or directory does not exist: {name}") from error
    except OSError as error:
        raise HTTPError(403, f"{name} cannot be deleted: {error.strerror}") from error
