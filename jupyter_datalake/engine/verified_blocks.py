"""Hashes of the blocks of blobs that were verified as a whole, so that parts can be read alone.

A blob's digest says nothing of a part of it: who reads 4 KiB of a chunk has to read and hash all of
it. Once that was done, the hashes of its blocks are known as well, and the next small read of the
chunk needs the block that it is about.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from blake3 import blake3

from jupyter_datalake.forking import renew_lock_after_fork
from jupyter_datalake.model.ids import Digest

BLOCK_BYTES = 16 * 1024
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class BlobBlocks:
    """The hashes of one blob's blocks, in order."""

    size_bytes: int
    hashes: bytes

    def around(self, start: int, stop: int) -> tuple[int, int]:
        """Return the whole blocks that cover some bytes, as where they begin and end."""
        last = -(-stop // BLOCK_BYTES) * BLOCK_BYTES
        return start // BLOCK_BYTES * BLOCK_BYTES, min(last, self.size_bytes)

    def are_in(self, data: bytes, start: int, stop: int) -> bool:
        """Tell whether `data` is what the blob has from `start` to `stop`, as `around` says it."""
        first = start // BLOCK_BYTES * _HASH_BYTES
        found = hashes_of(data)
        return len(data) == stop - start and self.hashes[first : first + len(found)] == found


def hashes_of(data: bytes) -> bytes:
    """Return the hashes of the blocks of some bytes, one behind the other."""
    view = memoryview(data)
    return b"".join(
        blake3(view[start : start + BLOCK_BYTES]).digest(_HASH_BYTES)
        for start in range(0, len(data), BLOCK_BYTES)
    )


class VerifiedBlocks:
    """The hashes of the blocks of the blobs that were read in parts last. Thread-safe.

    Parameters
    ----------
    count
        Of how many blobs; about 600 bytes each.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._blobs: OrderedDict[Digest, BlobBlocks] = OrderedDict()
        renew_lock_after_fork(self)

    def find(self, digest: Digest) -> BlobBlocks | None:
        """Return what is known of a blob, or None."""
        with self._lock:
            blocks = self._blobs.get(digest)
            if blocks is not None:
                self._blobs.move_to_end(digest)
            return blocks

    def learn(self, digest: Digest, blob: bytes) -> None:
        """Remember a blob that was verified against its digest."""
        blocks = BlobBlocks(len(blob), hashes_of(blob))
        with self._lock:
            self._blobs[digest] = blocks
            while len(self._blobs) > self._count:
                self._blobs.popitem(last=False)
