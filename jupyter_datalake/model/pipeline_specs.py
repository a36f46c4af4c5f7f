"""Reading the written form of a pipeline: a document to the `PipelineSpec` that it describes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError
from jupyter_datalake.model.algebra import MisfitError, check_algebra
from jupyter_datalake.model.expectations import Expectation, Range, check_of
from jupyter_datalake.model.globs import check_references, parse_glob
from jupyter_datalake.model.ids import (
    REPO_PATTERN,
    check_input_name,
    check_ref_name,
    check_repo_name,
    is_variable,
    variable_name,
)
from jupyter_datalake.model.limits import JOBS_LIMIT
from jupyter_datalake.model.notification_rules import RULES_SCHEMA, parse_rule
from jupyter_datalake.model.notifications import NotifyRule
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.pipeline_schema import PIPELINE_SCHEMA
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
from jupyter_datalake.model.schedules import DEFAULT_ZONE, CatchUp, find_zone, parse_schedule
from jupyter_datalake.model.shown_paths import parse_shown, parse_target
from jupyter_datalake.model.spec_problems import (
    at_place,
    check_json,
    explain,
    first_error,
    invalid,
    place_of,
    shown,
)
from jupyter_datalake.model.spec_values import parse_duration, parse_size
from jupyter_datalake.model.warehouse import (
    EgressMode,
    EgressSpec,
    IngestSpec,
    TableFormat,
    check_connection_name,
)

MAX_KEPT_S = 86_400.0
"""How long a kernel may be kept that nobody opens."""
_KEEPING = "datums.keep_failed"


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
        error = first_error(raw, PIPELINE_SCHEMA)
        if error is None:
            check_json(raw, "")
    except RecursionError as deep:
        raise invalid("the spec", "is nested too deeply, or contains itself") from deep
    if error is not None:
        raise invalid(place_of(error), explain(error))
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
        name=at_place("pipeline", check_repo_name, raw["pipeline"]),
        description=raw.get("description", ""),
        group=raw.get("group", ""),
        input=_parse_whole_input(raw.get("input", "none")),
        code=_parse_code(raw),
        parameters=raw.get("parameters", {}),
        files=tuple(
            at_place(f"files[{index}]", _parse_file, path)
            for index, path in enumerate(raw.get("files", []))
        ),
        paths={
            at_place(f"paths.{path}", parse_shown, path): at_place(
                f"paths.{path}", parse_target, target
            )
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


def _parse_paths(raw: dict[str, str]) -> dict[str, str]:
    paths = {}
    for path, target in raw.items():
        place = f"paths.{path}"
        paths[at_place(place, parse_shown, path)] = at_place(place, parse_target, target)
    return paths


def _parse_packages(raw: dict[str, Any]) -> Packages | None:
    """Return the environment of its own that a pipeline has, or None."""
    if "requirements" not in raw and "python" not in raw:
        return None
    wanted, python = raw.get("requirements", []), raw.get("python", "")
    if isinstance(wanted, str):
        path = at_place("environment.requirements", _parse_file, wanted)
        return Packages(file=path, python=python)
    return Packages(requirements=tuple(wanted), python=python)


def _check_whole(spec: PipelineSpec) -> None:
    """Check what no single part shows."""
    if spec.name.endswith(CODE_SUFFIX):
        raise invalid("pipeline", f"{spec.name!r} ends in {CODE_SUFFIX!r}, which is kept for code")
    if not REPO_PATTERN.fullmatch(spec.code_repo):
        raise invalid(
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
        raise invalid("environment", "a query runs in its warehouse, and has no packages")
    if spec.packages is not None and spec.kernel != DEFAULT_KERNEL:
        raise invalid(
            "environment",
            f"kernel {spec.kernel!r} cannot be chosen beside requirements, which make a Python",
        )
    if JOBS_LIMIT in spec.slots:
        raise invalid(
            "resources.slots", f"{JOBS_LIMIT!r} is the limit on jobs, which datums cannot hold"
        )
    clash = seen & set(spec.parameters)
    if clash:
        raise invalid("parameters", f"{sorted(clash)[0]!r} is the name of an input")
    if "out" in spec.parameters:
        raise invalid("parameters", "'out' is set by the job to its output folder")
    for name in spec.parameters:
        if not is_variable(name):
            raise invalid("parameters", f"{name!r} is no name that a notebook can use")
    if isinstance(spec.code, QueryCode) and repo_inputs(spec):
        raise invalid("ingest", "takes no repo input; give it a cron input, or none")
    if spec.egress and spec.egress.mode is EgressMode.MERGE and not spec.egress.key:
        raise invalid("egress", "mode 'merge' needs 'key', the columns that name a row")


def _check_paths(spec: PipelineSpec, names: Collection[str]) -> None:
    """Refuse paths to nothing, and paths inside of others."""
    if spec.paths and isinstance(spec.code, QueryCode):
        raise invalid("paths", "has nobody to look there: the pipeline runs a query")
    for path, target in spec.paths.items():
        if target.partition("/")[0] not in names:
            raise invalid(
                f"paths.{path}",
                f"leads to {target!r}: it begins with 'out' or the name of an input",
            )
        inside = [one for one in spec.paths if path.startswith(f"{one}/")]
        if inside:
            raise invalid(f"paths.{path}", f"is inside of {inside[0]!r}, which is shown as a whole")


def _check_batch(spec: PipelineSpec) -> None:
    """Refuse a batch in which files of two repos would lie in one folder."""
    if spec.datums.batch is None:
        return
    for key, leaf in keyed_inputs(spec).items():
        if key != leaf.name:
            raise invalid(
                "datums.batch",
                f"would put two repos into the folder {leaf.name!r}; tell them apart with 'as'",
            )
    if isinstance(spec.code, QueryCode):
        raise invalid("datums.batch", "means nothing to an ingest, which reads no files")


def _parse_whole_input(raw: Any) -> Input | None:
    if raw == "none":
        return None
    given = _parse_input(raw, "input")
    try:
        check_algebra(given, "input")
    except MisfitError as misfit:
        raise invalid(misfit.place, misfit.why) from misfit
    return given


def _parse_input(raw: dict[str, Any], place: str) -> Input:
    ((kind, body),) = raw.items()
    place = f"{place}.{kind}"
    if kind == "repo":
        return _parse_repo_input(body, place)
    if kind == "cron":
        zone = body.get("zone", DEFAULT_ZONE)
        at_place(f"{place}.zone", find_zone, zone)
        return CronInput(
            at_place(f"{place}.name", check_input_name, body.get("name", "tick")),
            at_place(f"{place}.schedule", parse_schedule, body["schedule"]).text,
            zone,
            CatchUp(body.get("catch_up", CatchUp.ONE)),
        )
    parts = (_parse_input(one, f"{place}[{index}]") for index, one in enumerate(body))
    return COMBINATIONS[kind](tuple(parts))


def _parse_repo_input(raw: dict[str, Any], place: str) -> RepoInput:
    name = at_place(f"{place}.name", check_repo_name, raw["name"])
    written = raw["glob"]
    globs = [written] if isinstance(written, str) else written
    glob = at_place(f"{place}.glob", parse_glob, globs[0])
    for key in ("on", "by"):
        if key in raw:
            at_place(
                f"{place}.{key}",
                lambda template: check_references(template, glob.capture_count, glob.text),
                raw[key],
            )
    if raw.get("empty_files") and raw.get("lazy"):
        raise invalid(f"{place}.lazy", "has nothing to fetch beside empty_files: leave one out")
    return RepoInput(
        name=at_place(f"{place}.as", check_input_name, raw.get("as") or variable_name(name)),
        repo=name,
        glob=glob.text,
        branch=at_place(f"{place}.branch", check_ref_name, raw.get("branch", DEFAULT_BRANCH)),
        exclude=tuple(
            at_place(f"{place}.glob[{index}]", parse_glob, one[1:]).text
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
    at_place(f"{place}.zone", find_zone, zone)
    if not {"commits", "size", "cron"} & set(raw):
        raise invalid(place, "needs one of commits, size and cron")
    return BranchTrigger(
        commits=int(raw["commits"]) if "commits" in raw else None,
        size_bytes=parse_size(raw["size"], f"{place}.size") if "size" in raw else None,
        schedule=at_place(f"{place}.cron", parse_schedule, raw["cron"]).text
        if "cron" in raw
        else "",
        zone=zone,
        needs_all=raw.get("all", False),
    )


def _parse_code(raw: dict[str, Any]) -> Code:
    if "notebook" in raw:
        return NotebookCode(at_place("notebook", _parse_file, raw["notebook"]))
    if "command" in raw:
        return CommandCode(tuple(raw["command"]))
    ingest = raw["ingest"]
    if "query" not in ingest:
        raise invalid("ingest", "lacks 'query'")
    return QueryCode(
        IngestSpec(
            connection=at_place("ingest.connection", check_connection_name, ingest["connection"]),
            query=ingest["query"],
            output="/"
            + at_place("ingest.output", _parse_file, ingest.get("output", "/data.parquet")),
            format=TableFormat(ingest.get("format", "parquet")),
            partition_by=ingest.get("partition_by"),
        )
    )


def _parse_step(raw: dict[str, Any], place: str) -> JobStep:
    if ("command" in raw) == ("notebook" in raw):
        raise invalid(place, "needs exactly one of command and notebook")
    timeout = raw.get("timeout")
    return JobStep(
        NotebookCode(at_place(f"{place}.notebook", _parse_file, raw["notebook"]))
        if "notebook" in raw
        else CommandCode(tuple(raw["command"])),
        DEFAULT_STEP_TIMEOUT_S if timeout is None else parse_duration(timeout, f"{place}.timeout"),
    )


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
        raise invalid(_KEEPING, f"{shown(text)} is longer than a day")
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
        raise invalid(_KEEPING, why)


def _parse_limits(raw: dict[str, Any]) -> DatumLimits:
    memory, cpu, output = raw.get("memory"), raw.get("cpu_time"), raw.get("output")
    return DatumLimits(
        memory_bytes=None if memory is None else parse_size(memory, "resources.memory"),
        cpu_s=None if cpu is None else parse_duration(cpu, "resources.cpu_time"),
        output_bytes=None if output is None else parse_size(output, "resources.output"),
    )


def _parse_placement(raw: dict[str, Any]) -> Placement:
    return Placement(raw.get("cpu"), raw.get("gpu"), tuple(raw.get("labels", ())))


def _parse_expectation(raw: dict[str, Any], place: str) -> Expectation:
    columns = raw.get("columns", {})
    rows = raw.get("rows", {})
    _check_order(rows, f"{place}.rows")
    for name, one in raw.get("ranges", {}).items():
        if not one:
            raise invalid(f"{place}.ranges.{name}", "needs min, max or both")
        _check_order(one, f"{place}.ranges.{name}")
    return Expectation(
        files=at_place(f"{place}.files", parse_glob, raw.get("files", "/**")).text,
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
    return f"{at_place(place, _parse_file, file)}::{function}"


def _check_order(ends: dict[str, Any], place: str) -> None:
    least, most = ends.get("min"), ends.get("max")
    if least is None or most is None:
        return
    if isinstance(least, str) != isinstance(most, str):
        raise invalid(place, f"goes from {shown(least)} to {shown(most)}: a number and a text")
    if least > most:
        raise invalid(place, f"goes from {shown(least)} to {shown(most)}, which is nothing")


def parse_rules(raw: Any) -> tuple[NotifyRule, ...]:
    """Return the rules that a list in YAML or JSON describes, as a spec has them under ``notify``.

    Raises
    ------
    InvalidInputError
        With the place in the list and what is wrong there.
    """
    try:
        error = first_error(raw, RULES_SCHEMA)
        if error is None:
            check_json(raw, "notify")
    except RecursionError as deep:
        raise invalid("notify", "is nested too deeply, or contains itself") from deep
    if error is not None:
        raise invalid(place_of(error, "notify"), explain(error))
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
            raise invalid(misfit.place, misfit.why) from misfit
    return tuple(rules)


def _parse_egress(raw: dict[str, Any]) -> EgressSpec:
    at_place("egress.files", parse_glob, raw.get("files", "/**"))
    return EgressSpec(
        connection=at_place("egress.connection", check_connection_name, raw["connection"]),
        table=raw["table"],
        mode=EgressMode(raw.get("mode", "append")),
        key=tuple(raw.get("key", [])),
        files=raw.get("files", "/**"),
    )
