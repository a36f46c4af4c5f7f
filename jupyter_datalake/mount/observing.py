"""What goes through a mount is noted when it happens, and written to the database now and then.

A request of the kernel says which thread made it; `mount.observers` says what that belongs to.

For the event loop's thread, but for what `Observations.take` returns.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b

import trio

from jupyter_datalake import environment
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.model.ids import short_id
from jupyter_datalake.model.lineage import AccessKind, Observation, Observer, SeenBy
from jupyter_datalake.mount.observers import AccessCounts, SeenProcess, look_at, running_cell
from jupyter_datalake.mount.session_view import SessionView
from jupyter_datalake.mount.views import TreeView, View

logger = logging.getLogger(__name__)

OBSERVE_S = 2.0
"""How often it is written down what was opened."""

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
        observer = self._observer(thread, view)
        if observer is None:
            return
        now = time.time_ns()
        self._counts.add(
            Observation(
                observer,
                view.repo,
                view.base.id,
                view.tree.path_of(node),
                AccessKind.WRITE if can_write else AccessKind.READ,
                view.session.id if isinstance(view, SessionView) else None,
                1,
                now,
                now,
                SeenBy.MOUNT if observer.job_id is None else SeenBy.LAZY,
            )
        )

    def _observer(self, thread: int, view: View) -> Observer | None:
        """Return who opens something of a view; None for nobody that is of interest."""
        del view
        seen = self._seen(thread)
        return seen.at(None if seen.kernel_pid is None else running_cell(seen.kernel_pid))

    async def keep(self, core: LakeCore) -> None:
        """Write down what is opened until cancelled, and at the end what is left."""
        try:
            while True:
                await trio.sleep(OBSERVE_S)
                await self.write_down(core)
        finally:
            with trio.CancelScope(shield=True):
                await self.write_down(core)

    async def write_down(self, core: LakeCore) -> None:
        """Record what was opened since the last time; what cannot be, waits for the next."""
        taken = self.take()
        if not taken:
            return

        def record() -> None:
            with core.metadata.write() as tx:
                tx.lineage.observe(taken)

        try:
            await trio.to_thread.run_sync(record)
        except DatalakeError as error:
            self.put_back(taken)
            logger.warning("What was opened could not be recorded yet: %s", error)
        missed = self.take_missed()
        if missed:
            logger.warning("%d opens were not recorded: too many at once", missed)

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


class DatumObservations(Observations):
    """What datums opened of their lazy inputs: each is one observer, whatever it starts.

    Parameters
    ----------
    datum_of
        Tells job and position of the datum that a view belongs to, by its name.
    """

    def __init__(self, datum_of: Callable[[str], tuple[str, int] | None]) -> None:
        super().__init__()
        self._datum_of = datum_of
        self._host = socket.gethostname()

    def _observer(self, thread: int, view: View) -> Observer | None:
        """Return the datum that a view was made for."""
        del thread
        datum = self._datum_of(view.name)
        if datum is None:
            return None
        job_id, position = datum
        identity = blake2b(f"{self._host} {job_id} {position}".encode(), digest_size=16)
        return Observer(
            identity.hexdigest(),
            self._host,
            0,
            f"datum {position} of job {short_id(job_id)}",
            job_id=job_id,
            datum=position,
        )
