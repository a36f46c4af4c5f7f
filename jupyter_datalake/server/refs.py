"""REST of refs: branches, tags and the reflog."""

from __future__ import annotations

from typing import Any

from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.server.base import DatalakeHandler, operation, page


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
        ref = await self.call(
            lake.refs.create_tag, repo, body["name"], at=body["at"], message=body.get("message")
        )
        self.answer(ref, 201)


class TagHandler(DatalakeHandler):
    """One tag."""

    path = "/repos/{repo}/tags/{tag}"

    @operation("deleteTag")
    async def delete(self, repo: str, tag: str) -> None:
        lake = await self.lake()
        await self.call(lake.refs.delete_tag, repo, tag)
        self.answer_nothing()


class NameHandler(DatalakeHandler):
    """The name of a branch or tag."""

    path = "/repos/{repo}/refs/{ref}/rename"

    @operation("renameRef")
    async def post(self, repo: str, ref: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.refs.rename, repo, ref, body["name"]))


class ResetHandler(DatalakeHandler):
    """Where a branch points."""

    path = "/repos/{repo}/branches/{branch}/reset"

    @operation("resetRef")
    async def post(self, repo: str, branch: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        to = body.pop("to")
        self.answer(await self.call(lake.refs.reset, repo, branch, to, **body))


class UndoHandler(DatalakeHandler):
    """The last move of a ref."""

    path = "/repos/{repo}/refs/{ref}/undo"

    @operation("undoRef")
    async def post(self, repo: str, ref: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.refs.undo, repo, ref, **body))


class MovesHandler(DatalakeHandler):
    """The reflog."""

    path = "/repos/{repo}/moves"

    @operation("listMoves")
    async def get(self, repo: str, name: str | None, before: int | None, limit: int) -> None:
        lake = await self.lake()
        moves = await self.call(
            lake.refs.list_moves, repo, name=name, before=before, limit=limit + 1
        )
        self.answer(page(list(moves), limit, lambda move: move.number))


HANDLERS = [
    RefsHandler,
    RefHandler,
    BranchesHandler,
    BranchHandler,
    TagsHandler,
    TagHandler,
    NameHandler,
    ResetHandler,
    UndoHandler,
    MovesHandler,
]
