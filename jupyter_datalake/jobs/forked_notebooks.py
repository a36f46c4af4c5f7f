"""Kernels that are forked off a zygote, as papermill and nbclient want to see kernels."""

from __future__ import annotations

import ast
import asyncio
import logging
import os
import queue
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec

from jupyter_datalake.jobs.kernel_records import (
    IOPUB,
    KEEP,
    KEPT,
    SHELL,
    RecordReader,
    encode_record,
    session,
)
from jupyter_datalake.jobs.processes import kill_tree
from jupyter_datalake.jobs.python_source import parse_python
from jupyter_datalake.jobs.zygote import SHADOWED, THREADS, Birth, birth_message, receive, send

logger = logging.getLogger(__name__)

_START_S = 60.0
_SHUTDOWN_S = 5.0
_READ_BYTES = 1 << 18
_COMMAND = "from jupyter_datalake.jobs.zygote import main; main()"

PRELOADED = frozenset(
    {
        "duckdb",
        "matplotlib",
        "numpy",
        "pandas",
        "plotly",
        "pyarrow",
        "scipy",
        "seaborn",
        "sklearn",
        "statsmodels",
    }
)
"""Packages that a zygote imports for its notebooks. They are slow to import, and start no thread
and open nothing when they are: what else a notebook imports, its own process does."""

# A plain kernel of this interpreter: what is forked is the same program.
_PLAIN_ARGUMENTS = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]


def can_be_forked(spec: KernelSpec) -> bool:
    """Tell whether a kernel is this interpreter's own, as it is installed, on a system that forks.

    Another interpreter, other arguments or variables need a process of their own.
    """
    if sys.platform != "linux" or not hasattr(os, "pidfd_open") or spec.env:
        return False
    interpreter, *arguments = spec.argv or [""]
    arguments = [one for one in arguments if one != "-Xfrozen_modules=off"]
    is_ours = interpreter in {
        "python",
        "python3",
        f"python{sys.version_info[0]}.{sys.version_info[1]}",
    }
    is_ours = is_ours or _is_this_interpreter(interpreter)
    return is_ours and arguments == _PLAIN_ARGUMENTS


def _is_this_interpreter(path: str) -> bool:
    """Tell whether a path leads to this interpreter, and to its packages.

    Environments share what their interpreters are links to; the folder tells them apart.
    """
    return os.path.realpath(path) == os.path.realpath(sys.executable) and (
        os.path.realpath(os.path.dirname(path)) == os.path.realpath(os.path.dirname(sys.executable))
    )


def imported_modules(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the modules of `PRELOADED` that cells import at their top level, in their order."""
    found: dict[str, None] = {}
    for cell in cells:
        for name in _imports(cell):
            if name.partition(".")[0] in PRELOADED:
                found[name] = None
    return tuple(found)


def _imports(cell: str) -> list[str]:
    # Lines that are no Python, such as magics, are none of ours; the rest of the cell is.
    lines = [line for line in cell.splitlines() if line.startswith(("import ", "from "))]
    names = []
    for line in lines:
        try:
            statement = parse_python(line).body[0]
        except (SyntaxError, ValueError):
            continue  # it goes on in the next line
        if isinstance(statement, ast.Import):
            names += [one.name for one in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.append(statement.module)
    return names


class ZygoteError(RuntimeError):
    """No kernel could be forked. nbclient and papermill take it for a dead kernel."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no kernel could be forked: {why}")
        self.why = why


_GONE = "the process that forks them is gone"


class Zygote:
    """A zygote's process, started when it is first needed. For one thread, one kernel at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._pid: int | None = None
        self._status: int | None = None
        self._preloads = True
        # As it is before the variables of a datum are in it.
        self._environment = dict(os.environ)

    def fork(self, birth: Birth) -> socket.socket:
        """Start a kernel; return the connection to it.

        Fails with `ZygoteError` when there is no memory for it, the zygote does not start, or this
        notebook needs a kernel that has imported nothing (`SHADOWED`).
        """
        try:
            return self._try(birth)
        except ZygoteError as error:
            # It was killed, perhaps for the memory it takes; what was forked from it was not hurt.
            if error.why == SHADOWED:
                raise
            self.close()
            self._preloads = self._preloads and error.why != THREADS
            logger.warning("a process that forks kernels is replaced: %s", error)
            return self._try(birth)

    def _try(self, birth: Birth) -> socket.socket:
        control = self._started()
        if not self._preloads:
            birth = replace(birth, modules=())
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                send(control, birth_message(birth), [theirs.fileno()])
            answer = self._answer(_START_S)
            if "pid" not in answer:
                raise ZygoteError(answer["why"])
        except OSError as error:
            ours.close()
            raise ZygoteError(_GONE) from error
        except BaseException:
            ours.close()
            raise
        self._pid, self._status = answer["pid"], None
        return ours

    @property
    def process_id(self) -> int | None:
        """The zygote's own process, if it runs."""
        return None if self._process is None else self._process.pid

    @property
    def pid(self) -> int | None:
        """The process of the kernel that was forked last."""
        return self._pid

    def exit_status(self, wait_s: float = 0.0) -> int | None:
        """Return how the kernel ended, negative for a signal; None while it lives."""
        if self._status is None and self._has_answer(wait_s):
            try:
                self._status = self._answer(0.0)["exited"]
            except ZygoteError:  # kernels die with their zygote
                self._status = -signal.SIGKILL
        return self._status

    def end(self, *, wait_s: float = 0.0) -> None:
        """End the kernel with all that it started, after it had `wait_s` to end by itself."""
        if self._pid is None or self.exit_status(wait_s) is not None:
            return
        assert self._control is not None
        try:
            send(self._control, {"do": "kill"})
            self._status = self._answer(_START_S)["exited"]
        except (OSError, ZygoteError):
            self.close()

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        if self._pid is not None and self.exit_status() is None:
            os.kill(self._pid, signal.SIGINT)

    def close(self) -> None:
        """End the zygote with all that came of it; the next `fork` starts another one."""
        process, self._process = self._process, None
        control, self._control = self._control, None
        self._pid = None
        if control is not None:
            control.close()
        if process is not None:
            kill_tree(process.pid)
            process.wait()

    def _started(self) -> socket.socket:
        if self._process is not None and self._process.poll() is None and self._control is not None:
            return self._control
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                cwd="/",  # where no matplotlibrc and no module lies in wait
                pass_fds=[theirs.fileno()],
                env=self._environment,
            )
        self._answer(_START_S)
        return self._control

    def _has_answer(self, wait_s: float) -> bool:
        return self._control is None or bool(select.select([self._control], [], [], wait_s)[0])

    def _answer(self, wait_s: float) -> dict[str, Any]:
        received = None
        if self._control is not None and self._has_answer(wait_s):
            received = receive(self._control)
        if received is None:
            self.close()
            raise ZygoteError(_GONE)
        return received[0]


class _Messages:
    """A channel of a client: messages that came and were not asked for yet."""

    def __init__(self, send_message: Any) -> None:
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.put = self._waiting.put_nowait
        self.send = send_message

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # noqa: ASYNC109  # nbclient's name
        try:
            return await asyncio.wait_for(self._waiting.get(), timeout)
        except TimeoutError:
            raise queue.Empty from None


class ForkedKernelClient:
    """A client of a forked kernel, with what nbclient uses of `jupyter_client.KernelClient`."""

    allow_stdin = False

    def __init__(self, zygote: Zygote, connection: socket.socket) -> None:
        self._zygote = zygote
        self.session = session()
        self._connection = connection
        self._reader = RecordReader()
        self.shell_channel = _Messages(self._send)
        self.iopub_channel = _Messages(self._send)
        self._channels = {SHELL: self.shell_channel, IOPUB: self.iopub_channel}

    async def start_channels(self) -> None:
        """Begin to take in messages, in the event loop that is running."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._connection, self._take_in)

    def stop_channels(self) -> None:
        """Take in no more."""
        if self._connection.fileno() >= 0:
            self._loop.remove_reader(self._connection)
            self._connection.close()

    def is_alive(self) -> bool:
        """Tell whether the kernel's process has not ended."""
        return self._zygote.exit_status() is None

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Nothing: requests wait in the socket until the kernel reads them."""

    def kernel_info(self) -> str:
        """Ask what the kernel is; return the message's id."""
        return self._request("kernel_info_request", {})

    def execute(self, code: str, *, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Ask for code to be run; return the message's id."""
        return self._request(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": store_history,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": stop_on_error,
            },
        )

    def shutdown(self) -> None:
        """Ask the kernel to end by itself."""
        try:
            self._request("shutdown_request", {"restart": False})
        except OSError:
            return  # it has ended

    def keep(self, connection_file: Path, sockets: Path) -> None:
        """Have the kernel go on by sockets of its own; see `ForkedKernelManager.keep`."""
        content = {"connection_file": str(connection_file), "sockets": str(sockets / "kernel")}
        self._request(KEEP, content)
        self._connection.settimeout(_START_S)
        while data := self._connection.recv(_READ_BYTES):
            for _, frames in self._reader.feed(data):
                _, rest = self.session.feed_identities(frames)
                if self.session.deserialize(rest)["header"]["msg_type"] == KEPT:
                    return
        raise ConnectionError("it ended")

    def _request(self, kind: str, content: dict[str, Any]) -> str:
        message = self.session.msg(kind, content)
        self._send(message)
        return str(message["header"]["msg_id"])

    def _send(self, message: dict[str, Any]) -> None:
        frames = self.session.serialize(message)
        self._connection.sendall(encode_record(SHELL, [*frames, *message.get("buffers", [])]))

    def _take_in(self) -> None:
        try:
            data = self._connection.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except ConnectionError:
            data = b""
        if not data:
            self._loop.remove_reader(self._connection)  # nbclient asks whether it lives
            return
        for channel, frames in self._reader.feed(data):
            _, rest = self.session.feed_identities(frames)
            self._channels[channel].put(self.session.deserialize(rest))


class ForkedKernelManager:
    """One forked kernel, with what nbclient uses of `jupyter_client.KernelManager`."""

    ipykernel = False  # it would be given arguments for its command line

    def __init__(self, zygote: Zygote, birth: Birth) -> None:
        self._zygote = zygote
        self._birth = birth
        self._client: ForkedKernelClient | None = None

    @property
    def has_kernel(self) -> bool:
        """Whether it was started."""
        return self._client is not None

    def start_kernel(self, **_: object) -> None:
        """Fork."""
        self._client = ForkedKernelClient(self._zygote, self._zygote.fork(self._birth))

    def client(self) -> ForkedKernelClient:
        """Return the client; there is one."""
        assert self._client is not None
        return self._client

    def is_alive(self) -> bool:
        """Tell whether its process has not ended."""
        return self._zygote.exit_status() is None

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._zygote.pid

    def keep(self, connection_file: Path, sockets: Path) -> None:
        """Have the kernel, which has nothing to do, go on as one to which Jupyter talks.

        Parameters
        ----------
        connection_file
            Written by the kernel, for its owner alone.
        sockets
            Folder in which they are made.

        Raises
        ------
        OSError
            It has ended, or does not answer.
        """
        assert self._client is not None
        self._client.keep(connection_file, sockets)

    def interrupt_kernel(self) -> None:
        """Interrupt the cell that runs."""
        self._zygote.interrupt()

    def shutdown_kernel(self, *, now: bool = False) -> None:
        """End the kernel, and all that it started; unless `now`, it may end by itself first."""
        if not now and self._client is not None:
            self._client.shutdown()
        self._zygote.end(wait_s=0.0 if now else _SHUTDOWN_S)

    def cleanup_resources(self) -> None:
        """End what is left."""
        self._zygote.end()


def birth_in(folder: Path, cells: Iterable[str]) -> Birth:
    """Return the birth of a kernel for some cells, in this process's environment."""
    return Birth(str(folder), dict(os.environ), imported_modules(cells))
