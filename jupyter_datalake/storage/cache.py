"""Copies of what was read from a distant store, on this machine's disk, up to a limit.

Objects are cut into blocks, each a file that begins with its own checksum: a block that a disk
damaged, or that two processes wrote at once, is read anew instead of being wrong for ever. Several
processes may share one folder. Nothing here is needed: the folder may be deleted at any time.

Reading on from where the last read ended fetches what comes next meanwhile, in few large requests.
"""

from __future__ import annotations

import errno
import logging
import mmap
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import xxhash

from jupyter_datalake.file_locks import held
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.storage.base import (
    ObjectInfo,
    ObjectStore,
    ReadsPieces,
    RemoteObjectStore,
    Upload,
)

BLOCK_BYTES = 1 << 20
"""What is fetched at least: a chunk is about a third of it."""

_RUN_BLOCKS = 8
"""Blocks that one request fetches at most."""
_AHEAD_BLOCKS = 24
"""How far behind the reader is fetched, once it reads on and on."""
_STEADY = 4
"""After how many blocks in a row somebody is said to read on."""
_STREAMS = 64
_THREADS = 4
_MEMORY_BLOCKS = 48
_CHECKSUM_BYTES = 16
_ALIGNED_BYTES = 4096
"""What a write past the page cache is a multiple of: the head of a full block takes as much."""
_TOUCH_S = 60.0
"""A block's time of last use is exact to this: noting each use would be a write for each read."""
_KEPT_SHARE = 0.8
"""Of the limit, once it was reached: room for the next blocks."""
_LEFT_BEHIND_S = 3600.0
_LOCK = ".lock"

_log = logging.getLogger(__name__)


class CachedObjectStore:
    """A `RemoteObjectStore` with copies of what was read from it.

    Parameters
    ----------
    inner
        The store itself. What it holds under a name must never change.
    folder
        Where copies are kept; made if missing.
    limit_bytes
        Disk they may take; with 0, only the last few blocks are kept, in memory.
    folders
        What the names of objects that are kept begin with.
    """

    def __init__(
        self,
        inner: RemoteObjectStore,
        folder: Path,
        *,
        limit_bytes: int,
        folders: tuple[str, ...] = ("",),
    ) -> None:
        self._inner = inner
        self._folders = folders
        self._disk = _Disk(folder, limit_bytes) if limit_bytes else None
        self._ends: OrderedDict[str, int] = OrderedDict()
        """Of some objects, the number of blocks: as soon as a block was seen that is not full."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._memory: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._fetching: dict[tuple[str, int], Future[bytes]] = {}
        """Blocks that are on their way, for whoever wants them too."""
        self._streams: OrderedDict[str, _Stream] = OrderedDict()
        renew_after_fork(self, CachedObjectStore._forget_threads)

    # --- the store -------------------------------------------------------------------------------

    @property
    def origin(self) -> ObjectStore:
        """Return the store without the copies."""
        return self._inner

    def upload(self) -> Upload:
        """Begin to write an object; see `ObjectStore.upload`."""
        return self._inner.upload()

    def create(self, name: str, data: bytes) -> bool:
        """Write a small object unless the name is taken; see `ObjectStore.create`."""
        return self._inner.create(name, data)

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return part of an object; see `ObjectStore.read`."""
        if length <= 0 or not name.startswith(self._folders):
            return self._inner.read(name, start, length)
        parts: list[bytes] = []
        position, end = start, start + length
        while position < end:
            block = self._block(name, position // BLOCK_BYTES, end)
            offset = position % BLOCK_BYTES
            part = block[offset : offset + end - position]
            parts.append(part)
            position += len(part)
            if len(block) < BLOCK_BYTES or not part:
                break  # the object ends in this block
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def forget(self, name: str) -> None:
        """Drop this machine's copies of an object; see `RemoteObjectStore.forget`."""
        with self._lock:
            self._ends.pop(name, None)
            for key in [key for key in self._memory if key[0] == name]:
                del self._memory[key]
        if self._disk is not None:
            self._disk.drop_all(name)

    def info(self, name: str) -> ObjectInfo:
        """Return what is known of an object; see `ObjectStore.info`."""
        return self._inner.info(name)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose name begins with `prefix`; see `ObjectStore.list`."""
        return self._inner.list(prefix)

    def delete(self, name: str) -> None:
        """Remove an object and its copies on this machine; see `ObjectStore.delete`."""
        self._inner.delete(name)
        self.forget(name)

    def sweep_uploads(self, *, older_than_s: float) -> int:
        """Remove what uploads left; see `RemoteObjectStore.sweep_uploads`."""
        return self._inner.sweep_uploads(older_than_s=older_than_s)

    def close(self) -> None:
        """Close the store behind; the copies stay for the next time."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._memory.clear()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        self._inner.close()

    # --- blocks ----------------------------------------------------------------------------------

    def _block(self, name: str, index: int, end: int) -> bytes:
        """Return a block; shorter than others, or empty, where the object ends."""
        key = (name, index)
        with self._lock:
            ahead = self._note(name, index)
            block = self._memory.get(key)
            if block is not None:
                self._memory.move_to_end(key)
            coming = self._fetching.get(key)
        if ahead:
            self._fetch_ahead(name, ahead)
        if block is not None:
            return block
        if coming is not None and not coming.cancelled():
            with suppress(Exception):  # whoever fetches it fails; we may not
                return coming.result()
        if self._disk is not None:
            block = self._disk.read(name, index)
        if block is None:
            wanted = min((end - 1) // BLOCK_BYTES - index + 1, _RUN_BLOCKS)
            block = self._fetch(name, index, wanted)
        self._remember(key, block)
        return block

    def _note(self, name: str, index: int) -> range:
        """Note which block is read, and return which ones will be: none unless it reads on."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream(index)
            if len(self._streams) > _STREAMS:
                self._streams.popitem(last=False)
            return range(0)
        self._streams.move_to_end(name)
        return stream.next(index)

    def _fetch(self, name: str, index: int, count: int) -> bytes:
        """Fetch blocks in one request, keep them, and return the first."""
        blocks = self._read_blocks(name, index, count)
        for number, block in enumerate(blocks):
            if self._disk is not None:
                self._disk.write(name, index + number, block)
            self._remember((name, index + number), block)
        return blocks[0] if blocks else b""

    def _read_blocks(self, name: str, index: int, count: int) -> Sequence[bytes]:
        """Return blocks as the store has them: fewer, and a short last one, where it ends."""
        start, length = index * BLOCK_BYTES, count * BLOCK_BYTES
        if isinstance(self._inner, ReadsPieces):
            blocks = _as_blocks(self._inner.read_pieces(name, start, length))
        else:
            blocks = _as_blocks([self._inner.read(name, start, length)])
        self._note_end(name, index, sum(map(len, blocks)), count)
        return blocks

    def _remember(self, key: tuple[str, int], block: bytes) -> None:
        with self._lock:
            self._memory[key] = block
            self._memory.move_to_end(key)
            while len(self._memory) > _MEMORY_BLOCKS:
                self._memory.popitem(last=False)

    def _note_end(self, name: str, index: int, got: int, count: int) -> None:
        """Note where an object ends, if an answer of `count` blocks says so."""
        if got < count * BLOCK_BYTES:
            with self._lock:
                self._ends[name] = index + -(-got // BLOCK_BYTES)
                while len(self._ends) > _STREAMS:
                    self._ends.popitem(last=False)

    def _fetch_ahead(self, name: str, indexes: range) -> None:
        """Begin to fetch what will be read, in requests of several blocks."""
        end = min(self._ends.get(name, indexes.stop), indexes.stop)
        missing = [
            index
            for index in range(indexes.start, end)
            if self._disk is None or not self._disk.holds(name, index)
        ]
        for run in _runs(missing):
            waiting = {index: Future[bytes]() for index in run}
            with self._lock:
                if any((name, index) in self._fetching for index in run):
                    continue
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="read-ahead")
                pool = self._pool
                self._fetching.update({(name, index): waiting[index] for index in run})
            pool.submit(self._fetch_run, name, run, waiting)

    def _fetch_run(self, name: str, run: range, waiting: dict[int, Future[bytes]]) -> None:
        try:
            blocks = self._read_blocks(name, run.start, len(run))
            for number, index in enumerate(run):
                block = blocks[number] if number < len(blocks) else b""
                self._remember((name, index), block)
                waiting[index].set_result(block)
            if self._disk is not None:  # the reader is not kept waiting for the disk
                for number, block in enumerate(blocks):
                    self._disk.write(name, run.start + number, block)
        except BaseException as error:  # noqa: BLE001  # told to whoever waits, and no one else
            for future in waiting.values():
                if not future.done():
                    future.set_exception(error)
        finally:
            with self._lock:
                for index in run:
                    self._fetching.pop((name, index), None)

    def _forget_threads(self) -> None:
        self._lock = threading.Lock()
        self._pool = None
        self._fetching = {}
        if self._disk is not None:
            self._disk.renew()


class _Stream:
    """Where one object is being read, and how far ahead of that it was asked for."""

    __slots__ = ("_asked", "_last", "_steps")

    def __init__(self, index: int) -> None:
        self._last = index
        self._steps = 0
        self._asked = index

    def next(self, index: int) -> range:
        """Note the block that is read now and return those to be fetched ahead of it."""
        if index == self._last:
            return range(0)
        if index != self._last + 1:
            self._last, self._steps, self._asked = index, 0, index
            return range(0)
        self._last = index
        self._steps += 1
        begin = max(self._asked, index) + 1
        end = index + _AHEAD_BLOCKS + 1
        if self._steps < _STEADY or end - begin < _RUN_BLOCKS:
            return range(0)
        self._asked = end - 1
        return range(begin, end)


def _runs(indexes: list[int]) -> Iterator[range]:
    """Yield numbers that follow each other as ranges of at most `_RUN_BLOCKS`."""
    begin = 0
    for place in range(1, len(indexes) + 1):
        is_end = place == len(indexes) or indexes[place] != indexes[place - 1] + 1
        if is_end or place - begin == _RUN_BLOCKS:
            yield range(indexes[begin], indexes[place - 1] + 1)
            begin = place


@dataclass(frozen=True, slots=True)
class _Kept:
    path: str
    size_bytes: int
    used_at: float


class _Disk:
    """Blocks as files; the least recently used are removed when there are too many."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._is_usable = True
        self._is_direct = hasattr(os, "O_DIRECT")
        """Whether the file system is thought to take writes past the page cache."""
        self._local = threading.local()
        self._held_bytes: int | None = None
        """About what is there: looked up now and then, since other processes write too."""
        self._fresh_bytes = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            self._give_up(error)

    def renew(self) -> None:
        self._lock = threading.Lock()

    def holds(self, name: str, index: int) -> bool:
        return self._is_usable and os.path.exists(self._path(name, index))

    def read(self, name: str, index: int) -> bytes | None:
        """Return a block, or None where there is none that is whole."""
        path = self._path(name, index)
        try:
            with open(path, "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                # Not more than a block can have, whatever the file has grown to.
                data = os.read(file.fileno(), _ALIGNED_BYTES + BLOCK_BYTES)
        except OSError:
            return None
        is_full = len(data) == _ALIGNED_BYTES + BLOCK_BYTES
        block = data[_ALIGNED_BYTES if is_full else _CHECKSUM_BYTES :]
        if data[:_CHECKSUM_BYTES] != _checksum(name, index, block):
            self.drop(name, index)
            return None
        if time.time() - status.st_mtime > _TOUCH_S:
            with suppress(OSError):  # it has been removed meanwhile
                os.utime(path)
        return block

    def write(self, name: str, index: int, block: bytes) -> None:
        if not self._is_usable:
            return
        path = self._path(name, index)
        temporary = f"{path}.{os.getpid()}-{secrets.token_hex(6)}"
        try:
            try:
                self._write(temporary, name, index, block)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                self._write(temporary, name, index, block)
            os.rename(temporary, path)
            self._count(_head_bytes(block) + len(block))
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary)
            self._give_up(error)

    def _write(self, path: str, name: str, index: int, block: bytes) -> None:
        """Write a new file, a full block past the page cache where the file system allows it.

        Through the page cache it would cost more than to fetch it from a server nearby.
        """
        checksum = _checksum(name, index, block)
        if len(block) == BLOCK_BYTES and self._is_direct:
            try:
                self._write_direct(path, checksum, block)
                return
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._is_direct = False
                with suppress(FileNotFoundError):
                    os.unlink(path)
        with open(path, "xb", opener=_private) as file:
            file.write(checksum.ljust(_head_bytes(block), b"\0"))
            file.write(block)

    def _write_direct(self, path: str, checksum: bytes, block: bytes) -> None:
        buffer: mmap.mmap | None = getattr(self._local, "buffer", None)
        if buffer is None:  # page-aligned, as direct writes must be; one for each thread
            buffer = self._local.buffer = mmap.mmap(-1, _ALIGNED_BYTES + BLOCK_BYTES)
        buffer[:_CHECKSUM_BYTES] = checksum
        buffer[_ALIGNED_BYTES:] = block
        descriptor = os.open(path, _CREATING | os.O_DIRECT, 0o600)
        try:
            if os.write(descriptor, buffer) != len(buffer):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)

    def drop(self, name: str, index: int) -> None:
        with suppress(OSError):
            os.unlink(self._path(name, index))

    def drop_all(self, name: str) -> None:
        folder, begin = os.path.split(self._path(name, 0)[: -len("0")])
        with suppress(OSError):
            for one in os.scandir(folder):
                if one.name.startswith(begin):
                    os.unlink(one.path)

    def _path(self, name: str, index: int) -> str:
        digest = xxhash.xxh3_128_hexdigest(name.encode())
        return os.path.join(self._folder, digest[:2], f"{digest}-{index}")

    def _give_up(self, error: OSError) -> None:
        """Go on without copies; a cache that cannot be written must not fail a read."""
        if self._is_usable:
            self._is_usable = False
            _log.warning("No copies are kept in %s: %s", self._folder, error.strerror)

    def _count(self, size: int) -> None:
        """Count what was written, and make room when it becomes too much."""
        with self._lock:
            self._fresh_bytes += size
            if self._held_bytes is not None:
                self._held_bytes += size
            # Others write too, so what is there is looked up again after some of our own writes.
            is_known = self._held_bytes is not None and self._fresh_bytes < self._limit_bytes // 8
            if is_known and (self._held_bytes or 0) <= self._limit_bytes:
                return
            self._fresh_bytes = 0
            with held(self._folder / _LOCK) as is_ours:  # nobody else makes room at this moment
                if is_ours:
                    self._held_bytes = self._make_room()

    def _make_room(self) -> int:
        """Remove what was not used for longest, if there is too much; return what stays."""
        kept = list(self._scan())
        held = sum(one.size_bytes for one in kept)
        if held <= self._limit_bytes:
            return held
        kept.sort(key=lambda one: one.used_at)
        for one in kept:
            if held <= self._limit_bytes * _KEPT_SHARE:
                break
            with suppress(OSError):
                os.unlink(one.path)
            held -= one.size_bytes
        return held

    def _scan(self) -> Iterator[_Kept]:
        limit = time.time() - _LEFT_BEHIND_S
        for place, _, files in os.walk(self._folder):
            for file in files:
                path = os.path.join(place, file)
                with suppress(OSError):  # removed meanwhile
                    status = os.stat(path)
                    if "." not in file:
                        yield _Kept(path, status.st_size, status.st_mtime)
                    elif file != _LOCK and status.st_mtime < limit:
                        os.unlink(path)  # of a process that died


def _as_blocks(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """Return bytes cut into blocks; as they are where they came so, which spares copies."""
    if all(len(piece) == BLOCK_BYTES for piece in pieces[:-1]) and (
        not pieces or 0 < len(pieces[-1]) <= BLOCK_BYTES
    ):
        return pieces
    view = memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))
    return [bytes(view[at : at + BLOCK_BYTES]) for at in range(0, len(view), BLOCK_BYTES)]


def _checksum(name: str, index: int, block: bytes) -> bytes:
    state = xxhash.xxh3_128(f"{index}/{name}".encode())
    state.update(block)
    return state.digest()


def _head_bytes(block: bytes) -> int:
    """Return how much of its file is before a block."""
    return _ALIGNED_BYTES if len(block) == BLOCK_BYTES else _CHECKSUM_BYTES


_CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
