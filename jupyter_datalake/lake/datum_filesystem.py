"""``lake://`` in a job: the datum's inputs and output under the addresses of their branches.

Code that reads ``lake://raw@main/a.csv`` by hand reads the lake; as a job it reads what the datum
was given, so that what a result was made of is known. What is no input is refused.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractFileSystem

from jupyter_datalake.errors import ErrorKind, PathNotFoundError, PermissionDeniedError
from jupyter_datalake.lake.as_of import seen
from jupyter_datalake.model.addresses import SCHEME, Address, parse_address
from jupyter_datalake.model.paths import path_bytes, path_from_bytes
from jupyter_datalake.model.shown_branches import ShownBranch, parse_shown_branches

_READ = "rb"


class DatumFileSystem(AbstractFileSystem):
    """The folders of a datum under ``repo@branch/path``.

    Parameters
    ----------
    shown
        What the job says of its branches; see `shown_as_text`.
    """

    protocol = SCHEME
    root_marker = ""

    def __init__(self, shown: str, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._said = shown
        self._shown = parse_shown_branches(shown)
        self._output = self._shown[-1]
        self._local = LocalFileSystem(auto_mkdir=True)  # type: ignore[no-untyped-call]

    def __reduce__(self) -> Any:
        """Be pickled by what it shows: where it is read, there may be no variable of the job."""
        return DatumFileSystem, (self._said,)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return str(path).removeprefix(f"{SCHEME}://").strip("/")

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:  # fsspec's signature
        """Return the children of a folder, or the file itself; the branches for the root."""
        if not self._strip_protocol(path):
            names = dict.fromkeys(str(_root_of(one)) for one in self._shown)
            found = [{"name": name, "size": 0, "type": "directory"} for name in names]
        else:
            address = self._address(path)
            found = self._below(address) or [self._detail(address, self._place(address))]
        return found if detail else [one["name"] for one in found]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return what is known of a file, with the commit that the job reads."""
        if not self._strip_protocol(path):
            return {"name": "", "size": 0, "type": "directory"}
        address = self._address(path)
        commit_id = next(one.commit_id for one in self._branches(address))
        known = self._detail(address, self._place(address))
        return {**known, "repo": address.repo, "commit": commit_id or None}

    def _open(
        self,
        path: str,
        mode: str = _READ,
        block_size: int | None = None,
        autocommit: bool = True,  # fsspec's signature
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        address = self._address(path)
        place = self._place(address) if mode == _READ else self._own_place(address)
        return self._local._open(  # type: ignore[no-untyped-call]
            str(place), mode, block_size, autocommit=autocommit
        )

    def _rm(self, path: str) -> None:
        self._own_place(self._address(path)).unlink()

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copy a file into the output."""
        source = self._place(self._address(path1))
        target = self._own_place(self._address(path2))
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        else:
            shutil.copyfile(source, target)

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Make a folder in the output."""
        self._own_place(self._address(path)).mkdir(parents=create_parents)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a folder in the output, and those above it."""
        self._own_place(self._address(path)).mkdir(parents=True, exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        """Remove an empty folder of the output."""
        self._own_place(self._address(path)).rmdir()

    def created(self, path: str) -> Any:
        """Return when the file was last changed."""
        return datetime.fromtimestamp(self._place(self._address(path)).stat().st_mtime, UTC)

    def modified(self, path: str) -> Any:
        """Return when the file was last changed."""
        return self.created(path)

    # --- places ----------------------------------------------------------------------------------

    def _address(self, path: str) -> Address:
        return seen(parse_address(self._strip_protocol(path)))

    def _branches(self, address: Address) -> list[ShownBranch]:
        """Return what an address may lead to: a branch can be several inputs."""
        found = [one for one in self._shown if one.is_named(address.repo, address.ref)]
        if not found:
            raise self._no_input(address)
        return found

    def _no_input(self, address: Address) -> PermissionDeniedError:
        given = ", ".join(str(_root_of(one)) for one in self._shown[:-1]) or "nothing"
        return PermissionDeniedError(
            f"{address} is no input of the pipeline {self._output.repo!r}, which reads {given}:"
            " a job reads its inputs alone",
            kind=ErrorKind.NOT_ALLOWED,
            hint=f"Add it to 'input' of the pipeline: repo: {{name: {address.repo}, branch: …,"
            " glob: /}",
        )

    def _place(self, address: Address) -> Path:
        """Return where something is that can be read."""
        branches = self._branches(address)
        for one in branches:
            place = _within(one, address)
            if place.exists():
                return place
        what = "The output has" if branches[0] is self._output else "This datum was given"
        raise PathNotFoundError(
            f"{what} no {address}",
            hint="What a datum is given, the glob of the input says: / gives everything",
            path=address.path,
        )

    def _own_place(self, address: Address) -> Path:
        """Return where something is that can be written: in the output."""
        if not self._output.is_named(address.repo, address.ref):
            raise PermissionDeniedError(
                f"{address} cannot be written by a job of {self._output.repo!r}: it writes to the"
                " repo of its name",
                kind=ErrorKind.NOT_ALLOWED,
                hint=f"Write to {_root_of(self._output).url}, or to the folder 'out'",
            )
        return _within(self._output, address)

    def _below(self, address: Address) -> list[dict[str, Any]]:
        """Return what is in a folder, by name, of all inputs of its branch."""
        found: dict[str, dict[str, Any]] = {}
        for one in self._branches(address):
            place = _within(one, address)
            for name in sorted(os.listdir(place)) if place.is_dir() else ():
                path = path_from_bytes(os.fsencode(name))
                inside = Address(address.repo, address.ref, _joined(address.path, path))
                found.setdefault(name, self._detail(inside, place / name))
        return list(found.values())

    def _detail(self, address: Address, place: Path) -> dict[str, Any]:
        status = place.stat()
        return {
            "name": str(address),
            "size": 0 if place.is_dir() else status.st_size,
            "type": "directory" if place.is_dir() else "file",
            "mode": status.st_mode,
            "mtime": status.st_mtime,
        }


def _root_of(one: ShownBranch) -> Address:
    return parse_address(f"{one.repo}@{one.branch}")


def _joined(folder: str, name: str) -> Any:
    return f"{folder}/{name}" if folder else name


def _within(one: ShownBranch, address: Address) -> Path:
    return Path(one.folder, os.fsdecode(path_bytes(address.path)))
