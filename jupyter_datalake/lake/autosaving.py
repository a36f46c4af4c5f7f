"""Drafts of what is staged without FUSE: saved each minute by whatever process of the lake lives.

A FUSE mount saves the drafts of its own sessions. Checkouts, the drive and sessions that Python and
REST work on have no process: a Jupyter server and a controller look after those of this machine, in
a thread, one of them at a time. What changed is told by names, sizes and times alone. A look that
takes long is taken less often, so that looking never takes more than a twentieth of a processor.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.session import place_of, sessions_folder
from jupyter_datalake.engine.staged_tree import JOURNAL
from jupyter_datalake.errors import DatalakeError, NotFoundError
from jupyter_datalake.file_locks import try_lock
from jupyter_datalake.lake.sessions import Sessions
from jupyter_datalake.model.sessions import SessionInfo
from jupyter_datalake.mount.checkout import Checkout
from jupyter_datalake.mount.control import MountClient, mount_holding

logger = logging.getLogger(__name__)

AUTOSAVE_S = 60.0
"""How often it is looked for changes, if looking is quick."""
_SHARE = 20
"""Pauses are at least so many times as long as the look before."""
_NICENESS = 10


class Autosaver:
    """Saves drafts of this machine's sessions that nobody else saves."""

    def __init__(self, core: LakeCore, sessions: Sessions) -> None:
        self._core = core
        self._sessions = sessions
        self._seen: dict[str, bytes] = {}
        self._lock: int | None = None
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread = threading.Thread(target=self._run, name="datalake-autosave", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, when the draft that is being saved is saved; safe to call twice."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def save_changed(self) -> Sequence[str]:
        """Save a draft of each session that changed since the last time; return their ids.

        Nothing, where another process of this machine does it.
        """
        if not self._is_ours():
            return []
        with self._core.metadata.read() as tx:
            here = place_of(self._core)
            found = [one for one in tx.sessions.list() if tx.sessions.place(one.id) == here]
        self._seen = {one.id: self._seen[one.id] for one in found if one.id in self._seen}
        return [one.id for one in found if not self._ends.is_set() and self._save(one)]

    def _save(self, info: SessionInfo) -> bool:
        try:
            before = self._fingerprint(info)
            if before is None or self._seen.get(info.id) == before:
                return False
            is_saved = self._save_now(info)
        except (DatalakeError, OSError) as error:  # it is in use, or its disk is gone: next time
            logger.info("No draft of %s was saved: %s", info.id, error)
            return False
        # What was changed while it was saved is another fingerprint the next time.
        self._seen[info.id] = before
        return is_saved

    def _save_now(self, info: SessionInfo) -> bool:
        try:
            self._sessions.save(info.id)
        except NotFoundError:
            return False  # nothing is staged
        return True

    def _fingerprint(self, info: SessionInfo) -> bytes | None:
        """Return what tells whether anything was staged; None for a session of a FUSE mount."""
        holder = mount_holding(self._core, info.id)
        if isinstance(holder, MountClient):
            return None
        if isinstance(holder, Checkout):
            return holder.fingerprint()
        status = (sessions_folder(self._core) / info.id / JOURNAL).stat()
        return f"{info.base_commit_id} {status.st_size} {status.st_mtime_ns}".encode()

    def _is_ours(self) -> bool:
        """Tell whether this process is the one of this machine that saves drafts of the lake."""
        if self._lock is not None:
            return True
        path: Path = self._core.work_folder / "autosave.lock"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # no locks here: then nobody saves
            self._lock = try_lock(path)
        return self._lock is not None

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        pause_s = AUTOSAVE_S
        while not self._ends.wait(pause_s):
            began = time.monotonic()
            try:
                self.save_changed()
            except (DatalakeError, OSError) as error:
                logger.info("Drafts could not be looked after: %s", error)
            pause_s = max(AUTOSAVE_S, _SHARE * (time.monotonic() - began))
