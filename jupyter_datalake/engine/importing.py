"""Committing a whole local folder: read once, in the order of the manifest, at constant memory.

The folder is walked in the order of manifest keys, so entries come out sorted and go straight
into the new tree. What is to be changed is spooled, because the branch may move before the commit
and the changes are then made again, onto the new head. No session takes part: until the commit
nothing is there but packs that nobody names, which a crash leaves to gc.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import msgpack

from jupyter_datalake.engine.blobs import BATCH_BYTES, BATCH_COUNT, BlobWriter
from jupyter_datalake.engine.commits import (
    CommitRequest,
    CommitResult,
    commit_tree,
    head_of,
    paths_conflict,
)
from jupyter_datalake.engine.content import store_stream
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.ignoring import IGNORE_NAME, IgnoreRules
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.sources import Source, store_source
from jupyter_datalake.engine.stat_cache import FileStamp, StatCache
from jupyter_datalake.engine.writing import on_head
from jupyter_datalake.errors import (
    AlreadyExistsError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
    StorageError,
)
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.entries import (
    INLINE_LIMIT_BYTES,
    EntryKind,
    FileEntry,
    Layout,
    decode_entry,
    empty_folder,
    inline_file,
    kind_of,
    symlink,
)
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import (
    Cursor,
    Edit,
    Item,
    NodeSource,
    diff_manifests,
    edit_manifest,
)
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import ROOT, RepoPath, path_from_key, path_key

OnFile = Callable[[Path, int], None]
"""Told of each file and its bytes."""

IMPORTS = "imports"
"""Folder of working files: what was imported, and what it was then."""

_IN_MEMORY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a folder."""

    result: CommitResult
    skipped: Sequence[str]
    """What was left out, with the reason."""
    read_count: int
    """Files that were read; the others are as they were at the last import."""


class Found(NamedTuple):
    """Something of the local folder, in the order of its key."""

    place: bytes
    """Its path on this machine."""
    key: bytes
    """Its manifest key relative to the folder."""
    kind: EntryKind


def import_folder(
    core: LakeCore,
    folder: Path,
    path: RepoPath,
    request: CommitRequest,
    *,
    on_file: OnFile | None = None,
    use_cache: bool = True,
    ignore: bool = True,
) -> ImportResult:
    """Commit everything below a local folder at `path` of the request's branch.

    Files there that the folder has not stay. Memory is bounded by a few windows and the names of
    the largest single folder. A file whose size, times and inode are those of the last import,
    and whose entry the branch still has, is not opened again.

    Parameters
    ----------
    ignore
        Whether the files ``.datalakeignore`` say what is left out.

    Raises
    ------
    PathNotFoundError
        There is no such local folder.
    InvalidInputError, AlreadyExistsError
        A file stands where a folder is needed, or a folder where a file is.
    ConflictError
        Somebody else committed other content to the same paths meanwhile.
    """
    if not folder.is_dir():
        raise PathNotFoundError(
            f"There is no local folder {str(folder)!r}",
            hint="Give a folder that can be read",
            path=str(folder),
        )
    base = head_of(core, request.repo, request.branch)
    skipped: list[str] = []
    prefix = path_key(path) + b"\0" if path else b""
    with core.writer() as writer, Spool(core.work_folder) as spool:
        cache = StatCache(
            core.work_folder / IMPORTS,
            os.fsencode(folder.resolve()),
            FileStamp,
            core.lake_id,
            enabled=use_cache,
        )
        with cache:
            reading = _Reading(core, writer, cache, Cursor(core.nodes, base.root), prefix, skipped)
            found = _walk(os.fsencode(folder), skipped, ignore=ignore)
            for place, key, value, size_bytes in reading.entries(found):
                if value is not None:
                    spool.append(prefix + key, value, size_bytes)
                if on_file is not None:
                    on_file(Path(os.fsdecode(place)), size_bytes)
            result = commit_items(core, writer, base, spool, request)
            cache.keep()
    return ImportResult(result, skipped, reading.read_count)


# --- the local folder ----------------------------------------------------------------------------


def _walk(folder: bytes, skipped: list[str], *, ignore: bool) -> Iterator[Found]:
    """Yield files, symlinks and empty folders below `folder`, in the order of their keys.

    A folder's names are sorted as bytes, and what is in a folder follows it before its next
    sibling: that is the order of keys, in which NUL stands for the slash.
    """
    names = _names(folder, skipped)
    rules = _rules_inside(IgnoreRules(), folder, b"", names) if ignore else IgnoreRules()
    waiting = [(folder, b"", rules, iter(_kept(names, b"", rules)))]
    while waiting:
        place, prefix, rules, remaining = waiting[-1]
        step = next(remaining, None)
        if step is None:
            waiting.pop()
            continue
        name, kind = step
        below, key = place + b"/" + name, prefix + name
        if kind is not EntryKind.FOLDER:
            yield Found(below, key, kind)
            continue
        inside = _names(below, skipped)
        if inside is _UNREADABLE:
            continue
        if inside:
            inner = _rules_inside(rules, below, key, inside) if ignore else rules
            # A folder of which nothing is taken is not empty, so it is not taken as one.
            waiting.append((below, key + b"\0", inner, iter(_kept(inside, key + b"\0", inner))))
        else:
            yield Found(below, key, kind)


def _rules_inside(
    rules: IgnoreRules, place: bytes, key: bytes, names: Sequence[tuple[bytes, EntryKind]]
) -> IgnoreRules:
    if (IGNORE_NAME, EntryKind.FILE) not in names:
        return rules
    return rules.inside(place, _path_of(key), [IGNORE_NAME])


def _kept(
    names: list[tuple[bytes, EntryKind]], prefix: bytes, rules: IgnoreRules
) -> list[tuple[bytes, EntryKind]]:
    """Return the names that the rules leave."""
    if not rules.specs:
        return names
    folder = _path_of(prefix)
    return [
        (name, kind)
        for name, kind in names
        if rules.takes(folder + os.fsdecode(name), is_folder=kind is EntryKind.FOLDER)
    ]


def _path_of(key: bytes) -> str:
    return os.fsdecode(key.replace(b"\0", b"/"))


_UNREADABLE: list[tuple[bytes, EntryKind]] = []


def _names(folder: bytes, skipped: list[str]) -> list[tuple[bytes, EntryKind]]:
    """Return the sorted names in a folder with their kinds; `_UNREADABLE` if it is."""
    found: list[tuple[bytes, EntryKind]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    found.append((entry.name, EntryKind.FILE))
                elif entry.is_dir(follow_symlinks=False):
                    found.append((entry.name, EntryKind.FOLDER))
                elif entry.is_symlink():
                    found.append((entry.name, EntryKind.SYMLINK))
                else:
                    skipped.append(
                        f"{os.fsdecode(entry.path)}: neither a file, a folder nor a symlink"
                    )
    except OSError as error:
        skipped.append(f"{os.fsdecode(folder)}: {error.strerror}")
        return _UNREADABLE
    found.sort()
    return found


# --- reading it ----------------------------------------------------------------------------------


class _Taken(NamedTuple):
    """Something of the local folder as it goes into the tree."""

    place: bytes
    key: bytes
    value: bytes | None
    """Its entry, encoded; None where it is as it was."""
    size_bytes: int


class _Reading:
    """Turns what was found into entries, small files by the batch."""

    def __init__(
        self,
        core: LakeCore,
        writer: BlobWriter,
        cache: StatCache[FileStamp],
        known: Cursor,
        prefix: bytes,
        skipped: list[str],
    ) -> None:
        self._core = core
        self._writer = writer
        self._cache = cache
        self._known = known
        self._prefix = prefix
        self._skipped = skipped
        self._small_bytes = core.chunking.min_bytes
        self._waiting: list[_Small] = []
        self._waiting_bytes = 0
        self.read_count = 0

    def entries(self, found: Iterable[Found]) -> Iterator[_Taken]:
        """Yield each with its new entry, in the same order."""
        for one in found:
            taken = self._at_once(one)
            if taken is not None:
                if self._waiting:
                    yield from self._settle()
                yield taken
            elif one.kind is EntryKind.FILE and not self._take_small(one):
                yield from self._settle()
                yield from self._large(one)
            elif self._waiting_bytes >= BATCH_BYTES or len(self._waiting) >= BATCH_COUNT:
                yield from self._settle()
        yield from self._settle()

    def _at_once(self, found: Found) -> _Taken | None:
        """Return what needs no reading; None for a file to be read, and for what is skipped."""
        if found.kind is EntryKind.FILE:
            return self._unchanged(found)
        try:
            mtime_ns = os.lstat(found.place).st_mtime_ns
            if found.kind is EntryKind.FOLDER:
                entry = empty_folder(mtime_ns=mtime_ns)
            else:
                entry = symlink(os.readlink(found.place), mtime_ns=mtime_ns)
        except OSError as error:
            self._skip(found, error)
            return None
        return _Taken(found.place, found.key, entry.encode(), entry.size_bytes)

    def _unchanged(self, found: Found) -> _Taken | None:
        """Return a file that is what it was at the last import, and is kept."""
        if not self._cache.has_records:
            return None
        remembered = self._cache.find(found.key)
        if remembered is None:
            return None
        stamp, value = remembered
        try:
            status = os.lstat(found.place)
        except OSError:
            return None  # opening it tells why
        if FileStamp.of(status) != stamp:
            return None
        # The entry is only as good as the blobs behind it: those of the branch's head are there.
        key = self._prefix + found.key
        self._known.seek(key)
        item = self._known.peek()
        if item is None or item.key != key:
            return None
        if item.value != value and not _same(Item(key, value, stamp.size_bytes), item):
            return None
        self._cache.add(found.key, stamp, value)
        return _Taken(found.place, found.key, None, stamp.size_bytes)

    def _take_small(self, found: Found) -> bool:
        """Read a file of one chunk at most, to wait for its batch; False: it is larger.

        What cannot be read, or is no file any more, is skipped.
        """
        try:
            descriptor = os.open(found.place, _READING)
        except OSError as error:
            self._skip(found, error)
            return True
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                self._skip_other(found)
                return True
            size_bytes = status.st_size
            if size_bytes > self._small_bytes:
                return False
            data = os.read(descriptor, size_bytes + 1)
            if len(data) > size_bytes:  # it grew since
                data = _read_up_to(descriptor, data, self._small_bytes + 1)
                if len(data) > self._small_bytes:
                    return False
        except OSError as error:
            self._skip(found, error)
            return True
        finally:
            os.close(descriptor)
        self._waiting.append(_Small(found, data, status))
        self._waiting_bytes += len(data)
        self.read_count += 1
        return True

    def _large(self, found: Found) -> Iterator[_Taken]:
        try:
            with open(os.open(found.place, _READING), "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    self._skip_other(found)
                    return
                entry = store_stream(
                    self._writer,
                    file,
                    self._core.chunking,
                    mode=stat.S_IMODE(status.st_mode),
                    mtime_ns=status.st_mtime_ns,
                )
        except OSError as error:
            self._skip(found, error)
            return
        self.read_count += 1
        yield self._made(found, entry, status)

    def _settle(self) -> Iterator[_Taken]:
        """Store the files that wait, and yield their entries."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        stored = [small.data for small in waiting if len(small.data) > INLINE_LIMIT_BYTES]
        digests = iter(self._writer.add_many(BlobKind.CHUNK, stored))
        for found, data, status in waiting:
            mode, mtime_ns = stat.S_IMODE(status.st_mode), status.st_mtime_ns
            if len(data) <= INLINE_LIMIT_BYTES:
                entry = inline_file(data, mode=mode, mtime_ns=mtime_ns)
            else:
                entry = FileEntry(
                    EntryKind.FILE, len(data), mode, mtime_ns, Layout.CHUNK, next(digests)
                )
            yield self._made(found, entry, status)

    def _made(self, found: Found, entry: FileEntry, before: os.stat_result) -> _Taken:
        """Return a file that was read, and remember what it was before that.

        Whatever was written to it since then has changed its times, so the next import reads it.
        """
        value = entry.encode()
        self._cache.add(found.key, FileStamp.of(before), value)
        return _Taken(found.place, found.key, value, entry.size_bytes)

    def _skip_other(self, found: Found) -> None:
        """Leave out what was a file when its name was read, and is another thing now."""
        place = os.fsdecode(found.place)
        self._skipped.append(f"{place}: neither a file, a folder nor a symlink")

    def _skip(self, found: Found, error: OSError) -> None:
        if isinstance(error, DatalakeError):
            raise error  # the lake's trouble, not the file's: nothing may pass for unreadable
        place = os.fsdecode(found.place)
        if error.errno in {errno.EACCES, errno.EPERM}:
            self._skipped.append(f"{place}: no permission to read it")
        elif error.errno in {errno.ENOENT, errno.ELOOP}:
            self._skipped.append(f"{place}: it went away while the folder was read")
        else:
            raise StorageError(
                f"{place} cannot be read: {error.strerror}",
                hint="Nothing was committed",
                path=place,
            ) from error


def _read_up_to(descriptor: int, data: bytes, size: int) -> bytes:
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class _Small(NamedTuple):
    """A file of one chunk at most, read and waiting for its batch."""

    found: Found
    data: bytes
    status: os.stat_result
    """What it was before it was read."""


class Spool:
    """Sorted entries, kept in memory while they are few and in a file when they are many."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # closed on exit
            max_size=_IN_MEMORY_BYTES, dir=str(folder)
        )
        self._packer = msgpack.Packer(use_bin_type=True)

    def append(self, key: bytes, value: bytes, size_bytes: int) -> None:
        """Add an entry; keys are to come in order."""
        self._file.write(self._packer.pack([key, value, size_bytes]))

    def __iter__(self) -> Iterator[Item]:
        self._file.flush()
        self._file.seek(0)
        for row in msgpack.Unpacker(self._file, raw=False, use_list=True):
            yield Item(*row)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


# --- into the tree -------------------------------------------------------------------------------


def commit_items(
    core: LakeCore,
    writer: BlobWriter,
    base: Commit,
    items: Iterable[Item],
    request: CommitRequest,
) -> CommitResult:
    """Commit sorted entries onto the branch, again and again while that moves.

    Parameters
    ----------
    base
        The head that the entries were made from: what others changed since may be a conflict.
    items
        Gone through once per attempt.
    """
    fresh_id = new_global_id()  # one change is one id, however many attempts it takes

    def onto(head: Commit) -> CommitResult:
        if head.id != base.id:
            _check_agreement(core, base, head, items)
        nodes = NodeWriter(core.nodes, writer)
        root = edit_manifest(nodes, head.root, _edits(core.nodes, head.root, items))
        return commit_tree(core, writer, nodes, head, root, request, fresh_id=fresh_id)

    return on_head(core, request.repo, request.branch, onto)


def put_file(
    core: LakeCore, path: RepoPath, source: Source, request: CommitRequest
) -> CommitResult:
    """Commit one file at `path` of the request's branch; see `engine.sources.Source`.

    Raises
    ------
    InvalidInputError, AlreadyExistsError
        `path` is the root, a file stands where a folder is needed, or a folder is at `path`.
    ConflictError
        Somebody else committed other content to the same path meanwhile.
    """
    if path == ROOT:
        raise InvalidInputError(
            "The root of a repo is a folder; give the file a name", kind=ErrorKind.INVALID_PATH
        )
    base = head_of(core, request.repo, request.branch)
    with core.writer() as writer:
        entry = store_source(writer, source, core.chunking, now_ns=core.clock())
        item = Item(path_key(path), entry.encode(), entry.size_bytes)
        return commit_items(core, writer, base, [item], request)


def _check_agreement(core: LakeCore, base: Commit, head: Commit, ours: Iterable[Item]) -> None:
    """Raise `ConflictError` where somebody else changed the same paths to something else."""
    theirs = {
        difference.key: difference.new
        for difference in diff_manifests(core.nodes, base.root, head.root)
    }
    above_theirs = {
        folder for key, item in theirs.items() if not _is_marker(item) for folder in _above(key)
    }
    meeting = [
        path_from_key(item.key)
        for item in ours
        if not _is_folder(item)
        and (
            not _same(item, theirs.get(item.key, item))
            or item.key in above_theirs
            or any(not _is_marker(theirs.get(folder)) for folder in _above(item.key))
        )
    ]
    if meeting:
        raise paths_conflict(
            base,
            head,
            meeting,
            hint="Keep your version of these files elsewhere, discard them, and commit again",
        )


def _same(ours: Item, theirs: Item | None) -> bool:
    if theirs is None:
        return False
    if ours.value == theirs.value:
        return ours.size_bytes == theirs.size_bytes
    mine = decode_entry(ours.value, ours.size_bytes)
    return mine.same_content(decode_entry(theirs.value, theirs.size_bytes))


def _is_marker(item: Item | None) -> bool:
    """Tell whether a change only makes or drops the marker of an empty folder, or is none."""
    return item is None or _is_folder(item)


def _above(key: bytes) -> list[bytes]:
    """Return the keys of the folders that hold a key, the outermost first."""
    parts = key.split(b"\0")[:-1]
    return [b"\0".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _edits(source: NodeSource, root: Digest, entries: Iterable[Item]) -> Iterator[Edit]:
    """Yield the edits that put sorted entries into a tree, minding what files and folders forbid.

    One walk forward through the tree, past what lies between the entries.
    """
    cursor = Cursor(source, root)
    above: list[bytes] = []
    """Keys of the folders that hold the last entry: those were looked at."""
    for entry in entries:
        parent = entry.key.rpartition(b"\0")[0]
        if parent != (above[-1] if above else b""):
            folders = _above(entry.key)
            for folder in folders[_common(above, folders) :]:
                cursor.seek(folder)
                item = cursor.peek()
                if item is not None and item.key == folder:
                    if not _is_folder(item):
                        raise _no_folder(path_from_key(folder))
                    yield Edit(folder, None)  # it is not empty any more
            above = folders
        cursor.seek(entry.key)
        item = cursor.peek()
        is_there = item is not None and item.key == entry.key
        if item is not None and item.key.startswith(entry.key + b"\0"):
            if _is_folder(entry):
                continue  # the entry of a folder says that there is one, not that it is empty
            raise _no_file(path_from_key(entry.key))
        if is_there and item is not None and _is_folder(entry) and not _is_folder(item):
            raise _no_folder(path_from_key(entry.key))
        if is_there and item is not None and _same(entry, item):
            continue  # a time alone is no change
        yield Edit(entry.key, entry.value, entry.size_bytes)


def _common(left: Sequence[bytes], right: Sequence[bytes]) -> int:
    count = 0
    while count < min(len(left), len(right)) and left[count] == right[count]:
        count += 1
    return count


def _is_folder(item: Item) -> bool:
    return kind_of(item.value) is EntryKind.FOLDER


def _no_folder(path: RepoPath) -> InvalidInputError:
    return InvalidInputError(
        f"{path!r} is a file, not a folder",
        kind=ErrorKind.INVALID_PATH,
        hint="Choose another path, or remove the file first",
        path=path,
    )


def _no_file(path: RepoPath) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"A folder is at {path!r}",
        kind=ErrorKind.PATH_EXISTS,
        hint="Choose another path, or remove the folder first",
        path=path,
    )
