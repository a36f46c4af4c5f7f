"""Reading immutable content: from memory in the event loop, fetched ahead in a thread.

Chunks are kept in the lake's own cache, which bounds the memory of all readers together; what
is here only sees to it that they are there before they are asked for.
"""

from __future__ import annotations

import logging
from functools import partial

import trio

from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.errors import DatalakeError

logger = logging.getLogger(__name__)

_STEP_BYTES = 1024 * 1024
"""Fetched by one thread at a time: about a millisecond of work."""
_AHEAD_BYTES = 6 * 1024 * 1024
"""How far ahead of a sequential reader."""
_STEPS_AT_ONCE = 3
"""For one reader: while one step waits for the disk, others are verified."""

_fetchers = trio.CapacityLimiter(8 * _STEPS_AT_ONCE)
"""More would only wait for each other on a disk, and hold memory. Fewer would be held by readers of
a store that hangs, and others with them."""


class ContentReader:
    """One open file's reads. What a sequential reader comes to next is fetched ahead of it.

    Parameters
    ----------
    nursery
        Where fetching ahead runs; None fetches each range when it is asked for.
    """

    def __init__(self, content: FileContent, nursery: trio.Nursery | None) -> None:
        self._content = content
        self._nursery = nursery
        self._expected = 0
        """Where the next read begins if they are in sequence."""
        self._ahead: _Ahead | None = None

    async def read(self, offset: int, size: int) -> bytes:
        """Return the bytes from `offset`, fewer than `size` only at the end of the file."""
        end = min(offset + size, self._content.size_bytes)
        if offset and offset == self._expected:  # the first read may be the only one
            await self._keep_ahead(offset, end)
        elif self._ahead is not None:
            self._ahead.stop()
            self._ahead = None
        self._expected = end
        data = self._content.peek(offset, size)
        if data is None:
            data = await trio.to_thread.run_sync(
                self._content.read, offset, size, limiter=_fetchers
            )
        return data

    async def _keep_ahead(self, offset: int, end: int) -> None:
        """Fetch on, far enough ahead of the reader, and wait for what it needs of that now."""
        if self._nursery is None:
            return
        if self._ahead is None:
            self._ahead = _Ahead(self._content, offset)
        self._expected = end  # the next read may come while this one waits
        self._ahead.fetch_to(min(end + _AHEAD_BYTES, self._content.size_bytes), self._nursery)
        await self._ahead.until(end)


class _Ahead:
    """A stretch of a file that is brought into memory, some steps at once, ahead of one reader."""

    def __init__(self, content: FileContent, start: int) -> None:
        self._content = content
        self._start = start
        self._begun = start
        """Where the next step begins; everything before is in memory or on its way."""
        self._wanted = start
        self._under_way: set[int] = set()
        """Where the steps begin that are on their way."""
        self._runners = 0
        self._progress = trio.lowlevel.ParkingLot()

    def fetch_to(self, wanted: int, nursery: trio.Nursery) -> None:
        """See to it that everything before `wanted` is in memory soon."""
        left = wanted - self._begun
        is_last = wanted == self._content.size_bytes
        if left >= _STEP_BYTES or (is_last and left > 0):
            self._wanted = max(wanted, self._wanted)
            steps = min(-(-left // _STEP_BYTES), _STEPS_AT_ONCE)
            while self._runners < steps:
                self._runners += 1
                nursery.start_soon(self._run)

    async def until(self, end: int) -> None:
        """Wait until everything before `end` was fetched, or the fetching has ended."""
        while self._is_coming(end):
            await self._progress.park()

    def _is_coming(self, end: int) -> bool:
        if any(start < end for start in self._under_way):
            return True
        return self._runners > 0 and self._begun < end

    def stop(self) -> None:
        """Fetch nothing more."""
        self._wanted = self._begun

    async def _run(self) -> None:
        try:
            while self._begun < self._wanted:
                await self._step(self._begun, min(_STEP_BYTES, self._wanted - self._begun))
        except (DatalakeError, OSError) as error:
            # The read of that range meets the same error, and tells it to the program.
            logger.debug("Fetching ahead ended: %s", error)
            self.stop()
        finally:
            self._runners -= 1
            self._progress.unpark_all()

    async def _step(self, start: int, length: int) -> None:
        self._begun = start + length
        self._under_way.add(start)
        try:
            warm = partial(self._content.warm, start, length, is_next=start > self._start)
            await trio.to_thread.run_sync(warm, limiter=_fetchers)
        finally:
            self._under_way.discard(start)
            self._progress.unpark_all()
