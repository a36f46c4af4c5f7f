"""Grouping: the pipelines of a group, and how many of their jobs are at work at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.groups import (
    GROUP_LIMIT,
    PipelineGroup,
    check_group,
    groups_around,
)
from jupyter_datalake.model.pipelines import PipelineState

_ALL = 1_000_000


def members(tx: Transaction, group: str) -> Sequence[PipelineRow]:
    """Return the pipelines of a group and of those inside it, by name; reads every spec.

    Raises
    ------
    NotFoundError
        There is no pipeline in it.
    """
    check_group(group)
    found = [
        row
        for row in tx.pipelines.list(limit=_ALL)
        if group in groups_around(row.pipeline.spec.group)
    ]
    if not found:
        raise NotFoundError(
            f"There is no pipeline in group {group!r}",
            kind=ErrorKind.GROUP_NOT_FOUND,
            hint="'datalake pipelines list-groups' shows what there is",
            group=group,
        )
    return found


def list_groups(tx: Transaction) -> Sequence[PipelineGroup]:
    """Return all groups by name, also those that hold only other groups."""
    latest = {name: job.state for name, job in tx.jobs.latest_of_each().items()}
    limits = {limit.name: limit.count for limit in tx.settings.limits()}
    held: dict[str, list[PipelineRow]] = {}
    for row in tx.pipelines.list(limit=_ALL):
        for group in groups_around(row.pipeline.spec.group):
            held.setdefault(group, []).append(row)
    return [
        PipelineGroup(
            name=group,
            pipelines=tuple(row.pipeline.name for row in held[group]),
            paused_count=sum(row.pipeline.state is PipelineState.PAUSED for row in held[group]),
            latest=dict(
                Counter(
                    latest[row.pipeline.name] for row in held[group] if row.pipeline.name in latest
                )
            ),
            limit=limits.get(GROUP_LIMIT + group),
        )
        for group in sorted(held)
    ]


class GroupLimits:
    """Counts jobs at work by group, as far as their groups have limits.

    Parameters
    ----------
    limits
        Every limit of the lake, by name.
    at_work
        The groups of the jobs that are at work.
    """

    def __init__(self, limits: Mapping[str, int], at_work: Iterable[str]) -> None:
        self._limits = limits
        self._at_work = Counter(one for group in at_work for one in groups_around(group))

    def admit(self, group: str) -> bool:
        """Tell whether one more job of a group may begin, and count it if so."""
        around = groups_around(group)
        for one in around:
            limit = self._limits.get(GROUP_LIMIT + one)
            if limit is not None and self._at_work[one] >= limit:
                return False
        self._at_work.update(around)
        return True
