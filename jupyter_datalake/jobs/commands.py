"""Running commands: a program with arguments, no shell, its output in the datum's log."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from jupyter_datalake.errors import ErrorKind, JobFailedError
from jupyter_datalake.jobs.processes import kill_tree
from jupyter_datalake.jobs.workspace import CappedLog

_READ_BYTES = 64 * 1024


def run_command(
    argv: tuple[str, ...], *, folder: Path, environment: dict[str, str], log: CappedLog
) -> None:
    """Run a program to its end.

    Parameters
    ----------
    environment
        Everything the program's environment holds.

    Raises
    ------
    JobFailedError
        There is no such program, it ended with another code than 0, or by a signal.
    """
    try:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except (FileNotFoundError, PermissionError) as error:
        raise JobFailedError(
            f"The program {argv[0]!r} cannot be run: {error.strerror}",
            kind=ErrorKind.DATUM_FAILED,
            hint="Install it, or name it by its path",
        ) from error
    assert process.stdout is not None
    try:
        with process.stdout as output:
            while chunk := output.read1(_READ_BYTES):  # type: ignore[attr-defined]  # it is buffered
                log.write(chunk.decode("utf-8", "backslashreplace"))
        code = process.wait()
    except BaseException:  # a log that cannot be written, above all
        kill_tree(process.pid)
        process.wait()
        raise
    if code < 0:
        raise JobFailedError(
            f"{argv[0]} was ended by {signal.Signals(-code).name}", kind=ErrorKind.DATUM_FAILED
        )
    if code > 0:
        raise JobFailedError(
            f"{argv[0]} ended with code {code}",
            kind=ErrorKind.DATUM_FAILED,
            hint="The log shows what it printed",
        )
