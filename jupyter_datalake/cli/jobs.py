"""``datalake jobs``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from jupyter_datalake.cli.commits import print_changes
from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    time_text,
)
from jupyter_datalake.model.datums import BEFORE_ALL, STEP_POSITIONS, DatumState
from jupyter_datalake.model.executed_cells import ExecutedCell
from jupyter_datalake.model.jobs import Job, JobState, Outcome
from jupyter_datalake.model.lineage import MAX_OPENED, AccessKind, Observation
from jupyter_datalake.model.logs import LogLine
from jupyter_datalake.model.text import printable

_LOGS_AT_ONCE = 500


step_option = click.option(
    "--step", type=click.Choice([*STEP_POSITIONS]), help="Of a step of the job, and of no datum."
)


def position_of(datum: int | None, step: str | None) -> int | None:
    """Return where a datum or step is among the logs of its job."""
    if datum is not None and step is not None:
        raise click.UsageError("Give one of --datum and --step")
    return datum if step is None else STEP_POSITIONS[step]


@click.group("jobs")
def group() -> None:
    """Runs of pipelines. JOB is an id, or its beginning."""


@group.command("list")
@click.option("--pipeline", help="Of one pipeline only.")
@click.option("--group", "of_group", help="Of one group of pipelines only.")
@click.option("--global-id", help="Under one global id only.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in JobState]),
    help="In this state only; may be repeated.",
)
@limit_option(50)
@json_option
@pass_context
def list_jobs(
    context: CliContext,
    pipeline: str | None,
    of_group: str | None,
    global_id: str | None,
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    jobs = context.lake.jobs.list(
        pipeline=pipeline,
        group=of_group,
        global_id=global_id,
        states=[JobState(state) for state in states] or None,
        limit=limit,
    )
    if as_json:
        print_json(jobs)
    else:
        print_jobs(jobs, empty="No jobs yet. Write to an input, or: datalake pipelines run NAME")


def print_jobs(jobs: Iterable[Job], *, empty: str) -> None:
    """Print jobs as a table."""
    print_table(
        jobs,
        [
            ("JOB", lambda job: id_text(job.id)),
            ("PIPELINE", lambda job: job.pipeline),
            ("STATE", state_text),
            ("DATUMS", datums_text),
            ("SECONDS", lambda job: "" if job.duration_s is None else f"{job.duration_s:.1f}"),
            ("ROWS", lambda job: "" if job.rows_written is None else f"{job.rows_written:,}"),
            ("OUTPUT", lambda job: id_text(job.output_commit_id)),
            ("GLOBAL ID", lambda job: id_text(job.global_id)),
            ("MESSAGE", lambda job: job.message),
        ],
        empty=empty,
    )


def state_text(job: Job) -> str:
    """Return a job's state, or what kind of success it was where that says more."""
    if job.outcome in {Outcome.CUT_OFF, Outcome.UNCHANGED}:
        return str(job.outcome)
    return str(job.state)


def datums_text(job: Job) -> str:
    """Return how many datums are in which state: ``3 run, 7 skipped``."""
    names = {DatumState.SUCCESS: "run"}
    counts = [
        f"{job.datum_counts[state]} {names.get(state, state)}"
        for state in DatumState
        if job.datum_counts.get(state)
    ]
    return ", ".join(counts)


@group.command("get")
@click.argument("job_id", metavar="JOB")
@json_option
@pass_context
def get(context: CliContext, job_id: str, as_json: bool) -> None:
    """Show one job."""
    job = context.lake.jobs.get(job_id)
    if as_json:
        print_json(job)
        return
    print_fields(
        [
            ("job", job.id),
            ("pipeline", f"{job.pipeline} v{job.pipeline_version}"),
            ("state", state_text(job)),
            ("message", job.message),
            ("global id", job.global_id),
            ("trigger", f"{job.trigger.kind} {job.trigger.subject}".strip()),
            *[(f"input {name}", commit) for name, commit in job.inputs.items()],
            ("output", job.output_commit_id),
            ("rows written", job.rows_written),
            ("datums", datums_text(job)),
            ("created", time_text(job.created_at)),
            ("started", time_text(job.started_at)),
            ("finished", time_text(job.finished_at)),
            ("attempt", job.attempt if job.attempt > 1 else ""),
        ]
    )
    print_opened(context.lake.lineage.observed(job=job.id, limit=MAX_OPENED))


def print_opened(opened: Sequence[Observation]) -> None:
    """Print what datums were seen to open, newest first; nothing where nobody looked."""
    if not opened:
        return
    click.echo("\nseen to open:")
    for one in opened:
        place = printable(f"{one.repo}@{id_text(one.commit_id)}/{one.path}")
        times = f"  {one.opens} times" if one.opens > 1 else ""
        wrote = "  to write" if one.kind is AccessKind.WRITE else ""
        click.echo(f"  datum {one.observer.datum}  {place}{times}{wrote}")
    if len(opened) == MAX_OPENED:
        job = id_text(opened[-1].observer.job_id)
        click.echo(
            f"  these are the newest; more: datalake lineage observed --job {job} --limit 1000"
        )


@group.command("cancel")
@click.argument("job_id", metavar="[JOB]", required=False)
@click.option("--all", "all_jobs", is_flag=True, help="Every job that has not ended.")
@click.option("--pipeline", help="Every job of a pipeline that has not ended.")
@click.option("--group", "of_group", help="Every job of a group that has not ended.")
@json_option
@pass_context
def cancel(
    context: CliContext,
    job_id: str | None,
    all_jobs: bool,
    pipeline: str | None,
    of_group: str | None,
    as_json: bool,
) -> None:
    """Stop a job, or several; nothing is committed, datums that succeeded are kept."""
    if sum(one is not None for one in (job_id, pipeline, of_group)) + all_jobs != 1:
        raise click.UsageError("Give one of JOB, --all, --pipeline and --group")
    if job_id is not None:
        jobs: Sequence[Job] = [context.lake.jobs.cancel(job_id)]
    else:
        jobs = context.lake.jobs.cancel_all(pipeline=pipeline, group=of_group)
    if as_json:
        print_json(jobs if job_id is None else jobs[0])
        return
    for job in jobs:
        done = job.state is JobState.CANCELLED
        click.echo(f"Cancelled {id_text(job.id)}" if done else f"Stopping {id_text(job.id)}")
    if not jobs:
        click.echo("Every job has ended")


@group.command("rerun")
@click.argument("job_id", metavar="JOB")
@click.option("--reprocess", is_flag=True, help="Run every datum, also those that are known.")
@click.option("--same-inputs", is_flag=True, help="Read the commits that the job read.")
@json_option
@pass_context
def rerun(
    context: CliContext, job_id: str, reprocess: bool, same_inputs: bool, as_json: bool
) -> None:
    """Run a job's pipeline again over its inputs as they are now, or as the job read them."""
    global_id = context.lake.jobs.rerun(job_id, reprocess=reprocess, same_inputs=same_inputs)
    if as_json:
        print_json({"global_id": global_id})
    else:
        click.echo(f"Started {global_id}")


@group.command("resume")
@click.argument("job_id", metavar="JOB")
@json_option
@pass_context
def resume(context: CliContext, job_id: str, as_json: bool) -> None:
    """Go on with a job that failed or was cancelled: run what of it did not succeed."""
    global_id = context.lake.jobs.resume(job_id)
    if as_json:
        print_json({"global_id": global_id})
    else:
        click.echo(f"Started {global_id}")


@group.command("wait")
@click.argument("global_id")
@click.option("--timeout", "timeout_s", type=float, help="Seconds to wait at most.")
@json_option
@pass_context
def wait(context: CliContext, global_id: str, timeout_s: float | None, as_json: bool) -> None:
    """Wait until every job under a global id has ended; fail if one of them did."""
    jobs = context.lake.jobs.wait(global_id, timeout_s=timeout_s)
    if as_json:
        print_json(jobs)
    else:
        print_jobs(jobs, empty="No jobs")


@group.command("list-datums")
@click.argument("job_id", metavar="JOB")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in DatumState]),
    help="In this state only; may be repeated.",
)
@limit_option(None)
@json_option
@pass_context
def list_datums(
    context: CliContext, job_id: str, states: tuple[str, ...], limit: int | None, as_json: bool
) -> None:
    """List a job's datums, with why each ran or did not."""
    datums = context.lake.jobs.list_datums(
        job_id, states=[DatumState(state) for state in states] or None, limit=limit
    )
    if as_json:
        print_json(datums)
        return
    print_table(
        datums,
        [
            ("DATUM", lambda datum: datum.position),
            ("STATE", lambda datum: datum.state),
            ("WHY", lambda datum: datum.reason),
            ("TRIES", lambda datum: datum.tries or ""),
            ("INPUTS", lambda datum: datum.label),
            ("MESSAGE", lambda datum: datum.message),
        ],
        empty="The job has no datums: its globs matched nothing, or it has not begun",
    )


@group.command("logs")
@click.argument("job_id", metavar="JOB")
@click.option("--datum", type=click.IntRange(0), help="Of one datum only.")
@step_option
@click.option("--follow", is_flag=True, help="Print lines as they come, until the job has ended.")
@json_option
@pass_context
def logs(
    context: CliContext,
    job_id: str,
    datum: int | None,
    step: str | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Print what a job's steps and datums printed; running ones as far as they are."""
    datum = position_of(datum, step)
    jobs = context.lake.jobs
    if follow and as_json:
        raise click.UsageError("Give one of --follow and --json")
    if follow:
        _print_lines(jobs.follow_logs(job_id, datum=datum))
        return
    if as_json:
        print_json(jobs.logs(job_id, datum=datum))
        return
    after, is_first = BEFORE_ALL, True
    while found := jobs.logs(job_id, datum=datum, after=after, limit=_LOGS_AT_ONCE):
        for log in found:
            if len(found) > 1 or not is_first:
                click.echo(f"==> {printable(log.label)} ({log.state}) <==")
            for line in log.text.splitlines():
                click.echo(printable(line))
        if datum is not None:
            return
        after, is_first = found[-1].position, False


@group.command("search-logs")
@click.argument("text")
@click.option("--job", "job_id", metavar="JOB", help="In one job only.")
@click.option("--pipeline", help="In jobs of one pipeline only.")
@click.option("--datum", type=click.IntRange(0), help="In one datum of the job only.")
@click.option("--label", help="Only in datums with this in what they were cut from.")
@click.option("--regex", "is_regex", is_flag=True, help="TEXT is a regular expression.")
@click.option("--ignore-case", "-i", "ignores_case", is_flag=True)
@click.option(
    "--jobs", type=click.IntRange(1), default=100, show_default=True, help="Newest jobs to search."
)
@limit_option(1000)
@json_option
@pass_context
def search_logs(
    context: CliContext,
    text: str,
    job_id: str | None,
    pipeline: str | None,
    datum: int | None,
    label: str | None,
    is_regex: bool,
    ignores_case: bool,
    jobs: int,
    limit: int,
    as_json: bool,
) -> None:
    """Print the lines of logs that hold a text, of the newest jobs first."""
    found = context.lake.jobs.search_logs(
        text,
        job_id=job_id,
        pipeline=pipeline,
        datum=datum,
        label=label,
        is_regex=is_regex,
        ignores_case=ignores_case,
        jobs=jobs,
    )
    lines = islice(found, limit)
    if as_json:
        print_json(list(lines))
        return
    job = None
    for line in lines:
        if line.job_id != job:
            job = line.job_id
            click.echo(f"==> {line.pipeline} #{line.job_number}, job {id_text(job)} <==")
        click.echo(f"{printable(line.label)}:{line.line}: {printable(line.text)}")
    if job is None:
        click.echo("No line holds it", err=True)


def _print_lines(lines: Iterable[LogLine]) -> None:
    """Print lines as they come, with a heading wherever another datum goes on."""
    position = None
    for line in lines:
        if line.position != position:
            position = line.position
            click.echo(f"==> {printable(line.label)} <==")
        click.echo(printable(line.text))


@group.command("reopen")
@click.argument("job_id", metavar="JOB")
@click.option("--datum", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--into",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make; datalake-jobs/<pipeline>-<number>-<datum> by default.",
)
@json_option
@pass_context
def reopen(
    context: CliContext, job_id: str, datum: int, folder: Path | None, as_json: bool
) -> None:
    """Make a datum's folder once more, to mend by hand what failed."""
    found = context.lake.jobs.reopen(job_id, datum, folder=folder)
    if as_json:
        print_json(found)
        return
    click.echo(f"Made {found.folder}")
    if found.notebook is not None:
        where = "" if found.failed_cell is None else f"; cell {found.failed_cell + 1} failed"
        click.echo(f"Open {found.notebook} there{where}")
        if found.kernel is not None:
            click.echo(
                "In JupyterLab it has the kernel in which that was, with its variables: it is kept"
                f" until {clock_text(found.kernel.until)}, and as long as it is open"
            )
    else:
        click.echo("Run ./datum.sh there")
    click.echo(f"When it is mended: datalake jobs publish-fix {shlex.quote(found.folder)}")


@group.command("list-kernels")
@click.argument("job_id", metavar="[JOB]", required=False)
@json_option
@pass_context
def list_kernels(context: CliContext, job_id: str | None, as_json: bool) -> None:
    """List the kernels that are kept on this machine, in which cells failed."""
    kernels = context.lake.jobs.list_kernels(job_id)
    if as_json:
        print_json(kernels)
        return
    print_table(
        kernels,
        [
            ("KERNEL", lambda kernel: kernel.id),
            ("PIPELINE", lambda kernel: kernel.pipeline),
            ("JOB", lambda kernel: id_text(kernel.job_id)),
            ("DATUM", lambda kernel: kernel.position),
            ("UNTIL", lambda kernel: clock_text(kernel.until)),
            ("OPEN", lambda kernel: "yes" if kernel.is_attached else ""),
        ],
        empty="None is kept. A spec asks for it: datums: {keep_failed: 15m}",
    )


@group.command("end-kernel")
@click.argument("kernel_id", metavar="KERNEL")
@json_option
@pass_context
def end_kernel(context: CliContext, kernel_id: str, as_json: bool) -> None:
    """End a kernel that is kept, with all it holds."""
    kernel = context.lake.jobs.end_kernel(kernel_id)
    if as_json:
        print_json(kernel)
        return
    click.echo(f"Ended the kernel of datum {kernel.position} of {kernel.pipeline}")


def clock_text(moment: datetime) -> str:
    """Return a moment of today, or of the next days, for people."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


@group.command("publish-fix")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
@pass_context
def publish_fix(context: CliContext, folder: Path, as_json: bool) -> None:
    """Publish what was mended in the FOLDER of a reopened datum, and run it."""
    pipeline = context.lake.jobs.publish_fix(folder)
    if as_json:
        print_json(pipeline)
        return
    click.echo(f"Published {pipeline.name} v{pipeline.version}")
    click.echo(f"Its code is in {pipeline.spec.code_repo}@main: take it over into your own copy")


@group.command("get-notebook")
@click.argument("job_id", metavar="JOB")
@click.option("--datum", type=click.IntRange(0), help="The first one by default.")
@step_option
@pass_context
def get_notebook(context: CliContext, job_id: str, datum: int | None, step: str | None) -> None:
    """Write the executed notebook of a datum, or a step, to standard output."""
    position = position_of(datum, step) or 0
    sys.stdout.buffer.write(context.lake.jobs.get_notebook(job_id, position))
    sys.stdout.buffer.flush()


@group.command("list-cells")
@click.argument("job_id", metavar="JOB")
@click.option("--datum", type=click.IntRange(0), help="The first one by default.")
@step_option
@json_option
@pass_context
def list_cells(
    context: CliContext, job_id: str, datum: int | None, step: str | None, as_json: bool
) -> None:
    """List the code cells of a datum's notebook with their states, also while it runs."""
    cells = context.lake.jobs.list_cells(job_id, position_of(datum, step) or 0)
    if as_json:
        print_json(cells)
    else:
        print_cells(cells)


def print_cells(cells: Sequence[ExecutedCell]) -> None:
    """Print the cells of an executed notebook, and the traceback of one that failed."""
    print_table(
        cells,
        [
            ("CELL", lambda cell: "" if cell.index is None else cell.index + 1),
            ("STATE", lambda cell: cell.state),
            ("SECONDS", lambda cell: "" if cell.seconds is None else f"{cell.seconds:.1f}"),
            ("BEGINS", lambda cell: cell.title),
            ("ERROR", lambda cell: cell.error),
        ],
        empty="There is no executed notebook: it has not begun, or its pipeline runs a command",
    )
    for cell in cells:
        for line in cell.traceback.splitlines():
            click.echo(f"  {printable(line)}")


@group.command("compare")
@click.argument("job_id", metavar="JOB")
@click.argument("other_id", metavar="OTHER")
@click.option("--all", "show_all", is_flag=True, help="Also what both have in common.")
@json_option
@pass_context
def compare(context: CliContext, job_id: str, other_id: str, show_all: bool, as_json: bool) -> None:
    """Show two jobs beside each other: code, parameters, inputs, output and times."""
    found = context.lake.jobs.compare(job_id, other_id)
    if as_json:
        print_json(found)
        return
    print_table(
        [one for one in found.values if show_all or not one.is_equal],
        [
            ("", lambda one: one.aspect),
            ("", lambda one: one.name),
            (f"{found.old.pipeline} #{found.old.number}", lambda one: _value(one.old)),
            (f"{found.new.pipeline} #{found.new.number}", lambda one: _value(one.new)),
        ],
        empty="Both were given the same, and the same came of it",
    )
    for title, changes in (("Code", found.code_changes), ("Output", found.output_changes)):
        if changes:
            click.echo(f"\n{title}:")
            print_changes(changes, empty="")
    if found.has_more:
        click.echo("… and more")


def _value(value: Any) -> str:
    """Return one value of a comparison as a cell of a table."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
