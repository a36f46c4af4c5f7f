"""d1 to d8: many writers, several openers, clocks that jump, forks and cancelled commits."""

import asyncio
import os
import threading

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of
from tests.benchmarks.writers import measure


@pytest.fixture(params=["sqlite", "postgres"])
def config(request, tmp_path):
    """Where a new lake is to be, with each kind of database."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_server").url()
    return LakeConfig(str(tmp_path / "lake"), database_url=url)


@pytest.fixture
def lake(config):
    with Lake.create(config, author=Author("ada")) as made:
        made.repos.create("raw")
        yield made


@pytest.mark.parametrize("layout", ["one branch", "many branches"])
def test_d1_d3_of_32_writers_in_2_processes_none_loses_a_commit_or_hears_of_a_lock(config, layout):
    """`measure` looks for every commit, and fails with the first error of any writer."""
    measure(config, layout, threads=16, processes=2, commits=1)
    with Lake.open(config.url) as lake:
        if layout == "one branch":
            assert len(history_of(lake, "raw")) == 1 + 32
            assert len(contents_of(lake, "raw")) == 32
        else:
            branches = [ref.name for ref in lake.refs.list("raw") if ref.name != "main"]
            assert [len(history_of(lake, "raw", one)) for one in branches] == [2] * 32
        check_lake(lake)


def test_d6_a_clock_that_jumps_by_a_day_changes_no_order_and_frees_no_lease_too_early(
    local_lake, lake_clock
):
    local_lake.repos.create("raw")
    with local_lake.core.metadata.write() as tx:
        assert tx.leases.acquire("controller", "one", 60) is not None
    lake_clock.advance(-86_400)
    with local_lake.core.metadata.write() as tx:
        assert tx.leases.acquire("controller", "two", 60) is None, "set back, it lasts longer"
        assert tx.leases.holder("controller") == "one"
    made = []
    for jump in (0, 2 * 86_400, -300, 300, -86_400):
        lake_clock.advance(jump)
        made.append(local_lake.files.put("raw@main/x", f"{len(made)}").id)
    assert history_of(local_lake, "raw")[:-1] == made[::-1]
    numbers = [event.number for event in local_lake.events.list(after=0, limit=99)]
    assert numbers == sorted(set(numbers))
    assert contents_of(local_lake, "raw") == {"x": b"4"}
    check_lake(local_lake)


def test_d7_a_process_forked_from_one_that_has_the_lake_open_commits_beside_it(lake):
    lake.files.put("raw@main/before", "1")
    child = os.fork()
    if child == 0:
        is_right = False
        try:
            for number in range(5):
                lake.files.put(f"raw@main/child/{number}", "2")
            is_right = True
        finally:
            os._exit(0 if is_right else 1)
    for number in range(5):
        lake.files.put(f"raw@main/parent/{number}", "3")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(contents_of(lake, "raw")) == 11
    assert len(history_of(lake, "raw")) == 12
    check_lake(lake)


def test_d8_a_commit_whose_caller_was_cancelled_is_all_there_or_not_at_all(lake):
    async def cancel_it(after_s, number):
        task = asyncio.create_task(
            asyncio.to_thread(lake.files.put, f"raw@main/{number}", f"{number}" * 1000)
        )
        await asyncio.sleep(after_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for number, after_s in enumerate((0, 0.005, 0.02, 0.05)):
        asyncio.run(cancel_it(after_s, number))  # returns when its threads have ended
    found = contents_of(lake, "raw")
    assert found == {name: name.encode() * 1000 for name in found}
    assert len(history_of(lake, "raw")) == 1 + len(found)
    assert lake.sessions.list() == []
    lake.files.put("raw@main/after", "x")
    check_lake(lake)


def test_a_turn_that_nobody_gives_up_is_not_waited_for_for_ever(lake):
    from jupyter_datalake.engine.turns import turns

    held, done = threading.Event(), threading.Event()

    def hold():
        with turns(lake.core, [("raw", "main")]):
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    with turns(lake.core, [("raw", "main"), ("raw", "dev")], patience_s=0.05):
        done.set()
    holder.join(timeout=60)
    lake.files.put("raw@main/x", "1")
    assert contents_of(lake, "raw") == {"x": b"1"}
