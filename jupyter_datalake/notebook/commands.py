"""Commands of ``datalake`` in the kernel's own process, printing into the cell."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import click
from IPython.core.error import StdinNotImplementedError

from jupyter_datalake.cli.main import cli
from jupyter_datalake.cli.output import usage_error
from jupyter_datalake.errors import DatalakeError, StateError


class _Bytes(io.RawIOBase):
    """Takes the bytes that a command prints, for a cell that shows text."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._shown.write(self._decoder.decode(bytes(data)))
        return len(data)


class _Output(io.TextIOBase):
    """What commands have for standard output: that of the cell, which has no bytes below."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown
        self.buffer = _Bytes(shown)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._shown.write(text)
        return len(text)

    def flush(self) -> None:
        self._shown.flush()


def run(words: Sequence[str]) -> None:
    """Run a command; what it prints is shown.

    Raises
    ------
    DatalakeError
        The command failed, as it would have in a shell.
    """
    try:
        with redirect_stdout(_Output(sys.stdout)):
            code = cli.main([*words], prog_name="datalake", standalone_mode=False)
    except (click.Abort, StdinNotImplementedError) as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise StateError(
            "The command asks before it goes on, and nobody can answer here", hint="Say --yes"
        ) from error
    except click.ClickException as error:
        raise usage_error(error) from error
    except DatalakeError:
        raise
    except OSError as error:
        where = "" if error.filename is None else f": {error.filename}"
        raise StateError(f"{error.strerror or error}{where}") from error
    if isinstance(code, int) and code:
        raise StateError(f"'datalake {' '.join(words)}' ended with exit status {code}")
