"""What an executed notebook says of its cells, also while it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jupyter_datalake.model.executed_cells import CellState, ExecutedCell, own_cells

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_MAX_TITLE = 120
_MAX_ERROR = 500
_MAX_TRACEBACK = 8_000
_STATES = {"completed": CellState.DONE, "running": CellState.RUNNING, "failed": CellState.FAILED}


def cells_of(data: bytes) -> Iterator[ExecutedCell]:
    """Yield the code cells of an executed notebook; none of what is no notebook (yet).

    They are counted as in the pipeline's notebook: without what papermill puts in. The notebook is
    written anew while it runs, so what is read then may be cut short.
    """
    try:
        cells = [*json.loads(data)["cells"]]
    except (ValueError, TypeError, KeyError):
        return
    for index, cell in own_cells(cell for cell in cells if isinstance(cell, dict)):
        if cell.get("cell_type") == "code":
            yield _cell(index, cell)


def _cell(index: int | None, cell: dict[str, Any]) -> ExecutedCell:
    run = cell.get("metadata", {}).get("papermill", {})
    raised = next(
        (one for one in cell.get("outputs", []) if one.get("output_type") == "error"), None
    )
    state = _STATES.get(run.get("status", ""), CellState.WAITING)
    if raised is not None or run.get("exception"):
        state = CellState.FAILED
    return ExecutedCell(
        index,
        state,
        _title(_text(cell.get("source", ""))),
        run.get("duration"),
        "" if raised is None else _plain(f"{raised['ename']}: {raised['evalue']}")[:_MAX_ERROR],
        "" if raised is None else _plain("\n".join(raised["traceback"]))[-_MAX_TRACEBACK:],
    )


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _title(source: str) -> str:
    lines = (line.strip() for line in source.splitlines())
    return next((line for line in lines if line), "")[:_MAX_TITLE]


def _plain(text: str) -> str:
    return _ANSI.sub("", text)
