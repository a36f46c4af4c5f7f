"""Verification: everything that is wrong is found, named, and does not hide what is beside it."""

import random
from dataclasses import replace

import pytest

from jupyter_datalake.engine import verify
from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.engine.verify import Verifier, VerifyPlan
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.chunklists import ChunkList
from jupyter_datalake.model.commits import CommitDraft, Origin, Provenance
from jupyter_datalake.model.entries import EntryKind, FileEntry, Layout
from jupyter_datalake.model.manifests import Branch, Item, Node
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.verification import Problem, parse_subset
from jupyter_datalake.testing.faults import FaultyObjectStore, with_objects

LARGE = random.Random(5).randbytes(2_000_000)


@pytest.fixture
def lake(memory_lake):
    """Files of every layout in one repo; two names for one large content."""
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as session:
        session.put("inline", "tiny")
        session.put("chunk", "c" * 1000)
        session.put("large", LARGE)
        session.put("copies/large", LARGE)
        session.make_folder("empty")
        session.commit("Fill")
    return memory_lake


def pack_of(lake, digest):
    return lake.core.blobs.place(digest)


def damage(lake, digest, change):
    """Change what is stored of one blob, in whatever pack it is."""
    pack, record = pack_of(lake, digest)
    name = f"packs/{pack[:2]}/{pack}.pack"
    objects = lake.core.objects
    data = bytearray(objects.read(name, 0, 1 << 30))
    change(data, record)
    objects.delete(name)
    objects.create(name, bytes(data))


def flip(data, record):
    data[record.offset + record.stored_size // 2] ^= 1


def entry_of(lake, path):
    return lake.core.snapshot(lake.commits.get("raw")).entry(RepoPath(path))


def spans_of(lake, path):
    tree = lake.core.snapshot(lake.commits.get("raw"))
    content = tree.content(RepoPath(path))
    return list(content._covering(0, content.size_bytes))


def affected(report):
    """What is lost, as paths."""
    return {place.partition("/")[2] for finding in report.findings for place in finding.affects}


def test_a_sound_lake_has_no_findings_and_everything_is_looked_at(lake):
    report = lake.maintenance.verify()
    assert report.is_clean
    assert report.commits == 2
    assert report.files == 5
    assert report.unknown_packs == 0
    with lake.core.metadata.read() as tx:
        _, blobs, _ = tx.blobs.totals()
    assert report.blobs == blobs
    assert report.bytes_read > len(LARGE)


def test_shared_content_is_read_once(lake):
    for number in range(5):
        lake.files.put("raw@main/n", f"{number}")
    report = lake.maintenance.verify()
    assert report.is_clean
    assert report.commits == 7
    assert report.bytes_read < len(LARGE) + 50_000


def test_a_damaged_chunk_is_named_with_every_file_it_is_part_of(lake):
    victim = spans_of(lake, "large")[1].digest
    damage(lake, victim, flip)
    report = lake.maintenance.verify()
    (finding,) = report.findings
    assert finding.problem is Problem.DAMAGED
    assert finding.thing == f"blob {victim.hex()}"
    assert affected(report) == {"large", "copies/large"}


def test_two_damaged_chunks_are_two_findings(lake):
    for victim in (spans_of(lake, "large")[1].digest, entry_of(lake, "chunk").content):
        damage(lake, victim, flip)
    report = lake.maintenance.verify()
    assert len(report.findings) == 2
    assert affected(report) == {"large", "copies/large", "chunk"}


def test_a_damaged_chunk_list_is_named_with_its_files(lake):
    damage(lake, entry_of(lake, "large").content, flip)
    report = lake.maintenance.verify()
    assert affected(report) == {"large", "copies/large"}
    assert len(report.findings) == 1


def test_a_damaged_node_is_named_with_the_paths_it_held(lake):
    damage(lake, lake.commits.get("raw").root, flip)
    report = lake.maintenance.verify()
    assert any(place.startswith("raw@") for one in report.findings for place in one.affects)
    assert all(finding.problem is Problem.DAMAGED for finding in report.findings)


def test_damage_in_one_node_does_not_hide_what_is_beside_it(lake):
    with lake.sessions.create("raw") as session:
        for number in range(2000):
            session.put(f"many/{number:05}", b"%d" % number * 30)
        session.commit("Many")
    tree = lake.core.snapshot(lake.commits.get("raw"))
    root = lake.core.nodes.load(tree.root)
    assert root.level > 0
    damage(lake, root.branches[1].digest, flip)
    last = tree.entry(RepoPath("many/01999")).content
    damage(lake, last, flip)
    report = lake.maintenance.verify()
    places = affected(report)
    assert "many/01999" in places
    assert any(place.startswith(" (paths behind ") for place in places)


def test_a_damaged_commit_is_named(lake):
    commit = lake.commits.get("raw")
    damage(lake, bytes.fromhex(commit.id), flip)
    report = lake.maintenance.verify()
    (finding,) = report.findings
    assert finding.thing == f"blob {commit.id}"
    assert finding.affects == (f"raw@{commit.id[:12]}",)


def test_a_commit_row_that_was_changed_no_longer_fits_its_id(lake):
    commit = lake.commits.get("raw")
    with lake.core.metadata.write() as tx:
        tx._connection.exec_driver_sql(
            "UPDATE commits SET message = 'forged' WHERE id = ?", (commit.id,)
        )
    report = lake.maintenance.verify()
    (finding,) = report.findings
    assert finding.problem is Problem.INCONSISTENT
    assert finding.thing == f"commit {commit.id}"


def test_a_missing_pack_is_named_with_its_files(lake):
    pack, _ = pack_of(lake, entry_of(lake, "chunk").content)
    lake.core.objects.delete(f"packs/{pack[:2]}/{pack}.pack")
    report = lake.maintenance.verify()
    assert affected(report) == {"chunk"}
    assert f"pack {pack}" in {finding.thing for finding in report.findings}
    assert {finding.problem for finding in report.findings} == {Problem.MISSING}


def test_a_blob_that_the_database_forgot_is_missing(lake):
    digest = entry_of(lake, "chunk").content
    with lake.core.metadata.write() as tx:
        tx._connection.exec_driver_sql("DELETE FROM blobs WHERE digest = ?", (digest,))
    report = lake.maintenance.verify()
    (finding,) = report.findings
    assert finding.problem is Problem.MISSING
    assert affected(report) == {"chunk"}


@pytest.mark.parametrize("where", ["header", "index", "trailer", "record header"])
def test_damage_that_only_a_rebuild_would_notice_is_noticed(lake, where):
    digest = entry_of(lake, "chunk").content
    pack, _ = pack_of(lake, digest)

    def change(data, record):
        place = {
            "header": 12,
            "index": len(data) - 60,
            "trailer": len(data) - 40,
            "record header": record.offset - 30,
        }[where]
        data[place] ^= 1

    damage(lake, digest, change)
    report = lake.maintenance.verify()
    (finding,) = report.findings
    assert finding.thing == f"pack {pack}"
    assert finding.affects == ()  # every file can be read


@pytest.mark.parametrize("change", [lambda data, _: data.append(0), lambda data, _: data.pop()])
def test_a_pack_of_another_length_is_damaged(lake, change):
    digest = entry_of(lake, "chunk").content
    damage(lake, digest, change)
    report = lake.maintenance.verify()
    assert f"pack {pack_of(lake, digest).pack}" in {finding.thing for finding in report.findings}


def test_packs_that_the_database_does_not_know_are_counted_and_harmless(lake):
    with lake.core.writer() as writer:
        writer.add(BlobKind.CHUNK, b"orphan" * 100)
        writer.seal()
    report = lake.maintenance.verify()
    assert report.is_clean
    assert report.unknown_packs == 1


def test_only_the_repo_that_was_asked_for_is_verified(lake):
    lake.repos.create("other")
    lake.files.put("other@main/x", "x" * 1000)
    damage(lake, entry_of(lake, "chunk").content, flip)
    assert lake.maintenance.verify("other").is_clean
    assert not lake.maintenance.verify("raw").is_clean


def test_progress_is_told_commit_by_commit(lake):
    seen = []
    lake.maintenance.verify(on_progress=lambda report: seen.append((report.packs, report.commits)))
    packs = [one for one, _ in seen][-1]
    assert packs > 1
    assert seen == [(one, 0) for one in range(1, packs + 1)] + [(packs, 1), (packs, 2)]


def test_what_is_cached_is_not_taken_for_what_is_stored(lake):
    lake.files.read("raw@main/chunk")
    damage(lake, entry_of(lake, "chunk").content, flip)
    assert not lake.maintenance.verify().is_clean


def test_one_answer_that_is_lost_is_no_finding_whichever_it_is(lake):
    objects = FaultyObjectStore(lake.core.objects)
    for repo in (None, "raw"):
        before = objects.reads
        assert Verifier(with_objects(lake.core, objects), None).run(repo).is_clean
        reads = objects.reads - before
        assert reads > 3
        for number in range(1, reads + 1):
            objects.faults.fail_reads_from = objects.reads + number
            objects.faults.how_many = 1
            assert Verifier(with_objects(lake.core, objects), None).run(repo).is_clean
        objects.faults.fail_reads_from = None


def test_a_store_that_fails_is_a_finding_not_the_end(lake):
    objects = FaultyObjectStore(lake.core.objects)
    objects.faults.fail_reads_from = 2
    objects.faults.how_many = 4
    report = Verifier(with_objects(lake.core, objects), None).run()
    assert 1 <= len(report.findings) <= 4
    assert report.commits == 2


def commit_hostile(lake, items, **changes):
    """Commit a tree that this program would not make."""
    head = head_of(lake.core, "raw", "main")
    with lake.core.writer() as writer:
        root = writer.add(BlobKind.NODE, items.encode())
        commit, data = CommitDraft(
            repo="raw",
            branch="main",
            root=root,
            parents=(head.id,),
            author=lake.author,
            time_ns=1,
            message="hostile",
            global_id="0" * 32,
            provenance=Provenance(Origin.SESSION),
            **{"file_count": 1, "size_bytes": 0, **changes},
        ).seal()
        writer.add(BlobKind.COMMIT, data)
        packs = writer.seal()
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
        row = tx.repos.get("raw")
        tx.commits.add(row.id, commit)
        tx.refs.move(row, "main", expected=head.id, new=commit.id, by="x", reason="x")


def test_sizes_that_do_not_add_up_are_findings(lake):
    chunk = entry_of(lake, "chunk")
    wrong = replace(chunk, size_bytes=999)
    commit_hostile(lake, Node(0, [b"x"], items=[Item(b"x", wrong.encode(), 999)]), size_bytes=999)
    assert affected(lake.maintenance.verify()) == {"x"}


def test_counts_of_a_commit_that_do_not_add_up_are_findings(lake):
    chunk = entry_of(lake, "chunk")
    commit_hostile(lake, Node(0, [b"x"], items=[Item(b"x", chunk.encode(), 1000)]), size_bytes=7)
    (finding,) = lake.maintenance.verify().findings
    assert finding.problem is Problem.INCONSISTENT


def test_sums_of_inner_nodes_that_do_not_add_up_are_findings(lake):
    root = lake.commits.get("raw").root
    measured = lake.core.snapshot(lake.commits.get("raw")).measure()
    inner = Node(1, [b"zzz"], branches=[Branch(b"zzz", root, measured.item_count + 1, 5)])
    commit_hostile(lake, inner)
    assert not lake.maintenance.verify().is_clean


def test_values_that_are_no_entries_are_findings(lake):
    commit_hostile(lake, Node(0, [b"x", b"y"], items=[Item(b"x", b"\xc1", 0), Item(b"y", b"", 0)]))
    assert affected(lake.maintenance.verify()) >= {"x", "y"}


def test_keys_that_are_no_paths_are_findings(lake):
    entry = entry_of(lake, "inline")
    commit_hostile(lake, Node(0, [b"../x"], items=[Item(b"../x", entry.encode(), 4)]))
    assert not lake.maintenance.verify().is_clean


def test_chunk_lists_that_do_not_add_up_are_findings(lake):
    digest = entry_of(lake, "chunk").content
    with lake.core.writer() as writer:
        listed = writer.add(BlobKind.CHUNK_LIST, ChunkList(0, (999,), (digest,)).encode())
        packs = writer.seal()
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
    entry = FileEntry(EntryKind.FILE, 999, 0o644, 0, Layout.CHUNK_LIST, listed)
    commit_hostile(lake, Node(0, [b"x"], items=[Item(b"x", entry.encode(), 999)]), size_bytes=999)
    assert affected(lake.maintenance.verify()) == {"x"}


def test_a_node_among_chunks_is_not_taken_for_one(lake):
    # Two blobs of different kinds swapped by a stranger's manifest: the digest fits each.
    root = lake.commits.get("raw").root
    entry = FileEntry(EntryKind.FILE, 10, 0o644, 0, Layout.CHUNK_LIST, root)
    commit_hostile(lake, Node(0, [b"x"], items=[Item(b"x", entry.encode(), 10)]), size_bytes=10)
    assert affected(lake.maintenance.verify()) == {"x"}


def test_refs_that_lead_nowhere_are_findings(lake):
    with lake.core.metadata._engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("UPDATE refs SET commit_id = ?", ("0" * 64,))
        raw.execute("PRAGMA foreign_keys = ON")
    report = lake.maintenance.verify()
    assert [finding.thing for finding in report.findings] == ["ref raw@main"]


# --- parts, pace, interruptions -------------------------------------------------------------------


def many_packs(lake):
    for number in range(30):
        lake.files.put(f"raw@main/more/{number}", random.Random(number).randbytes(20_000))


def test_all_parts_together_read_every_pack_once(lake):
    many_packs(lake)
    whole = lake.maintenance.verify()
    parts = [lake.maintenance.verify(subset=f"{number}/7") for number in range(1, 8)]
    assert sum(one.packs for one in parts) == whole.packs
    assert sum(one.bytes_read for one in parts) == whole.bytes_read
    assert max(one.packs for one in parts) < whole.packs / 2
    assert all(one.commits == whole.commits and one.is_clean for one in parts)


def test_damage_is_found_by_the_part_that_reads_it_and_missing_packs_by_each(lake):
    many_packs(lake)
    damage(lake, entry_of(lake, "chunk").content, flip)
    found = [lake.maintenance.verify(subset=f"{number}/5").is_clean for number in range(1, 6)]
    assert found.count(False) == 1
    pack, _ = pack_of(lake, entry_of(lake, "more/3").content)
    lake.core.objects.delete(f"packs/{pack[:2]}/{pack}.pack")
    for number in range(1, 6):
        assert not lake.maintenance.verify(subset=f"{number}/5").is_clean


def test_percents_are_about_that_share_and_differ_from_time_to_time():
    chance = random.Random(3)
    names = [chance.randbytes(32).hex() for _ in range(2000)]
    shares = [parse_subset("5%", chance.random()) for _ in range(40)]
    counts = [sum(one.holds(name) for name in names) for one in shares]
    assert 50 < sum(counts) / len(counts) < 150
    assert len({one.part for one in shares}) > 5
    assert all(parse_subset("100%", number / 7).holds(names[0]) for number in range(7))


@pytest.mark.parametrize("text", ["", "0%", "101%", "5", "0/3", "4/3", "1/0", "-5%", "1/2/3"])
def test_subsets_that_are_none_are_refused(lake, text):
    with pytest.raises(InvalidInputError, match="no subset"):
        lake.maintenance.verify(subset=text)
    with pytest.raises(InvalidInputError, match="whole lake"):
        lake.maintenance.verify("raw", subset="5%")


def test_reading_is_slowed_down_to_what_was_asked_for(lake):
    waits = []
    plan = VerifyPlan(bytes_per_s=1_000_000, sleep=waits.append)
    report = Verifier(lake.core, None, plan).run()
    # Nobody slept, so each wait is as long as everything read so far is due.
    assert 1.5 < max(waits) < 2.5
    assert report.is_clean


def test_a_verification_cut_short_is_taken_up_where_it_was(lake, monkeypatch):
    many_packs(lake)
    monkeypatch.setattr(verify, "_SAVE_EVERY_S", 0)
    whole = lake.maintenance.verify()
    digest = entry_of(lake, "chunk").content
    damage(lake, digest, flip)

    def stop(report):
        if report.packs == whole.packs - 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lake.maintenance.verify(on_progress=stop)
    objects = FaultyObjectStore(lake.core.objects)
    plan = VerifyPlan(resume=True)
    report = Verifier(with_objects(lake.core, objects), None, plan).run()
    assert report.packs == whole.packs
    assert affected(report) == {"chunk"}
    full = FaultyObjectStore(lake.core.objects)
    Verifier(with_objects(lake.core, full), None).run()
    assert objects.faults.calls.count("read") < full.faults.calls.count("read")
    assert not (lake.core.work_folder / "verify.json").exists()
    assert Verifier(lake.core, None, plan).run().packs == whole.packs  # nothing to take up


def test_a_note_of_where_it_was_that_is_damaged_begins_anew(lake):
    (lake.core.work_folder / "verify.json").write_text('{"after": 5, "errors": []}')
    report = lake.maintenance.verify(resume=True)
    assert report.is_clean
    assert report.packs > 1


def test_damage_that_nobody_needs_is_told_because_somebody_might(lake):
    with lake.core.writer() as writer:
        digest = writer.add(BlobKind.CHUNK, b"nobody's" * 100)
        packs = writer.seal()
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
    assert lake.maintenance.verify().is_clean
    damage(lake, digest, flip)
    (finding,) = lake.maintenance.verify().findings
    assert finding.thing == f"pack {packs[0].name}"
    assert finding.affects == ()


def test_a_size_that_was_changed_in_the_database_is_a_finding(lake):
    digest = entry_of(lake, "large").content
    (span, *_) = spans_of(lake, "large")
    with lake.core.metadata.write() as tx:
        tx._connection.exec_driver_sql(
            "UPDATE blobs SET raw_size = raw_size + 1 WHERE digest = ?", (span.digest,)
        )
    report = lake.maintenance.verify()
    assert affected(report) == {"large", "copies/large"}
    assert digest.hex() not in str(report.findings[0].thing)
