"""Chunk lists: which chunks a large file is made of, and which of them cover a byte range.

A list is a blob of its own, named by digest. Long lists are trees: a level-0 list holds chunks,
a level-n list holds lists. Lists end where a chunk's digest says so, so an edit in a large file
rewrites one list and the ones above it. Byte layout: docs/format.md, section "Chunk list".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.encoding import pack_canonical, unpack_canonical
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest

MAX_LEVELS = 16
"""No list is as high; one that claims more is damage or an attack."""

LIST_TARGET = 512
LIST_MAX = 2048


@dataclass(frozen=True, slots=True)
class ChunkList:
    """Consecutive pieces of a file: chunks (level 0) or lower lists (level above 0)."""

    level: int
    sizes: tuple[int, ...]
    digests: tuple[Digest, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of the file that this list covers."""
        return sum(self.sizes)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return pack_canonical([self.level, list(self.sizes), b"".join(self.digests)])


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """One chunk and where it stands in the file."""

    digest: Digest
    offset: int
    size_bytes: int


def decode_chunk_list(data: bytes | memoryview) -> ChunkList:
    """Return the chunk list of canonical bytes, or raise `CorruptDataError`."""
    try:
        level, sizes, joined = unpack_canonical(data, "a chunk list")
        if (
            type(level) is not int
            or not 0 <= level < MAX_LEVELS
            or type(joined) is not bytes
            or set(map(type, sizes)) != {int}
        ):
            raise ValueError("a part of another type, or an empty list")
        digests = tuple(
            Digest(joined[i : i + DIGEST_SIZE]) for i in range(0, len(joined), DIGEST_SIZE)
        )
        if len(joined) != len(sizes) * DIGEST_SIZE or min(sizes) < 1:
            raise ValueError("sizes and digests do not match")
        return ChunkList(level, tuple(sizes), digests)
    except (ValueError, TypeError) as error:
        raise CorruptDataError(
            "A chunk list has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


class ChunkListBuilder:
    """Collects the chunks of one file in order; `finish` returns what its entry refers to.

    Parameters
    ----------
    save
        Stores a list's bytes and returns their digest.
    """

    def __init__(self, save: Callable[[bytes], Digest]) -> None:
        self._save = save
        self._levels: list[tuple[list[int], list[Digest]]] = []

    def add(self, digest: Digest, size_bytes: int) -> None:
        """Append the next chunk."""
        self._add(0, digest, size_bytes)

    def _add(self, level: int, digest: Digest, size_bytes: int) -> None:
        if level == len(self._levels):
            self._levels.append(([], []))
        sizes, digests = self._levels[level]
        sizes.append(size_bytes)
        digests.append(digest)
        ends_here = int.from_bytes(digest[:4], "big") % LIST_TARGET == 0
        if len(sizes) >= LIST_MAX or (ends_here and len(sizes) > 1):
            self._close(level)

    def _close(self, level: int) -> None:
        sizes, digests = self._levels[level]
        closed = ChunkList(level, tuple(sizes), tuple(digests))
        self._levels[level] = ([], [])
        self._add(level + 1, self._save(closed.encode()), closed.size_bytes)

    def finish(self) -> Digest:
        """Save what is open and return the digest of the top list; the file is not empty."""
        level = 0
        while True:
            sizes, digests = self._levels[level]
            is_top = level == len(self._levels) - 1
            if is_top and level > 0 and len(sizes) == 1:
                return digests[0]
            if sizes:
                self._close(level)
            level += 1


def iter_spans(
    digest: Digest, load: Callable[[Digest], ChunkList], start: int, end: int
) -> Iterator[ChunkSpan]:
    """Yield the chunks that cover the bytes `start` to `end` of a file, in order.

    Parameters
    ----------
    digest
        The file's top chunk list.
    load
        Returns a decoded list; only the lists on the way are asked for.
    start, end
        Half-open byte range within the file.

    Raises
    ------
    CorruptDataError
        A list does not cover what the list above it says it does.
    """
    yield from _spans(load(digest), load, start, end, 0)


def _spans(
    node: ChunkList, load: Callable[[Digest], ChunkList], start: int, end: int, offset: int
) -> Iterator[ChunkSpan]:
    ends = list(accumulate(node.sizes))
    position = bisect_right(ends, start - offset)
    while position < len(ends):
        piece_offset = offset + ends[position] - node.sizes[position]
        if piece_offset >= end:
            return
        if node.level == 0:
            yield ChunkSpan(node.digests[position], piece_offset, node.sizes[position])
        else:
            piece = load(node.digests[position])
            if piece.level != node.level - 1 or piece.size_bytes != node.sizes[position]:
                raise CorruptDataError(
                    f"The chunk list {node.digests[position].hex()} does not fit the one above it",
                    kind=ErrorKind.CORRUPT_OBJECT,
                )
            yield from _spans(piece, load, start, end, piece_offset)
        position += 1
