"""The requests of the kernel, one method each: find the nodes, ask the view, return attributes.

What is right and what is refused is decided in `mount.session_view`; what a request that is not
here gets is ENOSYS, which makes the kernel do without it: locks are then the kernel's own,
`fallocate` is refused, and `copy_file_range` and SEEK_HOLE work as on any simple file system.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Sequence

import pyfuse3
import trio
from pyfuse3 import EntryAttributes, FileInfo, ReaddirToken, RequestContext, SetattrFields

from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.model.paths import MAX_NAME_BYTES, path_bytes, path_from_bytes
from jupyter_datalake.mount.attributes import OWNER, attributes_of, statvfs_of
from jupyter_datalake.mount.errnos import refusal
from jupyter_datalake.mount.guarding import guard_handlers
from jupyter_datalake.mount.handles import (
    HandleTable,
    OpenFile,
    OpenFolder,
    WorkingDescriptors,
)
from jupyter_datalake.mount.inodes import Inode, InodeTable
from jupyter_datalake.mount.observing import Observations
from jupyter_datalake.mount.views import Found, View

_WRITING = os.O_WRONLY | os.O_RDWR
_DOTS = (b".", b"..")
"""Listed first; their positions are 0 and 1, those of the entries follow."""


@guard_handlers
class Operations(pyfuse3.Operations):
    """Answers the kernel.

    Parameters
    ----------
    space_folder
        Where what is written lies; its free space is that of the mount.
    """

    supports_dot_lookup = False
    # With it the kernel would keep what was written for a while: lost, if this process dies.
    enable_writeback_cache = False

    def __init__(self, inodes: InodeTable, space_folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self._inodes = inodes
        self._space_folder = space_folder
        self.handles = HandleTable()
        self.descriptors = WorkingDescriptors()
        self.observations = Observations()
        self.nursery: trio.Nursery | None = None
        """Where files are fetched ahead, while the mount is served."""

    # --- names -----------------------------------------------------------------------------------

    async def lookup(
        self, parent_inode: int, name: bytes, ctx: RequestContext | None = None
    ) -> EntryAttributes:
        """Find a name in a folder."""
        folder = self._inodes.get(parent_inode)
        found = await _looked_up(folder, _text(name))
        if found is None:
            raise refusal(errno.ENOENT)
        return self._introduce(folder, name, *found)

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        """Take note of what the kernel does not remember any more."""
        for number, count in inode_list:
            self._inodes.forget(number, count)

    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: RequestContext
    ) -> tuple[FileInfo, EntryAttributes]:
        """Make a file and open it."""
        folder = self._inodes.get(parent_inode)
        view = await folder.view.for_change()
        node = view.create_file(folder.node, _text(name), mode)
        attributes = self._introduce(folder, name, view, node, ctx)
        if self.nursery is not None:
            view.prepare(self.nursery)
        return self._opened(self._inodes.get(attributes.st_ino), flags, ctx), attributes

    async def mknod(
        self, parent_inode: int, name: bytes, mode: int, rdev: int, ctx: RequestContext
    ) -> EntryAttributes:
        """Make a file; pipes, sockets and devices are nothing to commit, and refused."""
        if not stat.S_ISREG(mode):
            raise refusal(errno.EPERM)
        folder = self._inodes.get(parent_inode)
        view = await folder.view.for_change()
        node = view.create_file(folder.node, _text(name), mode)
        return self._introduce(folder, name, view, node, ctx)

    async def mkdir(
        self, parent_inode: int, name: bytes, mode: int, ctx: RequestContext
    ) -> EntryAttributes:
        """Make a folder; one that hands on its group also hands on that it does."""
        folder = self._inodes.get(parent_inode)
        view = await folder.view.for_change()
        mode |= folder.node.mode & stat.S_ISGID
        node = view.create_folder(folder.node, _text(name), mode)
        return self._introduce(folder, name, view, node, ctx)

    async def symlink(
        self, parent_inode: int, name: bytes, target: bytes, ctx: RequestContext
    ) -> EntryAttributes:
        """Make a symlink."""
        folder = self._inodes.get(parent_inode)
        view = await folder.view.for_change()
        node = view.create_symlink(folder.node, _text(name), target)
        return self._introduce(folder, name, view, node, ctx)

    async def link(
        self, inode: int, new_parent_inode: int, new_name: bytes, ctx: RequestContext
    ) -> EntryAttributes:
        """Refuse hard links: a commit has one path for each file, and half a link would lie."""
        raise refusal(errno.EPERM)

    async def unlink(self, parent_inode: int, name: bytes, ctx: RequestContext) -> None:
        """Remove a file or symlink."""
        folder = self._inodes.get(parent_inode)
        view = await folder.view.for_change()
        self._changed(view.remove_file(folder.node, _text(name)))

    async def rmdir(self, parent_inode: int, name: bytes, ctx: RequestContext) -> None:
        """Remove an empty folder."""
        folder = self._inodes.get(parent_inode)
        view = await folder.view.for_change()
        self._changed(view.remove_folder(folder.node, _text(name)))

    async def rename(
        self,
        parent_inode_old: int,
        name_old: bytes,
        parent_inode_new: int,
        name_new: bytes,
        flags: int,
        ctx: RequestContext,
    ) -> None:
        """Move a name; between two views it is EXDEV, and programs copy instead."""
        folder = self._inodes.get(parent_inode_old)
        target = self._inodes.get(parent_inode_new)
        if folder.view is not target.view:
            raise refusal(errno.EXDEV)
        view = await folder.view.for_change()
        self._changed(
            view.rename(folder.node, _text(name_old), target.node, _text(name_new), flags)
        )

    async def readlink(self, inode: int, ctx: RequestContext) -> bytes:
        """Return where a symlink points."""
        entry = self._inodes.get(inode).node.entry
        if entry is None:
            raise refusal(errno.EINVAL)
        return entry.content

    # --- attributes ------------------------------------------------------------------------------

    async def getattr(self, inode: int, ctx: RequestContext) -> EntryAttributes:
        """Return the attributes of an inode."""
        found = self._inodes.get(inode)
        await _until_seen(found)
        return attributes_of(found)

    async def setattr(
        self,
        inode: int,
        attr: EntryAttributes,
        fields: SetattrFields,
        fh: int | None,
        ctx: RequestContext,
    ) -> EntryAttributes:
        """Change size, permissions, times or owner.

        A commit has no owners, so a file has the new one for the time being: an archive that root
        unpacks, or a copy that it makes, would fail otherwise. Who may do it the kernel knows.
        """
        found = self._inodes.get(inode)
        await found.view.for_change()
        is_handed_over = fields.update_uid or fields.update_gid
        if not (is_handed_over or _says_anything(fields)):
            # A chown(2) that names nobody, which takes privileges as any does; or the word that
            # somebody is about to write, where they are taken with what is written.
            owner, _ = OWNER if found.owner is None else found.owner
            is_handed_over = _keeps_privileges(ctx) or ctx.uid == owner
        if fields.update_size:
            view = await found.view.for_change()
            await view.truncate(found.node, attr.st_size)
            if not _keeps_privileges(ctx):
                view.take_privileges(found.node)
        mode = stat.S_IMODE(attr.st_mode) if fields.update_mode else None
        mtime_ns = attr.st_mtime_ns if fields.update_mtime else None
        if mode is not None or mtime_ns is not None:
            view = await found.view.for_change()
            if mtime_ns is not None:
                if found.accessed_ns is None:  # it is that of change, and would go with it
                    found.accessed_ns = attributes_of(found).st_atime_ns
                found.given_ns = mtime_ns
            view.set_attributes(found.node, mode=mode, mtime_ns=mtime_ns)
        if fields.update_atime:
            found.accessed_ns = attr.st_atime_ns
        if is_handed_over:
            user, group = OWNER if found.owner is None else found.owner
            view = await found.view.for_change()
            view.hand_over(found.node, keeps_group=_keeps_privileges(ctx) or _is_of(group, ctx))
            found.owner = (
                attr.st_uid if fields.update_uid else user,
                attr.st_gid if fields.update_gid else group,
            )
        found.changed_ns = time.time_ns()
        return attributes_of(found)

    async def statfs(self, ctx: RequestContext) -> pyfuse3.StatvfsData:
        """Return how much space there is."""
        return statvfs_of(self._space_folder)

    async def getxattr(self, inode: int, name: bytes, ctx: RequestContext) -> bytes:
        """Return repo, commit or digest of a file."""
        if name.startswith(b"user.datalake."):
            found = self._inodes.get(inode)
            await _until_seen(found)
            value = found.view.xattrs(found.node).get(name)
            if value is not None:
                return value
        raise refusal(pyfuse3.ENOATTR)

    async def listxattr(self, inode: int, ctx: RequestContext) -> Sequence[bytes]:
        """Return the names that `getxattr` has a value for."""
        found = self._inodes.get(inode)
        await _until_seen(found)
        return list(found.view.xattrs(found.node))

    async def setxattr(self, inode: int, name: bytes, value: bytes, ctx: RequestContext) -> None:
        """Refuse: a commit has no place for them."""
        raise refusal(errno.ENOTSUP)

    async def removexattr(self, inode: int, name: bytes, ctx: RequestContext) -> None:
        """Refuse: those there are cannot be removed."""
        raise refusal(errno.ENOTSUP)

    # --- files -----------------------------------------------------------------------------------

    async def open(self, inode: int, flags: int, ctx: RequestContext) -> FileInfo:
        """Open a file. Nothing is copied or fetched before it is used."""
        found = self._inodes.get(inode)
        if flags & (_WRITING | os.O_TRUNC):
            view = await found.view.for_change()
            if flags & os.O_TRUNC:
                await view.truncate(found.node, 0)
                if not _keeps_privileges(ctx):
                    view.take_privileges(found.node)
        return self._opened(found, flags, ctx)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        """Read from a file."""
        return await self.handles.file(fh).read(off, size)

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        """Write to a file, all of it."""
        return await self.handles.file(fh).write(off, buf)

    async def fsync(self, fh: int, datasync: bool) -> None:
        """Make a file and everything staged before survive the loss of power."""
        await self.handles.file(fh).sync()

    async def release(self, fh: int) -> None:
        """End an open of a file."""
        handle = self.handles.file(fh)
        self.handles.remove(fh)
        handle.close()
        handle.inode.view.release(handle.inode.node)
        self._inodes.drop_if_unknown(handle.inode)

    # --- folders ---------------------------------------------------------------------------------

    async def opendir(self, inode: int, ctx: RequestContext) -> int:
        """Open a folder to be listed."""
        return self.handles.add(OpenFolder(self._inodes.get(inode)))

    async def readdir(self, fh: int, start_id: int, token: ReaddirToken) -> None:
        """List a folder from a position on; each position stays valid while it is open."""
        handle = self.handles.folder(fh)
        await _until_seen(handle.inode)
        if start_id == 0:
            handle.rewind()
        for position in range(start_id, len(_DOTS)):
            # The kernel takes their type from here and looks at nothing else of them.
            attributes = attributes_of(handle.inode)
            if not pyfuse3.readdir_reply(token, _DOTS[position], attributes, position + 1):
                return
        for position, name, view, node in handle.entries(max(start_id - len(_DOTS), 0)):
            raw = path_bytes(name)
            if raw in _DOTS or len(raw) > MAX_NAME_BYTES:
                continue  # only a stranger's tree has such names, and the kernel has none for them
            inode = self._inodes.of(view, node, handle.inode, name)
            following = position + len(_DOTS) + 1
            if not pyfuse3.readdir_reply(token, raw, attributes_of(inode), following):
                self._inodes.drop_if_unknown(inode)
                return
            inode.lookups += 1

    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        """Make everything staged survive the loss of power."""
        await self.handles.folder(fh).inode.view.sync()

    async def releasedir(self, fh: int) -> None:
        """End the listing of a folder."""
        self.handles.folder(fh)
        self.handles.remove(fh)

    # --- inside ----------------------------------------------------------------------------------

    def _introduce(
        self,
        folder: Inode,
        name: bytes,
        view: View,
        node: Node,
        maker: RequestContext | None = None,
    ) -> EntryAttributes:
        """Return the attributes of a node that the kernel learns of, and count that it does.

        Parameters
        ----------
        maker
            Who has just made it.
        """
        inode = self._inodes.of(view, node, folder, _text(name))
        try:
            if maker is not None:
                _give_to(inode, folder, maker)
            attributes = attributes_of(inode)
        except BaseException:
            self._inodes.drop_if_unknown(inode)
            raise
        inode.lookups += 1
        return attributes

    def _opened(self, inode: Inode, flags: int, ctx: RequestContext | None) -> FileInfo:
        can_write = bool(flags & _WRITING)
        handle = OpenFile(
            inode,
            self.descriptors,
            self.nursery,
            can_write=can_write,
            keeps_privileges=_keeps_privileges(ctx),
        )
        if ctx is not None:
            self.observations.note(ctx.pid, inode.view, inode.node, can_write=can_write)
        # The kernel is told when content changes otherwise than through it, so its pages hold.
        return FileInfo(fh=self.handles.add(handle), keep_cache=True)

    def _changed(self, node: Node) -> None:
        """Take note that a node's name was changed, or its last one removed."""
        inode = self._inodes.find(node)
        if inode is not None:
            inode.changed_ns = time.time_ns()


def _says_anything(fields: SetattrFields) -> bool:
    return (
        fields.update_size
        or fields.update_mode
        or fields.update_atime
        or fields.update_mtime
        or fields.update_ctime
    )


def _is_of(group: int, ctx: RequestContext | None) -> bool:
    return ctx is not None and (ctx.gid == group or group in pyfuse3.get_sup_groups(ctx.pid))


def _keeps_privileges(ctx: RequestContext | None) -> bool:
    """Tell whether who makes a request may write to a program that has privileges, as root may.

    We promised the kernel to look at this ourselves (`mount.handshake`).
    """
    return ctx is not None and ctx.uid == 0


def _give_to(inode: Inode, folder: Inode, maker: RequestContext) -> None:
    """Let a new file be of who made it, and of the folder's group, if the folder wants it so."""
    group = maker.gid
    if folder.node.mode & stat.S_ISGID:
        _, group = OWNER if folder.owner is None else folder.owner
    if (maker.uid, group) != OWNER:
        inode.owner = maker.uid, group


async def _until_seen(inode: Inode) -> None:
    """Wait until the tree of an inode may be looked at; it may, up to the caller's next await."""
    while inode.view.gate.is_unseen:
        await inode.view.gate.until_seen()  # afterwards it may be one of another view


async def _looked_up(folder: Inode, name: str) -> Found | None:
    """Return what is at a name in a folder, in the view that it has when this returns."""
    while True:
        view = folder.view
        found = await view.lookup(folder.node, name)
        if folder.view is view:
            return found


def _text(name: bytes) -> str:
    """Return a name of the kernel; FUSE passes up to 1,024 bytes, file systems have 255."""
    if len(name) > MAX_NAME_BYTES:
        raise refusal(errno.ENAMETOOLONG)
    return path_from_bytes(name)
