"""Objects in a dict: the reference implementation, and the store of fast tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.forking import renew_lock_after_fork
from jupyter_datalake.storage.base import ObjectInfo, check_object_name


class MemoryObjectStore:
    """An `ObjectStore` that lives and dies with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        renew_lock_after_fork(self)

    def upload(self) -> MemoryUpload:
        """Begin to write an object; see `ObjectStore.upload`."""
        return MemoryUpload(self)

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; see `ObjectStore.create`."""
        check_object_name(name)
        with self._lock:
            if name in self._objects:
                return False
            self._objects[name] = (bytes(data), datetime.now(UTC))
            return True

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object; see `ObjectStore.read`."""
        return self._find(name)[0][start : start + length]

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object; see `ObjectStore.info`."""
        data, modified_at = self._find(name)
        return ObjectInfo(name, len(data), modified_at)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`; see `ObjectStore.list`."""
        with self._lock:
            found = [(name, *value) for name, value in self._objects.items()]
        for name, data, modified_at in found:
            if name.startswith(prefix):
                yield ObjectInfo(name, len(data), modified_at)

    def delete(self, name: str) -> None:
        """Remove an object; see `ObjectStore.delete`."""
        check_object_name(name)
        with self._lock:
            self._objects.pop(name, None)

    def close(self) -> None:
        """Nothing to release: the objects stay readable, as they would on a disk."""

    def _find(self, name: str) -> tuple[bytes, datetime]:
        check_object_name(name)
        with self._lock:
            found = self._objects.get(name)
        if found is None:
            raise NotFoundError(
                f"Object {name} is not in the store",
                kind=ErrorKind.OBJECT_NOT_FOUND,
                object=name,
            )
        return found


class MemoryUpload:
    """An object being collected; see `storage.base.Upload`."""

    def __init__(self, store: MemoryObjectStore) -> None:
        self._store = store
        self._data = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._data += data

    def finish(self, name: str) -> None:
        """Make the object appear whole under `name`."""
        self._store.create(name, bytes(self._data))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._data.clear()
