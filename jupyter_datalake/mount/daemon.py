"""The process behind a mount point: mounts it, serves it, and unmounts it cleanly.

It is started by `mount.supervisor` through `lake.mount_process`, which opens the lake for it.
Ready is it when the kernel's first question was answered and the control socket listens.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pyfuse3
import trio

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import DatalakeError, ErrorKind, MountError
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.mount import memory, request_loop
from jupyter_datalake.mount.commands import CommandServer
from jupyter_datalake.mount.control import socket_path, state_path
from jupyter_datalake.mount.heartbeat import Heartbeat
from jupyter_datalake.mount.inodes import InodeTable
from jupyter_datalake.mount.kernel import FuseKernel
from jupyter_datalake.mount.mounted_lake import MountedLake
from jupyter_datalake.mount.mountpoints import check_usable, unmount
from jupyter_datalake.mount.operations import Operations

logger = logging.getLogger(__name__)

EXIT_STOPPED = 0
EXIT_CRASHED = 1
EXIT_CANNOT_MOUNT = 3
"""Trying again would not help; the supervisor gives up at once."""

_OPTIONS = frozenset({"default_permissions", "fsname=datalake", "subtype=datalake"})
_MIN_TASKS = 16
"""Kept waiting for requests; with fewer, each request would begin and end one."""
_MAX_TASKS = 1000
"""Requests under way at once; those that wait for a commit must not keep readers out."""
_READ_AHEAD_KIB = 1024
_PR_SET_PDEATHSIG = 1
_GRACE_S = 5.0


def serve(
    core: LakeCore,
    mountpoint: str,
    supervisor_pid: int | None,
    max_inodes: int,
    *,
    allow_other: bool = False,
) -> int:
    """Serve a mount point until told to stop, and return the exit code.

    Parameters
    ----------
    mountpoint
        As `mountpoints.normalised` gives it.
    supervisor_pid
        The process to end with; None to run without one.
    max_inodes
        How much the kernel may remember of it.
    allow_other
        Whether other users of the machine are let in, as far as owners and modes do.
    """
    _end_with(supervisor_pid)
    pid = os.getpid() if supervisor_pid is None else supervisor_pid
    daemon = _LakeDaemon(core, mountpoint, pid, max_inodes)
    if allow_other:
        daemon.options.add("allow_other")
    try:
        daemon.run()
    except MountError as error:
        logger.error("%s", error)  # noqa: TRY400  # the reason is not in our code
        daemon.record(MountState.FAILED, str(error))
        return EXIT_CANNOT_MOUNT
    except Exception:
        logger.exception("The mount at %s failed", mountpoint)
        daemon.record(MountState.STALE, "The mount's process failed and is brought back")
        return EXIT_CRASHED
    was_left = supervisor_pid is not None and os.getppid() != supervisor_pid
    daemon.record(MountState.STALE if was_left else MountState.STOPPED, "")
    return EXIT_STOPPED


class Daemon:
    """One mount, from before it is there until it is gone. Who derives from it says what it shows.

    Parameters
    ----------
    inodes
        Begins with what the mount point itself shows.
    kernel
        Learns when there is something that the kernel remembers.
    """

    def __init__(
        self, core: LakeCore, mountpoint: str, inodes: InodeTable, kernel: FuseKernel
    ) -> None:
        self._core = core
        self._mountpoint = mountpoint
        self.options = set(_OPTIONS)
        """How it is mounted."""
        self._kernel = kernel
        self._operations = Operations(inodes, core.work_folder)

    def run(self) -> None:
        """Mount, serve until told to stop or unmounted by somebody else, and clean up.

        Raises
        ------
        MountError
            It cannot be mounted.
        """
        _allow_many_open_files()
        memory.share_arenas()
        trio.run(self._run)

    # --- what it shows ---------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Prepare what is shown, before it is mounted."""

    async def _work(self, nursery: trio.Nursery) -> None:
        """Start what goes on beside serving the kernel."""

    async def _when_ready(self) -> None:
        """Tell that the kernel's first question was answered."""

    def _before_end(self) -> None:
        """Take note that the kernel asks nothing any more."""

    async def _end(self) -> None:
        """Let go of what was shown."""

    # --- serving ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._begin()
        try:
            self._mount()
            try:
                await self._serve()
            finally:
                self._kernel.is_mounted = False
                pyfuse3.close(unmount=True)
        finally:
            with trio.CancelScope(shield=True):
                await self._end()
            self._operations.descriptors.close_all()

    def _mount(self) -> None:
        try:
            unmount(self._mountpoint)
            check_usable(self._mountpoint)
            pyfuse3.init(self._operations, self._mountpoint, self.options)
        except RuntimeError as error:
            raise MountError(
                f"FUSE cannot mount at {self._mountpoint}",
                kind=ErrorKind.FUSE_UNAVAILABLE,
                hint=f"'datalake doctor' says why; libfuse wrote to {self._error_path()}",
                mountpoint=self._mountpoint,
            ) from error
        except DatalakeError as error:
            raise MountError(str(error), mountpoint=self._mountpoint) from error
        self._kernel.is_mounted = True
        request_loop.hurry()

    def _error_path(self) -> Path:
        """Return where what this process prints goes."""
        return state_path(self._core, self._mountpoint, ".err")

    async def _serve(self) -> None:
        async with trio.open_nursery() as nursery:
            self._operations.nursery = nursery
            nursery.start_soon(self._serve_kernel, nursery)
            nursery.start_soon(self._stop_on_signal, nursery)
            await self._work(nursery)
            nursery.start_soon(memory.give_back_now_and_then)
            nursery.start_soon(Heartbeat(self._mountpoint).run)
            # In a thread, because it is the loop that answers.
            await trio.to_thread.run_sync(self._greet, abandon_on_cancel=True)
            await self._when_ready()
            logger.info("Serving %s", self._mountpoint)

    async def _serve_kernel(self, nursery: trio.Nursery) -> None:
        await pyfuse3.main(min_tasks=_MIN_TASKS, max_tasks=_MAX_TASKS)
        self._before_end()
        nursery.cancel_scope.cancel()

    async def _stop_on_signal(self, nursery: trio.Nursery) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                logger.info("Stopping on signal %d", number)
                self._stop(nursery)

    def _stop(self, nursery: trio.Nursery) -> None:
        """End the serving of the kernel, and soon after all else, whatever it waits for."""
        pyfuse3.terminate()
        nursery.cancel_scope.deadline = trio.current_time() + _GRACE_S

    def _greet(self) -> None:
        """Ask our own file system a first question, and let the kernel read further ahead."""
        device = os.stat(self._mountpoint).st_dev
        setting = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
        with suppress(OSError):  # only root may; without it requests are smaller, nothing else
            setting.write_text(str(_READ_AHEAD_KIB))


class _LakeDaemon(Daemon):
    """Shows what is mounted, and follows the lake."""

    def __init__(self, core: LakeCore, mountpoint: str, pid: int, max_inodes: int) -> None:
        kernel = FuseKernel()
        self._lake = MountedLake(core, mountpoint, kernel, max_inodes=max_inodes)
        super().__init__(core, mountpoint, self._lake.inodes, kernel)
        self._pid = pid

    async def _begin(self) -> None:
        await self._lake.start()

    async def _work(self, nursery: trio.Nursery) -> None:
        commands = CommandServer(self._lake, lambda: self._stop(nursery))
        await nursery.start(commands.serve, socket_path(self._core, self._mountpoint))
        nursery.start_soon(self._lake.follow)
        nursery.start_soon(self._lake.autosave)
        nursery.start_soon(self._operations.observations.keep, self._core)

    async def _when_ready(self) -> None:
        message = "; ".join(self._lake.problems.values())
        await trio.to_thread.run_sync(self.record, MountState.READY, message)

    def _before_end(self) -> None:
        self._lake.end_saving()

    async def _end(self) -> None:
        await self._lake.close()

    def record(self, state: MountState, message: str) -> None:
        """Write down how the mount is doing; a failure to do so is only logged."""
        is_served = state in {MountState.READY, MountState.STALE}
        try:
            with self._core.metadata.write() as tx:
                tx.mounts.set_point(
                    self._mountpoint,
                    mode=MountMode.FUSE,
                    state=state,
                    message=message,
                    pid=self._pid if is_served else None,
                    host=socket.gethostname(),
                )
                tx.events.append(EventKind.MOUNT_CHANGED, self._mountpoint, state=str(state))
        except DatalakeError:
            logger.exception("The state %s could not be recorded", state)


def log_to_file(core: LakeCore, mountpoint: str) -> None:
    """Send this process's log to the file of the mount, which never grows beyond a few MiB."""
    path = state_path(core, mountpoint, ".log")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=1 << 20, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _end_with(supervisor_pid: int | None) -> None:
    """Have the kernel send SIGTERM when the supervisor ends: nobody would bring this back."""
    if supervisor_pid is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor_pid:
        sys.exit(EXIT_CRASHED)  # it ended before we asked


def _allow_many_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
