"""The view of a branch that is mounted writable: a session, and what POSIX asks of changes to it.

The session journals every change and keeps the bytes; here is decided what is refused and why.
Handlers call `for_change` first and the plain methods after it, without an await between them.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

import trio

from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.drafts import Drafter
from jupyter_datalake.engine.session import Session
from jupyter_datalake.engine.tree_nodes import DataFile, Node, Shift
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.model.changes import Change, ChangedChild
from jupyter_datalake.model.commits import Author, Commit
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.paths import MAX_PATH_BYTES, RepoPath, check_name, path_bytes
from jupyter_datalake.model.sessions import NO_CHOICES, Choices
from jupyter_datalake.mount.errnos import refusal
from jupyter_datalake.mount.views import TreeView

MAX_FILE_BYTES = 2**50
"""Beyond it a file is refused: no honest one is so large, and a mistake need not fill the disk."""

RENAME_NOREPLACE = 1
"""The only flag of renameat2(2) that is supported."""

_DIFF_BATCH = 1_000
_SET_ID_BITS = stat.S_ISUID | stat.S_ISGID

_MADE_FILES = 16
"""Files made in half a second or so, from which on more are expected."""
_PREPARED_FILES = 128

logger = logging.getLogger(__name__)


class SessionView(TreeView):
    """A branch and what is staged on it.

    Parameters
    ----------
    session
        Open, and this view's to close.
    """

    def __init__(self, core: LakeCore, name: str, session: Session) -> None:
        info = session.info
        super().__init__(core, name, info.repo, session.base, branch=info.branch, tree=session.tree)
        self.session = session
        self._drafter = Drafter(core, session)
        self._saving = trio.Lock()
        self._ending = ExitStack()
        self.is_unsaved = session.has_changes
        """Whether something was staged since the last draft."""
        self.writers = 0
        """Files in it that are open for writing."""
        self.is_dirty = False
        """Whether something was staged since the lake's followers were told."""
        self.is_behind = False
        """Whether the branch has moved on since the commit that this is based on."""
        self._made = 0
        """Files made since `rest` looked last."""
        self._is_preparing = False

    async def for_change(self) -> SessionView:
        """Return this view when it may be changed, up to the caller's next await."""
        await self.gate.until_changeable()
        if not self.session.is_open:
            raise refusal(errno.ESTALE)  # it was unmounted while somebody had a file open
        self.is_dirty = self.is_unsaved = True
        return self

    async def sync(self) -> None:
        """Make what was staged survive the loss of power."""
        if self.session.is_open:
            await trio.to_thread.run_sync(self.session.sync)

    def _drop(self, node: Node) -> None:
        if self.session.is_open:
            self.session.release(node)

    # --- names -----------------------------------------------------------------------------------

    def create_file(self, folder: Node, name: str, mode: int) -> Node:
        """Make an empty file."""
        self._check_free(folder, name)
        self._made += 1
        return self.session.create_file(folder, name, mode)

    def create_folder(self, folder: Node, name: str, mode: int) -> Node:
        """Make a folder."""
        self._check_free(folder, name)
        return self.session.create_folder(folder, name, mode)

    def create_symlink(self, folder: Node, name: str, target: bytes) -> Node:
        """Make a symlink; the target is kept as it is."""
        self._check_free(folder, name)
        return self.session.create_symlink(folder, name, target)

    def remove_file(self, folder: Node, name: str) -> Node:
        """Remove a file or symlink and return it; who has it open can go on using it."""
        node = self._child(folder, name)
        if node.is_folder:
            raise refusal(errno.EISDIR)
        self.session.remove(node)
        return node

    def remove_folder(self, folder: Node, name: str) -> Node:
        """Remove an empty folder and return it."""
        node = self._child(folder, name)
        if not node.is_folder:
            raise refusal(errno.ENOTDIR)
        if not self.tree.is_empty(node):
            raise refusal(errno.ENOTEMPTY)
        self.session.remove(node)
        return node

    def rename(self, folder: Node, name: str, target: Node, new_name: str, flags: int) -> Node:
        """Move a file or folder over whatever POSIX lets it replace, and return it."""
        if flags & ~RENAME_NOREPLACE:
            raise refusal(errno.EINVAL)
        self._check_request(target, new_name)
        node = self._child(folder, name)
        existing = self.tree.lookup(target, new_name)
        if existing is node:
            return node
        if existing is None:
            self._check_place(target, new_name)
        else:
            self._check_replaceable(node, existing, flags)
        above: Node | None = target
        while above is not None:
            if above is node:
                raise refusal(errno.EINVAL)
            above = above.parent
        self.session.move(node, target, new_name)
        return node

    def _check_replaceable(self, node: Node, existing: Node, flags: int) -> None:
        if flags & RENAME_NOREPLACE:
            raise refusal(errno.EEXIST)
        if existing.is_folder and not node.is_folder:
            raise refusal(errno.EISDIR)
        if node.is_folder and not existing.is_folder:
            raise refusal(errno.ENOTDIR)
        if existing.is_folder and not self.tree.is_empty(existing):
            raise refusal(errno.ENOTEMPTY)

    def _child(self, folder: Node, name: str) -> Node:
        node = self.tree.lookup(folder, name)
        if node is None:
            raise refusal(errno.ENOENT)
        return node

    @staticmethod
    def _check_request(folder: Node, name: str) -> None:
        """Refuse what the kernel never asks for, and whoever opened the device may."""
        if not folder.is_folder:
            raise refusal(errno.ENOTDIR)
        check_name(name)

    def _check_free(self, folder: Node, name: str) -> None:
        self._check_request(folder, name)
        if self.tree.lookup(folder, name) is not None:
            raise refusal(errno.EEXIST)
        self._check_place(folder, name)

    def _check_place(self, folder: Node, name: str) -> None:
        if not self.tree.is_attached(folder):
            raise refusal(errno.ENOENT)  # a removed folder that somebody still stands in
        length = len(path_bytes(self.tree.path_of(folder))) + 1 + len(path_bytes(name))
        if length > MAX_PATH_BYTES:
            # The kernel bounds what one call names, not where a series of chdir(2) ends. A path
            # that cannot be named whole could not be committed either.
            raise refusal(errno.ENAMETOOLONG)

    # --- content and attributes ------------------------------------------------------------------

    async def working_file(self, node: Node, *, keep_bytes: int | None = None) -> DataFile:
        """Return the working file of a file; its content is copied there when it has none.

        The copy is made in a thread, so a large file holds up nobody else. When this returns the
        tree may be changed, up to the caller's next await.

        Parameters
        ----------
        keep_bytes
            How much of the content is wanted, if not all of it.
        """
        await self.for_change()
        while node.data is None:
            entry = node.entry
            if entry is None:
                raise refusal(errno.EISDIR if node.is_folder else errno.ESTALE)
            data = await trio.to_thread.run_sync(
                partial(self.session.copy_out, entry, keep_bytes=keep_bytes)
            )
            try:
                await self.for_change()
                # Somebody else may have been first, or a rebase may have brought other content.
                if node.data is None and node.entry is entry:
                    self.session.take(node, data)
            finally:
                if node.data is not data:
                    self.session.drop(data)
        return node.data

    async def truncate(self, node: Node, size: int) -> None:
        """Cut or extend a file; what is added reads as zeros and takes no space."""
        if size > MAX_FILE_BYTES:
            raise refusal(errno.EFBIG)
        data = await self.working_file(node, keep_bytes=size)
        os.truncate(data.path, size)
        self.written(node)

    def written(self, node: Node) -> None:
        """Take note that bytes of a working file were changed."""
        self.session.restage(node)

    def take_privileges(self, node: Node) -> None:
        """Let a program lose its privileges, because somebody without any wrote to it."""
        if node.mode & _SET_ID_BITS:
            self.session.set_attributes(node, mode=node.mode & ~_SET_ID_BITS)

    def hand_over(self, node: Node, *, keeps_group: bool) -> None:
        """Let a program lose its privileges, because its owner changes: they were of the old one.

        Parameters
        ----------
        keeps_group
            Whether a set-group-id bit stays that the group cannot execute: it is no privilege.
        """
        lost = stat.S_ISUID if keeps_group and not node.mode & stat.S_IXGRP else _SET_ID_BITS
        if node.mode & lost and not node.is_folder:
            self.session.set_attributes(node, mode=node.mode & ~lost)

    def set_attributes(self, node: Node, *, mode: int | None, mtime_ns: int | None) -> None:
        """Change permissions or time of a node; a symlink has only a time."""
        if not node.is_folder and node.data is None and node.entry is None:
            raise refusal(errno.ESTALE)  # removed, and known by nothing but a bare descriptor
        self.session.set_attributes(node, mode=mode, mtime_ns=mtime_ns)

    # --- commands --------------------------------------------------------------------------------

    async def diff(self, below: RepoPath, after: RepoPath, limit: int) -> list[Change]:
        """Return what is staged at and below a path, at most `limit` changes behind another path.

        Which paths these are is looked up at one moment. What each of them holds is looked at in
        batches, so that a large session keeps nobody waiting for long.
        """
        async with self.gate.unchanging(), self.rearranging():
            staged = await trio.to_thread.run_sync(
                lambda: self.session.staged(below, limit, after=after)
            )
        changes: list[Change] = []
        for begin in range(0, len(staged), _DIFF_BATCH):
            batch = staged[begin : begin + _DIFF_BATCH]
            async with self.gate.unchanging(), self.rearranging():
                changes += await trio.to_thread.run_sync(self.session.show_staged, batch)
        return changes

    async def list_changed(self, path: RepoPath) -> Sequence[ChangedChild]:
        """Return the children of a folder in which something is staged."""
        async with self.gate.unchanging(), self.rearranging():
            tree = await trio.to_thread.run_sync(self.session.still)
        return await trio.to_thread.run_sync(self.session.changed_children_of, tree, path)

    async def commit(
        self,
        message: str,
        author: Author,
        metadata: dict[str, str],
        choices: Choices = NO_CHOICES,
    ) -> tuple[Commit, Shift]:
        """Commit what is staged. Writers wait meanwhile, readers do not.

        Raises
        ------
        StateError, ConflictError
            As `Session.commit`; nothing changed.
        """
        async with self.gate.unchanging():
            async with self.rearranging():
                staged = await trio.to_thread.run_sync(self.session.collect)
            result = await trio.to_thread.run_sync(
                partial(
                    self.session.publish,
                    staged,
                    message,
                    author,
                    metadata=metadata,
                    choices=choices,
                )
            )
            async with self.rearranging():
                shift = await trio.to_thread.run_sync(self.session.settle, staged, result.commit)
            self._stand_at(result.commit)
            self.is_behind = False
        return result.commit, shift

    async def discard(self, paths: Sequence[RepoPath] | None) -> Shift:
        """Drop what is staged at and below `paths`, or everything."""
        with self._drafter.held_back():
            async with self._saving, self.gate.unchanging(), self.rearranging():
                shift = await trio.to_thread.run_sync(self.session.discard, paths)
        self.is_unsaved = self.session.has_changes
        return shift

    def end_saving(self) -> None:
        """Save no draft any more, nor go on with one: the mount ends."""
        self._ending.enter_context(self._drafter.held_back())

    async def save(self) -> None:
        """Keep a draft of what is staged in the lake. Nobody waits but while it is looked up."""
        async with self._saving:
            async with self.gate.unchanging(), self.rearranging():
                collected = await trio.to_thread.run_sync(self._drafter.collect)
            self.is_unsaved = False
            try:
                await trio.to_thread.run_sync(self._drafter.save, collected)
            except BaseException:
                self.is_unsaved = True
                raise

    async def fold(self) -> None:
        """Have what is staged leave the memory, if there is much. Writers wait, readers do not.

        Not while a draft is saved: that reads the working files.
        """
        if not (self.session.is_open and self.session.is_full) or self._saving.locked():
            return
        async with self._saving, self.gate.unchanging():
            try:
                async with self.rearranging():
                    staged = await trio.to_thread.run_sync(self.session.collect_fold)
                root = await trio.to_thread.run_sync(self.session.store_fold, staged)
                async with self.rearranging():
                    await trio.to_thread.run_sync(self.session.fold_in, staged, root)
            except (DatalakeError, OSError) as error:
                if not self.session.is_open:
                    raise
                self.session.put_off_fold(error)

    async def rebase(self) -> Shift:
        """Take in what others committed, if nothing is staged and nobody is about to write."""
        if self.writers:
            return Shift()

        def take_in() -> tuple[Shift, CommitId]:
            return self.session.rebase(), head_of(
                self._core, self.repo, self.session.info.branch
            ).id

        async with self.gate.unchanging(), self.rearranging():
            shift, head_id = await trio.to_thread.run_sync(take_in)
            self._stand_at(self.session.base)
            self.is_behind = self.base.id != head_id
        return shift

    # --- making many files -----------------------------------------------------------------------

    def prepare(self, nursery: trio.Nursery) -> None:
        """Make working files in advance, in a thread, for a program that makes many files."""
        is_expected = self._made >= _MADE_FILES and self.session.is_open
        is_short = self.session.prepared_count < _PREPARED_FILES // 2
        if is_expected and is_short and not self._is_preparing:
            self._is_preparing = True
            nursery.start_soon(self._prepare)

    async def _prepare(self) -> None:
        try:
            await trio.to_thread.run_sync(self.session.prepare_files, _PREPARED_FILES)
        except OSError as error:
            # Who makes the next file meets the same error, and is told.
            logger.debug("No files were made in advance: %s", error)
        finally:
            self._is_preparing = False

    async def rest(self) -> None:
        """Remove what was made in advance, if no file was made for a while; called regularly."""
        made, self._made = self._made, 0
        if not made and not self._is_preparing and self.session.prepared_count:
            await trio.to_thread.run_sync(self.session.drop_prepared)

    async def announce(self) -> None:
        """Tell the lake's followers that something else is staged, if it is."""
        if self.is_dirty:
            self.is_dirty = False
            await trio.to_thread.run_sync(self.session.announce)
