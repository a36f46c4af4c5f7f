"""The files of pipelines: what a spec names, and what publishing it commits."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.environment import uv_environment
from jupyter_datalake.errors import ErrorKind, InvalidInputError, PathNotFoundError
from jupyter_datalake.jobs.environments import LOCK_FILE, lock_bytes, lock_environment
from jupyter_datalake.jobs.packages import (
    REQUIREMENTS_FILE,
    LockedPackages,
    Request,
    lock_packages,
    packages_lock,
    read_requirements,
    request_of,
)
from jupyter_datalake.model.expectations import check_of
from jupyter_datalake.model.paths import RepoPath, parse_path
from jupyter_datalake.model.pipelines import CommandCode, NotebookCode, PipelineSpec, QueryCode
from jupyter_datalake.model.written_specs import spec_as_dict

SPEC_FILE = "pipeline.yaml"
QUERY_FILE = "query.sql"
MAX_HELPER_BYTES = 64 * 1024 * 1024


def code_paths(spec: PipelineSpec) -> list[str]:
    """Return the files that a spec names: its notebooks, its helpers and its requirements."""
    paths = [*notebooks_of(spec), *check_files_of(spec), *spec.files]
    if spec.packages is not None and spec.packages.file:
        paths.append(spec.packages.file)
    return list(dict.fromkeys(paths))


def check_files_of(spec: PipelineSpec) -> list[str]:
    """Return the files with the functions that look at outputs."""
    return [check_of(one.python)[0] for one in spec.expectations if one.python]


def notebooks_of(spec: PipelineSpec) -> list[str]:
    """Return the notebooks that a job runs: the pipeline's, and those of its steps."""
    steps = [one.code for one in (spec.on_start, spec.finally_) if one is not None]
    return [one.path for one in [spec.code, *steps] if isinstance(one, NotebookCode)]


def request_for(spec: PipelineSpec, files: dict[str, bytes]) -> Request | None:
    """Return the packages that a spec asks for, or None if it takes what is installed.

    Raises
    ------
    InvalidInputError
        The requirements file holds something else than requirements.
    """
    if spec.packages is None:
        return None
    where = spec.packages.file or "environment.requirements"
    text = (
        files[spec.packages.file].decode("utf-8", "replace")
        if spec.packages.file
        else "\n".join(spec.packages.requirements)
    )
    wanted = read_requirements(text, where)
    return request_of(wanted, spec.packages.python, is_notebook=bool(notebooks_of(spec)))


def lock_code(
    spec: PipelineSpec,
    files: dict[str, bytes],
    before: LockedPackages | None,
    *,
    upgrade: bool = False,
) -> LockedPackages | None:
    """Return the packages that a spec's environment is locked to; None without one of its own.

    Parameters and errors are those of `lock_packages`.
    """
    request = request_for(spec, files)
    if request is None:
        return None
    return lock_packages(request, before, uv_environment(), upgrade=upgrade)


def stored_packages(code: Snapshot) -> LockedPackages | None:
    """Return the packages that published code is locked to, or None."""
    path = RepoPath(REQUIREMENTS_FILE)
    return LockedPackages(code.read(path).decode()) if code.find(path) is not None else None


def code_contents(
    spec: PipelineSpec, files: dict[str, bytes], packages: LockedPackages | None
) -> dict[str, bytes]:
    """Return what publishing a spec commits: its files, itself, and its environment.

    Parameters
    ----------
    packages
        What an environment of its own is locked to; else it is what is installed now.
    """
    contents = {path: files[path] for path in code_paths(spec)}
    contents[SPEC_FILE] = yaml.safe_dump(spec_as_dict(spec), sort_keys=False).encode()
    request = request_for(spec, files)
    if request is not None and packages is not None:
        lock = packages_lock(request, packages)
        contents[REQUIREMENTS_FILE] = packages.text.encode()
    elif isinstance(spec.code, QueryCode):
        lock = {}
    else:
        lock = lock_environment(spec.kernel if isinstance(spec.code, NotebookCode) else None)
    contents[LOCK_FILE] = lock_bytes(lock)
    if isinstance(spec.code, QueryCode):
        contents[QUERY_FILE] = spec.code.ingest.query.encode()
    return contents


def read_code_files(spec: PipelineSpec, folder: Path) -> dict[str, bytes]:
    """Return the files that a spec names, read below `folder`.

    Raises
    ------
    PathNotFoundError
        One of them is missing.
    InvalidInputError
        One leads outside the folder, is no regular file, or is larger than 64 MiB.
    """
    files: dict[str, bytes] = {}
    for path in code_paths(spec):
        place = place_below(folder, path)
        if not place.is_file():
            raise PathNotFoundError(
                f"Pipeline {spec.name!r} needs the file {str(folder / path)!r}, which is not there",
                hint="Paths are relative to the spec",
                path=path,
            )
        if place.stat().st_size > MAX_HELPER_BYTES:
            raise InvalidInputError(
                f"The file {path!r} is larger than {MAX_HELPER_BYTES >> 20} MiB",
                kind=ErrorKind.INVALID_SPEC,
                hint="Put data into a repo and read it as an input",
                path=path,
            )
        files[path] = place.read_bytes()
    return files


def place_below(folder: Path, path: str) -> Path:
    """Return where a file of a spec is, or raise `InvalidInputError` if links lead elsewhere."""
    root = folder.resolve()
    place = (root / parse_path(path)).resolve()
    if not place.is_relative_to(root):
        raise InvalidInputError(
            f"The file {path!r} leads outside {folder}", kind=ErrorKind.INVALID_PATH, path=path
        )
    return place


def read_published_files(spec: PipelineSpec, code: Snapshot) -> dict[str, bytes]:
    """Return the files that a spec names as they were published with a version of it.

    Raises
    ------
    PathNotFoundError
        One of them was not published with it.
    """
    files: dict[str, bytes] = {}
    for path in code_paths(spec):
        place = parse_path(path)
        if code.find(place) is None:
            raise PathNotFoundError(
                f"Pipeline {spec.name!r} was published without the file {path!r}",
                hint="Publish it from the folder that holds its files",
                path=path,
            )
        files[path] = code.read(place)
    return files


def describe_code(spec: PipelineSpec) -> str:
    """Return what a pipeline runs, as people read it."""
    match spec.code:
        case NotebookCode(path):
            return path
        case CommandCode(argv):
            return json.dumps(list(argv))
        case QueryCode(ingest):
            return f"query on {ingest.connection}"
