"""Writing pipelines that are published to a folder, as `declaring` reads them from there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import uuid4

import yaml

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.exporting import translated_errors
from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.model.lineage import topological_order
from jupyter_datalake.model.pipelines import Pipeline
from jupyter_datalake.model.written_specs import spec_as_dict
from jupyter_datalake.pipelines.code_files import place_below, read_published_files
from jupyter_datalake.pipelines.declaring import SUFFIXES, feeds_of


def connected_to(names: Iterable[str], pipelines: Iterable[Pipeline]) -> set[str]:
    """Return pipelines and all that is tied to them by what they read, in either direction."""
    known = {one.name: one for one in pipelines}
    ties: dict[str, set[str]] = {name: set() for name in known}
    for repo, name in feeds_of(one.spec for one in known.values()):
        if repo in known:
            ties[name].add(repo)
            ties[repo].add(name)
    found: set[str] = set()
    waiting = [name for name in names if name in known]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += ties[name]
    return found


def take_out(core: LakeCore, pipelines: Iterable[Pipeline], file: Path) -> list[Path]:
    """Write pipelines as one YAML file, and their notebooks and helpers beside it.

    Returns
    -------
    list of Path
        What was written, the YAML file last; what was there with the same content is not.

    Raises
    ------
    AlreadyExistsError
        Something else is at one of the places; nothing was written.
    InvalidInputError
        Two pipelines were published with different files of one name.
    """
    if file.suffix not in SUFFIXES:
        raise InvalidInputError(
            f"{str(file)!r} is no name for a file of specs",
            kind=ErrorKind.INVALID_PATH,
            hint="Let it end in .pipelines.yaml",
        )
    chosen = {one.name: one for one in sorted(pipelines, key=lambda one: one.name)}
    if not chosen:
        raise NotFoundError(
            "There is no pipeline to write", kind=ErrorKind.PIPELINE_NOT_FOUND, hint="Name one"
        )
    wanted = _files_of(core, chosen)
    feeds = feeds_of(one.spec for one in chosen.values())
    ordered = topological_order(set(chosen), feeds)
    specs = [yaml.safe_dump(spec_as_dict(chosen[one].spec), sort_keys=False) for one in ordered]
    wanted[file.name] = "---\n".join(specs).encode()
    with translated_errors(file.parent):
        return _write_all(file.parent, wanted)


def _files_of(core: LakeCore, pipelines: Mapping[str, Pipeline]) -> dict[str, bytes]:
    """Return what pipelines were published with, by path."""
    found: dict[str, bytes] = {}
    whose: dict[str, str] = {}
    for name, one in pipelines.items():
        code = core.snapshot(commit_by_id(core, one.code_commit_id))
        for path, content in read_published_files(one.spec, code).items():
            if found.setdefault(path, content) != content:
                raise InvalidInputError(
                    f"{path!r} was published with {whose[path]} and with {name}, and is not the"
                    " same",
                    hint="Write them to two folders",
                    path=path,
                )
            whose.setdefault(path, name)
    return found


def _write_all(folder: Path, wanted: Mapping[str, bytes]) -> list[Path]:
    """Write files that are not there yet; refuse before the first if another one is in the way."""
    fresh = []
    for path, content in wanted.items():
        place = place_below(folder, path)
        if place.is_file() and place.read_bytes() == content:
            continue
        if os.path.lexists(place):
            raise AlreadyExistsError(
                f"{str(folder / path)!r} is there already, and is something else",
                kind=ErrorKind.PATH_EXISTS,
                hint="Choose another folder, or move it away first",
                path=path,
            )
        fresh.append((place, content))
    for place, content in fresh:
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.{uuid4().hex}")
        try:
            part.write_bytes(content)
            part.rename(place)
        finally:
            part.unlink(missing_ok=True)
    return [place for place, _ in fresh]
