"""The written form of a pipeline: its JSON Schema, and conversion to and from `PipelineSpec`.

The schema is published (``docs/reference/pipeline.schema.json`` and REST ``getPipelineSchema``),
so editors complete and check specs as they are typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError
from jupyter_datalake.model.algebra import MisfitError, check_algebra
from jupyter_datalake.model.expectations import Expectation, Range, check_of
from jupyter_datalake.model.globs import check_references, parse_glob
from jupyter_datalake.model.groups import GROUP_PATTERN
from jupyter_datalake.model.ids import (
    INPUT_PATTERN,
    REPO_COMPONENT,
    REPO_PATTERN,
    check_input_name,
    check_ref_name,
    check_repo_name,
    is_variable,
)
from jupyter_datalake.model.limits import (
    HIGHEST_PRIORITY,
    JOBS_LIMIT,
    LOWEST_PRIORITY,
    MAX_LIMIT,
    RESOURCE_PATTERN,
)
from jupyter_datalake.model.notification_rules import (
    GRAMMAR,
    RULES_SCHEMA,
    channel_as_dict,
    parse_rule,
)
from jupyter_datalake.model.notifications import NotifyRule
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.pipelines import (
    CODE_SUFFIX,
    COMBINATIONS,
    DEFAULT_BACKOFF_S,
    DEFAULT_KERNEL,
    DEFAULT_STEP_TIMEOUT_S,
    DEFAULT_TIMEOUT_S,
    DEFAULT_TRIES,
    BranchTrigger,
    Code,
    CommandCode,
    CronInput,
    DatumLimits,
    DatumPolicy,
    ExecutorKind,
    Input,
    JobStep,
    NotebookCode,
    OnError,
    Packages,
    PipelineSpec,
    Placement,
    QueryCode,
    RepoInput,
    iter_leaves,
    keyed_inputs,
    repo_inputs,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.schedules import (
    DEFAULT_ZONE,
    CatchUp,
    find_zone,
    parse_schedule,
)
from jupyter_datalake.model.shown_paths import parse_shown, parse_target
from jupyter_datalake.model.warehouse import (
    EgressMode,
    EgressSpec,
    IngestSpec,
    TableFormat,
    check_connection_name,
)

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

T = TypeVar("T")

_NAME: dict[str, Any] = {"type": "string", "pattern": f"^{REPO_COMPONENT}(/{REPO_COMPONENT})?$"}
_VARIABLE: dict[str, Any] = {"type": "string", "pattern": f"^{INPUT_PATTERN.pattern}$"}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_DURATION: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$",
    "description": "A number and a unit: ms, s, m, h or d.",
}


_SIZE = r"^([0-9]{1,15}(?:\.[0-9]{1,3})?)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
_BYTES = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGT", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
_CHECK = r"^[^:]+\.py::[A-Za-z_][A-Za-z0-9_]*$"
_GLOB: dict[str, Any] = {"type": "string", "pattern": "^/"}
_KINDS = f"repo, cron, {', '.join(COMBINATIONS)}"


def _several(description: str) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 2,
        "items": {"$ref": "#/$defs/input"},
        "description": description,
    }


_SIZE_TEXT: dict[str, Any] = {"type": "string", "pattern": _SIZE}


def _object(description: str, required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def _step(description: str) -> dict[str, Any]:
    return {
        **_object(
            f"{description} Exactly one of command and notebook.",
            [],
            {
                "command": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                "notebook": {"type": "string", "minLength": 1},
                "timeout": {**_DURATION, "default": "10m"},
            },
        ),
    }


PIPELINE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://jupyter-datalake.readthedocs.io/schemas/pipeline/v1.json",
    "title": "jupyter_datalake pipeline",
    **_object(
        "A notebook, command or query, its inputs, and how it runs.",
        ["pipeline"],
        {
            "pipeline": {**_NAME, "description": "Name; the output repo has the same."},
            "description": {"type": "string"},
            "group": {
                "type": "string",
                "pattern": f"^{GROUP_PATTERN.pattern}$",
                "description": "What it is looked at and acted on together with, such as"
                " etl/daily.",
            },
            "input": {
                "if": {"type": "string"},
                "then": {"const": "none"},
                "else": {"$ref": "#/$defs/input"},
                "description": "What it reads; left out or none for what reads nothing.",
            },
            "notebook": {
                "type": "string",
                "minLength": 1,
                "description": "Path of a notebook, relative to the spec.",
            },
            "command": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
                "description": "A program and its arguments; no shell in between.",
            },
            "ingest": _object(
                "A query whose rows become files of the output repo.",
                ["connection"],
                {
                    "connection": _TEXT,
                    "query": _TEXT,
                    "query_file": {
                        "type": "string",
                        "description": "In a YAML file, instead of query: a file that holds it,"
                        " relative to the spec.",
                    },
                    "output": {"type": "string", "default": "/data.parquet"},
                    "format": {"enum": [str(one) for one in TableFormat], "default": "parquet"},
                    "partition_by": {
                        **_TEXT,
                        "description": "Column; each of its values gets a folder of its own.",
                    },
                },
            ),
            "parameters": {
                "type": "object",
                "propertyNames": _VARIABLE,
                "description": "Values for the notebook's parameters cell.",
            },
            "paths": {
                "type": "object",
                "description": "Where the code finds inputs and 'out' besides: paths relative to"
                " its working directory, to the name of an input or 'out', or what is below that.",
                "additionalProperties": _TEXT,
            },
            "files": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "description": "Helper files the code needs beside it, relative to the spec.",
            },
            "environment": _object(
                "What the code runs in.",
                [],
                {
                    "kernel": {**_TEXT, "default": DEFAULT_KERNEL},
                    "fork": {
                        "type": "boolean",
                        "default": True,
                        "description": "Whether Python kernels are forked off a process that has"
                        " imported what the notebook imports; else each datum starts one.",
                    },
                    "requirements": {
                        "if": {"type": "array"},
                        "then": {"items": _TEXT},
                        "else": _TEXT,
                        "description": "Packages of an environment of its own, built by uv: a list,"
                        " or the path of a requirements file, relative to the spec.",
                    },
                    "python": {
                        "type": "string",
                        "pattern": r"^3\.[0-9]{1,2}$",
                        "description": "Its Python, such as 3.12; that of the publisher without.",
                    },
                },
            ),
            "datums": _object(
                "How one datum is tried.",
                [],
                {
                    "tries": {"type": "integer", "minimum": 1, "default": DEFAULT_TRIES},
                    "timeout": {**_DURATION, "default": "1h"},
                    "backoff": {
                        **_DURATION,
                        "default": "500ms",
                        "description": "Before the second try; twice as long before each further"
                        " one, up to a minute.",
                    },
                    "keep_failed": {
                        **_DURATION,
                        "description": "How long the kernel of a notebook that failed its last try"
                        " is kept, with its variables, to go on in; a day at most.",
                    },
                    "on_error": {
                        "description": "What becomes of a datum that failed its last try: it fails"
                        " the job, is left out, or a command makes its output.",
                        "default": "fail",
                        "anyOf": [
                            {"enum": ["fail", "skip"]},
                            _object(
                                "Make the output of datums that failed.",
                                ["recover"],
                                {
                                    "recover": {
                                        "type": "array",
                                        "minItems": 1,
                                        "items": {"type": "string"},
                                        "description": "A program and its arguments; why the datum"
                                        " failed is in $DATALAKE_ERROR.",
                                    }
                                },
                            ),
                        ],
                    },
                    "batch": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "So many datums at most are given to one run of the code,"
                        " which sees a list in place of each input.",
                    },
                },
            ),
            "parallelism": {
                "type": "integer",
                "minimum": 1,
                "description": "Datums of one job run at once.",
            },
            "timeout": {
                **_DURATION,
                "description": "How long a job may run, from its first datum to its commit; as long"
                " as it takes without it.",
            },
            "priority": {
                "type": "integer",
                "minimum": LOWEST_PRIORITY,
                "maximum": HIGHEST_PRIORITY,
                "default": 0,
                "description": "How often its jobs have their turn; ten steps are worth ten times.",
            },
            "executor": {
                "enum": [str(one) for one in ExecutorKind],
                "description": "Where datums run; as the controller was told when left out.",
            },
            "resources": _object(
                "What a datum holds while it runs.",
                [],
                {
                    "slots": {
                        "type": "object",
                        "propertyNames": {
                            "type": "string",
                            "pattern": f"^{RESOURCE_PATTERN.pattern}$",
                        },
                        "additionalProperties": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": MAX_LIMIT,
                        },
                        "description": "How much of each resource; 'datalake pipelines"
                        " set-slots' says how much there is.",
                    },
                    "memory": {
                        **_SIZE_TEXT,
                        "description": "Memory of all processes of a datum together; one that takes"
                        " more is ended. On Dask workers that say how much they have, so much of"
                        " it is taken.",
                    },
                    "cpu": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "description": "On Dask workers that say how many processors they have, so"
                        " many are taken; 1 when left out.",
                    },
                    "gpu": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "description": "Only Dask workers that have so many GPUs free run it.",
                    },
                    "labels": {
                        "type": "array",
                        "items": {"type": "string", "pattern": f"^{RESOURCE_PATTERN.pattern}$"},
                        "description": "Only Dask workers that have all of these run it.",
                    },
                    "cpu_time": {
                        **_DURATION,
                        "description": "Processor time of all processes of a datum together.",
                    },
                    "output": {
                        **_SIZE_TEXT,
                        "description": "Size of all files that a datum writes.",
                    },
                },
            ),
            "on_start": _step(
                "What a job runs before its datums; where it fails, none of them runs."
            ),
            "finally": _step(
                "What a job that began runs at its end, also when it failed or was cancelled."
            ),
            "expectations": {
                "type": "array",
                "description": "What the output must be before it is committed to main; what is"
                " not goes to the branch quarantine, and the job fails.",
                "items": _object(
                    "What is expected of some files; as tables, of all their rows together.",
                    [],
                    {
                        "files": {"type": "string", "pattern": "^/", "default": "/**"},
                        "columns": {
                            "description": "Names of columns, or a map of them to their types as"
                            " Arrow calls them.",
                            "anyOf": [
                                {"type": "array", "items": _TEXT},
                                {"type": "object", "additionalProperties": {"type": "string"}},
                            ],
                        },
                        "rows": _object(
                            "How many there may be.",
                            [],
                            {
                                "min": {"type": "integer", "minimum": 0},
                                "max": {"type": "integer", "minimum": 0},
                            },
                        ),
                        "not_null": {"type": "array", "items": _TEXT},
                        "unique": {
                            "type": "array",
                            "items": _TEXT,
                            "description": "Columns that name a row together.",
                        },
                        "ranges": {
                            "type": "object",
                            "description": "Columns to what their values lie between, both ends"
                            " included: numbers, or text for dates and times.",
                            "additionalProperties": _object(
                                "What values lie between.",
                                [],
                                {
                                    "min": {"type": ["number", "string"]},
                                    "max": {"type": ["number", "string"]},
                                },
                            ),
                        },
                        "python": {
                            "type": "string",
                            "pattern": _CHECK,
                            "description": "A function, such as checks.py::is_sorted, that gets a"
                            " folder with these files and returns or raises what is wrong.",
                        },
                        "optional": {
                            "type": "boolean",
                            "default": False,
                            "description": "Whether there may be no such file.",
                        },
                        "on_violation": {"enum": ["fail", "warn"], "default": "fail"},
                    },
                ),
            },
            "notify": RULES_SCHEMA,
            "egress": _object(
                "Files of the output commit whose rows go into a table.",
                ["connection", "table"],
                {
                    "connection": _TEXT,
                    "table": _TEXT,
                    "mode": {"enum": [str(one) for one in EgressMode], "default": "append"},
                    "key": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    "files": {"type": "string", "default": "/**"},
                },
            ),
        },
    ),
    "oneOf": [
        {"required": ["notebook"]},
        {"required": ["command"]},
        {"required": ["ingest"]},
    ],
    "$defs": {
        "input": {
            "type": "object",
            "description": f"Exactly one of {_KINDS}.",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "repo": _object(
                    "A branch, cut into datums by a glob.",
                    ["name", "glob"],
                    {
                        "name": {**_NAME, "description": "The repo."},
                        "branch": {"type": "string", "default": DEFAULT_BRANCH},
                        "glob": {
                            "if": {"type": "array"},
                            "then": {
                                "minItems": 1,
                                "prefixItems": [_GLOB],
                                "items": {"type": "string", "pattern": "^!/"},
                            },
                            "else": _GLOB,
                            "description": "What is a datum; in a list, the globs behind the first"
                            " begin with ! and take away what they match.",
                        },
                        "as": {
                            **_VARIABLE,
                            "description": "Variable and folder the program sees; "
                            "made from the repo's name when left out.",
                        },
                        "on": {
                            **_TEXT,
                            "description": "In a join: what is compared, made of the captures of"
                            " the glob, such as $1.",
                        },
                        "outer": {
                            "type": "boolean",
                            "default": False,
                            "description": "In a join: whether what matches nothing elsewhere is a"
                            " datum without the others.",
                        },
                        "by": {
                            **_TEXT,
                            "description": "In a group: what is compared, made of the captures of"
                            " the glob, such as $1.",
                        },
                        "trigger": {
                            **_object(
                                "How much has to come in through this input before it runs the"
                                " pipeline; each commit does when left out.",
                                [],
                                {
                                    "commits": {"type": "integer", "minimum": 1},
                                    "size": {
                                        "type": "string",
                                        "pattern": _SIZE,
                                        "description": "Of the files added or changed, such as"
                                        " 1GiB.",
                                    },
                                    "cron": {
                                        **_TEXT,
                                        "description": "A tick of this schedule since the first of"
                                        " them came in.",
                                    },
                                    "zone": {**_TEXT, "default": DEFAULT_ZONE},
                                    "all": {
                                        "type": "boolean",
                                        "default": False,
                                        "description": "Whether all of these must hold, rather than"
                                        " one.",
                                    },
                                },
                            ),
                            "minProperties": 1,
                        },
                        "empty_files": {
                            "type": "boolean",
                            "default": False,
                            "description": "Whether the program sees names without content, and"
                            " runs when names change.",
                        },
                        "give": {
                            "enum": ["folder", "match"],
                            "default": "folder",
                            "description": "What the program's variable of this name holds: the"
                            " input's folder, or the path of what the glob matched.",
                        },
                        "lazy": {
                            "type": "boolean",
                            "default": False,
                            "description": "Whether files are fetched when the program reads them"
                            " instead of copied before it starts, where FUSE works.",
                        },
                    },
                ),
                "cron": _object(
                    "A clock: each tick is one datum, and one run.",
                    ["schedule"],
                    {
                        "name": {**_VARIABLE, "default": "tick"},
                        "schedule": {
                            "type": "string",
                            "description": "@every 24h, @daily, or the five fields of cron.",
                        },
                        "zone": {
                            **_TEXT,
                            "default": DEFAULT_ZONE,
                            "description": "Time zone, such as Europe/Berlin, whose wall clock the"
                            " schedule is read by.",
                        },
                        "catch_up": {
                            "enum": [str(one) for one in CatchUp],
                            "default": str(CatchUp.ONE),
                            "description": "What becomes of missed ticks: one job for all of them,"
                            " one for each, or none.",
                        },
                    },
                ),
                "cross": _several("Every combination of the datums of several inputs."),
                "union": _several("The datums of several inputs, one input after the other."),
                "join": _several("The combinations of datums whose captures are equal."),
                "group": {
                    **_several("One datum for each text captured, with all that has it."),
                    "minItems": 1,
                },
            },
        }
    },
}


def _first_error(raw: Any, schema: dict[str, Any]) -> ValidationError | None:
    """Return what is wrong by the schema, the most telling if there is more, or None."""
    # Costs a second to import, which everybody who opens a lake would pay.
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    found: ValidationError | None = best_match(Draft202012Validator(schema).iter_errors(raw))
    return found


def parse_spec(raw: Any) -> PipelineSpec:
    """Return the pipeline that a YAML or JSON document describes.

    Raises
    ------
    InvalidInputError
        With the place in the document: an unknown or missing key, a value of the wrong type, a
        name, glob or schedule that breaks its grammar, two inputs of one name in one datum, a join
        or group of what has nothing to compare.
    """
    try:
        error = _first_error(raw, PIPELINE_SCHEMA)
        if error is None:
            _check_json(raw, "")
    except RecursionError as deep:
        raise _invalid("the spec", "is nested too deeply, or contains itself") from deep
    if error is not None:
        raise _invalid(_place(error), _explain(error))
    return _spec_of(raw)


def parse_stored_spec(raw: Any) -> PipelineSpec:
    """Return the pipeline of a document that `spec_as_dict` made.

    It is not held against the schema again: that is for what people write.

    Raises
    ------
    CorruptDataError
        Nothing that `spec_as_dict` made has this shape.
    """
    try:
        return _spec_of(raw)
    except (InvalidInputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptDataError(
            f"The stored spec of a pipeline is damaged: {error}", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


def _spec_of(raw: Any) -> PipelineSpec:
    parallelism = raw.get("parallelism")
    spec = PipelineSpec(
        name=_at("pipeline", check_repo_name, raw["pipeline"]),
        description=raw.get("description", ""),
        group=raw.get("group", ""),
        input=_parse_whole_input(raw.get("input", "none")),
        code=_parse_code(raw),
        parameters=raw.get("parameters", {}),
        files=tuple(
            _at(f"files[{index}]", _parse_file, path)
            for index, path in enumerate(raw.get("files", []))
        ),
        paths={
            _at(f"paths.{path}", parse_shown, path): _at(f"paths.{path}", parse_target, target)
            for path, target in raw.get("paths", {}).items()
        },
        kernel=raw.get("environment", {}).get("kernel", DEFAULT_KERNEL),
        fork=raw.get("environment", {}).get("fork", True),
        packages=_parse_packages(raw.get("environment", {})),
        datums=_parse_policy(raw.get("datums", {})),
        parallelism=None if parallelism is None else int(parallelism),
        timeout_s=parse_duration(raw["timeout"], "timeout") if "timeout" in raw else None,
        priority=int(raw.get("priority", 0)),
        slots={
            name: int(count) for name, count in raw.get("resources", {}).get("slots", {}).items()
        },
        limits=_parse_limits(raw.get("resources", {})),
        executor=ExecutorKind(raw["executor"]) if "executor" in raw else None,
        placement=_parse_placement(raw.get("resources", {})),
        on_start=_parse_step(raw["on_start"], "on_start") if "on_start" in raw else None,
        finally_=_parse_step(raw["finally"], "finally") if "finally" in raw else None,
        expectations=tuple(
            _parse_expectation(one, f"expectations[{index}]")
            for index, one in enumerate(raw.get("expectations", []))
        ),
        notify=_parse_rules(raw["notify"], "notify") if "notify" in raw else None,
        egress=_parse_egress(raw["egress"]) if "egress" in raw else None,
    )
    _check_whole(spec)
    _check_keeping(spec)
    return spec


def _parse_packages(raw: dict[str, Any]) -> Packages | None:
    """Return the environment of its own that a pipeline has, or None."""
    if "requirements" not in raw and "python" not in raw:
        return None
    wanted, python = raw.get("requirements", []), raw.get("python", "")
    if isinstance(wanted, str):
        path = _at("environment.requirements", _parse_file, wanted)
        return Packages(file=path, python=python)
    return Packages(requirements=tuple(wanted), python=python)


def _at(place: str, parse: Callable[[Any], T], value: Any) -> T:
    """Return ``parse(value)``; what it refuses is told with its place in the spec."""
    try:
        return parse(value)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"Pipeline spec: {place}: {error.message}",
            kind=error.kind,
            hint=error.hint,
            **{**error.context, "place": place},
        ) from error


def _check_json(value: Any, place: str) -> None:
    """Refuse what a spec cannot be stored with: YAML knows dates, sets and keys of any type."""
    match value:
        case None | bool():
            pass
        case str():
            if value != value.encode("utf-8", "replace").decode():
                raise _invalid(place.lstrip("."), f"has the value {_shown(value)}: no Unicode text")
            if "\0" in value:
                # No argument, variable or file name of a program can.
                raise _invalid(place.lstrip("."), f"has the value {_shown(value)}, which holds NUL")
        case int() if abs(value) < 1 << 63:
            pass
        case float() if isfinite(value):
            pass
        case list():
            for index, one in enumerate(value):
                _check_json(one, f"{place}[{index}]")
        case dict():
            for key, one in value.items():
                if not isinstance(key, str):
                    raise _invalid(
                        place.lstrip(".") or "the spec",
                        f"has the key {_shown(key)}, which is not text; put it into quotes",
                    )
                _check_json(one, f"{place}.{key}")
        case _:
            raise _invalid(
                place.lstrip("."),
                f"has the value {_shown(value)}, which is neither text, a finite number of at most"
                " 64 bits, true, false, a list nor a map; put it into quotes",
            )


def _check_whole(spec: PipelineSpec) -> None:
    """Check what no single part shows."""
    if spec.name.endswith(CODE_SUFFIX):
        raise _invalid("pipeline", f"{spec.name!r} ends in {CODE_SUFFIX!r}, which is kept for code")
    if not REPO_PATTERN.fullmatch(spec.code_repo):
        raise _invalid(
            "pipeline", f"{spec.name!r} is too long: its code is kept in {spec.code_repo!r}"
        )
    seen = {leaf.name for leaf in iter_leaves(spec.input)}
    _check_paths(spec, {*seen, "out"})
    for leaf in repo_inputs(spec):
        if leaf.repo == spec.name:
            raise InvalidInputError(
                f"Pipeline {spec.name!r} reads its own output",
                kind=ErrorKind.PIPELINE_CYCLE,
                hint="Give the pipeline another name, or read another repo",
                pipeline=spec.name,
                cycle=[spec.name, spec.name],
            )
    _check_batch(spec)
    if spec.packages is not None and isinstance(spec.code, QueryCode):
        raise _invalid("environment", "a query runs in its warehouse, and has no packages")
    if spec.packages is not None and spec.kernel != DEFAULT_KERNEL:
        raise _invalid(
            "environment",
            f"kernel {spec.kernel!r} cannot be chosen beside requirements, which make a Python",
        )
    if JOBS_LIMIT in spec.slots:
        raise _invalid(
            "resources.slots", f"{JOBS_LIMIT!r} is the limit on jobs, which datums cannot hold"
        )
    clash = seen & set(spec.parameters)
    if clash:
        raise _invalid("parameters", f"{sorted(clash)[0]!r} is the name of an input")
    if "out" in spec.parameters:
        raise _invalid("parameters", "'out' is set by the job to its output folder")
    for name in spec.parameters:
        if not is_variable(name):
            raise _invalid("parameters", f"{name!r} is no name that a notebook can use")
    if isinstance(spec.code, QueryCode) and repo_inputs(spec):
        raise _invalid("ingest", "takes no repo input; give it a cron input, or none")
    if spec.egress and spec.egress.mode is EgressMode.MERGE and not spec.egress.key:
        raise _invalid("egress", "mode 'merge' needs 'key', the columns that name a row")


def _check_paths(spec: PipelineSpec, names: Collection[str]) -> None:
    """Refuse paths to nothing, and paths inside of others."""
    if spec.paths and isinstance(spec.code, QueryCode):
        raise _invalid("paths", "has nobody to look there: the pipeline runs a query")
    for path, target in spec.paths.items():
        if target.partition("/")[0] not in names:
            raise _invalid(
                f"paths.{path}",
                f"leads to {target!r}: it begins with 'out' or the name of an input",
            )
        inside = [one for one in spec.paths if path.startswith(f"{one}/")]
        if inside:
            raise _invalid(
                f"paths.{path}", f"is inside of {inside[0]!r}, which is shown as a whole"
            )


def _check_batch(spec: PipelineSpec) -> None:
    """Refuse a batch in which files of two repos would lie in one folder."""
    if spec.datums.batch is None:
        return
    for key, leaf in keyed_inputs(spec).items():
        if key != leaf.name:
            raise _invalid(
                "datums.batch",
                f"would put two repos into the folder {leaf.name!r}; tell them apart with 'as'",
            )
    if isinstance(spec.code, QueryCode):
        raise _invalid("datums.batch", "means nothing to an ingest, which reads no files")


def _parse_whole_input(raw: Any) -> Input | None:
    if raw == "none":
        return None
    given = _parse_input(raw, "input")
    try:
        check_algebra(given, "input")
    except MisfitError as misfit:
        raise _invalid(misfit.place, misfit.why) from misfit
    return given


def _parse_input(raw: dict[str, Any], place: str) -> Input:
    ((kind, body),) = raw.items()
    place = f"{place}.{kind}"
    if kind == "repo":
        return _parse_repo_input(body, place)
    if kind == "cron":
        zone = body.get("zone", DEFAULT_ZONE)
        _at(f"{place}.zone", find_zone, zone)
        return CronInput(
            _at(f"{place}.name", check_input_name, body.get("name", "tick")),
            _at(f"{place}.schedule", parse_schedule, body["schedule"]).text,
            zone,
            CatchUp(body.get("catch_up", CatchUp.ONE)),
        )
    parts = (_parse_input(one, f"{place}[{index}]") for index, one in enumerate(body))
    return COMBINATIONS[kind](tuple(parts))


def _parse_repo_input(raw: dict[str, Any], place: str) -> RepoInput:
    name = _at(f"{place}.name", check_repo_name, raw["name"])
    written = raw["glob"]
    globs = [written] if isinstance(written, str) else written
    glob = _at(f"{place}.glob", parse_glob, globs[0])
    for key in ("on", "by"):
        if key in raw:
            _at(
                f"{place}.{key}",
                lambda template: check_references(template, glob.capture_count, glob.text),
                raw[key],
            )
    if raw.get("empty_files") and raw.get("lazy"):
        raise _invalid(f"{place}.lazy", "has nothing to fetch beside empty_files: leave one out")
    return RepoInput(
        name=_at(f"{place}.as", check_input_name, raw.get("as") or variable_name(name)),
        repo=name,
        glob=glob.text,
        branch=_at(f"{place}.branch", check_ref_name, raw.get("branch", DEFAULT_BRANCH)),
        exclude=tuple(
            _at(f"{place}.glob[{index}]", parse_glob, one[1:]).text
            for index, one in enumerate(globs[1:], 1)
        ),
        on=raw.get("on", ""),
        is_outer=raw.get("outer", False),
        by=raw.get("by", ""),
        is_empty=raw.get("empty_files", False),
        gives_match=raw.get("give") == "match",
        is_lazy=raw.get("lazy", False),
        trigger=_parse_trigger(raw["trigger"], f"{place}.trigger") if "trigger" in raw else None,
    )


def _parse_trigger(raw: dict[str, Any], place: str) -> BranchTrigger:
    zone = raw.get("zone", DEFAULT_ZONE)
    _at(f"{place}.zone", find_zone, zone)
    if not {"commits", "size", "cron"} & set(raw):
        raise _invalid(place, "needs one of commits, size and cron")
    return BranchTrigger(
        commits=int(raw["commits"]) if "commits" in raw else None,
        size_bytes=_parse_size(raw["size"], f"{place}.size") if "size" in raw else None,
        schedule=_at(f"{place}.cron", parse_schedule, raw["cron"]).text if "cron" in raw else "",
        zone=zone,
        needs_all=raw.get("all", False),
    )


def _trigger_as_dict(trigger: BranchTrigger) -> dict[str, Any]:
    return {
        **({} if trigger.commits is None else {"commits": trigger.commits}),
        **({} if trigger.size_bytes is None else {"size": f"{trigger.size_bytes}B"}),
        **({"cron": trigger.schedule} if trigger.schedule else {}),
        **({} if trigger.zone == DEFAULT_ZONE else {"zone": trigger.zone}),
        **({"all": True} if trigger.needs_all else {}),
    }


def _parse_size(text: str, place: str) -> int:
    match = re.fullmatch(_SIZE, text)
    size = round(float(match[1]) * _BYTES[match[2]]) if match else 0
    if not 0 < size < 1 << 63:
        raise _invalid(place, f"{_shown(text)} is not a size such as 500MB or 1GiB")
    return size


def variable_name(repo: str) -> str:
    """Return the variable that a repo's input gets when the spec names none.

    >>> variable_name("team/daily-sales.eu")
    'daily_sales_eu'
    """
    name = re.sub(r"\W", "_", repo.rpartition("/")[2])
    return f"_{name}" if name[0].isdigit() else name


def _parse_code(raw: dict[str, Any]) -> Code:
    if "notebook" in raw:
        return NotebookCode(_at("notebook", _parse_file, raw["notebook"]))
    if "command" in raw:
        return CommandCode(tuple(raw["command"]))
    ingest = raw["ingest"]
    if "query" not in ingest:
        raise _invalid("ingest", "lacks 'query'")
    return QueryCode(
        IngestSpec(
            connection=_at("ingest.connection", check_connection_name, ingest["connection"]),
            query=ingest["query"],
            output="/" + _at("ingest.output", _parse_file, ingest.get("output", "/data.parquet")),
            format=TableFormat(ingest.get("format", "parquet")),
            partition_by=ingest.get("partition_by"),
        )
    )


def _parse_step(raw: dict[str, Any], place: str) -> JobStep:
    if ("command" in raw) == ("notebook" in raw):
        raise _invalid(place, "needs exactly one of command and notebook")
    timeout = raw.get("timeout")
    return JobStep(
        NotebookCode(_at(f"{place}.notebook", _parse_file, raw["notebook"]))
        if "notebook" in raw
        else CommandCode(tuple(raw["command"])),
        DEFAULT_STEP_TIMEOUT_S if timeout is None else parse_duration(timeout, f"{place}.timeout"),
    )


def _step_as_dict(step: JobStep) -> dict[str, Any]:
    match step.code:
        case NotebookCode(path):
            code: dict[str, Any] = {"notebook": path}
        case CommandCode(argv):
            code = {"command": list(argv)}
    return {**code, "timeout": _duration_text(step.timeout_s)}


def _parse_file(text: str) -> str:
    path = parse_path(text)
    if not path:
        raise InvalidInputError(f"{text!r} names no file", kind=ErrorKind.INVALID_PATH)
    return str(path)


def _parse_policy(raw: dict[str, Any]) -> DatumPolicy:
    batch = raw.get("batch")
    on_error = raw.get("on_error", "fail")
    recover = tuple(on_error["recover"]) if isinstance(on_error, dict) else ()
    return DatumPolicy(
        batch=None if batch is None else int(batch),
        tries=int(raw.get("tries", DEFAULT_TRIES)),
        timeout_s=parse_duration(raw["timeout"]) if "timeout" in raw else DEFAULT_TIMEOUT_S,
        backoff_s=parse_duration(raw["backoff"], "datums.backoff")
        if "backoff" in raw
        else DEFAULT_BACKOFF_S,
        on_error=OnError.RECOVER if recover else OnError(on_error),
        recover=recover,
        keep_failed_s=_parse_keeping(raw["keep_failed"]) if "keep_failed" in raw else None,
    )


def _parse_keeping(text: str) -> float:
    kept_s = parse_duration(text, _KEEPING)
    if kept_s > MAX_KEPT_S:
        raise _invalid(_KEEPING, f"{_shown(text)} is longer than a day")
    return kept_s


def _check_keeping(spec: PipelineSpec) -> None:
    """Refuse to keep kernels where there are none that can be kept."""
    if spec.datums.keep_failed_s is None:
        return
    why = ""
    if not isinstance(spec.code, NotebookCode):
        why = "has nothing to keep: the pipeline runs no notebook"
    elif spec.packages is not None or not spec.fork:
        why = "keeps kernels that are forked: leave out 'requirements', 'python' and 'fork: false'"
    elif spec.executor is ExecutorKind.DASK:
        why = "keeps kernels on the controller's machine, not on Dask"
    elif spec.datums.on_error is OnError.RECOVER:
        why = "has nothing to keep: a datum that fails is recovered"
    if why:
        raise _invalid(_KEEPING, why)


def _parse_limits(raw: dict[str, Any]) -> DatumLimits:
    memory, cpu, output = raw.get("memory"), raw.get("cpu_time"), raw.get("output")
    return DatumLimits(
        memory_bytes=None if memory is None else _parse_size(memory, "resources.memory"),
        cpu_s=None if cpu is None else parse_duration(cpu, "resources.cpu_time"),
        output_bytes=None if output is None else _parse_size(output, "resources.output"),
    )


def _parse_placement(raw: dict[str, Any]) -> Placement:
    return Placement(raw.get("cpu"), raw.get("gpu"), tuple(raw.get("labels", ())))


def _resources_as_dict(spec: PipelineSpec) -> dict[str, Any]:
    limits, placement = spec.limits, spec.placement
    return {
        **({"slots": spec.slots} if spec.slots else {}),
        **({} if limits.memory_bytes is None else {"memory": f"{limits.memory_bytes}B"}),
        **({} if limits.cpu_s is None else {"cpu_time": _duration_text(limits.cpu_s)}),
        **({} if limits.output_bytes is None else {"output": f"{limits.output_bytes}B"}),
        **({} if placement.cpus is None else {"cpu": placement.cpus}),
        **({} if placement.gpus is None else {"gpu": placement.gpus}),
        **({"labels": list(placement.labels)} if placement.labels else {}),
    }


def _parse_expectation(raw: dict[str, Any], place: str) -> Expectation:
    columns = raw.get("columns", {})
    rows = raw.get("rows", {})
    _check_order(rows, f"{place}.rows")
    for name, one in raw.get("ranges", {}).items():
        if not one:
            raise _invalid(f"{place}.ranges.{name}", "needs min, max or both")
        _check_order(one, f"{place}.ranges.{name}")
    return Expectation(
        files=_at(f"{place}.files", parse_glob, raw.get("files", "/**")).text,
        columns=columns if isinstance(columns, dict) else dict.fromkeys(columns, ""),
        min_rows=rows.get("min"),
        max_rows=rows.get("max"),
        not_null=tuple(raw.get("not_null", [])),
        unique=tuple(raw.get("unique", [])),
        ranges={
            name: Range(one.get("min"), one.get("max"))
            for name, one in raw.get("ranges", {}).items()
        },
        python=_parse_check(raw["python"], f"{place}.python") if "python" in raw else "",
        is_optional=raw.get("optional", False),
        only_warns=raw.get("on_violation", "fail") == "warn",
    )


def _parse_check(text: str, place: str) -> str:
    file, function = check_of(text)
    return f"{_at(place, _parse_file, file)}::{function}"


def _check_order(ends: dict[str, Any], place: str) -> None:
    least, most = ends.get("min"), ends.get("max")
    if least is None or most is None:
        return
    if isinstance(least, str) != isinstance(most, str):
        raise _invalid(place, f"goes from {_shown(least)} to {_shown(most)}: a number and a text")
    if least > most:
        raise _invalid(place, f"goes from {_shown(least)} to {_shown(most)}, which is nothing")


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


def parse_rules(raw: Any) -> tuple[NotifyRule, ...]:
    """Return the rules that a list in YAML or JSON describes, as a spec has them under ``notify``.

    Raises
    ------
    InvalidInputError
        With the place in the list and what is wrong there.
    """
    try:
        error = _first_error(raw, RULES_SCHEMA)
        if error is None:
            _check_json(raw, "notify")
    except RecursionError as deep:
        raise _invalid("notify", "is nested too deeply, or contains itself") from deep
    if error is not None:
        raise _invalid(_place(error, "notify"), _explain(error))
    return _parse_rules(raw, "notify")


def parse_stored_rules(raw: Any) -> tuple[NotifyRule, ...]:
    """Return the rules of a list that `rules_as_list` made; it is not held against the schema."""
    return _parse_rules(raw, "notify")


def _parse_rules(raw: list[dict[str, Any]], place: str) -> tuple[NotifyRule, ...]:
    rules = []
    for index, one in enumerate(raw):
        where = f"{place}[{index}]"
        after = parse_duration(one["after"], f"{where}.after") if "after" in one else None
        try:
            rules.append(parse_rule(one, where, after))
        except MisfitError as misfit:
            raise _invalid(misfit.place, misfit.why) from misfit
    return tuple(rules)


def rules_as_list(rules: Iterable[NotifyRule]) -> list[dict[str, Any]]:
    """Return the list that `parse_rules` turns into equal rules."""
    return [
        {
            "on": [str(one) for one in rule.on],
            **({} if rule.after_s is None else {"after": _duration_text(rule.after_s)}),
            **channel_as_dict(rule.channel),
        }
        for rule in rules
    ]


def _parse_egress(raw: dict[str, Any]) -> EgressSpec:
    _at("egress.files", parse_glob, raw.get("files", "/**"))
    return EgressSpec(
        connection=_at("egress.connection", check_connection_name, raw["connection"]),
        table=raw["table"],
        mode=EgressMode(raw.get("mode", "append")),
        key=tuple(raw.get("key", [])),
        files=raw.get("files", "/**"),
    )


MAX_KEPT_S = 86_400.0
"""How long a kernel may be kept that nobody opens."""
_KEEPING = "datums.keep_failed"

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_MS = 36525 * _UNITS_MS["d"]


def parse_duration(text: str, place: str = "datums.timeout") -> float:
    """Return the seconds of a duration such as ``90s`` or ``1.5h``, to the millisecond.

    >>> parse_duration("10m")
    600.0
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d)", text)
    milliseconds = round(float(match[1]) * _UNITS_MS[match[2]]) if match else 0
    if not 0 < milliseconds <= _LONGEST_MS:
        raise _invalid(
            place,
            f"{_shown(text)} is not a duration such as 90s, 10m or 2h, of at most a hundred years",
        )
    return milliseconds / 1000


def _duration_text(seconds: float) -> str:
    """Return the text that `parse_duration` turns back into exactly these seconds."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


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
            "timeout": _duration_text(spec.datums.timeout_s),
            **({} if spec.datums.batch is None else {"batch": spec.datums.batch}),
            **_on_error_as_dict(spec.datums),
        }
    if spec.parallelism is not None:
        raw["parallelism"] = spec.parallelism
    if spec.timeout_s is not None:
        raw["timeout"] = _duration_text(spec.timeout_s)
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
        raw["keep_failed"] = _duration_text(policy.keep_failed_s)
    if policy.backoff_s != DEFAULT_BACKOFF_S:
        raw["backoff"] = _duration_text(policy.backoff_s)
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


def _place(error: ValidationError, top: str = "") -> str:
    place = top + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    )
    return place.lstrip(".") or "the spec"


def _explain(error: ValidationError) -> str:
    """Return what is wrong in words of the spec rather than of JSON Schema."""
    match error.validator:
        case "additionalProperties":
            schema: Any = error.schema
            instance: Any = error.instance
            known = schema["properties"]
            unknown = sorted(set(instance) - set(known), key=repr)[0]
            return f"has the unknown key {_shown(unknown)}; known are {', '.join(known)}"
        case "required":
            return f"lacks {error.message.split(' is a required')[0]}"
        case "oneOf":
            return "needs exactly one of notebook, command and ingest"
        case "minProperties" if error.absolute_path[-1] == "trigger":
            return "needs one of commits, size and cron"
        case "anyOf":
            known = _FORMS[str(error.absolute_path[-1])]
            return f"has the value {_shown(error.instance)}, where {known} belongs"
        case "maxProperties" | "minProperties":
            return f"needs exactly one of {_KINDS}"
        case "pattern":
            rule = _GRAMMAR.get(str(error.validator_value), "which breaks the grammar")
            return f"has the value {_shown(error.instance)}, {rule}"
        case "type":
            wanted = _A.get(str(error.validator_value), "a number or text belongs")
            return f"has the value {_shown(error.instance)}, where {wanted}"
        case "const" if error.absolute_path[-1] == "jupyter":
            return f"has the value {_shown(error.instance)}; only true belongs there"
        case "const":
            return f"has the value {_shown(error.instance)}; a map belongs, or none"
        case "enum":
            known = ", ".join(map(str, cast("list[str]", error.validator_value)))
            return f"has the value {_shown(error.instance)}; known are {known}"
        case "minLength" | "minItems":
            return f"has the value {_shown(error.instance)}, which is too short"
        case "minimum":
            return f"has the value {_shown(error.instance)}; at least {error.validator_value}"
        case "exclusiveMinimum":
            return f"has the value {_shown(error.instance)}; more than {error.validator_value}"
        case "maximum":
            return f"has the value {_shown(error.instance)}; at most {error.validator_value}"
        case _:
            return f"has the value {_shown(error.instance)}, which breaks {error.validator!r}"


_GRAMMAR = {
    "^!/": "where a glob that takes something away belongs, such as !/tmp/**",
    "^/": "where a glob belongs: / for the whole repo, /* for each file and folder at its top",
    _NAME["pattern"]: "where a repo's name belongs: 1 to 63 of a-z 0-9 . _ -, or project/name",
    _VARIABLE["pattern"]: "where a variable's name belongs",
    f"^{RESOURCE_PATTERN.pattern}$": "where a resource's name belongs: 1 to 63 of a-z 0-9 . _ -",
    _SIZE: "where a size belongs, such as 500MB or 1GiB",
    _DURATION["pattern"]: "where a duration belongs, such as 90s, 10m or 2h",
    _CHECK: "where a function belongs, such as checks.py::is_sorted",
    f"^{GROUP_PATTERN.pattern}$": "where a group's name belongs, such as etl/daily",
    **GRAMMAR,
}
"""Pattern to what it asks for, in words."""

_FORMS = {
    "on_error": "fail, skip or {recover: [program, argument, …]}",
    "columns": "a list of names, or a map of names to types,",
}
"""Key to what it may hold, where that is of several kinds."""

_A = {
    "string": "text belongs",
    "integer": "a whole number belongs",
    "array": "a list belongs",
    "object": "a map belongs",
}


def _shown(value: Any) -> str:
    """Return a value on one line that is short enough to read."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _invalid(place: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Pipeline spec: {place} {why}",
        kind=ErrorKind.INVALID_SPEC,
        hint="See docs/pipelines.md for every key",
        place=place,
    )
