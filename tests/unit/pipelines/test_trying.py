"""Trying: what is run of a spec, what it is compared with, and that nothing else is touched."""

from pathlib import Path

import pytest

from jupyter_datalake.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.trials import TRIAL_LEASE, OutputCounts, TrialState
from jupyter_datalake.pipelines import trial_records, trying
from jupyter_datalake.pipelines.trial_records import sweep_trials
from tests.unit.pipelines.inline import Bench, upper


class Program:
    """Writes each input in capitals with `more` behind it, and what `beside` says beside it."""

    def __init__(self):
        self.more = ""
        self.beside = {}

    def __call__(self, inputs, out):
        upper(inputs, out)
        for path in inputs:
            with open(out / path, "a", encoding="utf-8") as file:
                file.write(self.more)
            for name in self.beside.get(path, ()):
                (out / name).write_text(name)


@pytest.fixture
def program():
    return Program()


@pytest.fixture
def bench(memory_lake, tmp_path, program):
    bench = Bench(memory_lake, tmp_path / "bench", program)
    bench.commit(a="one\n", b="two\n", c="three\n", d="four\n")
    return bench


def everything(lake):
    """Return all refs, pipelines and jobs with their datums."""
    repos = [repo.name for repo in lake.repos.list()]
    return (
        {repo: [(ref.name, ref.commit_id) for ref in lake.refs.list(repo)] for repo in repos},
        lake.pipelines.list(),
        [(job, lake.jobs.list_datums(job.id)) for job in lake.jobs.list()],
    )


def attempt(bench, **options):
    """Try the bench's spec, and see that no ref, pipeline or job is otherwise than before."""
    changes = {key: options.pop(key) for key in [*options] if key not in _OPTIONS}
    before = everything(bench.lake)
    bench.executor.ran.clear()
    done = bench.lake.trials.run(
        bench.spec | changes, folder=bench.folder, executor=bench.executor, **options
    )
    assert everything(bench.lake) == before
    return done


_OPTIONS = {"datums", "positions", "steps", "on_change"}


def counts(compared):
    found = compared.counts
    return found.added, found.modified, found.removed, found.same


def differences(bench, trial, **options):
    found = bench.lake.trials.list_differences(trial.id, **options)
    return [(str(one.kind), one.path) for one in found]


def test_a_spec_that_was_never_published_is_tried_on_its_first_datums(bench):
    trial = attempt(bench, datums=2)
    assert (trial.state, trial.message, trial.is_whole) == (TrialState.SUCCESS, "", False)
    assert bench.executor.ran == [["a"], ["b"]]
    assert [(one.position, one.label, one.state) for one in trial.datums] == [
        (0, "raw:/a", DatumState.SUCCESS),
        (1, "raw:/b", DatumState.SUCCESS),
    ]
    assert trial.base_commit_id is None
    assert [counts(one.output) for one in trial.datums] == [(1, 0, 0, 0)] * 2
    assert differences(bench, trial) == [("added", "a"), ("added", "b")]
    assert differences(bench, trial, datum=1) == [("added", "b")]
    assert bench.lake.trials.read(trial.id, "a") == b"ONE\n"
    assert bench.lake.pipelines.list() == []
    assert [one.name for one in bench.lake.repos.list()] == ["raw"]


def test_three_datums_are_tried_unless_somebody_says_otherwise(bench):
    assert [one.position for one in attempt(bench).datums] == [0, 1, 2]
    assert [one.position for one in attempt(bench, positions=[3, 1]).datums] == [1, 3]
    whole = attempt(bench, datums=9)
    assert ([one.position for one in whole.datums], whole.is_whole) == ([0, 1, 2, 3], True)
    assert attempt(bench, positions=[3, 2, 1, 0]).is_whole


def test_what_was_written_is_compared_with_the_output_branch_on_these_paths(bench, program):
    program.beside = {"a": ["a.old"], "b": ["b.same"]}
    bench.publish()
    bench.run()
    head = bench.lake.commits.get("p")
    program.beside = {"a": ["a.new"], "b": ["b.same"]}
    program.more = "!\n"
    trial = attempt(bench, datums=2, command=["false"])
    assert trial.base_commit_id == head.id
    assert [counts(one.output) for one in trial.datums] == [(1, 1, 1, 0), (0, 1, 0, 1)]
    assert trial.output.counts == OutputCounts(added=1, modified=2, removed=1, same=1)
    assert differences(bench, trial) == [
        ("modified", "a"),
        ("added", "a.new"),
        ("removed", "a.old"),
        ("modified", "b"),
    ]
    assert differences(bench, trial, datum=1) == [("modified", "b")]
    assert differences(bench, trial, limit=2, after="a") == [
        ("added", "a.new"),
        ("removed", "a.old"),
    ]
    diff = bench.lake.trials.diff_text(trial.id, "a")
    assert [line for hunk in diff.hunks for line in hunk.lines] == [" ONE", "+!"]
    assert bench.lake.trials.diff_text(trial.id, "a.old").removed == 1
    assert bench.lake.trials.read(trial.id, "a", base=True) == b"ONE\n"


def test_what_a_job_inherited_is_known_to_have_been_written_by_its_datum(bench, program):
    program.beside = {"a": ["a.old"]}
    bench.publish()
    bench.run()
    bench.commit(e="five\n")
    bench.run()  # looks at the new datum alone
    program.beside = {}
    assert differences(bench, attempt(bench, datums=1)) == [("removed", "a.old")]


def test_the_same_output_differs_in_nothing(bench):
    bench.publish()
    bench.run()
    trial = attempt(bench, datums=9)
    assert trial.output.counts == OutputCounts(added=0, modified=0, removed=0, same=4)
    assert trial.output.base_root == trial.output.made_root == bench.root()


def test_where_all_datums_are_tried_all_else_would_be_removed(bench):
    bench.publish()
    bench.run()
    bench.commit(d=None)
    assert differences(bench, attempt(bench, datums=9)) == [("removed", "d")]
    assert differences(bench, attempt(bench, datums=2)) == []


def test_each_datum_is_told_of_and_one_that_fails_leaves_the_others_alone(bench):
    bench.commit(b="bad")
    trial = attempt(bench)
    assert trial.state is TrialState.FAILED
    assert trial.message == "1 of 3 datums failed; raw:/b: a bad input"
    assert [one.state for one in trial.datums] == [
        DatumState.SUCCESS,
        DatumState.FAILED,
        DatumState.SUCCESS,
    ]
    assert trial.datums[1].message == "a bad input"
    assert differences(bench, trial) == [("added", "a"), ("added", "c")]
    with pytest.raises(StateError, match=r"Datum 1 of trial .* it is failed"):
        bench.lake.trials.list_differences(trial.id, datum=1)


def test_a_datum_has_the_tries_of_the_spec_and_its_policy(bench):
    bench.commit(a="bad")
    bench.spec["datums"] = {"tries": 3}
    trial = attempt(bench)
    assert (trial.datums[0].tries, trial.datums[1].tries) == (3, 1)
    bench.spec["datums"] = {"tries": 1, "on_error": "skip"}
    trial = attempt(bench)
    assert trial.state is TrialState.SUCCESS
    assert trial.datums[0].state is DatumState.RECOVERED


def test_progress_is_told_and_seen_by_others_while_it_runs(bench):
    seen = []

    def look(trial):
        found = bench.lake.trials.get(trial.id[:8])
        assert found == trial
        seen.append((str(found.state), [str(one.state) for one in found.datums]))

    trial = attempt(bench, datums=1, on_change=look)
    assert seen[:2] == [("running", ["queued"]), ("running", ["running"])]
    assert seen[-1] == ("success", ["success"])
    assert bench.lake.trials.list(pipeline="p") == [trial]
    assert bench.lake.trials.list(pipeline="q") == []
    log = bench.lake.trials.get_log(trial.id)
    assert (log.text, log.state) == ("ran ['a']", DatumState.SUCCESS)


def test_two_datums_that_write_one_path_are_told_as_the_job_would(bench, program):
    program.beside = {"a": ["same"], "b": ["same"]}
    trial = attempt(bench)
    assert trial.state is TrialState.FAILED
    assert "raw:/a and raw:/b both wrote 'same'" in trial.message
    assert [counts(one.output) for one in trial.datums] == [(2, 0, 0, 0)] * 2 + [(1, 0, 0, 0)]


def test_expectations_are_judged_and_steps_are_run_as_in_a_job(bench):
    more = {
        "expectations": [{"files": "/zz.csv", "rows": {"min": 1}}],
        "on_start": {"command": ["echo", "hello"]},
        "finally": {"command": ["echo", "bye"]},
    }
    trial = attempt(bench, **more)
    assert trial.state is TrialState.FAILED
    assert trial.message.startswith("The output is not as expected")
    assert len(trial.unexpected) == 1
    assert [(one.label, one.state) for one in trial.steps] == [
        ("on_start", DatumState.SUCCESS),
        ("finally", DatumState.SUCCESS),
    ]
    assert bench.lake.trials.get_log(trial.id, -2).text == "ran ('echo', 'hello')"
    told = dict(bench.executor.steps)
    assert told["finally"]["DATALAKE_JOB_TRIGGER"] == "trial"
    assert told["finally"]["DATALAKE_JOB_STATE"] == "failed"
    without = attempt(bench, steps=False, **more)
    assert without.steps == ()
    assert without.notes == ("Its steps on_start and finally were left out",)


def test_what_cannot_be_tried_is_refused_with_one_line(bench):
    run = bench.lake.trials.run
    with pytest.raises(NotFoundError, match=r"nothing matches /x in raw@main"):
        run(bench.spec | {"input": {"repo": {"name": "raw", "glob": "/x"}}})
    with pytest.raises(NotFoundError, match="The inputs of 'p' make no datum 7"):
        run(bench.spec, positions=[1, 7])
    for wrong in ({"datums": 0}, {"datums": 101}, {"positions": []}, {"positions": [-1]}):
        with pytest.raises(InvalidInputError, match="cannot be tried"):
            run(bench.spec, **wrong)
    with pytest.raises(NotFoundError, match="reads repo 'gone'"):
        run(bench.spec | {"input": {"repo": {"name": "gone", "glob": "/*"}}})
    bench.lake.repos.create("mine")
    bench.lake.files.put("mine@main/a", b"a")
    with pytest.raises(AlreadyExistsError, match="a repo 'mine' with files of its own"):
        run(bench.spec | {"pipeline": "mine"})
    with pytest.raises(InvalidInputError, match="Pipeline spec"):
        run({"pipeline": "p", "nonsense": 1})
    assert bench.lake.trials.list() == []


def test_no_more_run_at_once_than_a_machine_bears(bench, monkeypatch):
    monkeypatch.setattr(trying, "MAX_RUNNING", 1)
    begun = bench.lake.trials.begin(bench.spec, executor=bench.executor)
    with pytest.raises(StateError, match="1 trials are running"):
        bench.lake.trials.begin(bench.spec, executor=bench.executor)
    assert begun.run().state is TrialState.SUCCESS


def test_a_trial_is_cancelled_by_whoever_has_the_lake_and_its_finally_runs(bench):
    def cancel(task):
        if task.step == "on_start":
            assert bench.lake.trials.cancel(bench.lake.trials.list()[0].id).state == "running"

    bench.executor.on_step = cancel
    trial = attempt(bench, on_start={"command": ["true"]}, **{"finally": {"command": ["true"]}})
    assert (trial.state, trial.message) == (TrialState.CANCELLED, "cancelled by request")
    assert [one.label for one in trial.steps] == ["on_start", "finally"]
    assert all(one.state is DatumState.QUEUED for one in trial.datums[1:])
    with pytest.raises(StateError, match="has ended: cancelled"):
        bench.lake.trials.cancel(trial.id)


def test_what_it_made_is_kept_from_gc_until_it_is_deleted(bench):
    lake = bench.lake
    trial = attempt(bench)
    lake.maintenance.gc(policy=GcPolicy(grace_s=0))
    assert lake.trials.read(trial.id, "a") == b"ONE\n"
    lake.trials.delete(trial.id)
    left_nothing(lake, trial)
    with pytest.raises(NotFoundError, match="There is no trial"):
        lake.trials.get(trial.id)


def test_what_a_process_left_that_was_killed_is_told_and_swept(bench):
    lake = bench.lake
    begun = lake.trials.begin(bench.spec, executor=bench.executor)
    workspace = lake.core.work_folder / "jobs" / begun.trial.id
    workspace.mkdir(parents=True)
    with pytest.raises(StateError, match="is running"):
        lake.trials.delete(begun.trial.id)
    with lake.core.metadata.write() as tx:
        tx.leases.acquire(f"{TRIAL_LEASE}{begun.trial.id}", begun.trial.id, -1)  # its time is over
    found = lake.trials.get(begun.trial.id)
    assert (found.state, found.message) == (TrialState.LOST, "The process that ran it was ended")
    sweep_trials(lake.core)
    left_nothing(lake, begun.trial)
    assert not workspace.exists()


def test_the_newest_are_kept(bench, monkeypatch):
    monkeypatch.setattr(trial_records, "KEPT", 2)
    made = [attempt(bench, datums=1) for _ in range(4)]
    kept = bench.lake.trials.list()
    assert kept == made[:0:-1]  # one more than is kept, until the next one begins
    left_nothing(bench.lake, made[0])


def left_nothing(lake, trial):
    with lake.core.metadata.read() as tx:
        assert job_owner(trial.id) not in tx.pins.owners()
        assert tx.leases.holder(f"{TRIAL_LEASE}{trial.id}") is None
    assert list(Path(lake.core.work_folder).rglob(f"*{trial.id}*")) == []
