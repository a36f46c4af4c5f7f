"""Going over the past, stopping everything, repeating a job: what jobs they make."""

from datetime import UTC, datetime

import pytest

from jupyter_datalake.errors import ErrorKind, InvalidInputError, NotFoundError, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.pipelines import asking
from jupyter_datalake.testing.clocks import ManualClock

DAY = 24 * 3600


@pytest.fixture
def lake_clock():
    return ManualClock()


@pytest.fixture
def lake(lake_clock):
    with Lake.create("memory:", clock=lake_clock) as lake:
        lake.repos.create("raw")
        yield lake


def publish(lake, name, *repos, **options):
    leaves = [{"repo": {"name": repo, "glob": "/*"}} for repo in repos]
    spec = {"pipeline": name, "command": ["true"], **options}
    if leaves:
        spec["input"] = leaves[0] if len(leaves) == 1 else {"cross": leaves}
    return lake.pipelines.apply(spec)


def clocked(lake, name, **cron):
    return publish(lake, name, input={"cron": {"schedule": "@daily", **cron}})


@pytest.fixture
def days(lake, lake_clock):
    """The commits of raw of five days, one each noon."""
    commits = []
    for day in range(5):
        commits.append(lake.files.put(f"raw@main/{day}", f"{day}"))
        lake_clock.advance(DAY)
    return commits


def heads(lake, pipeline):
    """Return what the jobs of a pipeline read, oldest first."""
    return [job.heads for job in reversed(lake.jobs.list(pipeline=pipeline))]


def test_a_backfill_makes_a_job_per_commit_oldest_first_and_one_over_the_present(lake, days):
    publish(lake, "p", "raw")
    publish(lake, "after", "p", "raw")
    lake.jobs.cancel_all()
    made = lake.pipelines.backfill("p", days[1].id, "main^")
    assert [step.commit_id for step in made.steps] == [one.id for one in days[1:4]]
    jobs = [lake.jobs.list(pipeline="p", global_id=one) for one in made.global_ids]
    assert all(len(found) == 1 for found in jobs)
    assert [found[0].heads["raw"] for found in jobs] == [one.id for one in [*days[1:4], days[4]]]
    numbers = [found[0].number for found in jobs]
    assert numbers == sorted(numbers)
    assert {str(found[0].trigger.kind) for found in jobs} == {"backfill", "rerun"}
    # What is downstream reads the same past, and not the present.
    after = [lake.jobs.list(pipeline="after", global_id=one)[0] for one in made.global_ids]
    assert [job.heads["raw"] for job in after] == [one.id for one in [*days[1:4], days[4]]]


@pytest.mark.parametrize(
    ("start", "end", "days_of_it"),
    [
        ("2026-01-31", "2026-02-01", [0, 1]),
        ("2026-02-01", "2026-02-01", [1]),
        ("2026-02-01T12:30Z", "2026-02-03T12:30+00:00", [2, 3]),
        ("2020-01-01", "2020-12-31", []),
        ("2020-01-01", "2030-01-01", [0, 1, 2, 3, 4]),
        ("main~4", "main", [0, 1, 2, 3, 4]),
        ("main", "main", [4]),
    ],
)
def test_a_dry_run_lists_the_commits_of_a_range_and_makes_nothing(
    lake, days, start, end, days_of_it
):
    publish(lake, "p", "raw")
    before = lake.jobs.list()
    made = lake.pipelines.backfill("p", start, end, dry_run=True)
    assert [step.commit_id for step in made.steps] == [days[day].id for day in days_of_it]
    assert made.global_ids == ()
    assert lake.jobs.list() == before


def test_the_first_empty_commit_of_a_repo_is_nothing_to_go_over(lake, days):
    publish(lake, "p", "raw")
    first = lake.commits.get("raw", "main~5")
    made = lake.pipelines.backfill("p", first.id, "main", dry_run=True)
    assert [step.commit_id for step in made.steps] == [one.id for one in days]


def test_a_backfill_of_a_clock_makes_a_job_per_tick_with_the_time_of_the_tick(lake):
    clocked(lake, "p", zone="Asia/Tokyo")
    made = lake.pipelines.backfill("p", "2025-12-30", "2026-01-01")
    ticks = [datetime(2025, 12, day, 15, tzinfo=UTC) for day in (29, 30, 31)]
    assert [step.at for step in made.steps] == ticks
    jobs = lake.jobs.list()[::-1]
    assert [job.trigger.at_ns / 1e9 for job in jobs] == [one.timestamp() for one in ticks]
    assert {str(job.trigger.kind) for job in jobs} == {"tick"}


def test_a_clock_that_ticked_since_is_where_it_was_after_a_backfill(lake):
    clocked(lake, "p")
    lake.pipelines.run("p")
    made = lake.pipelines.backfill("p", "2025-12-30", "2025-12-31")
    assert (len(made.steps), len(made.global_ids)) == (2, 3)
    assert str(lake.jobs.list(limit=1)[0].trigger.kind) == "rerun"


@pytest.mark.parametrize(
    ("name", "start", "end", "error", "match"),
    [
        ("no", "main", "main", NotFoundError, "no pipeline 'no'"),
        ("p", "main", "nowhere", NotFoundError, "nowhere"),
        ("p", "2026-02-02", "2026-02-01", InvalidInputError, "is empty"),
        ("p", "main", "main~2", InvalidInputError, "is not before 'main~2'"),
        ("p", "2026-99-99", "2026-02-01", InvalidInputError, "is not a time"),
        ("two", "main", "main", InvalidInputError, "several inputs.*raw, other"),
        ("minutely", "2026-01-01", "2026-01-31", InvalidInputError, "more than 1,000 jobs"),
        ("minutely", "main", "main", InvalidInputError, "is not a time"),
        ("free", "main", "main", InvalidInputError, "has no input"),
    ],
)
def test_a_range_that_is_none_is_refused_and_makes_nothing(
    lake, days, name, start, end, error, match
):
    lake.repos.create("other")
    publish(lake, "p", "raw")
    publish(lake, "two", "raw", "other")
    publish(lake, "minutely", input={"cron": {"schedule": "* * * * *"}})
    publish(lake, "free")
    before = lake.jobs.list()
    with pytest.raises(error, match=match) as caught:
        lake.pipelines.backfill(name, start, end)
    assert "\n" not in str(caught.value)
    assert lake.jobs.list() == before


def test_one_of_several_inputs_is_gone_over_and_the_other_is_read_as_it_is(lake, days):
    lake.repos.create("other")
    now = lake.files.put("other@main/x", "1")
    publish(lake, "two", "raw", "other")
    lake.jobs.cancel_all()
    made = lake.pipelines.backfill("two", "main~4", "main~3", input_name="raw")
    read = [lake.jobs.list(global_id=one)[0].heads for one in made.global_ids]
    assert read == [{"raw": one.id, "other": now.id} for one in (days[0], days[1], days[4])]


def test_a_paused_pipeline_is_not_gone_over(lake, days):
    publish(lake, "p", "raw")
    lake.pipelines.pause("p")
    with pytest.raises(StateError, match="'p' is paused"):
        lake.pipelines.backfill("p", "main", "main")


def test_a_backfill_that_is_killed_has_made_all_jobs_or_none(lake, days, monkeypatch):
    publish(lake, "p", "raw")
    before = lake.jobs.list()
    real, calls = asking.plan_jobs, []

    def dies(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise RuntimeError("killed")
        return real(*arguments)

    monkeypatch.setattr(asking, "plan_jobs", dies)
    with pytest.raises(RuntimeError, match="killed"):
        lake.pipelines.backfill("p", "main~4", "main")
    assert lake.jobs.list() == before


def test_all_jobs_or_all_of_a_pipeline_are_cancelled(lake, days):
    for name in ("p", "q"):
        publish(lake, name, "raw")
        lake.pipelines.run(name)
    assert len(lake.jobs.cancel_all(pipeline="p")) == 2
    assert [job.state for job in lake.jobs.list(pipeline="p")] == [JobState.CANCELLED] * 2
    assert [job.state for job in lake.jobs.list(pipeline="q")] == [JobState.WAITING] * 2
    cancelled = lake.jobs.cancel_all()
    assert {(job.pipeline, job.state) for job in cancelled} == {("q", JobState.CANCELLED)}
    assert list(lake.jobs.cancel_all()) == []
    with pytest.raises(NotFoundError, match="'no'"):
        lake.jobs.cancel_all(pipeline="no")


def test_a_job_is_repeated_over_the_commits_it_read(lake, days):
    publish(lake, "p", "raw")
    publish(lake, "after", "p", "raw")
    (job,) = lake.jobs.list(pipeline="p")
    lake.files.put("raw@main/new", "new")
    again = lake.jobs.rerun(job.id, same_inputs=True, reprocess=True)
    jobs = {one.pipeline: one for one in lake.jobs.list(global_id=again)}
    assert jobs["p"].heads == job.heads
    assert jobs["p"].trigger.reprocess is True
    assert jobs["after"].heads["raw"] == job.heads["raw"]
    newer = lake.jobs.list(global_id=lake.jobs.rerun(job.id), pipeline="p")
    assert newer[0].heads["raw"] == lake.commits.get("raw").id != job.heads["raw"]


def test_a_tick_is_repeated_with_its_time(lake, lake_clock):
    clocked(lake, "p")
    (job,) = lake.jobs.list(global_id=lake.pipelines.run("p"))
    lake_clock.advance(DAY)
    (again,) = lake.jobs.list(global_id=lake.jobs.rerun(job.id, same_inputs=True))
    assert again.trigger.at_ns == job.trigger.at_ns
    assert str(again.trigger.kind) == "tick"


def test_the_priority_of_a_run_is_that_of_all_it_sets_off(lake, days):
    publish(lake, "p", "raw", priority=-3)
    publish(lake, "after", "p")
    lake.jobs.cancel_all()
    started = lake.pipelines.run("p", priority=7)
    assert {job.trigger.priority for job in lake.jobs.list(global_id=started)} == {7}
    plain = lake.pipelines.run("p")
    assert {job.trigger.priority for job in lake.jobs.list(global_id=plain)} == {None}
    with pytest.raises(InvalidInputError, match="no priority 11"):
        lake.pipelines.run("p", priority=11)


def test_what_a_datum_holds_must_be_there_before_a_pipeline_is_published(lake):
    spec = {"slots": {"gpu": 2}}
    with pytest.raises(InvalidInputError, match="'gpu', of which none is known"):
        publish(lake, "p", resources=spec)
    lake.pipelines.set_slots("gpu", 1)
    with pytest.raises(InvalidInputError, match="needs 2 of resource 'gpu', of which there are 1"):
        publish(lake, "p", resources=spec)
    assert lake.pipelines.list() == []
    lake.pipelines.set_slots("gpu", 2)
    assert publish(lake, "p", resources=spec).spec.slots == {"gpu": 2}
    with pytest.raises(InvalidInputError, match="pipeline 'p' needs 2 of 'gpu'"):
        lake.pipelines.set_slots("gpu", 1)
    with pytest.raises(StateError, match="hold some of 'gpu'"):
        lake.pipelines.delete_slots("gpu")
    assert [(one.name, one.count) for one in lake.pipelines.list_slots()] == [
        ("gpu", 2),
        ("jobs", 16),
    ]


def test_limits_are_set_and_forgotten(lake):
    lake.pipelines.set_slots("jobs", 3)
    assert [(one.name, one.count) for one in lake.pipelines.list_slots()] == [("jobs", 3)]
    lake.pipelines.delete_slots("jobs")
    assert [(one.name, one.count) for one in lake.pipelines.list_slots()] == [("jobs", 16)]
    with pytest.raises(NotFoundError) as caught:
        lake.pipelines.delete_slots("jobs")
    assert caught.value.kind is ErrorKind.LIMIT_NOT_FOUND
    for name, count in (("", 1), ("a b", 1), ("../x", 1), ("gpu", 0), ("gpu", -1)):
        with pytest.raises(InvalidInputError):
            lake.pipelines.set_slots(name, count)


def test_a_resumed_pipeline_makes_up_for_what_it_missed_with_one_job(lake, days):
    publish(lake, "p", "raw")
    lake.jobs.cancel_all()
    assert len(lake.jobs.list()) == 1
    lake.pipelines.pause("p")
    lake.pipelines.resume("p")
    assert len(lake.jobs.list()) == 1
    lake.pipelines.pause("p")
    for text in ("x", "y"):
        lake.files.put("raw@main/new", text)
    lake.pipelines.resume("p")
    assert len(lake.jobs.list()) == 2
    assert heads(lake, "p")[-1] == {"raw": lake.commits.get("raw").id}
