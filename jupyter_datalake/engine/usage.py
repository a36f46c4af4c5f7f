"""Measuring what repos take, each by itself and together.

What was measured before is kept (`engine.usage_cache`). Then only the trees of new commits are
walked, down to what is known, and only blobs that are new to a repo are added up; the first time,
and when commits were removed, everything is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import groupby

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.digest_sets import BYTES_EACH, DigestSet, Membership
from jupyter_datalake.engine.marking import Marker
from jupyter_datalake.engine.usage_cache import (
    Measured,
    SortedDigests,
    UsageCache,
    UsageState,
    usage_cache,
)
from jupyter_datalake.metadata.base import batched
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.ids import DIGEST_SIZE, CommitId, Digest
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.model.usage import LakeUsage, RepoUsage

_PAGE = 2000
_ALL = 1_000_000


def measure_usage(core: LakeCore, *, memory_bytes: int, use_cache: bool = True) -> LakeUsage:
    """Return what every repo takes.

    Cost: every manifest is read once per repo that holds it, and every row of `blobs` once; no
    content. The next time, that of new commits, besides a look at the ids of all. Memory is
    bounded, the rest is in temporary files of 32 bytes per blob and repo.
    """
    with usage_cache(core) as cache:
        return _measured(core, memory_bytes, cache if use_cache else None)


def _measured(core: LakeCore, memory_bytes: int, cache: UsageCache | None) -> LakeUsage:
    with core.metadata.read() as tx:
        rows = tx.repos.list(limit=_ALL, kinds=frozenset(RepoKind))
        usage = LakeUsage(tx.blobs.totals()[2])
    limit = max(memory_bytes // BYTES_EACH // max(len(rows), 1) // 2, 100)
    with ExitStack() as stack:
        repos = [stack.enter_context(_Repo(core, row, limit)) for row in rows]
        if cache is None or not _go_on(core, cache, repos, usage):
            for one in repos:
                one.mark(SortedDigests(()))
            _add_up(core, usage, repos)
        usage.repos = [one.usage for one in repos]
        if cache is not None:
            # A disk that is full now costs the next measurement some time, and no more.
            with suppress(OSError):
                _remember(cache, repos, usage)
    return usage


class _Repo:
    """One repo while it is measured: which of its commits are new, and what those need."""

    def __init__(self, core: LakeCore, row: RepoRow, limit: int) -> None:
        head = row.repo.head
        self.usage = RepoUsage(row.repo.name, 0, 0 if head is None else head.size_bytes)
        self.key = str(row.id)
        self.known = Measured()
        """What was measured before and still counts."""
        self.commits = DigestSet(limit)
        """Those that are new."""
        self.blobs = DigestSet(limit)
        """Those that only the new ones need."""
        self._core = core
        self._row = row
        self._limit = limit

    def compare(self, before: SortedDigests) -> bool:
        """Find the new commits; tell whether all that were there before are there still."""
        old = iter(before)
        expected = next(old, None)
        for commit_id in self._ids():
            self.usage.commits += 1
            if commit_id == expected:
                expected = next(old, None)
            else:
                self.commits.add(commit_id)
        return expected is None

    def mark(self, before: SortedDigests) -> None:
        """Collect what the new commits need besides `before`; all commits, if none was compared."""
        if not self.usage.commits:
            self.compare(SortedDigests(()))
        with Marker(self._core.blobs, limit=self._limit, known=before.__contains__) as marker:
            for batch in batched(self.commits):
                ids = [CommitId(one.hex()) for one in batch]
                marker.add((BlobKind.COMMIT, one) for one in batch)
                with self._core.metadata.read() as tx:
                    roots = [commit.root for commit in tx.commits.get_many(ids).values()]
                marker.add((BlobKind.NODE, root) for root in roots)
            marker.run()
            self.blobs.update(one for one in marker.marked if one not in before)

    def start_anew(self) -> None:
        """Forget what `compare` found."""
        self.commits.close()
        self.blobs.close()
        self.known = Measured()
        self.usage.commits = self.usage.stored_bytes = self.usage.exclusive_bytes = 0

    def _ids(self) -> Iterator[Digest]:
        after = ""
        while True:
            with self._core.metadata.read() as tx:
                ids = tx.commits.iter_ids(self._row, after=after, limit=_PAGE)
            if not ids:
                return
            yield from (Digest(bytes.fromhex(one)) for one in ids)
            after = ids[-1]

    def __enter__(self) -> _Repo:
        return self

    def __exit__(self, *error: object) -> None:
        self.commits.close()
        self.blobs.close()


# --- from what was measured before ---------------------------------------------------------------


def _go_on(core: LakeCore, cache: UsageCache, repos: Sequence[_Repo], usage: LakeUsage) -> bool:
    """Add what is new to what was measured before; tell False, and do nothing, if that is wrong."""
    state = cache.state
    if not state.repos or not state.repos.keys() <= {one.key for one in repos}:
        return False
    for one in repos:
        if not one.compare(cache.commits_of(one.key)):
            for other in repos:
                other.start_anew()
            return False
    blobs = []
    for one in repos:
        one.known = state.repos.get(one.key, Measured())
        one.usage.stored_bytes = one.known.stored_bytes
        one.usage.exclusive_bytes = one.known.exclusive_bytes
        blobs.append(cache.blobs_of(one.key))
        one.mark(blobs[-1])
    usage.shared_bytes, needed_bytes = state.shared_bytes, state.needed_bytes
    for change in _changes(core, repos, blobs):
        usage.shared_bytes += change.shared_bytes
        needed_bytes += change.needed_bytes
    with core.metadata.read() as tx:
        usage.blob_bytes = tx.blobs.blob_bytes()
    usage.other_bytes = max(usage.blob_bytes - needed_bytes, 0)
    return True


@dataclass(slots=True)
class _Change:
    """What one blob that is new to a repo changes in the sums."""

    shared_bytes: int
    needed_bytes: int


def _changes(
    core: LakeCore, repos: Sequence[_Repo], before: Sequence[SortedDigests]
) -> Iterator[_Change]:
    """Add what is new to the sums of each repo, and yield what that means for those of all."""
    found = heapq.merge(*(_numbered(one.blobs, number) for number, one in enumerate(repos)))
    for batch in batched(_by_digest(found)):
        with core.metadata.read() as tx:
            places = tx.blobs.locate(digest for digest, _ in batch)
        for digest, new_owners in batch:
            if digest not in places:
                continue
            size = places[digest].record.stored_size
            old_owners = [number for number, known in enumerate(before) if digest in known]
            for number in new_owners:
                repos[number].usage.stored_bytes += size
            if len(old_owners) == 1:
                repos[old_owners[0]].usage.exclusive_bytes -= size
            if len(old_owners) + len(new_owners) == 1:
                repos[new_owners[0]].usage.exclusive_bytes += size
                yield _Change(0, size)
            else:
                yield _Change(0 if len(old_owners) > 1 else size, 0 if old_owners else size)


def _numbered(digests: DigestSet, number: int) -> Iterator[tuple[Digest, int]]:
    for digest in digests:
        yield digest, number


def _by_digest(found: Iterator[tuple[Digest, int]]) -> Iterator[tuple[Digest, list[int]]]:
    """Yield each digest with the numbers it comes with."""
    for digest, group in groupby(found, key=lambda one: one[0]):
        yield digest, [number for _, number in group]


def _remember(cache: UsageCache, repos: Sequence[_Repo], usage: LakeUsage) -> None:
    measured: dict[str, Measured] = {}
    for one in repos:
        known = one.known
        commits = [cache.write(one.commits)] if one.commits else []
        blobs = [cache.write(one.blobs)] if one.blobs else []
        measured[one.key] = Measured(
            [*known.commits, *commits],
            [*known.blobs, *blobs],
            one.usage.stored_bytes,
            one.usage.exclusive_bytes,
        )
    needed_bytes = usage.blob_bytes - usage.other_bytes
    cache.save(UsageState(measured, usage.shared_bytes, needed_bytes))


# --- from nothing --------------------------------------------------------------------------------


def _add_up(core: LakeCore, usage: LakeUsage, repos: Sequence[_Repo]) -> None:
    owners = [(one.usage, Membership(one.blobs)) for one in repos]
    after = Digest(bytes(DIGEST_SIZE))
    while True:
        with core.metadata.read() as tx:
            page = tx.gc.blob_page(after, _PAGE)
        if not page:
            return
        for blob in page:
            size = blob.stored_size
            users = [one for one, members in owners if blob.digest in members]
            usage.blob_bytes += size
            for one in users:
                one.stored_bytes += size
            if len(users) == 1:
                users[0].exclusive_bytes += size
            elif users:
                usage.shared_bytes += size
            else:
                usage.other_bytes += size
        after = page[-1].digest
