"""Completing addresses inside of strings and magics: ``"raw@ma…"``, ``"lake://raw@main/da…"``.

Answers come from a lake that is open already, at most `MOST` of them, by lookups whose cost does
not grow with the lake. What goes wrong gives no completions and no message: it is typed many times.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import SCHEME, parse_address
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.notebook.lakes import kernel_lake

MOST = 200
"""Completions of one place; who has more types another letter."""

_LAST = "\U0010fffd"
"""Behind every letter."""


def addresses_for(lake: Lake, typed: str) -> list[str]:
    """Return the addresses that begin as what was typed, each up to its next part."""
    scheme = f"{SCHEME}://" if typed.startswith(f"{SCHEME}://") else ""
    body = typed.removeprefix(scheme)
    repo, at, rest = body.partition("@")
    try:
        if not at:
            found: Iterable[str] = (
                f"{one.name}@" for one in lake.repos.list(prefix=body, limit=MOST)
            )
        elif "/" not in rest:
            found = (
                f"{repo}@{one.name}/" for one in lake.refs.list(repo) if one.name.startswith(rest)
            )
        else:
            found = _paths(lake, body)
        return [f"{scheme}{one}" for one in islice(found, MOST)]
    except DatalakeError:  # no such repo or folder: nothing to offer
        return []


def _paths(lake: Lake, body: str) -> list[str]:
    folder, _, begun = body.rpartition("/")
    # Names in order: those that begin so follow the last name before them.
    before = _before(begun)
    children = lake.files.list(parse_address(folder), after=before, limit=MOST)
    return [
        f"{folder}/{name}{'/' if one.kind is FileKind.FOLDER else ''}"
        for one in children
        if (name := one.path.rpartition("/")[2]).startswith(begun)
    ]


def _before(begun: str) -> str:
    """Return a name that is below every name that begins so, and above most others."""
    if not begun or begun[-1] <= " ":
        return ""
    return begun[:-1] + chr(ord(begun[-1]) - 1) + _LAST


def offered(typed: str) -> list[str]:
    """Return what the kernel's lake offers; nothing where there is none."""
    try:
        return addresses_for(kernel_lake(), typed)
    except DatalakeError:
        return []
