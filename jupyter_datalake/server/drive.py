"""REST of the drive: files by the paths of the server's mount point, without its folder."""

from __future__ import annotations

from typing import Any

from tornado import web

from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.server.base import DatalakeHandler, operation, page
from jupyter_datalake.server.streaming import StreamingHandler


class DriveFilesHandler(DatalakeHandler):
    """The children of a folder."""

    path = "/drive/files"

    @operation("listDriveFiles")
    async def get(self, path: str, after: str, limit: int) -> None:
        lake = await self.lake()
        files = await self.call(
            lake.drive.list, path, after=after, limit=limit + 1, at=self.service.mountpoint
        )
        self.answer(page(list(files), limit, lambda file: file.name))


class DriveFileHandler(DatalakeHandler):
    """What is at a path."""

    path = "/drive/file"

    @operation("getDriveFile")
    async def get(self, path: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.drive.get, path, at=self.service.mountpoint))

    @operation("deleteDriveFile")
    async def delete(self, path: str) -> None:
        lake = await self.lake()
        await self.call(lake.drive.delete, path, at=self.service.mountpoint)
        self.answer_nothing()


@web.stream_request_body
class DriveContentHandler(StreamingHandler):
    """A file's bytes."""

    path = "/drive/content"

    @operation("readDriveFile")
    async def get(self, path: str) -> None:
        lake = await self.lake()
        file = await self.call(lake.drive.open, path, at=self.service.mountpoint)
        self.set_header("Cache-Control", "no-cache")  # it may be written to at any time
        await self.send(file, parse_path(path))

    @operation("putDriveFile")
    async def put(self, path: str, offset: int | None) -> None:
        lake = await self.lake()
        file = await self.call(
            lake.drive.put, path, self.upload(), offset=offset, at=self.service.mountpoint
        )
        self.answer(file, 201)


class DriveFoldersHandler(DatalakeHandler):
    """New folders."""

    path = "/drive/folders"

    @operation("makeFolder")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        made = await self.call(lake.drive.make_folder, body["path"], at=self.service.mountpoint)
        self.answer(made, 201)


class DriveRenamesHandler(DatalakeHandler):
    """Moves within a mount."""

    path = "/drive/renames"

    @operation("renameDriveFile")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        moved = await self.call(
            lake.drive.rename,
            body["path"],
            body["new_path"],
            replace=body["replace"],
            at=self.service.mountpoint,
        )
        self.answer(moved, 201)


class DriveCopiesHandler(DatalakeHandler):
    """Copies, also from other mounts and commits."""

    path = "/drive/copies"

    @operation("copyDriveFile")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        copied = await self.call(
            lake.drive.copy, body["path"], body["new_path"], at=self.service.mountpoint
        )
        self.answer(copied, 201)


HANDLERS = [
    DriveFilesHandler,
    DriveFileHandler,
    DriveContentHandler,
    DriveFoldersHandler,
    DriveRenamesHandler,
    DriveCopiesHandler,
]
