"""Cells of an executed notebook: how far it is, and where it failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

ERROR_MARK = "papermill-error-cell-tag"
"""Tag of the cells that papermill puts into a notebook in which a cell has failed."""
PARAMETERS_MARK = "injected-parameters"
"""Tag of the cell that sets the parameters of a run, which papermill puts in."""

_Cell = TypeVar("_Cell", bound=Mapping[str, Any])


def own_cells(executed: Iterable[_Cell]) -> Iterator[tuple[int | None, _Cell]]:
    """Yield the cells that were run, with their places in the notebook as its author knows it.

    They are counted from 0; the cell that sets the parameters has no place there. (Of a notebook
    that was published with such a cell, itself the output of a run, the cells behind it have one
    number less than they had there.)
    """
    index = 0
    for cell in executed:
        tags = cell.get("metadata", {}).get("tags", ())
        if PARAMETERS_MARK in tags:
            yield None, cell
        elif ERROR_MARK not in tags:
            yield index, cell
            index += 1


def name_of_cell(index: int | None) -> str:
    """Return what people call a cell: they count from 1."""
    return "the cell of the parameters" if index is None else f"cell {index + 1}"


class CellState(StrEnum):
    """Where a cell of a notebook that runs is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExecutedCell:
    """One code cell of an executed notebook."""

    index: int | None
    """Among all cells of the pipeline's notebook, from 0; None: the one that sets parameters."""
    state: CellState
    title: str
    """Its first line that says something."""
    seconds: float | None
    """How long it took; None while it runs, and before."""
    error: str
    """What it raised, on one line; empty where it did not."""
    traceback: str
    """The end of it, as plain text."""
