"""Repos by name."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Row, delete, insert, select, update

from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.repos import Repo, RepoHead, RepoKind

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


class Repos(TableGroup):
    """Statements about `repos`."""

    def get(self, name: str) -> RepoRow:
        """Return a repo, or raise `NotFoundError`."""
        row = self.find(name)
        if row is None:
            raise NotFoundError(
                f"There is no repo {name!r}",
                kind=ErrorKind.REPO_NOT_FOUND,
                hint="'datalake repos list' shows what there is",
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
            _WITH_HEAD.where(repos.c.name > after, repos.c.kind.in_([str(kind) for kind in kinds]))
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

    def delete(self, repo_id: int) -> None:
        """Remove a repo with its refs, reflog, sessions and commits."""
        ours = select(tables.commits.c.id).where(tables.commits.c.repo_id == repo_id)
        for table in (tables.refs, tables.ref_moves, tables.mounts, tables.sessions):
            self._connection.execute(delete(table).where(table.c.repo_id == repo_id))
        for table in (tables.commit_parents, tables.commit_inputs):
            self._connection.execute(delete(table).where(table.c.commit_id.in_(ours)))
        self._connection.execute(delete(tables.commits).where(tables.commits.c.repo_id == repo_id))
        self._connection.execute(delete(tables.repos).where(tables.repos.c.id == repo_id))


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
