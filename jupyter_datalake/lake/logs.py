"""Reading logs of datums: the rest of one, all of a job as they grow, and a text in many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import InvalidInputError, NotFoundError
from jupyter_datalake.jobs.workspace import LOG, Workspace
from jupyter_datalake.model.datums import BEFORE_ALL, Datum, DatumState
from jupyter_datalake.model.ids import Digest, digest_of
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.logs import DatumLog, LogLine, LogPlace
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.pipelines.inheriting import get_datum

_PAGE = 200
_MAX_LINE = 4096
_LED_IN = 512
"""So much of a line that is cut is shown of what comes before the match."""

_PRINTED = frozenset(
    {DatumState.RUNNING, DatumState.SUCCESS, DatumState.FAILED, DatumState.RECOVERED}
)
"""States of datums that a job itself has run."""


class Printing(Protocol):
    """A datum, or a step, of a job or of a trial, that prints."""

    @property
    def position(self) -> int:
        """Where it is among the others."""

    @property
    def label(self) -> str:
        """What people call it."""

    @property
    def state(self) -> DatumState:
        """Where it is."""

    @property
    def tries(self) -> int:
        """How often it was tried."""

    @property
    def artifacts_root(self) -> Digest | None:
        """Manifest of its notebook and log; None until it ended."""


Finder = Callable[[str], int]
"""Returns where in a line what is looked for begins, or -1."""


def finder(text: str, *, is_regex: bool, ignores_case: bool) -> Finder:
    """Return what finds a text, or a regular expression, in a line.

    Raises
    ------
    InvalidInputError
        The text is empty, or no regular expression.
    """
    if not text:
        raise InvalidInputError("There is no text to look for")
    if is_regex:
        try:
            pattern = re.compile(text, re.IGNORECASE if ignores_case else 0)
        except re.error as error:
            raise InvalidInputError(
                f"{text!r} is no regular expression: {error}",
                hint="Leave out --regex to look for the text as it is",
            ) from error
        return lambda line: -1 if (found := pattern.search(line)) is None else found.start()
    if ignores_case:
        lowered = text.casefold()
        return lambda line: line.casefold().find(lowered)
    return lambda line: line.find(text)


def read_log(core: LakeCore, job_id: str, datum: Printing, offset: int = 0) -> DatumLog:
    """Return a datum's log from a byte on: live from its folder, or from the lake.

    Of one that still grows, only whole lines. One that has become shorter, for another try has
    begun, is returned from its beginning.
    """
    data = read_artifact(core, job_id, datum, LOG) or b""
    if datum.state is DatumState.RUNNING:
        data = data[: data.rfind(b"\n") + 1]
    begin = offset if offset <= len(data) else 0
    text = data[begin:].decode("utf-8", "replace")
    return DatumLog(datum.position, datum.label, datum.state, datum.tries, begin, len(data), text)


def read_artifact(core: LakeCore, job_id: str, datum: Printing, name: str) -> bytes | None:
    """Return a file that a datum left: live from its folder, or from the lake; None without one."""
    if datum.state is DatumState.RUNNING:
        for workspace in Workspace.list_of(core, job_id, datum.position):
            with suppress(FileNotFoundError):
                return (workspace.artifacts / name).read_bytes()
    if datum.artifacts_root is None:
        return None
    tree = core.tree(datum.artifacts_root, f"datum {datum.position} of job {job_id[:12]}")
    return tree.read(RepoPath(name)) if tree.find(RepoPath(name)) is not None else None


# --- searching -----------------------------------------------------------------------------------


def search_job(
    core: LakeCore,
    job: Job,
    find: Finder,
    *,
    position: int | None = None,
    label: str = "",
    after: LogPlace | None = None,
) -> Iterator[LogLine]:
    """Yield the lines of a job's logs in which something is found, by datum and line.

    Cost: reading every log that the job's own datums left; what it skipped is another job's.

    Parameters
    ----------
    position
        Look only into this datum, also if it was skipped.
    label
        Look only into datums that are called so, or have this in what they are called.
    after
        Begin behind this line of the job.
    """
    first = BEFORE_ALL + 1 if after is None else after.position
    for datum in _datums_with_logs(core, job, position, first):
        if label not in datum.label:
            continue
        told = after.line if after is not None and datum.position == after.position else 0
        lines = read_log(core, job.id, datum).text.split("\n")
        for number, line in enumerate(lines[told:], told + 1):
            found = find(line)
            if found >= 0:
                yield _line(job, datum, number, _around(line, found))


def _datums_with_logs(
    core: LakeCore, job: Job, position: int | None, first: int
) -> Iterator[Datum]:
    if position is not None:
        if position >= first:
            yield get_datum(core, job, position)
        return
    after = first - 1
    while True:
        with core.metadata.read() as tx:
            page = tx.datums.list(job.id, states=_PRINTED, after=after, limit=_PAGE)
        core.nodes.fetch(one.artifacts_root for one in page if one.artifacts_root is not None)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].position


def _around(line: str, found: int) -> str:
    """Return a line, or of a very long one the part in which something was found."""
    if len(line) <= _MAX_LINE:
        return line
    start = max(0, min(found - _LED_IN, len(line) - _MAX_LINE))
    end = start + _MAX_LINE
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"


def _line(job: Job, datum: Datum, number: int, text: str) -> LogLine:
    return LogLine(job.id, job.number, job.pipeline, datum.position, datum.label, number, text)


# --- following -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tail:
    """How far one datum's log was told."""

    told: int = 0
    """Bytes."""
    lines: int = 0
    digest: Digest = field(default_factory=lambda: digest_of(b""))
    """Of what was told: another try begins anew."""


class Follower:
    """Tells the lines of a job's logs as they come, each once.

    It looks at the datums that run or have ended since it looked last; a datum before all that
    are left is never looked at again, so a look costs what goes on, not the size of the job.
    """

    def __init__(self, core: LakeCore, job_id: str, position: int | None = None) -> None:
        self._core = core
        self._job_id = job_id
        self._position = position
        self._done = -1
        """All datums up to this one were told to their ends."""
        self._told: set[int] = set()
        """Those behind it that were, too."""
        self._tails: dict[int, _Tail] = {}
        self._attempt = 0

    def look(self) -> tuple[list[LogLine], bool]:
        """Return what was printed since the last look, and whether the job has ended."""
        with self._core.metadata.read() as tx:
            job = tx.jobs.get(self._job_id)  # first: what is printed before its end is told
        if job.attempt != self._attempt:  # it was taken up again, and cut into datums anew
            self._attempt = job.attempt
            self._done = -1
            self._told.clear()
            self._tails.clear()
        lines: list[LogLine] = []
        for datum in self._datums(job):
            lines += self._rest(job, datum)
        return lines, job.state.is_terminal

    def _datums(self, job: Job) -> Iterator[Datum]:
        if self._position is not None:
            if self._position not in self._told:
                with suppress(NotFoundError):  # the job has not got so far
                    yield get_datum(self._core, job, self._position)
            return
        with self._core.metadata.read() as tx:
            steps = tx.datums.steps(job.id)
        yield from (one for one in steps if one.position not in self._told)
        after = self._done
        while True:
            with self._core.metadata.read() as tx:
                page = tx.datums.list(job.id, after=after, limit=_PAGE)
            self._skip_told(page)
            for one in page:
                if one.position > self._done and one.position not in self._told:
                    yield one
            is_under_way = any(one.state is not DatumState.QUEUED for one in page)
            if len(page) < _PAGE or not is_under_way:
                return
            after = page[-1].position

    def _skip_told(self, page: list[Datum]) -> None:
        """Move the mark over what was told or never prints."""
        for one in page:
            if one.state is DatumState.SKIPPED:
                self._told.add(one.position)
        while self._done + 1 in self._told:
            self._done += 1
            self._told.discard(self._done)

    def _rest(self, job: Job, datum: Datum) -> list[LogLine]:
        if datum.state is DatumState.QUEUED:
            return []
        has_ended = datum.state is not DatumState.RUNNING
        data = read_artifact(self._core, job.id, datum, LOG)
        if data is None and not has_ended:
            return []  # its folder is gone, and its end is not written yet
        data = data or b""
        tail = self._tails.setdefault(datum.position, _Tail())
        if digest_of(data[: tail.told]) != tail.digest:
            tail = self._tails[datum.position] = _Tail()
        end = len(data) if has_ended else data.rfind(b"\n") + 1
        texts = data[tail.told : end].decode("utf-8", "replace").splitlines()
        lines = [_line(job, datum, tail.lines + n, text) for n, text in enumerate(texts, 1)]
        self._tails[datum.position] = _Tail(end, tail.lines + len(lines), digest_of(data[:end]))
        if has_ended:
            self._told.add(datum.position)
            del self._tails[datum.position]
        return lines
