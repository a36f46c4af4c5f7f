"""Files kept beside the lake for reading, so that folders that show the same content share it.

A linked export costs one link per file instead of its bytes. What is kept is read-only and named
by its content, permissions and time; one that somebody changed in spite of that is not used again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.model.ids import digest_of

KEPT_FILES = "files"
"""Name of the folder below the lake's working files."""

_READ_ONLY = 0o555
_CLONE = 0x40049409  # FICLONE of linux/fs.h
_UNUSED_S = 7 * 24 * 3600.0
_SWEPT_EVERY_S = 24 * 3600.0


class LinkMode(StrEnum):
    """How an exported file gets its bytes."""

    COPY = "copy"
    """Its own bytes."""
    HARDLINK = "hardlink"
    """Those of a kept file; read-only, since writing would change every folder that shows it."""
    REFLINK = "reflink"
    """A copy that shares blocks until it is written to; not every file system can do that."""


class KeptFiles:
    """The kept files of one lake. Several processes may use them at once.

    Parameters
    ----------
    folder
        Made when the first file is kept.
    """

    def __init__(self, folder: Path, mode: LinkMode) -> None:
        self._folder = folder
        self._place = str(folder)
        self.mode = mode
        self._made: set[str] = set()

    def file_mode(self, entry: FileEntry) -> int:
        """Return the permissions of an exported file."""
        bits = entry.mode & 0o777
        return bits & _READ_ONLY if self.mode is LinkMode.HARDLINK else bits

    def give(self, entry: FileEntry, place: str) -> bool:
        """Make `place` from the kept file of an entry; tell whether there was one.

        Raises
        ------
        OSError
            `place` cannot be made at all.
        """
        kept = self._kept(entry)
        try:
            status = os.lstat(kept)
        except FileNotFoundError:
            return False
        if not self._is_sound(status, entry):
            with suppress(FileNotFoundError):
                os.unlink(kept)
            return False
        if self.mode is LinkMode.REFLINK:
            return self._clone(kept, place, entry)
        try:
            os.link(kept, place)
        except OSError as error:
            # As many links as a file can have, or another file system: it gets its own bytes.
            if error.errno in {errno.EMLINK, errno.EXDEV, errno.EPERM, errno.ENOENT}:
                return False
            raise
        return True

    def keep(self, entry: FileEntry, place: str) -> None:
        """Keep what was just written to `place`; a disk that refuses costs only the next export.

        Raises
        ------
        StorageError
            Blocks are to be shared, and this file system cannot.
        """
        kept = self._kept(entry)
        folder, _, name = kept.rpartition("/")
        if folder not in self._made:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._made.add(folder)
        if self.mode is LinkMode.REFLINK:
            partial = f"{folder}/.{name}.{os.getpid()}"
            if self._clone(place, partial, entry):
                os.replace(partial, kept)
            return
        with suppress(OSError):
            os.link(place, kept)

    def sweep(self) -> None:
        """Remove, once a day, what no folder has shown for a week."""
        mark = self._folder / "swept"
        now = time.time()
        with suppress(FileNotFoundError):
            if mark.stat().st_mtime > now - _SWEPT_EVERY_S:
                return
        if not self._folder.is_dir():
            return
        mark.touch()
        for folder in self._folder.iterdir():
            for kept in folder.iterdir() if folder.is_dir() else ():
                with suppress(FileNotFoundError):
                    status = kept.lstat()
                    # Its time of change is when the last link to it came or went.
                    if status.st_nlink == 1 and status.st_ctime < now - _UNUSED_S:
                        kept.unlink()

    def _kept(self, entry: FileEntry) -> str:
        name = digest_of(entry.encode() + bytes([self.mode is LinkMode.REFLINK])).hex()
        return f"{self._place}/{name[:2]}/{name}"

    def _is_sound(self, status: os.stat_result, entry: FileEntry) -> bool:
        return (
            stat.S_ISREG(status.st_mode)
            and status.st_size == entry.size_bytes
            and status.st_mtime_ns == entry.mtime_ns
            and stat.S_IMODE(status.st_mode) == self.file_mode(entry)
        )

    def _clone(self, source: str, target: str, entry: FileEntry) -> bool:
        """Make `target` share the blocks of `source`; False where they are on different disks."""
        read = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            write = os.open(target, flags, 0o600)
            try:
                fcntl.ioctl(write, _CLONE, read)
                os.fchmod(write, self.file_mode(entry))
                os.utime(write, ns=(entry.mtime_ns, entry.mtime_ns))
            except OSError as error:
                os.unlink(target)
                if error.errno == errno.EXDEV:
                    return False
                if error.errno in {errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL}:
                    folder = os.path.dirname(target)
                    raise StorageError(
                        f"The file system of {folder} cannot share blocks between files",
                        kind=ErrorKind.STORAGE_UNAVAILABLE,
                        hint="Use --link hardlink, or --link copy",
                        path=folder,
                    ) from error
                raise
            finally:
                os.close(write)
        finally:
            os.close(read)
        return True
