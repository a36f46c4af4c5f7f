"""A gate in front of a tree: keeps requests out while a command works on it in another thread.

Requests are answered in the event loop and change the tree between two awaits, so they never
meet each other. A commit, a discard and a rebase run in threads: while they must not see the
tree move, changes wait; while they rearrange it, look-ups wait too. Files that are open are read
all the time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


class Gate:
    """Who may enter a tree. Requests wait one by one; commands take turns."""

    def __init__(self) -> None:
        self._turn = trio.Lock()
        self._is_unchanging = False
        self._is_unseen = False
        self._waiting = trio.lowlevel.ParkingLot()

    async def until_seen(self) -> None:
        """Wait until the tree may be looked at; it may, up to the caller's next await."""
        while self._is_unseen:
            await self._waiting.park()

    async def until_changeable(self) -> None:
        """Wait until the tree may be changed; it may, up to the caller's next await."""
        while self._is_unchanging or self._is_unseen:
            await self._waiting.park()

    @property
    def is_unseen(self) -> bool:
        """Whether a command rearranges the tree at this moment."""
        return self._is_unseen

    @asynccontextmanager
    async def unchanging(self) -> AsyncIterator[None]:
        """Keep changes out, for one command at a time."""
        async with self._turn:
            self._is_unchanging = True
            try:
                yield
            finally:
                self._is_unchanging = False
                self._waiting.unpark_all()

    @asynccontextmanager
    async def unseen(self) -> AsyncIterator[None]:
        """Keep look-ups out as well; inside `unchanging`, and not for long."""
        self._is_unseen = True
        try:
            yield
        finally:
            self._is_unseen = False
            self._waiting.unpark_all()
