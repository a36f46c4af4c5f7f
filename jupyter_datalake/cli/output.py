"""Printing: tables for people, JSON for programs, one line and an exit code for errors."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from jupyter_datalake.errors import (
    EXIT_INTERRUPTED,
    DatalakeError,
    InternalError,
    InvalidInputError,
    StorageError,
    category_of,
)
from jupyter_datalake.model.ids import short_id
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.text import hint_of_similar, printable

Column = tuple[str, Callable[[Any], Any]]
"""Heading, and how a row's cell is made."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(as_json(value), indent=2))


def print_table(rows: Iterable[Any], columns: Sequence[Column], *, empty: str) -> None:
    """Print rows as an aligned table, or a sentence that says what to do when there are none."""
    cells = [[printable(str(cell(row))) for _, cell in columns] for row in rows]
    if not cells:
        click.echo(empty)
        return
    headings = [heading for heading, _ in columns]
    widths = [max(len(row[i]) for row in [headings, *cells]) for i in range(len(columns))]
    for line in [headings, *cells]:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def print_fields(pairs: Sequence[tuple[str, Any]]) -> None:
    """Print one thing as aligned fields; empty ones are left out."""
    shown = [(name, value) for name, value in pairs if value not in (None, "", {}, [], ())]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name.ljust(width)}  {printable(str(value))}")


def size_text(size_bytes: int) -> str:
    """Return a size for people: ``12.3 MiB``."""
    value = float(size_bytes)
    for unit in _UNITS:
        if abs(value) < _STEP or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _STEP
    raise AssertionError(size_bytes)


def time_text(moment: datetime | None) -> str:
    """Return a time for people, in local time, to the second."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def age_text(moment: datetime) -> str:
    """Return how long ago a time was: ``5 min ago``."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{max(seconds, 0) / unit:.0f} {name} ago"
    return f"{seconds / 86400:.0f} d ago"


def id_text(identifier: str | None) -> str:
    """Return the beginning of an id, or nothing."""
    return short_id(identifier) if identifier else ""


def usage_error(error: click.ClickException) -> InvalidInputError:
    """Return what click says of a command line as an error of ours."""
    context: click.Context | None = getattr(error, "ctx", None)
    message = error.format_message()
    hint = None if context is None else f"'{context.command_path} --help' tells how it is used"
    name = getattr(error, "command_name", None)  # of a command that is not there
    if context and hint and name and isinstance(context.command, click.Group):
        message = error.message
        hint = hint_of_similar(name, context.command.list_commands(context), hint)
    return InvalidInputError(" ".join(message.split()).rstrip("."), hint=hint)


def _print_error(error: DatalakeError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(error.as_dict()), err=True)
    else:
        click.echo(f"error: {printable(str(error))}", err=True)


def run_command(command: Callable[[], Any], *, as_json_errors: bool) -> int:
    """Run a command and return its exit code; the only place where errors become exit codes."""
    try:
        code = command()
    except click.Abort:
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)  # whoever names no command asks what there is
        return error.exit_code
    except click.ClickException as error:
        _print_error(usage_error(error), as_json=as_json_errors)
        return error.exit_code
    except DatalakeError as error:
        if isinstance(error, InternalError):
            traceback.print_exc()
        _print_error(error, as_json=as_json_errors)
        return category_of(error).exit_code
    except OSError as error:
        # A folder that is not this user's to read, a full disk behind standard output.
        where = "" if error.filename is None else f": {error.filename}"
        failed = StorageError(f"{error.strerror or error}{where}")
        _print_error(failed, as_json=as_json_errors)
        return 1
    return code if isinstance(code, int) else 0  # a command that left early gives its code
