"""Committing what is below a prefix of another object store: in one commit, at constant memory.

Listings come in the order of keys, in which a slash is a character like others; manifests want a
folder's contents together. So what is listed is sorted first, in runs that lie on the disk.
"""

from __future__ import annotations

import heapq
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import msgpack

from jupyter_datalake.engine.commits import CommitRequest, CommitResult, head_of
from jupyter_datalake.engine.content import store_stream
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.importing import IMPORTS, Spool, commit_items
from jupyter_datalake.engine.stat_cache import ObjectStamp, StatCache
from jupyter_datalake.errors import InvalidInputError, NotFoundError
from jupyter_datalake.model.entries import DEFAULT_FILE_MODE
from jupyter_datalake.model.manifests import Cursor
from jupyter_datalake.model.paths import RepoPath, parse_path, path_bytes, path_key
from jupyter_datalake.storage.base import ObjectSource, SourceObject, SourceStream

_RUN = 50_000
"""Objects that are sorted in memory at a time."""
_AHEAD = 12
"""Objects that are on their way at once."""
_AHEAD_BYTES = 32 * 1024 * 1024
_PART_BYTES = 8 * 1024 * 1024
"""What a stream fetches of its object at a time, at most."""

OnObject = Callable[[str, int], None]
"""Told of each object's path and its bytes."""


@dataclass(frozen=True, slots=True)
class ObjectsImport:
    """What became of a prefix."""

    result: CommitResult
    skipped: Sequence[str]
    """What was left out, with the reason."""
    read_count: int
    """Objects that were read; the others are as they were at the last import."""


class _Listed(NamedTuple):
    """An object in the order of its manifest key."""

    path_key: bytes
    item: SourceObject


def import_objects(
    core: LakeCore,
    source: ObjectSource,
    path: RepoPath,
    request: CommitRequest,
    *,
    on_object: OnObject | None = None,
    use_cache: bool = True,
) -> ObjectsImport:
    """Commit every object of a source at `path` of the request's branch.

    Files there that the source has not stay. An object whose ETag, size and time are those of the
    last import, and whose entry the branch still has, is not read again.

    Raises
    ------
    PathNotFoundError
        The source is empty.
    InvalidInputError, AlreadyExistsError
        A file stands where a folder is needed, or a folder where a file is.
    ConflictError
        Somebody else committed other content to the same paths meanwhile.
    StorageError
        The source cannot be read, or changed while it was.
    """
    base = head_of(core, request.repo, request.branch)
    skipped: list[str] = []
    read_count = 0
    prefix = path_key(path) + b"\0" if path else b""
    cache = StatCache(
        core.work_folder / IMPORTS,
        source.url.encode(),
        ObjectStamp,
        core.lake_id,
        enabled=use_cache,
    )
    with core.writer() as writer, Spool(core.work_folder) as spool, cache:
        known = _Known(cache, Cursor(core.nodes, base.root), prefix)
        listed = _sorted(source, core.work_folder, skipped)
        for (key, item), stream, value in _ahead(source, known, listed):
            if stream is None:
                cache.add(key, _stamp(item), value)
            else:
                try:
                    entry = store_stream(
                        writer,
                        stream,
                        core.chunking,
                        mode=DEFAULT_FILE_MODE,
                        mtime_ns=item.modified_ns,
                    )
                except NotFoundError:
                    skipped.append(f"{item.key}: it went away while it was imported")
                    continue
                read_count += 1
                spool.append(prefix + key, entry.encode(), entry.size_bytes)
                cache.add(key, _stamp(item), entry.encode())
            if on_object is not None:
                on_object(item.path, item.size_bytes)
        result = commit_items(core, writer, base, spool, request)
        cache.keep()
    return ObjectsImport(result, skipped, read_count)


class _Known:
    """What the last import remembered, and the branch still holds."""

    def __init__(self, cache: StatCache[ObjectStamp], branch: Cursor, prefix: bytes) -> None:
        self._cache = cache
        self._branch = branch
        self._prefix = prefix

    def value_of(self, one: _Listed) -> bytes:
        """Return the entry of an object that need not be read, else nothing; in order of keys."""
        if not self._cache.has_records:
            return b""
        remembered = self._cache.find(one.path_key)
        if remembered is None or remembered[0] != _stamp(one.item):
            return b""
        # The entry is only as good as the blobs behind it: those of the branch's head are there.
        key = self._prefix + one.path_key
        self._branch.seek(key)
        item = self._branch.peek()
        is_there = item is not None and item.key == key and item.value == remembered[1]
        return remembered[1] if is_there else b""


def _stamp(item: SourceObject) -> ObjectStamp:
    return ObjectStamp(item.size_bytes, item.modified_ns, item.etag)


def _ahead(
    source: ObjectSource, known: _Known, listed: Iterator[_Listed]
) -> Iterator[tuple[_Listed, SourceStream | None, bytes]]:
    """Yield each with its stream, when some of those behind it are on their way already.

    What need not be read has an entry instead.
    """
    waiting: deque[tuple[_Listed, SourceStream | None, bytes]] = deque()
    waiting_bytes = 0
    for one in listed:
        value = known.value_of(one)
        size = 0 if value else min(one.item.size_bytes, _PART_BYTES)
        while waiting and (len(waiting) == _AHEAD or waiting_bytes + size > _AHEAD_BYTES):
            first = waiting.popleft()
            if first[1] is not None:
                waiting_bytes -= min(first[0].item.size_bytes, _PART_BYTES)
            yield first
        waiting.append((one, None if value else source.open(one.item), value))
        waiting_bytes += size
    yield from waiting


# --- the order of manifests ----------------------------------------------------------------------


def _sorted(source: ObjectSource, folder: Path, skipped: list[str]) -> Iterator[_Listed]:
    """Yield what a source has in the order of manifest keys, without what cannot be a file."""
    file: bytes | None = None
    with ExitStack() as stack:
        runs: list[Iterator[_Listed]] = []
        batch: list[_Listed] = []
        for one in _named(source, skipped):
            batch.append(one)
            if len(batch) == _RUN:
                spool = stack.enter_context(tempfile.TemporaryFile(dir=folder))
                runs.append(_run(spool, sorted(batch)))
                batch = []
        for one in heapq.merge(*runs, sorted(batch)):
            if file is not None and (one.path_key == file or one.path_key.startswith(file + b"\0")):
                skipped.append(f"{one.item.key}: another object is a file where this one belongs")
                continue
            file = one.path_key
            yield one


def _named(source: ObjectSource, skipped: list[str]) -> Iterator[_Listed]:
    for item in source.list():
        if item.path.endswith("/") or not item.path:
            continue  # the marker of a folder: it stands for no file
        try:
            path = parse_path(item.path)
            if path_bytes(path) != item.path.encode():
                raise InvalidInputError("holds an empty name between two slashes")
        except InvalidInputError as error:
            skipped.append(f"{item.key}: {error.message}")
            continue
        yield _Listed(path_key(path), item)


def _run(spool: IO[bytes], rows: Sequence[_Listed]) -> Iterator[_Listed]:
    """Put sorted rows onto the disk and return what reads them back."""
    packer = msgpack.Packer(use_bin_type=True)
    for key, item in rows:
        spool.write(packer.pack([key, *item]))
    spool.seek(0)

    def read() -> Iterator[_Listed]:
        for key, *item in msgpack.Unpacker(spool, raw=False):
            yield _Listed(key, SourceObject(*item))

    return read()
