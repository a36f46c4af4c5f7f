"""The kernel's part of observed lineage: which cell runs, and what it opens in checkouts.

A mount reads which cell runs from a file; `lake.recording` asks here.

``%load_ext jupyter_datalake`` in a notebook, or in every kernel of a user by
``c.InteractiveShellApp.extensions = ["jupyter_datalake"]`` in IPython's configuration. It costs one
small file for each cell that begins.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_datalake import environment

if TYPE_CHECKING:
    from jupyter_datalake.lake.kernel_opens import KernelOpens

_registered: list[CellFile] = []


def running() -> str | None:
    """Return the cell that this process runs, if it says so; for readers in the kernel itself."""
    return _registered[0].cell if _registered else None


class CellFile:
    """Says which cell this process runs, in a file named after its number."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}.json"
        self.cell: str | None = None
        """The cell that runs."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, info: Any) -> None:
        """Say that a cell begins; a console has none to name."""
        cell = getattr(info, "cell_id", None)
        if cell is None:
            self.end()
            return
        self.cell = str(cell)
        partial = self._path.with_suffix(".partial")
        with suppress(OSError):  # no lineage is worth a cell that does not run
            partial.write_text(json.dumps({"cell": self.cell}))
            partial.replace(self._path)

    def end(self, result: Any = None) -> None:
        """Say that no cell runs."""
        del result
        self.cell = None
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def load(shell: Any) -> None:
    """Begin to say which cell runs, and to hear what it opens; a second time changes nothing."""
    if not _registered:
        cells = CellFile(Path(environment.cells_folder()))
        shell.events.register("pre_run_cell", cells.begin)
        shell.events.register("post_run_cell", cells.end)
        _registered.append(cells)
        if environment.observes() is not False:
            _opens().begin()


def unload(shell: Any) -> None:
    """Say so no longer."""
    while _registered:
        cells = _registered.pop()
        shell.events.unregister("pre_run_cell", cells.begin)
        shell.events.unregister("post_run_cell", cells.end)
        cells.end()
        _opens().end()


@cache
def _opens() -> KernelOpens:
    """Return what hears the opens of this process; a lake costs a moment to import."""
    from jupyter_datalake.lake.kernel_opens import KernelOpens  # noqa: PLC0415

    return KernelOpens()
