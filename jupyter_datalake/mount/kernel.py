"""Telling the kernel what to forget: it believes everything else for ever."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import pyfuse3
import trio

from jupyter_datalake.engine.tree_nodes import Node, Shift
from jupyter_datalake.model.paths import path_bytes
from jupyter_datalake.mount.inodes import InodeTable

logger = logging.getLogger(__name__)


class KernelMemory(Protocol):
    """What the kernel remembers of a mount. The calls may wait for requests under way."""

    is_mounted: bool
    """Whether there is anything to remember."""

    def forget_inode(self, number: int) -> None:
        """Drop an inode's attributes and pages."""
        ...

    def forget_name(self, folder_number: int, name: bytes) -> None:
        """Drop a name, and what is below it."""
        ...


class FuseKernel:
    """The kernel behind this process's mount; silent while nothing is mounted."""

    is_mounted = False

    def forget_inode(self, number: int) -> None:
        """Drop an inode's attributes and pages."""
        with self._asking(f"inode {number}"):
            pyfuse3.invalidate_inode(number)

    def forget_name(self, folder_number: int, name: bytes) -> None:
        """Drop a name, and what is below it."""
        with self._asking(f"{name!r} in folder {folder_number}"):
            pyfuse3.invalidate_entry(folder_number, name)

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            pass  # the kernel has forgotten it by itself
        except OSError as error:
            # It is corrected when the kernel needs the memory for something else.
            logger.warning("The kernel did not forget %s: %s", what, error)


async def tell_kernel(kernel: KernelMemory, inodes: InodeTable, shift: Shift) -> None:
    """Make the kernel forget what a shift changed, and return when it has.

    It runs in a thread: the kernel may wait for requests that the event loop must answer. The
    gates of the tree have to be open for the same reason.
    """
    numbers = [inode.number for node in shift.nodes if (inode := inodes.find(node)) is not None]
    names = list(_known_names(inodes, shift.names))
    for node in shift.nodes:
        inode = inodes.find(node)
        if inode is not None:
            inode.clean_ns = inode.view.time_ns
    await forget(kernel, numbers, names)


async def forget(
    kernel: KernelMemory, numbers: Sequence[int], names: Sequence[tuple[int, bytes]]
) -> None:
    """Make the kernel forget inodes, and names in folders; as `tell_kernel`."""

    def tell() -> None:
        for folder_number, name in names:
            kernel.forget_name(folder_number, name)
        for number in numbers:
            kernel.forget_inode(number)

    if (numbers or names) and kernel.is_mounted:
        await trio.to_thread.run_sync(tell)


def _known_names(
    inodes: InodeTable, names: Iterable[tuple[Node, str]]
) -> Iterable[tuple[int, bytes]]:
    for folder, name in names:
        inode = inodes.find(folder)
        if inode is not None:
            yield inode.number, path_bytes(name)
