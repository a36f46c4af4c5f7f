"""Filling an empty database from the packs, where the database of a lake is lost.

Packs say everything about contents and commits, and nothing about names that were given to
commits afterwards. So repos, commits and branches come back, and tags and pipelines do not. A
branch comes back at the last commit that was made on it, by parent links: clocks are not
trusted. Where there are several such commits, because a branch was deleted and made again, or an
attempt to commit lost a race, the longest line gets the name and the others get names beside it.

What was deleted comes back too: packs do not know of deletions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_datalake.engine.blobs import (
    MAX_BLOB_BYTES,
    PACK_FOLDER,
    decode_blob,
    pack_object,
    read_index,
)
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.journal import read_journal
from jupyter_datalake.engine.session import place_of, sessions_folder
from jupyter_datalake.errors import CorruptDataError, DatalakeError, InvalidInputError
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.metadata.pins import session_owner
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Commit, Origin, decode_commit
from jupyter_datalake.model.entries import decode_entry
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import (
    CommitId,
    Digest,
    GlobalId,
    check_ref_name,
    check_repo_name,
    short_id,
)
from jupyter_datalake.model.lineage import GlobalOrigin
from jupyter_datalake.model.packs import (
    HEADER_SIZE,
    RECORD_HEADER_SIZE,
    RECORD_MAGIC,
    BlobKind,
    BlobRecord,
    decode_record_header,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind
from jupyter_datalake.model.repos import Repo, RepoKind
from jupyter_datalake.storage.base import ObjectInfo

LOST = (
    "tags, and branches on which nothing was committed",
    "pipelines, jobs, datums and warehouse connections",
    "descriptions of repos, and when their refs were moved",
    "mounts",
)
"""What no pack says, for people."""

_BY = "rebuild"
_BATCH = 200
_WINDOW = 4 * 1024 * 1024
_DEEPEST = 10_000_000


@dataclass(slots=True)
class RebuildReport:
    """What was found in the packs, and what became of it."""

    packs: int = 0
    blobs: int = 0
    commits: int = 0
    repos: list[str] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    """Addresses, without those below."""
    beside: list[str] = field(default_factory=list)
    """Addresses of branches that were made for lines of commits whose name another line got."""
    sessions: list[str] = field(default_factory=list)
    """Ids of sessions on this machine whose staged changes are at hand again."""
    damaged: list[str] = field(default_factory=list)
    """Packs and commits that could not be read, or not whole, with the reason."""
    lost: tuple[str, ...] = LOST

    def __str__(self) -> str:
        """Return the report for people."""
        lines = [
            f"Found {self.packs} packs with {self.blobs} blobs and {self.commits} commits.",
            f"Restored {len(self.repos)} repos, {len(self.branches)} branches and"
            f" {len(self.sessions)} sessions.",
        ]
        lines += [f"Beside its branch: {address}" for address in self.beside]
        lines += [f"Damaged: {one}" for one in self.damaged]
        lines += [f"Not in the packs, and lost: {one}." for one in self.lost]
        return "\n".join(lines)


class Rebuilder:
    """Fills the empty database of `core` from its objects.

    Memory is bounded by the number of repos and packs, not by what they hold.
    """

    def __init__(
        self, core: LakeCore, on_progress: Callable[[RebuildReport], None] | None = None
    ) -> None:
        self._core = core
        self._on_progress = on_progress
        self._report = RebuildReport()
        self._rows: dict[str, RepoRow] = {}
        self._origins: dict[str, set[Origin]] = {}

    def run(self) -> RebuildReport:
        """Fill the database and return what was found."""
        for info in self._core.objects.list(f"{PACK_FOLDER}/"):
            self._add_pack(info)
            if self._on_progress is not None:
                self._on_progress(self._report)
        for name, row in sorted(self._rows.items()):
            self._add_branches(row)
            with self._core.metadata.write() as tx:
                tx.repos.set_kind(row.id, self._kind_of(name))
                tx.events.append(EventKind.REPO_CREATED, name, kind=str(self._kind_of(name)))
            self._report.repos.append(name)
        self._add_sessions()
        return self._report

    # --- packs -----------------------------------------------------------------------------------

    def _add_pack(self, info: ObjectInfo) -> None:
        name = info.name.rpartition("/")[2].removesuffix(".pack")
        if info.name != pack_object(name):
            self._report.damaged.append(f"{info.name}: no pack has this name")
            return
        try:
            records = self._records(name, info.size_bytes)
        except DatalakeError as error:
            self._report.damaged.append(f"pack {name}: {error.message}")
            return
        with self._core.metadata.write() as tx:
            tx.blobs.add_pack(name, info.size_bytes, records)
        self._report.packs += 1
        self._report.blobs += len(records)
        commits = [record for record in records if record.kind is BlobKind.COMMIT]
        for begin in range(0, len(commits), _BATCH):
            self._add_commits(name, commits[begin : begin + _BATCH])

    def _records(self, name: str, size_bytes: int) -> list[BlobRecord]:
        try:
            return read_index(self._core.objects, name, size_bytes)
        except CorruptDataError as error:
            found = list(self._walk(name, size_bytes))
            self._report.damaged.append(
                f"pack {name}: {error.message}; {len(found)} blobs were found by their own headers"
            )
            return found

    def _walk(self, name: str, size_bytes: int) -> Iterator[BlobRecord]:
        """Yield the sound records of a pack whose index cannot be read, from header to header.

        Where a header is damaged, the next one is searched for. Headers carry no checksum, so
        each blob is read and hashed.
        """
        position = HEADER_SIZE
        while (begin := self._find_magic(name, position)) is not None:
            try:
                header = self._core.objects.read(pack_object(name), begin, RECORD_HEADER_SIZE)
                record = decode_record_header(header, begin, name)
                end = record.offset + record.stored_size
                if record.stored_size > MAX_BLOB_BYTES or end > size_bytes:
                    raise CorruptDataError("a record that is longer than its pack")
                decode_blob(record, self._stored(name, record), name)
            except CorruptDataError:
                position = begin + 1
                continue
            yield record
            position = end

    def _find_magic(self, name: str, position: int) -> int | None:
        """Return where, from `position` on, a record may begin, or None."""
        while True:
            window = self._core.objects.read(pack_object(name), position, _WINDOW)
            if len(window) < RECORD_HEADER_SIZE:
                return None
            found = window.find(RECORD_MAGIC)
            if found >= 0:
                return position + found
            position += len(window) - len(RECORD_MAGIC) + 1

    def _stored(self, name: str, record: BlobRecord) -> bytes:
        return self._core.objects.read(pack_object(name), record.offset, record.stored_size)

    # --- commits and branches --------------------------------------------------------------------

    def _add_commits(self, pack: str, records: list[BlobRecord]) -> None:
        commits: list[Commit] = []
        for record in records:
            try:
                commit = decode_commit(decode_blob(record, self._stored(pack, record), pack))
                check_repo_name(commit.repo)
                check_ref_name(commit.branch)
                commits.append(commit)
            except (CorruptDataError, InvalidInputError) as error:
                self._report.damaged.append(f"commit {record.digest.hex()}: {error.message}")
        with self._core.metadata.write() as tx:
            known = tx.commits.get_many(commit.id for commit in commits)
            for commit in commits:
                tx.commits.add(self._row(tx, commit).id, commit)
                self._begin_global_id(tx, commit)
        self._report.commits += len({commit.id for commit in commits} - known.keys())

    def _row(self, tx: Transaction, commit: Commit) -> RepoRow:
        """Return the repo of a commit, made when it is first heard of."""
        self._origins.setdefault(commit.repo, set()).add(commit.provenance.origin)
        row = self._rows.get(commit.repo)
        if row is None:
            repo = Repo(
                commit.repo, RepoKind.USER, "", time_of(tx.now_ns), str(commit.author), None
            )
            row = self._rows[commit.repo] = RepoRow(tx.repos.create(repo), repo)
        return row

    def _begin_global_id(self, tx: Transaction, commit: Commit) -> None:
        if commit.provenance.origin is not Origin.REPO:
            # What began it is in no pack; the commits under it are what matters.
            origin = (
                GlobalOrigin.COMMIT
                if commit.provenance.origin is Origin.SESSION
                else GlobalOrigin.PIPELINE
            )
            tx.lineage.begin(
                commit.global_id, origin, commit.repo, str(commit.author), at_ns=commit.time_ns
            )

    def _kind_of(self, repo: str) -> RepoKind:
        origins = self._origins[repo]
        if Origin.CODE in origins:
            return RepoKind.CODE
        return RepoKind.OUTPUT if Origin.JOB in origins else RepoKind.USER

    def _add_branches(self, row: RepoRow) -> None:
        """Give each branch its name back, at the end of its longest line."""
        with self._core.metadata.write() as tx:
            tips: dict[str, list[CommitId]] = {}
            for branch, commit_id in tx.commits.tips(row):
                tips.setdefault(branch, []).append(commit_id)
            if DEFAULT_BRANCH not in tips:
                # Its commits are lost. Every repo has a main branch: the longest line there is.
                every = [one for found in tips.values() for one in found]
                tips[DEFAULT_BRANCH] = [max(every, key=lambda one: self._line(tx, one))]
            for branch, ends in sorted(tips.items()):
                if len(ends) > 1:
                    ends.sort(key=lambda one: self._line(tx, one), reverse=True)
                first, *others = ends
                self._create(tx, row, branch, first)
                self._report.branches.append(f"{row.repo.name}@{branch}")
                line = self._global_ids(tx, first) if others else set()
                for end in others:
                    # An attempt that lost a race and was repeated is on the line by now, under
                    # the same global id.
                    if tx.commits.get(end).global_id not in line:
                        name = f"{branch[:80]}-{short_id(end)}"
                        self._create(tx, row, name, end)
                        self._report.beside.append(f"{row.repo.name}@{name}")

    def _line(self, tx: Transaction, end: CommitId) -> tuple[int, int, str]:
        """Return what lines are compared by: their length, and then anything that is stable."""
        ids = tx.commits.first_parents(end, limit=_DEEPEST)
        return len(ids), tx.commits.get(end).time_ns, end

    def _global_ids(self, tx: Transaction, end: CommitId) -> set[GlobalId]:
        ids = tx.commits.first_parents(end, limit=_DEEPEST)
        return {commit.global_id for commit in tx.commits.get_many(ids).values()}

    def _create(self, tx: Transaction, row: RepoRow, name: str, at: CommitId) -> None:
        tx.refs.create(row, name, RefKind.BRANCH, at, by=_BY, reason="rebuild from the packs")

    # --- sessions --------------------------------------------------------------------------------

    def _add_sessions(self) -> None:
        """Take up the sessions whose folders are on this machine, with what is staged in them."""
        folder = sessions_folder(self._core)
        if not folder.is_dir():
            return
        for place in sorted(folder.iterdir()):
            try:
                journal = read_journal(place / "journal")
                first = next(journal, None)
                if first is None or first[0] != "base":
                    continue
                staged = [root for record in journal for root in _kept_by(record)]
                with self._core.metadata.write() as tx:
                    tx.pins.add(session_owner(place.name), staged)
                    base = tx.commits.get(CommitId(first[1]))
                    row = tx.repos.get(base.repo)
                    tx.refs.get(row, base.branch, RefKind.BRANCH)
                    tx.sessions.create(
                        place.name, row, base.branch, base.id, _BY, place=place_of(self._core)
                    )
                self._report.sessions.append(place.name)
            except (DatalakeError, OSError) as error:
                self._report.damaged.append(f"session {place.name}: {error}")


def _kept_by(record: Sequence[Any]) -> list[tuple[BlobKind, Digest]]:
    """Return what a session needs of the lake for what a record of its journal says."""
    kind, *values = record
    if kind == "folded":
        return [(BlobKind.NODE, Digest(values[0]))]
    root = decode_entry(*values[1:3]).blob if kind == "entry" else None
    return [] if root is None else [root]
