"""`MetadataStore`: one database, and transactions over it.

Usage::

    with store.read() as tx:                 # a consistent snapshot
        head = tx.refs.get(repo, "main")
    with store.write() as tx:                # all or nothing
        tx.refs.move(...)
        tx.events.append(...)

A write transaction takes the lake's write lock when it begins, so what it reads is still true
when it writes: compare-and-swap needs no retry loop. Each one that writes leaves a key of its own
behind; where the answer to COMMIT is lost, the key says whether it was made. Errors of the
database leave here as `StorageError`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from jupyter_datalake.errors import ErrorKind, InternalError, StorageError
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.metadata.blobs import Blobs
from jupyter_datalake.metadata.commits import Commits
from jupyter_datalake.metadata.events import Events
from jupyter_datalake.metadata.gc import GarbageCollection
from jupyter_datalake.metadata.leases import Leases
from jupyter_datalake.metadata.migrating import migrate
from jupyter_datalake.metadata.pins import Pins
from jupyter_datalake.metadata.refs import Refs
from jupyter_datalake.metadata.repos import Repos
from jupyter_datalake.metadata.rules import DatabaseRules
from jupyter_datalake.metadata.sessions import Sessions
from jupyter_datalake.metadata.settings import Settings
from jupyter_datalake.metadata.write_keys import WriteKeys

if TYPE_CHECKING:
    from jupyter_datalake.metadata.connections import Connections
    from jupyter_datalake.metadata.datums import Datums
    from jupyter_datalake.metadata.jobs import Jobs
    from jupyter_datalake.metadata.lineage import Lineage
    from jupyter_datalake.metadata.mounts import Mounts
    from jupyter_datalake.metadata.notifications import Notifications
    from jupyter_datalake.metadata.pipelines import Pipelines
    from jupyter_datalake.metadata.remotes import Remotes
    from jupyter_datalake.metadata.retention import Retention

Clock = Callable[[], int]
"""Returns nanoseconds since 1970, UTC."""

T = TypeVar("T")

_WROTE = "datalake_wrote"
_ATTEMPTS = 5


class Transaction:
    """The tables, as seen by one transaction; of no use after its block.

    Those that few commands need are imported when they are asked for: all of them would be a
    tenth of what a short command takes.
    """

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
        from jupyter_datalake.metadata.lineage import Lineage  # noqa: PLC0415

        return Lineage(self._connection, self.now_ns)

    @cached_property
    def blobs(self) -> Blobs:
        """Where digests are stored."""
        return Blobs(self._connection, self.now_ns)

    @cached_property
    def gc(self) -> GarbageCollection:
        """Finding and removing what nobody needs."""
        return GarbageCollection(self._connection, self.now_ns)

    @cached_property
    def retention(self) -> Retention:
        """How much history is kept, and marks of what went."""
        from jupyter_datalake.metadata.retention import Retention  # noqa: PLC0415

        return Retention(self._connection, self.now_ns)

    @cached_property
    def pins(self) -> Pins:
        """Content in use that no commit names yet."""
        return Pins(self._connection, self.now_ns)

    @cached_property
    def sessions(self) -> Sessions:
        """Writable views of branches."""
        return Sessions(self._connection, self.now_ns)

    @cached_property
    def mounts(self) -> Mounts:
        """Mount points and what they show."""
        from jupyter_datalake.metadata.mounts import Mounts  # noqa: PLC0415

        return Mounts(self._connection, self.now_ns)

    @cached_property
    def pipelines(self) -> Pipelines:
        """Pipelines, their versions, inputs and ticks."""
        from jupyter_datalake.metadata.pipelines import Pipelines  # noqa: PLC0415

        return Pipelines(self._connection, self.now_ns)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs and what they wait for."""
        from jupyter_datalake.metadata.jobs import Jobs  # noqa: PLC0415

        return Jobs(self._connection, self.now_ns)

    @cached_property
    def datums(self) -> Datums:
        """Datums of jobs, and results by datum key."""
        from jupyter_datalake.metadata.datums import Datums  # noqa: PLC0415

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
    def notifications(self) -> Notifications:
        """What people are to be told."""
        from jupyter_datalake.metadata.notifications import Notifications  # noqa: PLC0415

        return Notifications(self._connection, self.now_ns)

    @cached_property
    def remotes(self) -> Remotes:
        """Other lakes by name."""
        from jupyter_datalake.metadata.remotes import Remotes  # noqa: PLC0415

        return Remotes(self._connection, self.now_ns)

    @cached_property
    def connections(self) -> Connections:
        """Warehouse connections."""
        from jupyter_datalake.metadata.connections import Connections  # noqa: PLC0415

        return Connections(self._connection, self.now_ns)


class MetadataStore:
    """One database of lake metadata, brought to the current schema when opened.

    Safe to share between threads. After a fork the child gets connections of its own.

    Parameters
    ----------
    engine
        As `metadata.locations` makes it.
    rules
        What its database does in a way of its own.
    clock
        The time that rows carry.
    exclusive
        Held around every transaction; a lock where the database is one shared connection.
    """

    def __init__(
        self,
        engine: Engine,
        rules: DatabaseRules,
        *,
        clock: Clock = time.time_ns,
        exclusive: AbstractContextManager[object] | None = None,
    ) -> None:
        self._engine = engine
        self._rules = rules
        self._clock = clock
        self._exclusive = exclusive or nullcontext()
        event.listen(engine, "after_cursor_execute", _note_writing)
        if exclusive is None:  # one in memory is copied by the fork, connection and all
            renew_after_fork(self, MetadataStore._forget_connections)
        with self._translated(), self._exclusive:
            migrate(self._begun, rules.put_aside)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that sees one consistent state and must not write."""
        with self._translated(), self._exclusive, self._begun(writes=False) as connection:
            yield Transaction(connection, self._clock())

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that commits when its block ends and rolls back when it raises.

        Raises
        ------
        StorageError
            The database failed. Unless the message says that it is not known, nothing of this
            transaction was made; `retryable` tells whether to try again.
        """
        with self._translated():
            key, session, has_ended = "", None, False
            try:
                with self._exclusive, self._begun(writes=True) as connection:
                    session = self._rules.session_of(connection)
                    now_ns = self._clock()
                    yield Transaction(connection, now_ns)
                    if connection.info.get(_WROTE):
                        key = WriteKeys(connection, now_ns).leave()
                    has_ended = True
            except DBAPIError as error:
                # The answer to COMMIT may be what was lost, and not the transaction.
                if not (has_ended and key and self._was_made(key, session, error)):
                    raise

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a write transaction, again where the database dropped it on the way.

        Parameters
        ----------
        work
            May be called several times, and must then begin anew; only what its last
            transaction wrote is there.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with self.write() as tx:
                    return work(tx)
            except StorageError as error:
                passing = isinstance(error.__cause__, DBAPIError) and self._rules.is_passing(
                    error.__cause__
                )
                if not (error.retryable and passing) or attempt == _ATTEMPTS - 1:
                    raise
            _pause(attempt)
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Close the pooled connections; safe to call twice."""
        self._engine.dispose()

    def _forget_connections(self) -> None:
        # The parent goes on using them; closing them here would end its transactions.
        self._engine.dispose(close=False)

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[Connection]:
        """Open a transaction; one that writes commits at the end."""
        connection = self._begin(writes=writes)
        with connection:
            if not writes:
                yield connection
                return
            transaction = connection.get_transaction()
            assert transaction is not None
            with transaction:
                yield connection

    def _begin(self, *, writes: bool) -> Connection:
        """Begin a transaction, in patience while the database is away: nothing is done yet."""
        deadline = time.monotonic() + self._rules.patience_s
        attempt = 0
        while True:
            try:
                connection = self._engine.connect()
                try:
                    connection.begin()
                    connection.info.pop(_WROTE, None)
                    self._rules.begin(connection, writes=writes)
                    return connection
                except BaseException:
                    connection.close()
                    raise
            except DBAPIError as error:
                if not self._rules.is_passing(error) or time.monotonic() > deadline:
                    raise
            _pause(attempt)
            attempt += 1

    def _was_made(self, key: str, session: Any, error: DBAPIError) -> bool:
        """Tell whether a transaction was made whose COMMIT had no answer."""
        try:
            with self._exclusive:
                with self._begin(writes=False) as connection:
                    self._rules.end_session(connection, session)
                # The lost one holds the write lock to its end, so behind it all is decided.
                with self._begin(writes=True) as connection:
                    return WriteKeys(connection, self._clock()).has(key)
        except (DBAPIError, StorageError) as unknown:
            raise StorageError(
                "The lake's database went away while it was asked to commit, and stays away:"
                f" it is not known whether the change was made ({_one_line(error)})",
                kind=ErrorKind.DATABASE_UNAVAILABLE,
                hint="Look whether it is there before you try again",
            ) from unknown

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            raise StorageError(
                "All database connections of this process are busy",
                kind=ErrorKind.DATABASE_BUSY,
                retryable=True,
            ) from error
        except DBAPIError as error:
            raise self._rules.storage_error(error) from error


def _note_writing(
    connection: Connection,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,  # the signature is SQLAlchemy's
) -> None:
    """Remember that a transaction changed something: others need no key."""
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        connection.info[_WROTE] = True


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0.5, 1) * min(0.05 * 2**attempt, 1))  # noqa: S311  # jitter


def _one_line(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


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
