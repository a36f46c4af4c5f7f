"""``datalake``: the command line."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from jupyter_datalake import __version__, environment
from jupyter_datalake.cli.context import CliContext, importing
from jupyter_datalake.cli.output import run_command

_HOMES = {
    "repos": "repos.group",
    "refs": "refs.group",
    "commits": "commits.group",
    "files": "files.group",
    "sessions": "sessions.group",
    "mounts": "mounts.group",
    "drive": "drive.group",
    "pipelines": "pipelines.group",
    "jobs": "jobs.group",
    "trials": "trials.group",
    "lineage": "lineage.group",
    "warehouse": "warehouse.group",
    "remotes": "remotes.group",
    "events": "events.group",
    "notifications": "notifications.group",
    "controller": "controller.group",
    "retention": "retention.group",
    "maintenance": "maintenance.group",
    "init": "maintenance.init",
    "doctor": "maintenance.doctor",
    "diff": "diffs.diff",
    "status": "status.status",
    "commit": "sessions.commit",
    "push": "remotes.push",
    "pull": "remotes.pull",
    "mount": "mounts.create",
    "unmount": "mounts.delete",
}
"""Where each command is, below this package."""


class Commands(click.Group):
    """Imports a command when it is asked for: one command needs few of the modules of all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        if cmd_name not in _HOMES:
            return None
        home, _, name = _HOMES[cmd_name].partition(".")
        with importing():
            command: click.Command = getattr(import_module(f"{__package__}.{home}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--lake",
    metavar="URL",
    help="The lake, a folder or s3://…; DATALAKE_URL, or your own, by default.",
)
@click.option("--user", help="In whose name to commit; DATALAKE_USER, or you, by default.")
@click.version_option(__version__, prog_name="datalake")
@click.pass_context
def cli(context: click.Context, lake: str | None, user: str | None) -> None:
    """Versioned data repositories, mounts, pipelines and lineage.

    \b
    Places are written repo@ref/path, for instance raw@main/2026/a.csv; a ref is a branch, a tag,
    the beginning of a commit id, main~3, or main@2026-01-31T12:00Z.

    \b
    EXIT STATUS
      0 success   2 wrong input      10 not found   11 conflict   12 not allowed
      14 exists   15 not possible now   20 storage   21 damaged   30 job failed
      31 not possible on this machine   130 interrupted   anything else: failure
    """  # noqa: D301  # \b keeps click from re-flowing the table
    context.obj = CliContext(lake, user or environment.user_name())
    context.call_on_close(context.obj.close)


def main() -> None:
    """Run the command line and leave with the code that its help documents."""
    wants_json = "--json" in sys.argv[1:]
    sys.exit(run_command(lambda: cli(standalone_mode=False), as_json_errors=wants_json))


def program() -> None:
    """Be the process of the command line, which ends with its command."""
    gc.freeze()  # see `importing`
    try:
        main()
    finally:
        if "_duckdb" in sys.modules:  # it tells of each object of its own that is there at the end
            gc.unfreeze()


if __name__ == "__main__":
    program()
