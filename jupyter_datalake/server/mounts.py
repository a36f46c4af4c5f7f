"""REST of mounts. The server shows repos below one mount point of its own."""

from __future__ import annotations

import os
from typing import Any

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.mounts import Mount
from jupyter_datalake.server.base import DatalakeHandler, operation, whole


class MountHandlerBase(DatalakeHandler):
    """What the mount handlers share."""

    @property
    def mountpoint(self) -> str:
        """The server's mount point, absolute."""
        return self.service.mountpoint

    def shown(self, mount: Mount) -> dict[str, Any]:
        """Return a mount with its folder as the file browser knows it."""
        raw: dict[str, Any] = as_json(mount)
        raw["contents_path"] = contents_path(mount.path, self.server_root)
        return raw


class MountsHandler(MountHandlerBase):
    """What is mounted."""

    path = "/mounts"

    @operation("listMounts")
    async def get(self) -> None:
        lake = await self.lake()
        mounts = await self.call(lake.mounts.list)
        self.answer(whole(self.shown(mount) for mount in mounts))

    @operation("createMount")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        mount = await self.call(self._create, lake, body)
        self.answer(self.shown(mount), 201)

    def _create(self, lake: Lake, body: dict[str, Any]) -> Mount:
        return lake.mounts.create(
            body["repo"], body["ref"], writable=body.get("writable"), at=self.mountpoint
        )


class MountHandler(MountHandlerBase):
    """One mount."""

    path = "/mounts/{mount}"

    @operation("getMount")
    async def get(self, mount: str) -> None:
        lake = await self.lake()
        self.answer(self.shown(await self.call(lake.mounts.get, mount, at=self.mountpoint)))

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
        self.answer(self.shown(await self.call(self._switch, lake, mount, body)))

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
