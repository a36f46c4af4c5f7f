"""Retention policies, and the marks of what they removed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched, time_of
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.retention import GraphCommit, RetentionPolicy


class RemovedCommit(NamedTuple):
    """A commit that is gone although later ones name it."""

    id: CommitId
    at: datetime
    by: str
    reason: str


class Retention(TableGroup):
    """Statements about `retention` and `removed_commits`."""

    def set(self, repo: RepoRow, policy: RetentionPolicy, by: str) -> None:
        """Keep a policy; one of the same branch is replaced."""
        rows = tables.retention
        self._connection.execute(
            delete(rows).where(rows.c.repo_id == repo.id, rows.c.branch == policy.branch)
        )
        keep_for = None if policy.keep_for_s is None else int(policy.keep_for_s)
        self._insert_missing(
            rows,
            [
                {
                    "repo_id": repo.id,
                    "branch": policy.branch,
                    "keep_last": policy.keep_last,
                    "keep_for_s": keep_for,
                    "keep_tagged": policy.keep_tagged,
                    "keep_inputs": policy.keep_inputs,
                    "updated_ns": self._now_ns,
                    "updated_by": by,
                }
            ],
        )

    def list(self, repo: RepoRow | None = None) -> Sequence[RetentionPolicy]:
        """Return the policies of one repo or of all, by repo and branch."""
        rows, repos = tables.retention, tables.repos
        statement = (
            select(rows, repos.c.name)
            .join(repos, repos.c.id == rows.c.repo_id)
            .where(repos.c.deleted_ns.is_(None))
            .order_by(repos.c.name, rows.c.branch)
        )
        if repo is not None:
            statement = statement.where(rows.c.repo_id == repo.id)
        return [
            RetentionPolicy(
                row.name,
                row.branch,
                row.keep_last,
                None if row.keep_for_s is None else float(row.keep_for_s),
                row.keep_tagged,
                row.keep_inputs,
            )
            for row in self._connection.execute(statement)
        ]

    def delete(self, repo: RepoRow, branch: str) -> None:
        """Forget a policy, or raise `NotFoundError`."""
        rows = tables.retention
        found = self._connection.execute(
            delete(rows).where(rows.c.repo_id == repo.id, rows.c.branch == branch)
        )
        if not found.rowcount:
            what = f"branch {branch!r}" if branch else "all branches"
            raise NotFoundError(
                f"Repo {repo.repo.name!r} has no retention policy for {what}",
                kind=ErrorKind.POLICY_NOT_FOUND,
                hint="'datalake retention list' shows those there are",
                repo=repo.repo.name,
                ref=branch,
            )

    def graph(self, repo: RepoRow) -> dict[CommitId, GraphCommit]:
        """Return every commit of a repo with its parents; about 500 bytes each."""
        commits, parents = tables.commits, tables.commit_parents
        times = {
            CommitId(row.id): row.time_ns
            for row in self._connection.execute(
                select(commits.c.id, commits.c.time_ns).where(commits.c.repo_id == repo.id)
            )
        }
        ids = {commit_id: commit_id for commit_id in times}  # each once in memory
        above: dict[CommitId, tuple[CommitId, ...]] = {}
        for row in self._connection.execute(
            select(parents.c.commit_id, parents.c.parent_id)
            .join(commits, commits.c.id == parents.c.commit_id)
            .where(commits.c.repo_id == repo.id)
            .order_by(parents.c.commit_id, parents.c.position)
        ):
            child, parent = ids[row.commit_id], CommitId(row.parent_id)
            above[child] = (*above.get(child, ()), ids.get(parent, parent))
        return {
            commit_id: GraphCommit(above.get(commit_id, ()), time_ns)
            for commit_id, time_ns in times.items()
        }

    def mark_removed(
        self, repo: RepoRow, ids: Collection[CommitId], *, by: str, reason: str
    ) -> None:
        """Note, of commits that were just removed, those that others still name as parents."""
        parents = tables.commit_parents
        for batch in batched(ids):
            named = self._connection.execute(
                select(parents.c.parent_id).distinct().where(parents.c.parent_id.in_(batch))
            ).scalars()
            self._insert_missing(
                tables.removed_commits,
                [
                    {
                        "id": one,
                        "repo_id": repo.id,
                        "at_ns": self._now_ns,
                        "by": by,
                        "reason": reason,
                    }
                    for one in named
                ],
            )

    def find_removed(self, commit_id: CommitId) -> RemovedCommit | None:
        """Return what is noted of a commit that was removed, or None."""
        removed = tables.removed_commits
        row = self._connection.execute(
            select(removed).where(removed.c.id == commit_id)
        ).one_or_none()
        if row is None:
            return None
        return RemovedCommit(CommitId(row.id), time_of(row.at_ns), row.by, row.reason)
