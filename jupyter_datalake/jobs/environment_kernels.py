"""Kernels of environments that pipelines have for themselves, for people who work by hand.

::

    <work>/kernels/datalake-<environment>/kernel.json         starts this module
    <work>/kernels/datalake-<environment>/environment.json    what environment that is
    <work>/kernels/datalake-<environment>/folders.json        who works with it
    <work>/kernels/datalake-kept-<kernel>/                    the same for a kernel that is kept

A Jupyter server finds them as soon as the folder is one of its kernel folders. What they start is
this module: it has the environment for as long as the kernel lives, since the kernel inherits the
lock, and builds it where it was removed meanwhile. A kernel goes when no folder is left that was
reopened for it.

Run as ``python -m jupyter_datalake.jobs.environment_kernels ENVIRONMENTS NOTE CONNECTION_FILE``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from jupyter_datalake.environment import uv_environment
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.jobs.environment_cache import EnvironmentCache, activation
from jupyter_datalake.jobs.kept_kernels import PROVISIONER, KeptKernel
from jupyter_datalake.model.environments import Wanted

KERNELS_FOLDER = "kernels"
PREFIX = "datalake-"
"""With it the names of these kernels begin."""

_SPEC = "kernel.json"
_NOTE = "environment.json"
_FOLDERS = "folders.json"


def install_kernel(
    work: Path, environments: Path, wanted: Wanted, title: str, folder: Path
) -> dict[str, str]:
    """Have a kernel of an environment for a folder; return what a notebook says of its kernel.

    Parameters
    ----------
    work, environments
        The lake's working folder, and that of the environments of this machine.
    title
        For people.
    folder
        While it is there, the kernel is.
    """
    name = f"{PREFIX}{wanted.name[:16]}"
    place = _place_for(work, name)
    note, connection = "{resource_dir}/" + _NOTE, "{connection_file}"
    spec = {
        "argv": [sys.executable, "-m", __name__, str(environments), note, connection],
        "display_name": title,
        "language": "python",
        "metadata": {"debugger": False},
    }
    _write(place / _NOTE, asdict(wanted))
    return _offer(place, spec, folder)


def install_kept_kernel(work: Path, kernel: KeptKernel, folder: Path) -> dict[str, str]:
    """Have the kernel that is kept for a folder; return what a notebook says of its kernel.

    When it is gone, it is a fresh kernel of this interpreter, as the kept one was.
    """
    place = _place_for(work, f"{PREFIX}kept-{kernel.id}")
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"Python of {kernel.pipeline}, as datum {kernel.position} failed",
        "language": "python",
        "metadata": {
            "debugger": False,
            "kernel_provisioner": {
                "provisioner_name": PROVISIONER,
                "config": {"work": str(work), "kernel": kernel.id},
            },
        },
    }
    return _offer(place, spec, folder)


def _place_for(work: Path, name: str) -> Path:
    place = work / KERNELS_FOLDER / name
    place.mkdir(parents=True, exist_ok=True)
    return place


def _offer(place: Path, spec: dict[str, Any], folder: Path) -> dict[str, str]:
    _write(place / _FOLDERS, sorted({*_folders_of(place), str(folder)}))
    _write(place / _SPEC, spec)  # with it the kernel is there
    return {"name": place.name, "display_name": spec["display_name"], "language": "python"}


def remove_unused(work: Path, is_alive: Callable[[Path], bool]) -> None:
    """Remove the kernels that nobody works with any more.

    Parameters
    ----------
    is_alive
        Tells whether a folder is still one that somebody works in.
    """
    for place in (work / KERNELS_FOLDER).glob(f"{PREFIX}*"):
        if not any(is_alive(Path(folder)) for folder in _folders_of(place)):
            shutil.rmtree(place, ignore_errors=True)


def main(arguments: Iterable[str]) -> NoReturn:
    """Be the kernel; where there is no environment, say why and end."""
    environments, note, connection = arguments
    wanted = Wanted(**json.loads(Path(note).read_text(encoding="utf-8")))
    cache = EnvironmentCache(Path(environments), uv_environment())
    try:
        with cache.use(wanted, hands_on=True) as place:
            python = str(place / "bin" / "python")
            told = activation(place, os.environ.get("PATH", os.defpath))
            os.execve(  # noqa: S606  # the kernel of the pipeline, which must have this process's id
                python,
                [python, "-m", "ipykernel_launcher", "-f", connection],
                {**os.environ, **told},
            )
    except DatalakeError as error:
        sys.exit(f"The kernel cannot start: {error}")


def _folders_of(place: Path) -> list[str]:
    try:
        found: list[str] = json.loads((place / _FOLDERS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found


def _write(place: Path, value: Any) -> None:
    """Write a file whole, for a server may read it at any moment."""
    fresh = place.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(value, indent=1), encoding="utf-8")
    fresh.replace(place)


if __name__ == "__main__":
    main(sys.argv[1:])
