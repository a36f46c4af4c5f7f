"""Datums that are handed over in bundles, and what becomes of the others when one goes wrong."""

from collections import Counter

import pytest

HANGS_OR_DIES = """
text=$(cat pfs/raw/*)
case "$text" in
  hang) sleep 1000 ;;
  die) kill -9 $PPID ;;
esac
cp pfs/raw/* pfs/out/
"""


@pytest.mark.everywhere
@pytest.mark.logs("worker died")
def test_a_datum_that_hangs_and_one_that_kills_its_worker_fail_alone(runner):
    texts = {f"f{number:02}": f"text {number}" for number in range(40)}
    texts |= {"f17": "hang", "f25": "die"}
    with runner.lake.sessions.create("raw") as session:
        for name, text in texts.items():
            session.put(name, text)
        session.commit("all")
    limits = {"tries": 1, "timeout": "2s"}
    runner.command("p", HANGS_OR_DIES, ("raw", "/*"), datums=limits)
    runner.run(workers=1)
    job = runner.job("p")
    assert job.message.startswith("2 of 40 datums failed")
    datums = {one.label: one for one in runner.lake.jobs.list_datums(job.id)}
    assert Counter(str(one.state) for one in datums.values()) == {"success": 38, "failed": 2}
    assert "stopped after its 2 s" in datums["raw:/f17"].message
    assert "died" in datums["raw:/f25"].message
    assert {one.tries for one in datums.values()} == {1}
    with runner.lake.sessions.create("raw") as session:
        session.put("f17", "well")
        session.put("f25", "well")
        session.commit("mended")
    runner.run()
    assert len(runner.files("p@main")) == 40
    again = runner.lake.jobs.list_datums(runner.job("p").id)
    ran = {one.label for one in again if str(one.state) == "success"}
    assert ran == {"raw:/f17", "raw:/f25"}


def test_short_datums_of_one_job_share_packs_and_transactions(runner):
    with runner.lake.sessions.create("raw") as session:
        for number in range(120):
            session.put(f"f{number:03}", f"text {number}")
        session.commit("all")
    before = runner.lake.maintenance.get_status().packs
    runner.command("p", "cp pfs/raw/* pfs/out/", ("raw", "/*"))
    runner.run(workers=1)
    assert str(runner.job("p").state) == "success"
    packs = runner.lake.maintenance.get_status().packs - before
    assert packs < 60
