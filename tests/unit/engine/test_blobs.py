"""Blobs: what was given to a writer comes back from a reader, or not at all."""

import os
import random
import threading

import pytest
import zstandard

from jupyter_datalake.engine import blobs
from jupyter_datalake.engine.blobs import BlobReader, BlobWriter, decode_blob, register_packs
from jupyter_datalake.errors import CorruptDataError, ErrorKind, InternalError, StorageError
from jupyter_datalake.metadata.locations import open_memory
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.packs import BlobKind, BlobRecord, Codec
from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.testing.faults import FaultyObjectStore


@pytest.fixture
def stores():
    objects, metadata = MemoryObjectStore(), open_memory()
    yield objects, metadata
    metadata.close()


def store_all(stores, items):
    with BlobWriter(*stores) as writer:
        digests = [writer.add(BlobKind.CHUNK, item) for item in items]
        packs = writer.seal()
        with stores[1].write() as tx:
            register_packs(tx, packs)
    return digests


def reader(stores, cache_bytes=1 << 20):
    return BlobReader(*stores, cache_bytes=cache_bytes)


def test_blobs_of_every_kind_of_content_come_back(stores):
    noise = random.Random(1)
    items = [
        b"",
        b"x",
        bytes(200_000),
        noise.randbytes(200_000),
        b"text " * 5000,
        noise.randbytes(8192) + bytes(100_000),  # a probe at the front would be misled
        bytes(100_000) + noise.randbytes(100_000),
    ]
    digests = store_all(stores, items)
    assert [reader(stores).get(digest) for digest in digests] == items


def test_incompressible_content_is_stored_as_it_is_and_other_content_smaller(stores):
    store_all(stores, [random.Random(1).randbytes(100_000), bytes(100_000)])
    with stores[1].read() as tx:
        found = tx.blobs.locate(
            [digest_of(random.Random(1).randbytes(100_000)), digest_of(bytes(100_000))]
        )
    codecs = sorted((one.record.codec, one.record.stored_size) for one in found.values())
    assert codecs[0] == (Codec.RAW, 100_000)
    assert codecs[1][0] is Codec.ZSTD
    assert codecs[1][1] < 1000


def test_what_the_lake_has_is_not_stored_again(stores):
    store_all(stores, [b"a" * 1000, b"b" * 1000])
    with BlobWriter(*stores) as writer:
        writer.add(BlobKind.CHUNK, b"a" * 1000)
        writer.add(BlobKind.CHUNK, b"a" * 1000)
        assert writer.seal() == []
        assert (writer.added_bytes, writer.stored_bytes) == (2000, 0)


def test_commits_are_stored_again_for_a_rebuild_to_find(stores):
    with BlobWriter(*stores) as writer:
        writer.add(BlobKind.CHUNK, b"c" * 100)
        packs = writer.seal()
        with stores[1].write() as tx:
            register_packs(tx, packs)
    with BlobWriter(*stores) as writer:
        writer.add(BlobKind.COMMIT, b"c" * 100)
        assert [record.kind for pack in writer.seal() for record in pack.records] == [
            BlobKind.COMMIT
        ]


def test_packs_of_a_transaction_that_was_rolled_back_are_handed_out_again(stores):
    with BlobWriter(*stores) as writer:
        first = writer.add(BlobKind.CHUNK, b"first " * 50)
        writer.seal()  # … and the transaction that would have registered it was rolled back
        second = writer.add(BlobKind.CHUNK, b"second " * 50)
        packs = writer.seal()
    with stores[1].write() as tx:
        register_packs(tx, packs)
    assert reader(stores).get(first) == b"first " * 50
    assert reader(stores).get(second) == b"second " * 50


def test_full_packs_are_registered_on_the_way(stores, monkeypatch):
    monkeypatch.setattr(blobs, "PACK_TARGET_BYTES", 50_000)
    monkeypatch.setattr(blobs, "BATCH_BYTES", 20_000)
    noise = random.Random(2)
    items = [noise.randbytes(9_000) for _ in range(40)]
    digests = store_all(stores, items)
    with stores[1].read() as tx:
        packs, count, _ = tx.blobs.totals()
    assert count == 40
    assert packs > 5
    assert [reader(stores).get(digest) for digest in digests] == items
    assert len(list(stores[0].list("packs/"))) == packs


def test_a_writer_left_before_it_sealed_leaves_nothing(stores):
    with BlobWriter(*stores) as writer:
        writer.add(BlobKind.CHUNK, b"x" * 1000)
        writer._flush()
    assert list(stores[0].list("")) == []
    with stores[1].read() as tx:
        assert tx.blobs.totals() == (0, 0, 0)


def test_views_may_be_reused_at_once(stores):
    buffer = bytearray(b"first" * 100)
    with BlobWriter(*stores) as writer:
        digest = writer.add(BlobKind.CHUNK, memoryview(buffer))
        buffer[:5] = b"XXXXX"
        packs = writer.seal()
        with stores[1].write() as tx:
            register_packs(tx, packs)
    assert reader(stores).get(digest) == b"first" * 100


def test_blobs_too_large_to_be_read_back_are_not_taken(stores):
    with BlobWriter(*stores) as writer, pytest.raises(InternalError):
        writer.add(BlobKind.CHUNK, bytes(blobs.MAX_BLOB_BYTES + 1))


def test_unknown_blobs_are_damage_that_names_them(stores):
    with pytest.raises(CorruptDataError) as caught:
        reader(stores).get(digest_of(b"never stored"))
    assert caught.value.kind is ErrorKind.BLOB_NOT_FOUND
    assert caught.value.context["blob"] == digest_of(b"never stored").hex()


def test_a_missing_pack_is_damage_that_names_it(stores):
    (digest,) = store_all(stores, [b"x" * 1000])
    (info,) = stores[0].list("packs/")
    stores[0].delete(info.name)
    with pytest.raises(CorruptDataError) as caught:
        reader(stores).get(digest)
    assert caught.value.kind is ErrorKind.OBJECT_NOT_FOUND
    assert caught.value.context["pack"] in info.name


def test_the_cache_is_bounded_and_hides_nothing(stores):
    items = [bytes([number]) * 10_000 for number in range(20)]
    digests = store_all(stores, items)
    small = reader(stores, cache_bytes=25_000)
    for _ in range(2):
        assert [small.get(digest) for digest in digests] == items
    assert small._cached_bytes <= 25_000
    assert sum(map(len, small._blobs.values())) == small._cached_bytes
    assert small.cached(digests[-1]) == items[-1]
    assert small.cached(digests[0]) is None


def stored(data, codec=Codec.ZSTD, **changes):
    payload = zstandard.ZstdCompressor(write_content_size=True).compress(data)
    payload = payload if codec is Codec.ZSTD else data
    record = BlobRecord(digest_of(data), BlobKind.CHUNK, codec, 60, len(payload), len(data))
    return record._replace(**changes), payload


@pytest.mark.parametrize("codec", Codec)
def test_every_bit_of_stored_bytes_is_guarded(codec):
    data = b"some content, and some more content" * 3
    record, payload = stored(data, codec)
    assert decode_blob(record, payload, "pack") == data
    for position in range(len(payload)):
        for bit in range(8):
            damaged = bytearray(payload)
            damaged[position] ^= 1 << bit
            try:
                assert decode_blob(record, bytes(damaged), "pack") == data
            except CorruptDataError as error:
                assert error.context["blob"] == record.digest.hex()  # noqa: PT017


@pytest.mark.parametrize("codec", Codec)
def test_cut_and_extended_bytes_are_damage(codec):
    record, payload = stored(b"content " * 100, codec)
    for changed in (b"", payload[:-1], payload + b"x"):
        with pytest.raises(CorruptDataError):
            decode_blob(record, changed, "pack")


def test_a_few_bytes_that_claim_gigabytes_cost_nothing():
    bomb = zstandard.ZstdCompressor(write_content_size=True).compress(bytes(1 << 30))
    record = BlobRecord(digest_of(b""), BlobKind.CHUNK, Codec.ZSTD, 60, len(bomb), 1000)
    with pytest.raises(CorruptDataError):
        decode_blob(record, bomb, "pack")
    with pytest.raises(CorruptDataError):
        decode_blob(record._replace(raw_size=1 << 30), bomb, "pack")


@pytest.mark.parametrize(
    "change", [{"stored_size": 1 << 40}, {"stored_size": -1}, {"offset": -1}, {"offset": 1 << 50}]
)
def test_places_that_cannot_be_are_damage(stores, change):
    record = BlobRecord(digest_of(b"x"), BlobKind.CHUNK, Codec.RAW, 60, 1, 1)
    with stores[1].write() as tx:
        tx.blobs.add_pack("0" * 64, 100, [record._replace(**change)])
    stores[0].create("packs/00/" + "0" * 64 + ".pack", bytes(200))
    with pytest.raises(CorruptDataError):
        reader(stores).get(record.digest)


def test_a_forked_child_can_compress_and_read():
    objects, metadata = MemoryObjectStore(), open_memory()
    stores = objects, metadata
    before = store_all(stores, [b"before the fork " * 1000])  # starts the threads that compress
    child = os.fork()
    if child == 0:
        code = 1
        try:
            after = store_all(stores, [b"after the fork " * 1000])
            found = reader(stores)
            is_right = found.get(before[0]) == b"before the fork " * 1000
            is_right &= found.get(after[0]) == b"after the fork " * 1000
            code = 0 if is_right else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    metadata.close()


def test_many_blobs_come_back_in_the_order_they_were_asked_for(stores):
    noise = random.Random(3)
    items = [noise.randbytes(noise.choice([0, 100, 5000, 90_000])) for _ in range(700)]
    digests = store_all(stores, items)
    order = [noise.randrange(len(items)) for _ in range(1000)]
    found = reader(stores).get_many([digests[index] for index in order])
    assert found == [items[index] for index in order]
    assert reader(stores).get_many([]) == []


def test_neighbours_are_read_together_and_what_lies_far_apart_is_not(stores):
    noise = random.Random(4)
    digests = store_all(stores, [noise.randbytes(30_000) for _ in range(100)])
    faulty = FaultyObjectStore(stores[0])
    apart = BlobReader(faulty, stores[1], cache_bytes=0)
    apart.get_many(digests[:20] + digests[60:])
    assert faulty.faults.calls == ["read", "read"]


def test_one_damaged_blob_among_many_is_named_and_the_others_can_be_had(stores):
    noise = random.Random(5)
    digests = store_all(stores, [noise.randbytes(40_000) for _ in range(10)])
    with stores[1].read() as tx:
        place = tx.blobs.locate([digests[4]])[digests[4]]
    name = blobs.pack_object(place.pack)
    damaged = bytearray(stores[0].read(name, 0, 1 << 30))
    damaged[place.record.offset + 7] ^= 1
    stores[0].delete(name)
    stores[0].create(name, bytes(damaged))
    with pytest.raises(CorruptDataError, match=digests[4].hex()):
        reader(stores).get_many(digests)
    others = digests[:4] + digests[5:]
    assert [digest_of(blob) for blob in reader(stores).get_many(others)] == others


def test_many_blobs_of_a_pack_that_is_gone_are_named(stores):
    digests = store_all(stores, [b"abc" * 100, b"def" * 100])
    (pack,) = stores[0].list("packs/")
    stores[0].delete(pack.name)
    with pytest.raises(CorruptDataError) as caught:
        reader(stores).get_many(digests)
    assert caught.value.kind is ErrorKind.OBJECT_NOT_FOUND


class FarStore(MemoryObjectStore):
    """A store that takes its time to finish an upload, as far ones do."""

    def __init__(self):
        super().__init__()
        self.may_finish = threading.Event()
        self.finishing = []
        self.error = None

    def upload(self):
        store, upload = self, super().upload()
        finish = upload.finish

        def slowly(name):
            store.finishing.append(name)
            assert store.may_finish.wait(30)
            if store.error is not None:
                raise store.error
            finish(name)

        upload.finish = slowly
        return upload

    @property
    def origin(self):
        return self

    def forget(self, name):
        pass

    def sweep_uploads(self, *, older_than_s):
        return 0


def test_while_a_far_store_takes_a_pack_the_next_one_is_filled(monkeypatch):
    monkeypatch.setattr(blobs, "PACK_TARGET_BYTES", 1000)
    store, metadata = FarStore(), open_memory()
    with BlobWriter(store, metadata) as writer:
        digests = writer.add_many(BlobKind.CHUNK, [os.urandom(1500), os.urandom(300)])
        assert len(store.finishing) <= 1  # nobody waited for it
        store.may_finish.set()
        packs = writer.seal()
        with metadata.write() as tx:
            register_packs(tx, packs)
    assert len(store.finishing) == 2
    reader = BlobReader(store, metadata, cache_bytes=0)
    assert [len(reader.get(digest)) for digest in digests] == [1500, 300]


def test_a_pack_that_a_far_store_did_not_take_is_missed_when_the_writer_seals(monkeypatch):
    monkeypatch.setattr(blobs, "PACK_TARGET_BYTES", 1000)
    store, metadata = FarStore(), open_memory()
    store.error = StorageError("no answer", retryable=True)
    store.may_finish.set()
    with BlobWriter(store, metadata) as writer:
        writer.add_many(BlobKind.CHUNK, [os.urandom(1500)])
        with pytest.raises(StorageError):
            writer.seal()
        store.error = None
        with pytest.raises(InternalError):
            writer.seal()  # its blobs are nowhere, so nothing may come to rely on them
    assert list(store.list("")) == []
    with metadata.read() as tx:
        assert tx.blobs.totals() == (0, 0, 0)


def test_a_pack_of_tiny_blobs_is_closed_before_its_index_is_large(stores, monkeypatch):
    monkeypatch.setattr(blobs, "PACK_TARGET_BLOBS", 1000)
    items = [b"%d" % number for number in range(3500)]
    digests = store_all(stores, items)
    with stores[1].read() as tx:
        counts = sorted(pack.blob_count for pack in tx.blobs.packs(limit=10))
    assert counts == [500, 1000, 1000, 1000]
    assert reader(stores).get_many(digests) == items


def test_e14_what_a_writer_met_in_another_size_is_refused(stores, monkeypatch):
    monkeypatch.setattr(blobs, "digest_of", lambda data: digest_of(b"one for all"))
    with BlobWriter(*stores) as writer:
        writer.add(BlobKind.CHUNK, b"a" * 100)
        for add in (
            lambda: writer.add(BlobKind.CHUNK, b"b" * 101),
            lambda: writer.add_many(BlobKind.CHUNK, [b"c" * 102]),
        ):
            with pytest.raises(CorruptDataError) as found:
                add()
            assert found.value.kind is ErrorKind.DIGEST_COLLISION
    assert list(stores[0].list("")) == []
    with stores[1].read() as tx:
        assert tx.blobs.totals() == (0, 0, 0)
