"""``datalake trials``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from jupyter_datalake.cli.commits import print_changes
from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.diffs import key_of, print_table_diff, print_text_diff
from jupyter_datalake.cli.jobs import position_of, print_cells, step_option
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    time_text,
)
from jupyter_datalake.cli.pipelines import source_of, source_options
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS
from jupyter_datalake.model.text import printable
from jupyter_datalake.model.trials import (
    MAX_TRIED,
    TRIED_DATUMS,
    OutputCounts,
    Trial,
    TrialState,
    TriedDatum,
)

_SHOWN = 30
"""So many of the paths that differ are shown at the end of a trial."""

_datum_option = click.option(
    "--datum", type=click.IntRange(0), help="Of what this datum wrote; of all by default."
)


@click.group("trials")
def group() -> None:
    """Specs run on some datums before they are published. TRIAL is an id, or its beginning."""


@group.command("run")
@source_options
@click.option(
    "--datums",
    type=click.IntRange(1, MAX_TRIED),
    default=TRIED_DATUMS,
    show_default=True,
    help="So many datums are run, the first ones.",
)
@click.option(
    "--datum",
    "positions",
    type=click.IntRange(0),
    multiple=True,
    help="A datum to run instead, as 'pipelines preview' counts them; may be repeated.",
)
@click.option(
    "--steps/--no-steps",
    default=True,
    help="Whether on_start and finally run around the datums, as in a job.  [default: steps]",
)
@click.option("--workers", type=click.IntRange(1), help="Datums that run at once.")
@json_option
@pass_context
def run(
    context: CliContext,
    path: Path | None,
    template: Path | None,
    settings: tuple[str, ...],
    values: Path | None,
    datums: int,
    positions: tuple[int, ...],
    steps: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run a spec on some of its datums, and compare with what its output holds.

    Nothing is published or committed. Exit 0 if a job would succeed, as far as these datums tell,
    else 1.
    """
    source, folder = source_of(context, path, template, settings, values)
    begun = context.lake.trials.begin(
        source,
        folder=folder,
        datums=datums,
        positions=positions or None,
        steps=steps,
        workers=workers,
        on_change=(lambda _: None) if as_json else _Progress(),
    )
    trial = begun.run()
    if as_json:
        print_json(trial)
    else:
        _print_trial(trial)
        if trial.output is not None and trial.output.base_root != trial.output.made_root:
            click.echo()
            changes = context.lake.trials.list_differences(trial.id, limit=_SHOWN + 1)
            print_changes(changes[:_SHOWN], empty="")
            if len(changes) > _SHOWN:
                click.echo(f"all of them: datalake trials list-differences {id_text(trial.id)}")
    if trial.state is not TrialState.SUCCESS:
        raise click.exceptions.Exit(1)


class _Progress:
    """Tells on standard error what a trial is at, a line for each change."""

    def __init__(self) -> None:
        self._told: set[tuple[int, str]] = set()
        self._message = ""

    def __call__(self, trial: Trial) -> None:
        if trial.message != self._message and trial.state is TrialState.RUNNING:
            self._message = trial.message
            if trial.message:
                click.echo(f"{trial.message} …", err=True)
        for one in (*trial.steps, *trial.datums):
            mark = (one.position, str(one.state))
            if one.state is not DatumState.QUEUED and mark not in self._told:
                self._told.add(mark)
                click.echo(f"{printable(one.label)}: {one.state}", err=True)


@group.command("list")
@click.option("--pipeline", help="Of one pipeline only.")
@limit_option(None)
@json_option
@pass_context
def list_trials(
    context: CliContext, pipeline: str | None, limit: int | None, as_json: bool
) -> None:
    """List the trials that are kept on this machine, newest first; each is for a day."""
    trials = context.lake.trials.list(pipeline=pipeline, limit=limit)
    if as_json:
        print_json(trials)
        return
    print_table(
        trials,
        [
            ("TRIAL", lambda one: id_text(one.id)),
            ("PIPELINE", lambda one: one.pipeline),
            ("STATE", lambda one: one.state),
            ("WHEN", lambda one: time_text(one.created_at)),
            ("DATUMS", lambda one: len(one.datums)),
            ("DIFFERS", lambda one: _counts_text(one.output and one.output.counts)),
            ("MESSAGE", lambda one: printable(one.message)),
        ],
        empty="No trials",
    )


@group.command("get")
@click.argument("trial")
@json_option
@pass_context
def get(context: CliContext, trial: str, as_json: bool) -> None:
    """Show a trial with its datums."""
    found = context.lake.trials.get(trial)
    if as_json:
        print_json(found)
    else:
        _print_trial(found)


@group.command("cancel")
@click.argument("trial")
@json_option
@pass_context
def cancel(context: CliContext, trial: str, as_json: bool) -> None:
    """Stop a trial; its step finally runs."""
    found = context.lake.trials.cancel(trial)
    if as_json:
        print_json(found)
    else:
        click.echo(f"Trial {id_text(found.id)} is being stopped")


@group.command("delete")
@click.argument("trial")
@json_option
@pass_context
def delete(context: CliContext, trial: str, as_json: bool) -> None:
    """Forget a trial that has ended, with all it made."""
    context.lake.trials.delete(trial)
    if as_json:
        print_json({"deleted": trial})
    else:
        click.echo(f"Forgot trial {trial}")


@group.command("get-log")
@click.argument("trial")
@click.option("--datum", type=click.IntRange(0), help="The first one by default.")
@step_option
@json_option
@pass_context
def get_log(
    context: CliContext, trial: str, datum: int | None, step: str | None, as_json: bool
) -> None:
    """Print what a datum, or a step, printed; while it runs, as far as it is."""
    log = context.lake.trials.get_log(trial, _position(context, trial, datum, step))
    if as_json:
        print_json(log)
        return
    for line in log.text.splitlines():
        click.echo(printable(line))


@group.command("list-cells")
@click.argument("trial")
@click.option("--datum", type=click.IntRange(0), help="The first one by default.")
@step_option
@json_option
@pass_context
def list_cells(
    context: CliContext, trial: str, datum: int | None, step: str | None, as_json: bool
) -> None:
    """List the code cells of a datum's notebook with their states, also while it runs."""
    cells = context.lake.trials.list_cells(trial, _position(context, trial, datum, step))
    if as_json:
        print_json(cells)
    else:
        print_cells(cells)


@group.command("get-notebook")
@click.argument("trial")
@click.option("--datum", type=click.IntRange(0), help="The first one by default.")
@step_option
@pass_context
def get_notebook(context: CliContext, trial: str, datum: int | None, step: str | None) -> None:
    """Write the executed notebook of a datum, or a step, to standard output."""
    position = _position(context, trial, datum, step)
    sys.stdout.buffer.write(context.lake.trials.get_notebook(trial, position))
    sys.stdout.buffer.flush()


@group.command("list-differences")
@click.argument("trial")
@_datum_option
@click.option("--after", metavar="PATH", help="Only paths behind this one.")
@limit_option(100)
@json_option
@pass_context
def list_differences(
    context: CliContext,
    trial: str,
    datum: int | None,
    after: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the paths on which what was written differs from what the output branch holds."""
    changes = context.lake.trials.list_differences(trial, datum=datum, after=after, limit=limit)
    if as_json:
        print_json(changes)
    else:
        print_changes(changes, empty="Nothing differs")


@group.command("diff-text")
@click.argument("trial")
@click.argument("path")
@_datum_option
@limit_option(None)
@json_option
@pass_context
def diff_text(
    context: CliContext,
    trial: str,
    path: str,
    datum: int | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show how a file that was written differs, line by line, from that of the output branch."""
    found = context.lake.trials.diff_text(trial, path, datum=datum, limit=limit)
    print_text_diff(found, f"output/{path}", f"trial/{path}", as_json=as_json)


@group.command("diff-table")
@click.argument("trial")
@click.argument("path")
@_datum_option
@click.option("--key", multiple=True, help="Column that names a row; may be repeated.")
@click.option("--no-key", is_flag=True, help="Compare whole rows.")
@limit_option(DEFAULT_ROWS)
@json_option
@pass_context
def diff_table(
    context: CliContext,
    trial: str,
    path: str,
    datum: int | None,
    key: tuple[str, ...],
    no_key: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show how a table that was written differs, row by row, from that of the output branch."""
    found = context.lake.trials.diff_table(
        trial, path, datum=datum, key=key_of(key, no_key=no_key), limit=limit
    )
    print_table_diff(found, as_json=as_json)


@group.command("read")
@click.argument("trial")
@click.argument("path")
@_datum_option
@click.option("--base", is_flag=True, help="As the output branch holds it.")
@pass_context
def read(context: CliContext, trial: str, path: str, datum: int | None, base: bool) -> None:
    """Write the bytes of a file that was written to standard output."""
    with context.lake.trials.open(trial, path, datum=datum, base=base) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _position(context: CliContext, trial: str, datum: int | None, step: str | None) -> int:
    """Return which datum or step is meant: the first that was tried where none is named."""
    position = position_of(datum, step)
    return context.lake.trials.get(trial).datums[0].position if position is None else position


def _print_trial(trial: Trial) -> None:
    fields: list[tuple[str, object]] = [
        ("trial", trial.id),
        ("pipeline", trial.pipeline),
        ("state", trial.state),
    ]
    if trial.message:
        fields.append(("message", printable(trial.message)))
    if trial.base_commit_id is None:
        fields.append(("compared", "with nothing: there is no output yet"))
    else:
        fields.append(("compared", f"with {trial.pipeline}@{id_text(trial.base_commit_id)}"))
    if trial.output is not None:
        fields.append(("output", _counts_text(trial.output.counts)))
    print_fields(fields)
    for line in trial.notes:
        click.echo(f"  note         {printable(line)}")
    for line in trial.unexpected:
        click.echo(f"  expectation  {printable(line)}")
    click.echo()
    _print_datums([*trial.steps, *trial.datums])
    failed = next((one for one in trial.datums if one.state is DatumState.FAILED), None)
    if failed is not None:
        place = f"{id_text(trial.id)} --datum {failed.position}"
        click.echo(f"\nwhat it printed: datalake trials get-log {place}")


def _print_datums(datums: Sequence[TriedDatum]) -> None:
    # A long message would push the table apart; its first line tells what failed.
    shown = [replace(one, message=one.message.partition("\n")[0]) for one in datums]
    print_table(
        shown,
        [
            ("DATUM", lambda one: one.position if one.position >= 0 else ""),
            ("STATE", lambda one: one.state),
            ("SECONDS", _seconds_text),
            ("INPUTS", lambda one: printable(one.label)),
            ("DIFFERS", lambda one: _counts_text(one.output and one.output.counts)),
            ("MESSAGE", lambda one: printable(one.message)),
        ],
        empty="No datums",
    )


def _seconds_text(one: TriedDatum) -> str:
    if one.started_at is None or one.finished_at is None:
        return ""
    return f"{(one.finished_at - one.started_at).total_seconds():.1f}"


def _counts_text(counts: OutputCounts | None) -> str:
    """Return how many paths differ, in the marks that changes have."""
    if counts is None:
        return ""
    return f"+{counts.added} ~{counts.modified} -{counts.removed} ={counts.same}"
