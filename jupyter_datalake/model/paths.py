"""Paths inside a repo: relative, POSIX, normalised once; and their order in a manifest.

A `RepoPath` is a `str` without leading or trailing slash; the root is the empty string. Names
are any bytes but NUL and ``/``; bytes that are not UTF-8 live in the string as lone surrogates
(PEP 383), so they survive a round trip through JSON, the command line and the mount.
"""

from __future__ import annotations

from typing import NewType

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError

RepoPath = NewType("RepoPath", str)

ROOT = RepoPath("")
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4095


def parse_path(text: str) -> RepoPath:
    """Return the normalised path that `text` names.

    A leading, trailing or doubled slash is dropped: ``/a//b/`` is ``a/b``, ``/`` is the root.
    Lone surrogates that together are UTF-8 become the character they spell, so that paths are
    equal where their bytes are.

    Raises
    ------
    InvalidInputError
        A component is ``.`` or ``..``, holds NUL, or is longer than 255 bytes; or the whole is
        longer than 4,095 bytes.

    >>> parse_path("/data//x.csv")
    'data/x.csv'
    """
    parts = [part for part in text.split("/") if part]
    for part in parts:
        if fault := _fault_of(part):
            raise _invalid(text, fault)
    raw = path_bytes("/".join(parts))
    if len(raw) > MAX_PATH_BYTES:
        raise _invalid(text, f"is longer than {MAX_PATH_BYTES} bytes")
    return path_from_bytes(raw)


def check_name(name: str) -> str:
    """Return `name` if it can be one component of a path, else raise `InvalidInputError`."""
    if fault := _fault_of(name):
        raise _invalid(name, fault)
    return name


def _fault_of(name: str) -> str | None:
    """Return why `name` cannot be one component of a path, or None if it can."""
    if name in {"", ".", ".."}:
        return f"holds {name!r}, which is not a file name"
    if "\0" in name or "/" in name:
        return "holds a NUL or a slash where a file name belongs"
    if len(path_bytes(RepoPath(name))) > MAX_NAME_BYTES:
        return f"holds a name longer than {MAX_NAME_BYTES} bytes"
    return None


def _invalid(text: str, why: str) -> InvalidInputError:
    shown = text if len(text) <= 80 else text[:77] + "…"
    return InvalidInputError(
        f"Path {shown!r} {why}",
        kind=ErrorKind.INVALID_PATH,
        hint="Give a path relative to the repo, without '.', '..' or NUL",
        path=shown,
    )


def path_bytes(path: RepoPath | str) -> bytes:
    """Return the bytes the kernel knows this path by."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        # Surrogates outside U+DC80..U+DCFF stand for no byte at all.
        raise _invalid(path.encode("utf-8", "replace").decode(), "is not valid text") from error


def path_from_bytes(raw: bytes) -> RepoPath:
    """Return the path for bytes from the kernel; not checked, see `parse_path`."""
    return RepoPath(raw.decode("utf-8", "surrogateescape"))


def path_key(path: RepoPath) -> bytes:
    """Return the manifest key of a path: its bytes with ``/`` replaced by NUL.

    NUL sorts before every byte a name can hold, so a folder's contents follow the folder itself
    and come before its next sibling: a folder is one contiguous range, and listings are in the
    byte order of the names.
    """
    return path_bytes(path).replace(b"/", b"\0")


def path_from_key(key: bytes) -> RepoPath:
    """Return the path of a manifest key.

    Raises
    ------
    CorruptDataError
        A name in it holds a slash: no lake writes that, but a stranger's could, to make one path
        look like another.
    """
    if b"/" in key:
        raise CorruptDataError(
            f"The manifest key {key!r} is no path", kind=ErrorKind.CORRUPT_OBJECT
        )
    return path_from_bytes(key.replace(b"\0", b"/"))


def folder_range(path: RepoPath) -> tuple[bytes, bytes | None]:
    """Return the half-open key range of everything below a folder; the root has no upper end."""
    if not path:
        return b"", None
    key = path_key(path)
    return key + b"\0", key + b"\x01"


def path_range(path: RepoPath) -> tuple[bytes, bytes | None]:
    """Return the half-open key range of a path and everything below it; all keys for the root."""
    if not path:
        return b"", None
    key = path_key(path)
    return key, key + b"\x01"


def parent_of(path: RepoPath) -> RepoPath:
    """Return the folder that holds `path`; the root is its own parent."""
    return RepoPath(path.rpartition("/")[0])


def name_of(path: RepoPath) -> str:
    """Return the last component of `path`."""
    return path.rpartition("/")[2]


def join_path(folder: RepoPath, name: str) -> RepoPath:
    """Return the path of `name` inside `folder`; neither is checked again."""
    return RepoPath(f"{folder}/{name}") if folder else RepoPath(name)


def comes_behind(path: RepoPath, other: RepoPath) -> bool:
    """Tell whether a path comes behind another in the order of keys; all do behind the root."""
    return not other or path_key(path) > path_key(other)


def is_within(path: RepoPath, folder: RepoPath) -> bool:
    """Tell whether `path` is `folder` or lies below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
