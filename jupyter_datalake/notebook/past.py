"""``%%asof``: what a cell reads of the lake is what it was.

Reads by the library and by ``lake://`` are `lake.as_of`'s. Mounted folders show the present to
everybody, so here Python's own ``open`` is answered for their files from the lake, and Python's
audit hook refuses what would show the present instead: listing them, writing to them, and opens by
their descriptor. What C++ code opens by path, and other programs, cannot be heard.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from jupyter_datalake.errors import DatalakeError, ErrorKind, InvalidInputError, StateError
from jupyter_datalake.lake.as_of import AsOf, as_of
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.mounts import Mount
from jupyter_datalake.model.paths import path_from_bytes
from jupyter_datalake.notebook.lakes import kernel_lake

_READ_MODES = frozenset({"r", "rt", "tr", "rb", "br"})
_REFUSED = frozenset({"open", "os.listdir", "os.scandir"})
_guards: list[_Guard] = []
"""The guard of the cell that runs, if it looks at the past."""
_is_hooked: list[bool] = []


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    mount: Mount


class _Guard:
    """Answers opens below mounted folders from the past."""

    def __init__(self, lake: Lake, entered: AsOf) -> None:
        self._lake = lake
        self._entered = entered
        self._folders = [_Folder(os.path.realpath(one.path), one) for one in lake.mounts.list()]

    def place_of(self, path: Any) -> Address | None:
        """Return what a path means in the past; None for what is not mounted, or has no other."""
        if not isinstance(path, str | bytes | os.PathLike) or not self._folders:
            return None
        above, last = os.path.split(os.path.abspath(os.fsencode(path)))
        real = os.path.join(os.path.realpath(above), last)
        for one in self._folders:
            root = os.fsencode(one.path)
            if real == root or real.startswith(root + b"/"):
                inside = path_from_bytes(real[len(root) + 1 :])
                shown = Address(one.mount.repo, one.mount.ref, inside)
                return shown if self._entered.seen(shown) != shown else None
        return None

    def open_file(self, place: Address) -> io.BufferedReader:
        """Return a file as it was."""
        return cast("io.BufferedReader", self._lake.files.open(place))


@contextmanager
def in_the_past(*refs: str, names: dict[str, Any]) -> Iterator[None]:
    """Run a block as of refs; see `lake.as_of`. What it covers, docs/notebooks.md says.

    Prints a line where nothing was read as of them, so that no typing error is taken for the past.

    Parameters
    ----------
    names
        The notebook's own; IPython puts an `open` of its own among them.
    """
    with as_of(*refs) as entered:
        guard = _Guard(kernel_lake(), entered)
        _install()
        _guards.append(guard)
        before = builtins.open, io.open
        own = names.get("open")
        builtins.open = io.open = opens = _open_instead_of(before[0], guard)
        if getattr(own, "__wrapped__", None) in before:
            names["open"] = opens
        try:
            yield
        finally:
            builtins.open, io.open = before
            if names.get("open") is opens:
                names["open"] = own
            _guards.remove(guard)
        if not entered.redirected:
            sys.stderr.write(f"Nothing was read as of {' '.join(refs)}: no address at its branch\n")


def _open_instead_of(original: Any, guard: _Guard) -> Any:
    def open_as_of(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        place = guard.place_of(file) if mode in _READ_MODES and opener is None else None
        if place is None:
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        binary = guard.open_file(place)
        if "b" in mode:
            return binary
        return io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline=newline)

    return open_as_of


def _install() -> None:
    """Begin to hear what Python opens and lists; an audit hook stays for ever, and is cheap."""
    if not _is_hooked:
        sys.addaudithook(_hear)
        _is_hooked.append(True)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guards or event not in _REFUSED:
        return
    guard = _guards[-1]
    path = arguments[0] if arguments[0] is not None else "."
    try:
        place = guard.place_of(path)
    except (DatalakeError, ValueError):
        return  # no path of ours
    if place is not None:
        _refuse(event, os.fsdecode(path), place)


def _refuse(event: str, path: str, place: Address) -> NoReturn:
    if event == "open":
        raise StateError(
            f"In %%asof {path!r} can only be read, by open(): the folder shows the present",
            hint=f"Read {place.url}, or write in a cell of its own",
        )
    raise InvalidInputError(
        f"In %%asof {path!r} cannot be listed: the folder shows the present",
        kind=ErrorKind.INVALID_REQUEST,
        hint=f"lake.files.list({str(place)!r}) lists what was there",
    )
