"""A tree of nodes laid over a snapshot: what a session shows, and what a mount hands out.

A node is made when it is first looked up. A clean node only repeats what the snapshot says and
may be dropped at any time; a touched one differs from the snapshot, or has something below it
that does. Moving a folder moves one node: its `origin` still says where in the snapshot its
contents come from, so nothing below it is copied or listed.

What is staged may be folded: once a snapshot holds it, the tree is laid over that one instead, and
its nodes are clean. What is staged is then what differs between the two snapshots, and what was
touched since.

Nothing here is journalled and nothing locks: `engine.session` does the first, its callers the
second.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from jupyter_datalake.engine.snapshot import Snapshot, file_info
from jupyter_datalake.engine.tree_nodes import Node, Shift, StagedContent
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
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    is_within,
    join_path,
    path_from_key,
    path_key,
)
from jupyter_datalake.model.side_by_side import side_by_side

StagedChange = tuple[RepoPath, FileEntry | None, StagedContent | None]
"""Path, what the snapshot has there, and what is to be there."""


class Worktree:
    """A tree over `base`; the methods below keep the node invariants."""

    def __init__(self, base: Snapshot) -> None:
        self.base = base
        """What clean nodes repeat."""
        self.committed = base
        """What changes are relative to: the base as well, until something is folded into that."""
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
        found = self.base.look(join_path(folder.origin, name))
        return None if found is None else self._adopt(folder, name, *found)

    def _adopt(self, folder: Node, name: str, kind: FileKind, entry: FileEntry | None) -> Node:
        """Return a clean node for something of the snapshot."""
        assert folder.origin is not None
        is_folder = kind is FileKind.FOLDER
        node = Node(
            kind,
            name,
            folder,
            origin=join_path(folder.origin, name),
            entry=None if is_folder else entry,
            mode=DEFAULT_FOLDER_MODE if entry is None else entry.mode,
        )
        folder.children[name] = node
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
            raise PathNotFoundError(
                f"{self.base.label} has no path {path!r}",
                hint="Look at its folder with 'datalake files list'",
                path=path,
            )
        return node

    def iter_children(self, folder: Node, after: str = "") -> Iterator[Node]:
        """Yield the children of a folder by name (in byte order), staged and clean alike.

        Only those behind the name `after`, where one is given; the cost is that of these.

        The tree may change on the way: nothing is yielded twice or that is gone by then, and
        nothing is missing that was there all the time.
        """
        base = self.base
        behind = os.fsencode(after)
        known = sorted(
            (one for one in folder.children if os.fsencode(one) > behind), key=os.fsencode
        )
        position = 0
        for name, kind, entry in () if folder.origin is None else base.scan(folder.origin, after):
            raw = os.fsencode(name)
            while position < len(known) and os.fsencode(known[position]) < raw:
                yield from self._present(folder, known[position])
                position += 1
            if position < len(known) and known[position] == name:
                position += 1
            child = folder.children.get(name)
            if child is not None:
                yield child
            elif self.base is not base:
                yield from self._present(folder, name)
            elif name not in folder.hidden:
                yield self._adopt(folder, name, kind, entry)
        for name in known[position:]:
            yield from self._present(folder, name)

    def _present(self, folder: Node, name: str) -> Iterator[Node]:
        child = self.lookup(folder, name)
        if child is not None:
            yield child

    def is_empty(self, folder: Node) -> bool:
        """Tell whether a folder has no children; stops at the first."""
        return not folder.children and next(self.iter_children(folder), None) is None

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
            else:
                self._check_folder(child)
            node = child
        return node

    def _check_folder(self, node: Node) -> None:
        if not node.is_folder:
            raise InvalidInputError(
                f"{self.path_of(node)!r} is a {node.kind}, not a folder",
                kind=ErrorKind.INVALID_PATH,
                hint="Choose another path, or remove the file first",
                path=self.path_of(node),
            )

    def set_entry(self, path: RepoPath, entry: FileEntry) -> Node:
        """Put a file or symlink with known content at a path, over whatever file is there.

        The entry of a folder makes one, if there is none.

        Raises
        ------
        AlreadyExistsError
            A folder with contents is there.
        InvalidInputError
            A file is where a folder is needed.
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
        if existing is not None and kind is FileKind.FOLDER:
            # The entry of a folder says that there is one, not that it is empty.
            self._check_folder(existing)
            if existing.mode != entry.mode and self.is_empty(existing):
                existing.mode = entry.mode
                self.touch(existing)
            return existing
        if existing is not None and existing.kind is kind:
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

    @property
    def is_folded(self) -> bool:
        """Whether something of what is staged is in the base, and no longer in nodes."""
        return self.base.root != self.committed.root

    def iter_changes(self, below: RepoPath = ROOT) -> Iterator[StagedChange]:
        """Yield path, old entry and new content of what differs from what is committed, by key.

        The cost is that of the changes: clean folders are not looked into, nor others than
        those on the way to `below` and in it. A file whose working file was written is always among
        them, even if it holds what it held before.
        """
        if not self.is_folded:
            yield from self.iter_touched(below)
            return
        touched = self.iter_touched(below)
        change = next(touched, None)
        for path, old, new in self.committed.differences(self.base, below):
            while change is not None and path_key(change[0]) < path_key(path):
                yield from _since(*change)
                change = next(touched, None)
            if change is not None and change[0] == path:
                yield from _since(path, old, change[2])
                change = next(touched, None)
            else:
                yield from _since(path, old, new)
        while change is not None:
            yield from _since(*change)
            change = next(touched, None)

    def iter_touched(self, below: RepoPath = ROOT) -> Iterator[StagedChange]:
        """Yield what differs from the base, as `iter_changes`: what was not folded."""
        for change in self._iter_touched(below):
            if is_within(change[0], below):
                yield change

    def is_committed(self, node: Node) -> bool:
        """Tell whether a node is what was committed at its place, and nothing is staged in it."""
        if node.touched or not self.is_attached(node):
            return False
        if not self.is_folded:
            return True
        path = self.path_of(node)
        return next(self.committed.differences(self.base, path), None) is None

    def _iter_touched(self, below: RepoPath) -> Iterator[StagedChange]:
        # A stack of our own: paths are deeper than Python's.
        open_folders = [(self.root, ROOT, iter(_changed_names(self.root)))]
        while open_folders:
            folder, path, names = open_folders[-1]
            for name in names:
                place = join_path(path, name)
                child = folder.children.get(name)
                if child is not None and not child.touched:
                    continue
                if not (is_within(place, below) or is_within(below, place)):
                    continue
                if child is not None and child.is_folder and child.origin == place:
                    yield from self._marker_change(child, place)
                    open_folders.append((child, place, iter(_changed_names(child))))
                    break
                yield from self._replaced(folder, name, place, child)
            else:
                open_folders.pop()

    def _replaced(
        self, folder: Node, name: str, place: RepoPath, child: Node | None
    ) -> Iterator[StagedChange]:
        """Yield the changes at and below a place where something else stands than in the base."""
        if child is None and self.base.look(place) is None:
            folder.hidden.discard(name)  # it was made and removed again: nothing to remember
            return
        new = iter(()) if child is None else self.effective(child, place)
        for path, before, after in iter_differences(self.base.iter_entries(place), new):
            if not _is_same_folder(before, after):
                yield path, before, after

    def _marker_change(self, folder: Node, path: RepoPath) -> Iterator[StagedChange]:
        """Yield what becomes of the entry that stands for a folder while it is empty."""
        marker = self.base.entry(path)
        if not self.is_empty(folder):
            if marker is not None:
                yield path, marker, None
        elif marker is None or marker.mode != folder.mode:
            yield path, marker, empty_folder(mode=folder.mode, mtime_ns=folder.mtime_ns)

    def effective(self, node: Node, path: RepoPath) -> Iterator[tuple[RepoPath, StagedContent]]:
        """Yield everything at and below a node, as it will be at `path`, in order of keys.

        Nothing of it is held in memory but what is on the way to the present one.
        """
        # A stack of our own: paths are deeper than Python's.
        top: tuple[RepoPath, StagedContent] = (path, node)
        levels = [iter([top])]
        while levels:
            for place, content in levels[-1]:
                if not isinstance(content, Node):
                    yield place, content
                elif not content.is_folder:
                    yield place, content if content.data is not None else _known(content)
                elif self.is_empty(content):
                    yield place, empty_folder(mode=content.mode, mtime_ns=content.mtime_ns)
                else:
                    levels.append(self._contents(content, place))
                    break
            else:
                levels.pop()

    def _contents(self, folder: Node, path: RepoPath) -> Iterator[tuple[RepoPath, StagedContent]]:
        """Yield what is in a folder at `path`: nodes that are touched, and entries between them."""
        last = ""
        for name in _changed_names(folder):
            yield from self._clean(folder, path, last, name)
            child = folder.children.get(name)
            if child is not None:
                yield join_path(path, name), child
            last = name
        yield from self._clean(folder, path, last, None)

    def _clean(
        self, folder: Node, path: RepoPath, after: str, before: str | None
    ) -> Iterator[tuple[RepoPath, FileEntry]]:
        """Yield what a folder at `path` has of the snapshot between two names, at any depth."""
        if folder.origin is None:
            return
        above = len(folder.origin) + 1 if folder.origin else 0
        for found, entry in self.base.iter_between(folder.origin, after, before):
            yield join_path(path, found[above:]), entry

    def still(self) -> Worktree:
        """Return a tree that has the same changes, and keeps them whatever becomes of this one.

        Its nodes are those that are touched, as `StillNode`; the cost is that of these.
        """
        tree = Worktree(self.base)
        tree.committed = self.committed
        tree.root = self.root.still(None)
        waiting: list[tuple[Node, Node]] = [(self.root, tree.root)]
        while waiting:
            folder, copy = waiting.pop()
            for name, child in folder.children.items():
                if child.touched:
                    copy.children[name] = twin = child.still(copy)
                    if child.is_folder:
                        waiting.append((child, twin))
        return tree

    def diff(self, below: RepoPath = ROOT) -> Iterator[Change]:
        """Yield the changes at and below a path as people see them."""
        for path, old, new in self.iter_changes(below):
            yield self.shown_change(path, old, new)

    def shown_change(
        self, path: RepoPath, old: FileEntry | None, new: StagedContent | None
    ) -> Change:
        """Return one of `iter_changes` as people see it; costs one stat(2) for a working file."""
        before = None if old is None else file_info(path, old)
        if isinstance(new, Node):
            after: FileInfo | None = self.info(new)
        else:
            after = None if new is None else file_info(path, new)
        return change_of(path, before, after)

    # --- a new snapshot --------------------------------------------------------------------------

    def reset(self, base: Snapshot) -> Shift:
        """Show `base` and nothing else; return what that changed for nodes that are in use.

        Nodes stay the same objects where they can, so the kernel's memory of them stays right.
        A file that is open for reading and has other content now is taken out of the tree, as if
        another had been renamed over it: who reads it reads the old content to its end. The
        caller has set the entry of a node whose working file is what `base` holds.

        The cost is that of what was touched, and of what differs between the snapshots.
        """
        suspects: set[Node] = set()
        if base.root != self.base.root:
            for path in self.base.changed_paths(base):
                self._mark(path, suspects)
        self.base = self.committed = base
        shift = Shift()
        waiting = [(self.root, ROOT)]
        while waiting:
            folder, path = waiting.pop()
            if folder.touched or folder in suspects:
                shift.nodes.append(folder)
            folder.origin, folder.touched, folder.mtime_ns = path, False, 0
            folder.hidden.clear()
            for name, child in list(folder.children.items()):
                place = join_path(path, name)
                if not (child.touched or child in suspects or child.origin != place):
                    continue
                kind, entry = base.look(place) or (None, None)
                if kind is not child.kind or _keeps_old_content(child, entry):
                    del folder.children[name]
                    shift.names.append((folder, name))
                elif child.is_folder:
                    child.mode = DEFAULT_FOLDER_MODE if entry is None else entry.mode
                    waiting.append((child, place))
                else:
                    self._renew(child, place, entry, shift)
        return shift

    def fold(self, base: Snapshot, *, folder_limit: int) -> list[Node]:
        """Show the same as before over a snapshot that holds it, with nodes that are clean.

        Files stay touched whose working file is ahead of their entry: the snapshot has not what is
        in it. So do folders that have a time, or permissions, which a snapshot does not keep of
        folders with contents.

        Parameters
        ----------
        folder_limit
            Where more of them have a time, those that nobody uses are left without.

        Returns
        -------
        list of Node
            What stays touched for what it is itself: files, then folders.
        """
        self.base = base
        folders = [(self.root, ROOT)]
        files: list[Node] = []
        for folder, path in folders:  # it grows meanwhile
            folder.origin = path
            folder.hidden.clear()
            for name, child in list(folder.children.items()):
                place = join_path(path, name)
                if child.touched and child.data is not None and child.entry is None:
                    files.append(child)
                elif not child.is_folder:
                    child.origin, child.touched = place, False
                    if not child.writers:
                        child.data = None
                    self.drop_if_unused(child)
                elif child.touched or child.origin != place:
                    folders.append((child, place))
        if sum(1 for folder, _ in folders if folder.mtime_ns) > folder_limit:
            for folder, _ in folders:
                folder.mtime_ns = folder.mtime_ns if folder.pins else 0
        kept = [folder for folder, _ in folders if _is_notable(folder)]
        for folder, _ in reversed(folders):
            below = (child.touched for child in folder.children.values())
            folder.touched = _is_notable(folder) or any(below)
            self.drop_if_unused(folder)
        return files + kept

    def stand_on(self, base: Snapshot) -> None:
        """Lay a tree in which nothing is touched over a snapshot that holds what was folded."""
        self.base = base

    def _mark(self, path: RepoPath, suspects: set[Node]) -> None:
        """Add the nodes on the way to `path`, as far as there are any."""
        node: Node | None = self.root
        for name in path.split("/"):
            assert node is not None
            suspects.add(node)
            node = node.children.get(name)
            if node is None:
                return
        assert node is not None
        suspects.add(node)

    def _renew(self, node: Node, place: RepoPath, entry: FileEntry | None, shift: Shift) -> None:
        """Let a file or symlink show what the new snapshot has at its place."""
        is_same = node.entry == entry
        if not is_same:
            shift.nodes.append(node)
        if not (is_same and node.writers):
            node.data = None
        node.origin, node.entry, node.touched = place, entry, False
        self.drop_if_unused(node)

    def drop_if_unused(self, node: Node) -> None:
        """Forget a clean node that nobody needs; the snapshot can make it again."""
        if node.touched or node.pins or node.children or node.parent is None:
            return
        if node.parent.children.get(node.name) is node:
            del node.parent.children[node.name]


def _since(
    path: RepoPath, old: FileEntry | None, new: StagedContent | None
) -> Iterator[StagedChange]:
    """Yield a change, unless it leads back to what is committed."""
    if old != new and not _is_same_folder(old, new):
        yield path, old, new


def iter_differences(
    old: Iterable[tuple[RepoPath, FileEntry]], new: Iterable[tuple[RepoPath, StagedContent]]
) -> Iterator[StagedChange]:
    """Yield what differs between two trees, both as streams in order of keys."""
    keyed_old = ((path_key(path), entry) for path, entry in old)
    keyed_new = ((path_key(path), content) for path, content in new)
    for key, left, right in side_by_side(keyed_old, keyed_new):
        before = None if left is None else left[1]
        after = None if right is None else right[1]
        if before != after:
            yield path_from_key(key), before, after


def _is_notable(folder: Node) -> bool:
    """Tell whether a folder has a time, or permissions of its own."""
    return bool(folder.mtime_ns) or folder.mode != DEFAULT_FOLDER_MODE


def _changed_names(folder: Node) -> list[str]:
    """Return the names below a folder that may lead to something else than in the base."""
    touched = {name for name, child in folder.children.items() if child.touched}
    return sorted(folder.hidden | touched, key=os.fsencode)


def _is_same_folder(before: FileEntry | None, after: StagedContent | None) -> bool:
    """Tell whether both are an empty folder; when it was made does not matter."""
    if not isinstance(before, FileEntry) or not isinstance(after, FileEntry):
        return False
    return before.kind is EntryKind.FOLDER and before.same_content(after)


def _keeps_old_content(node: Node, entry: FileEntry | None) -> bool:
    if not node.opens or node.writers or node.entry is None or entry is None:
        return False
    return not node.entry.same_content(entry)


def _known(node: Node) -> FileEntry:
    assert node.entry is not None
    return node.entry


def entry_with_mode(entry: FileEntry, mode: int) -> FileEntry:
    """Return an entry under other permissions; a symlink keeps its own."""
    if entry.kind is EntryKind.SYMLINK:
        return entry
    return entry.with_attributes(mode=mode & PERMISSION_BITS)
