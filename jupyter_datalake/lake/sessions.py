"""Sessions: collecting changes to a branch, looking at them, committing or discarding them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from jupyter_datalake.engine.core import new_id
from jupyter_datalake.engine.drafts import Drafter, recover
from jupyter_datalake.engine.session import (
    Session,
    commit_sessions,
    create_session,
    forget_draft,
    forget_session,
    open_session,
    sessions_folder,
)
from jupyter_datalake.engine.since import Opener, changes_since
from jupyter_datalake.engine.sources import Source, check_offset, stream_of
from jupyter_datalake.engine.text_diff import Nothing, OpenFile, diff_texts
from jupyter_datalake.engine.writing import check_writable
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
)
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.addresses import Address, parse_address
from jupyter_datalake.model.changes import Change, ChangedChild
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.lineage import AccessKind
from jupyter_datalake.model.mounts import Mount, MountMode
from jupyter_datalake.model.paths import RepoPath, comes_behind, parse_path
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.sessions import Choices, Draft, LeftOut, SessionInfo
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS, TableDiff
from jupyter_datalake.model.text_diffs import TextDiff
from jupyter_datalake.mount.control import SessionHolder, mount_holding

MOUNTABLE = "mounted"
"""File in the folder of a session that a mount of its branch may take up."""
_PAGE = 1000
"""Changes that a mount is asked for at a time."""
_TRIES = 3
_PATIENCE_S = 2.0
"""How long a verb waits for others that have a session open for moments: panels and commands."""
DRIVE_PATIENCE_S = 10.0
"""How long a verb waits for the session of a drive, which each request has for moments only."""


class WorkSession:
    """An open session: files are put, renamed and deleted by path, then committed together.

    Usage::

        with lake.sessions.create("raw") as session:
            session.put("2026/a.csv", b"…")
            session.delete("2025")
            session.commit("Replace last year's files")

    Closing it keeps what is staged; `lake.sessions.open(session.id)` goes on. At the end of the
    block that created it, a session with nothing staged is removed: there is nothing to go on with.
    """

    def __init__(self, session: Session, context: LakeContext, *, is_new: bool = False) -> None:
        self._session = session
        self._context = context
        self._is_new = is_new

    @property
    def info(self) -> SessionInfo:
        """The session as lists show it."""
        return self._session.info

    @property
    def id(self) -> str:
        """The session's id."""
        return self._session.id

    def put(self, path: str, source: Source | str) -> None:
        """Stage a file: bytes, text, a local `Path`, or a stream."""
        content = source.encode() if isinstance(source, str) else source
        place = parse_path(path)
        self._session.put(place, content)
        self._note(place, AccessKind.WRITE)

    def write(self, path: str, source: bytes | BinaryIO, *, offset: int = -1) -> None:
        """Stage a write into a file, which is made if nothing is there.

        Parameters
        ----------
        offset
            Where in the file the bytes go; by default at its end.
        """
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        self._session.write(parse_path(path), stream, offset)

    def put_tree(
        self, folder: str | Path, path: str = "/", *, ignore: bool = True
    ) -> Sequence[str]:
        """Stage everything below a local folder; return what was left out, with the reason.

        Parameters
        ----------
        ignore
            Whether the files ``.datalakeignore`` in it say what is not taken.
        """
        place = parse_path(path)
        skipped = self._session.put_tree(Path(folder), place, ignore=ignore)
        self._note(place, AccessKind.WRITE)
        return skipped

    def copy(self, source: str | Address, path: str) -> None:
        """Stage a copy of what a commit has, of this or another repo; no bytes move.

        Parameters
        ----------
        source
            Address of a file or folder, such as ``raw@main~1/people.csv``.
        path
            Where the copy is to be, under this very name.
        """
        origin = parse_address(source) if isinstance(source, str) else source
        tree = self._context.history.snapshot(origin.repo, origin.ref)
        tree.get(origin.path, measure=False)
        place = parse_path(path)
        self._session.copy(tree, origin.path, place)
        self._context.recorder.read(origin.repo, tree.commit_id, origin.path)
        self._note(place, AccessKind.WRITE)

    def restore(self, source: str | Address) -> None:
        """Stage that the session has at a path exactly what a commit has there; no bytes move.

        Parameters
        ----------
        source
            Address of a file or folder, such as ``raw@main~1/data``.
        """
        _restore(self._session, self._context, source)

    def open(self, path: str) -> BinaryIO:
        """Return a file's present content as a binary file to read."""
        place = parse_path(path)
        file = self._session.open(place)
        self._note(place, AccessKind.READ)
        return file

    def find(self, path: str) -> FileInfo | None:
        """Return what is at a path, or None."""
        return self._session.find(parse_path(path))

    def list(self, path: str = "/") -> Sequence[FileInfo]:
        """Return the children of a folder, by name."""
        return self._session.list(parse_path(path))

    def make_folder(self, path: str) -> None:
        """Stage a folder."""
        self._session.make_folder(parse_path(path))

    def rename(self, old: str, new: str) -> None:
        """Stage a move of a file or folder."""
        self._session.rename(parse_path(old), parse_path(new))

    def delete(self, path: str) -> None:
        """Stage the removal of a file or folder."""
        self._session.delete(parse_path(path))

    def diff(self) -> Sequence[Change]:
        """Return what is staged, by path."""
        return list(self._session.diff())

    @property
    def has_changes(self) -> bool:
        """Whether anything is staged."""
        return self._session.has_changes

    def discard(self, *paths: str) -> None:
        """Drop what is staged at and below `paths`, or everything."""
        self._session.discard([parse_path(path) for path in paths] if paths else None)

    def commit(
        self,
        message: str,
        *,
        metadata: dict[str, str] | None = None,
        choices: Mapping[str, str] | None = None,
    ) -> Commit:
        """Commit what is staged and go on from the new commit.

        Parameters
        ----------
        choices
            As of `Sessions.commit`.

        Raises
        ------
        StateError
            Nothing is staged.
        ConflictError
            Others changed the same paths; everything staged is still there.
        """
        result, _ = self._session.commit(
            message,
            self._context.author,
            metadata=metadata,
            choices=Choices.of_texts(choices or {}),
        )
        return result.commit

    def _note(self, path: RepoPath, kind: AccessKind) -> None:
        info = self.info
        self._context.recorder.note(info.repo, info.base_commit_id, path, kind, info.id)

    def close(self) -> None:
        """Let go of the session; what is staged stays."""
        self._session.close()

    def delete_session(self) -> None:
        """Remove the session and everything staged in it."""
        self._session.destroy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_new and self._session.is_open and not self.has_changes:
            self.delete_session()
        self.close()


class Sessions:
    """`lake.sessions`: writable views of branches.

    A session that is mounted is open in the mount's process; the verbs here ask that process.
    """

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(self, repo: str | None = None) -> Sequence[SessionInfo]:
        """Return the open sessions, of one repo or of all, oldest first."""
        with self._context.core.metadata.read() as tx:
            return tx.sessions.list(None if repo is None else tx.repos.get(repo))

    def get(self, session_id: str) -> SessionInfo:
        """Return one session, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.sessions.get(session_id)

    def create(self, repo: str, branch: str = DEFAULT_BRANCH) -> WorkSession:
        """Begin a session on a branch and open it.

        Parameters
        ----------
        repo
            Its name, or ``repo@branch``.

        Raises
        ------
        InvalidInputError
            The address has a path, or names another branch than `branch`.
        """
        repo, branch = _branch_of(repo, branch)
        return WorkSession(self.begin(repo, branch), self._context, is_new=True)

    def open(self, session_id: str) -> WorkSession:
        """Open a session again, with everything staged in it.

        Raises
        ------
        ConflictError
            Another process has it open (``session-busy``), a mount for instance.
        """
        return WorkSession(open_session(self._context.core, self.get(session_id)), self._context)

    def diff(
        self,
        session_id: str,
        *,
        old: str | None = None,
        path: str = "/",
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[Change]:
        """Return what is staged in a session, by path; or how that differs from another commit.

        Parameters
        ----------
        old
            Ref expression of what is compared with what is staged; by default the commit that the
            session is based on. The cost is that of the differences between the two commits, and
            of what is staged.
        after
            The path of the last change of the previous page.

        Raises
        ------
        ConflictError
            The session went on from other commits all the while it was compared with `old`.
        """
        below, behind = parse_path(path), parse_path(after or "/")
        if old is not None:
            return self._diff_since(session_id, old, below, behind, limit_of(limit))
        client = self._holder(session_id)
        if client is not None:
            return client.diff(session_id, below, behind, limit_of(limit))
        with self._opened(session_id) as session:
            return [*islice(session.diff(below, after=behind), limit_of(limit))]

    def _diff_since(
        self, session_id: str, old: str, below: RepoPath, after: RepoPath, limit: int
    ) -> Sequence[Change]:
        """Compare what is staged with another commit, again if the session went on meanwhile."""
        history = self._context.history
        for _ in range(_TRIES):
            info = self.get(session_id)
            first = history.resolve(info.repo, old)
            base = history.resolve(info.repo, info.base_commit_id)
            origin = self._context.core.snapshot(first)
            with self._looked_at(session_id) as (staged, opener):
                changes = changes_since(
                    history.diff(first, base, below=below, after=after),
                    staged(below, after),
                    origin.open,
                    opener,
                )
                found = [*islice(changes, limit)]
            if self.get(session_id).base_commit_id == base.id:
                return found
        raise ConflictError(
            f"Session {session_id} goes on from new commits too often to be compared",
            kind=ErrorKind.SESSION_BUSY,
            hint="Try again in a moment",
            session=session_id,
        )

    @contextmanager
    def _looked_at(
        self, session_id: str
    ) -> Iterator[tuple[Callable[[RepoPath, RepoPath], Iterator[Change]], Opener]]:
        """Give what streams what is staged below a path and behind another, and opens its files."""
        client = self._holder(session_id)
        if client is not None:
            yield partial(_pages_of, client, session_id), partial(self.open_file, session_id)
            return
        with self._opened(session_id) as session:
            yield lambda below, after: session.diff(below, after=after), session.open

    def list_changed(
        self, session_id: str, path: str = "/", *, after: str = "", limit: int | None = None
    ) -> Sequence[ChangedChild]:
        """Return the children of a folder at or below which something is staged, by name.

        What is gone is among them. The cost is that of what is staged below the folder; of a
        mount no file is looked at.

        Parameters
        ----------
        after, limit
            At most `limit` children behind the name `after`; all of them by default.
        """
        folder = parse_path(path)
        client = self._holder(session_id)
        if client is not None:
            found: Sequence[ChangedChild] = client.list_changed(session_id, folder)
        else:
            with self._opened(session_id) as session:
                found = session.changed_children(folder)
        behind = (one for one in found if comes_behind(RepoPath(one.name), RepoPath(after)))
        return [*islice(behind, limit_of(limit))]

    def diff_text(
        self,
        session_id: str,
        path: str,
        *,
        old: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> TextDiff:
        """Return how a file in a session differs, as a text, from the commit it is based on.

        A file that is new differs from an empty one, and one that is gone is an empty one now.

        Parameters
        ----------
        old
            Ref expression of another commit to compare it with.
        offset, limit
            Which hunks are wanted; all of them by default.

        Raises
        ------
        PathNotFoundError
            Neither the session nor the commit has a file there.
        InvalidInputError
            More than 8 MiB lie between the first and the last difference.
        """
        place = parse_path(path)
        info = self.get(session_id)
        base = self._context.history.snapshot(info.repo, old or info.base_commit_id)
        before = base.content(place) if base.find(place) is not None else Nothing()
        with self._staged(info, place) as file:
            if file is None and isinstance(before, Nothing):
                base.get(place)
            after = Nothing() if file is None else OpenFile(file)
            return diff_texts(before, after, offset=offset, limit=limit)

    def diff_table(
        self,
        session_id: str,
        path: str,
        *,
        old: str | None = None,
        key: Sequence[str] | None = None,
        offset: int = 0,
        limit: int = DEFAULT_ROWS,
    ) -> TableDiff:
        """Return how a staged table, CSV or Parquet, differs from the commit it is based on.

        Both are read, as `lake.files.diff_table` does.

        Parameters
        ----------
        old
            Ref expression of another commit to compare it with.
        key, offset, limit
            As there.

        Raises
        ------
        PathNotFoundError
            The session or the commit has no file there.
        InvalidInputError
            One of them cannot be read as a table, or lacks a column of the key.
        """
        from jupyter_datalake.warehouse.table_diff import diff_tables  # noqa: PLC0415  # DuckDB
        from jupyter_datalake.warehouse.table_files import TableSource  # noqa: PLC0415  # Arrow

        info, place = self.get(session_id), parse_path(path)
        base = self._context.history.snapshot(info.repo, old or info.base_commit_id)
        base.get(place)
        return diff_tables(
            TableSource(f"{base.label}/{place}", partial(base.open, place)),
            TableSource(f"staged {place}", partial(self.open_file, session_id, place)),
            key=key,
            offset=offset,
            limit=limit,
            work_folder=self._context.core.work_folder / "diffs",
        )

    def open_file(self, session_id: str, path: str) -> BinaryIO:
        """Return what a session holds in a file, committed or not, as a binary file to read.

        Raises
        ------
        PathNotFoundError
            The session has nothing there.
        InvalidInputError
            A folder is there, or a symlink, which is not followed.
        """
        place = parse_path(path)
        info = self.get(session_id)
        folder = self._mounted_at(session_id)
        if folder is not None:
            return _open_below(folder, place)
        with self._opened(session_id) as session:
            if session.find(place) is None:
                raise _nothing_at(info, place)
            return session.open(place)

    def read(self, session_id: str, path: str) -> bytes:
        """Return all bytes of what a session holds in a file, committed or not."""
        with self.open_file(session_id, path) as file:
            return file.read()

    def write(
        self, session_id: str, path: str, source: Source | str, *, offset: int | None = None
    ) -> FileInfo:
        """Stage a file, or a part of it, in a session that is not mounted; return what is there.

        Parameters
        ----------
        offset
            Where in the file the bytes go, -1 for its end; what else it holds stays. By default
            the file holds nothing else.

        Raises
        ------
        ConflictError
            The session is mounted: its files are written there (``session-busy``).
        AlreadyExistsError
            A folder is there.
        """
        place = parse_path(path)
        content = source.encode() if isinstance(source, str) else source
        with self._opened(session_id) as session:
            if offset is None:
                session.put(place, content)
            else:
                check_offset(offset)
                with stream_of(content) as stream:
                    session.write(place, stream, offset)
            found = session.find(place)
            assert found is not None  # the session is ours alone
            return found

    def write_all(
        self, session_id: str, files: Iterable[tuple[str, Source | None]]
    ) -> Sequence[LeftOut]:
        """Stage many files in a session that is not mounted; return those that are refused.

        The others are taken. It costs little more than one file does, where `write` has the
        session opened for each.

        Parameters
        ----------
        files
            Paths and what is to be there; None for a folder, which may stay empty.

        Raises
        ------
        ConflictError
            The session is mounted: its files are written there (``session-busy``).
        """
        left_out = []
        with self._opened(session_id) as session:
            for path, content in files:
                try:
                    place = parse_path(path)
                    if content is None:
                        session.make_folder(place)
                    else:
                        session.put(place, content)
                except (InvalidInputError, AlreadyExistsError) as error:
                    left_out.append(LeftOut(path, str(error.kind), str(error)))
        return left_out

    @contextmanager
    def _staged(self, info: SessionInfo, path: RepoPath) -> Iterator[BinaryIO | None]:
        """Give what a session holds at a path, wherever the session is open; None for nothing."""
        folder = self._mounted_at(info.id)
        if folder is not None:
            try:
                with open(folder / path, "rb") as file:
                    yield file
            except FileNotFoundError:
                yield None
            return
        with self._opened(info.id) as session:
            if session.find(path) is None:
                yield None
                return
            with session.open(path) as file:
                yield file

    def _mounted_at(self, session_id: str) -> Path | None:
        """Return the folder that shows a session, or None where no mount has it open."""
        if self._holder(session_id) is None:
            return None
        with self._context.core.metadata.read() as tx:
            mounts = [one for one in tx.mounts.list() if one.session_id == session_id]
        return Path(mounts[0].path) if mounts else None

    def commit(
        self,
        session_id: str,
        message: str,
        *,
        metadata: dict[str, str] | None = None,
        choices: Mapping[str, str] | None = None,
    ) -> Commit:
        """Commit what is staged in a session; it goes on from the new commit.

        Parameters
        ----------
        choices
            What becomes of paths that others changed too: from a path, which stands for what is
            below it, to ``mine`` (what is staged) or ``theirs`` (what the branch has now). Where
            all of what is staged gives way there is no new commit, and the session goes on from
            the branch's head.

        Raises
        ------
        StateError
            Nothing is staged.
        ConflictError
            Others changed the same paths, and nothing was chosen for some of them
            (``paths-conflict``; `context` lists at most 100); everything staged is still there.
        """
        chosen = Choices.of_texts(choices or {})
        client = self._holder(session_id)
        if client is not None:
            commit_id = client.commit(
                session_id, message, self._context.author, metadata or {}, chosen
            )
            with self._context.core.metadata.read() as tx:
                return tx.commits.get(commit_id)
        with self._opened(session_id) as session:
            result, _ = session.commit(
                message, self._context.author, metadata=metadata, choices=chosen
            )
            return result.commit

    def commit_together(
        self,
        session_ids: Sequence[str],
        message: str,
        *,
        metadata: dict[str, str] | None = None,
    ) -> Sequence[Commit]:
        """Commit what is staged in several sessions at once: all branches move, or none does.

        Readers see all of the new commits or none. They share one global id, so a pipeline that
        reads several of the branches runs once, on all of them.

        Returns
        -------
        sequence of Commit
            One for each session that held something, in the order asked for.

        Raises
        ------
        StateError
            Nothing is staged in any of them.
        InvalidInputError
            No session is named, or two of them write to the same branch.
        ConflictError
            Others changed the same paths of one of the branches, or a session is open in another
            process, such as a mount; everything staged is still there.
        """
        if not session_ids:
            raise InvalidInputError("No session is named", hint="Name those to be committed")
        with ExitStack() as stack:
            sessions = [
                stack.enter_context(self._opened(one)) for one in dict.fromkeys(session_ids)
            ]
            results = commit_sessions(
                self._context.core, sessions, message, self._context.author, metadata=metadata
            )
            return [result.commit for result in results]

    def discard(self, session_id: str, paths: Iterable[str] | None = None) -> None:
        """Drop what is staged at and below `paths`, or everything."""
        parsed = None if paths is None else [parse_path(path) for path in paths]
        client = self._holder(session_id)
        if client is not None:
            client.discard(session_id, parsed)
            return
        with self._opened(session_id) as session:
            session.discard(parsed)

    # --- drafts ----------------------------------------------------------------------------------

    def drafts(self, repo: str | None = None) -> Sequence[Draft]:
        """Return the drafts of what is staged, of one repo or of all, newest first.

        A FUSE mount saves one each minute in which something was written; `save` does it now. It
        goes with the commit, or when everything is discarded; that of a session that is lost is
        kept for 30 days after it was saved.
        """
        with self._context.core.metadata.read() as tx:
            return tx.sessions.list_drafts(None if repo is None else tx.repos.get(repo))

    def save(self, session_id: str) -> Draft:
        """Save a draft of what is staged in a session, in the lake itself, and return it.

        Raises
        ------
        NotFoundError
            Nothing is staged, and there is no older draft.
        """
        client = self._holder(session_id)
        if client is not None:
            client.save(session_id)
        else:
            with self._opened(session_id) as session:
                drafter = Drafter(self._context.core, session)
                drafter.save(drafter.collect())
        with self._context.core.metadata.read() as tx:
            return tx.sessions.get_draft(session_id)

    def recover(self, session_id: str) -> SessionInfo:
        """Begin a session that holds what the draft of another one has.

        It is based on the commit that the draft is of, so a commit of it finds what others changed
        since then. The next mount of the branch shows it, unless the branch is mounted already. The
        draft is dropped if its own session is gone.

        Raises
        ------
        NotFoundError
            There is no such draft, or its branch is gone.
        """
        core = self._context.core
        with core.metadata.read() as tx:
            draft = tx.sessions.get_draft(session_id)
        self.check_writable(draft.repo, draft.branch)
        with recover(core, draft, self._context.author) as session:
            (sessions_folder(core) / session.id / MOUNTABLE).touch()
            if not draft.has_session:
                with core.metadata.write() as tx:
                    forget_draft(tx, session_id)
            return session.info

    def restore(self, session_id: str, source: str | Address) -> None:
        """Stage in a session what a commit has at a path, in place of what is there.

        Parameters
        ----------
        source
            Address of a file or folder, such as ``raw@main~1/data``.

        Raises
        ------
        ConflictError
            The session is mounted (``session-busy``): copy the files in the mount instead.
        """
        with self._opened(session_id) as session:
            _restore(session, self._context, source)

    def drop_draft(self, session_id: str) -> None:
        """Drop the draft of a session, whether or not the session is still there.

        What is staged in the session stays, and the next change of it is saved again.

        Raises
        ------
        NotFoundError
            There is no such draft.
        """
        with self._context.core.metadata.write() as tx:
            tx.sessions.get_draft(session_id)
            forget_draft(tx, session_id)

    def delete(self, session_id: str, *, lost: bool = False, keep_draft: bool = False) -> None:
        """Remove a session that is not mounted, and everything staged in it, at once.

        Parameters
        ----------
        keep_draft
            Whether its draft stays, to be recovered within 30 days.
        lost
            The machine that kept it is gone, and what was staged there is given up; a draft of it
            can still be recovered.

        Raises
        ------
        ConflictError
            It is open in another process, or kept on another machine and not `lost`.
        """
        if not lost:
            self._check_not_mounted(session_id)
        try:
            with self._opened(session_id) as session:
                session.destroy(with_draft=not keep_draft)
        except ConflictError as error:
            if not lost or error.kind is not ErrorKind.SESSION_ELSEWHERE:
                raise
            forget_session(self._context.core, self.get(session_id))

    def begin(
        self, repo: str, branch: str, *, name: str | None = None, notebook: str | None = None
    ) -> Session:
        """Begin an engine session on a branch; for `lake.files` and the mount."""
        self.check_writable(repo, branch)
        return create_session(
            self._context.core,
            repo,
            branch,
            self._context.author,
            new_id(),
            name=name,
            notebook=notebook,
        )

    def check_writable(self, repo: str, branch: str) -> None:
        """Refuse what people must not write to: tags, commits, and what a pipeline writes."""
        with self._context.core.metadata.read() as tx:
            check_writable(tx, tx.repos.get(repo), branch)

    @contextmanager
    def _opened(self, session_id: str) -> Iterator[Session]:
        patience_s = self._patience_for(session_id)
        session = open_session(self._context.core, self.get(session_id), patience_s=patience_s)
        try:
            yield session
        finally:
            session.close()

    def _patience_for(self, session_id: str) -> float:
        """Return how long to wait for who has a session open: in vain where that is a mount."""
        mounted = self._mounted(session_id)
        if mounted is None:
            return _PATIENCE_S
        return DRIVE_PATIENCE_S if mounted[1] is MountMode.DRIVE else 0.0

    def _mounted(self, session_id: str) -> tuple[Mount, MountMode] | None:
        """Return the mount that a session belongs to, and how it is shown; None for no mount."""
        with self._context.core.metadata.read() as tx:
            for mount in tx.mounts.list():
                if mount.session_id == session_id:
                    point = tx.mounts.find_point(mount.mountpoint)
                    return None if point is None else (mount, point.mode)
        return None

    def _check_not_mounted(self, session_id: str) -> None:
        """Refuse what would take a session away from where it is shown."""
        mounted = self._mounted(session_id)
        if mounted is not None:
            mount, _ = mounted
            raise ConflictError(
                f"Session {session_id} is mounted as {mount.name}",
                kind=ErrorKind.SESSION_BUSY,
                hint=f"Unmount it: datalake mounts delete {mount.name} --discard",
                session=session_id,
            )

    def _holder(self, session_id: str) -> SessionHolder | None:
        """Return the mount that has a session open, or None."""
        return mount_holding(self._context.core, session_id)


def _pages_of(
    client: SessionHolder, session_id: str, below: RepoPath, after: RepoPath
) -> Iterator[Change]:
    """Yield what a mount has staged, asking for some at a time."""
    while True:
        page = client.diff(session_id, below, after, _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].path


def _open_below(folder: Path, path: RepoPath) -> BinaryIO:
    """Open a file of a mount; what a symlink leads to is none of it."""
    steps = [*itertools.accumulate(path.split("/"), lambda above, name: f"{above}/{name}")]
    for step in steps:
        if (folder / step).is_symlink():
            raise InvalidInputError(
                f"{step!r} is a symlink, which is not followed", kind=ErrorKind.INVALID_PATH
            )
    try:
        return open(folder / path, "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PathNotFoundError(f"The session has nothing at {path!r}", path=path) from error
    except IsADirectoryError as error:
        raise InvalidInputError(
            f"{path!r} is a folder, not a file", kind=ErrorKind.INVALID_PATH
        ) from error


def _nothing_at(info: SessionInfo, path: RepoPath) -> PathNotFoundError:
    return PathNotFoundError(f"The session on {info.repo} has nothing at {path!r}", path=path)


def _branch_of(repo: str, branch: str) -> tuple[str, str]:
    """Return what a repo and branch mean, of which the first may be an address."""
    if "@" not in repo:
        return repo, branch
    place = parse_address(repo)
    if place.path or branch not in {DEFAULT_BRANCH, place.ref}:
        named = f"the path {place.path!r}" if place.path else f"a branch, and {branch!r} another"
        raise InvalidInputError(
            f"A session is of a whole branch, and {repo!r} names {named}",
            hint=f"Write {place.repo!r}, {place.ref!r}",
        )
    return place.repo, place.ref


def _restore(session: Session, context: LakeContext, source: str | Address) -> None:
    origin = parse_address(source) if isinstance(source, str) else source
    tree = context.history.snapshot(origin.repo, origin.ref)
    tree.get(origin.path, measure=False)
    session.restore(tree, origin.path)
