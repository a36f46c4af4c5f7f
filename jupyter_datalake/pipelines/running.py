"""Running one job: cut, skip, run, join, commit, egress.

A job's outputs and provenance appear in one commit at the end, or not at all. Datums that
succeeded are remembered at once, so a job that failed, was cancelled or was lost leaves its good
work to the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from jupyter_datalake.engine.commits import (
    CommitRequest,
    commit_by_id,
    commit_tree,
    head_of,
)
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.errors import (
    CorruptDataError,
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
from jupyter_datalake.metadata.base import batched
from jupyter_datalake.metadata.datums import DatumDraft
from jupyter_datalake.metadata.pins import job_owner
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
from jupyter_datalake.model.datums import CHECKS, FINALLY, ON_START, DatumState
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job, JobState, Outcome, TriggerKind
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.pipelines import (
    ExecutorKind,
    PipelineSpec,
    QueryCode,
    cron_inputs,
    keyed_inputs,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind
from jupyter_datalake.pipelines.building import build_environment
from jupyter_datalake.pipelines.cutting import TreeForGlobs
from jupyter_datalake.pipelines.datum_loop import MAX_MESSAGE, DatumLoop
from jupyter_datalake.pipelines.expecting import QUARANTINE, said_by_checks, unexpected
from jupyter_datalake.pipelines.explaining import Explainer
from jupyter_datalake.pipelines.inheriting import Basis, find_basis
from jupyter_datalake.pipelines.joining import Joined, join
from jupyter_datalake.pipelines.notifying import announce_end
from jupyter_datalake.pipelines.planning import (
    CodeVersion,
    code_version,
    plan_datums,
)
from jupyter_datalake.pipelines.resolving import resolve_inputs
from jupyter_datalake.pipelines.steps import run_step, variables_of
from jupyter_datalake.warehouse.base import EgressSource
from jupyter_datalake.warehouse.egress import run_egress

logger = logging.getLogger(__name__)

_PLANNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class _Work:
    """What one job runs, fixed when it is taken up."""

    row: PipelineRow
    spec: PipelineSpec
    code: CommitId
    version: CodeVersion
    tick_ns: int | None
    """The tick that cron inputs stand for, or None before the first."""
    basis: Basis | None
    """The earlier job it goes on from."""


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
        self._deadline: tuple[float, float] | None = None
        """When the job's time is over, and how long that is."""
        self._notes: list[str] = []
        """What is to be said of the job although it succeeds."""
        self._cause: ErrorKind | None = None
        """What it fails for, or what it succeeds in spite of."""
        self._lost: JobLostError | None = None
        """Why the job is this run's no more, also where it was cancelled before."""
        self._taken: tuple[PipelineSpec, CommitId] | None = None
        """What it runs, once it has begun."""
        self._is_set_up = False
        self._egresses = False
        self._unclean = ""
        """Why the step `finally` failed."""
        self.job = job

    @property
    def has_begun(self) -> bool:
        """Whether it has taken the job, which was waiting before."""
        return self._taken is not None

    def cancel(self, reason: str) -> None:
        """Ask the run to end without a commit; running datums are killed."""
        self._halt(JobCancelledError(reason))

    def abandon(self, reason: str) -> None:
        """Tell the run that the job is its controller's no more: it ends and changes nothing."""
        self._lost = JobLostError(reason)
        self._halt(self._lost)

    def _halt(self, why: JobError) -> None:
        if not self._stopped.is_set():
            self._stop = why
            self._stopped.set()

    def run(self) -> None:
        """Run the job to its end. Whatever goes wrong ends in the job's row, not in the caller."""
        try:
            self._run_to_end()
        except JobLostError as error:
            logger.warning("job %s is given up: %s", self.job.id, error.message)
        except StateError as error:  # while `finally` ran
            logger.warning("job %s: %s", self.job.id, error)
        except StorageError as error:
            # The end cannot be written. The lease runs out, and the job is taken up again.
            logger.warning("job %s is left to be taken up again: %s", self.job.id, error)

    def _run_to_end(self) -> None:
        try:
            self._run()
        except JobLostError:
            raise
        except JobCancelledError as error:
            self._end(JobState.CANCELLED, error.message, error.kind)
        except StateError as error:
            # Somebody moved the job: it was cancelled or taken up elsewhere between two looks.
            logger.warning("job %s: %s", self.job.id, error)
        except DatalakeError as error:
            self._end(JobState.FAILED, str(error), error.kind)
        except Exception as error:
            logger.exception("job %s", self.job.id)
            message = f"Internal error: {type(error).__name__}: {error}"
            self._end(JobState.FAILED, message, ErrorKind.INTERNAL)

    # --- the course ------------------------------------------------------------------------------

    def _run(self) -> None:
        self._check_lost()
        row, spec, code, tick_ns = self._take()
        self._taken = spec, code
        if self.job.cancel_requested:
            raise JobCancelledError("cancelled by request")
        if self.job.output_commit_id is not None:
            self._resume(spec, self.job.output_commit_id)
            return
        version = code_version(self._core, spec, code)
        if spec.timeout_s is not None:
            self._deadline = (time.monotonic() + spec.timeout_s, spec.timeout_s)
        basis = find_basis(self._core, row, spec, version, self.job)
        work = _Work(row, spec, code, version, tick_ns, basis)
        try:
            commit = self._work(work)
        except CorruptDataError as error:
            if basis is None:
                raise
            # Results that the earlier job had may have been forgotten since, and collected.
            logger.warning("job %s looks at all datums again: %s", self.job.id, error)
            with self._core.metadata.write() as tx:
                tx.jobs.update(basis.before.job_id, datums_root=None, joined_root=None)
            commit = self._work(replace(work, basis=None))
        if self.job.state is JobState.EGRESSING:
            self._finish(spec, commit)

    def _set_up(self, spec: PipelineSpec, code: CommitId) -> None:
        """Run the step `on_start`, if there is one, and once where the datums are planned twice.

        Raises
        ------
        JobFailedError
            It failed.
        """
        if spec.on_start is None or self._is_set_up:
            return
        outcome = run_step(
            self._core,
            self._executor,
            self.job,
            spec,
            code,
            ON_START,
            spec.on_start,
            variables_of(self.job, ON_START),
            self._check_stopped,
        )
        if outcome.state is not DatumState.SUCCESS:
            raise JobFailedError(f"on_start failed, and no datum ran: {outcome.message}")
        self._is_set_up = True
        self._check_stopped()

    def _tear_down(self, state: JobState, message: str) -> str:
        """Run the step `finally` of a job that has begun; return what is said of the job.

        That is the message, with what the step failed for. The step is not stopped by what stops
        the job, but for another controller's taking over.
        """
        if self._taken is None or self._taken[0].finally_ is None:
            return message
        self._unclean = self._run_finally(*self._taken, state, message)
        if not self._unclean:
            return message
        # The beginning of a long message is worth more than its end.
        note = f"finally failed: {self._unclean}"[: MAX_MESSAGE // 2]
        return f"{message[: MAX_MESSAGE - len(note) - 2]}; {note}" if message else note

    def _run_finally(
        self, spec: PipelineSpec, code: CommitId, state: JobState, message: str
    ) -> str:
        """Run the step; return why it failed, or nothing."""
        assert spec.finally_ is not None
        try:
            outcome = run_step(
                self._core,
                self._executor,
                self.job,
                spec,
                code,
                FINALLY,
                spec.finally_,
                variables_of(self.job, FINALLY, state, message),
                self._check_lost,
            )
        except (JobLostError, StateError, StorageError):
            raise  # whoever has the job then runs it
        except Exception as error:
            logger.exception("finally of job %s", self.job.id)
            return f"Internal error: {type(error).__name__}: {error}"
        return "" if outcome.state is DatumState.SUCCESS else outcome.message or "it failed"

    def _check_lost(self) -> None:
        if self._lost is not None:
            raise self._lost

    def _work(self, work: _Work) -> Commit:
        """Run the datums and commit what they made."""
        self._notes.clear()
        self._cause = None
        total = self._record(work)
        self._build_environment(work)
        self._set_up(work.spec, work.code)
        loop = DatumLoop(self._core, self._executor, self.job, work.row.id, work.spec, work.code)
        failures = loop.run(self._check_stopped)
        if failures:
            raise JobFailedError(failures.summary(total))
        if loop.left_out:
            note = loop.left_out.summary(total)
            self._notes.append(f"Went on without the code's result: {note}")
        return self._commit(work, has_left_out=bool(loop.left_out))

    def _build_environment(self, work: _Work) -> None:
        """Build the environment that the pipeline has for itself, before anything waits for it.

        Workers would do so, too; but a datum has its time, and each would try in vain.
        """
        if work.spec.packages is None or work.spec.executor is ExecutorKind.DASK:
            return  # machines of a cluster build what they lack
        with self._core.metadata.read() as tx:
            is_needed = tx.datums.list(self.job.id, states=[DatumState.QUEUED], limit=1)
            if not is_needed and work.spec.on_start is None:
                return
            message = tx.jobs.get(self.job.id).message
        self._say("Its environment is being made")
        build_environment(self._core, work.code, self._check_stopped)
        self._say(message)

    def _say(self, message: str) -> None:
        with self._core.metadata.write() as tx:
            tx.jobs.update(self.job.id, message=message)
            self._changed(tx, JobState.RUNNING)

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

    def _record(self, work: _Work) -> int:
        """Write the datums, those with known results as skipped; return how many there are.

        Datums that are inherited from an earlier job are only counted.
        """
        spec, version, basis = work.spec, work.version, work.basis
        reprocess = self.job.trigger.reprocess
        explainer = Explainer(
            self._core, work.row, spec, version, reprocess=reprocess, job=self.job
        )
        # What a query returns depends on the warehouse, so no earlier result stands in for it.
        knows = not isinstance(spec.code, QueryCode) and not reprocess
        with self._core.metadata.write() as tx:
            tx.datums.clear(self.job.id)
            if basis is not None:  # its commit may be removed while the job runs
                tx.pins.add(
                    job_owner(self.job.id), [(BlobKind.NODE, root) for root in basis.old_roots]
                )
        inherited = total = 0
        if basis is None:
            planned = plan_datums(self._core, spec, version, self.job.inputs, work.tick_ns)
        else:
            planned = basis.planned(spec, version)
            inherited = basis.count_inherited(self._core)
        for batch in batched(planned, _PLANNED_AT_ONCE):
            with self._core.metadata.read() as tx:
                known = tx.datums.known(one.key for one in batch) if knows else {}
            reasons = explainer.reasons(batch, known)
            with self._core.metadata.write() as tx:
                known = tx.datums.known(known)  # without those that gc has forgotten since
                tx.datums.add(
                    self.job.id,
                    [
                        DatumDraft(position, one.key, one.inputs, str(why), known.get(one.key))
                        for position, (one, why) in enumerate(
                            zip(batch, reasons, strict=True), total
                        )
                    ],
                )
            total += len(batch)
            self._check_stopped()
        with self._core.metadata.write() as tx:
            total += inherited
            notice = "" if total else "No datums: the globs match nothing in the inputs"
            tx.jobs.update(self.job.id, datum_total=total, inherited=inherited, message=notice)
            self._changed(tx, JobState.RUNNING)
        return total

    def _commit(self, work: _Work, *, has_left_out: bool) -> Commit:
        """Join the outputs into one commit; the job's row moves in the same transaction."""
        spec = work.spec
        head = head_of(self._core, spec.name, DEFAULT_BRANCH)
        outcome = Outcome.COMMITTED
        with self._core.writer() as writer:
            nodes = NodeWriter(self._core.nodes, writer)
            joined = join(self._core, nodes, self.job, spec, work.basis, head.root)
            if spec.expectations:
                writer.publish()
                nodes.publish()
                self._expect(work, joined.root)
            if joined.root == head.root:
                outcome = Outcome.UNCHANGED
            # An unchanged output may not be in the warehouse yet: its egress failed, or is new.
            has_rows = outcome is Outcome.COMMITTED or head.provenance.origin is Origin.JOB
            egresses = spec.egress is not None and has_rows
            result = commit_tree(
                self._core,
                writer,
                nodes,
                head,
                joined.root,
                self._request(work, DEFAULT_BRANCH, self._message(spec)),
                self._finisher(
                    work.row,
                    joined,
                    outcome,
                    then_egress=egresses,
                    has_finally=spec.finally_ is not None,
                    has_left_out=has_left_out,
                ),
            )
        return result.commit

    def _expect(self, work: _Work, root: Digest) -> None:
        """Hold the output against what is expected; what is not so is kept where nobody reads it.

        Raises
        ------
        JobFailedError
            It is not as expected (``expectation-failed``).
        """
        spec = work.spec
        with self._core.metadata.write() as tx:
            tx.pins.add(job_owner(self.job.id), [(BlobKind.NODE, root)])
        tree = self._core.tree(root, f"the output of {spec.name}")
        checked = self._run_checks(work, root)
        warnings = unexpected(
            self._core, tree, (one for one in spec.expectations if one.only_warns)
        )
        warnings += checked[1]
        if warnings:
            self._notes.append(f"Not as expected: {'; '.join(warnings)}")
            self._cause = ErrorKind.EXPECTATION_FAILED
        broken = unexpected(
            self._core, tree, (one for one in spec.expectations if not one.only_warns)
        )
        broken += checked[0]
        if broken:
            why = "; ".join(broken)
            self._quarantine(work, root, why)
            raise JobFailedError(
                f"The output is not as expected: {why}",
                kind=ErrorKind.EXPECTATION_FAILED,
                hint=f"It was not committed to main; look at it in {spec.name}@{QUARANTINE}",
                pipeline=spec.name,
            )

    def _run_checks(self, work: _Work, root: Digest) -> tuple[list[str], list[str]]:
        """Have the pipeline's own functions look at the output; return what they say of it.

        As `said_by_checks` gives it.
        """
        spec = work.spec
        if not any(one.python for one in spec.expectations):
            return [], []
        outcome = run_step(
            self._core,
            self._executor,
            self.job,
            spec,
            work.code,
            CHECKS,
            None,
            variables_of(self.job, CHECKS),
            self._check_stopped,
            checked=root,
        )
        return said_by_checks(self._core, spec.expectations, outcome)

    def _quarantine(self, work: _Work, root: Digest, why: str) -> None:
        spec = work.spec
        with self._core.metadata.write() as tx:
            repo = tx.repos.get(spec.name)
            if tx.refs.find(repo, QUARANTINE) is None:
                main = tx.refs.get(repo, DEFAULT_BRANCH)
                tx.refs.create(
                    repo,
                    QUARANTINE,
                    RefKind.BRANCH,
                    main.commit_id,
                    by=str(self._author),
                    reason=f"job {self.job.id}",
                )
        head = head_of(self._core, spec.name, QUARANTINE)
        message = f"Not as expected: {why}"[:MAX_MESSAGE]
        with self._core.writer() as writer:
            nodes = NodeWriter(self._core.nodes, writer)
            request = self._request(work, QUARANTINE, message)
            commit_tree(self._core, writer, nodes, head, root, request)

    def _request(self, work: _Work, branch: str, message: str) -> CommitRequest:
        return CommitRequest(
            repo=work.spec.name,
            branch=branch,
            message=message,
            author=self._author,
            provenance=self._provenance(work),
            global_id=self.job.global_id,
        )

    def _finisher(
        self,
        row: PipelineRow,
        joined: Joined,
        outcome: Outcome,
        *,
        then_egress: bool,
        has_finally: bool,
        has_left_out: bool,
    ) -> Callable[[Transaction, Commit], None]:
        """Return what else happens in the transaction that makes the commit visible."""

        def finish(tx: Transaction, commit: Commit) -> None:
            self._check_stopped()
            self._egresses = then_egress
            goes_on = then_egress or has_finally
            new = JobState.EGRESSING if goes_on else JobState.SUCCESS
            tx.jobs.move(
                self.job,
                new,
                owner=self._owner,
                outcome=str(outcome),
                output_commit_id=commit.id if outcome is Outcome.COMMITTED else None,
            )
            joined.record(tx, row.id, self.job.id, has_left_out=has_left_out)
            if self._notes:
                tx.jobs.update(self.job.id, message="; ".join(self._notes)[:MAX_MESSAGE])
            self._changed(tx, new)
            self.job = tx.jobs.get(self.job.id)

        return finish

    def _message(self, spec: PipelineSpec) -> str:
        what = ", ".join(
            f"{given.repo}@{self.job.inputs[key][:12]}" for key, given in keyed_inputs(spec).items()
        )
        return f"Run {spec.name} v{self.job.pipeline_version}" + (f" on {what}" if what else "")

    def _provenance(self, work: _Work) -> Provenance:
        spec = work.spec
        return Provenance(
            origin=Origin.JOB,
            pipeline=spec.name,
            pipeline_version=self.job.pipeline_version,
            job_id=self.job.id,
            code=InputCommit(CODE_INPUT, spec.code_repo, DEFAULT_BRANCH, work.code),
            inputs=tuple(
                InputCommit(key, given.repo, given.branch, self.job.inputs[key])
                for key, given in keyed_inputs(spec).items()
            ),
            parameters=spec.parameters,
            environment=work.version.environment.hex(),
            tick_ns=work.tick_ns if cron_inputs(spec) else None,
        )

    def _resume(self, spec: PipelineSpec, commit_id: CommitId) -> None:
        """Go on with a job that was lost after its commit: only what follows may be missing."""
        with self._core.metadata.write() as tx:
            tx.jobs.move(self.job, JobState.EGRESSING, owner=self._owner)
            self._changed(tx, JobState.EGRESSING)
            self.job = tx.jobs.get(self.job.id)
        self._egresses = spec.egress is not None
        self._finish(spec, commit_by_id(self._core, commit_id))

    def _finish(self, spec: PipelineSpec, commit: Commit) -> None:
        """Do what comes behind the commit, and end the job."""
        rows = self._egress(spec, commit) if self._egresses else None
        message = self._tear_down(JobState.SUCCESS, self.job.message)
        with self._core.metadata.write() as tx:
            tx.jobs.move(
                self.job,
                JobState.SUCCESS,
                owner=self._owner,
                rows_written=rows,
                message=message,
            )
            self._changed(tx, JobState.SUCCESS)

    def _egress(self, spec: PipelineSpec, commit: Commit) -> int:
        """Write the rows of the output to its warehouse; return how many there are."""
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
        return 0 if is_old else report.row_count

    # --- rows ------------------------------------------------------------------------------------

    def _check_stopped(self) -> None:
        if self._stop is not None:
            raise self._stop
        if self._deadline is not None and time.monotonic() > self._deadline[0]:
            raise JobFailedError(
                f"The job was stopped after its {self._deadline[1]:g} s",
                kind=ErrorKind.JOB_TIMEOUT,
                hint="Datums that succeeded are kept: run it again, or raise 'timeout'",
            )

    def _end(self, state: JobState, message: str, cause: ErrorKind) -> None:
        """End the job without a commit, unless it is not ours any more."""
        message = self._tear_down(state, message[:MAX_MESSAGE])
        with self._core.metadata.write() as tx:
            job = tx.jobs.get(self.job.id)
            if job.state.is_terminal or job.owner not in {None, self._owner}:
                return
            tx.datums.requeue_running(job.id)
            tx.jobs.move(job, state, message=message)
            self._cause = cause
            self._changed(tx, state)

    def _changed(self, tx: Transaction, state: JobState) -> None:
        tx.events.append(
            EventKind.JOB_CHANGED, self.job.id, pipeline=self.job.pipeline, state=str(state)
        )
        if state.is_terminal:
            announce_end(tx, self.job.id, self._cause, is_unclean=bool(self._unclean))
