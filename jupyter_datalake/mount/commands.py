"""The control socket of a mount: requests of `mount.control`, answered by a `MountedLake`.

Each connection carries one request and one answer, each a line of JSON. A request that is no
request gets an error for an answer, like one that fails; neither ends the mount.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import trio

from jupyter_datalake.errors import DatalakeError, InternalError, InvalidInputError
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.sessions import Choices
from jupyter_datalake.mount.control import (
    MAX_LINE,
    change_as_json,
    error_as_json,
    reachable_path,
)
from jupyter_datalake.mount.mounted_lake import MountedLake

logger = logging.getLogger(__name__)

_RECEIVE_BYTES = 1 << 16


class CommandServer:
    """Answers commands until it is cancelled.

    Parameters
    ----------
    stop
        Told when the mount is to end; the answer to that request comes first.
    """

    def __init__(self, lake: MountedLake, stop: Callable[[], None]) -> None:
        self._lake = lake
        self._stop = stop
        self._verbs: dict[str, Callable[..., Awaitable[Any]]] = {
            "ping": self._ping,
            "refresh": self._refresh,
            "diff": self._diff,
            "list_changed": self._list_changed,
            "commit": self._commit,
            "discard": self._discard,
            "save": self._save,
            "stop": self._end,
        }

    async def serve(
        self, path: Path, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen at a path, over whatever a process that was killed left there."""
        with _bound(path) as bound:
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(bound))
            task_status.started()
            await trio.serve_listeners(self._answer, [listener])

    async def _answer(self, stream: trio.SocketStream) -> None:
        try:
            answer = await self._answer_to(await _read_line(stream))
            await stream.send_all(json.dumps(answer).encode() + b"\n")
        except trio.BrokenResourceError:
            logger.info("A client went away before its answer")

    async def _answer_to(self, line: bytes) -> dict[str, Any]:
        try:
            verb, arguments = _parse(line)
            handler = self._verbs.get(verb)
            if handler is None:
                raise InvalidInputError(f"The mount knows no command {verb!r}")
            return {"result": await handler(**arguments)}
        except DatalakeError as error:
            return {"error": error_as_json(error)}
        except Exception as error:
            logger.exception("A command failed")
            bug = InternalError(f"The mount failed on a command: {error!r}")
            return {"error": error_as_json(bug)}

    async def _ping(self) -> dict[str, Any]:
        return self._lake.account()

    async def _refresh(self) -> None:
        await self._lake.refresh()

    async def _diff(
        self, session_id: str, below: str, after: str, limit: int
    ) -> list[dict[str, Any]]:
        changes = await self._lake.diff(session_id, RepoPath(below), RepoPath(after), limit)
        return await trio.to_thread.run_sync(lambda: [change_as_json(one) for one in changes])

    async def _list_changed(self, session_id: str, path: str) -> list[dict[str, Any]]:
        children = await self._lake.list_changed(session_id, RepoPath(path))
        return [asdict(one) for one in children]

    async def _commit(
        self,
        session_id: str,
        message: str,
        author: dict[str, Any],
        metadata: dict[str, str],
        choices: dict[str, str] | None = None,
    ) -> str:
        chosen = Choices.of_texts(choices or {})
        return await self._lake.commit(session_id, message, Author(**author), metadata, chosen)

    async def _discard(self, session_id: str, paths: list[str] | None) -> None:
        parsed = None if paths is None else [RepoPath(path) for path in paths]
        await self._lake.discard(session_id, parsed)

    async def _save(self, session_id: str) -> None:
        await self._lake.save(session_id)

    async def _end(self) -> None:
        self._stop()


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    """Give a listening socket at a path; it is gone from there afterwards."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
        with reachable_path(path) as address:
            bound.bind(address)
        path.chmod(0o600)
        bound.listen()
        try:
            yield bound
        finally:
            path.unlink(missing_ok=True)


def _parse(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        request = json.loads(line)
        return str(request["verb"]), dict(request["arguments"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError("The mount was sent something that is no command") from error


async def _read_line(stream: trio.SocketStream) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < MAX_LINE:
        part = await stream.receive_some(_RECEIVE_BYTES)
        if not part:
            break
        line += part
    return bytes(line)
