"""Reproducing: running again what made an output, from the same inputs, and comparing the trees.

It moves no branch, makes no job, and neither uses nor changes what is remembered of datums. What
the datums write is stored as that of jobs is and held by a lease of the reproduction's own; when it
ends, gc may have it, but for trees that differ: these are kept for a day, so that their differences
can be listed.

The steps `on_start` and `finally` run as in a job: they leave no output, but what the first starts
or fetches may be what the datums need, and what it claims only the last gives back. Slots of
resources are the controller's; so many datums as these allow run here, whatever runs there.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.renames import change_at, difference_range
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.text_diff import diff_texts
from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    MissingDependencyError,
    NotFoundError,
)
from jupyter_datalake.jobs.environments import (
    LOCK_FILE,
    differences,
    lock_environment,
    platform_name,
)
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.outputs import OutputJoiner
from jupyter_datalake.jobs.packages import rebuilt
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.workspace import job_folder
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.datums import DatumState, label_of
from jupyter_datalake.model.environments import Wanted
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import diff_manifests
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import ROOT, RepoPath
from jupyter_datalake.model.pipelines import NotebookCode, QueryCode, without_keeping
from jupyter_datalake.model.reproductions import (
    REPRODUCTION_LEASE,
    EnvironmentWish,
    ReproducedStep,
    TextChange,
    Verdict,
)
from jupyter_datalake.pipelines.building import build, build_environment
from jupyter_datalake.pipelines.datum_loop import AfterFailure, after_failure, places
from jupyter_datalake.pipelines.recalling import (
    Piece,
    Recorded,
    all_pieces,
    datum_at,
    pieces_of_path,
)
from jupyter_datalake.pipelines.surroundings import Around, Surroundings

KEEP_S = 24 * 3600.0
"""How long trees that differ are kept behind the end of their reproduction."""

_LEASE_S = 60.0
_WAIT_S = 0.2
_BUNDLE_MAX = 32
_SHORT_S = 0.05
_TEXTS = 3
_TEXT_BYTES = 256 * 1024
_HUNKS = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run again, and how it is looked at."""

    path: RepoPath = ROOT
    """Only the datums that wrote what is at and below this path."""
    position: int | None = None
    """Only this datum of the job."""
    environment: EnvironmentWish = EnvironmentWish.CURRENT
    twice: bool = False
    """Whether what differs is run once more, to tell code that never gives the same."""
    limit: int = 100
    """So many of the paths that differ are told."""
    runs_steps: bool = True
    """Whether the steps `on_start` and `finally` are run around the datums."""


class Reproducer:
    """Runs outputs again, one after another. A context manager: it holds what it makes.

    Parameters
    ----------
    executor
        Where datums run; None only to look at what would be done.
    """

    def __init__(self, core: LakeCore, executor: Executor | None) -> None:
        self._core = core
        self._executor = executor
        self._renewed = 0.0
        self.id = new_id()
        self._lease = f"{REPRODUCTION_LEASE}{self.id}"
        self._different: list[Digest] = []

    def __enter__(self) -> Self:
        if self._executor is not None:
            self._remove_strays()
            self._hold()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Let go of everything that was made, but for trees that differ, which stay for a day."""
        if self._executor is None:
            return
        owner = job_owner(self.id)
        with self._core.metadata.write() as tx:
            tx.pins.release(owner)
            if self._different:
                tx.pins.add(owner, [(BlobKind.NODE, root) for root in self._different])
                tx.leases.acquire(self._lease, self.id, KEEP_S)
            else:
                tx.leases.forget(self._lease)
        shutil.rmtree(job_folder(self._core, self.id), ignore_errors=True)

    def run(self, recorded: Recorded, wish: Wish) -> ReproducedStep:
        """Run an output again and compare; what keeps it from being run is a verdict, no error.

        Memory: some hundred bytes for each datum.

        Raises
        ------
        JobCancelledError
            The executor was closed.
        StorageError
            The store or the database is away, or the disk is full.
        """
        started = time.monotonic()
        environment: tuple[str, ...] = ()
        try:
            environment = tuple(environment_differences(self._core, recorded))
            step = self._run(recorded, wish, environment)
        except DatalakeError as error:
            verdict = _verdict_of(error)
            if verdict is None:
                raise
            step = _step(recorded, verdict, environment, message=str(error))
        return replace(step, duration_s=time.monotonic() - started)

    def export(self, step: ReproducedStep, folder: Path) -> None:
        """Write the tree that was made into a folder, if one was."""
        if step.made_root is not None:
            self._core.tree(step.made_root, "what was made again").export_into(ROOT, folder)

    # --- one output ------------------------------------------------------------------------------

    def _run(self, recorded: Recorded, wish: Wish, environment: tuple[str, ...]) -> ReproducedStep:
        own = None
        if wish.environment is EnvironmentWish.LOCKED and environment:
            own = _rebuilt(self._core, recorded)
            if own is None:
                return _step(
                    recorded, Verdict.IMPOSSIBLE, environment, message=_unlike(environment)
                )
        if wish.position is not None:
            datum = datum_at(self._core, recorded, wish.position)
            assert datum.output_root is not None
            recorded = replace(recorded, root=datum.output_root)
            pieces: list[Piece] | None = [Piece(datum.position, datum.inputs)]
        elif wish.path:
            pieces = list(pieces_of_path(self._core, recorded, wish.path))
        else:
            pieces = None
        if self._executor is None:
            count = sum(1 for _ in (all_pieces(self._core, recorded) if pieces is None else pieces))
            return _step(recorded, Verdict.PLANNED, environment, datum_count=count)
        notes: list[str] = []
        if own is None:
            build_environment(self._core, recorded.code_commit_id, self._hold)
        else:
            notes.append("It was run in an environment that was built of its lock")
            environment = self._build(recorded, own)
        around = Surroundings(
            (self._core, self._executor),
            Around("reproduction", recorded.spec, recorded.inputs),
            lambda position: self._task(recorded, Piece(position, ()), own),
            self._hold,
        )
        is_repeatable: bool | None = None
        broken: list[str] = []
        with around.steps(notes) if wish.runs_steps else nullcontext():
            made, count = self._make(recorded, pieces, recorded.root, own)
            step = self._compared(recorded, made, wish, environment)
            if step.verdict is Verdict.DIFFERENT and wish.twice:
                is_repeatable = self._make(recorded, pieces, made, own)[0] == made
            if pieces is None:  # of a part of an output nothing is expected
                broken = around.unexpected(made)
        if step.verdict is Verdict.DIFFERENT:
            self._different += [recorded.root, made]
        return replace(
            step,
            message="; ".join(notes),
            datum_count=count,
            is_repeatable=is_repeatable,
            unexpected=tuple(broken),
        )

    def _build(self, recorded: Recorded, own: Wanted) -> tuple[str, ...]:
        """Build an environment of a lock; return what of it is not as it was all the same."""
        python = build(self._core, own, self._hold)
        locked = _lock_of(self._core, recorded)
        present = {**locked, "platform": platform_name(), "python": python}
        return tuple(differences(locked, present))

    def _compared(
        self, recorded: Recorded, made: Digest, wish: Wish, environment: tuple[str, ...]
    ) -> ReproducedStep:
        """Return the step with what differs between the recorded tree and the one made now."""
        nodes = self._core.nodes
        start, end = difference_range(wish.path, ROOT)
        changes: list[Change] = []
        count = 0
        for difference in diff_manifests(nodes, recorded.root, made, start, end):
            count += 1
            if len(changes) < wish.limit:
                changes.append(change_at(difference))
        step = _step(recorded, Verdict.DIFFERENT if count else Verdict.IDENTICAL, environment)
        old = self._core.tree(recorded.root, "what was recorded")
        new = self._core.tree(made, "what was made again")
        return replace(
            step,
            made_root=made,
            change_count=count,
            changes=tuple(changes),
            texts=tuple(islice(_texts(old, new, changes), _TEXTS)),
        )

    def _make(
        self,
        recorded: Recorded,
        pieces: list[Piece] | None,
        previous: Digest,
        own: Wanted | None,
    ) -> tuple[Digest, int]:
        """Run datums and return the root of what they made, and how many they were."""
        chosen = all_pieces(self._core, recorded) if pieces is None else pieces
        outputs = list(self._outputs(recorded, chosen, own))
        with self._core.writer() as writer:
            nodes = NodeWriter(self._core.nodes, writer)
            joiner = OutputJoiner(nodes)
            try:
                for label, root in outputs:
                    if root is not None:
                        joiner.add(label, root)
                # What holds the same keeps its old entry, so that times make no difference.
                made = joiner.finish(previous)
            except DatalakeError as error:  # two datums wrote one path, which they did not then
                raise JobFailedError(error.message, kind=error.kind) from error
            writer.publish()
            nodes.publish()
        with self._core.metadata.write() as tx:
            tx.pins.add(job_owner(self.id), [(BlobKind.NODE, made)])
        return made, len(outputs)

    # --- its datums ------------------------------------------------------------------------------

    def _outputs(
        self, recorded: Recorded, pieces: Iterable[Piece], own: Wanted | None
    ) -> Iterator[tuple[str, Digest | None]]:
        """Run datums; yield for each what it is called and what it wrote, None if it is left out.

        Raises
        ------
        JobFailedError
            One failed as often as it may be tried.
        """
        assert self._executor is not None
        waiting = (self._task(recorded, piece, own) for piece in pieces)
        at_once = places(self._core, self._executor, recorded.spec)
        running: dict[Future[DatumOutcome], DatumTask] = {}
        size = 1
        try:
            while True:
                while len(running) < at_once * size:
                    bundle = list(islice(waiting, size))
                    if not bundle:
                        break
                    running.update(zip(self._executor.submit(bundle), bundle, strict=True))
                if not running:
                    return
                done, _ = wait(running, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
                self._hold()
                for future in done:
                    task, outcome = running.pop(future), future.result()
                    if outcome.spent_s < _SHORT_S:
                        size = min(size + 1, _BUNDLE_MAX)
                    again = _next_try(task, outcome)
                    if again is not None:
                        running.update(zip(self._executor.submit([again]), [again], strict=True))
                    else:
                        yield label_of(task.inputs), outcome.output_root
        finally:
            for task in running.values():
                self._executor.cancel(task)
            wait(running, timeout=10)

    def _task(self, recorded: Recorded, piece: Piece, own: Wanted | None) -> DatumTask:
        return DatumTask(
            job_id=self.id,
            position=piece.position,
            job_attempt=1,
            attempt=1,
            global_id=recorded.global_id,
            spec=without_keeping(recorded.spec),
            code_commit_id=recorded.code_commit_id,
            inputs=piece.inputs,
            environment=own,
        )

    # --- holding ---------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Renew the lease that keeps gc from what was made, in time."""
        now = time.monotonic()
        if not self._renewed or now - self._renewed > _LEASE_S / 3:
            with self._core.metadata.write() as tx:
                tx.leases.acquire(self._lease, self.id, _LEASE_S)
            self._renewed = now

    def _remove_strays(self) -> None:
        """Remove what reproductions left that were killed."""
        with self._core.metadata.write() as tx:
            lost = tx.leases.forget_ended(REPRODUCTION_LEASE)
        for name in lost:
            gone = name.removeprefix(REPRODUCTION_LEASE)
            shutil.rmtree(job_folder(self._core, gone), ignore_errors=True)


def environment_differences(core: LakeCore, recorded: Recorded) -> list[str]:
    """Return what of the environment here is not as it was locked, as lines for people.

    Raises
    ------
    NotFoundError
        The commit of the code is gone.
    """
    code = recorded.spec.code
    if isinstance(code, QueryCode):
        return []
    locked = _lock_of(core, recorded)
    if recorded.spec.packages is not None:  # they are installed as they were locked
        return differences(locked, {**locked, "platform": platform_name()})
    try:
        present = lock_environment(recorded.spec.kernel if isinstance(code, NotebookCode) else None)
    except NotFoundError as error:
        return [error.message]
    return differences(locked, present)


def _lock_of(core: LakeCore, recorded: Recorded) -> dict[str, Any]:
    tree = core.snapshot(commit_by_id(core, recorded.code_commit_id))
    lock: dict[str, Any] = json.loads(tree.read(RepoPath(LOCK_FILE)))
    return lock


def _rebuilt(core: LakeCore, recorded: Recorded) -> Wanted | None:
    """Return the environment that was installed when the code was published, if it can be had.

    The packages of a pipeline's own are what was locked already, on whichever platform.
    """
    if recorded.spec.packages is not None:
        return None
    return rebuilt(_lock_of(core, recorded))


def _unlike(environment: tuple[str, ...]) -> str:
    more = f" (and {len(environment) - 1} more)" if len(environment) > 1 else ""
    return f"The environment is not as it was locked: {environment[0]}{more}"


def _verdict_of(error: DatalakeError) -> Verdict | None:
    """Return what an error says of the output; None if it says nothing of it."""
    if isinstance(error, JobFailedError):
        return Verdict.FAILED
    is_environment = error.kind is ErrorKind.ENVIRONMENT_FAILED
    if is_environment or isinstance(error, NotFoundError | MissingDependencyError):
        return Verdict.IMPOSSIBLE
    return None


def _next_try(task: DatumTask, outcome: DatumOutcome) -> DatumTask | None:
    """Return what follows on a try, or None if the datum has ended.

    Raises
    ------
    JobFailedError
        It failed for good.
    JobCancelledError
        It was stopped.
    """
    if outcome.state in {DatumState.SUCCESS, DatumState.RECOVERED}:
        return None
    if outcome.state is DatumState.QUEUED:
        raise JobCancelledError(f"The reproduction was stopped: {outcome.message}")
    following = replace(task, attempt=task.attempt + 1)
    match after_failure(task, outcome):
        case AfterFailure.TRY_AGAIN:
            return following
        case AfterFailure.RECOVER:
            failure = outcome.message or "it failed"
            return replace(following, failure=failure, failed_artifacts=outcome.artifacts_root)
        case AfterFailure.LEAVE_OUT:
            return None
        case AfterFailure.FAIL:
            raise JobFailedError(f"{label_of(task.inputs)}: {outcome.message}", kind=outcome.kind)


def _texts(old: Snapshot, new: Snapshot, changes: Iterable[Change]) -> Iterator[TextChange]:
    """Yield how those of the changed files differ that are short texts in both trees."""
    for change in changes:
        if not (_is_short(change.old) and _is_short(change.new)):
            continue
        try:
            found = diff_texts(old.content(change.path), new.content(change.path), limit=_HUNKS)
        except InvalidInputError:
            continue  # it cannot be compared by line
        if found.hunks:
            yield TextChange(change.path, found)


def _is_short(info: FileInfo | None) -> bool:
    return info is not None and info.kind is FileKind.FILE and info.size_bytes <= _TEXT_BYTES


def _step(
    recorded: Recorded,
    verdict: Verdict,
    environment: tuple[str, ...],
    *,
    message: str = "",
    datum_count: int = 0,
) -> ReproducedStep:
    return ReproducedStep(
        repo=recorded.repo,
        pipeline=recorded.spec.name,
        commit_id=recorded.commit_id,
        job_id=None if recorded.job is None else recorded.job.id,
        verdict=verdict,
        message=message,
        datum_count=datum_count,
        recorded_root=recorded.root,
        made_root=None,
        change_count=0,
        changes=(),
        texts=(),
        environment=environment,
        unexpected=(),
        is_repeatable=None,
        duration_s=0.0,
    )
