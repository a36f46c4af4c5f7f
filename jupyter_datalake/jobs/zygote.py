"""The zygote: a process with one thread that has imported what notebooks import, and forks.

Told by one socket, it forks a kernel for one notebook at a time and says how that ended. What a
notebook leaves running, wherever it is by then, is a descendant of the zygote, which adopts
orphans; all of it is killed when the kernel has ended. The zygote ends with who started it.

Run as ``python -c 'from jupyter_datalake.jobs.zygote import main; main()' DESCRIPTOR``. Only for
Linux: elsewhere libraries do not expect to be forked.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from jupyter_datalake.jobs.processes import adopt_orphans, kill_descendants, process_control

THREADS = "a library that was imported has started threads"
"""Why a zygote does not fork any more."""

SHADOWED = "a file beside the notebook takes the place of a module that is imported already"
"""Why one notebook needs a kernel that has imported nothing."""

_LENGTH = struct.Struct("<I")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Birth:
    """What a forked kernel is to be."""

    folder: str
    """Its working directory."""
    environment: dict[str, str]
    """All of its environment."""
    modules: tuple[str, ...] = ()
    """What the zygote imports before, once; those that cannot be imported are left to the cell
    that does."""


def send(
    connection: socket.socket, message: dict[str, Any], descriptors: Iterable[int] = ()
) -> None:
    """Send one message, with open files if there are any."""
    body = json.dumps(message).encode()
    data = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(connection, [data], list(descriptors))
    connection.sendall(data[sent:])


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and the files that came with it; None when the other is gone."""
    try:
        head, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, 4)
    except ConnectionError:  # it was killed with something unread
        return None
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = bytearray()
    while len(body) < length:
        piece = connection.recv(length - len(body))
        if not piece:
            return None
        body += piece
    return json.loads(body), descriptors


def birth_message(birth: Birth) -> dict[str, Any]:
    """Return the request that `main` answers with a kernel."""
    return {"do": "fork", **asdict(birth)}


def main() -> NoReturn:
    """Serve until the socket closes; see the module."""
    control = socket.socket(fileno=int(sys.argv.pop()))
    adopt_orphans()
    sys.path[:] = [place for place in sys.path if place]
    # An interrupt is for the kernel that is running, not for what the next ones come from.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from jupyter_datalake.jobs.forked_kernel import ForkableKernel  # noqa: PLC0415  # seconds

    kernel = ForkableKernel.instance()
    kernel.prepare()
    _settle()
    send(control, {"ready": os.getpid()})
    while (received := receive(control)) is not None:
        message, descriptors = received
        if message["do"] != "fork":
            continue  # it asks to kill what has ended meanwhile
        connection = socket.socket(fileno=descriptors[0])
        birth = Birth(message["folder"], message["environment"], tuple(message["modules"]))
        _raise(kernel, control, connection, birth)
    kill_descendants()
    os._exit(0)


def _raise(kernel: Any, control: socket.socket, connection: socket.socket, birth: Birth) -> None:
    """Fork a kernel, and tell when it has ended."""
    if _preload(birth.modules):
        _settle()
    try:
        why = _obstacle(birth)
        pid = 0 if why else os.fork()
    except OSError as error:
        why = error.strerror or "no memory"
    if why:
        connection.close()
        send(control, {"why": why})
        return
    if pid == 0:
        control.close()
        _live(kernel, connection, birth)
    connection.close()
    send(control, {"pid": pid})
    status = _watch(pid, control)
    kill_descendants()
    _reap()
    send(control, {"exited": status})


def _obstacle(birth: Birth) -> str | None:
    """Return why a kernel that is forked would not be what it is to be."""
    if threading.active_count() > 1:
        return THREADS  # their locks would be held for ever in the child
    # In a kernel of its own, a folder's modules come before the ones that are installed.
    imported = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
    with os.scandir(birth.folder) as entries:
        for entry in entries:
            name, _, suffix = entry.name.partition(".")
            is_module = entry.is_dir() or suffix.endswith(("py", "so"))
            if entry.name == "matplotlibrc" or (is_module and name in imported):
                return SHADOWED
    return None


def _live(kernel: Any, connection: socket.socket, birth: Birth) -> NoReturn:
    """In the child: be the kernel."""
    try:
        os.setsid()
        process_control(_PR_SET_PDEATHSIG, signal.SIGKILL)
        adopt_orphans(does=False)
        kernel.serve(connection, folder=birth.folder, environment=birth.environment)
    except BaseException:  # noqa: BLE001  # whatever it is, it must not go on as a zygote
        traceback.print_exc(file=sys.__stderr__)
    os._exit(1)


def _watch(pid: int, control: socket.socket) -> int:
    """Return how a kernel ended, once it has; kill it when that is asked for."""
    handle = os.pidfd_open(pid)
    try:
        while True:
            ready, _, _ = select.select([handle, control.fileno()], [], [])
            if handle in ready:
                break
            if receive(control) is None:  # who started us is gone
                kill_descendants()
                os._exit(0)
            kill_descendants()
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _reap() -> None:
    """Take the end of every orphan that was adopted."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _preload(modules: Iterable[str]) -> bool:
    """Import what is not imported yet; tell whether anything was."""
    fresh = [name for name in modules if name not in sys.modules]
    for name in fresh:
        try:
            with suppress(ImportError):  # the notebook's own import will tell
                importlib.import_module(name)
        except BaseException:  # noqa: BLE001  # for people who look into the log of workers
            traceback.print_exc()
    return bool(fresh)


def _settle() -> None:
    """Let children share what is there: the garbage collector would write to all of it."""
    gc.collect()
    gc.freeze()
