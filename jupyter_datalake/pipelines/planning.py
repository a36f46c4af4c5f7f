"""Planning: the datums of a pipeline over given commits, and the keys that name their results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.jobs.environments import LOCK_FILE, lock_digest
from jupyter_datalake.jobs.notebooks import module_digest, notebook_digest, parse_notebook
from jupyter_datalake.model.datums import DatumInput, DatumResult, datum_key
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.paths import ROOT, RepoPath
from jupyter_datalake.model.pipeline_specs import spec_as_dict
from jupyter_datalake.model.pipelines import (
    CommandCode,
    NotebookCode,
    PipelineSpec,
    QueryCode,
    RepoInput,
    combine,
    iter_leaves,
)


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


class TreeForGlobs:
    """A snapshot as globs see it: the root knows whether it holds anything."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def list(self, path: RepoPath) -> Iterator[FileInfo]:
        """Yield the children of a folder, by name."""
        return self._snapshot.list(path)

    def find(self, path: RepoPath) -> FileInfo | None:
        """Return what is at a path, or None."""
        return self._snapshot.find(path, measure=path == ROOT)


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


def cut_inputs(
    core: LakeCore, spec: PipelineSpec, commits: dict[str, CommitId], tick_ns: int | None
) -> Iterator[tuple[DatumInput, ...]]:
    """Yield the datums of a pipeline over given commits, in a stable order.

    Parameters
    ----------
    commits
        Input name to the commit to read.
    tick_ns
        The time that cron inputs stand for; None before the first tick, which cuts nothing.
    """
    pieces: dict[str, list[DatumInput]] = {}
    for leaf in iter_leaves(spec.input):
        if isinstance(leaf, RepoInput):
            commit_id = commits[leaf.name]
            tree = core.snapshot(commit_by_id(core, commit_id))
            pieces[leaf.name] = [
                DatumInput(
                    name=leaf.name,
                    repo=leaf.repo,
                    commit_id=commit_id,
                    path=match.path,
                    digest=tree.content_digest(match.path),
                    size_bytes=tree.get(match.path).size_bytes,
                )
                for match in parse_glob(leaf.glob).matches_in(TreeForGlobs(tree))
            ]
        else:
            pieces[leaf.name] = [] if tick_ns is None else [_tick_input(leaf.name, tick_ns)]
    yield from combine(spec.input, pieces)


def _tick_input(name: str, tick_ns: int) -> DatumInput:
    moment = str(tick_ns)
    return DatumInput(name, None, None, RepoPath(moment), digest_of(moment.encode()))


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


def preview(
    core: LakeCore, spec: PipelineSpec, commits: dict[str, CommitId], *, limit: int
) -> tuple[list[tuple[DatumInput, ...]], bool]:
    """Return the first datums of a spec, and whether there are more."""
    cut = cut_inputs(core, spec, commits, core.clock())
    first = list(islice(cut, limit + 1))
    return first[:limit], len(first) > limit
