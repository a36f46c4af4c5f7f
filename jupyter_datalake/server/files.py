"""REST of files: listings, contents streamed in both directions, copies."""

from __future__ import annotations

from typing import Any

from tornado import web

from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.table_diffs import parse_key
from jupyter_datalake.server.base import DatalakeHandler, operation, page
from jupyter_datalake.server.streaming import StreamingHandler


class FilesHandler(DatalakeHandler):
    """The children of a folder."""

    path = "/repos/{repo}/refs/{ref}/files"

    @operation("listFiles")
    async def get(
        self, repo: str, ref: str, path: str, measure: bool, after: str, limit: int
    ) -> None:
        lake = await self.lake()
        files = await self.call(
            lake.files.list,
            Address(repo, ref, parse_path(path)),
            after=after,
            limit=limit + 1,
            measure=measure,
        )
        self.answer(page(list(files), limit, lambda info: info.name))


class FileHandler(DatalakeHandler):
    """What is at a path."""

    path = "/repos/{repo}/refs/{ref}/file"

    @operation("getFile")
    async def get(self, repo: str, ref: str, path: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.files.get, Address(repo, ref, parse_path(path))))


@web.stream_request_body
class ContentHandler(StreamingHandler):
    """A file's bytes."""

    path = "/repos/{repo}/refs/{ref}/content"

    @operation("readFile")
    async def get(self, repo: str, ref: str, path: str) -> None:
        lake = await self.lake()
        address = Address(repo, ref, parse_path(path))
        await self.send(await self.call(lake.files.open, address), address.path)

    @operation("putFile")
    async def put(self, repo: str, ref: str, path: str, message: str | None) -> None:
        lake = await self.lake()
        address = Address(repo, ref, parse_path(path))
        commit = await self.call(lake.files.put, address, self.upload(), message=message)
        self.answer(commit, 201)

    @operation("deleteFile")
    async def delete(self, repo: str, ref: str, path: str, message: str | None) -> None:
        lake = await self.lake()
        address = Address(repo, ref, parse_path(path))
        self.answer(await self.call(lake.files.delete, address, message=message))


class CopiesHandler(DatalakeHandler):
    """Copies within the lake."""

    path = "/copies"

    @operation("copyFile")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        commit = await self.call(
            lake.files.copy, body["source"], body["target"], message=body.get("message")
        )
        self.answer(commit, 201)


class RenamesHandler(DatalakeHandler):
    """Moves within a branch."""

    path = "/renames"

    @operation("renameFile")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        commit = await self.call(
            lake.files.rename, body["address"], body["path"], message=body.get("message")
        )
        self.answer(commit, 201)


class RestoresHandler(DatalakeHandler):
    """Files and folders as they were."""

    path = "/restores"

    @operation("restoreFile")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        commit = await self.call(
            lake.files.restore,
            body["source"],
            branch=body["branch"],
            message=body.get("message"),
        )
        self.answer(commit, 201)


class LinksHandler(DatalakeHandler):
    """Links by which files are downloaded from the store itself."""

    path = "/repos/{repo}/refs/{ref}/links"

    @operation("shareFile")
    async def post(self, repo: str, ref: str, path: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        shared = await self.call(
            lake.files.share,
            Address(repo, ref, parse_path(path)),
            expires_s=body.get("expires_s", 3600),
        )
        self.answer(shared, 201)


class PreviewHandler(DatalakeHandler):
    """A page of a file."""

    path = "/repos/{repo}/refs/{ref}/preview"

    @operation("previewFile")
    async def get(self, repo: str, ref: str, path: str, offset: int, limit: int) -> None:
        lake = await self.lake()
        address = Address(repo, ref, parse_path(path))
        found = await self.call_while_wanted(
            lake.files.preview, address, offset=offset, limit=limit, stop=self.stop
        )
        self.answer(found)


class StatisticsHandler(DatalakeHandler):
    """What the columns of a table hold."""

    path = "/repos/{repo}/refs/{ref}/statistics"

    @operation("describeFile")
    async def get(self, repo: str, ref: str, path: str, columns: str | None) -> None:
        lake = await self.lake()
        address = Address(repo, ref, parse_path(path))
        wanted = None if columns is None else parse_key(columns)
        found = await self.call_while_wanted(
            lake.files.describe, address, columns=wanted, stop=self.stop
        )
        self.answer(found)


class TextDiffHandler(DatalakeHandler):
    """How two files differ as texts."""

    path = "/diff/text"

    @operation("diffText")
    async def get(self, old: str, new: str, offset: int, limit: int) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.files.diff_text, old, new, offset=offset, limit=limit))


class TableDiffHandler(DatalakeHandler):
    """How two tables differ."""

    path = "/diff/table"

    @operation("diffTable")
    async def get(self, old: str, new: str, key: str | None, offset: int, limit: int) -> None:
        lake = await self.lake()
        columns = None if key is None else parse_key(key)
        found = await self.call(
            lake.files.diff_table, old, new, key=columns, offset=offset, limit=limit
        )
        self.answer(found.shown())


HANDLERS = [
    FilesHandler,
    FileHandler,
    ContentHandler,
    CopiesHandler,
    LinksHandler,
    PreviewHandler,
    RenamesHandler,
    RestoresHandler,
    StatisticsHandler,
    TextDiffHandler,
    TableDiffHandler,
]
