"""REST of notifications."""

from __future__ import annotations

from typing import Any

from jupyter_datalake.model.notifications import NotificationState
from jupyter_datalake.server.base import DatalakeHandler, operation, page, whole


class NotificationsHandler(DatalakeHandler):
    """Notifications, newest first."""

    path = "/notifications"

    @operation("listNotifications")
    async def get(
        self,
        pipeline: str | None,
        job: str | None,
        state: str | None,
        before: int | None,
        limit: int,
    ) -> None:
        lake = await self.lake()
        found = await self.call(
            lake.notifications.list,
            pipeline=pipeline,
            job_id=job,
            states=None if state is None else [NotificationState(state)],
            before=before,
            limit=limit + 1,
        )
        self.answer(page(list(found), limit, lambda one: one.number))


class NotificationHandler(DatalakeHandler):
    """One notification."""

    path = "/notifications/{notification}"

    @operation("getNotification")
    async def get(self, notification: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.notifications.get, notification))


class RetriesHandler(DatalakeHandler):
    """Sending one anew."""

    path = "/notifications/{notification}/retries"

    @operation("retryNotification")
    async def post(self, notification: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.notifications.retry, notification), 202)


class TestsHandler(DatalakeHandler):
    """Trying out rules."""

    path = "/notification-tests"

    @operation("testNotification")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        made = await self.call(lake.notifications.test, body["pipeline"])
        self.answer(whole(made), 202)


class RulesHandler(DatalakeHandler):
    """The rules for pipelines that have none of their own."""

    path = "/notification-rules"

    @operation("getNotificationRules")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.notifications.get_rules)))

    @operation("setNotificationRules")
    async def put(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.notifications.set_rules, body["rules"])))


HANDLERS = [
    NotificationsHandler,
    NotificationHandler,
    RetriesHandler,
    TestsHandler,
    RulesHandler,
]
