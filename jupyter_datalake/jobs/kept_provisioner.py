"""How Jupyter servers come to the kernels that are kept: a kernel provisioner of jupyter_client.

A kernel of its kernelspec is the one that is kept, as long as that lives. Restarted, or begun when
it is gone, it is a fresh one of the same environment. To shut the kept one down is to end it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Unicode

from jupyter_datalake.jobs.kept_kernels import KeptPlace

_POLL_S = 0.1
_ENDED = 0


class KeptProvisioner(LocalProvisioner):
    """Attaches to a kernel that is kept, and starts a fresh one when it is gone."""

    work: str = Unicode(config=True)  # type: ignore[assignment]  # in the kernelspec
    kernel: str = Unicode(config=True)  # type: ignore[assignment]
    _place: KeptPlace | None = None
    _attached: int | None = None
    _was_attached = False

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel, kept or fresh."""
        return self._place is not None or super().has_process

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Attach to the kept kernel, or prepare the start of a fresh one."""
        place = KeptPlace(Path(self.work), self.kernel)
        attached = await asyncio.to_thread(place.attach)
        if attached is None:
            if not self._was_attached:
                self.log.warning("The kept kernel %s is gone; a fresh one starts", self.kernel)
            self._make_socket_folder()
            return await super().pre_launch(**kwargs)
        self._place, self._attached, self._was_attached = place, attached, True
        info = json.loads(place.connection.read_text(encoding="utf-8"))
        self.connection_info = cast("KernelConnectionInfo", {**info, "key": info["key"].encode()})
        record = place.read() or {}
        self.pid, self.cwd = record.get("pid"), record.get("folder")
        kwargs.pop("extra_arguments", None)
        return await KernelProvisionerBase.pre_launch(self, cmd=[], **kwargs)

    def _make_socket_folder(self) -> None:
        """Make the folder of the kept kernel's sockets again: the server stays with it."""
        manager = self.parent
        if manager is not None and manager.transport == "ipc" and os.path.isabs(manager.ip):
            os.makedirs(os.path.dirname(manager.ip), mode=0o700, exist_ok=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a fresh kernel, if none is attached to."""
        if self._place is not None:
            return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def poll(self) -> int | None:
        """Tell whether it lives."""
        if self._place is None:
            return await super().poll()
        return None if self._place.is_alive else _ENDED

    async def wait(self) -> int | None:
        """Wait until it has ended."""
        if self._place is None:
            return await super().wait()
        while self._place.is_alive:  # noqa: ASYNC110  # a file lock tells nobody
            await asyncio.sleep(_POLL_S)
        self._let_go()
        return _ENDED

    async def send_signal(self, signum: int) -> None:
        """Interrupt it, or end it."""
        if self._place is None:
            await super().send_signal(signum)
        elif signum != signal.SIGINT:
            self._place.end()
        elif self.pid is not None and self._place.is_alive:
            os.kill(self.pid, signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of it."""
        self._let_go()
        await super().cleanup(restart=restart)

    async def kill(self, restart: bool = False) -> None:
        """End it."""
        if self._place is None:
            await super().kill(restart=restart)
        else:
            self._place.end()

    async def terminate(self, restart: bool = False) -> None:
        """End it."""
        if self._place is None:
            await super().terminate(restart=restart)
        else:
            self._place.end()

    def _let_go(self) -> None:
        self._place = None
        attached, self._attached = self._attached, None
        if attached is not None:
            os.close(attached)
