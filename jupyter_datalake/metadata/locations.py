"""Database URLs to metadata stores."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

from jupyter_datalake.disk_trust import DiskTrust
from jupyter_datalake.errors import MissingDependencyError
from jupyter_datalake.metadata.rules import SqliteRules
from jupyter_datalake.metadata.store import Clock, MetadataStore, SharedConnectionLock

_POOL_SIZE = 16
_RETRY_S = 0.01


def open_sqlite(
    path: Path,
    *,
    wait_s: float,
    clock: Clock = time.time_ns,
    disk: DiskTrust | None = None,
) -> MetadataStore:
    """Open or create the SQLite database at `path`.

    One that this process must not write to is opened to be read: where nobody else has it open, as
    it is at this moment, for SQLite cannot watch over what it cannot lock.

    Parameters
    ----------
    wait_s
        How long a transaction waits for another process's write lock.
    disk
        Shared with whatever else writes to the same disk; see `disk_trust`.
    """
    can_write = os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))
    url = URL.create("sqlite", database=str(path)) if can_write else _url_to_read(path)
    engine = create_engine(
        url, connect_args={"timeout": wait_s}, pool_size=_POOL_SIZE, pool_timeout=wait_s
    )

    def configure(connection: sqlite3.Connection, record: Any) -> None:
        if can_write:
            _configure_file(connection, record, time.monotonic() + wait_s)
        else:
            _configure_common(connection, record)

    event.listen(engine, "connect", configure)
    return MetadataStore(engine, SqliteRules(path, can_write=can_write, disk=disk), clock=clock)


def _url_to_read(path: Path) -> URL:
    """Return how SQLite opens a database whose folder it cannot write to.

    With a log beside it, somebody has it open, or died: SQLite reads the log without writing.
    Without one it would want to make one, unless it is told that nothing changes.
    """
    query = {"mode": "ro", "uri": "true"}
    if not _has_log(path):
        query["immutable"] = "1"
    return URL.create("sqlite", database=f"file:{quote(str(path))}", query=query)


def _has_log(path: Path) -> bool:
    try:
        return os.stat(f"{path}-wal").st_size > 0
    except OSError:
        return False


def open_postgres(
    url: str, *, wait_s: float, clock: Clock = time.time_ns, must_exist: bool = False
) -> MetadataStore:
    """Open a lake's schema in a Postgres database; make it where it is missing.

    Parameters
    ----------
    url
        ``postgresql://user@host:port/database?schema=name``; the schema is ``datalake`` where
        none is named. One database holds as many lakes as it has schemas. Other parameters are
        those of libpq, such as ``sslmode``; a password that is not in the URL comes from
        ``PGPASSWORD``, ``PGPASSFILE`` or ``~/.pgpass``.
    wait_s
        How long a transaction waits for another one's lock, and for a server that is away.
    must_exist
        Refuse a database without the schema, instead of making it.

    Raises
    ------
    InvalidInputError
        The URL says nothing that Postgres understands.
    MissingDependencyError
        psycopg is not installed.
    StorageError
        The server is not there, or refuses.
    """
    store: MetadataStore = _postgres().open_store(
        url, wait_s=wait_s, clock=clock, must_exist=must_exist
    )
    return store


def replace_postgres(
    url: str, *, wait_s: float, clock: Clock = time.time_ns
) -> AbstractContextManager[MetadataStore]:
    """Return a block with an empty database that becomes a lake's lost one when the block ends.

    Raises
    ------
    AlreadyExistsError
        The lake's schema is there.
    ConflictError
        Somebody else is at it.
    """
    block: AbstractContextManager[MetadataStore] = _postgres().replacing(
        url, wait_s=wait_s, clock=clock
    )
    return block


def postgres_address(url: str) -> str:
    """Return a database's URL as it may be shown and kept, checked: without its password."""
    return str(_postgres().parse_postgres(url).shown)


def _postgres() -> ModuleType:
    try:
        from jupyter_datalake.metadata import postgres  # noqa: PLC0415  # an optional package
    except ImportError as error:
        raise MissingDependencyError(
            "A lake in Postgres needs the package psycopg",
            hint="Install it: pip install 'jupyter_datalake[postgres]'",
        ) from error
    return postgres


def open_memory(*, clock: Clock = time.time_ns) -> MetadataStore:
    """Open a new database in memory, for tests and throw-away lakes."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _configure_common)
    return MetadataStore(engine, SqliteRules(), clock=clock, exclusive=SharedConnectionLock())


def _configure_common(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, see SqliteRules
    connection.execute("PRAGMA foreign_keys = ON")


def _configure_file(connection: sqlite3.Connection, record: Any, deadline: float) -> None:
    _configure_common(connection, record)
    # SQLite does not wait by itself where several processes make a new file a WAL database.
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
    # A commit that returned survives the loss of power; NORMAL would lose the last ones.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -32768")  # 32 MiB
