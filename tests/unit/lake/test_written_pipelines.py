"""Pipelines written to files of specs: they apply unchanged, and nothing is overwritten."""

import pytest
import yaml

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
)
from tests.unit.lake.test_declared import changes


@pytest.fixture
def lake(memory_lake, tmp_path):
    """A chain of three pipelines with files, and one that has to do with none of them."""
    memory_lake.repos.create("raw")
    source = tmp_path / "source"
    (source / "checks").mkdir(parents=True)
    (source / "helpers.py").write_text("x = 1\n")
    (source / "checks" / "rows.py").write_text("def check(folder):\n    return []\n")
    for name, read in (("a", "raw"), ("b", "a"), ("c", "b"), ("other", "raw")):
        memory_lake.pipelines.create(
            {
                "pipeline": name,
                "input": {"repo": {"name": read, "glob": "/*"}},
                "command": ["true"],
                "files": ["helpers.py", "checks/rows.py"] if name == "b" else [],
            },
            folder=source,
        )
    return memory_lake


def test_what_is_connected_is_written_with_its_files_and_applies_unchanged(lake, tmp_path):
    file = tmp_path / "out" / "b.pipelines.yaml"
    written = lake.pipelines.write(["b"], file, connected=True)
    assert [one.relative_to(file.parent).as_posix() for one in written] == [
        "helpers.py",
        "checks/rows.py",
        "b.pipelines.yaml",
    ]
    assert [one["pipeline"] for one in yaml.safe_load_all(file.read_text())] == ["a", "b", "c"]
    assert (file.parent / "helpers.py").read_text() == "x = 1\n"
    assert changes(lake, file) == [(name, "unchanged") for name in "abc"]
    assert lake.pipelines.write(["b"], file, connected=True) == []


def test_alone_it_is_one_spec(lake, tmp_path):
    file = tmp_path / "out.yaml"
    assert lake.pipelines.write(["c", "other"], file) == [file]
    specs = [*yaml.safe_load_all(file.read_text())]
    assert [one["pipeline"] for one in specs] == ["c", "other"]


def test_what_is_in_the_way_stays_and_nothing_is_written(lake, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    (place / "helpers.py").write_text("mine\n")
    with pytest.raises(AlreadyExistsError, match=r"helpers\.py' is there already") as error:
        lake.pipelines.write(["b"], place / "b.yaml")
    assert error.value.kind is ErrorKind.PATH_EXISTS
    assert [one.name for one in place.iterdir()] == ["helpers.py"]
    assert (place / "helpers.py").read_text() == "mine\n"


def test_links_do_not_lead_outside(lake, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (place / "checks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInputError, match="leads outside"):
        lake.pipelines.write(["b"], place / "b.yaml")
    assert [one.name for one in (tmp_path / "elsewhere").iterdir()] == []


def test_files_of_one_name_that_differ_are_not_mixed(lake, tmp_path):
    source = tmp_path / "second"
    source.mkdir()
    (source / "helpers.py").write_text("x = 2\n")
    lake.pipelines.create(
        {
            "pipeline": "d",
            "input": {"repo": {"name": "c", "glob": "/*"}},
            "command": ["true"],
            "files": ["helpers.py"],
        },
        folder=source,
    )
    with pytest.raises(InvalidInputError, match=r"'helpers\.py' was published with b and with d"):
        lake.pipelines.write(["b"], tmp_path / "out.yaml", connected=True)
    assert not (tmp_path / "out.yaml").exists()


def test_a_name_that_is_none_or_no_pipeline_is_told(lake, tmp_path):
    with pytest.raises(NotFoundError, match="nobody"):
        lake.pipelines.write(["nobody"], tmp_path / "out.yaml")
    with pytest.raises(InvalidInputError, match="no name for a file of specs"):
        lake.pipelines.write(["a"], tmp_path / "out.txt")
