"""What goes through a mount is noted when it happens, and written to the database now and then.

A request of the kernel says which thread made it; `mount.observers` says what that belongs to.

For the event loop's thread, but for what `Observations.take` returns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from jupyter_datalake import environment
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.model.lineage import AccessKind, Observation, SeenBy
from jupyter_datalake.mount.observers import AccessCounts, SeenProcess, look_at, running_cell
from jupyter_datalake.mount.session_view import SessionView
from jupyter_datalake.mount.views import TreeView, View

_KNOWN_S = 1.0
"""How long it is believed what a thread belongs to; its number is not given away faster."""
_MAX_KNOWN = 1_000


class Observations:
    """What was opened since it was written down last.

    Parameters
    ----------
    is_wanted
        Whether anybody takes it.
    """

    def __init__(self, *, is_wanted: bool = True) -> None:
        self._is_wanted = is_wanted and environment.observes() is not False
        self._known: dict[int, tuple[SeenProcess, float]] = {}
        self._counts = AccessCounts()

    def note(self, thread: int, view: View, node: Node, *, can_write: bool) -> None:
        """Take note that a thread opens a file; some microseconds, unless it is a new one."""
        if not self._is_wanted or not isinstance(view, TreeView) or not view.is_attached(node):
            return
        seen = self._seen(thread)
        cell = None if seen.kernel_pid is None else running_cell(seen.kernel_pid)
        now = time.time_ns()
        self._counts.add(
            Observation(
                seen.at(cell),
                view.repo,
                view.base.id,
                view.tree.path_of(node),
                AccessKind.WRITE if can_write else AccessKind.READ,
                view.session.id if isinstance(view, SessionView) else None,
                1,
                now,
                now,
                SeenBy.MOUNT,
            )
        )

    def take(self) -> Sequence[Observation]:
        """Return what waits to be written down, and forget it."""
        return self._counts.take()

    def put_back(self, observations: Sequence[Observation]) -> None:
        """Take back what could not be written down, as far as there is room."""
        self._counts.put_back(observations)

    def take_missed(self) -> int:
        """Return how many accesses there was no room for, and forget it."""
        missed, self._counts.missed = self._counts.missed, 0
        return missed

    def _seen(self, thread: int) -> SeenProcess:
        now = time.monotonic()
        found = self._known.get(thread)
        if found is not None and found[1] >= now:
            return found[0]
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        seen = look_at(thread)
        self._known[thread] = seen, now + _KNOWN_S
        return seen
