"""The server extension: configuration becomes a lake, routes, a controller and a mount point."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Int, Unicode

from jupyter_datalake import environment
from jupyter_datalake.errors import DatalakeError, NotFoundError
from jupyter_datalake.jobs.environment_kernels import KERNELS_FOLDER
from jupyter_datalake.lake.autosaving import Autosaver
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.server import (
    checkpoints,
    commits,
    drive,
    events,
    files,
    jobs,
    lineage,
    maintenance,
    mounts,
    notifications,
    pipelines,
    refs,
    remotes,
    repos,
    retention,
    sessions,
    trash,
    trials,
    warehouse,
)
from jupyter_datalake.server.base import RESOURCE, DatalakeHandler, LakeService
from jupyter_datalake.server.openapi import route_of

HANDLERS: list[type[DatalakeHandler]] = [
    *repos.HANDLERS,
    *refs.HANDLERS,
    *commits.HANDLERS,
    *files.HANDLERS,
    *sessions.HANDLERS,
    *mounts.HANDLERS,
    *drive.HANDLERS,
    *pipelines.HANDLERS,
    *jobs.HANDLERS,
    *trials.HANDLERS,
    *lineage.HANDLERS,
    *warehouse.HANDLERS,
    *remotes.HANDLERS,
    *events.HANDLERS,
    *notifications.HANDLERS,
    *retention.HANDLERS,
    *maintenance.HANDLERS,
]

_THREADS = 8
_STOP_S = 35
_MOMENT_S = 3.0
"""How long verbs that run when the server ends have for it."""
_LOOK_S = 1.0
_RESTART_S = 1.0
_MAX_RESTART_S = 300.0


class DatalakeExtension(ExtensionApp):
    """Serves one lake to the JupyterLab extension and to kernels."""

    name = "jupyter_datalake"
    load_other_extensions = True

    lake_url = Unicode(
        "",
        config=True,
        help="""Folder of the lake, as a path or a file:// URL. By default the one in the
        environment variable DATALAKE_URL, else a folder of the user's own, which is made when
        it is missing.""",
    )
    mountpoint = Unicode(
        "lake",
        config=True,
        help="""Folder under which repos are mounted. A relative path starts at the server's
        root, so that the file browser and kernels see the same files. Defaults to 'lake'.""",
    )
    start_controller = Bool(
        True,
        config=True,
        help="""Whether to run the lake's pipelines from this server. Several servers may: one
        of them leads, the others stand by. Defaults to True.""",
    )
    workers = Int(
        2,
        min=1,
        config=True,
        help="""How many datums the controller runs at once on this machine. Defaults to 2.""",
    )
    scheduler = Unicode(
        "",
        config=True,
        help="""Address of a Dask scheduler, such as tcp://host:8786, on whose workers datums run
        instead; the package needs its extra 'dask' for it. Defaults to none.""",
    )

    def initialize_settings(self) -> None:
        """Open the way to the lake, and let kernels find it."""
        url = self.lake_url or environment.lake_url()
        self.service = LakeService(lambda: self._open(url), self._mountpoint(), threads=_THREADS)
        self.hub = events.EventHub(self.service)
        self._controller: subprocess.Popen[bytes] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._autosaver: Autosaver | None = None
        # Kernels inherit the server's environment: lake:// and Lake.open() mean this lake there.
        os.environ[environment.URL_VARIABLE] = url
        os.environ[environment.MOUNTPOINT_VARIABLE] = self.service.mountpoint
        self._adapt_file_browser()

    def initialize_handlers(self) -> None:
        """Route every path of the contract."""
        shared = {"service": self.service, "server_root": self._root()}
        base = r"/" + RESOURCE
        routes: list[tuple[Any, ...]] = [
            (base + route_of(handler.path), handler, shared) for handler in HANDLERS
        ]
        stream = {"service": self.service, "hub": self.hub}
        routes.append((base + events.EventStream.path, events.EventStream, stream))
        self.handlers.extend(routes)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Bring back the mounts of the last time, and start the controller, in the background."""
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        try:
            lake = await self.service.lake()
            self._autosaver = Autosaver(lake.core, lake.sessions)
            self._autosaver.start()
            await self.service.call(lake.mounts.start, self.service.mountpoint)
            if self.start_controller:
                await self._keep_controller(lake.url)
        except DatalakeError as error:
            self.log.warning("jupyter_datalake: %s", error)

    def _offer_kernels(self, lake: Lake) -> None:
        """Let notebooks of reopened datums find the kernels of their pipelines' environments."""
        manager = getattr(self.serverapp, "kernel_spec_manager", None)
        folders = getattr(manager, "kernel_dirs", None)
        if manager is not None and folders is not None:  # kernels of a gateway are elsewhere
            manager.kernel_dirs = [*folders, str(lake.core.work_folder / KERNELS_FOLDER)]

    async def _keep_controller(self, url: str) -> None:
        """Start the controller, and again whenever it dies; ever later, if it dies at once."""
        pause_s = _RESTART_S
        while True:
            started = time.monotonic()
            self._controller = await self.service.call(self._spawn_controller, url)
            # A thread that waits would keep the server from ending.
            while (code := self._controller.poll()) is None:  # noqa: ASYNC110  # tells nobody
                await asyncio.sleep(_LOOK_S)
            lived_s = time.monotonic() - started
            pause_s = _RESTART_S if lived_s > _MAX_RESTART_S else min(2 * pause_s, _MAX_RESTART_S)
            self.log.warning(
                "jupyter_datalake: the controller ended with %s after %.0f s; starting it again"
                " in %.0f s",
                code,
                lived_s,
                pause_s,
            )
            await asyncio.sleep(pause_s)

    async def stop_extension(self) -> None:
        """Stop the controller and unmount; sessions stay for the next time.

        Verbs that run have a moment to end. What takes longer is left to die with the process.
        """
        if self._starting is not None:
            self._starting.cancel()
        await self.hub.close()
        if self._autosaver is not None:
            self.service.begin_to_end(self._autosaver.stop)
        stopped = None
        if self._controller is not None:
            stopped = self.service.begin_to_end(_stop_process, self._controller)
        lake = await self.service.drain(_MOMENT_S)
        if stopped is not None:
            await asyncio.wrap_future(stopped)
        try:
            if lake is not None:
                unmounted = self.service.begin_to_end(lake.mounts.stop, self.service.mountpoint)
                await asyncio.wrap_future(unmounted)
        except DatalakeError as error:
            self.log.warning("jupyter_datalake: %s", error)
        self.service.close()

    def _open(self, url: str) -> Lake:
        try:
            lake = Lake.open(url)
        except NotFoundError:
            self.log.info("jupyter_datalake: making a new lake in %s", url)
            lake = Lake.create(url)
        self._offer_kernels(lake)
        return lake

    def _spawn_controller(self, url: str) -> subprocess.Popen[bytes]:
        """Start the controller as a process of its own; it ends when its input closes."""
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter_datalake.lake.controller_process",
                url,
                str(self.workers),
                *([self.scheduler] if self.scheduler else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _adapt_file_browser(self) -> None:
        """Let the file browser treat mounted files as what they are."""
        below = os.path.relpath(self.service.mountpoint, self._root())
        if self.serverapp is not None and not below.startswith(os.pardir):
            manager, below = self.serverapp.contents_manager, Path(below).as_posix()
            checkpoints.divert(manager.checkpoints, below, self._checkpoints_folder())
            trash.bypass(manager, below, self.service.mountpoint)

    def _checkpoints_folder(self) -> Path:
        assert self.serverapp is not None
        name = hashlib.blake2b(os.fsencode(self.service.mountpoint), digest_size=8).hexdigest()
        return Path(self.serverapp.data_dir) / "datalake-checkpoints" / name

    def _root(self) -> str:
        assert self.serverapp is not None
        return str(Path(self.serverapp.root_dir).resolve())

    def _mountpoint(self) -> str:
        return str(Path(self._root(), Path(self.mountpoint).expanduser()))


def _stop_process(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
