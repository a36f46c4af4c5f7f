"""Objects as files below one folder.

Order of a write, each step durable before the next: bytes into a temporary file, fsync of the
file, rename, fsync of the folder. A crash leaves a temporary file or the whole object.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_datalake.errors import ErrorKind, NotFoundError, StorageError
from jupyter_datalake.storage.base import ObjectInfo

_TEMPORARY = "tmp"
_OPEN_FILES = 64


class LocalObjectStore:
    """An `ObjectStore` in a folder; objects are read-only files.

    Parameters
    ----------
    folder
        Created if missing, with rights for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handles = _HandleCache()
        with _translated(str(folder)):
            (folder / _TEMPORARY).mkdir(mode=0o700, parents=True, exist_ok=True)

    def upload(self) -> LocalUpload:
        """Begin to write an object; see `ObjectStore.upload`."""
        return LocalUpload(self._folder, self._folder / _TEMPORARY / secrets.token_hex(8))

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; see `ObjectStore.create`."""
        with self.upload() as upload:
            upload.write(data)
            return upload.link(name)

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object; see `ObjectStore.read`."""
        with _translated(name), self._handles.opened(self._folder / name) as handle:
            parts: list[bytes] = []
            while length > 0:
                part = os.pread(handle, length, start)
                if not part:
                    break
                if len(part) == length and not parts:
                    return part
                parts.append(part)
                start += len(part)
                length -= len(part)
            return b"".join(parts)

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object; see `ObjectStore.info`."""
        with _translated(name):
            status = (self._folder / name).stat()
        return _info(name, status)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`; see `ObjectStore.list`."""
        folder, _, _ = prefix.rpartition("/")
        for place, names, files in os.walk(self._folder / folder):
            if Path(place) == self._folder and _TEMPORARY in names:
                names.remove(_TEMPORARY)
            for file in files:
                path = Path(place, file)
                name = path.relative_to(self._folder).as_posix()
                if not name.startswith(prefix):
                    continue
                try:
                    yield _info(name, path.stat())
                except FileNotFoundError:
                    continue  # deleted since the folder was read

    def delete(self, name: str) -> None:
        """Remove an object; see `ObjectStore.delete`."""
        path = self._folder / name
        self._handles.forget(path)
        with _translated(name):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file handles that are kept open between reads."""
        self._handles.close()


class LocalUpload:
    """An object being written to a temporary file; see `storage.base.Upload`."""

    def __init__(self, root: Path, temporary: Path) -> None:
        self._root = root
        self._temporary = temporary
        with _translated(str(temporary)):
            self._file = open(temporary, "xb", buffering=1 << 20)  # noqa: SIM115  # closed on exit

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        with _translated(str(self._temporary)):
            self._file.write(data)

    def finish(self, name: str) -> None:
        """Make the object appear whole under `name`."""
        target = self._target(name)
        with _translated(name):
            os.replace(self._temporary, target)
            sync_folder(target.parent)

    def link(self, name: str) -> bool:
        """Make the object appear unless `name` is taken; tell whether it did."""
        target = self._target(name)
        with _translated(name):
            try:
                os.link(self._temporary, target)
            except FileExistsError:
                return False
            sync_folder(target.parent)
        return True

    def _target(self, name: str) -> Path:
        target = self._root / name
        with _translated(name):
            self._file.flush()
            # An fsync that failed once may succeed later without the bytes being safe, so the
            # error ends this upload; nothing is renamed.
            os.fsync(self._file.fileno())
            os.fchmod(self._file.fileno(), 0o400)
            self._file.close()
            if not target.parent.is_dir():
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(target.parent.parent)
        return target

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._file.close()  # flushes what is buffered, which a full disk refuses
        except OSError:
            if exc_type is None:
                raise
        finally:
            self._temporary.unlink(missing_ok=True)


class _HandleCache:
    """Keeps the files read last open, so a range read is one system call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handles: OrderedDict[Path, _Handle] = OrderedDict()

    @contextmanager
    def opened(self, path: Path) -> Iterator[int]:
        with self._lock:
            handle = self._handles.get(path)
            if handle is None:
                handle = _Handle(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                self._handles[path] = handle
                if len(self._handles) > _OPEN_FILES:
                    _, oldest = self._handles.popitem(last=False)
                    oldest.release()
            else:
                self._handles.move_to_end(path)
            handle.users += 1
        try:
            yield handle.descriptor
        finally:
            with self._lock:
                handle.release()

    def forget(self, path: Path) -> None:
        with self._lock:
            handle = self._handles.pop(path, None)
            if handle is not None:
                handle.release()

    def close(self) -> None:
        with self._lock:
            while self._handles:
                _, handle = self._handles.popitem()
                handle.release()


class _Handle:
    """A descriptor with a use count; the cache's own use is the first."""

    __slots__ = ("descriptor", "users")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.users = 1

    def release(self) -> None:
        self.users -= 1
        if self.users == 0:
            os.close(self.descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _info(name: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(
            f"Object {name} is not in the store",
            kind=ErrorKind.OBJECT_NOT_FOUND,
            hint="Run 'datalake maintenance verify' to list what is missing",
            object=name,
        ) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageError(
                f"The disk is full: {name} could not be written",
                kind=ErrorKind.STORAGE_FULL,
                hint="Free some space and try again; nothing that was there is lost",
                object=name,
            ) from error
        raise StorageError(
            f"The store failed at {name}: {error.strerror}",
            retryable=error.errno in {errno.EINTR, errno.EAGAIN, errno.EMFILE, errno.ENFILE},
            object=name,
        ) from error
