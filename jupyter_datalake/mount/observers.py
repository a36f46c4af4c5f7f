"""Who opens what: processes, their kernels, notebooks and cells, and counts of what they opened.

What a process belongs to is read from ``/proc`` while it is there: the Jupyter kernel among its
ancestors, the notebook that the server started the kernel for (``JPY_SESSION_NAME``), and the cell,
where the kernel says which one runs (`lake.cells`). Without ``/proc``, a process knows of itself
what its own command and variables say.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from jupyter_datalake import environment
from jupyter_datalake.model.lineage import Observation, Observer
from jupyter_datalake.mount.processes import stat_fields

MAX_WAITING = 10_000
"""Different accesses that wait to be written down; what comes beyond is counted as missed."""

_MAX_ANCESTORS = 64
_MAX_COMMAND = 500
_KERNEL_FILE = re.compile(r"kernel-([^/\s]+)\.json(?:\s|$)")


@dataclass(frozen=True, slots=True)
class SeenProcess:
    """What a thread belongs to."""

    observer: Observer
    kernel_pid: int | None
    """The kernel that it is, or that started it."""

    def at(self, cell: str | None) -> Observer:
        """Return the observer that it is while a cell runs."""
        if cell is None:
            return self.observer
        cell = cell[:_MAX_COMMAND]
        identity = blake2b(f"{self.observer.id} {cell}".encode(), digest_size=16).hexdigest()
        return replace(self.observer, id=identity, cell=cell)


def look_at(thread: int) -> SeenProcess:
    """Return what a thread of this machine belongs to, as far as ``/proc`` says so."""
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
    return _seen(pid, _began(pid), _command(pid), kernel_pid, kernel_id, notebook)


def look_at_this() -> SeenProcess:
    """Return what this process belongs to, also on systems without ``/proc``."""
    pid = os.getpid()
    if _command(pid):
        return _in_a_job(look_at(pid))
    command = " ".join(sys.orig_argv)
    match = _KERNEL_FILE.search(command)
    if match is None:
        return _in_a_job(_seen(pid, "", command, None, None, None))
    return _in_a_job(_seen(pid, "", command, pid, match.group(1), environment.notebook()))


def _in_a_job(seen: SeenProcess) -> SeenProcess:
    """Return what this process is with the datum that it works on, if it does."""
    datum = environment.datum()
    if datum is None:
        return seen
    job_id, position = datum
    named = f"{seen.observer.id} {job_id} {position}".encode()
    identity = blake2b(named, digest_size=16).hexdigest()
    observer = replace(seen.observer, id=identity, job_id=job_id, datum=position)
    return replace(seen, observer=observer)


def _seen(
    pid: int,
    began: str,
    command: str,
    kernel_pid: int | None,
    kernel_id: str | None,
    notebook: str | None,
) -> SeenProcess:
    host = socket.gethostname()
    identity = blake2b(f"{host} {pid} {began}".encode(), digest_size=16).hexdigest()
    observer = Observer(identity, host, pid, command[:_MAX_COMMAND], kernel_id, notebook)
    return SeenProcess(observer, kernel_pid)


def running_cell(kernel_pid: int) -> str | None:
    """Return the cell that a kernel says it runs, or None where it says nothing."""
    said = _read(os.path.join(environment.cells_folder(), f"{kernel_pid}.json"))
    try:
        raw = json.loads(said) if said else {}
    except ValueError:
        return None
    cell = raw.get("cell") if isinstance(raw, dict) else None
    return cell if isinstance(cell, str) else None


class AccessCounts:
    """Accesses that wait to be written down, counted: a loop over one file is one row.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], Observation] = {}
        self.missed = 0
        """Accesses that there was no room for."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, one: Observation) -> None:
        """Count an access, or several of one kind."""
        key = (one.observer.id, one.repo, one.commit_id, one.path, one.kind, one.seen_by)
        found = self._waiting.get(key)
        if found is not None:
            first_ns, last_ns = min(found.first_ns, one.first_ns), max(found.last_ns, one.last_ns)
            self._waiting[key] = replace(
                found, opens=found.opens + one.opens, first_ns=first_ns, last_ns=last_ns
            )
        elif len(self._waiting) >= MAX_WAITING:
            self.missed += one.opens
        else:
            self._waiting[key] = one

    def take(self) -> Sequence[Observation]:
        """Return what waits, and forget it."""
        taken, self._waiting = list(self._waiting.values()), {}
        return taken

    def put_back(self, observations: Sequence[Observation]) -> None:
        """Take back what could not be written down, as far as there is room."""
        for one in observations:
            self.add(one)


class _Quiet(threading.local):
    depth = 0


_quiet = _Quiet()


@contextmanager
def unobserved() -> Iterator[None]:
    """Have what this thread opens meanwhile counted as nobody's: it is this package's own work."""
    _quiet.depth += 1
    try:
        yield
    finally:
        _quiet.depth -= 1


def is_unobserved() -> bool:
    """Tell whether this thread is inside of `unobserved`."""
    return _quiet.depth > 0


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
    wanted = f"{environment.NOTEBOOK_VARIABLE}=".encode()
    for variable in _read(f"/proc/{pid}/environ").split(b"\0"):
        if variable.startswith(wanted):
            return variable.removeprefix(wanted).decode(errors="replace")
    return None


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # it is gone, or somebody else's
