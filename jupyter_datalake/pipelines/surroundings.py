"""What is run around datums that are no job's: the steps of a job, and its expectations.

They run as those of jobs do, for reproductions and trials. No job knows of them; who wants to keep
what they print is told how they ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import JobCancelledError, JobFailedError
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import CHECKS, FINALLY, ON_START, STEP_POSITIONS, DatumState
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.pipelines import JobStep, PipelineSpec
from jupyter_datalake.pipelines.expecting import said_by_checks, unexpected
from jupyter_datalake.pipelines.steps import spec_of_step, told_to_step

logger = logging.getLogger(__name__)

_WAIT_S = 0.2
_END_S = 10.0

MakeTask = Callable[[int], DatumTask]
"""Gives the task at a position; steps are made of it."""

Tell = Callable[[str, DatumOutcome | None], None]
"""Told of a step when it begins, and then how it ended."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the steps belong to."""

    what: str
    """``reproduction`` or ``trial``: steps are told it as ``DATALAKE_JOB_TRIGGER``."""
    spec: PipelineSpec
    inputs: Mapping[str, CommitId]
    """Key of each repo input to the commit that is read."""


class Surroundings:
    """Steps and expectations of one output that is made, and not committed.

    Parameters
    ----------
    hold
        Called several times a second; what it raises ends what runs.
    """

    def __init__(
        self,
        executor_of: tuple[LakeCore, Executor],
        around: Around,
        make_task: MakeTask,
        hold: Callable[[], None],
        tell: Tell = lambda step, outcome: None,
    ) -> None:
        self._core, self._executor = executor_of
        self._around = around
        self._make_task = make_task
        self._hold = hold
        self._tell = tell

    @contextmanager
    def steps(self, notes: list[str]) -> Iterator[None]:
        """Run `on_start`, then the block, and then `finally`, however the block ends.

        Parameters
        ----------
        notes
            Gets a line where `finally` fails, which changes nothing else.

        Raises
        ------
        JobFailedError
            `on_start` failed.
        """
        on_start = self._around.spec.on_start
        try:
            if on_start is not None:
                outcome = self._run(ON_START, on_start)
                if outcome.state is not DatumState.SUCCESS:
                    raise JobFailedError(f"on_start failed, and no datum ran: {outcome.message}")
            yield
        except JobFailedError as error:
            note = self._tear_down(JobState.FAILED, error.message)
            if not note:
                raise
            raise JobFailedError(f"{error.message}; {note}", kind=error.kind) from error
        except BaseException as error:
            with suppress(JobCancelledError):  # the executor may be closed already
                note = self._tear_down(JobState.CANCELLED, str(error))
                if note:
                    logger.warning("%s of %s: %s", self._around.what, self._around.spec.name, note)
            raise
        else:
            note = self._tear_down(JobState.SUCCESS, "")
            notes += [note] if note else []

    def _tear_down(self, state: JobState, message: str) -> str:
        """Run `finally`, if there is one; return what is to be said where it fails."""
        given = self._around.spec.finally_
        if given is None:
            return ""
        outcome = self._run(FINALLY, given, state=state, message=message)
        return "" if outcome.state is DatumState.SUCCESS else f"finally failed: {outcome.message}"

    def unexpected(self, made: Digest) -> list[str]:
        """Return how what was made is not what the pipeline expects, a line each."""
        expectations = self._around.spec.expectations
        if not expectations:
            return []
        tree = self._core.tree(made, "what was made")
        broken = unexpected(self._core, tree, (one for one in expectations if not one.only_warns))
        warnings = unexpected(self._core, tree, (one for one in expectations if one.only_warns))
        if any(one.python for one in expectations):
            outcome = self._run(CHECKS, None, checked=made)
            said = said_by_checks(self._core, expectations, outcome)
            broken, warnings = broken + said[0], warnings + said[1]
        return [*broken, *(f"warning: {line}" for line in warnings)]

    def _run(
        self,
        step: str,
        given: JobStep | None,
        *,
        checked: Digest | None = None,
        state: JobState = JobState.RUNNING,
        message: str = "",
    ) -> DatumOutcome:
        """Run a step to its end and return how that went.

        Raises
        ------
        JobCancelledError
            The executor was closed.
        """
        around = self._around
        task = replace(
            self._make_task(STEP_POSITIONS[step]),
            spec=spec_of_step(around.spec, given),
            step=step,
            variables=told_to_step(step, around.what, around.inputs, state, message),
            checked=checked,
        )
        self._tell(step, None)
        (future,) = self._executor.submit([task])
        try:
            while not wait([future], timeout=_WAIT_S).done:
                self._hold()
        except BaseException:
            self._executor.cancel(task)
            wait([future], timeout=_END_S)
            raise
        outcome = future.result()
        if outcome.state is DatumState.QUEUED:
            raise JobCancelledError(f"The {around.what} was stopped: {outcome.message}")
        self._tell(step, outcome)
        return outcome
