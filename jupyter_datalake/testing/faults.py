"""Things that go wrong on purpose: stores that fail, and points at which a process dies.

Nothing here needs a hook in the code under test: a store is wrapped, a process is killed from
inside a wrapper, and a session is left as the death of its process would leave it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import OperationalError

from jupyter_datalake.engine.blobs import BlobReader
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.journal import Journal
from jupyter_datalake.engine.nodes import NodeCache
from jupyter_datalake.engine.session import Session
from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.lake.sessions import WorkSession
from jupyter_datalake.storage.base import ObjectInfo, ObjectStore, SweepsUploads, Upload


def disk_full(name: str) -> StorageError:
    """Return the error of a store without space."""
    return StorageError(
        f"The disk is full: {name} could not be written", kind=ErrorKind.STORAGE_FULL, object=name
    )


def unreachable(name: str) -> StorageError:
    """Return the error of a store that does not answer for the moment."""
    return StorageError(f"The store failed at {name}: no answer", retryable=True, object=name)


@dataclass(slots=True)
class Faults:
    """What a `FaultyObjectStore` does wrong; change it at any time.

    Every call of the store counts, in `calls`; those before the ``…_from`` number go well.
    """

    fail_writes_from: int | None = None
    """Number of the first write that fails; a piece of an upload is one, and so is its finish."""
    fail_reads_from: int | None = None
    how_many: int | None = None
    """How many calls fail from there on; all of them when None."""
    error: Callable[[str], Exception] = unreachable
    flip_bit: int | None = None
    """Bit that is flipped in what every read returns, counted from its first."""
    truncate_reads: int = 0
    """Bytes that are missing at the end of what every read returns."""
    before: Callable[[str, int], None] | None = None
    """Told the name of each call and its number among all calls, before it is made."""
    calls: list[str] = field(default_factory=list)


class FaultyObjectStore:
    """An `ObjectStore` that passes everything on to another one, except what `faults` says.

    Usage::

        store = FaultyObjectStore(inner)
        store.faults.fail_writes_from = 3
        store.faults.error = disk_full
    """

    def __init__(self, inner: ObjectStore, faults: Faults | None = None) -> None:
        self.inner = inner
        self.faults = faults or Faults()
        self.reads = 0
        """How many reads were asked for."""
        self._writes = 0

    def upload(self) -> Upload:
        """Begin to write an object."""
        self._count("upload")
        return _FaultyUpload(self, self.inner.upload())

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken."""
        self.writing("create", name)
        return self.inner.create(name, data)

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object, perhaps damaged."""
        self._count("read")
        self.reads += 1
        self._fail(self.reads, self.faults.fail_reads_from, name)
        data = self.inner.read(name, start, length)
        if self.faults.truncate_reads:
            data = data[: -self.faults.truncate_reads]
        if self.faults.flip_bit is not None and data:
            position, bit = divmod(self.faults.flip_bit % (8 * len(data)), 8)
            data = data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]
        return data

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object."""
        self._count("info")
        return self.inner.info(name)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`."""
        self._count("list")
        return self.inner.list(prefix)

    def delete(self, name: str) -> None:
        """Remove an object."""
        self.writing("delete", name)
        self.inner.delete(name)

    def sweep_uploads(self, *, older_than_s: float) -> int:
        """Remove what dead uploads left, if the store behind this one can."""
        self._count("sweep_uploads")
        inner = self.inner
        return (
            inner.sweep_uploads(older_than_s=older_than_s)
            if isinstance(inner, SweepsUploads)
            else 0
        )

    def close(self) -> None:
        """Close the store behind this one."""
        self.inner.close()

    def writing(self, call: str, name: str) -> None:
        """Count a write, and fail it if it is one of those."""
        self._count(call)
        self._writes += 1
        self._fail(self._writes, self.faults.fail_writes_from, name)

    def _count(self, call: str) -> None:
        self.faults.calls.append(call)
        if self.faults.before is not None:
            self.faults.before(call, len(self.faults.calls))

    def _fail(self, number: int, first: int | None, name: str) -> None:
        if first is None or number < first:
            return
        if self.faults.how_many is None or number < first + self.faults.how_many:
            raise self.faults.error(name)


class _FaultyUpload:
    """An upload through a faulty store."""

    def __init__(self, store: FaultyObjectStore, inner: Upload) -> None:
        self._store = store
        self._inner = inner

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._store.writing("write", "an upload")
        self._inner.write(data)

    def finish(self, name: str) -> None:
        """Make the object appear."""
        self._store.writing("finish", name)
        self._inner.finish(name)
        self._store._count("finished")  # same module

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


def with_objects(core: LakeCore, objects: ObjectStore) -> LakeCore:
    """Return the same open lake over another object store, with caches of its own."""
    blobs = BlobReader(objects, core.metadata, cache_bytes=1 << 20)
    return replace(core, objects=objects, blobs=blobs, nodes=NodeCache(blobs, entries=256))


class CrashPoint:
    """Kills this process with SIGKILL when a step is reached for the nth time.

    Usage, in a process made for it::

        point = CrashPoint(7)
        store.faults.before = lambda call, number: point.reached(call)

    Parameters
    ----------
    at
        Number of the step that is the last thing this process does, counted from 1.
    last_words
        Told the step, right before.
    only
        Found in the names of the steps that count; in all by default.
    """

    def __init__(
        self,
        at: int,
        *,
        last_words: Callable[[str], None] | None = None,
        only: re.Pattern[str] | None = None,
    ) -> None:
        self.at = at
        self.steps: list[str] = []
        self._last_words = last_words
        self._only = only

    def reached(self, step: str) -> None:
        """Count a step; the one with the number `at` is the last thing this process does."""
        if self._is_last(step):
            self._die(step)

    def _is_last(self, step: str) -> bool:
        if self._only is not None and not self._only.search(step):
            return False
        self.steps.append(step)
        return len(self.steps) == self.at

    def _die(self, step: str) -> None:
        if self._last_words is not None:
            self._last_words(step)
        os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, core: LakeCore) -> LakeCore:
        """Return the lake with a step before and after every write to its stores.

        The steps of the object store are those of `FaultyObjectStore`; of the database they are
        the beginning of a write transaction, each statement in it, its commit, and its end.
        """
        objects = FaultyObjectStore(core.objects)
        objects.faults.before = lambda call, _: self.reached(call)
        engine = core.metadata._engine  # where else

        def ended(connection: Any) -> None:
            self.reached("transaction ends")

        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", ended)
        return with_objects(core, objects)

    def watch_system(self, folder: str) -> None:
        """Count everything by which this process changes a disk or a database.

        A step stands before and behind each system call that writes, syncs, names or removes, in
        the middle of what is appended to a journal, and around each statement and each COMMIT of
        any database. For the rest of this process's life; for a process made to be killed.
        """
        self.watch_files(folder)
        for name in _WRITING_CALLS:
            if hasattr(os, name):
                setattr(os, name, self._around(name, getattr(os, name)))
        self.watch_databases()
        self.watch_journals()

    def watch_databases(self) -> None:
        """Count each statement that changes any database, and count before and behind each COMMIT.

        For the rest of this process's life.
        """
        DefaultDialect.do_commit = self._around(  # type: ignore[method-assign]
            "COMMIT", DefaultDialect.do_commit
        )
        event.listen(Engine, "before_cursor_execute", self._statement)

    def watch_journals(self) -> None:
        """Count each record of a journal: before, when half of it is there, and when all is.

        For the rest of this process's life.
        """
        write = Journal._write

        def torn(journal: Journal, data: bytes) -> None:
            try:
                self.reached("journal")
            except OSError as error:
                _write_to_broken_file(write, journal, data, error)
            if self._is_last("journal, half a record"):
                journal._file.write(data[: len(data) // 2])
                self._die("journal, half a record")
            write(journal, data)
            self.reached("journal, a record")

        Journal._write = torn  # type: ignore[method-assign, assignment]

    def watch_requests(self) -> None:
        """Count each request that changes a bucket: before, when half its body is sent, behind.

        For the rest of this process's life.
        """
        from jupyter_datalake.storage.s3_client import S3Client  # noqa: PLC0415  # loads boto3

        request = S3Client.request

        def counted(client: S3Client, operation: str, **parameters: Any) -> dict[str, Any]:
            if operation not in _CHANGING_REQUESTS:
                return request(client, operation, **parameters)
            self.reached(f"before {operation}")
            body, step = parameters.get("Body", b""), f"half of {operation}"
            if len(body) > 1 and self._is_last(step):
                parameters["Body"] = _LastWords(bytes(body), partial(self._die, step))
            answer = request(client, operation, **parameters)
            self.reached(f"after {operation}")
            return answer

        S3Client.request = counted  # type: ignore[method-assign, assignment]

    def _around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.reached(f"before {name}")
            result = call(*arguments, **named)
            self.reached(f"after {name}")
            return result

        return counted

    def _statement(self, connection: Any, cursor: Any, text: str, *_: Any) -> None:
        words = text.split()[:3]
        if words and words[0] not in {"SELECT", "PRAGMA", "WITH", "BEGIN"}:
            self.reached(" ".join(words[: 2 if words[0] == "UPDATE" else 3]))

    def watch_files(self, folder: str) -> None:
        """Count every file below a folder that is opened to be written, named, moved or removed.

        For the rest of this process's life: the interpreter's audit hooks cannot be taken out.
        """

        def hook(name: str, arguments: tuple[Any, ...]) -> None:
            if name not in _FILE_ACTS or not isinstance(arguments[0], str | os.PathLike):
                return
            if name == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
            if os.fspath(arguments[0]).startswith(folder):
                self.reached(f"{name} {arguments[0]}")

        sys.addaudithook(hook)


_WRITING_CALLS = (
    "copy_file_range", "fchmod", "fdatasync", "fsync", "ftruncate", "pwrite", "pwritev",
    "sendfile", "utime", "write", "writev",
)  # fmt: skip
_CHANGING_REQUESTS = frozenset(
    {
        "abort_multipart_upload",
        "complete_multipart_upload",
        "create_multipart_upload",
        "delete_object",
        "put_object",
        "upload_part",
    }
)
_STATEMENTS = frozenset({"INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "COMMIT"})
_TAKES_SPACE = _STATEMENTS | {
    "copy_file_range", "journal", "open", "os.link", "os.mkdir", "os.rename", "os.symlink",
    "pwrite", "pwritev", "sendfile", "write", "writev",
}  # fmt: skip
_FAILS_TOO = frozenset({"fdatasync", "fsync", "ftruncate", "os.truncate"})
_FILE_ACTS = frozenset(
    {
        "open",
        "os.link",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.symlink",
        "os.truncate",
    }
)


class FailPoint(CrashPoint):
    """Makes everything that takes space fail from the nth step on, until it is told to stop.

    Parameters
    ----------
    error
        ``ENOSPC``: nothing that takes space works. ``EIO``: nor does any sync or removal.
    """

    def __init__(self, at: int, *, error: int) -> None:
        super().__init__(at)
        self._error = error
        self.failed_at: str | None = None
        """The first step that failed."""

    def reached(self, step: str) -> None:
        """Count a step, and fail it if it is one of those that cannot be done any more."""
        self.steps.append(step)
        if len(self.steps) < self.at or not self._fails(step):
            return
        if self.failed_at is None:
            self.failed_at = step
        if self._act_of(step) in _STATEMENTS:
            # Disk I/O error, or disk full, as SQLite says it.
            code = sqlite3.SQLITE_FULL if self._error == errno.ENOSPC else sqlite3.SQLITE_IOERR
            failure = sqlite3.OperationalError(os.strerror(self._error))
            failure.sqlite_errorcode = code
            if step == "before COMMIT":
                raise failure
            raise OperationalError(step, {}, failure)
        raise OSError(self._error, os.strerror(self._error), step)

    @staticmethod
    def _act_of(step: str) -> str:
        return step.removeprefix("before ").split(maxsplit=1)[0]

    def _fails(self, step: str) -> bool:
        if step.startswith(("after ", "journal, ")):
            return False
        act = self._act_of(step)
        if act == "open" and os.path.exists(step.removeprefix("open ")):
            return self._error == errno.EIO
        return act in _TAKES_SPACE or (self._error == errno.EIO and act in _FAILS_TOO)


class _LastWords(io.BytesIO):
    """The body of a request during which this process dies, when half of it is sent."""

    def __init__(self, data: bytes, die: Callable[[], None]) -> None:
        super().__init__(data)
        self._half = len(data) // 2
        self._die = die

    def read(self, size: int | None = -1, /) -> bytes:
        position = self.tell()
        if position and position >= self._half:
            self._die()
        # Whatever reads it sends what it has before it reads on.
        whole = size is None or size < 0
        return super().read(self._half - position if whole else min(size or 0, self._half))


class _BrokenFile:
    """A file that cannot be written to."""

    def __init__(self, file: Any, error: OSError) -> None:
        self._file = file
        self._error = error

    def write(self, data: bytes) -> int:
        self._file.write(data[: len(data) // 2])
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _write_to_broken_file(
    write: Callable[[Journal, bytes], None], journal: Journal, data: bytes, error: OSError
) -> None:
    """Let a journal meet the error where the system would report it."""
    file = journal._file
    journal._file = _BrokenFile(file, error)  # type: ignore[assignment]
    try:
        write(journal, data)
    finally:
        journal._file = file


def crash_points(steps: Sequence[str]) -> range:
    """Return the numbers of all steps, for a test that kills at each of them."""
    return range(1, len(steps) + 1)


def abandon(session: WorkSession | Session) -> None:
    """Leave a session as the death of its process would: descriptors closed, nothing written."""
    inner = session._session if isinstance(session, WorkSession) else session
    journal, inner._journal = inner._journal, None
    if journal is not None:
        journal._file.close()  # it is not buffered
    if inner._lock_descriptor is not None:
        os.close(inner._lock_descriptor)
        inner._lock_descriptor = None
