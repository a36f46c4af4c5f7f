"""`MetadataStore`: one database, and transactions over it.

Usage::

    with store.read() as tx:                 # a consistent snapshot
        head = tx.refs.get(repo, "main")
    with store.write() as tx:                # all or nothing
        tx.refs.move(...)
        tx.events.append(...)

A write transaction takes the database's write lock when it begins, so what it reads is still
true when it writes: compare-and-swap needs no retry loop. Errors of the database leave here as
`StorageError`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from jupyter_datalake.errors import ErrorKind, InternalError, StorageError
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.metadata.blobs import Blobs
from jupyter_datalake.metadata.commits import Commits
from jupyter_datalake.metadata.connections import Connections
from jupyter_datalake.metadata.datums import Datums
from jupyter_datalake.metadata.events import Events
from jupyter_datalake.metadata.jobs import Jobs
from jupyter_datalake.metadata.leases import Leases
from jupyter_datalake.metadata.lineage import Lineage
from jupyter_datalake.metadata.migrating import migrate
from jupyter_datalake.metadata.mounts import Mounts
from jupyter_datalake.metadata.pipelines import Pipelines
from jupyter_datalake.metadata.refs import Refs
from jupyter_datalake.metadata.repos import Repos
from jupyter_datalake.metadata.sessions import Sessions
from jupyter_datalake.metadata.settings import Settings

Clock = Callable[[], int]
"""Returns nanoseconds since 1970, UTC."""

_WRITE_OPTION = "datalake_write"


class Transaction:
    """The tables, as seen by one transaction; of no use after its block."""

    def __init__(self, connection: Connection, now_ns: int) -> None:
        self._connection = connection
        self.now_ns = now_ns

    @cached_property
    def settings(self) -> Settings:
        """Facts about the lake itself."""
        return Settings(self._connection, self.now_ns)

    @cached_property
    def repos(self) -> Repos:
        """Repos by name."""
        return Repos(self._connection, self.now_ns)

    @cached_property
    def refs(self) -> Refs:
        """Branches, tags and the reflog."""
        return Refs(self._connection, self.now_ns)

    @cached_property
    def commits(self) -> Commits:
        """Commits and their parents."""
        return Commits(self._connection, self.now_ns)

    @cached_property
    def lineage(self) -> Lineage:
        """Provenance edges and global ids."""
        return Lineage(self._connection, self.now_ns)

    @cached_property
    def blobs(self) -> Blobs:
        """Where digests are stored."""
        return Blobs(self._connection, self.now_ns)

    @cached_property
    def sessions(self) -> Sessions:
        """Writable views of branches."""
        return Sessions(self._connection, self.now_ns)

    @cached_property
    def mounts(self) -> Mounts:
        """Mount points and what they show."""
        return Mounts(self._connection, self.now_ns)

    @cached_property
    def pipelines(self) -> Pipelines:
        """Pipelines, their versions, inputs and ticks."""
        return Pipelines(self._connection, self.now_ns)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs and what they wait for."""
        return Jobs(self._connection, self.now_ns)

    @cached_property
    def datums(self) -> Datums:
        """Datums of jobs, and results by datum key."""
        return Datums(self._connection, self.now_ns)

    @cached_property
    def leases(self) -> Leases:
        """Claims that run out."""
        return Leases(self._connection, self.now_ns)

    @cached_property
    def events(self) -> Events:
        """The numbered log."""
        return Events(self._connection, self.now_ns)

    @cached_property
    def connections(self) -> Connections:
        """Warehouse connections."""
        return Connections(self._connection, self.now_ns)


class MetadataStore:
    """One database of lake metadata, brought to the current schema when opened.

    Safe to share between threads. After a fork the child gets connections of its own.

    Parameters
    ----------
    engine
        As `metadata.locations` makes it, with this module's rules applied to its connections.
    clock
        The time that rows carry.
    exclusive
        Held around every transaction; a lock where the database is one shared connection.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock = time.time_ns,
        exclusive: AbstractContextManager[object] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._exclusive = exclusive or nullcontext()
        event.listen(engine, "begin", _begin)
        if exclusive is None:  # one in memory is copied by the fork, connection and all
            renew_after_fork(self, MetadataStore._forget_connections)
        with _translated(), self._exclusive:
            migrate(engine)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that sees one consistent state and must not write."""
        with _translated(), self._exclusive, self._engine.connect() as connection:
            yield Transaction(connection, self._clock())

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that commits when its block ends and rolls back when it raises."""
        with _translated(), self._exclusive, self._engine.connect() as connection:
            writing = connection.execution_options(**{_WRITE_OPTION: True})
            with writing.begin():
                yield Transaction(writing, self._clock())

    def close(self) -> None:
        """Close the pooled connections; safe to call twice."""
        self._engine.dispose()

    def _forget_connections(self) -> None:
        # The parent goes on using them; closing them here would end its transactions.
        self._engine.dispose(close=False)


def _begin(connection: Connection) -> None:
    """Open SQLite transactions ourselves: its driver would begin late, and then deferred."""
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get(_WRITE_OPTION, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise StorageError(
            "All database connections of this process are busy",
            kind=ErrorKind.DATABASE_BUSY,
            retryable=True,
        ) from error
    except DBAPIError as error:
        raise _storage_error(error) from error


def _storage_error(error: DBAPIError) -> StorageError:
    text = str(error.orig)
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StorageError(
            "The lake's database stayed busy: another process holds a long transaction",
            kind=ErrorKind.DATABASE_BUSY,
            hint="Try again; if it stays so, look for a stopped datalake process",
            retryable=True,
        )
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return StorageError(
            "The disk is full: the lake's database could not be written",
            kind=ErrorKind.STORAGE_FULL,
            hint="Free some space and try again; nothing that was there is lost",
        )
    return StorageError(f"The lake's database failed: {text}", kind=ErrorKind.DATABASE_UNAVAILABLE)


class SharedConnectionLock:
    """Serialises transactions over the one connection of a database in memory.

    A transaction inside another of the same thread is a bug that other databases show as a wait
    without end, or as a read of old rows; here it is an error at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None
        renew_after_fork(self, SharedConnectionLock._renew)

    def __enter__(self) -> None:
        if self._holder == threading.get_ident():
            raise InternalError("A transaction was begun inside another one of the same thread")
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *exc_info: object) -> None:
        self._holder = None
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._holder = None
