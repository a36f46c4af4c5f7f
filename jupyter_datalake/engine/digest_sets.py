"""Sets of digests that may be larger than memory: filled first, then read once or more, sorted.

A set keeps what it was given in memory up to a limit and then writes it, sorted, to a temporary
file; reading merges the files. Only order is offered, which is all that comparing with other
sorted things needs.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Self

from jupyter_datalake.model.ids import DIGEST_SIZE, Digest

BYTES_EACH = 128
"""About what one digest costs in memory."""

_READ_BYTES = DIGEST_SIZE * 2048
_BATCH = 2048


class DigestSet:
    """Digests, each once however often it was added. For one thread.

    Parameters
    ----------
    limit
        How many are kept in memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(limit, 1)
        self._recent: set[Digest] = set()
        self._runs: list[IO[bytes]] = []

    def add(self, digest: Digest) -> None:
        """Add one digest."""
        self._recent.add(digest)
        if len(self._recent) >= self._limit:
            self._spill()

    def update(self, digests: Iterable[Digest]) -> None:
        """Add several digests."""
        for digest in digests:
            self.add(digest)

    def __bool__(self) -> bool:
        return bool(self._recent or self._runs)

    def __iter__(self) -> Iterator[Digest]:
        """Yield what is in the set, sorted; one reader at a time, and nothing added meanwhile."""
        runs: list[Iterator[Digest]] = [_read(run) for run in self._runs]
        runs.append(iter(sorted(self._recent)))
        previous: Digest | None = None
        for digest in heapq.merge(*runs):
            if digest != previous:
                yield digest
                previous = digest

    def close(self) -> None:
        """Remove the temporary files; safe to call twice."""
        for run in self._runs:
            run.close()
        self._runs.clear()
        self._recent.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _spill(self) -> None:
        run = tempfile.TemporaryFile(prefix="datalake-gc-")  # noqa: SIM115  # closed by `close`
        self._runs.append(run)
        ordered = sorted(self._recent)
        self._recent.clear()
        for begin in range(0, len(ordered), _BATCH):
            run.write(b"".join(ordered[begin : begin + _BATCH]))


def _read(run: IO[bytes]) -> Iterator[Digest]:
    run.seek(0)
    while part := run.read(_READ_BYTES):
        for begin in range(0, len(part), DIGEST_SIZE):
            yield Digest(part[begin : begin + DIGEST_SIZE])


class Membership:
    """Tells whether digests are in a set, if they are asked for in ascending order."""

    def __init__(self, digests: DigestSet) -> None:
        self._rest = iter(digests)
        self._next = next(self._rest, None)

    def __contains__(self, digest: Digest) -> bool:
        while self._next is not None and self._next < digest:
            self._next = next(self._rest, None)
        return self._next == digest
