"""File contents: cutting a stream into chunks, and reading ranges back from them."""

from __future__ import annotations

import io
import os
import threading
from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Protocol

from jupyter_datalake.engine.blobs import BlobReader, BlobWriter
from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.forking import ThreadPool
from jupyter_datalake.model.chunking import ChunkingParameters, cut_window
from jupyter_datalake.model.chunklists import (
    ChunkList,
    ChunkListBuilder,
    ChunkSpan,
    decode_chunk_list,
    iter_spans,
)
from jupyter_datalake.model.entries import (
    INLINE_LIMIT_BYTES,
    EntryKind,
    FileEntry,
    Layout,
    inline_file,
)
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.packs import BlobKind

WINDOW_BYTES = 8 * 1024 * 1024
"""How much of a stream is read, cut, hashed and compressed together."""

_LOCATE_AHEAD = 256
"""Chunks whose places are looked up together."""

_ahead = ThreadPool(4, "datalake-ahead")

_SMALL_READ_BYTES = 64 * 1024
"""Up to so much, a read fetches less than the chunk if it can."""

_SPANS_KEPT = 65_536
"""Spans remembered per open file: of a file of 16 GiB all, of a larger one those last used."""


class ByteStream(Protocol):
    """What contents are read from: an open file, or anything with `readinto`."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and return how much was read; 0 at the end."""
        ...


def store_stream(
    writer: BlobWriter,
    stream: ByteStream,
    parameters: ChunkingParameters,
    *,
    mode: int,
    mtime_ns: int,
) -> FileEntry:
    """Add a stream's chunks to `writer` and return the entry of the file they make.

    Memory is one window of `WINDOW_BYTES`, whatever the stream's length.
    """
    window = writer.window(max(WINDOW_BYTES, 4 * parameters.max_bytes))
    filled, is_last = _fill(stream, window, 0)
    if is_last and filled <= parameters.min_bytes:
        return store_bytes(writer, bytes(window[:filled]), mode=mode, mtime_ns=mtime_ns)
    builder = ChunkListBuilder(lambda data: writer.add(BlobKind.CHUNK_LIST, data))
    first: Digest | None = None
    count = size_bytes = 0
    while True:
        chunks = cut_window(window[:filled], parameters, is_last=is_last)
        digests = writer.add_many(BlobKind.CHUNK, chunks)
        for digest, chunk in zip(digests, chunks, strict=True):
            builder.add(digest, len(chunk))
        first = first or digests[0]
        count += len(chunks)
        used = sum(map(len, chunks))
        size_bytes += used
        if is_last:
            break
        rest = filled - used
        window[:rest] = window[used:filled]
        filled, is_last = _fill(stream, window, rest)
        if filled == 0:
            break
    if count == 1:
        return FileEntry(EntryKind.FILE, size_bytes, mode, mtime_ns, Layout.CHUNK, first)
    return FileEntry(
        EntryKind.FILE, size_bytes, mode, mtime_ns, Layout.CHUNK_LIST, builder.finish()
    )


def _fill(stream: ByteStream, window: memoryview, start: int) -> tuple[int, bool]:
    """Read until the window is full or the stream ends; return where it ends and which it was."""
    while start < len(window):
        count = stream.readinto(window[start:]) or 0
        if not count:
            return start, True
        start += count
    return start, False


def store_bytes(writer: BlobWriter, data: bytes, *, mode: int, mtime_ns: int) -> FileEntry:
    """Add bytes that are not cut (at most the smallest chunk) and return the file's entry."""
    if len(data) <= INLINE_LIMIT_BYTES:
        return inline_file(data, mode=mode, mtime_ns=mtime_ns)
    digest = writer.add(BlobKind.CHUNK, data)
    return FileEntry(EntryKind.FILE, len(data), mode, mtime_ns, Layout.CHUNK, digest)


class FileContent:
    """The bytes of one file, read by range; only the chunks that cover it are fetched.

    Spans are looked up once and kept, so reading a file from start to end costs one walk of its
    chunk list. Safe to share between threads.
    """

    def __init__(self, blobs: BlobReader, entry: FileEntry) -> None:
        self._blobs = blobs
        self._entry = entry
        self._lock = threading.Lock()
        self._spans: dict[int, ChunkSpan] = {}
        self._starts: list[int] = []
        """Keys of `_spans`, sorted."""

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return self._entry.size_bytes

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from `start`, at most `length`, fewer only at the end.

        Raises
        ------
        CorruptDataError
            A chunk in the range is missing or damaged; other ranges stay readable.
        """
        end = min(start + length, self._entry.size_bytes)
        if start >= end:
            return b""
        if self._entry.layout is Layout.INLINE:
            return self._entry.content[start:end]
        part_of = self._small_part if end - start <= _SMALL_READ_BYTES else self._large_part
        return _joined([part_of(span, start, end) for span in self._covering(start, end)])

    def _large_part(self, span: ChunkSpan, start: int, end: int) -> bytes:
        return _part(self._chunk(span), span, start, end)

    def _small_part(self, span: ChunkSpan, start: int, end: int) -> bytes:
        if self._blobs.cached(span.digest) is None:
            part = self._blobs.part(span.digest, span.size_bytes, *_within(span, start, end))
            if part is not None:
                return part
        chunk = self._chunk(span)
        self._blobs.learn_blocks(span.digest, chunk)
        return _part(chunk, span, start, end)

    def peek(self, start: int, length: int) -> bytes | None:
        """Return what `read` would if all of it is in memory, else None; never waits."""
        end = min(start + length, self._entry.size_bytes)
        if start >= end or self._entry.layout is Layout.INLINE:
            return self._entry.content[start:end] if start < end else b""
        parts: list[bytes] = []
        position = start
        while position < end:
            span = self._known_span(position)
            part = None if span is None else self._part_at_hand(span, start, end)
            if span is None or part is None:
                return None
            parts.append(part)
            position = span.offset + span.size_bytes
        return _joined(parts)

    def _part_at_hand(self, span: ChunkSpan, start: int, end: int) -> bytes | None:
        chunk = self._blobs.cached(span.digest)
        if chunk is not None:
            return _part(chunk, span, start, end) if len(chunk) == span.size_bytes else None
        if end - start > _SMALL_READ_BYTES:
            return None
        return self._blobs.part_at_hand(span.digest, span.size_bytes, *_within(span, start, end))

    def warm(self, start: int, length: int, *, is_next: bool = False) -> None:
        """Bring a range into memory, so that `peek` finds it; raises what `read` would.

        Parameters
        ----------
        is_next
            Whether somebody brings what comes before, with the chunk that lies across `start`.
        """
        end = min(start + length, self._entry.size_bytes)
        if self._entry.layout is not Layout.INLINE and start < end:
            for span in self._covering(start, end):
                if span.offset >= start or not is_next:
                    self._blobs.get(span.digest)

    def iter_chunks(self) -> Iterator[bytes]:
        """Yield the whole content in pieces of at most one chunk.

        While the caller uses what it got, the next `WINDOW_BYTES` are read and verified.
        """
        if self._entry.layout is Layout.INLINE:
            if self._entry.content:
                yield self._entry.content
            return
        windows = self._windows()
        chunks = self._chunks(next(windows, []))
        while chunks:
            following = next(windows, None)
            coming = None if following is None else _ahead.submit(partial(self._chunks, following))
            yield from chunks
            chunks = [] if coming is None else coming.result()

    def _windows(self) -> Iterator[list[ChunkSpan]]:
        """Yield the spans of all chunks, as many together as are worth reading together."""
        window: list[ChunkSpan] = []
        for span in self._covering(0, self._entry.size_bytes):
            window.append(span)
            if span.offset + span.size_bytes - window[0].offset >= WINDOW_BYTES:
                yield window
                window = []
        if window:
            yield window

    def _chunks(self, spans: Sequence[ChunkSpan]) -> list[bytes]:
        chunks = self._blobs.get_many([span.digest for span in spans])
        for span, chunk in zip(spans, chunks, strict=True):
            self._check(span, chunk)
        return chunks

    def iter_spans(self) -> Iterator[ChunkSpan]:
        """Yield which chunks the file is made of; reads its chunk lists and no chunk.

        A file that is held in the manifest itself has none.
        """
        if self._entry.layout is Layout.CHUNK:
            yield ChunkSpan(Digest(self._entry.content), 0, self._entry.size_bytes)
        elif self._entry.layout is Layout.CHUNK_LIST:
            top = Digest(self._entry.content)
            yield from iter_spans(top, self._list, 0, self._entry.size_bytes)

    def _chunk(self, span: ChunkSpan) -> bytes:
        chunk = self._blobs.get(span.digest)
        self._check(span, chunk)
        return chunk

    def _check(self, span: ChunkSpan, chunk: bytes) -> None:
        if len(chunk) != span.size_bytes:
            raise CorruptDataError(
                f"Chunk {span.digest.hex()} has {len(chunk)} bytes where its file needs"
                f" {span.size_bytes}",
                kind=ErrorKind.CORRUPT_OBJECT,
            )

    def _covering(self, start: int, end: int) -> Iterator[ChunkSpan]:
        if self._entry.layout is Layout.CHUNK:
            yield ChunkSpan(Digest(self._entry.content), 0, self._entry.size_bytes)
            return
        while start < end:
            span = self._span_at(start)
            yield span
            start = span.offset + span.size_bytes

    def _known_span(self, position: int) -> ChunkSpan | None:
        """Return the chunk that holds byte `position`, if it was looked up before."""
        if self._entry.layout is Layout.CHUNK:
            return ChunkSpan(Digest(self._entry.content), 0, self._entry.size_bytes)
        with self._lock:
            index = bisect_right(self._starts, position) - 1
            if index < 0:
                return None
            span = self._spans[self._starts[index]]
        return span if position < span.offset + span.size_bytes else None

    def _span_at(self, position: int) -> ChunkSpan:
        """Return the chunk that holds byte `position`, learning a stretch of spans if needed."""
        known = self._known_span(position)
        if known is not None:
            return known
        learned: list[ChunkSpan] = []
        for span in iter_spans(
            Digest(self._entry.content), self._list, position, self._entry.size_bytes
        ):
            learned.append(span)
            if len(learned) == _LOCATE_AHEAD:
                break
        if not learned:
            raise CorruptDataError(
                f"The chunk list {self._entry.content.hex()} is shorter than its file",
                kind=ErrorKind.CORRUPT_OBJECT,
            )
        self._blobs.locate(span.digest for span in learned)
        with self._lock:
            if len(self._starts) > _SPANS_KEPT:
                self._spans.clear()
                self._starts.clear()
            for span in learned:
                if span.offset not in self._spans:
                    self._spans[span.offset] = span
                    insort(self._starts, span.offset)
        return learned[0]

    def _list(self, digest: Digest) -> ChunkList:
        return decode_chunk_list(self._blobs.get(digest))


def _part(chunk: bytes, span: ChunkSpan, start: int, end: int) -> bytes:
    """Return what a chunk has of the bytes from `start` to `end` of its file."""
    begin, stop = _within(span, start, end)
    return chunk if (begin, stop) == (0, len(chunk)) else chunk[begin:stop]


def _within(span: ChunkSpan, start: int, end: int) -> tuple[int, int]:
    """Return the bytes from `start` to `end` of a file, counted from where a chunk begins."""
    return max(start - span.offset, 0), min(end - span.offset, span.size_bytes)


def _joined(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)


class ContentFile(io.RawIOBase):
    """A `FileContent` as a seekable binary file, for pandas, pyarrow and `shutil`."""

    def __init__(self, content: FileContent, name: str) -> None:
        super().__init__()
        self._content = content
        self._position = 0
        self.name = name

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a byte, as `io.IOBase.seek`."""
        bases = {
            os.SEEK_SET: 0,
            os.SEEK_CUR: self._position,
            os.SEEK_END: self._content.size_bytes,
        }
        if whence not in bases:
            raise ValueError(f"unknown whence {whence}")
        base = bases[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the current byte."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        """Fill `buffer` and return how much was read."""
        view = memoryview(buffer).cast("B")
        data = self._content.read(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def open_content(content: FileContent, name: str) -> BinaryIO:
    """Return a buffered binary file over a content."""
    return io.BufferedReader(ContentFile(content, name), buffer_size=1 << 18)
