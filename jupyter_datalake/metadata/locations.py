"""Database URLs to metadata stores."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

from jupyter_datalake.metadata.store import Clock, MetadataStore, SharedConnectionLock

_POOL_SIZE = 16


def open_sqlite(path: Path, *, wait_s: float, clock: Clock = time.time_ns) -> MetadataStore:
    """Open or create the SQLite database at `path`.

    Parameters
    ----------
    wait_s
        How long a transaction waits for another process's write lock.
    """
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(
        url, connect_args={"timeout": wait_s}, pool_size=_POOL_SIZE, pool_timeout=wait_s
    )
    event.listen(engine, "connect", _configure_file)
    return MetadataStore(engine, clock=clock)


def open_memory(*, clock: Clock = time.time_ns) -> MetadataStore:
    """Open a new database in memory, for tests and throw-away lakes."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _configure_common)
    return MetadataStore(engine, clock=clock, exclusive=SharedConnectionLock())


def _configure_common(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, see store._begin
    connection.execute("PRAGMA foreign_keys = ON")


def _configure_file(connection: sqlite3.Connection, record: Any) -> None:
    _configure_common(connection, record)
    connection.execute("PRAGMA journal_mode = WAL")
    # A commit that returned survives the loss of power; NORMAL would lose the last ones.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -32768")  # 32 MiB
