"""Attributes of inodes, as stat(2) shows them, and how long the kernel may believe them.

What is in a commit never changes, and what is staged changes through this mount alone, so the
kernel keeps attributes and names until it is told otherwise (`mount.kernel`). The exception are
folders such as ``raw@main``: what the name means is asked again after a second.
"""

from __future__ import annotations

import errno
import os
import stat

from pyfuse3 import EntryAttributes, StatvfsData

from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import MAX_NAME_BYTES
from jupyter_datalake.mount.errnos import refusal
from jupyter_datalake.mount.inodes import Inode

FOR_EVER_S = 10.0 * 365 * 86400
NAME_S = 1.0
"""How long a name is believed that may mean something else later."""

_FOLDER_SIZE = 4096
_IO_SIZE = 128 * 1024
"""What programs are told to read and write at a time: fewer, larger requests."""
_BLOCK = 512

_TYPES = {
    FileKind.FILE: stat.S_IFREG,
    FileKind.FOLDER: stat.S_IFDIR,
    FileKind.SYMLINK: stat.S_IFLNK,
}

OWNER = os.getuid(), os.getgid()
"""Of every file, unless somebody says otherwise for the time being."""


def attributes_of(inode: Inode) -> EntryAttributes:
    """Return the attributes of an inode; one stat(2) for a file that is being written."""
    node = inode.node
    found = EntryAttributes()
    found.st_ino = inode.number
    found.st_uid, found.st_gid = OWNER if inode.owner is None else inode.owner
    found.st_blksize = _IO_SIZE
    found.attr_timeout = FOR_EVER_S
    is_view = node is inode.view.root
    found.entry_timeout = FOR_EVER_S if inode.view.is_lasting or not is_view else NAME_S
    # A folder's links are not counted: 1 tells programs so, as on btrfs.
    found.st_nlink = 1 if inode.view.is_attached(node) else 0
    mode = node.mode
    if node.data is not None:
        status = os.stat(node.data.path)
        found.st_size, found.st_blocks = status.st_size, status.st_blocks
        mtime_ns, accessed_ns = status.st_mtime_ns, status.st_atime_ns
        changed_ns = status.st_ctime_ns
    elif node.entry is not None:
        entry = node.entry
        mode = entry.mode
        found.st_size = entry.size_bytes
        found.st_blocks = -(-entry.size_bytes // _BLOCK)
        mtime_ns = accessed_ns = entry.mtime_ns
        changed_ns = _happened_ns(inode, mtime_ns)
    elif node.is_folder:
        found.st_size = _FOLDER_SIZE
        mtime_ns = accessed_ns = node.mtime_ns or inode.clean_ns
        changed_ns = _happened_ns(inode, mtime_ns)
    else:
        raise refusal(errno.ESTALE)
    found.st_mode = _TYPES[node.kind] | mode
    found.st_mtime_ns = mtime_ns
    found.st_ctime_ns = max(changed_ns, inode.changed_ns)
    found.st_atime_ns = accessed_ns if inode.accessed_ns is None else inode.accessed_ns
    return found


def _happened_ns(inode: Inode, mtime_ns: int) -> int:
    """Return when what gave a file its time happened, as far as the time says so."""
    return 0 if mtime_ns == inode.given_ns else mtime_ns


def statvfs_of(folder: str | os.PathLike[str]) -> StatvfsData:
    """Return the space there is for what is written: that of the file system of `folder`."""
    status = os.statvfs(folder)
    found = StatvfsData()
    for name in ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail"):
        setattr(found, name, getattr(status, name))
    for name in ("f_files", "f_ffree", "f_favail"):
        setattr(found, name, getattr(status, name))
    found.f_namemax = MAX_NAME_BYTES
    return found
