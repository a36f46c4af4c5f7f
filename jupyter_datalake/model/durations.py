"""Durations as people write them: ``90s``, ``12h``, ``14d``."""

from __future__ import annotations

import math
import re

from jupyter_datalake.errors import InvalidInputError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_LONGEST_S = 100 * 366 * 86_400


def parse_age(text: str) -> float:
    """Return the seconds of an age; 0 needs no unit.

    >>> parse_age("14d")
    1209600.0

    Raises
    ------
    InvalidInputError
        It is no such text, or longer than a hundred years.
    """
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _UNITS[match[2]] if match else math.inf
    if seconds > _LONGEST_S:
        raise InvalidInputError(
            f"{text!r:.80} is not an age such as 90s, 12h, 14d or 8w, of at most a hundred years"
        )
    return seconds


def age_of(seconds: float) -> str:
    """Return the shortest text for a number of whole seconds.

    >>> age_of(1209600)
    '2w'
    """
    for unit in "wdhm":
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{int(seconds)}s"
