"""Chaining: several notebooks that are promoted together become pipelines that feed each other.

What one of them writes and another reads ties the two: a repo that both name, a repo that the one
was seen to write, or a folder of the disk that the one has as ``out`` and the other as a parameter.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.jobs.helpers import Beside
from jupyter_datalake.jobs.notebooks import Notebook
from jupyter_datalake.jobs.promote import NO_INPUTS, OUT, Draft, draft_pipeline
from jupyter_datalake.jobs.proposals import ObservedFile, PlaceRole
from jupyter_datalake.model.globs import quote_glob
from jupyter_datalake.model.ids import variable_name
from jupyter_datalake.model.lineage import find_cycle, topological_order


@dataclass(frozen=True, slots=True)
class NotebookFile:
    """A notebook that is promoted, and what is known beside what it says."""

    path: str
    """In the same terms as where the lake is mounted."""
    notebook: Notebook
    beside: Beside
    """The files in its folder."""
    observed: Sequence[ObservedFile] = ()
    """What its kernel read and wrote when it ran last."""


def draft_chain(
    files: Sequence[NotebookFile],
    *,
    mountpoint: str | None,
    repos: Collection[str],
    is_kept: Callable[[str], bool] = lambda _: False,
) -> list[Draft]:
    """Return the drafts of pipelines that run notebooks, those that feed others first.

    Parameters
    ----------
    mountpoint, repos, is_kept
        As for `draft_pipeline`.

    Raises
    ------
    InvalidInputError
        Two notebooks would become the same pipeline (``invalid-notebook``), or they read each
        other's output in a circle (``pipeline-cycle``).
    """

    def drafted(known: Collection[str]) -> list[Draft]:
        return [
            draft_pipeline(
                one.notebook,
                one.path,
                mountpoint=mountpoint,
                repos=known,
                beside=one.beside,
                observed=one.observed,
                is_kept=is_kept,
            )
            for one in files
        ]

    names = [draft.spec["pipeline"] for draft in drafted(repos)]
    _check_told_apart(files, names)
    # Once more: what one of them is going to write exists for the others.
    drafts = drafted({*repos, *names})
    makers = _Makers(files, drafts)
    linked = [makers.link(one, draft) for one, draft in zip(files, drafts, strict=True)]
    by_name = {draft.spec["pipeline"]: draft for draft in linked}
    feeds = [
        (leaf["repo"]["name"], name)
        for name, draft in by_name.items()
        for leaf in _leaves(draft.spec)
    ]
    cycle = find_cycle(feeds)
    if cycle is not None:
        raise InvalidInputError(
            f"These notebooks would wait for each other: {' → '.join(cycle)}",
            kind=ErrorKind.PIPELINE_CYCLE,
            hint="Break the circle at one of these, or promote them one by one",
            cycle=cycle,
        )
    return [by_name[name] for name in topological_order(by_name, feeds)]


def _check_told_apart(files: Sequence[NotebookFile], names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for one, name in zip(files, names, strict=True):
        other = seen.setdefault(name, one.path)
        if other is not one.path:
            raise InvalidInputError(
                f"Both {posixpath.basename(other)!r} and {posixpath.basename(one.path)!r} would"
                f" become the pipeline {name!r}",
                kind=ErrorKind.INVALID_NOTEBOOK,
                hint=f"Let them have different places in {OUT!r}: a pipeline writes to a repo of"
                " its own",
                pipeline=name,
            )


class _Makers:
    """Which notebook writes what, apart from the repo that its pipeline is named for."""

    def __init__(self, files: Sequence[NotebookFile], drafts: Sequence[Draft]) -> None:
        self._names = {draft.spec["pipeline"] for draft in drafts}
        self._repos: dict[tuple[str, str], list[str]] = {}
        self._folders: dict[str, list[str]] = {}
        for one, draft in zip(files, drafts, strict=True):
            name = draft.spec["pipeline"]
            for place in draft.places:
                if place.role is PlaceRole.OUTPUT and place.repo != name:
                    self._repos.setdefault((place.repo, place.branch), []).append(name)
            if not any(one.role is PlaceRole.OUTPUT and one.variable for one in draft.places):
                self._folders.setdefault(_out_folder(one), []).append(name)

    def link(self, file: NotebookFile, draft: Draft) -> Draft:
        """Return a notebook's draft with inputs from what the other notebooks write."""
        notes = list(draft.notes)
        name = draft.spec["pipeline"]
        leaves = [self._linked(leaf, name, notes) for leaf in _leaves(draft.spec)]
        plain = []
        for parameter in draft.parameters:
            found = self._maker_of(file, parameter.default, name)
            if found is None:
                plain.append(parameter)
                continue
            maker, below = found
            leaf: dict[str, Any] = {"name": maker, "glob": quote_glob(below) if below else "/"}
            if parameter.name != variable_name(maker):
                leaf["as"] = parameter.name
            if below:
                leaf["give"] = "match"
            leaves.append({"repo": leaf})
            notes.append(f"{parameter.name!r} is what {maker} writes")
        if leaves:
            notes = [note for note in notes if note != NO_INPUTS]
        values = {one.name: one.default for one in plain if one.default is not None}
        spec = _with_input(draft.spec, leaves, values)
        return replace(draft, spec=spec, parameters=tuple(plain), notes=tuple(notes))

    def _linked(self, leaf: dict[str, Any], name: str, notes: list[str]) -> dict[str, Any]:
        """Return an input that reads a repo which another of the notebooks was seen to write."""
        given = leaf["repo"]
        repo, branch = given["name"], given["branch"]
        makers = [one for one in self._repos.get((repo, branch), []) if one != name]
        if repo in self._names or not makers:
            return leaf
        if len(makers) > 1:
            notes.append(f"{' and '.join(makers)} write to {repo}@{branch}: choose which to read")
            return leaf
        notes.append(f"It reads the output of {makers[0]}, which was seen to write {repo}@{branch}")
        linked = {**given, "name": makers[0]}
        del linked["branch"]
        variable = given.get("as") or variable_name(repo)
        linked.pop("as", None)
        if variable != variable_name(makers[0]):
            linked["as"] = variable
        return {"repo": linked}

    def _maker_of(self, file: NotebookFile, value: Any, name: str) -> tuple[str, str] | None:
        """Return which notebook writes a place on the disk, and what is below its folder."""
        if not isinstance(value, str) or not value:
            return None
        place = _resolved(file, value)
        for folder, makers in self._folders.items():
            others = [one for one in makers if one != name]
            if len(others) == 1 and (place == folder or place.startswith(f"{folder}/")):
                return others[0], place[len(folder) + 1 :]
        return None


def _out_folder(file: NotebookFile) -> str:
    """Return the folder on the disk that a notebook writes to."""
    found = {one.name: one.default for one in file.notebook.parameters}.get(OUT)
    return _resolved(file, found if isinstance(found, str) and found else OUT)


def _resolved(file: NotebookFile, value: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(file.path), value))


def _leaves(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the inputs of a drafted spec, which has none, one, or a cross of several."""
    given = spec.get("input")
    if given is None:
        return []
    found: list[dict[str, Any]] = given.get("cross", [given])
    return found


def _with_input(
    spec: dict[str, Any], leaves: list[dict[str, Any]], parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return a spec with other inputs and parameters, its keys in the order of people."""
    given = {"cross": leaves} if len(leaves) > 1 else next(iter(leaves), None)
    rest = {key: value for key, value in spec.items() if key not in {"input", "parameters"}}
    changed: dict[str, Any] = {"pipeline": rest.pop("pipeline")}
    if given is not None:
        changed["input"] = given
    changed["notebook"] = rest.pop("notebook")
    if parameters:
        changed["parameters"] = parameters
    return {**changed, **rest}
