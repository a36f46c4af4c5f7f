"""``datalake sessions``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import BinaryIO, TypeVar

import click

from jupyter_datalake.cli.commits import print_changes
from jupyter_datalake.cli.context import (
    CliContext,
    confirm,
    json_option,
    limit_option,
    parse_pairs,
    pass_context,
)
from jupyter_datalake.cli.diffs import key_of, print_table_diff, print_text_diff
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    size_text,
    time_text,
)
from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.model.sessions import Draft, SessionInfo, session_folder
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS
from jupyter_datalake.model.text import printable

T = TypeVar("T")


@click.group("sessions")
def group() -> None:
    """Changes to branches, before they are committed.

    SESSION is the beginning of a session's id, its name, the name of its folder, or the name of a
    repo that has just one.
    """


def _find(context: CliContext, name: str) -> SessionInfo:
    """Return the session that a person means."""
    sessions = context.lake.sessions.list()
    found = [one for one in sessions if one.id.startswith(name) or name in _names(one)]
    if len(found) > 1:  # the name of a repo means its usual session, before the named ones
        found = [one for one in found if one.name is None] or found
    return _only(found, name, "session", "'datalake sessions list' shows those that are open")


def _names(one: SessionInfo) -> set[str]:
    if one.name is None:
        return {one.repo, f"{one.repo}@{one.branch}"}
    return {one.repo, one.name, session_folder(one.repo, one.branch, one.name)}


def _only(found: Sequence[T], name: str, what: str, hint: str) -> T:
    """Return what a name means, if that is one thing."""
    if len(found) == 1:
        return found[0]
    raise NotFoundError(
        f"{name!r} means several {what}s" if found else f"There is no {what} {name!r}",
        kind=ErrorKind.SESSION_NOT_FOUND,
        hint=hint,
        session=name,
    )


@group.command("list")
@click.option("--repo", help="Of one repo only.")
@json_option
@pass_context
def list_sessions(context: CliContext, repo: str | None, as_json: bool) -> None:
    """List open sessions."""
    sessions = context.lake.sessions.list(repo)
    if as_json:
        print_json(sessions)
        return
    print_table(
        sessions,
        [
            ("SESSION", lambda one: id_text(one.id)),
            ("REPO", lambda one: one.repo),
            ("BRANCH", lambda one: one.branch),
            ("BASE", lambda one: id_text(one.base_commit_id)),
            ("OWNER", lambda one: one.owner),
            ("BEGUN", lambda one: time_text(one.created_at)),
            ("NAME", lambda one: one.name or ""),
            ("NOTEBOOK", lambda one: printable(one.notebook or "")),
        ],
        empty="No session is open. Mount a branch, or begin one: datalake sessions create REPO",
    )


@group.command("get")
@click.argument("session")
@json_option
@pass_context
def get(context: CliContext, session: str, as_json: bool) -> None:
    """Show one session."""
    found = _find(context, session)
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("session", found.id),
            ("branch", f"{found.repo}@{found.branch}"),
            ("base", found.base_commit_id),
            ("owner", found.owner),
            ("begun", time_text(found.created_at)),
            ("name", found.name),
            ("notebook", found.notebook),
        ]
    )


@group.command("create")
@click.argument("repo")
@click.argument("branch", default="main")
@json_option
@pass_context
def create(context: CliContext, repo: str, branch: str, as_json: bool) -> None:
    """Begin a session on a branch."""
    session = context.lake.sessions.create(repo, branch)
    info = session.info
    session.close()
    if as_json:
        print_json(info)
    else:
        click.echo(f"Began session {id_text(info.id)} on {info.repo}@{info.branch}")


old_option = click.option(
    "--old", metavar="REF", help="Compare with this commit; the one it is based on by default."
)


@group.command("diff")
@click.argument("session")
@old_option
@click.option("--path", default="/", help="Only at and below this path.")
@click.option("--after", help="Only what comes behind this path: the last one of a page.")
@limit_option(None)
@json_option
@pass_context
def diff(
    context: CliContext,
    session: str,
    old: str | None,
    path: str,
    after: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List what is staged, or how it differs from any commit."""
    found = _find(context, session).id
    changes = context.lake.sessions.diff(found, old=old, path=path, after=after, limit=limit)
    if as_json:
        print_json(changes)
    else:
        print_changes(list(changes), empty="No path differs" if old else "Nothing is staged")


@group.command("list-changed")
@click.argument("session")
@click.argument("path", default="/")
@click.option("--after", default="", help="Only what comes behind this name: the last of a page.")
@limit_option(None)
@json_option
@pass_context
def list_changed(
    context: CliContext, session: str, path: str, after: str, limit: int | None, as_json: bool
) -> None:
    """List the children of a folder in which something is staged."""
    found = context.lake.sessions.list_changed(
        _find(context, session).id, path, after=after, limit=limit
    )
    if as_json:
        print_json(found)
        return
    print_table(
        found,
        [
            ("NAME", lambda one: printable(one.name)),
            ("CHANGE", lambda one: one.kind),
            ("PATHS", lambda one: str(one.count)),
            ("CONFLICT", lambda one: "yes" if one.is_conflict else ""),
        ],
        empty=f"Nothing is staged in {path}",
    )


@group.command("diff-text")
@click.argument("session")
@click.argument("path")
@old_option
@limit_option(None)
@json_option
@pass_context
def diff_text(
    context: CliContext, session: str, path: str, old: str | None, limit: int | None, as_json: bool
) -> None:
    """Show how a staged file differs, line by line, from the commit it is based on."""
    found = context.lake.sessions.diff_text(_find(context, session).id, path, old=old, limit=limit)
    print_text_diff(found, f"a/{path}", f"b/{path}", as_json=as_json)


@group.command("diff-table")
@click.argument("session")
@click.argument("path")
@old_option
@click.option("--key", multiple=True, help="Column that names a row; may be repeated.")
@click.option("--no-key", is_flag=True, help="Compare whole rows.")
@limit_option(DEFAULT_ROWS)
@json_option
@pass_context
def diff_table(
    context: CliContext,
    session: str,
    path: str,
    old: str | None,
    key: tuple[str, ...],
    no_key: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show how a staged table differs, row by row, from the commit it is based on."""
    found = context.lake.sessions.diff_table(
        _find(context, session).id, path, old=old, key=key_of(key, no_key=no_key), limit=limit
    )
    print_table_diff(found, as_json=as_json)


@group.command("read")
@click.argument("session")
@click.argument("path")
@pass_context
def read(context: CliContext, session: str, path: str) -> None:
    """Write the bytes of a file, as the session holds it, to standard output."""
    with context.lake.sessions.open_file(_find(context, session).id, path) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


@group.command("write")
@click.argument("session")
@click.argument("path")
@click.argument("source", type=click.File("rb"), default="-")
@click.option("--offset", type=click.IntRange(-1), help="Where the bytes go, -1 for the end.")
@json_option
@pass_context
def write(
    context: CliContext,
    session: str,
    path: str,
    source: BinaryIO,
    offset: int | None,
    as_json: bool,
) -> None:
    """Stage a file in a session that is not mounted, from a local one or from standard input."""
    found = _find(context, session).id
    file = context.lake.sessions.write(found, path, source, offset=offset)
    if as_json:
        print_json(file)
    else:
        click.echo(f"Staged {printable(file.path)}, {size_text(file.size_bytes)}")


@group.command("commit")
@click.argument("session")
@click.option("-m", "--message", required=True, help="What changed and why.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Kept with the commit.")
@click.option(
    "--take",
    "takes",
    type=(str, str),
    multiple=True,
    metavar="PATH SIDE",
    help="Whose version of a path is committed that others changed too: mine or theirs.",
)
@json_option
@pass_context
def commit(
    context: CliContext,
    session: str,
    message: str,
    metadata: tuple[str, ...],
    takes: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Commit what is staged; the session goes on from the new commit."""
    found = _find(context, session)
    made = context.lake.sessions.commit(
        found.id, message, metadata=parse_pairs(metadata), choices=dict(takes)
    )
    if as_json:
        print_json(made)
    else:
        click.echo(f"Committed {id_text(made.id)} to {made.repo}@{made.branch}")


@group.command("commit-together")
@click.argument("sessions", nargs=-1, required=True)
@click.option("-m", "--message", required=True, help="What changed and why.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Kept with the commits.")
@json_option
@pass_context
def commit_together(
    context: CliContext,
    sessions: tuple[str, ...],
    message: str,
    metadata: tuple[str, ...],
    as_json: bool,
) -> None:
    """Commit several sessions at once: all branches move, or none does."""
    found = [_find(context, one).id for one in sessions]
    commits = context.lake.sessions.commit_together(found, message, metadata=parse_pairs(metadata))
    if as_json:
        print_json(commits)
        return
    for made in commits:
        click.echo(f"Committed {id_text(made.id)} to {made.repo}@{made.branch}")
    click.echo(f"Global id {commits[0].global_id}")


@group.command("discard")
@click.argument("session")
@click.argument("paths", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def discard(
    context: CliContext, session: str, paths: tuple[str, ...], yes: bool, as_json: bool
) -> None:
    """Drop what is staged, everywhere or at and below some paths."""
    found = _find(context, session)
    what = ", ".join(paths) or "everything that is staged"
    confirm(f"Drop {what} in {found.repo}@{found.branch}?", yes=yes)
    context.lake.sessions.discard(found.id, paths or None)
    if as_json:
        print_json({"discarded": list(paths) or None})
    else:
        click.echo("Dropped")


@group.command("restore")
@click.argument("session")
@click.argument("source")
@json_option
@pass_context
def restore(context: CliContext, session: str, source: str, as_json: bool) -> None:
    """Stage what SOURCE, repo@ref/path, has at its path."""
    found = _find(context, session)
    context.lake.sessions.restore(found.id, source)
    if as_json:
        print_json({"restored": source})
    else:
        click.echo(f"Staged {printable(source)} in {found.repo}@{found.branch}")


@group.command("drafts")
@click.option("--repo", help="Of one repo only.")
@json_option
@pass_context
def drafts(context: CliContext, repo: str | None, as_json: bool) -> None:
    """List drafts: what sessions held when they were saved last."""
    found = context.lake.sessions.drafts(repo)
    if as_json:
        print_json(found)
        return
    print_table(
        found,
        [
            ("SESSION", lambda one: id_text(one.session_id)),
            ("BRANCH", lambda one: f"{one.repo}@{one.branch}"),
            ("SAVED", lambda one: time_text(one.saved_at)),
            ("CHANGES", lambda one: one.changes),
            ("OWNER", lambda one: one.owner),
            ("", lambda one: "" if one.has_session else "its session is gone"),
        ],
        empty="There are no drafts",
    )


@group.command("save")
@click.argument("session")
@json_option
@pass_context
def save(context: CliContext, session: str, as_json: bool) -> None:
    """Save a draft of what is staged; mounts do it each minute."""
    draft = context.lake.sessions.save(_find(context, session).id)
    if as_json:
        print_json(draft)
    else:
        click.echo(f"Saved {draft.changes} changes of {draft.repo}@{draft.branch}")


@group.command("recover")
@click.argument("draft")
@json_option
@pass_context
def recover(context: CliContext, draft: str, as_json: bool) -> None:
    """Begin a session with what DRAFT holds: the beginning of an id that 'drafts' shows."""
    meant = _draft(context, draft)
    session = context.lake.sessions.recover(meant.session_id)
    if as_json:
        print_json(session)
    else:
        click.echo(f"Session {id_text(session.id)} on {session.repo}@{session.branch} holds it")


@group.command("drop-draft")
@click.argument("draft")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def drop_draft(context: CliContext, draft: str, yes: bool, as_json: bool) -> None:
    """Drop DRAFT, the beginning of an id that 'drafts' shows; its session stays, if it is there."""
    meant = _draft(context, draft)
    confirm(f"Drop {meant.changes} changes of {meant.repo}@{meant.branch}?", yes=yes)
    context.lake.sessions.drop_draft(meant.session_id)
    if as_json:
        print_json({"dropped": meant.session_id})
    else:
        click.echo(f"Dropped the draft {id_text(meant.session_id)}")


def _draft(context: CliContext, name: str) -> Draft:
    found = [one for one in context.lake.sessions.drafts() if one.session_id.startswith(name)]
    return _only(found, name, "draft", "'datalake sessions drafts' shows those there are")


@group.command("delete")
@click.argument("session")
@click.option("--keep-draft", is_flag=True, help="Keep its draft, to be recovered.")
@click.option("--lost", is_flag=True, help="The machine that kept it is gone; give it up.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def delete(
    context: CliContext, session: str, keep_draft: bool, lost: bool, yes: bool, as_json: bool
) -> None:
    """Remove a session that is not mounted, with everything staged in it."""
    found = _find(context, session)
    confirm(f"Remove the session on {found.repo}@{found.branch}?", yes=yes)
    context.lake.sessions.delete(found.id, lost=lost, keep_draft=keep_draft)
    if as_json:
        print_json({"deleted": found.id})
    else:
        click.echo(f"Removed session {id_text(found.id)}")
