"""Reproducing: what is run again, what is compared, and that nothing else is touched."""

from itertools import chain

import pytest

from jupyter_datalake.errors import InvalidInputError, NotFoundError, StateError
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.jobs import Outcome
from jupyter_datalake.model.reproductions import Verdict
from jupyter_datalake.pipelines.datum_loop import places
from jupyter_datalake.pipelines.recalling import recall_job
from jupyter_datalake.pipelines.reproducing import Reproducer, Wish
from tests.unit.pipelines.inline import Bench, run_all, upper


class Program:
    """Writes each input in capitals; what is in `more` is added to what it writes."""

    def __init__(self):
        self.more = ""
        self.counts = False
        self._count = 0

    def __call__(self, inputs, out):
        self._count += 1
        upper(inputs, out)
        for path in inputs:
            number = f"{self._count}" if self.counts else ""
            with open(out / path, "a", encoding="utf-8") as file:
                file.write(f"{self.more}{number}")


@pytest.fixture
def program():
    return Program()


@pytest.fixture
def bench(memory_lake, tmp_path, program):
    bench = Bench(memory_lake, tmp_path / "bench", program)
    bench.publish()
    bench.commit(a="one\n", b="two\n")
    bench.run()
    return bench


def reproduce(bench, *arguments, **options):
    """Reproduce, and see that no ref, job or remembered result is otherwise than before."""
    before = everything(bench.lake)
    done = bench.lake.lineage.reproduce(*arguments, executor=bench.executor, **options)
    assert everything(bench.lake) == before
    return done


def everything(lake):
    """Return all refs, jobs with their datums, and who holds something."""
    with lake.core.metadata.read() as tx:
        owners = set(tx.pins.owners()) - {
            job_owner(name.removeprefix("reproduction:"))
            for name in tx.leases.held("reproduction:")
        }
    repos = [repo.name for repo in lake.repos.list()]
    return (
        {repo: [(ref.name, ref.commit_id) for ref in lake.refs.list(repo)] for repo in repos},
        [(job, lake.jobs.list_datums(job.id)) for job in lake.jobs.list()],
        owners,
    )


def only(done):
    (step,) = done.steps
    return step


def test_the_same_code_over_the_same_inputs_gives_the_same_tree(bench):
    bench.executor.ran.clear()
    done = reproduce(bench, "p@main")
    step = only(done)
    assert (done.verdict, step.verdict) == (Verdict.IDENTICAL, Verdict.IDENTICAL)
    assert step.made_root == step.recorded_root == bench.root()
    assert (step.datum_count, step.change_count, step.changes) == (2, 0, ())
    assert step.commit_id == bench.lake.commits.get("p", "main").id
    assert step.job_id == bench.job.id
    assert sorted(bench.executor.ran) == [["a"], ["b"]]


def test_what_differs_is_named_with_its_lines(bench, program):
    program.more = "changed\n"
    done = reproduce(bench, "p@main")
    step = only(done)
    assert done.verdict is Verdict.DIFFERENT
    assert [change.path for change in step.changes] == ["a", "b"]
    assert step.changes[0].old.digest != step.changes[0].new.digest
    assert step.made_root != step.recorded_root == bench.root()
    text = step.texts[0]
    lines = [*text.diff.unified("old", "new")]
    assert (text.path, lines[3:]) == ("a", [" ONE", "+changed"])
    assert step.is_repeatable is None
    assert bench.output() == {"a": "ONE\n", "b": "TWO\n"}


def test_running_it_twice_tells_code_that_never_repeats_from_code_that_changed(bench, program):
    program.more = "changed\n"
    assert only(reproduce(bench, "p@main", twice=True)).is_repeatable is True
    program.counts = True
    assert only(reproduce(bench, "p@main", twice=True)).is_repeatable is False
    program.more, program.counts = "", False
    assert only(reproduce(bench, "p@main", twice=True)).is_repeatable is None


def test_so_many_paths_are_told_and_all_are_counted(bench, program):
    program.more = "!"
    step = only(reproduce(bench, "p@main", limit=1))
    assert (len(step.changes), step.change_count) == (1, 2)


def test_of_a_path_only_its_datums_are_run_and_only_it_is_compared(bench, program):
    bench.executor.ran.clear()
    step = only(reproduce(bench, "p@main/b"))
    assert (step.verdict, bench.executor.ran) == (Verdict.IDENTICAL, [["b"]])
    program.more = "!"
    step = only(reproduce(bench, "p@main/b"))
    assert [change.path for change in step.changes] == ["b"]
    with pytest.raises(NotFoundError, match="has no path"):
        bench.lake.lineage.reproduce("p@main/c", executor=bench.executor)


def test_of_a_path_whose_makers_are_forgotten_everything_is_run(bench):
    bench.lake.pipelines.delete("p")
    bench.executor.ran.clear()
    step = only(reproduce(bench, "p@main/b"))
    assert (step.verdict, sorted(bench.executor.ran)) == (Verdict.IDENTICAL, [["a"], ["b"]])


def test_one_datum_is_compared_with_what_it_wrote(bench, program):
    job = bench.job
    bench.executor.ran.clear()
    step = only(reproduce(bench, job=job.id, datum=1))
    assert (step.verdict, bench.executor.ran) == (Verdict.IDENTICAL, [["b"]])
    program.more = "!"
    step = only(reproduce(bench, job=job.id[:10], datum=1))
    assert [change.path for change in step.changes] == ["b"]
    with pytest.raises(InvalidInputError, match="names a path"):
        bench.lake.lineage.reproduce("p@main/b", datum=1, executor=bench.executor)
    assert only(reproduce(bench, job=job.id, datum=9)).verdict is Verdict.IMPOSSIBLE


def test_a_datum_that_an_earlier_job_ran_is_run_again_too(bench):
    bench.commit(b="other\n")
    assert bench.run() == [["b"]]
    bench.executor.ran.clear()
    assert only(reproduce(bench, "p@main")).verdict is Verdict.IDENTICAL
    assert sorted(bench.executor.ran) == [["a"], ["b"]]
    bench.executor.ran.clear()
    assert only(reproduce(bench, "p@main/a")).verdict is Verdict.IDENTICAL
    assert bench.executor.ran == [["a"]]


def test_an_old_commit_is_made_of_what_it_read_then_whatever_the_pipeline_is_now(bench):
    old = bench.lake.commits.get("p", "main")
    bench.commit(a="later\n", c="new\n")
    bench.publish(input={"repo": {"name": "raw", "glob": "/c"}})
    bench.run()
    assert bench.output() == {"c": "NEW\n"}
    step = only(reproduce(bench, f"p@{old.id}"))
    assert (step.verdict, step.recorded_root) == (Verdict.IDENTICAL, old.root)
    bench.lake.pipelines.delete("p")
    step = only(reproduce(bench, f"p@{old.id}"))
    assert (step.verdict, step.job_id) == (Verdict.IDENTICAL, None)


def test_a_job_that_changed_nothing_is_compared_with_what_was_there(bench):
    head = bench.lake.commits.get("p", "main")
    bench.lake.pipelines.run("p", reprocess=True)
    bench.run()
    assert bench.job.outcome is Outcome.UNCHANGED
    step = only(reproduce(bench, job=bench.job.id))
    assert (step.verdict, step.commit_id) == (Verdict.IDENTICAL, head.id)


def test_what_no_job_made_is_refused(bench):
    with pytest.raises(InvalidInputError, match=r"raw@.* was made by .*, not by a job"):
        bench.lake.lineage.reproduce("raw@main", executor=bench.executor)
    with pytest.raises(InvalidInputError, match="not by a job"):
        bench.lake.lineage.reproduce("p.code@main", executor=bench.executor)
    with pytest.raises(InvalidInputError, match="not clear"):
        bench.lake.lineage.reproduce(executor=bench.executor)
    bench.commit(a="bad")
    bench.run()
    with pytest.raises(StateError, match="is failed"):
        bench.lake.lineage.reproduce(job=bench.job.id, executor=bench.executor)


def test_code_that_fails_now_is_a_verdict(bench, program):
    def fail(inputs, out):
        raise ValueError("no disk here")

    bench.executor._program = fail
    step = only(reproduce(bench, "p@main"))
    assert step.verdict is Verdict.FAILED
    assert "no disk here" in step.message
    assert step.made_root is None


def test_a_datum_is_tried_as_often_as_the_pipeline_says(bench):
    tries = []

    def fail_once(inputs, out):
        tries.append(sorted(inputs))
        if tries.count(sorted(inputs)) == 1:
            raise ValueError("try again")
        upper(inputs, out)

    bench.publish(datums={"tries": 2})
    bench.commit(a="first\n")
    bench.run()
    bench.executor._program = fail_once
    assert only(reproduce(bench, "p@main")).verdict is Verdict.IDENTICAL
    assert sorted(tries) == [["a"], ["a"], ["b"], ["b"]]


def test_datums_that_were_left_out_are_left_out_again(bench):
    bench.publish(datums={"tries": 1, "on_error": "skip"})
    bench.commit(a="bad", c="three\n")
    bench.run()
    assert bench.output() == {"b": "TWO\n", "c": "THREE\n"}
    assert only(reproduce(bench, "p@main")).verdict is Verdict.IDENTICAL


def test_inputs_that_are_gone_are_a_verdict(bench):
    made = bench.lake.commits.get("p", "main").provenance
    bench.lake.pipelines.pause("p")
    bench.commit(a="later\n")
    bench.lake.retention.set("raw", keep_last=1, keep_inputs=False)
    bench.lake.retention.apply("raw")
    step = only(reproduce(bench, "p@main"))
    assert step.verdict is Verdict.IMPOSSIBLE
    assert made.inputs[0].commit_id[:8] in step.message


def test_upstream_steps_are_run_from_what_was_recorded_for_them(bench):
    bench.lake.pipelines.apply(
        {"pipeline": "q", "command": ["true"], "input": {"repo": {"name": "p", "glob": "/*"}}},
        folder=bench.folder,
    )
    bench.lake.pipelines.apply(
        {"pipeline": "r", "command": ["true"], "input": {"repo": {"name": "q", "glob": "/*"}}},
        folder=bench.folder,
    )
    bench.run()
    assert [step.repo for step in reproduce(bench, "r@main").steps] == ["r"]
    assert [step.repo for step in reproduce(bench, "r@main", upstream=1).steps] == ["q", "r"]
    done = reproduce(bench, "r@main/a", upstream="all")
    assert [(step.repo, step.datum_count) for step in done.steps] == [("p", 2), ("q", 2), ("r", 1)]
    assert done.verdict is Verdict.IDENTICAL


def test_a_dry_run_runs_nothing(bench):
    bench.executor.ran.clear()
    done = bench.lake.lineage.reproduce("p@main", dry_run=True)
    step = only(done)
    assert (done.verdict, step.datum_count, step.made_root) == (Verdict.PLANNED, 2, None)
    assert bench.executor.ran == []


def test_an_environment_that_is_not_as_locked_is_told_or_refused(bench, monkeypatch):
    locked = {"python": "3.1.4", "platform": "Amiga-m68k", "packages": {}}
    monkeypatch.setattr("jupyter_datalake.pipelines.reproducing.lock_environment", lambda _: locked)
    step = only(reproduce(bench, "p@main"))
    assert step.verdict is Verdict.IDENTICAL
    assert any(line.startswith("python was 3.") for line in step.environment)
    assert any("is Amiga-m68k" in line for line in step.environment)
    bench.executor.ran.clear()
    monkeypatch.setattr("jupyter_datalake.pipelines.reproducing.rebuilt", lambda _: None)
    step = only(reproduce(bench, "p@main", environment="locked"))
    assert (step.verdict, bench.executor.ran) == (Verdict.IMPOSSIBLE, [])
    assert "not as it was locked" in step.message


def test_a_clock_is_read_as_it_stood_also_without_its_job(memory_lake, tmp_path, lake_clock):
    bench = Bench(memory_lake, tmp_path / "bench")
    seen = []

    class Ticks(type(bench.executor)):
        def _run(self, task):
            seen.append([(one.name, one.path) for one in task.inputs if one.repo is None])
            inputs = tuple(one for one in task.inputs if one.repo is not None)
            return super()._run(type(task)(**{**fields_of(task), "inputs": inputs}))

    bench.executor = Ticks(memory_lake.core, upper, bench.folder)
    repo = {"repo": {"name": "raw", "glob": "/*"}}
    clock = {"cron": {"name": "tick", "schedule": "@daily"}}
    bench.publish(input={"cross": [clock, repo]})
    bench.commit(a="one\n")
    memory_lake.pipelines.run("p")
    bench.run()
    ticked = list(seen)
    made = memory_lake.commits.get("p", "main").provenance
    assert [("tick", str(made.tick_ns))] in ticked
    lake_clock.advance(3 * 86400)
    memory_lake.pipelines.run("p")
    bench.run()
    seen.clear()
    memory_lake.pipelines.delete("p")
    assert only(reproduce(bench, "p@main")).verdict is Verdict.IDENTICAL
    assert seen == ticked


def fields_of(task):
    return {name: getattr(task, name) for name in type(task).__slots__}


def test_what_was_made_can_be_kept_in_a_folder(bench, program, tmp_path):
    program.more = "!"
    reproduce(bench, "p@main", into=tmp_path / "made")
    assert (tmp_path / "made" / "a").read_text() == "ONE\n!"
    with pytest.raises(FileExistsError, match="is there already"):
        bench.lake.lineage.reproduce("p@main", into=tmp_path / "made", executor=bench.executor)


def test_an_event_tells_what_came_of_it(bench, program):
    program.more = "!"
    done = reproduce(bench, "p@main")
    events = bench.lake.events.list(limit=1000)
    (event,) = [one for one in events if one.kind is EventKind.REPRODUCTION_ENDED]
    assert (event.subject, event.details["verdict"]) == (done.id, "different")
    assert event.details["steps"][0]["paths"] == ["a", "b"]


def test_gc_takes_nothing_from_a_reproduction_that_runs(bench):
    """A collection that waits for nothing runs between the datums and the join of their outputs."""
    lake, inner = bench.lake, bench.executor.submit

    def submit(tasks):
        futures = inner(tasks)
        lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=0))
        return futures

    bench.executor.submit = submit
    bench.executor._program = lambda inputs, out: upper({k: v * 50 for k, v in inputs.items()}, out)
    step = only(lake.lineage.reproduce("p@main", executor=bench.executor))
    assert (step.verdict, step.change_count) == (Verdict.DIFFERENT, 2)


def test_what_a_killed_reproduction_held_is_let_go(bench, lake_clock):
    core = bench.lake.core
    with core.metadata.write() as tx:
        tx.leases.acquire("reproduction:dead", "dead", 60)
        tx.pins.add(job_owner("dead"), [])
    left = core.work_folder / "jobs" / "dead"
    left.mkdir(parents=True)
    reproduce(bench, "p@main")
    assert left.exists()
    lake_clock.advance(120)
    bench.lake.lineage.reproduce("p@main", executor=bench.executor)
    assert not left.exists()
    with core.metadata.read() as tx:
        assert tx.leases.held("reproduction:") == []


def test_all_that_differs_can_be_paged_through_for_a_day(bench, program, lake_clock):
    lake = bench.lake
    bench.commit(**{f"c{number}": f"{number}\n" for number in range(30)})
    bench.run()
    program.more = "!"
    done = reproduce(bench, "p@main", limit=5)
    assert (len(only(done).changes), only(done).change_count) == (5, 32)
    pages, after = [], None
    while page := lake.lineage.list_differences(done.id, after=after, limit=7):
        pages.append([change.path for change in page])
        after = page[-1].path
    assert [len(page) for page in pages] == [7, 7, 7, 7, 4]
    assert [*chain.from_iterable(pages)] == sorted(
        ["a", "b", *(f"c{number}" for number in range(30))]
    )
    lake_clock.advance(12 * 3600)
    lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=0))
    assert len(lake.lineage.list_differences(done.id)) == 32
    lake_clock.advance(13 * 3600)
    with pytest.raises(NotFoundError, match="is not kept any more"):
        lake.lineage.list_differences(done.id)
    lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=0))
    with lake.core.metadata.read() as tx:
        assert job_owner(done.id) not in tx.pins.owners()


def test_differences_are_those_of_the_path_that_was_asked_for(bench, program):
    program.more = "!"
    done = reproduce(bench, "p@main/b")
    differences = bench.lake.lineage.list_differences(done.id)
    assert [change.path for change in differences] == ["b"]
    program.more = ""
    same = reproduce(bench, "p@main")
    assert bench.lake.lineage.list_differences(same.id) == []
    for unknown, step in (("nothing", -1), (done.id, 3), (done.id, -2)):
        with pytest.raises(NotFoundError, match="has ended"):
            bench.lake.lineage.list_differences(unknown, step=step)


def test_steps_run_around_the_datums_once_and_are_told_why(bench, program):
    bench.publish(on_start={"command": ["begin"]}, **{"finally": {"command": ["end"]}})
    bench.run()
    bench.executor.steps.clear()
    program.more = "!"
    reproduce(bench, job=bench.job.id, twice=True)
    (first, told), (last, told_at_end) = bench.executor.steps
    assert (first, last) == ("on_start", "finally")
    assert told["DATALAKE_JOB_TRIGGER"] == told_at_end["DATALAKE_JOB_TRIGGER"] == "reproduction"
    assert told["raw_COMMIT"] == bench.lake.commits.get("raw").id
    assert told_at_end["DATALAKE_JOB_STATE"] == "success"
    bench.executor.steps.clear()
    reproduce(bench, job=bench.job.id, steps=False)
    assert bench.executor.steps == []


def test_a_step_that_fails_is_told_and_the_last_one_runs_all_the_same(bench, program):
    bench.publish(on_start={"command": ["begin"]}, **{"finally": {"command": ["end"]}})
    bench.run()
    failing = set()

    def on_step(task):
        if task.step in failing:
            raise ValueError(f"no {task.step}")

    bench.executor.on_step = on_step
    failing.add("finally")
    step = only(reproduce(bench, job=bench.job.id))
    assert (step.verdict, step.message) == (Verdict.IDENTICAL, "finally failed: no finally")
    bench.executor.steps.clear()
    failing.add("on_start")
    bench.executor.ran.clear()
    step = only(reproduce(bench, job=bench.job.id))
    assert step.verdict is Verdict.FAILED
    assert "on_start failed, and no datum ran: no on_start; finally failed" in step.message
    assert bench.executor.ran == []
    assert [name for name, _ in bench.executor.steps] == ["on_start", "finally"]
    assert bench.executor.steps[1][1]["DATALAKE_JOB_STATE"] == "failed"


def test_a_whole_output_is_held_against_what_is_expected(bench, program):
    (bench.folder / "checks.py").write_text("def look(files):\n    return []\n")
    bench.executor.said = [[]]
    check = {"files": "/a", "python": "checks.py::look", "on_violation": "warn"}
    bench.publish(expectations=[{"files": "/b"}, check])
    bench.run()
    assert only(reproduce(bench, job=bench.job.id)).unexpected == ()
    bench.executor.said = [["it smells"]]
    step = only(reproduce(bench, job=bench.job.id))
    assert (step.verdict, step.unexpected) == (
        Verdict.IDENTICAL,
        ("warning: checks.py::look: it smells",),
    )
    assert only(reproduce(bench, job=bench.job.id, datum=0)).unexpected == ()


@pytest.mark.parametrize(("needed", "at_once"), [(0, 4), (1, 3), (2, 1), (3, 1)])
def test_no_more_datums_run_at_once_than_there_are_slots_of_what_they_hold(bench, needed, at_once):
    bench.lake.pipelines.set_slots("gpu", 3)
    bench.publish(resources={"slots": {"gpu": needed}} if needed else {})
    bench.run()
    bench.executor.slots = 4
    recorded = recall_job(bench.lake.core, bench.job)
    with Reproducer(bench.lake.core, bench.executor) as reproducer:
        assert places(bench.lake.core, bench.executor, recorded.spec) == at_once
        assert reproducer.run(recorded, Wish()).verdict is Verdict.IDENTICAL


def test_a_second_controller_sees_nothing_of_it(bench):
    before = bench.lake.jobs.list()
    bench.lake.lineage.reproduce("p@main", executor=bench.executor)
    import threading

    run_all(bench.lake, bench.executor, threading.Event())
    assert bench.lake.jobs.list() == before
