"""Checks: what people's own functions say of an output, from a worker."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.jobs import check_program
from jupyter_datalake.jobs.workspace import Workspace
from jupyter_datalake.model.expectations import Expectation, check_of
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.model.paths import RepoPath

RESULTS = "checks.json"
"""Among the artifacts: what each check said, in the order of the expectations that have one."""

_FOLDER = "checks"
_TASKS = "checks.tasks.json"

Run = Callable[[tuple[str, ...]], None]
"""Runs a program in the folder of the code."""


def run_checks(
    expectations: Sequence[Expectation],
    output: Snapshot,
    workspace: Workspace,
    run: Run,
    *,
    is_own: bool,
) -> None:
    """Call the checks of expectations, each with a folder of the files that it is about.

    Parameters
    ----------
    is_own
        Whether ``python`` is that of an environment of the pipeline's own.

    Raises
    ------
    JobFailedError
        The process that called them died, or was ended.
    """
    tasks = []
    for index, expectation in enumerate(one for one in expectations if one.python):
        folder = workspace.folder / _FOLDER / str(index)
        folder.mkdir(parents=True)
        for match in parse_glob(expectation.files).matches_in(output):
            if match.kind is FileKind.FILE:
                output.export_into(match.path, folder)
        file, function = check_of(expectation.python)
        tasks.append(
            {
                "where": expectation.python,
                "file": file,
                "function": function,
                "folder": str(folder),
            }
        )
    place = workspace.folder / _TASKS
    place.write_text(json.dumps(tasks), encoding="utf-8")
    python = "python" if is_own else sys.executable
    results = workspace.artifacts / RESULTS
    run((python, str(Path(check_program.__file__)), str(place), str(results)))


def read_results(artifacts: Snapshot | None, count: int) -> list[list[str] | None]:
    """Return what each check said, from what the worker left; None for one that did not answer."""
    said: list[list[str] | None] = []
    if artifacts is not None and artifacts.find(RepoPath(RESULTS)) is not None:
        said = json.loads(artifacts.read(RepoPath(RESULTS)))
    return [*said, *[None] * (count - len(said))]
