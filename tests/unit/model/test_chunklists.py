"""Chunk lists: which chunks cover which bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.model import chunklists
from jupyter_datalake.model.chunklists import (
    ChunkList,
    ChunkListBuilder,
    ChunkSpan,
    decode_chunk_list,
    iter_spans,
)
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import digest_of


class Lists:
    def __init__(self):
        self.stored = {}
        self.loads = 0

    def save(self, data):
        self.stored[digest_of(data)] = data
        return digest_of(data)

    def load(self, digest):
        self.loads += 1
        return decode_chunk_list(self.stored[digest])


@pytest.fixture(params=["as released", "small lists", "max cut only"], autouse=True)
def bounds(request, monkeypatch):
    target, largest = {
        "as released": (chunklists.LIST_TARGET, chunklists.LIST_MAX),
        "small lists": (3, 6),
        "max cut only": (1 << 40, 2),
    }[request.param]
    monkeypatch.setattr(chunklists, "LIST_TARGET", target)
    monkeypatch.setattr(chunklists, "LIST_MAX", largest)


def build(lists, chunks):
    builder = ChunkListBuilder(lists.save)
    for digest, size in chunks:
        builder.add(digest, size)
    return builder.finish()


def chunks_of(numbers):
    """Chunks by number; equal numbers are equal chunks, as in a file of one repeated block."""
    return [(digest_of(b"%d" % number), 1 + number % 7) for number in numbers]


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=100), st.integers(0, 400), st.integers(0, 400)
)
def test_spans_are_the_chunks_that_cover_the_range(numbers, start, end):
    lists, chunks = Lists(), chunks_of(numbers)
    root = build(lists, chunks)
    spans, offset = [], 0
    for digest, size in chunks:
        spans.append(ChunkSpan(digest, offset, size))
        offset += size
    expected = [one for one in spans if one.offset < end and one.offset + one.size_bytes > start]
    if start < end:
        assert list(iter_spans(root, lists.load, start, end)) == expected
    assert lists.load(root).size_bytes == offset


@pytest.mark.parametrize("count", [1, 2, 3, 500, 5000])
def test_one_block_repeated_makes_a_tree_that_ends(count):
    lists = Lists()
    chunks = [(digest_of(b"same"), 10)] * count
    root = build(lists, chunks)
    assert (
        sum(span.size_bytes for span in iter_spans(root, lists.load, 0, 10 * count)) == 10 * count
    )


def test_chunks_whose_digests_all_end_a_list_make_a_tree_that_ends():
    lists = Lists()
    chunks = [(bytes(4) + bytes([number]) * 28, 1) for number in range(200)]
    root = build(lists, chunks)
    assert [span.digest for span in iter_spans(root, lists.load, 0, 200)] == [
        one for one, _ in chunks
    ]


def test_a_range_in_a_large_file_reads_one_list_per_level():
    lists = Lists()
    root = build(lists, chunks_of(range(5000)))
    levels = lists.load(root).level + 1
    lists.loads = 0
    first = next(iter_spans(root, lists.load, 7000, 7001))
    assert first.offset <= 7000 < first.offset + first.size_bytes
    assert lists.loads == levels


def test_one_changed_chunk_rewrites_few_lists(bounds):
    lists = Lists()
    chunks = chunks_of(range(3000))
    build(lists, chunks)
    before = set(lists.stored)
    chunks[1500] = (digest_of(b"changed"), chunks[1500][1])
    root = build(lists, chunks)
    assert len(set(lists.stored) - before) <= 3 * (lists.load(root).level + 1)


def test_bytes_of_a_list_are_fixed_for_ever():
    assert ChunkList(0, (1, 300), (b"a" * 32, b"b" * 32)).encode().hex() == (
        "9300" + "9201cd012c" + "c440" + "61" * 32 + "62" * 32
    )


@pytest.mark.parametrize(
    "parts",
    [
        3,
        [],
        [0, [], b""],
        [0, [1], b"x" * 31],
        [0, [1], b"x" * 64],
        [0, [0], b"x" * 32],
        [0, [-1], b"x" * 32],
        [0, [1.5], b"x" * 32],
        [0, ["1"], b"x" * 32],
        [0, [1], "x" * 32],
        [-1, [1], b"x" * 32],
        [99, [1], b"x" * 32],
        ["0", [1], b"x" * 32],
        [0, 5, b"x" * 32],
    ],
)
def test_lists_of_another_shape_are_damage(parts):
    with pytest.raises(CorruptDataError):
        decode_chunk_list(pack_canonical(parts))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_damage(data):
    try:
        found = decode_chunk_list(data)
    except CorruptDataError:
        return
    assert found.size_bytes > 0


@pytest.mark.parametrize("level", [0, 2])
def test_list_that_does_not_fit_the_one_above_is_damage(level):
    lists = Lists()
    piece = lists.save(ChunkList(0, (5,), (digest_of(b"a"),)).encode())
    size = 5 if level else 6
    root = lists.save(ChunkList(level or 1, (size,), (piece,)).encode())
    with pytest.raises(CorruptDataError):
        list(iter_spans(root, lists.load, 0, size))
