"""Helpers: the files beside a notebook that its code needs, which are published with it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.jobs.mentions import list_imports, list_scripts, tree_of
from jupyter_datalake.jobs.notebooks import Notebook, parse_notebook
from jupyter_datalake.jobs.python_source import parse_python

_MOST_MODULES = 500
"""A package with more files is no helper."""
_MAX_BYTES = 4 * 1024 * 1024


class Beside(Protocol):
    """The folder of a notebook; paths are relative to it."""

    def is_file(self, path: str) -> bool:
        """Tell whether there is such a file, in the folder or below it."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of a file; empty for one that is no module."""
        ...

    def modules_below(self, folder: str) -> Sequence[str]:
        """Return the Python files in a folder and below it; none if there are too many."""
        ...


class FolderBeside:
    """A folder of the disk. What lies below where the lake is mounted is no helper."""

    def __init__(self, folder: Path, mountpoint: Path | None) -> None:
        self._folder = folder.resolve()
        self._mountpoint = mountpoint

    def is_file(self, path: str) -> bool:
        """See `Beside`."""
        place = self._place(path)
        return place is not None and place.is_file()

    def read(self, path: str) -> bytes:
        """See `Beside`."""
        place = self._place(path)
        if place is None or not place.is_file() or place.stat().st_size > _MAX_BYTES:
            return b""
        return place.read_bytes()

    def modules_below(self, folder: str) -> Sequence[str]:
        """See `Beside`."""
        place = self._place(folder)
        if place is None or not place.is_dir():
            return []
        found: list[str] = []
        for one in place.rglob("*.py"):
            found.append(one.relative_to(self._folder).as_posix())
            if len(found) > _MOST_MODULES:
                return []
        return sorted(found)

    def _place(self, path: str) -> Path | None:
        """Return where a file is, or None outside of the folder."""
        lexical = self._folder / path
        if self._mountpoint is not None and lexical.is_relative_to(self._mountpoint):
            return None
        try:
            place = lexical.resolve()
        except (OSError, ValueError, RuntimeError):
            return None
        return place if place.is_relative_to(self._folder) else None


def list_helpers(notebook: Notebook, beside: Beside) -> list[str]:
    """Return the modules, packages, scripts and notebooks that a notebook needs, and they need."""
    found: set[str] = set()
    waiting = [("", name) for cell in notebook.cells for name in list_imports(tree_of(cell))]
    scripts = list_scripts(notebook)
    while scripts or waiting:
        files = _scripts(scripts.pop(), beside) if scripts else _module(*waiting.pop(), beside)
        for path in files:
            if path not in found:
                found.add(path)
                folder = posixpath.dirname(path)
                waiting += [(folder, name) for name in _imports_of(path, beside)]
    return sorted(found)


def _scripts(path: str, beside: Beside) -> list[str]:
    place = posixpath.normpath(path)
    names = [place, f"{place}.py", f"{place}.ipynb"]
    return (
        [next(one for one in names if beside.is_file(one))]
        if any(map(beside.is_file, names))
        else []
    )


def _module(folder: str, name: str, beside: Beside) -> list[str]:
    """Return the files of a module that is imported from code in a folder."""
    if name.startswith("."):
        return []  # of a package, which is taken whole
    first = name.partition(".")[0]
    for base in dict.fromkeys(["", folder]):
        module = posixpath.join(base, f"{first}.py")
        if beside.is_file(module):
            return [module]
        package = list(beside.modules_below(posixpath.join(base, first)))
        if package:
            return package
    return []


def _imports_of(path: str, beside: Beside) -> list[str]:
    data = beside.read(path)
    if path.endswith(".ipynb"):
        try:
            cells = parse_notebook(data, path).cells
        except (InvalidInputError, json.JSONDecodeError):
            return []
        return [name for cell in cells for name in list_imports(tree_of(cell))]
    try:
        return list(list_imports(parse_python(data)))
    except (SyntaxError, ValueError, RecursionError):
        return []
