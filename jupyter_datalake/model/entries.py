"""What a manifest says of one path: a file, a symlink or an empty folder.

Byte layout: docs/format.md, section "Entry".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.encoding import pack_flat, unpack_canonical
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest, digest_of
from jupyter_datalake.model.packs import BlobKind

INLINE_LIMIT_BYTES = 64
"""Files up to this size live in the manifest: a chunk would cost more in names than in bytes."""

DEFAULT_FILE_MODE = 0o644
DEFAULT_FOLDER_MODE = 0o755
PERMISSION_BITS = 0o7777
_MAX_TIME_NS = 1 << 63
"""Three hundred years either side of 1970: what the kernel and the database can hold."""


class EntryKind(IntEnum):
    """Kinds of entries; the numbers are in the stored format."""

    FILE = 0
    SYMLINK = 1
    FOLDER = 2


class Layout(IntEnum):
    """Where a file's bytes are; the numbers are in the stored format."""

    INLINE = 0
    """`content` is the bytes themselves (at most 64), a symlink's target, or nothing."""
    CHUNK = 1
    """`content` is the digest of the one chunk that is the file."""
    CHUNK_LIST = 2
    """`content` is the digest of a chunk list."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A path's attributes and content; equal entries are equal files."""

    kind: EntryKind
    size_bytes: int
    mode: int
    """Permission bits only."""
    mtime_ns: int
    layout: Layout
    content: bytes

    @property
    def content_digest(self) -> Digest:
        """Name of the content alone: equal for equal bytes, whatever mode and time say."""
        if self.layout is Layout.INLINE:
            return digest_of(self.content)
        return Digest(self.content)

    @property
    def blob(self) -> tuple[BlobKind, Digest] | None:
        """The blob that holds the content, or the list of its chunks; None if the entry does."""
        match self.layout:
            case Layout.INLINE:
                return None
            case Layout.CHUNK:
                return BlobKind.CHUNK, Digest(self.content)
            case Layout.CHUNK_LIST:
                return BlobKind.CHUNK_LIST, Digest(self.content)

    def same_content(self, other: FileEntry) -> bool:
        """Tell whether both hold the same kind, bytes and permissions; times are ignored."""
        return (self.kind, self.size_bytes, self.mode, self.layout, self.content) == (
            other.kind,
            other.size_bytes,
            other.mode,
            other.layout,
            other.content,
        )

    def with_attributes(self, *, mode: int | None = None, mtime_ns: int | None = None) -> FileEntry:
        """Return the same content under other attributes."""
        return replace(
            self,
            mode=self.mode if mode is None else mode & PERMISSION_BITS,
            mtime_ns=self.mtime_ns if mtime_ns is None else mtime_ns,
        )

    def encode(self) -> bytes:
        """Return the entry's value in a manifest leaf; the size stands beside it there."""
        return pack_flat([int(self.kind), self.mode, self.mtime_ns, int(self.layout), self.content])


def decode_entry(value: bytes, size_bytes: int) -> FileEntry:
    """Return the entry of a manifest leaf's value and size.

    Raises
    ------
    CorruptDataError
        The value is not an entry of format version 1.
    """
    try:
        kind, mode, mtime_ns, layout, content = unpack_canonical(value, "a manifest entry")[:5]
        entry = FileEntry(EntryKind(kind), size_bytes, mode, mtime_ns, Layout(layout), content)
        _check_shape(entry)
        return entry
    except (ValueError, TypeError) as error:
        raise CorruptDataError(
            "A manifest entry has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


def kind_of(value: bytes) -> EntryKind:
    """Return the kind in a manifest leaf's value, without decoding the rest of it.

    Raises
    ------
    CorruptDataError
        The value is not an entry of format version 1.
    """
    # An array of up to 15 items begins with one byte, and the kind is the one behind it.
    try:
        return EntryKind(value[1])
    except (ValueError, IndexError):
        return decode_entry(value, 0).kind


def _check_shape(entry: FileEntry) -> None:
    """Raise `ValueError` unless the fields fit each other: a stranger may have written them."""
    if not (
        type(entry.mode) is int
        and 0 <= entry.mode <= PERMISSION_BITS
        and type(entry.mtime_ns) is int
        and abs(entry.mtime_ns) < _MAX_TIME_NS
        and type(entry.content) is bytes
        and type(entry.size_bytes) is int
        and entry.size_bytes >= 0
    ):
        raise ValueError("a field is of another type, or out of range")
    if entry.layout is Layout.INLINE:
        fits = len(entry.content) == entry.size_bytes
    else:
        fits = len(entry.content) == DIGEST_SIZE and entry.kind is EntryKind.FILE
    if not fits or (entry.kind is EntryKind.SYMLINK and b"\0" in entry.content):
        raise ValueError("the content does not fit the kind, the layout or the size")


def inline_file(data: bytes, *, mode: int, mtime_ns: int) -> FileEntry:
    """Return the entry of a file small enough to live in the manifest."""
    return FileEntry(EntryKind.FILE, len(data), mode, mtime_ns, Layout.INLINE, data)


def symlink(target: bytes, *, mtime_ns: int) -> FileEntry:
    """Return the entry of a symbolic link; the target is kept as bytes, never followed."""
    return FileEntry(EntryKind.SYMLINK, len(target), 0o777, mtime_ns, Layout.INLINE, target)


def empty_folder(*, mode: int = DEFAULT_FOLDER_MODE, mtime_ns: int) -> FileEntry:
    """Return the entry that keeps an empty folder; a folder with files needs none."""
    return FileEntry(EntryKind.FOLDER, 0, mode, mtime_ns, Layout.INLINE, b"")
