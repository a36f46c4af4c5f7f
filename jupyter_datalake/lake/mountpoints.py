"""Mount points: which one is meant, what stands behind it, and bringing that back.

The mount point is the one that is given, else the one in ``DATALAKE_MOUNTPOINT``, else the only
one that this machine has for the lake, else ``lake`` in the current folder: so after the first
mount, every shell and notebook means the same one.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence

from jupyter_datalake import environment
from jupyter_datalake.config import MEMORY_URL
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import DatalakeError, ErrorKind, InvalidInputError, MountError
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.mounts import MountMode, Mountpoint, MountState
from jupyter_datalake.mount.control import MountClient, is_alive
from jupyter_datalake.mount.doctor import Verdict, check_folder, choose_mode
from jupyter_datalake.mount.mountpoints import check_usable, normalised
from jupyter_datalake.mount.starting import start_process

logger = logging.getLogger(__name__)

DEFAULT_FOLDER = "lake"
PROCESS = "jupyter_datalake.lake.mount_process"
"""The module that a supervisor runs."""


class Mountpoints:
    """The folders of this machine that show repos of one lake."""

    def __init__(self, core: LakeCore) -> None:
        self._core = core

    def named(self, at: str | None) -> str:
        """Return the mount point that is meant, whether it exists or not."""
        given = at or environment.mountpoint()
        if given:
            return normalised(given)
        ours = [point.path for point in self.ours()]
        return ours[0] if len(ours) == 1 else normalised(DEFAULT_FOLDER)

    def known(self, at: str | None) -> Mountpoint | None:
        """Return the mount point that is meant, if there is one."""
        with self._core.metadata.read() as tx:
            return tx.mounts.find_point(self.named(at))

    def ours(self) -> Sequence[Mountpoint]:
        """Return the mount points of this machine."""
        with self._core.metadata.read() as tx:
            points = tx.mounts.list_points()
        return [point for point in points if point.host == socket.gethostname()]

    def prepare(self, path: str, wanted: MountMode | None = None) -> tuple[MountMode, str]:
        """Return mode and note of a mount point; of a new one they are chosen, its folder made.

        Parameters
        ----------
        wanted
            The mode it is to have; None leaves it to what this machine can do.

        Raises
        ------
        InvalidInputError
            The folder is not empty, no folder, or the lake's own; or it has another mode already.
        MountError
            It is a mount point on another machine, or the mode is not possible here.
        """
        with self._core.metadata.read() as tx:
            known = tx.mounts.find_point(path)
        if known is not None:
            if known.host != socket.gethostname():
                raise MountError(
                    f"{path} is a mount point on {known.host}",
                    hint="Mount there, or choose another folder with --at",
                    mountpoint=path,
                )
            if wanted not in {None, known.mode}:
                raise InvalidInputError(
                    f"What is mounted at {path} is shown by {known.mode}, not by {wanted}",
                    hint="Unmount it first, or choose another mount point with --at",
                    mountpoint=path,
                )
            return known.mode, known.message
        if wanted is MountMode.DRIVE:
            return wanted, "It was asked for"
        lake = self._core.url
        if os.path.isabs(lake) and os.path.commonpath([lake, path]) == lake:
            raise InvalidInputError(
                f"The mount point {path} lies inside the lake's own folder",
                kind=ErrorKind.INVALID_PATH,
                hint="Choose another folder with --at",
            )
        folder = check_folder(path)
        if folder.verdict is Verdict.FAIL and wanted is None:
            return MountMode.DRIVE, f"No folder can be shown here: {folder.found}"
        check_usable(path)
        if wanted is MountMode.CHECKOUT:
            return wanted, "It was asked for"
        if lake == MEMORY_URL and wanted is None:
            return MountMode.CHECKOUT, "A lake in memory is this process's own"
        mode, note = choose_mode()
        if wanted not in {None, mode}:
            raise MountError(
                note, kind=ErrorKind.FUSE_UNAVAILABLE, hint="'datalake doctor' says what it takes"
            )
        return mode, note

    def client(self, point: Mountpoint) -> MountClient | None:
        """Return a client of the process behind a mount point, if there is one."""
        return MountClient(self._core, point.path) if is_alive(point) else None

    def start(self, path: str) -> MountClient:
        """Start the process behind a mount point, unless it runs, and wait until it is ready."""
        return start_process(self._core, path, PROCESS)

    def is_stale(self, point: Mountpoint) -> bool:
        """Tell whether a process of this machine should be behind a mount point and is not."""
        return (
            point.mode is MountMode.FUSE
            and point.host == socket.gethostname()
            and point.state in {MountState.STARTING, MountState.READY, MountState.STALE}
            and not is_alive(point)
        )

    def revive(self) -> None:
        """Bring back the mount points whose processes were killed; failing is only logged."""
        for point in self.ours():
            if self.is_stale(point):
                try:
                    self.start(point.path)
                except DatalakeError as error:
                    logger.warning("The mount point %s does not come back: %s", point.path, error)

    def set_state(self, point: Mountpoint, state: MountState) -> None:
        """Record how a mount point is doing that has no process."""
        with self._core.metadata.write() as tx:
            set_point(tx, point.path, point.mode, state, point.message)


def set_point(tx: Transaction, path: str, mode: MountMode, state: MountState, message: str) -> None:
    """Record a mount point without a process, as part of `tx`, and tell followers."""
    tx.mounts.set_point(
        path, mode=mode, state=state, message=message, pid=None, host=socket.gethostname()
    )
    tx.events.append(EventKind.MOUNT_CHANGED, path, state=str(state))
