"""What a failed request tells the program that made it.

`errors.CATEGORIES` says what each class of our errors is outside Python. Added here is what only
a file system meets. Where a choice may surprise, the reason stands beside its use.
"""

from __future__ import annotations

import errno
import os

from jupyter_datalake.errors import DatalakeError, errno_of


def refusal(code: int) -> OSError:
    """Return the error that makes a request fail with this errno."""
    return OSError(code, os.strerror(code))


def errno_for(error: Exception) -> int | None:
    """Return the errno that stands for an error, or None if nobody thought of it: a bug."""
    if isinstance(error, DatalakeError):
        return errno_of(error)
    if isinstance(error, OSError):
        # A bare OSError("…") has no number; it comes from code that did not think of us.
        return error.errno or errno.EIO
    return None
