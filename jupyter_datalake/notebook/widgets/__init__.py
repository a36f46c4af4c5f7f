"""Widgets: a job as it runs, a commit, a difference, lineage; ``dl.widgets.job(job_id)``.

They are plain ipywidgets, which JupyterLab, Notebook and Voila show without this package's own
extension. ipywidgets is imported when the first one is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_datalake.errors import MissingDependencyError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.notebook.lakes import kernel_lake

if TYPE_CHECKING:
    from jupyter_datalake.notebook.widgets.changes import CommitWidget, DiffWidget
    from jupyter_datalake.notebook.widgets.progress import JobWidget


def job(job_id: str, *, lake: Lake | None = None) -> JobWidget:
    """Show a job as it runs: its progress, the end of its log, and a button that cancels it.

    Parameters
    ----------
    job_id
        The beginning of its id.
    lake
        Where it is; the lake of ``DATALAKE_URL`` by default. Keep it open.
    """
    _need_ipywidgets()
    from jupyter_datalake.notebook.widgets.progress import JobWidget  # noqa: PLC0415  # ipywidgets

    return JobWidget(lake or kernel_lake(), job_id)


def commit(repo: str, ref: str = DEFAULT_BRANCH, *, lake: Lake | None = None) -> CommitWidget:
    """Show a commit: who made it, from what, and what it changed."""
    _need_ipywidgets()
    from jupyter_datalake.notebook.widgets.changes import CommitWidget  # noqa: PLC0415

    return CommitWidget(lake or kernel_lake(), repo, ref)


def diff(repo: str, old: str, new: str = DEFAULT_BRANCH, *, lake: Lake | None = None) -> DiffWidget:
    """Show on which paths two commits differ, and of the chosen file, how."""
    _need_ipywidgets()
    from jupyter_datalake.notebook.widgets.changes import DiffWidget  # noqa: PLC0415

    return DiffWidget(lake or kernel_lake(), repo, old, new)


def lineage(global_id: str | None = None, *, lake: Lake | None = None) -> Any:
    """Show what is made from what: all of it, or what hangs on one change."""
    _need_ipywidgets()
    from ipywidgets import HTML  # noqa: PLC0415

    return HTML((lake or kernel_lake()).lineage.graph(global_id)._repr_html_())


def _need_ipywidgets() -> None:
    try:
        import ipywidgets  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            "Widgets need ipywidgets, which is not installed",
            hint="pip install 'jupyter_datalake[lab]'",
        ) from error
