"""Which process opens what: noted when it happens, written to the database now and then.

A request of the kernel says which thread made it. What that belongs to is read from ``/proc`` while
it is there: its process, the Jupyter kernel among its ancestors, the notebook that the server
started the kernel for (``JPY_SESSION_NAME``), and the cell, where the kernel says which one runs
(`lake.cells`). Opens are counted, not listed: a loop over one file is one row.

For the event loop's thread, but for what `Observations.take` returns.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from jupyter_datalake import environment
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.model.lineage import AccessKind, Observation, Observer
from jupyter_datalake.mount.processes import stat_fields
from jupyter_datalake.mount.session_view import SessionView
from jupyter_datalake.mount.views import TreeView, View

MAX_WAITING = 10_000
"""Different accesses that wait to be written down; what comes beyond is counted as missed."""

_KNOWN_S = 1.0
"""How long it is believed what a thread belongs to; its number is not given away faster."""
_MAX_KNOWN = 1_000
_MAX_ANCESTORS = 64
_MAX_COMMAND = 500
_KERNEL_FILE = re.compile(r"kernel-([^/\s]+)\.json(?:\s|$)")
_NOTEBOOK_VARIABLE = b"JPY_SESSION_NAME="


@dataclass(frozen=True, slots=True)
class _Process:
    """What a thread belongs to, and until when that is believed."""

    observer: Observer
    kernel_pid: int | None
    until: float


class Observations:
    """What was opened since it was written down last."""

    def __init__(self) -> None:
        self._known: dict[int, _Process] = {}
        self._waiting: dict[tuple[str, str, str, str, AccessKind], Observation] = {}
        self.missed = 0
        """Accesses that there was no room for."""

    def note(self, thread: int, view: View, node: Node, *, can_write: bool) -> None:
        """Take note that a thread opens a file; some microseconds, unless it is a new one."""
        if not isinstance(view, TreeView) or not view.is_attached(node):
            return
        observer = self._observer(thread)
        kind = AccessKind.WRITE if can_write else AccessKind.READ
        path = view.tree.path_of(node)
        key = (observer.id, view.repo, view.base.id, path, kind)
        found = self._waiting.get(key)
        now = time.time_ns()
        if found is not None:
            self._waiting[key] = replace(found, opens=found.opens + 1, last_ns=now)
        elif len(self._waiting) >= MAX_WAITING:
            self.missed += 1
        else:
            session = view.session.id if isinstance(view, SessionView) else None
            self._waiting[key] = Observation(
                observer, view.repo, view.base.id, path, kind, session, 1, now, now
            )

    def take(self) -> Sequence[Observation]:
        """Return what waits to be written down, and forget it."""
        taken, self._waiting = list(self._waiting.values()), {}
        return taken

    def put_back(self, observations: Sequence[Observation]) -> None:
        """Take back what could not be written down, as far as there is room."""
        for one in observations:
            key = (one.observer.id, one.repo, one.commit_id, one.path, one.kind)
            later = self._waiting.get(key)
            if later is not None:
                opens = one.opens + later.opens
                self._waiting[key] = replace(one, opens=opens, last_ns=later.last_ns)
            elif len(self._waiting) < MAX_WAITING:
                self._waiting[key] = one
            else:
                self.missed += 1

    def _observer(self, thread: int) -> Observer:
        now = time.monotonic()
        found = self._known.get(thread)
        if found is None or found.until < now:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = _look_at(thread, now + _KNOWN_S)
            self._known[thread] = found
        if found.kernel_pid is None:
            return found.observer
        cell = _running_cell(found.kernel_pid)
        if cell is None:
            return found.observer
        identity = blake2b(f"{found.observer.id} {cell}".encode(), digest_size=16).hexdigest()
        return replace(found.observer, id=identity, cell=cell)


def _look_at(thread: int, until: float) -> _Process:
    """Return what a thread belongs to, as far as ``/proc`` says so."""
    pid, parent = _group_and_parent(thread)
    kernel_pid, kernel_id, notebook = None, None, None
    above = pid
    for _ in range(_MAX_ANCESTORS):
        if above <= 1:
            break
        match = _KERNEL_FILE.search(_command(above))
        if match is not None:
            kernel_pid, kernel_id, notebook = above, match.group(1), _notebook(above)
            break
        above = parent if above == pid else _group_and_parent(above)[1]
    host, began = socket.gethostname(), _began(pid)
    identity = blake2b(f"{host} {pid} {began}".encode(), digest_size=16).hexdigest()
    command = _command(pid)[:_MAX_COMMAND]
    return _Process(Observer(identity, host, pid, command, kernel_id, notebook), kernel_pid, until)


def _group_and_parent(thread: int) -> tuple[int, int]:
    """Return the process of a thread and its parent; 0 for what is not known any more."""
    fields = {}
    for line in _read(f"/proc/{thread}/status").splitlines():
        name, _, value = line.partition(b":")
        fields[name] = value
    return int(fields.get(b"Tgid", thread)), int(fields.get(b"PPid", 0))


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the machine did: numbers are used again."""
    fields = stat_fields(pid)
    return fields[19].decode() if len(fields) > 19 else ""


def _command(pid: int) -> str:
    return _read(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")


def _notebook(pid: int) -> str | None:
    for variable in _read(f"/proc/{pid}/environ").split(b"\0"):
        if variable.startswith(_NOTEBOOK_VARIABLE):
            return variable.removeprefix(_NOTEBOOK_VARIABLE).decode(errors="replace")
    return None


def _running_cell(kernel_pid: int) -> str | None:
    """Return the cell that a kernel says it runs, or None where it says nothing."""
    said = _read(os.path.join(environment.cells_folder(), f"{kernel_pid}.json"))
    try:
        raw = json.loads(said) if said else {}
    except ValueError:
        return None
    cell = raw.get("cell") if isinstance(raw, dict) else None
    return cell[:_MAX_COMMAND] if isinstance(cell, str) else None


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # it is gone, or somebody else's
