"""Batches: datums that follow each other, given to one run of the code.

Where a batch ends depends on the names around, not on how many datums are before it: of the datums
that it may end with, it ends with the one whose name has the smallest digest. So a name that comes
or goes changes the batch it is in and a few behind, until one ends where one ended before; the
others stay what they were, and are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from jupyter_datalake.model.ids import Digest

D = TypeVar("D")


def batches(
    datums: Iterable[D], size: int, digest: Callable[[D], Digest]
) -> Iterator[tuple[D, ...]]:
    """Yield datums in batches of at most `size`, in their order.

    Every batch but the last has at least half as many. Memory: one batch.

    Parameters
    ----------
    digest
        Of what names a datum, whatever it holds.
    """
    waiting: list[D] = []
    marks: list[Digest] = []
    for one in datums:
        waiting.append(one)
        marks.append(digest(one))
        if len(waiting) == size:
            end = min(range((size + 1) // 2 - 1, size), key=marks.__getitem__) + 1
            yield tuple(waiting[:end])
            del waiting[:end], marks[:end]
    if waiting:
        yield tuple(waiting)
