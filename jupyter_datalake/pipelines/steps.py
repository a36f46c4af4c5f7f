"""Steps: what a job runs once before its datums, and at its end however it ends.

A step runs where datums run, as a try of its own kind: it has no inputs and leaves no output. Its
row and log are kept among those of the datums, at a position below theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import replace

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import JobLostError
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.metadata.datums import DatumEnd
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.datums import FINALLY, STEP_POSITIONS, DatumState
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import Job, JobState
from jupyter_datalake.model.pipelines import DatumPolicy, JobStep, PipelineSpec
from jupyter_datalake.pipelines.datum_loop import MAX_MESSAGE

_LOOK_S = 0.2
_END_S = 10.0


def owes_finally(tx: Transaction, job: Job) -> bool:
    """Tell whether a job that waits has run before, and its step ``finally`` is still to come."""
    if job.started_at is None:
        return False
    spec, _ = tx.pipelines.version(tx.pipelines.get(job.pipeline).id, job.pipeline_version)
    return spec.finally_ is not None


def variables_of(
    job: Job, step: str, state: JobState = JobState.RUNNING, message: str = ""
) -> dict[str, str]:
    """Return what a step is told besides what every datum of its job is.

    Parameters
    ----------
    state, message
        How the job ends, for ``finally``.
    """
    told = told_to_step(step, str(job.trigger.kind), job.inputs, state, message)
    if step == FINALLY:
        told["DATALAKE_JOB_OUTCOME"] = "" if job.outcome is None else str(job.outcome)
        told["DATALAKE_JOB_OUTPUT"] = job.output_commit_id or ""
    return told


def told_to_step(
    step: str,
    trigger: str,
    inputs: Mapping[str, CommitId],
    state: JobState = JobState.RUNNING,
    message: str = "",
) -> dict[str, str]:
    """Return the variables of a step of anything that runs as a job does."""
    told = {
        "DATALAKE_STEP": step,
        "DATALAKE_JOB_STATE": str(state),
        "DATALAKE_JOB_MESSAGE": message.replace("\0", "\\0"),
        "DATALAKE_JOB_TRIGGER": trigger,
        **{f"{key.replace('.', '_')}_COMMIT": commit for key, commit in inputs.items()},
    }
    if step == FINALLY:
        told |= {"DATALAKE_JOB_OUTCOME": "", "DATALAKE_JOB_OUTPUT": ""}
    return told


def run_step(
    core: LakeCore,
    executor: Executor,
    job: Job,
    spec: PipelineSpec,
    code: CommitId,
    step: str,
    given: JobStep | None,
    variables: dict[str, str],
    check: Callable[[], None],
    *,
    checked: Digest | None = None,
) -> DatumOutcome:
    """Run a step to its end and return how that went.

    Parameters
    ----------
    given
        What runs; the checks of the pipeline's expectations where None.
    checked
        The output that those look at.
    check
        Called several times a second; what it raises ends the step, and is raised.
    """
    task = DatumTask(
        job_id=job.id,
        position=STEP_POSITIONS[step],
        job_attempt=job.attempt,
        attempt=1,
        global_id=job.global_id,
        spec=spec_of_step(spec, given),
        code_commit_id=code,
        inputs=(),
        step=step,
        variables=variables,
        checked=checked,
    )
    with core.metadata.write() as tx:
        tx.datums.begin_step(job.id, step)
        tx.events.append(EventKind.DATUM_CHANGED, job.id, pipeline=job.pipeline, step=step)
    (future,) = executor.submit([task])
    try:
        while not wait([future], timeout=_LOOK_S).done:
            check()
        outcome = future.result()
    except BaseException as error:
        executor.cancel(task)
        future.add_done_callback(Future.exception)
        wait([future], timeout=_END_S)
        if not isinstance(error, JobLostError):  # else the next controller says how it ended
            _end(core, job, step, DatumOutcome(DatumState.FAILED, f"it was stopped: {error}"))
        raise
    if outcome.state is DatumState.QUEUED:
        outcome = replace(outcome, state=DatumState.FAILED, message="it was stopped")
    _end(core, job, step, outcome)
    return outcome


def spec_of_step(spec: PipelineSpec, given: JobStep | None) -> PipelineSpec:
    """Return the spec by which a worker runs a step as it would run a datum."""
    bare = replace(spec, input=None, on_start=None, finally_=None, egress=None, notify=None)
    if given is None:
        return replace(bare, datums=DatumPolicy(tries=1, timeout_s=spec.datums.timeout_s))
    policy = DatumPolicy(tries=1, timeout_s=given.timeout_s)
    return replace(bare, code=given.code, datums=policy, expectations=())


def _end(core: LakeCore, job: Job, step: str, outcome: DatumOutcome) -> None:
    end = DatumEnd(
        STEP_POSITIONS[step],
        outcome.state,
        outcome.started_ns,
        outcome.finished_ns,
        None,
        outcome.artifacts_root,
        outcome.message[:MAX_MESSAGE],
    )
    with core.metadata.write() as tx:
        tx.datums.end(job.id, [end])
        tx.events.append(EventKind.DATUM_CHANGED, job.id, pipeline=job.pipeline, step=step)
