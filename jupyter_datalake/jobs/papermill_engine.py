"""Running notebooks: the only file that imports papermill; its errors become ours."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import execute_notebook

from jupyter_datalake.errors import ErrorKind, JobFailedError
from jupyter_datalake.jobs.workspace import CappedLog

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_KERNEL_START_S = 120
_MAX_MESSAGE = 500


def run_notebook(
    notebook: Path,
    executed: Path,
    *,
    parameters: dict[str, Any],
    kernel: str,
    language: str,
    folder: Path,
    environment: dict[str, str],
    log: CappedLog,
) -> None:
    """Run a notebook in a kernel of its own and keep the executed copy, also when it fails.

    Parameters
    ----------
    language
        Of the kernel, for writing the parameters down.
    executed
        Where the executed copy goes; written after every cell.
    folder
        The kernel's working directory.
    environment
        Everything the kernel's environment holds besides that of this process.

    Raises
    ------
    JobFailedError
        A cell raised (``datum-failed``), or the kernel died (``kernel-died``).
    """
    with _environment(environment), _logged(log):
        try:
            execute_notebook(  # type: ignore[no-untyped-call]
                str(notebook),
                str(executed),
                parameters=parameters,
                kernel_name=kernel,
                language=language,
                cwd=str(folder),
                progress_bar=False,
                stdout_file=log,
                stderr_file=log,
                start_timeout=_KERNEL_START_S,
            )
        except PapermillExecutionError as error:
            where = f"cell {error.cell_index + 1} (In [{error.exec_count}])"
            log.line(f"{where} failed:")
            log.write(_ANSI.sub("", "\n".join(error.traceback)) + "\n")
            raise JobFailedError(
                f"{notebook.name}, {where}: {error.ename}: {_short(error.evalue)}",
                kind=ErrorKind.DATUM_FAILED,
                hint="The executed notebook and the log show more",
            ) from error
        except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
            where = last_begun_cell(executed)
            log.line(f"the kernel died {where}: {error}")
            raise JobFailedError(
                f"{notebook.name}: the kernel died {where}",
                kind=ErrorKind.KERNEL_DIED,
                hint="It ran out of memory, was killed, or a library crashed",
            ) from error
        except (PapermillException, nbformat.ValidationError, ValueError) as error:
            raise JobFailedError(
                f"{notebook.name} cannot be run: {_short(str(error))}",
                kind=ErrorKind.INVALID_NOTEBOOK,
            ) from error


def last_begun_cell(executed: Path) -> str:
    """Return which cell of a saved notebook was the last that began."""
    try:
        node = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        return "before its first cell"
    begun = [
        index
        for index, cell in enumerate(node.cells)
        if cell.metadata.get("papermill", {}).get("start_time")
    ]
    return f"in cell {begun[-1] + 1}" if begun else "before its first cell"


def _short(text: str) -> str:
    plain = " ".join(_ANSI.sub("", text).split())
    return plain if len(plain) <= _MAX_MESSAGE else plain[: _MAX_MESSAGE - 1] + "…"


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Give this process the datum's variables; its kernel inherits them. One datum at a time."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _logged(log: CappedLog) -> Iterator[None]:
    """Send papermill's own warnings, such as an unknown parameter, to the datum's log."""
    handler = logging.StreamHandler(log)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("[papermill] %(message)s"))
    logger = logging.getLogger("papermill")
    propagates = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
