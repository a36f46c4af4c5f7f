"""``datalake lineage``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import click

from jupyter_datalake.cli.commits import print_changes
from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.jobs import print_jobs, print_opened
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    time_text,
)
from jupyter_datalake.model.commits import CODE_INPUT, Commit
from jupyter_datalake.model.lineage import LineageStep, Observer
from jupyter_datalake.model.reproductions import EnvironmentWish, ReproducedStep, Verdict
from jupyter_datalake.model.text import printable


@click.group("lineage")
def group() -> None:
    """What was made from what."""


@group.command("list")
@click.option("--before", metavar="TIME", help="Only those begun before this moment.")
@limit_option(30)
@json_option
@pass_context
def list_lineage(context: CliContext, before: str | None, limit: int, as_json: bool) -> None:
    """List global ids, newest first: each is one change and all it set off."""
    records = context.lake.lineage.list(before=before, limit=limit)
    if as_json:
        print_json(records)
        return
    print_table(
        records,
        [
            ("GLOBAL ID", lambda one: id_text(one.id)),
            ("WHEN", lambda one: time_text(one.created_at)),
            ("ORIGIN", lambda one: one.origin),
            ("SUBJECT", lambda one: one.subject),
            ("BY", lambda one: one.created_by),
        ],
        empty="Nothing has happened yet",
    )


@group.command("get")
@click.argument("address")
@json_option
@pass_context
def get(context: CliContext, address: str, as_json: bool) -> None:
    """Show what a commit, or one of its files, was made from, and what was made from it."""
    lineage = context.lake.lineage.get(address)
    if as_json:
        print_json(lineage)
        return
    commit = lineage.commit
    print_fields(
        [
            ("commit", f"{commit.repo}@{commit.id}"),
            ("global id", commit.global_id),
            ("made by", commit.provenance.pipeline or commit.author),
            ("job", commit.provenance.job_id),
        ]
    )
    for datum in lineage.makers:
        click.echo(f"\nwritten by datum {datum.position} ({datum.state}) from:")
        for given in datum.inputs:
            place = f"{given.repo}@{id_text(given.commit_id)}/{given.path}"
            click.echo(f"  {given.name} = {printable(place)}")
    print_opened(lineage.opened)
    if lineage.uses:
        click.echo("\nread by:")
        print_table(
            lineage.uses,
            [
                ("OUTPUT", lambda one: f"{one.repo}@{id_text(one.commit_id)}"),
                ("JOB", lambda one: id_text(one.job_id)),
                ("DATUM", lambda one: one.position),
                ("AS", lambda one: printable(f"{one.name}:{one.path or '/'}")),
            ],
            empty="",
        )
    _print_steps("made from", "OF", lineage.upstream, commit)
    _print_steps("went into", "FROM", lineage.downstream, commit)


def _print_steps(title: str, neighbour: str, steps: Sequence[LineageStep], commit: Commit) -> None:
    click.echo(f"\n{title}:" if steps else f"\n{title}: nothing")
    if not steps:
        return
    repos = {commit.id: commit.repo, **{step.commit_id: step.repo for step in steps}}
    print_table(
        steps,
        [
            ("STEPS", lambda step: step.depth),
            ("COMMIT", lambda step: f"{step.repo}@{id_text(step.commit_id)}"),
            ("AS", lambda step: "its code" if step.name == CODE_INPUT else step.name),
            (neighbour, lambda step: repos.get(step.via, id_text(step.via))),
        ],
        empty="",
    )


@group.command("get-global")
@click.argument("global_id")
@json_option
@pass_context
def get_global(context: CliContext, global_id: str, as_json: bool) -> None:
    """Show the jobs and commits under a global id."""
    found = context.lake.lineage.get_global(global_id)
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("global id", found.record.id),
            ("begun", f"{time_text(found.record.created_at)} by {found.record.created_by}"),
            ("origin", f"{found.record.origin} {found.record.subject}"),
        ]
    )
    click.echo()
    print_jobs(found.jobs, empty="It set off no jobs")
    click.echo()
    print_table(
        found.commits,
        [
            ("COMMIT", lambda commit: id_text(commit.id)),
            ("REPO", lambda commit: f"{commit.repo}@{commit.branch}"),
            ("FILES", lambda commit: commit.file_count),
            ("MESSAGE", lambda commit: commit.message.splitlines()[0]),
        ],
        empty="It made no commits",
    )


@group.command("observed")
@click.argument("repo", required=False)
@click.option("--session", help="Only files of this session.")
@click.option("--notebook", help="Only what this notebook's kernel opened.")
@click.option("--job", help="Only what this job's datums opened.")
@click.option("--datum", type=click.IntRange(0), help="Only this datum of the job.")
@limit_option(100)
@json_option
@pass_context
def observed(
    context: CliContext,
    repo: str | None,
    session: str | None,
    notebook: str | None,
    job: str | None,
    datum: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show which programs opened which files, and by what means it was seen, newest first."""
    found = context.lake.lineage.observed(
        repo, session=session, notebook=notebook, job=job, datum=datum, limit=limit
    )
    if as_json:
        print_json(found)
        return
    print_table(
        found,
        [
            ("LAST", lambda one: time_text(datetime.fromtimestamp(one.last_ns / 1e9, UTC))),
            ("OPENS", lambda one: one.opens),
            ("FOR", lambda one: one.kind),
            ("FILE", lambda one: printable(f"{one.repo}@{id_text(one.commit_id)}/{one.path}")),
            ("SEEN BY", lambda one: one.seen_by),
            ("BY", lambda one: printable(_observer_text(one.observer))),
        ],
        empty="No program was seen to open anything",
    )


def _observer_text(observer: Observer) -> str:
    """Return a notebook with its cell, or the process where there is none."""
    if observer.job_id is not None:
        return observer.command
    if observer.notebook is None:
        return f"{observer.pid} {observer.command[:60]}"
    return observer.notebook if observer.cell is None else f"{observer.notebook} {observer.cell}"


@group.command("graph")
@click.option("--global-id", help="Only what hangs on this change.")
@click.option("--at", metavar="TIME", help="The graph as it was at this moment.")
@json_option
@pass_context
def graph(context: CliContext, global_id: str | None, at: str | None, as_json: bool) -> None:
    """Show the graph of repos, pipelines, clocks, warehouse tables and notebooks as edges."""
    found = context.lake.lineage.graph(global_id, at=at)
    if as_json:
        print_json(found)
        return
    print_table(
        found.edges,
        [
            ("FROM", lambda edge: printable(edge.source)),
            ("TO", lambda edge: printable(edge.target)),
            ("BASIS", lambda edge: edge.basis),
        ],
        empty="No pipelines yet",
    )


@group.command("reproduce")
@click.argument("address", required=False)
@click.option("--job", help="A job, in place of an address.")
@click.option("--datum", type=click.IntRange(0), help="Only this datum of the job.")
@click.option(
    "--upstream",
    default="0",
    metavar="N|all",
    help="Also so many steps of what it was made from.",
)
@click.option(
    "--environment",
    type=click.Choice([str(one) for one in EnvironmentWish]),
    default=str(EnvironmentWish.CURRENT),
    show_default=True,
    help="In which environment: locked builds that of the lock where this machine has another.",
)
@click.option("--twice", is_flag=True, help="Run what differs once more, to see if it repeats.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be run.")
@click.option(
    "--steps/--no-steps",
    default=True,
    help="Whether on_start and finally run around the datums, as in a job.  [default: steps]",
)
@click.option("--into", metavar="FOLDER", help="Keep the tree that was made in a new folder.")
@click.option("--workers", type=click.IntRange(1), help="Datums that run at once.")
@limit_option(30)
@json_option
@pass_context
def reproduce(
    context: CliContext,
    address: str | None,
    job: str | None,
    datum: int | None,
    upstream: str,
    environment: str,
    twice: bool,
    dry_run: bool,
    steps: bool,
    into: str | None,
    workers: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """Run again what made a commit, and compare. Exit 0 if it is identical, else 1."""
    done = context.lake.lineage.reproduce(
        address,
        job=job,
        datum=datum,
        upstream=_steps_of(upstream),
        environment=environment,
        twice=twice,
        dry_run=dry_run,
        steps=steps,
        into=into,
        workers=workers,
        limit=limit,
    )
    if as_json:
        print_json(done)
    else:
        for number, step in enumerate(done.steps):
            _print_reproduced(step)
            if step.change_count > len(step.changes):
                click.echo(f"\nall of them: datalake lineage list-differences {done.id} {number}")
        if len(done.steps) > 1:
            click.echo(f"\n{len(done.steps)} steps: {done.verdict}")
    if done.verdict not in {Verdict.IDENTICAL, Verdict.PLANNED}:
        raise click.exceptions.Exit(1)


@group.command("list-differences")
@click.argument("reproduction")
@click.argument("step", type=int, default=-1)
@click.option("--after", metavar="PATH", help="Only paths behind this one.")
@limit_option(100)
@json_option
@pass_context
def list_differences(
    context: CliContext,
    reproduction: str,
    step: int,
    after: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show all paths on which what was made again differs from what was recorded.

    STEP is the number of one of several jobs that were run, from 0; the last one is what was asked
    for.
    """
    changes = context.lake.lineage.list_differences(
        reproduction, step=step, after=after, limit=limit
    )
    if as_json:
        print_json(changes)
        return
    print_changes(changes, empty="Nothing differs")


def _steps_of(text: str) -> int | Literal["all"]:
    if text == "all":
        return "all"
    if not (text.isascii() and text.isdigit()):
        raise click.BadParameter(f"{text!r} is neither a number nor 'all'", param_hint="--upstream")
    return int(text)


def _print_reproduced(step: ReproducedStep) -> None:
    place = f"{step.repo}@{id_text(step.commit_id)}"
    click.echo(f"{place}: {_judgement(step)}")
    if step.verdict in {Verdict.DIFFERENT, Verdict.IDENTICAL, Verdict.PLANNED}:
        click.echo(f"  datums       {step.datum_count}")
    if step.made_root is not None:
        click.echo(f"  recorded     {step.recorded_root.hex()}")
        click.echo(f"  made now     {step.made_root.hex()}")
    if step.is_repeatable is not None:
        same = "the same" if step.is_repeatable else "something else again"
        click.echo(f"  run once more it gave {same}")
    if step.message and step.made_root is not None:
        click.echo(f"  {printable(step.message)}")
    for line in step.environment:
        click.echo(f"  environment  {printable(line)}")
    for line in step.unexpected:
        click.echo(f"  expectation  {printable(line)}")
    if not step.environment and step.verdict is not Verdict.IMPOSSIBLE:
        click.echo("  environment  as it was locked")
    if step.changes:
        click.echo()
        print_changes(step.changes, empty="")
    for text in step.texts:
        click.echo()
        path = printable(text.path)
        for line in text.diff.unified(f"recorded/{path}", f"now/{path}"):
            click.echo("\t".join(printable(part) for part in line.split("\t")))


def _judgement(step: ReproducedStep) -> str:
    match step.verdict:
        case Verdict.IDENTICAL:
            return "identical"
        case Verdict.PLANNED:
            return "would be run again"
        case Verdict.DIFFERENT:
            many = "path differs" if step.change_count == 1 else "paths differ"
            return f"{step.change_count} {many}"
    return f"{step.verdict}: {printable(step.message)}"
