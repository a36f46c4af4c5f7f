"""Combining what inputs were cut into: cross, union, join and group, nested in each other.

The order is fixed, so that equal commits give equal datums at equal positions:

- a cross goes through its inputs like an odometer, the last one fastest;
- a union goes through its inputs one after the other;
- a join and a group go through what they compare in order of its text; within one text a join goes
  like a cross, and a group holds the matches of its inputs one input after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Generic, TypeVar

from jupyter_datalake.model.pipelines import (
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    Leaf,
    UnionInput,
)

P = TypeVar("P")

Key = tuple[str, ...]
"""What joins and groups compare; empty where an input says nothing of it."""


@dataclass(frozen=True, slots=True)
class Cut(Generic[P]):
    """Pieces that belong together, and what they are compared by."""

    pieces: tuple[P, ...]
    on: Key = ()
    by: Key = ()
    is_outer: bool = False


CutLeaf = Callable[[Leaf], Iterator[Cut[P]]]
"""Yields what one leaf is cut into, by path."""


def combine(given: Input | None, cut: CutLeaf[P]) -> Iterator[Cut[P]]:
    """Yield what an input is cut into, in the order above.

    Memory: a leaf and a union hold nothing, a cross all its inputs but the first, a join and a
    group everything.

    Parameters
    ----------
    cut
        Cuts a leaf; asked once for each, when it is needed.
    """
    match given:
        case None:
            yield Cut(())
        case CrossInput(inputs):
            yield from _cross(inputs, cut)
        case UnionInput(inputs):
            for one in inputs:
                yield from combine(one, cut)
        case JoinInput(inputs):
            yield from _join(inputs, cut)
        case GroupInput(inputs):
            yield from _group(inputs, cut)
        case _:
            yield from cut(given)


def _cross(inputs: tuple[Input, ...], cut: CutLeaf[P]) -> Iterator[Cut[P]]:
    first, *others = inputs
    held = [list(combine(one, cut)) for one in others]
    if not all(held):
        return
    for one in combine(first, cut):
        for parts in product(*held):
            yield together((one, *parts))


def _join(inputs: tuple[Input, ...], cut: CutLeaf[P]) -> Iterator[Cut[P]]:
    tables: list[dict[Key, list[Cut[P]]]] = []
    for one in inputs:
        table: dict[Key, list[Cut[P]]] = defaultdict(list)
        for part in combine(one, cut):
            table[part.on].append(part)
        tables.append(table)
    for key in sorted({key for table in tables for key in table}):
        # Taken out, so that what was yielded need not be held any longer.
        matches = [table.pop(key) for table in tables if key in table]
        is_complete = len(matches) == len(tables)
        for parts in product(*matches):
            if is_complete or any(part.is_outer for part in parts):
                joined = together(parts)
                yield Cut(joined.pieces, key, joined.by or key, joined.is_outer)


def _group(inputs: tuple[Input, ...], cut: CutLeaf[P]) -> Iterator[Cut[P]]:
    groups: dict[Key, list[Cut[P]]] = defaultdict(list)
    for one in inputs:
        for part in combine(one, cut):
            groups[part.by].append(part)
    for key in sorted(groups):
        parts = groups.pop(key)
        # What several combinations hold is in the group once.
        pieces = dict.fromkeys(piece for part in parts for piece in part.pieces)
        yield Cut(tuple(pieces), key, key, any(part.is_outer for part in parts))


def together(parts: tuple[Cut[P], ...]) -> Cut[P]:
    """Return what several parts are, taken together."""
    return Cut(
        tuple(piece for part in parts for piece in part.pieces),
        tuple(text for part in parts for text in part.on),
        tuple(text for part in parts for text in part.by),
        any(part.is_outer for part in parts),
    )
