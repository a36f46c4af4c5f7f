"""Files and folders that processes lock against each other.

A lock is held by a descriptor, and ends with it: with the process at the latest, however that ends.
Two descriptors of one process stand against each other too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED, EXCLUSIVE = fcntl.LOCK_SH, fcntl.LOCK_EX


def try_lock(path: Path | str, how: int = EXCLUSIVE, *, creates: bool = True) -> int | None:
    """Lock a file, or a folder that is there, without waiting.

    Parameters
    ----------
    how
        `EXCLUSIVE` or `SHARED`.
    creates
        Whether the file is made, for this user alone, if there is nothing.

    Returns
    -------
    int or None
        The descriptor that holds the lock; None if another one prevents it.

    Raises
    ------
    OSError
        It cannot be opened, or its file system has no locks.
    """
    flags = os.O_RDONLY if os.path.isdir(path) else os.O_RDWR | (os.O_CREAT if creates else 0)
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def held(path: Path | str, how: int = EXCLUSIVE, *, creates: bool = True) -> Iterator[bool]:
    """Hold a lock for as long as the block runs; tell whether it is had. See `try_lock`."""
    descriptor = try_lock(path, how, creates=creates)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)
