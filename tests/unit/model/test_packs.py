"""Packs: the format's bytes, and that no byte of its frame can change unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError, DatalakeError, ErrorKind, FormatError
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.packs import (
    HEADER_SIZE,
    RECORD_HEADER_SIZE,
    ROW_SIZE,
    TRAILER_SIZE,
    BlobKind,
    BlobRecord,
    Codec,
    decode_header,
    decode_index,
    decode_record_header,
    decode_trailer,
    encode_header,
    encode_index,
    encode_record_header,
    encode_trailer,
    pack_name,
)

records = st.lists(
    st.builds(
        BlobRecord,
        st.binary(min_size=32, max_size=32),
        st.sampled_from(BlobKind),
        st.sampled_from(Codec),
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
    ),
    max_size=5,
)

ONE = BlobRecord(
    digest_of(b"abc"), BlobKind.CHUNK, Codec.RAW, HEADER_SIZE + RECORD_HEADER_SIZE, 3, 3
)


@given(records, st.integers(0, 2**64 - 1))
def test_indexes_come_back(found, offset):
    index = encode_index(found)
    trailer = decode_trailer(encode_trailer(index, offset), "name")
    assert trailer.index_offset == offset
    assert trailer.index_size == len(index) == ROW_SIZE * len(found)
    assert decode_index(index, trailer, "name") == found


@given(records, st.integers(0, 2**40))
def test_record_headers_come_back(found, offset):
    for record in found:
        decoded = decode_record_header(encode_record_header(record), offset, "name")
        assert decoded.offset == offset + RECORD_HEADER_SIZE
        assert (decoded.digest, decoded.kind, decoded.codec) == (
            record.digest,
            record.kind,
            record.codec,
        )
        assert (decoded.stored_size, decoded.raw_size) == (record.stored_size, record.raw_size)


def test_sizes_of_the_frame_are_fixed_for_ever():
    assert (HEADER_SIZE, RECORD_HEADER_SIZE, ROW_SIZE, TRAILER_SIZE) == (16, 44, 50, 56)
    assert encode_header().hex() == "4a444c5041434b00" + "0100" + "0000" + "00000000"
    assert encode_record_header(ONE).hex() == (
        "db52" + "01" + "00" + "03000000" + "03000000" + digest_of(b"abc").hex()
    )
    assert encode_index([ONE]).hex() == (
        digest_of(b"abc").hex() + "01" + "00" + "3c00000000000000" + "03000000" + "03000000"
    )
    assert encode_trailer(b"", 16)[-8:] == b"JDLPEND\0"


def test_a_pack_is_named_by_its_index():
    index = encode_index([ONE])
    assert pack_name(index) == digest_of(index).hex()


def each_flip(data):
    """Yield the data with each of its bits flipped, one at a time."""
    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            yield position, bytes(changed)


def test_every_bit_flipped_in_the_header_is_noticed():
    decode_header(encode_header(), "name")
    for _, damaged in each_flip(encode_header()):
        with pytest.raises(DatalakeError):
            decode_header(damaged, "name")


def test_every_bit_flipped_in_the_index_is_noticed():
    index = encode_index([ONE])
    trailer = decode_trailer(encode_trailer(index, 63), "name")
    for _, damaged in each_flip(index):
        with pytest.raises(CorruptDataError) as caught:
            decode_index(damaged, trailer, "name")
        assert caught.value.kind is ErrorKind.CORRUPT_PACK


def test_every_bit_flipped_in_the_trailer_is_noticed_at_once_or_by_the_index_it_leads_to():
    index = encode_index([ONE])
    pack = bytes(63) + index
    for position, damaged in each_flip(encode_trailer(index, 63)):
        try:
            trailer = decode_trailer(damaged, "name")
        except CorruptDataError:
            continue
        assert position < 48  # offset, count or digest: well-formed in itself
        found = pack[trailer.index_offset : trailer.index_offset + trailer.index_size]
        with pytest.raises(CorruptDataError):
            decode_index(found, trailer, "name")


def test_every_bit_flipped_in_a_record_header_is_noticed_or_shows_in_the_record():
    for _, damaged in each_flip(encode_record_header(ONE)):
        try:
            assert decode_record_header(damaged, HEADER_SIZE, "name") != ONE
        except CorruptDataError as error:
            assert error.context["pack"] == "name"  # noqa: PT017  # either way is right


@pytest.mark.parametrize("cut", [0, 1, HEADER_SIZE - 1])
def test_short_frames_are_damage(cut):
    with pytest.raises(CorruptDataError):
        decode_header(encode_header()[:cut], "name")
    with pytest.raises(CorruptDataError):
        decode_trailer(encode_trailer(b"", 16)[:cut], "name")
    with pytest.raises(CorruptDataError):
        decode_record_header(encode_record_header(ONE)[:cut], 0, "name")


def test_packs_of_a_newer_version_are_refused_as_newer():
    newer = encode_header()[:8] + b"\x02\x00" + encode_header()[10:]
    with pytest.raises(FormatError) as caught:
        decode_header(newer, "name")
    assert caught.value.kind is ErrorKind.FORMAT_TOO_NEW


@pytest.mark.parametrize(("position", "value"), [(32, 99), (33, 9)])
def test_kinds_and_codecs_of_a_newer_version_are_refused_as_newer(position, value):
    index = bytearray(encode_index([ONE]))
    index[position] = value
    trailer = decode_trailer(encode_trailer(bytes(index), 63), "name")
    with pytest.raises(FormatError):
        decode_index(bytes(index), trailer, "name")
