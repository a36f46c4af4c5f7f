"""Reopening datums: a folder to mend in by hand what failed, and publishing what was mended."""

import json
import subprocess

import nbformat
import pytest

from jupyter_datalake.errors import AlreadyExistsError, PathNotFoundError, StateError
from jupyter_datalake.jobs.papermill_engine import execute_notebook

CELLS = [
    'raw = "raw"\nout = "out"\nscale = 2',
    'import pathlib\ntext = pathlib.Path(raw, "a").read_text()',
    "from helper import factor",
    'value = int(text) * scale * factor\nprint("value", value)',
    'pathlib.Path(out, "result").write_text(str(value))',
]


@pytest.fixture
def failed(runner):
    """A pipeline whose fourth cell fails, for the input is no number."""
    (runner.folder / "helper.py").write_text("factor = 10\n")
    runner.put(a="twelve")
    runner.notebook("p", CELLS, ("raw", "/"), files=["helper.py"], datums={"tries": 1})
    runner.run()
    assert str(runner.job("p").state) == "failed"
    return runner


def reopened(runner, tmp_path, name="fix", **options):
    return runner.lake.jobs.reopen(runner.job("p").id, folder=tmp_path / name, **options)


def read(folder, notebook="n.ipynb"):
    return nbformat.read(folder / notebook, as_version=4)


def test_the_folder_is_what_the_datum_saw_with_the_notebook_as_far_as_it_came(failed, tmp_path):
    found = reopened(failed, tmp_path)
    folder = tmp_path / "fix"
    assert (folder / "pfs/raw/a").read_text() == "twelve"
    assert (folder / "helper.py").read_text() == "factor = 10\n"
    assert [*(folder / "pfs/out").iterdir()] == []
    node = read(folder)
    assert len(node.cells) == len(CELLS) + 1  # and the parameters of the job
    cell = node.cells[found.failed_cell]
    assert cell.source == CELLS[3]
    assert cell.outputs[-1].ename == "ValueError"
    assert 'raw = "pfs/raw"' in node.cells[1].source
    assert (found.notebook, found.pipeline, found.pipeline_version) == ("n.ipynb", "p", 1)


def test_the_folder_can_be_gone_on_with_and_what_was_mended_becomes_the_next_version(
    failed, tmp_path
):
    found = reopened(failed, tmp_path)
    folder = tmp_path / "fix"
    node = read(folder)
    node.cells[found.failed_cell].source = CELLS[3].replace("int(text)", "len(text)")
    nbformat.write(node, folder / "n.ipynb")
    (folder / "helper.py").write_text("factor = 100\n")
    execute_notebook(
        str(folder / "n.ipynb"), str(folder / "n.ipynb"), cwd=str(folder), progress_bar=False
    )
    assert (folder / "pfs/out/result").read_text() == "1200"
    published = failed.lake.jobs.publish_fix(folder)
    assert published.version == 2
    code = nbformat.reads(failed.lake.files.read("p.code@main/n.ipynb").decode(), as_version=4)
    assert [cell.source for cell in code.cells] == [
        *CELLS[:3],
        CELLS[3].replace("int(text)", "len(text)"),
        CELLS[4],
    ]
    assert all(not cell.outputs and cell.execution_count is None for cell in code.cells)
    assert "papermill" not in code.metadata
    failed.run()
    assert failed.files("p@main") == {"result": "1200"}


def test_what_mends_nothing_is_not_published(failed, tmp_path):
    reopened(failed, tmp_path)
    with pytest.raises(StateError, match="does what version 1 of 'p' does"):
        failed.lake.jobs.publish_fix(tmp_path / "fix")
    assert failed.lake.pipelines.get("p").version == 1


def test_a_fix_of_an_old_version_does_not_undo_a_newer_one(failed, tmp_path):
    reopened(failed, tmp_path)
    (tmp_path / "fix/helper.py").write_text("factor = 1\n")
    (failed.folder / "helper.py").write_text("factor = 7\n")
    failed.notebook("p", CELLS, ("raw", "/"), files=["helper.py"], datums={"tries": 1})
    with pytest.raises(StateError, match=r"'p' is at version 2 by now.* from version 1"):
        failed.lake.jobs.publish_fix(tmp_path / "fix")
    assert failed.lake.files.read("p.code@main/helper.py") == b"factor = 7\n"


def test_a_datum_that_was_skipped_is_reopened_with_what_its_result_was_made_by(runner, tmp_path):
    runner.put(a="1", b="2")
    cells = [*CELLS[:1], 'import os\nprint("saw", os.listdir(raw))']
    runner.notebook("p", cells, ("raw", "/*"))
    runner.run()
    runner.put(b="3")
    runner.run()
    datums = runner.lake.jobs.list_datums(runner.job("p").id)
    (skipped,) = [one.position for one in datums if str(one.state) == "skipped"]
    found = runner.lake.jobs.reopen(runner.job("p").id, skipped, folder=tmp_path / "old")
    assert found.failed_cell is None
    assert [one.name for one in (tmp_path / "old/pfs/raw").iterdir()] == ["a"]
    assert "saw ['a']" in read(tmp_path / "old").cells[-1].outputs[0].text


def test_a_notebook_that_never_began_is_reopened_with_the_parameters_of_the_job(
    failed, tmp_path, monkeypatch
):
    monkeypatch.setattr("jupyter_datalake.lake.jobs.read_artifact", lambda *_: None)
    reopened(failed, tmp_path)
    sources = [cell.source for cell in read(tmp_path / "fix").cells]
    assert sources[0] == CELLS[0]
    assert 'raw = "pfs/raw"' in sources[1]
    assert sources[2:] == CELLS[1:]


def test_a_command_is_run_again_by_a_script(runner, tmp_path):
    runner.put(a="one")
    script = 'echo "$PARAM_word $DATALAKE_PIPELINE" > "$out/said"; cat "$raw/a" >> "$out/said"'
    runner.command("p", script, ("raw", "/*"), parameters={"word": "it's"})
    runner.run()
    found = reopened(runner, tmp_path)
    assert found.notebook is None
    subprocess.run([tmp_path / "fix/datum.sh"], check=True)
    assert (tmp_path / "fix/pfs/out/said").read_text() == "it's p\none"


def test_nothing_is_written_over_and_nothing_half_left(failed, tmp_path):
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix/mine").write_text("mine")
    with pytest.raises(AlreadyExistsError, match=r"There is something at '.*fix' already"):
        reopened(failed, tmp_path)
    assert [one.name for one in (tmp_path / "fix").iterdir()] == ["mine"]
    assert {one.name for one in tmp_path.iterdir() if one.name.startswith(".")} == set()


def test_a_folder_that_is_none_of_a_datum_is_not_published(failed, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(PathNotFoundError, match="is no folder of a reopened datum"):
        failed.lake.jobs.publish_fix(tmp_path / "other")
    found = reopened(failed, tmp_path)
    record = json.loads((tmp_path / "fix/.datalake-datum.json").read_text())
    assert record["job_id"] == found.job_id
