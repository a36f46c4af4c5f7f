"""What contents are staged from: bytes, local files, streams, local folders."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jupyter_datalake.engine.blobs import BlobWriter
from jupyter_datalake.engine.content import store_bytes, store_stream
from jupyter_datalake.engine.ignoring import IGNORE_FILE, IgnoreRules
from jupyter_datalake.errors import ErrorKind, InvalidInputError, PathNotFoundError
from jupyter_datalake.model.chunking import ChunkingParameters
from jupyter_datalake.model.entries import DEFAULT_FILE_MODE, FileEntry, empty_folder, symlink
from jupyter_datalake.model.paths import path_from_bytes

Source = bytes | Path | BinaryIO

_READ_AHEAD = 1 << 20
_MAX_FILE_BYTES = 2**50
"""As in a mount: a commit could not name the chunks of more."""


def store_source(
    writer: BlobWriter, source: Source, parameters: ChunkingParameters, *, now_ns: int
) -> FileEntry:
    """Add the chunks of a source to `writer` and return the entry of the file.

    A local file's mode and time are taken over; bytes and streams get 0644 and `now_ns`.

    Raises
    ------
    PathNotFoundError
        There is no such local file.
    InvalidInputError
        It is a socket, a pipe or a device.
    """
    if isinstance(source, Path):
        return _store_local(writer, source, parameters)
    if isinstance(source, bytes) and len(source) <= parameters.min_bytes:
        return store_bytes(writer, source, mode=DEFAULT_FILE_MODE, mtime_ns=now_ns)
    stream = _BytesStream(source) if isinstance(source, bytes) else _ReadStream(source)
    return store_stream(writer, stream, parameters, mode=DEFAULT_FILE_MODE, mtime_ns=now_ns)


def _store_local(writer: BlobWriter, place: Path, parameters: ChunkingParameters) -> FileEntry:
    try:
        status = place.lstat()
    except FileNotFoundError as error:
        raise PathNotFoundError(
            f"There is no local file {str(place)!r}", path=str(place)
        ) from error
    if stat.S_ISLNK(status.st_mode):
        return symlink(os.fsencode(os.readlink(place)), mtime_ns=status.st_mtime_ns)
    if stat.S_ISDIR(status.st_mode):
        return empty_folder(mtime_ns=status.st_mtime_ns)
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInputError(
            f"{place} is neither a file, a folder nor a symlink",
            kind=ErrorKind.INVALID_PATH,
            path=str(place),
        )
    with open(place, "rb", buffering=0) as file:
        return store_stream(
            writer,
            file,
            parameters,
            mode=stat.S_IMODE(status.st_mode),
            mtime_ns=status.st_mtime_ns,
        )


def walk_folder(
    folder: Path, skipped: list[str], *, ignore: bool = False
) -> Iterator[tuple[Path, str]]:
    """Yield files, symlinks and empty folders below a folder with their path relative to it.

    Parameters
    ----------
    skipped
        Gets a line for each thing that is left out, with the reason.
    ignore
        Whether the files ``.datalakeignore`` say what is left out, without a word.
    """
    root = str(folder)
    rules = {root: IgnoreRules()}
    below = len(root.rstrip("/")) + 1

    def unreadable(error: OSError) -> None:
        skipped.append(f"{error.filename}: {error.strerror}")

    for place, names, files in os.walk(folder, onerror=unreadable):
        is_empty = not names and not files
        if ignore:
            files[:] = _apply_rules(rules, folder, place, names, files)
        names.sort()
        links = [name for name in names if os.path.islink(os.path.join(place, name))]
        for name in sorted(files + links):
            path = os.path.join(place, name)
            if stat.S_IFMT(os.lstat(path).st_mode) in {stat.S_IFREG, stat.S_IFLNK}:
                yield Path(path), path_from_bytes(os.fsencode(path[below:]))
            else:
                skipped.append(f"{path}: neither a file, a folder nor a symlink")
        if is_empty and place != root:
            yield Path(place), path_from_bytes(os.fsencode(place[below:]))


def _apply_rules(
    rules: dict[str, IgnoreRules], folder: Path, place: str, names: list[str], files: list[str]
) -> list[str]:
    """Return the files that are taken, and drop the folders that are not from `names`.

    Parameters
    ----------
    rules
        Those that count above each folder that is still to come; its folders are added.
    """
    path = "" if Path(place) == folder else _relative(Path(place), folder)
    regular = [os.fsencode(name) for name in files if name == IGNORE_FILE]
    if regular and os.path.islink(os.path.join(place, IGNORE_FILE)):
        regular = []
    inside = rules.pop(place).inside(os.fsencode(place), path, regular)
    prefix = f"{path}/" if path else ""
    names[:] = [
        name
        for name in names
        if inside.takes(prefix + name, is_folder=not os.path.islink(os.path.join(place, name)))
    ]
    rules |= {os.path.join(place, name): inside for name in names}
    return [name for name in files if inside.takes(prefix + name, is_folder=False)]


def _relative(path: Path, folder: Path) -> str:
    return path_from_bytes(os.fsencode(path.relative_to(folder).as_posix()))


class _BytesStream:
    """Bytes as a stream for the chunker, without copying them."""

    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)

    def readinto(self, buffer: memoryview, /) -> int:
        count = min(len(buffer), len(self._view))
        buffer[:count] = self._view[:count]
        self._view = self._view[count:]
        return count


class _ReadStream:
    """Any object with `read` as a stream for the chunker; short reads are joined."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readinto(self, buffer: memoryview, /) -> int:
        part = self._source.read(min(len(buffer), _READ_AHEAD))
        buffer[: len(part)] = part
        return len(part)


def check_offset(offset: int) -> None:
    """Refuse what is no place in a file."""
    if not -1 <= offset <= _MAX_FILE_BYTES:
        raise InvalidInputError(
            f"{offset} is no place in a file: give 0 to {_MAX_FILE_BYTES}, or -1 for its end"
        )


@contextmanager
def stream_of(content: Source) -> Iterator[BinaryIO]:
    """Give a source as a stream; a local file is closed again."""
    if isinstance(content, bytes):
        yield io.BytesIO(content)
    elif isinstance(content, Path):
        with open(content, "rb") as file:
            yield file
    else:
        yield content
