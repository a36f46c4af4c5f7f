"""Postgres keeps the contract; its own settings, refusals and errors."""

import os
import sys
import threading
import time

import psycopg
import pytest

from jupyter_datalake.errors import (
    ErrorKind,
    FormatError,
    InvalidInputError,
    MissingDependencyError,
    StorageError,
)
from jupyter_datalake.metadata.locations import open_postgres
from jupyter_datalake.metadata.migrating import HEAD
from jupyter_datalake.testing.metadata_suite import MetadataSuite


@pytest.fixture(scope="module")
def prepared(postgres_server):
    """The URL of a database with an empty lake, to be copied."""
    url = postgres_server.new_database()
    open_postgres(url, wait_s=30).close()
    return url


@pytest.fixture
def url(postgres_server, prepared):
    return postgres_server.copy_of(prepared)


@pytest.fixture
def store(url):
    made = open_postgres(url, wait_s=30)
    yield made
    made.close()


def ask(store, sql, *parameters):
    with store.read() as tx:
        return tx._connection.exec_driver_sql(sql, parameters or None).all()


class TestPostgres(MetadataSuite):
    @pytest.fixture
    def store(self, clock, url):
        self.url, self.clock_, self.others = url, clock, []
        made = open_postgres(url, wait_s=30, clock=clock)
        yield made
        for one in [made, *self.others]:
            one.close()

    def again(self, store):
        other = open_postgres(self.url, wait_s=30, clock=self.clock_)
        self.others.append(other)
        return other


# --- settings --------------------------------------------------------------------------------


def test_transactions_are_snapshots_or_hold_the_lock_and_nothing_waits_for_ever(store):
    names = ("search_path", "lock_timeout", "statement_timeout", "TimeZone")
    idle = "idle_in_transaction_session_timeout"
    levels = ("transaction_isolation", "transaction_read_only")
    with store.read() as tx:
        shown = [
            tx._connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in (*names, idle, *levels)
        ]
    assert shown == ['"lake"', "30s", "31s", "UTC", "15s", "repeatable read", "on"]
    with store.write() as tx:
        shown = [tx._connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in levels]
        locks = tx._connection.exec_driver_sql(
            "SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        ).all()
    assert shown == ["read committed", "off"]
    assert locks == [("ExclusiveLock",)]


def test_text_sorts_by_code_point_whatever_the_language_of_the_database(store):
    columns = ask(
        store,
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'lake' AND data_type IN ('text', 'character varying')",
    )
    assert len(columns) > 60
    assert {collation for *_, collation in columns} == {"C"}
    with store.write() as tx:
        for name in ("b", "B", "ä", "a", "Z"):
            tx.leases.acquire(name, "me", 10)
    found = ask(store, "SELECT name FROM leases ORDER BY name")
    assert [row.name for row in found] == sorted("bBäaZ")


def test_a_nul_and_what_stands_for_it_come_back_as_they_were(store):
    texts = ["\0", "a\0b", "\ufdd0", "\ufdd00", "\0\ufdd0\0", "\ufdd0\ufdd00\0"]
    with store.write() as tx:
        for text in texts:
            tx.settings.set_once(text, text)
    with store.read() as tx:
        assert [tx.settings.get(text) for text in texts] == texts


def test_two_lakes_in_one_database_know_nothing_of_each_other(url, store):
    with store.write() as tx:
        tx.settings.set_once("key", "ours")
    with open_two(url) as other:
        with other.write() as tx:  # and the one does not wait for the other
            assert tx.settings.get("key") is None
            tx.settings.set_once("key", "theirs")
            with store.write() as ours:
                ours.settings.set_once("more", "ours")
        with store.read() as tx:
            assert tx.settings.get("key") == "ours"
        schemas = ask(store, "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'lake')")
    assert sorted(row.nspname for row in schemas) == ["lake", "lake_two"]


class open_two:  # noqa: N801
    def __init__(self, url):
        self.store = open_postgres(url.replace("schema=lake", "schema=lake_two"), wait_s=5)

    def __enter__(self):
        return self.store

    def __exit__(self, *_):
        self.store.close()


def test_opening_a_second_time_migrates_nothing_and_many_at_once_migrate_once(postgres_server):
    url = postgres_server.new_database()
    opened, failures = [], []

    def open_it():
        try:
            opened.append(open_postgres(url, wait_s=30))
        except Exception as error:  # noqa: BLE001  # any failure is the finding
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert len(opened) == 6
    assert ask(opened[0], "SELECT version_num FROM alembic_version") == [(HEAD,)]
    for one in opened:
        one.close()


def test_a_newer_schema_is_refused_before_anything_is_written(postgres_server, url):
    with psycopg.connect(url.partition("?")[0]) as connection:
        connection.execute("UPDATE lake.alembic_version SET version_num = '9999'")
    with pytest.raises(FormatError) as caught:
        open_postgres(url, wait_s=5)
    assert caught.value.kind is ErrorKind.FORMAT_TOO_NEW
    with psycopg.connect(url.partition("?")[0]) as connection:
        found = connection.execute("SELECT version_num FROM lake.alembic_version").fetchall()
    assert found == [("9999",)]


# --- who waits, and for how long -----------------------------------------------------------------


def test_a_lake_that_another_keeps_is_waited_for_and_then_the_holder_is_named(url, store):
    impatient = open_postgres(url, wait_s=0.2)
    with store.write() as tx:
        tx.settings.set_once("a", "1")
        with pytest.raises(StorageError) as caught, impatient.write():
            pass
        assert caught.value.kind is ErrorKind.DATABASE_BUSY
        assert caught.value.retryable
        assert f"datalake pid {os.getpid()}" in str(caught.value)
        with impatient.read() as reading:  # readers are not held up
            assert reading.settings.get("a") is None
    with impatient.write() as tx:
        tx.settings.set_once("b", "1")
        assert tx.settings.get("a") == "1"
    impatient.close()


def test_a_read_transaction_cannot_write(store):
    with pytest.raises(StorageError, match="read-only"), store.read() as tx:
        tx.settings.set_once("a", "1")
    with store.read() as tx:
        assert tx.settings.get("a") is None


def test_more_threads_than_connections_wait_for_one_another(store):
    failures = []

    def work(number):
        try:
            for _ in range(3):
                with store.read() as tx:
                    tx.settings.get("x")
                with store.write() as tx:
                    tx.events.set_cursor(f"{number}", 1)
        except Exception as error:  # noqa: BLE001  # any failure is the finding
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert ask(store, "SELECT count(*) FROM cursors") == [(60,)]


def test_a_forked_child_has_connections_of_its_own(store):
    with store.write() as tx:
        tx.settings.set_once("a", "1")
    child = os.fork()
    if child == 0:
        is_right = False
        try:
            with store.write() as tx:
                tx.settings.set_once("b", tx.settings.get("a"))
            is_right = True
        finally:
            os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with store.write() as tx:  # ours are still open
        assert tx.settings.get("b") == "1"


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://u:secret@h/d", "no Postgres URL"),
        ("postgresql", "no Postgres URL"),
        ("postgresql://u:secret@h", "names no database"),
        ("postgresql://u:secret@h/d?schema=a'b", "no schema"),
        ("postgresql://u:secret@h/d?schema=pg_own", "no schema"),
        ("postgresql://u@h/d?password=secret", "would be shown"),
        ("postgresql://u:secret@h/d?nonsense=1", "nonsense"),
        ("postgresql://u:secret@h:port/d", "no Postgres URL"),
    ],
)
def test_a_url_that_says_nothing_useful_is_refused_without_its_password(url, says):
    with pytest.raises(InvalidInputError, match=says) as caught:
        open_postgres(url, wait_s=1)
    assert caught.value.kind is ErrorKind.INVALID_URL
    assert "secret" not in str(caught.value) + repr(caught.value.context)
    assert caught.value.hint


def test_a_server_that_is_not_there_is_said_so_soon_without_the_password(postgres_server):
    began = time.monotonic()
    with pytest.raises(StorageError, match="does not answer") as caught:
        open_postgres("postgresql://ada:secret@127.0.0.1:1/postgres", wait_s=30)
    assert time.monotonic() - began < 20
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert caught.value.retryable
    assert "secret" not in str(caught.value)
    assert "ada@127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says", "hint"),
    [
        (("/postgres?", "/missing?"), "missing", ""),
        (("ada@", "stranger@"), "stranger", ""),
    ],
)
def test_what_the_server_refuses_is_told_at_once(postgres_server, change, says, hint):
    with pytest.raises(StorageError, match=says) as caught:
        open_postgres(postgres_server.url().replace(*change), wait_s=30)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert not caught.value.retryable
    assert "\n" not in str(caught.value)


def test_a_role_without_rights_is_told_which_one_it_needs(postgres_server):
    with postgres_server.connect() as connection:
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(StorageError, match="CREATE SCHEMA some_lake AUTHORIZATION") as caught:
        open_postgres(postgres_server.url("some_lake", user="guest"), wait_s=5)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    with postgres_server.connect() as connection:
        connection.execute("CREATE SCHEMA some_lake AUTHORIZATION guest")
    open_postgres(postgres_server.url("some_lake", user="guest"), wait_s=5).close()


def test_a_database_of_another_encoding_is_refused(postgres_server):
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StorageError, match="encoded in LATIN1") as caught:
        open_postgres(postgres_server.url().replace("/postgres?", "/latin?"), wait_s=5)
    assert "ENCODING 'UTF8'" in caught.value.hint


def test_without_the_driver_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.delattr("jupyter_datalake.metadata.postgres")
    monkeypatch.setitem(sys.modules, "jupyter_datalake.metadata.postgres", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'jupyter_datalake\[postgres\]'"):
        open_postgres("postgresql://h/d", wait_s=1)


def test_keys_of_transactions_are_left_by_those_that_write_and_dropped_after_a_day(
    url, monkeypatch
):
    from jupyter_datalake.metadata import write_keys
    from jupyter_datalake.testing.clocks import ManualClock

    clock = ManualClock()
    store = open_postgres(url, wait_s=5, clock=clock)
    for number in range(3):
        with store.write() as tx:
            tx.settings.set_once(f"{number}", "x")
        with store.write() as tx:
            tx.settings.get("x")
    assert ask(store, "SELECT count(*) FROM write_keys") == [(3,)]
    clock.advance(25 * 3600)
    monkeypatch.setattr(write_keys, "_CLEAN_EVERY", 1)
    with store.write() as tx:
        tx.settings.set_once("later", "x")
    assert ask(store, "SELECT count(*) FROM write_keys") == [(1,)]
    store.close()
