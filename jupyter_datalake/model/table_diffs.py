"""What differs between two tables: columns, counts, and a page of rows."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError

if TYPE_CHECKING:
    import pandas as pd


DEFAULT_ROWS = 100
"""How many rows of a difference are told, unless somebody wants others."""


class ColumnChangeKind(StrEnum):
    """What happened to a column."""

    ADDED = "added"
    REMOVED = "removed"
    RETYPED = "retyped"
    MOVED = "moved"


class RowChangeKind(StrEnum):
    """What happened to a row."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    """As the file has it; the second one of a name gets ``#2`` behind it, and so on."""
    type: str
    """As Arrow calls it; guessed from the beginning of a CSV file, whose cells are text."""


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One difference between the columns of two tables; a column can have two of them."""

    name: str
    kind: ColumnChangeKind
    old: str | None
    """Its type in the older table; for a moved one its position, from 1."""
    new: str | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that differs, or several that are equal and lack their counterparts."""

    kind: RowChangeKind
    key: dict[str, Any]
    """Values of the key's columns; empty without a key."""
    old: dict[str, Any] | None
    """Values by column before: all of a removed row, those that changed of a changed one."""
    new: dict[str, Any] | None
    count: int = 1
    """How many rows there are of this kind; more than one only where rows have no key of their
    own."""

    def old_or_new(self) -> dict[str, Any]:
        """Return the values of the row that there is, the older one of two."""
        return self.old if self.old is not None else self.new or {}


@dataclass(frozen=True, slots=True)
class TableDiff:
    """How two tables differ."""

    is_equal: bool
    """Whether rows and columns are the same; equal bytes are not looked into."""
    key: tuple[str, ...]
    """Columns by which rows were told apart; none when whole rows were compared."""
    key_is_guessed: bool
    columns: tuple[ColumnChange, ...]
    old_rows: int | None
    """How many rows there were; None when the files are equal and were not read."""
    new_rows: int | None
    added: int
    removed: int
    changed: int
    changes_by_column: dict[str, int]
    """In how many of the changed rows a column changed; columns that never did are left out."""
    duplicate_keys: int
    """Keys that several rows of one table have; those rows were compared as a whole."""
    rows: tuple[RowChange, ...]
    """A page of what was added, removed and changed, ordered by key."""
    has_more: bool

    def frame(self) -> pd.DataFrame:
        """Return the page of rows as a data frame.

        Returns
        -------
        DataFrame
            One row per change: ``change``, the key, then for each column its old and its new
            value as ``(column, "old")`` and ``(column, "new")``, None where there is none.
        """
        import pandas as pd  # noqa: PLC0415  # half a second, and only this method needs it

        names = dict.fromkeys(name for row in self.rows for name in {**row.old_or_new(), **row.key})
        plain = [name for name in names if name not in self.key]
        index = [("change", ""), *((name, "") for name in self.key)]
        columns = [*index, *((name, side) for name in plain for side in ("old", "new"))]
        cells = [
            [
                str(row.kind),
                *(row.key.get(name) for name in self.key),
                *((side or {}).get(name) for name in plain for side in (row.old, row.new)),
            ]
            for row in self.rows
        ]
        return pd.DataFrame(cells, columns=pd.MultiIndex.from_tuples(columns), dtype=object)

    def shown(self) -> TableDiff:
        """Return the same with every value in a form that JSON has, for people to read."""
        rows = tuple(
            replace(
                row, key=shown_value(row.key), old=shown_value(row.old), new=shown_value(row.new)
            )
            for row in self.rows
        )
        return replace(self, rows=rows)


def equal_tables(key: tuple[str, ...]) -> TableDiff:
    """Return the difference of two files with equal bytes, which nobody needs to read."""
    return TableDiff(
        is_equal=True,
        key=key,
        key_is_guessed=False,
        columns=(),
        old_rows=None,
        new_rows=None,
        added=0,
        removed=0,
        changed=0,
        changes_by_column={},
        duplicate_keys=0,
        rows=(),
        has_more=False,
    )


def column_changes(old: Sequence[Column], new: Sequence[Column]) -> tuple[ColumnChange, ...]:
    """Return how the columns of two tables differ; the fewest that explain the order moved."""
    before = {column.name: column for column in old}
    after = {column.name: column for column in new}
    found: list[ColumnChange] = []
    for name, column in before.items():
        if name not in after:
            found.append(ColumnChange(name, ColumnChangeKind.REMOVED, column.type, None))
        elif after[name].type != column.type:
            kinds = column.type, after[name].type
            found.append(ColumnChange(name, ColumnChangeKind.RETYPED, *kinds))
    for name, column in after.items():
        if name not in before:
            found.append(ColumnChange(name, ColumnChangeKind.ADDED, None, column.type))
    places = {name: number for number, name in enumerate(before)}
    shared = [name for name in after if name in before]
    stayed = _longest_rise([places[name] for name in shared])
    order = list(after)
    for name in shared:
        if places[name] not in stayed:
            kinds = str(places[name] + 1), str(order.index(name) + 1)
            found.append(ColumnChange(name, ColumnChangeKind.MOVED, *kinds))
    return tuple(found)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return names with ``#2``, ``#3``, … behind those that are there already.

    >>> distinct_names(["id", "x", "x"])
    ['id', 'x', 'x#2']
    """
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        distinct, number = name, 1
        while distinct in taken or (number > 1 and distinct in names):
            number += 1
            distinct = f"{name}#{number}"
        taken.add(distinct)
        found.append(distinct)
    return found


def parse_key(text: str) -> tuple[str, ...]:
    """Return the columns of a key, written as one line of CSV.

    >>> parse_key('id,"last, first"')
    ('id', 'last, first')
    """
    try:
        lines = [line for line in csv.reader([text], strict=True) if line]
    except csv.Error as error:
        raise InvalidInputError(
            f"Key {text!r} is not one line of CSV: {error}",
            kind=ErrorKind.INVALID_REQUEST,
            hint='Write the columns with commas, and "quoted" if they hold one',
        ) from error
    return tuple(lines[0]) if lines else ()


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Return the longest part of distinct numbers that rises, as patience sorting finds it."""
    piles: list[list[tuple[int, int]]] = []
    for number in numbers:
        place = next((i for i, pile in enumerate(piles) if pile[-1][0] > number), len(piles))
        if place == len(piles):
            piles.append([])
        below = len(piles[place - 1]) - 1 if place else -1
        piles[place].append((number, below))
    rise: list[int] = []
    position = -1
    for pile in reversed(piles):
        number, position = pile[position]
        rise.append(number)
    assert all(later < earlier for earlier, later in pairwise(rise))
    return set(rise)


def shown_value(value: Any) -> Any:
    """Return a value as JSON has it: what it has no form for becomes text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes():
            return value.hex()
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(shown_value(name)): shown_value(one) for name, one in value.items()}
        case list() | tuple():
            return [shown_value(one) for one in value]
    return str(value)
