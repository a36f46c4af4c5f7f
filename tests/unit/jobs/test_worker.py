"""What a worker says: how tries ended, once that is kept."""

import io
import json

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, bundle_as_dict, parse_bundle
from jupyter_datalake.jobs.worker import Reporter
from jupyter_datalake.model.datums import DatumInput, DatumState
from jupyter_datalake.model.ids import CommitId, GlobalId, digest_of
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipelines import CommandCode, PipelineSpec, RepoInput

SPEC = PipelineSpec("p", RepoInput("raw", "raw", "/*"), CommandCode(("true",)))


def task(position):
    given = DatumInput(
        "raw", "raw", CommitId("ab" * 32), RepoPath(f"f{position}"), digest_of(b"x"), 1
    )
    return DatumTask(
        "j" * 32, position, 2, 1, GlobalId("cd" * 16), SPEC, CommitId("ef" * 32), (given,)
    )


class Runner:
    """A runner whose results can be kept, or not."""

    def __init__(self, error=None):
        self.error = error
        self.settled = 0

    def settle(self):
        self.settled += 1
        if self.error is not None:
            raise self.error


def said(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_outcome_is_told_once_it_is_kept():
    stream, runner = io.BytesIO(), Runner()
    reporter = Reporter(runner, stream, patience_s=60)
    for position in (0, 1):
        reporter.end(task(position), DatumOutcome(DatumState.SUCCESS))
    assert said(stream) == []
    reporter.settle()
    reporter.settle()
    assert runner.settled == 1
    ended = said(stream)
    assert [[name for name, _ in one["ended"]] for one in ended] == [["0-2.1", "1-2.1"]]


def test_what_cannot_be_kept_has_failed():
    stream = io.BytesIO()
    runner = Runner(StorageError("The disk is full", kind=ErrorKind.STORAGE_FULL))
    reporter = Reporter(runner, stream, patience_s=60)
    reporter.end(task(0), DatumOutcome(DatumState.SUCCESS, output_root=digest_of(b"x")))
    reporter.settle()
    ((_, outcome),) = said(stream)[-1]["ended"]
    assert outcome["state"] == "failed"
    assert outcome["kind"] == "storage-full"
    assert outcome["output_root"] is None


def test_a_bundle_says_once_what_its_tries_have_in_common():
    tasks = [task(position) for position in range(3)]
    written = json.loads(json.dumps(bundle_as_dict(tasks)))
    assert parse_bundle(written) == tasks
    assert len(written["datums"]) == 3
