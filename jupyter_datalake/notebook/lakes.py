"""The lake that magics, completions and widgets of this kernel use."""

from __future__ import annotations

import os

from jupyter_datalake import environment
from jupyter_datalake.lake.lake import Lake

_open: dict[tuple[int, str], Lake] = {}


def kernel_lake() -> Lake:
    """Return the lake that the environment names now, opened once for this process."""
    key = (os.getpid(), environment.lake_url())
    if key not in _open:
        _open[key] = Lake.open()
    return _open[key]


def close_lakes() -> None:
    """Close what was opened."""
    while _open:
        (pid, _), lake = _open.popitem()
        if pid == os.getpid():  # a parent's connections are the parent's
            lake.close()
