"""``lake://`` in the code of a job: the datum's folders under the addresses of their branches."""

import pickle

import fsspec
import pandas as pd
import pyarrow.dataset
import pytest

from jupyter_datalake.environment import SHOWN_VARIABLE, URL_VARIABLE
from jupyter_datalake.errors import PathNotFoundError, PermissionDeniedError
from jupyter_datalake.lake.as_of import as_of
from jupyter_datalake.lake.datum_filesystem import DatumFileSystem
from jupyter_datalake.lake.filesystem import LakeFileSystem
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.shown_branches import ShownBranch, shown_as_text


@pytest.fixture
def folder(tmp_path):
    for name, text in (("raw/d/a.csv", "n\n1\n"), ("late/b.csv", "n\n2\n"), ("out/.", "")):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if text:
            place.write_text(text)
    return tmp_path


@pytest.fixture
def datum(folder, monkeypatch):
    """The file system of a datum that reads one branch by two inputs."""
    shown = [
        ShownBranch("raw", "main", "c0ffee", str(folder / "raw")),
        ShownBranch("raw", "main", "c0ffee", str(folder / "late")),
        ShownBranch("gone", "main", "", str(folder / "gone")),
        ShownBranch("p", "main", "", str(folder / "out")),
    ]
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    monkeypatch.setenv(SHOWN_VARIABLE, shown_as_text(shown))
    LakeFileSystem.clear_instance_cache()
    yield fsspec.filesystem("lake")
    LakeFileSystem.clear_instance_cache()


def test_inputs_are_read_by_their_addresses(datum):
    assert isinstance(datum, DatumFileSystem)
    assert pd.read_csv("lake://raw@main/d/a.csv").n.tolist() == [1]
    assert datum.cat("raw@c0ffee/b.csv") == b"n\n2\n"
    assert datum.ls("raw@main", detail=False) == ["raw@main/d", "raw@main/b.csv"]
    assert datum.find("raw@main") == ["raw@main/b.csv", "raw@main/d/a.csv"]
    assert datum.ls("", detail=False) == ["raw@main", "gone@main", "p@main"]
    known = datum.info("raw@main/b.csv")
    assert (known["size"], known["repo"], known["commit"]) == (4, "raw", "c0ffee")
    table = pyarrow.dataset.dataset("raw@main/", filesystem=datum, format="csv").to_table()
    assert sorted(table["n"].to_pylist()) == [1, 2]
    assert pickle.loads(pickle.dumps(datum)).exists("raw@main/b.csv")


def test_what_is_written_to_the_pipelines_own_repo_is_the_output(datum, folder):
    pd.DataFrame({"n": [3]}).to_csv("lake://p@main/deep/c.csv", index=False)
    with datum.transaction, datum.open("p@main/d", "wb") as file:
        file.write(b"d")
    datum.copy("raw@main/d", "p@main/copied", recursive=True)
    written = {one.name: one.read_text() for one in (folder / "out").rglob("*") if one.is_file()}
    assert written == {"c.csv": "n\n3\n", "d": "d", "a.csv": "n\n1\n"}
    datum.rm("p@main/d")
    assert not (folder / "out/d").exists()


def test_what_is_no_input_is_refused_with_the_next_step(datum):
    with pytest.raises(PermissionDeniedError, match="no input of the pipeline 'p'") as refused:
        datum.cat("other@main/x")
    assert "name: other" in str(refused.value.hint)
    for address in ("raw@v1/b.csv", "p@dev/d"):
        with pytest.raises(PermissionDeniedError):
            datum.cat(address)
    with pytest.raises(PermissionDeniedError, match="writes to the repo of its name"):
        datum.open("raw@main/b.csv", "wb")
    with pytest.raises(PermissionDeniedError):
        datum.rm("raw@main/b.csv")
    for address in ("raw@main/c.csv", "gone@main/x", "p@main/x"):
        with pytest.raises(PathNotFoundError):
            datum.cat(address)
    assert not datum.exists("raw@main/c.csv")


def test_a_lake_that_the_program_names_is_a_lake(datum, local_lake):
    local_lake.repos.create("other")
    local_lake.files.put("other@main/x", "x")
    named = fsspec.filesystem("lake", lake_url=local_lake.url)
    assert named.cat("other@main/x") == b"x"
    named.lake.close()


def test_the_past_is_no_input(datum):
    with as_of("main~1"), pytest.raises(PermissionDeniedError, match="raw@main~1/b"):
        datum.cat("raw@main/b.csv")


def test_where_no_lake_is_named_there_is_none_and_the_inputs_are_told(datum, tmp_path, monkeypatch):
    with pytest.raises(PermissionDeniedError) as caught:
        Lake.open()
    assert caught.value.message == (
        "A job of 'p' has no lake but its inputs: lake://raw@main/…, lake://gone@main/…"
    )
    assert "lake://p@main/…" in caught.value.hint
    with pytest.raises(PermissionDeniedError):
        Lake.create()
    Lake.create(str(tmp_path / "named")).close()
    monkeypatch.setenv(URL_VARIABLE, str(tmp_path / "named"))
    Lake.open().close()
