"""Moving refs by hand: reset, rename, and undoing the last move of one.

Each is one transaction with compare-and-swap, one row, and a line of the reflog (two for a
rename), whatever the repo holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.history import resolve_in
from jupyter_datalake.engine.writing import announce_by_hand, check_writable
from jupyter_datalake.errors import ConflictError, ErrorKind, StateError
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, check_ref_name, short_id
from jupyter_datalake.model.jobs import LIVE_STATES
from jupyter_datalake.model.refs import (
    DEFAULT_BRANCH,
    Ref,
    RefKind,
    RefMove,
    parse_ref_expression,
)

_ALL = 1_000_000
_MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class RefMoves:
    """Changes to where the refs of one lake point, in somebody's name."""

    core: LakeCore
    author: Author

    def reset(self, repo: str, branch: str, to: str, *, expected: str | None, force: bool) -> Ref:
        """Point a branch to any commit of its repo; nothing where it is there already.

        Raises
        ------
        ConflictError
            The branch is not at `expected`.
        StateError
            A session or a job depends on where it is (``in-use``), and `force` is not set.
        """
        wanted = parse_ref_expression(to)
        known = None if expected is None else parse_ref_expression(expected)

        def work(tx: Transaction) -> Ref:
            row = tx.repos.get(repo)
            check_writable(tx, row, branch)
            ref = tx.refs.get(row, branch, RefKind.BRANCH)
            target = tx.commits.get(resolve_in(tx, row, wanted)).id
            if known is not None and (at := resolve_in(tx, row, known)) != ref.commit_id:
                raise _moved(ref, f"is not at {short_id(at)}")
            if target != ref.commit_id:
                self._move(tx, row, ref, target, f"reset to {to}", force=force)
            return tx.refs.get(row, branch)

        return self.core.metadata.transact(work)

    def rename(self, repo: str, name: str, new_name: str) -> Ref:
        """Give a branch or tag another name; its commits and its message stay.

        Raises
        ------
        AlreadyExistsError
            The new name is taken.
        StateError
            It is the main branch, or somebody depends on the name (``in-use``).
        """

        def work(tx: Transaction) -> Ref:
            row = tx.repos.get(repo)
            ref = tx.refs.get(row, name)
            check_ref_name(new_name, str(ref.kind))
            return self._rename(tx, row, ref, new_name, f"rename {name} to {new_name}")

        return self.core.metadata.transact(work)

    def undo(self, repo: str, name: str, *, move: int | None, force: bool) -> RefMove:
        """Put a ref back to what it was before its last move, and return the move that did it.

        That is a move like any other: undoing it brings back what was undone.

        Raises
        ------
        ConflictError
            The last move is not number `move`, or the other name of a rename moved since.
        NotFoundError
            There never was such a ref, or the commit it was at is gone.
        StateError
            Somebody depends on where the ref is (``in-use``), and `force` is not set.
        """

        def work(tx: Transaction) -> RefMove:
            row = tx.repos.get(repo)
            last, details = tx.refs.last_move(row, name)
            if move is not None and last.number != move:
                raise ConflictError(
                    f"{repo}@{name} moved again since move {move}: move {last.number}"
                    f" by {last.by} ({last.reason})",
                    kind=ErrorKind.BRANCH_MOVED,
                    hint=f"Undo that one first, or reset the branch; 'datalake refs list-moves"
                    f" {repo} --name {name}' shows all",
                    repo=repo,
                    ref=name,
                    expected=move,
                    actual=last.number,
                )
            self._undo(tx, row, last, details, force=force)
            return tx.refs.last_move(row, name)[0]

        return self.core.metadata.transact(work)

    # --- inside ----------------------------------------------------------------------------------

    def _undo(
        self, tx: Transaction, row: RepoRow, last: RefMove, details: dict[str, Any], *, force: bool
    ) -> None:
        reason = f"undo move {last.number}: {last.reason}"[:_MAX_REASON]
        other = last.renamed_to or last.renamed_from
        if other is not None:
            self._undo_rename(tx, row, last, other, reason)
        elif last.old_commit_id is None:
            self._delete(tx, row, tx.refs.get(row, last.name, last.kind), reason)
        elif last.new_commit_id is None:
            at = tx.commits.get(last.old_commit_id).id
            tx.refs.create(
                row, last.name, last.kind, at, by=str(self.author), reason=reason, **details
            )
            self._announce(tx, row, last.name, last.kind, at)
        else:
            check_writable(tx, row, last.name)
            at = tx.commits.get(last.old_commit_id).id
            ref = tx.refs.get(row, last.name, last.kind)
            self._move(tx, row, ref, at, reason, force=force)

    def _undo_rename(
        self, tx: Transaction, row: RepoRow, last: RefMove, other: str, reason: str
    ) -> None:
        """Give a ref its old name back, where neither name moved since."""
        now, before = (other, last.name) if last.renamed_to else (last.name, other)
        partner, _ = tx.refs.last_move(row, other)
        ref = tx.refs.find(row, now)
        is_pair = {partner.renamed_to, partner.renamed_from} == {None, last.name}
        if ref is None or not is_pair or partner.at != last.at:
            raise ConflictError(
                f"{row.repo.name}@{other} moved since the rename:"
                f" move {partner.number} by {partner.by} ({partner.reason})",
                kind=ErrorKind.BRANCH_MOVED,
                hint="Undo that one first, or rename the ref",
                repo=row.repo.name,
                ref=other,
                actual=partner.number,
            )
        self._rename(tx, row, ref, before, reason)

    def _move(
        self, tx: Transaction, row: RepoRow, ref: Ref, to: CommitId, reason: str, *, force: bool
    ) -> None:
        if not force:
            self._check_free(row, ref.name, _dependents(tx, row, ref.name, to), "move")
        tx.refs.move(
            row,
            ref.name,
            expected=ref.commit_id,
            new=to,
            by=str(self.author),
            reason=reason[:_MAX_REASON],
        )
        announce_by_hand(tx, row, ref.name, to, self.author)

    def _rename(self, tx: Transaction, row: RepoRow, ref: Ref, name: str, reason: str) -> Ref:
        if ref.kind is RefKind.BRANCH:
            self._check_free(row, ref.name, _holders(tx, row, ref.name), "rename")
        renamed = tx.refs.rename(row, ref, name, by=str(self.author), reason=reason)
        tx.events.append(EventKind.REF_MOVED, row.repo.name, ref=ref.name, commit=None)
        self._announce(tx, row, name, ref.kind, ref.commit_id)
        return renamed

    def _delete(self, tx: Transaction, row: RepoRow, ref: Ref, reason: str) -> None:
        if ref.kind is RefKind.BRANCH:
            self._check_free(row, ref.name, _holders(tx, row, ref.name), "remove")
        tx.refs.delete(row, ref, by=str(self.author), reason=reason)
        tx.events.append(EventKind.REF_MOVED, row.repo.name, ref=ref.name, commit=None)

    def _announce(
        self, tx: Transaction, row: RepoRow, name: str, kind: RefKind, at: CommitId
    ) -> None:
        if kind is RefKind.BRANCH:
            announce_by_hand(tx, row, name, at, self.author)
        else:
            tx.events.append(EventKind.REF_MOVED, row.repo.name, ref=name, commit=at)

    def _check_free(self, row: RepoRow, branch: str, users: list[str], what: str) -> None:
        if users:
            force = ", or force it" if what == "move" else ""
            raise StateError(
                f"To {what} branch {row.repo.name}@{branch} would pull it from under"
                f" {', '.join(users)}",
                kind=ErrorKind.IN_USE,
                hint=f"Commit or discard sessions and wait for jobs first{force}",
                repo=row.repo.name,
                ref=branch,
                users=users,
            )


def _dependents(tx: Transaction, row: RepoRow, branch: str, to: CommitId) -> list[str]:
    """Return who built on where a branch is: sessions, and jobs that have not ended."""
    sessions = [
        f"session {one.id} of {one.owner}"
        for one in tx.sessions.list(row)
        if one.branch == branch and one.base_commit_id != to
    ]
    readers = {
        edge.pipeline
        for edge in tx.pipelines.edges()
        if (edge.repo, edge.branch) == (row.repo.name, branch)
    }
    if not readers:
        return sessions
    live = tx.jobs.list(states=LIVE_STATES, limit=_ALL)
    return sessions + [f"job {one.id} of {one.pipeline}" for one in live if one.pipeline in readers]


def _holders(tx: Transaction, row: RepoRow, branch: str) -> list[str]:
    """Return who knows a branch by its name, and main itself, which everybody does."""
    name = row.repo.name
    held: list[str] = []
    if branch == DEFAULT_BRANCH:
        held.append("the repo, which always has it")
    held += [f"session {one.id}" for one in tx.sessions.list(row) if one.branch == branch]
    held += [
        f"mount {one.path}" for one in tx.mounts.list() if (one.repo, one.ref) == (name, branch)
    ]
    held += sorted(
        {
            f"pipeline {edge.pipeline}"
            for edge in tx.pipelines.edges()
            if (edge.repo, edge.branch) == (name, branch)
        }
    )
    return held


def _moved(ref: Ref, how: str) -> ConflictError:
    return ConflictError(
        f"Branch {ref.repo}@{ref.name} {how}: it moved to {short_id(ref.commit_id)}",
        kind=ErrorKind.BRANCH_MOVED,
        hint="Look at the new commits and try again",
        repo=ref.repo,
        ref=ref.name,
        actual=ref.commit_id,
    )
