"""Refs: branches and tags, and where they have pointed."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_datalake.engine.repos import Repositories
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.refs import DEFAULT_BRANCH, Ref, RefKind, RefMove


class Refs:
    """`lake.refs`: the names of commits."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        repo: str,
        *,
        kind: RefKind | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> list[Ref]:
        """Return a repo's branches and tags by name, or one kind of them."""
        with self._context.core.metadata.read() as tx:
            return tx.refs.list(tx.repos.get(repo), kind=kind, after=after, limit=limit_of(limit))

    def get(self, repo: str, name: str) -> Ref:
        """Return one branch or tag, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.refs.get(tx.repos.get(repo), name)

    def create_branch(self, repo: str, name: str, *, at: str = DEFAULT_BRANCH) -> Ref:
        """Create a branch at the commit a ref expression means; costs one row."""
        return self._create(repo, name, RefKind.BRANCH, at)

    def create_tag(self, repo: str, name: str, *, at: str = DEFAULT_BRANCH) -> Ref:
        """Create a tag at the commit a ref expression means; costs one row."""
        return self._create(repo, name, RefKind.TAG, at)

    def delete_branch(self, repo: str, name: str) -> None:
        """Remove a branch that no session writes to; main stays."""
        self._delete(repo, name, RefKind.BRANCH)

    def delete_tag(self, repo: str, name: str) -> None:
        """Remove a tag."""
        self._delete(repo, name, RefKind.TAG)

    def list_moves(
        self, repo: str, *, name: str | None = None, limit: int = 100
    ) -> Sequence[RefMove]:
        """Return the reflog: who moved which ref from where to where, newest first."""
        with self._context.core.metadata.read() as tx:
            moves = tx.refs.moves(tx.repos.get(repo), name=name, before=None, limit=limit)
        return [move for _, move in moves]

    def _create(self, repo: str, name: str, kind: RefKind, at: str) -> Ref:
        return Repositories(self._context.core).create_ref(
            repo, name, kind, at, self._context.author
        )

    def _delete(self, repo: str, name: str, kind: RefKind) -> None:
        Repositories(self._context.core).delete_ref(repo, name, kind, self._context.author)
