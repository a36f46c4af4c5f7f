"""A disk in memory, mounted by FUSE, that writes down everything that is done to it, in order.

`testing.power_loss` makes of the log what a power cut could have left. Nothing in the program that
uses the disk knows of it: what SQLite does is recorded like what Python does.

Usage::

    with recorded_disk(Path("/tmp/disk")) as disk:
        ...                                # work below disk.folder
        disk.mark("first commit")          # a line in the log: what came before was acknowledged
    log = disk.log
"""

from __future__ import annotations

import errno
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKS = ".marks"
"""A file below the mount point; what is written to it becomes marks in the log."""

Act = tuple[Any, ...]
"""One line of the log: ``("make", inode, mode)``, ``("name", folder, name, inode or None)``,
``("rename", folder, name, folder, name, inode)``, ``("write", inode, offset, data)``,
``("size", inode, size)``, ``("sync", inode)``, ``("mark", data)``."""

ROOT = 1
_PATIENCE_S = 20.0


@dataclass(slots=True)
class RecordedDisk:
    """A mounted disk; its log is there when it was unmounted."""

    folder: Path
    log: Sequence[Act] = field(default_factory=list)

    def mark(self, data: bytes | str) -> None:
        """Note in the log that everything so far was acknowledged."""
        with open(self.folder / MARKS, "wb", buffering=0) as file:
            file.write(data if isinstance(data, bytes) else data.encode())


@contextmanager
def recorded_disk(folder: Path) -> Iterator[RecordedDisk]:
    """Mount an empty disk on a folder, which is made, until the block ends.

    Raises
    ------
    OSError
        This machine cannot mount FUSE file systems.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    daemon = subprocess.Popen([sys.executable, "-m", __name__, str(folder), str(log)])
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not os.path.ismount(folder):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise OSError(errno.EOPNOTSUPP, "no FUSE file system can be mounted here")
            time.sleep(0.01)
        disk = RecordedDisk(folder)
        yield disk
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    with open(log, "rb") as file:
        disk.log = pickle.load(file)  # noqa: S301  # our own daemon's
    log.unlink()


# --- the daemon ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Inode:
    mode: int
    data: bytearray = field(default_factory=bytearray)
    names: dict[bytes, int] = field(default_factory=dict)
    target: bytes = b""
    mtime_ns: int = field(default_factory=time.time_ns)
    links: int = 1


def _serve(folder: str, log_path: str) -> None:
    import pyfuse3  # noqa: PLC0415  # only this process needs them
    import trio  # noqa: PLC0415

    log: list[Act] = []
    inodes = {ROOT: _Inode(stat.S_IFDIR | 0o755)}

    def fail(code: int) -> pyfuse3.FUSEError:
        return pyfuse3.FUSEError(code)

    class Disk(pyfuse3.Operations):
        """Answers the kernel."""

        async def lookup(self, parent: int, name: bytes, ctx: Any = None) -> Any:
            inode = inodes[parent].names.get(name)
            if name == MARKS.encode() and inode is None:
                inode = self._make(stat.S_IFREG | 0o600)
                inodes[parent].names[name] = self.marks = inode
            if inode is None:
                raise fail(errno.ENOENT)
            return self._attributes(inode)

        marks = 0

        async def getattr(self, inode: int, ctx: Any = None) -> Any:
            return self._attributes(inode)

        async def setattr(self, inode: int, attr: Any, fields: Any, fh: Any, ctx: Any) -> Any:
            one = inodes[inode]
            if fields.update_size:
                size = attr.st_size
                del one.data[size:]
                one.data.extend(bytes(size - len(one.data)))
                log.append(("size", inode, size))
            if fields.update_mode:
                one.mode = stat.S_IFMT(one.mode) | stat.S_IMODE(attr.st_mode)
            if fields.update_mtime:
                one.mtime_ns = attr.st_mtime_ns
            return self._attributes(inode)

        async def mkdir(self, parent: int, name: bytes, mode: int, ctx: Any) -> Any:
            return self._attributes(self._add(parent, name, stat.S_IFDIR | stat.S_IMODE(mode)))

        async def create(self, parent: int, name: bytes, mode: int, flags: int, ctx: Any) -> Any:
            inode = self._add(parent, name, stat.S_IFREG | stat.S_IMODE(mode))
            return pyfuse3.FileInfo(fh=inode), self._attributes(inode)

        async def symlink(self, parent: int, name: bytes, target: bytes, ctx: Any) -> Any:
            inode = self._add(parent, name, stat.S_IFLNK | 0o777)
            inodes[inode].target = target
            log.append(("write", inode, 0, target))
            return self._attributes(inode)

        async def readlink(self, inode: int, ctx: Any) -> bytes:
            return inodes[inode].target

        async def link(self, inode: int, parent: int, name: bytes, ctx: Any) -> Any:
            if name in inodes[parent].names:
                raise fail(errno.EEXIST)
            self._name(parent, name, inode)
            inodes[inode].links += 1
            return self._attributes(inode)

        async def unlink(self, parent: int, name: bytes, ctx: Any) -> None:
            inodes[inodes[parent].names[name]].links -= 1
            self._name(parent, name, None)

        async def rmdir(self, parent: int, name: bytes, ctx: Any) -> None:
            if inodes[inodes[parent].names[name]].names:
                raise fail(errno.ENOTEMPTY)
            self._name(parent, name, None)

        async def rename(
            self, old: int, old_name: bytes, new: int, new_name: bytes, flags: int, ctx: Any
        ) -> None:
            if flags:
                raise fail(errno.EINVAL)
            existing = inodes[new].names.get(new_name)
            if existing is not None and inodes[existing].names:
                raise fail(errno.ENOTEMPTY)
            inode = inodes[old].names.pop(old_name)
            inodes[new].names[new_name] = inode
            log.append(("rename", old, old_name, new, new_name, inode))

        async def open(self, inode: int, flags: int, ctx: Any) -> Any:
            return pyfuse3.FileInfo(fh=inode)

        async def read(self, fh: int, offset: int, size: int) -> bytes:
            return bytes(inodes[fh].data[offset : offset + size])

        async def write(self, fh: int, offset: int, data: bytes) -> int:
            if fh == self.marks:
                log.append(("mark", bytes(data)))
                return len(data)
            one = inodes[fh]
            if offset > len(one.data):
                one.data.extend(bytes(offset - len(one.data)))
            one.data[offset : offset + len(data)] = data
            one.mtime_ns = time.time_ns()
            log.append(("write", fh, offset, bytes(data)))
            return len(data)

        async def fsync(self, fh: int, datasync: bool) -> None:
            log.append(("sync", fh))

        async def fsyncdir(self, fh: int, datasync: bool) -> None:
            log.append(("sync", fh))

        async def opendir(self, inode: int, ctx: Any) -> int:
            return inode

        async def readdir(self, fh: int, start: int, token: Any) -> None:
            found = sorted((inode, name) for name, inode in inodes[fh].names.items())
            for number, (inode, name) in enumerate(found, 1):
                if number > start and not pyfuse3.readdir_reply(
                    token, name, self._attributes(inode), number
                ):
                    return

        async def statfs(self, ctx: Any) -> Any:
            found = pyfuse3.StatvfsData()
            found.f_bsize = found.f_frsize = 4096
            found.f_blocks = found.f_bfree = found.f_bavail = 1 << 24
            found.f_files = found.f_ffree = found.f_favail = 1 << 24
            found.f_namemax = 255
            return found

        def _add(self, parent: int, name: bytes, mode: int) -> int:
            if name in inodes[parent].names:
                raise fail(errno.EEXIST)
            inode = self._make(mode)
            self._name(parent, name, inode)
            return inode

        def _make(self, mode: int) -> int:
            inode = len(inodes) + ROOT  # none is ever taken away
            inodes[inode] = _Inode(mode)
            log.append(("make", inode, mode))
            return inode

        def _name(self, parent: int, name: bytes, inode: int | None) -> None:
            if inode is None:
                del inodes[parent].names[name]
            else:
                inodes[parent].names[name] = inode
            log.append(("name", parent, name, inode))

        def _attributes(self, inode: int) -> Any:
            one = inodes[inode]
            found = pyfuse3.EntryAttributes()
            found.st_ino, found.st_mode, found.st_nlink = inode, one.mode, max(one.links, 0)
            found.st_uid, found.st_gid = os.getuid(), os.getgid()
            found.st_size, found.st_blksize = len(one.data), 4096
            found.st_blocks = -(-len(one.data) // 512)
            found.st_atime_ns = found.st_mtime_ns = found.st_ctime_ns = one.mtime_ns
            found.entry_timeout = found.attr_timeout = 3600
            return found

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pyfuse3.main)
            with trio.open_signal_receiver(signal.SIGTERM) as signals:
                async for _ in signals:
                    pyfuse3.terminate()
                    return

    options = {"fsname=datalake-recording", "default_permissions"}
    pyfuse3.init(Disk(), folder, options)
    try:
        trio.run(run)
    finally:
        pyfuse3.close()
    with open(log_path, "wb") as file:
        pickle.dump(log, file)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2])
