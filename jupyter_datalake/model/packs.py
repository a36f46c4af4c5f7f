"""The pack format: many blobs in one object, each found by its own record header or by the index.

::

    header   16 B   magic, version
    records         one per blob: record header (44 B), then the stored bytes
    index           one row (50 B) per record
    trailer  56 B   index offset and count, BLAKE3 of the index, magic

A pack is named by the digest of its index, which holds the digest of every blob in it: writing
the same pack twice is one object. The index lets a lake whose database is lost be rebuilt; the
record headers let a pack whose index is damaged be read. Byte layout: docs/format.md, "Pack".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from jupyter_datalake.errors import CorruptDataError, ErrorKind, FormatError
from jupyter_datalake.model.ids import Digest, digest_of

PACK_VERSION = 1
PACK_TARGET_BYTES = 64 * 1024 * 1024
PACK_TARGET_BLOBS = 65_536
"""A pack is closed when it has one or the other: its index is held in memory until then."""

_HEADER = struct.Struct("<8sHH4x")
_RECORD = struct.Struct("<2sBBII32s")
_ROW = struct.Struct("<32sBBQII")
_TRAILER = struct.Struct("<QI4x32s8s")
_HEADER_MAGIC = b"JDLPACK\0"
_TRAILER_MAGIC = b"JDLPEND\0"
RECORD_MAGIC = b"\xdbR"
"""How every record begins; also found in data, so what follows must be checked."""

HEADER_SIZE = _HEADER.size
RECORD_HEADER_SIZE = _RECORD.size
ROW_SIZE = _ROW.size
TRAILER_SIZE = _TRAILER.size


class BlobKind(IntEnum):
    """What a blob was stored as; part of the format. Equal bytes are one blob of any kind."""

    CHUNK = 1
    CHUNK_LIST = 2
    NODE = 3
    COMMIT = 4


class Codec(IntEnum):
    """How a blob's bytes are stored; part of the stored format."""

    RAW = 0
    ZSTD = 1


class BlobRecord(NamedTuple):
    """One blob of a pack and where its stored bytes are."""

    digest: Digest
    kind: BlobKind
    codec: Codec
    offset: int
    """Of the stored bytes (behind the record header), from the beginning of the pack."""
    stored_size: int
    raw_size: int


def encode_header() -> bytes:
    """Return the first bytes of every pack."""
    return _HEADER.pack(_HEADER_MAGIC, PACK_VERSION, 0)


def encode_record_header(record: BlobRecord) -> bytes:
    """Return what stands directly in front of a blob's stored bytes."""
    return _RECORD.pack(
        RECORD_MAGIC,
        record.kind,
        record.codec,
        record.stored_size,
        record.raw_size,
        record.digest,
    )


def encode_index(records: Iterable[BlobRecord]) -> bytes:
    """Return the index of `records`, in the order they stand in the pack."""
    return b"".join(
        _ROW.pack(r.digest, r.kind, r.codec, r.offset, r.stored_size, r.raw_size) for r in records
    )


def encode_trailer(index: bytes, offset: int) -> bytes:
    """Return the last bytes of a pack whose `index` begins at `offset`."""
    return _TRAILER.pack(offset, len(index) // ROW_SIZE, digest_of(index), _TRAILER_MAGIC)


def pack_name(index: bytes) -> str:
    """Return the name of the pack with this index: 64 hex digits."""
    return digest_of(index).hex()


@dataclass(frozen=True, slots=True)
class Trailer:
    """Where a pack's index is."""

    index_offset: int
    count: int
    index_digest: Digest

    @property
    def index_size(self) -> int:
        """Bytes of the index."""
        return self.count * ROW_SIZE


def decode_header(data: bytes, name: str) -> None:
    """Check the first bytes of a pack.

    Raises
    ------
    CorruptDataError
        Not a pack.
    FormatError
        A pack of a newer version.
    """
    if len(data) < HEADER_SIZE or data[:8] != _HEADER_MAGIC:
        raise _corrupt(name, "does not begin like a pack")
    _, version, _ = _HEADER.unpack(data[:HEADER_SIZE])
    if version == PACK_VERSION and data[:HEADER_SIZE] != encode_header():
        raise _corrupt(name, "has a damaged header")
    if version != PACK_VERSION:
        raise FormatError(
            f"Pack {name} has format version {version}; this program reads {PACK_VERSION}",
            kind=ErrorKind.FORMAT_TOO_NEW,
            hint="Upgrade jupyter_datalake",
        )


def decode_trailer(data: bytes, name: str) -> Trailer:
    """Return the trailer in a pack's last `TRAILER_SIZE` bytes, or raise `CorruptDataError`."""
    if len(data) != TRAILER_SIZE or data[-8:] != _TRAILER_MAGIC:
        raise _corrupt(name, "does not end like a pack: it was cut short or overwritten")
    offset, count, digest, _ = _TRAILER.unpack(data)
    if _TRAILER.pack(offset, count, digest, _TRAILER_MAGIC) != data:
        raise _corrupt(name, "has a damaged trailer")
    return Trailer(offset, count, Digest(digest))


def decode_index(data: bytes, trailer: Trailer, name: str) -> list[BlobRecord]:
    """Return the records of a pack's index.

    Raises
    ------
    CorruptDataError
        The bytes are not the index that the trailer speaks of.
    FormatError
        They are, and name a kind or codec of a newer version.
    """
    if len(data) != trailer.index_size or digest_of(data) != trailer.index_digest:
        raise _corrupt(name, "has a damaged index")
    try:
        return [
            BlobRecord(Digest(digest), BlobKind(kind), Codec(codec), offset, stored, raw)
            for digest, kind, codec, offset, stored, raw in _ROW.iter_unpack(data)
        ]
    except ValueError as error:  # the digest fits, so somebody wrote it so
        raise FormatError(
            f"Pack {name} holds blobs of a kind that this program does not know: {error}",
            kind=ErrorKind.FORMAT_TOO_NEW,
            hint="Upgrade jupyter_datalake",
        ) from error


def decode_record_header(data: bytes, offset: int, name: str) -> BlobRecord:
    """Return the record whose header stands at `offset` of pack `name`."""
    try:
        magic, kind, codec, stored, raw, digest = _RECORD.unpack(data)
        if magic != RECORD_MAGIC:
            raise ValueError(magic)
        return BlobRecord(
            Digest(digest), BlobKind(kind), Codec(codec), offset + RECORD_HEADER_SIZE, stored, raw
        )
    except (struct.error, ValueError) as error:
        raise _corrupt(name, f"has no record at byte {offset}") from error


def _corrupt(name: str, why: str) -> CorruptDataError:
    return CorruptDataError(
        f"Pack {name} {why}",
        kind=ErrorKind.CORRUPT_PACK,
        hint="Run 'datalake maintenance verify' to list the files it held",
        pack=name,
    )
