"""What databases do differently: how a transaction begins, and what their errors mean.

`MetadataStore` is the same for all of them; each brings one `DatabaseRules`.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from jupyter_datalake.disk_trust import DiskTrust
from jupyter_datalake.errors import ErrorKind, StorageError

_WAL_WRITE_LOCK = 120
"""The byte of a ``-shm`` file that a writer locks; part of SQLite's documented format."""


class DatabaseRules(Protocol):
    """The differences between databases.

    A write transaction that has begun is the only one of its lake until it ends: what it reads
    is still true when it writes.
    """

    patience_s: float
    """How long to go on trying to begin a transaction while the database is away."""

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin a transaction on a connection of the pool.

        Raises
        ------
        StorageError
            Another one held the database for too long (``database-busy``).
        """

    def put_aside(self, schema: str) -> Path | None:
        """Make a durable copy of a database that is about to be migrated, and return where.

        None where that is up to whoever keeps the database.

        Raises
        ------
        StorageError
            There is no room for it.
        """

    def session_of(self, connection: Connection) -> Any:
        """Return what `end_session` needs to know of a connection that may be lost later."""

    def end_session(self, connection: Connection, session: Any) -> None:
        """See to it that a transaction whose connection was lost ends soon, one way or another."""

    def is_passing(self, error: DBAPIError) -> bool:
        """Tell whether the same statement may go well in a moment, on another connection."""

    def storage_error(self, error: DBAPIError) -> StorageError:
        """Return what an error of the database means to people."""


_FAILED_WRITES = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)


class SqliteRules:
    """SQLite: one file, whose write lock is taken when a write transaction begins."""

    patience_s = 0.0  # waiting is the driver's, see `locations.open_sqlite`

    def __init__(
        self, path: Path | None = None, *, can_write: bool = True, disk: DiskTrust | None = None
    ) -> None:
        self._path = path
        self._disk = disk or DiskTrust()
        self._can_write = can_write

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin by ourselves: the driver would begin late, and then deferred."""
        if writes and not self._can_write:
            raise StorageError(
                f"The lake can be read and not written: this user must not write to {self._path}",
                kind=ErrorKind.STORAGE_DENIED,
                hint="Mount its disk writable, or ask its owner for the right to write",
            )
        if writes:
            self._disk.check()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def put_aside(self, schema: str) -> Path | None:
        """Copy the database to a file beside it that is named after its schema."""
        if self._path is None:
            return None
        copy = self._path.with_name(f"{self._path.name}.schema-{schema}")
        unfinished = Path(f"{copy}.new")
        try:
            unfinished.unlink(missing_ok=True)
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with (
                closing(sqlite3.connect(self._path)) as ours,
                closing(sqlite3.connect(unfinished)) as theirs,
            ):
                ours.backup(theirs)
            _sync(unfinished)
            unfinished.replace(copy)
            _sync(copy.parent)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"The lake's database must be brought from schema {schema} to a newer one, and no"
                f" copy of it could be put aside as {copy}: {error}",
                kind=ErrorKind.STORAGE_FULL if _is_full(error) else ErrorKind.DATABASE_UNAVAILABLE,
                hint="Nothing was changed; make room for the copy, and try again",
            ) from error
        return copy

    def session_of(self, connection: Connection) -> Any:
        """Return nothing: a connection to a file cannot be lost."""
        return None

    def end_session(self, connection: Connection, session: Any) -> None:
        """Do nothing: a transaction that failed has ended."""

    def is_passing(self, error: DBAPIError) -> bool:
        """Tell no: the driver has waited already."""
        return False

    def storage_error(self, error: DBAPIError) -> StorageError:
        """Return what an error of SQLite means to people."""
        code = getattr(error.orig, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return self._busy()
        if primary == sqlite3.SQLITE_FULL:
            return StorageError(
                "The disk is full: the lake's database could not be written",
                kind=ErrorKind.STORAGE_FULL,
                hint="Free some space and try again; nothing that was there is lost",
            )
        if code in _FAILED_WRITES:
            self._disk.lose("the database", str(error.orig))
        return StorageError(
            f"The lake's database failed: {error.orig}", kind=ErrorKind.DATABASE_UNAVAILABLE
        )

    def _busy(self) -> StorageError:
        holder = None if self._path is None else write_lock_holder(self._path)
        if holder is None:
            who, hint = "another process", "look for a stopped datalake process"
        else:
            who = f"the process {describe_process(holder)}"
            hint = f"look at what it does: ps -fp {holder}"
        return StorageError(
            f"The lake's database stayed busy: {who} holds a long transaction",
            kind=ErrorKind.DATABASE_BUSY,
            hint=f"Try again; if it stays so, {hint}",
            retryable=True,
            **({} if holder is None else {"pid": holder}),
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def write_lock_holder(path: Path, locks: Path = Path("/proc/locks")) -> int | None:
    """Return the id of the process that is writing to a SQLite database, as the kernel knows it.

    None where nobody is, or where this cannot be told: another kernel, another machine, another
    container. The file itself is not opened: closing it would drop this process's own locks.
    """
    try:
        found = os.stat(f"{path}-shm")
        lines = locks.read_text().splitlines()
    except OSError:
        return None
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in lines:
        # 1: POSIX  ADVISORY  WRITE 4711 fd:00:1234 120 120; those that only wait have a "->".
        words = line.split()
        if len(words) != 8 or words[1] != "POSIX" or words[3] != "WRITE" or words[5] != place:
            continue
        pid, first, last = int(words[4]), int(words[6]), words[7]
        covers = first <= _WAL_WRITE_LOCK and (last == "EOF" or int(last) >= _WAL_WRITE_LOCK)
        if covers and pid > 0:
            return pid
    return None


def describe_process(pid: int) -> str:
    """Return a process as people know it: its id and how its command begins."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return str(pid)
    command = b" ".join(words[:4]).decode(errors="replace").strip()
    return f"{pid} ({command[:80]})" if command else str(pid)
