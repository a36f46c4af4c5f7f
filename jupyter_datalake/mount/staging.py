"""Staging the files of a checkout: by the portion, as they are while nobody writes to them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

from jupyter_datalake.engine.session import Session
from jupyter_datalake.errors import StateError
from jupyter_datalake.model.paths import path_key
from jupyter_datalake.mount.clean_files import Notes
from jupyter_datalake.mount.scanning import LocalFile

PORTION = 10_000
"""Files that are staged together: of so many more than the path is in memory."""
_TRIES = 3


def stage_files(session: Session, files: Sequence[LocalFile], staged: Notes) -> None:
    """Put files into the session, and again those that were written to meanwhile; note all."""
    waiting = files
    taken: dict[bytes, tuple[os.stat_result, int]] = {}
    for _ in range(_TRIES):
        waiting = [replace(file, status=os.lstat(file.raw_place)) for file in waiting]
        began_ns = time.time_ns()
        session.put_files((file.path, file.place) for file in waiting)
        taken |= {path_key(file.path): (file.status, began_ns) for file in waiting}
        waiting = [file for file in waiting if _was_written(file)]
        if not waiting:
            break
    else:
        raise StateError(
            f"{waiting[0].path} is being written to",
            hint="Try again when whoever writes it is done; nothing was committed",
            path=waiting[0].path,
        )
    for key, (status, began_ns) in taken.items():
        staged.add(key, status, began_ns)


def _was_written(file: LocalFile) -> bool:
    """Tell whether a file was written to since it was looked at."""
    now, then = os.lstat(file.raw_place), file.status
    return (now.st_mtime_ns, now.st_size) != (then.st_mtime_ns, then.st_size)
