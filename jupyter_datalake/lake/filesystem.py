"""``lake://`` for fsspec: pandas, pyarrow, DuckDB and Dask read files of any commit.

Usage::

    pd.read_parquet("lake://features@main/churn.parquet")
    pd.read_csv("lake://raw@main~3/data.csv", storage_options={"lake": "…/my-lake"})

The lake is the one in ``DATALAKE_URL`` unless `storage_options` name another. Writing commits
each file on its own when it is closed; use a session or a mount for several at once.
"""

from __future__ import annotations

import io
import tempfile
from typing import Any, BinaryIO

from fsspec.spec import AbstractFileSystem

from jupyter_datalake.errors import (
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import SCHEME, Address, parse_address
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.jsonable import as_json

_SPOOL_BYTES = 16 * 1024 * 1024


class LakeFileSystem(AbstractFileSystem):
    """Files of a lake under ``repo@ref/path``.

    Parameters
    ----------
    lake
        URL of the lake; the one in the environment when None.
    """

    protocol = SCHEME
    root_marker = ""

    def __init__(self, lake: str | None = None, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._lake = Lake.open(lake)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return str(path).removeprefix(f"{SCHEME}://").strip("/")

    def _address(self, path: str) -> Address:
        return parse_address(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:  # fsspec's signature
        """Return the children of a folder, or the file itself; repos for the root."""
        stripped = self._strip_protocol(path)
        if not stripped:
            found = [
                {"name": f"{repo.name}@main", "size": 0, "type": "directory"}
                for repo in self._lake.repos.list()
            ]
        else:
            address = parse_address(stripped)
            info = self._lake.files.get(address)
            listed = self._lake.files.list(address) if info.kind is FileKind.FOLDER else [info]
            found = [self._detail(address, one) for one in listed]
        return found if detail else [one["name"] for one in found]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return what is known of a file, with its commit: the data's passport."""
        stripped = self._strip_protocol(path)
        if not stripped:
            return {"name": "", "size": 0, "type": "directory"}
        address = parse_address(stripped)
        commit = self._lake.commits.get(address.repo, address.ref)
        return {
            **self._detail(address, self._lake.files.get(address)),
            "repo": address.repo,
            "commit": commit.id,
            "global_id": commit.global_id,
        }

    def _kind(self, path: str) -> FileKind | None:
        try:
            return self._lake.files.get(self._address(path)).kind
        except NotFoundError:
            return None

    def _detail(self, address: Address, info: FileInfo) -> dict[str, Any]:
        name = str(Address(address.repo, address.ref, info.path))
        kind = {FileKind.FOLDER: "directory", FileKind.FILE: "file"}.get(info.kind, "link")
        return {
            "name": name,
            "size": info.size_bytes,
            "type": kind,
            "mode": info.mode,
            "mtime": info.mtime_ns / 1e9,
            "digest": as_json(info.digest),
        }

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,  # fsspec's signature
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> BinaryIO | _CommitOnClose:
        address = self._address(path)
        if mode == "rb":
            return self._lake.files.open(address)
        if mode in {"wb", "xb"}:
            if mode == "xb" and self._kind(path) is not None:
                raise FileExistsError(path)
            return _CommitOnClose(self._lake, address)
        raise InvalidInputError(
            f"{path} cannot be opened with mode {mode!r}",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Use rb or wb; in a mounted repo every mode works",
        )

    def _rm(self, path: str) -> None:
        self._lake.files.delete(self._address(path))

    def rm(
        self, path: Any, recursive: bool = False, maxdepth: int | None = None
    ) -> None:  # fsspec's signature
        """Remove files and folders, each with a commit of its own."""
        for one in [path] if isinstance(path, str) else path:
            if not recursive and self._kind(one) is FileKind.FOLDER:
                raise PermissionDeniedError(
                    f"{one} is a folder", kind=ErrorKind.NOT_ALLOWED, hint="Pass recursive=True"
                )
            self._rm(one)

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copy a file or folder within the lake; no bytes move."""
        self._lake.files.copy(self._address(path1), self._address(path2))

    def created(self, path: str) -> Any:
        """Return when the commit was made that the address means."""
        address = self._address(path)
        return self._lake.commits.get(address.repo, address.ref).created_at

    def modified(self, path: str) -> Any:
        """Return when the commit was made that the address means."""
        return self.created(path)

    def ukey(self, path: str) -> str:
        """Return a name of the content, for caches: its digest."""
        return str(self.info(path)["digest"])


class _CommitOnClose(io.RawIOBase):
    """A file being written; what was written is committed when it is closed without an error."""

    def __init__(self, lake: Lake, address: Address) -> None:
        super().__init__()
        self._lake = lake
        self._address = address
        self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115  # closed by close
        self._failed = False
        self.commit_id: CommitId | None = None
        """The commit that holds the file, once it is closed."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        return self._spool.write(data)

    def tell(self) -> int:
        """Return how much was written."""
        return self._spool.tell()

    def __exit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        self._failed = exc_type is not None
        self.close()

    def close(self) -> None:
        """Commit the file; safe to call twice."""
        if not self.closed:
            try:
                if not self._failed:
                    self._spool.seek(0)
                    commit = self._lake.files.put(self._address, self._spool)  # type: ignore[arg-type]  # it reads like a BinaryIO
                    self.commit_id = commit.id
            finally:
                self._spool.close()
                super().close()
