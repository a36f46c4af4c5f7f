"""Garbage collection: what is needed stays, whatever else goes on, and what is not needed goes."""

from pathlib import Path

import pytest

from jupyter_datalake.engine import blobs
from jupyter_datalake.engine.blobs import BlobReader, pack_object, register_packs
from jupyter_datalake.engine.commits import first_commit
from jupyter_datalake.engine.gc import GarbageCollector
from jupyter_datalake.errors import ConflictError, CorruptDataError, ErrorKind, NotFoundError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.gc import DAY_S, GcPolicy
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.testing.faults import FaultyObjectStore, disk_full, with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of
from jupyter_datalake.testing.strategies import content_of

AT_ONCE = GcPolicy(undo_s=0, grace_s=0, reader_s=0, results_s=0)


def noise(seed, size=100_000):
    return content_of(size, seed, "noise")


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    return local_lake


def stored(lake):
    """The packs in the store, without what else lies there."""
    return {info.name for info in lake.core.objects.list("packs/")}


def digests(lake):
    """Every blob that the database knows, in order."""
    with lake.core.metadata.read() as tx:
        return [one.digest for one in tx.gc.blob_page(Digest(bytes(32)), 100_000)]


def run(lake, policy=AT_ONCE, owner="a test"):
    """One run alone, without those that follow it at once."""
    return GarbageCollector(lake.core, policy, owner).run()


def test_e12_nothing_goes_while_everything_is_needed(lake):
    for number in range(3):
        lake.files.put(f"raw@main/{number}", noise(number))
    before = digests(lake)
    report = lake.maintenance.gc(AT_ONCE)
    assert (report.condemned_blobs, report.swept_blobs, report.repos) == (0, 0, [])
    assert report.marked_blobs > 0
    assert digests(lake) == before
    check_lake(lake)


def test_what_a_deleted_branch_held_alone_goes_for_good(lake):
    lake.files.put("raw@main/kept", noise(1))
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/gone", noise(2))
    kept = contents_of(lake, "raw")
    gone = lake.commits.get("raw", "dev")
    size = lake.maintenance.get_status().stored_bytes
    lake.refs.delete_branch("raw", "dev")
    report = lake.maintenance.gc(AT_ONCE)
    assert [(one.repo, one.commits) for one in report.repos] == [("raw", 1)]
    assert report.swept_bytes > 90_000
    with pytest.raises(NotFoundError):
        lake.commits.get("raw", gone.id)
    assert bytes.fromhex(gone.id) not in digests(lake)
    assert lake.maintenance.get_status().stored_bytes < size - 90_000
    assert stored(lake) == {pack_object(pack.name) for pack in packs(lake)}, (
        "every object is known, and every known one is there"
    )
    assert contents_of(lake, "raw") == kept
    check_lake(lake)


def packs(lake):
    with lake.core.metadata.read() as tx:
        return tx.blobs.packs(limit=10_000)


def test_a_move_can_be_undone_until_its_time_is_over(lake, lake_clock):
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/a", noise(1))
    head = lake.commits.get("raw", "dev").id
    lake.refs.delete_branch("raw", "dev")
    policy = GcPolicy(undo_s=10 * DAY_S, grace_s=0, reader_s=0)
    lake_clock.advance(9 * DAY_S)
    assert lake.maintenance.gc(policy).repos == []
    lake.refs.create_branch("raw", "again", at=head)
    assert contents_of(lake, "raw", "again")["a"] == noise(1)
    lake.refs.delete_branch("raw", "again")
    lake_clock.advance(11 * DAY_S)
    assert lake.maintenance.gc(policy).repos[0].commits == 1


def test_garbage_goes_in_stages_and_each_waits_for_its_time(lake, lake_clock):
    session = lake.sessions.create("raw")
    session.put("a", noise(1))
    session.delete_session()
    policy = GcPolicy(undo_s=0, grace_s=DAY_S, reader_s=3600)
    assert run(lake, policy).condemned_blobs == 0, "it is younger than the grace"
    lake_clock.advance(DAY_S + 1)
    assert run(lake, policy).condemned_blobs == 1
    assert run(lake, policy).swept_blobs == 0, "it was condemned a moment ago"
    lake_clock.advance(DAY_S + 1)
    report = run(lake, policy)
    assert (report.swept_blobs, report.retired_packs) == (1, 1)
    name = next(pack.name for pack in packs(lake) if pack.is_retired)
    assert pack_object(name) in stored(lake), "somebody may have looked its place up before"
    assert run(lake, policy).deleted_packs == 0
    lake_clock.advance(3601)
    assert run(lake, policy).deleted_packs == 1
    assert pack_object(name) not in stored(lake)
    check_lake(lake)


def test_a_clock_that_is_set_back_delays_and_loses_nothing(lake, lake_clock):
    lake.files.put("raw@main/a", noise(1))
    session = lake.sessions.create("raw")
    session.put("b", noise(2))
    session.delete_session()
    policy = GcPolicy(undo_s=0, grace_s=DAY_S, reader_s=0)
    lake_clock.advance(2 * DAY_S)
    run(lake, policy)
    lake_clock.advance(-5 * DAY_S)
    assert run(lake, policy).swept_blobs == 0
    lake_clock.advance(9 * DAY_S)
    assert run(lake, policy).swept_blobs == 1
    assert contents_of(lake, "raw")["a"] == noise(1)
    check_lake(lake)


def test_a_clock_that_jumps_forward_makes_a_writer_repeat_its_work_at_most(lake, lake_clock):
    session = lake.sessions.create("raw")
    session.put("staged", noise(1))
    lake.files.put("raw@main/old", noise(3))
    with lake.core.writer() as writer:
        writer.add(BlobKind.CHUNK, noise(2))
        packed = writer.seal()
        for _ in range(3):
            lake_clock.advance(400 * DAY_S)
            lake.maintenance.gc(GcPolicy(grace_s=DAY_S, reader_s=0))
        with pytest.raises(ConflictError), lake.core.metadata.write() as tx:
            register_packs(tx, packed)
    check_lake(lake)
    session.commit("still there")
    session.close()
    assert contents_of(lake, "raw")["staged"] == noise(1)
    check_lake(lake)


# --- writers -------------------------------------------------------------------------------------


def garbage(lake, seed=1):
    """Store a chunk that nothing needs and return its bytes."""
    with lake.core.writer() as writer:
        writer.add(BlobKind.CHUNK, noise(seed))
        packed = writer.seal()
        with lake.core.metadata.write() as tx:
            register_packs(tx, packed)
    return noise(seed)


def test_a_writer_that_counts_on_a_blob_before_it_is_condemned_wins(lake):
    data = garbage(lake)
    with lake.core.writer() as writer:
        digest = writer.add(BlobKind.CHUNK, data)
        assert writer.seal() == [], "the lake has it already"
        assert run(lake).condemned_blobs == 1
        with lake.core.metadata.write() as tx:
            register_packs(tx, writer.seal())
            tx.pins.add("session:x", [(BlobKind.CHUNK, digest)])
            tx.sessions.create("x", tx.repos.get("raw"), "main", head(lake, tx), "ada")
    run(lake)
    run(lake)
    assert lake.core.blobs.get(digest, keep=False) == data


def head(lake, tx):
    return tx.refs.get(tx.repos.get("raw"), "main").commit_id


def test_a_writer_that_looks_after_a_blob_was_condemned_stores_it_anew(lake):
    data = garbage(lake)
    run(lake)
    with lake.core.writer() as writer:
        digest = writer.add(BlobKind.CHUNK, data)
        (pack,) = writer.seal()
        assert [record.digest for record in pack.records] == [digest]


def test_a_writer_that_was_paused_until_its_blobs_were_gone_is_told_and_can_repeat_it(lake):
    data = garbage(lake)
    with lake.core.writer() as writer:
        writer.add(BlobKind.CHUNK, data)
        writer.seal()
        lake.maintenance.gc(AT_ONCE)
        with pytest.raises(ConflictError) as caught, lake.core.metadata.write() as tx:
            register_packs(tx, writer.seal())
    assert caught.value.kind is ErrorKind.CONTENT_COLLECTED
    assert caught.value.retryable
    lake.files.put("raw@main/a", data)
    assert contents_of(lake, "raw") == {"a": data}
    check_lake(lake)


def test_the_full_packs_of_a_paused_writer_count_as_counted_on(lake, monkeypatch):
    monkeypatch.setattr(blobs, "PACK_TARGET_BYTES", 150_000)
    with lake.core.writer() as writer:
        for seed in range(4):  # the first ones fill a pack, which is registered at once
            writer.add(BlobKind.CHUNK, noise(seed))
        packed = writer.seal()
        assert run(lake).condemned_blobs > 0
        with lake.core.metadata.write() as tx:
            register_packs(tx, packed)
            assert len(tx.blobs.known(digests(lake))) == len(digests(lake))
        assert run(lake).swept_blobs == 0


def test_a_pack_of_the_name_of_one_about_to_be_deleted_gets_another(lake):
    data = garbage(lake)
    policy = GcPolicy(undo_s=0, grace_s=0, reader_s=DAY_S)
    lake.maintenance.gc(policy)
    (retired,) = [pack.name for pack in packs(lake) if pack.is_retired]
    assert garbage(lake) == data
    names = {pack.name for pack in packs(lake) if not pack.is_retired}
    assert retired not in names
    lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=DAY_S, reader_s=0))
    assert pack_object(retired) not in stored(lake)
    assert lake.core.blobs.get(blobs.digest_of(data), keep=False) == data


def test_a_writer_whose_pack_was_taken_for_a_stranger_is_told(lake):
    with lake.core.writer() as writer:
        writer.add(BlobKind.CHUNK, noise(1))
        packed = writer.seal()
        lake.maintenance.gc(AT_ONCE)
        lake.maintenance.gc(AT_ONCE)
        assert pack_object(packed[0].name) not in stored(lake)
        with pytest.raises(ConflictError) as caught, lake.core.metadata.write() as tx:
            register_packs(tx, packed)
    assert caught.value.kind is ErrorKind.CONTENT_COLLECTED
    check_lake(lake)


def test_what_is_staged_stays_for_as_long_as_the_session(lake):
    session = lake.sessions.create("raw")
    session.put("large", noise(1, 3_000_000))
    session.put("small", noise(2))
    session.put("tiny", b"inline")
    lake.maintenance.gc(AT_ONCE)
    session.close()
    lake.maintenance.gc(AT_ONCE)
    session = lake.sessions.open(session.id)
    session.commit("after two collections")
    session.close()
    assert contents_of(lake, "raw") == {
        "large": noise(1, 3_000_000),
        "small": noise(2),
        "tiny": b"inline",
    }
    check_lake(lake)


def test_what_a_session_copied_from_a_commit_that_is_gone_stays(lake):
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/a", noise(1))
    session = lake.sessions.create("raw")
    session.copy("raw@dev/a", "copied")
    lake.refs.delete_branch("raw", "dev")
    lake.maintenance.gc(AT_ONCE)
    session.commit("copied")
    session.close()
    assert contents_of(lake, "raw") == {"copied": noise(1)}
    check_lake(lake)


def test_a_copy_from_a_commit_that_went_meanwhile_is_refused(lake):
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/a", noise(1))
    tree = lake.core.snapshot(lake.commits.get("raw", "dev"))
    entries = list(tree.iter_entries())
    lake.refs.delete_branch("raw", "dev")
    lake.maintenance.gc(AT_ONCE)
    session = lake.sessions.create("raw")
    with pytest.raises(ConflictError) as caught:
        session._session.put_entries(entries, tree)
    assert caught.value.kind is ErrorKind.CONTENT_COLLECTED
    assert not session.has_changes
    session.close()


def test_what_is_discarded_goes(lake):
    session = lake.sessions.create("raw")
    session.put("a", noise(1))
    session.discard()
    lake.maintenance.gc(AT_ONCE)
    assert blobs.digest_of(noise(1)) not in digests(lake)
    session.put("b", noise(1))
    session.commit("again")
    session.close()
    assert contents_of(lake, "raw") == {"b": noise(1)}


# --- readers and repacking -----------------------------------------------------------------------


def test_small_packs_are_written_together_and_everything_is_where_it_is_looked_for(lake):
    for number in range(20):
        lake.files.put(f"raw@main/{number}", noise(number, 5000))
    before = contents_of(lake, "raw")
    assert len(packs(lake)) > 20
    report = lake.maintenance.gc(AT_ONCE)
    assert report.repacked_packs > 20
    assert report.written_packs == 1
    assert len(packs(lake)) == 1
    assert len(stored(lake)) == 1
    assert contents_of(lake, "raw") == before
    check_lake(lake)
    assert lake.maintenance.gc(AT_ONCE).written_packs == 0, "there is nothing left to gain"


def test_a_reader_finds_a_blob_that_moved_since_it_looked(lake):
    for number in range(20):
        lake.files.put(f"raw@main/{number}", noise(number, 5000))
    reader = BlobReader(lake.core.objects, lake.core.metadata, cache_bytes=0)
    known = digests(lake)
    reader.locate(known)
    lake.maintenance.gc(AT_ONCE)
    for digest in known:
        assert blobs.digest_of(reader.get(digest)) == digest


def test_a_pack_that_is_mostly_garbage_is_written_anew(lake):
    lake.refs.create_branch("raw", "dev")
    with lake.core.writer() as writer:  # all in one pack
        for seed in range(10):
            writer.add(BlobKind.CHUNK, noise(seed))
        packed = writer.seal()
        with lake.core.metadata.write() as tx:
            register_packs(tx, packed)
    for seed in range(10):
        lake.files.put(f"raw@dev/{seed}", noise(seed))
    lake.files.copy("raw@dev/0", "raw@main/0")
    lake.refs.delete_branch("raw", "dev")
    size = lake.maintenance.get_status().stored_bytes
    report = lake.maintenance.gc(AT_ONCE)
    assert report.swept_bytes > 800_000
    assert not any(pack.name == packed[0].name for pack in packs(lake))
    assert lake.maintenance.get_status().stored_bytes < size - 800_000
    assert contents_of(lake, "raw") == {"0": noise(0)}
    check_lake(lake)


def test_damage_is_not_copied_and_not_hidden(lake):
    for number in range(20):
        lake.files.put(f"raw@main/{number}", noise(number, 5000))
    digest = blobs.digest_of(noise(7, 5000))
    pack, record = lake.core.blobs.place(digest)
    path = Path(lake.url, "objects", pack_object(pack))
    data = bytearray(path.read_bytes())
    data[record.offset] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    report = run(lake)
    assert (report.written_packs, report.damaged_packs) == (1, 1)
    with lake.core.metadata.read() as tx:
        assert tx.blobs.locate([digest])[digest].pack == pack
    with pytest.raises(CorruptDataError):
        lake.core.blobs.get(digest, keep=False)
    (finding,) = [one for one in lake.maintenance.verify().findings if one.affects]
    assert "raw@" in finding.affects[0]


def test_where_a_manifest_cannot_be_read_nothing_is_removed(lake):
    lake.files.put("raw@main/a", noise(1))
    garbage(lake, 2)
    root = lake.commits.get("raw").root
    pack, _ = lake.core.blobs.place(root)
    path = Path(lake.url, "objects", pack_object(pack))
    path.chmod(0o600)
    path.write_bytes(b"\0" * path.stat().st_size)
    before = digests(lake)
    core = with_objects(lake.core, lake.core.objects)
    with pytest.raises(CorruptDataError):
        GarbageCollector(core, AT_ONCE, "a test").run()
    assert digests(lake) == before
    with lake.core.metadata.read() as tx:
        assert len(tx.blobs.known(before)) == len(before), "and nothing is condemned"


def test_a_full_disk_ends_repacking_and_the_next_run_goes_on(lake):
    for number in range(20):
        lake.files.put(f"raw@main/{number}", noise(number, 5000))
    before = contents_of(lake, "raw")
    full = FaultyObjectStore(lake.core.objects)
    full.faults.fail_writes_from = 3
    full.faults.error = disk_full
    with pytest.raises(OSError, match="disk is full"):
        GarbageCollector(with_objects(lake.core, full), AT_ONCE, "a test").run()
    assert contents_of(lake, "raw") == before
    check_lake(lake)
    assert lake.maintenance.gc(AT_ONCE).written_packs == 1
    check_lake(lake)


# --- strangers -----------------------------------------------------------------------------------


def test_a_pack_that_nobody_registered_goes_after_the_grace(lake, lake_clock):
    with lake.core.writer() as writer:
        writer.add(BlobKind.CHUNK, noise(1))
        (pack,) = writer.seal()  # … and its process dies
    policy = GcPolicy(grace_s=DAY_S, reader_s=0)
    assert lake.maintenance.verify().unknown_packs == 1
    lake.maintenance.gc(policy)
    assert pack_object(pack.name) in stored(lake)
    lake_clock.advance(DAY_S + 1)
    report = lake.maintenance.gc(policy)
    assert (report.retired_packs, report.deleted_packs) == (1, 1)
    assert pack_object(pack.name) not in stored(lake)
    assert lake.maintenance.verify().unknown_packs == 0


def test_packs_newer_than_a_restored_database_are_reported_and_kept(tmp_path):
    url = str(tmp_path / "lake")
    database = tmp_path / "lake" / "metadata.sqlite"
    with Lake.create(url) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a", noise(1))
        old = contents_of(lake, "raw")
    backup = database.read_bytes()
    with Lake.open(url) as lake:
        lake.files.put("raw@main/b", noise(2, 3_000_000))
        new = contents_of(lake, "raw")
        with lake.core.writer() as writer:  # chunks alone are kept too: a commit may need them
            writer.add(BlobKind.CHUNK, noise(3))
            writer.seal()
    database.write_bytes(backup)
    with Lake.open(url) as lake:
        garbage(lake, 4)
        objects = stored(lake)
        for _ in range(3):
            report = lake.maintenance.gc(AT_ONCE)
            assert report.unknown_packs == lake.maintenance.verify().unknown_packs > 1
            assert report.unknown_bytes > 3_000_000
        assert stored(lake) == objects
        assert contents_of(lake, "raw") == old
    database.rename(tmp_path / "old")
    rebuild_lake(url)
    with Lake.open(url) as lake:
        assert contents_of(lake, "raw") == new


def test_unknown_commits_go_when_they_were_reported_for_long(lake, lake_clock):
    lake.files.put("raw@main/a", noise(1))
    writer = first_commit(lake.core, "raw", lake.author)[1]
    with writer:
        writer.seal()  # … and its process dies before the transaction
    garbage(lake, 2)
    for _ in range(2):
        report = lake.maintenance.gc(AT_ONCE)
        assert (report.unknown_packs, report.condemned_blobs) == (1, 0)
        lake_clock.advance(13 * DAY_S)
    lake_clock.advance(2 * DAY_S)
    report = lake.maintenance.gc(AT_ONCE)
    assert (report.unknown_packs, report.swept_blobs) == (0, 1)
    assert lake.maintenance.verify().unknown_packs == 0
    assert contents_of(lake, "raw") == {"a": noise(1)}
    check_lake(lake)


# --- runs ----------------------------------------------------------------------------------------


def test_a_run_that_is_cancelled_ends_where_it_is_and_the_next_one_goes_on(lake):
    garbage(lake)
    phases = []

    def cancel(report):
        phases.append(report.phase)
        if report.phase == "mark" and phases.count("mark") == 1:
            assert lake.maintenance.get_status().collector.startswith("cancelled")
            assert lake.maintenance.cancel_gc().startswith("cancelled")

    with pytest.raises(ConflictError, match="was cancelled"):
        GarbageCollector(lake.core, AT_ONCE, "cancelled", cancel).run()
    assert "sweep" not in phases
    (ended,) = lake.maintenance.list_runs()
    assert ended.finished_at is None
    assert ended.report["phase"] == "mark"
    assert lake.maintenance.get_status().collector is None
    assert lake.maintenance.cancel_gc() is None
    check_lake(lake)
    assert run(lake).condemned_blobs == 1
    told = [
        (one.subject, one.details["state"])
        for one in lake.events.list(after=0, limit=99)
        if one.kind is EventKind.COLLECTION_CHANGED
    ]
    assert told == [("1", "running"), ("1", "failed"), ("2", "running"), ("2", "done")]


def test_d2_only_one_run_is_at_work_and_one_that_lost_its_lease_writes_nothing(lake, lake_clock):
    garbage(lake)
    paused = GarbageCollector(lake.core, AT_ONCE, "paused")
    with lake.core.metadata.write() as tx:
        paused._fence = tx.gc.claim("paused", 60)
        paused._run = tx.gc.begin_run("paused")
    with pytest.raises(ConflictError) as caught:
        run(lake)
    assert caught.value.kind is ErrorKind.LEASE_HELD
    lake_clock.advance(61)
    assert run(lake).condemned_blobs == 1
    with pytest.raises(ConflictError):
        paused._retire()
    with pytest.raises(ConflictError):
        paused._prune()


def test_a_dry_run_tells_what_would_go_of_each_repo_and_changes_nothing(lake):
    lake.repos.create("other")
    lake.files.put("other@main/kept", noise(5))
    for repo, seed in (("raw", 1), ("other", 2)):
        lake.refs.create_branch(repo, "dev")
        lake.files.put(f"{repo}@dev/a", noise(seed, 50_000 * seed))
        lake.refs.delete_branch(repo, "dev")
    before = digests(lake), lake.maintenance.list_runs()
    report = lake.maintenance.gc(AT_ONCE, dry_run=True)
    assert report.is_dry_run
    found = {one.repo: (one.commits, one.bytes // 50_000) for one in report.repos}
    assert found == {"raw": (1, 1), "other": (1, 2)}
    assert (digests(lake), lake.maintenance.list_runs()) == before
    real = lake.maintenance.gc(AT_ONCE)
    assert real.swept_blobs == report.condemned_blobs
    assert real.swept_bytes == report.condemned_bytes


def test_runs_are_in_the_journal(lake):
    run(lake, owner="ada@host")
    (one,) = lake.maintenance.list_runs()
    assert (one.number, one.owner) == (1, "ada@host")
    assert one.finished_at is not None
    assert one.report["phase"] == "done"


# --- who takes how much --------------------------------------------------------------------------


def test_usage_tells_what_is_shared_and_what_belongs_to_one_repo_alone(lake):
    lake.repos.create("other")
    lake.files.put("raw@main/a", noise(1))
    lake.files.put("raw@main/b", noise(2, 50_000))
    lake.files.copy("raw@main/a", "other@main/a")
    garbage(lake, 3)
    usage = lake.maintenance.get_usage()
    raw, other = sorted(usage.repos, key=lambda one: one.repo != "raw")
    assert (raw.repo, raw.commits, raw.logical_bytes) == ("raw", 3, 150_000)
    assert (other.repo, other.commits, other.logical_bytes) == ("other", 2, 100_000)
    assert 100_000 <= usage.shared_bytes < 101_000
    assert 50_000 <= raw.exclusive_bytes < 52_000
    assert 0 < other.exclusive_bytes < 2_000
    assert raw.stored_bytes == raw.exclusive_bytes + usage.shared_bytes
    assert usage.other_bytes == 100_000
    parts = raw.exclusive_bytes + other.exclusive_bytes + usage.shared_bytes + usage.other_bytes
    assert parts == usage.blob_bytes < usage.pack_bytes
