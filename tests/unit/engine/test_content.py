"""Contents: cut into chunks and read back by any range."""

import io
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.engine import content as content_module
from jupyter_datalake.engine.blobs import BlobReader, BlobWriter, pack_object, register_packs
from jupyter_datalake.engine.content import FileContent, open_content, store_stream
from jupyter_datalake.engine.sources import store_source
from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.metadata.locations import open_memory
from jupyter_datalake.model.chunking import ChunkingParameters
from jupyter_datalake.model.entries import INLINE_LIMIT_BYTES, EntryKind, FileEntry, Layout
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.testing.strategies import content_of, contents

SMALL = ChunkingParameters(average_bytes=1024, min_bytes=512, max_bytes=4096)


class Stores:
    def __init__(self):
        self.objects, self.metadata = MemoryObjectStore(), open_memory()

    def put(self, source, parameters=SMALL):
        with BlobWriter(self.objects, self.metadata) as writer:
            entry = store_source(writer, source, parameters, now_ns=7)
            packs = writer.seal()
            with self.metadata.write() as tx:
                register_packs(tx, packs)
        return entry

    def content(self, entry):
        return FileContent(BlobReader(self.objects, self.metadata, cache_bytes=1 << 20), entry)


class Dripping(io.RawIOBase):
    """A stream that returns fewer bytes than asked for, as pipes and some file systems do."""

    def __init__(self, data, step):
        super().__init__()
        self._inner = io.BytesIO(data)
        self._step = step

    def readable(self):
        return True

    def read(self, size=-1):
        return self._inner.read(min(size, self._step) if size >= 0 else self._step)

    def readinto(self, buffer):
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


@given(
    contents(SMALL), st.lists(st.tuples(st.integers(0, 15_000), st.integers(0, 15_000)), max_size=5)
)
def test_every_range_is_what_slicing_gives(data, ranges):
    stores = Stores()
    entry = stores.put(data)
    content = stores.content(entry)
    assert entry.size_bytes == content.size_bytes == len(data)
    assert b"".join(content.iter_chunks()) == data
    for start, length in ranges:
        assert content.read(start, length) == data[start : start + length]
    stores.metadata.close()


def test_reading_ahead_tells_of_damage_only_where_it_is(monkeypatch):
    monkeypatch.setattr(content_module, "WINDOW_BYTES", 8 * SMALL.max_bytes)
    stores = Stores()
    data = content_of(40 * SMALL.max_bytes, 5, "noise")
    content = stores.content(stores.put(data))
    spans = list(content.iter_spans())
    bad = spans[len(spans) // 2]
    place = BlobReader(stores.objects, stores.metadata, cache_bytes=1).place(bad.digest)
    name = pack_object(place.pack)
    pack = bytearray(stores.objects.read(name, 0, 1 << 30))
    pack[place.record.offset] ^= 1
    stores.objects.delete(name)
    stores.objects.create(name, bytes(pack))
    chunks = []
    with pytest.raises(CorruptDataError):
        chunks.extend(content.iter_chunks())
    read = b"".join(chunks)
    assert data.startswith(read)
    assert bad.offset - 9 * SMALL.max_bytes <= len(read) <= bad.offset
    left = content.iter_chunks()
    assert next(left) == data[: spans[0].size_bytes]
    left.close()
    assert content.read(0, bad.offset) == data[: bad.offset]
    stores.metadata.close()


@given(contents(SMALL), st.integers(1, 700))
def test_short_reads_of_a_source_lose_nothing(data, step):
    stores = Stores()
    with BlobWriter(stores.objects, stores.metadata) as writer:
        short = store_stream(writer, Dripping(data, step), SMALL, mode=0o644, mtime_ns=7)
        packs = writer.seal()
        with stores.metadata.write() as tx:
            register_packs(tx, packs)
    assert stores.content(short).read(0, len(data)) == data
    assert short == stores.put(data)
    assert short == stores.put(Dripping(data, step))
    stores.metadata.close()


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        (0, Layout.INLINE),
        (1, Layout.INLINE),
        (INLINE_LIMIT_BYTES, Layout.INLINE),
        (INLINE_LIMIT_BYTES + 1, Layout.CHUNK),
        (SMALL.min_bytes, Layout.CHUNK),
        (SMALL.max_bytes * 3, Layout.CHUNK_LIST),
    ],
)
def test_the_layout_follows_from_the_size(size, layout):
    stores = Stores()
    entry = stores.put(content_of(size, 1, "noise"))
    assert entry.layout is layout
    assert entry.kind is EntryKind.FILE


def test_equal_bytes_are_one_content_however_they_come(tmp_path):
    data = content_of(20_000, 3, "noise")
    path = tmp_path / "file"
    path.write_bytes(data)
    stores = Stores()
    entries = [stores.put(data), stores.put(path), stores.put(io.BytesIO(data))]
    assert len({entry.content for entry in entries}) == 1


def test_memory_stays_bounded_while_a_large_file_is_stored():
    import tracemalloc

    class Endless:
        """Sixty-four MiB of one byte, without holding them."""

        def __init__(self):
            self.left = 64 << 20

        def read(self, size):
            count = min(size, self.left)
            self.left -= count
            return bytes(count)

    stores = Stores()
    tracemalloc.start()
    entry = stores.put(Endless(), ChunkingParameters())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert entry.size_bytes == 64 << 20
    assert peak < 24 << 20


def test_the_file_object_behaves_as_python_files_do():
    data = content_of(20_000, 4, "noise")
    stores = Stores()
    with open_content(stores.content(stores.put(data)), "raw@main/x") as file:
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        assert file.read(5) == data[:5]
        assert file.seek(-5, os.SEEK_END) == len(data) - 5
        assert file.read() == data[-5:]
        assert file.read() == b""
        assert file.seek(30_000) == 30_000
        assert file.read(1) == b""
        file.seek(100)
        assert file.seek(50, os.SEEK_CUR) == 150
        assert file.tell() == 150
        buffer = bytearray(10)
        assert file.readinto(buffer) == 10
        assert bytes(buffer) == data[150:160]
        assert file.name == "raw@main/x"
        with pytest.raises(ValueError, match="negative"):
            file.raw.seek(-1)
        with pytest.raises(ValueError, match="whence"):
            file.raw.seek(0, 9)
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_a_missing_chunk_spoils_only_its_own_range():
    data = content_of(40_000, 5, "noise")
    stores = Stores()
    content = stores.content(stores.put(data))
    spans = list(content._covering(0, len(data)))
    assert len(spans) > 5
    victim = spans[2]
    with stores.metadata.write() as tx:
        tx._connection.exec_driver_sql("DELETE FROM blobs WHERE digest = ?", (victim.digest,))
    fresh = stores.content(
        FileEntry(EntryKind.FILE, len(data), 0o644, 0, Layout.CHUNK_LIST, content._entry.content)
    )
    assert fresh.read(0, victim.offset) == data[: victim.offset]
    with pytest.raises(CorruptDataError):
        fresh.read(victim.offset, 1)
    behind = victim.offset + victim.size_bytes
    assert fresh.read(behind, 40_000) == data[behind:]


def test_an_entry_that_claims_more_than_its_content_has_is_damage():
    data = content_of(10_000, 6, "noise")
    stores = Stores()
    entry = stores.put(data)
    longer = FileEntry(EntryKind.FILE, 99_999, 0o644, 0, entry.layout, entry.content)
    assert stores.content(longer).read(0, 10_000) == data
    with pytest.raises(CorruptDataError):
        stores.content(longer).read(0, 99_999)
    chunk = stores.put(data[:400])
    longer = FileEntry(EntryKind.FILE, 401, 0o644, 0, chunk.layout, chunk.content)
    with pytest.raises(CorruptDataError):
        stores.content(longer).read(0, 401)
    wrong = FileEntry(EntryKind.FILE, 400, 0o644, 0, Layout.CHUNK_LIST, digest_of(data[:400]))
    with pytest.raises(CorruptDataError):
        stores.content(wrong).read(0, 400)


def test_what_was_warmed_can_be_looked_at_without_waiting():
    data = random.Random(7).randbytes(30_000)
    stores = Stores()
    content = stores.content(stores.put(data))
    assert content.peek(5000, 1000) is None
    content.warm(5000, 1000)
    assert content.peek(5000, 1000) == data[5000:6000]
    assert content.peek(29_000, 5000) is None
    assert content.peek(40_000, 5) == b""


def test_neighbouring_stretches_that_are_warmed_share_no_chunk():
    data = random.Random(8).randbytes(30_000)
    stores = Stores()
    content = stores.content(stores.put(data))
    borders = [span.offset for span in content.iter_spans()]
    middle = borders[2] + 10  # inside of a chunk
    content.warm(middle, 30_000 - middle, is_next=True)
    assert content.peek(middle, 10) is None
    assert content.peek(borders[3], 30_000) == data[borders[3] :]
    content.warm(0, middle)
    assert content.peek(0, 30_000) == data
