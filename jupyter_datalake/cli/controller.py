"""``datalake controller``."""

from __future__ import annotations

import logging

import click

from jupyter_datalake.cli.context import CliContext, pass_context
from jupyter_datalake.cli.jobs import datums_text, state_text
from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.lake.controllers import stopped_by_signals
from jupyter_datalake.model.pipelines import ExecutorKind


@click.group("controller")
def group() -> None:
    """The process that runs the lake's pipelines."""


@group.command("run")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Datums run at once on this machine.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run datums on the Dask cluster whose scheduler this is: tcp://host:8786.",
)
@click.option(
    "--scheduler-datums",
    type=click.IntRange(1),
    metavar="N",
    help="Hand so many datums to the cluster at once, so that an adaptive one grows to them;"
    " otherwise as many as its workers have threads.",
)
@click.option(
    "--executor",
    type=click.Choice([str(one) for one in ExecutorKind]),
    help="Where pipelines run that do not say; by default on the cluster if there is one.",
)
@click.option("--until-idle", is_flag=True, help="End when every job has ended.")
@pass_context
def run(
    context: CliContext,
    workers: int,
    scheduler: str | None,
    scheduler_datums: int | None,
    executor: str | None,
    until_idle: bool,
) -> None:
    """Run pipelines: follow commits, tick clocks, run jobs. JupyterLab may be closed."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    lake = context.lake
    told: dict[str, str] = {}

    def tell() -> None:
        """Print each job whose state is another now."""
        for job in reversed(lake.jobs.list(limit=50)):
            state = state_text(job)
            if told.get(job.id, state if job.state.is_terminal and not told else "") != state:
                seconds = "" if job.duration_s is None else f"{job.duration_s:6.1f} s"
                click.echo(f"{job.pipeline:24} {state:10} {seconds:9} {datums_text(job)}".rstrip())
                if job.message:
                    click.echo(f"{'':24} {job.message}")
            told[job.id] = state

    for job in lake.jobs.list(limit=1000):
        told[job.id] = state_text(job)
    config = ControllerConfig(
        workers=workers,
        scheduler=scheduler,
        scheduler_datums=scheduler_datums,
        executor=executor,
    )
    with stopped_by_signals() as stop:
        lake.run_controller(config, stop=stop, until_idle=until_idle, on_change=tell)
