"""Cells of an executed notebook: how far it is, and where it failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ERROR_MARK = "papermill-error-cell-tag"
"""Tag of the cells that papermill puts into a notebook in which a cell has failed."""


class CellState(StrEnum):
    """Where a cell of a notebook that runs is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExecutedCell:
    """One code cell of an executed notebook."""

    index: int
    """Among all cells of the notebook that was run, from 0."""
    state: CellState
    title: str
    """Its first line that says something."""
    seconds: float | None
    """How long it took; None while it runs, and before."""
    error: str
    """What it raised, on one line; empty where it did not."""
    traceback: str
    """The end of it, as plain text."""
