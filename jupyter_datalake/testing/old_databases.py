"""Databases as older releases left them, for tests of what a newer one makes of them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from jupyter_datalake.metadata import migrating


def _config() -> Config:
    config = Config()
    folder = Path(migrating.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return config


def schemas() -> Sequence[str]:
    """Return the names of all schemas, oldest first; the last is today's."""
    script = ScriptDirectory.from_config(_config())
    return [one.revision for one in reversed([*script.walk_revisions()])]


def make_old(database: Path, schema: str) -> None:
    """Replace a lake's SQLite database by one of an older schema that holds the same.

    What the older schema has no column for is gone; so is every row that holds nothing else.
    """
    old = database.with_name(f"{database.name}.old")
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
    engine.dispose()
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS present", [str(database)])
        connection.execute("BEGIN")
        for table in _tables(connection, "main"):
            if table != "alembic_version" and table in _tables(connection, "present"):
                known = set(_columns(connection, "present", table))
                shared = [name for name in _columns(connection, "main", table) if name in known]
                names = ", ".join(f'"{name}"' for name in shared)
                # Some migrations put rows of their own into new tables.
                connection.execute(f'DELETE FROM main."{table}"')  # noqa: S608  # our own names
                connection.execute(
                    f'INSERT OR REPLACE INTO main."{table}" ({names})'  # noqa: S608  # names of our own tables
                    f' SELECT {names} FROM present."{table}"'
                )
        connection.execute("COMMIT")
        connection.execute("DETACH present")
        connection.execute("PRAGMA journal_mode = WAL")
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    os.replace(old, database)


def schema_of(database: Path) -> str:
    """Return the schema of a SQLite database, without changing it."""
    with closing(sqlite3.connect(database)) as connection:
        found: str = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        return found


def dump(database: Path) -> Sequence[str]:
    """Return everything in a SQLite database, as statements."""
    with closing(sqlite3.connect(database)) as connection:
        return [*connection.iterdump()]


def _tables(connection: sqlite3.Connection, where: str) -> list[str]:
    rows = connection.execute(
        f"SELECT name FROM {where}.sqlite_master"  # noqa: S608  # main or present
        " WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    )
    return [name for (name,) in rows]


def _columns(connection: sqlite3.Connection, where: str, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA {where}.table_info("{table}")')]
