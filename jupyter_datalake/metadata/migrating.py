"""Bringing a database to the current schema, forward only.

A database at the head is recognised by one query, without loading Alembic. An older one is
migrated in one transaction, after a copy of it was put aside where databases are files; a newer
one is refused before anything is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, event, inspect, text

from jupyter_datalake.errors import ErrorKind, FormatError

logger = logging.getLogger(__name__)

HEAD = "0017"
"""Name of the newest migration; a test compares it with the folder."""

_MIGRATIONS = Path(__file__).parent / "migrations"

_Statement = tuple[str, Any]

_new: dict[str, list[_Statement]] = {}
"""Kind of database to the statements that made a new one in this process."""


class Begin(Protocol):
    """Opens a transaction; one that writes holds the lake's write lock and commits at its end."""

    def __call__(self, *, writes: bool) -> AbstractContextManager[Connection]:
        """Return the transaction's connection, as a context manager."""


def migrate(begin: Begin, put_aside: Callable[[str], Path | None]) -> None:
    """Bring a database to `HEAD`.

    Parameters
    ----------
    put_aside
        Called with the schema of an older database before it is changed, behind the write lock;
        makes a durable copy and returns where, or None where the database is no file.

    Raises
    ------
    FormatError
        A newer program wrote the database.
    StorageError
        There is no room for the copy, or for the new schema; the database is as it was.
    """
    with begin(writes=False) as connection:
        version = _version(connection)
    if version == HEAD:
        return
    with begin(writes=True) as connection:
        # Looked at again behind the write lock: another process may have done it meanwhile.
        version = _version(connection)
        if version is None:
            _make(connection)
        elif version != HEAD:
            _upgrade(connection, version, put_aside)


def _make(connection: Connection) -> None:
    """Make all of a new database.

    Alembic takes ten times as long as its statements do, so who makes many, as tests do, has it
    work out once which they are.
    """
    kind = connection.dialect.name
    if kind in _new:
        for statement, parameters in _new[kind]:
            connection.exec_driver_sql(statement, parameters).close()
        return
    with _noted(connection) as statements:
        _upgrade(connection, None, lambda _: None)
    _new[kind] = statements


@contextmanager
def _noted(connection: Connection) -> Iterator[list[_Statement]]:
    """Note the statements of a block that change something."""
    noted: list[_Statement] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "SHOW")):
            noted.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(connection, "before_cursor_execute", note)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    value: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return value


def _upgrade(
    connection: Connection, version: str | None, put_aside: Callable[[str], Path | None]
) -> None:
    # Alembic costs a quarter of a second to import, and most openings do not need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise FormatError(
            f"The lake's database has schema {version}, which is newer than this program's {HEAD}",
            kind=ErrorKind.FORMAT_TOO_NEW,
            hint="Upgrade jupyter_datalake",
            schema=version,
        )
    if version is not None:
        copy = put_aside(version)
        if copy is not None:
            logger.warning(
                "The lake's database is brought from schema %s to %s; as it was it is kept in %s",
                version,
                HEAD,
                copy,
            )
    command.upgrade(config, HEAD)
    if connection.dialect.name == "postgresql":
        _compare_by_code_point(connection)


def _compare_by_code_point(connection: Connection) -> None:
    """Make every text column sort as SQLite and Python do, whatever the database's language."""
    columns = connection.execute(
        text(
            "SELECT table_name, column_name, data_type, character_maximum_length AS length"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND data_type IN ('text', 'character varying')"
            " AND collation_name IS DISTINCT FROM 'C'"
        )
    ).all()
    quote = connection.dialect.identifier_preparer.quote
    for column in columns:
        kind = "text" if column.data_type == "text" else f"varchar({column.length})"
        connection.exec_driver_sql(
            f"ALTER TABLE {quote(column.table_name)} ALTER COLUMN {quote(column.column_name)}"
            f' TYPE {kind} COLLATE "C"'
        )
