"""One mount point: the views it shows, kept in step with the metadata, and commands on them.

`refresh` makes it show what the `mounts` table says. `follow` lets views of branches go on when
their branch does. Commands on sessions come here from `mount.commands`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.history import History
from jupyter_datalake.engine.session import open_session
from jupyter_datalake.engine.tree_nodes import Shift
from jupyter_datalake.errors import ConflictError, DatalakeError, ErrorKind, NotFoundError
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.changes import Change, ChangedChild
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.mounts import Mount
from jupyter_datalake.model.paths import RepoPath, path_bytes
from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.model.sessions import NO_CHOICES, Choices
from jupyter_datalake.mount import memory
from jupyter_datalake.mount.catalogue import Catalogue
from jupyter_datalake.mount.inodes import InodeTable
from jupyter_datalake.mount.kernel import KernelMemory, forget, tell_kernel
from jupyter_datalake.mount.processes import is_path_within, working_folders
from jupyter_datalake.mount.session_view import SessionView
from jupyter_datalake.mount.switching import Switch
from jupyter_datalake.mount.views import TreeView, View

logger = logging.getLogger(__name__)

AUTOSAVE_S = 60.0
"""How often drafts of what is staged are saved."""


FOLLOW_S = 0.5
"""How often the lake's events are asked for."""

IDLE_S = 60.0
"""After how long without a look `repo@ref` is let go of, if it is not mounted and in no use."""

_EVENT_BATCH = 1_000
_FOLLOWED = frozenset({EventKind.REF_MOVED})
_BUSY_S = 10.0
"""How long a session that another process has open is waited for: a commit may be ending."""


class MountedLake:
    """What one mount point shows. For the event loop's thread.

    Parameters
    ----------
    max_inodes
        Beyond it the kernel is asked to forget files: this process remembers what the kernel does.
    """

    def __init__(
        self, core: LakeCore, mountpoint: str, kernel: KernelMemory, *, max_inodes: int
    ) -> None:
        self._core = core
        self._max_inodes = max_inodes
        self._next_idle_s = 0.0
        """When views that nobody looks at are looked for again."""
        self._mountpoint = mountpoint
        self._kernel = kernel
        self.catalogue = Catalogue(core)
        self.inodes = InodeTable(self.catalogue, self.catalogue.root)
        self.problems: dict[str, str] = {}
        """Why a mount is not shown, by its name."""
        self._refreshing = trio.Lock()
        self._last_event = 0

    # --- what is shown ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Show what the metadata says, and remember from where on to follow the lake."""
        self._last_event = await self._read(lambda tx: tx.events.last_number())
        await self.refresh()

    async def refresh(self) -> None:
        """Show exactly what the metadata says is mounted here.

        A mount that cannot be shown is left out, with the reason in `problems`; the others are
        not touched by it.
        """
        async with self._refreshing:
            wanted = await self._read(
                lambda tx: {mount.name: mount for mount in tx.mounts.list(self._mountpoint)}
            )
            self.problems = {}
            for name, view in self.catalogue.shown.items():
                mount = wanted.get(name)
                if mount is None:
                    await self._hide(view)
                elif not _shows(view, mount):
                    await self._switch(view, mount)
            for name, mount in wanted.items():
                if name not in self.catalogue.shown:
                    await self._show(mount)

    async def _show(self, mount: Mount) -> None:
        try:
            view = await self._open(mount)
        except DatalakeError as error:
            logger.warning("%s is not shown: %s", mount.name, error)
            self.problems[mount.name] = str(error)
            return
        # A name such as raw@main may have been looked up before it was mounted.
        self.catalogue.put(view)
        project, _, last = mount.name.rpartition("/")
        found = self.catalogue.present(self.catalogue.root, project) if project else None
        above = self.catalogue.root if found is None else found[1]
        await tell_kernel(self._kernel, self.inodes, Shift(names=[(above, last)]))

    async def _switch(self, old: View, mount: Mount) -> None:
        """Show another ref in the folder of a view, also to those who stand or look into it.

        What is open keeps the content that it was opened with.
        """
        if isinstance(old, SessionView) and not old.session.is_open:
            await self._hide(old)
            return
        try:
            new = await self._open(mount)
        except DatalakeError as error:
            logger.warning("%s is not switched to %s: %s", mount.name, mount.ref, error)
            self.problems[mount.name] = str(error)
            return
        assert isinstance(old, TreeView)
        switch = Switch(self.inodes, old, new)
        async with old.gate.unchanging(), old.rearranging():
            await trio.to_thread.run_sync(switch.plan)
            if isinstance(old, SessionView):
                await trio.to_thread.run_sync(old.session.close)
            switch.make()
            self.catalogue.put(new)
        await forget(self._kernel, switch.numbers, switch.names)

    async def _open(self, mount: Mount) -> TreeView:
        if mount.session_id is None:
            return await trio.to_thread.run_sync(self._open_tree, mount)
        patience = trio.current_time() + _BUSY_S
        while True:
            try:
                return await trio.to_thread.run_sync(self._open_session, mount, mount.session_id)
            except ConflictError as error:
                if error.kind is not ErrorKind.SESSION_BUSY or trio.current_time() > patience:
                    raise
            await trio.sleep(0.1)

    def _open_session(self, mount: Mount, session_id: str) -> SessionView:
        with self._core.metadata.read() as tx:
            info = tx.sessions.get(session_id)
        session = open_session(self._core, info)
        try:
            session.rebase()
            return SessionView(self._core, mount.name, session)
        except BaseException:
            session.close()
            raise

    def _open_tree(self, mount: Mount) -> TreeView:
        commit = History(self._core).resolve(mount.repo, mount.commit_id or mount.ref)
        with self._core.metadata.read() as tx:
            ref = tx.refs.find(tx.repos.get(mount.repo), mount.ref)
        is_branch = ref is not None and ref.kind is RefKind.BRANCH
        return TreeView(
            self._core,
            mount.name,
            mount.repo,
            commit,
            branch=mount.ref if is_branch else None,
            ref=mount.ref,
        )

    async def _hide(self, view: View) -> None:
        name = self.catalogue.remove(view.name)
        if isinstance(view, SessionView):
            async with view.gate.unchanging(), view.rearranging():
                await trio.to_thread.run_sync(view.session.close)
        await tell_kernel(self._kernel, self.inodes, Shift(names=[name]))

    def end_saving(self) -> None:
        """Save no draft any more, nor go on with one: nobody is to wait for it at the end."""
        for view in self.catalogue.shown.values():
            if isinstance(view, SessionView):
                view.end_saving()

    async def close(self) -> None:
        """Let go of all sessions; what is staged in them stays."""
        for view in self.catalogue.shown.values():
            if isinstance(view, SessionView):
                await trio.to_thread.run_sync(view.session.close)

    # --- commands --------------------------------------------------------------------------------

    def account(self) -> dict[str, Any]:
        """Return how the mount is doing, as JSON."""
        return {
            "pid": os.getpid(),
            "inodes": len(self.inodes),
            "memory_bytes": memory.resident_bytes(),
            "problems": dict(self.problems),
            "mounts": {
                name: {
                    "commit": view.base.id,
                    "writers": view.writers if isinstance(view, SessionView) else 0,
                    "is_writable": isinstance(view, SessionView),
                }
                for name, view in self.catalogue.shown.items()
                if isinstance(view, TreeView)
            },
        }

    async def diff(
        self, session_id: str, below: RepoPath, after: RepoPath, limit: int
    ) -> list[Change]:
        """Return what is staged in a session, by path."""
        return await self._session_view(session_id).diff(below, after, limit)

    async def list_changed(self, session_id: str, path: RepoPath) -> Sequence[ChangedChild]:
        """Return the children of a folder in which something is staged."""
        return await self._session_view(session_id).list_changed(path)

    async def commit(
        self,
        session_id: str,
        message: str,
        author: Author,
        metadata: dict[str, str],
        choices: Choices = NO_CHOICES,
    ) -> CommitId:
        """Commit what is staged in a session, and return when the mount shows it."""
        view = self._session_view(session_id)
        async with self._ending_if_closed(view):
            commit, shift = await view.commit(message, author, metadata, choices)
        await tell_kernel(self._kernel, self.inodes, shift)
        return commit.id

    async def discard(self, session_id: str, paths: Sequence[RepoPath] | None) -> None:
        """Drop what is staged in a session, and return when the mount shows it."""
        view = self._session_view(session_id)
        async with self._ending_if_closed(view):
            shift = await view.discard(paths)
        await tell_kernel(self._kernel, self.inodes, shift)

    async def save(self, session_id: str) -> None:
        """Save a draft of what is staged in a session."""
        await self._session_view(session_id).save()

    def _session_view(self, session_id: str) -> SessionView:
        for view in self.catalogue.shown.values():
            if isinstance(view, SessionView) and view.session.id == session_id:
                return view
        raise NotFoundError(
            f"Session {session_id!r} is not mounted at {self._mountpoint}",
            kind=ErrorKind.SESSION_NOT_FOUND,
            hint="'datalake mounts list' shows what is",
            session=session_id,
        )

    @asynccontextmanager
    async def _ending_if_closed(self, view: SessionView) -> AsyncIterator[None]:
        """Open a session again that had to close itself, because its journal failed on it."""
        try:
            yield
        finally:
            if not view.session.is_open and view.name in self.catalogue.shown:
                with trio.CancelScope(shield=True):
                    await self._hide(view)
                    await self.refresh()

    # --- keeping up ------------------------------------------------------------------------------

    async def autosave(self) -> None:
        """Save drafts of what is staged, now and then, until cancelled."""
        while True:
            await trio.sleep(AUTOSAVE_S)
            await self.save_drafts()

    async def save_drafts(self) -> None:
        """Save a draft of each session that was written to since its last one."""
        for view in self.catalogue.shown.values():
            if isinstance(view, SessionView) and view.is_unsaved and view.session.is_open:
                try:
                    await view.save()
                except DatalakeError as error:
                    logger.warning("No draft of %s was saved: %s", view.name, error)

    async def follow(self) -> None:
        """Keep in step with the lake until cancelled; survives every error of the database."""
        while True:
            await trio.sleep(FOLLOW_S)
            try:
                await self.keep_up()
            except Exception:
                logger.exception("Following the lake failed; it is tried again")
                await trio.sleep(5 * FOLLOW_S)

    async def keep_up(self) -> None:
        """Take in what happened since the last time: moved branches, staged changes, memory."""
        events = await self._read(
            lambda tx: tx.events.list(self._last_event, kinds=_FOLLOWED, limit=_EVENT_BATCH)
        )
        moved = {(event.subject, event.details.get("ref")) for event in events}
        for view in self.catalogue.shown.values():
            if isinstance(view, TreeView) and view.branch is not None:
                await self._keep_up_view(view, has_moved=(view.repo, view.branch) in moved)
        if events:
            self._last_event = events[-1].number
        await self._let_go_of_idle_views()
        await self._trim()

    async def _keep_up_view(self, view: TreeView, *, has_moved: bool) -> None:
        try:
            if isinstance(view, SessionView):
                async with self._ending_if_closed(view):
                    await view.fold()
                await view.rest()
                await view.announce()
                view.is_behind = view.is_behind or has_moved
                shift = await view.rebase() if view.is_behind else Shift()
            elif has_moved:
                assert view.branch is not None
                shift = await view.show(
                    await trio.to_thread.run_sync(head_of, self._core, view.repo, view.branch)
                )
            else:
                return
        except NotFoundError as error:
            # The repo or branch is gone; what was seen last can be looked at until it is unmounted.
            self.problems[view.name] = str(error)
            return
        await tell_kernel(self._kernel, self.inodes, shift)

    async def _trim(self) -> None:
        """Ask the kernel to forget files, if it remembers very many: this process does, too."""
        surplus = self.inodes.surplus(self._max_inodes)
        names = [(folder_number, path_bytes(name)) for folder_number, name in surplus]
        await forget(self._kernel, [], names)

    async def _let_go_of_idle_views(self) -> None:
        """Ask the kernel to forget ``repo@ref`` that nobody has looked at for a while."""
        now = trio.current_time()
        if now < self._next_idle_s:
            return
        self._next_idle_s = now + IDLE_S / 4
        idle = {
            os.path.join(self._mountpoint, view.name): (folder, name)
            for folder, name, view in self.catalogue.idle(now - IDLE_S)
        }
        if idle:
            in_use = await trio.to_thread.run_sync(working_folders)
            await forget(
                self._kernel,
                [],
                [
                    (inode.number, path_bytes(name))
                    for path, (folder, name) in idle.items()
                    if (inode := self.inodes.find(folder)) is not None
                    and not any(is_path_within(used, path) for used in in_use)
                ],
            )

    async def _read(self, question: Callable[[Transaction], Any]) -> Any:
        def ask() -> Any:
            with self._core.metadata.read() as tx:
                return question(tx)

        return await trio.to_thread.run_sync(ask)


def _shows(view: View, mount: Mount) -> bool:
    """Tell whether a view is what a mount asks for."""
    if isinstance(view, SessionView):
        return view.session.id == mount.session_id and view.session.is_open
    return (
        mount.session_id is None
        and isinstance(view, TreeView)
        and (view.repo, view.ref) == (mount.repo, mount.ref)
    )
