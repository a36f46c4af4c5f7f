"""Objects below a prefix of somebody's bucket, to be imported: listed, and read as streams."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from jupyter_datalake.config import S3Location
from jupyter_datalake.errors import ErrorKind, NotFoundError, PathNotFoundError, StorageError
from jupyter_datalake.storage.base import SourceObject
from jupyter_datalake.storage.retrying import Patience
from jupyter_datalake.storage.s3 import (
    KeyChangedError,
    KeyMissingError,
    RangeReading,
    S3ObjectStore,
    joined,
)
from jupyter_datalake.storage.s3_client import S3Error
from jupyter_datalake.storage.s3_parts import PART_BYTES

_THREADS = 6


class S3Source:
    """An `ObjectSource`: what is below ``s3://bucket/prefix``, or the one object of that key.

    Parameters
    ----------
    location
        The bucket, the prefix, and how the server is talked to.
    patience
        How long failures are tried again; what `location` says when None.
    """

    def __init__(self, location: S3Location, *, patience: Patience | None = None) -> None:
        self._location = location
        self._store = S3ObjectStore(location, patience=patience)
        self._client = self._store.client
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3-source")
        self._is_closed = False

    @property
    def url(self) -> str:
        """Names the place; holds no secret."""
        return self._location.url

    def list(self) -> Iterator[SourceObject]:
        """Yield what there is, in the order of the keys; see `ObjectSource.list`.

        Raises
        ------
        PathNotFoundError
            There is nothing.
        """
        prefix = self._location.prefix
        is_empty = True
        for item in self._store.list_keys(prefix):
            is_empty = False
            yield SourceObject(
                item["Key"][len(prefix) :],
                item["Key"],
                item["Size"],
                _nanoseconds(item["LastModified"]),
                item["ETag"],
            )
        if is_empty:
            yield self._single(prefix.rstrip("/"))

    def open(self, item: SourceObject) -> S3Stream:
        """Begin to fetch an object; see `ObjectSource.open`."""
        return S3Stream(self, item)

    def fetch(self, item: SourceObject, start: int, length: int) -> Future[bytes]:
        """Begin to fetch part of an object."""
        return self._pool.submit(self._fetch, item, start, length)

    def close(self) -> None:
        """Close connections; what is on its way is given up."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._store.close()

    def _fetch(self, item: SourceObject, start: int, length: int) -> bytes:
        reading = RangeReading(self._client, item.key, start, length, etag=item.etag)
        place = f"s3://{self._location.bucket}/{item.key}"
        try:
            return joined(reading.run(f"read {item.key}")[0])
        except KeyMissingError as error:
            raise NotFoundError(
                f"{place} went away", kind=ErrorKind.OBJECT_NOT_FOUND, object=item.key
            ) from error
        except KeyChangedError as error:
            raise StorageError(
                f"{place} changed while it was imported",
                hint="Nothing was committed; import it again",
                retryable=True,
                object=item.key,
            ) from error
        finally:
            if self._is_closed:
                self._store.close()  # connections that this one opened behind the others' end

    def _single(self, key: str) -> SourceObject:
        def act() -> dict[str, Any] | None:
            try:
                return self._client.request("head_object", Key=key)
            except S3Error as failure:
                if failure.status == _NOT_FOUND:
                    return None
                raise

        found = self._client.retrying(f"look at {key}", act) if key else None
        if found is None:
            raise PathNotFoundError(
                f"There is nothing at s3://{self._location.bucket}/{key}",
                hint="Look at the bucket and the prefix; a prefix is whole names between slashes",
                path=self.url,
            )
        return SourceObject(
            key.rpartition("/")[2],
            key,
            found["ContentLength"],
            _nanoseconds(found["LastModified"]),
            found["ETag"],
        )


class S3Stream:
    """One object of a source; the next part is fetched while this one is used."""

    def __init__(self, source: S3Source, item: SourceObject) -> None:
        self._source = source
        self._item = item
        self._position = 0
        """Of what has been asked for."""
        self._next = self._ask()
        self._part = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none only at the end."""
        self._fill()
        part, self._part = self._part[:size], self._part[size:]
        return bytes(part)

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer as far as bytes are at hand and return how many; 0 at the end."""
        self._fill()
        count = min(len(buffer), len(self._part))
        buffer[:count] = self._part[:count]
        self._part = self._part[count:]
        return count

    def _fill(self) -> None:
        if not self._part and self._next is not None:
            data = self._next.result()
            self._next = self._ask()
            self._part = memoryview(data)

    def _ask(self) -> Future[bytes] | None:
        start = self._position
        length = min(PART_BYTES, self._item.size_bytes - start)
        self._position += length
        return self._source.fetch(self._item, start, length) if length > 0 else None


_NOT_FOUND = 404


def _nanoseconds(time: datetime) -> int:
    """Return a time as it is in both listings and look-ups: to the second."""
    return int(time.timestamp()) * 10**9
