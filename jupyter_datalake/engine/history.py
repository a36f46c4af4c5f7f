"""History: which commit an expression means, what came before it, what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.renames import (
    change_at,
    diff_with_renames,
    difference_range,
    iter_differences,
)
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata.base import SIMILAR_AMONG, time_of
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.ids import CommitId, is_head_like, is_id_prefix
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.mounts import MAX_BEHIND, Standing
from jupyter_datalake.model.paths import ROOT, RepoPath
from jupyter_datalake.model.refs import RefExpression, RefKind, parse_ref_expression
from jupyter_datalake.model.text import hint_of_similar


class History:
    """Questions about the past of one lake's repos. Reads only."""

    def __init__(self, core: LakeCore) -> None:
        self._core = core

    def resolve(self, repo: str, ref: str) -> Commit:
        """Return the commit that a ref expression means now.

        Raises
        ------
        InvalidInputError
            The expression does not parse, or a prefix fits several commits.
        NotFoundError
            No such repo, ref, commit, parent, or time.
        """
        expression = parse_ref_expression(ref)
        with self._core.metadata.read() as tx:
            row = tx.repos.get(repo)
            return tx.commits.get(resolve_in(tx, row, expression))

    def standing(self, repo: str, commit_id: CommitId, branch: str | None = None) -> Standing:
        """Return how far behind a branch a commit is, counted up to `MAX_BEHIND`.

        Parameters
        ----------
        branch
            By default the one that the commit was made on.

        Raises
        ------
        NotFoundError
            The repo or the commit is gone.
        """
        with self._core.metadata.read() as tx:
            name = branch or tx.commits.get(commit_id).branch
            ref = tx.refs.find(tx.repos.get(repo), name)
            if ref is None or ref.kind is not RefKind.BRANCH:
                return Standing(commit_id, name, None)
            behind = Ancestry(tx).count_beyond(commit_id, ref.commit_id, limit=MAX_BEHIND)
            return Standing(commit_id, name, behind)

    def snapshot(self, repo: str, ref: str) -> Snapshot:
        """Return the tree that a ref expression means now."""
        return self._core.snapshot(self.resolve(repo, ref))

    def log(
        self, repo: str, ref: str, *, after: str | None = None, limit: int
    ) -> tuple[list[Commit], str | None]:
        """Return first parents from a ref on, newest first, and where the next page begins.

        Parameters
        ----------
        after
            The second value of the previous page.
        """
        expression = parse_ref_expression(after or ref)
        with self._core.metadata.read() as tx:
            start = resolve_in(tx, tx.repos.get(repo), expression)
            ids = tx.commits.first_parents(start, limit=limit + 1)
            commits = tx.commits.get_many(ids)
        page = [commits[one] for one in ids[:limit] if one in commits]
        following = ids[limit] if len(ids) > limit else None
        # Behind the last commit there may be one that retention removed.
        return page, following if following in commits else None

    def diff(
        self,
        old: Commit,
        new: Commit,
        *,
        below: RepoPath = ROOT,
        after: RepoPath = ROOT,
        renames: bool = False,
    ) -> Iterator[Change]:
        """Yield the paths on which two trees differ, in order; the cost is that of the changes.

        Contents, kinds and permissions count. Where only a time differs, nothing is given.

        Parameters
        ----------
        below
            Only what is at and below this path.
        after
            Only what comes behind this path: the last one of the page before.
        renames
            Whether what is at another path is one change. Every difference below `below` is
            looked at before the first one is given; see `engine.renames` for the rules.

        Raises
        ------
        InvalidInputError
            Renames are asked for, and more paths differ than are compared with each other.
        """
        if renames:
            yield from diff_with_renames(self._core, old.root, new.root, below, after)
            return
        start, end = difference_range(below, after)
        for difference in iter_differences(self._core.nodes, old.root, new.root, start, end):
            yield change_at(difference)


def resolve_in(tx: Transaction, repo: RepoRow, expression: RefExpression) -> CommitId:
    """Return the id of the commit that an expression means, within a transaction."""
    commit_id = _base(tx, repo, expression)
    for step in expression.steps:
        for _ in range(1 if step.position else 0):
            commit_id = _parent(tx, repo, expression, commit_id, step.position)
        if not step.position:
            chain = tx.commits.first_parents(commit_id, limit=1, skip=step.count)
            if not chain:
                raise _not_found(repo, expression, "goes back beyond the first commit")
            commit_id = chain[0]
    return commit_id


def _base(tx: Transaction, repo: RepoRow, expression: RefExpression) -> CommitId:
    if expression.as_of_ns is not None:
        return _at_time(tx, repo, expression, expression.as_of_ns)
    if expression.moves_back is not None:
        return _moves_ago(tx, repo, expression, expression.moves_back)
    ref = tx.refs.find(repo, expression.base)
    if ref is not None:
        return ref.commit_id
    if is_id_prefix(expression.base):
        found = tx.commits.resolve_prefix(repo, expression.base)
        if found is not None:
            return found
    if is_head_like(expression.base):
        raise _not_found(repo, expression, "is no branch, tag or commit: a lake has no HEAD")
    refs = [ref.name for ref in tx.refs.list(repo, limit=SIMILAR_AMONG)]
    raise _not_found(repo, expression, "is no branch, tag or commit", refs)


def _at_time(tx: Transaction, repo: RepoRow, expression: RefExpression, at_ns: int) -> CommitId:
    """Return where a ref was at a time, by the reflog."""
    found = tx.refs.head_at(repo, expression.base, at_ns)
    if found is not None:
        return found
    first = tx.refs.first_move(repo, expression.base)
    if first is None:
        raise _not_found(repo, expression, "names no branch or tag; only those have a past")
    if time_of(at_ns) < first.at:
        raise _not_found(
            repo,
            expression,
            f"means a time before {expression.base} was created, which was {as_json(first.at)}",
        )
    raise _not_found(repo, expression, "names a ref that did not exist at that time")


def _moves_ago(tx: Transaction, repo: RepoRow, expression: RefExpression, back: int) -> CommitId:
    """Return where a ref was so many moves ago, by the reflog."""
    move = tx.refs.nth_move(repo, expression.base, back)
    if move is None:
        raise _not_found(repo, expression, "goes back beyond the first move")
    if move.new_commit_id is None:
        raise _not_found(repo, expression, "means a moment when the ref did not exist")
    return move.new_commit_id


def _parent(
    tx: Transaction, repo: RepoRow, expression: RefExpression, commit_id: CommitId, position: int
) -> CommitId:
    parent = tx.commits.parent(commit_id, position)
    if parent is None:
        raise _not_found(repo, expression, f"asks for parent {position + 1}, which is not there")
    return parent


def _not_found(
    repo: RepoRow, expression: RefExpression, why: str, refs: Iterable[str] = ()
) -> NotFoundError:
    return NotFoundError(
        f"{repo.repo.name}@{expression.text} {why}",
        kind=ErrorKind.REF_NOT_FOUND,
        hint=hint_of_similar(
            expression.base,
            refs,
            f"'datalake refs list {repo.repo.name}' and 'datalake commits list {repo.repo.name}'"
            " show what there is",
        ),
        repo=repo.repo.name,
        ref=expression.text,
    )
