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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
    path_bytes,
    path_key,
)
from jupyter_datalake.model.sessions import NO_CHOICES, Choices, Whose
from jupyter_datalake.mount.clean_files import (
    CleanFiles,
    Known,
    Notes,
    Row,
    fingerprint_of,
    remove_record,
)
from jupyter_datalake.mount.folders import make_read_only, write_staged
from jupyter_datalake.mount.listing import remove_tree
from jupyter_datalake.mount.observers import unobserved
from jupyter_datalake.mount.placing import Placing
from jupyter_datalake.mount.scanning import (
    Difference,
    LocalFile,
    is_same,
    iter_differences,
    look,
    walk,
)
from jupyter_datalake.mount.staging import PORTION, stage_files

_SHOWN = 5
_PATIENCE_S = 10.0
"""How long somebody else is waited for who has the session open: its draft may be being saved."""


class Checkout:
    """One mount that is an ordinary folder.

    Commands take turns by the lock of the session; a read-only checkout has none and no commands.
    """

    def __init__(self, core: LakeCore, mount: Mount) -> None:
        self._core = core
        self._mount = mount
        self._folder = Path(mount.path)
        name = hashlib.blake2b(os.fsencode(mount.path), digest_size=16).hexdigest()
        self._records = core.work_folder / "mounts" / "checkouts"
        self._record = self._records / f"{name}.clean"
        self._partial = self._folder.with_name(f".{self._folder.name}.partial")

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
        partial = self._partial
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
        remove_record(self._record)
        with CleanFiles(self._record) as clean:
            for file in walk(partial, []):
                clean.notes.add(path_key(file.path), file.status, time.time_ns())
            clean.save(session.base.id)
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
            with self._session() as session, Notes(self._records) as staged:
                skipped: list[str] = []
                with self._staging(session):
                    self._stage(session, self._differences(session, skipped, ignore=False), staged)
                    self._check_kept(skipped)
                has_changes = session.has_changes
        with translated_errors(self._folder):
            remove_tree(self._folder)
            remove_record(self._record)
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
        with self._session() as session, Notes(self._records) as staged:
            before = session.tree.committed
            with self._staging(session):
                self._stage(session, self._differences(session), staged)
                result, _ = session.commit(message, author, metadata=metadata, choices=choices)
            if Whose.THEIRS in choices.by_path.values():
                self._give_up(before, choices)
            self._catch_up(session, staged)
            return result.commit.id

    def _give_up(self, before: Snapshot, choices: Choices) -> None:
        """Put back what was chosen not to be committed; the rest is as it was staged."""
        with CleanFiles(self._record) as clean, translated_errors(self._folder):
            self._put_back(
                before,
                (
                    one
                    for one in iter_differences(self._folder, before, clean, [])
                    if choices.at(one.path) is Whose.THEIRS
                    or choices.is_below(one.path, Whose.THEIRS)
                ),
            )

    def fingerprint(self) -> bytes:
        """Return what becomes another one when something in the folder is changed.

        It is made of names, sizes and times; no file is read, and nobody is kept waiting.
        """
        assert self._mount.session_id is not None
        with self._core.metadata.read() as tx:
            info = tx.sessions.get(self._mount.session_id)
        base = self._core.snapshot(commit_by_id(self._core, info.base_commit_id))
        found, unchanged = hashlib.blake2b(digest_size=16), 0
        with CleanFiles(self._record) as clean, translated_errors(self._folder):
            for file in walk(self._folder, [], base):
                key = path_key(file.path)
                if clean.known.has(key, file.status):
                    unchanged += 1
                else:
                    found.update(key + b"\xff")
                    found.update(f"{fingerprint_of(file.status)} {file.mode}".encode())
        found.update(f"{clean.commit_id} {unchanged}".encode())
        return found.digest()

    def save(self, session_id: str) -> None:
        """Save a draft of the differences, which stay where they are."""
        del session_id
        with self._session() as session, Notes(self._records) as staged:
            try:
                self._stage(session, self._differences(session, ignore=False), staged)
                drafter = Drafter(self._core, session)
                drafter.save(drafter.collect())
            finally:
                session.discard(keep_draft=True)

    def discard(self, session_id: str, paths: Sequence[RepoPath] | None) -> None:
        """Put back what the commit says, at and below `paths` or everywhere."""
        del session_id
        with self._session() as session, translated_errors(self._folder):
            self._put_back(
                session.tree.committed,
                (
                    one
                    for one in self._differences(session)
                    if paths is None or any(is_within(one.path, path) for path in paths)
                ),
            )
            session.announce()

    def _put_back(self, base: Snapshot, differences: Iterable[Difference]) -> None:
        with Placing(self._folder, self._partial) as placing:
            for one in differences:
                placing.come_to(one.path)
                if one.new is not None and not _is_overwritten(one.new, one.old):
                    placing.remove(one.new, base)
                if one.old is not None:
                    placing.write(base, one.path, one.old)

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

    @contextmanager
    def _staging(self, session: Session) -> Iterator[None]:
        """Have nothing staged where not all can be.

        The folder is where the changes are; half of them staged would count twice.
        """
        try:
            yield
        except DatalakeError:
            session.discard(keep_draft=True)
            raise

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
        self._catch_up(session)
        with CleanFiles(self._record) as clean, translated_errors(self._folder):
            yield from iter_differences(
                self._folder,
                session.tree.committed,
                clean,
                [] if skipped is None else skipped,
                ignore=ignore,
            )
            if clean.notes.has_clean:
                clean.save(clean.commit_id or session.base.id)

    def _catch_up(self, session: Session, staged: Iterable[Row] = ()) -> None:
        """Bring the folder to the session's base, if it stands elsewhere.

        Parameters
        ----------
        staged
            Files of the folder whose content was committed a moment ago: what was staged wins over
            what others committed, or there is no commit, so the base has them as they were then.
        """
        with CleanFiles(self._record) as clean:
            if clean.commit_id not in {None, session.base.id}:
                with translated_errors(self._folder):
                    self._advance(clean, session.base, Known(staged))
                    clean.save(session.base.id)

    def _advance(self, clean: CleanFiles, new: Commit, staged: Known) -> None:
        """Write what differs between two commits, but nothing that somebody changed here.

        What is done is noted, in the order of the paths.
        """
        assert clean.commit_id is not None
        old_tree = self._core.snapshot(commit_by_id(self._core, clean.commit_id))
        new_tree = self._core.snapshot(new)
        with Placing(self._folder, self._partial, spares=True) as placing:
            for path, before, after in old_tree.differences(new_tree):
                placing.come_to(path)
                key, began_ns = path_key(path), time.time_ns()
                file = look(self._folder, path)
                if _holds(file, after, new_tree, staged):
                    if file is None or not clean.notes.add(key, file.status, began_ns):
                        clean.notes.drop(key)
                    if file is None:
                        placing.prune(path, new_tree)  # a kill may have kept us from it
                    continue
                clean.notes.drop(key)
                is_ours = _is_half_done(file, before, after, old_tree)
                if is_ours or _holds(file, before, old_tree, clean.known):
                    if file is not None and not _is_overwritten(file, after):
                        placing.remove(file, new_tree)
                    if after is not None:
                        placing.write(new_tree, path, after)

    def _stage(self, session: Session, differences: Iterable[Difference], staged: Notes) -> None:
        """Put the differences into the session, and nothing else; note the files as they were."""
        if session.has_changes:
            session.discard(keep_draft=True)
        with translated_errors(self._folder):
            files: list[LocalFile] = []
            for one in differences:
                if one.new is None:
                    self._stage_removal(session, one.path)
                    continue
                existing = session.find(one.path)
                if existing is not None and existing.kind is not one.new.kind:
                    session.delete(one.path)
                if one.new.kind is FileKind.FOLDER:
                    session.make_folder(one.path)
                    continue
                files.append(one.new)
                if len(files) == PORTION:
                    stage_files(session, files, staged)
                    files = []
            if files:
                stage_files(session, files, staged)

    def _stage_removal(self, session: Session, path: RepoPath) -> None:
        """Remove a path from the session, and folders that are empty then and gone from here."""
        if session.find(path) is None:
            return  # a file took the place of its folder
        session.delete(path)
        folder = parent_of(path)
        while folder and not session.list(folder, limit=1) and not self._is_there(folder):
            session.delete(folder)
            folder = parent_of(folder)

    def _is_there(self, path: RepoPath) -> bool:
        return os.path.lexists(self._folder / os.fsdecode(path_bytes(path)))


def _holds(file: LocalFile | None, entry: FileEntry | None, tree: Snapshot, known: Known) -> bool:
    """Tell whether a place holds what an entry says, which may be nothing."""
    if file is None or entry is None:
        return file is None and entry is None
    is_known = known.has(path_key(file.path), file.status)
    return is_same(file, entry, tree, is_known=is_known)


def _is_overwritten(file: LocalFile, entry: FileEntry | None) -> bool:
    """Tell whether writing an entry takes away what is there by itself."""
    kinds = {file.kind is FileKind.FOLDER, entry is None or entry.kind is EntryKind.FOLDER}
    return entry is not None and kinds == {False}


def _is_half_done(
    file: LocalFile | None, before: FileEntry | None, after: FileEntry | None, tree: Snapshot
) -> bool:
    """Tell whether a place is as it is between two steps from what was there to what is to be.

    A folder is emptied before a file takes its place, and of a file and an empty folder one is
    removed before the other is made.
    """
    if file is not None:
        is_emptied = tree.look(file.path) == (FileKind.FOLDER, None)
        return file.kind is FileKind.FOLDER and is_emptied
    if before is None or after is None:
        return False
    return (before.kind is EntryKind.FOLDER) is not (after.kind is EntryKind.FOLDER)
