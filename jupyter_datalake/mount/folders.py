"""Ordinary folders of checkouts: writing, protecting and removing them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from jupyter_datalake.engine.session import Session
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.mount.scanning import is_empty

_COPY_BYTES = 1 << 20
_READ_ONLY_FOLDER = 0o555


def write_staged(session: Session, folder: Path) -> None:
    """Make a folder with a session's base in it show what is staged as well."""
    for change in session.diff():
        place = folder / change.path
        if change.old is not None and os.path.lexists(place):
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            else:
                place.unlink()
        if change.new is not None:
            _write_staged_file(session, change.new, place)
    for found, _, _ in os.walk(folder, topdown=False):
        place = Path(found)
        path = RepoPath(os.path.relpath(found, folder))
        if place != folder and is_empty(place) and session.find(path) is None:
            place.rmdir()


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
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(0o444 | (path.stat().st_mode & 0o111))
        Path(place).chmod(_READ_ONLY_FOLDER)


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, read-only or not; nothing, where nothing is."""
    if os.path.lexists(folder):
        for place, _, _ in os.walk(folder):
            os.chmod(place, 0o700)
        shutil.rmtree(folder)
