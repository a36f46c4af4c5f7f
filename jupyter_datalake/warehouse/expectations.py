"""Holding tables against what is expected of them, in a DuckDB of their own."""

# ruff: noqa: S608  # every name in the SQL is made here; names of columns never get into it

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.model.expectations import Bound, Expectation, Range
from jupyter_datalake.model.table_diffs import Column
from jupyter_datalake.warehouse.scratch import load_table, scratch_database
from jupyter_datalake.warehouse.table_files import TableSource, is_table, open_table

_SHOWN = 5


def violations_of(
    expectation: Expectation, sources: Sequence[TableSource], work_folder: Path
) -> list[str]:
    """Return how files are not as expected, a line each; none if they are.

    Cost: all of the files are read, where something is expected of their contents.

    Parameters
    ----------
    sources
        The files that match, in a stable order.
    work_folder
        Where a folder is made for what does not fit in memory: about the size of the tables.

    Raises
    ------
    StorageError
        The disk is full.
    """
    if not sources:
        nothing = f"no file of the output matches {expectation.files}"
        return [] if expectation.is_optional else [nothing]
    if not expectation.is_of_tables:
        return []
    strange = [one.label for one in sources if not is_table(one.label)]
    if strange:
        return [f"{_listed(strange)}: neither Parquet nor CSV, so nothing can be told of rows"]
    try:
        with scratch_database(work_folder) as database:
            return _Check(database, expectation).run(sources)
    except InvalidInputError as error:
        return [error.message]
    except duckdb.Error as error:
        raise StorageError(
            f"The output could not be checked: {' '.join(str(error).split())[:300]}",
            kind=ErrorKind.STORAGE_UNAVAILABLE,
            hint=f"See that there is room for it in {work_folder}",
        ) from error


class _Check:
    """The rows of some files in a database, being held against an expectation."""

    def __init__(self, database: duckdb.DuckDBPyConnection, expectation: Expectation) -> None:
        self._database = database
        self._expected = expectation
        self._places: dict[str, int] = {}
        """Column to its place."""

    def run(self, sources: Sequence[TableSource]) -> list[str]:
        first: tuple[Column, ...] = ()
        for number, source in enumerate(sources):
            stream = open_table(source)
            if number == 0:
                first = stream.columns
                found = self._missing(source.label, first)
                if found or not first:
                    return found or [f"{source.label} has no columns"]
            elif stream.columns != first:
                return [
                    f"{source.label} has the columns {_columns(stream.columns)}, and"
                    f" {sources[0].label} has {_columns(first)}"
                ]
            load_table(self._database, "held", stream)
        return [*self._rows(), *self._nulls(), *self._twins(), *self._outside()]

    def _missing(self, label: str, columns: Sequence[Column]) -> list[str]:
        """Look for the columns that are expected or asked about; remember where they are."""
        types = {column.name: column.type for column in columns}
        self._places = {column.name: place for place, column in enumerate(columns)}
        expected = self._expected
        named = [*expected.columns, *expected.not_null, *expected.unique, *expected.ranges]
        lines = [
            f"{label} has no column {name!r}; its columns are {_columns(columns)}"
            for name in dict.fromkeys(named)
            if name not in types
        ]
        lines += [
            f"{label}: column {name!r} is {types[name]}, not {kind}"
            for name, kind in expected.columns.items()
            if kind and name in types and types[name] != kind
        ]
        return lines

    def _rows(self) -> list[str]:
        count = self._one("SELECT count(*) FROM held")
        least, most = self._expected.min_rows, self._expected.max_rows
        if least is not None and count < least:
            return [f"there {_are(count)}, and at least {least:,} are expected"]
        if most is not None and count > most:
            return [f"there {_are(count)}, and at most {most:,} are expected"]
        return []

    def _nulls(self) -> list[str]:
        lines = []
        for name in self._expected.not_null:
            count = self._one(f"SELECT count(*) FROM held WHERE {self._column(name)} IS NULL")
            if count:
                lines.append(f"column {name!r} is NULL in {_counted(count)}")
        return lines

    def _twins(self) -> list[str]:
        if not self._expected.unique:
            return []
        key = ", ".join(map(self._column, self._expected.unique))
        groups = f"SELECT count(*) AS n FROM held GROUP BY {key} HAVING n > 1"
        count = self._one(f"SELECT coalesce(sum(n), 0) FROM ({groups})")
        names = " and ".join(map(repr, self._expected.unique))
        return [f"{count:,} rows share their {names} with others"] if count else []

    def _outside(self) -> list[str]:
        lines = []
        for name, expected in self._expected.ranges.items():
            conditions, bounds = self._conditions(name, expected)
            column = self._column(name)
            where = f"{column} IS NOT NULL AND NOT coalesce({' AND '.join(conditions)}, false)"
            count = self._one(f"SELECT count(*) FROM held WHERE {where}", bounds)
            if count:
                example = self._run(f"SELECT {column} FROM held WHERE {where} LIMIT 1", bounds)
                lines.append(
                    f"column {name!r} is outside of {_range(expected)} in {_counted(count)},"
                    f" such as {example[0][0]!r:.80}"
                )
        return lines

    def _conditions(self, name: str, expected: Range) -> tuple[list[str], list[Bound]]:
        """Return SQL that holds for values inside, and its parameters."""
        ends = [(">=", expected.minimum), ("<=", expected.maximum)]
        given = [(sign, bound) for sign, bound in ends if bound is not None]
        value = self._column(name)
        if self._is_text(name) and not any(isinstance(bound, str) for _, bound in given):
            value = f"TRY_CAST({value} AS DOUBLE)"  # a CSV file says of no column what it is
        elif not self._is_text(name) and any(isinstance(bound, str) for _, bound in given):
            value = f"CAST({value} AS VARCHAR)"  # dates and times, which sort as they are written
        return [f"{value} {sign} ?" for sign, _ in given], [bound for _, bound in given]

    def _is_text(self, name: str) -> bool:
        kind = self._run(f"SELECT typeof({self._column(name)}) FROM held LIMIT 1")
        return bool(kind) and kind[0][0] == "VARCHAR"

    def _column(self, name: str) -> str:
        return f"c{self._places[name]}"

    def _one(self, sql: str, bounds: Sequence[Bound] = ()) -> int:
        return int(self._run(sql, bounds)[0][0])

    def _run(self, sql: str, bounds: Sequence[Bound] = ()) -> list[Any]:
        return self._database.execute(sql, list(bounds)).fetchall()


def _counted(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {_counted(count)}"


def _columns(columns: Sequence[Column]) -> str:
    return _listed([f"{one.name} {one.type}" for one in columns])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _range(expected: Range) -> str:
    least = "" if expected.minimum is None else repr(expected.minimum)
    most = "" if expected.maximum is None else repr(expected.maximum)
    return f"{least} … {most}".strip()
