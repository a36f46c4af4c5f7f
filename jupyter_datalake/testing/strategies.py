"""Hypothesis strategies: paths, contents and edits of the kinds that have broken file stores.

Values come as this package uses them: a path is a `RepoPath` that `parse_path` leaves as it is,
a content is bytes, an edit script is what a session would be told.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

from jupyter_datalake.model.chunking import ChunkingParameters
from jupyter_datalake.model.entries import INLINE_LIMIT_BYTES
from jupyter_datalake.model.manifests import Edit
from jupyter_datalake.model.paths import (
    MAX_NAME_BYTES,
    MAX_PATH_BYTES,
    RepoPath,
    path_bytes,
    path_from_bytes,
)

HOSTILE_NAMES: Sequence[str] = (
    " ",
    "  leading and trailing  ",
    "-rf",
    "--help",
    "...",
    ".hidden",
    "~",
    "con",
    "HEAD",
    "out",
    "a\nb",
    "a\tb",
    "\x01",
    "\x7f",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "zero\u200bwidth",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "back\\slash",
    "'; drop table repos; --",
    '"quoted"',
    "%2e%2e",
    "a@main",
    "caf\u00e9",
    "cafe\u0301",
    "\u00c5",
    "\u212b",
    "FILE",
    "file",
    "\U0001f4a5",
    "\udc80",
    "\udcff\udcfe",
    "latin1-\udce9",
)
"""Names that are legal, and that something between a keyboard and a disk gets wrong."""


def file_names(*, hostile: bool = True) -> st.SearchStrategy[str]:
    """Return names of files: mostly from a small set, so that scripts meet themselves."""
    plain = st.sampled_from(["a", "b", "c", "ab", "a.b", "data", "x.csv"])
    if not hostile:
        return plain
    return st.one_of(
        plain,
        plain,
        st.sampled_from(HOSTILE_NAMES),
        st.binary(min_size=1, max_size=12).map(_name_of_bytes).filter(bool),
        st.text(min_size=1, max_size=8).map(_name_of_text).filter(bool),
        st.sampled_from([b"x", b"\xff", "\u00e9".encode()]).map(_longest),
    ).filter(lambda name: name not in {"", ".", ".."})


def repo_paths(*, max_depth: int = 4, hostile: bool = True) -> st.SearchStrategy[RepoPath]:
    """Return paths of files, relative and normalised."""
    parts = st.lists(file_names(hostile=hostile), min_size=1, max_size=max_depth)
    return (
        parts.map("/".join)
        .map(RepoPath)
        .filter(lambda path: len(path_bytes(path)) <= MAX_PATH_BYTES)
    )


def twin_paths() -> st.SearchStrategy[tuple[RepoPath, RepoPath]]:
    """Return two paths that look alike and are not: composed and decomposed, or of two cases."""
    words = st.sampled_from(["caf\u00e9", "na\u00efve", "\u00c5ngstr\u00f6m", "se\u00f1or"])
    return words.flatmap(
        lambda word: st.sampled_from(
            [
                (RepoPath(word), RepoPath(unicodedata.normalize("NFD", word))),
                (RepoPath(word), RepoPath(word.upper())),
            ]
        )
    )


def sizes(parameters: ChunkingParameters) -> st.SearchStrategy[int]:
    """Return file sizes at and around every border at which a file is kept differently."""
    borders = [
        0,
        1,
        INLINE_LIMIT_BYTES,
        parameters.min_bytes,
        parameters.average_bytes,
        parameters.max_bytes,
        2 * parameters.max_bytes,
    ]
    near = [border + step for border in borders for step in (-1, 0, 1) if border + step >= 0]
    return st.one_of(st.sampled_from(near), st.integers(0, 3 * parameters.max_bytes))


def contents(parameters: ChunkingParameters) -> st.SearchStrategy[bytes]:
    """Return contents of those sizes: noise, one byte repeated, and a repeated block."""
    return st.builds(
        content_of,
        sizes(parameters),
        st.integers(0, 3),
        st.sampled_from(["noise", "zeros", "blocks"]),
    )


def content_of(size_bytes: int, seed: int, kind: str) -> bytes:
    """Return the same bytes for the same arguments."""
    if kind == "zeros":
        return bytes([seed]) * size_bytes
    noise = random.Random(seed)  # noqa: S311  # nothing secret
    if kind == "noise":
        return noise.randbytes(size_bytes)
    block = noise.randbytes(1021)
    return (block * (size_bytes // len(block) + 1))[:size_bytes]


def keys() -> st.SearchStrategy[bytes]:
    """Return manifest keys, many of them beginnings of each other."""
    part = st.sampled_from([b"a", b"b", b"ab", b"\x01", b"\xff", b"z" * 20])
    return st.lists(part, min_size=1, max_size=5).map(b"\0".join)


def item_maps(max_size: int = 200) -> st.SearchStrategy[dict[bytes, tuple[bytes, int]]]:
    """Return what a manifest may hold: key to value and size."""
    some = st.integers(0, 5000).map(lambda number: b"k%05d" % number)
    value = st.tuples(st.binary(max_size=6), st.integers(0, 1 << 40))
    return st.dictionaries(st.one_of(some, keys()), value, max_size=max_size)


def edit_lists(max_size: int = 40) -> st.SearchStrategy[list[Edit]]:
    """Return edits of a manifest, sorted by key and without repeats; None removes."""
    some = st.integers(0, 5000).map(lambda number: b"k%05d" % number)
    value = st.one_of(st.none(), st.tuples(st.binary(max_size=6), st.integers(0, 1 << 40)))
    changes = st.dictionaries(st.one_of(some, keys()), value, max_size=max_size)
    return changes.map(
        lambda found: [
            Edit(key, None) if change is None else Edit(key, *change)
            for key, change in sorted(found.items())
        ]
    )


class Verb(StrEnum):
    """What an edit script tells a session to do."""

    PUT = "put"
    DELETE = "delete"
    RENAME = "rename"
    MAKE_FOLDER = "make-folder"


@dataclass(frozen=True, slots=True)
class Step:
    """One act of an edit script; `target` and `content` as the verb needs them."""

    verb: Verb
    path: RepoPath
    target: RepoPath | None = None
    content: bytes = b""


def edit_scripts(
    parameters: ChunkingParameters, *, max_size: int = 12, hostile: bool = True
) -> st.SearchStrategy[list[Step]]:
    """Return acts on one tree; some are refused, which is part of the point."""
    paths = repo_paths(max_depth=3, hostile=hostile)
    step = st.one_of(
        st.builds(Step, st.just(Verb.PUT), paths, st.none(), contents(parameters)),
        st.builds(Step, st.just(Verb.DELETE), paths),
        st.builds(Step, st.just(Verb.RENAME), paths, paths),
        st.builds(Step, st.just(Verb.MAKE_FOLDER), paths),
    )
    return st.lists(step, max_size=max_size)


def _name_of_bytes(raw: bytes) -> str:
    return path_from_bytes(raw.replace(b"/", b"_").replace(b"\0", b"_"))


def _name_of_text(text: str) -> str:
    # Lone surrogates of the text strategy stand for no byte; what is left is cut to its bound.
    raw = text.encode("utf-8", "ignore").replace(b"/", b"_").replace(b"\0", b"_")
    return raw.decode()


def _longest(piece: bytes) -> str:
    return path_from_bytes((piece * MAX_NAME_BYTES)[: MAX_NAME_BYTES // len(piece) * len(piece)])
