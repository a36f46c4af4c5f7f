"""``datalake maintenance``, ``init`` and ``doctor``."""

from __future__ import annotations

import sys

import click

from jupyter_datalake.cli.context import CliContext, json_option, pass_context
from jupyter_datalake.cli.output import print_fields, print_json, print_table, size_text
from jupyter_datalake.engine.verify import VerifyReport
from jupyter_datalake.errors import CorruptDataError, category_of
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import examine_lake, rebuild_lake
from jupyter_datalake.mount.doctor import Verdict


@click.group("maintenance")
def group() -> None:
    """Keeping the lake in good health."""


@click.command("init")
@click.argument("folder", required=False)
@json_option
@pass_context
def init(context: CliContext, folder: str | None, as_json: bool) -> None:
    """Make a new lake in FOLDER."""
    with Lake.create(folder or context.url, author=context.author) as lake:
        status = lake.maintenance.get_status()
    if as_json:
        print_json(status)
    else:
        click.echo(f"Made a lake in {status.url}. Use it: export DATALAKE_URL={status.url}")


@click.command("doctor")
@json_option
@pass_context
def doctor(context: CliContext, as_json: bool) -> None:
    """Tell what this machine can do for the lake, and what stands in the way."""
    findings = examine_lake(context.url)
    if as_json:
        print_json(findings)
    else:
        print_table(
            findings,
            [
                ("", lambda one: one.verdict),
                ("CHECK", lambda one: one.name),
                ("FOUND", lambda one: one.found),
                ("TO DO", lambda one: one.advice),
            ],
            empty="Nothing to check",
        )
    if any(one.verdict is Verdict.FAIL for one in findings):
        raise click.exceptions.Exit(1)


@group.command("get-status")
@json_option
@pass_context
def get_status(context: CliContext, as_json: bool) -> None:
    """Show what the lake is and how much it holds."""
    status = context.lake.maintenance.get_status()
    if as_json:
        print_json(status)
        return
    print_fields(
        [
            ("lake", status.url),
            ("id", status.lake_id),
            ("stored", f"{size_text(status.stored_bytes)} in {status.packs} packs"),
            ("blobs", f"{status.blobs:,}"),
            ("live jobs", status.live_jobs),
            ("controller", status.controller or "none"),
        ]
    )


@group.command("verify")
@click.option("--repo", help="One repo only.")
@json_option
@pass_context
def verify(context: CliContext, repo: str | None, as_json: bool) -> None:
    """Read and hash everything that commits need; exit 21 if something is damaged."""
    report = context.lake.maintenance.verify(
        repo, on_progress=_progress if sys.stderr.isatty() else None
    )
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{report.commits} commits, {report.files} files, {report.blobs} blobs,"
            f" {size_text(report.bytes_read)} read: "
            + ("everything is as it should be" if report.is_clean else "DAMAGED")
        )
        for finding in report.findings:
            click.echo(f"{finding.problem}: {finding.thing}: {finding.message}")
            for address in finding.affects:
                click.echo(f"  {address}")
    if not report.is_clean:
        raise click.exceptions.Exit(category_of(CorruptDataError("")).exit_code)


def _progress(report: VerifyReport) -> None:
    click.echo(
        f"\r{report.commits} commits, {size_text(report.bytes_read)} read", err=True, nl=False
    )


@group.command("rebuild")
@json_option
@pass_context
def rebuild(context: CliContext, as_json: bool) -> None:
    """Fill a lost database anew from the packs."""
    report = rebuild_lake(context.url)
    if as_json:
        print_json(report)
    else:
        click.echo(str(report))
