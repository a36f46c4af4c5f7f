"""Reopening: a datum's folder once more, for a person to work in, and what was mended there.

The folder is what the datum's code saw: the code, the inputs below ``pfs``, and an empty
``pfs/out``. Where the pipeline's `paths` go up, it lies as deep in a folder of its own as in the
job, so that what the code looks for beside it is there. The notebook is the executed one, with its
outputs up to the cell that failed, so it can be gone on with by hand; what is published of it later
is the notebook alone, without what belongs to this datum.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.engine.exporting import translated_errors
from jupyter_datalake.environment import URL_VARIABLE, uv_environment
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    MountError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.jobs.environment_cache import FOLDER, EnvironmentCache, wanted_in
from jupyter_datalake.jobs.environment_kernels import (
    PREFIX,
    install_kept_kernel,
    install_kernel,
    remove_unused,
)
from jupyter_datalake.jobs.kept_kernels import KeptKernel
from jupyter_datalake.jobs.notebooks import parse_notebook
from jupyter_datalake.jobs.papermill_engine import with_parameters
from jupyter_datalake.jobs.reopened_folder import RECORD, SHOWN
from jupyter_datalake.jobs.runner import (
    address_variables,
    datum_variables,
    notebook_parameters,
    shown_to,
)
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.jobs.workspace import INPUTS, Workspace
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.environments import Wanted
from jupyter_datalake.model.executed_cells import ERROR_MARK, PARAMETERS_MARK
from jupyter_datalake.model.paths import ROOT
from jupyter_datalake.model.pipelines import CommandCode, NotebookCode
from jupyter_datalake.model.shown_branches import shown_as_text
from jupyter_datalake.model.shown_paths import folders_up

SCRIPT = "datum.sh"
"""Runs a command as the job ran it."""

_KERNEL = "datalake_kernelspec"
"""What the notebook said of its kernel before."""
_LINKS = ".datalake-lazy"


@dataclass(frozen=True, slots=True)
class Reopened:
    """A datum's folder that a person works in."""

    folder: str
    """Where the code works: what was asked for, or a folder below it where `paths` go up."""
    job_id: str
    position: int
    """Of the datum."""
    pipeline: str
    pipeline_version: int
    notebook: str | None
    """Below the folder; None for a command."""
    failed_cell: int | None
    """Index among all cells of the one that failed; None if none did."""
    kernel: KeptKernel | None = None
    """In which that cell failed, where it is kept: what the cells above made is there."""


def reopen(
    core: LakeCore,
    task: DatumTask,
    version: int,
    executed: bytes | None,
    folder: Path,
    *,
    mountpoint: Path | None = None,
    kept: KeptKernel | None = None,
) -> Reopened:
    """Make the folder of a datum anew, with copies of its inputs.

    Where the pipeline has an environment of its own, that is built if it is not there, and the
    notebook names a kernel of it, which is there as long as the folder; see `environment_kernels`.

    Parameters
    ----------
    version
        Of the pipeline.
    executed
        The executed notebook; None if there is none.
    folder
        Must not exist, or be empty. It appears whole or not at all.
    mountpoint
        Where commits are mounted: lazy inputs are links to there, and copies without it.
    kept
        The kernel in which the datum failed, which the notebook names then.

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
    place = Workspace.at(folder.with_name(f".{folder.name}.{new_id()[:8]}"), task.spec)
    goes_up = any(map(folders_up, task.spec.paths))
    working = folder / place.run.relative_to(place.folder) if goes_up else folder
    try:
        with translated_errors(folder):
            lazy = None if mountpoint is None else LinkedInputs(mountpoint, place.run)
            place.prepare(
                lambda commit_id: core.snapshot(commit_by_id(core, commit_id)), task, lazy
            )
            own = _own_environment(core, place.run)
            notebook, failed = None, None
            if isinstance(code, NotebookCode):
                notebook = code.path
                kernel = None
                if own is not None:
                    kernel = _own_kernel(core, own, task.spec.name, working)
                elif kept is not None:
                    kernel = _kept_kernel(core, kept, working)
                failed = _write_notebook(place.run / notebook, task, executed, kernel)
            else:
                variables = address_variables(task, working / INPUTS)
                if own is not None:
                    variables["VIRTUAL_ENV"] = str(_place_of(core, own))
                _write_script(place.run / SCRIPT, code.argv, task, variables)
            reopened = Reopened(
                str(working),
                task.job_id,
                task.position,
                task.spec.name,
                version,
                notebook,
                failed,
                kept,
            )
            told = asdict(reopened).items()
            record = {key: value for key, value in told if key not in {"folder", "kernel"}}
            record[SHOWN] = shown_as_text(shown_to(task, Path(INPUTS)))
            (place.run / RECORD).write_text(json.dumps(record, indent=2))
            shutil.rmtree(place.artifacts)
            (place.folder if goes_up else place.run).rename(folder)
    finally:
        shutil.rmtree(place.folder, ignore_errors=True)
    return reopened


class LinkedInputs:
    """Shows lazy inputs as links to where commits are mounted; see `jobs.lazy.LazyInputs`.

    Of single files and folders of a commit there are links in a folder of their own.
    """

    def __init__(self, mountpoint: Path, run: Path) -> None:
        self._mountpoint = mountpoint
        self._run = run

    def show(self, task: DatumTask, given: Sequence[DatumInput], notes: Path) -> Path:
        """Return what an input's folder leads to."""
        del task, notes
        first = given[0]
        commit = self._mountpoint / f"{first.repo}@{first.commit_id}"
        try:
            for one in given:
                os.stat(commit / one.path)
        except OSError as error:
            raise MountError(
                f"{str(commit)!r} does not show it: {error.strerror}",
                kind=ErrorKind.FUSE_UNAVAILABLE,
            ) from error
        if [one.path for one in given] == [ROOT]:
            return commit
        links = self._run / _LINKS / first.name
        for one in given:
            link = links / one.path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(commit / one.path)
        return Path(os.pardir, _LINKS, first.name)


def sweep_kernels(core: LakeCore) -> None:
    """Remove the kernels of reopened datums whose folders are gone."""
    remove_unused(core.work_folder, lambda folder: (folder / RECORD).is_file())


def _own_environment(core: LakeCore, code: Path) -> Wanted | None:
    """Return the environment that code wants for itself, built; None where it wants none."""
    wanted = wanted_in(code)
    if wanted is not None:
        with _environments(core).use(wanted):
            return wanted
    return None


def _own_kernel(core: LakeCore, wanted: Wanted, pipeline: str, folder: Path) -> dict[str, str]:
    sweep_kernels(core)
    title = f"Python {wanted.python} of {pipeline}"
    return install_kernel(core.work_folder, core.work_folder / FOLDER, wanted, title, folder)


def _kept_kernel(core: LakeCore, kept: KeptKernel, folder: Path) -> dict[str, str]:
    sweep_kernels(core)
    return install_kept_kernel(core.work_folder, kept, folder)


def _place_of(core: LakeCore, wanted: Wanted) -> Path:
    return core.work_folder / FOLDER / wanted.name


def _environments(core: LakeCore) -> EnvironmentCache:
    return EnvironmentCache(core.work_folder / FOLDER, uv_environment())


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
        raw.pop(SHOWN, None)
        return Reopened(folder=str(folder), **raw)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PathNotFoundError(
            f"{str(folder)!r} is no folder of a reopened datum",
            hint="Make one: datalake jobs reopen JOB",
            path=str(folder),
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"{str(folder / RECORD)!r} is damaged: {error}", path=str(folder / RECORD)
        ) from error


def without_traces(data: bytes) -> bytes:
    """Return a notebook without parameters of one datum, outputs, and what papermill noted."""
    node = _read(data)
    node.cells = [
        cell
        for cell in node.cells
        if not {PARAMETERS_MARK, ERROR_MARK} & set(cell.metadata.get("tags", []))
    ]
    node.metadata.pop("papermill", None)
    kernel = node.metadata.pop(_KERNEL, None)
    if kernel is not None and _names_own_kernel(node):
        node.metadata.pop("kernelspec")
        node.metadata.update({"kernelspec": kernel} if kernel else {})
    for cell in node.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return _bytes(node)


def _names_own_kernel(node: Any) -> bool:
    return str(node.metadata.get("kernelspec", {}).get("name", "")).startswith(PREFIX)


def _write_notebook(
    place: Path, task: DatumTask, executed: bytes | None, kernel: dict[str, str] | None
) -> int | None:
    """Write the notebook to work in; return the index of the cell that failed, or None."""
    if executed is None:
        language = parse_notebook(place.read_bytes(), place.name).language
        parameters = notebook_parameters(task)
        executed = with_parameters(place, parameters, task.spec.kernel, language)
    node = _read(executed)
    if kernel is not None:
        node.metadata[_KERNEL] = node.metadata.get("kernelspec", {})
        node.metadata["kernelspec"] = kernel
    node.cells = [cell for cell in node.cells if ERROR_MARK not in cell.metadata.get("tags", [])]
    place.write_bytes(_bytes(node))
    return next((index for index, cell in enumerate(node.cells) if _has_failed(cell)), None)


def _has_failed(cell: Any) -> bool:
    return any(one.output_type == "error" for one in cell.get("outputs", []))


def _write_script(
    place: Path, argv: tuple[str, ...], task: DatumTask, more: dict[str, str]
) -> None:
    variables = sorted({**datum_variables(task), **more}.items())
    lines = ["#!/bin/sh", "# Runs the command as the job ran it, with what is in this folder."]
    lines += ['cd "$(dirname "$0")" || exit']
    # Else addresses would lead to the lake of who runs it; what the pipeline sets is set below.
    lines += [f"unset {URL_VARIABLE}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables]
    lines += ['export PATH="$VIRTUAL_ENV/bin:$PATH"'] if "VIRTUAL_ENV" in more else []
    lines += [f"exec {shlex.join(argv)}", ""]
    place.write_text("\n".join(lines))
    place.chmod(0o755)


def _read(data: bytes) -> Any:
    return nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]


def _bytes(node: Any) -> bytes:
    text: str = nbformat.writes(node)  # type: ignore[no-untyped-call]
    return f"{text}\n".encode()
