"""Repos by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, insert, select, update

from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, time_of
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.repos import Repo, RepoHead, RepoKind
from jupyter_datalake.model.text import hint_of_similar

_WITH_HEAD = (
    select(
        tables.repos,
        tables.commits.c.id.label("head_id"),
        tables.commits.c.author_name,
        tables.commits.c.author_email,
        tables.commits.c.time_ns,
        tables.commits.c.message,
        tables.commits.c.file_count,
        tables.commits.c.size_bytes,
    )
    .outerjoin(
        tables.refs,
        (tables.refs.c.repo_id == tables.repos.c.id) & (tables.refs.c.name == DEFAULT_BRANCH),
    )
    .outerjoin(tables.commits, tables.commits.c.id == tables.refs.c.commit_id)
)


class RepoRow(NamedTuple):
    """A repo and the key that other tables know it by."""

    id: int
    repo: Repo


class DeletedRepo(NamedTuple):
    """A repo that can be restored."""

    id: int
    name: str
    deleted_at: datetime


class Repos(TableGroup):
    """Statements about `repos`."""

    def get(self, name: str) -> RepoRow:
        """Return a repo, or raise `NotFoundError`."""
        row = self.find(name)
        if row is None:
            raise NotFoundError(
                f"There is no repo {name!r}",
                kind=ErrorKind.REPO_NOT_FOUND,
                hint=hint_of_similar(
                    name,
                    self._some(tables.repos.c.name),
                    "'datalake repos list' shows what there is",
                ),
                repo=name,
            )
        return row

    def find(self, name: str) -> RepoRow | None:
        """Return a repo, or None."""
        row = self._connection.execute(_WITH_HEAD.where(tables.repos.c.name == name)).one_or_none()
        return None if row is None else _repo_row(row)

    def list(
        self, *, prefix: str = "", after: str = "", limit: int, kinds: frozenset[RepoKind]
    ) -> list[RepoRow]:
        """Return repos by name, at most `limit`, behind the name `after`."""
        repos = tables.repos
        statement = (
            _WITH_HEAD.where(
                repos.c.name > after,
                repos.c.deleted_ns.is_(None),
                repos.c.kind.in_([str(kind) for kind in kinds]),
            )
            .order_by(repos.c.name)
            .limit(limit)
        )
        if prefix:
            statement = statement.where(repos.c.name.startswith(prefix, autoescape=True))
        return [_repo_row(row) for row in self._connection.execute(statement)]

    def create(self, repo: Repo) -> int:
        """Insert a repo and return its key, or raise `AlreadyExistsError`."""
        if self.find(repo.name) is not None:
            raise AlreadyExistsError(
                f"There is a repo {repo.name!r} already",
                kind=ErrorKind.REPO_EXISTS,
                hint="Choose another name",
                repo=repo.name,
            )
        result = self._connection.execute(
            insert(tables.repos)
            .values(
                name=repo.name,
                kind=str(repo.kind),
                description=repo.description,
                created_ns=self._now_ns,
                created_by=repo.created_by,
            )
            .returning(tables.repos.c.id)
        )
        return int(result.scalar_one())

    def describe(self, repo_id: int, description: str) -> None:
        """Replace a repo's description."""
        self._connection.execute(
            update(tables.repos).where(tables.repos.c.id == repo_id).values(description=description)
        )

    def set_kind(self, repo_id: int, kind: RepoKind) -> None:
        """Record who writes to a repo from now on."""
        self._connection.execute(
            update(tables.repos).where(tables.repos.c.id == repo_id).values(kind=str(kind))
        )

    def delete(self, row: RepoRow) -> None:
        """Hide a repo and end its sessions; until it is purged, it can be restored."""
        repos = tables.repos
        for table in (tables.mounts, tables.sessions, tables.drafts):
            self._connection.execute(delete(table).where(table.c.repo_id == row.id))
        self._connection.execute(
            update(repos)
            .where(repos.c.id == row.id)
            .values(name=f"~{row.id}~{row.repo.name}", deleted_ns=self._now_ns)
        )

    def set_limit(self, repo_id: int, limit_bytes: int | None) -> None:
        """Record how much the tree of one commit may hold; None: as much as it likes."""
        self._connection.execute(
            update(tables.repos).where(tables.repos.c.id == repo_id).values(limit_bytes=limit_bytes)
        )

    def limit_of(self, repo_id: int) -> int | None:
        """Return how much the tree of one commit may hold, or None."""
        limit: int | None = self._connection.execute(
            select(tables.repos.c.limit_bytes).where(tables.repos.c.id == repo_id)
        ).scalar_one()
        return limit

    def list_deleted(self) -> Sequence[DeletedRepo]:
        """Return the deleted repos that can be restored, the last deleted one first."""
        repos = tables.repos
        refs = select(tables.refs.c.name).where(tables.refs.c.repo_id == repos.c.id)
        rows = self._connection.execute(
            select(repos)
            .where(repos.c.deleted_ns.is_not(None), refs.exists())
            .order_by(repos.c.deleted_ns.desc(), repos.c.id.desc())
        )
        return [DeletedRepo(row.id, shown_name(row.name), time_of(row.deleted_ns)) for row in rows]

    def restore(self, repo_id: int, name: str) -> None:
        """Give a deleted repo its name back; the caller has seen that it is free."""
        repos = tables.repos
        self._connection.execute(
            update(repos).where(repos.c.id == repo_id).values(name=name, deleted_ns=None)
        )

    def purge(self, deleted_before_ns: int) -> Sequence[str]:
        """Give up the refs and the reflog of repos that were deleted before a time.

        Their commits then go like all others that nobody needs, and the repo's row behind them:
        see `forget_empty`.
        """
        repos, refs = tables.repos, tables.refs
        named = select(refs.c.name).where(refs.c.repo_id == repos.c.id).exists()
        rows = self._connection.execute(
            select(repos.c.id, repos.c.name).where(repos.c.deleted_ns <= deleted_before_ns, named)
        ).all()
        ids = [row.id for row in rows]
        for batch in batched(ids):
            for table in (refs, tables.ref_moves, tables.retention):
                self._connection.execute(delete(table).where(table.c.repo_id.in_(batch)))
        return [shown_name(row.name) for row in rows]

    def forget_empty(self) -> None:
        """Remove the rows of purged repos that no commit belongs to any more."""
        repos = tables.repos
        owners = (tables.refs, tables.ref_moves, tables.commits)
        empty = self._connection.execute(
            select(repos.c.id).where(
                repos.c.deleted_ns.is_not(None),
                *(
                    ~select(table.c.repo_id).where(table.c.repo_id == repos.c.id).exists()
                    for table in owners
                ),
            )
        ).scalars()
        for batch in batched(empty.all()):
            removed = tables.removed_commits
            self._connection.execute(delete(removed).where(removed.c.repo_id.in_(batch)))
            self._connection.execute(delete(repos).where(repos.c.id.in_(batch)))

    def made_from(self, repo_id: int, limit: int) -> Sequence[str]:
        """Return other repos with commits that were made from commits of this one."""
        commits, inputs = tables.commits, tables.commit_inputs
        origin, repos = commits.alias("origin"), tables.repos
        rows = self._connection.execute(
            select(repos.c.name)
            .distinct()
            .join(commits, commits.c.repo_id == repos.c.id)
            .join(inputs, inputs.c.commit_id == commits.c.id)
            .join(origin, origin.c.id == inputs.c.input_commit_id)
            .where(origin.c.repo_id == repo_id, repos.c.id != repo_id, repos.c.deleted_ns.is_(None))
            .order_by(repos.c.name)
            .limit(limit)
        )
        return rows.scalars().all()


def shown_name(name: str) -> str:
    """Return the name that people know a repo by, also when it is deleted."""
    return name.split("~", 2)[2] if name.startswith("~") else name


def _repo_row(row: Row[Any]) -> RepoRow:
    head = None
    if row.head_id is not None:
        author = Author(row.author_name, row.author_email)
        head = RepoHead(
            CommitId(row.head_id),
            time_of(row.time_ns),
            str(author),
            row.message,
            row.file_count,
            row.size_bytes,
        )
    return RepoRow(
        row.id,
        Repo(
            row.name,
            RepoKind(row.kind),
            row.description,
            time_of(row.created_ns),
            row.created_by,
            head,
        ),
    )
