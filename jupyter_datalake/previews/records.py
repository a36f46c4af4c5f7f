"""Records of large files by number: lines, and rows of CSV whose cells may hold line ends.

Where every 1024th record begins is remembered by the content's digest, so that a page in the
middle costs what it shows once somebody has been there. Memory is a block, a page, and eight
bytes for each 1024 records.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from jupyter_datalake.errors import ErrorKind, StateError

STRIDE = 1024
MAX_RECORD_BYTES = 256 * 1024
"""What is behind it in one record is left out."""
MAX_PAGE_BYTES = 4 * 1024 * 1024
COUNTED_BYTES = 64 * 1024 * 1024
"""Smaller files are counted to their end at once."""

_BLOCK_BYTES = 1 << 20
_KEPT = 64
_NEWLINE, _QUOTE = ord("\n"), ord('"')

Stop = Callable[[], bool]
"""Tells whether nobody waits any more."""


@dataclass(slots=True)
class _State:
    """Where a scan is between two blocks."""

    in_quotes: bool = False
    before: int = _NEWLINE


@dataclass(slots=True)
class _Index:
    """How far a content was looked through, and what was found."""

    quoted: bool
    delimiter: int
    starts: list[int] = field(default_factory=lambda: [0])
    """Where record 0, 1024, 2048, … begins."""
    records: int = 0
    """Line ends seen."""
    position: int = 0
    state: _State = field(default_factory=_State)
    is_whole: bool = False
    ends_open: bool = False
    """Whether bytes follow the last line end."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def total(self) -> int | None:
        """Return how many records there are, if that is known."""
        return self.records + self.ends_open if self.is_whole else None


@dataclass(frozen=True, slots=True)
class Records:
    """Some records in a row."""

    records: tuple[bytes, ...]
    """Without their line ends."""
    is_cut: bool
    has_more: bool
    total: int | None
    estimated_total: int | None


class RecordReader:
    """The records of one content.

    Parameters
    ----------
    open_file
        Opens the bytes, from the beginning each time. Where they cannot be sought in, every page
        reads what comes before it.
    size_bytes
        How many bytes there are; None where that is not known before they are read.
    digest
        What the index is remembered by.
    delimiter
        Of a CSV file, whose line ends in quotes do not count; empty for a text.
    """

    def __init__(
        self,
        open_file: Callable[[], BinaryIO],
        size_bytes: int | None,
        *,
        digest: bytes,
        delimiter: str = "",
    ) -> None:
        self._open = open_file
        self._size_bytes = size_bytes
        self._index = _index_of(digest, delimiter)

    def read(self, offset: int, limit: int, stop: Stop) -> Records:
        """Return records from a number on: fewer than `limit` if they are large.

        Raises
        ------
        StateError
            Nobody waits any more.
        """
        index = self._index
        if not index.is_whole:
            with index.lock, self._open() as file:
                self._extend(file, offset, stop)
        with self._open() as file:
            total = index.total()
            if total is not None and offset >= total:
                return Records((), is_cut=False, has_more=False, total=total, estimated_total=None)
            start = index.starts[offset // STRIDE]
            _skip_to(file, start, stop)
            found, is_cut, has_more = self._collect(file, offset % STRIDE, limit, stop)
        total = index.total()
        return Records(
            records=tuple(found),
            is_cut=is_cut,
            has_more=has_more,
            total=total,
            estimated_total=None if total is not None else self._estimate(),
        )

    def _estimate(self) -> int | None:
        index = self._index
        if self._size_bytes is None or not index.position:
            return None
        return max(1, index.records) * self._size_bytes // index.position

    def _extend(self, file: BinaryIO, offset: int, stop: Stop) -> None:
        """Look on, as far as the record `offset`, or to the end of what is small."""
        index = self._index
        wanted = offset // STRIDE
        is_small = self._size_bytes is not None and self._size_bytes <= COUNTED_BYTES
        if index.is_whole or (len(index.starts) > wanted and index.position and not is_small):
            return
        _skip_to(file, index.position, stop)
        for block, is_last in _blocks(file, stop):
            ends = _ends(block, index.state, index)
            # The number of records before the first start that is remembered is a multiple.
            first = -(index.records + 1) % STRIDE
            index.starts.extend(int(end) + 1 + index.position for end in ends[first::STRIDE])
            index.records += len(ends)
            index.position += len(block)
            index.is_whole = is_last
            if is_last:
                index.ends_open = index.state.before != _NEWLINE or index.state.in_quotes
                index.ends_open = index.ends_open and index.position > 0
            elif len(index.starts) > wanted and not is_small:
                return

    def _collect(
        self, file: BinaryIO, skipped: int, limit: int, stop: Stop
    ) -> tuple[list[bytes], bool, bool]:
        """Return records, whether one is cut, and whether there are more."""
        index, state = self._index, _State()
        found: list[bytes] = []
        begun = bytearray()
        is_open = is_cut = False
        size = 0
        for block, is_last in _blocks(file, stop):
            position = 0
            ends = [int(one) for one in _ends(block, state, index)]
            if skipped:
                here = min(skipped, len(ends))
                skipped -= here
                position = ends[here - 1] + 1 if here else 0
                ends = ends[here:]
                if skipped:
                    continue
            for end in [*ends, None]:
                piece = memoryview(block)[position : len(block) if end is None else end]
                room = MAX_RECORD_BYTES - len(begun)
                is_cut |= len(piece) > room
                begun += piece[:room]
                is_open = end is None and (is_open or len(piece) > 0)
                if end is None:
                    break
                if len(found) >= limit or size > MAX_PAGE_BYTES:
                    return found, is_cut, True
                size += len(begun)
                found.append(bytes(begun))
                begun.clear()
                position = end + 1
            if len(found) >= limit and is_open:
                return found, is_cut, True
            if is_last and is_open:
                if size > MAX_PAGE_BYTES:
                    return found, is_cut, True
                found.append(bytes(begun))
        return found, is_cut, False


_indexes: OrderedDict[tuple[bytes, str], _Index] = OrderedDict()
_indexes_lock = threading.Lock()


def _index_of(digest: bytes, delimiter: str) -> _Index:
    """Return what is known of a content; those that were not asked for lately are forgotten."""
    key = (digest, delimiter)
    with _indexes_lock:
        index = _indexes.pop(key, None)
        if index is None:
            index = _Index(quoted=bool(delimiter), delimiter=ord(delimiter or ","))
        _indexes[key] = index
        while len(_indexes) > _KEPT:
            _indexes.popitem(last=False)
    return index


def _blocks(file: BinaryIO, stop: Stop) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks, and whether each is the last; all but that are followed by more bytes."""
    block = file.read(_BLOCK_BYTES)
    while True:
        _check(stop)
        following = file.read(_BLOCK_BYTES)
        yield block, not following
        if not following:
            return
        block = following


def _ends(block: bytes, state: _State, index: _Index) -> np.ndarray:
    """Return where records end in a block, which goes on from `state`."""
    data = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(data == _NEWLINE)
    if index.quoted and len(data):
        quotes = _quotes(data, state.before, index.delimiter)
        inside = (np.searchsorted(quotes, ends) + state.in_quotes) % 2
        ends = ends[inside == 0]
        state.in_quotes ^= bool(len(quotes) % 2)
    if len(data):
        state.before = int(data[-1])
    return ends


def _quotes(data: np.ndarray, before: int, delimiter: int) -> np.ndarray:
    """Return where quotes are that open or close a cell: one amid ordinary text is text."""
    quotes = np.flatnonzero(data == _QUOTE)
    near = np.array([delimiter, _NEWLINE, ord("\r"), _QUOTE], dtype=np.uint8)
    # What follows the block is not known: its last byte counts as one that closes.
    left = np.where(quotes > 0, data[quotes - 1], before)
    right = np.where(quotes + 1 < len(data), data[(quotes + 1) % len(data)], _NEWLINE)
    return quotes[np.isin(left, near) | np.isin(right, near)]


def _skip_to(file: BinaryIO, position: int, stop: Stop) -> None:
    """Go to a position, by reading where a file cannot be sought in."""
    if file.seekable():
        file.seek(position)
        return
    while position > 0:
        _check(stop)
        piece = file.read(min(_BLOCK_BYTES, position))
        if not piece:
            return
        position -= len(piece)


def _check(stop: Stop) -> None:
    if stop():
        raise StateError("Looking at the file was stopped", kind=ErrorKind.WRONG_STATE)
