"""What a writer counts on without having stored it: proof, at commit time, that it is still there.

A writer leaves out blobs that the lake has. gc may find the same blobs to be garbage at that
moment. The writer wins: whatever it makes reachable is checked in the very transaction that makes
it so. Nearly always that is one comparison, of the epoch in which it looked first with the
present one; only when gc took something away in between is every blob looked up again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from jupyter_datalake.metadata.blobs import content_collected
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.ids import DIGEST_SIZE, CommitId, Digest, short_id

_IN_MEMORY_BYTES = 8 * 1024 * 1024
_BATCH = 500


class Reliance:
    """The blobs and commits that one writer counts on; in a temporary file when they are many."""

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._recent = bytearray()
        self._older: IO[bytes] | None = None
        self._commits: set[CommitId] = set()

    def begin(self, tx: Transaction) -> None:
        """Note the epoch, in the transaction of the first look."""
        if self._epoch is None:
            self._epoch = tx.gc.epoch()

    def add(self, digests: Iterable[Digest]) -> None:
        """Count on blobs: found to be stored, or registered by this writer on the way."""
        for digest in digests:
            self._recent += digest
        if len(self._recent) >= _IN_MEMORY_BYTES:
            if self._older is None:
                self._older = tempfile.TemporaryFile(prefix="datalake-")  # noqa: SIM115  # below
            self._older.write(self._recent)
            self._recent.clear()

    def add_commit(self, commit_id: CommitId) -> None:
        """Count on everything that a commit holds."""
        self._commits.add(commit_id)

    def check(self, tx: Transaction) -> bool:
        """Look, in the transaction that makes use of it, whether everything is still there.

        What gc has condemned meanwhile is pardoned, so it stays.

        Returns
        -------
        bool
            Whether gc may have taken anything away since the writer began.

        Raises
        ------
        ConflictError
            Something is gone (``content-collected``).
        """
        if self._epoch is None and not self._commits:
            return False
        epoch = tx.gc.epoch()
        gone = self._commits - tx.commits.get_many(self._commits).keys()
        if gone:
            raise content_collected(f"commit {short_id(min(gone))}")
        if self._epoch in {None, epoch}:
            return False
        for batch in self._batches():
            tx.gc.pardon(batch)
            missing = set(batch) - tx.blobs.known(batch)
            if missing:
                raise content_collected(f"blob {min(missing).hex()}")
        return True

    def close(self) -> None:
        """Remove the temporary file; safe to call twice."""
        if self._older is not None:
            self._older.close()
            self._older = None

    def _batches(self) -> Iterator[list[Digest]]:
        size = DIGEST_SIZE * _BATCH
        if self._older is not None:
            self._older.seek(0)
            while part := self._older.read(size):
                yield _split(part)
            self._older.seek(0, 2)
        for begin in range(0, len(self._recent), size):
            yield _split(self._recent[begin : begin + size])


def _split(joined: bytes | bytearray) -> list[Digest]:
    return [
        Digest(bytes(joined[begin : begin + DIGEST_SIZE]))
        for begin in range(0, len(joined), DIGEST_SIZE)
    ]
