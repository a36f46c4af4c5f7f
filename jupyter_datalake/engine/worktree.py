"""A tree of nodes laid over a snapshot: what a session shows, and what a mount hands out.

A node is made when it is first looked up. A clean node only repeats what the snapshot says and
may be dropped at any time; a touched one differs from the snapshot, or has something below it
that does. Moving a folder moves one node: its `origin` still says where in the snapshot its
contents come from, so nothing below it is copied or listed.

Nothing here is journalled and nothing locks: `engine.session` does the first, its callers the
second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_datalake.engine.snapshot import Snapshot, file_info
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
)
from jupyter_datalake.model.changes import Change, change_of
from jupyter_datalake.model.entries import (
    DEFAULT_FOLDER_MODE,
    PERMISSION_BITS,
    EntryKind,
    FileEntry,
    empty_folder,
)
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import ROOT, RepoPath, join_path


@dataclass(slots=True)
class DataFile:
    """A working file of the session: content that can still change."""

    number: int
    path: Path


class Node:
    """One file, symlink or folder of a worktree. Compared and hashed by identity."""

    __slots__ = (
        "children",
        "data",
        "entry",
        "hidden",
        "kind",
        "mode",
        "mtime_ns",
        "name",
        "origin",
        "parent",
        "pins",
        "touched",
    )

    def __init__(
        self,
        kind: FileKind,
        name: str,
        parent: Node | None,
        *,
        origin: RepoPath | None = None,
        entry: FileEntry | None = None,
        data: DataFile | None = None,
        mode: int = DEFAULT_FOLDER_MODE,
        mtime_ns: int = 0,
    ) -> None:
        self.kind = kind
        self.name = name
        self.parent = parent
        """None for the root, and for a node that was removed while somebody had it open."""
        self.origin = origin
        """Path in the snapshot that the node stands for; None for what was added."""
        self.entry = entry
        """What a file or symlink holds; None for folders and while `data` holds it."""
        self.data = data
        self.mode = mode
        """Permission bits of a folder, or of a file with `data`."""
        self.mtime_ns = mtime_ns
        """Of a folder that was added or changed; 0 otherwise."""
        self.children: dict[str, Node] = {}
        self.hidden: set[str] = set()
        """Names below `origin` that the snapshot has and this tree has not, or has otherwise."""
        self.touched = False
        self.pins = 0
        """Users that need this very object: open files, and look-ups the kernel remembers."""

    @property
    def is_folder(self) -> bool:
        """Whether other nodes can be below it."""
        return self.kind is FileKind.FOLDER


StagedContent = FileEntry | Node
"""What a change leads to: a known entry, or a node whose working file is yet to be read."""


class Worktree:
    """A tree over `base`; the methods below keep the node invariants."""

    def __init__(self, base: Snapshot) -> None:
        self.base = base
        self.root = Node(FileKind.FOLDER, "", None, origin=ROOT)

    # --- looking up ------------------------------------------------------------------------------

    def lookup(self, folder: Node, name: str) -> Node | None:
        """Return the child of this name, or None; `folder` is a folder."""
        child = folder.children.get(name)
        if child is not None:
            return child
        if folder.origin is None or name in folder.hidden:
            return None
        return self._load(folder, name)

    def _load(self, folder: Node, name: str) -> Node | None:
        assert folder.origin is not None
        path = join_path(folder.origin, name)
        info = self.base.find(path)
        return None if info is None else self._adopt(folder, info)

    def _adopt(self, folder: Node, info: FileInfo) -> Node:
        """Return a clean node for something of the snapshot."""
        entry = None if info.kind is FileKind.FOLDER else self.base.entry(info.path)
        node = Node(info.kind, info.name, folder, origin=info.path, entry=entry, mode=info.mode)
        folder.children[info.name] = node
        return node

    def resolve(self, path: RepoPath) -> Node | None:
        """Return the node at a path, or None."""
        node: Node | None = self.root
        for name in path.split("/") if path else ():
            if node is None or not node.is_folder:
                return None
            node = self.lookup(node, name)
        return node

    def get(self, path: RepoPath) -> Node:
        """Return the node at a path, or raise `PathNotFoundError`."""
        node = self.resolve(path)
        if node is None:
            raise PathNotFoundError(f"{self.base.label} has no path {path!r}", path=path)
        return node

    def iter_children(self, folder: Node) -> Iterator[Node]:
        """Yield the children of a folder by name (in byte order), staged and clean alike."""
        staged = dict(sorted(folder.children.items(), key=lambda pair: os.fsencode(pair[0])))
        if folder.origin is None:
            yield from staged.values()
            return
        waiting = iter(list(staged.values()))
        following = next(waiting, None)
        for info in self.base.list(folder.origin) if self._is_listed(folder) else ():
            raw = os.fsencode(info.name)
            while following is not None and os.fsencode(following.name) < raw:
                yield following
                following = next(waiting, None)
            if following is not None and following.name == info.name:
                yield following
                following = next(waiting, None)
            elif info.name not in folder.hidden:
                yield folder.children.get(info.name) or self._adopt(folder, info)
        while following is not None:
            yield following
            following = next(waiting, None)

    def _is_listed(self, folder: Node) -> bool:
        """Tell whether the snapshot has a folder where this node's contents come from."""
        assert folder.origin is not None
        return folder.origin == ROOT or self.base.find(folder.origin) is not None

    def is_empty(self, folder: Node) -> bool:
        """Tell whether a folder has no children; stops at the first."""
        return next(self.iter_children(folder), None) is None

    def path_of(self, node: Node) -> RepoPath:
        """Return where a node is now."""
        names: list[str] = []
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return RepoPath("/".join(reversed(names)))

    def is_attached(self, node: Node) -> bool:
        """Tell whether a node is still part of the tree, not removed while in use."""
        while node.parent is not None:
            if node.parent.children.get(node.name) is not node:
                return False
            node = node.parent
        return node is self.root

    def info(self, node: Node) -> FileInfo:
        """Return what people and programs see of a node."""
        path = self.path_of(node)
        if node.data is not None:
            status = node.data.path.stat()
            return FileInfo(
                path, node.kind, status.st_size, node.mode, status.st_mtime_ns, digest=None
            )
        if node.entry is not None:
            return file_info(path, node.entry)
        return FileInfo(path, FileKind.FOLDER, 0, node.mode, node.mtime_ns, digest=None)

    # --- changing --------------------------------------------------------------------------------

    def attach(self, folder: Node, name: str, node: Node) -> None:
        """Put a new or moved node into a folder under a name that is free."""
        node.parent, node.name = folder, name
        folder.children[name] = node
        if folder.origin is not None:
            folder.hidden.add(name)
        self.touch(node)

    def detach(self, node: Node) -> None:
        """Take a node out of its folder; who still uses it keeps it."""
        folder = node.parent
        assert folder is not None
        del folder.children[node.name]
        if folder.origin is not None:
            folder.hidden.add(node.name)
        self.touch(folder)

    def touch(self, node: Node) -> None:
        """Record that a node differs from the snapshot."""
        above: Node | None = node
        while above is not None:
            above.touched = True
            above = above.parent

    def make_folders(self, path: RepoPath, mtime_ns: int) -> Node:
        """Return the folder at a path, making what is missing above and at it.

        Raises
        ------
        InvalidInputError
            A file is in the way.
        """
        node = self.root
        for name in path.split("/") if path else ():
            child = self.lookup(node, name)
            if child is None:
                child = Node(FileKind.FOLDER, name, node, mtime_ns=mtime_ns)
                self.attach(node, name, child)
            elif not child.is_folder:
                raise InvalidInputError(
                    f"{self.path_of(child)!r} is a {child.kind}, not a folder",
                    kind=ErrorKind.INVALID_PATH,
                    hint="Choose another path, or remove the file first",
                    path=self.path_of(child),
                )
            node = child
        return node

    def set_entry(self, path: RepoPath, entry: FileEntry) -> Node:
        """Put a file or symlink with known content at a path, over whatever file is there.

        Raises
        ------
        AlreadyExistsError
            A folder with contents is there.
        """
        parent, _, name = path.rpartition("/")
        folder = self.make_folders(RepoPath(parent), entry.mtime_ns)
        kind = file_info(path, entry).kind
        existing = self.lookup(folder, name)
        if existing is not None and existing.is_folder and kind is not FileKind.FOLDER:
            if not self.is_empty(existing):
                raise AlreadyExistsError(
                    f"A folder is at {path!r}",
                    kind=ErrorKind.PATH_EXISTS,
                    hint="Choose another path, or remove the folder first",
                    path=path,
                )
            self.detach(existing)
            existing = None
        if existing is not None and existing.kind is kind and kind is not FileKind.FOLDER:
            existing.entry, existing.data = entry, None
            self.touch(existing)
            return existing
        if existing is not None:
            self.detach(existing)
        node = Node(kind, name, folder, mode=entry.mode)
        if kind is not FileKind.FOLDER:
            node.entry = entry
        self.attach(folder, name, node)
        return node

    # --- comparing -------------------------------------------------------------------------------

    def iter_changes(self) -> Iterator[tuple[RepoPath, FileEntry | None, StagedContent | None]]:
        """Yield path, old entry and new content of everything that differs from the snapshot.

        The cost is that of what was touched: clean folders are not looked into. A file whose
        working file was written is always among them, even if it holds what it held before.
        """
        yield from self._changes_in(self.root, ROOT)

    def _changes_in(
        self, folder: Node, path: RepoPath
    ) -> Iterator[tuple[RepoPath, FileEntry | None, StagedContent | None]]:
        """Yield the changes below a folder that stands where it stood."""
        names = folder.hidden | {name for name, child in folder.children.items() if child.touched}
        for name in sorted(names, key=os.fsencode):
            place = join_path(path, name)
            child = folder.children.get(name)
            if child is not None and not child.touched:
                continue
            if child is not None and child.is_folder and child.origin == place:
                yield from self._changes_in(child, place)
                continue
            old = dict(self.base.iter_entries(place))
            new = {} if child is None else dict(self._effective(child, place))
            for changed in sorted(old.keys() | new.keys(), key=os.fsencode):
                before, after = old.get(changed), new.get(changed)
                if before != after:
                    yield changed, before, after
        if path != ROOT:
            marker = self.base.entry(path)
            is_empty = self.is_empty(folder)
            if marker is not None and not is_empty:
                yield path, marker, None
            elif marker is None and is_empty:
                yield path, None, empty_folder(mode=folder.mode, mtime_ns=folder.mtime_ns)

    def _effective(self, node: Node, path: RepoPath) -> Iterator[tuple[RepoPath, StagedContent]]:
        """Yield everything at and below a node, as it will be at `path`."""
        if not node.is_folder:
            yield path, node if node.data is not None else _known(node)
            return
        if self.is_empty(node):
            yield path, empty_folder(mode=node.mode, mtime_ns=node.mtime_ns)
            return
        for name, child in list(node.children.items()):
            if child.touched:
                yield from self._effective(child, join_path(path, name))
        if node.origin is None or not self._is_listed(node):
            return
        replaced = {name for name, child in node.children.items() if child.touched}
        for info in self.base.list(node.origin):
            if info.name not in node.hidden and info.name not in replaced:
                below = len(info.path)
                for found, entry in self.base.iter_entries(info.path):
                    yield RepoPath(join_path(path, info.name) + found[below:]), entry

    def diff(self) -> Iterator[Change]:
        """Yield the changes as people see them."""
        for path, old, new in self.iter_changes():
            before = None if old is None else file_info(path, old)
            if isinstance(new, Node):
                after: FileInfo | None = self.info(new)
            else:
                after = None if new is None else file_info(path, new)
            yield change_of(path, before, after)

    # --- a new snapshot --------------------------------------------------------------------------

    def reset(self, base: Snapshot) -> list[Node]:
        """Show `base` and nothing else; return the nodes in use whose content is another now.

        Nodes that are pinned stay the same objects, so open files and the kernel's memory of
        them stay right. One that `base` lacks is detached.
        """
        changed: list[Node] = []
        self.base = base
        self._reset(self.root, ROOT, changed)
        return changed

    def _reset(self, folder: Node, path: RepoPath, changed: list[Node]) -> None:
        folder.origin = path
        folder.hidden.clear()
        folder.touched = False
        folder.mtime_ns = 0
        for name, child in list(folder.children.items()):
            place = join_path(path, name)
            info = self.base.find(place)
            if info is None or info.kind is not child.kind:
                del folder.children[name]
                changed.append(child)
                continue
            if child.is_folder:
                self._reset(child, place, changed)
            else:
                entry = self.base.entry(place)
                if child.data is None and child.entry != entry:
                    changed.append(child)
                child.origin, child.entry, child.touched = place, entry, False
                if not child.pins:
                    child.data = None
            self.drop_if_unused(child)

    def drop_if_unused(self, node: Node) -> None:
        """Forget a clean node that nobody needs; the snapshot can make it again."""
        if node.touched or node.pins or node.children or node.parent is None:
            return
        if node.parent.children.get(node.name) is node:
            del node.parent.children[node.name]


def _known(node: Node) -> FileEntry:
    assert node.entry is not None
    return node.entry


def entry_with_mode(entry: FileEntry, mode: int) -> FileEntry:
    """Return an entry under other permissions; a symlink keeps its own."""
    if entry.kind is EntryKind.SYMLINK:
        return entry
    return entry.with_attributes(mode=mode & PERMISSION_BITS)
