"""A proxy in front of an S3 server that does wrong, on purpose, what networks and servers do wrong.

Usage::

    with S3FaultProxy(server) as proxy:
        proxy.add(Fault("lost", method="PUT", times=1))
        store = S3ObjectStore(parse_s3_url(proxy.server.url("bucket")))
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from jupyter_datalake.testing.s3_servers import S3Server

FaultKind = Literal[
    "status",  # an error is answered instead of the truth
    "reset",  # the connection is reset before the server hears of the request
    "lost",  # the server acts, and its answer is lost
    "half",  # half of a written body is stored, and 200 answered
    "truncate",  # the connection ends in the middle of the body
    "short",  # the body ends early, and its length says so
    "empty",  # there is no body
    "flip",  # one bit of the body is another, of an answer or of what is written
    "unconditional",  # the conditions of a write are ignored
    "hang",  # no answer, ever
]

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "expect"})
_CONDITIONS = frozenset({"if-none-match", "if-match"})


@dataclass(slots=True)
class Fault:
    """Something that goes wrong with requests of a kind."""

    kind: FaultKind
    method: str = ".*"
    """Pattern of the HTTP method."""
    path: str = ".*"
    """Pattern that is searched for in the path with its query."""
    times: int | None = None
    """How often it happens; always when None."""
    after: int = 0
    """How many such requests go well before."""
    chance: float = 1.0
    """How often it happens, of the requests that match."""
    status: int = 503
    code: str = "SlowDown"
    date_offset_s: float = 0.0
    """By how much the server's clock, in the answer, is ahead."""
    happened: int = 0

    def applies(self, method: str, path: str, rng: random.Random) -> bool:
        """Tell whether it happens to a request, and count it."""
        if not re.fullmatch(self.method, method) or not re.search(self.path, path):
            return False
        if self.times is not None and self.happened >= self.times:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if rng.random() >= self.chance:
            return False
        self.happened += 1
        return True


@dataclass(slots=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class _Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class S3FaultProxy:
    """Passes everything on to a server, except what its faults say. One thread per connection."""

    def __init__(self, upstream: S3Server, *, seed: int = 1) -> None:
        self.upstream = upstream
        self.requests: list[tuple[str, str]] = []
        """Method and path of every request, in order."""
        self._faults: list[Fault] = []
        self._rng = random.Random(seed)  # noqa: S311  # the same faults in every run
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.proxy = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self.server = S3Server(f"http://127.0.0.1:{self._http.server_address[1]}")

    def add(self, *faults: Fault) -> None:
        """Let more go wrong from now on."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Let everything go well from now on; forget the requests so far."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()

    def count(self, method: str, path: str = "") -> int:
        """Return how many requests of a method had something in their path."""
        with self._lock:
            return sum(one == method and path in place for one, place in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()

    def fault_of(self, request: Request) -> Fault | None:
        """Note a request and return what goes wrong with it."""
        with self._lock:
            self.requests.append((request.method, request.path))
            for fault in self._faults:
                if fault.applies(request.method, request.path, self._rng):
                    return fault
        return None

    def answer(self, request: Request, fault: Fault | None) -> _Answer | None:
        """Return what is answered; None for nothing at all."""
        match fault.kind if fault is not None else None:
            case "hang":
                self._ended.wait()
                return None
            case "reset":
                return None
            case "lost":
                self._forward(request)
                return None
            case "status":
                assert fault is not None
                return _error(fault)
            case "half" if request.body:
                return self._store_half(request)
            case "flip" if request.body:
                request.body = _flipped(request.body)
            case "unconditional":
                request.headers = {
                    name: value
                    for name, value in request.headers.items()
                    if name.lower() not in _CONDITIONS
                }
        return self._forward(request)

    def _forward(self, request: Request) -> _Answer:
        place = urlsplit(self.upstream.endpoint_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        try:
            connection.putrequest(
                request.method, request.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            if request.body or request.method in {"PUT", "POST"}:
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            response = connection.getresponse()
            return _Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def _store_half(self, request: Request) -> _Answer:
        """Store half of what was sent as a careless server would, past its own checks."""
        half = request.body[: len(request.body) // 2]
        place = urlsplit(request.path)
        _, bucket, key = unquote(place.path).split("/", 2)
        query = parse_qs(place.query)
        prefix = "x-amz-meta-"
        if "uploadId" in query:
            stored = self.upstream.client.upload_part(
                Bucket=bucket,
                Key=key,
                UploadId=query["uploadId"][0],
                PartNumber=int(query["partNumber"][0]),
                Body=half,
            )
        else:
            stored = self.upstream.client.put_object(
                Bucket=bucket,
                Key=key,
                Body=half,
                Metadata={
                    name[len(prefix) :]: value
                    for name, value in request.headers.items()
                    if name.lower().startswith(prefix)
                },
            )
        return _Answer(200, {"ETag": stored["ETag"]})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: S3FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections that break are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_any(self) -> None:
        """Answer one request, rightly or wrongly."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        proxy = self.server.proxy
        fault = proxy.fault_of(request)
        answer = proxy.answer(request, fault)
        if answer is None:
            self._reset()
            return
        kind = fault.kind if fault is not None else None
        sent = answer.body
        is_body = bool(sent) and self.command == "GET" and answer.status < http.client.BAD_REQUEST
        if is_body and kind == "flip":
            sent = _flipped(sent)
        elif is_body and kind == "short":
            sent = sent[: len(sent) // 2]
        elif is_body and kind == "empty":
            sent = b""
            answer.status = 200
            answer.headers.pop("Content-Range", None)
        self._send(answer, sent, is_cut=is_body and kind == "truncate")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815  # as http.server has it

    def _send(self, answer: _Answer, sent: bytes, *, is_cut: bool) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        length = str(len(sent))
        if self.command == "HEAD":
            given = {name.lower(): value for name, value in answer.headers.items()}
            length = given.get("content-length", "0")
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(sent[: len(sent) // 2] if is_cut else sent)
        if is_cut:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.close_connection = True

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Keep quiet."""


def _error(fault: Fault) -> _Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{fault.code}</Code><Message>on purpose</Message></Error>"
    ).encode()
    date = formatdate(time.time() + fault.date_offset_s, usegmt=True)
    return _Answer(fault.status, {"Content-Type": "application/xml", "Date": date}, body)


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
