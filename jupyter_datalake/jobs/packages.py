"""Locking the packages of a pipeline that has an environment of its own.

What is asked for becomes versions with hashes when the pipeline is published, and both are stored
with its code. Publishing again with the same requirements keeps them, whatever is on the index by
then; where the requirements have changed, what still fits is kept.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.jobs.environments import platform_name
from jupyter_datalake.jobs.uv import own_python, python_argument, run_uv
from jupyter_datalake.model.environments import Wanted
from jupyter_datalake.model.ids import Digest, digest_of

REQUIREMENTS_FILE = "environment.requirements.txt"
"""Beside the lock: every package of the environment with its hashes, as pip and uv read them."""

KERNEL_PACKAGE = "ipykernel"
"""What a notebook needs to run in an environment; it is added where nobody asks for it."""

_REQUESTED = "# requested: "
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PASSWORD = re.compile(r"://[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    requirements: tuple[str, ...]
    python: str
    """Such as ``3.12``."""

    def as_line(self) -> str:
        """Return the comment that remembers it in a lock."""
        return _REQUESTED + json.dumps([self.python, *self.requirements])


@dataclass(frozen=True, slots=True)
class LockedPackages:
    """Versions of everything, with hashes."""

    text: str
    """As it is stored: a requirements file with a comment that remembers the request."""

    def is_for(self, request: Request) -> bool:
        """Tell whether this was asked for when it was locked."""
        return self.text.partition("\n")[0] == request.as_line()

    def packages(self) -> dict[str, str]:
        """Return name to version."""
        return {_normal(name): version for name, version in _PIN.findall(self.text)}

    def digest(self) -> Digest:
        """Return the digest of what is installed; comments do not count."""
        lines = [line.strip() for line in self.text.splitlines()]
        wanted = [line for line in lines if line and not line.startswith("#")]
        return digest_of("\n".join(wanted).encode())


def read_requirements(text: str, where: str) -> tuple[str, ...]:
    r"""Return the requirements in a file's text, without comments.

    Raises
    ------
    InvalidInputError
        A line is an option, or holds a password: such things are said to uv itself.

    >>> read_requirements("numpy>=2  # fast\n\n# pandas\n", "r.txt")
    ('numpy>=2',)
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        wanted = re.sub(r"(^|\s)#.*$", "", line).strip()
        if wanted.startswith("-") or wanted.endswith("\\"):
            raise InvalidInputError(
                f"{where}, line {number}: {wanted.split()[0]!r} is an option, not a requirement",
                kind=ErrorKind.INVALID_SPEC,
                hint="Name packages alone; indexes are set for uv, by UV_INDEX_URL or uv.toml",
            )
        if _PASSWORD.search(wanted):
            raise InvalidInputError(
                f"{where}, line {number} holds a password, which would be stored with the code",
                kind=ErrorKind.INVALID_SPEC,
                hint="Give uv the password: by UV_INDEX_URL, a keyring or ~/.netrc",
            )
        if wanted:
            found.append(wanted)
    return tuple(found)


def request_of(requirements: tuple[str, ...], python: str, *, is_notebook: bool) -> Request:
    """Return what is asked for, with what a notebook needs besides."""
    names = {_normal(match[1]) for one in requirements if (match := _NAME.match(one))}
    more = (KERNEL_PACKAGE,) if is_notebook and KERNEL_PACKAGE not in names else ()
    return Request((*requirements, *more), python or own_python())


def lock_packages(
    request: Request,
    before: LockedPackages | None,
    environment: Mapping[str, str],
    *,
    upgrade: bool = False,
) -> LockedPackages:
    """Return versions and hashes of everything that is asked for.

    Parameters
    ----------
    before
        The lock of the version before. It is kept where the same is asked for; else what of it
        still fits is.
    environment
        Everything that uv's environment holds.
    upgrade
        Whether newer versions are taken where there are some.

    Raises
    ------
    InvalidInputError
        A requirement is none, or not all can be met together.
    NotFoundError
        There is no such Python on this machine.
    StorageError
        No package index could be reached.
    MissingDependencyError
        There is no uv.
    """
    if before is not None and not upgrade and before.is_for(request):
        return before
    with tempfile.TemporaryDirectory(prefix="datalake-") as name:
        folder = Path(name)
        _check_python(request.python, environment, folder)
        (folder / "requirements.in").write_text("\n".join(request.requirements), encoding="utf-8")
        if before is not None and not upgrade:
            (folder / "lock.txt").write_text(before.text, encoding="utf-8")
        arguments = [
            *("pip", "compile", "requirements.in", "--output-file", "lock.txt"),
            *("--generate-hashes", "--no-header", "--no-annotate"),
            *("--python", python_argument(request.python)),
        ]
        run_uv(arguments, environment=environment, folder=folder)
        locked = (folder / "lock.txt").read_text(encoding="utf-8")
    return LockedPackages(f"{request.as_line()}\n{locked}")


def packages_lock(request: Request, locked: LockedPackages) -> dict[str, Any]:
    """Return the environment lock, whose digest is part of every datum's key."""
    return {
        "python": request.python,
        "platform": platform_name(),
        "packages": dict(sorted(locked.packages().items())),
        "requirements": locked.digest().hex(),
    }


def rebuilt(lock: dict[str, Any]) -> Wanted | None:
    """Return the environment of the packages that were installed when code was published.

    None if it was no Python's. It has names and versions alone: what was never on an index, or was
    changed by hand, cannot be had again.
    """
    packages, python = lock.get("packages"), lock.get("python")
    if lock.get("language", "python") != "python" or not packages or not python:
        return None
    wanted = "\n".join(f"{name}=={version}" for name, version in sorted(packages.items()))
    version = ".".join(python.split(".")[:2])
    name = digest_of(f"{version}\n{wanted}".encode()).hex()
    return Wanted(name, version, wanted, is_hashed=False)


def _check_python(version: str, environment: Mapping[str, str], folder: Path) -> None:
    if version == own_python():
        return
    try:
        run_uv(["python", "find", version], environment=environment, folder=folder)
    except NotFoundError as error:
        raise NotFoundError(
            f"There is no Python {version} on this machine",
            kind=error.kind,
            hint=error.hint,
            python=version,
        ) from error


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
