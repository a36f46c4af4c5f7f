"""Logs of datums, whole and line by line."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.datums import DatumState


@dataclass(frozen=True, slots=True)
class DatumLog:
    """What one datum's last try printed, or the rest of it."""

    position: int
    label: str
    state: DatumState
    tries: int
    """A try begins a log of its own."""
    begin: int
    """How many bytes of the log come before `text`."""
    end: int
    """Where to go on reading."""
    text: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a datum printed."""

    job_id: str
    job_number: int
    pipeline: str
    position: int
    """Of the datum."""
    label: str
    line: int
    """From 1."""
    text: str


@dataclass(frozen=True, slots=True, order=True)
class LogPlace:
    """Where a line is among all lines of all jobs, newest job first."""

    before: int
    """The negated number of the job."""
    position: int
    line: int

    def __str__(self) -> str:
        return f"{-self.before}/{self.position}/{self.line}"


def place_of_line(line: LogLine) -> LogPlace:
    """Return where a line is."""
    return LogPlace(-line.job_number, line.position, line.line)


def parse_log_place(text: str) -> LogPlace:
    """Return the place of its written form, or raise `InvalidInputError`."""
    parts = text.split("/")
    digits = [part.removeprefix("-") for part in parts]  # steps are at negative positions
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in digits):
        raise InvalidInputError(
            f"{text!r} is no place in the logs", hint="Give the 'next' of the page before"
        )
    number, position, line = map(int, parts)
    return LogPlace(-number, position, line)
