"""Versioned data repositories mounted in JupyterLab, and notebook pipelines with lineage.

Usage::

    import jupyter_datalake as dl

    lake = dl.Lake.open("…/my-lake")
    lake.files.put("raw@main/notes.txt", "hello")

Every Jupyter server with the extension enabled imports this module when it starts, so names are
loaded when they are first used (PEP 562).
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jupyter_datalake._version import __version__

if os.name == "nt":
    raise ImportError("jupyter_datalake needs a POSIX system: on Windows, use it in WSL 2")

if TYPE_CHECKING:
    from jupyter_datalake.errors import (
        AlreadyExistsError as AlreadyExistsError,
    )
    from jupyter_datalake.errors import (
        ConflictError as ConflictError,
    )
    from jupyter_datalake.errors import (
        CorruptDataError as CorruptDataError,
    )
    from jupyter_datalake.errors import (
        DatalakeError as DatalakeError,
    )
    from jupyter_datalake.errors import (
        ErrorKind as ErrorKind,
    )
    from jupyter_datalake.errors import (
        InvalidInputError as InvalidInputError,
    )
    from jupyter_datalake.errors import (
        NotFoundError as NotFoundError,
    )
    from jupyter_datalake.errors import (
        StateError as StateError,
    )
    from jupyter_datalake.errors import (
        StorageError as StorageError,
    )
    from jupyter_datalake.lake.as_of import as_of as as_of
    from jupyter_datalake.lake.lake import Lake as Lake
    from jupyter_datalake.lake.notebooks import session as session
    from jupyter_datalake.lake.sessions import WorkSession as WorkSession
    from jupyter_datalake.model.addresses import Address as Address
    from jupyter_datalake.model.commits import Author as Author
    from jupyter_datalake.model.commits import Commit as Commit
    from jupyter_datalake.notebook import widgets as widgets
    from jupyter_datalake.pipelines.templating import Template as Template

_HOMES = {
    "Address": "model.addresses",
    "AlreadyExistsError": "errors",
    "Author": "model.commits",
    "Commit": "model.commits",
    "ConflictError": "errors",
    "CorruptDataError": "errors",
    "DatalakeError": "errors",
    "ErrorKind": "errors",
    "InvalidInputError": "errors",
    "Lake": "lake.lake",
    "NotFoundError": "errors",
    "StateError": "errors",
    "StorageError": "errors",
    "Template": "pipelines.templating",
    "WorkSession": "lake.sessions",
    "as_of": "lake.as_of",
    "session": "lake.notebooks",
}
_MODULES = {"widgets": "notebook.widgets"}

__all__ = ["__version__", *_HOMES, *_MODULES]  # noqa: PLE0604  # the keys are strings


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        value = getattr(import_module(f"{__name__}.{home}"), name)
    elif home := _MODULES.get(name):
        value = import_module(f"{__name__}.{home}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Add magics and completions, and let mounts know which cell runs.

    ``%load_ext jupyter_datalake``; docs/notebooks.md has what it adds.
    """
    import_module(f"{__name__}.notebook.extension").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take all of it back: ``%unload_ext jupyter_datalake``."""
    import_module(f"{__name__}.notebook.extension").unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the front end is."""
    return [{"src": "labextension", "dest": "jupyter-datalake"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server where the back end is; it is imported only when it is enabled."""
    from jupyter_datalake.server.extension import DatalakeExtension  # noqa: PLC0415

    return [{"module": "jupyter_datalake.server.extension", "app": DatalakeExtension}]
