"""Bringing a database to the current schema, forward only.

A database at the head is recognised by one query, without loading Alembic. An older one is
migrated in one transaction; a newer one is refused before anything is written.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from jupyter_datalake.errors import ErrorKind, FormatError

HEAD = "0001"
"""Name of the newest migration; a test compares it with the folder."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Bring a database to `HEAD`.

    Raises
    ------
    FormatError
        A newer program wrote the database.
    """
    with engine.connect() as connection:
        version = _version(connection)
    if version == HEAD:
        return
    with engine.connect() as connection:
        writing = connection.execution_options(datalake_write=True)
        with writing.begin():
            # Looked at again behind the write lock: another process may have done it meanwhile.
            version = _version(writing)
            if version != HEAD:
                _upgrade(writing, version)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    value: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return value


def _upgrade(connection: Connection, version: str | None) -> None:
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
    command.upgrade(config, HEAD)
