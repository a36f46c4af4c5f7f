"""Trying: a spec is run on some of its datums as a job would run it, and nothing is published.

No branch moves, no version and no job is made, and nothing is remembered of the datums. The code is
stored as a tree that no commit has, and what the datums write as that of jobs is; a lease of the
trial's own keeps both from gc (`pipelines.trial_records`).

Datums have the tries, limits, timeouts and environment of the spec, though tries follow each other
at once. The steps run as in a job. Slots of resources are the controller's; so many datums as these
allow run here, whatever runs there. Egress is left out.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore, new_global_id, new_id
from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.outputs import store_folder
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.workspace import job_folder
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import DONE_STATES, STEP_POSITIONS, DatumState, label_of
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.pipelines import (
    ExecutorKind,
    PipelineSpec,
    cron_inputs,
    keyed_inputs,
    repo_inputs,
    without_keeping,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.trials import (
    MAX_TRIED,
    TRIAL_LEASE,
    Compared,
    Trial,
    TrialState,
    TriedDatum,
)
from jupyter_datalake.pipelines.building import build_environment_of
from jupyter_datalake.pipelines.cutting import pick
from jupyter_datalake.pipelines.datum_loop import MAX_MESSAGE, AfterFailure, after_failure, places
from jupyter_datalake.pipelines.output_beside import OutputBeside
from jupyter_datalake.pipelines.publishing import Publication, Publisher, check_free
from jupyter_datalake.pipelines.surroundings import Around, Surroundings
from jupyter_datalake.pipelines.trial_records import (
    KEEP_S,
    list_records,
    sweep_trials,
    take_request,
    write_record,
)

MAX_RUNNING = 4
"""So many trials run at once on one machine."""

_LEASE_S = 60.0
_LOOK_S = 0.5
_WAIT_S = 0.2
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class TrialWish:
    """What of a spec is to be run."""

    count: int
    """The first so many datums."""
    positions: tuple[int, ...] | None = None
    """These datums in their place."""
    runs_steps: bool = True
    """Whether the steps `on_start` and `finally` are run around the datums."""


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial before it runs: of what could be checked, nothing is wrong."""

    trial: Trial
    publisher: Publisher
    spec: PipelineSpec
    files: dict[str, bytes]
    inputs: dict[str, CommitId]
    runs_steps: bool


def plan_trial(
    core: LakeCore, author: Author, spec: PipelineSpec, files: dict[str, bytes], wish: TrialWish
) -> PlannedTrial:
    """Return what a trial would run, with its datums at the heads of the inputs.

    Parameters
    ----------
    files
        The notebook and helper files that the spec names, by path.

    Raises
    ------
    InvalidInputError
        The spec is wrong, no datum is asked for, or more than `MAX_TRIED` are.
    NotFoundError
        Something that it needs is missing, or its inputs make no such datum.
    AlreadyExistsError
        There is a repo with files of its own where its output would go.
    StateError
        Too many trials are running.
    """
    _check_wish(wish)
    publisher = Publisher(core, author)
    publisher.check(spec, files)
    base, inputs = _look(core, spec)
    running = [one for one in list_records(core) if one.state is TrialState.RUNNING]
    if len(running) >= MAX_RUNNING:
        raise StateError(
            f"{len(running)} trials are running",
            kind=ErrorKind.WRONG_STATE,
            hint=f"Wait for one, or cancel it: datalake trials cancel {running[0].id[:12]}",
        )
    now_ns = core.clock()
    asked = range(wish.count) if wish.positions is None else wish.positions
    tick_ns = now_ns if cron_inputs(spec) else None
    found = list(pick(core, spec, inputs, tick_ns, asked))
    _check_found(spec, wish, [position for position, _ in found])
    datums = tuple(
        TriedDatum(position, label_of(given), DatumState.QUEUED, given) for position, given in found
    )
    behind = found[-1][0] + 1
    is_whole = behind == len(found) and not any(pick(core, spec, inputs, tick_ns, [behind]))
    trial = Trial(
        id=new_id(),
        pipeline=spec.name,
        state=TrialState.RUNNING,
        message="",
        notes=tuple(_notes(spec, wish)),
        created_at=time_of(now_ns),
        created_by=str(author),
        finished_at=None,
        base_commit_id=base,
        is_whole=is_whole,
        steps=(),
        datums=datums,
        output=None,
        unexpected=(),
    )
    return PlannedTrial(trial, publisher, spec, files, inputs, wish.runs_steps)


def _check_wish(wish: TrialWish) -> None:
    count = wish.count if wish.positions is None else len(set(wish.positions))
    first = min(wish.positions or (0,))
    if not 1 <= count <= MAX_TRIED or first < 0:
        what = f"{count} datums" if first >= 0 else f"Datum {first}"
        raise InvalidInputError(
            f"{what} cannot be tried",
            hint=f"From 1 to {MAX_TRIED} datums are, and their positions count from 0",
        )


def _look(core: LakeCore, spec: PipelineSpec) -> tuple[CommitId | None, dict[str, CommitId]]:
    """Return the head of the output branch, and those of the inputs."""
    with core.metadata.read() as tx:
        inputs = {
            key: tx.refs.get(tx.repos.get(given.repo), given.branch).commit_id
            for key, given in keyed_inputs(spec).items()
        }
        row = tx.repos.find(spec.name)
        if row is None:
            return None, inputs
        check_free(tx, row)
        head = tx.refs.find(row, DEFAULT_BRANCH)
    return None if head is None else head.commit_id, inputs


def _check_found(spec: PipelineSpec, wish: TrialWish, found: Sequence[int]) -> None:
    missing = sorted(set(wish.positions or ()) - set(found))
    if missing:
        raise NotFoundError(
            f"The inputs of {spec.name!r} make no datum {missing[0]}",
            kind=ErrorKind.DATUM_NOT_FOUND,
            hint="Positions count from 0: 'datalake pipelines preview' lists the datums",
            pipeline=spec.name,
        )
    if not found:
        globs = ", ".join(f"{one.glob} in {one.repo}@{one.branch}" for one in repo_inputs(spec))
        raise NotFoundError(
            f"There is nothing to try: nothing matches {globs}",
            kind=ErrorKind.DATUM_NOT_FOUND,
            hint="Commit data that matches, or change the glob",
            pipeline=spec.name,
        )


def _notes(spec: PipelineSpec, wish: TrialWish) -> Iterator[str]:
    if cron_inputs(spec):
        yield "It ran as if the clock had ticked now"
    if spec.egress is not None:
        yield f"Nothing was written to {spec.egress.connection}: egress is for jobs"
    if spec.executor is ExecutorKind.DASK:
        yield "It ran on this machine; jobs run on the Dask cluster"
    if not wish.runs_steps and (spec.on_start is not None or spec.finally_ is not None):
        yield "Its steps on_start and finally were left out"


class TrialRun:
    """One trial from its beginning to its end. `run` is called once.

    Parameters
    ----------
    on_change
        Told of the trial whenever something of it has changed.
    """

    def __init__(
        self,
        core: LakeCore,
        planned: PlannedTrial,
        on_change: Callable[[Trial], None] = lambda _: None,
    ) -> None:
        self._core = core
        self._planned = planned
        self._spec = without_keeping(planned.spec)
        self._on_change = on_change
        self._lease = f"{TRIAL_LEASE}{planned.trial.id}"
        self._renewed = self._looked = 0.0
        self._deadline: float | None = None
        self._global_id = new_global_id()
        self._code: Digest | None = None
        self.trial = planned.trial

    def begin(self) -> None:
        """Claim the trial and write it down: from here on others can see it."""
        sweep_trials(self._core)
        self._renew()
        self._save()

    def run(self, executor: Executor) -> Trial:
        """Run it to its end, which is written down too, and return it.

        Raises
        ------
        StorageError
            The store or the database is away, or the disk is full.
        """
        try:
            with self._told_of_failure():
                self._run(executor)
        finally:
            shutil.rmtree(job_folder(self._core, self.trial.id), ignore_errors=True)
            with self._core.metadata.write() as tx:
                tx.leases.acquire(self._lease, self.trial.id, KEEP_S)
        return self.trial

    @contextmanager
    def _told_of_failure(self) -> Iterator[None]:
        """Write down how the block ends."""
        try:
            yield
        except JobCancelledError as error:
            self._end(TrialState.CANCELLED, error.message)
        except DatalakeError as error:
            self._end(TrialState.FAILED, str(error))
        except KeyboardInterrupt:
            self._end(TrialState.CANCELLED, "interrupted")
            raise
        except BaseException as error:
            self._end(TrialState.FAILED, f"Internal error: {type(error).__name__}: {error}")
            raise
        else:
            self._end(TrialState.SUCCESS, "")

    def _end(self, state: TrialState, message: str) -> None:
        stopped = tuple(
            replace(one, state=DatumState.QUEUED, message="it was stopped")
            if one.state is DatumState.RUNNING
            else one
            for one in self.trial.datums
        )
        self._save(
            state=state,
            message=message[:MAX_MESSAGE],
            datums=stopped,
            finished_at=time_of(self._core.clock()),
        )

    def _run(self, executor: Executor) -> None:
        spec, planned = self._spec, self._planned
        if spec.timeout_s is not None:
            self._deadline = time.monotonic() + spec.timeout_s
        if spec.packages is not None:
            self._save(message="Its environment is being made")
        self._code = self._store_code()
        build_environment_of(self._core, self._core.tree(self._code, "its code"), self._hold)
        if spec.packages is not None:
            self._save(message="")
        around = Surroundings(
            (self._core, executor),
            Around("trial", spec, planned.inputs),
            self._task,
            self._hold,
            self._tell_step,
        )
        notes: list[str] = []
        with around.steps(notes) if planned.runs_steps else nullcontext():
            self._run_datums(executor)
            made = self._compare_all()
            if made is not None:
                self._judge(around, made)
        if notes:
            self._save(notes=(*self.trial.notes, *notes))

    def _store_code(self) -> Digest:
        """Store what publishing would commit, as a tree that no commit has."""
        planned = self._planned
        with self._core.metadata.read() as tx:
            is_new = tx.pipelines.find(planned.spec.name) is None
        publication = Publication(planned.spec, planned.files, is_new=is_new)
        contents = planned.publisher.contents(publication, upgrade=False)
        folder = job_folder(self._core, self.trial.id) / "code"
        for path, data in contents.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        root = store_folder(self._core, folder, job_id=self.trial.id)
        shutil.rmtree(folder)
        return root

    def _judge(self, around: Surroundings, made: Compared) -> None:
        """Hold what was made against what the pipeline expects.

        Raises
        ------
        JobFailedError
            The job would not commit it.
        """
        lines = around.unexpected(made.made_root)
        self._save(unexpected=tuple(lines))
        broken = [one for one in lines if not one.startswith("warning: ")]
        if broken:
            raise JobFailedError(
                f"The output is not as expected: {'; '.join(broken)}",
                kind=ErrorKind.EXPECTATION_FAILED,
            )

    # --- its datums ------------------------------------------------------------------------------

    def _run_datums(self, executor: Executor) -> None:
        """Run the datums, each to its end, whatever becomes of the others.

        Raises
        ------
        JobCancelledError
            It was cancelled, or the executor was closed.
        """
        waiting = deque(self._task(one.position) for one in self.trial.datums)
        at_once = places(self._core, executor, self._spec)
        running: dict[Future[DatumOutcome], DatumTask] = {}
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    task = waiting.popleft()
                    self._begin(task)
                    (future,) = executor.submit([task])
                    running[future] = task
                done, _ = wait(running, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
                self._hold()
                for future in done:
                    task = running.pop(future)
                    again = self._take(task, future.result())
                    if again is not None:
                        waiting.appendleft(again)
        except BaseException:
            for task in running.values():
                executor.cancel(task)
            wait(running, timeout=_END_S)
            raise

    def _task(self, position: int) -> DatumTask:
        found = self.trial.at(position)
        return DatumTask(
            job_id=self.trial.id,
            position=position,
            job_attempt=1,
            attempt=1,
            global_id=self._global_id,
            spec=self._spec,
            code_commit_id=None,
            inputs=() if found is None else found.inputs,
            code_root=self._code,
        )

    def _begin(self, task: DatumTask) -> None:
        one = self._datum(task)
        started = one.started_at or time_of(self._core.clock())
        self._put(replace(one, state=DatumState.RUNNING, tries=one.tries + 1, started_at=started))

    def _take(self, task: DatumTask, outcome: DatumOutcome) -> DatumTask | None:
        """Note how a try ended; return the one that follows on it, if one does."""
        if outcome.state is DatumState.QUEUED:
            raise JobCancelledError(f"The trial was stopped: {outcome.message}")
        following = replace(task, attempt=task.attempt + 1)
        if outcome.state in DONE_STATES:
            self._ended(task, outcome, outcome.state)
            return None
        match after_failure(task, outcome):
            case AfterFailure.TRY_AGAIN:
                return following
            case AfterFailure.RECOVER:
                return replace(
                    following,
                    failure=outcome.message or "it failed",
                    failed_artifacts=outcome.artifacts_root,
                )
            case AfterFailure.LEAVE_OUT:
                self._ended(task, outcome, DatumState.RECOVERED)
            case AfterFailure.FAIL:
                self._ended(task, outcome, DatumState.FAILED)
        return None

    def _ended(self, task: DatumTask, outcome: DatumOutcome, state: DatumState) -> None:
        one = self._datum(task)
        output = None
        if outcome.output_root is not None:
            output = self._beside.of_datum(one.label, one.inputs, outcome.output_root)
        self._put(
            replace(
                one,
                state=state,
                finished_at=time_of(outcome.finished_ns or self._core.clock()),
                message=outcome.message[:MAX_MESSAGE],
                artifacts_root=outcome.artifacts_root,
                output=output,
            )
        )

    def _compare_all(self) -> Compared | None:
        """Compare what the datums wrote together; None where none wrote anything.

        Raises
        ------
        JobFailedError
            The job would have failed: a datum did, or two wrote one path.
        """
        outputs = [(one.label, one.output) for one in self.trial.datums if one.output is not None]
        made = None
        failed = [one for one in self.trial.datums if one.state is DatumState.FAILED]
        if outputs:
            try:
                made = self._beside.of_all(
                    [(label, output.made_root) for label, output in outputs],
                    [output.base_root for _, output in outputs],
                    is_whole=self.trial.is_whole and not failed,
                )
            except DatalakeError as error:  # two datums wrote one path
                raise JobFailedError(error.message, kind=error.kind, hint=error.hint) from error
            self._save(output=made)
        if failed:
            total = len(self.trial.datums)
            head = f"{len(failed)} of {total} datums failed; {failed[0].label}: "
            raise JobFailedError(f"{head if total > 1 else ''}{failed[0].message}")
        return made

    @property
    def _beside(self) -> OutputBeside:
        base = self.trial.base_commit_id
        head = None if base is None else commit_by_id(self._core, base).root
        return OutputBeside(self._core, self._spec.name, head, self.trial.id)

    # --- what others see -------------------------------------------------------------------------

    def _datum(self, task: DatumTask) -> TriedDatum:
        found = self.trial.at(task.position)
        assert found is not None
        return found

    def _put(self, datum: TriedDatum) -> None:
        self._save(
            datums=tuple(
                datum if one.position == datum.position else one for one in self.trial.datums
            )
        )

    def _tell_step(self, step: str, outcome: DatumOutcome | None) -> None:
        now = time_of(self._core.clock())
        position = STEP_POSITIONS[step]
        others = tuple(one for one in self.trial.steps if one.position != position)
        if outcome is None:
            one = TriedDatum(position, step, DatumState.RUNNING, tries=1, started_at=now)
        else:
            begun = self.trial.at(position)
            assert begun is not None
            one = replace(
                begun,
                state=outcome.state,
                finished_at=now,
                message=outcome.message[:MAX_MESSAGE],
                artifacts_root=outcome.artifacts_root,
            )
        self._save(steps=tuple(sorted((*others, one), key=lambda step: step.position)))

    def _save(self, **changes: Any) -> None:
        self.trial = replace(self.trial, **changes)
        write_record(self._core, self.trial)
        with self._core.metadata.write() as tx:
            tx.events.append(
                EventKind.TRIAL_CHANGED,
                self.trial.id,
                pipeline=self.trial.pipeline,
                state=str(self.trial.state),
            )
        self._on_change(self.trial)

    # --- holding ---------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Keep gc from what was made, and look whether the trial is to end.

        Raises
        ------
        JobCancelledError
            Somebody has cancelled it: once, for `finally` runs behind it.
        JobFailedError
            Its time is over: once, too.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        if now - self._renewed > _LEASE_S / 3:
            self._renew()
        if take_request(self._core, self.trial.id):
            raise JobCancelledError("cancelled by request")
        if self._deadline is not None and now > self._deadline:
            self._deadline = None
            raise JobFailedError(
                f"The trial was stopped after its {self._spec.timeout_s:g} s",
                kind=ErrorKind.JOB_TIMEOUT,
            )

    def _renew(self) -> None:
        with self._core.metadata.write() as tx:
            tx.leases.acquire(self._lease, self.trial.id, _LEASE_S)
        self._renewed = time.monotonic()
