"""Running uv, which resolves and installs Python packages. What it says becomes one line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    StorageError,
)

Check = Callable[[], None]
"""Called several times a second while uv runs; what it raises ends uv."""

_TICK_S = 0.2
_MAX_MESSAGE = 600
_HIDDEN = re.compile(r"(://)[^/\s@]*@")
_NETWORK = (
    "Failed to fetch",
    "error sending request",
    "network was disabled",
    "Request failed after",
    "operation timed out",
)
_NO_PYTHON = ("No interpreter found", "Failed to inspect Python interpreter")


def own_python() -> str:
    """Return the version of this interpreter that packages are chosen for, such as ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def python_argument(version: str) -> str:
    """Return how uv is told about a Python: by its path where it is this one, else by version."""
    return sys.executable if version == own_python() else version


def find_uv() -> str:
    """Return the path of uv: the one beside this interpreter, or of the search path.

    Raises
    ------
    MissingDependencyError
        There is none.
    """
    beside = shutil.which("uv", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("uv")
    if found is None:
        raise MissingDependencyError(
            "Environments with requirements are built by uv, which is not installed",
            hint="pip install uv, or pip install 'jupyter_datalake[environments]'",
        )
    return found


def run_uv(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    check: Check | None = None,
) -> str:
    """Run uv to its end and return what it prints.

    Parameters
    ----------
    environment
        Everything its environment holds; indexes and credentials are found there, or in the
        configuration files of uv.
    folder
        Its working directory.

    Raises
    ------
    MissingDependencyError
        There is no uv.
    InvalidInputError
        A requirement is none, or not all can be met together.
    NotFoundError
        There is no such Python on this machine.
    StorageError
        No package index could be reached, or the disk is full.
    """
    variables = {"UV_PYTHON_DOWNLOADS": "never", **environment, "NO_COLOR": "1"}
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [find_uv(), *arguments, "--quiet", "--no-progress"],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=said,
        ) as process,
    ):
        try:
            while _is_running(process):
                if check is not None:
                    check()
        except BaseException:
            process.kill()
            raise
        out.seek(0)
        said.seek(0)
        if process.returncode:
            raise _error_of(said.read().decode("utf-8", "replace"))
        return out.read().decode("utf-8", "replace")


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_TICK_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _error_of(text: str) -> DatalakeError:
    """Return what uv says as an error of ours, on one line and without passwords."""
    plain = _HIDDEN.sub(r"\1", " ".join(text.removeprefix("error: ").split()))
    plain = plain[:_MAX_MESSAGE].rstrip(".")
    kind = ErrorKind.ENVIRONMENT_FAILED
    if any(one in text for one in _NO_PYTHON):
        return NotFoundError(
            "There is no such Python on this machine",
            kind=kind,
            hint="Install it, leave out environment.python, or set UV_PYTHON_DOWNLOADS=automatic"
            " so that uv may download it",
        )
    if any(one in text for one in _NETWORK):
        return StorageError(
            f"Packages could not be fetched, and are not in the cache of uv: {plain}",
            kind=kind,
            hint="Look at the network and at UV_INDEX_URL, or name a folder in UV_FIND_LINKS",
            retryable=True,
        )
    if "No space left" in text:
        return StorageError("The disk is full", kind=ErrorKind.STORAGE_FULL)
    return InvalidInputError(f"The environment cannot be made: {plain}", kind=kind)
