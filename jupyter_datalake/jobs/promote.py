"""Promotion: a notebook becomes the draft of a pipeline, read from what it says itself.

A parameter whose default is a place in the lake is an input; ``out`` is the output; the other
parameters keep their defaults; modules that lie beside the notebook are its helpers. What its
kernel was seen to read beyond that becomes inputs too. What a person should look at is told in
notes.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.jobs.notebooks import Notebook, Parameter
from jupyter_datalake.jobs.proposals import (
    ObservedFile,
    PlaceRole,
    PlaceSource,
    ProposedPlace,
    proposals,
)
from jupyter_datalake.model.addresses import SCHEME, parse_address
from jupyter_datalake.model.globs import quote_glob
from jupyter_datalake.model.ids import REPO_COMPONENT, REPO_PATTERN
from jupyter_datalake.model.pipeline_specs import input_as_dict, spec_as_dict, variable_name
from jupyter_datalake.model.pipelines import (
    DEFAULT_KERNEL,
    CronInput,
    Input,
    NotebookCode,
    PipelineSpec,
    RepoInput,
    iter_leaves,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH

_MOUNTED = re.compile(
    rf"(?P<repo>{REPO_COMPONENT}(?:/{REPO_COMPONENT})?)(?:@(?P<ref>[^/]+))?(?:/(?P<path>.*))?"
)
OUT = "out"
NO_INPUTS = "No parameter names a place in the lake: choose the inputs yourself"
"""What is noted of a notebook without inputs."""


@dataclass(frozen=True, slots=True)
class LakePlace:
    """A place in the lake that a notebook mentions."""

    repo: str
    branch: str
    path: str
    """Below the repo; empty for its root."""
    variable: str | None
    """The parameter that holds it, or None for one in the middle of the code."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A pipeline as far as a notebook tells it."""

    spec: dict[str, Any]
    """A document for `parse_spec`; complete in the common case."""
    parameters: tuple[Parameter, ...]
    """Those that are neither inputs nor the output."""
    notes: tuple[str, ...] = field(default=())
    """What a person should look at before publishing."""
    places: tuple[ProposedPlace, ...] = field(default=())
    """The inputs and outputs that are proposed, and how each is known."""
    notebook: str = ""
    """Path of the notebook."""


def draft_pipeline(
    notebook: Notebook,
    path: str,
    *,
    mountpoint: str | None,
    repos: Collection[str],
    beside: Collection[str],
    observed: Sequence[ObservedFile] = (),
) -> Draft:
    """Return the draft of a pipeline that runs a notebook.

    Parameters
    ----------
    path
        The notebook's place, in the same terms as `mountpoint` (absolute, or both relative to
        one folder).
    mountpoint
        Where the lake is mounted, or None.
    repos
        Names of the lake's repos; a place in an unknown one is told in the notes.
    beside
        Names of the files in the notebook's folder, for finding helper modules.
    observed
        What the notebook's kernel read and wrote when it ran last.
    """
    notes: list[str] = []
    inputs: list[LakePlace] = []
    plain: list[Parameter] = []
    output: LakePlace | None = None
    finder = _PlaceFinder(posixpath.dirname(path), mountpoint, repos)
    for parameter in notebook.parameters:
        place = finder.find(parameter.default, parameter.name)
        if parameter.name == OUT:
            output = place
        elif place is not None:
            inputs.append(place)
        else:
            plain.append(parameter)
    _note_structure(notebook, path, notes)
    for place in finder.in_code(notebook):
        notes.append(
            f"The code mentions {place.repo}{'/' + place.path if place.path else ''} directly:"
            " put it into the parameters cell, so that the job can say where it is"
        )
    for place in inputs:
        if place.repo not in repos:
            notes.append(f"There is no repo {place.repo!r} yet; the pipeline needs it to exist")
    mentioned = [_mentioned(PlaceRole.INPUT, place) for place in inputs]
    if output is not None:
        mentioned.append(_mentioned(PlaceRole.OUTPUT, output))
    known = [one for one in observed if one.repo in repos]
    places = proposals(mentioned, known)
    taken = {place.variable or variable_name(place.repo) for place in inputs}
    for proposed in places:
        name = variable_name(proposed.repo)
        if proposed.role is PlaceRole.INPUT and proposed.variable is None and name not in taken:
            taken.add(name)
            inputs.append(LakePlace(proposed.repo, proposed.branch, proposed.path, None))
    _note_observed(places, notes)
    if not inputs:
        notes.append(NO_INPUTS)
    return Draft(
        _spec(notebook, path, inputs, output, plain, _helpers(notebook, beside)),
        tuple(plain),
        tuple(notes),
        tuple(places),
        path,
    )


def _mentioned(role: PlaceRole, place: LakePlace) -> ProposedPlace:
    sources = (PlaceSource.MENTIONED,)
    return ProposedPlace(
        role, place.repo, place.branch, place.path, sources, variable=place.variable
    )


def _note_observed(places: Sequence[ProposedPlace], notes: list[str]) -> None:
    """Say what a person has to do for places that the notebook was only seen to use."""
    for place in places:
        where = f"{place.repo}@{place.branch}/{place.path}"
        if place.role is PlaceRole.INPUT and place.variable is None:
            variable = variable_name(place.repo)
            notes.append(
                f"The notebook was seen to read {where}: take its path from a parameter"
                f" {variable!r}, so that the job can say where it is"
            )
        if place.role is PlaceRole.OUTPUT and place.variable is None:
            notes.append(
                f"The notebook was seen to write {where}: write to the parameter {OUT!r} instead,"
                " for a pipeline writes to a repo of its own"
            )
        if place.role is PlaceRole.INPUT and place.each is not None:
            notes.append(
                f"It read {place.files:,} files of {where} in one run;"
                f" to run once for each of them, write glob: {place.each}"
            )


def keep_published(draft: Draft, published: PipelineSpec) -> Draft:
    """Return a draft that keeps to what is published, where the notebook says nothing else.

    A pipeline that gets a newer notebook must not lose its description, globs, clocks, values
    or egress. Inputs and parameters that the notebook does not have any more go.

    Parameters
    ----------
    published
        The pipeline of the draft's name; the draft is left alone if it runs something else.
    """
    if published.code != NotebookCode(draft.spec["notebook"]):
        note = f"The pipeline {published.name} runs something else; publishing replaces that"
        return replace(draft, notes=(*draft.notes, note))
    parameters = tuple(
        replace(one, default=published.parameters.get(one.name, one.default))
        for one in draft.parameters
    )
    spec = {**spec_as_dict(published), **draft.spec}
    values = {one.name: one.default for one in parameters if one.default is not None}
    _set(spec, "parameters", values)
    _set(spec, "files", list(dict.fromkeys([*published.files, *draft.spec.get("files", [])])))
    _set(spec, "input", _kept_input(draft.spec.get("input"), published.input))
    return replace(draft, spec=spec, parameters=parameters)


def _kept_input(drafted: dict[str, Any] | None, published: Input | None) -> dict[str, Any] | None:
    leaves = [] if drafted is None else drafted.get("cross", [drafted])
    names = [one["repo"].get("as") or variable_name(one["repo"]["name"]) for one in leaves]
    known = list(iter_leaves(published))
    repos = {one.name: one for one in known if isinstance(one, RepoInput)}
    if published is not None and set(repos) == set(names):
        return input_as_dict(published)
    kept = [
        input_as_dict(_alone(repos[name])) if name in repos else leaf
        for name, leaf in zip(names, leaves, strict=True)
    ]
    kept += [input_as_dict(one) for one in known if isinstance(one, CronInput)]
    return {"cross": kept} if len(kept) > 1 else (kept or [None])[0]


def _alone(leaf: RepoInput) -> RepoInput:
    """Return a leaf of a join or group as it can stand in a cross."""
    return replace(leaf, on="", by="", is_outer=False)


def _set(spec: dict[str, Any], key: str, value: Any) -> None:
    """Set a key of a spec, or leave it out where there is nothing to say."""
    spec.pop(key, None)
    if value:
        spec[key] = value


def _spec(
    notebook: Notebook,
    path: str,
    inputs: list[LakePlace],
    output: LakePlace | None,
    plain: list[Parameter],
    helpers: list[str],
) -> dict[str, Any]:
    name = output.repo if output is not None else _name_of(path)
    spec: dict[str, Any] = {"pipeline": name}
    leaves = [_input(place) for place in inputs]
    if len(leaves) == 1:
        spec["input"] = leaves[0]
    elif leaves:
        spec["input"] = {"cross": leaves}
    spec["notebook"] = posixpath.basename(path)
    values = {one.name: one.default for one in plain if one.default is not None}
    if values:
        spec["parameters"] = values
    if helpers:
        spec["files"] = helpers
    if notebook.kernel and notebook.kernel != DEFAULT_KERNEL:
        spec["environment"] = {"kernel": notebook.kernel}
    return spec


def _input(place: LakePlace) -> dict[str, Any]:
    leaf: dict[str, Any] = {"name": place.repo, "branch": place.branch}
    leaf["glob"] = quote_glob(place.path) if place.path else "/"
    if place.variable and place.variable != variable_name(place.repo):
        leaf["as"] = place.variable
    if place.variable and place.path:
        leaf["give"] = "match"  # the notebook goes on getting the path of just that
    return {"repo": leaf}


def _name_of(path: str) -> str:
    """Return a pipeline name made from a notebook's file name."""
    stem = posixpath.basename(path).removesuffix(".ipynb").lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")
    return name[:63] if name and REPO_PATTERN.fullmatch(name[:63]) else "pipeline"


def _note_structure(notebook: Notebook, path: str, notes: list[str]) -> None:
    name = posixpath.basename(path)
    if notebook.parameters_cell is None:
        notes.append(
            f"{name} has no cell tagged 'parameters': tag the cell that sets its inputs and"
            " 'out', so that the job can set them"
        )
    elif OUT not in {parameter.name for parameter in notebook.parameters}:
        notes.append(f"{name} has no parameter 'out': what it writes to the folder 'out' is kept")


def _helpers(notebook: Notebook, beside: Collection[str]) -> list[str]:
    """Return the modules beside the notebook that its code imports."""
    wanted: set[str] = set()
    for cell in notebook.cells:
        for statement in ast.walk(_tree(cell)):
            if isinstance(statement, ast.Import):
                wanted.update(alias.name.partition(".")[0] for alias in statement.names)
            elif isinstance(statement, ast.ImportFrom) and statement.module:
                wanted.add(statement.module.partition(".")[0])
    return sorted(f"{module}.py" for module in wanted if f"{module}.py" in beside)


def _tree(cell: str) -> ast.Module:
    """Return a cell's code as a tree, leaving out lines that only IPython understands."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


class _PlaceFinder:
    """Recognises places in the lake among strings."""

    def __init__(self, folder: str, mountpoint: str | None, repos: Collection[str]) -> None:
        self._folder = folder
        self._mountpoint = None if mountpoint is None else posixpath.normpath(mountpoint)
        self._repos = repos

    def find(self, value: Any, variable: str | None = None) -> LakePlace | None:
        """Return the place that a value names, or None."""
        if not isinstance(value, str) or not value:
            return None
        if value.startswith(f"{SCHEME}://"):
            try:
                address = parse_address(value)
            except InvalidInputError:
                return None
            return LakePlace(address.repo, address.ref, address.path, variable)
        relative = self._below_mount(value)
        match = None if relative is None else _MOUNTED.fullmatch(relative)
        if match is None:
            return None
        repo, path = match["repo"], match["path"] or ""
        if repo not in self._repos and "/" in repo:
            # project/name and repo/folder look alike; the repos that exist decide.
            repo, _, rest = repo.partition("/")
            path = posixpath.join(rest, path)
        return LakePlace(repo, match["ref"] or DEFAULT_BRANCH, path.rstrip("/"), variable)

    def _below_mount(self, value: str) -> str | None:
        if self._mountpoint is None:
            return None
        place = posixpath.normpath(posixpath.join(self._folder, value))
        prefix = f"{self._mountpoint}/"
        return place[len(prefix) :] if place.startswith(prefix) else None

    def in_code(self, notebook: Notebook) -> list[LakePlace]:
        """Return the places that stand in the code outside the parameters cell, each once."""
        found: dict[tuple[str, str], LakePlace] = {}
        for index, cell in enumerate(notebook.cells):
            if index == notebook.parameters_cell:
                continue
            for node in ast.walk(_tree(cell)):
                place = self.find(node.value) if isinstance(node, ast.Constant) else None
                if place is not None:
                    found.setdefault((place.repo, place.path), place)
        return list(found.values())
