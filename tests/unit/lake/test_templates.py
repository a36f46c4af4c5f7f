"""Templates as files, rendered against a lake, from Python and from the command line."""

import json

import pytest
import yaml

import jupyter_datalake as dl
from jupyter_datalake.cli.main import main
from jupyter_datalake.errors import InvalidInputError, NotFoundError

TEXT = """
template: copy
arguments:
  source: {type: repo}
  branch: {type: branch, repo: "${{ arguments.source }}", default: main}
  days: {type: int, default: 30, minimum: 1}
  word: {type: str, default: ""}
spec:
  pipeline: copy-${{ arguments.source }}
  input:
    join:
      - repo:
          name: ${{ arguments.source }}
          branch: ${{ arguments.branch }}
          glob: "/(*)"
          on: $1
      - repo: {name: other, glob: "/(*)", on: $1}
  command: ["sh", "copy.sh", "${{ arguments.days }}"]
  files: [copy.sh]
  parameters: {word: "${{ arguments.word }}"}
"""


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "copy.yaml").write_text(TEXT)
    (folder / "copy.sh").write_text("true\n")
    return folder / "copy.yaml"


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    local_lake.repos.create("other")
    return local_lake


def test_a_template_is_loaded_rendered_and_published(lake, place):
    template = dl.Template.load(place)
    assert (template.name, [one.name for one in template.arguments][:2]) == (
        "copy",
        ["source", "branch"],
    )
    spec = template.render(source="raw", word="a: {b")
    pipeline = lake.pipelines.create(spec, folder=template.folder)
    assert pipeline.name == "copy-raw"
    assert pipeline.spec.parameters == {"word": "a: {b"}
    assert pipeline.spec.code.argv == ("sh", "copy.sh", "30")
    assert lake.pipelines.render(place, {"source": "raw", "word": "a: {b"}) == spec


def test_a_repo_or_branch_that_is_not_there_is_told_with_those_that_are(lake, place):
    with pytest.raises(NotFoundError, match=r"'source' names 'rew', which is no repo.*other, raw"):
        lake.pipelines.render(place, {"source": "rew"})
    with pytest.raises(NotFoundError, match=r"'branch' names 'dev'.* branch of 'raw'.*main"):
        lake.pipelines.render(place, {"source": "raw", "branch": "dev"})
    lake.refs.create_branch("raw", "dev")
    made = lake.pipelines.render(place, {"source": "raw", "branch": "dev"})
    assert made["input"]["join"][0]["repo"]["branch"] == "dev"


def test_what_comes_of_a_template_is_checked_as_any_spec_is(lake, place):
    with pytest.raises(InvalidInputError, match=r"spec|pipeline"):
        dl.Template(
            {
                "template": "t",
                "arguments": {"x": {"type": "str"}},
                "spec": {"pipeline": "${{ arguments.x }}", "command": ["true"]},
            }
        ).render(x="../escape")
    with pytest.raises(InvalidInputError, match=r"is code"):
        dl.Template(
            {
                "template": "t",
                "arguments": {"x": {"type": "str"}},
                "spec": {"pipeline": "p", "ingest": {"query_file": "${{ arguments.x }}"}},
            }
        )


def test_a_query_file_is_read_beside_the_template_and_holds_no_free_text(lake, place):
    (place.parent / "q.sql").write_text("SELECT * FROM t LIMIT ${{ arguments.days }}")
    spec = {"pipeline": "q", "ingest": {"connection": "w", "query_file": "q.sql"}}
    raw = {"template": "q", "arguments": {"days": {"type": "int"}}, "spec": spec}
    other = place.parent / "q.yaml"
    other.write_text(yaml.safe_dump(raw))
    made = dl.Template.load(other).render(days=3)
    assert made["ingest"]["query"] == "SELECT * FROM t LIMIT 3"
    (place.parent / "q.sql").write_text("SELECT '${{ arguments.days }}'")
    raw["arguments"]["days"]["type"] = "str"
    other.write_text(yaml.safe_dump(raw))
    with pytest.raises(InvalidInputError, match=r"spec\.ingest\.query is code"):
        dl.Template.load(other)


def test_the_schema_names_the_repos_that_there_are(lake, place):
    schema = lake.pipelines.get_template_schema(place)
    assert schema["properties"]["source"]["examples"] == ["other", "raw"]
    assert schema["required"] == ["source"]


def test_a_folder_of_specs_may_hold_templates_too(lake, place):
    assert lake.pipelines.diff(place.parent) == []


def run(monkeypatch, capfd, lake, *arguments, code=0):
    monkeypatch.setenv("DATALAKE_URL", lake.url)
    monkeypatch.setattr("sys.argv", ["datalake", *map(str, arguments)])
    capfd.readouterr()
    with pytest.raises(SystemExit) as leaving:
        main()
    printed = capfd.readouterr()
    assert leaving.value.code == code, printed
    return printed


def test_templates_on_the_command_line(lake, place, monkeypatch, capfd, tmp_path):
    printed = run(monkeypatch, capfd, lake, "pipelines", "render", place, "--set", "source=raw").out
    spec = yaml.safe_load(printed)
    assert (spec["pipeline"], spec["command"]) == ("copy-raw", ["sh", "copy.sh", "30"])
    told = run(
        monkeypatch,
        capfd,
        lake,
        *("pipelines", "render", place, "--set", "source=raw", "--set", "days=0"),
        code=2,
    ).err
    assert "Argument 'days' has the value 0, where a whole number of at least 1 belongs" in told
    values = tmp_path / "values.yaml"
    values.write_text("source: raw\ndays: 3\nword: from the file\n")
    run(
        monkeypatch,
        capfd,
        lake,
        *("pipelines", "create", "--template", place, "--values", values, "--set", "word=a=b"),
    )
    made = lake.pipelines.get("copy-raw").spec
    assert (made.parameters, made.code.argv[2]) == ({"word": "a=b"}, "3")
    run(
        monkeypatch,
        capfd,
        lake,
        *("pipelines", "update", "--template", place, "--set", "source=raw"),
    )
    assert lake.pipelines.get("copy-raw").spec.parameters == {"word": ""}
    schema = json.loads(
        run(monkeypatch, capfd, lake, "pipelines", "get-template-schema", place).out
    )
    assert schema["properties"]["days"]["minimum"] == 1
    for arguments in (
        ("pipelines", "create"),
        ("pipelines", "create", "-f", place, "--template", place),
        ("pipelines", "create", "-f", place, "--set", "days=1"),
    ):
        run(monkeypatch, capfd, lake, *arguments, code=2)
