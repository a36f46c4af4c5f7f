"""``datalake commits``."""

from __future__ import annotations

from collections.abc import Sequence

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
from jupyter_datalake.model.changes import Change, ChangeKind
from jupyter_datalake.model.files import FileInfo

MARKS = {
    ChangeKind.ADDED: "+",
    ChangeKind.MODIFIED: "~",
    ChangeKind.REMOVED: "-",
    ChangeKind.RENAMED: ">",
}


@click.group("commits")
def group() -> None:
    """Versions of repos."""


@group.command("list")
@click.argument("repo")
@click.argument("ref", default="main")
@limit_option(50)
@json_option
@pass_context
def list_commits(context: CliContext, repo: str, ref: str, limit: int, as_json: bool) -> None:
    """List the commits that a ref leads back to, newest first."""
    commits = context.lake.commits.list(repo, ref, limit=limit)
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
