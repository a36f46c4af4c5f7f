"""Blobs by digest: reading them verified from packs, and writing new ones into packs.

Invariant: a blob that leaves `BlobReader` has the digest it was asked by. A blob that a
`BlobWriter` was given is durable when `seal` returned, and findable when its packs are
registered, which the caller does in the transaction that makes use of them.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import compress, pairwise
from types import TracebackType
from typing import Self, TypeVar

import zstandard

from jupyter_datalake.engine.reliance import Reliance
from jupyter_datalake.engine.verified_blocks import BLOCK_BYTES, VerifiedBlocks
from jupyter_datalake.errors import (
    ConflictError,
    CorruptDataError,
    DatalakeError,
    ErrorKind,
    InternalError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.forking import ThreadPool, renew_lock_after_fork
from jupyter_datalake.metadata.blobs import BlobPlace, content_collected
from jupyter_datalake.metadata.store import MetadataStore, Transaction
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.packs import (
    HEADER_SIZE,
    PACK_TARGET_BLOBS,
    PACK_TARGET_BYTES,
    RECORD_HEADER_SIZE,
    TRAILER_SIZE,
    BlobKind,
    BlobRecord,
    Codec,
    decode_header,
    decode_index,
    decode_trailer,
    encode_header,
    encode_index,
    encode_record_header,
    encode_trailer,
    pack_name,
)
from jupyter_datalake.storage.base import (
    ObjectStore,
    ReadsWithoutWaiting,
    RemoteObjectStore,
    Upload,
)

PACK_FOLDER = "packs"
MAX_BLOB_BYTES = 64 * 1024 * 1024
"""No honest blob is larger; a record that claims more is damage or an attack."""

_CONTENT = frozenset({BlobKind.CHUNK, BlobKind.CHUNK_LIST})
_RESERVED_SHARE = 10
_RESERVED_BYTES = 16 * 1024 * 1024
"""Above its quota a lake takes a tenth, and so much, of trees and commits."""

BATCH_BYTES = 8 * 1024 * 1024
"""What is given to `BlobWriter.add_many` at once should have about this size."""
BATCH_COUNT = 2048

_LARGE_BYTES = 32 * 1024
"""Blobs of this size and more are worth a task of their own, and no copy on their way."""
_SLICE_COUNT = 256
_JOINED_BYTES = 512 * 1024
_RUN_GAP = 64 * 1024
"""Bytes between two blobs that are rather read than skipped."""
_SEEN_LIMIT = 200_000
_PROBE_BYTES = 4096
_PROBE_RATIO = 0.97
_WORTHWHILE = 0.95
_COMPRESSION_LEVEL = 1

Bytes = bytes | memoryview

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_local = threading.local()


_pool = ThreadPool(min(4, os.cpu_count() or 1), "datalake-encode")


def pack_object(name: str) -> str:
    """Return the object that holds the pack of this name."""
    return f"{PACK_FOLDER}/{name[:2]}/{name}.pack"


class BlobReader:
    """Reads blobs; keeps their places and the last used ones in memory. Thread-safe."""

    def __init__(
        self,
        objects: ObjectStore,
        metadata: MetadataStore,
        *,
        cache_bytes: int,
        place_count: int = 100_000,
    ) -> None:
        self._place_count = place_count
        self._objects = objects
        self._metadata = metadata
        self._lock = threading.Lock()
        self._places: OrderedDict[Digest, BlobPlace] = OrderedDict()
        self._blobs: OrderedDict[Digest, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._cache_bytes = cache_bytes
        self._blocks = VerifiedBlocks(place_count // 8)
        renew_lock_after_fork(self)

    def get(self, digest: Digest, *, keep: bool = True) -> bytes:
        """Return a blob's bytes.

        Parameters
        ----------
        keep
            Whether it is likely to be read again soon.

        Raises
        ------
        CorruptDataError
            The blob is missing, damaged or not what its name promises.
        StorageError
            The store could not be read.
        """
        with self._lock:
            blob = self._blobs.get(digest)
            if blob is not None:
                self._blobs.move_to_end(digest)
                return blob
        blob = self._fetch(digest)
        if keep:
            self._remember(digest, blob)
        return blob

    def learn_blocks(self, digest: Digest, blob: bytes) -> None:
        """Take note of a blob that was verified, so that `part` can read some of it alone."""
        with self._lock:
            place = self._places.get(digest)
        is_stored_as_it_is = place is not None and place.record.codec is Codec.RAW
        is_large = len(blob) >= 2 * BLOCK_BYTES
        if is_stored_as_it_is and is_large and self._blocks.find(digest) is None:
            self._blocks.learn(digest, blob)

    def part(self, digest: Digest, size_bytes: int, start: int, stop: int) -> bytes | None:
        """Return some bytes of a blob, verified, without reading all of it; None if it has to be.

        Parameters
        ----------
        size_bytes
            How large the caller takes the blob to be.
        """
        return self._part(digest, size_bytes, start, stop, self._objects.read)

    def part_at_hand(self, digest: Digest, size_bytes: int, start: int, stop: int) -> bytes | None:
        """Return what `part` would if no store has to be waited for, else None."""
        if not isinstance(self._objects, ReadsWithoutWaiting):
            return None
        return self._part(digest, size_bytes, start, stop, self._objects.read_now)

    def _part(
        self,
        digest: Digest,
        size_bytes: int,
        start: int,
        stop: int,
        read: Callable[[str, int, int], bytes | None],
    ) -> bytes | None:
        blocks = self._blocks.find(digest)
        with self._lock:
            place = self._places.get(digest)
        if blocks is None or place is None or place.record.codec is not Codec.RAW:
            return None
        begin, end = blocks.around(start, stop)
        try:
            data = read(pack_object(place.pack), place.record.offset + begin, end - begin)
        except DatalakeError:
            return None
        # What is damaged or moved by now `get` finds, or tells what is wrong.
        is_sound = data is not None and blocks.are_in(data, begin, end)
        if data is None or not is_sound or blocks.size_bytes != size_bytes:
            return None
        return data[start - begin : stop - begin]

    def get_many(self, digests: Sequence[Digest]) -> list[bytes]:
        """Return blobs in order: neighbours in a pack by one read, verified in threads.

        All of them are in memory at once, so the caller asks for a few MiB. None is kept.

        Raises
        ------
        CorruptDataError, StorageError
            As `get` of the first that cannot be had.
        """
        with self._lock:
            found = {digest: self._blobs[digest] for digest in digests if digest in self._blobs}
        self.locate(digest for digest in digests if digest not in found)
        with self._lock:
            places = {
                self._places[digest]
                for digest in digests
                if digest not in found and digest in self._places
            }
        stored: list[tuple[BlobPlace, memoryview]] = []
        for run in _runs(sorted(places, key=lambda place: (place.pack, place.record.offset))):
            stored += self._read_run(run)
        average = sum(place.record.raw_size for place, _ in stored) // max(len(stored), 1)
        found.update(_in_threads(stored, average, _decode_some))
        # What is missing by now is damaged, or moved: `get` finds it, or tells what is wrong.
        return [found[digest] if digest in found else self.get(digest) for digest in digests]

    def _read_run(self, run: Sequence[BlobPlace]) -> list[tuple[BlobPlace, memoryview]]:
        """Read neighbours of one pack; none of them if that fails."""
        first, last = run[0].record, run[-1].record
        length = last.offset + last.stored_size - first.offset
        try:
            data = memoryview(self._objects.read(pack_object(run[0].pack), first.offset, length))
        except NotFoundError:
            return []
        return [
            (place, data[place.record.offset - first.offset :][: place.record.stored_size])
            for place in run
        ]

    def cached(self, digest: Digest) -> bytes | None:
        """Return a blob's bytes if they are in memory, else None; never waits for a store."""
        with self._lock:
            return self._blobs.get(digest)

    def locate(self, digests: Iterable[Digest]) -> None:
        """Look up many places in one query, so that the reads that follow need none."""
        with self._lock:
            missing = [digest for digest in digests if digest not in self._places]
        if missing:
            with self._metadata.read() as tx:
                found = tx.blobs.locate(missing)
            with self._lock:
                self._places.update(found)
                while len(self._places) > self._place_count:
                    self._places.popitem(last=False)

    def forget_places(self) -> None:
        """Look every place up anew from now on, because places were changed."""
        with self._lock:
            self._places.clear()

    def place(self, digest: Digest) -> BlobPlace:
        """Return where a blob is, or raise `CorruptDataError`."""
        self.locate([digest])
        with self._lock:
            place = self._places.get(digest)
        if place is None:
            raise CorruptDataError(
                f"Blob {digest.hex()} is not in the lake",
                kind=ErrorKind.BLOB_NOT_FOUND,
                hint="Run 'datalake maintenance verify' to list what is damaged",
                blob=digest.hex(),
            )
        return place

    def forget_place(self, digest: Digest, pack: str) -> bool:
        """Look a blob up again whose pack is gone; tell whether it is in another one now."""
        with self._lock:
            self._places.pop(digest, None)
        return self.place(digest).pack != pack

    def _fetch(self, digest: Digest) -> bytes:
        place = self.place(digest)
        while True:
            pack, record = place
            if not (0 <= record.stored_size <= MAX_BLOB_BYTES and record.offset >= 0):
                raise _corrupt(digest, pack, "its place cannot be")
            try:
                return self._read_sound(pack, record)
            except NotFoundError as error:
                # Repacking moves blobs, and the place may have been looked up long ago.
                if self.forget_place(digest, pack):
                    place = self.place(digest)
                    continue
                missing = _corrupt(digest, pack, "its pack is missing")
                missing.kind = ErrorKind.OBJECT_NOT_FOUND
                raise missing from error

    def _read_sound(self, pack: str, record: BlobRecord) -> bytes:
        try:
            return self._read(pack, record)
        except CorruptDataError:
            if not isinstance(self._objects, RemoteObjectStore):
                raise
            # It may have been damaged on its way here, or in a copy: what is stored decides.
            self._objects.forget(pack_object(pack))
            return self._read(pack, record)

    def _read(self, pack: str, record: BlobRecord) -> bytes:
        stored = self._objects.read(pack_object(pack), record.offset, record.stored_size)
        return decode_blob(record, stored, pack)

    def _remember(self, digest: Digest, blob: bytes) -> None:
        with self._lock:
            if digest not in self._blobs:
                self._blobs[digest] = blob
                self._cached_bytes += len(blob)
                while self._cached_bytes > self._cache_bytes and len(self._blobs) > 1:
                    _, dropped = self._blobs.popitem(last=False)
                    self._cached_bytes -= len(dropped)


def _runs(places: Iterable[BlobPlace]) -> Iterator[list[BlobPlace]]:
    """Yield sorted places in groups that are worth one read each."""
    run: list[BlobPlace] = []
    for place in places:
        record = place.record
        if not (0 <= record.stored_size <= MAX_BLOB_BYTES and record.offset >= 0):
            continue  # its place cannot be; asked for alone, that is told
        if run and (
            place.pack != run[0].pack
            or record.offset - run[-1].record.offset > run[-1].record.stored_size + _RUN_GAP
            or record.offset + record.stored_size - run[0].record.offset > BATCH_BYTES
        ):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _decode_some(
    stored: Sequence[tuple[BlobPlace, memoryview]],
) -> list[tuple[Digest, bytes]]:
    """Return the sound ones of blobs."""
    sound: list[tuple[Digest, bytes]] = []
    for place, data in stored:
        with suppress(CorruptDataError):
            sound.append((place.record.digest, decode_blob(place.record, bytes(data), place.pack)))
    return sound


def decode_blob(record: BlobRecord, stored: bytes, pack: str) -> bytes:
    """Return the verified bytes of a blob from its stored form, or raise `CorruptDataError`."""
    if len(stored) != record.stored_size or record.raw_size > MAX_BLOB_BYTES:
        raise _corrupt(record.digest, pack, "it was cut short")
    raw = stored
    if record.codec is Codec.ZSTD:
        try:
            # What the frame says of itself is looked at first: it would be believed, and a few
            # damaged or hostile bytes can claim gigabytes.
            if zstandard.frame_content_size(stored) != record.raw_size:
                raise _corrupt(record.digest, pack, "it would decompress to another size")
            raw = _decompressor().decompress(stored, max_output_size=record.raw_size)
        except zstandard.ZstdError as error:
            raise _corrupt(record.digest, pack, "it does not decompress") from error
    if digest_of(raw) != record.digest:
        raise _corrupt(record.digest, pack, "its bytes changed")
    return raw


def _corrupt(digest: Digest, pack: str, why: str) -> CorruptDataError:
    return CorruptDataError(
        f"Blob {digest.hex()} in pack {pack} is damaged: {why}",
        hint="Run 'datalake maintenance verify' to list the files it belongs to",
        blob=digest.hex(),
        pack=pack,
    )


def read_index(objects: ObjectStore, name: str, size_bytes: int) -> list[BlobRecord]:
    """Return the records that a stored pack's own index lists; its whole frame is checked.

    Raises
    ------
    CorruptDataError
        Header, trailer or index is damaged, or it is not the pack of this name.
    FormatError
        A newer program wrote it.
    """
    place = pack_object(name)
    decode_header(objects.read(place, 0, HEADER_SIZE), name)
    end = max(size_bytes - TRAILER_SIZE, 0)
    trailer = decode_trailer(objects.read(place, end, TRAILER_SIZE), name)
    # By its length the index must lie between the records and the trailer, whatever it claims.
    if trailer.index_offset + trailer.index_size != end:
        raise CorruptDataError(
            f"Pack {name} has a damaged trailer", kind=ErrorKind.CORRUPT_PACK, pack=name
        )
    index = objects.read(place, trailer.index_offset, trailer.index_size)
    records = decode_index(index, trailer, name)
    if pack_name(index) != name:
        raise CorruptDataError(
            f"Pack {name} holds what pack {pack_name(index)} should",
            kind=ErrorKind.CORRUPT_PACK,
            pack=name,
        )
    return records


@dataclass(frozen=True, slots=True)
class SealedPack:
    """A pack that is durable in the store and not yet known to the database."""

    name: str
    size_bytes: int
    records: Sequence[BlobRecord]


class SealedPacks(list[SealedPack]):
    """What `BlobWriter.seal` returns: packs, and what else their writer counts on."""

    def __init__(
        self, packs: Iterable[SealedPack], reliance: Reliance, objects: ObjectStore
    ) -> None:
        super().__init__(packs)
        self._reliance = reliance
        self._objects = objects

    def check(self, tx: Transaction) -> None:
        """Raise `ConflictError` if gc has taken away anything that `tx` makes use of."""
        if self._reliance.check(tx):
            for pack in self:
                self._check_object(pack)

    def _check_object(self, pack: SealedPack) -> None:
        """Look whether a pack is there: an old one of this name may have been taken for ours."""
        try:
            self._objects.info(pack_object(pack.name))
        except NotFoundError as error:
            raise content_collected(f"pack {pack.name}") from error


def register_packs(tx: Transaction, packs: Iterable[SealedPack]) -> None:
    """Make the blobs of sealed packs findable, as part of the `tx` that makes use of them.

    Raises
    ------
    ConflictError
        gc has taken away what their writer counted on (``content-collected``, retryable).
    StateError
        The lake may not store so much (``over-limit``).
    """
    records = _register(tx, packs)
    if records:
        check_room(tx, records)


def _register(tx: Transaction, packs: Iterable[SealedPack]) -> list[BlobRecord]:
    """Register packs, and return the records of those that are new."""
    records: list[BlobRecord] = []
    for pack in packs:
        if tx.blobs.add_pack(pack.name, pack.size_bytes, pack.records):
            records += pack.records
    if isinstance(packs, SealedPacks):
        packs.check(tx)
    return records


def check_room(tx: Transaction, records: Iterable[BlobRecord], more_bytes: int = 0) -> None:
    """Refuse what makes a lake larger than its quota allows.

    Trees and commits go a little above it: somebody must still be able to delete something.

    Parameters
    ----------
    records
        What is new.
    more_bytes
        What is not registered yet of that.

    Raises
    ------
    StateError
        The lake may not store so much (``over-limit``).
    """
    stored_bytes, quota_bytes = tx.blobs.room()
    if quota_bytes is None or stored_bytes + more_bytes <= quota_bytes:
        return
    if not any(record.kind in _CONTENT for record in records):
        reserve = quota_bytes // _RESERVED_SHARE + _RESERVED_BYTES
        if stored_bytes + more_bytes <= quota_bytes + reserve:
            return
    raise StateError(
        f"The lake may store {quota_bytes:,} bytes, and with this it would be"
        f" {stored_bytes + more_bytes:,}",
        kind=ErrorKind.OVER_LIMIT,
        hint="Remove what is not needed ('datalake retention apply', 'datalake maintenance gc'), or"
        " raise the quota: datalake maintenance set-quota; what is staged is still there",
        quota_bytes=quota_bytes,
        stored_bytes=stored_bytes,
    )


@dataclass(frozen=True, slots=True)
class _ClosedPack:
    """A pack that is written to its end and has no name in the store yet."""

    upload: Upload
    sealed: SealedPack


class BlobWriter:
    """Collects blobs into packs, leaving out what the lake has already. For one thread.

    Usage::

        with BlobWriter(objects, metadata) as writer:
            digest = writer.add(BlobKind.CHUNK, data)
            packs = writer.seal()
            with metadata.write() as tx:
                register_packs(tx, packs)
                ...                         # what makes use of the blobs

    Left without `seal`, it leaves nothing but packs that were full and registered on the way:
    garbage for gc.

    What has the digest of a stored blob and another size is refused (``digest-collision``).

    Parameters
    ----------
    stored
        Reads what the lake has. If it is given, a blob that is left out because the lake has it is
        compared with that byte by byte, which costs reading it.
    """

    def __init__(
        self, objects: ObjectStore, metadata: MetadataStore, *, stored: BlobReader | None = None
    ) -> None:
        self._objects = objects
        self._metadata = metadata
        self._stored = stored
        self._queue: list[tuple[Digest, BlobKind, Bytes]] = []
        self._queued_bytes = 0
        self._seen: dict[Digest, int] = {}
        """Sizes of the blobs that were met before."""
        self._upload: Upload | None = None
        self._parts: list[Bytes] = []
        """What is to be written next; small pieces are joined, as each write has its price."""
        self._parts_bytes = 0
        self._window: mmap.mmap | None = None
        self._records: list[BlobRecord] = []
        self._offset = 0
        self._reliance = Reliance()
        self._thread: ThreadPoolExecutor | None = None
        self._finishing: Future[SealedPack] | None = None
        """The full pack before this one, on its way to a store that is far."""
        self._is_lost = False
        """Whether a pack could not be stored: its blobs are nowhere."""
        self._sealed: list[SealedPack] = []
        """Packs that `seal` made; whether the caller's transaction committed is not known here."""
        self.added_bytes = 0
        """Bytes given to `add` so far."""
        self.stored_bytes = 0
        """Bytes that went into packs so far."""

    def add(self, kind: BlobKind, data: bytes | memoryview) -> Digest:
        """Take one blob and return its digest; a view is copied and may be reused at once."""
        _check_size(data)
        digest = digest_of(data)
        self.added_bytes += len(data)
        if self._is_new(digest, len(data)):
            self._queue.append((digest, kind, bytes(data)))
            self._queued_bytes += len(data)
            if self._queued_bytes >= BATCH_BYTES or len(self._queue) >= BATCH_COUNT:
                self._flush()
        return digest

    def add_many(self, kind: BlobKind, blobs: Sequence[Bytes]) -> list[Digest]:
        """Take blobs and return their digests, in order; hashed and compressed in threads.

        They are not copied: on return the memory behind views may be reused.
        """
        for data in blobs:
            _check_size(data)
        if isinstance(self._objects, RemoteObjectStore):
            # The threads that send have the processors: to hand this over takes longer than it.
            digests = [digest_of(data) for data in blobs]
        else:
            digests = _digests(blobs)
        self.added_bytes += sum(map(len, blobs))
        self._store(
            [
                (digest, kind, data)
                for digest, data in zip(digests, blobs, strict=True)
                if self._is_new(digest, len(data))
            ]
        )
        return digests

    def window(self, size: int) -> memoryview:
        """Return memory of at least this size to read into, the same again at every call."""
        if self._window is None or len(self._window) < size:
            self._window = mmap.mmap(-1, size)  # costs nothing until it is written to
        return memoryview(self._window)

    def missing(self, digests: Iterable[Digest]) -> list[Digest]:
        """Return those of `digests` that neither the lake nor this writer has, each once."""
        wanted = [one for one in dict.fromkeys(digests) if one not in self._seen]
        if not wanted:
            return []
        with self._metadata.read() as tx:
            self._reliance.begin(tx)
            known = tx.blobs.known(wanted)
        self._reliance.add(known)
        return [one for one in wanted if one not in known]

    def flush(self) -> None:
        """Put what was added so far into the pack that is being written."""
        self._flush()

    def add_stored(self, record: BlobRecord, payload: bytes) -> None:
        """Take a blob in its stored form, as another pack holds it.

        The caller has verified it (`engine.transfer`), and asked `missing` whether it is wanted.
        """
        if self._is_new(record.digest, record.raw_size):
            self.added_bytes += record.raw_size
            self._append(record.digest, record.kind, record.codec, payload, record.raw_size)

    def count_on(self, commit_id: CommitId) -> None:
        """Make use of what a commit holds, which must still be there when that is registered."""
        self._reliance.add_commit(commit_id)

    def seal(self) -> SealedPacks:
        """Make everything that was added durable and return the packs to be registered.

        Packs of earlier calls are among them: the transaction that was to register those may
        have been rolled back, and registering a pack twice changes nothing. Not to be called
        inside a transaction.
        """
        self._settle()  # if it failed, this tells why
        if self._is_lost:
            raise InternalError("A pack of this writer could not be stored; what is in it is lost")
        self._flush()
        self._settle()
        if self._upload is not None:
            self._sealed.append(self._finish(self._close_pack()))
        return SealedPacks(self._sealed, self._reliance, self._objects)

    def publish(self) -> None:
        """Make everything that was added findable for all, before it is known what it is for."""
        packs = self.seal()
        with self._metadata.write() as tx:
            register_packs(tx, packs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, ConflictError | StateError) and self._sealed:
            self._keep_refused()
        if self._upload is not None:
            self._upload.__exit__(exc_type, exc, traceback)
            self._upload = None
        if self._thread is not None:
            # What is still being finished is garbage then; the store must not close before it.
            self._thread.shutdown(wait=True, cancel_futures=True)
            self._thread = None

    def _keep_refused(self) -> None:
        """Register packs whose transaction was refused, as garbage.

        Otherwise gc would find packs with commits that no row knows, and take them for what a
        database has lost that was restored.
        """
        packs = SealedPacks(self._sealed, self._reliance, self._objects)
        with suppress(DatalakeError), self._metadata.write() as tx:
            _register(tx, packs)

    def _is_new(self, digest: Digest, size: int) -> bool:
        """Tell whether this writer has not met a digest, and remember it."""
        before = self._seen.get(digest)
        if before is not None:
            if before != size:
                raise _collision(digest, f"one has {before} bytes and the other {size}")
            return False
        if len(self._seen) >= _SEEN_LIMIT:
            self._seen.clear()  # costs a few look-ups, never a wrong blob
        self._seen[digest] = size
        return True

    def _flush(self) -> None:
        queue, self._queue, self._queued_bytes = self._queue, [], 0
        self._store(queue)

    def _store(self, queue: Sequence[tuple[Digest, BlobKind, Bytes]]) -> None:
        """Append those blobs to packs that the lake has not."""
        if not queue:
            return
        with self._metadata.read() as tx:
            self._reliance.begin(tx)
            known = tx.blobs.sizes(digest for digest, _, _ in queue)
        self._compare({digest: data for digest, _, data in queue if digest in known}, known)
        self._reliance.add(known)
        # A commit is written even if its bytes are known: its record is what a rebuild looks for.
        fresh = [item for item in queue if item[0] not in known or item[1] is BlobKind.COMMIT]
        stored = _encode_all([data for _, _, data in fresh])
        for (digest, kind, data), (codec, payload) in zip(fresh, stored, strict=True):
            self._append(digest, kind, codec, payload, len(data))
        self._write_parts()  # views among them end with the caller's call

    def _compare(self, written: dict[Digest, Bytes], sizes: dict[Digest, int]) -> None:
        """Refuse blobs that are to be left out, and are not what the lake has of their name."""
        for digest, data in written.items():
            if sizes[digest] != len(data):
                raise _collision(
                    digest, f"the lake has {sizes[digest]} bytes and {len(data)} were to be written"
                )
        if self._stored is None:
            return
        found = self._stored.get_many(list(written))
        for (digest, data), stored in zip(written.items(), found, strict=True):
            if stored != data:
                raise _collision(digest, f"the lake has other {len(data)} bytes")

    def _append(
        self, digest: Digest, kind: BlobKind, codec: Codec, payload: Bytes, raw_size: int
    ) -> None:
        if self._upload is None:
            self._upload = self._objects.upload()
            self._upload.write(encode_header())
            self._offset = HEADER_SIZE
            self._records = []
        size = len(payload)
        record = BlobRecord(digest, kind, codec, self._offset + RECORD_HEADER_SIZE, size, raw_size)
        self._parts.append(encode_record_header(record))
        if size >= _LARGE_BYTES:
            self._write_parts()
            self._upload.write(payload)
        else:
            self._parts.append(payload)
            self._parts_bytes += RECORD_HEADER_SIZE + size
            if self._parts_bytes >= _JOINED_BYTES:
                self._write_parts()
        self._records.append(record)
        self._offset = record.offset + size
        self.stored_bytes += size
        if self._offset >= PACK_TARGET_BYTES or len(self._records) >= PACK_TARGET_BLOBS:
            closed = self._close_pack()
            if isinstance(self._objects, RemoteObjectStore):
                # It takes as long to send a pack as to fill the next one: both at once. The one
                # before has its last words with the store while this one is on its way already.
                finishing = self._finisher().submit(self._finish, closed)
                self._settle()
                self._finishing = finishing
            else:
                self._register(self._finish(closed))

    def _finish(self, closed: _ClosedPack) -> SealedPack:
        """Make a pack durable; if that fails, this writer seals nothing any more."""
        try:
            with closed.upload:
                closed.upload.finish(pack_object(closed.sealed.name))
        except BaseException:
            self._is_lost = True
            raise
        return closed.sealed

    def _finisher(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(2, thread_name_prefix="finish-pack")
        return self._thread

    def _settle(self) -> None:
        """Wait for the pack that is being finished, and register it."""
        finishing, self._finishing = self._finishing, None
        if finishing is not None:
            self._register(finishing.result())

    def _register(self, full: SealedPack) -> None:
        with self._metadata.write() as tx:
            register_packs(tx, [full])
        # From here on they are garbage to gc until something names them.
        self._reliance.add(record.digest for record in full.records)

    def _write_parts(self) -> None:
        parts, self._parts, self._parts_bytes = self._parts, [], 0
        if parts:
            assert self._upload is not None
            self._upload.write(b"".join(parts))

    def _close_pack(self) -> _ClosedPack:
        """Write the end of the pack; what remains is to make it appear in the store."""
        assert self._upload is not None
        self._write_parts()
        index = encode_index(self._records)
        while not self._is_welcome(pack_name(index), self._offset + len(index) + TRAILER_SIZE):
            # gc is about to delete an object of this very name. An empty blob more makes another.
            empty = BlobRecord(
                digest_of(b""), BlobKind.CHUNK, Codec.RAW, self._offset + RECORD_HEADER_SIZE, 0, 0
            )
            self._upload.write(encode_record_header(empty))
            self._records.append(empty)
            self._offset = empty.offset
            index = encode_index(self._records)
        trailer = encode_trailer(index, self._offset)
        self._upload.write(index)
        self._upload.write(trailer)
        size_bytes = self._offset + len(index) + len(trailer)
        sealed = SealedPack(pack_name(index), size_bytes, self._records)
        upload, self._upload = self._upload, None
        return _ClosedPack(upload, sealed)

    def _is_welcome(self, name: str, size_bytes: int) -> bool:
        """Tell whether a pack may have a name, and refuse it where the lake may not have it at all.

        Others may register theirs before it is: `register_packs` looks for room once more.
        """
        try:
            with self._metadata.read() as tx:
                check_room(tx, self._records, size_bytes)
                return not tx.blobs.is_retired(name)
        except StateError:
            self._is_lost = True
            raise


def _collision(digest: Digest, how: str) -> CorruptDataError:
    return CorruptDataError(
        f"Two contents have the digest {digest.hex()}: {how}. Nothing was committed",
        kind=ErrorKind.DIGEST_COLLISION,
        hint="By chance this does not happen: run 'datalake maintenance verify' to see whether what"
        " is stored is sound, and test the memory of this machine",
        blob=digest.hex(),
    )


def _check_size(data: Bytes) -> None:
    if len(data) > MAX_BLOB_BYTES:
        raise InternalError(f"A blob of {len(data):,} bytes could not be read back")


def _digests(blobs: Sequence[Bytes]) -> list[Digest]:
    """Return the digests of blobs; small ones cost less than handing them to a thread."""
    if sum(map(len, blobs)) < _LARGE_BYTES * max(len(blobs), 2):
        return [digest_of(data) for data in blobs]
    return _in_threads(blobs, _average(blobs), lambda part: [digest_of(data) for data in part])


def _encode_all(blobs: Sequence[Bytes]) -> list[tuple[Codec, Bytes]]:
    """Return how each blob is stored, in order; only compressing is worth a thread."""
    may_shrink = [_may_shrink(data) for data in blobs]
    tried = list(compress(blobs, may_shrink))
    packed = iter(
        _in_threads(tried, _average(tried), lambda part: [_encode(data) for data in part])
    )
    return [
        next(packed) if is_tried else (Codec.RAW, data)
        for data, is_tried in zip(blobs, may_shrink, strict=True)
    ]


def _average(blobs: Sequence[Bytes]) -> int:
    return sum(map(len, blobs)) // max(len(blobs), 1)


def _in_threads(
    blobs: Sequence[_Item], average: int, work: Callable[[Sequence[_Item]], list[_Result]]
) -> list[_Result]:
    """Return what `work` makes of all blobs, in order, done in several threads if that pays.

    `average` is their size in bytes.
    """
    count = len(blobs)
    smallest = 1 if average >= _LARGE_BYTES else _SLICE_COUNT
    parts = min(_pool.workers, count // smallest)
    if parts < 2:  # nothing to share out
        return work(blobs)
    borders = [count * part // parts for part in range(parts + 1)]
    tasks = [_pool.submit(partial(work, blobs[start:end])) for start, end in pairwise(borders[1:])]
    # This thread would only wait, so it does a part itself.
    done = work(blobs[: borders[1]])
    for task in tasks:
        done += task.result()
    return done


def _may_shrink(data: Bytes) -> bool:
    """Tell by a probe of a large blob whether compressing it may save something."""
    if len(data) <= 2 * _PROBE_BYTES:
        return True
    middle = len(data) // 2
    probe = b"".join((data[:_PROBE_BYTES], data[middle : middle + _PROBE_BYTES]))
    return len(_compressor().compress(probe)) <= len(probe) * _PROBE_RATIO


def _encode(data: Bytes) -> tuple[Codec, Bytes]:
    """Compress a blob if that saves something."""
    packed = _compressor().compress(data)
    if len(packed) > len(data) * _WORTHWHILE:
        return Codec.RAW, data
    return Codec.ZSTD, packed


def _compressor() -> zstandard.ZstdCompressor:
    # Contexts must not be shared between threads, and cost too much to make for every blob.
    found: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if found is None:
        found = _local.compressor = zstandard.ZstdCompressor(
            level=_COMPRESSION_LEVEL, write_content_size=True
        )
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = _local.decompressor = zstandard.ZstdDecompressor()
    return found
