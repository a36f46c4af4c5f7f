"""Inputs and outputs that are proposed for a notebook: what it mentions, and was seen to do.

What was seen are single files. They become one proposal for each branch, in terms of the folder
that they have in common, so that a run of the pipeline sees what the notebook saw.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from jupyter_datalake.model.globs import quote_glob
from jupyter_datalake.model.lineage import AccessKind


class PlaceRole(StrEnum):
    """What a place is to a notebook."""

    INPUT = "input"
    OUTPUT = "output"


class PlaceSource(StrEnum):
    """How it is known that a notebook has to do with a place."""

    MENTIONED = "mentioned"
    """Its code names it."""
    OBSERVED = "observed"
    """Its kernel was seen to open files there."""


@dataclass(frozen=True, slots=True)
class ObservedFile:
    """A file, or a folder taken whole, that a notebook's kernel read or wrote."""

    kind: AccessKind
    repo: str
    branch: str
    path: str
    cell: str | None = None
    """Id of the cell that ran, where the kernel said so."""


@dataclass(frozen=True, slots=True)
class ProposedPlace:
    """A place that a pipeline made of a notebook may read or write."""

    role: PlaceRole
    repo: str
    branch: str
    path: str
    """A file, or the folder that all the files are in; empty for the root."""
    sources: tuple[PlaceSource, ...]
    files: int = 0
    """How many different ones were observed."""
    each: str | None = None
    """The glob by which each of the files is a datum of its own; None where they are not many, or
    not in one folder."""
    variable: str | None = None
    """The parameter that holds it, where one does."""
    cells: tuple[int, ...] = ()
    """The cells that mention it, or in which it was observed, counted from 1."""
    shown_at: str | None = None
    """Where the code finds it, relative to the notebook, if no parameter says that."""


def proposals(
    mentioned: Iterable[ProposedPlace],
    observed: Iterable[ObservedFile],
    positions: Mapping[str, int],
) -> Sequence[ProposedPlace]:
    """Return each place once, mentioned ones first, with all that is known of it.

    What a notebook wrote before it read it is no input.

    Parameters
    ----------
    positions
        Id of a cell to its number, from 1.
    """
    found = list(mentioned)
    seen = list(observed)
    written = {_place(one) for one in seen if one.kind is AccessKind.WRITE}
    groups: dict[tuple[PlaceRole, str, str], set[str]] = defaultdict(set)
    cells: dict[str, set[int]] = defaultdict(set)
    for one in seen:
        if one.cell is not None and one.cell in positions:
            cells[one.path].add(positions[one.cell])
        if one.kind is AccessKind.WRITE:
            groups[PlaceRole.OUTPUT, one.repo, one.branch].add(one.path)
        elif _place(one) not in written:
            groups[PlaceRole.INPUT, one.repo, one.branch].add(one.path)
    for (role, repo, branch), paths in sorted(groups.items()):
        left = set(paths)
        for index, place in enumerate(found):
            if (place.role, place.repo, place.branch) != (role, repo, branch):
                continue
            inside = {path for path in paths if _is_below(path, place.path)}
            if inside:
                sources = (*place.sources, PlaceSource.OBSERVED)
                each = _each(inside) if len(inside) > 1 else None
                here = {*place.cells, *(cell for path in inside for cell in cells[path])}
                found[index] = replace(
                    place, sources=sources, files=len(inside), each=each, cells=tuple(sorted(here))
                )
                left -= inside
        if left:
            here = {cell for path in left for cell in cells[path]}
            made = _proposed(role, repo, branch, left)
            found.append(replace(made, cells=tuple(sorted(here))))
    return found


def _proposed(role: PlaceRole, repo: str, branch: str, paths: set[str]) -> ProposedPlace:
    sources = (PlaceSource.OBSERVED,)
    if len(paths) == 1:
        return ProposedPlace(role, repo, branch, next(iter(paths)), sources, 1)
    folder = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    return ProposedPlace(role, repo, branch, folder, sources, len(paths), _each(paths))


def _each(paths: set[str]) -> str | None:
    """Return the glob that matches each of several files of one folder, or None."""
    folders = {posixpath.dirname(path) for path in paths}
    if len(folders) != 1:
        return None
    endings = {posixpath.splitext(path)[1] for path in paths}
    ending = quote_glob(endings.pop()).removeprefix("/") if len(endings) == 1 else ""
    folder = folders.pop()
    return f"{quote_glob(folder) if folder else ''}/*{ending}"


def _place(one: ObservedFile) -> tuple[str, str, str]:
    return one.repo, one.branch, one.path


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
