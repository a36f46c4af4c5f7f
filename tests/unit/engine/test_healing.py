"""Healing: what is damaged is stored anew from where it is sound, and what stays lost is told."""

import random

import pytest

from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.engine.healing import Healer
from jupyter_datalake.engine.rebuild import Rebuilder
from jupyter_datalake.engine.replication import Replicator
from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata.locations import open_memory
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.testing.faults import FaultyObjectStore, with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of

LARGE = random.Random(5).randbytes(1_500_000)


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as session:
        session.put("chunk", "c" * 1000)
        session.put("large", LARGE)
        for number in range(400):
            session.put(f"many/{number:04}", b"%d" % number * 30)
        session.commit("Fill")
    memory_lake.files.put("raw@main/later", b"later" * 50)
    return memory_lake


@pytest.fixture
def mirror(lake, lake_clock, lake_author):
    with Lake.create("memory:", author=lake_author, clock=lake_clock) as made:
        Replicator(lake.core, made.core, author=lake_author, reason="test").run()
        yield made


def entry_of(lake, path):
    return lake.core.snapshot(lake.commits.get("raw")).entry(path)


def object_of(lake, digest):
    pack = lake.core.blobs.place(digest).pack
    return f"packs/{pack[:2]}/{pack}.pack"


def change(lake, name, how):
    data = bytearray(lake.core.objects.read(name, 0, 1 << 30))
    lake.core.objects.delete(name)
    changed = how(data)
    if changed is not None:
        lake.core.objects.create(name, bytes(changed))


def damage(lake, digest):
    record = lake.core.blobs.place(digest).record

    def flip(data):
        data[record.offset + record.stored_size // 2] ^= 1
        return data

    change(lake, object_of(lake, digest), flip)


def fresh(lake):
    """The same lake with nothing in its caches."""
    return Lake(with_objects(lake.core, lake.core.objects), lake.author)


def heal(lake, mirror=None):
    return Healer(lake.core, None if mirror is None else mirror.core).run()


def test_a_sound_lake_has_nothing_to_heal(lake, mirror):
    before = {one.name for one in lake.core.objects.list("")}
    report = heal(lake, mirror)
    assert report.is_clean
    assert (report.damaged_blobs, report.bytes_copied) == (0, 0)
    assert {one.name for one in lake.core.objects.list("")} == before


@pytest.mark.parametrize("what", ["chunk", "node", "commit"])
def test_a_damaged_blob_of_any_kind_comes_back_from_the_mirror(lake, mirror, what):
    held = contents_of(lake, "raw")
    head = lake.commits.get("raw")
    digest = {
        "chunk": entry_of(lake, "chunk").content,
        "node": head.root,
        "commit": bytes.fromhex(head.id),
    }[what]
    damage(lake, digest)
    report = heal(lake, mirror)
    assert report.is_clean
    assert (report.healed_from_remote, report.lost) == (1, [])
    assert contents_of(fresh(lake), "raw") == held
    check_lake(fresh(lake))


def test_only_what_is_damaged_is_fetched(lake, mirror):
    damage(lake, entry_of(lake, "chunk").content)
    faulty = FaultyObjectStore(mirror.core.objects)
    report = Healer(lake.core, with_objects(mirror.core, faulty)).run()
    assert report.is_clean
    assert report.bytes_copied < 2000
    assert faulty.faults.calls.count("read") == 1


@pytest.mark.parametrize(
    "how",
    [lambda data: None, lambda data: b"", lambda data: data[:1000], lambda data: data[::-1]],
    ids=["gone", "empty", "cut", "reversed"],
)
def test_a_lost_pack_comes_back_whole(lake, mirror, how):
    held = contents_of(lake, "raw")
    change(lake, object_of(lake, entry_of(lake, "large").content), how)
    report = heal(lake, mirror)
    assert report.is_clean
    assert report.lost == []
    assert report.healed_from_remote > 4
    assert contents_of(fresh(lake), "raw") == held
    check_lake(fresh(lake))


def test_a_pack_whose_frame_is_damaged_is_emptied_so_that_a_rebuild_finds_everything(lake):
    held = contents_of(lake, "raw")
    name = object_of(lake, entry_of(lake, "chunk").content)

    def break_index(data):
        data[-100] ^= 1
        return data

    change(lake, name, break_index)
    assert not lake.maintenance.verify().is_clean
    report = heal(lake)  # no mirror is needed: every blob in it is sound
    assert report.is_clean
    assert report.moved >= 1
    check_lake(fresh(lake))
    assert name not in {one.name for one in lake.core.objects.list("")}
    rebuilt = open_memory()
    core = with_objects(lake.core, lake.core.objects)
    object.__setattr__(core, "metadata", rebuilt)
    found = Rebuilder(with_objects(core, core.objects)).run()
    assert found.damaged == []
    assert contents_of(Lake(with_objects(core, core.objects), lake.author), "raw") == held


def test_another_copy_in_the_same_lake_heals(lake):
    content = b"stored twice " * 100
    with lake.core.writer() as one, lake.core.writer() as two:
        digest = one.add(BlobKind.CHUNK, content)
        two.add(BlobKind.CHUNK, content)
        two.add(BlobKind.CHUNK, b"something beside it")
        packs = [*one.seal(), *two.seal()]
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
    damage(lake, digest)
    report = heal(lake)
    assert report.is_clean
    assert (report.healed_here, report.lost) == (1, [])
    assert fresh(lake).core.blobs.get(digest) == content


def test_what_nobody_has_stays_lost_and_is_told_with_its_files(lake):
    digest = entry_of(lake, "chunk").content
    held = contents_of(lake, "raw")
    damage(lake, digest)
    report = heal(lake)
    assert report.lost == [digest.hex()]
    (finding,) = report.findings
    assert {one.partition("/")[2] for one in finding.affects} == {"chunk"}
    (kept,) = lake.core.objects.list("damaged/")  # what is left of it
    assert b"\xdbR" in lake.core.objects.read(kept.name, 0, 1000)
    again = fresh(lake)
    with pytest.raises(CorruptDataError):
        again.files.read("raw@main/chunk")
    for path in ("large", "later", "many/0001"):
        assert again.files.read(f"raw@main/{path}") == held[path]


def test_who_stores_a_lost_file_again_restores_it_in_every_commit(lake):
    old = lake.commits.get("raw").id
    damage(lake, entry_of(lake, "chunk").content)
    heal(lake)
    again = fresh(lake)
    again.files.put("raw@main/found/in/a/drawer", "c" * 1000)
    assert fresh(lake).files.read(f"raw@{old}/chunk") == b"c" * 1000
    check_lake(fresh(lake))


def test_a_mirror_that_is_damaged_too_heals_what_it_can(lake, mirror):
    for path in ("chunk", "later"):
        damage(lake, entry_of(lake, path).content)
    damage(mirror, entry_of(mirror, "chunk").content)
    report = heal(lake, mirror)
    assert report.healed_from_remote == 1
    assert report.lost == [entry_of(mirror, "chunk").content.hex()]
    assert fresh(lake).files.read("raw@main/later") == b"later" * 50


def test_a_store_that_fails_for_the_moment_is_not_taken_for_damage(lake, mirror):
    faulty = FaultyObjectStore(lake.core.objects)
    faulty.faults.fail_reads_from = 1
    with lake.core.metadata.read() as tx:
        before = tx.blobs.totals()
    report = Healer(with_objects(lake.core, faulty), mirror.core).run()
    assert not report.is_clean
    assert (report.lost, report.healed_from_remote) == ([], 0)
    with lake.core.metadata.read() as tx:
        assert tx.blobs.totals() == before
    check_lake(fresh(lake))


def test_rows_that_the_database_lost_or_changed_come_back(lake, mirror):
    held, head = contents_of(lake, "raw"), lake.commits.get("raw")
    chunk = entry_of(lake, "chunk").content
    with lake.core.metadata.write() as tx:
        run = tx._connection.exec_driver_sql
        run("DELETE FROM blobs WHERE digest = ?", (chunk,))
        run("UPDATE blobs SET offset = offset + 1 WHERE digest = ?", (head.root,))
        run("UPDATE commits SET message = 'forged', author_name = 'Eve'")
    lake.core.blobs.forget_places()
    report = heal(lake, mirror)
    assert report.is_clean
    assert report.commits_restored == 3
    assert fresh(lake).commits.get("raw") == head
    assert contents_of(fresh(lake), "raw") == held
    check_lake(fresh(lake))


def test_healing_cut_short_at_any_write_is_repeated(lake, mirror):
    held = contents_of(lake, "raw")
    change(lake, object_of(lake, entry_of(lake, "large").content), lambda data: None)
    number, is_done = 0, False
    while not is_done:
        number += 1
        faulty = FaultyObjectStore(lake.core.objects)
        faulty.faults.fail_writes_from = number
        try:
            Healer(with_objects(lake.core, faulty), mirror.core).run()
            is_done = True
        except OSError:
            assert fresh(lake).files.read("raw@main/later") == held["later"]
    assert number > 2
    assert contents_of(fresh(lake), "raw") == held
    check_lake(fresh(lake))
