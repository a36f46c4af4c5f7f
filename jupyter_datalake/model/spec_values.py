"""Sizes and durations as specs say them."""

from __future__ import annotations

import re

from jupyter_datalake.model.pipeline_schema import SIZE
from jupyter_datalake.model.spec_problems import invalid, shown

_BYTES = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGT", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_MS = 36525 * _UNITS_MS["d"]


def parse_size(text: str, place: str) -> int:
    """Return the bytes of a size such as ``500MB`` or ``1GiB``.

    >>> parse_size("2KiB", "resources.memory")
    2048
    """
    match = re.fullmatch(SIZE, text)
    size = round(float(match[1]) * _BYTES[match[2]]) if match else 0
    if not 0 < size < 1 << 63:
        raise invalid(place, f"{shown(text)} is not a size such as 500MB or 1GiB")
    return size


def parse_duration(text: str, place: str = "datums.timeout") -> float:
    """Return the seconds of a duration such as ``90s`` or ``1.5h``, to the millisecond.

    >>> parse_duration("10m")
    600.0
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d)", text)
    milliseconds = round(float(match[1]) * _UNITS_MS[match[2]]) if match else 0
    if not 0 < milliseconds <= _LONGEST_MS:
        raise invalid(
            place,
            f"{shown(text)} is not a duration such as 90s, 10m or 2h, of at most a hundred years",
        )
    return milliseconds / 1000


def duration_text(seconds: float) -> str:
    """Return the text that `parse_duration` turns back into exactly these seconds."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"
