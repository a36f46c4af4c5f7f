"""Drafts: what a session holds, kept in the lake while it is not committed.

Staged changes lie on one machine's disk. A draft is the tree that a commit of them would have, as
blobs like any other, held by a pin instead of a commit. It outlives the session's folder and its
machine, and `recover` makes a session of it again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO

from jupyter_datalake.engine.blobs import BlobWriter, register_packs
from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.content import store_stream
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.session import Session, Staged, create_session, forget_draft
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.engine.tree_nodes import DataFile, Node
from jupyter_datalake.metadata.pins import draft_owner
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.manifests import diff_manifests, edit_manifest
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import RepoPath, parent_of
from jupyter_datalake.model.sessions import Draft

LEFT_NS = 30 * 86_400 * 10**9
"""How long the draft of a session that is gone is kept."""

_MOST_HOLES_BYTES = 16 * 1024**3
_HOLLOW = 64
"""A file with more holes than that, and so many times larger than what it takes, is in no draft:
it would be read for minutes, or for days."""

logger = logging.getLogger(__name__)


class _HeldBackError(Exception):
    """Somebody waits for the end of the saving."""


class _Reading:
    """A working file that is read for a draft, for as long as nobody waits for its end."""

    def __init__(self, file: FileIO, drafter: Drafter) -> None:
        self._file = file
        self._drafter = drafter

    def readinto(self, buffer: memoryview) -> int:
        if self._drafter.is_held_back:
            raise _HeldBackError
        return self._file.readinto(buffer) or 0


class Drafter:
    """Saves drafts of one session; remembers what it stored, so a file is read when it changed."""

    def __init__(self, core: LakeCore, session: Session) -> None:
        self._core = core
        self._session = session
        self._stored: dict[int, tuple[tuple[int, int, int], FileEntry]] = {}
        self._holders = 0

    @property
    def is_held_back(self) -> bool:
        """Whether nothing is to be saved at the moment."""
        return self._holders > 0

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Have a save that is under way end at once without a draft; none succeeds meanwhile."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1

    def collect(self) -> Staged:
        """Return what is staged; meanwhile nothing may be, afterwards everything."""
        return self._session.collect()

    def save(self, collected: Staged) -> Draft | None:
        """Store a draft in place of the last one; None where there is nothing to keep.

        None as well where somebody held it back: the last draft stays then.
        A file that is written while it is read is in the draft as it was in the last one, or not
        at all: the next draft has it. So is one that was committed or dropped meanwhile.
        """
        if next(collected.changes, None) is None and collected.folded is None:
            return None
        try:
            return self._save(collected)
        except _HeldBackError:
            return None

    def _save(self, collected: Staged) -> Draft | None:
        info, core = self._session.info, self._core
        with core.writer() as writer:
            staged = self._stored_files(writer, collected)
            nodes, base = NodeWriter(core.nodes, writer), collected.base.root
            root = edit_manifest(nodes, staged.folded or base, staged.edits)
            count = sum(1 for _ in diff_manifests(nodes, base, root))
            if not count:
                return None
            packs = writer.seal()
            with core.metadata.write() as tx:
                register_packs(tx, packs)
                _drop_old(tx, core.clock())
                draft = tx.sessions.save_draft(info.id, collected.base.id, root, count)
                if draft is not None:  # else it was committed meanwhile
                    owner = draft_owner(info.id)
                    tx.pins.release(owner)
                    tx.pins.add(owner, [(BlobKind.NODE, root), (BlobKind.NODE, base)])
                return draft

    def _stored_files(self, writer: BlobWriter, collected: Staged) -> Staged:
        """Store the content of the working files; return what is staged without the rest."""
        entries: dict[Node, FileEntry] = {}
        left_out = set()
        numbers = set()
        for _, _, new in collected.changes:
            if not isinstance(new, Node):
                continue
            assert new.data is not None
            numbers.add(new.data.number)
            entry = self._store(writer, new.data, new.mode)
            if entry is None:
                left_out.add(new)
            else:
                entries[new] = entry
        self._stored = {one: kept for one, kept in self._stored.items() if one in numbers}
        return replace(collected, entries=entries, left_out=left_out)

    def _store(self, writer: BlobWriter, data: DataFile, mode: int) -> FileEntry | None:
        known = self._stored.get(data.number)
        try:
            with open(data.path, "rb", buffering=0) as file:
                before = _signature(file.fileno(), mode)
                if known is not None and known[0] == before:
                    return known[1]
                if _is_hollow(file.fileno()):
                    logger.warning("No draft has %s: it is nearly all holes", data.path)
                    return None
                reading = _Reading(file, self)
                entry = store_stream(
                    writer, reading, self._core.chunking, mode=mode, mtime_ns=before[1]
                )
                if _signature(file.fileno(), mode) != before:
                    return None if known is None else known[1]
        except FileNotFoundError:
            return None
        self._stored[data.number] = before, entry
        return entry


def _prune(session: Session, tree: Snapshot, folder: RepoPath) -> None:
    """Remove folders that became empty and that `tree` has not."""
    while folder and not session.list(folder):
        found = tree.look(folder)
        if found is not None and found[0] is FileKind.FOLDER:
            return
        session.delete(folder)
        folder = parent_of(folder)


def _drop_old(tx: Transaction, now_ns: int) -> None:
    """Drop what nobody has recovered for a long time."""
    for one in tx.sessions.list_drafts():
        if not one.has_session and one.saved_at.timestamp() * 1e9 < now_ns - LEFT_NS:
            forget_draft(tx, one.session_id)


def _signature(descriptor: int, mode: int) -> tuple[int, int, int]:
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns, mode


def _is_hollow(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    taken = status.st_blocks * 512
    return status.st_size - taken > _MOST_HOLES_BYTES and status.st_size > taken * _HOLLOW


def recover(core: LakeCore, draft: Draft, author: Author) -> Session:
    """Begin a session, based on the commit that a draft is of, and stage what the draft has.

    Raises
    ------
    NotFoundError
        The branch or that commit is gone.
    """
    base = commit_by_id(core, draft.base_commit_id)
    with core.metadata.read() as tx:
        root = tx.sessions.draft_root(draft.session_id)
    session = create_session(core, draft.repo, draft.branch, author, new_id(), base=base)
    try:
        old, new = core.snapshot(base), core.tree(root, f"the draft {draft.session_id}")
        for path, _, entry in old.differences(new):
            if entry is None and session.find(path) is not None:
                session.delete(path)
                _prune(session, new, parent_of(path))
        changed = old.differences(new)
        session.put_entries((path, entry) for path, _, entry in changed if entry is not None)
    except BaseException:
        session.destroy()
        raise
    return session
