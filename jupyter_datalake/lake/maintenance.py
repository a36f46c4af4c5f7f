"""Maintenance: verification, and what the lake holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jupyter_datalake import environment
from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.rebuild import Rebuilder, RebuildReport
from jupyter_datalake.engine.verify import Verifier, VerifyReport
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.lake.opening import open_core, rebuilding
from jupyter_datalake.model.jobs import CONTROLLER_LEASE
from jupyter_datalake.mount.doctor import Finding, Verdict, examine, examine_machine


@dataclass(frozen=True, slots=True)
class LakeStatus:
    """What a lake is and how much it holds."""

    lake_id: str
    url: str
    packs: int
    blobs: int
    stored_bytes: int
    live_jobs: int
    controller: str | None
    """Who runs the controller now; None when nobody does."""


class Maintenance:
    """`lake.maintenance`: keeping the lake in good health."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def get_status(self) -> LakeStatus:
        """Return what the lake is and how much it holds; a few queries."""
        core = self._context.core
        with core.metadata.read() as tx:
            packs, blobs, stored = tx.blobs.totals()
            return LakeStatus(
                core.lake_id,
                core.url,
                packs,
                blobs,
                stored,
                tx.jobs.count_live(),
                tx.leases.holder(CONTROLLER_LEASE),
            )

    def verify(
        self,
        repo: str | None = None,
        *,
        on_progress: Callable[[VerifyReport], None] | None = None,
    ) -> VerifyReport:
        """Read and hash everything that commits need, of one repo or of all.

        Cost: every reachable byte once. Changes nothing.
        """
        return Verifier(self._context.core, on_progress).run(repo)

    def get_doctor(self) -> Sequence[Finding]:
        """Return what this machine can do for the lake, and what stands in the way."""
        return _examine(self._context.core)

    @staticmethod
    def rebuild(
        url: str | LakeConfig | None = None,
        *,
        on_progress: Callable[[RebuildReport], None] | None = None,
    ) -> RebuildReport:
        """Make the lost database of a lake anew; see `rebuild_lake`."""
        return rebuild_lake(url, on_progress=on_progress)


def examine_lake(url: str | None = None) -> Sequence[Finding]:
    """Return what this machine can do for a lake, also for one that cannot be opened.

    Parameters
    ----------
    url
        A folder, as a path or a ``file://`` URL; the one of the environment when None.
    """
    config = LakeConfig(url or environment.lake_url())
    try:
        core = open_core(config)
    except DatalakeError as error:
        return [
            Finding("lake", Verdict.FAIL, error.message, error.hint or ""),
            *examine_machine(),
        ]
    try:
        return _examine(core)
    finally:
        core.metadata.close()
        core.objects.close()


def _examine(core: LakeCore) -> Sequence[Finding]:
    return [
        Finding("lake", Verdict.OK, f"{core.url} can be opened"),
        _check_controller(core),
        *examine(core),
    ]


def _check_controller(core: LakeCore) -> Finding:
    """Look whether somebody runs the pipelines, if there is anything to run."""
    with core.metadata.read() as tx:
        holder = tx.leases.holder(CONTROLLER_LEASE)
        waiting = tx.jobs.count_live()
    if holder is not None:
        return Finding("controller", Verdict.OK, f"runs as {holder}")
    advice = "Start JupyterLab, or run: datalake controller run"
    if waiting:
        return Finding("controller", Verdict.WARN, f"none runs, and {waiting} jobs wait", advice)
    return Finding("controller", Verdict.OK, "none runs, and no job waits")


def rebuild_lake(
    url: str | LakeConfig | None = None,
    *,
    on_progress: Callable[[RebuildReport], None] | None = None,
) -> RebuildReport:
    """Make the lost database of a lake anew from its packs: repos, commits, branches.

    The lake cannot be open for this, so it is a function of where the lake is. Killed in the
    middle, it leaves the lake as it was, and may be run again.

    Parameters
    ----------
    url
        A folder, as a path or a ``file://`` URL; the one of the environment when None.

    Returns
    -------
    RebuildReport
        What was found, and what no pack says: tags, pipelines, jobs.

    Raises
    ------
    NotFoundError
        There is no lake at this place.
    AlreadyExistsError
        The lake has its database; it is not touched.
    ConflictError
        Another process is rebuilding it.
    """
    config = url if isinstance(url, LakeConfig) else LakeConfig(url or environment.lake_url())
    with rebuilding(config) as core:
        return Rebuilder(core, on_progress).run()
