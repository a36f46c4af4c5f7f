"""Records by number: any page of any file, as reading all of it would give."""

import csv
import io
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_datalake.errors import StateError
from jupyter_datalake.previews import records
from jupyter_datalake.previews.records import RecordReader


def never():
    return False


def reader(content, delimiter="", size_bytes=-1):
    size = len(content) if size_bytes == -1 else size_bytes
    return RecordReader(
        lambda: io.BytesIO(content), size, digest=uuid.uuid4().bytes, delimiter=delimiter
    )


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few bytes, so that everything lies across two of them."""
    monkeypatch.setattr(records, "_BLOCK_BYTES", 7)
    monkeypatch.setattr(records, "STRIDE", 4)


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=20)), st.integers(0, 12), st.integers(1, 12), st.booleans())
def test_any_page_of_lines_is_that_of_the_whole(lines, offset, limit, is_counted):
    content = b"\n".join(line.replace(b"\n", b"") for line in lines)
    every = content.split(b"\n")
    every = every[:-1] if every[-1] == b"" else every
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_BLOCK_BYTES", 7)
        patch.setattr(records, "STRIDE", 4)
        patch.setattr(records, "COUNTED_BYTES", 1 << 20 if is_counted else 0)
        one = reader(content)
        for _ in range(2):
            found = one.read(offset, limit, never)
            assert list(found.records) == every[offset : offset + limit]
            assert found.has_more == (offset + limit < len(every))
        assert found.total == len(every) if is_counted else found.total in {None, len(every)}


@settings(max_examples=150)
@given(
    st.lists(st.lists(st.text('a",\n é', max_size=8), min_size=2, max_size=3), max_size=30),
    st.integers(0, 12),
    st.integers(1, 12),
)
def test_line_ends_in_quotes_do_not_end_a_row(rows, offset, limit):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    one = reader(text.getvalue().encode(), ",")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "STRIDE", 4)
        found = one.read(offset, limit, never)
    shown = [next(csv.reader(io.StringIO(cell.decode(), newline=""))) for cell in found.records]
    assert shown == rows[offset : offset + limit]
    assert found.total == len(rows)


def test_a_quote_amid_text_is_text():
    one = reader(b'size,n\n5" pipe,1\n6" pipe,2\n', ",")
    assert one.read(0, 10, never).records == (b"size,n", b'5" pipe,1', b'6" pipe,2')


def test_a_huge_record_is_cut_and_those_behind_it_are_found(monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 1000)
    one = reader(b"x" * 5_000_000 + b"\nsecond\n")
    found = one.read(0, 5, never)
    assert (len(found.records[0]), found.records[1:]) == (1000, (b"second",))
    assert found.is_cut
    assert one.read(1, 5, never).records == (b"second",)


def test_a_page_of_large_records_is_short_and_says_that_there_are_more(monkeypatch):
    monkeypatch.setattr(records, "MAX_PAGE_BYTES", 250)
    found = reader((b"y" * 100 + b"\n") * 50).read(0, 50, never)
    assert 1 <= len(found.records) <= 4
    assert found.has_more
    assert found.total == 50


def test_an_empty_file_has_no_records():
    found = reader(b"").read(0, 10, never)
    assert (found.records, found.total, found.has_more) == ((), 0, False)


def test_a_large_file_is_looked_through_only_as_far_as_it_is_wanted(small_blocks, monkeypatch):
    monkeypatch.setattr(records, "COUNTED_BYTES", 0)
    content = b"".join(b"%05d\n" % number for number in range(1000))
    opened = []

    class Counted(io.BytesIO):
        def read(self, size=-1):
            piece = super().read(size)
            opened.append(len(piece))
            return piece

    one = RecordReader(lambda: Counted(content), len(content), digest=uuid.uuid4().bytes)
    found = one.read(2, 2, never)
    assert found.records == (b"00002", b"00003")
    assert found.total is None
    assert 500 < found.estimated_total < 2000
    assert sum(opened) < 100
    one.read(900, 2, never)
    opened.clear()
    assert one.read(900, 2, never).records == (b"00900", b"00901")
    assert sum(opened) < 100


def test_looking_ends_when_nobody_waits():
    with pytest.raises(StateError, match="stopped"):
        reader(b"a\nb\n").read(0, 1, lambda: True)
