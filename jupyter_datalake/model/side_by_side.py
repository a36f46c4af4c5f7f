"""Streams in the order of keys, walked in step: neither is ever in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Left = TypeVar("Left")
Right = TypeVar("Right")


def side_by_side(
    left: Iterable[tuple[bytes, Left]], right: Iterable[tuple[bytes, Right]]
) -> Iterator[tuple[bytes, tuple[bytes, Left] | None, tuple[bytes, Right] | None]]:
    """Yield each key of two streams without repeats, with what each of them has there."""
    ours, theirs = iter(left), iter(right)
    mine, other = next(ours, None), next(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine[0] < other[0]):
            assert mine is not None
            yield mine[0], mine, None
            mine = next(ours, None)
        elif mine is None or other[0] < mine[0]:
            yield other[0], None, other
            other = next(theirs, None)
        else:
            yield mine[0], mine, other
            mine, other = next(ours, None), next(theirs, None)
