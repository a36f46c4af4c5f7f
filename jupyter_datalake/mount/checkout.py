"""Mounting without FUSE: the same paths, as ordinary files.

A checkout is the tree of a commit written below the mount point. A writable one is scanned when
somebody asks what changed, and the differences go through the mount's session when they are
committed, so commands on sessions mean the same in both modes.

What the folder stands at is recorded beside the lake, never in the folder. `_advance` takes the
folder from the commit recorded there to another, path by path, and leaves alone what somebody
has changed; run again after a kill, it finds done what is done.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from jupyter_datalake.engine.changed_children import Ours, changed_children
from jupyter_datalake.engine.commits import commit_by_id, head_of
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.drafts import Drafter
from jupyter_datalake.engine.exporting import translated_errors
from jupyter_datalake.engine.history import History
from jupyter_datalake.engine.session import Session, open_session
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.errors import (
    AlreadyExistsError,
    DatalakeError,
    ErrorKind,
    StateError,
)
from jupyter_datalake.model.changes import Change, ChangedChild
from jupyter_datalake.model.commits import Author, Commit
from jupyter_datalake.model.entries import EntryKind, FileEntry
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.mounts import Mount
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    comes_behind,
    is_within,
    parent_of,
    path_key,
)
from jupyter_datalake.model.sessions import NO_CHOICES, Choices, Whose
from jupyter_datalake.mount.folders import (
    make_read_only,
    remove_tree,
    write_staged,
)
from jupyter_datalake.mount.observers import unobserved
from jupyter_datalake.mount.scanning import (
    CleanFiles,
    Difference,
    LocalFile,
    fingerprint_of,
    is_empty,
    is_same,
    iter_differences,
    load_clean_files,
    look,
    walk,
)

_SHOWN = 5
_PATIENCE_S = 10.0
"""How long somebody else is waited for who has the session open: its draft may be being saved."""
_TRIES = 3


class Checkout:
    """One mount that is an ordinary folder.

    Commands take turns by the lock of the session; a read-only checkout has none and no commands.
    """

    def __init__(self, core: LakeCore, mount: Mount) -> None:
        self._core = core
        self._mount = mount
        self._folder = Path(mount.path)
        name = hashlib.blake2b(os.fsencode(mount.path), digest_size=16).hexdigest()
        self._record = core.work_folder / "mounts" / "checkouts" / f"{name}.clean"

    # --- mounting --------------------------------------------------------------------------------

    def create(self) -> None:
        """Write the tree, and into it what the session has staged since it was last mounted.

        Raises
        ------
        AlreadyExistsError
            Something is in the place already.
        StorageError
            The disk is full, or fails; nothing is left behind.
        """
        if os.path.lexists(self._folder):
            raise AlreadyExistsError(
                f"{self._folder} exists",
                kind=ErrorKind.PATH_EXISTS,
                hint="Move it away; it would be hidden or overwritten",
                path=str(self._folder),
            )
        partial = self._folder.with_name(f".{self._folder.name}.partial")
        with translated_errors(self._folder):
            remove_tree(partial)  # of a mount that was killed
            try:
                if self._mount.session_id is None:
                    commit = History(self._core).resolve(
                        self._mount.repo, self._mount.commit_id or self._mount.ref
                    )
                    self._core.snapshot(commit).export(ROOT, partial)
                    make_read_only(partial)
                    partial.rename(self._folder)
                else:
                    with self._session(must_exist=False) as session:
                        self._create_writable(session, partial)
            except BaseException:
                remove_tree(partial)
                raise

    def _create_writable(self, session: Session, partial: Path) -> None:
        session.rebase()
        self._core.snapshot(session.base).export(ROOT, partial)
        clean = CleanFiles(session.base.id)
        for file in walk(partial, []):
            if file.kind is FileKind.FILE:
                clean.add(file)
        clean.save(self._record)
        write_staged(session, partial)
        partial.rename(self._folder)
        # From here on the folder is what is staged.
        session.discard(keep_draft=True)

    def remove(self, *, discard: bool = False) -> bool:
        """Remove the folder; what differs in it is staged in the session, to come back with it.

        Parameters
        ----------
        discard
            Whether that is not wanted.

        Returns
        -------
        bool
            Whether something is staged now.

        Raises
        ------
        StateError
            There is something in it that cannot be kept, and it was not to be discarded.
        """
        has_changes = False
        if self._mount.session_id is not None and self._folder.exists() and not discard:
            with self._session() as session:
                skipped: list[str] = []
                differences = list(self._differences(session, skipped, ignore=False))
                self._check_kept(skipped)
                self._stage(session, differences)
                has_changes = session.has_changes
        with translated_errors(self._folder):
            remove_tree(self._folder)
            self._record.unlink(missing_ok=True)
        project = self._folder.parent
        if (
            project != Path(self._mount.mountpoint)
            and project.is_dir()
            and not any(project.iterdir())
        ):
            project.rmdir()
        return has_changes

    def _check_kept(self, skipped: Sequence[str]) -> None:
        if skipped:
            raise StateError(
                f"{self._mount.name} holds what no commit can: {'; '.join(skipped[:_SHOWN])}",
                hint="Move it away, or unmount with --discard, and it is lost",
                mount=self._mount.name,
            )

    def update(self) -> None:
        """Bring the folder to the head of its branch, if nothing in it was changed.

        A checkout does not follow by itself.
        """
        if self._mount.session_id is None or not self._folder.exists():
            return
        with self._session() as session:
            if next(self._differences(session), None) is None:
                session.rebase()
                self._catch_up(session)

    # --- commands --------------------------------------------------------------------------------

    def diff(self, session_id: str, below: RepoPath, after: RepoPath, limit: int) -> list[Change]:
        """Return what differs from the commit the folder was made from, by path."""
        del session_id
        with self._session() as session:
            found = (
                one
                for one in self._differences(session)
                if is_within(one.path, below) and comes_behind(one.path, after)
            )
            return [one.as_change() for one in islice(found, limit)]

    def list_changed(self, session_id: str, path: RepoPath) -> list[ChangedChild]:
        """Return the children of a folder in which something differs."""
        del session_id
        with self._session() as session:
            ours = (
                Ours(one.path, one.new is not None and one.new.kind is not FileKind.FOLDER)
                for one in self._differences(session)
                if is_within(one.path, path)
            )
            info = session.info
            head = self._core.snapshot(head_of(self._core, info.repo, info.branch))
            base = session.tree.committed
            found = changed_children(
                ours, path, base, head, lambda place: os.path.lexists(self._folder / place)
            )
            return list(found)

    def commit(
        self,
        session_id: str,
        message: str,
        author: Author,
        metadata: dict[str, str],
        choices: Choices = NO_CHOICES,
    ) -> CommitId:
        """Commit the differences, and bring in what others committed.

        Raises
        ------
        StateError
            Nothing differs, or a file is being written to.
        ConflictError
            Others changed the same paths; the folder is as it was.
        """
        del session_id
        with self._session() as session:
            differences = list(self._differences(session))
            before = session.tree.committed
            try:
                staged = self._stage(session, differences)
                result, _ = session.commit(message, author, metadata=metadata, choices=choices)
            except DatalakeError:
                # The folder is where the changes are; half of them staged would count twice.
                session.discard(keep_draft=True)
                raise
            given_up = [
                one
                for one in differences
                if choices.at(one.path) is Whose.THEIRS or choices.is_below(one.path, Whose.THEIRS)
            ]
            if given_up:
                with translated_errors(self._folder):
                    self._put_back(before, given_up)
            self._catch_up(session, staged)
            return result.commit.id

    def fingerprint(self) -> bytes:
        """Return what becomes another one when something in the folder is changed.

        It is made of names, sizes and times; no file is read, and nobody is kept waiting.
        """
        assert self._mount.session_id is not None
        with self._core.metadata.read() as tx:
            info = tx.sessions.get(self._mount.session_id)
        base = self._core.snapshot(commit_by_id(self._core, info.base_commit_id))
        clean = load_clean_files(self._record)
        found, unchanged = hashlib.blake2b(digest_size=16), 0
        with translated_errors(self._folder):
            for file in walk(self._folder, [], base):
                if clean is not None and file.kind is FileKind.FILE and clean.has(file):
                    unchanged += 1
                else:
                    found.update(path_key(file.path) + b"\xff")
                    found.update(f"{fingerprint_of(file.status)} {file.mode}".encode())
        standing = None if clean is None else clean.commit_id
        found.update(f"{standing} {unchanged}".encode())
        return found.digest()

    def save(self, session_id: str) -> None:
        """Save a draft of the differences, which stay where they are."""
        del session_id
        with self._session() as session:
            try:
                self._stage(session, list(self._differences(session, ignore=False)))
                drafter = Drafter(self._core, session)
                drafter.save(drafter.collect())
            finally:
                session.discard(keep_draft=True)

    def discard(self, session_id: str, paths: Sequence[RepoPath] | None) -> None:
        """Put back what the commit says, at and below `paths` or everywhere."""
        del session_id
        with self._session() as session, translated_errors(self._folder):
            base = session.tree.committed
            differences = [
                one
                for one in self._differences(session)
                if paths is None or any(is_within(one.path, path) for path in paths)
            ]
            self._put_back(base, differences)
            session.announce()

    def _put_back(self, base: Snapshot, differences: Sequence[Difference]) -> None:
        for one in differences:
            if one.new is not None:
                self._remove_file(one.new, base)
        for one in differences:
            if one.old is not None:
                self._write(base, one.path, one.old)

    # --- inside ----------------------------------------------------------------------------------

    @contextmanager
    def _session(self, *, must_exist: bool = True) -> Iterator[Session]:
        assert self._mount.session_id is not None
        if must_exist and not self._folder.is_dir():
            raise StateError(
                f"The folder {self._folder} is gone",
                hint="Unmount it with discard and mount it again; nothing was committed",
                mount=self._mount.name,
            )
        with self._core.metadata.read() as tx:
            info = tx.sessions.get(self._mount.session_id)
        with unobserved(), open_session(self._core, info, patience_s=_PATIENCE_S) as session:
            yield session

    def _differences(
        self, session: Session, skipped: list[str] | None = None, *, ignore: bool = True
    ) -> Iterator[Difference]:
        """Yield what differs from the session's base, and remember what was found clean.

        Parameters
        ----------
        ignore
            Whether what a ``.datalakeignore`` leaves out is no difference. It must not be asked
            for where what is not told here is lost.
        """
        clean = self._catch_up(session)
        known = len(clean.known)
        with translated_errors(self._folder):
            yield from iter_differences(
                self._folder,
                session.tree.committed,
                clean,
                [] if skipped is None else skipped,
                ignore=ignore,
            )
            if len(clean.known) != known:
                clean.save(self._record)

    def _catch_up(self, session: Session, staged: CleanFiles | None = None) -> CleanFiles:
        """Bring the folder to the session's base, if it stands elsewhere.

        Parameters
        ----------
        staged
            Files of the folder whose content was committed a moment ago: what was staged wins over
            what others committed, or there is no commit, so the base has them as they were then.
        """
        clean = load_clean_files(self._record)
        if clean is None:
            clean = CleanFiles(session.base.id)
        if clean.commit_id != session.base.id:
            with translated_errors(self._folder):
                clean = self._advance(clean, session.base, staged)
                clean.save(self._record)
        return clean

    def _advance(self, clean: CleanFiles, new: Commit, staged: CleanFiles | None) -> CleanFiles:
        """Write what differs between two commits, but nothing that somebody changed here."""
        old_tree = self._core.snapshot(commit_by_id(self._core, clean.commit_id))
        new_tree = self._core.snapshot(new)
        fresh = CleanFiles(new.id, dict(clean.known))
        for path in list(old_tree.changed_paths(new_tree)):
            fresh.known.pop(path_key(path), None)
            file = look(self._folder, path)
            before, after = old_tree.entry(path), new_tree.entry(path)
            if _holds(file, after, new_tree, staged):
                if file is not None and file.kind is FileKind.FILE:
                    fresh.add(file)
            elif _holds(file, before, old_tree, clean):
                if file is not None:
                    self._remove_file(file, new_tree)
                if after is not None:
                    self._write(new_tree, path, after)
        return fresh

    def _stage(self, session: Session, differences: Sequence[Difference]) -> CleanFiles:
        """Put the differences into the session, and nothing else; return the files as they were."""
        if session.has_changes:
            session.discard(keep_draft=True)
        for one in differences:
            if one.new is None:
                session.delete(one.path)
                self._prune(session, parent_of(one.path))
        files = [one.new for one in differences if one.new is not None]
        return self._stage_files(session, files)

    def _prune(self, session: Session, folder: RepoPath) -> None:
        """Remove from the session the folders that became empty and are gone from here."""
        while folder and not session.list(folder) and not os.path.lexists(self._place(folder)):
            session.delete(folder)
            folder = parent_of(folder)

    def _stage_files(self, session: Session, files: Sequence[LocalFile]) -> CleanFiles:
        for file in files:
            existing = session.find(file.path)
            if existing is not None and existing.kind is not file.kind:
                session.delete(file.path)
            if file.kind is FileKind.FOLDER:
                session.make_folder(file.path)
        waiting = [file for file in files if file.kind is not FileKind.FOLDER]
        staged = CleanFiles(session.base.id)
        for _ in range(_TRIES):
            waiting = [replace(file, status=file.place.lstat()) for file in waiting]
            began_ns = time.time_ns()
            session.put_files((file.path, file.place) for file in waiting)
            changed = [file for file in waiting if _was_written(file)]
            for file in waiting:
                if file.kind is FileKind.FILE:
                    staged.add(file, began_ns)
            waiting = changed
            if not waiting:
                return staged
        raise StateError(
            f"{waiting[0].path} is being written to",
            hint="Try again when whoever writes it is done; nothing was committed",
            path=waiting[0].path,
        )

    def _write(self, tree: Snapshot, path: RepoPath, entry: FileEntry) -> None:
        place = self._place(path)
        if entry.kind is EntryKind.FOLDER:
            place.mkdir(parents=True, exist_ok=True)
            return
        if place.is_dir() and not place.is_symlink():
            place.rmdir()  # refused by the system, if there is something in it
        tree.export(path, place)

    def _remove_file(self, file: LocalFile, tree: Snapshot) -> None:
        """Remove a file or empty folder, and the folders above it that `tree` has not."""
        if file.kind is FileKind.FOLDER:
            file.place.rmdir()
        else:
            file.place.unlink(missing_ok=True)
        folder = parent_of(file.path)
        while folder and tree.look(folder) is None and is_empty(self._place(folder)):
            self._place(folder).rmdir()
            folder = parent_of(folder)

    def _place(self, path: RepoPath) -> Path:
        return self._folder / os.fsdecode(path.encode("utf-8", "surrogateescape"))


def _was_written(file: LocalFile) -> bool:
    """Tell whether a file was written to since it was looked at."""
    now, then = file.place.lstat(), file.status
    return (now.st_mtime_ns, now.st_size) != (then.st_mtime_ns, then.st_size)


def _holds(
    file: LocalFile | None, entry: FileEntry | None, tree: Snapshot, clean: CleanFiles | None
) -> bool:
    """Tell whether a place holds what an entry says, which may be nothing."""
    if file is None or entry is None:
        return file is None and entry is None
    return is_same(file, entry, tree.content_of(entry), clean)
