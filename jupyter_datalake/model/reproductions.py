"""Reproductions: what came of running again what made a commit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.text_diffs import TextDiff

REPRODUCTION_LEASE = "reproduction:"
"""Leases of reproductions that run are named so, with the id behind it."""


class Verdict(StrEnum):
    """How what was made again compares with what was recorded; the worst one first."""

    FAILED = "failed"
    """The code fails now."""
    IMPOSSIBLE = "impossible"
    """Something that it was made from is gone, or the environment that was asked for is."""
    DIFFERENT = "different"
    PLANNED = "planned"
    """It was not run, only looked at."""
    IDENTICAL = "identical"
    """Every path has the same content, kind and mode; times are left out."""


class EnvironmentWish(StrEnum):
    """In which environment code is run again."""

    CURRENT = "current"
    """In what this machine has; what differs from the lock is told."""
    LOCKED = "locked"
    """Only in what the lock says: where this machine differs, an environment is built of the
    lock, and where that cannot be, nothing is run."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """How one changed file differs, as text: what was recorded is the older one."""

    path: RepoPath
    diff: TextDiff


@dataclass(frozen=True, slots=True)
class ReproducedStep:
    """One job that was run again."""

    repo: str
    pipeline: str
    commit_id: CommitId | None
    """The commit that was compared with."""
    job_id: str | None
    verdict: Verdict
    message: str
    """Why it failed or is impossible, or what is to be said of how it was run."""
    datum_count: int
    """Datums that were run, once each if they succeeded the first time."""
    recorded_root: Digest
    """Digest of the recorded tree."""
    made_root: Digest | None
    """Digest of the tree that was made now; of one datum or path, of what its datums made."""
    change_count: int
    changes: tuple[Change, ...]
    """The first of the paths that differ: `old` is what was recorded, `new` what was made."""
    texts: tuple[TextChange, ...]
    """Of the first of them that are short texts."""
    environment: tuple[str, ...]
    """What of the environment is not as it was locked, as lines for people."""
    unexpected: tuple[str, ...]
    """How what was made is not what the pipeline expects, as lines for people."""
    is_repeatable: bool | None
    """Whether running it twice now gave the same; None where that was not tried."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of a reproduction; the steps upstream come first."""

    id: str
    subject: str
    """The address or job that was asked for."""
    steps: tuple[ReproducedStep, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the steps."""
        found = {step.verdict for step in self.steps}
        return next(one for one in Verdict if one in found)
