"""The supervisor, over daemons that are short scripts."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from jupyter_datalake.mount import supervisor
from jupyter_datalake.mount.supervisor import Supervisor


@pytest.fixture
def supervise(tmp_path, monkeypatch):
    """Supervise a script, which can count its lives; return the exit code and the lives."""
    monkeypatch.setattr(supervisor, "_FIRST_PAUSE_S", 0.001)

    def supervise(script):
        path = tmp_path / "daemon.py"
        path.write_text(
            "import os, signal, sys, time\n"
            f"lives = {str(tmp_path / 'lives')!r}\n"
            "with open(lives, 'a') as file: print(*sys.argv[1:], file=file)\n"
            "life = sum(1 for _ in open(lives))\n" + script
        )
        command = [sys.executable, str(path)]
        found = Supervisor(str(tmp_path / "shown"), str(tmp_path / "state"), command)
        code = found.run()
        return code, (tmp_path / "lives").read_text().splitlines()

    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)]
    yield supervise
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in zip(
        (signal.SIGTERM, signal.SIGINT, signal.SIGALRM), before, strict=True
    ):
        signal.signal(number, handler)


def test_a_daemon_that_is_done_is_not_started_again(supervise):
    code, lives = supervise("sys.exit(0)")
    assert code == 0
    assert lives == [f"--supervisor {os.getpid()}"]


def test_a_daemon_that_is_killed_is_started_again(supervise):
    code, lives = supervise("if life < 3: os.kill(os.getpid(), signal.SIGKILL)")
    assert (code, len(lives)) == (0, 3)


def test_a_daemon_that_cannot_mount_is_given_up_at_once(supervise):
    code, lives = supervise("sys.exit(3)")
    assert (code, len(lives)) == (3, 1)


def test_a_daemon_that_dies_at_once_again_and_again_is_given_up_with_its_last_words(supervise):
    code, lives = supervise("if '--record-failure' not in sys.argv: sys.exit('no such luck')")
    assert code == 1
    assert len(lives) == supervisor.MAX_SHORT_LIVES + 1
    assert lives[-1].startswith("--record-failure The mount's process ended with exit code 1")
    assert "no such luck" in lives[-1]


def test_a_wish_to_stop_is_passed_on(supervise, tmp_path):
    def stop():
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop).start()
    code, lives = supervise(
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
        "time.sleep(30)"
    )
    assert (code, len(lives)) == (0, 1)


def test_a_daemon_that_does_not_hear_is_killed(supervise, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "_STOP_S", 0.1)

    def stop():
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    code, lives = supervise(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
        "time.sleep(30)"
    )
    assert (code, len(lives)) == (0, 1)


def test_there_is_one_for_each_mount_point_and_it_detaches(tmp_path):
    daemon = [sys.executable, "-c", "import time; time.sleep(30)"]
    command = [sys.executable, "-m", "jupyter_datalake.mount.supervisor"]
    options = ["--mountpoint", str(tmp_path / "shown"), "--state", str(tmp_path / "state"), "--"]
    began = time.monotonic()
    first = subprocess.run([*command, *options, *daemon], check=False, timeout=20)
    second = subprocess.run([*command, *options, *daemon], check=False, timeout=20)
    assert (first.returncode, second.returncode) == (0, supervisor.EXIT_ALREADY_RUNNING)
    assert time.monotonic() - began < 20
    pid = _supervisor_of(tmp_path)
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGTERM)
    while os.path.exists(f"/proc/{pid}/exe"):
        time.sleep(0.01)


def _supervisor_of(tmp_path):
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if (
            b"jupyter_datalake.mount.supervisor" in words
            and os.fsencode(tmp_path / "state") in words
        ):
            return int(name)
    raise AssertionError("there is no supervisor")


def test_it_imports_little():
    script = "import sys, jupyter_datalake.mount.supervisor; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    heavy = {"sqlalchemy", "pyfuse3", "trio", "duckdb", "pandas", "blake3"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
