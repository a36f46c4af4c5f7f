"""On what kind of file system a folder is, and whether its locks can be relied on.

SQLite and sessions count on locks, and SQLite on memory that all its users share. On a network file
system both hold within one machine at best; some FUSE file systems answer to every lock that it is
held. An overlay, as containers have one, locks like the disk below it.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "prl_fs",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
        "wekafs",
    ]
)
_ESCAPED = re.compile(r"\\([0-7]{3})")

_warned: set[Path] = set()


class FileSystem(NamedTuple):
    """What is mounted where a folder is."""

    kind: str
    """As the kernel calls it: ``ext4``, ``nfs4``, ``fuse.sshfs``."""
    mountpoint: str

    @property
    def may_lie_about_locks(self) -> bool:
        """Whether two users of a file may both be told that they hold it."""
        is_fuse = self.kind == "fuse" or self.kind.startswith("fuse.")
        return is_fuse or self.kind in _NETWORK


def file_system_of(folder: Path) -> FileSystem | None:
    """Return what a folder is on, or will be when it is made; None where that cannot be told."""
    try:
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
        path = folder.resolve()
    except (OSError, RuntimeError):
        return None
    found: FileSystem | None = None
    for line in lines:
        # 36 35 98:0 /root /mount\040point rw,noatime master:1 - ext4 /dev/sda1 rw
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        if len(words) < 5 or not after:
            continue
        mountpoint = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4])
        # Of two at one place the later one hides the other.
        is_nearer = found is None or len(mountpoint) >= len(found.mountpoint)
        if is_nearer and path.is_relative_to(mountpoint):
            found = FileSystem(after.split(" ")[0], mountpoint)
    return found


def doubt_of_locks(folder: Path) -> tuple[str, str] | None:
    """Return what is doubtful about the locks of a folder and what to do, or None."""
    found = file_system_of(folder)
    if found is None or not found.may_lie_about_locks:
        return None
    return (
        f"{folder} is on {found.kind}, mounted at {found.mountpoint}, where locks may not hold"
        " between machines or at all, and the lake's database can be damaged",
        "Use it from one machine at a time, put the lake on a local disk, or make one with its"
        " metadata in Postgres: datalake init --database",
    )


def warn_of_locks(folder: Path) -> None:
    """Log a warning where the locks of a folder may not hold; once in a process."""
    doubt = doubt_of_locks(folder)
    if doubt is not None and folder not in _warned:
        _warned.add(folder)
        logger.warning("%s. %s", *doubt)
