"""A job killed at any step: its output and provenance are one commit, or not there."""

import shutil

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

STRIDE = 17
"""Every so many steps are tried; a prime, so that over the runs of one job it meets all kinds."""


def test_a_job_killed_at_any_step_has_committed_all_of_it_or_nothing_and_ends_once(
    lake, start, tmp_path
):
    leaf = {"repo": {"name": "raw", "glob": "/*"}}
    script = "cp pfs/raw/* pfs/out/; echo more > pfs/out/$(ls pfs/raw).more"
    spec = {"pipeline": "job", "command": ["sh", "-c", script], "input": leaf}
    lake.pipelines.create(spec, folder=tmp_path)
    with lake.sessions.create("raw") as session:
        session.put("a", "one")
        session.put("b", "two" * 100_000)
        session.commit("both")
    url = lake.url
    lake.close()
    shutil.copytree(url, tmp_path / "before")
    crasher = start("crash", url, "run_jobs")
    assert crasher.says() == ["ready"]
    outcomes = set()
    for step in range(1, 2000, STRIDE):
        shutil.rmtree(url)
        shutil.copytree(tmp_path / "before", url)
        (code,) = crasher.ask(step)
        assert code in {"-9", "0"}, f"step {step} ended with {code}"
        with Lake.open(url) as after:
            outcomes.add(is_committed(after))
            if code == "0":
                break
        (code,) = crasher.ask(1_000_000)  # the next controller, left alone
        assert code == "0"
        with Lake.open(url) as after:
            assert is_committed(after)
            assert contents_of(after, "job") == {
                "a": b"one",
                "a.more": b"more\n",
                "b": b"two" * 100_000,
                "b.more": b"more\n",
            }
            assert len(after.jobs.list()) == 1
            check_lake(after)
    assert step > 5 * STRIDE
    assert outcomes == {True, False}


def is_committed(lake):
    """Tell whether the job has committed; assert that its row says the same."""
    jobs = lake.jobs.list()
    history = history_of(lake, "job")
    if len(history) == 1:
        assert all(str(job.outcome) != "committed" for job in jobs)
        return False
    (job,) = jobs
    assert len(history) == 2
    head = lake.commits.get("job")
    assert (str(job.state), str(job.outcome)) == ("success", "committed")
    assert job.output_commit_id == head.id
    assert head.provenance.job_id == job.id
    assert {one.repo for one in head.provenance.inputs} == {"raw"}
    assert {step.repo for step in lake.lineage.get("job@main").upstream} == {"raw", "job.code"}
    return True
