"""How papermill saves the notebooks that we run."""

from datetime import timedelta
from unittest.mock import patch

import nbformat
import pytest
from papermill.engines import NotebookExecutionManager

from jupyter_datalake.jobs.papermill_engine import _Saving, _WholeFiles


def test_who_looks_at_a_notebook_that_is_written_has_the_one_before_or_the_one_after(tmp_path):
    path = tmp_path / "notebook.ipynb"
    handler = _WholeFiles()
    handler.write("before" * 1000, str(path))
    with path.open() as looked_at:
        handler.write("after", str(path))
        assert looked_at.read() == "before" * 1000
    assert path.read_text() == "after"
    assert [*tmp_path.iterdir()] == [path]


class Notebook:
    """A notebook of two cells that papermill executes, as far as it saves it."""

    def __init__(self, folder):
        self.path = folder / "notebook.ipynb"
        cells = [nbformat.v4.new_code_cell("1"), nbformat.v4.new_code_cell("2")]
        self.node = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {}})
        self.manager = NotebookExecutionManager(
            self.node, output_path=str(self.path), progress_bar=False
        )
        self.saving = _Saving(self.manager)
        self.manager.notebook_start()

    def begin(self, cell):
        self.manager.cell_start(self.node.cells[cell], cell)

    def end(self, cell):
        self.manager.cell_complete(self.node.cells[cell], cell_index=cell)

    @property
    def states(self):
        """What is saved of each cell."""
        node = nbformat.read(self.path, as_version=4)
        return [cell.metadata.papermill.status for cell in node.cells]


def test_a_notebook_of_short_cells_is_saved_at_its_beginning_and_at_its_end(tmp_path):
    notebook = Notebook(tmp_path)
    for cell in (0, 1):
        notebook.begin(cell)
        notebook.end(cell)
    assert notebook.states == ["pending", "pending"]
    notebook.manager.notebook_complete()
    assert notebook.states == ["completed", "completed"]


def test_a_notebook_that_was_not_saved_for_a_while_is_when_its_next_cell_begins(tmp_path):
    notebook = Notebook(tmp_path)
    notebook.begin(0)
    notebook.end(0)
    notebook.manager.last_save_time -= timedelta(seconds=2 * notebook.saving.pause_s)
    notebook.begin(1)
    assert notebook.states == ["completed", "running"]


def test_a_notebook_that_takes_long_to_save_is_saved_less_often(tmp_path):
    notebook = Notebook(tmp_path)
    usual = notebook.saving.pause_s
    write = notebook.manager.save
    slow = _Saving(notebook.manager)
    with patch("jupyter_datalake.jobs.papermill_engine.time.monotonic", side_effect=[0.0, 3.0]):
        slow.save()
    assert notebook.manager.save == write
    assert slow.pause_s == pytest.approx(30)
    assert usual < 1


@pytest.mark.logs("could not be saved while it runs")
def test_what_cannot_be_saved_while_a_cell_runs_is_told_and_the_cell_goes_on(tmp_path, caplog):
    notebook = Notebook(tmp_path)
    notebook.manager.output_path = str(tmp_path / "missing" / "notebook.ipynb")
    notebook.saving.try_to_save()
    assert "could not be saved while it runs" in caplog.text


def test_the_last_save_is_left_to_papermill(tmp_path):
    notebook = Notebook(tmp_path)
    notebook.begin(0)
    notebook.saving.leave()
    notebook.manager.notebook_complete()
    assert notebook.states == ["pending", "pending"]
