"""Commits and their parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from jupyter_datalake.errors import ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, begins_with, time_of
from jupyter_datalake.metadata.facts import fact_of, facts_of
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.commit_filters import CommitFilter
from jupyter_datalake.model.commits import (
    CODE_INPUT,
    Author,
    Commit,
    provenance_as_dict,
    provenance_from_dict,
)
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId, short_id

_MAX_CANDIDATES = 10
"""How many commits an ambiguous id names."""


class Commits(TableGroup):
    """Statements about `commits` with their parents, inputs and facts."""

    def add(self, repo_id: int, commit: Commit) -> None:
        """Insert a commit with its edges; one that is there already stays as it is.

        The id is the digest of everything inserted, so writing twice, after an answer that was
        lost, cannot differ.
        """
        self._insert_missing(
            tables.commits,
            [_values(repo_id, commit)],
        )
        self._insert_missing(
            tables.commit_parents,
            [
                {"commit_id": commit.id, "position": position, "parent_id": parent}
                for position, parent in enumerate(commit.parents)
            ],
        )
        self._insert_missing(
            tables.commit_facts,
            [{"fact": fact, "commit_id": commit.id} for fact in facts_of(commit.metadata)],
        )
        edges = [(one.name, one.commit_id) for one in commit.provenance.inputs]
        if commit.provenance.code is not None:
            edges.append((CODE_INPUT, commit.provenance.code.commit_id))
        self._insert_missing(
            tables.commit_inputs,
            [
                {"commit_id": commit.id, "name": name, "input_commit_id": input_id}
                for name, input_id in edges
            ],
        )

    def restore(self, commit: Commit) -> None:
        """Give a commit that is there the values it was made with, where its rows were changed."""
        commits = tables.commits
        repo_id = self._connection.execute(
            select(commits.c.repo_id).where(commits.c.id == commit.id)
        ).scalar_one()
        for table in (tables.commit_parents, tables.commit_inputs, tables.commit_facts):
            self._connection.execute(delete(table).where(table.c.commit_id == commit.id))
        self._connection.execute(
            update(commits).where(commits.c.id == commit.id).values(_values(repo_id, commit))
        )
        self.add(repo_id, commit)

    def get_many(self, ids: Iterable[CommitId]) -> dict[CommitId, Commit]:
        """Return those of the commits that exist."""
        found: dict[CommitId, Commit] = {}
        for batch in batched(ids):
            rows = self._connection.execute(
                select(tables.commits).where(tables.commits.c.id.in_(batch))
            ).all()
            parents = self._parents([row.id for row in rows])
            for row in rows:
                found[CommitId(row.id)] = _commit(row, parents.get(row.id, ()))
        return found

    def get(self, commit_id: CommitId) -> Commit:
        """Return a commit of any repo, or raise `NotFoundError`."""
        commit = self.get_many([commit_id]).get(commit_id)
        if commit is None:
            removed = tables.removed_commits
            mark = self._connection.execute(
                select(removed).where(removed.c.id == commit_id)
            ).one_or_none()
            what = f"There is no commit {commit_id}"
            if mark is not None:
                day = time_of(mark.at_ns).date()
                what = f"Commit {commit_id} was removed on {day} by {mark.by}: {mark.reason}"
            raise NotFoundError(what, kind=ErrorKind.COMMIT_NOT_FOUND, commit=commit_id)
        return commit

    def resolve_prefix(self, repo: RepoRow, prefix: str) -> CommitId | None:
        """Return the repo's one commit whose id begins with `prefix`, or None.

        Raises
        ------
        InvalidInputError
            Several commits begin so; `context` lists the first of them as `candidates`.
        """
        commits = tables.commits
        ids = (
            self._connection.execute(
                select(commits.c.id)
                .where(
                    commits.c.repo_id == repo.id,
                    begins_with(commits.c.id, prefix),
                )
                .order_by(commits.c.id)
                .limit(_MAX_CANDIDATES + 1)
            )
            .scalars()
            .all()
        )
        if len(ids) > 1:
            shown = [short_id(one) for one in ids[:_MAX_CANDIDATES]]
            more = " …" if len(ids) > _MAX_CANDIDATES else ""
            raise InvalidInputError(
                f"{prefix!r} is the beginning of several commits of {repo.repo.name!r}:"
                f" {', '.join(shown)}{more}",
                kind=ErrorKind.INVALID_REF,
                hint="Write more digits",
                repo=repo.repo.name,
                ref=prefix,
                candidates=ids[:_MAX_CANDIDATES],
            )
        return CommitId(ids[0]) if ids else None

    def parent(self, commit_id: CommitId, position: int) -> CommitId | None:
        """Return one parent of a commit, or None."""
        parents = tables.commit_parents
        found = self._connection.execute(
            select(parents.c.parent_id).where(
                parents.c.commit_id == commit_id, parents.c.position == position
            )
        ).scalar_one_or_none()
        return None if found is None else CommitId(found)

    def first_parents(self, start: CommitId, *, limit: int, skip: int = 0) -> list[CommitId]:
        """Return the chain of first parents from `start` on, itself included, newest first."""
        parents = tables.commit_parents
        chain = select(self._text(start).label("id"), literal(0).label("depth")).cte(
            "chain", recursive=True
        )
        chain = chain.union_all(
            select(parents.c.parent_id, chain.c.depth + 1).where(
                parents.c.commit_id == chain.c.id,
                parents.c.position == 0,
                chain.c.depth < skip + limit - 1,
            )
        )
        rows = self._connection.execute(
            select(chain.c.id).where(chain.c.depth >= skip).order_by(chain.c.depth)
        )
        return [CommitId(row.id) for row in rows]

    def ancestors(
        self, start: CommitId, *, limit: int
    ) -> list[tuple[CommitId, int, tuple[CommitId, ...]]]:
        """Return id, time and parents of a commit and those that led to it, nearest first.

        At most `limit`; a commit that is not there any more is left out, and with it what only
        it leads to.
        """
        commits, parents = tables.commits, tables.commit_parents
        line = select(commits.c.id, commits.c.time_ns).where(commits.c.id == start)
        found = line.cte("found", recursive=True)
        found = found.union(
            select(commits.c.id, commits.c.time_ns)
            .join(parents, parents.c.parent_id == commits.c.id)
            .join(found, found.c.id == parents.c.commit_id)
        )
        rows = self._connection.execute(select(found.c.id, found.c.time_ns).limit(limit)).all()
        of_each = self._parents([row.id for row in rows])
        return [(CommitId(row.id), row.time_ns, of_each.get(row.id, ())) for row in rows]

    def of_other_repos(self, ids: Iterable[CommitId], repo: RepoRow | None) -> set[CommitId]:
        """Return those of the ids that are commits here, of another repo than `repo`."""
        commits = tables.commits
        ours = -1 if repo is None else repo.id
        found: set[CommitId] = set()
        for batch in batched(ids):
            rows = self._connection.execute(
                select(commits.c.id).where(commits.c.id.in_(batch), commits.c.repo_id != ours)
            )
            found.update(CommitId(value) for value in rows.scalars())
        return found

    def known(self, ids: Iterable[CommitId]) -> set[CommitId]:
        """Return those of the ids that are commits here."""
        commits = tables.commits
        found: set[CommitId] = set()
        for batch in batched(ids):
            rows = self._connection.execute(select(commits.c.id).where(commits.c.id.in_(batch)))
            found.update(CommitId(value) for value in rows.scalars())
        return found

    def search(
        self, wanted: CommitFilter, *, repos: str | None = None, after: CommitId | None, limit: int
    ) -> list[Commit]:
        """Return commits of the lake that fit a filter, newest first, at most `limit`.

        Metadata, global ids and times are looked up in indexes; texts are compared row by row,
        the newest first. Only ASCII letters are equal in both cases on SQLite.

        Parameters
        ----------
        repos
            Only of repos whose name fits: ``*`` stands for any text, ``?`` for one character.
        after
            The last commit of the page before.
        """
        commits = tables.commits
        statement = (
            select(commits)
            .where(*_conditions(wanted))
            .order_by(commits.c.time_ns.desc(), commits.c.id.desc())
            .limit(limit)
        )
        statement = statement.where(commits.c.repo_id.in_(_repos_named(repos)))
        if after is not None:
            last = self.get(after)
            statement = statement.where(
                or_(
                    commits.c.time_ns < last.time_ns,
                    and_(commits.c.time_ns == last.time_ns, commits.c.id < last.id),
                )
            )
        rows = self._connection.execute(statement).all()
        parents = self._parents([row.id for row in rows])
        return [_commit(row, parents.get(row.id, ())) for row in rows]

    def by_global_id(self, global_id: GlobalId) -> list[Commit]:
        """Return the commits under a global id, oldest first."""
        commits = tables.commits
        rows = self._connection.execute(
            select(commits)
            .where(commits.c.global_id == global_id)
            .order_by(commits.c.time_ns, commits.c.id)
        ).all()
        parents = self._parents([row.id for row in rows])
        return [_commit(row, parents.get(row.id, ())) for row in rows]

    def iter_ids(self, repo: RepoRow | None, *, after: str = "", limit: int) -> list[CommitId]:
        """Return commit ids in order of id behind `after`: for verification, not for people."""
        commits = tables.commits
        statement = (
            select(commits.c.id).where(commits.c.id > after).order_by(commits.c.id).limit(limit)
        )
        if repo is not None:
            statement = statement.where(commits.c.repo_id == repo.id)
        return [CommitId(value) for value in self._connection.execute(statement).scalars()]

    def tips(self, repo: RepoRow) -> list[tuple[str, CommitId]]:
        """Return branch and id of the commits that no later one was made on, on their branch."""
        commits, parents = tables.commits, tables.commit_parents
        later = commits.alias("later")
        followed = (
            select(later.c.id)
            .join(parents, parents.c.commit_id == later.c.id)
            .where(
                parents.c.parent_id == commits.c.id,
                later.c.repo_id == commits.c.repo_id,
                later.c.branch == commits.c.branch,
            )
            .exists()
        )
        rows = self._connection.execute(
            select(commits.c.branch, commits.c.id)
            .where(commits.c.repo_id == repo.id, ~followed)
            .order_by(commits.c.branch, commits.c.id)
        )
        return [(row.branch, CommitId(row.id)) for row in rows]

    def _parents(self, ids: list[str]) -> dict[str, tuple[CommitId, ...]]:
        parents = tables.commit_parents
        grouped: dict[str, list[CommitId]] = {}
        for batch in batched(ids):
            rows = self._connection.execute(
                select(parents)
                .where(parents.c.commit_id.in_(batch))
                .order_by(parents.c.commit_id, parents.c.position)
            )
            for row in rows:
                grouped.setdefault(row.commit_id, []).append(CommitId(row.parent_id))
        return {commit_id: tuple(found) for commit_id, found in grouped.items()}


def _conditions(wanted: CommitFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what a filter asks of a row."""
    commits, facts = tables.commits, tables.commit_facts
    for text, columns in (
        (wanted.text, [commits.c.message]),
        (wanted.author, [commits.c.author_name, commits.c.author_email]),
    ):
        if text is not None:
            lower = text.lower()
            yield or_(*(func.lower(one).contains(lower, autoescape=True) for one in columns))
    if wanted.since_ns is not None:
        yield commits.c.time_ns >= wanted.since_ns
    if wanted.until_ns is not None:
        yield commits.c.time_ns <= wanted.until_ns
    if wanted.global_id is not None:
        yield and_(
            commits.c.global_id >= wanted.global_id, commits.c.global_id < wanted.global_id + "g"
        )
    for key, value in wanted.metadata.items():
        found = select(facts.c.commit_id).where(facts.c.fact == fact_of(key, value))
        yield commits.c.id.in_(found)


def _repos_named(pattern: str | None) -> Select[tuple[int]]:
    """Return the keys of the repos whose name fits; none that was deleted."""
    repos = tables.repos
    statement = select(repos.c.id).where(repos.c.deleted_ns.is_(None))
    if pattern is not None:
        statement = statement.where(repos.c.name.like(_like(pattern), escape="\\"))
    return statement


def _like(pattern: str) -> str:
    """Return a LIKE pattern for a name with ``*`` and ``?``."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def _values(repo_id: int, commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.id,
        "repo_id": repo_id,
        "repo": commit.repo,
        "branch": commit.branch,
        "root": commit.root,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "time_ns": commit.time_ns,
        "message": commit.message,
        "global_id": commit.global_id,
        "metadata": commit.metadata,
        "provenance": provenance_as_dict(commit.provenance),
        "file_count": commit.file_count,
        "size_bytes": commit.size_bytes,
    }


def _commit(row: Row[Any], parents: tuple[CommitId, ...]) -> Commit:
    return Commit(
        id=CommitId(row.id),
        repo=row.repo,
        branch=row.branch,
        root=Digest(row.root),
        parents=parents,
        author=Author(row.author_name, row.author_email),
        time_ns=row.time_ns,
        message=row.message,
        global_id=GlobalId(row.global_id),
        metadata=row.metadata,
        provenance=provenance_from_dict(row.provenance),
        file_count=row.file_count,
        size_bytes=row.size_bytes,
    )
