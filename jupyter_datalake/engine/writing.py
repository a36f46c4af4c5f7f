"""What every verb that moves a branch by hand shares: who may, trying again, and telling others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.turns import in_turn
from jupyter_datalake.errors import ErrorKind, PermissionDeniedError
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Author, Commit, Origin
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.lineage import GlobalOrigin
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind
from jupyter_datalake.model.repos import RepoKind

T = TypeVar("T")


def check_writable(tx: Transaction, row: RepoRow, branch: str) -> None:
    """Refuse what people must not write to: tags, commits, and what a pipeline writes.

    Raises
    ------
    PermissionDeniedError
        It is a tag, or the branch that a pipeline writes.
    NotFoundError
        There is no such branch.
    """
    repo = row.repo.name
    ref = tx.refs.find(row, branch)
    if ref is not None and ref.kind is not RefKind.BRANCH:
        raise PermissionDeniedError(
            f"{repo}@{branch} is a tag; only branches can be written to",
            hint="Create a branch at it: datalake refs create-branch",
            repo=repo,
            ref=branch,
        )
    if row.repo.kind is not RepoKind.USER and branch == DEFAULT_BRANCH:
        raise PermissionDeniedError(
            f"{repo}@{branch} is written by pipeline {repo.removesuffix('.code')!r} only",
            kind=ErrorKind.NOT_ALLOWED,
            hint="Copy the files to a repo of your own, or create a branch",
            repo=repo,
            ref=branch,
        )
    tx.refs.get(row, branch, RefKind.BRANCH)


def writable_head(core: LakeCore, repo: str, branch: str) -> Commit:
    """Return the head of a branch that people may write to."""
    with core.metadata.read() as tx:
        row = tx.repos.get(repo)
        check_writable(tx, row, branch)
        return tx.commits.get(tx.refs.get(row, branch, RefKind.BRANCH).commit_id)


def on_head(core: LakeCore, repo: str, branch: str, act: Callable[[Commit], T]) -> T:
    """Return what `act` makes of a branch's head, done anew each time that the branch moved.

    Writers of one machine take turns, so what takes long and needs no head is done before. What
    is to have one global id takes it from outside of `act`, too.

    Raises
    ------
    ConflictError
        The branch kept moving (``branch-moved``, retryable), or what `act` raises.
    """
    return in_turn(core, [(repo, branch)], lambda: act(head_of(core, repo, branch)))


def announce_by_hand(
    tx: Transaction, row: RepoRow, name: str, commit_id: CommitId, author: Author
) -> None:
    """Tell followers that somebody pointed a branch to a commit that was there before.

    It begins a global id of its own: what pipelines make of it is not what they made of the
    commit when it was new.
    """
    global_id = new_global_id()
    tx.lineage.begin(global_id, GlobalOrigin.COMMIT, row.repo.name, str(author))
    tx.events.append(
        EventKind.REF_MOVED,
        row.repo.name,
        ref=name,
        commit=commit_id,
        global_id=global_id,
        origin=str(Origin.SESSION),
    )
