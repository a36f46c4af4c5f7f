"""Reopening: a datum's folder once more, for a person to work in, and what was mended there.

The folder is what the datum's code saw: the code, the inputs below ``pfs``, and an empty
``pfs/out``. The notebook is the executed one, with its outputs up to the cell that failed, so it
can be gone on with by hand; what is published of it later is the notebook alone, without what
belongs to this datum.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.engine.exporting import translated_errors
from jupyter_datalake.errors import (
    AlreadyExistsError,
    InvalidInputError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.jobs.notebooks import parse_notebook
from jupyter_datalake.jobs.papermill_engine import with_parameters
from jupyter_datalake.jobs.runner import datum_variables, notebook_parameters
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.jobs.workspace import Workspace
from jupyter_datalake.model.pipelines import CommandCode, NotebookCode

RECORD = ".datalake-datum.json"
"""Says in the folder what it is."""
SCRIPT = "datum.sh"
"""Runs a command as the job ran it."""

_INJECTED = "injected-parameters"
_MARKER = "papermill-error-cell-tag"


@dataclass(frozen=True, slots=True)
class Reopened:
    """A datum's folder that a person works in."""

    folder: str
    job_id: str
    position: int
    """Of the datum."""
    pipeline: str
    pipeline_version: int
    notebook: str | None
    """Below the folder; None for a command."""
    failed_cell: int | None
    """Index among all cells of the one that failed; None if none did."""


def reopen(
    core: LakeCore, task: DatumTask, version: int, executed: bytes | None, folder: Path
) -> Reopened:
    """Make the folder of a datum anew, with copies of its inputs.

    Parameters
    ----------
    version
        Of the pipeline.
    executed
        The executed notebook; None if there is none.
    folder
        Must not exist, or be empty. It appears whole or not at all.

    Raises
    ------
    AlreadyExistsError
        There is something at `folder`.
    StateError
        The pipeline runs a query: it has no folder.
    StorageError
        The disk is full.
    """
    code = task.spec.code
    if not isinstance(code, NotebookCode | CommandCode):
        raise StateError(
            f"Pipeline {task.spec.name!r} runs a query, which has no folder to work in",
            hint="'datalake warehouse query' runs it by hand",
        )
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if os.path.lexists(folder):
        raise AlreadyExistsError(
            f"There is something at {str(folder)!r} already",
            hint="Work there, remove it, or choose another folder",
            path=str(folder),
        )
    place = Workspace(folder.with_name(f".{folder.name}.{new_id()[:8]}"))
    try:
        with translated_errors(folder):
            place.prepare(lambda commit_id: core.snapshot(commit_by_id(core, commit_id)), task)
            notebook, failed = None, None
            if isinstance(code, NotebookCode):
                notebook = code.path
                failed = _write_notebook(place.run / notebook, task, executed)
            else:
                _write_script(place.run / SCRIPT, code.argv, task)
            reopened = Reopened(
                str(folder),
                task.job_id,
                task.position,
                task.spec.name,
                version,
                notebook,
                failed,
            )
            record = {key: value for key, value in asdict(reopened).items() if key != "folder"}
            (place.run / RECORD).write_text(json.dumps(record, indent=2))
            place.run.rename(folder)
    finally:
        shutil.rmtree(place.folder, ignore_errors=True)
    return reopened


def read_record(folder: Path) -> Reopened:
    """Return what a folder that `reopen` made says of itself.

    Raises
    ------
    PathNotFoundError
        It is no such folder.
    InvalidInputError
        Its record was damaged.
    """
    try:
        raw = json.loads((folder / RECORD).read_text())
        return Reopened(folder=str(folder), **raw)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PathNotFoundError(
            f"{str(folder)!r} is no folder of a reopened datum",
            hint="Make one: datalake jobs reopen JOB",
            path=str(folder),
        ) from error
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"{str(folder / RECORD)!r} is damaged: {error}", path=str(folder / RECORD)
        ) from error


def without_traces(data: bytes) -> bytes:
    """Return a notebook without parameters of one datum, outputs, and what papermill noted."""
    node = _read(data)
    node.cells = [
        cell for cell in node.cells if not {_INJECTED, _MARKER} & set(cell.metadata.get("tags", []))
    ]
    node.metadata.pop("papermill", None)
    for cell in node.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return _bytes(node)


def _write_notebook(place: Path, task: DatumTask, executed: bytes | None) -> int | None:
    """Write the notebook to work in; return the index of the cell that failed, or None."""
    if executed is None:
        language = parse_notebook(place.read_bytes(), place.name).language
        parameters = notebook_parameters(task)
        place.write_bytes(with_parameters(place, parameters, task.spec.kernel, language))
        return None
    node = _read(executed)
    node.cells = [cell for cell in node.cells if _MARKER not in cell.metadata.get("tags", [])]
    place.write_bytes(_bytes(node))
    return next((index for index, cell in enumerate(node.cells) if _has_failed(cell)), None)


def _has_failed(cell: Any) -> bool:
    return any(one.output_type == "error" for one in cell.get("outputs", []))


def _write_script(place: Path, argv: tuple[str, ...], task: DatumTask) -> None:
    variables = sorted(datum_variables(task).items())
    lines = ["#!/bin/sh", "# Runs the command as the job ran it, with what is in this folder."]
    lines += ['cd "$(dirname "$0")" || exit']
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables]
    lines += [f"exec {shlex.join(argv)}", ""]
    place.write_text("\n".join(lines))
    place.chmod(0o755)


def _read(data: bytes) -> Any:
    return nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]


def _bytes(node: Any) -> bytes:
    text: str = nbformat.writes(node)  # type: ignore[no-untyped-call]
    return f"{text}\n".encode()
