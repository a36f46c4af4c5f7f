"""Sessions: a writable view of one branch, kept safe until it is committed or discarded.

A session's folder holds ``journal`` (what was done, in order), ``data/`` (working files, whose
bytes are where they were written) and ``lock`` (held by the one process that has it open). The
journal is replayed when the session is opened, so a killed process loses nothing that it had
told the system to write.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from jupyter_datalake.engine import restoring
from jupyter_datalake.engine.blobs import BlobWriter, register_packs
from jupyter_datalake.engine.changed_children import Ours, changed_children
from jupyter_datalake.engine.commits import (
    BranchChanges,
    CommitRequest,
    CommitResult,
    commit_by_id,
    commit_together,
    edit_of,
    head_of,
)
from jupyter_datalake.engine.content import open_content, store_stream
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.rebasing import is_closed, old_times
from jupyter_datalake.engine.reverting import revert
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.sources import Source, store_source, walk_folder
from jupyter_datalake.engine.staged_tree import StagedTree
from jupyter_datalake.engine.tree_nodes import DataFile, Node, Shift, StillNode
from jupyter_datalake.engine.worktree import StagedChange, Worktree, entry_with_mode
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    StateError,
    StorageError,
)
from jupyter_datalake.file_locks import try_lock
from jupyter_datalake.metadata.pins import draft_owner, session_owner
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.changes import Change, ChangedChild
from jupyter_datalake.model.commits import Author, Commit, Provenance
from jupyter_datalake.model.entries import (
    DEFAULT_FILE_MODE,
    DEFAULT_FOLDER_MODE,
    FileEntry,
)
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import Digest, GlobalId, short_id
from jupyter_datalake.model.manifests import Edit, edit_manifest
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    comes_behind,
    is_within,
    join_path,
    name_of,
    parent_of,
)
from jupyter_datalake.model.sessions import NO_CHOICES, Choices, SessionInfo
from jupyter_datalake.storage.local import sync_folder

logger = logging.getLogger(__name__)

_SESSIONS = "sessions"
_PIECE_BYTES = 1024 * 1024
_AGAIN_S = 0.005
_LARGE_BYTES = 256 * 1024 * 1024

_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class Staged:
    """What a session held at one moment, about to be committed."""

    base: Commit
    tree: Worktree
    """As it was then."""
    listed: Sequence[StagedChange] | None = None
    """All the changes of it, where they are few enough to be in memory."""
    left_out: Collection[Node] = frozenset()
    """Files of the tree that are not meant."""
    entries: dict[Node, FileEntry] = field(default_factory=dict)
    """What the working files were found to hold; filled by `Session.publish`."""

    @property
    def changes(self) -> Iterator[StagedChange]:
        """What differs from `base`, or from `folded` where something was, in order of keys."""
        for path, old, new in self.tree.iter_touched() if self.listed is None else self.listed:
            if not (isinstance(new, Node) and new in self.left_out):
                yield path, old, new

    @property
    def folded(self) -> Digest | None:
        """The tree that holds what was staged before and has left the memory."""
        return self.tree.base.root if self.tree.is_folded else None

    @property
    def edits(self) -> Iterator[Edit]:
        """The same as edits of a tree, once the working files are stored."""
        for path, _, new in self.changes:
            yield edit_of(path, self.entries[new] if isinstance(new, Node) else new)

    def settle_files(self) -> None:
        """Let the session's nodes know what their working files hold."""
        for node, entry in self.entries.items():
            assert isinstance(node, StillNode)
            node.source.entry = entry


class Session(StagedTree):
    """A writable view of one branch. Open with `open_session`, close when done.

    The methods here may be called from several threads; they take turns. Those that are
    inherited take no lock.
    """

    def __init__(self, core: LakeCore, info: SessionInfo, folder: Path, lock: int) -> None:
        base = commit_by_id(core, info.base_commit_id)
        super().__init__(
            folder,
            base.id,
            core.snapshot(base),
            lambda root: core.tree(root, f"session {short_id(info.id)}"),
            core.clock,
            core.disk,
        )
        self._core = core
        self._depth = 0
        """Verbs that are under way: one may make use of others."""
        self._folds_at = core.staged_count
        self._base = base
        self._lock_descriptor: int | None = lock
        self._mutex = threading.RLock()
        self._is_name_durable = False
        self.info = info

    # --- looking ---------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The session's id."""
        return self.info.id

    @property
    def base(self) -> Commit:
        """The commit that the staged changes are relative to."""
        return self._base

    @property
    def has_changes(self) -> bool:
        """Whether anything is staged, if only a file that was written with what it held."""
        with self._mutex:
            return next(self.tree.iter_changes(), None) is not None

    def diff(self, below: RepoPath = ROOT, *, after: RepoPath = ROOT) -> Iterator[Change]:
        """Yield what is staged, by path; the cost is that of the changes.

        A file of which the time alone is another one is none, as a commit does not take it.

        Parameters
        ----------
        after
            Only what comes behind this path.
        """
        with self._mutex:
            for path, old, new in self._iter_shown(below, after):
                yield self.tree.shown_change(path, old, new)

    def staged(
        self, below: RepoPath, limit: int, *, after: RepoPath = ROOT
    ) -> Sequence[StagedChange]:
        """Return what is staged, at most `limit`, for `show_staged`: the quick half of `diff`."""
        with self._mutex:
            return list(islice(self._iter_shown(below, after), limit))

    def changed_children(self, folder: RepoPath) -> Sequence[ChangedChild]:
        """Return the children of a folder in which something is staged; no file is looked at."""
        return self.changed_children_of(self.still(), folder)

    def still(self) -> Worktree:
        """Return what is staged at this moment, to be looked at while others go on."""
        with self._mutex:
            return self.tree.still()

    def changed_children_of(self, tree: Worktree, folder: RepoPath) -> Sequence[ChangedChild]:
        """Return the same of what was staged at another moment; the long part of it."""
        head = self._core.snapshot(head_of(self._core, self.info.repo, self.info.branch))
        ours = map(_as_ours, filter(_is_shown, tree.iter_changes(folder)))
        found = changed_children(
            ours, folder, tree.committed, head, lambda path: tree.resolve(path) is not None
        )
        return list(found)

    def _iter_shown(self, below: RepoPath, after: RepoPath) -> Iterator[StagedChange]:
        shown = filter(_is_shown, self.tree.iter_changes(below))
        return (change for change in shown if comes_behind(change[0], after))

    def show_staged(self, staged: Sequence[StagedChange]) -> Sequence[Change]:
        """Return as people see it what was staged, but for what was dropped since then."""
        with self._mutex:
            found = []
            for path, old, new in staged:
                if isinstance(new, Node) and not self.tree.is_attached(new):
                    now = self.tree.resolve(path)
                    if now is None or now.entry is None or now.entry != new.entry:
                        continue  # else it was folded, and another node shows the same
                with suppress(FileNotFoundError):
                    found.append(self.tree.shown_change(path, old, new))
            return found

    def find(self, path: RepoPath) -> FileInfo | None:
        """Return what is at a path, or None."""
        with self._mutex:
            node = self.tree.resolve(path)
            return None if node is None else self.tree.info(node)

    def list(self, path: RepoPath, *, after: str = "", limit: int | None = None) -> list[FileInfo]:
        """Return the children of a folder, by name: at most `limit` behind the name `after`."""
        with self._mutex:
            node = self.tree.get(path)
            if not node.is_folder:
                raise InvalidInputError(
                    f"{path!r} is a {node.kind}, not a folder", kind=ErrorKind.INVALID_PATH
                )
            return [
                self.tree.info(child)
                for child in islice(self.tree.iter_children(node, after), limit)
            ]

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

    def put(self, path: RepoPath, source: Source, *, mode: int | None = None) -> None:
        """Stage a file: its bytes, a local file (mode and time are taken over), or a stream.

        Parameters
        ----------
        mode
            Its permissions, where they are not those of the source.

        Raises
        ------
        InvalidInputError
            `path` is the root, or a file stands where a folder is needed.
        StorageError
            The disk is full; what was staged before is still there.
        """
        with self._acting(), self._core.writer() as writer:
            entry = self._store(writer, source)
            if mode is not None:
                entry = entry_with_mode(entry, mode)
            self._stage_entries(writer, [(path, entry)])

    def put_tree(
        self,
        folder: Path,
        path: RepoPath,
        *,
        on_file: Callable[[Path, int], None] | None = None,
        ignore: bool = True,
    ) -> Sequence[str]:
        """Stage everything below a local folder at `path`; return what was left out, with why.

        Files, symlinks and empty folders are taken; sockets, pipes, devices and what cannot be
        read are named in the result.

        Parameters
        ----------
        on_file
            Told of each file and its bytes, for progress.
        ignore
            Whether the files ``.datalakeignore`` say what is not taken.
        """
        skipped: list[str] = []
        with self._mutex:
            for some in self._portions(walk_folder(folder, skipped, ignore=ignore)):
                with self._acting(), self._core.writer() as writer:
                    staged: list[tuple[RepoPath, FileEntry]] = []
                    for place, relative in some:
                        try:
                            entry = self._store(writer, place)
                        except PermissionError:
                            skipped.append(f"{place}: no permission to read it")
                            continue
                        staged.append((join_path(path, relative), entry))
                        if on_file is not None:
                            on_file(place, entry.size_bytes)
                    self._stage_entries(writer, staged)
        return skipped

    def put_files(self, files: Iterable[tuple[RepoPath, Path]]) -> None:
        """Stage many local files, as `put` does each; they share packs and transactions."""
        with self._mutex:
            for some in self._portions(files):
                with self._acting(), self._core.writer() as writer:
                    entries = [(path, self._store(writer, place)) for path, place in some]
                    self._stage_entries(writer, entries)

    def put_entry(self, path: RepoPath, entry: FileEntry) -> None:
        """Stage content that the session's base has already: a copy without moving bytes."""
        with self._acting(), self._core.writer() as writer:
            self._stage_entries(writer, [(path, entry)])

    def put_entries(
        self, entries: Iterable[tuple[RepoPath, FileEntry]], origin: Snapshot | None = None
    ) -> None:
        """Stage many files whose content the lake has already.

        Parameters
        ----------
        origin
            The tree they are from, if it is not the session's base.
        """
        with self._mutex:
            for some in self._portions(entries):
                with self._acting(), self._core.writer() as writer:
                    if origin is not None and origin.commit_id is not None:
                        writer.count_on(origin.commit_id)
                    self._stage_entries(writer, some)

    def copy(self, tree: Snapshot, source: RepoPath, target: RepoPath) -> None:
        """Stage a copy of a file or folder of a commit of this lake; no bytes move."""
        self.put_entries(
            (
                (_moved(found, source, target), entry)
                for found, entry in tree.iter_entries(source)
                if is_within(found, source)
            ),
            tree,
        )

    def copy_shown(self, source: Session, path: RepoPath, target: RepoPath) -> None:
        """Stage a copy of what a session, perhaps this one, shows at a path.

        Only bytes of working files are read; what the lake has already is not moved.
        """
        with source._mutex:
            tree = source.tree.still()
            place = tree.get(path)
            with self._acting(), self._core.writer() as writer:
                working = [
                    (found, self._copy_of(writer, one))
                    for found, one in tree.effective(place, target)
                    if isinstance(one, Node)
                ]
                self._stage_entries(writer, working)
            self.put_entries(
                (
                    (found, one)
                    for found, one in tree.effective(place, target)
                    if not isinstance(one, Node)
                ),
                tree.committed,
            )

    def write(self, path: RepoPath, source: BinaryIO, offset: int) -> None:
        """Stage a write into a file, which is made if nothing is at `path`.

        What is beyond its end reads as zeros. Killed on the way, all of it is there or nothing; of
        a file that was written to before, the first of the bytes may be there alone.

        Parameters
        ----------
        offset
            Where in the file; -1 for its end.

        Raises
        ------
        PathNotFoundError
            The folder of `path` is missing.
        InvalidInputError
            A folder or symlink is at `path`.
        StorageError
            The disk is full.
        """
        with self._acting():
            self.check_open()
            node = self.tree.resolve(path)
            found = self.tree.get(parent_of(path)) if node is None else node
            if found.is_folder is not (node is None) or found.kind is FileKind.SYMLINK:
                raise InvalidInputError(
                    f"{self.tree.path_of(found)!r} is a {found.kind}, and cannot be written to",
                    kind=ErrorKind.INVALID_PATH,
                )
            with _translated(self._folder):
                if node is not None and node.data is not None:
                    self.restage(node)
                    self._write_into(node.data, source, offset)
                else:
                    self._write_apart(path, found, node, source, offset)

    def _write_apart(
        self, path: RepoPath, found: Node, node: Node | None, source: BinaryIO, offset: int
    ) -> None:
        """Write into a file of its own, which becomes the file's content with one record."""
        data = self.new_data() if node is None else self.copy_out(_entry_known(node))
        try:
            self._write_into(data, source, offset)
            if node is None:
                self.take_new(found, name_of(path), DEFAULT_FILE_MODE, data)
            else:
                self.take(node, data)
        except BaseException:
            self.drop(data)
            raise

    def _write_into(self, data: DataFile, source: BinaryIO, offset: int) -> None:
        with open(data.path, "r+b") as file:
            if offset < 0:
                file.seek(0, os.SEEK_END)
            else:
                file.seek(offset)
            shutil.copyfileobj(source, file, _PIECE_BYTES)
            file.flush()
            self.sync_file(file.fileno())

    def restore(self, source: Snapshot, path: RepoPath) -> None:
        """Stage that exactly what a commit has at and below a path is there; no bytes move."""
        with self._mutex:
            self.check_open()
            restoring.restore(self, source, path)

    def make_folder(self, path: RepoPath) -> None:
        """Stage a folder; it is there already if it exists."""
        with self._acting():
            self.check_open()
            self._make_folders(path)

    def delete(self, path: RepoPath) -> None:
        """Stage the removal of a file or of a folder with everything below it."""
        with self._acting():
            if path == ROOT:
                for child in list(self.tree.iter_children(self.tree.root)):
                    self.remove(child)
            else:
                self.remove(self.tree.get(path))

    def rename(self, old: RepoPath, new: RepoPath) -> None:
        """Stage a move of a file or folder; what is at `new` must be a file, or nothing."""
        with self._acting():
            self.check_open()
            node = self.tree.get(old)
            if is_within(new, old):
                raise InvalidInputError(
                    f"{old!r} cannot be moved into itself", kind=ErrorKind.INVALID_PATH
                )
            existing = self.tree.resolve(new)
            if existing is not None and existing.is_folder:
                raise AlreadyExistsError(
                    f"A folder is at {new!r}",
                    kind=ErrorKind.PATH_EXISTS,
                    hint="Choose another path, or remove the folder first",
                    path=new,
                )
            self.move(node, self._make_folders(parent_of(new)), name_of(new))

    def discard(
        self, paths: Iterable[RepoPath] | None = None, *, keep_draft: bool = False
    ) -> Shift:
        """Drop what is staged: at and below `paths`, or everything.

        Parameters
        ----------
        keep_draft
            Whether the draft of it stays, where everything is dropped: it lies elsewhere too.
        """
        with self._mutex:
            self.check_open()
            if paths is None:
                shift = self._go_on_from(self._base)
            else:
                shift = Shift()
                for path in paths:
                    revert(self, path, shift)
        self._announce(release=paths is None, with_draft=not keep_draft)
        return shift

    # --- finishing -------------------------------------------------------------------------------

    def commit(
        self,
        message: str,
        author: Author,
        *,
        metadata: dict[str, str] | None = None,
        global_id: GlobalId | None = None,
        provenance: Provenance | None = None,
        choices: Choices = NO_CHOICES,
    ) -> tuple[CommitResult, Shift]:
        """Commit what is staged onto the branch and go on from there.

        Parameters
        ----------
        choices
            Whose version is committed of paths that others changed too.

        Returns
        -------
        result
            The new commit.
        shift
            What changed for nodes in use because somebody else's commits came in.

        Raises
        ------
        StateError
            Nothing is staged (``nothing-to-commit``).
        ConflictError
            Others changed the same paths; everything staged is still there.
        """
        with self._mutex:
            staged = self.collect()
            result = self.publish(
                staged,
                message,
                author,
                metadata=metadata,
                global_id=global_id,
                provenance=provenance,
                choices=choices,
            )
            return result, self.settle(staged, result.commit)

    def collect(self) -> Staged:
        """Return what is staged, for `publish`: the first of the three steps of a commit.

        Until the last of them nothing may be staged or written; the tree may be looked at.

        Raises
        ------
        StorageError
            The disk failed before (``storage-failed``): what is read of working files may not be
            what was written to them.
        """
        self.check_open()
        self._disk.check()
        tree, most = self.tree.still(), self._core.staged_count
        few = list(islice(tree.iter_touched(), most + 1))
        return Staged(self._base, tree, few if len(few) <= most else None)

    def publish(
        self,
        staged: Staged,
        message: str,
        author: Author,
        *,
        metadata: dict[str, str] | None = None,
        global_id: GlobalId | None = None,
        provenance: Provenance | None = None,
        choices: Choices = NO_CHOICES,
    ) -> CommitResult:
        """Store what was collected and move the branch; the long second step of a commit.

        It looks at working files and not at the tree, so others may, in other threads.
        """
        request = self._request(message, author, metadata)
        request = replace(request, global_id=global_id)
        if provenance is not None:
            request = replace(request, provenance=provenance)
        with self._core.writer() as writer:
            part = self._store_staged(staged, writer, request)
            if not part.changes_anything:
                raise StateError(
                    f"Nothing is staged for {self.info.repo}@{self.info.branch}",
                    kind=ErrorKind.NOTHING_TO_COMMIT,
                    hint="Write some files first",
                    session=self.id,
                )
            return commit_together(self._core, [replace(part, choices=choices)])[0]

    def _request(
        self, message: str, author: Author, metadata: dict[str, str] | None
    ) -> CommitRequest:
        return CommitRequest(
            repo=self.info.repo,
            branch=self.info.branch,
            message=message,
            author=author,
            metadata=metadata or {},
        )

    def _store_staged(
        self, staged: Staged, writer: BlobWriter, request: CommitRequest
    ) -> BranchChanges:
        """Store the working files among what was collected, and return all of it as changes."""
        self._store_files(writer, staged)
        if staged.folded is not None or staged.listed is None:
            tree = self._whole_tree(writer, staged)
            return BranchChanges(writer, staged.base, {}, request, self._record_base, tree)
        changes = {}
        for path, old, new in staged.changes:
            entry = staged.entries[new] if isinstance(new, Node) else new
            # A file written with what it held before is no change worth a commit.
            if not (entry and old and entry.same_content(old)):
                changes[path] = entry
        return BranchChanges(writer, staged.base, changes, request, self._record_base)

    def _store_files(self, writer: BlobWriter, staged: Staged) -> None:
        """Store the content of the working files; `settle` wants to know what they hold."""
        for _, _, new in staged.changes:
            if isinstance(new, Node):
                staged.entries[new] = self._copy_of(writer, new)

    def _whole_tree(self, writer: BlobWriter, staged: Staged) -> Digest:
        """Store the tree that is to be committed, where there is too much to list, or was."""
        nodes = NodeWriter(self._core.nodes, writer)
        base = staged.base.root
        root = edit_manifest(nodes, staged.folded or base, staged.edits)
        root = edit_manifest(nodes, root, old_times(nodes, base, root))
        writer.publish()
        nodes.publish()
        return root

    def settle(self, staged: Staged, commit: Commit) -> Shift:
        """Go on from the commit that was published; the last step."""
        with self._mutex:
            staged.settle_files()
            return self._go_on_from(commit)

    # --- folding ---------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether so much was staged since the last `fold` that another one is due."""
        return self.acts >= self._folds_at

    def fold(self) -> None:
        """Store what is staged as a tree of the lake, kept for this session, and stand on that.

        Memory and journal are free then; what is staged is what differs from the commit. Killed at
        any moment, the session is the same, folded or not.
        """
        with self._mutex:
            staged = self.collect_fold()
            self.fold_in(staged, self.store_fold(staged))

    def collect_fold(self) -> Staged:
        """Return what of that which is staged is to be folded, as `collect`.

        Files that are being written to stay as they are, and so do very large ones: they would have
        to be stored again and again, and are few.
        """
        staged = self.collect()
        files = (new for _, _, new in staged.changes if isinstance(new, Node))
        return replace(staged, left_out={one for one in files if not _is_settled(one)})

    def store_fold(self, staged: Staged) -> Digest:
        """Store the tree that holds what was collected, and keep it from gc; the long first half.

        It looks at working files and not at the tree, as `publish`.
        """
        with self._core.writer() as writer:
            self._store_files(writer, staged)
            nodes = NodeWriter(self._core.nodes, writer)
            root = edit_manifest(nodes, staged.folded or staged.base.root, staged.edits)
            packs = writer.seal()
            with self._core.metadata.write() as tx:
                register_packs(tx, packs)
                tx.pins.add(session_owner(self.id), [(BlobKind.NODE, root)])
            nodes.publish()
        return root

    def fold_in(self, staged: Staged, root: Digest) -> None:
        """Stand on the tree that `store_fold` stored."""
        with self._mutex:
            staged.settle_files()
            try:
                with _translated(self._folder):
                    tree = self._core.tree(root, self.tree.base.label)
                    limit = self._core.staged_count
                    self.go_on_over(self._base.id, tree, folder_limit=limit)
            except BaseException:
                self.close()
                raise
            self._folds_at = self._core.staged_count
            with suppress(StorageError), self._core.metadata.write() as tx:
                # The tree holds all that was pinned before, but for what is staged no more. Where
                # that cannot be written, too much is kept until the next time.
                tx.pins.release(session_owner(self.id))
                tx.pins.add(session_owner(self.id), [(BlobKind.NODE, root)])

    @contextmanager
    def _acting(self) -> Iterator[None]:
        """Let one verb after the other act; fold when one has ended that filled the memory."""
        with self._mutex:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            if not self._depth and self.is_full:
                self._fold_if_possible()

    def _portions(self, things: Iterable[_Thing]) -> Iterator[Sequence[_Thing]]:
        """Yield portions of as many things as are staged in memory."""
        rest = iter(things)
        while some := [*islice(rest, self._core.staged_count)]:
            yield some

    def _fold_if_possible(self) -> None:
        try:
            self.fold()
        except (DatalakeError, OSError) as error:
            if not self.is_open:
                raise
            self.put_off_fold(error)

    def put_off_fold(self, error: Exception) -> None:
        """Go on without it: what is staged is as it was, and takes more memory until next time."""
        self._folds_at = self.acts + self._core.staged_count
        logger.warning("Session %s could not be folded: %s", self.id, error)

    def rebase(self) -> Shift:
        """Take in what others committed, when nothing is staged."""
        with self._mutex:
            head = head_of(self._core, self.info.repo, self.info.branch)
            if head.id == self._base.id or self.has_changes:
                return Shift()
            with self._core.metadata.write() as tx:
                tx.sessions.rebase(self.id, head.id)
            return self._go_on_from(head)

    def sync(self) -> None:
        """Make what was staged survive the loss of power.

        Bytes of working files are not synced: who wrote them does that, as on any file system.
        """
        with self._mutex, _translated(self._folder):
            self.flush()
            if not self._is_name_durable:
                above = self._folder.parents
                with self._disk.writing(str(self._folder)):
                    for folder in above[: above.index(self._core.work_folder.parent) + 1]:
                        sync_folder(folder)
                self._is_name_durable = True

    def check_open(self) -> None:
        """Raise `StateError` if the session was closed."""
        if not self.is_open:
            raise StateError(
                f"Session {self.id} is closed",
                kind=ErrorKind.SESSION_CLOSED,
                hint="Open it again",
                session=self.id,
            )

    def close(self) -> None:
        """Let go of the session; what is staged stays, as after `sync`. Safe to call twice.

        Raises
        ------
        StorageError
            The disk failed: a power cut may lose what was staged last.
        """
        with self._mutex:
            try:
                if self.is_open and not self._is_durable:
                    self.sync()
            finally:
                self._let_go()

    def destroy(self, *, with_draft: bool = False) -> None:
        """Remove the session and everything staged in it.

        Parameters
        ----------
        with_draft
            Whether its draft goes in the same moment. A session that lost its folder looks as if
            nothing were staged, and its draft is all there is: whoever tidies up leaves it.
        """
        with self._mutex:
            self.check_open()
            self._disk.check()
            try:
                try:
                    self._forget(with_draft=with_draft)
                except StorageError:
                    # A full disk: deleting a row takes space too, and this may be what has it.
                    shutil.rmtree(self._folder, ignore_errors=True)
                    self._forget(with_draft=with_draft)
                shutil.rmtree(self._folder, ignore_errors=True)
            finally:
                self._let_go()

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

    def _let_go(self) -> None:
        self.close_journal()
        self._files.close()
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None

    def _forget(self, *, with_draft: bool) -> None:
        with self._core.metadata.write() as tx:
            if with_draft:
                forget_draft(tx, self.id)
            tx.pins.release(session_owner(self.id))
            tx.sessions.delete(self.id)
            tx.events.append(EventKind.SESSION_CHANGED, self.id, repo=self.info.repo)

    def _record_base(self, tx: Transaction, commit: Commit) -> None:
        tx.sessions.rebase(self.id, commit.id)
        tx.pins.release(session_owner(self.id))
        forget_draft(tx, self.id)
        tx.events.append(EventKind.SESSION_CHANGED, self.id, repo=self.info.repo)

    def announce(self) -> None:
        """Tell followers of the lake's events that something else is staged now."""
        self._announce(release=False)

    def _announce(self, *, release: bool, with_draft: bool = False) -> None:
        with self._core.metadata.write() as tx:
            if release:
                tx.pins.release(session_owner(self.id))
            if release and with_draft:
                forget_draft(tx, self.id)
            tx.events.append(EventKind.SESSION_CHANGED, self.id, repo=self.info.repo)

    def _store(self, writer: BlobWriter, source: Source) -> FileEntry:
        return store_source(writer, source, self._core.chunking, now_ns=self._core.clock())

    def _copy_of(self, writer: BlobWriter, node: Node) -> FileEntry:
        """Store the content of a working file and return its entry."""
        assert node.data is not None
        with open(node.data.path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            return store_stream(
                writer, file, self._core.chunking, mode=node.mode, mtime_ns=status.st_mtime_ns
            )

    def _stage_entries(
        self, writer: BlobWriter, entries: Sequence[tuple[RepoPath, FileEntry]]
    ) -> None:
        """Put entries into the tree, once their chunks are durable, findable and kept by gc."""
        self.check_open()
        packs = writer.seal()
        roots = [root for _, entry in entries if (root := entry.blob) is not None]
        if packs or roots:
            with self._core.metadata.write() as tx:
                register_packs(tx, packs)
                tx.pins.add(session_owner(self.id), roots)
        for path, entry in entries:
            if path == ROOT:
                raise InvalidInputError(
                    "The root of a repo is a folder; give the file a name",
                    kind=ErrorKind.INVALID_PATH,
                )
            existing = self.tree.resolve(path) if self._files else None
            data = None if existing is None else existing.data
            node = self.tree.set_entry(path, entry)
            self._journal_entry(path, entry)
            if data is not None and existing is node:
                self._files.remove(data)

    def _make_folders(self, path: RepoPath) -> Node:
        """Return the folder at a path; what is missing is made and journalled."""
        node = self.tree.resolve(path)
        if node is None or not node.is_folder:
            now = self._core.clock()
            node = self.tree.make_folders(path, now)
            self._append(["folder", path, now, DEFAULT_FOLDER_MODE])
        return node

    def _go_on_from(self, base: Commit) -> Shift:
        try:
            with _translated(self._folder):
                shift = self.start_over(base.id, self._core.snapshot(base))
        except BaseException:
            self.close()
            raise
        self._base = base
        self._folds_at = self._core.staged_count
        self.info = replace(self.info, base_commit_id=base.id)
        return shift


def _is_shown(change: StagedChange) -> bool:
    """Tell whether a commit would take a change; of a working file that is known by reading it."""
    _, old, new = change
    return not (isinstance(new, FileEntry) and old is not None and new.same_content(old))


def _as_ours(change: StagedChange) -> Ours:
    path, _, new = change
    if isinstance(new, Node):
        return Ours(path, not new.is_folder)
    return Ours(path, is_closed(new), new)


def _is_settled(file: Node) -> bool:
    """Tell whether the content of a working file may be stored now."""
    assert file.data is not None
    return not file.writers and file.data.path.stat().st_size <= _LARGE_BYTES


def _entry_known(node: Node) -> FileEntry:
    assert node.entry is not None
    return node.entry


def forget_draft(tx: Transaction, session_id: str) -> None:
    """Drop the draft of a session, if there is one: it was committed, or is not wanted."""
    tx.pins.release(draft_owner(session_id))
    tx.sessions.delete_draft(session_id)


# --- several at once -----------------------------------------------------------------------------


def commit_sessions(
    core: LakeCore,
    sessions: Sequence[Session],
    message: str,
    author: Author,
    *,
    metadata: dict[str, str] | None = None,
) -> list[CommitResult]:
    """Commit what several sessions hold, in one transaction under one global id: all or nothing.

    Returns
    -------
    list of CommitResult
        One for each session that holds something, in the order of `sessions`; they all go on
        from there.

    Raises
    ------
    StateError
        Nothing is staged in any of them (``nothing-to-commit``).
    InvalidInputError
        Two of them write to the same branch.
    ConflictError
        Others changed the same paths of one of the branches; everything staged is still there.
    """
    _check_distinct(sessions)
    with ExitStack() as stack:
        for one in sorted(sessions, key=lambda one: one.id):  # an order that everybody keeps
            stack.enter_context(one._mutex)
        parts: list[tuple[Session, Staged, BranchChanges]] = []
        for one in sessions:
            staged = one.collect()
            writer = stack.enter_context(core.writer())
            part = one._store_staged(staged, writer, one._request(message, author, metadata))
            if part.changes_anything:
                parts.append((one, staged, part))
        if not parts:
            raise StateError(
                "Nothing is staged in any of the sessions",
                kind=ErrorKind.NOTHING_TO_COMMIT,
                hint="Write some files first",
            )
        results = commit_together(core, [part for _, _, part in parts])
        for (one, staged, _), result in zip(parts, results, strict=True):
            one.settle(staged, result.commit)
        return results


def _check_distinct(sessions: Sequence[Session]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in sessions:
        branch = (one.info.repo, one.info.branch)
        if branch in seen:
            raise InvalidInputError(
                f"Two of the sessions write to {one.info.repo}@{one.info.branch}",
                hint="Commit one of them by itself first",
            )
        seen.add(branch)


# --- opening -------------------------------------------------------------------------------------


def sessions_folder(core: LakeCore) -> Path:
    """Return where the lake's sessions are on this machine."""
    return core.work_folder / _SESSIONS


def place_of(core: LakeCore) -> str:
    """Return how other machines know the place where this one keeps what is staged."""
    return f"{socket.gethostname()}:{core.work_folder}"


def _check_here(core: LakeCore, info: SessionInfo) -> None:
    """Refuse a session whose staged changes lie where this process cannot see them."""
    with core.metadata.read() as tx:
        place = tx.sessions.place(info.id)
    if place is None or place == place_of(core):
        return  # killed before its folder was made: nothing is staged in it
    host, _, folder = place.partition(":")
    raise ConflictError(
        f"Session {info.id} on {info.repo}@{info.branch} is kept on {host} in {folder}",
        kind=ErrorKind.SESSION_ELSEWHERE,
        hint="Commit or delete it there; if that is gone for good, what is staged there is lost:"
        f" datalake sessions delete {short_id(info.id)} --lost",
        session=info.id,
        host=host,
    )


def forget_session(core: LakeCore, info: SessionInfo) -> None:
    """Remove a session whose machine is gone, with everything that was staged in it."""
    with core.metadata.write() as tx:
        tx.sessions.delete(info.id)
        tx.events.append(EventKind.SESSION_CHANGED, info.id, repo=info.repo)


def create_session(
    core: LakeCore,
    repo: str,
    branch: str,
    author: Author,
    new_id: str,
    *,
    base: Commit | None = None,
    name: str | None = None,
    notebook: str | None = None,
) -> Session:
    """Begin a session on a branch's head, or on an older `base`, and open it.

    Parameters
    ----------
    name, notebook
        As of `SessionInfo`.
    """
    head = head_of(core, repo, branch) if base is None else base
    with core.metadata.write() as tx:
        info = tx.sessions.create(
            new_id,
            tx.repos.get(repo),
            branch,
            head.id,
            str(author),
            place=place_of(core),
            name=name,
            notebook=notebook,
        )
        tx.events.append(EventKind.SESSION_CHANGED, new_id, repo=repo)
    try:
        return open_session(core, info)
    except BaseException:
        # Nobody knows its id, and nothing is staged in it. Where even that cannot be written, it
        # stays as an empty session.
        with suppress(StorageError), core.metadata.write() as tx:
            tx.sessions.delete(new_id)
        shutil.rmtree(sessions_folder(core) / new_id, ignore_errors=True)
        raise


def open_session(core: LakeCore, info: SessionInfo, *, patience_s: float = 0.0) -> Session:
    """Open a session, replaying its journal.

    Parameters
    ----------
    patience_s
        How long to wait for somebody else who has it open.

    Raises
    ------
    ConflictError
        Somebody else has it open (``session-busy``), or it is kept on another machine
        (``session-elsewhere``).
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _open(core, info)
        except ConflictError as error:
            if error.kind is not ErrorKind.SESSION_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(_AGAIN_S)


def _open(core: LakeCore, info: SessionInfo) -> Session:
    folder = sessions_folder(core) / info.id
    with _translated(folder):
        if not folder.exists():
            _check_here(core, info)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock = try_lock(folder / "lock")
        except FileNotFoundError:  # somebody has it open, to delete it: its folder went just now
            lock = None
    if lock is None:
        raise ConflictError(
            f"Session {info.id} on {info.repo}@{info.branch} is open in another process",
            kind=ErrorKind.SESSION_BUSY,
            hint="If it is mounted, work in the mounted folder",
            retryable=True,
            session=info.id,
        )
    try:
        with core.metadata.read() as tx:
            info = tx.sessions.get(info.id)  # its base may have moved since the caller looked
        with _translated(folder):
            return Session(core, info, folder, lock)
    except BaseException:
        os.close(lock)
        raise


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except DatalakeError:
        raise
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise StorageError(
            f"The disk is full: the session folder {folder} could not be written"
            if is_full
            else f"The session folder {folder} cannot be used: {error.strerror}",
            kind=ErrorKind.STORAGE_FULL if is_full else ErrorKind.STORAGE_UNAVAILABLE,
            hint="Free some space and try again; nothing that was there is lost"
            if is_full
            else None,
            path=str(folder),
        ) from error


def _moved(path: RepoPath, source: RepoPath, target: RepoPath) -> RepoPath:
    """Return where a path at or below `source` is when that is copied to `target`."""
    below = path[len(source) :].lstrip("/")
    return join_path(target, below) if below else target
