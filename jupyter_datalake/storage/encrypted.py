"""`EncryptedObjectStore`: any object store, with contents and names encrypted.

An object becomes, byte by byte (docs/format.md, "Encrypted objects")::

    header   64 B   magic, version, size of a segment, id of the data key, salt
    segments        each 64 KiB of content (the last one less) and a tag of 16 B
    footer   24 B   size of the content, and a tag over it and the object's name

Each object has a key of its own, derived from a data key, the salt and the header; a segment's
nonce is its number and whether it is the last one. So segments cannot be changed, reordered,
left out or moved between objects, a range costs the segments that cover it, and the footer ties
the whole to its name, which is known only when a pack is complete.

Names are encrypted by AES-SIV, which gives one name one spelling: look-ups need no table, and the
store's owner sees neither names nor the digests that are in them.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jupyter_datalake.errors import (
    CorruptDataError,
    ErrorKind,
    FormatError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_datalake.forking import renew_lock_after_fork
from jupyter_datalake.storage.base import (
    ObjectInfo,
    ObjectStore,
    RemoteObjectStore,
    SweepsUploads,
    Upload,
    check_object_name,
    origin_of,
)
from jupyter_datalake.storage.keys import LakeKeys

SEALED_FOLDER = "sealed"
SEGMENT_BYTES = 64 * 1024
TAG_BYTES = 16
MAX_NAME_BYTES = 140
"""Longer names would, encrypted, not fit into a file name."""

_MAGIC = b"JDLSEAL\0"
_VERSION = 1
_HEADER = struct.Struct("<8sHHI16s32s")
_FOOTER = struct.Struct("<Q16s")
_NUMBER_BYTES = 11
_SALT_BYTES = 32
_MORE, _LAST, _END = b"\0", b"\1", b"\2"
_PURPOSE = b"jupyter_datalake object"
_NAMES = [b"jupyter_datalake name"]
_OPENED = 2048
_SEALED_SEGMENT = SEGMENT_BYTES + TAG_BYTES


class EncryptedObjectStore:
    """An `ObjectStore` over another one, which sees only encrypted bytes and names.

    Parameters
    ----------
    inner
        Where encrypted objects are kept, below ``sealed/``.
    keys
        The lake's keys.

    Notes
    -----
    Header and footer of an object are read when it is first used, and remembered: two small reads
    and a look at its size per object and process.
    """

    def __init__(self, inner: ObjectStore, keys: LakeKeys) -> None:
        self.inner = inner
        self.keys = keys
        self._names = AESSIV(keys.names)
        self._lock = threading.Lock()
        self._opened: OrderedDict[str, _Opened] = OrderedDict()
        renew_lock_after_fork(self)

    def upload(self) -> EncryptedUpload:
        """Begin to write an object; see `ObjectStore.upload`."""
        return EncryptedUpload(self, self.inner.upload())

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; see `ObjectStore.create`."""
        sealed_name = self.sealed_name(name)
        sealing = _Sealing(self.keys)
        parts = [sealing.header, *sealing.add(data), *sealing.finish(name)]
        return self.inner.create(sealed_name, b"".join(parts))

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object; see `ObjectStore.read`.

        Raises
        ------
        CorruptDataError
            What is stored is not what was written under this name.
        """
        sealed_name = self.sealed_name(name)
        with self._lock:
            opened = self._opened.get(name)
            if opened is not None:
                self._opened.move_to_end(name)
        if opened is not None:
            try:
                return self._read(name, sealed_name, opened, start, length)
            except (CorruptDataError, NotFoundError):
                # It may have been deleted and written anew by somebody else, with another salt.
                self._forget(name)
        opened = self._open(name, sealed_name)
        with self._lock:
            self._opened[name] = opened
            while len(self._opened) > _OPENED:
                self._opened.popitem(last=False)
        return self._read(name, sealed_name, opened, start, length)

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object; see `ObjectStore.info`."""
        try:
            found = self.inner.info(self.sealed_name(name))
        except NotFoundError as error:
            raise _not_found(name) from error
        return ObjectInfo(name, content_size(found.size_bytes), found.modified_at)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`; see `ObjectStore.list`.

        What lies among them with a name that is not of this lake's making is left out.
        """
        for found in self.inner.list(f"{SEALED_FOLDER}/"):
            name = self.open_name(found.name)
            if name is not None and name.startswith(prefix):
                yield ObjectInfo(name, content_size(found.size_bytes), found.modified_at)

    def delete(self, name: str) -> None:
        """Remove an object; see `ObjectStore.delete`."""
        sealed_name = self.sealed_name(name)
        self._forget(name)
        self.inner.delete(sealed_name)

    def close(self) -> None:
        """Close the store behind this one."""
        self.inner.close()

    @property
    def origin(self) -> ObjectStore:
        """The same objects, without the copies that the store behind this one keeps nearer by."""
        return EncryptedObjectStore(origin_of(self.inner), self.keys)

    def forget(self, name: str) -> None:
        """Drop copies of an object; see `RemoteObjectStore.forget`."""
        self._forget(name)
        if isinstance(self.inner, RemoteObjectStore):
            self.inner.forget(self.sealed_name(name))

    def sweep_uploads(self, *, older_than_s: float) -> int:
        """Remove what uploads left; see `SweepsUploads`."""
        if isinstance(self.inner, SweepsUploads):
            return self.inner.sweep_uploads(older_than_s=older_than_s)
        return 0

    def key_id(self, name: str) -> str:
        """Return the id of the data key that an object is encrypted under; one small read."""
        return self._header(name, self.sealed_name(name))[1].hex()

    def sealed_name(self, name: str) -> str:
        """Return the name under which the store behind this one has an object."""
        raw = check_object_name(name).encode()
        if len(raw) > MAX_NAME_BYTES:
            raise InvalidInputError(
                f"{name!r} is too long to name an object of an encrypted lake",
                kind=ErrorKind.INVALID_PATH,
                object=name,
            )
        sealed = base64.b32encode(self._names.encrypt(raw, _NAMES)).decode().rstrip("=").lower()
        return f"{SEALED_FOLDER}/{sealed[:2]}/{sealed}"

    def open_name(self, sealed_name: str) -> str | None:
        """Return the name that the store behind this one has encrypted, or None."""
        text = sealed_name.rpartition("/")[2].upper()
        try:
            sealed = base64.b32decode(text + "=" * (-len(text) % 8))
            return self._names.decrypt(sealed, _NAMES).decode()
        except (binascii.Error, InvalidTag, ValueError):
            return None

    # --- reading ---------------------------------------------------------------------------------

    def _header(self, name: str, sealed_name: str) -> tuple[bytes, bytes, bytes]:
        """Return the header of an object, and the key id and salt in it."""
        try:
            header = self.inner.read(sealed_name, 0, _HEADER.size)
        except NotFoundError as error:
            raise _not_found(name) from error
        if len(header) < _HEADER.size or header[:8] != _MAGIC:
            raise _damaged(name, "it does not begin like an encrypted object")
        _, version, _, segment, key_id, salt = _HEADER.unpack(header)
        if version != _VERSION:
            raise FormatError(
                f"Object {name} is encrypted in format {version}; this program knows {_VERSION}",
                kind=ErrorKind.FORMAT_TOO_NEW,
                hint="Upgrade jupyter_datalake, or restore the object if it is damaged",
                object=name,
            )
        if segment != SEGMENT_BYTES:
            raise _damaged(name, "its header was changed")
        return header, key_id, salt

    def _open(self, name: str, sealed_name: str) -> _Opened:
        header, key_id, salt = self._header(name, sealed_name)
        key = self.keys.by_id(key_id)
        if key is None:
            raise _damaged(name, f"the lake has no key {key_id.hex()}")
        cipher = _object_cipher(key.secret, salt, header)
        try:
            stored = self.inner.info(sealed_name).size_bytes
        except NotFoundError as error:
            raise _not_found(name) from error
        footer = self.inner.read(sealed_name, max(stored - _FOOTER.size, 0), _FOOTER.size)
        if len(footer) != _FOOTER.size:
            raise _damaged(name, "it was cut short")
        size, tag = _FOOTER.unpack(footer)
        try:
            cipher.decrypt(_nonce(0, _END), tag, _bound(name, size))
        except InvalidTag as error:
            raise _damaged(name, "it was cut short, changed, or is another object") from error
        if stored != sealed_size(size):
            raise _damaged(name, f"it has {stored} bytes instead of {sealed_size(size)}")
        return _Opened(cipher, size)

    def _read(self, name: str, sealed_name: str, opened: _Opened, start: int, length: int) -> bytes:
        end = min(start + length, opened.size_bytes)
        if end <= start:
            return b""
        first, last = start // SEGMENT_BYTES, (end - 1) // SEGMENT_BYTES
        final = _segments(opened.size_bytes) - 1
        begin = _HEADER.size + first * _SEALED_SEGMENT
        behind = min(
            _HEADER.size + (last + 1) * _SEALED_SEGMENT,
            sealed_size(opened.size_bytes) - _FOOTER.size,
        )
        try:
            sealed = memoryview(self.inner.read(sealed_name, begin, behind - begin))
        except NotFoundError as error:
            raise _not_found(name) from error
        parts: list[bytes] = []
        for number in range(first, last + 1):
            offset = (number - first) * _SEALED_SEGMENT
            try:
                parts.append(
                    opened.cipher.decrypt(
                        _nonce(number, _LAST if number == final else _MORE),
                        sealed[offset : offset + _SEALED_SEGMENT],
                        None,
                    )
                )
            except InvalidTag as error:
                raise _damaged(
                    name, f"its bytes from {number * SEGMENT_BYTES} on were changed"
                ) from error
        skipped = start - first * SEGMENT_BYTES
        joined = parts[0] if len(parts) == 1 else b"".join(parts)
        return joined[skipped : skipped + end - start]

    def _forget(self, name: str) -> None:
        with self._lock:
            self._opened.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Opened:
    """An object whose header and footer were found right."""

    cipher: AESGCM
    size_bytes: int


class EncryptedUpload:
    """An object being encrypted on its way; see `storage.base.Upload`."""

    def __init__(self, store: EncryptedObjectStore, inner: Upload) -> None:
        self._store = store
        self._inner = inner
        self._sealing = _Sealing(store.keys)
        self._is_begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._begin()
        for part in self._sealing.add(data):
            self._inner.write(part)

    def finish(self, name: str) -> None:
        """Make the object appear whole under `name`, unless it is there already."""
        sealed_name = self._store.sealed_name(name)
        self._begin()
        for part in self._sealing.finish(name):
            self._inner.write(part)
        self._inner.finish(sealed_name)

    def _begin(self) -> None:
        if not self._is_begun:
            self._inner.write(self._sealing.header)
            self._is_begun = True

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inner.__exit__(exc_type, exc, traceback)


class _Sealing:
    """Turns the bytes of one object, as they come, into encrypted segments."""

    def __init__(self, keys: LakeKeys) -> None:
        key, salt = keys.current(), secrets.token_bytes(_SALT_BYTES)
        self.header = _HEADER.pack(_MAGIC, _VERSION, 0, SEGMENT_BYTES, key.id, salt)
        self._cipher = _object_cipher(key.secret, salt, self.header)
        self._rest = bytearray()
        """Content of the segment that is not full, or full and perhaps the last one."""
        self._number = 0
        self._size = 0

    def add(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Take content and yield the segments that are complete and not the last one."""
        view = memoryview(data)
        self._size += len(view)
        while view:
            if len(self._rest) == SEGMENT_BYTES:
                yield self._seal(self._rest, _MORE)
                self._rest.clear()
            if not self._rest:
                while len(view) > SEGMENT_BYTES:
                    yield self._seal(view[:SEGMENT_BYTES], _MORE)
                    view = view[SEGMENT_BYTES:]
            room = SEGMENT_BYTES - len(self._rest)
            self._rest += view[:room]
            view = view[room:]

    def finish(self, name: str) -> Iterator[bytes]:
        """Yield the last segment and the footer."""
        yield self._seal(self._rest, _LAST)
        tag = self._cipher.encrypt(_nonce(0, _END), b"", _bound(name, self._size))
        yield _FOOTER.pack(self._size, tag)

    def _seal(self, content: bytearray | memoryview, flag: bytes) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, flag), content, None)
        self._number += 1
        return sealed


def content_size(stored: int) -> int:
    """Return the content's size of an encrypted object of `stored` bytes; 0 for a damaged one."""
    body = stored - _HEADER.size - _FOOTER.size
    return max(body - TAG_BYTES * max(-(-body // _SEALED_SEGMENT), 1), 0)


def sealed_size(size: int) -> int:
    """Return the stored size of `size` bytes of content."""
    return _HEADER.size + size + TAG_BYTES * _segments(size) + _FOOTER.size


def _segments(size: int) -> int:
    return max(-(-size // SEGMENT_BYTES), 1)


def _nonce(number: int, flag: bytes) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + flag


def _bound(name: str, size: int) -> bytes:
    return struct.pack("<Q", size) + name.encode()


def _object_cipher(secret: bytes, salt: bytes, header: bytes) -> AESGCM:
    derived = HKDF(hashes.SHA256(), 32, salt, _PURPOSE + header).derive(secret)
    return AESGCM(derived)


def _not_found(name: str) -> NotFoundError:
    return NotFoundError(
        f"Object {name} is not in the store",
        kind=ErrorKind.OBJECT_NOT_FOUND,
        hint="Run 'datalake maintenance verify' to list what is missing",
        object=name,
    )


def _damaged(name: str, why: str) -> CorruptDataError:
    return CorruptDataError(
        f"Object {name} is damaged: {why}",
        kind=ErrorKind.CORRUPT_OBJECT,
        hint="Run 'datalake maintenance verify' to list the files it holds",
        object=name,
    )
