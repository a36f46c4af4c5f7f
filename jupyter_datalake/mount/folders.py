"""Ordinary folders of checkouts: writing and protecting them."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from jupyter_datalake.engine.session import Session
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import path_from_bytes
from jupyter_datalake.mount.listing import walk_up
from jupyter_datalake.mount.scanning import is_empty

_COPY_BYTES = 1 << 20
_READ_ONLY_FOLDER = 0o555


def write_staged(session: Session, folder: Path) -> None:
    """Make a folder with a session's base in it show what is staged as well."""
    for change in session.diff():  # all of it before anything is written, which may take its place
        place = folder / change.path
        if change.old is not None and os.path.lexists(place):
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            else:
                place.unlink()
    _remove_emptied(session, folder)
    for change in session.diff():
        if change.new is not None:
            _write_staged_file(session, change.new, folder / change.path)


def _remove_emptied(session: Session, folder: Path) -> None:
    """Remove the folders in which nothing is left and that are not staged as empty ones."""
    root = os.fsencode(folder)
    for place, is_folder in walk_up(root):
        if is_folder and is_empty(Path(os.fsdecode(place))):
            found = session.find(path_from_bytes(os.path.relpath(place, root)))
            if found is None or found.kind is not FileKind.FOLDER:
                os.rmdir(place)


def _write_staged_file(session: Session, info: FileInfo, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if info.kind is FileKind.FOLDER:
        place.mkdir(exist_ok=True)
    elif info.kind is FileKind.SYMLINK:
        os.symlink(info.target or "", place)
    else:
        with session.open(info.path) as source, open(place, "xb") as target:
            shutil.copyfileobj(source, target, _COPY_BYTES)
            os.fchmod(target.fileno(), info.mode)
        os.utime(place, ns=(info.mtime_ns, info.mtime_ns))


def make_read_only(folder: Path) -> None:
    """Take everybody's permission to write from a folder and everything in it."""
    for place, is_folder in walk_up(os.fsencode(folder)):
        mode = os.lstat(place).st_mode
        if is_folder:
            os.chmod(place, _READ_ONLY_FOLDER)
        elif not stat.S_ISLNK(mode):
            os.chmod(place, 0o444 | (mode & 0o111))
    folder.chmod(_READ_ONLY_FOLDER)
