"""What the code of a kernel opens in checkouts, heard from Python itself.

A checkout is an ordinary folder: nobody asks this package when a file in it is read. Python tells
an audit hook of each ``open`` before it happens. The hook counts paths; a thread finds out, two
seconds later, which of them are files of checkouts. The others are forgotten and leave the process
nowhere. What C++ code opens by itself, as pyarrow and DuckDB do, Python does not tell, nor what
other programs open.
"""

from __future__ import annotations

import atexit
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.lake import cells
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.recording import RECORD_S
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.lineage import AccessKind, Observation, SeenBy
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.paths import RepoPath, path_from_bytes
from jupyter_datalake.mount.observers import MAX_WAITING, is_unobserved, look_at_this

logger = logging.getLogger(__name__)

_OWN = tuple(
    f"{folder.rstrip('/')}/"
    for folder in {sys.prefix, sys.base_prefix, sys.exec_prefix, "/proc", "/sys", "/dev"}
)
"""Where nobody has a checkout, and from where modules are read by the thousand."""
_NO_FOLDER = -1
"""The descriptor that the events of renames have where paths are not relative to one."""

_Key = tuple[str, AccessKind, str | None]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A checkout, and what is in its folder."""

    folder: str
    repo: str
    commit_id: CommitId
    session_id: str | None


class KernelOpens:
    """Hears what this process opens, once `begin` was called. An audit hook cannot be removed."""

    def __init__(self) -> None:
        self._is_on = False
        self._is_hooked = False
        self._lake: Lake | None = None
        self.unheard = 0
        """Opens that could not be made sense of."""
        self._begin_anew()
        renew_after_fork(self, KernelOpens._begin_anew)

    def _begin_anew(self) -> None:
        self._counts: dict[_Key, int] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._thread_number: int | None = None

    def begin(self) -> None:
        """Hear what is opened from now on."""
        if not self._is_hooked:
            sys.addaudithook(self._hear)
            atexit.register(self.end)
            self._is_hooked = True
        self._is_on = True

    def end(self) -> None:
        """Hear no more, and write down what was heard."""
        self._is_on = False
        self.write_down()
        lake, self._lake = self._lake, None
        if lake is not None:
            lake.close()

    # --- the hook --------------------------------------------------------------------------------

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on or event not in {"open", "os.rename"}:
            return
        try:
            self._count(event, arguments)
        except Exception:  # noqa: BLE001  # what a hook raises would be raised by open()
            self.unheard += 1

    def _count(self, event: str, arguments: tuple[Any, ...]) -> None:
        if threading.get_ident() == self._thread_number or is_unobserved():
            return
        if event == "open":
            path, mode, flags = arguments
            is_written = bool(flags & (os.O_WRONLY | os.O_RDWR))
            # The event does not tell the folder that `os.open` was given for a relative path.
            is_known = mode is not None
        else:
            _, path, _, target_folder = arguments
            is_written, is_known = True, target_folder == _NO_FOLDER
        if isinstance(path, int):
            return
        name = os.fsdecode(path)
        if not name.startswith("/"):
            if not is_known:
                return
            name = os.path.join(os.getcwd(), name)
        if name.startswith(_OWN):
            return
        kind = AccessKind.WRITE if is_written else AccessKind.READ
        key = (name, kind, cells.running())
        counts = self._counts
        # No lock: a hook may run inside of anything, and a count lost between threads is no harm.
        if key in counts or len(counts) < MAX_WAITING:
            counts[key] = counts.get(key, 0) + 1
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # somebody is at it
        try:
            if self._thread is None:
                thread = threading.Thread(
                    target=self._write_now_and_then, name="datalake-opens", daemon=True
                )
                self._thread = thread
                thread.start()
        finally:
            self._lock.release()

    # --- the thread ------------------------------------------------------------------------------

    def _write_now_and_then(self) -> None:
        self._thread_number = threading.get_ident()
        while self._counts:
            time.sleep(RECORD_S)
            self.write_down()
        self._thread_number = self._thread = None

    def write_down(self) -> None:
        """Hand what was heard of files of checkouts to the recorder of their lake."""
        heard, self._counts = self._counts, {}
        if not heard:
            return
        try:
            if self._lake is None:
                self._lake = Lake.open()
            with self._lake.core.metadata.read() as tx:
                shown = list(_checkouts(tx))
        except DatalakeError as error:  # there is no lake here, or it cannot be reached
            logger.info("What was opened in checkouts is not known: %s", error)
            return
        # A list is made at once; the other thread may still count in what was swapped out.
        for one in _observations(list(heard.items()) if shown else [], shown):
            self._lake.recorder.add(one)
        self._lake.recorder.write_down()


def _checkouts(tx: Transaction) -> Iterator[_Shown]:
    """Yield what is checked out, by the folders' own names."""
    points = {one.path for one in tx.mounts.list_points() if one.mode is MountMode.CHECKOUT}
    bases = {one.id: one.base_commit_id for one in tx.sessions.list()}
    for mount in tx.mounts.list():
        commit_id = mount.commit_id or bases.get(mount.session_id or "")
        if mount.mountpoint in points and commit_id is not None:
            yield _Shown(os.path.realpath(mount.path), mount.repo, commit_id, mount.session_id)


def _observations(heard: list[tuple[_Key, int]], shown: list[_Shown]) -> Iterator[Observation]:
    process, now = look_at_this(), time.time_ns()
    folders: dict[str, str] = {}
    for (name, kind, cell), opens in heard:
        above, _, last = name.rpartition("/")
        if above not in folders:
            folders[above] = os.path.realpath(above or "/")
        place = f"{folders[above]}/{last}"
        found = next((one for one in shown if place.startswith(f"{one.folder}/")), None)
        if found is None or not _is_file(place):
            continue
        path = RepoPath(path_from_bytes(os.fsencode(place[len(found.folder) + 1 :])))
        yield Observation(
            process.at(cell),
            found.repo,
            found.commit_id,
            path,
            kind,
            found.session_id,
            opens,
            now,
            now,
            SeenBy.KERNEL,
        )


def _is_file(place: str) -> bool:
    """Tell whether a file is there: an open is heard before it fails, and temporary files go."""
    try:
        return stat.S_ISREG(os.stat(place).st_mode)
    except OSError:
        return False
