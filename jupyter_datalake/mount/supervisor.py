"""The parent of a mount's process: starts it, brings it back when it dies, ends when it is done.

``python -m jupyter_datalake.mount.supervisor --mountpoint PATH --state PREFIX -- COMMAND …``

It is kept light and opens no lake: it imports little, knows the daemon as a command, and has it
record a failure. It detaches itself, so it outlives the command that started it, and holds a lock
for as long as it lives, so there is one for each mount point.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from jupyter_datalake.errors import MountError
from jupyter_datalake.file_locks import try_lock
from jupyter_datalake.mount.mountpoints import unmount

EXIT_ALREADY_RUNNING = 4

_EXIT_STOPPED = 0
_EXIT_CANNOT_MOUNT = 3

SHORT_LIFE_S = 5.0
"""A daemon that dies younger did not get to work."""
MAX_SHORT_LIVES = 5
"""That many in a row, and it is given up."""
_FIRST_PAUSE_S = 0.1
_STOP_S = 30.0
_ERROR_TAIL = 2000


class Supervisor:
    """Runs one daemon after the other until one ends on purpose.

    Parameters
    ----------
    state
        Beginning of the paths of the files about this mount point.
    command
        What starts the daemon; gets ``--supervisor PID``, or ``--record-failure MESSAGE``.
    """

    def __init__(self, mountpoint: str, state: str, command: Sequence[str]) -> None:
        self._mountpoint = mountpoint
        self._errors = Path(f"{state}.err")
        self._log = Path(f"{state}.supervisor.log")
        self._command = list(command)
        self._daemon: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def run(self) -> int:
        """Supervise until the daemon is done, and return the exit code."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        self._log.write_text("")
        short_lives = 0
        while True:
            began = time.monotonic()
            code = self._run_daemon()
            self._say(f"the daemon ended with {code}")
            self._clean()
            if code == _EXIT_STOPPED or self._is_stopping:
                return 0
            if code == _EXIT_CANNOT_MOUNT:
                return code  # it has recorded why
            is_short = time.monotonic() - began < SHORT_LIFE_S
            short_lives = short_lives + 1 if is_short else 0
            if short_lives >= MAX_SHORT_LIVES:
                self._give_up(code)
                return code
            if short_lives:
                time.sleep(_FIRST_PAUSE_S * 2**short_lives)

    def _run_daemon(self) -> int:
        with open(self._errors, "wb") as errors:
            self._daemon = subprocess.Popen(
                [*self._command, "--supervisor", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
            if self._is_stopping:
                self._daemon.terminate()
            return self._daemon.wait()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Pass the wish to stop on, and see that it is heard."""
        del number, frame
        if self._daemon is None or self._daemon.poll() is not None:
            self._is_stopping = True
            return
        if self._is_stopping:
            self._daemon.kill()  # asked a second time, or not heard in time
            return
        self._is_stopping = True
        self._daemon.terminate()
        signal.signal(signal.SIGALRM, self._on_signal)
        signal.setitimer(signal.ITIMER_REAL, _STOP_S)

    def _clean(self) -> None:
        """Take away the mount that a killed daemon leaves: everything in it gives ENOTCONN."""
        try:
            unmount(self._mountpoint)
        except (MountError, OSError, subprocess.SubprocessError) as error:
            self._say(f"the mount could not be cleaned away: {error}")

    def _give_up(self, code: int) -> None:
        tail = self._errors.read_text(errors="replace").strip()[-_ERROR_TAIL:]
        ending = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        message = (
            f"The mount's process {ending} {MAX_SHORT_LIVES} times in a row"
            f"{': ' + tail.splitlines()[-1] if tail else ''}. Its log: {self._errors}"
        )
        self._say(message)
        subprocess.run(
            [*self._command, "--record-failure", message],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    def _say(self, line: str) -> None:
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Detach and supervise; in the process that was called, return when that has begun."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_datalake.mount.supervisor")
    parser.add_argument("--mountpoint", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    if try_lock(f"{options.state}.lock") is None:  # held until this process ends, and its child
        return EXIT_ALREADY_RUNNING
    if os.fork():
        return 0  # the caller waits for this process, and nobody for its child
    os.setsid()
    os.chdir("/")
    return Supervisor(options.mountpoint, options.state, options.command).run()


if __name__ == "__main__":
    sys.exit(main())
