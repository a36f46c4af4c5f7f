"""Refs: branches and tags, and where they have pointed."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_datalake.engine.refs import RefMoves
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

    def create_tag(
        self, repo: str, name: str, *, at: str = DEFAULT_BRANCH, message: str | None = None
    ) -> Ref:
        """Create a tag at the commit a ref expression means; costs one row.

        Parameters
        ----------
        message
            What it says about what it marks.
        """
        return self._create(repo, name, RefKind.TAG, at, message)

    def delete_branch(self, repo: str, name: str) -> None:
        """Remove a branch that no session writes to; main stays."""
        self._delete(repo, name, RefKind.BRANCH)

    def delete_tag(self, repo: str, name: str) -> None:
        """Remove a tag."""
        self._delete(repo, name, RefKind.TAG)

    def rename(self, repo: str, name: str, new_name: str) -> Ref:
        """Give a branch or tag another name; costs one row.

        Raises
        ------
        AlreadyExistsError
            The new name is taken.
        StateError
            It is main, or a session, mount or pipeline knows the branch by its name (``in-use``).
        """
        return self._moves.rename(repo, name, new_name)

    def reset(
        self,
        repo: str,
        branch: str,
        to: str,
        *,
        expected: str | None = None,
        force: bool = False,
    ) -> Ref:
        """Point a branch to any commit of its repo; `undo` brings it back.

        Parameters
        ----------
        to
            A ref expression, as it reads now.
        expected
            Where the branch must be; anywhere by default.
        force
            Whether to do it although a session or a job depends on where the branch is. Both go
            on: a session's changes are applied to the new head, a job has read what it reads.

        Raises
        ------
        ConflictError
            The branch is not at `expected` (``branch-moved``).
        StateError
            A session or a job depends on it (``in-use``).
        """
        return self._moves.reset(repo, branch, to, expected=expected, force=force)

    def undo(
        self, repo: str, name: str, *, move: int | None = None, force: bool = False
    ) -> RefMove:
        """Put a ref back to what it was before its last move, and return the move that did it.

        Commits, merges, resets, renames, creations and deletions can be undone, and undoing
        itself: done twice it changes nothing.

        Parameters
        ----------
        move
            Number of the move that is meant; refused when the ref moved since. The newest by
            default.
        force
            As in `reset`.

        Raises
        ------
        ConflictError
            The ref moved since (``branch-moved``).
        StateError
            A session, job, mount or pipeline depends on where or what it is (``in-use``).
        """
        return self._moves.undo(repo, name, move=move, force=force)

    def list_moves(
        self, repo: str, *, name: str | None = None, before: int | None = None, limit: int = 100
    ) -> Sequence[RefMove]:
        """Return the reflog: who moved which ref from where to where, newest first.

        Parameters
        ----------
        before
            Only moves before the one of this number: the last one of the previous page.
        """
        with self._context.core.metadata.read() as tx:
            moves = tx.refs.moves(tx.repos.get(repo), name=name, before=before, limit=limit)
        return [move for _, move in moves]

    @property
    def _moves(self) -> RefMoves:
        return RefMoves(self._context.core, self._context.author)

    def _create(
        self, repo: str, name: str, kind: RefKind, at: str, message: str | None = None
    ) -> Ref:
        return Repositories(self._context.core).create_ref(
            repo, name, kind, at, self._context.author, message
        )

    def _delete(self, repo: str, name: str, kind: RefKind) -> None:
        Repositories(self._context.core).delete_ref(repo, name, kind, self._context.author)
