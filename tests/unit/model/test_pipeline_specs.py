"""Pipeline specs: what a document becomes, and one clear line for each mistake."""

import json
from dataclasses import replace
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError
from jupyter_datalake.model.expectations import Expectation, Range
from jupyter_datalake.model.ids import variable_name
from jupyter_datalake.model.notifications import (
    RULE_OCCASIONS,
    Email,
    InJupyter,
    NotifyCommand,
    NotifyRule,
    Occasion,
    Webhook,
)
from jupyter_datalake.model.pipeline_schema import PIPELINE_SCHEMA
from jupyter_datalake.model.pipeline_specs import parse_spec, parse_stored_spec
from jupyter_datalake.model.pipelines import (
    BranchTrigger,
    CommandCode,
    CronInput,
    CrossInput,
    DatumLimits,
    DatumPolicy,
    ExecutorKind,
    GroupInput,
    JobStep,
    JoinInput,
    NotebookCode,
    OnError,
    Packages,
    PipelineSpec,
    Placement,
    QueryCode,
    RepoInput,
    UnionInput,
    keyed_inputs,
    repo_inputs,
)
from jupyter_datalake.model.spec_values import parse_duration
from jupyter_datalake.model.warehouse import EgressMode, EgressSpec, IngestSpec, TableFormat
from jupyter_datalake.model.written_specs import spec_as_dict

SMALL = {"pipeline": "p", "notebook": "n.ipynb"}


def reads(repo, **more):
    return {"repo": {"name": repo, "glob": "/*", **more}}


def keyed(repo, **more):
    return reads(repo, **{"glob": "/(*).csv", "on": "$1", **more})


def grouped(repo):
    return reads(repo, glob="/(*).csv", by="$1")


def test_a_whole_spec_becomes_its_value():
    spec = parse_spec(
        yaml.safe_load(
            """
            pipeline: features
            description: engineer churn features
            input:
              cross:
                - repo: {name: clean, branch: dev, glob: "/*.parquet"}
                - repo: {name: calendar, glob: /, as: days}
            notebook: features.ipynb
            parameters: {window_days: 30, names: [a, b]}
            files: [helpers/util.py]
            environment: {kernel: ir}
            datums: {tries: 5, timeout: 10m}
            parallelism: 4
            egress: {connection: dwh, table: out_table, mode: merge, key: [id], files: "/*.csv"}
            """
        )
    )
    assert spec == PipelineSpec(
        name="features",
        description="engineer churn features",
        input=CrossInput(
            (
                RepoInput("clean", "clean", "/*.parquet", "dev"),
                RepoInput("days", "calendar", "/", "main"),
            )
        ),
        code=NotebookCode("features.ipynb"),
        parameters={"window_days": 30, "names": ["a", "b"]},
        files=("helpers/util.py",),
        kernel="ir",
        datums=DatumPolicy(5, 600.0),
        parallelism=4,
        egress=EgressSpec("dwh", "out_table", EgressMode.MERGE, ("id",), "/*.csv"),
    )


def test_an_environment_of_its_own_is_a_file_or_a_list_of_requirements():
    own = {"requirements": "requirements.txt", "python": "3.12"}
    spec = parse_spec({**SMALL, "environment": own})
    assert spec.packages == Packages(file="requirements.txt", python="3.12")
    assert spec_as_dict(spec)["environment"] == own
    listed = parse_spec({**SMALL, "environment": {"requirements": ["numpy>=2", "pandas"]}})
    assert listed.packages == Packages(("numpy>=2", "pandas"))
    assert parse_stored_spec(spec_as_dict(listed)) == listed
    bare = parse_spec({**SMALL, "environment": {"python": "3.11"}})
    assert bare.packages == Packages(python="3.11")
    assert parse_spec(SMALL).packages is None


BAD = [
    ({**SMALL, "environment": {"requirements": 5}}, "environment.requirements", "5"),
    ({**SMALL, "environment": {"requirements": [""]}}, "environment.requirements[0]", "''"),
    ({**SMALL, "environment": {"requirements": "../r.txt"}}, "environment.requirements", ".."),
    ({**SMALL, "environment": {"python": "2.7"}}, "environment.python", "'2.7'"),
    ({**SMALL, "environment": {"python": 3.12}}, "environment.python", "3.12"),
    ({**SMALL, "environment": {"kernel": "ir", "requirements": ["x"]}}, "environment", "'ir'"),
    # what is wrong, the place that is named, and a word of the value or of the remedy
    (None, "the spec", "a map belongs"),
    ([], "the spec", "a map belongs"),
    ("text", "the spec", "'text'"),
    ({}, "the spec", "lacks 'pipeline'"),
    ({"pipeline": "p"}, "the spec", "exactly one of notebook, command and ingest"),
    ({**SMALL, "command": ["x"]}, "the spec", "exactly one of notebook, command and ingest"),
    ({**SMALL, "pipeline": 5}, "pipeline", "5"),
    ({**SMALL, "pipeline": "Big"}, "pipeline", "'Big'"),
    ({**SMALL, "pipeline": "p\n"}, "pipeline", "'p\\n'"),
    ({**SMALL, "pipeline": "a.code"}, "pipeline", "'.code'"),
    ({**SMALL, "pipeline": "x" * 60}, "pipeline", "too long"),
    ({**SMALL, "colour": "red"}, "the spec", "'colour'"),
    ({**SMALL, 1: "x", "b": 2}, "the spec", "unknown key"),
    ({**SMALL, None: "x"}, "the spec", "None"),
    ({**SMALL, "notebook": 7}, "notebook", "7"),
    ({**SMALL, "notebook": ""}, "notebook", "too short"),
    ({**SMALL, "notebook": "/"}, "notebook", "names no file"),
    ({**SMALL, "notebook": "../n.ipynb"}, "notebook", "'..'"),
    ({"pipeline": "p", "command": []}, "command", "too short"),
    ({"pipeline": "p", "command": "rm -rf"}, "command", "a list belongs"),
    ({"pipeline": "p", "command": ["a", 1]}, "command[1]", "1"),
    ({**SMALL, "input": {}}, "input", "exactly one of repo, cron, cross, union, join, group"),
    ({**SMALL, "input": {"onion": []}}, "input", "'onion'"),
    ({**SMALL, "input": {"union": []}}, "input.union", "too short"),
    ({**SMALL, "input": {"group": []}}, "input.group", "too short"),
    ({**SMALL, "input": {"join": [keyed("a")]}}, "input.join", "too short"),
    ({**SMALL, "input": "nothing"}, "input", "'nothing'"),
    ({**SMALL, "input": reads("a", glob=[])}, "input.repo.glob", "too short"),
    ({**SMALL, "input": reads("a", glob=["!/x"])}, "input.repo.glob[0]", "'!/x'"),
    (
        {**SMALL, "input": reads("a", glob=["/*", "/x"])},
        "input.repo.glob[1]",
        "takes something away",
    ),
    ({**SMALL, "input": reads("a", glob=["/*", "!/[z-a]"])}, "input.repo.glob[1]", "column 2"),
    ({**SMALL, "input": reads("a", glob="/(*")}, "input.repo.glob", "column 2"),
    ({**SMALL, "input": keyed("a")}, "input.repo.on", "inside a join"),
    ({**SMALL, "input": reads("a", by="$1", glob="/(*)")}, "input.repo.by", "inside a group"),
    ({**SMALL, "input": reads("a", outer=True)}, "input.repo.outer", "inside a join"),
    (
        {**SMALL, "input": {"join": [keyed("a"), keyed("b", on="$2")]}},
        "input.join[1].repo.on",
        "has one capture, $1",
    ),
    (
        {**SMALL, "input": {"join": [keyed("a"), keyed("b", on="x")]}},
        "input.join[1].repo.on",
        "names no capture",
    ),
    (
        {**SMALL, "input": {"join": [keyed("a"), keyed("b", glob="/*")]}},
        "input.join[1].repo.on",
        "captures nothing",
    ),
    ({**SMALL, "input": {"join": [keyed("a"), reads("b")]}}, "input.join[1]", "nothing to compare"),
    (
        {**SMALL, "input": {"join": [keyed("a"), {"cron": {"schedule": "@daily"}}]}},
        "input.join[1]",
        "nothing to compare",
    ),
    ({**SMALL, "input": {"group": [keyed("a")]}}, "input.group[0].repo.on", "inside a join"),
    (
        {**SMALL, "input": {"join": [{"cross": [keyed("a"), keyed("b")]}, keyed("c")]}},
        "input.join[1]",
        "by 1 of 'on' and input.join[0] by 2",
    ),
    ({**SMALL, "input": {"join": [keyed("x/a"), keyed("y/a")]}}, "input.join", "named 'a'"),
    (
        {**SMALL, "input": {"cross": [reads("b"), {"union": [reads("x/a"), reads("b")]}]}},
        "input.cross",
        "named 'b'",
    ),
    (
        {**SMALL, "input": {"group": [{"union": [grouped("x/a"), grouped("y/a")]}]}},
        "input.group[0].union",
        "named 'a'",
    ),
    (
        {
            **SMALL,
            "input": {
                "union": [{"cron": {"schedule": "@daily"}}, {"cron": {"schedule": "@weekly"}}]
            },
        },
        "input",
        "one of them a clock",
    ),
    (
        {**SMALL, "input": {**reads("a"), "cron": {"schedule": "@daily"}}},
        "input",
        "exactly one of repo, cron, cross, union, join, group",
    ),
    ({**SMALL, "input": {"repo": {"name": "a"}}}, "input.repo", "lacks 'glob'"),
    ({**SMALL, "input": {"repo": {"glob": "/"}}}, "input.repo", "lacks 'name'"),
    ({**SMALL, "input": reads("Raw")}, "input.repo.name", "'Raw'"),
    ({**SMALL, "input": reads("a", glob="*")}, "input.repo.glob", "'*'"),
    ({**SMALL, "input": reads("a", glob="/[z-a]")}, "input.repo.glob", "column 2"),
    ({**SMALL, "input": reads("a", branch="HEAD")}, "input.repo.branch", "'HEAD'"),
    ({**SMALL, "input": reads("a", **{"as": "out"})}, "input.repo.as", "'out'"),
    ({**SMALL, "input": reads("a", **{"as": "class"})}, "input.repo.as", "'class'"),
    ({**SMALL, "input": reads("out")}, "input.repo.as", "'out'"),
    ({**SMALL, "input": reads("a", colour=1)}, "input.repo", "'colour'"),
    ({**SMALL, "input": {"cron": {}}}, "input.cron", "lacks 'schedule'"),
    ({**SMALL, "input": {"cron": {"schedule": "61 * * * *"}}}, "input.cron.schedule", "61 *"),
    ({**SMALL, "input": {"cron": {"schedule": "@reboot"}}}, "input.cron.schedule", "@reboot"),
    ({**SMALL, "input": {"cross": [reads("a")]}}, "input.cross", "too short"),
    (
        {**SMALL, "input": {"cross": [reads("a"), reads("b", glob="x")]}},
        "input.cross[1].repo.glob",
        "'x'",
    ),
    ({**SMALL, "input": {"cross": [reads("x/a"), reads("y/a")]}}, "input.cross", "named 'a'"),
    ({**SMALL, "parameters": [1]}, "parameters", "a map belongs"),
    ({**SMALL, "parameters": {"a-b": 1}}, "parameters", "'a-b'"),
    ({**SMALL, "parameters": {"a\n": 1}}, "parameters", "'a\\n'"),
    ({**SMALL, "parameters": {"class": 1}}, "parameters", "'class'"),
    ({**SMALL, "parameters": {"out": 1}}, "parameters", "'out'"),
    ({**SMALL, "input": reads("a"), "parameters": {"a": 1}}, "parameters", "'a'"),
    ({**SMALL, "parameters": {"day": date(2026, 1, 31)}}, "parameters.day", "2026"),
    ({**SMALL, "parameters": {"x": {1: "a"}}}, "parameters.x", "1"),
    (
        {**SMALL, "parameters": {"x": [1, {"y": 2**64}]}},
        "parameters.x[1].y",
        "18446744073709551616",
    ),
    ({**SMALL, "parameters": {"x": float("nan")}}, "parameters.x", "nan"),
    ({**SMALL, "parameters": {"x": b"raw"}}, "parameters.x", "b'raw'"),
    ({**SMALL, "parameters": {"x": "\ud800"}}, "parameters.x", "no Unicode"),
    ({**SMALL, "description": "\udcff"}, "description", "no Unicode"),
    ({**SMALL, "files": ["/"]}, "files[0]", "names no file"),
    ({**SMALL, "files": ["ok.py", "a\0b"]}, "files[1]", "NUL"),
    ({"pipeline": "p", "command": ["x", "a\0b"]}, "command[1]", "NUL"),
    ({**SMALL, "parameters": {"x": ["a\0b"]}}, "parameters.x[0]", "NUL"),
    ({**SMALL, "environment": {"kernel": 3}}, "environment.kernel", "3"),
    ({**SMALL, "datums": {"tries": 0}}, "datums.tries", "0"),
    ({**SMALL, "input": reads("a", trigger={})}, "input.repo.trigger", "one of commits, size"),
    ({**SMALL, "input": reads("a", trigger={"all": True})}, "input.repo.trigger", "one of commits"),
    ({**SMALL, "input": reads("a", trigger={"commits": 0})}, "input.repo.trigger.commits", "0"),
    ({**SMALL, "input": reads("a", trigger={"size": "1G"})}, "input.repo.trigger.size", "'1G'"),
    ({**SMALL, "input": reads("a", trigger={"size": "0GB"})}, "input.repo.trigger.size", "'0GB'"),
    ({**SMALL, "input": reads("a", trigger={"cron": "x"})}, "input.repo.trigger.cron", "'x'"),
    (
        {**SMALL, "input": reads("a", trigger={"cron": "@daily", "zone": "Mars/X"})},
        "input.repo.trigger.zone",
        "'Mars/X'",
    ),
    (
        {**SMALL, "input": {"union": [reads("a"), reads("a", trigger={"commits": 2})]}},
        "input",
        "two triggers",
    ),
    ({**SMALL, "datums": {"batch": 0}}, "datums.batch", "0"),
    (
        {
            **SMALL,
            "datums": {"batch": 2},
            "input": {"union": [reads("x/a"), reads("y/a")]},
        },
        "datums.batch",
        "two repos into the folder 'a'",
    ),
    (
        {**SMALL, "input": {"union": [reads("a"), reads("a", empty_files=True)]}},
        "input",
        "one has empty_files",
    ),
    (
        {**SMALL, "input": {"union": [reads("a"), reads("a", give="match")]}},
        "input",
        "one has give: match",
    ),
    (
        {**SMALL, "input": {"group": [reads("a", glob="/(*)", by="$1", give="match")]}},
        "input.group[0].repo.give",
        "a group has several",
    ),
    (
        {**SMALL, "input": {"union": [reads("a"), reads("a", lazy=True)]}},
        "input",
        "one has lazy",
    ),
    (
        {**SMALL, "input": reads("a", lazy=True, empty_files=True)},
        "input.repo.lazy",
        "nothing to fetch beside empty_files",
    ),
    ({**SMALL, "input": reads("a", lazy="yes")}, "input.repo.lazy", "'yes'"),
    ({**SMALL, "datums": {"tries": True}}, "datums.tries", "True"),
    ({**SMALL, "datums": {"backoff": "0s"}}, "datums.backoff", "'0s'"),
    ({**SMALL, "timeout": "0s"}, "timeout", "'0s'"),
    ({**SMALL, "resources": {"cpu_time": "0s"}}, "resources.cpu_time", "'0s'"),
    ({**SMALL, "executor": "cloud"}, "executor", "known are local, dask"),
    ({**SMALL, "resources": {"gpu": 0}}, "resources.gpu", "more than 0"),
    ({**SMALL, "resources": {"labels": ["Big Disk"]}}, "resources.labels[0]", "a resource's name"),
    ({**SMALL, "resources": {"memory": "much"}}, "resources.memory", "where a size belongs"),
    ({**SMALL, "datums": {"timeout": "soon"}}, "datums.timeout", "'soon'"),
    ({**SMALL, "datums": {"timeout": "0s"}}, "datums.timeout", "'0s'"),
    ({**SMALL, "datums": {"timeout": "9" * 400 + "d"}}, "datums.timeout", "999"),
    ({**SMALL, "datums": {"timeout": "0.0001ms"}}, "datums.timeout", "0.0001ms"),
    ({**SMALL, "parallelism": 0}, "parallelism", "0"),
    ({**SMALL, "parallelism": "many"}, "parallelism", "'many'"),
    ({**SMALL, "egress": {"table": "t"}}, "egress", "lacks 'connection'"),
    ({**SMALL, "egress": {"connection": "c", "table": "t", "mode": "x"}}, "egress.mode", "'x'"),
    ({**SMALL, "egress": {"connection": "c", "table": "t", "mode": "merge"}}, "egress", "'key'"),
    ({**SMALL, "egress": {"connection": "1", "table": "t"}}, "egress.connection", "'1'"),
    ({**SMALL, "egress": {"connection": "c", "table": "t", "files": "x"}}, "egress.files", "'x'"),
    ({"pipeline": "p", "ingest": {"connection": "c"}}, "ingest", "lacks 'query'"),
    (
        {"pipeline": "p", "ingest": {"connection": "c", "query": "q", "format": "xls"}},
        "ingest.format",
        "'xls'",
    ),
    (
        {"pipeline": "p", "ingest": {"connection": "c", "query": "q", "output": "/"}},
        "ingest.output",
        "names no file",
    ),
    (
        {"pipeline": "p", "ingest": {"connection": "c", "query": "q"}, "input": reads("a")},
        "ingest",
        "no repo input",
    ),
]


@pytest.mark.parametrize(("raw", "place", "word"), BAD, ids=[f"{one[1]} {one[2]}" for one in BAD])
def test_each_mistake_is_one_line_with_place_and_value(raw, place, word):
    with pytest.raises(InvalidInputError) as caught:
        parse_spec(raw)
    message = caught.value.message
    assert message.startswith(f"Pipeline spec: {place}")
    assert word in message
    assert "\n" not in message
    assert len(message) < 300
    assert caught.value.context["place"] == place


def test_a_pipeline_that_reads_itself_is_a_cycle():
    with pytest.raises(InvalidInputError) as caught:
        parse_spec({**SMALL, "input": reads("p", **{"as": "x"})})
    assert caught.value.kind is ErrorKind.PIPELINE_CYCLE
    assert caught.value.context["cycle"] == ["p", "p"]


def test_a_document_that_contains_itself_is_refused():
    raw = yaml.safe_load("&spec {pipeline: p, notebook: n.ipynb, input: {cross: [*spec, *spec]}}")
    raw["input"]["cross"] = [raw["input"], raw["input"]]
    with pytest.raises(InvalidInputError):
        parse_spec(raw)


def test_grammar_errors_keep_their_own_kind():
    for raw, kind in (
        ({**SMALL, "input": reads("a", glob="/[")}, ErrorKind.INVALID_GLOB),
        ({**SMALL, "input": {"cron": {"schedule": "x"}}}, ErrorKind.INVALID_CRON),
        ({**SMALL, "pipeline": "a."}, ErrorKind.INVALID_NAME),
        ({**SMALL, "colour": 1}, ErrorKind.INVALID_SPEC),
    ):
        with pytest.raises(InvalidInputError) as caught:
            parse_spec(raw)
        assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("500MB", 500_000_000), ("1GiB", 1 << 30), ("1.5kB", 1500), ("0.5KiB", 512)],
)
def test_sizes_are_read_with_their_units(text, size):
    spec = parse_spec({**SMALL, "input": reads("a", trigger={"size": text})})
    assert spec.input.trigger == BranchTrigger(size_bytes=size)


def test_alternatives_of_a_union_may_share_a_name():
    spec = parse_spec({**SMALL, "input": {"union": [reads("x/a"), reads("y/a"), reads("x/a")]}})
    assert [leaf.repo for leaf in repo_inputs(spec)] == ["x/a", "y/a", "x/a"]
    assert {key: leaf.repo for key, leaf in keyed_inputs(spec).items()} == {
        "a": "x/a",
        "a.2": "y/a",
    }


def test_none_is_an_input_like_one_left_out():
    assert parse_spec({**SMALL, "input": "none"}) == parse_spec(SMALL)
    assert "input" not in spec_as_dict(parse_spec({**SMALL, "input": "none"}))


def test_a_list_of_globs_takes_away_and_is_written_as_a_list_again():
    spec = parse_spec({**SMALL, "input": reads("a", glob=["/**", "!/tmp", "!/**/*.bak"])})
    assert spec.input == RepoInput("a", "a", "/**", exclude=("/tmp", "/**/*.bak"))
    assert spec_as_dict(spec)["input"]["repo"]["glob"] == ["/**", "!/tmp", "!/**/*.bak"]


def test_whole_numbers_written_as_floats_are_whole_numbers():
    spec = parse_spec({**SMALL, "datums": {"tries": 3.0}, "parallelism": 2.0})
    assert type(spec.datums.tries) is int
    assert type(spec.parallelism) is int


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1ms", 0.001), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("12d", 1036800), ("0.25s", 0.25)],
)
def test_durations_are_exact_to_the_millisecond(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("repo", "variable"),
    [("raw", "raw"), ("team/daily-sales.eu", "daily_sales_eu"), ("2026", "_2026"), ("a.b", "a_b")],
)
def test_inputs_are_named_after_their_repo(repo, variable):
    assert variable_name(repo) == variable


def test_a_kernel_is_kept_for_so_long_and_no_longer_than_a_day():
    spec = parse_spec({**SMALL, "datums": {"keep_failed": "15m"}})
    assert spec.datums.keep_failed_s == 900
    assert parse_spec(spec_as_dict(spec)) == spec
    assert parse_spec(SMALL).datums.keep_failed_s is None
    with pytest.raises(InvalidInputError, match=r"keep_failed.*'25h' is longer than a day"):
        parse_spec({**SMALL, "datums": {"keep_failed": "25h"}})


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"environment": {"fork": False}}, "kernels that are forked"),
        ({"environment": {"requirements": ["numpy"]}}, "kernels that are forked"),
        ({"executor": "dask"}, "not on Dask"),
        ({"notebook": None, "command": ["true"]}, "runs no notebook"),
    ],
)
def test_kernels_that_cannot_be_kept_are_refused_with_the_reason(more, why):
    raw = {**SMALL, "datums": {"keep_failed": "15m"}, **more}
    raw = {name: value for name, value in raw.items() if value is not None}
    with pytest.raises(InvalidInputError, match=f"datums.keep_failed.*{why}"):
        parse_spec(raw)


def test_the_published_schema_is_json():
    assert json.loads(json.dumps(PIPELINE_SCHEMA)) == PIPELINE_SCHEMA


# --- round trip ----------------------------------------------------------------------------------


def _text(**sizes):
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), **sizes)


_names = st.sampled_from(["a", "raw", "team/raw", "x-1", "a.b"])
_variables = st.sampled_from(["x", "y_1", "Z", "days", "v"])
_globs = st.sampled_from(["/", "/*", "/**/*.csv", "/{a,b}", "/data/"])
_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        _text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


_triggers = st.builds(
    BranchTrigger,
    commits=st.integers(1, 1000),
    size_bytes=st.one_of(st.none(), st.integers(1, 2**50)),
    schedule=st.sampled_from(["", "@daily", "0 6 * * *"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    needs_all=st.booleans(),
)


def _leaf(number):
    return st.one_of(
        st.builds(
            RepoInput,
            st.sampled_from([f"in{number}", f"other{number}"]),
            _names,
            _globs,
            st.sampled_from(["main", "dev"]),
            trigger=st.one_of(st.none(), _triggers),
        ),
        st.builds(CronInput, st.just(f"clock{number}"), st.sampled_from(["@daily", "0 6 * * *"])),
    )


@st.composite
def _inputs(draw):
    leaves = [draw(_leaf(number)) for number in range(draw(st.integers(1, 4)))]
    while len(leaves) > 1:
        count = draw(st.integers(2, len(leaves)))
        combination = draw(st.sampled_from([CrossInput, UnionInput]))
        leaves = [combination(tuple(leaves[:count])), *leaves[count:]]
    return leaves[0]


def _captured(number, **words):
    leaves = st.builds(
        RepoInput,
        st.just(f"k{number}"),
        _names,
        st.sampled_from(["/(*)-*.csv", "/(**)/(?)", "/{(a),b}"]),
        exclude=st.sampled_from([(), ("/tmp/**", "/b")]),
        gives_match=st.booleans() if "by" not in words else st.just(False),
        **words,
    )
    options = st.sampled_from([{}, {"is_empty": True}, {"is_lazy": True}])
    return st.builds(lambda leaf, options: replace(leaf, **options), leaves, options)


@st.composite
def _joins(draw):
    words = {"on": st.sampled_from(["$1", "x${1}/$1"]), "is_outer": st.booleans()}
    leaves = [draw(_captured(number, **words)) for number in range(4)]
    pairs = (UnionInput(tuple(leaves[:2])), JoinInput(tuple(leaves[2:])))
    return JoinInput(draw(st.sampled_from([tuple(leaves), pairs])))


@st.composite
def _groups(draw):
    leaves = tuple(draw(_captured(number, by=st.just("$1"))) for number in range(3))
    whole = GroupInput(leaves)
    return draw(
        st.sampled_from(
            [whole, GroupInput((CrossInput((leaves[0], CronInput("t", "@daily"))), leaves[1]))]
        )
    )


RANGES = [Range(1), Range(None, 2.5), Range("a", "b")]
DURATIONS = st.integers(1, 36525 * 86_400_000).map(lambda milliseconds: milliseconds / 1000)


_steps = st.one_of(
    st.none(),
    st.builds(
        JobStep,
        st.sampled_from([NotebookCode("end.ipynb"), CommandCode(("sh", "-c", "x y"))]),
        DURATIONS,
    ),
)
_channels = st.sampled_from(
    [
        Webhook("https://example.org/x?y=1", key_from="DATALAKE_NOTIFY_KEY"),
        Webhook(url_from="DATALAKE_NOTIFY_CHAT"),
        Email(("ops@example.org", "eve@example.org")),
        NotifyCommand(("say", "x y")),
        InJupyter(),
    ]
)
_rules = st.one_of(
    st.builds(
        NotifyRule,
        _channels,
        st.lists(
            st.sampled_from([one for one in RULE_OCCASIONS if one is not Occasion.LATE]),
            min_size=1,
            unique=True,
        ).map(tuple),
    ),
    st.builds(NotifyRule, _channels, st.just((Occasion.LATE, Occasion.FAILURE)), DURATIONS),
)
_notebooks = st.builds(
    PipelineSpec,
    name=st.sampled_from(["p", "team/p"]),
    input=st.one_of(st.none(), _inputs(), _joins(), _groups()),
    code=st.one_of(
        st.just(NotebookCode("n.ipynb")),
        st.lists(_text(max_size=5), min_size=1, max_size=3).map(
            lambda argv: CommandCode(tuple(argv))
        ),
    ),
    description=_text(max_size=10),
    parameters=st.dictionaries(_variables, _json, max_size=3),
    files=st.lists(st.sampled_from(["a.py", "b/c.py"]), max_size=2).map(tuple),
    kernel=st.sampled_from(["python3", "ir"]),
    datums=st.builds(
        DatumPolicy,
        st.integers(1, 9),
        DURATIONS,
        DURATIONS,
        st.just(OnError.RECOVER),
        st.lists(st.text("ab c", max_size=3), min_size=1, max_size=3).map(tuple),
        st.sampled_from([None, 1, 100]),
    )
    | st.builds(
        DatumPolicy,
        st.integers(1, 9),
        DURATIONS,
        on_error=st.sampled_from([OnError.FAIL, OnError.SKIP]),
        batch=st.sampled_from([None, 1, 100]),
    ),
    parallelism=st.one_of(st.none(), st.integers(1, 100)),
    timeout_s=st.one_of(st.none(), DURATIONS),
    expectations=st.lists(
        st.builds(
            Expectation,
            st.sampled_from(["/**", "/*.csv"]),
            st.dictionaries(st.sampled_from("ab"), st.sampled_from(["", "int64"])),
            st.sampled_from([None, 0, 1]),
            st.sampled_from([None, 1, 5]),
            st.sampled_from([(), ("a",), ("a", "b c")]),
            st.sampled_from([(), ("a",)]),
            st.dictionaries(
                st.sampled_from("ab"),
                st.sampled_from([Range(1), Range(None, 2.5), Range("a", "b")]),
            ),
            st.sampled_from(["", "checks.py::one", "a/b.py::_two2"]),
            st.booleans(),
            st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    group=st.sampled_from(["", "etl", "etl/daily"]),
    on_start=_steps,
    finally_=_steps,
    notify=st.one_of(st.none(), st.lists(_rules, max_size=3).map(tuple)),
    limits=st.builds(
        DatumLimits,
        st.one_of(st.none(), st.integers(1, 1 << 40)),
        st.one_of(st.none(), DURATIONS),
        st.one_of(st.none(), st.integers(1, 1 << 40)),
    ),
    executor=st.sampled_from([None, *ExecutorKind]),
    placement=st.builds(
        Placement,
        st.sampled_from([None, 1, 0.5]),
        st.sampled_from([None, 2]),
        st.sampled_from([(), ("eu", "big-disk")]),
    ),
    egress=st.one_of(
        st.none(),
        st.builds(
            EgressSpec,
            st.just("dwh"),
            st.sampled_from(["t", "schema.t"]),
            st.sampled_from(EgressMode),
            st.sampled_from([("id",), ("a", "b")]),
            _globs,
        ),
    ),
)
_queries = st.builds(
    PipelineSpec,
    name=st.just("q"),
    input=st.one_of(st.none(), st.just(CronInput("tick", "@hourly"))),
    code=st.builds(
        QueryCode,
        st.builds(
            IngestSpec,
            st.just("dwh"),
            _text(min_size=1, max_size=20),
            st.sampled_from(["/data.parquet", "/a/b.csv"]),
            st.sampled_from(TableFormat),
            st.one_of(st.none(), st.just("day")),
        ),
    ),
)


@given(st.one_of(_notebooks, _queries))
def test_a_spec_is_read_back_as_it_was_written(spec):
    raw = spec_as_dict(spec)
    assert parse_spec(raw) == spec
    # … also when the database kept it as JSON, and a person as YAML.
    assert parse_spec(json.loads(json.dumps(raw))) == spec
    assert parse_spec(yaml.safe_load(yaml.safe_dump(raw))) == spec
    assert parse_stored_spec(json.loads(json.dumps(raw))) == spec


@pytest.mark.parametrize("raw", [None, [], {}, {"pipeline": "p"}, {"pipeline": 5, "notebook": "n"}])
def test_a_stored_spec_of_another_shape_is_damage(raw):
    with pytest.raises(CorruptDataError):
        parse_stored_spec(raw)
