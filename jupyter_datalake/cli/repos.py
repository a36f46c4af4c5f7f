"""``datalake repos``."""

from __future__ import annotations

import click

from jupyter_datalake.cli.context import (
    CliContext,
    confirm,
    json_option,
    limit_option,
    pass_context,
)
from jupyter_datalake.cli.output import (
    age_text,
    id_text,
    print_fields,
    print_json,
    print_table,
    size_text,
    time_text,
)


@click.group("repos")
def group() -> None:
    """Named, versioned trees of files."""


@group.command("list")
@click.option("--prefix", default="", help="Beginning of the names wanted.")
@click.option("--all", "include_code", is_flag=True, help="Also the repos that keep code.")
@limit_option(None)
@json_option
@pass_context
def list_repos(
    context: CliContext, prefix: str, include_code: bool, limit: int | None, as_json: bool
) -> None:
    """List repos with their newest commit."""
    repos = context.lake.repos.list(prefix=prefix, include_code=include_code, limit=limit)
    if as_json:
        print_json(repos)
        return
    print_table(
        repos,
        [
            ("NAME", lambda repo: repo.name),
            ("KIND", lambda repo: repo.kind),
            ("HEAD", lambda repo: id_text(repo.head and repo.head.commit_id)),
            ("FILES", lambda repo: repo.head.file_count if repo.head else 0),
            ("SIZE", lambda repo: size_text(repo.head.size_bytes if repo.head else 0)),
            ("COMMITTED", lambda repo: age_text(repo.head.created_at) if repo.head else ""),
            ("DESCRIPTION", lambda repo: repo.description),
        ],
        empty="No repos yet. Create one: datalake repos create NAME",
    )


@group.command("get")
@click.argument("name")
@json_option
@pass_context
def get(context: CliContext, name: str, as_json: bool) -> None:
    """Show one repo."""
    repo = context.lake.repos.get(name)
    if as_json:
        print_json(repo)
        return
    print_fields(
        [
            ("name", repo.name),
            ("kind", repo.kind),
            ("description", repo.description),
            ("created", f"{time_text(repo.created_at)} by {repo.created_by}"),
            ("head", repo.head and repo.head.commit_id),
            ("files", repo.head and repo.head.file_count),
            ("size", repo.head and size_text(repo.head.size_bytes)),
            ("message", repo.head and repo.head.message),
        ]
    )


@group.command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@json_option
@pass_context
def create(context: CliContext, name: str, description: str, as_json: bool) -> None:
    """Create a repo with a branch main."""
    repo = context.lake.repos.create(name, description=description)
    if as_json:
        print_json(context.lake.repos.get(repo.name))
    else:
        click.echo(f"Created repo {repo.name}")


@group.command("update")
@click.argument("name")
@click.option("--description", required=True, help="What it is for.")
@json_option
@pass_context
def update(context: CliContext, name: str, description: str, as_json: bool) -> None:
    """Replace a repo's description."""
    repo = context.lake.repos.update(name, description=description)
    if as_json:
        print_json(repo)
    else:
        click.echo(f"Updated repo {repo.name}")


@group.command("delete")
@click.argument("name")
@click.option("--force", is_flag=True, help="Also with open sessions, or data made from it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def delete(context: CliContext, name: str, force: bool, yes: bool, as_json: bool) -> None:
    """Remove a repo with its whole history; 'repos restore' brings it back for a while."""
    context.lake.repos.get(name)
    confirm(f"Remove repo {name} with all its commits?", yes=yes)
    context.lake.repos.delete(name, force=force)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Removed repo {name}")


@group.command("restore")
@click.argument("name")
@json_option
@pass_context
def restore(context: CliContext, name: str, as_json: bool) -> None:
    """Bring back the repo of this name that was deleted last."""
    repo = context.lake.repos.restore(name)
    if as_json:
        print_json(repo)
    else:
        click.echo(f"Restored repo {repo.name}")


@group.command("set-limit")
@click.argument("name")
@click.argument("limit_bytes", type=click.IntRange(min=0), required=False)
@json_option
@pass_context
def set_limit(context: CliContext, name: str, limit_bytes: int | None, as_json: bool) -> None:
    """Limit how many bytes the files of NAME have together; without a number, lift the limit."""
    context.lake.repos.set_limit(name, limit_bytes)
    if as_json:
        print_json({"repo": name, "limit_bytes": limit_bytes})
    else:
        text = "any size" if limit_bytes is None else f"at most {size_text(limit_bytes)}"
        click.echo(f"Repo {name} may have {text}")
