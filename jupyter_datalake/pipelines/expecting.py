"""Expecting: an output is held against what its pipeline expects before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.model.expectations import Expectation
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.globs import parse_glob
from jupyter_datalake.pipelines.cutting import TreeForGlobs
from jupyter_datalake.warehouse.expectations import violations_of
from jupyter_datalake.warehouse.table_files import TableSource

QUARANTINE = "quarantine"
"""Branch of the output repo that gets what was not as expected."""

_FOLDER = "expectations"


def unexpected(core: LakeCore, tree: Snapshot, expectations: Iterable[Expectation]) -> list[str]:
    """Return how an output is not what is expected of it, a line each."""
    lines: list[str] = []
    for expectation in expectations:
        sources = [
            TableSource(f"/{match.path}", partial(tree.open, match.path))
            for match in parse_glob(expectation.files).matches_in(TreeForGlobs(tree))
            if match.kind is FileKind.FILE
        ]
        lines += violations_of(expectation, sources, core.work_folder / _FOLDER)
    return lines
