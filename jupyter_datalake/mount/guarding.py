"""No request ends the mount: whatever a handler raises becomes an errno, and a line in the log.

`pyfuse3` stops serving when a handler raises anything but `FUSEError`, and every program that
uses the mount gets ENOTCONN from then on. So no handler is reached but through `guarded`.
"""

from __future__ import annotations

import errno
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pyfuse3 import FUSEError, Operations

from jupyter_datalake.mount.errnos import errno_for

logger = logging.getLogger(__name__)

Handlers = TypeVar("Handlers", bound=type[Operations])


def guarded(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a request handler that raises nothing but `FUSEError`."""

    @functools.wraps(handler)
    async def answer(*arguments: Any) -> Any:
        try:
            return await handler(*arguments)
        except FUSEError:
            raise
        except Exception as error:
            code = errno_for(error)
            if code is None:
                logger.exception("The handler of %s failed", handler.__name__)
                code = errno.EIO
            raise FUSEError(code) from error

    return answer


def silent(handler: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return a handler that raises nothing: nobody waits for its answer."""

    @functools.wraps(handler)
    async def answer(*arguments: Any) -> None:
        try:
            await handler(*arguments)
        except Exception:
            logger.exception("The handler of %s failed", handler.__name__)

    return answer


def guard_handlers(operations: Handlers) -> Handlers:
    """Guard every request handler that a class of operations defines; a class decorator."""
    for name, value in list(vars(operations).items()):
        if hasattr(Operations, name) and inspect.iscoroutinefunction(value):
            guard = silent if name == "forget" else guarded
            setattr(operations, name, guard(value))
    return operations
