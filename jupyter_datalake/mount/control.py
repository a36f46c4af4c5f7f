"""Talking to the process behind a mount point: one JSON line there, one back, over a Unix socket.

The socket lies in the lake's private work folder, so only the lake's owner can reach it. This
module is the client and the wire format; `mount.daemon` serves it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_datalake import errors
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import DatalakeError, ErrorKind, MountError
from jupyter_datalake.model.changes import Change, ChangeKind
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import CommitId, Digest
from jupyter_datalake.model.mounts import Mountpoint, MountState
from jupyter_datalake.model.paths import RepoPath

MAX_LINE = 256 * 1024 * 1024
"""A diff of a million paths still fits."""

_CONNECT_S = 5.0
_ANSWER_S = 3600.0
"""A commit of a large session takes its time; the daemon's death ends the wait at once."""


def socket_path(core: LakeCore, mountpoint: str) -> Path:
    """Return where the daemon of a mount point listens.

    The name is a hash, because a socket's path has at most 107 bytes.
    """
    name = hashlib.blake2b(os.fsencode(mountpoint), digest_size=8).hexdigest()
    return core.work_folder / "mounts" / f"{name}.sock"


def is_alive(point: Mountpoint) -> bool:
    """Tell whether the process that served a mount point on this machine is still there."""
    if point.pid is None or point.host != socket.gethostname():
        return False
    try:
        os.kill(point.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is there, and another user's
    return not _is_zombie(point.pid)


def _is_zombie(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] == "Z"


def mount_holding(core: LakeCore, session_id: str) -> MountClient | None:
    """Return a client of the mount that has a session open, or None."""
    with core.metadata.read() as tx:
        holders = [mount for mount in tx.mounts.list() if mount.session_id == session_id]
        points = {point.path: point for point in tx.mounts.list_points()}
    for mount in holders:
        point = points[mount.mountpoint]
        if point.state is MountState.READY and is_alive(point):
            return MountClient(core, point.path)
    return None


class MountClient:
    """Asks the daemon of one mount point. Each call is one connection; safe from any thread."""

    def __init__(self, core: LakeCore, mountpoint: str) -> None:
        self._path = socket_path(core, mountpoint)
        self._mountpoint = mountpoint

    def ping(self) -> dict[str, Any]:
        """Return the daemon's own account of itself: pid, open files, memory."""
        answer: dict[str, Any] = self._call("ping")
        return answer

    def refresh(self) -> None:
        """Make the daemon show exactly what the metadata says is mounted."""
        self._call("refresh")

    def diff(self, session_id: str, below: RepoPath, limit: int) -> list[Change]:
        """Return what is staged in a mounted session, by path."""
        rows = self._call("diff", session_id=session_id, below=below, limit=limit)
        return [change_from_json(row) for row in rows]

    def commit(
        self, session_id: str, message: str, author: Author, metadata: dict[str, str]
    ) -> CommitId:
        """Commit what is staged in a mounted session and return the new commit's id."""
        commit_id = self._call(
            "commit",
            session_id=session_id,
            message=message,
            author=asdict(author),
            metadata=metadata,
        )
        return CommitId(commit_id)

    def discard(self, session_id: str, paths: Sequence[RepoPath] | None) -> None:
        """Drop what is staged in a mounted session."""
        self._call("discard", session_id=session_id, paths=paths)

    def stop(self) -> None:
        """Unmount and end the daemon; sessions stay."""
        self._call("stop")

    def _call(self, verb: str, **arguments: Any) -> Any:
        request = json.dumps({"verb": verb, "arguments": arguments}) + "\n"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_CONNECT_S)
                connection.connect(str(self._path))
                connection.settimeout(_ANSWER_S)
                connection.sendall(request.encode())
                line = connection.makefile("rb").readline(MAX_LINE)
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
