"""What the columns of a table hold, by a DuckDB of its own that sees nothing but that table."""

# ruff: noqa: S608  # every name in the SQL is made here; names of columns never get into it

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from jupyter_datalake.errors import DatalakeError, ErrorKind, StateError, StorageError
from jupyter_datalake.model.previews import Bin, ColumnStatistics, TopValue
from jupyter_datalake.model.table_diffs import Column
from jupyter_datalake.warehouse.scratch import load_table, scratch_database
from jupyter_datalake.warehouse.table_files import TableStream

MAX_ROWS = 1_000_000
"""Of a larger table the beginning is looked at."""
MAX_BYTES = 512 * 1024 * 1024
MAX_COLUMNS = 200
"""How many columns are described at once."""
BINS = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_TOP = 10
_MAX_CHARS = 200
_WATCH_S = 0.1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = ("int", "uint", "double", "float", "halffloat", "decimal")
_TIMES = ("timestamp", "date")


@dataclass(frozen=True, slots=True)
class Described:
    """What was found."""

    rows: int
    is_partial: bool
    columns: tuple[ColumnStatistics, ...]


def describe_columns(
    stream: TableStream, wanted: Sequence[int], *, work_folder: Path, stop: Callable[[], bool]
) -> Described:
    """Return what some columns of a table hold.

    Parameters
    ----------
    wanted
        Places of the columns, from 0.
    work_folder
        Where a folder is made for the table, at most about `MAX_BYTES`.
    stop
        Asked all the time whether nobody waits any more.

    Raises
    ------
    StateError
        Nobody waits any more.
    StorageError
        The disk is full.
    """
    if not wanted:
        return Described(0, is_partial=False, columns=())
    beginning = _Beginning(stream, wanted, stop)
    with scratch_database(work_folder) as database, _interrupted(database, stop):
        try:
            load_table(database, "looked_at", beginning.stream)
            rows = database.sql("SELECT count(*) FROM looked_at").fetchall()[0][0]
            columns = tuple(
                _Description(database, place, stream.columns[column], rows).made()
                for place, column in enumerate(wanted)
            )
        except duckdb.InterruptException as error:
            raise _stopped() from error
        except duckdb.Error as error:
            if stop():
                raise _stopped() from error
            raise StorageError(
                f"The table could not be looked at: {' '.join(str(error).split())[:300]}",
                kind=ErrorKind.STORAGE_UNAVAILABLE,
                hint=f"See that there is room for it in {work_folder}",
            ) from error
    return Described(rows, beginning.is_partial, columns)


class _Beginning:
    """As much of a table as is looked at, with the columns that are wanted."""

    def __init__(self, whole: TableStream, wanted: Sequence[int], stop: Callable[[], bool]) -> None:
        self.is_partial = False
        self._whole, self._wanted, self._stop = whole, wanted, stop
        self._schema = pa.schema(
            [(f"c{n}", whole.schema.field(place).type) for n, place in enumerate(wanted)]
        )
        columns = tuple(whole.columns[place] for place in wanted)
        self.stream = TableStream(columns, self._schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        rows = size_bytes = 0
        for batch in self._whole.batches:
            if self._stop():
                raise _stopped()
            if rows >= MAX_ROWS or size_bytes >= MAX_BYTES:
                self.is_partial = self.is_partial or batch.num_rows > 0
                return
            self.is_partial = rows + batch.num_rows > MAX_ROWS
            arrays = [batch.column(place) for place in self._wanted]
            part = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
            part = part.slice(0, MAX_ROWS - rows)
            rows += part.num_rows
            size_bytes += part.nbytes
            yield part


class _Description:
    """One column being described."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, place: int, column: Column, rows: int
    ) -> None:
        self._database = database
        self._column, self._rows = column, rows
        self._raw = f"c{place}"
        self._is_number = column.type.startswith(_NUMBERS)
        self._is_time = column.type.startswith(_TIMES)
        self._is_text = self._one(f"SELECT any_value(typeof({self._raw})) FROM looked_at") == (
            "VARCHAR",
        )
        self._value = self._typed()

    def made(self) -> ColumnStatistics:
        """Return what the column holds."""
        values = f"(SELECT {self._raw} AS raw, {self._value} AS v FROM looked_at)"
        present, count, distinct = self._one(
            f"SELECT count(raw), count(v), approx_count_distinct(v) FROM {values}"
        )
        least, most = self._ends(values)
        mean: float | None = None
        deviation: float | None = None
        quantiles: dict[str, str] = {}
        bins: tuple[Bin, ...] = ()
        if self._is_number or self._is_time:
            finite = (
                f"(SELECT x FROM (SELECT {self._measure('v')} AS x FROM {values})"
                " WHERE isfinite(x))"
            )
            if self._is_number:
                mean, deviation = self._moments(finite)
            quantiles = self._quantiles(finite)
            bins = self._bins(finite)
        return ColumnStatistics(
            name=self._column.name,
            type=self._column.type,
            count=count,
            nulls=self._rows - present,
            strange=present - count,
            distinct=min(distinct, count),
            min=least,
            max=most,
            mean=mean,
            deviation=deviation,
            quantiles=quantiles,
            top=self._top(values),
            bins=bins,
        )

    def _typed(self) -> str:
        """Return SQL of the value as its type: texts are what they were guessed to be."""
        kind = self._column.type
        if self._is_number:
            whole = kind.startswith(("int", "uint"))
            if whole and self._is_text:
                # DuckDB would round 1.5 to a whole number, and it is none.
                return (
                    f"CASE WHEN regexp_full_match(trim({self._raw}), '[+-]?[0-9]+')"
                    f" THEN TRY_CAST({self._raw} AS HUGEINT) END"
                )
            return f"TRY_CAST({self._raw} AS {'HUGEINT' if whole else 'DOUBLE'})"
        if self._is_time:
            zoned = kind.startswith("timestamp") and "tz=" in kind
            return f"TRY_CAST({self._raw} AS {'TIMESTAMPTZ' if zoned else 'TIMESTAMP'})"
        if kind == "bool":
            return f"TRY_CAST({self._raw} AS BOOLEAN)"
        return f"CAST({self._raw} AS VARCHAR)"

    def _measure(self, value: str) -> str:
        """Return SQL of a value as a number that can be laid along a line."""
        return f"epoch({value})" if self._is_time else f"CAST({value} AS DOUBLE)"

    def _ends(self, values: str) -> tuple[str | None, str | None]:
        least, most = self._one(
            f"SELECT CAST(min(v) AS VARCHAR), CAST(max(v) AS VARCHAR) FROM {values}"
        )
        return _short(least), _short(most)

    def _moments(self, finite: str) -> tuple[float | None, float | None]:
        try:  # a sum may leave the range of doubles
            mean, deviation = self._one(f"SELECT avg(x), stddev_samp(x) FROM {finite}")
        except (duckdb.OutOfRangeException, duckdb.InvalidInputException):
            return None, None
        return _finite(mean), _finite(deviation)

    def _quantiles(self, finite: str) -> dict[str, str]:
        wanted = ", ".join(map(str, QUANTILES))
        (found,) = self._one(f"SELECT approx_quantile(x, [{wanted}]) FROM {finite}")
        return {
            str(share): self._shown(value)
            for share, value in zip(QUANTILES, found or [], strict=False)
            if value is not None
        }

    def _bins(self, finite: str) -> tuple[Bin, ...]:
        low, high = self._one(f"SELECT min(x), max(x) FROM {finite}")
        if low is None:
            return ()
        width = high / BINS - low / BINS
        if not width or not math.isfinite(width):
            (count,) = self._one(f"SELECT count(*) FROM {finite}")
            return (Bin(self._shown(low), self._shown(high), count),)
        place = f"CAST(least({BINS - 1}, floor((x / {width!r}) - ({low!r} / {width!r}))) AS BIGINT)"
        found = dict(
            self._database.sql(
                f"SELECT greatest(0, {place}) AS n, count(*) FROM {finite} GROUP BY n"
            ).fetchall()
        )
        edges = [low + number * width for number in range(BINS)] + [high]
        return tuple(
            Bin(self._shown(edges[number]), self._shown(edges[number + 1]), found.get(number, 0))
            for number in range(BINS)
        )

    def _top(self, values: str) -> tuple[TopValue, ...]:
        found = self._database.sql(
            f"SELECT left(CAST(v AS VARCHAR), {_MAX_CHARS + 1}), count(*) AS n FROM {values}"
            f" WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {_TOP}"
        ).fetchall()
        return tuple(TopValue(_short(value) or "", count) for value, count in found)

    def _shown(self, measure: float) -> str:
        if self._is_time:
            try:
                moment = _EPOCH + timedelta(seconds=measure)
            except OverflowError:
                return f"{measure:g} s"
            return moment.isoformat().removesuffix("+00:00")
        return f"{measure:.6g}"

    def _one(self, sql: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._database.sql(sql).fetchall()[0]
        return row


@contextmanager
def _interrupted(database: duckdb.DuckDBPyConnection, stop: Callable[[], bool]) -> Iterator[None]:
    """Interrupt the database as soon as nobody waits any more."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_S):
            if stop():
                database.interrupt()

    watcher = threading.Thread(target=watch, name="datalake-statistics", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _stopped() -> DatalakeError:
    return StateError("Looking at the table was stopped", kind=ErrorKind.WRONG_STATE)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= _MAX_CHARS else value[:_MAX_CHARS] + "…"
