"""A network that fails on purpose: a TCP proxy which drops, swallows and delays.

Usage::

    with TcpProxy("127.0.0.1", server.port) as proxy:
        store = open_postgres(server.url(port=proxy.port), wait_s=30)
        proxy.rule = lose_answer_to(b"COMMIT")      # done, but nobody is told
        proxy.rule = drop_at(17)                    # whatever is the 17th packet from here on
        proxy.rule = black_hole                     # takes everything, answers nothing

A rule looks at every packet, of both directions and all connections, and says what becomes of it.
Numbers begin at 1 again when a rule is set.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Self


class Fate(Enum):
    """What becomes of a packet."""

    PASS = auto()
    DROP = auto()
    """It is lost, and its connection is reset in both directions."""
    DROP_BEHIND = auto()
    """It arrives, and then its connection is reset in both directions."""
    SWALLOW = auto()
    """It is lost and nobody is told, as by a firewall."""


@dataclass(frozen=True, slots=True)
class Packet:
    """What one read from a socket gave: a request, an answer, or a piece of one."""

    number: int
    """Among all packets since the rule was set, from 1."""
    connection: int
    """Which connection it belongs to, from 1."""
    is_answer: bool
    data: bytes


Rule = Callable[[Packet], Fate]


def passing(packet: Packet) -> Fate:
    """Let everything through."""
    return Fate.PASS


def black_hole(packet: Packet) -> Fate:
    """Swallow everything, without closing anything."""
    return Fate.SWALLOW


def drop_at(number: int) -> Rule:
    """Return the rule that loses the packet of this number, and its connection."""
    return lambda packet: Fate.DROP if packet.number == number else Fate.PASS


def delay(seconds: float) -> Rule:
    """Return the rule that lets every packet through later."""

    def rule(packet: Packet) -> Fate:
        time.sleep(seconds)
        return Fate.PASS

    return rule


def lose_answer_to(request: bytes, *, times: int = 1) -> Rule:
    """Return the rule that lets requests with these bytes arrive and loses their answers."""
    waiting: set[int] = set()
    left = [times]

    def rule(packet: Packet) -> Fate:
        if not packet.is_answer and request in packet.data and left[0] > 0:
            left[0] -= 1
            waiting.add(packet.connection)
        elif packet.is_answer and packet.connection in waiting:
            waiting.discard(packet.connection)
            return Fate.DROP
        return Fate.PASS

    return rule


def lose_request(request: bytes, *, times: int = 1) -> Rule:
    """Return the rule that loses requests with these bytes before they arrive."""
    left = [times]

    def rule(packet: Packet) -> Fate:
        if not packet.is_answer and request in packet.data and left[0] > 0:
            left[0] -= 1
            return Fate.DROP
        return Fate.PASS

    return rule


class TcpProxy:
    """Passes connections on to a server, except what its `rule` says.

    Parameters
    ----------
    host, port
        Where the server is; asked anew for each connection, so it may be restarted meanwhile.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._rule: Rule = passing
        self._packets = 0
        self._pairs: dict[int, tuple[socket.socket, socket.socket]] = {}
        self.connections = 0
        """How many there have been."""
        self._thread = threading.Thread(target=self._accept, name="tcp-proxy", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where to connect, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    @property
    def packets(self) -> int:
        """How many packets there were since the rule was set."""
        return self._packets

    @property
    def rule(self) -> Rule:
        """What becomes of packets."""
        return self._rule

    @rule.setter
    def rule(self, rule: Rule) -> None:
        with self._lock:
            self._rule, self._packets = rule, 0

    def drop_all(self) -> None:
        """Reset every connection there is now."""
        with self._lock:
            numbers = list(self._pairs)
        for number in numbers:
            self._drop(number)

    def close(self) -> None:
        """End the proxy and every connection through it."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                number = self.connections
                self._pairs[number] = (client, server)
            for source, sink, is_answer in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pump, args=(number, source, sink, is_answer), daemon=True
                ).start()

    def _pump(
        self, number: int, source: socket.socket, sink: socket.socket, is_answer: bool
    ) -> None:
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if not data:
                with suppress(OSError):
                    sink.shutdown(socket.SHUT_WR)
                return
            with self._lock:
                self._packets += 1
                packet = Packet(self._packets, number, is_answer, data)
                rule = self._rule
            fate = rule(packet)
            try:
                if fate in {Fate.PASS, Fate.DROP_BEHIND}:
                    sink.sendall(data)
            except OSError:
                fate = Fate.DROP
            if fate in {Fate.DROP, Fate.DROP_BEHIND}:
                self._drop(number)
                return

    def _drop(self, number: int) -> None:
        with self._lock:
            pair = self._pairs.pop(number, None)
        for one in pair or ():
            _reset(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
    one.close()
