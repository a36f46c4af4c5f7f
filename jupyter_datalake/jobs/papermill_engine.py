"""Running notebooks: the only file that imports papermill; its errors become ours."""

from __future__ import annotations

import asyncio
import atexit
import functools
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.iorw import LocalHandler, load_notebook_node, papermill_io
from papermill.log import logger
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from jupyter_datalake.errors import ErrorKind, JobFailedError
from jupyter_datalake.jobs.forked_notebooks import (
    ForkedKernelManager,
    Zygote,
    ZygoteError,
    birth_in,
    can_be_forked,
)
from jupyter_datalake.jobs.kernel_records import MAX_OUTPUT_BYTES
from jupyter_datalake.jobs.workspace import PART, CappedLog
from jupyter_datalake.jobs.zygote import SHADOWED
from jupyter_datalake.model.executed_cells import name_of_cell, own_cells

Keep = Callable[[ForkedKernelManager | None], bool]
"""Takes a kernel in which a cell has raised, None if it was not forked; tells if it lives on."""

FORKED = "datalake"
"""The name by which papermill knows `ForkedEngine`."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_KERNEL_START_S = 120
_LOOK_S = 0.2
_SAVING_SHARE = 0.1
"""Of the time of a notebook, at most, that it is written in while it runs."""
MAX_OUTPUTS = 10_000
"""Outputs that a notebook keeps."""
_MAX_MESSAGE = 500
# Addresses of sockets have 107 bytes on Linux and 103 on macOS.
_MAX_SOCKET_FOLDER = 80


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
    zygote: Zygote | None = None,
    keep: Keep | None = None,
) -> None:
    """Run a notebook in a kernel of its own and keep the executed copy, also when it fails.

    Parameters
    ----------
    language
        Of the kernel, for writing the parameters down.
    executed
        Where the executed copy goes; written while it runs, and at its end.
    folder
        The kernel's working directory.
    environment
        Everything the kernel's environment holds besides that of this process.
    zygote
        Where the kernel is forked, if it is one that can be; None starts any kernel.
    keep
        Given the kernel when a cell has raised, None if it was not forked; tells if it lives on.

    Raises
    ------
    JobFailedError
        A cell raised (``datum-failed``), or the kernel died (``kernel-died``). One that dies
        before the first cell is started once more: nothing of the notebook ran.
    """

    def execute() -> None:
        with _connection(language) as connection, _told_as_ours(notebook, executed, log):
            execute_notebook(
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
                config=connection,
                engine_name=FORKED,
                zygote=zygote,
                keep=keep,
            )

    _write_whole()
    with _environment(environment), _logged(log):
        try:
            execute()
        except JobFailedError as error:
            if error.kind is not ErrorKind.KERNEL_DIED or last_begun_cell(executed) is not None:
                raise
            execute()


def with_parameters(
    notebook: Path, parameters: dict[str, Any], kernel: str, language: str
) -> bytes:
    """Return a notebook with a cell that sets its parameters, as a run of it would have.

    Raises
    ------
    JobFailedError
        A parameter cannot be written in the language (``invalid-notebook``).
    """
    node = load_notebook_node(str(notebook))
    try:
        given = parameterize_notebook(
            node, parameters, kernel_name=kernel, language=language, engine_name=FORKED
        )
    except PapermillException as error:
        raise JobFailedError(
            f"The parameters cannot be written down in {language}: {_short(str(error))}",
            kind=ErrorKind.INVALID_NOTEBOOK,
        ) from error
    text: str = nbformat.writes(given)
    return text.encode()


@contextmanager
def _told_as_ours(notebook: Path, executed: Path, log: CappedLog) -> Iterator[None]:
    """Turn what ends a notebook into `JobFailedError`, and write it to the log."""
    try:
        yield
    except PapermillExecutionError as error:
        where = f"{_name_of_failed(executed, error)} (In [{error.exec_count}])"
        log.line(f"{where} failed:")
        log.write(_ANSI.sub("", "\n".join(error.traceback)) + "\n")
        raise JobFailedError(
            f"{notebook.name}, {where}: {error.ename}: {_short(error.evalue)}",
            kind=ErrorKind.DATUM_FAILED,
            hint="The executed notebook and the log show more",
        ) from error
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        cell = last_begun_cell(executed)
        where = "before its first cell" if cell is None else f"in {cell}"
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


class _WholeFiles(LocalHandler):
    """Writes notebooks so that whoever looks at one that runs never finds half of it."""

    def write(self, buf: str, path: str) -> None:
        """Put a file in the place of the one before."""
        part = f"{path}{PART}"
        super().write(buf, part)
        os.replace(part, path)


@functools.cache
def _write_whole() -> None:
    """Have papermill write whatever has a whole path so, in this process."""
    papermill_io.register("/", _WholeFiles())


class _CappedClient(PapermillNotebookClient):
    """papermill's client, which keeps no more outputs than fit into a notebook one can open."""

    def __init__(self, saving: _Saving, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._saving = saving
        self._bytes_left = MAX_OUTPUT_BYTES
        self._outputs_left = MAX_OUTPUTS

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Take a message of the kernel; an output that has no room is dropped."""
        if msg["msg_type"] in _OUTPUTS:
            had_room = self._has_room
            self._bytes_left -= _size_of(msg["content"])
            self._outputs_left -= 1
            if not self._has_room:
                if had_room:
                    self._tell(cell)
                return None
        return super().process_message(msg, cell, cell_index)

    async def async_execute_cell(self, *arguments: Any, **options: Any) -> Any:
        """Run a cell; one that takes its time is saved while it runs."""
        saving = self._saving
        saved = asyncio.get_running_loop().call_later(saving.pause_s, saving.try_to_save)
        try:
            return await super().async_execute_cell(*arguments, **options)
        finally:
            saved.cancel()

    execute_cell = run_sync(async_execute_cell)

    @property
    def _has_room(self) -> bool:
        return self._bytes_left >= 0 and self._outputs_left >= 0

    def _tell(self, cell: Any) -> None:
        text = (
            f"[the outputs end here: a notebook keeps {MAX_OUTPUT_BYTES >> 20} MiB of them, and"
            f" {MAX_OUTPUTS:,} at most]\n"
        )
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=text))
        log: Any = self.stderr_file
        if log is not None:
            log.write(text)


# Not errors: they say how the notebook ended.
_OUTPUTS = frozenset({"stream", "display_data", "execute_result", "update_display_data"})


def _size_of(value: Any) -> int:
    """Return about how much of a notebook file a value takes."""
    match value:
        case str():
            return len(value)
        case dict():
            return sum(len(key) + _size_of(one) for key, one in value.items())
        case list():
            return sum(map(_size_of, value))
    return 8


class ForkedEngine(NBClientEngine):
    """papermill's engine over forked kernels: ``papermill --engine datalake``.

    Everything but the start of the kernel, and a limit on outputs, is papermill's own. A kernel
    that cannot be forked is started by it, too.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *arguments: Any, **options: Any
    ) -> Any:
        """Run the cells; see papermill.

        The kernel is forked off the option ``zygote``. Without it, there is one for this process;
        None starts a kernel instead. The option ``keep`` is that of `run_notebook`.
        """
        saving = _Saving(nb_man)
        zygote = options.pop("zygote", _own_zygote)
        keep: Keep | None = options.pop("keep", None)
        manager = None
        if zygote is not None and is_forkable(kernel_name):
            cells = [cell.source for cell in nb_man.nb.cells if cell.cell_type == "code"]
            manager = ForkedKernelManager(
                _own_zygote() if zygote is _own_zygote else zygote, birth_in(Path.cwd(), cells)
            )
            try:
                manager.start_kernel()
            except ZygoteError as error:
                if error.why != SHADOWED:
                    raise
                manager = None
        known = _CLIENT_OPTIONS if manager is not None else {*_CLIENT_OPTIONS, "config"}
        client = _CappedClient(
            saving,
            nb_man,
            km=manager,
            kernel_name=kernel_name,
            timeout=options.get("execution_timeout") or options.get("timeout"),
            startup_timeout=options.get("start_timeout") or _KERNEL_START_S,
            log=logger,
            **{name: options[name] for name in known if name in options},
        )
        is_kept = False
        try:
            executed = client.execute()
            if keep is not None and any(map(_has_raised, executed.cells)):
                is_kept = (manager is None or manager.is_alive()) and keep(manager)
            saving.leave()
            return executed
        finally:
            if manager is not None and not is_kept:
                client._cleanup_kernel()


class _Saving:
    """When papermill saves a notebook: often enough for who looks at it while it runs.

    It would do so at the beginning and at the end of each cell; to write a notebook takes longer
    than to run a short cell, and the longer the more outputs it has. So it is saved when a cell
    has run for a while, between cells when it was not for a while, and at its end.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._save: Callable[[], None] = manager.save
        self._took_s = 0.0
        self._begin, self._complete = manager.cell_start, manager.cell_complete
        manager.cell_start, manager.cell_complete = self._cell_start, self._cell_complete

    @property
    def pause_s(self) -> float:
        """How long who looks may wait; a notebook that is slow to write is written less often."""
        return max(_LOOK_S, self._took_s / _SAVING_SHARE)

    def save(self) -> None:
        """Save the notebook as it is."""
        began = time.monotonic()
        self._save()
        self._took_s = time.monotonic() - began

    def try_to_save(self) -> None:
        """Save the notebook; where that fails, the save at its end will tell."""
        try:
            self.save()
        except OSError as error:
            logger.warning("The notebook could not be saved while it runs: %s", error)

    def leave(self) -> None:
        """Leave the last save to papermill, which writes what an engine hands back."""
        self._manager.save = _not_now

    def _cell_start(self, cell: Any, *arguments: Any, **options: Any) -> None:
        self._unsaved(self._begin, cell, *arguments, **options)
        unsaved = self._manager.now() - self._manager.last_save_time
        if unsaved.total_seconds() > self.pause_s:
            self.save()

    def _cell_complete(self, *arguments: Any, **options: Any) -> None:
        self._unsaved(self._complete, *arguments, **options)

    def _unsaved(self, act: Callable[..., None], *arguments: Any, **options: Any) -> None:
        self._manager.save = _not_now
        try:
            act(*arguments, **options)
        finally:
            self._manager.save = self._save


def _not_now(**_: Any) -> None:
    """Stand in for papermill's way to save, which is called for every cell."""


def _has_raised(cell: Any) -> bool:
    return bool(cell.metadata.get("papermill", {}).get("exception"))


_CLIENT_OPTIONS = ("log_output", "stdout_file", "stderr_file")
papermill_engines.register(FORKED, ForkedEngine)


@functools.cache
def _own_zygote() -> Zygote:
    zygote = Zygote()
    atexit.register(zygote.close)
    return zygote


def is_forkable(kernel: str) -> bool:
    """Tell whether an installed kernel can be forked; see `can_be_forked`."""
    try:
        return can_be_forked(KernelSpecManager().get_kernel_spec(kernel))
    except NoSuchKernel:
        return False


@contextmanager
def _connection(language: str) -> Iterator[Config]:
    """Yield how to talk to a kernel: by sockets in a folder, which no other process can take.

    Ports are looked for and let go before the kernel binds them, so kernels that start at the same
    time can meet on one. Kernels of other languages do not all know sockets in folders.
    """
    with tempfile.TemporaryDirectory(prefix="datalake-") as folder:
        has_room = len(os.fsencode(folder)) < _MAX_SOCKET_FOLDER
        if language != "python" or not has_room or sys.platform == "win32":
            yield Config()
            return
        connection = {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}
        yield Config({"KernelManager": connection})


def last_begun_cell(executed: Path) -> str | None:
    """Return what the last cell of a saved notebook that began is called; None: not one did."""
    begun = [
        name_of_cell(index)
        for index, cell in _cells_of(executed)
        if cell.metadata.get("papermill", {}).get("start_time")
    ]
    return begun[-1] if begun else None


def _name_of_failed(executed: Path, error: PapermillExecutionError) -> str:
    cells = _cells_of(executed)
    at: int = error.cell_index
    # Where the notebook could not be saved, its place among what was run is all that is known.
    return name_of_cell(cells[at][0] if at < len(cells) else at)


def _cells_of(executed: Path) -> list[tuple[int | None, Any]]:
    """Return the cells of a saved notebook, by `own_cells`; none where there is none."""
    try:
        return [*own_cells(nbformat.read(executed, as_version=4).cells)]
    except (OSError, ValueError):
        return []


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


_TOLD_OTHERWISE = ("Passed unknown parameter", "Input notebook does not contain a cell with tag")


@contextmanager
def _logged(log: CappedLog) -> Iterator[None]:
    """Send papermill's own warnings to the datum's log.

    All but those of parameters that the notebook does not have: inputs and output, which every
    notebook is given, are no mistake, and of what the spec sets `check_parameters` tells.
    """
    handler = logging.StreamHandler(log)
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: not record.getMessage().startswith(_TOLD_OTHERWISE))
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
