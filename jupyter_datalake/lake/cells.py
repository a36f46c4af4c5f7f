"""The kernel's part of observed lineage: which cell runs, said where a mount can read it.

``%load_ext jupyter_datalake`` in a notebook, or in every kernel of a user by
``c.InteractiveShellApp.extensions = ["jupyter_datalake"]`` in IPython's configuration. It costs one
small file for each cell that begins.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_datalake import environment

_registered: list[CellFile] = []


class CellFile:
    """Says which cell this process runs, in a file named after its number."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}.json"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, info: Any) -> None:
        """Say that a cell begins; a console has none to name."""
        cell = getattr(info, "cell_id", None)
        if cell is None:
            self.end()
            return
        partial = self._path.with_suffix(".partial")
        with suppress(OSError):  # no lineage is worth a cell that does not run
            partial.write_text(json.dumps({"cell": str(cell)}))
            partial.replace(self._path)

    def end(self, result: Any = None) -> None:
        """Say that no cell runs."""
        del result
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def load(shell: Any) -> None:
    """Begin to say which cell runs; a second time changes nothing."""
    if not _registered:
        cells = CellFile(Path(environment.cells_folder()))
        shell.events.register("pre_run_cell", cells.begin)
        shell.events.register("post_run_cell", cells.end)
        _registered.append(cells)


def unload(shell: Any) -> None:
    """Say so no longer."""
    while _registered:
        cells = _registered.pop()
        shell.events.unregister("pre_run_cell", cells.begin)
        shell.events.unregister("post_run_cell", cells.end)
        cells.end()
