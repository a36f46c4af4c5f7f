"""Worker processes that cannot do what they are there for."""

import sys

import pytest

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.jobs.local_executor import LocalExecutor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.pipelines import CommandCode, PipelineSpec


@pytest.mark.logs("worker died")
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('some words\\nthe database is away')", "the database is away"),
        ("import sys; sys.exit(3)", "it said nothing"),
        ("print('hello')", "it said b'hello\\n' instead of being ready: it said nothing"),
    ],
)
def test_a_worker_that_does_not_start_fails_its_try_with_what_it_said_last(tmp_path, program, said):
    executor = LocalExecutor(
        [sys.executable, "-c", program],
        {},
        slots=1,
        log=tmp_path / "workers.log",
        keep_artifacts=lambda task: DatumOutcome(DatumState.FAILED),
    )
    spec = PipelineSpec("p", None, CommandCode(("true",)))
    try:
        task = DatumTask("job", 0, 1, 1, GlobalId("g"), spec, CommitId("c"), ())
        (future,) = executor.submit([task])
        outcome = future.result(30)
    finally:
        executor.close()
    assert (outcome.state, outcome.kind) == (DatumState.FAILED, ErrorKind.DATUM_FAILED)
    assert outcome.message.endswith(said)
