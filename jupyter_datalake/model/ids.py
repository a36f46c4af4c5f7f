"""Names of things: digests, commit ids, and the grammar of repo, ref and pipeline names.

A digest is 32 raw bytes inside the program and hex only at its edges. Names are checked once,
where they enter, by the `check_…` functions; everything behind them may rely on the grammar.
"""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import NewType

from blake3 import blake3

from jupyter_datalake.errors import ErrorKind, InvalidInputError

Digest = NewType("Digest", bytes)
"""BLAKE3-256 of some bytes: 32 raw bytes."""

CommitId = NewType("CommitId", str)
"""Digest of a commit's canonical bytes, as 64 lower-case hex digits."""

GlobalId = NewType("GlobalId", str)
"""32 lower-case hex digits, shared by everything that one change set off."""

DIGEST_SIZE = 32
SHORT_ID_LENGTH = 12
"""How many hex digits people see; enough for 10^7 commits before two are expected to meet."""

MIN_ID_PREFIX = 4

REPO_COMPONENT = r"[a-z0-9][a-z0-9._-]{0,62}"
REPO_PATTERN = re.compile(rf"{REPO_COMPONENT}(?:/{REPO_COMPONENT})?")
REF_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
INPUT_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_HEX = re.compile(r"[0-9a-f]+")
_HEAD_LIKE = re.compile(r"(?:[A-Z]+_)?HEAD|head|Head")
_LOOKS_LIKE_ID = re.compile(r"[0-9a-f]{8,}")


def digest_of(data: bytes | bytearray | memoryview) -> Digest:
    """Return the BLAKE3-256 digest of `data`; about 4 GB/s on one core."""
    return Digest(blake3(data).digest())


def commit_id_of(digest: Digest) -> CommitId:
    """Return the commit id that names a commit whose canonical bytes have this digest."""
    return CommitId(digest.hex())


def short_id(identifier: str) -> str:
    """Return the first digits of an id, for people."""
    return identifier[:SHORT_ID_LENGTH]


def check_repo_name(name: str) -> str:
    """Return `name` if it is a repo name: ``[a-z0-9][a-z0-9._-]{0,62}``, optionally with a project.

    Raises
    ------
    InvalidInputError
        The name breaks the grammar, or ends in a dot (Windows drops it).
    """
    if not REPO_PATTERN.fullmatch(name) or name.endswith(".") or "./" in name:
        raise InvalidInputError(
            f"{name!r} is not a repo name",
            kind=ErrorKind.INVALID_NAME,
            hint="Use 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit, "
            "optionally as project/name",
            name=name,
        )
    return name


def check_ref_name(name: str, what: str = "branch") -> str:
    """Return `name` if it may name a branch or tag.

    Refused besides the grammar: ``HEAD`` and ``ORIG_HEAD`` and their like, which mean something
    else wherever they are known, and eight or more hex digits, which would be taken for the
    beginning of a commit id.

    Raises
    ------
    InvalidInputError
        With the rule that was broken.
    """
    if is_head_like(name) or _LOOKS_LIKE_ID.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} cannot name a {what}: it reads like a commit id or a reserved word",
            kind=ErrorKind.INVALID_NAME,
            hint="Choose a name that is not HEAD, ends not in _HEAD, and is not only hex digits",
            name=name,
        )
    if not REF_PATTERN.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is not a {what} name",
            kind=ErrorKind.INVALID_NAME,
            hint="Use 1 to 100 of A-Z a-z 0-9 . _ - beginning with a letter, digit or _",
            name=name,
        )
    return name


def is_head_like(name: str) -> bool:
    """Tell whether a name is one of those that Git reserves: HEAD, ORIG_HEAD, FETCH_HEAD."""
    return _HEAD_LIKE.fullmatch(name) is not None


def check_input_name(name: str) -> str:
    """Return `name` if it may name a pipeline input (a Python variable that is not ``out``)."""
    if not is_variable(name) or name in {"out", "pfs"}:
        raise InvalidInputError(
            f"{name!r} cannot name an input",
            kind=ErrorKind.INVALID_NAME,
            hint="Use a Python variable name other than 'out' and 'pfs'; "
            "set it with 'as:' beside the repo's name",
            name=name,
        )
    return name


def is_variable(name: str) -> bool:
    """Tell whether a notebook can hold a value under this name: an identifier, no keyword."""
    return INPUT_PATTERN.fullmatch(name) is not None and not iskeyword(name)


def is_id_prefix(text: str) -> bool:
    """Tell whether `text` could be the beginning of a commit id."""
    return MIN_ID_PREFIX <= len(text) <= 2 * DIGEST_SIZE and _HEX.fullmatch(text) is not None


def variable_name(repo: str) -> str:
    """Return the variable that a repo's input gets when the spec names none.

    >>> variable_name("team/daily-sales.eu")
    'daily_sales_eu'
    """
    name = re.sub(r"\W", "_", repo.rpartition("/")[2])
    return f"_{name}" if name[0].isdigit() else name
