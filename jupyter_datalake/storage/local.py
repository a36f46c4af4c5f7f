"""Objects as files below one folder.

Order of a write, each step durable before the next: bytes into a temporary file, fsync of the
file, its name linked, fsync of the folder, and of every folder above that is new. A crash leaves
a temporary file or the whole object.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_datalake.disk_trust import FAILING, DiskTrust
from jupyter_datalake.errors import DatalakeError, ErrorKind, NotFoundError, StorageError
from jupyter_datalake.forking import renew_lock_after_fork
from jupyter_datalake.storage.base import ObjectInfo, check_object_name
from jupyter_datalake.storage.sequential import SequentialFile

_TEMPORARY = ".tmp"
"""Where uploads grow; no object's name begins with a dot."""

_LEFT_BEHIND_S = 3600.0
"""Age at which a temporary file that nobody holds locked was left by a process that died."""

_OPEN_FILES = 64

_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)
"""Linux alone has it."""


class LocalObjectStore:
    """An `ObjectStore` in a folder; objects are read-only files.

    Parameters
    ----------
    folder
        Created if missing, with rights for its owner only.
    disk
        Shared with whatever else writes to the same disk: where one write failed, none is tried
        any more (`ErrorKind.STORAGE_FAILED`).
    """

    def __init__(self, folder: Path, disk: DiskTrust | None = None) -> None:
        self._folder = folder
        self._disk = disk or DiskTrust()
        self._handles = _HandleCache()
        self._durable: set[Path] = set()
        """Folders whose own names are known to be durable."""
        with self._writing(str(folder)):
            _make_folders(folder / _TEMPORARY)
        self.sweep_uploads(older_than_s=_LEFT_BEHIND_S)

    def upload(self) -> LocalUpload:
        """Begin to write an object; see `ObjectStore.upload`."""
        return LocalUpload(self, self._folder / _TEMPORARY / secrets.token_hex(8))

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; see `ObjectStore.create`."""
        with self.upload() as upload:
            upload.write(data)
            return upload.link(name)

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object; see `ObjectStore.read`."""
        path = self._folder / check_object_name(name)
        with _translated(name), self._handles.opened(path) as handle:
            # Not more than there is: the system would be asked for memory first, and a damaged
            # database can ask for any length.
            end = min(start + length, handle.size_bytes)
            parts: list[bytes] = []
            while start < end:
                part = os.pread(handle.descriptor, end - start, start)
                if not part:
                    break
                if len(part) == end - start and not parts:
                    return part
                parts.append(part)
                start += len(part)
            return b"".join(parts)

    def read_now(self, name: str, start: int, length: int) -> bytes | None:
        """Return part of an object that the system has in memory; see `ReadsWithoutWaiting`."""
        with self._handles.known(self._folder / name) as handle:
            if handle is None or _NOWAIT is None:
                return None
            data = bytearray(max(min(length, handle.size_bytes - start), 0))
            try:
                count = os.preadv(handle.descriptor, [data], start, _NOWAIT)
            except OSError:  # it would have to be waited for, or cannot be had at all
                return None
        return bytes(data) if count == len(data) else None

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object; see `ObjectStore.info`."""
        with _translated(name):
            status = (self._folder / check_object_name(name)).stat()
            if not stat.S_ISREG(status.st_mode):
                raise FileNotFoundError(errno.ENOENT, "not a file", name)
        return _info(name, status)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`; see `ObjectStore.list`."""
        yield from self._list("", prefix)

    def delete(self, name: str) -> None:
        """Remove an object; see `ObjectStore.delete`."""
        path = self._folder / check_object_name(name)
        self._handles.forget(path)
        with self._writing(name), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def sweep_uploads(self, *, older_than_s: float) -> int:
        """Remove temporary files of processes that died; see `storage.base.SweepsUploads`.

        A live process holds its file locked, so that one stays however old it is.
        """
        count = 0
        limit = time.time() - older_than_s
        with _translated(_TEMPORARY, writing=True):
            found = list(os.scandir(self._folder / _TEMPORARY))
        for one in found:
            # Another process may sweep at the same time, or finish this very upload.
            with suppress(OSError):
                if one.stat(follow_symlinks=False).st_mtime > limit:
                    continue
                descriptor = os.open(one.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(one.path)
                    count += 1
                finally:
                    os.close(descriptor)
        return count

    def close(self) -> None:
        """Close the file handles that are kept open between reads."""
        self._handles.close()

    def _list(self, folder: str, prefix: str) -> Iterator[ObjectInfo]:
        """Yield what begins with `prefix` below `folder`, a name that is empty or ends in /."""
        with _translated(folder or str(self._folder)):
            try:
                found = list(os.scandir(self._folder / folder))
            except (FileNotFoundError, NotADirectoryError):
                return  # deleted since the folder above was read
        for one in found:
            name = folder + one.name
            if one.name.startswith("."):
                continue
            if one.is_dir(follow_symlinks=False):
                if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                    yield from self._list(f"{name}/", prefix)
            elif one.is_file(follow_symlinks=False) and name.startswith(prefix):
                # `NotFoundError`: deleted since the folder was read.
                with suppress(NotFoundError), _translated(name):
                    yield _info(name, one.stat())

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        """Allow what changes the store, unless its disk has failed before."""
        with _translated(name, writing=True), self._disk.writing(name):
            yield

    def _make_parents(self, target: Path) -> None:
        """Make the folders above an object, and their names durable.

        A folder that is there already may have been made a moment ago by somebody who has not
        synced it yet, so each process syncs each folder's name once itself.
        """
        if target.parent in self._durable and target.parent.is_dir():
            return
        above = [one for one in target.parents if one.is_relative_to(self._folder)]
        for folder in reversed(above):
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(folder.parent)
            self._durable.add(folder)


class LocalUpload:
    """An object being written to a temporary file; see `storage.base.Upload`."""

    def __init__(self, store: LocalObjectStore, temporary: Path) -> None:
        self._store = store
        self._temporary = temporary
        with store._writing(str(temporary)):
            self._file = SequentialFile(temporary)
            with suppress(OSError):  # where locks do not exist, nothing is swept up either
                fcntl.flock(self._file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        with self._store._writing(str(self._temporary)):
            self._file.write(data)

    def finish(self, name: str) -> None:
        """Make the object appear whole under `name`, unless it is there already."""
        self.link(name)

    def link(self, name: str) -> bool:
        """Make the object appear unless `name` is taken; tell whether it did."""
        target = self._store._folder / check_object_name(name)  # same module
        with self._store._writing(name):
            self._file.sync()  # an error here ends this upload; the name is not given
            os.fchmod(self._file.descriptor, 0o400)
            self._file.close()
            self._store._make_parents(target)  # same module
            try:
                os.link(self._temporary, target)
                is_new = True
            except FileExistsError:
                is_new = False
            # Also when it was there: who wrote it may not have come so far yet.
            sync_folder(target.parent)
        return is_new

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):  # what cannot be removed now is swept up later
            self._temporary.unlink()


class _HandleCache:
    """Keeps the files read last open, so a range read is one system call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handles: OrderedDict[Path, _Handle] = OrderedDict()
        renew_lock_after_fork(self)

    @contextmanager
    def opened(self, path: Path) -> Iterator[_Handle]:
        with self._lock:
            handle = self._handles.get(path)
            if handle is None:
                handle = _Handle(path)
                self._handles[path] = handle
                if len(self._handles) > _OPEN_FILES:
                    _, oldest = self._handles.popitem(last=False)
                    oldest.release()
            else:
                self._handles.move_to_end(path)
            handle.users += 1
        try:
            yield handle
        finally:
            with self._lock:
                handle.release()

    @contextmanager
    def known(self, path: Path) -> Iterator[_Handle | None]:
        """Give the handle of a file that is open, else None."""
        with self._lock:
            handle = self._handles.get(path)
            if handle is not None:
                handle.users += 1
        try:
            yield handle
        finally:
            if handle is not None:
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

    __slots__ = ("descriptor", "size_bytes", "users")

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self.descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self.descriptor)
            raise FileNotFoundError(errno.ENOENT, "not a file", str(path))
        self.size_bytes = status.st_size
        self.users = 1

    def release(self) -> None:
        self.users -= 1
        if self.users == 0:
            os.close(self.descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(folder: Path) -> None:
    """Make a folder and what is missing above it, durably."""
    missing = [one for one in (folder, *folder.parents) if not one.is_dir()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_folder(one.parent)


def _info(name: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


@contextmanager
def _translated(name: str, *, writing: bool = False) -> Iterator[None]:
    """Turn the system's errors into ours; a missing file is `NotFoundError` only when reading."""
    try:
        yield
    except DatalakeError:
        raise
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG} and not writing:
            raise NotFoundError(
                f"Object {name} is not in the store",
                kind=ErrorKind.OBJECT_NOT_FOUND,
                hint="Run 'datalake maintenance verify' to list what is missing",
                object=name,
            ) from error
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageError(
                f"The disk is full: {name} could not be written",
                kind=ErrorKind.STORAGE_FULL,
                hint="Free some space and try again; nothing that was there is lost",
                object=name,
            ) from error
        if writing and error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise StorageError(
                f"The lake can be read and not written: this user must not write to {name}",
                kind=ErrorKind.STORAGE_DENIED,
                hint="Mount its disk writable, or ask its owner for the right to write",
                object=name,
            ) from error
        raise StorageError(
            f"The store failed at {name}: {error.strerror}",
            hint="Nothing is written any more until the lake is opened again: check the disk"
            if writing and error.errno in FAILING
            else None,
            retryable=error.errno in {errno.EINTR, errno.EAGAIN, errno.EMFILE, errno.ENFILE},
            object=name,
        ) from error
