"""``datalake maintenance``, ``init`` and ``doctor``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jupyter_datalake import environment
from jupyter_datalake.cli.ages import AGE
from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import (
    print_fields,
    print_json,
    print_table,
    size_text,
    time_text,
)
from jupyter_datalake.config import LakeConfig
from jupyter_datalake.errors import CorruptDataError, category_of
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import examine_lake, rebuild_lake, restore_lake
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.model.durations import age_of
from jupyter_datalake.model.gc import GcReport, policy_of
from jupyter_datalake.model.verification import Finding, VerifyReport
from jupyter_datalake.mount.doctor import Verdict

if TYPE_CHECKING:
    from jupyter_datalake.storage.keys import KeyInfo

_MEBIBYTE = 1024 * 1024


@click.group("maintenance")
def group() -> None:
    """Keeping the lake in good health."""


@click.command("init")
@click.argument("folder", required=False)
@click.option(
    "--encrypt",
    "key",
    metavar="KEY",
    help="Encrypt what is stored. KEY says where its key is: file:PATH, env:VARIABLE or keyring;"
    " one is made there if there is none.",
)
@click.option(
    "--database",
    metavar="URL",
    help="Keep the metadata in Postgres: postgresql://user@host/database?schema=NAME, the password"
    " in ~/.pgpass or PGPASSWORD. DATALAKE_DATABASE_URL, or a file of the lake, by default.",
)
@json_option
@pass_context
def init(
    context: CliContext, folder: str | None, key: str | None, database: str | None, as_json: bool
) -> None:
    """Make a new lake in FOLDER, which may be a URL of S3."""
    config = LakeConfig(folder or context.url, key=key, database_url=database)
    with Lake.create(config, author=context.author) as lake:
        status = lake.maintenance.get_status()
    if as_json:
        print_json(status)
        return
    click.echo(f"Made a lake in {status.url}. Use it: export DATALAKE_URL={status.url}")
    if key is not None:
        click.echo(_key_advice(key))


def _key_advice(key: str) -> str:
    scheme, _, rest = key.partition(":")
    use = f" Use it: export {environment.KEY_FILE_VARIABLE}={rest}" if scheme == "file" else ""
    return f"Keep a copy of the key in {key}: without it nothing in the lake can be read.{use}"


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
            ("quota", "none" if status.quota_bytes is None else size_text(status.quota_bytes)),
            ("blobs", f"{status.blobs:,}"),
            ("encrypted", "yes" if status.is_encrypted else "no"),
            ("live jobs", status.live_jobs),
            ("controller", status.controller or "none"),
            (
                "gc by itself",
                "never"
                if status.auto_gc_s is None
                else f"at most every {age_of(status.auto_gc_s)}",
            ),
            ("collects garbage", status.collector or "nobody"),
        ]
    )


@group.command("set-quota")
@click.argument("quota_bytes", type=click.IntRange(min=0), required=False)
@json_option
@pass_context
def set_quota(context: CliContext, quota_bytes: int | None, as_json: bool) -> None:
    """Limit how many bytes the lake stores; without a number, lift the quota."""
    context.lake.maintenance.set_quota(quota_bytes)
    if as_json:
        print_json({"quota_bytes": quota_bytes})
    else:
        text = "anything" if quota_bytes is None else f"at most {size_text(quota_bytes)}"
        click.echo(f"The lake may store {text}")


@group.command("list-keys")
@json_option
@pass_context
def list_keys(context: CliContext, as_json: bool) -> None:
    """List the data keys of an encrypted lake; keys themselves are never shown."""
    keys = context.lake.maintenance.list_keys()
    if as_json:
        print_json(keys)
    else:
        _print_keys(keys)


@group.command("rotate-key")
@click.option("--to", metavar="KEY", help="Where the new key is: file:PATH, env:VARIABLE, keyring.")
@click.option("--data", is_flag=True, help="Encrypt new objects under a new data key.")
@json_option
@pass_context
def rotate_key(context: CliContext, to: str | None, data: bool, as_json: bool) -> None:
    """Lock an encrypted lake with another key; nothing that is stored is written anew."""
    keys = context.lake.maintenance.rotate_key(to=to, data=data)
    if as_json:
        print_json(keys)
        return
    _print_keys(keys)
    if to is not None:
        click.echo(_key_advice(to))


def _print_keys(keys: Sequence[KeyInfo]) -> None:
    print_table(
        keys,
        [
            ("KEY", lambda one: one.id),
            ("CREATED", lambda one: time_text(time_of(one.created_ns))),
            ("USED FOR", lambda one: "new objects" if one.is_current else "old objects"),
        ],
        empty="No keys",
    )


@group.command("verify")
@click.option("--repo", help="One repo only.")
@click.option("--subset", metavar="SHARE", help="Read only 5%, or the part 2/20.")
@click.option("--rate", type=float, metavar="MIB", help="Read at most so many MiB per second.")
@click.option("--resume", is_flag=True, help="Begin where the last one was cut short.")
@json_option
@pass_context
def verify(
    context: CliContext,
    repo: str | None,
    subset: str | None,
    rate: float | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Read and hash everything that commits need; exit 21 if something is damaged."""
    report = context.lake.maintenance.verify(
        repo,
        subset=subset,
        bytes_per_s=None if rate is None else rate * _MEBIBYTE,
        resume=resume,
        on_progress=_progress if sys.stderr.isatty() else None,
    )
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{report.commits} commits, {report.files} files, {report.blobs} blobs,"
            f" {size_text(report.bytes_read)} read: "
            + ("everything is as it should be" if report.is_clean else "DAMAGED")
        )
        if report.unknown_packs:
            click.echo(f"{report.unknown_packs} packs that no commit needs")
        _print_findings(report.findings)
    _exit_by(is_clean=report.is_clean)


@group.command("heal")
@click.option("--from", "remote", metavar="REMOTE", help="A remote that may have what is damaged.")
@json_option
@pass_context
def heal(context: CliContext, remote: str | None, as_json: bool) -> None:
    """Store damaged and missing contents anew; exit 21 if something stays lost."""
    report = context.lake.maintenance.heal(
        remote, on_progress=_progress if sys.stderr.isatty() else None
    )
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{report.damaged_blobs} damaged blobs: {report.healed_here} healed from copies here,"
            f" {report.healed_from_remote} from the remote, {len(report.lost)} lost;"
            f" {report.moved} moved out of damaged packs,"
            f" {report.commits_restored} commits restored"
        )
        _print_findings(report.findings)
    _exit_by(is_clean=report.is_clean)


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"{finding.problem}: {finding.thing}: {finding.message}")
        for address in finding.affects:
            click.echo(f"  {address}")


def _exit_by(*, is_clean: bool) -> None:
    if not is_clean:
        raise click.exceptions.Exit(category_of(CorruptDataError("")).exit_code)


def _progress(report: VerifyReport) -> None:
    click.echo(
        f"\r{report.commits} commits, {size_text(report.bytes_read)} read", err=True, nl=False
    )


@group.command("backup")
@click.argument("target", type=click.Path(dir_okay=False))
@json_option
@pass_context
def backup(context: CliContext, target: str, as_json: bool) -> None:
    """Write a consistent copy of the lake's database into the new file TARGET."""
    made = context.lake.maintenance.backup(target)
    if as_json:
        print_json(made)
    else:
        click.echo(f"Copied the database to {made.path}: {size_text(made.size_bytes)}")


@group.command("gc")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("--undo", type=AGE, help="How long deletions and ref moves can be undone [14d].")
@click.option("--grace", type=AGE, help="How long garbage waits at each stage [1d].")
@click.option(
    "--now", is_flag=True, help="Wait for nothing; a writer at work may have to repeat its work."
)
@click.option(
    "--auto", "only_if_due", is_flag=True, help="Only if it would run by itself now: for cron."
)
@click.option(
    "--delete-unknown",
    is_flag=True,
    help="Also delete packs with commits that the database does not know.",
)
@json_option
@pass_context
def gc(
    context: CliContext,
    dry_run: bool,
    undo: float | None,
    grace: float | None,
    now: bool,
    only_if_due: bool,
    delete_unknown: bool,
    as_json: bool,
) -> None:
    """Remove what nobody needs. Others may go on working with the lake meanwhile."""
    policy = policy_of(undo_s=undo, grace_s=grace, now=now, delete_unknown=delete_unknown)
    report = context.lake.maintenance.gc(
        policy,
        dry_run=dry_run,
        only_if_due=only_if_due,
        on_progress=_gc_progress if sys.stderr.isatty() else None,
    )
    if as_json:
        print_json(report)
        return
    if report.phase == "not due":
        click.echo("gc is not due")
        return
    for one in report.repos:
        held = f", {size_text(one.bytes)}" if report.is_dry_run else ""
        click.echo(f"{one.repo}: {one.commits} commits{held}")
    if report.unknown_packs:
        click.echo(
            f"Nothing is removed: {report.unknown_packs} packs"
            f" ({size_text(report.unknown_bytes)}) hold commits that the database does not know."
            " If it was restored from an old backup, they are the newest data of this lake, and"
            " 'datalake maintenance rebuild' reads them. If not, a commit was killed; give"
            " --delete-unknown."
        )
    elif report.is_dry_run:
        click.echo(
            f"{report.condemned_blobs:,} blobs, {size_text(report.condemned_bytes)}, would go"
        )
    else:
        click.echo(
            f"Found {size_text(report.condemned_bytes)} of new garbage,"
            f" removed {size_text(report.swept_bytes)},"
            f" repacked {report.repacked_packs} packs,"
            f" deleted {report.deleted_packs} packs of {size_text(report.deleted_bytes)}"
        )


def _gc_progress(report: GcReport) -> None:
    click.echo(f"\r{report.phase}: {report.marked_blobs:,} blobs marked", err=True, nl=False)


@group.command("set-auto-gc")
@click.argument("every", type=AGE, required=False)
@json_option
@pass_context
def set_auto_gc(context: CliContext, every: float | None, as_json: bool) -> None:
    """Let the controller run gc every so often (1d) when it is due; without an age, never."""
    context.lake.maintenance.set_auto_gc(every)
    if as_json:
        print_json({"every_s": every})
    else:
        text = "never" if every is None else f"at most every {age_of(every)}"
        click.echo(f"gc runs by itself: {text}")


@group.command("cancel-gc")
@json_option
@pass_context
def cancel_gc(context: CliContext, as_json: bool) -> None:
    """End the run of gc that is at work, wherever that is; what it did stays done."""
    owner = context.lake.maintenance.cancel_gc()
    if as_json:
        print_json({"owner": owner})
    else:
        click.echo("No gc is at work" if owner is None else f"Cancelled the gc of {owner}")


@group.command("get-usage")
@json_option
@pass_context
def get_usage(context: CliContext, as_json: bool) -> None:
    """Show what every repo takes, and what repos share; the first time it reads every manifest."""
    usage = context.lake.maintenance.get_usage()
    if as_json:
        print_json(usage)
        return
    print_table(
        usage.repos,
        [
            ("REPO", lambda one: one.repo),
            ("COMMITS", lambda one: one.commits),
            ("LOGICAL", lambda one: size_text(one.logical_bytes)),
            ("STORED", lambda one: size_text(one.stored_bytes)),
            ("ALONE", lambda one: size_text(one.exclusive_bytes)),
        ],
        empty="No repos yet",
    )
    click.echo(
        f"{size_text(usage.pack_bytes)} in packs; {size_text(usage.shared_bytes)} shared by repos,"
        f" {size_text(usage.other_bytes)} needed by none"
    )


@group.command("list-runs")
@limit_option(20)
@json_option
@pass_context
def list_runs(context: CliContext, limit: int, as_json: bool) -> None:
    """List what the last runs of gc did, newest first."""
    runs = context.lake.maintenance.list_runs(limit=limit)
    if as_json:
        print_json(runs)
        return
    print_table(
        runs,
        [
            ("RUN", lambda run: run.number),
            ("STARTED", lambda run: time_text(run.started_at)),
            ("FINISHED", lambda run: time_text(run.finished_at) if run.finished_at else "no"),
            ("REMOVED", lambda run: size_text(run.report.get("swept_bytes", 0))),
            ("DELETED", lambda run: size_text(run.report.get("deleted_bytes", 0))),
            ("BY", lambda run: run.owner),
        ],
        empty="gc has never run",
    )


@group.command("restore")
@click.argument("source", type=click.Path(dir_okay=False))
@json_option
@pass_context
def restore(context: CliContext, source: str, as_json: bool) -> None:
    """Fill a lost database with what the backup SOURCE holds."""
    made = restore_lake(source, context.url)
    if as_json:
        print_json(made)
    else:
        click.echo(f"The lake is as it was at event {made.last_event}")


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
