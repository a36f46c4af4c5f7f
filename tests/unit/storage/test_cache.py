"""The read cache keeps the contract of a store, a limit, and its own counsel about its blocks."""

import errno
import fcntl
import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_datalake.errors import NotFoundError, StorageError
from jupyter_datalake.storage import cache
from jupyter_datalake.storage.base import ReadsPieces, RemoteObjectStore, origin_of
from jupyter_datalake.storage.cache import BLOCK_BYTES, CachedObjectStore
from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.testing.object_store_suite import ObjectStoreSuite

LIMIT = 100 * BLOCK_BYTES


class FarStore(MemoryObjectStore):
    """A store that counts what is asked of it."""

    def __init__(self):
        super().__init__()
        self.reads = []
        self.fails = False

    def read(self, name, start, length):
        self.reads.append((name, start, length))
        if self.fails:
            raise StorageError("no answer", retryable=True)
        return super().read(name, start, length)

    @property
    def origin(self):
        return self

    def forget(self, name):
        pass

    def sweep_uploads(self, *, older_than_s):
        return 7


@pytest.fixture
def far():
    return FarStore()


@pytest.fixture
def make(far, tmp_path):
    made = []

    def make(limit=LIMIT, **options):
        made.append(CachedObjectStore(far, tmp_path / "cache", limit_bytes=limit, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@functools.cache
def numbered(blocks):
    """Return bytes that differ everywhere."""
    return b"".join(number.to_bytes(8, "big") for number in range(blocks * BLOCK_BYTES // 8))


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and "." not in path.name]


class TestCachedObjectStore(ObjectStoreSuite):
    @pytest.fixture(params=[LIMIT, 0], ids=["disk", "memory"])
    def store(self, request, tmp_path):
        made = CachedObjectStore(FarStore(), tmp_path / "cache", limit_bytes=request.param)
        yield made
        made.close()

    def peek(self, store, name):
        found = store.origin._objects.get(name)
        return None if found is None else found[0]

    def poke(self, store, name, data):
        store.origin.delete(name)
        store.origin.create(name, data)


def test_what_was_read_is_not_fetched_again_also_by_another_process(far, make):
    far.create("packs/a", numbered(3))
    assert make().read("packs/a", 10, 2 * BLOCK_BYTES) == numbered(3)[10 : 10 + 2 * BLOCK_BYTES]
    fetched = list(far.reads)
    again = make()
    assert again.read("packs/a", 10, 2 * BLOCK_BYTES) == numbered(3)[10 : 10 + 2 * BLOCK_BYTES]
    assert far.reads == fetched == [("packs/a", 0, 3 * BLOCK_BYTES)]


def test_only_the_named_folders_are_kept(far, make, tmp_path):
    store = make(folders=("packs/",))
    far.create("lake.json", b"{}")
    for _ in range(2):
        assert store.read("lake.json", 0, 10) == b"{}"
    assert far.reads == [("lake.json", 0, 10)] * 2
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:],
        lambda raw: raw[:-1],
        lambda raw: raw[:5],
        lambda raw: b"",
        lambda raw: raw + b"x",
    ],
)
def test_a_damaged_block_is_dropped_and_read_anew(far, make, tmp_path, damage):
    far.create("packs/a", numbered(1)[:1000])
    make().read("packs/a", 0, 1000)
    (block,) = files(tmp_path)
    whole = block.read_bytes()
    block.write_bytes(damage(whole))
    assert make().read("packs/a", 0, 1000) == numbered(1)[:1000]
    assert len(far.reads) == 2
    assert block.read_bytes() == whole


@pytest.mark.parametrize("place", [0, 15, 4096, 4096 + BLOCK_BYTES - 1, -1])
def test_a_damaged_full_block_is_dropped_and_read_anew(far, make, tmp_path, place):
    far.create("packs/a", numbered(1))
    make().read("packs/a", 0, 1000)
    (block,) = files(tmp_path)
    whole = block.read_bytes()
    assert whole[4096:] == numbered(1)
    damaged = bytearray(whole)
    damaged[place] ^= 1
    block.write_bytes(damaged if place >= 0 else whole[:-1])
    assert make().read("packs/a", 0, 1000) == numbered(1)[:1000]
    assert len(far.reads) == 2
    assert block.read_bytes() == whole


@pytest.mark.parametrize("refused", ["open", "write"])
def test_a_file_system_without_direct_writes_keeps_the_same_copies(
    far, make, tmp_path, monkeypatch, refused
):
    far.create("packs/a", numbered(3))
    make().read("packs/a", 0, 3 * BLOCK_BYTES)
    wanted = {path.name: path.read_bytes() for path in files(tmp_path)}
    assert len(wanted) == 3
    for path in files(tmp_path):
        path.unlink()
    really = {"open": os.open, "write": os.write}
    direct = []

    def opened(path, flags, *arguments, **options):
        if flags & os.O_DIRECT:
            direct.append(path)
            if refused == "open":
                raise OSError(errno.EINVAL, "Invalid argument")
        return really["open"](path, flags, *arguments, **options)

    def written(descriptor, data):
        if refused == "write" and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return really["write"](descriptor, data)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "write", written)
    store = make()
    assert store.read("packs/a", 0, 3 * BLOCK_BYTES) == numbered(3)
    assert len(direct) == 1
    assert {path.name: path.read_bytes() for path in files(tmp_path)} == wanted
    assert list((tmp_path / "cache").rglob("*.*-*")) == []


def test_a_block_under_the_name_of_another_is_not_believed(far, make, tmp_path):
    far.create("packs/a", b"a" * 100)
    far.create("packs/b", b"b" * 100)
    store = make()
    store.read("packs/a", 0, 100)
    (first,) = files(tmp_path)
    raw = first.read_bytes()
    store.read("packs/b", 0, 100)
    (second,) = set(files(tmp_path)) - {first}
    second.write_bytes(raw)
    assert make().read("packs/b", 0, 100) == b"b" * 100


def test_what_is_forgotten_comes_from_the_store(far, make, tmp_path):
    far.create("packs/a", b"old")
    store = make()
    assert store.read("packs/a", 0, 3) == b"old"
    far.delete("packs/a")
    far.create("packs/a", b"new")
    assert store.read("packs/a", 0, 3) == b"old"
    store.forget("packs/a")
    assert files(tmp_path) == []
    assert store.read("packs/a", 0, 3) == b"new"


def test_the_disk_it_takes_stays_below_the_limit_and_what_was_used_last_stays(
    far, make, tmp_path, monkeypatch
):
    monkeypatch.setattr(cache, "_TOUCH_S", -1.0)  # every use is noted
    store = make(10 * BLOCK_BYTES)
    for number in range(40):
        far.create(f"packs/{number}", numbered(1))
        store.read(f"packs/{number}", 0, 10)
        for path in files(tmp_path):  # as if time had passed
            status = path.stat()
            os.utime(path, ns=(status.st_atime_ns - 10**9, status.st_mtime_ns - 10**9))
        store._memory.clear()
        store.read("packs/0", 0, 10)
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 11 * (BLOCK_BYTES + 4096)
    before = len(far.reads)
    store._memory.clear()
    store.read("packs/0", 0, 10)
    store.read("packs/39", 0, 10)
    assert len(far.reads) == before
    store.read("packs/1", 0, 10)
    assert len(far.reads) == before + 1


def test_what_others_write_counts_too(far, make, tmp_path):
    stores = [make(10 * BLOCK_BYTES) for _ in range(3)]
    for number in range(60):
        far.create(f"packs/{number}", numbered(1))
        stores[number % 3].read(f"packs/{number}", 0, 10)
    held = sum(path.stat().st_size for path in files(tmp_path))
    assert held <= 14 * BLOCK_BYTES


def test_many_readers_of_one_folder_get_what_is_stored(far, make):
    for number in range(8):
        far.create(f"packs/{number}", numbered(2)[number:])
    stores = [make(4 * BLOCK_BYTES) for _ in range(4)]

    def read(turn):
        number = turn % 8
        return stores[turn % 4].read(f"packs/{number}", 100, BLOCK_BYTES)

    with ThreadPoolExecutor(8) as pool:
        for turn, found in enumerate(pool.map(read, range(80))):
            assert found == numbered(2)[turn % 8 :][100 : 100 + BLOCK_BYTES]


def test_reading_on_is_fetched_ahead_in_few_requests(far, make):
    data = numbered(40)
    far.create("packs/a", data)
    store = make()
    for position in range(0, len(data), 100_000):
        assert store.read("packs/a", position, 100_000) == data[position : position + 100_000]
    assert len(far.reads) <= 16
    assert sum(length for _, _, length in far.reads) <= len(data) + 25 * BLOCK_BYTES


def test_who_reads_on_does_not_wait_until_copies_are_on_the_disk(far, make, monkeypatch, tmp_path):
    data = numbered(16)
    far.create("packs/a", data)
    store = make()
    may_write, write = threading.Event(), cache._Disk.write

    def slow(disk, *block):
        if threading.current_thread() is not threading.main_thread():
            assert may_write.wait(20)
        write(disk, *block)

    monkeypatch.setattr(cache._Disk, "write", slow)
    for index in range(16):
        place = index * BLOCK_BYTES
        assert store.read("packs/a", place, BLOCK_BYTES) == data[place : place + BLOCK_BYTES]
    assert not may_write.is_set()
    before = len(files(tmp_path / "cache"))
    may_write.set()
    store._pool.shutdown()
    assert before < len(files(tmp_path / "cache")) == 16


@pytest.mark.parametrize("piece", [BLOCK_BYTES, BLOCK_BYTES // 2, 700_001, 3 * BLOCK_BYTES])
def test_pieces_of_any_size_become_blocks(far, make, piece):
    data = numbered(20) + b"the end"
    far.create("packs/a", data)
    asked = []

    def read_pieces(name, start, length):
        asked.append(length)
        part = MemoryObjectStore.read(far, name, start, length)
        return [part[at : at + piece] for at in range(0, len(part), piece)]

    far.read_pieces = read_pieces
    assert isinstance(far, ReadsPieces)
    store = make()
    for _ in range(2):
        got = [store.read("packs/a", at, 123_457) for at in range(0, len(data), 123_457)]
        assert b"".join(got) == data
    assert asked
    assert far.reads == []
    assert store.read("packs/a", len(data), 10) == b""


def test_a_block_that_is_on_its_way_is_waited_for_and_not_fetched_twice(far, make):
    data = numbered(30)
    far.create("packs/a", data)
    store = make()
    may_go = threading.Event()
    real = far.read

    def slow(name, start, length):
        if start >= 6 * BLOCK_BYTES:
            assert may_go.wait(20)
        return real(name, start, length)

    far.read = slow
    for index in range(6):
        store.read("packs/a", index * BLOCK_BYTES, 10)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.read, "packs/a", 7 * BLOCK_BYTES, 10)
        may_go.set()
        assert waiting.result(20) == data[7 * BLOCK_BYTES :][:10]
    starts = [start for _, start, _ in far.reads]
    assert len(starts) == len(set(starts))


def test_a_failed_read_ahead_fails_nobody_who_can_read_it_himself(far, make):
    data = numbered(12)
    far.create("packs/a", data)
    store = make()
    real, failed = far.read, threading.Event()

    def fails_once(name, start, length):
        if start >= 6 * BLOCK_BYTES and not failed.is_set():
            failed.set()
            raise StorageError("no answer", retryable=True)
        return real(name, start, length)

    far.read = fails_once
    for index in range(12):
        place = index * BLOCK_BYTES
        assert store.read("packs/a", place, BLOCK_BYTES) == data[place : place + BLOCK_BYTES]
    assert failed.is_set()


def test_errors_of_the_store_are_not_kept(far, make):
    store = make()
    far.fails = True
    with pytest.raises(StorageError):
        store.read("packs/a", 0, 10)
    far.fails = False
    with pytest.raises(NotFoundError):
        store.read("packs/a", 0, 10)
    far.create("packs/a", b"there")
    assert store.read("packs/a", 0, 10) == b"there"


@pytest.mark.logs("No copies are kept in")
def test_a_folder_that_cannot_be_written_costs_the_copies_and_nothing_else(far, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    far.create("packs/a", b"abc")
    store = CachedObjectStore(far, tmp_path / "cache", limit_bytes=LIMIT)
    assert store.read("packs/a", 0, 3) == b"abc"
    assert store.read("packs/a", 1, 1) == b"b"
    assert (tmp_path / "cache").read_text() == "a file where the folder should be"


@pytest.mark.logs("No copies are kept in")
def test_a_full_disk_costs_the_copies_and_nothing_else(far, make, monkeypatch, tmp_path):
    far.create("packs/a", numbered(2))
    store = make()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    assert store.read("packs/a", 5, 2000) == numbered(2)[5:2005]
    assert list((tmp_path / "cache").rglob("*.*")) == []


def test_a_folder_that_was_deleted_is_made_again(far, make, tmp_path):
    far.create("packs/a", b"abc")
    far.create("packs/b", b"def")
    store = make()
    store.read("packs/a", 0, 3)
    for path in [*files(tmp_path), tmp_path / "cache/.lock"]:
        path.unlink()
    for folder in (tmp_path / "cache").iterdir():
        folder.rmdir()
    (tmp_path / "cache").rmdir()
    assert store.read("packs/b", 0, 3) == b"def"
    assert len(files(tmp_path)) == 1


def test_what_a_process_that_died_was_writing_is_removed(far, make, tmp_path):
    far.create("packs/a", b"abc")
    make().read("packs/a", 0, 3)
    (block,) = files(tmp_path)
    left = block.with_name(f"{block.name}.123-abc")
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    far.create("packs/b", b"def")
    make().read("packs/b", 0, 3)
    assert not left.exists()
    assert len(files(tmp_path)) == 2


def test_it_is_a_remote_store_whose_origin_is_the_store_behind(far, make):
    store = make()
    assert isinstance(store, RemoteObjectStore)
    assert origin_of(store) is far
    assert origin_of(MemoryObjectStore()) is not far
    assert store.sweep_uploads(older_than_s=1) == 7
