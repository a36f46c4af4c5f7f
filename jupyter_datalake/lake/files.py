"""Files: reading them at any commit, and writing them in one go.

Places are addresses, ``repo@ref/path``. What is written here is committed at once; use
`lake.sessions` to collect several changes into one commit. Writing what is there already makes no
commit and is no error, so a script may run twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from jupyter_datalake.engine import transplanting
from jupyter_datalake.engine.commits import CommitRequest
from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.engine.importing import import_folder, put_file
from jupyter_datalake.engine.importing_objects import OnObject, import_objects
from jupyter_datalake.engine.linking import KEPT_FILES, KeptFiles, LinkMode
from jupyter_datalake.engine.sharing import share_file
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.sources import Source
from jupyter_datalake.engine.text_diff import diff_texts
from jupyter_datalake.lake import looking
from jupyter_datalake.lake.as_of import seen
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.frames import PASSPORT, read_frame
from jupyter_datalake.lake.opening import open_source
from jupyter_datalake.lake.sessions import Sessions
from jupyter_datalake.model.addresses import Address, parse_address
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileInfo, FileKind, SharedFile
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.paths import RepoPath, join_path, name_of, parse_path
from jupyter_datalake.model.previews import FilePreview, TableStatistics
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS, TableDiff, equal_tables
from jupyter_datalake.model.text import printable
from jupyter_datalake.model.text_diffs import TextDiff

if TYPE_CHECKING:
    import pandas as pd


Progress = Callable[[Path, int], None]
"""Told of each local file and its bytes."""


class Files:
    """`lake.files`: what commits hold."""

    def __init__(self, context: LakeContext, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def list(
        self,
        address: str | Address,
        *,
        after: str = "",
        limit: int | None = None,
        measure: bool = False,
    ) -> list[FileInfo]:
        """Return the children of a folder by name.

        Parameters
        ----------
        after, limit
            At most `limit` children behind the name `after`; all of them by default.
        measure
            Whether folders come with the size and count of what is below them.
        """
        place, tree = self._tree(address)
        return [*islice(tree.list(place.path, after=after, measure=measure), limit_of(limit))]

    def glob(self, address: str | Address, pattern: str) -> Sequence[FileInfo]:
        """Return what a glob matches in the commit of an address, in order of path."""
        _, tree = self._tree(address)
        return [*parse_glob(pattern).matches_in(tree)]

    def get(self, address: str | Address) -> FileInfo:
        """Return what is at an address, or raise `PathNotFoundError`."""
        place, tree = self._tree(address)
        return tree.get(place.path)

    def open(self, address: str | Address) -> BinaryIO:
        """Return a file as a buffered, seekable binary file; only what is read is fetched."""
        place, tree = self._tree(address)
        file = tree.open(place.path)
        self._context.recorder.read(place.repo, tree.commit_id, place.path)
        return file

    def read(self, address: str | Address) -> bytes:
        """Return the whole content of a file."""
        place, tree = self._tree(address)
        content = tree.read(place.path)
        self._context.recorder.read(place.repo, tree.commit_id, place.path)
        return content

    def read_frame(self, address: str | Address, **options: Any) -> pd.DataFrame:
        """Return a table as a data frame that knows where it comes from.

        Parameters
        ----------
        **options
            Passed on to the reader of pandas that belongs to the file's ending.

        Returns
        -------
        DataFrame
            ``attrs["datalake"]`` is its passport: repo, commit, path and global id.
        """
        place = seen(_parsed(address))
        # Resolved once: the passport names the commit that was read, also if the branch moves.
        commit = self._context.history.resolve(place.repo, place.ref)
        with self._context.core.snapshot(commit).open(place.path) as file:
            frame = read_frame(file, place.path, options)
        self._context.recorder.read(place.repo, commit.id, place.path)
        frame.attrs[PASSPORT] = {
            "repo": place.repo,
            "commit": str(commit.id),
            "path": place.path,
            "global_id": str(commit.global_id),
        }
        return frame

    def preview(
        self,
        address: str | Address,
        *,
        offset: int = 0,
        limit: int = DEFAULT_ROWS,
        stop: threading.Event | None = None,
    ) -> FilePreview:
        """Return one page of a file: rows of a table, lines of a text, facts of anything else.

        Never reads the whole of a large file, and runs nothing of what it holds: pickles are
        not loaded. docs/previews.md says which formats are known.

        Parameters
        ----------
        offset, limit
            Which rows or lines are wanted; fewer are given if they are large.
        stop
            Set when nobody waits any more.

        Raises
        ------
        InvalidInputError
            It is not what its ending says, or no file.
        StateError
            `stop` was set.
        """
        return looking.preview(self._context, _parsed(address), offset, limit, stop)

    def describe(
        self,
        address: str | Address,
        *,
        columns: Sequence[str] | None = None,
        stop: threading.Event | None = None,
    ) -> TableStatistics:
        """Return what the columns of a table hold: counts, ends, quantiles, histograms.

        The first million rows are looked at, in a database in the lake's work folder that is
        gone at the end.

        Parameters
        ----------
        columns
            Which ones; the first 200 by default.
        stop
            Set when nobody waits any more.

        Raises
        ------
        InvalidInputError
            It cannot be read as a table, or lacks a column.
        StateError
            `stop` was set.
        """
        return looking.describe(self._context, _parsed(address), columns, stop)

    def diff_text(
        self,
        old: str | Address,
        new: str | Address,
        *,
        offset: int = 0,
        limit: int | None = None,
    ) -> TextDiff:
        """Return how two files differ as texts, line by line.

        Chunks that both begin or end with are not compared, so the cost is that of what lies
        between the first and the last difference.

        Parameters
        ----------
        offset, limit
            Which hunks are wanted; all of them by default.

        Raises
        ------
        InvalidInputError
            More than 8 MiB lie between the first and the last difference.
        """
        before, after = self._content(old), self._content(new)
        return diff_texts(before, after, offset=offset, limit=limit)

    def diff_table(
        self,
        old: str | Address,
        new: str | Address,
        *,
        key: Sequence[str] | None = None,
        offset: int = 0,
        limit: int = DEFAULT_ROWS,
    ) -> TableDiff:
        """Return how two tables, CSV or Parquet, differ in columns and rows.

        Both are read once, at bounded memory; what does not fit goes to the lake's work folder
        for as long as it takes. Files with equal bytes are not read.

        Parameters
        ----------
        key
            Columns that name a row. None guesses one, an empty list compares whole rows:
            docs/diff.md has the rules.
        offset, limit
            Which of the rows that differ are wanted, ordered by key.

        Raises
        ------
        InvalidInputError
            One of them cannot be read as a table, or lacks a column of the key.
        """
        from jupyter_datalake.warehouse.table_diff import diff_tables  # noqa: PLC0415  # DuckDB
        from jupyter_datalake.warehouse.table_files import TableSource  # noqa: PLC0415  # Arrow

        places = _parsed(old), _parsed(new)
        trees = [self._tree(place)[1] for place in places]
        infos = [tree.get(one.path) for tree, one in zip(trees, places, strict=True)]
        if infos[0].kind is FileKind.FILE and infos[0].digest == infos[1].digest:
            return equal_tables(tuple(key or ()))
        sources = [
            TableSource(str(place), partial(tree.open, place.path))
            for place, tree in zip(places, trees, strict=True)
        ]
        return diff_tables(
            *sources,
            key=key,
            offset=offset,
            limit=limit,
            work_folder=self._context.core.work_folder / "diffs",
        )

    def export(
        self,
        address: str | Address,
        target: str | Path,
        *,
        link: LinkMode | str = LinkMode.COPY,
    ) -> int:
        """Write a file or folder to a local place that does not exist; return the bytes.

        Parameters
        ----------
        link
            ``copy``: every file gets its own bytes. ``hardlink``: files are links to read-only
            ones that are kept beside the lake, so that the same content is written once, however
            often it is exported; on another file system than the lake's they are copies.
            ``reflink``: as ``hardlink``, but writable; XFS, Btrfs and few others can do that.

        Raises
        ------
        StorageError
            Blocks are to be shared, and the file system cannot; or the disk is full.
        """
        place, tree = self._tree(address)
        mode = LinkMode(link)
        if mode is LinkMode.COPY:
            written = tree.export(place.path, Path(target))
            self._context.recorder.read(place.repo, tree.commit_id, place.path)
            return written
        kept = KeptFiles(self._context.core.work_folder / KEPT_FILES, mode)
        written = tree.export(place.path, Path(target), kept)
        kept.sweep()
        self._context.recorder.read(place.repo, tree.commit_id, place.path)
        return written

    def put(
        self, address: str | Address, source: Source | str, *, message: str | None = None
    ) -> Commit:
        """Commit one file: bytes, text, a local file, or a stream.

        Returns
        -------
        Commit
            The new one; where the file was there with this content, the one that had it.

        Raises
        ------
        ConflictError
            Somebody committed another content to the same path meanwhile.
        """
        place = _parsed(address)
        content = source.encode() if isinstance(source, str) else source
        self._sessions.check_writable(place.repo, place.ref)
        request = self._request(place, message or f"Put {printable(place.path)}")
        return self._wrote(place, put_file(self._context.core, place.path, content, request).commit)

    def put_tree(
        self,
        address: str | Address,
        folder: str | Path,
        *,
        message: str | None = None,
        on_file: Progress | None = None,
        use_cache: bool = True,
        ignore: bool = True,
    ) -> tuple[Commit, Sequence[str]]:
        """Commit everything below a local folder.

        What the branch has there and the folder has not, stays. A folder that was put before is
        looked through by the times of its files; only those that changed are read.

        Parameters
        ----------
        on_file
            Told of each file and its bytes, for progress.
        use_cache
            False reads every file, whatever its times say.
        ignore
            Whether the files ``.datalakeignore`` in it say what is not taken, as ``.gitignore``
            does for Git. What the branch has at such a path stays as it is.

        Returns
        -------
        commit
            The new one; where everything was there already, the one that had it.
        skipped
            What was left out, with the reason: sockets, pipes, devices, unreadable files.
        """
        place = _parsed(address)
        self._sessions.check_writable(place.repo, place.ref)
        request = CommitRequest(
            place.repo,
            place.ref,
            message or f"Put {printable(Path(folder).name)}",
            self._context.author,
        )
        done = import_folder(
            self._context.core,
            Path(folder),
            place.path,
            request,
            on_file=on_file,
            use_cache=use_cache,
            ignore=ignore,
        )
        return self._wrote(place, done.result.commit), done.skipped

    def import_s3(
        self,
        address: str | Address,
        url: str,
        *,
        message: str | None = None,
        on_object: OnObject | None = None,
        use_cache: bool = True,
    ) -> tuple[Commit, Sequence[str]]:
        """Commit every object below a place in S3, at constant memory.

        What the branch has there and the bucket has not, stays. A place that was imported before
        is listed, and only objects whose ETag, size or time changed are read.

        Parameters
        ----------
        url
            ``s3://bucket/prefix?endpoint_url=…&region=…``; or the key of one object.
        on_object
            Told of each object's path below the prefix and its bytes.
        use_cache
            False reads every object, whatever its ETag says.

        Returns
        -------
        commit
            The new one; where everything was there already, the one that had it.
        skipped
            What was left out, with the reason: keys that cannot be paths, or that went away.

        Raises
        ------
        PathNotFoundError
            There is nothing at the place.
        StorageError
            The bucket cannot be read, or an object changed while it was.
        """
        place = _parsed(address)
        self._sessions.check_writable(place.repo, place.ref)
        with closing(open_source(url)) as source:
            text = message or f"Import {printable(source.url.partition('?')[0])}"
            done = import_objects(
                self._context.core,
                source,
                place.path,
                CommitRequest(place.repo, place.ref, text, self._context.author),
                on_object=on_object,
                use_cache=use_cache,
            )
        return self._wrote(place, done.result.commit), done.skipped

    def share(self, address: str | Address, *, expires_s: int = 3600) -> SharedFile:
        """Return a link by which whoever has it may download a file, from the store itself.

        Of lakes in S3 that are not encrypted. The file is put into the bucket as an object of its
        own, which costs an upload of it once a week; it is removed when no link can lead to it.

        Parameters
        ----------
        expires_s
            How long the link works: at most a week, and not longer than the credentials.

        Raises
        ------
        StateError
            The lake's store hands out no links.
        """
        place, tree = self._tree(address)
        return share_file(self._context.core, tree, place.path, expires_s=expires_s)

    def delete(self, address: str | Address, *, message: str | None = None) -> Commit:
        """Commit the removal of a file or folder."""
        place = _parsed(address)
        request = self._request(place, message or f"Delete {printable(place.path)}")
        return transplanting.remove(self._context.core, request, place.path).commit

    def rename(self, address: str | Address, path: str, *, message: str | None = None) -> Commit:
        """Commit a move of a file or folder to another path of its branch; no bytes move.

        Parameters
        ----------
        path
            Where it is to be, under this very name; what is there must be a file, or nothing.

        Raises
        ------
        PathNotFoundError
            Nothing is at `address`.
        AlreadyExistsError
            A folder is at `path`.
        """
        place = _parsed(address)
        new = parse_path(path)
        request = self._request(
            place, message or f"Rename {printable(place.path)} to {printable(new)}"
        )
        return transplanting.rename(self._context.core, request, place.path, new).commit

    def restore(
        self,
        source: str | Address,
        *,
        branch: str = DEFAULT_BRANCH,
        message: str | None = None,
    ) -> Commit:
        """Commit that a branch has at a path what another commit of the repo has there.

        The cost does not depend on how much lies below the path.

        Parameters
        ----------
        source
            An address such as ``raw@main~3/data``; with the path ``/`` the whole tree is meant.

        Returns
        -------
        Commit
            The new one; where nothing differed, the head.

        Raises
        ------
        PathNotFoundError
            The commit has nothing there.
        """
        origin, tree = self._tree(source)
        text = message or f"Restore {printable(origin.path or '/')} from {origin.ref}"
        place = Address(origin.repo, branch, origin.path)
        done = transplanting.restore(
            self._context.core, self._request(place, text), tree, origin.path
        )
        return self._wrote(place, done.commit)

    def copy(
        self, source: str | Address, target: str | Address, *, message: str | None = None
    ) -> Commit:
        """Commit a copy of a file or folder, also between repos; no bytes move.

        A target that ends in a slash, or is a folder, receives the source under its own name. What
        is at the same paths already is replaced, and what else is there stays. The cost is one pass
        over the names below the source, and hardly anything where a folder keeps its path and
        nothing is there yet.
        """
        origin, tree = self._tree(source)
        info = tree.get(origin.path, measure=False)
        place = _parsed(target)
        into_folder = isinstance(target, str) and target.endswith("/")
        text = message or f"Copy {printable(str(origin))}"

        def final(existing: FileInfo | None) -> RepoPath:
            if not into_folder and (existing is None or existing.kind is not FileKind.FOLDER):
                return place.path
            name = name_of(origin.path)
            return join_path(place.path, name) if name else place.path

        def free_place(head: Snapshot) -> RepoPath | None:
            path = final(head.find(place.path))
            return path if transplanting.is_free(head, path) else None

        if info.kind is FileKind.FOLDER:
            copied = transplanting.copy_to_free_place(
                self._context.core, self._request(place, text), tree, origin.path, free_place
            )
            if copied is not None:
                return self._copied(origin, tree, place, copied.commit)
        done = transplanting.copy_over(
            self._context.core,
            self._request(place, text),
            tree,
            origin.path,
            lambda head: final(head.find(place.path)),
        )
        return self._copied(origin, tree, place, done.commit)

    def _copied(self, origin: Address, tree: Snapshot, target: Address, commit: Commit) -> Commit:
        self._context.recorder.read(origin.repo, tree.commit_id, origin.path)
        return self._wrote(target, commit)

    def _wrote(self, place: Address, commit: Commit) -> Commit:
        self._context.recorder.wrote(place.repo, commit.id, place.path)
        return commit

    def _request(self, place: Address, message: str) -> CommitRequest:
        return CommitRequest(place.repo, place.ref, message, self._context.author)

    def _content(self, address: str | Address) -> FileContent:
        place, tree = self._tree(address)
        return tree.content(place.path)

    def _tree(self, address: str | Address) -> tuple[Address, Snapshot]:
        place = seen(_parsed(address))
        return place, self._context.history.snapshot(place.repo, place.ref)


def _parsed(address: str | Address) -> Address:
    return parse_address(address) if isinstance(address, str) else address
