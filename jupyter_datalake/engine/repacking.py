"""Repacking: what is in use of several packs is written into a new one.

The new pack is durable before one transaction moves the places; the old packs stay until nobody
can be reading from them any more. Killed in between, it leaves a pack that nothing names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jupyter_datalake.engine.blobs import decode_blob, pack_object
from jupyter_datalake.errors import CorruptDataError, NotFoundError
from jupyter_datalake.model.packs import (
    HEADER_SIZE,
    RECORD_HEADER_SIZE,
    BlobRecord,
    encode_header,
    encode_index,
    encode_record_header,
    encode_trailer,
    pack_name,
)
from jupyter_datalake.storage.base import ObjectStore, Upload

_WINDOW_BYTES = 8 * 1024 * 1024
_GAP_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A pack to be emptied, and what lies in it."""

    pack_id: int
    name: str
    records: Sequence[BlobRecord]


@dataclass(slots=True)
class Repacked:
    """A new pack, durable and not registered yet."""

    name: str
    size_bytes: int
    moved: list[tuple[Source, list[BlobRecord]]]
    """Of each source, the new places of what could be read."""
    damaged: list[str]
    """Names of sources of which something could not be read."""

    @property
    def blob_count(self) -> int:
        """How many blobs the new pack holds."""
        return sum(len(records) for _, records in self.moved)


def write_pack(objects: ObjectStore, sources: Iterable[Source]) -> Repacked | None:
    """Write what is in use of several packs into a new one; None if nothing could be read.

    Memory: a window of 8 MiB, and the records. What is damaged stays where it is: a copy would
    hide it from `verify`, and what a mirror could heal would be gone.

    Raises
    ------
    StorageError
        The disk is full; nothing appeared.
    """
    with objects.upload() as upload:
        upload.write(encode_header())
        builder = _Builder(upload)
        result = Repacked("", 0, [], [])
        for source in sources:
            moved: list[BlobRecord] = []
            for record, stored in _read_stored(objects, source):
                if stored is None:
                    if source.name not in result.damaged:
                        result.damaged.append(source.name)
                else:
                    moved.append(builder.append(record, stored))
            result.moved.append((source, moved))
        if not builder.records:
            return None
        index = encode_index(builder.records)
        trailer = encode_trailer(index, builder.offset)
        upload.write(index)
        upload.write(trailer)
        result.name = pack_name(index)
        result.size_bytes = builder.offset + len(index) + len(trailer)
        upload.finish(pack_object(result.name))
    return result


class _Builder:
    """Appends records to a pack."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self.offset = HEADER_SIZE
        self.records: list[BlobRecord] = []

    def append(self, record: BlobRecord, stored: bytes) -> BlobRecord:
        """Write one blob and return where it is now."""
        placed = record._replace(offset=self.offset + RECORD_HEADER_SIZE)
        self._upload.write(encode_record_header(placed))
        self._upload.write(stored)
        self.records.append(placed)
        self.offset = placed.offset + placed.stored_size
        return placed


def _read_stored(objects: ObjectStore, source: Source) -> Iterator[tuple[BlobRecord, bytes | None]]:
    """Yield each record with its stored bytes, checked; None where they are damaged."""
    for window in _windows(source.records):
        begin = window[0].offset
        end = window[-1].offset + window[-1].stored_size
        try:
            data = objects.read(pack_object(source.name), begin, end - begin)
        except NotFoundError:
            data = b""
        for record in window:
            stored = data[record.offset - begin :][: record.stored_size]
            try:
                decode_blob(record, stored, source.name)
            except CorruptDataError:
                yield record, None
            else:
                yield record, stored


def _windows(records: Sequence[BlobRecord]) -> Iterator[list[BlobRecord]]:
    """Yield neighbours that are worth one read."""
    window: list[BlobRecord] = []
    for record in records:
        if window:
            end = window[-1].offset + window[-1].stored_size
            is_far = record.offset - end > _GAP_BYTES
            is_long = record.offset + record.stored_size - window[0].offset > _WINDOW_BYTES
            if is_far or is_long:
                yield window
                window = []
        window.append(record)
    if window:
        yield window
