"""Expecting: an output is held against what its pipeline expects before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.jobs.checks import read_results
from jupyter_datalake.jobs.tasks import DatumOutcome
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
    """Return how an output is not what is expected of it, a line each.

    What functions of the pipeline's own say of it is left to `said_by_checks`.
    """
    lines: list[str] = []
    for expectation in expectations:
        sources = [
            TableSource(f"/{match.path}", partial(tree.open, match.path))
            for match in parse_glob(expectation.files).matches_in(TreeForGlobs(tree))
            if match.kind is FileKind.FILE
        ]
        lines += violations_of(expectation, sources, core.work_folder / _FOLDER)
    return lines


def said_by_checks(
    core: LakeCore, expectations: Sequence[Expectation], outcome: DatumOutcome
) -> tuple[list[str], list[str]]:
    """Return what the functions of the pipeline said of an output, a line each.

    One that gave no answer, because its process was ended or died, has not said that all is well.

    Returns
    -------
    broken
        By those that keep the output from being committed.
    warnings
        By the others.
    """
    broken: list[str] = []
    warnings: list[str] = []
    having = [one for one in expectations if one.python]
    left = None
    if outcome.artifacts_root is not None:
        left = core.tree(outcome.artifacts_root, "what the checks left")
    for one, said in zip(having, read_results(left, len(having)), strict=True):
        why = outcome.message or "it ended too early"
        answer = [f"could not be asked: {why}"] if said is None else said
        lines = [f"{one.python}: {line}" for line in answer]
        (warnings if one.only_warns else broken).extend(lines)
    return broken, warnings
