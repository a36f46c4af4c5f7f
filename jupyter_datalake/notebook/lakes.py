"""The lake that magics, completions and widgets of this kernel use."""

from __future__ import annotations

import os

from jupyter_datalake.lake.default_lake import default_url
from jupyter_datalake.lake.lake import Lake

_open: dict[tuple[int, str], Lake] = {}


def kernel_lake() -> Lake:
    """Return the lake that the environment names now, opened once for this process.

    Raises
    ------
    PermissionDeniedError
        This is the code of a job.
    """
    key = (os.getpid(), default_url())
    if key not in _open:
        _open[key] = Lake.open(key[1])
    return _open[key]


def close_lakes() -> None:
    """Close what was opened."""
    while _open:
        (pid, _), lake = _open.popitem()
        if pid == os.getpid():  # a parent's connections are the parent's
            lake.close()
