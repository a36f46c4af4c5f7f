"""Starting and stopping the process behind a mount point, from any other process.

The daemon's command is a module that the caller names: only `lake` knows how a lake is opened.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import ErrorKind, MountError
from jupyter_datalake.file_locks import held
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.mounts import MountMode, Mountpoint, MountState
from jupyter_datalake.mount.control import (
    SUPERVISOR_MODULE,
    MountClient,
    is_alive,
    state_path,
)
from jupyter_datalake.mount.mountpoints import unmount

READY = b"ready\n"
"""What the process of lazy inputs says when it serves; else a line that says why it does not."""

START_S = 60.0
"""A daemon is ready within a second; one that replays a large session takes longer."""
STOP_S = 40.0
_POLL_S = 0.02
_MAX_SPAWNS = 3


def start_process(core: LakeCore, mountpoint: str, module: str) -> MountClient:
    """Start the process behind a mount point unless it runs, and return when it is ready.

    Parameters
    ----------
    module
        Takes ``--lake URL --mountpoint PATH`` and what `mount.supervisor` adds.

    Raises
    ------
    MountError
        It could not mount, died again and again, or was not ready in time.
    """
    if not _is_served(core, mountpoint):
        _start(core, mountpoint, module)
    return MountClient(core, mountpoint)


def stop_process(core: LakeCore, point: Mountpoint) -> None:
    """Unmount and end the process behind a mount point; returns when both are gone."""
    if is_alive(point):
        assert point.pid is not None
        try:
            MountClient(core, point.path, patience_s=1.0).stop()
        except MountError:
            _send(point.pid, signal.SIGTERM)  # it cannot be asked, so it is told
        _wait_until_gone(core, point)
    unmount(point.path)


def _is_served(core: LakeCore, mountpoint: str) -> bool:
    """Tell whether a process serves a mount point; if none does, record that one is coming.

    In one transaction, so that a state which is read later is that of the new process.
    """
    with core.metadata.write() as tx:
        point = tx.mounts.find_point(mountpoint)
        if point is not None and point.state is MountState.READY and is_alive(point):
            return True
        tx.mounts.set_point(
            mountpoint,
            mode=MountMode.FUSE,
            state=MountState.STARTING,
            message="",
            pid=None,
            host=socket.gethostname(),
        )
        tx.events.append(EventKind.MOUNT_CHANGED, mountpoint, state=str(MountState.STARTING))
    return False


def _start(core: LakeCore, mountpoint: str, module: str) -> None:
    """Have a supervisor, and wait until it has a daemon that is ready."""
    patience = time.monotonic() + START_S
    spawned = 0
    while time.monotonic() < patience:
        is_supervised = _is_supervised(core, mountpoint)
        # Read after the supervisor was looked for: what it recorded before it ended is seen.
        with core.metadata.read() as tx:
            point = tx.mounts.find_point(mountpoint)
        if point is not None and point.state is MountState.READY and is_alive(point):
            return
        if point is not None and point.state is MountState.FAILED:
            raise MountError(point.message, mountpoint=mountpoint)
        if not is_supervised:
            # There was none yet, or one that was just ending when we came.
            if spawned == _MAX_SPAWNS:
                break
            spawned += 1
            _spawn(core, mountpoint, module)
        time.sleep(_POLL_S)
    raise MountError(
        f"The mount at {mountpoint} did not become ready",
        kind=ErrorKind.MOUNT_FAILED,
        hint=f"Its log says why: {state_path(core, mountpoint, '.log')}",
        mountpoint=mountpoint,
    )


def _spawn(core: LakeCore, mountpoint: str, module: str) -> None:
    """Start a supervisor. It detaches itself and returns; one that is there already stays alone."""
    state = state_path(core, mountpoint, "")
    state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", module, "--lake", core.url, "--mountpoint", mountpoint]
    options = ["--mountpoint", mountpoint, "--state", str(state), "--", *command]
    # It gets no descriptor of ours: a pipe held open would keep its reader waiting.
    subprocess.run(
        [sys.executable, "-m", SUPERVISOR_MODULE, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        check=False,
    )


def _is_supervised(core: LakeCore, mountpoint: str) -> bool:
    """Tell whether a supervisor lives; it holds its lock for as long as it does."""
    try:
        with held(state_path(core, mountpoint, ".lock"), creates=False) as is_free:
            return not is_free
    except FileNotFoundError:
        return False


def _wait_until_gone(core: LakeCore, point: Mountpoint) -> None:
    assert point.pid is not None
    patience = time.monotonic() + STOP_S
    while _is_supervised(core, point.path):
        if time.monotonic() > patience:
            _send(point.pid, signal.SIGKILL)
            return
        time.sleep(_POLL_S)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended meanwhile
