"""``datalake notifications``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import id_text, print_fields, print_json, print_table, time_text
from jupyter_datalake.model.notifications import Notification, NotificationState


@click.group("notifications")
def group() -> None:
    """Who is told when jobs end. NOTIFICATION is an id, or its beginning."""


@group.command("list")
@click.option("--pipeline", help="Of one pipeline only.")
@click.option("--job", help="Of one job only.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in NotificationState]),
    help="In this state only; may be repeated.",
)
@limit_option(50)
@json_option
@pass_context
def list_notifications(
    context: CliContext,
    pipeline: str | None,
    job: str | None,
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List notifications, newest first, with how far they are."""
    wanted = [NotificationState(state) for state in states] or None
    _show(
        context.lake.notifications.list(pipeline=pipeline, job_id=job, states=wanted, limit=limit),
        as_json=as_json,
    )


@group.command("get")
@click.argument("notification")
@json_option
@pass_context
def get(context: CliContext, notification: str, as_json: bool) -> None:
    """Show one notification."""
    found = context.lake.notifications.get(notification)
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("id", found.id),
            ("state", found.state),
            ("occasions", ", ".join(found.occasions)),
            ("pipeline", found.pipeline),
            ("job", found.job_id),
            ("to", f"{found.channel} {found.target}"),
            ("title", found.title),
            ("tries", found.tries),
            ("failed for", found.message),
            ("created", time_text(found.created_at)),
            ("next try", time_text(found.next_at)),
            ("ended", time_text(found.finished_at)),
        ]
    )


@group.command("retry")
@click.argument("notification")
@json_option
@pass_context
def retry(context: CliContext, notification: str, as_json: bool) -> None:
    """Send a notification anew that was sent or given up."""
    found = context.lake.notifications.retry(notification)
    if as_json:
        print_json(found)
    else:
        click.echo(f"Notification {id_text(found.id)} is sent anew by the controller")


@group.command("test")
@click.argument("pipeline", required=False)
@json_option
@pass_context
def test(context: CliContext, pipeline: str | None, as_json: bool) -> None:
    """Send a message to everybody whom a pipeline's rules name, or those of the lake."""
    _show(context.lake.notifications.test(pipeline), as_json=as_json)


@group.command("get-rules")
@json_option
@pass_context
def get_rules(context: CliContext, as_json: bool) -> None:
    """Show the rules for pipelines that have none of their own, as YAML."""
    rules = context.lake.notifications.get_rules()
    if as_json:
        print_json(rules)
    else:
        click.echo(yaml.safe_dump([*rules], sort_keys=False), nl=False)


@group.command("set-rules")
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A YAML file with a list of rules, or a map with one under 'notify'.",
)
@json_option
@pass_context
def set_rules(context: CliContext, file: Path, as_json: bool) -> None:
    """Put other rules in the place of those of the lake; an empty list tells nobody."""
    made = context.lake.notifications.set_rules(file)
    if as_json:
        print_json(made)
    else:
        click.echo(f"The lake has {len(made)} rule{'' if len(made) == 1 else 's'}")


def _show(found: Sequence[Notification], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_table(
        found,
        [
            ("NOTIFICATION", lambda one: id_text(one.id)),
            ("STATE", lambda one: one.state),
            ("WHEN", lambda one: time_text(one.created_at)),
            ("TO", lambda one: f"{one.channel} {one.target}"),
            ("TRIES", lambda one: one.tries),
            ("TITLE", lambda one: one.title),
            ("MESSAGE", lambda one: one.message),
        ],
        empty="Nobody was told of anything yet. A spec says whom to tell under 'notify'",
    )
