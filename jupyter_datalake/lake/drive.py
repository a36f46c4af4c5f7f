"""The drive: what is mounted, and any ref of any repo, by path and without a folder.

The paths are those of a mount point: ``raw/x.csv`` is a file of the mounted branch, with what is
staged in its session; ``raw@v1/x.csv`` is one of any commit. What is written goes to the session,
so the verbs on sessions are those of the other modes. A session is opened for each act and let go
of: commands and other processes take turns with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from jupyter_datalake.engine.session import Session, open_session
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.sources import Source, check_offset, stream_of
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
    PermissionDeniedError,
    StateError,
)
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.lake.mountpoints import Mountpoints
from jupyter_datalake.lake.sessions import DRIVE_PATIENCE_S
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.drive import DriveFile
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import REPO_PATTERN, CommitId
from jupyter_datalake.model.mounts import Mount, MountMode, MountState
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    is_within,
    join_path,
    parent_of,
    parse_path,
)

_FOLDER_MODE = 0o555
"""Of the folders above the repos: nobody makes repos with mkdir."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the lake a path of the drive leads."""

    name: str
    """The folder of the drive that shows the repo: ``raw``, ``raw@v1``."""
    path: RepoPath
    """Within the repo."""
    repo: str
    ref: str
    commit_id: CommitId | None = None
    """The commit that a mount stays at."""
    session_id: str | None = None

    def below(self, path: RepoPath) -> RepoPath:
        """Return a path of the repo as one of the drive."""
        return join_path(RepoPath(self.name), path) if path else RepoPath(self.name)


@dataclass(frozen=True, slots=True)
class _View:
    """What a place shows while somebody looks."""

    place: _Place
    tree: Snapshot | Session
    commit: Commit

    def get(self, path: RepoPath) -> DriveFile:
        """Return what is at a path of the repo, or raise `PathNotFoundError`."""
        return self.shown(_get(self.tree, path))

    def shown(self, info: FileInfo) -> DriveFile:
        """Return a file of the repo as one of the drive."""
        is_folder = info.kind is FileKind.FOLDER
        return DriveFile(
            path=self.place.below(info.path),
            kind=info.kind,
            size_bytes=0 if is_folder else info.size_bytes,
            mode=info.mode,
            mtime_ns=info.mtime_ns or int(self.commit.created_at.timestamp() * 1e9),
            is_writable=self.place.session_id is not None,
            digest=info.digest,
            target=info.target,
            repo=self.place.repo,
            ref=self.place.ref,
            commit_id=self.commit.id,
            session_id=self.place.session_id,
        )


class Drive:
    """`lake.drive`: files by the paths of a mount point, whether or not there is a folder.

    In each verb `at` is the mount point; `lake.mountpoints` says which by default. Only what is
    mounted there in the mode ``drive`` has a session here; commits are at ``repo@ref``, always.
    """

    def __init__(self, context: LakeContext) -> None:
        self._context = context
        self._core = context.core
        self._points = Mountpoints(context.core)

    # --- looking ---------------------------------------------------------------------------------

    def list(
        self, path: str = "/", *, after: str = "", limit: int | None = None, at: str | None = None
    ) -> Sequence[DriveFile]:
        """Return the children of a folder by name; what is mounted, for the root.

        Parameters
        ----------
        after, limit
            At most `limit` children behind the name `after`; all of them by default.

        Raises
        ------
        PathNotFoundError, NotFoundError
            There is no such folder, repo or ref.
        InvalidInputError
            A file is there.
        """
        parsed = parse_path(path)
        mounts = self._mounts(at)
        names = _names_in(parsed, mounts)
        if names is not None:
            found = sorted(name for name in names if name > after)[: limit_of(limit)]
            return [self._shown(join_path(parsed, name), mounts, at) for name in found]
        with self._view(self._place(parsed, mounts, at)) as view:
            children = _list(view.tree, view.place.path, after, limit_of(limit))
            return [view.shown(info) for info in children]

    def get(self, path: str, *, at: str | None = None) -> DriveFile:
        """Return what is at a path, or raise `PathNotFoundError`."""
        return self._shown(parse_path(path), self._mounts(at), at)

    def open(self, path: str, *, at: str | None = None) -> BinaryIO:
        """Return a file's present content, seekable; only what is read is fetched.

        Raises
        ------
        InvalidInputError
            A folder is there, or a symlink, which is not followed.
        """
        with self._view(self._place(parse_path(path), self._mounts(at), at)) as view:
            return view.tree.open(view.place.path)

    def read(self, path: str, *, at: str | None = None) -> bytes:
        """Return the whole present content of a file."""
        with self.open(path, at=at) as file:
            return file.read()

    # --- changing --------------------------------------------------------------------------------

    def put(
        self, path: str, source: Source | str, *, offset: int | None = None, at: str | None = None
    ) -> DriveFile:
        """Stage a file: bytes, text, a local file or a stream; its folder is there.

        Parameters
        ----------
        offset
            Where in the file the bytes go, -1 for its end; what else it holds stays. By default
            the file holds nothing else, and has its old content until all of the new is there.

        Raises
        ------
        PermissionDeniedError
            What is shown there cannot be written to (``read-only``).
        InvalidInputError
            Something else than a file is there.
        """
        content = source.encode() if isinstance(source, str) else source
        with self._writing(path, at) as (session, view):
            place = view.place.path
            before = session.find(place)
            if before is not None and before.kind is not FileKind.FILE:
                raise InvalidInputError(
                    f"{path!r} is a {before.kind}, not a file", kind=ErrorKind.INVALID_PATH
                )
            _check_folder(session, parent_of(place))
            if offset is None:
                session.put(place, content, mode=None if before is None else before.mode)
            else:
                check_offset(offset)
                with stream_of(content) as stream:
                    session.write(place, stream, offset)
            return view.get(place)

    def make_folder(self, path: str, *, at: str | None = None) -> DriveFile:
        """Stage a folder in one that is there.

        Raises
        ------
        AlreadyExistsError
            Something is at the path.
        """
        with self._writing(path, at) as (session, view):
            _check_folder(session, parent_of(view.place.path))
            _check_free(session, view.place.path, path)
            session.make_folder(view.place.path)
            return view.get(view.place.path)

    def rename(
        self, path: str, new_path: str, *, replace: bool = False, at: str | None = None
    ) -> DriveFile:
        """Stage a move of a file or folder within its mount.

        Parameters
        ----------
        replace
            Whether a file at the new path makes way.

        Raises
        ------
        AlreadyExistsError
            Something is there, and is not to make way, or is a folder.
        InvalidInputError
            The new path is in another mount: copy it there.
        """
        with self._writing(path, at) as (session, view):
            target = self._place(parse_path(new_path), self._mounts(at), at)
            if target.name != view.place.name:
                raise InvalidInputError(
                    f"{path!r} cannot be moved from {view.place.name} to {target.name}:"
                    " no commit spans both",
                    kind=ErrorKind.INVALID_PATH,
                    hint="Copy it, and delete it where it was",
                )
            _check_folder(session, parent_of(target.path))
            if target.path != view.place.path:
                if not replace:
                    _check_free(session, target.path, new_path)
                session.rename(view.place.path, target.path)
            return view.get(target.path)

    def copy(self, path: str, new_path: str, *, at: str | None = None) -> DriveFile:
        """Stage a copy of a file or folder, also from another mount or a commit; no bytes move.

        Working files are the exception: what was written at an offset is read once.

        Raises
        ------
        AlreadyExistsError
            Something is at the new path.
        """
        source = self._place(parse_path(path), self._mounts(at), at)
        target = self._writable_place(new_path, at)
        if source.name == target.name and is_within(target.path, source.path):
            raise InvalidInputError(
                f"{path!r} cannot be copied into itself", kind=ErrorKind.INVALID_PATH
            )
        with ExitStack() as stack:
            views = {
                one.name: stack.enter_context(self._view(one))
                # An order that everybody keeps, for sessions are waited for.
                for one in sorted({source.name: source, target.name: target}.values(), key=_order)
            }
            view, session = views[target.name], views[target.name].tree
            assert isinstance(session, Session)
            tree = views[source.name].tree
            _get(tree, source.path)
            _check_folder(session, parent_of(target.path))
            _check_free(session, target.path, new_path)
            if isinstance(tree, Session):
                session.copy_shown(tree, source.path, target.path)
            else:
                session.copy(tree, source.path, target.path)
            session.announce()
            return _View(target, session, view.commit).get(target.path)

    def delete(self, path: str, *, at: str | None = None) -> None:
        """Stage the removal of a file, or of a folder with everything in it.

        Raises
        ------
        PathNotFoundError
            Nothing is at the path.
        """
        with self._writing(path, at) as (session, view):
            session.delete(view.place.path)

    # --- inside: where a path leads --------------------------------------------------------------

    def _mounts(self, at: str | None) -> dict[str, Mount]:
        """Return what is mounted at a mount point whose mode is the drive's, by name."""
        point = self._points.known(at)
        if point is None or point.mode is not MountMode.DRIVE or point.state is MountState.STOPPED:
            return {}
        with self._core.metadata.read() as tx:
            return {mount.name: mount for mount in tx.mounts.list(point.path)}

    def _shown(self, path: RepoPath, mounts: Mapping[str, Mount], at: str | None) -> DriveFile:
        """Return what is at a path, above the repos or in one."""
        if _names_in(path, mounts) is not None:
            return _folder(path)
        with self._view(self._place(path, mounts, at)) as view:
            return view.get(view.place.path)

    def _place(self, path: RepoPath, mounts: Mapping[str, Mount], at: str | None) -> _Place:
        """Return where a path leads: into a mount, or into a commit of a repo."""
        parts = path.split("/")
        for count in (1, 2):
            name, rest = "/".join(parts[:count]), RepoPath("/".join(parts[count:]))
            mount = mounts.get(name)
            if mount is not None:
                return _Place(name, rest, mount.repo, mount.ref, mount.commit_id, mount.session_id)
            repo, at_sign, ref = name.partition("@")
            if at_sign and ref and REPO_PATTERN.fullmatch(repo):
                return _Place(name, rest, repo, ref)
        raise self._missing(path, at)

    def _missing(self, path: RepoPath, at: str | None) -> Exception:
        """Return what to say of a path that leads nowhere."""
        if path == ROOT:
            return InvalidInputError(
                "The root of the drive is a folder, and shows what is mounted",
                kind=ErrorKind.INVALID_PATH,
                hint="Name a file of a repo, as in raw/x.csv",
            )
        point = self._points.known(at)
        name = path.partition("/")[0]
        if point is not None and point.mode is not MountMode.DRIVE:
            return StateError(
                f"What is mounted at {point.path} are folders ({point.mode})",
                hint=f"Open {point.path}/{path} itself; the drive has {name}@main/…",
                path=path,
            )
        return PathNotFoundError(
            f"The drive has no path {path!r}",
            hint=f"Mount it (datalake mounts create {name}), or name a ref: {name}@main/…",
            path=path,
        )

    def _writable_place(self, path: str, at: str | None) -> _Place:
        parsed = parse_path(path)
        mounts = self._mounts(at)
        is_above = _names_in(parsed, mounts) is not None
        place = None if is_above else self._place(parsed, mounts, at)
        if place is not None and place.session_id is not None and place.path:
            return place
        if place is None or place.session_id is not None:
            raise PermissionDeniedError(
                f"{path!r} shows a repo, and is no file of one",
                kind=ErrorKind.NOT_ALLOWED,
                hint="Mount and unmount repos: datalake mounts create, datalake mounts delete",
                path=path,
            )
        raise PermissionDeniedError(
            f"{place.repo}@{place.ref} is shown read-only",
            kind=ErrorKind.READ_ONLY,
            hint=f"Mount a branch to write to it: datalake mounts create {place.repo}",
            path=path,
        )

    # --- inside: looking at it -------------------------------------------------------------------

    @contextmanager
    def _view(self, place: _Place) -> Iterator[_View]:
        """Give what a place shows; a session with nothing staged is at its branch's head."""
        if place.session_id is None:
            commit = self._context.history.resolve(place.repo, place.commit_id or place.ref)
            yield _View(place, self._core.snapshot(commit), commit)
            return
        with self._core.metadata.read() as tx:
            info = tx.sessions.get(place.session_id)
        with open_session(self._core, info, patience_s=DRIVE_PATIENCE_S) as session:
            session.rebase()
            yield _View(place, session, session.base)

    @contextmanager
    def _writing(self, path: str, at: str | None) -> Iterator[tuple[Session, _View]]:
        """Give the session that takes a write to a path, and tell the others afterwards."""
        with self._view(self._writable_place(path, at)) as view:
            assert isinstance(view.tree, Session)
            yield view.tree, view
            view.tree.announce()


def _names_in(path: RepoPath, mounts: Iterable[str]) -> set[str] | None:
    """Return the children of the root or of a project; None for all other paths."""
    if "@" in path or path.count("/"):
        return None
    names = set(mounts)
    if path == ROOT:
        return {name.partition("/")[0] for name in names}
    inside = {name.partition("/")[2] for name in names if name.startswith(f"{path}/")}
    return None if path in names or not inside else inside


def _order(place: _Place) -> str:
    return place.session_id or ""


def _folder(path: RepoPath) -> DriveFile:
    """Return a folder above the repos."""
    return DriveFile(path, FileKind.FOLDER, 0, _FOLDER_MODE, 0, is_writable=False)


def _get(tree: Snapshot | Session, path: RepoPath) -> FileInfo:
    if isinstance(tree, Snapshot):
        return tree.get(path, measure=False)
    found = tree.find(path)
    if found is None:
        raise PathNotFoundError(f"The session on {tree.info.repo} has no path {path!r}", path=path)
    return found


def _list(tree: Snapshot | Session, path: RepoPath, after: str, limit: int) -> Sequence[FileInfo]:
    if isinstance(tree, Snapshot):
        return list(islice(tree.list(path, after=after), limit))
    return tree.list(path, after=after, limit=limit)


def _check_folder(session: Session, path: RepoPath) -> None:
    if _get(session, path).kind is not FileKind.FOLDER:
        raise InvalidInputError(f"{path!r} is not a folder", kind=ErrorKind.INVALID_PATH)


def _check_free(session: Session, path: RepoPath, said: str) -> None:
    found = session.find(path)
    if found is not None:
        raise AlreadyExistsError(
            f"A {found.kind} is at {said!r}",
            kind=ErrorKind.PATH_EXISTS,
            hint="Choose another name, or delete it first",
            path=said,
        )
