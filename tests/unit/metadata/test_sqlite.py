"""SQLite in a file keeps the contract; its own settings, its damage, its newer schema."""

import os
import sqlite3
import threading

import pytest

from jupyter_datalake.errors import ErrorKind, FormatError, StorageError
from jupyter_datalake.metadata.locations import open_sqlite
from jupyter_datalake.metadata.migrating import HEAD
from jupyter_datalake.metadata.rules import write_lock_holder
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.testing.metadata_suite import (
    MetadataSuite,
    datum_end,
    full,
    plan_datums,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metadata.sqlite"


class TestSqlite(MetadataSuite):
    @pytest.fixture
    def store(self, clock, path):
        self.path, self.clock_, self.others = path, clock, []
        made = open_sqlite(path, wait_s=30, clock=clock)
        yield made
        for one in [made, *self.others]:
            one.close()

    def again(self, store):
        other = open_sqlite(self.path, wait_s=30, clock=self.clock_)
        self.others.append(other)
        return other

    def test_datums_move_at_a_cost_that_those_beside_them_do_not_change(self, store, repo):
        plan_datums(store, repo, count=20_000)
        with store.write() as tx:
            steps = steps_of(tx, lambda: tx.datums.start(full("d1"), range(10)))
            assert steps < 2_000
            ends = [datum_end(position, DatumState.FAILED) for position in range(10)]
            assert steps_of(tx, lambda: tx.datums.end(full("d1"), ends)) < 2_000
        with store.read() as tx:
            assert steps_of(tx, lambda: tx.jobs.to_be_cancelled([full("d1")])) < 200


def steps_of(tx, act):
    """Return how many steps SQLite's machine takes for something, in hundreds."""
    counted = []
    connection = tx._connection.connection.driver_connection
    connection.set_progress_handler(lambda: counted.append(100), 100)
    try:
        act()
    finally:
        connection.set_progress_handler(None, 0)
    return sum(counted)


def test_a_commit_survives_the_loss_of_power(path):
    store = open_sqlite(path, wait_s=1)
    with store.read() as tx:
        pragma = {
            name: tx._connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 1000,
    }
    store.close()


def test_a_database_held_by_another_is_waited_for_and_then_named_busy(path):
    store = open_sqlite(path, wait_s=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError) as caught, store.write():
        pass
    assert caught.value.kind is ErrorKind.DATABASE_BUSY
    assert caught.value.retryable
    assert "locked" not in str(caught.value)
    with store.read() as tx:  # readers are not held up
        assert tx.settings.get("x") is None
    other.execute("ROLLBACK")
    other.close()
    with store.write() as tx:
        tx.settings.set_once("x", "1")
    store.close()


def test_who_writes_is_read_from_the_kernel_s_list_of_locks(tmp_path):
    path, locks = tmp_path / "db", tmp_path / "locks"
    shm = tmp_path / "db-shm"
    assert write_lock_holder(path, locks) is None  # neither is there
    shm.write_bytes(b"")
    found = shm.stat()
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line, holder in [
        (f"1: POSIX  ADVISORY  WRITE 4711 {place} 120 120", 4711),
        (f"1: POSIX  ADVISORY  WRITE 4711 {place} 100 EOF", 4711),
        (f"1: -> POSIX  ADVISORY  WRITE 4711 {place} 120 120", None),
        (f"1: POSIX  ADVISORY  READ  4711 {place} 123 123", None),
        (f"1: POSIX  ADVISORY  WRITE 4711 {place} 121 127", None),
        (f"1: POSIX  ADVISORY  WRITE -1 {place} 120 120", None),
        ("1: POSIX  ADVISORY  WRITE 4711 00:00:1 120 120", None),
        ("1: FLOCK  ADVISORY  WRITE 4711 " + place + " 0 EOF", None),
        ("nonsense", None),
    ]:
        locks.write_text(f"{line}\n2: FLOCK  ADVISORY  WRITE 1 00:01:2 0 EOF\n")
        assert write_lock_holder(path, locks) == holder, line


@pytest.mark.parametrize(
    "damage",
    [
        b"this is no database, but it is long enough to look at" * 100,
        b"SQLite format 3\0" + b"\xff" * 4000,
    ],
)
def test_what_is_no_database_is_said_to_be_damaged_and_left_as_it_is(path, damage):
    path.write_bytes(damage)
    with pytest.raises(StorageError) as caught:
        open_sqlite(path, wait_s=1)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert path.read_bytes() == damage


def test_pages_damaged_later_are_an_error_of_the_database(path):
    store = open_sqlite(path, wait_s=1)
    for number in range(300):
        with store.write() as tx:
            tx.settings.set_once(f"key {number}", "value" * 200)
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StorageError) as caught:
        open_sqlite(path, wait_s=1)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE


def test_a_folder_that_cannot_hold_the_database_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError) as caught:
        open_sqlite(tmp_path / "missing" / "metadata.sqlite", wait_s=1)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE


def test_a_newer_schema_is_refused_before_anything_is_written(path):
    open_sqlite(path, wait_s=1).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(FormatError) as caught:
        open_sqlite(path, wait_s=1)
    assert caught.value.kind is ErrorKind.FORMAT_TOO_NEW
    assert caught.value.context["schema"] == "9999"
    assert path.read_bytes() == before


def test_opening_a_second_time_migrates_nothing(path):
    open_sqlite(path, wait_s=1).close()
    store = open_sqlite(path, wait_s=1)
    with store.read() as tx:
        version = tx._connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        assert version.scalar_one() == HEAD
    store.close()


def test_more_threads_than_connections_wait_for_one_another(path):
    store = open_sqlite(path, wait_s=30)
    failures = []

    def work(number):
        try:
            for _ in range(5):
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
    store.close()


def test_followers_do_not_stop_at_kinds_of_a_newer_program(path):
    store = open_sqlite(path, wait_s=1)
    with store.write() as tx:
        for kind in ("from.the.future", "from.the.future", "ref.moved"):
            tx._connection.exec_driver_sql(
                "INSERT INTO events (at_ns, kind, subject, details) VALUES (0, ?, 's', '{}')",
                (kind,),
            )
    with store.read() as tx:
        assert [event.number for event in tx.events.list(0, limit=1)] == [3]
    store.close()


def test_constraints_that_break_are_errors_of_ours(path):
    store = open_sqlite(path, wait_s=1)
    with pytest.raises(StorageError), store.write() as tx:
        tx._connection.exec_driver_sql("INSERT INTO lake (key, value) VALUES ('a', NULL)")
    with store.read() as tx:
        assert tx.settings.get("a") is None
    store.close()


def test_writes_in_a_read_transaction_are_not_kept(path):
    store = open_sqlite(path, wait_s=1)
    with store.read() as tx:
        tx.settings.set_once("a", "1")
    with store.read() as tx:
        assert tx.settings.get("a") is None
    store.close()
