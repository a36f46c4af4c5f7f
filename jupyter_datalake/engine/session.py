"""Sessions: a writable view of one branch, kept safe until it is committed or discarded.

A session's folder holds ``journal`` (what was done, in order), ``data/`` (working files, whose
bytes are where they were written) and ``lock`` (held by the one process that has it open). The
journal is replayed when the session is opened, so a killed process loses nothing that it had
told the system to write.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from jupyter_datalake.engine.blobs import BlobWriter, register_packs
from jupyter_datalake.engine.commits import (
    CommitRequest,
    CommitResult,
    commit_by_id,
    commit_changes,
    head_of,
)
from jupyter_datalake.engine.content import open_content, store_stream
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.journal import Journal, read_journal
from jupyter_datalake.engine.sources import Source, store_source, walk_folder
from jupyter_datalake.engine.worktree import DataFile, Node, Worktree, entry_with_mode
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    StateError,
    StorageError,
)
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Author, Commit, Provenance
from jupyter_datalake.model.entries import PERMISSION_BITS, FileEntry, decode_entry, symlink
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.paths import ROOT, RepoPath, is_within, name_of, parent_of
from jupyter_datalake.model.sessions import SessionInfo

_SESSIONS = "sessions"


class Session:
    """A writable view of one branch. Open with `open_session`, close when done.

    Safe to use from several threads; they take turns.
    """

    def __init__(self, core: LakeCore, info: SessionInfo, folder: Path, lock: int) -> None:
        self._core = core
        self._folder = folder
        self._lock_descriptor: int | None = lock
        self._mutex = threading.RLock()
        self._next_number = 1
        self.info = info
        self._base = commit_by_id(core, info.base_commit_id)
        self.tree = Worktree(core.snapshot(self._base))
        """What the session shows. Changes go through the session's methods, which journal them."""
        self._journal = self._replay()

    # --- looking ---------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The session's id."""
        return self.info.id

    @property
    def base(self) -> Commit:
        """The commit that the staged changes are relative to."""
        return self._base

    def diff(self, below: RepoPath = ROOT) -> Iterator[Change]:
        """Yield what is staged, by path; the cost is that of the changes."""
        with self._mutex:
            for change in self.tree.diff():
                if is_within(change.path, below):
                    yield change

    def find(self, path: RepoPath) -> FileInfo | None:
        """Return what is at a path, or None."""
        with self._mutex:
            node = self.tree.resolve(path)
            return None if node is None else self.tree.info(node)

    def list(self, path: RepoPath) -> list[FileInfo]:
        """Return the children of a folder, by name."""
        with self._mutex:
            node = self.tree.get(path)
            if not node.is_folder:
                raise InvalidInputError(
                    f"{path!r} is a {node.kind}, not a folder", kind=ErrorKind.INVALID_PATH
                )
            return [self.tree.info(child) for child in self.tree.iter_children(node)]

    def open(self, path: RepoPath) -> BinaryIO:
        """Return a file's present content as a binary file to read."""
        with self._mutex:
            node = self.tree.get(path)
            if node.data is not None:
                return open(node.data.path, "rb")
            if node.entry is None or node.kind is not FileKind.FILE:
                raise InvalidInputError(
                    f"{path!r} is a {node.kind}, not a file", kind=ErrorKind.INVALID_PATH
                )
            return open_content(self.tree.base.content_of(node.entry), path)

    # --- staging by path -------------------------------------------------------------------------

    def put(self, path: RepoPath, source: Source) -> None:
        """Stage a file: its bytes, a local file (mode and time are taken over), or a stream.

        Raises
        ------
        InvalidInputError
            `path` is the root, or a file stands where a folder is needed.
        StorageError
            The disk is full; what was staged before is still there.
        """
        with self._mutex, self._core.writer() as writer:
            entry = self._store(writer, source)
            self._stage_entries(writer, [(path, entry)])

    def put_tree(
        self,
        folder: Path,
        path: RepoPath,
        *,
        on_file: Callable[[Path, int], None] | None = None,
    ) -> Sequence[str]:
        """Stage everything below a local folder at `path`; return what was left out, with why.

        Files, symlinks and empty folders are taken; sockets, pipes, devices and what cannot be
        read are named in the result.

        Parameters
        ----------
        on_file
            Told of each file and its bytes, for progress.
        """
        skipped: list[str] = []
        staged: list[tuple[RepoPath, FileEntry]] = []
        with self._mutex, self._core.writer() as writer:
            for place, relative in walk_folder(folder, skipped):
                try:
                    entry = self._store(writer, place)
                except PermissionError:
                    skipped.append(f"{place}: no permission to read it")
                    continue
                staged.append((RepoPath(f"{path}/{relative}" if path else relative), entry))
                if on_file is not None:
                    on_file(place, entry.size_bytes)
            self._stage_entries(writer, staged)
        return skipped

    def put_entry(self, path: RepoPath, entry: FileEntry) -> None:
        """Stage content that the lake has already: a copy without moving bytes."""
        with self._mutex, self._core.writer() as writer:
            self._stage_entries(writer, [(path, entry)])

    def put_entries(self, entries: Iterable[tuple[RepoPath, FileEntry]]) -> None:
        """Stage many files whose content the lake has already."""
        with self._mutex, self._core.writer() as writer:
            self._stage_entries(writer, list(entries))

    def make_folder(self, path: RepoPath) -> None:
        """Stage a folder; it is there already if it exists."""
        with self._mutex:
            self._check_open()
            self.tree.make_folders(path, self._core.clock())
            self._journal.append(["folder", path, self._core.clock()])

    def delete(self, path: RepoPath) -> None:
        """Stage the removal of a file or of a folder with everything below it."""
        with self._mutex:
            if path == ROOT:
                for child in list(self.tree.iter_children(self.tree.root)):
                    self.remove(child)
            else:
                self.remove(self.tree.get(path))

    def rename(self, old: RepoPath, new: RepoPath) -> None:
        """Stage a move of a file or folder; what is at `new` must be a file, or nothing."""
        with self._mutex:
            node = self.tree.get(old)
            if is_within(new, old):
                raise InvalidInputError(
                    f"{old!r} cannot be moved into itself", kind=ErrorKind.INVALID_PATH
                )
            folder = self.tree.make_folders(parent_of(new), self._core.clock())
            existing = self.tree.lookup(folder, name_of(new))
            if existing is not None and existing.is_folder:
                raise AlreadyExistsError(
                    f"A folder is at {new!r}",
                    kind=ErrorKind.PATH_EXISTS,
                    hint="Choose another path, or remove the folder first",
                    path=new,
                )
            self.move(node, folder, name_of(new))

    def discard(self, paths: Iterable[RepoPath] | None = None) -> None:
        """Drop what is staged: at and below `paths`, or everything."""
        with self._mutex:
            self._check_open()
            if paths is None:
                self._start_over(self._base)
                return
            for path in paths:
                for change_path, old, _ in list(self.tree.iter_changes()):
                    if not is_within(change_path, path):
                        continue
                    if old is None:
                        node = self.tree.resolve(change_path)
                        if node is not None:
                            self.remove(node)
                    else:
                        self.put_entry(change_path, old)
        self._announce()

    # --- staging by node, for the mount ----------------------------------------------------------

    def create_file(self, folder: Node, name: str, mode: int) -> Node:
        """Make an empty file with a working file behind it; the name is free."""
        self._check_open()
        data = self._new_data()
        data.path.touch()
        node = Node(FileKind.FILE, name, folder, data=data, mode=mode & PERMISSION_BITS)
        self.tree.attach(folder, name, node)
        self._journal.append(["data", self.tree.path_of(node), data.number, node.mode])
        return node

    def create_folder(self, folder: Node, name: str, mode: int) -> Node:
        """Make a folder; the name is free."""
        self._check_open()
        now = self._core.clock()
        node = Node(FileKind.FOLDER, name, folder, mode=mode & PERMISSION_BITS, mtime_ns=now)
        self.tree.attach(folder, name, node)
        self._journal.append(["folder", self.tree.path_of(node), now])
        return node

    def create_symlink(self, folder: Node, name: str, target: bytes) -> Node:
        """Make a symlink; the name is free."""
        self._check_open()
        entry = symlink(target, mtime_ns=self._core.clock())
        node = Node(FileKind.SYMLINK, name, folder, entry=entry)
        self.tree.attach(folder, name, node)
        self._journal_entry(self.tree.path_of(node), entry)
        return node

    def writable(self, node: Node, *, truncate: bool = False) -> DataFile:
        """Return the working file of a file, copying its content there if need be."""
        self._check_open()
        if node.data is None:
            assert node.entry is not None
            data = self._new_data()
            with open(data.path, "wb") as file:
                if not truncate:
                    for chunk in self.tree.base.content_of(node.entry).iter_chunks():
                        file.write(chunk)
            os.utime(data.path, ns=(node.entry.mtime_ns, node.entry.mtime_ns))
            node.data, node.mode, node.entry = data, node.entry.mode, None
            self.restage(node)
        elif truncate:
            os.truncate(node.data.path, 0)
        return node.data

    def restage(self, node: Node) -> None:
        """Make sure that a working file which is being written is part of what is staged."""
        if not node.touched and node.data is not None and self.tree.is_attached(node):
            node.entry = None
            self.tree.touch(node)
            self._journal.append(["data", self.tree.path_of(node), node.data.number, node.mode])

    def remove(self, node: Node) -> None:
        """Take a node out of the tree; who has it open can go on using it."""
        self._check_open()
        path = self.tree.path_of(node)
        self.tree.detach(node)
        self._journal.append(["remove", path])

    def move(self, node: Node, folder: Node, name: str) -> None:
        """Move a node over whatever is at its new place, which the caller has checked."""
        self._check_open()
        old = self.tree.path_of(node)
        existing = self.tree.lookup(folder, name)
        if existing is node:
            return
        if existing is not None:
            self.tree.detach(existing)
        self.tree.detach(node)
        self.tree.attach(folder, name, node)
        self._journal.append(["move", old, self.tree.path_of(node)])

    def set_attributes(
        self, node: Node, *, mode: int | None = None, mtime_ns: int | None = None
    ) -> None:
        """Change permissions or time. A folder's are kept until the session ends, not committed."""
        self._check_open()
        if node.is_folder:
            node.mode = node.mode if mode is None else mode & PERMISSION_BITS
            node.mtime_ns = node.mtime_ns if mtime_ns is None else mtime_ns
            return
        if node.data is None:
            assert node.entry is not None
            entry = entry_with_mode(node.entry, node.entry.mode if mode is None else mode)
            if mtime_ns is not None:
                entry = replace(entry, mtime_ns=mtime_ns)
            if entry != node.entry:
                node.entry = entry
                self.tree.touch(node)
                self._journal_entry(self.tree.path_of(node), entry)
            return
        if mode is not None:
            node.mode = mode & PERMISSION_BITS
        if mtime_ns is not None:
            os.utime(node.data.path, ns=(mtime_ns, mtime_ns))
        if self.tree.is_attached(node):
            self.restage(node)
            self._journal.append(["data", self.tree.path_of(node), node.data.number, node.mode])

    def release(self, node: Node) -> None:
        """Tell that one user of a node is done; unneeded working files and nodes go away."""
        if node.pins:
            return
        if node.data is not None and not (node.touched and self.tree.is_attached(node)):
            node.data.path.unlink(missing_ok=True)
            node.data = None
        if node.parent is not None:
            self.tree.drop_if_unused(node)

    def sync(self) -> None:
        """Make what was staged survive the loss of power, except bytes of files still open."""
        self._journal.sync()

    # --- finishing -------------------------------------------------------------------------------

    def commit(
        self,
        message: str,
        author: Author,
        *,
        metadata: dict[str, str] | None = None,
        global_id: GlobalId | None = None,
        provenance: Provenance | None = None,
    ) -> tuple[CommitResult, Sequence[Node]]:
        """Commit what is staged onto the branch and go on from there.

        Returns
        -------
        result
            The new commit.
        changed
            Nodes in use whose content changed because somebody else's commits came in.

        Raises
        ------
        StateError
            Nothing is staged (``nothing-to-commit``).
        ConflictError
            Others changed the same paths; everything staged is still there.
        """
        with self._mutex:
            self._check_open()
            request = CommitRequest(
                repo=self.info.repo,
                branch=self.info.branch,
                message=message,
                author=author,
                metadata=metadata or {},
                global_id=global_id,
            )
            if provenance is not None:
                request = replace(request, provenance=provenance)
            staged = list(self.tree.iter_changes())
            with self._core.writer() as writer:
                changes: dict[RepoPath, FileEntry | None] = {}
                for path, old, new in staged:
                    entry = self._store_node(writer, new) if isinstance(new, Node) else new
                    # A file written with what it held before is no change worth a commit.
                    if not (entry and old and entry.same_content(old)):
                        changes[path] = entry
                if not changes:
                    raise StateError(
                        f"Nothing is staged for {self.info.repo}@{self.info.branch}",
                        kind=ErrorKind.NOTHING_TO_COMMIT,
                        hint="Write some files first",
                        session=self.id,
                    )
                result = commit_changes(
                    self._core, writer, self._base, changes, request, self._record_base
                )
            changed = self._start_over(result.commit)
            return result, changed

    def rebase(self) -> Sequence[Node]:
        """Take in what others committed, when nothing is staged; return the nodes that changed."""
        with self._mutex:
            head = head_of(self._core, self.info.repo, self.info.branch)
            if head.id == self._base.id or next(self.tree.iter_changes(), None) is not None:
                return []
            with self._core.metadata.write() as tx:
                tx.sessions.rebase(self.id, head.id)
            return self._start_over(head)

    def close(self) -> None:
        """Let go of the session; what is staged stays on disk. Safe to call twice."""
        with self._mutex:
            if self._lock_descriptor is not None:
                self._journal.close()
                os.close(self._lock_descriptor)
                self._lock_descriptor = None

    def destroy(self) -> None:
        """Remove the session and everything staged in it."""
        with self._mutex:
            self._check_open()
            with self._core.metadata.write() as tx:
                tx.sessions.delete(self.id)
                tx.events.append(EventKind.SESSION_CHANGED, self.id, repo=self.info.repo)
            shutil.rmtree(self._folder, ignore_errors=True)
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # --- inside ----------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._lock_descriptor is None:
            raise StateError(
                f"Session {self.id} is closed",
                kind=ErrorKind.SESSION_CLOSED,
                hint="Open it again",
                session=self.id,
            )

    def _record_base(self, tx: Transaction, commit: Commit) -> None:
        tx.sessions.rebase(self.id, commit.id)
        tx.events.append(EventKind.SESSION_CHANGED, self.id, repo=self.info.repo)

    def _announce(self) -> None:
        with self._core.metadata.write() as tx:
            tx.events.append(EventKind.SESSION_CHANGED, self.id, repo=self.info.repo)

    def _store(self, writer: BlobWriter, source: Source) -> FileEntry:
        return store_source(writer, source, self._core.chunking, now_ns=self._core.clock())

    def _store_node(self, writer: BlobWriter, node: Node) -> FileEntry:
        assert node.data is not None
        with open(node.data.path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            return store_stream(
                writer, file, self._core.chunking, mode=node.mode, mtime_ns=status.st_mtime_ns
            )

    def _stage_entries(
        self, writer: BlobWriter, entries: Iterable[tuple[RepoPath, FileEntry]]
    ) -> None:
        """Put entries into the tree, once their chunks are durable and findable."""
        self._check_open()
        packs = writer.seal()
        if packs:
            with self._core.metadata.write() as tx:
                register_packs(tx, packs)
        for path, entry in entries:
            if path == ROOT:
                raise InvalidInputError(
                    "The root of a repo is a folder; give the file a name",
                    kind=ErrorKind.INVALID_PATH,
                )
            self.tree.set_entry(path, entry)
            self._journal_entry(path, entry)

    def _journal_entry(self, path: RepoPath, entry: FileEntry) -> None:
        self._journal.append(["entry", path, entry.encode(), entry.size_bytes])

    def _new_data(self) -> DataFile:
        number = self._next_number
        self._next_number += 1
        return DataFile(number, self._folder / "data" / str(number))

    def _start_over(self, base: Commit) -> Sequence[Node]:
        """Show `base` with nothing staged; drop the journal and the working files not in use."""
        self._base = base
        self.info = replace(self.info, base_commit_id=base.id)
        changed = self.tree.reset(self._core.snapshot(base))
        self._journal.close()
        fresh = self._folder / "journal.new"
        fresh.unlink(missing_ok=True)
        journal = Journal(fresh)
        journal.append(["base", base.id])
        journal.sync()
        os.replace(fresh, self._folder / "journal")
        self._journal = journal
        in_use = {node.data.number for node in self._nodes_with_data(self.tree.root) if node.data}
        for file in (self._folder / "data").iterdir():
            if int(file.name) not in in_use:
                file.unlink(missing_ok=True)
        return changed

    def _nodes_with_data(self, node: Node) -> Iterator[Node]:
        if node.data is not None:
            yield node
        for child in node.children.values():
            yield from self._nodes_with_data(child)

    def _replay(self) -> Journal:
        """Bring the tree to where the journal left it and return the journal, open."""
        path = self._folder / "journal"
        (self._folder / "data").mkdir(exist_ok=True)
        numbers = [int(file.name) for file in (self._folder / "data").iterdir()]
        self._next_number = max(numbers, default=0) + 1
        for record in read_journal(path):
            if record[0] == "base" and record[1] != self._base.id:
                # Killed between moving the branch and dropping the journal: what it holds is
                # committed already.
                return self._drop_committed(path)
            self._apply(record)
        journal = Journal(path)
        if path.stat().st_size <= len(b"JDLJRNL\x01"):
            journal.append(["base", self._base.id])
        return journal

    def _drop_committed(self, path: Path) -> Journal:
        self.tree.reset(self.tree.base)
        path.unlink()
        shutil.rmtree(self._folder / "data")
        (self._folder / "data").mkdir()
        journal = Journal(path)
        journal.append(["base", self._base.id])
        return journal

    def _apply(self, record: Sequence[Any]) -> None:
        """Repeat one journalled act; it happened, so nothing is checked again."""
        kind, *values = record
        if kind == "entry":
            path, encoded, size_bytes = values
            self.tree.set_entry(RepoPath(path), decode_entry(encoded, size_bytes))
        elif kind == "data":
            self._apply_data(RepoPath(values[0]), values[1], values[2])
        elif kind == "folder":
            self.tree.make_folders(RepoPath(values[0]), values[1])
        elif kind == "remove":
            node = self.tree.resolve(RepoPath(values[0]))
            if node is not None:
                self.tree.detach(node)
        elif kind == "move":
            node = self.tree.get(RepoPath(values[0]))
            target = RepoPath(values[1])
            folder = self.tree.get(parent_of(target))
            existing = self.tree.lookup(folder, name_of(target))
            if existing is not None:
                self.tree.detach(existing)
            self.tree.detach(node)
            self.tree.attach(folder, name_of(target), node)

    def _apply_data(self, path: RepoPath, number: int, mode: int) -> None:
        data = DataFile(number, self._folder / "data" / str(number))
        if not data.path.exists():
            data.path.touch()  # killed between the record and the first byte
        folder = self.tree.get(parent_of(path))
        existing = self.tree.lookup(folder, name_of(path))
        if existing is not None and existing.kind is FileKind.FILE:
            existing.data, existing.entry, existing.mode = data, None, mode
            self.tree.touch(existing)
            return
        node = Node(FileKind.FILE, name_of(path), folder, data=data, mode=mode)
        self.tree.attach(folder, name_of(path), node)


# --- opening -------------------------------------------------------------------------------------


def sessions_folder(core: LakeCore) -> Path:
    """Return where the lake's sessions are on this machine."""
    return core.work_folder / _SESSIONS


def create_session(core: LakeCore, repo: str, branch: str, author: Author, new_id: str) -> Session:
    """Begin a session on a branch's head and open it."""
    head = head_of(core, repo, branch)
    with core.metadata.write() as tx:
        info = tx.sessions.create(new_id, tx.repos.get(repo), branch, head.id, str(author))
        tx.events.append(EventKind.SESSION_CHANGED, new_id, repo=repo)
    return open_session(core, info)


def open_session(core: LakeCore, info: SessionInfo) -> Session:
    """Open a session, replaying its journal.

    Raises
    ------
    ConflictError
        Another process has it open (``session-busy``).
    """
    folder = sessions_folder(core) / info.id
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with _translated(folder):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with core.metadata.read() as tx:
            info = tx.sessions.get(info.id)  # its base may have moved since the caller looked
        return Session(core, info, folder, lock)
    except BlockingIOError as error:
        os.close(lock)
        raise ConflictError(
            f"Session {info.id} on {info.repo}@{info.branch} is open in another process",
            kind=ErrorKind.SESSION_BUSY,
            hint="If it is mounted, work in the mounted folder",
            retryable=True,
            session=info.id,
        ) from error
    except BaseException:
        os.close(lock)
        raise


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        raise StorageError(
            f"The session folder {folder} cannot be used: {error.strerror}", path=str(folder)
        ) from error
