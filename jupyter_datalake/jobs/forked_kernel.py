"""An IPython kernel that is made once, forked for each notebook, and talked to by one socket.

What a Python kernel costs is nearly all imports and the making of its shell. `ForkableKernel` does
those in a process that has one thread; a forked child goes on from there with sockets, streams and
an event loop of its own. Everything that makes outputs is ipykernel's own (shell, display hooks,
captured streams, protocol), so they are those of a kernel that was started for the notebook.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib
import json
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import zmq
from ipykernel.control import ControlThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.thread import make_selector_io_loop
from jupyter_client.session import DELIM
from tornado.ioloop import IOLoop
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from jupyter_datalake.jobs.forked_streams import Publisher, Sender, Stream
from jupyter_datalake.jobs.kernel_records import (
    IOPUB,
    KEEP,
    KEPT,
    MAX_OUTPUT_BYTES,
    SHELL,
    RecordReader,
    encode_record,
    session,
)

_READ_BYTES = 1 << 18
_MAX_OUTPUT = MAX_OUTPUT_BYTES + (1 << 20)
"""Bytes of a message: with what is around an output that may just be."""
_WARM_UP = "None  # %a line that looks like a magic's: ?\n"


class _Channel:
    """What ipykernel takes for one of its sockets."""

    is_shared = True
    """Between threads."""

    def __init__(self, name: str, send: Callable[[bytes], None], context: Any) -> None:
        self._name = name
        self._send = send
        self.context = context
        """For the pipes between the threads of this process."""

    def send_multipart(self, frames: Sequence[Any], **_: object) -> None:
        if self._name == IOPUB and sum(memoryview(frame).nbytes for frame in frames) > _MAX_OUTPUT:
            frames = _without_content(frames)
        self._send(encode_record(self._name, [bytes(memoryview(frame)) for frame in frames]))

    def close(self) -> None:
        """Nothing of its own: the connection is closed by who has it."""


def _without_content(frames: Sequence[Any]) -> list[Any]:
    """Return a message that says of an output that it was too large, in its place."""
    begin = list(frames).index(DELIM) + 1
    _, header, parent, metadata, content, *_ = frames[begin:]
    told = json.loads(bytes(header)) | {"msg_type": "stream"}
    size = memoryview(content).nbytes
    text = (
        f"[an output of {size >> 20:,} MiB was left out: it is larger than all may be together]\n"
    )
    parts = [
        json.dumps(told).encode(),
        parent,
        metadata,
        json.dumps({"name": "stderr", "text": text}).encode(),
    ]
    return [*frames[:begin], session().sign(parts), *parts]


class _Kernel(IPythonKernel):
    """A kernel whose requests come one after the other, each when the one before was answered.

    Once it has sockets of its own, they come as to any kernel.
    """

    _supports_kernel_subshells = False

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        if self.shell_stream is not None:
            super()._abort_queues(subshell_id)  # else nothing is queued behind a cell that failed


class _MainThread:
    """What ipykernel takes for its thread of the shell channel, where there is none."""

    def __init__(self) -> None:
        self.parent_thread = threading.current_thread()
        """Asked whether this is the thread in which interrupts arrive."""

    def __bool__(self) -> bool:
        return False


class ForkableKernel(IPKernelApp):
    """A kernel up to the point where it would open its sockets.

    Used in this order: `prepare`, in a process without other threads; a fork; in the child,
    `serve`.
    """

    def prepare(self) -> None:
        """Read the configuration, make the shell, load its extensions."""
        self.outstream_class = f"{Stream.__module__}.{Stream.__name__}"
        # A history would be written by a thread, and nobody looks for what jobs did there.
        self.config.merge(Config({"HistoryManager": {"enabled": False}}))
        _leave_out_debugger()
        super(IPKernelApp, self).initialize([])
        self.init_pdb()
        self.session = session()
        self.kernel = _Kernel.instance(
            parent=self,
            session=self.session,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.init_path()
        self.init_shell()
        self.init_gui_pylab()
        self._backend = os.environ["MPLBACKEND"]  # ipykernel's, where nobody has set another
        self.init_extensions()
        self._warm_up()

    def _warm_up(self) -> None:
        """Do once what is slow the first time: patterns, imports, all that a traceback needs."""
        assert self.shell is not None
        assert self.session is not None
        self.shell.run_cell(_WARM_UP, store_history=False, silent=True)
        try:
            raise RuntimeError(_WARM_UP)
        except RuntimeError as error:
            self.shell.InteractiveTB.structured_traceback(
                type(error), error, error.__traceback__, tb_offset=0
            )
        self.session.deserialize(self.session.serialize(self.session.msg("status"))[1:])
        self.shell.display_formatter.format(None)  # makes all the formatters
        make_selector_io_loop().close(all_fds=True)

    def serve(
        self, connection: socket.socket, *, folder: str, environment: Mapping[str, str]
    ) -> NoReturn:
        """Be the kernel of one notebook until it is shut down or its client is gone.

        Parameters
        ----------
        connection
            To the client.
        folder
            The working directory.
        environment
            All that this process's environment is to hold, besides what a kernel adds.
        """
        self._begin(connection, folder, environment)
        try:
            asyncio.run(self._answer(connection))
        finally:
            # As of a process that ends by itself, but without what the first of the forked
            # processes would have to do: its threads are not here.
            atexit._run_exitfuncs()
            os._exit(0)

    def _begin(
        self, connection: socket.socket, folder: str, environment: Mapping[str, str]
    ) -> None:
        _become(environment)
        assert self.shell is not None
        self.shell.init_environment()
        os.environ.setdefault("MPLBACKEND", self._backend)
        time.tzset()
        os.chdir(folder)
        _renew_chance()
        assert self.session is not None
        self.session.pid = os.getpid()
        self.context = zmq.Context()
        self._sender = Sender(connection, self._later)
        # Behind each answer comes the word that the kernel is idle.
        self._shell_channel = _Channel(SHELL, self._sender.hold, self.context)
        self.iopub_thread = Publisher(
            _Channel(IOPUB, self._sender.send, self.context), session=self.session
        )
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket
        self.init_io()
        kernel = self.kernel
        kernel._execute_sleep = 0.0  # for what is flushed in another thread; here nothing is
        kernel.iopub_thread, kernel.iopub_socket = self.iopub_thread, self.iopub_socket
        kernel.shell_channel_thread = _MainThread()
        self.displayhook.get_execution_count = lambda: kernel.execution_count
        for hook in (self.shell.displayhook, self.shell.display_pub):
            hook.session, hook.pub_socket = self.session, self.iopub_socket
        self.init_signal()
        self.init_code()
        sys.stdout.flush()
        sys.stderr.flush()

    def _later(self, act: Callable[[], object]) -> None:
        """Have something done by the thread of outputs, which signals never reach."""
        self.iopub_thread.schedule(act)

    async def _answer(self, connection: socket.socket) -> None:
        self.kernel.io_loop = IOLoop.current()
        received: asyncio.Queue[bytes] = asyncio.Queue()
        # Not asyncio's streams: they would make it one that does not wait, for senders, too.
        asyncio.get_running_loop().add_reader(
            connection,
            lambda: received.put_nowait(connection.recv(_READ_BYTES, socket.MSG_DONTWAIT)),
        )
        reader = RecordReader()
        while data := await received.get():
            for _, frames in reader.feed(data):
                assert self.session is not None
                _, rest = self.session.feed_identities(frames)
                message = self.session.deserialize(rest)
                match message["header"]["msg_type"]:
                    case "shutdown_request":
                        return
                    case str(kind) if kind == KEEP:
                        asyncio.get_running_loop().remove_reader(connection)
                        self._open(message)
                        await asyncio.Event().wait()  # for ever: until it is told by its sockets
                    case _:
                        await self._handle(message)

    def _open(self, message: dict[str, Any]) -> None:
        """Open sockets, as any kernel has them, for who goes on after the notebook."""
        content, kernel = message["content"], self.kernel
        kernel._execute_sleep = _Kernel._execute_sleep.default_value
        assert self.session is not None
        assert self.context is not None
        self.session.key = os.urandom(32).hex().encode()
        self.transport, self.ip = "ipc", content["sockets"]
        self.connection_file = content["connection_file"]
        sockets = {}
        for name in ("shell", "stdin", "control"):
            sockets[name] = self.context.socket(zmq.ROUTER)
            sockets[name].linger = 1000
            sockets[name].router_handover = 1
            setattr(self, f"{name}_socket", sockets[name])
            setattr(self, f"{name}_port", self._bind_socket(sockets[name], 0))
        iopub = self.context.socket(zmq.XPUB)
        iopub.linger = 1000
        self.iopub_port = self._bind_socket(iopub, 0)
        self._publish_by(iopub)
        self.init_heartbeat()
        thread = self.control_thread = kernel.control_thread = ControlThread(daemon=True)
        kernel.control_stream = ZMQStream(sockets["control"], thread.io_loop)
        kernel.shell_stream = ZMQStream(sockets["shell"])
        kernel.stdin_socket = sockets["stdin"]
        kernel.start()
        thread.start()
        self.write_connection_file()
        frames = session().serialize(session().msg(KEPT, parent=message))
        _Channel(SHELL, self._sender.send, self.context).send_multipart(frames)  # nothing follows

    def _publish_by(self, iopub: zmq.Socket[bytes]) -> None:
        """Have outputs go out by another socket, from whatever writes them."""
        changed = threading.Event()

        def change() -> None:
            self.iopub_thread.socket = iopub
            self.iopub_thread._setup_xpub_listener()
            changed.set()

        self.iopub_thread.schedule(change)
        changed.wait()

    async def _handle(self, message: dict[str, Any]) -> None:
        """Answer one request, as the kernel does when it comes by its own sockets."""
        kernel = self.kernel
        kernel.set_parent([], message, channel=SHELL)
        with self._sender.holding():  # for the input, which is published next
            kernel._publish_status("busy", SHELL)
        handler = kernel.shell_handlers.get(message["header"]["msg_type"])
        if handler is not None:
            kernel.pre_handler_hook()
            try:
                result = handler(self._shell_channel, [], message)
                if result is not None:
                    await result
            except KeyboardInterrupt:
                self.log.warning("a notebook was interrupted between its cells")
            finally:
                kernel.post_handler_hook()
        sys.stdout.flush()
        sys.stderr.flush()
        kernel._publish_status("idle", SHELL)


def _leave_out_debugger() -> None:
    """Let ipykernel find no debugpy: it would be imported for every kernel, and nobody debugs one.

    A notebook can import it all the same.
    """
    before = sys.modules.get("debugpy")
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # it cannot be imported now
    try:
        importlib.import_module("ipykernel.debugger")
    finally:
        del sys.modules["debugpy"]
        if before is not None:
            sys.modules["debugpy"] = before


def _become(environment: Mapping[str, str]) -> None:
    """Let this process have an environment; what it has already is not touched, nor its memory."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _renew_chance() -> None:
    """Let chance be another one in each child, as it is in processes that begin on their own."""
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
