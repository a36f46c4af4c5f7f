"""Comparing two tables in a DuckDB of their own, at bounded memory: it goes to disk, not up.

Rows are told apart by a key, or compared as a whole. Values are compared exactly: NULL equals NULL
and nothing else, NaN equals NaN, a point in time equals itself in another zone, a text is compared
by its characters. Where the type of a column changed, numbers are compared as numbers and all
else by its text.
"""

# ruff: noqa: S608  # every name in the SQL is made here; names of columns never get into it

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.model.table_diffs import (
    RowChange,
    RowChangeKind,
    TableDiff,
    column_changes,
)
from jupyter_datalake.warehouse.scratch import load_table, scratch_database
from jupyter_datalake.warehouse.table_files import TableSource, TableStream, open_table

PART_BYTES = 128 * 1024 * 1024
"""Larger tables are compared part by part, each with the rows whose keys have one hash: what a
join or a grouping needs in memory even when it goes to disk grows with its input."""

_GUESSES = 4
"""How many columns are tried as a key."""
_KEY_TYPES = ("int", "uint", "string", "large_string", "fixed_size_binary", "binary", "decimal")
_SAME = (
    {pa.string(), pa.large_string(), pa.string_view()},
    {pa.binary(), pa.large_binary(), pa.binary_view()},
    {pa.date32(), pa.date64()},
)
"""Types of Arrow that are one to DuckDB."""
_MOST_DIGITS = 38


@dataclass(frozen=True, slots=True)
class _Shared:
    """A column that both tables have."""

    name: str
    old: int
    """Its place in the older table, from 0."""
    new: int
    type: str
    cast: str
    """Type that both sides are compared as, where they have different ones; else empty."""

    def of(self, value: str) -> str:
        """Return SQL of a value as it is compared."""
        return f"CAST({value} AS {self.cast})" if self.cast else value

    @property
    def in_old(self) -> str:
        """SQL of its value in a row `o` of the older table."""
        return self.of(f"o.c{self.old}")

    @property
    def in_new(self) -> str:
        """SQL of its value in a row `n` of the newer table."""
        return self.of(f"n.c{self.new}")

    @property
    def was(self) -> str:
        """SQL of its older value in a row of `differences`."""
        return self.of(f"o{self.old}")

    @property
    def now(self) -> str:
        """SQL of its newer value in a row of `differences`."""
        return self.of(f"n{self.new}")


def diff_tables(
    old: TableSource,
    new: TableSource,
    *,
    key: Sequence[str] | None,
    offset: int,
    limit: int,
    work_folder: Path,
) -> TableDiff:
    """Return how two tables differ.

    Parameters
    ----------
    key
        Columns that name a row. None: the first column that both tables have, that is called
        ``id``, ``key`` or ``…_id``, else the first of all, whose values are all there and all
        distinct in both tables; whole rows are compared if there is none. Empty: whole rows.
    offset, limit
        Which part of the rows is wanted.
    work_folder
        Where a folder is made for what does not fit in memory: about the size of the tables.

    Raises
    ------
    InvalidInputError
        One of the files cannot be read as a table, or lacks a column of the key.
    StorageError
        The disk is full.
    """
    with scratch_database(work_folder) as database:
        try:
            return _Comparison(database, open_table(old), open_table(new), (old, new)).run(
                key, offset, limit
            )
        except duckdb.Error as error:
            raise StorageError(
                f"The tables could not be compared: {' '.join(str(error).split())[:300]}",
                kind=ErrorKind.STORAGE_UNAVAILABLE,
                hint=f"See that there is room for both of them in {work_folder}",
            ) from error


class _Comparison:
    """Two tables in a database, being compared."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        old: TableStream,
        new: TableStream,
        sources: tuple[TableSource, TableSource],
    ) -> None:
        self._database = database
        self._old, self._new = old, new
        self._sources = sources
        self._shared = _shared(old, new)
        self._parts = 1
        """Into how many parts the rows are divided by the hash of their keys."""

    def run(self, key: Sequence[str] | None, offset: int, limit: int) -> TableDiff:
        """Return how the tables differ."""
        chosen = [self._find(name) for name in dict.fromkeys(key or ())]
        old_rows = self._load("old_rows", self._old)
        new_rows = self._load("new_rows", self._new)
        if key is None:
            chosen = self._guess(old_rows, new_rows)
        duplicates = self._find_duplicates(chosen) if chosen else 0
        if chosen:
            self._compare_by_key(chosen, apart=duplicates > 0)
        else:
            self._compare_nothing()
        if self._shared and (duplicates or not chosen):
            self._compare_whole(chosen)
        counts = dict(self._run("SELECT kind, sum(rows) FROM differences GROUP BY kind"))
        if not self._shared:
            counts = {"removed": old_rows, "added": new_rows}
        columns = column_changes(self._old.columns, self._new.columns)
        rows, has_more = self._page(chosen, offset, limit)
        return TableDiff(
            is_equal=not columns and not any(counts.values()),
            key=tuple(one.name for one in chosen),
            key_is_guessed=key is None and bool(chosen),
            columns=columns,
            old_rows=old_rows,
            new_rows=new_rows,
            added=int(counts.get("added", 0)),
            removed=int(counts.get("removed", 0)),
            changed=int(counts.get("changed", 0)),
            changes_by_column=self._changes_by_column(),
            duplicate_keys=duplicates,
            rows=rows,
            has_more=has_more,
        )

    # --- loading ---------------------------------------------------------------------------------

    def _load(self, table: str, stream: TableStream) -> int:
        """Read a table into the database and return how many rows it has."""
        if not stream.columns:
            self._run(f"CREATE TABLE {table} (c0 BOOLEAN)")
            return 0
        size_bytes = load_table(self._database, table, stream)
        self._parts = max(self._parts, -(-size_bytes // PART_BYTES))
        return self._one(f"SELECT count(*) FROM {table}")

    def _find(self, name: str) -> _Shared:
        for one in self._shared:
            if one.name == name:
                return one
        for stream, source in zip((self._old, self._new), self._sources, strict=True):
            names = [column.name for column in stream.columns]
            if name not in names:
                shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
                raise InvalidInputError(
                    f"{source.label} has no column {name!r}",
                    kind=ErrorKind.INVALID_REQUEST,
                    hint=f"Its columns are {shown}" if names else "It has no columns",
                    column=name,
                )
        raise AssertionError(name)

    def _guess(self, old_rows: int, new_rows: int) -> list[_Shared]:
        able = [one for one in self._shared if one.type.startswith(_KEY_TYPES) and not one.cast]
        named = [one for one in able if _is_called_a_key(one.name)]
        first = [one for one in able if one.old == 0 and one not in named]
        for one in (*named[:_GUESSES], *first):
            if self._is_unique("old_rows", one.old, old_rows) and self._is_unique(
                "new_rows", one.new, new_rows
            ):
                return [one]
        return []

    def _is_unique(self, table: str, column: int, count: int) -> bool:
        return count == sum(
            self._one(f"SELECT count(DISTINCT c{column}) FROM {table} {where}")
            for where in self._each_part([f"c{column}"])
        )

    def _each_part(self, values: Sequence[str]) -> Iterator[str]:
        """Yield SQL that keeps the rows of one part, by the values that are compared."""
        for number in range(self._parts):
            yield (
                f"WHERE hash({', '.join(values)}) % {self._parts} = {number}"
                if self._parts > 1
                else ""
            )

    # --- comparing -------------------------------------------------------------------------------

    def _compare_by_key(self, key: Sequence[_Shared], *, apart: bool) -> None:
        """Make the table `differences` of rows that are told apart by a key.

        Parameters
        ----------
        apart
            Leave out the rows whose key is in `duplicates`.
        """
        old, new = self._by_duplicates("ANTI", key) if apart else ("", "")
        same = " AND ".join(f"{one.in_old} IS NOT DISTINCT FROM {one.in_new}" for one in key)
        conditions = ["o.here IS NULL", "n.here IS NULL"]
        for one in self._shared:
            if one not in key:
                conditions.append(f"{one.in_old} IS DISTINCT FROM {one.in_new}")
        parts = zip(
            self._each_part([one.in_old for one in key]),
            self._each_part([one.in_new for one in key]),
            strict=True,
        )
        self._compare_nothing()
        for old_part, new_part in parts:
            self._run(
                "INSERT INTO differences"
                " SELECT CASE WHEN o.here IS NULL THEN 'added' WHEN n.here IS NULL THEN 'removed'"
                f" ELSE 'changed' END AS kind, 1::BIGINT AS rows, false AS whole, {self._cells()}"
                f" FROM (SELECT true AS here, o.* FROM old_rows o {old} {old_part}) o"
                f" FULL JOIN (SELECT true AS here, n.* FROM new_rows n {new} {new_part}) n"
                f" ON {same} WHERE {' OR '.join(conditions)}"
            )

    def _compare_nothing(self) -> None:
        """Make the table `differences` without a row."""
        self._run(
            "CREATE TABLE differences AS SELECT 'added' AS kind, 1::BIGINT AS rows,"
            f" false AS whole, {self._cells()} FROM old_rows o, new_rows n LIMIT 0"
        )

    def _cells(self) -> str:
        """Return SQL of all columns of both tables, under names that differ."""
        sides = (("o", self._old), ("n", self._new))
        return ", ".join(
            f"{side}.c{n} AS {side}{n}"
            for side, stream in sides
            for n in range(max(1, len(stream.columns)))
        )

    def _find_duplicates(self, key: Sequence[_Shared]) -> int:
        """Collect the keys that several rows of one table have, and return how many there are."""
        old = ", ".join(f"{one.in_old} AS k{n}" for n, one in enumerate(key))
        new = ", ".join(f"{one.in_new} AS k{n}" for n, one in enumerate(key))
        names = ", ".join(f"k{n}" for n in range(len(key)))
        both = f"SELECT {old}, 1 AS i, 0 AS j FROM old_rows o"
        both += f" UNION ALL SELECT {new}, 0, 1 FROM new_rows n"
        for number, where in enumerate(self._each_part([f"k{n}" for n in range(len(key))])):
            self._run(
                f"{'INSERT INTO' if number else 'CREATE TABLE'} duplicates"
                f" {'' if number else 'AS'} SELECT {names} FROM ({both}) {where}"
                f" GROUP BY {names} HAVING greatest(sum(i), sum(j)) > 1"
            )
        return self._one("SELECT count(*) FROM duplicates")

    def _by_duplicates(self, join: str, key: Sequence[_Shared]) -> tuple[str, str]:
        """Return SQL that keeps the rows of each table with (SEMI) or without a duplicate key."""
        old, new = (
            f"{join} JOIN duplicates d ON "
            + " AND ".join(f"{value} IS NOT DISTINCT FROM d.k{n}" for n, value in enumerate(side))
            for side in ([one.in_old for one in key], [one.in_new for one in key])
        )
        return old, new

    def _compare_whole(self, key: Sequence[_Shared]) -> None:
        """Add to `differences` the rows that one table has more often, by the shared columns.

        With a key, only those whose key is in `duplicates`.
        """
        old_part, new_part = self._by_duplicates("SEMI", key) if key else ("", "")
        shared = list(enumerate(self._shared))
        # Values of columns whose type changed are compared as another type, and shown as they are.
        raw = [(n, one) for n, one in shared if one.cast]
        old = [f"{one.in_old} AS v{n}" for n, one in shared]
        old += [f"o.c{one.old} AS old{n}, NULL AS new{n}" for n, one in raw]
        new = [one.in_new for _, one in shared]
        new += [f"NULL, n.c{one.new}" for _, one in raw]
        names = ", ".join(f"v{n}" for n, _ in shared)
        kept = "".join(
            f", any_value(old{n}) AS old{n}, any_value(new{n}) AS new{n}" for n, _ in raw
        )
        for number, where in enumerate(self._each_part([f"v{n}" for n, _ in shared])):
            self._run(
                f"{'INSERT INTO' if number else 'CREATE TABLE'} surplus {'' if number else 'AS'}"
                f" SELECT {names}{kept}, sum(side) AS surplus FROM"
                f" (SELECT {', '.join(old)}, 1 AS side FROM old_rows o {old_part}"
                f" UNION ALL SELECT {', '.join(new)}, -1 FROM new_rows n {new_part}) {where}"
                f" GROUP BY {names} HAVING sum(side) <> 0"
            )
        for kind, side, sign in (("removed", "old", 1), ("added", "new", -1)):
            into = ", ".join(f"{side[0]}{getattr(one, side)}" for _, one in shared)
            values = ", ".join(f"{side}{n}" if one.cast else f"v{n}" for n, one in shared)
            self._run(
                f"INSERT INTO differences (kind, rows, whole, {into})"
                f" SELECT '{kind}', {sign} * surplus, true, {values} FROM surplus"
                f" WHERE {sign} * surplus > 0"
            )

    # --- answers ---------------------------------------------------------------------------------

    def _changes_by_column(self) -> dict[str, int]:
        if not self._shared:
            return {}
        counts = ", ".join(
            f"count(*) FILTER (WHERE {one.was} IS DISTINCT FROM {one.now})" for one in self._shared
        )
        (row,) = self._run(f"SELECT {counts} FROM differences WHERE kind = 'changed'")
        return {one.name: count for one, count in zip(self._shared, row, strict=True) if count}

    def _page(
        self, key: Sequence[_Shared], offset: int, limit: int
    ) -> tuple[tuple[RowChange, ...], bool]:
        flags = [
            f"{one.was} IS DISTINCT FROM {one.now} AS f{n}" for n, one in enumerate(self._shared)
        ]
        order = [f"coalesce({one.now}, {one.was})" for one in key]
        found: pa.Table = self._database.sql(
            f"SELECT {', '.join(['*', *flags])} FROM differences"
            f" ORDER BY {', '.join([*order, 'kind', *self._cell_names()])}"
            f" LIMIT {limit + 1} OFFSET {offset}"
        ).to_arrow_table()
        rows = tuple(self._row(one, key) for one in found.slice(0, limit).to_pylist())
        return rows, found.num_rows > limit

    def _cell_names(self) -> list[str]:
        sides = (("o", self._old), ("n", self._new))
        return [f"{side}{n}" for side, stream in sides for n in range(max(1, len(stream.columns)))]

    def _row(self, cells: dict[str, Any], key: Sequence[_Shared]) -> RowChange:
        kind = RowChangeKind(cells["kind"])
        names = {one.name for one in key}
        side = "o" if kind is RowChangeKind.REMOVED else "n"
        own = {one.name: cells[f"{side}{one.old if side == 'o' else one.new}"] for one in key}
        if kind is RowChangeKind.CHANGED:
            differing = [one for n, one in enumerate(self._shared) if cells[f"f{n}"]]
            was = {one.name: cells[f"o{one.old}"] for one in differing}
            now = {one.name: cells[f"n{one.new}"] for one in differing}
            return RowChange(kind, own, was, now)
        shared = {one.name for one in self._shared}
        stream = self._old if side == "o" else self._new
        values = {
            column.name: cells[f"{side}{n}"]
            for n, column in enumerate(stream.columns)
            if column.name not in names and (column.name in shared or not cells["whole"])
        }
        if side == "o":
            return RowChange(kind, own, values, None, cells["rows"])
        return RowChange(kind, own, None, values, cells["rows"])

    def _one(self, sql: str) -> int:
        return int(self._run(sql)[0][0])

    def _run(self, sql: str) -> list[Any]:
        """Run a statement to its end and return its rows."""
        return self._database.execute(sql).fetchall()


def _shared(old: TableStream, new: TableStream) -> list[_Shared]:
    """Return the columns that both tables have, in the order of the older one."""
    places = {column.name: n for n, column in enumerate(new.columns)}
    found: list[_Shared] = []
    for n, column in enumerate(old.columns):
        if column.name in places:
            other = places[column.name]
            cast = _common_type(old.schema.field(n).type, new.schema.field(other).type)
            found.append(_Shared(column.name, n, other, str(old.schema.field(n).type), cast))
    return found


def _common_type(old: pa.DataType, new: pa.DataType) -> str:
    """Return what values of two types are compared as; nothing if DuckDB has one type for both."""
    both = (old, new)
    if old == new or any(all(kind in group for kind in both) for group in _SAME):
        return ""
    if all(map(pa.types.is_timestamp, both)):
        alike = old.unit == new.unit and (old.tz is None) == (new.tz is None)
        return "" if alike else "VARCHAR"
    if all(map(pa.types.is_integer, both)):
        return "HUGEINT"
    if all(_is_exact_number(kind) for kind in both):
        scale = max(_digits(kind)[1] for kind in both)
        width = scale + max(_digits(kind)[0] for kind in both)
        return f"DECIMAL({width}, {scale})" if width <= _MOST_DIGITS else "DOUBLE"
    if all(_is_exact_number(kind) or pa.types.is_floating(kind) for kind in both):
        return "DOUBLE"
    return "VARCHAR"


def _digits(kind: pa.DataType) -> tuple[int, int]:
    """Return how many digits an exact number has before and behind its point, at most."""
    if pa.types.is_decimal(kind):
        return kind.precision - kind.scale, kind.scale
    return len(str(1 << kind.bit_width)), 0


def _is_exact_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _is_called_a_key(name: str) -> bool:
    lowered = name.lower()
    return lowered in {"id", "key", "uuid"} or lowered.endswith(("_id", "_key", "_uuid"))
