"""``lake://`` for fsspec: pandas, pyarrow, DuckDB and Dask read files of any commit.

Usage::

    pd.read_parquet("lake://features@main/churn.parquet")
    pd.read_csv("lake://raw@main~3/data.csv", storage_options={"lake_url": "…/my-lake"})

The lake is the one in ``DATALAKE_URL`` unless `storage_options` name another. A file that is
written is committed when it is closed; ``with fs.transaction:`` makes one commit of several, one
for each branch they are on. In the code of a job it shows the datum's inputs and output instead;
see `datum_filesystem`.
"""

from __future__ import annotations

import io
import tempfile
from collections import defaultdict
from typing import Any, BinaryIO, cast

from fsspec.spec import AbstractFileSystem
from fsspec.transaction import Transaction

from jupyter_datalake.errors import (
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
)
from jupyter_datalake.lake.as_of import seen
from jupyter_datalake.lake.datum_filesystem import DatumFileSystem
from jupyter_datalake.lake.default_lake import shown_branches
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import SCHEME, Address, parse_address
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.text import printable

_SPOOL_BYTES = 16 * 1024 * 1024


class LakeTransaction(Transaction):
    """Several files in one commit for each branch; nothing of them where the block fails."""

    def complete(self, commit: bool = True) -> None:  # fsspec's signature
        """Commit what was written, or forget it."""
        files: list[_CommitOnClose] = [*self.files]
        self.files.clear()
        try:
            if commit:
                _commit_together(self.fs.lake, files)
        finally:
            for file in files:
                file.discard()
            super().complete(commit=False)  # type: ignore[no-untyped-call]


class LakeFileSystem(AbstractFileSystem):
    """Files of a lake under ``repo@ref/path``.

    Parameters
    ----------
    lake_url
        URL of the lake; the one in the environment when None. Not ``lake``: fsspec takes an
        option with the protocol's name for the options of a chained file system.
    """

    protocol = SCHEME
    root_marker = ""
    transaction_type = LakeTransaction

    def __new__(cls, lake_url: str | None = None, **options: Any) -> Any:
        """Return a file system of the lake, or of the datum whose code this is."""
        shown = shown_branches() if lake_url is None else None
        return super().__new__(cls) if shown is None else DatumFileSystem(shown, **options)

    def __init__(self, lake_url: str | None = None, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self.lake = Lake.open(lake_url)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return str(path).removeprefix(f"{SCHEME}://").strip("/")

    def _address(self, path: str) -> Address:
        return parse_address(self._strip_protocol(path))

    def _commit(self, address: Address) -> Commit:
        place = seen(address)
        return self.lake.commits.get(place.repo, place.ref)

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:  # fsspec's signature
        """Return the children of a folder, or the file itself; repos for the root."""
        stripped = self._strip_protocol(path)
        if not stripped:
            found = [
                {"name": f"{repo.name}@main", "size": 0, "type": "directory"}
                for repo in self.lake.repos.list()
            ]
        else:
            address = parse_address(stripped)
            info = self.lake.files.get(address)
            listed = self.lake.files.list(address) if info.kind is FileKind.FOLDER else [info]
            found = [self._detail(address, one) for one in listed]
        return found if detail else [one["name"] for one in found]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return what is known of a file, with its commit: the data's passport."""
        stripped = self._strip_protocol(path)
        if not stripped:
            return {"name": "", "size": 0, "type": "directory"}
        address = parse_address(stripped)
        commit = self._commit(address)
        return {
            **self._detail(address, self.lake.files.get(address)),
            "repo": address.repo,
            "commit": commit.id,
            "global_id": commit.global_id,
        }

    def _kind(self, path: str) -> FileKind | None:
        try:
            return self.lake.files.get(self._address(path)).kind
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
            return self.lake.files.open(address)
        if mode in {"wb", "xb"}:
            if mode == "xb" and self._kind(path) is not None:
                raise FileExistsError(path)
            return _CommitOnClose(self.lake, address, autocommit=autocommit)
        raise InvalidInputError(
            f"{path} cannot be opened with mode {mode!r}",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Use rb or wb; in a mounted repo every mode works",
        )

    def _rm(self, path: str) -> None:
        self.lake.files.delete(self._address(path))

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

    def copy(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,  # fsspec's signature
        maxdepth: int | None = None,
        on_error: str | None = None,
        **options: Any,
    ) -> None:
        """Copy files and folders within the lake, one commit for each branch; no bytes move."""
        pairs: list[tuple[Address, Address]] = []
        super().copy(  # type: ignore[no-untyped-call]
            path1, path2, recursive, maxdepth, on_error, pairs=pairs, **options
        )
        by_branch: dict[tuple[str, str], list[tuple[Address, Address]]] = defaultdict(list)
        for source, target in pairs:
            by_branch[target.repo, target.ref].append((source, target))
        for (repo, branch), together in by_branch.items():
            with self.lake.sessions.create(repo, branch) as session:
                for source, target in together:
                    session.copy(source, target.path)
                if session.has_changes:
                    session.commit(f"Copy {_count(len(together), str(together[0][0]))}")

    def cp_file(
        self,
        path1: str,
        path2: str,
        pairs: list[tuple[Address, Address]] | None = None,
        **options: Any,
    ) -> None:
        """Copy one file within the lake; no bytes move. Folders come with what is in them."""
        source, target = self._address(path1), self._address(path2)
        if self.lake.files.get(source).kind is FileKind.FOLDER:
            return
        if pairs is None:
            self.lake.files.copy(source, target)
        else:
            pairs.append((source, target))

    def created(self, path: str) -> Any:
        """Return when the commit was made that the address means."""
        return self._commit(self._address(path)).created_at

    def modified(self, path: str) -> Any:
        """Return when the commit was made that the address means."""
        return self.created(path)

    def ukey(self, path: str) -> str:
        """Return a name of the content, for caches: its digest."""
        return str(self.info(path)["digest"])


class _CommitOnClose(io.RawIOBase):
    """A file being written; what was written is committed when it is closed without an error.

    Parameters
    ----------
    autocommit
        False in a transaction: closing keeps what was written until the transaction ends.
    """

    def __init__(self, lake: Lake, address: Address, *, autocommit: bool) -> None:
        super().__init__()
        self._lake = lake
        self.address = address
        self.spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115  # closed by discard
        self._autocommit = autocommit
        self._failed = False
        self.commit_id: CommitId | None = None
        """The commit that holds the file, once it is closed."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        return self.spool.write(data)

    def tell(self) -> int:
        """Return how much was written."""
        return self.spool.tell()

    def __exit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        self._failed = exc_type is not None
        self.close()

    def close(self) -> None:
        """Commit the file; safe to call twice."""
        if self.closed:
            return
        try:
            if self._autocommit and not self._failed:
                self.commit_id = self._lake.files.put(self.address, self.reader).id
        finally:
            if self._autocommit or self._failed:
                self.discard()
            super().close()

    @property
    def reader(self) -> BinaryIO:
        """What was written, to be read from its beginning."""
        self.spool.seek(0)
        return cast("BinaryIO", self.spool)

    def discard(self) -> None:
        """Forget what was written; safe to call twice."""
        self._failed = True
        self.spool.close()

    @property
    def is_kept(self) -> bool:
        """Whether the file was written without an error."""
        return not self._failed


def _commit_together(lake: Lake, files: list[_CommitOnClose]) -> None:
    by_branch: dict[tuple[str, str], list[_CommitOnClose]] = defaultdict(list)
    for file in files:
        if file.is_kept:
            by_branch[file.address.repo, file.address.ref].append(file)
    for (repo, branch), together in by_branch.items():
        with lake.sessions.create(repo, branch) as session:
            for file in together:
                session.put(file.address.path, file.reader)
            if not session.has_changes:
                continue
            commit = session.commit(f"Put {_count(len(together), together[0].address.path)}")
            for file in together:
                file.commit_id = commit.id


def _count(count: int, only: str) -> str:
    return printable(only) if count == 1 else f"{count} files"
