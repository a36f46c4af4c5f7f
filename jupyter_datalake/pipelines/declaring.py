"""Declaring: a folder of specs says which pipelines there are, and what has to change for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import ErrorKind, InvalidInputError, PathNotFoundError
from jupyter_datalake.jobs.environments import LOCK_FILE
from jupyter_datalake.model.lineage import find_cycle, topological_order
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipeline_specs import parse_spec
from jupyter_datalake.model.pipelines import (
    ChangeAction,
    Pipeline,
    PipelineChange,
    PipelineSpec,
    repo_inputs,
)
from jupyter_datalake.model.written_specs import spec_as_dict
from jupyter_datalake.pipelines.code_files import (
    SPEC_FILE,
    code_contents,
    read_code_files,
    request_for,
    stored_packages,
)
from jupyter_datalake.pipelines.publishing import told_of
from jupyter_datalake.pipelines.templating import Source, load_sources

SUFFIXES = frozenset({".yaml", ".yml"})
"""Of files of specs."""
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Declared:
    """A pipeline as a folder has it."""

    spec: PipelineSpec
    files: dict[str, bytes]
    template: str = ""
    """The file of the template that made its spec, as the folder names it; empty for none."""


def read_declared(place: Path | Sequence[Source]) -> list[Declared]:
    """Return the pipelines that specs, a spec file, or the spec files below a folder, declare.

    A file may hold several. In a folder those documents are specs that have a key ``pipeline``, and
    those that name a template and give it arguments; what is hidden is left out. The pipelines are
    in an order in which they can be created.

    Raises
    ------
    PathNotFoundError
        The folder, or a file that a spec names, is missing.
    InvalidInputError
        A file is no spec, two declare one pipeline, or they read each other in a circle.
    """
    if isinstance(place, Path) and not place.exists():
        raise PathNotFoundError(
            f"There is no file or folder {str(place)!r}",
            hint="Give a spec, or a folder that holds specs",
            path=str(place),
        )
    found: dict[str, Declared] = {}
    places: dict[str, Path] = {}
    for path, source in _sources(place):
        with told_of(_name_in(source)):
            spec = parse_spec(source.document)
            if spec.name in found:
                raise InvalidInputError(
                    f"Pipeline {spec.name!r} is declared in {str(places[spec.name])!r}"
                    f" and {'again there' if places[spec.name] == path else f'in {str(path)!r}'}",
                    kind=ErrorKind.INVALID_SPEC,
                    hint="Keep one of them",
                )
            files = read_code_files(spec, source.folder)
        found[spec.name] = Declared(spec, files, source.template)
        places[spec.name] = path
    if not found and isinstance(place, Path) and not place.is_dir():
        raise InvalidInputError(
            f"There is no spec in {str(place)!r}",
            kind=ErrorKind.INVALID_SPEC,
            hint="Each document in it is one; docs/pipelines.md shows what it holds",
            path=str(place),
        )
    feeds = feeds_of(one.spec for one in found.values())
    cycle = find_cycle(feeds)
    if cycle is not None:
        raise InvalidInputError(
            f"The pipelines read each other in a circle: {' → '.join(cycle)}",
            kind=ErrorKind.PIPELINE_CYCLE,
            hint="Break it at one of these",
            cycle=cycle,
        )
    return [found[name] for name in topological_order(set(found), feeds)]


def feeds_of(specs: Iterable[PipelineSpec]) -> list[tuple[str, str]]:
    """Return each repo that pipelines read, with the pipeline that does."""
    return [(given.repo, spec.name) for spec in specs for given in repo_inputs(spec)]


def _name_in(source: Source) -> str:
    """Return the name that a spec, which may be wrong, gives its pipeline."""
    found = source.document.get("pipeline") if isinstance(source.document, dict) else None
    return found if isinstance(found, str) else ""


def _sources(place: Path | Sequence[Source]) -> Iterator[tuple[Path, Source]]:
    """Yield specs, those in a file, or in the files below a folder, each with where it is."""
    if not isinstance(place, Path):
        yield from ((source.folder, source) for source in place)
        return
    if not place.is_dir():
        yield from ((place, source) for source in load_sources(place))
        return
    for path in sorted(_specs_below(place)):
        for source in load_sources(path):
            if isinstance(source.document, dict) and "pipeline" in source.document:
                yield path, source


def _specs_below(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def list_changes(
    core: LakeCore, declared: Sequence[Declared], *, prune: bool
) -> list[PipelineChange]:
    """Return what makes the lake's pipelines those that are declared, in the order it is done.

    Parameters
    ----------
    prune
        Whether pipelines go that are not declared.
    """
    with core.metadata.read() as tx:
        rows = tx.pipelines.list(limit=_ALL)
        feeds = [(edge.repo, edge.pipeline) for edge in tx.pipelines.edges()]
    current = {row.pipeline.name: row.pipeline for row in rows}
    changes = [_change(core, one, current.get(one.spec.name)) for one in declared]
    if prune:
        left = set(current) - {one.spec.name for one in declared}
        order = topological_order(left, feeds)
        changes += [PipelineChange(name, ChangeAction.DELETE, ()) for name in reversed(order)]
    return changes


def _change(core: LakeCore, one: Declared, current: Pipeline | None) -> PipelineChange:
    if current is None:
        return PipelineChange(one.spec.name, ChangeAction.CREATE, (), one.template)
    differs = _differences(core, one, current)
    action = ChangeAction.UPDATE if differs else ChangeAction.UNCHANGED
    return PipelineChange(one.spec.name, action, tuple(differs), one.template)


def _differences(core: LakeCore, one: Declared, current: Pipeline) -> list[str]:
    """Return the keys of the spec, and the files, that are not as they were published."""
    old, new = spec_as_dict(current.spec), spec_as_dict(one.spec)
    differs = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    tree = core.snapshot(commit_by_id(core, current.code_commit_id))
    packages, request = stored_packages(tree), request_for(one.spec, one.files)
    if request is not None and (packages is None or not packages.is_for(request)):
        differs.append("requirements")
        return differs
    contents = code_contents(one.spec, one.files, packages)
    for path in sorted({*contents, *(path for path, _ in tree.iter_entries())}):
        place = RepoPath(path)
        stored = tree.read(place) if tree.find(place) is not None else None
        if path != SPEC_FILE and contents.get(path) != stored:
            differs.append("installed packages" if path == LOCK_FILE else path)
    return differs
