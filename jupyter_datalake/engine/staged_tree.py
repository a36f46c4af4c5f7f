"""A worktree whose changes survive a kill: each is journalled before it is made.

The journal and the working files lie in the session's folder. The methods here are what the
mount calls; `engine.session` adds those by path, and the commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from jupyter_datalake.disk_trust import DiskTrust
from jupyter_datalake.engine.journal import JOURNAL_MAGIC, Journal, read_journal
from jupyter_datalake.engine.replay import Replay
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.tree_nodes import DataFile, Node, Shift
from jupyter_datalake.engine.working_files import WorkingFiles
from jupyter_datalake.engine.worktree import Worktree, entry_with_mode
from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.metadata.store import Clock
from jupyter_datalake.model.entries import PERMISSION_BITS, FileEntry, symlink
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.paths import RepoPath, join_path
from jupyter_datalake.storage.local import sync_folder

JOURNAL = "journal"
"""In a session's folder: what was done in it, in order."""

_NO_ACTS = {"base", "folded", "attributes"}


class StagedTree:
    """A worktree over one commit, with its journal and its working files.

    Nothing here takes a lock: the caller sees to it that nobody else looks at the tree meanwhile.
    An act that cannot be journalled, because the disk is full, is not done.

    Parameters
    ----------
    folder
        Where journal and working files are, or will be.
    base_id, base
        The commit that the changes are relative to, and its tree.
    open_tree
        Gives the tree of a root: of what was folded.
    disk
        Where a write failed before, nothing is journalled any more.
    """

    def __init__(
        self,
        folder: Path,
        base_id: CommitId,
        base: Snapshot,
        open_tree: Callable[[Digest], Snapshot],
        clock: Clock,
        disk: DiskTrust,
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._clock = clock
        self._files = WorkingFiles(folder / "data")
        self.tree = Worktree(base)
        """What the session shows. Changes go through the methods here, which journal them."""
        self.acts = 0
        """Acts in the journal: about as many nodes as hold what is staged."""
        self._journal: Journal | None = self._replay(base_id, open_tree)
        self._is_durable = True
        """Whether a power cut would lose nothing that this process staged, committed or dropped."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be used; False after it was closed."""
        return self._journal is not None

    # --- changing --------------------------------------------------------------------------------

    def create_file(self, folder: Node, name: str, mode: int) -> Node:
        """Make an empty file with a working file behind it; the name is free."""
        self.check_open()
        data = self._files.new()
        try:
            return self.take_new(folder, name, mode, data)
        except BaseException:
            self._files.remove(data)
            raise

    def new_data(self) -> DataFile:
        """Return an empty working file, to be handed to `take_new`, or to `drop`."""
        return self._files.new()

    def take_new(self, folder: Node, name: str, mode: int, data: DataFile) -> Node:
        """Make a file of a working file that is there already; the name is free."""
        self.check_open()
        mode &= PERMISSION_BITS
        now = self._clock()
        self._append(["data", self._place(folder, name), data.number, mode, now])
        node = Node(FileKind.FILE, name, folder, mode=mode)
        self._files.give(data, node)
        self._attach(folder, name, node, now)
        return node

    def create_folder(self, folder: Node, name: str, mode: int) -> Node:
        """Make a folder; the name is free."""
        self.check_open()
        mode &= PERMISSION_BITS
        now = self._clock()
        self._append(["folder", self._place(folder, name), now, mode])
        node = Node(FileKind.FOLDER, name, folder, mode=mode, mtime_ns=now)
        self._attach(folder, name, node, now)
        return node

    def create_symlink(self, folder: Node, name: str, target: bytes) -> Node:
        """Make a symlink; the name is free."""
        self.check_open()
        now = self._clock()
        entry = symlink(target, mtime_ns=now)
        self._journal_entry(self._place(folder, name), entry, now)
        node = Node(FileKind.SYMLINK, name, folder, entry=entry)
        self._attach(folder, name, node, now)
        return node

    def writable(self, node: Node, *, truncate: bool = False) -> DataFile:
        """Return the working file of a file, copying its content there if need be."""
        if node.data is None:
            assert node.entry is not None
            self.take(node, self.copy_out(node.entry, keep_bytes=0 if truncate else None))
        elif truncate:
            os.truncate(node.data.path, 0)
            self.restage(node)
        assert node.data is not None
        return node.data

    def copy_out(self, entry: FileEntry, *, keep_bytes: int | None = None) -> DataFile:
        """Return a new working file with the content of `entry`, to be handed to `take`.

        It touches nothing else, so it may run in any thread while others go on. The time of the
        file is that of the entry, unless it is cut.

        Parameters
        ----------
        keep_bytes
            How much of the content is wanted; the rest is not even read.
        """
        data = self._files.new()
        left = entry.size_bytes if keep_bytes is None else min(keep_bytes, entry.size_bytes)
        try:
            with open(data.path, "wb") as file:
                for chunk in self.tree.base.content_of(entry).iter_chunks() if left else ():
                    file.write(chunk[:left])
                    left -= min(left, len(chunk))
                    if not left:
                        break
            if keep_bytes is None:
                os.utime(data.path, ns=(entry.mtime_ns, entry.mtime_ns))
        except BaseException:
            self._files.remove(data)
            raise
        return data

    @property
    def prepared_count(self) -> int:
        """How many files can be made without asking the file system for a new one."""
        return self._files.spare_count

    def prepare_files(self, count: int) -> None:
        """See to it that `count` files can be made so; touches nothing else, in any thread."""
        self._files.prepare(count)

    def drop_prepared(self) -> None:
        """Remove what was prepared and is left; in any thread."""
        self._files.remove_spare()

    def take(self, node: Node, data: DataFile) -> None:
        """Let a file without a working file have `data`, which begins as a copy of its content."""
        self.check_open()
        assert node.entry is not None
        mode = node.entry.mode
        if self.tree.is_attached(node):
            self._journal_data(node, data, mode)
            self.tree.touch(node)
        node.mode, node.entry = mode, None
        self._files.give(data, node)

    def drop(self, data: DataFile) -> None:
        """Remove a copy that is not wanted after all."""
        self._files.remove(data)

    def restage(self, node: Node) -> None:
        """Make sure that a working file which is being written is part of what is staged."""
        if not node.touched and node.data is not None and self.tree.is_attached(node):
            self.check_open()
            self._journal_data(node, node.data, node.mode)
            node.entry = None
            self.tree.touch(node)

    def remove(self, node: Node) -> None:
        """Take a node out of the tree; who has it open can go on using it."""
        self.check_open()
        folder = node.parent
        assert folder is not None
        now = self._clock()
        self._append(["remove", self.tree.path_of(node), now])
        self.tree.detach(node)
        folder.mtime_ns = now
        self.release(node)

    def move(self, node: Node, folder: Node, name: str) -> None:
        """Move a node over whatever is at its new place, which the caller has checked."""
        self.check_open()
        source = node.parent
        assert source is not None
        existing = self.tree.lookup(folder, name)
        if existing is node:
            return
        now = self._clock()
        self._append(["move", self.tree.path_of(node), self._place(folder, name), now])
        if existing is not None:
            self.tree.detach(existing)
        self.tree.detach(node)
        source.mtime_ns = now
        self._attach(folder, name, node, now)
        if existing is not None:
            self.release(existing)

    def set_attributes(
        self, node: Node, *, mode: int | None = None, mtime_ns: int | None = None
    ) -> None:
        """Change permissions or time.

        A commit keeps both of a file, and of an empty folder; of a folder with contents neither.
        """
        self.check_open()
        if node.is_folder:
            self._set_folder_attributes(node, mode, mtime_ns)
        elif node.data is not None:
            self._set_data_attributes(node, node.data, mode, mtime_ns)
        else:
            assert node.entry is not None
            entry = entry_with_mode(node.entry, node.entry.mode if mode is None else mode)
            if mtime_ns is not None:
                entry = replace(entry, mtime_ns=mtime_ns)
            if entry != node.entry:
                if self.tree.is_attached(node):
                    self._journal_entry(self.tree.path_of(node), entry)
                    self.tree.touch(node)
                node.entry = entry

    def release(self, node: Node) -> None:
        """Tell that one user of a node is done; unneeded working files and nodes go away."""
        data = node.data
        is_staged = node.touched and self.tree.is_attached(node)
        if data is not None and not node.opens and not is_staged:
            # What was removed gives its space back at once, though the kernel may still know it.
            node.data = None
            self._files.remove(data)
        self.tree.drop_if_unused(node)

    def flush(self) -> None:
        """Make what was staged survive the loss of power, except bytes of files still open."""
        self.check_open()
        assert self._journal is not None
        with self._disk.writing(str(self._folder)):
            self._files.sync()
            self._journal.sync()
            sync_folder(self._folder)  # the journal may have taken the place of an older one
        self._is_durable = True

    def sync_file(self, descriptor: int) -> None:
        """Make the bytes of an open working file survive the loss of power.

        Raises
        ------
        StorageError, OSError
            They may not, and nothing is written any more (``storage-failed`` from then on).
        """
        with self._disk.writing(str(self._folder)):
            os.fsync(descriptor)

    # --- beginning and ending --------------------------------------------------------------------

    def start_over(self, base_id: CommitId, base: Snapshot) -> Shift:
        """Show `base` with nothing staged; drop the journal and the working files not in use.

        The caller has recorded that the session is on `base` now.
        """
        self.check_open()
        try:
            self._replace_journal(base_id)
        except BaseException:
            # The old journal belongs to another base: what it took on now would be dropped when
            # it is replayed. Opened again, the session finds out what holds.
            self.close_journal()
            raise
        shift = self.tree.reset(base)
        self._drop_unneeded_files()
        return shift

    def go_on_over(self, base_id: CommitId, folded: Snapshot, *, folder_limit: int) -> None:
        """Stand on a tree that holds what is staged: drop its nodes, journal and working files.

        The caller has made the tree durable and findable, keeps it from gc, and has set the entries
        of files in it that have working files; others are not in it. Nothing is shown otherwise
        than before.

        Parameters
        ----------
        folder_limit
            As for `Worktree.fold`.
        """
        self.check_open()
        try:
            kept = self.tree.fold(folded, folder_limit=folder_limit)
            records = map(self._record_of, kept)
            self._replace_journal(base_id, [["folded", folded.root], *records])
            # The old journal names working files: it must not come back once those are gone.
            with self._disk.writing(str(self._folder)):
                sync_folder(self._folder)
        except BaseException:
            self.close_journal()  # opened again, the session is as one of the journals says
            raise
        self._drop_unneeded_files()

    def _record_of(self, node: Node) -> list[object]:
        """Return what makes a node anew that is touched: a folder there is, or a working file."""
        path = self.tree.path_of(node)
        if node.data is None:
            return ["attributes", path, node.mode, node.mtime_ns]
        return ["data", path, node.data.number, node.mode, self._clock()]

    def _drop_unneeded_files(self) -> None:
        self._files.keep_only(lambda node: bool(node.opens) or self.tree.is_attached(node))

    def check_open(self) -> None:
        """Raise `StateError` if it was closed."""
        if self._journal is None:
            raise StateError(
                "The session is closed", kind=ErrorKind.SESSION_CLOSED, hint="Open it again"
            )

    def close_journal(self) -> None:
        """Take no more changes; those made stay on disk. Safe to call twice."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    def _replace_journal(self, base_id: CommitId, records: Iterable[list[object]] = ()) -> None:
        fresh = self._folder / "journal.new"
        fresh.unlink(missing_ok=True)
        journal = Journal(fresh, self._disk)
        try:
            journal.append(["base", base_id])
            for record in records:
                journal.append(record)
            journal.sync()
            os.replace(fresh, self._folder / JOURNAL)
        except BaseException:
            journal.close()
            raise
        self.close_journal()
        self._journal = journal
        self._is_durable = False
        self.acts = 0

    def _replay(self, base_id: CommitId, open_tree: Callable[[Digest], Snapshot]) -> Journal:
        """Bring the tree to where the journal left it and return the journal, open."""
        path = self._folder / JOURNAL
        replay = Replay(self.tree, self._files, open_tree)
        for record in read_journal(path):
            if record[0] == "base" and record[1] != base_id:
                # Killed between moving the branch and dropping the journal: what it holds is
                # committed already.
                path.unlink()
                break
            replay.apply(record)
            self.acts += record[0] not in _NO_ACTS
        self._files.keep_only(self.tree.is_attached)
        self._files.remove_strangers()
        is_new = not path.exists() or path.stat().st_size <= len(JOURNAL_MAGIC)
        journal = Journal(path, self._disk)
        if is_new:
            try:
                journal.append(["base", base_id])
            except BaseException:
                journal.close()
                raise
        return journal

    # --- inside ----------------------------------------------------------------------------------

    def _append(self, record: list[object]) -> None:
        self.check_open()
        assert self._journal is not None
        self._is_durable = False
        self._journal.append(record)
        self.acts += 1

    def _place(self, folder: Node, name: str) -> RepoPath:
        return join_path(self.tree.path_of(folder), name)

    def _attach(self, folder: Node, name: str, node: Node, now: int) -> None:
        self.tree.attach(folder, name, node)
        folder.mtime_ns = now

    def _set_folder_attributes(self, node: Node, mode: int | None, mtime_ns: int | None) -> None:
        mode = node.mode if mode is None else mode & PERMISSION_BITS
        mtime_ns = node.mtime_ns if mtime_ns is None else mtime_ns
        if self.tree.is_attached(node):
            self._append(["attributes", self.tree.path_of(node), mode, mtime_ns])
            self.tree.touch(node)
        node.mode, node.mtime_ns = mode, mtime_ns

    def _set_data_attributes(
        self, node: Node, data: DataFile, mode: int | None, mtime_ns: int | None
    ) -> None:
        mode = node.mode if mode is None else mode & PERMISSION_BITS
        if self.tree.is_attached(node):
            self._journal_data(node, data, mode)
            node.entry = None
            self.tree.touch(node)
        node.mode = mode
        if mtime_ns is not None:
            os.utime(data.path, ns=(mtime_ns, mtime_ns))

    def _journal_data(self, node: Node, data: DataFile, mode: int) -> None:
        path = self.tree.path_of(node)
        self._append(["data", path, data.number, mode, self._clock()])

    def _journal_entry(
        self, path: RepoPath, entry: FileEntry, folder_ns: int | None = None
    ) -> None:
        """Journal content at a path, and the time that its folder got, if it got one."""
        time = [] if folder_ns is None else [folder_ns]
        self._append(["entry", path, entry.encode(), entry.size_bytes, *time])
