"""Verification: whether everything that commits need is there, and is what its name says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from jupyter_datalake.engine.blobs import BlobReader, pack_object
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeCache
from jupyter_datalake.errors import CorruptDataError, DatalakeError, ErrorKind
from jupyter_datalake.model.chunklists import ChunkList, decode_chunk_list
from jupyter_datalake.model.commits import Commit, reseal
from jupyter_datalake.model.entries import EntryKind, FileEntry, Layout, decode_entry
from jupyter_datalake.model.ids import Digest, short_id
from jupyter_datalake.model.manifests import iter_digests
from jupyter_datalake.model.paths import RepoPath, path_from_key


class Problem(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    DAMAGED = "damaged"
    INCONSISTENT = "inconsistent"
    """The database says something that the stored objects contradict."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and what it affects."""

    problem: Problem
    thing: str
    """``blob <digest>``, ``pack <name>``, ``commit <id>`` or ``ref <address>``."""
    message: str
    affects: tuple[str, ...]
    """Addresses of files and commits that cannot be read whole, at most 100; content that many
    commits share is named at the first of them."""


@dataclass(slots=True)
class VerifyReport:
    """What a verification looked at and found."""

    commits: int = 0
    files: int = 0
    blobs: int = 0
    bytes_read: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Verifier:
    """Walks from commits to bytes. Each blob is read and hashed once, however often it is used.

    Reads past the caches of the open lake, so that what is verified is what is stored.
    """

    def __init__(self, core: LakeCore, on_progress: Callable[[VerifyReport], None] | None) -> None:
        self._core = core
        self._blobs = BlobReader(core.objects, core.metadata, cache_bytes=0)
        self._nodes = NodeCache(self._blobs, entries=64)
        self._on_progress = on_progress
        self._state: dict[Digest, DatalakeError | None] = {}
        self._affected: dict[Digest, list[str]] = {}
        self._report = VerifyReport()

    def run(self, repo: str | None = None) -> VerifyReport:
        """Verify every commit of one repo, or of all, and the packs when it is all."""
        for commit in self._commits(repo):
            self._verify_commit(commit)
            self._report.commits += 1
            if self._on_progress is not None:
                self._on_progress(self._report)
        if repo is None:
            self._verify_packs()
        for digest, places in self._affected.items():
            error = self._state[digest]
            assert error is not None
            self._found(error, f"blob {digest.hex()}", tuple(places[:100]))
        return self._report

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

    def _verify_commit(self, commit: Commit) -> None:
        address = f"{commit.repo}@{short_id(commit.id)}"
        sealed, _ = reseal(commit)
        if sealed.id != commit.id:
            self._add(
                Problem.INCONSISTENT,
                f"commit {commit.id}",
                "its row in the database was changed: the id no longer fits",
                (address,),
            )
        self._check(Digest(bytes.fromhex(commit.id)), address)
        try:
            for digest, node in iter_digests(self._nodes, commit.root):
                if self._state.get(digest, ...) is None and node.level == 0:
                    continue  # an equal leaf was verified with another commit
                self._state[digest] = None
                for item in node.items:
                    path = path_from_key(item.key)
                    self._verify_entry(address, path, decode_entry(item.value, item.size_bytes))
        except CorruptDataError as error:
            digest_hex = str(error.context.get("blob", ""))
            self._found(error, f"blob {digest_hex}" if digest_hex else "a node", (address,))

    def _verify_entry(self, address: str, path: RepoPath, entry: FileEntry) -> None:
        self._report.files += 1
        if entry.kind is not EntryKind.FILE or entry.layout is Layout.INLINE:
            return
        place = f"{address}/{path}"
        digest = Digest(entry.content)
        if entry.layout is Layout.CHUNK:
            self._check(digest, place)
        else:
            self._verify_list(digest, place)

    def _verify_list(self, digest: Digest, place: str) -> None:
        listed = self._check(digest, place)
        if listed is None:
            return
        pieces: ChunkList = decode_chunk_list(listed)
        for piece in pieces.digests:
            if pieces.level == 0:
                self._check(piece, place)
            else:
                self._verify_list(piece, place)

    def _check(self, digest: Digest, place: str) -> bytes | None:
        """Read and hash a blob; remember whom it affects when it is bad."""
        known = self._state.get(digest, ...)
        if known is None:
            return None
        data: bytes | None = None
        if known is ...:
            try:
                data = self._blobs.get(digest, keep=False)
                self._state[digest] = None
                self._report.blobs += 1
                self._report.bytes_read += len(data)
            except DatalakeError as error:
                self._state[digest] = error
        if self._state[digest] is not None:
            self._affected.setdefault(digest, []).append(place)
        return data

    def _verify_packs(self) -> None:
        """Compare the list of packs with the store."""
        stored = {info.name: info for info in self._core.objects.list("packs/")}
        after = ""
        while True:
            with self._core.metadata.read() as tx:
                packs = tx.blobs.packs(after=after, limit=500)
            if not packs:
                return
            for pack in packs:
                info = stored.get(pack_object(pack.name))
                if info is None:
                    self._add(Problem.MISSING, f"pack {pack.name}", "is not in the store", ())
                elif info.size_bytes != pack.size_bytes:
                    self._add(
                        Problem.DAMAGED,
                        f"pack {pack.name}",
                        f"has {info.size_bytes} bytes instead of {pack.size_bytes}",
                        (),
                    )
            after = packs[-1].name

    def _found(self, error: DatalakeError, thing: str, affects: tuple[str, ...]) -> None:
        is_missing = error.kind in {ErrorKind.BLOB_NOT_FOUND, ErrorKind.OBJECT_NOT_FOUND}
        self._add(Problem.MISSING if is_missing else Problem.DAMAGED, thing, error.message, affects)

    def _add(self, problem: Problem, thing: str, message: str, affects: tuple[str, ...]) -> None:
        self._report.findings.append(Finding(problem, thing, message, affects))
