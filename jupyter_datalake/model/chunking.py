"""Cutting a stream of bytes into content-defined chunks.

FastCDC 2020 with the parameters that the lake recorded when it was made: the same bytes give the
same chunks in every lake with the same parameters, and an insertion moves only the chunks beside
it. `pyfastcdc` cuts at several GB/s; see docs/format.md for why these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pyfastcdc import FastCDC

from jupyter_datalake.errors import FormatError


class Readable(Protocol):
    """A binary stream."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and return how much was read; 0 at the end."""
        ...


@dataclass(frozen=True, slots=True)
class ChunkingParameters:
    """How files are cut; part of the lake, not of the program."""

    algorithm: str = "fastcdc-2020"
    average_bytes: int = 256 * 1024
    min_bytes: int = 128 * 1024
    max_bytes: int = 1024 * 1024
    normalization: int = 2

    def as_dict(self) -> dict[str, Any]:
        """Return the form kept in the lake's configuration object."""
        return asdict(self)


def parse_chunking(raw: dict[str, Any]) -> ChunkingParameters:
    """Return the parameters of a lake's configuration object.

    Raises
    ------
    FormatError
        The lake was cut by an algorithm this version does not know.
    """
    parameters = ChunkingParameters(**raw)
    if parameters.algorithm != "fastcdc-2020":
        raise FormatError(
            f"The lake cuts files by {parameters.algorithm!r}, which this version does not know",
            hint="Upgrade jupyter_datalake",
        )
    return parameters


def iter_chunks(stream: Readable, parameters: ChunkingParameters) -> Iterator[memoryview]:
    """Yield the chunks of `stream` in order; an empty stream yields none.

    Each view is valid only until the next one is asked for: hash or copy it first. Memory is a
    few times `max_bytes`, whatever the stream's length.
    """
    cutter = FastCDC(
        avg_size=parameters.average_bytes,
        min_size=parameters.min_bytes,
        max_size=parameters.max_bytes,
        normalized_chunking=parameters.normalization,  # type: ignore[arg-type]  # 0..3 by contract
    )
    for chunk in cutter.cut_stream(stream):
        yield chunk.data
