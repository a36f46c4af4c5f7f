"""REST of the lake's health."""

from __future__ import annotations

from jupyter_datalake import __version__
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.server.base import DatalakeHandler, operation, whole
from jupyter_datalake.server.mounts import contents_path


class StatusHandler(DatalakeHandler):
    """What the lake is."""

    path = "/status"

    @operation("getStatus")
    async def get(self) -> None:
        lake = await self.lake()
        status = await self.call(lake.maintenance.get_status)
        self.answer(
            {
                **as_json(status),
                "version": __version__,
                "last_event": await self.call(lake.events.last_number),
                "mountpoint": contents_path(self.service.mountpoint, self.server_root),
            }
        )


class DoctorHandler(DatalakeHandler):
    """What this machine can do for the lake."""

    path = "/doctor"

    @operation("getDoctor")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.maintenance.get_doctor)))


HANDLERS = [StatusHandler, DoctorHandler]
