"""``datalake events``."""

from __future__ import annotations

import click

from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import print_json, print_table, time_text


@click.group("events")
def group() -> None:
    """The numbered log of what happened in the lake."""


@group.command("list")
@click.option("--after", type=click.IntRange(0), default=0, help="Only behind this number.")
@limit_option(1000)
@json_option
@pass_context
def list_events(context: CliContext, after: int, limit: int, as_json: bool) -> None:
    """List events, oldest first."""
    events = context.lake.events.list(after=after, limit=limit)
    if as_json:
        print_json(events)
        return
    print_table(
        events,
        [
            ("NUMBER", lambda event: event.number),
            ("WHEN", lambda event: time_text(event.at)),
            ("KIND", lambda event: event.kind),
            ("SUBJECT", lambda event: event.subject),
        ],
        empty="Nothing has happened",
    )
