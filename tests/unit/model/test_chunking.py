"""Chunking: the borders, and that equal bytes are cut equally however they arrive."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError, FormatError
from jupyter_datalake.model.chunking import ChunkingParameters, cut_window, parse_chunking
from jupyter_datalake.testing.strategies import content_of, contents

SMALL = ChunkingParameters(average_bytes=1024, min_bytes=512, max_bytes=4096)


RELEASED_SIZES = [
    264465, 269475, 176658, 137620, 285505, 288350,
    289407, 323042, 262381, 306980, 345500, 50617,
]  # fmt: skip


def cut(data, parameters=SMALL):
    return [bytes(chunk) for chunk in cut_window(memoryview(data), parameters, is_last=True)]


def cut_in_windows(data, size):
    """Cut data as it comes through a window of `size` bytes."""
    chunks, start = [], 0
    while start < len(data):
        window = memoryview(data)[start : start + size]
        found = cut_window(window, SMALL, is_last=start + size >= len(data))
        chunks += map(bytes, found)
        start += sum(map(len, found))
    return chunks


@given(contents(SMALL))
def test_chunks_joined_are_the_content_and_within_bounds(data):
    chunks = cut(data)
    assert b"".join(chunks) == data
    assert all(len(chunk) <= SMALL.max_bytes for chunk in chunks)
    assert all(len(chunk) >= SMALL.min_bytes for chunk in chunks[:-1])
    assert all(chunks)


@given(contents(SMALL), st.integers(SMALL.max_bytes, 5 * SMALL.max_bytes))
def test_the_window_that_a_stream_is_cut_in_does_not_move_the_cuts(data, size):
    assert cut_in_windows(data, size) == cut(data)


def test_an_empty_stream_has_no_chunks():
    assert cut(b"") == []


@pytest.mark.parametrize("kind", ["zeros", "blocks"])
def test_content_that_never_cuts_is_cut_at_the_maximum(kind):
    parameters = ChunkingParameters()
    chunks = cut(content_of(5 * parameters.max_bytes + 3, 1, kind), parameters)
    assert max(map(len, chunks)) <= parameters.max_bytes
    assert len(chunks) <= 5 * parameters.max_bytes // parameters.min_bytes + 1


def test_an_insertion_moves_only_the_chunks_beside_it():
    data = random.Random(1).randbytes(400_000)
    before, after = set(cut(data)), set(cut(data[:200_000] + b"inserted" + data[200_000:]))
    assert len(after - before) <= 4


def test_cuts_of_the_released_parameters_are_fixed_for_ever():
    data = random.Random(7).randbytes(3_000_000)
    sizes = [len(chunk) for chunk in cut(data, ChunkingParameters())]
    assert sizes == RELEASED_SIZES


def test_parameters_come_back_from_the_lakes_description():
    assert parse_chunking(ChunkingParameters().as_dict()) == ChunkingParameters()
    assert parse_chunking(SMALL.as_dict()) == SMALL


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "rabin"},
        {"algorithm": None},
        {"window": 48},
    ],
)
def test_unknown_algorithms_and_parameters_are_a_newer_format(change):
    with pytest.raises(FormatError):
        parse_chunking({**ChunkingParameters().as_dict(), **change})
    with pytest.raises(FormatError):
        parse_chunking({"algorithm": "fastcdc-2020"})


@pytest.mark.parametrize(
    "change",
    [
        {"average_bytes": 1},
        {"min_bytes": 0},
        {"min_bytes": -5},
        {"max_bytes": 1 << 40},
        {"max_bytes": 1000},
        {"average_bytes": "large"},
        {"average_bytes": 1.5e5},
        {"normalization": 4},
        {"normalization": None},
    ],
)
def test_sizes_that_cannot_be_are_damage(change):
    with pytest.raises(CorruptDataError):
        parse_chunking({**ChunkingParameters().as_dict(), **change})
