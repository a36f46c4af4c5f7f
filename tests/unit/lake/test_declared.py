"""A folder of specs: what it would change, and that doing it makes it so."""

import pytest
import yaml

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.pipelines.templating import Source


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    return memory_lake


def write(folder, name, *repos, file=None, **options):
    leaves = [{"repo": {"name": repo, "glob": "/*"}} for repo in repos]
    spec = {"pipeline": name, "command": ["true"], **options}
    if leaves:
        spec["input"] = leaves[0] if len(leaves) == 1 else {"cross": leaves}
    path = folder / (file or f"{name}.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(spec))


def changes(lake, folder, **options):
    return [
        (one.pipeline, str(one.action), *one.differs)
        for one in lake.pipelines.diff(folder, **options)
    ]


def names(lake):
    return [one.name for one in lake.pipelines.list()]


def test_a_folder_is_made_so_in_the_order_of_what_reads_what(lake, tmp_path):
    write(tmp_path, "a", "b")
    write(tmp_path, "b", "c", file="deep/b.yml")
    write(tmp_path, "c", "raw")
    (tmp_path / "values.yaml").write_text("not: a spec\n")
    (tmp_path / ".hidden").mkdir()
    write(tmp_path, "hidden", "raw", file=".hidden/hidden.yaml")
    expected = [(name, "create") for name in "cba"]
    assert changes(lake, tmp_path) == expected
    assert names(lake) == []
    done = lake.pipelines.apply_all(tmp_path)
    assert [(one.pipeline, str(one.action)) for one in done] == expected
    assert names(lake) == ["a", "b", "c"]
    assert changes(lake, tmp_path) == [(name, "unchanged") for name in "cba"]
    lake.pipelines.apply_all(tmp_path)
    assert [one.version for one in lake.pipelines.list()] == [1, 1, 1]


def test_what_differs_is_named_by_key_of_the_spec_and_by_file(lake, tmp_path):
    (tmp_path / "helper.py").write_text("x = 1\n")
    write(tmp_path, "p", "raw", files=["helper.py"])
    lake.pipelines.apply_all(tmp_path)
    (tmp_path / "helper.py").write_text("x = 2\n")
    write(tmp_path, "p", "raw", files=["helper.py"], priority=3, description="other")
    assert changes(lake, tmp_path) == [("p", "update", "description", "priority", "helper.py")]
    lake.pipelines.apply_all(tmp_path)
    assert lake.pipelines.get("p").version == 2
    assert changes(lake, tmp_path) == [("p", "unchanged")]


def test_pipelines_that_are_not_declared_go_only_when_that_is_asked(lake, tmp_path):
    for name, reads in (("a", "raw"), ("b", "a"), ("c", "b")):
        write(tmp_path, name, reads)
    lake.pipelines.apply_all(tmp_path)
    for name in "bc":
        (tmp_path / f"{name}.yaml").unlink()
    assert changes(lake, tmp_path) == [("a", "unchanged")]
    assert changes(lake, tmp_path, prune=True) == [
        ("a", "unchanged"),
        ("c", "delete"),
        ("b", "delete"),
    ]
    lake.pipelines.apply_all(tmp_path)
    assert names(lake) == ["a", "b", "c"]
    lake.pipelines.apply_all(tmp_path, prune=True)
    assert names(lake) == ["a"]
    assert {"b", "c"} <= {repo.name for repo in lake.repos.list()}


def test_nothing_is_done_where_one_that_would_go_is_at_work(lake, tmp_path):
    write(tmp_path, "a", "raw")
    lake.pipelines.apply_all(tmp_path)
    lake.pipelines.run("a")
    (tmp_path / "a.yaml").unlink()
    write(tmp_path, "b", "raw")
    with pytest.raises(StateError, match="of pipeline 'a' is waiting"):
        lake.pipelines.apply_all(tmp_path, prune=True)
    assert names(lake) == ["a"]


def test_one_spec_is_compared_too(lake, tmp_path):
    write(tmp_path, "a", "raw")
    write(tmp_path, "b", "raw")
    assert changes(lake, tmp_path / "a.yaml") == [("a", "create")]


def test_what_cannot_be_declared_is_refused_by_name_and_nothing_is_done(lake, tmp_path):
    with pytest.raises(PathNotFoundError, match="no file or folder"):
        lake.pipelines.diff(tmp_path / "nowhere")
    write(tmp_path, "a", "b")
    write(tmp_path, "b", "a")
    with pytest.raises(InvalidInputError, match="a → b → a") as caught:
        lake.pipelines.apply_all(tmp_path)
    assert caught.value.kind is ErrorKind.PIPELINE_CYCLE
    write(tmp_path, "b", "raw")
    write(tmp_path, "b", "raw", file="other.yaml")
    with pytest.raises(InvalidInputError, match=r"declared in '.*b.yaml' and in '.*other.yaml'"):
        lake.pipelines.apply_all(tmp_path)
    (tmp_path / "other.yaml").write_text("pipeline: [broken\n")
    with pytest.raises(InvalidInputError, match=r"other.yaml' is not YAML"):
        lake.pipelines.diff(tmp_path)
    assert names(lake) == []


def test_after_an_error_nothing_is_done_and_doing_it_again_does_all(lake, tmp_path):
    write(tmp_path, "a", "raw")
    write(tmp_path, "b", "missing")
    with pytest.raises(NotFoundError, match="'missing', which does not exist") as caught:
        lake.pipelines.apply_all(tmp_path)
    assert caught.value.context["pipeline"] == "b"
    assert (names(lake), [repo.name for repo in lake.repos.list()]) == ([], ["raw"])
    lake.repos.create("missing")
    lake.pipelines.apply_all(tmp_path)
    assert names(lake) == ["a", "b"]


def test_one_that_cannot_be_updated_or_deleted_keeps_the_others_as_they_are(lake, tmp_path):
    for name, reads in (("a", "raw"), ("b", "a"), ("c", "raw")):
        write(tmp_path, name, reads)
    lake.pipelines.apply_all(tmp_path)
    write(tmp_path, "a", "raw", description="newer")
    write(tmp_path, "b", "gone")
    with pytest.raises(NotFoundError, match="'gone'"):
        lake.pipelines.apply_all(tmp_path)
    write(tmp_path, "b", "c")
    write(tmp_path, "c", "a")
    lake.pipelines.run("c")
    (tmp_path / "c.yaml").unlink()
    with pytest.raises(StateError, match="of pipeline 'c' is waiting"):
        lake.pipelines.apply_all(tmp_path, prune=True)
    assert {one.name: one.version for one in lake.pipelines.list()} == {"a": 1, "b": 1, "c": 1}


def test_a_name_that_people_have_files_under_is_refused_before_anything_is_done(lake, tmp_path):
    lake.files.put("raw@main/a", "a")
    lake.repos.create("mine")
    lake.files.put("mine@main/a", "a")
    write(tmp_path, "a", "raw")
    write(tmp_path, "mine", "raw")
    with pytest.raises(AlreadyExistsError, match="repo 'mine' with files of its own"):
        lake.pipelines.apply_all(tmp_path)
    assert names(lake) == []


def test_what_is_published_together_runs_under_one_global_id(lake, tmp_path):
    lake.files.put("raw@main/a", "a")
    for name, reads in (("a", "raw"), ("b", "a"), ("c", "raw")):
        write(tmp_path, name, reads)
    lake.pipelines.apply_all(tmp_path)
    jobs = lake.jobs.list()
    assert sorted(one.pipeline for one in jobs) == ["a", "b", "c"]
    assert len({one.global_id for one in jobs}) == 1


def test_specs_need_no_file(lake, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "helper.py").write_text("x = 1\n")
    reading = {"pipeline": "b", "input": {"repo": {"name": "a", "glob": "/"}}, "command": ["ls"]}
    first = {**reading, "pipeline": "a", "files": ["helper.py"]}
    first["input"] = {"repo": {"name": "raw", "glob": "/"}}
    specs = [Source(reading, tmp_path), Source(first, tmp_path / "one")]
    assert [one.pipeline for one in lake.pipelines.diff(specs)] == ["a", "b"]
    done = lake.pipelines.apply_all(specs)
    assert [str(one.action) for one in done] == ["create", "create"]
    again = lake.pipelines.apply_all(specs[:1])
    assert [(one.pipeline, str(one.action)) for one in again] == [("b", "unchanged")]
    with pytest.raises(InvalidInputError, match="pipelin") as caught:
        lake.pipelines.diff([Source({"pipeline": "x", "pipelin": 1}, tmp_path)])
    assert caught.value.context["pipeline"] == "x"


# --- templates -----------------------------------------------------------------------------------


def write_template(folder, **more):
    template = {
        "template": "copy",
        "arguments": {
            "source": {"type": "repo"},
            "days": {"type": "int", "default": 3, "minimum": 1},
        },
        "spec": {
            "pipeline": "copy-${{ arguments.source }}",
            "command": ["true"],
            "input": {"repo": {"name": "${{ arguments.source }}", "glob": "/*"}},
            "parameters": {"days": "${{ arguments.days }}"},
            **more,
        },
    }
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "copy.yaml").write_text(yaml.safe_dump(template))


def use(folder, name, **arguments):
    text = {"template": "../templates/copy.yaml", "arguments": arguments}
    (folder / "prod").mkdir(exist_ok=True)
    (folder / "prod" / f"{name}.yaml").write_text(yaml.safe_dump(text))


def test_a_file_that_names_a_template_declares_what_that_makes_of_its_arguments(lake, tmp_path):
    lake.repos.create("other")
    write_template(tmp_path)
    use(tmp_path, "one", source="raw", days=7)
    use(tmp_path, "two", source="other")
    write(tmp_path, "plain", "copy-raw")
    done = lake.pipelines.apply_all(tmp_path)
    made = "../templates/copy.yaml"
    assert {one.pipeline: one.template for one in done} == {
        "copy-raw": made,
        "copy-other": made,
        "plain": "",
    }
    assert names(lake) == ["copy-other", "copy-raw", "plain"]
    assert lake.pipelines.get("copy-raw").spec.parameters == {"days": 7}
    assert {action for _, action in changes(lake, tmp_path)} == {"unchanged"}
    write_template(tmp_path, description="Another one")
    assert sorted(changes(lake, tmp_path)) == [
        ("copy-other", "update", "description"),
        ("copy-raw", "update", "description"),
        ("plain", "unchanged"),
    ]
    (tmp_path / "prod" / "two.yaml").unlink()
    assert ("copy-other", "delete") in changes(lake, tmp_path, prune=True)


def test_the_files_of_a_template_lie_beside_it_also_for_one_pipeline(lake, tmp_path):
    write_template(tmp_path, command=["sh", "do.sh"], files=["do.sh"])
    (tmp_path / "templates" / "do.sh").write_text("true\n")
    use(tmp_path, "one", source="raw")
    assert lake.pipelines.create(tmp_path / "prod" / "one.yaml").name == "copy-raw"
    assert lake.files.read("copy-raw.code@main/do.sh") == b"true\n"
    assert changes(lake, tmp_path) == [("copy-raw", "unchanged")]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"source": "raw", "days": 0}, r"'days' has the value 0.*one\.yaml"),
        ({}, r"'source' of template 'copy' is missing.*one\.yaml"),
        ({"source": "raw", "more": 1}, r"has no argument 'more'.*one\.yaml"),
    ],
)
def test_what_arguments_may_not_be_is_told_with_the_file(lake, tmp_path, arguments, why):
    write_template(tmp_path)
    use(tmp_path, "one", **arguments)
    with pytest.raises(InvalidInputError, match=why):
        lake.pipelines.diff(tmp_path)


def test_what_only_looks_like_a_use_of_a_template_is_left_alone(lake, tmp_path):
    (tmp_path / "a.yaml").write_text("template: base\nother: 1\n")
    (tmp_path / "b.yaml").write_text("template: {of: something}\n")
    assert changes(lake, tmp_path) == []
    (tmp_path / "c.yaml").write_text("template: gone.yaml\n")
    with pytest.raises(PathNotFoundError, match=r"gone\.yaml"):
        lake.pipelines.diff(tmp_path)
    (tmp_path / "c.yaml").write_text("template: gone.yaml\nargument: {}\n")
    with pytest.raises(InvalidInputError, match="'argument' was unexpected"):
        lake.pipelines.diff(tmp_path)


def test_a_file_holds_several_specs(lake, tmp_path):
    file = tmp_path / "dag.yaml"
    file.write_text(
        "# all of it\n---\n# second\npipeline: b\ninput: {repo: {name: a, glob: /*}}\n"
        "command: ['true']\n"
        "---\npipeline: a\ninput: {repo: {name: raw, glob: /*}}\ncommand: ['true']\n---\n"
    )
    expected = [("a", "create"), ("b", "create")]
    assert changes(lake, file) == changes(lake, tmp_path) == expected
    lake.pipelines.apply_all(file)
    assert changes(lake, file) == [("a", "unchanged"), ("b", "unchanged")]


def test_one_spec_is_asked_for_and_the_file_holds_two(lake, tmp_path):
    file = tmp_path / "dag.yaml"
    file.write_text("pipeline: a\ncommand: ['true']\n---\npipeline: b\ncommand: ['true']\n")
    with pytest.raises(InvalidInputError, match="There are 2 documents") as error:
        lake.pipelines.create(file)
    assert "apply -f" in error.value.hint
    assert names(lake) == []


def test_a_pipeline_declared_twice_in_a_file_and_a_file_without_any_are_told(lake, tmp_path):
    file = tmp_path / "dag.yaml"
    file.write_text("pipeline: a\ncommand: ['true']\n---\npipeline: a\ncommand: ['true']\n")
    with pytest.raises(InvalidInputError, match=r"'a' is declared in .* and again there"):
        lake.pipelines.diff(file)
    file.write_text("# nothing yet\n")
    with pytest.raises(InvalidInputError, match="There is no spec in"):
        lake.pipelines.diff(file)
