"""A small tree that is written out again and again: it is read and verified once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.model.paths import ROOT, RepoPath

_MOST_ENTRIES = 1_000
_MOST_BYTES = 1 << 20


class KeptTree(Snapshot):
    """A tree that stays in memory, if it has a thousand entries and a MiB at most."""

    def __init__(self, core: LakeCore, tree: Snapshot) -> None:
        super().__init__(core.nodes, core.blobs, tree.root, tree.label)
        self.commit_id = tree.commit_id
        self._entries: list[tuple[RepoPath, FileEntry]] | None = None
        self._contents: dict[FileEntry, bytes | None] = {}
        found = [*islice(tree.iter_entries(), _MOST_ENTRIES + 1)]
        size = sum(entry.size_bytes for _, entry in found)
        if len(found) <= _MOST_ENTRIES and size <= _MOST_BYTES:
            self._entries = found

    def iter_entries(self, path: RepoPath = ROOT) -> Iterator[tuple[RepoPath, FileEntry]]:
        """See `Snapshot.iter_entries`."""
        return super().iter_entries(path) if path or self._entries is None else iter(self._entries)

    def small_contents(self, entries: Sequence[FileEntry]) -> Sequence[bytes | None]:
        """See `Snapshot.small_contents`."""
        if self._entries is None:
            return super().small_contents(entries)
        missing = [one for one in dict.fromkeys(entries) if one not in self._contents]
        if missing:
            self._contents.update(zip(missing, super().small_contents(missing), strict=True))
        return [self._contents[one] for one in entries]
