"""REST of mounts. The server shows repos below one mount point of its own."""

from __future__ import annotations

import os
from collections.abc import Container
from typing import Any

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.drive import DRIVE_NAME
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.mounts import Mount, MountMode
from jupyter_datalake.server.base import DatalakeHandler, operation, whole


class MountHandlerBase(DatalakeHandler):
    """What the mount handlers share."""

    @property
    def mountpoint(self) -> str:
        """The server's mount point, absolute."""
        return self.service.mountpoint

    async def shown(self, *mounts: Mount) -> list[dict[str, Any]]:
        """Return mounts with their folders as the file browser knows them."""
        lake = await self.lake()
        points = await self.call(lake.mounts.list_mountpoints)
        drives = {point.path for point in points if point.mode is MountMode.DRIVE}
        return [
            {**as_json(mount), "contents_path": self._contents_path(mount, drives)}
            for mount in mounts
        ]

    def _contents_path(self, mount: Mount, drives: Container[str]) -> str | None:
        if mount.mountpoint not in drives:
            return contents_path(mount.path, self.server_root)
        return f"{DRIVE_NAME}:{mount.name}" if mount.mountpoint == self.mountpoint else None


class MountsHandler(MountHandlerBase):
    """What is mounted."""

    path = "/mounts"

    @operation("listMounts")
    async def get(self) -> None:
        lake = await self.lake()
        mounts = await self.call(lake.mounts.list)
        self.answer(whole(await self.shown(*mounts)))

    @operation("createMount")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        mount = await self.call(self._create, lake, body)
        self.answer((await self.shown(mount))[0], 201)

    def _create(self, lake: Lake, body: dict[str, Any]) -> Mount:
        return lake.mounts.create(
            body["repo"],
            body["ref"],
            writable=body.get("writable"),
            at=self.mountpoint,
            mode=body.get("mode"),
            session=body.get("session"),
            notebook=body.get("notebook"),
        )


class MountHandler(MountHandlerBase):
    """One mount."""

    path = "/mounts/{mount}"

    @operation("getMount")
    async def get(self, mount: str) -> None:
        lake = await self.lake()
        found = await self.call(lake.mounts.get, mount, at=self.mountpoint)
        self.answer((await self.shown(found))[0])

    @operation("deleteMount")
    async def delete(self, mount: str, discard: bool) -> None:
        lake = await self.lake()
        await self.call(lake.mounts.delete, mount, at=self.mountpoint, discard=discard)
        self.answer_nothing()


class MountSwitchesHandler(MountHandlerBase):
    """Showing another ref in the same folder."""

    path = "/mounts/{mount}/switches"

    @operation("switchMount")
    async def post(self, mount: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        switched = await self.call(self._switch, lake, mount, body)
        self.answer((await self.shown(switched))[0])

    def _switch(self, lake: Lake, mount: str, body: dict[str, Any]) -> Mount:
        return lake.mounts.switch(
            mount, body["ref"], writable=body.get("writable"), at=self.mountpoint
        )


class MountpointsHandler(DatalakeHandler):
    """Folders that show repos."""

    path = "/mountpoints"

    @operation("listMountpoints")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.mounts.list_mountpoints)))


def contents_path(path: str, root: str) -> str | None:
    """Return a folder as the file browser knows it, or None if it lies outside its root."""
    relative = os.path.relpath(path, root)
    if relative == os.curdir:
        return ""
    if relative.startswith(os.pardir):
        return None
    return relative.replace(os.sep, "/")


HANDLERS = [MountsHandler, MountHandler, MountSwitchesHandler, MountpointsHandler]
