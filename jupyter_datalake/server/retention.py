"""REST of retention policies."""

from __future__ import annotations

from typing import Any

from jupyter_datalake.server.base import DatalakeHandler, operation, whole


class PoliciesHandler(DatalakeHandler):
    """The policies of the lake."""

    path = "/retention"

    @operation("listRetentions")
    async def get(self, repo: str | None) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.retention.list, repo)))


class PolicyHandler(DatalakeHandler):
    """The policies of one repo."""

    path = "/repos/{repo}/retention"

    @operation("setRetention")
    async def put(self, repo: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.retention.set, repo, **body))

    @operation("deleteRetention")
    async def delete(self, repo: str, branch: str) -> None:
        lake = await self.lake()
        await self.call(lake.retention.delete, repo, branch)
        self.answer_nothing()


class ApplyHandler(DatalakeHandler):
    """Removing what the policies of one repo do not keep."""

    path = "/repos/{repo}/retention/apply"

    @operation("applyRetention")
    async def post(self, repo: str, dry_run: bool) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.retention.apply, repo, dry_run=dry_run)))


HANDLERS = [PoliciesHandler, PolicyHandler, ApplyHandler]
