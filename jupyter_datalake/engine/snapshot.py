"""A read-only view of one tree: what a commit, or a datum's output, holds.

Everything in it is immutable, so nothing is asked twice: nodes and chunks come from caches that
are shared by all snapshots of a lake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from jupyter_datalake.engine import exporting
from jupyter_datalake.engine.blobs import BlobReader
from jupyter_datalake.engine.content import FileContent, open_content
from jupyter_datalake.engine.linking import KeptFiles
from jupyter_datalake.engine.nodes import NodeCache
from jupyter_datalake.errors import (
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
)
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.entries import (
    EntryKind,
    FileEntry,
    Layout,
    decode_entry,
)
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.manifests import (
    Cursor,
    Item,
    Measure,
    diff_manifests,
    get_item,
    iter_items,
    measure_range,
)
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    folder_range,
    join_path,
    path_bytes,
    path_from_bytes,
    path_from_key,
    path_key,
    path_range,
)

_KINDS = {
    EntryKind.FILE: FileKind.FILE,
    EntryKind.SYMLINK: FileKind.SYMLINK,
    EntryKind.FOLDER: FileKind.FOLDER,
}


EntryChange = tuple[RepoPath, FileEntry | None, FileEntry | None]
"""Path, and what two trees have there."""


class Snapshot:
    """The tree below one manifest root.

    Parameters
    ----------
    label
        What the tree is, for messages: ``raw@main``.
    """

    def __init__(self, nodes: NodeCache, blobs: BlobReader, root: Digest, label: str) -> None:
        self._nodes = nodes
        self._blobs = blobs
        self.root = root
        self.label = label
        self.commit_id: CommitId | None = None
        """Of the commit whose tree it is; None for the tree of a datum."""

    # --- looking up ------------------------------------------------------------------------------

    def find(self, path: RepoPath, *, measure: bool = False) -> FileInfo | None:
        """Return what is at `path`, or None.

        Parameters
        ----------
        measure
            Whether a folder's size and count are wanted; they cost a few node reads.
        """
        if path == ROOT:
            return self._folder(ROOT, measure=measure)
        key = path_key(path)
        cursor = Cursor(self._nodes, self.root)
        cursor.seek(key)
        item = cursor.peek()
        if item is None:
            return None
        if item.key == key:
            return file_info(path, decode_entry(item.value, item.size_bytes))
        if item.key.startswith(key + b"\0"):
            return self._folder(path, measure=measure)
        return None

    def get(self, path: RepoPath, *, measure: bool = True) -> FileInfo:
        """Return what is at `path`, or raise `PathNotFoundError`."""
        info = self.find(path, measure=measure)
        if info is None:
            raise self._not_found(path)
        return info

    def entry(self, path: RepoPath) -> FileEntry | None:
        """Return the manifest's entry for exactly `path`; None for a folder with contents."""
        item = get_item(self._nodes, self.root, path_key(path))
        return None if item is None else decode_entry(item.value, item.size_bytes)

    def list(self, path: RepoPath, *, after: str = "", measure: bool = False) -> Iterator[FileInfo]:
        """Yield the children of a folder by name, behind the name `after`.

        Subfolders are skipped over, not read: the cost is that of the children.

        Raises
        ------
        PathNotFoundError
            Nothing is at `path`.
        InvalidInputError
            A file is.
        """
        start, end = folder_range(path)
        cursor = Cursor(self._nodes, self.root)
        cursor.seek(start + path_bytes(after) + b"\x01" if after else start)
        item = cursor.peek()
        if not after and path and not _is_inside(item, end):
            self._check_empty_folder(path)
            return
        while _is_inside(item, end):
            assert item is not None
            name, nul, _ = item.key[len(start) :].partition(b"\0")
            child = join_path(path, path_from_bytes(name))
            if nul:
                yield self._folder(child, measure=measure)
            else:
                yield file_info(child, decode_entry(item.value, item.size_bytes))
            cursor.seek(start + name + b"\x01")
            item = cursor.peek()

    def iter_entries(self, path: RepoPath = ROOT) -> Iterator[tuple[RepoPath, FileEntry]]:
        """Yield path and entry of everything at and below `path`, in order of keys."""
        if path:
            entry = self.entry(path)
            if entry is not None:
                yield path, entry
        for item in iter_items(self._nodes, self.root, *folder_range(path)):
            yield path_from_key(item.key), decode_entry(item.value, item.size_bytes)

    def iter_between(
        self, folder: RepoPath, after: str, before: str | None
    ) -> Iterator[tuple[RepoPath, FileEntry]]:
        """Yield path and entry of what lies below a folder between two of its names, at any depth.

        Parameters
        ----------
        after, before
            Neither they nor what is below them is meant; empty and None for no bound.
        """
        start, end = folder_range(folder)
        first = start + path_bytes(after) + b"\x01" if after else start
        last = end if before is None else start + path_bytes(before)
        for item in iter_items(self._nodes, self.root, first, last):
            yield path_from_key(item.key), decode_entry(item.value, item.size_bytes)

    def iter_files(self, path: RepoPath = ROOT) -> Iterator[FileInfo]:
        """Yield every file and symlink at and below `path`, in order of keys."""
        for found, entry in self.iter_entries(path):
            if entry.kind is not EntryKind.FOLDER:
                yield file_info(found, entry)

    def measure(self, path: RepoPath = ROOT) -> Measure:
        """Return count and size of the entries below a folder; a few node reads."""
        return measure_range(self._nodes, self.root, *folder_range(path))

    def content_digest(self, path: RepoPath) -> Digest:
        """Return the digest of the content at and below `path`, times left out.

        Equal digests mean that a program reading `path` sees the same names, kinds, permissions
        and bytes. Cost: the entries below `path`; no file is read.
        """
        base = len(path)
        rows = [
            [
                path_bytes(RepoPath(found[base:])),
                int(entry.kind),
                entry.mode,
                entry.size_bytes,
                entry.content_digest,
            ]
            for found, entry in self.iter_entries(path)
        ]
        return digest_of(pack_canonical(rows))

    def names_digest(self, path: RepoPath) -> Digest:
        """Return the digest of the names at and below `path`, whatever the files hold.

        Equal digests mean that a program sees the same names, kinds and targets of symlinks.
        Cost: the entries below `path`.
        """
        base = len(path)
        rows = [
            [
                path_bytes(RepoPath(found[base:])),
                int(entry.kind),
                entry.content if entry.kind is EntryKind.SYMLINK else b"",
            ]
            for found, entry in self.iter_entries(path)
        ]
        return digest_of(pack_canonical(["names", rows]))

    # --- for a worktree --------------------------------------------------------------------------

    def look(self, path: RepoPath) -> tuple[FileKind, FileEntry | None] | None:
        """Return kind and entry of what is at `path`, or None; one walk down the manifest.

        A folder with contents, and the root, have no entry.
        """
        if path == ROOT:
            return FileKind.FOLDER, None
        key = path_key(path)
        cursor = Cursor(self._nodes, self.root)
        cursor.seek(key)
        item = cursor.peek()
        if item is None:
            return None
        if item.key == key:
            entry = decode_entry(item.value, item.size_bytes)
            return _KINDS[entry.kind], entry
        return (FileKind.FOLDER, None) if item.key.startswith(key + b"\0") else None

    def scan(
        self, path: RepoPath, after: str = ""
    ) -> Iterator[tuple[str, FileKind, FileEntry | None]]:
        """Yield name, kind and entry of a folder's children, in byte order of the names.

        What `look` says of each, for a fraction of the cost. Nothing, where no folder is; only
        what comes behind the name `after`, where one is given.
        """
        start, end = folder_range(path)
        cursor = Cursor(self._nodes, self.root)
        cursor.seek(start + path_bytes(after) + b"\x01" if after else start)
        last: bytes | None = None
        while _is_inside(item := cursor.peek(), end):
            assert item is not None
            name, nul, _ = item.key[len(start) :].partition(b"\0")
            if name == last:
                # Only a stranger's tree has something below a file or beside a folder's marker.
                cursor.seek(start + name + b"\x01")
                continue
            last = name
            if nul:
                yield path_from_bytes(name), FileKind.FOLDER, None
                cursor.seek(start + name + b"\x01")
            else:
                entry = decode_entry(item.value, item.size_bytes)
                yield path_from_bytes(name), _KINDS[entry.kind], entry
                cursor.advance()

    def changed_paths(self, newer: Snapshot) -> Iterator[RepoPath]:
        """Yield the paths on which two trees of one lake differ; the cost is that of these."""
        for difference in diff_manifests(self._nodes, self.root, newer.root):
            yield path_from_key(difference.key)

    def differences(self, newer: Snapshot, below: RepoPath = ROOT) -> Iterator[EntryChange]:
        """Yield path and both entries of what differs at and below a path, in order of keys."""
        for one in diff_manifests(self._nodes, self.root, newer.root, *path_range(below)):
            yield path_from_key(one.key), _entry_of(one.old), _entry_of(one.new)

    # --- reading ---------------------------------------------------------------------------------

    def content(self, path: RepoPath) -> FileContent:
        """Return the bytes of a file, to be read by range.

        Raises
        ------
        PathNotFoundError
            Nothing is at `path`.
        InvalidInputError
            A folder or symlink is.
        """
        entry = self.entry(path)
        if entry is None or entry.kind is not EntryKind.FILE:
            info = self.get(path, measure=False)
            raise InvalidInputError(
                f"{self.label}/{path} is a {info.kind}, not a file",
                kind=ErrorKind.INVALID_PATH,
                hint="Name a file; 'datalake files list' shows what there is",
                path=path,
            )
        return FileContent(self._blobs, entry)

    def content_of(self, entry: FileEntry) -> FileContent:
        """Return the bytes of an entry of this tree."""
        return FileContent(self._blobs, entry)

    def small_contents(self, entries: Sequence[FileEntry]) -> Sequence[bytes | None]:
        """Return the bytes of files, read together; None for those of more than one chunk.

        All are in memory at once.
        """
        digests = [Digest(entry.content) for entry in entries if entry.layout is Layout.CHUNK]
        chunks = iter(self._blobs.get_many(digests))
        return [_small_content(entry, chunks) for entry in entries]

    def open(self, path: RepoPath) -> BinaryIO:
        """Return a file as a buffered, seekable binary file."""
        return open_content(self.content(path), f"{self.label}/{path}")

    def read(self, path: RepoPath) -> bytes:
        """Return the whole content of a file; meant for small ones."""
        content = self.content(path)
        return content.read(0, content.size_bytes)

    def export(self, path: RepoPath, target: Path, kept: KeptFiles | None = None) -> int:
        """Write what is at `path` to `target`, which must not exist; return the bytes written.

        A file becomes `target` itself; of a folder, the contents are written below it. It
        appears whole or not at all. Symlinks are written as symlinks, and nothing outside
        `target` is touched, whatever the tree holds.

        Parameters
        ----------
        kept
            Files to link to, or to share blocks with, instead of writing the same bytes again.

        Raises
        ------
        AlreadyExistsError
            `target` exists.
        PathNotFoundError
            Nothing is at `path`.
        CorruptDataError
            Something below it cannot be read, or has a file for a folder.
        StorageError
            The disk is full, or `target` cannot be written.
        """
        return exporting.export(self, path, target, kept)

    def export_into(self, path: RepoPath, folder: Path) -> int:
        """Write what is at `path` below `folder` under its own full path; return the bytes."""
        return exporting.export_into(self, path, folder)

    def export_names_into(self, path: RepoPath, folder: Path) -> None:
        """Write what is at `path` below `folder` under its own full path, with empty files."""
        exporting.export_names_into(self, path, folder)

    # --- inside ----------------------------------------------------------------------------------

    def _folder(self, path: RepoPath, *, measure: bool) -> FileInfo:
        if measure:
            held = self.measure(path)
        else:
            # Unmeasured, a folder that is there counts as one entry, and an empty root as none.
            held = Measure(1 if path or Cursor(self._nodes, self.root).peek() else 0, 0)
        return FileInfo(
            path=path,
            kind=FileKind.FOLDER,
            size_bytes=held.size_bytes,
            mode=0o755,
            mtime_ns=0,
            digest=None,
            file_count=held.item_count,
        )

    def _check_empty_folder(self, path: RepoPath) -> None:
        info = self.get(path, measure=False)
        if info.kind is not FileKind.FOLDER:
            raise InvalidInputError(
                f"{self.label}/{path} is a {info.kind}, not a folder",
                kind=ErrorKind.INVALID_PATH,
                path=path,
            )

    def _not_found(self, path: RepoPath) -> PathNotFoundError:
        return PathNotFoundError(
            f"{self.label} has no path {path!r}",
            hint="Look at its folder with 'datalake files list'",
            path=path,
            tree=self.label,
        )


def _small_content(entry: FileEntry, chunks: Iterator[bytes]) -> bytes | None:
    if entry.layout is Layout.INLINE:
        return entry.content
    if entry.layout is Layout.CHUNK:
        content = next(chunks)
        # One of another size is damage: asked for alone, the file tells what is wrong.
        return content if len(content) == entry.size_bytes else None
    return None


def content_digest_of(info: FileInfo) -> Digest | None:
    """Return `Snapshot.content_digest` of a file or symlink that was listed, without a look-up.

    None for a folder, whose digest is of all that is below it.
    """
    if info.digest is None:
        return None
    kind = EntryKind.SYMLINK if info.kind is FileKind.SYMLINK else EntryKind.FILE
    return digest_of(
        pack_canonical([[path_bytes(ROOT), int(kind), info.mode, info.size_bytes, info.digest]])
    )


def file_info(path: RepoPath, entry: FileEntry) -> FileInfo:
    """Return what people see of an entry."""
    is_folder = entry.kind is EntryKind.FOLDER
    return FileInfo(
        path=path,
        kind=_KINDS[entry.kind],
        size_bytes=entry.size_bytes,
        mode=entry.mode,
        mtime_ns=0 if is_folder else entry.mtime_ns,
        digest=None if is_folder else entry.content_digest,
        file_count=0 if is_folder else 1,
        target=path_from_bytes(entry.content) if entry.kind is EntryKind.SYMLINK else None,
    )


def _entry_of(item: Item | None) -> FileEntry | None:
    return None if item is None else decode_entry(item.value, item.size_bytes)


def _is_inside(item: Item | None, end: bytes | None) -> bool:
    return item is not None and (end is None or item.key < end)
