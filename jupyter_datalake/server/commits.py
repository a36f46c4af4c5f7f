"""REST of commits."""

from __future__ import annotations

import time
from typing import Any

from jupyter_datalake.model.commits import Commit
from jupyter_datalake.server.base import DatalakeHandler, operation, page, page_of_changes

_LOOK_S = 1.0
"""How long commits are looked for that fit a filter, before a page is given that is not full."""


class CommitsHandler(DatalakeHandler):
    """The commits behind a ref."""

    path = "/repos/{repo}/refs/{ref}/commits"

    @operation("listCommits")
    async def get(
        self, repo: str, ref: str, after: str, limit: int, **wish: str | bool | None
    ) -> None:
        lake = await self.lake()
        found: list[Commit] = []
        until = time.monotonic() + _LOOK_S
        looked = 0
        following: str | None = after or None
        while not self.is_gone:
            part = await self.call(
                lake.commits.look,
                repo,
                ref,
                after=following,
                limit=limit - len(found),
                **wish,  # type: ignore[arg-type]  # the contract has checked them
            )
            found += part.results
            looked += part.looked
            following = part.next
            if following is None or len(found) == limit or time.monotonic() > until:
                break
        self.answer({"results": found, "next": following, "looked": looked})


class SearchHandler(DatalakeHandler):
    """Commits of the whole lake."""

    path = "/commits"

    @operation("searchCommits")
    async def get(self, metadata: str | None, after: str, limit: int, **wish: str | None) -> None:
        lake = await self.lake()
        key, sign, value = (metadata or "").partition("=")
        commits = await self.call(
            lake.commits.search,
            **wish,
            metadata={key: value if sign else None} if key else {},
            after=after or None,
            limit=limit + 1,
        )
        self.answer(page(list(commits), limit, lambda commit: commit.id))


class CommitHandler(DatalakeHandler):
    """The commit that an expression means."""

    path = "/repos/{repo}/commits/{ref}"

    @operation("getCommit")
    async def get(self, repo: str, ref: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.commits.get, repo, ref))


class CountHandler(DatalakeHandler):
    """How many commits lead to one place and not to another."""

    path = "/repos/{repo}/refs/{ref}/count"

    @operation("countCommits")
    async def get(self, repo: str, ref: str, beyond: str, limit: int) -> None:
        lake = await self.lake()
        count = await self.call(lake.commits.count, repo, ref, beyond=beyond, limit=limit + 1)
        self.answer({"count": min(count, limit), "has_more": count > limit})


class DiffHandler(DatalakeHandler):
    """What differs between two commits."""

    path = "/repos/{repo}/diff"

    @operation("diffCommits")
    async def get(
        self, repo: str, old: str, new: str, path: str, after: str, limit: int, renames: bool
    ) -> None:
        lake = await self.lake()
        changes = await self.call(
            lake.commits.diff,
            repo,
            old,
            new,
            path=path,
            after=after or None,
            limit=limit + 1,
            renames=renames,
        )
        self.answer(page_of_changes(changes, limit))


class MergesHandler(DatalakeHandler):
    """What a branch takes over from another line of history."""

    path = "/repos/{repo}/branches/{branch}/merges"

    @operation("mergeCommit")
    async def post(self, repo: str, branch: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        ref = body.pop("ref")
        self.answer(await self.call(lake.commits.merge, repo, ref, into=branch, **body))


class RevertsHandler(DatalakeHandler):
    """What is taken back on a branch."""

    path = "/repos/{repo}/branches/{branch}/reverts"

    @operation("revertCommit")
    async def post(self, repo: str, branch: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        ref = body.pop("ref")
        self.answer(await self.call(lake.commits.revert, repo, ref, branch=branch, **body))


class SquashHandler(DatalakeHandler):
    """Several commits of a branch as one."""

    path = "/repos/{repo}/branches/{branch}/squash"

    @operation("squashCommit")
    async def post(self, repo: str, branch: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        since = body.pop("since")
        self.answer(await self.call(lake.commits.squash, repo, since, branch=branch, **body), 201)


class PicksHandler(DatalakeHandler):
    """What is done again on a branch."""

    path = "/repos/{repo}/branches/{branch}/picks"

    @operation("cherryPick")
    async def post(self, repo: str, branch: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        ref = body.pop("ref")
        self.answer(await self.call(lake.commits.cherry_pick, repo, ref, branch=branch, **body))


HANDLERS = [
    SquashHandler,
    CommitsHandler,
    SearchHandler,
    CommitHandler,
    CountHandler,
    DiffHandler,
    MergesHandler,
    RevertsHandler,
    PicksHandler,
]
