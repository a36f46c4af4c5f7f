"""Several notebooks that are promoted together: which feeds which."""

from pathlib import Path

import nbformat
import pytest

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.jobs.chaining import NotebookFile, draft_chain
from jupyter_datalake.jobs.helpers import FolderBeside
from jupyter_datalake.jobs.notebooks import parse_notebook
from jupyter_datalake.jobs.proposals import ObservedFile
from jupyter_datalake.model.lineage import AccessKind
from jupyter_datalake.model.pipeline_specs import parse_spec


def notebook(name, parameters, observed=(), folder="/home/ada/work"):
    cell = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    data = nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode()
    parsed = parse_notebook(data, name)
    return NotebookFile(
        f"{folder}/{name}", parsed, beside=FolderBeside(Path("/nowhere"), None), observed=observed
    )


def chain(*notebooks, repos=("raw",), is_kept=lambda _: False):
    """Return the specs in their order; each is one that can be published."""
    drafts = draft_chain(notebooks, mountpoint="/home/ada/lake", repos=set(repos), is_kept=is_kept)
    for draft in drafts:
        parse_spec(draft.spec)
    return {draft.spec["pipeline"]: draft for draft in drafts}


def reads(draft):
    given = draft.spec["input"]
    return [one["repo"] for one in given.get("cross", [given])]


def test_what_one_names_as_output_and_another_as_input_ties_them():
    found = chain(
        notebook("report.ipynb", 'features = "../lake/features"\nout = "../lake/report"'),
        notebook("features.ipynb", 'clean = "../lake/clean/c.csv"\nout = "../lake/features"'),
        notebook("clean.ipynb", 'raw = "../lake/raw"\nout = "../lake/clean"\nn = 3'),
    )
    assert list(found) == ["clean", "features", "report"]
    (place,) = reads(found["features"])
    assert (place["name"], place["glob"], place["give"]) == ("clean", "/c.csv", "match")
    assert found["clean"].spec["parameters"] == {"n": 3}
    assert [draft.notes for draft in found.values()] == [(), (), ()]


def test_a_folder_of_the_disk_ties_them_too():
    found = chain(
        notebook("model.ipynb", 'table = "../data/clean/t.parquet"\nday = "2026-01-01"'),
        notebook("clean.ipynb", 'raw = "../lake/raw"\nout = "../data/clean"'),
    )
    assert list(found) == ["clean", "model"]
    assert reads(found["model"]) == [
        {"name": "clean", "glob": "/t.parquet", "as": "table", "give": "match"}
    ]
    assert found["model"].spec["parameters"] == {"day": "2026-01-01"}
    assert [one.name for one in found["model"].parameters] == ["day"]
    assert "'table' is what clean writes" in found["model"].notes
    assert not any("choose the inputs" in note for note in found["model"].notes)


def test_a_repo_that_one_was_seen_to_write_is_read_from_its_pipeline():
    wrote = [ObservedFile(AccessKind.WRITE, "scratch", "main", "x.csv")]
    found = chain(
        notebook("second.ipynb", 'scratch = "../lake/scratch"\nout = "out"'),
        notebook("first.ipynb", 'raw = "../lake/raw"\nout = "out"', observed=wrote),
        repos=("raw", "scratch"),
        is_kept=lambda name: name == "scratch",
    )
    assert list(found) == ["first", "second"]
    assert reads(found["second"]) == [{"name": "first", "glob": "/", "as": "scratch"}]
    assert any("which was seen to write scratch@main" in one for one in found["second"].notes)


def test_a_repo_that_several_were_seen_to_write_is_left_to_the_person():
    wrote = [ObservedFile(AccessKind.WRITE, "scratch", "main", "x.csv")]
    found = chain(
        notebook("c.ipynb", 'scratch = "../lake/scratch"\nout = "../lake/c"'),
        notebook("a.ipynb", 'raw = "../lake/raw"\nout = "../lake/a"', observed=wrote),
        notebook("b.ipynb", 'raw = "../lake/raw"\nout = "../lake/b"', observed=wrote),
        repos=("raw", "scratch"),
    )
    assert [one["name"] for one in reads(found["c"])] == ["scratch"]
    assert "a and b write to scratch@main: choose which to read" in found["c"].notes


def test_an_output_folder_that_several_have_ties_nobody():
    found = chain(
        notebook("a.ipynb", 'raw = "../lake/raw"\nout = "out"'),
        notebook("b.ipynb", 'raw = "../lake/raw"\nout = "out"'),
        notebook("c.ipynb", 'raw = "../lake/raw"\ntable = "out/t.csv"\nout = "../lake/c"'),
    )
    assert found["c"].spec["parameters"] == {"table": "out/t.csv"}


def test_a_circle_is_named():
    with pytest.raises(InvalidInputError, match="wait for each other: a → b → a"):
        chain(
            notebook("a.ipynb", 'b = "../lake/b"\nout = "../lake/a"'),
            notebook("b.ipynb", 'a = "../lake/a"\nout = "../lake/b"'),
        )


def test_two_notebooks_that_would_be_one_pipeline_are_named():
    with pytest.raises(
        InvalidInputError, match=r"Both 'a.ipynb' and 'b.ipynb' would become the pipeline 'x'"
    ):
        chain(notebook("a.ipynb", 'out = "../lake/x"'), notebook("b.ipynb", 'out = "../lake/x"'))
