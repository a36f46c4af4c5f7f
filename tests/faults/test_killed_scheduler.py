"""The scheduler killed at any of its steps, again and again: every tick and commit has one output.

The suite tries a few seeds; ``make test-scheduler`` many.
"""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.clocks import ManualClock
from jupyter_datalake.testing.invariants import check_lake, contents_of

SEEDS = int(os.environ.get("DATALAKE_SCHEDULER_SEEDS", "1"))
LONGEST = 400
"""So many steps a controller does at most before it is killed."""
TICKS, COMMITS = 3, 2


def publish(lake, name, script, *repos, **options):
    leaves = [{"repo": {"name": repo, "glob": "/*"}} for repo in repos]
    spec = {"pipeline": name, "command": ["sh", "-eu", "-c", script], **options}
    if leaves:
        spec["input"] = leaves[0] if len(leaves) == 1 else {"cross": leaves}
    lake.pipelines.create(spec)


@pytest.fixture(params=["sqlite", "postgres"])
def waiting(request, tmp_path):
    """A lake in which three ticks and two commits wait for a controller; the URL.

    ``clock → after`` and ``raw → copy → foot``, where foot reads raw too.
    """
    url = str(tmp_path / "lake")
    database = None
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_server").url()
    config = LakeConfig(url, database_url=database)
    clock = ManualClock(datetime.now(UTC) - timedelta(minutes=60 * TICKS + 30))
    with Lake.create(config, author=Author("ada"), clock=clock) as lake:
        lake.repos.create("raw")
        ticking = {"cron": {"schedule": "@every 1h", "catch_up": "all"}}
        publish(lake, "clock", "ls pfs/tick > pfs/out/at", input=ticking)
        publish(lake, "after", "cp pfs/clock/at pfs/out/", "clock")
        publish(lake, "copy", "cp pfs/raw/* pfs/out/", "raw")
        publish(lake, "foot", "cat pfs/copy/a pfs/raw/a > pfs/out/both", "copy", "raw")
        for number in range(COMMITS):
            lake.files.put("raw@main/a", f"{number}\n")
    return url


def check(lake):
    """Check that all that waited was done, once, and in order."""
    jobs = lake.jobs.list()[::-1]
    assert {str(job.state) for job in jobs} == {"success"}
    assert {str(job.outcome) for job in jobs} == {"committed"}
    expected = {"clock": TICKS, "after": TICKS, "copy": COMMITS, "foot": COMMITS}
    assert Counter(job.pipeline for job in jobs) == expected
    ticks = [job.trigger.at_ns for job in jobs if job.pipeline == "clock"]
    assert {late - early for early, late in pairwise(ticks)} == {3_600_000_000_000}
    for name, count in expected.items():
        commits = lake.commits.list(name)[::-1][1:]
        assert len(commits) == count
        made = [commit.provenance.job_id for commit in commits]
        assert made == [job.id for job in jobs if job.pipeline == name]
    for number, commit in enumerate(lake.commits.list("foot")[::-1][1:]):
        both = lake.files.read(f"foot@{commit.id}/both").decode()
        assert both == f"{number}\n{number}\n"  # of one version each
    assert contents_of(lake, "after") == contents_of(lake, "clock")
    check_lake(lake)


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_a_scheduler_killed_at_any_step_again_and_again_does_everything_once(
    waiting, start, seed, record_property
):
    crasher = start("crash", waiting, "run_jobs")
    assert crasher.says() == ["ready"]
    chance = Random(seed)
    kills = 0
    while (answer := crasher.ask(chance.randrange(20, LONGEST))) != ["0"]:
        assert answer == ["-9"]
        kills += 1
        assert kills < 1000, "it never ends"
    assert kills > 3
    with Lake.open(waiting) as lake:
        check(lake)
    record_property("kills", kills)
