"""Promotion: a notebook becomes the draft of a pipeline, read from what it says itself.

A parameter whose default is a place in the lake is an input; ``out`` is the output; the other
parameters keep their defaults; modules that lie beside the notebook are its helpers. What its code
names besides, or its kernel was seen to read, becomes inputs too, which the job shows where the
code looks for them. What a person should look at is told in notes.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.jobs.helpers import Beside, list_helpers
from jupyter_datalake.jobs.mentions import Mention, Use, list_mentions
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
from jupyter_datalake.model.ids import REPO_COMPONENT, REPO_PATTERN, variable_name
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
from jupyter_datalake.model.written_specs import input_as_dict, spec_as_dict

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
    shown_at: str | None = None
    """Where the code finds the repo: relative to the notebook, or by the address of its branch;
    None for an absolute path."""
    is_parameter: bool = True
    """Whether a parameter of the notebook is called `variable`."""


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
    beside: Beside,
    observed: Sequence[ObservedFile] = (),
    is_kept: Callable[[str], bool] = lambda _: False,
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
        The files in the notebook's folder, for finding what its code needs.
    observed
        What the notebook's kernel read and wrote when it ran last.
    is_kept
        Tells of a repo whether it holds files of people, which no pipeline may replace.
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
    code = _Code(notebook, finder, beside)
    notes += code.notes
    for place in inputs:
        if place.repo not in repos:
            notes.append(f"There is no repo {place.repo!r} yet; the pipeline needs it to exist")
    cells = _cells(notebook, notebook.parameters_cell)
    mentioned = [replace(_mentioned(PlaceRole.INPUT, one), cells=cells) for one in inputs]
    if output is not None:
        mentioned.append(replace(_mentioned(PlaceRole.OUTPUT, output), cells=cells))
    mentioned += code.places
    known = [one for one in observed if one.repo in repos]
    positions = dict(zip(notebook.ids, notebook.positions, strict=True))
    places = [finder.shown(one) for one in proposals(mentioned, known, positions)]
    leaves = _Leaves(inputs)
    shown: dict[str, str] = {}
    for known_place in places:
        if known_place.role is PlaceRole.INPUT and known_place.variable is None:
            shown[known_place.shown_at or ""] = leaves.of(known_place)
    written = [one for one in places if one.role is PlaceRole.OUTPUT and one.variable is None]
    for one in written:
        below = f"{OUT}/{variable_name(one.repo)}/" if len(written) > 1 else OUT
        shown[one.shown_at or ""] = below
    # The job answers for addresses by itself.
    shown = {at: below for at, below in shown.items() if at and not _is_address(at)} | code.outputs
    name = _free_name(path, output, written, is_kept, notes)
    _note_addresses(written, name, notes)
    _note_places(places, notes)
    if not leaves.all:
        notes.append(NO_INPUTS)
    is_written = bool(written) or any(one.partition("/")[0] == OUT for one in shown.values())
    if not is_written:
        _note_structure(notebook, path, notes)
    spec = _spec(path, name, leaves.all, plain)
    _set(spec, "files", [*list_helpers(notebook, beside), *code.files])
    _set(spec, "paths", shown)
    if notebook.kernel and notebook.kernel != DEFAULT_KERNEL:
        spec["environment"] = {"kernel": notebook.kernel}
    return Draft(spec, tuple(plain), tuple(notes), tuple(places), path)


def _mentioned(role: PlaceRole, place: LakePlace) -> ProposedPlace:
    sources = (PlaceSource.MENTIONED,)
    return ProposedPlace(
        role, place.repo, place.branch, place.path, sources, variable=place.variable
    )


def _cells(notebook: Notebook, *indexes: int | None) -> tuple[int, ...]:
    """Return the numbers, from 1, of code cells."""
    return tuple(sorted({notebook.positions[one] for one in indexes if one is not None}))


def _note_places(places: Sequence[ProposedPlace], notes: list[str]) -> None:
    """Say what a person has to do for places that the job cannot show where they are looked for."""
    for place in places:
        where = f"{place.repo}@{place.branch}/{place.path}"
        is_lost = place.variable is None and place.shown_at is None
        if place.role is PlaceRole.INPUT and is_lost:
            variable = variable_name(place.repo)
            notes.append(
                f"The notebook was seen to read {where}: take its path from a parameter"
                f" {variable!r}, so that the job can say where it is"
            )
        if place.role is PlaceRole.OUTPUT and is_lost:
            notes.append(
                f"The notebook was seen to write {where}: write to the parameter {OUT!r} instead,"
                " for a pipeline writes to a repo of its own"
            )
        if place.role is PlaceRole.INPUT and place.each is not None:
            notes.append(
                f"It read {place.files:,} files of {where} in one run;"
                f" to run once for each of them, write glob: {place.each}"
            )


def _free_name(
    path: str,
    output: LakePlace | None,
    written: Sequence[ProposedPlace],
    is_kept: Callable[[str], bool],
    notes: list[str],
) -> str:
    """Return a name for the pipeline, and so for its repo, under which people keep no files."""
    repos = [one.repo for one in written]
    wanted = output.repo if output is not None else repos[0] if len(set(repos)) == 1 else None
    stem = _name_of(path)
    for name in dict.fromkeys([wanted or stem, stem, f"{stem[:56]}-output"]):
        if not is_kept(name):
            if name != (wanted or stem):
                notes.append(
                    f"The repo {wanted or stem!r} holds files of people, which a pipeline would"
                    f" replace: its output goes to {name!r}"
                )
            return name
    return wanted or stem


class _Leaves:
    """The inputs of a draft, each under a name of its own."""

    def __init__(self, given: Sequence[LakePlace]) -> None:
        self.all = list(given)
        self._names = {_name_in(one) for one in given}

    def of(self, place: ProposedPlace) -> str:
        """Return the name of the input that holds a place; it is made where there is none."""
        for one in self.all:
            is_inside = not one.path or f"{place.path}/".startswith(f"{one.path}/")
            if (one.repo, one.branch) == (place.repo, place.branch) and is_inside:
                return _name_in(one)
        own = variable_name(place.repo)
        names = itertools.chain([own], (f"{own}_{number}" for number in itertools.count(2)))
        name = next(one for one in names if one not in self._names)
        self._names.add(name)
        variable = None if name == own else name
        made = LakePlace(place.repo, place.branch, place.path, variable, is_parameter=False)
        self.all.append(made)
        return name


def _name_in(place: LakePlace) -> str:
    return place.variable or variable_name(place.repo)


class _Code:
    """What the code outside of the parameters cell says of files."""

    def __init__(self, notebook: Notebook, finder: _PlaceFinder, beside: Beside) -> None:
        self.notes: list[str] = []
        self.places: list[ProposedPlace] = []
        self.files: list[str] = []
        """Beside the notebook, which it reads."""
        self.outputs: dict[str, str] = {}
        """Where it writes beside itself, to where that is in the output."""
        self._notebook = notebook
        in_lake: dict[tuple[str, str, bool], list[tuple[Mention, LakePlace]]] = defaultdict(list)
        local: list[Mention] = []
        for mention in list_mentions(notebook):
            path = _known_part(mention)
            place = finder.find(path) if path else None
            if place is None:
                local.append(mention)
            elif place.repo not in finder.repos:
                self._note(f"The code names {path}, and there is no repo {place.repo!r}")
            elif place.shown_at is None:
                self._note_absolute(mention, place, finder)
            else:
                is_address = _is_address(place.shown_at)
                in_lake[place.repo, place.branch, is_address].append((mention, place))
        for group in in_lake.values():
            self.places.append(self._proposed(group))
        self._take_local(local, finder, beside)

    def _note_absolute(self, mention: Mention, place: LakePlace, finder: _PlaceFinder) -> None:
        """Say what to write for a path that no job can show: others need the same place."""
        written, root = _known_part(mention), finder.root_of(place.repo, place.branch)
        below = f"/{place.path}" if place.path else ""
        (cell,) = _cells(self._notebook, mention.cell)
        self._note(
            f"The absolute path {written} in cell {cell} is not there in a job: write {root}{below}"
            f" or {SCHEME}://{place.repo}@{place.branch}{below}, which a job shows,"
            " or put it into the parameters cell"
        )

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _proposed(self, group: Sequence[tuple[Mention, LakePlace]]) -> ProposedPlace:
        """Return the place in which everything is that the code names of one branch."""
        is_written = any(mention.use is Use.WRITTEN for mention, _ in group)
        used = [place.path for mention, place in group if mention.use is not Use.NAMED]
        paths = used or [place.path for _, place in group]
        path = posixpath.commonpath(paths) if all(paths) else ""
        return ProposedPlace(
            PlaceRole.OUTPUT if is_written else PlaceRole.INPUT,
            group[0][1].repo,
            group[0][1].branch,
            path if not is_written else "",
            (PlaceSource.MENTIONED,),
            cells=_cells(self._notebook, *(mention.cell for mention, _ in group)),
            shown_at=group[0][1].shown_at if _is_address(group[0][1].shown_at) else None,
        )

    def _take_local(
        self, mentions: Sequence[Mention], finder: _PlaceFinder, beside: Beside
    ) -> None:
        written = {one.path for one in mentions if one.use is Use.WRITTEN}
        for one in mentions:
            if not _is_local(one, finder):
                continue
            path = posixpath.normpath(one.path)
            if one.use is Use.WRITTEN:
                self._take_output(one, beside)
            elif (
                one.use is Use.READ
                and one.is_whole
                and one.path not in written
                and path not in self.files
                and not path.startswith("..")
                and beside.is_file(path)
            ):
                self.files.append(path)

    def _take_output(self, one: Mention, beside: Beside) -> None:
        """Let what is written beside the notebook be part of the output."""
        whole = posixpath.normpath(one.path) if one.is_whole else ""
        is_file = one.is_whole and not one.is_folder
        folder = posixpath.dirname(whole) if is_file else _known_part(one)
        folder = posixpath.normpath(folder) if folder else ""
        names = set(folder.split("/"))
        if folder.split("/")[0] == OUT:
            self.outputs[OUT] = OUT
        elif names - {"", ".", ".."} and not beside.modules_below(folder):
            self.outputs[folder] = f"{OUT}/{_below(folder)}/"
        elif is_file:
            self.outputs[whole] = f"{OUT}/{_below(whole)}"
        else:
            self._note(
                "It writes files beside itself whose names cannot be told: write them to a folder"
                f" such as {OUT!r}, so that they are kept"
            )


def _is_address(shown_at: str | None) -> bool:
    return shown_at is not None and shown_at.startswith(f"{SCHEME}://")


def _known_part(mention: Mention) -> str:
    """Return the path of a mention, or the folder that is known of it, without wildcards."""
    path = mention.path if mention.is_whole else mention.path.rpartition("/")[0]
    names = path.split("/")
    known = next((at for at, name in enumerate(names) if set(name) & set("*?[")), len(names))
    return "/".join(names[:known]) or ("/" if path.startswith("/") else "")


def _is_local(one: Mention, finder: _PlaceFinder) -> bool:
    """Tell whether a mention looks like a file or folder that is named relative to the notebook."""
    text = one.path
    looks = "/" in text or one.is_folder or bool(re.search(r"\w\.\w+$", text)) or not one.is_whole
    is_odd = "\0" in text or "\n" in text or "://" in text or text.startswith(("/", "~"))
    return looks and not is_odd and len(text) < 500 and finder.find(_known_part(one)) is None


def _below(path: str) -> str:
    """Return where something that is written beside the notebook is in the output."""
    return "/".join(name for name in path.split("/") if name not in {"..", "."})


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
    _set(spec, "paths", {**published.paths, **draft.spec.get("paths", {})})
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
    path: str, name: str, inputs: Sequence[LakePlace], plain: Sequence[Parameter]
) -> dict[str, Any]:
    spec: dict[str, Any] = {"pipeline": name}
    leaves = [_input(place) for place in inputs]
    if len(leaves) == 1:
        spec["input"] = leaves[0]
    elif leaves:
        spec["input"] = {"cross": leaves}
    spec["notebook"] = posixpath.basename(path)
    _set(spec, "parameters", {one.name: one.default for one in plain if one.default is not None})
    return spec


def _input(place: LakePlace) -> dict[str, Any]:
    leaf: dict[str, Any] = {"name": place.repo, "branch": place.branch}
    leaf["glob"] = quote_glob(place.path) if place.path else "/"
    if place.variable and place.variable != variable_name(place.repo):
        leaf["as"] = place.variable
    if place.variable and place.path and place.is_parameter:
        leaf["give"] = "match"  # the notebook goes on getting the path of just that
    return {"repo": leaf}


def _name_of(path: str) -> str:
    """Return a pipeline name made from a notebook's file name."""
    stem = posixpath.basename(path).removesuffix(".ipynb").lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")
    return name[:63] if name and REPO_PATTERN.fullmatch(name[:63]) else "pipeline"


def _note_addresses(written: Sequence[ProposedPlace], name: str, notes: list[str]) -> None:
    """Say what cannot be written by its address: a pipeline writes to the repo of its name."""
    own = f"{SCHEME}://{name}@{DEFAULT_BRANCH}"
    notes += [
        f"The code writes to {one.shown_at}, and the pipeline's repo is {name!r}: write to {own}"
        for one in written
        if _is_address(one.shown_at) and one.shown_at != own
    ]


def _note_structure(notebook: Notebook, path: str, notes: list[str]) -> None:
    name = posixpath.basename(path)
    if notebook.parameters_cell is None:
        notes.append(
            f"{name} has no cell tagged 'parameters': tag the cell that sets its inputs and"
            " 'out', so that the job can set them"
        )
    elif OUT not in {parameter.name for parameter in notebook.parameters}:
        notes.append(f"{name} has no parameter {OUT!r}, and writes to no file that can be told")


class _PlaceFinder:
    """Recognises places in the lake among strings."""

    def __init__(self, folder: str, mountpoint: str | None, repos: Collection[str]) -> None:
        self._folder = folder
        self._mountpoint = None if mountpoint is None else posixpath.normpath(mountpoint)
        self.repos = repos

    def find(self, value: Any, variable: str | None = None) -> LakePlace | None:
        """Return the place that a value names, or None."""
        if not isinstance(value, str) or not value:
            return None
        if value.startswith(f"{SCHEME}://"):
            try:
                address = parse_address(value)
            except InvalidInputError:
                return None
            branch = f"{SCHEME}://{address.repo}@{address.ref}"
            return LakePlace(address.repo, address.ref, address.path, variable, branch)
        relative = self._below_mount(value)
        match = None if relative is None else _MOUNTED.fullmatch(relative)
        if match is None:
            return None
        repo, path = match["repo"], match["path"] or ""
        if repo not in self.repos and "/" in repo:
            # project/name and repo/folder look alike; the repos that exist decide.
            repo, _, rest = repo.partition("/")
            path = posixpath.join(rest, path)
        path = path.rstrip("/")
        root: str | None = None
        if self._mountpoint is not None and not posixpath.isabs(value):
            above = relative.rstrip("/").removesuffix(path).rstrip("/") if relative else ""
            root = self._relative(above)
        return LakePlace(repo, match["ref"] or DEFAULT_BRANCH, path, variable, root)

    def shown(self, place: ProposedPlace) -> ProposedPlace:
        """Return a place with where the code finds its repo, if no parameter holds it."""
        if self._mountpoint is None or place.variable is not None or place.shown_at is not None:
            return place
        return replace(place, shown_at=self.root_of(place.repo, place.branch))

    def root_of(self, repo: str, branch: str) -> str:
        """Return where a branch is mounted, relative to the notebook."""
        return self._relative(repo if branch == DEFAULT_BRANCH else f"{repo}@{branch}")

    def _relative(self, below: str) -> str:
        """Return a place below where the lake is mounted as the notebook's code names it."""
        return posixpath.relpath(f"{self._mountpoint}/{below}", self._folder or ".")

    def _below_mount(self, value: str) -> str | None:
        if self._mountpoint is None:
            return None
        place = posixpath.normpath(posixpath.join(self._folder, value))
        prefix = f"{self._mountpoint}/"
        return place[len(prefix) :] if place.startswith(prefix) else None
