"""REST of the lake's health."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from jupyter_datalake import __version__
from jupyter_datalake.engine.backups import Backup
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata.gc import collected_by
from jupyter_datalake.model.gc import policy_of
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.server.base import DatalakeHandler, operation, whole
from jupyter_datalake.server.mounts import contents_path

_PIECE_BYTES = 1024 * 1024


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


class BackupHandler(DatalakeHandler):
    """A copy of the database, as a download."""

    path = "/backup"

    @operation("backupLake")
    async def get(self) -> None:
        lake = await self.lake()
        made, file = await self.call(_take_backup, lake)
        with file:
            self.set_header("Content-Type", "application/octet-stream")
            self.set_header("X-Content-Type-Options", "nosniff")
            name = f"{made.lake_id}-{made.last_event}.sqlite"
            self.set_header("Content-Disposition", f'attachment; filename="{name}"')
            self.set_header("Content-Length", str(made.size_bytes))
            while piece := await self.call(file.read, _PIECE_BYTES):
                self.write(piece)
                await self.flush()
        self.finish()


def _take_backup(lake: Lake) -> tuple[Backup, BinaryIO]:
    """Return a backup as a file without a name: it is gone when it is closed."""
    with tempfile.TemporaryDirectory(dir=lake.core.work_folder) as folder:
        made = lake.maintenance.backup(Path(folder) / "backup")
        return made, open(made.path, "rb")


class DoctorHandler(DatalakeHandler):
    """What this machine can do for the lake."""

    path = "/doctor"

    @operation("getDoctor")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.maintenance.get_doctor)))


class QuotaHandler(DatalakeHandler):
    """How much the lake may store."""

    path = "/quota"

    @operation("setQuota")
    async def put(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        await self.call(lake.maintenance.set_quota, body["quota_bytes"])
        self.answer_nothing()


class CollectionHandler(DatalakeHandler):
    """Garbage collection."""

    path = "/gc"

    @operation("listRuns")
    async def get(self, limit: int) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.maintenance.list_runs, limit=limit)))

    @operation("gcLake")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        policy = policy_of(
            undo_s=body["undo_s"],
            grace_s=body["grace_s"],
            now=body["now"],
            delete_unknown=body["delete_unknown"],
        )
        if body["dry_run"]:
            report = await self.call(lake.maintenance.gc, policy, dry_run=True)
            self.answer({"report": report, "after_event": None})
            return
        status = await self.call(lake.maintenance.get_status)
        if status.collector is not None:
            raise collected_by(status.collector)
        after_event = await self.call(lake.events.last_number)
        self.service.start(lake.maintenance.gc, policy)
        self.answer({"report": None, "after_event": after_event}, 202)

    @operation("cancelGc")
    async def delete(self) -> None:
        lake = await self.lake()
        self.answer({"owner": await self.call(lake.maintenance.cancel_gc)})


class AutoGcHandler(DatalakeHandler):
    """When garbage is collected without being asked for."""

    path = "/gc/auto"

    @operation("setAutoGc")
    async def put(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        await self.call(lake.maintenance.set_auto_gc, body["every_s"])
        self.answer_nothing()


class UsageHandler(DatalakeHandler):
    """What repos take."""

    path = "/usage"

    @operation("getUsage")
    async def get(self) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.maintenance.get_usage))


HANDLERS = [
    StatusHandler,
    BackupHandler,
    QuotaHandler,
    CollectionHandler,
    AutoGcHandler,
    UsageHandler,
    DoctorHandler,
]
