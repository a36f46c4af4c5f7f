"""Cutting: the datums that a pipeline's inputs are cut into, given the commits they read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.ids import CommitId, digest_of
from jupyter_datalake.model.paths import ROOT, RepoPath
from jupyter_datalake.model.pipelines import PipelineSpec, RepoInput, combine, iter_leaves


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


def preview(
    core: LakeCore, spec: PipelineSpec, commits: dict[str, CommitId], *, limit: int
) -> tuple[list[tuple[DatumInput, ...]], bool]:
    """Return the first datums of a spec, and whether there are more."""
    cut = cut_inputs(core, spec, commits, core.clock())
    first = list(islice(cut, limit + 1))
    return first[:limit], len(first) > limit
