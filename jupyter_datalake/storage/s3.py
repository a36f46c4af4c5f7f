"""Objects in an S3 bucket, below one prefix.

What is taken for granted of the server, and probed when a lake is made: a PUT with
``If-None-Match: *`` is atomic. What is not: that an answer comes, that a PUT answered with 200
holds every byte, that a body is whole, that a key that was written is seen at once everywhere.
`docs/storage.md` tells what each costs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from jupyter_datalake.config import S3Location
from jupyter_datalake.errors import (
    CorruptDataError,
    DatalakeError,
    ErrorKind,
    NotFoundError,
    StorageError,
)
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.storage.base import ObjectInfo, ObjectStore, check_object_name
from jupyter_datalake.storage.retrying import Patience
from jupyter_datalake.storage.s3_client import S3Client, S3Error
from jupyter_datalake.storage.s3_parts import PART_BYTES, PartMemory, Parts

SINGLE_PUT_BYTES = 16 << 20
"""Up to this, an object is one request."""

UPLOAD_MEMORY_BYTES = 16 * PART_BYTES
"""A pack that is sent and one that is filled meanwhile."""

_THREADS = 8
"""A pack is eight parts: they go together."""
_LARGEST_OBJECT = 50 << 40
_MAX_STORES = 3
_MISSING_PAUSES_S = (0.05, 0.2, 0.5)
"""How long a key that is not there is waited for: a copy of the store may lag behind."""

_NOT_FOUND = 404
_CONFLICTS = frozenset({409, 412})
"""Answers to a conditional request whose condition does not hold, or not yet."""
_RANGE_OUTSIDE = 416
_PARTIAL = 206

_WRITER = "writer"
"""Metadata of an object: a random word by which its writer knows its own."""

_PROBES = "probe/"
"""What the names of objects begin with that are written only to see what the server does."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the server says of an object."""

    size_bytes: int
    etag: str
    writer: str
    modified_at: datetime
    is_encrypted: bool
    """With a key of the server's: the ETag says nothing of the content then."""


class S3ObjectStore:
    """An `ObjectStore` below a prefix of a bucket; see `RemoteObjectStore` too.

    Parameters
    ----------
    location
        The bucket, the prefix, and how the server is talked to.
    spool_folder
        Where uploads grow until their name is known, as far as there is no room in memory. The
        system's temporary folder when None.
    memory_bytes
        What uploads may hold in memory together.
    patience
        How long failures are tried again; what `location` says when None.
    """

    def __init__(
        self,
        location: S3Location,
        *,
        spool_folder: Path | None = None,
        memory_bytes: int = UPLOAD_MEMORY_BYTES,
        patience: Patience | None = None,
    ) -> None:
        self.location = location
        self.spool_folder = spool_folder
        self.memory = PartMemory(memory_bytes)
        self.client = S3Client(location, patience)
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        renew_after_fork(self, S3ObjectStore._forget_threads)

    # --- writing ---------------------------------------------------------------------------------

    def upload(self) -> S3Upload:
        """Begin to write an object; see `ObjectStore.upload`."""
        return S3Upload(self)

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; see `ObjectStore.create`."""
        return self.put(name, data, replaces_damage=False)

    def put(self, name: str, data: bytes, *, replaces_damage: bool = True) -> bool:
        """Write an object in one request unless the name is taken; tell whether it was written.

        Parameters
        ----------
        replaces_damage
            Whether a half-stored object is written anew without a condition: right for names
            that are digests.
        """
        key = self.key(name)
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        token = secrets.token_hex(16)
        request = {
            "Key": key,
            "Body": data,
            "ContentMD5": b64encode(digest).decode(),
            "Metadata": {_WRITER: token},
        }
        if not self._put_new(name, request, token):
            return False
        for _ in range(_MAX_STORES):
            stored = self._find(name, is_known=True)
            if stored.writer not in {token, ""}:
                return True  # ours was whole or not, and somebody has replaced it since
            if self._is_whole(name, stored, len(data), digest.hex(), lambda: iter([data])):
                return True
            again = request if replaces_damage else {**request, "IfMatch": stored.etag}
            self.client.retrying(
                f"write {name}", partial(self.client.request, "put_object", **again)
            )
        raise _half_stored(name, len(data))

    def _put_new(self, name: str, request: dict[str, Any], token: str) -> bool:
        """Write an object if there is none; a write whose answer was lost is known as our own."""
        is_unclear = False

        def act() -> bool:
            nonlocal is_unclear
            try:
                self.client.request("put_object", IfNoneMatch="*", **request)
                return True
            except S3Error as failure:
                if failure.status in _CONFLICTS:
                    found = self._look(request["Key"])
                    if found is None:
                        # A racer that has not won yet, or an object that was deleted meanwhile.
                        raise S3Error(failure.code, is_transient=True) from failure
                    return is_unclear and found.writer == token
                is_unclear = is_unclear or failure.is_transient
                raise

        return self.client.retrying(f"write {name}", act)

    def _is_whole(
        self,
        name: str,
        stored: _Stored,
        size: int,
        etag: str,
        again: Callable[[], Iterator[bytes | bytearray]],
    ) -> bool:
        """Tell whether an object that was just written holds what was sent.

        The ETag says so, except on servers that make it otherwise: there the bytes are read back.
        """
        if stored.size_bytes != size:
            return False
        if stored.etag == etag or stored.is_encrypted:
            return True
        position = 0
        for piece in again():
            if self.read(name, position, len(piece)) != piece:
                return False
            position += len(piece)
        return True

    # --- reading ---------------------------------------------------------------------------------

    @property
    def origin(self) -> ObjectStore:
        """Return this store: it keeps no copies."""
        return self

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object; see `ObjectStore.read`. Long parts come in several requests."""
        if length <= 0:
            self.info(name)
            return b""
        if length <= PART_BYTES:
            return joined(self._read_range(name, start, length)[0])
        # The first parts go at once, whether or not the object is as long; then its size is known.
        behind = start + min(length, _THREADS * PART_BYTES)
        first = self._read_parts(name, start, min(behind, start + length))
        total = first[0][1]
        rest = self._read_parts(name, behind, min(start + length, total))
        return b"".join(piece for pieces, _ in (*first, *rest) for piece in pieces)

    def read_pieces(self, name: str, start: int, length: int) -> Sequence[bytes]:
        """Return part of an object as it came, in one request; see `ReadsPieces.read_pieces`."""
        return self._read_range(name, start, length)[0]

    def _read_parts(self, name: str, start: int, end: int) -> Sequence[tuple[Sequence[bytes], int]]:
        """Return the parts of a range, read at the same time, each with the size of the object."""
        places = range(start, end, PART_BYTES)
        return _results(
            [
                self.submit(self._read_range, name, place, min(PART_BYTES, end - place))
                for place in places
            ]
        )

    def forget(self, name: str) -> None:
        """Nothing to drop: this store keeps no copies."""

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object; see `ObjectStore.info`."""
        stored = self._find(name)
        return ObjectInfo(name, stored.size_bytes, stored.modified_at)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`; see `ObjectStore.list`.

        Keys below the prefix that cannot be names of objects are somebody else's.
        """
        place = self.location.prefix
        for item in self.list_keys(place + prefix):
            name = item["Key"][len(place) :]
            with suppress(DatalakeError):
                check_object_name(name)
                yield ObjectInfo(name, item["Size"], _seconds(item["LastModified"]))

    def list_keys(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield what the server lists of every key that begins with `prefix`, as boto3 calls it."""
        after: dict[str, str] = {}
        while True:
            request = {"Prefix": prefix, **after}
            page = self.client.retrying(
                f"list {prefix or 'everything'}",
                partial(self.client.request, "list_objects_v2", **request),
            )
            yield from page.get("Contents", ())
            if not page.get("IsTruncated"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def _read_range(self, name: str, start: int, length: int) -> tuple[Sequence[bytes], int]:
        """Return up to `length` bytes, at least one, in pieces, and the size of the object."""
        reading = RangeReading(self.client, self.key(name), start, length)
        for pause in (*_MISSING_PAUSES_S, None):
            try:
                return reading.run(f"read {name}")
            except KeyMissingError:
                if pause is not None:
                    self.client.pause(pause)
        raise _missing(name)

    def _find(self, name: str, *, is_known: bool = False) -> _Stored:
        """Return what the server says of an object, or raise `NotFoundError`.

        Parameters
        ----------
        is_known
            Whether it was just written: then it is waited for as long as for an answer.
        """
        key = self.key(name)
        if is_known:

            def act() -> _Stored:
                found = self._look(key)
                if found is None:
                    raise S3Error("not there yet", is_transient=True)
                return found

            return self.client.retrying(f"look at {name}", act)
        for pause in (*_MISSING_PAUSES_S, None):
            stored = self.client.retrying(f"look at {name}", lambda: self._look(key))
            if stored is not None:
                return stored
            if pause is not None:
                self.client.pause(pause)
        raise _missing(name)

    def _look(self, key: str) -> _Stored | None:
        try:
            answer = self.client.request("head_object", Key=key)
        except S3Error as failure:
            if failure.status == _NOT_FOUND:
                return None
            raise
        return _Stored(
            answer["ContentLength"],
            answer["ETag"].strip('"'),
            answer.get("Metadata", {}).get(_WRITER, ""),
            _seconds(answer["LastModified"]),
            answer.get("ServerSideEncryption", "AES256") != "AES256"
            or "SSECustomerAlgorithm" in answer,
        )

    # --- deleting, handing out -------------------------------------------------------------------

    def delete(self, name: str) -> None:
        """Remove an object; see `ObjectStore.delete`. A versioned bucket keeps what it keeps."""
        key = self.key(name)
        self.client.retrying(
            f"delete {name}", lambda: self.client.request("delete_object", Key=key)
        )

    def sweep_uploads(self, *, older_than_s: float) -> int:
        """Abort uploads that nobody will finish; see `RemoteObjectStore.sweep_uploads`.

        What a `probe` left that was killed goes too.
        """
        limit = datetime.now(UTC) - timedelta(seconds=older_than_s)
        count = 0
        for upload in list(self._unfinished()):
            if upload["Initiated"] > limit:
                continue
            with suppress(NotFoundError):  # somebody else swept it, or it was finished
                self._abort(upload["Key"], upload["UploadId"])
                count += 1
        for item in list(self.list_keys(self.location.prefix + _PROBES)):
            if item["LastModified"] <= limit:
                self.delete(item["Key"][len(self.location.prefix) :])
                count += 1
        return count

    def _unfinished(self) -> Iterator[dict[str, Any]]:
        after: dict[str, str] = {}
        while True:
            request = {"Prefix": self.location.prefix, **after}
            page = self.client.retrying(
                "list unfinished uploads",
                partial(self.client.request, "list_multipart_uploads", **request),
            )
            for upload in page.get("Uploads", ()):
                # Not every server heeds the prefix, and what is not below it is not ours.
                if upload["Key"].startswith(self.location.prefix):
                    yield upload
            if not page.get("IsTruncated"):
                return
            after = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    def _abort(self, key: str, upload_id: str) -> None:
        def act() -> None:
            try:
                self.client.request("abort_multipart_upload", Key=key, UploadId=upload_id)
            except S3Error as failure:
                if failure.status == _NOT_FOUND:
                    raise NotFoundError(
                        "The upload has ended", kind=ErrorKind.OBJECT_NOT_FOUND
                    ) from failure
                raise

        self.client.retrying("abort an upload", act)

    def presign(self, name: str, *, expires_s: int, filename: str) -> str:
        """Return a URL that reads an object; see `LinkingObjectStore.presign`."""
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return self.client.presign(
            {
                "Key": self.key(name),
                "ResponseContentDisposition": disposition,
                "ResponseContentType": "application/octet-stream",
            },
            expires_s,
        )

    def close(self) -> None:
        """Close connections and threads; the next call opens new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        self.client.close()

    # --- for the upload, the cache and the probe -------------------------------------------------

    def key(self, name: str) -> str:
        """Return the key of an object."""
        return self.location.prefix + check_object_name(name)

    def submit(self, act: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run something in one of the few threads that transfer parts."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")
            return self._pool.submit(act, *arguments)

    def put_parts(self, name: str, parts: Parts) -> None:
        """Write an object in parts, unless it is there."""
        key, size = self.key(name), parts.size_bytes
        there = self.client.retrying(f"look at {name}", lambda: self._look(key))
        if there is not None:
            check_same_size(name, there.size_bytes, size)
            return
        for _ in range(_MAX_STORES):
            etag = self._put_parts(name, parts)
            stored = self._find(name, is_known=True)
            if self._is_whole(name, stored, size, etag, parts.pieces):
                return
        raise _half_stored(name, size)

    def _put_parts(self, name: str, parts: Parts) -> str:
        """Write an object in parts, and return the ETag that it has where ETags are MD5s."""
        key = self.key(name)
        begun = self.client.retrying(
            f"write {name}", lambda: self.client.request("create_multipart_upload", Key=key)
        )
        upload_id = begun["UploadId"]
        sending: list[Future[Any]] = []
        try:
            for number in range(1, parts.count + 1):
                sending.append(self.submit(self._put_part, key, upload_id, number, parts))
            sent = _results(sending)
            self._complete(name, upload_id, [(number, etag) for number, etag, _ in sent], parts)
        except BaseException:
            for one in sending:
                one.cancel()
            with suppress(DatalakeError):  # else gc sweeps it up
                self._abort(key, upload_id)
            raise
        joined = hashlib.md5(b"".join(digest for _, _, digest in sent), usedforsecurity=False)
        return f"{joined.hexdigest()}-{len(sent)}"

    def _put_part(
        self, key: str, upload_id: str, number: int, parts: Parts
    ) -> tuple[int, str, bytes]:
        data = parts.read(number)
        digest = hashlib.md5(data, usedforsecurity=False).digest()

        def act() -> str:
            answer = self.client.request(
                "upload_part",
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                ContentMD5=b64encode(digest).decode(),
            )
            etag: str = answer["ETag"].strip('"')
            is_md5 = answer.get("ServerSideEncryption", "AES256") == "AES256"
            if is_md5 and _MD5.fullmatch(etag) and etag != digest.hex():
                raise S3Error("a part was not stored as it was sent", is_transient=True)
            return etag

        return number, self.client.retrying(f"write part {number} of {key}", act), digest

    def _complete(
        self, name: str, upload_id: str, sent: Sequence[tuple[int, str]], parts: Parts
    ) -> None:
        key = self.key(name)
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in sent]

        def act() -> None:
            try:
                self.client.request(
                    "complete_multipart_upload",
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": listed},
                )
            except S3Error as failure:
                # An upload that is gone was completed by an attempt whose answer was lost.
                there = self._look(key) if failure.status == _NOT_FOUND else None
                if there is None or there.size_bytes != parts.size_bytes:
                    raise

        self.client.retrying(f"write {name}", act)

    def _forget_threads(self) -> None:
        self._lock = threading.Lock()
        self._pool = None


_MD5 = re.compile(r"[0-9a-f]{32}")


class S3Upload:
    """An object that grows in memory and on the disk; see `storage.base.Upload`.

    S3 wants the key first and ours comes last, so the bytes go to the server in `finish`, in
    parts at the same time.
    """

    def __init__(self, store: S3ObjectStore) -> None:
        self._store = store
        self._parts = Parts(store.memory, store.spool_folder)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._parts.append(data)

    def finish(self, name: str) -> None:
        """Make the object appear whole under `name`, unless it is there already.

        Raises
        ------
        CorruptDataError
            What is there has another size, so it was not written whole.
        """
        check_object_name(name)
        size = self._parts.size_bytes
        if size > SINGLE_PUT_BYTES:
            self._store.put_parts(name, self._parts)
        elif not self._store.put(name, self._parts.all()):
            check_same_size(name, self._store.info(name).size_bytes, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._parts.close(may_be_in_use=exc_type is not None)


class KeyMissingError(Exception):
    """There is no object of this key, as far as the server knows at the moment."""


class KeyChangedError(Exception):
    """Another object has this key by now."""


class RangeReading:
    """The reading of one range of one key, taken up again where it broke off.

    Parameters
    ----------
    length
        At least 1.
    etag
        Of the object that is meant, in quotes; another one fails with `KeyChangedError`. The
        first that is found when None.
    """

    def __init__(
        self, client: S3Client, key: str, start: int, length: int, *, etag: str | None = None
    ) -> None:
        self._client = client
        self._wanted_etag = etag
        self._key = key
        self._start = start
        self._end = start + min(length, _LARGEST_OBJECT)
        self._backoff = client.backoff()
        self._etag: str | None = None
        self._pieces: list[bytes] = []
        self._got = 0
        self._total = 0

    def run(self, subject: str) -> tuple[list[bytes], int]:
        """Return the bytes, fewer only where the object ends, and the size of the object.

        The pieces are of a mebibyte each but for the last, unless the reading broke off.

        Where there is no such key it fails with `KeyMissingError`, and may be run again.

        Raises
        ------
        StorageError
            The server failed for too long.
        """
        self._client.retrying(subject, self._attempt, self._backoff)
        return self._pieces, self._total

    def _attempt(self) -> None:
        place = self._start + self._got
        try:
            answer = self._client.request(
                "get_object", Key=self._key, Range=f"bytes={place}-{self._end - 1}"
            )
        except S3Error as failure:
            if failure.status == _RANGE_OUTSIDE:
                return  # the object ends before the range begins
            if failure.status == _NOT_FOUND and failure.code != "NoSuchBucket":
                raise KeyMissingError(self._key) from failure
            raise
        if self._wanted_etag not in {None, answer["ETag"]}:
            raise KeyChangedError(self._key)
        if self._etag not in {None, answer["ETag"]}:
            self._pieces, self._got = [], 0  # another object took its name: begin anew
            self._etag = None
            raise S3Error("the object changed while it was read", is_transient=True)
        self._etag = answer["ETag"]
        skip, expected = self._extent(answer, place)
        for piece in self._client.pieces(answer):
            if skip >= len(piece):
                skip -= len(piece)
                continue
            wanted, skip = piece[skip : skip + expected], 0
            self._pieces.append(wanted)
            self._got += len(wanted)
            expected -= len(wanted)
            self._backoff.progressed()
            if not expected:
                return
        if expected:
            raise S3Error(f"the body ended {expected} bytes early", is_transient=True)

    def _extent(self, answer: dict[str, Any], place: int) -> tuple[int, int]:
        """Return how much of a body comes before what was asked for, and how much is wanted."""
        if answer["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL:
            # A server that does not know ranges sends everything; an empty object has none.
            self._total = answer["ContentLength"]
            if self._total == 0 and self._size() != 0:
                raise S3Error("an empty answer", is_transient=True)
            return place, max(0, min(self._end, self._total) - place)
        found = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
        if found is None or int(found[1]) != place:
            raise S3Error("an answer with another range", is_transient=True)
        self._total = int(found[3])
        return 0, min(self._end, self._total) - place

    def _size(self) -> int:
        try:
            size: int = self._client.request("head_object", Key=self._key)["ContentLength"]
        except S3Error as failure:
            raise S3Error("an empty answer", is_transient=True) from failure
        return size


def probe(store: S3ObjectStore) -> None:
    """Raise unless a store does what a lake needs of it; leaves nothing behind.

    Raises
    ------
    StorageError
        Kind ``storage-unsuitable``: it ignores the condition of a write. Kind
        ``storage-denied``: a right is missing.
    """
    name = f"{_PROBES}{secrets.token_hex(16)}"
    try:
        first = store.create(name, b"first")
        second = store.create(name, b"second")
        kept = store.read(name, 0, 16)
        listed = [one.name for one in store.list(name)]
    finally:
        store.delete(name)
    if (first, second, kept) != (True, False, b"first"):
        raise StorageError(
            f"The store of bucket {store.location.bucket} ignores the condition If-None-Match of"
            " a write: two people could both make what only one may",
            kind=ErrorKind.STORAGE_UNSUITABLE,
            hint="Use a server that knows conditional writes; docs/storage.md names some",
        )
    if listed != [name]:
        raise StorageError(
            f"The store of bucket {store.location.bucket} does not list what was just written",
            kind=ErrorKind.STORAGE_UNSUITABLE,
            hint="Use a server with consistent listings; docs/storage.md names some",
        )


def check_same_size(name: str, there: int, ours: int) -> None:
    """Raise `CorruptDataError` where an object that has our name has not our size."""
    if there != ours:
        raise CorruptDataError(
            f"Object {name} is in the store with {there:,} bytes instead of {ours:,}",
            kind=ErrorKind.CORRUPT_OBJECT,
            hint="It was not written whole, or changed since: run 'datalake maintenance verify'",
            object=name,
        )


def joined(pieces: Sequence[bytes]) -> bytes:
    """Return pieces as one, without a copy where there is only one."""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _results(futures: Sequence[Future[Any]]) -> Sequence[Any]:
    """Return what all have returned, in order; the first failure takes back the rest."""
    try:
        return [one.result() for one in futures]
    except BaseException:
        for one in futures:
            one.cancel()
        raise


def _seconds(time: datetime) -> datetime:
    """Return a time without its fraction, which listings have and look-ups have not."""
    return time.astimezone(UTC).replace(microsecond=0)


def _missing(name: str) -> NotFoundError:
    return NotFoundError(
        f"Object {name} is not in the store",
        kind=ErrorKind.OBJECT_NOT_FOUND,
        hint="Run 'datalake maintenance verify' to list what is missing",
        object=name,
    )


def _half_stored(name: str, size: int) -> StorageError:
    return StorageError(
        f"The store says it has {name}, but not with the {size:,} bytes that were sent",
        hint="Try again; nothing makes use of it",
        retryable=True,
        object=name,
    )
