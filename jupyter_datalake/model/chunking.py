"""Cutting a stream of bytes into content-defined chunks.

FastCDC 2020 with the parameters that the lake recorded when it was made: the same bytes give the
same chunks in every lake with the same parameters, and an insertion moves only the chunks beside
it. `pyfastcdc` cuts at several GB/s; see docs/format.md for why these numbers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pyfastcdc import FastCDC

from jupyter_datalake.errors import CorruptDataError, ErrorKind, FormatError

_SMALLEST = 256
_LARGEST = 16 * 1024 * 1024
"""Bounds of chunk sizes: below, names cost more than bytes; above, a read costs too much."""


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
    CorruptDataError
        The sizes make no sense.
    """
    algorithm = raw.get("algorithm")
    if algorithm != "fastcdc-2020" or set(raw) != set(ChunkingParameters.__slots__):
        raise FormatError(
            f"The lake cuts files by {algorithm!r} with {', '.join(sorted(raw))},"
            " which this version does not know",
            hint="Upgrade jupyter_datalake",
        )
    parameters = ChunkingParameters(**raw)
    sizes = (parameters.min_bytes, parameters.average_bytes, parameters.max_bytes)
    if (
        any(type(size) is not int for size in (*sizes, parameters.normalization))
        or not _SMALLEST <= sizes[0] < sizes[1] < sizes[2] <= _LARGEST
        or parameters.normalization not in range(4)
    ):
        raise CorruptDataError(
            "The lake's description has chunk sizes that cannot be",
            kind=ErrorKind.CORRUPT_OBJECT,
            hint="Restore lake.json from a backup; it is never written after the lake was made",
        )
    return parameters


def cut_window(
    window: memoryview, parameters: ChunkingParameters, *, is_last: bool
) -> list[memoryview]:
    """Return the chunks at the beginning of a stretch of a stream, as views into it.

    Where a stretch is not the last one, what is left over begins the next one: a cut is certain
    only if a largest chunk's bytes are known behind it. A window larger than `max_bytes` gives at
    least one chunk. The system's other threads go on meanwhile.
    """
    cutter = FastCDC(
        avg_size=parameters.average_bytes,
        min_size=parameters.min_bytes,
        max_size=parameters.max_bytes,
        normalized_chunking=parameters.normalization,  # type: ignore[arg-type]  # 0..3 by contract
    )
    chunks: list[memoryview] = []
    left = len(window)
    cuts = cutter.cut_buf(window)
    while left >= (1 if is_last else parameters.max_bytes):
        chunk = next(cuts).data
        chunks.append(chunk)
        left -= len(chunk)
    return chunks
