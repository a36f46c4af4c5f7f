"""REST of repos."""

from __future__ import annotations

from typing import Any

from jupyter_datalake.server.base import DatalakeHandler, operation, page


class ReposHandler(DatalakeHandler):
    """The repos of the lake."""

    path = "/repos"

    @operation("listRepos")
    async def get(self, prefix: str | None, include_code: bool, after: str, limit: int) -> None:
        lake = await self.lake()
        repos = await self.call(
            lake.repos.list,
            prefix=prefix or "",
            include_code=include_code,
            after=after,
            limit=limit + 1,
        )
        self.answer(page(list(repos), limit, lambda repo: repo.name))

    @operation("createRepo")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        await self.call(lake.repos.create, body["name"], description=body["description"])
        self.answer(await self.call(lake.repos.get, body["name"]), 201)


class RepoHandler(DatalakeHandler):
    """One repo."""

    path = "/repos/{repo}"

    @operation("getRepo")
    async def get(self, repo: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.repos.get, repo))

    @operation("updateRepo")
    async def patch(self, repo: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.repos.update, repo, description=body["description"]))

    @operation("deleteRepo")
    async def delete(self, repo: str, force: bool) -> None:
        lake = await self.lake()
        await self.call(lake.repos.delete, repo, force=force)
        self.answer_nothing()


class LimitHandler(DatalakeHandler):
    """How large a repo may be."""

    path = "/repos/{repo}/limit"

    @operation("setLimit")
    async def put(self, repo: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        await self.call(lake.repos.set_limit, repo, body["limit_bytes"])
        self.answer_nothing()


class RestoredRepoHandler(DatalakeHandler):
    """A repo that was deleted."""

    path = "/repos/{repo}/restore"

    @operation("restoreRepo")
    async def post(self, repo: str) -> None:
        lake = await self.lake()
        await self.call(lake.repos.restore, repo)
        self.answer(await self.call(lake.repos.get, repo))


HANDLERS = [ReposHandler, RepoHandler, LimitHandler, RestoredRepoHandler]
