"""Lineage: which data and which code made this, and what was made from it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.engine.core import new_id
from jupyter_datalake.engine.renames import change_at, difference_range
from jupyter_datalake.errors import (
    AlreadyExistsError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.controllers import local_executor
from jupyter_datalake.lake.graphs import GraphBuilder
from jupyter_datalake.model.addresses import Address, parse_address
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import CODE_INPUT, Commit, Origin
from jupyter_datalake.model.datums import Datum
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.lineage import (
    MAX_OPENED,
    GlobalRecord,
    LineageGraph,
    LineageStep,
    Observation,
)
from jupyter_datalake.model.manifests import diff_manifests
from jupyter_datalake.model.paths import ROOT, RepoPath, parse_path
from jupyter_datalake.model.reproductions import (
    REPRODUCTION_LEASE,
    EnvironmentWish,
    ReproducedStep,
    Reproduction,
    Verdict,
)
from jupyter_datalake.model.text import printable
from jupyter_datalake.model.times import nanoseconds_of
from jupyter_datalake.pipelines.inheriting import iter_datums
from jupyter_datalake.pipelines.recalling import (
    Recorded,
    makers_of,
    recall_commit,
    recall_job,
)
from jupyter_datalake.pipelines.reproducing import Reproducer, Wish

_EVENT_PATHS = 20
_MAX_STEPS = 10_000
_MAX_USES = 1_000


@dataclass(frozen=True, slots=True)
class FileUse:
    """A datum that read a file, and what its job made."""

    repo: str
    """Of the output, as `commit_id`."""
    commit_id: CommitId
    job_id: str
    position: int
    """Of the datum in its job."""
    name: str
    """Of the input."""
    path: RepoPath
    """What the input matched: the file, a folder around it, or something in it."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a commit comes from and where it went."""

    commit: Commit
    upstream: Sequence[LineageStep]
    """What it was made from, nearest first."""
    downstream: Sequence[LineageStep]
    """What was made from it, nearest first."""
    makers: Sequence[Datum]
    """For a path in an output: the datums that wrote it, with the files they read."""
    opened: Sequence[Observation]
    """What these were seen to open: of lazy inputs, and in the lake by its name; the newest
    `MAX_OPENED`."""
    uses: Sequence[FileUse] = ()
    """For a path: the datums that read it, of the outputs made directly from this commit; so many
    of them as one looks at."""


@dataclass(frozen=True, slots=True)
class GlobalLineage:
    """One change and everything that hangs on it."""

    record: GlobalRecord
    jobs: Sequence[Job]
    """In the order they were created: upstream first."""
    commits: Sequence[Commit]
    """Oldest first."""


def _meet(one: RepoPath, other: RepoPath) -> bool:
    """Tell whether a path is another one, or in it, or around it."""
    return one in (ROOT, other) or f"{one}/".startswith(f"{other}/") or other.startswith(f"{one}/")


class LineageVerbs:
    """`lake.lineage`: what was made from what."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self, *, before: datetime | str | None = None, limit: int | None = 100
    ) -> Sequence[GlobalRecord]:
        """Return global ids, newest first: each is one change and all it set off.

        Parameters
        ----------
        before
            Only those begun before this moment, ISO 8601 if it is text: the next page begins
            before the last one of this.
        """
        before_ns = None if before is None else nanoseconds_of(before)
        with self._context.core.metadata.read() as tx:
            return tx.lineage.list(before_ns=before_ns, limit=limit_of(limit))

    def get(self, address: str | Address) -> Lineage:
        """Return the ancestry and the progeny of a commit.

        With a path, also what made this file, the datums that wrote it, where a pipeline made the
        commit; and what uses it, the datums that read it.

        Raises
        ------
        PathNotFoundError
            The commit has no such path.
        """
        place = parse_address(address) if isinstance(address, str) else address
        commit = self._context.history.resolve(place.repo, place.ref)
        if place.path:
            self._context.core.snapshot(commit).get(place.path, measure=False)
        with self._context.core.metadata.read() as tx:
            upstream = tx.lineage.walk(commit.id, upstream=True, limit=_MAX_STEPS)
            downstream = tx.lineage.walk(commit.id, upstream=False, limit=_MAX_STEPS)
        if not place.path:
            return Lineage(commit, upstream, downstream, [], [])
        makers = self._makers(commit, place.path)
        uses = islice(self._uses(commit, place.path, downstream), _MAX_USES)
        return Lineage(commit, upstream, downstream, makers, self._opened(commit, makers), [*uses])

    def get_global(self, global_id: str) -> GlobalLineage:
        """Return the jobs and commits under the global id that begins so."""
        with self._context.core.metadata.read() as tx:
            record = tx.lineage.get(global_id)
            jobs = tx.jobs.list(global_id=record.id, limit=limit_of(None))
            return GlobalLineage(
                record,
                sorted(jobs, key=lambda job: job.number),
                tx.commits.by_global_id(record.id),
            )

    def graph(
        self, global_id: str | None = None, *, at: datetime | str | None = None
    ) -> LineageGraph:
        """Return the graph of repos, pipelines, clocks, warehouse tables and notebooks.

        Notebooks are in it that were seen to open files; those edges are told apart as observed.

        Parameters
        ----------
        global_id
            Keep only what hangs on this change, with its states; everything, with the state of
            each pipeline's newest job, when None.
        at
            The graph as it was at this moment, ISO 8601 if it is text: what there was of what is
            still there, with the heads, versions and states of then. A repo or pipeline that was
            deleted since is not in it.

        Raises
        ------
        InvalidInputError
            Both are given, or the moment cannot be read.
        """
        if global_id is not None and at is not None:
            raise InvalidInputError(
                "A graph is either of a change or as of a moment, not both",
                hint="Leave out one of global_id and at",
            )
        # To the end of the microsecond that people can write.
        at_ns = None if at is None else nanoseconds_of(at) + 999
        with self._context.core.metadata.read() as tx:
            change = None if global_id is None else tx.lineage.get(global_id).id
            return GraphBuilder(tx, change, at_ns).build()

    def observed(
        self,
        repo: str | None = None,
        *,
        session: str | None = None,
        notebook: str | None = None,
        job: str | None = None,
        datum: int | None = None,
        limit: int | None = 100,
    ) -> Sequence[Observation]:
        """Return which files processes were seen to open, newest first, and by what means.

        FUSE mounts see everybody; this library sees what kernels and jobs read and write by it;
        a kernel that loaded the extension says what it opens in checkouts. Of inputs that are lazy
        the datum is known that opened a file. It is written down every two seconds and kept for 90
        days.

        Parameters
        ----------
        repo
            Only files of this repo.
        session
            Only files of the session that was mounted.
        notebook
            Only what the kernel of this notebook opened, or a program that it started; as the
            Jupyter server names it, or relative to the working directory.
        job, datum
            Only what this job, or one of its datums, opened: the beginning of
            the job's id, and the datum's position.
        """
        notebooks = None if notebook is None else (notebook, os.path.abspath(notebook))
        with self._context.core.metadata.read() as tx:
            if repo is not None:
                tx.repos.get(repo)
            return tx.lineage.list_observed(
                repo=repo,
                session_id=session,
                notebooks=notebooks,
                job_id=None if job is None else tx.jobs.get(job).id,
                datum=datum,
                limit=limit_of(limit),
            )

    def _makers(self, commit: Commit, path: RepoPath) -> Sequence[Datum]:
        core, job_id = self._context.core, commit.provenance.job_id
        with core.metadata.read() as tx:
            job = None if job_id is None else tx.jobs.find(job_id)
        if job is None:
            return []
        return makers_of(core, job, path)

    def _opened(self, commit: Commit, makers: Sequence[Datum]) -> Sequence[Observation]:
        found: list[Observation] = []
        job_id = commit.provenance.job_id
        with self._context.core.metadata.read() as tx:
            for datum in makers:
                left = MAX_OPENED - len(found)
                if left and job_id is not None:
                    found += tx.lineage.list_observed(
                        job_id=job_id, datum=datum.position, limit=left
                    )
        return found

    def _uses(
        self, commit: Commit, path: RepoPath, downstream: Sequence[LineageStep]
    ) -> Iterator[FileUse]:
        """Yield the datums that read a path, of the jobs that read the commit."""
        core = self._context.core
        near = {
            step.commit_id: step.name
            for step in downstream
            if step.depth == 1 and step.name != CODE_INPUT
        }
        with core.metadata.read() as tx:
            made = tx.commits.get_many(near)
            found = {one.id: tx.jobs.find(one.provenance.job_id or "") for one in made.values()}
        for commit_id, key in near.items():
            job = found.get(commit_id)
            for datum in () if job is None else iter_datums(core, job):
                for given in datum.inputs:
                    # What was inherited may name an older commit that has the same there.
                    if (given.key or given.name) == key and _meet(given.path, path):
                        yield FileUse(
                            made[commit_id].repo,
                            commit_id,
                            datum.job_id,
                            datum.position,
                            given.name,
                            given.path,
                        )

    # --- running it again ------------------------------------------------------------------------

    def reproduce(
        self,
        address: str | Address | None = None,
        *,
        job: str | None = None,
        datum: int | None = None,
        upstream: int | Literal["all"] = 0,
        environment: EnvironmentWish | str = EnvironmentWish.CURRENT,
        twice: bool = False,
        dry_run: bool = False,
        steps: bool = True,
        into: str | Path | None = None,
        workers: int | None = None,
        limit: int = 100,
        executor: Executor | None = None,
    ) -> Reproduction:
        """Run again what made a commit, and compare what comes of it with what was recorded.

        Inputs, code and parameters are those of the commit's provenance, whatever the pipeline is
        now. Nothing is committed: no branch moves, and no job knows of it. No controller is
        needed, and one that runs does not mind: slots of resources are not taken from it, though no
        more datums run at once than these allow. A whole output is held against what the pipeline
        expects. An event ``reproduction.ended`` tells the verdict, and for a day
        `list_differences` gives all that differs.

        Parameters
        ----------
        address
            A commit that a pipeline made; with a path, only the datums that wrote it are run, as
            far as that is known, and only what is at and below it is compared.
        job
            A job, in place of an address: the beginning of its id.
        datum
            Only this datum of the job, compared with what it wrote then.
        upstream
            So many steps of what it was made from are run again too, each from the inputs that
            were recorded for it; ``all`` for the whole chain.
        environment
            ``current`` runs in what this machine has, and tells what is not as it was locked.
            Where there is such a difference, ``locked`` has uv build an environment of the names
            and versions in the lock, and runs nothing where that cannot be.
        twice
            Run what differs once more: where these two differ as well, the code does not give the
            same twice, and no change of the environment need be looked for.
        dry_run
            Run nothing: tell what would be run, and what of the environment differs.
        steps
            Whether ``on_start`` and ``finally`` are run around the datums, as in a job. They are
            told ``reproduction`` as ``DATALAKE_JOB_TRIGGER``.
        into
            A new or empty folder that gets the tree which was made.
        workers
            Datums that run at once; 2 by default.
        limit
            So many of the paths that differ are told, of each step.
        executor
            Where datums run; worker processes of this machine when None.

        Raises
        ------
        InvalidInputError
            No job made the commit, or not exactly one of address and job is given.
        StateError
            The job made nothing.
        NotFoundError
            There is no such commit, path, job or datum.
        """
        wanted = EnvironmentWish(environment)
        target = None if into is None else _empty_folder(Path(into))
        subject, recorded, path = self._recall(address, job, datum)
        wish = Wish(path, datum, wanted, twice=twice, limit=limit, runs_steps=steps)
        chain = [*self._upstream_of(recorded, upstream), recorded]
        if dry_run:
            with Reproducer(self._context.core, None) as reproducer:
                looked_at = tuple(_run_all(reproducer, chain, wish))
                return Reproduction(reproducer.id, subject, looked_at)
        own = None
        if executor is None:
            count = ControllerConfig().workers if workers is None else workers
            own = executor = local_executor(self._context.core, ControllerConfig(workers=count))
        try:
            with Reproducer(self._context.core, executor) as reproducer:
                ran = tuple(_run_all(reproducer, chain, wish))
                if target is not None:
                    reproducer.export(ran[-1], target)
                done = Reproduction(reproducer.id, subject, ran)
        except DatalakeError as error:
            with suppress(StorageError):
                self._tell(new_id(), subject, Verdict.FAILED, error=str(error))
            raise
        finally:
            if own is not None:
                own.close()
        steps_told = [_told(step) for step in done.steps]
        self._tell(done.id, subject, done.verdict, path=path, steps=steps_told)
        return done

    def list_differences(
        self,
        reproduction: str,
        *,
        step: int = -1,
        after: str | None = None,
        limit: int | None = 100,
    ) -> Sequence[Change]:
        """Return the paths on which what was made again differs from what was recorded, in order.

        The trees are kept for a day behind the end of the reproduction.

        Parameters
        ----------
        reproduction
            Its id, as `reproduce` and the event ``reproduction.ended`` tell it.
        step
            Of several jobs that were run, the number of one, from 0, or from the end if it is
            negative: the last one is what was asked for.
        after
            The last path of the page before.

        Raises
        ------
        NotFoundError
            No reproduction with such a step has ended, or its trees are not kept any more.
        """
        core = self._context.core
        with core.metadata.read() as tx:
            event = tx.events.find(EventKind.REPRODUCTION_ENDED, reproduction)
            is_kept = tx.leases.holder(f"{REPRODUCTION_LEASE}{reproduction}") is not None
        told = [] if event is None else event.details.get("steps", [])
        if event is None or not -len(told) <= step < len(told):
            raise NotFoundError(
                f"No reproduction {reproduction!r} with step {step} has ended",
                kind=ErrorKind.COMMIT_NOT_FOUND,
                hint="'datalake events list' shows those that have, as reproduction.ended",
            )
        one = told[step]
        if not one["change_count"]:
            return []
        if not is_kept:
            raise NotFoundError(
                f"What reproduction {reproduction} made is not kept any more",
                kind=ErrorKind.COMMIT_NOT_FOUND,
                hint="Reproduce it once more: differences can be listed for a day",
            )
        is_last = step in {-1, len(told) - 1}
        below = RepoPath(event.details["path"]) if is_last else ROOT
        start, end = difference_range(below, parse_path(after or "/"))
        old, new = (Digest(bytes.fromhex(one[key])) for key in ("recorded_root", "made_root"))
        found = diff_manifests(core.nodes, old, new, start, end)
        return [change_at(difference) for difference in islice(found, limit_of(limit))]

    def _recall(
        self, address: str | Address | None, job: str | None, datum: int | None
    ) -> tuple[str, Recorded, RepoPath]:
        """Return what was asked for, what is recorded of it, and the path in it."""
        core = self._context.core
        if (address is None) == (job is None):
            raise InvalidInputError(
                "What is to be reproduced is not clear",
                hint="Name either an address, such as features@main, or a job",
            )
        if job is not None:
            with core.metadata.read() as tx:
                found = tx.jobs.get(job)
            return found.id, recall_job(core, found), ROOT
        assert address is not None
        place = parse_address(address) if isinstance(address, str) else address
        if place.path and datum is not None:
            raise InvalidInputError(
                f"{place} names a path, and datum {datum} is asked for too",
                hint="Name the commit without a path, or leave the datum out",
            )
        commit = self._context.history.resolve(place.repo, place.ref)
        if place.path:
            core.snapshot(commit).get(place.path, measure=False)
        return str(place), recall_commit(core, commit), place.path

    def _upstream_of(self, recorded: Recorded, steps: int | Literal["all"]) -> Sequence[Recorded]:
        """Return what jobs made of all that an output was made from, oldest first."""
        if not steps:
            return []
        core = self._context.core
        near: set[CommitId] = set()
        with core.metadata.read() as tx:
            for commit_id in recorded.inputs.values():
                near.add(commit_id)
                for step in tx.lineage.walk(commit_id, upstream=True, limit=_MAX_STEPS):
                    if step.name != CODE_INPUT and (steps == "all" or step.depth < steps):
                        near.add(step.commit_id)
            commits = tx.commits.get_many(near).values()
        made = [one for one in commits if one.provenance.origin is Origin.JOB]
        made.sort(key=lambda one: (one.time_ns, one.id))  # what is read is older than what is made
        return [recall_commit(core, one) for one in made]

    def _tell(self, identifier: str, subject: str, verdict: Verdict, **more: Any) -> None:
        with self._context.core.metadata.write() as tx:
            tx.events.append(
                EventKind.REPRODUCTION_ENDED,
                identifier,
                subject=subject,
                verdict=str(verdict),
                by=str(self._context.author),
                **more,
            )


def _told(step: ReproducedStep) -> dict[str, Any]:
    """Return what an event tells of a step."""
    return {
        "repo": step.repo,
        "commit_id": step.commit_id,
        "verdict": str(step.verdict),
        "message": step.message,
        "change_count": step.change_count,
        "recorded_root": step.recorded_root.hex(),
        "made_root": None if step.made_root is None else step.made_root.hex(),
        "paths": [printable(one.path) for one in step.changes[:_EVENT_PATHS]],
        "environment": list(step.environment[:_EVENT_PATHS]),
        "unexpected": list(step.unexpected[:_EVENT_PATHS]),
        "is_repeatable": step.is_repeatable,
    }


def _run_all(
    reproducer: Reproducer, chain: Sequence[Recorded], wish: Wish
) -> Iterator[ReproducedStep]:
    """Run outputs again; only of the last one a path or a datum may be chosen."""
    for recorded in chain[:-1]:
        yield reproducer.run(recorded, replace(wish, path=ROOT, position=None))
    yield reproducer.run(chain[-1], wish)


def _empty_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExistsError(
            f"{str(folder)!r} is there already, and is no empty folder",
            kind=ErrorKind.PATH_EXISTS,
            hint="Name a new folder for what is made",
            path=str(folder),
        )
    return folder
