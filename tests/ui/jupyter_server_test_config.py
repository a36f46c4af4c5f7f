"""JupyterLab for the browser tests: a folder of its own, with a lake that holds a story.

``DATALAKE_UI_STORY`` chooses the story: ``customers`` (the default: one repo, one notebook,
ready in a second) or ``churn`` (the example of the documentation, run to its end).
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from jupyterlab.galata import configure_jupyter_server

sys.path.insert(0, str(Path(__file__).parent))
from stories import STORIES  # beside this file, which is no package

root = Path(
    os.environ.setdefault("JUPYTERLAB_GALATA_ROOT_DIR", tempfile.mkdtemp(prefix="lake-ui-"))
)
configure_jupyter_server(c)  # noqa: F821  # traitlets provides it
c.ServerApp.port = int(os.environ.get("DATALAKE_UI_PORT", "8899"))  # noqa: F821
c.ServerApp.allow_root = True  # noqa: F821
# Before each test Galata asks for a folder that is not there yet.
c.Application.log_level = "ERROR"  # noqa: F821
c.LabApp.extension_manager = "readonly"  # noqa: F821

lake_url = root.parent / f"{root.name}-data" / "store"
lake_url.parent.mkdir()
for folder in (root, lake_url.parent):
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the server has unmounted by then
STORIES[os.environ.get("DATALAKE_UI_STORY", "customers")](root, lake_url)
c.DatalakeExtension.lake_url = str(lake_url)  # noqa: F821
c.DatalakeExtension.workers = 1  # noqa: F821
