"""Handles: the files and folders that programs have open."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from typing import TypeVar

import trio

from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.mount.errnos import refusal
from jupyter_datalake.mount.inodes import Inode
from jupyter_datalake.mount.reading import ContentReader
from jupyter_datalake.mount.session_view import MAX_FILE_BYTES, SessionView
from jupyter_datalake.mount.views import View

logger = logging.getLogger(__name__)

Handle = TypeVar("Handle", "OpenFile", "OpenFolder")


class WorkingDescriptors:
    """One descriptor for each file that is open and has a working file, however often it is open.

    Nodes that are only known hold none: a mount knows more files than a process may open.
    """

    def __init__(self) -> None:
        self._held: dict[Node, tuple[int, int]] = {}
        """Number of the working file, and the descriptor."""

    def of(self, node: Node) -> int:
        """Return the descriptor of the working file that the node has now."""
        data = node.data
        assert data is not None
        number, descriptor = self._held.get(node, (0, -1))
        if number != data.number:
            self.close(node)
            # Never O_APPEND: the kernel says where to write, and knows of all who append.
            descriptor = os.open(data.path, os.O_RDWR | os.O_CLOEXEC)
            self._held[node] = (data.number, descriptor)
        return descriptor

    def close(self, node: Node) -> None:
        """Close the descriptor of a node, if there is one."""
        _, descriptor = self._held.pop(node, (0, -1))
        if descriptor >= 0:
            os.close(descriptor)

    def close_all(self) -> None:
        """Close every descriptor."""
        for node in list(self._held):
            self.close(node)


class OpenFile:
    """One open of a file. It shows what the node holds, wherever that is at the moment.

    Parameters
    ----------
    can_write
        Whether it was opened for writing; nothing is copied before something is written.
    keeps_privileges
        Whether a program keeps its set-user-id bits when this writes to it.
    """

    def __init__(
        self,
        inode: Inode,
        descriptors: WorkingDescriptors,
        nursery: trio.Nursery | None,
        *,
        can_write: bool,
        keeps_privileges: bool,
    ) -> None:
        self.inode = inode
        self._descriptors = descriptors
        self._nursery = nursery
        self._can_write = can_write
        self._keeps_privileges = keeps_privileges
        self._reader: tuple[FileEntry, ContentReader] | None = None
        node, view = inode.node, inode.view
        node.opens += 1
        view.opens += 1
        if can_write:
            node.writers += 1
            if isinstance(view, SessionView):
                view.writers += 1

    async def read(self, offset: int, size: int) -> bytes:
        """Return bytes of the file, fewer than `size` only at its end.

        Raises
        ------
        CorruptDataError, StorageError
            The lake cannot give this range; others may still be read.
        """
        node = self.inode.node
        if node.data is not None:
            return os.pread(self._descriptors.of(node), size, offset)
        try:
            return await self._content_reader(node).read(offset, size)
        except DatalakeError as error:
            logger.warning(
                "%s/…/%s cannot be read at byte %d: %s",
                self.inode.view.name,
                node.name,
                offset,
                error,
            )
            raise

    def _content_reader(self, node: Node) -> ContentReader:
        entry = node.entry
        if entry is None:
            raise refusal(errno.ESTALE)
        if self._reader is None or not self._reader[0].same_content(entry):
            content = self.inode.view.content(node)
            self._reader = entry, ContentReader(content, self._nursery)
        return self._reader[1]

    async def write(self, offset: int, data: bytes) -> int:
        """Write bytes and return how many: all of them."""
        if offset + len(data) > MAX_FILE_BYTES:
            raise refusal(errno.EFBIG)
        node = self.inode.node
        view = await self.inode.view.for_change()
        if node.data is None:
            await view.working_file(node)
        descriptor = self._descriptors.of(node)
        rest = memoryview(data)
        while rest:
            written = os.pwrite(descriptor, rest, offset)
            offset += written
            rest = rest[written:]
        view.written(node)
        if not self._keeps_privileges:
            view.take_privileges(node)
        return len(data)

    async def sync(self) -> None:
        """Make what was written survive the loss of power."""
        node, view = self.inode.node, self.inode.view
        if node.data is not None and isinstance(view, SessionView):
            sync_file = view.session.sync_file
            await trio.to_thread.run_sync(sync_file, self._descriptors.of(node))
        await view.sync()

    def close(self) -> None:
        """End this open; with the last one of a file, its descriptor is closed."""
        node, view = self.inode.node, self.inode.view
        node.opens -= 1
        view.opens -= 1
        if self._can_write:
            node.writers -= 1
            if isinstance(view, SessionView):
                view.writers -= 1
        if not node.opens:
            self._descriptors.close(node)


class OpenFolder:
    """One open of a folder: its names as they were when it was begun to be read.

    Names are kept for as long as it is open, so a position stays what it was, whatever is made
    or removed meanwhile: nothing is listed twice and nothing is left out that was there all the
    time.
    """

    def __init__(self, inode: Inode) -> None:
        self.inode = inode
        self.rewind()

    def rewind(self) -> None:
        """Begin again, with the names as they are now."""
        self._names: list[str] = []
        self._view = self.inode.view
        self._coming = self._view.children(self.inode.node)

    def entries(self, position: int) -> Iterator[tuple[int, str, View, Node]]:
        """Yield the entries from a position on that are still there, each with its position."""
        inode = self.inode
        if inode.view is not self._view:
            self._go_on_in(inode.view)
        for index in range(position, len(self._names)):
            found = inode.view.present(inode.node, self._names[index])
            if found is not None:
                yield index, self._names[index], *found
        for name, view, node in self._coming:
            self._names.append(name)
            if len(self._names) > position:
                yield len(self._names) - 1, name, view, node

    def _go_on_in(self, view: View) -> None:
        """Go on with what another view has in the folder: it was switched to another ref."""
        known = set(self._names)
        self._view = view
        self._coming = (found for found in view.children(self.inode.node) if found[0] not in known)


class HandleTable:
    """What is open, by number."""

    def __init__(self) -> None:
        self._open: dict[int, OpenFile | OpenFolder] = {}
        self._next = 1

    def __len__(self) -> int:
        return len(self._open)

    def add(self, handle: OpenFile | OpenFolder) -> int:
        """Take a handle and return its number."""
        number = self._next
        self._next += 1
        self._open[number] = handle
        return number

    def file(self, number: int) -> OpenFile:
        """Return an open file, or raise EBADF."""
        return self._get(number, OpenFile)

    def folder(self, number: int) -> OpenFolder:
        """Return an open folder, or raise EBADF."""
        return self._get(number, OpenFolder)

    def _get(self, number: int, kind: type[Handle]) -> Handle:
        handle = self._open.get(number)
        if not isinstance(handle, kind):
            raise refusal(errno.EBADF)
        return handle

    def remove(self, number: int) -> None:
        """Let go of a handle."""
        del self._open[number]
