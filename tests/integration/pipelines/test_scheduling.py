"""What the scheduler decides, seen from what really ran: order, ticks, limits, the past."""

COPY = "cp pfs/raw/* pfs/out/"


def history(runner, repo):
    """Return the files of each commit of an output, oldest first, without the empty first one."""
    commits = list(reversed(runner.lake.commits.list(repo)))[1:]
    return [runner.files(f"{repo}@{commit.id}") for commit in commits]


def test_a_backfill_commits_outputs_in_order_and_runs_only_what_is_not_known(runner):
    for text in ("one", "two", "three"):
        runner.lake.files.put("raw@main/a", text)
    runner.command("copy", COPY, ("raw", "/*"))
    runner.run()
    assert history(runner, "copy") == [{"a": "three"}]
    made = runner.lake.pipelines.backfill("copy", "main~2", "main")
    runner.run()
    assert history(runner, "copy") == [{"a": text} for text in ("three", "one", "two", "three")]
    jobs = [runner.lake.jobs.list(global_id=one)[0] for one in made.global_ids]
    states = [[str(datum.state) for datum in runner.lake.jobs.list_datums(job.id)] for job in jobs]
    assert states == [["success"], ["success"], ["skipped"], ["skipped"]]
    assert [str(job.outcome) for job in jobs] == [
        "committed",
        "committed",
        "committed",
        "unchanged",
    ]
    read = [runner.lake.commits.get("copy", job.output_commit_id) for job in jobs[:3]]
    assert [one.provenance.inputs[0].commit_id for one in read] == [
        step.commit_id for step in made.steps
    ]


def test_each_missed_tick_that_is_caught_up_with_sees_its_own_time(runner, lake_clock):
    spec = {
        "pipeline": "clock",
        "input": {"cron": {"schedule": "0 * * * *", "zone": "Europe/Berlin", "catch_up": "all"}},
        "command": ["sh", "-c", "ls pfs/tick > pfs/out/at"],
    }
    runner.publish(spec)
    lake_clock.advance(3 * 3600)
    runner.run()
    seen = [files["at"].strip() for files in history(runner, "clock")]
    assert seen == [f"2026-01-31T{hour}-00-00+00-00" for hour in (13, 14, 15)]
    runner.run()
    assert len(runner.lake.jobs.list()) == 3


def test_datums_never_hold_more_of_a_resource_than_there_is(runner, tmp_path):
    lock = tmp_path / "lock"
    held = f"mkdir {lock}; cp pfs/raw/* pfs/out/; sleep 0.05; rmdir {lock}"
    runner.lake.pipelines.set_slots("gpu", 1)
    with runner.lake.sessions.create("raw") as session:
        for number in range(4):
            session.put(f"f{number}", f"{number}")
        session.commit("four")
    for name in ("p", "q"):
        runner.command(name, held, ("raw", "/*"), resources={"slots": {"gpu": 1}})
    runner.run(workers=3)
    assert runner.states() == dict.fromkeys(("p", "q"), ("success", "committed"))
    assert len(runner.files("q@main")) == 4


def test_a_job_of_higher_priority_is_started_first_where_jobs_are_limited(runner, tmp_path):
    order = tmp_path / "order"
    runner.lake.files.put("raw@main/a", "one")
    runner.lake.pipelines.set_slots("jobs", 1)
    for name, priority in (("low", -5), ("usual", 0), ("high", 5)):
        runner.command(name, f"echo {name} >> {order}", ("raw", "/"), priority=priority)
    runner.run()
    assert order.read_text().split() == ["high", "usual", "low"]
    order.unlink()
    for name in ("usual", "high"):
        runner.lake.pipelines.run(name, reprocess=True)
    runner.lake.pipelines.run("low", reprocess=True, priority=10)
    runner.run()
    assert order.read_text().split() == ["low", "high", "usual"]
