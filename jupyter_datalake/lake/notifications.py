"""Notifications: who is told when jobs end, what was sent, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.notifications import (
    Notification,
    NotificationState,
    NotifyRule,
)
from jupyter_datalake.model.pipeline_specs import parse_rules
from jupyter_datalake.model.written_specs import rules_as_list
from jupyter_datalake.pipelines.notifying import (
    announce_test,
    get_rules,
    rules_of,
    set_rules,
)
from jupyter_datalake.pipelines.spec_files import load_spec

Rules = Sequence[NotifyRule] | Sequence[dict[str, Any]] | str | Path
"""Rules as values, as a spec has them under ``notify``, or a YAML file with such a list."""


class Notifications:
    """`lake.notifications`: who is told when jobs end, and how far that is."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        *,
        pipeline: str | None = None,
        job_id: str | None = None,
        states: Iterable[NotificationState] | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Sequence[Notification]:
        """Return notifications, newest first; those that ended more than 30 days ago are gone.

        Parameters
        ----------
        pipeline, job_id, states
            Narrow the list. Those that wait to see whether a job is late are left out unless
            their state is asked for.
        before, limit
            At most `limit` with numbers below `before`.
        """
        with self._context.core.metadata.read() as tx:
            job = None if job_id is None else tx.jobs.get(job_id).id
            return tx.notifications.list(
                pipeline=pipeline,
                job_id=job,
                states=states,
                before=before,
                limit=limit_of(limit),
            )

    def get(self, notification_id: str) -> Notification:
        """Return the notification whose id begins so, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.notifications.get(notification_id)

    def retry(self, notification_id: str) -> Notification:
        """Send a notification anew that was sent or given up, with all its tries before it.

        Its id stays the same, so a receiver that has it knows.

        Raises
        ------
        StateError
            It is on its way.
        """
        with self._context.core.metadata.write() as tx:
            found = tx.notifications.get(notification_id)
            if found.finished_at is None:
                raise StateError(
                    f"Notification {found.id} is {found.state} and is sent by itself",
                    kind=ErrorKind.WRONG_STATE,
                    hint="Is a controller at work? 'datalake doctor' tells",
                    notification=found.id,
                )
            tx.notifications.retry(found.id)
            return tx.notifications.get(found.id)

    def test(self, pipeline: str | None = None) -> Sequence[Notification]:
        """Write down a message to everybody whom the rules of a pipeline name, and return them.

        A controller sends them; `get` then tells how that went.

        Parameters
        ----------
        pipeline
            Whose rules; those of the lake when None.

        Raises
        ------
        StateError
            There is no rule.
        """
        with self._context.core.metadata.write() as tx:
            if pipeline is None:
                rules: Sequence[NotifyRule] = get_rules(tx)
            else:
                rules = rules_of(tx, tx.pipelines.get(pipeline).pipeline.spec)
            if not rules:
                raise StateError(
                    f"Nobody is told of pipeline {pipeline!r}"
                    if pipeline is not None
                    else "The lake has no rules of its own",
                    kind=ErrorKind.WRONG_STATE,
                    hint="Say who is: 'notify' in the spec, or datalake notifications set-rules",
                )
            ids = announce_test(tx, pipeline or "", rules)
            return [tx.notifications.get(one) for one in ids]

    def get_rules(self) -> Sequence[dict[str, Any]]:
        """Return the rules of the lake, for pipelines without rules of their own, as in a spec."""
        with self._context.core.metadata.read() as tx:
            return rules_as_list(get_rules(tx))

    def set_rules(self, rules: Rules) -> Sequence[dict[str, Any]]:
        """Put other rules in the place of those of the lake; none tell nobody.

        They hold for what happens from now on.

        Parameters
        ----------
        rules
            In a YAML file, a list of them, or a map with one under ``notify``.

        Raises
        ------
        InvalidInputError
            A rule is wrong; the message names its place.
        """
        parsed = parse_rules(_document(rules))
        with self._context.core.metadata.write() as tx:
            set_rules(tx, parsed)
        return rules_as_list(parsed)


def _document(rules: Rules) -> Any:
    if isinstance(rules, str | Path):
        document = load_spec(Path(rules))
        return document.get("notify", document) if isinstance(document, dict) else document
    return [
        one
        for rule in rules
        for one in (rules_as_list([rule]) if isinstance(rule, NotifyRule) else [rule])
    ]
