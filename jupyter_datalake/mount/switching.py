"""Showing another ref in a folder that programs stand in: inodes go over to another view.

A number goes on to mean its path. What the other view has not, or has as something else, and
what somebody has open, stays what it was for those who have it, and its name is forgotten.
"""

from __future__ import annotations

from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.model.paths import path_bytes
from jupyter_datalake.mount.inodes import InodeTable
from jupyter_datalake.mount.views import TreeView


class Switch:
    """One going over from a view to another, whose tree nobody else looks at yet.

    Parameters
    ----------
    old, new
        The gates of `old` are closed from before `plan` until after `make`.
    """

    def __init__(self, inodes: InodeTable, old: TreeView, new: TreeView) -> None:
        self._inodes = inodes
        self._old = old
        self._new = new
        self._known = inodes.below(old)
        self._found: list[Node | None] = []
        self.numbers: list[int] = []
        """Inodes with other content or attributes, once it was made."""
        self.names: list[tuple[int, bytes]] = []
        """Numbers of folders, and names in them, that lead elsewhere or nowhere."""

    def plan(self) -> None:
        """Look in the new tree for what the kernel knows; may read from the store."""
        old, new = self._old.tree, self._new.tree
        for inode, _, _ in self._known:
            node = inode.node
            found = new.resolve(old.path_of(node)) if old.is_attached(node) else None
            is_same_kind = found is not None and found.kind is node.kind
            self._found.append(found if is_same_kind else None)

    def make(self) -> None:
        """Let the numbers mean what was found; waits for nothing."""
        for (inode, above, name), node in zip(self._known, self._found, strict=True):
            if self._inodes.find(inode.node) is not inode:
                continue  # the kernel has forgotten it meanwhile
            if node is not None and not inode.node.opens and self._inodes.find(node) is None:
                if not _is_same(inode.node, node):
                    self.numbers.append(inode.number)
                self._inodes.lead_to(inode, self._new, node)
            elif above is not None:
                self.names.append((above.number, path_bytes(name)))


def _is_same(one: Node, other: Node) -> bool:
    """Tell whether two nodes look the same to the kernel; folders differ at least in their time."""
    if one.is_folder or one.data is not None or other.data is not None:
        return False
    return one.entry == other.entry
