"""Sessions: which branches are being written to, and from which commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.sessions import Draft, SessionInfo


class Sessions(TableGroup):
    """Statements about `sessions`."""

    def create(
        self,
        session_id: str,
        repo: RepoRow,
        branch: str,
        base: CommitId,
        owner: str,
        *,
        place: str | None = None,
        name: str | None = None,
        notebook: str | None = None,
    ) -> SessionInfo:
        """Insert a session.

        Parameters
        ----------
        place
            Where what is staged lies.
        name, notebook
            As of `SessionInfo`.
        """
        self._connection.execute(
            insert(tables.sessions).values(
                id=session_id,
                repo_id=repo.id,
                branch=branch,
                base_commit_id=base,
                owner=owner,
                place=place,
                name=name,
                notebook=notebook,
                created_ns=self._now_ns,
                updated_ns=self._now_ns,
            )
        )
        now = time_of(self._now_ns)
        return SessionInfo(
            session_id, repo.repo.name, branch, base, owner, now, now, name, notebook
        )

    def get(self, session_id: str) -> SessionInfo:
        """Return a session, or raise `NotFoundError`."""
        found = self._select(tables.sessions.c.id == session_id)
        if not found:
            raise NotFoundError(
                f"There is no session {session_id!r}",
                kind=ErrorKind.SESSION_NOT_FOUND,
                hint="'datalake sessions list' shows those that are open",
                session=session_id,
            )
        return found[0]

    def place(self, session_id: str) -> str | None:
        """Return where what is staged in a session lies; None where that was not recorded."""
        return self._connection.execute(
            select(tables.sessions.c.place).where(tables.sessions.c.id == session_id)
        ).scalar_one_or_none()

    def list(self, repo: RepoRow | None = None) -> Sequence[SessionInfo]:
        """Return the open sessions, of one repo or of all, oldest first."""
        if repo is None:
            return self._select()
        return self._select(tables.sessions.c.repo_id == repo.id)

    def rebase(self, session_id: str, base: CommitId) -> None:
        """Record that the staged changes are now relative to `base`."""
        self._connection.execute(
            update(tables.sessions)
            .where(tables.sessions.c.id == session_id)
            .values(base_commit_id=base, updated_ns=self._now_ns)
        )

    # --- drafts ----------------------------------------------------------------------------------

    def save_draft(
        self, session_id: str, base: CommitId, root: Digest, changes: int
    ) -> Draft | None:
        """Record the draft of a session in place of its last one; None if that has moved on."""
        sessions, drafts = tables.sessions, tables.drafts
        row = self._connection.execute(
            select(sessions).where(sessions.c.id == session_id, sessions.c.base_commit_id == base)
        ).one_or_none()
        if row is None:
            return None
        values = {
            "base_commit_id": base,
            "root": root,
            "changes": changes,
            "saved_ns": self._now_ns,
        }
        fixed = {"repo_id": row.repo_id, "branch": row.branch, "owner": row.owner}
        self._insert_missing(drafts, [{"session_id": session_id, **fixed, **values}])
        self._connection.execute(
            update(drafts).where(drafts.c.session_id == session_id).values(**values)
        )
        return self.get_draft(session_id)

    def list_drafts(self, repo: RepoRow | None = None) -> Sequence[Draft]:
        """Return the drafts, of one repo or of all, newest first."""
        if repo is None:
            return self._select_drafts()
        return self._select_drafts(tables.drafts.c.repo_id == repo.id)

    def get_draft(self, session_id: str) -> Draft:
        """Return the draft of a session, or raise `NotFoundError`."""
        found = self._select_drafts(tables.drafts.c.session_id == session_id)
        if not found:
            raise NotFoundError(
                f"There is no draft of session {session_id!r}",
                kind=ErrorKind.SESSION_NOT_FOUND,
                hint="'datalake sessions drafts' shows those there are",
                session=session_id,
            )
        return found[0]

    def draft_root(self, session_id: str) -> Digest:
        """Return the tree of a session's draft."""
        drafts = tables.drafts
        root = self._connection.execute(
            select(drafts.c.root).where(drafts.c.session_id == session_id)
        ).scalar_one()
        return Digest(bytes(root))

    def delete_draft(self, session_id: str) -> None:
        """Forget the draft of a session, if there is one; its pins are the caller's to release."""
        drafts = tables.drafts
        self._connection.execute(delete(drafts).where(drafts.c.session_id == session_id))

    def _select_drafts(self, *conditions: Any) -> Sequence[Draft]:
        drafts, repos, sessions = tables.drafts, tables.repos, tables.sessions
        rows = self._connection.execute(
            select(drafts, repos.c.name.label("repo"), sessions.c.id.label("known"))
            .join(repos, repos.c.id == drafts.c.repo_id)
            .outerjoin(sessions, sessions.c.id == drafts.c.session_id)
            .where(*conditions)
            .order_by(drafts.c.saved_ns.desc(), drafts.c.session_id)
        )
        return [
            Draft(
                row.session_id,
                row.repo,
                row.branch,
                CommitId(row.base_commit_id),
                row.changes,
                row.owner,
                time_of(row.saved_ns),
                row.known is not None,
            )
            for row in rows
        ]

    def delete(self, session_id: str) -> None:
        """Forget a session."""
        self._connection.execute(delete(tables.sessions).where(tables.sessions.c.id == session_id))

    def _select(self, *conditions: Any) -> Sequence[SessionInfo]:
        sessions, repos = tables.sessions, tables.repos
        rows = self._connection.execute(
            select(sessions, repos.c.name.label("repo"))
            .join(repos, repos.c.id == sessions.c.repo_id)
            .where(*conditions)
            .order_by(sessions.c.created_ns, sessions.c.id)
        )
        return [_session(row) for row in rows]


def _session(row: Row[Any]) -> SessionInfo:
    return SessionInfo(
        row.id,
        row.repo,
        row.branch,
        CommitId(row.base_commit_id),
        row.owner,
        time_of(row.created_ns),
        time_of(row.updated_ns),
        row.name,
        row.notebook,
    )
