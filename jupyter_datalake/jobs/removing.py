"""Removing the folders of datums: what programs left there, whatever it is.

A program may go on writing while its folder is removed, so every name is opened below the open
folder that it was found in, and no link is followed. `shutil.rmtree` does the same and asks the
system twice as often, which counts where a datum takes milliseconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is below it; what cannot be removed stays."""
    with suppress(FileNotFoundError):
        above = os.open(folder.parent, _FOLDER)
        try:
            _remove(folder.name, above)
        finally:
            os.close(above)


def _remove(name: str, above: int) -> None:
    try:
        place = os.open(name, _FOLDER, dir_fd=above)
    except OSError:
        return  # a link, gone by now, or not ours to read
    try:
        with os.scandir(place) as found:
            inside = [(one.name, one.is_dir(follow_symlinks=False)) for one in found]
        for below, is_folder in inside:
            if is_folder:
                _remove(below, place)
            else:
                _try(os.unlink, below, place)
    finally:
        os.close(place)
    _try(os.rmdir, name, above)


def _try(remove: Callable[..., None], name: str, above: int) -> None:
    try:
        remove(name, dir_fd=above)
    except OSError:
        return  # it stays, as what is not ours to remove does
