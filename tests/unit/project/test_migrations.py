"""The migrations lead to the schema of `metadata.tables`, and HEAD is their end."""

import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from jupyter_datalake.metadata import migrating, tables
from jupyter_datalake.metadata.locations import open_sqlite


def script():
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config)


def test_head_is_the_newest_revision_and_there_is_one_line():
    assert script().get_heads() == [migrating.HEAD]
    assert len(script().get_bases()) == 1


def test_a_migrated_database_has_the_schema_of_the_tables(tmp_path):
    path = tmp_path / "metadata.sqlite"
    open_sqlite(path, wait_s=1).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, tables.metadata)
    engine.dispose()
    assert differences == []


def shapes(path):
    """The statements that made a database, without what spaces and quotes add."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name != 'alembic_version'"
    ).fetchall()
    connection.close()
    return {name: parts_of(sql) for name, sql in rows}


def parts_of(sql):
    """The columns, constraints and options of a statement, in any order."""
    text = " ".join(sql.replace('"', "").split())
    head, _, rest = text.partition("(")
    body, _, options = rest.rpartition(")")
    return head.strip(), sorted(part.strip() for part in body.split(", ")), options.strip()


def test_what_comparing_does_not_see_is_equal_too(tmp_path):
    # Table options such as AUTOINCREMENT and WITHOUT ROWID, keys and constraints.
    open_sqlite(tmp_path / "migrated.sqlite", wait_s=1).close()
    engine = create_engine(f"sqlite:///{tmp_path}/direct.sqlite")
    tables.metadata.create_all(engine)
    engine.dispose()
    migrated, direct = shapes(tmp_path / "migrated.sqlite"), shapes(tmp_path / "direct.sqlite")
    assert migrated.keys() == direct.keys()
    for name, parts in direct.items():
        assert migrated[name] == parts


def test_the_next_database_of_a_process_is_made_like_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr(migrating, "_new", {})
    dumps = []
    for path in (tmp_path / "first", tmp_path / "second"):
        open_sqlite(path, wait_s=1).close()
        connection = sqlite3.connect(path)
        dumps.append([*connection.iterdump()])
        connection.close()
    assert len(dumps[0]) > 50
    assert dumps[0] == dumps[1]


def test_the_migrations_are_part_of_the_package():
    folder = Path(migrating.__file__).parent / "migrations"
    assert (folder / "env.py").exists()
    assert list((folder / "versions").glob(f"{migrating.HEAD}_*.py"))
