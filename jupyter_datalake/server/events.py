"""The event stream: one look at the log for all browsers, pushed over websockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import websocket

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.server.base import RESOURCE, DatalakeHandler, LakeService, operation, page

POLL_S = 0.25
_BATCH = 1000


class EventHub:
    """Looks at the log while anybody listens, and tells all of them.

    The log is in the database, so what other processes do is seen too.
    """

    def __init__(self, service: LakeService) -> None:
        self._service = service
        self._listeners: dict[EventStream, int] = {}
        """Each listener and the number of the last event it was sent."""
        self._task: asyncio.Task[None] | None = None

    def add(self, listener: EventStream, after: int) -> None:
        """Send a listener what happens behind a number."""
        self._listeners[listener] = after
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())

    def remove(self, listener: EventStream) -> None:
        """Send a listener nothing more."""
        self._listeners.pop(listener, None)

    async def close(self) -> None:
        """End the task that follows the log."""
        self._listeners.clear()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        while self._listeners:
            try:
                await self._look()
            except DatalakeError as error:
                # The database is busy or away; the numbers are kept, so nothing is missed.
                if not error.retryable:
                    raise
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        lake = await self._service.lake()
        after = min(self._listeners.values(), default=0)
        events = await self._service.call(lake.events.list, after=after, limit=_BATCH)
        for event in events:
            text = json.dumps(as_json(event))
            for listener, last in list(self._listeners.items()):
                if event.number > last:
                    self._listeners[listener] = event.number
                    listener.send(text)


class EventStream(WebSocketMixin, websocket.WebSocketHandler, JupyterHandler):
    """One browser's stream of events."""

    auth_resource = RESOURCE
    path = "/events/stream"

    def initialize(self, service: LakeService, hub: EventHub) -> None:
        """Take what the extension hands to every stream."""
        self._service = service
        self._hub = hub

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Switch to a websocket, for those who may read the lake."""
        is_allowed = await asyncio.ensure_future(
            _as_coroutine(self.authorizer.is_authorized(self, self.current_user, "read", RESOURCE))
        )
        if not is_allowed:
            self.set_status(403)
            self.finish()
            return
        await super().get(*args, **kwargs)

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin to send events."""
        super().open(*args, **kwargs)
        raw = self.get_query_argument("after", "")
        if raw.isdecimal():
            after = int(raw)
        else:
            lake = await self._service.lake()
            after = await self._service.call(lake.events.last_number)
        self._hub.add(self, after)

    def on_message(self, message: str | bytes) -> None:
        """Ignore what the browser says: the stream goes one way."""

    def on_close(self) -> None:
        """Stop sending."""
        self._hub.remove(self)
        super().on_close()

    def send(self, event: str) -> None:
        """Send one event as JSON; a browser that is gone is dropped."""
        try:
            self.write_message(event)
        except websocket.WebSocketClosedError:
            self._hub.remove(self)


async def _as_coroutine(value: Any) -> bool:
    """Return a result that an authorizer may give at once or later."""
    return bool(await value if asyncio.iscoroutine(value) else value)


class EventsHandler(DatalakeHandler):
    """The log, for clients without a websocket."""

    path = "/events"

    @operation("listEvents")
    async def get(self, after: int, limit: int) -> None:
        lake = await self.lake()
        events = await self.call(lake.events.list, after=after, limit=limit + 1)
        self.answer(page(list(events), limit, lambda event: event.number))


HANDLERS = [EventsHandler]
