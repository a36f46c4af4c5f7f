"""Threads of verbs: as many as are allowed, and never a reason for a process to stay."""

import subprocess
import sys
import threading

import pytest

from jupyter_datalake.server.threads import VerbThreads

PATIENCE_S = 60


def test_results_and_errors_come_back():
    threads = VerbThreads(2, "some")
    assert threads.submit(divmod, 7, 2).result(PATIENCE_S) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(PATIENCE_S)
    threads.shutdown()


def test_so_many_run_at_once_and_the_others_wait():
    threads = VerbThreads(3, "some")
    together = threading.Barrier(4)
    go = threading.Event()
    names = set()

    def take_part():
        names.add(threading.current_thread().name)
        together.wait(PATIENCE_S)
        go.wait(PATIENCE_S)

    first = [threads.submit(take_part) for _ in range(3)]
    together.wait(PATIENCE_S)
    late = threads.submit(int, "4")
    assert not late.running()
    go.set()
    assert late.result(PATIENCE_S) == 4
    assert [one.result(PATIENCE_S) for one in first] == [None] * 3
    assert names == {"some_0", "some_1", "some_2"}
    threads.shutdown()


def test_one_thread_is_enough_for_what_comes_one_by_one():
    threads = VerbThreads(8, "some")
    taken = set()
    for _ in range(20):
        taken.add(threads.submit(threading.get_ident).result(PATIENCE_S))
        threads.submit(int).result(PATIENCE_S)
    assert len(taken) <= 2  # one may be told of a result before it waits again
    threads.shutdown()


def test_what_waits_is_cancelled_and_what_comes_late_refused():
    threads = VerbThreads(1, "some")
    begun, go = threading.Event(), threading.Event()

    def hold():
        begun.set()
        return go.wait(PATIENCE_S)

    first = threads.submit(hold)
    begun.wait(PATIENCE_S)
    waiting = threads.submit(int)
    threads.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="'some' have ended"):
        threads.submit(int)
    go.set()
    assert first.result(PATIENCE_S) is True


def test_a_process_ends_while_one_is_at_work():
    code = (
        "import threading\n"
        "from jupyter_datalake.server.threads import VerbThreads\n"
        "begun = threading.Event()\n"
        "def hold():\n"
        "    begun.set()\n"
        "    threading.Event().wait()\n"
        "VerbThreads(2, 'some').submit(hold)\n"
        "begun.wait()\n"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=False).returncode
        == 0
    )
