"""Deferring: inputs whose commits run a pipeline only when enough has come in.

Nothing is counted up. What has come in is what lies between the commit that the pipeline's last job
reads and the head of the branch, looked up each time: a crash can lose no count, and a job that
ran for another reason began it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Commit, Origin
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.jobs import Job, JobState, Outcome
from jupyter_datalake.model.manifests import diff_manifests
from jupyter_datalake.model.pipelines import (
    BranchTrigger,
    InputWait,
    RepoInput,
    keyed_inputs,
)
from jupyter_datalake.model.schedules import parse_schedule
from jupyter_datalake.pipelines.resolving import resolve_inputs

T = TypeVar("T")

_STEP = 100
MOST_COMMITS = 10_000
"""So many commits are looked back for the one that was read last; more count as so many."""


class _SizesUnknownError(Exception):
    """Commits have to be measured first, outside of the transaction."""

    def __init__(self, commits: Sequence[tuple[Commit, Commit | None]]) -> None:
        super().__init__()
        self.commits = commits


class Arrivals:
    """Knows what commits added. Sizes are kept while this lives; commits do not change."""

    def __init__(self, core: LakeCore) -> None:
        self._core = core
        self._added: dict[CommitId, int] = {}

    def settled(self, look: Callable[[], T]) -> T:
        """Return what `look` returns, called again when it needed what had to be measured.

        Trees are read between the calls, never inside of a transaction of theirs.
        """
        while True:
            try:
                return look()
            except _SizesUnknownError as unknown:
                for commit, parent in unknown.commits:
                    self._added[commit.id] = self._measure(commit, parent)

    def size_of(self, commits: Sequence[tuple[Commit, Commit | None]]) -> int:
        """Return the bytes of the files that commits added or changed, each with its parent."""
        unknown = [pair for pair in commits if pair[0].id not in self._added]
        if unknown:
            raise _SizesUnknownError(unknown)
        return sum(self._added[commit.id] for commit, _ in commits)

    def _measure(self, commit: Commit, parent: Commit | None) -> int:
        if parent is None:
            return commit.size_bytes
        differences = diff_manifests(self._core.nodes, parent.root, commit.root)
        return sum(one.new.size_bytes for one in differences if one.new is not None)


def deferred_inputs(row: PipelineRow) -> dict[str, RepoInput]:
    """Return the inputs of a pipeline that have a trigger, by key."""
    keyed = keyed_inputs(row.pipeline.spec)
    return {key: leaf for key, leaf in keyed.items() if leaf.trigger is not None}


def waits_of(
    tx: Transaction,
    arrivals: Arrivals,
    row: PipelineRow,
    heads: dict[str, CommitId] | None = None,
) -> list[InputWait]:
    """Return what came in through each input that has a trigger, and whether it is enough.

    Called by way of `Arrivals.settled`. Cost: the commits since the pipeline's last job.

    Parameters
    ----------
    heads
        Only inputs with these keys, up to these commits; all, up to now, when None.
    """
    inputs = deferred_inputs(row)
    if heads is not None:
        inputs = {key: leaf for key, leaf in inputs.items() if key in heads}
    if not inputs:
        return []
    read = _last_read(tx, row, set(inputs))
    found = []
    for key, leaf in inputs.items():
        assert leaf.trigger is not None
        head = heads[key] if heads is not None else _head_of(tx, leaf)
        came = _came_in(tx, head, read.get(key))
        found.append(_wait(tx, arrivals, key, leaf, leaf.trigger, came))
    return found


def _head_of(tx: Transaction, leaf: RepoInput) -> CommitId:
    return tx.refs.get(tx.repos.get(leaf.repo), leaf.branch).commit_id


def _last_read(tx: Transaction, row: PipelineRow, keys: set[str]) -> dict[str, CommitId]:
    """Return the commit that each input was at in the newest job that read it, or will."""
    found: dict[str, CommitId] = {}
    before: int | None = None
    while jobs := tx.jobs.list(pipeline=row.pipeline.name, before=before, limit=_STEP):
        for job in jobs:
            for key, commit_id in _inputs_of(tx, job, row).items():
                found.setdefault(key, commit_id)
            if keys <= set(found):
                return found
        before = jobs[-1].number
    return found


def _inputs_of(tx: Transaction, job: Job, row: PipelineRow) -> dict[str, CommitId]:
    if job.inputs:
        return job.inputs
    if job.state is JobState.CANCELLED or job.outcome is Outcome.CUT_OFF:
        return {}  # it ended before it read anything
    return resolve_inputs(tx, job, row)


def _came_in(
    tx: Transaction, head: CommitId, last: CommitId | None
) -> list[tuple[Commit, Commit | None]]:
    """Return the commits from `head` back to the last one read, newest first, with their parents.

    A last one that is not in the line any more, because the branch was reset, ends nothing.
    """
    came: list[tuple[Commit, Commit | None]] = []
    while len(came) < MOST_COMMITS and head != last:
        # One more than is taken: the parent of the oldest.
        ids = tx.commits.first_parents(head, limit=_STEP + 1)
        commits = tx.commits.get_many(ids)
        for commit_id, parent_id in zip(ids, [*ids[1:], None], strict=True):
            commit = commits.get(commit_id)
            is_begin = commit is None or commit.provenance.origin is Origin.REPO
            if commit is None or is_begin or commit_id == last:
                return came
            if parent_id is None and len(ids) > _STEP:
                head = commit_id
                break
            came.append((commit, None if parent_id is None else commits.get(parent_id)))
        else:
            return came
    return came


def _wait(
    tx: Transaction,
    arrivals: Arrivals,
    key: str,
    leaf: RepoInput,
    trigger: BranchTrigger,
    came: list[tuple[Commit, Commit | None]],
) -> InputWait:
    size = None if trigger.size_bytes is None else arrivals.size_of(came)
    since = came[-1][0].created_at if came else None
    tick: datetime | None = None
    holds: list[bool] = []
    if trigger.commits is not None:
        holds.append(len(came) >= trigger.commits)
    if trigger.size_bytes is not None:
        holds.append((size or 0) >= trigger.size_bytes)
    if trigger.schedule:
        now = time_of(tx.now_ns)
        tick = parse_schedule(trigger.schedule, trigger.zone).next_after(since or now)
        holds.append(since is not None and tick <= now)
        tick = tick if tick > now else None
    enough = all(holds) if trigger.needs_all else any(holds)
    return InputWait(
        key, leaf.repo, leaf.branch, len(came), size, since, tick, trigger, bool(came) and enough
    )
