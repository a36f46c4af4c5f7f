"""Bytes of files over REST, in both directions, whatever their length."""

from __future__ import annotations

import errno
import re
import tempfile
from typing import BinaryIO, cast
from urllib.parse import quote

from tornado import web

from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.model.paths import RepoPath, name_of
from jupyter_datalake.server.base import DatalakeHandler

_PIECE_BYTES = 1024 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class StreamingHandler(DatalakeHandler):
    """Base of handlers of contents. Uploads are spooled to disk as they come.

    Subclasses are decorated with ``web.stream_request_body``.
    """

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

    def upload(self) -> BinaryIO:
        """Return what was uploaded, from its beginning.

        Raises
        ------
        StorageError
            It could not be kept here.
        """
        if self._spool_error is not None:
            raise _told(self._spool_error)
        try:
            self._spool.seek(0)  # which writes what is still buffered
        except OSError as error:
            raise _told(error) from error
        return cast("BinaryIO", self._spool)

    async def send(self, file: BinaryIO, path: RepoPath) -> None:
        """Answer with a file, or the range of it that is asked for; closes it."""
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
            self._head(path, start, end, size)
            await self.call(file.seek, start)
            while start < end:
                piece = await self.call(file.read, min(_PIECE_BYTES, end - start))
                if not piece:
                    break
                start += len(piece)
                self.write(piece)
                await self.flush()
        self.finish()

    def _head(self, path: RepoPath, start: int, end: int, size: int) -> None:
        # Content of a lake is anybody's: it is handed out as a download and never rendered here.
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        name = quote(name_of(path), errors="surrogateescape")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Length", str(end - start))
        if (start, end) != (0, size):
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")


def _told(error: OSError) -> StorageError:
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
