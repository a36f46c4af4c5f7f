"""``datalake refs``."""

from __future__ import annotations

import click

from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    time_text,
)
from jupyter_datalake.model.refs import Ref, RefKind
from jupyter_datalake.model.text import printable


@click.group("refs")
def group() -> None:
    """Branches and tags."""


@group.command("list")
@click.argument("repo")
@click.option("--kind", type=click.Choice([str(kind) for kind in RefKind]), help="One kind only.")
@limit_option(None)
@json_option
@pass_context
def list_refs(
    context: CliContext, repo: str, kind: str | None, limit: int | None, as_json: bool
) -> None:
    """List branches and tags."""
    wanted = None if kind is None else RefKind(kind)
    refs = context.lake.refs.list(repo, kind=wanted, limit=limit)
    if as_json:
        print_json(refs)
        return
    print_table(
        refs,
        [
            ("NAME", lambda ref: ref.name),
            ("KIND", lambda ref: ref.kind),
            ("COMMIT", lambda ref: id_text(ref.commit_id)),
            ("MOVED", lambda ref: time_text(ref.updated_at)),
        ],
        empty=f"Repo {repo} has none of these",
    )


@group.command("get")
@click.argument("repo")
@click.argument("name")
@json_option
@pass_context
def get(context: CliContext, repo: str, name: str, as_json: bool) -> None:
    """Show one branch or tag."""
    ref = context.lake.refs.get(repo, name)
    if as_json:
        print_json(ref)
        return
    print_fields(
        [
            ("name", ref.name),
            ("kind", ref.kind),
            ("commit", ref.commit_id),
            ("moved", time_text(ref.updated_at)),
            ("made by", ref.created_by),
            ("message", ref.message),
        ]
    )


def _created(ref: Ref, as_json: bool) -> None:
    if as_json:
        print_json(ref)
    else:
        click.echo(f"Created {ref.kind} {ref.repo}@{ref.name} at {id_text(ref.commit_id)}")


@group.command("create-branch")
@click.argument("repo")
@click.argument("name")
@click.option("--at", default="main", show_default=True, help="Where it begins: a ref expression.")
@json_option
@pass_context
def create_branch(context: CliContext, repo: str, name: str, at: str, as_json: bool) -> None:
    """Create a branch; no bytes move."""
    _created(context.lake.refs.create_branch(repo, name, at=at), as_json)


@group.command("create-tag")
@click.argument("repo")
@click.argument("name")
@click.option("--at", default="main", show_default=True, help="What it marks: a ref expression.")
@click.option("-m", "--message", help="What it says about what it marks.")
@json_option
@pass_context
def create_tag(
    context: CliContext, repo: str, name: str, at: str, message: str | None, as_json: bool
) -> None:
    """Create a tag."""
    _created(context.lake.refs.create_tag(repo, name, at=at, message=message), as_json)


@group.command("delete-branch")
@click.argument("repo")
@click.argument("name")
@json_option
@pass_context
def delete_branch(context: CliContext, repo: str, name: str, as_json: bool) -> None:
    """Remove a branch; the reflog keeps where it pointed."""
    context.lake.refs.delete_branch(repo, name)
    _deleted("branch", repo, name, as_json)


@group.command("delete-tag")
@click.argument("repo")
@click.argument("name")
@json_option
@pass_context
def delete_tag(context: CliContext, repo: str, name: str, as_json: bool) -> None:
    """Remove a tag."""
    context.lake.refs.delete_tag(repo, name)
    _deleted("tag", repo, name, as_json)


def _deleted(kind: str, repo: str, name: str, as_json: bool) -> None:
    if as_json:
        print_json({"deleted": f"{repo}@{name}"})
    else:
        click.echo(f"Removed {kind} {repo}@{name}")


@group.command("rename")
@click.argument("repo")
@click.argument("name")
@click.argument("new_name")
@json_option
@pass_context
def rename(context: CliContext, repo: str, name: str, new_name: str, as_json: bool) -> None:
    """Give a branch or tag another name."""
    ref = context.lake.refs.rename(repo, name, new_name)
    if as_json:
        print_json(ref)
    else:
        click.echo(f"Renamed {ref.kind} {repo}@{name} to {ref.name}")


_force_option = click.option(
    "--force", is_flag=True, help="Although sessions or jobs depend on where it is."
)


@group.command("reset")
@click.argument("repo")
@click.argument("branch")
@click.argument("to")
@click.option("--expected", help="Only from here: a ref expression.")
@_force_option
@json_option
@pass_context
def reset(
    context: CliContext,
    repo: str,
    branch: str,
    to: str,
    expected: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Point a branch to the commit TO; 'refs undo' brings it back."""
    ref = context.lake.refs.reset(repo, branch, to, expected=expected, force=force)
    if as_json:
        print_json(ref)
    else:
        click.echo(f"{repo}@{branch} is at {id_text(ref.commit_id)}")


@group.command("undo")
@click.argument("repo")
@click.argument("name")
@click.option("--move", type=click.IntRange(1), help="Only if this was its last move.")
@_force_option
@json_option
@pass_context
def undo(
    context: CliContext, repo: str, name: str, move: int | None, force: bool, as_json: bool
) -> None:
    """Take back the last move of a branch or tag; twice brings it back."""
    made = context.lake.refs.undo(repo, name, move=move, force=force)
    if as_json:
        print_json(made)
        return
    at = f"is at {id_text(made.new_commit_id)}" if made.new_commit_id else "is gone"
    click.echo(f"{repo}@{name} {at} again: {printable(made.reason)}")


@group.command("list-moves")
@click.argument("repo")
@click.option("--name", help="One branch or tag only.")
@click.option("--before", type=click.IntRange(1), help="Only before the move of this number.")
@limit_option(100)
@json_option
@pass_context
def list_moves(
    context: CliContext,
    repo: str,
    name: str | None,
    before: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List who moved which ref from where to where (the reflog)."""
    moves = context.lake.refs.list_moves(repo, name=name, before=before, limit=limit)
    if as_json:
        print_json(moves)
        return
    print_table(
        moves,
        [
            ("MOVE", lambda move: move.number),
            ("WHEN", lambda move: time_text(move.at)),
            ("REF", lambda move: move.name),
            ("FROM", lambda move: id_text(move.old_commit_id) or "-"),
            ("TO", lambda move: id_text(move.new_commit_id) or "-"),
            ("BY", lambda move: move.by),
            ("WHY", lambda move: move.reason),
        ],
        empty="Nothing has moved yet",
    )
