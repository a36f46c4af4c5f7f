"""`ObjectStore`: the contract between the lake and whatever keeps its bytes.

An object is written once and never changed. Its name is components of ``A-Z a-z 0-9 . _ -``
joined by ``/``, and no object is named like a folder of another. `testing.object_store_suite` is
the contract as tests; every implementation runs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Protocol, Self, runtime_checkable

from jupyter_datalake.errors import ErrorKind, InvalidInputError

_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]+(?:/(?!\.)[A-Za-z0-9._-]+)*")


def check_object_name(name: str) -> str:
    """Return `name` if it can name an object, else raise `InvalidInputError`.

    Names come from digests, but also from databases that strangers made: one that leads out of
    the store must not be read, let alone written.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} cannot name an object", kind=ErrorKind.INVALID_PATH, object=name
        )
    return name


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One stored object."""

    name: str
    size_bytes: int
    modified_at: datetime


class Upload(Protocol):
    """An object being written; invisible until `finish`, gone without a trace when left before.

    Usage::

        with store.upload() as upload:
            upload.write(b"…")
            upload.finish("packs/ab/ab12….pack")
    """

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        ...

    def finish(self, name: str) -> None:
        """Make the object appear whole under `name`.

        On return it survives the loss of power. An object of that name that is already there is
        left as it is: names are digests, so it holds the same bytes.

        Raises
        ------
        StorageError
            Nothing appeared; `kind` tells a full disk (`storage-full`) from other trouble.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class ObjectStore(Protocol):
    """Objects by name. All methods may be called from several threads."""

    def upload(self) -> Upload:
        """Begin to write an object."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; tell whether it was written.

        Atomic: of several callers, in any processes, exactly one is told True.
        """
        ...

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from byte `start`; fewer only where the object ends.

        Raises
        ------
        NotFoundError
            No object has this name.
        StorageError
            The store failed; `retryable` says whether trying again can help.
        """
        ...

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object, or raise `NotFoundError`."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`, in no particular order.

        Objects created or deleted meanwhile may or may not be among them.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is removed already."""
        ...

    def close(self) -> None:
        """Release file handles and connections; safe to call twice."""
        ...


@runtime_checkable
class ReadsWithoutWaiting(Protocol):
    """An `ObjectStore` that may have bytes at hand, for callers that cannot wait for a disk."""

    def read_now(self, name: str, start: int, length: int) -> bytes | None:
        """Return what `read` would if nothing has to be waited for, else None; never raises."""
        ...


@runtime_checkable
class SweepsUploads(Protocol):
    """An `ObjectStore` in which uploads of processes that died leave something behind."""

    def sweep_uploads(self, *, older_than_s: float) -> int:
        """Remove what uploads left that nobody works on; return how many there were.

        Parameters
        ----------
        older_than_s
            By the store's own clock. What a living process works on stays, however old it is, if
            the store can tell; else this has to be longer than any upload takes.
        """
        ...


@runtime_checkable
class RemoteObjectStore(SweepsUploads, ObjectStore, Protocol):
    """A store behind a network: what is read may be damaged on its way, or be a copy nearer by."""

    @property
    def origin(self) -> ObjectStore:
        """The store itself, without the copies that are kept nearer by."""
        ...

    def forget(self, name: str) -> None:
        """Drop copies of an object: what is read next comes from where it is kept.

        For a caller who knows that what `read` returned is not what was stored.
        """
        ...


@runtime_checkable
class ReadsPieces(Protocol):
    """An `ObjectStore` that can spare its caller a copy of what it reads."""

    def read_pieces(self, name: str, start: int, length: int) -> Sequence[bytes]:
        """Return what `read` returns in pieces, as they came.

        Parameters
        ----------
        length
            At least 1.
        """
        ...


@runtime_checkable
class LinkingObjectStore(ObjectStore, Protocol):
    """A store that hands out objects itself, to whoever has a link."""

    def presign(self, name: str, *, expires_s: int, filename: str) -> str:
        """Return a URL by which whoever has it may download an object for some time.

        Parameters
        ----------
        expires_s
            At most `MAX_LINK_S`. The URL ends earlier with the credentials that signed it.
        filename
            How a browser names what it downloads.
        """
        ...


class SourceObject(NamedTuple):
    """An object of somebody else's, to be imported."""

    path: str
    """Below what is imported."""
    key: str
    """By which its store knows it."""
    size_bytes: int
    modified_ns: int
    etag: str
    """Another one as soon as the content is another."""


class SourceStream(Protocol):
    """The content of one object of a source, from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none only at the end."""
        ...

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer as far as bytes are at hand and return how many; 0 at the end."""
        ...


class ObjectSource(Protocol):
    """Objects of another store, as they are there. Read only."""

    @property
    def url(self) -> str:
        """Names the place; holds no secret."""
        ...

    def list(self) -> Iterator[SourceObject]:
        """Yield what there is, in no particular order."""
        ...

    def open(self, item: SourceObject) -> SourceStream:
        """Begin to fetch an object; several may be on their way at once.

        Reading it fails with `NotFoundError` where it went away since it was listed, and with a
        retryable `StorageError` where it is another one by now.
        """
        ...

    def close(self) -> None:
        """Release connections; safe to call twice."""
        ...


MAX_LINK_S = 7 * 24 * 3600


def origin_of(objects: ObjectStore) -> ObjectStore:
    """Return a store without the copies that are kept nearer by."""
    return objects.origin if isinstance(objects, RemoteObjectStore) else objects
