"""Entries: what a manifest says of one path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.entries import (
    EntryKind,
    FileEntry,
    Layout,
    decode_entry,
    empty_folder,
    inline_file,
    symlink,
)
from jupyter_datalake.model.ids import digest_of

DIGEST = digest_of(b"x")

times = st.integers(-(2**63) + 1, 2**63 - 1)
modes = st.integers(0, 0o7777)
entries = st.one_of(
    st.builds(inline_file, st.binary(max_size=64), mode=modes, mtime_ns=times),
    st.builds(symlink, st.binary(max_size=50).filter(lambda raw: b"\0" not in raw), mtime_ns=times),
    st.builds(empty_folder, mode=modes, mtime_ns=times),
    st.builds(
        FileEntry,
        st.just(EntryKind.FILE),
        st.integers(0, 1 << 62),
        modes,
        times,
        st.sampled_from([Layout.CHUNK, Layout.CHUNK_LIST]),
        st.binary(min_size=32, max_size=32),
    ),
)


@given(entries)
def test_entries_come_back(entry):
    assert decode_entry(entry.encode(), entry.size_bytes) == entry


def test_bytes_of_an_entry_are_fixed_for_ever():
    entry = inline_file(b"abc", mode=0o644, mtime_ns=1)
    assert entry.encode().hex() == "9500" + "cd01a4" + "01" + "00" + "c403616263"


@pytest.mark.parametrize(
    ("parts", "size_bytes"),
    [
        (7, 0),
        ([], 0),
        ([0, 0, 0, 0], 0),
        ([9, 0o644, 0, 0, b""], 0),
        ([0, 0o644, 0, 9, b""], 0),
        ([0, -1, 0, 0, b""], 0),
        ([0, 0o10000, 0, 0, b""], 0),
        ([0, "rw", 0, 0, b""], 0),
        ([0, 0o644, 2**63, 0, b""], 0),
        ([0, 0o644, None, 0, b""], 0),
        ([0, 0o644, 0, 0, "abc"], 3),
        ([0, 0o644, 0, 0, 10_000_000_000], 10_000_000_000),
        ([0, 0o644, 0, 0, b"abc"], 2),
        ([0, 0o644, 0, 0, b""], -1),
        ([0, 0o644, 0, 1, b"x" * 31], 5),
        ([0, 0o644, 0, 2, b"x" * 33], 5),
        ([1, 0o777, 0, 1, b"x" * 32], 5),
        ([1, 0o777, 0, 0, b"a\0b"], 3),
        ([2, 0o755, 0, 0, b"x"], 0),
    ],
)
def test_entries_whose_parts_do_not_fit_are_damage(parts, size_bytes):
    with pytest.raises(CorruptDataError):
        decode_entry(pack_canonical(parts), size_bytes)


@given(st.binary(max_size=50), st.integers(0, 100))
def test_any_bytes_are_an_entry_or_damage(data, size_bytes):
    try:
        entry = decode_entry(data, size_bytes)
    except CorruptDataError:
        return
    assert entry.size_bytes == size_bytes


@given(entries, times, modes)
def test_content_is_compared_without_the_time(entry, mtime_ns, mode):
    assert entry.same_content(entry.with_attributes(mtime_ns=mtime_ns))
    assert entry.same_content(entry.with_attributes(mode=mode)) == (mode == entry.mode)


def test_equal_bytes_have_equal_content_digests_whatever_the_attributes():
    one = inline_file(b"abc", mode=0o600, mtime_ns=1)
    assert one.content_digest == inline_file(b"abc", mode=0o644, mtime_ns=2).content_digest
    assert one.content_digest == digest_of(b"abc")
    chunked = FileEntry(EntryKind.FILE, 5, 0o644, 0, Layout.CHUNK, DIGEST)
    assert chunked.content_digest == DIGEST


def test_attributes_keep_permission_bits_only():
    assert inline_file(b"", mode=0, mtime_ns=0).with_attributes(mode=0o100644).mode == 0o644
