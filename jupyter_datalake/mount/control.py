"""Talking to the process behind a mount point: one JSON line there, one back, over a Unix socket.

The socket lies in the lake's private work folder, so only the lake's owner can reach it. This
module is the client and the wire format; `mount.daemon` serves it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from jupyter_datalake import errors
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import DatalakeError, ErrorKind, MountError
from jupyter_datalake.model.changes import Change, ChangedChild, ChangeKind
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.mounts import MountMode, Mountpoint, MountState
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.sessions import NO_CHOICES, Choices
from jupyter_datalake.mount.checkout import Checkout
from jupyter_datalake.mount.processes import stat_fields

MAX_LINE = 256 * 1024 * 1024
"""A diff of a million paths still fits."""

_CONNECT_S = 10.0
"""A daemon that was killed is back within a second or two; until then nobody listens."""
_ANSWER_S = 3600.0
"""A commit of a large session takes its time; the daemon's death ends the wait at once."""

_SERVED = frozenset({MountState.STARTING, MountState.READY, MountState.STALE})

SUPERVISOR_MODULE = "jupyter_datalake.mount.supervisor"


def state_path(core: LakeCore, mountpoint: str, suffix: str) -> Path:
    """Return where this machine keeps something about a mount point: socket, lock, log.

    The name is a hash, because a socket's name is short and a mount point's is not.
    """
    name = hashlib.blake2b(os.fsencode(mountpoint), digest_size=8).hexdigest()
    return core.work_folder / "mounts" / f"{name}{suffix}"


def socket_path(core: LakeCore, mountpoint: str) -> Path:
    """Return where the daemon of a mount point listens."""
    return state_path(core, mountpoint, ".sock")


@contextmanager
def reachable_path(path: Path) -> Iterator[str]:
    """Give a path by which a socket can be bound or connected to, however long its own is.

    A socket's address has at most 107 bytes, and lakes lie in deep folders.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def is_alive(point: Mountpoint) -> bool:
    """Tell whether the supervisor of a mount point on this machine is there.

    The daemon ends with its supervisor, and is brought back by it, so this answers for both.
    """
    if point.pid is None or point.host != socket.gethostname():
        return False
    try:
        # The number may have gone to somebody else since the row was written.
        command = Path(f"/proc/{point.pid}/cmdline").read_bytes()
    except OSError:
        return False
    return SUPERVISOR_MODULE.encode() in command and stat_fields(point.pid)[:1] != [b"Z"]


class SessionHolder(Protocol):
    """A mount that a session belongs to: it answers for the session while it is mounted."""

    def diff(self, session_id: str, below: RepoPath, after: RepoPath, limit: int) -> list[Change]:
        """Return what is staged, by path."""
        ...

    def list_changed(self, session_id: str, path: RepoPath) -> list[ChangedChild]:
        """Return the children of a folder in which something is staged."""
        ...

    def commit(
        self,
        session_id: str,
        message: str,
        author: Author,
        metadata: dict[str, str],
        choices: Choices = NO_CHOICES,
    ) -> CommitId:
        """Commit what is staged and return the new commit's id."""
        ...

    def discard(self, session_id: str, paths: Sequence[RepoPath] | None) -> None:
        """Drop what is staged at and below `paths`, or everything."""
        ...

    def save(self, session_id: str) -> None:
        """Save a draft of what is staged."""
        ...


def mount_holding(core: LakeCore, session_id: str) -> SessionHolder | None:
    """Return the mount on this machine that has a session, or None."""
    with core.metadata.read() as tx:
        holders = [mount for mount in tx.mounts.list() if mount.session_id == session_id]
        points = {point.path: point for point in tx.mounts.list_points()}
    for mount in holders:
        point = points[mount.mountpoint]
        if point.host != socket.gethostname():
            continue
        if point.mode is MountMode.DRIVE:
            return None  # who acts on it opens it for a moment
        if point.mode is MountMode.CHECKOUT:
            return Checkout(core, mount)
        if point.state in _SERVED and is_alive(point):
            return MountClient(core, point.path)
    return None


class MountClient:
    """Asks the daemon of one mount point. Each call is one connection; safe from any thread."""

    def __init__(self, core: LakeCore, mountpoint: str, *, patience_s: float = _CONNECT_S) -> None:
        self._path = socket_path(core, mountpoint)
        self._mountpoint = mountpoint
        self._patience_s = patience_s

    def ping(self) -> dict[str, Any]:
        """Return the daemon's own account of itself.

        Keys: ``pid``, ``inodes``, ``memory_bytes``, ``problems`` (mount to why it is not shown),
        ``mounts`` (mount to ``commit``, ``writers``, ``is_writable``).
        """
        answer: dict[str, Any] = self._call("ping", again=True)
        return answer

    def refresh(self) -> None:
        """Make the daemon show exactly what the metadata says is mounted."""
        self._call("refresh", again=True)

    def diff(self, session_id: str, below: RepoPath, after: RepoPath, limit: int) -> list[Change]:
        """Return what is staged in a mounted session, by path."""
        asked = {"session_id": session_id, "below": below, "after": after, "limit": limit}
        rows = self._call("diff", again=True, **asked)
        return [change_from_json(row) for row in rows]

    def list_changed(self, session_id: str, path: RepoPath) -> list[ChangedChild]:
        """Return the children of a folder in which something is staged."""
        rows = self._call("list_changed", again=True, session_id=session_id, path=path)
        return [ChangedChild(**{**row, "kind": ChangeKind(row["kind"])}) for row in rows]

    def commit(
        self,
        session_id: str,
        message: str,
        author: Author,
        metadata: dict[str, str],
        choices: Choices = NO_CHOICES,
    ) -> CommitId:
        """Commit what is staged in a mounted session and return the new commit's id."""
        commit_id = self._call(
            "commit",
            session_id=session_id,
            message=message,
            author=asdict(author),
            metadata=metadata,
            choices={path: str(whose) for path, whose in choices.by_path.items()},
        )
        return CommitId(commit_id)

    def discard(self, session_id: str, paths: Sequence[RepoPath] | None) -> None:
        """Drop what is staged in a mounted session."""
        self._call("discard", session_id=session_id, paths=paths)

    def save(self, session_id: str) -> None:
        """Save a draft of what is staged in a mounted session."""
        self._call("save", again=True, session_id=session_id)

    def stop(self) -> None:
        """Unmount and end the daemon; sessions stay."""
        self._call("stop")

    def _call(self, verb: str, *, again: bool = False, **arguments: Any) -> Any:
        """Send a request and return its result, or raise the error that came back.

        Parameters
        ----------
        again
            Whether to ask again if the daemon dies over it: right for what changes nothing.
        """
        request = json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n"
        try:
            line = self._exchange(request) or (self._exchange(request) if again else b"")
        except OSError as error:
            raise MountError(
                f"The mount at {self._mountpoint} does not answer: {error}",
                kind=ErrorKind.MOUNT_STALE,
                hint="It is brought back by its supervisor; 'datalake doctor' shows its state",
                retryable=True,
                mountpoint=self._mountpoint,
            ) from error
        if not line:
            raise MountError(
                f"The mount at {self._mountpoint} ended while it was asked to {verb}",
                kind=ErrorKind.MOUNT_STALE,
                hint="Look at the session again: it was done completely, or not at all",
                retryable=True,
                mountpoint=self._mountpoint,
            )
        answer = json.loads(line)
        if "error" in answer:
            raise error_from_json(answer["error"])
        return answer["result"]

    def _exchange(self, request: bytes) -> bytes:
        """Return the line that answers a request; empty if the daemon ended before it did."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            self._connect(connection)
            connection.settimeout(_ANSWER_S)
            try:
                connection.sendall(request)
                with connection.makefile("rb") as answers:
                    return answers.readline(MAX_LINE)
            except (ConnectionResetError, BrokenPipeError):
                return b""

    def _connect(self, connection: socket.socket) -> None:
        """Connect, waiting for a daemon that is just being brought back."""
        patience = time.monotonic() + self._patience_s
        while True:
            try:
                with reachable_path(self._path) as address:
                    connection.settimeout(_CONNECT_S)
                    connection.connect(address)
                return
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > patience:
                    raise
            time.sleep(0.05)


def error_as_json(error: DatalakeError) -> dict[str, Any]:
    """Return an error so that `error_from_json` makes an equal one."""
    return {
        "class": type(error).__name__,
        "message": error.message,
        "kind": str(error.kind),
        "hint": error.hint,
        "retryable": error.retryable,
        "context": error.context,
    }


def error_from_json(raw: dict[str, Any]) -> DatalakeError:
    """Return the error of its JSON form."""
    found: type[DatalakeError] = getattr(errors, raw["class"])
    return found(
        raw["message"],
        kind=ErrorKind(raw["kind"]),
        hint=raw["hint"],
        retryable=raw["retryable"],
        **raw["context"],
    )


def change_as_json(change: Change) -> dict[str, Any]:
    """Return a change so that `change_from_json` makes an equal one."""
    return {
        "path": change.path,
        "kind": str(change.kind),
        "old": _info_as_json(change.old),
        "new": _info_as_json(change.new),
    }


def change_from_json(raw: dict[str, Any]) -> Change:
    """Return the change of its JSON form."""
    return Change(
        RepoPath(raw["path"]),
        ChangeKind(raw["kind"]),
        _info_from_json(raw["old"]),
        _info_from_json(raw["new"]),
    )


def _info_as_json(info: FileInfo | None) -> dict[str, Any] | None:
    if info is None:
        return None
    return {**asdict(info), "digest": None if info.digest is None else info.digest.hex()}


def _info_from_json(raw: dict[str, Any] | None) -> FileInfo | None:
    if raw is None:
        return None
    digest = None if raw["digest"] is None else Digest(bytes.fromhex(raw["digest"]))
    return FileInfo(**{**raw, "kind": FileKind(raw["kind"]), "digest": digest})
