"""Views: what one folder below the mount point shows. `View` itself refuses every change.

A view hands out nodes; numbers, handles and attributes are made of them elsewhere. Requests that
look at its tree wait for `gate.until_seen`, those that change it for `for_change`, and then do
it without another await.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.tree_nodes import Node, Shift
from jupyter_datalake.engine.worktree import Worktree
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.mount.errnos import refusal
from jupyter_datalake.mount.gates import Gate

if TYPE_CHECKING:
    from jupyter_datalake.mount.session_view import SessionView

Found = tuple["View", Node]
"""A node, and the view that it belongs to."""


class View:
    """What a folder shows.

    Parameters
    ----------
    name
        The folder below the mount point: ``raw``, ``project/raw@v1``; empty for the mount point.
    root
        The folder itself.
    time_ns
        Time of the folders in it, unless they know better.
    """

    is_lasting = True
    """Whether the kernel may remember the folder's name until it is told otherwise."""

    def __init__(self, name: str, root: Node, time_ns: int) -> None:
        self.name = name
        self.root = root
        self.time_ns = time_ns
        self.gate = Gate()
        self.opens = 0
        """Files in it that are open."""

    async def lookup(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None."""
        raise NotImplementedError

    def present(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None, without waiting for anything."""
        raise NotImplementedError

    def children(self, folder: Node) -> Iterator[tuple[str, View, Node]]:
        """Yield name, view and node of what is in a folder; the tree may change meanwhile."""
        raise NotImplementedError

    def is_attached(self, node: Node) -> bool:
        """Tell whether a node can still be reached by a path."""
        raise NotImplementedError

    def content(self, node: Node) -> FileContent:
        """Return the bytes of a file that has an entry, to be read by range."""
        raise refusal(errno.EISDIR)

    def xattrs(self, node: Node) -> dict[bytes, bytes]:
        """Return the extended attributes of a node."""
        del node
        return {}

    def release(self, node: Node) -> None:
        """Take note that one user of a node is done with it."""

    async def sync(self) -> None:
        """Make what was staged survive the loss of power."""

    async def for_change(self) -> SessionView:
        """Return this view when it may be changed, up to the caller's next await; else EROFS."""
        raise refusal(errno.EROFS)


class TreeView(View):
    """The tree of one commit. Of a branch, its head, which `show` moves on.

    Parameters
    ----------
    branch
        The branch it follows, or None if it stays where it is.
    ref
        What was asked for, where something was mounted.
    on_release
        Told when nobody looks at anything in it any more.
    """

    def __init__(
        self,
        core: LakeCore,
        name: str,
        repo: str,
        commit: Commit,
        *,
        branch: str | None = None,
        ref: str = "",
        tree: Worktree | None = None,
        on_release: Callable[[TreeView], None] | None = None,
    ) -> None:
        self.tree = Worktree(core.snapshot(commit)) if tree is None else tree
        super().__init__(name, self.tree.root, commit.time_ns)
        self.repo = repo
        self.base = commit
        """The commit it shows, or that what is staged is relative to."""
        self.branch = branch
        self.ref = ref
        self._core = core
        self._on_release = on_release
        self._released: list[Node] = []
        """Nodes whose release waits until the tree may be looked at again."""
        self.is_lasting = on_release is None

    async def lookup(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None."""
        await self.gate.until_seen()
        return self.present(folder, name)

    def present(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None, without waiting for anything."""
        node = self.tree.lookup(folder, name)
        return None if node is None else (self, node)

    def children(self, folder: Node) -> Iterator[tuple[str, View, Node]]:
        """Yield name, view and node of what is in a folder; the tree may change meanwhile."""
        for node in self.tree.iter_children(folder):
            yield node.name, self, node

    def is_attached(self, node: Node) -> bool:
        """Tell whether a node can still be reached by a path."""
        return self.tree.is_attached(node)

    def content(self, node: Node) -> FileContent:
        """Return the bytes of a file that has an entry, to be read by range."""
        if node.entry is None:
            raise refusal(errno.EISDIR if node.is_folder else errno.ESTALE)
        return self.tree.base.content_of(node.entry)

    def xattrs(self, node: Node) -> dict[bytes, bytes]:
        """Return where a node comes from: of what is staged, the repo alone."""
        found = {b"user.datalake.repo": self.repo.encode()}
        if self.tree.is_committed(node):
            found[b"user.datalake.commit"] = self.base.id.encode()
            found[b"user.datalake.global_id"] = self.base.global_id.encode()
            if node.entry is not None:
                found[b"user.datalake.digest"] = node.entry.content_digest.hex().encode()
        return found

    def release(self, node: Node) -> None:
        """Take note that one user of a node is done with it."""
        if node is self.root:
            if self._on_release is not None:
                self._on_release(self)
        elif self.gate.is_unseen:
            self._released.append(node)
        else:
            self._drop(node)

    def _drop(self, node: Node) -> None:
        self.tree.drop_if_unused(node)

    @asynccontextmanager
    async def rearranging(self) -> AsyncIterator[None]:
        """Let a thread have the tree to itself, and catch up with what was released meanwhile."""
        async with self.gate.unseen():
            yield
        released, self._released = self._released, []
        for node in released:
            self._drop(node)

    async def show(self, commit: Commit) -> Shift:
        """Show another commit; return what that changed for nodes that are in use."""
        async with self.gate.unchanging(), self.rearranging():
            shift = await trio.to_thread.run_sync(self.tree.reset, self._core.snapshot(commit))
            self._stand_at(commit)
        return shift

    def _stand_at(self, commit: Commit) -> None:
        self.base = commit
        self.time_ns = commit.time_ns
