"""REST of warehouse connections."""

from __future__ import annotations

import json
from typing import Any

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.server.base import DatalakeHandler, operation, whole


class ConnectionsHandler(DatalakeHandler):
    """The connections of the lake."""

    path = "/connections"

    @operation("listConnections")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.warehouse.list)))

    @operation("createConnection")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.warehouse.create, body["name"], body["url"]), 201)


class ConnectionHandler(DatalakeHandler):
    """One connection."""

    path = "/connections/{connection}"

    @operation("getConnection")
    async def get(self, connection: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.warehouse.get, connection))

    @operation("deleteConnection")
    async def delete(self, connection: str) -> None:
        lake = await self.lake()
        await self.call(lake.warehouse.delete, connection)
        self.answer_nothing()


class TablesHandler(DatalakeHandler):
    """The tables behind a connection."""

    path = "/connections/{connection}/tables"

    @operation("listTables")
    async def get(self, connection: str) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.warehouse.list_tables, connection)))


class QueriesHandler(DatalakeHandler):
    """Looking at rows."""

    path = "/connections/{connection}/queries"

    @operation("queryConnection")
    async def post(self, connection: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(_query, lake, connection, body["sql"], body["limit"]))


def _query(lake: Lake, connection: str, sql: str, limit: int) -> dict[str, Any]:
    found = lake.warehouse.query(connection, sql, limit=limit)
    # Values that JSON has no form for (times, decimals, bytes) go as text.
    rows = json.loads(json.dumps([*found.rows], default=str))
    return {"columns": found.columns, "rows": rows, "has_more": found.has_more}


HANDLERS = [ConnectionsHandler, ConnectionHandler, TablesHandler, QueriesHandler]
