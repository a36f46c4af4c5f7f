"""Reading many blobs in their stored form, in few large reads, each of them verified.

What moves between lakes, what is re-read to see whether it is sound, and what is healed goes
through here: blobs are taken in the order they lie in their packs, neighbours in one read, and
nothing is decompressed to be compressed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from jupyter_datalake.engine.blobs import MAX_BLOB_BYTES, decode_blob, pack_object
from jupyter_datalake.errors import CorruptDataError, DatalakeError, ErrorKind, NotFoundError
from jupyter_datalake.metadata.blobs import BlobPlace
from jupyter_datalake.model.packs import RECORD_HEADER_SIZE
from jupyter_datalake.storage.base import ObjectStore

T = TypeVar("T")

_READ_BYTES = 8 * 1024 * 1024
_GAP_BYTES = 64 * 1024


class StoredBlob(NamedTuple):
    """One blob as it was found in its pack."""

    place: BlobPlace
    header: bytes
    """What stands in front of it in the pack, for a rebuild; as it was read."""
    payload: bytes
    """Its stored form."""
    error: DatalakeError | None
    """Why it is not what its place promises; None when it was verified."""


def read_stored(objects: ObjectStore, places: Iterable[BlobPlace]) -> Iterator[StoredBlob]:
    """Yield blobs in the order of packs and offsets.

    Memory: one read of about 8 MiB, or one blob. A blob that is damaged or cannot be read is
    yielded with its error, and does not hide what is beside it.
    """
    for run in _runs(sorted(places, key=lambda one: (one.pack, one.record.offset))):
        yield from _read_run(objects, run)


def _runs(places: list[BlobPlace]) -> Iterator[list[BlobPlace]]:
    """Yield neighbours in one pack together, as long as reading them at once pays."""
    run: list[BlobPlace] = []
    for place in places:
        if run and not _belongs(run, place):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _belongs(run: list[BlobPlace], place: BlobPlace) -> bool:
    last = run[-1].record
    end = last.offset + last.stored_size
    return (
        place.pack == run[0].pack
        and place.record.offset - RECORD_HEADER_SIZE - end <= _GAP_BYTES
        and place.record.offset + place.record.stored_size - run[0].record.offset <= _READ_BYTES
    )


def _read_run(objects: ObjectStore, run: list[BlobPlace]) -> Iterator[StoredBlob]:
    if len(run) == 1:
        yield _read_one(objects, run[0])
        return
    begin = max(run[0].record.offset - RECORD_HEADER_SIZE, 0)
    end = max(one.record.offset + one.record.stored_size for one in run)
    try:
        data = memoryview(objects.read(pack_object(run[0].pack), begin, end - begin))
    except DatalakeError:
        # Somebody's damage in the middle: whatever can be read alone is.
        for place in run:
            yield _read_one(objects, place)
        return
    for place in run:
        at = place.record.offset - begin
        header = bytes(data[max(at - RECORD_HEADER_SIZE, 0) : at])
        found = _verified(place, header, bytes(data[at : at + place.record.stored_size]))
        # Once more by itself, in case the way and not the place is at fault.
        yield found if found.error is None else _read_one(objects, place)


def _read_one(objects: ObjectStore, place: BlobPlace) -> StoredBlob:
    record = place.record
    if not (0 <= record.stored_size <= MAX_BLOB_BYTES and record.offset >= RECORD_HEADER_SIZE):
        return StoredBlob(place, b"", b"", _corrupt(place, "its place cannot be"))
    begin = record.offset - RECORD_HEADER_SIZE
    try:
        size_bytes = RECORD_HEADER_SIZE + record.stored_size
        data = once_more(lambda: objects.read(pack_object(place.pack), begin, size_bytes))
    except NotFoundError:
        error = _corrupt(place, "its pack is missing")
        error.kind = ErrorKind.OBJECT_NOT_FOUND
        return StoredBlob(place, b"", b"", error)
    except DatalakeError as error:
        return StoredBlob(place, b"", b"", error)
    return _verified(place, data[:RECORD_HEADER_SIZE], data[RECORD_HEADER_SIZE:])


def once_more(read: Callable[[], T]) -> T:
    """Read, and once more where the store did not answer.

    Of a blob that was not read it is told that it is lost; one lost answer is not enough for that.
    """
    try:
        return read()
    except DatalakeError as error:
        if not error.retryable:
            raise
        return read()


def _verified(place: BlobPlace, header: bytes, payload: bytes) -> StoredBlob:
    try:
        raw = decode_blob(place.record, payload, place.pack)
    except DatalakeError as error:
        return StoredBlob(place, header, payload, error)
    if len(raw) != place.record.raw_size:
        why = f"the database says {place.record.raw_size} bytes, and it has {len(raw)}"
        return StoredBlob(place, header, payload, _corrupt(place, why))
    return StoredBlob(place, header, payload, None)


def _corrupt(place: BlobPlace, why: str) -> CorruptDataError:
    digest = place.record.digest.hex()
    return CorruptDataError(
        f"Blob {digest} in pack {place.pack} is damaged: {why}",
        hint="Run 'datalake maintenance verify' to list the files it belongs to",
        blob=digest,
        pack=place.pack,
    )
