"""Touching: which datums of combined inputs may differ, given the matches that do.

It is asked for two sides, what was and what is. A datum that is touched on neither is the same on
both. The cost is that of the touched datums; where the inputs of a cross have changed that are not
its first, each match of the first is in touched datums.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, product
from typing import Generic, Protocol, TypeVar

from jupyter_datalake.model.combining import Cut, combine, together
from jupyter_datalake.model.pipelines import (
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    Leaf,
    UnionInput,
)

P = TypeVar("P")

_TEXTS_AT_ONCE = 500


class Side(Protocol[P]):
    """What was, or what is."""

    def cut(self, leaf: Leaf) -> Iterator[Cut[P]]:
        """Yield all that a leaf is cut into, by path."""

    def changed(self, leaf: Leaf) -> Iterator[Cut[P]]:
        """Yield what of it differs from the other side, or is not there, by path."""

    def compared(self, leaf: Leaf, texts: Sequence[str]) -> Iterator[Cut[P]]:
        """Yield what of it has one of these texts that are compared; by path within each."""

    def touched_texts(self, given: Input) -> Iterable[str]:
        """Return the texts of what has changed on either side below an input, in order."""


def touched(given: Input, side: Side[P], mark: Callable[[Cut[P]], Hashable]) -> Iterator[Cut[P]]:
    """Yield the datums of a side that may differ from those of the other, in the order of all.

    Memory: what a thousand texts compare, and what `combine` holds of a cross.

    Parameters
    ----------
    given
        Joins and groups in it compare by one text everywhere below them.
    mark
        Names a datum, whatever it holds.
    """
    match given:
        case UnionInput(inputs):
            yield from chain.from_iterable(touched(one, side, mark) for one in inputs)
        case CrossInput(inputs):
            yield from _cross(inputs, side, mark)
        case JoinInput() | GroupInput():
            texts = iter(side.touched_texts(given))
            while page := list(islice(texts, _TEXTS_AT_ONCE)):
                yield from combine(given, partial(_compared, side, page))
        case _:
            yield from side.changed(given)


def _compared(side: Side[P], texts: Sequence[str], leaf: Leaf) -> Iterator[Cut[P]]:
    return side.compared(leaf, texts)


@dataclass(frozen=True, slots=True)
class _Part(Generic[P]):
    """One input of a cross."""

    all: Iterable[Cut[P]]
    touched: Sequence[Cut[P]]
    marks: frozenset[Hashable]
    """Of what is touched."""


def _cross(
    inputs: tuple[Input, ...], side: Side[P], mark: Callable[[Cut[P]], Hashable]
) -> Iterator[Cut[P]]:
    parts: list[_Part[P]] = []
    for number, one in enumerate(inputs):
        found = list(touched(one, side, mark))
        stream = combine(one, side.cut)
        # The first is gone through once, the others again and again.
        held = stream if number == 0 else list(stream)
        parts.append(_Part(held, found, frozenset(map(mark, found))))
    if not all(part.all for part in parts[1:]) or not any(part.touched for part in parts):
        return
    for cuts in _touched_combinations(parts, mark):
        yield together(cuts)


def _touched_combinations(
    parts: Sequence[_Part[P]], mark: Callable[[Cut[P]], Hashable]
) -> Iterator[tuple[Cut[P], ...]]:
    """Yield the combinations that hold something touched; each step finds at least one."""
    first, *others = parts
    if not any(part.touched for part in others):
        for one in first.touched:
            for rest in product(*(part.all for part in others)):
                yield (one, *rest)
        return
    for one in first.all:
        rests: Iterable[tuple[Cut[P], ...]]
        if mark(one) in first.marks:
            rests = product(*(part.all for part in others))
        else:
            rests = _touched_combinations(others, mark)
        for rest in rests:
            yield (one, *rest)
