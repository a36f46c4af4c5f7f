"""Measuring what repos take, each by itself and together."""

from __future__ import annotations

from contextlib import ExitStack

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.digest_sets import BYTES_EACH, Membership
from jupyter_datalake.engine.marking import Marker
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.model.usage import LakeUsage, RepoUsage

_PAGE = 2000
_ALL = 1_000_000


def measure_usage(core: LakeCore, *, memory_bytes: int) -> LakeUsage:
    """Return what every repo takes.

    Cost: every manifest is read once per repo that holds it, and every row of `blobs` once; no
    content. Memory is bounded, the rest is in temporary files of 32 bytes per blob and repo.
    """
    with core.metadata.read() as tx:
        rows = tx.repos.list(limit=_ALL, kinds=frozenset(RepoKind))
        usage = LakeUsage(tx.blobs.totals()[2])
    limit = max(memory_bytes // BYTES_EACH // max(len(rows), 1) // 2, 100)
    with ExitStack() as stack:
        owners: list[tuple[RepoUsage, Membership]] = []
        for row in rows:
            marker = stack.enter_context(Marker(core.blobs, limit=limit))
            head = row.repo.head
            one = RepoUsage(row.repo.name, 0, 0 if head is None else head.size_bytes)
            one.commits = _add_commits(core, row, marker)
            marker.run()
            usage.repos.append(one)
            owners.append((one, Membership(marker.marked)))
        _add_up(core, usage, owners)
    return usage


def _add_commits(core: LakeCore, row: RepoRow, marker: Marker) -> int:
    count, after = 0, ""
    while True:
        with core.metadata.read() as tx:
            ids = tx.commits.iter_ids(row, after=after, limit=_PAGE)
            commits = tx.commits.get_many(ids)
        if not ids:
            return count
        for commit in commits.values():
            marker.add([(BlobKind.COMMIT, Digest(bytes.fromhex(commit.id)))])
            marker.add([(BlobKind.NODE, commit.root)])
        count += len(commits)
        after = ids[-1]


def _add_up(core: LakeCore, usage: LakeUsage, owners: list[tuple[RepoUsage, Membership]]) -> None:
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
