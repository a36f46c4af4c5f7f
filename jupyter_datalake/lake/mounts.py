"""Mounts: repos as folders.

A mount point is a folder with one process behind it, which any verb here starts when it is
needed and brings back when it was killed. Where FUSE is missing, the same folders are checkouts.
Which mount point is meant when none is given, says `lake.mountpoints`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jupyter_datalake import environment
from jupyter_datalake.engine.session import open_session, sessions_folder
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    MountError,
    NotFoundError,
)
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.lake.mountpoints import Mountpoints, set_point
from jupyter_datalake.lake.sessions import MOUNTABLE, Sessions
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.mounts import Mount, MountMode, Mountpoint, MountState
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind
from jupyter_datalake.model.sessions import check_session_name, session_folder
from jupyter_datalake.mount.checkout import Checkout
from jupyter_datalake.mount.control import MountClient
from jupyter_datalake.mount.doctor import Finding, Verdict, check_trial_mount, examine
from jupyter_datalake.mount.mountpoints import normalised
from jupyter_datalake.mount.starting import stop_process

logger = logging.getLogger(__name__)


class Mounts:
    """`lake.mounts`: repos shown as folders below mount points."""

    def __init__(self, context: LakeContext, sessions: Sessions) -> None:
        self._context = context
        self._core = context.core
        self._sessions = sessions
        self._points = Mountpoints(context.core)

    # --- looking ---------------------------------------------------------------------------------

    def list(self) -> Sequence[Mount]:
        """Return what is mounted, by path; brings back what should be there and is not."""
        self._points.revive()
        with self._core.metadata.read() as tx:
            mounts = tx.mounts.list()
        return [self._with_standing(mount) for mount in mounts]

    def get(self, name: str, *, at: str | None = None) -> Mount:
        """Return one mount by the name of its folder: ``raw``, ``raw@v1``.

        Raises
        ------
        NotFoundError
            Nothing of this name is mounted there.
        """
        return self._with_standing(self._find(name, at))

    def list_mountpoints(self) -> Sequence[Mountpoint]:
        """Return the folders that show repos, and how the processes behind them are doing."""
        self._points.revive()
        with self._core.metadata.read() as tx:
            points = tx.mounts.list_points()
        return [
            replace(point, state=MountState.STALE) if self._points.is_stale(point) else point
            for point in points
        ]

    def doctor(self) -> Sequence[Finding]:
        """Return what this machine lets a mount do, with what to do about it; about a second."""
        return examine(self._core, at=self._points.named(None))

    # --- mounting --------------------------------------------------------------------------------

    def create(
        self,
        repo: str,
        ref: str = DEFAULT_BRANCH,
        *,
        writable: bool | None = None,
        at: str | None = None,
        mode: MountMode | str | None = None,
        session: str | None = None,
        notebook: str | None = None,
    ) -> Mount:
        """Show a repo as a folder.

        A branch is shown as ``<repo>``, or as ``<repo>@<branch>`` where that name is taken by
        another branch; a tag, commit or other expression as ``<repo>@<ref>``. A writable mount
        takes up what was staged in it when it was last unmounted.

        Parameters
        ----------
        writable
            By default, a branch that people may write to is writable, and nothing else is.
        at
            The mount point; `lake.mountpoints` says which by default.
        mode
            By what means. By default the best that this machine lets a mount do, as `doctor`
            says; everything at one mount point is shown by the same.

        session
            Name of a session of its own, beside those that others have of the branch; the folder
            is ``<repo>@<branch>+<session>`` then. What is staged in each is its own affair.
        notebook
            The notebook that this session is for, to be shown in lists.

        Raises
        ------
        AlreadyExistsError
            It is mounted there, or its name is taken.
        InvalidInputError
            What is mounted there is shown by another mode than the one asked for; or `session`
            cannot be a name, or is asked for of what is not mounted writable.
        PermissionDeniedError
            `writable` was asked for of something that cannot be written to.
        MountError
            Mounting failed; the message says why. Nothing is left behind.
        """
        point = self._points.named(at)
        branch = self._branch(repo, ref)
        if branch is None:
            self._context.history.resolve(repo, ref)
        if session is not None and writable is None:
            writable = True
        is_writable = self._is_writable(repo, ref, branch, writable)
        if session is not None:
            _check_named(check_session_name(session), repo, ref, is_writable=is_writable)
        wanted = None if mode is None else _mode_named(mode)
        chosen, note = self._points.prepare(point, wanted)
        session_id = self._session(repo, ref, session, notebook) if is_writable else None
        folder = None if session is None else session_folder(repo, ref, session)
        mount = self._record(
            point,
            chosen,
            note,
            repo,
            ref,
            session_id,
            is_branch=branch is not None,
            folder=folder,
        )
        try:
            self._show(mount, chosen, is_wanted=wanted is not None)
        except BaseException:
            self._forget(mount)
            raise
        return self._with_standing(mount)

    def switch(
        self, name: str, ref: str, *, writable: bool | None = None, at: str | None = None
    ) -> Mount:
        """Let a folder show another ref of its repo, at once and for those who stand in it too.

        What is staged on the branch that it showed is kept, and there again when the folder is
        switched back. Through FUSE, files that are open keep their content, and folders that the
        other ref has not are as they were for those who are in them. A checkout is written anew.

        Parameters
        ----------
        name
            The folder's name, which stays.
        writable
            As of `create`.

        Raises
        ------
        InvalidInputError
            The folder is named after its ref (``raw@v1``).
        AlreadyExistsError
            The ref is mounted beside it.
        NotFoundError
            There is no such mount or ref.
        ConflictError
            A file in it is open for writing (``in-use``).
        """
        old = self._find(name, at)
        if "@" in name:
            raise InvalidInputError(
                f"{name!r} says by its name what it shows",
                hint=f"Mount the other: datalake mounts create {old.repo} {ref}",
                mount=name,
            )
        if ref == old.ref and writable in {None, old.is_writable}:
            return self._with_standing(old)
        branch = self._branch(old.repo, ref)
        if branch is None:
            self._context.history.resolve(old.repo, ref)
        is_writable = self._is_writable(old.repo, ref, branch, writable)
        with self._core.metadata.read() as tx:
            point = tx.mounts.find_point(old.mountpoint)
            beside = [one for one in tx.mounts.list(old.mountpoint) if one.name != name]
        assert point is not None
        _check_not_shown(beside, old.repo, ref)
        client = self._points.client(point) if point.mode is MountMode.FUSE else None
        if client is not None and old.is_writable:
            _check_idle(client, old)
        session_id = self._session(old.repo, ref) if is_writable else None
        self._replace(old, point, ref, session_id)
        self._drop_if_clean(old.session_id)
        with self._core.metadata.read() as tx:
            return self._with_standing(tx.mounts.get(old.mountpoint, name))

    def _replace(self, old: Mount, point: Mountpoint, ref: str, session_id: str | None) -> None:
        """Show another ref in a mount's folder; if that fails, the old one as before."""
        commit_id = self._pinned(old.repo, ref, point.mode, session_id)
        if point.mode is MountMode.CHECKOUT:
            Checkout(self._core, old).remove()
        try:
            new = self._reshow(old, ref, session_id, commit_id)
            self._show(new, point.mode)
        except BaseException:
            before = self._reshow(old, old.ref, old.session_id, old.commit_id)
            self._show(before, point.mode)
            self._drop_if_clean(session_id)
            raise

    def _reshow(
        self, mount: Mount, ref: str, session_id: str | None, commit_id: CommitId | None
    ) -> Mount:
        with self._core.metadata.write() as tx:
            shown = tx.mounts.show(
                mount.mountpoint, mount.name, ref, session_id=session_id, commit_id=commit_id
            )
            _announce(tx, shown)
            return shown

    def delete(self, name: str, *, at: str | None = None, discard: bool = False) -> None:
        """Unmount one folder. What is staged in it is kept for the next mount of the branch.

        Parameters
        ----------
        discard
            Whether what is staged goes with it.

        Raises
        ------
        NotFoundError
            Nothing of this name is mounted there.
        ConflictError
            A file in it is open for writing (``in-use``).
        StateError
            It is a checkout with something in it that cannot be kept: a pipe, a socket.
        """
        mount = self._find(name, at)
        with self._core.metadata.read() as tx:
            point = tx.mounts.find_point(mount.mountpoint)
        assert point is not None
        if point.mode is MountMode.CHECKOUT:
            has_changes = Checkout(self._core, mount).remove(discard=discard)
            self._forget(mount, keep_session=has_changes)
            return
        client = self._points.client(point)
        has_changes = False
        if mount.session_id is not None:
            if client is not None:
                _check_idle(client, mount)
            if discard:
                self._sessions.discard(mount.session_id)
            has_changes = bool(self._sessions.diff(mount.session_id, limit=1))
        self._forget(mount, keep_session=has_changes)

    def stop(self, at: str | None = None) -> None:
        """Unmount everything at a mount point; `start` brings it back, with what is staged.

        The folders of checkouts stay, since nothing serves them; a drive shows nothing meanwhile.
        """
        point = self._points.known(at)
        if point is None:
            return
        if point.mode is MountMode.FUSE:
            stop_process(self._core, point)
        self._points.set_state(point, MountState.STOPPED)

    def start(self, at: str | None = None) -> None:
        """Show again what was mounted at a mount point; nothing, where nothing was.

        Where FUSE could be used once and no longer can, mounts become checkouts. Checkouts
        without unsaved changes are brought to the heads of their branches.

        Raises
        ------
        MountError
            The process behind it does not start; the message says why.
        """
        point = self._points.known(at)
        if point is None:
            return
        if point.mode is MountMode.FUSE:
            try:
                self._points.start(point.path)
            except MountError as error:
                self._become_checkouts(point.path, error)
        elif point.mode is MountMode.CHECKOUT:
            self._write_checkouts(point)
        else:
            self._points.set_state(point, MountState.READY)

    # --- inside: what is wanted ------------------------------------------------------------------

    def _pinned(
        self, repo: str, ref: str, mode: MountMode, session_id: str | None
    ) -> CommitId | None:
        """Return the commit that a new mount stays at: a checkout does not follow its branch."""
        is_followed = mode is not MountMode.CHECKOUT and self._branch(repo, ref) is not None
        if session_id is not None or is_followed:
            return None
        return self._context.history.resolve(repo, ref).id

    def _with_standing(self, mount: Mount) -> Mount:
        """Return a mount that says how far behind it is."""
        history = self._context.history
        try:
            if mount.session_id is None:
                shown = mount.commit_id or history.resolve(mount.repo, mount.ref).id
                branch = self._branch(mount.repo, mount.ref)
            else:
                info = self._sessions.get(mount.session_id)
                shown, branch = info.base_commit_id, info.branch
            return replace(mount, standing=history.standing(mount.repo, shown, branch))
        except NotFoundError:
            return mount

    def _branch(self, repo: str, ref: str) -> str | None:
        with self._core.metadata.read() as tx:
            found = tx.refs.find(tx.repos.get(repo), ref)
        return ref if found is not None and found.kind is RefKind.BRANCH else None

    def _is_writable(self, repo: str, ref: str, branch: str | None, wanted: bool | None) -> bool:
        """Tell whether a mount gets a session: as wanted, or where people may write."""
        if wanted is None:
            return branch is not None and self._may_write(repo, ref)
        if wanted:
            self._sessions.check_writable(repo, ref)
        return wanted

    def _may_write(self, repo: str, branch: str) -> bool:
        try:
            self._sessions.check_writable(repo, branch)
        except PermissionError:
            return False
        return True

    def _session(
        self, repo: str, branch: str, name: str | None = None, notebook: str | None = None
    ) -> str:
        """Return the session that an earlier mount of the branch left, or a new one."""
        with self._core.metadata.read() as tx:
            mounted = {mount.session_id for mount in tx.mounts.list()}
            sessions = tx.sessions.list(tx.repos.get(repo))
        for info in reversed(sessions):
            is_ours = (sessions_folder(self._core) / info.id / MOUNTABLE).exists()
            is_meant = (info.branch, info.name) == (branch, name)
            if is_ours and is_meant and info.id not in mounted:
                return info.id
        with self._sessions.begin(repo, branch, name=name, notebook=notebook) as session:
            (sessions_folder(self._core) / session.id / MOUNTABLE).touch()
            return session.id

    def _record(
        self,
        point: str,
        mode: MountMode,
        note: str,
        repo: str,
        ref: str,
        session_id: str | None,
        *,
        is_branch: bool,
        folder: str | None = None,
    ) -> Mount:
        commit_id = self._pinned(repo, ref, mode, session_id)
        try:
            with self._core.metadata.write() as tx:
                beside = tx.mounts.list(point)
                name = folder or _free_name(beside, repo, ref, is_branch=is_branch)
                if tx.mounts.find_point(point) is None:
                    has_process = mode is MountMode.FUSE
                    set_point(
                        tx,
                        point,
                        mode,
                        MountState.STARTING if has_process else MountState.READY,
                        "" if has_process else note,
                    )
                mount = tx.mounts.add(
                    point,
                    name,
                    tx.repos.get(repo),
                    ref,
                    session_id=session_id,
                    by=str(self._context.author),
                    commit_id=commit_id,
                )
                _announce(tx, mount)
                return mount
        except BaseException:
            self._drop_if_clean(session_id)
            raise

    def _forget(self, mount: Mount, *, keep_session: bool = False) -> None:
        """Take a mount out of the metadata and off the mount point, and its clean session too."""
        with self._core.metadata.write() as tx:
            point = tx.mounts.find_point(mount.mountpoint)
            tx.mounts.delete(mount.mountpoint, mount.name)
            is_last = not tx.mounts.list(mount.mountpoint)
            _announce(tx, mount)
        if point is not None and point.mode is MountMode.FUSE:
            client = self._points.client(point)
            if is_last:
                stop_process(self._core, point)
            elif client is not None:
                client.refresh()
        if is_last:
            with self._core.metadata.write() as tx:
                if not tx.mounts.list(mount.mountpoint):
                    tx.mounts.delete_point(mount.mountpoint)
        if not keep_session:
            self._drop_if_clean(mount.session_id)

    def _drop_if_clean(self, session_id: str | None) -> None:
        """Remove a session in which nothing is staged."""
        if session_id is None:
            return
        try:
            with open_session(self._core, self._sessions.get(session_id)) as session:
                if not session.has_changes:
                    session.destroy()
        except (NotFoundError, ConflictError) as error:
            logger.info("Session %s stays: %s", session_id, error)

    # --- inside: showing it ----------------------------------------------------------------------

    def _find(self, name: str, at: str | None) -> Mount:
        given = at or environment.mountpoint()
        ours = {point.path for point in self._points.ours()}
        with self._core.metadata.read() as tx:
            if given:
                return tx.mounts.get(normalised(given), name)
            found = [one for one in tx.mounts.list() if one.name == name and one.mountpoint in ours]
        if len(found) == 1:
            return found[0]
        if found:
            raise InvalidInputError(
                f"{name!r} is mounted in several places",
                hint="Say which: --at " + " or --at ".join(one.mountpoint for one in found),
                mount=name,
            )
        raise NotFoundError(
            f"{name!r} is not mounted",
            kind=ErrorKind.MOUNT_NOT_FOUND,
            hint="'datalake mounts list' shows what is",
            mount=name,
        )

    def _show(self, mount: Mount, mode: MountMode, *, is_wanted: bool = False) -> None:
        """Make the mount visible; by other means, unless these are wanted and no others."""
        if mode is MountMode.DRIVE:
            return  # who looks finds it in the metadata
        if mode is MountMode.CHECKOUT:
            Checkout(self._core, mount).create()
            return
        try:
            client = self._points.start(mount.mountpoint)
        except MountError as error:
            if is_wanted:
                raise
            self._become_checkouts(mount.mountpoint, error)
            return
        client.refresh()
        problem = client.ping()["problems"].get(mount.name)
        if problem is not None:
            raise MountError(
                f"{mount.name} cannot be shown: {problem}", mountpoint=mount.mountpoint
            )

    def _become_checkouts(self, path: str, error: MountError) -> None:
        """Show a mount point without FUSE, if that is what is in the way; else raise `error`."""
        trial = check_trial_mount()
        if trial.verdict is not Verdict.FAIL:
            raise error
        # FUSE looks usable and is not, as in many containers: the same folders, otherwise.
        logger.warning("What is mounted at %s becomes checkouts: %s", path, error)
        with self._core.metadata.write() as tx:
            note = f"FUSE cannot be used here: {trial.found}"
            set_point(tx, path, MountMode.CHECKOUT, MountState.STARTING, note)
            point = tx.mounts.find_point(path)
        assert point is not None
        self._write_checkouts(point)

    def _write_checkouts(self, point: Mountpoint) -> None:
        """Write the folders that are missing, and bring the others to the heads of branches."""
        with self._core.metadata.read() as tx:
            mounts = tx.mounts.list(point.path)
        for mount in map(self._staying, mounts):
            checkout = Checkout(self._core, mount)
            if Path(mount.path).exists():
                checkout.update()
            else:
                checkout.create()
        self._points.set_state(point, MountState.READY)

    def _staying(self, mount: Mount) -> Mount:
        """Return a mount that is a checkout now; it does not follow its branch any more."""
        if mount.session_id is not None or mount.commit_id is not None:
            return mount
        commit_id = self._context.history.resolve(mount.repo, mount.ref).id
        return self._reshow(mount, mount.ref, None, commit_id)


def _mode_named(name: MountMode | str) -> MountMode:
    try:
        return MountMode(name)
    except ValueError as error:
        raise InvalidInputError(
            f"{name!r} is no way to mount",
            hint="Choose one of " + ", ".join(MountMode),
        ) from error


def _check_not_shown(mounts: Sequence[Mount], repo: str, ref: str) -> None:
    """Refuse what is mounted already."""
    for mount in mounts:
        is_named = mount.name.startswith(session_folder(repo, ref, ""))
        if (mount.repo, mount.ref) == (repo, ref) and not is_named:
            raise AlreadyExistsError(
                f"{repo}@{ref} is mounted already, at {mount.path}",
                kind=ErrorKind.MOUNT_EXISTS,
                hint=f"Unmount it first: datalake mounts delete {mount.name}",
                mount=mount.name,
            )


def _check_named(name: str, repo: str, ref: str, *, is_writable: bool) -> None:
    if not is_writable:
        raise InvalidInputError(
            f"{repo}@{ref} is to be mounted read-only, and the session {name!r} would take writes",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Leave out the session, or mount a branch writable",
        )


def _free_name(mounts: Sequence[Mount], repo: str, ref: str, *, is_branch: bool) -> str:
    """Return the name that a repo gets below a mount point, or raise `AlreadyExistsError`."""
    taken = {mount.name: mount for mount in mounts}
    _check_not_shown(mounts, repo, ref)
    for mount in mounts:
        if repo.startswith(f"{mount.name}/") or mount.name.startswith(f"{repo}/"):
            raise AlreadyExistsError(
                f"{repo} cannot be shown beside {mount.name}: one would lie inside the other",
                kind=ErrorKind.MOUNT_EXISTS,
                hint="Mount it at another mount point, with --at",
                mount=mount.name,
            )
    return repo if is_branch and repo not in taken else f"{repo}@{ref}"


def _check_idle(client: MountClient, mount: Mount) -> None:
    shown = client.ping()["mounts"].get(mount.name)
    if shown is not None and shown["writers"]:
        raise ConflictError(
            f"{shown['writers']} files below {mount.path} are open for writing",
            kind=ErrorKind.IN_USE,
            hint="Close them, and try again",
            retryable=True,
            mount=mount.name,
        )


def _announce(tx: Transaction, mount: Mount) -> None:
    tx.events.append(EventKind.MOUNT_CHANGED, mount.path, repo=mount.repo, ref=mount.ref)
