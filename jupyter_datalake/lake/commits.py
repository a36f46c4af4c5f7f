"""Commits: list, get, diff."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.refs import DEFAULT_BRANCH


class Commits:
    """`lake.commits`: the versions of a repo."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        repo: str,
        ref: str = DEFAULT_BRANCH,
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[Commit]:
        """Return the commits that a ref leads back to, newest first, along first parents.

        Parameters
        ----------
        after
            Id of the last commit of the previous page; behind the first commit of a repo the page
            is empty.
        """
        wanted = limit_of(limit)
        if after is None:
            return self._context.history.log(repo, ref, limit=wanted)[0]
        return self._context.history.log(repo, after, limit=wanted + 1)[0][1:]

    def get(self, repo: str, ref: str = DEFAULT_BRANCH) -> Commit:
        """Return the commit that a ref expression means now."""
        return self._context.history.resolve(repo, ref)

    def diff(
        self,
        repo: str,
        old: str,
        new: str = DEFAULT_BRANCH,
        *,
        path: str = "/",
        after: str | None = None,
        limit: int | None = None,
        renames: bool = False,
    ) -> Sequence[Change]:
        """Return the paths on which two commits of a repo differ, at and below `path`.

        The cost is that of the differences, not of the trees; with `renames`, of all of them
        below `path`, whatever `limit` says.

        Parameters
        ----------
        after
            The path of the last change of the previous page.
        renames
            Whether a file or folder that is at another path is one change, of kind ``renamed``
            with its old path in ``old.path``. Equal contents are the same file, and so are files
            with half of their bytes in common; a folder that is renamed as a whole is one change.
            docs/diff.md has the rules and limits.

        Raises
        ------
        InvalidInputError
            Renames are asked for, and more than 300,000 paths were added or removed, not counting
            those in folders that were renamed as a whole.
        """
        history = self._context.history
        changes = history.diff(
            history.resolve(repo, old),
            history.resolve(repo, new),
            below=parse_path(path),
            after=parse_path(after or "/"),
            renames=renames,
        )
        return [*islice(changes, limit_of(limit))]
