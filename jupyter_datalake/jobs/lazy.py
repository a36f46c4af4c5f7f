"""`LazyInputs`: inputs that are fetched when a program reads them, as the runner sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jupyter_datalake.errors import ErrorKind, MountError
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.model.datums import DatumInput


class LazyInputs(Protocol):
    """Shows inputs of datums without copying them; given by who knows how to mount."""

    def show(self, task: DatumTask, given: Sequence[DatumInput], notes: Path) -> Path:
        """Return a folder, not to be written to, that shows what a datum has of one input.

        It is there, and nothing of it has been fetched.

        Parameters
        ----------
        given
            All that the datum has of the input, at one commit; nothing of it below another.
        notes
            A folder that is removed after the datum, for what has to be remembered until then.

        Raises
        ------
        MountError
            It cannot be shown here; the message says why.
        """
        ...


class NoLazyInputs:
    """Where nothing can be shown."""

    def show(self, task: DatumTask, given: Sequence[DatumInput], notes: Path) -> Path:
        """Raise `MountError`."""
        del task, given, notes
        raise MountError("this worker cannot mount", kind=ErrorKind.FUSE_UNAVAILABLE)
