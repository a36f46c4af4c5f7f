"""Whether a disk can still be believed: not after a write or a sync of it has failed.

The kernel reports a page that it could not write once, and then takes it for clean: the next sync
says that all is well, and reading gives bytes that the next start of the machine may not have. So
nothing is tried again behind such an error. The process goes on reading and writes no more, until
the lake is opened anew.

An error of reading is no reason: what cannot be read is told by name, and healing it must be able
to write. Nor is a full disk, which keeps its word.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from jupyter_datalake.errors import DatalakeError, ErrorKind, StorageError

logger = logging.getLogger(__name__)

FAILING = frozenset(
    {errno.EIO, errno.ENXIO, errno.ENODEV, errno.EREMOTEIO, errno.EUCLEAN, errno.ESTALE}
)
"""What a system says of a disk that is broken, gone, or damaged in its own structure."""


class DiskTrust:
    """What one process has seen of the disk of one open lake. Safe to share between threads."""

    def __init__(self) -> None:
        self._lost: str | None = None

    @property
    def is_lost(self) -> bool:
        """Whether something failed, so that nothing is written any more."""
        return self._lost is not None

    def check(self) -> None:
        """Raise `StorageError` (``storage-failed``) if nothing must be written any more."""
        if self._lost is not None:
            raise StorageError(
                f"The lake was marked read-only after an I/O error: {self._lost}",
                kind=ErrorKind.STORAGE_FAILED,
                hint="Check the disk, then open the lake again; a server or mount is restarted",
            )

    def lose(self, at: str, why: str) -> None:
        """Write nothing any more; the first reason is kept.

        Parameters
        ----------
        at
            What was to be written, as people know it.
        why
            What the system said.
        """
        if self._lost is None:
            self._lost = f"{at}: {why}, at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
            logger.error("The lake is read-only from now on: %s", self._lost)

    @contextmanager
    def writing(self, at: str) -> Iterator[None]:
        """Allow what changes the disk, and take note if that fails; errors pass through.

        Raises
        ------
        StorageError
            It is not allowed any more (``storage-failed``); nothing was done.
        """
        self.check()
        try:
            yield
        except DatalakeError:
            raise
        except OSError as error:
            if error.errno in FAILING:
                self.lose(at, error.strerror or os.strerror(error.errno or errno.EIO))
            raise
