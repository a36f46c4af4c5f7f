"""The controller's process.

``python -m jupyter_datalake.lake.controller_process LAKE WORKERS [SCHEDULER]``

It ends when its input closes, that is, when whoever started it is gone, or on SIGTERM.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path

from jupyter_datalake.config import ControllerConfig, LakeConfig
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.controllers import LOG_FOLDER, stopped_by_signals
from jupyter_datalake.lake.lake import Lake

_LOG_BYTES = 4 * 1024 * 1024
_READ_BYTES = 4096


def main(url: str, workers: int, scheduler: str | None = None) -> None:
    """Run the lake's pipelines until told to stop."""
    lake = Lake.open(LakeConfig(url))
    _log_to(lake.core.work_folder / LOG_FOLDER / "controller.log")
    config = ControllerConfig(workers=workers, scheduler=scheduler)
    with stopped_by_signals() as stop:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
        try:
            lake.run_controller(config, stop=stop)
        except DatalakeError as error:
            logging.getLogger(__name__).error("%s", error)  # noqa: TRY400  # it says all there is
            sys.exit(str(error))


def _stop_at_end_of_input(stop: threading.Event) -> None:
    # Not through `sys.stdin`: its lock, held here for ever, would abort the interpreter's end.
    while os.read(0, _READ_BYTES):
        pass
    stop.set()


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=2)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
