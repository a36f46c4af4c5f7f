"""gc and retention killed in the middle, and gc beside writers in other processes."""

import itertools

from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

AT_ONCE = GcPolicy(undo_s=0, grace_s=0, reader_s=0, unknown_s=0, small_pack_count=2)
DIED, DONE = "-9", "0"


def test_a_collection_killed_at_any_step_loses_nothing_and_the_next_one_ends_it(lake, start):
    session = lake.sessions.create("raw")
    session.put("staged", "s" * 70_000)
    session.close()
    crasher = start("crash", lake.url, "collect")
    assert crasher.says() == ["ready"]
    lake.files.put("raw@main/kept", "k" * 70_000)
    for step in itertools.count(1, 7):
        # Something to condemn, to sweep, to repack and to delete, for each of the runs.
        lake.refs.create_branch("raw", "dev")
        lake.files.put("raw@dev/gone", f"{step} " * 20_000)
        lake.refs.delete_branch("raw", "dev")
        with lake.core.metadata.write() as tx:
            tx.leases.forget("gc")  # the one that died held it
        (code,) = crasher.ask(step)
        assert code in {DIED, DONE}
        assert contents_of(lake, "raw") == {"kept": b"k" * 70_000}, f"after step {step}"
        with lake.sessions.open(session.id) as opened, opened.open("staged") as file:
            assert file.read() == b"s" * 70_000, f"after step {step}"
        if code == DONE:
            assert step > 50, "hardly a step was watched"
            break
    check_lake(lake)
    with lake.core.metadata.write() as tx:
        tx.leases.forget("gc")
    lake.maintenance.gc(AT_ONCE)
    lake.maintenance.gc(AT_ONCE)
    with lake.core.metadata.read() as tx:
        names = {f"packs/{name[:2]}/{name}.pack" for name in tx.gc.pack_names("", 1000)}
    assert {info.name for info in lake.core.objects.list("packs/")} == names
    assert lake.maintenance.verify().unknown_packs == 0
    assert lake.maintenance.get_status().stored_bytes < 10_000, "everything compresses well"
    check_lake(lake)


def test_retention_killed_at_any_step_leaves_a_line_that_ends_or_is_whole(lake, start):
    for number in range(30):
        lake.files.put("raw@main/a", f"{number}")
    before = history_of(lake, "raw")
    lake.retention.set("raw", keep_last=4)
    crasher = start("crash", lake.url, "expire")
    assert crasher.says() == ["ready"]
    for step in itertools.count(1):
        (code,) = crasher.ask(step)
        line = history_of(lake, "raw")
        assert line in (before, before[:4])
        check_lake(lake)
        if code == DONE:
            break
    assert step > 5
    assert history_of(lake, "raw") == before[:4]


def test_collections_beside_writers_in_other_processes_lose_nothing(lake, start):
    names = ("main", "dev")
    lake.refs.create_branch("raw", "dev")
    writers = [start("rewrite", lake.url, name, 12) for name in names]
    collectors = [start("collect_for_ever", lake.url) for _ in range(2)]
    for one in (*writers, *collectors):
        assert one.says() == ["ready"]
    for one in writers:
        one.tell()
    for one in writers:
        assert one.says()[0] == "repeated"
    runs = 0
    for one in collectors:
        count, _ = one.ask("enough")
        runs += int(count)
    assert runs > 0
    for name in names:
        assert contents_of(lake, "raw", name)["a"] in {b"%d" % digit * 50_000 for digit in range(5)}
    check_lake(lake)
