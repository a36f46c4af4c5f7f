"""What can happen to a store, row by row of docs/reliability.md: E1 to E4, E7, E10, E13, E15."""

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from jupyter_datalake.errors import CorruptDataError, DatalakeError, ErrorKind, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.model.chunking import ChunkingParameters
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def stored(lake):
    """A closed lake of several packs, its url, and what its files hold."""
    chance = random.Random(1)
    for number in range(4):
        lake.files.put(f"raw@main/noise/{number}", chance.randbytes(180_000))
        lake.files.put(f"raw@main/text/{number}", f"line {number}\n" * 30_000)
    held = contents_of(lake, "raw")
    lake.close()
    return lake.url, held


def packs_of(url):
    return sorted(Path(url, "objects", "packs").rglob("*.pack"))


@contextlib.contextmanager
def replaced(path, data):
    """Let a stored file hold something else for a while; None for nothing at all."""
    before = path.read_bytes()
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(before)
        path.chmod(0o400)


def read_all(lake, held):
    """Read every file; return those that could not be read. None may hold other bytes."""
    damaged = set()
    for path, content in held.items():
        try:
            assert lake.files.read(f"raw@main/{path}") == content, f"wrong bytes in {path}"
        except CorruptDataError:
            damaged.add(path)
    return damaged


def examine(url, held):
    """Open the lake, read everything and verify; return what is damaged, and what verify names."""
    with Lake.open(url) as lake:
        try:
            damaged = read_all(lake, held)
        except CorruptDataError:
            damaged = {*held}  # the tree itself cannot be read
        report = lake.maintenance.verify()
        named = {
            address.partition("/")[2]
            for finding in report.findings
            for address in finding.affects
            if address.startswith("raw@") and "/" in address
        }
        return damaged, named, report


def test_e1_one_flipped_bit_in_any_object_is_an_error_that_names_it_and_never_wrong_bytes(stored):
    url, held = stored
    chance = random.Random(2)
    for pack in packs_of(url)[::2]:
        data = pack.read_bytes()
        for position in (0, 20, 40, *(chance.randrange(len(data)) for _ in range(2)), -20):
            flipped = bytearray(data)
            flipped[position] ^= 1 << chance.randrange(8)
            with replaced(pack, bytes(flipped)):
                damaged, named, report = examine(url, held)
            assert any(pack.stem in f"{one.thing} {one.message}" for one in report.findings), (
                position,
                report.findings,
            )
            assert damaged in (named & {*held}, {*held})
            assert len(damaged) <= 1 or damaged == {*held}
    assert examine(url, held)[:2] == (set(), set())


@pytest.mark.parametrize("harm", ["cut", "extended", "empty", "gone"])
def test_e2_an_object_that_is_cut_extended_emptied_or_gone_is_named_and_others_are_read(
    stored, harm
):
    url, held = stored
    for pack in packs_of(url)[::3]:
        data = pack.read_bytes()
        changed = {
            "cut": data[: len(data) // 2],
            "extended": data + b"more",
            "empty": b"",
            "gone": None,
        }[harm]
        with replaced(pack, changed):
            damaged, named, report = examine(url, held)
        assert any(pack.stem in f"{one.thing} {one.message}" for one in report.findings)
        assert damaged in (named & {*held}, {*held})
        if harm == "extended":
            assert damaged == set()
    assert examine(url, held)[:2] == (set(), set())


def test_e3_objects_whose_contents_were_swapped_are_both_noticed(stored):
    url, held = stored
    one, other = [pack for pack in packs_of(url) if pack.stat().st_size > 100_000][:2]
    first, second = one.read_bytes(), other.read_bytes()
    with replaced(one, second), replaced(other, first):
        damaged, named, report = examine(url, held)
    said = " ".join(f"{found.thing} {found.message}" for found in report.findings)
    assert one.stem in said
    assert other.stem in said
    assert len(damaged) == 2
    assert damaged == named & {*held}


def test_e4_a_damaged_database_is_told_and_can_be_rebuilt_and_damaged_words_are_told(stored):
    url, held = stored
    database = Path(url, "metadata.sqlite")
    data = bytearray(database.read_bytes())
    for page in range(1, len(data) // 4096):
        data[4096 * page : 4096 * page + 64] = bytes(64)
    with replaced(database, bytes(data)):
        with pytest.raises(DatalakeError) as told:
            examine(url, held)
        assert "\n" not in str(told.value)
    database.rename(f"{database}.damaged")
    rebuild_lake(url)
    with Lake.open(url) as lake:
        assert contents_of(lake, "raw") == held
        check_lake(lake)
    description = Path(url, "objects", "lake.json")
    for words in (b"", b"{", b"[]", description.read_bytes()[:-10], b'{"format": "one"}'):
        with replaced(description, words), pytest.raises(CorruptDataError, match=r"lake\.json"):
            Lake.open(url)


def test_e4_a_ref_that_was_changed_by_hand_is_found(lake):
    lake.files.put("raw@main/a", "one")
    with sqlite3.connect(Path(lake.url, "metadata.sqlite")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE refs SET commit_id = ?", ["f" * 64])
    connection.close()
    report = lake.maintenance.verify()
    assert [one.thing for one in report.findings] == ["ref raw@main"]


@pytest.fixture
def read_only(tmp_path):
    """A function that makes a disk with a lake on it read-only, and the lake's url."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    with Lake.create(str(disk / "lake")) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a", "one" * 1000)

    def remount():
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    yield str(disk / "lake"), remount
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("how", ["closed", "killed"])
def test_e7_a_lake_on_a_read_only_disk_is_read_and_says_that_it_cannot_be_written(read_only, how):
    url, remount = read_only
    if how == "killed":  # its last commits are in SQLite's log
        child = os.fork()
        if child == 0:
            Lake.open(url).files.put("raw@main/a", "one" * 2000)
            os._exit(0)
        os.waitpid(child, 0)
    remount()
    with Lake.open(url) as lake:
        assert lake.files.read("raw@main/a") == b"one" * (2000 if how == "killed" else 1000)
        before = history_of(lake, "raw")
        for write in (
            lambda: lake.files.put("raw@main/b", "two"),
            lambda: lake.repos.create("new"),
            lambda: lake.refs.create_tag("raw", "v1"),
            lambda: lake.sessions.create("raw"),
        ):
            with pytest.raises(StorageError, match="can be read and not written") as refused:
                write()
            assert refused.value.kind is ErrorKind.STORAGE_DENIED
        assert history_of(lake, "raw") == before
        check_lake(lake)


def test_e10_what_a_kill_leaves_in_the_store_is_counted_and_swept_and_in_nobody_s_way(lake):
    lake.files.put("raw@main/a", "one")
    store = Path(lake.url, "objects")
    left = store / ".tmp" / "0123456789abcdef"
    left.write_bytes(b"half a pack")
    os.utime(left, (0, 0))
    orphan = store / "packs" / "ab" / f"ab{'0' * 62}.pack"
    orphan.parent.mkdir(exist_ok=True)
    shutil.copy(packs_of(lake.url)[0], orphan)
    lake.close()
    with Lake.open(lake.url) as again:
        assert not left.exists()
        assert orphan.exists()
        report = again.maintenance.verify()
        assert (report.is_clean, report.unknown_packs) == (True, 1)
        again.files.put("raw@main/b", "two")
        assert contents_of(again, "raw") == {"a": b"one", "b": b"two"}


def test_e13_content_made_to_be_cut_never_or_always_keeps_within_the_bounds(lake):
    never, often = bytes(9_000_000), random.Random(4).randbytes(64) * 140_000
    for name, content in (("never", never), ("often", often)):
        lake.files.put(f"raw@main/{name}", content)
        tree = lake.core.snapshot(lake.commits.get("raw"))
        entry = tree.entry(name)
        sizes = [len(chunk) for chunk in tree.content_of(entry).iter_chunks()]
        assert sum(sizes) == len(content)
        bounds = ChunkingParameters()
        assert max(sizes) <= bounds.max_bytes
        assert all(size >= bounds.min_bytes for size in sizes[:-1])
    status = lake.maintenance.get_status()
    assert status.stored_bytes < 4_000_000  # repetitions are stored once
    check_lake(lake)


def test_e15_a_database_older_than_the_data_shows_its_time_and_nothing_newer_is_deleted(lake):
    lake.files.put("raw@main/a", "one")
    held = contents_of(lake, "raw")
    lake.close()
    backup, known = f"{lake.url}/backup", len(packs_of(lake.url))
    shutil.copy(f"{lake.url}/metadata.sqlite", backup)
    with Lake.open(lake.url) as newer:
        newer.files.put("raw@main/a", "two" * 1000)
        newer.files.put("raw@main/b", "three")
        after = contents_of(newer, "raw")
    packs = packs_of(lake.url)
    shutil.copy(backup, f"{lake.url}/metadata.sqlite")
    with Lake.open(lake.url) as restored:
        assert contents_of(restored, "raw") == held
        report = restored.maintenance.verify()
        assert report.is_clean
        assert report.unknown_packs == len(packs) - known > 0
        restored.files.put("raw@main/c", "life goes on")
        assert {*packs} <= {*packs_of(lake.url)}
        check_lake(restored)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{lake.url}/metadata.sqlite{suffix}").unlink(missing_ok=True)
    rebuild_lake(lake.url)  # what the older database did not know is in the packs
    with Lake.open(lake.url) as rebuilt:
        refs = [ref.name for ref in rebuilt.refs.list("raw")]
        assert after in [contents_of(rebuilt, "raw", ref) for ref in refs]


def test_e15_data_older_than_the_database_is_named_and_the_rest_is_read(lake):
    lake.files.put("raw@main/a", "one" * 1000)
    old = {*packs_of(lake.url)}
    lake.files.put("raw@main/b", "two" * 1000)
    newer = {*packs_of(lake.url)} - old
    lake.close()
    for pack in newer:
        pack.unlink()
    database = Path(lake.url, "metadata.sqlite").read_bytes()
    with Lake.open(lake.url) as restored:
        report = restored.maintenance.verify()
        said = " ".join(one.thing for one in report.findings)
        assert all(pack.stem in said for pack in newer)
        with pytest.raises(CorruptDataError):
            restored.files.read("raw@main/b")
        assert restored.files.read("raw@main~1/a") == b"one" * 1000
        assert restored.refs.get("raw", "main")
    assert Path(lake.url, "metadata.sqlite").read_bytes() == database
