"""Garbage collection as values: what a run is told, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from jupyter_datalake.errors import InvalidInputError

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class GcPolicy:
    """How careful a run is. Times are by the lake's clock, in seconds."""

    undo_s: float = 14 * DAY_S
    """How long a move or deletion of a ref, and a deleted repo, can be undone."""
    grace_s: float = DAY_S
    """How long something new is kept that nobody needs, and how long after it was found to be
    garbage something old is."""
    reader_s: float = 3600.0
    """How long the object of a pack without content stays, for who found a place in it before."""
    results_s: float = 90 * DAY_S
    """How long outputs of datums are remembered that no newer job used."""
    min_live_share: float = 0.7
    """A pack of which less is in use is written anew."""
    small_pack_bytes: int = 8 * 1024 * 1024
    """Packs below this are written together once there are `small_pack_count`."""
    small_pack_count: int = 16
    memory_bytes: int = 64 * 1024 * 1024
    """Bounds what a run keeps in memory; the rest of its notes is in temporary files."""
    unknown_s: float = 14 * DAY_S
    """How long nothing at all is removed when packs are found with commits that the database does
    not know, while every run reports them; then they are garbage. They are the only copy of
    something if the database was restored from an old backup."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("undo_s", "grace_s", "reader_s", "results_s", "unknown_s"):
            if not getattr(self, name) >= 0:
                raise InvalidInputError(f"{name} is {getattr(self, name)}; it is at least 0")
        if not 0 <= self.min_live_share <= 1:
            raise InvalidInputError(
                f"min_live_share is {self.min_live_share}; it is between 0 and 1"
            )


AUTO_EVERY_S = DAY_S
"""How often gc runs by itself at most, where nobody says otherwise."""
_OVERDUE = 7
"""After so many times as long it runs although people work, and for whatever is new."""
_QUIET_S = 60.0
_MUCH = 4
"""It is worth a run when there are so many times as many small packs as are written together."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """What tells, at hardly any cost, whether gc would find something. Times are nanoseconds."""

    every_s: float
    """How often it may run by itself; 0: never."""
    since_ns: int | None
    """When the last run that ended began, or the first pack was stored; None: nothing is."""
    is_waiting: bool
    """Whether that run left something to be removed when its grace is over."""
    removed_commits: int
    """Commits that retention has removed since."""
    ended_undos: int
    """Deletions of refs and repos that cannot be undone any more, and could then."""
    small_packs: int
    has_new: bool
    """Whether anything was stored since."""
    last_event_ns: int


class Due(StrEnum):
    """Whether gc is to run by itself."""

    NO = "no"
    IF_IDLE = "if-idle"
    """Nobody has done anything for a minute; it ends when somebody does."""
    OVERDUE = "overdue"
    """Whatever else is going on."""


def when_due(found: Garbage, policy: GcPolicy, now_ns: int) -> Due:
    """Tell whether gc is to run by itself."""
    if not found.every_s or found.since_ns is None:
        return Due.NO
    age_s = (now_ns - found.since_ns) / 1e9
    is_overdue = age_s >= _OVERDUE * found.every_s
    is_worth_it = (
        found.is_waiting
        or found.removed_commits
        or found.ended_undos
        or found.small_packs >= _MUCH * max(policy.small_pack_count, 2)
        or (is_overdue and found.has_new)
    )
    if age_s < found.every_s or not is_worth_it:
        return Due.NO
    is_quiet = now_ns - found.last_event_ns >= _QUIET_S * 1e9
    if is_overdue:
        return Due.OVERDUE
    return Due.IF_IDLE if is_quiet else Due.NO


def policy_of(
    *,
    undo_s: float | None = None,
    grace_s: float | None = None,
    now: bool = False,
    delete_unknown: bool = False,
) -> GcPolicy:
    """Return the policy of what people ask for in a few words.

    Parameters
    ----------
    undo_s, grace_s
        As in `GcPolicy`; its own when None. Readers are not waited for longer than the grace.
    now
        Wait for nothing.
    delete_unknown
        Take packs for garbage that hold commits which the database does not know.

    Raises
    ------
    InvalidInputError
        A time is negative.
    """
    policy = GcPolicy()
    if now:
        policy = replace(policy, grace_s=0.0, reader_s=0.0)
    if undo_s is not None:
        policy = replace(policy, undo_s=undo_s)
    if grace_s is not None:
        policy = replace(policy, grace_s=grace_s, reader_s=min(grace_s, policy.reader_s))
    if delete_unknown:
        policy = replace(policy, unknown_s=0.0)
    return policy


@dataclass(slots=True)
class RepoGarbage:
    """What a run removes, or would remove, of one repo."""

    repo: str
    commits: int = 0
    bytes: int = 0
    """Stored bytes that only its removed commits needed; only known to a dry run."""


@dataclass(slots=True)
class GcReport:
    """What a run did, or would do; counts grow while it runs."""

    is_dry_run: bool = False
    phase: str = "begin"
    repos: list[RepoGarbage] = field(default_factory=list)
    """By name; only those of which something goes."""
    deleted_repos: int = 0
    results: int = 0
    """Remembered outputs of datums that were forgotten."""
    marked_blobs: int = 0
    condemned_blobs: int = 0
    condemned_bytes: int = 0
    """Garbage that was found for the first time; a later run removes it, when the grace is over."""
    pardoned_blobs: int = 0
    """Found to be in use again."""
    waiting_blobs: int = 0
    """Garbage found by an earlier run whose grace is not over."""
    swept_blobs: int = 0
    swept_bytes: int = 0
    repacked_packs: int = 0
    written_packs: int = 0
    written_bytes: int = 0
    damaged_packs: int = 0
    """Left as they are, because not all of what they hold could be read."""
    retired_packs: int = 0
    retired_bytes: int = 0
    """Packs that hold nothing any more; their objects are deleted by a later run."""
    deleted_packs: int = 0
    deleted_bytes: int = 0
    unknown_packs: int = 0
    unknown_bytes: int = 0
    """Packs that the database does not know, some of them with commits. The run removed nothing:
    the database may have been restored from an old backup. See `GcPolicy.unknown_s`."""
    swept_uploads: int = 0
    """Unfinished uploads that died processes left."""

    def add(self, other: GcReport) -> None:
        """Add what a later run did."""
        for one in fields(self):
            value = getattr(other, one.name)
            if one.name in _STATES:
                setattr(self, one.name, value)
            elif one.type == "int":
                setattr(self, one.name, getattr(self, one.name) + value)
        for repo in other.repos:
            mine = self.of_repo(repo.repo)
            mine.commits += repo.commits
            mine.bytes += repo.bytes

    def of_repo(self, repo: str) -> RepoGarbage:
        """Return the line of a repo, made when it is first asked for."""
        for one in self.repos:
            if one.repo == repo:
                return one
        self.repos.append(RepoGarbage(repo))
        return self.repos[-1]


_STATES = frozenset(
    {"phase", "marked_blobs", "waiting_blobs", "unknown_packs", "unknown_bytes", "damaged_packs"}
)
"""What a run found, in contrast to what it did."""


@dataclass(frozen=True, slots=True)
class CollectionRun:
    """One run, from the journal."""

    number: int
    owner: str
    started_at: datetime
    finished_at: datetime | None
    """None: it runs, or was killed."""
    report: dict[str, Any]
