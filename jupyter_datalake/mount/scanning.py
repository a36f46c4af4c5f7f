"""What differs between an ordinary folder and the commit it was made from.

Both are walked in the order of manifest keys and joined, with the record of what is known to be
clean as the third, so memory does not grow with them. A file whose stat(2) is what it was when it
was last known to be clean is not read again.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jupyter_datalake.engine.content import FileContent
from jupyter_datalake.engine.ignoring import IGNORE_NAME, IgnoreRules
from jupyter_datalake.engine.snapshot import Snapshot, file_info
from jupyter_datalake.model.changes import Change, change_of
from jupyter_datalake.model.entries import EntryKind, FileEntry
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import RepoPath, path_bytes, path_from_bytes, path_key
from jupyter_datalake.mount.clean_files import CleanFiles
from jupyter_datalake.mount.listing import SortedRuns, names_in

MOST_SKIPPED = 100
"""Things that no commit can hold are named up to so many."""

_LAST = b"\xff" * 4096
"""Behind every key: no path is so long."""

_KINDS = {
    stat.S_IFREG: FileKind.FILE,
    stat.S_IFLNK: FileKind.SYMLINK,
    stat.S_IFDIR: FileKind.FOLDER,
}


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, symlink or empty folder below the folder."""

    path: RepoPath
    raw_place: bytes
    """Where it is on this machine."""
    status: os.stat_result
    is_left_out: bool = False
    """Whether a ``.datalakeignore`` leaves it out, unless the commit has it."""

    @property
    def place(self) -> Path:
        """Where it is on this machine."""
        return Path(os.fsdecode(self.raw_place))

    @property
    def kind(self) -> FileKind:
        """What it is."""
        return _KINDS[stat.S_IFMT(self.status.st_mode)]

    @property
    def mode(self) -> int:
        """Its permission bits."""
        return stat.S_IMODE(self.status.st_mode)

    def info(self) -> FileInfo:
        """Return it as people see it; its digest is not known."""
        is_link = self.kind is FileKind.SYMLINK
        target = path_from_bytes(os.readlink(self.raw_place)) if is_link else None
        return FileInfo(
            self.path,
            self.kind,
            0 if self.kind is FileKind.FOLDER else self.status.st_size,
            self.mode,
            self.status.st_mtime_ns,
            digest=None,
            target=target,
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A path on which folder and commit disagree."""

    path: RepoPath
    old: FileEntry | None
    new: LocalFile | None

    def as_change(self) -> Change:
        """Return it as people see it."""
        return change_of(
            self.path,
            None if self.old is None else file_info(self.path, self.old),
            None if self.new is None else self.new.info(),
        )


def iter_differences(
    folder: Path, base: Snapshot, clean: CleanFiles, skipped: list[str], *, ignore: bool = True
) -> Iterator[Difference]:
    """Yield what differs between a folder and `base`, in order of manifest keys.

    Times alone are no difference. Files found to be unchanged are noted in `clean`. What was
    yielded may be removed from the folder, or written anew, before the next is asked for.

    Parameters
    ----------
    skipped
        Gets a line for each thing that no commit can hold, as pipes, up to `MOST_SKIPPED`.
    ignore
        Whether what a ``.datalakeignore`` leaves out, and `base` has not, is no difference.
    """
    local = walk(folder, skipped, base if ignore else None)
    old = base.iter_entries()
    here, there = next(local, None), next(old, None)
    while here is not None or there is not None:
        here_key = _LAST if here is None else path_key(here.path)
        there_key = _LAST if there is None else path_key(there[0])
        if here is not None and here_key < there_key:
            if not here.is_left_out:
                yield Difference(here.path, None, here)
            here = next(local, None)
        elif there is not None and there_key < here_key:
            yield Difference(there[0], there[1], None)
            there = next(old, None)
        else:
            assert here is not None
            assert there is not None
            began_ns = time.time_ns()
            is_known = clean.known.has(here_key, here.status)
            if not is_same(here, there[1], base, is_known=is_known):
                yield Difference(here.path, there[1], here)
            elif not is_known:
                clean.notes.add(here_key, here.status, began_ns)
            here, there = next(local, None), next(old, None)


def is_same(file: LocalFile, entry: FileEntry, tree: Snapshot, *, is_known: bool) -> bool:
    """Tell whether a file holds what an entry of a tree says.

    Parameters
    ----------
    is_known
        Whether it is known to be as it was; it is read only if nothing else tells.
    """
    if entry.kind is EntryKind.FOLDER:
        return file.kind is FileKind.FOLDER
    if entry.kind is EntryKind.SYMLINK:
        return file.kind is FileKind.SYMLINK and os.readlink(file.raw_place) == entry.content
    if (file.kind, file.mode, file.status.st_size) != (FileKind.FILE, entry.mode, entry.size_bytes):
        return False
    return is_known or _holds(file.place, tree.content_of(entry))


def look(folder: Path, path: RepoPath) -> LocalFile | None:
    """Return what is at a path below a folder; None where nothing is, or a folder with contents."""
    place = os.path.join(os.fsencode(folder), path_bytes(path))
    try:
        status = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_IFMT(status.st_mode) not in _KINDS:
        return None
    if stat.S_ISDIR(status.st_mode) and not is_empty(Path(os.fsdecode(place))):
        return None
    return LocalFile(path, place, status)


def is_empty(folder: Path) -> bool:
    """Tell whether a folder is there and has nothing in it."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def walk(folder: Path, skipped: list[str], base: Snapshot | None = None) -> Iterator[LocalFile]:
    """Yield files, symlinks and empty folders below a folder, in order of manifest keys.

    Parameters
    ----------
    skipped
        Gets a line for each thing that is none of them, up to `MOST_SKIPPED`.
    base
        The commit that the folder is compared with; with it each ``.datalakeignore`` counts. What
        one leaves out is neither yielded nor entered unless the commit has something there. A
        folder that the commit has, and of which nothing is yielded, is yielded itself as left out:
        the commit may have it as an empty one.
    """
    root = os.fsencode(folder)
    heeds_rules = base is not None
    open_folders = [_OpenFolder.at(root, b"", None, heeds_rules=heeds_rules)]
    while open_folders:
        current = open_folders[-1]
        inner = None
        for name in current.names:
            relative = b"/".join((current.relative, name)) if current.relative else name
            place = os.path.join(root, relative)
            try:
                status = os.lstat(place)
            except FileNotFoundError:
                continue  # removed since its folder was listed
            kind = stat.S_IFMT(status.st_mode)
            if kind not in _KINDS:
                if len(skipped) < MOST_SKIPPED:
                    skipped.append(f"{os.fsdecode(place)}: neither a file, a folder nor a symlink")
                continue
            path = path_from_bytes(relative)
            is_folder = kind == stat.S_IFDIR
            is_left_out = not current.takes(path, is_folder=is_folder)
            if is_left_out and not _has(base, path):
                continue
            if is_folder:
                inner = _OpenFolder.at(
                    place, relative, current, heeds_rules=heeds_rules, is_left_out=is_left_out
                )
                if inner.has_names:
                    break
                inner = None
            current.is_yielded = True
            yield LocalFile(path, place, status, is_left_out)
        if inner is not None:
            open_folders.append(inner)
            continue
        open_folders.pop()
        if not open_folders:
            return
        if not current.is_yielded and _has(base, path_from_bytes(current.relative)):
            current.is_yielded = True
            with suppress(FileNotFoundError):
                yield current.as_file(root)
        open_folders[-1].is_yielded |= current.is_yielded


@dataclass(slots=True)
class _OpenFolder:
    """A folder that is walked through."""

    relative: bytes
    names: Iterator[bytes]
    has_names: bool
    rules: IgnoreRules
    is_left_out: bool
    is_yielded: bool = False
    """Whether it, or something below it, was."""

    @classmethod
    def at(
        cls,
        place: bytes,
        relative: bytes,
        above: _OpenFolder | None,
        *,
        heeds_rules: bool,
        is_left_out: bool = False,
    ) -> _OpenFolder:
        names = names_in(place)
        rules = IgnoreRules() if above is None else above.rules
        if heeds_rules and not is_left_out and _has_rules(place, names):
            rules = rules.inside(place, os.fsdecode(relative), [IGNORE_NAME])
        has_names = not isinstance(names, list) or bool(names)
        return cls(relative, iter(names), has_names, rules, is_left_out)

    def takes(self, path: RepoPath, *, is_folder: bool) -> bool:
        return not self.is_left_out and self.rules.takes(path, is_folder=is_folder)

    def as_file(self, root: bytes) -> LocalFile:
        place = os.path.join(root, self.relative)
        return LocalFile(path_from_bytes(self.relative), place, os.lstat(place), is_left_out=True)


def _has(base: Snapshot | None, path: RepoPath) -> bool:
    """Tell whether a commit has something at or below a path."""
    return base is not None and base.look(path) is not None


def _has_rules(place: bytes, names: list[bytes] | SortedRuns) -> bool:
    if isinstance(names, list) and IGNORE_NAME not in names:
        return False
    with suppress(FileNotFoundError):
        return stat.S_ISREG(os.lstat(os.path.join(place, IGNORE_NAME)).st_mode)
    return False


def _holds(place: Path, content: FileContent) -> bool:
    """Tell whether a file's bytes are those of a content of the same size."""
    with open(place, "rb") as file:
        return all(file.read(len(chunk)) == chunk for chunk in content.iter_chunks())
