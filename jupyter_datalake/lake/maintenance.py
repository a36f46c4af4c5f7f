"""Maintenance: verification, and what the lake holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jupyter_datalake.engine.verify import Verifier, VerifyReport
from jupyter_datalake.lake.context import LakeContext


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

    def status(self) -> LakeStatus:
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
                tx.leases.holder("controller"),
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
