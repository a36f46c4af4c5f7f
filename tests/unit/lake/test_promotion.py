"""A draft of a pipeline takes in what the notebook was seen to do when it ran last."""

import nbformat
import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.lineage import AccessKind, Observation, Observer, SeenBy


@pytest.fixture
def lake(tmp_path):
    with Lake.create(str(tmp_path / "lake")) as lake:
        for name in ("raw", "old"):
            lake.repos.create(name)
            lake.files.put(f"{name}@main/a.csv", "a")
        yield lake


@pytest.fixture
def notebook(tmp_path):
    place = tmp_path / "work" / "sum.ipynb"
    place.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), place)
    return place


def saw(lake, notebook, kernel, repo, at_ns):
    who = Observer(kernel * 32, "host", 7, "ipykernel", kernel, str(notebook))
    head = lake.commits.get(repo, "main").id
    with lake.core.metadata.write() as tx:
        tx.lineage.observe(
            [
                Observation(
                    who, repo, head, "a.csv", AccessKind.READ, None, 1, at_ns, at_ns, SeenBy.READER
                )
            ]
        )


@pytest.mark.parametrize("named", ["absolute", "relative to the root"])
def test_reads_of_the_last_kernel_are_inputs(lake, notebook, tmp_path, named):
    now = lake.core.clock()
    name = notebook if named == "absolute" else notebook.relative_to(tmp_path)
    saw(lake, name, "1", "old", now - 10)
    saw(lake, name, "2", "raw", now)
    saw(lake, tmp_path / "other.ipynb", "3", "old", now + 10)
    draft = lake.pipelines.promote("work/sum.ipynb", root=tmp_path)
    assert [(one.repo, one.path, str(one.sources[0])) for one in draft.places] == [
        ("raw", "a.csv", "observed")
    ]
    assert draft.spec["input"] == {"repo": {"name": "raw", "branch": "main", "glob": "/a.csv"}}


def test_a_notebook_is_found_by_the_name_that_people_give(lake, notebook, tmp_path, monkeypatch):
    saw(lake, notebook, "1", "raw", lake.core.clock())
    monkeypatch.chdir(tmp_path)
    assert len(lake.lineage.observed(notebook="work/sum.ipynb")) == 1
    assert len(lake.lineage.observed(notebook=str(notebook))) == 1
    assert lake.lineage.observed(notebook="sum.ipynb") == []
