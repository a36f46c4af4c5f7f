"""How much of a lake belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RepoUsage:
    """What one repo takes."""

    repo: str
    commits: int
    logical_bytes: int
    """Sizes of the files of the head of main, as their readers see them."""
    stored_bytes: int = 0
    """Everything that its commits need: deduplicated, compressed."""
    exclusive_bytes: int = 0
    """The part that no other repo needs: about what removing the repo would free."""


@dataclass(slots=True)
class LakeUsage:
    """What a lake takes, in all and by repo."""

    pack_bytes: int
    """All packs, with their frames and with what is not removed yet."""
    blob_bytes: int = 0
    shared_bytes: int = 0
    """Needed by several repos."""
    other_bytes: int = 0
    """Needed by no repo: garbage, what is staged, outputs of datums, deleted repos."""
    repos: list[RepoUsage] = field(default_factory=list)
    """By name."""
