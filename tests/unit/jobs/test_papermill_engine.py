"""How papermill saves the notebooks that we run."""

import nbformat
from papermill.engines import NotebookExecutionManager

from jupyter_datalake.jobs.papermill_engine import _save_less, _WholeFiles


def test_who_looks_at_a_notebook_that_is_written_has_the_one_before_or_the_one_after(tmp_path):
    path = tmp_path / "notebook.ipynb"
    handler = _WholeFiles()
    handler.write("before" * 1000, str(path))
    with path.open() as looked_at:
        handler.write("after", str(path))
        assert looked_at.read() == "before" * 1000
    assert path.read_text() == "after"
    assert [*tmp_path.iterdir()] == [path]


def test_a_notebook_is_saved_when_a_cell_of_code_begins_and_at_its_end(tmp_path):
    saved = tmp_path / "notebook.ipynb"
    cells = [nbformat.v4.new_code_cell("1"), nbformat.v4.new_markdown_cell("text")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {}})
    manager = NotebookExecutionManager(notebook, output_path=str(saved), progress_bar=False)
    _save_less(manager)
    manager.notebook_start()

    def states():
        node = nbformat.read(saved, as_version=4)
        return [cell.metadata.papermill.status for cell in node.cells]

    seen = []
    for index, cell in enumerate(notebook.cells):
        manager.cell_start(cell, index)
        seen.append(states())
        manager.cell_complete(cell, cell_index=index)
    seen.append(states())
    manager.notebook_complete()
    seen.append(states())
    assert seen == [
        ["running", "pending"],
        ["running", "pending"],
        ["running", "pending"],
        ["completed", "completed"],
    ]
