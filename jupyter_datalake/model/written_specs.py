"""The written form of pipelines that are there: `PipelineSpec` to the document that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyter_datalake.model.expectations import Expectation
from jupyter_datalake.model.ids import variable_name
from jupyter_datalake.model.notification_rules import channel_as_dict
from jupyter_datalake.model.notifications import NotifyRule
from jupyter_datalake.model.pipelines import (
    COMBINATIONS,
    DEFAULT_BACKOFF_S,
    DEFAULT_KERNEL,
    BranchTrigger,
    CommandCode,
    CronInput,
    DatumPolicy,
    Input,
    JobStep,
    NotebookCode,
    OnError,
    Packages,
    PipelineSpec,
    QueryCode,
    RepoInput,
)
from jupyter_datalake.model.schedules import DEFAULT_ZONE, CatchUp
from jupyter_datalake.model.spec_values import duration_text


def _trigger_as_dict(trigger: BranchTrigger) -> dict[str, Any]:
    return {
        **({} if trigger.commits is None else {"commits": trigger.commits}),
        **({} if trigger.size_bytes is None else {"size": f"{trigger.size_bytes}B"}),
        **({"cron": trigger.schedule} if trigger.schedule else {}),
        **({} if trigger.zone == DEFAULT_ZONE else {"zone": trigger.zone}),
        **({"all": True} if trigger.needs_all else {}),
    }


def _step_as_dict(step: JobStep) -> dict[str, Any]:
    match step.code:
        case NotebookCode(path):
            code: dict[str, Any] = {"notebook": path}
        case CommandCode(argv):
            code = {"command": list(argv)}
    return {**code, "timeout": duration_text(step.timeout_s)}


def _resources_as_dict(spec: PipelineSpec) -> dict[str, Any]:
    limits, placement = spec.limits, spec.placement
    return {
        **({"slots": spec.slots} if spec.slots else {}),
        **({} if limits.memory_bytes is None else {"memory": f"{limits.memory_bytes}B"}),
        **({} if limits.cpu_s is None else {"cpu_time": duration_text(limits.cpu_s)}),
        **({} if limits.output_bytes is None else {"output": f"{limits.output_bytes}B"}),
        **({} if placement.cpus is None else {"cpu": placement.cpus}),
        **({} if placement.gpus is None else {"gpu": placement.gpus}),
        **({"labels": list(placement.labels)} if placement.labels else {}),
    }


def _expectation_as_dict(one: Expectation) -> dict[str, Any]:
    rows = {"min": one.min_rows, "max": one.max_rows}
    ranges = {
        name: {
            word: bound
            for word, bound in (("min", given.minimum), ("max", given.maximum))
            if bound is not None
        }
        for name, given in one.ranges.items()
    }
    whole: dict[str, Any] = {
        "files": one.files,
        "columns": one.columns,
        "rows": {word: count for word, count in rows.items() if count is not None},
        "not_null": list(one.not_null),
        "unique": list(one.unique),
        "ranges": ranges,
        "python": one.python,
        "optional": one.is_optional,
        "on_violation": "warn" if one.only_warns else "",
    }
    return {key: value for key, value in whole.items() if value}


def rules_as_list(rules: Iterable[NotifyRule]) -> list[dict[str, Any]]:
    """Return the list that `parse_rules` turns into equal rules."""
    return [
        {
            "on": [str(one) for one in rule.on],
            **({} if rule.after_s is None else {"after": duration_text(rule.after_s)}),
            **channel_as_dict(rule.channel),
        }
        for rule in rules
    ]


def _packages_as_dict(packages: Packages | None) -> dict[str, Any]:
    if packages is None:
        return {}
    return {
        "requirements": packages.file or list(packages.requirements),
        **({"python": packages.python} if packages.python else {}),
    }


def spec_as_dict(spec: PipelineSpec) -> dict[str, Any]:
    """Return the document that `parse_spec` turns into an equal pipeline; defaults left out."""
    raw: dict[str, Any] = {"pipeline": spec.name}
    if spec.description:
        raw["description"] = spec.description
    if spec.group:
        raw["group"] = spec.group
    if spec.input is not None:
        raw["input"] = input_as_dict(spec.input)
    match spec.code:
        case NotebookCode(path):
            raw["notebook"] = path
        case CommandCode(argv):
            raw["command"] = list(argv)
        case QueryCode(ingest):
            raw["ingest"] = {
                "connection": ingest.connection,
                "query": ingest.query,
                "output": ingest.output,
                "format": str(ingest.format),
            }
            if ingest.partition_by:
                raw["ingest"]["partition_by"] = ingest.partition_by
    if spec.parameters:
        raw["parameters"] = spec.parameters
    if spec.files:
        raw["files"] = list(spec.files)
    if spec.paths:
        raw["paths"] = dict(spec.paths)
    environment = {
        **({} if spec.kernel == DEFAULT_KERNEL else {"kernel": spec.kernel}),
        **({} if spec.fork else {"fork": False}),
        **_packages_as_dict(spec.packages),
    }
    if environment:
        raw["environment"] = environment
    if spec.datums != DatumPolicy():
        raw["datums"] = {
            "tries": spec.datums.tries,
            "timeout": duration_text(spec.datums.timeout_s),
            **({} if spec.datums.batch is None else {"batch": spec.datums.batch}),
            **_on_error_as_dict(spec.datums),
        }
    if spec.parallelism is not None:
        raw["parallelism"] = spec.parallelism
    if spec.timeout_s is not None:
        raw["timeout"] = duration_text(spec.timeout_s)
    if spec.priority:
        raw["priority"] = spec.priority
    if spec.executor is not None:
        raw["executor"] = str(spec.executor)
    if resources := _resources_as_dict(spec):
        raw["resources"] = resources
    if spec.on_start is not None:
        raw["on_start"] = _step_as_dict(spec.on_start)
    if spec.finally_ is not None:
        raw["finally"] = _step_as_dict(spec.finally_)
    if spec.expectations:
        raw["expectations"] = [_expectation_as_dict(one) for one in spec.expectations]
    if spec.notify is not None:
        raw["notify"] = rules_as_list(spec.notify)
    if spec.egress is not None:
        raw["egress"] = {
            "connection": spec.egress.connection,
            "table": spec.egress.table,
            "mode": str(spec.egress.mode),
            **({"key": list(spec.egress.key)} if spec.egress.key else {}),
            "files": spec.egress.files,
        }
    return raw


def _on_error_as_dict(policy: DatumPolicy) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    if policy.keep_failed_s is not None:
        raw["keep_failed"] = duration_text(policy.keep_failed_s)
    if policy.backoff_s != DEFAULT_BACKOFF_S:
        raw["backoff"] = duration_text(policy.backoff_s)
    if policy.on_error is OnError.RECOVER:
        raw["on_error"] = {"recover": list(policy.recover)}
    elif policy.on_error is not OnError.FAIL:
        raw["on_error"] = str(policy.on_error)
    return raw


def input_as_dict(given: Input) -> dict[str, Any]:
    """Return the part of a spec that says an input."""
    match given:
        case RepoInput():
            raw: dict[str, Any] = {"name": given.repo, "branch": given.branch}
            excluded = [f"!{one}" for one in given.exclude]
            raw["glob"] = [given.glob, *excluded] if excluded else given.glob
            if given.name != variable_name(given.repo):
                raw["as"] = given.name
            if given.on:
                raw["on"] = given.on
            if given.is_outer:
                raw["outer"] = True
            if given.by:
                raw["by"] = given.by
            if given.is_empty:
                raw["empty_files"] = True
            if given.gives_match:
                raw["give"] = "match"
            if given.is_lazy:
                raw["lazy"] = True
            if given.trigger is not None:
                raw["trigger"] = _trigger_as_dict(given.trigger)
            return {"repo": raw}
        case CronInput():
            return {
                "cron": {
                    "name": given.name,
                    "schedule": given.schedule,
                    **({} if given.zone == DEFAULT_ZONE else {"zone": given.zone}),
                    **({} if given.catch_up is CatchUp.ONE else {"catch_up": str(given.catch_up)}),
                }
            }
    kind = next(name for name, kind in COMBINATIONS.items() if isinstance(given, kind))
    return {kind: [input_as_dict(one) for one in given.inputs]}
