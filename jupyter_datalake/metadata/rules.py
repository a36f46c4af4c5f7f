"""What databases do differently: how a transaction begins, and what their errors mean.

`MetadataStore` is the same for all of them; each brings one `DatabaseRules`.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

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

    def session_of(self, connection: Connection) -> Any:
        """Return what `end_session` needs to know of a connection that may be lost later."""

    def end_session(self, connection: Connection, session: Any) -> None:
        """See to it that a transaction whose connection was lost ends soon, one way or another."""

    def is_passing(self, error: DBAPIError) -> bool:
        """Tell whether the same statement may go well in a moment, on another connection."""

    def storage_error(self, error: DBAPIError) -> StorageError:
        """Return what an error of the database means to people."""


class SqliteRules:
    """SQLite: one file, whose write lock is taken when a write transaction begins."""

    patience_s = 0.0  # waiting is the driver's, see `locations.open_sqlite`

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin by ourselves: the driver would begin late, and then deferred."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

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
