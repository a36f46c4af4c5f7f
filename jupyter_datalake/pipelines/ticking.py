"""Ticking: clocks whose time has come become jobs, each tick once.

A clock is set on in the transaction that creates its tick's jobs, so a controller that is killed
has done both or neither, and a second one finds the clock set on. Clocks that tick at one time
tick under one global id, whatever pipelines they are of.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from jupyter_datalake.engine.core import new_global_id
from jupyter_datalake.metadata.base import ns_of, time_of
from jupyter_datalake.metadata.pipelines import Clock, PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.jobs import Trigger, TriggerKind
from jupyter_datalake.model.lineage import GlobalOrigin
from jupyter_datalake.model.pipelines import cron_inputs
from jupyter_datalake.model.schedules import CatchUp, take_up
from jupyter_datalake.pipelines.notifying import announce_missed
from jupyter_datalake.pipelines.triggering import Started, plan_jobs

logger = logging.getLogger(__name__)

SET_BACK = timedelta(days=1)
"""A machine's clock that is set back by less makes no tick come twice: clocks wait for it."""
_AT_ONCE = 50
_BY = "clock"


def clocks_need_care(tx: Transaction) -> bool:
    """Tell whether a clock is due or stands; costs two look-ups while none does."""
    return bool(tx.pipelines.due_clocks(tx.now_ns)) or bool(_stranded(tx))


def tick_clocks(tx: Transaction) -> int:
    """Plan the jobs of clocks that are due, and set when those tick next; return how many ticks.

    Of a clock that catches up, so many ticks at once that the transaction stays short: the rest
    is due still.
    """
    times: dict[datetime, dict[str, PipelineRow]] = defaultdict(dict)
    for clock in tx.pipelines.due_clocks(tx.now_ns):  # behind the lock: none ticks twice
        row = tx.pipelines.by_id(clock.pipeline_id)
        due = take_up(clock.schedule, clock.due, time_of(tx.now_ns), _policy_of(row, clock))
        ticks = due.ticks[:_AT_ONCE]
        following = due.ticks[_AT_ONCE] if len(due.ticks) > _AT_ONCE else due.following
        tx.pipelines.set_clock(clock, following, ticks[-1] if ticks else None)
        if not ticks or ticks[0] > clock.due:
            announce_missed(tx, row.pipeline.spec, clock.name, clock.due, ticks)
        if not ticks:
            logger.info("what clock %s of %s missed is given up", clock.name, row.pipeline.name)
        for tick in ticks:
            times[tick][row.pipeline.name] = row
    for tick in sorted(times):
        _plan_tick(tx, list(times[tick].values()), tick)
    return len(times)


def mend_clocks(tx: Transaction) -> None:
    """Set clocks anew that wait for a time which only a clock that ran ahead had come near."""
    for clock in _stranded(tx):
        following = clock.schedule.next_after(time_of(tx.now_ns))
        logger.warning("the clock was set back: %s ticks next at %s", clock.name, following)
        tx.pipelines.set_clock(clock, following, None)


def _stranded(tx: Transaction) -> Sequence[Clock]:
    now = time_of(tx.now_ns)
    return [
        clock
        for clock in tx.pipelines.stranded_clocks(ns_of(now + SET_BACK))
        if clock.schedule.next_after(now) < clock.due
    ]


def _policy_of(row: PipelineRow, clock: Clock) -> CatchUp:
    return next(one.catch_up for one in cron_inputs(row.pipeline.spec) if one.name == clock.name)


def _plan_tick(tx: Transaction, rows: Sequence[PipelineRow], tick: datetime) -> None:
    names = [row.pipeline.name for row in rows]
    global_id = new_global_id()
    tx.lineage.begin(global_id, GlobalOrigin.TICK, ", ".join(names), _BY)
    started = [
        Started(row, Trigger(TriggerKind.TICK, row.pipeline.name, ns_of(tick))) for row in rows
    ]
    plan_jobs(tx, started, global_id)
