"""Exporting: a pipeline as a file for Airflow or Kubernetes, for those whose clock is there.

What is written wakes a controller at the times of the pipeline's clock; what is due and what runs
the lake decides as ever, so nothing runs twice however often it is woken. A pipeline without a
clock is run, over its inputs as they are. Everything that comes from the lake is written as data:
as literals of Python, or by the YAML library; no shell and no template sees it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

import yaml

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.pipelines import CronInput, PipelineSpec, cron_inputs
from jupyter_datalake.model.schedules import Schedule, parse_schedule

NAME = "datalake"
_MAX_NAME = 52  # of a CronJob, whose Jobs append to it
_TRIES = 3
_KEEP_S = 24 * 3600


class ExportFormat(StrEnum):
    """What pipelines are exported to."""

    AIRFLOW = "airflow"
    KUBERNETES = "kubernetes"


def export_airflow(spec: PipelineSpec, lake_url: str) -> str:
    """Return a Python file with a DAG, for Airflow 2.4 and later.

    Raises
    ------
    InvalidInputError
        The lake is in memory, or the pipeline has several clocks.
    """
    schedule, zone = "None", "UTC"
    clock = _clock_of(spec)
    if clock is not None:
        schedule, zone = _python_schedule(parse_schedule(clock.schedule)), clock.zone
    return _DAG.format(
        name=repr(dag_id(spec.name)),
        description=repr(" ".join(spec.description.split())),
        schedule=schedule,
        zone=repr(zone),
        tries=_TRIES,
        commands=_literal(_commands(spec, lake_url)),
    )


_DAG = '''\
"""A pipeline of a data lake, exported by 'datalake pipelines export'; made anew, not edited."""

import subprocess
from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

COMMANDS = {commands}


@dag(
    dag_id={name},
    description={description},
    schedule={schedule},
    start_date=pendulum.datetime(2020, 1, 1, tz={zone}),
    catchup=False,  # the lake catches up by itself with what its clock missed
    max_active_runs=1,
    default_args={{"retries": {tries}, "retry_delay": timedelta(minutes=1)}},
    tags=["datalake"],
)
def pipeline():
    @task
    def run():
        for command in COMMANDS:
            subprocess.run(command, check=True)

    run()


pipeline()
'''


def export_kubernetes(
    spec: PipelineSpec, lake_url: str, *, image: str, secret: str | None = None
) -> str:
    """Return a manifest: a CronJob for a pipeline with a clock, else a Job.

    Parameters
    ----------
    image
        An image in which ``datalake`` and what the pipeline needs are installed.
    secret
        A Secret whose entries become environment variables: credentials, and where the database is.

    Raises
    ------
    InvalidInputError
        The lake is one that pods do not see, the clock is none that Kubernetes knows, or the name
        of the secret is none.
    """
    if not lake_url.startswith("s3://"):
        raise InvalidInputError(
            f"No pod sees the lake {lake_url!r}",
            kind=ErrorKind.INVALID_URL,
            hint="Export pipelines of a lake in S3, with its database in Postgres",
        )
    if secret is not None and not _SECRET.fullmatch(secret):
        raise InvalidInputError(
            f"{secret!r} is no name of a Secret",
            kind=ErrorKind.INVALID_NAME,
            hint="Use a-z 0-9 . -, beginning and ending with a letter or a digit",
        )
    if not image.strip():
        raise InvalidInputError(
            "No image is named", hint="Name one in which jupyter_datalake is installed"
        )
    commands = _commands(spec, lake_url)
    environment = [] if secret is None else [{"secretRef": {"name": secret}}]
    containers = [
        {
            "name": f"{NAME}-{number}",
            "image": image,
            "command": command,
            **({"envFrom": environment} if environment else {}),
        }
        for number, command in enumerate(commands)
    ]
    pod: dict[str, Any] = {"restartPolicy": "Never"}
    if containers[:-1]:
        pod["initContainers"] = containers[:-1]
    pod["containers"] = containers[-1:]
    job = {
        "backoffLimit": _TRIES,
        "ttlSecondsAfterFinished": _KEEP_S,
        "template": {"spec": pod},
    }
    metadata = {
        "name": resource_name(spec.name),
        "labels": {"app.kubernetes.io/name": NAME},
        "annotations": {f"{NAME}/pipeline": spec.name},
    }
    clock = _clock_of(spec)
    if clock is None:
        manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}
    else:
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata,
            "spec": {
                "schedule": _plain_cron(parse_schedule(clock.schedule, clock.zone)),
                "timeZone": "Etc/UTC" if clock.zone == "UTC" else clock.zone,
                "concurrencyPolicy": "Forbid",
                "jobTemplate": {"spec": job},
            },
        }
    text: str = yaml.safe_dump(manifest, sort_keys=False)
    return text


def dag_id(pipeline: str) -> str:
    """Return the name of a pipeline's DAG."""
    return f"{NAME}.{pipeline.replace('/', '.')}"


def resource_name(pipeline: str) -> str:
    """Return the name of a pipeline's resource in Kubernetes; no two pipelines have the same."""
    plain = re.sub("[^a-z0-9]+", "-", pipeline).strip("-")
    name = f"{NAME}-{plain}"
    if plain == pipeline and len(name) <= _MAX_NAME:
        return name
    mark = digest_of(pipeline.encode()).hex()[:8]
    return f"{name[: _MAX_NAME - len(mark) - 1].rstrip('-')}-{mark}"


_SECRET = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PLAIN_CRON = re.compile(r"[0-9A-Za-z*/,-]+")


def _commands(spec: PipelineSpec, lake_url: str) -> list[list[str]]:
    if lake_url == "memory:":
        raise InvalidInputError(
            "A lake in memory is seen by this process alone", kind=ErrorKind.INVALID_URL
        )
    datalake = ["datalake", "--lake", lake_url]
    work = [*datalake, "controller", "run", "--until-idle"]
    if cron_inputs(spec):
        return [work]  # the controller ticks what is due, once
    return [[*datalake, "pipelines", "run", spec.name], work]


def _clock_of(spec: PipelineSpec) -> CronInput | None:
    clocks = cron_inputs(spec)
    if len(clocks) > 1:
        raise InvalidInputError(
            f"Pipeline {spec.name!r} has {len(clocks)} clocks, and others know one",
            kind=ErrorKind.INVALID_SPEC,
            hint="Leave it to 'datalake controller run'",
            pipeline=spec.name,
        )
    return clocks[0] if clocks else None


def _python_schedule(schedule: Schedule) -> str:
    if schedule.every is not None:
        return f"timedelta(seconds={schedule.every // timedelta(seconds=1)})"
    return repr(_plain_cron(schedule))


def _plain_cron(schedule: Schedule) -> str:
    """Return the fields of a schedule, where others read them as they are meant."""
    fields = (schedule.cron or "").split()
    if schedule.cron is None:
        why = "is an interval, which Kubernetes does not know"
    elif not all(_PLAIN_CRON.fullmatch(field) for field in fields):
        why = "uses more than others know of cron"
    elif re.search(r"7|L", fields[4].upper().replace("JUL", "")) or "L" in fields[2].upper():
        why = "uses more than others know of cron: write Sunday as 0"
    else:
        return " ".join(fields)
    raise InvalidInputError(
        f"Schedule {schedule.text!r} {why}",
        kind=ErrorKind.INVALID_CRON,
        hint="Write five cron fields such as '0 6 * * MON-FRI'",
        schedule=schedule.text,
    )


def _literal(commands: Sequence[Sequence[str]]) -> str:
    lines = ",\n".join(f"    {list(command)!r}" for command in commands)
    return f"[\n{lines},\n]"
