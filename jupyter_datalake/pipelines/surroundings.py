"""What a reproduction runs around the datums: the steps of a job, and its expectations.

They run as those of jobs do, and no job knows of them: what they print is kept nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from dataclasses import replace

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import JobCancelledError, JobFailedError
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import CHECKS, FINALLY, ON_START, STEP_POSITIONS, DatumState
from jupyter_datalake.model.environments import Wanted
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.pipelines import JobStep
from jupyter_datalake.pipelines.expecting import said_by_checks, unexpected
from jupyter_datalake.pipelines.recalling import Piece, Recorded
from jupyter_datalake.pipelines.steps import spec_of_step, told_to_step

logger = logging.getLogger(__name__)

TRIGGER = "reproduction"
"""What steps are told of why they run, in ``DATALAKE_JOB_TRIGGER``."""

_WAIT_S = 0.2
_END_S = 10.0

MakeTask = Callable[[Recorded, Piece, Wanted | None], DatumTask]


class Surroundings:
    """Steps and expectations of one output that is made again.

    Parameters
    ----------
    make_task
        Gives the task of a datum; steps are made of it.
    hold
        Called several times a second; what it raises ends what runs.
    own
        The environment that takes the place of that of the code.
    """

    def __init__(
        self,
        executor_of: tuple[LakeCore, Executor],
        recorded: Recorded,
        own: Wanted | None,
        make_task: MakeTask,
        hold: Callable[[], None],
    ) -> None:
        self._core, self._executor = executor_of
        self._recorded = recorded
        self._own = own
        self._make_task = make_task
        self._hold = hold

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
        on_start = self._recorded.spec.on_start
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
                    logger.warning("reproducing %s: %s", self._recorded.repo, note)
            raise
        else:
            note = self._tear_down(JobState.SUCCESS, "")
            notes += [note] if note else []

    def _tear_down(self, state: JobState, message: str) -> str:
        """Run `finally`, if there is one; return what is to be said where it fails."""
        given = self._recorded.spec.finally_
        if given is None:
            return ""
        outcome = self._run(FINALLY, given, state=state, message=message)
        return "" if outcome.state is DatumState.SUCCESS else f"finally failed: {outcome.message}"

    def unexpected(self, made: Digest) -> list[str]:
        """Return how what was made is not what the pipeline expects, a line each."""
        expectations = self._recorded.spec.expectations
        if not expectations:
            return []
        tree = self._core.tree(made, "what was made again")
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
        recorded = self._recorded
        task = replace(
            self._make_task(recorded, Piece(STEP_POSITIONS[step], ()), self._own),
            spec=spec_of_step(recorded.spec, given),
            step=step,
            variables=told_to_step(step, TRIGGER, recorded.inputs, state, message),
            checked=checked,
        )
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
            raise JobCancelledError(f"The reproduction was stopped: {outcome.message}")
        return outcome
