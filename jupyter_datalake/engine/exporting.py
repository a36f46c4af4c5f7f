"""Writing what a tree holds to ordinary folders, also where the tree is a stranger's.

Nothing is written outside the target: names are checked again, a folder is only entered if it is
a real one, and symlinks are made last, so nothing can be written through them. Set-user-id bits
stay behind. What could not be written whole is taken away again. Nothing is kept for each file:
symlinks wait in a file, and folders are looked at again when they are many.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgpack

from jupyter_datalake.engine.blobs import BATCH_BYTES, BATCH_COUNT
from jupyter_datalake.engine.linking import KeptFiles
from jupyter_datalake.errors import (
    AlreadyExistsError,
    CorruptDataError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    StorageError,
)
from jupyter_datalake.model.entries import EntryKind, FileEntry, Layout
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import RepoPath, path_bytes

if TYPE_CHECKING:
    from jupyter_datalake.engine.snapshot import Snapshot

_MODE_BITS = 0o777
_FOLDERS_KNOWN = 10_000
_LINKS_IN_MEMORY_BYTES = 1 << 20
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


def export(tree: Snapshot, path: RepoPath, target: Path, kept: KeptFiles | None = None) -> int:
    """Write what is at `path` to `target`, whole or not at all; see `Snapshot.export`."""
    if os.path.lexists(target):
        raise _exists(target)
    is_folder = tree.get(path, measure=False).kind is FileKind.FOLDER
    with translated_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.parent / f".datalake-{secrets.token_hex(8)}"
        try:
            if is_folder:
                partial.mkdir()
                below = ((_below(found, path), entry) for found, entry in tree.iter_entries(path))
                written = _Writer(tree, partial, kept).write(below)
                os.rename(partial, target)  # onto nothing, or an empty folder made meanwhile
            else:
                entry = tree.entry(path)
                assert entry is not None
                written = _Writer(tree, partial.parent, kept).write([(partial.name, entry)])
                _give_name(partial, target)
        finally:
            if os.path.lexists(partial):
                shutil.rmtree(partial) if is_folder else partial.unlink()
        return written


def export_into(tree: Snapshot, path: RepoPath, folder: Path) -> int:
    """Write what is at `path` below `folder` under its full path; see `Snapshot.export_into`."""
    with translated_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return _Writer(tree, folder).write(tree.iter_entries(path))


def export_names_into(tree: Snapshot, path: RepoPath, folder: Path) -> None:
    """Write empty files under the names below `path`; see `Snapshot.export_names_into`."""
    with translated_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        named = ((found, _without_content(entry)) for found, entry in tree.iter_entries(path))
        _Writer(tree, folder).write(named)


def _without_content(entry: FileEntry) -> FileEntry:
    if entry.kind is not EntryKind.FILE:
        return entry
    return replace(entry, size_bytes=0, layout=Layout.INLINE, content=b"")


class _Writer:
    """Writes entries below one folder. Places are text: making a `Path` costs as much as a file."""

    def __init__(self, tree: Snapshot, root: Path, kept: KeptFiles | None = None) -> None:
        self._tree = tree
        self._kept = kept
        self._root = str(root)
        self._real_folders = {self._root}

    def write(self, entries: Iterable[tuple[str, FileEntry]]) -> int:
        """Write each entry at its path below the root and return the bytes of all files."""
        with tempfile.SpooledTemporaryFile(max_size=_LINKS_IN_MEMORY_BYTES) as links:
            written = self._write_files(entries, links)
            links.seek(0)
            for place, goal in msgpack.Unpacker(links):
                try:
                    os.symlink(goal, place)
                except FileExistsError:
                    raise self._in_the_way(os.fsdecode(place)) from None
        return written

    def _write_files(self, entries: Iterable[tuple[str, FileEntry]], links: IO[bytes]) -> int:
        """Write all but the symlinks, which are put into a file as place and goal."""
        written = 0
        for window in _windows(entries):
            files: list[tuple[str, FileEntry]] = []
            for path, entry in window:
                if not path:
                    continue  # the marker of the exported folder itself
                place = self._place(path)
                if entry.kind is EntryKind.FOLDER:
                    self._folder(place)
                    continue
                self._folder(place.rpartition("/")[0])
                if entry.kind is EntryKind.SYMLINK:
                    links.write(msgpack.packb((os.fsencode(place), entry.content)))
                else:
                    files.append((place, entry))
                    written += entry.size_bytes
            self._files(files)
        return written

    def _place(self, path: str) -> str:
        if "\0" in path or not _UNSAFE.isdisjoint(path.split("/")):
            raise InvalidInputError(
                f"{self._tree.label} holds the unsafe path {path!r}; it was not written",
                kind=ErrorKind.INVALID_PATH,
                path=path,
            )
        return f"{self._root}/{os.fsdecode(path_bytes(path))}"

    def _folder(self, place: str) -> None:
        """Make a folder and those above it, each of which must be a real one."""
        if len(self._real_folders) > _FOLDERS_KNOWN:
            self._real_folders = {self._root}
        missing: list[str] = []
        while place not in self._real_folders:
            missing.append(place)
            place = place.rpartition("/")[0]
        for folder in reversed(missing):
            try:
                os.mkdir(folder)
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(folder).st_mode):
                    raise self._in_the_way(folder) from None
            self._real_folders.add(folder)

    def _in_the_way(self, place: str) -> CorruptDataError:
        return CorruptDataError(
            f"{self._tree.label} has something below {os.path.basename(place)!r}, where there is"
            " a file or symlink; it was not written",
            kind=ErrorKind.CORRUPT_OBJECT,
            path=place,
        )

    def _files(self, files: Sequence[tuple[str, FileEntry]]) -> None:
        """Write files, reading the small ones together."""
        unlinked = [one for one in files if not self._is_linked(*one)]
        contents = self._tree.small_contents([entry for _, entry in unlinked])
        for (place, entry), content in zip(unlinked, contents, strict=True):
            try:
                self._file(place, entry, content)
            except FileExistsError:
                raise self._in_the_way(place) from None

    def _is_linked(self, place: str, entry: FileEntry) -> bool:
        """Make a file of a kept one, if there is one; tell whether that was done."""
        if self._kept is None or entry.layout is Layout.INLINE:
            return False
        try:
            return self._kept.give(entry, place)
        except FileExistsError:
            raise self._in_the_way(place) from None

    def _file(self, place: str, entry: FileEntry, content: bytes | None) -> None:
        """Write a file; `content` is what it holds, or None where that is to be read."""
        descriptor = os.open(place, _CREATING, 0o600)
        try:
            chunks = self._tree.content_of(entry).iter_chunks() if content is None else (content,)
            for chunk in chunks:
                _write_all(descriptor, chunk)
            kept = None if entry.layout is Layout.INLINE else self._kept
            os.fchmod(
                descriptor, entry.mode & _MODE_BITS if kept is None else kept.file_mode(entry)
            )
            os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(descriptor)
        if kept is not None:
            kept.keep(entry, place)


_UNSAFE = frozenset({"", ".", ".."})
_CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def _write_all(descriptor: int, data: bytes) -> None:
    done = os.write(descriptor, data)
    while done < len(data):
        done += os.write(descriptor, memoryview(data)[done:])


def _windows(entries: Iterable[tuple[str, FileEntry]]) -> Iterator[list[tuple[str, FileEntry]]]:
    """Yield entries in groups whose small files are worth reading together."""
    window: list[tuple[str, FileEntry]] = []
    size = 0
    for path, entry in entries:
        window.append((path, entry))
        size += entry.size_bytes if entry.layout is Layout.CHUNK else 0
        if size >= BATCH_BYTES or len(window) >= BATCH_COUNT:
            yield window
            window, size = [], 0
    if window:
        yield window


def _below(path: RepoPath, folder: RepoPath) -> str:
    return path[len(folder) + 1 :] if folder else path


def _give_name(partial: Path, target: Path) -> None:
    """Move a finished file to its name, unless somebody made another one there meanwhile."""
    try:
        os.link(partial, target, follow_symlinks=False)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.rename(partial, target)  # a file system without hard links


def _exists(target: Path) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"{target} exists",
        kind=ErrorKind.PATH_EXISTS,
        hint="Choose another place, or remove it first",
        path=str(target),
    )


@contextmanager
def translated_errors(place: Path) -> Iterator[None]:
    """Turn the system's errors with files outside the lake into ours."""
    try:
        yield
    except DatalakeError:
        raise
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        where = f": {error.filename}" if error.filename else ""
        raise StorageError(
            f"{place} cannot be used: {error.strerror}{where}",
            kind=ErrorKind.STORAGE_FULL if is_full else ErrorKind.STORAGE_UNAVAILABLE,
            hint="Free some space and try again" if is_full else None,
            path=str(place),
        ) from error
