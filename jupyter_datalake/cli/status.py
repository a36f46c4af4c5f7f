"""``datalake status``: what is mounted, what is staged, and whether pipelines run."""

from __future__ import annotations

import click

from jupyter_datalake.cli.context import CliContext, json_option, pass_context
from jupyter_datalake.cli.output import print_fields, print_json, print_table
from jupyter_datalake.model.mounts import MAX_BEHIND, Mount

_MAX_CHANGES = 1_000


@click.command("status")
@json_option
@pass_context
def status(context: CliContext, as_json: bool) -> None:
    """Show what is mounted, by what means, what is staged, and whether pipelines run."""
    lake = context.lake
    about = lake.maintenance.get_status()
    modes = {point.path: point for point in lake.mounts.list_mountpoints()}
    mounts = lake.mounts.list()
    changes = {one.path: _changes(context, one) for one in mounts}
    if as_json:
        rows = [
            {"mount": one, "mountpoint": modes[one.mountpoint], "changes": changes[one.path]}
            for one in mounts
        ]
        print_json({"lake": about, "mounts": rows})
        return
    print_fields(
        [
            ("lake", about.url),
            ("controller", about.controller or "none: pipelines do not run"),
            ("live jobs", about.live_jobs),
        ]
    )
    click.echo()
    print_table(
        mounts,
        [
            ("FOLDER", lambda one: one.path),
            ("SHOWS", lambda one: f"{one.repo}@{one.ref}"),
            ("MODE", lambda one: modes[one.mountpoint].mode),
            ("STATE", lambda one: modes[one.mountpoint].state),
            ("CHANGES", lambda one: _count(changes[one.path], _MAX_CHANGES)),
            ("BEHIND", _behind),
        ],
        empty="Nothing is mounted. Mount a repo: datalake mount REPO",
    )


def _changes(context: CliContext, mount: Mount) -> int | None:
    """Return how many changes are staged in a mount, at most one more than are counted."""
    if mount.session_id is None:
        return None
    return len(context.lake.sessions.diff(mount.session_id, limit=_MAX_CHANGES + 1))


def _count(count: int | None, most: int) -> str:
    if count is None:
        return "read-only"
    return f"more than {most:,}" if count > most else str(count)


def _behind(mount: Mount) -> str:
    if mount.standing is None or mount.standing.behind is None:
        return ""
    return _count(mount.standing.behind, MAX_BEHIND - 1)
