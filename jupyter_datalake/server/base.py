"""What every handler shares: authentication, checking against the contract, one error shape.

A handler class names the path template it serves; its methods get the checked parameters and
body of the operation, call one verb of the lake in a thread, and return a value that becomes
JSON. Nothing here knows a noun.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeVar
from weakref import WeakSet

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.httputil import HTTPServerRequest

from jupyter_datalake.errors import (
    DatalakeError,
    ErrorKind,
    InternalError,
    InvalidInputError,
    NotFoundError,
    http_status_of,
)
from jupyter_datalake.lake.lake import Lake, default_author
from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.server.openapi import Contract, Operation, load_contract
from jupyter_datalake.server.threads import VerbThreads

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

RESOURCE = "datalake"
MAX_BODY_BYTES = 16 * 1024 * 1024
_RETRY_AFTER_S = 2
_LOOKING = 2
_ENDING = 2


class LakeService:
    """What handlers need from the extension: the lake, opened when first asked for, and threads."""

    def __init__(self, open_lake: Callable[[], Lake], mountpoint: str, *, threads: int) -> None:
        self.mountpoint = mountpoint
        """Folder, absolute, under which this server mounts repos."""
        self._open_lake = open_lake
        self._lake: Lake | None = None
        self._opening = asyncio.Lock()
        self._threads = VerbThreads(threads, "datalake")
        self._looking = VerbThreads(_LOOKING, "datalake-looking")
        """Threads of what reads much of a file, so that it never keeps other requests waiting."""
        self._ending = VerbThreads(_ENDING, "datalake-ending")
        """Threads of what ends the server, which must not wait for verbs."""
        self._running: dict[Future[Any], str] = {}
        """What runs or waits for a thread, and the name of its verb."""
        self._stops: WeakSet[threading.Event] = WeakSet()
        self._is_ending = False

    async def lake(self) -> Lake:
        """Return the lake, or raise what keeps it from being opened."""
        async with self._opening:
            if self._lake is None:
                self._lake = await self.call(self._open_lake)
        return self._lake

    async def call(self, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb in a thread, so that the server's loop stays free."""
        return await self._run_in(self._threads, verb, *args, **kwargs)

    async def look(self, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb that reads much, in one of the few threads for that."""
        return await self._run_in(self._looking, verb, *args, **kwargs)

    def start(self, verb: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin a verb that takes long, in a thread of its own; events tell how it ends."""
        self._refuse_at_end()
        done = self._follow(Future[None](), verb)

        def run() -> None:
            try:
                verb(*args, **kwargs)
            except DatalakeError as error:
                _log.info("datalake: %s ended: %s", _name_of(verb), error)
            finally:
                done.set_result(None)

        threading.Thread(target=run, name="datalake-long", daemon=True).start()

    def new_stop(self) -> threading.Event:
        """Return an event that is set when the server ends, for whoever looks for long."""
        stop = threading.Event()
        self._stops.add(stop)
        return stop

    def begin_to_end(self, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin an act of the server's end, beside all verbs."""
        return self._follow(self._ending.submit(verb, *args, **kwargs), verb)

    async def drain(self, patience_s: float) -> Lake | None:
        """Take no more verbs, stop those that only look, and wait a moment for the others.

        Returns
        -------
        Lake or None
            The lake, if it was opened.
        """
        self._is_ending = True
        for stop in list(self._stops):
            stop.set()
        if running := [asyncio.wrap_future(one) for one in list(self._running)]:
            done, _ = await asyncio.wait(running, timeout=patience_s)
            for one in done:
                _ = one.cancelled() or one.exception()  # whoever asked was told
        return self._lake

    def close(self) -> None:
        """End the threads, and close the lake unless a verb runs: that dies with the process."""
        for threads in (self._threads, self._looking, self._ending):
            threads.shutdown(wait=False, cancel_futures=True)
        if self._running:
            atexit.register(self._leave)
            _log.warning(
                "datalake: the server ends beside this, which is done whole or not at all: %s",
                ", ".join(sorted(set(self._running.values()))),
            )
        elif self._lake is not None:
            self._lake.close()

    def _leave(self) -> None:
        """Leave the process as a kill does, when all else has ended.

        A thread in the middle of a library's code lets the interpreter's own end abort.
        """
        atexit.unregister(self._leave)
        if self._running:
            atexit._run_exitfuncs()  # the others', as this is the first that is called
            logging.shutdown()
            os._exit(0)

    async def _run_in(
        self, threads: VerbThreads, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        self._refuse_at_end()
        future = threads.submit(verb, *args, **kwargs)
        return await asyncio.wrap_future(self._follow(future, verb))

    def _follow(self, future: Future[T], verb: Callable[..., Any]) -> Future[T]:
        self._running[future] = _name_of(verb)
        future.add_done_callback(lambda one: self._running.pop(one, None))
        return future

    def _refuse_at_end(self) -> None:
        if self._is_ending:
            raise web.HTTPError(503, "The server is ending")


def _name_of(verb: Callable[..., Any]) -> str:
    return str(getattr(verb, "__qualname__", verb))


class DatalakeHandler(APIHandler):
    """Base of all REST handlers.

    Subclasses set `path` and define ``async def get(self, …)`` and so on, each decorated with the
    id of its operation; `openapi.yaml` says what it does.
    """

    auth_resource = RESOURCE
    path: ClassVar[str]
    """Path template in the contract."""

    def initialize(self, service: LakeService, server_root: str) -> None:
        """Take what the extension hands to every handler."""
        self.service = service
        self.server_root = server_root
        self.contract: Contract = load_contract()
        self.stop = service.new_stop()
        """Set when the connection is closed, or the server ends: nobody waits for the answer."""

    def on_connection_close(self) -> None:
        """Stop what was asked for, where it can be."""
        self.stop.set()
        super().on_connection_close()

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for the answer."""
        return self.stop.is_set()

    async def lake(self) -> Lake:
        """Return the lake, used in the name of the request's user."""
        return (await self.service.lake()).as_user(author_of(self))

    async def call(self, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb in a thread."""
        return await self.service.call(verb, *args, **kwargs)

    async def call_while_wanted(self, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb that reads much and takes `self.stop`, in one of the few threads for that."""
        return await self.service.look(verb, *args, **kwargs)

    def folder(self, relative: str) -> Path:
        """Return a folder below the server's root, refusing what leads outside."""
        root = Path(self.server_root).resolve()
        place = (root / parse_path(relative)).resolve()
        if not place.is_relative_to(root):
            raise InvalidInputError(
                f"The folder {relative!r} leads outside the server's root",
                kind=ErrorKind.INVALID_PATH,
            )
        return place

    def arguments_of(self, operation: Operation, path: dict[str, str]) -> dict[str, Any]:
        """Return the operation's parameters and JSON body, checked against the contract."""
        values = self.contract.parameters(operation, path, self.request.query_arguments)
        if operation.body is not None:
            values["body"] = self._body(operation, self.request)
        return values

    def _body(self, operation: Operation, request: HTTPServerRequest) -> dict[str, Any]:
        if len(request.body) > MAX_BODY_BYTES:
            raise InvalidInputError(
                f"The request's body has {len(request.body)} bytes; at most {MAX_BODY_BYTES} fit"
            )
        if not request.body and not operation.body_is_required:
            return self.contract.check_body(operation, {})
        try:
            raw = json.loads(request.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(
                "The request's body is not JSON", kind=ErrorKind.INVALID_REQUEST
            ) from error
        return self.contract.check_body(operation, raw)

    def answer(self, value: Any, status: int = 200) -> None:
        """End the request with a value as JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(as_json(value)))

    def answer_nothing(self) -> None:
        """End the request with 204."""
        self.set_status(204)
        self.clear_header("Content-Type")
        self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with the one error shape; the only place where errors become responses."""
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        known = as_datalake_error(error, status_code)
        if isinstance(error, DatalakeError):
            self.set_status(http_status_of(error))
        if known.retryable:
            self.set_header("Retry-After", str(_RETRY_AFTER_S))
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(known.as_dict()))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log bugs with their traceback and users' errors on one line."""
        if isinstance(value, DatalakeError) and http_status_of(value) < 500:
            self.log.info("datalake: %s %s: %s", self.request.method, self.request.path, value)
            return
        super().log_exception(typ, value, tb)


def as_datalake_error(error: BaseException | None, status: int) -> DatalakeError:
    """Return an error as one of ours; what is unexpected tells nothing about the server."""
    if isinstance(error, DatalakeError):
        return error
    if isinstance(error, web.HTTPError):
        text = error.log_message or error.reason or "The request was refused"
        if status == 404:
            return NotFoundError(text, kind=ErrorKind.INVALID_REQUEST)
        return InvalidInputError(text, kind=ErrorKind.INVALID_REQUEST)
    return InternalError("The server failed; its log says more", hint="Please report it")


Method = Callable[..., Awaitable[None] | None]


def operation(operation_id: str) -> Callable[[Method], Method]:
    """Make a handler's method one operation of the contract: authenticated, authorised, checked.

    The method receives the operation's parameters by name, and a JSON body as `body`.
    """
    found = load_contract().operations[operation_id]

    def decorate(method: Method) -> Method:
        assert method.__name__ == found.method, f"{operation_id} is a {found.method}"

        @web.authenticated
        @authorized
        @wraps(method)
        async def checked(self: DatalakeHandler, **path: str) -> None:
            assert self.path == found.path, f"{operation_id} is at {found.path}"
            answered = method(self, **self.arguments_of(found, path))
            if answered is not None:
                await answered

        return checked

    return decorate


def author_of(handler: APIHandler) -> Author:
    """Return in whose name a request acts: the Jupyter user.

    A server without accounts makes up a name for each browser; there the user of the operating
    system is who it is.
    """
    user = handler.current_user
    name = getattr(user, "display_name", "") or getattr(user, "name", "")
    if not name or name.startswith("Anonymous "):
        return default_author()
    return Author(name)


def page(results: list[Any], limit: int, next_of: Callable[[Any], Any]) -> dict[str, Any]:
    """Return one page of a list that was asked for one item more than `limit`."""
    more = len(results) > limit
    shown = results[:limit]
    return {"results": shown, "next": next_of(shown[-1]) if more else None}


def page_of_changes(changes: Sequence[Change], limit: int) -> dict[str, Any]:
    """Return one page of changes by path that were asked for one more than `limit`."""
    shown = page(list(changes), limit, lambda change: change.path)
    return {**shown, "has_more": shown["next"] is not None}


def whole(results: Any) -> dict[str, Any]:
    """Return a list that is never longer than one page."""
    return {"results": list(results), "next": None}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
