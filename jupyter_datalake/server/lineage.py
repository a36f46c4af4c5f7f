"""REST of lineage."""

from __future__ import annotations

from functools import partial
from typing import Any

from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.server.base import DatalakeHandler, operation, page_of_changes, whole


class GlobalsHandler(DatalakeHandler):
    """Global ids, newest first."""

    path = "/globals"

    @operation("listLineage")
    async def get(self, before: str | None, limit: int) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.lineage.list, before=before, limit=limit)))


class GlobalHandler(DatalakeHandler):
    """One change and what hangs on it."""

    path = "/globals/{global_id}"

    @operation("getGlobal")
    async def get(self, global_id: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.lineage.get_global, global_id))


class ObservedHandler(DatalakeHandler):
    """What programs were seen to open."""

    path = "/observed"

    @operation("listObserved")
    async def get(
        self,
        repo: str | None,
        session: str | None,
        notebook: str | None,
        job: str | None,
        datum: int | None,
        limit: int,
    ) -> None:
        lake = await self.lake()
        found = await self.call(
            lake.lineage.observed,
            repo,
            session=session,
            notebook=notebook,
            job=job,
            datum=datum,
            limit=limit,
        )
        self.answer(whole(found))


class LineageHandler(DatalakeHandler):
    """Ancestry and progeny of a commit or file."""

    path = "/repos/{repo}/refs/{ref}/lineage"

    @operation("getLineage")
    async def get(self, repo: str, ref: str, path: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.lineage.get, Address(repo, ref, parse_path(path))))


class GraphHandler(DatalakeHandler):
    """The graph."""

    path = "/graph"

    @operation("getGraph")
    async def get(self, global_id: str | None, at: str | None) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.lineage.graph, global_id, at=at))


class ReproductionsHandler(DatalakeHandler):
    """Running again what made a commit."""

    path = "/reproductions"

    @operation("reproduceLineage")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        wish = {name: value for name, value in body.items() if name not in {"dry_run", "address"}}
        reproduce = partial(lake.lineage.reproduce, body["address"], **wish)
        planned = await self.call(reproduce, dry_run=True)  # what is wrong is told at once
        if body["dry_run"]:
            self.answer({"reproduction": planned, "after_event": None})
            return
        after_event = await self.call(lake.events.last_number)
        self.service.start(reproduce)
        self.answer({"reproduction": planned, "after_event": after_event}, 202)


class DifferencesHandler(DatalakeHandler):
    """All that differs between what was made again and what was recorded."""

    path = "/reproductions/{reproduction}/differences"

    @operation("listDifferences")
    async def get(self, reproduction: str, step: int, after: str, limit: int) -> None:
        lake = await self.lake()
        changes = await self.call(
            lake.lineage.list_differences,
            reproduction,
            step=step,
            after=after or None,
            limit=limit + 1,
        )
        self.answer(page_of_changes(changes, limit))


HANDLERS = [
    GlobalsHandler,
    GlobalHandler,
    ObservedHandler,
    LineageHandler,
    GraphHandler,
    ReproductionsHandler,
    DifferencesHandler,
]
