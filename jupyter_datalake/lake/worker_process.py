"""The worker's process: ``python -m jupyter_datalake.lake.worker_process LAKE MOUNTPOINT FILE``.

The mount point is that of lazy inputs. The file is the descriptor of what tells where the worker
is.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.environment import store_environment, uv_environment
from jupyter_datalake.jobs.progress import Progress
from jupyter_datalake.jobs.runner import DatumRunner
from jupyter_datalake.jobs.worker import serve
from jupyter_datalake.lake.lazy_inputs import MountedInputs
from jupyter_datalake.lake.opening import open_core
from jupyter_datalake.model.warehouse import IngestReport, IngestSpec
from jupyter_datalake.warehouse.ingest import run_ingest


def main(url: str, mountpoint: str, file: str) -> None:
    """Open the lake and run datums until the input closes."""
    progress = Progress.inherited(int(file))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with store_environment():  # kernels and programs inherit ours, and must not find keys there
        core = open_core(LakeConfig(url))
        for_uv = uv_environment()

    def run_query(spec: IngestSpec, out: Path) -> IngestReport:
        with core.metadata.read() as tx:
            connection = tx.connections.get(spec.connection)
        return run_ingest(connection, spec, out)

    # Ours holds what datums may see and nothing else: whoever started us saw to that.
    lazy = MountedInputs(Path(mountpoint))
    gc.freeze()  # what was imported stays, and need not be looked through again and again
    serve(DatumRunner(core, run_query, os.environ, for_uv, lazy), progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
