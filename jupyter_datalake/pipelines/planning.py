"""Planning: the datums of a pipeline over given commits, and the keys that name their results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.jobs.environments import LOCK_FILE, lock_digest
from jupyter_datalake.jobs.notebooks import module_digest, notebook_digest, parse_notebook
from jupyter_datalake.model.datums import DatumInput, datum_key
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipelines import (
    CommandCode,
    NotebookCode,
    PipelineSpec,
    QueryCode,
    repo_inputs,
)
from jupyter_datalake.model.written_specs import spec_as_dict
from jupyter_datalake.pipelines.cutting import cut_inputs


@dataclass(frozen=True, slots=True)
class PlannedDatum:
    """One datum before it runs."""

    key: Digest
    inputs: tuple[DatumInput, ...]


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """What of a version goes into datum keys."""

    code: Digest
    environment: Digest


def code_version(core: LakeCore, spec: PipelineSpec, code: CommitId) -> CodeVersion:
    """Return the digests of a published version's code and environment lock."""
    tree = core.snapshot(commit_by_id(core, code))

    def read(path: str) -> bytes:
        return tree.read(RepoPath(path))

    return CodeVersion(code_digest(spec, read), lock_digest(read(LOCK_FILE)))


def code_digest(spec: PipelineSpec, read: Callable[[str], bytes]) -> Digest:
    """Return the digest of a pipeline's code: equal for code that does the same.

    Parameters
    ----------
    read
        Returns a file that the spec names.
    """
    match spec.code:
        case NotebookCode(path):
            main: object = [
                "notebook",
                notebook_digest(parse_notebook(read(path), path)),
                spec.kernel,
            ]
        case CommandCode(argv):
            main = ["command", list(argv)]
        case QueryCode():
            ingest = spec_as_dict(spec)["ingest"]
            main = ["query", json.dumps(ingest, sort_keys=True)]
    gives = sorted(one.name for one in repo_inputs(spec) if one.gives_match)
    helpers = [[path, module_digest(read(path), path)] for path in sorted(spec.files)]
    paths = [list(pair) for pair in sorted(spec.paths.items())]
    told = [gives, paths] if paths else [gives] if gives else []
    return digest_of(pack_canonical([main, helpers, *told]))


def plan_datums(
    core: LakeCore,
    spec: PipelineSpec,
    version: CodeVersion,
    commits: dict[str, CommitId],
    tick_ns: int | None,
) -> Iterator[PlannedDatum]:
    """Yield the datums of a pipeline over given commits, each with its key, in a stable order."""
    for inputs in cut_inputs(core, spec, commits, tick_ns):
        yield planned_datum(spec, version, inputs)


def planned_datum(
    spec: PipelineSpec, version: CodeVersion, inputs: tuple[DatumInput, ...]
) -> PlannedDatum:
    """Return a datum with its key."""
    key = datum_key(spec.name, inputs, version.code, spec.parameters, version.environment)
    return PlannedDatum(key, inputs)
