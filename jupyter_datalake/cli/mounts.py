"""``datalake mounts``."""

from __future__ import annotations

import click

from jupyter_datalake.cli.context import (
    CliContext,
    default_mountpoint,
    json_option,
    pass_context,
)
from jupyter_datalake.cli.output import print_fields, print_json, print_table, time_text
from jupyter_datalake.model.drive import DRIVE_NAME
from jupyter_datalake.model.mounts import MAX_BEHIND, Mount, MountMode


@click.group("mounts")
def group() -> None:
    """Repos as folders."""


_at_option = click.option(
    "--at", default=default_mountpoint, help="The mount point; DATALAKE_MOUNTPOINT by default."
)
_writable_option = click.option(
    "--writable/--read-only",
    default=None,
    help="By default writable for a branch that people may write to.",
)


@group.command("list")
@json_option
@pass_context
def list_mounts(context: CliContext, as_json: bool) -> None:
    """List what is mounted."""
    mounts = context.lake.mounts.list()
    if as_json:
        print_json(mounts)
        return
    points = {point.path: point for point in context.lake.mounts.list_mountpoints()}
    print_table(
        mounts,
        [
            ("PATH", lambda mount: mount.path),
            ("REPO", lambda mount: f"{mount.repo}@{mount.ref}"),
            ("BEHIND", behind_text),
            ("ACCESS", access_text),
            ("MODE", lambda mount: points[mount.mountpoint].mode),
            ("STATE", lambda mount: points[mount.mountpoint].state),
        ],
        empty="Nothing is mounted. Mount a repo: datalake mounts create REPO",
    )


def access_text(mount: Mount) -> str:
    """Return whether files below a mount can be changed, in a word."""
    return "writable" if mount.is_writable else "read-only"


def behind_text(mount: Mount) -> str:
    """Return how many commits its branch has that a mount does not show; nothing for none."""
    standing = mount.standing
    if standing is None:
        return "gone"
    if standing.behind is None:
        return f"{standing.branch} is gone"
    more = "+" if standing.behind == MAX_BEHIND else ""
    return f"{standing.branch} by {standing.behind}{more}" if standing.behind else ""


@group.command("get")
@click.argument("name")
@_at_option
@json_option
@pass_context
def get(context: CliContext, name: str, at: str | None, as_json: bool) -> None:
    """Show one mount, by the name of its folder."""
    mount = context.lake.mounts.get(name, at=at)
    if as_json:
        print_json(mount)
        return
    print_fields(
        [
            ("path", mount.path),
            ("repo", f"{mount.repo}@{mount.ref}"),
            ("commit", None if mount.standing is None else mount.standing.commit_id),
            ("behind", behind_text(mount)),
            ("access", access_text(mount)),
            ("session", mount.session_id),
            ("mounted", f"{time_text(mount.created_at)} by {mount.created_by}"),
        ]
    )


@group.command("create")
@click.argument("repo")
@click.argument("ref", default="main")
@_writable_option
@_at_option
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in MountMode]),
    help="By default the best that this machine can do; 'datalake doctor' names it.",
)
@click.option("--session", help="A session of its own, in the folder REPO@REF+SESSION.")
@click.option("--notebook", help="The notebook that this session is for.")
@json_option
@pass_context
def create(
    context: CliContext,
    repo: str,
    ref: str,
    writable: bool | None,
    at: str | None,
    mode: str | None,
    session: str | None,
    notebook: str | None,
    as_json: bool,
) -> None:
    """Mount a repo at a branch, tag or commit."""
    mount = context.lake.mounts.create(
        repo, ref, writable=writable, at=at, mode=mode, session=session, notebook=notebook
    )
    if as_json:
        print_json(mount)
        return
    click.echo(f"Mounted {mount.repo}@{mount.ref} at {mount.path}, {access_text(mount)}")
    points = {point.path: point for point in context.lake.mounts.list_mountpoints()}
    if points[mount.mountpoint].mode is MountMode.DRIVE:
        click.echo(
            f"There is no folder: it is {DRIVE_NAME}:{mount.name} in JupyterLab,"
            f" and {mount.name}/… for 'datalake drive'"
        )


@group.command("switch")
@click.argument("name")
@click.argument("ref")
@_writable_option
@_at_option
@json_option
@pass_context
def switch(
    context: CliContext, name: str, ref: str, writable: bool | None, at: str | None, as_json: bool
) -> None:
    """Show another branch, tag or commit in a folder; staged changes stay with their branch."""
    mount = context.lake.mounts.switch(name, ref, writable=writable, at=at)
    if as_json:
        print_json(mount)
    else:
        click.echo(f"{mount.path} shows {mount.repo}@{mount.ref} now, {access_text(mount)}")


@group.command("delete")
@click.argument("name")
@click.option("--discard", is_flag=True, help="Drop what is staged.")
@_at_option
@json_option
@pass_context
def delete(context: CliContext, name: str, discard: bool, at: str | None, as_json: bool) -> None:
    """Unmount; staged changes are kept for the next mount unless dropped."""
    context.lake.mounts.delete(name, at=at, discard=discard)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Unmounted {name}")


@group.command("list-mountpoints")
@json_option
@pass_context
def list_mountpoints(context: CliContext, as_json: bool) -> None:
    """List folders that show repos, and the processes behind them."""
    points = context.lake.mounts.list_mountpoints()
    if as_json:
        print_json(points)
        return
    print_table(
        points,
        [
            ("PATH", lambda point: point.path),
            ("MODE", lambda point: point.mode),
            ("STATE", lambda point: point.state),
            ("PID", lambda point: point.pid or ""),
            ("MESSAGE", lambda point: point.message),
        ],
        empty="There is no mount point yet",
    )


@group.command("start")
@_at_option
@json_option
@pass_context
def start(context: CliContext, at: str | None, as_json: bool) -> None:
    """Bring back what was mounted at a mount point."""
    context.lake.mounts.start(at)
    if as_json:
        print_json(context.lake.mounts.list())
    else:
        click.echo("Started")


@group.command("stop")
@_at_option
@json_option
@pass_context
def stop(context: CliContext, at: str | None, as_json: bool) -> None:
    """Unmount everything at a mount point; 'start' brings it back, staged changes included."""
    context.lake.mounts.stop(at)
    if as_json:
        print_json({"stopped": at})
    else:
        click.echo("Stopped")
