"""Metrics: the numbers in JSON files that are named for them, as DVC's users write them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from jupyter_datalake.model.paths import RepoPath, name_of

MAX_METRICS_BYTES = 1 << 20
"""A larger file holds something else."""

_STEM, _ENDING = "metrics", ".json"


def is_metrics_file(path: RepoPath, size_bytes: int) -> bool:
    """Tell whether a file, as ``test_metrics.json``, is one of metrics."""
    name = name_of(path).lower()
    return size_bytes <= MAX_METRICS_BYTES and name.endswith(f"{_STEM}{_ENDING}")


def metrics_in(data: bytes) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a JSON document by their names, those inside of others with dots.

    What is no number, or not a finite one, is left out, and so is a document that does not parse.
    """
    try:
        document = json.loads(data)
        yield from _numbers(document, ())
    except (ValueError, RecursionError, OverflowError):
        return


def _numbers(value: Any, names: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    match value:
        case bool():
            return
        case int() | float() if math.isfinite(value):
            yield ".".join(names), value
        case dict():
            for name, one in value.items():
                yield from _numbers(one, (*names, name))
        case list():
            for index, one in enumerate(value):
                yield from _numbers(one, (*names, str(index)))
