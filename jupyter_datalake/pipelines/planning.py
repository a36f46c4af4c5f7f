"""Planning: the datums of a pipeline over given commits, and the keys that name their results."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.jobs.environments import LOCK_FILE, lock_digest
from jupyter_datalake.jobs.notebooks import module_digest, notebook_digest, parse_notebook
from jupyter_datalake.model.datums import DatumInput, DatumResult, datum_key
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipeline_specs import spec_as_dict
from jupyter_datalake.model.pipelines import (
    CommandCode,
    NotebookCode,
    PipelineSpec,
    QueryCode,
)
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
    environment = lock_digest(tree.read(RepoPath(LOCK_FILE)))
    match spec.code:
        case NotebookCode(path):
            main: object = [
                "notebook",
                notebook_digest(parse_notebook(tree.read(RepoPath(path)), path)),
                spec.kernel,
            ]
        case CommandCode(argv):
            main = ["command", list(argv)]
        case QueryCode():
            ingest = spec_as_dict(spec)["ingest"]
            main = ["query", json.dumps(ingest, sort_keys=True)]
    helpers = [
        [path, module_digest(tree.read(RepoPath(path)), path)] for path in sorted(spec.files)
    ]
    return CodeVersion(digest_of(pack_canonical([main, helpers])), environment)


def plan_datums(
    core: LakeCore,
    spec: PipelineSpec,
    code: CommitId,
    commits: dict[str, CommitId],
    tick_ns: int | None,
) -> list[PlannedDatum]:
    """Return the datums of a pipeline over given commits, each with its key."""
    version = code_version(core, spec, code)
    return [
        PlannedDatum(
            datum_key(spec.name, inputs, version.code, spec.parameters, version.environment),
            inputs,
        )
        for inputs in cut_inputs(core, spec, commits, tick_ns)
    ]


def known_results(core: LakeCore, planned: list[PlannedDatum]) -> dict[Digest, DatumResult]:
    """Return the remembered results of planned datums."""
    with core.metadata.read() as tx:
        return tx.datums.known(datum.key for datum in planned)
