"""Healing: damaged and missing blobs are stored anew, from another copy or from another lake.

A blob that can be had somewhere, verified by its digest, goes into a new pack, and one transaction
makes that its place. What is sound in a damaged pack moves too. Then nothing lies in the damaged
pack any more and its object is deleted: a pack is named by what it should hold, so whoever stores
the same blobs again would else be told that they are there. Where something in it stays lost, its
bytes are kept under ``damaged/`` for whoever wants to look at them.

A blob that nobody has is taken out of the database: whoever stores such a content again, in any
commit, then stores it for all commits that need it, where the database's word that it is there
would have kept it out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator

from jupyter_datalake.engine.blobs import (
    PACK_FOLDER,
    pack_object,
    read_index,
    register_packs,
)
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.transfer import StoredBlob, read_stored
from jupyter_datalake.engine.usage_cache import forget_usage
from jupyter_datalake.engine.verify import Verifier
from jupyter_datalake.errors import CorruptDataError, DatalakeError, NotFoundError
from jupyter_datalake.metadata.base import batched
from jupyter_datalake.metadata.blobs import BlobPlace
from jupyter_datalake.model.commits import decode_commit
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.verification import HealReport, VerifyReport
from jupyter_datalake.storage.base import origin_of

_BATCH_BYTES = 32 * 1024 * 1024
"""Below the size at which a writer closes a pack by itself."""
_DIGESTS = 2000
_UNIQUE_BYTES = 16
DAMAGED_FOLDER = "damaged"


class Healer:
    """Mends what a verification finds.

    Parameters
    ----------
    remote
        Another open lake that may have what is damaged here; its ids are the same.
    on_progress
        Told by the verifications before and after.
    """

    def __init__(
        self,
        core: LakeCore,
        remote: LakeCore | None = None,
        on_progress: Callable[[VerifyReport], None] | None = None,
    ) -> None:
        self._core = core
        self._objects = origin_of(core.objects)
        self._remote = remote
        self._on_progress = on_progress
        self._report = HealReport()
        self._restored: set[CommitId] = set()

    def run(self) -> HealReport:
        """Verify, mend, verify again, and return what was mended and what stays wrong.

        Cost: everything is read twice, and what is mended is read and written once more.
        """
        report = self._report
        # A walk ends where a node is missing: what lies below is found when the node is back.
        while True:
            verifier = Verifier(self._core, self._on_progress)
            verifier.run()
            report.damaged_blobs += len(verifier.unsound.keys() - self._gone())
            mended = self._mend(verifier)
            if not mended:
                break
        forget_usage(self._core)
        after = Verifier(self._core, self._on_progress).run()
        report.findings = after.findings
        return report

    def _mend(self, verifier: Verifier) -> int:
        """Mend what one verification found; return how many blobs and commits that were."""
        report = self._report
        wanted = set(verifier.unsound)
        # What could not be read may be there in a minute; only what is certainly wrong is replaced.
        certain = {
            digest
            for digest, error in verifier.unsound.items()
            if isinstance(error, CorruptDataError)
        }
        packs = verifier.damaged_packs | self._packs_of(certain)
        here = self._store(self._copies_here(certain))
        certain -= here
        there = self._store(self._copies_there(certain))
        moved = self._store(self._sound_of(packs, wanted))
        restored = self._restore_commits(verifier)
        report.healed_here += len(here)
        report.healed_from_remote += len(there)
        report.moved += len(moved)
        report.commits_restored += restored
        self._give_up(certain - there, packs)
        return len(here) + len(there) + len(moved) + restored

    def _packs_of(self, digests: set[Digest]) -> set[str]:
        with self._core.metadata.read() as tx:
            return {place.pack for place in tx.blobs.locate(digests).values()}

    def _gone(self) -> set[Digest]:
        return {Digest(bytes.fromhex(one)) for one in self._report.lost}

    # --- where sound copies are ------------------------------------------------------------------

    def _copies_here(self, wanted: set[Digest]) -> Iterator[StoredBlob]:
        """Yield sound copies from other packs: two writers may have stored one blob."""
        if not wanted:
            return
        with self._core.metadata.read() as tx:
            places = tx.blobs.locate(wanted)
        for info in self._objects.list(f"{PACK_FOLDER}/"):
            pack = info.name.rpartition("/")[2].removesuffix(".pack")
            try:
                records = read_index(self._objects, pack, info.size_bytes)
            except DatalakeError:
                continue  # its blobs cannot be found without its index
            found = [
                BlobPlace(pack, record)
                for record in records
                if record.digest in wanted and places.get(record.digest) != (pack, record)
            ]
            yield from read_stored(self._objects, found)

    def _copies_there(self, wanted: set[Digest]) -> Iterator[StoredBlob]:
        if self._remote is None:
            return
        for batch in batched(sorted(wanted), _DIGESTS):
            with self._remote.metadata.read() as tx:
                places = tx.blobs.locate(batch)
            yield from read_stored(self._remote.objects, places.values())

    def _sound_of(self, packs: Iterable[str], unsound: set[Digest]) -> Iterator[StoredBlob]:
        """Yield what can still be read of packs whose frames are damaged."""
        for pack in sorted(packs):
            with self._core.metadata.read() as tx:
                places = tx.blobs.in_pack(pack)
            yield from read_stored(
                self._objects, (one for one in places if one.record.digest not in unsound)
            )

    # --- storing them anew -----------------------------------------------------------------------

    def _store(self, blobs: Iterable[StoredBlob]) -> set[Digest]:
        """Store sound blobs in new packs and make those their places; return which they were."""
        done: set[Digest] = set()
        batch: list[StoredBlob] = []
        size = 0
        for blob in blobs:
            digest = blob.place.record.digest
            if blob.error is None and digest not in done:
                done.add(digest)
                batch.append(blob)
                size += len(blob.payload)
                if size >= _BATCH_BYTES:
                    self._store_batch(batch)
                    batch, size = [], 0
        if batch:
            self._store_batch(batch)
        return done

    def _store_batch(self, blobs: list[StoredBlob]) -> None:
        with self._core.writer() as writer:
            # Packs are named by their index: a pack that healed another one whole would have its
            # name, and be taken for it. A blob that no other pack has makes it one of its own.
            writer.add(BlobKind.CHUNK, secrets.token_bytes(_UNIQUE_BYTES))
            writer.flush()
            for blob in blobs:
                writer.add_stored(blob.place.record, blob.payload)
                self._report.bytes_copied += len(blob.payload)
            packs = writer.seal()
        with self._core.metadata.write() as tx:
            register_packs(tx, packs)
            for pack in packs:
                tx.blobs.repoint(pack.name, pack.records)
        self._core.blobs.forget_places()

    def _give_up(self, lost: set[Digest], packs: set[str]) -> None:
        """Take what nobody has for not stored, and remove the packs that hold nothing any more."""
        keep = self._packs_of(lost)
        with self._core.metadata.write() as tx:
            tx.blobs.forget(lost)
            empty = [pack for pack in sorted(packs) if not tx.blobs.is_used(pack)]
            for pack in empty:
                tx.blobs.retire(pack)  # so that no writer takes the object for its own
        self._core.blobs.forget_places()
        self._report.lost = sorted({*self._report.lost, *(one.hex() for one in lost)})
        for pack in empty:
            if pack in keep:
                self._keep_aside(pack)
            self._core.objects.delete(pack_object(pack))

    def _keep_aside(self, pack: str) -> None:
        """Keep the bytes of a pack of which something is lost, as far as they can be read."""
        try:
            size = self._objects.info(pack_object(pack)).size_bytes
            data = self._objects.read(pack_object(pack), 0, size)
        except (NotFoundError, CorruptDataError):
            return  # there is nothing that could be looked at
        self._core.objects.create(f"{DAMAGED_FOLDER}/{pack}.pack", data)

    def _restore_commits(self, verifier: Verifier) -> int:
        """Give rows of commits back what their stored bytes say."""
        restored = 0
        for changed in verifier.changed_commits:
            if changed.id in self._restored:
                continue
            self._restored.add(changed.id)
            digest = Digest(bytes.fromhex(changed.id))
            try:
                commit = decode_commit(self._core.blobs.get(digest, keep=False))
            except DatalakeError:
                continue  # damaged itself; the verification afterwards says so
            with self._core.metadata.write() as tx:
                tx.commits.restore(commit)
            restored += 1
        return restored
