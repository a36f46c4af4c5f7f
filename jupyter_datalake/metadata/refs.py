"""Branches, tags and the reflog: the only rows that readers of data depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, select, update

from jupyter_datalake.errors import AlreadyExistsError, ConflictError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.ids import CommitId, short_id
from jupyter_datalake.model.refs import Ref, RefKind, RefMove


class Refs(TableGroup):
    """Statements about `refs` and `ref_moves`; every change writes its line of the reflog."""

    def find(self, repo: RepoRow, name: str) -> Ref | None:
        """Return a branch or tag, or None."""
        refs = tables.refs
        row = self._connection.execute(
            select(refs).where(refs.c.repo_id == repo.id, refs.c.name == name)
        ).one_or_none()
        return None if row is None else _ref(repo, row)

    def get(self, repo: RepoRow, name: str, kind: RefKind | None = None) -> Ref:
        """Return a branch or tag, or raise `NotFoundError`."""
        ref = self.find(repo, name)
        if ref is None or (kind is not None and ref.kind is not kind):
            raise NotFoundError(
                f"Repo {repo.repo.name!r} has no {kind or 'branch or tag'} {name!r}",
                kind=ErrorKind.REF_NOT_FOUND,
                hint=f"'datalake refs list {repo.repo.name}' shows what there is",
                repo=repo.repo.name,
                ref=name,
            )
        return ref

    def list(
        self, repo: RepoRow, *, kind: RefKind | None = None, after: str = "", limit: int
    ) -> list[Ref]:
        """Return refs by name, at most `limit`, behind the name `after`."""
        refs = tables.refs
        statement = (
            select(refs)
            .where(refs.c.repo_id == repo.id, refs.c.name > after)
            .order_by(refs.c.name)
            .limit(limit)
        )
        if kind is not None:
            statement = statement.where(refs.c.kind == str(kind))
        return [_ref(repo, row) for row in self._connection.execute(statement)]

    def create(
        self,
        repo: RepoRow,
        name: str,
        kind: RefKind,
        commit_id: CommitId,
        *,
        by: str,
        reason: str,
        message: str | None = None,
        created_by: str | None = None,
    ) -> Ref:
        """Insert a ref, or raise `AlreadyExistsError`.

        Parameters
        ----------
        created_by
            Who made it first, where it comes back; otherwise it is `by`.
        """
        self._check_free(repo, name)
        self._connection.execute(
            insert(tables.refs).values(
                repo_id=repo.id,
                name=name,
                kind=str(kind),
                commit_id=commit_id,
                updated_ns=self._now_ns,
                message=message,
                created_by=created_by or by,
            )
        )
        self._log(repo, name, kind, None, commit_id, by, reason)
        return self.get(repo, name)

    def move(
        self,
        repo: RepoRow,
        name: str,
        *,
        expected: CommitId,
        new: CommitId,
        by: str,
        reason: str,
    ) -> None:
        """Point a branch from `expected` to `new`: the compare-and-swap that commits rest on.

        Raises
        ------
        ConflictError
            The branch is elsewhere (kind ``branch-moved``); nothing changed.
        NotFoundError
            There is no such branch any more.
        """
        refs = tables.refs
        result = self._connection.execute(
            update(refs)
            .where(
                and_(
                    refs.c.repo_id == repo.id,
                    refs.c.name == name,
                    refs.c.kind == str(RefKind.BRANCH),
                    refs.c.commit_id == expected,
                )
            )
            .values(commit_id=new, updated_ns=self._now_ns)
        )
        if result.rowcount != 1:
            actual = self.get(repo, name, RefKind.BRANCH)
            raise ConflictError(
                f"Branch {repo.repo.name}@{name} moved to {short_id(actual.commit_id)}"
                f" and is no longer at {short_id(expected)}",
                kind=ErrorKind.BRANCH_MOVED,
                hint="Look at the new commits and try again",
                repo=repo.repo.name,
                ref=name,
                expected=expected,
                actual=actual.commit_id,
            )
        self._log(repo, name, RefKind.BRANCH, expected, new, by, reason)

    def delete(self, repo: RepoRow, ref: Ref, *, by: str, reason: str) -> None:
        """Remove a ref; its commits stay until gc finds nothing that needs them."""
        refs = tables.refs
        self._connection.execute(
            delete(refs).where(refs.c.repo_id == repo.id, refs.c.name == ref.name)
        )
        said = {"message": ref.message, "created_by": ref.created_by}
        details = {key: value for key, value in said.items() if value is not None}
        self._log(repo, ref.name, ref.kind, ref.commit_id, None, by, reason, details)

    def rename(self, repo: RepoRow, ref: Ref, name: str, *, by: str, reason: str) -> Ref:
        """Give a ref another name: one row changes, and the reflog tells it of both names.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        """
        self._check_free(repo, name)
        refs = tables.refs
        self._connection.execute(
            update(refs)
            .where(refs.c.repo_id == repo.id, refs.c.name == ref.name)
            .values(name=name, updated_ns=self._now_ns)
        )
        kind, at = ref.kind, ref.commit_id
        self._log(repo, ref.name, kind, at, None, by, reason, {"renamed_to": name})
        self._log(repo, name, kind, None, at, by, reason, {"renamed_from": ref.name})
        return self.get(repo, name)

    def last_move(self, repo: RepoRow, name: str) -> tuple[RefMove, dict[str, Any]]:
        """Return the newest line of the reflog for a name, and what undoing it needs.

        Raises
        ------
        NotFoundError
            Nothing of this name was ever there.
        """
        moves = tables.ref_moves
        row = self._connection.execute(
            select(moves)
            .where(moves.c.repo_id == repo.id, moves.c.name == name)
            .order_by(moves.c.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                f"Repo {repo.repo.name!r} never had a branch or tag {name!r}",
                kind=ErrorKind.REF_NOT_FOUND,
                hint=f"'datalake refs list-moves {repo.repo.name}' shows what moved",
                repo=repo.repo.name,
                ref=name,
            )
        return _move(repo, row), row.details or {}

    def nth_move(self, repo: RepoRow, name: str, back: int) -> RefMove | None:
        """Return the newest line of the reflog for a name but `back`, or None."""
        moves = tables.ref_moves
        row = self._connection.execute(
            select(moves)
            .where(moves.c.repo_id == repo.id, moves.c.name == name)
            .order_by(moves.c.id.desc())
            .limit(1)
            .offset(back)
        ).one_or_none()
        return None if row is None else _move(repo, row)

    def first_move(self, repo: RepoRow, name: str) -> RefMove | None:
        """Return the oldest line of the reflog for a name, or None."""
        moves = tables.ref_moves
        row = self._connection.execute(
            select(moves)
            .where(moves.c.repo_id == repo.id, moves.c.name == name)
            .order_by(moves.c.id)
            .limit(1)
        ).one_or_none()
        return None if row is None else _move(repo, row)

    def moves(
        self, repo: RepoRow, *, name: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, RefMove]]:
        """Return reflog lines with their numbers, newest first, below the number `before`."""
        moves = tables.ref_moves
        statement = (
            select(moves).where(moves.c.repo_id == repo.id).order_by(moves.c.id.desc()).limit(limit)
        )
        if name is not None:
            statement = statement.where(moves.c.name == name)
        if before is not None:
            statement = statement.where(moves.c.id < before)
        return [(row.id, _move(repo, row)) for row in self._connection.execute(statement)]

    def head_at(self, repo: RepoRow, name: str, at_ns: int) -> CommitId | None:
        """Return where a ref pointed at a time, or None if it did not exist then."""
        moves = tables.ref_moves
        commit_id = self._connection.execute(
            select(moves.c.new_commit_id)
            .where(moves.c.repo_id == repo.id, moves.c.name == name, moves.c.at_ns <= at_ns)
            .order_by(moves.c.id.desc())
            .limit(1)
        ).scalar_one_or_none()
        return None if commit_id is None else CommitId(commit_id)

    def heads_at(self, name: str, at_ns: int) -> dict[int, CommitId]:
        """Return where refs of one name pointed at a time, by key of their repo."""
        moves = tables.ref_moves
        last = (
            select(func.max(moves.c.id))
            .where(moves.c.name == name, moves.c.at_ns <= at_ns)
            .group_by(moves.c.repo_id)
        )
        rows = self._connection.execute(
            select(moves.c.repo_id, moves.c.new_commit_id).where(
                moves.c.id.in_(last), moves.c.new_commit_id.is_not(None)
            )
        )
        return {row.repo_id: CommitId(row.new_commit_id) for row in rows}

    def _check_free(self, repo: RepoRow, name: str) -> None:
        existing = self.find(repo, name)
        if existing is not None:
            raise AlreadyExistsError(
                f"Repo {repo.repo.name!r} has a {existing.kind} {name!r} already",
                kind=ErrorKind.REF_EXISTS,
                hint="Choose another name",
                repo=repo.repo.name,
                ref=name,
            )

    def _log(
        self,
        repo: RepoRow,
        name: str,
        kind: RefKind,
        old: CommitId | None,
        new: CommitId | None,
        by: str,
        reason: str,
        details: dict[str, str] | None = None,
    ) -> None:
        self._connection.execute(
            insert(tables.ref_moves).values(
                repo_id=repo.id,
                name=name,
                kind=str(kind),
                old_commit_id=old,
                new_commit_id=new,
                at_ns=self._now_ns,
                by=by,
                reason=reason,
                details=details,
            )
        )


def _move(repo: RepoRow, row: Row[Any]) -> RefMove:
    details = row.details or {}
    return RefMove(
        repo.repo.name,
        row.name,
        RefKind(row.kind),
        row.old_commit_id,
        row.new_commit_id,
        time_of(row.at_ns),
        row.by,
        row.reason,
        row.id,
        details.get("renamed_from"),
        details.get("renamed_to"),
    )


def _ref(repo: RepoRow, row: Row[Any]) -> Ref:
    return Ref(
        repo.repo.name,
        row.name,
        RefKind(row.kind),
        CommitId(row.commit_id),
        time_of(row.updated_ns),
        row.message,
        row.created_by,
    )
