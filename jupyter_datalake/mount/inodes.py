"""Inode numbers: which node of which view the kernel means, and how long it remembers it.

A number is derived from the path, so it is the same for a path as long as the mount lives, and
after a restart: tools that compare inode numbers (`git`, `rsync`, editors) see the file they
saw before. A node keeps the number it got, also when it is renamed; another node that comes to
its old path meanwhile gets the next free one.

For the event loop's thread only; nothing here waits.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice

from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.model.paths import path_bytes
from jupyter_datalake.mount.views import View

ROOT_NUMBER = 1
_MAX_NUMBER = 2**63 - 1  # tools that keep it in a signed integer are many


class Inode:
    """A node that the kernel knows, or is about to."""

    __slots__ = (
        "accessed_ns",
        "changed_ns",
        "clean_ns",
        "given_ns",
        "lookups",
        "node",
        "number",
        "owner",
        "view",
    )

    def __init__(self, number: int, view: View, node: Node) -> None:
        self.number = number
        self.view = view
        self.node = node
        self.lookups = 0
        """How often the kernel was told of it, less how often it forgot."""
        self.clean_ns = view.time_ns
        """Time of a folder while nothing in it is staged."""
        self.changed_ns = 0
        """When its attributes or its name were last changed here; 0 for never."""
        self.accessed_ns: int | None = None
        """A time of access that somebody set."""
        self.given_ns: int | None = None
        """A time of change that somebody set: nothing happened then."""
        self.owner: tuple[int, int] | None = None
        """User and group that somebody set; shown until the kernel forgets the inode."""


class InodeTable:
    """All inodes of a mount, by number and by node.

    Parameters
    ----------
    view, root
        What the mount point itself shows; it has number 1 and is never forgotten.
    """

    def __init__(self, view: View, root: Node) -> None:
        self.root = Inode(ROOT_NUMBER, view, root)
        self._by_number = {ROOT_NUMBER: self.root}
        self._by_node = {root: self.root}
        root.pins += 1

    def __len__(self) -> int:
        return len(self._by_number)

    def get(self, number: int) -> Inode:
        """Return the inode of a number, or raise ESTALE."""
        inode = self._by_number.get(number)
        if inode is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return inode

    def find(self, node: Node) -> Inode | None:
        """Return the inode of a node, or None if it has no number."""
        return self._by_node.get(node)

    def of(self, view: View, node: Node, above: Inode, name: str) -> Inode:
        """Return the inode of a node that is at `name` below `above`, numbering it if need be."""
        inode = self._by_node.get(node)
        if inode is None:
            inode = Inode(self._free_number(above, name), view, node)
            self._by_number[inode.number] = inode
            self._by_node[node] = inode
            node.pins += 1
        return inode

    def below(self, view: View) -> list[tuple[Inode, Inode | None, str]]:
        """Return the inodes of a view, each with that of its folder, if known, and its name."""
        found = []
        for inode in self._by_number.values():
            if inode.view is view:
                folder = inode.node.parent
                above = None if folder is None else self._by_node.get(folder)
                found.append((inode, above, inode.node.name))
        return found

    def lead_to(self, inode: Inode, view: View, node: Node) -> None:
        """Let a number mean another node from now on, of another view for instance."""
        before, left = inode.view, inode.node
        del self._by_node[left]
        left.pins -= 1
        inode.view, inode.node, inode.clean_ns = view, node, view.time_ns
        self._by_node[node] = inode
        node.pins += 1
        before.release(left)

    def _free_number(self, above: Inode, name: str) -> int:
        path = blake2b(above.number.to_bytes(8, "big") + path_bytes(name), digest_size=8)
        number = int.from_bytes(path.digest(), "big") & _MAX_NUMBER
        while number <= ROOT_NUMBER or number in self._by_number:
            number = (number + 1) & _MAX_NUMBER
        return number

    def forget(self, number: int, count: int) -> None:
        """Take back `count` look-ups; of an unknown number, nothing."""
        inode = self._by_number.get(number)
        if inode is None or inode is self.root:
            return
        inode.lookups -= count
        self.drop_if_unknown(inode)

    def drop_if_unknown(self, inode: Inode) -> None:
        """Let go of an inode that the kernel does not know, or no more."""
        if inode.lookups > 0 or inode.node.opens or inode is self.root:
            return
        if self._by_number.pop(inode.number, None) is not None:
            del self._by_node[inode.node]
            inode.node.pins -= 1
            inode.view.release(inode.node)

    def surplus(self, max_inodes: int) -> Iterator[tuple[int, str]]:
        """Yield what the kernel is to forget where it remembers more; see `oldest_files`."""
        too_many = len(self) - max_inodes
        if too_many > 0:
            # Some more, so that not every file from now on costs another one its place.
            yield from self.oldest_files(too_many + max_inodes // 8)

    def oldest_files(self, count: int) -> Iterator[tuple[int, str]]:
        """Yield folder number and name of files that nobody has open, longest known first.

        They go to the end of the queue, so files that the kernel keeps do not stand in the way.
        """
        idle = (inode for inode in self._by_number.values() if _is_idle_file(inode))
        for inode in list(islice(idle, count)):
            del self._by_number[inode.number]
            self._by_number[inode.number] = inode
            folder = inode.node.parent
            above = None if folder is None else self._by_node.get(folder)
            if above is not None:
                yield above.number, inode.node.name


def _is_idle_file(inode: Inode) -> bool:
    return not inode.node.is_folder and not inode.node.opens
