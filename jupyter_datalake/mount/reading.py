"""Reading immutable content: from memory in the event loop, fetched ahead in a thread.

Chunks are kept in the lake's own cache, which bounds the memory of all readers together; what
is here only sees to it that they are there before they are asked for.
"""

from __future__ import annotations

import logging

import trio

from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.errors import DatalakeError

logger = logging.getLogger(__name__)

_STEP_BYTES = 1024 * 1024
"""Fetched by one thread at a time: about a millisecond of work."""
_AHEAD_BYTES = 6 * 1024 * 1024
"""How far ahead of a sequential reader."""

_fetchers = trio.CapacityLimiter(8)
"""More would only wait for each other on a disk, and hold memory."""


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
    """A stretch of a file that is brought into memory, step by step, in front of one reader."""

    def __init__(self, content: FileContent, start: int) -> None:
        self._content = content
        self._fetched = start
        self._wanted = start
        self._is_running = False
        self._progress = trio.lowlevel.ParkingLot()

    def fetch_to(self, wanted: int, nursery: trio.Nursery) -> None:
        """See to it that everything before `wanted` is in memory soon."""
        is_last = wanted == self._content.size_bytes
        if wanted - self._fetched >= _STEP_BYTES or (is_last and wanted > self._fetched):
            self._wanted = max(wanted, self._wanted)
            if not self._is_running:
                self._is_running = True
                nursery.start_soon(self._run)

    async def until(self, end: int) -> None:
        """Wait until everything before `end` was fetched, or the fetching has ended."""
        while self._is_running and self._fetched < end:
            await self._progress.park()

    def stop(self) -> None:
        """Fetch nothing more."""
        self._wanted = self._fetched

    async def _run(self) -> None:
        try:
            while self._fetched < self._wanted:
                step = min(_STEP_BYTES, self._wanted - self._fetched)
                await trio.to_thread.run_sync(
                    self._content.warm, self._fetched, step, limiter=_fetchers
                )
                self._fetched += step
                self._progress.unpark_all()
        except (DatalakeError, OSError) as error:
            # The read of that range meets the same error, and tells it to the program.
            logger.debug("Fetching ahead ended: %s", error)
        finally:
            self._is_running = False
            self._progress.unpark_all()
