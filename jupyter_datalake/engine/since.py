"""What is staged in a session, compared with any commit: two streams of changes become one.

From that commit to the base of the session, and from there to what is staged: a path that is in one
of the streams differs as that says, and of a path in both the ends are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from jupyter_datalake.model.changes import Change, change_of
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import RepoPath, path_key
from jupyter_datalake.model.side_by_side import side_by_side

_BLOCK_BYTES = 1024 * 1024

Opener = Callable[[RepoPath], BinaryIO]


def changes_since(
    before: Iterable[Change], staged: Iterable[Change], open_old: Opener, open_staged: Opener
) -> Iterator[Change]:
    """Yield what differs between a commit and what is staged, by path; neither is held.

    Parameters
    ----------
    before
        From the commit to what the session is based on, by path, as `staged`.
    staged
        From there to what is staged.
    open_old, open_staged
        Open a file of the commit, and of the session. Both are read where a file differs from the
        base on both sides, is as large on both, and its staged content has no name yet.
    """
    pairs = side_by_side(
        ((path_key(one.path), one) for one in before), ((path_key(one.path), one) for one in staged)
    )
    for _, earlier, later in pairs:
        if later is None:
            assert earlier is not None
            yield earlier[1]
            continue
        new, path = later[1].new, later[1].path
        old = later[1].old if earlier is None else earlier[1].old
        if old is None and new is None:
            continue
        if (
            old is None
            or new is None
            or earlier is None
            or not _is_same(old, new, open_old, open_staged)
        ):
            yield change_of(path, old, new)


def _is_same(old: FileInfo, new: FileInfo, open_old: Opener, open_staged: Opener) -> bool:
    """Tell whether two files are the same but for their times."""
    if (old.kind, old.size_bytes, old.mode, old.target) != (
        new.kind,
        new.size_bytes,
        new.mode,
        new.target,
    ):
        return False
    if new.kind is not FileKind.FILE or new.digest is not None:
        return old.digest == new.digest
    with open_old(old.path) as one, open_staged(new.path) as other:
        while block := one.read(_BLOCK_BYTES):
            if block != other.read(len(block)):
                return False
        return not other.read(1)
