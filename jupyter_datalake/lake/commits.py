"""Commits: list, get, diff; and joining lines of history: merge, revert, cherry-pick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.engine.commits import CommitRequest
from jupyter_datalake.engine.logs import LogWish, iter_log, iter_looked
from jupyter_datalake.engine.merging import DryRun, Merging, decide_by
from jupyter_datalake.engine.retention import squash
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commit_filters import CommitFilter
from jupyter_datalake.model.commits import Commit, CommitPage
from jupyter_datalake.model.ids import CommitId, short_id
from jupyter_datalake.model.merging import FastForward, MergeReport
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.times import nanoseconds_of


class Commits:
    """`lake.commits`: the versions of a repo."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        repo: str,
        ref: str = DEFAULT_BRANCH,
        *,
        after: str | None = None,
        limit: int | None = None,
        path: str | None = None,
        author: str | None = None,
        text: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        first_parent: bool = True,
        follow: bool = False,
    ) -> list[Commit]:
        """Return the commits that a ref leads back to, newest first.

        Parameters
        ----------
        after
            Id of the last commit of the previous page; behind the first commit of a repo the page
            is empty.
        path
            Only commits that changed what is at or below it.
        author, text
            Only commits with this in the author's name or address, or in the message; in any case.
        since, until
            Only commits of this time, both ends included; ISO 8601 text is UTC unless it says
            otherwise.
        first_parent
            Whether to follow first parents only, on which a merge counts as one change. Otherwise
            all that led to the ref is listed, in order of time, and a merge changed a path only
            if it has it otherwise than each of its parents.
        follow
            Whether `path` is followed to the names it had before; docs/diff.md says what counts
            as a rename.
        """
        wish = _wish(
            path,
            author=author,
            text=text,
            since=since,
            until=until,
            first_parent=first_parent,
            follow=follow,
        )
        history = self._context.history
        wanted = limit_of(limit)
        if wish == LogWish():
            if after is None:
                return history.log(repo, ref, limit=wanted)[0]
            return history.log(repo, after, limit=wanted + 1)[0][1:]
        last = None if after is None else history.resolve(repo, after).id
        # On the line of first parents the page begins at its commit; the ref may be gone.
        start = last if last and wish.is_line else history.resolve(repo, ref).id
        return [*islice(iter_log(self._context.core, start, wish, last), wanted)]

    def look(
        self,
        repo: str,
        ref: str = DEFAULT_BRANCH,
        *,
        limit: int,
        after: str | None = None,
        looks: int = 100,
        **wished: Any,
    ) -> CommitPage:
        """Return a page of what `list` does, for those who cannot wait until it is full.

        The cost is that of `looks` commits, however few of them are wanted; without
        `first_parent` also that of walking there, and with `follow` that of the page.

        Parameters
        ----------
        after
            The `next` of the previous page.
        looks
            How many commits are looked at, at most.
        **wished
            Path and filters, as `list` takes them.
        """
        wish = _wish(**wished)
        if wish == LogWish() or wish.follow:
            found = self.list(repo, ref, after=after, limit=limit + 1, **wished)
            following = found[limit - 1].id if len(found) > limit else None
            return CommitPage(found[:limit], following, min(len(found), limit))
        history = self._context.history
        last = None if after is None else history.resolve(repo, after).id
        start = last if last and wish.is_line else history.resolve(repo, ref).id
        page: list[Commit] = []
        count = 0
        for commit, is_wished in iter_looked(self._context.core, start, wish, last):
            if count == looks or len(page) == limit:
                return CommitPage(page, last, count)
            count += 1
            last = commit.id
            if is_wished:
                page.append(commit)
        return CommitPage(page, None, count)

    def search(
        self,
        text: str | None = None,
        *,
        author: str | None = None,
        metadata: Mapping[str, str | None] | None = None,
        global_id: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        repos: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[Commit]:
        """Return commits of the whole lake that fit all that is asked, newest first.

        Also those that no branch leads to any more. Metadata, global ids and times are indexed;
        texts are compared commit by commit.

        Parameters
        ----------
        text, author
            Part of the message, or of the author's name or address; ASCII letters in any case.
        metadata
            Keys that the commit must have, with this very value unless it is None.
        global_id
            Beginning of its global id.
        since, until
            As in `list`.
        repos
            Only of repos whose name fits; ``*`` stands for any text, ``?`` for one character.
        after
            Id of the last commit of the previous page.
        """
        wanted = _filter(
            author=author,
            text=text,
            since=since,
            until=until,
            metadata=metadata or {},
            global_id=global_id,
        )
        last = None if after is None else CommitId(after)
        with self._context.core.metadata.read() as tx:
            return tx.commits.search(wanted, repos=repos, after=last, limit=limit_of(limit))

    def get(self, repo: str, ref: str = DEFAULT_BRANCH) -> Commit:
        """Return the commit that a ref expression means now."""
        return self._context.history.resolve(repo, ref)

    def count(self, repo: str, ref: str = DEFAULT_BRANCH, *, beyond: str, limit: int = 1000) -> int:
        """Return how many commits lead to `ref` and not to `beyond`, at most `limit`.

        What a branch at `ref` would lose by a reset to `beyond`. It is exact wherever clocks went
        forward, and costs what the history since the two parted does.
        """
        history = self._context.history
        one, other = (history.resolve(repo, name).id for name in (beyond, ref))
        with self._context.core.metadata.read() as tx:
            return Ancestry(tx).count_beyond(one, other, limit=limit)

    def diff(
        self,
        repo: str,
        old: str,
        new: str = DEFAULT_BRANCH,
        *,
        path: str = "/",
        after: str | None = None,
        limit: int | None = None,
        renames: bool = False,
    ) -> Sequence[Change]:
        """Return the paths on which two commits of a repo differ, at and below `path`.

        Contents, kinds and permissions count, times do not. The cost is that of the differences,
        not of the trees; with `renames`, of all of them
        below `path`, whatever `limit` says.

        Parameters
        ----------
        after
            The path of the last change of the previous page.
        renames
            Whether a file or folder that is at another path is one change, of kind ``renamed``
            with its old path in ``old.path``. Equal contents are the same file, and so are files
            with half of their bytes in common; a folder that is renamed as a whole is one change.
            docs/diff.md has the rules and limits.

        Raises
        ------
        InvalidInputError
            Renames are asked for, and more than 300,000 paths were added or removed, not counting
            those in folders that were renamed as a whole.
        """
        history = self._context.history
        changes = history.diff(
            history.resolve(repo, old),
            history.resolve(repo, new),
            below=parse_path(path),
            after=parse_path(after or "/"),
            renames=renames,
        )
        return [*islice(changes, limit_of(limit))]

    def merge(
        self,
        repo: str,
        ref: str,
        *,
        into: str = DEFAULT_BRANCH,
        message: str | None = None,
        choices: Mapping[str, str] | None = None,
        fast_forward: FastForward | str = FastForward.ALLOW,
        dry_run: bool = False,
        limit: int | None = None,
    ) -> MergeReport:
        """Take over into a branch what another line of history changed since they parted.

        Trees are compared path by path with the best common ancestor; the cost is that of the
        side that changed less. The new commit has two parents. A branch with nothing of its own
        moves on without a commit, unless `fast_forward` is ``never``.

        Parameters
        ----------
        ref
            What is merged: a ref expression of the same repo.
        choices
            What becomes of paths that both sides changed: from a path (with what is below it) or
            glob to ``ours``, ``theirs``, or an address whose content is wanted. The first that
            fits counts.
        fast_forward
            ``allow``, ``only`` (else refuse) or ``never`` (always make a commit).
        dry_run
            Change nothing; the report says what would change and what conflicts. The cost is that
            of the merge, and of the changes that are asked for.
        limit
            Of a dry run: at most so many changes.

        Raises
        ------
        ConflictError
            Both sides changed the same paths (``paths-conflict``; `context` lists at most 100),
            or the branch could not just move on (``branches-diverged``). Nothing changed.
        """
        theirs = self._context.history.resolve(repo, ref)
        request = self._request(repo, into, message or f"Merge {ref} into {into}")
        merging = self._merging(choices, dry_run=dry_run, limit=limit)
        return merging.merge(request, theirs, FastForward(fast_forward))

    def squash(
        self, repo: str, since: str, *, branch: str = DEFAULT_BRANCH, message: str | None = None
    ) -> Commit:
        """Replace the commits of a branch behind `since` by one of the same tree.

        The branch moves to it, which `refs.undo` takes back; `maintenance.gc` removes what was
        replaced once nothing needs it.

        Parameters
        ----------
        since
            The commit that stays, on the branch's line of first parents: ``main~10``, an id.
        message
            The messages of what was replaced, a line each, when None.

        Raises
        ------
        InvalidInputError
            `since` is not on that line, or fewer than two commits are behind it.
        """
        author = self._context.author
        return squash(self._context.core, repo, branch, since, author=author, message=message)

    def revert(
        self,
        repo: str,
        ref: str,
        *,
        branch: str = DEFAULT_BRANCH,
        parent: int | None = None,
        message: str | None = None,
        choices: Mapping[str, str] | None = None,
        dry_run: bool = False,
        limit: int | None = None,
    ) -> MergeReport:
        """Commit to a branch the opposite of what a commit changed; what came later stays.

        Parameters
        ----------
        parent
            Number of the parent that the commit is compared with, from 1; needed for a merge.
        choices, dry_run, limit
            As in `merge`; ``theirs`` is the parent's version of a path.
        """
        commit = self._context.history.resolve(repo, ref)
        title = commit.message.strip().splitlines()[0][:200]
        text = message or f"Revert “{title}” ({short_id(commit.id)})"
        request = self._request(repo, branch, text, {"reverts": commit.id})
        merging = self._merging(choices, dry_run=dry_run, limit=limit)
        return merging.revert(request, commit, parent)

    def cherry_pick(
        self,
        repo: str,
        ref: str,
        *,
        branch: str = DEFAULT_BRANCH,
        parent: int | None = None,
        message: str | None = None,
        choices: Mapping[str, str] | None = None,
        dry_run: bool = False,
        limit: int | None = None,
    ) -> MergeReport:
        """Commit to a branch what a commit of another branch changed, under its message.

        Parameters
        ----------
        parent, choices, dry_run, limit
            As in `revert`; ``theirs`` is the commit's version of a path.
        """
        commit = self._context.history.resolve(repo, ref)
        text = message or commit.message
        request = self._request(repo, branch, text, {"picked-from": commit.id})
        merging = self._merging(choices, dry_run=dry_run, limit=limit)
        return merging.cherry_pick(request, commit, parent)

    def _request(
        self, repo: str, branch: str, message: str, metadata: dict[str, str] | None = None
    ) -> CommitRequest:
        return CommitRequest(repo, branch, message, self._context.author, metadata=metadata or {})

    def _merging(
        self, choices: Mapping[str, str] | None, *, dry_run: bool, limit: int | None
    ) -> Merging:
        decide = decide_by(self._context.history, choices or {})
        return Merging(self._context.core, decide, DryRun(limit_of(limit)) if dry_run else None)


def _wish(
    path: str | None = None,
    *,
    author: str | None = None,
    text: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    first_parent: bool = True,
    follow: bool = False,
) -> LogWish:
    if follow and path is None:
        raise InvalidInputError(
            "Renames are followed for a path, and none is given", hint="Name the path too"
        )
    place = None if path is None else parse_path(path)
    fits = _filter(author=author, text=text, since=since, until=until)
    return LogWish(place, fits, first_parent=first_parent, follow=follow)


def _filter(
    *, since: datetime | str | None, until: datetime | str | None, **facts: Any
) -> CommitFilter:
    return CommitFilter(
        since_ns=None if since is None else nanoseconds_of(since),
        # Up to the end of the microsecond, as expressions with a time go.
        until_ns=None if until is None else nanoseconds_of(until) + 999,
        **facts,
    )
