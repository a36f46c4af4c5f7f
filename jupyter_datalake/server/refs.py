"""REST of refs: branches, tags and the reflog."""

from __future__ import annotations

from typing import Any

from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.server.base import DatalakeHandler, operation, page, whole


class RefsHandler(DatalakeHandler):
    """The branches and tags of a repo."""

    path = "/repos/{repo}/refs"

    @operation("listRefs")
    async def get(self, repo: str, kind: str | None, after: str, limit: int) -> None:
        lake = await self.lake()
        wanted = None if kind is None else RefKind(kind)
        refs = await self.call(lake.refs.list, repo, kind=wanted, after=after, limit=limit + 1)
        self.answer(page(list(refs), limit, lambda ref: ref.name))


class RefHandler(DatalakeHandler):
    """One branch or tag."""

    path = "/repos/{repo}/refs/{ref}"

    @operation("getRef")
    async def get(self, repo: str, ref: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.refs.get, repo, ref))


class BranchesHandler(DatalakeHandler):
    """New branches."""

    path = "/repos/{repo}/branches"

    @operation("createBranch")
    async def post(self, repo: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        ref = await self.call(lake.refs.create_branch, repo, body["name"], at=body["at"])
        self.answer(ref, 201)


class BranchHandler(DatalakeHandler):
    """One branch."""

    path = "/repos/{repo}/branches/{branch}"

    @operation("deleteBranch")
    async def delete(self, repo: str, branch: str) -> None:
        lake = await self.lake()
        await self.call(lake.refs.delete_branch, repo, branch)
        self.answer_nothing()


class TagsHandler(DatalakeHandler):
    """New tags."""

    path = "/repos/{repo}/tags"

    @operation("createTag")
    async def post(self, repo: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        ref = await self.call(lake.refs.create_tag, repo, body["name"], at=body["at"])
        self.answer(ref, 201)


class TagHandler(DatalakeHandler):
    """One tag."""

    path = "/repos/{repo}/tags/{tag}"

    @operation("deleteTag")
    async def delete(self, repo: str, tag: str) -> None:
        lake = await self.lake()
        await self.call(lake.refs.delete_tag, repo, tag)
        self.answer_nothing()


class MovesHandler(DatalakeHandler):
    """The reflog."""

    path = "/repos/{repo}/moves"

    @operation("listMoves")
    async def get(self, repo: str, name: str | None, limit: int) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.refs.list_moves, repo, name=name, limit=limit)))


HANDLERS = [
    RefsHandler,
    RefHandler,
    BranchesHandler,
    BranchHandler,
    TagsHandler,
    TagHandler,
    MovesHandler,
]
