"""Folders that are removed while others are made."""

import threading

from jupyter_datalake.jobs import sweeping
from jupyter_datalake.jobs.sweeping import Sweeper


def filled(folder):
    (folder / "run" / "pfs").mkdir(parents=True)
    (folder / "run" / "pfs" / "x").write_text("x")
    return folder


def test_what_was_handed_over_is_gone_after_waiting(tmp_path):
    sweeper = Sweeper()
    sweeper.wait()  # for nothing
    for number in range(200):  # more than may wait
        sweeper.remove(filled(tmp_path / f"{number}"))
    sweeper.wait()
    assert list(tmp_path.iterdir()) == []
    sweeper.close()


def test_it_goes_on_after_it_was_closed(tmp_path):
    sweeper = Sweeper()
    sweeper.close()
    sweeper.remove(filled(tmp_path / "a"))
    sweeper.close()
    sweeper.remove(filled(tmp_path / "b"))
    sweeper.close()
    assert list(tmp_path.iterdir()) == []


def test_whoever_brings_more_than_may_wait_waits(tmp_path, monkeypatch):
    gate, began = threading.Event(), threading.Event()
    removed = []

    def rmtree(folder, ignore_errors):
        began.set()
        gate.wait()
        removed.append(folder)

    monkeypatch.setattr(sweeping, "shutil", type("shutil", (), {"rmtree": staticmethod(rmtree)}))
    sweeper = Sweeper()
    sweeper.remove(0)
    began.wait()
    for number in range(1, sweeping._WAITING + 1):
        sweeper.remove(number)
    last = threading.Thread(target=sweeper.remove, args=(sweeping._WAITING + 1,))
    last.start()
    assert last.is_alive()
    gate.set()
    last.join()
    sweeper.close()
    assert removed == list(range(sweeping._WAITING + 2))
