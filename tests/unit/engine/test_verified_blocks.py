"""Small reads of large chunks: only the blocks that are asked for, and each of them verified."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_datalake.engine.blobs import BlobReader, BlobWriter, pack_object, register_packs
from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.engine.sources import store_source
from jupyter_datalake.engine.verified_blocks import (
    BLOCK_BYTES,
    BlobBlocks,
    VerifiedBlocks,
    hashes_of,
)
from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.metadata.locations import open_memory
from jupyter_datalake.model.chunking import ChunkingParameters
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.storage.memory import MemoryObjectStore

LARGE = ChunkingParameters(average_bytes=65_536, min_bytes=40_000, max_bytes=262_144)
NOISE = random.Random(5).randbytes(400_000)


class CountingStore(MemoryObjectStore):
    """Has everything at hand, and says how much was read of it."""

    def __init__(self):
        super().__init__()
        self.lengths = []

    def read(self, name, start, length):
        self.lengths.append(length)
        return super().read(name, start, length)

    def read_now(self, name, start, length):
        return self.read(name, start, length)


class Shown:
    """The content of one file, and what it is read from; no chunk stays in memory."""

    def __init__(self, data):
        self.objects, self.metadata = CountingStore(), open_memory()
        with BlobWriter(self.objects, self.metadata) as writer:
            entry = store_source(writer, data, LARGE, now_ns=7)
            packs = writer.seal()
            with self.metadata.write() as tx:
                register_packs(tx, packs)
        self.blobs = BlobReader(self.objects, self.metadata, cache_bytes=1)
        self.content = FileContent(self.blobs, entry)

    def read_everywhere(self):
        for span in self.content.iter_spans():
            assert self.content.read(span.offset, 1) == NOISE[span.offset : span.offset + 1]
        self.forget_last()
        self.objects.lengths.clear()

    def forget_last(self):
        """Take the one chunk from the cache that it keeps however small it is."""
        self.blobs._blobs.clear()


@pytest.fixture
def shown():
    made = Shown(NOISE)
    made.read_everywhere()
    yield made
    made.metadata.close()


def test_a_small_read_of_a_chunk_that_was_read_before_reads_a_block(shown):
    assert shown.content.read(200_000, 4_096) == NOISE[200_000:204_096]
    assert 0 < max(shown.objects.lengths) <= 2 * BLOCK_BYTES
    assert shown.content.peek(100_000, 4_096) == NOISE[100_000:104_096]


def test_what_was_never_read_is_not_at_hand_and_read_whole_once():
    shown = Shown(NOISE)
    assert shown.content.peek(200_000, 4_096) is None
    assert shown.content.read(200_000, 4_096) == NOISE[200_000:204_096]
    assert max(shown.objects.lengths) >= LARGE.min_bytes
    shown.metadata.close()


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 410_000), st.integers(0, 64 * 1024)), max_size=8))
def test_parts_are_what_slicing_gives(ranges):
    shown = Shown(NOISE)
    shown.read_everywhere()
    for start, length in ranges:
        expected = NOISE[start : start + length]
        assert shown.content.peek(start, length) in {None, expected}
        assert shown.content.read(start, length) == expected
    shown.metadata.close()


def test_a_block_that_was_damaged_since_is_not_at_hand_and_an_error_to_read(shown):
    span = next(iter(shown.content.iter_spans()))
    place = shown.blobs.place(span.digest)
    name = pack_object(place.pack)
    whole = bytearray(shown.objects.read(name, 0, 1 << 30))
    whole[place.record.offset + 20_000] ^= 1
    shown.objects.delete(name)
    shown.objects.create(name, bytes(whole))
    assert shown.content.peek(18_000, 4_096) is None
    with pytest.raises(CorruptDataError):
        shown.content.read(18_000, 4_096)
    assert shown.content.peek(34_000, 4_096) == NOISE[34_000:38_096]  # another block


def test_compressed_chunks_are_read_whole():
    text = b"all of this is the same, line by line\n" * 20_000
    shown = Shown(text)
    shown.content.read(0, 1)
    shown.forget_last()
    assert shown.content.peek(0, 100) is None
    assert shown.content.read(50_000, 100) == text[50_000:50_100]
    shown.metadata.close()


def test_a_chunk_of_another_size_than_its_file_says_is_no_part_of_it(shown):
    span = next(iter(shown.content.iter_spans()))
    assert shown.blobs.part(span.digest, span.size_bytes, 0, 10) == NOISE[:10]
    assert shown.blobs.part(span.digest, span.size_bytes + 1, 0, 10) is None
    assert shown.blobs.part_at_hand(span.digest, span.size_bytes + 1, 0, 10) is None


def test_blocks_are_found_around_any_bytes():
    blocks = BlobBlocks(40_000, hashes_of(NOISE[:40_000]))
    assert blocks.around(0, 1) == (0, 16_384)
    assert blocks.around(16_383, 16_385) == (0, 32_768)
    assert blocks.around(39_999, 40_000) == (32_768, 40_000)
    assert blocks.are_in(NOISE[32_768:40_000], 32_768, 40_000)
    assert not blocks.are_in(NOISE[32_768:39_999], 32_768, 40_000)
    assert not blocks.are_in(NOISE[:7_232], 32_768, 40_000)


def test_only_the_last_used_are_remembered():
    known = VerifiedBlocks(2)
    first, second, third = (digest_of(bytes([number])) for number in range(3))
    known.learn(first, NOISE[:100])
    known.learn(second, NOISE[:200])
    assert known.find(first) is not None
    known.learn(third, NOISE[:300])
    assert known.find(second) is None
    assert known.find(first) == BlobBlocks(100, hashes_of(NOISE[:100]))
