"""Retention: how much history repos keep: list, set, delete, apply."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_datalake.engine.retention import apply_retention
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.model.retention import EVERY_BRANCH, RetentionPolicy, RetentionReport


class RetentionVerbs:
    """`lake.retention`: policies that say which commits may go."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(self, repo: str | None = None) -> Sequence[RetentionPolicy]:
        """Return the policies of one repo or of all, by repo and branch."""
        with self._context.core.metadata.read() as tx:
            return tx.retention.list(None if repo is None else tx.repos.get(repo))

    def set(
        self,
        repo: str,
        branch: str = EVERY_BRANCH,
        *,
        keep_last: int | None = None,
        keep_for_s: float | None = None,
        keep_tagged: bool = True,
        keep_inputs: bool = True,
    ) -> RetentionPolicy:
        """Say how much of a branch's history is kept; nothing goes until `apply`.

        Parameters
        ----------
        branch
            Empty for every branch without a policy of its own, also later ones.
        keep_last
            So many commits, counted from the head.
        keep_for_s
            Those that are younger, in seconds. With `keep_last`, a commit stays for either reason.
        keep_tagged
            Also those that a tag names. Otherwise the tag goes with its commit.
        keep_inputs
            Also those that commits of any repo were made from.

        Raises
        ------
        InvalidInputError
            Neither `keep_last` nor `keep_for_s` is given.
        NotFoundError
            There is no such repo or branch.
        """
        policy = RetentionPolicy(repo, branch, keep_last, keep_for_s, keep_tagged, keep_inputs)
        with self._context.core.metadata.write() as tx:
            row = tx.repos.get(repo)
            if branch != EVERY_BRANCH:
                tx.refs.get(row, branch, RefKind.BRANCH)
            tx.retention.set(row, policy, str(self._context.author))
        return policy

    def delete(self, repo: str, branch: str = EVERY_BRANCH) -> None:
        """Forget a policy: what it would have removed is kept again.

        Raises
        ------
        NotFoundError
            There is no such policy.
        """
        with self._context.core.metadata.write() as tx:
            tx.retention.delete(tx.repos.get(repo), branch)

    def apply(self, repo: str | None = None, *, dry_run: bool = False) -> Sequence[RetentionReport]:
        """Remove the commits that policies do not keep, of one repo or of all that have any.

        History then ends with a commit that says so. It cannot be undone; gc frees the space.

        Parameters
        ----------
        dry_run
            Only count.
        """
        core = self._context.core
        with core.metadata.read() as tx:
            if repo is None:
                names = sorted({one.repo for one in tx.retention.list()})
            else:
                names = [tx.repos.get(repo).repo.name]
        by = str(self._context.author)
        return [apply_retention(core, name, by=by, dry_run=dry_run) for name in names]
