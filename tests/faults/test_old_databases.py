"""Databases of other releases: migrated whole or not at all, with a copy; newer ones refused."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_datalake.errors import ErrorKind, FormatError, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata.migrating import HEAD
from jupyter_datalake.testing.crash_verbs import VERBS
from jupyter_datalake.testing.crashing import Plan, crash
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of
from jupyter_datalake.testing.old_databases import dump, make_old, schema_of, schemas

OLD = [schemas()[0], schemas()[-2]]
logs_a_migration = pytest.mark.logs("is brought from schema")


@pytest.fixture(params=OLD)
def old(request, lake):
    """A lake with history whose database has an older schema; what it held, and the schema."""
    lake.files.put("raw@main/a", b"one" * 50_000)
    lake.files.put("raw@main/b", "two")
    lake.refs.create_tag("raw", "v1", at="main~1")
    with lake.sessions.create("raw") as session:
        session.put("staged", "not committed yet")
    held = (history_of(lake, "raw"), contents_of(lake, "raw"), contents_of(lake, "raw", "v1"))
    lake.close()
    database = f"{lake.url}/metadata.sqlite"
    make_old(Path(database), request.param)
    return lake.url, database, held, request.param


def holds(lake, held):
    assert history_of(lake, "raw") == held[0]
    assert contents_of(lake, "raw") == held[1]
    assert contents_of(lake, "raw", "v1") == held[2]
    (session,) = lake.sessions.list()
    assert [change.path for change in lake.sessions.diff(session.id)] == ["staged"]
    check_lake(lake)


@logs_a_migration
def test_c8_an_older_database_is_migrated_and_as_it_was_it_is_kept_in_a_file_that_is_named(
    old, caplog
):
    url, database, held, schema = old
    before = dump(database)
    with Lake.open(url) as lake:
        holds(lake, held)
        lake.files.put("raw@main/c", "three")
    assert schema_of(database) == HEAD
    copy = f"{database}.schema-{schema}"
    (line,) = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert copy in line
    assert schema in line
    assert HEAD in line
    assert dump(copy) == before
    assert os.stat(copy).st_mode & 0o077 == 0
    caplog.clear()
    with Lake.open(url) as lake:  # it is told once
        assert lake.files.read("raw@main/c") == b"three"
    assert caplog.records == []


@logs_a_migration
def test_the_copy_put_back_is_the_lake_as_it_was(old):
    url, database, held, schema = old
    with Lake.open(url) as lake:
        lake.files.put("raw@main/c", "after the migration")
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(database + suffix):
            os.unlink(database + suffix)
    shutil.copy(f"{database}.schema-{schema}", database)
    with Lake.open(url) as lake:
        holds(lake, held)


def test_a_migration_killed_at_any_step_leaves_the_old_database_or_the_new_one():
    verbs = [verb for verb in VERBS if verb.name == "migrate"]
    summary = crash(10, Plan(stride=11), verbs=verbs)
    assert summary["migrate"].losses == []
    assert summary["migrate"].kills > 3


@logs_a_migration
def test_without_room_for_the_copy_nothing_is_changed_and_the_next_try_works(old, monkeypatch):
    url, database, held, schema = old
    before = dump(database)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="could be put aside") as refused:
            Lake.open(url)
    assert refused.value.kind is ErrorKind.STORAGE_FULL
    assert database in str(refused.value)
    assert (schema_of(database), dump(database)) == (schema, before)
    with Lake.open(url) as lake:
        holds(lake, held)


@pytest.mark.parametrize("what", ["database", "format"])
def test_c8_a_newer_lake_is_refused_by_an_older_program_and_not_touched(lake, what):
    lake.files.put("raw@main/a", "one")
    lake.close()
    database = f"{lake.url}/metadata.sqlite"
    description = os.path.join(lake.url, "objects", "lake.json")
    if what == "database":
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        os.chmod(description, 0o600)
        with open(description) as file:
            text = file.read().replace('"format": 1', '"format": 2')
        with open(description, "w") as file:
            file.write(text)
    before = dump(database)
    with pytest.raises(FormatError) as refused:
        Lake.open(lake.url)
    assert refused.value.kind is ErrorKind.FORMAT_TOO_NEW
    assert "Upgrade" in refused.value.hint
    assert ("9999" if what == "database" else "format 2") in str(refused.value)
    assert dump(database) == before
    assert not [name for name in os.listdir(lake.url) if "schema-" in name]


def test_two_processes_that_open_an_old_lake_at_once_migrate_it_once(old):
    url, database, held, _ = old
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            ending = 1
            try:
                logging.disable()
                with Lake.open(url) as lake:
                    ending = 0 if lake.files.read("raw@main/b") == b"two" else 2
            finally:
                os._exit(ending)  # whatever happens, it must not go on as the tests
        children.append(child)
    endings = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert endings == [0, 0]
    assert schema_of(database) == HEAD
    with Lake.open(url) as lake:
        holds(lake, held)
