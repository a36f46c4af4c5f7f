"""A controller for tests: with short leases, and with points at which it dies.

``python controller.py LAKE OPTIONS``, OPTIONS being ``{"die": "before egress"}`` and such as JSON.
"""

import json
import os
import signal
import sys
import threading

from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.pipelines import running


def die_before_egress(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_egress(*arguments, real=running.run_egress):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)


def main(url, workers=1, die=None, scheduler=None):
    if die is not None:
        running.run_egress = {
            "before egress": die_before_egress,
            "after egress": die_after_egress,
        }[die]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def end_with_input():
        while os.read(0, 1):
            pass
        stop.set()

    threading.Thread(target=end_with_input, daemon=True).start()
    with Lake.open(url) as lake:
        config = ControllerConfig(
            workers=workers, scheduler=scheduler, poll_s=0.05, lease_s=3.0, job_lease_s=3.0
        )
        lake.run_controller(config, stop=stop)


if __name__ == "__main__":
    main(sys.argv[1], **json.loads(sys.argv[2]))
