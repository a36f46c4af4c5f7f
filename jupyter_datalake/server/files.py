"""REST of files: listings, contents streamed in both directions, copies."""

from __future__ import annotations

import errno
import re
import tempfile
from typing import Any
from urllib.parse import quote

from tornado import web

from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.paths import name_of, parse_path
from jupyter_datalake.model.table_diffs import parse_key
from jupyter_datalake.server.base import DatalakeHandler, operation, page

_PIECE_BYTES = 1024 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


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
class ContentHandler(DatalakeHandler):
    """A file's bytes. Uploads are spooled to disk as they come, whatever their length."""

    path = "/repos/{repo}/refs/{ref}/content"

    async def prepare(self) -> None:  # type: ignore[override]  # a keyword of Jupyter's own
        """Make room for an upload, of those who may send one."""
        self._spool = tempfile.SpooledTemporaryFile(max_size=_PIECE_BYTES)  # noqa: SIM115  # closed by on_finish
        self._spool_error: OSError | None = None
        await super().prepare()
        if self.request.method == "PUT":
            # The body comes before the method runs: a stranger's must not reach the disk.
            if not self.current_user:
                raise web.HTTPError(403)
            self.request.connection.set_max_body_size(1 << 50)  # type: ignore[union-attr]  # it has one

    def data_received(self, chunk: bytes) -> None:
        """Take a piece of an upload."""
        try:
            if self._spool_error is None:
                self._spool.write(chunk)
        except OSError as error:
            self._spool_error = error  # told when the whole request has come

    def on_finish(self) -> None:
        """Drop the spooled upload."""
        self._spool.close()
        super().on_finish()

    @operation("readFile")
    async def get(self, repo: str, ref: str, path: str) -> None:
        lake = await self.lake()
        address = Address(repo, ref, parse_path(path))
        file = await self.call(lake.files.open, address)
        with file:
            size = await self.call(file.seek, 0, 2)
            wanted = _range_of(self.request.headers.get("Range"), size)
            if wanted is None:
                self.set_header("Content-Range", f"bytes */{size}")
                self.answer(
                    InvalidInputError(
                        f"The file has {size} bytes; the range lies outside"
                    ).as_dict(),
                    416,
                )
                return
            start, end = wanted
            self._head(address, start, end, size)
            await self.call(file.seek, start)
            while start < end:
                piece = await self.call(file.read, min(_PIECE_BYTES, end - start))
                if not piece:
                    break
                start += len(piece)
                self.write(piece)
                await self.flush()
        self.finish()

    def _head(self, address: Address, start: int, end: int, size: int) -> None:
        # Content of a lake is anybody's: it is handed out as a download and never rendered here.
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        name = quote(name_of(address.path), errors="surrogateescape")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Length", str(end - start))
        if (start, end) != (0, size):
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")

    @operation("putFile")
    async def put(self, repo: str, ref: str, path: str, message: str | None) -> None:
        lake = await self.lake()
        if self._spool_error is not None:
            raise _spool_error(self._spool_error)
        try:
            self._spool.seek(0)  # which writes what is still buffered
        except OSError as error:
            raise _spool_error(error) from error
        commit = await self.call(self._put, lake, Address(repo, ref, parse_path(path)), message)
        self.answer(commit, 201)

    def _put(self, lake: Lake, address: Address, message: str | None) -> Commit:
        return lake.files.put(address, self._spool, message=message)  # type: ignore[arg-type]  # it reads like a BinaryIO

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


def _spool_error(error: OSError) -> StorageError:
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    folder = tempfile.gettempdir()
    return StorageError(
        f"The disk is full: the upload could not be kept in {folder}"
        if is_full
        else f"The upload could not be kept in {folder}: {error.strerror}",
        kind=ErrorKind.STORAGE_FULL if is_full else ErrorKind.STORAGE_UNAVAILABLE,
        hint="Free some space there and try again" if is_full else None,
    )


def _range_of(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the half-open range that a Range header asks for; None if it cannot be had.

    Anything but one byte range is answered with the whole file, as RFC 9110 allows.
    """
    match = None if header is None else _RANGE.fullmatch(header.strip())
    if match is None or (not match[1] and not match[2]):
        return 0, size
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, size) if length else None
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    return (start, end) if start < end else None


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
    RenamesHandler,
    RestoresHandler,
    TextDiffHandler,
    TableDiffHandler,
]
