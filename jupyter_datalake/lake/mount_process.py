"""The mount's process, ``python -m jupyter_datalake.lake.mount_process``.

Opens the lake and hands it to `mount.daemon`, or with ``--datum-inputs`` to `mount.lazy`, which
may not know how a lake is opened.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from functools import partial

from jupyter_datalake import environment
from jupyter_datalake.config import MOUNT_MEMORY_BYTES, LakeConfig, cache_sizes
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.lake.lazy_inputs import datum_of, find_selection
from jupyter_datalake.lake.opening import open_core
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.mounts import MountMode, MountState

MODULE = "jupyter_datalake.lake.mount_process"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a mount point, or record that its supervisor gave it up; return the exit code.

    With ``--datum-inputs`` it shows the lazy inputs of datums until its input closes.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}")
    parser.add_argument("--lake", required=True)
    parser.add_argument("--mountpoint", required=True)
    parser.add_argument("--supervisor", type=int)
    parser.add_argument("--record-failure")
    parser.add_argument("--datum-inputs", action="store_true")
    options = parser.parse_args(arguments)
    allow_other = environment.allows_others()
    memory_bytes = environment.memory_bytes() or MOUNT_MEMORY_BYTES
    core = open_core(LakeConfig(options.lake, memory_bytes=memory_bytes))
    try:
        if options.record_failure is not None:
            _record_failure(core, options.mountpoint, options.record_failure)
            return 0
        from jupyter_datalake.mount import daemon, lazy  # noqa: PLC0415  # need FUSE, unlike the rest

        daemon.log_to_file(core, options.mountpoint)
        max_inodes = cache_sizes(memory_bytes).inode_count
        if options.datum_inputs:
            find = partial(find_selection, core)
            return lazy.serve_inputs(core, options.mountpoint, find, datum_of, max_inodes)
        return daemon.serve(
            core,
            options.mountpoint,
            options.supervisor,
            max_inodes,
            allow_other=allow_other,
        )
    finally:
        core.metadata.close()
        core.objects.close()


def _record_failure(core: LakeCore, mountpoint: str, message: str) -> None:
    with core.metadata.write() as tx:
        tx.mounts.set_point(
            mountpoint,
            mode=MountMode.FUSE,
            state=MountState.FAILED,
            message=message,
            pid=None,
            host=socket.gethostname(),
        )
        tx.events.append(EventKind.MOUNT_CHANGED, mountpoint, state=str(MountState.FAILED))


if __name__ == "__main__":
    sys.exit(main())
