"""Postgres behind a bad network: dropped packets, lost answers, black holes, restarts."""

import random
import threading
import time

import psycopg
import pytest

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.metadata import postgres
from jupyter_datalake.metadata.locations import open_postgres
from jupyter_datalake.testing.network import (
    TcpProxy,
    black_hole,
    delay,
    drop_at,
    lose_answer_to,
    lose_request,
    passing,
)

SEEDS = range(6)


@pytest.fixture
def proxy(postgres_server):
    with TcpProxy("127.0.0.1", postgres_server.port) as made:
        yield made


@pytest.fixture
def store(postgres_server, proxy):
    made = open_postgres(postgres_server.url(port=proxy.port), wait_s=10)
    with made.write() as tx:
        tx.settings.set_once("first", "x")
    yield made
    proxy.rule = passing
    made.close()


def counted(store):
    """Number of events, which a doubled transaction would double."""
    with store.read() as tx:
        return len(tx.events.list(0, limit=10_000))


def add_event(store, subject="x"):
    from jupyter_datalake.model.events import EventKind

    store.transact(lambda tx: tx.events.append(EventKind.REF_MOVED, subject))


def test_p2_a_lost_answer_to_commit_is_recognised_as_our_own_success(store, proxy):
    before = counted(store)
    for number in range(1, 6):
        proxy.rule = lose_answer_to(b"COMMIT")
        connections = proxy.connections
        add_event(store)
        assert proxy.connections > connections, "nothing was lost"
        assert counted(store) == before + number


def test_p2_a_lost_request_to_commit_is_made_again_and_once(store, proxy):
    before = counted(store)
    proxy.rule = lose_request(b"COMMIT")
    add_event(store)
    assert counted(store) == before + 1


def test_p2_a_write_whose_block_cannot_be_repeated_says_that_nothing_was_made(store, proxy):
    proxy.rule = lose_request(b"COMMIT")
    with pytest.raises(StorageError) as caught, store.write() as tx:
        tx.settings.set_once("a", "1")
    assert caught.value.retryable
    with store.read() as tx:
        assert tx.settings.get("a") is None


@pytest.mark.parametrize("number", range(1, 16))
def test_p2_whichever_packet_of_a_transaction_is_dropped_it_is_made_once(store, proxy, number):
    before = counted(store)
    proxy.rule = drop_at(number)
    add_event(store, "one")
    proxy.rule = passing
    assert counted(store) == before + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_p2_writers_behind_a_network_that_drops_at_random_lose_and_double_nothing(
    store, proxy, seed
):
    """Several threads; every hundredth packet or so ends its connection."""
    chance = random.Random(seed)

    def rule(packet):
        from jupyter_datalake.testing.network import Fate

        return chance.choice([Fate.DROP, Fate.DROP_BEHIND]) if chance.random() < 0.02 else Fate.PASS

    told: set[str] = set()
    unclear: set[str] = set()

    def write(worker):
        for number in range(8):
            name = f"{worker} {number}"
            while True:
                try:
                    add_event(store, name)
                    told.add(name)
                    break
                except StorageError as error:
                    if not error.retryable:
                        unclear.add(name)
                        break

    proxy.rule = rule
    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    proxy.rule = passing
    with store.read() as tx:
        subjects = [event.subject for event in tx.events.list(0, limit=1000)]
    assert len(subjects) == len(set(subjects)), "doubled"
    assert told <= set(subjects), "lost"
    assert len(told) + len(unclear) == 32


def test_p3_a_server_that_restarts_is_found_again(store, own_server):
    own, server = own_server
    before = counted(own)
    with server.paused():
        failed = threading.Event()
        done = threading.Thread(target=lambda: (add_event(own), failed.set()))
        done.start()
    done.join(timeout=30)
    assert failed.is_set(), "the write was not made after the restart"
    assert counted(own) == before + 1
    server.kill()
    server.start()
    add_event(own)
    assert counted(own) == before + 2


@pytest.fixture
def own_server(tmp_path):
    """A server that may be stopped, and a store in it."""
    pytest.importorskip("psycopg")
    from contextlib import contextmanager

    from jupyter_datalake.testing.postgres_server import PostgresServer

    class Stoppable(PostgresServer):
        @contextmanager
        def paused(self):
            self.stop()
            yield
            self.start()

    with Stoppable(is_durable=True) as server:
        made = open_postgres(server.url(), wait_s=20)
        yield made, server
        made.close()


def test_p3_a_black_hole_is_an_error_within_bounds_and_left_behind_when_it_ends(
    store, proxy, monkeypatch
):
    monkeypatch.setattr(postgres, "_BEGIN_S", 0.3)
    monkeypatch.setattr(postgres, "_SLACK_S", 0.3)
    impatient = open_postgres(store._rules._place.url.render_as_string(), wait_s=1)
    before = counted(impatient)
    proxy.rule = black_hole
    began = time.monotonic()
    with pytest.raises(StorageError) as caught, impatient.write() as tx:
        tx.settings.set_once("a", "1")
    assert time.monotonic() - began < 30
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert "secret" not in str(caught.value)
    proxy.rule = passing
    began = time.monotonic()
    add_event(impatient)
    assert time.monotonic() - began < 30
    assert counted(impatient) == before + 1
    with impatient.read() as tx:
        assert tx.settings.get("a") is None
    impatient.close()


def test_p3_a_slow_network_is_only_slow(store, proxy):
    before = counted(store)
    proxy.rule = delay(0.05)
    add_event(store)
    proxy.rule = passing
    assert counted(store) == before + 1


def test_p4_a_transaction_that_deadlocks_with_a_stranger_is_made_again(
    store, postgres_server, own_connection
):
    """Our own transactions cannot deadlock, an administrator's statement can join in."""
    from jupyter_datalake.model.events import EventKind

    attempts = []
    stranger = own_connection
    stranger.execute("SET deadlock_timeout = '60s'")  # so that the server picks us

    def work(tx):
        attempts.append(1)
        tx._connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
        tx.settings.set_once("before", "1")
        if len(attempts) == 1:
            blocked.start()
            wait_for_lock(stranger_pid, postgres_server)
        tx.events.append(EventKind.REF_MOVED, "deadlocked")

    stranger_pid = stranger.info.backend_pid
    stranger.execute("BEGIN")
    stranger.execute("LOCK TABLE events IN EXCLUSIVE MODE")
    blocked = threading.Thread(
        target=lambda: (stranger.execute("LOCK TABLE lake IN EXCLUSIVE MODE"), stranger.rollback())
    )
    store.transact(work)
    blocked.join(timeout=30)
    assert len(attempts) == 2
    with store.read() as tx:
        assert [event.subject for event in tx.events.list(0, limit=9)] == ["deadlocked"]
        assert tx.settings.get("before") == "1"


def wait_for_lock(pid, server):
    deadline = time.monotonic() + 30
    with server.connect() as look:
        while True:
            row = look.execute(
                "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [pid]
            ).fetchone()
            if row == ("Lock",):
                return
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def own_connection(postgres_server, store):
    place = store._rules._place
    made = psycopg.connect(
        host="127.0.0.1",
        port=postgres_server.port,
        user="ada",
        dbname="postgres",
        options=f"-c search_path={place.schema}",
        autocommit=True,
    )
    yield made
    made.close()
