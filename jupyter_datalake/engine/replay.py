"""Replaying a session's journal: each record repeats one act on the tree.

=================================================  ==============================================
``["base", commit id]``                            the commit that the changes are relative to
``["folded", root]``                               the tree that all of them made until then
``["entry", path, entry, size]``                   a file or symlink whose content the lake has
``["data", path, number, mode, time]``             a file whose content is a working file
``["folder", path, time, mode]``                   a folder, with what is missing above it
``["attributes", path, mode, time]``               other permissions or time of a folder
``["remove", path, time]``                         a file, or a folder with everything below it
``["move", old path, new path, time]``             onto whatever was at the new path
=================================================  ==============================================

Times are nanoseconds, of the act; they become the time of the folder it happened in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.engine.working_files import WorkingFiles
from jupyter_datalake.engine.worktree import Worktree
from jupyter_datalake.errors import FormatError
from jupyter_datalake.model.entries import decode_entry
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.paths import RepoPath, name_of, parent_of


class Replay:
    """Applies records to a tree. What is recorded happened, so nothing is checked again.

    Parameters
    ----------
    open_tree
        Gives the tree of a root.
    """

    def __init__(
        self, tree: Worktree, files: WorkingFiles, open_tree: Callable[[Digest], Snapshot]
    ) -> None:
        self._tree = tree
        self._files = files
        self._open_tree = open_tree

    def apply(self, record: Sequence[Any]) -> None:
        """Repeat one act."""
        kind, *values = record
        match kind:
            case "base":
                pass
            case "folded":
                self._tree.stand_on(self._open_tree(Digest(values[0])))
            case "entry":
                path, encoded, size_bytes, *folder_ns = values
                node = self._tree.set_entry(RepoPath(path), decode_entry(encoded, size_bytes))
                if folder_ns and node.parent is not None:
                    node.parent.mtime_ns = folder_ns[0]
            case "data":
                self._data(RepoPath(values[0]), *values[1:])
            case "folder":
                path, time_ns, mode = values
                folder = self._tree.make_folders(RepoPath(path), time_ns)
                if folder.parent is not None:
                    folder.mode = mode
                    folder.parent.mtime_ns = time_ns
            case "attributes":
                self._attributes(RepoPath(values[0]), *values[1:])
            case "remove":
                self._remove(RepoPath(values[0]), values[1])
            case "move":
                self._move(RepoPath(values[0]), RepoPath(values[1]), values[2])
            case _:
                raise FormatError(
                    f"A session's journal has a record {kind!r}, which a newer program wrote",
                    hint="Open the session with that program",
                )

    def _data(self, path: RepoPath, number: int, mode: int, time_ns: int) -> None:
        data = self._files.numbered(number)
        folder = self._tree.make_folders(parent_of(path), time_ns)
        node = self._tree.lookup(folder, name_of(path))
        if node is None or node.kind is not FileKind.FILE:
            node = Node(FileKind.FILE, name_of(path), folder)
            self._tree.attach(folder, name_of(path), node)
            folder.mtime_ns = time_ns
        node.entry, node.mode = None, mode
        self._files.give(data, node)
        self._tree.touch(node)

    def _attributes(self, path: RepoPath, mode: int, mtime_ns: int) -> None:
        node = self._tree.resolve(path)
        if node is not None:
            node.mode, node.mtime_ns = mode, mtime_ns
            self._tree.touch(node)

    def _remove(self, path: RepoPath, time_ns: int) -> None:
        node = self._tree.resolve(path)
        if node is not None and node.parent is not None:
            self._tree.detach(node)
            node.parent.mtime_ns = time_ns

    def _move(self, old: RepoPath, new: RepoPath, time_ns: int) -> None:
        node = self._tree.get(old)
        assert node.parent is not None
        folder = self._tree.make_folders(parent_of(new), time_ns)
        existing = self._tree.lookup(folder, name_of(new))
        if existing is not None:
            self._tree.detach(existing)
        node.parent.mtime_ns = time_ns
        self._tree.detach(node)
        self._tree.attach(folder, name_of(new), node)
        folder.mtime_ns = time_ns
