"""``datalake commits``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import click

from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    size_text,
    time_text,
)
from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.model.addresses import parse_address
from jupyter_datalake.model.changes import Change, ChangeKind
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.merging import FastForward, MergeOutcome, MergeReport
from jupyter_datalake.model.text import printable

P = ParamSpec("P")
T = TypeVar("T")

MARKS = {
    ChangeKind.ADDED: "+",
    ChangeKind.MODIFIED: "~",
    ChangeKind.REMOVED: "-",
    ChangeKind.RENAMED: ">",
}


@click.group("commits")
def group() -> None:
    """Versions of repos."""


def _filter_options(command: Callable[P, T]) -> Callable[P, T]:
    """Add what log and search share to a command."""
    for option in (
        click.option("--author", help="With this in the author's name or address."),
        click.option("--since", help="From this time on: 2026-01-31, 2026-01-31T12:00Z."),
        click.option("--until", help="Up to this time."),
        limit_option(50),
        json_option,
    ):
        command = option(command)
    return command


@group.command("list")
@click.argument("repo")
@click.argument("ref", default="main")
@click.option("--path", help="Only what changed this file or folder.")
@click.option("--follow", is_flag=True, help="Follow the path to the names it had before.")
@click.option("--text", help="With this in the message.")
@click.option(
    "--first-parent/--all-parents",
    default=True,
    show_default=True,
    help="Whether what was merged in is left out.",
)
@_filter_options
@pass_context
def list_commits(
    context: CliContext,
    repo: str,
    ref: str,
    path: str | None,
    follow: bool,
    text: str | None,
    first_parent: bool,
    author: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the commits that a ref leads back to, newest first.

    REPO and REF may be one word, as in raw@main, and have a path behind them.
    """
    if "@" in repo:
        place = parse_address(repo)
        repo, ref, path = place.repo, place.ref, path or place.path or None
    commits = context.lake.commits.list(
        repo,
        ref,
        limit=limit,
        path=path,
        author=author,
        text=text,
        since=since,
        until=until,
        first_parent=first_parent,
        follow=follow,
    )
    if as_json:
        print_json(commits)
        return
    print_table(
        commits,
        [
            ("COMMIT", lambda commit: id_text(commit.id)),
            ("WHEN", lambda commit: time_text(commit.created_at)),
            ("BY", lambda commit: commit.author.name),
            ("FILES", lambda commit: commit.file_count),
            ("SIZE", lambda commit: size_text(commit.size_bytes)),
            ("MESSAGE", lambda commit: commit.message.splitlines()[0]),
        ],
        empty="No commits",
    )
    if commits and len(commits) < limit and commits[-1].parents:
        try:
            context.lake.commits.get(repo, commits[-1].parents[0])
        except NotFoundError as error:
            click.echo(f"History before {id_text(commits[-1].id)} is gone. {error.message}")


@group.command("search")
@click.argument("text", required=False)
@click.option("--metadata", multiple=True, metavar="KEY[=VALUE]", help="With this in its metadata.")
@click.option("--global-id", help="With a global id that begins so.")
@click.option("--repos", help="Only of repos with such a name: 'team/*'.")
@_filter_options
@pass_context
def search(
    context: CliContext,
    text: str | None,
    metadata: tuple[str, ...],
    global_id: str | None,
    repos: str | None,
    author: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Find commits in the whole lake, by TEXT in their message and by other facts."""
    pairs = (one.partition("=") for one in metadata)
    commits = context.lake.commits.search(
        text,
        author=author,
        metadata={key: value if sign else None for key, sign, value in pairs},
        global_id=global_id,
        since=since,
        until=until,
        repos=repos,
        limit=limit,
    )
    if as_json:
        print_json(commits)
        return
    print_table(
        commits,
        [
            ("COMMIT", lambda commit: id_text(commit.id)),
            ("REPO", lambda commit: f"{commit.repo}@{commit.branch}"),
            ("WHEN", lambda commit: time_text(commit.created_at)),
            ("BY", lambda commit: commit.author.name),
            ("MESSAGE", lambda commit: commit.message.splitlines()[0]),
        ],
        empty="No commit fits",
    )


@group.command("get")
@click.argument("repo")
@click.argument("ref", default="main")
@json_option
@pass_context
def get(context: CliContext, repo: str, ref: str, as_json: bool) -> None:
    """Show the commit that a ref expression means."""
    commit = context.lake.commits.get(repo, ref)
    if as_json:
        print_json(commit)
        return
    made = commit.provenance
    print_fields(
        [
            ("commit", commit.id),
            ("parents", " ".join(commit.parents)),
            ("global id", commit.global_id),
            ("author", commit.author),
            ("when", time_text(commit.created_at)),
            ("files", commit.file_count),
            ("size", size_text(commit.size_bytes)),
            ("message", commit.message),
            ("origin", made.origin),
            ("pipeline", made.pipeline and f"{made.pipeline} v{made.pipeline_version}"),
            ("job", made.job_id),
            ("code", made.code and f"{made.code.repo}@{made.code.commit_id}"),
            *[(f"input {one.name}", f"{one.repo}@{one.commit_id}") for one in made.inputs],
            ("parameters", made.parameters),
            ("environment", made.environment),
            *[(f"metadata {key}", value) for key, value in commit.metadata.items()],
        ]
    )


@group.command("count")
@click.argument("repo")
@click.argument("ref", default="main")
@click.option("--beyond", required=True, help="Only those that do not lead to this ref.")
@json_option
@pass_context
def count(context: CliContext, repo: str, ref: str, beyond: str, as_json: bool) -> None:
    """Count the commits that lead to REF and not to another ref, up to 1000."""
    found = context.lake.commits.count(repo, ref, beyond=beyond)
    if as_json:
        print_json({"count": found})
    else:
        click.echo(str(found))


@group.command("diff")
@click.argument("repo")
@click.argument("old")
@click.argument("new", default="main")
@click.option("--path", default="/", help="Only at and below this path.")
@click.option("--after", help="Only what comes behind this path: the last one of a page.")
@click.option("--renames", is_flag=True, help="Show what is at another path as one change.")
@limit_option(None)
@json_option
@pass_context
def diff(
    context: CliContext,
    repo: str,
    old: str,
    new: str,
    path: str,
    after: str | None,
    renames: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List the paths on which two commits differ."""
    changes = context.lake.commits.diff(
        repo, old, new, path=path, after=after, limit=limit, renames=renames
    )
    if as_json:
        print_json(changes)
    else:
        print_changes(changes, empty="No differences")


def _joining_options(command: Callable[P, T]) -> Callable[P, T]:
    """Add what merge, revert and cherry-pick share to a command."""
    for option in (
        click.option("-m", "--message", help="What is done and why."),
        click.option(
            "--take",
            "takes",
            type=(str, str),
            multiple=True,
            metavar="PATH CHOICE",
            help="What a path (or glob) both sides changed becomes: ours, theirs or an address.",
        ),
        click.option("--dry-run", is_flag=True, help="Show what would change and what conflicts."),
        limit_option(None),
        json_option,
    ):
        command = option(command)
    return command


_parent_option = click.option(
    "--parent", type=click.IntRange(1), help="Which parent of a merge to compare with."
)


@group.command("merge")
@click.argument("repo")
@click.argument("ref")
@click.option("--into", default="main", show_default=True, help="The branch that takes it over.")
@click.option(
    "--fast-forward",
    type=click.Choice([str(one) for one in FastForward]),
    default="allow",
    show_default=True,
    help="Whether a branch with nothing of its own moves on without a commit.",
)
@_joining_options
@pass_context
def merge(
    context: CliContext,
    repo: str,
    ref: str,
    into: str,
    fast_forward: str,
    message: str | None,
    takes: Sequence[tuple[str, str]],
    dry_run: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Take over into a branch what REF changed since they parted."""
    report = context.lake.commits.merge(
        repo,
        ref,
        into=into,
        message=message,
        choices=dict(takes),
        fast_forward=fast_forward,
        dry_run=dry_run,
        limit=limit,
    )
    _print_report(report, f"{repo}@{into}", as_json)


@group.command("squash")
@click.argument("repo")
@click.argument("since")
@click.option("--branch", default="main", show_default=True, help="Which branch.")
@click.option("--message", "-m", help="Of the one commit; else the replaced ones' first lines.")
@json_option
@pass_context
def squash(
    context: CliContext, repo: str, since: str, branch: str, message: str | None, as_json: bool
) -> None:
    """Replace the commits behind SINCE by one with the same tree."""
    commit = context.lake.commits.squash(repo, since, branch=branch, message=message)
    if as_json:
        print_json(commit)
    else:
        click.echo(f"Squashed {repo}@{branch} into {id_text(commit.id)}")


@group.command("revert")
@click.argument("repo")
@click.argument("ref")
@click.option("--branch", default="main", show_default=True, help="Where to take it back.")
@_parent_option
@_joining_options
@pass_context
def revert(
    context: CliContext,
    repo: str,
    ref: str,
    branch: str,
    parent: int | None,
    message: str | None,
    takes: Sequence[tuple[str, str]],
    dry_run: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Commit the opposite of what the commit REF changed."""
    report = context.lake.commits.revert(
        repo,
        ref,
        branch=branch,
        parent=parent,
        message=message,
        choices=dict(takes),
        dry_run=dry_run,
        limit=limit,
    )
    _print_report(report, f"{repo}@{branch}", as_json)


@group.command("cherry-pick")
@click.argument("repo")
@click.argument("ref")
@click.option("--branch", default="main", show_default=True, help="Where to do it too.")
@_parent_option
@_joining_options
@pass_context
def cherry_pick(
    context: CliContext,
    repo: str,
    ref: str,
    branch: str,
    parent: int | None,
    message: str | None,
    takes: Sequence[tuple[str, str]],
    dry_run: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Commit to a branch what the commit REF changed elsewhere."""
    report = context.lake.commits.cherry_pick(
        repo,
        ref,
        branch=branch,
        parent=parent,
        message=message,
        choices=dict(takes),
        dry_run=dry_run,
        limit=limit,
    )
    _print_report(report, f"{repo}@{branch}", as_json)


def _print_report(report: MergeReport, branch: str, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    if report.commit is not None:
        said = {
            MergeOutcome.MERGED: "Committed",
            MergeOutcome.FAST_FORWARD: "Moved on to",
            MergeOutcome.UP_TO_DATE: "Nothing to do, already at",
        }
        click.echo(f"{said[report.outcome]} {id_text(report.commit.id)} on {branch}")
        return
    print_changes(report.changes, empty=f"Nothing would change on {branch}")
    if report.has_more:
        click.echo("… and more; --limit says how many are shown")
    for conflict in report.conflicts:
        click.echo(f"conflict: {printable(conflict.path)} ({conflict.kind})")
    if report.conflict_count > len(report.conflicts):
        click.echo(f"… {report.conflict_count:,} conflicts; --take decides whole folders and globs")


def print_changes(changes: Sequence[Change], *, empty: str) -> None:
    """Print changes with their marks and sizes."""
    print_table(
        changes,
        [
            ("", lambda change: MARKS[change.kind]),
            ("PATH", _place),
            ("OLD", lambda change: _size(change.old)),
            ("NEW", lambda change: _size(change.new)),
        ],
        empty=empty,
    )


def _place(change: Change) -> str:
    if change.kind is not ChangeKind.RENAMED or change.old is None:
        return change.path
    alike = "" if change.similarity == 1 else f"  ({change.similarity:.0%} alike)"
    return f"{change.old.path} > {change.path}{alike}"


def _size(info: FileInfo | None) -> str:
    return "" if info is None else size_text(info.size_bytes)
