"""``datalake retention``."""

from __future__ import annotations

import click

from jupyter_datalake.cli.ages import AGE
from jupyter_datalake.cli.context import CliContext, confirm, json_option, pass_context
from jupyter_datalake.cli.output import print_json, print_table
from jupyter_datalake.model.durations import age_of
from jupyter_datalake.model.retention import RetentionPolicy


@click.group("retention")
def group() -> None:
    """How much history repos keep."""


@group.command("list")
@click.argument("repo", required=False)
@json_option
@pass_context
def list_policies(context: CliContext, repo: str | None, as_json: bool) -> None:
    """List the policies of REPO, or of all repos."""
    policies = context.lake.retention.list(repo)
    if as_json:
        print_json(policies)
        return
    print_table(
        policies,
        [
            ("REPO", lambda one: one.repo),
            ("BRANCH", lambda one: one.branch or "(all others)"),
            ("KEEPS", _kept_text),
        ],
        empty="No policies: everything is kept",
    )


def _kept_text(policy: RetentionPolicy) -> str:
    parts = []
    if policy.keep_last is not None:
        parts.append(f"the last {policy.keep_last}")
    if policy.keep_for_s is not None:
        parts.append(f"for {age_of(policy.keep_for_s)}")
    if policy.keep_tagged:
        parts.append("tagged ones")
    if policy.keep_inputs:
        parts.append("inputs of other commits")
    return ", ".join(parts)


@group.command("set")
@click.argument("repo")
@click.option("--branch", default="", help="One branch; else all without a policy of their own.")
@click.option("--keep-last", type=int, help="So many commits, counted from the head.")
@click.option("--keep-for", type=AGE, help="Those that are younger: 12h, 30d, 8w.")
@click.option("--keep-tagged/--drop-tagged", default=True, help="What a tag names [kept].")
@click.option("--keep-inputs/--drop-inputs", default=True, help="What others are made from [kept].")
@json_option
@pass_context
def set_policy(
    context: CliContext,
    repo: str,
    branch: str,
    keep_last: int | None,
    keep_for: float | None,
    keep_tagged: bool,
    keep_inputs: bool,
    as_json: bool,
) -> None:
    """Say how much history REPO keeps; nothing goes until 'retention apply'."""
    policy = context.lake.retention.set(
        repo,
        branch,
        keep_last=keep_last,
        keep_for_s=keep_for,
        keep_tagged=keep_tagged,
        keep_inputs=keep_inputs,
    )
    if as_json:
        print_json(policy)
    else:
        click.echo(f"{repo} keeps {_kept_text(policy)}")


@group.command("delete")
@click.argument("repo")
@click.option("--branch", default="", help="Of one branch.")
@json_option
@pass_context
def delete(context: CliContext, repo: str, branch: str, as_json: bool) -> None:
    """Forget a policy."""
    context.lake.retention.delete(repo, branch)
    if as_json:
        print_json({"deleted": repo, "branch": branch})
    else:
        click.echo("Forgot the policy")


@group.command("apply")
@click.argument("repo", required=False)
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def apply(context: CliContext, repo: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove the commits that policies do not keep, of REPO or of all. It cannot be undone."""
    if not dry_run:
        confirm("Remove the commits that the policies do not keep?", yes=yes)
    reports = context.lake.retention.apply(repo, dry_run=dry_run)
    if as_json:
        print_json(reports)
        return
    for report in reports:
        verb = "would remove" if dry_run else "removed"
        click.echo(f"{report.repo}: {verb} {report.removed} commits")
        for commit, users in report.needed.items():
            click.echo(f"  kept {commit}: {', '.join(users)}")
    if not reports:
        click.echo("No policies: everything is kept")
