"""The mount of lazy inputs: what datums were given of commits, by names that are never listed.

It shows nothing else: a program can read through it what its pipeline declared, and no other repo.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import trio

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.errors import MountError, NotFoundError
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import path_bytes
from jupyter_datalake.model.selections import Selection
from jupyter_datalake.mount.catalogue import FOLDER_MODE
from jupyter_datalake.mount.daemon import EXIT_CANNOT_MOUNT, EXIT_CRASHED, EXIT_STOPPED, Daemon
from jupyter_datalake.mount.inodes import ROOT_NUMBER, InodeTable
from jupyter_datalake.mount.kernel import FuseKernel, KernelMemory, forget
from jupyter_datalake.mount.observing import DatumObservations
from jupyter_datalake.mount.starting import READY
from jupyter_datalake.mount.views import Found, TreeView, View

logger = logging.getLogger(__name__)

FORGET_S = 2.0
"""How often what ended datums were shown is looked for."""

FindSelection = Callable[[str], Selection | None]
"""Returns what a name below the mount point shows, or None where it means nothing, or no more."""


DatumOf = Callable[[str], tuple[str, int] | None]
"""Returns job and position of the datum that a name is shown to."""


def serve_inputs(
    core: LakeCore, mountpoint: str, find: FindSelection, datum_of: DatumOf, max_inodes: int
) -> int:
    """Serve the inputs of datums until the input of this process closes; return the exit code."""
    try:
        _LazyDaemon(core, mountpoint, find, datum_of, max_inodes).run()
    except MountError as error:
        logger.error("%s", error)  # noqa: TRY400  # the reason is not in our code
        _say(" ".join(str(error).split()).encode("utf-8", "replace") + b"\n")
        return EXIT_CANNOT_MOUNT
    except Exception:
        logger.exception("The mount at %s failed", mountpoint)
        return EXIT_CRASHED
    return EXIT_STOPPED


class SelectionView(TreeView):
    """Some paths of a commit, and the folders that lead to them."""

    def __init__(
        self,
        core: LakeCore,
        name: str,
        selection: Selection,
        commit: Commit,
        on_release: Callable[[TreeView], None],
    ) -> None:
        super().__init__(core, name, selection.repo, commit, on_release=on_release)
        self.is_lasting = True  # the name means this, or nothing
        self._names_above = selection.names_above()

    def present(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None, without waiting for anything."""
        names = self._shown_of(folder)
        if names is not None and name not in names:
            return None
        return super().present(folder, name)

    def children(self, folder: Node) -> Iterator[tuple[str, View, Node]]:
        """Yield name, view and node of what is in a folder."""
        names = self._shown_of(folder)
        if names is None:
            yield from super().children(folder)
            return
        for name in names:
            found = super().present(folder, name)
            if found is not None:
                yield name, *found

    def _shown_of(self, folder: Node) -> Sequence[str] | None:
        """Return which names of a folder are shown; None for all of them."""
        if not self._names_above:
            return None
        return self._names_above.get(self.tree.path_of(folder))


class LazyCatalogue(View):
    """What the mount point itself shows."""

    def __init__(self, core: LakeCore, find: FindSelection) -> None:
        root = Node(FileKind.FOLDER, "", None, mode=FOLDER_MODE)
        super().__init__("", root, core.clock())
        self._core = core
        self._find = find
        self._views: dict[str, TreeView] = {}

    async def lookup(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None."""
        found = self.present(folder, name)
        if found is not None:
            return found
        read = await trio.to_thread.run_sync(self._read, name)
        # Somebody else may have asked meanwhile; two views of one name would be two folders.
        if read is not None and name not in self._views:
            self._views[name] = SelectionView(self._core, name, *read, self._forget)
        return self.present(folder, name)

    def present(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name and known, or None."""
        del folder
        view = self._views.get(name)
        return None if view is None else (view, view.root)

    def children(self, folder: Node) -> Iterator[tuple[str, View, Node]]:
        """Yield nothing: one datum does not see what others have."""
        del folder
        yield from ()

    def is_attached(self, node: Node) -> bool:
        """Tell whether a node can still be reached by a path."""
        del node
        return True

    def ended(self) -> list[str]:
        """Return names that mean nothing any more and of which no file is open; reads files."""
        views = list(self._views.items())
        return [name for name, view in views if not view.opens and self._find(name) is None]

    def _read(self, name: str) -> tuple[Selection, Commit] | None:
        selection = self._find(name)
        if selection is None:
            return None
        try:
            return selection, commit_by_id(self._core, selection.commit_id)
        except NotFoundError:
            return None

    def _forget(self, view: TreeView) -> None:
        if self._views.get(view.name) is view:
            del self._views[view.name]


class ShownInputs:
    """All that one mount point shows of inputs, and what the kernel remembers of it.

    Parameters
    ----------
    max_inodes
        Beyond it the kernel is asked to forget files: this process remembers what the kernel does.
    """

    def __init__(
        self, core: LakeCore, find: FindSelection, kernel: KernelMemory, *, max_inodes: int
    ) -> None:
        self._catalogue = LazyCatalogue(core, find)
        self._kernel = kernel
        self._max_inodes = max_inodes
        self.inodes = InodeTable(self._catalogue, self._catalogue.root)

    async def keep_small(self) -> None:
        """Let go of what datums had that have ended, and of files if there are very many."""
        ended = await trio.to_thread.run_sync(self._catalogue.ended)
        names = [(ROOT_NUMBER, name) for name in ended]
        names += self.inodes.surplus(self._max_inodes)
        await forget(self._kernel, [], [(number, path_bytes(name)) for number, name in names])


class _LazyDaemon(Daemon):
    """Shows lazy inputs."""

    def __init__(
        self,
        core: LakeCore,
        mountpoint: str,
        find: FindSelection,
        datum_of: DatumOf,
        max_inodes: int,
    ) -> None:
        kernel = FuseKernel()
        self._shown = ShownInputs(core, find, kernel, max_inodes=max_inodes)
        super().__init__(core, mountpoint, self._shown.inodes, kernel)
        self.options.add("ro")
        self._operations.observations = DatumObservations(datum_of)
        self._errors = Path(mountpoint).with_suffix(".err")

    def _error_path(self) -> Path:
        return self._errors

    async def _work(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self._keep_small)
        nursery.start_soon(self._operations.observations.keep, self._core)

    async def _when_ready(self) -> None:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
        _say(READY)

    async def _keep_small(self) -> None:
        while True:
            await trio.sleep(FORGET_S)
            await self._shown.keep_small()


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


def _stop_at_end_of_input() -> None:
    # Not through `sys.stdin`: its lock, held here for ever, would abort the interpreter's end.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
