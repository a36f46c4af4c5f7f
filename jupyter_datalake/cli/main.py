"""``datalake``: the command line."""

from __future__ import annotations

import sys

import click

from jupyter_datalake import __version__, environment
from jupyter_datalake.cli import (
    commits,
    controller,
    diffs,
    events,
    files,
    jobs,
    lineage,
    maintenance,
    mounts,
    pipelines,
    refs,
    remotes,
    repos,
    retention,
    sessions,
    warehouse,
)
from jupyter_datalake.cli.context import CliContext
from jupyter_datalake.cli.output import run_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    context.obj = CliContext(lake or environment.lake_url(), user or environment.user_name())
    context.call_on_close(context.obj.close)


cli.add_command(repos.group)
cli.add_command(refs.group)
cli.add_command(commits.group)
cli.add_command(files.group)
cli.add_command(sessions.group)
cli.add_command(mounts.group)
cli.add_command(pipelines.group)
cli.add_command(jobs.group)
cli.add_command(lineage.group)
cli.add_command(warehouse.group)
cli.add_command(remotes.group)
cli.add_command(events.group)
cli.add_command(controller.group)
cli.add_command(retention.group)
cli.add_command(maintenance.group)
cli.add_command(maintenance.init)
cli.add_command(maintenance.doctor)
cli.add_command(diffs.diff, "diff")
cli.add_command(sessions.commit, "commit")
cli.add_command(remotes.push, "push")
cli.add_command(remotes.pull, "pull")
cli.add_command(mounts.create, "mount")
cli.add_command(mounts.delete, "unmount")


def main() -> None:
    """Run the command line and leave with the code that its help documents."""
    wants_json = "--json" in sys.argv[1:]
    sys.exit(run_command(lambda: cli(standalone_mode=False), as_json_errors=wants_json))


if __name__ == "__main__":
    main()
