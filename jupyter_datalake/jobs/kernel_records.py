"""Messages of the Jupyter protocol as records in one stream of bytes.

A record is the name of a channel and the frames of a message. The socket that they go through
joins two processes and nobody else, so their signatures guard nothing; they are there because
jupyter_client warns where there are none.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgpack
from jupyter_client.session import Session

SHELL = "shell"
IOPUB = "iopub"
KEEP = "datalake_keep_request"
"""Asks a kernel to open sockets of its own and go on there."""
KEPT = "datalake_keep_reply"

_LENGTH = struct.Struct("<I")

MAX_OUTPUT_BYTES = 64 * 1024 * 1024
"""Of all outputs of a notebook together: what is more is left out, with a line that says so."""


def session() -> Session:
    """Return a session for either end."""
    return Session(key=b"both ends of one socket")


def encode_record(channel: str, frames: Sequence[bytes]) -> bytes:
    """Return a message as it goes through the socket."""
    body: bytes = msgpack.packb([channel, [bytes(frame) for frame in frames]])
    return _LENGTH.pack(len(body)) + body


class RecordReader:
    """Records out of bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[str, list[bytes]]]:
        """Return channel and frames of each record that is complete now."""
        self._buffer += data
        records = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            channel, frames = msgpack.unpackb(memoryview(self._buffer)[_LENGTH.size : end])
            records.append((channel, frames))
            del self._buffer[:end]
        return records
