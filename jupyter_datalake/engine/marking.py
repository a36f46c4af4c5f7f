"""Marking: every blob that is reached from a set of roots, in bounded memory.

Nodes are read level by level, from the highest down, so each is read once although no set of those
already seen is kept: what a level leads to is sorted, and equal digests meet. What is kept is in
`DigestSet`, which moves to disk when it grows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Self

from jupyter_datalake.engine.blobs import BlobReader
from jupyter_datalake.engine.digest_sets import DigestSet
from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.chunklists import MAX_LEVELS as LIST_LEVELS
from jupyter_datalake.model.chunklists import decode_chunk_list
from jupyter_datalake.model.entries import decode_entry
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import MAX_LEVELS as NODE_LEVELS
from jupyter_datalake.model.manifests import decode_node
from jupyter_datalake.model.packs import BlobKind

_BATCH = 512
_WORTH_THREADS = 16
_THREADS = min(8, 2 * (os.cpu_count() or 1))

Root = tuple[BlobKind, Digest]


class Marker:
    """Collects roots, then everything below them.

    Usage::

        with Marker(blobs, limit=100_000) as marker:
            marker.add(roots)
            marker.run()
            for digest in marker.marked: ...

    Parameters
    ----------
    limit
        How many digests each of about ten sets keeps in memory.
    known
        Tells of nodes and lists that they, and what is below them, need not be looked at.
    """

    def __init__(
        self,
        blobs: BlobReader,
        *,
        limit: int,
        known: Callable[[Digest], bool] = lambda _: False,
    ) -> None:
        self._blobs = blobs
        self._known = known
        self.marked = DigestSet(limit)
        """Everything that is reached, the roots included."""
        self._roots = DigestSet(limit)
        self._lists = DigestSet(limit)
        self._nodes_by_level = [DigestSet(limit) for _ in range(NODE_LEVELS)]
        self._lists_by_level = [DigestSet(limit) for _ in range(LIST_LEVELS)]

    def add(self, roots: Iterable[Root]) -> None:
        """Add manifests, contents and commits; of a commit, only the blob itself."""
        for kind, digest in roots:
            match kind:
                case BlobKind.NODE:
                    self._roots.add(digest)
                case BlobKind.CHUNK_LIST:
                    self._lists.add(digest)
                case BlobKind.CHUNK | BlobKind.COMMIT:
                    self.marked.add(digest)

    def run(self, on_step: Callable[[int], None] = lambda _: None) -> None:
        """Reach everything below the roots.

        Parameters
        ----------
        on_step
            Told how many blobs were read, every few hundred.

        Raises
        ------
        CorruptDataError
            A node or a chunk list cannot be read: what is below it is not known.
        """
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="mark") as pool:
            self._walk(pool, self._roots, self._node, on_step)
            for level in reversed(range(NODE_LEVELS)):
                visit = partial(self._node, level=level)
                self._walk(pool, self._nodes_by_level[level], visit, on_step)
            self._walk(pool, self._lists, self._list, on_step)
            for level in reversed(range(LIST_LEVELS)):
                visit = partial(self._list, level=level)
                self._walk(pool, self._lists_by_level[level], visit, on_step)

    def _walk(
        self,
        pool: ThreadPoolExecutor,
        digests: DigestSet,
        visit: Callable[[bytes], None],
        on_step: Callable[[int], None],
    ) -> None:
        for batch in _batches(one for one in digests if not self._known(one)):
            self._blobs.locate(batch)
            by_place = sorted(batch, key=self._place)
            many = len(batch) >= _WORTH_THREADS
            blobs = pool.map(self._read, by_place) if many else map(self._read, by_place)
            for digest, data in zip(by_place, blobs, strict=True):
                self.marked.add(digest)
                visit(data)
            on_step(len(batch))
        digests.close()

    def _place(self, digest: Digest) -> tuple[str, int]:
        pack, record = self._blobs.place(digest)
        return pack, record.offset

    def _read(self, digest: Digest) -> bytes:
        return self._blobs.get(digest, keep=False)

    def _node(self, data: bytes, level: int | None = None) -> None:
        node = decode_node(data)
        _check_level(node.level, level)
        if node.level:
            below = self._nodes_by_level[node.level - 1]
            below.update(branch.digest for branch in node.branches)
            return
        for item in node.items:
            found = decode_entry(item.value, item.size_bytes).blob
            if found is not None:
                kind, digest = found
                (self.marked if kind is BlobKind.CHUNK else self._lists).add(digest)

    def _list(self, data: bytes, level: int | None = None) -> None:
        found = decode_chunk_list(data)
        _check_level(found.level, level)
        if found.level:
            self._lists_by_level[found.level - 1].update(found.digests)
        else:
            self.marked.update(found.digests)

    def close(self) -> None:
        """Remove the temporary files."""
        for one in (
            self.marked,
            self._roots,
            self._lists,
            *self._nodes_by_level,
            *self._lists_by_level,
        ):
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _check_level(found: int, expected: int | None) -> None:
    """Refuse what is not on the level of its place: what is below it would not be looked at."""
    if expected not in {None, found}:
        raise CorruptDataError(
            f"A node of level {found} is where one of level {expected} should be",
            kind=ErrorKind.CORRUPT_OBJECT,
        )


def _batches(digests: Iterable[Digest]) -> Iterator[list[Digest]]:
    rest = iter(digests)
    while batch := list(islice(rest, _BATCH)):
        yield batch
