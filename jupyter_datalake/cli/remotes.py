"""``datalake remotes``, ``push`` and ``pull``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from jupyter_datalake.cli.context import CliContext, json_option, pass_context
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    size_text,
    time_text,
)
from jupyter_datalake.model.remotes import ReplicationReport


@click.group("remotes")
def group() -> None:
    """Other lakes: pushing to them, pulling from them."""


@group.command("list")
@json_option
@pass_context
def list_remotes(context: CliContext, as_json: bool) -> None:
    """List remotes."""
    remotes = context.lake.remotes.list()
    if as_json:
        print_json(remotes)
        return
    print_table(
        remotes,
        [
            ("NAME", lambda one: one.name),
            ("LAKE", lambda one: one.url),
            ("KEY", lambda one: one.key or ""),
        ],
        empty="No remotes yet. Create one: datalake remotes create NAME FOLDER",
    )


@group.command("get")
@click.argument("name")
@json_option
@pass_context
def get(context: CliContext, name: str, as_json: bool) -> None:
    """Show one remote."""
    remote = context.lake.remotes.get(name)
    if as_json:
        print_json(remote)
        return
    print_fields(
        [
            ("name", remote.name),
            ("lake", remote.url),
            ("key", remote.key),
            ("created", f"{time_text(remote.created_at)} by {remote.created_by}"),
        ]
    )


@group.command("create")
@click.argument("name")
@click.argument("url")
@click.option("--key", metavar="KEY", help="Where its key is: file:PATH, env:VARIABLE or keyring.")
@json_option
@pass_context
def create(context: CliContext, name: str, url: str, key: str | None, as_json: bool) -> None:
    """Give the lake at URL a name; it need not be there yet."""
    remote = context.lake.remotes.create(name, url, key=key)
    if as_json:
        print_json(remote)
    else:
        click.echo(f"Created remote {remote.name} to {remote.url}")


@group.command("delete")
@click.argument("name")
@json_option
@pass_context
def delete(context: CliContext, name: str, as_json: bool) -> None:
    """Forget a remote; the lake there is left alone."""
    context.lake.remotes.delete(name)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Removed remote {name}")


def _replication_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.argument("selections", metavar="[REPO[@REF]]...", nargs=-1),
        click.argument("name", metavar="REMOTE"),
        click.option(
            "--force", is_flag=True, help="Also where commits of the other side are left behind."
        ),
        click.option(
            "--inputs", "with_inputs", is_flag=True, help="Also what the commits were made from."
        ),
        json_option,
    ):
        command = option(command)
    return command


@group.command("push")
@_replication_options
@pass_context
def push(
    context: CliContext,
    name: str,
    selections: tuple[str, ...],
    force: bool,
    with_inputs: bool,
    as_json: bool,
) -> None:
    """Bring commits and refs to another lake: all repos, or those that are named."""
    report = context.lake.remotes.push(
        name, selections, force=force, with_inputs=with_inputs, on_progress=_progress()
    )
    _print_report(report, as_json=as_json)


@group.command("pull")
@_replication_options
@pass_context
def pull(
    context: CliContext,
    name: str,
    selections: tuple[str, ...],
    force: bool,
    with_inputs: bool,
    as_json: bool,
) -> None:
    """Bring commits and refs from another lake: all repos, or those that are named."""
    report = context.lake.remotes.pull(
        name, selections, force=force, with_inputs=with_inputs, on_progress=_progress()
    )
    _print_report(report, as_json=as_json)


def _print_report(report: ReplicationReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print_table(
        report.refs,
        [
            ("", lambda one: one.outcome),
            ("REF", lambda one: f"{one.repo}@{one.name}"),
            ("FROM", lambda one: id_text(one.old_commit_id)),
            ("TO", lambda one: id_text(one.new_commit_id)),
        ],
        empty="Nothing to bring",
    )
    click.echo(
        f"{report.commits} commits, {report.blobs} blobs, {size_text(report.bytes_copied)} copied"
    )


def _progress() -> Callable[[ReplicationReport], None] | None:
    if not sys.stderr.isatty():
        return None

    def tell(report: ReplicationReport) -> None:
        click.echo(
            f"\r{report.commits} commits, {size_text(report.bytes_copied)} copied",
            err=True,
            nl=False,
        )

    return tell
