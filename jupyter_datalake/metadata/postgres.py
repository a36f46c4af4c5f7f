"""Postgres: one schema per lake, one advisory lock per schema, and a server that may go away.

- A write transaction is READ COMMITTED and takes the lake's advisory lock first: it sees what the
  one before it committed, and nobody writes while it reads. There is one lock, so there is no
  deadlock, and nothing to serialise that could fail.
- A read transaction is REPEATABLE READ, READ ONLY: one state, no lock.
- Nothing waits for ever: locks, statements and idle transactions have limits in the server, and
  an answer that does not come has one here, because a network that swallows packets tells nobody.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from jupyter_datalake.config import without_password
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    StorageError,
)
from jupyter_datalake.metadata.store import Clock, MetadataStore
from jupyter_datalake.model.ids import digest_of

DEFAULT_SCHEMA = "datalake"

_POOL_SIZE = 8
_OVERFLOW = 24
_CONNECT_S = 5
_BEGIN_S = 5.0
"""How long the answer to BEGIN may take, which waits for nothing: a longer one is lost."""
_SLACK_S = 5.0
"""How much later than the server's own limits this side gives up."""
_IDLE_S = 15
"""How long a transaction may stand still before the server ends it and frees its lock."""
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,54}")
_REBUILT = "_rebuilt"

# Tell a dead peer within half a minute also where nothing is sent.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class PostgresPlace(NamedTuple):
    """A database and the schema in it, as a URL names them."""

    url: URL
    schema: str

    @property
    def shown(self) -> str:
        """The URL as it may be shown, logged and kept: without its password."""
        return self.url._replace(password=None).render_as_string(hide_password=False)


def parse_postgres(url: str) -> PostgresPlace:
    """Return what a URL says, or raise `InvalidInputError`."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        parsed = None
    if parsed is None or parsed.drivername not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise _invalid(url, "is no Postgres URL")
    schema = parsed.query.get("schema", DEFAULT_SCHEMA)
    if not isinstance(schema, str) or not _SCHEMA.fullmatch(schema) or schema.startswith("pg_"):
        raise _invalid(url, f"names no schema that can be used: {schema!r}")
    if "password" in parsed.query:
        raise _invalid(url, "has its password in a place where it would be shown")
    if not parsed.database:
        raise _invalid(url, "names no database")
    return PostgresPlace(parsed.set(drivername="postgresql"), schema)


def _invalid(url: str, what: str) -> InvalidInputError:
    shown = re.sub(r"(password=)[^&#]*", r"\1***", without_password(url))
    return InvalidInputError(
        f"Database URL {shown!r} {what}",
        kind=ErrorKind.INVALID_URL,
        hint="Write it as postgresql://user@host:5432/database?schema=datalake, and the password"
        " into ~/.pgpass or PGPASSWORD",
        url=shown,
    )


def open_store(
    url: str, *, wait_s: float, clock: Clock = time.time_ns, must_exist: bool = False
) -> MetadataStore:
    """Open a lake's schema; see `locations.open_postgres`."""
    place = parse_postgres(url)
    rules = PostgresRules(place, wait_s, must_exist=must_exist)
    conninfo = _conninfo(place)

    def connect() -> BoundedConnection:
        connection = BoundedConnection.connect(
            conninfo, autocommit=True, application_name=_application_name()
        )
        try:
            rules.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=_POOL_SIZE,
        max_overflow=_OVERFLOW,
        pool_timeout=wait_s + _SLACK_S,
        use_native_hstore=False,
    )
    event.listen(engine, "checkin", _make_patient)
    try:
        store = MetadataStore(engine, rules, clock=clock)
    except BaseException:
        engine.dispose()
        raise
    rules.patience_s = wait_s  # before, a server that is not there is more likely a wrong URL
    return store


@contextmanager
def replacing(url: str, *, wait_s: float, clock: Clock = time.time_ns) -> Iterator[MetadataStore]:
    """Open an empty schema that takes the place of a lake's lost one when the block ends.

    When the block raises, everything stays as it was.
    """
    place = parse_postgres(url)
    fresh = f"{place.schema}{_REBUILT}"
    try:
        with BoundedConnection.connect(_conninfo(place), autocommit=True) as guard:
            guard.answer_s = wait_s + _SLACK_S
            _take_turns(guard, place)
            if _has_lake(guard, place.schema):
                raise AlreadyExistsError(
                    f"The lake has its database in {place.shown}",
                    kind=ErrorKind.LAKE_EXISTS,
                    hint=f"Rename the schema {place.schema} if you want to make it anew",
                )
            guard.execute(f'DROP SCHEMA IF EXISTS "{fresh}" CASCADE'.encode())
            at_fresh = place.url.update_query_dict({"schema": fresh})
            store = open_store(
                at_fresh.render_as_string(hide_password=False), wait_s=wait_s, clock=clock
            )
            try:
                yield store
                store.close()
                with guard.transaction():
                    guard.execute(f'DROP SCHEMA IF EXISTS "{place.schema}" CASCADE'.encode())
                    guard.execute(f'ALTER SCHEMA "{fresh}" RENAME TO "{place.schema}"'.encode())
            finally:
                store.close()
                guard.execute(f'DROP SCHEMA IF EXISTS "{fresh}" CASCADE'.encode())
    except psycopg.Error as error:
        raise _storage_error(error, place) from error


def _take_turns(guard: BoundedConnection, place: PostgresPlace) -> None:
    row = guard.execute(
        "SELECT pg_try_advisory_lock(%s)", [_lock_number(f"replace {place.schema}")]
    ).fetchone()
    if not (row and row[0]):
        raise ConflictError(
            f"The database {place.shown} is being made anew by another process",
            kind=ErrorKind.LEASE_HELD,
            hint="Wait for it to end",
            retryable=True,
        )


def _has_lake(connection: BoundedConnection, schema: str) -> bool:
    """Tell whether a schema holds a lake, or what was one."""
    row = connection.execute(
        "SELECT to_regclass(%s) IS NOT NULL", [f'"{schema}".alembic_version']
    ).fetchone()
    if not (row and row[0]):
        return False
    found = connection.execute(
        f"SELECT count(*) FROM \"{schema}\".lake WHERE key = 'lake_id'".encode()  # noqa: S608
    ).fetchone()
    return bool(found and found[0])


def _lock_number(name: str) -> int:
    """Return the number of an advisory lock, which one database has many of."""
    digest = digest_of(f"jupyter_datalake {name}".encode())
    return int.from_bytes(digest[:8], "big", signed=True)


def _conninfo(place: PostgresPlace) -> str:
    url = place.url
    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_S,
        **_KEEPALIVE,
        **{name: value for name, value in url.query.items() if name != "schema"},
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    # Read now: later, in a worker, the environment has no secrets any more.
    given = {
        one.keyword.decode(): one.val.decode()
        for one in psycopg.pq.Conninfo.get_defaults()
        if one.val is not None and one.keyword not in {b"hostaddr", b"service"}
    }
    given.update({name: str(value) for name, value in options.items() if value is not None})
    try:
        return make_conninfo("", **given)
    except psycopg.Error as error:
        raise _invalid(place.shown, f"says something unknown: {_one_line(error)}") from error


def _application_name() -> str:
    """Return how this process is called in the server's lists; at most 63 bytes count there."""
    return f"datalake pid {os.getpid()} on {socket.gethostname()}"[:63]


class BoundedConnection(psycopg.Connection[Any]):
    """A connection whose server must go on saying something.

    Keepalive notices a machine that is gone, but not a proxy or a frozen server that takes
    everything and answers nothing.
    """

    answer_s = _BEGIN_S
    """How long the server may be silent while it is waited for."""

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Wait as psycopg does, but no longer than `answer_s` without a sign of life."""
        try:
            return super().wait(_bounded(gen, self.answer_s), *args, **kwargs)
        except NoAnswerError:
            self.close()
            raise

    def __del__(self, *_: Any) -> None:
        # Pooled connections end with the process, and in a forked child they are the parent's.
        return

    def __enter__(self) -> Self:
        return self


class NoAnswerError(psycopg.OperationalError):
    """The server said nothing for too long."""


def _bounded(gen: Any, limit_s: float) -> Any:
    """Pass a psycopg wait on, until nothing was heard for so long."""
    deadline = time.monotonic() + limit_s
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                deadline = time.monotonic() + limit_s
            elif time.monotonic() > deadline:
                raise NoAnswerError(f"no answer from the server for {limit_s:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


def _make_patient(connection: Any, record: Any) -> None:
    """Let a connection that goes back to the pool begin as a new one does."""
    if connection is not None:
        connection.answer_s = _BEGIN_S


class PostgresRules:
    """Postgres: a server, which others share and which may be gone for a while."""

    def __init__(self, place: PostgresPlace, wait_s: float, *, must_exist: bool = False) -> None:
        self.patience_s = min(wait_s, 2.0)
        self._place = place
        self._wait_s = wait_s
        self._must_exist = must_exist
        self._lock = _lock_number(place.schema)

    def prepare(self, connection: BoundedConnection) -> None:
        """Set a new connection up for this lake, and make the schema where it is missing."""
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StorageError(
                f"The database {self._place.shown} is encoded in {encoding}",
                kind=ErrorKind.DATABASE_UNAVAILABLE,
                hint="Make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            )
        wait_ms = int(self._wait_s * 1000)
        connection.answer_s = self._wait_s + _SLACK_S
        row = connection.execute(
            "SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false),"
            " set_config('statement_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false),"
            " set_config('timezone', 'UTC', false),"
            " set_config('default_transaction_isolation', 'read committed', false),"
            " to_regclass(%s) IS NOT NULL, to_regnamespace(%s) IS NOT NULL",
            [
                f'"{self._place.schema}"',
                str(wait_ms),
                str(wait_ms + 1000),
                f"{_IDLE_S}s",
                f'"{self._place.schema}".alembic_version',
                f'"{self._place.schema}"',
            ],
        ).fetchone()
        assert row is not None
        has_tables, has_schema = row[-2:]
        if self._must_exist and not has_tables:
            raise StorageError(
                f"There is no lake in the database {self._place.shown}",
                kind=ErrorKind.DATABASE_UNAVAILABLE,
                hint="Restore it from a backup, or rebuild it from the packs: datalake --lake …"
                " maintenance rebuild; DATALAKE_DATABASE_URL says where it is if it was moved",
            )
        if not has_schema:
            self._create_schema(connection)
        connection.answer_s = _BEGIN_S

    def _create_schema(self, connection: BoundedConnection) -> None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [self._lock])
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._place.schema}"')

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin, and wait for the lake's write lock where the transaction writes."""
        raw: Any = connection.connection.dbapi_connection
        if not writes:
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            raw.answer_s = self._wait_s + _SLACK_S
            return
        connection.exec_driver_sql("BEGIN")
        raw.answer_s = self._wait_s + _SLACK_S
        try:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({self._lock})")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03":
                raise
            raise self._busy(raw) from error

    def put_aside(self, schema: str) -> Path | None:
        """Leave backups to whoever keeps the server; a migration is one transaction here too."""
        return None

    def session_of(self, connection: Connection) -> int:
        """Return the number by which the server knows a connection; it is not asked."""
        raw: Any = connection.connection.dbapi_connection
        return int(raw.info.backend_pid)

    def end_session(self, connection: Connection, session: int) -> None:
        """End the server's side of a lost connection, which may not know yet that it is lost."""
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid = :pid AND pid <> pg_backend_pid() AND usename = current_user"
                " AND datname = current_database() AND application_name = :name"
            ),
            {"pid": session, "name": _application_name()},
        )

    def is_passing(self, error: DBAPIError) -> bool:
        """Tell whether a new connection, in a moment, may do better."""
        return _is_passing(error.orig)

    def storage_error(self, error: DBAPIError) -> StorageError:
        """Return what an error of Postgres means to people."""
        return _storage_error(error.orig, self._place)

    def _busy(self, raw: BoundedConnection) -> StorageError:
        """Return the error of a lock that was waited for in vain, naming who holds it."""
        raw.rollback()
        row = raw.execute(
            "SELECT a.pid, a.application_name, host(a.client_addr),"
            " extract(epoch FROM clock_timestamp() - a.xact_start)::int"
            " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND ((l.classid::bigint << 32) | l.objid::bigint) = %s",
            [self._lock],
        ).fetchone()
        who, context = "another process", {}
        if row is not None:
            pid, name, address, seconds = row
            where = f" from {address}" if address else ""
            who = f"{name or 'a program'}{where}, for {seconds or 0} s (server process {pid})"
            context = {"pid": pid}
        return StorageError(
            f"The lake's database stayed busy: {who} holds a long transaction",
            kind=ErrorKind.DATABASE_BUSY,
            hint="Try again; if it stays so, look for a stopped datalake process",
            retryable=True,
            **context,
        )


# What libpq says when it cannot connect has no code, only the server's or the system's text.
_AWAY = re.compile(
    r"connection refused|starting up|shutting down|recovery mode|not yet accepting"
    r"|too many clients|too many connections|remaining connection slots|timeout expired"
    r"|server closed the connection|connection reset|broken pipe|terminating connection"
    r"|could not receive data|no route to host|network is unreachable|connection timed out"
    r"|connection is closed|connection is lost|no answer from the server|no such file",
    re.IGNORECASE,
)
_PASSING_STATES = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "53300",  # too_many_connections
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
        "25P03",  # idle_in_transaction_session_timeout
    }
)


def _is_passing(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return state in _PASSING_STATES or state.startswith("08")
    return isinstance(error, psycopg.OperationalError) and bool(_AWAY.search(str(error)))


def _storage_error(error: BaseException | None, place: PostgresPlace) -> StorageError:
    state = getattr(error, "sqlstate", None) or ""
    said = _one_line(error)
    if state in {"55P03", "57014"}:
        return StorageError(
            f"The lake's database took too long: {said}",
            kind=ErrorKind.DATABASE_BUSY,
            hint="Try again; if it stays so, look for a stopped datalake process",
            retryable=True,
        )
    if state == "53100":
        return StorageError(
            f"The disk of the lake's database {place.shown} is full: {said}",
            kind=ErrorKind.STORAGE_FULL,
            hint="Free some space there and try again; nothing that was there is lost",
        )
    hint = None
    if state == "25006":
        hint = "This server takes no writes, as a standby does; give the URL of the primary"
    elif state == "42501" or "permission denied" in said:
        hint = (
            f"Give the role the right: GRANT CREATE ON DATABASE {place.url.database} TO …, or"
            f" CREATE SCHEMA {place.schema} AUTHORIZATION …"
        )
    elif "password" in said or "authentication" in said or "pg_hba" in said:
        hint = "Put the password into ~/.pgpass or PGPASSWORD, and check the name of the user"
    elif "failed to resolve" in said:
        hint = "Check the name of the host"
    elif _is_passing(error):
        return StorageError(
            f"The lake's database {place.shown} does not answer: {said}",
            kind=ErrorKind.DATABASE_UNAVAILABLE,
            hint="Check that the server runs and can be reached, then try again",
            retryable=True,
        )
    return StorageError(
        f"The lake's database {place.shown} failed: {said}",
        kind=ErrorKind.DATABASE_UNAVAILABLE,
        hint=hint,
    )


def _one_line(error: BaseException | None) -> str:
    """Return an error's text without the statement it happened in."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(primary or error).split())
