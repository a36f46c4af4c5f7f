"""Environments of this machine, built once for each lock and kept while they are used.

::

    <work>/environments/<digest>/          a virtual environment, complete
    <work>/environments/<digest>.lock      held by who builds it (alone) and who uses it (together)
    <work>/environments/<digest>.tmp/      one that is being built, or was when its builder died

An environment gets its name when it is complete, so one that was built by half is never used.
Nothing is written into it any more. Those that nobody has used for long, or that take too much
room, are removed, the longest unused first; what somebody uses stays.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.file_locks import held
from jupyter_datalake.jobs.environments import LOCK_FILE, lock_digest
from jupyter_datalake.jobs.packages import REQUIREMENTS_FILE
from jupyter_datalake.jobs.uv import Check, python_argument, run_uv
from jupyter_datalake.jobs.watching import folder_bytes
from jupyter_datalake.model.environments import Wanted

FOLDER = "environments"
DEFAULT_BYTES = 20 * 1024**3
DEFAULT_AGE_S = 30 * 86400.0
KERNEL = "datalake"
"""Name of the kernel of an environment, below its ``share/jupyter``."""

_POLL_S = 0.1
_SIZE = "datalake-size"


def wanted_of(lock: bytes, requirements: bytes) -> Wanted:
    """Return the environment that a stored lock and its requirements describe."""
    return Wanted(lock_digest(lock).hex(), json.loads(lock)["python"], requirements.decode())


def wanted_in(folder: Path) -> Wanted | None:
    """Return the environment that published code below a folder wants, or None."""
    requirements = folder / REQUIREMENTS_FILE
    if not requirements.is_file():
        return None
    return wanted_of((folder / LOCK_FILE).read_bytes(), requirements.read_bytes())


class EnvironmentCache:
    """The environments of one machine.

    Parameters
    ----------
    folder
        Where they are.
    environment
        Everything that uv's environment holds when one is built.
    limit_bytes, age_s
        What is kept: so much in all, and what was used since so many seconds.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        limit_bytes: int = DEFAULT_BYTES,
        age_s: float = DEFAULT_AGE_S,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._limit_bytes = limit_bytes
        self._age_s = age_s

    @contextmanager
    def use(
        self, wanted: Wanted, check: Check | None = None, *, hands_on: bool = False
    ) -> Iterator[Path]:
        """Have an environment for as long as the block runs; it is built where it is not there.

        Two that want the same at once build it once.

        Parameters
        ----------
        check
            Called several times a second while it waits or builds; what it raises ends that.
        hands_on
            Whether a program that this process becomes, or starts with all its files, goes on using
            it.

        Raises
        ------
        StorageError
            Packages could not be fetched, or the disk is full.
        NotFoundError
            There is no such Python on this machine.
        InvalidInputError
            A package could not be built, or is not what was locked.
        MissingDependencyError
            There is no uv.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / wanted.name
        with open(self._folder / f"{wanted.name}.lock", "ab") as lock:
            _hold(lock.fileno(), fcntl.LOCK_SH, check)
            while not place.is_dir():
                # Let go first: two that hold it together would wait for each other.
                fcntl.flock(lock, fcntl.LOCK_UN)
                _hold(lock.fileno(), fcntl.LOCK_EX, check)
                if not place.is_dir():
                    self._build(wanted, place, check)
                _hold(lock.fileno(), fcntl.LOCK_SH, check)  # somebody may remove it in between
            os.utime(lock.fileno())
            os.set_inheritable(lock.fileno(), hands_on)
            yield place

    def clean(self) -> None:
        """Remove what was not used for long, and then what takes too much room."""
        with suppress(FileNotFoundError):
            kept_bytes = 0
            for used, place in sorted(self._complete(), reverse=True):
                size_bytes = _size_of(place)
                is_old = time.time() - used > self._age_s
                fits = not is_old and kept_bytes + size_bytes <= self._limit_bytes
                if fits or not self._remove(place):
                    kept_bytes += size_bytes

    def _complete(self) -> Iterator[tuple[float, Path]]:
        """Yield when each environment was last used, and where it is."""
        for lock in self._folder.glob("*.lock"):
            place = lock.with_suffix("")
            if place.is_dir():
                yield lock.stat().st_mtime, place

    def _remove(self, place: Path) -> bool:
        """Remove an environment unless somebody uses it; tell whether it is gone."""
        with held(place.with_suffix(".lock")) as is_ours:
            if not is_ours:
                return False
            # Its lock stays: who waits for it holds that very file.
            gone = place.with_suffix(".tmp")
            _remove_tree(gone)
            place.rename(gone)
            _remove_tree(gone)
            return True

    def _build(self, wanted: Wanted, place: Path, check: Check | None) -> None:
        self.clean()
        building = place.with_suffix(".tmp")
        _remove_tree(building)
        try:
            self._make(wanted, building, check)
            _freeze(building)
            building.rename(place)
        except DatalakeError:
            _remove_tree(building)
            raise

    def _make(self, wanted: Wanted, building: Path, check: Check | None) -> None:
        def uv(*arguments: str) -> None:
            run_uv(arguments, environment=self._environment, folder=self._folder, check=check)

        python = building / "bin" / "python"
        uv("venv", "--relocatable", "--python", python_argument(wanted.python), str(building))
        requirements = building / REQUIREMENTS_FILE
        requirements.write_text(wanted.requirements, encoding="utf-8")
        # Copies: what a program does to a package must not reach the cache of uv, nor others.
        hashed = ("--require-hashes",) if wanted.is_hashed else ()
        uv(
            *("pip", "sync", "--python", str(python), "--allow-empty-requirements", *hashed),
            *("--link-mode", "copy", "--compile-bytecode", str(requirements)),
        )
        final = self._folder / wanted.name
        kernels = building / "share" / "jupyter" / "kernels"
        shutil.rmtree(kernels, ignore_errors=True)  # of ipykernel: it would start another Python
        (kernels / KERNEL).mkdir(parents=True)
        spec = {
            "argv": [
                str(final / "bin" / "python"),
                *("-m", "ipykernel_launcher", "-f", "{connection_file}"),
            ],
            "display_name": "Python of a pipeline",
            "language": "python",
        }
        (kernels / KERNEL / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        (building / _SIZE).write_text(str(folder_bytes(building)), encoding="utf-8")


def activation(place: Path, path: str) -> dict[str, str]:
    """Return the variables by which programs find an environment, as ``activate`` sets them.

    Parameters
    ----------
    path
        Where programs are searched for behind it.
    """
    return {
        "VIRTUAL_ENV": str(place),
        "PATH": f"{place / 'bin'}{os.pathsep}{path}",
        "JUPYTER_PATH": str(place / "share" / "jupyter"),
    }


def python_in(place: Path) -> str:
    """Return the whole version of an environment's Python, or nothing if it does not tell."""
    for line in (place / "pyvenv.cfg").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version_info":
            return value.strip()
    return ""


def _hold(lock: int, how: int, check: Check | None) -> None:
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if check is not None:
                check()
            time.sleep(_POLL_S)
        else:
            return


def _freeze(folder: Path) -> None:
    """Take away the right to write from all folders: what programs leave belongs elsewhere."""
    for place, _, _ in os.walk(folder):
        os.chmod(place, 0o500)
    os.chmod(folder, 0o700)  # it is renamed yet


def _remove_tree(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        os.chmod(place, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _size_of(place: Path) -> int:
    try:
        return int((place / _SIZE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return folder_bytes(place)
