"""What inputs can be combined: names that do not meet, and something to compare where it is needed.

Each part of an input has a shape: the names that its datums can hold, and how many texts it is
compared by in a join and in a group. The shape of the whole follows from those of its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from jupyter_datalake.model.pipelines import (
    BranchTrigger,
    Combination,
    CronInput,
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    RepoInput,
    UnionInput,
    iter_leaves,
)


class MisfitError(Exception):
    """Inputs that cannot be combined as they are; whoever reads the spec words it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(place, why)
        self.place = place
        self.why = why


class _Around(NamedTuple):
    """What an input is inside of."""

    join: bool = False
    group: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    names: frozenset[str]
    on: int
    by: int


def check_algebra(given: Input, place: str) -> None:
    """Raise `MisfitError` for an input whose parts cannot be combined.

    Two inputs of one name would be in one datum; a join or group holds what has nothing to compare,
    or not the same number of things; ``on``, ``outer`` or ``by`` stand where they say nothing.
    """
    _shape(given, place, _Around())
    _check_clocks(given, place)
    _check_options(given, place)


def _shape(given: Input, place: str, around: _Around) -> _Shape:
    match given:
        case RepoInput():
            _check_words(given, f"{place}.repo", around)
            return _Shape(frozenset({given.name}), int(bool(given.on)), int(bool(given.by)))
        case CronInput():
            return _Shape(frozenset({given.name}), 0, 0)
        case CrossInput():
            parts = _parts(given, f"{place}.cross", around)
            names = _distinct(parts, f"{place}.cross")
            return _Shape(names, sum(one.on for one in parts), sum(one.by for one in parts))
        case UnionInput():
            return _union(given, f"{place}.union", around)
        case JoinInput():
            parts = _parts(given, f"{place}.join", around._replace(join=True))
            names = _distinct(parts, f"{place}.join")
            on = _compared(parts, lambda one: one.on, f"{place}.join", "on")
            return _Shape(names, on, sum(one.by for one in parts) or on)
        case GroupInput():
            parts = _parts(given, f"{place}.group", _Around(group=True))
            names = _distinct(parts, f"{place}.group")
            by = _compared(parts, lambda one: one.by, f"{place}.group", "by")
            return _Shape(names, by, by)


def _parts(given: Combination, place: str, around: _Around) -> list[_Shape]:
    return [_shape(one, f"{place}[{index}]", around) for index, one in enumerate(given.inputs)]


def _union(given: UnionInput, place: str, around: _Around) -> _Shape:
    """Return the shape of alternatives, of which a datum holds one: they may share a name."""
    parts = _parts(given, place, around)
    if around.group:
        # A group holds several of them after all, in one folder for each name.
        _distinct(parts, place)
    if around.join:
        _alike(parts, lambda one: one.on, place, "on")
    if around.group:
        _alike(parts, lambda one: one.by, place, "by")
    names = frozenset(name for one in parts for name in one.names)
    return _Shape(names, max(one.on for one in parts), max(one.by for one in parts))


def _check_words(given: RepoInput, place: str, around: _Around) -> None:
    if given.on and not around.join:
        raise MisfitError(f"{place}.on", "has a meaning only inside a join")
    if given.is_outer and not around.join:
        raise MisfitError(f"{place}.outer", "has a meaning only inside a join")
    if given.by and not around.group:
        raise MisfitError(f"{place}.by", "has a meaning only inside a group")
    if given.gives_match and around.group:
        raise MisfitError(
            f"{place}.give", "gives one path, and a group has several: take them from the folder"
        )


def _distinct(parts: list[_Shape], place: str) -> frozenset[str]:
    seen: set[str] = set()
    for one in parts:
        twice = seen & one.names
        if twice:
            raise MisfitError(
                place, f"has two inputs named {min(twice)!r}; tell them apart with 'as'"
            )
        seen |= one.names
    return frozenset(seen)


def _compared(parts: list[_Shape], count: Callable[[_Shape], int], place: str, word: str) -> int:
    """Return by how many texts each part of a join or group is compared."""
    for index, one in enumerate(parts):
        if not count(one):
            raise MisfitError(
                f"{place}[{index}]",
                f"has nothing to compare: it needs {word!r}, such as {word}: $1, and a glob that"
                " captures it, such as /(*).csv",
            )
    return _alike(parts, count, place, word)


def _alike(parts: list[_Shape], count: Callable[[_Shape], int], place: str, word: str) -> int:
    counts = [count(one) for one in parts]
    for index, one in enumerate(counts):
        if one != counts[0]:
            raise MisfitError(
                f"{place}[{index}]",
                f"is compared by {one} of {word!r} and {place}[0] by {counts[0]}",
            )
    return counts[0]


def _check_clocks(given: Input, place: str) -> None:
    """Refuse clocks that share a name: a pipeline keeps the time of each under it."""
    names = [leaf.name for leaf in iter_leaves(given)]
    for leaf in iter_leaves(given):
        if isinstance(leaf, CronInput) and names.count(leaf.name) > 1:
            raise MisfitError(place, f"has two inputs named {leaf.name!r}, one of them a clock")


def _check_options(given: Input, place: str) -> None:
    """Refuse alternatives of one name that differ in what the program sees of their files."""
    seen: dict[str, RepoInput] = {}
    triggers: dict[tuple[str, str, str], BranchTrigger | None] = {}
    for leaf in iter_leaves(given):
        if isinstance(leaf, RepoInput):
            first = seen.setdefault(leaf.name, leaf)
            for option, differs in (
                ("empty_files", leaf.is_empty != first.is_empty),
                ("give: match", leaf.gives_match != first.gives_match),
                ("lazy", leaf.is_lazy != first.is_lazy),
            ):
                if differs:
                    raise MisfitError(
                        place, f"has two inputs named {leaf.name!r}, of which one has {option}"
                    )
            branch = (leaf.name, leaf.repo, leaf.branch)
            if triggers.setdefault(branch, leaf.trigger) != leaf.trigger:
                raise MisfitError(
                    place, f"reads {leaf.repo}@{leaf.branch} as {leaf.name!r} with two triggers"
                )
