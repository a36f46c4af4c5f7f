"""What the folder of a reopened datum says to a kernel that was started in it.

A person's kernel has the variables of the Jupyter server and not those of the job. Without this,
``lake://raw@main/a.csv`` would lead it to what the branch holds now.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from jupyter_datalake import environment
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.shown_branches import parse_shown_branches, shown_as_text

RECORD = ".datalake-datum.json"
"""Says in the folder what it is."""
SHOWN = "shown"
"""The key of the record that says what addresses mean there, by folders below it."""


def shown_to_kernel(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return what ``lake://`` addresses mean to the kernel of a reopened notebook; None to others.

    None also where the notebook has named a lake by itself, as a job's code may. A lake that the
    kernel was started with is that of whoever started it, and was not named by the code.

    Raises
    ------
    InvalidInputError
        The record in the folder was damaged.
    """
    notebook = environment.notebook(environ)
    url = environment.URL_VARIABLE
    is_named = environ.get(url) and not environment.is_inherited(url, environ)
    if notebook is None or is_named:
        return None
    above = (folder / RECORD for folder in Path(notebook).absolute().parents)
    record = next((one for one in above if one.is_file()), None)
    if record is None:
        return None
    try:
        said = json.loads(record.read_text(encoding="utf-8")).get(SHOWN)
        if said is None:  # an earlier version made it
            return None
        shown = parse_shown_branches(said)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"{str(record)!r} is damaged, so nobody knows what lake:// addresses mean here",
            hint="Reopen the datum once more: datalake jobs reopen JOB",
            path=str(record),
        ) from error
    return shown_as_text([replace(one, folder=str(record.parent / one.folder)) for one in shown])
