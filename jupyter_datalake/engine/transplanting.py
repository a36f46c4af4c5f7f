"""Moving, copying, removing and restoring whole subtrees: names change, files are not looked at.

A subtree that keeps its path shares its nodes, so taking it over costs the height of the tree. One
that gets another path gets other keys, which every node holds: it costs one pass over its entries,
as a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jupyter_datalake.engine.commits import CommitRequest, CommitResult, commit_tree
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.importing import commit_items
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.writing import on_head, writable_head
from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, InvalidInputError
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.entries import EntryKind, empty_folder
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import (
    Edit,
    Item,
    NodeSource,
    edit_manifest,
    graft_range,
    iter_items,
    replace_range,
)
from jupyter_datalake.model.paths import (
    MAX_PATH_BYTES,
    ROOT,
    RepoPath,
    is_within,
    parent_of,
    path_from_key,
    path_key,
    path_range,
)

Rewrite = Callable[[NodeWriter, Snapshot], Digest]
"""Returns the root of a new tree, made from a branch's tree."""


def rename(core: LakeCore, request: CommitRequest, old: RepoPath, new: RepoPath) -> CommitResult:
    """Commit a move of a file or folder within a branch.

    The folder that held it stays, if only as an empty one. What is at `new` must be a file, which
    is replaced, or nothing.

    Raises
    ------
    PathNotFoundError
        Nothing is at `old`.
    AlreadyExistsError
        A folder is at `new`.
    InvalidInputError
        `new` lies in `old` or below a file, or a path would become too long.
    """

    def rewrite(nodes: NodeWriter, tree: Snapshot) -> Digest:
        tree.get(old, measure=False)
        if is_within(new, old):
            raise InvalidInputError(
                f"{old!r} cannot be moved into itself", kind=ErrorKind.INVALID_PATH, path=new
            )
        _check_place(tree, new)
        there = tree.find(new)
        if there is not None and there.kind is FileKind.FOLDER:
            raise AlreadyExistsError(
                f"A folder is at {new!r}",
                kind=ErrorKind.PATH_EXISTS,
                hint="Choose another path, or remove the folder first",
                path=new,
            )
        root = replace_range(nodes, tree.root, *path_range(old), ())
        root = _placed(nodes, root, new, tree.root, old)
        return _with_folder(core, nodes, root, parent_of(old))

    return _committed(core, request, rewrite)


def remove(core: LakeCore, request: CommitRequest, path: RepoPath) -> CommitResult:
    """Commit the removal of a file or folder; the folder that held it stays.

    Raises
    ------
    PathNotFoundError
        Nothing is at `path`.
    """

    def rewrite(nodes: NodeWriter, tree: Snapshot) -> Digest:
        tree.get(path, measure=False)
        root = replace_range(nodes, tree.root, *path_range(path), ())
        return _with_folder(core, nodes, root, parent_of(path))

    return _committed(core, request, rewrite)


def restore(
    core: LakeCore, request: CommitRequest, source: Snapshot, path: RepoPath
) -> CommitResult:
    """Commit that a branch has at and below a path exactly what another tree has there.

    Raises
    ------
    PathNotFoundError
        `source` has nothing there.
    InvalidInputError
        The branch has a file where a folder above `path` is needed.
    """
    source.get(path, measure=False)

    def rewrite(nodes: NodeWriter, tree: Snapshot) -> Digest:
        _check_place(tree, path)
        return _placed(nodes, tree.root, path, source.root, path)

    return _committed(core, request, rewrite, source)


def copy_to_free_place(
    core: LakeCore,
    request: CommitRequest,
    source: Snapshot,
    origin: RepoPath,
    target: Callable[[Snapshot], RepoPath | None],
) -> CommitResult | None:
    """Commit a copy of a subtree to a place where nothing is; no bytes move.

    Parameters
    ----------
    target
        Returns the place in a branch's tree, or None where something is in the way.

    Returns
    -------
    CommitResult or None
        None where `target` returned it; nothing was committed.
    """
    if target(core.snapshot(writable_head(core, request.repo, request.branch))) is None:
        return None

    def rewrite(nodes: NodeWriter, tree: Snapshot) -> Digest:
        place = target(tree)
        if place is None:  # since a moment ago
            raise AlreadyExistsError(
                f"Something came to be in {tree.label} where the copy was to go",
                kind=ErrorKind.PATH_EXISTS,
                hint="Try again",
            )
        return _placed(nodes, tree.root, place, source.root, origin)

    return _committed(core, request, rewrite, source)


def copy_over(
    core: LakeCore,
    request: CommitRequest,
    source: Snapshot,
    origin: RepoPath,
    target: Callable[[Snapshot], RepoPath],
) -> CommitResult:
    """Commit a copy of a file or folder to a place where something may be; no bytes move.

    What is at the same paths is replaced, what else is there stays. Costs one pass over the
    entries of the copy, as a stream.

    Parameters
    ----------
    target
        Returns the place in a branch's tree: the root only for a copy of a root.

    Raises
    ------
    InvalidInputError, AlreadyExistsError
        A file stands where a folder is needed, or a folder where a file is.
    ConflictError
        Somebody else committed other content to the same paths meanwhile.
    """
    base = writable_head(core, request.repo, request.branch)
    place = target(core.snapshot(base))
    with core.writer() as writer:
        if source.commit_id is not None:
            writer.count_on(source.commit_id)
        items = _Rekeyed(core.nodes, source.root, origin, place)
        return commit_items(core, writer, base, items, request)


def is_free(tree: Snapshot, path: RepoPath) -> bool:
    """Tell whether nothing is at a path, and no file above it."""
    return path != ROOT and tree.find(path) is None and _file_above(tree, path) is None


def _committed(
    core: LakeCore, request: CommitRequest, rewrite: Rewrite, source: Snapshot | None = None
) -> CommitResult:
    """Commit what `rewrite` makes of a branch's tree, and of `source` if that takes from one."""
    fresh_id = new_global_id()

    def attempt(head: Commit) -> CommitResult:
        with core.writer() as writer:
            if source is not None and source.commit_id is not None:
                writer.count_on(source.commit_id)
            nodes = NodeWriter(core.nodes, writer)
            root = rewrite(nodes, core.snapshot(head))
            return commit_tree(core, writer, nodes, head, root, request, fresh_id=fresh_id)

    writable_head(core, request.repo, request.branch)
    return on_head(core, request.repo, request.branch, attempt)


def _placed(
    nodes: NodeWriter, root: Digest, place: RepoPath, source: Digest, origin: RepoPath
) -> Digest:
    """Return `root` with what `source` has at and below `origin` as all that is at `place`."""
    start, end = path_range(place)
    if place == origin:
        root = graft_range(nodes, root, start, end, source)
    else:
        items = _rekeyed(nodes, source, origin, place)
        root = replace_range(nodes, root, start, end, items)
    # A folder above that was kept as an empty one is full now.
    parts = place.split("/")
    above = [RepoPath("/".join(parts[:count])) for count in range(1, len(parts))]
    return edit_manifest(nodes, root, [Edit(path_key(folder), None) for folder in above])


class _Rekeyed:
    """What a tree has at and below a path, as it is at another one; may be gone through again."""

    def __init__(self, source: NodeSource, root: Digest, origin: RepoPath, place: RepoPath) -> None:
        self._source = source
        self._root = root
        self._origin = origin
        self._place = place

    def __iter__(self) -> Iterator[Item]:
        if self._origin == self._place:
            return iter_items(self._source, self._root, *path_range(self._origin))
        return _rekeyed(self._source, self._root, self._origin, self._place)


def _rekeyed(source: NodeSource, root: Digest, origin: RepoPath, place: RepoPath) -> Iterator[Item]:
    """Yield what a tree has at and below `origin`, under the keys that it has at `place`."""
    prefix = path_key(place)
    cut = len(path_key(origin))
    if not origin:
        prefix += b"\0"
    longest = MAX_PATH_BYTES - len(prefix) + cut
    # A million of these are one call: no more than what must be is done for each.
    for key, value, size_bytes in iter_items(source, root, *path_range(origin)):
        if len(key) > longest:
            raise InvalidInputError(
                f"{path_from_key(key)!r} would have a path of more than {MAX_PATH_BYTES} bytes",
                kind=ErrorKind.INVALID_PATH,
                hint="Choose a shorter place",
            )
        yield Item(prefix + key[cut:], value, size_bytes)


def _with_folder(core: LakeCore, nodes: NodeWriter, root: Digest, folder: RepoPath) -> Digest:
    """Return `root` with a folder, kept as an empty one if nothing is in it any more."""
    if folder == ROOT or next(iter_items(nodes, root, *path_range(folder)), None) is not None:
        return root
    entry = empty_folder(mtime_ns=core.clock())
    return edit_manifest(nodes, root, [Edit(path_key(folder), entry.encode(), entry.size_bytes)])


def _check_place(tree: Snapshot, path: RepoPath) -> None:
    blocking = _file_above(tree, path)
    if blocking is not None:
        raise InvalidInputError(
            f"{path!r} cannot be in {tree.label}: a file is at {blocking!r}",
            kind=ErrorKind.INVALID_PATH,
            hint="Choose another path, or move the file away first",
            path=path,
        )


def _file_above(tree: Snapshot, path: RepoPath) -> RepoPath | None:
    above = parent_of(path)
    while above:
        entry = tree.entry(above)
        if entry is not None and entry.kind is not EntryKind.FOLDER:
            return above
        above = parent_of(above)
    return None
