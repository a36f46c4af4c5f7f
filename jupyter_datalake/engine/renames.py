"""Renames: which of the removed paths are among the added ones, under another name.

The manifest knows no renames, so they are found by comparing what went with what came:

1. A folder is renamed when everything that was in it is in another one, under the same names and
   with the same permissions, nothing else is there, and neither folder is in both trees. It is one
   change; times do not matter. Large folders are looked at first, so what lies in a renamed folder
   is part of it. Folders are compared as streams, so their size costs time and no memory.
2. Of what is left, equal contents are the same file. Of several with one content, those are paired
   that lie in folders whose other files went the same way, then those whose paths end alike.
3. Files left over are the same if at least half of their bytes are: the chunks they share, or, for
   files of one chunk, their lines.

Steps 1 and 2 read the manifests only. Step 3 reads chunk lists and small files, up to a limit.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot, file_info
from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.changes import Change, change_of, renamed
from jupyter_datalake.model.entries import EntryKind, FileEntry, Layout, decode_entry
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import (
    Difference,
    Item,
    Measure,
    NodeSource,
    diff_manifests,
)
from jupyter_datalake.model.merging import same_but_for_time
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    is_within,
    join_path,
    name_of,
    parent_of,
    path_from_key,
    path_key,
)

RENAME_LIMIT = 300_000
"""Most paths that are compared one by one: they take about 200 MiB."""

SIMILAR_ENOUGH = 0.5
"""Share of bytes that two files must have in common to be one."""

SIMILAR_PIECES = 100_000
"""Most chunks and lines that are looked at on each side in search of similar files."""

SIMILAR_READ_BYTES = 16 * 1024 * 1024
"""Most bytes of small files that are read on each side in search of similar ones."""

_COMMON = 50
"""A piece that more files than this have says nothing about which of them it is."""

_SUFFIX_DEPTH = 8
"""How many names at the end of their paths are compared to pair files of one content."""

_TRIES = 16
"""How many folders that begin like one are compared with it to their ends."""


def difference_range(below: RepoPath, after: RepoPath) -> tuple[bytes, bytes | None]:
    """Return the half-open range of keys at and below a path that come behind another."""
    key = path_key(below)
    start = path_key(after) + b"\0" if after else b""
    return max(key, start), key + b"\x01" if below else None


def change_at(difference: Difference) -> Change:
    """Return what people see of a difference between two manifests."""
    path = path_from_key(difference.key)
    return change_of(path, _info(path, difference.old), _info(path, difference.new))


def iter_differences(
    nodes: NodeSource, old: Digest, new: Digest, start: bytes = b"", end: bytes | None = None
) -> Iterator[Difference]:
    """Yield the keys on which two manifests differ, but for those whose time alone does."""
    differences = diff_manifests(nodes, old, new, start, end)
    return (one for one in differences if not same_but_for_time(one.old, one.new))


def diff_with_renames(
    core: LakeCore, old: Digest, new: Digest, below: RepoPath, after: RepoPath
) -> Iterator[Change]:
    """Yield the changes between two trees, in order, with renames as one change each.

    Cost: two walks over the differences below `below`, and what the search reads.

    Raises
    ------
    InvalidInputError
        Too many paths differ to be compared one by one.
    """
    search = _Search(core, old, new, below)
    found = search.run()
    start, end = difference_range(below, after)
    inside: RepoPath | None = None
    for difference in iter_differences(core.nodes, old, new, start, end):
        if inside is not None and difference.key.startswith(path_key(inside) + b"\0"):
            continue
        path = path_from_key(difference.key)
        if difference.new is None:
            inside = _folder_of(path, found.old_folders)
            if inside is None and path not in found.old_files:
                yield change_at(difference)
        elif difference.old is not None or path in found.files:
            yield change_at(difference) if difference.old else found.files[path]
        else:
            inside = _folder_of(path, found.folders)
            if inside is None:
                yield change_at(difference)
            elif path_key(inside) >= start:
                yield search.folder_change(found.folders[inside], inside)


@dataclass(slots=True)
class _Found:
    """The renames between two trees."""

    folders: dict[RepoPath, RepoPath]
    """New path to old path of folders."""
    old_folders: dict[RepoPath, RepoPath]
    """Old path to new path of the same."""
    files: dict[RepoPath, Change] = field(default_factory=dict)
    """Renamed files by their new path."""
    old_files: set[RepoPath] = field(default_factory=set)


@dataclass(slots=True)
class _Side:
    """What one tree has and the other lacks."""

    tree: Snapshot
    other: Snapshot
    files: dict[RepoPath, FileEntry] = field(default_factory=dict)
    """Paths in folders that both have, or that turned out not to be renamed."""
    folders: list[RepoPath] = field(default_factory=list)
    """The topmost folders that are in this tree only."""
    _alive: list[RepoPath] = field(default_factory=list)
    """Folders on the way to the last path that both have."""

    _skipped: bytes | None = None
    """What the keys below the last of `folders` begin with."""

    def take(self, item: Item, below: RepoPath) -> None:
        """Take up the next path, in order of keys."""
        if self._skipped is not None and item.key.startswith(self._skipped):
            return
        path = path_from_key(item.key)
        while self._alive and not is_within(path, self._alive[-1]):
            self._alive.pop()
        folder = self._alive[-1] if self._alive else ROOT
        names = path[len(folder) :].strip("/").split("/")
        for name in names[:-1]:
            folder = join_path(folder, name)
            if is_within(folder, below) and self.other.find(folder) is None:
                self.folders.append(folder)
                self._skipped = path_key(folder) + b"\0"
                return
            self._alive.append(folder)
        self.files[path] = decode_entry(item.value, item.size_bytes)

    def expand(self, folder: RepoPath) -> Iterator[RepoPath]:
        """Take up the files of a folder and yield its folders."""
        for name, kind, entry in self.tree.scan(folder):
            path = join_path(folder, name)
            if entry is not None:
                self.files[path] = entry
            elif kind is FileKind.FOLDER:
                yield path


class _Search:
    """Finds the renames between two trees."""

    def __init__(self, core: LakeCore, old: Digest, new: Digest, below: RepoPath) -> None:
        self._core = core
        old_tree = core.tree(old, "the older tree")
        new_tree = core.tree(new, "the newer tree")
        self._gone = _Side(old_tree, new_tree)
        self._came = _Side(new_tree, old_tree)
        self._below = below

    def run(self) -> _Found:
        """Return what was found."""
        self._collect()
        folders = _match_folders(self._gone, self._came)
        self._check_limit()
        found = _Found({new: old for old, new in folders.items()}, folders)
        for old, new in self._equal_contents(folders):
            self._add(found, old, new, 1.0)
        for similarity, old, new in self._similar():
            self._add(found, old, new, similarity)
        return found

    def folder_change(self, old: RepoPath, new: RepoPath) -> Change:
        """Return the change of a folder that was renamed."""
        return renamed(self._gone.tree.get(old), self._came.tree.get(new), 1.0)

    def _add(self, found: _Found, old: RepoPath, new: RepoPath, similarity: float) -> None:
        was = file_info(old, self._gone.files.pop(old))
        now = file_info(new, self._came.files.pop(new))
        found.files[new] = renamed(was, now, similarity)
        found.old_files.add(old)

    def _collect(self) -> None:
        start, end = difference_range(self._below, ROOT)
        trees = self._gone.tree.root, self._came.tree.root
        for one in diff_manifests(self._core.nodes, *trees, start, end):
            if one.new is None and one.old is not None:
                self._gone.take(one.old, self._below)
            elif one.old is None and one.new is not None:
                self._came.take(one.new, self._below)
            else:
                continue
            self._check_limit()

    def _check_limit(self) -> None:
        _check_limit(self._gone, self._came)

    # --- equal contents --------------------------------------------------------------------------

    def _equal_contents(
        self, folders: Mapping[RepoPath, RepoPath]
    ) -> list[tuple[RepoPath, RepoPath]]:
        """Return the pairs of equal content, each path in one pair at most."""
        came = _by_content(self._came.files)
        groups = [
            (paths, came[content])
            for content, paths in _by_content(self._gone.files).items()
            if content in came
        ]
        pairs: list[tuple[RepoPath, RepoPath]] = []
        moves = dict(folders)
        for gone, added in groups:
            if len(gone) == len(added) == 1:
                pairs.append((gone[0], added[0]))
                moves.setdefault(*_differing(gone[0], added[0]))
        for gone, added in groups:
            if len(gone) > 1 or len(added) > 1:
                pairs += _paired(gone, added, moves)
        return [pair for pair in pairs if self._is_telling(*pair)]

    def _is_telling(self, old: RepoPath, new: RepoPath) -> bool:
        """Tell whether an equal content says that two paths are one: nothing at all says little."""
        entry = self._came.files[new]
        if entry.size_bytes:
            return True
        return entry.kind is EntryKind.FILE and name_of(old) == name_of(new)

    # --- similar contents ------------------------------------------------------------------------

    def _similar(self) -> list[tuple[float, RepoPath, RepoPath]]:
        """Return pairs of files that have enough in common, the most alike first."""
        holders: dict[bytes, list[tuple[RepoPath, int]]] = defaultdict(list)
        for path, pieces in _all_pieces(self._core, self._gone.files):
            for piece, size_bytes in pieces.items():
                if len(holders[piece]) < _COMMON:
                    holders[piece].append((path, size_bytes))
        if not holders:
            return []
        scored: list[tuple[float, RepoPath, RepoPath]] = []
        for path, pieces in _all_pieces(self._core, self._came.files):
            shared: dict[RepoPath, int] = defaultdict(int)
            for piece, size_bytes in pieces.items():
                for holder, other_bytes in holders.get(piece, ()):
                    shared[holder] += min(size_bytes, other_bytes)
            size_bytes = self._came.files[path].size_bytes
            for holder, common_bytes in shared.items():
                largest = max(self._gone.files[holder].size_bytes, size_bytes)
                if common_bytes >= SIMILAR_ENOUGH * largest:
                    # Files can share all their pieces and differ in how these are ordered.
                    share = min(round(common_bytes / largest, 3), 0.999)
                    scored.append((share, holder, path))
        return _best(scored)


# --- folders -------------------------------------------------------------------------------------


def _match_folders(gone: _Side, came: _Side) -> dict[RepoPath, RepoPath]:
    """Return the folders that are whole under another name, old path to new one.

    The files of the others are taken up by their sides.
    """
    sides = (gone, came)
    waiting: list[tuple[int, int, int, RepoPath]] = []

    def wait(number: int, folders: Iterable[RepoPath]) -> None:
        for folder in folders:
            held = sides[number].tree.measure(folder)
            heapq.heappush(waiting, (-held.item_count, -held.size_bytes, number, folder))

    wait(0, gone.folders)
    wait(1, came.folders)
    found: dict[RepoPath, RepoPath] = {}
    while waiting:
        count, size_bytes = waiting[0][:2]
        level: tuple[list[list[RepoPath]], list[list[RepoPath]]] = ([], [])
        while waiting and waiting[0][:2] == (count, size_bytes):
            _, _, number, folder = heapq.heappop(waiting)
            level[number].append(_chain(sides[number].tree, folder, Measure(-count, -size_bytes)))
        matched = _match_level(gone.tree, came.tree, *level)
        found |= matched
        taken = (set(matched), set(matched.values()))
        for number, chains in enumerate(level):
            for chain in chains:
                if taken[number].isdisjoint(chain):
                    wait(number, sides[number].expand(chain[-1]))
                    _check_limit(gone, came)
    return found


def _chain(tree: Snapshot, folder: RepoPath, held: Measure) -> list[RepoPath]:
    """Return a folder and, while one folder is all that is in it, that one too."""
    chain = [folder]
    while True:
        children = tree.scan(chain[-1])
        name, kind, entry = next(children, ("", FileKind.FILE, None))
        if kind is not FileKind.FOLDER or entry is not None:
            return chain
        child = join_path(chain[-1], name)
        if tree.measure(child) != held:
            return chain
        chain.append(child)


def _match_level(
    old_tree: Snapshot,
    new_tree: Snapshot,
    gone: list[list[RepoPath]],
    came: list[list[RepoPath]],
) -> dict[RepoPath, RepoPath]:
    """Pair folders of one count and size; of a chain, one folder at most is paired."""
    if not gone or not came:
        return {}
    alike: dict[tuple[str, bytes], list[tuple[int, RepoPath]]] = defaultdict(list)
    for number, chain in enumerate(came):
        for folder in chain:
            alike[_beginning(new_tree, folder)].append((number, folder))
    found: dict[RepoPath, RepoPath] = {}
    taken: set[int] = set()
    for chain in gone:
        for old in chain:
            others = [
                one for one in alike.get(_beginning(old_tree, old), ()) if one[0] not in taken
            ]
            others.sort(key=lambda one: name_of(one[1]) != name_of(old))
            same = next(
                (one for one in others[:_TRIES] if _equal(old_tree, old, new_tree, one[1])), None
            )
            if same is not None:
                taken.add(same[0])
                found[old] = same[1]
                break
    return found


def _beginning(tree: Snapshot, folder: RepoPath) -> tuple[str, bytes]:
    """Return what the first entry below a folder is called there, and its content."""
    path, entry = next(tree.iter_entries(folder))
    return path[len(folder) :], entry.content


def _equal(old_tree: Snapshot, old: RepoPath, new_tree: Snapshot, new: RepoPath) -> bool:
    """Tell whether two folders hold the same under the same names; stops where they do not."""
    both = zip_longest(old_tree.iter_entries(old), new_tree.iter_entries(new))
    return all(
        one is not None
        and other is not None
        and one[0][len(old) :] == other[0][len(new) :]
        and one[1].same_content(other[1])
        for one, other in both
    )


# --- files ---------------------------------------------------------------------------------------


def _check_limit(gone: _Side, came: _Side) -> None:
    if sum(len(side.files) + len(side.folders) for side in (gone, came)) > RENAME_LIMIT:
        raise InvalidInputError(
            f"More than {RENAME_LIMIT} paths were added or removed: too many to look for renames",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Narrow it with a path, or leave renames alone",
        )


def _by_content(entries: Mapping[RepoPath, FileEntry]) -> dict[bytes, list[RepoPath]]:
    """Return the paths of each kind and content."""
    groups: dict[bytes, list[RepoPath]] = {}
    for path, entry in entries.items():
        groups.setdefault(bytes((entry.kind, entry.layout)) + entry.content, []).append(path)
    return groups


def _paired(
    gone: list[RepoPath], came: list[RepoPath], moves: dict[RepoPath, RepoPath]
) -> Iterator[tuple[RepoPath, RepoPath]]:
    """Pair paths that all have one content; cost: their number."""
    left, free = dict.fromkeys(gone), dict.fromkeys(came)
    for old in gone:
        new = _moved_along(old, moves)
        if new in free:
            yield old, new
            del left[old], free[new]
    for depth in range(_SUFFIX_DEPTH, -1, -1):
        waiting: dict[tuple[str, ...], list[RepoPath]] = defaultdict(list)
        for old in reversed(left):
            waiting[_suffix(old, depth)].append(old)
        for new in list(free):
            if same := waiting.get(_suffix(new, depth)):
                old = same.pop()
                yield old, new
                del left[old], free[new]


def _suffix(path: RepoPath, depth: int) -> tuple[str, ...]:
    return tuple(path.split("/")[-depth:]) if depth else ()


def _moved_along(path: RepoPath, moves: dict[RepoPath, RepoPath]) -> RepoPath | None:
    """Return where a path is if its folder went where other files of it went."""
    folder = path
    while folder:
        folder = parent_of(folder)
        if folder in moves:
            rest = path[len(folder) :].lstrip("/")
            return RepoPath(f"{moves[folder]}/{rest}" if moves[folder] else rest)
    return None


def _differing(old: RepoPath, new: RepoPath) -> tuple[RepoPath, RepoPath]:
    """Return two paths without the names that both end in."""
    while old and new and name_of(old) == name_of(new):
        old, new = parent_of(old), parent_of(new)
    return old, new


def _folder_of(path: RepoPath, folders: Mapping[RepoPath, RepoPath]) -> RepoPath | None:
    """Return the folder above a path that is among `folders`, or None."""
    folder = path if folders else ROOT
    while folder:
        folder = parent_of(folder)
        if folder in folders:
            return folder
    return None


def _all_pieces(
    core: LakeCore, entries: Mapping[RepoPath, FileEntry]
) -> Iterator[tuple[RepoPath, dict[bytes, int]]]:
    """Yield the pieces of files and how many bytes each has, until the limits are reached."""
    pieces_left, bytes_left = SIMILAR_PIECES, SIMILAR_READ_BYTES
    for path, entry in entries.items():
        if entry.kind is not EntryKind.FILE or not entry.size_bytes:
            continue
        content = FileContent(core.blobs, entry)
        pieces: dict[bytes, int] = defaultdict(int)
        if entry.layout is Layout.CHUNK_LIST:
            for span in content.iter_spans():
                pieces[span.digest] += span.size_bytes
                if len(pieces) > pieces_left:
                    return
        else:
            bytes_left -= entry.size_bytes
            if bytes_left < 0:
                return
            for line in content.read(0, entry.size_bytes).splitlines(keepends=True):
                pieces[line] += len(line)
        pieces_left -= len(pieces)
        if pieces_left < 0:
            return
        yield path, pieces


def _best(
    scored: list[tuple[float, RepoPath, RepoPath]],
) -> list[tuple[float, RepoPath, RepoPath]]:
    """Return the best pairs, each path in one at most."""
    pairs: list[tuple[float, RepoPath, RepoPath]] = []
    gone: set[RepoPath] = set()
    came: set[RepoPath] = set()
    for one in sorted(scored, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if one[1] not in gone and one[2] not in came:
            gone.add(one[1])
            came.add(one[2])
            pairs.append(one)
    return pairs


def _info(path: RepoPath, item: Item | None) -> FileInfo | None:
    return None if item is None else file_info(path, decode_entry(item.value, item.size_bytes))
