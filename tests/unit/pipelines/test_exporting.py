"""Pipelines for other schedulers: files that parse, and hold names as data and nothing else."""

import ast
import subprocess
import sys
from datetime import timedelta
from types import ModuleType, SimpleNamespace

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.pipelines import (
    CommandCode,
    CronInput,
    CrossInput,
    PipelineSpec,
    RepoInput,
)
from jupyter_datalake.pipelines.exporting import (
    export_airflow,
    export_kubernetes,
    resource_name,
)

CONTAINERS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "image", "command"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
            "image": {"type": "string", "minLength": 1},
            "command": {"type": "array", "items": {"type": "string"}},
            "envFrom": {"type": "array"},
        },
        "additionalProperties": False,
    },
}
JOB = {
    "type": "object",
    "required": ["backoffLimit", "template"],
    "properties": {
        "backoffLimit": {"type": "integer"},
        "ttlSecondsAfterFinished": {"type": "integer"},
        "template": {
            "type": "object",
            "required": ["spec"],
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["restartPolicy", "containers"],
                    "properties": {
                        "restartPolicy": {"enum": ["Never", "OnFailure"]},
                        "containers": CONTAINERS,
                        "initContainers": CONTAINERS,
                    },
                    "additionalProperties": False,
                }
            },
        },
    },
    "additionalProperties": False,
}
METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"pattern": "^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$"}},
}
MANIFEST = {
    "oneOf": [
        {
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": {
                "apiVersion": {"const": "batch/v1"},
                "kind": {"const": "Job"},
                "metadata": METADATA,
                "spec": JOB,
            },
        },
        {
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": {
                "apiVersion": {"const": "batch/v1"},
                "kind": {"const": "CronJob"},
                "metadata": METADATA,
                "spec": {
                    "required": ["schedule", "jobTemplate"],
                    "properties": {
                        "schedule": {"type": "string", "pattern": r"^\S+( \S+){4}$"},
                        "timeZone": {"type": "string"},
                        "concurrencyPolicy": {"enum": ["Allow", "Forbid", "Replace"]},
                        "jobTemplate": {"required": ["spec"], "properties": {"spec": JOB}},
                    },
                    "additionalProperties": False,
                },
            },
        },
    ]
}
S3 = "s3://bucket/lake"


def spec(name="p", given=None, **options):
    return PipelineSpec(name, given, CommandCode(("true",)), **options)


def clock(schedule, zone="UTC"):
    return CronInput("tick", schedule, zone)


def run_dag(source):
    """Run a DAG file with an Airflow that notes; return the DAG's options, and what it runs."""
    seen = {}

    def dag(**options):
        seen.update(options)
        return lambda function: function

    airflow, sdk, pendulum = (ModuleType(one) for one in ("airflow", "airflow.sdk", "pendulum"))
    sdk.dag, sdk.task = dag, lambda function: function
    pendulum.datetime = lambda *date, tz: SimpleNamespace(date=date, tz=tz)
    ran = []
    before = {name: sys.modules.get(name) for name in ("airflow", "airflow.sdk", "pendulum")}
    sys.modules.update({"airflow": airflow, "airflow.sdk": sdk, "pendulum": pendulum})
    real, subprocess.run = subprocess.run, lambda command, check: ran.append((command, check))
    try:
        exec(compile(source, "dag.py", "exec"), {"__name__": "dag"})
    finally:
        subprocess.run = real
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return seen, ran


def test_a_dag_runs_a_pipeline_without_a_clock_and_then_a_controller_until_it_is_idle():
    seen, ran = run_dag(export_airflow(spec("team/p", description="two\nlines"), "/data/my lake"))
    assert seen["dag_id"] == "datalake.team.p"
    assert (seen["schedule"], seen["catchup"], seen["max_active_runs"]) == (None, False, 1)
    assert seen["description"] == "two lines"
    datalake = ["datalake", "--lake", "/data/my lake"]
    assert ran == [
        ([*datalake, "pipelines", "run", "team/p"], True),
        ([*datalake, "controller", "run", "--until-idle"], True),
    ]


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("0 6 * * MON-FRI", "Europe/Berlin", "0 6 * * MON-FRI"),
        ("@daily", "UTC", "0 0 * * *"),
        ("@every 90m", "UTC", timedelta(minutes=90)),
    ],
)
def test_a_dag_wakes_a_controller_by_the_pipeline_s_clock(schedule, zone, expected):
    seen, ran = run_dag(export_airflow(spec(given=clock(schedule, zone)), S3))
    assert seen["schedule"] == expected
    assert seen["start_date"].tz == zone
    assert ran == [(["datalake", "--lake", S3, "controller", "run", "--until-idle"], True)]


def test_a_cron_job_wakes_a_controller_by_the_pipeline_s_clock():
    text = export_kubernetes(
        spec("team/p", clock("@daily", "Asia/Tokyo")), S3, image="r/i:1", secret="lake"
    )
    manifest = yaml.safe_load(text)
    jsonschema.validate(manifest, MANIFEST)
    assert manifest["kind"] == "CronJob"
    assert manifest["spec"]["schedule"] == "0 0 * * *"
    assert manifest["spec"]["timeZone"] == "Asia/Tokyo"
    (container,) = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "r/i:1"
    assert container["envFrom"] == [{"secretRef": {"name": "lake"}}]
    assert container["command"] == ["datalake", "--lake", S3, "controller", "run", "--until-idle"]


def test_a_job_runs_a_pipeline_without_a_clock_and_then_a_controller():
    manifest = yaml.safe_load(export_kubernetes(spec(), S3, image="i"))
    jsonschema.validate(manifest, MANIFEST)
    pod = manifest["spec"]["template"]["spec"]
    assert [one["command"][3] for one in pod["initContainers"] + pod["containers"]] == [
        "pipelines",
        "controller",
    ]


PIECES = [*list("ab\"'`${}%\\\n\t;&|<>#:!-*?[]()\u00e9\u2028\x85 "), "{{", '"' * 3]
NASTY = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(NASTY, NASTY, NASTY)
def test_whatever_is_written_into_a_file_stays_data(description, url, image):
    url = "s3://" + url
    dag = export_airflow(spec(description=description), url)
    tree = ast.parse(dag)
    plain = ast.parse(export_airflow(spec(), "s3://x"))
    assert [type(one) for one in ast.walk(tree)] == [type(one) for one in ast.walk(plain)]
    seen, ran = run_dag(dag)
    assert seen["description"] == " ".join(description.split())
    assert ran[0][0] == ["datalake", "--lake", url, "pipelines", "run", "p"]
    if image.strip():
        manifest = yaml.safe_load(export_kubernetes(spec(), url, image=image))
        jsonschema.validate(manifest, MANIFEST)
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        assert (container["image"], container["command"][2]) == (image, url)


NAMES = ["p", "a-b", "a.b", "a_b", "a/b", "x" * 60, "x" * 63, "0" * 50 + ".a", "0" * 50 + ".b"]


def test_no_two_pipelines_have_one_name_in_kubernetes():
    found = [resource_name(name) for name in NAMES]
    assert len(set(found)) == len(NAMES)
    for name in found:
        jsonschema.validate({"name": name}, METADATA)


@pytest.mark.parametrize(
    ("given", "url", "options", "match"),
    [
        (None, "/data/lake", {}, "No pod sees the lake '/data/lake'"),
        (clock("@every 5m"), S3, {}, "'@every 5m' is an interval"),
        (clock("0 0 * * 5#2"), S3, {}, "'0 0 \\* \\* 5#2' uses more"),
        (clock("0 0 L * *"), S3, {}, "uses more"),
        (clock("0 0 * * 7"), S3, {}, "write Sunday as 0"),
        (None, S3, {"secret": "Bad Name"}, "'Bad Name' is no name of a Secret"),
        (None, S3, {"image": " "}, "No image is named"),
        (
            CrossInput((clock("@daily"), CronInput("other", "@hourly"))),
            S3,
            {},
            "has 2 clocks",
        ),
    ],
)
def test_what_kubernetes_would_read_otherwise_is_refused(given, url, options, match):
    with pytest.raises(InvalidInputError, match=match) as caught:
        export_kubernetes(spec(given=given), url, **{"image": "i", **options})
    assert "\n" not in str(caught.value)


def test_a_lake_in_memory_is_exported_to_nobody():
    with pytest.raises(InvalidInputError, match="this process alone"):
        export_airflow(spec(), "memory:")


def test_a_month_of_july_is_no_seven():
    manifest = yaml.safe_load(export_kubernetes(spec(given=clock("0 0 17 7 *")), S3, image="i"))
    assert manifest["spec"]["schedule"] == "0 0 17 7 *"
    given = CrossInput((RepoInput("raw", "raw", "/"), clock("0 0 * JUL MON")))
    manifest = yaml.safe_load(export_kubernetes(spec(given=given), S3, image="i"))
    assert manifest["spec"]["schedule"] == "0 0 * JUL MON"
