"""Backups of the database: a file that appears whole, durable, and instead of nothing."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.errors import AlreadyExistsError, DatalakeError, ErrorKind, StorageError
from jupyter_datalake.metadata.copying import copy_from_file, copy_to_file
from jupyter_datalake.storage.local import sync_folder


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a lake's database."""

    path: str
    size_bytes: int
    lake_id: str
    last_event: int
    """Number of the newest event that it holds."""


def make_backup(core: LakeCore, target: Path) -> Backup:
    """Write a consistent copy of the database into a new file; see `Maintenance.backup`."""
    target = target.expanduser().absolute()
    partial = target.with_name(f".{new_id()}.partial")
    try:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "it is there already")
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            last_event = copy_to_file(core.metadata, partial)
            os.fsync(descriptor)
            size_bytes = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        _give_name(partial, target)
        sync_folder(target.parent)
    except DatalakeError:
        raise
    except FileExistsError as error:
        raise AlreadyExistsError(
            f"{target} is there already",
            kind=ErrorKind.PATH_EXISTS,
            hint="Choose another name",
            path=str(target),
        ) from error
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise StorageError(
            f"The copy of the database cannot be written to {target}: {error.strerror}",
            kind=ErrorKind.STORAGE_FULL if is_full else ErrorKind.STORAGE_UNAVAILABLE,
            hint="Free some space there, or choose another folder",
            path=str(target),
        ) from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{partial}{suffix}").unlink(missing_ok=True)
    return Backup(str(target), size_bytes, core.lake_id, last_event)


def fill_from_backup(core: LakeCore, source: Path) -> Backup:
    """Fill the new database of a lake that lost its own; see `restore_lake`."""
    copy = core.work_folder / f"{new_id()}.restored"  # opening a database writes to it
    try:
        shutil.copyfile(source, copy)
        size_bytes = copy.stat().st_size
        last_event = copy_from_file(copy, core.metadata)
    except DatalakeError:
        raise
    except OSError as error:
        raise StorageError(
            f"The backup {source} cannot be read: {error.strerror}", path=str(source)
        ) from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
    return Backup(str(source), size_bytes, core.lake_id, last_event)


def _give_name(partial: Path, target: Path) -> None:
    """Give a finished file its name; one that has appeared there meanwhile is left alone."""
    try:
        os.link(partial, target)  # unlike a rename it replaces nothing
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        os.rename(partial, target)  # the file system has no links
