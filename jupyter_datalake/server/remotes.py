"""REST of remotes."""

from __future__ import annotations

from typing import Any

from jupyter_datalake.server.base import DatalakeHandler, operation, whole


class RemotesHandler(DatalakeHandler):
    """The remotes of the lake."""

    path = "/remotes"

    @operation("listRemotes")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.remotes.list)))

    @operation("createRemote")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        remote = await self.call(
            lake.remotes.create, body["name"], body["url"], key=body.get("key")
        )
        self.answer(remote, 201)


class RemoteHandler(DatalakeHandler):
    """One remote."""

    path = "/remotes/{remote}"

    @operation("getRemote")
    async def get(self, remote: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.remotes.get, remote))

    @operation("deleteRemote")
    async def delete(self, remote: str) -> None:
        lake = await self.lake()
        await self.call(lake.remotes.delete, remote)
        self.answer_nothing()


class PushesHandler(DatalakeHandler):
    """Bringing history to a remote."""

    path = "/remotes/{remote}/pushes"

    @operation("pushRemote")
    async def post(self, remote: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        found = await self.call(lake.remotes.get, remote)
        self.service.start(
            lake.remotes.push,
            remote,
            body["selections"],
            force=body["force"],
            with_inputs=body["with_inputs"],
        )
        self.answer(found, 202)


class PullsHandler(DatalakeHandler):
    """Bringing history from a remote."""

    path = "/remotes/{remote}/pulls"

    @operation("pullRemote")
    async def post(self, remote: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        found = await self.call(lake.remotes.get, remote)
        self.service.start(
            lake.remotes.pull,
            remote,
            body["selections"],
            force=body["force"],
            with_inputs=body["with_inputs"],
        )
        self.answer(found, 202)


HANDLERS = [RemotesHandler, RemoteHandler, PushesHandler, PullsHandler]
