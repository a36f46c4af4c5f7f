"""Paths by which a job's code finds its inputs and output besides: their grammar."""

from __future__ import annotations

import posixpath

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.paths import parse_path

MAX_UP = 8
"""So many folders up a path may begin."""


def parse_shown(path: str) -> str:
    """Return a path relative to the working directory in its normal form.

    >>> parse_shown("./../lake//raw/")
    '../lake/raw'

    Raises
    ------
    InvalidInputError
        It is absolute, the working directory or above, is kept for the job, or goes up too far.
    """
    normal = posixpath.normpath(path)
    names = normal.split("/")
    up = names.count("..")
    below = "/".join(names[up:])
    if normal.startswith("/") or not path or below in {"", "."} or up > MAX_UP:
        raise InvalidInputError(
            f"{path!r} is no path below the working directory or a folder beside it",
            kind=ErrorKind.INVALID_PATH,
            hint=f"It is relative, names something, and goes up at most {MAX_UP} folders",
        )
    if up == 0 and names[0] == "pfs":
        raise InvalidInputError(
            f"{path!r} is in the folder of the inputs, which the job makes",
            kind=ErrorKind.INVALID_PATH,
        )
    parse_path(below)
    return normal


def parse_target(target: str) -> str:
    """Return what a path leads to: ``name`` or ``name/below``; with a slash behind, a folder.

    >>> parse_target("out/plots/")
    'out/plots/'
    """
    parse_path(target.rstrip("/"))
    if not target or target.startswith("/") or ".." in target.split("/"):
        raise InvalidInputError(
            f"{target!r} leads nowhere", kind=ErrorKind.INVALID_PATH, hint="Name an input or 'out'"
        )
    return target


def folders_up(path: str) -> int:
    """Return how many folders a path in its normal form goes up.

    >>> folders_up("../../lake/raw")
    2
    """
    return path.split("/").count("..")
