"""``datalake pipelines``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from jupyter_datalake.cli.context import (
    CliContext,
    confirm,
    default_mountpoint,
    json_option,
    limit_option,
    parse_pairs,
    pass_context,
)
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    size_text,
    time_text,
)
from jupyter_datalake.jobs.promote import Draft
from jupyter_datalake.model.datums import label_of
from jupyter_datalake.model.limits import HIGHEST_PRIORITY, LOWEST_PRIORITY
from jupyter_datalake.model.pipelines import (
    ChangeAction,
    InputWait,
    Pipeline,
    PipelineChange,
    repo_inputs,
)
from jupyter_datalake.model.schedules import DEFAULT_ZONE
from jupyter_datalake.model.text import printable
from jupyter_datalake.model.written_specs import spec_as_dict
from jupyter_datalake.pipelines.exporting import ExportFormat

_file_option = click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="The spec, YAML; its files are looked for beside it.",
)

_T = TypeVar("_T")
_P = ParamSpec("_P")


def _argument_options(command: Callable[_P, _T]) -> Callable[_P, _T]:
    """Add the options that give a template its arguments."""
    for option in (
        click.option(
            "--values",
            type=click.Path(path_type=Path),
            help="YAML file with arguments of the template; --set goes before it.",
        ),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            help="An argument of the template; may be repeated. A list has commas, or is JSON.",
        ),
    ):
        command = option(command)
    return command


def source_options(command: Callable[_P, _T]) -> Callable[_P, _T]:
    """Add the options that name a spec, or a template with its arguments."""
    command = _argument_options(command)
    for option in (
        click.option(
            "--template",
            type=click.Path(path_type=Path),
            help="A template, YAML, in place of a spec; its files are looked for beside it.",
        ),
        click.option(
            "-f",
            "--file",
            "path",
            type=click.Path(path_type=Path),
            help="The spec, YAML; its files are looked for beside it.",
        ),
    ):
        command = option(command)
    return command


def source_of(
    context: CliContext,
    path: Path | None,
    template: Path | None,
    settings: tuple[str, ...],
    values: Path | None,
) -> tuple[Path | dict[str, Any], Path | None]:
    """Return the spec that the options name, or make of a template, and the folder of its files."""
    if (path is None) == (template is None):
        raise click.UsageError("Name either a spec with --file, or a template with --template")
    if path is not None:
        if settings or values is not None:
            raise click.UsageError("Arguments are for a template, and --file names a spec")
        return path, None
    assert template is not None
    return _rendered(context, template, settings, values)


def _rendered(
    context: CliContext, template: Path, settings: tuple[str, ...], values: Path | None
) -> tuple[dict[str, Any], Path]:
    """Return the spec that a template makes, and the folder of its files."""
    # Not worth their time in every other command.
    from jupyter_datalake.pipelines.spec_files import read_yaml  # noqa: PLC0415
    from jupyter_datalake.pipelines.templating import Template  # noqa: PLC0415

    found = Template.load(template)
    given = {} if values is None else read_yaml(values)
    if not isinstance(given, dict):
        raise click.BadParameter(f"{str(values)!r} holds no map of arguments")
    given |= found.parse(parse_pairs(settings))
    return context.lake.pipelines.render(found, given), found.folder


_reprocess_option = click.option(
    "--reprocess", is_flag=True, help="Run every datum, also those that are known."
)
_priority_option = click.option(
    "--priority",
    type=click.IntRange(LOWEST_PRIORITY, HIGHEST_PRIORITY),
    help="How often these jobs have their turn; the pipeline's own by default.",
)


@click.group("pipelines")
def group() -> None:
    """Notebooks, commands and queries that run when their inputs change."""


@group.command("list")
@click.option("--group", "of_group", help="Of one group only, with those inside it.")
@limit_option(None)
@json_option
@pass_context
def list_pipelines(
    context: CliContext, of_group: str | None, limit: int | None, as_json: bool
) -> None:
    """List pipelines with their newest job."""
    pipelines = context.lake.pipelines.list(group=of_group, limit=limit)
    if as_json:
        print_json(pipelines)
        return
    latest = context.lake.jobs.latest_of_each()
    print_table(
        pipelines,
        [
            ("NAME", lambda one: one.name),
            ("STATE", lambda one: one.state),
            ("VERSION", lambda one: one.version),
            ("INPUTS", lambda one: ", ".join(given.repo for given in repo_inputs(one.spec))),
            ("LAST JOB", lambda one: latest[one.name].state if one.name in latest else ""),
            ("DESCRIPTION", lambda one: one.spec.description),
        ],
        empty="No pipelines yet. Create one: datalake pipelines create -f spec.yaml,"
        " or promote a notebook",
    )


@group.command("get")
@click.argument("name")
@json_option
@pass_context
def get(context: CliContext, name: str, as_json: bool) -> None:
    """Show one pipeline and its spec."""
    pipeline = context.lake.pipelines.get(name)
    if as_json:
        print_json(pipeline)
        return
    print_fields(
        [
            ("name", pipeline.name),
            ("state", pipeline.state),
            ("version", pipeline.version),
            ("published", f"{time_text(pipeline.updated_at)} by {pipeline.created_by}"),
            ("code", f"{pipeline.spec.code_repo}@{pipeline.code_commit_id}"),
            *[("waits", _waiting(one)) for one in context.lake.pipelines.waits(name)],
        ]
    )
    click.echo()
    click.echo(_yaml(spec_as_dict(pipeline.spec)))


def _published(pipeline: Pipeline, as_json: bool) -> None:
    if as_json:
        print_json(pipeline)
    else:
        click.echo(f"Published {pipeline.name} v{pipeline.version}")


@group.command("create")
@source_options
@json_option
@pass_context
def create(
    context: CliContext,
    path: Path | None,
    template: Path | None,
    settings: tuple[str, ...],
    values: Path | None,
    as_json: bool,
) -> None:
    """Publish a new pipeline; it runs at once where its inputs hold data."""
    spec, folder = source_of(context, path, template, settings, values)
    _published(context.lake.pipelines.create(spec, folder=folder), as_json)


@group.command("update")
@source_options
@click.option("--keep-files", is_flag=True, help="Take its files as they were published last.")
@click.option("--upgrade", is_flag=True, help="Take newer packages into its environment.")
@json_option
@pass_context
def update(
    context: CliContext,
    path: Path | None,
    template: Path | None,
    settings: tuple[str, ...],
    values: Path | None,
    keep_files: bool,
    upgrade: bool,
    as_json: bool,
) -> None:
    """Publish the next version of a pipeline."""
    spec, folder = source_of(context, path, template, settings, values)
    updated = context.lake.pipelines.update(
        spec, folder=folder, keep_files=keep_files, upgrade=upgrade
    )
    _published(updated, as_json)


@group.command("render")
@click.argument("template", type=click.Path(path_type=Path))
@_argument_options
@json_option
@pass_context
def render(
    context: CliContext,
    template: Path,
    settings: tuple[str, ...],
    values: Path | None,
    as_json: bool,
) -> None:
    """Print the spec that a template makes of arguments."""
    spec, _ = _rendered(context, template, settings, values)
    if as_json:
        print_json(spec)
    else:
        click.echo(_yaml(spec))


@group.command("get-template-schema")
@click.argument("template", type=click.Path(path_type=Path))
@json_option
@pass_context
def get_template_schema(context: CliContext, template: Path, as_json: bool) -> None:
    """Print the JSON Schema of a template's arguments."""
    print_json(context.lake.pipelines.get_template_schema(template))


_place_option = click.option(
    "-f",
    "--file",
    "place",
    type=click.Path(path_type=Path),
    required=True,
    help="A file of specs, or a folder: its YAML files with a key 'pipeline' are specs.",
)
_prune_option = click.option(
    "--prune", is_flag=True, help="Pipelines that the folder does not declare go."
)


@group.command("apply")
@_place_option
@_prune_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def apply(context: CliContext, place: Path, prune: bool, yes: bool, as_json: bool) -> None:
    """Create a pipeline, or update it if it exists; all that a folder or a file declares."""
    if prune and not place.is_dir():
        raise click.UsageError("--prune needs a folder, which declares all pipelines")
    changes = context.lake.pipelines.diff(place, prune=prune)
    if not place.is_dir() and len(changes) == 1:
        _published(context.lake.pipelines.apply(place), as_json)
        return
    if any(one.action is not ChangeAction.UNCHANGED for one in changes):
        if not as_json:
            _print_changes(changes)
        confirm("Do this?", yes=yes)
        changes = context.lake.pipelines.apply_all(place, prune=prune)
    if as_json:
        print_json(changes)
    else:
        click.echo(_count_text(changes))


@group.command("diff")
@_place_option
@_prune_option
@json_option
@pass_context
def diff(context: CliContext, place: Path, prune: bool, as_json: bool) -> None:
    """Show what 'apply' would do; nothing is changed."""
    changes = context.lake.pipelines.diff(place, prune=prune)
    if as_json:
        print_json(changes)
        return
    _print_changes(changes)
    click.echo(_count_text(changes))


def _print_changes(changes: Sequence[PipelineChange]) -> None:
    has_templates = any(one.template for one in changes)
    print_table(
        changes,
        [
            ("", lambda one: one.action),
            ("PIPELINE", lambda one: one.pipeline),
            *([("TEMPLATE", lambda one: printable(one.template))] if has_templates else []),
            ("WHAT DIFFERS", lambda one: printable(", ".join(one.differs))),
        ],
        empty="No pipelines are declared there",
    )


def _count_text(changes: Sequence[PipelineChange]) -> str:
    counts = Counter(str(one.action) for one in changes)
    return ", ".join(f"{counts[str(one)]} {one}" for one in ChangeAction)


@group.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def delete(context: CliContext, name: str, yes: bool, as_json: bool) -> None:
    """Remove a pipeline with its jobs; its output stays."""
    context.lake.pipelines.get(name)
    confirm(f"Remove pipeline {name} with its jobs?", yes=yes)
    context.lake.pipelines.delete(name)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Removed pipeline {name}")


@group.command("pause")
@click.argument("name")
@json_option
@pass_context
def pause(context: CliContext, name: str, as_json: bool) -> None:
    """Let a pipeline take up no new work."""
    pipeline = context.lake.pipelines.pause(name)
    if as_json:
        print_json(pipeline)
    else:
        click.echo(f"Paused {name}")


@group.command("resume")
@click.argument("name")
@json_option
@pass_context
def resume(context: CliContext, name: str, as_json: bool) -> None:
    """Let a pipeline take up work again."""
    pipeline = context.lake.pipelines.resume(name)
    if as_json:
        print_json(pipeline)
    else:
        click.echo(f"Resumed {name}")


@group.command("list-groups")
@json_option
@pass_context
def list_groups(context: CliContext, as_json: bool) -> None:
    """List the groups of pipelines, each with what is in the groups inside it."""
    groups = context.lake.pipelines.list_groups()
    if as_json:
        print_json(groups)
        return
    print_table(
        groups,
        [
            ("GROUP", lambda one: one.name),
            ("PIPELINES", lambda one: len(one.pipelines)),
            ("PAUSED", lambda one: one.paused_count or ""),
            (
                "NEWEST JOBS",
                lambda one: ", ".join(f"{count} {state}" for state, count in one.latest.items()),
            ),
            ("LIMIT", lambda one: one.limit or ""),
        ],
        empty="No groups. A spec says its own: 'group: etl/daily'",
    )


@group.command("pause-group")
@click.argument("of_group", metavar="GROUP")
@json_option
@pass_context
def pause_group(context: CliContext, of_group: str, as_json: bool) -> None:
    """Let all pipelines of a group take up no new work."""
    paused = context.lake.pipelines.pause_group(of_group)
    if as_json:
        print_json(paused)
    else:
        click.echo(f"Paused {', '.join(one.name for one in paused)}")


@group.command("resume-group")
@click.argument("of_group", metavar="GROUP")
@json_option
@pass_context
def resume_group(context: CliContext, of_group: str, as_json: bool) -> None:
    """Let all pipelines of a group take up work again."""
    resumed = context.lake.pipelines.resume_group(of_group)
    if as_json:
        print_json(resumed)
    else:
        click.echo(f"Resumed {', '.join(one.name for one in resumed)}")


@group.command("run-group")
@click.argument("of_group", metavar="GROUP")
@_reprocess_option
@_priority_option
@json_option
@pass_context
def run_group(
    context: CliContext, of_group: str, reprocess: bool, priority: int | None, as_json: bool
) -> None:
    """Run all pipelines of a group now, under one global id."""
    global_id = context.lake.pipelines.run_group(of_group, reprocess=reprocess, priority=priority)
    if as_json:
        print_json({"global_id": global_id})
    else:
        click.echo(f"Started {global_id}. Wait for it: datalake jobs wait {global_id[:12]}")


@group.command("run")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_reprocess_option
@_priority_option
@json_option
@pass_context
def run(
    context: CliContext,
    names: tuple[str, ...],
    reprocess: bool,
    priority: int | None,
    as_json: bool,
) -> None:
    """Tick the clocks of pipelines, or run them over their inputs as they are."""
    global_id = context.lake.pipelines.run(*names, reprocess=reprocess, priority=priority)
    if as_json:
        print_json({"global_id": global_id})
    else:
        click.echo(f"Started {global_id}. Wait for it: datalake jobs wait {global_id[:12]}")


@group.command("backfill")
@click.argument("name")
@click.option("--from", "start", required=True, help="A day or a time; for commits also a ref.")
@click.option("--to", "end", required=True, help="The last one; both belong to the range.")
@click.option("--input", "input_name", help="The input to go over, where there are several.")
@click.option("--dry-run", is_flag=True, help="Only list what would be gone over.")
@_reprocess_option
@_priority_option
@json_option
@pass_context
def backfill(
    context: CliContext,
    name: str,
    start: str,
    end: str,
    input_name: str | None,
    dry_run: bool,
    reprocess: bool,
    priority: int | None,
    as_json: bool,
) -> None:
    """Run a pipeline over the past: a job for each commit of an input, or for each tick."""
    made = context.lake.pipelines.backfill(
        name,
        start,
        end,
        input_name=input_name,
        reprocess=reprocess,
        priority=priority,
        dry_run=dry_run,
    )
    if as_json:
        print_json(made)
        return
    print_table(
        made.steps,
        [
            ("AT", lambda step: time_text(step.at)),
            ("COMMIT", lambda step: id_text(step.commit_id)),
            ("MESSAGE", lambda step: printable(step.message)),
        ],
        empty="Nothing lies in this range",
    )
    if made.global_ids:
        click.echo(f"Started {len(made.global_ids)} jobs; the last is over what is there now")
        click.echo(f"Wait for them: datalake jobs wait {made.global_ids[-1][:12]}")


@group.command("write")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "-f",
    "--file",
    "place",
    type=click.Path(path_type=Path),
    required=True,
    help="A YAML file that is not there yet; notebooks and other files go beside it.",
)
@click.option("--connected", is_flag=True, help="Also what they read, and what reads them.")
@json_option
@pass_context
def write(
    context: CliContext, names: tuple[str, ...], place: Path, connected: bool, as_json: bool
) -> None:
    """Write pipelines to a file of specs, with their code beside it, for 'apply' to read."""
    written = context.lake.pipelines.write(names, place, connected=connected)
    if as_json:
        print_json([str(path) for path in written])
        return
    for path in written:
        click.echo(f"Wrote {path}")
    if not written:
        click.echo("All of it is there already")


@group.command("export")
@click.argument("name")
@click.option(
    "--to", type=click.Choice([str(one) for one in ExportFormat]), required=True, help="For whom."
)
@click.option("--image", help="For Kubernetes: an image in which datalake is installed.")
@click.option("--env-from", help="For Kubernetes: a Secret that holds environment variables.")
@json_option
@pass_context
def export(
    context: CliContext, name: str, to: str, image: str | None, env_from: str | None, as_json: bool
) -> None:
    """Print a pipeline as an Airflow DAG or a Kubernetes manifest."""
    text = context.lake.pipelines.export(name, to, image=image, secret=env_from)
    if as_json:
        print_json({"text": text})
    else:
        click.echo(text, nl=False)


@group.command("list-slots")
@json_option
@pass_context
def list_slots(context: CliContext, as_json: bool) -> None:
    """List how much there is of what datums hold; 'jobs' is how many are at work at once."""
    limits = context.lake.pipelines.list_slots()
    if as_json:
        print_json(limits)
        return
    print_table(
        limits,
        [("RESOURCE", lambda one: one.name), ("COUNT", lambda one: one.count)],
        empty="No limits",
    )


@group.command("set-slots")
@click.argument("resource")
@click.argument("count", type=int)
@json_option
@pass_context
def set_slots(context: CliContext, resource: str, count: int, as_json: bool) -> None:
    """Say how much there is of RESOURCE, which specs name under 'resources: {slots: …}'.

    Of 'jobs', how many are at work at once; of 'group/etl', how many of that group.
    """
    limit = context.lake.pipelines.set_slots(resource, count)
    if as_json:
        print_json(limit)
    else:
        click.echo(f"There are {limit.count} of {limit.name}")


@group.command("delete-slots")
@click.argument("resource")
@json_option
@pass_context
def delete_slots(context: CliContext, resource: str, as_json: bool) -> None:
    """Forget RESOURCE; 'jobs' gets its default back."""
    context.lake.pipelines.delete_slots(resource)
    if as_json:
        print_json({"deleted": resource})
    else:
        click.echo(f"Forgot the limit of {resource}")


@group.command("preview")
@_file_option
@click.option(
    "--after",
    type=click.IntRange(0),
    default=None,
    help="Only datums behind the one of this number: the last one of the page before.",
)
@limit_option(100)
@json_option
@pass_context
def preview(context: CliContext, path: Path, after: int | None, limit: int, as_json: bool) -> None:
    """List the datums that a spec makes, in their order; the pipeline need not exist."""
    seen = -1 if after is None else after
    datums, has_more = context.lake.pipelines.preview(path, after=seen, limit=limit)
    if as_json:
        print_json({"datums": datums, "has_more": has_more})
        return
    print_table(
        enumerate(datums, seen + 1),
        [("DATUM", lambda row: row[0]), ("INPUTS", lambda row: label_of(row[1]))],
        empty="No datums: the globs match nothing in the inputs' heads"
        if after is None
        else "No more datums",
    )
    if has_more:
        click.echo(f"… and more: --after {seen + len(datums)}")


@group.command("preview-schedule")
@click.argument("schedule")
@click.option("--zone", default=DEFAULT_ZONE, help="Time zone whose wall clock it is read by.")
@click.option("--after", default=None, help="Only ticks behind this time; from now on by default.")
@limit_option(3)
@json_option
@pass_context
def preview_schedule(
    context: CliContext, schedule: str, zone: str, after: str | None, limit: int, as_json: bool
) -> None:
    """Show when a schedule ticks next: '@every 24h', '@daily', or '0 6 * * MON-FRI'."""
    ticks = context.lake.pipelines.preview_schedule(schedule, zone=zone, after=after, limit=limit)
    if as_json:
        print_json(ticks)
        return
    print_table(
        ticks,
        [
            (printable(zone), lambda one: one.local),
            ("UTC", lambda one: f"{one.at:%Y-%m-%dT%H:%M:%SZ}"),
            ("", lambda one: "the clock leaves its time out" if one.is_moved else ""),
        ],
        empty="No ticks",
    )


@group.command("plan")
@click.argument("name")
@json_option
@pass_context
def plan(context: CliContext, name: str, as_json: bool) -> None:
    """Show what would run now, and why; nothing is changed."""
    explained = context.lake.pipelines.plan(name)
    if as_json:
        print_json(explained)
        return
    print_table(
        explained,
        [
            ("", lambda one: "run" if one.runs else "skip"),
            ("DATUM", lambda one: one.label),
            ("WHY", lambda one: one.reason),
        ],
        empty="No datums: the inputs hold nothing that the globs match",
    )
    for one in context.lake.pipelines.waits(name):
        click.echo(f"It waits: {_waiting(one)}")


@group.command("promote")
@click.argument(
    "notebooks", metavar="NOTEBOOK...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--at", default=default_mountpoint, help="Where the lake is mounted.")
@click.option(
    "--write", is_flag=True, help="Write each spec beside its notebook, as <pipeline>.yaml."
)
@json_option
@pass_context
def promote(
    context: CliContext, notebooks: tuple[Path, ...], at: str | None, write: bool, as_json: bool
) -> None:
    """Print the drafts of pipelines that run notebooks; save them, look at them, create them.

    Several notebooks become pipelines that feed each other, as they read what others write.
    """
    drafts = context.lake.pipelines.promote_all(notebooks, mountpoint=at)
    if as_json:
        print_json(drafts if len(drafts) > 1 else drafts[0])
        return
    texts = [_draft_text(draft) for draft in drafts]
    if not write:
        click.echo("\n---\n".join(texts))
        return
    places = [
        Path(draft.notebook).with_name(f"{draft.spec['pipeline'].replace('/', '-')}.yaml")
        for draft in drafts
    ]
    for place in places:
        if place.exists():
            raise click.UsageError(f"There is a file {str(place)!r} already: move it away first")
    for place, text in zip(places, texts, strict=True):
        place.write_text(f"{text}\n")
        click.echo(f"Wrote {place}")


def _draft_text(draft: Draft) -> str:
    lines = [f"# {note}" for note in draft.notes]
    for place in draft.places:
        where = printable(f"{place.repo}@{place.branch}/{place.path}")
        lines.append(f"# {place.role}: {where} ({', '.join(place.sources)})")
    return "\n".join([*lines, _yaml(draft.spec)])


@group.command("get-schema")
@json_option
@pass_context
def get_schema(context: CliContext, as_json: bool) -> None:
    """Print the JSON Schema of specs."""
    print_json(context.lake.pipelines.get_schema())


def _waiting(one: InputWait) -> str:
    """Return what an input's trigger waits for, as people read it."""
    trigger, found = one.trigger, []
    if trigger.commits is not None:
        found.append(f"{one.commits:,} of {trigger.commits:,} commits")
    if trigger.size_bytes is not None:
        found.append(f"{size_text(one.size_bytes or 0)} of {size_text(trigger.size_bytes)}")
    if trigger.schedule:
        is_due = one.since is not None and one.next_tick is None
        ticked = "which has come" if is_due else f"next {time_text(one.next_tick)}"
        found.append(f"a tick of {trigger.schedule}, {ticked}")
    text = (" and " if trigger.needs_all else " or ").join(found)
    return f"{one.repo}@{one.branch}: {text}" + ("" if one.commits else "; nothing came in yet")


def _yaml(spec: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415  # not worth its time in every other command

    text: str = yaml.safe_dump(spec, sort_keys=False)
    return text.rstrip()
