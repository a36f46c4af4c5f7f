"""Delivering: the controller that leads sends what people are to be told.

A message is claimed in one transaction, sent outside of any, and ended in another. Who is killed
in between leaves it claimed, and the next controller that leads sends it again: so each message is
sent once or more, with one id. Each is sent by a thread of its own, a few at a time, so no server
that does not answer holds up the others, or a job.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import NamedTuple

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.metadata.notifications import Claimed
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.notifications import (
    MAX_TRIES,
    InJupyter,
    Notification,
    NotificationState,
    backoff_s,
)
from jupyter_datalake.pipelines.channels import NotSentError, PartlySentError, Send, send
from jupyter_datalake.pipelines.notifying import look_whether_late, show

logger = logging.getLogger(__name__)

_AT_ONCE = 8
_CLAIM_S = 120.0
"""Longer than any channel takes."""
_END_S = 15.0
_PRUNE_S = 3600.0
_KEPT_NS = 30 * 86_400 * 1_000_000_000


class _Sending(NamedTuple):
    """A thread that sends one message, and when nobody counts on it any more."""

    thread: threading.Thread
    until: float


class Sender:
    """Sends notifications for a controller. For one thread, which calls `tend` often.

    Parameters
    ----------
    owner
        The controller.
    send_one
        How one is sent.
    """

    def __init__(self, core: LakeCore, owner: str, *, send_one: Send = send) -> None:
        self._core = core
        self._owner = owner
        self._send_one = send_one
        self._at_work: list[_Sending] = []
        self._prune_at = 0.0

    def tend(self) -> bool:
        """Begin to send what is due; tell whether there was anything."""
        now = time.monotonic()
        self._at_work = [one for one in self._at_work if one.thread.is_alive() and one.until > now]
        free = _AT_ONCE - len(self._at_work)
        if free <= 0:
            return False
        with self._core.metadata.read() as tx:
            due = tx.notifications.due(free)
        if not due:
            return False
        with self._core.metadata.write() as tx:
            if now >= self._prune_at:
                tx.notifications.prune(tx.now_ns - _KEPT_NS)
                self._prune_at = now + _PRUNE_S
            claimed = tx.notifications.claim(due, self._owner, int(_CLAIM_S * 1e9))
            sending = [ready for one in claimed if (ready := _prepared(tx, one)) is not None]
        for one in sending:
            thread = threading.Thread(
                target=self._send,
                args=(one,),
                name=f"notify-{one.notification.id[:8]}",
                daemon=True,
            )
            self._at_work.append(_Sending(thread, now + _CLAIM_S))
            thread.start()
        return True

    def take_over(self) -> None:
        """Send again what an earlier controller was sending: it leads no more."""
        with self._core.metadata.write() as tx:
            tx.notifications.release(self._owner)

    @property
    def is_busy(self) -> bool:
        """Whether something is being sent, or due."""
        if any(one.thread.is_alive() and one.until > time.monotonic() for one in self._at_work):
            return True
        with self._core.metadata.read() as tx:
            return bool(tx.notifications.due(1))

    def close(self) -> None:
        """Wait a while for what is being sent; the rest is sent again by the next controller."""
        deadline = time.monotonic() + _END_S
        for one in self._at_work:
            one.thread.join(timeout=max(deadline - time.monotonic(), 0))

    def _send(self, one: Claimed) -> None:
        told = one.notification
        try:
            self._send_one(one.channel, told, one.facts, self._core.url)
        except PartlySentError as error:
            self._end(told, NotificationState.FAILED, str(error))
        except NotSentError as error:
            self._end_failed(told, str(error))
        except Exception as error:
            logger.exception("notification %s", told.id)
            self._end_failed(told, f"Internal error: {type(error).__name__}")
        else:
            self._end(told, NotificationState.SENT, "")

    def _end_failed(self, told: Notification, why: str) -> None:
        is_last = told.tries >= MAX_TRIES
        logger.warning(
            "notification %s by %s, try %d of %d: %s",
            told.id,
            told.channel,
            told.tries,
            MAX_TRIES,
            why,
        )
        state = NotificationState.FAILED if is_last else NotificationState.PENDING
        self._end(told, state, why)

    def _end(self, told: Notification, state: NotificationState, why: str) -> None:
        delay_ns = int(backoff_s(told.tries) * 1e9)
        try:
            self._core.metadata.transact(
                lambda tx: tx.notifications.end(told, state, why, delay_ns=delay_ns)
            )
        except DatalakeError as error:
            # Its claim runs out, and it is sent once more.
            logger.warning("it was not noted how notification %s ended: %s", told.id, error)


def _prepared(tx: Transaction, one: Claimed) -> Claimed | None:
    """Return a claimed message as it is to be sent, or None if there is nothing to send."""
    facts = one.facts
    if one.is_armed:
        late = look_whether_late(tx, one.notification.job_id)
        if late is None:
            tx.notifications.drop(one.notification.id)
            return None
        facts = late
        tx.notifications.tell(one.notification.id, facts)
    if isinstance(one.channel, InJupyter):
        show(tx, one.notification.id, one.notification.occasions, facts)
        tx.notifications.end(one.notification, NotificationState.SENT)
        return None
    return one._replace(facts=facts)
