"""The JSON Schema of pipeline specs.

It is published (``docs/reference/pipeline.schema.json`` and REST ``getPipelineSchema``), so editors
complete and check specs as they are typed.
"""

from __future__ import annotations

from typing import Any

from jupyter_datalake.model.groups import GROUP_PATTERN
from jupyter_datalake.model.ids import INPUT_PATTERN, REPO_COMPONENT
from jupyter_datalake.model.limits import (
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    MAX_LIMIT,
    RESOURCE_PATTERN,
)
from jupyter_datalake.model.notification_rules import RULES_SCHEMA
from jupyter_datalake.model.pipelines import (
    COMBINATIONS,
    DEFAULT_KERNEL,
    DEFAULT_TRIES,
    ExecutorKind,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.schedules import DEFAULT_ZONE, CatchUp
from jupyter_datalake.model.warehouse import EgressMode, TableFormat

KINDS = f"repo, cron, {', '.join(COMBINATIONS)}"
NAME: dict[str, Any] = {"type": "string", "pattern": f"^{REPO_COMPONENT}(/{REPO_COMPONENT})?$"}
VARIABLE: dict[str, Any] = {"type": "string", "pattern": f"^{INPUT_PATTERN.pattern}$"}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
DURATION: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$",
    "description": "A number and a unit: ms, s, m, h or d.",
}


SIZE = r"^([0-9]{1,15}(?:\.[0-9]{1,3})?)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
CHECK = r"^[^:]+\.py::[A-Za-z_][A-Za-z0-9_]*$"
_GLOB: dict[str, Any] = {"type": "string", "pattern": "^/"}


def _several(description: str) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 2,
        "items": {"$ref": "#/$defs/input"},
        "description": description,
    }


_SIZE_TEXT: dict[str, Any] = {"type": "string", "pattern": SIZE}


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
                "timeout": {**DURATION, "default": "10m"},
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
            "pipeline": {**NAME, "description": "Name; the output repo has the same."},
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
                "propertyNames": VARIABLE,
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
                    "timeout": {**DURATION, "default": "1h"},
                    "backoff": {
                        **DURATION,
                        "default": "500ms",
                        "description": "Before the second try; twice as long before each further"
                        " one, up to a minute.",
                    },
                    "keep_failed": {
                        **DURATION,
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
                **DURATION,
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
                        **DURATION,
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
                            "pattern": CHECK,
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
            "description": f"Exactly one of {KINDS}.",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "repo": _object(
                    "A branch, cut into datums by a glob.",
                    ["name", "glob"],
                    {
                        "name": {**NAME, "description": "The repo."},
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
                            **VARIABLE,
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
                                        "pattern": SIZE,
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
                        "name": {**VARIABLE, "default": "tick"},
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
