"""Garbage collection: removing what nobody needs, beside everybody who works with the lake.

A run has these steps, each of small transactions, so it may be killed between any two of them
and the next run goes on. docs/gc.md says why no writer and no reader is hurt.

1. Commits that no name, session, job, mount or kept commit leads to are removed.
2. Everything that is left is *marked*, down to the chunks.
3. What is not marked is *condemned*: writers do not count on it any more. What an earlier run
   condemned, and is still not marked when its grace is over, is *swept*: its rows are removed.
4. Packs with too little in use, and many small ones, are *repacked*.
5. Packs without blobs are *retired*; a later run deletes their objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict

from jupyter_datalake.engine.blobs import PACK_FOLDER, pack_object, read_index
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.digest_sets import BYTES_EACH, DigestSet, Membership
from jupyter_datalake.engine.history import resolve_in
from jupyter_datalake.engine.marking import Marker
from jupyter_datalake.engine.repacking import Source, write_pack
from jupyter_datalake.errors import DatalakeError, NotFoundError
from jupyter_datalake.metadata.gc import BlobState, PackUse
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.gc import GcPolicy, GcReport
from jupyter_datalake.model.ids import DIGEST_SIZE, CommitId, Digest, short_id
from jupyter_datalake.model.jobs import LIVE_STATES
from jupyter_datalake.model.packs import (
    PACK_TARGET_BLOBS,
    PACK_TARGET_BYTES,
    RECORD_HEADER_SIZE,
    BlobKind,
)
from jupyter_datalake.model.refs import parse_ref_expression
from jupyter_datalake.storage.base import SweepsUploads

_LEASE_S = 120.0
_RENEWED_S = 5.0
"""How often a run tells how far it is, and looks whether it was cancelled."""
_PAGE = 2000
_COMMITS = 200
_PACKS = 500
_SETS = 4
"""How many large sets a run has at once."""


class GarbageCollector:
    """One run over a lake.

    Parameters
    ----------
    owner
        Who runs it, for people and for the lease; two runs have different owners.
    on_progress
        Told of the report as it grows.
    """

    def __init__(
        self,
        core: LakeCore,
        policy: GcPolicy,
        owner: str,
        on_progress: Callable[[GcReport], None] | None = None,
    ) -> None:
        self._core = core
        self._policy = policy
        self._owner = owner
        self._on_progress = on_progress
        self._limit = max(policy.memory_bytes // BYTES_EACH // _SETS, 1000)
        self._report = GcReport()
        self._fence: int | None = None
        self._run = 0

    def run(self) -> GcReport:
        """Collect.

        Raises
        ------
        ConflictError
            Another run is at work (``lease-held``), or this one was cancelled.
        CorruptDataError
            A manifest cannot be read. What it leads to is not known, so nothing is condemned.
        StorageError
            The disk is full, or fails; the lake is whole, and the next run goes on.
        """
        with self._core.metadata.write() as tx:
            self._fence = tx.gc.claim(self._owner, _LEASE_S)
            self._run = tx.gc.begin_run(self._owner)
            self._announce(tx, "running")
        state = "failed"
        try:
            self._sweep_uploads()
            if self._find_strangers():
                self._delete_retired()
                self._prune()
                with Marker(self._core.blobs, limit=self._limit) as marker:
                    self._mark(marker)
                    self._collect(marker)
                self._repack()
                self._retire()
            self._step("done")
            with self._write() as tx:
                tx.blobs.recount_stored()
                tx.gc.finish_run(self._run, asdict(self._report))
            state = "done"
            return self._report
        finally:
            with suppress(DatalakeError), self._core.metadata.write() as tx:
                tx.leases.release("gc", self._owner)
                self._announce(tx, state)

    def look(self) -> GcReport:
        """Tell what a run, and those behind it, would remove, and change nothing.

        Takes no lease. Commits are counted in a write transaction that is rolled back.
        """
        report = self._report
        report.is_dry_run = True
        removed: dict[str, DigestSet] = {}
        with Marker(self._core.blobs, limit=self._limit) as marker:
            with suppress(_RolledBackError), self._core.metadata.write() as tx:
                for repo, digests in self._prune_in(tx):
                    removed.setdefault(repo, DigestSet(self._limit)).update(digests)
                tx.gc.forget_strays()
                marker.add(tx.pins.iter_roots())
                marker.add(tx.gc.iter_roots())
                raise _RolledBackError
            self._step("mark")
            marker.run(self._count_marked)
            self._step("measure")
            self._measure(marker, removed)
        return report

    # --- steps -----------------------------------------------------------------------------------

    def _delete_retired(self) -> None:
        """Delete objects that nobody can be reading from any more."""
        self._step("delete")
        while True:
            with self._core.metadata.read() as tx:
                before_ns = tx.now_ns - _ns(self._policy.reader_s)
                packs = tx.gc.retired_packs(before_ns, _PACKS)
            for pack in packs:
                self._core.objects.delete(pack_object(pack.name))
                with self._write() as tx:
                    tx.gc.forget_pack(pack.id)
                self._report.deleted_packs += 1
                self._report.deleted_bytes += pack.size_bytes
            self._told()
            if not packs:
                return

    def _sweep_uploads(self) -> None:
        """Remove what died processes left of objects they were writing."""
        objects = self._core.objects
        if isinstance(objects, SweepsUploads):
            self._report.swept_uploads = objects.sweep_uploads(
                older_than_s=max(self._policy.grace_s, 3600.0)
            )

    def _prune(self) -> None:
        """Remove the rows of what nobody needs."""
        self._step("prune")
        with self._write() as tx:
            tx.gc.forget_strays()
            self._report.results = tx.gc.forget_results(tx.now_ns - _ns(self._policy.results_s))
            self._report.deleted_repos += len(tx.repos.purge(self._undo_ns(tx)))
        after: str | None = ""
        while after is not None:
            with self._write() as tx:
                loose, after = tx.gc.loose_commits(after, _COMMITS)
                waiting = self._drop(tx, loose)
            while waiting:
                with self._write() as tx:
                    waiting = waiting[_COMMITS:] + self._drop(tx, waiting[:_COMMITS])
            self._told()
        with self._write() as tx:
            tx.repos.forget_empty()

    def _prune_in(self, tx: Transaction) -> Iterator[tuple[str, list[Digest]]]:
        """Remove those rows in one transaction; yield the repo and roots of removed commits."""
        tx.gc.forget_strays()
        self._report.results = tx.gc.forget_results(tx.now_ns - _ns(self._policy.results_s))
        self._report.deleted_repos += len(tx.repos.purge(self._undo_ns(tx)))
        after: str | None = ""
        while after is not None:
            waiting, after = tx.gc.loose_commits(after, _COMMITS)
            while waiting:
                batch, waiting = waiting[:_COMMITS], waiting[_COMMITS:]
                known = tx.commits.get_many(batch)
                waiting += self._drop(tx, batch)
                left = tx.commits.get_many(batch)
                for commit_id in known.keys() - left.keys():
                    yield known[commit_id].repo, [known[commit_id].root]

    def _drop(self, tx: Transaction, ids: Sequence[CommitId]) -> list[CommitId]:
        """Remove those of `ids` that nobody needs; return what may not be needed any more."""
        used = users_of(tx, ids, undo_since_ns=self._undo_ns(tx)).keys()
        # What a push from another lake brings, has a name only when all of it is there.
        young = tx.gc.commits_stored_since(ids, tx.now_ns - _ns(self._policy.grace_s))
        known = tx.commits.get_many(one for one in ids if one not in used and one not in young)
        for commit in known.values():
            self._report.of_repo(commit.repo).commits += 1
        return tx.gc.delete_commits(known.keys())

    def _mark(self, marker: Marker) -> None:
        self._step("mark")
        with self._core.metadata.read() as tx:
            # One transaction, so nothing is missed that goes from one table to another.
            marker.add(tx.pins.iter_roots())
            marker.add(tx.gc.iter_roots())
        marker.run(self._count_marked)

    def _collect(self, marker: Marker) -> None:
        """Compare what is stored with what is marked: condemn, pardon and sweep."""
        self._step("sweep")
        marks = Membership(marker.marked)
        with self._core.metadata.read() as tx:
            young_ns = tx.now_ns - _ns(self._policy.grace_s)
            recent = tx.gc.recent_runs(young_ns)
        for page in self._pages():
            pardoned: list[Digest] = []
            condemned: list[BlobState] = []
            swept: list[BlobState] = []
            for blob in page:
                if blob.digest in marks:
                    if blob.condemned is not None:
                        pardoned.append(blob.digest)
                elif blob.condemned is None:
                    if blob.pack_created_ns <= young_ns:
                        condemned.append(blob)
                elif blob.condemned < self._run and blob.condemned not in recent:
                    swept.append(blob)
                else:
                    self._report.waiting_blobs += 1
            if pardoned or condemned or swept:
                self._apply(pardoned, condemned, swept)

    def _apply(
        self, pardoned: list[Digest], condemned: list[BlobState], swept: list[BlobState]
    ) -> None:
        report = self._report
        with self._write() as tx:
            report.pardoned_blobs += tx.gc.pardon(pardoned)
            report.condemned_blobs += tx.gc.condemn(self._run, (one.digest for one in condemned))
            report.swept_blobs += tx.gc.sweep(self._run, (one.digest for one in swept))
        report.condemned_bytes += sum(one.stored_size for one in condemned)
        report.swept_bytes += sum(one.stored_size for one in swept)
        self._told()

    def _measure(self, marker: Marker, removed: dict[str, DigestSet]) -> None:
        """Add up what is not marked, and for each repo what its removed commits held of that."""
        report = self._report
        owned: dict[str, Membership] = {}
        markers: list[Marker] = []
        try:
            for repo, roots in removed.items():
                below = Marker(self._core.blobs, limit=self._limit)
                markers.append(below)
                below.add((BlobKind.NODE, root) for root in roots)
                below.run()
                owned[repo] = Membership(below.marked)
            marks = Membership(marker.marked)
            for page in self._pages():
                for blob in page:
                    if blob.digest in marks:
                        continue
                    report.condemned_blobs += 1
                    report.condemned_bytes += blob.stored_size
                    for repo, members in owned.items():
                        if blob.digest in members:
                            report.of_repo(repo).bytes += blob.stored_size
                            break
                self._told()
        finally:
            for below in markers:
                below.close()
            for digests in removed.values():
                digests.close()

    def _pages(self) -> Iterator[list[BlobState]]:
        after = Digest(bytes(DIGEST_SIZE))
        while True:
            with self._core.metadata.read() as tx:
                page = tx.gc.blob_page(after, _PAGE)
            if not page:
                return
            self._renew()
            yield page
            after = page[-1].digest

    # --- packs -----------------------------------------------------------------------------------

    def _repack(self) -> None:
        """Write packs anew that waste space or requests."""
        self._step("repack")
        for group in _groups(self._worth_repacking()):
            self._repack_group(group)
            self._told()

    def _worth_repacking(self) -> list[PackUse]:
        policy = self._policy
        chosen: list[PackUse] = []
        small: list[PackUse] = []
        after = 0
        while True:
            with self._core.metadata.read() as tx:
                packs = tx.gc.pack_uses(after=after, limit=_PACKS)
            for pack in packs:
                used = pack.live_bytes + pack.live_blobs * RECORD_HEADER_SIZE
                if not pack.live_blobs:
                    continue
                if pack.must_rewrite or used < policy.min_live_share * pack.size_bytes:
                    chosen.append(pack)
                elif pack.size_bytes < policy.small_pack_bytes:
                    small.append(pack)
            if not packs:
                break
            after = packs[-1].id
        if len(small) >= max(policy.small_pack_count, 2):
            chosen += small
        return sorted(chosen, key=lambda pack: pack.id)

    def _repack_group(self, group: Sequence[PackUse]) -> None:
        with self._core.metadata.read() as tx:
            sources = [Source(pack.id, pack.name, tx.gc.blobs_in(pack.id)) for pack in group]
        new = write_pack(self._core.objects, sources)
        if new is None or new.name in {pack.name for pack in group}:
            return
        with self._write() as tx:
            if tx.blobs.is_retired(new.name):
                return  # it was written before, and emptied; its object is about to be deleted
            tx.blobs.add_pack_row(new.name, new.size_bytes, new.blob_count)
            for source, records in new.moved:
                tx.blobs.move(source.pack_id, new.name, records)
        self._report.repacked_packs += len(group)
        self._report.damaged_packs += len(new.damaged)
        self._report.written_packs += 1
        self._report.written_bytes += new.size_bytes

    def _find_strangers(self) -> bool:
        """Retire packs that the database has not known for long; tell whether it can be trusted.

        Packs with commits that it does not know are left by a commit that died in its last
        moment, or by everything that was committed since the backup that the database was
        restored from. Then nothing is garbage only because this database does not need it.
        """
        self._step("strangers")
        found = list(self._strangers())
        with self._write() as tx:
            tx.gc.note_strangers(found)
            old = tx.gc.strangers(tx.now_ns - _ns(self._policy.grace_s))
            forgotten = {
                name for name, _ in tx.gc.strangers(tx.now_ns - _ns(self._policy.unknown_s))
            }
        recent = [one for one in found if one[0] not in forgotten]
        if any(self._may_hold_commits(*one) for one in recent):
            self._report.unknown_packs = len(found)
            self._report.unknown_bytes = sum(size for _, size in found)
            return False
        for name, size_bytes in old:
            with self._write() as tx:
                if tx.gc.retire_stranger(name, size_bytes):
                    self._report.retired_packs += 1
                    self._report.retired_bytes += size_bytes
        return True

    def _strangers(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of the packs in the store that the database does not know."""
        with DigestSet(self._limit) as stored:
            for info in self._core.objects.list(f"{PACK_FOLDER}/"):
                name = info.name.rpartition("/")[2].removesuffix(".pack")
                if info.name == pack_object(name) and len(name) == 2 * DIGEST_SIZE:
                    stored.add(Digest(bytes.fromhex(name)))
            known = Membership(self._pack_digests(DigestSet(self._limit)))
            for digest in stored:
                if digest not in known:
                    name = digest.hex()
                    with suppress(NotFoundError):
                        yield name, self._core.objects.info(pack_object(name)).size_bytes

    def _pack_digests(self, names: DigestSet) -> DigestSet:
        after = ""
        while True:
            with self._core.metadata.read() as tx:
                page = tx.gc.pack_names(after, _PAGE)
            if not page:
                return names
            names.update(Digest(bytes.fromhex(name)) for name in page)
            after = page[-1]

    def _may_hold_commits(self, name: str, size_bytes: int) -> bool:
        """Tell whether a pack holds a commit that the database does not know, or may do so."""
        try:
            records = read_index(self._core.objects, name, size_bytes)
        except NotFoundError:
            return False
        except DatalakeError:
            return True
        ids = [CommitId(one.digest.hex()) for one in records if one.kind is BlobKind.COMMIT]
        with self._core.metadata.read() as tx:
            return bool(set(ids) - tx.commits.get_many(ids).keys())

    def _retire(self) -> None:
        self._step("retire")
        with self._write() as tx:
            count, size_bytes = tx.gc.retire_packs(tx.now_ns - _ns(self._policy.grace_s))
        self._report.retired_packs += count
        self._report.retired_bytes += size_bytes

    # --- inside ----------------------------------------------------------------------------------

    _renewed = 0.0

    @contextmanager
    def _write(self) -> Iterator[Transaction]:
        """Open a write transaction that only the one who holds the lease completes."""
        with self._core.metadata.write() as tx:
            tx.gc.claim(self._owner, _LEASE_S, self._fence)
            yield tx

    def _undo_ns(self, tx: Transaction) -> int:
        return tx.now_ns - _ns(self._policy.undo_s)

    def _count_marked(self, count: int) -> None:
        self._report.marked_blobs += count
        self._renew()
        self._told()

    def _renew(self) -> None:
        """Keep the lease through a step that writes nothing, and tell how far it is."""
        now = time.monotonic()
        if self._fence is not None and now - self._renewed > _RENEWED_S:
            self._renewed = now
            with self._write() as tx:
                tx.gc.note_progress(self._run, asdict(self._report))

    def _step(self, phase: str) -> None:
        self._report.phase = phase
        self._renewed = 0.0
        self._renew()
        self._told()

    def _announce(self, tx: Transaction, state: str) -> None:
        tx.events.append(EventKind.COLLECTION_CHANGED, str(self._run), state=state)

    def _told(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._report)


class _RolledBackError(Exception):
    """Ends a transaction that was only to look."""


def users_of(
    tx: Transaction,
    ids: Iterable[CommitId],
    *,
    undo_since_ns: int | None,
    with_children: bool = True,
    with_inputs: bool = True,
) -> dict[CommitId, list[str]]:
    """Return, for each commit that something needs, what that is; see `GarbageCollection`."""
    wanted = list(ids)
    found = tx.gc.users_of(
        wanted,
        undo_since_ns=undo_since_ns,
        with_children=with_children,
        with_inputs=with_inputs,
    )
    for commit_id, what in _held(tx):
        if commit_id in wanted:
            found.setdefault(commit_id, []).append(what)
    return found


def _held(tx: Transaction) -> Iterator[tuple[CommitId, str]]:
    """Yield the commits that live jobs and mounts hold."""
    for job in tx.jobs.list(states=LIVE_STATES, limit=1_000_000):
        for commit_id in {*job.heads.values(), *job.inputs.values(), job.output_commit_id}:
            if commit_id is not None:
                yield commit_id, f"job {short_id(job.id)} of pipeline {job.pipeline}"
    for mount in tx.mounts.list():
        with suppress(DatalakeError):  # its ref is gone, and it shows that
            expression = parse_ref_expression(mount.commit_id or mount.ref)
            yield resolve_in(tx, tx.repos.get(mount.repo), expression), f"mount {mount.path}"


def _groups(packs: Iterable[PackUse]) -> Iterator[list[PackUse]]:
    """Yield packs that together fill a new one."""
    group: list[PackUse] = []
    size_bytes = blobs = 0
    for pack in packs:
        size_bytes += pack.live_bytes
        blobs += pack.live_blobs
        if group and (size_bytes > PACK_TARGET_BYTES or blobs > PACK_TARGET_BLOBS):
            yield group
            group, size_bytes, blobs = [], pack.live_bytes, pack.live_blobs
        group.append(pack)
    if group:
        yield group


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
