"""Copies of a whole database: consistent ones, made while others write."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, text

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup
from jupyter_datalake.metadata.blobs import Blobs
from jupyter_datalake.metadata.locations import open_sqlite
from jupyter_datalake.metadata.store import MetadataStore

_BATCH = 2000


def copy_to_file(store: MetadataStore, target: Path) -> int:
    """Write everything that a database holds at one moment into a new SQLite database.

    Writers are not held up. The copy is one file, checked, and not yet made durable.

    Parameters
    ----------
    target
        An empty file, or none; what a failure leaves of it is the caller's to remove.

    Returns
    -------
    int
        Number of the newest event in it.

    Raises
    ------
    StorageError
        The disk is full, or the database is damaged.
    """
    with store.read() as tx:
        newest = tx.events.last_number()
        raw: Any = tx._connection.connection.dbapi_connection
        if isinstance(raw, sqlite3.Connection):
            _copy_pages(raw, target)
        else:
            made = open_sqlite(target, wait_s=0)
            try:
                with made.write() as writing:
                    _copy_rows(tx._connection, writing._connection)
            finally:
                made.close()
    _finish(target)
    return newest


def copy_from_file(source: Path, store: MetadataStore) -> int:
    """Fill a database that holds nothing but the lake's id with what a file holds.

    Parameters
    ----------
    source
        As `copy_to_file` wrote it; is migrated where an older program did.

    Returns
    -------
    int
        Number of the newest event in it.

    Raises
    ------
    StorageError
        It is no database, or that of another lake; nothing was changed.
    """
    given = open_sqlite(source, wait_s=0)
    try:
        with given.read() as tx, store.write() as writing:
            theirs, ours = (one.settings.get("lake_id") for one in (tx, writing))
            if theirs != ours:
                raise StorageError(
                    f"This is a copy of the database of another lake ({theirs})",
                    kind=ErrorKind.DATABASE_UNAVAILABLE,
                    hint="Nothing was changed; give a copy of this lake's own",
                )
            _copy_rows(tx._connection, writing._connection)
            return tx.events.last_number()
    finally:
        given.close()


def _copy_pages(raw: sqlite3.Connection, target: Path) -> None:
    try:
        copy = sqlite3.connect(target)
        try:
            raw.backup(copy)  # all pages in one step: one state, whoever writes meanwhile
        finally:
            copy.close()
    except sqlite3.Error as error:
        raise _translated(error, target) from error


def _finish(target: Path) -> None:
    """Make one file of it, and look whether it is whole."""
    try:
        copy = sqlite3.connect(target)
        try:
            copy.execute("PRAGMA journal_mode = DELETE")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            copy.close()
    except sqlite3.Error as error:
        raise _translated(error, target) from error
    if verdict != "ok":
        raise StorageError(
            f"The lake's database is damaged, and so would be its copy: {verdict}",
            kind=ErrorKind.DATABASE_UNAVAILABLE,
            hint="Restore an older copy, or rebuild it: datalake maintenance rebuild",
        )


def _copy_rows(source: Connection, target: Connection) -> None:
    group = TableGroup(target, 0)
    for table in tables.metadata.sorted_tables:
        rows = source.execution_options(stream_results=True, yield_per=_BATCH).execute(
            select(table)
        )
        for batch in rows.partitions(_BATCH):
            group._insert_missing(table, [dict(row._mapping) for row in batch])
        column = table.autoincrement_column
        if column is not None:
            _set_last(target, table.name, column.name, _last(source, table.name, column.name))
    Blobs(target, 0).recount_stored()


def _last(source: Connection, table: str, column: str) -> int:
    """Return the highest number that a table ever gave out, also to a row that was deleted."""
    if source.dialect.name == "postgresql":
        sequence = source.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table, "column": column},
        ).scalar_one()
        found = source.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608
        return int(found.last_value) if found.is_called else 0
    last = source.execute(
        text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table}
    ).scalar_one_or_none()
    return int(last or 0)


def _set_last(target: Connection, table: str, column: str, last: int) -> None:
    """Let new numbers begin behind those that were given out: none is ever used again."""
    if last == 0:
        return
    values = {"table": table, "column": column, "last": last}
    if target.dialect.name == "postgresql":
        target.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), values
        )
        return
    target.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), values)
    target.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)"), values)


def _translated(error: sqlite3.Error, target: Path) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageError(
            f"The disk is full: {target} could not be written",
            kind=ErrorKind.STORAGE_FULL,
            hint="Free some space there and try again",
        )
    return StorageError(
        f"The lake's database could not be copied to {target}: {error}",
        kind=ErrorKind.DATABASE_UNAVAILABLE,
    )
