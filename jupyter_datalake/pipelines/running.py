"""Running one job: cut, skip, run, join, commit, egress.

A job's outputs and provenance appear in one commit at the end, or not at all. Datums that
succeeded are remembered at once, so a job that failed, was cancelled or was lost leaves its good
work to the next one.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from jupyter_datalake.engine.commits import (
    CommitRequest,
    commit_by_id,
    commit_tree,
    head_of,
)
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    JobCancelledError,
    JobError,
    JobFailedError,
    JobLostError,
    StateError,
    StorageError,
)
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.outputs import join_outputs
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import (
    CODE_INPUT,
    Author,
    Commit,
    InputCommit,
    Origin,
    Provenance,
)
from jupyter_datalake.model.datums import DatumResult, DatumState
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job, JobState, Outcome, TriggerKind
from jupyter_datalake.model.pipelines import (
    PipelineSpec,
    QueryCode,
    repo_inputs,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.pipelines.cutting import TreeForGlobs
from jupyter_datalake.pipelines.explaining import explain_datums
from jupyter_datalake.pipelines.planning import (
    PlannedDatum,
    code_version,
    known_results,
    plan_datums,
)
from jupyter_datalake.pipelines.triggering import resolve_inputs
from jupyter_datalake.warehouse.base import EgressSource
from jupyter_datalake.warehouse.egress import run_egress

logger = logging.getLogger(__name__)

_WAIT_S = 0.2
_MAX_MESSAGE = 2000

# Trying again changes nothing about these.
_HOPELESS = frozenset(
    {
        ErrorKind.INVALID_NOTEBOOK,
        ErrorKind.INVALID_QUERY,
        ErrorKind.INVALID_SPEC,
        ErrorKind.CONNECTION_NOT_FOUND,
    }
)


@dataclass(slots=True)
class _Running:
    """One try that an executor works on."""

    task: DatumTask
    planned: PlannedDatum


class JobRun:
    """One job from `waiting` to its end. `run` is called once, in a thread of its own."""

    def __init__(
        self,
        core: LakeCore,
        executor: Executor,
        job: Job,
        *,
        owner: str,
        lease_s: float,
        author: Author,
    ) -> None:
        self._core = core
        self._executor = executor
        self._owner = owner
        self._lease_s = lease_s
        self._author = author
        self._stop: JobError | None = None
        self._stopped = threading.Event()
        self.job = job

    def cancel(self, reason: str) -> None:
        """Ask the run to end without a commit; running datums are killed."""
        self._halt(JobCancelledError(reason))

    def abandon(self, reason: str) -> None:
        """Tell the run that the job is its controller's no more: it ends and changes nothing."""
        self._halt(JobLostError(reason))

    def _halt(self, why: JobError) -> None:
        if not self._stopped.is_set():
            self._stop = why
            self._stopped.set()

    def run(self) -> None:
        """Run the job to its end. Whatever goes wrong ends in the job's row, not in the caller."""
        try:
            self._run_to_end()
        except StorageError as error:
            # The end cannot be written. The lease runs out, and the job is taken up again.
            logger.warning("job %s is left to be taken up again: %s", self.job.id, error)

    def _run_to_end(self) -> None:
        try:
            self._run()
        except JobLostError as error:
            logger.warning("job %s is given up: %s", self.job.id, error.message)
        except JobCancelledError as error:
            self._end(JobState.CANCELLED, error.message)
        except StateError as error:
            # Somebody moved the job: it was cancelled or taken up elsewhere between two looks.
            logger.warning("job %s: %s", self.job.id, error)
        except DatalakeError as error:
            self._end(JobState.FAILED, str(error))
        except Exception as error:
            logger.exception("job %s", self.job.id)
            self._end(JobState.FAILED, f"Internal error: {type(error).__name__}: {error}")

    # --- the course ------------------------------------------------------------------------------

    def _run(self) -> None:
        row, spec, code, tick_ns = self._take()
        if self.job.output_commit_id is not None:
            self._resume_egress(spec, self.job.output_commit_id)
            return
        planned = plan_datums(self._core, spec, code, self.job.inputs, tick_ns)
        todo = self._record(row, spec, code, planned)
        failed = self._run_datums(row, spec, code, deque(todo))
        if failed:
            raise JobFailedError(_summary(failed, len(planned)))
        commit = self._commit(spec, code)
        if self.job.state is JobState.EGRESSING:
            self._egress(spec, commit)

    def _take(self) -> tuple[PipelineRow, PipelineSpec, CommitId, int | None]:
        """Move the job to `running`, with the commits it reads fixed; return what it runs.

        The last value is the tick that cron inputs stand for, or None before the first.
        """
        with self._core.metadata.write() as tx:
            row = tx.pipelines.get(self.job.pipeline)
            spec, code = tx.pipelines.version(row.id, self.job.pipeline_version)
            inputs = resolve_inputs(tx, self.job, row)
            tx.jobs.move(self.job, JobState.RUNNING, inputs=inputs)
            tx.jobs.update(self.job.id, owner=self._owner)
            tx.jobs.renew(self.job.id, self._owner, self._lease_s)
            self._changed(tx, JobState.RUNNING)
            self.job = tx.jobs.get(self.job.id)
            is_tick = self.job.trigger.kind is TriggerKind.TICK
            tick_ns = self.job.trigger.at_ns if is_tick else tx.pipelines.last_tick_ns(row.id)
        return row, spec, code, tick_ns

    def _record(
        self,
        row: PipelineRow,
        spec: PipelineSpec,
        code: CommitId,
        planned: list[PlannedDatum],
    ) -> list[tuple[int, PlannedDatum]]:
        """Write the datums, mark those with known results, and return those that must run."""
        known: dict[Digest, DatumResult] = {}
        # What a query returns depends on the warehouse, so no earlier result stands in for it.
        if not isinstance(spec.code, QueryCode) and not self.job.trigger.reprocess:
            known = known_results(self._core, planned)
        explained = explain_datums(
            self._core,
            row,
            spec,
            code,
            planned,
            known,
            reprocess=self.job.trigger.reprocess,
            job=self.job,
        )
        with self._core.metadata.write() as tx:
            known = tx.datums.known(known)  # without those that gc has forgotten since
            notice = "" if planned else "No datums: the globs match nothing in the inputs"
            tx.jobs.update(self.job.id, datum_total=len(planned), message=notice)
            tx.datums.replace(
                self.job.id,
                [
                    (one.key, one.inputs, str(why.reason))
                    for one, why in zip(planned, explained, strict=True)
                ],
            )
            tx.datums.skip(
                self.job.id,
                [
                    (position, known[one.key])
                    for position, one in enumerate(planned)
                    if one.key in known
                ],
            )
            self._changed(tx, JobState.RUNNING)
        return [(position, one) for position, one in enumerate(planned) if one.key not in known]

    def _run_datums(
        self,
        row: PipelineRow,
        spec: PipelineSpec,
        code: CommitId,
        todo: deque[tuple[int, PlannedDatum]],
    ) -> list[tuple[PlannedDatum, str]]:
        """Run datums until none is left; return those that failed for good, with why."""
        running: dict[Future[DatumOutcome], _Running] = {}
        failed: list[tuple[PlannedDatum, str]] = []
        tries: dict[int, int] = {}
        at_once = spec.parallelism or self._executor.slots
        try:
            while todo or running:
                while todo and len(running) < at_once:
                    position, planned = todo.popleft()
                    tries[position] = tries.get(position, 0) + 1
                    task = self._task(spec, code, position, planned, tries[position])
                    self._move_datum(position, DatumState.QUEUED, DatumState.RUNNING)
                    running[self._executor.submit(task)] = _Running(task, planned)
                done, _ = wait(running, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
                self._check_stopped()
                for future in done:
                    one = running.pop(future)
                    outcome = future.result()
                    position = one.task.position
                    if outcome.state is DatumState.SUCCESS:
                        self._succeeded(row, one, outcome)
                    elif tries[position] < spec.datums.tries and outcome.kind not in _HOPELESS:
                        self._failed(one, outcome, is_final=False)
                        todo.append((position, one.planned))
                    else:
                        self._failed(one, outcome, is_final=True)
                        failed.append((one.planned, outcome.message))
        except BaseException:
            for future, one in running.items():
                self._executor.cancel(one.task)
                future.add_done_callback(_ignored)
            wait(running, timeout=10)
            raise
        return failed

    def _task(
        self,
        spec: PipelineSpec,
        code: CommitId,
        position: int,
        planned: PlannedDatum,
        attempt: int,
    ) -> DatumTask:
        return DatumTask(
            job_id=self.job.id,
            position=position,
            job_attempt=self.job.attempt,
            attempt=attempt,
            global_id=self.job.global_id,
            spec=spec,
            code_commit_id=code,
            inputs=planned.inputs,
        )

    def _succeeded(self, row: PipelineRow, one: _Running, outcome: DatumOutcome) -> None:
        assert outcome.output_root is not None
        assert outcome.artifacts_root is not None
        result = DatumResult(
            one.planned.key,
            self.job.id,
            one.task.position,
            outcome.output_root,
            outcome.artifacts_root,
        )
        self._move_datum(
            one.task.position,
            DatumState.RUNNING,
            DatumState.SUCCESS,
            also=lambda tx: tx.datums.remember(row.id, result),
            output_root=outcome.output_root,
            artifacts_root=outcome.artifacts_root,
            message="",
        )

    def _failed(self, one: _Running, outcome: DatumOutcome, *, is_final: bool) -> None:
        self._move_datum(
            one.task.position,
            DatumState.RUNNING,
            DatumState.FAILED if is_final else DatumState.QUEUED,
            artifacts_root=outcome.artifacts_root,
            message=outcome.message[:_MAX_MESSAGE],
        )

    def _commit(self, spec: PipelineSpec, code: CommitId) -> Commit:
        """Join the outputs into one commit; the job's row moves in the same transaction."""
        version = code_version(self._core, spec, code)
        head = head_of(self._core, spec.name, DEFAULT_BRANCH)
        with self._core.metadata.read() as tx:
            roots = tx.datums.roots(self.job.id)
        outcome = Outcome.COMMITTED
        with self._core.writer() as writer:
            nodes = NodeWriter(self._core.nodes, writer)
            root = join_outputs(self._core, nodes, head.root, roots)
            if root == head.root:
                outcome = Outcome.UNCHANGED
            # An unchanged output may not be in the warehouse yet: its egress failed, or is new.
            has_rows = outcome is Outcome.COMMITTED or head.provenance.origin is Origin.JOB
            egresses = spec.egress is not None and has_rows
            result = commit_tree(
                self._core,
                writer,
                nodes,
                head,
                root,
                CommitRequest(
                    repo=spec.name,
                    branch=DEFAULT_BRANCH,
                    message=self._message(spec),
                    author=self._author,
                    provenance=self._provenance(spec, code, version.environment),
                    global_id=self.job.global_id,
                ),
                self._finisher(outcome, then_egress=egresses),
            )
        return result.commit

    def _finisher(
        self, outcome: Outcome, *, then_egress: bool
    ) -> Callable[[Transaction, Commit], None]:
        """Return what else happens in the transaction that makes the commit visible."""

        def finish(tx: Transaction, commit: Commit) -> None:
            self._check_stopped()
            new = JobState.EGRESSING if then_egress else JobState.SUCCESS
            tx.jobs.move(
                self.job,
                new,
                owner=self._owner,
                outcome=str(outcome),
                output_commit_id=commit.id if outcome is Outcome.COMMITTED else None,
            )
            self._changed(tx, new)
            self.job = tx.jobs.get(self.job.id)

        return finish

    def _message(self, spec: PipelineSpec) -> str:
        what = ", ".join(
            f"{given.repo}@{self.job.inputs[given.name][:12]}" for given in repo_inputs(spec)
        )
        return f"Run {spec.name} v{self.job.pipeline_version}" + (f" on {what}" if what else "")

    def _provenance(self, spec: PipelineSpec, code: CommitId, environment: Digest) -> Provenance:
        return Provenance(
            origin=Origin.JOB,
            pipeline=spec.name,
            pipeline_version=self.job.pipeline_version,
            job_id=self.job.id,
            code=InputCommit(CODE_INPUT, spec.code_repo, DEFAULT_BRANCH, code),
            inputs=tuple(
                InputCommit(given.name, given.repo, given.branch, self.job.inputs[given.name])
                for given in repo_inputs(spec)
            ),
            parameters=spec.parameters,
            environment=environment.hex(),
        )

    def _resume_egress(self, spec: PipelineSpec, commit_id: CommitId) -> None:
        """Go on with a job that was lost after its commit: only its rows may be missing."""
        with self._core.metadata.write() as tx:
            tx.jobs.move(self.job, JobState.EGRESSING, owner=self._owner)
            self._changed(tx, JobState.EGRESSING)
            self.job = tx.jobs.get(self.job.id)
        self._egress(spec, commit_by_id(self._core, commit_id))

    def _egress(self, spec: PipelineSpec, commit: Commit) -> None:
        assert spec.egress is not None
        with self._core.metadata.read() as tx:
            connection = tx.connections.get(spec.egress.connection)
        tree = self._core.snapshot(commit)
        report = run_egress(
            connection,
            spec.egress,
            EgressSource(commit.id, commit.global_id, commit.repo),
            list(parse_glob(spec.egress.files).matches_in(TreeForGlobs(tree))),
            tree.open,
        )
        # A commit of this job that was written before was written by this job, which was lost.
        is_old = report.was_done_before and self.job.outcome is not Outcome.COMMITTED
        rows = 0 if is_old else report.row_count
        with self._core.metadata.write() as tx:
            tx.jobs.move(self.job, JobState.SUCCESS, owner=self._owner, rows_written=rows)
            self._changed(tx, JobState.SUCCESS)

    # --- rows ------------------------------------------------------------------------------------

    def _check_stopped(self) -> None:
        if self._stop is not None:
            raise self._stop

    def _move_datum(
        self,
        position: int,
        old: DatumState,
        new: DatumState,
        also: Callable[[Transaction], None] | None = None,
        **changes: Any,
    ) -> None:
        with self._core.metadata.write() as tx:
            tx.datums.move(self.job.id, position, old, new, **changes)
            if also is not None:
                also(tx)
            tx.events.append(
                EventKind.DATUM_CHANGED,
                self.job.id,
                pipeline=self.job.pipeline,
                position=position,
                state=str(new),
            )

    def _end(self, state: JobState, message: str) -> None:
        """End the job without a commit, unless it is not ours any more."""
        with self._core.metadata.write() as tx:
            job = tx.jobs.get(self.job.id)
            if job.state.is_terminal or job.owner not in {None, self._owner}:
                return
            tx.datums.requeue_running(job.id)
            tx.jobs.move(job, state, message=message[:_MAX_MESSAGE])
            self._changed(tx, state)

    def _changed(self, tx: Transaction, state: JobState) -> None:
        tx.events.append(
            EventKind.JOB_CHANGED, self.job.id, pipeline=self.job.pipeline, state=str(state)
        )


def _summary(failed: list[tuple[PlannedDatum, str]], total: int) -> str:
    planned, message = failed[0]
    label = ", ".join(one.label for one in planned.inputs) or "the datum"
    head = f"{len(failed)} of {total} datums failed; {label}: " if total > 1 else ""
    return f"{head}{message}"


def _ignored(future: Future[DatumOutcome]) -> None:
    """Take the outcome of a try that nobody waits for any more."""
    future.exception()
