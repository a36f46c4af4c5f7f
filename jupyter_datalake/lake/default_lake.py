"""Which lake is meant where none is named: that of the environment, and in a job none.

The kernel of a reopened notebook is like its job in this, too.
"""

from __future__ import annotations

from jupyter_datalake import environment
from jupyter_datalake.errors import ErrorKind, PermissionDeniedError
from jupyter_datalake.jobs.reopened_folder import shown_to_kernel
from jupyter_datalake.model.shown_branches import parse_shown_branches


def shown_branches() -> str | None:
    """Return what says where this process finds branches that a job was given.

    None where it is neither a job's code nor a reopened notebook, and where the code has named a
    lake by itself.
    """
    return environment.shown_branches() or shown_to_kernel()


def default_url() -> str:
    """Return the lake that is meant where none is named.

    Raises
    ------
    PermissionDeniedError
        This is the code of a job, or a reopened notebook of one. What it read of another lake than
        its inputs, and wrote past its output, nobody would know of.
    """
    shown = shown_branches()
    if shown is None:
        return environment.lake_url()
    *inputs, output = parse_shown_branches(shown)
    addresses = dict.fromkeys(f"lake://{one.repo}@{one.branch}/…" for one in inputs)
    given = ", ".join(addresses) or "nothing"
    raise PermissionDeniedError(
        f"A job of {output.repo!r} has no lake but its inputs: {given}",
        kind=ErrorKind.NOT_ALLOWED,
        hint="Read them by these addresses (pandas, pyarrow, fsspec, %%sql) or in the folders that"
        f" the job gives, and write to lake://{output.repo}@{output.branch}/…; a lake that the code"
        " names, as in Lake.open(url), is opened as ever",
    )
