"""Applying retention policies, and squashing: making history shorter."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_datalake.engine.commits import CommitRequest, commit_in_place
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.gc import users_of
from jupyter_datalake.engine.history import resolve_in
from jupyter_datalake.engine.writing import on_head, writable_head
from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Author, Commit
from jupyter_datalake.model.ids import CommitId, short_id
from jupyter_datalake.model.refs import RefKind, parse_ref_expression
from jupyter_datalake.model.retention import RetentionPolicy, RetentionReport, expired

_BATCH = 200
_ALL = 1_000_000
_SHOWN = 100
_REASON = "outside of the retention policy"


def apply_retention(
    core: LakeCore, repo: str, *, by: str, dry_run: bool = False
) -> RetentionReport:
    """Remove the commits of a repo that its policies do not keep.

    Their rows go now; gc frees what they held. What else needs one of them (a session, a live
    job, a mount, a pipeline, and by policy a tag or a commit that was made from it) keeps it.
    Killed in between, it has removed the oldest ones, and applying it again goes on.

    Cost: memory of about 900 bytes per commit of the repo; one transaction per 200 removed ones.
    """
    report = RetentionReport(repo, dry_run)
    with core.metadata.read() as tx:
        row = tx.repos.get(repo)
        policies = {one.branch: one for one in tx.retention.list(row)}
        if not policies:
            return report
        heads = {
            ref.name: ref.commit_id for ref in tx.refs.list(row, kind=RefKind.BRANCH, limit=_ALL)
        }
        gone = expired(tx.retention.graph(row), heads, policies, tx.now_ns)
        if dry_run:
            for batch in _batches(gone):
                report.removed += len(_removable(tx, row, batch, policies, report))
            return report
    for batch in _batches(gone):
        with core.metadata.write() as tx:
            removable = _removable(tx, row, batch, policies, report)
            _drop_tags(tx, row, removable, by)
            tx.gc.delete_commits(removable)
            tx.retention.mark_removed(row, removable, by=by, reason=_REASON)
        report.removed += len(removable)
    return report


def squash(
    core: LakeCore, repo: str, branch: str, since: str, *, author: Author, message: str | None
) -> Commit:
    """Replace the commits of a branch behind `since` by one of the same tree.

    The branch moves as by any commit; gc removes what was replaced when nothing else needs it and
    the move cannot be undone any more. A branch that moves meanwhile is squashed as it is then.

    Raises
    ------
    InvalidInputError
        `since` is not on the branch's line of first parents, or fewer than two commits are behind
        it.
    """
    expression = parse_ref_expression(since)
    writable_head(core, repo, branch)
    fresh_id = new_global_id()

    def act(head: Commit) -> Commit:
        with core.metadata.read() as tx:
            base = tx.commits.get(resolve_in(tx, tx.repos.get(repo), expression))
            behind = _behind(tx, head.id, base)
        text = message or f"Squash {len(behind)} commits\n\n" + "\n".join(
            f"- {one.message.strip().splitlines()[0]}" for one in behind[:_SHOWN]
        )
        request = CommitRequest(repo=repo, branch=branch, message=text, author=author)
        with core.writer() as writer:
            writer.count_on(base.id)
            return commit_in_place(core, writer, head, base, request, fresh_id=fresh_id)

    return on_head(core, repo, branch, act)


def _behind(tx: Transaction, head: CommitId, base: Commit) -> list[Commit]:
    """Return the commits of the line from a head back to `base`, without it, newest first."""
    found: list[Commit] = []
    start: CommitId | None = head
    while start is not None:
        ids = tx.commits.first_parents(start, limit=_BATCH + 1)
        commits = tx.commits.get_many(ids)
        for one in ids[:_BATCH]:
            if one == base.id:
                if len(found) < 2:
                    raise InvalidInputError(
                        f"{len(found)} commits are behind {short_id(base.id)}: nothing to squash",
                        kind=ErrorKind.INVALID_REF,
                        hint="Choose an older commit",
                        commit=base.id,
                    )
                return found
            if one in commits:
                found.append(commits[one])
        start = ids[_BATCH] if len(ids) > _BATCH else None
    raise InvalidInputError(
        f"{short_id(base.id)} is not on the line of commits that lead to {short_id(head)}",
        kind=ErrorKind.INVALID_REF,
        hint="'datalake commits list' shows those that are",
        commit=base.id,
    )


def _removable(
    tx: Transaction,
    row: RepoRow,
    batch: list[CommitId],
    policies: dict[str, RetentionPolicy],
    report: RetentionReport,
) -> list[CommitId]:
    """Return those commits that nothing needs, and note what needs the others."""
    users = users_of(
        tx,
        batch,
        undo_since_ns=None,
        with_children=False,
        with_inputs=any(one.keep_inputs for one in policies.values()),
    )
    if not all(one.keep_tagged for one in policies.values()):
        mine = f"{RefKind.TAG} {row.repo.name}@"
        users = {
            commit_id: rest
            for commit_id, what in users.items()
            if (rest := [one for one in what if not one.startswith(mine)])
        }
    for commit_id, what in users.items():
        if len(report.needed) < _SHOWN:
            report.needed[short_id(commit_id)] = what
    return [one for one in batch if one not in users]


def _drop_tags(tx: Transaction, row: RepoRow, removable: list[CommitId], by: str) -> None:
    chosen = set(removable)
    for ref in tx.refs.list(row, kind=RefKind.TAG, limit=_ALL):
        if ref.commit_id in chosen:
            tx.refs.delete(row, ref, by=by, reason=_REASON)


def _batches(ids: list[CommitId]) -> Iterator[list[CommitId]]:
    for begin in range(0, len(ids), _BATCH):
        yield ids[begin : begin + _BATCH]
