"""Verification: whether everything that commits need is there, and is what its name says.

Two passes. The first reads packs from front to back and hashes every blob in them, in few large
reads; it can be limited to a part, slowed down, and taken up where it was cut short. The second
walks from commits to the names of chunks and says which files the damage touches. For one repo
there is only the walk, which then reads what it meets.

Also whether the lake could be rebuilt without its database: the frames of packs and the headers
of records are looked at, which no reader needs.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_datalake.engine.blobs import (
    BlobReader,
    decode_blob,
    pack_object,
    read_index,
)
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.transfer import StoredBlob, once_more, read_stored
from jupyter_datalake.errors import CorruptDataError, DatalakeError, ErrorKind, NotFoundError
from jupyter_datalake.metadata.blobs import BlobPlace, PackRow
from jupyter_datalake.model.chunklists import decode_chunk_list
from jupyter_datalake.model.commits import Commit, reseal
from jupyter_datalake.model.entries import EntryKind, FileEntry, Layout, decode_entry
from jupyter_datalake.model.ids import Digest, short_id
from jupyter_datalake.model.manifests import Measure, Node, decode_node
from jupyter_datalake.model.packs import RECORD_HEADER_SIZE, decode_record_header
from jupyter_datalake.model.paths import path_from_key
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.model.verification import Finding, Problem, Subset, VerifyReport
from jupyter_datalake.storage.base import ObjectInfo, ObjectStore, origin_of

_MAX_AFFECTED = 100
_PACKS_PER_QUERY = 100
_SAVE_EVERY_S = 5.0
_CURSOR = "verify.json"


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """How much is read, and how fast."""

    subset: Subset | None = None
    """Only these packs are read; what commits need is looked for all the same."""
    bytes_per_s: float | None = None
    """No more than this on average; None: as fast as it goes."""
    resume: bool = False
    """Begin behind the packs that a verification which was cut short had read."""
    sleep: Callable[[float], None] = time.sleep


class Verifier:
    """Walks from commits to bytes. Each blob is read and hashed once, however often it is used.

    Reads past the caches of the open lake, so that what is verified is what is stored. What is
    damaged ends the walk below it, never beside it.
    """

    def __init__(
        self,
        core: LakeCore,
        on_progress: Callable[[VerifyReport], None] | None,
        plan: VerifyPlan | None = None,
    ) -> None:
        self._core = core
        self._plan = plan or VerifyPlan()
        self._reads_packs = False
        self._objects = origin_of(core.objects)
        self._places = BlobReader(self._objects, core.metadata, cache_bytes=0)
        self._on_progress = on_progress
        self._sizes: dict[Digest, int] = {}
        """Sound blobs and their sizes, where they are read on the walk."""
        self._errors: dict[Digest, DatalakeError] = {}
        """Blobs that are not sound."""
        self._affected: dict[Digest, list[str]] = {}
        self._nodes: dict[Digest, Measure] = {}
        """Nodes whose whole subtree was walked, and what they hold."""
        self._lists: dict[Digest, tuple[int, frozenset[Digest]]] = {}
        """Chunk lists that were walked: bytes they cover, and unsound blobs at and below them."""
        self._damaged_frames: set[str] = set()
        self._changed_commits: list[Commit] = []
        self._report = VerifyReport()

    @property
    def unsound(self) -> dict[Digest, DatalakeError]:
        """The blobs that are not sound, and why."""
        return self._errors

    @property
    def damaged_packs(self) -> set[str]:
        """The packs whose frames are damaged."""
        return self._damaged_frames

    @property
    def changed_commits(self) -> list[Commit]:
        """The commits whose rows do not fit their ids, as the rows have them."""
        return self._changed_commits

    def run(self, repo: str | None = None) -> VerifyReport:
        """Verify every commit of one repo, or of all, and the packs when it is all."""
        if repo is None:
            self._reads_packs = True
            _PackReading(self._core, self._objects, self._plan, self).run()
        for commit in self._commits(repo):
            self._verify_commit(commit)
            self._report.commits += 1
            self.tell()
        if repo is None:
            self._verify_refs()
            self._verify_packs()
            self._report_unneeded()
        for digest, places in self._affected.items():
            self._found(self._errors[digest], f"blob {digest.hex()}", tuple(places))
        return self._report

    def tell(self) -> None:
        """Tell whoever follows how far it is."""
        if self._on_progress is not None:
            self._on_progress(self._report)

    def take(self, blob: StoredBlob) -> None:
        """Note what reading one blob in its pack showed."""
        digest = blob.place.record.digest
        if blob.error is not None:
            self._errors[digest] = blob.error
            return
        self._report.blobs += 1
        self._report.bytes_read += blob.place.record.raw_size
        self._check_header(blob.place, blob.header)

    def note_frame(self, pack: str, message: str) -> None:
        """Note that a pack is damaged where no reader looks."""
        self._damaged_frame(pack, message)

    def _report_unneeded(self) -> None:
        """Report damage that no commit meets: a file to come might be told that it is there."""
        packs: Counter[str] = Counter()
        for digest, error in self._errors.items():
            if digest not in self._affected:
                packs[str(error.context.get("pack", ""))] += 1
        for pack, count in packs.items():
            if pack not in self._damaged_frames:
                blobs = "a blob" if count == 1 else f"{count} blobs"
                message = f"{blobs} in it, which no commit needs, cannot be read"
                self._add(Problem.DAMAGED, f"pack {pack}", message, ())

    def _commits(self, repo: str | None) -> Iterator[Commit]:
        after = ""
        while True:
            with self._core.metadata.read() as tx:
                row = None if repo is None else tx.repos.get(repo)
                ids = tx.commits.iter_ids(row, after=after, limit=200)
                commits = tx.commits.get_many(ids)
            if not ids:
                return
            yield from (commits[one] for one in ids)
            after = ids[-1]

    # --- commits and trees -----------------------------------------------------------------------

    def _verify_commit(self, commit: Commit) -> None:
        address = f"{commit.repo}@{short_id(commit.id)}"
        sealed, _ = reseal(commit)
        if sealed.id != commit.id:
            self._changed_commits.append(commit)
            self._add(
                Problem.INCONSISTENT,
                f"commit {commit.id}",
                "its row in the database was changed: the id no longer fits",
                (address,),
            )
        self._check(Digest(bytes.fromhex(commit.id)), address)
        held = self._verify_tree(commit.root, address, f"{address}/")
        if held is not None and held != (commit.file_count, commit.size_bytes):
            self._add(
                Problem.INCONSISTENT,
                f"commit {commit.id}",
                f"its tree holds {held.item_count} entries of {held.size_bytes} bytes, and it says"
                f" {commit.file_count} of {commit.size_bytes}",
                (address,),
            )

    def _verify_tree(
        self, digest: Digest, address: str, scope: str, level: int | None = None
    ) -> Measure | None:
        """Walk a subtree, unless that was done; return what it holds, or None if unsound.

        Parameters
        ----------
        address
            Of the commit.
        scope
            The subtree as a place for people, to name what is lost with a node.
        level
            That its root must have; None for the root of all.
        """
        known = self._nodes.get(digest)
        if known is not None:
            return known
        data = self._check(digest, scope)
        if data is None:
            return None
        try:
            node = decode_node(data)
            if level not in {None, node.level}:
                raise CorruptDataError(f"Node {digest.hex()} is not on the level of its place")
            is_sound, held = self._verify_contents(node, digest, address)
        except CorruptDataError as error:
            self._found(error, f"blob {digest.hex()}", (scope,))
            return None
        if not is_sound:
            return None
        self._nodes[digest] = held
        return held

    def _verify_contents(self, node: Node, digest: Digest, address: str) -> tuple[bool, Measure]:
        """Walk what a node holds; tell whether all nodes below are sound, and the sums."""
        if node.level == 0:
            self._locate(node)
            for item in node.items:
                place = f"{address}/{path_from_key(item.key)}"
                try:
                    self._verify_entry(place, decode_entry(item.value, item.size_bytes))
                except CorruptDataError as error:
                    self._found(error, f"blob {digest.hex()}", (place,))
            return True, Measure(len(node.items), sum(item.size_bytes for item in node.items))
        is_sound = True
        behind = ""
        for branch in node.branches:
            last = path_from_key(branch.last_key)
            scope = f"{address}/ (paths behind {behind!r} up to {last!r})"
            behind = last
            held = self._verify_tree(branch.digest, address, scope, node.level - 1)
            if held is None:
                is_sound = False
            elif held != (branch.item_count, branch.size_bytes):
                raise CorruptDataError(
                    f"Node {digest.hex()} says {branch.item_count} entries of {branch.size_bytes}"
                    f" bytes where there are {held.item_count} of {held.size_bytes}"
                )
        return is_sound, Measure(
            sum(branch.item_count for branch in node.branches),
            sum(branch.size_bytes for branch in node.branches),
        )

    def _locate(self, leaf: Node) -> None:
        """Look up at once where the contents of a leaf lie."""
        digests = []
        for item in leaf.items:
            with suppress(CorruptDataError):  # found again, and reported, item by item
                entry = decode_entry(item.value, item.size_bytes)
                if entry.layout is not Layout.INLINE:
                    digests.append(Digest(entry.content))
        self._places.locate(digests)

    def _verify_entry(self, place: str, entry: FileEntry) -> None:
        self._report.files += 1
        if entry.kind is not EntryKind.FILE or entry.layout is Layout.INLINE:
            return
        digest = Digest(entry.content)
        if entry.layout is Layout.CHUNK:
            size = self._size_of(digest, place)
        else:
            size, unsound = self._verify_list(digest, place)
            for one in unsound:
                self._affects(one, place)
            size = None if unsound else size
        if size is not None and size != entry.size_bytes:
            raise CorruptDataError(
                f"Its content has {size} bytes and the manifest says {entry.size_bytes}"
            )

    def _verify_list(
        self, digest: Digest, place: str, level: int | None = None
    ) -> tuple[int, frozenset[Digest]]:
        """Walk a chunk list, unless that was done; return the bytes it covers and what is bad."""
        known = self._lists.get(digest)
        if known is not None:
            return known
        unsound: set[Digest] = set()
        covered = 0
        data = self._check(digest, place)
        if data is None:
            unsound.add(digest)
        else:
            listed = decode_chunk_list(data)
            if level not in {None, listed.level}:
                raise CorruptDataError(f"Chunk list {digest.hex()} is on the wrong level")
            self._places.locate(listed.digests)
            for piece, size in zip(listed.digests, listed.sizes, strict=True):
                if listed.level == 0:
                    found = self._size_of(piece, place)
                    below = frozenset() if found is not None else frozenset({piece})
                else:
                    found, below = self._verify_list(piece, place, listed.level - 1)
                unsound |= below
                covered += size
                if not below and found != size:
                    raise CorruptDataError(
                        f"Chunk list {digest.hex()} says {size} bytes where there are {found}"
                    )
        self._lists[digest] = covered, frozenset(unsound)
        return self._lists[digest]

    # --- blobs -----------------------------------------------------------------------------------

    def _size_of(self, digest: Digest, place: str) -> int | None:
        """Return a blob's size, None if it is not sound; read where packs were not."""
        if not self._reads_packs and digest not in self._sizes:
            self._check(digest, place)
        if not self._reads_packs:
            return self._sizes.get(digest)
        if digest not in self._errors:
            try:
                return self._places.place(digest).record.raw_size
            except DatalakeError as error:
                self._errors[digest] = error
        self._affects(digest, place)
        return None

    def _check(self, digest: Digest, place: str) -> bytes | None:
        """Read and hash a blob; remember whom it affects, and return None, when it is not sound."""
        if digest not in self._errors:
            try:
                data = self._read(digest)
                if not self._reads_packs and digest not in self._sizes:
                    self._sizes[digest] = len(data)
                    self._report.blobs += 1
                    self._report.bytes_read += len(data)
                return data
            except DatalakeError as error:
                self._errors[digest] = error
        self._affects(digest, place)
        return None

    def _affects(self, digest: Digest, place: str) -> None:
        places = self._affected.setdefault(digest, [])
        if len(places) < _MAX_AFFECTED and place not in places:
            places.append(place)

    def _read(self, digest: Digest) -> bytes:
        """Read a blob and, in front of it, the header that a rebuild would find it by."""
        place = self._places.place(digest)
        pack, record = place
        begin = record.offset - RECORD_HEADER_SIZE
        try:
            size_bytes = RECORD_HEADER_SIZE + record.stored_size
            found = once_more(
                lambda: self._objects.read(pack_object(pack), max(begin, 0), size_bytes)
            )
        except NotFoundError as error:
            if self._places.forget_place(digest, pack):
                return self._read(digest)  # gc moved it since its place was looked up
            raise CorruptDataError(
                f"Pack {pack} is missing", kind=ErrorKind.OBJECT_NOT_FOUND, pack=pack
            ) from error
        data = decode_blob(record, found[RECORD_HEADER_SIZE:], pack)
        self._check_header(place, found[:RECORD_HEADER_SIZE])
        return data

    def _check_header(self, place: BlobPlace, header: bytes) -> None:
        begin = place.record.offset - RECORD_HEADER_SIZE
        try:
            is_right = decode_record_header(header, begin, place.pack) == place.record
        except CorruptDataError:
            is_right = False
        if not is_right:
            message = f"the header of its record at byte {begin} is damaged"
            self._damaged_frame(place.pack, message)

    # --- refs and packs --------------------------------------------------------------------------

    def _verify_refs(self) -> None:
        """Look whether every ref leads to a commit."""
        after = ""
        while True:
            with self._core.metadata.read() as tx:
                rows = tx.repos.list(after=after, limit=200, kinds=frozenset(RepoKind))
                for row in rows:
                    refs = tx.refs.list(row, limit=1_000_000)
                    known = tx.commits.get_many(ref.commit_id for ref in refs)
                    for ref in refs:
                        if ref.commit_id not in known:
                            address = f"{ref.repo}@{ref.name}"
                            self._add(
                                Problem.MISSING,
                                f"ref {address}",
                                f"its commit {ref.commit_id} is not in the database",
                                (address,),
                            )
            if not rows:
                return
            after = rows[-1].repo.name

    def _verify_packs(self) -> None:
        """Compare the list of packs with the store, and look at their frames."""
        stored = {info.name: info for info in self._objects.list("packs/")}
        after = ""
        while True:
            with self._core.metadata.read() as tx:
                packs = tx.blobs.packs(after=after, limit=500)
            if not packs:
                break
            for pack in packs:
                self._verify_pack(pack, stored.pop(pack_object(pack.name), None))
            after = packs[-1].name
        self._report.unknown_packs = len(stored)
        self._report.unknown_names = sorted(stored)[:_MAX_AFFECTED]

    def _verify_pack(self, pack: PackRow, info: ObjectInfo | None) -> None:
        with self._core.metadata.read() as tx:
            if not tx.blobs.is_used(pack.name):
                return  # whatever became of it, nothing lies in it any more
        if info is None:
            with suppress(NotFoundError):  # it may be newer than the list of what is stored
                info = self._objects.info(pack_object(pack.name))
        if info is None:
            self._damaged_frames.add(pack.name)
            self._add(Problem.MISSING, f"pack {pack.name}", "is not in the store", ())
            return
        if info.size_bytes != pack.size_bytes:
            self._damaged_frame(
                pack.name, f"has {info.size_bytes} bytes instead of {pack.size_bytes}"
            )
            return
        try:
            size_bytes = info.size_bytes
            records = once_more(lambda: read_index(self._objects, pack.name, size_bytes))
        except DatalakeError as error:
            self._damaged_frame(pack.name, error.message)
            return
        if len(records) != pack.blob_count:
            self._damaged_frame(
                pack.name, f"holds {len(records)} blobs instead of {pack.blob_count}"
            )

    def _damaged_frame(self, pack: str, message: str) -> None:
        """Report once per pack what no reader needs, but a rebuild would."""
        if pack not in self._damaged_frames:
            self._damaged_frames.add(pack)
            self._add(Problem.DAMAGED, f"pack {pack}", message, ())

    # --- findings --------------------------------------------------------------------------------

    def _found(self, error: DatalakeError, thing: str, affects: tuple[str, ...]) -> None:
        is_missing = error.kind in {ErrorKind.BLOB_NOT_FOUND, ErrorKind.OBJECT_NOT_FOUND}
        self._add(Problem.MISSING if is_missing else Problem.DAMAGED, thing, error.message, affects)

    def _add(self, problem: Problem, thing: str, message: str, affects: tuple[str, ...]) -> None:
        self._report.findings.append(Finding(problem, thing, message, affects))


class _PackReading:
    """The first pass: packs from front to back, in the order of their names."""

    def __init__(
        self, core: LakeCore, objects: ObjectStore, plan: VerifyPlan, verifier: Verifier
    ) -> None:
        self._core = core
        self._objects = objects
        self._plan = plan
        self._verifier = verifier
        self._report = verifier._report  # same module
        self._cursor = core.work_folder / _CURSOR
        self._began = self._saved = time.monotonic()
        self._read_bytes = 0

    def run(self) -> None:
        after = self._resumed() if self._plan.resume else ""
        while True:
            with self._core.metadata.read() as tx:
                packs = tx.blobs.packs(after=after, limit=_PACKS_PER_QUERY)
            if not packs:
                break
            for pack in packs:
                if self._plan.subset is None or self._plan.subset.holds(pack.name):
                    self._read(pack)
                    self._save(pack.name)
            after = packs[-1].name
        with suppress(OSError):  # what cannot be written was not written either
            self._cursor.unlink(missing_ok=True)

    def _read(self, pack: PackRow) -> None:
        with self._core.metadata.read() as tx:
            places = tx.blobs.in_pack(pack.name)
        for blob in read_stored(self._objects, places):
            self._verifier.take(blob)
            self._slow_down(blob.place.record.stored_size)
        self._report.packs += 1
        self._verifier.tell()

    def _slow_down(self, size_bytes: int) -> None:
        self._read_bytes += size_bytes
        if self._plan.bytes_per_s is not None:
            due = self._began + self._read_bytes / self._plan.bytes_per_s
            wait = due - time.monotonic()
            if wait > 0:
                self._plan.sleep(wait)

    # What was read is noted every few seconds; lost, it costs reading some of it again.

    def _save(self, pack: str) -> None:
        if time.monotonic() - self._saved < _SAVE_EVERY_S:
            return
        self._saved = time.monotonic()
        errors = {
            digest.hex(): {
                "message": error.message,
                "kind": str(error.kind),
                "pack": str(error.context.get("pack", "")),
            }
            for digest, error in self._verifier.unsound.items()
        }
        report = self._report
        state = {
            "after": pack,
            "packs": report.packs,
            "blobs": report.blobs,
            "bytes_read": report.bytes_read,
            "errors": errors,
            "frames": [[one.thing.removeprefix("pack "), one.message] for one in report.findings],
        }
        fresh = Path(f"{self._cursor}.new")
        with suppress(OSError):  # a lake that can only be read is verified all the same
            fresh.write_text(json.dumps(state))
            os.replace(fresh, self._cursor)

    def _resumed(self) -> str:
        """Return the pack to begin behind, with what was found up to it."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            state: dict[str, Any] = json.loads(self._cursor.read_text())
            errors = {
                Digest(bytes.fromhex(digest)): CorruptDataError(
                    one["message"], kind=ErrorKind(one["kind"]), blob=digest, pack=one["pack"]
                )
                for digest, one in state["errors"].items()
            }
            after = str(state["after"])
            report = self._report
            report.packs, report.blobs = int(state["packs"]), int(state["blobs"])
            report.bytes_read = int(state["bytes_read"])
            self._verifier.unsound.update(errors)
            for pack, message in state["frames"]:
                self._verifier.note_frame(str(pack), str(message))
            return after
        return ""
